-- Asking the cluster: how it is called, what goes out, what it says where nobody answers, and what is refused. (Answers take
-- servers: those of test/tap and test/e2e.)
\pset format unaligned
\pset tuples_only on
\set VERBOSITY verbose
\set SHOW_CONTEXT never
\getenv out PG_ABS_BUILDDIR
\set capture :out '/results/ask.notifications'

-- Nobody is there: no rows, long before the timeout. What goes out, as every server sees it, but for the ids of requests: the session
-- itself listens, and is no server. By position and by name, with untyped literals.
LISTEN "socket.io#/";
LISTEN "socket.io#/admin";
LISTEN "app#/";
\o :capture
SELECT * FROM socketio_fetch_sockets();
SELECT * FROM socketio_fetch_sockets('/', '{a,b,a}', '{c}', '1 hour');
SELECT * FROM socketio_fetch_sockets(rooms => ARRAY['a'], nsp => 'admin', timeout => '1 hour');
SELECT * FROM socketio_fetch_sockets(socketio_compress(socketio_volatile(socketio_to(socketio_of('admin'), 'a')), false));
SELECT * FROM socketio_fetch_sockets(NULL::socketio_target);
SELECT * FROM socketio_servers('admin', '1 hour');
SELECT * FROM socketio_emit_with_ack('/', '{a}', '{b}', 'hello', '["world", {"n": 1.50}]', '1 hour');
SELECT * FROM socketio_emit_with_ack(event => 'one', args => '{"a":1}');
SELECT * FROM socketio_emit_with_ack(socketio_volatile(socketio_of('admin')), 'none');
SELECT * FROM socketio_server_side_emit_with_ack('/', 'hello', '["world"]', '1 hour');
SELECT * FROM socketio_server_side_emit_with_ack(event => 'none', args => NULL);
SELECT * FROM socketio_clients('/', '{a}', '1 hour');
SELECT * FROM socketio_client_rooms('id', '/', '1 hour');
SELECT * FROM socketio_all_rooms('admin', '1 hour');
SELECT * FROM socketio_custom_request('{"a":1}');
SELECT * FROM socketio_custom_request('[1,2]', '/', '1 hour');
SET socketio_emitter.channel_prefix = 'app';
SELECT * FROM socketio_clients();
RESET socketio_emitter.channel_prefix;
-- There is no socket to control, either.
SELECT socketio_remote_join('id', 'room', '/', '1 hour');
SELECT socketio_remote_leave('id', 'room', '/', '1 hour');
SELECT socketio_remote_disconnect('id', true, '/', '1 hour');
SELECT pg_notify('app#/', 'the end');
\o
\set heard `cat :'capture'`
SELECT regexp_replace(replace(line, id, '<id>'), ' received from .*', '')
FROM string_to_table(:'heard', E'\n') AS line, LATERAL (SELECT coalesce(substring(line FROM '"requestId":"([^"]+)"'), '<none>')) AS request(id)
WHERE line <> '';
-- The ids: none comes twice.
SELECT count(*) > 0 AND count(*) = count(DISTINCT id) FROM (
	SELECT substring(payload FROM '"requestId":"([^"]+)"') FROM regress.notifications(:'heard')) AS requests(id) WHERE id IS NOT NULL;
UNLISTEN *;

-- The columns, and their types
SELECT format('%s: %s', proname, pg_get_function_result(oid)) FROM pg_proc
WHERE proname ~ '^socketio_(fetch_sockets|servers|\w+_with_ack|clients|client_rooms|all_rooms|remote_\w+|custom_request)$'
ORDER BY proname COLLATE "C", pronargs;

-- Switched off: what emits or changes something does nothing, what asks works.
SET socketio_emitter.enabled = off;
LISTEN "socket.io#/";
SELECT * FROM socketio_emit_with_ack(event => 'hello');
SELECT * FROM socketio_emit_with_ack(socketio_to('a'), 'hello');
SELECT * FROM socketio_server_side_emit_with_ack(event => 'hello');
SELECT * FROM socketio_custom_request('1');
SELECT socketio_remote_join('id', 'room'), socketio_remote_leave('id', 'room'), socketio_remote_disconnect('id');
UNLISTEN *;
SELECT * FROM socketio_clients();
RESET socketio_emitter.enabled;

-- A timeout is more than nothing.
SELECT * FROM socketio_fetch_sockets(timeout => '0');
SELECT * FROM socketio_fetch_sockets(timeout => '-1 s');
SELECT * FROM socketio_fetch_sockets(timeout => NULL);
SELECT * FROM socketio_servers(timeout => '0');
SELECT * FROM socketio_servers(timeout => NULL);
SELECT * FROM socketio_emit_with_ack(event => 'hello', timeout => '0');
SELECT * FROM socketio_server_side_emit_with_ack(event => 'hello', timeout => '0');
SELECT * FROM socketio_clients(timeout => '0');
SELECT * FROM socketio_client_rooms('id', timeout => NULL);
SELECT * FROM socketio_all_rooms(timeout => '0');
SELECT socketio_remote_join('id', 'room', timeout => '0');
SELECT socketio_remote_leave('id', 'room', timeout => NULL);
SELECT socketio_remote_disconnect('id', timeout => '0');
SELECT * FROM socketio_custom_request('1', timeout => '0');
-- The shortest, and the longest
SELECT * FROM socketio_fetch_sockets(timeout => '1 microsecond');
SELECT * FROM socketio_fetch_sockets(timeout => '178000000 years');

