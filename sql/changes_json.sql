-- Row changes of values that jsonb refuses: what JSON can hold is told. What cannot be told is an error that says where it was.
\getenv root PG_ABS_SRCDIR
\set changes :root '/test/regress/changes.sql'
\set ECHO none
\i :changes
\set ECHO all
\set show_text ':take \\\\ SELECT substring(line FROM ''"data":(\\[.*\\]),"nsp"'') FROM regexp_split_to_table(:''notifications'', E''\\n'') AS line;'
CREATE TABLE notes (id int PRIMARY KEY, body json, more json[]);
SELECT pg_temp.for_both('notes');
:collect
INSERT INTO notes VALUES (1, '{"nul": "a\u0000b", "a\u0000\u0001": "\u0001 \u00010000 \\u0000 \\\u0000 \"\u0000", "e": "\u00e9é😀\ud83d\ude00"}');
UPDATE notes SET body = '"\u0000"', more = ARRAY['["\u0000", 1.50]', '{"a": "x", "\u0061": "\u0000y"}']::json[];
UPDATE notes SET body = '{"high": "\ud83d", "low": "é\ude00.", "wrong": "\ude00\ud83d", "twice": "\ud83d\ud83d\ude00", "\ud800": 1}';
DELETE FROM notes;
:show_text
DROP TABLE notes;

-- As msgpack: U+0000 is itself, a surrogate U+FFFD
CREATE TABLE notes (v json);
SELECT pg_temp.for_rows('notes', 'payload=record', 'event=e');
TRUNCATE socket_io_attachments RESTART IDENTITY;
SET socketio_emitter.payload_threshold = 1;
\o /dev/null
INSERT INTO notes VALUES ('"a\u0000b\u0001"'), ('{"\ud83d": "\ude00é\ud83d\ude00"}');
\o
SELECT substring(encode(payload, 'hex') FROM '92a165(.*?)a36e7370') FROM socket_io_attachments ORDER BY id;
RESET socketio_emitter.payload_threshold;
DROP TABLE notes;

-- socketio_emit_values() likewise
:collect
SELECT socketio_emit_values(NULL, 'values', '"a\u0000b"'::json, '["\ud83d", "\u0001"]'::json, row('"\u0000"'::json));
:show_text

-- Errors name trigger, table and column.
\set SHOW_CONTEXT errors
CREATE TYPE breaker AS ENUM ('breaker');
CREATE FUNCTION to_json(breaker) RETURNS json LANGUAGE plpgsql AS $$
BEGIN
	RAISE 'broken';
END
$$;
CREATE CAST (breaker AS json) WITH FUNCTION to_json(breaker);
CREATE TABLE broken (id int PRIMARY KEY, v breaker, list breaker[]);
SELECT pg_temp.for_rows('broken');
\set VERBOSITY default
INSERT INTO broken VALUES (1, 'breaker');
INSERT INTO broken VALUES (1, NULL, '{breaker}');
INSERT INTO broken VALUES (1, NULL, '{}');
DROP TRIGGER announce ON broken;
SELECT pg_temp.for_statements('broken', 'rooms=r:{id}');
INSERT INTO broken VALUES (2, NULL, '{}'), (3, 'breaker', NULL);
-- None of an error's own is left behind.
BEGIN;
SAVEPOINT s;
INSERT INTO broken VALUES (2, 'breaker');
ROLLBACK TO s;
CREATE TABLE named (e text);
CREATE TRIGGER announce AFTER INSERT ON named FOR EACH ROW EXECUTE FUNCTION socketio_emit_changes('event={e}');
INSERT INTO named VALUES (NULL);
ROLLBACK;
DROP TABLE broken;
DROP CAST (breaker AS json);
DROP FUNCTION to_json(breaker);
DROP TYPE breaker;
