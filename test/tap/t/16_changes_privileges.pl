# Who may watch, and who may write to what is watched: watching takes the rights that making a trigger takes, writing none
# beyond those on the table itself.

use strict;
use warnings;

use EmitterTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_cluster('main');
$node->safe_psql('postgres', 'CREATE ROLE owner LOGIN; CREATE ROLE writer LOGIN; CREATE ROLE helper LOGIN; CREATE ROLE stranger LOGIN;');

# A writer who may write to the tables and do nothing else: neither call a function of the extension nor see its schema.
create_database($node, 'app', q{
    CREATE SCHEMA emitter;
    CREATE EXTENSION socketio_emitter SCHEMA emitter;
    REVOKE ALL ON ALL FUNCTIONS IN SCHEMA emitter FROM PUBLIC;
    REVOKE ALL ON ALL TABLES IN SCHEMA emitter FROM PUBLIC;
    CREATE TABLE by_row (id int PRIMARY KEY, t text, hidden text);
    CREATE TABLE by_statement (id int PRIMARY KEY, t text, hidden text);
    SELECT emitter.socketio_watch('by_row', 'rooms=all,{hidden}', 'payload=record');
    SELECT emitter.socketio_watch_statement('by_statement', 'rooms=all,{hidden}', 'payload=record');
    ALTER TABLE by_row ALTER hidden SET DEFAULT 'room';
    ALTER TABLE by_statement ALTER hidden SET DEFAULT 'room';
    GRANT INSERT (id, t), UPDATE (t), SELECT (id), DELETE ON by_row, by_statement TO writer;
    GRANT TRUNCATE ON by_row, by_statement TO writer;
});
my $session = session($node, 'app', q{
    SELECT emitter.socketio_emit_values(NULL, 'x');
    SELECT hidden FROM by_row;
    INSERT INTO by_row VALUES (1, 'small'), (2, repeat('x', 9000));
    UPDATE by_row SET t = 'new' WHERE id = 1;
    DELETE FROM by_row WHERE id = 2;
    TRUNCATE by_row;
    INSERT INTO by_statement VALUES (1, 'small'), (2, repeat('x', 9000));
    UPDATE by_statement SET t = 'new' WHERE id = 1;
    DELETE FROM by_statement WHERE id = 2;
    TRUNCATE by_statement;
    SELECT current_user;
}, user => 'writer');
is_deeply([ map { $_->{sqlstate} } @{ $session->{errors} } ], [ '42501', '42501' ], 'a writer without rights: may neither emit nor read');
my ($small, $large, $new) = map { { id => $_->[0], t => $_->[1], hidden => 'room' } } [ 1, 'small' ], [ 2, 'x' x 9000 ], [ 1, 'new' ];
my $truncate = sub { return [ "$_[0]:truncate", { op => 'truncate', schema => 'public', table => $_[0] } ] };
is_deeply(events($session, 'emitter.socket_io_attachments'), [
        [ 'by_row:insert', $small ], [ 'by_row:insert', $large ], [ 'by_row:update', $new ], [ 'by_row:delete', $large ], $truncate->('by_row'),
        [ 'by_statement:insert', { count => 2, records => [ $small, $large ] } ], [ 'by_statement:update', { count => 1, records => [$new] } ],
        [ 'by_statement:delete', { count => 1, records => [$large] } ], $truncate->('by_statement'),
    ], 'a writer without rights: all is emitted');
is_deeply([ grep { $_ eq 'attachment' } @{ ways($session) } ], [ ('attachment') x 4 ], 'a writer without rights: large messages through the table');
is_deeply($session->{rows}, ['writer'], 'a writer without rights: stays a writer');

# Where the attachment table is the application's, the writer's rights on it count, as for any emit.
create_database($node, 'application', "$README_TABLE CREATE EXTENSION socketio_emitter;" . q{
    CREATE TABLE t (id int PRIMARY KEY, t text);
    SELECT socketio_watch('t', 'payload=record');
    GRANT INSERT, SELECT ON t TO writer;
});
my $large_row = "INSERT INTO t VALUES (2, repeat('x', 9000));";
$session = session($node, 'application', "INSERT INTO t VALUES (1, 'small'); $large_row SELECT id FROM t;", user => 'writer');
is_refused($session, {
        sqlstate => '42501',
        message  => qr/^permission denied for attachment table "socket_io_attachments"$/,
        hint     => qr/^GRANT SELECT, INSERT on table "socket_io_attachments"/,
    }, 'the application\'s table');
