-- The extension as the catalogs describe it.
SELECT version, superuser, trusted, relocatable, schema, requires, comment
FROM pg_available_extension_versions WHERE name = 'socketio_emitter' ORDER BY version \gx

-- Every function: what the planner may do with it, and whether everyone may call it. None is strict: NULL has a meaning
-- of its own, or an error of its own.
SELECT oid::regprocedure AS function, prorettype::regtype AS returns,
	CASE provolatile WHEN 'v' THEN 'volatile' WHEN 'i' THEN 'immutable' ELSE 'stable' END AS volatility,
	CASE proparallel WHEN 'u' THEN 'unsafe' WHEN 's' THEN 'safe' ELSE 'restricted' END AS parallel,
	proisstrict AS strict, prosecdef AS definer, has_function_privilege('public', oid, 'EXECUTE') AS public
FROM pg_proc
WHERE oid IN (SELECT objid FROM pg_depend WHERE refobjid = (SELECT oid FROM pg_extension WHERE extname = 'socketio_emitter')
	AND classid = 'pg_proc'::regclass AND deptype = 'e')
ORDER BY proname COLLATE "C", pronargs, oid::regprocedure::text COLLATE "C";

-- Every parameter, with its default
\pset format unaligned
SELECT proname AS function, pg_get_function_arguments(oid) AS arguments
FROM pg_proc
WHERE oid IN (SELECT objid FROM pg_depend WHERE refobjid = (SELECT oid FROM pg_extension WHERE extname = 'socketio_emitter')
	AND classid = 'pg_proc'::regclass AND deptype = 'e')
ORDER BY proname COLLATE "C", pronargs, oid::regprocedure::text COLLATE "C";
\pset format aligned

-- Objects without a comment: none, nor columns of types, tables and views
SELECT pg_describe_object(classid, objid, 0) AS without_comment
FROM pg_depend
WHERE refobjid = (SELECT oid FROM pg_extension WHERE extname = 'socketio_emitter') AND deptype = 'e'
	AND obj_description(objid, classid::regclass::name) IS NULL
UNION ALL
SELECT pg_describe_object('pg_class'::regclass, attrelid, attnum)
FROM pg_attribute
WHERE attrelid IN ('socket_io_attachments'::regclass, 'socketio_watches'::regclass, 'socketio_stats'::regclass,
		(SELECT typrelid FROM pg_type WHERE oid = 'socketio_target'::regtype))
	AND attnum > 0 AND col_description(attrelid, attnum) IS NULL
ORDER BY 1;

-- Parameters that the comment of their function does not mention: none
SELECT oid::regprocedure AS function, parameter AS not_mentioned
FROM pg_proc, unnest(proargnames[:pronargs]) AS parameter
WHERE proname LIKE 'socketio\_%' AND obj_description(oid, 'pg_proc') !~ ('\m' || parameter || '\M')
ORDER BY oid::regprocedure::text, parameter;

-- The settings describe themselves, once the library is loaded.
LOAD 'socketio_emitter';
SELECT name, setting, unit, vartype, context, min_val, max_val, short_desc IS NOT NULL AS described
FROM pg_settings WHERE name LIKE 'socketio\_emitter.%' ORDER BY name;

