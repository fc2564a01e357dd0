# Out of memory, wherever it strikes what is emitted: a transaction that holds too much, at an emit or as it commits, fails with
# SQLSTATE 53200 and sends nothing, and its session goes on. What the worker cannot send for lack of memory it tries again.
#
# Memory is made scarce by a limit on the address space of one process, a little above what it has. A request that is larger
# than that fails, and what is left is enough to recover with.

use strict;
use warnings;

use DeliveryTest;
use EmitterTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

plan skip_all => 'there is no prlimit; it comes with util-linux' if system('prlimit --version >/dev/null 2>&1') != 0;
plan skip_all => 'there is no /proc/PID/status, which only Linux has' if !-r '/proc/self/status';

# Without it, glibc keeps what was freed, and a limit would not be felt before that is used up.
$ENV{MALLOC_MMAP_THRESHOLD_} = $ENV{MALLOC_TRIM_THRESHOLD_} = 128 * 1024;

# With wal_level = replica, a commit writes what other sessions have to forget of the catalogs, which takes memory.
my $node = start_delivery_cluster('main', settings => [ 'socketio_emitter.queue_size = 4MB', 'fsync = off', 'wal_level = replica' ]);
create_delivery_database($node, $_) for 'app', 'load', 'worker';

# Commands of a shell: leave a process this many bytes above what it has, and as many as it had before.
sub limit_memory
{
    my ($pid, $bytes) = @_;
    my $size = "sed -n 's/^VmSize:[^0-9]*\\([0-9]*\\) kB/\\1/p' /proc/$pid/status";
    return "prlimit --pid $pid --as=\$((\$($size) * 1024 + $bytes)):";
}

my ($postmaster) = slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/;
chomp(my $unlimited = qx(prlimit --pid $postmaster --as --output SOFT --noheadings --raw));
plan skip_all => 'prlimit may not see the limits of a server of the same user' if $? != 0;

sub lift_limit
{
    my ($pid) = @_;
    return "prlimit --pid $pid --as=$unlimited:";
}

my $kB = 1024;
my $MB = 1024 * $kB;

# What a session loads with its first emits and its first error is there before its memory is limited.
my $warm_up = q{
    DO $$
    BEGIN
        PERFORM socketio_emit(event => 'undone'), socketio_emit(event => 'undone', args => to_jsonb(repeat('x', 9000)));
        RAISE division_by_zero;
    EXCEPTION WHEN division_by_zero THEN NULL;
    END$$;
};

# A limit for the session itself, within its script.
sub limit_own_memory
{
    my ($bytes) = @_;
    return "SELECT pg_backend_pid() AS pid \\gset\n\\setenv PID :pid\n\\! " . limit_memory('$PID', $bytes) . "\n";
}

sub emits
{
    my ($event, $count, $length) = @_;
    return "SELECT count(socketio_emit(event => '$event', args => to_jsonb(repeat('x', $length)))) FROM generate_series(1, $count);\n";
}

my $listener = start_listening($node, 'app');

# What runs in one session runs out of memory `$times` times, and this arrives.
sub runs_out
{
    my ($name, $sql, $times, $expected) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $session = session($node, 'app', $warm_up . $sql, channels => []);
    is_deeply([ map { $_->{sqlstate} } @{ $session->{errors} } ], [ ('53200') x $times ], "$name: errors") or diag explain $session->{errors};
    like($_->{message}, qr/\bout of memory$/, "$name: message") for @{ $session->{errors} };
    is_deeply(next_events($node, 'app', $listener), $expected, "$name: what arrives");
    until_true("$name: an empty queue", sub { stats($node, 'app', 'queue_used') eq '0' });
    is(stats($node, 'app', 'fallbacks'), '0', "$name: nothing that failed is counted as a fallback");
    return;
}

# Emits that do not fit into memory, by far.
my $flood = emits('flood', 1_000_000, 400);
for my $way ('worker', 'notify')
{
    my $limited = "SET socketio_emitter.delivery = '$way';" . limit_own_memory(48 * $MB);
    runs_out("$way: a statement", $limited . $flood . small('after'), 1, ['after']);
    runs_out("$way: rollback", $limited . 'BEGIN;' . small('before') . $flood . 'ROLLBACK;' . small('after') . 'BEGIN;' . $flood . 'COMMIT;' . small('last'), 2, [ 'after', 'last' ]);
    runs_out("$way: savepoints",
        $limited . 'BEGIN;' . small('before') . 'SAVEPOINT s;' . $flood . 'ROLLBACK TO s;' . small('between') . 'SAVEPOINT t;' . small('undone') . $flood . 'ROLLBACK TO t;' . small('after')
          . 'COMMIT;' . small('last'), 2, [ 'before', 'between', 'after', 'last' ]);
    runs_out("$way: a nested savepoint", $limited . 'BEGIN; SAVEPOINT s;' . small('kept') . 'SAVEPOINT t;' . $flood . 'ROLLBACK TO t; RELEASE s;' . small('after') . 'COMMIT;', 1, [ 'kept', 'after' ]);
    runs_out("$way: caught", $limited . q{
        DO $$
        BEGIN
            PERFORM socketio_emit(event => 'before');
            BEGIN
                PERFORM socketio_emit(event => 'undone');
                PERFORM socketio_emit(event => 'flood', args => to_jsonb(repeat('x', 400))) FROM generate_series(1, 1000000);
            EXCEPTION WHEN out_of_memory THEN
                PERFORM socketio_emit(event => 'caught');
            END;
        END$$;
    }, 0, [ 'before', 'caught' ]);
}

