-- Row changes: the options of socketio_emit_changes(), given and left out, and how those are refused that make no sense.
-- (What rooms become of rows is in changes_rooms.sql, what the payloads are in changes_payloads.sql.)
\getenv root PG_ABS_SRCDIR
\set changes :root '/test/regress/changes.sql'
\set ECHO none
\i :changes
\set ECHO all
LISTEN "socket.io#/admin";
LISTEN "socket.io#/public/orders/insert";

CREATE TABLE orders (id int PRIMARY KEY, user_id int, status text, doc jsonb, list int[], body bytea, pair socketio_target);
CREATE SEQUENCE order_ids;
\set trigger 'CREATE OR REPLACE TRIGGER announce AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION socketio_emit_changes'
\set order 'INSERT INTO orders (id, user_id, status) SELECT nextval(\'order_ids\'), 7, \'new\';'
:collect

-- None: everyone in '/' hears of the whole change.
:trigger ();
:order
:show

-- Each by itself
:trigger ('payload=keys');
:order
:trigger ('payload=keys', 'nsp=/admin');
:order
:trigger ('payload=keys', 'event=order');
:order
:trigger ('payload=keys', 'rooms=user:{user_id},staff');
:order
:trigger ('payload=keys', 'except=user:{user_id},staff');
:order
:trigger ('payload=record', 'columns=id,status');
:order
:trigger ('payload=record', 'exclude=doc,list,body,pair');
:order
:trigger ('payload=keys', 'volatile=true');
:order
:trigger ('payload=keys', 'compress=true');
:order
:trigger ('payload=keys', 'compress=false');
:order
:show

-- All that go together, in another order
:trigger ('compress=off', 'volatile', 'payload=record', 'columns=status,id', 'except=left', 'rooms=a,b', 'event=e', 'nsp=admin');
:order
:show

-- The default said aloud is the default.
:trigger ('nsp=/', 'event={table}:{op}', 'payload=keys', 'volatile=false');
:order
:show

-- Blanks around key and value do not count, nor do those around each room and column; those inside do.
:trigger ('  payload  =  keys  ', ' rooms = a , b c ,  user:{user_id} ', E'except\t=\n\tx,\n\ty\n', ' event = order {op} ', ' volatile ');
:order
:trigger ('payload=record', ' columns =  id ,  status ');
:order
:show

-- Only the first '=' divides.
:trigger ('payload=keys', 'event=a=b', 'rooms=c=d,=');
:order
:show

-- volatile and compress: all spellings of a boolean; bare they are true.
:trigger ('payload=keys', 'volatile', 'compress');
:order
:trigger ('payload=keys', 'volatile=on', 'compress=yes');
:order
:trigger ('payload=keys', 'volatile=1', 'compress=0');
:order
:trigger ('payload=keys', 'volatile=FALSE', 'compress=No');
:order
:trigger ('payload=keys', 'volatile=t', 'compress=f');
:order
:show
:trigger ('volatile=');
:trigger ('volatile=maybe');
:trigger ('compress=2');
:trigger ('compress=');

-- nsp: normalised as everywhere; what a template may say of the table, but nothing of a row
:trigger ('payload=keys', 'nsp=');
:order
:trigger ('payload=keys', 'nsp=admin');
:order
:trigger ('payload=keys', 'nsp=/{schema}/{table}/{op}');
:order
:show
:trigger ('nsp=/{user_id}');
:trigger ('nsp=/{nothing}');
:trigger ('nsp=/{');
:trigger ('nsp=/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx');
:trigger ('nsp=/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx{table}{op}');
-- As long as a channel may be; with a longer prefix it is too long for the next row.
:trigger ('payload=keys', 'nsp=/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx');
LISTEN "socket.io#/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
:order
SET socketio_emitter.channel_prefix = 'socket.io2';
:order
RESET socketio_emitter.channel_prefix;
:show

-- event: a template; {op} and {OP}, braces, and columns of the row
:trigger ('payload=keys', 'event={schema}.{table}.{OP} {status}/{id}');
:order
:trigger ('payload=keys', 'event={{{status}}} {{op}} }}{{');
:order
:show
:trigger ('event');
:trigger ('event=');
:trigger ('event={');
:trigger ('event=}');
:trigger ('event={}');
:trigger ('event={status');
:trigger ('event=status}');
:trigger ('event={st{atus}');
:trigger ('event={{status}');
:trigger ('event={status}}');
:trigger ('event={nothing}');
:trigger ('event={Status}');
:trigger ('event={"Status"}');
:trigger ('event={ctid}');
-- A name that Socket.IO keeps for itself: at once if it stands there, else when a row makes it
:trigger ('event=connect');
:trigger ('event=disconnecting');
:trigger ('event={status}');
INSERT INTO orders (id, status) VALUES (1000, 'disconnect');
INSERT INTO orders (id, status) VALUES (1000, 'newListener');
INSERT INTO orders (id, status) VALUES (1000, 'Connect');
INSERT INTO orders (id, status) VALUES (1001, NULL);
:show

