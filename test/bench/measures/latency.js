// How long it takes from sending COMMIT until a client that listens has the notification, at low load, through the worker and by
// NOTIFY: both as this process sees it.

import { assertNoFallbacks, readStatus, sleep } from '../lib/delivery.js';
import { channel, emit } from '../lib/messages.js';
import { alternate, median } from '../lib/rounds.js';
import { addsAtMost, row } from '../lib/row.js';
import { Listener } from '../lib/listener.js';
import { Session } from '../lib/session.js';

const emits = 200;
const pause = 5; // milliseconds between one and the next
const rounds = 9;
const firstEmits = 3;

async function latency(session, listener) {
  await session.query(`BEGIN; SELECT ${emit}`);
  const heard = listener.expect(1);
  const start = performance.now();
  const committed = session.query('COMMIT');
  await heard;
  const seconds = (performance.now() - start) / 1000;
  await committed;
  return seconds;
}

async function typicalLatency(session, listener, delivery) {
  const latencies = [];
  await session.query(`SET socketio_emitter.delivery = ${delivery}`);
  await latency(session, listener); // starts the worker, if none runs
  for (let i = 0; i < emits; i++) {
    await sleep(pause);
    latencies.push(await latency(session, listener));
  }
  return median(latencies);
}

// That of an emit for which a worker has to be started.
async function firstLatencies(session, listener, count) {
  const latencies = [];
  await session.query('SET socketio_emitter.delivery = worker');
  while (latencies.length < count) {
    while ((await readStatus(session)).worker_pid !== null) await sleep(100);
    latencies.push(await latency(session, listener));
  }
  return latencies;
}

export async function measure(session) {
  const emitter = await Session.open();
  const listener = await Listener.open(channel);
  try {
    const { notify, worker } = await alternate(rounds, {
      notify: () => typicalLatency(emitter, listener, 'notify'),
      worker: () => typicalLatency(emitter, listener, 'worker'),
    });
    const first = await firstLatencies(emitter, listener, firstEmits);
    await assertNoFallbacks(session);
    return [
      row({
        measure: "From `COMMIT` to a client that listens, `delivery = 'worker'`, beside `'notify'`",
        ours: worker,
        reference: notify,
        unit: 'seconds',
        goal: addsAtMost(1e-3),
      }),
      row({
        measure: 'the same, when the worker has to be started first',
        ours: first,
        reference: notify.slice(0, firstEmits),
        unit: 'seconds',
      }),
    ];
  } finally {
    await Promise.all([emitter.close(), listener.close()]);
  }
}
