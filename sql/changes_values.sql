-- Row changes: a record is what to_jsonb() makes of the row in UTC, with PostgreSQL's own styles, whatever the types of its columns, in notifications and in
-- attachments, from row triggers and from statement triggers. (bytea, which is binary, is in changes_payloads.sql.)
\getenv root PG_ABS_SRCDIR
\set changes :root '/test/regress/changes.sql'
\set ECHO none
\i :changes
\set ECHO all

-- The samples of values.sql, each as a column of a table of its type: inserted, changed to NULL and back, and deleted. (A
-- record of no named type is left out, as no column can hold it.)
CREATE TEMP TABLE due (n bigint GENERATED ALWAYS AS IDENTITY, type text, op text, record jsonb, old_record jsonb);
CREATE FUNCTION pg_temp.as_told(anyelement) RETURNS jsonb LANGUAGE plpgsql
SET TimeZone = 'UTC' SET DateStyle = 'ISO' SET IntervalStyle = 'postgres' SET extra_float_digits = 1 AS $$
BEGIN
	RETURN to_jsonb($1);
END
$$;
CREATE FUNCTION pg_temp.change(sample anyelement, only_insert boolean DEFAULT false) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	type text := format_type(pg_typeof(sample), -1);
	"table" text := quote_ident('sample of ' || type);
	full_row jsonb;
	empty_row jsonb;
BEGIN
	IF to_regclass("table") IS NULL THEN
		EXECUTE format('CREATE TABLE %s (id int, v %s)', "table", type);
		PERFORM pg_temp.for_both("table"::regclass);
	END IF;
	EXECUTE format('INSERT INTO %s AS t VALUES (1, $1) RETURNING pg_temp.as_told(t)', "table") INTO full_row USING sample;
	INSERT INTO due (type, op, record) VALUES (type, 'insert', full_row);
	IF only_insert THEN
		RETURN;
	END IF;
	EXECUTE format('UPDATE %s AS t SET v = NULL RETURNING pg_temp.as_told(t)', "table") INTO empty_row;
	EXECUTE format('UPDATE %s SET v = $1', "table") USING sample;
	EXECUTE format('DELETE FROM %s', "table");
	INSERT INTO due (type, op, record, old_record) VALUES
		(type, 'update', empty_row, full_row), (type, 'update', full_row, empty_row), (type, 'delete', NULL, full_row);
END
$$;
\set samples :out '/results/changes_values.samples'
\setenv samples :samples
\! sed '/^\\set sample /d; / AS record(v);$/d' "$PG_ABS_SRCDIR/test/regress/samples.sql" >"$samples"
\set sample 'SELECT pg_temp.change(v) FROM'

