-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION socketio_emitter" to load this file. \quit

-- The attachment table, unless the application has made it.

CREATE FUNCTION socketio_create_attachment_table() RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C;

SELECT socketio_create_attachment_table();

DROP FUNCTION socketio_create_attachment_table();

-- Targets

CREATE TYPE socketio_target AS (
	nsp text,
	rooms text[],
	except_rooms text[],
	volatile boolean,
	compress boolean
);

COMMENT ON TYPE socketio_target IS 'whom a Socket.IO message is for, and how it is sent';
COMMENT ON COLUMN socketio_target.nsp IS 'namespace; NULL is /';
COMMENT ON COLUMN socketio_target.rooms IS 'rooms to reach; empty or NULL is everyone in the namespace';
COMMENT ON COLUMN socketio_target.except_rooms IS 'rooms to leave out';
COMMENT ON COLUMN socketio_target.volatile IS 'whether clients that are not ready may miss the message';
COMMENT ON COLUMN socketio_target.compress IS 'whether the message is compressed; NULL leaves it to the server';

CREATE FUNCTION socketio_of(nsp text) RETURNS socketio_target
AS 'MODULE_PATHNAME', 'socketio_of' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION socketio_of(text) IS
	'everyone in a namespace: nsp is its name, where NULL and an empty one are / and a missing leading / is added';

CREATE FUNCTION socketio_to(VARIADIC rooms text[]) RETURNS socketio_target
AS 'MODULE_PATHNAME', 'socketio_to_rooms' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION socketio_to(text[]) IS 'everyone in any of the rooms, in namespace /';

CREATE FUNCTION socketio_to(target socketio_target, VARIADIC rooms text[]) RETURNS socketio_target
AS 'MODULE_PATHNAME', 'socketio_target_to_rooms' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION socketio_to(socketio_target, text[]) IS
	'target with rooms added to those it reaches: sockets in any one of them are meant';

CREATE FUNCTION socketio_in(VARIADIC rooms text[]) RETURNS socketio_target
AS 'MODULE_PATHNAME', 'socketio_to_rooms' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION socketio_in(text[]) IS 'the same as socketio_to(rooms)';

CREATE FUNCTION socketio_in(target socketio_target, VARIADIC rooms text[]) RETURNS socketio_target
AS 'MODULE_PATHNAME', 'socketio_target_to_rooms' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION socketio_in(socketio_target, text[]) IS 'the same as socketio_to(target, rooms)';

CREATE FUNCTION socketio_except(VARIADIC rooms text[]) RETURNS socketio_target
AS 'MODULE_PATHNAME', 'socketio_except_rooms' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION socketio_except(text[]) IS 'everyone in namespace / who is in none of the rooms';

CREATE FUNCTION socketio_except(target socketio_target, VARIADIC rooms text[]) RETURNS socketio_target
AS 'MODULE_PATHNAME', 'socketio_target_except_rooms' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION socketio_except(socketio_target, text[]) IS
	'target without the sockets that are in any of the rooms';

CREATE FUNCTION socketio_volatile(target socketio_target DEFAULT NULL) RETURNS socketio_target
AS 'MODULE_PATHNAME', 'socketio_volatile' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION socketio_volatile(socketio_target) IS
	'target, where clients that are not ready to receive may miss the message';

CREATE FUNCTION socketio_compress(compress boolean) RETURNS socketio_target
AS 'MODULE_PATHNAME', 'socketio_compress' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION socketio_compress(boolean) IS
	'everyone in namespace /, with the message compressed or not, as compress says';

CREATE FUNCTION socketio_compress(target socketio_target, compress boolean) RETURNS socketio_target
AS 'MODULE_PATHNAME', 'socketio_target_compress' LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION socketio_compress(socketio_target, boolean) IS
	'target, with the message compressed or not, as compress says; NULL leaves it to the server';

-- Events for clients

