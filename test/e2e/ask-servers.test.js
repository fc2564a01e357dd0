// socketio_servers: who is there, by the adapters' own names; and what every question comes to when nobody is.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { acknowledges, newest, versions } from './lib/adapters.js';
import { Asker, uidsOf, useAsker } from './lib/ask.js';
import { createDatabase } from './lib/database.js';
import { ServerProcess } from './lib/server-process.js';
import { onEachAdapter } from './lib/suite.js';
import { repeatUntil } from './lib/wait.js';

// Far below the timeout of 5 s that questions have by default.
const SOON = 4_500;

// A question of each kind that returns rows, in a namespace.
const questions = [
  'socketio_fetch_sockets($1::text)',
  'socketio_fetch_sockets(socketio_of($1))',
  'socketio_servers($1)',
  `socketio_emit_with_ack($1, '{}', '{}', 'question')`,
  `socketio_emit_with_ack(socketio_of($1), 'question')`,
  `socketio_server_side_emit_with_ack($1, 'question')`,
  'socketio_clients($1)',
  `socketio_client_rooms('nobody', $1)`,
  'socketio_all_rooms($1)',
  `socketio_custom_request('{}', $1)`,
];

// For where all do the same.
const aFew = [questions[0], questions[2]];

const orders = [
  `socketio_remote_join('nobody', 'room', $1)`,
  `socketio_remote_leave('nobody', 'room', $1)`,
  `socketio_remote_disconnect('nobody', false, $1)`,
];

async function noAnswers(asker, namespace, some) {
  for (const question of some) {
    const { rows, said, elapsed } = await asker.ask(`SELECT * FROM ${question}`, [namespace]);
    assert.deepEqual([rows, said], [[], []], question);
    assert.ok(elapsed < SOON, `${question} took ${elapsed} ms`);
  }
}

async function nobodyThere(asker, namespace) {
  await noAnswers(asker, namespace, questions);

  for (const order of orders) {
    const start = performance.now();
    await assert.rejects(asker.ask(`SELECT ${order}`, [namespace]), { code: 'P0002' }, order);
    assert.ok(performance.now() - start < SOON, `${order} took ${performance.now() - start} ms`);
  }
}

onEachAdapter('ask: servers', {}, (stage) => {
  const asker = useAsker(stage);

  test('every server by its own uid, of no Node.js cluster', async () => {
    const { rows, said, elapsed } = await asker.ask(`
      SELECT uid, node, extract(epoch FROM latency)::float8 * 1000 AS latency FROM socketio_servers()`);
    assert.deepEqual(said, []);
    assert.deepEqual(rows.map(({ uid }) => uid).sort(), uidsOf(stage.cluster));
    for (const { node, latency } of rows) {
      assert.equal(node, null);
      assert.ok(latency > 0 && latency < elapsed, `${latency} ms of ${elapsed} ms`);
    }
    assert.ok(elapsed < SOON, `it took ${elapsed} ms`);
  });

  test('it does not wait for its timeout when all have answered', async () => {
    const { rows, said, elapsed } = await asker.ask(`SELECT uid FROM socketio_servers(timeout => '1 h')`);
    assert.deepEqual([rows.length, said], [3, []]);
    assert.ok(elapsed < SOON, `it took ${elapsed} ms`);
  });

  test('one more, and after it has closed no more', async () => {
    const uids = async () => {
      const { rows, said, elapsed } = await asker.ask('SELECT uid FROM socketio_servers()');
      assert.deepEqual(said, []);
      assert.ok(elapsed < SOON, `it took ${elapsed} ms`);
      return rows.map(({ uid }) => uid).sort();
    };
    const fourth = await ServerProcess.start(stage.version, stage.database);
    try {
      const client = await fourth.connect({ rooms: ['fourth'] });
      assert.deepEqual(await uids(), [...uidsOf(stage.cluster), fourth.uid].sort());
      const sockets = `SELECT id, server FROM socketio_fetch_sockets(rooms => '{fourth}')`;
      assert.deepEqual(await asker.rows(sockets), [{ id: client.id, server: fourth.uid }]);
      await fourth.close();
      assert.deepEqual(await uids(), uidsOf(stage.cluster));
      assert.deepEqual(await asker.rows(sockets), []);
    } finally {
      await fourth.kill();
    }
  });

  test('a namespace nobody serves has no servers, nor anything else, and says so soon', async () => {
    await noAnswers(asker, '/nowhere', aFew);
  });

  test('a call leaves nothing behind that the next one could hear', async () => {
    for (let n = 0; n < 20; n++) {
      assert.equal((await asker.rows('SELECT FROM socketio_servers()')).length, 3);
      assert.deepEqual(await asker.rows('SELECT id FROM socketio_fetch_sockets()'), []);
    }
    const { rows } = await asker.query('SELECT pg_listening_channels() AS channel');
    assert.deepEqual(rows, []);
  });
});

