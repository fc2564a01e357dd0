# The attachment table in every shape and place: what serves, what does not and how that is said, and what becomes of a
# session whose table changes under it.

use strict;
use warnings;

use EmitterTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_cluster('main');
$node->safe_psql('postgres', 'CREATE ROLE client LOGIN;');

my $usual = '(id bigserial, created_at timestamptz, payload bytea)';

# A large emit, and what arrives of it.
sub arrives
{
    return [ map { [ $_, 'x' x 9000 ] } @_ ];
}

sub through
{
    my ($table) = @_;
    my $quoted = $table =~ s/'/''/gr;
    return "SET socketio_emitter.attachment_table = '$quoted';\n";
}

create_database($node, 'app', 'CREATE EXTENSION socketio_emitter');

# Tables that serve: whatever takes a timestamp and bytes and returns an id.
my %serving = (
    usual         => "CREATE TABLE usual $usual",
    more_columns  => 'CREATE TABLE more_columns (note text DEFAULT $$n$$, payload bytea NOT NULL, id bigserial PRIMARY KEY, '
      . 'created_at timestamptz NOT NULL, size int GENERATED ALWAYS AS (length(payload)) STORED)',
    without_zone  => 'CREATE TABLE without_zone (id serial, created_at timestamp, payload bytea)',
    uuid          => 'CREATE TABLE uuid (id uuid DEFAULT gen_random_uuid(), created_at timestamptz, payload bytea)',
    text_id       => q{CREATE TABLE text_id (id text DEFAULT 'a "quoted" \ id ' || random(), created_at timestamptz, payload bytea)},
    domains       => 'CREATE DOMAIN bytes AS bytea CHECK (length(value) > 1); CREATE TABLE domains (id bigserial, created_at timestamptz, payload bytes)',
    partitioned   => "CREATE TABLE partitioned $usual PARTITION BY RANGE (id);"
      . 'CREATE TABLE first_part PARTITION OF partitioned FOR VALUES FROM (1) TO (2);'
      . 'CREATE TABLE other_parts PARTITION OF partitioned DEFAULT',
    inherited     => "CREATE TABLE parent $usual; CREATE TABLE inherited () INHERITS (parent)",
    simple_view   => "CREATE TABLE beneath $usual; CREATE VIEW simple_view AS SELECT * FROM beneath",
    view_triggers => "CREATE TABLE store $usual; CREATE VIEW view_triggers AS SELECT id, created_at, payload FROM store WHERE true LIMIT ALL;"
      . 'CREATE FUNCTION into_store() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO store (created_at, payload) '
      . 'VALUES (NEW.created_at, NEW.payload) RETURNING id INTO NEW.id; RETURN NEW; END$$;'
      . 'CREATE TRIGGER t INSTEAD OF INSERT ON view_triggers FOR EACH ROW EXECUTE FUNCTION into_store()',
    dropped_column => "CREATE TABLE dropped_column (gone int, id bigserial, also text, created_at timestamptz, payload bytea);"
      . 'ALTER TABLE dropped_column DROP gone, DROP also',
);
for my $table (sort keys %serving)
{
    $node->safe_psql('app', $serving{$table});
    is_emitted(session($node, 'app', through($table) . large('one') . large('two')), arrives('one', 'two'),
        "serves: $table", table => $table);
}
is($node->safe_psql('app', 'SELECT bool_and(created_at BETWEEN now() - interval $$5 minutes$$ AND now()) FROM usual'), 't',
    'created_at is the time of the emit');

# created_at is the clock's time, however old the transaction.
is($node->safe_psql('app', 'BEGIN; SELECT pg_sleep(0.2);' . through('usual') . large('late')
      . 'SELECT max(created_at) >= now() + interval $$0.2 s$$ FROM usual; COMMIT'), "\n\nt", 'created_at is not the transaction\'s start');

