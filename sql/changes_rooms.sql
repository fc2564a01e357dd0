-- Row changes: whom an event is for, and what it is called, when templates name columns.
\getenv root PG_ABS_SRCDIR
\set changes :root '/test/regress/changes.sql'
\set ECHO none
\i :changes
\set ECHO all
:collect

-- NULL in a column drops the room, not the event; where none is left of those that were asked for, there is nobody to tell.
CREATE TABLE orders (id int PRIMARY KEY, user_id int, shop text, status text);
\set trigger 'CREATE OR REPLACE TRIGGER announce AFTER INSERT OR UPDATE OR DELETE ON orders FOR EACH ROW EXECUTE FUNCTION socketio_emit_changes'
:trigger ('payload=keys', 'rooms=user:{user_id},shop:{shop},{shop}:{status}');
INSERT INTO orders VALUES (1, 7, 'north', 'new'), (2, NULL, 'north', 'new'), (3, 7, NULL, NULL), (4, NULL, 'north', NULL),
	(5, NULL, NULL, 'new'), (6, 7, NULL, 'new');
:show
DELETE FROM orders;
:show
:trigger ('payload=keys', 'rooms=user:{user_id},staff');
INSERT INTO orders VALUES (1, 7, 'north', 'new'), (2, NULL, 'north', 'new');
:show
TRUNCATE orders;
-- except: NULL drops the room, and the event is for everyone else
:trigger ('payload=keys', 'except=user:{user_id},shop:{shop}');
INSERT INTO orders VALUES (1, 7, 'north', 'new'), (2, NULL, 'north', 'new'), (3, NULL, NULL, 'new');
:show
DELETE FROM orders;
:show
-- event: there is no event without a name, and so no row.
:trigger ('payload=keys', 'event=order:{status}');
INSERT INTO orders VALUES (1, 7, 'north', NULL);
INSERT INTO orders VALUES (1, 7, 'north', 'new'), (2, 7, 'north', NULL);
INSERT INTO orders VALUES (1, 7, 'north', 'new');
UPDATE orders SET status = NULL;
UPDATE orders SET status = 'seen';
DELETE FROM orders;
:show
-- Where nobody is to hear of it, it needs none.
:trigger ('payload=keys', 'event=order:{status}', 'rooms=user:{user_id}');
INSERT INTO orders VALUES (1, NULL, 'north', NULL), (2, 7, 'north', 'new');
UPDATE orders SET user_id = 7 WHERE id = 1;
:show
TRUNCATE orders;
-- A row without one that is in the table all the same can be deleted and mended. What is not told is warned of, once a statement.
SET socketio_emitter.enabled = off;
INSERT INTO orders SELECT id, 7, 'north', CASE WHEN id > 7 THEN 'connect' END FROM generate_series(1, 12) AS id;
RESET socketio_emitter.enabled;
:trigger ('payload=keys', 'event={status}');
DELETE FROM orders WHERE id IN (1, 2);
DELETE FROM orders WHERE id = 8;
UPDATE orders SET shop = 'south' WHERE id IN (3, 4);
UPDATE orders SET status = 'mended' WHERE id = 4;
UPDATE orders SET status = NULL WHERE id = 4;
UPDATE orders SET status = 'disconnect' WHERE id = 4;
UPDATE orders SET shop = 'south' WHERE id = 9;
UPDATE orders SET status = 'disconnect' WHERE id = 9;
UPDATE orders SET status = 'mended' WHERE id = 9;
UPDATE orders SET status = CASE WHEN id = 10 THEN 'mended' ELSE status END WHERE id IN (3, 10);
DELETE FROM orders;
:show
SET socketio_emitter.enabled = off;
INSERT INTO orders VALUES (1, 7, 'north', NULL), (2, 8, 'north', 'new'), (3, 7, 'north', 'connect');
RESET socketio_emitter.enabled;
DROP TRIGGER announce ON orders;
SELECT pg_temp.for_statements('orders', 'payload=keys', 'event={status}', 'rooms=user:{user_id}');
UPDATE orders SET shop = 'south';
UPDATE orders SET status = NULL WHERE id = 2;
UPDATE orders SET status = 'mended' WHERE id = 1;
DELETE FROM orders;
:show
DROP TRIGGER announce_insert ON orders;
DROP TRIGGER announce_update ON orders;
DROP TRIGGER announce_delete ON orders;

