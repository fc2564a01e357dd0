# What the tests of delivery = 'worker' share: clusters that preload the library, a session that listens to what arrives, and
# load whose emits can be told apart.
#
# A database of create_delivery_database() emits by put(), which gives every emit an id of its own and writes that into table
# committed within the same transaction. What a listener has received, compared with that table, is all there is to know: an id
# that is missing was lost, one that came twice was sent twice, one that is not in the table was never committed. Every fiftieth
# is large, and travels as an attachment: those are compared by the ids of their rows, which are committed or not as well.

package DeliveryTest;

use strict;
use warnings;

use EmitterTest;
use Exporter 'import';
use IO::Handle ();
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes 'usleep';

our @EXPORT = qw(
  start_delivery_cluster create_delivery_database
  until_true start_listening run_in heard received received_by_name next_events stop_listening
  start_load stop_load wait_for_load run_load $MIXED_LOAD
  worker_pid until_worker until_no_worker stats is_complete is_sound_after_crash session_in_background finish
);

$SIG{PIPE} = 'IGNORE';    # a psql whose server has gone

# A cluster in which every session delivers by the worker. Options: settings, as of start_cluster(); initdb.
sub start_delivery_cluster
{
    my ($name, %options) = @_;
    my @settings = (
        q{shared_preload_libraries = 'socketio_emitter'}, q{socketio_emitter.delivery = 'worker'},
        'max_connections = 100', 'autovacuum = off', 'log_statement = none', @{ $options{settings} // [] });
    return start_cluster($name, %options, settings => \@settings);
}

my $schema = q{
    CREATE EXTENSION IF NOT EXISTS socketio_emitter;
    CREATE TABLE committed (id bigint PRIMARY KEY, client int);
    CREATE SEQUENCE ids;
    CREATE FUNCTION put(client int, pad int DEFAULT 0) RETURNS bigint LANGUAGE plpgsql AS $$
    DECLARE
        id bigint := nextval('ids');
    BEGIN
        IF id % 50 = 0 THEN
            PERFORM socketio_emit(event => 'large', args => to_jsonb(repeat('x', 9000)));
        ELSE
            INSERT INTO committed VALUES (id, client);
            PERFORM socketio_emit(event => 'put', args => jsonb_build_array(id, client, repeat('x', pad)));
        END IF;
        RETURN id;
    END$$;
    ALTER TABLE socket_io_attachments SET LOGGED;
};

sub create_delivery_database
{
    my ($node, $database) = @_;
    return create_database($node, $database, $schema);
}

# Wait until `$condition` returns true, and return that; die after long enough.
sub until_true
{
    my ($what, $condition) = @_;
    my $deadline = time + $PostgreSQL::Test::Utils::timeout_default;
    while (time < $deadline)
    {
        my $result = $condition->();
        return $result if $result;
        usleep(10_000);
    }
    die "timed out waiting for: $what\n";
}

# A session that listens: a psql whose output goes to a file, as there may be much of it, and reading it must not slow the load.
sub start_listening
{
    my ($node, $database, @channels) = @_;
    my $file = PostgreSQL::Test::Utils::tempdir() . '/heard';
    my $pid = open(my $input, '|-') // die "fork: $!";
    if ($pid == 0)
    {
        open STDOUT, '>', $file          or die "$file: $!";
        open STDERR, '>', "$file.errors" or die "$file.errors: $!";
        exec 'psql', '-XAtq', '-d', $node->connstr($database) or die "psql: $!";
    }
    $input->autoflush;
    until_true('a psql', sub { -e $file });
    open my $output, '<', $file or die "$file: $!";
    my $listener = { errors => "$file.errors", input => $input, output => $output, partial => '', received => [], taken => 0, fences => 0 };
    print {$input} map { qq{LISTEN "$_";\n} } @channels ? @channels : 'socket.io#/';
    heard($listener);
    return $listener;
}

sub read_on
{
    my ($listener) = @_;
    my $fenced = 0;
    seek $listener->{output}, 0, 1;    # beyond what was the end of the file
    while (defined(my $chunk = readline $listener->{output}))
    {
        my $line = $listener->{partial} . $chunk;
        if ($line !~ /\n\z/)
        {
            $listener->{partial} = $line;
            next;
        }
        $listener->{partial} = '';
        if ($line =~ /^Asynchronous notification "(.*?)" with payload "(.*)" received/)
        {
            push @{ $listener->{received} }, $2;
        }
        elsif ($line eq "fence $listener->{fences}\n")
        {
            $fenced = 1;
        }
    }
    return $fenced;
}

# How many notifications have arrived, of all that were sent before the call. After the server has gone: of all that were read.
sub heard
{
    my ($listener) = @_;
    my $fence = ++$listener->{fences};
    print { $listener->{input} } "SELECT 'fence $fence';\n";
    until_true('the listener to read', sub {
        my $has_lost_server = -s $listener->{errors};
        return read_on($listener) || $has_lost_server;
    });
    return scalar @{ $listener->{received} };
}

# Have a listener run a statement. One that is in a transaction reads no notifications.
sub run_in
{
    my ($listener, $sql) = @_;
    print { $listener->{input} } "$sql;\n";
    heard($listener);
    return;
}

# What has arrived: {put => ids in order, client => {id => client}, attachments => ids in order}.
sub received
{
    my ($listener) = @_;
    my %received = (put => [], client => {}, attachments => []);
    for my $payload (@{ $listener->{received} })
    {
        if ($payload =~ /"put",(\d+),(\d+)/)
        {
            push @{ $received{put} }, $1;
            $received{client}{$1} = $2;
        }
        elsif ($payload =~ /"attachmentId":"?(\d+)/)
        {
            push @{ $received{attachments} }, $1;
        }
        else
        {
            $payload =~ /"fence"/ or die "unexpected: $payload\n";
        }
    }
    return \%received;
}

# The names of events that have arrived, in order.
sub received_by_name
{
    my ($listener) = @_;
    return [ map { /"data":\["((?:[^"\\]|\\.)*)"/ ? $1 : /attachmentId/ ? 'attachment' : $_ } @{ $listener->{received} } ];
}

# The events that have arrived since the last call, by their names. What is emitted last comes last.
sub next_events
{
    my ($node, $database, $listener) = @_;
    my $mark = 'mark ' . ++$listener->{marks};
    $node->safe_psql($database, small($mark));
    until_true('all to arrive', sub { heard($listener); received_by_name($listener)->[-1] eq $mark });
    my @events = @{ received_by_name($listener) };
    my @new = @events[ $listener->{taken} .. $#events - 1 ];
    $listener->{taken} = @events;
    return \@new;
}

sub stop_listening
{
    my ($listener) = @_;
    close $listener->{input};    # waits for it
    read_on($listener);
    return;
}

# Transactions of all kinds: short and long, rolled back whole and in part.
our $MIXED_LOAD = q{
\set dice random(1, 10)
\set pad random(0, 300)
BEGIN;
SELECT put(:client_id, :pad);
\if :dice <= 2
SELECT put(:client_id, 0);
ROLLBACK;
\elif :dice <= 5
SAVEPOINT s;
SELECT put(:client_id, :pad);
SAVEPOINT t;
SELECT put(:client_id, 1);
RELEASE t;
ROLLBACK TO s;
SELECT put(:client_id, 2);
RELEASE s;
SELECT put(:client_id, 3);
COMMIT;
\elif :dice <= 6
SAVEPOINT s;
SELECT count(put(:client_id, :pad)) FROM generate_series(1, 20);
RELEASE s;
COMMIT;
\else
COMMIT;
\endif
};

my $script_count = 0;

# pgbench in the background, running `$script` (default: the mixed load). Options: clients, transactions (of each client) or
# seconds; script.
sub start_load
{
    my ($node, $database, %options) = @_;
    my $file = PostgreSQL::Test::Utils::tempdir() . '/load-' . ++$script_count;
    append_to_file($file, $options{script} // $MIXED_LOAD);
    my @length = defined $options{transactions} ? ('-t', $options{transactions}) : ('-T', $options{seconds} // 60);
    my $load = { node => $node, database => $database, output => '' };
    $load->{pgbench} = IPC::Run::start(
        [ 'pgbench', '-n', '-M', 'prepared', '-c', $options{clients} // 64, '-j', 2, @length, '-f', $file, $node->connstr($database) . ' application_name=load' ],
        '<', \undef, '&>', \$load->{output});
    return $load;
}

# Wait for the end of it. Whether every transaction went well.
sub wait_for_load
{
    my ($load) = @_;
    return eval { $load->{pgbench}->finish } || 0;
}

# End it, in the middle of what it does, and wait until the server has noticed: a transaction may commit until then.
sub stop_load
{
    my ($load) = @_;
    eval { $load->{pgbench}->signal('TERM'); $load->{pgbench}->finish };
    my $sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'load' AND datname = '$load->{database}'";
    until_true('sessions of pgbench to end', sub { $load->{node}->safe_psql('postgres', $sessions) eq '0' });
    return;
}

sub run_load
{
    my ($node, $database, %options) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $load = start_load($node, $database, %options);
    return ok(wait_for_load($load), ($options{name} // 'the load') . ': every transaction went well') || diag substr $load->{output}, 0, 2000;
}

sub worker_pid
{
    my ($node, $database) = @_;
    return $node->safe_psql('postgres', "SELECT pid FROM pg_stat_activity WHERE backend_type = 'socketio_emitter delivery' AND datname = '$database'");
}

sub until_worker
{
    my ($node, $database) = @_;
    return until_true("a worker of $database", sub { worker_pid($node, $database) });
}

sub until_no_worker
{
    my ($node, $database) = @_;
    return until_true("the worker of $database to end", sub { worker_pid($node, $database) eq '' });
}

# Columns of the row of socketio_stats, as psql prints them.
sub stats
{
    my ($node, $database, @columns) = @_;
    my $list = join ', ', @columns;
    return $node->safe_psql($database, "SELECT $list FROM socketio_stats WHERE database = current_database()");
}

sub doubles
{
    my %seen;
    return grep { $seen{$_}++ == 1 } @_;
}

sub some
{
    my (@ids) = @_;
    return @ids . ': ' . join ' ', @ids > 20 ? (@ids[ 0 .. 19 ], '...') : @ids;
}

# The ids of each client rise.
sub out_of_order
{
    my ($received) = @_;
    my (%last, @wrong);
    for my $id (@{ $received->{put} })
    {
        my $client = $received->{client}{$id};
        push @wrong, $id if $id < ($last{$client} // 0);
        $last{$client} = $id;
    }
    return @wrong;
}

# What is in tables now: what was committed.
sub committed
{
    my ($node, $database) = @_;
    my $ids = sub { [ split /\n/, $node->safe_psql($database, $_[0]) ] };
    return {
        put         => $ids->('SELECT id FROM committed ORDER BY id'),
        attachments => $ids->('SELECT id FROM socket_io_attachments ORDER BY id'),
    };
}

sub missing_from
{
    my ($part, $whole) = @_;
    my %there = map { $_ => 1 } @$part;
    return grep { !$there{$_} } @$whole;
}

sub only_committed_and_once
{
    my ($received, $committed, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    for my $kind ('put', 'attachments')
    {
        is(some(doubles(@{ $received->{$kind} })), some(), "$name: $kind: nothing came twice");
        is(some(missing_from($committed->{$kind}, $received->{$kind})), some(), "$name: $kind: nothing came that was not committed");
    }
    is(some(out_of_order($received)), some(), "$name: emits of each client came in order");
    return;
}

# All that was committed has arrived, or does so yet, once and in order, and nothing else. More than `at_least`, of which there
# is none otherwise.
sub is_complete
{
    my ($node, $database, $listener, $name, %options) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $committed = committed($node, $database);
    my $count = @{ $committed->{put} } + @{ $committed->{attachments} };
    cmp_ok($count, '>=', $options{at_least} // 1, "$name: there was something to tell");
    my $patience = time + ($options{patience} // 30);
    usleep(10_000) while heard($listener) < $count && time < $patience;
    my $received = received($listener);
    for my $kind ('put', 'attachments')
    {
        is(some(missing_from($received->{$kind}, $committed->{$kind})), some(), "$name: $kind: nothing is missing");
    }
    only_committed_and_once($received, $committed, $name);
    return;
}

# What a listener had received when its server went away without notice: nothing twice, nothing that was not committed, and of
# each client all up to some point.
sub is_sound_after_crash
{
    my ($node, $database, $listener, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my ($received, $committed) = (received($listener), committed($node, $database));
    cmp_ok(scalar @{ $received->{put} }, '>', 0, "$name: something had arrived");
    only_committed_and_once($received, $committed, $name);
    my %last;
    $last{ $received->{client}{$_} } = $_ for @{ $received->{put} };
    my %client = map { split /\|/ } split /\n/, $node->safe_psql($database, 'SELECT id, client FROM committed');
    my @skipped = grep { $_ < ($last{ $client{$_} } // 0) } missing_from($received->{put}, $committed->{put});
    is(some(@skipped), some(), "$name: nothing was lost before something that arrived");
    return;
}

my $session_count = 0;

# A psql in the background that runs a script and ends: {psql, output, errors}. finish() tells how it went.
sub session_in_background
{
    my ($node, $database, $sql) = @_;
    my $file = PostgreSQL::Test::Utils::tempdir() . '/session-' . ++$session_count;
    append_to_file($file, $sql);
    my $session = { output => '', errors => '' };
    $session->{psql} = IPC::Run::start(
        [ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-v', 'VERBOSITY=verbose', '-d', $node->connstr($database), '-f', $file ],
        '<', \undef, '>', \$session->{output}, '2>', \$session->{errors}, IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
    return $session;
}

sub finish
{
    my ($session) = @_;
    return eval { $session->{psql}->finish } || 0;
}

1;
