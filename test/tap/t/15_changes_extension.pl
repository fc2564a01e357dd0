# Watches and the life of the extension: it is not dropped while triggers call it, moves to another schema under them, and
# its event trigger checks the options of a trigger that is made, and keeps out of everything else.

use strict;
use warnings;

use EmitterTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_cluster('main');
$node->safe_psql('postgres', 'CREATE ROLE owner LOGIN; CREATE ROLE application LOGIN;');

my $watched = q{
    CREATE EXTENSION socketio_emitter;
    CREATE TABLE a (id int PRIMARY KEY, t text);
    CREATE TABLE b (id int PRIMARY KEY, t text);
    CREATE TABLE c (id int PRIMARY KEY, t text) PARTITION BY RANGE (id);
    CREATE TABLE c_all PARTITION OF c DEFAULT;
    SELECT socketio_watch('a', 'payload=keys');
    SELECT socketio_watch_statement('b', 'payload=keys');
    CREATE TRIGGER by_hand AFTER INSERT ON c FOR EACH ROW EXECUTE FUNCTION socketio_emit_changes('payload=keys');
};
my $writes = 'INSERT INTO a VALUES (%1$s); INSERT INTO b VALUES (%1$s); INSERT INTO c VALUES (%1$s);';
my @tables = ('a', 'b', 'c');

sub arrives
{
    return [ map { my $id = $_; ([ 'a:insert', { id => $id } ], [ 'b:insert', { count => 1, keys => [ { id => $id } ] } ], [ 'c:insert', { id => $id } ]) } @_ ];
}

sub write_rows
{
    return join '', map { sprintf $writes, $_ } @_;
}

my $triggers = 'SELECT tgrelid::regclass, tgname FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2';

# DROP EXTENSION
create_database($node, 'dropped', $watched);
my $before = $node->safe_psql('dropped', $triggers);
my $refused = session($node, 'dropped', 'DROP EXTENSION socketio_emitter;' . write_rows(1));
is_refused($refused, {
        sqlstate => '2BP01',
        message  => qr/cannot drop extension socketio_emitter because other objects depend on it/,
        detail   => qr/trigger socketio_watch on table a depends on function socketio_emit_changes\(\)/,
        hint     => qr/CASCADE/,
    }, 'DROP EXTENSION with watched tables');
is_deeply(events($refused), arrives(1), 'DROP EXTENSION with watched tables: the watches work on');
is($node->safe_psql('dropped', $triggers), $before, 'DROP EXTENSION with watched tables: the triggers are there');

is_refused(session($node, 'dropped', 'DROP FUNCTION socketio_emit_changes() CASCADE'),
    { sqlstate => '2BP01', message => qr/extension socketio_emitter requires it/ }, 'DROP FUNCTION of a part of the extension');
is_refused(session($node, 'dropped', 'DROP EVENT TRIGGER socketio_emitter_check_trigger'),
    { sqlstate => '2BP01', message => qr/extension socketio_emitter requires it/ }, 'DROP EVENT TRIGGER of a part of the extension');

# In one session that has used it: the triggers go, the tables and their rows stay, and can be watched again.
my $session = session($node, 'dropped', write_rows(2) . 'DROP EXTENSION socketio_emitter CASCADE;' . write_rows(3) . "$triggers;"
      . 'SELECT count(*) FROM pg_event_trigger; CREATE EXTENSION socketio_emitter;' . write_rows(4)
      . q{SELECT socketio_watch('a', 'payload=keys'); SELECT socketio_watch_statement('b', 'payload=keys');}
      . q{SELECT socketio_watch('c', 'payload=keys');} . write_rows(5));
is_emitted($session, arrives(2, 5), 'DROP EXTENSION CASCADE in mid-session');
is_deeply($session->{rows}, ['0'], 'DROP EXTENSION CASCADE: no trigger is left, and no event trigger');
is($node->safe_psql('dropped', "SELECT count(*) FROM $_"), '5', "DROP EXTENSION CASCADE: the rows of $_ are there") for @tables;

# A watched table is dropped like any other, also while its deferred events wait.
is_emitted(session($node, 'dropped', 'DROP TABLE b; DROP TABLE a; DROP TABLE c;'), [], 'DROP TABLE of watched tables');

