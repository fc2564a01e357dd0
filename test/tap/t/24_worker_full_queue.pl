# delivery = 'worker' and a queue that is full: commits wait, and can be told not to. A worker that is stopped drains nothing.

use strict;
use warnings;

use DeliveryTest;
use EmitterTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_delivery_cluster('main', settings => ['socketio_emitter.queue_size = 64kB']);
create_delivery_database($node, 'app');
$node->safe_psql('app', 'CREATE PROCEDURE commits() LANGUAGE plpgsql AS $$BEGIN PERFORM put(1, 4000); COMMIT; END$$');

my $listener = start_listening($node, 'app');
$node->safe_psql('app', 'SELECT put(1)');
my $worker = until_worker($node, 'app');
until_true('an empty queue', sub { stats($node, 'app', 'queue_used') eq '0' });

# Whatever happens here, a stopped process must not be left behind.
END { kill 'CONT', $worker if $worker }

# 15 emits of 4 kB and a bit: there is no room for another.
kill 'STOP', $worker;
$node->safe_psql('app', 'SELECT put(1, 4000)') for 1 .. 15;
my $used = stats($node, 'app', 'queue_used');
cmp_ok($used, '>', 56 * 1024, 'the queue is full');

my $waits = q{SELECT pid FROM pg_stat_activity WHERE application_name = '%s' AND wait_event_type = 'Extension'};

sub start_waiting
{
    my ($name, $sql) = @_;
    my $session = session_in_background($node, 'app', "SET application_name = '$name'; $sql");
    $session->{pid} = until_true("$name to wait", sub { $node->safe_psql('postgres', sprintf $waits, $name) });
    return $session;
}

sub ends
{
    my ($session, $pattern, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    ok(!finish($session), "$name: it fails");
    like($session->{errors}, $pattern, $name);
    is(stats($node, 'app', 'queue_used'), $used, "$name: nothing of it is in the queue");
    return;
}

# Those that are told to give up do, and what they did is undone.
# Each is a client of its own, with a number above that of others.
my $put = 'SELECT put(1000 + pg_backend_pid(), 7000);';
my %held = map { $_ => start_waiting($_, $put) } 'cancelled', 'terminated';
$node->safe_psql('postgres', "SELECT pg_cancel_backend($held{cancelled}{pid})");
ends($held{cancelled}, qr/57014: canceling statement due to user request/, 'pg_cancel_backend');
$node->safe_psql('postgres', "SELECT pg_terminate_backend($held{terminated}{pid})");
ends($held{terminated}, qr/57P01: terminating connection/, 'pg_terminate_backend');
ends(start_waiting('procedure', "SET statement_timeout = '500ms'; CALL commits();"), qr/57014: canceling statement due to statement timeout/,
    'statement_timeout of a procedure that commits');
is($node->safe_psql('app', 'SELECT count(*) FROM committed WHERE client > 1000'), '0', 'those that gave up have written nothing');

# PostgreSQL measures neither statement_timeout nor lock_timeout while a transaction commits: those wait on. So do others, and more
# of them than fit at once.
my @patient = (
    start_waiting('timeouts', "SET statement_timeout = '100ms'; SET lock_timeout = '100ms'; $put"),
    start_waiting('block',    "BEGIN; $put SAVEPOINT s; $put ROLLBACK TO s; COMMIT;"),
    map({ start_waiting("patient $_", $put) } 1 .. 12));
is(heard($listener), 1, 'nothing has arrived since the worker stopped');

# What emits more than the whole queue holds does not wait: it notifies by itself, and overtakes.
$node->safe_psql('app', 'SELECT count(put(3, 4000)) FROM generate_series(1, 30)');
until_true('what did not wait', sub { heard($listener) > 1 });
is(heard($listener), 31, 'a transaction larger than the queue arrives at once');
is(stats($node, 'app', 'fallbacks', 'queue_used <= queue_size'), '1|t', 'a transaction larger than the queue: a fallback');

# An emit that only others hold up is rolled back without waiting.
$node->safe_psql('app', "BEGIN; $put ROLLBACK;");

kill 'CONT', $worker;
for my $session (@patient)
{
    ok(finish($session), 'one that waited commits');
}
is_complete($node, 'app', $listener, 'after waiting', at_least => 50);
my $received = received($listener);
cmp_ok(scalar(grep { $_ > 1000 } values %{ $received->{client} }) + @{ $received->{attachments} }, '>=', 14, 'after waiting: all who waited have been heard');
is(stats($node, 'app', 'queue_used', 'fallbacks'), '0|1', 'after waiting: the queue is empty, and nobody else had to notify');

# The worker is gone for good while others wait: they get another.
kill 'STOP', $worker;
$node->safe_psql('app', 'SELECT put(4, 4000)') for 1 .. 15;
@patient = map { start_waiting("orphan $_", $put) } 1 .. 4;
$node->safe_psql('postgres', "SELECT pg_terminate_backend($worker)");
kill 'CONT', $worker;
for my $session (@patient)
{
    ok(finish($session), 'one that waited for a worker that ends commits');
}
undef $worker;
is_complete($node, 'app', $listener, 'after a worker that ended', at_least => 65);
stop_listening($listener);

$node->stop;
server_is_sound($node);
done_testing();
