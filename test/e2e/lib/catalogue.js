// SQL values of every kind, each as an expression: what they must become is what to_jsonb makes of them, so nothing
// is said here about results. No bytea: that is binary, and binary.test.js's business.

// What the expressions below need in the database.
export const types = `
  CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy', 'so-so "quoted" \\ é😀');
  CREATE DOMAIN posint AS int CHECK (VALUE > 0);
  CREATE DOMAIN posint_again AS posint;
  CREATE DOMAIN short_text AS varchar(10);
  CREATE DOMAIN int_list AS int[];
  CREATE DOMAIN document AS jsonb;
  CREATE TYPE pair AS (a int, b text);
  CREATE TYPE tree AS (name text, branch pair, leaves pair[], moods mood[], spare posint);
  CREATE DOMAIN pair_with_a AS pair CHECK ((VALUE).a IS NOT NULL);
  CREATE TYPE awkward AS (dropped int, "quo""te" int, "back\\slash" int, "Größe 😀" int, "new
line" int, "a.b" int);
  ALTER TYPE awkward DROP ATTRIBUTE dropped;
  CREATE TYPE spanrange AS RANGE (subtype = float8);
  CREATE TABLE person (id int, gone text, name text, born date, tags text[], extra jsonb);
  ALTER TABLE person DROP COLUMN gone;
  INSERT INTO person VALUES
    (1, 'Ada', '1815-12-10', '{math,"punch cards"}', '{"a": [1, 2]}'), (2, NULL, NULL, '{}', NULL);
  CREATE TYPE money_amount AS (amount numeric, currency text);
  CREATE FUNCTION money_amount_to_json(money_amount) RETURNS json LANGUAGE sql IMMUTABLE
    AS $$ SELECT to_json($1.amount || ' ' || $1.currency) $$;
  CREATE CAST (money_amount AS json) WITH FUNCTION money_amount_to_json(money_amount);
  DO $$
  BEGIN
    IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'hstore') THEN CREATE EXTENSION hstore; END IF;
    IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'citext') THEN CREATE EXTENSION citext; END IF;
    IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'ltree') THEN CREATE EXTENSION ltree; END IF;
  END $$`;

// Values of extension types, by the type they need.
const extensionValues = {
  hstore: [`'a=>1, b=>NULL, "c d"=>"e\\"f", g=>true'::hstore`, `''::hstore`, `ARRAY['a=>1'::hstore, NULL]`,
    `ROW('x=>y'::hstore)`],
  citext: [`'Mixed Case'::citext`, `ARRAY['A', 'b']::citext[]`],
  ltree: [`'Top.Science.Astronomy'::ltree`],
};

// All values this database can make, and the extension types it lacks.
export async function catalogue(database) {
  const { rows } = await database.query('SELECT typname FROM pg_type WHERE typname = ANY ($1)',
    [Object.keys(extensionValues)]);
  const present = rows.map(({ typname }) => typname);
  return {
    values: [...values, ...present.flatMap((type) => extensionValues[type])],
    missing: Object.keys(extensionValues).filter((type) => !present.includes(type)),
  };
}

const each = (list, write) => list.map(write);

