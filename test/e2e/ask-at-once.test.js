// Many sessions asking at once: each gets the answer to its own question.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acknowledges, versions } from './lib/adapters.js';
import { answerOnServers, byId, LONG, many, reported, uidsOf, useAsker, withAskers } from './lib/ask.js';
import { delivery } from './lib/delivery.js';
import { sorted } from './lib/sorted.js';
import { onEachAdapter } from './lib/suite.js';

const SESSIONS = 50;

// The oldest adapter, which has a connection for each namespace, and the newest.
onEachAdapter('ask: at once', { versions: [...new Set([versions[0], versions.at(-1)])] }, (stage) => {
  const { connect } = stage;
  const asker = useAsker(stage);

  // With only a few of them, calls wait for each other. See run.
  test('the run has the background workers it is to have', async () => {
    const { rows: [{ max }] } = await stage.query(`SELECT current_setting('max_worker_processes')::int AS max`);
    assert.equal(max, delivery === 'worker' ? 64 : 8);
  });

  test('fifty sessions each ask for a room of their own', async () => {
    await connect(...many(SESSIONS, (i) => ({ rooms: [`room ${i}`, 'everybody'] })));
    await withAskers(stage.database, SESSIONS, async (...askers) => {
      const answers = await Promise.all(askers.map((one, i) => (
        one.rows('SELECT * FROM socketio_fetch_sockets(rooms => ARRAY[$1], timeout => $2)', [`room ${i}`, LONG]))));
      for (const [i, rows] of answers.entries()) {
        assert.equal(rows.length, 1);
        assert.deepEqual(rows, await reported(stage.cluster, { rooms: [`room ${i}`] }));
      }
      const everybody = byId(await reported(stage.cluster));
      const all = 'SELECT * FROM socketio_fetch_sockets(timeout => $1)';
      for (const rows of await Promise.all(askers.map((one) => one.rows(all, [LONG])))) {
        assert.deepEqual(byId(rows), everybody);
      }
    });
  });

  test('fifty sessions each ask the servers something of their own', async () => {
    const stop = answerOnServers(stage.cluster, 'question', (uid, i) => [[uid, i, 'x'.repeat(i % 2 ? 10 : 10_000)]]);
    const uids = uidsOf(stage.cluster);
    await withAskers(stage.database, SESSIONS, async (...askers) => {
      const answers = await Promise.all(askers.map((one, i) => one.rows(
        `SELECT server, response->>0 AS uid, response->1 AS i
        FROM socketio_server_side_emit_with_ack(event => 'question', args => to_jsonb($1::int), timeout => $2)`, [i, LONG])));
      answers.forEach((rows, i) => (
        assert.deepEqual(sorted(rows), sorted(uids.map((uid) => ({ server: uid, uid, i }))))));
    });
    stop();
  });

  test('fifty sessions with questions of all kinds', async () => {
    const clients = await connect(...many(SESSIONS, (i) => ({ rooms: [`room ${i}`] })));
    clients.forEach((client, i) => client.acknowledge('question', (asked) => [[i, asked]]));
    const kinds = [
      (i) => [`SELECT room FROM socketio_client_rooms($1, timeout => '10 min') WHERE room <> $1`, [clients[i].id], [{ room: `room ${i}` }]],
      (i) => [`SELECT id FROM socketio_clients(rooms => ARRAY[$1], timeout => '10 min')`, [`room ${i}`], [{ id: clients[i].id }]],
      (i) => [`SELECT room FROM socketio_all_rooms(timeout => '10 min') WHERE room = $1`, [`room ${i}`], [{ room: `room ${i}` }]],
      () => [`SELECT uid FROM socketio_servers(timeout => '1 min')`, [], uidsOf(stage.cluster).map((uid) => ({ uid }))],
    ];
    if (acknowledges(stage.version)) {
      kinds.push((i) => [
        `SELECT response FROM socketio_emit_with_ack('/', ARRAY[$1], '{}', 'question', to_jsonb($2::int), '10 min')`,
        [`room ${i}`, i], [{ response: [i, i] }],
      ]);
    }
    await withAskers(stage.database, SESSIONS, (...askers) => Promise.all(askers.map(async (one, i) => {
      for (const kind of kinds.keys()) {
        const [text, parameters, expected] = kinds[(i + kind) % kinds.length](i);
        assert.deepEqual(sorted(await one.rows(text, parameters)), sorted(expected), text);
      }
    })));
    assert.deepEqual((await asker.rows('SELECT FROM socketio_servers()')).length, 3);
  });

  test('one statement that asks several times', async () => {
    await connect(...many(10, (i) => ({ rooms: [`room ${i % 5}`] })));
    const rows = await asker.rows(`
      SELECT n, count(*)::int AS count
      FROM generate_series(0, 5) AS n JOIN LATERAL socketio_fetch_sockets(rooms => ARRAY['room ' || n]) ON true
      GROUP BY n ORDER BY n`);
    assert.deepEqual(rows, many(5, (n) => ({ n, count: 2 })));
    const [joined] = await asker.rows(`
      SELECT count(*)::int FROM socketio_clients() JOIN socketio_fetch_sockets() USING (id)
        CROSS JOIN socketio_servers()`);
    assert.deepEqual(joined, { count: 30 });
  });
});