# ALTER EXTENSION SET SCHEMA
create_database($node, 'moved', "$watched CREATE SCHEMA elsewhere;");
my $other = $node->background_psql('moved');
$other->query_safe('LISTEN "socket.io#/"');
$other->query_safe(write_rows(1));
$session = session($node, 'moved', 'PREPARE into_a AS INSERT INTO a VALUES ($1); EXECUTE into_a(2);' . (sprintf 'INSERT INTO b VALUES (%1$s); INSERT INTO c VALUES (%1$s);', 2)
      . 'ALTER EXTENSION socketio_emitter SET SCHEMA elsewhere;'
      . 'EXECUTE into_a(3);' . (sprintf 'INSERT INTO b VALUES (%1$s); INSERT INTO c VALUES (%1$s);', 3)
      . 'SET search_path = elsewhere, public;'
      . q{SELECT "table", trigger, level FROM socketio_watches ORDER BY 1, 2;}
      . q{SET search_path = public; SELECT elsewhere.socketio_unwatch('a'); SELECT elsewhere.socketio_unwatch('b');}
      . q{SELECT elsewhere.socketio_watch_statement('b', 'payload=keys'); SELECT elsewhere.socketio_watch('a', 'payload=keys');}
      . write_rows(4));
is_emitted($session, arrives(2, 3, 4), 'SET SCHEMA of the extension');
is_deeply($session->{rows}, [
        'a|socketio_watch|row', 'a|socketio_watch_truncate|statement', (map { "b|socketio_watch_$_|statement" } qw(delete insert truncate update)), 'c|by_hand|row'
    ], 'SET SCHEMA of the extension: the view shows the watches');
my $heard = {};
EmitterTest::read_output($heard, $other->query_safe(write_rows(5)));
is_deeply([ @{ events($heard) }[ -3 .. -1 ] ], arrives(5), 'SET SCHEMA of the extension: another session goes on');
$other->quit;
is_refused(session($node, 'moved', 'CREATE TRIGGER t AFTER INSERT ON a FOR EACH ROW EXECUTE FUNCTION elsewhere.socketio_emit_changes($$rooms={none}$$)'),
    { sqlstate => '42703', message => qr/^option "rooms" of trigger "t" on table "a" names column "none"/ }, 'SET SCHEMA of the extension: options are checked still');

# The event trigger. An ordinary user's database, extension and all.
$node->safe_psql('postgres', 'CREATE DATABASE owned OWNER owner');
$node->safe_psql('owned', 'CREATE EXTENSION socketio_emitter; CREATE SCHEMA work; GRANT ALL ON SCHEMA work TO application', extra_params => [ '-U', 'owner' ]);
my $in_work = 'SET search_path = work, public;';
my $ordinary = q{
    CREATE TABLE t (id int PRIMARY KEY, a text);
    CREATE FUNCTION other() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$;
    CREATE TRIGGER early BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION other('rooms={none}', 'nonsense');
    CREATE TRIGGER late AFTER INSERT OR DELETE ON t FOR EACH STATEMENT EXECUTE FUNCTION other();
    CREATE OR REPLACE TRIGGER late AFTER INSERT ON t REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION other();
    CREATE CONSTRAINT TRIGGER checked AFTER INSERT ON t DEFERRABLE FOR EACH ROW EXECUTE FUNCTION other();
    CREATE TRIGGER unchanged BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
    CREATE TABLE child (id int REFERENCES t, UNIQUE (id) DEFERRABLE);
    CREATE INDEX ON t (a);
    CREATE VIEW v AS SELECT * FROM t;
    CREATE RULE r AS ON INSERT TO v DO INSTEAD INSERT INTO t VALUES (NEW.*);
    CREATE TEMP TABLE passing (id int);
    CREATE TRIGGER passing AFTER INSERT ON passing FOR EACH ROW EXECUTE FUNCTION other();
    ALTER TRIGGER early ON t RENAME TO earlier;
    ALTER TABLE t DISABLE TRIGGER earlier;
    INSERT INTO v VALUES (1, 'x');
    DROP TRIGGER earlier ON t;
    DROP TABLE t, child CASCADE;
    DROP FUNCTION other CASCADE;
};
is_emitted(session($node, 'owned', $in_work . $ordinary, user => 'application'), [], 'DDL of an ordinary user, who has nothing to do with the extension');
$session = session($node, 'owned', $in_work . q{
    CREATE TABLE t (id int PRIMARY KEY, a text);
    CREATE TRIGGER mine AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION socketio_emit_changes('rooms=room {id}', 'payload=record');
    INSERT INTO t VALUES (1, 'x');
    DO $$BEGIN
        EXECUTE 'CREATE TRIGGER "of a block" AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION socketio_emit_changes()';
    END$$;
}, user => 'application');
is_emitted($session, [ [ 't:insert', { id => 1, a => 'x' } ] ], 'the owner of a table makes a trigger');

