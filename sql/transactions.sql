-- Emits are part of the transaction: they leave at its commit, in order, and not at all if they are taken back.
\pset format unaligned
\pset tuples_only on
\set VERBOSITY verbose
\set SHOW_CONTEXT never
LISTEN "socket.io#/";

-- At commit, in order
BEGIN;
SELECT socketio_emit(event => 'first');
SELECT socketio_sockets_join(socketio_to('a'), '{x}');
SELECT socketio_emit_values(NULL, 'third', 3);
COMMIT;
BEGIN;
SELECT socketio_emit(event => 'never');
ROLLBACK;

-- Between other notifications of the same transaction
BEGIN;
NOTIFY "socket.io#/", 'plain 1';
SELECT socketio_emit(event => 'between');
SELECT pg_notify('socket.io#/', 'plain 2');
COMMIT;

-- Two emits are two deliveries, where two equal NOTIFYs are one; in one statement, in several, and across savepoints.
BEGIN;
SELECT socketio_emit(event => 'same'), socketio_emit(event => 'same');
SELECT socketio_emit(event => 'same');
SAVEPOINT s;
SELECT socketio_emit(event => 'same');
RELEASE s;
SELECT socketio_emit(event => 'same');
NOTIFY "socket.io#/", 'same';
NOTIFY "socket.io#/", 'same';
COMMIT;
-- So it is for every kind of message, and for many.
BEGIN;
SELECT socketio_sockets_leave(leave_rooms => '{x}'), socketio_sockets_leave(leave_rooms => '{x}');
SELECT socketio_server_side_emit(event => 'same'), socketio_server_side_emit(event => 'same');
COMMIT;
\getenv out PG_ABS_BUILDDIR
\set capture :out '/results/transactions.notifications'
\o :capture
SELECT socketio_emit(event => 'many') FROM generate_series(1, 10000);
\o
\set notifications `cat :'capture'`
SELECT count(*), count(DISTINCT payload), bool_and((payload::jsonb ->> 'seq')::int = n) AS in_order FROM regress.notifications(:'notifications');
-- Each transaction counts from 1.
SELECT socketio_emit(event => 'again');

-- Savepoints
BEGIN;
SELECT socketio_emit(event => 'outside');
SAVEPOINT a;
SELECT socketio_emit(event => 'taken back');
SAVEPOINT b;
SELECT socketio_emit(event => 'taken back with it');
RELEASE b;
ROLLBACK TO a;
SELECT socketio_emit(event => 'outside again');
SAVEPOINT c;
SELECT socketio_emit(event => 'kept');
RELEASE c;
SAVEPOINT d;
SELECT socketio_emit(event => 'taken back');
ROLLBACK TO d;
SELECT socketio_emit(event => 'kept');
COMMIT;
-- The same text before, in and after what is taken back
BEGIN;
SELECT socketio_emit(event => 'same');
SAVEPOINT a;
SELECT socketio_emit(event => 'same');
ROLLBACK TO a;
SELECT socketio_emit(event => 'same');
COMMIT;

-- An exception block takes back what was emitted inside.
DO $$
BEGIN
	PERFORM socketio_emit(event => 'before');
	BEGIN
		PERFORM socketio_emit(event => 'taken back');
		PERFORM 1 / 0;
	EXCEPTION WHEN division_by_zero THEN
		PERFORM socketio_emit(event => 'handled');
	END;
	BEGIN
		PERFORM socketio_emit(event => 'kept');
	EXCEPTION WHEN division_by_zero THEN
		PERFORM socketio_emit(event => 'not handled');
	END;
	PERFORM socketio_emit(event => 'behind');
END
$$;
CREATE FUNCTION emit_and_fail() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM socketio_emit(event => 'never');
	RAISE 'failed';
END
$$;
SELECT emit_and_fail();
SELECT socketio_emit(event => 'never'), emit_and_fail();
DROP FUNCTION emit_and_fail();

-- A procedure that commits: each of its transactions sends its own.
CREATE PROCEDURE emit_in_steps() LANGUAGE plpgsql AS $$
BEGIN
	PERFORM socketio_emit(event => 'step 1');
	PERFORM socketio_emit(event => 'step 1');
	COMMIT;
	PERFORM socketio_emit(event => 'taken back');
	ROLLBACK;
	PERFORM socketio_emit(event => 'step 2');
END
$$;
CALL emit_in_steps();
DROP PROCEDURE emit_in_steps();
-- Several statements sent at once are one transaction.
SELECT socketio_emit(event => 'together 1') \; SELECT socketio_emit(event => 'together 2');
SELECT socketio_emit(event => 'never') \; SELECT 1 / 0;

-- A trigger whose row is refused, by a constraint at the end of the statement or of the transaction
CREATE TABLE orders (id int PRIMARY KEY, parent int REFERENCES orders DEFERRABLE INITIALLY DEFERRED);
CREATE FUNCTION announce() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM socketio_emit(event => 'order', args => to_jsonb(NEW.id));
	RETURN NEW;
END
$$;
CREATE TRIGGER announce BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION announce();
INSERT INTO orders VALUES (1, NULL);
INSERT INTO orders VALUES (2, 1), (2, 1);
INSERT INTO orders VALUES (3, 99);
INSERT INTO orders VALUES (1, NULL) ON CONFLICT DO NOTHING;
DROP TABLE orders;
DROP FUNCTION announce();

-- Isolation, read-only and deferred transactions; a cursor that outlives its transaction
BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE;
SELECT socketio_emit(event => 'read only');
COMMIT;
BEGIN;
DECLARE held CURSOR WITH HOLD FOR SELECT socketio_emit(event => 'held', args => to_jsonb(i)) FROM generate_series(1, 3) AS i;
FETCH 1 FROM held;
COMMIT;
FETCH ALL FROM held;
CLOSE held;

-- PREPARE TRANSACTION is refused, as it is after NOTIFY; emits that were taken back are forgotten.
BEGIN;
SELECT socketio_emit(event => 'never');
PREPARE TRANSACTION 'regress';
BEGIN;
NOTIFY "socket.io#/", 'never';
PREPARE TRANSACTION 'regress';
BEGIN;
SELECT socketio_emit_values(NULL, 'never', '\x00'::bytea);
PREPARE TRANSACTION 'regress';
SELECT count(*) FROM pg_prepared_xacts;

-- Only those who listen hear of it, in whichever session they are.
UNLISTEN "socket.io#/";
SELECT socketio_emit(event => 'unheard');
LISTEN "socket.io#/";
\setenv PGDATABASE :DBNAME
\! psql -X -A -t -q -c "SELECT socketio_emit(event => 'from another session')"
SELECT 'psql looks for notifications after a query';
