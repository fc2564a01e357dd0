-- What the tests of row changes share. They listen to '/', and most of the time look at events rather than at messages:
--
--   :collect   what psql prints goes to a file from here on, notifications among it; only errors are seen
--   :take      no longer; what went to the file is in the variable `notifications`
--   :show      the events since :collect or the last :show, one a line, and go on collecting. A line is what was emitted,
--              [event, argument...], as it stands in the message, then whom it is for, if not everyone in '/', and how
--              it travels, if not as a notification.
\pset format unaligned
\pset tuples_only on
\set VERBOSITY verbose
\set SHOW_CONTEXT never
\getenv out PG_ABS_BUILDDIR
\set capture :out '/results/changes.notifications'
\set collect '\\o :capture'
\set take '\\o \\set notifications `cat :\'capture\'`'
\set show ':take \\\\ SELECT line FROM pg_temp.events(:\'notifications\') ORDER BY n; :collect'
TRUNCATE socket_io_attachments RESTART IDENTITY;
LISTEN "socket.io#/";

-- The events in psql's output. What comes from an attachment is in the order of jsonb's keys, as it is decoded to that.
CREATE FUNCTION pg_temp.events(psql_output text)
RETURNS TABLE (n bigint, line text)
LANGUAGE sql STABLE AS $$
	SELECT n, concat_ws(' ',
		CASE path WHEN 'attachment' THEN message #>> '{data,packet,data}' ELSE payload::json #>> '{data,packet,data}' END,
		'to ' || nullif(message #>> '{data,opts,rooms}', '[]'),
		'except ' || nullif(message #>> '{data,opts,except}', '[]'),
		'of ' || nullif(message ->> 'nsp', '/'),
		nullif(message #>> '{data,opts,flags}', '{}'),
		'as ' || nullif(path, 'notification'))
	FROM regress.messages(psql_output) JOIN regress.notifications(psql_output) USING (n)
$$;

-- Triggers on a table with these options, in place of those of an earlier call: one for rows; one for each kind of
-- statement, as transition tables want it; one for TRUNCATE; those for rows and for statements at once, with events of their own.
CREATE FUNCTION pg_temp.create_trigger(name text, what text, options text[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE OR REPLACE TRIGGER %I AFTER %s EXECUTE FUNCTION socketio_emit_changes(%s)', name, what,
		(SELECT string_agg(quote_literal(option), ', ' ORDER BY i) FROM unnest(options) WITH ORDINALITY AS o(option, i)));
END
$$;
CREATE FUNCTION pg_temp.for_rows("table" regclass, VARIADIC options text[] DEFAULT '{}') RETURNS void
LANGUAGE sql AS $$
	SELECT pg_temp.create_trigger('announce', 'INSERT OR UPDATE OR DELETE ON ' || "table" || ' FOR EACH ROW', options)
$$;
CREATE FUNCTION pg_temp.for_statements("table" regclass, VARIADIC options text[] DEFAULT '{}') RETURNS void
LANGUAGE sql AS $$
	SELECT pg_temp.create_trigger('announce_' || lower(operation),
		operation || ' ON ' || "table" || ' REFERENCING ' || tables || ' FOR EACH STATEMENT', options)
	FROM (VALUES ('INSERT', 'NEW TABLE AS news'), ('UPDATE', 'OLD TABLE AS olds NEW TABLE AS news'), ('DELETE', 'OLD TABLE AS olds'))
		AS operations(operation, tables)
$$;
CREATE FUNCTION pg_temp.for_truncate("table" regclass, VARIADIC options text[] DEFAULT '{}') RETURNS void
LANGUAGE sql AS $$
	SELECT pg_temp.create_trigger('announce_truncate', 'TRUNCATE ON ' || "table" || ' FOR EACH STATEMENT', options)
$$;
CREATE FUNCTION pg_temp.for_both("table" regclass, VARIADIC options text[] DEFAULT '{}') RETURNS void
LANGUAGE sql AS $$
	SELECT pg_temp.for_rows("table", VARIADIC options || 'event=row'::text);
	SELECT pg_temp.for_statements("table", VARIADIC options || 'event=all'::text)
$$;
