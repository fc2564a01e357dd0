-- socketio_emitter.protocol = 'adapter-postgres': what goes out, as those servers see it, and what is refused.
\pset format unaligned
\pset tuples_only on
\set VERBOSITY verbose
\set SHOW_CONTEXT never
\getenv out PG_ABS_BUILDDIR
\set capture :out '/results/dialect_adapter_postgres.notifications'
SET socketio_emitter.protocol = 'adapter-postgres';
LISTEN socketio;

-- What that adapter makes of a transaction's notifications: pieces put together where the last one comes
CREATE FUNCTION pg_temp.texts(psql_output text) RETURNS TABLE (n bigint, pieces bigint, longest int, topic text, body text)
LANGUAGE sql STABLE AS $$
	WITH payloads AS (
		SELECT n, octet_length(payload) AS bytes, payload::json->>0 AS topic, payload::json->>1 AS body
		FROM regress.notifications(psql_output) WHERE channel = 'socketio'
	), pieces AS (
		SELECT *, string_to_array(trim(CASE WHEN body LIKE '\_chunk\_%' THEN left(body, 50) END), '_') AS header FROM payloads
	)
	SELECT max(n), count(*), max(bytes), topic,
		string_agg(CASE WHEN header IS NULL THEN body ELSE substr(body, 51) END, '' ORDER BY header[4]::int)
	FROM pieces GROUP BY topic, coalesce(header[3], n::text)
	HAVING count(*) = coalesce(max(header[5]::int), 1) ORDER BY 1
$$;
CREATE FUNCTION pg_temp.events(psql_output text) RETURNS TABLE (n bigint, pieces bigint, longest int, topic text, message jsonb)
LANGUAGE sql STABLE AS $$
	SELECT n, pieces, longest, topic, regress.msgpack(decode(body, 'base64')) FROM pg_temp.texts(psql_output) ORDER BY 1
$$;

-- As it is on the wire
SELECT socketio_emit('/', '{room1}', '{}', 'hello', '["world"]');

\o :capture
SELECT socketio_emit('/', '{room1}', '{}', 'hello', '["world"]');
SELECT socketio_emit(event => 'hello', rooms => '{room1}', args => '{"a":1}');
SELECT socketio_emit(event => 'ping');
SELECT socketio_emit('admin', '{a,b,a}', '{}', 'hello', '[1, "zwei", null, {"ü": [true, 1.5, -7]}]', true, false);
SELECT socketio_emit(socketio_compress(socketio_volatile(socketio_to(socketio_of('/ünser "nsp"'), 'räum "1"')), true), 'grüße');
-- Socket ids may be excepted, those of the namespace
SELECT socketio_emit('/', '{a}', '{abcdefghijklmno_-789,ABCDEFGHIJKLMNOPQRST}', 'hello');
SELECT socketio_emit('/admin', '{}', '{/admin#abcdefghijklmno_-789}', 'hello');
-- Values; with binary it is another type of packet
SELECT socketio_emit_values(socketio_to('a'), 'values', 1, 'two', NULL::int, 1.5, true, '2026-01-02 03:04:05Z'::timestamptz, ARRAY[1, 2]);
SELECT socketio_emit_values(NULL, 'binary', 'text', '\x00ff'::bytea);
SELECT socketio_emit_values(NULL, 'binary', ARRAY['\x00ff', NULL]::bytea[], 'text');
SELECT socketio_emit_values(NULL, 'nothing');
-- Two equal ones, of one transaction
BEGIN;
SELECT socketio_emit(event => 'twice', args => '1');
SELECT socketio_emit(event => 'twice', args => '1');
SAVEPOINT s;
SELECT socketio_emit(event => 'lost', args => to_jsonb(repeat('x', 20000)));
ROLLBACK TO s;
COMMIT;
BEGIN;
SELECT socketio_emit(event => 'lost');
ROLLBACK;
-- A prefix, be it the default's name, counts in the topic.
SET socketio_emitter.channel_prefix = 'socket.io';
SELECT socketio_emit(event => 'prefixed');
SET socketio_emitter.channel_prefix = 'myäpp';
SELECT socketio_emit(event => 'prefixed', rooms => '{a}');
RESET socketio_emitter.channel_prefix;
-- A room too long for a topic: the namespace's, for the rooms are in the options. The longest one that has its own, and one more byte
SELECT socketio_emit(event => 'long room', rooms => ARRAY[repeat('r', 2929)]);
SELECT socketio_emit(event => 'long room', rooms => ARRAY[repeat('r', 2930)]);
SELECT socketio_emit(event => 'long room', rooms => ARRAY[repeat('r', 9000)]);
SELECT socketio_emit(event => 'long namespace', nsp => '/' || repeat('n', 2930));
-- Neither what makes attachments nor the table has a say.
SET socketio_emitter.payload_threshold = 1;
SET socketio_emitter.attachment_table = 'nowhere';
SELECT socketio_emit_values(NULL, 'no attachment', '\x00'::bytea);
RESET socketio_emitter.payload_threshold;
RESET socketio_emitter.attachment_table;
\o
\set heard `cat :'capture'`
SELECT left(topic, 40), length(topic), pieces, left(message::text, 200) FROM pg_temp.events(:'heard');

