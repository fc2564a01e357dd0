# A role without superuser rights creates the extension in its own database: the table is its own, and every role
# can emit through it without rights on it, without becoming anyone else.

use strict;
use warnings;

use EmitterTest;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_cluster('main');
$node->safe_psql('postgres', q{
    CREATE ROLE owner LOGIN;
    CREATE ROLE client LOGIN;
    CREATE ROLE "Dr. O'Wner" LOGIN;
    CREATE DATABASE owned OWNER owner;
    CREATE DATABASE quoted OWNER "Dr. O'Wner";
    CREATE DATABASE not_owned;
});

my $emits = q{
    SELECT socketio_emit(event => 'small', args => '1');
    SELECT socketio_emit(event => 'large', args => to_jsonb(repeat('x', 9000)));
};
my $emitted = [ [ 'small', 1 ], [ 'large', 'x' x 9000 ] ];

# Who may create it.
is_refused(session($node, 'not_owned', 'CREATE EXTENSION socketio_emitter', user => 'owner'),
    { sqlstate => '42501', hint => qr/CREATE privilege on (?:the )?current database/ }, 'in another\'s database');
is_clean(session($node, 'owned', 'CREATE SCHEMA events; CREATE EXTENSION socketio_emitter SCHEMA events;'
          . 'ALTER DATABASE owned SET search_path = public, events; GRANT USAGE ON SCHEMA events TO client', user => 'owner'),
    'the owner of a database creates the extension');
is($node->safe_psql('owned', q{
        SELECT relkind, relname, pg_get_userbyid(relowner), relpersistence FROM pg_class
        WHERE relname ~ '^socket_io_att' AND relkind IN ('r', 'S') ORDER BY relkind}),
    "S|socket_io_attachments_id_seq|owner|u\nr|socket_io_attachments|owner|u", 'the owner owns table and sequence');
is($node->safe_psql('owned', 'SELECT pg_get_userbyid(extowner) FROM pg_extension WHERE extname ~ $$^socketio$$'), 'owner',
    'the owner owns the extension');

# The owner can do with the table what servers have to: look and delete.
is_emitted(session($node, 'owned', $emits, user => 'owner'), $emitted, 'the owner emits', table => 'events.socket_io_attachments');
my $session = session($node, 'owned', q{
    SELECT count(*) FROM socket_io_attachments;
    DELETE FROM socket_io_attachments;
    GRANT SELECT, DELETE ON socket_io_attachments TO client;
    REVOKE ALL ON socket_io_attachments FROM client;
}, user => 'owner');
is_clean($session, 'the owner manages the table');
is_deeply($session->{rows}, ['1'], 'the owner sees the row');

# Another role has no rights on the table and needs none.
is_refused(session($node, 'owned', 'TABLE socket_io_attachments', user => 'client'), { sqlstate => '42501' },
    'another role cannot read the table');
is_refused(session($node, 'owned', q{INSERT INTO socket_io_attachments (payload) VALUES ('x')}, user => 'client'),
    { sqlstate => '42501' }, 'another role cannot insert into it');
is_emitted(session($node, 'owned', $emits, user => 'client'), $emitted, 'another role emits', table => 'events.socket_io_attachments');

# It stays who it is: after an emit, after one that failed, and where an exception was caught.
my $who = 'SELECT current_user, session_user;';
$session = session($node, 'owned', qq{
    $who
    $emits
    $who
    TABLE socket_io_attachments;
    BEGIN;
    $emits
    $who
    SAVEPOINT s;
    SELECT socketio_emit_values(NULL, 'failing', '\\x00'::bytea, 1 / (random() * 0)::int);
    ROLLBACK TO s;
    $who
    COMMIT;
    SET SESSION AUTHORIZATION DEFAULT;
    SET ROLE client;
    $who
}, user => 'client');
is_deeply([ map { $_->{sqlstate} } @{ $session->{errors} } ], [ '42501', '22012' ],
    'a client stays a client: it cannot read the table after an emit either');
is_deeply($session->{rows}, [ ('client|client') x 5 ], 'a client stays a client');

# Errors in the middle of the insertion, where the owner's rights are in force: a trigger of the owner's fails.
$node->safe_psql('owned', q{
    CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN RAISE EXCEPTION 'refused to %', current_user USING ERRCODE = 'U0001'; END$$;
    CREATE TRIGGER refuse BEFORE INSERT ON socket_io_attachments FOR EACH ROW EXECUTE FUNCTION public.refuse();
}, extra_params => [ '-U', 'owner' ]);
my $large = q{SELECT socketio_emit(event => 'large', args => to_jsonb(repeat('x', 9000)));};
$session = session($node, 'owned', qq{
    $large
    $who
    BEGIN;
    SAVEPOINT s;
    $large
    ROLLBACK TO s;
    $who
    COMMIT;
    DO \$\$
    BEGIN
        FOR i IN 1 .. 3 LOOP
            BEGIN
                PERFORM socketio_emit(event => 'large', args => to_jsonb(repeat('x', 9000)));
            EXCEPTION WHEN SQLSTATE 'U0001' THEN
                PERFORM socketio_emit(event => 'caught', args => to_jsonb(ARRAY[sqlerrm, current_user]));
            END;
        END LOOP;
    END\$\$;
    $who
    TABLE socket_io_attachments;
}, user => 'client');
is_deeply(errors($session),
    [ ('U0001 refused to owner') x 2, '42501 permission denied for table socket_io_attachments' ],
    'errors inside the insertion come from under the owner\'s rights');
