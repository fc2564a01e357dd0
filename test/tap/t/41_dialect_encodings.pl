# The older dialects from databases that are not UTF-8: text is the same on the wire, in names of channels and in topics, and what cannot
# be converted is an error. Where JSON has to be written in escapes, which take six bytes a letter, no payload becomes too long.

use strict;
use warnings;
use utf8;

use AskTest;
use DeliveryTest;
use Encode ();
use EmitterTest;
use JSON::PP ();
use LegacyTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_ask_cluster('main');

# Text that each encoding has, and the bytes that its first letter beyond ASCII takes there.
my %texts = (
    latin1    => "Größe: ½ Öl für 5 £ \"«ÿ»\" \\ / \x{a0}\x{ad} \t",
    euc_jp    => "日本語のテキスト ｶﾅ 丂 §±× \"引用\" \\ 、。",
    sql_ascii => "Größe € 部屋 😀 \"quoted\" \\ \t",
    utf8      => "Größe € 部屋 😀 \"quoted\" \\ \t",
);
my %encodings = (latin1 => 'LATIN1', euc_jp => 'EUC_JP', sql_ascii => 'SQL_ASCII', utf8 => 'UTF8');
my %letter_bytes = (latin1 => 1, euc_jp => 2, sql_ascii => 2, utf8 => 2);

sub set
{
    my ($protocol) = @_;
    return "SET socketio_emitter.protocol = '$protocol';\n";
}

sub json_of
{
    my ($value) = @_;
    return JSON::PP->new->canonical->encode($value) =~ s/'/''/gr;
}

