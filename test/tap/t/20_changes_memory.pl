# What a statement costs in memory does not depend on its rows: a watch by statement takes what its groups and one message
# need, a watch by row what one row needs. What is spilled to disk is gone after the statement, however it ends.

use strict;
use warnings;

use Digest::MD5 'md5_hex';
use EmitterTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $few   = 200_000;
my $many  = 1_000_000;
my $slack = 16 * 1024 * 1024;

# As in 12_long_session.pl: without it, glibc keeps what is freed and the books of the kernel say little.
$ENV{MALLOC_MMAP_THRESHOLD_} = $ENV{MALLOC_TRIM_THRESHOLD_} = 128 * 1024;

# Shared buffers count in the peak of a process, so there are few.
my $node = start_cluster('main', settings => [ 'shared_buffers = 8MB', 'work_mem = 4MB', 'log_statement = none', 'max_wal_size = 4GB' ]);
create_database($node, 'app', q{
    CREATE EXTENSION socketio_emitter;
    CREATE UNLOGGED TABLE by_statement (id int, room int, t text);
    CREATE UNLOGGED TABLE by_row (id int, room int, t text);
});

# Bytes of a process: as it is by PostgreSQL's own books and by the kernel's, and the most it ever had.
sub memory
{
    my ($session, $pid) = @_;
    my $contexts = $session->query_safe('SELECT sum(total_bytes) FROM pg_backend_memory_contexts');
    my $status = slurp_file("/proc/$pid/status");
    return { contexts => $contexts, map { my ($kb) = $status =~ /^$_:\s+(\d+) kB$/m; $_ => $kb * 1024 } 'RssAnon', 'VmHWM' };
}

my $no_files = 'SELECT count(*) FROM pg_ls_tmpdir()';

# Insert `$rows` rows into `$rooms` rooms in a session of its own, which is to have no file left when the statement is over.
sub insert_rows
{
    my ($rows, $rooms) = @_;
    my $session = $node->background_psql('app');
    $session->set_query_timer_restart;
    my $pid = $session->query_safe('SELECT pg_backend_pid()');
    $session->query_safe('SET socketio_emitter.payload_threshold = 1; INSERT INTO by_statement VALUES (0, 0, NULL)');
    my %memory = (before => memory($session, $pid));
    $session->query_safe("BEGIN; INSERT INTO by_statement SELECT i, i % $rooms, 'row ' || i FROM generate_series(1, $rows) AS i");
    is($session->query_safe($no_files), '0', "$rows rows, $rooms rooms: no temporary file is left");
    $session->query_safe('COMMIT');
    $memory{after} = memory($session, $pid);
    $session->quit;
    note "$rows rows, $rooms rooms: ", explain \%memory;
    return \%memory;
}

for my $rooms (1, 10_000)
{
    $node->safe_psql('app', 'SELECT socketio_watch_statement($$by_statement$$, $$rooms=room {room}$$)');
    my %memory;
    for my $rows ($few, $many)
    {
        $node->safe_psql('app', 'SET socketio_emitter.enabled = off; TRUNCATE by_statement, socket_io_attachments');
        $memory{$rows} = insert_rows($rows, $rooms);
        my $count = $node->safe_psql('app', 'SELECT count(*), max(length(payload)) <= 1048576 FROM socket_io_attachments WHERE length(payload) > 300');
        my ($messages, $are_small) = split /\|/, $count;
        cmp_ok($messages, '>=', $rooms, "$rows rows, $rooms rooms: all rooms got a message");
        is($are_small, 't', "$rows rows, $rooms rooms: none larger than a batch may be");
    }
    for my $what (qw(contexts RssAnon))
    {
        my $growth = $memory{$many}{after}{$what} - $memory{$many}{before}{$what};
        cmp_ok($growth, '<', $slack, "$many rows, $rooms rooms: memory afterwards, by $what");
    }
    my ($few_peak, $many_peak) = map { $memory{$_}{after}{VmHWM} } $few, $many;
    cmp_ok($many_peak, '<', $few_peak + $slack, "$rooms rooms: $many rows took $many_peak bytes at most, $few rows $few_peak");
    cmp_ok($many_peak, '<', 128 * 1024 * 1024, "$rooms rooms: $many rows in a small part of what they weigh");
}

