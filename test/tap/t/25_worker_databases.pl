# The worker of delivery = 'worker' is in nobody's way: databases are dropped, copied, moved and renamed while it has nothing to do
# and right after it had. Where there is no room for a worker or a queue, transactions notify by themselves.

use strict;
use warnings;

use DeliveryTest;
use EmitterTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_delivery_cluster('main', settings => [ 'fsync = off', 'allow_in_place_tablespaces = on' ]);
$node->safe_psql('postgres', q{CREATE TABLESPACE place LOCATION ''});

# By database. All at once, as each waits for a worker to end.
my %statements = (
    copied  => 'CREATE DATABASE copy TEMPLATE copied',
    moved   => 'ALTER DATABASE moved SET TABLESPACE place',
    renamed => 'ALTER DATABASE renamed RENAME TO other',
    dropped => 'DROP DATABASE dropped',
);
for my $is_busy (0, 1)
{
    my $state = $is_busy ? 'the worker is busy' : 'the worker is idle';
    my (%workers, %sessions);
    for my $database (sort keys %statements)
    {
        create_delivery_database($node, $database);
        $node->safe_psql($database, 'SELECT put(1)');
        $workers{$database} = until_worker($node, $database);
        next if !$is_busy;
        kill 'STOP', $workers{$database};
        $node->safe_psql($database, 'SELECT count(put(1, 500)) FROM generate_series(1, 5000)');
    }
    for my $database (sort keys %statements)
    {
        $sessions{$database} = session_in_background($node, 'postgres', "SET application_name = 'in the way?'; $statements{$database};");
    }
    until_true('statements to wait', sub {
        $node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE application_name = 'in the way?' AND state = 'active'}) eq '4';
    }) if $is_busy;
    kill 'CONT', values %workers;
    for my $database (sort keys %statements)
    {
        ok(finish($sessions{$database}), "$state: $statements{$database}") || diag $sessions{$database}{errors};
    }
    is($node->safe_psql('copy', 'SELECT count(*) > 0 FROM committed'), 't', "$state: the copy is whole");
    $node->safe_psql('postgres', "DROP DATABASE $_") for 'copy', 'copied', 'moved', 'other';
}

# Dropped by force, or right after its worker was told to go: nobody looks for it afterwards.
for my $force (0, 1)
{
    create_delivery_database($node, 'app');
    $node->safe_psql('app', 'SELECT put(1)');
    until_worker($node, 'app');
    $node->safe_psql('postgres', "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'app'") if !$force;
    $node->safe_psql('postgres', 'DROP DATABASE app' . ($force ? ' WITH (FORCE)' : ''));
}
create_delivery_database($node, 'app');
{
    # A worker that comes and goes: that takes longer than it takes another to be started again.
    $node->safe_psql('app', 'SELECT put(1)');
    until_worker($node, 'app');
    until_no_worker($node, 'app');
    unlike(slurp_file($node->logfile), qr/FATAL:.*database \d+ does not exist/, 'no worker looks for a database that is gone');
}
$node->stop;
server_is_sound($node);

# No room for workers at all, or not now.
my $full = start_delivery_cluster('full', settings => ['max_worker_processes = 0']);
create_delivery_database($full, 'app');
{
    my $listener = start_listening($full, 'app');
    $full->safe_psql('app', 'SELECT put(1)') for 1 .. 5;
    run_load($full, 'app', clients => 4, transactions => 25, name => 'no worker');
    is_complete($full, 'app', $listener, 'no worker', at_least => 80);
    is(stats($full, 'app', 'worker_emits', 'queue_used', 'notify_emits > 0', 'fallbacks > 0', 'worker_pid IS NULL'), '0|0|t|t|t', 'no worker: all notify by themselves');
    stop_listening($listener);
}
$full->stop;
server_is_sound($full);

# One worker, and two databases: the other notifies by itself until there is room.
my $scarce = start_delivery_cluster('scarce', settings => [ 'max_worker_processes = 1', 'max_logical_replication_workers = 0' ]);
create_delivery_database($scarce, $_) for 'one', 'two';
{
    my %listeners = map { $_ => start_listening($scarce, $_) } 'one', 'two';
    my $load = start_load($scarce, 'one', clients => 2);
    until_worker($scarce, 'one');
    run_load($scarce, 'two', clients => 2, transactions => 50, name => 'max_worker_processes is used up');
    cmp_ok(stats($scarce, 'two', 'fallbacks'), '>', 0, 'max_worker_processes is used up: the other notifies by itself');
    stop_load($load);
    until_no_worker($scarce, 'one');
    my $listener = $listeners{two};
    until_true('a worker for the other', sub { $scarce->safe_psql('two', 'SELECT put(1)'); worker_pid($scarce, 'two') });
    is_complete($scarce, $_, $listeners{$_}, "max_worker_processes is used up: $_") for 'one', 'two';
    stop_listening($_) for values %listeners;
}
$scarce->stop;
server_is_sound($scarce);

# One queue, and two databases.
my $single = start_delivery_cluster('single', settings => ['socketio_emitter.max_databases = 1']);
create_delivery_database($single, $_) for 'one', 'two';
{
    my %listeners = map { $_ => start_listening($single, $_) } 'one', 'two';
    my $load = start_load($single, 'one', clients => 2);
    until_worker($single, 'one');
    run_load($single, 'two', clients => 2, transactions => 50, name => 'max_databases is used up');
    is(worker_pid($single, 'two'), '', 'max_databases is used up: the other has no worker');
    stop_load($load);
    is_complete($single, $_, $listeners{$_}, "max_databases is used up: $_") for 'one', 'two';

    # When the first is through, the other gets its queue.
    until_no_worker($single, 'one');
    until_true('a worker of the other', sub { $single->safe_psql('two', 'SELECT put(1)'); worker_pid($single, 'two') });
    is_complete($single, 'two', $listeners{two}, 'the queue goes to the other');
    stop_listening($_) for values %listeners;
}
$single->stop;
server_is_sound($single);
done_testing();