# Messages without what sets equal ones apart.
sub without_seq
{
    my (@messages) = @_;
    for my $message (@messages)
    {
        like($message->{seq} // $message->{opts}{seq}, qr/\A\d+\z/, 'a message has a number') or diag explain $message;
        delete $message->{seq};
        delete $message->{opts}{seq};
    }
    return @messages;
}

# The payloads that `$sql` sends, in bytes.
sub payloads_of
{
    my ($database, $protocol, $channels, $sql) = @_;
    my $listener = start_listening($node, $database, @$channels, 'the end');
    my $session = session($node, $database, set($protocol) . $sql . q{NOTIFY "the end", 'the end'}, channels => []);
    is_clean($session, "$database, $protocol: no error");
    until_true('all to arrive', sub { heard($listener); ($listener->{received}[-1] // '') eq 'the end' });
    my @payloads = @{ $listener->{received} };
    stop_listening($listener);
    return @payloads[ 0 .. $#payloads - 1 ];
}

sub adapter_postgres_is_the_same
{
    my ($database, $text, $nsp) = @_;
    my $encoding = $encodings{$database};
    my $literal  = $text =~ s/'/''/gr;
    my $word     = $text =~ s/\W//gr;
    my $json     = json_of({ $text => [$text], plain => undef });
    my $not      = "$nsp#" . socket_id('not');
    my $packet   = { type => 2, nsp => $nsp, data => [ $text, $database, { $text => [$text], plain => undef } ] };
    my $session = session($node, $database, set('adapter-postgres') . qq{
        SELECT socketio_emit('$nsp', ARRAY['$literal'], ARRAY['$not'], '$literal', '["$database", $json]');
        SELECT socketio_emit('$nsp', ARRAY['$literal', 'not $literal'], '{}', '$literal', '["$database", $json]');
        SELECT socketio_emit_values(socketio_except(socketio_of('$nsp'), '$not'), '$literal', '$database', '$json'::json);
        SET socketio_emitter.channel_prefix = '$word';
        SELECT socketio_emit_values(socketio_to(socketio_of('$nsp'), '$literal'), '$literal', '\\x00ff'::bytea, ARRAY['$literal', NULL], '$literal'::varchar);
    }, channels => ['socketio']);
    is_clean($session, "$encoding, adapter-postgres: no error");
    my @messages = without_seq(legacy_messages_of($session));
    is_deeply([ map { $_->{topic} } @messages ], [ "socket.io#$nsp#$text#", "socket.io#$nsp#", "socket.io#$nsp#", "$word#$nsp#$text#" ], "$encoding, adapter-postgres: topics");
    is_deeply([ map { $_->{packet} } @messages ],
        [ ($packet) x 3, { type => 5, nsp => $nsp, data => [ $text, binary("\x00\xff"), [ $text, undef ], $text ] } ], "$encoding, adapter-postgres: packets");
    is_deeply([ map { $_->{opts} } @messages ],
        [ { rooms => [$text], except => [$not], flags => {} }, { rooms => [ $text, "not $text" ], except => [], flags => {} },
            { rooms => [], except => [$not], flags => {} }, { rooms => [$text], except => [], flags => {} } ],
        "$encoding, adapter-postgres: options");
    return;
}

sub socketio_postgres_is_the_same
{
    my ($database, $text, $nsp) = @_;
    my $encoding = $encodings{$database};
    my $literal  = $text =~ s/'/''/gr;
    my $word     = $text =~ s/\W//gr;
    my $short    = substr $word, 0, 4;
    my $json     = json_of({ $text => [$text], plain => undef });
    my @emits = (
        [ "socket-io:$nsp:$short", [$short], [ "not $text", 'other' ] ],
        [ "socket-io:$nsp", [ $short, $text ], [] ],
        [ "socket-io:$nsp", ["$text $text $text"], [$text] ],
        [ "$short:$nsp:$word", [$word], [] ],
        [ "$short:$nsp", [], [$word] ]);
    my $list = sub { 'ARRAY[' . join(', ', map { "'" . s/'/''/gr . "'" } @{ $_[0] }) . ']::text[]' };
    my $emit = sub { "SELECT socketio_emit('$nsp', " . $list->($_[0][1]) . ', ' . $list->($_[0][2]) . qq{, '$literal', '["$database", $json]');\n} };
    my %channels = map { $_->[0] => 1 } @emits;
    my @sql = map { $emit->($_) } @emits;
    my $session = session($node, $database, join('', set('socket.io-postgres'), @sql[ 0 .. 2 ], "SET socketio_emitter.channel_prefix = '$short';", @sql[ 3, 4 ]),
        channels => [ sort keys %channels ]);
    is_clean($session, "$encoding, socket.io-postgres: no error");
    is_deeply([ map { $_->{channel} } @{ $session->{notifications} } ], [ map { $_->[0] } @emits ], "$encoding, socket.io-postgres: channels");
    my @messages = map { $_->{message} } @{ $session->{notifications} };
    delete $_->{seq} for @messages;
    my $packet = { type => 2, nsp => $nsp, data => [ $text, $database, { $text => [$text], plain => undef } ] };
    is_deeply(\@messages, [ map { +{ uid => 'emitter', packet => $packet, options => { rooms => $_->[1], except => $_->[2], flags => {} } } } @emits ], "$encoding, socket.io-postgres: messages");
    return;
}

# Names of channels count in the database's bytes, of which they have 63: a room's that has more is sent to the namespace's, and that
# of a namespace that has more is an error.
sub channels_are_measured
{
    my ($database, $letter) = @_;
    my $encoding = $encodings{$database};
    my $bytes = $letter_bytes{$database};
    my $room = sub { my $fits = $letter x int((63 - length 'socket-io:/:') / $bytes); $fits . 'r' x (63 - length('socket-io:/:') - $bytes * length $fits) };
    my $longest = $room->();
    my $session = session($node, $database, set('socket.io-postgres')
          . "SELECT socketio_emit(event => 'e', rooms => ARRAY['$longest']); SELECT socketio_emit(event => 'e', rooms => ARRAY['r$longest']);",
        channels => [ 'socket-io:/', "socket-io:/:$longest" ]);
    is_clean($session, "$encoding: long channels");
    is_deeply([ map { $_->{channel} } @{ $session->{notifications} } ], [ "socket-io:/:$longest", 'socket-io:/' ], "$encoding: long channels");
    is_deeply([ map { $_->{message}{options}{rooms}[0] } @{ $session->{notifications} } ], [ $longest, "r$longest" ], "$encoding: long channels: rooms");
    my $nsp = '/' . $letter x 60;
    my $size = length('socket-io:/') + 60 * $bytes;
    is_refused(session($node, $database, set('socket.io-postgres') . "SELECT socketio_emit('$nsp', event => 'never')"),
        { sqlstate => '42622', message => qr/^channel name "socket-io:\Q$nsp\E" is too long$/, detail => qr/It has $size bytes/ }, "$encoding: a channel's name that is too long");
    return;
}

# Requests to the sockets and the servers, which are JSON in JSON, and their answers.
sub requests_are_the_same
{
    my ($database, $text, $nsp) = @_;
    my $encoding = $encodings{$database};
    my $literal  = $text =~ s/'/''/gr;
    my $json     = json_of({ $text => [$text], plain => undef });
    my $socket   = "$nsp#" . socket_id('socket');
    my $long     = substr($text =~ s/[\x00-\x7f]//gr, 0, 3) . '"\\';
    my $session = session($node, $database, set('adapter-postgres') . qq{
        SELECT socketio_sockets_join('$nsp', ARRAY['$socket'], '{}', ARRAY['$literal', 'b']);
        SELECT socketio_sockets_leave('$nsp', ARRAY['$socket'], '{}', ARRAY['$literal']);
        SELECT socketio_disconnect_sockets('$nsp', ARRAY['$socket'], '{}', true);
        SELECT socketio_sockets_join('$nsp', ARRAY['$socket'], '{}', ARRAY[repeat('$long', 5000)]);
        SELECT socketio_sockets_join('$nsp', ARRAY['$literal'], '{}', '{b}');
    }, channels => ['socketio']);
    is_refused($session, { sqlstate => '0A000', message => qr/only one socket/ }, "$encoding: requests to one socket, and to a room");
    my @messages = legacy_messages_of($session);
    is_deeply([ map { $_->{topic} } @messages ], [ ("socket.io-request#$nsp#") x 5 ], "$encoding: requests to one socket: topics");
    delete $_->{request}{requestid} for @messages;
    is_deeply([ map { $_->{request} } @messages ], [
            { type => 3, sid => $socket, room => $text }, { type => 3, sid => $socket, room => 'b' }, { type => 4, sid => $socket, room => $text },
            { type => 6, sid => $socket, close => JSON::PP::true() }, { type => 3, sid => $socket, room => $long x 5000 },
        ], "$encoding: requests to one socket");
    cmp_ok($messages[4]{pieces}, '>', 5, "$encoding: a request in pieces");

    # One that can answer in any text, in pieces as in one.
    for my $cut (5000, 40)
    {
        my $server = start_legacy_server($node, $database, "a $cut", namespaces => [$nsp], cut => $cut,
            sockets => [ { id => $socket, rooms => [ $socket, $text ] } ], response => [ { $text => [$text] } ]);
        my $answered = ask($node, $database, set('adapter-postgres') . qq{
            SELECT response -> '$literal' ->> 0 = '$literal' FROM socketio_custom_request('$json', '$nsp', timeout => '10 min');
            SELECT response -> '$literal' ->> 0 = '$literal' FROM socketio_custom_request(to_jsonb(repeat('$long', 5000)), '$nsp', timeout => '10 min');
            SELECT id = '$socket' FROM socketio_clients('$nsp', ARRAY['$literal'], timeout => '10 min');
            SELECT room = '$literal' FROM socketio_client_rooms('$socket', '$nsp', timeout => '10 min') WHERE room <> '$socket';
            SELECT socketio_remote_leave('$socket', '$literal', '$nsp', timeout => '10 min');
            SELECT count(*) FROM socketio_clients('$nsp', ARRAY['$literal'], timeout => '10 min');
        });
        is_answered($answered, [ 't', 't', 't', 't', '0' ], "$encoding: asked, in pieces of $cut");
        is_deeply([ map { $_->{request}{data} } heard_by($server, 'custom_request') ], [ { $text => [$text], plain => undef }, $long x 5000 ], "$encoding: asked: what the servers hear");
        is_deeply([ map { $_->{request}{room} } heard_by($server, 'remote_leave') ], [$text], "$encoding: asked: the room");
        stop_server($server);
    }
    return;
}

# A text about as long as a payload holds, and far longer: under a topic in ASCII, one whose escapes take a third of a payload, and one
# too long for any payload, in place of which the namespace's is taken.
sub payloads_are_short
{
    my ($database, $letter) = @_;
    my $encoding = $encodings{$database};
    my $bytes = $database eq 'utf8' ? length Encode::encode('UTF-8', $letter) : 6;
    my %rooms = (ascii => 'room', many => $letter x int(2800 / $bytes), 'too many' => $letter x int(3000 / $bytes + 1));
    for my $kind (sort keys %rooms)
    {
        my $room = $rooms{$kind};
        my %heads = (ascii => length '["socket.io#/#room#","', many => length('["socket.io#/##","') + $bytes * length $room, 'too many' => length '["socket.io#/#","');
        my $head = $heads{$kind};
        # Base64 has four characters for three bytes.
        my $most = int((7999 - $head - 2) / 4) * 3;
        my $room_bytes = length Encode::encode('UTF-8', $room);
        my ($first, $last) = ($most - $room_bytes - 130, $most - $room_bytes - 30);
        my @payloads = payloads_of($database, 'adapter-postgres', ['socketio'], qq{
            SELECT socketio_emit(event => 'near', rooms => ARRAY['$room'], args => to_jsonb(repeat('x', i))) FROM generate_series($first, $last) AS i;
            SELECT socketio_emit(event => 'far', rooms => ARRAY['$room'], args => to_jsonb(repeat('$letter', i))) FROM unnest('{3000,8000,100000}'::int[]) AS i;
        });
        my $name = "$encoding, a topic in $kind";
        my @whole = grep { !/","_chunk_/ } @payloads;
        is_deeply([ grep { length > 7999 } @payloads ], [], "$name: no payload is too long");
        my ($longest) = sort { $b <=> $a } map { length } @whole;
        cmp_ok($longest, '>', 7995, "$name: one that fits is not cut");
        my @heads = map { /\A(\["[^"]*(?:\\"[^"]*)*",")/ ? length $1 : 'none' } @payloads;
        is_deeply([ grep { $_ ne $head } @heads ], [], "$name: the topic takes $head bytes");
        my @messages = legacy_messages(map { Encode::decode('UTF-8', $_) } @payloads);
        my $sizes = $last - $first + 1;
        cmp_ok(scalar(grep { $_->{pieces} > 1 } @messages[ 0 .. $sizes - 1 ]), '>', 10, "$name: some are in pieces");
        cmp_ok(scalar(grep { $_->{pieces} == 1 } @messages[ 0 .. $sizes - 1 ]), '>', 10, "$name: some are not");
        is_deeply([ map { $_->{packet}{data} } @messages ], [ map({ [ 'near', 'x' x $_ ] } $first .. $last), map({ [ 'far', $letter x $_ ] } 3000, 8000, 100_000) ], "$name: what arrives");
        is_deeply([ grep { $_->{opts}{rooms}[0] ne $room } @messages ], [], "$name: the room");
    }

    # A namespace that is too long for every topic.
    my $nsp = '/' . $letter x int(3000 / $bytes + 1);
    is_refused(session($node, $database, set('adapter-postgres') . "SELECT socketio_emit('$nsp', event => 'never')"),
        { sqlstate => '42622', message => qr/^a namespace of \d+ bytes is too long for protocol "adapter-postgres"$/ }, "$encoding: a namespace that is too long");

    # JSON of socket.io-postgres: it is its length on the wire that counts.
    my $fits = int(7800 / $bytes);
    my @payloads = payloads_of($database, 'socket.io-postgres', ['socket-io:/'], "SELECT socketio_emit(event => 'e', args => to_jsonb(repeat('$letter', $fits)));");
    is_deeply([ grep { length > 7999 || length() < 7800 } @payloads ], [], "$encoding: the longest text of socket.io-postgres");
    my $parsed = JSON::PP->new->utf8->decode($payloads[0] // 'null');
    is_deeply($parsed->{packet}{data}, [ 'e', $letter x $fits ], "$encoding: the longest text of socket.io-postgres arrives");
    my $unfit = int(8000 / $bytes);
    is_refused(session($node, $database, set('socket.io-postgres') . "SELECT socketio_emit(event => 'e', args => to_jsonb(repeat('$letter', $unfit)));"),
        { sqlstate => '54000', message => qr/exceeds the 7999 bytes/ }, "$encoding: one that is longer");
    return;
}

for my $database (sort keys %encodings)
{
    my $text = $texts{$database};
    my $letter = substr $text =~ s/[\x00-\x7f]//gr, 0, 1;
    my $nsp = '/' . substr $text =~ s/\W//gr, 0, 5;
    create_database($node, $database, 'CREATE EXTENSION socketio_emitter', options => "ENCODING '$encodings{$database}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
    adapter_postgres_is_the_same($database, $text, $nsp);
    socketio_postgres_is_the_same($database, $text, $nsp);
    channels_are_measured($database, $letter);
    requests_are_the_same($database, $text, $nsp);
    payloads_are_short($database, $letter);
}

# Bytes that are no text are refused wherever they stand, and the session goes on: SQL_ASCII takes any, EUC_JP has letters that mean nothing.
my $socket = socket_id('socket');
my %broken = (
    sql_ascii => [ q{convert_from('\xe4'::bytea, 'SQL_ASCII')}, '22021', qr/invalid byte sequence for encoding "UTF8"/ ],
    euc_jp    => [ q{convert_from('\xa2af'::bytea, 'EUC_JP')},  '22P05', qr/has no equivalent in encoding "UTF8"/ ],
);
for my $database (sort keys %broken)
{
    my ($bytes, $sqlstate, $message) = @{ $broken{$database} };
    my %places = (
        argument         => "socketio_emit_values(NULL, 'e', $bytes)",
        'in an array'    => "socketio_emit_values(NULL, 'e', ARRAY['a', $bytes])",
        'in jsonb'       => "socketio_emit(event => 'e', args => jsonb_build_object('k', $bytes))",
        'in a key'       => "socketio_emit(event => 'e', args => jsonb_build_object($bytes, 1))",
        event            => "socketio_emit(event => $bytes)",
        namespace        => "socketio_emit($bytes, event => 'e')",
        room             => "socketio_emit(rooms => ARRAY[$bytes], event => 'e')",
        'one of rooms'   => "socketio_emit(rooms => ARRAY['room', $bytes], event => 'e')",
        except           => "socketio_emit(except_rooms => ARRAY[$bytes], event => 'e')",
    );
    my %long = (
        'beside binary' => "socketio_emit_values(NULL, 'e', '\\x00'::bytea, $bytes)",
        'in a long one' => "socketio_emit_values(NULL, 'e', repeat('x', 100000) || $bytes)",
        'joined room'   => "socketio_sockets_join(rooms => '{$socket}', join_rooms => ARRAY['a', $bytes])",
        'left room'     => "socketio_sockets_leave(rooms => '{$socket}', leave_rooms => ARRAY[$bytes])",
        'its namespace' => "socketio_sockets_join($bytes, '{$socket}', '{}', '{a}')",
    );
    for my $protocol ('adapter-postgres', 'socket.io-postgres')
    {
        my %calls = (%places, $protocol eq 'adapter-postgres' ? %long : ());
        for my $place (sort keys %calls)
        {
            my $name = "$database, $protocol, bytes that are no text: $place";
            my $session = session($node, $database, set($protocol) . "SELECT $calls{$place}; SELECT socketio_emit(event => 'after'); BEGIN; SAVEPOINT s; SELECT $calls{$place}; ROLLBACK TO s; "
                  . "SELECT socketio_emit(event => 'and after'); COMMIT;", channels => [ 'socketio', 'socket-io:/' ]);
            is_deeply([ map { $_->{sqlstate} } @{ $session->{errors} } ], [ ($sqlstate) x 2 ], $name) or diag explain $session->{errors};
            like(($session->{errors}[0] // {})->{message} // '', $message, "$name: message");
            my @events = $protocol eq 'adapter-postgres' ? @{ legacy_events(legacy_messages_of($session)) } : map { $_->{message}{packet}{data} } @{ $session->{notifications} };
            is_deeply(\@events, [ ['after'], ['and after'] ], "$name: the session goes on");
        }
    }

    # The same in questions.
    my @calls = ("custom_request(to_jsonb($bytes))", "clients(rooms => ARRAY[$bytes])", "clients($bytes)", "client_rooms($bytes)", "remote_join('$socket', $bytes)");
    for my $call (map { "socketio_$_" } @calls)
    {
        my $refused = ask($node, $database, set('adapter-postgres') . "SELECT * FROM $call; SELECT 'after';");
        is_deeply([ map { $_->{sqlstate} } @{ $refused->{errors} } ], [$sqlstate], "$database, bytes that are no text: $call") or diag explain $refused;
        is_deeply($refused->{rows}, ['after'], "$database, bytes that are no text: $call: the session goes on");
    }
}

# What the database's encoding lacks comes in escapes, and is a question mark there.
{
    my $strange = 'a€ü部я😀z';
    my %becomes = (latin1 => 'a?ü???z', euc_jp => 'a?ü部я?z', sql_ascii => $strange);
    for my $database (sort keys %becomes)
    {
        my $server = start_legacy_server($node, $database, 'strange', on => { custom_request => sub {
            my ($server, $request) = @_;
            my $ascii = JSON::PP->new->ascii;
            my $text = $ascii->encode({ requestid => $request->{requestid}, data => { $strange => $strange } });
            put_payload($server, $ascii->encode([ "$server->{prefix}-response#/#", $text ]));
        } });
        my $expected = $becomes{$database};
        is_answered(ask($node, $database, set('adapter-postgres') . q{SELECT response FROM socketio_custom_request('1', timeout => '10 min');}),
            [qq({"$expected": "$expected"})], "$database: what it lacks");
        stop_server($server);
    }
}

is_without_workers($node, 'after all');
$node->stop;
is_quiet($node);
server_is_sound($node);
done_testing();
