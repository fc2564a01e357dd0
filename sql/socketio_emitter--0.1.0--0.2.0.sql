-- complain if script is sourced in psql, rather than via ALTER EXTENSION
\echo Use "ALTER EXTENSION socketio_emitter UPDATE" to load this file. \quit

-- A fresh install runs the script of 0.1.0 and then this one, so that it ends where an update does.

-- Whatever ALTER DEFAULT PRIVILEGES say, these functions are for the extension's owner and those it grants them to; the others,
-- the views and the type are for everyone; and the attachment table is its owner's. This stays at the end: what is created
-- below it would have the privileges of the defaults.

CREATE FUNCTION socketio_settle_privileges(closed_functions pg_catalog.regprocedure[]) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C;

SELECT socketio_settle_privileges(ARRAY[
	'socketio_sockets_join(text, text[], text[], text[])',
	'socketio_sockets_join(socketio_target, text[])',
	'socketio_sockets_leave(text, text[], text[], text[])',
	'socketio_sockets_leave(socketio_target, text[])',
	'socketio_disconnect_sockets(text, text[], text[], boolean)',
	'socketio_disconnect_sockets(socketio_target, boolean)',
	'socketio_stats_reset()',
	'socketio_fetch_sockets(text, text[], text[], interval)',
	'socketio_fetch_sockets(socketio_target)',
	'socketio_servers(text, interval)',
	'socketio_emit_with_ack(text, text[], text[], text, jsonb, interval)',
	'socketio_emit_with_ack(socketio_target, text, jsonb)',
	'socketio_server_side_emit_with_ack(text, text, jsonb, interval)',
	'socketio_clients(text, text[], interval)',
	'socketio_client_rooms(text, text, interval)',
	'socketio_all_rooms(text, interval)',
	'socketio_remote_join(text, text, text, interval)',
	'socketio_remote_leave(text, text, text, interval)',
	'socketio_remote_disconnect(text, boolean, text, interval)',
	'socketio_custom_request(jsonb, text, interval)'
]::pg_catalog.regprocedure[]);

DROP FUNCTION socketio_settle_privileges(pg_catalog.regprocedure[]);
