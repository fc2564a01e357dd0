# Asking the cluster, answered by servers of the tests: what each function sends and returns, who is waited for, and for how long.

use strict;
use warnings;
use utf8;

use AskTest;
use EmitterTest;
use JSON::PP ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes ();

my $node = start_ask_cluster('main');
create_database($node, $_, 'CREATE EXTENSION socketio_emitter') for 'app', 'other', 'empty';

my %alice = (id => 'a1', rooms => [ 'a1', 'room1', 'blue' ], data => { name => 'Älice 😀', n => 1.5 }, handshake => { url => '/?a', headers => { cookie => 'x' } });
my %bob   = (id => 'b1', rooms => [ 'b1', 'room1' ], data => {}, handshake => {});
my %carol = (id => 'b2', rooms => ['b2'], handshake => {});

my $fetch   = q{SELECT id, rooms, data, handshake, server FROM socketio_fetch_sockets(timeout => '10 min') ORDER BY id;};
my @fetched = (
    'a1|{a1,room1,blue}|{"n": 1.5, "name": "Älice 😀"}|{"url": "/?a", "headers": {"cookie": "x"}}|a',
    'b1|{b1,room1}|{}|{}|b', 'b2|{b2}||{}|b',
);

# Nobody there: no rows, long before the timeout, and nothing to be said.
{
    my $session = ask($node, 'app', q{
        SELECT * FROM socketio_fetch_sockets(timeout => '10 min');
        SELECT * FROM socketio_servers(timeout => '10 min');
        SELECT * FROM socketio_emit_with_ack(event => 'e', timeout => '10 min');
        SELECT * FROM socketio_server_side_emit_with_ack(event => 'e', timeout => '10 min');
    });
    is_answered($session, [], 'no server');
    cmp_ok($session->{seconds}, '<', 120, 'no server: no function waits for its timeout');
    my @controls = (
        q{socketio_remote_join('nobody', 'room', timeout => '10 min')}, q{socketio_remote_leave('nobody', 'room', timeout => '10 min')},
        q{socketio_remote_disconnect('nobody', timeout => '10 min')});
    $session = ask($node, 'app', join '', map { "SELECT $_;" } @controls);
    is_deeply([ map { $_->{sqlstate} } @{ $session->{errors} } ], [ ('P0002') x 3 ], 'no server: nobody to control');
    like($_->{message}, qr/nobody/, 'no server: the error names the id') for @{ $session->{errors} };
}

# A listener that says nothing is told of, and holds nobody up for long.
{
    my $listener = $node->background_psql('app');
    $listener->query_safe('LISTEN "socket.io#/"');
    my $session = ask($node, 'app', $fetch);
    is_clean($session, 'a silent listener: no error');
    is_deeply($session->{rows}, [], 'a silent listener: no rows');
    is_deeply([ map { $_->{severity} } @{ $session->{notices} } ], ['NOTICE'], 'a silent listener: one notice');
    like($session->{notices}[0]{message}, qr/\b(?:1|one)\b/, 'a silent listener: which tells how many there are') or diag explain $session->{notices};
    is_answered(ask($node, 'other', $fetch), [], 'a silent listener of another database');
    my $server = start_server($node, 'app', 'a', sockets => [ \%alice ]);
    $session = ask($node, 'app', $fetch);
    is_clean($session, 'a silent listener and a server: no error');
    is_deeply($session->{rows}, [ $fetched[0] ], 'a silent listener and a server: its rows');
    is_deeply([ map { $_->{severity} } @{ $session->{notices} } ], ['NOTICE'], 'a silent listener and a server: one notice');
    stop_server($server);
    $listener->quit;
}

