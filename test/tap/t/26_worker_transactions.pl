# delivery = 'worker' follows the transaction wherever an emit is made, as NOTIFY does: savepoints, two-phase commits, procedures
# that commit, cursors, temporary tables, deferred triggers, parallel plans and the subscribers of logical replication. And the
# worker can be seen, and told.

use strict;
use warnings;

use DeliveryTest;
use EmitterTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_delivery_cluster('main', settings => [ 'max_prepared_transactions = 5', 'wal_level = logical', 'max_wal_senders = 5', 'wal_retrieve_retry_interval = 100ms' ]);
create_delivery_database($node, 'app');
my $listener = start_listening($node, 'app', 'socket.io#/', 'socket.io#/other');

# What runs in one session ends in these errors, none as a rule, and arrives like this, an attachment under that name.
sub arrive
{
    my ($name, $sql, $expected, @errors) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $session = session($node, 'app', $sql, channels => []);
    is_deeply([ map { $_->{sqlstate} } @{ $session->{errors} } ], \@errors, "$name: errors");
    is_deeply(next_events($node, 'app', $listener), $expected, "$name: what arrives");
    return $session;
}

for my $emit (small('small'), large('large'))
{
    my $session = arrive('PREPARE TRANSACTION', "BEGIN; $emit PREPARE TRANSACTION 'p'; SELECT count(*) FROM pg_prepared_xacts;" . small('after'), ['after'], '0A000');
    is_deeply([ grep { $_ ne '' } @{ $session->{rows} } ], ['0'], 'PREPARE TRANSACTION: nothing is prepared');
}
arrive('PREPARE TRANSACTION after what was undone', 'BEGIN; CREATE TABLE made (); SAVEPOINT s;' . small('undone') . "ROLLBACK TO s; PREPARE TRANSACTION 'p'; COMMIT PREPARED 'p'; DROP TABLE made;", []);

arrive('rollback', 'BEGIN;' . small('a') . large('b') . 'ROLLBACK;' . small('c'), ['c']);
arrive('savepoints', 'BEGIN;' . small('a') . 'SAVEPOINT s;' . small('b') . large('b') . 'ROLLBACK TO s;' . small('c') . 'SAVEPOINT s;' . small('d') . large('d')
      . 'RELEASE s;' . small('e') . 'COMMIT;', [ 'a', 'c', 'd', 'attachment', 'e' ]);
arrive('a nested savepoint does not outlive its parent', 'BEGIN; SAVEPOINT s;' . small('a') . 'SAVEPOINT t;' . small('b') . 'RELEASE t; ROLLBACK TO s;' . small('c') . 'COMMIT;', ['c']);
arrive('savepoints without emits between', 'BEGIN; SAVEPOINT a; SAVEPOINT b; SAVEPOINT c;' . small('1') . 'RELEASE c; SAVEPOINT d;' . small('2') . 'ROLLBACK TO d; RELEASE b;' . small('3')
      . 'SAVEPOINT e; SAVEPOINT f;' . small('4') . 'RELEASE f; ROLLBACK TO e;' . small('5') . 'RELEASE a;' . small('6') . 'COMMIT;', [ 1, 3, 5, 6 ]);
arrive('a savepoint that takes all with it', 'BEGIN; SAVEPOINT s;' . small('a') . 'SAVEPOINT t;' . small('b') . 'ROLLBACK TO s; COMMIT;', []);
arrive('a failed transaction', 'BEGIN;' . small('a') . 'SELECT 1/0; COMMIT;' . small('b'), ['b'], '22012');
arrive('exception blocks', q{
    DO $$
    BEGIN
        FOR i IN 1 .. 4 LOOP
            BEGIN
                PERFORM socketio_emit(event => 'same');
                IF i % 2 = 0 THEN
                    RAISE division_by_zero;
                END IF;
            EXCEPTION WHEN division_by_zero THEN
                PERFORM socketio_emit(event => 'caught');
            END;
        END LOOP;
    END$$;
}, [ 'same', 'caught', 'same', 'caught' ]);
arrive('many levels of savepoints', 'BEGIN;' . join('', map { "SAVEPOINT s$_;" . small($_) } 1 .. 100) . 'ROLLBACK TO s51; COMMIT;', [ 1 .. 50 ]);

