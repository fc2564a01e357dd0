# Who may ask the cluster, and with whose rights answers are read: handshakes hold cookies, so it is for those it was granted to,
# whatever role they are in at that moment.

use strict;
use warnings;

use AskTest;
use EmitterTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_ask_cluster('main');
$node->safe_psql('postgres', q{
    CREATE ROLE owner LOGIN;
    CREATE ROLE client LOGIN;
    CREATE ROLE guest LOGIN;
    CREATE ROLE "Dr. O'Role" NOLOGIN;
    GRANT "Dr. O'Role" TO client;
    CREATE DATABASE owned OWNER owner;
});
create_database($node, 'app', 'CREATE EXTENSION socketio_emitter');
create_database($node, 'own_table', "$README_TABLE CREATE EXTENSION socketio_emitter");
$node->safe_psql('owned', 'CREATE EXTENSION socketio_emitter', extra_params => [ '-U', 'owner' ]);
$node->safe_psql('owned', 'REVOKE ALL ON socket_io_attachments FROM PUBLIC');

my @signatures = split /\n/, $node->safe_psql('app', q{
    SELECT oid::regprocedure FROM pg_proc
    WHERE proname ~ '^socketio_(fetch_sockets|servers|emit_with_ack|server_side_emit_with_ack|clients|client_rooms|all_rooms|remote_\w+|custom_request)$'
    ORDER BY 1});
is(scalar @signatures, 13, 'functions that ask') or diag explain \@signatures;
my $all = join ', ', @signatures;

sub servers_of
{
    my ($database, @options) = @_;
    return start_server($node, $database, 'a', sockets => [ { id => 's', rooms => [ 's', 'r' ], ack => ['acked'] } ], response => ['told'], @options);
}

my %calls = (
    "socketio_fetch_sockets" => [ q{SELECT id FROM socketio_fetch_sockets();}, 's' ],
    "socketio_servers" => [ q{SELECT uid FROM socketio_servers();}, 'a' ],
    "socketio_emit_with_ack" => [ q{SELECT response FROM socketio_emit_with_ack(event => 'e');}, '"acked"' ],
    "socketio_server_side_emit_with_ack" => [ q{SELECT response FROM socketio_server_side_emit_with_ack(event => 'e');}, '"told"' ],
    "socketio_clients" => [ q{SELECT id FROM socketio_clients();}, 's' ],
    "socketio_client_rooms" => [ q{SELECT room FROM socketio_client_rooms('s') ORDER BY room;}, 'r', 's' ],
    "socketio_all_rooms" => [ q{SELECT room FROM socketio_all_rooms() ORDER BY room;}, 'r', 's' ],
    "socketio_custom_request" => [ q{SELECT response FROM socketio_custom_request('1');}, '"told"' ],
    "socketio_remote_join" => [q{SELECT socketio_remote_join('s', 'r');}],
    "socketio_remote_leave" => [q{SELECT socketio_remote_leave('s', 'none');}],
    "socketio_remote_disconnect" => [ q{SELECT socketio_remote_disconnect('s'); SELECT 'gone';}, 'gone' ],
);
my @names = sort { ($a eq 'socketio_remote_disconnect') <=> ($b eq 'socketio_remote_disconnect') || $a cmp $b } keys %calls;

