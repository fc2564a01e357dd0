-- Row changes: what is told of them, in each of the four kinds of payload, by row triggers and by statement triggers.
\getenv root PG_ABS_SRCDIR
\set changes :root '/test/regress/changes.sql'
\set ECHO none
\i :changes
\set ECHO all

CREATE TABLE orders (id int PRIMARY KEY, user_id int, status text, total numeric(8, 2));

-- The whole messages, byte for byte: row by row
SELECT pg_temp.for_rows('orders');
SELECT pg_temp.for_truncate('orders');
INSERT INTO orders VALUES (1, 7, 'new', 12.50), (2, NULL, NULL, NULL);
UPDATE orders SET status = 'paid' WHERE id = 1;
DELETE FROM orders;
TRUNCATE orders;
SELECT pg_temp.for_rows('orders', 'payload=record');
SELECT pg_temp.for_truncate('orders', 'payload=record');
INSERT INTO orders VALUES (1, 7, 'new', 12.50);
UPDATE orders SET status = 'paid';
DELETE FROM orders;
TRUNCATE orders;
SELECT pg_temp.for_rows('orders', 'payload=diff');
SELECT pg_temp.for_truncate('orders', 'payload=diff');
INSERT INTO orders VALUES (1, 7, 'new', 12.50);
UPDATE orders SET status = 'paid', total = NULL;
UPDATE orders SET id = 2;
DELETE FROM orders;
TRUNCATE orders;
SELECT pg_temp.for_rows('orders', 'payload=keys');
SELECT pg_temp.for_truncate('orders', 'payload=keys');
INSERT INTO orders VALUES (1, 7, 'new', 12.50);
UPDATE orders SET status = 'paid';
UPDATE orders SET id = 2;
DELETE FROM orders;
TRUNCATE orders;
DROP TRIGGER announce ON orders;

-- And statement by statement
SELECT pg_temp.for_statements('orders', 'payload=change');
INSERT INTO orders VALUES (1, 7, 'new', 12.50), (2, NULL, NULL, NULL);
UPDATE orders SET status = 'paid';
DELETE FROM orders;
TRUNCATE orders;
SELECT pg_temp.for_statements('orders', 'payload=record');
INSERT INTO orders VALUES (1, 7, 'new', 12.50), (2, NULL, NULL, NULL);
UPDATE orders SET status = 'paid';
DELETE FROM orders;
SELECT pg_temp.for_statements('orders', 'payload=diff');
INSERT INTO orders VALUES (1, 7, 'new', 12.50), (2, NULL, NULL, NULL);
UPDATE orders SET status = 'paid', id = CASE id WHEN 2 THEN 3 ELSE id END;
DELETE FROM orders;
SELECT pg_temp.for_statements('orders', 'payload=keys');
INSERT INTO orders VALUES (1, 7, 'new', 12.50), (2, NULL, NULL, NULL);
UPDATE orders SET status = 'paid';
UPDATE orders SET id = CASE id WHEN 2 THEN 3 ELSE id END;
DELETE FROM orders;
DROP TRIGGER announce_insert ON orders;
DROP TRIGGER announce_update ON orders;
DROP TRIGGER announce_delete ON orders;

-- The same as msgpack, when the message becomes an attachment
SET socketio_emitter.payload_threshold = 1;
SELECT pg_temp.for_rows('orders');
INSERT INTO orders VALUES (1, 7, 'new', 12.50);
SELECT pg_temp.for_rows('orders', 'payload=diff');
UPDATE orders SET status = 'paid';
SELECT pg_temp.for_rows('orders', 'payload=keys');
UPDATE orders SET id = 2;
SELECT pg_temp.for_rows('orders', 'payload=record');
DELETE FROM orders;
TRUNCATE orders;
SELECT pg_temp.for_statements('orders', 'payload=diff');
DROP TRIGGER announce ON orders;
INSERT INTO orders VALUES (1, 7, 'new', 12.50);
UPDATE orders SET total = 3.00;
DELETE FROM orders;
RESET socketio_emitter.payload_threshold;
SELECT encode(payload, 'hex') FROM socket_io_attachments ORDER BY id;
SELECT regress.msgpack(payload) FROM socket_io_attachments ORDER BY id;
DROP TABLE orders;
TRUNCATE socket_io_attachments RESTART IDENTITY;

-- From here on as events: each kind for rows, and for statements with the same changes
:collect