-- rooms and except: templates separated by commas
:trigger ('rooms');
:trigger ('rooms=');
:trigger ('rooms= ');
:trigger ('rooms=,');
:trigger ('rooms=a,');
:trigger ('rooms=,a');
:trigger ('rooms=a, ,b');
:trigger ('rooms={');
:trigger ('rooms=a,}');
:trigger ('rooms=a,{}');
:trigger ('rooms=user:{user_id');
:trigger ('rooms=user:{user_id,staff}');
:trigger ('rooms=user:user_id},staff');
:trigger ('rooms=user:{nothing}');
:trigger ('rooms=user:{USER_ID}');
:trigger ('rooms=staff,user:{xmin}');
:trigger ('except');
:trigger ('except=');
:trigger ('except=a,');
:trigger ('except={');
:trigger ('except={}');
:trigger ('except=x}');
:trigger ('except=user:{nothing}');
:trigger ('payload=keys', 'rooms={{a}},{{{user_id}}}', 'except={{,}}');
:order
:show

-- Columns without a text of their own cannot stand in a template.
:trigger ('rooms={doc}');
:trigger ('except={list}');
:trigger ('event={body}');
:trigger ('rooms=a,b:{pair}');

-- columns and exclude: names as they are in the catalog; not both
:trigger ('columns');
:trigger ('columns=');
:trigger ('columns=id,');
:trigger ('columns=,id');
:trigger ('columns=id,nothing');
:trigger ('columns=ID');
:trigger ('columns="ID"');
:trigger ('columns=ctid');
:trigger ('columns=tableoid');
:trigger ('columns={id}');
:trigger ('exclude');
:trigger ('exclude=');
:trigger ('exclude=status,');
:trigger ('exclude=nothing');
:trigger ('exclude=Status');
:trigger ('exclude=xmin');
:trigger ('columns=id', 'exclude=status');
:trigger ('exclude=status', 'columns=id');
-- Nor with the payloads they have nothing to say about; the key of a diff cannot be left out.
:trigger ('payload=keys', 'columns=id');
:trigger ('exclude=status', 'payload=keys');
:trigger ('payload=diff', 'exclude=status,id');
:trigger ('payload=diff', 'exclude=status');
-- A column named twice is one.
:trigger ('payload=record', 'columns=status,id,status');
:order
:trigger ('payload=record', 'exclude=status,doc,list,body,pair,status');
:order
-- All left out but one, and all
:trigger ('payload=record', 'exclude=user_id,status,doc,list,body,pair');
:order
:trigger ('payload=record', 'exclude=id,user_id,status,doc,list,body,pair');
:order
:show

-- payload: one of four
:trigger ('payload');
:trigger ('payload=');
:trigger ('payload=changes');
:trigger ('payload=Change');
:trigger ('payload=keys,diff');

-- Options that are none, or twice the same
:trigger ('room=a');
:trigger ('Rooms=a');
:trigger ('namespace=/admin');
:trigger ('colums=id');
:trigger ('{user_id}');
:trigger ('');
:trigger ('  ');
:trigger ('=');
:trigger ('=a');
:trigger ('rooms=a', 'rooms=b');
:trigger ('rooms=a', 'event=e', ' rooms =a');
:trigger ('volatile', 'volatile=true');
:trigger ('payload=keys', 'payload=keys');
-- A word or a number is a string to PostgreSQL here.
:trigger (payload, 'rooms=a');
:trigger (volatile, 1);
:trigger (volatile, compress, 'payload=keys');
:order
:show

-- None of the refused ones came into being: the trigger is the last that was accepted.
:take
SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 'orders'::regclass;
:collect

-- A statement trigger is checked likewise.
CREATE TRIGGER announce_all AFTER INSERT ON orders REFERENCING NEW TABLE AS news
	FOR EACH STATEMENT EXECUTE FUNCTION socketio_emit_changes('rooms={nothing}');
