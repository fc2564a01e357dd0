-- The border between a notification and an attachment: messages whose JSON has 7990 to 8010 bytes, each one byte longer.
--
-- The text that fills a message up is made of one character and, where that is wide, a few bytes of padding. What a message takes
-- besides is known from one without that text. Each emit is a transaction of its own, so `seq` is always 1.
\getenv out PG_ABS_BUILDDIR
\set capture :out '/results/sizes.notifications'
TRUNCATE socket_io_attachments RESTART IDENTITY;
LISTEN "socket.io#/";

-- One call per kind of message, in which %L is the text that fills it
CREATE TEMP TABLE calls (kind text, call text, text_path text[]);
INSERT INTO calls VALUES
	('emit', 'socketio_emit(event => ''e'', args => to_jsonb(%L::text))', '{data,packet,data,1}'),
	('emit, in an object', 'socketio_emit(event => ''e'', args => jsonb_build_object(%L::text, 1))', NULL),
	('emit to a room', 'socketio_emit(socketio_to(%L), ''e'')', '{data,opts,rooms,0}'),
	('emit, volatile, compress', 'socketio_emit(event => %L, volatile => true, compress => false)', '{data,packet,data,0}'),
	('emit_values', 'socketio_emit_values(NULL, ''e'', %L::text)', '{data,packet,data,1}'),
	('emit_values, then a number', 'socketio_emit_values(NULL, ''e'', %L::text, 1)', '{data,packet,data,1}'),
	('server_side_emit', 'socketio_server_side_emit(event => ''e'', args => to_jsonb(%L::text))', '{data,packet,1}'),
	('server_side_emit, then a number', 'socketio_server_side_emit(''/'', ''e'', jsonb_build_array(%L::text, 1))', '{data,packet,1}'),
	('server_side_emit_values', 'socketio_server_side_emit_values(''/'', ''e'', %L::text)', '{data,packet,1}'),
	('server_side_emit_values, then int4', 'socketio_server_side_emit_values(''/'', ''e'', %L::text, 1)', '{data,packet,1}'),
	('server_side_emit_values, then null', 'socketio_server_side_emit_values(''/'', ''e'', %L::text, NULL)', '{data,packet,1}'),
	('server_side_emit_values, then float8', 'socketio_server_side_emit_values(''/'', ''e'', %L::text, 1.5::float8)', '{data,packet,1}'),
	('server_side_emit_values, then []', 'socketio_server_side_emit_values(''/'', ''e'', %L::text, ''{}''::int[])', '{data,packet,1}'),
	('sockets_join', 'socketio_sockets_join(join_rooms => ARRAY[%L])', '{data,rooms,0}'),
	('sockets_leave', 'socketio_sockets_leave(socketio_to(%L), ''{}'')', '{data,opts,rooms,0}'),
	('disconnect_sockets', 'socketio_disconnect_sockets(rooms => ARRAY[%L])', '{data,opts,rooms,0}'),
	('disconnect_sockets, close', 'socketio_disconnect_sockets(rooms => ARRAY[%L], close => true)', '{data,opts,rooms,0}');

-- Characters of one to four bytes, and such as JSON escapes; the bytes are those they take in JSON
CREATE TEMP TABLE characters (name text, character text, width int);
INSERT INTO characters VALUES ('ASCII', 'x', 1), ('two bytes', 'é', 2), ('three bytes', '€', 3), ('four bytes', '😀', 4),
	('quotes', '"', 2), ('line feeds', E'\n', 2), ('control characters', E'\u0001', 6);

-- What each kind of message takes without its text
CREATE TEMP SEQUENCE run;
CREATE TEMP TABLE emits (n bigint DEFAULT nextval('run'), kind text, filling text, size int, content text);
\o :capture
DO $$
DECLARE
	statement text;
BEGIN
	FOR statement IN SELECT 'SELECT ' || format(call, '') FROM calls ORDER BY kind COLLATE "C" LOOP
		EXECUTE statement;
		COMMIT;
	END LOOP;
END
$$;
\o
\set notifications `cat :'capture'`
CREATE TEMP TABLE frames AS
SELECT kind, bytes
FROM regress.messages(:'notifications') JOIN (SELECT kind, row_number() OVER (ORDER BY kind COLLATE "C") AS n FROM calls) AS c USING (n);
SELECT kind, bytes FROM frames ORDER BY kind COLLATE "C";

-- Every kind with ASCII, and every character in two kinds
INSERT INTO emits (kind, filling, size, content)
SELECT kind, name, size, repeat(character, (size - bytes) / width) || repeat('x', (size - bytes) % width)
FROM frames, characters, generate_series(7990, 8010) AS size
WHERE name = 'ASCII' OR kind IN ('emit', 'emit_values')
ORDER BY kind COLLATE "C", name COLLATE "C", size;
\o :capture
DO $$
DECLARE
	statement text;
BEGIN
	FOR statement IN SELECT 'SELECT ' || format(call, content) FROM emits JOIN calls USING (kind) ORDER BY n LOOP
		EXECUTE statement;
		COMMIT;
	END LOOP;
END
$$;
\o
\set notifications `cat :'capture'`

-- All arrive whole: below 8000 bytes as a notification of that size, from there on as an attachment.
CREATE TEMP TABLE received AS SELECT * FROM regress.messages(:'notifications');
CREATE TEMP TABLE arrived AS
SELECT n, kind, filling, size, path, path = CASE WHEN size < 8000 THEN 'notification' ELSE 'attachment' END AS as_due,
	coalesce(bytes, size) = size AS of_size,
	CASE WHEN text_path IS NULL THEN message #> '{data,packet,data,1}' = jsonb_build_object(content, 1)
		ELSE message #>> text_path = content END AS whole