# Two servers: both answer, in notifications and in attachments.
for my $way ('notification', 'attachment')
{
    my @options = (attaches => $way eq 'attachment');
    my $a = start_server($node, 'app', 'a', sockets => [ { %alice, ack => [ { ok => JSON::PP::true } ] } ], response => [ 'from a' ], @options);
    my $b = start_server($node, 'app', 'b', sockets => [ { %bob, ack => [] }, { %carol, ack => [ [ 1, undef, 'x' ] ] } ], response => [ { n => 2 } ], @options);

    is_answered(ask($node, 'app', $fetch), \@fetched, "$way: fetch_sockets");
    is_answered(ask($node, 'app', q{SELECT id FROM socketio_fetch_sockets('/', '{room1}', '{blue}');}), ['b1'], "$way: fetch_sockets: rooms and except");
    is_answered(ask($node, 'app', q{SELECT id FROM socketio_fetch_sockets(socketio_except(socketio_to('room1'), 'blue'));}), ['b1'], "$way: fetch_sockets of a target");
    is_answered(ask($node, 'app', q{SELECT count(*) FROM socketio_fetch_sockets(rooms => '{nobody}', timeout => '10 min');}), ['0'], "$way: fetch_sockets: nobody");
    is_answered(ask($node, 'app', q{SELECT uid, node, latency > '0' AND latency < '1 min' FROM socketio_servers() ORDER BY uid;}), [ 'a||t', 'b||t' ], "$way: servers");
    is_answered(ask($node, 'app', q{SELECT server, response, response IS NULL FROM socketio_emit_with_ack('/', '{}', '{}', 'hello', '["x", 1]', '10 min') ORDER BY server, response;}),
        [ 'a|{"ok": true}|f', 'b|[1, null, "x"]|f', 'b||t' ], "$way: emit_with_ack");
    is_answered(ask($node, 'app', q{SELECT server, response FROM socketio_emit_with_ack(socketio_to('blue'), 'hello', '"x"');}), ['a|{"ok": true}'], "$way: emit_with_ack to a target");
    is_answered(ask($node, 'app', q{SELECT count(*) FROM socketio_emit_with_ack(rooms => '{nobody}', event => 'hello', timeout => '10 min');}), ['0'], "$way: emit_with_ack: nobody");
    is_answered(ask($node, 'app', q{SELECT server, response FROM socketio_server_side_emit_with_ack('/', 'hello', '[1, "two"]', '10 min') ORDER BY server;}),
        [ 'a|"from a"', 'b|{"n": 2}' ], "$way: server_side_emit_with_ack");
    is_answered(ask($node, 'app', q{SELECT server, response FROM socketio_custom_request('{"a": [1]}', timeout => '10 min') ORDER BY server;}),
        [ 'a|"from a"', 'b|{"n": 2}' ], "$way: custom_request");
    is_answered(ask($node, 'app', q{SELECT * FROM socketio_clients() ORDER BY id; SELECT * FROM socketio_clients(rooms => '{room1}') ORDER BY id;}), [qw(a1 b1 b2 a1 b1)], "$way: clients");
    is_answered(ask($node, 'app', q{SELECT * FROM socketio_client_rooms('a1') ORDER BY room; SELECT * FROM socketio_client_rooms('nobody');}), [qw(a1 blue room1)], "$way: client_rooms");
    is_answered(ask($node, 'app', q{SELECT room || ' ' || sockets FROM socketio_all_rooms() ORDER BY room;}), [ 'a1 1', 'b1 1', 'b2 1', 'blue 1', 'room1 2' ], "$way: all_rooms");

    # What left: as the official servers write it.
    my ($request) = heard_by($a, 'fetch_sockets');
    is_deeply([ @$request{qw(uid nsp)}, $request->{data}{opts} ], [ 'emitter', '/', { rooms => [], except => [], flags => {} } ], "$way: fetch_sockets: what the servers hear");
    like($request->{data}{requestId}, qr/^\w{8,}$/, "$way: fetch_sockets: the id of the request");
    ($request) = heard_by($a, 'broadcast');
    is_deeply($request->{data}{packet}, { type => 2, data => [ 'hello', 'x', 1 ], nsp => '/' }, "$way: emit_with_ack: what the servers hear");
    my @packets = map { $_->{data}{packet} } heard_by($a, 'server_side_emit');
    is_deeply(\@packets, [ [ 'hello', 1, 'two' ], [ 'customRequest', { a => [1] } ] ], "$way: what the servers' own listeners hear");
    my %ids = map { $_->{data}{requestId} => 1 } grep { exists $_->{data}{requestId} } heard_by($b);
    is(scalar keys %ids, scalar(grep { exists $_->{data}{requestId} } heard_by($b)), "$way: every request has an id of its own");

    # What changes sockets does so at once.
    is_answered(ask($node, 'app', q{
        BEGIN;
        SELECT socketio_remote_join('b2', 'new room');
        SELECT socketio_remote_leave('b2', 'never there');
        SELECT room FROM socketio_client_rooms('b2') ORDER BY room;
        ROLLBACK;
        SELECT room FROM socketio_client_rooms('b2') ORDER BY room;
        SELECT socketio_remote_leave('b2', 'new room');
        SELECT room FROM socketio_client_rooms('b2');
        SELECT socketio_remote_disconnect('b2', true);
        SELECT id FROM socketio_clients() ORDER BY id;
    }), [ 'b2', 'new room', 'b2', 'new room', 'b2', 'a1', 'b1' ], "$way: remote_join, remote_leave and remote_disconnect");
    my ($disconnect) = heard_by($b, 'disconnect_sockets');
    is_deeply([ $disconnect->{data}{opts}{rooms}, $disconnect->{data}{close} ], [ ['b2'], JSON::PP::true ], "$way: remote_disconnect: what the servers hear");
    my $gone = ask($node, 'app', q{SELECT socketio_remote_disconnect('b2');});
    is_refused($gone, { sqlstate => 'P0002', message => qr/b2/ }, "$way: remote_disconnect of a socket that is gone");

    # Switched off: what changes something does nothing, what only asks works.
    my $heard = () = heard_by($a);
    is_answered(ask($node, 'app', q{
        SET socketio_emitter.enabled = off;
        SELECT socketio_emit_with_ack(event => 'never'), socketio_server_side_emit_with_ack(event => 'never'), socketio_custom_request('1');
        SELECT socketio_emit_with_ack(NULL::socketio_target, 'never');
        SELECT socketio_remote_join('a1', 'never');
        SELECT socketio_remote_leave('a1', 'room1');
        SELECT socketio_remote_disconnect('a1');
        SELECT socketio_remote_join('nobody', 'never');
    }), [], "$way: switched off: what changes something");
    is(scalar(() = heard_by($a)), $heard, "$way: switched off: the servers hear nothing");
    is_answered(ask($node, 'app', q{SET socketio_emitter.enabled = off; SELECT room FROM socketio_client_rooms('a1') ORDER BY room;}), [qw(a1 blue room1)], "$way: switched off: what asks");
    stop_server($a, $b);
}

