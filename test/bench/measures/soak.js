// Emits through the worker at full rate for long: $SOAK_EMITS of them, 20 million unless it says otherwise, with rollbacks and
// rollbacks to savepoints between them. Each has a number, and each number has to arrive, once. Neither the worker nor a backend
// may grow after the first tenth.

import assert from 'node:assert/strict';
import { assertNoFallbacks, deliverBy, sleep } from '../lib/delivery.js';
import { Listener } from '../lib/listener.js';
import { ownMemory } from '../lib/memory.js';
import { channel } from '../lib/messages.js';
import { pgbench } from '../lib/pgbench.js';
import { addsAtMost, row } from '../lib/row.js';

const clients = 8;
const perTransaction = 25;
const transactions = Math.ceil(Number(process.env.SOAK_EMITS ?? 20_000_000) / clients / perTransaction);
const emits = transactions * clients * perTransaction;

// An emit's number shows in its event: of all clients' transactions the position of its own, then that in the transaction.
const number = `(:client_id * ${transactions}::bigint + :transaction - 1) * ${perTransaction} + n`;
const emitMany = (event) => `
  SELECT count(socketio_emit('/', '{room1}', '{}', ${event}, '{"a": 1, "b": "some text"}'))
  FROM generate_series(0, ${perTransaction - 1}) AS n`;

const script = `
  \\set transaction :transaction + 1
  \\set fate random(1, 10)
  BEGIN;
  ${emitMany(`'n' || ${number}`).replaceAll('\n', ' ')};
  \\if :fate = 1
  SAVEPOINT before;
  ${emitMany("'never'").replaceAll('\n', ' ')};
  ROLLBACK TO before;
  \\endif
  COMMIT;
  \\if :fate = 2
  BEGIN;
  ${emitMany("'never'").replaceAll('\n', ' ')};
  ROLLBACK;
  \\endif`.replace(/^ +/gm, '');

// Which numbers have arrived.
class Numbers {
  #seen = new Uint8Array(emits);

  // The event's name, as it stands in the message: "n123",
  hear(buffer, begin, end) {
    const name = buffer.indexOf('"data":["', begin) + 9;
    assert(name < end && buffer[name] === 'n'.charCodeAt(0), 'a message without a number');
    let number = 0;
    let at = name + 1;
    while (buffer[at] !== '"'.charCodeAt(0)) number = number * 10 + (buffer[at++] - '0'.charCodeAt(0));
    assert(at > name + 1 && number < emits, `number ${buffer.toString('utf8', name, at)}`);
    assert.equal(this.#seen[number], 0, `number ${number} came twice`);
    this.#seen[number] = 1;
  }
}

// The memory of the worker and of the backends, of each the most at any time after `begun` tells that it may count.
class Growth {
  before = 0;
  after = 0;

  note(bytes, begun) {
    if (begun) this.after = Math.max(this.after, bytes);
    else this.before = Math.max(this.before, bytes);
  }
}

const processes = `
  SELECT pid, backend_type LIKE 'socketio_emitter%' AS is_worker FROM pg_stat_activity
  WHERE backend_type LIKE 'socketio_emitter%' OR application_name = 'pgbench'`;

async function watch(session, listener, isOver) {
  const worker = new Growth();
  const backends = new Growth();
  while (!isOver()) {
    const begun = listener.count > emits / 10;
    for (const { pid, is_worker: isWorker } of await session.query(processes)) {
      const bytes = await ownMemory(pid).catch(() => 0); // it may be gone
      (isWorker ? worker : backends).note(bytes, begun);
    }
    await sleep(200);
  }
  return { worker, backends };
}

function rowsFor(seconds, worker, backends) {
  const format = (number) => Math.round(number).toLocaleString('en-US');
  const grows = (measure, { before, after }) =>
    row({ measure, ours: [after], reference: [before], unit: 'bytes', goal: addsAtMost(2 ** 20) });
  return [
    grows(
      `Most memory of the worker's own in ${format(emits)} emits (${format(emits / seconds)} a second, each arrived once), ` +
        'beside the first tenth',
      worker,
    ),
    grows('the same, of any of the backends that emit', backends),
  ];
}

export async function measure(session) {
  const numbers = new Numbers();
  const listener = await Listener.open(channel, (...place) => numbers.hear(...place));
  let isOver = false;
  try {
    const start = performance.now();
    const load = pgbench(script, { clients, transactions, variables: { transaction: 0 }, options: deliverBy('worker') });
    const watching = watch(session, listener, () => isOver);
    await load.finally(() => (isOver = true));
    const { worker, backends } = await watching;
    await listener.expect(emits);
    const seconds = (performance.now() - start) / 1000;
    await assertNoFallbacks(session);
    return rowsFor(seconds, worker, backends);
  } finally {
    isOver = true;
    await listener.close();
  }
}
