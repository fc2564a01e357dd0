# Emits follow the transaction wherever they are made: two-phase commits, savepoints and exception blocks, procedures that
# commit, triggers of every kind, cursors and parallel plans.

use strict;
use warnings;

use EmitterTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_cluster('main', settings => ['max_prepared_transactions = 5']);
create_database($node, 'app', 'CREATE EXTENSION socketio_emitter');

sub arrives
{
    return [ map { /large/ ? [ $_, 'x' x 9000 ] : [$_] } @_ ];
}

# What runs in one session arrives like this, and nothing fails.
sub arrive
{
    my ($name, $sql, @events) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is_emitted(session($node, 'app', $sql), arrives(@events), $name);
}

# Two-phase commit, as after NOTIFY.
my $as_after_notify = { sqlstate => '0A000', message => qr/cannot PREPARE a transaction that has executed LISTEN, UNLISTEN, or NOTIFY/ };
for my $emit (small('small'), large('large'))
{
    my $session = session($node, 'app', "BEGIN; $emit PREPARE TRANSACTION 'p'; SELECT count(*) FROM pg_prepared_xacts;" . small('after'));
    is_refused($session, $as_after_notify, "PREPARE TRANSACTION after $emit");
    is_deeply($session->{rows}, ['0'], "PREPARE TRANSACTION after $emit: nothing is prepared");
    is_deeply(events($session), arrives('after'), "PREPARE TRANSACTION after $emit: the session goes on");
}
arrive('PREPARE TRANSACTION after emits that do nothing', 'SET socketio_emitter.enabled = off; BEGIN;' . small('never') . large('large never')
      . "PREPARE TRANSACTION 'p'; COMMIT PREPARED 'p';");
is($node->safe_psql('app', 'SELECT count(*) FROM socket_io_attachments'), '0', 'what was not emitted left no row');

# Rolled back, whole and in part.
arrive('rollback', 'BEGIN;' . small('a') . large('large b') . 'ROLLBACK;' . small('c'), 'c');
arrive('savepoints', 'BEGIN;' . small('a') . 'SAVEPOINT s;' . small('b') . large('large b') . 'ROLLBACK TO s;' . small('c') . 'SAVEPOINT s;' . small('d')
      . large('large d') . 'RELEASE s;' . small('e') . 'COMMIT;', 'a', 'c', 'd', 'large d', 'e');
arrive('a nested savepoint does not outlive its parent', 'BEGIN; SAVEPOINT s;' . small('a') . 'SAVEPOINT t;' . small('b') . 'RELEASE t; ROLLBACK TO s;'
      . small('c') . 'COMMIT;', 'c');
my $failed = session($node, 'app', 'BEGIN;' . small('a') . 'SELECT 1/0;' . small('b') . 'COMMIT;' . small('c'));
is_deeply(errors($failed), [ '22012 division by zero', '25P02 current transaction is aborted, commands ignored until end of transaction block' ], 'a failed transaction');
is_deeply(events($failed), arrives('c'), 'a failed transaction: nothing of it arrives');

# Equal emits stay two, whatever is taken back between them.
arrive('equal emits', 'BEGIN;' . small('same') x 3 . 'COMMIT;', ('same') x 3);
arrive('equal emits around a rolled back one', 'BEGIN;' . small('same') . 'SAVEPOINT s;' . small('same') . 'ROLLBACK TO s;' . small('same') . 'COMMIT;',
    ('same') x 2);
arrive('equal emits in subtransactions', 'BEGIN; SAVEPOINT s;' . small('same') . 'RELEASE s; SAVEPOINT s;' . small('same') . 'RELEASE s; SAVEPOINT s;' . small('same')
      . 'ROLLBACK TO s;' . small('same') . 'COMMIT;', ('same') x 3);
arrive('equal large emits around a rolled back one', 'BEGIN;' . large('large') . 'SAVEPOINT s;' . large('large') . 'ROLLBACK TO s;' . large('large') . 'COMMIT;',
    ('large') x 2);
