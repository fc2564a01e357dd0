# Foreign tables can be watched row by row: what this server writes to them is announced, in its transaction.

use strict;
use warnings;

use EmitterTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_cluster('main');
if ($node->safe_psql('postgres', q{SELECT count(*) FROM pg_available_extensions WHERE name = 'postgres_fdw'}) eq '0')
{
    plan skip_all => 'postgres_fdw is not installed; it comes with the server\'s contrib modules';
}
my $has_truncate_triggers = $node->safe_psql('postgres', q{SELECT current_setting('server_version_num')::int >= 160000}) eq 't';

create_database($node, 'remote', q{
    CREATE TABLE items (id int PRIMARY KEY, name text, data bytea);
    CREATE TABLE far (id int, name text, data bytea);
});
my ($host, $port) = ($node->host, $node->port);
create_database($node, 'app', qq{
    CREATE EXTENSION socketio_emitter;
    CREATE EXTENSION postgres_fdw;
    CREATE SERVER loopback FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '$host', port '$port', dbname 'remote');
    CREATE USER MAPPING FOR PUBLIC SERVER loopback;
    CREATE FOREIGN TABLE items (id int, name text, data bytea) SERVER loopback;
    CREATE TABLE parted (id int, name text, data bytea) PARTITION BY RANGE (id);
    CREATE TABLE near PARTITION OF parted FOR VALUES FROM (0) TO (10);
    CREATE FOREIGN TABLE far PARTITION OF parted FOR VALUES FROM (10) TO (20) SERVER loopback;
});

sub binary
{
    my ($bytes) = @_;
    return bless { bytes => $bytes }, 'MessagePack::Binary';
}

sub item
{
    my ($id, $name, $data) = @_;
    return { id => $id, name => $name, data => $data };
}

sub change
{
    my ($op, $record, $old_record, $table) = @_;
    $table //= 'items';
    return [ "$table:$op", { op => $op, schema => 'public', table => $table, record => $record, old_record => $old_record } ];
}

my $watch = q{SELECT socketio_watch('items', 'rooms=item {id}, {name}');};
is_clean(session($node, 'app', $watch), 'a foreign table is watched');
is($node->safe_psql('app', 'SELECT string_agg(trigger, $$,$$ ORDER BY trigger) FROM socketio_watches'),
    'socketio_watch' . ($has_truncate_triggers ? ',socketio_watch_truncate' : ''), 'a foreign table is watched: its triggers');

my $session = session($node, 'app', q{
    INSERT INTO items VALUES (1, 'one', NULL), (2, 'two', NULL), (3, NULL, NULL);
    UPDATE items SET name = upper(name) WHERE id < 3;
    UPDATE items SET data = '\x00ff' WHERE id = 1;
    DELETE FROM items WHERE id > 1;
    INSERT INTO items SELECT i, 'n' || i, NULL FROM generate_series(10, 12) AS i;
    DELETE FROM items WHERE id >= 10;
});
is_emitted($session, [
        change('insert', item(1, 'one')), change('insert', item(2, 'two')), change('insert', item(3)),
        change('update', item(1, 'ONE'), item(1, 'one')), change('update', item(2, 'TWO'), item(2, 'two')),
        change('update', item(1, 'ONE', binary("\x00\xff")), item(1, 'ONE')),
        change('delete', undef, item(3)), change('delete', undef, item(2, 'TWO')),    # in the order they are stored in
        (map { change('insert', item($_, "n$_")) } 10 .. 12), (map { change('delete', undef, item($_, "n$_")) } 10 .. 12),
    ], 'rows of a foreign table');
is_deeply([ map { [ sort @{ $_->{data}{opts}{rooms} } ] } @{ messages($session) }[ 0, 2, 3 ] ], [ [ 'item 1', 'one' ], ['item 3'], [ 'ONE', 'item 1', 'one' ] ],
    'rows of a foreign table: rooms');

