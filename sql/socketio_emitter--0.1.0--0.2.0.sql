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