# Tables that do not.
my $hint = qr/needs the columns id bigserial, created_at timestamptz and payload bytea/;
my %refused = (
    no_id         => [ 'TABLE no_id (created_at timestamptz, payload bytea)', '42703', qr/"no_id" has no column "id"/, $hint ],
    no_created_at => [ 'TABLE no_created_at (id bigserial, payload bytea)', '42703', qr/"no_created_at" has no column "created_at"/, $hint ],
    no_payload    => [ 'TABLE no_payload (id bigserial, created_at timestamptz)', '42703', qr/"no_payload" has no column "payload"/, $hint ],
    int_time      => [ 'TABLE int_time (id bigserial, created_at bigint, payload bytea)', '42804', qr/wrong type for its column "created_at"/, $hint ],
    text_time     => [ 'TABLE text_time (id bigserial, created_at text, payload bytea)', '42804', qr/wrong type for its column "created_at"/, $hint ],
    text_payload  => [ 'TABLE text_payload (id bigserial, created_at timestamptz, payload text)', '42804', qr/wrong type for its column "payload"/, $hint ],
    json_payload  => [ 'TABLE json_payload (id bigserial, created_at timestamptz, payload jsonb)', '42804', qr/wrong type for its column "payload"/, $hint ],
    null_id       => [ 'TABLE null_id (id bigint, created_at timestamptz, payload bytea)', '27000', qr/"null_id" did not keep the message/, qr/default of column "id"/ ],
    no_default    => [ 'TABLE no_default (id bigint NOT NULL, created_at timestamptz, payload bytea)', '23502', qr/null value in column "id"/, undef ],
    fixed_view    => [ 'VIEW fixed_view AS SELECT DISTINCT id, created_at, payload FROM usual', '55000', qr/cannot insert into view "fixed_view"/, qr/INSTEAD OF/ ],
    materialized  => [ 'MATERIALIZED VIEW materialized AS TABLE usual', '42809', qr/"materialized" is not a table/, undef ],
    a_sequence    => [ 'SEQUENCE a_sequence', '42809', qr/"a_sequence" is not a table/, undef ],
    long_id       => [ q{TABLE long_id (id text DEFAULT repeat('x', 8000), created_at timestamptz, payload bytea)}, '54000', qr/^id of a message in attachment table "long_id" is too long$/, qr/be a bigserial/ ],
    no_partition  => [ "TABLE no_partition $usual PARTITION BY RANGE (id)", '23514', qr/no partition of relation/, undef ],
    check_failed  => [ 'TABLE check_failed (id bigserial, created_at timestamptz, payload bytea CHECK (length(payload) < 10))', '23514', qr/check constraint/, undef ],
);
for my $table (sort keys %refused)
{
    my ($definition, $sqlstate, $message, $table_hint) = @{ $refused{$table} };
    $node->safe_psql('app', "CREATE $definition");
    my $session = session($node, 'app', through($table) . large('never') . "SELECT socketio_emit(event => 'small');"
          . through('usual') . large('after'));
    is_refused($session, { sqlstate => $sqlstate, message => $message, defined $table_hint ? (hint => $table_hint) : () }, "refused: $table");
    is_deeply(events($session, 'usual'), [ ['small'], @{ arrives('after') } ], "refused: $table, and the session goes on");
}

# Rows that a trigger or a rule swallows.
$node->safe_psql('app', qq{
    CREATE TABLE swallowed $usual;
    CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS \$\$BEGIN RETURN NULL; END\$\$;
    CREATE TRIGGER t BEFORE INSERT ON swallowed FOR EACH ROW EXECUTE FUNCTION swallow();
    CREATE TABLE ruled $usual;
    CREATE RULE r AS ON INSERT TO ruled DO INSTEAD NOTHING;
    CREATE TABLE changed $usual;
    CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS \$\$BEGIN NEW.id := 1000 + NEW.id; RETURN NEW; END\$\$;
    CREATE TRIGGER t BEFORE INSERT ON changed FOR EACH ROW EXECUTE FUNCTION change();
});
my $session = session($node, 'app', through('swallowed') . large('never') . "SELECT socketio_emit(event => 'small');");
is_refused($session, { sqlstate => '27000', message => qr/^attachment table "swallowed" did not keep the message$/, hint => qr/trigger/ },
    'a trigger swallows the row');
