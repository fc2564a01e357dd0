# Databases that are not UTF-8: JSON and msgpack on the wire are, and what cannot be converted is an error.

use strict;
use warnings;
use utf8;

use EmitterTest;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_cluster('main');

# Text that every encoding here has, by database: letters, signs, what JSON escapes.
my %texts = (
    latin1    => "Größe: ½ Öl für 5 £ \"«ÿ»\" \\ / \x{a0}\x{ad} \t",
    euc_jp    => "日本語のテキスト ｶﾅ 丂 §±× \"引用\" \\ 、。",
    sql_ascii => "Größe € 部屋 😀 \"quoted\" \\ \t",
    win1251   => "Привет, \"мир\" € № \\ \t",
    utf8      => "Größe € 部屋 😀 \"quoted\" \\ \t",
);
# Bytes of "socket.io#/" and 60 letters.
my %bytes = (latin1 => 71, euc_jp => 131, sql_ascii => 131, win1251 => 71, utf8 => 131);
my %encodings = (latin1 => 'LATIN1', euc_jp => 'EUC_JP', sql_ascii => 'SQL_ASCII', win1251 => 'WIN1251', utf8 => 'UTF8');

for my $database (sort keys %encodings)
{
    my $encoding = $encodings{$database};
    my $text     = $texts{$database};
    my $literal  = $text =~ s/'/''/gr;
    # Not longer than a channel's name may be in any of them.
    my $namespace = '/' . substr($text =~ s/\W//gr, 0, 8);
    create_database($node, $database, 'CREATE EXTENSION socketio_emitter', options => "ENCODING '$encoding' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");

    my $json = encode_document($text) =~ s/'/''/gr;
    my $document = { $text => [$text], plain => undef };
    my $emits = qq{
        SELECT socketio_emit('$namespace', ARRAY['$literal'], ARRAY['not $literal'], '$literal', '["$database", $json]');
        SELECT socketio_emit_values(socketio_except(socketio_to(socketio_of('$namespace'), '$literal'), 'not $literal'), '$literal', '$database', '$json'::jsonb);
        SELECT socketio_emit_values(socketio_except(socketio_to(socketio_of('$namespace'), '$literal'), 'not $literal'), '$literal', '$database', '$json'::json);
    };
    for my $way ('notification', 'attachment')
    {
        my $threshold = $way eq 'attachment' ? 'SET socketio_emitter.payload_threshold = 1;' : '';
        my $session = session($node, $database, "$threshold $emits", channels => ["socket.io#$namespace"]);
        is_clean($session, "$encoding, $way: no error");
        is_deeply(ways($session), [ ($way) x 3 ], "$encoding, $way: the way it goes");
        is_deeply([ map { $_->{channel} } @{ $session->{notifications} } ], [ ("socket.io#$namespace") x 3 ], "$encoding, $way: the channel");
        my $expected = {
            uid => 'emitter', source => '_sio_adapter', nsp => $namespace, type => 3,
            data => {
                packet => { type => 2, data => [ $text, $database, $document ], nsp => $namespace },
                opts   => { rooms => [$text], except => ["not $text"], flags => {} },
            },
        };
        my @messages = @{ messages($session) };
        delete $_->{seq} for @messages;
        is_deeply(\@messages, [ ($expected) x 3 ], "$encoding, $way: the message");
    }

    # Keys of composites, elements, and binary beside text.
    my $column  = substr $text =~ s/\W//gr, 0, 6;
    my $session = session($node, $database, qq{
        CREATE TYPE composite AS ("$column" text);
        SELECT socketio_emit_values(NULL, 'values', '$literal'::varchar, ARRAY['$literal', NULL], ROW('$literal')::composite, '\\x00ff'::bytea);
    });
    is_emitted($session, [ [ 'values', $text, [ $text, undef ], { $column => $text }, binary("\x00\xff") ] ], "$encoding: values, keys and binary");

    # Long text, which grows or shrinks as UTF-8.
    my $letter = substr $text =~ s/[\x00-\x7f]//gr, 0, 1;
    for my $length (1000, 1333, 2665, 3999, 4000, 7995, 20000)
    {
        is_emitted(session($node, $database, "SELECT socketio_emit_values(NULL, 'long', repeat('$letter', $length)); "
                  . "SELECT socketio_emit(event => 'long', args => to_jsonb(repeat('$letter', $length)));"),
            [ ([ 'long', $letter x $length ]) x 2 ], "$encoding: $length characters");
    }

    # A channel's name counts in the database's bytes.
    my $too_long = '/' . $letter x 60;
    $session = session($node, $database, "SELECT socketio_emit('$too_long', event => 'never'); SELECT socketio_emit(event => 'after');");
    is_refused($session, { sqlstate => '42622', message => qr/^channel name "socket\.io#\Q$too_long\E" is too long$/, detail => qr/It has $bytes{$database} bytes/ },
        "$encoding: a channel's name that is too long");
    is_deeply(events($session), [ ['after'] ], "$encoding: after a channel's name that is too long");

    # The prefix and the table's name may be written in it as well.
    my $word = $text =~ s/\W//gr;
    $session = session($node, $database, qq{
        CREATE TABLE "$word" (id bigserial, created_at timestamptz, payload bytea);
        SET socketio_emitter.channel_prefix = '$word';
        SET socketio_emitter.attachment_table = '"$word"';
        SELECT socketio_emit_values(NULL, 'prefixed', '\\x01'::bytea, '$literal');
    }, channels => ["$word#/"]);
    is_emitted($session, [ [ 'prefixed', binary("\x01"), $text ] ], "$encoding: prefix and table's name", table => qq{"$word"});

    # Reserved names and errors show text as its user knows it.
    is_refused(session($node, $database, qq{SET socketio_emitter.attachment_table = '"no $word"'; SELECT socketio_emit_values(NULL, 'x', '\\x01'::bytea)}),
        { sqlstate => '42P01', message => qr/^attachment table ""no \Q$word\E"" does not exist$/ }, "$encoding: an error that shows text");
}

sub encode_document
{
    my ($text) = @_;
    return JSON::PP->new->encode({ $text => [$text], plain => undef });
}

sub binary
{
    my ($bytes) = @_;
    return bless { bytes => $bytes }, 'MessagePack::Binary';
}

# SQL_ASCII takes any bytes. What is not UTF-8 is refused wherever it stands, and the session goes on.
my $latin1 = q{convert_from('\xe4'::bytea, 'SQL_ASCII')};
my %broken = (
    argument         => "SELECT socketio_emit_values(NULL, 'e', $latin1)",
    'beside binary'  => "SELECT socketio_emit_values(NULL, 'e', '\\x00'::bytea, $latin1)",
    'in an array'    => "SELECT socketio_emit_values(NULL, 'e', ARRAY['a', $latin1])",
    'in a composite' => "SELECT socketio_emit_values(NULL, 'e', ROW(1, $latin1))",
    'in jsonb'       => "SELECT socketio_emit(event => 'e', args => jsonb_build_array($latin1))",
    'in a key'       => "SELECT socketio_emit(event => 'e', args => jsonb_build_object($latin1, 1))",
    'in a long one'  => "SELECT socketio_emit_values(NULL, 'e', repeat('x', 100000) || $latin1)",
    event            => "SELECT socketio_emit(event => $latin1)",
    namespace        => "SELECT socketio_emit($latin1, event => 'e')",
    room             => "SELECT socketio_emit(rooms => ARRAY[$latin1], event => 'e')",
    except           => "SELECT socketio_emit(except_rooms => ARRAY[$latin1], event => 'e')",
    'joined room'    => "SELECT socketio_sockets_join(rooms => '{a}', join_rooms => ARRAY[$latin1])",
    'server-side'    => "SELECT socketio_server_side_emit(event => 'e', args => to_jsonb($latin1))",
    'cut short'      => q{SELECT socketio_emit_values(NULL, 'e', convert_from('\xe697'::bytea, 'SQL_ASCII'))},
    surrogate        => q{SELECT socketio_emit_values(NULL, 'e', convert_from('\xeda080'::bytea, 'SQL_ASCII'))},
);
for my $place (sort keys %broken)
{
    my $session = session($node, 'sql_ascii', "$broken{$place}; SELECT socketio_emit(event => 'after'); BEGIN; SAVEPOINT s; $broken{$place}; ROLLBACK TO s; "
          . "SELECT socketio_emit(event => 'and after'); COMMIT;");
    is_deeply([ map { $_->{sqlstate} } @{ $session->{errors} } ], [ '22021', '22021' ], "SQL_ASCII, not UTF-8: $place");
    like($session->{errors}[0]{message}, qr/invalid byte sequence for encoding "UTF8"/, "SQL_ASCII, not UTF-8: $place: message");
    is_deeply(events($session), [ ['after'], ['and after'] ], "SQL_ASCII, not UTF-8: $place: the session goes on");
}

# A listener with another client encoding gets the same text.
{
    my $session = session($node, 'latin1', q{SET client_encoding = 'LATIN1'; SELECT socketio_emit(event => chr(228), args => to_jsonb(chr(246))); RESET client_encoding;});
    is_emitted($session, [ [ 'ä', 'ö' ] ], 'a client in LATIN1');
}

server_is_sound($node);
done_testing();