arrive('equal emits and exception blocks', q{
    DO $$
    BEGIN
        FOR i IN 1 .. 6 LOOP
            BEGIN
                PERFORM socketio_emit(event => 'same');
                PERFORM socketio_emit(event => 'large same', args => to_jsonb(repeat('x', 9000)));
                IF i % 2 = 0 THEN
                    RAISE division_by_zero;
                END IF;
            EXCEPTION WHEN division_by_zero THEN
                PERFORM socketio_emit(event => 'caught');
            END;
        END LOOP;
    END$$;
}, map { $_ % 2 ? ('same', 'large same') : 'caught' } 1 .. 6);

# Many in one transaction: each once, in order.
{
    my $session = session($node, 'app', q{SELECT socketio_emit(event => 'n', args => to_jsonb(i)) FROM generate_series(1, 20000) AS i;});
    is_deeply([ map { $_->{message}{data}{packet}{data}[1] } @{ $session->{notifications} } ], [ 1 .. 20000 ], '20000 in one transaction: in order');
}

# An order over channels, and with notifications that are not ours.
{
    my $session = session($node, 'app', q{
        BEGIN;
        SELECT socketio_emit('/', event => '1');
        SELECT socketio_emit('/other', event => '2');
        SELECT pg_notify('else', '"3"');
        SELECT socketio_emit('/', event => '4', args => to_jsonb(repeat('x', 9000)));
        SELECT socketio_emit('/other', event => '5');
        COMMIT;
    }, channels => [ 'socket.io#/', 'socket.io#/other', 'else' ]);
    is_clean($session, 'over channels');
    is_deeply([ map { $_->{channel} } @{ $session->{notifications} } ], [ 'socket.io#/', 'socket.io#/other', 'else', 'socket.io#/', 'socket.io#/other' ],
        'over channels: in order');
}

# A procedure that commits and rolls back: each transaction's emits arrive with it.
$node->safe_psql('app', q{
    CREATE PROCEDURE in_turns() LANGUAGE plpgsql AS $$
    BEGIN
        FOR i IN 1 .. 4 LOOP
            PERFORM socketio_emit(event => 'same');
            PERFORM socketio_emit(event => 'same');
            PERFORM socketio_emit(event => 'large', args => to_jsonb(repeat('x', 9000)));
            IF i % 2 = 1 THEN COMMIT; ELSE ROLLBACK; END IF;
        END LOOP;
        PERFORM socketio_emit(event => 'last');
    END$$;
});
arrive('a procedure that commits', 'CALL in_turns();', ('same', 'same', 'large') x 2, 'last');
{
    my $listener = $node->background_psql('app');
    $listener->query_safe('LISTEN "socket.io#/"');
    my $session = session($node, 'app', q{
        DO $$
        BEGIN
            PERFORM socketio_emit(event => 'committed');
            COMMIT;
            PERFORM socketio_emit(event => 'lost');
            RAISE 'the end';
        END$$;
    });
    is_deeply(errors($session), ['P0001 the end'], 'a block that commits and fails');
    is_deeply(events($session), arrives('committed'), 'a block that commits and fails: what was committed arrives');
    my $seen = $listener->query_safe('SELECT 1');
    like($seen, qr/"committed"/, 'a block that commits and fails: elsewhere as well');
    unlike($seen, qr/"lost"/, 'a block that commits and fails: and nothing else');
    $listener->quit;
}

# Triggers: rows, statements, deferred constraints that fire at commit, and event triggers.
$node->safe_psql('app', q{
    CREATE TABLE orders (id int PRIMARY KEY);
    CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN
            PERFORM socketio_emit(event => format('%s %s', tg_name, tg_op), args => coalesce(to_jsonb(NEW.id), '[]'));
            RETURN NULL;
        END$$;
    CREATE FUNCTION tell_at_length() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN PERFORM socketio_emit(event => 'large deferred', args => to_jsonb(repeat('x', 9000))); RETURN NULL; END$$;
    CREATE TRIGGER each_row AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION tell();
    CREATE TRIGGER each_statement AFTER INSERT ON orders EXECUTE FUNCTION tell();
    CREATE CONSTRAINT TRIGGER late AFTER INSERT ON orders DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION tell();
    CREATE CONSTRAINT TRIGGER late_and_long AFTER INSERT ON orders DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION tell_at_length();
});
my $deferred = session($node, 'app', 'BEGIN; INSERT INTO orders VALUES (1), (2);' . small('between') . 'COMMIT;');
is_emitted($deferred, [
        [ 'each_row INSERT', 1 ], [ 'each_row INSERT', 2 ], ['each_statement INSERT'], ['between'],
        [ 'late INSERT', 1 ], [ 'large deferred', 'x' x 9000 ], [ 'late INSERT', 2 ], [ 'large deferred', 'x' x 9000 ],
    ], 'deferred triggers');
