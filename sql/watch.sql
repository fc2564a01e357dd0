-- socketio_watch, socketio_watch_statement, socketio_unwatch and view socketio_watches: which triggers there are after each
-- call, who may make it, and what is refused. (What the triggers emit is in changes*.sql.)
\pset format unaligned
\pset tuples_only on
\set VERBOSITY verbose
LISTEN "socket.io#/";
CREATE TABLE orders (id int PRIMARY KEY, user_id int, status text);
CREATE TEMP VIEW triggers AS
	SELECT tgrelid AS "table", pg_get_triggerdef(oid) AS definition
	FROM pg_trigger WHERE NOT tgisinternal ORDER BY tgrelid::regclass::text COLLATE "C", tgname;
CREATE TEMP VIEW watches AS
	SELECT * FROM socketio_watches ORDER BY "table"::text COLLATE "C", trigger;

-- By row
SELECT socketio_watch('orders');
SELECT definition FROM triggers;
SELECT * FROM watches;
INSERT INTO orders VALUES (1, 7, 'new');
UPDATE orders SET status = 'paid';
DELETE FROM orders;
TRUNCATE orders;

-- A call replaces what an earlier one made: the options,
SELECT socketio_watch('orders', 'rooms=user:{user_id}', 'payload=keys');
SELECT definition FROM triggers;
INSERT INTO orders VALUES (1, 7, 'new'), (2, 8, 'new');
-- and the kind.
SELECT socketio_watch_statement('orders', 'payload=keys');
SELECT definition FROM triggers;
SELECT * FROM watches;
INSERT INTO orders VALUES (3, 7, 'new'), (4, 8, 'new');
UPDATE orders SET status = 'paid' WHERE id > 2;
DELETE FROM orders WHERE id > 2;
TRUNCATE orders;
SELECT socketio_watch('orders', 'payload=keys');
SELECT * FROM watches;

-- A trigger that was disabled comes back enabled; where one fires otherwise, it stays so.
ALTER TABLE orders DISABLE TRIGGER socketio_watch;
ALTER TABLE orders ENABLE REPLICA TRIGGER socketio_watch_truncate;
SELECT trigger, enabled FROM watches;
ALTER TABLE orders ENABLE ALWAYS TRIGGER socketio_watch;
SELECT trigger, enabled FROM watches;
SELECT socketio_watch('orders', 'payload=keys');
SELECT trigger, enabled FROM watches;
ALTER TABLE orders DISABLE TRIGGER socketio_watch;
SELECT trigger, fires FROM watches;
SELECT socketio_watch('orders', 'payload=keys');
SELECT trigger, fires FROM watches;
ALTER TABLE orders ENABLE ALWAYS TRIGGER socketio_watch;
SELECT socketio_watch_statement('orders', 'payload=keys');
SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = 'orders'::regclass ORDER BY tgname;
ALTER TABLE orders ENABLE REPLICA TRIGGER socketio_watch_insert;
SELECT socketio_watch_statement('orders', 'payload=keys');
SELECT trigger, enabled, fires FROM watches;
SELECT socketio_watch('orders', 'payload=keys');
SELECT trigger, enabled, fires FROM watches;

-- Nothing is emitted of a table that is watched no longer.
SELECT socketio_unwatch('orders');
INSERT INTO orders VALUES (1, 7, 'new');
TRUNCATE orders;
SELECT definition FROM triggers;
SELECT * FROM watches;
SELECT socketio_unwatch('orders');

-- All of it is taken back with the transaction.
SELECT socketio_watch('orders', 'payload=keys');
BEGIN;
SELECT socketio_watch_statement('orders');
SAVEPOINT s;
SELECT socketio_unwatch('orders');
SELECT count(*) FROM watches;
ROLLBACK TO s;
SELECT trigger FROM watches;
ROLLBACK;
SELECT * FROM watches;

