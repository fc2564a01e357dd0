-- Which attachment table is used, whose rights count, and what is wrong with one that will not do.
\pset format unaligned
\pset tuples_only on
\set VERBOSITY verbose
\set SHOW_CONTEXT never
TRUNCATE socket_io_attachments RESTART IDENTITY;
LISTEN "socket.io#/";

-- A call that needs the table, and one that looks at it
\set emit 'SELECT socketio_emit_values(NULL, \'large\', \'\\x00\'::bytea);'
CREATE FUNCTION pg_temp.stored(attachments regclass) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format('SELECT id || '' '' || (regress.msgpack(payload) #>> ''{data,packet,data}'') FROM %s ORDER BY id', attachments);
END
$$;

-- Another table: found by the search_path, in a schema, under a name that needs quotes
CREATE SCHEMA chat;
CREATE TABLE chat.attachments (id bigserial UNIQUE, created_at timestamptz DEFAULT now(), payload bytea);
SET socketio_emitter.attachment_table = 'chat.attachments';
:emit
SET socketio_emitter.attachment_table = 'attachments';
:emit
SET search_path = chat, public;
:emit
SET socketio_emitter.attachment_table = 'CHAT.Attachments';
:emit
RESET search_path;
SELECT pg_temp.stored('chat.attachments');
CREATE TABLE chat."Odd ""Table" (id bigserial, created_at timestamptz, payload bytea);
SET socketio_emitter.attachment_table = 'chat."Odd ""Table"';
:emit
SELECT pg_temp.stored('chat."Odd ""Table"'), created_at IS NOT NULL FROM chat."Odd ""Table";

-- Renamed, moved, dropped and made again: a session notices.
SET socketio_emitter.attachment_table = 'chat.attachments';
ALTER TABLE chat.attachments RENAME TO files;
:emit
SET socketio_emitter.attachment_table = 'chat.files';
:emit
CREATE SCHEMA chat2;
ALTER TABLE chat.files SET SCHEMA chat2;
SET socketio_emitter.attachment_table = 'chat2.files';
:emit
ALTER SCHEMA chat2 RENAME TO chat3;
SET socketio_emitter.attachment_table = 'chat3.files';
:emit
SELECT pg_temp.stored('chat3.files');
DROP TABLE chat3.files;
:emit
CREATE TABLE chat3.files (id int GENERATED ALWAYS AS IDENTITY, payload bytea, extra text DEFAULT 'x', created_at timestamptz);
:emit
ALTER TABLE chat3.files ADD more int DEFAULT 1;
:emit
ALTER TABLE chat3.files RENAME payload TO body;
:emit
ALTER TABLE chat3.files RENAME body TO payload;
:emit
SELECT pg_temp.stored('chat3.files');

-- Ids and columns of other types that take the values; ids that look like anything
CREATE SEQUENCE chat3.ids INCREMENT -1;
CREATE TABLE chat3.texts (id text DEFAULT 'id "' || nextval('chat3.ids') || '"', created_at timestamp, payload bytea);
SET socketio_emitter.attachment_table = 'chat3.texts';
SET TimeZone = 'UTC';
:emit
SELECT id, created_at BETWEEN localtimestamp - '1 hour'::interval AND localtimestamp + '1 hour'::interval FROM chat3.texts;
RESET TimeZone;
CREATE TEMP TABLE brief (id bigserial, created_at timestamptz, payload bytea);
SET socketio_emitter.attachment_table = 'brief';
:emit
-- Partitions, views with the columns, triggers that change the row
CREATE TABLE chat3.parts (id bigserial, created_at timestamptz, payload bytea) PARTITION BY RANGE (created_at);
CREATE TABLE chat3.part PARTITION OF chat3.parts DEFAULT;
SET socketio_emitter.attachment_table = 'chat3.parts';
:emit
SELECT count(*) FROM chat3.part;
CREATE VIEW chat3.through AS SELECT id, created_at, payload FROM chat3.parts;
SET socketio_emitter.attachment_table = 'chat3.through';
:emit
ALTER VIEW chat3.through ALTER id SET DEFAULT nextval('chat3.parts_id_seq');
:emit
SELECT count(*) FROM chat3.part;

