-- socketio_emit_values: events whose arguments are any SQL values. (What becomes of each type is in values.sql.)
\pset format unaligned
\pset tuples_only on
\set VERBOSITY verbose
LISTEN "socket.io#/";
LISTEN "socket.io#/admin";

-- No argument, one, several; typed or not
SELECT socketio_emit_values(NULL, 'hello');
SELECT socketio_emit_values(NULL, 'hello', 'world');
SELECT socketio_emit_values(NULL, 'hello', NULL);
SELECT socketio_emit_values(NULL, 'hello', 1, 'two', 3.50, true, NULL, 'ö"😀', ARRAY[1, NULL], date '2024-02-29', '{"a":1}'::jsonb);
SELECT socketio_emit_values(NULL, 'hello', '[1]', '[1]'::text, '[1]'::json);

-- Whom it is for
SELECT socketio_emit_values(socketio_to(socketio_of('/admin'), 'room1', 'room2'), 'hello', 1, 'two');
SELECT socketio_emit_values(socketio_compress(socketio_volatile(socketio_except('c')), true), 'hello', 1);
SELECT socketio_emit_values(ROW('admin', '{a,a}', NULL, NULL, NULL)::socketio_target, 'hello', 1);
SELECT socketio_emit_values(target => socketio_to('a'), event => 'hello');
SELECT socketio_emit_values(NULL, 'hello', socketio_to('a'));

-- VARIADIC passes the elements of an array, as jsonb_build_array() takes them; none for NULL
SELECT socketio_emit_values(NULL, 'hello', VARIADIC ARRAY[1, NULL, 3]);
SELECT socketio_emit_values(NULL, 'hello', VARIADIC '{}'::text[]);
SELECT socketio_emit_values(NULL, 'hello', VARIADIC NULL::text[]);
SELECT socketio_emit_values(NULL, 'hello', VARIADIC '{{1,2},{3,4}}'::int[]), jsonb_build_array(VARIADIC '{{1,2},{3,4}}'::int[]);
SELECT socketio_emit_values(NULL, 'hello', VARIADIC '[5:6]={a,b}'::text[]);
SELECT socketio_emit_values(NULL, 'hello', VARIADIC ARRAY[ROW(1, 'x'), ROW(2, 'y')]);
SELECT socketio_emit_values(NULL, 'hello', VARIADIC ARRAY['{"a":1}'::jsonb, '[]']);
SELECT socketio_emit_values(NULL, 'hello', ARRAY[1, 2]);
CREATE DOMAIN some_numbers AS int[];
SELECT socketio_emit_values(NULL, 'hello', VARIADIC '{1,2}'::some_numbers);
SELECT socketio_emit_values(NULL, 'hello', VARIADIC '1 2'::int2vector);
DROP DOMAIN some_numbers;
SELECT socketio_emit_values(NULL, 'hello', VARIADIC 1);
SELECT socketio_emit_values(NULL, 'hello', VARIADIC NULL);
SELECT socketio_emit_values(NULL, 'hello', VARIADIC target.rooms) FROM socketio_to('a', 'b') AS target;

-- As many arguments as a function can have
SELECT format('SELECT socketio_emit_values(NULL, ''hello'', %s)', string_agg(i::text, ', ')) FROM generate_series(1, 98) AS i
\gexec

-- From functions: polymorphic, called with one type after another
CREATE FUNCTION tell(what anyelement) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM socketio_emit_values(NULL, 'tell', what);
END
$$;
SELECT tell(1);
SELECT tell('text'::text);
SELECT tell(NULL::date);
SELECT tell(ARRAY[1.50, 2]);
SELECT tell(ROW(1, ROW('a')));
SELECT tell(socketio_to('a'));
SELECT tell(2), tell('again'::text), tell(3);
DROP FUNCTION tell(anyelement);
CREATE FUNCTION tell_all(VARIADIC words text[]) RETURNS void LANGUAGE sql AS $$
	SELECT socketio_emit_values(NULL, 'tell_all', words, cardinality(words));
	SELECT socketio_emit_values(NULL, 'tell_all', VARIADIC words)
