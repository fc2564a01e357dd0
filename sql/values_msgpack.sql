-- Values as msgpack: the same samples as attachments decode to what JavaScript makes of to_jsonb().
\getenv root PG_ABS_SRCDIR
\getenv out PG_ABS_BUILDDIR
\set samples :root '/test/regress/samples.sql'
\set capture :out '/results/values_msgpack.notifications'
TRUNCATE regress.expected, socket_io_attachments RESTART IDENTITY;
SET socketio_emitter.payload_threshold = 1;

LISTEN "socket.io#/";
\o :capture
\set ECHO none
\i :samples
\set ECHO all
\o
\set notifications `cat :'capture'`

CREATE TEMP TABLE emitted AS
SELECT n, path, message #>> '{data,packet,data,0}' AS type, regress.javascript(message #> '{data,packet,data,1}') AS value
FROM regress.messages(:'notifications');

SELECT path, count(*) AS emitted, count(*) FILTER (WHERE emitted.value = regress.javascript(expected.value)) AS as_to_jsonb
FROM emitted FULL JOIN regress.expected USING (n) GROUP BY path;

SELECT * FROM emitted FULL JOIN regress.expected USING (n)
WHERE (emitted.value = regress.javascript(expected.value)) IS NOT TRUE;