-- Triggers made by hand are shown, and stay: under another name,
CREATE TRIGGER by_hand AFTER UPDATE OF status OR DELETE ON orders FOR EACH ROW EXECUTE FUNCTION socketio_emit_changes('event=by_hand');
CREATE TRIGGER by_hand_statement AFTER INSERT ON orders REFERENCING NEW TABLE AS added FOR EACH STATEMENT
	EXECUTE FUNCTION socketio_emit_changes('event=by_hand');
CREATE CONSTRAINT TRIGGER by_hand_later AFTER INSERT ON orders DEFERRABLE FOR EACH ROW
	EXECUTE FUNCTION socketio_emit_changes('event=by_hand', 'volatile');
ALTER TRIGGER socketio_watch_truncate ON orders RENAME TO once_watched;
SELECT * FROM watches;
SELECT socketio_watch_statement('orders', 'payload=keys');
SELECT socketio_unwatch('orders');
SELECT * FROM watches;
SELECT socketio_unwatch('orders');
DROP TRIGGER by_hand ON orders;
DROP TRIGGER by_hand_statement ON orders;
DROP TRIGGER by_hand_later ON orders;
DROP TRIGGER once_watched ON orders;
-- and under one of these names, if they call another function.
CREATE FUNCTION pg_temp.socketio_emit_changes() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not this one'; END $$;
CREATE TRIGGER socketio_watch_update BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION pg_temp.socketio_emit_changes();
SELECT * FROM watches;
SELECT socketio_unwatch('orders');
SELECT socketio_watch_statement('orders');
SELECT * FROM watches;
SELECT socketio_watch('orders', 'payload=keys');
SELECT trigger FROM watches;
SELECT socketio_unwatch('orders');
SELECT tgname FROM pg_trigger WHERE tgrelid = 'orders'::regclass;
DROP TRIGGER socketio_watch_update ON orders;

-- An event named after a column cannot be emitted for TRUNCATE. A brace that is written double names nothing.
SELECT socketio_watch('orders', 'event=order {status}', 'payload=keys');
SELECT trigger FROM watches;
SELECT socketio_watch_statement('orders', ' event = {id}');
SELECT trigger FROM watches;
SELECT socketio_watch('orders', 'event={schema}.{table} {op} {OP} {{id}}', 'payload=keys');
SELECT trigger FROM watches;
TRUNCATE orders;

-- Options come back as they were given, whatever is in them.
SELECT socketio_watch('orders', E'event=it''s "{op}" \\ \\\\ \\000 \\x00 \n\t$$ %s %1$s', 'rooms=Größe €,部屋 😀,{{x}}', '  payload = keys ',
	'volatile');
SELECT trigger, cardinality(options), o.n, o.option FROM watches, unnest(options) WITH ORDINALITY AS o(option, n) ORDER BY trigger, n;
SELECT definition FROM triggers;
INSERT INTO orders VALUES (1, 7, 'new');
TRUNCATE orders;
SET quote_all_identifiers = on;
SELECT socketio_watch('orders', E'event=\\ \\000', 'payload=keys');
RESET quote_all_identifiers;
SELECT options FROM watches;
SELECT socketio_watch('orders', VARIADIC '{}');
SELECT options FROM watches;
SELECT socketio_watch('orders', VARIADIC ARRAY[['payload=keys', 'volatile'], ['rooms=a', 'except=b']]);
SELECT options FROM watches;
SELECT socketio_watch("table" => 'orders', VARIADIC options => ARRAY['payload=record']);
SELECT options FROM watches;
SELECT socketio_unwatch("table" => 'orders');