# Equal texts stay as many as they are, within a transaction and over several that the worker may send as one.
arrive('equal emits of one transaction', 'BEGIN;' . small('same') x 3 . 'COMMIT;', [ ('same') x 3 ]);
{
    my $worker = until_worker($node, 'app');
    kill 'STOP', $worker;
    my $sessions = session($node, 'app', small('same') x 20, channels => []);
    kill 'CONT', $worker;
    is_clean($sessions, 'equal emits of many transactions: no error');
    is_deeply(next_events($node, 'app', $listener), [ ('same') x 20 ], 'equal emits of many transactions, in one batch of the worker');
}

# Channels keep their order among each other, and so does a transaction that turns from one way to the other.
arrive('over channels', "BEGIN; SELECT socketio_emit('/', event => '1'); SELECT socketio_emit('/other', event => '2');" . large('3') . "SELECT socketio_emit('/other', event => '4'); COMMIT;",
    [ 1, 2, 'attachment', 4 ]);
for my $way ('notify', 'worker')
{
    my $other = $way eq 'notify' ? 'worker' : 'notify';
    arrive("$way, then $other", "BEGIN; SET LOCAL socketio_emitter.delivery = '$way';" . small('1') . "SET LOCAL socketio_emitter.delivery = '$other';" . small('2')
          . "SET LOCAL socketio_emitter.delivery = '$way';" . small('3') . 'COMMIT;', [ 1, 2, 3 ]);
}

# Procedures and blocks that commit: each transaction's emits go with it.
$node->safe_psql('app', q{
    CREATE PROCEDURE in_turns() LANGUAGE plpgsql AS $$
    BEGIN
        FOR i IN 1 .. 4 LOOP
            PERFORM socketio_emit(event => 'turn ' || i);
            IF i % 2 = 1 THEN COMMIT; ELSE ROLLBACK; END IF;
        END LOOP;
        PERFORM socketio_emit(event => 'last');
    END$$;
});
arrive('a procedure that commits', 'CALL in_turns();', [ 'turn 1', 'turn 3', 'last' ]);
arrive('a block that commits and fails', q{DO $$BEGIN PERFORM socketio_emit(event => 'committed'); COMMIT; PERFORM socketio_emit(event => 'lost'); RAISE 'the end'; END$$;}, ['committed'], 'P0001');

arrive('a cursor', q{BEGIN; DECLARE c CURSOR FOR SELECT socketio_emit(event => 'row ' || i) FROM generate_series(1, 10) AS i; FETCH 2 FROM c; CLOSE c; COMMIT;}, [ 'row 1', 'row 2' ]);
arrive('a cursor that is held', q{BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT socketio_emit(event => 'row ' || i) FROM generate_series(1, 3) AS i; COMMIT; FETCH ALL FROM c;}, [ 'row 1', 'row 2', 'row 3' ]);
arrive('temporary tables', q{
    BEGIN;
    CREATE TEMP TABLE brief (id int PRIMARY KEY) ON COMMIT DROP;
    SELECT socketio_watch('brief', 'payload=keys');
    INSERT INTO brief VALUES (1);
    CREATE TEMP TABLE emptied (id int PRIMARY KEY) ON COMMIT DELETE ROWS;
    CREATE CONSTRAINT TRIGGER late AFTER INSERT ON emptied DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION socketio_emit_changes('payload=keys');
    INSERT INTO emptied VALUES (2);
    COMMIT;
}, [ 'brief:insert', 'emptied:insert' ]);

# Deferred triggers emit while the transaction commits, and what fails there takes all back.
$node->safe_psql('app', q{
    CREATE TABLE orders (id int);
    CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN
            PERFORM socketio_emit(event => 'order ' || NEW.id);
            IF NEW.id < 0 THEN RAISE 'negative'; END IF;
            RETURN NULL;
        END$$;
    CREATE CONSTRAINT TRIGGER late AFTER INSERT ON orders DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION tell();
});
arrive('deferred triggers', 'BEGIN; INSERT INTO orders VALUES (1), (2);' . small('first') . 'COMMIT;', [ 'first', 'order 1', 'order 2' ]);
arrive('deferred triggers that fail', 'BEGIN; INSERT INTO orders VALUES (3), (-1);' . small('first') . 'COMMIT;', [], 'P0001');
arrive('a transaction that cannot be serialised', 'BEGIN; SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; ' . small('serialisable') . 'COMMIT;', ['serialisable']);

