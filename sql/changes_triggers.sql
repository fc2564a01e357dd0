-- Row changes: kinds of triggers, when they fire, and what becomes of their events with the transaction.
\getenv root PG_ABS_SRCDIR
\set changes :root '/test/regress/changes.sql'
\set ECHO none
\i :changes
\set ECHO all
CREATE TABLE orders (id int PRIMARY KEY, user_id int, status text);
:collect

-- Only as a trigger
SELECT socketio_emit_changes();

-- BEFORE is too early: refused when it is made, for rows and for statements.
CREATE TRIGGER announce BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION socketio_emit_changes();
CREATE TRIGGER announce BEFORE INSERT OR UPDATE OR DELETE ON orders FOR EACH ROW EXECUTE FUNCTION socketio_emit_changes('payload=keys');
CREATE TRIGGER announce BEFORE INSERT ON orders FOR EACH STATEMENT EXECUTE FUNCTION socketio_emit_changes();
CREATE TRIGGER announce BEFORE TRUNCATE ON orders FOR EACH STATEMENT EXECUTE FUNCTION socketio_emit_changes();
-- And when it fires, where nobody checked
ALTER EVENT TRIGGER socketio_emitter_check_trigger DISABLE;
CREATE TRIGGER announce BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION socketio_emit_changes();
INSERT INTO orders VALUES (1, 7, 'new');
DROP TRIGGER announce ON orders;
CREATE TRIGGER announce BEFORE UPDATE ON orders FOR EACH STATEMENT EXECUTE FUNCTION socketio_emit_changes();
UPDATE orders SET status = 'seen';
DROP TRIGGER announce ON orders;
CREATE TRIGGER announce BEFORE TRUNCATE ON orders FOR EACH STATEMENT EXECUTE FUNCTION socketio_emit_changes();
TRUNCATE orders;
DROP TRIGGER announce ON orders;

-- A statement trigger needs the transition tables of what it fires for; so it says when it is made.
ALTER EVENT TRIGGER socketio_emitter_check_trigger ENABLE;
CREATE TRIGGER announce AFTER INSERT ON orders FOR EACH STATEMENT EXECUTE FUNCTION socketio_emit_changes();
CREATE TRIGGER announce AFTER UPDATE ON orders FOR EACH STATEMENT EXECUTE FUNCTION socketio_emit_changes();
CREATE TRIGGER announce AFTER UPDATE ON orders REFERENCING NEW TABLE AS news FOR EACH STATEMENT EXECUTE FUNCTION socketio_emit_changes();
CREATE TRIGGER announce AFTER UPDATE ON orders REFERENCING OLD TABLE AS olds FOR EACH STATEMENT EXECUTE FUNCTION socketio_emit_changes();
CREATE TRIGGER announce AFTER DELETE ON orders FOR EACH STATEMENT EXECUTE FUNCTION socketio_emit_changes();
CREATE TRIGGER announce AFTER INSERT OR DELETE ON orders FOR EACH STATEMENT EXECUTE FUNCTION socketio_emit_changes();
CREATE TRIGGER announce AFTER DELETE OR TRUNCATE ON orders FOR EACH STATEMENT EXECUTE FUNCTION socketio_emit_changes();
CREATE TRIGGER announce AFTER UPDATE OF status ON orders FOR EACH STATEMENT EXECUTE FUNCTION socketio_emit_changes('payload=record');
-- And when it fires
ALTER EVENT TRIGGER socketio_emitter_check_trigger DISABLE;
CREATE TRIGGER announce AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON orders FOR EACH STATEMENT EXECUTE FUNCTION socketio_emit_changes();
INSERT INTO orders VALUES (1, 7, 'new');
UPDATE orders SET status = 'seen';
DELETE FROM orders;
TRUNCATE orders;
DROP TRIGGER announce ON orders;
CREATE TRIGGER announce AFTER UPDATE ON orders REFERENCING NEW TABLE AS news FOR EACH STATEMENT EXECUTE FUNCTION socketio_emit_changes();
UPDATE orders SET status = 'seen';
DROP TRIGGER announce ON orders;
CREATE TRIGGER announce AFTER UPDATE ON orders REFERENCING OLD TABLE AS olds FOR EACH STATEMENT EXECUTE FUNCTION socketio_emit_changes();
UPDATE orders SET status = 'seen';
DROP TRIGGER announce ON orders;
ALTER EVENT TRIGGER socketio_emitter_check_trigger ENABLE;
:show
-- The names of transition tables are free; a row trigger may have some, too.
CREATE TRIGGER announce AFTER UPDATE ON orders REFERENCING NEW TABLE AS "Old" OLD TABLE AS orders
	FOR EACH STATEMENT EXECUTE FUNCTION socketio_emit_changes('payload=record');