my $violated = session($node, 'app', 'INSERT INTO orders VALUES (3), (1);');
is($violated->{errors}[0]{sqlstate}, '23505', 'an INSERT that fails');
is_deeply($violated->{notifications}, [], 'an INSERT that fails: nothing arrives');

$node->safe_psql('app', q{
    CREATE FUNCTION tell_ddl() RETURNS event_trigger LANGUAGE plpgsql AS
        $$BEGIN
            PERFORM socketio_emit(event => tg_event, args => to_jsonb(tg_tag));
            PERFORM socketio_emit(event => 'large', args => to_jsonb(repeat('x', 9000)));
        END$$;
    CREATE EVENT TRIGGER tell_ddl ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'DROP TABLE') EXECUTE FUNCTION tell_ddl();
});
is_emitted(session($node, 'app', 'CREATE TABLE fresh (); BEGIN; DROP TABLE fresh; ROLLBACK; DROP TABLE fresh;'), [
        [ 'ddl_command_end', 'CREATE TABLE' ], [ 'large', 'x' x 9000 ], [ 'ddl_command_end', 'DROP TABLE' ], [ 'large', 'x' x 9000 ],
    ], 'an event trigger');
$node->safe_psql('app', 'DROP EVENT TRIGGER tell_ddl');

# Cursors: a row that is not fetched is not emitted, held cursors emit when they are filled.
arrive('a cursor', q{
    BEGIN;
    DECLARE c CURSOR FOR SELECT socketio_emit(event => 'row ' || i) FROM generate_series(1, 10) AS i;
    FETCH 2 FROM c;
    MOVE 1 FROM c;
    CLOSE c;
    COMMIT;
}, 'row 1', 'row 2', 'row 3');
arrive('a cursor that is held', q{
    BEGIN;
    DECLARE c CURSOR WITH HOLD FOR SELECT socketio_emit(event => 'row ' || i) FROM generate_series(1, 3) AS i;
    COMMIT;
    FETCH ALL FROM c;
}, 'row 1', 'row 2', 'row 3');
arrive('a loop over a cursor', q{
    DO $$
    DECLARE
        r record;
        c CURSOR FOR SELECT i, repeat('x', 9000) AS pad FROM generate_series(1, 3) AS i;
    BEGIN
        FOR r IN c LOOP
            PERFORM socketio_emit(event => 'row ' || r.i);
            PERFORM socketio_emit_values(NULL, 'large ' || r.i, r.pad);
        END LOOP;
    END$$;
}, map { ("row $_", "large $_") } 1 .. 3);
arrive('a cursor over a savepoint', q{
    BEGIN;
    DECLARE c CURSOR FOR SELECT socketio_emit(event => 'row ' || i) FROM generate_series(1, 10) AS i;
    FETCH 1 FROM c;
    SAVEPOINT s;
    FETCH 1 FROM c;
    ROLLBACK TO s;
    FETCH 1 FROM c;
    COMMIT;
}, 'row 1', 'row 3');

