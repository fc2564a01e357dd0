# A dump restores without an error, into a database that works and dumps the same: whether the extension made its
# attachment table or the application did, and whichever way the dump is taken and restored.

use strict;
use warnings;

use DumpTest;
use EmitterTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_cluster('main');
my $dumps = PostgreSQL::Test::Utils::tempdir;
my $restored = 0;

$node->safe_psql('postgres', q{
    CREATE ROLE application LOGIN;
    CREATE ROLE servers LOGIN;
    CREATE ROLE client LOGIN;
});

# What every application does for its servers, and for clients where the table is its own.
my $for_servers = 'GRANT SELECT, DELETE ON socket_io_attachments TO servers;';
my $for_clients = 'GRANT SELECT, INSERT ON socket_io_attachments TO client;'
  . 'GRANT USAGE ON SEQUENCE socket_io_attachments_id_seq TO client;';
my $of_application = 'ALTER TABLE socket_io_attachments OWNER TO application;'
  . q{INSERT INTO socket_io_attachments (payload) VALUES ('\x01'), ('\x02');};
my $schema = 'CREATE SCHEMA events; GRANT USAGE ON SCHEMA events TO PUBLIC; SET search_path = events;';

my %databases = (
    extension_table => "CREATE EXTENSION socketio_emitter; $for_servers",
    application_table => "$README_TABLE $of_application $for_servers $for_clients CREATE EXTENSION socketio_emitter;",
    extension_table_in_schema => "$schema CREATE EXTENSION socketio_emitter; $for_servers",
    application_table_in_schema =>
      "$schema $README_TABLE $of_application $for_servers $for_clients CREATE EXTENSION socketio_emitter;",
    both_tables => "$README_TABLE $of_application $for_servers $for_clients"
      . 'CREATE SCHEMA events; GRANT USAGE ON SCHEMA events TO PUBLIC; CREATE EXTENSION socketio_emitter SCHEMA events;',
);

# Everything about the tables, their sequences and the extension that a restore has to bring back.
my $description = q{
    SELECT 'extension', extname, extversion, extnamespace::regnamespace FROM pg_extension WHERE extname LIKE 'socketio%';
    SELECT c.relkind, n.nspname, c.relname, c.relpersistence, pg_get_userbyid(c.relowner), c.relacl,
           obj_description(c.oid, 'pg_class')
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname LIKE 'socket\_io%' ORDER BY 2, 3;
    SELECT a.attrelid::regclass, a.attname, format_type(a.atttypid, a.atttypmod), a.attstorage, a.attnotnull,
           pg_get_expr(d.adbin, d.adrelid)
    FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attnum > 0 AND a.attrelid IN (SELECT oid FROM pg_class WHERE relname = 'socket_io_attachments')
    ORDER BY a.attrelid::regclass::text, a.attnum;
    SELECT 'belongs', pg_describe_object(classid, objid, objsubid), deptype FROM pg_depend
    WHERE refclassid = 'pg_extension'::regclass AND refobjid = (SELECT oid FROM pg_extension WHERE extname LIKE 'socketio%')
    ORDER BY 2;
    SELECT 'builds on', pg_describe_object(refclassid, refobjid, refobjsubid), deptype FROM pg_depend
    WHERE classid = 'pg_extension'::regclass AND objid = (SELECT oid FROM pg_extension WHERE extname LIKE 'socketio%')
    ORDER BY 2;
    SELECT proname, proacl, prosrc FROM pg_proc WHERE proname LIKE 'socketio%' ORDER BY proname, prosrc;
};

sub describe
{
    my ($server, $database) = @_;
    return $server->safe_psql($database, $description);
}

sub data_of
{
    my ($database) = @_;
    my $table = $database =~ /^application_table_in/ ? 'events.socket_io_attachments' : 'public.socket_io_attachments';
    return $database =~ /^extension/ ? '' : $node->safe_psql($database, "TABLE $table ORDER BY id");
}

# A dump as text, without the keys that newer versions of pg_dump make up for each.
sub dump_text
{
    my ($server, $database, @options) = @_;
    my $file = "$dumps/text.sql";
    $server->command_ok([ 'pg_dump', @options, '--file', $file, $database ], "$database: pg_dump @options");
    return slurp_file($file) =~ s/^\\(?:un)?restrict .*\n//gmr;
}

sub emits
{
    my ($server, $database, $original) = @_;
    my $schema_of_it = $original =~ /in_schema|both/ ? 'events' : 'public';
    my $session = session($server, $database, qq{
        SET search_path = public, $schema_of_it;
        SELECT socketio_emit(event => 'small', args => '1');
        SELECT socketio_emit(event => 'large', args => to_jsonb(repeat('x', 9000)));
    }, user => 'client');
    my $table = $original =~ /in_schema/ ? 'events.socket_io_attachments' : 'public.socket_io_attachments';
    is_emitted($session, [ [ 'small', 1 ], [ 'large', 'x' x 9000 ] ], "$database: a client emits", table => $table);
    is_deeply(ways($session), [ 'notification', 'attachment' ], "$database: the large message through the table");
    return;
}