CREATE TRIGGER announce_too AFTER UPDATE ON orders REFERENCING NEW TABLE AS news
	FOR EACH ROW EXECUTE FUNCTION socketio_emit_changes('payload=keys');
INSERT INTO orders VALUES (1, 7, 'new'), (2, 8, 'new');
UPDATE orders SET status = 'seen';
DROP TRIGGER announce ON orders;
DROP TRIGGER announce_too ON orders;
:show

-- The table of attachments cannot be told of, as that could take an attachment.
CREATE TRIGGER announce AFTER INSERT ON socket_io_attachments FOR EACH ROW EXECUTE FUNCTION socketio_emit_changes();
CREATE TRIGGER announce AFTER INSERT ON socket_io_attachments REFERENCING NEW TABLE AS news
	FOR EACH STATEMENT EXECUTE FUNCTION socketio_emit_changes('payload=keys');
CREATE TABLE attachments (LIKE socket_io_attachments INCLUDING ALL);
CREATE TRIGGER announce AFTER INSERT ON attachments FOR EACH ROW EXECUTE FUNCTION socketio_emit_changes('columns=id');
INSERT INTO attachments (id) VALUES (1001);
SET socketio_emitter.attachment_table = 'attachments';
INSERT INTO attachments (id) VALUES (1002);
SELECT socketio_emit_values(NULL, 'binary', '\x00'::bytea);
RESET socketio_emitter.attachment_table;
INSERT INTO attachments (id) VALUES (1003);
:show
DROP TABLE attachments;

-- WHEN and UPDATE OF decide which rows there are.
CREATE TRIGGER announce AFTER UPDATE OF status, user_id ON orders FOR EACH ROW WHEN (NEW.status = 'paid')
	EXECUTE FUNCTION socketio_emit_changes('payload=keys');
CREATE TRIGGER announce_changed AFTER UPDATE ON orders FOR EACH ROW WHEN (OLD IS DISTINCT FROM NEW)
	EXECUTE FUNCTION socketio_emit_changes('payload=keys', 'event=changed');
UPDATE orders SET status = CASE id WHEN 1 THEN 'paid' ELSE status END;
:show
UPDATE orders SET id = id + 10;
:show
UPDATE orders SET user_id = user_id;
:show
DROP TRIGGER announce ON orders;
DROP TRIGGER announce_changed ON orders;
DELETE FROM orders;

-- Of the statements a trigger is for, and of no other
CREATE TRIGGER announce AFTER DELETE ON orders FOR EACH ROW EXECUTE FUNCTION socketio_emit_changes('payload=keys');
INSERT INTO orders VALUES (1, 7, 'new');
UPDATE orders SET status = 'seen';
DELETE FROM orders;
:show

-- What a BEFORE trigger makes of a row is what is told; a row it cancels is not.
CREATE FUNCTION tidy() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.status := upper(NEW.status);
	RETURN CASE WHEN NEW.id > 0 THEN NEW END;
END
$$;
CREATE TRIGGER tidy BEFORE INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION tidy();
SELECT pg_temp.for_both('orders', 'payload=record');
INSERT INTO orders VALUES (1, 7, 'new'), (-1, 7, 'new'), (2, 8, 'new');
UPDATE orders SET status = 'seen', id = CASE id WHEN 1 THEN -1 ELSE id END;
INSERT INTO orders VALUES (-1, 7, 'new');
:show
DROP TRIGGER tidy ON orders;
DROP FUNCTION tidy();
DELETE FROM orders;
:show