# In RETURNING, CTEs, CASE and prepared statements.
is_emitted(session($node, 'app', q{
    CREATE TABLE plain (id int);
    INSERT INTO plain VALUES (1), (2) RETURNING socketio_emit(event => 'returned', args => to_jsonb(id));
    WITH emitted AS (SELECT socketio_emit(event => 'from a CTE', args => to_jsonb(id)) FROM plain) SELECT count(*) FROM emitted;
    SELECT CASE WHEN id = 2 THEN socketio_emit(event => 'in a CASE', args => to_jsonb(id)) END FROM plain;
    EXPLAIN SELECT socketio_emit(event => 'never');
    EXPLAIN ANALYZE SELECT socketio_emit(event => 'analysed');
    PREPARE p(int) AS SELECT socketio_emit(event => 'prepared', args => to_jsonb($1));
    EXECUTE p(1); EXECUTE p(2);
}), [
        [ 'returned', 1 ], [ 'returned', 2 ], [ 'from a CTE', 1 ], [ 'from a CTE', 2 ], [ 'in a CASE', 2 ], ['analysed'],
        [ 'prepared', 1 ], [ 'prepared', 2 ],
    ], 'in queries of all kinds');

# Queries that run in parallel where they can: those that emit do not.
$node->safe_psql('app', 'CREATE TABLE many AS SELECT i AS id FROM generate_series(1, 20000) AS i; ANALYZE many; DROP TABLE plain;');
my $parallel = q{
    SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
};
{
    my $session = session($node, 'app', "$parallel EXPLAIN (COSTS OFF) SELECT count(*) FROM many; EXPLAIN (COSTS OFF) SELECT socketio_emit(event => 'n') FROM many;");
    is(scalar(grep { /Gather/ } @{ $session->{rows} }), 1, 'parallel: a query that could is planned so, one that emits is not');
}
is_emitted(session($node, 'app', $parallel . q{SELECT socketio_emit_values(NULL, 'row', id, repeat('x', 9000)) FROM many WHERE id % 5000 = 0 ORDER BY id;}),
    [ map { [ 'row', $_ * 5000, 'x' x 9000 ] } 1 .. 4 ], 'parallel: emits for rows of a table that parallel plans share');

# A wrapper declared PARALLEL RESTRICTED runs in the leader while workers run: PostgreSQL takes a notification there, and no row.
$node->safe_psql('app', q{
    CREATE FUNCTION restricted(event text, n bigint, pad text) RETURNS void LANGUAGE plpgsql PARALLEL RESTRICTED AS
        $$BEGIN PERFORM socketio_emit_values(NULL, event, n, pad); END$$;
});
{
    my $counted = 'FROM (SELECT count(*) AS n FROM many) AS counted;';
    my $session = session($node, 'app', "$parallel SELECT restricted('small', n, '') $counted SELECT restricted('large', n, repeat('x', 9000)) $counted" . small('after'));
    is_refused($session, { sqlstate => '25000', message => qr/cannot execute INSERT during a parallel operation/ }, 'parallel: no attachment in a leader');
    is_deeply(events($session), [ [ 'small', 20000, '' ], ['after'] ], 'parallel: notifications in a leader');
}

# One that hides behind a function that lies about itself fails as pg_notify does there, and takes nothing along.
$node->safe_psql('app', q{
    CREATE FUNCTION lying(n int) RETURNS void LANGUAGE plpgsql PARALLEL SAFE AS
        $$BEGIN PERFORM socketio_emit(event => 'lie', args => to_jsonb(n)); END$$;
});
{
    my $session = session($node, 'app', "$parallel SET parallel_leader_participation = off; SELECT lying(id) FROM many;" . small('after'));
    is_deeply(events($session), arrives('after'), 'parallel: what lies about itself emits nothing');
    like($session->{errors}[0]{message}, qr/cannot send notifications from a parallel worker/, 'parallel: what lies about itself is told so');
}

# Emits that are switched off.
arrive('switched off and on', 'SET socketio_emitter.enabled = off;' . small('never') . large('large never') . 'SET socketio_emitter.enabled = on;' . small('a'), 'a');
arrive('switched off for a transaction', 'BEGIN; SET LOCAL socketio_emitter.enabled = off;' . small('never') . 'COMMIT;' . small('a'), 'a');

# That lie is an internal error of PostgreSQL's own making.
server_is_sound($node, allowed => qr/cannot send notifications from a parallel worker/);
done_testing();