CREATE FUNCTION socketio_emit(
	nsp text DEFAULT '/',
	rooms text[] DEFAULT '{}',
	except_rooms text[] DEFAULT '{}',
	event text DEFAULT NULL,
	args jsonb DEFAULT '[]',
	volatile boolean DEFAULT false,
	compress boolean DEFAULT NULL
) RETURNS void
AS 'MODULE_PATHNAME', 'socketio_emit_flat' LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION socketio_emit(text, text[], text[], text, jsonb, boolean, boolean) IS
	'emits an event to the clients in a namespace (nsp) that are in any of the rooms (all, if there are none) and in '
	'none of except_rooms; args is the list of its arguments if it is an array, else its only argument; volatile lets '
	'clients that are not ready miss it; compress turns compression on or off';

CREATE FUNCTION socketio_emit(target socketio_target, event text, args jsonb DEFAULT '[]') RETURNS void
AS 'MODULE_PATHNAME', 'socketio_emit_to_target' LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION socketio_emit(socketio_target, text, jsonb) IS
	'emits an event to the clients of target; args is the list of its arguments if it is an array, else its only argument';

CREATE FUNCTION socketio_emit_values(target socketio_target, event text) RETURNS void
AS 'MODULE_PATHNAME', 'socketio_emit_values' LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION socketio_emit_values(socketio_target, text) IS
	'emits an event without arguments to the clients of target';

CREATE FUNCTION socketio_emit_values(target socketio_target, event text, VARIADIC args "any") RETURNS void
AS 'MODULE_PATHNAME', 'socketio_emit_values' LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION socketio_emit_values(socketio_target, text, "any") IS
	'emits an event to the clients of target; each of args is one argument, mapped as to_jsonb maps it, and bytea is binary';

-- Events for servers

CREATE FUNCTION socketio_server_side_emit(
	nsp text DEFAULT '/',
	event text DEFAULT NULL,
	args jsonb DEFAULT '[]'
) RETURNS void
AS 'MODULE_PATHNAME', 'socketio_server_side_emit_flat' LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION socketio_server_side_emit(text, text, jsonb) IS
	'emits an event to the servers of a namespace (nsp); args is the list of its arguments if it is an array, else its '
	'only argument';

CREATE FUNCTION socketio_server_side_emit(target socketio_target, event text, args jsonb DEFAULT '[]') RETURNS void
AS 'MODULE_PATHNAME', 'socketio_server_side_emit_target' LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION socketio_server_side_emit(socketio_target, text, jsonb) IS
	'emits an event to the servers of the namespace of target, which names no rooms; args is the list of its arguments if '
	'it is an array, else its only argument';

CREATE FUNCTION socketio_server_side_emit_values(nsp text, event text) RETURNS void
AS 'MODULE_PATHNAME', 'socketio_server_side_emit_values_flat' LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION socketio_server_side_emit_values(text, text) IS
	'emits an event without arguments to the servers of a namespace (nsp)';

CREATE FUNCTION socketio_server_side_emit_values(nsp text, event text, VARIADIC args "any") RETURNS void
AS 'MODULE_PATHNAME', 'socketio_server_side_emit_values_flat' LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION socketio_server_side_emit_values(text, text, "any") IS
	'emits an event to the servers of a namespace (nsp); each of args is one argument, and bytea is binary';

CREATE FUNCTION socketio_server_side_emit_values(target socketio_target, event text) RETURNS void
AS 'MODULE_PATHNAME', 'socketio_server_side_emit_values_target' LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION socketio_server_side_emit_values(socketio_target, text) IS
	'emits an event without arguments to the servers of the namespace of target, which names no rooms';

CREATE FUNCTION socketio_server_side_emit_values(target socketio_target, event text, VARIADIC args "any") RETURNS void
AS 'MODULE_PATHNAME', 'socketio_server_side_emit_values_target' LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION socketio_server_side_emit_values(socketio_target, text, "any") IS
	'emits an event to the servers of the namespace of target, which names no rooms; each of args is one argument, and '
	'bytea is binary';

-- Control over sockets

