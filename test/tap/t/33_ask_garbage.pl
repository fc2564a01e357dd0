# Anyone may NOTIFY anything on the channel, and put anything into an attachment table that is theirs. Whatever it is, nothing
# crashes, and the answers of servers that behave are complete.
#
# Who hears a request can answer it in any name, and as many answers as connections listen would end the call. So it is not
# shown here who listens: a call waits for everybody who has been heard.

use strict;
use warnings;
use utf8;

use AskTest;
use EmitterTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_ask_cluster('main', settings => ['track_activities = off']);
create_database($node, 'app', "$README_TABLE CREATE EXTENSION socketio_emitter; CREATE ROLE anyone LOGIN;"
      . 'GRANT SELECT, INSERT ON socket_io_attachments TO anyone; GRANT USAGE ON SEQUENCE socket_io_attachments_id_seq TO anyone');

my @sockets = map { { id => "s$_", rooms => [ "s$_", 'r' ], data => { n => $_ }, handshake => {}, ack => [ [ $_, "ö$_" ] ] } } 1 .. 3;
my %asks = (
    fetch_sockets    => q{SELECT id, rooms, data FROM socketio_fetch_sockets(timeout => '10 min') WHERE server = 'good' ORDER BY id;},
    server_side_emit => q{SELECT response FROM socketio_server_side_emit_with_ack(event => 'e', timeout => '10 min') WHERE server = 'good';},
    broadcast        => q{SELECT response FROM socketio_emit_with_ack(event => 'e', timeout => '10 min') WHERE server = 'good' ORDER BY 1;},
);
my %rows = (
    fetch_sockets    => [ map { "s$_|{s$_,r}|{\"n\": $_}" } 1 .. 3 ],
    server_side_emit => ['"told"'],
    broadcast        => [ map { "[$_, \"ö$_\"]" } 1 .. 3 ],
);
my %response_type = (fetch_sockets => 8, server_side_emit => 10, broadcast => 12);

# A server that behaves, and before it answers lets `$disturb` do its worst, as a role that is nobody. Both in one process, so
# that it is known what arrives first.
sub start_disturbed
{
    my ($disturb) = @_;
    my $disturbed = sub {
        my ($type) = @_;
        return sub {
            my ($server, $message) = @_;
            $disturb->($server, $message, $response_type{$type});
            behave($server, $message);
        };
    };
    return start_server($node, 'app', 'good', user => 'anyone', speaks_up => 1, sockets => \@sockets, response => ['told'], on => { map { $_ => $disturbed->($_) } keys %asks });
}

# All calls get all they should from the good server, which is a new one for each: it hears all it has sent, and would still be busy
# with that.
sub is_complete
{
    my ($name, $disturb) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    for my $type (sort keys %asks)
    {
        my $server = start_disturbed($disturb);
        is_answered(ask($node, 'app', $asks{$type}), $rows{$type}, "$name: $type");
        stop_server($server);
    }
    return;
}

sub send_all
{
    my (@texts) = @_;
    return sub {
        my ($server, $message, $type) = @_;
        for my $text (@texts)
        {
            send_text($server, $text =~ s/<id>/$message->{data}{requestId}/gr =~ s/<type>/$type/gr);
        }
    };
}

# Not messages at all.
my @nonsense = (
    '', ' ', 'x', 'null', 'true', '1', '-1e999', '"text"', '[]', '{}', '{', '[', '{"uid"', '{"uid":}', '{"uid":"good"', 'nul', '"\\u', '"\\ud800',
    "\t\n", '[1,2,', '{"a":1}{"b":2}', '{}}', "\x{feff}{}", '{"":""}',
    'NaN', 'Infinity', "{'uid':'good'}", '/* */{}', '{"uid":"good","uid":"bad"}', '[' x 3000 . ']' x 3000, '[' x 7900,
    '{"a":' x 1300 . '1' . '}' x 1300, '{"a":' x 1590, '"' . 'x' x 7900 . '"', '9' x 7900,
    '0.' . '0' x 7000 . '1', '1e' . '9' x 7000, '"' . '\\u0000' x 1300 . '"', '"' . '\\ud800' x 1300 . '"', '[' . '1,' x 3900 . '1]', '"' . '😀' x 1900 . '"',
);
is_complete('no messages', send_all(@nonsense, '{"uid":"bad","nsp":"/","type":13}'));

