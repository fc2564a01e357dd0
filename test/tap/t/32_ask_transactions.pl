# Asking works in every kind of transaction and statement, sees the cluster rather than the transaction, and leaves the transaction
# as it was. On a standby it says that it cannot.

use strict;
use warnings;

use AskTest;
use EmitterTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_ask_cluster('main', streaming => 1);
create_database($node, 'app', 'CREATE EXTENSION socketio_emitter; CREATE TABLE noted (what text)');
my @sockets = map { { id => "s$_", rooms => [ "s$_", 'r' ], ack => [$_] } } 1 .. 3;
my $server = start_server($node, 'app', 'a', sockets => \@sockets, response => ['told']);

my $fetch   = q{SELECT id FROM socketio_fetch_sockets(timeout => '10 min') ORDER BY id;};
my $large   = q{SELECT response FROM socketio_server_side_emit_with_ack(event => 'large', args => to_jsonb(repeat('x', 9000)), timeout => '10 min');};
my @fetched = ('s1', 's2', 's3');
my @both    = (@fetched, '"told"');

# Transactions that cannot write.
is_answered(ask($node, 'app', "BEGIN READ ONLY; $fetch $large COMMIT; BEGIN; SET TRANSACTION READ ONLY; SAVEPOINT s; $large COMMIT;"), [ @both, '"told"' ], 'a read-only transaction');
is_answered(ask($node, 'app', "SET default_transaction_read_only = on; $fetch $large"), \@both, 'a read-only session');
$node->safe_psql('postgres', q{ALTER DATABASE app SET default_transaction_read_only = on; ALTER ROLE CURRENT_USER SET default_transaction_read_only = on;});
is_answered(ask($node, 'app', "$fetch $large"), \@both, 'a read-only database and role');
$node->safe_psql('postgres', q{SET default_transaction_read_only = off; ALTER DATABASE app RESET ALL; ALTER ROLE CURRENT_USER RESET ALL;});
for my $level ('READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE', 'SERIALIZABLE READ ONLY DEFERRABLE')
{
    is_answered(ask($node, 'app', "BEGIN ISOLATION LEVEL $level; SELECT count(*) FROM noted; $fetch $large COMMIT;"), [ '0', @both ], $level);
}
is_answered(ask($node, 'app', q{SET default_transaction_isolation = 'serializable'; SET default_transaction_deferrable = on;} . "$fetch $large"), \@both, 'a serializable session');

# An older snapshot sees no row that came after it, and yet reads answers that came in one.
{
    my $attaching = start_server($node, 'app', 'b', attaches => 1, sockets => [ { id => 'b1', rooms => ['b1'] } ]);
    is_answered(ask($node, 'app', "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM noted; $fetch $fetch COMMIT;"),
        [ '0', ('b1', @fetched) x 2 ], 'answers in attachments, of an older snapshot');
    stop_server($attaching);
}

# What the transaction did stays its own: uncommitted emits have not been heard, and are after commit; a rollback takes no request back.
{
    my $heard = () = heard_by($server, 'broadcast');
    my $session = ask($node, 'app', qq{
        BEGIN;
        INSERT INTO noted VALUES ('mine');
        SELECT socketio_emit(event => 'mine');
        SELECT socketio_emit(event => 'mine', args => to_jsonb(repeat('x', 9000)));
        $large
        SELECT count(*) FROM noted;
        ROLLBACK;
        TABLE noted;
        LISTEN "socket.io#/answers to no one";
        BEGIN;
        SELECT socketio_emit(event => 'later');
        $fetch
        SELECT socketio_emit(event => 'later');
        COMMIT;
    });
    is_answered($session, [ '"told"', '1', @fetched ], 'a transaction that writes and emits');
    ask($node, 'app', $fetch);    # behind the emits
    is((() = heard_by($server, 'broadcast')) - $heard, 2, 'a transaction that writes and emits: emits of those that commit alone');
    ok(!exists $_->{data}{requestId}, 'an emit is no request') for (heard_by($server, 'broadcast'))[ -1, -2 ];
}

