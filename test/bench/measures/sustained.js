// How many notifications of 200 bytes a second get through to one client that listens, sent by the worker and by NOTIFY, when more
// are emitted all the time. The clock runs until the last one has arrived, and none may be missing.

import assert from 'node:assert/strict';
import { assertNoFallbacks, deliverBy } from '../lib/delivery.js';
import { Listener } from '../lib/listener.js';
import { channel } from '../lib/messages.js';
import { pgbench } from '../lib/pgbench.js';
import { alternate } from '../lib/rounds.js';
import { row, yieldsAtLeast } from '../lib/row.js';

const clients = 2;
const emits = 100; // of a transaction
const seconds = 4;
const rounds = 3;
const size = 200;
const emit = `socketio_emit('/', '{room1}', '{}', 'hello', '{"a": 1, "b": "text"}')`;

async function throughput(listener, delivery) {
  const start = performance.now();
  const { transactions } = await pgbench(`SELECT count(${emit}) FROM generate_series(1, ${emits});`, {
    clients,
    seconds,
    options: deliverBy(delivery),
  });
  await listener.expect(transactions * emits);
  return (transactions * emits) / ((performance.now() - start) / 1000);
}

// The number that tells messages apart is one digit here.
async function assertSize(session) {
  const [text] = await session.notificationsOf(channel, `SELECT ${emit}`);
  const grown = size - text.length;
  assert(grown >= 0 && grown <= 8, `${text.length} bytes`);
}

export async function measure(session) {
  await assertSize(session);
  const listener = await Listener.open(channel);
  try {
    const { notify, worker } = await alternate(rounds, {
      notify: () => throughput(listener, 'notify'),
      worker: () => throughput(listener, 'worker'),
    });
    await assertNoFallbacks(session);
    return [
      row({
        measure: "Notifications of 200 bytes to one client that listens, `delivery = 'worker'`, beside `'notify'`",
        ours: worker,
        reference: notify,
        unit: 'perSecond',
        goal: yieldsAtLeast(200_000),
      }),
    ];
  } finally {
    await listener.close();
  }
}
