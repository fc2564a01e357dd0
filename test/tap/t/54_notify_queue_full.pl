# NOTIFY's own queue is full, since a session that listens stays in a transaction; and then that session ends. What notifies says what to
# do, and goes on by itself afterwards: nobody else moves the queue's tail.

use strict;
use warnings;

use DeliveryTest;
use EmitterTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my ($major) = `pg_config --version` =~ /(\d+)/;
plan skip_all => "PostgreSQL $major: NOTIFY's queue holds 8 GB, and can be made smaller from 17 on only" if $major < 17;

my $node = start_delivery_cluster('main', settings => [ 'max_notify_queue_pages = 64', 'socketio_emitter.queue_size = 64kB' ]);
create_delivery_database($node, 'app');
my $listener = start_listening($node, 'app');
my $full = 'too many notifications in the NOTIFY queue';

# Someone who listens, on whatever channel, and reads nothing.
sub start_blocking
{
    my $blocker = start_listening($node, 'app', 'y');
    run_in($blocker, 'BEGIN; SELECT 1');
    return $blocker;
}

sub fill
{
    my $errors = '';
    until_true('a queue that is full', sub {
        $node->psql('app', q{SELECT pg_notify('y', repeat('z', 7900))}, stderr => \$errors);
        return $errors =~ /\Q$full\E/;
    });
    return;
}

my $by_notify = q{SET socketio_emitter.delivery = 'notify'; SELECT put(1);};

sub is_told_the_remedy
{
    my ($name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $session = session($node, 'app', $by_notify, channels => []);
    is_deeply([ map { "$_->{sqlstate} $_->{message}" } @{ $session->{errors} } ], ["54000 $full"], "$name: the error");
    like($session->{errors}[0]{hint}, qr/^A session that listens has been in a transaction for too long: /, "$name: the hint");
    return;
}

# By the worker: commits go on until its queue is full, too, and then wait.
{
    my $blocker = start_blocking();
    fill();
    is_told_the_remedy('by NOTIFY');
    $node->safe_psql('app', 'SELECT put(2, 4000)') for 1 .. 15;
    my $waiting = session_in_background($node, 'app', q{SET application_name = 'waiting'; SELECT put(3, 7000);});
    until_true('a commit that waits', sub {
        $node->safe_psql('postgres', q{SELECT 1 FROM pg_stat_activity WHERE application_name = 'waiting' AND wait_event = 'SocketioQueueFull'});
    });
    until_true('the worker to fail', sub { stats($node, 'app', 'last_error') =~ /\Q$full\E/ });
    is(heard($listener), 0, 'nothing arrives');

    stop_listening($blocker);
    ok(finish($waiting), 'the blocker is gone: what waited commits');
    is_complete($node, 'app', $listener, 'the blocker is gone', at_least => 16, patience => 120);
    is(stats($node, 'app', 'queue_used', 'fallbacks'), '0|0', 'the queue is empty, and nobody else had to notify');
}

# By NOTIFY, without a worker about: the first commit that fails leaves room for the next.
{
    until_no_worker($node, 'app');
    my $blocker = start_blocking();
    fill();
    stop_listening($blocker);
    is_told_the_remedy('the blocker is gone, by NOTIFY');
    my $session = session($node, 'app', $by_notify, channels => []);
    is_deeply($session->{errors}, [], 'the blocker is gone, by NOTIFY: the next one commits');
    $node->safe_psql('app', q{NOTIFY y});
    is_complete($node, 'app', $listener, 'the blocker is gone, by NOTIFY', at_least => 17);
}

# A session goes on, too, however many of its commits have failed.
{
    my $blocker = start_blocking();
    fill();
    my $session = session($node, 'app', $by_notify x 2, channels => []);
    is(scalar(grep { $_->{sqlstate} eq '54000' } @{ $session->{errors} }), 2, 'one session: as long as the blocker stays');
    stop_listening($blocker);
    $session = session($node, 'app', $by_notify x 2, channels => []);
    is(scalar @{ $session->{errors} }, 1, 'one session: the second commit finds room');
    is_complete($node, 'app', $listener, 'in the end', at_least => 18);
}

stop_listening($listener);
$node->stop;
done_testing();
