# When attachments are dated that the worker announces. It may do so long after the commit, so that their rows lie a day ahead
# until then. Dating them back never holds a delivery up, runs nobody's code, and does without where it is not to be had at once.

use strict;
use warnings;

use DeliveryTest;
use EmitterTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_delivery_cluster('main', settings => ['socketio_emitter.queue_size = 256kB']);
create_database($node, 'app', q{
    CREATE EXTENSION socketio_emitter;
    ALTER TABLE socket_io_attachments SET LOGGED;
    CREATE TABLE called (what text);
    CREATE FUNCTION called() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO called VALUES (tg_table_name); RETURN NEW; END$$;
});
my $listener = start_listening($node, 'app');

sub through
{
    my ($table) = @_;
    return "SET socketio_emitter.attachment_table = '$table';\n";
}

# Stop a worker that was at work just now; false for one that was about to end.
sub stop_worker
{
    $node->safe_psql('app', small('wake up'));
    my $worker = worker_pid($node, 'app');
    return if !$worker || !kill 'STOP', $worker;
    return $worker if stats($node, 'app', 'worker_pid') eq $worker;
    kill 'CONT', $worker;
    return;
}

# The worker stands still while something is emitted and something else happens; then it goes on.
sub while_stopped
{
    my (@steps) = @_;
    my $pid = until_true('a worker that stands still', \&stop_worker);
    my @results = map { ref $_ ? scalar $_->() : $node->safe_psql('app', $_) } @steps;
    kill 'CONT', $pid;
    return @results;
}

sub arrived
{
    return [ grep { $_ ne 'wake up' } @{ next_events($node, 'app', $listener) } ];
}

