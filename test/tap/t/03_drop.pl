# DROP EXTENSION takes what the extension made and nothing else, and leaves a database in which it can be created again.

use strict;
use warnings;

use EmitterTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_cluster('main');

# Whatever in the database has to do with the extension, by any of the catalogs that name objects.
my $traces = q{
    SELECT 'class', relname FROM pg_class WHERE relname ~* 'socket_?io'
    UNION ALL SELECT 'function', proname FROM pg_proc WHERE proname ~* 'socket_?io' OR probin ~* 'socket_?io'
    UNION ALL SELECT 'type', typname FROM pg_type WHERE typname ~* 'socket_?io'
    UNION ALL SELECT 'extension', extname FROM pg_extension WHERE extname ~* 'socket_?io'
    UNION ALL SELECT 'comment', description FROM pg_description WHERE description ~* 'socket_?io'
    ORDER BY 1, 2;
};

sub traces_in
{
    my ($database) = @_;
    return $node->safe_psql($database, $traces);
}

my $emits = q{
    SELECT socketio_emit(event => 'small', args => '1');
    SELECT socketio_emit(event => 'large', args => to_jsonb(repeat('x', 9000)));
};
my $emitted = [ [ 'small', 1 ], [ 'large', 'x' x 9000 ] ];

# With a table of its own.
create_database($node, 'own', 'CREATE EXTENSION socketio_emitter');
my $before = traces_in('own');
is_emitted(session($node, 'own', $emits), $emitted, 'own table: emits');
is_clean(session($node, 'own', 'DROP EXTENSION socketio_emitter'), 'own table: DROP EXTENSION');
is(traces_in('own'), '', 'own table: nothing is left');
is_clean(session($node, 'own', 'CREATE EXTENSION socketio_emitter'), 'own table: created again');
is(traces_in('own'), $before, 'own table: the same as the first time');
is_emitted(session($node, 'own', $emits), $emitted, 'own table: emits again');

# A session outlives the extension: its functions are gone, and come back with a table the session has never seen.
my $session = session($node, 'own', qq{
    $emits
    DROP EXTENSION socketio_emitter;
    $emits
    CREATE EXTENSION socketio_emitter;
    $emits
});
is_deeply([ map { $_->{sqlstate} } @{ $session->{errors} } ], [ '42883', '42883' ],
    'within a session: without the extension there is no function');
is_deeply(ways($session), [ ('notification', 'attachment') x 2 ], 'within a session: two emits before, two after');
is_deeply([ @{ events($session) }[ 2, 3 ] ], $emitted, 'within a session: what arrives after');

# With the application's table.
create_database($node, 'application',
    "$README_TABLE INSERT INTO socket_io_attachments (payload) VALUES ('kept'), ('as well'); CREATE EXTENSION socketio_emitter");
my $rows = 'SELECT id, payload, created_at FROM socket_io_attachments ORDER BY id';
my $kept = $node->safe_psql('application', $rows);

is_refused(session($node, 'application', 'DROP TABLE socket_io_attachments'),
    {
        sqlstate => '2BP01',
        message  => qr/cannot drop table socket_io_attachments because other objects depend on it/,
        detail   => qr/extension socketio_emitter depends on table socket_io_attachments/,
    },
    'DROP TABLE of the application\'s table');
is($node->safe_psql('application', $rows), $kept, 'the application\'s table: still there');

is_clean(session($node, 'application', 'DROP EXTENSION socketio_emitter'), 'application\'s table: DROP EXTENSION');
is(traces_in('application'), "class|socket_io_attachments\nclass|socket_io_attachments_id_key\n"
      . "class|socket_io_attachments_id_seq\ntype|_socket_io_attachments\ntype|socket_io_attachments",
    'application\'s table: it alone is left');
is($node->safe_psql('application', $rows), $kept, 'application\'s table: with its rows');
is($node->safe_psql('application', q{SELECT count(*) FROM pg_depend WHERE refobjid = 'socket_io_attachments'::regclass
      AND classid = 'pg_extension'::regclass}), '0', 'application\'s table: nothing depends on it any more');