# Spilled or not, every row goes out once and as it is: rooms in the order of their first rows, the rows of each in theirs, no message
# larger than it may be. Rows are wide enough for each room to be spilled several times; what makes them so is not sent.
{
    my ($rows, $rooms, $most) = (40_000, 37, 10_000);
    $node->safe_psql('app', q{
        CREATE UNLOGGED TABLE wide (id int, room int, pad text, t text);
        SELECT socketio_watch_statement('wide', 'rooms=room {room}', 'columns=id,t');
    });
    my @rooms = map { [] } 1 .. $rooms;
    push @{ $rooms[ $_ * $_ % $rooms ] }, $_ for 1 .. $rows;
    my @in_order = sort { $rooms[$a][0] <=> $rooms[$b][0] } grep { @{ $rooms[$_] } } 0 .. $#rooms;
    for my $work_mem ('64kB', '128MB')
    {
        $node->safe_psql('app', 'SET socketio_emitter.enabled = off; TRUNCATE wide, socket_io_attachments');
        my $session = session($node, 'app', qq{
            SET work_mem = '$work_mem';
            SET socketio_emitter.payload_threshold = 1;
            SET socketio_emitter.max_batch_bytes = $most;
            BEGIN;
            INSERT INTO wide SELECT i, i::bigint * i % $rooms, repeat('x', 1000 + i % 7), md5(i::text) FROM generate_series(1, $rows) AS i;
            $no_files;
            UPDATE wide SET room = room + 100, t = md5(t);
            $no_files;
            COMMIT;
            SELECT max(length(payload)) <= $most, min(length(payload)) > 0 FROM socket_io_attachments;
        });
        is_clean($session, "work_mem $work_mem");
        is_deeply($session->{rows}, [ '0', '0', 't|t' ], "work_mem $work_mem: no temporary file is left, and no message too large");
        my (%order, %ids, @wrong);
        for my $message (@{ messages($session) })
        {
            my ($change, $names) = ($message->{data}{packet}{data}[1], join ' and ', sort @{ $message->{data}{opts}{rooms} });
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
            is_deeply($order{$op}, [ map { $named{$op}->($_) } @in_order ], "work_mem $work_mem, $op: rooms in order");
            is_deeply($ids{$op}, { map { ($named{$op}->($_) => $rooms[$_]) } @in_order }, "work_mem $work_mem, $op: every row once, in order");
        }
        is_deeply(\@wrong, [], "work_mem $work_mem: every row as it is");
    }
}

# An update of every row, old and new: the two tables of a statement are read side by side.
{
    $node->safe_psql('app', 'SET socketio_emitter.enabled = off; TRUNCATE by_statement, socket_io_attachments; INSERT INTO by_statement SELECT i, 1, $$t$$ FROM generate_series(1, 300000) AS i');
    $node->safe_psql('app', 'SELECT socketio_watch_statement($$by_statement$$, $$rooms=room {room}$$, $$payload=record$$)');
    my %peak;
    for my $rows (100_000, 300_000)
    {
        my $session = $node->background_psql('app');
        $session->set_query_timer_restart;
        my $pid = $session->query_safe('SELECT pg_backend_pid()');
        $session->query_safe("UPDATE by_statement SET t = 'u' WHERE id <= $rows");
        is($session->query_safe($no_files), '0', "$rows rows updated: no temporary file is left");
        $peak{$rows} = memory($session, $pid)->{VmHWM};
        $session->quit;
    }
    cmp_ok($peak{300_000}, '<', $peak{100_000} + $slack, "an update: 300000 rows took $peak{300_000} bytes at most, 100000 rows $peak{100_000}");
}

