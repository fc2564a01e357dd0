# delivery = 'worker' under load: what was committed arrives, all of it, once and in order, whatever else happens: rollbacks,
# queues of the smallest size, several databases, and a worker that is told to go at any moment.

use strict;
use warnings;

use DeliveryTest;
use EmitterTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes 'usleep';

my $node = start_delivery_cluster('main', settings => [ 'socketio_emitter.queue_size = 64kB', 'fsync = off' ]);
create_delivery_database($node, $_) for 'app', 'one', 'two', 'three', 'serial';

# 64 clients, into a queue that is full most of the time.
{
    my $listener = start_listening($node, 'app');
    run_load($node, 'app', transactions => 40, name => '64 clients');
    is_complete($node, 'app', $listener, '64 clients', at_least => 64 * 40);
    my ($size, $used, $high_water, $emits) = split /\|/, stats($node, 'app', qw(queue_size queue_used queue_high_water worker_emits));
    is($size, 64 * 1024, '64 clients: size of the queue');
    is($used, 0, '64 clients: the queue is empty');
    cmp_ok($high_water, '>', 16 * 1024, '64 clients: the queue was used');
    cmp_ok($high_water, '<=', $size, '64 clients: and never overfull');
    is(stats($node, 'app', 'notify_emits', 'fallbacks'), '0|0', '64 clients: nobody had to notify');
    is($emits, scalar @{ $listener->{received} }, '64 clients: as many emits were counted as arrived');

    # The heaviest load: every transaction fills a third of the queue. Clients overtake each other for room, and all get some.
    run_load($node, 'app', transactions => 5, script => 'SELECT count(put(:client_id, 1000)) FROM generate_series(1, 18);', name => 'heavy transactions');
    is_complete($node, 'app', $listener, 'heavy transactions', at_least => 64 * (40 + 5 * 18));

    # One that needs nearly all of the queue is not kept out for ever by others that need little.
    my $load = start_load($node, 'app', clients => 16, script => 'SELECT put(:client_id, 100);');
    my $arrived = heard($listener);
    until_true('load', sub { heard($listener) > $arrived + 200 });
    $node->psql('app', 'SELECT count(put(1000, 2500)) FROM generate_series(1, 23);', timeout => 30, timed_out => \my $timed_out);
    ok(!$timed_out, 'a transaction that needs nearly the whole queue gets it under load');
    stop_load($load);
    is_complete($node, 'app', $listener, 'one large transaction among small ones');
    is(stats($node, 'app', 'fallbacks'), '0', 'one large transaction among small ones: nobody had to notify');

    # The worker is told to go at any moment: it comes back.
    $load = start_load($node, 'app', clients => 16);
    for my $round (1 .. 5)
    {
        $arrived = heard($listener);
        until_true('load', sub { heard($listener) > $arrived + 100 });
        my $pid = until_worker($node, 'app');
        $node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)") if $round == 3;
        $node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)");
        usleep(int rand 200_000);
    }
    $arrived = heard($listener);
    until_true('load after it all', sub { heard($listener) > $arrived + 100 });
    stop_load($load);
    is_complete($node, 'app', $listener, 'a worker that is told to go');

    # Without load, it goes at once, and comes back with the next emit.
    my $pid = do { $node->safe_psql('app', 'SELECT put(1)'); until_worker($node, 'app') };
    $node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)");
    until_true('the worker to go', sub { worker_pid($node, 'app') ne $pid });
    $node->safe_psql('app', 'SELECT put(1)');
    isnt(until_worker($node, 'app'), $pid, 'a worker that is told to go: another comes');
    is_complete($node, 'app', $listener, 'another worker');
    stop_listening($listener);
}

# Several databases at once, each with a worker and a queue of its own.
{
    my @databases = ('one', 'two', 'three');
    my %listeners = map { $_ => start_listening($node, $_) } @databases;
    my %loads = map { $_ => start_load($node, $_, clients => 10, transactions => 60) } @databases;
    my %workers = map { $_ => until_worker($node, $_) } @databases;
    is(scalar keys %{ { reverse %workers } }, 3, 'several databases: a worker each');
    ok(wait_for_load($loads{$_}), "several databases: the load of $_") for @databases;
    is_complete($node, $_, $listeners{$_}, "several databases: $_", at_least => 600) for @databases;
    stop_listening($_) for values %listeners;
}

# Transactions that do not overlap arrive in the order in which they ran, whoever ran them. A lock keeps them apart, which is given
# back when COMMIT has returned.
{
    my $listener = start_listening($node, 'serial');
    run_load($node, 'serial', clients => 32, transactions => 25, name => 'one after another', script => q{
        SELECT pg_advisory_lock(1);
        BEGIN;
        SELECT put(:client_id, 10);
        SELECT put(:client_id, 10);
        COMMIT;
        SELECT pg_advisory_unlock(1);
    });
    is_complete($node, 'serial', $listener, 'one after another', at_least => 32 * 25);
    my $ids = received($listener)->{put};
    is_deeply($ids, [ sort { $a <=> $b } @$ids ], 'one after another: in order over all clients');
    stop_listening($listener);
}

$node->stop;
server_is_sound($node);
done_testing();