-- A trigger that changes the table again: row triggers tell of it change by change, statement triggers as one statement after
-- the other ends.
CREATE FUNCTION count_down() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.user_id > 0 THEN
		UPDATE orders SET user_id = user_id - 1 WHERE id = NEW.id;
	END IF;
	RETURN NULL;
END
$$;
CREATE TRIGGER count_down AFTER INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION count_down();
INSERT INTO orders VALUES (1, 2, 'new');
:show
DROP TRIGGER count_down ON orders;
DROP FUNCTION count_down();
TRUNCATE orders;

-- Constraint triggers: at the end of the statement, or of the transaction
DROP TRIGGER announce_insert ON orders;
DROP TRIGGER announce_update ON orders;
DROP TRIGGER announce_delete ON orders;
DROP TRIGGER announce ON orders;
CREATE CONSTRAINT TRIGGER announce AFTER INSERT OR UPDATE OR DELETE ON orders DEFERRABLE INITIALLY DEFERRED
	FOR EACH ROW EXECUTE FUNCTION socketio_emit_changes('payload=diff');
BEGIN;
INSERT INTO orders VALUES (1, 7, 'new'), (2, 8, 'new');
UPDATE orders SET status = 'seen' WHERE id = 1;
DELETE FROM orders WHERE id = 2;
SELECT socketio_emit(event => 'before the deferred');
COMMIT;
:show
BEGIN;
SET CONSTRAINTS announce IMMEDIATE;
UPDATE orders SET status = 'paid';
SELECT socketio_emit(event => 'behind the immediate');
COMMIT;
:show
BEGIN;
UPDATE orders SET status = 'sent';
SELECT socketio_emit(event => 'before the deferred');
SET CONSTRAINTS ALL IMMEDIATE;
SELECT socketio_emit(event => 'behind the deferred');
COMMIT;
:show
BEGIN;
UPDATE orders SET status = 'never';
ROLLBACK;
BEGIN;
UPDATE orders SET status = 'kept';
SAVEPOINT s;
UPDATE orders SET status = 'taken back';
ROLLBACK TO s;
COMMIT;
:show
-- An error of a deferred trigger is one at COMMIT.
CREATE CONSTRAINT TRIGGER announce_status AFTER UPDATE ON orders DEFERRABLE INITIALLY DEFERRED
	FOR EACH ROW EXECUTE FUNCTION socketio_emit_changes('event={status}');
BEGIN;
UPDATE orders SET status = NULL;
SELECT socketio_emit(event => 'never');
COMMIT;
:show
DROP TRIGGER announce ON orders;
DROP TRIGGER announce_status ON orders;
TRUNCATE orders;

-- INSTEAD OF on a view: the row it is given is told and passed on; nothing is written.
CREATE VIEW wishes AS SELECT id, user_id, status FROM orders;
CREATE TRIGGER announce INSTEAD OF INSERT OR UPDATE OR DELETE ON wishes FOR EACH ROW
	EXECUTE FUNCTION socketio_emit_changes('rooms=user:{user_id}');
INSERT INTO orders VALUES (5, 7, 'new');
:take
INSERT INTO wishes VALUES (1, 7, 'wished'), (2, NULL, 'wished') RETURNING *;
UPDATE wishes SET status = 'urgent', user_id = 8 RETURNING *;
DELETE FROM wishes RETURNING *;
SELECT * FROM orders;
:collect
CREATE OR REPLACE TRIGGER announce INSTEAD OF INSERT OR UPDATE OR DELETE ON wishes FOR EACH ROW
	EXECUTE FUNCTION socketio_emit_changes('payload=record');
