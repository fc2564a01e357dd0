# Triggers that write to the table they are on: whoever applies the events in their order ends with the table as it is.

use strict;
use warnings;

use EmitterTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_cluster('order');

# What a client knows that applies the events of a session: id => v. Options: known (what it knew before), table.
sub follow
{
    my ($session, %known) = @_;
    for my $event (@{ events($session) })
    {
        my ($name, $change) = @$event;
        next if ref $change ne 'HASH' || !exists $change->{op};
        my @old = @{ $change->{old_records} // [ $change->{old_record} // () ] };
        my @new = @{ $change->{records}     // [ $change->{record}     // () ] };
        delete $known{ $_->{id} } for @old;
        $known{ $_->{id} } = $_->{v} for @new;
    }
    return \%known;
}

sub table_of
{
    my ($database) = @_;
    return { map { split /\|/ } split /\n/, $node->safe_psql($database, 'SELECT id, v FROM t') };
}

# Run `$sql` and compare. Returns the events, short: [op, v of the rows...].
sub converges
{
    my ($database, $sql, $what) = @_;
    my $before = table_of($database);
    my $session = session($node, $database, $sql);
    is_deeply(follow($session, %$before), table_of($database), $what) or diag($sql);
    return [ map { my $change = $_->[1]; [ $change->{op}, map { $_->{v} } @{ $change->{records} // $change->{old_records} } ] }
          grep { ref $_->[1] eq 'HASH' } @{ events($session) } ];
}

sub by_statement
{
    my ($database, $triggers) = @_;
    create_database($node, $database, 'CREATE EXTENSION socketio_emitter; CREATE TABLE t (id int PRIMARY KEY, v int); '
          . $triggers . q{ SELECT socketio_watch_statement('t');});
    return $database;
}

sub trigger
{
    my ($name, $when, $body, $condition) = @_;
    return "CREATE FUNCTION $name() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN $body; RETURN coalesce(NEW, OLD); END \$\$;"
      . " CREATE TRIGGER $name $when ON t FOR EACH ROW " . ($condition ? "WHEN ($condition)" : '') . " EXECUTE FUNCTION $name();";
}

# One statement in another
my $ten = by_statement('ten', trigger('ten_times', 'AFTER UPDATE', 'UPDATE t SET v = 10 * v WHERE id = NEW.id', 'pg_trigger_depth() = 0'));
is_deeply(converges($ten, 'INSERT INTO t VALUES (1, 1), (2, 2);', 'INSERT alone'), [ [ 'insert', 1, 2 ] ], 'one event');
is_deeply(converges($ten, 'UPDATE t SET v = 5 WHERE id = 1;', 'UPDATE in UPDATE'), [ [ 'update', 5 ], [ 'update', 50 ] ], 'the outer first');
is_deeply(converges($ten, 'UPDATE t SET v = id;', 'UPDATE in UPDATE of two rows'),
    [ [ 'update', 2, 1 ], [ 'update', 20 ], [ 'update', 10 ] ], 'the outer first, then the nested ones in their order');
converges($ten, 'INSERT INTO t VALUES (1, 3), (3, 3) ON CONFLICT (id) DO UPDATE SET v = EXCLUDED.v;', 'INSERT ... ON CONFLICT DO UPDATE');
converges($ten, 'WITH a AS (UPDATE t SET v = 4 WHERE id = 1 RETURNING 1), b AS (DELETE FROM t WHERE id = 2) UPDATE t SET v = 6 WHERE id = 3;',
    'a query that writes three times');
converges($ten, "COPY t FROM STDIN;\n7\t7\n8\t8\n\\.\nUPDATE t SET v = 2 WHERE id > 6;", 'COPY, then UPDATE');
converges($ten, 'MERGE INTO t USING (VALUES (1, 5), (20, 5)) AS s (id, v) ON t.id = s.id
    WHEN MATCHED THEN UPDATE SET v = s.v WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.v);', 'MERGE');
converges($ten, 'UPDATE t SET v = 3 WHERE false; UPDATE t SET v = 3;', 'a statement without rows');

# What is rolled back is not sent, and the rest is.
converges($ten, 'BEGIN; UPDATE t SET v = 11 WHERE id = 1; SAVEPOINT s; UPDATE t SET v = 12 WHERE id = 1; ROLLBACK TO s; UPDATE t SET v = 13 WHERE id = 3; COMMIT;',
    'savepoints around statements');
my $caught = by_statement('caught', trigger('try', 'AFTER UPDATE', q{BEGIN UPDATE t SET v = v + 1 WHERE id = NEW.id; UPDATE t SET v = v + 1;
    IF NEW.v % 2 = 0 THEN RAISE 'no'; END IF; EXCEPTION WHEN raise_exception THEN NULL; END}, 'pg_trigger_depth() = 0'));
converges($caught, 'INSERT INTO t SELECT n, n FROM generate_series(1, 4) AS n; UPDATE t SET v = v;', 'nested statements that are caught');
is_deeply(converges($caught, 'UPDATE t SET v = 2 WHERE id = 1;', 'a nested statement that is caught'), [ [ 'update', 2 ] ], 'it leaves nothing behind');
converges($caught, q{DO $$ BEGIN UPDATE t SET v = 1 / 0 * v; EXCEPTION WHEN division_by_zero THEN UPDATE t SET v = 7 WHERE id = 2; END $$;
    UPDATE t SET v = 9 WHERE id = 2;}, 'an outer statement that is caught');

# Large events, which are announced
my $large = by_statement('large', 'ALTER TABLE t ADD note text;' . trigger('ten_times', 'AFTER UPDATE', 'UPDATE t SET v = 10 * v WHERE id = NEW.id', 'pg_trigger_depth() = 0'));
converges($large, q{INSERT INTO t VALUES (1, 1, repeat('x', 9000)); UPDATE t SET v = 5;}, 'attachments');

# A row that goes
my $gone = by_statement('gone', trigger('away', 'AFTER INSERT', 'DELETE FROM t WHERE id = NEW.id', 'NEW.v < 0'));
is_deeply(converges($gone, 'INSERT INTO t VALUES (1, -1);', 'DELETE in INSERT'), [ [ 'insert', -1 ], [ 'delete', -1 ] ], 'no ghost');

# BEFORE triggers: what makes room for a row comes in front of it.
my $room = by_statement('room', trigger('make_room', 'BEFORE INSERT', 'DELETE FROM t WHERE id = NEW.id'));
converges($room, 'INSERT INTO t VALUES (1, 1); INSERT INTO t VALUES (1, 2);', 'DELETE before INSERT');
converges($room, 'INSERT INTO t VALUES (2, 1), (1, 3);', 'DELETE before INSERT of several rows');
my $shift = by_statement('shift', trigger('shift', 'BEFORE UPDATE', 'UPDATE t SET v = v + 1 WHERE id = NEW.id - 1', 'pg_trigger_depth() = 0'));
converges($shift, 'INSERT INTO t SELECT n, n FROM generate_series(1, 4) AS n; UPDATE t SET v = 10 * v;', 'UPDATE before UPDATE');

# Foreign keys within the table
my $tree = by_statement('tree', 'ALTER TABLE t ADD up int REFERENCES t ON DELETE CASCADE ON UPDATE CASCADE;');
converges($tree, 'INSERT INTO t VALUES (1, 1, NULL), (2, 2, 1), (3, 3, 2), (4, 4, NULL); UPDATE t SET id = 10 WHERE id = 1; DELETE FROM t WHERE id = 10;',
    'a foreign key that cascades');
my $null = by_statement('nulled', 'ALTER TABLE t ADD up int REFERENCES t ON DELETE SET NULL;'
      . trigger('ten_times', 'AFTER UPDATE', 'UPDATE t SET v = 10 * v WHERE id = NEW.id', 'NEW.v < 100'));
converges($null, 'INSERT INTO t VALUES (1, 1, NULL), (2, 2, 1), (3, 3, 1); DELETE FROM t WHERE id = 1;', 'a foreign key that sets null');

# Switched off on the way
my $off = by_statement('switched', trigger('quiet', 'AFTER UPDATE', q{SET LOCAL socketio_emitter.enabled = off; UPDATE t SET v = 0; SET LOCAL socketio_emitter.enabled = on},
    'pg_trigger_depth() = 0'));
session($node, $off, 'INSERT INTO t VALUES (1, 1);');
is_deeply(events(session($node, $off, "BEGIN; UPDATE t SET v = 5; SELECT socketio_emit(event => 'last'); COMMIT;"))->[1], ['last'], 'nothing waits for what is not sent');

# Anything at all: triggers for rows that update, delete and insert, three deep, and statements of all kinds.
my $random = by_statement('random', trigger('meddle', 'AFTER INSERT OR UPDATE OR DELETE', q{
    CASE (coalesce(NEW.v, OLD.v) + coalesce(NEW.id, OLD.id)) % 7
        WHEN 0 THEN UPDATE t SET v = v + 3 WHERE id = NEW.id;
        WHEN 1 THEN DELETE FROM t WHERE id = NEW.id;
        WHEN 2 THEN UPDATE t SET v = v + 1 WHERE id % 3 = OLD.id % 3;
        WHEN 3 THEN INSERT INTO t VALUES (coalesce(NEW.id, OLD.id) % 20, 5) ON CONFLICT (id) DO UPDATE SET v = t.v + 2;
        WHEN 4 THEN BEGIN
            DELETE FROM t WHERE id % 5 = OLD.id % 5;
            UPDATE t SET v = v + 1 WHERE id < 5;
            IF OLD.v % 2 = 0 THEN RAISE 'no'; END IF;
        EXCEPTION WHEN raise_exception THEN UPDATE t SET v = v + 2 WHERE id = NEW.id;
        END;
        ELSE NULL;
    END CASE}, 'pg_trigger_depth() < 3'));

my $state = 20;
sub below
{
    my ($limit) = @_;
    $state = ($state * 1103515245 + 12345) % 2147483648;
    return int($state / 65536) % $limit;
}

my @statements = (
    sub { sprintf 'INSERT INTO t SELECT n, n * %d FROM generate_series(%d, %d) AS n ON CONFLICT (id) DO UPDATE SET v = EXCLUDED.v;', 1 + below(9), below(10), 10 + below(10) },
    sub { sprintf 'INSERT INTO t VALUES (%d, %d), (%d, %d) ON CONFLICT DO NOTHING;', map { below(20) } 1 .. 4 },
    sub { sprintf 'UPDATE t SET v = (v * %d + %d) %% 1000 WHERE id %% %d = 0;', map { 1 + below(5) } 1 .. 3 },
    sub { sprintf 'DELETE FROM t WHERE id %% %d = 1;', 2 + below(5) },
    sub { sprintf 'MERGE INTO t USING generate_series(0, 9) AS s ON t.id = s WHEN MATCHED AND s %% 2 = 0 THEN DELETE WHEN MATCHED THEN UPDATE SET v = %d WHEN NOT MATCHED THEN INSERT VALUES (s, %d);', below(50), below(50) },
    sub { sprintf 'SAVEPOINT s; UPDATE t SET v = v + %d; ROLLBACK TO s;', below(9) },
    sub { sprintf 'SAVEPOINT s; UPDATE t SET v = v + %d WHERE id < 9; RELEASE s;', below(9) },
);
for my $round (1 .. 60)
{
    my @chosen = map { $statements[ below(scalar @statements) ]->() } 1 .. 1 + below(4);
    converges($random, "BEGIN; @chosen COMMIT;", "random statements, round $round");
}

# By row: a trigger on the same row that comes later by its name.
create_database($node, 'by_row', 'CREATE EXTENSION socketio_emitter; CREATE TABLE t (id int PRIMARY KEY, v int); '
      . trigger('z_meddle', 'AFTER INSERT OR UPDATE', q{CASE NEW.v % 4
            WHEN 0 THEN UPDATE t SET v = v + 1 WHERE id = NEW.id;
            WHEN 1 THEN DELETE FROM t WHERE id = NEW.id;
            WHEN 2 THEN INSERT INTO t VALUES (NEW.id + 100, 4) ON CONFLICT (id) DO NOTHING;
            ELSE NULL; END CASE}, 'pg_trigger_depth() < 3') . q{ SELECT socketio_watch('t');});
for my $round (1 .. 10)
{
    my @chosen = map { sprintf 'INSERT INTO t SELECT n, n + %d FROM generate_series(1, 9) AS n ON CONFLICT (id) DO UPDATE SET v = EXCLUDED.v; UPDATE t SET v = v + %d;', below(9), below(9) } 1 .. 2;
    my $before = table_of('by_row');
    is_deeply(follow(session($node, 'by_row', "BEGIN; @chosen COMMIT;"), %$before), table_of('by_row'), "by row, round $round");
}

server_is_sound($node);
done_testing();
