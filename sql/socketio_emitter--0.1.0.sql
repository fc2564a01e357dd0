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

-- What controls sockets is for the extension's owner, and those it is granted to.

REVOKE EXECUTE ON FUNCTION
	socketio_sockets_join(text, text[], text[], text[]),
	socketio_sockets_join(socketio_target, text[]),
	socketio_sockets_leave(text, text[], text[], text[]),
	socketio_sockets_leave(socketio_target, text[]),
	socketio_disconnect_sockets(text, text[], text[], boolean),
	socketio_disconnect_sockets(socketio_target, boolean)
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

DROP FUNCTION socketio_grant_to_extension_owner(pg_catalog.regprocedure);
