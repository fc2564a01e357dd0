# Asking wherever the extension and the attachment table are: in other schemas, moved, renamed, under any search_path; with and
# without the library preloaded.

use strict;
use warnings;

use AskTest;
use DeliveryTest qw(start_delivery_cluster until_no_worker);
use EmitterTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_ask_cluster('main');
my @sockets = ({ id => 's', rooms => ['s'], ack => ['acked'] });

# Asks, with answers and a request in attachments, from a session with a search_path.
sub asks_in
{
    my ($schema, $search_path) = @_;
    my $set = defined $search_path ? "SET search_path = $search_path;" : '';
    return qq{$set SELECT id FROM $schema.socketio_fetch_sockets(timeout => '10 min');}
      . qq{SELECT response FROM $schema.socketio_server_side_emit_with_ack(event => 'e', args => to_jsonb(repeat('x', 9000)), timeout => '10 min');}
      . qq{SELECT id FROM $schema.socketio_fetch_sockets($schema.socketio_to('s'));};
}
my @answers = ('s', '"told"', 's');

sub served
{
    my ($database, $table, $sql, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $server = start_server($node, $database, 'a', table => $table, attaches => 1, sockets => \@sockets, response => ['told']);
    is_answered(ask($node, $database, $sql), \@answers, $name);
    stop_server($server);
    return;
}

# The extension in a schema, and moved.
create_database($node, 'moved', 'CREATE SCHEMA a; CREATE SCHEMA "B b"; CREATE EXTENSION socketio_emitter SCHEMA a;');
served('moved', 'a.socket_io_attachments', asks_in('a'), 'outside the search_path');
served('moved', 'a.socket_io_attachments', asks_in('a', 'a'), 'in the search_path');
served('moved', 'a.socket_io_attachments', asks_in('a', q{''}), 'an empty search_path');
served('moved', 'a.socket_io_attachments', asks_in('a', 'pg_catalog'), 'nothing but pg_catalog');
served('moved', 'a.socket_io_attachments', asks_in('a', 'nowhere, "$user"'), 'schemas that are not there');
$node->safe_psql('moved', 'ALTER EXTENSION socketio_emitter SET SCHEMA "B b"');
served('moved', '"B b".socket_io_attachments', asks_in('"B b"'), 'SET SCHEMA');
served('moved', '"B b".socket_io_attachments', asks_in('"B b"', q{''}), 'SET SCHEMA, an empty search_path');
{
    # In one session, that has asked before.
    my $server = start_server($node, 'moved', 'a', sockets => \@sockets, response => ['told'], on => {
        fetch_sockets => sub {
            my ($server, $message) = @_;
            ($server->{table}) = run_sql($server, q{SELECT oid::regclass FROM pg_class WHERE relname = 'socket_io_attachments'});
            $server->{attaches} = 1;
            behave($server, $message);
        } });
    is_answered(ask($node, 'moved', q{
        SELECT id FROM "B b".socketio_fetch_sockets();
        ALTER EXTENSION socketio_emitter SET SCHEMA a;
        SELECT id FROM a.socketio_fetch_sockets();
        ALTER SCHEMA a RENAME TO c;
        SELECT id FROM c.socketio_fetch_sockets();
        DROP EXTENSION socketio_emitter;
        CREATE EXTENSION socketio_emitter SCHEMA "B b";
        SELECT id FROM "B b".socketio_fetch_sockets();
    }), [ ('s') x 4 ], 'moved, renamed and made anew, in one session');
    stop_server($server);
}

# Operators and functions of others, in front of the system's or in the extension's schema, are not taken for those of the system.
create_database($node, 'trapped', q{
    CREATE SCHEMA trap;
    CREATE FUNCTION trap.never(bigint, bigint) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE 'never'; END$$;
    CREATE FUNCTION trap.never(text, text) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE 'never'; END$$;
    CREATE OPERATOR trap.= (FUNCTION = trap.never, LEFTARG = bigint, RIGHTARG = bigint);
    CREATE OPERATOR trap.= (FUNCTION = trap.never, LEFTARG = text, RIGHTARG = text);
    CREATE FUNCTION trap.pg_notify(text, text) RETURNS void LANGUAGE plpgsql AS $$BEGIN RAISE 'never'; END$$;
    CREATE FUNCTION trap.jsonb_array_elements(jsonb) RETURNS SETOF jsonb LANGUAGE plpgsql AS $$BEGIN RAISE 'never'; END$$;
    CREATE FUNCTION trap.unnest(text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$BEGIN RAISE 'never'; END$$;
    CREATE FUNCTION trap.count() RETURNS bigint LANGUAGE plpgsql AS $$BEGIN RAISE 'never'; END$$;
    CREATE EXTENSION socketio_emitter SCHEMA trap;
});
served('trapped', 'trap.socket_io_attachments', asks_in('trap', 'trap, pg_catalog'), 'traps in the search_path');
{
    my $server = start_server($node, 'trapped', 'a', table => 'trap.socket_io_attachments', sockets => \@sockets, response => ['told']);
    is_answered(ask($node, 'trapped', q{SET search_path = trap, pg_catalog; SELECT * FROM socketio_clients(); SELECT * FROM socketio_client_rooms('s'); SELECT * FROM socketio_all_rooms();
        SELECT * FROM socketio_servers() LIMIT 0; SELECT response FROM socketio_custom_request('1'); SELECT socketio_remote_join('s', 'r'); SELECT socketio_remote_leave('s', 'r');}),
        [ 's', 's', 's|1', '"told"' ], 'traps in the search_path: what is made of other functions');
    stop_server($server);
}

# Tables of the setting.
create_database($node, 'tables', 'CREATE SCHEMA app; CREATE TABLE app."My attachments" (id bigserial, created_at timestamptz, payload bytea); CREATE EXTENSION socketio_emitter');
served('tables', 'app."My attachments"', q{SET socketio_emitter.attachment_table = 'app."My attachments"';} . asks_in('public'), 'a table in a schema');
served('tables', 'app."My attachments"', q{SET search_path = app, public; SET socketio_emitter.attachment_table = '"My attachments"';} . asks_in('public'), 'a table in the search_path');
$node->safe_psql('postgres', q{ALTER DATABASE tables SET socketio_emitter.attachment_table = 'app."My attachments"'});
served('tables', 'app."My attachments"', asks_in('public', q{''}), 'a table of the database\'s setting');
served('tables', 'public.socket_io_attachments', q{SET socketio_emitter.attachment_table = 'public.socket_io_attachments';} . asks_in('public'), 'another table than the database\'s');
{
    my $server = start_server($node, 'tables', 'a', attaches => 1, sockets => \@sockets);
    my $session = ask($node, 'tables', q{SET socketio_emitter.attachment_table = 'nowhere'; SELECT * FROM socketio_fetch_sockets(timeout => '5 s'); SELECT 'after';});
    is_refused($session, { sqlstate => '42P01', message => qr/"nowhere"/ }, 'a table that is not there, an answer in it');
    is_deeply($session->{rows}, ['after'], 'a table that is not there: the session goes on');
    is_without_workers($node, 'a table that is not there');
    stop_server($server);
    $server = start_server($node, 'tables', 'a', sockets => \@sockets);
    is_answered(ask($node, 'tables', q{SET socketio_emitter.attachment_table = 'nowhere'; SELECT id FROM socketio_fetch_sockets();}), ['s'], 'a table that is not there, and is not needed');
    stop_server($server);

    # Only the caller's transaction has it yet; and a temporary table is nobody else's.
    for my $table ('CREATE TABLE fresh', 'CREATE TEMP TABLE fresh')
    {
        $session = ask($node, 'tables', qq{BEGIN; $table (id bigserial, created_at timestamptz, payload bytea); SET LOCAL socketio_emitter.attachment_table = 'fresh';
            SELECT * FROM socketio_server_side_emit_with_ack(event => 'e', args => to_jsonb(repeat('x', 9000)), timeout => '1 s'); ROLLBACK; SELECT 'after';});
        is(scalar @{ $session->{errors} }, 1, "$table in the transaction, for a request: refused") or diag explain $session;
        unlike($_->{sqlstate}, qr/^XX/, "$table in the transaction, for a request: it is not an internal error") for @{ $session->{errors} };
        is($session->{rows}[-1], 'after', "$table in the transaction, for a request: the session goes on");
        cmp_ok($session->{seconds}, '<', 120, "$table in the transaction, for a request: not for ever");
    }
}

# Code on an application's table runs in the worker, and finds the extension there as in any session.
my $triggers = q{
    CREATE TABLE own (id bigserial, created_at timestamptz DEFAULT now(), payload bytea);
    CREATE FUNCTION told() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM socketio_emit('/told', event => 'stored'), set_config('socketio_emitter.attachment_table', 'own', false);
        PERFORM socketio_servers('/nobody', '10 ms');
        RETURN new;
    END $$;
    CREATE TRIGGER told BEFORE INSERT ON own FOR EACH ROW EXECUTE FUNCTION told();
};
sub is_run_in_worker
{
    my ($node, $database, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    $node->safe_psql($database, $triggers);
    my $server = start_server($node, $database, 'a', response => ['told'], sockets => [], table => 'own', namespaces => [ '/', '/told' ]);
    my $session = ask($node, $database, q{SET socketio_emitter.attachment_table = 'own';}
          . q{SELECT response FROM socketio_server_side_emit_with_ack(event => 'e', args => to_jsonb(repeat('x', 9000)), timeout => '20 s');} x 2);
    is_answered($session, [ ('"told"') x 2 ], $name);
    until_heard($server, 'broadcast', 2);
    is_deeply([ map { $_->{data}{packet}{data} } heard_by($server, 'broadcast') ], [ (['stored']) x 2 ], "$name: what the trigger emits");
    stop_server($server);
    return;
}
is_run_in_worker($node, 'tables', 'a trigger on an application\'s table');
is_without_workers($node, 'places');
$node->stop;
is_quiet($node, allowed => qr/attachment table "\w+" does not exist|exited with exit code 1/);
server_is_sound($node);

# Preloaded, where emits go by the worker of deliveries: asking takes no notice.
my $preloaded = start_delivery_cluster('preloaded', settings => [q{log_line_prefix = '%m [%p] %b %e '}]);
create_database($preloaded, 'app', 'CREATE EXTENSION socketio_emitter');
{
    my $server = start_server($preloaded, 'app', 'a', attaches => 1, sockets => \@sockets, response => ['told']);
    is_answered(ask($preloaded, 'app', asks_in('public') . q{SELECT response FROM socketio_emit_with_ack(event => 'e');}), [ @answers, '"acked"' ], 'preloaded');
    my $emits = q{BEGIN; SELECT socketio_emit(event => 'at commit');} . asks_in('public');
    is_answered(ask($preloaded, 'app', "$emits ROLLBACK; $emits COMMIT;"),
        [ @answers, @answers ], 'preloaded, between emits');
    until_heard($server, 'broadcast', 2);
    is_deeply([ map { $_->{data}{packet}{data}[0] } heard_by($server, 'broadcast') ], [ 'e', 'at commit' ], 'preloaded, between emits: what arrives');
    until_no_worker($preloaded, 'app');
    is_without_workers($preloaded, 'preloaded');
    is_answered(ask($preloaded, 'app', asks_in('public')), \@answers, 'preloaded, without a worker of deliveries');
    stop_server($server);
}
is_run_in_worker($preloaded, 'app', 'preloaded, a trigger on an application\'s table');
$preloaded->stop;
is_quiet($preloaded);
server_is_sound($preloaded);
done_testing();
