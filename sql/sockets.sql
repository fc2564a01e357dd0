-- socketio_sockets_join, socketio_sockets_leave and socketio_disconnect_sockets: control over the sockets of a target.
\pset format unaligned
\pset tuples_only on
\set VERBOSITY verbose
LISTEN "socket.io#/";
LISTEN "socket.io#/admin";

-- By position and by name, with untyped literals
SELECT socketio_sockets_join('/admin', '{a,b}', '{c}', '{x,y}');
SELECT socketio_sockets_join(join_rooms => '{x}');
SELECT socketio_sockets_join(rooms => '{a}', join_rooms => ARRAY['x', 'y']);
SELECT socketio_sockets_join(nsp => 'admin', except_rooms => '{c}', join_rooms => '{x}');
SELECT socketio_sockets_leave('/admin', '{a,b}', '{c}', '{x,y}');
SELECT socketio_sockets_leave(leave_rooms => '{x}');
SELECT socketio_sockets_leave(rooms => '{a}', leave_rooms => ARRAY['x', 'y']);
SELECT socketio_sockets_leave(nsp => 'admin', except_rooms => '{c}', leave_rooms => '{x}');
SELECT socketio_disconnect_sockets('/admin', '{a,b}', '{c}', true);
SELECT socketio_disconnect_sockets('/admin', '{a,b}', '{c}');
SELECT socketio_disconnect_sockets('/admin', ARRAY['a', 'b']);
SELECT socketio_disconnect_sockets('/admin', rooms => '{a,b}');
SELECT socketio_disconnect_sockets('/admin');
SELECT socketio_disconnect_sockets();
SELECT socketio_disconnect_sockets(close => true);
SELECT socketio_disconnect_sockets(rooms => '{a}', close => NULL);
SELECT socketio_disconnect_sockets(nsp => 'admin', except_rooms => '{c}', close => false);
-- Two untyped literals could as well be a target and `close`.
SELECT socketio_disconnect_sockets('/admin', '{a,b}');

-- Of a target
SELECT socketio_sockets_join(socketio_to('a'), '{x,y}');
SELECT socketio_sockets_join(target => socketio_of('/admin'), join_rooms => '{x}');
SELECT socketio_sockets_join(NULL::socketio_target, '{x}');
SELECT socketio_sockets_leave(socketio_except(socketio_to('a'), 'c'), '{x,y}');
SELECT socketio_sockets_leave(target => socketio_of('/admin'), leave_rooms => '{x}');
SELECT socketio_sockets_leave(NULL::socketio_target, '{x}');
SELECT socketio_disconnect_sockets(socketio_to('a', 'b'), true);
SELECT socketio_disconnect_sockets(socketio_to('a', 'b'));
SELECT socketio_disconnect_sockets(target => socketio_of('/admin'), close => true);
SELECT socketio_disconnect_sockets(NULL::socketio_target);
-- A socket is a room of its own.
SELECT socketio_sockets_join(socketio_to('r4nd0mS0ck3t1D'), '{x}');

-- Rooms are sets here, too, and none is a list without any.
SELECT socketio_sockets_join(rooms => '{a,b,a}', except_rooms => '{c,c}', join_rooms => '{y,x,y}');
SELECT socketio_sockets_leave(leave_rooms => '{"",NULL_,"\"","ö😀"}');
SELECT socketio_sockets_join(join_rooms => '{}');
SELECT socketio_sockets_leave(socketio_to('a'), '{}');

-- The flags of a target travel with it.
SELECT socketio_sockets_join(socketio_compress(socketio_volatile(), true), '{x}');
SELECT socketio_disconnect_sockets(socketio_compress(socketio_volatile(), false));

-- Equal messages are as many deliveries.
SELECT socketio_disconnect_sockets(rooms => '{a}'), socketio_disconnect_sockets(rooms => '{a}');

-- Which rooms to join or leave must be said, and none of them may be NULL.
SELECT socketio_sockets_join();
SELECT socketio_sockets_join('/', '{a}');
SELECT socketio_sockets_join(socketio_to('a'), NULL);
SELECT socketio_sockets_join(join_rooms => '{x,NULL}');
SELECT socketio_sockets_leave(rooms => '{a}');
SELECT socketio_sockets_leave(NULL::socketio_target, NULL);
SELECT socketio_sockets_leave(socketio_to('a'), ARRAY[NULL]);
-- Computed rooms that turn out NULL do not become everyone.
SELECT socketio_disconnect_sockets(rooms => NULL);
SELECT socketio_disconnect_sockets(rooms => '{a}', except_rooms => NULL);
SELECT socketio_sockets_join(rooms => (SELECT array_agg(r) FROM unnest('{}'::text[]) AS r), join_rooms => '{x}');
SELECT socketio_disconnect_sockets('/', ARRAY['a', NULL]);

-- Only those may do this whom it was granted to; events are for everyone.
CREATE ROLE regress_guest;
SET ROLE regress_guest;
SELECT socketio_sockets_join('/', '{}', '{}', '{x}');
SELECT socketio_sockets_join(NULL::socketio_target, '{x}');
SELECT socketio_sockets_leave('/', '{}', '{}', '{x}');
SELECT socketio_sockets_leave(NULL::socketio_target, '{x}');
SELECT socketio_disconnect_sockets();
SELECT socketio_disconnect_sockets(NULL::socketio_target);
SELECT socketio_emit(socketio_to('a'), 'hello'), socketio_emit(event => 'hello'), socketio_emit_values(NULL, 'hello', 1),
	socketio_server_side_emit('/', 'hello'), socketio_server_side_emit_values('/', 'hello', 1);
RESET ROLE;
GRANT EXECUTE ON FUNCTION socketio_sockets_join(socketio_target, text[]) TO regress_guest;
SET ROLE regress_guest;
SELECT socketio_sockets_join(NULL::socketio_target, '{x}');
RESET ROLE;
REVOKE EXECUTE ON FUNCTION socketio_sockets_join(socketio_target, text[]) FROM regress_guest;
DROP ROLE regress_guest;
