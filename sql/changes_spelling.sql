-- Row changes are spelled the same whatever the writer's session has set: dates, times and floats, in rooms, events, keys and
-- payloads, also inside arrays, ranges and composite values.
\getenv root PG_ABS_SRCDIR
\set changes :root '/test/regress/changes.sql'
\set ECHO none
\i :changes
\set ECHO all
\set as_in_utc 'SET TimeZone = ''UTC''; SET DateStyle = ''ISO, MDY''; SET IntervalStyle = ''postgres''; SET extra_float_digits = 1;'
\set as_elsewhere 'SET TimeZone = ''Asia/Kolkata''; SET DateStyle = ''SQL, DMY''; SET IntervalStyle = ''postgres_verbose''; SET extra_float_digits = 0; SET bytea_output = ''escape''; SET quote_all_identifiers = on;'
\set as_before 'RESET TimeZone; RESET DateStyle; RESET IntervalStyle; RESET extra_float_digits; RESET bytea_output; RESET quote_all_identifiers;'
\set show_settings 'SELECT name, setting FROM pg_settings WHERE name IN (''TimeZone'', ''DateStyle'', ''IntervalStyle'', ''extra_float_digits'', ''bytea_output'', ''quote_all_identifiers'') ORDER BY name;'
\set as_shown 'SELECT timestamptz ''2026-03-01 12:00Z'', interval ''1 day 2 hours'', 0.1::float8 + 0.2::float8, bytea ''\\x2a''::text, regclass ''pg_class'';'

CREATE TYPE stay AS (since timestamptz, lasting interval, weight float8, proof bytea);
CREATE TYPE stays AS RANGE (subtype = stay);
CREATE TABLE slots (
	starts timestamptz PRIMARY KEY, day date, at timestamp, lasting interval, weight float8, small float4, place point,
	during tstzrange, days daterange, times timestamptz[], during_all tstzmultirange, stayed stay, stayed_in stays, of regclass
);
SELECT pg_temp.for_rows('slots', 'rooms=slot:{starts},{lasting},{weight},{during}', 'except={days} {place}', 'event=row {day} {at}');
SELECT pg_temp.for_statements('slots', 'rooms=slot:{starts},{lasting},{weight},{during}', 'except={days} {place}', 'event=all {day} {at}');
CREATE TEMP TABLE written AS SELECT timestamptz '2026-03-01 12:00Z' AS starts, date '2026-02-03' AS day, timestamp '2026-02-03 04:05' AS at,
	interval '1 day 2 hours' AS lasting, 0.1::float8 + 0.2::float8 AS weight, 1.1::float4 / 3 AS small, point(0.1::float8 + 0.2::float8, 1) AS place,
	tstzrange('2026-03-01 12:00Z', '2026-03-02 12:00Z') AS during, daterange('2026-02-03', '2026-03-02') AS days,
	'{2026-03-01 12:00Z}'::timestamptz[] AS times, tstzmultirange(tstzrange('2026-03-01 12:00Z', '2026-03-02 12:00Z')) AS during_all,
	row('2026-03-01 12:00Z', interval '1 day', 0.1::float8 + 0.2::float8, '\x2a')::stay AS stayed,
	stays(row('2026-03-01 12:00Z', interval '1 day', 0.1::float8 + 0.2::float8, '\x2a')::stay, NULL) AS stayed_in, regclass 'pg_class' AS of;
CREATE FUNCTION pg_temp.write() RETURNS void LANGUAGE sql AS $$
	INSERT INTO slots SELECT * FROM written;
	UPDATE slots SET starts = starts + interval '1 hour';
	DELETE FROM slots;
$$;
:collect
:as_in_utc
SELECT pg_temp.write();
:take
CREATE TEMP TABLE in_utc AS SELECT n, line FROM pg_temp.events(:'notifications');
SELECT line FROM in_utc ORDER BY n;
:collect
:as_elsewhere
SELECT pg_temp.write();
:take
-- (Attachments are decoded by functions that would lose digits here.)
RESET extra_float_digits;
SELECT count(*) FROM in_utc JOIN pg_temp.events(:'notifications') USING (n, line);
SELECT line FROM pg_temp.events(:'notifications') EXCEPT SELECT line FROM in_utc;
:as_elsewhere
-- The session has what it had, as it is shown and as it is used.
:show_settings
:as_shown

-- Attachments, keys and differences
SELECT pg_temp.for_rows('slots', 'payload=keys', 'event=row');
SELECT pg_temp.for_statements('slots', 'payload=diff', 'event=all');
:collect
SELECT pg_temp.write();
RESET extra_float_digits;
:show
:take
:as_elsewhere
SELECT pg_temp.for_both('slots', 'columns=starts,during,stayed,weight');
:collect
SET socketio_emitter.payload_threshold = 1;
SELECT pg_temp.write();
RESET socketio_emitter.payload_threshold;
RESET extra_float_digits;
:show
:take
:as_elsewhere
DROP TABLE slots, written;
DROP TYPE stays, stay;

-- Constraint triggers, deferred until others settings hold, and INSTEAD OF
CREATE TABLE later (v timestamptz);
CREATE CONSTRAINT TRIGGER announce AFTER INSERT ON later DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
	EXECUTE FUNCTION socketio_emit_changes('rooms={v}', 'payload=record');