is_clean(session($node, 'application', 'CREATE EXTENSION socketio_emitter'), 'application\'s table: created again');
is($node->safe_psql('application', $rows), $kept, 'application\'s table: its rows are as they were');
is_emitted(session($node, 'application', $emits), $emitted, 'application\'s table: emits');
is_clean(session($node, 'application', 'DROP EXTENSION socketio_emitter; DROP TABLE socket_io_attachments'),
    'application\'s table: dropped after the extension');

# Dropping the application's table with all that builds on it takes the extension along.
create_database($node, 'cascading', "$README_TABLE CREATE EXTENSION socketio_emitter");
is_clean(session($node, 'cascading', 'DROP TABLE socket_io_attachments CASCADE'), 'DROP TABLE CASCADE');
is(traces_in('cascading'), '', 'DROP TABLE CASCADE: nothing is left of the extension');

# When an application's objects build on the extension.
create_database($node, 'dependent', q{
    CREATE EXTENSION socketio_emitter;
    CREATE TABLE mailing (id int, target socketio_target DEFAULT socketio_to('all'));
    CREATE VIEW targets AS SELECT socketio_to('admins') AS target;
    INSERT INTO mailing VALUES (1), (2);
});
is_refused(session($node, 'dependent', 'DROP EXTENSION socketio_emitter'),
    {
        sqlstate => '2BP01',
        message  => qr/cannot drop extension socketio_emitter because other objects depend on it/,
        detail   => qr/column target of table mailing depends on type socketio_target/,
        hint     => qr/CASCADE/,
    },
    'DROP EXTENSION with dependent objects');
is_emitted(session($node, 'dependent', q{SELECT socketio_emit(target, 'still', to_jsonb(id)) FROM mailing ORDER BY id}),
    [ [ 'still', 1 ], [ 'still', 2 ] ], 'DROP EXTENSION with dependent objects: refused, all works');
is_refused(session($node, 'dependent', 'DROP TYPE socketio_target CASCADE'),
    { sqlstate => '2BP01', message => qr/extension socketio_emitter requires it/ }, 'DROP TYPE of a part of the extension');
is_refused(session($node, 'dependent', 'DROP TABLE socket_io_attachments CASCADE'),
    { sqlstate => '2BP01', message => qr/extension socketio_emitter requires it/ }, 'DROP TABLE of the extension\'s table');
is_clean(session($node, 'dependent', 'DROP EXTENSION socketio_emitter CASCADE'), 'DROP EXTENSION CASCADE');
is(traces_in('dependent'), '', 'DROP EXTENSION CASCADE: nothing is left');
is($node->safe_psql('dependent', 'TABLE mailing ORDER BY 1'), "1\n2", 'DROP EXTENSION CASCADE: the application\'s rows are');

# Something that depends on the extension's table.
create_database($node, 'watched', q{
    CREATE EXTENSION socketio_emitter;
    CREATE VIEW waiting AS SELECT count(*) FROM socket_io_attachments;
});
is_refused(session($node, 'watched', 'DROP EXTENSION socketio_emitter'),
    { sqlstate => '2BP01', detail => qr/view waiting depends on table socket_io_attachments/ },
    'DROP EXTENSION with a view of its table');

# CREATE EXTENSION that is rolled back, and dropping in the same transaction.
create_database($node, 'undone');
is_clean(session($node, 'undone', 'BEGIN; CREATE EXTENSION socketio_emitter; ROLLBACK;'), 'CREATE EXTENSION rolled back');
is(traces_in('undone'), '', 'CREATE EXTENSION rolled back: nothing is left');
is_clean(session($node, 'undone', 'BEGIN; CREATE EXTENSION socketio_emitter; DROP EXTENSION socketio_emitter; COMMIT;'),
    'created and dropped in one transaction');
is(traces_in('undone'), '', 'created and dropped in one transaction: nothing is left');

# Before CREATE EXTENSION there is something of that name which is no table: the extension leaves it alone too.
create_database($node, 'not_a_table', 'CREATE VIEW socket_io_attachments AS SELECT 1 AS id');
is_clean(session($node, 'not_a_table', 'CREATE EXTENSION socketio_emitter; DROP EXTENSION socketio_emitter'),
    'a view of that name: created and dropped');
is($node->safe_psql('not_a_table', 'TABLE socket_io_attachments'), '1', 'a view of that name: untouched');

server_is_sound($node);
done_testing();
