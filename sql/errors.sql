-- What is refused, how it is said, and that the session goes on. (Errors of the attachment table are in attachment_table.sql, those of
-- settings in settings.sql, those that concern rooms to join and leave in sockets.sql.)
\pset format unaligned
\pset tuples_only on
\set VERBOSITY verbose
\set SHOW_CONTEXT never
LISTEN "socket.io#/";

-- No event
SELECT socketio_emit();
SELECT socketio_emit('/', '{room1}');
SELECT socketio_emit('/', '{}', '{}', NULL, '["world"]');
SELECT socketio_emit(args => '[1]');
SELECT socketio_emit(socketio_to('a'), NULL);
SELECT socketio_emit_values(socketio_to('a'), NULL);
SELECT socketio_emit_values(NULL, NULL, 1, 2);

-- A reserved name, one after the other
SELECT socketio_emit(event => 'connect');
SELECT socketio_emit(event => 'connect_error');
SELECT socketio_emit(event => 'disconnect');
SELECT socketio_emit(event => 'disconnecting');
SELECT socketio_emit(event => 'newListener');
SELECT socketio_emit(event => 'removeListener');
SELECT socketio_emit(socketio_to('a'), 'connect', '[1]');
SELECT socketio_emit_values(NULL, 'disconnect');
SELECT socketio_emit_values(socketio_to('a'), 'disconnect', 1);

-- A room that is NULL; rooms that are NULL
SELECT socketio_emit(event => 'hello', rooms => '{a,NULL}');
SELECT socketio_emit(event => 'hello', rooms => ARRAY[NULL]);
SELECT socketio_emit(event => 'hello', except_rooms => '{NULL,a}');
SELECT socketio_emit(event => 'hello', rooms => NULL);
SELECT socketio_emit(event => 'hello', except_rooms => NULL);
SELECT socketio_emit(event => 'hello', rooms => array_agg(room)) FROM unnest('{}'::text[]) AS room;
SELECT socketio_emit(ROW('/', '{a,NULL}', '{}', false, NULL)::socketio_target, 'hello');
SELECT socketio_emit_values(ROW('/', '{}', '{a,NULL}', false, NULL)::socketio_target, 'hello', 1);
DO $$
DECLARE
	rooms text[] := '{a}';
BEGIN
	rooms[3] := 'c';  -- and so rooms[2] is NULL
	PERFORM socketio_emit(event => 'hello', rooms => rooms);
END
$$;

-- A channel's name has 63 bytes at most, of which 'socket.io#' is ten.
SELECT set_config('regress.longest', '/' || repeat('x', 52), false) \g /dev/null
LISTEN "socket.io#/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
SELECT socketio_emit(nsp => current_setting('regress.longest'), event => 'hello');
SELECT socketio_emit(nsp => current_setting('regress.longest') || 'y', event => 'hello');
SELECT socketio_emit(nsp => repeat('x', 53), event => 'hello');
SELECT socketio_emit(nsp => '/' || repeat('é', 26), event => 'hello');
SELECT socketio_emit(nsp => '/' || repeat('é', 27), event => 'hello');
SELECT socketio_emit(socketio_of(repeat('x', 53)), 'hello');
SELECT socketio_emit_values(socketio_of(repeat('x', 53)), 'hello');
SELECT socketio_server_side_emit(repeat('x', 53), 'hello');
SELECT socketio_server_side_emit_values(repeat('x', 53), 'hello', 1);
SELECT socketio_sockets_join(nsp => repeat('x', 53), join_rooms => '{x}');
SELECT socketio_sockets_leave(nsp => repeat('x', 53), leave_rooms => '{x}');
SELECT socketio_disconnect_sockets(repeat('x', 53));
SELECT socketio_disconnect_sockets(socketio_of(repeat('x', 1000)));
-- A target is only built; it has not been emitted to.
SELECT length((socketio_of(repeat('x', 1000))).nsp);

-- Values that cannot be jsonb, but JSON
SELECT socketio_emit_values(NULL, 'hello', '{"a":"\u0000"}'::json);
SELECT to_jsonb('{"a":"\u0000"}'::json);
SELECT socketio_emit_values(NULL, 'hello', ARRAY['{"a":"\ud800"}'::json]);
SELECT socketio_emit(event => 'hello', args => '{"a":"\u0000"}');
CREATE TYPE unlucky AS ENUM ('fine');
CREATE FUNCTION to_json(unlucky) RETURNS json LANGUAGE plpgsql AS $$ BEGIN RAISE 'no json today'; END $$;
CREATE CAST (unlucky AS json) WITH FUNCTION to_json(unlucky);
SELECT socketio_emit_values(NULL, 'hello', ROW(1, 'fine'::unlucky));
DROP CAST (unlucky AS json);
DROP FUNCTION to_json(unlucky);
DROP TYPE unlucky;
-- Nested deeper than the stack allows; how deep that is depends on the server.
DO $$
BEGIN
	PERFORM socketio_emit_values(NULL, 'hello', (repeat('[', 100000) || repeat(']', 100000))::json);
EXCEPTION WHEN statement_too_complex THEN
	RAISE NOTICE 'refused';
END
$$;

-- Calls that do not say which function is meant, or fit none
SELECT socketio_emit('/', 'hello');
SELECT socketio_emit(NULL, 'hello', '[]');
SELECT socketio_emit('hello');
SELECT socketio_emit(event => 'hello', data => '[]');
SELECT socketio_emit(event => 'hello', args => ROW(1));
SELECT socketio_emit_values();
SELECT socketio_emit_values('hello');
SELECT socketio_emit_values('/', 'hello', 1);

-- Nothing of all this was sent, and the session is as it was.
SELECT socketio_emit(event => 'after all');

-- Nor was anything of a transaction that failed; an error takes back what came before it.
BEGIN;
SELECT socketio_emit(event => 'before');
SELECT socketio_emit();
SELECT socketio_emit(event => 'behind');
COMMIT;
SELECT socketio_emit(event => 'one'), socketio_emit(event => 'connect');
SELECT socketio_emit(event => 'row', rooms => CASE WHEN i < 3 THEN '{}'::text[] END) FROM generate_series(1, 3) AS i;
-- What PL/pgSQL catches has its SQLSTATE.
DO $$
BEGIN
	PERFORM socketio_emit(event => 'caught');
	PERFORM socketio_emit(event => 'connect');
EXCEPTION WHEN invalid_parameter_value THEN
	PERFORM socketio_emit(event => 'handled', args => to_jsonb(SQLERRM));
END
$$;
DO $$
DECLARE
	detail text;
	hint text;
BEGIN
	PERFORM socketio_emit(event => 'hello', rooms => ARRAY[NULL]);
EXCEPTION WHEN null_value_not_allowed THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	PERFORM socketio_emit_values(NULL, 'handled', SQLSTATE, SQLERRM, detail, hint);
END
$$;