-- Long ones go in pieces: all that is longer than 7999 bytes, topic and all.
\o :capture
SELECT socketio_emit(event => 'e', args => to_jsonb(repeat('x', n))) FROM generate_series(5910, 5925) AS n;
SELECT socketio_emit(event => 'e', args => to_jsonb(repeat('x', n)), rooms => '{"room \"1\""}') FROM generate_series(5880, 5895) AS n;
SELECT socketio_emit(event => 'e', args => to_jsonb(repeat('x', n))) FROM generate_series(7430, 7450) AS n;
SELECT socketio_emit(event => 'e', args => to_jsonb(repeat('x', 1000000)));
SELECT socketio_emit_values(socketio_to('a'), 'e', decode(repeat('00ff', 500000), 'hex'));
\o
\set heard `cat :'capture'`
SELECT pieces, count(*), max(longest), min(length(message->1->'data'->>1)), max(length(message->1->'data'->>1))
FROM pg_temp.events(:'heard') WHERE n > 0 GROUP BY topic, pieces ORDER BY min(n);
SELECT bool_and(replace(message->1->'data'->>1, 'x', '') = '') FROM pg_temp.events(:'heard') WHERE message->1->>'type' = '2';
SELECT message->1->'data'->1->>'Buffer' = repeat('00ff', 500000), message->1->'type' FROM pg_temp.events(:'heard') WHERE message->1->>'type' = '5';
-- No text has another's id.
SELECT count(DISTINCT split_part(payload, '_', 3)) = count(DISTINCT split_part(payload, '_', 3)) FILTER (WHERE payload LIKE '%"\_chunk\_%\_0\_%')
FROM regress.notifications(:'heard') WHERE payload LIKE '%"\_chunk\_%';

-- One socket joins, leaves, is disconnected.
\o :capture
SELECT socketio_sockets_join('/', '{abcdefghijklmno_-789}', '{}', '{a,"b \"1\""}');
SELECT socketio_sockets_join(socketio_to(socketio_of('/admin'), '/admin#abcdefghijklmno_-789'), '{a}');
SELECT socketio_sockets_leave('/', '{abcdefghijklmno_-789}', '{}', '{a}');
SELECT socketio_sockets_leave(socketio_to('abcdefghijklmno_-789'), '{a,b}');
SELECT socketio_sockets_leave(socketio_to('abcdefghijklmno_-789'), '{}');
SELECT socketio_disconnect_sockets(rooms => '{abcdefghijklmno_-789}');
SELECT socketio_disconnect_sockets('/', '{abcdefghijklmno_-789}', '{}', true);
SELECT socketio_disconnect_sockets(socketio_to('abcdefghijklmno_-789'), true);
-- What is asked, where nobody answers
SELECT * FROM socketio_clients();
SELECT * FROM socketio_clients('admin', '{a,b}');
SELECT * FROM socketio_client_rooms('abcdefghijklmno_-789');
SELECT * FROM socketio_all_rooms();
SELECT * FROM socketio_custom_request('{"say": "\"hello\" wörld"}', '/admin');
SELECT * FROM socketio_custom_request(to_jsonb(repeat('"', 4000)));
SELECT * FROM socketio_remote_join('abcdefghijklmno_-789', 'room');
\o
\set heard `cat :'capture'`
SELECT topic, pieces, longest, left(regexp_replace(body, '"requestid":"[0-9a-f]{16}(\+?)"', '"requestid":"<id>\1"'), 150), length(body)
FROM pg_temp.texts(:'heard');
-- No two have one id but those that belong together.
SELECT count(DISTINCT substring(body FROM '"requestid":"([0-9a-f]{16}\+?)"')) FROM pg_temp.texts(:'heard');

