-- Values of every kind of type. Two tests read this file, one for each way a message travels.
--
-- `:sample` in front of a FROM item emits each value `v` of it, under the name of its type, and keeps what to_jsonb()
-- makes of it, with all digits of floats, for comparison.
\set sample 'SELECT socketio_emit_values(NULL, pg_typeof(v)::text, v), regress.expect(regress.exact_jsonb(v)) FROM'

SET TimeZone = 'Asia/Kathmandu';

-- Types for the samples; bytea is left to a test of its own.
CREATE SCHEMA sample_types;
SET search_path = sample_types, public;
CREATE TYPE mood AS ENUM ('sad', 'it''s "ok"', 'ünser 😀');
CREATE TYPE nothing AS ();
CREATE TYPE pair AS (a int, b text);
CREATE TYPE nested AS (id bigint, "Pair of ""ö""" pair, pairs pair[], "when" timestamptz, doc jsonb, mood mood);
CREATE TABLE lossy (a int, gone text, b text, gone_too numeric, c float8);
INSERT INTO lossy VALUES (1, 'x', 'two', 3.5, 4), (NULL, NULL, NULL, NULL, NULL);
ALTER TABLE lossy DROP gone, DROP gone_too;
ALTER TABLE lossy ADD d date DEFAULT '2024-02-29';
CREATE DOMAIN small AS int CHECK (VALUE < 100);
CREATE DOMAIN smaller AS small CHECK (VALUE < 10);
CREATE DOMAIN truth AS boolean;
CREATE DOMAIN label AS text;
CREATE DOMAIN price AS numeric(10, 2);
CREATE DOMAIN since AS timestamptz;
CREATE DOMAIN document AS json;
CREATE DOMAIN binary_document AS jsonb;
CREATE DOMAIN feeling AS mood;
CREATE DOMAIN numbers AS int[];
CREATE DOMAIN twosome AS pair;
CREATE TYPE domains AS (a smaller, b label, c numbers, d twosome, e document, f truth);

-- Nothing
:sample (VALUES (NULL), (NULL)) AS untyped(v);
:sample (VALUES (NULL::int)) AS typed(v);
:sample (VALUES (NULL::pair)) AS typed(v);
:sample (VALUES (NULL::int[])) AS typed(v);
:sample (VALUES (NULL::jsonb), ('null')) AS typed(v);

-- Booleans and whole numbers
:sample (VALUES (true), (false), (NULL)) AS boolean(v);
:sample (VALUES (0::int2), (-32768), (32767)) AS int2(v);
:sample (VALUES (0), (-1), (-2147483648), (2147483647)) AS int4(v);
:sample (VALUES (0::int8), (-9223372036854775808), (9223372036854775807), (9007199254740993), (4294967296)) AS int8(v);
:sample (VALUES ('0'::oid), ('4294967295')) AS oid(v);

-- numeric
:sample (VALUES (0::numeric), (-0.0), (1.00), (-1.50), (0.1), (.000001), (100), (1e10), (1.5e-7)) AS "numeric"(v);
:sample (VALUES (9223372036854775808::numeric), (-9223372036854775809), (18446744073709551615), (18446744073709551616))
	AS "numeric"(v);
:sample (VALUES (1e400::numeric), (-1e400), (1e-400), (-1e-400), (1e308), (1.7976931348623157e308)) AS "numeric"(v);
:sample (VALUES (3.141592653589793238462643383279502884197::numeric(40, 39)), (12345678901234567890.0123456789))
	AS "numeric"(v);
:sample (VALUES (1e5000::numeric), (1e-5000)) AS "numeric"(v);
:sample (VALUES ('NaN'::numeric), ('Infinity'), ('-Infinity')) AS "numeric"(v);

-- Floating point numbers, at each length of their text
:sample (VALUES (0::float8), ('-0'), (1), (-1.5), (0.1), (1e15), (1e16), (-1e21), (1e-5), (1.5e-7)) AS float8(v);
:sample (VALUES ('NaN'::float8), ('Infinity'), ('-Infinity')) AS float8(v);
:sample (VALUES ('1.7976931348623157e308'::float8), ('2.2250738585072014e-308'), ('4.94065645841247e-324'),
	('-4.94065645841247e-324')) AS float8(v);
