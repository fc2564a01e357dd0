# Asking from databases that are not UTF-8: what the encoding has arrives, what it lacks becomes a question mark, and bytes that are
# nothing at all do no harm.

use strict;
use warnings;
use utf8;

use AskTest;
use EmitterTest;
use JSON::PP ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_ask_cluster('main');
my %encodings = (latin1 => 'LATIN1', euc_jp => 'EUC_JP', sql_ascii => 'SQL_ASCII', win1251 => 'WIN1251');

# Text that each encoding has, and what becomes of text that some have not.
my %texts = (latin1 => 'Größe ½ "ÿ" \\', euc_jp => '日本語 ｶﾅ § "引用" ', sql_ascii => 'Größe € 部屋 😀', win1251 => 'Привет "мир" № €');
my $strange = 'a€ü部я😀z';
my %becomes = (latin1 => 'a?ü???z', euc_jp => 'a?ü部я?z', sql_ascii => $strange, win1251 => 'a€??я?z');

for my $database (sort keys %encodings)
{
    my $encoding = $encodings{$database};
    my $text     = $texts{$database};
    my $literal  = $text =~ s/'/''/gr;
    my $namespace = '/' . substr $text =~ s/\W//gr, 0, 5;
    create_database($node, $database, 'CREATE EXTENSION socketio_emitter', options => "ENCODING '$encoding' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");

    # Both ways: what is asked, and what comes back. Text the encoding lacks comes in attachments, or escaped.
    for my $way ('notification', 'attachment')
    {
        my $server = start_server($node, $database, 'uid', attaches => $way eq 'attachment', namespaces => [$namespace],
            sockets => [ { id => 's', rooms => [ 's', $text ], data => { $text => [$text] }, handshake => { h => $text }, ack => [$text] } ], response => [$text]);
        my $session = ask($node, $database, qq{
            SELECT id, rooms = ARRAY['s', '$literal'], data = jsonb_build_object('$literal', ARRAY['$literal']), handshake ->> 'h' = '$literal'
            FROM socketio_fetch_sockets('$namespace', ARRAY['$literal'], timeout => '10 min');
            SELECT response #>> '{}' = '$literal' FROM socketio_emit_with_ack('$namespace', event => '$literal', timeout => '10 min');
            SELECT response #>> '{}' = '$literal' FROM socketio_server_side_emit_with_ack('$namespace', '$literal', to_jsonb('$literal'::text), timeout => '10 min');
            SELECT room FROM socketio_client_rooms('s', '$namespace') ORDER BY room;
            SELECT room, sockets FROM socketio_all_rooms('$namespace') WHERE room <> 's';
            SELECT socketio_remote_leave('s', '$literal', '$namespace');
            SELECT room FROM socketio_client_rooms('s', '$namespace');
        });
        is_answered($session, [ 's|t|t|t', 't', 't', (sort { $a cmp $b } 's', $text), "$text|1", 's' ], "$encoding, $way");
        my ($request) = heard_by($server, 'server_side_emit');
        is_deeply($request->{data}{packet}, [ $text, $text ], "$encoding, $way: what the servers hear");
        stop_server($server);
    }

    # What it lacks.
    for my $way ('notification', 'attachment')
    {
        my %answer = (nsp => '/', type => 8, data => { sockets => [ { id => $strange, rooms => [ $strange, "$strange!" ], data => { $strange => $strange }, handshake => {} } ] });
        my $server = start_server($node, $database, 'strange', on => {
            fetch_sockets => sub {
                my ($server, $message) = @_;
                my %answer = (%answer, uid => 'strange', data => { %{ $answer{data} }, requestId => $message->{data}{requestId} });
                return send_text($server, JSON::PP->new->ascii->encode(\%answer)) if $way eq 'notification';
                send_text($server, '{"uid":"strange","nsp":"/","type":8,"attachmentId":"' . attach($server, pack_value(\%answer)) . '"}');
            } });
        my $expected = $becomes{$database};
        is_answered(ask($node, $database, q{SELECT id, rooms[2], data FROM socketio_fetch_sockets(timeout => '10 min');}),
            [qq($expected|$expected!|{"$expected": "$expected"})], "$encoding, $way: what it lacks");
        stop_server($server);
    }
}

# Bytes that are no UTF-8, where the server does not look: in a notification, and in msgpack.
{
    my %answer = (nsp => '/', type => 8, data => { sockets => [ { id => 's', rooms => ['s'], data => packed("\x81\xa1k\xa3a\xe4b"), handshake => {} } ] });
    my $server = start_server($node, 'sql_ascii', 'bytes', on => {
        fetch_sockets => sub {
            my ($server, $message) = @_;
            my $id = $message->{data}{requestId};
            for my $bytes ("\xe4", "\xff\xfe", "\xed\xa0\x80", "\xc0\x80", "\xe6\x97")
            {
                for my $text ($bytes, qq("$bytes"), qq({"$bytes":1}), qq({"uid":"$bytes","nsp":"/","type":0}), qq({"uid":"bytes","nsp":"/","type":9,"data":{"$bytes":"$bytes"}}))
                {
                    run_sql($server, q{SELECT pg_notify('socket.io#/', convert_from('\x} . unpack('H*', $text) . q{', 'SQL_ASCII'))});
                }
            }
            my %answer = (%answer, uid => 'bytes', data => { %{ $answer{data} }, requestId => $id });
            send_text($server, '{"uid":"bytes","nsp":"/","type":8,"attachmentId":"' . attach($server, pack_value(\%answer)) . '"}');
        } });
    my $session = ask($node, 'sql_ascii', q{SELECT id, data ->> 'k' FROM socketio_fetch_sockets(timeout => '5 s') WHERE server = 'bytes';});
    is_clean($session, 'bytes that are no text: no error');
    is_deeply($session->{rows}, ["s|a\x{fffd}b"], 'bytes that are no text');
    stop_server($server);

    # In a request, they are refused as they are in an emit.
    my $latin1 = q{convert_from('\xe4'::bytea, 'SQL_ASCII')};
    for my $call (
        "socketio_fetch_sockets(rooms => ARRAY[$latin1])",
        "socketio_emit_with_ack(event => $latin1)",
        "socketio_server_side_emit_with_ack(event => 'e', args => to_jsonb($latin1))",
        "socketio_client_rooms($latin1)",
        "socketio_remote_join('s', $latin1)",
        "socketio_custom_request(to_jsonb($latin1))",
        "socketio_servers($latin1)")
    {
        my $refused = ask($node, 'sql_ascii', "SELECT * FROM $call; SELECT 'after';");
        is_deeply([ map { $_->{sqlstate} } @{ $refused->{errors} } ], ['22021'], "SQL_ASCII, not UTF-8: $call") or diag explain $refused;
        is_deeply($refused->{rows}, ['after'], "SQL_ASCII, not UTF-8: $call: the session goes on");
    }
}

is_without_workers($node, 'after all');
$node->stop;
is_quiet($node);
server_is_sound($node);
done_testing();