is_deeply(events($session), [ ['small'] ], 'a trigger swallows the row: the session goes on');
is_refused(session($node, 'app', through('ruled') . large('never')), { sqlstate => '0A000', message => qr/INSERT RETURNING on relation "ruled"/ },
    'a rule swallows the row');
$session = session($node, 'app', through('changed') . large('changed'));
is_emitted($session, arrives('changed'), 'a trigger changes the id', table => 'changed');
is($session->{notifications}[0]{message}{attachmentId}, '1001', 'a trigger changes the id: the message names the new one');

# Triggers that emit themselves: small messages, and large ones through the same and through another table.
$node->safe_psql('app', qq{
    CREATE TABLE telling $usual;
    CREATE TABLE telling_too $usual;
    CREATE FUNCTION tell_small() RETURNS trigger LANGUAGE plpgsql AS
        \$\$BEGIN PERFORM socketio_emit(event => 'told'); RETURN NEW; END\$\$;
    CREATE FUNCTION tell_large() RETURNS trigger LANGUAGE plpgsql AS
        \$\$BEGIN
            IF pg_trigger_depth() = 1 THEN
                PERFORM socketio_emit(event => 'told', args => to_jsonb(repeat('x', 9000)));
            END IF;
            RETURN NEW;
        END\$\$;
    CREATE TRIGGER t BEFORE INSERT ON telling FOR EACH ROW EXECUTE FUNCTION tell_small();
    CREATE TRIGGER t BEFORE INSERT ON telling_too FOR EACH ROW EXECUTE FUNCTION tell_large();
    CREATE TABLE chain $usual;
    CREATE FUNCTION tell_elsewhere() RETURNS trigger LANGUAGE plpgsql AS
        \$\$BEGIN
            PERFORM set_config('socketio_emitter.attachment_table', 'usual', true);
            PERFORM socketio_emit(event => 'elsewhere', args => to_jsonb(repeat('x', 9000)));
            PERFORM set_config('socketio_emitter.attachment_table', 'chain', true);
            -- What this prepares takes the memory of what was freed.
            FOR i IN 1 .. 200 LOOP
                EXECUTE format('PREPARE p%s AS SELECT %L, now() FROM pg_class', i, repeat('z', i * 10));
            END LOOP;
            EXECUTE 'DEALLOCATE ALL';
            IF current_setting('app.fail', true) = 'on' THEN
                RAISE EXCEPTION 'failing' USING ERRCODE = 'U0001';
            END IF;
            RETURN NEW;
        END\$\$;
    CREATE TRIGGER t BEFORE INSERT ON chain FOR EACH ROW EXECUTE FUNCTION tell_elsewhere();
});
is_emitted(session($node, 'app', through('telling') . large('one') . large('two')),
    [ map { (['told'], @{ arrives($_) }) } 'one', 'two' ], 'a trigger emits', table => 'telling');
is_emitted(session($node, 'app', through('telling_too') . large('one') . large('two')),
    arrives('told', 'one', 'told', 'two'), 'a trigger emits through the same table', table => 'telling_too');
