// The message that most measures send, and the texts that the extension emits, made ready in a table for pg_notify to send
// without any work of its own.

import assert from 'node:assert/strict';

export const channel = 'socket.io#/';

// A small object to one room.
export const emit = `socketio_emit('/', '{room1}', '{}', 'hello', '{"a": 1, "b": "some text"}')`;

// Where a text of the n-th emit of a transaction differs from that of the first: a fragment of the first one, in which
// 1 stands for n.
const sequence = '"seq":1,';

function nthText(text, fragments) {
  return fragments.reduce((sql, fragment) => {
    assert.equal(text.split(fragment).length, 2, `${fragment} once in ${text}`);
    return `replace(${sql}, '${fragment}', replace('${fragment}', '1', n::text))`;
  }, `'${text}'`);
}

// Make the temporary table `table` (n, text) of the first `count` texts that the SQL expression `emit` sends, where `emit`
// may use n: then `fragments` says how that shows.
export async function prepareTexts(session, table, count, emit, fragments = []) {
  const [first] = await session.notificationsOf(channel, `SELECT ${emit} FROM (VALUES (1)) AS first (n)`);
  await session.query(`
    CREATE TEMPORARY TABLE ${table} AS
    SELECT n, ${nthText(first, [sequence, ...fragments])} AS text FROM generate_series(1, ${count}) AS n`);
  await session.query(`VACUUM ANALYZE ${table}`);
  await checkTexts(session, table, emit);
}

// They have to be what the extension sends, byte for byte.
async function checkTexts(session, table, emit) {
  const sample = `(SELECT * FROM ${table} ORDER BY n LIMIT 1000) AS sample`;
  const sent = await session.notificationsOf(channel, `SELECT ${emit} FROM ${sample}`);
  const prepared = await session.query(`SELECT text FROM ${sample}`);
  assert.deepEqual(sent, prepared.map(({ text }) => text));
}