$$;
SELECT tell_all('a', 'b');
DROP FUNCTION tell_all(text[]);
PREPARE tell(int, text, jsonb) AS SELECT socketio_emit_values(socketio_to($2), 'told', $1, $2, $3);
EXECUTE tell(1, 'a', '{}');
EXECUTE tell(NULL, 'b', NULL);
DEALLOCATE tell;

-- Variables of PL/pgSQL: a record that changes its type, expanded arrays and rows
CREATE TABLE people (id int, name text, tags text[]);
INSERT INTO people VALUES (1, 'Ann', '{a,b}'), (2, NULL, NULL);
DO $$
DECLARE
	r record;
	person people;
	numbers int[] := '{}';
	matrix numeric[] := '{{1,2},{3,4}}';
	everyone people[] := '{}';
BEGIN
	FOR r IN SELECT * FROM people ORDER BY id LOOP
		PERFORM socketio_emit_values(NULL, 'record', r, r.name, r.tags);
		person := r;
		everyone := everyone || person;
	END LOOP;
	FOR i IN 1 .. 2 LOOP
		IF i = 1 THEN
			SELECT 1 AS one, 'x' AS two INTO r;
		ELSE
			SELECT true AS three INTO r;
		END IF;
		PERFORM socketio_emit_values(NULL, 'record', r);
	END LOOP;
	FOR i IN 1 .. 5 LOOP
		numbers[i] := i * i;
	END LOOP;
	numbers[3] := NULL;
	matrix[2][1] := 3.50;
	PERFORM socketio_emit_values(NULL, 'expanded', numbers, matrix, everyone);
	PERFORM socketio_emit_values(NULL, 'expanded', VARIADIC numbers);
	PERFORM socketio_emit_values(NULL, 'expanded', VARIADIC matrix);
	person.id := 3;
	person.tags[2] := 'second';
	PERFORM socketio_emit_values(NULL, 'expanded', person, person.tags);
	everyone[1].name := 'Bob';
	PERFORM socketio_emit_values(NULL, 'expanded', VARIADIC everyone);
END
$$;

-- Rows: of a table, in a trigger, of different types at the same place
SELECT socketio_emit_values(NULL, 'row', p, p.id) FROM people AS p ORDER BY id;
SELECT socketio_emit_values(NULL, 'rows', array_agg(p ORDER BY id), count(*)) FROM people AS p;
CREATE FUNCTION announce() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM socketio_emit_values(NULL, TG_OP, OLD, NEW, TG_TABLE_NAME);
	RETURN NULL;
END
$$;
CREATE TRIGGER announce AFTER INSERT OR UPDATE OR DELETE ON people FOR EACH ROW EXECUTE FUNCTION announce();
INSERT INTO people VALUES (3, 'Eve', '{}');
UPDATE people SET name = 'Eva' WHERE id = 3;
DELETE FROM people WHERE id = 3;
DROP TRIGGER announce ON people;
DROP FUNCTION announce();
SELECT socketio_emit_values(NULL, 'any', CASE WHEN i = 1 THEN ROW(1) WHEN i = 2 THEN ROW('a', ROW(true)) ELSE ROW() END)
FROM generate_series(1, 3) AS i;

-- A type that is altered between calls of the same statement
CREATE FUNCTION tell_people() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	r record;
BEGIN
	FOR r IN EXECUTE 'SELECT p FROM people AS p WHERE id::text LIKE ''%1''' LOOP
		PERFORM socketio_emit_values(NULL, 'altered', r);
	END LOOP;
