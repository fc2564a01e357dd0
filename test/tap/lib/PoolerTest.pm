# A pgbouncer in front of a cluster, and the way through it: start_pooler() returns what can be used like the cluster itself by
# whatever connects, session(), ask() and background_psql() among them.
#
# It runs as a child of the test, with a socket, configuration and log in a temporary directory, and ends with the test even if that
# is killed. A pool has one connection to the database, so that all of its clients share that one.

package PoolerTest;

use strict;
use warnings;

use DeliveryTest qw(until_true);
use Exporter 'import';
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

our @ISA = ('PostgreSQL::Test::Cluster');
our @EXPORT = qw(start_pooler stop_pooler pooler_log);

my $port = 6432;    # the name of the socket: nothing listens on a network
my %running;

# `$mode` is transaction, session or statement. Option: users, the roles that may connect beside the cluster's own.
sub start_pooler
{
    my ($node, $mode, %options) = @_;
    my $directory = PostgreSQL::Test::Utils::tempdir_short();
    my ($host, $server_port) = ($node->host, $node->port);
    my $users = join '', map { qq{"$_" ""\n} } $node->safe_psql('postgres', 'SELECT current_user'), @{ $options{users} // [] };
    append_to_file("$directory/users", $users);
    append_to_file("$directory/ini", <<"INI");
[databases]
* = host=$host port=$server_port

[pgbouncer]
listen_port = $port
unix_socket_dir = $directory
auth_type = trust
auth_file = $directory/users
pool_mode = $mode
default_pool_size = 1
logfile = $directory/log
INI
    # Debian has it where only root looks.
    local $ENV{PATH} = "$ENV{PATH}:/usr/sbin";
    my $pooler = bless { %$node, _host => $directory, _port => $port, directory => $directory, output => '' }, __PACKAGE__;
    # Told by the kernel when this process is gone, whatever became of it.
    $pooler->{process} = IPC::Run::start(
        [ 'setpriv', '--pdeathsig', 'KILL', 'pgbouncer', '--quiet', "$directory/ini" ],
        '<', \undef, '&>', \$pooler->{output});
    $running{$directory} = $pooler;
    until_true('pgbouncer', sub {
        $pooler->{process}->pumpable or die "pgbouncer did not start: $pooler->{output}\n";
        $pooler->psql('postgres', 'SELECT') == 0;
    });
    return $pooler;
}

sub stop_pooler
{
    my ($pooler) = @_;
    delete $running{ $pooler->{directory} };
    eval { $pooler->{process}->kill_kill(grace => 5) };
    return;
}

# What it has said so far.
sub pooler_log
{
    my ($pooler) = @_;
    return slurp_file("$pooler->{directory}/log");
}

END
{
    local $?;
    stop_pooler($_) for values %running;
}

1;