:take
INSERT INTO wishes VALUES (1, 7, 'wished') RETURNING *;
UPDATE wishes SET status = 'urgent' RETURNING *;
DELETE FROM wishes RETURNING *;
:collect
-- It passes rows on, too, when it is silent.
SET socketio_emitter.enabled = off;
:take
INSERT INTO wishes VALUES (1, 7, 'wished') RETURNING *;
UPDATE wishes SET status = 'urgent' RETURNING *;
DELETE FROM wishes RETURNING *;
RESET socketio_emitter.enabled;
:collect
-- Two of them: the second gets what the first passed on. A function that makes another row of it
CREATE FUNCTION number_wish() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.id := 100;
	RETURN NEW;
END
$$;
CREATE TRIGGER a_number INSTEAD OF INSERT ON wishes FOR EACH ROW EXECUTE FUNCTION number_wish();
INSERT INTO wishes VALUES (1, 7, 'wished');
DROP TRIGGER a_number ON wishes;
CREATE TRIGGER z_number INSTEAD OF INSERT ON wishes FOR EACH ROW EXECUTE FUNCTION number_wish();
INSERT INTO wishes VALUES (1, 7, 'wished');
:show
-- A view has no key.
CREATE OR REPLACE TRIGGER announce INSTEAD OF INSERT ON wishes FOR EACH ROW EXECUTE FUNCTION socketio_emit_changes('payload=keys');
INSERT INTO wishes VALUES (1, 7, 'wished');
CREATE OR REPLACE TRIGGER announce INSTEAD OF INSERT ON wishes FOR EACH ROW EXECUTE FUNCTION socketio_emit_changes('payload=diff');
INSERT INTO wishes VALUES (1, 7, 'wished');
CREATE OR REPLACE TRIGGER announce INSTEAD OF INSERT ON wishes FOR EACH ROW EXECUTE FUNCTION socketio_emit_changes('rooms={nothing}');
DROP VIEW wishes;
DROP FUNCTION number_wish();
TRUNCATE orders;

-- Events are part of the transaction, as all are.
SELECT pg_temp.for_both('orders', 'payload=keys');
BEGIN;
INSERT INTO orders VALUES (1, 7, 'new');
ROLLBACK;
BEGIN;
INSERT INTO orders VALUES (1, 7, 'new');
SAVEPOINT a;
INSERT INTO orders VALUES (2, 7, 'new');
SAVEPOINT b;
INSERT INTO orders VALUES (3, 7, 'new');
RELEASE b;
ROLLBACK TO a;
INSERT INTO orders VALUES (4, 7, 'new');
SAVEPOINT c;
UPDATE orders SET status = 'seen' WHERE id = 1;
RELEASE c;
COMMIT;
:show
INSERT INTO orders VALUES (5, 7, 'new'), (4, 7, 'new');
INSERT INTO orders VALUES (5, 7, 'new') \; INSERT INTO orders VALUES (4, 7, 'new');
DO $$
BEGIN
	INSERT INTO orders VALUES (5, 7, 'new');
	BEGIN
		INSERT INTO orders VALUES (6, 7, 'new');
		INSERT INTO orders VALUES (5, 7, 'new');
	EXCEPTION WHEN unique_violation THEN
		INSERT INTO orders VALUES (7, 7, 'new');
	END;
END
$$;
:show
-- The same twice is told twice.
BEGIN;
UPDATE orders SET status = 'seen' WHERE id = 1;
UPDATE orders SET status = 'seen' WHERE id = 1;
COMMIT;
:show
BEGIN;
UPDATE orders SET status = 'never' WHERE id = 1;
PREPARE TRANSACTION 'regress';
-- Nothing of an event remains where its trigger failed.
CREATE TRIGGER zzz AFTER UPDATE ON orders FOR EACH ROW WHEN (NEW.status IN ('bad', ''))
	EXECUTE FUNCTION socketio_emit_changes('event=connect{status}');
UPDATE orders SET status = '' WHERE id = 1;
UPDATE orders SET status = 'bad' WHERE id = 1;
DROP TRIGGER zzz ON orders;
:show