is_deeply(events($session), [ [ 't:insert', { id => 1, t => 'small' } ] ], 'the application\'s table: small messages need no rights');
is_deeply($session->{rows}, ['1'], 'the application\'s table: the row that could not be announced is not in');
$node->safe_psql('application', 'GRANT SELECT, INSERT ON socket_io_attachments TO writer; GRANT USAGE ON SEQUENCE socket_io_attachments_id_seq TO writer');
is_emitted(session($node, 'application', $large_row, user => 'writer'), [ [ 't:insert', { id => 2, t => 'x' x 9000 } ] ], 'the application\'s table, with the hint followed');

# The owner of a table watches it; so does who was granted TRIGGER, who cannot take away what is there: that takes the owner.
create_database($node, 'watching', q{
    CREATE EXTENSION socketio_emitter;
    GRANT CREATE ON SCHEMA public TO owner;
    SET ROLE owner;
    CREATE TABLE t (id int PRIMARY KEY, t text);
    CREATE TABLE s (id int PRIMARY KEY, t text);
    GRANT INSERT, SELECT ON t, s TO PUBLIC;
});
my $watch = q{SELECT socketio_watch('t', 'payload=keys');};
my $watch_statement = q{SELECT socketio_watch_statement('s', 'payload=keys');};
my $watches = q{SELECT "table", trigger, enabled FROM socketio_watches ORDER BY "table"::text, trigger;};
my $no_right = { sqlstate => '42501', message => qr/permission denied for table t|must be owner of (?:table|relation) t/ };

is_refused(session($node, 'watching', $watch, user => 'stranger'), $no_right, 'a stranger watches');
is_refused(session($node, 'watching', $watch_statement, user => 'stranger'), { %$no_right, message => qr/permission denied for table s|must be owner of \w+ s/ },
    'a stranger watches by statement');
$node->safe_psql('watching', 'GRANT TRIGGER ON t, s TO helper');
$session = session($node, 'watching', "$watch $watch_statement INSERT INTO t VALUES (1); INSERT INTO s VALUES (1); $watches", user => 'helper');
is_emitted($session, [ [ 't:insert', { id => 1 } ], [ 's:insert', { count => 1, keys => [ { id => 1 } ] } ] ], 'TRIGGER on a table is enough to watch it');
my @all = ((map { "s|socketio_watch_$_|t" } qw(delete insert truncate update)), 't|socketio_watch|t', 't|socketio_watch_truncate|t');
is_deeply($session->{rows}, \@all, 'TRIGGER on a table is enough: the watches are there');
for my $unwatch (q{SELECT socketio_unwatch('t');}, q{SELECT socketio_unwatch('s');})
{
    for my $user ('helper', 'stranger')
    {
        $session = session($node, 'watching', "$unwatch $watches INSERT INTO t VALUES (2);", user => $user);
        is_refused($session, { sqlstate => '42501', message => qr/must be owner of (?:table|relation) [st]/ }, "$user: $unwatch");
        is_deeply($session->{rows}, \@all, "$user: $unwatch: the watches are there");
        is_deeply(events($session), [ [ 't:insert', { id => 2 } ] ], "$user: $unwatch: and emit");
        $node->safe_psql('watching', 'SET socketio_emitter.enabled = off; DELETE FROM t WHERE id = 2');
    }
}
# Whoever reads the catalogs sees the watches, without rights on their tables.
is_deeply(session($node, 'watching', "REVOKE ALL ON t FROM PUBLIC; $watches")->{rows}, \@all, 'the view shows all watches');
$node->safe_psql('watching', 'GRANT INSERT, SELECT ON t TO PUBLIC');
is_emitted(session($node, 'watching', "SELECT socketio_unwatch('t'); SELECT socketio_unwatch('s'); $watch INSERT INTO t VALUES (3);", user => 'owner'),
    [ [ 't:insert', { id => 3 } ] ], 'the owner unwatches and watches');
is_emitted(session($node, 'watching', "SELECT socketio_watch('t', 'payload=record', 'event=other'); INSERT INTO t VALUES (4, 'x');", user => 'owner'),
    [ [ 'other', { id => 4, t => 'x' } ] ], 'the owner watches again');

