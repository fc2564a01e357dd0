-- socketio_emitter.protocol = 'socket.io-postgres': channels and payloads, as those servers see them, and what is refused.
\pset format unaligned
\pset tuples_only on
\set VERBOSITY verbose
\set SHOW_CONTEXT never
\getenv out PG_ABS_BUILDDIR
\set capture :out '/results/dialect_socketio_postgres.notifications'
SELECT socketio_of(NULL);  -- loads the library
SET socketio_emitter.protocol = 'socket.io-postgres';
SHOW socketio_emitter.channel_prefix;
LISTEN "socket-io:/";
LISTEN "socket-io:/:room1";
LISTEN "socket-io:/:a:b ü";
LISTEN "socket-io:/admin";
LISTEN "socket-io:/admin:room1";
LISTEN "socket-io:/ünser ""nsp""";

-- Everyone; one room, on its own channel; several, once
SELECT socketio_emit(event => 'ping');
SELECT socketio_emit('/', '{room1}', '{}', 'hello', '["world"]');
SELECT socketio_emit('/', '{room1,room1}', '{}', 'hello', '["world"]');
SELECT socketio_emit('/', '{room1,room2}', '{}', 'hello', '["world"]');
SELECT socketio_emit(event => 'hello', rooms => '{"a:b ü"}', args => '{"a": 1.50, "ü": [true, null, "\n\"x\""]}');
SELECT socketio_emit('admin', '{room1}', '{}', 'hello');
SELECT socketio_emit('ünser "nsp"', '{}', '{}', 'grüße');
-- Rooms and sockets that are excepted, flags
SELECT socketio_emit('/', '{}', '{night,abcdefghijklmno_-789}', 'hello');
SELECT socketio_emit('/admin', '{room1}', '{night}', 'hello', '[1]', true, false);
SELECT socketio_emit(socketio_compress(socketio_volatile(socketio_to(socketio_of('/admin'), 'room1', 'room2')), true), 'hello');
SELECT socketio_emit(NULL::socketio_target, 'hello');
-- Values
SELECT socketio_emit_values(socketio_to('room1'), 'values', 1, 'two', NULL::int, 1.5, true, '2026-01-02'::date, ARRAY[1, 2]);
SELECT socketio_emit_values(NULL, 'nothing');
-- A room whose channel would have more than 63 bytes: the namespace's. The longest one that has its own, and one more byte
LISTEN "socket-io:/:rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr";
SELECT socketio_emit(event => 'long room', rooms => ARRAY[repeat('r', 51)]);
SELECT socketio_emit(event => 'long room', rooms => ARRAY[repeat('r', 52)]);
-- Two equal ones of one transaction, and what is rolled back
BEGIN;
SELECT socketio_emit(event => 'twice');
SELECT socketio_emit(event => 'twice');
SAVEPOINT s;
SELECT socketio_emit(event => 'lost');
ROLLBACK TO s;
COMMIT;
BEGIN;
SELECT socketio_emit(event => 'lost');
ROLLBACK;
-- A prefix, be it another protocol's default
LISTEN "socket.io:/";
LISTEN "app:/:room1";
SET socketio_emitter.channel_prefix = 'socket.io';
SELECT socketio_emit(event => 'prefixed');
SET socketio_emitter.channel_prefix = 'app';
SELECT socketio_emit(event => 'prefixed', rooms => '{room1}');
RESET socketio_emitter.channel_prefix;
SHOW socketio_emitter.channel_prefix;
-- The longest message, whatever the length from which others become attachments
SET socketio_emitter.payload_threshold = 1;
\o :capture
SELECT socketio_emit(event => 'e', args => to_jsonb(repeat('x', 7882)));
\o
RESET socketio_emitter.payload_threshold;
\set heard `cat :'capture'`
SELECT channel, octet_length(payload), left(payload, 80) FROM regress.notifications(:'heard');

