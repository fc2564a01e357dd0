-- The settings, at every level they can be given.
\pset format unaligned
\pset tuples_only on
\set VERBOSITY verbose
\set SHOW_CONTEXT never
LISTEN "socket.io#/";
LISTEN "chat#/";
LISTEN "chat#/admin";
TRUNCATE socket_io_attachments RESTART IDENTITY;

-- Defaults. (The library is loaded with the first call.)
SELECT socketio_of(NULL);
SELECT name, setting, boot_val, reset_val FROM pg_settings WHERE name LIKE 'socketio\_emitter.%' ORDER BY name;

-- channel_prefix: for the session, the transaction, until a savepoint is left, for one statement
SET socketio_emitter.channel_prefix = 'chat';
SELECT socketio_emit(event => 'set');
SELECT socketio_server_side_emit('/admin', 'set');
SELECT socketio_sockets_join(socketio_of('/admin'), '{x}');
RESET socketio_emitter.channel_prefix;
SELECT socketio_emit(event => 'reset');
BEGIN;
SET LOCAL socketio_emitter.channel_prefix = 'chat';
SELECT socketio_emit(event => 'set local');
SAVEPOINT s;
SET LOCAL socketio_emitter.channel_prefix = 'lost';
ROLLBACK TO s;
SELECT socketio_emit(event => 'set local');
COMMIT;
SELECT socketio_emit(event => 'committed');
SELECT set_config('socketio_emitter.channel_prefix', 'chat', true), socketio_emit(event => 'set_config');
-- Odd ones: empty, quoted, the longest there is
LISTEN "#/";
LISTEN "a ""b"" ü#/";
LISTEN "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx#/";
SET socketio_emitter.channel_prefix = '';
SELECT socketio_emit(event => 'empty');
SET socketio_emitter.channel_prefix = 'a "b" ü';
SELECT socketio_emit(event => 'quoted');
SET socketio_emitter.channel_prefix = 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx';
SELECT socketio_emit(event => 'longest');
SELECT socketio_emit(nsp => '/a', event => 'longer');
SET socketio_emitter.channel_prefix = 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx';
RESET socketio_emitter.channel_prefix;

-- enabled: off makes every emit a no-op, whatever it is given
SET socketio_emitter.enabled = off;
SELECT socketio_emit(event => 'off'), socketio_emit(NULL::socketio_target, 'off'), socketio_emit();
SELECT socketio_emit_values(NULL, 'off', '\x00'::bytea), socketio_emit_values(NULL, 'off'), socketio_emit_values(NULL, NULL, 1);
SELECT socketio_server_side_emit('/', 'off'), socketio_server_side_emit(NULL::socketio_target, 'off'),
	socketio_server_side_emit_values('/', 'off', '\x00'::bytea), socketio_server_side_emit_values(NULL::socketio_target, 'off', 1);
SELECT socketio_sockets_join('/', '{}', '{}', '{x}'), socketio_sockets_join(NULL::socketio_target, '{x}'),
	socketio_sockets_leave('/', '{}', '{}', '{x}'), socketio_sockets_leave(NULL::socketio_target, '{x}'),
	socketio_disconnect_sockets(), socketio_disconnect_sockets(NULL::socketio_target);
SELECT count(*) FROM socket_io_attachments;
-- while targets can be built all the same
SELECT socketio_volatile(socketio_except(socketio_to(socketio_of('/admin'), 'a'), 'b'));
BEGIN;
SET LOCAL socketio_emitter.enabled = on;
SELECT socketio_emit(event => 'on');
COMMIT;
SELECT socketio_emit(event => 'off');
RESET socketio_emitter.enabled;
SELECT socketio_emit(event => 'on');

-- payload_threshold and attachment_table
CREATE TABLE other_attachments (id bigserial, created_at timestamptz, payload bytea);
SET socketio_emitter.payload_threshold = 1;
SET socketio_emitter.attachment_table = 'other_attachments';
SELECT socketio_emit(event => 'elsewhere');
SELECT regress.msgpack(payload) #> '{data,packet,data}' FROM other_attachments;
RESET socketio_emitter.payload_threshold;
RESET socketio_emitter.attachment_table;

