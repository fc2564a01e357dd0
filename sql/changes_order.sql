-- socketio_order_changes: what it may be a trigger for, and what it does for triggers made by hand.
\pset format unaligned
\pset tuples_only on
\set VERBOSITY verbose
LISTEN "socket.io#/";
CREATE TABLE t (id int PRIMARY KEY, v int);
CREATE TRIGGER begun AFTER UPDATE ON t FOR EACH STATEMENT EXECUTE FUNCTION socketio_order_changes();
CREATE TRIGGER begun BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION socketio_order_changes();
CREATE TRIGGER begun BEFORE TRUNCATE ON t FOR EACH STATEMENT EXECUTE FUNCTION socketio_order_changes();
SELECT socketio_order_changes();
CREATE TRIGGER updated AFTER UPDATE ON t REFERENCING OLD TABLE AS o NEW TABLE AS n FOR EACH STATEMENT
	EXECUTE FUNCTION socketio_emit_changes('payload=record');
CREATE TRIGGER updated_too AFTER UPDATE ON t REFERENCING OLD TABLE AS o NEW TABLE AS n FOR EACH STATEMENT
	EXECUTE FUNCTION socketio_emit_changes('payload=record', 'event=too');
CREATE FUNCTION ten_times() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE t SET v = 10 * v WHERE id = NEW.id; RETURN NULL; END $$;
CREATE TRIGGER ten_times AFTER UPDATE ON t FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION ten_times();
INSERT INTO t VALUES (1, 1);
-- Without it, the inner statement comes first.
UPDATE t SET v = 5;
CREATE TRIGGER begun BEFORE INSERT OR UPDATE OR DELETE ON t FOR EACH STATEMENT EXECUTE FUNCTION socketio_order_changes();
UPDATE t SET v = 6;
UPDATE t SET v = 7 WHERE false;
DELETE FROM t;
DROP TABLE t;
DROP FUNCTION ten_times();