CREATE FUNCTION socketio_sockets_join(
	nsp text DEFAULT '/',
	rooms text[] DEFAULT '{}',
	except_rooms text[] DEFAULT '{}',
	join_rooms text[] DEFAULT NULL
) RETURNS void
AS 'MODULE_PATHNAME', 'socketio_sockets_join_flat' LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION socketio_sockets_join(text, text[], text[], text[]) IS
	'makes the sockets in a namespace (nsp) that are in any of the rooms (all, if there are none) and in none of '
	'except_rooms join join_rooms';

CREATE FUNCTION socketio_sockets_join(target socketio_target, join_rooms text[]) RETURNS void
AS 'MODULE_PATHNAME', 'socketio_sockets_join_target' LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION socketio_sockets_join(socketio_target, text[]) IS 'makes the sockets of target join join_rooms';

CREATE FUNCTION socketio_sockets_leave(
	nsp text DEFAULT '/',
	rooms text[] DEFAULT '{}',
	except_rooms text[] DEFAULT '{}',
	leave_rooms text[] DEFAULT NULL
) RETURNS void
AS 'MODULE_PATHNAME', 'socketio_sockets_leave_flat' LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION socketio_sockets_leave(text, text[], text[], text[]) IS
	'makes the sockets in a namespace (nsp) that are in any of the rooms (all, if there are none) and in none of '
	'except_rooms leave leave_rooms';

CREATE FUNCTION socketio_sockets_leave(target socketio_target, leave_rooms text[]) RETURNS void
AS 'MODULE_PATHNAME', 'socketio_sockets_leave_target' LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION socketio_sockets_leave(socketio_target, text[]) IS 'makes the sockets of target leave leave_rooms';

CREATE FUNCTION socketio_disconnect_sockets(
	nsp text DEFAULT '/',
	rooms text[] DEFAULT '{}',
	except_rooms text[] DEFAULT '{}',
	close boolean DEFAULT false
) RETURNS void
AS 'MODULE_PATHNAME', 'socketio_disconnect_sockets_flat' LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION socketio_disconnect_sockets(text, text[], text[], boolean) IS
	'disconnects the sockets in a namespace (nsp) that are in any of the rooms (all, if there are none) and in none of '
	'except_rooms; close ends their connection to every namespace';

CREATE FUNCTION socketio_disconnect_sockets(target socketio_target, close boolean DEFAULT false) RETURNS void
AS 'MODULE_PATHNAME', 'socketio_disconnect_sockets_target' LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION socketio_disconnect_sockets(socketio_target, boolean) IS
	'disconnects the sockets of target; close ends their connection to every namespace';

-- Delivery

CREATE FUNCTION socketio_stats(
	OUT database oid,
	OUT notify_emits bigint,
	OUT notify_bytes bigint,
	OUT notify_attachments bigint,
	OUT worker_emits bigint,
	OUT worker_bytes bigint,
	OUT worker_attachments bigint,
	OUT queue_size bigint,
	OUT queue_used bigint,
	OUT queue_high_water bigint,
	OUT fallbacks bigint,
	OUT worker_pid integer,
	OUT worker_starts bigint,
	OUT last_error text,
	OUT last_error_at timestamptz,
	OUT stats_reset timestamptz
) RETURNS SETOF record
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL SAFE;

COMMENT ON FUNCTION socketio_stats() IS 'what view socketio_stats shows';

CREATE VIEW socketio_stats AS
SELECT d.datname AS database,
	s.notify_emits,
	s.notify_bytes,
	s.notify_attachments,
	s.worker_emits,
	s.worker_bytes,
	s.worker_attachments,
	s.queue_size,
	s.queue_used,
	s.queue_high_water,
	s.fallbacks,
	s.worker_pid,
	s.worker_starts,
	s.last_error,
	s.last_error_at,
	s.stats_reset
FROM socketio_stats() AS s
	JOIN pg_catalog.pg_database AS d ON d.oid = s.database;

COMMENT ON VIEW socketio_stats IS
	'what each database has emitted since the server started, and how its queue for the worker is doing; other databases are '
	'shown to members of pg_read_all_stats; no rows unless the library is preloaded';