# Nor does it matter to those who make triggers of their own whether they see the extension's schema.
create_database($node, 'hidden', 'CREATE SCHEMA emitter; CREATE EXTENSION socketio_emitter SCHEMA emitter; CREATE SCHEMA work AUTHORIZATION application');
is_emitted(session($node, 'hidden', 'SET search_path = work;' . $ordinary, user => 'application'), [], 'DDL of a user who does not see the extension\'s schema');
is_refused(session($node, 'hidden', 'CREATE TABLE work.t (id int); CREATE TRIGGER x AFTER INSERT ON work.t FOR EACH ROW EXECUTE FUNCTION emitter.socketio_emit_changes(); DROP TABLE work.t', user => 'application'),
    { sqlstate => '42501', message => qr/permission denied for schema emitter/ }, 'a trigger of a user who does not see the extension\'s schema');

# A list that is broken is refused when the trigger is made, by whatever command makes one; each in a session that has never
# loaded the library.
my $option = sub { qr/^option "$_[0]" of trigger "the broken" on table "t" / };
my %broken = (
    'an unknown key'      => [ 'AFTER INSERT ON t FOR EACH ROW',       q('room=a'),             '22023', $option->('room') ],
    'an unknown column'   => [ 'AFTER INSERT ON t FOR EACH ROW',       q('rooms=a, b:{none}'),  '42703', $option->('rooms') ],
    'an unknown payload'  => [ 'AFTER INSERT ON t FOR EACH ROW',       q('payload=everything'), '22023', $option->('payload') ],
    'a brace too many'    => [ 'AFTER INSERT ON t FOR EACH ROW',       q('event=a}'),           '22023', $option->('event') ],
    'a column in nsp'     => [ 'AFTER INSERT ON t FOR EACH ROW',       q('nsp=/{id}'),          '22023', $option->('nsp') ],
    'before the row'      => [ 'BEFORE INSERT ON t FOR EACH ROW',      q('rooms=a'),            '39P01', qr/"the broken" on table "t"/ ],
    'no transition table' => [ 'AFTER INSERT ON t FOR EACH STATEMENT', q('rooms=a'),            '39P01', qr/"the broken" on table "t"/ ],
);
for my $what (sort keys %broken)
{
    my ($when, $options, $sqlstate, $message) = @{ $broken{$what} };
    for my $made (
        "CREATE TRIGGER \"the broken\" $when EXECUTE FUNCTION socketio_emit_changes($options)",
        "CREATE OR REPLACE TRIGGER \"the broken\" $when EXECUTE FUNCTION socketio_emit_changes($options)",
        "DO \$do\$BEGIN EXECUTE \$x\$CREATE TRIGGER \"the broken\" $when EXECUTE FUNCTION socketio_emit_changes($options)\$x\$; END\$do\$",
      )
    {
        my ($way) = $made =~ /^(CREATE(?: OR REPLACE)? TRIGGER|DO)/;
        my $broken = session($node, 'owned', "$in_work $made; SELECT count(*) FROM pg_trigger WHERE tgname = 'the broken';"
              . "INSERT INTO t VALUES (2, 'y'); DELETE FROM t WHERE id = 2;", user => 'application');
        is_refused($broken, { sqlstate => $sqlstate, message => $message }, "$what, $way");
        is_deeply($broken->{rows}, ['0'], "$what, $way: there is no such trigger");
        is_deeply(events($broken), [ [ 't:insert', { id => 2, a => 'y' } ] ], "$what, $way: the session goes on");
    }
}
# Undone in a savepoint, the transaction goes on.
$session = session($node, 'owned', $in_work . q{
    BEGIN;
    INSERT INTO t VALUES (3, 'kept');
    SAVEPOINT s;
    CREATE TRIGGER "the broken" AFTER DELETE ON t FOR EACH ROW EXECUTE FUNCTION socketio_emit_changes('payload');
    ROLLBACK TO s;
    CREATE TRIGGER "the whole" AFTER DELETE ON t FOR EACH ROW EXECUTE FUNCTION socketio_emit_changes('payload=keys');
    DELETE FROM t WHERE id = 3;
    COMMIT;
}, user => 'application');
is(scalar @{ $session->{errors} }, 1, 'a broken list in a savepoint: one error');
is_deeply(events($session), [ [ 't:insert', { id => 3, a => 'kept' } ], [ 't:delete', { id => 3 } ] ], 'a broken list in a savepoint: the transaction goes on');

