# Watches come through a dump whole: every way of making them, with options that need quotes, whichever way the dump is
# taken and restored, and wherever the extension's schema sorts among those of the tables.

use strict;
use warnings;
use utf8;

use DumpTest;
use EmitterTest;
use Encode ();
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_cluster('main');
my $dumps = PostgreSQL::Test::Utils::tempdir;
my $restored = 0;
$node->safe_psql('postgres', 'CREATE ROLE application LOGIN;');

# Where the extension is: in the schema everybody uses, before and behind the tables' own in the order of a dump.
my %schema_of = (usual => 'public', before => 'aaa', behind => 'zzz');

# Watched tables of every kind, and rows in each, written before they were watched.
sub watched_tables
{
    my ($schema) = @_;
    return Encode::encode('UTF-8', qq{
        CREATE SCHEMA IF NOT EXISTS $schema;
        CREATE EXTENSION socketio_emitter SCHEMA $schema;
        CREATE SCHEMA "My ""Shop""";
        SET search_path = "My ""Shop""", $schema;

        CREATE TABLE "Bücher 本" (id int PRIMARY KEY, "Käufer's ""Name""" text);
        INSERT INTO "Bücher 本" VALUES (1, 'Zoë');
        SELECT socketio_watch('"Bücher 本"', E'rooms=it''s {Käufer''s "Name"}, back\\\\slash \\n{{{id}}} 部屋 😀',
            'except=\$1, %s, {table}', E'event=a\\t"{op}" \\\\x \$\$', 'payload=diff', 'volatile');

        CREATE TABLE stock (id int PRIMARY KEY, amount int, secret text);
        INSERT INTO stock VALUES (1, 10, 'hidden');
        SELECT socketio_watch_statement('stock', 'rooms=stock,stock {amount}', 'exclude=secret', 'compress=true');

        CREATE TABLE by_hand (id int PRIMARY KEY, note text);
        INSERT INTO by_hand VALUES (1, 'old');
        CREATE TRIGGER "Hand's ""own""" AFTER INSERT OR UPDATE OF note ON by_hand FOR EACH ROW
            WHEN (NEW.note IS NOT NULL) EXECUTE FUNCTION socketio_emit_changes('event=noted', 'payload=record');
        CREATE TRIGGER many AFTER DELETE ON by_hand REFERENCING OLD TABLE AS gone FOR EACH STATEMENT
            EXECUTE FUNCTION socketio_emit_changes('event=gone', 'payload=keys');
        CREATE CONSTRAINT TRIGGER late AFTER INSERT ON by_hand DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
            EXECUTE FUNCTION socketio_emit_changes('event=late', 'payload=keys');
        CREATE TRIGGER asleep AFTER INSERT ON by_hand FOR EACH ROW EXECUTE FUNCTION socketio_emit_changes('event=never');
        ALTER TABLE by_hand DISABLE TRIGGER asleep;

        CREATE VIEW shown AS SELECT id, upper(note) AS note FROM by_hand;
        CREATE TRIGGER instead INSTEAD OF INSERT ON shown FOR EACH ROW EXECUTE FUNCTION socketio_emit_changes('event=shown');

        CREATE TABLE parted (id int, part text) PARTITION BY RANGE (id);
        CREATE TABLE low PARTITION OF parted FOR VALUES FROM (0) TO (10);
        CREATE TABLE high PARTITION OF parted FOR VALUES FROM (10) TO (20);
        INSERT INTO parted VALUES (1, 'low');
        SELECT socketio_watch('parted', 'payload=record');
        RESET search_path;
    });
}

# Writes to all of them, from wherever the search_path leads.
my $writes = q{
    INSERT INTO "My ""Shop"""."Bücher 本" VALUES (2, 'Zoë');
    UPDATE "My ""Shop"""."Bücher 本" SET "Käufer's ""Name""" = NULL WHERE id = 1;
    INSERT INTO "My ""Shop""".stock VALUES (2, 20, 'hidden'), (3, 20, NULL);
    BEGIN;
    INSERT INTO "My ""Shop""".by_hand VALUES (2, 'new'), (3, NULL);
    DELETE FROM "My ""Shop""".by_hand WHERE id > 1;
    COMMIT;
    INSERT INTO "My ""Shop""".shown VALUES (4, 'view');
    UPDATE "My ""Shop""".parted SET id = 11 WHERE id = 1;
    TRUNCATE "My ""Shop""".stock;
};