# Messages that are not quite: each part missing, and of every other type. Those with a uid that would make another server are
# told to have closed.
my @values = ('null', 'true', 'false', '0', '-1', '1e400', '1.5', '9223372036854775808', '-9223372036854775809', '99999999999999999999999999', '""',
    '"text"', '"0"', '[]', '[1]', '[null]', '[[]]', '{}', '{"a":1}', '"' . 'y' x 3000 . '"');
my %template = (uid => '"bad"', nsp => '"/"', type => '<type>', nodeId => '"node"', data => '{"requestId":"<id>","sockets":[],"packet":1,"clientCount":0}');
my @bent;
for my $part (sort keys %template)
{
    for my $value (undef, @values)
    {
        my %message = (%template, $part => $value);
        push @bent, '{' . join(',', map { defined $message{$_} ? "\"$_\":$message{$_}" : () } sort keys %message) . '}';
    }
}
my $closes = '{"uid":"bad","nsp":"/","type":13}';
my @other_uids = map { qq({"uid":$_,"nsp":"/","type":13}) } grep { /^"/ } @values;
is_complete('messages with a part of another type', send_all((map { ($_, $closes) } @bent), @other_uids));

# The parts of answers, of another server, which closes, and of the good one to requests that are not its.
my %parts = (requestId => '"<id>"', sockets => '[{"id":"x","rooms":["x"],"data":{},"handshake":{}}]', packet => '1', clientCount => '1');
my @answers;
for my $type (8, 10, 11, 12)
{
    for my $part (sort keys %parts)
    {
        for my $value (undef, @values)
        {
            my %data = (%parts, $part => $value);
            push @answers, qq({"uid":"bad","nsp":"/","type":$type,"data":{) . join(',', map { defined $data{$_} ? "\"$_\":$data{$_}" : () } sort keys %data) . '}}';
        }
    }
}
for my $part ('id', 'rooms', 'data', 'handshake')
{
    my %socket = (id => '"x"', rooms => '["x"]', data => '{}', handshake => '{}');
    for my $value (undef, @values)
    {
        local $socket{$part} = $value;
        my $socket = '{' . join(',', map { defined $socket{$_} ? "\"$_\":$socket{$_}" : () } sort keys %socket) . '}';
        push @answers, qq({"uid":"bad","nsp":"/","type":8,"data":{"requestId":"<id>","sockets":[$socket,1,null,"s",[],{}]}});
    }
}
is_complete('answers with a part of another type', send_all((map { ($_, $closes) } @answers)));
is_complete('answers to other requests', send_all(map { qq({"uid":"good","nsp":"/","type":$_,"data":{"requestId":"0000000000000000","sockets":[],"packet":"wrong","clientCount":9}}) } 8, 10, 11, 12));
is_complete('answers of other types', send_all(map { my $type = $_; map { qq({"uid":"good","nsp":"$_","type":$type,"data":{"requestId":"<id>x"}}) } '/', '/admin', '' } -1 .. 12, 14 .. 20));
is_complete('requests under the name of a server', send_all(map { qq({"uid":"good","nsp":"/","type":$_,"data":{"requestId":"<id>","opts":{},"packet":[],"rooms":[]}}) } 1 .. 7, 9));
is_complete('answers of emitters', send_all(map { qq({"uid":"emitter","nsp":"/","type":$_,"data":{"requestId":"<id>","sockets":[],"packet":1,"clientCount":1}}) } 2, 8, 10 .. 13));

# A crowd that comes and goes.
is_complete('a thousand servers that come and go', send_all(map { (qq({"uid":"u$_","nsp":"/","type":2}), qq({"uid":"u$_","nsp":"/","type":13})) } 1 .. 1000));

# Attachments that are not there, not to be read, or not msgpack.
my %packed_answers = (8 => { sockets => [] }, 10 => { packet => 1 }, 12 => { packet => 1 });
my @headers = map { qq({"uid":"good","nsp":"/","type":<type>,"attachmentId":$_}) } @values,
  '"1000000"', '"-1"', '"9223372036854775807"', '"1; DROP TABLE socket_io_attachments"', "\"1' OR true --\"", '1000000', '" 1 "', '"1e3"', '"0x1"', '"' . '9' x 5000 . '"';
is_complete('attachments that are not there', send_all(@headers));

sub attach_all
{
    my (@payloads) = @_;
    return sub {
        my ($server, $message, $type) = @_;
        for my $payload (@payloads)
        {
            my $id = attach($server, ref $payload ? $payload->($message->{data}{requestId}, $type) : $payload);
            send_text($server, qq({"uid":"good","nsp":"/","type":$type,"attachmentId":"$id"}));
        }
    };
}
sub answer_of
{
    my ($uid, $rest) = @_;
    return sub {
        my ($id, $type) = @_;
        return "\x84" . pack_value('uid') . $uid . pack_value('nsp') . pack_value('/') . pack_value('type') . pack_value($type) . pack_value('data') . $rest->($id, $type);
    };
}
my $other = pack_value('bad');
is_complete('attachments that are not msgpack', attach_all(
    '', "\0", "\xc1", "\xc1" x 100, '{"uid":"good"}', "\x80", "\x90", "\xa0", "\xc0", "\xdf\xff\xff\xff\xff", "\xdd\xff\xff\xff\xff",
    "\xdb\xff\xff\xff\xff", "\xc6\xff\xff\xff\xff", "\xc9\xff\xff\xff\xff\x01",
    "\xde\xff\xff", "\xdc\xff\xff", "\x8f", "\x9f", "\xbf", "\xd8\x01", "\xd6\xff\0\0\0", "\xc7\x0c\xff" . "\xff" x 12, "\x91" x 1_000_000 . "\xc0", "\x91" x 1_000_000, "\x81\xa1a" x 300_000 . "\xc0",
    "\x81" x 500_000, "\xd4" x 1000, "\x81\xc0\xc0", "\x82\xa3uid\xa1x\xa3uid\xa1y", "\xdb\0\0\0\x03\xff\xfe\xfd", "\0" x 1_000_000, "\x84\xa3uid\xa4good"));
is_complete('attachments cut short', sub {
    my ($server, $message, $type) = @_;
    my %answer = (uid => 'bad', nsp => '/', type => $type, data => { requestId => $message->{data}{requestId}, sockets => [ { id => 'x', rooms => ['x'] } ], packet => [ 1, 'two' ] });
    my $whole = pack_value(\%answer);
    my $cut = attach_all(map { substr $whole, 0, $_ } 1 .. length($whole) - 1);
    $cut->($server, $message, $type);
});
is_complete('attachments of another, nested deeply and strangely', sub {
    my ($server, $message, $type) = @_;
    my $data = sub {
        my ($what, $value) = @_;
        return answer_of($other, sub { my ($id) = @_; return "\x82" . pack_value('requestId') . pack_value($id) . pack_value($what) . $value });
    };
    my @deep = ("\x91" x 200_000 . "\xc0", "\x81\xa1a" x 100_000 . "\xc0", "\x82\x01\xc0\xc3\xc0", "\x81\x90\xc0", "\x81\x80\xc0", "\xc7\0\x05",
        "\xd4\x7f\0", "\xd4\xff\0", "\xd6\xff\xff\xff\xff\xff", "\xd7\xff" . "\xff" x 8, "\xca\x7f\x80\0\0");
    attach_all(map { my $value = $_; map { $data->($_, $value) } 'sockets', 'packet', 'clientCount' } @deep, map { "\x91$_" } @deep)->($server, $message, $type);
    send_text($server, $closes);
});

is_complete('counts of clients that cannot be', sub {
    my ($server, $message, $type) = @_;
    send_all((map { (qq({"uid":"bad","nsp":"/","type":11,"data":{"requestId":"<id>","clientCount":$_}}), $closes) } @values))->($server, $message, $type);
});

# Deeply nested values of a good answer: what is deeper than jsonb takes is null, the rest is there.
{
    my $deep = sub {
        my ($way, $depth) = @_;
        return start_server($node, 'app', 'good', on => {
            server_side_emit => sub {
                my ($server, $message) = @_;
                my $id = $message->{data}{requestId};
                if ($way eq 'attachment')
                {
                    my $id = attach($server, pack_value({ uid => 'good', nsp => '/', type => 10, data => { requestId => $id, packet => { deep => packed("\x91" x $depth . "\x01"), flat => 1 } } }));
                    send_text($server, qq({"uid":"good","type":10,"attachmentId":"$id"}));
                }
                else
                {
                    send_text($server, qq({"uid":"good","nsp":"/","type":10,"data":{"requestId":"$id","packet":{"deep":) . '[' x $depth . '1' . ']' x $depth . ',"flat":1}}}');
                }
            } });
    };
    for my $case ([ 'notification', 100, 't' ], [ 'attachment', 100, 't' ], [ 'notification', 3000, 'f' ], [ 'attachment', 9_000, 'f' ])
    {
        my ($way, $depth, $is_whole) = @$case;
        my $server = $deep->($way, $depth);
        my $session = ask($node, 'app', q{SELECT response -> 'flat', response::text LIKE '%[1]%' FROM socketio_server_side_emit_with_ack(event => 'e', timeout => '10 min');});
        is_answered($session, ["1|$is_whole"], "nested $depth deep, $way");
        stop_server($server);
    }
}

# A great many messages, bent at random: always the same ones.
srand 20250101;
{
    my $bend = sub {
        my ($bytes) = @_;
        for my $i (0 .. int rand 4)
        {
            my $at = int rand length $bytes;
            my $kind = int rand 4;
            substr $bytes, $at, 1, chr int rand 256 if $kind == 0;
            substr $bytes, $at, 1 + int rand 8, '' if $kind == 1;
            substr $bytes, $at, 0, substr $bytes, int rand length $bytes, int rand 20 if $kind == 2;
            substr $bytes, $at, 1, substr '{}[]",:0123456789.eE+-\\ntfu', int rand 28, 1 if $kind == 3;
            $bytes .= ' ' if $bytes eq '';
        }
        return $bytes;
    };
    my @texts = (
        '{"uid":"bad","nsp":"/","type":8,"data":{"requestId":"<id>","sockets":[{"id":"x","rooms":["x","r"],"data":{"a":[1,2.5,null]},"handshake":{"url":"/"}}]}}',
        '{"uid":"bad","nsp":"/","type":10,"data":{"requestId":"<id>","packet":{"a":["text",1,true]}}}',
        '{"uid":"bad","nsp":"/","type":11,"data":{"requestId":"<id>","clientCount":2}}',
        '{"uid":"bad","nsp":"/","type":12,"data":{"requestId":"<id>","packet":["\\u00e4","\\ud83d\\ude00"]}}',
        '{"uid":"bad","nsp":"/","type":2,"nodeId":"node"}', '{"uid":"bad","type":8,"attachmentId":"1"}', '{"uid":"bad","nsp":"/","type":13}',
    );
    my $disturb_and_behave = sub {
        my ($server, $message) = @_;
        my $id = $message->{data}{requestId};
        for my $round (1 .. 1500)
        {
            my $text = $bend->($texts[ rand @texts ] =~ s/<id>/$id/r);
            $text =~ tr/\0\x80-\xff//d;
            send_text($server, $text);
        }
        my $whole = pack_value({ uid => 'bad', nsp => '/', type => 8, data => { requestId => $id, sockets => [ { id => 'x', rooms => ['x'], data => { n => 1.5, b => binary('xyz') } } ] } });
        for my $round (1 .. 300)
        {
            my $id = attach($server, $bend->($whole));
            send_text($server, qq({"uid":"bad","type":8,"attachmentId":"$id"}));
        }
        behave($server, $message);
    };
    # Some of these are good enough to make servers that never close, so it lasts as long as it may, and on a busy machine that is
    # too short for all to be sent.
    my $session;
    for my $timeout ('3 s', '30 s', '5 min')
    {
        my $server = start_server($node, 'app', 'good', user => 'anyone', sockets => \@sockets, on => { fetch_sockets => $disturb_and_behave });
        $session = ask($node, 'app', $asks{fetch_sockets} =~ s/10 min/$timeout/r);
        stop_server($server);
        last if @{ $session->{rows} };
    }
    is_clean($session, 'bent at random: no error');
    is_deeply($session->{rows}, $rows{fetch_sockets}, 'bent at random: what the good server says is complete');
}

# Whoever floods the channel keeps nobody from cancelling, nor the timeout from striking.
{
    my $server = start_server($node, 'app', 'flood', on => {
        fetch_sockets => sub {
            my ($server) = @_;
            run_sql($server, q{SELECT count(pg_notify('socket.io#/', '{"uid":"flood","nsp":"/","type":2,"x":' || i || '}')) FROM generate_series(1, 500) AS i}) for 1 .. 100;
        } });
    my $session = ask($node, 'app', q{SELECT id FROM socketio_fetch_sockets(timeout => '3 s');});
    is_answered($session, [], 'a flood', 'WARNING: timeout reached: 0 of 1 servers answered');
    cmp_ok($session->{seconds}, '<', 120, 'a flood: the timeout strikes');
    stop_server($server);
}

is_answered(do { my $server = start_disturbed(\&silence); my $session = ask($node, 'app', $asks{fetch_sockets}); stop_server($server); $session }, $rows{fetch_sockets}, 'after all');
is_without_workers($node, 'after all');
$node->stop;
is_quiet($node);
server_is_sound($node);
done_testing();
