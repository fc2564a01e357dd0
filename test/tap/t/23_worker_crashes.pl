# delivery = 'worker' and the ends of processes: kill -9 of the worker, of a session and of the postmaster, every kind of
# shutdown, and a disk that is full. Nothing comes twice and nothing that was not committed, ever. Where the server lives on,
# nothing is missing; where it does not, what is lost is what NOTIFY would have lost: what had not been read yet.

use strict;
use warnings;

use DeliveryTest;
use EmitterTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use IPC::Run ();
use Test::More;

my $node = start_delivery_cluster('main', settings => [ 'socketio_emitter.queue_size = 256kB', 'checkpoint_timeout = 1h' ]);
create_delivery_database($node, 'app');

sub is_up
{
    return eval { $node->psql('postgres', 'SELECT 1') == 0 };    # dies where psql ends before it has read that
}

# A listener, and nothing that it could have missed.
sub start_anew
{
    $node->safe_psql('app', 'TRUNCATE committed, socket_io_attachments');
    return start_listening($node, 'app');
}

# Under load, once some of it has arrived, `$end` something and wait until the server is up (again).
sub under_load
{
    my ($name, $end, %options) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $listener = start_anew();
    my $load = start_load($node, 'app', clients => 12);
    until_true('load', sub { heard($listener) > 300 });
    $end->($listener, $load);
    eval { $load->{pgbench}->finish };
    heard($listener);
    stop_listening($listener);
    until_true("the server to be up after $name", \&is_up);
    is_sound_after_crash($node, 'app', $listener, $name);
    return;
}

