// How much a backend grows at most while it emits one message of 64 MB that lies in a table, in multiples of the encoded
// message. Wants small shared buffers: what a backend touches of them counts as its own.

import { peakMemory, residentMemory } from '../lib/memory.js';
import { atMost, row } from '../lib/row.js';
import { Session } from '../lib/session.js';

const size = 64 * 2 ** 20;
const rounds = 3;
const emit = `socketio_emit(event => 'hello', args => payload)`;
const emitValues = `socketio_emit_values(NULL, 'hello', payload)`;
const kinds = [
  { name: 'text in jsonb', type: 'jsonb', make: (text) => `jsonb_build_array(${text})`, emit },
  { name: 'text', type: 'text', make: (text) => text, emit: emitValues },
  { name: 'bytea', type: 'bytea', make: (text) => `convert_to(${text}, 'UTF8')`, emit: emitValues },
];

async function prepare(session, { type, make }) {
  for (const [table, length] of Object.entries({ large: size, small: 10_000 })) {
    await session.query(`DROP TABLE IF EXISTS ${table}; CREATE TABLE ${table} (payload ${type})`);
    await session.query(`ALTER TABLE ${table} ALTER COLUMN payload SET STORAGE EXTERNAL`);
    await session.query(`INSERT INTO ${table} SELECT ${make(`repeat('x', ${length})`)}`);
  }
}

// In a fresh backend that has emitted before, so that only the message counts.
async function growth({ emit }) {
  const backend = await Session.open();
  try {
    const pid = await backend.value('SELECT pg_backend_pid()');
    await backend.query(`SELECT ${emit} FROM small`);
    const before = await residentMemory(pid);
    await backend.query(`SELECT ${emit} FROM large`);
    return (await peakMemory(pid)) - before;
  } finally {
    await backend.close();
  }
}

async function measureKind(session, kind) {
  const ours = [];
  const reference = [];
  await prepare(session, kind);
  for (let round = 0; round < rounds; round++) {
    await session.query('TRUNCATE socket_io_attachments');
    ours.push(await growth(kind));
    reference.push(Number(await session.value('SELECT max(octet_length(payload)) FROM socket_io_attachments')));
  }
  return row({
    measure: `Peak memory of an emit of 64 MB (${kind.name}), beside its encoded size`,
    ours,
    reference,
    unit: 'bytes',
    goal: atMost(3),
  });
}

export async function measure(session) {
  const rows = [];
  for (const kind of kinds) {
    rows.push(await measureKind(session, kind));
  }
  return rows;
}
