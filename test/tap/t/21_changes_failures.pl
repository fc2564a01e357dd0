# What goes wrong in the middle of a write to a watched table: the statement is undone with all it has emitted, the error says
# where it comes from, and the session goes on. And what looks as if it had to go wrong, but need not.

use strict;
use warnings;

use EmitterTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_cluster('main', settings => ['max_prepared_transactions = 2']);
create_database($node, 'app', 'CREATE EXTENSION socketio_emitter');
my @levels = ('socketio_watch', 'socketio_watch_statement');

# Keys of what was inserted, whether a watch by row or one by statement with payload=keys tells of it.
sub inserted
{
    my ($session, $table) = @_;
    my @inserts = grep { $_->[0] eq "$table:insert" } @{ events($session) };
    return [ map { $_->{id} } map { exists $_->[1]{keys} ? @{ $_->[1]{keys} } : $_->[1] } @inserts ];
}

# Cancelled. The lock is taken when the trigger is queued, which is right before it fires; the last trigger tells whether
# the watch has come to its end. One message, and as many as there are rows.
$node->safe_psql('app', q{
    CREATE UNLOGGED TABLE big (id int, room int);
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'too late' USING ERRCODE = 'U0001'; END$$;
});
for my $rooms ("'rooms=room'", "'rooms=room {id}'")
{
    $node->safe_psql('app', qq{
        CREATE OR REPLACE TRIGGER announce AFTER INSERT ON big REFERENCING NEW TABLE AS new FOR EACH STATEMENT WHEN (pg_try_advisory_lock(1))
            EXECUTE FUNCTION socketio_emit_changes($rooms);
        CREATE OR REPLACE TRIGGER refuse AFTER INSERT ON big FOR EACH STATEMENT EXECUTE FUNCTION refuse();
    });
    my $session = $node->background_psql('app', on_error_stop => 0, extra_params => [ '-v', 'VERBOSITY=verbose' ]);
    my $pid = $session->query_safe('SELECT pg_backend_pid()');
    $session->query_safe('LISTEN "socket.io#/"; SET socketio_emitter.max_batch_bytes = 100000000');
    my $canceller = $node->background_psql('app');
    $canceller->query_until(qr/ready/, qq{
        \\echo ready
        DO \$\$
        BEGIN
            WHILE NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND pid = $pid AND granted) LOOP
                PERFORM pg_sleep(0.002);
            END LOOP;
            PERFORM pg_cancel_backend($pid);
        END\$\$;
    });
    $session->query('INSERT INTO big SELECT i, i FROM generate_series(1, 500000) AS i');
    like($session->{stderr}, qr/ERROR:  57014: canceling statement due to user request/, "cancelled, $rooms");
    unlike($session->{stderr}, qr/too late|refuse/, "cancelled, $rooms: within the watch");
    $session->{stderr} = '';
    $canceller->quit;
    my $after = { node => $node, database => 'app' };
    EmitterTest::read_output($after, $session->query_safe(q{
        SELECT pg_advisory_unlock_all();
        DROP TRIGGER refuse ON big;
        INSERT INTO big VALUES (1, 1);
        SELECT count(*) FROM big;
        SELECT count(*) FROM pg_ls_tmpdir();
        TRUNCATE big;
    }));
    is_deeply($after->{rows}, [ 1, 0 ], "cancelled, $rooms: the rows and the temporary files are gone");
    is_deeply([ map { $_->[1]{records} } @{ events($after) } ], [ [ { id => 1, room => 1 } ] ], "cancelled, $rooms: the session goes on, and nothing else was sent");
    $session->quit;
}

