# The older dialects follow the transaction as notifications do, whoever sends them: a message in pieces comes whole, in order and
# once, or not at all. Without an attachment table they need none, nor rights on one, nor a transaction that may write.

use strict;
use warnings;

use DeliveryTest;
use Digest::MD5 'md5_hex';
use EmitterTest;
use JSON::PP ();
use LegacyTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my @protocols = ('adapter-postgres', 'socket.io-postgres');
my $node = start_delivery_cluster('main', streaming => 1, settings => ['max_prepared_transactions = 5']);
create_database($node, 'app', 'CREATE EXTENSION socketio_emitter');
my $id = socket_id('socket');

# Text no part of which is like another, of so many times 32 characters.
sub text
{
    my ($count) = @_;
    return join '', map { md5_hex($_) } 1 .. $count;
}

sub long
{
    my ($event, $count) = @_;
    return "SELECT socketio_emit(event => '$event', rooms => '{room}', args => (SELECT to_jsonb(string_agg(md5(i::text), '' ORDER BY i)) FROM generate_series(1, $count) AS i));\n";
}

my ($piece, $mega) = (600, 32_768);    # 19 kB and 1 MB
my $binary = q{SELECT socketio_emit_values(socketio_to('room'), 'binary', '\x00ff'::bytea, decode(repeat('0a', 30000), 'hex'));};

sub set
{
    my ($setting, $value) = @_;
    return "SET socketio_emitter.$setting = '$value';\n";
}