-- Names and values that JSON has to escape
CREATE TABLE "a ""b"" \ c" ("d ""e"" \" int PRIMARY KEY, "ü😀" text, "	" text);
SELECT pg_temp.for_both('"a ""b"" \ c"', 'payload=change');
INSERT INTO "a ""b"" \ c" VALUES (1, E'"\\\n', '😀');
UPDATE "a ""b"" \ c" SET "ü😀" = E'\u0001';
DELETE FROM "a ""b"" \ c";
SELECT pg_temp.for_both('"a ""b"" \ c"', 'payload=diff');
INSERT INTO "a ""b"" \ c" VALUES (1, E'"\\\n', '😀');
UPDATE "a ""b"" \ c" SET "ü😀" = E'\u0001';
DELETE FROM "a ""b"" \ c";
DROP TABLE "a ""b"" \ c";
:show

-- A table without columns, and one whose columns are all gone
CREATE TABLE bare ();
SELECT pg_temp.for_both('bare', 'payload=change');
INSERT INTO bare DEFAULT VALUES;
DELETE FROM bare;
ALTER TABLE bare ADD a int;
INSERT INTO bare VALUES (1);
ALTER TABLE bare DROP a;
DELETE FROM bare;
DROP TABLE bare;
:show

-- columns and exclude: those of a row, in the table's order
CREATE TABLE orders (id int PRIMARY KEY, user_id int, status text, total numeric);
SELECT pg_temp.for_both('orders', 'columns=total,status');
INSERT INTO orders VALUES (1, 7, 'new', 1), (2, 8, NULL, NULL);
UPDATE orders SET user_id = 9 WHERE id = 1;
DELETE FROM orders;
:show
SELECT pg_temp.for_both('orders', 'exclude=total,id', 'payload=record');
INSERT INTO orders VALUES (1, 7, 'new', 1), (2, 8, NULL, NULL);
UPDATE orders SET user_id = 9 WHERE id = 1;
DELETE FROM orders;
DROP TABLE orders;
:show

-- diff: what an UPDATE changed, by what is stored, not by what compares as equal. Nothing changed, nothing to tell.
CREATE TABLE orders (id int PRIMARY KEY, a int, b numeric, c float8, d text, e jsonb, f int[], g char(3), h timestamptz);
SELECT pg_temp.for_both('orders', 'payload=diff');
INSERT INTO orders VALUES (1, 1, 1.0, 0, 'x', '{"a":1}', '{1,2}', 'a', '2024-02-29Z');
:show
UPDATE orders SET id = id, a = 1, b = 1.0, c = 0, d = 'x', e = '{ "a" : 1 }', f = '{1,2}', g = 'a', h = '2024-02-29 01:00+01';
UPDATE orders SET d = d || '' WHERE id < 2;
UPDATE orders SET id = 5 WHERE false;
:show
UPDATE orders SET a = NULL;
UPDATE orders SET a = NULL;
UPDATE orders SET a = 1, d = NULL;
UPDATE orders SET d = '';
UPDATE orders SET b = 1.00;
UPDATE orders SET c = '-0';
UPDATE orders SET d = 'X', e = '{"a":1.0}', f = '[0:1]={1,2}', g = 'A', h = NULL;
UPDATE orders SET f[1] = 3;
:show
-- The key: old values under `key`, the changed ones in both rows
UPDATE orders SET id = 2;
UPDATE orders SET id = 3, a = 2;
:show
-- Rows that did not change are left out; when there are none left, so is the event.
INSERT INTO orders (id, a) VALUES (4, 4), (5, 5);
:show
UPDATE orders SET a = CASE WHEN a = 4 THEN 40 ELSE a END;
UPDATE orders SET a = a;
DELETE FROM orders;
DROP TABLE orders;
:show
-- With columns: what is not told of is not looked at, but for the key and rooms.
CREATE TABLE orders (id int PRIMARY KEY, user_id int, status text, note text);
SELECT pg_temp.for_both('orders', 'payload=diff', 'columns=id,status', 'rooms=user:{user_id}');
INSERT INTO orders VALUES (1, 7, 'new', 'x'), (2, 7, 'new', 'y');
UPDATE orders SET note = 'z';
:show
UPDATE orders SET status = 'seen', note = 'zz' WHERE id = 1;
UPDATE orders SET user_id = 8 WHERE id = 1;
UPDATE orders SET id = 3 WHERE id = 1;
UPDATE orders SET user_id = NULL WHERE id = 2;
UPDATE orders SET note = 'nobody knows' WHERE id = 2;
UPDATE orders SET user_id = 7 WHERE id = 2;
DELETE FROM orders;
:show
-- The key is always told, even where columns does not name it.
SELECT pg_temp.for_both('orders', 'payload=diff', 'columns=status');
INSERT INTO orders VALUES (1, 7, 'new', 'x');
UPDATE orders SET status = 'seen', note = 'y';
UPDATE orders SET id = 2;
UPDATE orders SET note = 'z';
DELETE FROM orders;
:show
SELECT pg_temp.for_both('orders', 'payload=diff', 'exclude=user_id,note');
INSERT INTO orders VALUES (1, 7, 'new', 'x');
UPDATE orders SET status = 'seen', note = 'y';
UPDATE orders SET note = 'z';
DELETE FROM orders;
DROP TABLE orders;
:show

-- keys: of several columns; the old key behind the new one where they differ in any
CREATE TABLE lines (note text, line int, order_id int, "when" date, PRIMARY KEY (order_id, line, "when"));
SELECT pg_temp.for_both('lines', 'payload=keys');
INSERT INTO lines VALUES ('x', 1, 100, '2024-02-29'), ('y', 2, 100, '2024-02-29');
UPDATE lines SET note = 'z';
:show
UPDATE lines SET line = 3 WHERE line = 2;
UPDATE lines SET line = line + 1, "when" = '2024-03-01';
UPDATE lines SET order_id = CASE line WHEN 2 THEN 101 ELSE order_id END;
UPDATE lines SET line = line, note = 'changed';
DELETE FROM lines;
:show
SELECT pg_temp.for_both('lines', 'payload=diff');
INSERT INTO lines VALUES ('x', 1, 100, '2024-02-29'), ('y', 2, 100, '2024-02-29');
UPDATE lines SET note = 'z';
UPDATE lines SET line = 3 WHERE line = 2;
DELETE FROM lines;
DROP TABLE lines;
:show

-- bytea is binary, at any depth; where a diff or a key leaves it out, the message is not.
CREATE TYPE file AS (name text, body bytea);
CREATE TABLE uploads (id int PRIMARY KEY, body bytea, files file[], note text);
SELECT pg_temp.for_both('uploads', 'payload=change');
INSERT INTO uploads VALUES (1, '\xdeadbeef', ARRAY[ROW('a', '\x00'), NULL]::file[], 'x'), (2, NULL, NULL, 'y');
UPDATE uploads SET note = 'z' WHERE id = 2;
DELETE FROM uploads;
:show
SELECT pg_temp.for_both('uploads', 'payload=diff');
INSERT INTO uploads VALUES (1, '\xdeadbeef', ARRAY[ROW('a', '\x00'), NULL]::file[], 'x');
UPDATE uploads SET note = 'y';
UPDATE uploads SET body = '\x';
UPDATE uploads SET body = NULL, files[1].body = '\x01';
DELETE FROM uploads;
DROP TABLE uploads;
:show
CREATE TABLE uploads (hash bytea PRIMARY KEY, body bytea);
SELECT pg_temp.for_both('uploads', 'payload=keys');
INSERT INTO uploads VALUES ('\x01', '\xdeadbeef');
UPDATE uploads SET body = NULL;
UPDATE uploads SET hash = '\x02';
DELETE FROM uploads;
DROP TABLE uploads;
DROP TYPE file;
:show

-- TRUNCATE: of each kind the same; of several tables at once, with those that refer to them
CREATE TABLE orders (id int PRIMARY KEY);
CREATE TABLE lines (order_id int REFERENCES orders);
SELECT pg_temp.for_truncate('orders', 'payload=change');
TRUNCATE orders, lines;
SELECT pg_temp.for_truncate('orders', 'payload=record');
TRUNCATE orders, lines;
SELECT pg_temp.for_truncate('orders', 'payload=diff');
TRUNCATE orders, lines;
SELECT pg_temp.for_truncate('orders', 'payload=keys');
TRUNCATE orders, lines;
SELECT pg_temp.for_truncate('lines', 'nsp=/', 'event={op}/{OP}', 'rooms={schema},{table}', 'except={op}', 'volatile');
SET client_min_messages = warning;
TRUNCATE orders RESTART IDENTITY CASCADE;
RESET client_min_messages;
:show
-- All triggers of a table may have the same options: what only concerns rows means nothing to TRUNCATE.
SELECT pg_temp.for_truncate('lines', 'columns=order_id');
TRUNCATE lines;
SELECT pg_temp.for_truncate('lines', 'exclude=order_id', 'payload=record');
TRUNCATE lines;
:show
DROP TABLE lines, orders;
:take
