# ALTER EXTENSION ... SET SCHEMA, and renaming schemas: everything moves, and a session that has sent attachments before
# goes on sending them, though its prepared insertion names a place the table has left.

use strict;
use warnings;

use EmitterTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_cluster('main');

# Everything of the extension's, by schema. An event trigger is in none.
my $whereabouts = q{
    SELECT DISTINCT split_part((pg_identify_object(classid, objid, objsubid)).identity, '.', 1)
    FROM pg_depend WHERE refclassid = 'pg_extension'::regclass
      AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'socketio_emitter')
      AND classid <> 'pg_event_trigger'::regclass
    UNION
    SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = 'socketio_emitter'
    UNION
    SELECT relnamespace::regnamespace::text FROM pg_class WHERE relname ~ '^socket_?io';
};

sub is_in
{
    my ($database, $schema, $name) = @_;
    return is($node->safe_psql($database, $whereabouts), $schema, $name);
}

sub arrives
{
    return [ map { [ $_, 'x' x 9000 ] } @_ ];
}

# The extension's table moves along, within one session, under any search_path.
create_database($node, 'moved', 'CREATE SCHEMA a; CREATE SCHEMA b; CREATE EXTENSION socketio_emitter;');
is_in('moved', 'public', 'created in public');
my $session = session($node, 'moved',
    large('in public')
      . 'ALTER EXTENSION socketio_emitter SET SCHEMA a;'
      . large('outside the search_path', 'a')
      . 'SET search_path = a;'
      . large('in the search_path')
      . 'ALTER EXTENSION socketio_emitter SET SCHEMA b;'
      . large('moved on', 'b')
      . 'SET search_path = pg_catalog;'
      . large('with nothing but pg_catalog in the search_path', 'b')
      . q{SET search_path = '';}
      . large('with nothing in the search_path', 'b')
      . q{SELECT b.socketio_emit_values(b.socketio_to('r'), 'bytes', '\x01'::bytea) IS NULL;});
is_clean($session, 'SET SCHEMA in one session: no error');
is_in('moved', 'b', 'SET SCHEMA: everything has moved');
my @events = @{ events($session, 'b.socket_io_attachments') };
is_deeply([ @events[ 0 .. 5 ] ],
    arrives('in public', 'outside the search_path', 'in the search_path', 'moved on',
        'with nothing but pg_catalog in the search_path', 'with nothing in the search_path'),
    'SET SCHEMA: every large message arrives');
is($events[6][0], 'bytes', 'SET SCHEMA: binary arrives');
is_emitted(session($node, 'moved', large('new session', 'b')), arrives('new session'),
    'SET SCHEMA: a new session', table => 'b.socket_io_attachments');

# A move that is taken back.
is_emitted(session($node, 'moved',
        large('before', 'b') . 'BEGIN; ALTER EXTENSION socketio_emitter SET SCHEMA a;' . large('never', 'a') . 'ROLLBACK;'
          . large('after', 'b')),
    arrives('before', 'after'), 'SET SCHEMA rolled back', table => 'b.socket_io_attachments');
is_in('moved', 'b', 'SET SCHEMA rolled back: everything stayed');

# Another session moves it between two emits of this one.
$node->safe_psql('moved', 'DELETE FROM b.socket_io_attachments');
my $other = $node->background_psql('moved');
$other->query_safe(large('first', 'b'));
$node->safe_psql('moved', 'ALTER EXTENSION socketio_emitter SET SCHEMA a');
$other->query_safe(large('second', 'a'));
$other->quit;
is($node->safe_psql('moved', 'SELECT count(*) FROM a.socket_io_attachments'), '2', 'moved by another session: both rows are in');

# The extension moves without the application's table, which servers and emits find by the search_path.
create_database($node, 'application', "CREATE SCHEMA a; $README_TABLE CREATE EXTENSION socketio_emitter");
$session = session($node, 'application',
    large('before') . 'ALTER EXTENSION socketio_emitter SET SCHEMA a;' . large('after', 'a'));
is_emitted($session, arrives('before', 'after'), 'the application\'s table stays in the search_path');
is($node->safe_psql('application', q{SELECT 'public.socket_io_attachments'::regclass}), 'socket_io_attachments',
    'the application\'s table stays where it is');
$session = session($node, 'application', 'SET search_path = a;' . large('out of reach'));
is_refused($session, { sqlstate => '42P01', message => qr/attachment table "socket_io_attachments" does not exist/ },
    'the application\'s table out of the search_path');
is_emitted(session($node, 'application', "SET socketio_emitter.attachment_table = 'public.socket_io_attachments';"
          . 'SET search_path = a;' . large('by its full name')),
    arrives('by its full name'), 'the application\'s table by its full name');

# A schema is renamed: the table is the same, its name another.
create_database($node, 'renamed', 'CREATE SCHEMA a; CREATE EXTENSION socketio_emitter SCHEMA a;');
$session = session($node, 'renamed',
    large('before', 'a') . 'ALTER SCHEMA a RENAME TO b;' . large('outside the search_path', 'b')
      . 'SET search_path = b;' . large('in the search_path'));
is_emitted($session, arrives('before', 'outside the search_path', 'in the search_path'), 'a renamed schema',
    table => 'b.socket_io_attachments');

# Two schemas trade names: messages go where the name leads, not where a table of the other's name is.
create_database($node, 'traded', q{
    CREATE SCHEMA a;
    CREATE EXTENSION socketio_emitter SCHEMA a;
    CREATE SCHEMA decoy;
    CREATE TABLE decoy.socket_io_attachments (LIKE a.socket_io_attachments INCLUDING ALL);
});
$session = session($node, 'traded',
    large('before', 'a') . 'ALTER SCHEMA a RENAME TO b; ALTER SCHEMA decoy RENAME TO a;' . large('after', 'b'));
is_emitted($session, arrives('before', 'after'), 'schemas that trade names', table => 'b.socket_io_attachments');
is($node->safe_psql('traded', 'SELECT count(*) FROM a.socket_io_attachments'), '0', 'schemas that trade names: no row goes astray');

# What cannot be done says so and changes nothing.
create_database($node, 'occupied', 'CREATE EXTENSION socketio_emitter; CREATE SCHEMA a; '
      . 'CREATE TABLE a.socket_io_attachments (id int);');
is_refused(session($node, 'occupied', 'ALTER EXTENSION socketio_emitter SET SCHEMA a'),
    { sqlstate => '42P07', message => qr/"socket_io_attachments" already exists in schema "a"/ },
    'SET SCHEMA where the name is taken');
is_emitted(session($node, 'occupied', large('still here')), arrives('still here'), 'SET SCHEMA where the name is taken: all works');

server_is_sound($node);
done_testing();