# A session's own listening goes on as it was: a request neither takes its notifications nor stops it.
{
    my $session = session($node, 'app', q{
        SELECT count(*) FROM socketio_fetch_sockets();
        SELECT socketio_emit(event => 'mine');
        UNLISTEN *;
        SELECT count(*) FROM socketio_fetch_sockets();
        SELECT pg_listening_channels();
    });
    is_clean($session, 'a session that listens: no error');
    is_deeply([ grep { /^\d+$/ } @{ $session->{rows} } ], [ 3, 3 ], 'a session that listens: asks');
    is_deeply([ map { $_->{message}{data}{packet}{data}[0] } grep { ($_->{message}{type} // 0) == 3 } @{ $session->{notifications} } ], ['mine'], 'a session that listens: hears');
}

# Every kind of statement.
my %statements = (
    'a prepared statement' => q{
        PREPARE sockets(text[]) AS SELECT id FROM socketio_fetch_sockets(rooms => $1) ORDER BY id;
        EXECUTE sockets('{s2}'); EXECUTE sockets('{s3}'); EXECUTE sockets('{none}'); EXECUTE sockets('{s1}');
        SET plan_cache_mode = force_generic_plan; EXECUTE sockets('{s2}');},
    'a cursor' => q{
        BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT id FROM socketio_fetch_sockets() WHERE id < 's3' ORDER BY id; FETCH 1 FROM c; COMMIT; FETCH 1 FROM c; CLOSE c;
        BEGIN; DECLARE c SCROLL CURSOR FOR SELECT id FROM socketio_fetch_sockets('/', '{s2}'); FETCH ALL FROM c; FETCH BACKWARD ALL FROM c; ROLLBACK;},
    'a function' => q{
        CREATE FUNCTION pg_temp.ids() RETURNS SETOF text LANGUAGE plpgsql AS $$
        DECLARE
            socket record;
        BEGIN
            FOR socket IN SELECT * FROM socketio_fetch_sockets() ORDER BY id LOOP
                RETURN NEXT socket.id;
            END LOOP;
        END$$;
        SELECT pg_temp.ids();
        CREATE FUNCTION pg_temp.sql_ids() RETURNS SETOF text LANGUAGE sql BEGIN ATOMIC SELECT id FROM socketio_fetch_sockets() ORDER BY id; END;
        SELECT pg_temp.sql_ids();},
    'a procedure that commits' => q{
        CREATE PROCEDURE pg_temp.ask() LANGUAGE plpgsql AS $$
        BEGIN
            FOR i IN 1 .. 2 LOOP
                INSERT INTO noted SELECT id FROM socketio_fetch_sockets();
                COMMIT;
            END LOOP;
        END$$;
        CALL pg_temp.ask(); SELECT count(*) FROM noted; TRUNCATE noted;},
    'a trigger' => q{
        CREATE FUNCTION pg_temp.ask() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.what := (SELECT string_agg(id, ',' ORDER BY id) FROM socketio_fetch_sockets()); RETURN NEW; END$$;
        CREATE TRIGGER ask BEFORE INSERT ON noted FOR EACH ROW EXECUTE FUNCTION pg_temp.ask();
        INSERT INTO noted VALUES ('') RETURNING what; DROP TRIGGER ask ON noted; TRUNCATE noted;},
    'twice in one statement' => q{SELECT a.id || b.server FROM socketio_fetch_sockets(rooms => '{s1}') AS a, socketio_emit_with_ack(event => 'e', rooms => '{s2}') AS b;},
    'LATERAL' => q{SELECT room, id FROM (VALUES ('s3'), ('none'), ('s1')) AS rooms(room) CROSS JOIN LATERAL socketio_fetch_sockets(rooms => ARRAY[room]) ORDER BY 1;},
    'the SELECT list' => q{SELECT (socketio_fetch_sockets(rooms => '{s2}')).id; SELECT socketio_clients(rooms => '{s1}');},
    'LIMIT, which ends it early' => q{SELECT count(*) FROM (SELECT * FROM socketio_fetch_sockets() LIMIT 1) AS one; SELECT count(*) FROM (SELECT socketio_clients() LIMIT 1) AS one;},
    'ROWS FROM and ordinality' => q{SELECT ids.n FROM socketio_clients() WITH ORDINALITY AS ids(id, n) ORDER BY n;},
    'INSERT' => q{INSERT INTO noted SELECT id FROM socketio_fetch_sockets(); SELECT count(*) FROM noted; TRUNCATE noted;},
    'COPY' => q{COPY (SELECT id FROM socketio_fetch_sockets() ORDER BY id) TO STDOUT;},
    'a trigger that waits for the end of the transaction' => q{
        CREATE FUNCTION ask_at_the_end() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE NOTICE '%', (SELECT string_agg(id, ',' ORDER BY id) FROM socketio_fetch_sockets(timeout => '10 min'));
            RETURN NULL;
        END$$;
        CREATE CONSTRAINT TRIGGER ask AFTER INSERT ON noted DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ask_at_the_end();
        BEGIN; INSERT INTO noted VALUES (''); SELECT socketio_emit(event => 'e'); SELECT pg_notify('elsewhere', ''); COMMIT;
        DROP TRIGGER ask ON noted; SELECT count(*) FROM noted; TRUNCATE noted;},
    'a materialized view' => q{
        CREATE MATERIALIZED VIEW seen AS SELECT id FROM socketio_fetch_sockets(timeout => '10 min');
        REFRESH MATERIALIZED VIEW seen; SELECT count(*) FROM seen; DROP MATERIALIZED VIEW seen;},
    'CREATE TABLE AS' => q{CREATE TEMP TABLE sockets AS SELECT * FROM socketio_fetch_sockets(); SELECT count(*) FROM sockets;},
    'an error of what is made of it' => q{
        DO $$
        BEGIN
            PERFORM 1 / count(*) FROM socketio_fetch_sockets(rooms => '{none}');
        EXCEPTION WHEN division_by_zero THEN
            NULL;
        END$$;
        SELECT count(*) FROM socketio_clients();},
);
my %rows = (
    'a prepared statement'           => [qw(s2 s3 s1 s2)],
    'a cursor'                       => [qw(s1 s2 s2 s2)],
    'a function'                     => [ @fetched, @fetched ],
    'a procedure that commits'       => ['6'],
    'a trigger'                      => ['s1,s2,s3'],
    'twice in one statement'         => ['s1a'],
    'LATERAL'                        => [ 's1|s1', 's3|s3' ],
    'the SELECT list'                => [ 's2', 's1' ],
    'LIMIT, which ends it early'     => [ '1', '1' ],
    'ROWS FROM and ordinality'       => [ 1 .. 3 ],
    'INSERT'                         => ['3'],
    'COPY'                           => \@fetched,
    'CREATE TABLE AS'                => ['3'],
    'a materialized view'            => ['3'],
    'a trigger that waits for the end of the transaction' => ['1'],
    'an error of what is made of it' => ['3'],
);
my %notices = ('a trigger that waits for the end of the transaction' => 'NOTICE: s1,s2,s3');
for my $name (sort keys %statements)
{
    is_answered(ask($node, 'app', $statements{$name}), $rows{$name}, $name, $notices{$name} // ());
}

# Plans that run in parallel where they can: this cannot.
{
    my $force = $node->pg_version >= 16 ? 'debug_parallel_query' : 'force_parallel_mode';
    my $session = ask($node, 'app', qq{
        SET $force = on; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
        INSERT INTO noted SELECT 's' || i FROM generate_series(1, 10000) AS i;
        SELECT count(*) FROM noted JOIN socketio_fetch_sockets(timeout => '10 min') ON id = what;
        SELECT count(*) FROM noted WHERE what IN (SELECT id FROM socketio_clients());
        TRUNCATE noted;
    });
    is_answered($session, [ '3', '3' ], 'parallel plans');
}

# The transaction that creates the extension cannot have its function called by anyone else yet; it can itself, or is told why not.
{
    $node->safe_psql('postgres', 'CREATE DATABASE fresh');
    my $fresh = start_server($node, 'fresh', 'a', sockets => \@sockets, response => ['told']);
    my $session = ask($node, 'fresh', q{
        BEGIN;
        CREATE EXTENSION socketio_emitter;
        SELECT count(*) FROM socketio_fetch_sockets(timeout => '10 s');
        COMMIT;
        SELECT count(*) FROM socketio_fetch_sockets(timeout => '10 s');
    });
    is_answered($session, [ '3', '3' ], 'the transaction that creates the extension asks');
    $session = ask($node, 'fresh', q{
        DROP EXTENSION socketio_emitter;
        BEGIN;
        CREATE EXTENSION socketio_emitter;
        SELECT response FROM socketio_server_side_emit_with_ack(event => 'e', args => to_jsonb(repeat('x', 9000)), timeout => '1 s');
        ROLLBACK;
        CREATE EXTENSION socketio_emitter;
        SELECT count(*) FROM socketio_fetch_sockets(timeout => '10 s');
    });
    cmp_ok($session->{seconds}, '<', 120, 'a large request in the transaction that creates the extension does not hang');
    is_refused($session, { sqlstate => '42704', message => qr/^extension "socketio_emitter" does not exist$/, hint => qr/commit/ }, 'a large request in the transaction that creates the extension');
    is($session->{rows}[-1], '3', 'after the transaction that created the extension');
    stop_server($fresh);
}

# A transaction that holds the attachment table locked, when an answer comes in it: a request ends all the same.
{
    my $attaching = start_server($node, 'app', 'b', attaches => 1, sockets => [ { id => 'b1', rooms => ['b1'] } ], on => {
        fetch_sockets => sub {
            my ($server, $message) = @_;
            my %answer = (uid => 'b', nsp => '/', type => 8, data => { requestId => $message->{data}{requestId}, sockets => $server->{sockets} });
            run_sql($server, q{SELECT set_config('lock_timeout', '10s', false)});
            eval { attach($server, pack_value(\%answer)) };    # waits for the lock until the asking transaction has gone
        } });
    my $session = ask($node, 'app', q{
        BEGIN;
        LOCK TABLE socket_io_attachments;
        SELECT id FROM socketio_fetch_sockets(timeout => '3 s') ORDER BY id;
        COMMIT;
    });
    is_answered($session, \@fetched, 'the server waits for a lock of the caller\'s', 'WARNING: timeout reached: 1 of 2 servers answered');
    stop_server($attaching);

    # The row is there, and it is the worker that waits.
    $attaching = start_server($node, 'app', 'b', sockets => [], on => {
        fetch_sockets => sub {
            my ($server, $message) = @_;
            send_text($server, '{"uid":"b","type":8,"attachmentId":"1"}');
        } });
    $session = ask($node, 'app', q{
        BEGIN;
        LOCK TABLE socket_io_attachments;
        SELECT id FROM socketio_fetch_sockets(timeout => '3 s') ORDER BY id;
        COMMIT;
        SELECT 'after';
    });
    is_clean($session, 'the worker waits for a lock of the caller\'s: no error');
    is($session->{rows}[-1], 'after', 'the worker waits for a lock of the caller\'s: the session goes on');
    is_deeply([ map { $_->{severity} } @{ $session->{notices} } ], ['WARNING'], 'the worker waits for a lock of the caller\'s: a warning') or diag explain $session->{notices};
    cmp_ok($session->{seconds}, '<', 120, 'the worker waits for a lock of the caller\'s: not for ever');
    is_without_workers($node, 'the worker waits for a lock of the caller\'s');

    # A large request of a transaction that holds the table: it cannot be stored by another one.
    $session = ask($node, 'app', q{
        BEGIN;
        LOCK TABLE socket_io_attachments;
        SELECT response FROM socketio_server_side_emit_with_ack(event => 'e', args => to_jsonb(repeat('x', 9000)), timeout => '3 s');
        ROLLBACK;
        SELECT 'after';
    });
    is($session->{rows}[-1], 'after', 'a large request of a transaction that has locked the table: the session goes on');
    is(scalar @{ $session->{errors} } + @{ $session->{notices} }, 1, 'a large request of a transaction that has locked the table: says why not') or diag explain $session;
    cmp_ok($session->{seconds}, '<', 120, 'a large request of a transaction that has locked the table: not for ever');
    is_without_workers($node, 'a large request of a transaction that has locked the table');
    stop_server($attaching);
}

# Two-phase commit: asking leaves nothing in the transaction that would refuse it.
$node->append_conf('postgresql.conf', 'max_prepared_transactions = 2');
stop_server($server);
$node->restart;
$server = start_server($node, 'app', 'a', sockets => \@sockets, response => ['told']);
is_answered(ask($node, 'app', "BEGIN; INSERT INTO noted VALUES ('p'); $fetch PREPARE TRANSACTION 'p'; COMMIT PREPARED 'p'; TABLE noted;"), [ @fetched, 'p' ], 'PREPARE TRANSACTION');

# A standby has nobody to ask, and cannot.
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
for my $call ('SELECT * FROM socketio_fetch_sockets()', 'SELECT * FROM socketio_servers()', q{SELECT * FROM socketio_emit_with_ack(event => 'e')},
    q{SELECT * FROM socketio_server_side_emit_with_ack(event => 'e')}, 'SELECT * FROM socketio_clients()', q{SELECT * FROM socketio_client_rooms('s1')}, 'SELECT * FROM socketio_all_rooms()',
    q{SELECT socketio_remote_join('s1', 'r')}, q{SELECT socketio_remote_leave('s1', 'r')}, q{SELECT socketio_remote_disconnect('s1')}, q{SELECT * FROM socketio_custom_request('1')})
{
    is_refused(ask($standby, 'app', "$call;"), { sqlstate => '25006', message => qr/recovery/, hint => qr/primary/ }, "standby: $call");
}
is_without_workers($standby, 'standby');
$standby->stop;
is_without_workers($node, 'after all');
stop_server($server);
$node->stop;
is_quiet($node, allowed => qr/extension "socketio_emitter" does not exist|exited with exit code 1/);
server_is_sound($_) for $node, $standby;
done_testing();