# After it, all is as before, and what was committed before does not come again.
sub goes_on
{
    my ($name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $listener = start_anew();
    run_load($node, 'app', clients => 8, transactions => 20, name => "after $name");
    is_complete($node, 'app', $listener, "after $name", at_least => 160);
    stop_listening($listener);
    return;
}

sub kill_and_wait
{
    my ($pid, $log_offset) = @_;
    kill 'KILL', $pid;
    ok($node->wait_for_log(qr/all server processes terminated; reinitializing/, $log_offset), 'the server notices and starts anew');
    return;
}

# PostgreSQL starts anew when any of its processes is killed.
under_load('kill -9 of the worker', sub {
    my $offset = -s $node->logfile;
    kill_and_wait(until_worker($node, 'app'), $offset);
});
goes_on('kill -9 of the worker');

under_load('kill -9 of a session', sub {
    my $offset = -s $node->logfile;
    my $victim = until_true('a session in a transaction', sub {
        $node->safe_psql('postgres', "SELECT pid FROM pg_stat_activity WHERE application_name = 'load' AND xact_start IS NOT NULL LIMIT 1");
    });
    kill_and_wait($victim, $offset);
});
goes_on('kill -9 of a session');

# Twice in a row, the second time while the first worker after it has just come.
{
    my $listener = start_listening($node, 'app');
    for my $turn (1, 2)
    {
        my $offset = -s $node->logfile;
        $node->safe_psql('app', 'SELECT put(1)');
        kill_and_wait(until_worker($node, 'app'), $offset);
        until_true('the server to be up', \&is_up);
    }
    stop_listening($listener);
    goes_on('kill -9 of two workers in a row');
}

# The postmaster: its children end when they notice, and the server has to be started.
sub start_again
{
    my @start = ('pg_ctl', '-D', $node->data_dir, '-l', $node->logfile, 'start');
    until_true('the server to start', sub { PostgreSQL::Test::Utils::system_log(@start) == 0 });
    $node->_update_pid(1);
    return;
}
under_load('kill -9 of the postmaster', sub { $node->kill9; start_again(); });
goes_on('kill -9 of the postmaster');

under_load('an immediate shutdown', sub { $node->stop('immediate'); $node->start; });
goes_on('an immediate shutdown');

under_load('a fast shutdown', sub { $node->stop('fast'); $node->start; });
goes_on('a fast shutdown');

# A smart one waits for clients, and does not keep what they commit from them: here, a listener that goes when it has it all, and
# that connected before.
{
    my $listener = start_anew();
    my $load = start_load($node, 'app', clients => 8, script => "\\set n random(1, 3)\nSELECT put(:client_id, :n);", transactions => 300);
    until_true('load', sub { heard($listener) > 50 });
    my $stop = IPC::Run::start([ 'pg_ctl', '-D', $node->data_dir, '-m', 'smart', 'stop' ], '<', \undef, '&>', \my $output);
    ok(wait_for_load($load), 'a smart shutdown: sessions that are connected go on');
    until_true('all of the load to arrive', sub { heard($listener) >= 8 * 300 });
    stop_listening($listener);
    ok(eval { $stop->finish }, 'a smart shutdown: the server stops when they have gone');
    $node->_update_pid(0);
    $node->start;
    my $received = received($listener);
    my $committed = $node->safe_psql('app', 'SELECT count(*) FROM committed');
    my $attachments = $node->safe_psql('app', 'SELECT count(*) FROM socket_io_attachments');
    is(keys(%{ $received->{client} }) . '|' . @{ $received->{attachments} }, "$committed|$attachments", 'a smart shutdown: nothing is missing');
    is_sound_after_crash($node, 'app', $listener, 'a smart shutdown');
}

# A worker that has something to send when the server is told to shut down sends it first. Nobody is left to listen, but the
# transaction in which it does leaves its mark.
sub next_transaction
{
    my ($data) = run_command([ 'pg_controldata', $node->data_dir ]);
    my ($next) = $data =~ /NextXID:\s+\d+:(\d+)/;
    return $next;
}
{
    $node->safe_psql('app', 'SELECT put(1)');
    my $worker = until_worker($node, 'app');
    until_true('an empty queue', sub { stats($node, 'app', 'queue_used') eq '0' });
    kill 'STOP', $worker;
    $node->safe_psql('app', 'SELECT put(1)');
    cmp_ok(stats($node, 'app', 'queue_used'), '>', 0, 'a worker that has something to send');
    my $transaction = $node->safe_psql('app', "SELECT pg_current_xact_id()");
    my $stop = IPC::Run::start([ 'pg_ctl', '-D', $node->data_dir, '-m', 'fast', 'stop' ], '<', \undef, '&>', \my $output);
    until_true('sessions to be refused', sub { !is_up() });
    kill 'CONT', $worker;
    ok(eval { $stop->finish }, 'a worker that has something to send: the server stops');
    $node->_update_pid(0);
    is(next_transaction(), $transaction + 2, 'a worker that has something to send: sent it first');
    $node->start;
}

# A full disk: here, a directory that takes no new files. The worker tries again until there is room; meanwhile the queue takes
# what is committed, and what no longer fits it waits. A listener in a transaction keeps NOTIFY from truncating its files.
sub fill_disk
{
    my ($is_full) = @_;
    chmod $is_full ? 0500 : 0700, $node->data_dir . '/pg_notify' or die "chmod: $!";
    return;
}
{
    goes_on('a shutdown');
    my $listener = start_anew();
    run_in($listener, 'BEGIN');
    is(stats($node, 'app', 'last_error_at IS NULL'), 't', 'a full disk: no error before');
    fill_disk(1);
    my $load = start_load($node, 'app', clients => 4, transactions => 50, script => 'SELECT put(:client_id, 7000);');
    until_true('an error of the worker', sub { stats($node, 'app', 'last_error_at IS NOT NULL') eq 't' });
    like(stats($node, 'app', 'last_error'), qr/could not access status of transaction/, 'a full disk: the error');
    ok(worker_pid($node, 'app'), 'a full disk: the worker is there');
    fill_disk(0);
    ok(wait_for_load($load), 'a full disk: the load goes on when there is room again');
    run_in($listener, 'COMMIT');
    is_complete($node, 'app', $listener, 'a full disk', at_least => 200);

    # The server can be shut down nevertheless.
    run_in($listener, 'BEGIN');
    fill_disk(1);
    my $at = stats($node, 'app', 'last_error_at');
    $load = start_load($node, 'app', clients => 4, transactions => 200, script => 'SELECT put(:client_id, 7000);');
    until_true('another error of the worker', sub { stats($node, 'app', 'last_error_at') ne $at });
    my $is_stopped = $node->stop('fast', fail_ok => 1);
    ok($is_stopped, 'a full disk: the server shuts down');
    fill_disk(0);
    eval { $load->{pgbench}->finish };
    stop_listening($listener);
    $node->stop('immediate') if !$is_stopped;
    $node->start;
    goes_on('a full disk');
}

$node->stop;
server_is_sound($node, allowed => qr/terminated by signal 9|XX000 ERROR:  could not access status|58P01 ERROR/);
done_testing();