# An error when the rows are spilled already, in the first message and in the last, leaves no file either, however long the transaction goes on.
for my $bad (1, 50_000)
{
    $node->safe_psql('app', 'SET socketio_emitter.enabled = off; TRUNCATE by_statement, socket_io_attachments; SELECT socketio_watch_statement($$by_statement$$, $$rooms=room {room}$$, $$payload=record$$)');
    my $session = session($node, 'app', qq{
        CREATE TYPE worded AS ENUM ('said', 'unsaid');
        CREATE FUNCTION to_json(w worded) RETURNS json LANGUAGE plpgsql AS \$\$
        BEGIN RAISE EXCEPTION 'no words, % files', (SELECT count(*) > 0 FROM pg_ls_tmpdir()) USING ERRCODE = 'U0001'; END\$\$;
        CREATE CAST (worded AS json) WITH FUNCTION to_json(worded);
        ALTER TABLE by_statement ADD w worded;
        SET work_mem = '64kB';
        BEGIN;
        INSERT INTO by_statement VALUES (0, 0, 'before');
        SAVEPOINT s;
        INSERT INTO by_statement SELECT i, i % 100, repeat('t', 600), CASE i WHEN $bad THEN 'unsaid' END::worded FROM generate_series(1, 50000) AS i;
        ROLLBACK TO s;
        $no_files;
        INSERT INTO by_statement VALUES (1, 0, 'after');
        COMMIT;
        SELECT id FROM by_statement ORDER BY id;
        ALTER TABLE by_statement DROP w;
        DROP TYPE worded CASCADE;
    });
    is_refused($session, { sqlstate => 'U0001', message => qr/^no words, t files$/ }, "an error in row $bad");
    is_deeply($session->{rows}, [ 0, 0, 1 ], "an error in row $bad: no temporary file is left, and no row");
    is_deeply([ map { $_->[1]{records}[0]{t} } @{ events($session) } ], [ 'before', 'after' ], "an error in row $bad: nothing of it is emitted");
}

# Row by row, memory is looked at from the middle of the statement. What PostgreSQL keeps for each row until the end is its own: its
# queue of triggers, and what is to be notified on commit, which a diff without a change and a room that is NULL have none of.
{
    $node->safe_psql('app', q{
        CREATE TABLE measured (id int, bytes bigint);
        CREATE FUNCTION measure() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO measured SELECT NEW.id, sum(total_bytes) FROM pg_backend_memory_contexts WHERE name <> ALL (TG_ARGV);
            RETURN NULL;
        END$$;
    });
    my %kinds = (
        'events sent' => [ q{'payload=record', 'rooms=room {room}'}, 'INSERT INTO by_row SELECT i, i % 100, $$t$$ || i FROM generate_series(1, 200000) AS i',
            q{'AfterTriggerEvents', 'TopTransactionContext', 'CurTransactionContext', 'Pending Notifies'} ],
        'nobody to send to' => [ q{'rooms=room {room}'}, 'INSERT INTO by_row SELECT i, NULL, $$t$$ || i FROM generate_series(1, 200000) AS i', q{'AfterTriggerEvents'} ],
        'nothing to tell' => [ q{'payload=diff', 'rooms=room {room}'}, 'UPDATE by_row SET t = t WHERE id > 0', q{'AfterTriggerEvents'} ],
    );
    for my $kind ('events sent', 'nobody to send to', 'nothing to tell')
    {
        my ($options, $statement, $without) = @{ $kinds{$kind} };
        my $measured = $node->safe_psql('app', qq{
            SET socketio_emitter.enabled = off;
            @{[ $kind eq 'nothing to tell' ? q{TRUNCATE by_row; INSERT INTO by_row SELECT i, 1, 't' || i FROM generate_series(1, 200000) AS i; ALTER TABLE by_row REPLICA IDENTITY FULL;} : '' ]}
            TRUNCATE measured;
            SET socketio_emitter.enabled = on;
            SELECT socketio_watch('by_row', $options);
            CREATE OR REPLACE TRIGGER zzz_measure AFTER INSERT OR UPDATE ON by_row FOR EACH ROW WHEN (NEW.id IN (1000, 20000, 200000)) EXECUTE FUNCTION measure($without);
            $statement;
            SELECT bytes FROM measured ORDER BY id;
        });
        my ($first, $second, $last) = $measured =~ /(\d+)/g;
        note "$kind: $measured";
        cmp_ok($last - $second, '<', 256 * 1024, "row by row, $kind: $last bytes at row 200000, $second at row 20000");
    }
}

