-- Row changes by statement triggers: which rows travel in one event, in which order, and where a batch is cut.
\getenv root PG_ABS_SRCDIR
\set changes :root '/test/regress/changes.sql'
\set ECHO none
\i :changes
\set ECHO all
CREATE TABLE orders (id int PRIMARY KEY, user_id int, shop text, status text);
:collect

-- One event for all rows that are for the same rooms; the events in the order of each one's first row, rows in theirs
SELECT pg_temp.for_statements('orders', 'payload=keys', 'rooms=user:{user_id}');
INSERT INTO orders VALUES (1, 8, 'north', 'new'), (2, 7, 'north', 'new'), (3, 8, 'south', 'new'), (4, 9, 'south', 'new'),
	(5, 7, 'north', 'paid');
:show
UPDATE orders SET status = 'seen';
:show
DELETE FROM orders;
:show
-- A single row
INSERT INTO orders VALUES (1, 7, 'north', 'new');
UPDATE orders SET user_id = 8;
UPDATE orders SET user_id = NULL;
UPDATE orders SET status = 'nobody knows';
UPDATE orders SET user_id = 7, id = 2;
DELETE FROM orders;
INSERT INTO orders VALUES (1, NULL, 'north', 'new');
DELETE FROM orders;
:show
SELECT pg_temp.for_statements('orders', 'payload=diff', 'rooms=user:{user_id}', 'event={status}', 'except={shop}');
INSERT INTO orders VALUES (1, 7, 'north', 'new');
UPDATE orders SET status = status;
UPDATE orders SET status = 'connect';
UPDATE orders SET status = NULL;
UPDATE orders SET status = 'seen';
DELETE FROM orders;
:show
-- By event and except, too
SELECT pg_temp.for_statements('orders', 'payload=keys', 'rooms={shop}', 'event={status}', 'except=user:{user_id}');
INSERT INTO orders VALUES (1, 7, 'north', 'new'), (2, 7, 'north', 'paid'), (3, 8, 'north', 'new'), (4, 7, 'north', 'new'),
	(5, 7, 'south', 'new'), (6, 8, 'north', 'new'), (7, NULL, 'north', 'new');
:show
-- All in one where nothing depends on the row
SELECT pg_temp.for_statements('orders', 'payload=keys', 'rooms=staff,{op}', 'except={table}', 'volatile', 'compress=false');
UPDATE orders SET status = 'seen';
:show
-- The same rooms by other columns, and twice the same, are the same rooms.
SELECT pg_temp.for_statements('orders', 'payload=keys', 'rooms={shop},{status},{shop}');
UPDATE orders SET shop = 'a', status = 'b' WHERE id < 3;
DELETE FROM orders WHERE id > 2;
:show
INSERT INTO orders VALUES (3, 7, 'a', 'b'), (4, 7, 'a', 'a'), (5, 7, 'b', 'b'), (6, 7, 'a', NULL), (7, 7, NULL, 'a');
:show
DELETE FROM orders;
:show

-- NULL in rooms, except and event, as it is for a row
SELECT pg_temp.for_statements('orders', 'payload=keys', 'rooms=user:{user_id},shop:{shop}', 'except={status}');
INSERT INTO orders VALUES (1, 7, NULL, 'x'), (2, NULL, NULL, 'x'), (3, 7, NULL, NULL), (4, NULL, 'north', 'x'), (5, 7, NULL, 'x');
:show
UPDATE orders SET user_id = 8 WHERE id = 2;
UPDATE orders SET user_id = NULL, shop = NULL;
UPDATE orders SET status = 'nobody knows';
DELETE FROM orders;
:show
SELECT pg_temp.for_statements('orders', 'payload=keys', 'event=order:{status}', 'rooms=user:{user_id}');
INSERT INTO orders VALUES (1, 7, NULL, 'x'), (2, 7, NULL, NULL);
INSERT INTO orders VALUES (1, 7, NULL, 'x'), (2, NULL, NULL, NULL);
INSERT INTO orders VALUES (3, 7, NULL, 'x'), (4, 7, NULL, 'connect'), (5, 7, NULL, 'x');
SELECT pg_temp.for_statements('orders', 'payload=keys', 'event={status}');
INSERT INTO orders VALUES (6, 7, NULL, 'x'), (7, 7, NULL, 'connect'), (8, 7, NULL, 'x');
:show
DELETE FROM orders WHERE id > 5;
BEGIN;
DELETE FROM orders WHERE status IS NOT NULL;
ROLLBACK;
UPDATE orders SET status = 'y';
UPDATE orders SET status = NULL;
DELETE FROM orders;
UPDATE orders SET status = 'y';
DELETE FROM orders;
:show

