-- bytea is binary, at any depth: the message becomes an attachment, and what holds the bytes is msgpack's bin.
\pset format unaligned
\pset tuples_only on
TRUNCATE socket_io_attachments RESTART IDENTITY;
SET bytea_output = 'escape';  -- not of any account here
LISTEN "socket.io#/";

-- By itself, empty, NULL; among other arguments; NULL by itself does not make a message binary.
SELECT socketio_emit_values(NULL, 'plain', '\xdeadbeef'::bytea);
SELECT socketio_emit_values(NULL, 'empty', ''::bytea);
SELECT socketio_emit_values(NULL, 'null', NULL::bytea);
SELECT socketio_emit_values(socketio_to('a'), 'among', 1, 'two', '\x00ff'::bytea, NULL, '\x01'::bytea);
SELECT socketio_server_side_emit_values('/', 'server', '\x02'::bytea);
SELECT socketio_server_side_emit_values(NULL::socketio_target, 'server', '\x03'::bytea);

-- As the elements of VARIADIC
SELECT socketio_emit_values(NULL, 'variadic', VARIADIC ARRAY['\x04', NULL, '\x05']::bytea[]);

-- In arrays, of one dimension and of two, with NULL
SELECT socketio_emit_values(NULL, 'array', ARRAY['\x06', NULL, '\x07']::bytea[]);
SELECT socketio_emit_values(NULL, 'array', ARRAY[ARRAY['\x08'], ARRAY['\x09']]::bytea[]);
SELECT socketio_emit_values(NULL, 'array', '{}'::bytea[], '{NULL}'::bytea[]);

-- In composite types, nested, and rows of tables
CREATE TYPE file AS (name text, body bytea);
CREATE TYPE folder AS (label text, first file, files file[], hash bytea);
SELECT socketio_emit_values(NULL, 'composite', ROW('a.txt', '\x0a')::file);
SELECT socketio_emit_values(NULL, 'composite', ROW('b', ROW('b.txt', '\x0b'), ARRAY[ROW('c.txt', '\x0c'), NULL, ROW('d.txt', NULL)]::file[],
	'\x0d')::folder);
SELECT socketio_emit_values(NULL, 'composite', ARRAY[ROW('e', NULL, NULL, '\x0e')]::folder[]);
SELECT socketio_emit_values(NULL, 'composite', ROW('f.txt', NULL)::file);
SELECT socketio_emit_values(NULL, 'record', ROW(1, ROW('\x0f'::bytea, ARRAY['\x10'::bytea])));
CREATE TABLE uploads (id int, body bytea);
ALTER TABLE uploads ALTER body SET STORAGE EXTERNAL, SET (toast_tuple_target = 128);
INSERT INTO uploads VALUES (1, '\x11'), (2, NULL), (3, decode(repeat('12', 3000), 'hex'));
SELECT pg_relation_size(reltoastrelid) > 0 AS out_of_line FROM pg_class WHERE oid = 'uploads'::regclass;
SELECT socketio_emit_values(NULL, 'row', u) FROM uploads AS u ORDER BY id;
SELECT socketio_emit_values(NULL, 'column', body) FROM uploads ORDER BY id;

-- Domains, at every place
CREATE DOMAIN hash AS bytea;
CREATE DOMAIN short_hash AS hash CHECK (length(VALUE) <= 4);
CREATE DOMAIN hashes AS bytea[];
CREATE DOMAIN document AS file;
CREATE TYPE signed AS (hash short_hash, hashes hashes, more short_hash[], document document);
SELECT socketio_emit_values(NULL, 'domain', '\x13'::hash, '\x14'::short_hash, ARRAY['\x15']::hashes, ROW('g.txt', '\x16')::document);
SELECT socketio_emit_values(NULL, 'domain', ARRAY['\x17', NULL]::short_hash[],
	ROW('\x18', ARRAY['\x19']::hashes, ARRAY['\x1a']::short_hash[], ROW('h.txt', '\x1b'))::signed);

-- From variables of PL/pgSQL
DO $$
DECLARE
	r record;
	bodies bytea[];
	f file;
BEGIN
	SELECT id, body INTO r FROM uploads WHERE id = 1;
	bodies[1] := '\x1c';
	bodies[2] := r.body;
	f.body := '\x1d';
	PERFORM socketio_emit_values(NULL, 'variable', r, bodies, f);
	PERFORM socketio_emit_values(NULL, 'variable', VARIADIC bodies);
END
$$;

-- Text is never binary, whatever it looks like.
SELECT socketio_emit_values(NULL, 'text', '\xdead', '\xdead'::text);
SELECT socketio_emit(event => 'jsonb', args => to_jsonb('\xdead'::bytea));

-- What was stored: the event, and of the longest value that it is there
\t off
SELECT id, message -> 'type' AS type,
	CASE WHEN length(payload) < 300 THEN coalesce(message #> '{data,packet,data}', message #> '{data,packet}')::text
		ELSE 'stored body: ' || (message::text LIKE '%{"Buffer": "' || repeat('12', 3000) || '"}%') END AS event
FROM socket_io_attachments, regress.msgpack(payload) AS message ORDER BY id;
\t on

-- Long ones, by the length of their length
TRUNCATE socket_io_attachments RESTART IDENTITY;
SELECT socketio_emit_values(NULL, 'long', decode(repeat('ab', size), 'hex')) FROM unnest('{255,256,65535,65536,1000000}'::int[]) AS size;
\t off
SELECT id, length(payload), encode(substr(payload, 1, 80), 'hex') AS head, length(body) / 2 AS size, replace(body, 'ab', '') = '' AS same
FROM socket_io_attachments
	CROSS JOIN LATERAL (SELECT regress.msgpack(payload) #>> '{data,packet,data,1,Buffer}') AS decoded(body)
ORDER BY id;
DROP TABLE uploads;
DROP TYPE signed;
DROP DOMAIN document, hashes, short_hash, hash;
DROP TYPE folder, file;
TRUNCATE socket_io_attachments RESTART IDENTITY;