onEachAdapter('ask: servers of several namespaces', { cluster: { namespaces: ['/', '/admin', '/größe'] } }, (stage) => {
  const asker = useAsker(stage);

  test('each namespace has adapters of its own', async () => {
    for (const namespace of ['/', '/admin', '/größe']) {
      const rows = await asker.rows('SELECT uid FROM socketio_servers($1)', [namespace]);
      assert.deepEqual(rows.map(({ uid }) => uid).sort(), uidsOf(stage.cluster, namespace));
    }
    const rows = await asker.rows(`
      SELECT uid FROM socketio_servers(NULL) UNION ALL SELECT uid FROM socketio_servers('admin')`);
    assert.deepEqual(rows.map(({ uid }) => uid).sort(),
      [...uidsOf(stage.cluster), ...uidsOf(stage.cluster, '/admin')].sort());
  });
});

onEachAdapter('ask: servers whose activity is not shown', {
  versions: newest, database: { settings: { track_activities: 'off' } },
}, (stage) => {
  const asker = useAsker(stage);

  test('all are found, call after call, and soon', async () => {
    await stage.connect({}, {}, {}, {});
    for (let n = 0; n < 10; n++) {
      const uids = await asker.rows('SELECT uid FROM socketio_servers()');
      assert.deepEqual(uids.map(({ uid }) => uid).sort(), uidsOf(stage.cluster));
      const { rows, said, elapsed } = await asker.ask('SELECT FROM socketio_fetch_sockets()');
      assert.deepEqual([rows.length, said], [4, []]);
      assert.ok(elapsed < SOON, `it took ${elapsed} ms`);
    }
    await noAnswers(asker, '/nowhere', aFew);
  });
});

// Such namespaces come into being on a server when a client connects to them there.
onEachAdapter('ask: dynamic namespaces', { versions: versions.filter(acknowledges) }, (stage) => {
  const asker = useAsker(stage);

  test('only the servers that have the namespace are its servers', async () => {
    for (const io of stage.cluster.servers) io.of(/^\/dynamic-\d+$/).on('connection', () => {});
    const clients = await stage.connect({ server: 1, namespace: '/dynamic-1' }, { server: 2, namespace: '/dynamic-2' });
    await Promise.all([1, 2].map(async (server) => {
      const { uid } = stage.cluster.servers[server].of(`/dynamic-${server}`).adapter;
      let listening = [];
      let done;
      // Its LISTEN may be still under way.
      await repeatUntil(new Promise((resolve) => { done = resolve; }), async () => {
        ({ rows: listening } = await stage.query('SELECT uid FROM socketio_servers($1)', [`/dynamic-${server}`]));
        if (listening.length > 0) done();
      }, 'the new namespace to be listened to');
      assert.deepEqual(listening, [{ uid }]);
    }));
    for (const [i, { id }] of clients.entries()) {
      const { rows, said, elapsed } = await asker.ask('SELECT id FROM socketio_fetch_sockets($1::text)',
        [`/dynamic-${i + 1}`]);
      assert.deepEqual([rows, said], [[{ id }], []]);
      assert.ok(elapsed < SOON, `it took ${elapsed} ms`);
    }
    // And all still serve the main one.
    assert.equal((await asker.rows('SELECT FROM socketio_servers()')).length, 3);
  });
});

describe('ask: a database without servers', () => {
  let database;
  const asker = new Asker();
  before(async () => {
    database = await createDatabase();
    await asker.open(database);
  });
  after(async () => {
    await asker.close();
    await database.close();
  });

  test('no question has an answer, and all say so soon', () => nobodyThere(asker, '/'));

  test('other databases’ servers are not heard', async () => {
    const neighbour = await createDatabase();
    const server = await ServerProcess.start(newest[0], neighbour);
    try {
      await noAnswers(asker, '/', aFew);
    } finally {
      await server.kill();
      await neighbour.close();
    }
  });
});
