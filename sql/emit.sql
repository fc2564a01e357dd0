-- socketio_emit: events to clients. Each notification below is the whole message, as servers receive it.
\pset format unaligned
\pset tuples_only on
\set VERBOSITY verbose
LISTEN "socket.io#/";
LISTEN "socket.io#/admin";

-- The calls that the documentation makes, with untyped literals
SELECT socketio_emit('/', '{room1}', '{}', 'hello', '["world"]');
SELECT socketio_emit(event => 'hello', rooms => '{room1}', args => '{"a":1}');
SELECT socketio_emit(event => 'ping');

-- By position, one parameter after the other
SELECT socketio_emit('/admin', '{a,b}', '{c}', 'hello');
SELECT socketio_emit('/admin', '{a,b}', '{c}', 'hello', '[1, "two", null]');
SELECT socketio_emit('/admin', '{a,b}', '{c}', 'hello', '[1]', true);
SELECT socketio_emit('/admin', '{a,b}', '{c}', 'hello', '[1]', true, true);
SELECT socketio_emit('/admin', '{a,b}', '{c}', 'hello', '[1]', false, false);

-- By name, each by itself and all of them in any order
SELECT socketio_emit(event => 'hello', nsp => '/admin');
SELECT socketio_emit(event => 'hello', rooms => ARRAY['a', 'b']);
SELECT socketio_emit(event => 'hello', except_rooms => '{c}');
SELECT socketio_emit(event => 'hello', args => '["x"]');
SELECT socketio_emit(event => 'hello', volatile => true);
SELECT socketio_emit(event => 'hello', compress => true);
SELECT socketio_emit(compress => false, volatile => true, args => '["x"]', event => 'hello', except_rooms => '{c}',
	rooms => '{a}', nsp => '/admin');
SELECT socketio_emit('/admin', '{a}', event => 'hello');

-- To a target
SELECT socketio_emit(socketio_to('a', 'b'), 'hello');
SELECT socketio_emit(socketio_to('a', 'b'), 'hello', '["world", {"b": 2, "a": 1}]');
SELECT socketio_emit(target => socketio_to('a'), event => 'hello', args => '1');
SELECT socketio_emit(args => '1', event => 'hello', target => socketio_of('admin'));
SELECT socketio_emit(socketio_compress(socketio_volatile(socketio_except(socketio_in(socketio_of('/admin'), 'a', 'b'), 'c')),
	false), 'hello', '[1]');
SELECT socketio_emit(socketio_compress(true), 'hello');
SELECT socketio_emit(NULL::socketio_target, 'hello');
SELECT socketio_emit(ROW(NULL, NULL, NULL, NULL, NULL)::socketio_target, 'hello');
SELECT socketio_emit(ROW('admin', '{a,a}', '{b,b}', NULL, NULL)::socketio_target, 'hello');
-- Kept in a table; a target of few bytes and one of many, as it is stored
CREATE TABLE audience (id serial, target socketio_target);
INSERT INTO audience (target) VALUES (socketio_to('a')), (NULL), (socketio_to(repeat('long', 50), 'b')),
	(socketio_to(VARIADIC array(SELECT 'room ' || i FROM generate_series(1, 40) AS i)));
SELECT socketio_emit(target, 'hello', to_jsonb(id)) FROM audience ORDER BY id;
DROP TABLE audience;

-- The namespace: NULL and '' are '/', and a leading '/' is added.
SELECT socketio_emit(nsp => NULL, event => 'hello');
SELECT socketio_emit(nsp => '', event => 'hello');
SELECT socketio_emit(nsp => 'admin', event => 'hello');
SELECT socketio_emit(socketio_of(NULL), 'hello');
LISTEN "socket.io#/ünser ""nsp""";
SELECT socketio_emit(nsp => 'ünser "nsp"', event => 'hello');