CREATE TRIGGER announce_all AFTER INSERT ON orders REFERENCING NEW TABLE AS news
	FOR EACH STATEMENT EXECUTE FUNCTION socketio_emit_changes('payload=none');
CREATE TRIGGER announce_all AFTER TRUNCATE ON orders
	FOR EACH STATEMENT EXECUTE FUNCTION socketio_emit_changes('rooms={nothing}');
-- So is a constraint trigger, and one whose name and table need quotes.
CREATE CONSTRAINT TRIGGER announce_all AFTER INSERT ON orders DEFERRABLE INITIALLY DEFERRED
	FOR EACH ROW EXECUTE FUNCTION socketio_emit_changes('rooms={nothing}');
-- And one that comes with its schema.
CREATE SCHEMA shop
	CREATE TABLE orders (id int)
	CREATE TRIGGER announce AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION public.socketio_emit_changes('rooms={nothing}');
CREATE SCHEMA shop
	CREATE TABLE orders (id int)
	CREATE TRIGGER announce AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION public.socketio_emit_changes('rooms={id}');
INSERT INTO shop.orders VALUES (1);
:show
DROP TABLE shop.orders;
DROP SCHEMA shop;
CREATE SCHEMA "My Shop";
CREATE TABLE "My Shop"."The ""Orders""" ("Id" int PRIMARY KEY, "a,b" int, "{" text, "Größe" text, op text, "OP" text, "table" text);
CREATE TRIGGER "Say so" AFTER INSERT ON "My Shop"."The ""Orders""" FOR EACH ROW EXECUTE FUNCTION socketio_emit_changes('rooms={id}');

-- Names of any kind. {op}, {OP}, {schema} and {table} are what they are, even if there are columns of these names.
CREATE TRIGGER "Say so" AFTER INSERT ON "My Shop"."The ""Orders""" FOR EACH ROW EXECUTE FUNCTION
	socketio_emit_changes('rooms={Id},{Größe},{op},{OP},{table}', 'event={schema}/{table}', 'columns=Id,Größe,op,OP,table',
		'payload=record');
INSERT INTO "My Shop"."The ""Orders""" VALUES (1, 2, '3', 'XL', 'column op', 'column OP', 'column table');
CREATE OR REPLACE TRIGGER "Say so" AFTER INSERT ON "My Shop"."The ""Orders""" FOR EACH ROW EXECUTE FUNCTION socketio_emit_changes();
INSERT INTO "My Shop"."The ""Orders""" VALUES (2, 2, '3', 'XL', 'column op', 'column OP', 'column table');
:show
DROP TABLE "My Shop"."The ""Orders""";
DROP SCHEMA "My Shop";

-- The options of a trigger hold for that one: several on one table, in the order of their names.
CREATE OR REPLACE TRIGGER announce AFTER INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION
	socketio_emit_changes('event=first', 'payload=keys', 'rooms=a');
CREATE TRIGGER announce_too AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION
	socketio_emit_changes('event=second', 'payload=record', 'columns=status', 'nsp=/admin');
:order
UPDATE orders SET status = 'seen' WHERE id = 1;
DROP TRIGGER announce_too ON orders;
:show

-- What changes about the table afterwards shows at the next statement. A column that is gone: trigger and option are named.
DROP TABLE orders;
CREATE TABLE orders (id int PRIMARY KEY, user_id int, status text, total numeric);
CREATE OR REPLACE TRIGGER announce AFTER INSERT OR UPDATE OR DELETE ON orders FOR EACH ROW EXECUTE FUNCTION
	socketio_emit_changes('rooms=user:{user_id}', 'payload=record', 'columns=id,status');
INSERT INTO orders VALUES (1, 7, 'new', 1.50);
ALTER TABLE orders DROP user_id;
INSERT INTO orders VALUES (2, 'new', 1.50);
UPDATE orders SET status = 'seen';
DELETE FROM orders;
-- It is back, elsewhere in the table; all is well again.
ALTER TABLE orders ADD user_id text;
INSERT INTO orders VALUES (2, 'new', 1.50, 'seven');
:show
-- Renamed, the new name is nobody's until the trigger says so.
ALTER TABLE orders RENAME status TO state;
INSERT INTO orders VALUES (3, 'new', 1.50, 'seven');
ALTER TABLE orders RENAME state TO status;
ALTER TABLE orders ALTER user_id TYPE jsonb USING to_jsonb(user_id);
INSERT INTO orders VALUES (3, 'new', 1.50, '"seven"');
ALTER TABLE orders ALTER user_id TYPE int USING 7;
INSERT INTO orders VALUES (3, 'new', 1.50, 8);
:show
CREATE OR REPLACE TRIGGER announce AFTER INSERT OR UPDATE OR DELETE ON orders FOR EACH ROW EXECUTE FUNCTION
	socketio_emit_changes('event=order {status}', 'except={total}', 'payload=record', 'exclude=user_id');