# Refused, then granted by the owner of the extension, who is no superuser; answers come both ways.
for my $name (@names)
{
    is_refused(ask($node, 'owned', $calls{$name}[0] =~ s/ SELECT 'gone';//r, user => 'guest'), { sqlstate => '42501', message => qr/^permission denied for function $name$/ }, "not granted: $name");
}
is_refused(ask($node, 'owned', q{SELECT * FROM socketio_fetch_sockets(socketio_to('a'));}, user => 'guest'), { sqlstate => '42501' }, 'not granted: socketio_fetch_sockets of a target');
is_refused(ask($node, 'owned', q{SELECT * FROM socketio_emit_with_ack(socketio_to('a'), 'e');}, user => 'guest'), { sqlstate => '42501' }, 'not granted: socketio_emit_with_ack of a target');
is_clean(ask($node, 'owned', "GRANT EXECUTE ON FUNCTION $all TO client;", user => 'owner'), 'the owner of the extension grants');
for my $attaches (0, 1)
{
    my $way = $attaches ? 'attachment' : 'notification';
    my $server = servers_of('owned', attaches => $attaches);
    is_answered(ask($node, 'owned', 'TABLE socket_io_attachments LIMIT 0;', user => 'owner'), [], "$way: the owner can read the table");
    is_refused(ask($node, 'owned', 'TABLE socket_io_attachments;', user => 'client'), { sqlstate => '42501' }, "$way: the client cannot");
    for my $name (@names)
    {
        my ($sql, @rows) = @{ $calls{$name} };
        is_answered(ask($node, 'owned', $sql, user => 'client'), \@rows, "granted, $way: $name");
    }
    stop_server($server);
}

# A large request goes into the owner's table, for a role without rights on it.
my $large = q{SELECT response FROM socketio_server_side_emit_with_ack(event => 'e', args => to_jsonb(repeat('x', 9000)));};
{
    my $server = servers_of('owned');
    is_answered(ask($node, 'owned', $large, user => 'client'), ['"told"'], 'a large request of a role without rights on the table');
    is(length((heard_by($server, 'server_side_emit'))[0]{data}{packet}[1]), 9000, 'a large request of a role without rights on the table: it arrives');
    stop_server($server);
}

# The role of the moment: under SET ROLE, inside SECURITY DEFINER, and one that cannot log in, or not any more.
my $fetch = q{SELECT id FROM socketio_fetch_sockets();};
my $whoami = 'SELECT current_user, session_user;';
{
    my $server = servers_of('owned', attaches => 1);
    my $session = ask($node, 'owned', qq{SET ROLE "Dr. O'Role"; $fetch $whoami}, user => 'client');
    is_refused($session, { sqlstate => '42501' }, 'a role without the grant, of a session that has it');
    is_deeply($session->{rows}, [q{Dr. O'Role|client}], 'a role without the grant: the session goes on');
    is_clean(ask($node, 'owned', qq{GRANT EXECUTE ON FUNCTION $all TO "Dr. O'Role"; REVOKE EXECUTE ON FUNCTION $all FROM client;}, user => 'owner'), 'the grant moves');
    is_answered(ask($node, 'owned', qq{SET ROLE "Dr. O'Role"; $fetch $large $whoami}, user => 'client'), [ 's', '"told"', q{Dr. O'Role|client} ], 'a role that cannot log in');
    is_answered(ask($node, 'owned', qq{$fetch $whoami}, user => 'client'), [ 's', 'client|client' ], 'a member of the role that was granted it');
    is_answered(ask($node, 'owned', qq{SET SESSION AUTHORIZATION "Dr. O'Role"; $fetch $whoami}), [ 's', q{Dr. O'Role|Dr. O'Role} ], 'SET SESSION AUTHORIZATION');

    $node->safe_psql('owned', q{
        CREATE FUNCTION sockets() RETURNS SETOF text SECURITY DEFINER LANGUAGE sql AS 'SELECT id FROM socketio_fetch_sockets()';
        CREATE FUNCTION sockets_and_more() RETURNS SETOF text SECURITY DEFINER LANGUAGE plpgsql AS $$
        BEGIN
            RETURN QUERY SELECT id || ' by ' || current_user FROM socketio_fetch_sockets();
            BEGIN
                PERFORM socketio_remote_join('nobody', 'r');
            EXCEPTION WHEN no_data_found THEN
                RETURN NEXT 'caught by ' || current_user;
            END;
        END$$;
        GRANT EXECUTE ON FUNCTION sockets(), sockets_and_more() TO guest;
    }, extra_params => [ '-U', 'owner' ]);
    is_answered(ask($node, 'owned', "SELECT sockets(); SELECT sockets_and_more(); $whoami", user => 'guest'), [ 's', 's by owner', 'caught by owner', 'guest|guest' ], 'SECURITY DEFINER');
    is_refused(ask($node, 'owned', $fetch, user => 'guest'), { sqlstate => '42501' }, 'SECURITY DEFINER does not last');

    # What would keep a new connection out does not keep out a session that is in.
    $node->safe_psql('owned', "GRANT EXECUTE ON FUNCTION $all TO client", extra_params => [ '-U', 'owner' ]);
    is_answered(ask($node, 'owned', qq{
        ALTER ROLE client CONNECTION LIMIT 0 NOLOGIN;
        ALTER DATABASE owned CONNECTION LIMIT 0;
        SET SESSION AUTHORIZATION client;
        $fetch
        $large
        RESET SESSION AUTHORIZATION;
        ALTER ROLE client CONNECTION LIMIT -1 LOGIN;
        ALTER DATABASE owned CONNECTION LIMIT -1;
    }), [ 's', '"told"' ], 'limits to connections');

    my $inside = $node->background_psql('owned', on_error_stop => 0, extra_params => [ '-U', 'client' ]);
    $node->safe_psql('postgres', 'ALTER DATABASE owned ALLOW_CONNECTIONS false');
    is($inside->query_safe($fetch), 's', 'a database that takes no more connections');
    $node->safe_psql('postgres', 'ALTER DATABASE owned ALLOW_CONNECTIONS true');
    $inside->quit;

    # Settings of a role hold for the connections it makes, and this is none.
    $node->safe_psql('postgres', q{
        ALTER ROLE client SET role = 'guest';
        ALTER ROLE client SET statement_timeout = '1ms';
        ALTER ROLE client SET lock_timeout = '1ms';
        ALTER ROLE client SET idle_in_transaction_session_timeout = '1ms';
        ALTER ROLE client SET default_transaction_read_only = on;
        ALTER ROLE client SET default_transaction_isolation = 'serializable';
        ALTER ROLE client SET search_path = 'nowhere';
        ALTER ROLE client SET socketio_emitter.channel_prefix = 'elsewhere';
        ALTER ROLE client SET log_min_messages = 'debug5';
    });
    is_answered(ask($node, 'owned', "SET SESSION AUTHORIZATION client; $fetch $large"), [ 's', '"told"' ], 'settings of a role');
    $node->safe_psql('postgres', 'ALTER ROLE client RESET ALL');
    stop_server($server);
}

# A table of the application's: asking takes no rights on it as long as nothing has to be read there.
{
    $node->safe_psql('own_table', "GRANT EXECUTE ON FUNCTION $all TO client");
    my $server = servers_of('own_table');
    is_answered(ask($node, 'own_table', $fetch, user => 'client'), ['s'], 'a table of the application\'s, short answers');
    is_refused(ask($node, 'own_table', $large, user => 'client'),
        { sqlstate => '42501', message => qr/^permission denied for attachment table "socket_io_attachments"$/, hint => qr/GRANT SELECT, INSERT/ }, 'a table of the application\'s, a large request');
    stop_server($server);
    $server = servers_of('own_table', attaches => 1);
    my $refused = { sqlstate => '42501', message => qr/permission denied for attachment table "socket_io_attachments"/, hint => qr/GRANT SELECT/ };
    is_refused(ask($node, 'own_table', $fetch, user => 'client'), $refused, 'a table of the application\'s, an answer in it');
    $node->safe_psql('own_table', 'GRANT SELECT ON socket_io_attachments TO client');
    is_answered(ask($node, 'own_table', $fetch, user => 'client'), ['s'], 'a table of the application\'s, with SELECT');
    $node->safe_psql('own_table', 'REVOKE SELECT ON socket_io_attachments FROM client; GRANT SELECT (id, payload) ON socket_io_attachments TO client');
    is_answered(ask($node, 'own_table', $fetch, user => 'client'), ['s'], 'a table of the application\'s, with SELECT on its columns');
    $node->safe_psql('own_table', 'REVOKE SELECT (payload) ON socket_io_attachments FROM client');
    is_refused(ask($node, 'own_table', "$fetch SELECT 'after';", user => 'client'), $refused, 'a table of the application\'s, without SELECT on the payload');
    stop_server($server);
}

# Code of others does not run with the rights of who asks: not that of a table an answer is in.
{
    $node->safe_psql('own_table', q{
        GRANT CREATE ON SCHEMA public TO guest;
        CREATE TABLE ran (ran_as name);
        GRANT ALL ON ran TO PUBLIC;
    });
    $node->safe_psql('own_table', q{
        CREATE FUNCTION note() RETURNS boolean LANGUAGE plpgsql AS $$BEGIN INSERT INTO public.ran VALUES (current_user); RETURN true; END$$;
        CREATE TABLE trap (id bigserial, created_at timestamptz DEFAULT now(), payload bytea);
        GRANT ALL ON trap TO PUBLIC;
        GRANT ALL ON SEQUENCE trap_id_seq TO PUBLIC;
        ALTER TABLE trap ENABLE ROW LEVEL SECURITY;
        CREATE POLICY trap ON trap USING (note());
    }, extra_params => [ '-U', 'guest' ]);
    my $server = servers_of('own_table', attaches => 1, table => 'trap');
    $node->safe_psql('own_table', 'TRUNCATE ran');
    my $session = ask($node, 'own_table', qq{SET socketio_emitter.attachment_table = 'trap'; $fetch});
    is_answered($session, ['s'], 'a table with a policy of another\'s, asked by a superuser, whom it does not bind');
    is($node->safe_psql('own_table', 'TABLE ran'), '', 'a table with a policy of another\'s: nothing ran as a superuser');
    stop_server($server);
}

is_without_workers($node, 'after all');
$node->stop;
is_quiet($node, allowed => qr/permission denied for attachment table|exited with exit code 1/);
server_is_sound($node);
done_testing();