-- The attachment table: not logged, payloads neither compressed nor for everyone to read
SELECT relpersistence, pg_get_userbyid(relowner) = current_user AS owner_is_creator,
	has_table_privilege('public', oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER') AS public
FROM pg_class WHERE oid = 'socket_io_attachments'::regclass;
SELECT attname, atttypid::regtype AS type, attnotnull, attstorage, pg_get_expr(adbin, adrelid) AS default
FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
WHERE attrelid = 'socket_io_attachments'::regclass AND attnum > 0 ORDER BY attnum;
SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'socket_io_attachments'::regclass;

-- The event trigger, for new triggers alone
SELECT evtname, evtevent, evttags, evtenabled, evtfoid::regproc FROM pg_event_trigger
WHERE oid IN (SELECT objid FROM pg_depend WHERE refobjid = (SELECT oid FROM pg_extension WHERE extname = 'socketio_emitter')
	AND classid = 'pg_event_trigger'::regclass AND deptype = 'e');

-- The view of watches, for everyone to read
SELECT has_table_privilege('public', 'socketio_watches', 'SELECT') AS read,
	has_table_privilege('public', 'socketio_watches', 'INSERT, UPDATE, DELETE') AS write;
SELECT attname, atttypid::regtype AS type, attcollation::regcollation AS collation
FROM pg_attribute WHERE attrelid = 'socketio_watches'::regclass ORDER BY attnum;

-- So is that of statistics.
SELECT has_table_privilege('public', 'socketio_stats', 'SELECT') AS read,
	has_table_privilege('public', 'socketio_stats', 'INSERT, UPDATE, DELETE') AS write;
SELECT attname, atttypid::regtype AS type, attcollation::regcollation AS collation
FROM pg_attribute WHERE attrelid = 'socketio_stats'::regclass ORDER BY attnum;

-- Nothing of the script's own is left behind.
SELECT socketio_create_attachment_table();

-- The extension goes, with its table, and comes back.
DROP EXTENSION socketio_emitter;
SELECT to_regclass('socket_io_attachments');
CREATE SCHEMA elsewhere;
-- Operators that are in its schema already are not taken for those of the system, even where they fit the operands better.
CREATE FUNCTION elsewhere.never(smallint, int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE 'never'; END $$;
CREATE FUNCTION elsewhere.never(oid, regprocedure) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'never'; END $$;
CREATE FUNCTION elsewhere.never(oid, int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'never'; END $$;
CREATE FUNCTION elsewhere.never(bigint, int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'never'; END $$;
CREATE FUNCTION elsewhere.never("char", text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'never'; END $$;
CREATE OPERATOR elsewhere.& (FUNCTION = elsewhere.never, LEFTARG = smallint, RIGHTARG = int);
CREATE OPERATOR elsewhere.= (FUNCTION = elsewhere.never, LEFTARG = oid, RIGHTARG = regprocedure);
CREATE OPERATOR elsewhere.= (FUNCTION = elsewhere.never, LEFTARG = oid, RIGHTARG = int);
CREATE OPERATOR elsewhere.<= (FUNCTION = elsewhere.never, LEFTARG = bigint, RIGHTARG = int);
CREATE OPERATOR elsewhere.= (FUNCTION = elsewhere.never, LEFTARG = "char", RIGHTARG = text);
CREATE EXTENSION socketio_emitter SCHEMA elsewhere;
SELECT to_regclass('elsewhere.socket_io_attachments');
CREATE TABLE watched (id int PRIMARY KEY);
SELECT elsewhere.socketio_watch('watched', 'payload=keys');
SELECT * FROM elsewhere.socketio_watches ORDER BY trigger;
SET client_min_messages = warning;
DROP FUNCTION elsewhere.never(smallint, int), elsewhere.never(oid, regprocedure), elsewhere.never(oid, int),
	elsewhere.never(bigint, int), elsewhere.never("char", text) CASCADE;
RESET client_min_messages;

LISTEN "socket.io#/";
-- Its table is found in its schema, whether or not that is in the search_path, and wherever the extension moves.
SELECT elsewhere.socketio_emit_values(elsewhere.socketio_to('a'), 'hello', '\x00'::bytea);
CREATE SCHEMA "Else Where";
ALTER EXTENSION socketio_emitter SET SCHEMA "Else Where";
SELECT "Else Where".socketio_emit_values("Else Where".socketio_to('a'), 'hello', '\x01'::bytea);
ALTER SCHEMA "Else Where" RENAME TO elsewhere_too;
SELECT elsewhere_too.socketio_emit_values(elsewhere_too.socketio_to('a'), 'hello', '\x02'::bytea);
SELECT id, regress.msgpack(payload) #> '{data,packet,data}' AS event FROM elsewhere_too.socket_io_attachments ORDER BY id;
-- So are the triggers of a watch, which keep it from being dropped.
INSERT INTO watched VALUES (1);
SELECT elsewhere_too.socketio_watch_statement('watched', 'payload=keys', 'event=statement');
INSERT INTO watched VALUES (2);
DROP EXTENSION socketio_emitter;
SELECT elsewhere_too.socketio_unwatch('watched');
DROP TABLE watched;
DROP EXTENSION socketio_emitter;

-- An attachment table that the application made before, as the README of the adapter has it, is used and kept.
CREATE TABLE socket_io_attachments (
	id bigserial UNIQUE,
	created_at timestamptz DEFAULT now(),
	payload bytea
);
CREATE EXTENSION socketio_emitter;
SELECT count(*) FROM pg_depend
WHERE objid = 'socket_io_attachments'::regclass AND refclassid = 'pg_extension'::regclass AND deptype = 'e';
SELECT socketio_emit_values(NULL, 'hello', '\x03'::bytea);
DROP EXTENSION socketio_emitter;
SELECT id, regress.msgpack(payload) #> '{data,packet,data}' AS event FROM socket_io_attachments;
DROP TABLE socket_io_attachments;

DROP SCHEMA elsewhere, elsewhere_too;
CREATE EXTENSION socketio_emitter;