-- Silent: switched off, disabled, in a session that replays
SET socketio_emitter.enabled = off;
INSERT INTO orders VALUES (10, 7, 'unheard');
UPDATE orders SET status = 'unheard' WHERE id = 10;
DELETE FROM orders WHERE id = 10;
SELECT pg_temp.for_truncate('orders');
TRUNCATE orders;
INSERT INTO orders VALUES (1, 7, 'unheard'), (4, 7, 'unheard');
DROP TRIGGER announce_truncate ON orders;
BEGIN;
SET LOCAL socketio_emitter.enabled = on;
INSERT INTO orders VALUES (11, 7, 'heard');
COMMIT;
INSERT INTO orders VALUES (12, 7, 'unheard');
RESET socketio_emitter.enabled;
:show
ALTER TABLE orders DISABLE TRIGGER announce;
INSERT INTO orders VALUES (13, 7, 'new');
ALTER TABLE orders DISABLE TRIGGER ALL;
INSERT INTO orders VALUES (14, 7, 'new');
ALTER TABLE orders ENABLE TRIGGER ALL;
:show
SET session_replication_role = replica;
INSERT INTO orders VALUES (15, 7, 'new');
:show
ALTER TABLE orders ENABLE ALWAYS TRIGGER announce;
ALTER TABLE orders ENABLE REPLICA TRIGGER announce_insert;
INSERT INTO orders VALUES (16, 7, 'new');
RESET session_replication_role;
INSERT INTO orders VALUES (17, 7, 'new');
:show
ALTER TABLE orders ENABLE TRIGGER announce;
ALTER TABLE orders ENABLE TRIGGER announce_insert;
-- In the replica role, event triggers do not fire either: the first row finds out.
SET session_replication_role = replica;
CREATE TRIGGER unchecked AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION socketio_emit_changes('rooms={nothing}');
RESET session_replication_role;
INSERT INTO orders VALUES (18, 7, 'new');
DROP TRIGGER unchecked ON orders;

-- Anybody who may write the table has his changes told; who may create triggers needs no more than that.
CREATE ROLE regress_changes;
GRANT INSERT, UPDATE ON orders TO regress_changes;
GRANT CREATE ON SCHEMA public TO regress_changes;
SET ROLE regress_changes;
INSERT INTO orders VALUES (20, 9, 'of another');
CREATE TABLE files (id int PRIMARY KEY, body bytea);
CREATE TRIGGER announce AFTER INSERT ON files FOR EACH ROW EXECUTE FUNCTION socketio_emit_changes();
CREATE TRIGGER announce_wrong AFTER INSERT ON files FOR EACH ROW EXECUTE FUNCTION socketio_emit_changes('rooms={nothing}');
INSERT INTO files VALUES (1, '\xcafe');
RESET ROLE;
:show
DROP TABLE files;
REVOKE CREATE ON SCHEMA public FROM regress_changes;
DROP TABLE orders;
DROP ROLE regress_changes;

-- The settings of emits are those of changes: the channel's prefix, and when a message becomes an attachment
CREATE TABLE orders (id int PRIMARY KEY, status text);
SELECT pg_temp.for_both('orders', 'payload=record');
LISTEN "regress#/";
SET socketio_emitter.channel_prefix = 'regress';
INSERT INTO orders VALUES (1, 'new');
:take
SELECT n, channel FROM regress.notifications(:'notifications');
RESET socketio_emitter.channel_prefix;
:collect
-- 7999 bytes are a notification, 8000 are not.
SELECT pg_temp.for_rows('orders', 'payload=record');
INSERT INTO orders VALUES (2, '');
:take
SELECT bytes AS frame FROM regress.messages(:'notifications') WHERE n = 1
\gset
DROP TRIGGER announce_insert ON orders;
:collect
INSERT INTO orders VALUES (3, repeat('x', 7999 - :frame));
INSERT INTO orders VALUES (4, repeat('x', 8000 - :frame));
:take
SELECT path, bytes, message #>> '{data,packet,data,1,id}', length(message #>> '{data,packet,data,1,status}') + :frame AS due
FROM regress.messages(:'notifications');
DROP TABLE orders;
