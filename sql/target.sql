-- socketio_target and the functions that build one.
\set VERBOSITY verbose
\set SHOW_CONTEXT never

-- Each function by itself: what is not named is open.
SELECT (socketio_of('/admin')).*;
SELECT socketio_of('admin'), socketio_of('/'), socketio_of(''), socketio_of(NULL), socketio_of('//'), socketio_of('ünser');
SELECT (socketio_to('a')).*;
SELECT socketio_to('a', 'b'), socketio_to(VARIADIC ARRAY['a', 'b']), socketio_to(VARIADIC '{}');
SELECT socketio_in('a', 'b'), socketio_in(VARIADIC ARRAY['a', 'b']), socketio_in(VARIADIC '{}');
SELECT socketio_except('a', 'b'), socketio_except(VARIADIC ARRAY['a', 'b']), socketio_except(VARIADIC '{}');
SELECT socketio_volatile(), socketio_volatile(NULL);
SELECT socketio_compress(true), socketio_compress(false), socketio_compress(NULL);

-- As a chain: rooms add up, the last word on compression counts.
SELECT (socketio_compress(socketio_volatile(socketio_except(socketio_to(socketio_of('/admin'), 'a', 'b'), 'c')), false)).*;
SELECT socketio_to(socketio_to('a'), 'b', 'c'), socketio_in(socketio_to('a'), 'b'), socketio_to(socketio_in('a'), 'a');
SELECT socketio_except(socketio_except('a'), VARIADIC ARRAY['b', 'a']);
SELECT socketio_compress(socketio_compress(true), false), socketio_compress(socketio_compress(true), NULL);
SELECT socketio_volatile(socketio_volatile());

-- Named
SELECT socketio_of(nsp => '/admin'), socketio_volatile(target => socketio_to('a')), socketio_compress(compress => true),
	socketio_compress(compress => true, target => socketio_to('a')), socketio_to(VARIADIC rooms => ARRAY['a']),
	socketio_except(target => socketio_to('a'), VARIADIC rooms => ARRAY['b']);

-- NULL for a target is everyone in '/', and so is each field that is NULL.
SELECT socketio_to(NULL::socketio_target, 'a'), socketio_except(NULL::socketio_target, 'a'),
	socketio_compress(NULL::socketio_target, true), socketio_volatile(NULL::socketio_target);
SELECT socketio_to(ROW(NULL, NULL, NULL, NULL, NULL)::socketio_target, 'a'),
	socketio_volatile(ROW(NULL, NULL, '{b}', NULL, true)::socketio_target);

-- Rooms of any shape of array; odd names; many of them
SELECT socketio_to(VARIADIC '{{a,b},{c,d}}'), socketio_to(VARIADIC '[5:6]={a,b}'), socketio_to('', ' ', '"', 'ö', 'NULL');
SELECT cardinality((socketio_to(VARIADIC array_agg('room ' || i))).rooms) FROM generate_series(1, 1000) AS i;

-- The argument stays as it was. The functions are immutable, so a generated column may hold their results.
CREATE TABLE listeners (
	room text,
	target socketio_target,
	louder socketio_target GENERATED ALWAYS AS (socketio_volatile(socketio_to(target, room))) STORED
);
INSERT INTO listeners VALUES ('b', socketio_to('a')), ('c', NULL);
SELECT * FROM listeners;
UPDATE listeners SET target = socketio_to(target, room, repeat('long', 2));
SELECT target, socketio_except(target, 'x'), target FROM listeners;
DO $$
DECLARE
	target socketio_target := socketio_to('a');
	more socketio_target := socketio_to(target, 'b');
BEGIN
	target.nsp := '/admin';
	RAISE NOTICE '% %', target, more;
	more := socketio_to(more, VARIADIC array_append(more.rooms, 'c'));
	RAISE NOTICE '% %', target, more;
END
$$;
DROP TABLE listeners;

-- A room that is NULL, or rooms that are
SELECT socketio_to('a', NULL);
SELECT socketio_to(VARIADIC NULL);
SELECT socketio_in(socketio_to('a'), NULL, 'b');
SELECT socketio_in(socketio_to('a'), VARIADIC NULL::text[]);
SELECT socketio_except(NULL::text);
SELECT socketio_except(socketio_to('a'), VARIADIC ARRAY['a', NULL]);

-- Rooms are named one by one or with VARIADIC; there is no socketio_to() without any.
SELECT socketio_to(ARRAY['a', 'b']);
SELECT socketio_to();

-- An altered type is refused rather than misread.
BEGIN;
ALTER TYPE socketio_target ADD ATTRIBUTE extra int;
SAVEPOINT altered;
SELECT socketio_to('a');
ROLLBACK TO altered;
SELECT socketio_volatile(ROW('/', '{}', '{}', false, NULL, 1)::socketio_target);
ROLLBACK TO altered;
SELECT socketio_emit(ROW('/', '{}', '{}', false, NULL, 1)::socketio_target, 'hello');
ROLLBACK;
SELECT socketio_to('a');