# Other namespaces, prefixes and settings of the session's.
{
    my $admin = start_server($node, 'app', 'admin', namespaces => [ '/', '/admin' ], sockets => [ { id => 's', rooms => ['s'] } ]);
    my $other = start_server($node, 'app', 'prefixed', prefix => 'my app', sockets => [ { id => 'p', rooms => ['p'] } ]);
    is_answered(ask($node, 'app', q{SELECT id, server FROM socketio_fetch_sockets('admin', timeout => '10 min');}), ['s|admin'], 'a namespace');
    is_answered(ask($node, 'app', q{SELECT id, server FROM socketio_fetch_sockets(socketio_of('/admin'));}), ['s|admin'], 'the namespace of a target');
    is_answered(ask($node, 'app', q{SELECT id FROM socketio_fetch_sockets('/nobody', timeout => '10 min');}), [], 'a namespace without servers');
    is_answered(ask($node, 'app', q{SET socketio_emitter.channel_prefix = 'my app'; SELECT id, server FROM socketio_fetch_sockets(timeout => '10 min');}), ['p|prefixed'], 'a prefix');
    is_answered(ask($node, 'app', q{BEGIN; SET LOCAL socketio_emitter.channel_prefix = 'my app'; SELECT uid FROM socketio_servers(); COMMIT; SELECT uid FROM socketio_servers();}),
        [ 'prefixed', 'admin' ], 'a prefix that is set for a transaction');
    stop_server($admin, $other);
}