# Inside of CREATE SCHEMA as well.
is_refused(session($node, 'owned', 'CREATE SCHEMA made CREATE TABLE unseen (id int) CREATE TRIGGER "the broken" AFTER INSERT ON unseen FOR EACH ROW '
          . "EXECUTE FUNCTION public.socketio_emit_changes('rooms={none}')"),
    { sqlstate => '42703', message => qr/^option "rooms" of trigger "the broken" on table "unseen" names column "none"/ }, 'CREATE SCHEMA');
is($node->safe_psql('owned', q{SELECT count(*) FROM pg_namespace WHERE nspname = 'made'}), '0', 'CREATE SCHEMA: there is no such schema');

# A trigger made while event triggers are off is refused when it fires.
{
    my $broken = session($node, 'owned', q{
        CREATE TABLE unseen (id int);
        SET session_replication_role = replica;
        CREATE TRIGGER "the broken" AFTER INSERT ON unseen FOR EACH ROW EXECUTE FUNCTION public.socketio_emit_changes('rooms={none}');
        RESET session_replication_role;
        INSERT INTO unseen VALUES (1);
        SELECT count(*) FROM unseen;
        DROP TABLE unseen;
    });
    is_refused($broken, { sqlstate => '42703', message => qr/^option "rooms" of trigger "the broken" on table "unseen" names column "none"/ }, 'not seen when it was made: refused when it fires');
    is_deeply($broken->{rows}, ['0'], 'not seen when it was made: the row is not in');
}

# Names of the server's that somebody has put in front of it.
$session = session($node, 'owned', q{
    CREATE SCHEMA shadows;
    CREATE FUNCTION shadows.pg_event_trigger_ddl_commands() RETURNS TABLE (classid oid, objid oid, objsubid int, command_tag text) LANGUAGE plpgsql AS
        $$BEGIN RAISE EXCEPTION 'shadow'; END$$;
    CREATE FUNCTION shadows.format(text, VARIADIC text[]) RETURNS text LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'shadow'; END$$;
    CREATE FUNCTION shadows.quote_ident(text) RETURNS text LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'shadow'; END$$;
    CREATE FUNCTION shadows.quote_literal(text) RETURNS text LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'shadow'; END$$;
    CREATE FUNCTION shadows.same(oid, oid) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'shadow'; END$$;
    CREATE OPERATOR shadows.= (FUNCTION = shadows.same, LEFTARG = oid, RIGHTARG = oid);
    CREATE FUNCTION shadows.same(name, text) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'shadow'; END$$;
    CREATE OPERATOR shadows.= (FUNCTION = shadows.same, LEFTARG = name, RIGHTARG = text);
    CREATE FUNCTION shadows.joined(text, text) RETURNS text LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'shadow'; END$$;
    CREATE OPERATOR shadows.|| (FUNCTION = shadows.joined, LEFTARG = text, RIGHTARG = text);
    CREATE TABLE shadows.pg_trigger (tgname name);
    CREATE TABLE shadows.pg_class (relname name);
    CREATE FUNCTION shadows.socketio_emit_changes() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'shadow'; END$$;
    SET search_path = shadows, work, public, pg_catalog;
    CREATE TABLE work.deceived (id int PRIMARY KEY, a text);
    SELECT public.socketio_watch('work.deceived', 'rooms=a');
    SELECT public.socketio_watch_statement('work.deceived', 'rooms=a', 'payload=keys');
    INSERT INTO work.deceived VALUES (1, 'x');
    CREATE TABLE selected AS SELECT trigger FROM public.socketio_watches;
    SELECT public.socketio_unwatch('work.deceived');
    INSERT INTO work.deceived VALUES (2, 'x');
});
is_emitted($session, [ [ 'deceived:insert', { count => 1, keys => [ { id => 1 } ] } ] ], 'names of the server\'s in other schemas');

# Switched off or gone with the rest, it is missed by nothing but the check.
$session = session($node, 'owned', $in_work . q{
    ALTER EVENT TRIGGER socketio_emitter_check_trigger DISABLE;
    CREATE TRIGGER "the broken" AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION socketio_emit_changes('rooms={none}');
    UPDATE t SET a = 'z';
    ALTER EVENT TRIGGER socketio_emitter_check_trigger ENABLE;
    DROP TRIGGER "the broken" ON t;
});
is(scalar @{ $session->{errors} }, 1, 'event trigger switched off: refused when it fires') or diag explain $session->{errors};

server_is_sound($node);
done_testing();
