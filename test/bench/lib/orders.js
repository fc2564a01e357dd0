// A table of six ordinary columns, and triggers that tell the room of each new row's user of it: the extension's, what
// people write by hand, and what does no more than send a text.

import assert from 'node:assert/strict';
import { channel } from './messages.js';

export const options = `'rooms=user:{user_id}'`;

// The columns of the n-th row.
export const columns = (users) => `
  n::bigint AS id, n % ${users} AS user_id, 'Customer ' || n AS customer,
  'Please ring twice and leave it with the neighbours' AS note, n % 100000 / 100.0 AS amount,
  timestamptz '2024-01-01' + n * interval '1.001 s' AS created_at`;

// The message as tutorials build it.
const buildByHand = `
  PERFORM pg_notify('${channel}', json_build_object(
    'uid', 'emitter',
    'nsp', '/',
    'type', 3,
    'data', json_build_object(
      'packet', json_build_object(
        'type', 2,
        'data', json_build_array(TG_TABLE_NAME || ':' || lower(TG_OP), json_build_object(
          'op', lower(TG_OP),
          'schema', TG_TABLE_SCHEMA,
          'table', TG_TABLE_NAME,
          'record', row_to_json(NEW),
          'old_record', NULL
        )),
        'nsp', '/'
      ),
      'opts', json_build_object(
        'rooms', json_build_array('user:' || NEW.user_id), 'except', json_build_array(), 'flags', json_build_object()
      )
    ))::text)`;

const triggers = {
  byRow: `AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION socketio_emit_changes(${options})`,
  byStatement: `
    AFTER INSERT ON orders REFERENCING NEW TABLE AS new_orders FOR EACH STATEMENT
    EXECUTE FUNCTION socketio_emit_changes(${options})`,
  byHand: 'AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION build_by_hand()',
  sameTexts: 'AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION send_same_texts()',
};

const createFunction = (name, body) => `
  CREATE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    ${body};
    RETURN NULL;
  END $$`;

const insertSome = `INSERT INTO orders SELECT ${columns(3)} FROM generate_series(1, 100) AS n`;

// Leave the table empty and with this trigger alone: a transition table is filled for a disabled trigger too.
export async function useTrigger(session, name) {
  await session.query('SET client_min_messages = warning; DROP TRIGGER IF EXISTS tell ON orders; RESET client_min_messages');
  if (name) await session.query(`CREATE TRIGGER tell ${triggers[name]}`);
  await session.query('TRUNCATE orders');
}

async function textsBy(session, trigger) {
  await useTrigger(session, trigger);
  return session.notificationsOf(channel, insertSome);
}

// By hand one leaves out the mark that only the workers of a Node.js cluster look for, and the number that keeps equal
// messages apart: no two rows are equal.
function assertEqualByHand(texts, byHand) {
  assert.deepEqual(
    byHand.map(JSON.parse).map((message, i) => ({ ...message, source: '_sio_adapter', seq: i + 1 })),
    texts.map(JSON.parse),
  );
}

// Every row of the statement, in its room.
function assertEqualByStatement(texts, byStatement) {
  const place = (messages, recordsOf) =>
    messages.map(JSON.parse).flatMap(({ data: { packet, opts } }) =>
      recordsOf(packet.data[1]).map((record) => ({ event: packet.data[0], opts, record })),
    );
  assert.deepEqual(
    place(byStatement, ({ records }) => records).sort((a, b) => a.record.id - b.record.id),
    place(texts, ({ record }) => [record]),
  );
}

// PL/pgSQL that notifies of the texts that the extension sends: the first one, with the parts that differ filled in.
function sendTextsLike(text) {
  const parts = { '"seq":1,': '"seq":%1$s,', '"user:1"': '"user:%2$s"' };
  const record = /\{"id":1,[^}]*\}/.exec(text)[0];
  const format = Object.entries({ ...parts, [record]: '%3$s' }).reduce((format, [part, specifier]) => {
    assert.equal(format.split(part).length, 2, `${part} once in ${format}`);
    return format.replace(part, () => specifier);
  }, text);
  return `PERFORM pg_notify('${channel}', format('${format}', NEW.id, NEW.user_id, row_to_json(NEW)))`;
}

// Make the table and the triggers' functions, and see to it that all triggers say the same. The table is unlogged: WAL is no
// part of what a trigger adds, and making a file of it weighs on some rounds as much as a trigger.
export async function prepareOrders(session) {
  await session.query(`
    CREATE UNLOGGED TABLE orders (
      id bigint PRIMARY KEY, user_id integer, customer text, note text, amount numeric, created_at timestamptz
    )`);
  const texts = await textsBy(session, 'byRow');
  await session.query(createFunction('build_by_hand', buildByHand));
  await session.query(createFunction('send_same_texts', sendTextsLike(texts[0])));
  assertEqualByHand(texts, await textsBy(session, 'byHand'));
  assertEqualByStatement(texts, await textsBy(session, 'byStatement'));
  assert.deepEqual(await textsBy(session, 'sameTexts'), texts);
}
