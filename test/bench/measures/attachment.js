// An emit of 100 KB, which goes through the attachment table, beside a bare INSERT of the same row into the same table.
// The goal is for one large value. Records are many small ones: there the emit shows what encoding them costs, which the
// INSERT is spared.

import { records, text } from '../lib/payloads.js';
import { alternate, perCall } from '../lib/rounds.js';
import { atMost, row } from '../lib/row.js';

const emits = 200;
const rounds = 11;
const emit = `socketio_emit('/', '{room1}', '{}', 'hello', payload)`;
const emitValues = `socketio_emit_values(socketio_to('room1'), 'hello', payload)`;
const kinds = [
  { name: 'text in jsonb', type: 'jsonb', payload: JSON.stringify([text]), emit, goal: atMost(1.5) },
  { name: 'bytea', type: 'bytea', payload: Buffer.from(text), emit: emitValues, goal: atMost(1.5) },
  { name: 'records in jsonb', type: 'jsonb', payload: JSON.stringify([records]), emit },
];

// What is emitted, and the bytes that the extension makes of it.
async function prepare(session, { type, payload, emit }) {
  await session.query(`DROP TABLE IF EXISTS prepared; CREATE TEMPORARY TABLE prepared (payload ${type}, encoded bytea)`);
  await session.query('INSERT INTO prepared VALUES ($1)', [payload]);
  await session.query(`TRUNCATE socket_io_attachments; SELECT ${emit} FROM prepared`);
  await session.query('UPDATE prepared SET encoded = (SELECT payload FROM socket_io_attachments)');
}

// `statement` in a loop, with the payload and its encoding at hand in variables: || makes a copy in memory of what the
// table holds compressed or in pieces. Every round starts with an empty table.
async function cost(session, { type }, statement) {
  await session.query('TRUNCATE socket_io_attachments');
  return session.costRolledBack(`
    DO $$
    DECLARE
      payload ${type} := (SELECT payload || '${type === 'jsonb' ? '[]' : ''}' FROM prepared);
      encoded bytea := (SELECT encoded || '' FROM prepared);
    BEGIN
      FOR n IN 1..${emits} LOOP
        ${statement};
      END LOOP;
    END $$`);
}

async function measureKind(session, kind) {
  await prepare(session, kind);
  const { none, ours, insert } = await alternate(rounds, {
    none: () => cost(session, kind, 'NULL'),
    ours: () => cost(session, kind, `PERFORM ${kind.emit}`),
    insert: () =>
      cost(session, kind, 'INSERT INTO socket_io_attachments (created_at, payload) VALUES (clock_timestamp(), encoded)'),
  });
  return row({
    measure: `Emit of 100 KB (${kind.name}), beside a bare \`INSERT\` of the encoded bytes`,
    ours: perCall(emits, ours, none),
    reference: perCall(emits, insert, none),
    unit: 'seconds',
    goal: kind.goal,
  });
}

export async function measure(session) {
  const rows = [];
  for (const kind of kinds) {
    rows.push(await measureKind(session, kind));
  }
  return rows;
}
