// The way of delivery that this run is about is the one emits take, and order holds between sessions.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { delivery } from './lib/delivery.js';
import { onEachAdapter } from './lib/suite.js';

onEachAdapter('delivery', {}, (stage) => {
  const { query, connect, settled } = stage;
  let sessions;
  before(async () => { sessions = await Promise.all([1, 2, 3].map(() => stage.database.newSession())); });
  after(() => Promise.all(sessions.map((session) => session.end())));

  // Without the library preloaded nothing is counted.
  async function counts() {
    const { rows } = await query(`
      SELECT notify_emits::int AS notify, worker_emits::int AS worker, worker_attachments::int AS attachments,
        fallbacks::int AS fallbacks
      FROM socketio_stats WHERE database = current_database()`);
    return rows[0];
  }

  test(`emits are delivered by ${delivery}`, async () => {
    const clients = await connect({}, {}, {});
    await query(`SELECT socketio_emit_values(socketio_to('nobody'), 'first')`); // from here on the database is counted
    const before = await counts();
    await query(`SELECT socketio_emit_values(NULL, 'small', n) FROM generate_series(1, 3) AS n`);
    await query(`SELECT socketio_emit_values(NULL, 'large', repeat('x', 10000))`);
    await query(`BEGIN; SELECT socketio_emit_values(NULL, 'never'); ROLLBACK`);
    const now = await counts();
    if (delivery === 'worker') {
      const { worker, attachments } = before;
      assert.deepEqual(now, { ...before, worker: worker + 4, attachments: attachments + 1 });
    } else {
      assert.deepEqual([before, now], [undefined, undefined]);
    }
    assert.equal((await query('SHOW socketio_emitter.delivery')).rows[0]['socketio_emitter.delivery'], delivery);
    const small = [1, 2, 3].map((n) => ['small', n]);
    for (const received of await settled(...clients)) {
      assert.deepEqual(received.filter(([event]) => event === 'small'), small);
      assert.equal(received.length, 4);
    }
  });

  test('what one session emits after the COMMIT of another comes after it', async () => {
    const clients = await connect({}, {}, {});
    const expected = [];
    for (let n = 0; n < 600; n++) {
      await sessions[n % sessions.length].query(`SELECT socketio_emit_values(NULL, 'n', $1::int)`, [n]);
      expected.push(['n', n]);
    }
    assert.deepEqual(await settled(...clients), clients.map(() => expected));
  });

  test('of sessions that emit at once, each one’s emits arrive once and in order', async () => {
    const clients = await connect({}, {}, {});
    await Promise.all(sessions.map(async (session, who) => {
      for (let n = 0; n < 300; n++) {
        await session.query(`BEGIN; SELECT socketio_emit_values(NULL, 'never'); ROLLBACK`);
        await session.query(`SELECT socketio_emit_values(NULL, 'n', ${who}, ${2 * n} + i) FROM generate_series(0, 1) AS i`);
      }
    }));
    const expected = Array.from({ length: 600 }, (_, n) => n);
    for (const received of await settled(...clients)) {
      assert.equal(received.length, sessions.length * expected.length);
      for (const who of sessions.keys()) {
        assert.deepEqual(received.filter(([, from]) => from === who).map(([, , n]) => n), expected);
      }
    }
  });

  const oversized = 'a transaction with more than the queue holds notifies by itself, and arrives in order';
  test(oversized, { skip: delivery === 'worker' ? false : 'there is no queue' }, async () => {
    const clients = await connect({}, {}, {});
    const before = await counts();
    await query(`SELECT socketio_emit_values(NULL, 'n', n, repeat('x', 7000)) FROM generate_series(1, 2000) AS n`);
    assert.deepEqual(await counts(), { ...before, notify: before.notify + 2000, fallbacks: before.fallbacks + 1 });
    await query(`SELECT socketio_emit_values(NULL, 'n', 2001)`);
    const expected = Array.from({ length: 2001 }, (_, i) => i + 1);
    for (const received of await settled(...clients)) {
      assert.deepEqual(received.map(([, n]) => n), expected);
    }
  });
});