# Errors in the middle: a value that has no text. Its type prints nothing, and says so.
create_database($node, 'errors', q{
    CREATE EXTENSION socketio_emitter;
    CREATE TYPE mute;
    CREATE FUNCTION mute_in(cstring) RETURNS mute LANGUAGE internal IMMUTABLE STRICT AS 'textin';
    CREATE FUNCTION mute_out(mute) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'shell_out';
    CREATE TYPE mute (INPUT = mute_in, OUTPUT = mute_out);
    CREATE TYPE mood AS ENUM ('calm', 'angry');
    CREATE FUNCTION to_json(m mood) RETURNS json LANGUAGE plpgsql AS $$
    BEGIN
        IF m = 'angry' THEN RAISE EXCEPTION 'no words' USING ERRCODE = 'U0001'; END IF;
        RETURN '"calm"';
    END$$;
    CREATE CAST (mood AS json) WITH FUNCTION to_json(mood);
});
my %errors = (
    mute => [ q{'x'}, '0A000', qr/cannot display a value of a shell type/ ],
    mood => [ q{'angry'}, 'U0001', qr/no words/ ],
);
for my $type (sort keys %errors)
{
    my ($bad, $sqlstate, $message) = @{ $errors{$type} };
    for my $watch (@levels)
    {
        my $name = "$watch, a value of type $type";
        my $rows = sub { "INSERT INTO t SELECT i, CASE i WHEN $_[2] THEN $bad END::$type FROM generate_series($_[0], $_[1]) AS i;" };
        my $session = session($node, 'errors', qq{
            CREATE TABLE t (id int PRIMARY KEY, v $type);
            SELECT $watch('t');
            SET socketio_emitter.max_batch_bytes = 2000;
            SET socketio_emitter.payload_threshold = 1000;
            BEGIN;
            INSERT INTO t VALUES (1);
            SAVEPOINT s;
            @{[ $rows->(2, 400, 300) ]}
            ROLLBACK TO s;
            INSERT INTO t VALUES (2);
            SAVEPOINT s;
            INSERT INTO t VALUES (3);
            RELEASE s;
            DO \$\$
            BEGIN
                INSERT INTO t VALUES (4);
                BEGIN
                    @{[ $rows->(5, 400, 300) ]}
                EXCEPTION WHEN OTHERS THEN
                    INSERT INTO t VALUES (5);
                END;
            END\$\$;
            COMMIT;
            @{[ $rows->(6, 400, 7) ]}
            INSERT INTO t VALUES (6);
            UPDATE t SET v = $bad WHERE id = 6;
            SELECT string_agg(id::text, ',' ORDER BY id), count(v) FROM t;
            DROP TABLE t;
        });
        is_deeply([ map { $_->{sqlstate} } @{ $session->{errors} } ], [ ($sqlstate) x 3 ], "$name: SQLSTATE");
        like($session->{errors}[0]{message}, $message, "$name: message");
        my @ids = map { $_->{id} } map { @{ $_->[1]{records} // [ $_->[1]{record} ] } } @{ events($session) };
        is_deeply(\@ids, [ 1 .. 6 ], "$name: only what has stayed is emitted");
        is_deeply($session->{rows}, ['1,2,3,4,5,6|0'], "$name: only what was emitted has stayed");
    }
}
is($node->safe_psql('errors', 'SELECT count(*) FROM socket_io_attachments'), '0', 'attachments of what was undone are gone');

# A column is renamed by another session: the next statement of one that has prepared its own says what no longer fits, and which
# option it is.
for my $watch (@levels)
{
    my $trigger = $watch eq 'socketio_watch' ? 'socketio_watch' : 'socketio_watch_insert';
    $node->safe_psql('app', qq{
        CREATE TABLE renamed (id int PRIMARY KEY, room text);
        SELECT $watch('renamed', 'payload=keys', 'rooms={room}');
    });
    my $session = $node->background_psql('app', on_error_stop => 0, extra_params => [ '-v', 'VERBOSITY=verbose' ]);
    my $refused = sub {
        my ($message, $name) = @_;
        like($session->{stderr}, qr/ERROR:  42703: $message/, $name);
        $session->{stderr} = '';
    };
    $session->query_safe('LISTEN "socket.io#/"; PREPARE put AS INSERT INTO renamed VALUES ($1, $2)');
    my $first = { node => $node, database => 'app' };
    EmitterTest::read_output($first, $session->query_safe(q{EXECUTE put(1, 'a')}));
    $node->safe_psql('app', 'ALTER TABLE renamed RENAME COLUMN room TO place');
    $session->query(q{EXECUTE put(2, 'a')});
    $refused->(qr/option "rooms" of trigger "$trigger" on table "renamed" names column "room", which does not exist/, "$watch: a column is renamed");
    $node->safe_psql('app', 'ALTER TABLE renamed RENAME COLUMN place TO room');
    my $second = { node => $node, database => 'app' };
    EmitterTest::read_output($second, $session->query_safe(q{EXECUTE put(3, 'a')}));
    is_deeply([ @{ inserted($first, 'renamed') }, @{ inserted($second, 'renamed') } ], [ 1, 3 ], "$watch: a column is renamed and named again");

    # Within a transaction of its own.
    $session->query(q{BEGIN; EXECUTE put(4, 'a'); ALTER TABLE renamed RENAME COLUMN room TO place; EXECUTE put(5, 'a'); ROLLBACK;});
    $refused->(qr/option "rooms" of trigger "$trigger" on table "renamed"/, "$watch: a column is renamed between two statements of a transaction");
    # The type no longer stands in a template.
    $node->safe_psql('app', 'ALTER TABLE renamed ALTER room TYPE text[] USING ARRAY[room]');
    $session->query(q{INSERT INTO renamed VALUES (6, '{a}')});
    like($session->{stderr}, qr/ERROR:  22023: option "rooms" of trigger "$trigger" on table "renamed" cannot name column "room"/, "$watch: a column becomes an array");
    $session->{stderr} = '';
    $node->safe_psql('app', 'ALTER TABLE renamed ALTER room TYPE text USING room[1]');
    # The key goes, and comes back as another.
    $node->safe_psql('app', 'ALTER TABLE renamed DROP CONSTRAINT renamed_pkey');
    $session->query(q{INSERT INTO renamed VALUES (7, 'a')});
    like($session->{stderr}, qr/ERROR:  55000: .*"$trigger".*"renamed"|ERROR:  55000: .*"renamed".*"$trigger"/, "$watch: the primary key is dropped");
    $session->{stderr} = '';
    $node->safe_psql('app', 'ALTER TABLE renamed DROP COLUMN id, ADD COLUMN id int GENERATED ALWAYS AS IDENTITY (START 70) PRIMARY KEY');
    my $third = { node => $node, database => 'app' };
    EmitterTest::read_output($third, $session->query_safe(q{INSERT INTO renamed (room) VALUES ('a')}));
    my ($identity) = @{ inserted($third, 'renamed') };
    cmp_ok($identity // 0, '>=', 70, "$watch: the primary key is another column");
    $session->quit;
    $node->safe_psql('app', 'DROP TABLE renamed');
}

# Code that runs while a row is encoded, and writes to watched tables itself: to another, to the same.
create_database($node, 'nested', q{
    CREATE EXTENSION socketio_emitter;
    CREATE TYPE mood AS ENUM ('calm', 'telling', 'again', 'endless');
    CREATE TABLE log (id bigserial PRIMARY KEY, note text);
    CREATE TABLE moods (id int, m mood);
    CREATE FUNCTION to_json(m mood) RETURNS json LANGUAGE plpgsql AS $$
    BEGIN
        CASE m
        WHEN 'calm' THEN NULL;
        WHEN 'telling' THEN INSERT INTO log (note) SELECT 'note ' || i FROM generate_series(1, 2) AS i;
        WHEN 'again' THEN
            FOR i IN 1 .. 100 LOOP
                INSERT INTO moods VALUES (1000 + i, 'calm');
            END LOOP;
        WHEN 'endless' THEN INSERT INTO moods VALUES (-1, 'endless');
        END CASE;
        RETURN to_jsonb(m::text);
    END$$;
    CREATE CAST (mood AS json) WITH FUNCTION to_json(mood);
});
my %told = (
    socketio_watch           => sub { my ($table, @rows) = @_; return map { [ "$table:insert", $_ ] } @rows },
    socketio_watch_statement => sub { my ($table, @rows) = @_; return [ "$table:insert", { count => scalar @rows, records => [@rows] } ] },
);
for my $outer (@levels)
{
    for my $inner (@levels)
    {
        $node->safe_psql('nested', "SELECT $outer('moods', 'payload=record'); SELECT $inner('log', 'payload=record'); ALTER SEQUENCE log_id_seq RESTART 1; SET socketio_emitter.enabled = off; TRUNCATE log");
        my $session = session($node, 'nested', q{INSERT INTO moods VALUES (1, 'calm'), (2, 'telling'), (3, 'calm');});
        my @log = $told{$inner}->('log', map { { id => $_, note => "note $_" } } 1, 2);
        my @moods = ({ id => 1, m => 'calm' }, { id => 2, m => 'telling' }, { id => 3, m => 'calm' });
        is_emitted($session, $outer eq 'socketio_watch' ? [ $told{$outer}->('moods', $moods[0]), @log, $told{$outer}->('moods', @moods[ 1, 2 ]) ] : [ @log, $told{$outer}->('moods', @moods) ],
            "$outer: encoding a row writes to a table under $inner");
    }
    my $session = session($node, 'nested', q{INSERT INTO moods VALUES (1, 'again'), (2, 'calm');});
    my @own = map { $told{$outer}->('moods', { id => 1000 + $_, m => 'calm' }) } 1 .. 100;
    my @rows = $told{$outer}->('moods', { id => 1, m => 'again' }, { id => 2, m => 'calm' });
    # By statement, what was written while the rows were told comes behind them, as it was written behind them.
    is_emitted($session, $outer eq 'socketio_watch' ? [ @own, @rows ] : [ @rows, @own ], "$outer: encoding a row writes to its own table");

    # Without end, it ends in an error.
    $session = session($node, 'nested', q{
        BEGIN;
        INSERT INTO moods VALUES (1, 'calm');
        SAVEPOINT s;
        INSERT INTO moods VALUES (2, 'endless');
        ROLLBACK TO s;
        INSERT INTO moods VALUES (3, 'calm');
        COMMIT;
    });
    is_deeply([ map { $_->{sqlstate} } @{ $session->{errors} } ], ['54001'], "$outer: encoding a row writes to its own table without end");
    is_deeply(events($session), [ map { $told{$outer}->('moods', { id => $_, m => 'calm' }) } 1, 3 ], "$outer: encoding without end: the transaction goes on");
}

# Triggers that set each other off: deep, and without end.
for my $watch (@levels)
{
    $node->safe_psql('app', qq{
        CREATE TABLE chain (id int PRIMARY KEY, last int);
        CREATE FUNCTION next() RETURNS trigger LANGUAGE plpgsql AS \$\$
        BEGIN
            IF NEW.id <> NEW.last THEN INSERT INTO chain VALUES (NEW.id + 1, NEW.last); END IF;
            RETURN NULL;
        END\$\$;
        SELECT $watch('chain', 'payload=keys');
        CREATE TRIGGER zzz_next AFTER INSERT ON chain FOR EACH ROW EXECUTE FUNCTION next();
    });
    my $session = session($node, 'app', q{
        INSERT INTO chain VALUES (1, 40);
        INSERT INTO chain VALUES (100, 0);
        SELECT count(*) FROM chain;
        INSERT INTO chain VALUES (101, 102);
    });
    is_deeply([ map { $_->{sqlstate} } @{ $session->{errors} } ], ['54001'], "$watch: triggers without end");
    is_deeply([ sort { $a <=> $b } @{ inserted($session, 'chain') } ], [ 1 .. 40, 101, 102 ], "$watch: 40 deep, nothing of those without end, and on");
    is_deeply($session->{rows}, ['40'], "$watch: rows of triggers without end are gone");
    $node->safe_psql('app', 'DROP TABLE chain; DROP FUNCTION next()');
}

# A watched table becomes the one that large messages go through, so that to announce a message takes another.
{
    my $session = session($node, 'app', q{
        CREATE TABLE round (id bigserial, created_at timestamptz, payload bytea);
        SELECT socketio_watch('round');
        SET socketio_emitter.attachment_table = 'round';
        SELECT socketio_emit(event => 'large', args => to_jsonb(repeat('x', 9000)));
        RESET socketio_emitter.attachment_table;
        SELECT socketio_emit(event => 'large', args => to_jsonb(repeat('x', 9000)));
        SELECT count(*) FROM round;
        DROP TABLE round;
    });
    is(scalar @{ $session->{errors} }, 1, 'attachments of attachments: one error');
    like($session->{errors}[0]{sqlstate}, qr/^(?:54001|0A000)$/, 'attachments of attachments: SQLSTATE');
    is_deeply(events($session), [ [ 'large', 'x' x 9000 ] ], 'attachments of attachments: the session goes on');
    is_deeply($session->{rows}, ['0'], 'attachments of attachments: no row is left');
}

# Tables that do not last. A temporary one is announced like any other.
for my $watch (@levels)
{
    my $session = session($node, 'app', qq{
        CREATE TEMP TABLE brief (id int PRIMARY KEY);
        SELECT $watch('brief', 'payload=keys');
        INSERT INTO brief VALUES (1);
        BEGIN;
        CREATE TEMP TABLE briefer (id int PRIMARY KEY) ON COMMIT DROP;
        SELECT $watch('briefer', 'payload=keys');
        INSERT INTO briefer VALUES (2);
        CREATE TEMP TABLE emptied (id int PRIMARY KEY) ON COMMIT DELETE ROWS;
        CREATE CONSTRAINT TRIGGER late AFTER INSERT ON emptied DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION socketio_emit_changes('payload=keys');
        INSERT INTO emptied VALUES (3);
        COMMIT;
        CREATE UNLOGGED TABLE unlogged (id int PRIMARY KEY);
        SELECT $watch('unlogged', 'payload=keys');
        INSERT INTO unlogged VALUES (4);
        DROP TABLE unlogged;
    });
    is_clean($session, "$watch: temporary and unlogged tables");
    is_deeply([ map { @{ inserted($session, $_) } } qw(brief briefer emptied unlogged) ], [ 1 .. 4 ], "$watch: temporary and unlogged tables are announced");
}

# PREPARE TRANSACTION is refused after an emit, as after NOTIFY, and not where a watch had nothing to say.
for my $watch (@levels)
{
    $node->safe_psql('app', "CREATE TABLE prepared (id int PRIMARY KEY, t text); SELECT $watch('prepared', 'payload=diff')");
    my $session = session($node, 'app', q{
        INSERT INTO prepared VALUES (1, 'a');
        BEGIN;
        INSERT INTO prepared VALUES (2, 'a');
        PREPARE TRANSACTION 'telling';
        BEGIN;
        UPDATE prepared SET t = t;
        DELETE FROM prepared WHERE id = 0;
        SAVEPOINT s;
        DELETE FROM prepared;
        ROLLBACK TO s;
        PREPARE TRANSACTION 'silent';
        COMMIT PREPARED 'silent';
        BEGIN;
        SET LOCAL socketio_emitter.enabled = off;
        INSERT INTO prepared VALUES (3, 'a');
        PREPARE TRANSACTION 'off';
        COMMIT PREPARED 'off';
        SELECT string_agg(id::text, ',' ORDER BY id) FROM prepared;
        DROP TABLE prepared;
    });
    is_refused($session, { sqlstate => '0A000', message => qr/cannot PREPARE a transaction that has executed LISTEN, UNLISTEN, or NOTIFY/ }, "$watch: PREPARE TRANSACTION");
    is(scalar @{ $session->{notifications} }, 1, "$watch: PREPARE TRANSACTION: what was committed is emitted");
    is_deeply($session->{rows}, ['1,3'], "$watch: PREPARE TRANSACTION: where nothing was emitted, it is done");
}

server_is_sound($node);
done_testing();
