# What the tests of asking the cluster share: Socket.IO servers that answer, and sessions that ask them.
#
# A server here is a process that does what an adapter does: it listens through one connection, whose last query stays its LISTEN,
# reads attachments and answers through another. It speaks PostgreSQL's protocol by itself, as psql shows notifications only
# after a query. What it holds are sockets, given by the test, and how it behaves can be changed message by message:
#
#   my $server = start_server($node, 'app', 'uid', sockets => [ { id => 's', rooms => ['s'], ack => ['yes'] } ],
#       on => { fetch_sockets => sub { my ($server, $message) = @_; ... } });
#
# Such a sub runs in the server's process, and may answer(), send_text() of any kind, attach() any bytes, or do nothing.
# What the server has heard so far, heard_by() tells.

package AskTest;

use strict;
use warnings;

use B ();
use DeliveryTest qw(until_true);
use EmitterTest;
use Encode ();
use Exporter 'import';
use IO::Handle ();
use IO::Select ();
use IO::Socket::UNIX ();
use IPC::Run ();
use JSON::PP ();
use MessagePack ();
use POSIX ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes 'time';

our @EXPORT = qw(
  start_ask_cluster start_server stop_server heard_by silence behave answer send_text attach run_sql
  pack_value packed binary json
  ask start_asking finish_asking until_heard
  is_answered is_without_workers is_quiet
);