FROM emits JOIN calls USING (kind) FULL JOIN received USING (n);
SELECT kind, filling, count(*) AS arrived, min(size) || ' to ' || max(size) FILTER (WHERE path = 'notification') AS notified,
	min(size) FILTER (WHERE path = 'attachment') || ' to ' || max(size) AS attached, bool_and(of_size) AS of_size, bool_and(whole) AS whole
FROM arrived GROUP BY kind, filling ORDER BY kind COLLATE "C", filling COLLATE "C";
SELECT n, kind, filling, size, path, as_due, of_size, whole FROM arrived WHERE (as_due AND of_size AND whole) IS NOT TRUE ORDER BY n;
SELECT size, count(*) FILTER (WHERE path = 'notification') AS notification, count(*) FILTER (WHERE path = 'attachment') AS attachment
FROM arrived GROUP BY size ORDER BY size;

-- Other thresholds. A server-side emit without arguments has 91 bytes and its name.
CREATE FUNCTION pg_temp.emit(size int) RETURNS void LANGUAGE sql AS $$
	SELECT socketio_server_side_emit_values('/', repeat('x', size - 91))
$$;
TRUNCATE socket_io_attachments RESTART IDENTITY;
\pset format unaligned
\pset tuples_only on
SET socketio_emitter.payload_threshold = 100;
SELECT pg_temp.emit(99);
SELECT pg_temp.emit(100);
SELECT pg_temp.emit(101);
SET socketio_emitter.payload_threshold = 1;
SELECT pg_temp.emit(68);
SET socketio_emitter.payload_threshold = 8000;
SELECT pg_temp.emit(100);
SET socketio_emitter.payload_threshold = '1kB';
SELECT setting, unit FROM pg_settings WHERE name = 'socketio_emitter.payload_threshold';
SET socketio_emitter.payload_threshold = 0;
SET socketio_emitter.payload_threshold = 8001;
SET socketio_emitter.payload_threshold = '8kB';
SET socketio_emitter.payload_threshold = -1;
RESET socketio_emitter.payload_threshold;
\pset tuples_only off
\pset format aligned
SELECT id, regress.msgpack(payload) FROM socket_io_attachments ORDER BY id;

-- A few larger ones, whose strings take each form of msgpack's length
TRUNCATE socket_io_attachments RESTART IDENTITY;
SELECT count(socketio_emit_values(NULL, 'large', repeat('x', size), repeat('é', size / 2), '{"a":[]}'::jsonb))
FROM unnest('{8000,65535,65536,200001}'::int[]) AS size;
SELECT id, length(payload), length(event ->> 1), replace(event ->> 1, 'x', '') = '' AS x, length(event ->> 2),
	replace(event ->> 2, 'é', '') = '' AS "é", event ->> 3 AS json
FROM socket_io_attachments CROSS JOIN LATERAL (SELECT regress.msgpack(payload) #> '{data,packet,data}') AS decoded(event)
ORDER BY id;

-- Arrays and objects that take each form of msgpack's count
TRUNCATE socket_io_attachments RESTART IDENTITY;
SET socketio_emitter.payload_threshold = 1;
SELECT count(socketio_emit_values(NULL, 'array', array_fill(7, ARRAY[size]))) FROM unnest('{15,16,65535,65536}'::int[]) AS size;
SELECT id, encode(substr(payload, 78, 6), 'hex') AS count_of_array, position(decode(repeat('07', size), 'hex') IN payload) AS at
FROM socket_io_attachments JOIN unnest('{15,16,65535,65536}'::int[]) WITH ORDINALITY AS sizes(size, id) USING (id) ORDER BY id;
TRUNCATE socket_io_attachments RESTART IDENTITY;
SELECT count(socketio_emit(event => 'object', args => object))
FROM unnest('{15,16,65535,65536}'::int[]) AS size
	CROSS JOIN LATERAL (SELECT jsonb_object_agg(to_char(i, 'FM00000'), 7) FROM generate_series(1, size) AS i) AS o(object);
SELECT id, encode(substr(payload, 59, 6), 'hex') AS count_of_object,
	length(payload) - size * length('\xa5303030303107'::bytea) AS rest
FROM socket_io_attachments JOIN unnest('{15,16,65535,65536}'::int[]) WITH ORDINALITY AS sizes(size, id) USING (id) ORDER BY id;
TRUNCATE socket_io_attachments RESTART IDENTITY;

-- Deep ones: `args` is the list of arguments, and so the outermost array is not sent as such.
RESET socketio_emitter.payload_threshold;
\o :capture
SELECT socketio_emit(event => 'deep', args => (repeat('[', 2000) || repeat(']', 2000))::jsonb);
SELECT socketio_emit_values(NULL, 'deep', (repeat('{"a":', 1200) || '1' || repeat('}', 1200))::json);
\o
\set notifications `cat :'capture'`
SELECT n, length(payload), position('["deep",' || repeat('[', 1999) || repeat(']', 1999) || ']' IN payload) > 0 AS arrays,
	position('["deep",' || repeat('{"a":', 1200) || '1' || repeat('}', 1200) || ']' IN payload) > 0 AS objects
FROM regress.notifications(:'notifications');
SET socketio_emitter.payload_threshold = 1;
SELECT socketio_emit_values(NULL, 'deep', (repeat('[', 2000) || repeat(']', 2000))::jsonb);
SELECT position(decode('a464656570' || repeat('91', 1999) || '90', 'hex') IN payload) > 0 AS arrays FROM socket_io_attachments;
TRUNCATE socket_io_attachments RESTART IDENTITY;
