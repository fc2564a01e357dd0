-- complain if script is sourced in psql, rather than via ALTER EXTENSION
\echo Use "ALTER EXTENSION socketio_emitter UPDATE" to load this file. \quit

-- A fresh install runs the script of 0.1.0 and then this one, so that it ends where an update does.

-- Changes of rows: the order of events

CREATE FUNCTION socketio_order_changes() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C;

COMMENT ON FUNCTION socketio_order_changes() IS
	'trigger function for BEFORE INSERT OR UPDATE OR DELETE, FOR EACH STATEMENT: lets the events of a statement nested in another '
	'on the same table come behind those of that one; socketio_watch_statement() makes such a trigger';

CREATE OR REPLACE VIEW socketio_watches AS
SELECT t.tgrelid::pg_catalog.regclass AS "table",
	t.tgname AS trigger,
	CASE WHEN kind.bits & 1 <> 0 THEN 'row' ELSE 'statement' END AS level,
	pg_catalog.array_remove(ARRAY[
		CASE WHEN kind.bits & 4 <> 0 THEN 'insert' END,
		CASE WHEN kind.bits & 16 <> 0 THEN 'update' END,
		CASE WHEN kind.bits & 8 <> 0 THEN 'delete' END,
		CASE WHEN kind.bits & 32 <> 0 THEN 'truncate' END
	], NULL) AS events,
	ARRAY(
		SELECT pg_catalog.convert_from(pg_catalog.decode(argument.escaped, 'escape'), pg_catalog.getdatabaseencoding())
			COLLATE pg_catalog."default"
		FROM pg_catalog.string_to_table(
			pg_catalog.replace(pg_catalog.encode(t.tgargs, 'escape'), $$\\$$, $$\134$$), $$\000$$
		) WITH ORDINALITY AS argument(escaped, n)
		WHERE argument.n <= t.tgnargs
		ORDER BY argument.n
	) AS options,
	t.tgenabled IN ('O', 'A') AS enabled,
	CASE t.tgenabled WHEN 'O' THEN 'origin' WHEN 'A' THEN 'always' WHEN 'R' THEN 'replica' WHEN 'D' THEN 'never' END AS fires
FROM pg_catalog.pg_trigger AS t
	CROSS JOIN LATERAL (SELECT t.tgtype::pg_catalog.int4) AS kind(bits)
WHERE t.tgfoid = 'socketio_emit_changes()'::pg_catalog.regprocedure::pg_catalog.oid
	AND t.tgparentid = 0::pg_catalog.oid;

COMMENT ON COLUMN socketio_watches.fires IS
	'where the trigger fires, by session_replication_role: origin, as is usual, replica, always or never';

-- Privileges

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
