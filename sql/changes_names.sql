-- Names of columns in the options of a trigger: as they are, or in double quotes, as in SQL.
\pset format unaligned
\pset tuples_only on
\set VERBOSITY verbose
LISTEN "socket.io#/";
CREATE TABLE odd (id int PRIMARY KEY, "odd{name" text, "a,b" text, " c " text, "d""e" text, "op" text, "x}y" text, "f""" text);

-- In templates, quotes take what no name without them can hold; {"op"} is a column.
SELECT socketio_watch('odd', 'rooms={"odd{name"},{"a,b"}, {" c "},{"d""e"},{d"e},{"x}y"},{f"}', 'event={op}-{"op"}', 'payload=keys');
INSERT INTO odd VALUES (1, 'brace', 'comma', 'blanks', 'quote', 'made', 'end', 'one');
-- Lists of columns
SELECT socketio_watch('odd', 'columns="a,b"," c ", d"e ,"odd{name",f"', 'payload=record');
UPDATE odd SET "a,b" = 'new';
SELECT socketio_watch('odd', 'exclude= "a,b" ,"id","d""e","op", x}y,"f"""', 'payload=record');
UPDATE odd SET "a,b" = 'newer';
SELECT socketio_watch_statement('odd', 'columns="id"', 'rooms={"id"}', 'payload=record');
UPDATE odd SET "a,b" = 'newest';
-- What does not exist, and what is not quoted
SELECT socketio_watch('odd', 'rooms={"Id"}');
SELECT socketio_watch('odd', 'rooms={"schema"}');
SELECT socketio_watch('odd', 'rooms={" c"}');
SELECT socketio_watch('odd', 'rooms={"id}');
SELECT socketio_watch('odd', 'rooms={""}');
SELECT socketio_watch('odd', 'rooms={odd{name}');
SELECT socketio_watch('odd', 'columns="a,b');
SELECT socketio_watch('odd', 'columns="id",');
SELECT socketio_watch('odd', 'columns=""');
SELECT socketio_watch('odd', 'nsp=/{"id"}');
DROP TABLE odd;
