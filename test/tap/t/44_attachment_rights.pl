# What a role that may only connect can do with the rights of an attachment table's owner, as whom its messages are stored and
# read: nothing. Code on the table sees a search_path of its own, and runs nothing that strangers made.

use strict;
use warnings;

use AskTest;
use EmitterTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_ask_cluster('main');
$node->safe_psql('postgres', 'CREATE ROLE mallory LOGIN; CREATE ROLE application LOGIN; CREATE ROLE helper LOGIN; CREATE ROLE deployer LOGIN;'
      . 'GRANT application TO deployer;');

# What mallory owns: a schema, and functions that would make her a superuser or at least note as whom they ran.
my $lair = q{
    CREATE SCHEMA mal AUTHORIZATION mallory;
    CREATE TABLE public.ran (ran_as name);
    GRANT ALL ON public.ran TO PUBLIC;
    SET ROLE mallory;
    GRANT USAGE ON SCHEMA mal TO PUBLIC;
    CREATE FUNCTION mal.seize() RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO public.ran VALUES (current_user);
        IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
            ALTER ROLE mallory SUPERUSER;
        END IF;
    END$$;
    CREATE FUNCTION mal.octet_length(bytea) RETURNS int LANGUAGE plpgsql AS $$BEGIN PERFORM mal.seize(); RETURN 1; END$$;
    CREATE FUNCTION mal.check_size(bytea) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN PERFORM mal.seize(); RETURN true; END$$;
    CREATE FUNCTION mal.small(bytea) RETURNS boolean LANGUAGE plpgsql SET work_mem = '4MB' AS $$BEGIN PERFORM mal.seize(); RETURN true; END$$;
    CREATE FUNCTION mal.fire() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM mal.seize(); RETURN NEW; END$$;
    CREATE FUNCTION mal.is_fine(int) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN PERFORM mal.seize(); RETURN true; END$$;
    RESET ROLE;
};

sub lair
{
    my ($database, $sql) = @_;
    return create_database($node, $database, "$lair $sql");
}