my $schema = 'My "Shop"';
my $book = sub { return { op => $_[0], schema => $schema, table => 'Bücher 本', @_[ 1 .. $#_ ] } };
my $name = q{Käufer's "Name"};
my $books = { except => [ '$1', '%s', 'Bücher 本' ], flags => { volatile => JSON::PP::true() } };
my $stock = { except => [], flags => { compress => JSON::PP::true() } };
my $all = { rooms => [], except => [], flags => {} };
my $arrives = [
    [ { %$books, rooms => [ q{it's Zoë}, "back\\slash \n{2} 部屋 😀" ] },
        "a\t\"insert\" \\x \$\$", $book->('insert', key => { id => 2 }, record => { id => 2, $name => 'Zoë' }, old_record => undef) ],
    [ { %$books, rooms => [ "back\\slash \n{1} 部屋 😀", q{it's Zoë} ] },
        "a\t\"update\" \\x \$\$", $book->('update', key => { id => 1 }, record => { $name => undef }, old_record => { $name => 'Zoë' }) ],
    [ { %$stock, rooms => [ 'stock', 'stock 20' ] },
        'stock:insert', { op => 'insert', schema => $schema, table => 'stock', count => 2,
            records => [ { id => 2, amount => 20 }, { id => 3, amount => 20 } ], old_records => undef } ],
    [ $all, 'noted', { id => 2, note => 'new' } ],
    [ $all, 'gone', { count => 2, keys => [ { id => 2 }, { id => 3 } ] } ],
    [ $all, 'late', { id => 2 } ],
    [ $all, 'late', { id => 3 } ],
    [ $all, 'shown', { op => 'insert', schema => $schema, table => 'shown', record => { id => 4, note => 'view' }, old_record => undef } ],
    [ $all, 'parted:delete', { id => 1, part => 'low' } ],
    [ $all, 'parted:insert', { id => 11, part => 'low' } ],
    [ { %$stock, rooms => ['stock'] }, 'stock:truncate', { op => 'truncate', schema => $schema, table => 'stock' } ],
];

# Whom each message is for, and the event. A set of rooms has no order.
sub broadcasts
{
    my ($session) = @_;
    return [ map { [ in_order($_->{data}{opts}), @{ $_->{data}{packet}{data} } ] } @{ messages($session) } ];
}

sub in_order
{
    my ($options) = @_;
    return { %$options, rooms => [ sort @{ $options->{rooms} } ] };
}

sub watch_works
{
    my ($server, $database, $way) = @_;
    my $session = session($server, $database, $writes);
    is_clean($session, "$way: writes go through");
    return is_deeply(broadcasts($session), [ map { [ in_order($_->[0]), @$_[ 1 .. $#$_ ] ] } @$arrives ], "$way: the watches emit");
}

# What a restore has to bring back.
sub describe
{
    my ($server, $database) = @_;
    return $server->safe_psql($database, q{
        SELECT tgrelid::regclass::text, tgname, tgtype, tgenabled, tgdeferrable, tginitdeferred, tgnargs, tgargs, tgattr, tgqual IS NOT NULL, tgnewtable,
            tgoldtable, tgfoid::regprocedure, tgparentid <> 0
        FROM pg_trigger WHERE NOT tgisinternal OR tgparentid <> 0 ORDER BY 1, 2;
        SELECT evtname, evtevent, evtenabled, evttags, (SELECT proname FROM pg_proc WHERE oid = evtfoid), deptype, extname
        FROM pg_event_trigger LEFT JOIN pg_depend ON classid = 'pg_event_trigger'::regclass AND objid = pg_event_trigger.oid
            AND refclassid = 'pg_extension'::regclass
        LEFT JOIN pg_extension ON pg_extension.oid = refobjid ORDER BY 1});
}

sub dump_text
{
    my ($server, $database, @options) = @_;
    my $file = "$dumps/text.sql";
    $server->command_ok([ 'pg_dump', @options, '--file', $file, $database ], "$database: pg_dump @options");
    return slurp_file($file) =~ s/^\\(?:un)?restrict .*\n//gmr;
}

# Restore with `$restore->($database)` into a fresh database, with somebody listening there, and look at what came.
sub restores
{
    my ($original, $way, $restore) = @_;
    my $database = 'restored_' . ++$restored;
    $node->safe_psql('postgres', "CREATE DATABASE $database TEMPLATE template0");
    my $listener = $node->background_psql($database);
    $listener->query_safe('LISTEN "socket.io#/"');
    $restore->($database);
    is($listener->query_safe('NOTIFY fence') =~ s/^Asynchronous notification "fence".*\n?//mr, '', "$original, $way: restoring emits nothing");
    $listener->quit;
    is(describe($node, $database), describe($node, $original), "$original, $way: the triggers are the same");
    is(dump_text($node, $database), dump_text($node, $original), "$original, $way: a second dump equals the first");
    watch_works($node, $database, "$original, $way");
    return $database;
}

for my $original (sort keys %schema_of)
{
    create_database($node, $original, watched_tables($schema_of{$original}));
    my ($plain, $clean, $custom, $directory) = map { "$dumps/$original.$_" } qw(sql clean custom directory);
    $node->command_ok([ 'pg_dump', '-f', $plain, $original ], "$original: plain dump");
    $node->command_ok([ 'pg_dump', '--clean', '--if-exists', '-f', $clean, $original ], "$original: clean dump");
    $node->command_ok([ 'pg_dump', '-Fc', '-f', $custom, $original ], "$original: custom dump");
    unlike(slurp_file($plain), qr/EVENT TRIGGER/, "$original: the event trigger is the extension's, and not dumped");

    my $first = restores($original, 'plain', run_file($node, $plain));
    restores($original, 'custom with four jobs', run_pg_restore($node, $custom, '-j4'));
    next if $original ne 'usual';

    restores($original, 'custom', run_pg_restore($node, $custom));
    restores($original, 'clean into nothing', run_file($node, $clean));
    # Schema first, then the data, as when a copy is filled later, with emits switched off.
    restores($original, 'data after the schema', sub {
        run_pg_restore($node, $custom, '--schema-only')->(@_);
        local $ENV{PGOPTIONS} = '-c socketio_emitter.enabled=off';
        run_pg_restore($node, $custom, '--data-only')->(@_);
    });
    # A clean dump replaces what is there, watched and written to.
    run_file($node, $clean)->($first);
    watch_works($node, $first, "$original, clean over another");
    $node->command_ok([ 'pg_restore', '--exit-on-error', '--clean', '--if-exists', '-j4', '-d', $first, $custom ], "$first: pg_restore --clean");
    is(describe($node, $first), describe($node, $original), "$original, custom, clean over another: the triggers are the same");
    watch_works($node, $first, "$original, custom, clean over another");
}

# A trigger that needs a key, whose table gets its primary key after its triggers, as a parallel restore may have it.
{
    my $session = session($node, 'usual', q{
        CREATE TABLE keyless (id int, t text);
        CREATE TRIGGER early AFTER INSERT ON keyless FOR EACH ROW EXECUTE FUNCTION socketio_emit_changes('payload=keys');
        ALTER TABLE keyless ADD PRIMARY KEY (id);
        INSERT INTO keyless VALUES (1, 'x');
        DROP TABLE keyless;
    });
    is_emitted($session, [ [ 'keyless:insert', { id => 1 } ] ], 'the key comes after the trigger');
}

# The owner of a database, no superuser, takes a dump and restores it.
{
    $node->safe_psql('postgres', 'CREATE DATABASE owned OWNER application; CREATE DATABASE owned_copy OWNER application TEMPLATE template0');
    $node->safe_psql('owned', watched_tables('events'), extra_params => [ '-U', 'application' ]);
    $node->command_ok([ 'pg_dump', '-U', 'application', '-Fc', '-f', "$dumps/owned", 'owned' ], 'owned: the owner dumps');
    $node->command_ok([ 'pg_restore', '-U', 'application', '--exit-on-error', '-j2', '-d', 'owned_copy', "$dumps/owned" ], 'owned: the owner restores');
    is(describe($node, 'owned_copy'), describe($node, 'owned'), 'owned: the triggers are the same');
    watch_works($node, 'owned_copy', 'owned');
}

# pg_upgrade makes every member of an extension by itself.
{
    my $new = start_cluster('new');
    my $before = describe($node, 'behind');
    $node->safe_psql('postgres', "DROP DATABASE $_") for 'usual', 'before', 'owned', 'owned_copy', map { "restored_$_" } 1 .. $restored;
    $node->stop;
    $new->stop;
    my $bin = $new->config_data('--bindir');
    chdir $dumps;
    command_ok([
            'pg_upgrade', '--no-sync', '--old-datadir', $node->data_dir, '--new-datadir', $new->data_dir, '--old-bindir', $bin, '--new-bindir', $bin,
            '--socketdir', $new->host, '--old-port', $node->port, '--new-port', $new->port,
        ], 'pg_upgrade');
    $new->start;
    is(describe($new, 'behind'), $before, 'pg_upgrade: the triggers are the same');
    watch_works($new, 'behind', 'pg_upgrade');
    unlike(dump_text($new, 'behind'), qr/EVENT TRIGGER/, 'pg_upgrade: the event trigger is the extension\'s still');
    server_is_sound($new);
}

server_is_sound($node);
done_testing();