-- A row that moves is told to its old and its new rooms, with those that are for the same ones.
SELECT pg_temp.for_statements('orders', 'payload=diff', 'rooms=user:{user_id}');
INSERT INTO orders VALUES (1, 7, 'north', 'new'), (2, 7, 'north', 'new'), (3, 8, 'north', 'new'), (4, 8, 'north', 'new'),
	(5, NULL, 'north', 'new');
:show
UPDATE orders SET user_id = 8, status = 'moved';
:show
UPDATE orders SET user_id = CASE id WHEN 2 THEN 8 WHEN 4 THEN NULL ELSE id END, status = 'moved again' WHERE id <> 3;
:show
UPDATE orders SET shop = 'south';
DELETE FROM orders;
:show
-- What did not change does not count: the first row is the first that is told of.
INSERT INTO orders VALUES (1, 7, 'north', 'new'), (2, 8, 'south', 'new'), (3, 7, 'south', 'new'), (4, 9, 'north', 'new');
:show
UPDATE orders SET shop = 'north';
:show
DELETE FROM orders;
:show

-- Old rows and new ones belong together, also where one row becomes the key of another.
SELECT pg_temp.for_statements('orders', 'payload=change', 'columns=id,status');
INSERT INTO orders (id, status) SELECT i, 'row ' || i FROM generate_series(1, 4) AS i;
CREATE TABLE moves (id int, new_id int);
INSERT INTO moves VALUES (1, 11), (2, 12), (3, 13), (4, 14);
UPDATE orders SET id = new_id FROM moves WHERE moves.id = orders.id;
:show
SELECT pg_temp.for_statements('orders', 'payload=keys');
BEGIN;
ALTER TABLE orders DROP CONSTRAINT orders_pkey, ADD PRIMARY KEY (id) DEFERRABLE INITIALLY DEFERRED;
COMMIT;
UPDATE orders SET id = 25 - id;
:show
DROP TABLE moves;
DELETE FROM orders;
:show

-- No row, no event
INSERT INTO orders SELECT 1 WHERE false;
UPDATE orders SET status = 'nobody';
DELETE FROM orders;
SELECT pg_temp.for_statements('orders', 'payload=change', 'rooms=user:{user_id}');
INSERT INTO orders SELECT 1 WHERE false;
UPDATE orders SET status = 'nobody';
DELETE FROM orders;
:show

-- ON CONFLICT: what was inserted, and what was updated
ALTER TABLE orders DROP CONSTRAINT orders_pkey, ADD PRIMARY KEY (id);
SELECT pg_temp.for_both('orders', 'payload=diff', 'columns=id,status');
INSERT INTO orders (id, status) VALUES (1, 'new'), (2, 'new');
:show
INSERT INTO orders (id, status) VALUES (2, 'again'), (3, 'again'), (1, 'again') ON CONFLICT (id) DO UPDATE SET status = excluded.status;
:show
INSERT INTO orders (id, status) VALUES (2, 'not'), (4, 'again'), (1, 'not') ON CONFLICT DO NOTHING;
INSERT INTO orders (id, status) VALUES (2, 'not') ON CONFLICT DO NOTHING;
INSERT INTO orders (id, status) VALUES (2, 'not'), (3, 'yes') ON CONFLICT (id) DO UPDATE SET status = excluded.status WHERE orders.id = 3;
:show
-- MERGE: each kind by itself
MERGE INTO orders USING (VALUES (1, 'merged'), (2, 'delete'), (3, 'leave'), (5, 'merged'), (6, 'merged')) AS source(id, status)
	ON orders.id = source.id
	WHEN MATCHED AND source.status = 'delete' THEN DELETE
	WHEN MATCHED AND source.status = 'leave' THEN DO NOTHING
	WHEN MATCHED THEN UPDATE SET status = source.status
	WHEN NOT MATCHED THEN INSERT (id, status) VALUES (source.id, source.status);