# Output functions of types that allocate and do not free.
{
    my $has_hstore = $node->safe_psql('postgres', q{SELECT count(*) FROM pg_available_extensions WHERE name = 'hstore'});
    note 'without hstore, which is not installed; it comes with the server\'s contrib modules' if !$has_hstore;
    my $hstore = $has_hstore ? 'hstore' : 'text';
    $node->safe_psql('app', ($has_hstore ? 'CREATE EXTENSION hstore;' : '') . qq{
        CREATE TYPE part AS (n numeric, r int4range, j json);
        CREATE UNLOGGED TABLE leaky (id int, room text, j json, b jsonb, r int4range, h $hstore, n numeric, ra int4range[], p part, d timestamptz);
    });
    my $make = sub { qq{INSERT INTO leaky SELECT i, i % 10, json_build_object('i', i, 'a', array[1, 2]), jsonb_build_object('i', i), int4range(i, i + 5),
        '"k"=>"v"'::$hstore, i / 7.0, ARRAY[int4range(1, i + 2), NULL], ROW(i / 3.0, int4range(i, NULL), '[1, {"a": null}]')::part, now() FROM generate_series(1, $_[0]) AS i} };
    for my $options (q{'rooms=room {room}', 'payload=record'}, q{'payload=record'})
    {
        $node->safe_psql('app', "SELECT socketio_watch_statement('leaky', $options)");
        my %peak;
        for my $rows (50_000, 200_000)
        {
            $node->safe_psql('app', 'SET socketio_emitter.enabled = off; TRUNCATE leaky, socket_io_attachments');
            my $session = $node->background_psql('app');
            $session->set_query_timer_restart;
            my $pid = $session->query_safe('SELECT pg_backend_pid()');
            $session->query_safe($make->($rows));
            $peak{$rows} = memory($session, $pid)->{VmHWM};
            $session->quit;
        }
        cmp_ok($peak{200_000}, '<', $peak{50_000} + $slack, "output functions, $options: 200000 rows took $peak{200_000} bytes at most, 50000 rows $peak{50_000}");
    }
    my $measured = $node->safe_psql('app', q{
        TRUNCATE measured;
        SET socketio_emitter.enabled = off; TRUNCATE leaky; SET socketio_emitter.enabled = on;
        SELECT socketio_watch('leaky', 'rooms=all,room {room} {r} {n} {d}', 'payload=record');
        CREATE TRIGGER zzz_measure AFTER INSERT ON leaky FOR EACH ROW WHEN (NEW.id IN (1000, 10000, 50000))
            EXECUTE FUNCTION measure('AfterTriggerEvents', 'TopTransactionContext', 'CurTransactionContext', 'Pending Notifies');
    } . $make->(50_000) . '; SELECT bytes FROM measured ORDER BY id');
    my (undef, $second, $last) = $measured =~ /(\d+)/g;
    cmp_ok($last - $second, '<', 256 * 1024, "output functions, row by row: $last bytes at row 50000, $second at row 10000");
}

# Statement after statement, each of which reads its options anew: a session does not grow with their number, nor with tables that change.
{
    my $session = $node->background_psql('app');
    $session->set_query_timer_restart;
    my $pid = $session->query_safe('SELECT pg_backend_pid()');
    $node->safe_psql('app', q{
        CREATE TABLE r (id int PRIMARY KEY, room text, t text);
        CREATE TABLE s (id int PRIMARY KEY, room text, t text);
        SELECT socketio_watch('r', 'rooms=room {room},{id},everyone', 'except=not {t}', 'payload=diff', 'exclude=t');
        SELECT socketio_watch_statement('s', 'rooms=room {room},{id},everyone', 'except=not {t}', 'payload=diff', 'exclude=t');
        ALTER TABLE s ADD CHECK (id > 0);
    });
    my $batch = q{
        DO $$
        BEGIN
            FOR i IN 1 .. 3000 LOOP
                INSERT INTO r VALUES (i, 'a', 'b');
                UPDATE r SET room = 'b', t = 'x' WHERE id = i;
                DELETE FROM r WHERE id = i;
                INSERT INTO s VALUES (i, 'a', 'b');
                UPDATE s SET room = 'b', t = 'x' WHERE id = i;
                DELETE FROM s WHERE id = i;
                BEGIN
                    INSERT INTO s VALUES (i, 'a', 'b'), (-1, 'a', 'b');
                EXCEPTION WHEN check_violation THEN NULL;
                END;
                IF i % 50 = 0 THEN
                    ALTER TABLE r ALTER room SET STATISTICS 10;
                    ALTER TABLE s ALTER room SET STATISTICS 10;
                END IF;
            END LOOP;
        END$$;
    };
    $session->query_safe($batch) for 1 .. 2;
    my $first = memory($session, $pid);
    $session->query_safe($batch) for 1 .. 4;
    my $last = memory($session, $pid);
    $session->quit;
    cmp_ok($last->{$_} - $first->{$_}, '<', 1024 * 1024, "statement after statement: memory by $_, $last->{$_} bytes at the end, $first->{$_} before") for qw(contexts RssAnon);
}

server_is_sound($node);
done_testing();