-- Missing
SET socketio_emitter.attachment_table = 'absent';
:emit
SET socketio_emitter.attachment_table = 'absent.attachments';
:emit
SELECT socketio_emit(event => 'large', args => to_jsonb(repeat('x', 7858)));
-- but only needed by what does not fit
SELECT socketio_emit(event => 'small');

-- Misshapen
CREATE TABLE chat.no_id (created_at timestamptz, payload bytea);
CREATE TABLE chat.no_created_at (id bigserial, payload bytea);
CREATE TABLE chat.no_payload (id bigserial, created_at timestamptz, "Payload" bytea);
CREATE TABLE chat.wrong_payload (id bigserial, created_at timestamptz, payload int);
CREATE TABLE chat.wrong_created_at (id bigserial, created_at int, payload bytea);
CREATE TABLE chat.no_default (id bigint, created_at timestamptz, payload bytea);
SET socketio_emitter.attachment_table = 'chat.no_id';
:emit
SET socketio_emitter.attachment_table = 'chat.no_created_at';
:emit
SET socketio_emitter.attachment_table = 'chat.no_payload';
:emit
SET socketio_emitter.attachment_table = 'chat.wrong_payload';
:emit
SET socketio_emitter.attachment_table = 'chat.wrong_created_at';
:emit
SET socketio_emitter.attachment_table = 'chat.no_default';
:emit
SET socketio_emitter.attachment_table = 'pg_class';
:emit
SET socketio_emitter.attachment_table = 'pg_class_oid_index';
:emit
SET socketio_emitter.attachment_table = 'chat3.ids';
:emit

-- A trigger or a rule that keeps the row from being stored
CREATE TABLE chat.guarded (id bigserial, created_at timestamptz, payload bytea);
SET socketio_emitter.attachment_table = 'chat.guarded';
CREATE FUNCTION chat.swallow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER swallow BEFORE INSERT ON chat.guarded FOR EACH ROW EXECUTE FUNCTION chat.swallow();
:emit
DROP TRIGGER swallow ON chat.guarded;
CREATE RULE swallow AS ON INSERT TO chat.guarded DO INSTEAD NOTHING;
:emit
DROP RULE swallow ON chat.guarded;
:emit

-- After all of these, the session is as good as new, and none of them left a row.
SELECT pg_temp.stored('chat.guarded');
RESET socketio_emitter.attachment_table;
:emit
SELECT pg_temp.stored('socket_io_attachments');

-- A read-only transaction cannot store a row; what fits a notification may be emitted in one.
BEGIN READ ONLY;
SELECT socketio_emit(event => 'small');
SAVEPOINT s;
:emit
ROLLBACK TO s;
SELECT socketio_emit(event => 'small');
COMMIT;
SET default_transaction_read_only = on;
SELECT socketio_sockets_join(join_rooms => ARRAY[repeat('x', 8000)]);
RESET default_transaction_read_only;

