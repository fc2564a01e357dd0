# When attachments are dated that NOTIFY announces: servers delete rows by age, so a row must not be old when it becomes visible.
# A transaction that commits late dates its rows again, whatever it has done since; one that commits at once does not.

use strict;
use warnings;

use EmitterTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes 'time';

my $node = start_cluster('main', settings => ['wal_level = logical']);
create_database($node, 'app', q{
    CREATE EXTENSION socketio_emitter;
    CREATE ROLE client LOGIN;
    CREATE TABLE moments (moment timestamptz DEFAULT clock_timestamp());
    GRANT ALL ON moments TO client;
});

# Long enough for what was emitted before to count as old.
my $wait = 'SELECT pg_sleep(0.6);';

# From here on the transaction commits.
my $now = 'INSERT INTO moments DEFAULT VALUES;';

sub through
{
    my ($table) = @_;
    return "SET socketio_emitter.attachment_table = '$table';\n";
}

# How many rows of the table are dated after the moment, before it, and ahead of the clock.
sub dates
{
    my ($table) = @_;
    return $node->safe_psql('app', qq{
        SELECT format('after %s, before %s, ahead %s', count(*) FILTER (WHERE created_at >= moment AND created_at <= clock_timestamp()),
            count(*) FILTER (WHERE created_at < moment), count(*) FILTER (WHERE created_at > clock_timestamp()))
        FROM $table, (SELECT max(moment) AS moment FROM moments) AS moments});
}

# A session that commits late, without an error: so many rows are dated with the commit.
sub is_dated
{
    my ($name, $sql, $count, %options) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $table = $options{table} // 'socket_io_attachments';
    $node->safe_psql('app', "TRUNCATE $table") if !$options{keep};
    my $session = session($node, 'app', $sql, user => $options{user});
    is_clean($session, "$name: no error");
    is(dates($table), "after $count, before 0, ahead 0", $name);
    return $session;
}

# What commits at once is not touched a second time.
is_clean(session($node, 'app', 'BEGIN;' . large('a') . $now . 'COMMIT;'), 'committed at once: no error');
is(dates('socket_io_attachments'), 'after 0, before 1, ahead 0', 'committed at once: the date is that of the emit');
is($node->safe_psql('app', 'SELECT ctid FROM socket_io_attachments'), '(0,1)', 'committed at once: the row is the first version');

# What commits late, by all the ways a transaction may go.
my $session = is_dated('a late commit', 'BEGIN;' . large('a') . large('b') . $wait . large('c') . $now . 'COMMIT;', 3);
is_deeply(events($session), [ map { [ $_, 'x' x 9000 ] } 'a', 'b', 'c' ], 'a late commit: the messages are whole');
is_dated('savepoints', 'BEGIN; SAVEPOINT s;' . large('a') . 'RELEASE s; SAVEPOINT s;' . large('b') . 'ROLLBACK TO s; SAVEPOINT t;' . large('c') . $wait . $now
      . 'COMMIT;', 2);
is_dated('only what was rolled back', 'BEGIN; SAVEPOINT s;' . large('a') . "ROLLBACK TO s; $wait $now COMMIT;", 0);
is_dated('a single statement', "WITH emitted AS MATERIALIZED (SELECT socketio_emit(event => 'a', args => to_jsonb(repeat('x', 9000)))), "
      . 'waited AS MATERIALIZED (SELECT pg_sleep(0.6) FROM emitted) INSERT INTO moments SELECT clock_timestamp() FROM waited;', 1);
is_dated('several in one query', "SELECT socketio_emit(event => 'a', args => to_jsonb(repeat('x', 9000)))\\; SELECT pg_sleep(0.6)\\; $now", 1);
is_dated('an exception block', q{DO $$
    BEGIN
        BEGIN
            PERFORM socketio_emit(event => 'a', args => to_jsonb(repeat('x', 9000)));
            RAISE division_by_zero;
        EXCEPTION WHEN division_by_zero THEN
            PERFORM socketio_emit(event => 'b', args => to_jsonb(repeat('x', 9000)));
        END;
        PERFORM pg_sleep(0.6);
        INSERT INTO moments DEFAULT VALUES;
    END$$;}, 1);