COMMENT ON COLUMN socketio_stats.database IS 'name of the database';
COMMENT ON COLUMN socketio_stats.notify_emits IS 'messages that transactions notified of themselves';
COMMENT ON COLUMN socketio_stats.notify_bytes IS 'bytes of those, attachments included';
COMMENT ON COLUMN socketio_stats.notify_attachments IS 'how many of those were attachments';
COMMENT ON COLUMN socketio_stats.worker_emits IS 'messages that went through the queue to the worker';
COMMENT ON COLUMN socketio_stats.worker_bytes IS 'bytes of those, attachments included';
COMMENT ON COLUMN socketio_stats.worker_attachments IS 'how many of those were attachments';
COMMENT ON COLUMN socketio_stats.queue_size IS 'bytes that the queue can hold';
COMMENT ON COLUMN socketio_stats.queue_used IS 'bytes that wait in the queue now';
COMMENT ON COLUMN socketio_stats.queue_high_water IS 'most bytes that waited in the queue, or were reserved there, at once';
COMMENT ON COLUMN socketio_stats.fallbacks IS 'transactions that had to notify by themselves, as the queue was too small or had no worker';
COMMENT ON COLUMN socketio_stats.worker_pid IS 'process id of the worker; NULL while none runs';
COMMENT ON COLUMN socketio_stats.worker_starts IS 'how often a worker has started';
COMMENT ON COLUMN socketio_stats.last_error IS 'what the worker failed with last';
COMMENT ON COLUMN socketio_stats.last_error_at IS 'when that was';
COMMENT ON COLUMN socketio_stats.stats_reset IS 'when counting began';

GRANT SELECT ON socketio_stats TO PUBLIC;

CREATE FUNCTION socketio_stats_reset() RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION socketio_stats_reset() IS 'begins the counts of socketio_stats anew: for every database, if a superuser asks, else for this one';

-- Asking the cluster

CREATE FUNCTION socketio_fetch_sockets(
	nsp text DEFAULT '/', rooms text[] DEFAULT '{}', except_rooms text[] DEFAULT '{}', timeout interval DEFAULT '5 s'
) RETURNS TABLE (id text, rooms text[], data jsonb, handshake jsonb, server text)
AS 'MODULE_PATHNAME', 'socketio_fetch_sockets_flat' LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION socketio_fetch_sockets(text, text[], text[], interval) IS
	'sockets of a namespace (nsp) in any of the rooms but in none of except_rooms, whichever server has them; asks the servers at '
	'once and waits for at most timeout';

CREATE FUNCTION socketio_fetch_sockets(
	target socketio_target
) RETURNS TABLE (id text, rooms text[], data jsonb, handshake jsonb, server text)
AS 'MODULE_PATHNAME', 'socketio_fetch_sockets_target' LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION socketio_fetch_sockets(socketio_target) IS
	'sockets of a target, whichever server has them; asks the servers at once and waits for at most 5 seconds';

CREATE FUNCTION socketio_servers(
	nsp text DEFAULT '/', timeout interval DEFAULT '500 ms'
) RETURNS TABLE (uid text, node text, latency interval)
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION socketio_servers(text, interval) IS
	'servers of a namespace (nsp), each with the Node.js cluster (node) it is a worker of, if any, and what its first answer took; '
	'waits for at most timeout';

CREATE FUNCTION socketio_emit_with_ack(
	nsp text DEFAULT '/', rooms text[] DEFAULT '{}', except_rooms text[] DEFAULT '{}', event text DEFAULT NULL,
	args jsonb DEFAULT '[]', timeout interval DEFAULT '5 s'
) RETURNS TABLE (server text, response jsonb)
AS 'MODULE_PATHNAME', 'socketio_emit_with_ack_flat' LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION socketio_emit_with_ack(text, text[], text[], text, jsonb, interval) IS
	'emits an event with its args at once, and returns what each client of a namespace (nsp) in any of the rooms but in none of '
	'except_rooms acknowledged it with within timeout';

CREATE FUNCTION socketio_emit_with_ack(
	target socketio_target, event text, args jsonb DEFAULT '[]'
) RETURNS TABLE (server text, response jsonb)
AS 'MODULE_PATHNAME', 'socketio_emit_with_ack_target' LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION socketio_emit_with_ack(socketio_target, text, jsonb) IS
	'emits an event with its args at once, and returns what each client of the target acknowledged it with within 5 seconds';