-- NULL where something has to be said
SELECT * FROM socketio_fetch_sockets(rooms => NULL);
SELECT * FROM socketio_fetch_sockets(rooms => '{a,NULL}');
SELECT * FROM socketio_fetch_sockets(except_rooms => NULL);
SELECT * FROM socketio_fetch_sockets(ROW('/', '{a,NULL}', '{}', false, NULL)::socketio_target);
SELECT * FROM socketio_emit_with_ack(rooms => NULL, event => 'hello');
SELECT * FROM socketio_emit_with_ack(except_rooms => '{NULL}', event => 'hello');
SELECT * FROM socketio_clients(rooms => NULL);
SELECT * FROM socketio_client_rooms(NULL);
SELECT socketio_remote_join(NULL, 'room');
SELECT socketio_remote_join('id', NULL);
SELECT socketio_remote_leave(NULL, 'room');
SELECT socketio_remote_leave('id', NULL);
SELECT socketio_remote_disconnect(NULL);
SELECT * FROM socketio_custom_request(NULL);
-- A namespace that is NULL is '/', as everywhere; and NULL does not close.
SELECT * FROM socketio_clients(NULL);
SELECT socketio_remote_disconnect('id', NULL);
DO $$
BEGIN
	PERFORM socketio_remote_join('id', 'room');
EXCEPTION WHEN no_data_found THEN
	RAISE NOTICE 'nobody';
END
$$;

-- No event, or a reserved one
SELECT * FROM socketio_emit_with_ack();
SELECT * FROM socketio_emit_with_ack(socketio_to('a'), NULL);
SELECT * FROM socketio_emit_with_ack(event => 'connect');
SELECT * FROM socketio_emit_with_ack(socketio_to('a'), 'disconnecting');
SELECT * FROM socketio_server_side_emit_with_ack();

-- A channel's name that is too long
SELECT * FROM socketio_fetch_sockets(repeat('x', 53));
SELECT * FROM socketio_fetch_sockets(socketio_of(repeat('x', 53)));
SELECT * FROM socketio_servers(repeat('x', 53));
SELECT * FROM socketio_emit_with_ack(repeat('x', 53), event => 'hello');
SELECT * FROM socketio_server_side_emit_with_ack(repeat('x', 53), 'hello');
SELECT * FROM socketio_clients(repeat('x', 53));
SELECT * FROM socketio_client_rooms('id', repeat('x', 53));
SELECT * FROM socketio_all_rooms(repeat('x', 53));
SELECT socketio_remote_join('id', 'room', repeat('x', 53));
SELECT socketio_remote_disconnect('id', nsp => repeat('x', 53));
SELECT * FROM socketio_custom_request('1', repeat('x', 53));

-- A request too large for a notification, where there is no table for it
SET socketio_emitter.attachment_table = 'nowhere';
SELECT * FROM socketio_server_side_emit_with_ack(event => 'hello', args => to_jsonb(repeat('x', 9000)));
SELECT * FROM socketio_clients();
RESET socketio_emitter.attachment_table;

-- An error takes nothing back that had left, and the transaction is as after any error.
BEGIN;
SELECT socketio_remote_join('id', 'room');
SELECT * FROM socketio_clients();
ROLLBACK;
BEGIN;
SAVEPOINT s;
SELECT socketio_remote_join('id', 'room');
ROLLBACK TO s;
SELECT count(*) FROM socketio_clients();
COMMIT;

-- In a transaction that cannot write
BEGIN READ ONLY;
SELECT count(*) FROM socketio_clients();
SELECT count(*) FROM socketio_server_side_emit_with_ack(event => 'hello', args => to_jsonb(repeat('x', 9000)));
COMMIT;

-- Only those may ask whom it was granted to.
CREATE ROLE regress_guest;
SET ROLE regress_guest;
SELECT * FROM socketio_fetch_sockets();
SELECT * FROM socketio_fetch_sockets(socketio_to('a'));
SELECT * FROM socketio_servers();
SELECT * FROM socketio_emit_with_ack(event => 'hello');
SELECT * FROM socketio_emit_with_ack(socketio_to('a'), 'hello');
SELECT * FROM socketio_server_side_emit_with_ack(event => 'hello');
SELECT * FROM socketio_clients();
SELECT * FROM socketio_client_rooms('id');
SELECT * FROM socketio_all_rooms();
SELECT socketio_remote_join('id', 'room');
SELECT socketio_remote_leave('id', 'room');
SELECT socketio_remote_disconnect('id');
SELECT * FROM socketio_custom_request('1');
RESET ROLE;
-- One function takes no rights on those it is made of.
GRANT EXECUTE ON FUNCTION socketio_clients(text, text[], interval), socketio_all_rooms(text, interval), socketio_client_rooms(text, text, interval),
	socketio_custom_request(jsonb, text, interval), socketio_remote_join(text, text, text, interval) TO regress_guest;
SET ROLE regress_guest;
SELECT * FROM socketio_clients();
SELECT * FROM socketio_all_rooms();
SELECT * FROM socketio_client_rooms('id');
SELECT * FROM socketio_custom_request('1');
SELECT socketio_remote_join('id', 'room');
SELECT * FROM socketio_fetch_sockets();
RESET ROLE;
DROP OWNED BY regress_guest;
DROP ROLE regress_guest;
