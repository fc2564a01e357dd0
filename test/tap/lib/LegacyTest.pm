# What the tests of the older dialects share: messages of socket.io-adapter-postgres taken from the wire, and servers that run it.
#
# Everything of that adapter goes over one channel, as payloads of a topic and a text; a text may come in pieces. A server here is
# a process that does with them what the adapter does, with sockets given by the test. It bears the name by which the adapter counts
# servers, and how it behaves can be changed request by request:
#
#   my $server = start_legacy_server($node, 'app', 'a', sockets => [ { id => $id, rooms => [ $id, 'room' ] } ],
#       on => { clients => sub { my ($server, $request) = @_; ... } });
#
# Such a sub runs in the server's process, and may respond(), publish() any text, put_payload() anything, or do nothing. What the
# server has heard so far, heard_by() of AskTest tells, and stop_server() ends it.

package LegacyTest;

use strict;
use warnings;

use AskTest;
use DeliveryTest qw(heard until_true);
use Encode ();
use EmitterTest;
use Exporter 'import';
use IO::Handle ();
use IO::Select ();
use JSON::PP ();
use MIME::Base64 ();
use MessagePack ();
use POSIX ();
use PostgreSQL::Test::Utils;
use Time::HiRes 'usleep';

our @EXPORT = qw(
  socket_id set_protocol
  legacy_messages legacy_messages_of legacy_events next_legacy_messages next_legacy_events
  start_legacy_server start_named_connection respond publish put_payload behave_legacy
);

# An id as Socket.IO 1 and 2 make them, which begins with a name.
sub socket_id
{
    my ($name) = @_;
    return substr $name . '_' x 20, 0, 20;
}

# Every session of a database speaks a protocol.
sub set_protocol
{
    my ($node, $database, $protocol) = @_;
    $node->safe_psql('postgres', "ALTER DATABASE $database SET socketio_emitter.protocol = '$protocol'");
    return;
}

# What is on the wire.

my $json_reader = JSON::PP->new->allow_nonref;

sub decoded
{
    my ($payload) = @_;
    return ref $payload ? $payload : $json_reader->decode($payload);
}

# Take a payload, [topic, text], or its JSON in characters. Returns {topic, text, pieces} when it is the last one of its text; `$kept`
# holds the pieces of others. Dies of pieces that are not as the adapter makes them.
sub take_payload
{
    my ($kept, $payload) = @_;
    my ($topic, $text) = @{ decoded($payload) };
    return { topic => $topic, text => $text, pieces => 1 } if $text !~ /\A_chunk_/;
    my ($header, $piece) = (substr($text, 0, 50), substr $text, 50);
    my ($id, $index, $count) = $header =~ /\A_chunk_([0-9A-Za-z]+)_([0-9]+)_([0-9]+) *\z/ or die "a header of pieces: $header\n";
    die "$header: piece $index of $count\n"             if $index >= $count;
    die "$header: it has " . length($piece) . " characters\n" if length $piece > 5000 || length $piece == 0;
    die "$header: it came twice\n"                      if exists $kept->{$id}{$index};
    $kept->{$id}{$index} = $piece;
    return if keys %{ $kept->{$id} } < $count;
    my $pieces = delete $kept->{$id};
    return { topic => $topic, text => join('', map { $pieces->{$_} } 0 .. $count - 1), pieces => $count };
}