is_deeply($session->{rows}, [ ('client|client') x 3 ], 'after errors inside the insertion a client is a client');
is_deeply(events($session), [ ([ 'caught', 'refused to owner', 'client' ]) x 3 ], 'in the exception handler a client is a client');

# Code of the owner's that runs inside the insertion cannot take the client's rights up again, nor a superuser's.
$node->safe_psql('owned', q{
    CREATE OR REPLACE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN EXECUTE 'RESET ROLE'; EXECUTE 'SET ROLE client'; RETURN NEW; END$$;
}, extra_params => [ '-U', 'owner' ]);
for my $user ('client', undef)
{
    is_refused(session($node, 'owned', $large, user => $user), { sqlstate => '42501', message => qr/cannot set parameter "role"/ },
        'a trigger of the owner\'s cannot change roles, emitted by ' . ($user // 'a superuser'));
}
# Nor can code that waits for the end of the transaction, when the owner's rights are no longer in force.
$node->safe_psql('owned', q{
    DROP TRIGGER refuse ON socket_io_attachments;
    CREATE TABLE events.ran (ran_as name);
    GRANT INSERT ON events.ran TO PUBLIC;
    CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN INSERT INTO events.ran VALUES (current_user); RETURN NULL; END$$;
    CREATE CONSTRAINT TRIGGER late AFTER INSERT ON socket_io_attachments DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION public.note();
}, extra_params => [ '-U', 'owner' ]);
session($node, 'owned', $large);
session($node, 'owned', $large, user => 'client');
like($node->safe_psql('owned', q{SELECT string_agg(DISTINCT ran_as, ',') FROM ran}), qr/^(?:owner)?$/,
    'a deferred trigger of the owner\'s runs as nobody else');
$node->safe_psql('owned', 'DROP TRIGGER late ON socket_io_attachments', extra_params => [ '-U', 'owner' ]);

# SECURITY DEFINER, SET ROLE and a role that is not the session's.
$session = session($node, 'owned', qq{SET ROLE client; $emits SELECT current_user; RESET ROLE; SELECT current_user = session_user});
is_emitted($session, $emitted, 'under SET ROLE', table => 'events.socket_io_attachments');
is_deeply($session->{rows}, [ 'client', 't' ], 'under SET ROLE: the role stays');

# Controlling sockets is for those it is granted to. Who created the extension is the one to grant it: on a hosted server
# there may be nobody else.
my $disconnect = q{SELECT socketio_disconnect_sockets(rooms => '{a}');};
is_refused(session($node, 'owned', $disconnect, user => 'client'),
    { sqlstate => '42501', message => qr/permission denied for function socketio_disconnect_sockets/ }, 'a client disconnects nobody');
is_clean(session($node, 'owned', $disconnect, user => 'owner'), 'the owner disconnects sockets');
is_clean(session($node, 'owned', 'GRANT EXECUTE ON FUNCTION '
          . 'events.socketio_disconnect_sockets(text, text[], text[], boolean) TO client', user => 'owner'),
    'the owner grants it to a client');
$session = session($node, 'owned', $disconnect, user => 'client');
is_clean($session, 'a client that was granted it disconnects sockets');
is_deeply($session->{notifications}[0]{message}{data},
    { opts => { rooms => ['a'], except => [], flags => {} }, close => JSON::PP::false },
    'a client that was granted it disconnects sockets: the message');

# The table's owner changes: emits go in with the new one's rights.
$node->safe_psql('owned', 'ALTER TABLE events.socket_io_attachments OWNER TO client; GRANT USAGE ON SCHEMA events TO owner');
is_emitted(session($node, 'owned', $emits, user => 'owner'), $emitted, 'after a change of owner', table => 'events.socket_io_attachments');

# Names that need quotes.
is_clean(session($node, 'quoted', 'CREATE SCHEMA "of Dr. ""O"""; CREATE EXTENSION socketio_emitter SCHEMA "of Dr. ""O"""; '
          . 'GRANT USAGE ON SCHEMA "of Dr. ""O""" TO PUBLIC', user => q{Dr. O'Wner}), 'names that need quotes: created');
is_emitted(session($node, 'quoted', qq{SET search_path = "of Dr. ""O"""; $emits}, user => 'client'), $emitted,
    'names that need quotes: emits', table => '"of Dr. ""O""".socket_io_attachments');

# The script runs as a superuser in a schema that others may have put functions into.
create_database($node, 'prepared', 'ALTER DATABASE prepared OWNER TO owner');
is_clean(session($node, 'prepared', q{
    CREATE SCHEMA prepared;
    CREATE FUNCTION prepared.socketio_grant_to_extension_owner(text) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN EXECUTE 'ALTER ROLE owner SUPERUSER'; END$$;
    CREATE EXTENSION socketio_emitter SCHEMA prepared;
}, user => 'owner'), 'a function made beforehand: created');
is($node->safe_psql('prepared', 'SELECT rolsuper FROM pg_roles WHERE rolname = $$owner$$'), 'f', 'a function made beforehand: was not called');

server_is_sound($node);
done_testing();