INSERT INTO orders VALUES (4, 'new', 1.50, 8);
:show
ALTER TABLE orders RENAME user_id TO customer;
INSERT INTO orders VALUES (5, 'new', 1.50, 8);
ALTER TABLE orders RENAME customer TO user_id;
ALTER TABLE orders DROP total;
INSERT INTO orders VALUES (5, 'new', 8);
ALTER TABLE orders ADD total int;
ALTER TABLE orders RENAME status TO state;
INSERT INTO orders VALUES (5, 'new', 8);
ALTER TABLE orders RENAME state TO status;
-- The trigger, the table and its schema under other names
ALTER TRIGGER announce ON orders RENAME TO proclaim;
ALTER TABLE orders RENAME TO purchases;
CREATE SCHEMA archive;
ALTER TABLE purchases SET SCHEMA archive;
CREATE OR REPLACE TRIGGER proclaim AFTER INSERT OR UPDATE OR DELETE ON archive.purchases FOR EACH ROW EXECUTE FUNCTION
	socketio_emit_changes('rooms={schema},{table}', 'columns=id,status');
INSERT INTO archive.purchases VALUES (5, 'new', 8, 2);
ALTER TABLE archive.purchases RENAME TO orders;
INSERT INTO archive.orders VALUES (6, 'new', 8, 2);
ALTER TABLE archive.orders DROP status;
INSERT INTO archive.orders VALUES (7, 8, 2);
:show
-- A key that comes and goes
CREATE OR REPLACE TRIGGER proclaim AFTER INSERT OR UPDATE OR DELETE ON archive.orders FOR EACH ROW EXECUTE FUNCTION
	socketio_emit_changes('payload=keys');
INSERT INTO archive.orders VALUES (7, 8, 2);
ALTER TABLE archive.orders DROP CONSTRAINT orders_pkey;
INSERT INTO archive.orders VALUES (8, 9, 2);
ALTER TABLE archive.orders ADD PRIMARY KEY (user_id, id);
INSERT INTO archive.orders VALUES (8, 9, 2);
:show
DROP TABLE archive.orders;
DROP SCHEMA archive;

-- In a function whose plan is kept, and within one transaction
CREATE TABLE orders (id int, status text);
CREATE TRIGGER announce AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION socketio_emit_changes('payload=record', 'event={table}');
CREATE FUNCTION add_order(id int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO orders VALUES (id, 'new');
END
$$;
BEGIN;
SELECT add_order(1);
ALTER TABLE orders ADD more date DEFAULT '2024-02-29';
SELECT add_order(2);
CREATE OR REPLACE TRIGGER announce AFTER INSERT ON orders FOR EACH ROW
	EXECUTE FUNCTION socketio_emit_changes('payload=record', 'event={status}');
SELECT add_order(3);
ALTER TABLE orders RENAME more TO born;
SELECT add_order(4);
DROP TRIGGER announce ON orders;
SELECT add_order(5);
COMMIT;
:show
DROP FUNCTION add_order(int);
DROP TABLE orders;

-- Where nobody checks when the trigger is made, the first row finds out.
ALTER EVENT TRIGGER socketio_emitter_check_trigger DISABLE;
CREATE TABLE orders (id int PRIMARY KEY, user_id int, status text, doc json);
:trigger ('rooms={nothing}');
:order
:trigger ('rooms={doc}');
:order
:trigger ('rooms=a,');
:order
:trigger ('room=a');
:order
:trigger ('columns=id', 'exclude=doc');
:order
:trigger ('volatile=maybe');
:order
:trigger ('payload=keys', 'exclude=doc');
:order
:trigger ('payload=diff', 'exclude=id');
:order
:trigger ('event=connect');
:order
:trigger ('nsp=/{id}');
:order
-- Without a row there is nothing to find.
INSERT INTO orders SELECT 1 WHERE false;
ALTER EVENT TRIGGER socketio_emitter_check_trigger ENABLE;
:trigger ('payload=keys');
:order
:show

-- The check reads the trigger, nothing else: other functions and other statements pass.
CREATE TRIGGER other BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
DROP TABLE orders;
DROP SEQUENCE order_ids;