is_dated('a procedure that commits', q{DO $$
    BEGIN
        FOR i IN 1 .. 2 LOOP
            PERFORM socketio_emit(event => 'a', args => to_jsonb(repeat('x', 9000)));
            PERFORM pg_sleep(0.6);
            DELETE FROM moments;
            INSERT INTO moments DEFAULT VALUES;
            COMMIT;
        END LOOP;
        DELETE FROM socket_io_attachments WHERE id = (SELECT min(id) FROM socket_io_attachments);
    END$$;}, 1);
is_dated("$_", "BEGIN ISOLATION LEVEL $_;" . large('a') . "$wait $now COMMIT;", 1) for 'REPEATABLE READ', 'SERIALIZABLE';
is_dated('read-only since', 'BEGIN;' . large('a') . "$wait $now SET TRANSACTION READ ONLY; COMMIT;", 1);
is_dated('a cursor that is held', 'BEGIN;' . large('a') . "DECLARE c CURSOR WITH HOLD FOR SELECT 1; $wait $now COMMIT; FETCH c;", 1);
is_dated('settings that stand in the way', 'SET enable_indexscan = off; SET enable_tidscan = off; SET enable_bitmapscan = off; BEGIN;' . large('a')
      . "$wait $now SET LOCAL search_path = pg_temp; COMMIT;", 1);
is($node->safe_psql('app', "SHOW enable_seqscan"), 'on', 'settings are as before');
$node->safe_psql('app', q{
    CREATE TABLE orders (id int);
    CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM socketio_emit(event => 'a', args => to_jsonb(repeat('x', 9000)));
        PERFORM pg_sleep(0.6);
        INSERT INTO moments DEFAULT VALUES;
        RETURN NULL;
    END$$;
    CREATE CONSTRAINT TRIGGER late AFTER INSERT ON orders DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION tell();
});
is_dated('a deferred trigger', 'INSERT INTO orders VALUES (1);', 1);
is_dated('a role without rights on the table', 'BEGIN;' . large('a') . "$wait $now COMMIT;", 1, user => 'client');
is_dated('a role that is set after the emit', 'BEGIN;' . large('a') . "$wait $now SET LOCAL ROLE client; COMMIT;", 1);

# Two serializable transactions do not fail because of each other's rows.
{
    $node->safe_psql('app', 'TRUNCATE socket_io_attachments');
    my @sessions = map { $node->background_psql('app') } 1, 2;
    $_->query_safe('BEGIN ISOLATION LEVEL SERIALIZABLE;' . large('a') . large('b')) for @sessions;
    $sessions[0]->query_safe($wait);
    $sessions[0]->query_safe($now);
    $_->query_safe('COMMIT') for @sessions;
    $_->quit for @sessions;
    is(dates('socket_io_attachments'), 'after 4, before 0, ahead 0', 'two serializable transactions');
}

# What becomes of the table in the same transaction.
$node->safe_psql('app', 'CREATE TABLE spare (id bigserial UNIQUE, created_at timestamptz, payload bytea)');
my $spare = through('spare') . 'BEGIN;' . large('a') . $wait;
is_clean(session($node, 'app', "$spare DROP TABLE spare; COMMIT;"), 'dropped since');
$node->safe_psql('app', 'CREATE TABLE spare (id bigserial UNIQUE, created_at timestamptz, payload bytea)');
is_clean(session($node, 'app', "$spare ALTER TABLE spare DROP created_at; COMMIT;"), 'without its column since');
$node->safe_psql('app', 'ALTER TABLE spare ADD created_at timestamptz');
is_dated('renamed since', "$spare ALTER TABLE spare RENAME TO other; $now COMMIT;", 1, table => 'other', keep => 1);
is_dated('truncated since', through('other') . 'BEGIN;' . large('a') . "$wait TRUNCATE other; $now COMMIT;", 0, table => 'other');
is_dated('two tables', through('other') . 'BEGIN;' . large('a') . through('socket_io_attachments') . large('b') . "$wait $now COMMIT;", 1,
    table => $_) for 'other', 'socket_io_attachments';