# EXECUTE on the function is asked for when a trigger is made, and not when it fires.
$node->safe_psql('watching', 'REVOKE EXECUTE ON FUNCTION socketio_emit_changes() FROM PUBLIC');
my $no_execute = { sqlstate => '42501', message => qr/permission denied for function (?:public\.)?socketio_emit_changes/ };
is_refused(session($node, 'watching', 'CREATE TRIGGER x AFTER INSERT ON s FOR EACH ROW EXECUTE FUNCTION socketio_emit_changes()', user => 'owner'),
    $no_execute, 'making a trigger without EXECUTE on the function');
is_refused(session($node, 'watching', q{SELECT socketio_watch('s')}, user => 'owner'), $no_execute, 'watching without EXECUTE on the function');
is_emitted(session($node, 'watching', "INSERT INTO t VALUES (5, 'y');", user => 'stranger'), [ [ 'other', { id => 5, t => 'y' } ] ], 'writing without EXECUTE on the function');
$node->safe_psql('watching', 'REVOKE EXECUTE ON FUNCTION socketio_watch(regclass, text[]) FROM PUBLIC; GRANT EXECUTE ON FUNCTION socketio_emit_changes() TO PUBLIC');
is_refused(session($node, 'watching', q{SELECT socketio_watch('s')}, user => 'owner'),
    { sqlstate => '42501', message => qr/permission denied for function socketio_watch/ }, 'watching without EXECUTE on socketio_watch');
is_emitted(session($node, 'watching', q{CREATE TRIGGER x AFTER INSERT ON s FOR EACH ROW EXECUTE FUNCTION socketio_emit_changes('payload=keys');} . 'INSERT INTO s VALUES (6);', user => 'owner'),
    [ [ 's:insert', { id => 6 } ] ], 'a trigger made by hand');

# Rows that row security hides from their writer are announced like others; a row it refuses is not.
create_database($node, 'row_security', q{
    CREATE EXTENSION socketio_emitter;
    CREATE TABLE t (id int PRIMARY KEY, t text);
    ALTER TABLE t ENABLE ROW LEVEL SECURITY;
    CREATE POLICY in_only ON t FOR INSERT WITH CHECK (id < 10);
    GRANT INSERT, SELECT ON t TO writer;
    SELECT socketio_watch_statement('t', 'payload=record');
});
$session = session($node, 'row_security', q{INSERT INTO t VALUES (1, 'x'); INSERT INTO t VALUES (2, 'y'), (10, 'z'); SELECT count(*) FROM t;}, user => 'writer');
is_refused($session, { sqlstate => '42501', message => qr/row-level security/ }, 'row security');
is_deeply(events($session), [ [ 't:insert', { count => 1, records => [ { id => 1, t => 'x' } ] } ] ], 'row security: what was let in is announced');
is_deeply($session->{rows}, ['0'], 'row security: the writer does not see it');

# Functions of the writer's that run inside do so with the writer's rights: a table's owner gains nothing.
create_database($node, 'trap', q{
    CREATE EXTENSION socketio_emitter;
    CREATE SCHEMA own AUTHORIZATION owner;
});
$session = session($node, 'trap', q{
    SET search_path = own, public;
    CREATE TYPE mood AS ENUM ('calm', 'angry');
    CREATE TABLE seen (who name);
    GRANT ALL ON seen TO PUBLIC;
    GRANT USAGE ON SCHEMA own TO PUBLIC;
    CREATE FUNCTION to_json(m mood) RETURNS json LANGUAGE plpgsql AS $$BEGIN INSERT INTO own.seen VALUES (current_user); RETURN '"cast"'; END$$;
    CREATE CAST (mood AS json) WITH FUNCTION to_json(mood);
    CREATE TABLE moods (id int PRIMARY KEY, m mood);
    GRANT INSERT ON moods TO writer;
    SELECT socketio_watch('moods', 'payload=record');
}, user => 'owner');
is_clean($session, 'a cast to json of the owner\'s');
is_emitted(session($node, 'trap', q{INSERT INTO own.moods VALUES (1, 'calm')}, user => 'writer'), [ [ 'moods:insert', { id => 1, m => 'cast' } ] ], 'a cast to json, written by another');
is($node->safe_psql('trap', 'TABLE own.seen'), 'writer', 'a cast to json runs as who writes');

server_is_sound($node);
done_testing();