CREATE VIEW looked_at AS SELECT * FROM later;
CREATE TRIGGER announce INSTEAD OF INSERT ON looked_at FOR EACH ROW EXECUTE FUNCTION socketio_emit_changes('rooms={v}', 'payload=record');
:collect
BEGIN;
INSERT INTO later VALUES ('2026-03-01 12:00Z');
COMMIT;
INSERT INTO looked_at VALUES ('2026-03-01 12:00Z');
:show
:take
DROP VIEW looked_at;
DROP TABLE later;

-- Code of users' that runs meanwhile: a cast to json sees settings that say the same, may have settings of its own, and what it
-- sets for the session stays set. The attachment table's triggers see the session's settings.
CREATE TYPE tick AS ENUM ('tick');
CREATE FUNCTION to_json(tick) RETURNS json LANGUAGE plpgsql AS $$
BEGIN
	RETURN json_build_object('at', timestamptz '2026-03-01 12:00Z'::text, 'zone', current_setting('TimeZone'), 'digits', 0.1::float8 + 0.2::float8);
END
$$;
CREATE CAST (tick AS json) WITH FUNCTION to_json(tick);
CREATE TYPE tock AS ENUM ('tock');
CREATE FUNCTION to_json(tock) RETURNS json LANGUAGE plpgsql SET TimeZone = 'Asia/Tokyo' SET DateStyle = 'German' SET extra_float_digits = -3 AS $$
BEGIN
	RETURN json_build_object('at', timestamptz '2026-03-01 12:00Z'::text, 'zone', current_setting('TimeZone'), 'digits', 0.1::float8 + 0.2::float8);
END
$$;
CREATE CAST (tock AS json) WITH FUNCTION to_json(tock);
CREATE TYPE setter AS ENUM ('setter');
CREATE FUNCTION to_json(setter) RETURNS json LANGUAGE plpgsql AS $$
BEGIN
	SET LOCAL IntervalStyle = 'sql_standard';
	SET TimeZone = 'Asia/Tokyo';
	RETURN to_json(timestamptz '2026-03-01 12:00Z');
END
$$;
CREATE CAST (setter AS json) WITH FUNCTION to_json(setter);
CREATE TYPE breaker AS ENUM ('breaker');
CREATE FUNCTION to_json(breaker) RETURNS json LANGUAGE plpgsql AS $$
BEGIN
	RAISE 'broken in %', current_setting('TimeZone');
END
$$;
CREATE CAST (breaker AS json) WITH FUNCTION to_json(breaker);
CREATE TABLE cast_of (v timestamptz, a tick, b tock, c setter, d breaker, w float8, x timestamptz, y interval);
SELECT pg_temp.for_both('cast_of');
:collect
INSERT INTO cast_of VALUES ('2026-03-01 12:00Z', 'tick', 'tock', NULL, NULL, 0.1::float8 + 0.2::float8, '2026-03-01 12:00Z', '26 hours');
:show
:take
:show_settings
:as_shown
\set VERBOSITY terse
INSERT INTO cast_of (d) VALUES ('breaker');
:show_settings
:as_shown
DO $$
BEGIN
	INSERT INTO cast_of (d) VALUES ('breaker');
EXCEPTION WHEN raise_exception THEN
	RAISE NOTICE '%: % %', SQLERRM, timestamptz '2026-03-01 12:00Z', 0.1::float8 + 0.2::float8;
END
$$;
\set VERBOSITY verbose
:collect
INSERT INTO cast_of VALUES ('2026-03-01 12:00Z', NULL, NULL, 'setter', NULL, 0.1::float8 + 0.2::float8, '2026-03-01 12:00Z', '26 hours');
:show
:take
:show_settings
:as_shown
DROP TABLE cast_of;
SET client_min_messages = warning;
DROP TYPE tick, tock, setter, breaker CASCADE;
RESET client_min_messages;

CREATE TABLE noted (zone text, at text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO public.noted VALUES (current_setting('TimeZone'), timestamptz '2026-03-01 12:00Z'::text);
	RETURN NULL;
END
$$;
CREATE TRIGGER note AFTER INSERT ON socket_io_attachments FOR EACH ROW EXECUTE FUNCTION note();
CREATE TABLE binaries (v timestamptz, b bytea);
SELECT pg_temp.for_rows('binaries');
:collect
INSERT INTO binaries VALUES ('2026-03-01 12:00Z', '\xff');
:show
:take
SELECT * FROM noted;
DROP TRIGGER note ON socket_io_attachments;
DROP FUNCTION note();
DROP TABLE noted, binaries;

-- socketio_emit_values() spells as to_jsonb() does, but keeps all digits.
:as_elsewhere
:collect
SELECT socketio_emit_values(NULL, 'values', timestamptz '2026-03-01 12:00Z', interval '1 day 2 hours', 0.1::float8 + 0.2::float8, 1.1::float4 / 3,
	point(0.1::float8 + 0.2::float8, 1), ARRAY[0.1::float8 + 0.2::float8]);
:show
:take
-- To servers likewise
\set show_packet ':take \\\\ SELECT substring(line FROM ''"packet":(\\[.*\\])'') FROM regexp_split_to_table(:''notifications'', E''\\n'') AS line;'
:collect
SELECT socketio_server_side_emit_values('/', 'flat', timestamptz '2026-03-01 12:00Z', 0.1::float8 + 0.2::float8, ARRAY[0.1::float8 + 0.2::float8]);
SELECT socketio_server_side_emit_values(socketio_of('/'), 'chain', row(0.1::float8 + 0.2::float8, point(0.1::float8 + 0.2::float8, 1)));
:show_packet
:show_settings
:as_before