:show
-- COPY
COPY orders (id, status) FROM stdin;
7	copied
8	\N
\.
:show
-- Statements within a statement, each with its rows
WITH inserted AS (INSERT INTO orders (id, status) VALUES (9, 'with') RETURNING id),
	deleted AS (DELETE FROM orders WHERE id < 4 RETURNING id)
UPDATE orders SET status = 'with' WHERE id = 5;
:show
-- What foreign keys do for all rows of a statement is one event, too.
CREATE TABLE lines (order_id int REFERENCES orders ON DELETE CASCADE ON UPDATE CASCADE, line int, PRIMARY KEY (order_id, line));
SELECT pg_temp.for_statements('lines', 'payload=keys');
INSERT INTO lines VALUES (5, 1), (5, 2), (6, 1);
:show
DELETE FROM orders WHERE id IN (5, 6);
:show
INSERT INTO lines VALUES (7, 1), (7, 2);
UPDATE orders SET id = 70 WHERE id = 7;
:show
DROP TABLE lines, orders;
:take

-- A batch is cut where the next row would make the message longer than max_batch_bytes.
CREATE TABLE orders (id int PRIMARY KEY, shop text, note text) WITH (autovacuum_enabled = off);
-- Of what arrived: how, in how many messages of how many bytes (the shortest but for the last one of its rooms, and the
-- longest), and whether all is there: the rows that are due, in their order, in lists as long as `count` says.
CREATE FUNCTION pg_temp.batches(psql_output text, due int[])
RETURNS TABLE (path text, messages bigint, shortest int, longest int, counted boolean, in_order boolean) LANGUAGE sql STABLE AS $$
	WITH messages AS (
		SELECT n, path, coalesce(bytes, length(attachment.payload)) AS bytes, batch,
			n = max(n) OVER (PARTITION BY message #> '{data,opts,rooms}') AS is_last,
			nullif(batch -> 'records', 'null') AS records, nullif(batch -> 'old_records', 'null') AS old_records, batch -> 'keys' AS keys
		FROM regress.messages(psql_output) JOIN regress.notifications(psql_output) AS notification USING (n)
			LEFT JOIN socket_io_attachments AS attachment ON id = (notification.payload::jsonb ->> 'attachmentId')::bigint
			CROSS JOIN LATERAL (SELECT message #> '{data,packet,data,1}') AS argument(batch)
	)
	SELECT string_agg(DISTINCT path, ', '), count(*), min(bytes) FILTER (WHERE NOT is_last), max(bytes),
		bool_and((SELECT bool_and(jsonb_array_length(list) = (batch ->> 'count')::int) FROM unnest(ARRAY[records, old_records, keys]) AS list
			WHERE list IS NOT NULL)),
		due = (SELECT array_agg((row ->> 'id')::int ORDER BY n, i)
			FROM messages, jsonb_array_elements(coalesce(keys, records, old_records)) WITH ORDINALITY AS rows(row, i))
	FROM messages
$$;
-- Rows of different length, at most 300 bytes and the frame of a row
CREATE FUNCTION pg_temp.ids(from_id int, to_id int) RETURNS int[] LANGUAGE sql AS $$
	SELECT array_agg(i) FROM generate_series(from_id, to_id) AS i
$$;
CREATE PROCEDURE pg_temp.fill(rows int) LANGUAGE sql AS $$
	INSERT INTO orders SELECT i, 'shop ' || i % 3, repeat('x', i * 7919 % 300) FROM generate_series(1, rows) AS i
$$;
\t off

-- As notifications: no longer than 1000 bytes, nor shorter by more than a row and the room that is kept for the largest numbers
SET socketio_emitter.max_batch_bytes = 1000;
SELECT pg_temp.for_statements('orders', 'payload=record') \g /dev/null
:collect
CALL pg_temp.fill(100);
:take
SELECT * FROM pg_temp.batches(:'notifications', pg_temp.ids(1, 100));
SELECT pg_temp.for_statements('orders', 'payload=change') \g /dev/null
SELECT array_agg(id ORDER BY ctid) AS due FROM orders
\gset
:collect
UPDATE orders SET note = repeat('y', length(note));
:take
SELECT * FROM pg_temp.batches(:'notifications', :'due');
SELECT array_agg(id ORDER BY ctid) AS due FROM orders WHERE id % 2 = 1
\gset
:collect
DELETE FROM orders WHERE id % 2 = 1;
:take
SELECT * FROM pg_temp.batches(:'notifications', :'due');
-- diff and keys: rows that are left out take no room.
SELECT pg_temp.for_statements('orders', 'payload=diff') \g /dev/null
SELECT array_agg(id ORDER BY ctid) AS due FROM orders WHERE id % 4 = 0
\gset
:collect
UPDATE orders SET note = CASE WHEN id % 4 = 0 THEN note || 'z' ELSE note END;
:take
SELECT * FROM pg_temp.batches(:'notifications', :'due');
SELECT pg_temp.for_statements('orders', 'payload=keys') \g /dev/null
SELECT array_agg(id + 1000 ORDER BY ctid) AS due FROM orders
\gset
:collect
UPDATE orders SET id = id + 1000;
:take
SELECT * FROM pg_temp.batches(:'notifications', :'due');
SELECT array_agg(id ORDER BY ctid) AS due FROM orders
\gset
:collect
DELETE FROM orders;
:take
SELECT * FROM pg_temp.batches(:'notifications', :'due');
TRUNCATE orders;
-- Each of several rooms by itself, one behind the other
SELECT pg_temp.for_statements('orders', 'payload=record', 'rooms={shop}') \g /dev/null
:collect
CALL pg_temp.fill(100);
:take
SELECT * FROM pg_temp.batches(:'notifications', (SELECT array_agg(i ORDER BY (i + 2) % 3, i) FROM generate_series(1, 100) AS i));
SELECT rooms, min(n), max(n), sum(count) FROM (
	SELECT n, message #> '{data,opts,rooms}', (message #>> '{data,packet,data,1,count}')::int FROM regress.messages(:'notifications')
) AS batches(n, rooms, count) GROUP BY rooms ORDER BY min(n);
TRUNCATE orders;

-- As attachments, where the limit is above that of notifications: it holds for their bytes.
SET socketio_emitter.max_batch_bytes = 20000;
SELECT pg_temp.for_statements('orders', 'payload=record') \g /dev/null
:collect
CALL pg_temp.fill(1000);
:take
SELECT * FROM pg_temp.batches(:'notifications', pg_temp.ids(1, 1000));
SELECT pg_temp.for_statements('orders', 'payload=diff', 'rooms={shop}') \g /dev/null
SELECT array_agg(id ORDER BY (id + 2) % 3, ctid) AS due FROM orders
\gset
:collect
UPDATE orders SET note = repeat('z', length(note) + 1);
:take
SELECT * FROM pg_temp.batches(:'notifications', :'due');
SELECT pg_temp.for_statements('orders', 'payload=keys') \g /dev/null
SELECT array_agg(id ORDER BY ctid) AS due FROM orders
\gset
:collect
DELETE FROM orders;
:take
SELECT * FROM pg_temp.batches(:'notifications', :'due');
TRUNCATE orders;
-- At the border of the two: 7999 bytes can be a notification, 8000 cannot.
SELECT pg_temp.for_statements('orders', 'payload=record') \g /dev/null
SET socketio_emitter.max_batch_bytes = 7999;
:collect
CALL pg_temp.fill(200);
:take
SELECT * FROM pg_temp.batches(:'notifications', pg_temp.ids(1, 200));
TRUNCATE orders;
SET socketio_emitter.max_batch_bytes = 8000;
:collect
CALL pg_temp.fill(200);
:take
SELECT * FROM pg_temp.batches(:'notifications', pg_temp.ids(1, 200));
TRUNCATE orders;
-- The default is 1 MB: what fits goes as one, more is cut.
RESET socketio_emitter.max_batch_bytes;
SHOW socketio_emitter.max_batch_bytes;
:collect
CALL pg_temp.fill(5000);
:take
SELECT * FROM pg_temp.batches(:'notifications', pg_temp.ids(1, 5000));
TRUNCATE orders;
:collect
INSERT INTO orders SELECT i, 'shop', repeat('x', 1000) FROM generate_series(1, 2500) AS i;
:take
SELECT * FROM pg_temp.batches(:'notifications', pg_temp.ids(1, 2500));
TRUNCATE orders;
TRUNCATE socket_io_attachments;

-- A row that is longer than the limit goes alone, those around it as they would.
CREATE VIEW pg_temp.lengths AS SELECT i AS id, 'shop' AS shop, repeat('x', CASE WHEN i IN (3, 7, 8) THEN 2000 ELSE 10 END) AS note
	FROM generate_series(1, 10) AS i;
CREATE FUNCTION pg_temp.rows_of_batches(psql_output text) RETURNS TABLE (n bigint, path text, ids jsonb) LANGUAGE sql STABLE AS $$
	SELECT n, path, jsonb_path_query_array(message, '$.data.packet.data[1].records[*].id') FROM regress.messages(psql_output) ORDER BY n
$$;
SET socketio_emitter.max_batch_bytes = 500;
:collect
INSERT INTO orders SELECT * FROM pg_temp.lengths;
:take
SELECT * FROM pg_temp.rows_of_batches(:'notifications');
TRUNCATE orders;
-- Too long for a notification, it becomes an attachment, and so do those behind it: as notifications they would overtake it.
:collect
INSERT INTO orders SELECT id, shop, repeat(note, 5) FROM pg_temp.lengths;
:take
SELECT * FROM pg_temp.rows_of_batches(:'notifications');
TRUNCATE orders;
SET socketio_emitter.max_batch_bytes = 30000;
:collect
INSERT INTO orders SELECT id, shop, repeat(note, 100) FROM pg_temp.lengths;
:take
SELECT * FROM pg_temp.rows_of_batches(:'notifications');
TRUNCATE orders;
-- With the least limit each row goes alone.
SET socketio_emitter.max_batch_bytes = 1;
:collect
INSERT INTO orders SELECT * FROM pg_temp.lengths WHERE id < 5;
:take
SELECT * FROM pg_temp.rows_of_batches(:'notifications');
TRUNCATE orders;
RESET socketio_emitter.max_batch_bytes;
-- What fits a notification is one, whatever other rooms have got.
SELECT pg_temp.for_statements('orders', 'payload=record', 'rooms={shop}') \g /dev/null
:collect
INSERT INTO orders VALUES (1, 'long', repeat('x', 7000)), (2, 'short', 'x'), (3, 'short', 'x'), (4, 'short', 'x'),
	(5, 'longer', repeat('x', 70000)), (6, 'other', 'x'), (7, 'other', 'x');
:take
SELECT * FROM pg_temp.rows_of_batches(:'notifications');
TRUNCATE orders;
-- A binary row makes its batch an attachment, which is cut like others.
CREATE TABLE files (id int PRIMARY KEY, body bytea);
SELECT pg_temp.for_statements('files', 'payload=record') \g /dev/null
SET socketio_emitter.max_batch_bytes = 500;
:collect
INSERT INTO files SELECT i, CASE WHEN i IN (3, 20) THEN decode(repeat('00', 100), 'hex') END FROM generate_series(1, 50) AS i;
:take
SELECT * FROM pg_temp.batches(:'notifications', pg_temp.ids(1, 50));
SELECT * FROM pg_temp.rows_of_batches(:'notifications');
RESET socketio_emitter.max_batch_bytes;
:collect
INSERT INTO files SELECT i, decode('00', 'hex') FROM generate_series(51, 53) AS i;
:take
\t on
SELECT line FROM pg_temp.events(:'notifications');
DROP TABLE files;

-- The setting
SHOW socketio_emitter.max_batch_bytes;
SET socketio_emitter.max_batch_bytes = '64kB';
SELECT setting, unit FROM pg_settings WHERE name = 'socketio_emitter.max_batch_bytes';
SET socketio_emitter.max_batch_bytes = 0;
SET socketio_emitter.max_batch_bytes = -1;
SET socketio_emitter.max_batch_bytes = '2GB';
RESET socketio_emitter.max_batch_bytes;

-- Counts and lists take each form of msgpack's numbers and lengths: what stands behind `count`, and behind `keys`
SELECT pg_temp.for_statements('orders', 'payload=keys');
SET socketio_emitter.payload_threshold = 1;
:collect
DO $$
DECLARE
	rows int;
	start text;
BEGIN
	FOREACH rows IN ARRAY '{1,15,16,127,128,256,65535,65536}'::int[] LOOP
		TRUNCATE orders, socket_io_attachments;
		INSERT INTO orders SELECT i FROM generate_series(1, rows) AS i;
		SELECT encode(substr(payload, 1, 200), 'hex') INTO STRICT start FROM socket_io_attachments;
		RAISE INFO '%: %', rows, regexp_match(start, 'a5636f756e74(.*?)a46b657973(.{10})');
	END LOOP;
END
$$;
:take
RESET socketio_emitter.payload_threshold;
TRUNCATE orders, socket_io_attachments;

-- Rows of many rooms, more than fit into memory, make the same events as with plenty of it. (16 MB are always allowed.)
SET synchronize_seqscans = off;
CREATE TABLE many (id int, shop text, tag text, filler text) WITH (autovacuum_enabled = off);
CREATE PROCEDURE pg_temp.insert_many() LANGUAGE sql AS $$
	INSERT INTO many SELECT i, 'shop ' || i % 2000, 'row ' || i, repeat('x', 1500) FROM generate_series(1, 20000) AS i
$$;
CREATE PROCEDURE pg_temp.update_many() LANGUAGE sql AS $$
	UPDATE many SET shop = CASE WHEN id % 3 = 0 THEN 'shop ' || id % 7 ELSE shop END, tag = tag || '!'
$$;
CREATE FUNCTION pg_temp.digest(psql_output text) RETURNS text LANGUAGE sql AS $$
	SELECT md5(psql_output || coalesce(string_agg(payload::text, '' ORDER BY id), '')) FROM socket_io_attachments
$$;
CREATE FUNCTION pg_temp.temporary_bytes() RETURNS bigint LANGUAGE sql AS $$
	SELECT pg_stat_get_db_temp_bytes(oid) FROM pg_database WHERE datname = current_database()
$$;
SELECT pg_temp.for_statements('many', 'payload=change', 'exclude=filler', 'rooms={shop}');
TRUNCATE socket_io_attachments RESTART IDENTITY;
SET work_mem = '64kB';
:collect
CALL pg_temp.insert_many();
CALL pg_temp.update_many();
DELETE FROM many;
:take
SELECT pg_temp.digest(:'notifications') AS tight
\gset
TRUNCATE many, socket_io_attachments RESTART IDENTITY;
SET work_mem = '256MB';
:collect
CALL pg_temp.insert_many();
CALL pg_temp.update_many();
DELETE FROM many;
:take
SELECT pg_temp.digest(:'notifications') = :'tight' AS same;
RESET work_mem;
\t off
SELECT event, count(*) AS events, count(DISTINCT rooms) AS rooms,
	sum(jsonb_array_length(coalesce(nullif(records, 'null'), old_records))) AS rows, sum(count) AS counted
FROM regress.messages(:'notifications')
	CROSS JOIN LATERAL (SELECT message #>> '{data,packet,data,0}', message #> '{data,opts,rooms}') AS m(event, rooms)
	CROSS JOIN LATERAL jsonb_to_record(message #> '{data,packet,data,1}') AS batch(records jsonb, old_records jsonb, count int)
GROUP BY event ORDER BY min(n);
-- Each room's rows are in their order, and old ones beside new ones.
SELECT op, count(*) AS rows, bool_and(i = 1 OR id > previous_id) AS in_order,
	bool_and(old_row IS NULL OR row -> 'id' = old_row -> 'id' AND row ->> 'tag' = (old_row ->> 'tag') || '!') AS of_one_row
FROM (
	SELECT n, op, i, row, old_row, (coalesce(row, old_row) ->> 'id')::int,
		lag((coalesce(row, old_row) ->> 'id')::int) OVER (PARTITION BY n ORDER BY i)
	FROM regress.messages(:'notifications')
		CROSS JOIN LATERAL jsonb_to_record(message #> '{data,packet,data,1}') AS batch(op text, records jsonb, old_records jsonb)
		CROSS JOIN LATERAL ROWS FROM (jsonb_array_elements(nullif(records, 'null')), jsonb_array_elements(nullif(old_records, 'null')))
			WITH ORDINALITY AS rows(row, old_row, i)
) AS rows(n, op, i, row, old_row, id, previous_id)
WHERE op <> 'delete' GROUP BY op ORDER BY op;
-- Rows did go through a file: more than for the same statement without rooms, by what does not fit.
TRUNCATE many;
SET work_mem = '64kB';
:collect
SELECT pg_stat_force_next_flush();
SELECT pg_temp.temporary_bytes() AS before
\gset
CALL pg_temp.insert_many();
SELECT pg_stat_force_next_flush();
SELECT pg_temp.temporary_bytes() - :before AS with_rooms
\gset
TRUNCATE many;
SELECT pg_temp.for_statements('many', 'payload=change', 'exclude=filler');
CALL pg_temp.insert_many();
SELECT pg_stat_force_next_flush();
SELECT pg_temp.temporary_bytes() - :before - :with_rooms AS without_rooms
\gset
:take
RESET work_mem;
SELECT :without_rooms > 20000 * 1500 AS transition_table, :with_rooms - :without_rooms > 16000000 AS groups;
\t on
-- Of all these rows one changes: that is a short message.
CREATE UNIQUE INDEX many_id ON many (id);
ALTER TABLE many ALTER id SET NOT NULL, REPLICA IDENTITY USING INDEX many_id;
SELECT pg_temp.for_statements('many', 'payload=diff', 'rooms=staff');
:collect
UPDATE many SET tag = CASE id WHEN 12345 THEN 'changed' ELSE tag END;
:show
SELECT pg_temp.for_statements('many', 'payload=diff', 'rooms={shop}');
UPDATE many SET tag = CASE WHEN id IN (12345, 18345, 1) THEN 'changed again' ELSE tag END;
:show
:take
DROP TABLE many;
-- Few rooms of long rows, and one with most of them
SELECT pg_temp.for_statements('orders', 'payload=record', 'rooms={shop}');
CREATE PROCEDURE pg_temp.insert_long() LANGUAGE sql AS $$
	INSERT INTO orders SELECT i, CASE WHEN i % 10 = 0 THEN 'rare ' || i % 4 ELSE 'common' END, repeat('x', 500) || i
	FROM generate_series(1, 3000) AS i
$$;
SET socketio_emitter.max_batch_bytes = 5000;
TRUNCATE orders, socket_io_attachments RESTART IDENTITY;
SET work_mem = '64kB';
:collect
CALL pg_temp.insert_long();
:take
SELECT pg_temp.digest(:'notifications') AS tight
\gset
TRUNCATE orders, socket_io_attachments RESTART IDENTITY;
SET work_mem = '256MB';
:collect
CALL pg_temp.insert_long();
:take
SELECT pg_temp.digest(:'notifications') = :'tight' AS same, count(*) AS events,
	sum((message #>> '{data,packet,data,1,count}')::int) AS rows
FROM regress.messages(:'notifications');
RESET work_mem;
RESET socketio_emitter.max_batch_bytes;

DROP TABLE orders;
TRUNCATE socket_io_attachments RESTART IDENTITY;

-- What is read may set another limit than the message was begun under: it goes by way of the attachment table then.
CREATE TYPE moody AS ENUM ('calm', 'moody');
CREATE FUNCTION moody_json(moody) RETURNS json LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('socketio_emitter.payload_threshold', CASE $1 WHEN 'moody' THEN '50' ELSE '8000' END, false);
	RETURN to_json($1::text);
END
$$;
CREATE CAST (moody AS json) WITH FUNCTION moody_json(moody);
CREATE TABLE moods (id int PRIMARY KEY, mood moody);
SELECT socketio_watch_statement('moods', 'payload=record');
TRUNCATE socket_io_attachments RESTART IDENTITY;
INSERT INTO moods VALUES (1, 'calm'), (2, 'moody');
SELECT regress.msgpack(payload)->'data'->'packet'->'data' FROM socket_io_attachments;
RESET socketio_emitter.payload_threshold;
DROP TABLE moods;
DROP CAST (moody AS json);
DROP FUNCTION moody_json(moody);
DROP TYPE moody;
