# Row changes in the older dialects: what clients get to see of a table is what they see in protocol 'cluster', in as many messages as
# the dialect's own limits ask for, each row once and in order; what has no message is an error, and undoes the write.

use strict;
use warnings;

use DeliveryTest;
use Digest::MD5 'md5_hex';
use EmitterTest;
use JSON::PP ();
use LegacyTest;
use MIME::Base64 ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# As in 20_changes_memory.pl.
$ENV{MALLOC_MMAP_THRESHOLD_} = $ENV{MALLOC_TRIM_THRESHOLD_} = 128 * 1024;

my @protocols = ('adapter-postgres', 'socket.io-postgres');
my @levels = ('socketio_watch', 'socketio_watch_statement');
my $no_files = 'SELECT count(*) FROM pg_ls_tmpdir()';
my $node = start_cluster('main', settings => [ 'shared_buffers = 8MB', 'work_mem = 4MB', 'log_statement = none', 'max_wal_size = 4GB' ]);
create_database($node, 'app', 'CREATE EXTENSION socketio_emitter');

sub set
{
    my ($protocol) = @_;
    return "SET socketio_emitter.protocol = '$protocol';\n";
}

# Every channel that is used here, those of rooms as well.
my @channels = ('socketio', 'socket.io#/', 'socket-io:/', map { "socket-io:/:$_" } 'common', map({ "room $_" } 0 .. 150));
my $listener = start_listening($node, 'app', @channels);
my $marks = 0;