-- Rooms are sets: the first of equals counts. Few are compared, many are hashed.
SELECT socketio_emit(event => 'hello', rooms => '{b,a,b,c,a}', except_rooms => '{y,x,x,y}');
SELECT socketio_emit(event => 'hello', rooms => array_agg(chr(ascii('a') + i % 18))) FROM generate_series(35, 0, -1) AS i;
SELECT socketio_emit(event => 'hello', rooms => '{{a,b},{c,a}}', except_rooms => '[5:6]={x,y}');
SELECT socketio_emit(event => 'hello', rooms => ARRAY['', ' ', '"', '\', E'\n', 'ö😀', 'NULL', repeat('x', 200)]);

-- The arguments: an array is the list of them, any other value the only one, NULL none.
SELECT socketio_emit(event => 'hello', args => '[]');
SELECT socketio_emit(event => 'hello', args => NULL);
SELECT socketio_emit(event => 'hello', args => 'null');
SELECT socketio_emit(event => 'hello', args => '[null]');
SELECT socketio_emit(event => 'hello', args => '[[1, 2]]');
SELECT socketio_emit(event => 'hello', args => '{}');
SELECT socketio_emit(event => 'hello', args => '"text"');
SELECT socketio_emit(event => 'hello', args => '-12.50');
SELECT socketio_emit(event => 'hello', args => 'false');
SELECT socketio_emit(event => 'hello', args => '[{"b": [1, {"c": []}], "aa": {}, "": null}, "\u00e9\ud83d\ude00\n\"\\\/", 1e3, -0, true]');
SELECT socketio_emit(event => 'hello', args => to_jsonb(ARRAY[ROW(1, 'x'), ROW(2, 'y')]));

-- An event's name is any text but those Socket.IO keeps for itself.
SELECT socketio_emit(event => '');
SELECT socketio_emit(event => E'"ö\\😀\n');
SELECT socketio_emit(event => 'Connect');
SELECT socketio_emit(event => 'connect ');

-- A flag that is NULL is not set.
SELECT socketio_emit(event => 'hello', volatile => NULL, compress => NULL);

-- Equal emits are as many deliveries; a query may emit for each of its rows, in order.
SELECT socketio_emit(event => 'hello', args => to_jsonb(i / 2)) FROM generate_series(2, 5) AS i;
SELECT socketio_emit(event => 'a'), socketio_emit(event => 'a'), socketio_emit(event => 'b');

-- Prepared, with rooms and arguments as parameters
PREPARE emit(text[], jsonb) AS SELECT socketio_emit(event => 'hello', rooms => $1, args => $2);
EXECUTE emit('{a}', '[1]');
EXECUTE emit('{b,c}', NULL);
DEALLOCATE emit;

-- Arrays that PL/pgSQL keeps expanded, and rooms stored out of line
DO $$
DECLARE
	rooms text[] := '{a}';
	target socketio_target;
BEGIN
	FOR i IN 1 .. 3 LOOP
		rooms[i + 1] := 'room ' || i;
	END LOOP;
	PERFORM socketio_emit(event => 'expanded', rooms => rooms, except_rooms => array_append(rooms, 'x'));
	target := socketio_to(VARIADIC rooms);
	target.except_rooms[1] := 'y';
	PERFORM socketio_emit(target, 'expanded');
	PERFORM socketio_emit(socketio_except(target, VARIADIC array_append(target.except_rooms, 'z')), 'expanded');
END
$$;
CREATE TABLE stored (rooms text[], args jsonb, target socketio_target);
ALTER TABLE stored ALTER rooms SET STORAGE EXTERNAL, ALTER args SET STORAGE EXTERNAL, ALTER target SET STORAGE EXTERNAL,
	SET (toast_tuple_target = 128);
INSERT INTO stored SELECT rooms, to_jsonb(rooms), socketio_to(VARIADIC rooms)
FROM (SELECT array_agg(repeat('r', 20) || i) FROM generate_series(1, 40) AS i) AS r(rooms);
SELECT pg_relation_size(reltoastrelid) > 0 FROM pg_class WHERE oid = 'stored'::regclass;
SELECT socketio_emit(event => 'stored', rooms => rooms, args => args), socketio_emit(target, 'stored', args) FROM stored;
SELECT socketio_emit(event => 'stored', rooms => rooms[1:1], except_rooms => (target).rooms) FROM stored;
DROP TABLE stored;

-- From PL/pgSQL in a trigger, and from SQL
CREATE TABLE orders (id int, state text);
CREATE FUNCTION announce() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM socketio_emit(socketio_to('order:' || NEW.id), 'order', to_jsonb(NEW));
	RETURN NULL;
END
$$;
CREATE TRIGGER announce AFTER INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION announce();
INSERT INTO orders VALUES (1, 'new'), (2, 'new');
UPDATE orders SET state = 'paid' WHERE id = 2;
DROP TABLE orders;
DROP FUNCTION announce();
CREATE FUNCTION tell(room text, VARIADIC words text[]) RETURNS void LANGUAGE sql AS $$
	SELECT socketio_emit(socketio_to(room), 'told', to_jsonb(words))
$$;
SELECT tell('a', 'x', 'y');
DROP FUNCTION tell(text, text[]);