# Large requests travel as attachments, and so do large answers.
{
    my $long = 'ü' x 9000;
    my $a = start_server($node, 'app', 'a', sockets => [ { %alice, data => { long => $long } } ], response => [$long]);
    is_answered(ask($node, 'app', qq{SELECT length(data ->> 'long') FROM socketio_fetch_sockets(timeout => '10 min');}), ['9000'], 'a large answer');
    is_answered(ask($node, 'app', qq{SELECT response = to_jsonb(repeat('ü', 9000)) FROM socketio_server_side_emit_with_ack(event => 'e', args => to_jsonb(repeat('ü', 9000)), timeout => '10 min');}),
        ['t'], 'a large request and a large answer');
    my ($request) = heard_by($a, 'server_side_emit');
    is($request->{data}{packet}[1], $long, 'a large request: what the server hears');
    stop_server($a);

    # A server that a question keeps busy is waited for, however quick it was with the one before.
    my $busy = start_server($node, 'app', 'busy', sockets => [ { id => 's', rooms => ['s'] } ], response => ['quick'],
        on => { fetch_sockets => sub { sleep 1; behave(@_) } });
    is_answered(ask($node, 'app', q{
        SELECT response #>> '{}' FROM socketio_server_side_emit_with_ack(event => 'e', timeout => '10 min');
        SELECT id FROM socketio_fetch_sockets(timeout => '10 min');
    }), [ 'quick', 's' ], 'a server that is busy with the second question');
    stop_server($busy);

    # Many sockets, each in rooms of its own.
    my @sockets = map { { id => "s$_", rooms => [ "s$_", 'room' . $_ % 10 ], data => { n => $_ }, handshake => { address => '::1' } } } 1 .. 5000;
    my $many = start_server($node, 'app', 'many', speaks_up => 1, sockets => \@sockets);
    is_answered(ask($node, 'app', q{
        SELECT count(*), count(DISTINCT id), sum((data ->> 'n')::int), count(*) FILTER (WHERE rooms = ARRAY[id, 'room' || (data ->> 'n')::int % 10]) FROM socketio_fetch_sockets(timeout => '10 min');
        SELECT count(*), sum(sockets) FROM socketio_all_rooms(timeout => '10 min');
        SET work_mem = '64kB';
        SELECT count(*) FROM socketio_fetch_sockets(timeout => '10 min');
    }), [ '5000|5000|12502500|5000', '5010|10000', '5000' ], 'five thousand sockets');
    stop_server($many);

    # One value that is much larger than what the worker can pass on at once.
    my $huge = start_server($node, 'app', 'huge', speaks_up => 1, response => [ 'x' x 5_000_000 ]);
    is_answered(ask($node, 'app', q{SELECT length(response #>> '{}') FROM socketio_server_side_emit_with_ack(event => 'e', timeout => '10 min');}), ['5000000'], 'five million characters');
    is_answered(ask($node, 'app', q{SELECT 1 FROM socketio_server_side_emit_with_ack(event => 'e', args => to_jsonb(repeat('x', 5000000)), timeout => '10 min');}),
        ['1'], 'five million characters in a request');
    stop_server($huge);
}

# Values that JSON has no word for, of answers in attachments.
{
    my $a = start_server($node, 'app', 'a', attaches => 1, sockets => [ { id => 's', rooms => ['s'], ack => [
        {   binary => binary("\x00\xff\x10"), deep => [ { b => binary('') } ], date => packed("\xd6\xff" . pack 'N', 86400),
            millis => packed("\xd7\xff" . pack 'Q>', (500_000_000 << 34) | 1_700_000_000), nan => packed("\xcb\x7f\xf8" . "\0" x 6),
            infinity => packed("\xcb\xff\xf0" . "\0" x 6), nothing => undef, truth => JSON::PP::true, large => packed("\xcf" . "\xff" x 8), small => packed("\xd3\x80" . "\0" x 7),
            nul => "a\0b", surrogate => packed("\xa3\xed\xa0\x80"), 'nul key' => { "k\0" => 1 } } ] } ]);
    my %expected = (
        binary => '"AP8Q"', deep => '[{"b": ""}]', date => '"1970-01-02T00:00:00.000Z"', millis => '"2023-11-14T22:13:20.500Z"', nan => 'null', infinity => 'null', nothing => 'null',
        truth => 'true', large => '18446744073709551615', small => '-9223372036854775808', nul => "\"a\x{fffd}b\"", 'nul key' => "{\"k\x{fffd}\": 1}");
    my $session = ask($node, 'app', q{
        SELECT key, value FROM socketio_emit_with_ack(event => 'e', timeout => '10 min'), jsonb_each(response) WHERE key <> 'surrogate' ORDER BY key COLLATE "C";
        SELECT response ->> 'surrogate' ~ '^\ufffd+$' FROM socketio_emit_with_ack(event => 'e', timeout => '10 min');
    });
    is_answered($session, [ (map { "$_|$expected{$_}" } sort keys %expected), 't' ], 'values that JSON has no word for');
    stop_server($a);

    # In a notification: what JSON can say and jsonb cannot.
    my $b = start_server($node, 'app', 'b', on => {
        server_side_emit => sub {
            my ($server, $message) = @_;
            send_text($server, qq({"uid":"b","nsp":"/","type":10,"data":{"requestId":"$message->{data}{requestId}","packet":{"nul":"a\\u0000b","lone":"x\\ud800y","low":"\\udc00",)
                  . qq("pair":"\\ud83d\\ude00","many":1.2345678901234568e+29,"twice":1,"twice":2}}}));
        } });
    is_answered(ask($node, 'app', q{SELECT key, value FROM socketio_server_side_emit_with_ack(event => 'e', timeout => '10 min'), jsonb_each(response) ORDER BY key;}),
        [ "lone|\"x\x{fffd}y\"", "low|\"\x{fffd}\"", 'many|123456789012345680000000000000', "nul|\"a\x{fffd}b\"", 'pair|"😀"', 'twice|2' ], 'values that jsonb has no word for');
    stop_server($b);
}

# A server that never answers, or not all it should: what came, and a warning.
{
    my $good = start_server($node, 'app', 'good', sockets => [ { %alice, ack => [1] }, { %bob, ack => [2] } ], response => ['yes']);
    my $mute = start_server($node, 'app', 'mute', sockets => [ { %carol, ack => [3] } ], on => { map { $_ => \&silence } 'fetch_sockets', 'broadcast', 'server_side_emit' });
    my $warning = 'WARNING: timeout reached: 1 of 2 servers answered';
    my @askings = map { start_asking($node, 'app', $_) } (    # side by side, as each waits
        q{SELECT id FROM socketio_fetch_sockets(timeout => '5 s') ORDER BY id;},
        q{SELECT server, response FROM socketio_server_side_emit_with_ack(event => 'e', timeout => '5 s');},
        q{SELECT server, response FROM socketio_emit_with_ack(event => 'e', timeout => '5 s') ORDER BY response;});
    my @sessions = map { finish_asking($_) } @askings;
    is_answered($sessions[0], [ 'a1', 'b1' ], 'a mute server: fetch_sockets', $warning);
    is_answered($sessions[1], ['good|"yes"'], 'a mute server: server_side_emit_with_ack', $warning);
    is_answered($sessions[2], [ 'good|1', 'good|2' ], 'a mute server: emit_with_ack', $warning);
    is_answered(ask($node, 'app', q{SELECT uid FROM socketio_servers() ORDER BY uid;}), [ 'good', 'mute' ], 'a mute server: servers');

    # It goes, and says so: nobody waits any longer.
    my $asking = start_asking($node, 'app', q{SELECT id FROM socketio_fetch_sockets(rooms => '{room1,gone}', timeout => '10 min') ORDER BY id;});
    until_heard($mute, 'fetch_sockets', 2);
    $node->safe_psql('app', q{SELECT pg_notify('socket.io#/', '{"uid":"mute","nsp":"/","type":13}')});
    is_answered(finish_asking($asking), [ 'a1', 'b1' ], 'a server that closes while waited for');
    stop_server($mute);

    # Clients that do not acknowledge.
    my $half = start_server($node, 'app', 'half', sockets => [ { %carol, ack => [3] }, { id => 'b3', rooms => ['b3'] } ]);
    my $session = ask($node, 'app', q{SELECT server, response FROM socketio_emit_with_ack(event => 'e', timeout => '5 s') ORDER BY response;});
    is_deeply($session->{rows}, [ 'good|1', 'good|2', 'half|3' ], 'a mute client: those that do acknowledge');
    is_deeply([ map { $_->{severity} } @{ $session->{notices} } ], ['WARNING'], 'a mute client: a warning');
    like($session->{notices}[0]{detail} // '', qr/3 of 4 clients acknowledged/, 'a mute client: how many');
    stop_server($half);

    # An older server emits, and never answers.
    my $old = start_server($node, 'app', 'old', sockets => [ \%carol ], on => { broadcast => \&silence });
    stop_server($good);
    is_answered(ask($node, 'app', q{SELECT * FROM socketio_emit_with_ack(event => 'e', timeout => '3 s');}), [], 'a server that knows no acknowledgements',
        'WARNING: timeout reached: 0 of 1 servers answered');
    stop_server($old);
}

# Servers that repeat themselves, or answer each other: each is counted once.
{
    my $twice = sub {
        my ($server, $message) = @_;
        answer($server, $message, 'heartbeat') for 1 .. 3;
        answer($server, $message, 'fetch_sockets_response', { sockets => $server->{sockets} }) for 1 .. 2;
    };
    my $late = sub {
        my ($server, $message) = @_;
        Time::HiRes::usleep(300_000);
        answer($server, $message, 'fetch_sockets_response', { sockets => $server->{sockets} });
    };
    my $a = start_server($node, 'app', 'a', sockets => [ \%alice ], on => { fetch_sockets => $twice });
    my $b = start_server($node, 'app', 'b', sockets => [ \%bob, \%carol ], on => { fetch_sockets => $late });
    is_answered(ask($node, 'app', $fetch), \@fetched, 'a server that answers twice, and one that answers late');
    stop_server($a, $b);
}

# A server that is busy when it is called, and one whose connection does not show that it listens.
{
    my $busy = start_server($node, 'app', 'busy', on => {
        initial_heartbeat => sub {
            my ($server, $message) = @_;
            Time::HiRes::usleep(700_000);
            answer($server, $message, 'heartbeat');
        } });
    is_answered(ask($node, 'app', q{SELECT uid FROM socketio_servers(timeout => '20 s');}), ['busy'], 'servers: a server that is busy');
    stop_server($busy);
    $node->safe_psql('postgres', 'ALTER DATABASE app SET track_activities = off');
    my @hidden = map { start_server($node, 'app', $_, sockets => $_ eq 'a' ? [ \%alice ] : [ \%bob, \%carol ]) } 'a', 'b';
    is_answered(ask($node, 'app', $fetch), \@fetched, 'servers that do not show that they listen');
    $node->safe_psql('postgres', 'ALTER DATABASE app RESET track_activities');
    stop_server(@hidden);
}

# Workers of a Node.js cluster, for all of which one connection listens: that it has been heard is not enough.
{
    my $worker = { uid => 'worker2', node_id => 'node1' };
    my $primary = start_server($node, 'app', 'worker1', node_id => 'node1', sockets => [ \%alice ], on => {
        map {
            $_ => sub {
                my ($server, $message) = @_;
                behave($server, $message);
                behave({ %$server, %$worker, sockets => [ \%bob ] }, $message);
            }
        } 'initial_heartbeat', 'fetch_sockets'
    });
    is_answered(ask($node, 'app', q{SELECT uid, node FROM socketio_servers() ORDER BY uid;}), [ 'worker1|node1', 'worker2|node1' ], 'a Node.js cluster: servers');
    is_answered(ask($node, 'app', q{SELECT id, server FROM socketio_fetch_sockets(timeout => '10 min') ORDER BY id;}), [ 'a1|worker1', 'b1|worker2' ], 'a Node.js cluster: fetch_sockets');
    stop_server($primary);
}

# A crowd.
{
    my @crowd = map { start_server($node, 'app', "server$_", sockets => [ { id => "s$_", rooms => ["s$_"], ack => [$_] } ], response => [$_]) } 1 .. 12;
    my $ids = join ',', sort map { "s$_" } 1 .. 12;
    is_answered(ask($node, 'app', q{
        SELECT string_agg(id, ',' ORDER BY id COLLATE "C") FROM socketio_fetch_sockets(timeout => '10 min');
        SELECT count(*) FROM socketio_servers(timeout => '10 s');
        SELECT sum(response::int) FROM socketio_emit_with_ack(event => 'e', timeout => '10 min');
        SELECT sum(response::int) FROM socketio_server_side_emit_with_ack(event => 'e', timeout => '10 min');
    }), [ $ids, '12', '78', '78' ], 'twelve servers');
    stop_server(@crowd);
}

is($node->safe_psql('empty', 'SELECT count(*) FROM socketio_fetch_sockets()'), '0', 'a database that nobody listens in');
is_without_workers($node, 'after all');
$node->stop;
is_quiet($node);
server_is_sound($node);
done_testing();