# Mallory has come to nothing: she is no superuser, and nothing of hers ran as anybody else.
sub is_harmless
{
    my ($database, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is($node->safe_psql('postgres', q{SELECT rolsuper FROM pg_roles WHERE rolname = 'mallory'}), 'f', "$name: mallory is no superuser");
    is($node->safe_psql($database, q{SELECT string_agg(DISTINCT ran_as, ',') FROM public.ran WHERE ran_as <> 'mallory'}), '', "$name: nothing of hers ran as anybody else");
    $node->safe_psql('postgres', 'ALTER ROLE mallory NOSUPERUSER');
    $node->safe_psql($database, 'TRUNCATE public.ran');
    return;
}

my $path = 'SET search_path = mal, pg_catalog, public;';
my $binary = q{SELECT public.socketio_emit_values(NULL, 'binary', '\x00'::bytea);};

# A trigger of the superuser's that names a function of pg_catalog without its schema.
lair('by_trigger', q{
    CREATE EXTENSION socketio_emitter;
    CREATE TABLE public.sizes (size int);
    CREATE FUNCTION public.measure() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO sizes VALUES (octet_length(NEW.payload));
        RETURN NEW;
    END$$;
    CREATE TRIGGER measure BEFORE INSERT ON socket_io_attachments FOR EACH ROW EXECUTE FUNCTION measure();
});
is_clean(session($node, 'by_trigger', "$path $binary SHOW search_path", user => 'mallory'), 'a trigger that names no schema');
is_harmless('by_trigger', 'a trigger that names no schema');
cmp_ok($node->safe_psql('by_trigger', 'SELECT min(size) FROM sizes'), '>', 10, 'a trigger that names no schema: it calls what its owner means');

# ... and a table without its schema: that of its own schema, not the temporary one of that name.
my $trap = q{
    CREATE TEMP TABLE sizes (size int);
    CREATE TRIGGER fire BEFORE INSERT ON pg_temp.sizes FOR EACH ROW EXECUTE FUNCTION mal.fire();
    GRANT ALL ON pg_temp.sizes TO PUBLIC;
};
$node->safe_psql('by_trigger', 'TRUNCATE sizes');
is_clean(session($node, 'by_trigger', "$trap $binary", user => 'mallory'), 'a temporary table of the name');
is_harmless('by_trigger', 'a temporary table of the name');
is($node->safe_psql('by_trigger', 'SELECT count(*) FROM sizes'), '1', 'a temporary table of the name: the row went where it belongs');

# Where others may create objects in the table's schema, nothing is found there.
$node->safe_psql('by_trigger', 'GRANT CREATE ON SCHEMA public TO mallory');
my $no_table = { sqlstate => '42P01', message => qr/relation "sizes" does not exist/, context => qr/storing a message in attachment table "socket_io_attachments"/ };
is_refused(session($node, 'by_trigger', $binary, user => 'mallory'), $no_table, 'a schema where others may create');
is_refused(session($node, 'by_trigger', "$trap $binary", user => 'mallory'), {
        sqlstate => '42501',
        message  => qr/^temporary table "sizes" of role "mallory" may not be used with the rights of role "\w+"$/,
        detail   => qr/runs as the table's owner/,
        hint     => qr/name tables with their schema/,
    }, 'a temporary table where the schema\'s is not found');
is_harmless('by_trigger', 'a temporary table where the schema\'s is not found');
is_refused(session($node, 'by_trigger', q{
        CREATE TEMP TABLE hidden (size int);
        CREATE TEMP VIEW sizes AS SELECT size FROM hidden WHERE mal.is_fine(size) WITH CHECK OPTION;
        GRANT ALL ON pg_temp.sizes TO PUBLIC;} . $binary, user => 'mallory'),
    { sqlstate => '42501', message => qr/^temporary table "sizes"/ }, 'a temporary view');
is_harmless('by_trigger', 'a temporary view');

# Whatever comes of it, the caller's search_path is back.
my $session = session($node, 'by_trigger', qq{
    $path
    DO \$\$BEGIN
        PERFORM public.socketio_emit_values(NULL, 'binary', '\\x00'::bytea);
    EXCEPTION WHEN undefined_table THEN
        RAISE INFO 'caught';
    END\$\$;
    SHOW search_path;
    BEGIN; SAVEPOINT s; $binary ROLLBACK TO s; SHOW search_path; COMMIT;
    SHOW search_path;
}, user => 'mallory');
is_deeply($session->{rows}, [ ('mal, pg_catalog, public') x 3 ], 'the search_path of the caller is back after errors');

# A domain in the temporary schema, which is searched for types as for tables.
lair('by_domain', q{
    CREATE EXTENSION socketio_emitter;
    CREATE FUNCTION public.measure() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        EXECUTE 'SELECT 1::positive';
        RETURN NEW;
    END$$;
    CREATE TRIGGER measure BEFORE INSERT ON socket_io_attachments FOR EACH ROW EXECUTE FUNCTION measure();
});
my $strange = sub {
    my ($function, $owner) = @_;
    return {
        sqlstate => '42501',
        message  => qr/^function \Q$function\E of role "mallory" may not run with the rights of role "$owner"$/,
        detail   => qr/runs as the table's owner/,
        hint     => qr/named with their schema/,
    };
};
my $domain = 'CREATE DOMAIN pg_temp.positive AS int CHECK (mal.is_fine(VALUE));';
session($node, 'by_domain', "$domain $binary", user => 'mallory');
is_harmless('by_domain', 'a domain in the temporary schema');
session($node, 'by_domain', "$domain SELECT 1::pg_temp.positive; BEGIN; SELECT 1::pg_temp.positive; $binary COMMIT;", user => 'mallory');
is_harmless('by_domain', 'a domain in the temporary schema, checked before');

# A plpgsql function keeps what its declarations meant when the session called it first, with the caller's search_path.
lair('by_declaration', q{
    CREATE EXTENSION socketio_emitter;
    CREATE DOMAIN public.positive AS int CHECK (VALUE > 0);
    CREATE FUNCTION public.measured(payload bytea) RETURNS int LANGUAGE plpgsql AS $$
    DECLARE
        size positive := 1;
    BEGIN
        size := pg_catalog.octet_length(payload);
        RETURN size;
    END$$;
    CREATE FUNCTION public.measure() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM public.measured(NEW.payload);
        RETURN NEW;
    END$$;
    CREATE TRIGGER measure BEFORE INSERT ON socket_io_attachments FOR EACH ROW EXECUTE FUNCTION measure();
    SET ROLE mallory;
    CREATE DOMAIN mal.positive AS int CHECK (mal.is_fine(VALUE));
});
my $called_before = q{SELECT public.measured('\x00');};
session($node, 'by_declaration', "$path $called_before $binary", user => 'mallory');
is_harmless('by_declaration', 'a function compiled with the caller\'s search_path');
session($node, 'by_declaration', "$path BEGIN; $called_before $binary COMMIT;", user => 'mallory');
is_harmless('by_declaration', 'a function compiled with the caller\'s search_path, in the same transaction');
is_clean(session($node, 'by_declaration', "$path $binary $called_before", user => 'mallory'), 'a function compiled with the owner\'s search_path');

# Functions that call what they find, in a CHECK, a DEFAULT, a generated column, an index and a view of the application's.
lair('by_check', q{
    GRANT CREATE ON SCHEMA public TO application;
    CREATE SCHEMA app AUTHORIZATION application;
    GRANT USAGE ON SCHEMA app TO PUBLIC;
    SET ROLE application;
    CREATE FUNCTION app.is_small(b bytea) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
    BEGIN RETURN octet_length(b) < 100000; END$$;
    CREATE FUNCTION app.size(b bytea) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT octet_length(b)';
    CREATE FUNCTION app.next() RETURNS int LANGUAGE plpgsql AS $$BEGIN RETURN octet_length('ab'::bytea); END$$;
    CREATE TABLE app.checked (id bigserial, created_at timestamptz, payload bytea CHECK (app.is_small(payload)));
    CREATE TABLE app.defaulted (id bigserial, created_at timestamptz, payload bytea, n int DEFAULT app.next());
    CREATE TABLE app.generated (id bigserial, created_at timestamptz, payload bytea, n int GENERATED ALWAYS AS (app.size(payload)) STORED);
    CREATE TABLE app.indexed (id bigserial, created_at timestamptz, payload bytea);
    CREATE INDEX ON app.indexed (app.size(payload));
    CREATE VIEW app.viewed AS SELECT id, created_at, payload FROM app.checked WHERE app.is_small(payload) WITH CHECK OPTION;
    ALTER VIEW app.viewed ALTER id SET DEFAULT 1;
    CREATE DOMAIN app.bytes AS bytea CHECK (app.is_small(VALUE));
    CREATE TABLE app.domained (id bigserial, created_at timestamptz, payload app.bytes);
    GRANT ALL ON ALL TABLES IN SCHEMA app TO PUBLIC;
    GRANT ALL ON ALL SEQUENCES IN SCHEMA app TO PUBLIC;
    RESET ROLE;
    CREATE EXTENSION socketio_emitter;
});
for my $table (qw(checked defaulted generated indexed viewed domained))
{
    is_emitted(session($node, 'by_check', "$path SET socketio_emitter.attachment_table = 'app.$table'; SELECT public.socketio_emit(event => 'e', args => to_jsonb(repeat('x', 9000)));", user => 'mallory'),
        [ [ 'e', 'x' x 9000 ] ], "an application's table, $table", table => "app.$table");
    is_harmless('by_check', "an application's table, $table");
}

# A function of mallory's that the owner's code names, by accident or because mallory made the trigger.
for my $function (qw(check_size small))
{
    my $database = "named_$function";
    lair($database, "CREATE EXTENSION socketio_emitter; ALTER TABLE socket_io_attachments ADD CHECK (mal.$function(payload))");
    is_refused(session($node, $database, $binary, user => 'mallory'), $strange->("mal.$function(bytea)", '\w+'), "a function of mallory's, $function");
    is_harmless($database, "a function of mallory's, $function");
}

# TRIGGER on the extension's table, held by somebody else.
lair('granted', 'CREATE EXTENSION socketio_emitter; GRANT TRIGGER ON socket_io_attachments TO mallory;');
is_clean(session($node, 'granted', $binary, user => 'mallory'), 'TRIGGER, unused');
is_clean(session($node, 'granted', 'CREATE TRIGGER fire BEFORE INSERT ON socket_io_attachments FOR EACH ROW EXECUTE FUNCTION mal.fire()', user => 'mallory'),
    'TRIGGER, used');
my $triggers = {
    sqlstate => '42501',
    message  => qr/^role "mallory" may create triggers on attachment table "socket_io_attachments"$/,
    detail   => qr/run with the rights of role/,
    hint     => qr/^REVOKE TRIGGER on table "socket_io_attachments"/,
};
is_refused(session($node, 'granted', $binary, user => $_), $triggers, 'TRIGGER, used, emitted by ' . ($_ // 'a superuser')) for 'mallory', undef;
is_harmless('granted', 'TRIGGER, used');
$node->safe_psql('granted', 'REVOKE TRIGGER ON socket_io_attachments FROM mallory');
is_refused(session($node, 'granted', $binary, user => $_), $strange->('mal.fire()', '\w+'), 'TRIGGER, taken away, emitted by ' . ($_ // 'a superuser')) for 'mallory', undef;
is_harmless('granted', 'TRIGGER, taken away');
$node->safe_psql('granted', 'DROP TRIGGER fire ON socket_io_attachments');
is_clean(session($node, 'granted', $binary, user => 'mallory'), 'the hints followed to their end');

# Code of those who have the owner's rights anyway may run, and so may what brings rights of its own.
lair('friends', q{
    CREATE EXTENSION socketio_emitter;
    ALTER TABLE socket_io_attachments OWNER TO application;
    GRANT CREATE ON SCHEMA public TO deployer, helper;
    SET ROLE deployer;
    CREATE FUNCTION public.by_member() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO public.ran VALUES (current_user); RETURN NEW; END$$;
    RESET ROLE;
    SET ROLE helper;
    CREATE FUNCTION public.twice(int) RETURNS int LANGUAGE sql AS 'SELECT $1 * 2';
    CREATE FUNCTION public.by_helper() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
    BEGIN INSERT INTO public.ran VALUES (current_user::text || public.twice(1)); RETURN NEW; END$$;
    RESET ROLE;
    CREATE TRIGGER a BEFORE INSERT ON socket_io_attachments FOR EACH ROW EXECUTE FUNCTION public.by_member();
    CREATE TRIGGER b BEFORE INSERT ON socket_io_attachments FOR EACH ROW EXECUTE FUNCTION public.by_helper();
});
is_clean(session($node, 'friends', $binary, user => 'mallory'), 'code of friends');
is($node->safe_psql('friends', 'SELECT string_agg(ran_as, $$,$$) FROM ran'), 'application,helper2', 'code of friends: it ran, as whom it should');

# A deferred trigger cannot wait for the end of the transaction, when the caller's search_path is back.
lair('deferred', q{
    CREATE EXTENSION socketio_emitter;
    CREATE FUNCTION public.measure() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM octet_length(NEW.payload); RETURN NEW; END$$;
    CREATE CONSTRAINT TRIGGER measure AFTER INSERT ON socket_io_attachments DEFERRABLE FOR EACH ROW EXECUTE FUNCTION measure();
});
session($node, 'deferred', "$path BEGIN; SET CONSTRAINTS ALL DEFERRED; $binary COMMIT;", user => 'mallory');
is_harmless('deferred', 'a trigger that the caller defers');
is_clean(session($node, 'deferred', "$path $binary", user => 'mallory'), 'a trigger that could be deferred');
is_harmless('deferred', 'a trigger that could be deferred');

# What code on a table sets ends with it: here mallory's, under a function with the rights of a superuser that emits.
lair('settings', q{
    CREATE EXTENSION socketio_emitter;
    CREATE FUNCTION public.tell(b bytea) RETURNS int LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    BEGIN
        PERFORM socketio_emit_values(NULL, 'told', b);
        RETURN octet_length(b);
    END$$;
    SET ROLE mallory;
    CREATE TABLE mal.files (id bigserial, created_at timestamptz, payload bytea);
    GRANT ALL ON mal.files TO PUBLIC;
    GRANT ALL ON SEQUENCE mal.files_id_seq TO PUBLIC;
    CREATE FUNCTION mal.lead_astray() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM set_config('search_path', 'mal, pg_catalog, public', current_setting('app.local', true) = 'on');
        PERFORM set_config('socketio_emitter.channel_prefix', 'astray', false);
        RETURN NEW;
    END$$;
    CREATE TRIGGER lead_astray BEFORE INSERT ON mal.files FOR EACH ROW EXECUTE FUNCTION mal.lead_astray();
});
for my $local ('on', 'off')
{
    $session = session($node, 'settings', qq{SET app.local = '$local'; SET socketio_emitter.attachment_table = 'mal.files';
        SELECT public.tell('\\x0102'); SHOW search_path; SHOW socketio_emitter.channel_prefix;}, user => 'mallory');
    is_clean($session, "settings of code on a table, local $local");
    is_deeply($session->{rows}, [ '2', '"$user", public', 'socket.io' ], "settings of code on a table, local $local: they end with it");
    is_harmless('settings', "settings of code on a table, local $local");
}

# Answers are read from a view with the rights of its owner. Its functions are stored as they were found, but what they call is not.
lair('answers', q{
    CREATE EXTENSION socketio_emitter;
    CREATE SCHEMA app;
    GRANT USAGE ON SCHEMA app TO PUBLIC;
    CREATE FUNCTION app.shown(b bytea) RETURNS bytea LANGUAGE plpgsql AS $$BEGIN PERFORM octet_length(b); RETURN b; END$$;
    CREATE VIEW app.answers AS SELECT id, created_at, app.shown(payload) AS payload FROM public.socket_io_attachments;
    GRANT SELECT ON app.answers TO PUBLIC;
    GRANT EXECUTE ON FUNCTION socketio_fetch_sockets(text, text[], text[], interval) TO mallory;
});
my $server = start_server($node, 'answers', 'a', sockets => [ { id => 's', rooms => ['s'] } ], attaches => 1);
my $fetch = q{SELECT id FROM public.socketio_fetch_sockets();};
is_answered(ask($node, 'answers', "$path SET socketio_emitter.attachment_table = 'app.answers'; $fetch", user => 'mallory'), ['s'], 'an answer in a view');
is_harmless('answers', 'an answer in a view');
$node->safe_psql('answers', q{CREATE OR REPLACE VIEW app.answers AS SELECT id, created_at, app.shown(payload) AS payload FROM public.socket_io_attachments WHERE mal.check_size(payload)});
is_refused(ask($node, 'answers', "SET socketio_emitter.attachment_table = 'app.answers'; $fetch", user => 'mallory'), $strange->('mal.check_size(bytea)', '\w+'), 'an answer in a view with a function of mallory\'s');
is_harmless('answers', 'an answer in a view with a function of mallory\'s');
stop_server($server);

server_is_sound($node);
done_testing();
