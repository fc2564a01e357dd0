# Anyone may NOTIFY anything on "socketio". Whatever it is while an answer is waited for under protocol = 'adapter-postgres', nothing crashes,
# the answers of servers that behave are complete, and the worker that waits does not grow beyond bounds.
#
# Who hears a request can answer it in any name, and as many answers as there are servers end the call. So what answers the very request
# that is made comes behind the answer of the server that behaves.

use strict;
use warnings;
use utf8;

use AskTest;
use DeliveryTest 'until_true';
use EmitterTest;
use Encode ();
use LegacyTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_ask_cluster('main', settings => ['log_statement = none']);
create_database($node, 'app', 'CREATE EXTENSION socketio_emitter; CREATE ROLE anyone LOGIN;');
set_protocol($node, 'app', 'adapter-postgres');

my @ids = map { socket_id("s$_") } 1 .. 3;
my %asks = (
    clients        => q{SELECT id FROM socketio_clients(timeout => '10 min') WHERE id LIKE 's%_______' ORDER BY id;},
    client_rooms   => qq{SELECT room FROM socketio_client_rooms('$ids[1]', timeout => '10 min') ORDER BY room COLLATE "C";},
    all_rooms      => q{SELECT room FROM socketio_all_rooms(timeout => '10 min') WHERE room LIKE 's%_______' ORDER BY room;},
    custom_request => q{SELECT response FROM socketio_custom_request('1', timeout => '10 min') WHERE response = '"töld"';},
    remote_join    => qq{SELECT socketio_remote_join('$ids[2]', 'r', timeout => '10 min');},
);
my %rows = (clients => \@ids, client_rooms => [ 'r', $ids[1] ], all_rooms => \@ids, custom_request => ['"töld"'], remote_join => []);

sub start_good_server
{
    my (%options) = @_;
    my @sockets = map { { id => $_, rooms => [ $_, 'r' ] } } @ids;
    return start_legacy_server($node, 'app', 'good', user => 'anyone', sockets => \@sockets, response => ['töld'], %options);
}

# A server that behaves lets `$disturb` do its worst, as a role that is nobody, before it answers each request or behind that. All
# calls get all they should from it. Options: behind; only (types of requests).
sub is_complete
{
    my ($name, $disturb, %options) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $disturbed = sub {
        my ($server, $request) = @_;
        behave_legacy($server, $request) if $options{behind};
        $disturb->($server, $request);
        behave_legacy($server, $request) if !$options{behind};
    };
    # In pieces, so that they are among what disturbs.
    my $server = start_good_server(cut => 30, on => { map { $_ => $disturbed } keys %asks });
    for my $type (sort keys %asks)
    {
        is_answered(ask($node, 'app', $asks{$type}), $rows{$type}, "$name: $type");
    }
    stop_server($server);
    return;
}

sub put_all
{
    my (@payloads) = @_;
    return sub {
        my ($server, $request) = @_;
        put_payload($server, $_ =~ s/<id>/$request->{requestid}/gr) for @payloads;
    };
}

my $topic = 'socket.io-response#/#';

# Payloads with these texts, under the topic of answers; those that are not too long to be one.
sub under_topic
{
    my (@texts) = @_;
    return grep { length Encode::encode('UTF-8', $_) < 7900 } map { '[' . json($topic) . ',' . json($_) . ']' } @texts;
}

# Not JSON, or not what this protocol knows.
my @nonsense = (
    '', ' ', 'x', 'null', 'true', '1', '-1e999', '"text"', '[]', '{}', '{', '[', '{"uid"', '{"requestid":}', 'nul', '"\\u', '"\\ud800',
    "\t\n", '[1,2,', '{"a":1}{"b":2}', '{}}', "\x{feff}{}", '{"":""}', 'NaN', 'Infinity', "{'requestid':'<id>'}", '/* */{}', '[' x 3000 . ']' x 3000, '[' x 7900,
    '{"a":' x 1300 . '1' . '}' x 1300, '{"a":' x 1590, '"' . 'x' x 7900 . '"', '9' x 7900,
    '0.' . '0' x 7000 . '1', '1e' . '9' x 7000, '"' . '\\u0000' x 1300 . '"', '"' . '\\ud800' x 1300 . '"', '[' . '1,' x 3900 . '1]', '"' . '😀' x 1900 . '"',
);
is_complete('no payloads', put_all(@nonsense, '{"uid":"bad","nsp":"/","type":13}'));