# More than the queue holds: what was held is handed to NOTIFY as the transaction commits, and that is too much.
runs_out('too much for NOTIFY at COMMIT', 'BEGIN;' . emits('held', 5000, 7000) . limit_own_memory(8 * $MB) . 'COMMIT;' . small('after'), 1, ['after']);

# A failure after room was reserved in the queue: what a commit has to write, it has to put together. The room is given back, or
# what follows would wait for it.
my $many_columns = join ', ', map { "c$_ int" } 1 .. 1500;
runs_out('after room was reserved', "BEGIN; CREATE TABLE t1 ($many_columns);" . join('', map { "CREATE TABLE t$_ (LIKE t1);" } 2 .. 60) . emits('reserved', 350, 7000) . limit_own_memory(2 * $MB) . 'COMMIT;' . small('after'),
    1, ['after']);
$node->psql('app', emits('fits', 500, 7000), timeout => 30, timed_out => \my $timed_out);
ok(!$timed_out, 'after room was reserved: it was given back');
is_deeply(next_events($node, 'app', $listener), [ ('fits') x 500 ], 'after room was reserved: what needs most of the queue arrives');
is(stats($node, 'app', 'fallbacks'), '0', 'after room was reserved: by way of the queue');
stop_listening($listener);

# Transactions of every size: by way of the queue; too large for it, so that NOTIFY gets what was held; too large for that; too large
# to be held. What arrives is what was committed. Each is a client of its own, as one that is larger than the queue overtakes.
{
    my $loaded = start_listening($node, 'load');
    my $sql     = $warm_up . limit_own_memory(24 * $MB);
    my $put     = 'SELECT put(:client);';
    my $commit  = "COMMIT;\n\\if :ERROR\n\\echo fails at COMMIT\n\\endif\n";
    my $recover = "\n\\if :ERROR\n\\echo fails at an emit\nROLLBACK TO s;\n\\else\nRELEASE s;\n\\endif\n";
    for my $size (1 .. 16)
    {
        my $count = 375 * $size;    # 1.5 MB
        my $puts  = "SELECT count(put(:client, 4000)) FROM generate_series(1, $count);";
        $sql .= "\\set client $size\nBEGIN; $put $puts $commit";
        $sql .= "\\set client 100$size\nBEGIN; $put SAVEPOINT s; $puts $recover $put $commit";
    }
    my $session = session($node, 'load', $sql, channels => []);
    is_deeply([ grep { $_ ne '53200' } map { $_->{sqlstate} } @{ $session->{errors} } ], [], 'transactions of every size: no error but the expected');
    for my $failure ('fails at COMMIT', 'fails at an emit')
    {
        cmp_ok(scalar(grep { $_ eq $failure } @{ $session->{rows} }), '>', 0, "transactions of every size: some $failure");
    }
    is(stats($node, 'load', 'worker_emits > 0', 'fallbacks > 0'), 't|t', 'transactions of every size: some are queued, and some notify by themselves');
    is_complete($node, 'load', $loaded, 'transactions of every size', at_least => 375);
    stop_listening($loaded);
}

# The worker: too little memory for a batch, with many in the queue. It tries again, and sends them when it can.
my $worker;

# Whatever happens here, a stopped process must not be left behind.
END { kill 'CONT', $worker if $worker }

{
    my $waiting = start_listening($node, 'worker');
    $node->safe_psql('worker', 'SELECT put(1000)');
    $worker = until_worker($node, 'worker');
    until_true('an empty queue', sub { stats($node, 'worker', 'queue_used') eq '0' });
    kill 'STOP', $worker;
    run_load($node, 'worker', clients => 8, transactions => 30, script => 'SELECT count(put(:client_id, 400)) FROM generate_series(1, 20);', name => 'a queue of batches');
    my $queued = stats($node, 'worker', 'queue_used');
    cmp_ok($queued, '>', 2 * $MB, 'a queue of batches: it is well filled');
    system_or_bail('sh', '-c', limit_memory($worker, 256 * $kB));
    kill 'CONT', $worker;

    my $at = '';
    for my $try (1, 2)
    {
        until_true("error $try of the worker", sub { stats($node, 'worker', 'last_error_at') ne $at });
        like(stats($node, 'worker', 'last_error'), qr/^out of memory\b/, "the worker, try $try: the error");
        $at = stats($node, 'worker', 'last_error_at');
    }
    is(stats($node, 'worker', 'queue_used'), $queued, 'the worker: nothing has left the queue');
    is(heard($waiting), 1, 'the worker: nothing has arrived');
    system_or_bail('sh', '-c', lift_limit($worker));
    is_complete($node, 'worker', $waiting, 'the worker has memory again', at_least => 8 * 30 * 20);
    until_true('an empty queue', sub { stats($node, 'worker', 'queue_used') eq '0' });
    is(stats($node, 'worker', 'worker_starts', 'fallbacks'), '1|0', 'the worker has memory again: the same has sent it all');
    stop_listening($waiting);
    undef $worker;
}

$node->stop;
server_is_sound($node);
done_testing();
