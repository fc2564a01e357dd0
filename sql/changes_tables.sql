-- Row changes on tables of every kind: partitioned and inherited, with columns that are dropped, added, generated or stored
-- elsewhere, with keys of any kind and without one.
\getenv root PG_ABS_SRCDIR
\set changes :root '/test/regress/changes.sql'
\set ECHO none
\i :changes
\set ECHO all
:collect

-- A partitioned table: rows are told of as the table's that the trigger was made on, whatever the partition's name and the
-- order of its columns.
CREATE TABLE events (id int, region text, at date, note text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE events_north PARTITION OF events FOR VALUES IN ('north');
CREATE SCHEMA elsewhere;
CREATE TABLE elsewhere.south (note text, gone int, at date, id int NOT NULL, gone_too text, region text NOT NULL);
ALTER TABLE elsewhere.south DROP gone, DROP gone_too;
SELECT pg_temp.for_both('events', 'rooms={schema}.{table}:{region},{note}');
ALTER TABLE events ATTACH PARTITION elsewhere.south FOR VALUES IN ('south');
CREATE TABLE events_rest PARTITION OF events DEFAULT PARTITION BY RANGE (id);
CREATE TABLE events_rest_1 PARTITION OF events_rest FOR VALUES FROM (0) TO (100);
INSERT INTO events VALUES (1, 'north', '2024-02-29', 'a'), (2, 'south', '2024-02-29', 'b'), (3, 'west', NULL, 'c');
:show
UPDATE events SET note = upper(note);
:show
-- From one partition to another: a row trigger is fired for a row deleted and one inserted, a statement trigger for one updated.
UPDATE events SET region = CASE region WHEN 'north' THEN 'south' WHEN 'south' THEN 'east' ELSE 'north' END;
:show
-- Written to the partition itself: row triggers are there, statement triggers are not.
INSERT INTO elsewhere.south (id, region, note) VALUES (5, 'south', 'x');
UPDATE events_rest_1 SET note = 'y';
DELETE FROM events_north;
:show
DELETE FROM events;
:show
-- diff and keys, by the key of whichever partition the row is in
SELECT pg_temp.for_both('events', 'payload=diff', 'exclude=at');
INSERT INTO events VALUES (1, 'south', '2024-02-29', 'a');
UPDATE events SET note = 'b', at = NULL;
UPDATE events SET at = '2024-03-01';
UPDATE events SET region = 'north';
:show
SELECT pg_temp.for_both('events', 'payload=keys');
UPDATE events SET note = 'c';
UPDATE events SET id = 2;
UPDATE events SET region = 'south';
DELETE FROM events;
:show
-- TRUNCATE of the table, not of a partition
SELECT pg_temp.for_truncate('events');
TRUNCATE events_north;
TRUNCATE events;
:show
-- A trigger of the partition's own is the partition's.
CREATE TRIGGER own AFTER INSERT ON elsewhere.south FOR EACH ROW
	EXECUTE FUNCTION socketio_emit_changes('event={schema}.{table}', 'payload=record', 'columns=id,note');
INSERT INTO events VALUES (1, 'south', '2024-02-29', 'a');
:show
-- Detached, it is told of no more by the table's triggers.
ALTER TABLE events DETACH PARTITION elsewhere.south;
INSERT INTO elsewhere.south (id, region, note) VALUES (2, 'south', 'b');
:show
DROP TABLE elsewhere.south;
DROP SCHEMA elsewhere;
-- Errors name the table that the trigger was made on, too.
SELECT pg_temp.for_rows('events', 'rooms={at}');
ALTER TABLE events DROP at;
INSERT INTO events VALUES (1, 'north', 'a');
INSERT INTO events_north VALUES (1, 'north', 'a');
DROP TABLE events;
:show

-- Rows whose new version is refused by a BEFORE trigger of the partition they move to: old rows and new ones cannot be told to
-- belong together, and each stands for itself.
CREATE TABLE events (id int, region text, note text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE events_north PARTITION OF events FOR VALUES IN ('north');
CREATE TABLE events_south PARTITION OF events FOR VALUES IN ('south');
CREATE FUNCTION refuse_odd() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RETURN CASE WHEN NEW.id % 2 = 0 THEN NEW END;
END
$$;
CREATE TRIGGER refuse_odd BEFORE INSERT ON events_south FOR EACH ROW EXECUTE FUNCTION refuse_odd();
SELECT pg_temp.for_both('events', 'rooms={region}:{note}');
INSERT INTO events VALUES (1, 'north', 'x'), (2, 'north', 'x'), (3, 'north', 'y'), (4, 'north', 'x');
:show
UPDATE events SET region = 'south';
:show
SELECT pg_temp.for_both('events', 'payload=diff', 'rooms={region}');
DELETE FROM events;
INSERT INTO events VALUES (1, 'north', 'x'), (2, 'north', 'x'), (4, 'north', 'x');
:show
UPDATE events SET region = 'south', note = CASE id WHEN 4 THEN note ELSE 'z' END;
:show
SELECT pg_temp.for_both('events', 'payload=keys');
DELETE FROM events;
INSERT INTO events VALUES (1, 'north', 'x'), (2, 'north', 'x');
:show
UPDATE events SET region = 'south';
:show
SELECT pg_temp.for_both('events', 'payload=record');
DELETE FROM events;
INSERT INTO events VALUES (1, 'north', 'x'), (2, 'north', 'x');
:show
UPDATE events SET region = 'south';
:show
-- All of them refused; each old row's event has its own name, as there is no new row to name it.
DELETE FROM events;
:show
DROP TRIGGER announce ON events;
SELECT pg_temp.for_statements('events', 'event={op} of {note}', 'except={region}');
INSERT INTO events VALUES (1, 'north', 'x'), (3, 'north', 'y');
UPDATE events SET region = 'south';
:show
DROP TABLE events;
DROP FUNCTION refuse_odd();

-- To MERGE, a row that moves to another partition is one deleted and one inserted, and PostgreSQL fires statement triggers for those only
-- where the MERGE has such actions itself: of 1 and 3, only row triggers tell in the first one.
CREATE TABLE events (id int, region text, note text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE events_north PARTITION OF events FOR VALUES IN ('north');
CREATE TABLE events_south PARTITION OF events FOR VALUES IN ('south');
INSERT INTO events VALUES (1, 'north', 'x'), (2, 'north', 'x'), (3, 'south', 'x');
SELECT pg_temp.for_both('events', 'payload=change');
MERGE INTO events USING (VALUES (1, 'south'), (2, 'north'), (3, 'north')) AS source(id, region) ON events.id = source.id
	WHEN MATCHED THEN UPDATE SET region = source.region, note = 'merged';
:show
MERGE INTO events USING (VALUES (1, 'north'), (2, 'north'), (4, 'south')) AS source(id, region) ON events.id = source.id
	WHEN MATCHED AND source.id = 2 THEN DELETE
	WHEN MATCHED THEN UPDATE SET region = source.region, note = 'merged again'
	WHEN NOT MATCHED THEN INSERT VALUES (source.id, source.region, 'merged in');
:show
DROP TABLE events;

-- Inheritance: row triggers are each table's own; what a statement does to the parent includes its children's rows, as far as
-- they are the parent's.
CREATE TABLE parent (id int PRIMARY KEY, note text);
CREATE TABLE child (extra int) INHERITS (parent);
CREATE TABLE mixed (more text, note text, id int NOT NULL);
ALTER TABLE mixed INHERIT parent;
SELECT pg_temp.for_both('parent', 'payload=change');
INSERT INTO child VALUES (1, 'of the child', 10);
INSERT INTO mixed (id, note, more) VALUES (2, 'of the mixed', 'm');
INSERT INTO parent VALUES (3, 'of the parent');
:show
UPDATE parent SET note = upper(note);
DELETE FROM parent;
:show
SELECT pg_temp.for_both('child', 'payload=change');
INSERT INTO child VALUES (1, 'of the child', 10);
UPDATE parent SET note = upper(note);
DELETE FROM ONLY parent;
DELETE FROM child;
DROP TABLE mixed, child, parent;
:show

-- Columns: dropped ones are not there; an added one with a default is there in rows that were written before; a generated one
-- is told as computed.
CREATE TABLE orders (gone int, id int GENERATED ALWAYS AS IDENTITY, gone_too text, user_id int, gone_at_last date);
INSERT INTO orders (gone, gone_too, user_id) VALUES (1, 'x', 7), (2, 'y', 8), (3, 'z', 9);
ALTER TABLE orders DROP gone, DROP gone_too, DROP gone_at_last;
ALTER TABLE orders ADD status text DEFAULT 'unknown', ADD PRIMARY KEY (id), ADD total numeric(8, 2) NOT NULL DEFAULT 9.50,
	ADD twice int GENERATED ALWAYS AS (user_id * 2) STORED, ADD born date;
ALTER TABLE orders ADD fast timestamptz DEFAULT '2024-02-29 12:00Z', ADD faster text DEFAULT repeat('x', 20);
SELECT pg_temp.for_both('orders', 'rooms={fast},{faster}');
DELETE FROM orders WHERE id = 3;
:show
UPDATE orders SET status = 'seen' WHERE id = 2;
:show
SELECT pg_temp.for_both('orders', 'payload=diff', 'rooms={status},{twice}');
UPDATE orders SET status = status;
:show
INSERT INTO orders (user_id) VALUES (10);
UPDATE orders SET user_id = 70 WHERE id = 1;
:show
UPDATE orders SET fast = NULL, faster = 'y' WHERE user_id = 10;
UPDATE orders SET id = DEFAULT WHERE user_id = 10;
DELETE FROM orders WHERE user_id = 8;
:show
-- The key, behind dropped columns
SELECT pg_temp.for_both('orders', 'payload=keys');
UPDATE orders SET born = '2000-01-01';
:show
DROP TABLE orders;
CREATE TABLE generated_rooms (id int, shop text, room text GENERATED ALWAYS AS ('shop:' || shop) STORED);
SELECT pg_temp.for_both('generated_rooms', 'rooms={room}', 'payload=record');
INSERT INTO generated_rooms VALUES (1, 'a'), (2, NULL);
UPDATE generated_rooms SET shop = 'b';
DROP TABLE generated_rooms;
:show

-- Keys: the primary key; else the index that is the replica identity; for a diff else all columns, if that is the replica
-- identity
CREATE TABLE keyed (a int, b int NOT NULL, c text, doc json);
\set change 'INSERT INTO keyed VALUES (1, 2, \'x\') \\; UPDATE keyed SET c = \'y\' \\; UPDATE keyed SET b = 3 \\; DELETE FROM keyed;'
SELECT pg_temp.for_both('keyed', 'payload=keys');
INSERT INTO keyed VALUES (1, 2, 'x');
UPDATE keyed SET a = 1;
DELETE FROM keyed;
SELECT pg_temp.for_both('keyed', 'payload=diff');
INSERT INTO keyed VALUES (1, 2, 'x');
-- A statement trigger says so even if a row trigger did not.
DROP TRIGGER announce ON keyed;
INSERT INTO keyed VALUES (1, 2, 'x');
SELECT pg_temp.for_statements('keyed', 'payload=keys');
INSERT INTO keyed VALUES (1, 2, 'x');
-- A unique index by itself is no key.
CREATE UNIQUE INDEX keyed_b ON keyed (b);
INSERT INTO keyed VALUES (1, 2, 'x');
ALTER TABLE keyed REPLICA IDENTITY NOTHING;
INSERT INTO keyed VALUES (1, 2, 'x');
:show
ALTER TABLE keyed REPLICA IDENTITY USING INDEX keyed_b;
SELECT pg_temp.for_both('keyed', 'payload=keys');
:change
:show
SELECT pg_temp.for_both('keyed', 'payload=diff');
:change
:show
ALTER TABLE keyed REPLICA IDENTITY FULL;
SELECT pg_temp.for_both('keyed', 'payload=keys');
:change
:show
SELECT pg_temp.for_both('keyed', 'payload=diff');
:change
:show
-- All columns are the key then, and none can be left out.
CREATE OR REPLACE TRIGGER announce AFTER INSERT ON keyed FOR EACH ROW EXECUTE FUNCTION socketio_emit_changes('payload=diff', 'exclude=doc');
-- The primary key goes first, whatever the replica identity.
ALTER TABLE keyed ADD PRIMARY KEY (a);
SELECT pg_temp.for_both('keyed', 'payload=keys');
:change
:show
ALTER TABLE keyed REPLICA IDENTITY USING INDEX keyed_b;
:change
:show
ALTER TABLE keyed REPLICA IDENTITY NOTHING;
:change
:show
-- Deferrable, with included columns, and of columns that come later in the table first
ALTER TABLE keyed DROP CONSTRAINT keyed_pkey, ADD PRIMARY KEY (a) DEFERRABLE;
:change
:show
ALTER TABLE keyed DROP CONSTRAINT keyed_pkey, ADD PRIMARY KEY (b, a) INCLUDE (c);
:change
:show
DROP TABLE keyed;
-- A replica identity index that is dropped leaves the table without one.
CREATE TABLE keyed (a int NOT NULL UNIQUE);
ALTER TABLE keyed REPLICA IDENTITY USING INDEX keyed_a_key;
SELECT pg_temp.for_rows('keyed', 'payload=keys');
INSERT INTO keyed VALUES (1);
ALTER TABLE keyed DROP CONSTRAINT keyed_a_key;
INSERT INTO keyed VALUES (2);
:show
DROP TABLE keyed;
-- Keys of any type
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE keyed (a text COLLATE "C", b numeric, c timestamptz, d uuid, e mood, f int[], g int4range, note text,
	PRIMARY KEY (a, b, c, d, e, f, g));
SELECT pg_temp.for_both('keyed', 'payload=keys');
INSERT INTO keyed VALUES ('k"', 1.0, '2024-02-29Z', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'ok', '{1,2}', '[1,2]');
UPDATE keyed SET note = 'x';
:show
-- A key that is equal, yet not the same
UPDATE keyed SET b = 1.00;
:show
SELECT pg_temp.for_both('keyed', 'payload=diff');
UPDATE keyed SET b = 1.000;
:show
DROP TABLE keyed;
DROP TYPE mood;

-- Tables that are not quite tables
CREATE TEMP TABLE fleeting (id int PRIMARY KEY);
SELECT pg_temp.for_both('fleeting', 'payload=keys');
INSERT INTO fleeting VALUES (1);
DROP TABLE fleeting;
CREATE UNLOGGED TABLE unlogged (id int PRIMARY KEY);
SELECT pg_temp.for_both('unlogged', 'payload=keys');
INSERT INTO unlogged VALUES (1);
DROP TABLE unlogged;
CREATE TYPE thing AS (id int, note text);
CREATE TABLE things OF thing (PRIMARY KEY (id));
SELECT pg_temp.for_both('things', 'payload=diff');
INSERT INTO things VALUES (1, 'x');
DROP TABLE things;
DROP TYPE thing;
-- By rules and views, which lead to the table
CREATE TABLE orders (id int PRIMARY KEY, status text);
CREATE VIEW open_orders AS SELECT * FROM orders WHERE status <> 'closed';
SELECT pg_temp.for_both('orders', 'payload=keys');
INSERT INTO open_orders VALUES (1, 'open');
UPDATE open_orders SET status = 'closed';
DELETE FROM open_orders;
DROP VIEW open_orders;
DROP TABLE orders;
:show

-- Long columns, stored out of line, are not fetched where they did not change and are not told of.
:take
CREATE TABLE documents (id int PRIMARY KEY, status text, body text, other text);
ALTER TABLE documents ALTER body SET STORAGE EXTERNAL, ALTER other SET STORAGE EXTERNAL;
INSERT INTO documents VALUES (1, 'new', repeat('b', 1000000), repeat('o', 3000));
CREATE FUNCTION pg_temp.blocks_fetched() RETURNS bigint LANGUAGE sql AS $$
	SELECT pg_stat_get_xact_blocks_fetched(reltoastrelid) FROM pg_class WHERE oid = 'documents'::regclass
$$;
-- Run a statement under row triggers or statement triggers with these options, say how many blocks of long columns it has
-- fetched, and take it back.
CREATE FUNCTION pg_temp.fetched_by(statement text, level text, options text[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	before bigint;
	fetched bigint;
BEGIN
	EXECUTE format('SELECT pg_temp.for_%s(''documents'', VARIADIC $1)', level) USING options;
	before := pg_temp.blocks_fetched();
	EXECUTE statement;
	fetched := pg_temp.blocks_fetched() - before;
	RAISE SQLSTATE 'R0001';
EXCEPTION WHEN SQLSTATE 'R0001' THEN
	RETURN fetched;
END
$$;
\t off
SELECT statement, options, pg_temp.fetched_by(statement, 'rows', options) > 0 AS rows,
	pg_temp.fetched_by(statement, 'statements', options) > 0 AS statements
FROM (VALUES
	('UPDATE documents SET status = ''seen''', '{payload=change}'::text[]),
	('UPDATE documents SET status = ''seen''', '{payload=record}'),
	('UPDATE documents SET status = ''seen''', '{payload=record,"exclude=body,other"}'),
	('UPDATE documents SET status = ''seen''', '{payload=change,"columns=id,status"}'),
	('UPDATE documents SET status = ''seen''', '{payload=diff}'),
	('UPDATE documents SET status = ''seen''', '{payload=diff,"rooms={status}"}'),
	('UPDATE documents SET status = ''seen''', '{payload=diff,"rooms={other}"}'),
	('UPDATE documents SET status = ''seen''', '{payload=keys}'),
	('UPDATE documents SET id = 2', '{payload=diff}'),
	('UPDATE documents SET id = 2', '{payload=keys}'),
	('UPDATE documents SET body = body', '{payload=diff}')
) AS tries(statement, options);
-- To tell of one long column, the other is not fetched: `body` takes more than 100 blocks.
SELECT statement, options, pg_temp.fetched_by(statement, 'rows', options) BETWEEN 1 AND 100 AS rows,
	pg_temp.fetched_by(statement, 'statements', options) BETWEEN 1 AND 100 AS statements
FROM (VALUES
	('UPDATE documents SET other = repeat(''p'', 3000)', '{payload=diff}'::text[]),
	('UPDATE documents SET other = NULL', '{payload=diff}'),
	('UPDATE documents SET status = left(other, 1)', '{payload=change,exclude=body}')
) AS tries(statement, options);
SELECT pg_temp.fetched_by('UPDATE documents SET other = NULL', 'rows', '{payload=change}') > 100 AS body;
\t on
-- And what did change is told of: a long column that is written again as it was did not.
:collect
SELECT pg_temp.for_both('documents', 'payload=diff');
UPDATE documents SET body = repeat('b', 1000000), other = repeat('o', 3000);
UPDATE documents SET body = body || '', other = repeat('o', 3000) || '';
:show
UPDATE documents SET body = repeat('b', 999999) || 'c', other = 'short';
:take
SELECT path, diff -> 'op', to_jsonb(ARRAY(SELECT jsonb_object_keys(record))), length(record ->> 'body'), right(record ->> 'body', 3),
	right(old ->> 'body', 3), record ->> 'other', left(old ->> 'other', 3)
FROM regress.messages(:'notifications')
	CROSS JOIN LATERAL (SELECT message #> '{data,packet,data,1}') AS argument(diff)
	CROSS JOIN LATERAL (
		SELECT coalesce(diff -> 'record', diff -> 'records' -> 0), coalesce(diff -> 'old_record', diff -> 'old_records' -> 0)
	) AS r(record, old)
ORDER BY n;
-- Whole rows have them, in both versions.
SELECT pg_temp.for_both('documents', 'payload=change');
:collect
UPDATE documents SET status = 'seen';
DELETE FROM documents;
:take
SELECT path, row.key, length(row.value ->> 'body'), md5(row.value ->> 'body') = md5(repeat('b', 999999) || 'c') AS body,
	row.value ->> 'status' AS status
FROM regress.messages(:'notifications')
	CROSS JOIN LATERAL jsonb_each(message #> '{data,packet,data,1}') AS entries(key, entry)
	CROSS JOIN LATERAL (SELECT key, CASE jsonb_typeof(entry) WHEN 'array' THEN entry -> 0 ELSE entry END) AS row(key, value)
WHERE row.key LIKE '%record%' AND entry <> 'null' ORDER BY n, row.key;
DROP TABLE documents;
TRUNCATE socket_io_attachments RESTART IDENTITY;