# The payloads that have come since the last call.
sub next_payloads
{
    my $mark = 'mark ' . ++$marks;
    $node->safe_psql('app', small($mark));
    until_true('all to arrive', sub { heard($listener); ($listener->{received}[-1] // '') =~ /"data":\["$mark"\]/ });
    my @payloads = splice @{ $listener->{received} };
    pop @payloads;
    return @payloads;
}

# The messages of payloads: {protocol, data, type, rooms, except, flags, bytes}, where bytes are those that max_batch_bytes means.
sub read_payloads
{
    my @payloads = @_;
    my @messages;
    while (defined(my $payload = shift @payloads))
    {
        my $decoded = JSON::PP->new->utf8->decode($payload);
        if (ref $decoded eq 'ARRAY')
        {
            my ($count) = $decoded->[1] =~ /\A_chunk_[0-9A-Za-z]+_0_([0-9]+) /;
            my @rest = map { JSON::PP->new->utf8->decode($_) } splice @payloads, 0, ($count // 1) - 1;
            my ($message) = legacy_messages($decoded, @rest);
            push @messages, {
                protocol => $protocols[0], %{ $message->{packet} }, %{ $message->{opts} }, topic => $message->{topic}, pieces => $message->{pieces},
                bytes => length MIME::Base64::decode($message->{text}),
            };
        }
        elsif ($decoded->{options})
        {
            push @messages, { protocol => $protocols[1], %{ $decoded->{packet} }, %{ $decoded->{options} }, seq => $decoded->{seq}, bytes => length $payload };
        }
        else
        {
            my $data = $decoded->{data} // die "an attachment\n";
            push @messages, { protocol => 'cluster', %{ $data->{packet} }, %{ $data->{opts} }, bytes => length $payload };
        }
    }
    return @messages;
}

sub next_messages
{
    return read_payloads(next_payloads());
}

# Run `$sql` in one session, which ends in these errors, none as a rule. Returns its messages.
sub messages_of
{
    my ($name, $sql, @errors) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $session = session($node, 'app', $sql, channels => []);
    is_deeply([ map { $_->{sqlstate} } @{ $session->{errors} } ], \@errors, "$name: errors") or diag explain errors($session);
    $session->{messages} = [ next_messages() ];
    return $session;
}

# What rows of messages say, one after another: of records, or of old records where there are no others.
sub rows_of
{
    my @changes = map { $_->{data}[1] } @_;
    return map { exists $_->{count} ? @{ $_->{records} // $_->{old_records} // $_->{keys} } : $_->{record} // $_->{old_record} // $_ } @changes;
}

# Every payload, level and kind of write: the same events, arguments, rooms and flags as in protocol cluster.
{
    my $someone = socket_id('someone');
    my $writes = qq{
        BEGIN;
        INSERT INTO seen SELECT i, 'room ' || i % 3, i / 7.0, jsonb_build_object('i', i, 'list', jsonb_build_array(1.50, NULL, 'x')),
            '2026-01-02 03:04:05+00', ARRAY['a', NULL, 'c' || i], CASE WHEN i = 4 THEN '$someone' END FROM generate_series(1, 6) AS i;
        UPDATE seen SET n = n + 1, room = CASE WHEN id < 3 THEN 'room 9' ELSE room END WHERE id < 5;
        UPDATE seen SET id = 100 WHERE id = 6;
        UPDATE seen SET t = t;
        INSERT INTO seen (id) VALUES (7);
        DELETE FROM seen WHERE id IN (1, 4, 7, 100);
        DELETE FROM seen WHERE id < 0;
        TRUNCATE seen;
        COMMIT;
    };
    for my $level (@levels)
    {
        for my $options ('', q{, 'payload=record'}, q{, 'payload=diff'}, q{, 'payload=keys', 'event=a {op}'},
            q{, 'rooms={room},common', 'payload=keys', 'volatile', 'except={t}'}, q{, 'rooms=common', 'exclude=t,a', 'compress=off'})
        {
            my $make = qq{
                DROP TABLE IF EXISTS seen;
                CREATE TABLE seen (id int PRIMARY KEY, room text, n numeric, j jsonb, at timestamptz, a text[], t text);
                SELECT $level('seen'$options);
            };
            my ($expected, @same) = map { messages_of("$level$options, $_", "$make SET TIME ZONE 'UTC';" . set($_) . $writes)->{messages} } 'cluster', @protocols;
            cmp_ok(scalar @$expected, '>', 5, "$level$options: there is something to tell");
            my $brief = sub { [ map { my %m = %$_; +{ map { $_ => $m{$_} } qw(data type nsp rooms except flags) } } @{ $_[0] } ] };
            is_deeply($brief->($same[$_]), $brief->($expected), "$level$options, $protocols[$_]: what clients see") for 0 .. 1;
            my %seen;
            is_deeply([ grep { $seen{ $_->{protocol} }{ $_->{seq} }++ } map { @$_ } @same ], [], "$level$options: no number comes twice");
            my $topic_of = sub { my ($message) = @_; return @{ $message->{rooms} } == 1 ? "socket.io#/#$message->{rooms}[0]#" : 'socket.io#/#' };
            is_deeply([ map { $_->{topic} } @{ $same[0] } ], [ map { $topic_of->($_) } @{ $same[0] } ], "$level$options: topics");
        }
    }
    messages_of('no table is left', 'DROP TABLE seen');
}

# On which channels socket.io-postgres is told.
for my $level (@levels)
{
    my $session = session($node, 'app', qq{
        CREATE TABLE told (id int, room text);
        SELECT $level('told', 'rooms=room {room}', 'payload=record');
        @{[ set('socket.io-postgres') ]}
        INSERT INTO told VALUES (1, '1');
        UPDATE told SET room = '2';
        INSERT INTO told VALUES (3, '1'), (4, '2'), (5, NULL), (6, repeat('r', 60));
        DROP TABLE told;
    }, channels => [ 'socket-io:/', 'socket-io:/:room 1', 'socket-io:/:room 2' ]);
    is_clean($session, "$level: channels: no error");
    is_deeply([ map { $_->{channel} } @{ $session->{notifications} } ], [ 'socket-io:/:room 1', 'socket-io:/', 'socket-io:/:room 1', 'socket-io:/:room 2', 'socket-io:/' ], "$level: channels");
    next_payloads();
}

# Where an exclusion is no socket's id, it is an error, and the write is undone.
for my $level (@levels)
{
    my $session = messages_of("$level, except", qq{
        CREATE TABLE excepted (id int, who text);
        SELECT $level('excepted', 'except={who}', 'payload=record');
        @{[ set('adapter-postgres') ]}
        INSERT INTO excepted VALUES (1, '@{[ socket_id('someone') ]}');
        INSERT INTO excepted SELECT 2, w FROM unnest('{@{[ socket_id('other') ]},room}'::text[]) AS w;
        INSERT INTO excepted VALUES (3, NULL);
        SELECT id FROM excepted;
        @{[ set('socket.io-postgres') ]}
        INSERT INTO excepted VALUES (4, 'room');
        DROP TABLE excepted;
    }, '0A000');
    like($session->{errors}[0]{message}, qr/^protocol "adapter-postgres" cannot except "room": it is no socket id$/, "$level, except: message");
    is_deeply([ map { [ $_->{except}, map { $_->{id} } rows_of($_) ] } @{ $session->{messages} } ], [ [ [ socket_id('someone') ], 1 ], [ [], 3 ], [ ['room'], 4 ] ], "$level, except: what arrives");
    is_deeply($session->{rows}, [ 1, 3 ], "$level, except: the rows");
}

# Batches of every size: no message larger than it may be, none far smaller, every row once and in order.
{
    my $count = 1500;
    $node->safe_psql('app', 'CREATE TABLE batched (id int PRIMARY KEY, room int, t text)');
    for my $protocol (@protocols)
    {
        for my $rooms ('', q{, 'rooms=room {room}'})
        {
            $node->safe_psql('app', "SELECT socketio_watch_statement('batched'$rooms)");
            for my $most (1, 400, 3000, 7999, 8000, 50_000, 1_048_576, 100_000_000)
            {
                my $name = "$protocol$rooms, max_batch_bytes $most";
                my $session = messages_of($name, set($protocol) . qq{
                    SET socketio_emitter.max_batch_bytes = $most;
                    INSERT INTO batched SELECT i, i % 7, md5(i::text) FROM generate_series(1, $count) AS i;
                    UPDATE batched SET t = md5(t);
                    DELETE FROM batched;
                });
                my $limit = $protocol eq 'socket.io-postgres' && $most > 7999 ? 7999 : $most;
                my (%messages, @wrong);
                for my $message (@{ $session->{messages} })
                {
                    my $change = $message->{data}[1];
                    push @{ $messages{ $change->{op} }{"@{ $message->{rooms} }"} }, $message;
                    push @wrong, "$message->{bytes} bytes" if $message->{bytes} > $limit && $change->{count} > 1;
                    for my $row (@{ $change->{records} // [] })
                    {
                        push @wrong, "new row $row->{id}" if $row->{t} ne ($change->{op} eq 'insert' ? md5_hex($row->{id}) : md5_hex(md5_hex($row->{id})));
                    }
                    push @wrong, grep { $_->{t} ne ($change->{op} eq 'update' ? md5_hex($_->{id}) : md5_hex(md5_hex($_->{id}))) } @{ $change->{old_records} // [] };
                    push @wrong, map { "old row $_" } grep { $change->{records}[$_]{id} != $change->{old_records}[$_]{id} } $change->{op} eq 'update' ? 0 .. $change->{count} - 1 : ();
                }
                is_deeply(\@wrong, [], "$name: messages");
                for my $op ('insert', 'update', 'delete')
                {
                    my %of_room = $rooms eq '' ? ('' => [ 1 .. $count ]) : map { my $room = $_; ("room $room" => [ grep { $_ % 7 == $room } 1 .. $count ]) } 0 .. 6;
                    is_deeply({ map { ($_ => [ map { $_->{id} } rows_of(@{ $messages{$op}{$_} }) ]) } keys %{ $messages{$op} } }, \%of_room, "$name, $op: every row once, in order");
                    # Where only a few rows fit, what is left of a message says little.
                    next if $most < 3000;
                    my @small = grep { $_->{bytes} < 0.8 * $limit } map { my @of_room = @$_; @of_room[ 0 .. $#of_room - 1 ] } values %{ $messages{$op} };
                    is_deeply([ map { $_->{bytes} } @small ], [], "$name, $op: each but the last holds as much as it can");
                }
            }
        }
    }
    $node->safe_psql('app', 'DROP TABLE batched');
}

# Binary. A message that holds some is of another type, those beside it are not; socket.io-postgres has none, but may leave it out.
for my $level (@levels)
{
    my $table = sub { "DROP TABLE IF EXISTS files; CREATE TABLE files (id int PRIMARY KEY, t text, b bytea, l bytea[]); SELECT $level('files', 'payload=record'$_[0]);" };
    my $writes = q{
        INSERT INTO files VALUES (1, 'none');
        INSERT INTO files VALUES (2, 'some', '\x00ff80');
        INSERT INTO files VALUES (3, 'in a list', NULL, ARRAY['\x01', NULL]::bytea[]);
        INSERT INTO files VALUES (4, 'empty', '');
        SELECT id FROM files ORDER BY id;
    };
    my $row = sub { my ($id, $t, $b, $l) = @_; return { id => $id, t => $t, b => $b, l => $l } };
    my $binary = sub { bless { bytes => $_[0] }, 'MessagePack::Binary' };
    my $session = messages_of("$level, binary, adapter-postgres", $table->('') . set('adapter-postgres') . $writes);
    is_deeply([ map { [ $_->{type}, rows_of($_) ] } @{ $session->{messages} } ],
        [ [ 2, $row->(1, 'none') ], [ 5, $row->(2, 'some', $binary->("\x00\xff\x80")) ], [ 5, $row->(3, 'in a list', undef, [ $binary->("\x01"), undef ]) ], [ 5, $row->(4, 'empty', $binary->('')) ] ],
        "$level, binary, adapter-postgres: what arrives");
    my @blessed = map { ref } map { $_->{b} // $_->{l}[0] } rows_of(@{ $session->{messages} }[ 1 .. 3 ]);
    is_deeply(\@blessed, [ ('MessagePack::Binary') x 3 ], "$level, binary, adapter-postgres: it is binary");

    $session = messages_of("$level, binary, socket.io-postgres", $table->('') . set('socket.io-postgres')
          . "BEGIN; INSERT INTO files VALUES (0, 'before'); SAVEPOINT s; INSERT INTO files SELECT i, 'x', CASE i WHEN 50 THEN '\\x00'::bytea END "
          . "FROM generate_series(1, 100) AS i; ROLLBACK TO s; COMMIT; $writes", ('0A000') x 4);
    is_deeply([ map { $_->{message} } @{ $session->{errors} } ], [ ('protocol "socket.io-postgres" cannot send binary') x 4 ], "$level, binary, socket.io-postgres: messages");
    is_deeply([ map { $_->{id} } rows_of(@{ $session->{messages} }) ], [ 0, 1 ], "$level, binary, socket.io-postgres: what arrives");
    is_deeply($session->{rows}, [ 0, 1 ], "$level, binary, socket.io-postgres: the rows");
    $session = messages_of("$level, binary left out", $table->(q{, 'columns=id,t'}) . set('socket.io-postgres') . $writes);
    is_deeply([ map { $_->{id} } rows_of(@{ $session->{messages} }) ], [ 1 .. 4 ], "$level, binary left out: what arrives");
}
# Wherever in a batch it is, also where it did not fit the message before: in turn, each of a hundred rows.
for my $rooms ('', q{, 'rooms=all {t}'})
{
    my $session = messages_of("binary in a batch$rooms", qq{
        DROP TABLE files;
        CREATE TABLE files (turn int, id int, t text, b bytea);
        SELECT socketio_watch_statement('files'$rooms, 'payload=record');
        SET socketio_emitter.max_batch_bytes = 700;
    } . set('adapter-postgres') . q{
        DO $$BEGIN
            FOR turn IN 1 .. 100 LOOP
                INSERT INTO files SELECT turn, i, '', CASE i WHEN turn THEN '\x00'::bytea END FROM generate_series(1, 100) AS i;
            END LOOP;
        END$$;
    });
    my (%ids, @wrong, %messages);
    for my $message (@{ $session->{messages} })
    {
        my @rows = rows_of($message);
        my $turn = $rows[0]{turn};
        push @{ $ids{$turn} }, map { $_->{id} } @rows;
        ++$messages{$turn};
        my $holds_binary = grep { $_->{id} == $turn } @rows;
        push @wrong, "turn $turn, rows $rows[0]{id} to $rows[-1]{id}: type $message->{type}" if $message->{type} != ($holds_binary ? 5 : 2);
    }
    is_deeply([ grep { $messages{$_} < 3 } keys %messages ], [], "binary in a batch$rooms: each is several messages");
    is_deeply(\%ids, { map { $_ => [ 1 .. 100 ] } 1 .. 100 }, "binary in a batch$rooms: every row");
    is_deeply(\@wrong, [], "binary in a batch$rooms: only the message that holds it says so");
}
# Clients of Socket.IO take ten binary values in one event, unless they are told otherwise.
for my $columns (1, 3, 11)
{
    my $list = join ', ', map { "b$_" } 1 .. $columns;
    my $session = messages_of("$columns binary columns in a batch", qq{
        DROP TABLE files;
        CREATE TABLE files (id int, @{[ join ', ', map { "b$_ bytea" } 1 .. $columns ]});
        SELECT socketio_watch_statement('files', 'payload=record');
    } . set('adapter-postgres') . "INSERT INTO files (id, $list) SELECT i, @{[ join ', ', ('b') x $columns ]}
        FROM generate_series(1, 50) AS i, LATERAL (SELECT CASE WHEN i % 7 <> 0 THEN '\\x01'::bytea END) AS s (b);");
    my @messages = @{ $session->{messages} };
    is_deeply([ map { $_->{id} } rows_of(@messages) ], [ 1 .. 50 ], "$columns binary columns in a batch: every row");
    my @wrong = grep { my @rows = rows_of($_); my $binaries = grep { ref } map { values %$_ } @rows; $binaries > 10 && @rows > 1 || $_->{type} != ($binaries > 0 ? 5 : 2) } @messages;
    is_deeply(\@wrong, [], "$columns binary columns in a batch: no message has more than clients take, but one of a single row");
}
$node->safe_psql('app', 'DROP TABLE files');

# Rows too large for a message, first, last and between small ones. socket.io-postgres has no other way: the statement is undone.
# adapter-postgres has: such a row goes by itself, in pieces, and all keep their order.
$node->safe_psql('app', 'CREATE TABLE mixed (id int PRIMARY KEY, room int, t text)');
for my $level (@levels)
{
    for my $rooms ('', q{, 'rooms=room {room}'})
    {
        $node->safe_psql('app', "SELECT $level('mixed', 'payload=record'$rooms)");
        for my $huge (1, 50, 100)
        {
            my $name = "$level$rooms, row $huge is huge";
            my $insert = "INSERT INTO mixed SELECT i, CASE i WHEN $huge THEN 1 ELSE i % 2 END,
                CASE i WHEN $huge THEN repeat(md5('huge'), 32768) ELSE md5(i::text) END FROM generate_series(1, 100) AS i;";
            my $session = messages_of("$name, socket.io-postgres", set('socket.io-postgres') . qq{
                BEGIN; INSERT INTO mixed VALUES (1000, 1, 'before'); SAVEPOINT s; $insert ROLLBACK TO s; INSERT INTO mixed VALUES (1001, 1, 'after'); COMMIT;
                $insert SELECT count(*) FROM mixed; TRUNCATE mixed;
            }, '54000', '54000');
            is_deeply([ map { $_->{id} } grep { exists $_->{id} } rows_of(@{ $session->{messages} }) ], [ 1000, 1001 ], "$name, socket.io-postgres: what arrives");
            like($session->{errors}[0]{message}, qr/^message exceeds the 7999 bytes that protocol "socket.io-postgres" can send$/, "$name, socket.io-postgres: message");
            is_deeply($session->{rows}, ['2'], "$name, socket.io-postgres: the rows");

            $session = messages_of("$name, adapter-postgres", set('adapter-postgres') . "SET socketio_emitter.max_batch_bytes = 1000; $insert SET socketio_emitter.enabled = off; TRUNCATE mixed");
            my (%ids, @wrong);
            for my $message (@{ $session->{messages} })
            {
                my @rows = rows_of($message);
                push @{ $ids{"@{ $message->{rooms} }"} }, map { $_->{id} } @rows;
                push @wrong, $message if $message->{bytes} > 1000 && ($rows[0]{id} != $huge || @rows > 1);
                push @wrong, grep { $_->{t} ne ($_->{id} == $huge ? md5_hex('huge') x 32_768 : md5_hex($_->{id})) } @rows;
            }
            is_deeply(\@wrong, [], "$name, adapter-postgres: messages");
            my %expected = $rooms eq '' ? ('' => [ 1 .. 100 ]) : map { my $room = $_; ("room $room" => [ grep { ($_ == $huge ? 1 : $_ % 2) == $room } 1 .. 100 ]) } 0, 1;
            is_deeply(\%ids, \%expected, "$name, adapter-postgres: every row once, in order");
            cmp_ok((map { $_->{pieces} } grep { $_->{bytes} > 1000 } @{ $session->{messages} })[0], '>', 200, "$name, adapter-postgres: in pieces");
        }
    }

    # Rows of about a message's length: those that do not fit are the long ones.
    $node->safe_psql('app', "SELECT $level('mixed', 'payload=record')");
    my $session = messages_of("$level: about the longest", set('socket.io-postgres') . q{
        DO $$BEGIN
            FOR length IN 7600 .. 8000 LOOP
                BEGIN
                    INSERT INTO mixed VALUES (length, 1, repeat('x', length));
                EXCEPTION WHEN program_limit_exceeded THEN
                    RETURN;
                END;
            END LOOP;
        END$$;
        SELECT max(id) - min(id) + 1 - count(*) FROM mixed;
        SET socketio_emitter.enabled = off;
        TRUNCATE mixed;
    });
    my @bytes = map { $_->{bytes} } @{ $session->{messages} };
    is_deeply($session->{rows}, ['0'], "$level: about the longest: the rows");
    is_deeply([ grep { $_ > 7999 } @bytes ], [], "$level: about the longest: none is too long");
    # A batch leaves room for the largest numbers that the message may hold.
    cmp_ok($bytes[-1], '>=', $level eq 'socketio_watch' ? 7999 : 7999 - 9 - 9, "$level: about the longest: those that fit arrive");
}
$node->safe_psql('app', 'DROP TABLE mixed');

# A batch may be larger than servers of adapter-postgres can put together: it is cut there. It is taken back before it goes.
{
    my $session = messages_of('a batch longer than its servers can put together', set('adapter-postgres') . q{
        CREATE UNLOGGED TABLE heavy (id int, t text);
        SELECT socketio_watch_statement('heavy', 'payload=record');
        SET socketio_emitter.max_batch_bytes = '512MB';
        BEGIN;
        INSERT INTO heavy SELECT i, repeat('x', 30000000) FROM generate_series(1, 8) AS i;
        SELECT count(*) FROM heavy;
        ROLLBACK;
        DROP TABLE heavy;
    });
    is_deeply($session->{rows}, ['8'], 'a batch longer than its servers can put together: the rows');
}

# Spilled or not, every row goes out once and as it is: rooms in the order of their first rows, the rows of each in theirs.
{
    my ($rows, $rooms, $most) = (20_000, 37, 5000);
    $node->safe_psql('app', q{
        CREATE UNLOGGED TABLE wide (id int, room int, pad text, t text);
        SELECT socketio_watch_statement('wide', 'rooms=room {room}', 'columns=id,t');
    });
    my @rooms = map { [] } 1 .. $rooms;
    push @{ $rooms[ $_ * $_ % $rooms ] }, $_ for 1 .. $rows;
    my @in_order = sort { $rooms[$a][0] <=> $rooms[$b][0] } grep { @{ $rooms[$_] } } 0 .. $#rooms;
    for my $protocol (@protocols)
    {
        for my $work_mem ('64kB', '128MB')
        {
            my $name = "$protocol, work_mem $work_mem";
            my $session = messages_of($name, set($protocol) . qq{
                SET work_mem = '$work_mem';
                SET socketio_emitter.max_batch_bytes = $most;
                BEGIN;
                INSERT INTO wide SELECT i, i::bigint * i % $rooms, repeat('x', 1000 + i % 7), md5(i::text) FROM generate_series(1, $rows) AS i;
                $no_files;
                UPDATE wide SET room = room + 100, t = md5(t);
                $no_files;
                COMMIT;
                SET socketio_emitter.enabled = off;
                TRUNCATE wide;
            });
            is_deeply($session->{rows}, [ '0', '0' ], "$name: no temporary file is left");
            is_deeply([ grep { $_->{bytes} > $most } @{ $session->{messages} } ], [], "$name: no message is too large");
            my (%order, %ids, @wrong);
            for my $message (@{ $session->{messages} })
            {
                my ($change, $names) = ($message->{data}[1], join ' and ', sort @{ $message->{rooms} });
                my ($op, $records, $old_records) = @$change{qw(op records old_records)};
                push @{ $order{$op} }, $names if !$ids{$op}{$names};
                push @{ $ids{$op}{$names} }, map { $_->{id} } @$records;
                push @wrong, $names if $change->{count} != @$records;
                push @wrong, grep { $_->{t} ne ($op eq 'insert' ? md5_hex($_->{id}) : md5_hex(md5_hex($_->{id}))) } @$records;
                push @wrong, grep { $op eq 'update' && $_->{t} ne md5_hex($_->{id}) } @{ $old_records // [] };
                push @wrong, grep { $op eq 'update' && $records->[$_]{id} != $old_records->[$_]{id} } 0 .. $#$records;
            }
            my %named = (insert => sub { "room $_[0]" }, update => sub { join ' and ', sort "room $_[0]", 'room ' . ($_[0] + 100) });
            for my $op (sort keys %named)
            {
                is_deeply($order{$op}, [ map { $named{$op}->($_) } @in_order ], "$name, $op: rooms in order");
                is_deeply($ids{$op}, { map { ($named{$op}->($_) => $rooms[$_]) } @in_order }, "$name, $op: every row once, in order");
            }
            is_deeply(\@wrong, [], "$name: every row as it is");
        }
    }
    # One row in the spilled ones that does not fit leaves no file behind.
    my $session = messages_of('spilled, and one does not fit', set('socket.io-postgres') . qq{
        SET work_mem = '64kB';
        BEGIN;
        SAVEPOINT s;
        INSERT INTO wide SELECT i, i % $rooms, repeat('x', 1000), CASE i WHEN 19999 THEN repeat('x', 8000) ELSE 't' END FROM generate_series(1, $rows) AS i;
        ROLLBACK TO s;
        $no_files;
        SELECT count(*) FROM wide;
        COMMIT;
        DROP TABLE wide;
    }, '54000');
    is_deeply($session->{rows}, [ 0, 0 ], 'spilled, and one does not fit: no temporary file is left, and no row');
    is_deeply($session->{messages}, [], 'spilled, and one does not fit: nothing arrives');
}

# The protocol changes within a transaction, a statement, and a message.
for my $level (@levels)
{
    my @turns = ('cluster', @protocols) x 3;
    my $session = messages_of("$level: switched", "CREATE TABLE turned (id int PRIMARY KEY); SELECT $level('turned'); BEGIN;"
          . join('', map { set($turns[$_]) . "INSERT INTO turned VALUES ($_);" } 0 .. $#turns)
          . 'SAVEPOINT s;' . set('cluster') . 'INSERT INTO turned VALUES (100); ROLLBACK TO s; INSERT INTO turned VALUES (101); COMMIT; DROP TABLE turned;');
    is_deeply([ map { $_->{id} } rows_of(@{ $session->{messages} }) ], [ 0 .. $#turns, 101 ], "$level: switched: every row that was not taken back");
    is_deeply([ map { $_->{protocol} } @{ $session->{messages} } ], [ @turns, $turns[-1] ], "$level: switched: each by the protocol that was set, which a savepoint sets back");
}
{
    # A function of one's own, as the manual makes it; and a deferred trigger, which goes by what is set when it fires.
    my $session = messages_of('functions and deferred triggers', q{
        CREATE FUNCTION emit_changes_old() RETURNS trigger LANGUAGE c
            AS '$libdir/socketio_emitter', 'socketio_emit_changes' SET socketio_emitter.protocol = 'adapter-postgres';
        CREATE TABLE kept (id int PRIMARY KEY);
        CREATE TRIGGER b_old AFTER INSERT ON kept FOR EACH ROW EXECUTE FUNCTION emit_changes_old('payload=record');
        CREATE TRIGGER c_old AFTER INSERT ON kept REFERENCING NEW TABLE AS new FOR EACH STATEMENT EXECUTE FUNCTION emit_changes_old('payload=record', 'event=statement');
        SELECT socketio_watch('kept', 'payload=record');
        CREATE CONSTRAINT TRIGGER z_late AFTER INSERT ON kept DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION socketio_emit_changes('payload=record', 'event=late');
        BEGIN;
        INSERT INTO kept VALUES (1);
        SET LOCAL socketio_emitter.protocol = 'socket.io-postgres';
        INSERT INTO kept VALUES (2);
        SHOW socketio_emitter.protocol;
        COMMIT;
        INSERT INTO kept VALUES (3);
        DROP TABLE kept;
        DROP FUNCTION emit_changes_old();
    });
    my ($c, $a, $s) = ('cluster', @protocols);
    my $turn = sub { my ($id, $protocol) = @_; return ("$a kept:insert $id", "$protocol kept:insert $id", "$a statement $id") };
    is_deeply([ map { my $message = $_; map { "$message->{protocol} $message->{data}[0] $_->{id}" } map { $_->{id} ? $_ : @{ $_->{records} } } $message->{data}[1] } @{ $session->{messages} } ],
        [ $turn->(1, $c), $turn->(2, $s), "$s late 1", "$s late 2", $turn->(3, $c), "$c late 3" ], 'functions and deferred triggers: what arrives');
    is_deeply($session->{rows}, ['socket.io-postgres'], 'functions and deferred triggers: the setting is as it was');
}
{
    # From row to row, by a trigger that fires before.
    my $session = messages_of('from row to row', q{
        CREATE TABLE rows (id int PRIMARY KEY);
        CREATE FUNCTION choose() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            PERFORM set_config('socketio_emitter.protocol', ('{cluster,adapter-postgres,socket.io-postgres}'::text[])[NEW.id % 3 + 1], true);
            RETURN NULL;
        END$$;
        CREATE TRIGGER a_choose AFTER INSERT ON rows FOR EACH ROW EXECUTE FUNCTION choose();
        SELECT socketio_watch('rows', 'payload=record');
        INSERT INTO rows SELECT generate_series(0, 29);
        DROP TABLE rows;
    });
    is_deeply([ map { "$_->{protocol} $_->{data}[1]{id}" } @{ $session->{messages} } ], [ map { ('cluster', @protocols)[ $_ % 3 ] . " $_" } 0 .. 29 ], 'from row to row: each by its own');
}
# A cast to json that users wrote may do anything while a message is being written: choose another protocol, and emit.
for my $level (@levels)
{
    for my $protocol (@protocols)
    {
        my $other = $protocol eq $protocols[0] ? $protocols[1] : $protocols[0];
        my $session = messages_of("$level, $protocol: a cast that meddles", qq{
            CREATE TYPE meddler AS ENUM ('calm', 'switch', 'emit');
            CREATE FUNCTION to_json(m meddler) RETURNS json LANGUAGE plpgsql AS \$\$
            BEGIN
                IF m = 'switch' THEN PERFORM set_config('socketio_emitter.protocol', '$other', true); END IF;
                IF m = 'emit' THEN PERFORM socketio_emit(event => 'meddled', args => to_jsonb(repeat('m', CASE '$protocol' WHEN 'adapter-postgres' THEN 30000 ELSE 3000 END))); END IF;
                RETURN '"' || m || '"';
            END\$\$;
            CREATE CAST (meddler AS json) WITH FUNCTION to_json(meddler);
            CREATE TABLE meddled (id int, m meddler, t text);
            SELECT $level('meddled', 'payload=record', 'rooms=room {id}', 'event=row');
            SET socketio_emitter.max_batch_bytes = 2000;
            BEGIN;
            SET LOCAL socketio_emitter.protocol = '$protocol';
            INSERT INTO meddled SELECT i % 2, CASE i WHEN 20 THEN 'emit' ELSE 'calm' END::meddler, md5(i::text) FROM generate_series(1, 100) AS i;
            COMMIT;
            BEGIN;
            SET LOCAL socketio_emitter.protocol = '$protocol';
            INSERT INTO meddled SELECT i % 2, CASE i WHEN 20 THEN 'switch' ELSE 'calm' END::meddler, md5(i::text) FROM generate_series(1, 100) AS i;
            COMMIT;
            DROP TABLE meddled;
            DROP TYPE meddler CASCADE;
        });
        my @rows = grep { $_->{data}[0] eq 'row' } @{ $session->{messages} };
        my @expected = sort map { md5_hex($_) } 1 .. 100, 1 .. 100;
        is_deeply([ sort map { $_->{t} } rows_of(@rows) ], \@expected, "$level, $protocol: a cast that meddles: every row once");
        my @meddled = grep { $_->{data}[0] eq 'meddled' } @{ $session->{messages} };
        cmp_ok(scalar @meddled, '>=', 1, "$level, $protocol: a cast that meddles: its own arrives");
        my $length = $protocol eq 'adapter-postgres' ? 30_000 : 3000;
        is_deeply([ grep { $_->{data}[1] ne 'm' x $length } @meddled ], [], "$level, $protocol: a cast that meddles: its own is whole");
        is_deeply([ grep { $_->{protocol} ne $protocol && $_->{protocol} ne $other } @{ $session->{messages} } ], [], "$level, $protocol: a cast that meddles: by one or the other");
    }
}
stop_listening($listener);

# Memory. A probe in rows that are being encoded measures what the process holds, but for what PostgreSQL keeps of each row and each
# notification until the transaction ends.
{
    my $count = 200_000;
    my @transaction = ('AfterTriggerEvents', 'TopTransactionContext', 'CurTransactionContext', 'Pending Notifies');
    my $names = join ', ', map { "'$_'" } @transaction;
    $node->safe_psql('app', qq{
        CREATE TYPE probe AS ENUM ('taken');
        CREATE UNLOGGED TABLE measured (n serial, bytes bigint);
        CREATE FUNCTION to_json(p probe) RETURNS json LANGUAGE plpgsql AS \$\$
        BEGIN
            INSERT INTO measured (bytes) SELECT sum(total_bytes) FROM pg_backend_memory_contexts WHERE name NOT IN ($names);
            RETURN '1';
        END\$\$;
        CREATE CAST (probe AS json) WITH FUNCTION to_json(probe);
        CREATE UNLOGGED TABLE many (id int PRIMARY KEY, room int, t text, p probe);
    });
    my $probe = "CASE WHEN i IN (5000, 20000, 100000, $count) THEN 'taken'::probe END";
    my %statements = (
        insert => "INSERT INTO many SELECT i, i %% %d, md5(i::text), $probe FROM generate_series(1, $count) AS i",
        update => q{UPDATE many SET t = 'new ' || t},
    );
    my $hwm = sub { my ($kb) = slurp_file("/proc/$_[0]/status") =~ /^VmHWM:\s+(\d+) kB$/m; return $kb * 1024 };
    my @cases = (
        [ 'adapter-postgres', 'socketio_watch_statement', q{'payload=record'}, 1, 1_048_576 ],
        [ 'adapter-postgres', 'socketio_watch_statement', q{'payload=change'}, 1, 20_000 ],
        [ 'adapter-postgres', 'socketio_watch_statement', q{'rooms=room {room}'}, 10, 1_048_576 ],
        [ 'adapter-postgres', 'socketio_watch_statement', q{'rooms=room {room}', 'payload=record'}, 5000, 1_048_576 ],
        [ 'adapter-postgres', 'socketio_watch', q{'rooms=room {room}', 'payload=record'}, 10, 1_048_576 ],
        [ 'socket.io-postgres', 'socketio_watch_statement', q{'rooms=room {room}'}, 10, 1_048_576 ],
    );
    for my $case (@cases)
    {
        my ($protocol, $level, $options, $rooms, $most) = @$case;
        $node->safe_psql('app', "TRUNCATE many; SELECT $level('many', $options)");
        for my $kind ('insert', 'update')
        {
            my $name = "$kind of $count rows, $protocol, $level, $options, $rooms rooms, max_batch_bytes $most";
            $node->safe_psql('app', 'TRUNCATE measured');
            my $session = $node->background_psql('app');
            $session->set_query_timer_restart;
            my $pid = $session->query_safe('SELECT pg_backend_pid()');
            $session->query_safe(set($protocol) . "SET socketio_emitter.max_batch_bytes = $most; CREATE TEMP TABLE warm (LIKE many);
                SELECT $level('warm', $options); INSERT INTO warm VALUES (0, 0, repeat('x', 5000))");
            my $before = $hwm->($pid);
            $session->query_safe('BEGIN; ' . sprintf $statements{$kind}, $rooms);
            my $kept = $session->query_safe("SELECT sum(total_bytes) FROM pg_backend_memory_contexts WHERE name IN ($names)");
            is($session->query_safe($no_files), '0', "$name: no temporary file is left");
            $session->query_safe('COMMIT');
            my $peak = $hwm->($pid) - $before;
            $session->quit;
            my @bytes = split /\n/, $node->safe_psql('app', 'SELECT bytes FROM measured ORDER BY n');
            note "$name: the probes @bytes, the peak $peak, of it the transaction's $kept";
            cmp_ok(scalar @bytes, '>=', 4, "$name: it was measured");
            my ($first, $last) = @bytes[ 1, -1 ];
            cmp_ok($last - $first, '<', ($level eq 'socketio_watch' ? 0.5 : 4) * 1024 * 1024, "$name: it does not grow with the rows");
            cmp_ok($peak - $kept, '<', 48 * 1024 * 1024, "$name: the most it took, beside what PostgreSQL keeps of a transaction");
        }
    }
}

$node->stop;
server_is_sound($node);
done_testing();