$node->safe_psql('app', 'ALTER SEQUENCE chain_id_seq RESTART 1000000');
$session = session($node, 'app', through('chain') . large('one') . large('two') . 'SET app.fail = on;' . large('fails'));
is_refused($session, { sqlstate => 'U0001', context => qr/SQL statement "INSERT INTO \w+\.chain/ },
    'a trigger emits through another table: an error later tells where it happened');
$node->safe_psql('app', 'INSERT INTO usual SELECT * FROM chain');
is_deeply(events($session, 'usual'), arrives('elsewhere', 'one', 'elsewhere', 'two'),
    'a trigger emits through another table: all arrive');

# Missing, and found by its name in all its forms.
my $missing = sub {
    my ($shown) = @_;
    return { sqlstate => '42P01', message => qr/^attachment table "\Q$shown\E" does not exist$/,
        detail => qr/A message of \d+ bytes/, hint => qr/CREATE TABLE \Q$shown\E \(id bigserial/ };
};
$node->safe_psql('app', qq{
    CREATE SCHEMA "My Schema";
    CREATE TABLE "My Schema"."My ""Table""" $usual;
    CREATE TABLE "UPPER" $usual;
    CREATE TABLE "with.dot" $usual;
    CREATE SCHEMA first; CREATE TABLE first.twice $usual;
    CREATE SCHEMA second; CREATE TABLE second.twice $usual;
});
for my $name ('nowhere', 'public.nowhere', 'nowhere.usual', 'upper', 'with.dot', '"USUAL"')
{
    is_refused(session($node, 'app', through($name) . large('never')), $missing->($name), "missing: $name");
}
for my $name ('USUAL', 'public.usual', 'Public."usual"', '"public"."usual"', ' usual ', '"My Schema"."My ""Table"""', '"UPPER"', '"with.dot"', 'public."with.dot"')
{
    is_emitted(session($node, 'app', through($name) . large('found')), arrives('found'), "found: $name", table => $name);
}
for my $name ('', 'a.b.c', '"unfinished', 'a b', '.usual', 'usual.')
{
    # A setting is checked once the library is there, which the first call brings.
    is_refused(session($node, 'app', "SELECT socketio_to('a') IS NULL;" . through($name)), { sqlstate => '22023', message => qr/invalid value for parameter "socketio_emitter.attachment_table"/,
            detail => qr/table's name/ }, "no name: '$name'");
}
is_emitted(session($node, 'app', through('a b') . large('by default')), arrives('by default'), 'no name, given before the library is there');

# The search_path decides. A temporary table stands before all, but no server could read it.
is_emitted(session($node, 'app', 'SET search_path = first, second, public;' . through('twice') . large('first')), arrives('first'),
    'search_path: the first schema', table => 'first.twice');
$node->safe_psql('app', 'ALTER SEQUENCE second.twice_id_seq RESTART 1000');
$session = session($node, 'app', through('twice') . 'SET search_path = first, public;' . large('one')
      . 'SET search_path = second, public;' . large('two') . 'SET search_path = first, public;' . large('three'));
is_clean($session, 'search_path changes in mid-session');
is_deeply([ map { $_->{message}{attachmentId} } @{ $session->{notifications} } ], [ '2', '1000', '3' ], 'search_path changes in mid-session: each to its place');
is_refused(session($node, 'app', "CREATE TEMP TABLE usual $usual;" . through('usual') . large('temporary') . 'DROP TABLE pg_temp.usual;' . large('permanent')),
    { sqlstate => '42809', message => qr/attachment table "usual" is temporary/ }, 'a temporary table');

# A session in which the table comes and goes and changes.
create_database($node, 'changing', 'CREATE EXTENSION socketio_emitter');
$session = session($node, 'changing', through('mine')
      . large('missing')
      . "CREATE TABLE mine $usual;"
      . large('created')
      . 'ALTER TABLE mine ADD note text; ALTER TABLE mine ADD first int DEFAULT 1;'
      . large('columns added')
      . 'ALTER TABLE mine DROP first;'
      . large('column dropped')
      . 'ALTER TABLE mine ALTER id TYPE int;'
      . large('type changed')
      . 'ALTER TABLE mine DROP COLUMN payload;'
      . large('payload dropped')
      . 'ALTER TABLE mine ADD COLUMN payload bytea;'
      . large('payload back')
      . 'ALTER TABLE mine RENAME COLUMN payload TO load;'
      . large('payload renamed')
      . 'ALTER TABLE mine RENAME COLUMN load TO payload;'
      . large('payload named again')
      . 'ALTER TABLE mine RENAME TO yours;'
      . large('table renamed')
      . through('yours')
      . large('by the new name')
      . 'TRUNCATE yours; ALTER TABLE yours SET UNLOGGED;'
      . large('unlogged')
      . "DROP TABLE yours;"
      . large('table dropped')
      . "CREATE TABLE yours (payload bytea, created_at timestamptz, id bigint GENERATED ALWAYS AS IDENTITY (START 77));"
      . large('table recreated'));
is_deeply(errors($session), [
        '42P01 attachment table "mine" does not exist',
        '42703 attachment table "mine" has no column "payload"',
        '42703 attachment table "mine" has no column "payload"',
        '42P01 attachment table "mine" does not exist',
        '42P01 attachment table "yours" does not exist',
    ], 'a changing table: errors where it did not serve');
is(scalar @{ $session->{notifications} }, 9, 'a changing table: all others are emitted');
is_deeply(events($session, 'yours')->[-1], arrives('table recreated')->[0], 'a changing table: the last arrives');
is($session->{notifications}[-1]{message}{attachmentId}, '77', 'a changing table: the last has its id from the new table');

# Tables that trade names.
$session = session($node, 'changing', "CREATE TABLE one $usual; CREATE TABLE two $usual; ALTER SEQUENCE two_id_seq RESTART 1000;"
      . through('one') . large('to one') . 'BEGIN; ALTER TABLE one RENAME TO three; ALTER TABLE two RENAME TO one; ALTER TABLE three RENAME TO two; COMMIT;'
      . large('to the other'));
is_clean($session, 'tables that trade names');
is_deeply([ map { $_->{message}{attachmentId} } @{ $session->{notifications} } ], [ '1', '1000' ], 'tables that trade names: by name');

# Another session changes it.
$node->safe_psql('changing', "DROP TABLE one, two; CREATE TABLE one $usual");
my $other = $node->background_psql('changing', on_error_stop => 0);
$other->query_safe(through('one') . large('prepared'));
$node->safe_psql('changing', "DROP TABLE one; CREATE TABLE one (payload bytea, id serial, created_at timestamptz)");
$other->query_safe(large('recreated'));
$node->safe_psql('changing', 'ALTER TABLE one DROP payload');
$other->query(large('refused'));
like($other->{stderr}, qr/ERROR:  attachment table "one" has no column "payload"/, 'changed by another session: refused');
$other->{stderr} = '';
$node->safe_psql('changing', 'ALTER TABLE one ADD payload bytea');
$other->query_safe(large('added'));
$other->quit;
is($node->safe_psql('changing', 'SELECT count(*) FROM one WHERE payload IS NOT NULL'), '1', 'changed by another session: the row is in');

# What is rolled back with the table's creation, and cached for a table that never was.
$session = session($node, 'changing', through('brief') . "BEGIN; CREATE TABLE brief $usual;" . large('never') . 'ROLLBACK;' . large('missing')
      . "BEGIN; SAVEPOINT s; CREATE TABLE brief $usual;" . large('never') . "ROLLBACK TO s; CREATE TABLE brief (payload bytea, created_at timestamptz, id serial);"
      . large('kept') . 'COMMIT;' . large('later'));
is_deeply(errors($session), ['42P01 attachment table "brief" does not exist'], 'a table that was rolled back');
is_deeply(events($session, 'brief'), arrives('kept', 'later'), 'a table that was rolled back: what arrives');

# Settings of a role, a database and a function name tables too, and bad ones do not keep anybody out.
$node->safe_psql('changing', "CREATE TABLE by_role $usual; CREATE TABLE by_function $usual; ALTER SEQUENCE by_function_id_seq RESTART 100;"
      . 'GRANT ALL ON ALL TABLES IN SCHEMA public TO client; GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO client;'
      . 'ALTER ROLE client SET socketio_emitter.attachment_table = by_role;'
      . q{CREATE FUNCTION announce() RETURNS void LANGUAGE sql SET socketio_emitter.attachment_table = 'by_function' AS $$}
      . large('by function') . '$$');
$session = session($node, 'changing', large('by role') . 'SELECT announce();' . large('by role again'), user => 'client');
is_clean($session, 'tables by role and function');
is_deeply([ map { $_->{message}{attachmentId} } @{ $session->{notifications} } ], [ '1', '100', '2' ], 'tables by role and function: each where it belongs');

server_is_sound($node);
done_testing();