# Restore with `$restore->($database)` into a fresh database and look at what came.
sub restores
{
    my ($original, $way, $restore, %options) = @_;
    my $database = 'restored_' . ++$restored;
    $node->safe_psql('postgres', "CREATE DATABASE $database TEMPLATE template0");
    $restore->($database);
    my $name = "$original, $way";
    is(describe($node, $database), describe($node, $original), "$name: table, rights and membership are the same");
    $node->command_ok([ 'psql', '-XAtqc', 'ANALYZE', $database ], "$name: the database is in order");
    is(dump_text($node, $database, @{ $options{compare} // [] }), dump_text($node, $original, @{ $options{compare} // [] }),
        "$name: a second dump equals the first");
    emits($node, $database, $original);
    return $database;
}

for my $original (sort keys %databases)
{
    create_database($node, $original, $databases{$original});
    my $data = data_of($original);

    my ($plain, $schema_only, $clean, $custom) = map { "$dumps/$original.$_" } qw(sql schema clean custom);
    $node->command_ok([ 'pg_dump', '-f', $plain, $original ], "$original: plain dump");
    $node->command_ok([ 'pg_dump', '--schema-only', '-f', $schema_only, $original ], "$original: schema-only dump");
    $node->command_ok([ 'pg_dump', '--clean', '--if-exists', '-f', $clean, $original ], "$original: clean dump");
    $node->command_ok([ 'pg_dump', '-Fc', '-f', $custom, $original ], "$original: custom dump");

    my $first = restores($original, 'plain', run_file($node, $plain));
    restores($original, 'schema only', run_file($node, $schema_only), compare => ['--schema-only']);
    restores($original, 'custom', run_pg_restore($node, $custom));
    restores($original, 'custom with two jobs', run_pg_restore($node, $custom, '-j2'));
    restores($original, 'clean into nothing', run_file($node, $clean));
    restores($original, 'custom, clean into nothing', run_pg_restore($node, $custom, '--clean', '--if-exists'));

    # A clean dump replaces what is there, the messages emitted since included.
    run_file($node, $clean)->($first);
    is(describe($node, $first), describe($node, $original), "$original, clean over another: all is the same");
    emits($node, $first, $original);

    is(data_of($original), $data, "$original is as it was");
}

# The owner of a database restores it by himself, for the extension is trusted: the table becomes his.
{
    $node->safe_psql('postgres', 'CREATE DATABASE owned OWNER application; CREATE DATABASE owned_copy OWNER application TEMPLATE template0');
    my @as_owner = (extra_params => [ '-U', 'application' ]);
    $node->safe_psql('owned', "CREATE SCHEMA events; GRANT USAGE ON SCHEMA events TO PUBLIC;"
          . "CREATE EXTENSION socketio_emitter SCHEMA events; SET search_path = events; $for_servers", @as_owner);
    $node->command_ok([ 'pg_dump', '-U', 'application', '-Fc', '-f', "$dumps/owned", 'owned' ], 'owned: the owner dumps');
    $node->command_ok([ 'pg_restore', '-U', 'application', '--exit-on-error', '-d', 'owned_copy', "$dumps/owned" ],
        'owned: the owner restores');
    is(describe($node, 'owned_copy'), describe($node, 'owned'), 'owned: table, rights and membership are the same');
    like(describe($node, 'owned_copy'), qr/^r\|events\|socket_io_attachments\|u\|application\|/m, 'owned: the table is the owner\'s');
    emits($node, 'owned_copy', 'owned_in_schema');
}

# The whole cluster into another one. All that pg_dumpall stumbles over is the superuser, who is there already.
{
    my $other = start_cluster('other');
    my $superuser = $node->safe_psql('postgres', 'SELECT current_user');
    $node->safe_psql('postgres', "DROP DATABASE restored_$_") for 1 .. $restored;
    $node->command_ok([ 'pg_dumpall', '-f', "$dumps/all.sql" ], 'pg_dumpall');
    my ($status, $stdout, $stderr) = $other->psql('postgres', slurp_file("$dumps/all.sql"), on_error_stop => 0);
    like($stderr, qr/\A.*ERROR:  role "\Q$superuser\E" already exists\Z/, 'pg_dumpall: restores without another error');
    for my $database (sort keys %databases)
    {
        is(describe($other, $database), describe($node, $database), "pg_dumpall: $database is the same");
        emits($other, $database, $database);
    }
    server_is_sound($other);
}

server_is_sound($node);
done_testing();