# Tables that an UPDATE would run somebody's code for are left alone. Their rows are dated ahead instead, by some minutes.
$node->safe_psql('app', q{
    CREATE TABLE called (what text);
    CREATE FUNCTION called() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO called VALUES (tg_table_name); RETURN NEW; END$$;
    CREATE FUNCTION called(bytea) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$BEGIN RETURN length($1); END$$;
});
my $columns = '(id bigserial UNIQUE, created_at timestamptz, payload bytea)';
my %left_alone = (
    before_row       => "CREATE TABLE before_row $columns; CREATE TRIGGER t BEFORE UPDATE ON before_row FOR EACH ROW EXECUTE FUNCTION called()",
    after_row        => "CREATE TABLE after_row $columns; CREATE TRIGGER t AFTER UPDATE ON after_row FOR EACH ROW EXECUTE FUNCTION called()",
    before_statement => "CREATE TABLE before_statement $columns; CREATE TRIGGER t BEFORE UPDATE ON before_statement EXECUTE FUNCTION called()",
    after_statement  => "CREATE TABLE after_statement $columns; CREATE TRIGGER t AFTER UPDATE ON after_statement EXECUTE FUNCTION called()",
    late_trigger     => "CREATE TABLE late_trigger $columns; CREATE CONSTRAINT TRIGGER t AFTER UPDATE ON late_trigger DEFERRABLE INITIALLY DEFERRED "
      . 'FOR EACH ROW EXECUTE FUNCTION called()',
    with_rule        => "CREATE TABLE with_rule $columns; CREATE RULE r AS ON UPDATE TO with_rule DO ALSO INSERT INTO called VALUES ('rule')",
    with_check       => "CREATE TABLE with_check $columns; ALTER TABLE with_check ADD CHECK (called(payload) > 0)",
    expression       => "CREATE TABLE expression $columns; CREATE INDEX ON expression (called(payload))",
    partial          => "CREATE TABLE partial $columns; CREATE INDEX ON partial (id) WHERE called(payload) > 0",
    unique_date      => "CREATE TABLE unique_date $columns; CREATE UNIQUE INDEX ON unique_date (created_at)",
    excluding        => "CREATE TABLE excluding $columns; ALTER TABLE excluding ADD EXCLUDE USING btree (id WITH =)",
    generated        => "CREATE TABLE generated $columns; ALTER TABLE generated ADD size int GENERATED ALWAYS AS (length(payload)) STORED",
    of_domain        => 'CREATE DOMAIN moment AS timestamptz CHECK (value IS NOT NULL); CREATE TABLE of_domain (id bigserial UNIQUE, created_at moment, payload bytea)',
    cast_id          => "CREATE TYPE number AS (n int); CREATE SEQUENCE numbers; CREATE FUNCTION called(number) RETURNS text LANGUAGE plpgsql "
      . "AS \$\$BEGIN INSERT INTO called VALUES ('cast'); RETURN (\$1).n; END\$\$; CREATE CAST (number AS text) WITH FUNCTION called(number); "
      . "CREATE TABLE cast_id (id number DEFAULT ROW(nextval('numbers')), created_at timestamptz, payload bytea)",
    with_statistics  => "CREATE TABLE with_statistics $columns; CREATE FUNCTION called(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS "
      . "\$\$BEGIN RAISE 'called by the planner'; END\$\$; CREATE STATISTICS s ON (id + called(1)), id FROM with_statistics",
    policies         => "CREATE TABLE policies $columns; ALTER TABLE policies ENABLE ROW LEVEL SECURITY",
    parts            => "CREATE TABLE parts (id bigserial, created_at timestamptz, payload bytea) PARTITION BY RANGE (created_at);"
      . 'CREATE TABLE part PARTITION OF parts DEFAULT',
    part             => undef,
    beneath          => "CREATE TABLE beneath $columns; CREATE VIEW through_view AS SELECT * FROM beneath",
    without_right    => "CREATE TABLE without_right $columns; REVOKE UPDATE ON without_right FROM CURRENT_USER; ALTER TABLE without_right OWNER TO client;"
      . 'REVOKE UPDATE ON without_right FROM client',
    published        => "CREATE TABLE published $columns; CREATE PUBLICATION p FOR TABLE published",
);
my @left_alone = ('parts', grep { $_ ne 'parts' } sort keys %left_alone);
$node->safe_psql('app', join ';', map { $left_alone{$_} // () } @left_alone);
my @named = map { $_ eq 'beneath' ? 'through_view' : $_ } @left_alone;
is_clean(session($node, 'app', 'BEGIN;' . (join '', map { through($_) . large('a') } @named) . "$wait COMMIT;"), 'left alone: no error');
$node->safe_psql('app', 'DROP STATISTICS s');    # nobody could read that table
for my $table (@left_alone)
{
    my $count = $table =~ /^parts?$/ ? 2 : 1;    # two names of one place
    is($node->safe_psql('app', "SELECT count(*) FROM $table WHERE created_at BETWEEN now() + interval '8 min' AND now() + interval '10 min'"), $count,
        "left alone: $table: dated ahead");
}
is($node->safe_psql('app', 'SELECT count(*) FROM called'), '0', 'left alone: nothing of it has run');

# One that becomes such a table after the emit, and one that is no longer.
$node->safe_psql('app', "CREATE TABLE changing $columns");
is_clean(session($node, 'app', through('changing') . 'BEGIN;' . large('a')
          . "$wait $now CREATE TRIGGER t BEFORE UPDATE ON changing FOR EACH ROW EXECUTE FUNCTION called(); COMMIT;"), 'a trigger since: no error');
is(dates('changing'), 'after 0, before 1, ahead 0', 'a trigger since: left as it was');
is($node->safe_psql('app', 'SELECT count(*) FROM called'), '0', 'a trigger since: it has not run');
is_dated('a trigger no longer', through('changing') . large('prepared') . 'DROP TRIGGER t ON changing; TRUNCATE changing; BEGIN;' . large('a')
      . "$wait $now COMMIT;", 1, table => 'changing');

# Tables that are no hindrance: other triggers, other types, no index, children.
my %serving = (
    inserting    => "CREATE TABLE inserting $columns; CREATE TRIGGER t BEFORE INSERT OR DELETE ON inserting FOR EACH ROW EXECUTE FUNCTION called()",
    without_zone => 'CREATE TABLE without_zone (id serial, created_at timestamp, payload bytea)',
    uuid         => 'CREATE TABLE uuid (id uuid DEFAULT gen_random_uuid() UNIQUE, created_at timestamptz, payload bytea)',
    texts        => q{CREATE TABLE texts (id text DEFAULT 'a "quoted" \ id, ' || random(), created_at timestamptz, payload bytea)},
    small        => 'CREATE TABLE small (id smallserial, created_at timestamptz, payload bytea)',
    unlogged     => "CREATE UNLOGGED TABLE unlogged $columns",
    dated_index  => "CREATE TABLE dated_index $columns; CREATE INDEX ON dated_index (created_at)",
    child        => "CREATE TABLE parent (id bigserial, created_at timestamptz, payload bytea); CREATE TABLE child () INHERITS (parent)",
    parent       => undef,
    '"The Table"' => "CREATE TABLE \"The Table\" $columns",
);
my @serving = ('child', grep { $_ ne 'child' } sort keys %serving);
$node->safe_psql('app', join ';', map { $serving{$_} // () } @serving);
is_clean(session($node, 'app', 'BEGIN;' . (join '', map { through($_) . large('a') . large('b') } @serving) . "$wait $now COMMIT;"), 'dated again: no error');
is(dates("ONLY $_"), 'after 2, before 0, ahead 0', "dated again: $_") for @serving;

# Many, of which none is forgotten.
is_dated('many', "BEGIN; SELECT count(socketio_emit_values(NULL, 'n', n, '\\x00'::bytea)) FROM generate_series(1, 10000) AS n; $wait $now COMMIT;", 10000);

server_is_sound($node);
done_testing();