END
$$;
SELECT tell_people();
ALTER TABLE people ADD born date DEFAULT '2000-01-01';
SELECT tell_people();
ALTER TABLE people DROP tags;
SELECT tell_people();
ALTER TABLE people RENAME name TO "full name";
SELECT tell_people();
ALTER TABLE people ALTER id TYPE text USING 'id ' || id;
SELECT tell_people();
DROP FUNCTION tell_people();
PREPARE tell AS SELECT socketio_emit_values(NULL, 'altered', p) FROM people AS p ORDER BY id;
EXECUTE tell;
ALTER TABLE people ADD more int[] DEFAULT '{1,2}';
EXECUTE tell;
DEALLOCATE tell;
DROP TABLE people;

-- Values as they are stored: short, compressed, out of line, by themselves and inside of rows and arrays
CREATE TABLE stored (id int, packed text, far text, list text[], far_list text[], doc jsonb, digits numeric);
ALTER TABLE stored ALTER far SET STORAGE EXTERNAL, ALTER far_list SET STORAGE EXTERNAL, SET (toast_tuple_target = 128);
INSERT INTO stored SELECT 1, repeat('ab', 1500), string_agg(i::text, ',' ORDER BY i), '{short,NULL}', array_agg(i::text ORDER BY i),
	jsonb_object_agg('key ' || i, i), 2::numeric ^ 3000
FROM generate_series(1, 200) AS i;
SELECT pg_column_size(packed) < 100 AS compressed, pg_relation_size(reltoastrelid) > 0 AS out_of_line
FROM stored, pg_class WHERE pg_class.oid = 'stored'::regclass;
CREATE TYPE holder AS (value text, list text[]);
\getenv out PG_ABS_BUILDDIR
\set capture :out '/results/emit_values.notifications'
TRUNCATE regress.expected RESTART IDENTITY;
\o :capture
SELECT socketio_emit_values(NULL, 'stored', packed), regress.expect(to_jsonb(packed)) FROM stored;
SELECT socketio_emit_values(NULL, 'stored', far), regress.expect(to_jsonb(far)) FROM stored;
SELECT socketio_emit_values(NULL, 'stored', list), regress.expect(to_jsonb(list)) FROM stored;
SELECT socketio_emit_values(NULL, 'stored', far_list), regress.expect(to_jsonb(far_list)) FROM stored;
SELECT socketio_emit_values(NULL, 'stored', doc), regress.expect(to_jsonb(doc)) FROM stored;
SELECT socketio_emit_values(NULL, 'stored', digits), regress.expect(to_jsonb(digits)) FROM stored;
SELECT socketio_emit_values(NULL, 'stored', ROW(packed, list)::holder), regress.expect(to_jsonb(ROW(packed, list)::holder)) FROM stored;
SELECT socketio_emit_values(NULL, 'stored', ARRAY[ROW(far, far_list)::holder]),
	regress.expect(to_jsonb(ARRAY[ROW(far, far_list)::holder])) FROM stored;
SELECT socketio_emit_values(NULL, 'stored', s), regress.expect(to_jsonb(s)) FROM stored AS s;
\o
\set notifications `cat :'capture'`
SELECT n, path, bytes, regress.javascript(message #> '{data,packet,data,1}') = regress.javascript(value) AS as_to_jsonb
FROM regress.messages(:'notifications') FULL JOIN regress.expected USING (n) ORDER BY n;
SELECT socketio_emit_values(NULL, 'stored', VARIADIC far_list[1:3]) FROM stored;
DROP TABLE stored;
DROP TYPE holder;

-- anyarray, which the columns of pg_stats are, holds arrays of any type.
CREATE TABLE measured AS SELECT i % 2 AS parity, CASE WHEN i % 4 = 0 THEN 'x' ELSE 'y' END AS letter FROM generate_series(1, 100) AS i;
ANALYZE measured;
SELECT attname, socketio_emit_values(NULL, attname, most_common_vals) FROM pg_stats WHERE tablename = 'measured' ORDER BY attname;
DROP TABLE measured;