# An argument: a long text by its length, if it is what long() makes.
sub brief
{
    my ($value) = @_;
    return join ', ', map { "$_ " . brief($value->{$_}) } sort keys %$value if ref $value eq 'HASH';
    return 'binary ' . length $value->{bytes} if ref $value eq 'MessagePack::Binary';
    return $value if ref $value || length($value // '') < 32;
    return $value eq text(length($value) / 32) ? 'text ' . length($value) / 32 : 'something else: ' . md5_hex($value);
}

# The messages of payloads in any dialect: the event and its arguments, or the request. The pieces of a text come one after the other, from
# the first one to the last.
sub messages_in
{
    my @payloads = map { JSON::PP->new->utf8->decode($_) } @_;
    my @messages;
    while (@payloads)
    {
        if (ref $payloads[0] eq 'ARRAY')
        {
            my ($count) = $payloads[0][1] =~ /\A_chunk_[0-9A-Za-z]+_0_([0-9]+) /;
            my @pieces = splice @payloads, 0, $count // 1;
            my @order = map { $_->[1] =~ /\A_chunk_[0-9A-Za-z]+_([0-9]+)_/ } @pieces;
            die "pieces out of order: @order\n" if defined $count && "@order" ne join ' ', 0 .. $count - 1;
            push @messages, map { $_->{packet} ? $_->{packet}{data} : [ 'request', @{ $_->{request} }{qw(type sid room)} ] } legacy_messages(@pieces);
        }
        else
        {
            my $message = shift @payloads;
            push @messages, ($message->{packet} // $message->{data}{packet} // {})->{data} // ['attachment'];
        }
    }
    return map { join ': ', map { brief($_) // 'nothing' } @$_ } @messages;
}

my @channels = ('socketio', 'socket-io:/', 'socket-io:/:room', 'socket.io#/');
my $marks = 0;

# Wait until all has arrived that was committed, and return the payloads that came since the last call.
sub next_payloads
{
    my ($listener, $database) = @_;
    my $mark = 'mark ' . ++$marks;
    $node->safe_psql($database // 'app', set('protocol', 'cluster') . small($mark));
    until_true('all to arrive', sub { heard($listener); $listener->{received}[-1] =~ /"data":\["$mark"\]/ });
    my @payloads = splice @{ $listener->{received} };
    pop @payloads;
    return @payloads;
}

my $listener = start_listening($node, 'app', @channels);

# What runs in one session ends in these errors, none as a rule, and arrives like this.
sub arrive
{
    my ($name, $sql, $expected, @errors) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $session = session($node, 'app', $sql, channels => []);
    is_deeply([ map { $_->{sqlstate} } @{ $session->{errors} } ], \@errors, "$name: errors") or diag explain errors($session);
    is_deeply([ messages_in(next_payloads($listener)) ], $expected, "$name: what arrives");
    return $session;
}

$node->safe_psql('app', q{
    CREATE PROCEDURE in_turns(length int) LANGUAGE plpgsql AS $$
    BEGIN
        FOR turn IN 1 .. 4 LOOP
            PERFORM socketio_emit(event => 'turn ' || turn, args => (SELECT to_jsonb(string_agg(md5(i::text), '' ORDER BY i)) FROM generate_series(1, length) AS i));
            IF turn % 2 = 1 THEN COMMIT; ELSE ROLLBACK; END IF;
        END LOOP;
        PERFORM socketio_emit(event => 'last');
    END$$;
});

for my $delivery ('worker', 'notify')
{
    for my $protocol (@protocols)
    {
        # What is long here: some pieces, or all that a message can have.
        my $count = $protocol eq 'adapter-postgres' ? $piece : 200;
        my $set = set('protocol', $protocol) . set('delivery', $delivery);
        my ($a, $b, $c) = map { "$_: text $count" } 'a', 'b', 'c';
        my $name = "$protocol, $delivery";

        arrive("$name: order", $set . small('a') . long('a', $count) . 'BEGIN;' . small('b') . long('b', $count) . long('c', $count) . small('c') . 'COMMIT;' . small('d'),
            [ 'a', $a, 'b', $b, $c, 'c', 'd' ]);
        arrive("$name: equal emits", $set . 'BEGIN;' . small('same') x 3 . long('a', $count) x 2 . 'COMMIT;' . long('a', $count) x 2, [ ('same') x 3, ($a) x 4 ]);
        arrive("$name: rollback", $set . 'BEGIN;' . long('a', $count) . small('a') . 'ROLLBACK;' . small('b'), ['b']);
        arrive("$name: savepoints", $set . 'BEGIN;' . long('a', $count) . 'SAVEPOINT s;' . long('b', $count) . small('b') . 'ROLLBACK TO s;' . long('c', $count)
              . 'SAVEPOINT s; SAVEPOINT t;' . long('b', $count) . 'RELEASE t; ROLLBACK TO s; SAVEPOINT u;' . long('b', $count) . 'RELEASE u;' . small('e') . 'COMMIT;', [ $a, $c, $b, 'e' ]);
        arrive("$name: a failed transaction", $set . 'BEGIN;' . long('a', $count) . 'SELECT 1/0; COMMIT;' . small('b'), ['b'], '22012');
        arrive("$name: exception blocks", $set . "DO \$\$BEGIN FOR i IN 1 .. 4 LOOP BEGIN PERFORM socketio_emit(event => 'try ' || i, args => to_jsonb(repeat('x', 9000 * (i - 3))));"
              . q{IF i % 2 = 0 THEN RAISE division_by_zero; END IF; EXCEPTION WHEN division_by_zero THEN PERFORM socketio_emit(event => 'caught ' || i); END; END LOOP; END$$;},
            [ 'try 1: ', 'caught 2', 'try 3: ', 'caught 4' ]) if $protocol eq 'adapter-postgres';
        arrive("$name: a procedure that commits", $set . "CALL in_turns($count);", [ "turn 1: text $count", "turn 3: text $count", 'last' ]);
        my $prepared = arrive("$name: PREPARE TRANSACTION",
            $set . 'BEGIN;' . long('a', $count) . "PREPARE TRANSACTION 'p'; SELECT count(*) FROM pg_prepared_xacts;" . small('after'), ['after'], '0A000');
        is_deeply($prepared->{rows}, ['0'], "$name: PREPARE TRANSACTION: nothing is prepared");
        arrive("$name: PREPARE TRANSACTION after what was undone", $set . 'BEGIN; SAVEPOINT s;' . long('a', $count) . "ROLLBACK TO s; PREPARE TRANSACTION 'p'; COMMIT PREPARED 'p';", []);
    }

    # In pieces, and more of them than one message of the queue's usual size; binary; requests.
    my $name = "adapter-postgres, $delivery";
    my $set = set('protocol', 'adapter-postgres') . set('delivery', $delivery);
    $node->safe_psql('app', $set . long('huge', $mega));
    my @payloads = next_payloads($listener);
    cmp_ok(scalar @payloads, '>=', 200, "$name: 1 MB goes in pieces");
    is(scalar(grep { length > 7999 || !/\A\["socket\.io#\/#room#","_chunk_/ } @payloads), 0, "$name: each of them is a piece, and no longer than a payload may be");
    is_deeply([ messages_in(@payloads) ], ["huge: text $mega"], "$name: 1 MB arrives");
    arrive("$name: 1 MB, rolled back and not", $set . 'BEGIN;' . long('a', $mega) . 'SAVEPOINT s;' . long('b', $mega) . small('b') . 'ROLLBACK TO s;' . long('c', $mega) . small('c') . 'COMMIT; BEGIN;'
          . long('d', $mega) . 'ROLLBACK;', [ "a: text $mega", "c: text $mega", 'c' ]);
    arrive("$name: binary", $set . $binary . "BEGIN; $binary ROLLBACK;", ['binary: binary 2: binary 30000']);
    my $join = sub { "SELECT socketio_sockets_join(rooms => '{$id}', join_rooms => '{$_[0]}');\n" };
    arrive("$name: requests", $set . 'BEGIN;' . small('a') . $join->('b,c') . 'SAVEPOINT s;' . $join->('d') . 'ROLLBACK TO s;' . small('e') . $join->('b')
          . "SELECT socketio_sockets_leave(rooms => '{$id}', leave_rooms => '{c}');"
          . "SELECT socketio_disconnect_sockets(rooms => '{$id}'); COMMIT; BEGIN;" . $join->('lost') . 'ROLLBACK; BEGIN;' . $join->('lost') . "PREPARE TRANSACTION 'p';",
        [ 'a', "request: 3: $id: b", "request: 3: $id: c", 'e', "request: 3: $id: b", "request: 4: $id: c", "request: 6: $id: nothing" ], '0A000');
    arrive("$name: a request of 100 kB",
        $set . "SELECT socketio_sockets_join(rooms => '{$id}', join_rooms => ARRAY[repeat(E'\"\\\\', 50000)]);" . small('after'),
        [ "request: 3: $id: " . brief('"\\' x 50_000), 'after' ]);

    # A message that cannot be sent takes nothing with it but its statement.
    arrive("socket.io-postgres, $delivery: too long, and binary",
        set('protocol', 'socket.io-postgres') . set('delivery', $delivery) . 'BEGIN;' . small('a') . 'SAVEPOINT s;' . long('long', 300) . 'ROLLBACK TO s;' . small('b')
          . "SAVEPOINT t; $binary ROLLBACK TO t;" . small('c') . 'COMMIT;' . long('long', 300) . small('d'), [ 'a', 'b', 'c', 'd' ], '54000', '0A000', '54000');
}

# What is longer than its servers can put together is refused, and one that is not is sent; here it is taken back before it goes.
{
    my $longest = 192_000_000;
    my $text = sub { "(SELECT repeat('x', $_[0]) AS t OFFSET 0) AS one" };
    my $set = set('protocol', 'adapter-postgres') . set('delivery', 'notify');
    my %calls = (
        'a text'  => [ 'SELECT socketio_emit_values(NULL, $$never$$, t) FROM ' . $text->($longest), $longest ],
        'binary'  => [ 'SELECT socketio_emit_values(NULL, $$never$$, t::bytea) FROM ' . $text->($longest), $longest ],
        'request' => [ "SELECT socketio_sockets_join(rooms => '{$id}', join_rooms => ARRAY[t]) FROM " . $text->(256_000_000), 256_000_000 ],
    );
    for my $kind (sort keys %calls)
    {
        my ($call, $limit) = @{ $calls{$kind} };
        my $session = arrive("too long for its servers: $kind", "$set $call;" . small('after'), ['after'], '54000');
        is($session->{errors}[0]{message}, qq{message exceeds the $limit bytes that protocol "adapter-postgres" can send}, "too long for its servers: $kind: message");
    }
    arrive('not too long for its servers', "$set BEGIN; SELECT socketio_emit_values(NULL, 'undone', t) FROM " . $text->($longest - 200) . '; ROLLBACK;' . small('after'), ['after']);
}

# All dialects in one transaction, from one way to the other: everything keeps its order, over all channels.
{
    my (@sql, @expected);
    for my $turn (1 .. 3)
    {
        for my $protocol ('cluster', @protocols)
        {
            my $delivery = ('worker', 'notify')[ @expected % 2 ];
            push @sql, set('protocol', $protocol), set('delivery', $delivery), small("$turn $protocol"), $protocol eq 'socket.io-postgres' ? () : long("long $turn $protocol", $piece);
            push @expected, "$turn $protocol", $protocol eq 'socket.io-postgres' ? () : $protocol eq 'cluster' ? 'attachment' : "long $turn $protocol: text $piece";
        }
    }
    arrive('in turns', join('', 'BEGIN;', @sql, 'COMMIT;'), \@expected);
    arrive('in turns, rolled back', join('', 'BEGIN;', @sql, 'ROLLBACK;'), []);
}

# It is the worker that sends, and in one batch what it finds there.
{
    my $worker = until_worker($node, 'app');
    my ($emits, $fallbacks) = map { stats($node, 'app', $_) } 'worker_emits', 'fallbacks';
    kill 'STOP', $worker;
    my $sent = eval {
        for my $turn (1 .. 5)
        {
            $node->safe_psql('app', set('protocol', $protocols[0]) . long("turn $turn", $piece) . small('same') . set('protocol', $protocols[1]) . small('same'));
        }
        heard($listener);
    };
    kill 'CONT', $worker;
    is($sent, 0, 'a worker that is stopped: nothing arrives');
    is_deeply([ messages_in(next_payloads($listener)) ], [ map { ("turn $_: text $piece", 'same', 'same') } 1 .. 5 ], 'a worker that goes on: everything arrives');
    cmp_ok(stats($node, 'app', 'worker_emits'), '>', $emits, 'socketio_stats counts it as the worker\'s');
    is(stats($node, 'app', 'fallbacks'), $fallbacks, 'nobody had to notify for want of room');
}

# No table is needed, no right on one, and no transaction that may write. A temporary table may be written to even so.
my @all_arrive = ('small', "long: text $mega", 'binary: binary 2: binary 30000', "request: 3: $id: room", "watched:insert: b binary 1, id 1, t text $piece");
my @client = (channels => [], user => 'client');
$node->safe_psql('postgres', 'CREATE ROLE client LOGIN');
create_database($node, 'bare', 'CREATE EXTENSION socketio_emitter; ALTER EXTENSION socketio_emitter DROP TABLE socket_io_attachments;'
      . 'ALTER EXTENSION socketio_emitter DROP SEQUENCE socket_io_attachments_id_seq; DROP TABLE socket_io_attachments');
create_database($node, 'denied', "$README_TABLE CREATE EXTENSION socketio_emitter; REVOKE ALL ON socket_io_attachments FROM PUBLIC");
create_database($node, 'absent', 'CREATE EXTENSION socketio_emitter');
stop_listening($listener);
for my $database ('app', 'bare', 'denied', 'absent')
{
    $node->safe_psql($database, 'GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO client');
    $listener = start_listening($node, $database, @channels);
    for my $delivery ('worker', 'notify')
    {
        my $name = "read-only in $database, $delivery";
        my $set = set('protocol', 'adapter-postgres') . set('delivery', $delivery) . ($database eq 'absent' ? set('attachment_table', 'no_such.table') : '');
        my $writes = q{CREATE TEMP TABLE watched (id int PRIMARY KEY, t text, b bytea); SELECT socketio_watch('watched', 'payload=record');};
        my $session = session($node, $database, $set . $writes . 'BEGIN READ ONLY;' . small('small') . long('long', $mega) . $binary
              . "SELECT socketio_sockets_join(rooms => '{$id}', join_rooms => '{room}'); 
                INSERT INTO watched SELECT 1, string_agg(md5(i::text), '' ORDER BY i), '\\x00' FROM generate_series(1, $piece) AS i; COMMIT;", @client);
        is_clean($session, "$name: no error");
        is_deeply([ messages_in(next_payloads($listener, $database)) ], \@all_arrive, "$name: what arrives");
        $session = session($node, $database, $set . 'SET default_transaction_read_only = on; BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE;'
              . long('long', $piece) . 'COMMIT;' . $binary, @client);
        is_clean($session, "$name: a session that only reads");
        is_deeply([ messages_in(next_payloads($listener, $database)) ], [ "long: text $piece", $all_arrive[2] ], "$name: a session that only reads: what arrives");

        # A dialect that needs the table goes nowhere there.
        my $begin = $database eq 'app' ? 'BEGIN READ ONLY;' : '';
        my ($refused) = @{ session($node, $database, $set . set('protocol', 'cluster') . $begin . $binary, @client)->{errors} };
        is(($refused // {})->{sqlstate}, { app => '25006', bare => '42P01', denied => '42501', absent => '42P01' }->{$database}, "$name: what protocol cluster says");
    }
    stop_listening($listener);
}

# A standby. LISTEN is refused there as well, so nobody listens.
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
for my $delivery ('worker', 'notify')
{
    for my $protocol (@protocols)
    {
        my $set = set('protocol', $protocol) . set('delivery', $delivery);
        my @emits = (small('small'), long('long', $piece), $binary, q{SELECT socketio_emit_values(NULL, 'values', 1);});
        push @emits, map { "SELECT $_;" } "socketio_sockets_join(rooms => '{$id}', join_rooms => '{b}')", "socketio_sockets_leave(rooms => '{$id}', leave_rooms => '{b}')",
          "socketio_disconnect_sockets(rooms => '{$id}')"
          if $protocol eq 'adapter-postgres';
        for my $emit (@emits)
        {
            my $session = session($standby, 'app', "$set $emit BEGIN; SAVEPOINT s; $emit ROLLBACK TO s; SELECT 'goes on'; COMMIT;", channels => []);
            is_deeply(errors($session), [ ('25006 cannot emit during recovery') x 2 ], "standby, $protocol, $delivery: $emit");
            is_deeply($session->{rows}, ['goes on'], "standby, $protocol, $delivery: the session goes on after $emit");
        }
    }
}
{
    my $cannot_ask = { sqlstate => '25006', message => qr/^cannot ask the cluster during recovery$/, hint => qr/primary/ };
    my @calls = ('clients()', "client_rooms('$id')", 'all_rooms()', "custom_request('1')", "remote_join('$id', 'room')", "remote_disconnect('$id')");
    for my $call (map { "socketio_$_" } @calls)
    {
        is_refused(session($standby, 'app', set('protocol', 'adapter-postgres') . "SELECT * FROM $call;", channels => []), $cannot_ask, "standby: $call");
    }
}
$standby->stop;
server_is_sound($standby);

# A queue that holds one message and not two: those who emit wait for each other, and what the worker sends in many batches is as
# whole as before, even if the worker ends now and then.
$node->append_conf('postgresql.conf', 'socketio_emitter.queue_size = 64kB');
$node->restart;
$listener = start_listening($node, 'app', @channels);
$node->safe_psql('app', q{
    CREATE SEQUENCE ids;
    CREATE TABLE committed (id int, client int);
    CREATE FUNCTION put(client int) RETURNS void LANGUAGE plpgsql AS $$
    DECLARE id int := nextval('ids');
    BEGIN
        INSERT INTO committed VALUES (id, client);
        PERFORM socketio_emit(event => client || ' put ' || id, args => (SELECT to_jsonb(string_agg(md5(i::text), '' ORDER BY i)) FROM generate_series(1, 900) AS i));
    END$$;
});
my $script = q{
\set dice random(1, 4)
BEGIN;
SELECT put(:client_id);
\if :dice = 1
ROLLBACK;
\else
SAVEPOINT s;
SELECT put(:client_id);
ROLLBACK TO s;
COMMIT;
\endif
};
$node->safe_psql('postgres', q{ALTER DATABASE app SET socketio_emitter.protocol = 'adapter-postgres'});
{
    my $load = start_load($node, 'app', clients => 8, transactions => 60, script => $script);
    my $terminated = 0;
    while ($load->{pgbench}->pumpable && $terminated < 5)
    {
        my $worker = worker_pid($node, 'app');
        my $terminate = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid = $worker AND backend_type = 'socketio_emitter delivery'";
        $terminated += $node->safe_psql('postgres', $terminate) if $worker ne '';
        heard($listener);
        $load->{pgbench}->pump_nb;
    }
    ok(wait_for_load($load), 'a small queue: every transaction went well') or diag $load->{output};
    cmp_ok($terminated, '>=', 1, 'a small queue: the worker was told to end meanwhile');
    my @received = messages_in(next_payloads($listener));
    my @wrong = grep { !/\A\d+ put \d+: text 900\z/ } @received;
    is_deeply(\@wrong, [], 'a small queue: every message is whole');
    my (%last, @ids);
    for my $message (@received)
    {
        my ($client, $put) = $message =~ /(\d+) put (\d+)/ or next;
        push @wrong, $message if $put <= ($last{$client} // 0);
        $last{$client} = $put;
        push @ids, $put;
    }
    is_deeply(\@wrong, [], 'a small queue: those of a session are in order');
    my @committed = split /\n/, $node->safe_psql('app', 'SELECT id FROM committed ORDER BY id');
    cmp_ok(scalar @committed, '>', 100, 'a small queue: there was something to tell');
    is_deeply([ sort { $a <=> $b } @ids ], \@committed, 'a small queue: what was committed has arrived, once');
    is(stats($node, 'app', 'fallbacks'), '0', 'a small queue: who found it full has waited');
}

# A message larger than the whole queue: its transaction notifies by itself.
{
    my $set = set('protocol', 'adapter-postgres');
    arrive('larger than the queue', $set . long('huge', $mega) . small('after'), [ "huge: text $mega", 'after' ]);
    is(stats($node, 'app', 'fallbacks', 'queue_used'), '1|0', 'larger than the queue: a fallback');
    arrive('larger than the queue, undone in part', $set . 'BEGIN;' . small('a') . 'SAVEPOINT s;' . long('huge', $mega) . 'ROLLBACK TO s;' . long('b', $piece) . 'COMMIT;', [ 'a', "b: text $piece" ]);
    is(stats($node, 'app', 'fallbacks'), '1', 'larger than the queue, undone in part: it waits for the worker as others do');
    my $session = arrive('larger than the queue, PREPARE TRANSACTION', $set . 'BEGIN;' . long('huge', $mega) . "PREPARE TRANSACTION 'p';", [], '0A000');
}

stop_listening($listener);
$node->stop;
server_is_sound($node);
done_testing();