-- Rights. The table of the extension takes a row from everyone who emits, and shows it to nobody else.
CREATE ROLE regress_app;
CREATE ROLE regress_owner;
SET ROLE regress_app;
:emit
SELECT current_user, session_user <> current_user;
SELECT * FROM socket_io_attachments;
INSERT INTO socket_io_attachments (payload) VALUES ('\x00');
-- even if it belongs to someone else by now
RESET ROLE;
ALTER TABLE socket_io_attachments OWNER TO regress_owner;
SET ROLE regress_app;
:emit
RESET ROLE;
ALTER TABLE socket_io_attachments OWNER TO CURRENT_USER;
SELECT pg_temp.stored('socket_io_attachments');
-- Triggers on it run as its owner, not as a superuser who happens to emit
ALTER TABLE socket_io_attachments OWNER TO regress_owner;
CREATE FUNCTION chat.who() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'stored as %', current_user; RETURN NEW; END $$;
GRANT USAGE ON SCHEMA chat TO regress_app, regress_owner;
CREATE TRIGGER who BEFORE INSERT ON socket_io_attachments FOR EACH ROW EXECUTE FUNCTION chat.who();
:emit
SELECT current_user = session_user;
-- and whatever they raise, the role of the caller is back.
CREATE OR REPLACE FUNCTION chat.who() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused to %', current_user; END $$;
SET ROLE regress_app;
:emit
SELECT current_user;
BEGIN;
SAVEPOINT s;
:emit
ROLLBACK TO s;
SELECT current_user;
COMMIT;
DO $$
BEGIN
	PERFORM socketio_emit_values(NULL, 'large', '\x00'::bytea);
EXCEPTION WHEN raise_exception THEN
	RAISE NOTICE '% is back', current_user;
END
$$;
RESET ROLE;
DROP TRIGGER who ON socket_io_attachments;
ALTER TABLE socket_io_attachments OWNER TO CURRENT_USER;

-- A table of the application's takes rows from those it was granted to, step by step.
CREATE TABLE chat.attachments (id bigserial UNIQUE, created_at timestamptz DEFAULT now(), payload bytea);
SET socketio_emitter.attachment_table = 'chat.attachments';
REVOKE USAGE ON SCHEMA chat FROM regress_app;
SET ROLE regress_app;
:emit
RESET ROLE;
GRANT USAGE ON SCHEMA chat TO regress_app;
SET ROLE regress_app;
:emit
RESET ROLE;
GRANT INSERT ON chat.attachments TO regress_app;
SET ROLE regress_app;
:emit
RESET ROLE;
GRANT SELECT ON chat.attachments TO regress_app;
SET ROLE regress_app;
:emit
RESET ROLE;
GRANT USAGE ON SEQUENCE chat.attachments_id_seq TO regress_app;
SET ROLE regress_app;
:emit
RESET ROLE;
-- column by column
REVOKE ALL ON chat.attachments FROM regress_app;
GRANT INSERT (created_at, payload), SELECT (id) ON chat.attachments TO regress_app;
SET ROLE regress_app;
:emit
RESET ROLE;
-- and UPDATE on the sequence is as good as USAGE
REVOKE ALL ON SEQUENCE chat.attachments_id_seq FROM regress_app;
GRANT UPDATE ON SEQUENCE chat.attachments_id_seq TO regress_app;
SET ROLE regress_app;
:emit
RESET ROLE;
REVOKE INSERT (payload) ON chat.attachments FROM regress_app;
SET ROLE regress_app;
:emit
-- A SECURITY DEFINER function lends its owner's rights.
RESET ROLE;
CREATE FUNCTION chat.emit_large() RETURNS void LANGUAGE sql SECURITY DEFINER AS $$
	SELECT socketio_emit_values(NULL, 'large', '\x01'::bytea)
$$;
SET ROLE regress_app;
SELECT chat.emit_large();
RESET ROLE;
SELECT pg_temp.stored('chat.attachments');
-- An identity column asks for no rights on its sequence.
CREATE TABLE chat.identity (id bigint GENERATED ALWAYS AS IDENTITY, created_at timestamptz, payload bytea);
GRANT SELECT, INSERT ON chat.identity TO regress_app;
SET socketio_emitter.attachment_table = 'chat.identity';
SET ROLE regress_app;
:emit
RESET ROLE;
RESET socketio_emitter.attachment_table;

SET client_min_messages = warning;
DROP SCHEMA chat, chat3 CASCADE;
DROP TABLE brief;
DROP ROLE regress_app, regress_owner;
TRUNCATE socket_io_attachments RESTART IDENTITY;
