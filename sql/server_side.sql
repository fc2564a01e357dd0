-- socketio_server_side_emit and socketio_server_side_emit_values: events to the servers of a namespace.
\pset format unaligned
\pset tuples_only on
\set VERBOSITY verbose
LISTEN "socket.io#/";
LISTEN "socket.io#/admin";

-- By position and by name, with untyped literals
SELECT socketio_server_side_emit('/admin', 'hello', '["world"]');
SELECT socketio_server_side_emit('/', 'hello');
SELECT socketio_server_side_emit(event => 'hello');
SELECT socketio_server_side_emit(event => 'hello', args => '{"a":1}', nsp => 'admin');
SELECT socketio_server_side_emit(event => 'hello', args => '[1, [2], null]');
SELECT socketio_server_side_emit(event => 'hello', args => NULL);
SELECT socketio_server_side_emit(NULL, 'hello', 'null');
SELECT socketio_server_side_emit('', 'hello', '7');

-- To the namespace of a target
SELECT socketio_server_side_emit(socketio_of('/admin'), 'hello', '["world"]');
SELECT socketio_server_side_emit(target => socketio_of('/admin'), event => 'hello');
SELECT socketio_server_side_emit(NULL::socketio_target, 'hello');
SELECT socketio_server_side_emit(ROW(NULL, '{}', '{}', false, NULL)::socketio_target, 'hello');

-- Any SQL values
SELECT socketio_server_side_emit_values('/admin', 'hello');
SELECT socketio_server_side_emit_values('/admin', 'hello', 1, 'two', 3.50, NULL, true, ARRAY[1, 2]);
SELECT socketio_server_side_emit_values(NULL, 'hello', 'world');
SELECT socketio_server_side_emit_values('admin', 'hello', VARIADIC ARRAY['a', NULL]);
SELECT socketio_server_side_emit_values('admin', 'hello', VARIADIC NULL::int[]);
SELECT socketio_server_side_emit_values(socketio_of('/admin'), 'hello');
SELECT socketio_server_side_emit_values(socketio_of('/admin'), 'hello', 1, 'two');
SELECT socketio_server_side_emit_values(socketio_of('/admin'), 'hello', VARIADIC '{1,2}'::int[]);
SELECT socketio_server_side_emit_values(NULL::socketio_target, 'hello', date '2024-02-29');

-- Servers may have any event: no name is reserved between them.
SELECT socketio_server_side_emit(event => name) FROM unnest('{connect,connect_error,disconnect,disconnecting,newListener,
	removeListener}'::text[]) AS name;
SELECT socketio_server_side_emit(socketio_of('/'), 'connect'), socketio_server_side_emit_values('/', 'connect'),
	socketio_server_side_emit_values(socketio_of('/'), 'connect', 1);

-- There must be one.
SELECT socketio_server_side_emit();
SELECT socketio_server_side_emit(NULL::socketio_target, NULL);
SELECT socketio_server_side_emit_values('/', NULL);
SELECT socketio_server_side_emit_values(NULL::socketio_target, NULL, 1);

-- What is meant for some clients is not for all servers.
SELECT socketio_server_side_emit(socketio_to('a'), 'hello');
SELECT socketio_server_side_emit(socketio_except('a'), 'hello', '[1]');
SELECT socketio_server_side_emit_values(socketio_volatile(), 'hello');
SELECT socketio_server_side_emit_values(socketio_compress(false), 'hello', 1);