-- What makes no sense is refused, and what was there stays.
SELECT socketio_watch('orders', 'payload=keys');
SELECT socketio_watch('orders', 'room=a');
SELECT socketio_watch('orders', '');
SELECT socketio_watch('orders', 'event={staus}');
SELECT socketio_watch('orders', 'event={');
SELECT socketio_watch('orders', 'columns=id,staus');
SELECT socketio_watch_statement('orders', 'rooms={staus}');
SELECT socketio_watch('orders', 'payload=' || NULL);
SELECT socketio_watch('orders', 'payload=keys', NULL);
SELECT socketio_watch_statement('orders', VARIADIC NULL);
SELECT socketio_watch(NULL);
SELECT socketio_watch_statement(to_regclass('absent'), 'payload=keys');
SELECT socketio_unwatch(NULL);
SELECT socketio_watch('absent');
SELECT socketio_watch(0);
SELECT socketio_watch_statement(1);
SELECT socketio_unwatch(1);
SELECT socketio_watch('orders', VARIADIC array_fill('payload=keys'::text, '{70000}'));
SELECT * FROM watches;
SELECT socketio_unwatch('orders');

-- What is no table
CREATE VIEW shown AS SELECT * FROM orders;
CREATE MATERIALIZED VIEW stored AS SELECT * FROM orders;
CREATE SEQUENCE numbers;
SELECT socketio_watch('shown');
SELECT socketio_watch_statement('shown');
SELECT socketio_unwatch('shown');
SELECT socketio_watch('stored');
SELECT socketio_watch('numbers');
SELECT socketio_watch('orders_pkey');
SELECT socketio_watch_statement('socketio_target');
SELECT socketio_watch('pg_class');
-- A view takes a trigger made by hand, which emits what is written to it.
CREATE TRIGGER instead INSTEAD OF INSERT OR UPDATE OR DELETE ON shown FOR EACH ROW
	EXECUTE FUNCTION socketio_emit_changes('payload=record');
SELECT * FROM watches;
INSERT INTO shown VALUES (1, 7, 'new');
SELECT socketio_unwatch('shown');
DROP VIEW shown;
DROP MATERIALIZED VIEW stored;
DROP SEQUENCE numbers;

-- Tables of other kinds
CREATE TEMP TABLE brief (id int PRIMARY KEY);
CREATE UNLOGGED TABLE unlogged (id int PRIMARY KEY);
SELECT socketio_watch('brief', 'payload=keys'), socketio_watch_statement('unlogged', 'payload=keys');
SELECT * FROM watches;
INSERT INTO brief VALUES (1);
INSERT INTO unlogged VALUES (1);
DROP TABLE brief, unlogged;
-- A foreign table has no transition tables, and before PostgreSQL 16 no trigger for TRUNCATE.
CREATE FOREIGN DATA WRAPPER none;
CREATE SERVER nowhere FOREIGN DATA WRAPPER none;
CREATE FOREIGN TABLE far (id int) SERVER nowhere;
SELECT socketio_watch_statement('far');
SELECT socketio_watch('far');
SELECT * FROM watches WHERE events <> '{truncate}';
SELECT count(*) = (current_setting('server_version_num')::int >= 160000)::int FROM watches WHERE events = '{truncate}';
SELECT socketio_watch('far', 'event={id}');
SELECT * FROM watches;
SELECT socketio_unwatch('far');
SELECT * FROM watches;
SET client_min_messages = warning;
DROP FOREIGN DATA WRAPPER none CASCADE;
RESET client_min_messages;
-- Who inherits from a table is watched for itself.
CREATE TABLE rush_orders () INHERITS (orders);
SELECT socketio_watch('rush_orders');
SELECT socketio_watch('orders');
SELECT DISTINCT "table"::text FROM watches ORDER BY 1;
DROP TABLE rush_orders;
SELECT socketio_unwatch('orders');