CREATE FUNCTION socketio_server_side_emit_with_ack(
	nsp text DEFAULT '/', event text DEFAULT NULL, args jsonb DEFAULT '[]', timeout interval DEFAULT '5 s'
) RETURNS TABLE (server text, response jsonb)
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION socketio_server_side_emit_with_ack(text, text, jsonb, interval) IS
	'emits an event with its args to the servers of a namespace (nsp) at once, and returns what each acknowledged it with within '
	'timeout';

CREATE FUNCTION socketio_clients(
	nsp text DEFAULT '/', rooms text[] DEFAULT '{}', timeout interval DEFAULT '5 s'
) RETURNS TABLE (id text)
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION socketio_clients(text, text[], interval) IS
	'ids of the sockets of a namespace (nsp) in any of the rooms; waits for the servers for at most timeout';

CREATE FUNCTION socketio_client_rooms(
	id text, nsp text DEFAULT '/', timeout interval DEFAULT '5 s'
) RETURNS TABLE (room text)
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION socketio_client_rooms(text, text, interval) IS
	'rooms of the socket with this id in a namespace (nsp), none if no server has it; waits for the servers for at most timeout';

CREATE FUNCTION socketio_all_rooms(
	nsp text DEFAULT '/', timeout interval DEFAULT '5 s'
) RETURNS TABLE (room text, sockets bigint)
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION socketio_all_rooms(text, interval) IS
	'rooms of a namespace (nsp) and, if the servers tell, how many sockets are in each; waits for the servers for at most timeout';

CREATE FUNCTION socketio_remote_join(
	id text, room text, nsp text DEFAULT '/', timeout interval DEFAULT '5 s'
) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION socketio_remote_join(text, text, text, interval) IS
	'makes the socket with this id in a namespace (nsp) join a room at once; an error if no server says within timeout that it has '
	'the socket';

CREATE FUNCTION socketio_remote_leave(
	id text, room text, nsp text DEFAULT '/', timeout interval DEFAULT '5 s'
) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION socketio_remote_leave(text, text, text, interval) IS
	'makes the socket with this id in a namespace (nsp) leave a room at once; an error if no server says within timeout that it has '
	'the socket';

CREATE FUNCTION socketio_remote_disconnect(
	id text, close boolean DEFAULT false, nsp text DEFAULT '/', timeout interval DEFAULT '5 s'
) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION socketio_remote_disconnect(text, boolean, text, interval) IS
	'disconnects the socket with this id from a namespace (nsp) at once, or (close) its whole connection; an error if no server says '
	'within timeout that it has the socket';

CREATE FUNCTION socketio_custom_request(
	data jsonb, nsp text DEFAULT '/', timeout interval DEFAULT '5 s'
) RETURNS TABLE (server text, response jsonb)
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION socketio_custom_request(jsonb, text, interval) IS
	'emits the event customRequest with data to the servers of a namespace (nsp) at once, and returns what each acknowledged it '
	'with within timeout';

-- What asks the cluster (handshakes hold cookies), controls sockets or resets counts is for the extension's owner, and those it
-- is granted to.

REVOKE EXECUTE ON FUNCTION
	socketio_sockets_join(text, text[], text[], text[]),
	socketio_sockets_join(socketio_target, text[]),
	socketio_sockets_leave(text, text[], text[], text[]),
	socketio_sockets_leave(socketio_target, text[]),
	socketio_disconnect_sockets(text, text[], text[], boolean),
	socketio_disconnect_sockets(socketio_target, boolean),
	socketio_stats_reset(),
	socketio_fetch_sockets(text, text[], text[], interval),
	socketio_fetch_sockets(socketio_target),
	socketio_servers(text, interval),
	socketio_emit_with_ack(text, text[], text[], text, jsonb, interval),
	socketio_emit_with_ack(socketio_target, text, jsonb),
	socketio_server_side_emit_with_ack(text, text, jsonb, interval),
	socketio_clients(text, text[], interval),
	socketio_client_rooms(text, text, interval),
	socketio_all_rooms(text, interval),
	socketio_remote_join(text, text, text, interval),
	socketio_remote_leave(text, text, text, interval),
	socketio_remote_disconnect(text, boolean, text, interval),
	socketio_custom_request(jsonb, text, interval)
