# ALTER EXTENSION UPDATE from 0.1.0 ends where a fresh install does: every object, its privileges, its comment, what it
# depends on; and what users have made of the old version, goes on.

use strict;
use warnings;

use EmitterTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = start_cluster('main');

# Everything that belongs to the extension, in a form that two databases can be compared in.
my $facts = q{
    SET search_path = pg_catalog;
    SELECT extversion FROM pg_extension WHERE extname = 'socketio_emitter';

    CREATE TEMPORARY VIEW member AS
    SELECT classid, objid FROM pg_depend WHERE refclassid = 'pg_extension'::regclass
        AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'socketio_emitter') AND deptype = 'e';

    SELECT pg_describe_object(classid, objid, 0), obj_description(objid, classid::regclass::name) FROM member ORDER BY 1;
    SELECT p.oid::regprocedure, pg_get_functiondef(p.oid), p.proacl
    FROM member JOIN pg_proc AS p ON p.oid = objid AND classid = 'pg_proc'::regclass ORDER BY 1::text;
    SELECT c.oid::regclass, c.relkind, c.relpersistence, c.reloptions, c.relacl, pg_get_viewdef(c.oid)
    FROM member JOIN pg_class AS c ON c.oid = objid AND classid = 'pg_class'::regclass ORDER BY 1::text;
    SELECT a.attrelid::regclass, a.attnum, a.attname, a.atttypid::regtype, a.attnotnull, a.attstorage, a.attacl,
        col_description(a.attrelid, a.attnum), pg_get_expr(d.adbin, d.adrelid)
    FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
        LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE c.relname LIKE 'socket%io\_%' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY 1::text, 2;
    SELECT t.typname, t.typacl FROM member JOIN pg_type AS t ON t.oid = objid AND classid = 'pg_type'::regclass ORDER BY 1;
    SELECT evtname, evtevent, evttags, evtfoid::regproc, evtenabled FROM pg_event_trigger ORDER BY 1;
    SELECT pg_describe_object(classoid, objoid, objsubid), privtype, initprivs FROM pg_init_privs
    WHERE (classoid, objoid) IN (SELECT * FROM member) ORDER BY 1;
    SELECT pg_describe_object(classid, objid, objsubid), pg_describe_object(refclassid, refobjid, refobjsubid), deptype
    FROM pg_depend WHERE (classid, objid) IN (SELECT * FROM member) ORDER BY 1, 2, 3;
};

my $old_version = q{CREATE EXTENSION socketio_emitter VERSION '0.1.0';};
my $update = q{ALTER EXTENSION socketio_emitter UPDATE;};

create_database($node, 'fresh', q{CREATE EXTENSION socketio_emitter;});
create_database($node, 'updated', "$old_version $update");
my $fresh = $node->safe_psql('fresh', $facts);
is($node->safe_psql('updated', $facts), $fresh, 'an update ends where a fresh install does');
like($fresh, qr/socketio_watches/, 'and there was something to compare');

# So it does where default privileges give others all there is.
my $defaults = q{CREATE ROLE web_anon; ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO web_anon; ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO web_anon;
    ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON FUNCTIONS TO web_anon; ALTER DEFAULT PRIVILEGES GRANT ALL ON TYPES TO web_anon;};
create_database($node, 'fresh_defaults', "$defaults CREATE EXTENSION socketio_emitter;");
create_database($node, 'updated_defaults', $defaults =~ s/CREATE ROLE web_anon;//r . "$old_version $update");
$fresh = $node->safe_psql('fresh_defaults', $facts);
is($node->safe_psql('updated_defaults', $facts), $fresh, 'an update ends where a fresh install does, whatever the default privileges');
unlike($fresh, qr/web_anon/, 'and there is nothing of the defaults in it');

# What users have made of the old version is there after the update, and works.
create_database(
    $node, 'used', qq{
    CREATE ROLE web_server;
    CREATE ROLE moderator;
    $old_version
    GRANT SELECT, INSERT, DELETE ON socket_io_attachments TO web_server;
    GRANT USAGE ON SEQUENCE socket_io_attachments_id_seq TO web_server;
    GRANT EXECUTE ON FUNCTION socketio_disconnect_sockets(socketio_target, boolean) TO moderator;
    CREATE TABLE audiences (target socketio_target);
    INSERT INTO audiences VALUES (socketio_to('staff'));
    CREATE TABLE todos (id int PRIMARY KEY, title text DEFAULT 'new');
    SELECT socketio_watch('todos', 'payload=record');
    CREATE TABLE drafts (id int PRIMARY KEY, emitter name DEFAULT pg_typeof(socketio_of('/drafts')));
    CREATE VIEW watched AS SELECT "table" FROM socketio_watches;
    $update
});
is($node->safe_psql('used', q{SELECT has_table_privilege('web_server', 'socket_io_attachments', 'SELECT, INSERT, DELETE'),
    has_function_privilege('moderator', 'socketio_disconnect_sockets(socketio_target, boolean)', 'EXECUTE')}),
    't|t', 'grants stay');
is($node->safe_psql('used', 'SELECT DISTINCT * FROM watched'), 'todos', 'views that use ours stay');
is_emitted(
    session($node, 'used', q{INSERT INTO todos VALUES (1); SELECT socketio_emit(target, 'hello') FROM audiences;}),
    [ [ 'todos:insert', { id => 1, title => 'new' } ], ['hello'] ],
    'watches and stored targets work on');

server_is_sound($node);
done_testing();