const values = [
  // Nothing, in its kinds.
  'NULL', 'NULL::text', 'NULL::int', 'NULL::jsonb', 'NULL::pair', 'NULL::int[]', 'NULL::mood', 'NULL::posint',

  'true', 'false', 'ARRAY[true, false, NULL]',

  // Integers: the ends of every width, and the steps of msgpack's formats.
  ...each([
    '0', '1', '-1', '127', '128', '-32', '-33', '-128', '-129', '255', '256', '32767', '-32768',
  ], (n) => `(${n})::int2`),
  ...each(['0', '65535', '65536', '-32769', '2147483647', '-2147483648'], (n) => `(${n})::int4`),
  ...each([
    '0', '2147483648', '4294967295', '4294967296', '-2147483649', '9007199254740991', '9007199254740992',
    '9007199254740993', '-9007199254740993', '1152921504606846977', '9223372036854775807', '-9223372036854775808',
  ], (n) => `(${n})::int8`),
  '4294967295::oid', `'pg_class'::regclass`, `'now()'::regprocedure`, `'42'::xid`, `'42'::xid8`, `'(1,2)'::tid`,

  // Numbers with digits and without end.
  ...each([
    '0', '0.0', '-0', '1', '1.0', '1.50', '-1.5', '0.1', '0.1000000000000000055511151231257827', '1e-10',
    '123456789.987654321', '9007199254740993', '9223372036854775807', '9223372036854775808', '-9223372036854775808',
    '-9223372036854775809', '18446744073709551615', '18446744073709551616', '1e20', '1e21', '1e22', '1e23', '1e100',
    '-1e100', '1e308', '1.7976931348623157e308', '1.7976931348623159e308', '1e309', '-1e400', '1e-307', '4.9e-324',
    '1e-400', '-1e-400', '2.2250738585072011e-308', '1e1000', 'NaN', 'Infinity', '-Infinity',
    '3.14159265358979323846264338327950288', '9007199254740991.5', '9007199254740992.5',
    '1.0000000000000000000000000000001',
  ], (n) => `'${n}'::numeric`),
  `('1' || repeat('0', 5000))::numeric`, `('0.' || repeat('0', 5000) || '1')::numeric`, `repeat('9', 1000)::numeric`,
  `'12.30'::numeric(10, 4)`, `'12345'::numeric(3, -2)`,
  ...each([
    '0', '-0', '1', '1.5', '-1.5', '0.1', '1e15', '1e16', '1e17', '123456789012345680', '1e20', '1e21', '1e22',
    '1e23', '1e100', '1.7976931348623157e308', '5e-324', '2.2250738585072014e-308', '1e-7', '0.000001',
    '9007199254740993', 'NaN', 'Infinity', '-Infinity',
  ], (n) => `'${n}'::float8`),
  ...each([
    '0', '-0', '1', '0.1', '3.4028235e38', '1e-45', '16777217', '1e10', 'NaN', 'Infinity', '-Infinity',
  ], (n) => `'${n}'::float4`),
  `'12.34'::money`,

  // Text.
  `''`, `''::text`, `'untyped'`, `'text'::text`, `'varying'::varchar(20)`, `'padded'::char(10)`, `'c'::"char"`,
  `''::"char"`, `'identifier'::name`,
  `'null'::text`, `'true'::text`, `'123'::text`, `'NaN'::text`, `'{"not": "json"}'::text`,
  `'"quoted" \\back\\ /slash/ ''single'''::text`,
  ...each([
    ...Array.from({ length: 31 }, (_, i) => i + 1), 127, 128, 159, 173, 8232, 8233, 65279, 65533, 65535, 65536, 128512,
    1114111,
  ], (codePoint) => `chr(${codePoint})`),
  `(SELECT string_agg(chr(n), '' ORDER BY n) FROM generate_series(1, 300) AS n)`,
  `'é ñ ß Ω Ж ש ع ह 部 한 😀 👩‍👩‍👧 🇺🇦 𐍈 𝄞'::text`, `E'two\\nlines\\r\\n\\ttab'::text`, `'ends with \\'::text`,
  `'\\u0041 \\n'::text`,
  ...each([30, 31, 32, 33, 254, 255, 256, 257, 65535, 65536, 100000], (length) => `repeat('x', ${length})`),
  `repeat('é😀', 40000)`, `lower('ABC')`, `concat('a', 1, true)`,

  // Times.
  ...each([
    '2026-02-28', '2000-02-29', '0001-01-01', '0044-03-15 BC', '4713-01-01 BC', '9999-12-31', '294276-12-31',
    'infinity', '-infinity',
  ], (text) => `'${text}'::date`),
  ...each([
    '2026-02-28 12:34:56', '2026-02-28 12:34:56.789', '2026-02-28 12:34:56.789012', '1999-12-31 24:00:00',
    '0044-03-15 12:00 BC', '20000-01-01 00:00', '294276-12-31 23:59:59.999999', 'infinity', '-infinity', 'epoch',
  ], (text) => `'${text}'::timestamp`),
  ...each([
    '2026-02-28 12:34:56+00', '2026-07-01 12:34:56.789012+05:30', '1900-01-01 00:00+00', '0044-03-15 12:00+00 BC',
    '20000-01-01 00:00+00', '294276-12-31 23:59:59.999999+00', 'infinity', '-infinity',
  ], (text) => `'${text}'::timestamptz`),
  `'12:34:56'::time`, `'12:34:56.789012'::time`, `'24:00'::time`, `'12:34:56+02'::timetz`,
  `'12:34:56.5-05:30'::timetz`,
  ...each([
    '0', '1 second', '-1 second', '1 year 2 months 3 days 04:05:06.789', '-1 year +2 days -03:04:05',
    '178000000 years', '0.000001 seconds',
  ], (text) => `'${text}'::interval`),

  // Ranges.
  `int4range(1, 10)`, `int4range(NULL, 10)`, `'empty'::int4range`, `'[1,10]'::int8range`, `'(,)'::numrange`,
  `numrange(1.5, 2.50, '[]')`,
  `'[2026-01-01,2026-12-31)'::daterange`, `'[2026-01-01 00:00,infinity)'::tsrange`,
  `tstzrange('2026-01-01 00:00+00', NULL)`,
  `spanrange(0.1, 1e100)`, `'{[1,3),[5,9)}'::int4multirange`, `'{}'::nummultirange`, `ARRAY[int4range(1, 2), NULL]`,

  // Documents.
  ...each([
    'null', 'true', '1', '-0', '-1.50', '1E5', '1e-7', '12345678901234567890', '1e400', '-1e-400', '""', '"text"',
    '"\\u0041\\ud83d\\ude00\\n\\/\\u007f"', '[]', '{}', '[1, 2.0, "3", null, true, [], {}]',
    '  {"a" :  [ 1 ,2\n], "b":{"c":{"d":null}}}  ', '{"z":1,"a":2,"":3}', '{"same":1,"same":2}',
    '{"1":"one","10":"ten","9":"nine"}', '{"quo\\"te":1,"back\\\\slash":2,"Größe 😀":3}', '[[[[[[[[[[1]]]]]]]]]]',
  ], (text) => `'${text}'::json`),
  ...each([
    'null', 'false', '0', '-0', '1.0', '1.50', '1E5', '1e-7', '12345678901234567890', '18446744073709551615', '1e400',
    '-1e-400', '""', '"text"', '"\\u0041\\ud83d\\ude00\\n\\/\\u007f"', '[]', '{}',
    '[1, 2.0, "3", null, true, [], {}]', '{"a": [1, {"b": {"c": [null]}}]}', '{"z":1,"a":2,"":3}',
    '{"same":1,"same":2}', '[[[[[[[[[[1]]]]]]]]]]', '{"1":"one","10":"ten","9":"nine"}',
  ], (text) => `'${text}'::jsonb`),
  `(SELECT jsonb_agg(n) FROM generate_series(1, 15) AS n)`, `(SELECT jsonb_agg(n) FROM generate_series(1, 16) AS n)`,
  `(SELECT jsonb_agg(n) FROM generate_series(1, 70000) AS n)`,
  `(SELECT jsonb_object_agg('key ' || n, n) FROM generate_series(1, 15) AS n)`,
  `(SELECT jsonb_object_agg('key ' || n, n) FROM generate_series(1, 16) AS n)`,
  `(SELECT jsonb_object_agg('key ' || n, n) FROM generate_series(1, 70000) AS n)`,
  `(SELECT json_object_agg('key ' || n, jsonb_build_array(n, n * 1.5, NULL)) FROM generate_series(1, 100) AS n)`,
  `'{"a": 1}'::document`, `jsonb_build_object('a', ARRAY[1, 2], 'b', ROW(1, 'x'))`, `to_jsonb('text'::text)`,
  `(repeat('[', 500) || repeat(']', 500))::json`, `(repeat('[', 500) || repeat(']', 500))::jsonb`,

  // Arrays.
  `'{}'::int[]`, `ARRAY[]::text[]`, `ARRAY[1, 2, 3]`, `ARRAY[1, NULL, 3]`, `ARRAY[NULL, NULL]::int[]`,
  `ARRAY[[1, 2], [3, 4]]`,
  `ARRAY[[[1, 2], [3, 4]], [[5, 6], [7, NULL]]]`, `'[0:2]={1,2,3}'::int[]`, `'[-1:0][5:6]={{1,2},{3,4}}'::int[]`,
  `ARRAY[[[[[[1]]]]]]`, `ARRAY['', 'a', NULL, '"', '\\', '{}', 'NULL', 'é😀']::text[]`,
  `ARRAY[1.5, 'NaN', 1e100]::numeric[]`,
  `ARRAY['-0', 'Infinity', 0.1]::float8[]`, `ARRAY['2026-01-01', 'infinity']::timestamptz[]`,
  `ARRAY['{"a": 1}', '[]', 'null']::jsonb[]`,
  `ARRAY['{"a" : 1}', '[]', 'null']::json[]`, `ARRAY['happy', NULL]::mood[]`, `ARRAY[1, 2]::posint[]`,
  `'{1,2}'::int_list`, `'{}'::int_list`,
  `ARRAY[ROW(1, 'x')::pair, NULL, ROW(NULL, NULL)::pair]`, `ARRAY[[ROW(1, 'x')::pair], [ROW(2, 'y')::pair]]`,
  `'1 2 3'::int2vector`, `'4 5'::oidvector`,
  `ARRAY['a', 'b']::name[]`, `ARRAY[true, NULL]`, `(SELECT array_agg(n) FROM generate_series(1, 70000) AS n)`,
  `(SELECT array_agg(ARRAY[n, n * n]) FROM generate_series(1, 20) AS n)`, `ARRAY['1 day', '2 hours']::interval[]`,
  `ARRAY[ROW(1, 2), ROW(3, 4)]`,

  // Composites.
  `ROW(1, 'text', NULL, true)`, `ROW()`, `ROW(1, ROW(2, ROW(3)))`, `ROW(1, 'x')::pair`, `ROW(NULL, NULL)::pair`,
  `ROW(1, 'x')::pair_with_a`,
  `ROW('oak', ROW(1, 'x'), ARRAY[ROW(2, 'y'), NULL]::pair[], '{happy,NULL}', 7)::tree`,
  `ROW('oak', NULL, '{}', NULL, NULL)::tree`,
  `ROW(1, 2, 3, 4, 5)::awkward`, `(SELECT person FROM person WHERE id = 1)`,
  `(SELECT array_agg(person ORDER BY id) FROM person)`,
  `(SELECT p FROM (SELECT id, name AS "full name", now() IS NOT NULL AS "?" FROM person WHERE id = 2) AS p)`,
  `ROW(ARRAY[ROW(ARRAY[1, 2], '{"a": 1}'::jsonb, 'infinity'::date)])`, `ROW(1.5, 'USD')::money_amount`,
  `ARRAY[ROW(1.5, 'USD')::money_amount]`,

  // Enums and domains.
  `'happy'::mood`, `'so-so "quoted" \\ é😀'::mood`, `7::posint`, `8::posint_again`, `'short'::short_text`,

  // The rest of what is built in, which to_jsonb turns into text.
  `'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid`, `'192.168.0.1/24'::inet`, `'::1'::inet`, `'10.0.0.0/8'::cidr`,
  `'08:00:2b:01:02:03'::macaddr`,
  `'08:00:2b:01:02:03:04:05'::macaddr8`, `B'10110'`, `'101'::varbit`, `point(1, 2.5)`, `'{1,2,3}'::line`,
  `'[(0,0),(1,1)]'::lseg`, `box(point(0, 0), point(1, 1))`,
  `'[(0,0),(1,1),(2,0)]'::path`, `'((0,0),(1,1),(2,0))'::polygon`, `'<(0,0),5>'::circle`,
  `to_tsvector('simple', 'a fat cat')`, `'fat & (cat | rat)'::tsquery`,
  `'$.a[*] ? (@ > 1)'::jsonpath`, `'16/B374D848'::pg_lsn`, `'10:20:10,14,15'::pg_snapshot`, `acldefault('r', 10)`,
];
