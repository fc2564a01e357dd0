-- hstore: a type of an extension's whose cast to json makes it an object.
SELECT count(*) = 0 AS absent FROM pg_available_extensions WHERE name = 'hstore' \gset
\if :absent
\echo skipped: the extension hstore is not installed on this machine
\quit
\endif
SET client_min_messages = warning;
CREATE EXTENSION hstore;
RESET client_min_messages;
\pset format unaligned
\pset tuples_only on
\getenv out PG_ABS_BUILDDIR
\set capture :out '/results/hstore.notifications'
TRUNCATE regress.expected, socket_io_attachments RESTART IDENTITY;
CREATE DOMAIN options AS hstore;
CREATE TYPE configured AS (name text, options options);
CREATE TEMP TABLE samples (id serial, h hstore);
INSERT INTO samples (h) VALUES (''), (NULL), ('a=>1, b=>NULL, "c d"=>"\"x\"", e=>t, f=>1e5'), ('"😀"=>"ö\\"');

LISTEN "socket.io#/";
PREPARE emit AS
SELECT socketio_emit_values(NULL, 'hstore', h), regress.expect(to_jsonb(h)),
	socketio_emit_values(NULL, 'domain', h::options), regress.expect(to_jsonb(h::options)),
	socketio_emit_values(NULL, 'composite', ARRAY[ROW(id, h)::configured]), regress.expect(to_jsonb(ARRAY[ROW(id, h)::configured]))
FROM samples ORDER BY id;
\o :capture
EXECUTE emit;
SET socketio_emitter.payload_threshold = 1;
EXECUTE emit;
RESET socketio_emitter.payload_threshold;
\o
\set notifications `cat :'capture'`
SELECT path, count(*) AS emitted, count(*) FILTER (WHERE message #> '{data,packet,data,1}' = value) AS as_to_jsonb
FROM regress.messages(:'notifications') FULL JOIN regress.expected USING (n) GROUP BY path ORDER BY path;
SELECT socketio_emit_values(NULL, 'hstore', h) FROM samples ORDER BY id;

DEALLOCATE emit;
DROP TYPE configured;
DROP DOMAIN options;
DROP TABLE samples;
DROP EXTENSION hstore;
TRUNCATE socket_io_attachments RESTART IDENTITY;
