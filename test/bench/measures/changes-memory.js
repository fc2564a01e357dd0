// How much a backend grows at most while a trigger emits the changes of one INSERT. PostgreSQL remembers every notification
// until commit, so what is compared notifies of nearly as much: at statement level of a few attachments, or of equally many; at
// row level, where each row is a notification, PL/pgSQL sends the very same texts. Wants small shared buffers, as memory.js
// does.

import { peakMemory, residentMemory } from '../lib/memory.js';
import { columns, prepareOrders, useTrigger } from '../lib/orders.js';
import { atMost, row } from '../lib/row.js';
import { Session } from '../lib/session.js';

// Both are more than the extension keeps in memory.
const many = 1_000_000;
const few = 200_000;
const rounds = 3;

// In a fresh backend that has emitted before, so that only the statement counts. A `threshold` turns messages of any size into
// attachments, whose notifications are alike.
async function growth(session, { trigger, rows, users, threshold = 8000 }) {
  const insert = (rows) => `BEGIN; INSERT INTO orders SELECT ${columns(users)} FROM generate_series(1, ${rows}) AS n; ROLLBACK`;
  await useTrigger(session, trigger);
  await session.query('TRUNCATE socket_io_attachments');
  const backend = await Session.open();
  try {
    const pid = await backend.value('SELECT pg_backend_pid()');
    await backend.query(`SET socketio_emitter.payload_threshold = ${threshold}`);
    await backend.query(insert(10));
    const before = await residentMemory(pid);
    await backend.query(insert(rows));
    return (await peakMemory(pid)) - before;
  } finally {
    await backend.close();
  }
}

const comparisons = [
  {
    measure: 'Peak memory of an `INSERT` of 1,000,000 rows, statement level, 10 rooms, beside one of 200,000',
    ours: { trigger: 'byStatement', rows: many, users: 10 },
    reference: { trigger: 'byStatement', rows: few, users: 10 },
    goal: atMost(1.1),
  },
  {
    measure: 'the same, 100 rows for each of 10,000 rooms, beside 20 rows for each',
    ours: { trigger: 'byStatement', rows: many, users: 10_000, threshold: 500 },
    reference: { trigger: 'byStatement', rows: few, users: 10_000, threshold: 500 },
    goal: atMost(1.1),
  },
  {
    measure: 'the same, row level, beside `pg_notify` of the same texts in a trigger',
    ours: { trigger: 'byRow', rows: many, users: 1_000 },
    reference: { trigger: 'sameTexts', rows: many, users: 1_000 },
    goal: atMost(1.01),
  },
];

async function compare(session, { measure, ours, reference, goal }) {
  const numbers = { ours: [], reference: [] };
  for (let round = 0; round < rounds; round++) {
    numbers.ours.push(await growth(session, ours));
    numbers.reference.push(await growth(session, reference));
  }
  return row({ measure, ...numbers, unit: 'bytes', goal });
}

export async function measure(session) {
  const rows = [];
  await prepareOrders(session);
  for (const comparison of comparisons) {
    rows.push(await compare(session, comparison));
  }
  return rows;
}
