-- What each failure looks like to SQL, and that the session goes on: inside a transaction by way of a savepoint, and a
-- thousand times over, so that a lost exception or a stack left behind would show.
\set QUIET on
\set ON_ERROR_STOP on
CREATE FUNCTION guard_runtime_error() RETURNS void AS :'library' LANGUAGE c;
CREATE FUNCTION guard_long_message() RETURNS void AS :'library' LANGUAGE c;
CREATE FUNCTION guard_bad_alloc() RETURNS void AS :'library' LANGUAGE c;
CREATE FUNCTION guard_number() RETURNS void AS :'library' LANGUAGE c;
CREATE FUNCTION guard_error() RETURNS void AS :'library' LANGUAGE c;
CREATE FUNCTION guard_return(integer) RETURNS integer AS :'library' LANGUAGE c;

CREATE FUNCTION outcome(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE 'SELECT ' || call INTO result;
	RETURN 'returned ' || result;
EXCEPTION WHEN OTHERS THEN
	RETURN format('%s %s', SQLSTATE, left(SQLERRM, 60));
END
$$;

SELECT outcome('guard_return(7)');
SELECT outcome('guard_runtime_error()');
SELECT outcome('guard_long_message()');
SELECT outcome('guard_bad_alloc()');
SELECT outcome('guard_number()');
SELECT outcome('guard_error()');
SELECT outcome, count(*)
FROM generate_series(1, 1000) i, outcome((ARRAY['guard_runtime_error()', 'guard_number()', 'guard_error()'])[i % 3 + 1])
GROUP BY outcome ORDER BY outcome;
BEGIN;
\set ON_ERROR_STOP off
SELECT guard_runtime_error();
\set ON_ERROR_STOP on
ROLLBACK;
SELECT outcome('guard_return(8)');
