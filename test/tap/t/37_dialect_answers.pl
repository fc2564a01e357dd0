# protocol = 'adapter-postgres', asked from SQL and answered by servers of the tests: what each function sends and returns, in how many
# pieces, who is counted and waited for, and for how long.

use strict;
use warnings;
use utf8;

use AskTest;
use EmitterTest;
use JSON::PP ();
use LegacyTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes ();

my $node = start_ask_cluster('main');
for my $database ('app', 'other', 'empty')
{
    create_database($node, $database, 'CREATE EXTENSION socketio_emitter');
    set_protocol($node, $database, 'adapter-postgres');
}

my ($a1, $b1, $b2, $nobody) = map { socket_id($_) } 'a1', 'b1-', 'B2', 'nobody';
my @alice = ({ id => $a1, rooms => [ $a1, 'room1', 'blue' ] });
my @others = ({ id => $b1, rooms => [ $b1, 'room1' ] }, { id => $b2, rooms => [$b2] });
my @all = sort $a1, $b1, $b2;

my $silent = 'NOTICE: 1 connection that listens on "socketio" was not heard from';
my $clients = q{SELECT id FROM socketio_clients(timeout => '10 min') ORDER BY id COLLATE "C";};

# A server has heard, or is about to hear, these requests of a type, each an object but for its random id.
sub is_told
{
    my ($server, $type, $texts, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    until_heard($server, $type, scalar @$texts);
    my @heard = map { $_->{text} =~ s/"requestid":"\w{8,}(\+?)"/"requestid":"<id>$1"/r } heard_by($server, $type);
    is_deeply(\@heard, $texts, "$name: what the servers hear");
    return;
}

# Nobody there: no rows, long before the timeout, and nothing to be said.
{
    my $session = ask($node, 'app', q{
        SELECT * FROM socketio_clients(timeout => '10 min');
        SELECT * FROM socketio_client_rooms('nobody', timeout => '10 min');
        SELECT * FROM socketio_all_rooms(timeout => '10 min');
        SELECT * FROM socketio_custom_request('1', timeout => '10 min');
    });
    is_answered($session, [], 'no server');
    cmp_ok($session->{seconds}, '<', 120, 'no server: no function waits for its timeout');
    for my $control ("socketio_remote_join('$nobody', 'room'", "socketio_remote_leave('$nobody', 'room'", "socketio_remote_disconnect('$nobody'")
    {
        is_refused(ask($node, 'app', "SELECT $control, timeout => '10 min');"), { sqlstate => 'P0002', message => qr/^no server has a socket with id "$nobody"$/ }, "no server: $control)");
    }
}

# Two servers, which answer whole and in pieces.
for my $cut (5000, 7)
{
    my $way = "pieces of $cut";
    my $a = start_legacy_server($node, 'app', 'a', cut => $cut, sockets => \@alice, response => [ { from => 'a' } ]);
    my $b = start_legacy_server($node, 'app', 'b', cut => $cut, sockets => \@others, response => [ [ 1, undef, 'Älice 😀' ] ]);

    is_answered(ask($node, 'app', $clients), \@all, "$way: clients");
    is_answered(ask($node, 'app', q{SELECT id FROM socketio_clients('/', '{room1}', '10 min') ORDER BY id;}), [ $a1, $b1 ], "$way: clients of a room");
    is_answered(ask($node, 'app', q{SELECT id FROM socketio_clients('/', '{blue,room1}', '10 min') ORDER BY id;}), [ $a1, $b1 ], "$way: clients of two rooms");
    is_answered(ask($node, 'app', q{SELECT count(*) FROM socketio_clients(rooms => '{nobody}', timeout => '10 min');}), ['0'], "$way: clients of an empty room");
    is_told($a, 'clients', [ map { qq({"requestid":"<id>","type":0,"rooms":[$_]}) } '', '"room1"', '"blue","room1"', '"nobody"' ], "$way: clients");

    is_answered(ask($node, 'app', qq{
        SELECT room FROM socketio_client_rooms('$a1', timeout => '10 min') ORDER BY room COLLATE "C";
        SELECT * FROM socketio_client_rooms('$nobody', timeout => '10 min');
    }), [ $a1, 'blue', 'room1' ], "$way: client_rooms");
    is_answered(ask($node, 'app', q{SELECT * FROM socketio_client_rooms('room1', timeout => '10 min');}), [], "$way: client_rooms of a room");
    is_told($b, 'client_rooms', [ map { qq({"requestid":"<id>+","type":1,"sid":"$_"}) } $a1, $nobody, 'room1' ], "$way: client_rooms");

    is_answered(ask($node, 'app', q{SELECT room, sockets FROM socketio_all_rooms(timeout => '10 min') ORDER BY room COLLATE "C";}),
        [ map { "$_|" } sort @all, 'blue', 'room1' ], "$way: all_rooms");
    is_told($b, 'all_rooms', ['{"requestid":"<id>","type":2}'], "$way: all_rooms");

    is_answered(ask($node, 'app', q{SELECT server, response FROM socketio_custom_request('{"a": [1, null, "ü\"\\\\"]}', timeout => '10 min') ORDER BY response::text;}),
        [ '|[1, null, "Älice 😀"]', '|{"from": "a"}' ], "$way: custom_request");
    is_told($a, 'custom_request', ['{"requestid":"<id>","type":5,"data":{"a":[1,null,"\\u00fc\\"\\\\"]}}'], "$way: custom_request");

    # What changes sockets does so at once, where the socket is, and returns when it has been done.
    is_answered(ask($node, 'app', qq{
        BEGIN;
        SELECT socketio_remote_join('$b2', 'new room', timeout => '10 min');
        SELECT socketio_remote_leave('$b2', 'never there', timeout => '10 min');
        SELECT room FROM socketio_client_rooms('$b2') ORDER BY room COLLATE "C";
        ROLLBACK;
        SELECT room FROM socketio_client_rooms('$b2') ORDER BY room COLLATE "C";
        SELECT socketio_remote_leave('$b2', 'new room');
        SELECT room FROM socketio_client_rooms('$b2');
        SELECT socketio_remote_disconnect('$b2', true);
        SELECT id FROM socketio_clients() ORDER BY id COLLATE "C";
        SELECT socketio_remote_disconnect('$b1');
        SELECT id FROM socketio_clients();
    }), [ $b2, 'new room', $b2, 'new room', $b2, $a1, $b1, $a1 ], "$way: remote_join, remote_leave and remote_disconnect");
    is_told($a, 'remote_join', [qq({"requestid":"<id>+","type":3,"sid":"$b2","room":"new room"})], "$way: remote_join");
    is_told($a, 'remote_leave', [ map { qq({"requestid":"<id>+","type":4,"sid":"$b2","room":"$_"}) } 'never there', 'new room' ], "$way: remote_leave");
    is_told($a, 'remote_disconnect', [ qq({"requestid":"<id>+","type":6,"sid":"$b2","close":true}), qq({"requestid":"<id>+","type":6,"sid":"$b1","close":false}) ],
        "$way: remote_disconnect");

    # A socket that is gone is asked for, and nothing else.
    my $heard = () = heard_by($a);
    for my $control ("socketio_remote_join('$b2', 'room')", "socketio_remote_leave('$b2', 'room')", "socketio_remote_disconnect('$b2')")
    {
        is_refused(ask($node, 'app', "SELECT $control;"), { sqlstate => 'P0002', message => qr/^no server has a socket with id "$b2"$/ }, "$way: a socket that is gone: $control");
    }
    is_deeply([ map { $_->{text} =~ s/"requestid":"\w+",//r } (heard_by($a))[ $heard .. $heard + 2 ] ], [ (qq({"type":0,"rooms":["$b2"]})) x 3 ],
        "$way: a socket that is gone: they are asked for it");

    # Every request has an id of its own, and all the requests of an event are one payload on one channel.
    my @requests = heard_by($b);
    my %ids = map { $_->{request}{requestid} => 1 } @requests;
    is(scalar keys %ids, scalar @requests, "$way: every request has an id of its own");
    is_deeply([ grep { $_ ne 'socket.io-request#/#' } map { $_->{topic} } @requests ], [], "$way: the topic of requests");
    my ($first) = @requests;
    is($first->{payload}, '["socket.io-request#/#",' . json($first->{text}) . ']', "$way: a request on the wire");

    # Switched off: what changes something does nothing, what only asks works.
    is(scalar(() = heard_by($a)), $heard + 3, "$way: a socket that is gone: they have heard no more");
    is_answered(ask($node, 'app', qq{
        SET socketio_emitter.enabled = off;
        SELECT socketio_custom_request('1');
        SELECT socketio_remote_join('$a1', 'never');
        SELECT socketio_remote_leave('$a1', 'room1');
        SELECT socketio_remote_disconnect('$nobody');
        SELECT socketio_sockets_join(rooms => '{$a1}', join_rooms => '{never}');
    }), [], "$way: switched off: what changes something");
    is_answered(ask($node, 'app', "SET socketio_emitter.enabled = off; SELECT room FROM socketio_client_rooms('$a1') ORDER BY room COLLATE \"C\";"), [ $a1, 'blue', 'room1' ],
        "$way: switched off: what asks");
    is_deeply([ map { $_->{type} } (heard_by($a))[ $heard + 3 .. $heard + 4 ] ], [ 'clients', 'client_rooms' ], "$way: switched off: the servers hear nothing of what changes something");
    stop_server($a, $b);
}

# What is done to one socket by the functions that emit: with the commit, and nobody answers the sender.
{
    my $server = start_legacy_server($node, 'app', 'a', namespaces => [ '/', '/admin' ], sockets => [ map { { %$_, rooms => [ @{ $_->{rooms} } ] } } @alice, @others ]);
    is_answered(ask($node, 'app', qq{
        BEGIN;
        SELECT socketio_sockets_join(rooms => '{$b2}', join_rooms => '{x,y}');
        SELECT socketio_sockets_join(socketio_to('$b2'), '{z}');
        SAVEPOINT s;
        SELECT socketio_sockets_leave(rooms => '{$b2}', leave_rooms => '{$b2}');
        ROLLBACK TO s;
        SELECT socketio_sockets_leave(socketio_to('$b2'), '{x}');
        SELECT socketio_sockets_join(rooms => '{$b2}', join_rooms => '{z}');
        SELECT room FROM socketio_client_rooms('$b2');
        COMMIT;
        SELECT room FROM socketio_client_rooms('$b2') ORDER BY room COLLATE "C";
        SELECT socketio_disconnect_sockets(rooms => '{$b2}', close => true);
        SELECT socketio_disconnect_sockets(socketio_to('$b1'));
        SELECT id FROM socketio_clients();
        SELECT socketio_disconnect_sockets(nsp => 'admin', rooms => '{/admin#$a1}');
    }), [ $b2, $b2, 'y', 'z', 'z', $a1 ], 'one socket at a time');
    until_heard($server, 'remote_disconnect', 3);
    my $texts = [ map { $_->{text} =~ s/"requestid":"\w{8,}",//r } grep { $_->{type} =~ /^remote/ } heard_by($server) ];
    is_deeply($texts, [
            (map { qq({"type":3,"sid":"$b2","room":"$_"}) } 'x', 'y', 'z'), qq({"type":4,"sid":"$b2","room":"x"}), qq({"type":3,"sid":"$b2","room":"z"}),
            qq({"type":6,"sid":"$b2","close":true}), qq({"type":6,"sid":"$b1","close":false}), qq({"type":6,"sid":"/admin#$a1","close":false}) ],
        'one socket at a time: what the servers hear');
    is((heard_by($server, 'remote_disconnect'))[-1]{topic}, 'socket.io-request#/admin#', 'one socket of a namespace: the topic');
    stop_server($server);
}

# Other namespaces, prefixes and settings of the session's.
{
    my $admin = start_legacy_server($node, 'app', 'admin', namespaces => [ '/', '/admin' ], sockets => [ { id => "/admin#$a1", rooms => ["/admin#$a1"] } ]);
    my $other = start_legacy_server($node, 'app', 'prefixed', prefix => 'my "app"', sockets => [ { id => $b2, rooms => [$b2] } ]);
    is_answered(ask($node, 'app', q{SELECT id FROM socketio_clients('admin', timeout => '10 min');}), ["/admin#$a1"], 'a namespace');
    is_answered(ask($node, 'app', "SELECT socketio_remote_join('/admin#$a1', 'r', nsp => '/admin'); SELECT room FROM socketio_client_rooms('/admin#$a1', 'admin') ORDER BY room COLLATE \"C\";"),
        [ "/admin#$a1", 'r' ], 'a socket of a namespace');
    is_answered(ask($node, 'app', q{SELECT id FROM socketio_clients('/nobody', timeout => '10 min');}), [], 'a namespace that no server has', $silent);
    is_answered(ask($node, 'app', qq{SET socketio_emitter.channel_prefix = 'my "app"'; $clients}), [$b2], 'a prefix');
    is_answered(ask($node, 'app', qq{BEGIN; SET LOCAL socketio_emitter.channel_prefix = 'my "app"'; $clients COMMIT; $clients}), [ $b2, "/admin#$a1" ],
        'a prefix that is set for a transaction');
    stop_server($admin, $other);
}

# Large requests, and large answers, travel in pieces.
{
    my $long = "ü\"\\😀" x 3000;
    my $literal = q{repeat(U&'\00fc"\\\\\+01f600', 3000)};
    my $a = start_legacy_server($node, 'app', 'a', cut => 1000, response => [$long],
        sockets => [ map { { id => socket_id("s$_"), rooms => [ socket_id("s$_"), 'room ' . $_ % 10 ] } } 1 .. 5000 ]);
    is_answered(ask($node, 'app', qq{SELECT response = to_jsonb($literal) FROM socketio_custom_request(jsonb_build_object('x', $literal), timeout => '10 min');}), ['t'],
        'a large request and a large answer');
    my ($request) = heard_by($a, 'custom_request');
    is_deeply($request->{request}{data}, { x => $long }, 'a large request: what the server hears');
    cmp_ok($request->{pieces}, '>', 10, 'a large request: in pieces');
    is_answered(ask($node, 'app', q{
        SELECT count(*), count(DISTINCT id) FROM socketio_clients(timeout => '10 min');
        SELECT count(*), count(sockets) FROM socketio_all_rooms(timeout => '10 min');
        SET work_mem = '64kB';
        SELECT count(*) FROM socketio_clients(timeout => '10 min');
    }), [ '5000|5000', '5010|0', '5000' ], 'five thousand sockets');
    stop_server($a);

    my $huge = start_legacy_server($node, 'app', 'huge', response => [ 'x' x 5_000_000 ]);
    is_answered(ask($node, 'app', q{SELECT length(response #>> '{}') FROM socketio_custom_request(to_jsonb(repeat('y', 5000000)), timeout => '10 min');}), ['5000000'],
        'five million characters, there and back');
    is(length((heard_by($huge, 'custom_request'))[0]{request}{data}), 5_000_000, 'five million characters: what the server hears');
    stop_server($huge);

    # Sizes about the one from which a request is cut.
    my $edge = start_legacy_server($node, 'app', 'edge', response => [1]);
    my @lengths = 7890 .. 7930;
    is_answered(ask($node, 'app', qq{SELECT sum(response::int) FROM generate_series($lengths[0], $lengths[-1]) AS length, socketio_custom_request(to_jsonb(repeat('z', length)), timeout => '10 min');}),
        [ scalar @lengths ], 'requests that only just fit, and only just do not');
    my @heard = heard_by($edge, 'custom_request');
    is_deeply([ map { length $_->{request}{data} } @heard ], \@lengths, 'requests that only just fit: what the server hears');
    my ($longest) = reverse grep { $_->{pieces} == 1 } @heard;
    is(length $longest->{payload}, 7999, 'the longest request in one piece fills its payload');
    is_deeply([ map { $_->{pieces} } @heard ], [ map { $_ <= length $longest->{request}{data} ? 1 : 2 } @lengths ], 'one more character, and there are two');
    stop_server($edge);
}

# Characters that the adapter cuts in two, of which each half is an escape sequence.
{
    my $text = join '', map { '😀' . 'x' x ($_ % 3) . '𝄞"' } 1 .. 400;
    for my $cut (1, 2, 3, 5, 16)
    {
        my $server = start_legacy_server($node, 'app', 'cutting', cut => $cut, response => [$text], sockets => [ { id => socket_id('s'), rooms => ["ro😀m \"\\ $cut"] } ]);
        my $escaped = $text =~ s/'/''/gr;
        is_answered(ask($node, 'app', qq{SELECT response = to_jsonb('$escaped'::text) FROM socketio_custom_request('1', timeout => '10 min');
            SELECT room FROM socketio_all_rooms(timeout => '10 min');}), [ 't', "ro😀m \"\\ $cut" ], "pieces of $cut");
        stop_server($server);
    }
}

# Pieces in any order, twice, among those of others, and of texts that never end.
{
    my %arrangements = (
        'in reverse'   => sub { reverse @_ },
        'twice'        => sub { map { ($_, $_) } @_ },
        'odd and even' => sub { ((map { $_ % 2 ? $_[$_] : () } 0 .. $#_), map { $_ % 2 ? () : $_[$_] } 0 .. $#_) },
    );
    for my $arrangement (sort keys %arrangements)
    {
        my @options = (cut => 20, arrange => $arrangements{$arrangement});
        my $a = start_legacy_server($node, 'app', 'a', @options, sockets => \@alice);
        my $b = start_legacy_server($node, 'app', 'b', @options, sockets => \@others);
        is_answered(ask($node, 'app', $clients), \@all, "pieces $arrangement");
        stop_server($a, $b);
    }
    my $a = start_legacy_server($node, 'app', 'a', sockets => \@alice, on => {
        clients => sub {
            my ($server, $request) = @_;
            my $half = { %$server, cut => 10, arrange => sub { @_[ 1 .. $#_ ] } };
            behave_legacy($half, $request) for 1 .. 3;
            behave_legacy($server, $request);
        } });
    my $b = start_legacy_server($node, 'app', 'b', sockets => \@others, cut => 15);
    is_answered(ask($node, 'app', $clients), \@all, 'texts of which the first piece is missing');
    stop_server($a, $b);
}

# Who has begun to answer is waited for, even if it does not show that there is such a server.
{
    my $slow = start_legacy_server($node, 'app', 'slow', name => 'node', sockets => \@others, cut => 12, pause => 100_000);
    is_answered(ask($node, 'app', $clients), [ sort $b1, $b2 ], 'pieces that come slowly, of a server without its name');
    stop_server($slow);
    my $broken = start_legacy_server($node, 'app', 'broken', name => 'node', sockets => \@others, cut => 60, arrange => sub { $_[0] });
    my $session = ask($node, 'app', $clients);
    is_answered($session, [], 'a piece that stays alone');
    cmp_ok($session->{seconds}, '<', 120, 'a piece that stays alone: the others are not waited for until the timeout');
    stop_server($broken);
}

# Values that JSON has no word for, or jsonb has none.
{
    my $a = start_legacy_server($node, 'app', 'a', on => {
        custom_request => sub {
            my ($server, $request) = @_;
            publish($server, 'socket.io-response#/#', qq({"requestid":"$request->{requestid}","data":{"nul":"a\\u0000b","lone":"x\\ud800y","low":"\\udc00",)
                  . qq("pair":"\\ud83d\\ude00","many":1.2345678901234568e+29,"twice":1,"twice":2}}));
        } });
    is_answered(ask($node, 'app', q{SELECT key, value FROM socketio_custom_request('1', timeout => '10 min'), jsonb_each(response) ORDER BY key;}),
        [ "lone|\"x\x{fffd}y\"", "low|\"\x{fffd}\"", 'many|123456789012345680000000000000', "nul|\"a\x{fffd}b\"", 'pair|"😀"', 'twice|2' ], 'values that jsonb has no word for');
    stop_server($a);
    # A hook that calls back with nothing, one with null, and what is made of them.
    my @servers = map { start_legacy_server($node, 'app', "server$_", response => [ [], [undef], [ JSON::PP::false() ], [''], [0] ]->[$_]) } 0 .. 4;
    is_answered(ask($node, 'app', q{SELECT response, response IS NULL FROM socketio_custom_request('null', timeout => '10 min') ORDER BY response::text COLLATE "C" NULLS LAST;}),
        [ '""|f', '0|f', 'false|f', 'null|f', '|t' ], 'hooks that call back with nothing');
    is_told($servers[0], 'custom_request', ['{"requestid":"<id>","type":5,"data":null}'], 'a custom request of null');
    stop_server(@servers);
}

# A server that never answers, or not all it should: what came, and a warning.
{
    my $good = start_legacy_server($node, 'app', 'good', sockets => \@alice, response => ['yes']);
    my $mute = start_legacy_server($node, 'app', 'mute', sockets => \@others, on => { map { $_ => \&silence } 'clients', 'all_rooms', 'custom_request' });
    my $warning = 'WARNING: timeout reached: 1 of 2 servers answered';
    my @askings = map { start_asking($node, 'app', $_) } (    # side by side, as each waits
        q{SELECT id FROM socketio_clients(timeout => '5 s');},
        q{SELECT room FROM socketio_all_rooms(timeout => '5 s') ORDER BY room COLLATE "C";},
        q{SELECT response FROM socketio_custom_request('1', timeout => '5 s');},
        "SELECT room FROM socketio_client_rooms('$nobody', timeout => '5 s');",
        "SELECT socketio_remote_join('$nobody', 'r', timeout => '5 s');",
        "SELECT socketio_remote_leave('$nobody', 'r', timeout => '5 s');",
        "SELECT socketio_remote_disconnect('$nobody', timeout => '5 s');");
    my @sessions = map { finish_asking($_) } @askings;
    is_answered($sessions[0], [$a1], 'a mute server: clients', $warning);
    is_answered($sessions[1], [ $a1, 'blue', 'room1' ], 'a mute server: all_rooms', $warning);
    is_answered($sessions[2], ['"yes"'], 'a mute server: custom_request', $warning);
    is_answered($sessions[3], [], 'a mute server: client_rooms', $warning);
    my $unknown = { sqlstate => '55000', message => qr/^no server that answered has a socket with id "$nobody"$/, detail => qr/Not every server answered/ };
    is_refused($_, $unknown, 'a mute server: control over a socket that nobody knows') for @sessions[ 4 .. 6 ];

    # The one that has a socket answers what concerns it, and others are not waited for.
    is_answered(ask($node, 'app', qq{
        SELECT room FROM socketio_client_rooms('$a1', timeout => '10 min') ORDER BY room COLLATE "C";
        SELECT socketio_remote_join('$a1', 'r', timeout => '10 min');
        SELECT socketio_remote_leave('$a1', 'r', timeout => '10 min');
    }), [ $a1, 'blue', 'room1' ], 'a mute server: another one has the socket');
    stop_server($good, $mute);
    my $all_mute = start_legacy_server($node, 'app', 'mute', on => { clients => \&silence });
    is_answered(ask($node, 'app', q{SELECT id FROM socketio_clients(timeout => '3 s');}), [], 'nobody answers', 'WARNING: timeout reached: 0 of 1 servers answered');
    stop_server($all_mute);
}

# A server that has a socket, and does not say that it has done what it was to do.
{
    my $torpid = start_legacy_server($node, 'app', 'torpid', sockets => \@alice, on => { map { $_ => \&silence } 'client_rooms', 'remote_join', 'remote_leave', 'remote_disconnect' });
    my $other = start_legacy_server($node, 'app', 'other', sockets => \@others);
    for my $control ("socketio_remote_join('$a1', 'r', timeout => '3 s')", "socketio_remote_leave('$a1', 'r', timeout => '300 ms')",
        "socketio_remote_disconnect('$a1', timeout => '3 s')")
    {
        my $session = ask($node, 'app', "SELECT $control; SELECT 'after';");
        is_refused($session, { sqlstate => '55P03', message => qr/^timeout reached before all was done for the socket with id "$a1"$/ }, "unconfirmed: $control");
        is_deeply($session->{rows}, ['after'], "unconfirmed: $control: the session goes on");
    }
    is(scalar(() = heard_by($torpid, 'remote_join')), 1, 'unconfirmed: the server was told');
    is_answered(ask($node, 'app', "SELECT room FROM socketio_client_rooms('$a1', timeout => '5 s');"), [], 'rooms of a socket that are not told',
        'WARNING: timeout reached: 1 of 2 servers answered');
    stop_server($torpid, $other);
}

# Who is slow is waited for, and who repeats himself holds no secrets: sockets and rooms come once.
{
    my $late = sub {
        my ($server, $request) = @_;
        Time::HiRes::usleep(700_000);
        behave_legacy($server, $request);
    };
    my $a = start_legacy_server($node, 'app', 'a', sockets => \@alice);
    my $b = start_legacy_server($node, 'app', 'b', sockets => [ @others, @alice ], on => { map { $_ => $late } 'clients', 'all_rooms', 'client_rooms', 'remote_join' });
    is_answered(ask($node, 'app', $clients), \@all, 'a server that is slow, and has what another has: clients');
    is_answered(ask($node, 'app', q{SELECT room FROM socketio_all_rooms(timeout => '10 min') ORDER BY room COLLATE "C";}), [ sort @all, 'blue', 'room1' ],
        'a server that is slow, and has what another has: all_rooms');
    is_answered(ask($node, 'app', "SELECT room FROM socketio_client_rooms('$b2', timeout => '10 min');"), [$b2], 'a server that is slow: client_rooms');
    is_answered(ask($node, 'app', "SELECT socketio_remote_join('$b2', 'late', timeout => '10 min'); SELECT room FROM socketio_client_rooms('$b2') ORDER BY room COLLATE \"C\";"),
        [ $b2, 'late' ], 'a server that is slow: remote_join');
    stop_server($a, $b);
}

# Who is counted: servers by the name of the namespace. All have "/", whatever name they bear, so that there everybody is waited for.
{
    my $slow = { clients => sub { Time::HiRes::usleep(700_000); behave_legacy(@_) } };
    my $a = start_legacy_server($node, 'app', 'a', sockets => \@alice);
    my $b = start_legacy_server($node, 'app', 'b', namespaces => [ '/', '/last' ], sockets => \@others, on => $slow);
    is_answered(ask($node, 'app', $clients), \@all, 'a server that bears the name of another namespace is slow');
    stop_server($b);
    my $mute = start_legacy_server($node, 'app', 'mute', namespaces => [ '/', '/last' ], on => { clients => \&silence });
    my $asking = start_asking($node, 'app', q{SELECT id FROM socketio_clients(timeout => '5 s');});
    is_refused(ask($node, 'app', "SELECT socketio_remote_join('$nobody', 'r', timeout => '5 s');"), { sqlstate => '55000', message => qr/^no server that answered has/ },
        'a server that bears the name of another namespace is mute: control over nobody');
    is_answered(finish_asking($asking), [$a1], 'a server that bears the name of another namespace is mute', 'WARNING: timeout reached: 1 of 2 servers answered');
    stop_server($a, $mute);
}

# In any other namespace, one that bears another name may or may not be of it. It is given some time after the others, which have all
# answered here when it begins to.
my $after_another = {
    clients => sub {
        my ($server, $request) = @_;
        my $listening = $server->{listening};
        AskTest::query($listening, 'SELECT pg_sleep(0.01)') until grep { $_->[1] =~ /-response#/ } @{ $listening->{notifications} };
        behave_legacy($server, $request);
    } };
{
    my $ask = q{SELECT id FROM socketio_clients('/app', timeout => '10 min') ORDER BY id COLLATE "C";};
    my $a = start_legacy_server($node, 'app', 'a', namespaces => [ '/', '/app' ], sockets => \@alice);
    my $b = start_legacy_server($node, 'app', 'b', namespaces => [ '/', '/app', '/last' ], sockets => \@others, on => $after_another);
    is_answered(ask($node, 'app', $ask), \@all, 'a server of a namespace that bears the name of another one');
    stop_server($b);

    # It is not of this one, and stays silent. That is told.
    my $elsewhere = start_legacy_server($node, 'app', 'elsewhere', namespaces => [ '/', '/elsewhere' ], sockets => \@others);
    my $session = ask($node, 'app', $ask);
    is_answered($session, [$a1], 'a server that is not of a namespace', $silent);
    like($session->{notices}[0]{detail}, qr/If it is that of a Socket\.IO server with this namespace, the server was too busy/, 'a server that is not of a namespace: what that means');
    cmp_ok($session->{seconds}, '<', 120, 'a server that is not of a namespace: it is not waited for until the timeout');
    is_refused(ask($node, 'app', "SELECT socketio_remote_join('$nobody', 'r', '/app', timeout => '10 min');"), { sqlstate => '55000', message => qr/^no server that answered has/ },
        'a server that is not of a namespace: control over nobody');
    is_answered(ask($node, 'app', "SELECT socketio_remote_join('$a1', 'r', '/app', timeout => '10 min'); SELECT count(*) FROM socketio_client_rooms('$a1', '/app', timeout => '10 min');"), ['4'],
        'a server that is not of a namespace: control over a socket of another');
    stop_server($a);
    is_answered(ask($node, 'app', $ask), [], 'nobody but a server that is not of a namespace', $silent);
    stop_server($elsewhere);
}

# Others.
{
    # Other prefixes, other databases, and anything else that listens are no servers.
    my $good = start_legacy_server($node, 'app', 'good', sockets => \@alice);
    my @strangers = (
        start_legacy_server($node, 'other', 'another database', sockets => \@others, on => { clients => \&silence }),
        start_named_connection($node, 'app', 'socket.io-other-request#/#'),
        start_named_connection($node, 'app', 'socket.io-socket.io-request'),
        start_named_connection($node, 'app', 'socket.io-socket.io-response#/#'),
        start_named_connection($node, 'app', 'SOCKET.IO-SOCKET.IO-REQUEST#/#'),
        start_legacy_server($node, 'app', 'another prefix', prefix => 'socket.io2', sockets => \@others));
    is_answered(ask($node, 'app', $clients), [$a1], 'strangers are not waited for');
    is_answered(ask($node, 'app', q{SELECT count(*) FROM socketio_clients(timeout => '10 min'), (VALUES (1), (2)) AS twice(n);}), ['2'], 'nor is a session waiting for another');
    stop_server(@strangers);

    # The name alone makes a server, whoever it is, and it is waited for.
    my $name = start_named_connection($node, 'app', 'socket.io-socket.io-request#/#');
    is_answered(ask($node, 'app', q{SELECT id FROM socketio_clients(timeout => '5 s');}), [$a1], 'a name alone', 'WARNING: timeout reached: 1 of 2 servers answered');
    stop_server($name, $good);

    # Without a name, or with the adapter's name given away to another, servers are heard all the same.
    my $nameless = start_legacy_server($node, 'app', 'nameless', name => 'node', sockets => \@alice);
    my $renamed = start_legacy_server($node, 'app', 'renamed', name => 'node', sockets => \@others);
    is_answered(ask($node, 'app', $clients), \@all, 'servers without their names');
    is_answered(ask($node, 'app', "SELECT socketio_remote_join('$b2', 'r', timeout => '10 min'); SELECT room FROM socketio_client_rooms('$b2', timeout => '10 min') ORDER BY room COLLATE \"C\";"),
        [ $b2, 'r' ], 'servers without their names: control');
    stop_server($nameless, $renamed);

    # Whom track_activities hides, its name shows.
    $node->safe_psql('postgres', 'ALTER DATABASE app SET track_activities = off');
    my $hidden = start_legacy_server($node, 'app', 'hidden', sockets => \@alice, on => { clients => sub { Time::HiRes::usleep(600_000); behave_legacy(@_) } });
    is_answered(ask($node, 'app', $clients), [$a1], 'a server that does not show what it does');
    stop_server($hidden);
    $node->safe_psql('postgres', 'ALTER DATABASE app RESET track_activities');
}

# Names that PostgreSQL cuts at 63 bytes, and names that are not ASCII: what is left of them is compared. A server that is waited for may be
# as slow as it likes.
my $slow = { clients => sub { Time::HiRes::usleep(700_000); behave_legacy(@_) } };
my %cut_names = (
    'a long namespace'                    => [ '/' . 'n' x 80,       'socket.io' ],
    'a namespace that only just fits'     => [ '/' . 'n' x 33,       'socket.io' ],    # 63 bytes
    'a namespace that only just does not' => [ '/' . 'n' x 34,       'socket.io' ],
    'a long prefix'                       => [ '/nsp',               'p' x 60 ],
    'a namespace that is not ASCII'       => [ '/Größe 部屋 😀',      'socket.io' ],
    'a long namespace that is not ASCII'  => [ '/' . '部屋😀' x 6,    'socket.io' ],
    'a prefix that is not ASCII'          => [ '/nsp',               'Größe 部屋 😀' ],
    'quotes, backslashes and #'           => [ "/a#b'\"\\c\td",      q{p#'"\\} ],
);
for my $kind (sort keys %cut_names)
{
    my ($nsp, $prefix) = @{ $cut_names{$kind} };
    my ($nsp_literal, $prefix_literal) = map { s/'/''/gr } $nsp, $prefix;
    my $server = start_legacy_server($node, 'app', 'cut', namespaces => [$nsp], prefix => $prefix, sockets => \@alice, on => $slow);
    my $ask = qq{SET socketio_emitter.channel_prefix = '$prefix_literal'; SELECT id FROM socketio_clients('$nsp_literal', timeout => '10 min');};
    is_answered(ask($node, 'app', $ask), [$a1], $kind);
    is_deeply([ map { $_->{topic} } heard_by($server) ], ["$prefix-request#$nsp#"], "$kind: the topic");
    stop_server($server);
}

# Servers that repeat themselves, and answers to other requests.
{
    my $echoes = sub {
        my ($server, $request) = @_;
        respond($server, { %$request, requestid => $_ }, clients => [ socket_id('wrong') ]) for 'abcdef', '', "$request->{requestid}x", substr($request->{requestid}, 1),
            uc "$request->{requestid}X";
        respond($server, { %$request, nsp => $_ }, clients => [ socket_id('wrong') ]) for '/other', '', '/#';
        behave_legacy($server, $request);
    };
    my $a = start_legacy_server($node, 'app', 'a', sockets => \@alice, on => { clients => $echoes });
    my $b = start_legacy_server($node, 'app', 'b', sockets => \@others, on => { clients => $echoes });
    is_answered(ask($node, 'app', $clients), \@all, 'answers to other requests');
    stop_server($a, $b);
}

# A namespace whose name leaves just enough room for what is behind it; text that is too long to be a string in JavaScript is refused.
{
    my $nsp = '/' . 'n' x 2900;
    my $server = start_legacy_server($node, 'app', 'long', namespaces => [ '/', $nsp ], cut => 4000, response => [ 'x' x 9000 ], sockets => [ { id => "$nsp#$a1", rooms => ["$nsp#$a1"] } ]);
    is_answered(ask($node, 'app', qq{
        SELECT response = to_jsonb(repeat('x', 9000)) FROM socketio_custom_request(to_jsonb(repeat('"', 9000)), '$nsp', '10 min');
        SELECT socketio_remote_join('$nsp#$a1', repeat('r', 9000), '$nsp', '10 min');
        SELECT length(room) FROM socketio_client_rooms('$nsp#$a1', '$nsp', '10 min') ORDER BY 1;
    }), [ 't', 2922, 9000 ], 'a very long namespace');
    is((heard_by($server, 'custom_request'))[0]{request}{data}, '"' x 9000, 'a very long namespace: what the server hears');
    stop_server($server);
    my $session = ask($node, 'app', q{
        SELECT socketio_clients('/' || repeat('n', 3000), timeout => '10 min');
        SELECT 'between';
        SELECT socketio_custom_request(to_jsonb(repeat('ü', 50000000)), timeout => '10 min');
        SELECT 'after';
    });
    is_deeply([ map { $_->{sqlstate} } @{ $session->{errors} } ], [ '42622', '54000' ], 'a namespace, and a request, that are too long') or diag explain $session->{errors};
    is_deeply($session->{rows}, [ 'between', 'after' ], 'a namespace, and a request, that are too long: the session goes on');
}

# Many sessions at a time, each of which gets the answers to its own requests.
{
    my @servers = map { start_legacy_server($node, 'app', "server$_", cut => 100,
        on => { custom_request => sub { my ($server, $request) = @_; respond($server, $request, data => $request->{data}) } }) } 1 .. 3;
    my @askings = map { my $n = $_; start_asking($node, 'app', join '',
        map { "SELECT count(*), min(response::text), max(response::text) FROM socketio_custom_request('$_', timeout => '10 min');" } map { 100 * $n + $_ } 1 .. 20) } 1 .. 6;
    for my $n (1 .. 6)
    {
        is_answered(finish_asking($askings[ $n - 1 ]), [ map { "3|$_|$_" } map { 100 * $n + $_ } 1 .. 20 ], "side by side: session $n");
    }
    stop_server(@servers);
}

# A crowd.
{
    my @crowd = map { start_legacy_server($node, 'app', "server$_", sockets => [ { id => socket_id("s$_"), rooms => [ socket_id("s$_"), 'r' ] } ], response => [$_]) } 1 .. 12;
    my @ids = sort map { socket_id("s$_") } 1 .. 12;
    is_answered(ask($node, 'app', q{
        SELECT string_agg(id, ',' ORDER BY id COLLATE "C") FROM socketio_clients(timeout => '10 min');
        SELECT sum(response::int) FROM socketio_custom_request('1', timeout => '10 min');
        SELECT count(*) FROM socketio_all_rooms(timeout => '10 min');
    } . "SELECT count(*) FROM (VALUES ('$ids[0]'), ('$ids[5]'), ('$ids[11]')) AS ids(id), LATERAL socketio_client_rooms(ids.id, timeout => '10 min');"),
        [ join(',', @ids), '78', '13', '6' ], 'twelve servers');
    stop_server(@crowd);
}

is($node->safe_psql('empty', 'SELECT count(*) FROM socketio_clients()'), '0', 'a database that nobody listens in');
is_without_workers($node, 'after all');
$node->stop;
is_quiet($node);
server_is_sound($node);
done_testing();