# One that hides in a parallel worker is told so, as it is under NOTIFY, and not lost without a word.
$node->safe_psql('app', q{
    CREATE TABLE many AS SELECT i AS id FROM generate_series(1, 20000) AS i;
    ANALYZE many;
    CREATE FUNCTION lying(n int) RETURNS void LANGUAGE plpgsql PARALLEL SAFE AS $$BEGIN PERFORM socketio_emit(event => 'lie', args => to_jsonb(n)); END$$;
});
{
    my $session = session($node, 'app', q{
        SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
        SET parallel_leader_participation = off;
        SELECT lying(id) FROM many;
    } . small('after'), channels => []);
    is(scalar @{ $session->{errors} }, 1, 'parallel: what lies about itself is told so');
    is_deeply(next_events($node, 'app', $listener), ['after'], 'parallel: what lies about itself emits nothing');
}

# The worker by its name, and settings that it follows.
{
    my $oid = $node->safe_psql('app', q{SELECT oid FROM pg_database WHERE datname = 'app'});
    $node->safe_psql('app', small('seen'));
    my $worker = until_worker($node, 'app');
    my ($args) = run_command([ 'ps', '-o', 'args=', '-p', $worker ]);
    like($args, qr/socketio_emitter delivery for database $oid/, 'the worker: its name tells the database');
    is(stats($node, 'app', 'worker_pid'), $worker, 'the worker: socketio_stats knows it');
    next_events($node, 'app', $listener);
    my $offset = -s $node->logfile;
    $node->append_conf('postgresql.conf', "trace_notify = on\nlog_min_messages = debug1");
    $node->reload;
    ok(until_true('the worker to follow', sub {
        $node->safe_psql('app', small('reloaded'));
        slurp_file($node->logfile, $offset) =~ /\[$worker\] \S+ DEBUG:  Async_Notify/;
    }), 'the worker follows SIGHUP');
    $node->append_conf('postgresql.conf', "trace_notify = off\nlog_min_messages = warning");
    $node->reload;
    is_deeply([ grep { $_ ne 'reloaded' } @{ next_events($node, 'app', $listener) } ], [], 'the worker follows SIGHUP, and goes on');
}

# Rows that a subscriber applies.
$node->safe_psql('postgres', 'CREATE DATABASE publisher');
$node->safe_psql('publisher', 'CREATE TABLE mirrored (id int PRIMARY KEY); CREATE PUBLICATION everything FOR ALL TABLES');
$node->safe_psql('publisher', q{SELECT pg_create_logical_replication_slot('mirror', 'pgoutput')});
$node->safe_psql('app', q{CREATE TABLE mirrored (id int PRIMARY KEY); SELECT socketio_watch('mirrored', 'payload=keys'); ALTER TABLE mirrored ENABLE REPLICA TRIGGER socketio_watch});
my $connection = $node->connstr('publisher') =~ s/'/''/gr;
$node->safe_psql('app', "CREATE SUBSCRIPTION mirror CONNECTION '$connection' PUBLICATION everything WITH (create_slot = false, copy_data = false)");
$node->safe_psql('publisher', 'INSERT INTO mirrored VALUES (1), (2); BEGIN; INSERT INTO mirrored VALUES (3); SAVEPOINT s; INSERT INTO mirrored VALUES (4); ROLLBACK TO s; COMMIT;');
$node->wait_for_catchup('mirror');
is_deeply(next_events($node, 'app', $listener), [ ('mirrored:insert') x 3 ], 'a subscriber of logical replication');
$node->safe_psql('app', 'DROP SUBSCRIPTION mirror');

stop_listening($listener);
$node->stop;
server_is_sound($node, allowed => qr/parallel/);
done_testing();
