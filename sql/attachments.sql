-- Messages that travel through the attachment table: the notification that names the row, and the bytes in it.
\pset format unaligned
\pset tuples_only on
\set VERBOSITY verbose
\set SHOW_CONTEXT never
\getenv out PG_ABS_BUILDDIR
\set capture :out '/results/attachments.notifications'
TRUNCATE socket_io_attachments RESTART IDENTITY;
LISTEN "socket.io#/";
LISTEN "socket.io#/admin";

-- Every type of message
SET socketio_emitter.payload_threshold = 1;
SELECT socketio_emit('/admin', '{a,b}', '{c}', 'hello', '["world", {"a": [1, null, true, false, 1.5]}]', true, false);
SELECT socketio_emit(socketio_to('a'), 'hello');
SELECT socketio_emit_values(socketio_compress(socketio_volatile(), true), 'hello', 1, 'two', 2.5, NULL, ARRAY[true, false]);
SELECT socketio_sockets_join('/admin', '{a}', '{c}', '{x,y}');
SELECT socketio_sockets_leave(socketio_to('a'), '{x}');
SELECT socketio_disconnect_sockets('/admin', '{a}', '{}', true);
SELECT socketio_disconnect_sockets(socketio_to('a'));
SELECT socketio_server_side_emit('/admin', 'hello', '["world"]');
SELECT socketio_server_side_emit_values(socketio_of('/'), 'hello', 'ö😀', 1);
SELECT id, encode(payload, 'hex') FROM socket_io_attachments ORDER BY id;
SELECT id, regress.msgpack(payload) FROM socket_io_attachments ORDER BY id;

-- A message is the same in msgpack as in JSON, but for `seq`: the row's id tells equal ones apart.
RESET socketio_emitter.payload_threshold;
SELECT socketio_emit('/admin', '{a,b}', '{c}', 'hello', '["world", {"a": [1, null, true, false, 1.5]}]', true, false);
SET socketio_emitter.payload_threshold = 1;
SELECT socketio_emit(event => 'same'), socketio_emit(event => 'same');
SELECT count(*), count(DISTINCT payload) FROM socket_io_attachments WHERE id > 9;

-- Numbers: what fits 64 bits is an integer, in as few bytes as it takes; everything else is a float64.
TRUNCATE socket_io_attachments RESTART IDENTITY;
\o :capture
SELECT socketio_emit_values(NULL, 'number', number) FROM unnest('{0,127,128,255,256,65535,65536,4294967295,4294967296,
	9223372036854775807,9223372036854775808,18446744073709551615,18446744073709551616,-1,-32,-33,-128,-129,-32768,-32769,
	-2147483648,-2147483649,-9223372036854775808,-1e20,1.00,1.5,-0.5,0.1,1e400,-1e400,1e-400}'::numeric[]) AS number;
\o
SELECT message #>> '{data,packet,data,1}' AS number,
	substring(encode(payload, 'hex') FROM '6e756d626572' || '(.*)' || 'a36e7370a12f') AS msgpack
FROM socket_io_attachments, regress.msgpack(payload) AS message ORDER BY id;

-- created_at is the time of the emit, not that of the transaction: servers delete rows by age.
TRUNCATE socket_io_attachments RESTART IDENTITY;
BEGIN;
SELECT clock_timestamp() > now();
SELECT clock_timestamp() AS before \gset
SELECT socketio_emit(event => 'now');
SELECT created_at BETWEEN :'before' AND clock_timestamp(), created_at > now() FROM socket_io_attachments;
COMMIT;

-- Rows come and go with their transaction; ids need not be gapless.
TRUNCATE socket_io_attachments RESTART IDENTITY;
BEGIN;
SELECT socketio_emit(event => 'taken back');
SELECT count(*) FROM socket_io_attachments;
ROLLBACK;
SELECT count(*) FROM socket_io_attachments;
BEGIN;
SELECT socketio_emit(event => 'first');
SAVEPOINT s;
SELECT socketio_emit(event => 'taken back');
ROLLBACK TO s;
SELECT socketio_emit(event => 'last');
COMMIT;
SELECT id, regress.msgpack(payload) #>> '{data,packet,data,0}' FROM socket_io_attachments ORDER BY id;

-- One at a time or many in a statement; between them ones that fit a notification
TRUNCATE socket_io_attachments RESTART IDENTITY;
RESET socketio_emitter.payload_threshold;
SELECT socketio_emit_values(NULL, 'mixed', CASE WHEN i % 2 = 0 THEN repeat('x', 8000) ELSE 'short' END) FROM generate_series(1, 4) AS i;
SELECT id, length(payload) FROM socket_io_attachments ORDER BY id;

-- The caller's search_path plays no part, nor does what it would find there.
CREATE SCHEMA hostile;
CREATE FUNCTION hostile.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS $$ SELECT 'epoch'::timestamptz $$;
SET search_path = hostile, public, pg_catalog;
SELECT socketio_emit_values(NULL, 'path', '\x00'::bytea);
SELECT created_at > 'epoch' FROM socket_io_attachments WHERE id = 3;
SET search_path = pg_catalog;
SELECT public.socketio_emit_values(NULL, 'path', '\x00'::bytea);
RESET search_path;
DROP FUNCTION hostile.clock_timestamp();
DROP SCHEMA hostile;

-- From a cursor that is not read to its end, and from a deferred trigger
BEGIN;
DECLARE c CURSOR FOR SELECT socketio_emit_values(NULL, 'cursor', '\x01'::bytea) FROM generate_series(1, 3);
FETCH 1 FROM c;
FETCH 1 FROM c;
COMMIT;
CREATE TABLE late (id int);
CREATE FUNCTION announce() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM socketio_emit_values(NULL, 'late', NEW.id, '\x02'::bytea), socketio_emit_values(NULL, 'late', NEW.id);
	RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER announce AFTER INSERT ON late DEFERRABLE INITIALLY DEFERRED
	FOR EACH ROW EXECUTE FUNCTION announce();
BEGIN;
INSERT INTO late VALUES (1);
SELECT socketio_emit(event => 'early');
COMMIT;
DROP TABLE late;
DROP FUNCTION announce();
TRUNCATE socket_io_attachments RESTART IDENTITY;