-- A row that moves from room to room is told to both at once, each room once.
:trigger ('payload=keys', 'rooms=user:{user_id},shop:{shop}', 'except=status:{status}');
INSERT INTO orders VALUES (1, 7, 'north', 'new');
UPDATE orders SET user_id = 8;
UPDATE orders SET status = 'seen';
UPDATE orders SET user_id = 9, shop = 'south', status = 'left';
UPDATE orders SET user_id = NULL;
UPDATE orders SET user_id = 7, shop = NULL;
UPDATE orders SET user_id = NULL;
UPDATE orders SET status = 'nobody knows';
UPDATE orders SET shop = 'north', status = NULL;
UPDATE orders SET shop = 'south', status = 'left';
DELETE FROM orders;
:show
-- The event's name and `except` are those of the new row; of the old one when there is no other.
:trigger ('payload=keys', 'event={op} {status}', 'except={status}');
INSERT INTO orders VALUES (1, 7, 'north', 'new');
UPDATE orders SET status = 'seen';
DELETE FROM orders;
:show
-- The same rooms the other way round
:trigger ('payload=keys', 'rooms={shop},{status}');
INSERT INTO orders VALUES (1, 7, 'a', 'b');
UPDATE orders SET shop = 'b', status = 'a';
UPDATE orders SET shop = 'b', status = 'b';
DELETE FROM orders;
:show

-- Rooms are sets: those of one row that come to the same are one.
:trigger ('payload=keys', 'rooms=a,a,{shop},{status},a', 'except=b,{shop},b');
INSERT INTO orders VALUES (1, 7, 'a', 'a'), (2, 7, 'b', 'b'), (3, 7, NULL, 'c');
:show
DELETE FROM orders;
:show
-- Many
SELECT format('CREATE OR REPLACE TRIGGER announce AFTER INSERT ON orders FOR EACH ROW
	EXECUTE FUNCTION socketio_emit_changes(''payload=keys'', %L)',
	'rooms=' || string_agg(i || ':{id}', ',' ORDER BY i))
FROM generate_series(1, 200) AS i
\g :capture
\o
\set create_trigger `cat :'capture'`
:create_trigger;
:collect
INSERT INTO orders VALUES (1);
:take
SELECT jsonb_array_length(rooms), rooms ->> 0, rooms ->> 199,
	rooms = (SELECT jsonb_agg(i || ':1' ORDER BY i) FROM generate_series(1, 200) AS i)