# How many rows of a table are dated how.
sub dates
{
    my ($table) = @_;
    return $node->safe_psql('app', sprintf q{
        SELECT format('%%s now, %%s ahead by a day, %%s by minutes',
            count(*) FILTER (WHERE created_at BETWEEN clock_timestamp() - interval '1 hour' AND clock_timestamp()),
            count(*) FILTER (WHERE created_at BETWEEN clock_timestamp() + interval '23 hours' AND clock_timestamp() + interval '1 day'),
            count(*) FILTER (WHERE created_at BETWEEN clock_timestamp() AND clock_timestamp() + interval '10 min'))
        FROM %s}, $table // 'socket_io_attachments');
}

sub until_dates
{
    my ($expected, $table) = @_;
    return until_true("rows to be $expected", sub { dates($table) eq $expected });
}

sub empty
{
    $node->safe_psql('app', 'TRUNCATE ' . ($_[0] // 'socket_io_attachments'));
    return;
}

# A worker that stands still, however long.
my (undef, $ahead) = while_stopped(large('a') . large('b'), sub { dates() });
is($ahead, '0 now, 2 ahead by a day, 0 by minutes', 'until the worker goes on: a day ahead');
is_deeply(arrived(), [ ('attachment') x 2 ], 'the worker goes on: they arrive');
ok(until_dates('2 now, 0 ahead by a day, 0 by minutes'), 'the worker goes on: they are dated back');
empty();

# The date is that of the notification, not of the commit.
my (undef, $committed) = while_stopped(large('a'), 'SELECT clock_timestamp()');
until_dates('1 now, 0 ahead by a day, 0 by minutes');
is($node->safe_psql('app', "SELECT created_at > '$committed' FROM socket_io_attachments"), 't', 'dated with the notification');
arrived();
empty();

# Locks of others: on the table, on a row, on the index. The delivery goes on, and rows stay as they are.
sub with_lock
{
    my ($name, $lock, $expected) = @_;
    my $other = $node->background_psql('app');
    $other->query_safe('BEGIN');
    while_stopped(large('a') . large('b'), sub { $other->query_safe($lock) });
    is_deeply(arrived(), [ ('attachment') x 2 ], "$name: they arrive, and so does what comes next");
    $other->query_safe('COMMIT');
    $other->quit;
    is(dates(), $expected, "$name: rows that are locked stay ahead");
    empty();
    return;
}
my $both_ahead = '0 now, 2 ahead by a day, 0 by minutes';
with_lock('a lock on the table', 'LOCK TABLE socket_io_attachments', $both_ahead);
with_lock('an index under way', 'LOCK TABLE socket_io_attachments IN SHARE MODE', $both_ahead);
with_lock('a lock on the index', 'ALTER INDEX socket_io_attachments_pkey SET TABLESPACE pg_default', $both_ahead);
with_lock('a lock on a row', 'SELECT FROM socket_io_attachments WHERE id = (SELECT min(id) FROM socket_io_attachments) FOR UPDATE',
    '1 now, 1 ahead by a day, 0 by minutes');
with_lock('a row that is being deleted', 'DELETE FROM socket_io_attachments WHERE id = (SELECT min(id) FROM socket_io_attachments)',
    '1 now, 0 ahead by a day, 0 by minutes');

# What becomes of the table meanwhile.
my $columns = '(id bigserial UNIQUE, created_at timestamptz, payload bytea)';
sub with_change
{
    my ($name, $change, $table, $expected) = @_;
    $node->safe_psql('app', "CREATE TABLE changing $columns");
    while_stopped(through('changing') . large('a'), sub { $node->safe_psql('app', $change) });
    is_deeply(arrived(), ['attachment'], "$name: it arrives");
    is(dates($table), $expected, "$name: what becomes of the row") if defined $table;
    $node->safe_psql('app', 'DROP TABLE IF EXISTS changing, renamed');
    return;
}
my $ahead_still = '0 now, 1 ahead by a day, 0 by minutes';
my $in_time = '1 now, 0 ahead by a day, 0 by minutes';
with_change('dropped', 'DROP TABLE changing');
with_change('without its column', 'ALTER TABLE changing DROP created_at');
with_change('without its id', 'ALTER TABLE changing DROP id', 'changing', $ahead_still);
with_change('renamed', 'ALTER TABLE changing RENAME TO renamed', 'renamed', $in_time);
with_change('with ids of another type', 'ALTER TABLE changing ALTER id DROP DEFAULT, ALTER id TYPE text', 'changing', $in_time);
with_change('with a trigger', 'CREATE TRIGGER t BEFORE UPDATE ON changing FOR EACH ROW EXECUTE FUNCTION called()', 'changing', $ahead_still);
with_change('with a check', 'ALTER TABLE changing ADD CHECK (length(payload) > 0)', 'changing', $ahead_still);
is($node->safe_psql('app', 'SELECT count(*) FROM called'), '0', 'the trigger has not run');

# A table whose UPDATE would run code is left alone from the start.
$node->safe_psql('app', "CREATE TABLE left_alone $columns; CREATE TRIGGER t AFTER UPDATE ON left_alone FOR EACH ROW EXECUTE FUNCTION called()");
$node->safe_psql('app', through('left_alone') . large('a'));
is_deeply(arrived(), ['attachment'], 'left alone: it arrives');
is(dates('left_alone'), '0 now, 0 ahead by a day, 1 by minutes', 'left alone: dated ahead by minutes');
is($node->safe_psql('app', 'SELECT count(*) FROM called'), '0', 'left alone: the trigger has not run');

# Tables that serve.
my %serving = (
    uuids   => 'CREATE TABLE uuids (id uuid DEFAULT gen_random_uuid() UNIQUE, created_at timestamptz, payload bytea)',
    texts   => q{CREATE TABLE texts (id text DEFAULT 'a "quoted" \ id ' || random(), created_at timestamptz, payload bytea)},
    a_child => 'CREATE TABLE a_parent (id bigserial, created_at timestamp, payload bytea); CREATE TABLE a_child () INHERITS (a_parent)',
    a_parent => undef,
);
for my $table (sort keys %serving)
{
    $node->safe_psql('app', $serving{$table}) if defined $serving{$table};
    $node->safe_psql('app', through($table) . large('a'));
    is_deeply(arrived(), ['attachment'], "$table: it arrives");
    ok(until_dates($in_time, $table), "$table: dated back");
    empty($table);
}

# Savepoints, and emits of which the first went by NOTIFY.
$node->safe_psql('app', 'SET socketio_emitter.delivery = notify; BEGIN;' . large('a') . 'SET LOCAL socketio_emitter.delivery = worker; SAVEPOINT s;' . large('b')
      . 'ROLLBACK TO s; SAVEPOINT s;' . large('c') . 'RELEASE s; SET LOCAL socketio_emitter.delivery = notify;' . large('d') . 'SELECT pg_sleep(0.6); COMMIT;');
is_deeply(arrived(), [ ('attachment') x 3 ], 'by both ways: they arrive');
ok(until_dates('3 now, 0 ahead by a day, 0 by minutes'), 'by both ways: dated in time');
empty();

# A transaction with more than the queue takes notifies by itself, and dates back by itself.
$node->safe_psql('app', 'BEGIN;' . large('a') . q{SELECT count(socketio_emit(event => 'pad', args => to_jsonb(repeat('x', 7000) || n))) FROM generate_series(1, 50) AS n;}
      . large('b') . 'COMMIT;');
is(dates(), '2 now, 0 ahead by a day, 0 by minutes', 'more than the queue takes: dated back by the commit');
is_deeply(arrived(), [ 'attachment', ('pad') x 50, 'attachment' ], 'more than the queue takes: they arrive');
empty();

# Settings of the database that the worker meets as well.
until_no_worker($node, 'app');
$node->safe_psql('app', 'ALTER DATABASE app SET default_transaction_isolation = serializable; ALTER DATABASE app SET default_transaction_read_only = on;'
      . 'ALTER DATABASE app SET default_transaction_deferrable = on; ALTER DATABASE app SET search_path = nowhere;');
$node->safe_psql('app', 'BEGIN READ WRITE; SET LOCAL search_path = public;' . large('a') . 'COMMIT;');
ok(until_dates($in_time, 'public.socket_io_attachments'), 'settings of the database: dated back');
$node->safe_psql('postgres', 'ALTER DATABASE app RESET ALL');
is_deeply(arrived(), ['attachment'], 'settings of the database: it arrives');
empty();

# Dating that fails is logged, and not tried again at once; deliveries go on. Here, a superuser's operators.
until_no_worker($node, 'app');
$node->safe_psql('app', qq{
    CREATE TABLE failing $columns;
    CREATE FUNCTION compare(timestamptz, timestamptz) RETURNS int LANGUAGE plpgsql IMMUTABLE AS \$\$
    BEGIN
        IF EXISTS (SELECT FROM pg_stat_activity WHERE pid = pg_backend_pid() AND backend_type = 'socketio_emitter delivery') THEN
            RAISE 'compared by the worker';
        END IF;
        RETURN timestamptz_cmp(\$1, \$2);
    END\$\$;
    CREATE OPERATOR CLASS failing_ops FOR TYPE timestamptz USING btree AS
        OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 compare(timestamptz, timestamptz);
    CREATE INDEX ON failing (created_at failing_ops);
});
my $log_offset = -s $node->logfile;
for my $turn (1 .. 3)
{
    $node->safe_psql('app', through('failing') . large('a') . large('b'));
    is_deeply(arrived(), [ ('attachment') x 2 ], "dating that fails, turn $turn: they arrive");
}
is(scalar(() = slurp_file($node->logfile, $log_offset) =~ /ERROR:  compared by the worker/g), 1, 'dating that fails: logged once');
is(dates('failing'), '0 now, 6 ahead by a day, 0 by minutes', 'dating that fails: rows stay ahead');
is(stats($node, 'app', 'coalesce(last_error, $$none$$)'), 'none', 'dating that fails: no error of deliveries');
$node->safe_psql('app', 'DROP TABLE failing');
until_no_worker($node, 'app');

# A crash in between loses what was queued; the rows are left for a day and no longer.
while_stopped(large('a'), sub {
    my $offset = -s $node->logfile;
    kill 'KILL', worker_pid($node, 'app');
    $node->wait_for_log(qr/all server processes terminated; reinitializing/, $offset);
});
stop_listening($listener);
until_true('the server to be up', sub { $node->psql('postgres', 'SELECT 1') == 0 });
is(dates(), $ahead_still, 'a crash: the row lies a day ahead');
empty();

# Under load: each once, in order, and none stays ahead.
create_delivery_database($node, 'busy');
my $busy = start_listening($node, 'busy');
run_load($node, 'busy', clients => 16, transactions => 100, name => 'under load');
is_complete($node, 'busy', $busy, 'under load', at_least => 1000);
until_no_worker($node, 'busy');
is($node->safe_psql('busy', 'SELECT count(*) FILTER (WHERE created_at > now()), count(*) > 20 FROM socket_io_attachments'), '0|t', 'under load: none stays ahead');
stop_listening($busy);

server_is_sound($node, allowed => qr/terminated by signal 9/);
done_testing();