FROM PUBLIC;

-- The casts matter: of an untyped literal, somebody's overload made beforehand could be the better match, and this script
-- may run as a superuser.

CREATE FUNCTION socketio_grant_to_extension_owner(function pg_catalog.regprocedure) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C;

SELECT socketio_grant_to_extension_owner('socketio_sockets_join(text, text[], text[], text[])'::pg_catalog.regprocedure);
SELECT socketio_grant_to_extension_owner('socketio_sockets_join(socketio_target, text[])'::pg_catalog.regprocedure);
SELECT socketio_grant_to_extension_owner('socketio_sockets_leave(text, text[], text[], text[])'::pg_catalog.regprocedure);
SELECT socketio_grant_to_extension_owner('socketio_sockets_leave(socketio_target, text[])'::pg_catalog.regprocedure);
SELECT socketio_grant_to_extension_owner('socketio_disconnect_sockets(text, text[], text[], boolean)'::pg_catalog.regprocedure);
SELECT socketio_grant_to_extension_owner('socketio_disconnect_sockets(socketio_target, boolean)'::pg_catalog.regprocedure);
SELECT socketio_grant_to_extension_owner('socketio_stats_reset()'::pg_catalog.regprocedure);
SELECT socketio_grant_to_extension_owner('socketio_fetch_sockets(text, text[], text[], interval)'::pg_catalog.regprocedure);
SELECT socketio_grant_to_extension_owner('socketio_fetch_sockets(socketio_target)'::pg_catalog.regprocedure);
SELECT socketio_grant_to_extension_owner('socketio_servers(text, interval)'::pg_catalog.regprocedure);
SELECT socketio_grant_to_extension_owner('socketio_emit_with_ack(text, text[], text[], text, jsonb, interval)'::pg_catalog.regprocedure);
SELECT socketio_grant_to_extension_owner('socketio_emit_with_ack(socketio_target, text, jsonb)'::pg_catalog.regprocedure);
SELECT socketio_grant_to_extension_owner('socketio_server_side_emit_with_ack(text, text, jsonb, interval)'::pg_catalog.regprocedure);
SELECT socketio_grant_to_extension_owner('socketio_clients(text, text[], interval)'::pg_catalog.regprocedure);
SELECT socketio_grant_to_extension_owner('socketio_client_rooms(text, text, interval)'::pg_catalog.regprocedure);
SELECT socketio_grant_to_extension_owner('socketio_all_rooms(text, interval)'::pg_catalog.regprocedure);
SELECT socketio_grant_to_extension_owner('socketio_remote_join(text, text, text, interval)'::pg_catalog.regprocedure);
SELECT socketio_grant_to_extension_owner('socketio_remote_leave(text, text, text, interval)'::pg_catalog.regprocedure);
SELECT socketio_grant_to_extension_owner('socketio_remote_disconnect(text, boolean, text, interval)'::pg_catalog.regprocedure);
SELECT socketio_grant_to_extension_owner('socketio_custom_request(jsonb, text, interval)'::pg_catalog.regprocedure);

DROP FUNCTION socketio_grant_to_extension_owner(pg_catalog.regprocedure);

-- Changes of rows

CREATE FUNCTION socketio_emit_changes() RETURNS trigger
AS 'MODULE_PATHNAME' LANGUAGE C;

COMMENT ON FUNCTION socketio_emit_changes() IS
	'trigger function that emits an event for each change of a row, or one for those of a statement; its arguments are '
	'options: nsp, event, rooms, except, columns, exclude, payload, volatile, compress, each as key=value';

CREATE FUNCTION socketio_check_trigger() RETURNS event_trigger
AS 'MODULE_PATHNAME' LANGUAGE C;

COMMENT ON FUNCTION socketio_check_trigger() IS
	'refuses a new trigger that calls socketio_emit_changes() if its options or its kind would not do';

