-- Values as JSON: what socketio_emit_values() writes for a value is what to_jsonb() makes of it, digit for digit, and
-- with all digits of floats.
\getenv root PG_ABS_SRCDIR
\getenv out PG_ABS_BUILDDIR
\set samples :root '/test/regress/samples.sql'
\set capture :out '/results/values.notifications'
TRUNCATE regress.expected RESTART IDENTITY;

LISTEN "socket.io#/";
\o :capture
\i :samples
\o
\set notifications `cat :'capture'`

-- The text of each value in its notification, shown up to 120 characters, and the comparison of all of it.
CREATE TEMP TABLE emitted AS
SELECT n, path, message #>> '{data,packet,data,0}' AS type,
	substring(payload FROM '"data":\["(?:[^"\\]|\\.)*",(.*)\],"nsp":"/"\},"opts":') AS json
FROM regress.messages(:'notifications') JOIN regress.notifications(:'notifications') USING (n);

\pset format unaligned
SELECT type, CASE WHEN length(json) > 120 THEN left(json, 100) || '… (' || length(json) || ' characters)' ELSE json END AS json
FROM emitted ORDER BY n;
\pset format aligned

SELECT path, count(*) AS emitted, count(*) FILTER (WHERE json::jsonb::text = value::text) AS as_to_jsonb
FROM emitted FULL JOIN regress.expected USING (n) GROUP BY path;

SELECT * FROM emitted FULL JOIN regress.expected USING (n) WHERE (json::jsonb::text = value::text) IS NOT TRUE;