-- Partitions are watched with their table, by a clone of its row trigger; the view shows only that one.
CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE low PARTITION OF parted FOR VALUES FROM (0) TO (10);
CREATE TABLE high PARTITION OF parted FOR VALUES FROM (10) TO (100) PARTITION BY RANGE (id);
CREATE TABLE highest PARTITION OF high FOR VALUES FROM (90) TO (100);
SELECT socketio_watch('parted', 'payload=keys', 'rooms={table}');
SELECT * FROM watches;
SELECT definition FROM triggers;
INSERT INTO parted VALUES (1), (91);
INSERT INTO highest VALUES (92);
-- A second watch would emit every change twice.
SELECT socketio_watch('low');
SELECT socketio_watch_statement('highest');
SELECT socketio_unwatch('highest');
SELECT * FROM watches;
SELECT socketio_watch('parted', 'payload=keys', 'rooms=all');
SELECT definition FROM triggers;
-- How it fires is kept on the partitions, too.
ALTER TABLE parted ENABLE ALWAYS TRIGGER socketio_watch;
SELECT socketio_watch('parted', 'payload=keys', 'rooms=all');
SELECT tgrelid::regclass, tgenabled FROM pg_trigger WHERE tgname = 'socketio_watch' ORDER BY tgrelid::regclass::text COLLATE "C";
ALTER TABLE parted ENABLE TRIGGER socketio_watch;
-- A watch by statement is not cloned: its events are for the statements that name the table.
SELECT socketio_watch_statement('parted', 'payload=keys');
SELECT definition FROM triggers;
INSERT INTO parted VALUES (2), (93);
INSERT INTO highest VALUES (94);
SELECT socketio_watch('highest', 'payload=keys', 'event=mine');
INSERT INTO highest VALUES (95);
-- Now the partition's is in the way.
SELECT socketio_watch('parted');
SELECT socketio_watch('high');
SELECT trigger, "table" FROM watches;
SELECT socketio_watch_statement('highest');
SELECT socketio_watch('parted');
SELECT socketio_unwatch('highest');
SELECT socketio_watch('high', 'payload=keys');
SELECT socketio_watch('highest');
SELECT socketio_watch('parted');
SELECT socketio_unwatch('high');
SELECT socketio_watch('parted', 'payload=keys');
-- A partition that leaves its table leaves the watch, too.
ALTER TABLE parted DETACH PARTITION low;
SELECT socketio_unwatch('low');
SELECT socketio_watch('low');
SELECT DISTINCT "table"::text FROM watches ORDER BY 1;
-- One that joins has to be unwatched first.
ALTER TABLE parted ATTACH PARTITION low FOR VALUES FROM (0) TO (10);
SELECT socketio_unwatch('low');
ALTER TABLE parted ATTACH PARTITION low FOR VALUES FROM (0) TO (10);
SELECT socketio_unwatch('low');
SELECT socketio_unwatch('parted');
SELECT definition FROM triggers;
DROP TABLE parted;

-- Any name, any search_path
CREATE SCHEMA "My ""Shop""";
CREATE TABLE "My ""Shop"""."Bücher's; 本 %s" (id int PRIMARY KEY);
CREATE SCHEMA shadow;
CREATE FUNCTION shadow.socketio_emit_changes() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not this one'; END $$;
CREATE TABLE shadow."Bücher's; 本 %s" (id int PRIMARY KEY);
SET search_path = shadow, public;
SELECT socketio_watch('"My ""Shop"""."Bücher''s; 本 %s"', 'payload=keys');
SELECT * FROM public.socketio_watches ORDER BY trigger;
SET search_path = '';
SELECT public.socketio_watch_statement('"My ""Shop"""."Bücher''s; 本 %s"', 'payload=keys');
SELECT * FROM public.socketio_watches ORDER BY trigger;
INSERT INTO "My ""Shop"""."Bücher's; 本 %s" VALUES (1);
SELECT public.socketio_unwatch('"My ""Shop"""."Bücher''s; 本 %s"');
SELECT * FROM public.socketio_watches ORDER BY trigger;
RESET search_path;
DROP TABLE "My ""Shop"""."Bücher's; 本 %s", shadow."Bücher's; 本 %s";
DROP SCHEMA "My ""Shop""";
DROP FUNCTION shadow.socketio_emit_changes();
DROP SCHEMA shadow;

