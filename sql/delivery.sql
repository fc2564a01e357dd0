-- Delivery by the worker, where the library is not preloaded: refused, with what to do, and nothing is counted. What it does
-- where it is, test/tap has.
\pset format unaligned
\pset tuples_only on
\set VERBOSITY verbose
\set SHOW_CONTEXT never
SELECT current_user AS superuser, :'DBNAME' AS database \gset

-- Set before the library is loaded, which the first call does: the emit goes its usual way.
\c - -
LISTEN "socket.io#/";
SET socketio_emitter.delivery = 'worker';
SELECT socketio_emit(event => 'notified');
SELECT name, setting, enumvals, context FROM pg_settings WHERE name = 'socketio_emitter.delivery';

-- Set after that, at each level
SET socketio_emitter.delivery = 'worker';
SELECT set_config('socketio_emitter.delivery', 'worker', false);
ALTER DATABASE :"database" SET socketio_emitter.delivery = 'worker';
ALTER ROLE :"superuser" SET socketio_emitter.delivery = 'worker';
CREATE FUNCTION by_worker() RETURNS void LANGUAGE sql SET socketio_emitter.delivery = 'worker' AS '';
SET socketio_emitter.delivery = 'pigeon';
SET socketio_emitter.delivery = 'notify';
SHOW socketio_emitter.delivery;
SELECT socketio_emit(event => 'notified');
RESET socketio_emitter.delivery;

-- What the server's start decides is not there to be set.
SET socketio_emitter.queue_size = '1MB';
SET socketio_emitter.max_databases = 1;
SHOW socketio_emitter.queue_size;

-- Set for a role while the library was not loaded: as it would be where it was preloaded once, and no longer is.
\c - -
CREATE ROLE regress_delivery LOGIN;
ALTER ROLE regress_delivery SET socketio_emitter.delivery = 'worker';
\c - regress_delivery
LISTEN "socket.io#/";
SELECT socketio_emit(event => 'notified');
SHOW socketio_emitter.delivery;

-- The statistics: for everyone to read, and for those to reset who are allowed to
SELECT count(*) FROM socketio_stats;
SELECT socketio_stats_reset();
\c - :superuser
GRANT EXECUTE ON FUNCTION socketio_stats_reset() TO regress_delivery;
\c - regress_delivery
SELECT socketio_stats_reset();
SELECT count(*) FROM socketio_stats;
\c - :superuser
DROP OWNED BY regress_delivery;
DROP ROLE regress_delivery;