-- What was told of each, once by the row trigger and once by the statement trigger, which has it in arrays
CREATE FUNCTION pg_temp.told(psql_output text) RETURNS TABLE (n bigint, event text, path text, op text, record jsonb, old_record jsonb)
LANGUAGE sql STABLE AS $$
	SELECT row_number() OVER (PARTITION BY event ORDER BY n), event, path, change ->> 'op',
		nullif(coalesce(change -> 'record', change -> 'records' -> 0), 'null'),
		nullif(coalesce(change -> 'old_record', change -> 'old_records' -> 0), 'null')
	FROM regress.messages(psql_output)
		CROSS JOIN LATERAL (SELECT message #>> '{data,packet,data,0}', message #> '{data,packet,data,1}') AS emitted(event, change)
$$;

-- As notifications: to the digit
:collect
\set ECHO none
\i :samples
\set ECHO all
:take
CREATE TEMP TABLE compared AS
SELECT n, event, path, type, told.op = due.op AND told.record::text IS NOT DISTINCT FROM due.record::text
	AND told.old_record::text IS NOT DISTINCT FROM due.old_record::text AS as_to_jsonb
FROM (SELECT * FROM due, (VALUES ('row'), ('all')) AS events(event)) AS due
	FULL JOIN pg_temp.told(:'notifications') AS told USING (n, event);
\t off
SELECT event, path, count(*) AS told, count(*) FILTER (WHERE as_to_jsonb) AS as_to_jsonb, count(DISTINCT type) AS types
FROM compared GROUP BY event, path ORDER BY event, path;
SELECT * FROM compared WHERE as_to_jsonb IS NOT TRUE ORDER BY event, n LIMIT 10;
\t on

-- As attachments: with numbers as JavaScript has them. It takes long to decode them, so here they are inserted only.
\set sample 'SELECT pg_temp.change(v, true) FROM'
TRUNCATE due, compared RESTART IDENTITY;
SET socketio_emitter.payload_threshold = 1;
:collect
\set ECHO none
\i :samples
\set ECHO all
:take
RESET socketio_emitter.payload_threshold;
INSERT INTO compared
SELECT n, event, path, type, told.op = due.op AND regress.javascript(told.record) IS NOT DISTINCT FROM regress.javascript(due.record)
	AND regress.javascript(told.old_record) IS NOT DISTINCT FROM regress.javascript(due.old_record)
FROM (SELECT * FROM due, (VALUES ('row'), ('all')) AS events(event)) AS due
	FULL JOIN pg_temp.told(:'notifications') AS told USING (n, event);
\t off
SELECT event, path, count(*) AS told, count(*) FILTER (WHERE as_to_jsonb) AS as_to_jsonb, count(DISTINCT type) AS types
FROM compared GROUP BY event, path ORDER BY event, path;
SELECT * FROM compared WHERE as_to_jsonb IS NOT TRUE ORDER BY event, n LIMIT 10;
\t on
TRUNCATE due, socket_io_attachments RESTART IDENTITY;

-- One row of many types, full and empty; again with dropped columns between them and one added later
CREATE TYPE mood AS ENUM ('sad', 'ünser 😀');
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN small AS int CHECK (VALUE < 100);
CREATE TABLE everything (
	a boolean, b "char", c int2, d int4, e int8, f oid, g float4, h float8, i numeric, j money, k name, l text, m varchar(10), n char(5),
	o date, p time, q timetz, r timestamp, s timestamptz, t interval, u uuid, v inet, w cidr, x macaddr, y macaddr8, z bit(3), aa varbit,
	ab xml, ac json, ad jsonb, ae tsvector, af tsquery, ag point, ah box, ai int4range, aj tstzrange, ak int4multirange, al regclass,
	am pg_lsn, an mood, ao small, ap pair, aq int[], ar text[], "as" pair[], at mood[], au int2vector, av jsonpath, aw tid
);
SELECT pg_temp.for_both('everything');
CREATE TEMP TABLE one_of_each AS SELECT
	true AS a, 'c'::"char" AS b, -1 AS c, 2 AS d, 3000000000 AS e, 4::oid AS f, 0.1::float4 AS g, '-0'::float8 AS h,
	1.50 AS i, '12.34'::money AS j, 'name'::name AS k, 'text "ö" 😀' AS l, 'varchar' AS m, 'char' AS n,
	'2024-02-29'::date AS o, '23:59:59.5'::time AS p, '23:59+02'::timetz AS q, '2024-02-29 12:00'::timestamp AS r,
	'2024-02-29 12:00Z'::timestamptz AS s, '1 mon -2 days'::interval AS t,
	'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid AS u, '::1'::inet AS v, '10.0.0.0/8'::cidr AS w,
	'08:00:2b:01:02:03'::macaddr AS x, '08:00:2b:01:02:03:04:05'::macaddr8 AS y, B'101' AS z, B'1'::varbit AS aa,
	'<a>&lt;</a>'::xml AS ab, '{"a": 1, "a": [ ]}'::json AS ac, '{"b": 1.0}'::jsonb AS ad, '''a'':1'::tsvector AS ae,
	'''a'''::tsquery AS af, '(1,2)'::point AS ag, '(1,1),(0,0)'::box AS ah, '[1,5)'::int4range AS ai,
	'[2024-02-29 12:00Z,)'::tstzrange AS aj, '{[1,3)}'::int4multirange AS ak, 'pg_class'::regclass AS al,
	'16/B374D848'::pg_lsn AS am, 'ünser 😀'::mood AS an, 99 AS ao, '(1,x)'::pair AS ap, '{1,NULL}'::int[] AS aq,
	'{"a,b",NULL}'::text[] AS ar, '{"(1,x)",NULL}'::pair[] AS "as", '{sad}'::mood[] AS at, '1 2'::int2vector AS au,
	'$.a'::jsonpath AS av, '(3,4)'::tid AS aw;
CREATE FUNCTION pg_temp.change_everything() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	full_row jsonb;
	empty_row jsonb;
BEGIN
	TRUNCATE due RESTART IDENTITY;
	EXECUTE format('INSERT INTO everything (%1$s) SELECT %1$s FROM one_of_each RETURNING pg_temp.as_told(everything)',
		(SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
			WHERE attrelid = 'everything'::regclass AND attnum > 0 AND NOT attisdropped AND attname <> 'later')) INTO full_row;
	EXECUTE 'INSERT INTO everything DEFAULT VALUES RETURNING pg_temp.as_told(everything)' INTO empty_row;
	DELETE FROM everything WHERE d = 2;
	DELETE FROM everything;
	INSERT INTO due (op, record, old_record) VALUES
		('insert', full_row, NULL), ('insert', empty_row, NULL), ('delete', NULL, full_row), ('delete', NULL, empty_row);
END
$$;
CREATE FUNCTION pg_temp.compare(psql_output text) RETURNS TABLE (event text, n bigint, path text, op text, columns int, as_to_jsonb boolean)
LANGUAGE sql STABLE AS $$
	SELECT event, n, path, told.op, (SELECT count(*) FROM jsonb_object_keys(coalesce(told.record, told.old_record))),
		told.op = due.op AND regress.javascript(told.record) IS NOT DISTINCT FROM regress.javascript(due.record)
		AND regress.javascript(told.old_record) IS NOT DISTINCT FROM regress.javascript(due.old_record)
	FROM (SELECT * FROM due, (VALUES ('row'), ('all')) AS events(event)) AS due FULL JOIN pg_temp.told(psql_output) AS told USING (n, event)
	ORDER BY event, n
$$;
:collect
SELECT pg_temp.change_everything();
:take
SELECT line FROM pg_temp.events(:'notifications') WHERE n IN (1, 2);
SELECT * FROM pg_temp.compare(:'notifications');
SET socketio_emitter.payload_threshold = 1;
:collect
SELECT pg_temp.change_everything();
:take
SELECT * FROM pg_temp.compare(:'notifications');
RESET socketio_emitter.payload_threshold;
ALTER TABLE everything DROP a, DROP c, DROP h, DROP i, DROP l, DROP s, DROP ac, DROP aq, DROP aw;
ALTER TABLE everything ADD later text DEFAULT 'x';
:collect
SELECT pg_temp.change_everything();
:take
SELECT line FROM pg_temp.events(:'notifications') WHERE n = 2;
SELECT * FROM pg_temp.compare(:'notifications');
DROP TABLE everything, one_of_each;
DROP DOMAIN small;
DROP TYPE pair, mood;

-- As many columns as a table can have
DO $$
BEGIN
	EXECUTE (
		SELECT format('CREATE TABLE wide (column_1 int PRIMARY KEY, %s)', string_agg('column_' || i || ' ' || type, ', ' ORDER BY i))
		FROM generate_series(2, 1600) AS i CROSS JOIN LATERAL (SELECT ('{boolean,int2,"\"char\"",int4}'::text[])[i % 4 + 1]) AS t(type)
	);
END
$$;
SELECT pg_temp.for_both('wide');
TRUNCATE due RESTART IDENTITY;
:collect
WITH wide AS (
	INSERT INTO wide AS w SELECT r.*
	FROM (SELECT jsonb_object_agg('column_' || i, i % 2) FROM generate_series(1, 1600) AS i) AS o(record)
		CROSS JOIN LATERAL jsonb_populate_record(NULL::wide, record) AS r
	RETURNING to_jsonb(w)
)
INSERT INTO due (op, record) SELECT 'insert', * FROM wide;
WITH wide AS (UPDATE wide AS w SET column_1600 = NULL, column_3 = 7 RETURNING to_jsonb(w))
INSERT INTO due (op, record, old_record) SELECT 'update', wide.*, due.record FROM wide, due WHERE n = 1;
:take
SELECT * FROM pg_temp.compare(:'notifications');
SELECT pg_temp.for_both('wide', 'payload=diff', 'rooms={column_800},{column_1600}');
:collect
UPDATE wide SET column_1600 = true, column_1598 = 'y';
UPDATE wide SET column_1599 = column_1599;
SELECT pg_temp.for_both('wide', 'columns=column_1600,column_1,column_799');
UPDATE wide SET column_3 = 8;
:show
DROP TABLE wide;
:take