:sample (VALUES (0::float4), ('-0'), (1.5), (0.1), (1e10), (16777217), ('3.4028235e38'), ('1e-45'), ('NaN'), ('Infinity'),
	('-Infinity')) AS float4(v);
SET extra_float_digits = 0;
:sample (VALUES (0.1::float8 + 0.2), (1e16), (1e-5), ('-0')) AS float8(v);
:sample (VALUES (0.1::float4 + 0.2::float4), (1e10)) AS float4(v);
SET extra_float_digits = -15;
:sample (VALUES (1::float8 / 3), (123456), (1e-5), ('-0'), ('NaN')) AS float8(v);
RESET extra_float_digits;

-- Text: all of ASCII but NUL, which text cannot hold; each control character; every length of UTF-8
:sample (SELECT string_agg(chr(i), '' ORDER BY i) FROM generate_series(1, 127) AS i) AS text(v);
:sample (SELECT chr(i) FROM generate_series(1, 31) AS i) AS text(v);
:sample (VALUES (''), (' '), ('plain'), ('"'), ('\'), ('\u0041'), ('</script>'), (E'\u007f\u0080\u07ff\u0800\ufffd\uffff'),
	(E'\u2028\u2029'), ('😀'), ('a😀b'), (E'\U0010ffff'), ('e' || U&'\0301'), ('שלום 你好')) AS text(v);
:sample (VALUES (repeat('x', 31)), (repeat('x', 32)), (repeat('x', 255)), (repeat('é', 128)), (repeat('€', 1000))) AS text(v);
:sample (VALUES ('two  '::varchar(3)), ('"')) AS "varchar"(v);
:sample (VALUES ('ab'::char(5)), ('"é'), ('')) AS "char(n)"(v);
:sample (VALUES ('a'::"char"), ('"'), ('')) AS "char"(v);
:sample (VALUES ('a "name"'::name), (repeat('n', 63)::name)) AS "name"(v);
:sample (SELECT convert_from('\x22c3a90a', 'UTF8')) AS text(v);

-- Dates and times
SET DateStyle = 'SQL, DMY';
:sample (VALUES ('2024-02-29'::date), ('0044-03-15 BC'), ('infinity'), ('-infinity'), ('5874897-12-31')) AS date(v);
:sample (VALUES ('2024-02-29 23:59:59.123456'::timestamp), ('2024-02-29'), ('0044-03-15 12:00 BC'), ('infinity'),
	('-infinity'), ('294276-12-31 23:59:59.999999')) AS "timestamp"(v);
:sample (VALUES ('2024-02-29 23:59:59.5+00'::timestamptz), ('1900-01-01 00:00:00+00'), ('0044-03-15 12:00+00 BC'),
	('infinity'), ('-infinity')) AS "timestamptz"(v);
RESET DateStyle;
:sample (VALUES ('23:59:59.999999'::time), ('24:00')) AS "time"(v);
:sample (VALUES ('23:59:59.5-03:30'::timetz), ('00:00+14')) AS timetz(v);
:sample (VALUES ('1 year -2 mons 3 days 04:05:06.789'::interval), ('0'), ('-1 day')) AS "interval"(v);
SET IntervalStyle = 'iso_8601';
:sample (VALUES ('1 year 2 mons 3 days 04:05:06.789'::interval), ('0')) AS "interval"(v);
RESET IntervalStyle;

-- json and jsonb; of equal keys the last one counts
:sample (VALUES ('{"a" : 1, "b": [ ], "a":{"c":"\u00e9\ud83d\ude00\n\/"}}'::json), ('  [1, 1.0, 1.50, 1E3, -0, 1e-7 ]  '),
	('"text"'), ('null'), (' true'), ('12'), ('{}'), ('{"": {"": [[[[]]]]}}'), ('{"k":{"k":{"x":1,"x":2},"k":3}}')) AS json(v);
:sample (VALUES ('{"b":1,"aa":[true,false,null,"\"\\"],"é":"😀"}'::jsonb), ('[]'), ('{}'), ('"text"'), ('12.50'), ('true'),
	('[[],{},[[1]],{"a":{"b":{"c":[]}}}]'), ('1e400'), ('[1e-7,-0,100]')) AS jsonb(v);
:sample (SELECT jsonb_object_agg('key ' || i, i) FROM generate_series(1, 20) AS i) AS jsonb(v);
:sample (SELECT jsonb_agg(i) FROM generate_series(-20, 20) AS i) AS jsonb(v);
:sample (SELECT (repeat('[', 200) || repeat(']', 200))::json) AS json(v);

-- Arrays
:sample (VALUES ('{}'::int[]), ('{1}'), ('{1,NULL,3}'), ('{{1,2},{3,4}}'), ('{{{1},{2}},{{3},{4}}}'), ('[5:6]={1,2}'),
	('[0:1][-1:0]={{1,2},{NULL,4}}'), ('{{{{{{1,2}}}}}}')) AS int(v);
:sample (SELECT array_agg(i) FROM generate_series(1, 40) AS i) AS int(v);
:sample (VALUES (ARRAY['a', NULL, '', 'NULL', '"', 'a,b', '{}', E'\n'])) AS text(v);
:sample (VALUES (ARRAY[true, NULL, false])) AS boolean(v);
:sample (VALUES (ARRAY[1.50, 'NaN', NULL, '-Infinity', 1e20])) AS "numeric"(v);
:sample (VALUES (ARRAY['NaN'::float8, 1e300, '-0', NULL])) AS float8(v);
:sample (VALUES (ARRAY['2024-02-29'::date, 'infinity', NULL])) AS date(v);
:sample (VALUES (ARRAY['{"a":1,"a":2}'::json, '[]', NULL, 'null'])) AS json(v);
:sample (VALUES (ARRAY['{"a":1}'::jsonb, '[]', NULL, '3'])) AS jsonb(v);
:sample (VALUES (ARRAY[ARRAY['ab'::char(3), 'c'], ARRAY[NULL, '']])) AS "char(n)"(v);
:sample (VALUES ('1 2 3'::int2vector), ('')) AS int2vector(v);
:sample (VALUES ('1 2 3'::oidvector), ('')) AS oidvector(v);
:sample (VALUES (ARRAY['sad', NULL, 'it''s "ok"']::mood[])) AS enum(v);
:sample (VALUES ('{1,9,NULL}'::smaller[])) AS domain(v);
:sample (VALUES ('{"{\"a\":1}",NULL}'::document[])) AS domain(v);
:sample (VALUES (ARRAY[ROW(1, 'x'), NULL, ROW(NULL, NULL)]::pair[]), ('{}'), ('{{"(1,x)"},{"(2,y)"}}')) AS composite(v);
:sample (VALUES (ARRAY[ROW(1, 'x'), ROW(2, 'y')])) AS record(v);

-- Composite types, and rows of tables and queries
:sample (VALUES (ROW(1, 'x')::pair), ('(,)'), (ROW(-5, '"é')::pair), (NULL)) AS composite(v);
:sample (VALUES (ROW(7, ROW(1, 'x'), ARRAY[ROW(2, 'y'), NULL]::pair[], '2024-02-29 12:00Z', '{"a":[1]}', 'sad')::nested),
	('(,"(,)",{},,null,)'), ('(,,,,,)')) AS composite(v);
:sample (VALUES (ROW()::nothing)) AS composite(v);
:sample (SELECT l FROM lossy AS l) AS row_of_table(v);
:sample (SELECT ROW(1, 'a', NULL, true, ROW(2.50, ROW()), ARRAY[1, 2])) AS record(v);
:sample (VALUES (ROW(1)), (ROW(2))) AS record(v);
:sample (SELECT q FROM (SELECT 1 AS a, 'x' AS "B b", '{"c":2}'::json AS "ä") AS q) AS record(v);
:sample (SELECT q FROM (SELECT 1 AS twice, 2 AS twice) AS q) AS record(v);
:sample (SELECT ROW()) AS record(v);

-- Enums and domains
:sample (SELECT unnest(enum_range(NULL::mood))) AS enum(v);
:sample (VALUES (99::small), (NULL::small)) AS domain(v);
:sample (VALUES (9::smaller)) AS domain(v);
:sample (VALUES (true::truth)) AS domain(v);
:sample (VALUES ('"x"'::label)) AS domain(v);
:sample (VALUES (1.5::price)) AS domain(v);
:sample (VALUES ('infinity'::since), ('2024-02-29 12:00Z'::since)) AS domain(v);
:sample (VALUES ('{"a":1, "a":2}'::document)) AS domain(v);
:sample (VALUES ('{"a":1}'::binary_document)) AS domain(v);
:sample (VALUES ('sad'::feeling)) AS domain(v);
:sample (VALUES ('{1,NULL}'::numbers)) AS domain(v);
:sample (VALUES (ROW(1, 'x')::twosome)) AS domain(v);
:sample (VALUES (ROW(1, 'x', '{2}', ROW(3, 'y'), '[4]', true)::domains)) AS composite(v);

-- Ranges and multiranges
:sample (VALUES ('[1,5)'::int4range), ('empty'), ('(,)'), (NULL)) AS range(v);
:sample (VALUES ('[1.50,2.5]'::numrange)) AS range(v);
:sample (VALUES ('["2024-02-29 12:00","infinity"]'::tstzrange)) AS range(v);
:sample (VALUES ('{[1,3),[5,8)}'::int4multirange), ('{}')) AS multirange(v);
:sample (VALUES (ARRAY['[1,2)'::int4range, NULL, 'empty'])) AS range(v);

-- Everything else is the text of its output function
:sample (VALUES ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid)) AS uuid(v);
:sample (VALUES ('192.168.0.1/24'::inet), ('::1')) AS inet(v);
:sample (VALUES ('10.0.0.0/8'::cidr)) AS cidr(v);
:sample (VALUES ('08:00:2b:01:02:03'::macaddr)) AS macaddr(v);
:sample (VALUES ('08:00:2b:01:02:03:04:05'::macaddr8)) AS macaddr8(v);
:sample (VALUES (B'101'), (B'')) AS bit(v);
:sample (VALUES (B'101'::varbit)) AS varbit(v);
:sample (VALUES ('<a b="c">&amp;</a>'::xml)) AS xml(v);
:sample (VALUES (xmlcomment('"'))) AS xml(v);
:sample (VALUES ('''a'':1A ''b"'':2'::tsvector)) AS tsvector(v);
:sample (VALUES ('''a'' & !''b'''::tsquery)) AS tsquery(v);
:sample (VALUES ('12.34'::money), ('-1000')) AS money(v);
:sample (VALUES ('(1,2)'::point)) AS point(v);
:sample (VALUES ('((0,0),(1,1e300))'::polygon)) AS polygon(v);
:sample (VALUES ('pg_class'::regclass), ('lossy'), (NULL)) AS regclass(v);
:sample (VALUES ('int4'::regtype)) AS regtype(v);
:sample (VALUES ('sum(int8)'::regprocedure)) AS regprocedure(v);
:sample (VALUES ('16/B374D848'::pg_lsn)) AS pg_lsn(v);
:sample (VALUES ('12:20:14,18'::pg_snapshot)) AS pg_snapshot(v);
:sample (VALUES ('(3,4)'::tid)) AS tid(v);
:sample (VALUES ('{$.a[*] ? (@ > 1)}'::text), ('$."a"[*]?(@ > 1)'::jsonpath::text)) AS text(v);
:sample (VALUES ('$."a"[*]?(@ > 1)'::jsonpath)) AS jsonpath(v);

-- A cast to json counts, unless the type is an array or composite
CREATE TYPE badge AS ENUM ('gold', 'silver');
CREATE FUNCTION to_json(badge) RETURNS json IMMUTABLE AS $$ SELECT json_build_object('badge', $1::text) $$ LANGUAGE sql;
CREATE CAST (badge AS json) WITH FUNCTION to_json(badge);
CREATE DOMAIN best_badge AS badge;
CREATE FUNCTION to_json(pair) RETURNS json IMMUTABLE AS $$ SELECT '"never"'::json $$ LANGUAGE sql;
CREATE CAST (pair AS json) WITH FUNCTION to_json(pair);
:sample (VALUES ('gold'::badge), (NULL)) AS cast_to_json(v);
:sample (VALUES ('gold'::best_badge)) AS cast_to_json(v);
:sample (VALUES (ARRAY['gold', NULL, 'silver']::badge[])) AS cast_to_json(v);
:sample (VALUES (ROW(1, 'x')::pair)) AS composite(v);

SET client_min_messages = warning;
DROP SCHEMA sample_types CASCADE;
RESET client_min_messages;
RESET search_path;
RESET TimeZone;