-- Values that are refused
SET socketio_emitter.attachment_table = '';
SET socketio_emitter.attachment_table = 'a.b.c';
SET socketio_emitter.attachment_table = 'a b';
SET socketio_emitter.attachment_table = '"open';
SET socketio_emitter.attachment_table = 'a.';
SET socketio_emitter.attachment_table = '.a';
SET socketio_emitter.attachment_table = 'a, b';
SET socketio_emitter.attachment_table = 'a; DROP TABLE other_attachments';
SET socketio_emitter.payload_threshold = 0;
SET socketio_emitter.payload_threshold = 8001;
SET socketio_emitter.payload_threshold = 'some';
SET socketio_emitter.max_batch_bytes = 0;
SET socketio_emitter.max_batch_bytes = '513MB';
SET socketio_emitter.max_batch_bytes = '512MB';
RESET socketio_emitter.max_batch_bytes;
SET socketio_emitter.enabled = 'perhaps';
SET socketio_emitter.unheard_of = 1;
SELECT name, setting FROM pg_settings WHERE name LIKE 'socketio\_emitter.%' ORDER BY name;

-- For a function, and for what it calls
CREATE FUNCTION chat_hello(event text) RETURNS void LANGUAGE sql SET socketio_emitter.channel_prefix = 'chat' AS $$
	SELECT socketio_emit(event => event)
$$;
SELECT chat_hello('function'), socketio_emit(event => 'beside it');
ALTER FUNCTION chat_hello(text) RESET ALL;
SELECT chat_hello('reset');
ALTER FUNCTION chat_hello(text) SET socketio_emitter.enabled = off;
SELECT chat_hello('off'), socketio_emit(event => 'beside it');
ALTER FUNCTION chat_hello(text) SET socketio_emitter.payload_threshold = 9000;
DROP FUNCTION chat_hello(text);

-- For a role, for the database, and for a role in a database: the closer one counts. Each takes effect with a new session.
CREATE ROLE regress_chat LOGIN;
SELECT current_user AS superuser, :'DBNAME' AS database \gset
ALTER DATABASE :"database" SET socketio_emitter.channel_prefix = 'by database';
\c - -
LISTEN "by database#/";
SELECT socketio_emit(event => 'hello');
ALTER ROLE regress_chat SET socketio_emitter.channel_prefix = 'by role';
\c - regress_chat
LISTEN "by role#/";
SELECT socketio_emit(event => 'hello');
SELECT setting, source FROM pg_settings WHERE name = 'socketio_emitter.channel_prefix';
\c - :superuser
ALTER ROLE regress_chat IN DATABASE :"database" SET socketio_emitter.channel_prefix = 'by both';
\c - regress_chat
LISTEN "by both#/";
LISTEN "by hand#/";
SELECT socketio_emit(event => 'hello');
SET socketio_emitter.channel_prefix = 'by hand';
SELECT socketio_emit(event => 'hello');
RESET socketio_emitter.channel_prefix;
SELECT socketio_emit(event => 'hello');
-- Once the library is loaded, a role without any rights may set them for itself.
ALTER ROLE regress_chat SET socketio_emitter.enabled = off;
\c - regress_chat
LISTEN "by both#/";
SELECT socketio_emit(event => 'unheard');
SHOW socketio_emitter.enabled;
\c - :superuser
ALTER ROLE regress_chat RESET socketio_emitter.enabled;
-- Before it is, nothing is known of what they may be; when it is loaded, what will not do is left at its default.
ALTER ROLE regress_chat SET socketio_emitter.payload_threshold = 0;
\c - regress_chat
LISTEN "by both#/";
SELECT socketio_emit(event => 'hello');
SHOW socketio_emitter.payload_threshold;
\c - :superuser
LOAD 'socketio_emitter';
ALTER ROLE regress_chat SET socketio_emitter.payload_threshold = 0;
ALTER DATABASE :"database" SET socketio_emitter.attachment_table = 'a.b.c';
ALTER DATABASE :"database" RESET socketio_emitter.channel_prefix;
DROP OWNED BY regress_chat;
DROP ROLE regress_chat;

-- What a session sets before the library is loaded is checked when it is.
\c - -
LISTEN "socket.io#/";
SET socketio_emitter.payload_threshold = 0;
SET socketio_emitter.attachment_table = 'a.b.c';
SET socketio_emitter.enabled = 'yes';
SET socketio_emitter.unheard_of = 1;
SELECT socketio_emit(event => 'loaded');
SELECT name, setting FROM pg_settings WHERE name LIKE 'socketio\_emitter.%' ORDER BY name;
SHOW socketio_emitter.unheard_of;
DROP TABLE other_attachments;
TRUNCATE socket_io_attachments RESTART IDENTITY;