# Taken back here, it is neither there nor announced; what another of its server writes is nobody's business here.
$session = session($node, 'app', q{
    BEGIN; INSERT INTO items VALUES (4, 'undone', NULL); ROLLBACK;
    BEGIN; INSERT INTO items VALUES (4, 'kept', NULL); SAVEPOINT s; DELETE FROM items WHERE id = 1; ROLLBACK TO s; COMMIT;
    INSERT INTO items VALUES (4, 'a duplicate', NULL);
    SELECT id FROM items ORDER BY id;
});
is_refused($session, { sqlstate => '23505', message => qr/duplicate key/ }, 'an error of the other server');
is_deeply(events($session), [ change('insert', item(4, 'kept')) ], 'what is taken back is not announced');
is_deeply($session->{rows}, [ 1, 4 ], 'what is taken back is not there');
is_emitted(session($node, 'app', q{SELECT socketio_watch('items', 'columns=id', 'payload=record', 'event=only'); INSERT INTO items VALUES (5, 'x', '\x00');}), [ [ 'only', { id => 5 } ] ],
    'watched again with other options');

$session = session($node, 'app', q{TRUNCATE items; SELECT count(*) FROM items;});
is_emitted($session, [ $has_truncate_triggers ? [ 'only', { op => 'truncate', schema => 'public', table => 'items' } ] : () ], 'TRUNCATE');
is_deeply($session->{rows}, ['0'], 'TRUNCATE: has been');

# What a foreign table cannot have: transition tables and a key.
$session = session($node, 'app', q{SELECT socketio_watch_statement('items'); INSERT INTO items VALUES (1, 'x', NULL);});
is(scalar @{ $session->{errors} }, 1, 'statement by statement: refused') or diag explain $session->{errors};
like($session->{errors}[0]{sqlstate}, qr/^(?:42809|0A000)$/, 'statement by statement: SQLSTATE');
like(join(' ', map { $session->{errors}[0]{$_} // '' } qw(message detail)), qr/"items"|foreign table/, 'statement by statement: message');
is_deeply(events($session), [ [ 'only', { id => 1 } ] ], 'statement by statement: the watch there was is there');
for my $payload ('keys', 'diff')
{
    my $no_key = { sqlstate => '55000', message => qr/^trigger "\w+" on table "items" needs a primary key$/ };
    $session = session($node, 'app', "SELECT socketio_watch('items', 'payload=$payload'); UPDATE items SET name = 'y' WHERE id = 1;");
    is_refused($session, $no_key, "payload=$payload");
    is_deeply(events($session), [ [ 'only', { id => 1 } ] ], "payload=$payload: the watch there was is there");
    $session = session($node, 'app', "CREATE TRIGGER keyless AFTER UPDATE ON items FOR EACH ROW EXECUTE FUNCTION socketio_emit_changes('payload=$payload');"
          . "UPDATE items SET name = 'z' WHERE id = 1; SELECT name FROM items; DROP TRIGGER keyless ON items;");
    is_refused($session, $no_key, "payload=$payload, by hand");
    is_deeply($session->{rows}, ['y'], "payload=$payload, by hand: the row is as it was");
}
is_emitted(session($node, 'app', q{SELECT socketio_unwatch('items'); INSERT INTO items VALUES (9, 'unseen', NULL);}), [], 'unwatched');

# A foreign table among the partitions of a watched one.
$session = session($node, 'app', q{
    SELECT socketio_watch('parted');
    INSERT INTO parted VALUES (1, 'near', NULL), (11, 'far', '\x01');
    UPDATE parted SET name = upper(name), data = NULL;
    UPDATE parted SET id = 12 WHERE id = 1;
    DELETE FROM parted;
});
is_emitted($session, [
        change('insert', item(1, 'near'), undef, 'parted'), change('insert', item(11, 'far', binary("\x01")), undef, 'parted'),
        change('update', item(1, 'NEAR'), item(1, 'near'), 'parted'), change('update', item(11, 'FAR'), item(11, 'far', binary("\x01")), 'parted'),
        change('delete', undef, item(1, 'NEAR'), 'parted'), change('insert', item(12, 'NEAR'), undef, 'parted'),
        change('delete', undef, item(11, 'FAR'), 'parted'), change('delete', undef, item(12, 'NEAR'), 'parted'),
    ], 'a foreign partition');

server_is_sound($node);
done_testing();