FROM regress.messages(:'notifications') CROSS JOIN LATERAL (SELECT message #> '{data,opts,rooms}') AS opts(rooms);
:collect
DROP TABLE orders;

-- TRUNCATE has no row: rooms that would need one are dropped, and nobody is told if none is left.
CREATE TABLE orders (id int, user_id int);
\set truncate 'CREATE OR REPLACE TRIGGER announce AFTER TRUNCATE ON orders FOR EACH STATEMENT EXECUTE FUNCTION socketio_emit_changes'
:truncate ('rooms=user:{user_id},staff,{table}:{op}', 'except=user:{user_id},{OP}', 'event={schema}');
TRUNCATE orders;
:truncate ('except=user:{user_id}');
TRUNCATE orders;
:show
:truncate ('rooms=user:{user_id}');
TRUNCATE orders;
:show
:truncate ('event={table}:{id}');
:truncate ('event={id}', 'rooms=a');
-- Nor is that found out too late where nobody checks first.
ALTER EVENT TRIGGER socketio_emitter_check_trigger DISABLE;
:truncate ('event={table}:{id}');
ALTER EVENT TRIGGER socketio_emitter_check_trigger ENABLE;
INSERT INTO orders VALUES (1, 7);
TRUNCATE orders;
:take
SELECT * FROM orders;
DROP TABLE orders;
:collect

-- What a column of each type is in a template: what it is in JSON, without the quotes
CREATE TYPE mood AS ENUM ('sad', 'it''s {ok}', 'ünser, 😀');
CREATE DOMAIN small AS int CHECK (VALUE < 100);
CREATE DOMAIN smaller AS small;
CREATE DOMAIN label AS text;
CREATE DOMAIN feeling AS mood;
CREATE DOMAIN since AS timestamptz;
CREATE FUNCTION pg_temp.tell(type text, "values" text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE TABLE told (v %s)', type);
	CREATE TRIGGER announce AFTER INSERT ON told FOR EACH ROW
		EXECUTE FUNCTION socketio_emit_changes('event={v}', 'rooms= [{v}] ,{v}', 'except={v}!{v}', 'payload=record');
	EXECUTE format('INSERT INTO told VALUES %s', "values");
	DROP TABLE told;
END
$$;
SELECT pg_temp.tell('boolean', '(true), (false)');
SELECT pg_temp.tell('int2', '(-32768), (32767)');
SELECT pg_temp.tell('int4', '(0), (-2147483648)');
SELECT pg_temp.tell('int8', '(9223372036854775807), (-9223372036854775808)');
SELECT pg_temp.tell('oid', '(4294967295)');
SELECT pg_temp.tell('numeric', '(0.0), (-1.50), (1e20), (1e-10), (''NaN''), (''Infinity''), (''-Infinity'')');
SELECT pg_temp.tell('numeric(10, 3)', '(1), (12345.6789)');
SELECT pg_temp.tell('float8', '(0::float8), (''-0''), (0.1), (1e21), (1e-7), (''NaN''), (''Infinity''), (''-Infinity'')');
SELECT pg_temp.tell('float4', '(0.1), (16777217), (''NaN'')');
SELECT pg_temp.tell('text', $$(''), (' '), ('plain'), ('a,b'), ('{v}'), ('{'), ('}}'), ('"'), ('\'), (E'a\nb\tc'), ('ünser 😀')$$);
SELECT pg_temp.tell('varchar(4)', '(''a,b''), ('' a  '')');
SELECT pg_temp.tell('char(4)', '(''ab'')');
SELECT pg_temp.tell('"char"', '(''a'')');
SELECT pg_temp.tell('name', '(''a name'')');
SELECT pg_temp.tell('date', '(''2024-02-29''), (''0044-03-15 BC''), (''infinity''), (''-infinity'')');
SELECT pg_temp.tell('timestamp', '(''2024-02-29 23:59:59.5''), (''0044-03-15 12:00 BC''), (''infinity'')');
SELECT pg_temp.tell('timestamptz', '(''2024-02-29 23:59:59.5Z''), (''-infinity'')');
SELECT pg_temp.tell('time', '(''23:59:59.999999'')');
SELECT pg_temp.tell('timetz', '(''23:59:59.5-03:30'')');
SELECT pg_temp.tell('interval', '(''1 year -2 mons 3 days 04:05:06.789'')');
SELECT pg_temp.tell('uuid', '(''A0EEBC99-9c0b-4ef8-bb6d-6bb9bd380a11'')');
SELECT pg_temp.tell('inet', '(''192.168.0.1/24''), (''::1'')');
SELECT pg_temp.tell('cidr', '(''10.0.0.0/8'')');
SELECT pg_temp.tell('macaddr', '(''08-00-2b-01-02-03'')');
SELECT pg_temp.tell('bit(3)', '(B''101'')');
SELECT pg_temp.tell('money', '(''12.34'')');
SELECT pg_temp.tell('point', '(''(1,2)'')');
SELECT pg_temp.tell('int4range', '(''[1,5)''), (''empty'')');
SELECT pg_temp.tell('int4multirange', '(''{[1,3),[5,8)}'')');
SELECT pg_temp.tell('regclass', '(''pg_class'')');
SELECT pg_temp.tell('pg_lsn', '(''16/B374D848'')');
SELECT pg_temp.tell('mood', '(''sad''), (''it''''s {ok}''), (''ünser, 😀'')');
SELECT pg_temp.tell('small', '(99)');
SELECT pg_temp.tell('smaller', '(-1)');
SELECT pg_temp.tell('label', '(''a,{b}'')');
SELECT pg_temp.tell('feeling', '(''sad'')');
SELECT pg_temp.tell('since', '(''2024-02-29 12:00Z'')');
:show
-- Dates and times are ISO 8601 in UTC, whatever DateStyle and TimeZone are.
SET DateStyle = 'SQL, DMY';
SET TimeZone = 'Asia/Kathmandu';
SELECT pg_temp.tell('date', '(''29/02/2024'')');
SELECT pg_temp.tell('timestamp', '(''29/02/2024 23:59:59.5'')');
SELECT pg_temp.tell('timestamptz', '(''29/02/2024 23:59:59.5 UTC'')');
SELECT pg_temp.tell('since', '(''29/02/2024 12:00 UTC'')');
SET DateStyle = 'German';
SET TimeZone = 'America/New_York';
SELECT pg_temp.tell('date', '(''29.02.2024'')');
SELECT pg_temp.tell('timestamptz', '(''29.02.2024 23:59:59.5 UTC'')');
RESET DateStyle;
RESET TimeZone;
:show
-- Long values: stored compressed and out of line
CREATE TABLE told (v text, w text);
ALTER TABLE told ALTER w SET STORAGE EXTERNAL, SET (toast_tuple_target = 128);
CREATE TRIGGER announce AFTER INSERT OR DELETE ON told FOR EACH ROW
	EXECUTE FUNCTION socketio_emit_changes('rooms={v},{w}', 'event=long', 'columns=v');
INSERT INTO told VALUES (repeat('ab', 1500), repeat('cd', 1500));
DELETE FROM told;
:take
SELECT path, message #> '{data,opts,rooms}' = jsonb_build_array(repeat('ab', 1500), repeat('cd', 1500)) AS rooms
FROM regress.messages(:'notifications');
:collect
DROP TABLE told;

-- Types whose values have no text of their own
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN document AS json;
CREATE DOMAIN hash AS bytea;
CREATE DOMAIN numbers AS int[];
CREATE DOMAIN twosome AS pair;
SELECT pg_temp.tell('json', '(''1'')');
SELECT pg_temp.tell('jsonb', '(''1'')');
SELECT pg_temp.tell('bytea', '(''1'')');
SELECT pg_temp.tell('int[]', '(''{1}'')');
SELECT pg_temp.tell('text[]', '(''{1}'')');
SELECT pg_temp.tell('mood[]', '(''{sad}'')');
SELECT pg_temp.tell('pair', '(''(1,a)'')');
SELECT pg_temp.tell('document', '(''1'')');
SELECT pg_temp.tell('hash', '(''1'')');
SELECT pg_temp.tell('numbers', '(''{1}'')');
SELECT pg_temp.tell('twosome', '(''(1,a)'')');
:show
DROP DOMAIN twosome, numbers, hash, document;
DROP TYPE pair;
DROP DOMAIN since, feeling, label, smaller, small;
DROP TYPE mood;

-- columns and exclude say what is told, not what templates may name.
CREATE TABLE orders (id int PRIMARY KEY, user_id int, secret text);
:trigger ('rooms=user:{user_id},{secret}', 'event=e {secret}', 'except={user_id}', 'columns=id');
INSERT INTO orders VALUES (1, 7, 'x');
UPDATE orders SET user_id = 8;
DELETE FROM orders;
:trigger ('rooms=user:{user_id},{secret}', 'exclude=user_id,secret');
INSERT INTO orders VALUES (1, 7, 'x');
UPDATE orders SET secret = 'y';
DELETE FROM orders;
:show
DROP TABLE orders;
:take