CREATE EVENT TRIGGER socketio_emitter_check_trigger ON ddl_command_end WHEN TAG IN ('CREATE TRIGGER', 'CREATE SCHEMA')
EXECUTE FUNCTION socketio_check_trigger();

COMMENT ON EVENT TRIGGER socketio_emitter_check_trigger IS
	'checks the options of socketio_emit_changes() where a trigger is created';

CREATE FUNCTION socketio_watch("table" regclass, VARIADIC options text[] DEFAULT '{}') RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION socketio_watch(regclass, text[]) IS
	'makes every change of a row of a table emit an event, by triggers that call socketio_emit_changes() with the options; '
	'replaces what socketio_watch() or socketio_watch_statement() made before';

CREATE FUNCTION socketio_watch_statement("table" regclass, VARIADIC options text[] DEFAULT '{}') RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION socketio_watch_statement(regclass, text[]) IS
	'makes every statement that changes rows of a table emit them together, by triggers that call socketio_emit_changes() '
	'with the options; replaces what socketio_watch() or socketio_watch_statement() made before';

CREATE FUNCTION socketio_unwatch("table" regclass) RETURNS void
AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL UNSAFE;

COMMENT ON FUNCTION socketio_unwatch(regclass) IS
	'drops what socketio_watch() or socketio_watch_statement() made on a table; triggers made by hand stay';

-- Functions are named with their schema, and operators have operands of exactly their types: the same caution as above. An
-- argument of a trigger may hold any byte but zero, which ends it, so the bytes are split where encode() shows a zero;
-- behind the last one nothing is left. A backslash is first written as the other bytes are, for then \000 is always a zero.

CREATE VIEW socketio_watches AS
SELECT t.tgrelid::pg_catalog.regclass AS "table",
	t.tgname AS trigger,
	CASE WHEN kind.bits & 1 <> 0 THEN 'row' ELSE 'statement' END AS level,
	pg_catalog.array_remove(ARRAY[
		CASE WHEN kind.bits & 4 <> 0 THEN 'insert' END,
		CASE WHEN kind.bits & 16 <> 0 THEN 'update' END,
		CASE WHEN kind.bits & 8 <> 0 THEN 'delete' END,
		CASE WHEN kind.bits & 32 <> 0 THEN 'truncate' END
	], NULL) AS events,
	ARRAY(
		SELECT pg_catalog.convert_from(pg_catalog.decode(argument.escaped, 'escape'), pg_catalog.getdatabaseencoding())
			COLLATE pg_catalog."default"
		FROM pg_catalog.string_to_table(
			pg_catalog.replace(pg_catalog.encode(t.tgargs, 'escape'), $$\\$$, $$\134$$), $$\000$$
		) WITH ORDINALITY AS argument(escaped, n)
		WHERE argument.n <= t.tgnargs
		ORDER BY argument.n
	) AS options,
	t.tgenabled IN ('O', 'A') AS enabled
FROM pg_catalog.pg_trigger AS t
	CROSS JOIN LATERAL (SELECT t.tgtype::pg_catalog.int4) AS kind(bits)
WHERE t.tgfoid = 'socketio_emit_changes()'::pg_catalog.regprocedure::pg_catalog.oid
	AND t.tgparentid = 0::pg_catalog.oid;

COMMENT ON VIEW socketio_watches IS
	'triggers that call socketio_emit_changes(), whoever made them; those of a partitioned table stand for its partitions, too';
COMMENT ON COLUMN socketio_watches."table" IS 'table, or view, whose changes are emitted';
COMMENT ON COLUMN socketio_watches.trigger IS 'name of the trigger';
COMMENT ON COLUMN socketio_watches.level IS 'row or statement: what each event is for';
COMMENT ON COLUMN socketio_watches.events IS 'insert, update, delete, truncate: which of these fire the trigger';
COMMENT ON COLUMN socketio_watches.options IS 'options given, in the order they were given';
COMMENT ON COLUMN socketio_watches.enabled IS
	'whether the trigger fires where session_replication_role is origin, as it is unless changes are being replicated';

GRANT SELECT ON socketio_watches TO PUBLIC;