# Add to {topic, text} what the text is: a request, or {uid, packet, opts}.
sub read_text
{
    my ($message) = @_;
    if ($message->{topic} =~ /-(request|response)#/)
    {
        return { %$message, $1 => $json_reader->decode($message->{text}) };
    }
    my ($uid, $packet, $opts, @rest) = @{ MessagePack::decode(MIME::Base64::decode($message->{text})) };
    die "an event with more than three parts\n" if @rest;
    return { %$message, uid => $uid, packet => $packet, opts => $opts };
}

# The messages that payloads are. Dies where the last ones of a text are missing.
sub legacy_messages
{
    my (@payloads) = @_;
    my %kept;
    my @messages = map { read_text($_) } map { take_payload(\%kept, $_) } @payloads;
    die 'texts that are not complete: ' . join(', ', sort keys %kept) . "\n" if %kept;
    return @messages;
}

# The same of a session() that listens to "socketio".
sub legacy_messages_of
{
    my ($session) = @_;
    return legacy_messages(map { $_->{message} } @{ $session->{notifications} });
}

# The events of messages as clients see them: [name, argument, ...] each.
sub legacy_events
{
    my (@messages) = @_;
    return [ map { $_->{packet}{data} } @messages ];
}

# What has arrived at a start_listening() since the last call. What is emitted last comes last.
sub next_legacy_messages
{
    my ($node, $database, $listener) = @_;
    my $mark = 'mark ' . ++$listener->{marks};
    $node->safe_psql($database, small($mark));
    my @messages;
    until_true('all to arrive', sub {
        heard($listener);
        my @payloads = @{ $listener->{received} };
        # The mark is short, and one payload.
        my $last = eval { read_text(take_payload({}, Encode::decode('UTF-8', $payloads[-1]))) };
        return 0 if ($last->{packet}{data}[0] // '') ne $mark;
        @messages = legacy_messages(map { Encode::decode('UTF-8', $_) } @payloads[ $listener->{taken} .. $#payloads - 1 ]);
        $listener->{taken} = @payloads;
        return 1;
    });
    return @messages;
}

sub next_legacy_events
{
    return legacy_events(next_legacy_messages(@_));
}

# Servers.

my @types = qw(clients client_rooms all_rooms remote_join remote_leave custom_request remote_disconnect);

# Send any payload on the channel.
sub put_payload
{
    my ($server, $payload) = @_;
    run_sql($server, "SELECT pg_notify('socketio', " . AskTest::quote($payload) . ')');
    return;
}

# What JSON.stringify makes of a string, given in UTF-16, but for the quotes: half of a character at either end is an escape sequence.
sub stringify
{
    my ($units) = @_;
    my $half = sub { sprintf '\\u%02x%02x', unpack 'CC', $_[0] };
    my $first = $units =~ s/\A([\xdc-\xdf].)//s ? $half->($1) : '';
    my $last = substr($units, -2) =~ /\A[\xd8-\xdb]/ ? $half->(substr $units, -2, 2, '') : '';
    my ($rest) = json(Encode::decode('UTF-16BE', $units)) =~ /\A"(.*)"\z/s;
    return "$first$rest$last";
}

# The payloads of a text under a topic: in pieces of so many UTF-16 units, where it is longer.
sub payloads
{
    my ($topic, $text, $most) = @_;
    my $put = sub { '[' . json($topic) . ',"' . join('', @_) . '"]' };
    my $units = Encode::encode('UTF-16BE', $text);
    return $put->(stringify($units)) if length $units <= 2 * $most;
    my @pieces = $units =~ /\G(.{2,@{[2 * $most]}})/gs;
    my $id = join '', map { ('a' .. 'z')[ rand 26 ] } 1 .. 6;
    return map { $put->(sprintf('%-50s', "_chunk_${id}_${_}_" . @pieces), stringify($pieces[$_])) } 0 .. $#pieces;
}

# Send a text as the adapter does.
sub publish
{
    my ($server, $topic, $text) = @_;
    for my $payload ($server->{arrange}->(payloads($topic, $text, $server->{cut})))
    {
        put_payload($server, $payload);
        usleep($server->{pause});
    }
    return;
}

sub respond
{
    my ($server, $request, %response) = @_;
    publish($server, "$server->{prefix}-response#$request->{nsp}#", json({ requestid => $request->{requestid}, %response }));
    return;
}

sub with_socket
{
    my ($server, $request, $do) = @_;
    my ($socket) = grep { $_->{id} eq $request->{sid} } @{ $server->{sockets} } or return;
    $do->($socket);
    respond($server, $request);
    return;
}

# What the adapter does with each type of request.
my %behaviour = (
    clients => sub {
        my ($server, $request) = @_;
        my %wanted = map { $_ => 1 } @{ $request->{rooms} };
        my @sockets = grep { !%wanted || grep { $wanted{$_} } @{ $_->{rooms} } } @{ $server->{sockets} };
        respond($server, $request, clients => [ map { $_->{id} } @sockets ]);
    },
    client_rooms => sub {
        my ($server, $request) = @_;
        my ($socket) = grep { $_->{id} eq $request->{sid} } @{ $server->{sockets} } or return;
        respond($server, $request, rooms => $socket->{rooms});
    },
    all_rooms => sub {
        my ($server, $request) = @_;
        my %rooms = map { $_ => 1 } map { @{ $_->{rooms} } } @{ $server->{sockets} };
        respond($server, $request, rooms => [ sort keys %rooms ]);
    },
    remote_join => sub {
        my ($server, $request) = @_;
        with_socket($server, $request, sub { push @{ $_[0]{rooms} }, $request->{room} });
    },
    remote_leave => sub {
        my ($server, $request) = @_;
        with_socket($server, $request, sub { $_[0]{rooms} = [ grep { $_ ne $request->{room} } @{ $_[0]{rooms} } ] });
    },
    custom_request => sub {
        my ($server, $request) = @_;
        respond($server, $request, @{ $server->{response} } ? (data => $server->{response}[0]) : ());
    },
    remote_disconnect => sub {
        my ($server, $request) = @_;
        with_socket($server, $request, sub {
            my ($gone) = @_;
            $server->{sockets} = [ grep { $_ != $gone } @{ $server->{sockets} } ];
        });
    },
);

# Do what a server does by default.
sub behave_legacy
{
    my ($server, $request) = @_;
    $behaviour{ $request->{name} }->($server, $request);
    return;
}

sub react_to
{
    my ($server, $message) = @_;
    my $entry = eval { +{ %{ read_text($message) }, type => 'event' } } // return;
    my ($nsp) = $message->{topic} =~ /\A\Q$server->{prefix}\E-request#(.*)#\z/s;
    my $request = $entry->{request};
    return if $request && ($request->{type} // '') !~ /\A[0-6]\z/;
    $entry->{type} = $types[ $request->{type} ] if $request;
    print { $server->{log} } json($entry), "\n";
    return if !defined $nsp || !grep { $_ eq $nsp } @{ $server->{namespaces} };
    ($server->{on}{ $entry->{type} } // \&behave_legacy)->($server, { %$request, nsp => $nsp, name => $entry->{type} });
    return;
}

sub serve
{
    my ($server) = @_;
    my $listening = $server->{listening};
    my $ready = IO::Select->new($listening->{socket});
    while (1)
    {
        while (my ($type, $body) = AskTest::next_message($listening, 0))
        {
            AskTest::take_notification($listening, $body) if $type eq 'A';
        }
        while (my $notification = shift @{ $listening->{notifications} })
        {
            next if $notification->[1] =~ /\A\["[^"]*-response#/;    # there may be very many
            # What is not from an emitter may be anything at all.
            my $payload = Encode::decode('UTF-8', $notification->[1]);
            my $topic = eval { decoded($payload)->[0] } // '';
            next if $topic !~ /\A\Q$server->{prefix}\E(?:-request)?#/;
            my $message = eval { take_payload($server->{kept}, $payload) };
            react_to($server, { %$message, payload => $payload }) if $message;
        }
        $ready->can_read;
        $listening->{socket}->sysread($listening->{buffer}, 65536, length $listening->{buffer}) or return;
    }
    return;
}

my %processes;
my $count = 0;

# Start a process that runs `$serve->($log)` when `$prepare->()` is done, and wait until then. The log is for heard_by().
sub start_process
{
    my ($name, $prepare, $serve) = @_;
    my $file = PostgreSQL::Test::Utils::tempdir() . '/legacy-' . ++$count;
    pipe my $started, my $starting or die "pipe: $!";
    my $pid = fork // die "fork: $!";
    if ($pid == 0)
    {
        close $started;
        eval {
            open my $log, '>:encoding(UTF-8)', $file or die "$file: $!";
            $log->autoflush;
            srand $$;
            $prepare->();
            syswrite $starting, '1';
            $serve->($log);
        };
        print STDERR "server $name: $@" if $@;
        POSIX::_exit(0);
    }
    close $starting;
    sysread $started, my $byte, 1 or die "server $name did not start\n";
    return $processes{$pid} = { pid => $pid, file => $file, uid => $name };
}

# Start a server, and wait until it listens. Options: sockets ({id, rooms}); response (what its customHook calls back with, [value],
# or [] for nothing); on (behaviour by type of request); namespaces, of which it bears the name of the last one; name (another one
# to bear); prefix; cut (answers into pieces of so many characters); arrange (its payloads); pause (microseconds behind each); user.
sub start_legacy_server
{
    my ($node, $database, $name, %options) = @_;
    my $server = {
        prefix => 'socket.io', namespaces => ['/'], sockets => [], response => [undef], cut => 5000, arrange => sub { @_ }, pause => 0,
        %options, uid => $name, kept => {},
    };
    $server->{name} //= "socket.io-$server->{prefix}-request#$server->{namespaces}[-1]#";
    my $connect = sub {
        $server->{$_} = AskTest::connect_to($node, $database, $options{user}) for 'listening', 'talking';
        AskTest::query($server->{listening}, q{SELECT set_config('application_name', } . AskTest::quote($server->{name}) . ', false)');
        AskTest::query($server->{listening}, 'LISTEN socketio');
    };
    return start_process($name, $connect, sub { $server->{log} = $_[0]; serve($server) });
}

# A connection that bears a name and does nothing.
sub start_named_connection
{
    my ($node, $database, $name) = @_;
    my $connect = sub {
        my $connection = AskTest::connect_to($node, $database);
        AskTest::query($connection, q{SELECT set_config('application_name', } . AskTest::quote($name) . ', false)');
        return $connection;
    };
    my $connection;
    return start_process($name, sub { $connection = $connect->() }, sub { sleep while 1 });
}

END
{
    local $?;
    stop_server(grep { waitpid($_->{pid}, POSIX::WNOHANG()) == 0 } values %processes);    # those that no test has stopped
}

1;
