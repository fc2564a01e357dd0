# pg_upgrade: the extension and its table come along, emits go on, and the upgraded databases can be dumped and restored like
# those they came from.

use strict;
use warnings;

use EmitterTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $old = start_cluster('old');
my $new = start_cluster('new');

my $large = q{SELECT socketio_emit(event => 'large', args => to_jsonb(repeat('x', 9000)));};
my $arrives = [ [ 'large', 'x' x 9000 ] ];
my %databases = (
    extension_table   => "CREATE EXTENSION socketio_emitter; $large",
    application_table => "$README_TABLE CREATE EXTENSION socketio_emitter; $large",
);
create_database($old, $_, $databases{$_}) for sort keys %databases;

my $facts = q{
    SELECT relname, relkind, relpersistence FROM pg_class WHERE relname ~ '^socket_?io' ORDER BY relname;
    SELECT pg_describe_object(classid, objid, 0), deptype FROM pg_depend WHERE refclassid = 'pg_extension'::regclass
        AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'socketio_emitter') ORDER BY 1;
    SELECT count(*) FROM socket_io_attachments;
};
my %before = map { $_ => $old->safe_psql($_, $facts) } keys %databases;

$old->stop;
$new->stop;
my $bin = $new->config_data('--bindir');
my $work = PostgreSQL::Test::Utils::tempdir;
chdir $work;
command_ok([
        'pg_upgrade', '--no-sync', '--old-datadir', $old->data_dir, '--new-datadir', $new->data_dir, '--old-bindir', $bin, '--new-bindir', $bin,
        '--socketdir', $new->host, '--old-port', $old->port, '--new-port', $new->port,
    ], 'pg_upgrade');
$new->start;

for my $database (sort keys %databases)
{
    is($new->safe_psql($database, $facts), $before{$database}, "$database: everything came along");
    is_emitted(session($new, $database, $large), $arrives, "$database: emits");

    $new->command_ok([ 'pg_dump', '-f', "$work/$database.sql", $database ], "$database: pg_dump");
    $new->safe_psql('postgres', "CREATE DATABASE restored_$database TEMPLATE template0");
    $new->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', "$work/$database.sql", "restored_$database" ], "$database: restores");
    is_emitted(session($new, "restored_$database", $large), $arrives, "$database, restored: emits");
}

server_is_sound($_) for $old, $new;
done_testing();