-- Rights: those of the commands. TRIGGER on the table makes a watch; to replace or drop it takes the table's owner.
CREATE ROLE regress_owner;
CREATE ROLE regress_app;
ALTER TABLE orders OWNER TO regress_owner;
SET ROLE regress_app;
SELECT socketio_watch('orders');
SELECT socketio_watch_statement('orders');
SELECT socketio_unwatch('orders');
RESET ROLE;
GRANT TRIGGER ON orders TO regress_app;
SET ROLE regress_app;
SELECT socketio_watch('orders', 'payload=keys');
SELECT socketio_watch('orders', 'payload=record');
SELECT socketio_unwatch('orders');
SELECT * FROM socketio_watches ORDER BY trigger;
SET ROLE regress_owner;
SELECT socketio_watch('orders', 'payload=record');
-- An owner who took the right from himself may still drop.
REVOKE TRIGGER ON orders FROM regress_owner;
SELECT socketio_watch('orders');
SELECT socketio_unwatch('orders');
RESET ROLE;
SELECT * FROM watches;
-- The trigger function asks for no rights of those who change rows.
GRANT TRIGGER ON orders TO regress_owner;
GRANT INSERT ON orders TO regress_app;
SELECT socketio_watch('orders', 'payload=keys');
SET ROLE regress_app;
INSERT INTO orders VALUES (1, 7, 'new');
RESET ROLE;
-- A SECURITY DEFINER function lends its owner's rights.
CREATE FUNCTION stop_watching() RETURNS void LANGUAGE sql SECURITY DEFINER AS $$ SELECT socketio_unwatch('orders') $$;
SET ROLE regress_app;
SELECT stop_watching();
RESET ROLE;
DROP FUNCTION stop_watching();
-- A first watch does not keep readers away; one that replaces takes the lock of DROP TRIGGER from the start.
CREATE FUNCTION pg_temp.keeps_readers_away() RETURNS boolean LANGUAGE sql AS $$
	SELECT bool_or(mode = 'AccessExclusiveLock') FROM pg_locks WHERE relation = 'orders'::regclass AND pid = pg_backend_pid()
$$;
BEGIN;
SELECT socketio_watch('orders');
SELECT pg_temp.keeps_readers_away();
COMMIT;
BEGIN;
SELECT socketio_watch('orders');
SELECT pg_temp.keeps_readers_away();
COMMIT;
-- Who lacks the rights does not get as far as to wait for a lock.
REVOKE TRIGGER ON orders FROM regress_app;
BEGIN;
LOCK TABLE orders;
\setenv PGDATABASE :DBNAME
\! psql -Xqt -v VERBOSITY=verbose -c "SET lock_timeout = '10s'" -c 'SET ROLE regress_app' -c "SELECT socketio_watch('orders')" -c "SELECT socketio_unwatch('orders')"
ROLLBACK;
-- Where DDL is out of place
BEGIN READ ONLY;
SELECT socketio_watch('orders');
ROLLBACK;
BEGIN READ ONLY;
SELECT socketio_unwatch('orders');
ROLLBACK;

-- Many tables with one query
CREATE TABLE payments (id int PRIMARY KEY);
SELECT socketio_watch(oid, 'payload=keys', 'rooms=' || relname) FROM pg_class
WHERE relname IN ('orders', 'payments') AND relkind = 'r' ORDER BY relname;
SELECT * FROM watches;
SELECT socketio_unwatch("table") FROM (SELECT DISTINCT "table" FROM socketio_watches) AS watched;
SELECT * FROM watches;

-- Off is for what is emitted, not for who is watched.
SET socketio_emitter.enabled = off;
SELECT socketio_watch('payments', 'payload=keys');
INSERT INTO payments VALUES (1);
RESET socketio_emitter.enabled;
INSERT INTO payments VALUES (2);

DROP VIEW watches, triggers;
DROP TABLE orders, payments;
DROP ROLE regress_app, regress_owner;