# A cluster whose log tells which kind of process says what. Options: those of start_cluster().
sub start_ask_cluster
{
    my ($name, %options) = @_;
    my @settings = (q{log_line_prefix = '%m [%p] %b %e '}, 'autovacuum = off', 'max_logical_replication_workers = 0', @{ $options{settings} // [] });
    return start_cluster($name, %options, settings => \@settings);
}

my @types = qw(
  initial_heartbeat heartbeat broadcast sockets_join sockets_leave disconnect_sockets fetch_sockets fetch_sockets_response
  server_side_emit server_side_emit_response broadcast_client_count broadcast_ack adapter_close
);
my %number_of = map { $types[$_] => $_ + 1 } 0 .. $#types;

# Text is characters everywhere here, and bytes where it is sent or received.
my $json_writer = JSON::PP->new->canonical->allow_nonref->allow_blessed;
my $json_reader = JSON::PP->new->utf8->allow_nonref;

sub json
{
    my ($value) = @_;
    return $json_writer->encode($value);
}

# Msgpack. A value of packed() is msgpack already, one of binary() is binary.
sub packed
{
    my ($bytes) = @_;
    return bless { bytes => $bytes }, 'AskTest::Packed';
}

sub binary
{
    my ($bytes) = @_;
    return bless { bytes => $bytes }, 'MessagePack::Binary';
}

sub is_number
{
    my ($value) = @_;
    my $flags = B::svref_2object(\$value)->FLAGS;
    return $flags & (B::SVp_IOK | B::SVp_NOK) && !($flags & B::SVp_POK);
}

sub pack_value
{
    my ($value) = @_;
    my $kind = ref $value;
    return "\xc0"                                                         if !defined $value;
    return $value->{bytes}                                                if $kind eq 'AskTest::Packed';
    return pack('CN', 0xc6, length $value->{bytes}) . $value->{bytes}     if $kind eq 'MessagePack::Binary';
    return $value ? "\xc3" : "\xc2"                                       if JSON::PP::is_bool($value);
    return pack('CN', 0xdd, scalar @$value) . join '', map { pack_value($_) } @$value if $kind eq 'ARRAY';
    return pack('CN', 0xdf, scalar keys %$value) . join '', map { pack_value($_), pack_value($value->{$_}) } sort keys %$value
      if $kind eq 'HASH';
    return pack('Cq>', 0xd3, $value) if is_number($value) && $value == int $value;
    return pack('Cd>', 0xcb, $value) if is_number($value);
    my $utf8 = Encode::encode('UTF-8', $value);
    return pack('CN', 0xdb, length $utf8) . $utf8;
}

# A connection, in PostgreSQL's protocol.
sub connect_to
{
    my ($node, $database, $user) = @_;
    my $path = $node->host . '/.s.PGSQL.' . $node->port;
    my $socket = IO::Socket::UNIX->new(Peer => $path) // die "$path: $!\n";
    my $connection = { socket => $socket, buffer => '', notifications => [] };
    my $startup = pack 'N(Z*)*', 196608, user => $user // scalar getpwuid($<), database => $database, application_name => 'server',
      client_encoding => 'UTF8', '';
    $socket->syswrite(pack('N', 4 + length $startup) . $startup);
    finish_query($connection);
    return $connection;
}

# The next message, as its type and its body, or nothing if it has not arrived and we do not wait.
sub next_message
{
    my ($connection, $waits) = @_;
    while (1)
    {
        my ($type, $length) = length $connection->{buffer} >= 5 ? unpack('aN', $connection->{buffer}) : ();
        if (defined $length && length $connection->{buffer} > $length)
        {
            my $body = substr $connection->{buffer}, 5, $length - 4;
            substr $connection->{buffer}, 0, $length + 1, '';
            return ($type, $body);
        }
        return if !$waits;
        $connection->{socket}->sysread($connection->{buffer}, 65536, length $connection->{buffer}) or die "the connection has ended\n";
    }
}

sub take_notification
{
    my ($connection, $body) = @_;
    my (undef, $channel, $payload) = unpack 'NZ*Z*', $body;
    push @{ $connection->{notifications} }, [ $channel, $payload ];
    return;
}

# Read all a query returns. Dies of its error; returns the rows' first columns.
sub finish_query
{
    my ($connection) = @_;
    my ($error, @rows);
    while (my ($type, $body) = next_message($connection, 1))
    {
        take_notification($connection, $body) if $type eq 'A';
        $error = $body =~ s/\0/ /gr if $type eq 'E';
        push @rows, Encode::decode('UTF-8', unpack 'x2 N/a*', $body) if $type eq 'D';
        die "$error\n" if defined $error && ($type eq 'Z' || $error =~ /FATAL/);
        return @rows if $type eq 'Z';
    }
    return;
}

sub query
{
    my ($connection, $sql) = @_;
    my $bytes = Encode::encode('UTF-8', $sql);
    $connection->{socket}->syswrite(pack 'aNZ*', 'Q', 5 + length $bytes, $bytes);
    return finish_query($connection);
}

sub quote
{
    my ($text) = @_;
    return "E'" . ($text =~ s/\\/\\\\/gr =~ s/'/''/gr) . "'";
}

# What a server may do.

sub silence
{
    return;
}

# Run a query. Returns the first column of its rows.
sub run_sql
{
    my ($server, $sql) = @_;
    return query($server->{talking}, $sql);
}

# Send any text to the channel of the namespace.
sub send_text
{
    my ($server, $text, $nsp) = @_;
    run_sql($server, 'SELECT pg_notify(' . quote("$server->{prefix}#" . ($nsp // '/')) . ', ' . quote($text) . ')');
    return;
}

# Put any bytes into the attachment table. Returns the id of the row.
sub attach
{
    my ($server, $bytes) = @_;
    my ($id) = run_sql($server, "INSERT INTO $server->{table} (payload) VALUES ('\\x" . unpack('H*', $bytes) . "') RETURNING id");
    return $id;
}

# Send a message as an adapter does: in an attachment if it is long, has binary, or the test wants it.
sub answer
{
    my ($server, $message, $type, $data) = @_;
    my %answer = (uid => $server->{uid}, nsp => $message->{nsp} // '/', type => $number_of{$type});
    $answer{nodeId} = $server->{node_id} if defined $server->{node_id};
    $answer{data} = { requestId => $message->{data}{requestId}, %$data } if defined $data;
    my $text = json(\%answer);
    if (defined $data && ($server->{attaches} || length Encode::encode('UTF-8', $text) >= 8000))
    {
        my $id = attach($server, pack_value(\%answer));
        $text = json({ uid => $server->{uid}, type => $number_of{$type}, attachmentId => $id });
    }
    send_text($server, $text, $message->{nsp});
    return;
}

sub matching
{
    my ($server, $opts) = @_;
    my $is_in = sub {
        my ($socket, $rooms) = @_;
        my %rooms = map { $_ => 1 } @{ $socket->{rooms} };
        return scalar grep { $rooms{$_} } @$rooms;
    };
    return grep { (!@{ $opts->{rooms} } || $is_in->($_, $opts->{rooms})) && !$is_in->($_, $opts->{except}) } @{ $server->{sockets} };
}

# What a server does with each type of message if the test does not say otherwise.
my %behaviour = (
    initial_heartbeat => sub {
        my ($server, $message) = @_;
        answer($server, $message, 'heartbeat');
    },
    fetch_sockets => sub {
        my ($server, $message) = @_;
        my @sockets = map { my %socket = %$_; delete $socket{ack}; \%socket } matching($server, $message->{data}{opts});
        answer($server, $message, 'fetch_sockets_response', { sockets => \@sockets });
    },
    broadcast => sub {
        my ($server, $message) = @_;
        return if !defined $message->{data}{requestId};
        my @sockets = matching($server, $message->{data}{opts});
        answer($server, $message, 'broadcast_client_count', { clientCount => scalar @sockets });
        for my $ack (map { $_->{ack} // () } @sockets)
        {
            answer($server, $message, 'broadcast_ack', @$ack ? { packet => $ack->[0] } : {});
        }
    },
    server_side_emit => sub {
        my ($server, $message) = @_;
        return if !defined $message->{data}{requestId};
        answer($server, $message, 'server_side_emit_response', @{ $server->{response} } ? { packet => $server->{response}[0] } : {});
    },
    sockets_join => sub {
        my ($server, $message) = @_;
        push @{ $_->{rooms} }, @{ $message->{data}{rooms} } for matching($server, $message->{data}{opts});
    },
    sockets_leave => sub {
        my ($server, $message) = @_;
        my %left = map { $_ => 1 } @{ $message->{data}{rooms} };
        $_->{rooms} = [ grep { !$left{$_} } @{ $_->{rooms} } ] for matching($server, $message->{data}{opts});
    },
    disconnect_sockets => sub {
        my ($server, $message) = @_;
        my %gone = map { $_->{id} => 1 } matching($server, $message->{data}{opts});
        $server->{sockets} = [ grep { !$gone{ $_->{id} } } @{ $server->{sockets} } ];
    },
);

# Do what a server does by default.
sub behave
{
    my ($server, $message) = @_;
    $behaviour{ $types[ $message->{type} - 1 ] }->($server, $message);
    return;
}

# The message of a notification, fetched from the attachment table if it is there. Nothing if it is none.
sub read_notification
{
    my ($server, $payload) = @_;
    my $message = eval { $json_reader->decode($payload) };
    return if ref $message ne 'HASH' || ($message->{uid} // '') ne 'emitter';
    # One that is slow to read and answer says first that it is there.
    send_text($server, json({ uid => $server->{uid}, nsp => '/', type => $number_of{heartbeat} })) if $server->{speaks_up};
    return $message if !defined $message->{attachmentId};
    my ($hex) = run_sql($server, "SELECT encode(payload, 'hex') FROM $server->{table} WHERE id = '$message->{attachmentId}'");
    return MessagePack::decode(pack 'H*', $hex);
}

sub serve
{
    my ($server) = @_;
    my $ready = IO::Select->new($server->{listening}{socket});
    while (1)
    {
        while (my ($type, $body) = next_message($server->{listening}, 0))
        {
            take_notification($server->{listening}, $body) if $type eq 'A';
        }
        while (my $notification = shift @{ $server->{listening}{notifications} })
        {
            my $message = read_notification($server, $notification->[1]) // next;
            my $type = $types[ $message->{type} - 1 ];
            print { $server->{log} } json({ %$message, type => $type }), "\n";
            my $react = $server->{on}{$type} // $behaviour{$type} // next;
            $react->($server, $message);
        }
        $ready->can_read;
        $server->{listening}{socket}->sysread($server->{listening}{buffer}, 65536, length $server->{listening}{buffer}) or return;
    }
    return;
}

my %servers;
my $server_count = 0;

# Start a server, and wait until it listens. Options: sockets ({id, rooms, data, handshake, ack}, where ack is what its client
# acknowledges with, [value] or []; a client without does not); response (to server-side emits, likewise); on (behaviour by
# type of message); attaches (answers in attachments); node_id; namespaces; prefix; table; user.
sub start_server
{
    my ($node, $database, $uid, %options) = @_;
    my $file = PostgreSQL::Test::Utils::tempdir() . '/server-' . ++$server_count;
    pipe my $started, my $starting or die "pipe: $!";
    my $pid = fork // die "fork: $!";
    if ($pid == 0)
    {
        close $started;
        my $server = { prefix => 'socket.io', table => 'socket_io_attachments', sockets => [], response => [], %options, uid => $uid };
        eval {
            open $server->{log}, '>:encoding(UTF-8)', $file or die "$file: $!";
            $server->{log}->autoflush;
            $server->{$_} = connect_to($node, $database, $options{user}) for 'listening', 'talking';
            query($server->{listening}, qq{LISTEN "$server->{prefix}#$_"}) for @{ $options{namespaces} // ['/'] };
            syswrite $starting, '1';
            serve($server);
        };
        print STDERR "server $uid: $@" if $@;
        POSIX::_exit(0);
    }
    close $starting;
    sysread $started, my $byte, 1 or die "server $uid did not start\n";
    return $servers{$pid} = { pid => $pid, file => $file, uid => $uid };
}

# End servers, without a word: as if killed.
sub stop_server
{
    for my $server (@_)
    {
        kill 'KILL', $server->{pid};
        waitpid $server->{pid}, 0;
        delete $servers{ $server->{pid} };
    }
    return;
}

END
{
    local $?;
    stop_server(values %servers);
}

# The messages a server has heard, in order; only those of a type.
sub heard_by
{
    my ($server, $type) = @_;
    return grep { !defined $type || $_->{type} eq $type } map { $json_reader->decode($_) } slurp_file($server->{file}) =~ /^(.*)\n/mg;
}

# Wait until a server has heard so many messages of a type (default: one).
sub until_heard
{
    my ($server, $type, $count) = @_;
    until_true("$server->{uid} to hear $type", sub { (() = heard_by($server, $type)) >= ($count // 1) });
    return;
}

# psql's verbose report, each message as {severity, sqlstate, message, detail, hint, context}. A line that belongs to none, such as
# that the connection is lost, becomes an error of its own.
sub read_report
{
    my ($stderr) = @_;
    my (@report, $field);
    for my $line (split /\n/, $stderr)
    {
        if ($line =~ /^psql:<stdin>:\d+: ([A-Z]+\d?):  (\w{5}): (.*)/)
        {
            push @report, { severity => $1, sqlstate => $2, message => $3 };
            $field = 'message';
        }
        elsif (@report && $line =~ /^(DETAIL|HINT|CONTEXT|LOCATION|QUERY|LINE \d+):  ?(.*)/)
        {
            $field = lc $1;
            $report[-1]{$field} = $2;
        }
        elsif (@report && $line !~ /^psql:/)
        {
            $report[-1]{$field} .= "\n$line";
        }
        else
        {
            push @report, { severity => 'ERROR', sqlstate => 'none', message => $line };
            $field = 'message';
        }
    }
    return @report;
}

my $asking_count = 0;

# Run `$sql` in the background. Options: user; name (of the application).
sub start_asking
{
    my ($node, $database, $sql, %options) = @_;
    my $asking = { node => $node, database => $database, output => '', report => '', began => time };
    my $file = PostgreSQL::Test::Utils::tempdir() . '/asking-' . ++$asking_count;
    append_to_file($file, Encode::encode('UTF-8', $sql));
    my @user = defined $options{user} ? ('-U', $options{user}) : ();
    my $name = $options{name} // 'asking';
    $asking->{psql} = IPC::Run::start(
        [ 'psql', '-XAtq', '-v', 'VERBOSITY=verbose', @user, '-d', $node->connstr($database) . " application_name=$name", '-f', '-' ],
        '<', $file, '>', \$asking->{output}, '2>', \$asking->{report}, IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
    return $asking;
}

# Wait for the end of it: {rows, errors, notices, seconds}.
sub finish_asking
{
    my ($asking) = @_;
    $asking->{psql}->finish;
    my @report = read_report(Encode::decode('UTF-8', $asking->{report}));
    my $is_error = qr/^(?:ERROR|FATAL|PANIC)$/;
    return {
        node     => $asking->{node},
        database => $asking->{database},
        rows     => [ grep { $_ ne '' } split /\n/, Encode::decode('UTF-8', $asking->{output}) ],
        errors   => [ grep { $_->{severity} =~ $is_error } @report ],
        notices  => [ grep { $_->{severity} !~ $is_error } @report ],
        seconds  => time - $asking->{began},
    };
}

sub ask
{
    return finish_asking(start_asking(@_));
}

# No error, exactly these rows, and these notices and warnings: none, if nothing is said of them.
sub is_answered
{
    my ($session, $rows, $name, @notices) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is_clean($session, "$name: no error");
    is_deeply($session->{rows}, $rows, "$name: rows") or diag explain $session->{rows};
    is_deeply([ map { "$_->{severity}: $_->{message}" } @{ $session->{notices} } ], \@notices, "$name: notices and warnings")
      or diag explain $session->{notices};
    return;
}

# The workers of requests end with them.
sub is_without_workers
{
    my ($node, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $workers = q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'socketio_emitter request'};
    my $left;
    eval { until_true('the end of workers', sub { ($left = $node->safe_psql('postgres', $workers)) eq '0' }) };
    return is($left, '0', "$name: no worker is left");
}

# Workers of requests have nothing to say in the server log: what went wrong, their sessions tell. Nor do they end badly.
sub is_quiet
{
    my ($node, %options) = @_;
    my $allowed = $options{allowed} // qr/(?!)/;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $trouble = qr/socketio_emitter request.*(?:WARNING|ERROR|FATAL|PANIC):|socketio_emitter request.*exited with/;
    my @lines = grep { /$trouble/ && !/$allowed/ } split /\n/, slurp_file($node->logfile);
    return is_deeply(\@lines, [], $node->name . ': the log holds no errors of request workers') || diag explain \@lines;
}

1;