-- Refused: what its servers have not
SELECT socketio_emit(event => 'hello', except_rooms => '{night}');
SELECT socketio_emit(event => 'hello', except_rooms => '{abcdefghijklmno_-789,abcdefghijklmno_-78}');
SELECT socketio_emit(event => 'hello', except_rooms => '{abcdefghijklmno_-7890}');
SELECT socketio_emit(event => 'hello', except_rooms => '{abcdefghijklmno_+789}');
SELECT socketio_emit(event => 'hello', except_rooms => '{abcdefghijklmnö_-789}');
SELECT socketio_emit(event => 'hello', except_rooms => '{/admin#abcdefghijklmno_-789}');
SELECT socketio_emit('/admin', '{}', '{abcdefghijklmno_-789}', 'hello');
SELECT socketio_emit('/admin', '{}', '{/adm#abcdefghijklmno_-789}', 'hello');
SELECT socketio_emit(socketio_except('night'), 'hello');
SELECT socketio_emit_values(socketio_except('night'), 'hello', 1);
SELECT socketio_sockets_join(join_rooms => '{a}');
SELECT socketio_sockets_join('/', '{room1}', '{}', '{a}');
SELECT socketio_sockets_join('/', '{abcdefghijklmno_-789,ABCDEFGHIJKLMNOPQRST}', '{}', '{a}');
SELECT socketio_sockets_join('/admin', '{abcdefghijklmno_-789}', '{}', '{a}');
SELECT socketio_sockets_leave('/', '{abcdefghijklmno_-789}', '{b}', '{a}');
SELECT socketio_disconnect_sockets();
SELECT socketio_disconnect_sockets(socketio_to('room1'));
SELECT socketio_server_side_emit(event => 'hello');
SELECT socketio_server_side_emit(socketio_of('/'), 'hello');
SELECT socketio_server_side_emit_values('/', 'hello', 1);
SELECT * FROM socketio_server_side_emit_with_ack(event => 'hello');
SELECT * FROM socketio_emit_with_ack(event => 'hello');
SELECT * FROM socketio_servers();
SELECT * FROM socketio_fetch_sockets();
SELECT socketio_emit(event => 'hello', nsp => '/' || repeat('n', 2931));
SELECT * FROM socketio_clients('/' || repeat('n', 2923));
-- Errors of any protocol are as ever, and so is an emitter that is off.
SELECT socketio_emit();
SELECT socketio_emit(event => 'connect');
SELECT socketio_emit(event => 'hello', rooms => '{a,NULL}');
SET socketio_emitter.enabled = off;
SELECT socketio_emit(event => 'hello', except_rooms => '{night}'), socketio_server_side_emit(event => 'hello'), socketio_disconnect_sockets();
RESET socketio_emitter.enabled;

-- Row changes, at row level and at statement level; binary, and more rows than fit a message
CREATE TABLE files (id int PRIMARY KEY, owner int, body bytea, note text);
SELECT socketio_watch('files', 'rooms=user:{owner}');
\o :capture
INSERT INTO files VALUES (1, 7, NULL, 'none'), (2, 8, '\x00ff', 'some');
DELETE FROM files;
\o
\set heard `cat :'capture'`
SELECT topic, pieces, message->1->'type', message->1->'data' FROM pg_temp.events(:'heard');
SELECT socketio_unwatch('files');
SELECT socketio_watch_statement('files', 'rooms=user:{owner}', 'payload=record');
\o :capture
INSERT INTO files SELECT n, n % 2, CASE WHEN n = 9 THEN '\x00ff'::bytea END, 'note ' || n FROM generate_series(1, 10) AS n;
DELETE FROM files;
SET socketio_emitter.max_batch_bytes = 300;
INSERT INTO files SELECT n, 1, NULL, 'note ' || n FROM generate_series(1, 10) AS n;
DELETE FROM files;
-- A row with binary that does not fit behind others: the message without it has none.
INSERT INTO files SELECT n, 1, CASE WHEN n = 5 THEN decode(repeat('ff', 200), 'hex') END, 'note ' || n FROM generate_series(1, 6) AS n;
RESET socketio_emitter.max_batch_bytes;
DELETE FROM files;
INSERT INTO files SELECT n, 1, NULL, 'note ' || n FROM generate_series(1, 1000) AS n;
DELETE FROM files;
-- Clients take ten Buffers in an event.
INSERT INTO files SELECT n, 1, '\xff', NULL FROM generate_series(1, 25) AS n;
SELECT socketio_unwatch('files');
SELECT socketio_watch_statement('files', 'rooms=user:{owner}');
UPDATE files SET body = '\xfe', owner = id % 2;
\o
\set heard `cat :'capture'`
SELECT topic, pieces, message->1->'type', left((message->1->'data')::text, 250) FROM pg_temp.events(:'heard');
SELECT socketio_unwatch('files');
SELECT socketio_watch('files', 'except=user:{owner}');
INSERT INTO files VALUES (2001, 1);
DROP TABLE files;
-- A namespace that no message can name is refused where the trigger is made.
CREATE TABLE files (id int PRIMARY KEY);
SELECT socketio_watch('files', 'nsp=/' || repeat('n', 2931));
DROP TABLE files;