-- Refused: what is longer, binary, and all that there is no message for
SELECT socketio_emit(event => 'e', args => to_jsonb(repeat('x', 7883)));
SELECT socketio_emit(event => 'e', args => to_jsonb(repeat('x', 1000000)));
SELECT socketio_emit_values(socketio_to('room1'), 'binary', '\x00ff'::bytea);
SELECT socketio_emit_values(NULL, 'binary', 'text', ARRAY['\x00ff']::bytea[]);
SELECT socketio_emit(event => 'hello', nsp => '/' || repeat('n', 53));
SELECT socketio_server_side_emit(event => 'hello');
SELECT socketio_server_side_emit(socketio_of('/'), 'hello');
SELECT socketio_server_side_emit_values('/', 'hello', 1);
SELECT socketio_sockets_join(join_rooms => '{a}');
SELECT socketio_sockets_join('/', '{abcdefghijklmno_-789}', '{}', '{a}');
SELECT socketio_sockets_leave(socketio_to('abcdefghijklmno_-789'), '{a}');
SELECT socketio_disconnect_sockets();
SELECT * FROM socketio_server_side_emit_with_ack(event => 'hello');
SELECT * FROM socketio_emit_with_ack(event => 'hello');
SELECT * FROM socketio_servers();
SELECT * FROM socketio_fetch_sockets();
SELECT * FROM socketio_fetch_sockets(socketio_to('a'));
SELECT * FROM socketio_clients();
SELECT * FROM socketio_client_rooms('id');
SELECT * FROM socketio_all_rooms();
SELECT * FROM socketio_custom_request('1');
SELECT socketio_remote_join('id', 'a');
SELECT socketio_remote_leave('id', 'a');
SELECT socketio_remote_disconnect('id');
-- Errors of any protocol are as ever, and so is an emitter that is off.
SELECT socketio_emit();
SELECT socketio_emit(event => 'connect');
SELECT socketio_emit(event => 'hello', rooms => '{a,NULL}');
SET socketio_emitter.enabled = off;
SELECT socketio_emit(event => 'hello'), socketio_server_side_emit(event => 'hello'), socketio_disconnect_sockets();
RESET socketio_emitter.enabled;

-- Row changes, at row level and at statement level, where what does not fit one message goes in several
CREATE TABLE files (id int PRIMARY KEY, owner int, body bytea, note text);
LISTEN "socket-io:/:user:7";
SELECT socketio_watch('files', 'rooms=user:{owner}', 'exclude=body');
INSERT INTO files VALUES (1, 7, '\x00', 'none');
DELETE FROM files;
SELECT socketio_unwatch('files');
SELECT socketio_watch_statement('files', 'rooms=user:{owner}', 'payload=record');
\o :capture
INSERT INTO files SELECT n, 7, NULL, 'note ' || n FROM generate_series(1, 1000) AS n;
\o
\set heard `cat :'capture'`
SELECT channel, octet_length(payload), m->'options', m->'packet'->'data'->1->'count', jsonb_array_length(m->'packet'->'data'->1->'records'),
	m->'packet'->'data'->1->'records'->0->'id'
FROM regress.notifications(:'heard'), LATERAL (SELECT payload::jsonb) AS message(m) ORDER BY n;
-- By itself, a row may be as long as any message.
\o :capture
DO $$
BEGIN
	FOR n IN 7700..7900 LOOP
		BEGIN
			INSERT INTO files VALUES (10000 + n, 7, NULL, repeat('x', n));
		EXCEPTION WHEN program_limit_exceeded THEN
			NULL;
		END;
	END LOOP;
END
$$;
\o
\set heard `cat :'capture'`
SELECT max(octet_length(payload)), count(*) = count(DISTINCT octet_length(payload)) FROM regress.notifications(:'heard');
\o /dev/null
DELETE FROM files WHERE id > 10000;
\o
-- One that fits none, and one with binary, after others that were fit
INSERT INTO files SELECT n, 7, NULL, repeat('x', CASE WHEN n = 1003 THEN 8000 ELSE 1 END) FROM generate_series(1001, 1003) AS n;
INSERT INTO files SELECT n, 7, CASE WHEN n = 1003 THEN '\x00'::bytea END, 'x' FROM generate_series(1001, 1003) AS n;
INSERT INTO files VALUES (1001, 7, '\x00', 'x');
SELECT count(*) FROM files;
DROP TABLE files;
-- A namespace that no channel can name is refused where the trigger is made.
CREATE TABLE files (id int PRIMARY KEY);
SELECT socketio_watch('files', 'nsp=/' || repeat('n', 53));
DROP TABLE files;

-- The protocols there are
SELECT name, setting, enumvals FROM pg_settings WHERE name = 'socketio_emitter.protocol';
SET socketio_emitter.protocol = 'redis';
SET socketio_emitter.protocol = 'cluster';
SHOW socketio_emitter.channel_prefix;