my $answer = '{\\"requestid\\":\\"<id>\\",\\"clients\\":[\\"s9______\\"],\\"rooms\\":[\\"s9______\\"],\\"data\\":9}';
my @values = ('null', 'true', '0', '1.5', '99999999999999999999999999', '""', '[]', '[1]', '[[]]', '{}', '{"a":1}', '"' . 'y' x 3000 . '"', 'bad', '');
is_complete('payloads of other shapes', put_all(
    (map { (qq(["$topic",$_]), qq([$_,"$answer"]), qq(["$topic","$answer",$_]), qq([$_,"$topic","$answer"])) } @values),
    qq("$topic","$answer"), qq({"$topic":"$answer"}), qq([["$topic","$answer"]]), qq(["$topic" "$answer"]), qq(["$topic",,"$answer"]),
    qq(["$topic"]), qq(["$topic",]), qq(["$topic"), qq(["$topic","), qq(["$topic","$answer"), qq(["$topic","$answer\\"]), qq(["$topic","\\), qq(["$topic","\\"),
    (map { qq(["$_","$answer"]) } 'socket.io-response#/', 'socket.io-response#/##', 'socket.io-response#//#', 'SOCKET.IO-RESPONSE#/#', 'socket.io-response#/x#', ' socket.io-response#/#',
        'socket.io#/#', 'socket.io-request#/#', 'other-response#/#', '', '\\u0000', '\\ud800', 'socket.io-response#/#\\u0000', 'socket.io-response#/#' . 'x' x 3000)));

is_complete('texts that are no answers', put_all(under_topic(@nonsense)));
is_complete('texts that JSON strings cannot be', put_all(map { qq(["$topic","$_"]) } '\\', '\\x', '\\u', '\\u12', '\\u12g4', '\\ud800', '\\udc00\\ud800', "\t", "a\nb", '\\u0000',
    '\\/', '{\\u0022\\u0022:1}'));
is_complete('answers to other requests', put_all(under_topic(map { qq({"requestid":$_,"clients":["s9______"],"rooms":["s9______"],"data":"töld"}) } @values, '"<id>x"', '"x<id>"',
    '["<id>"]', '{"<id>":1}')));
is_complete('answers without an id', put_all(under_topic('{"clients":["s9______"],"rooms":["s9______"],"data":1}', '[{"requestid":"<id>"}]', '["requestid","<id>"]', '"<id>"',
    '{"data":{"requestid":"<id>"}}', '{"a":["<id>"]}')));

# Answers to the request, of other types and shapes: whatever they are taken for, it is no harm.
my %parts = (clients => '["x"]', rooms => '["x"]', data => '1');
my @bent;
for my $part (sort keys %parts)
{
    for my $value ('"text"', '["x",1,null,{},[],true,["y"],{"z":["z"]}]', '{"clients":["s9______"],"rooms":["s9______"]}', '[' x 900 . ']' x 900, '1e400', '-1e400', '"\\u0000"',
        '["\\u0000","\\ud800",""]', @values)
    {
        my %answer = (%parts, $part => $value);
        push @bent, qq({"requestid":"<id>",) . join(',', map { qq("$_":$answer{$_}) } sort keys %answer) . '}';
    }
}
is_complete('answers with a part of another type', put_all(under_topic(@bent, '{"requestid":"<id>"}', '{"requestid":"<id>","requestid":"x"}', '{"requestid":"x","requestid":"<id>"}')),
    behind => 1);

# The same topic, written in another way.
{
    my $server = start_legacy_server($node, 'app', 'escaping', on => {
        clients => sub {
            my ($server, $request) = @_;
            put_payload($server, qq( [\t"socket.io\\u002dresponse#\\/#" , "{\\"requestid\\":\\"$request->{requestid}\\",\\n\\"clients\\":[\\"s1\\"]}" ]\n));
        } });
    is_answered(ask($node, 'app', q{SELECT id FROM socketio_clients(timeout => '10 min');}), ['s1'], 'a topic in escape sequences');
    stop_server($server);
}

# Deeply nested answers: what is deeper than jsonb takes is null, the rest is there. Those that are long come in pieces.
for my $case ([ 100, 't' ], [ 3000, 'f' ], [ 9_000, 'f' ], [ 200_000, 'f' ])
{
    my ($depth, $is_whole) = @$case;
    my $server = start_legacy_server($node, 'app', 'deep', on => {
        custom_request => sub {
            my ($server, $request) = @_;
            publish($server, $topic, qq({"requestid":"$request->{requestid}","data":{"deep":) . '[' x $depth . '1' . ']' x $depth . ',"flat":1}}');
        } });
    is_answered(ask($node, 'app', q{SELECT response -> 'flat', response::text LIKE '%[1]%' FROM socketio_custom_request('1', timeout => '10 min');}), ["1|$is_whole"], "nested $depth deep");
    stop_server($server);
}

# Pieces that are not as they should be.
sub header
{
    return sprintf '%-50s', $_[0];
}
my @headers = (
    '_chunk_', '_chunk__', '_chunk___', '_chunk__0_2', '_chunk_a', '_chunk_a_', '_chunk_a_0', '_chunk_a_0_', '_chunk_a_0_0', '_chunk_a_1_1', '_chunk_a_2_1',
    '_chunk_a_-1_2', '_chunk_a_0_-1', '_chunk_a_0_2_3', '_chunk_a_x_2', '_chunk_a_0_x', '_chunk_a_0x0_2', '_chunk_a_ 0_2', '_chunk_a_0_ 2', '_chunk_a_1e0_2',
    '_chunk_a_+0_2', '_chunk_a_0.5_2', '_chunk_a_0_18446744073709551615', '_chunk_a_0_18446744073709551616', '_chunk_b_18446744073709551614_18446744073709551615',
    '_chunk_c_4294967296_4294967297', '_chunk_' . 'i' x 39 . '_0_2', '_chunk_' . 'i' x 60, '_chunk_ _0_2', '_chunk_a_00_02', "_chunk_\\u0000_0_2", '_chunk_"_0_2',
    '_chunk_\\_0_2', '_chunk_ü_0_2', '_chunk_😀_0_2', 'chunk_a_0_2', '_CHUNK_a_0_2',
);
is_complete('headers of pieces', put_all(map { (under_topic($_, header($_), header($_) . '{"requestid":"<id>x"}', header($_) . '{"requestid":"<id>x"}')) } @headers));
is_complete('headers that are cut short', put_all(under_topic(map { substr header('_chunk_a_0_2') . '{"requestid":"<id>x"}', 0, $_ } 1 .. 60)));
sub halves
{
    my ($text) = @_;
    my ($id, $half) = ('text' . length $text, length($text) / 2);
    return under_topic(header("_chunk_${id}_0_2") . substr($text, 0, $half), header("_chunk_${id}_1_2") . substr $text, $half);
}
is_complete('pieces of texts that are no answers', put_all(map { halves($_) } @nonsense));
is_complete('pieces that disagree on how many they are', put_all(under_topic(header('_chunk_d_5_9') . 'x', header('_chunk_d_0_2') . '{', header('_chunk_d_7_8') . 'x',
    map { header("_chunk_e_0_$_") . '{}' } 1 .. 20)));
is_complete('pieces of pieces', put_all(under_topic(map { header('_chunk_f_0_1') . header("_chunk_g_0_$_") . '{}' } 1 .. 3)));
is_complete('pieces of which escape sequences are cut', put_all(map { qq(["$topic","$_"]) } header('_chunk_h_0_2') . '{\\"requestid\\', header('_chunk_h_1_2') . '":1}',
    header('_chunk_h_1_3') . '\\u00', header('_chunk_i_0_2') . '\\ud8', header('_chunk_i_1_2') . '3d\\ude00'));
# An answer that is whole, in one piece that says so.
{
    my $server = start_legacy_server($node, 'app', 'single', on => {
        clients => sub { my ($server, $request) = @_; publish($server, $topic, header('_chunk_aaaaaa_0_1') . qq({"requestid":"$request->{requestid}","clients":["s1"]})) } });
    is_answered(ask($node, 'app', q{SELECT id FROM socketio_clients(timeout => '10 min');}), ['s1'], 'one piece of one');
    stop_server($server);
}

# A great many payloads, bent at random: always the same ones.
srand 20250202;
{
    my $bend = sub {
        my ($text) = @_;
        for my $i (0 .. int rand 4)
        {
            my $at = int rand length $text;
            my $kind = int rand 4;
            substr $text, $at, 1, chr 1 + int rand 127 if $kind == 0;
            substr $text, $at, 1 + int rand 8, '' if $kind == 1;
            substr $text, $at, 0, substr $text, int rand length $text, int rand 20 if $kind == 2;
            substr $text, $at, 1, substr '{}[]",:0123456789.eE+-\\ntfu_ ', int rand 30, 1 if $kind == 3;
            $text .= ' ' if $text eq '';
        }
        return $text;
    };
    # Of other requests: their ids become this one's by no accident that a few bent characters are.
    my @payloads = under_topic('{"requestid":"0123456789abcdef","clients":["x","y"]}', '{"requestid":"0123456789abcdef+","rooms":["x","ä\\u00e4\\ud83d\\ude00"]}',
        '{"requestid":"0123456789abcdef","data":{"a":[1,2.5,null,true,"x\\n"]}}', map { header("_chunk_abcdef_${_}_3") . '{"requestid":"0123456789abcdef","clients":[' } 0 .. 2);
    is_complete('bent at random', sub { my ($server) = @_; put_payload($server, $bend->($payloads[ rand @payloads ])) for 1 .. 1500 });
}

# A flood of pieces that make no text. When the server is told to join, the worker has taken in all that came before: it is as large then as
# it will be, and waits.
my $piece = q{'["socket.io-response#/#","' || rpad('_chunk_' || %s, 50) || repeat('x', %d) || '"]'};
sub flood
{
    my ($server, $pieces, $header, $size, $rounds) = @_;
    my $payload = sprintf $piece, $header, $size;
    run_sql($server, "SELECT count(pg_notify('socketio', $payload)) FROM generate_series($pieces * $_ + 1, $pieces * ($_ + 1)) AS i") for 0 .. $rounds - 1;
    return;
}
my %floods = (
    'of texts that never end'     => [ 5_000,   q{i || '_0_2'},             7800, 16 ],    # 620 MB
    'of pieces of one text'       => [ 5_000,   q{'id_' || i || '_999999'}, 7800, 16 ],
    'of short pieces'             => [ 150_000, q{i || '_0_2'},             1,    14 ],
    'of short pieces of one text' => [ 150_000, q{'id_' || i || '_9999999'}, 0,   14 ],
);
for my $kind (sort keys %floods)
{
    my ($pieces, $header, $size, $rounds) = @{ $floods{$kind} };
    # As a role that may see whose worker it is.
    my $server = start_good_server(user => undef, on => {
        clients => sub {
            my ($server, $request) = @_;
            flood($server, $pieces, $header, $size, $rounds);
            behave_legacy($server, $request);
        },
        remote_join => sub {
            my ($server, $request) = @_;
            my ($pid) = run_sql($server, q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'socketio_emitter request'});
            my ($peak) = slurp_file("/proc/$pid/status") =~ /^VmHWM:\s+(\d+) kB$/m;
            print { $server->{log} } json({ type => 'peak', peak => $peak }), "\n";
            behave_legacy($server, $request);
        } });
    my $session = ask($node, 'app', "$asks{remote_join} SELECT 'after';");
    is_answered($session, ['after'], "a flood $kind");
    my ($peak) = heard_by($server, 'peak');
    note "a flood $kind: $peak->{peak} kB, $session->{seconds} s";
    cmp_ok($peak->{peak}, '<', 640 * 1024, "a flood $kind: what the worker takes, in kB");
    stop_server($server);
}

# All at once there may be too much for the worker to hear what follows. The timeout strikes, and there are bounds as well.
{
    my $server = start_legacy_server($node, 'app', 'flood', user => 'anyone', on => { clients => sub { flood($_[0], 80_000, q{i || '_0_2'}, 7800, 1) } });
    my $asking = start_asking($node, 'app', q{SELECT id FROM socketio_clients(timeout => '20 s');});
    my $pid = until_true('a worker', sub { $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'socketio_emitter request'}) });
    my $peak = 0;
    until_true('its end', sub {
        open my $status, '<', "/proc/$pid/status" or return 1;
        $peak = $1 if join('', <$status>) =~ /^VmHWM:\s+(\d+) kB$/m;
        return 0;
    });
    my $session = finish_asking($asking);
    is_answered($session, [], 'a flood of a single transaction', 'WARNING: timeout reached: 0 of 1 servers answered');
    cmp_ok($session->{seconds}, '<', 120, 'a flood of a single transaction: the timeout strikes');
    note "a flood of a single transaction: $peak kB, $session->{seconds} s";
    cmp_ok($peak, '<', 1024 * 1024, 'a flood of a single transaction: what the worker takes, in kB');
    stop_server($server);
}

# Whoever floods the channel keeps nobody from cancelling, nor the timeout from striking.
{
    my $server = start_legacy_server($node, 'app', 'flood', user => 'anyone', on => { clients => sub { flood($_[0], 500, q{i || '_0_2'}, 100, 100) } });
    my $session = ask($node, 'app', q{SELECT id FROM socketio_clients(timeout => '3 s');});
    is_answered($session, [], 'a flood', 'WARNING: timeout reached: 0 of 1 servers answered');
    cmp_ok($session->{seconds}, '<', 120, 'a flood: the timeout strikes');
    my $asking = start_asking($node, 'app', q{SELECT id FROM socketio_clients(timeout => '1 day'); SELECT 'after';});
    until_heard($server, 'clients', 2);
    $node->safe_psql('postgres', q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'asking'});
    $session = finish_asking($asking);
    is_refused($session, { sqlstate => '57014', message => qr/user request/ }, 'a flood: cancelled');
    is_deeply($session->{rows}, ['after'], 'a flood: cancelled: the session goes on');
    stop_server($server);
}

{
    my $server = start_good_server();
    is_answered(ask($node, 'app', $asks{$_}), $rows{$_}, "after all: $_") for sort keys %asks;
    stop_server($server);
}
is_without_workers($node, 'garbage');
$node->stop;
is_quiet($node);
server_is_sound($node);
done_testing();
