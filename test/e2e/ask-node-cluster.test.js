// Questions to a Node.js cluster: workers behind the adapter's setupPrimary(), which all speak over one connection, and
// workers on one port that have an adapter each, as PM2 runs them.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { newest } from './lib/adapters.js';
import { Asker, byId, many, reported, uidsOf, withAskers } from './lib/ask.js';
import { Cluster } from './lib/cluster.js';
import { createDatabase } from './lib/database.js';
import { NodeCluster } from './lib/node-cluster.js';
import { sorted } from './lib/sorted.js';

const [version] = newest;
const namespaces = ['/', '/admin'];

describe('ask: workers with adapters of their own', () => defineTests(false));
describe('ask: workers behind setupPrimary()', () => defineTests(true));

function defineTests(behindPrimary) {
  let database;
  let workers;
  const asker = new Asker();

  before(async () => {
    database = await createDatabase();
    workers = await NodeCluster.start(version, database, { behindPrimary, namespaces });
    await workers.ready();
    workers.endTest();
    await asker.open(database);
  });
  afterEach(async () => {
    await asker.reset();
    workers.endTest();
  });
  after(async () => {
    await asker.close();
    await workers?.close();
    await database?.close();
  });

  // One client on each worker, each in the room of its test.
  const connect = (room, namespace = '/') => workers.connect(namespace, ...many(3, () => [room]));
  const uids = (clients) => clients.map(({ uid }) => uid).sort();

  test('every worker is a server, in each namespace', async () => {
    for (const namespace of namespaces) {
      const clients = await connect('here', namespace);
      const rows = await asker.rows('SELECT uid, node FROM socketio_servers($1)', [namespace]);
      assert.deepEqual(rows.map(({ uid }) => uid).sort(), uids(clients));
      const nodes = new Set(rows.map(({ node }) => node));
      assert.equal(nodes.size, 1);
      if (behindPrimary) assert.match([...nodes][0], /^[0-9a-f]{16}$/);
      else assert.deepEqual(nodes, new Set([null]));
    }
  });

  test('all are found, call after call', async () => {
    const clients = await connect('every call');
    for (let n = 0; n < 25; n++) {
      const rows = await asker.rows(`SELECT id, server FROM socketio_fetch_sockets(rooms => '{every call}')`);
      assert.deepEqual(byId(rows), byId(clients.map(({ id, uid }) => ({ id, server: uid }))));
      assert.equal((await asker.rows('SELECT FROM socketio_servers()')).length, 3);
    }
  });

  test('large answers, and questions of any size', async () => {
    const clients = await connect('large');
    const answers = await asker.rows(`
      SELECT response->'worker' AS worker, length(response->'args'->>0) AS length
      FROM socketio_server_side_emit_with_ack(event => 'question', args => to_jsonb(repeat('é', 100000)))`);
    assert.deepEqual(sorted(answers), sorted(clients.map(({ worker }) => ({ worker, length: 100_000 }))));
    const rooms = [...many(1000, (i) => `room ${i}`), 'large'];
    const rows = await asker.rows('SELECT id FROM socketio_clients(rooms => $1)', [rooms]);
    assert.deepEqual(byId(rows), byId(clients.map(({ id }) => ({ id }))));
  });

  test('acknowledgements of clients on every worker, of any size', async () => {
    const clients = await connect('acks');
    for (const size of [10, 20_000]) {
      clients.forEach((client, i) => client.acknowledge(`question ${size}`, (arg) => (
        [{ i, arg, bytes: Buffer.alloc(size), text: 'x'.repeat(size) }])));
      const rows = await asker.rows(`
        SELECT server, (response->'i')::int AS i, response->>'arg' AS arg,
          length(decode(response->>'bytes', 'base64')) AS bytes, length(response->>'text') AS text
        FROM socketio_emit_with_ack(rooms => '{acks}', event => $1, args => '"asked"')`, [`question ${size}`]);
      const expected = clients.map(({ uid }, i) => ({ server: uid, i, arg: 'asked', bytes: size, text: size }));
      assert.deepEqual(sorted(rows), sorted(expected));
    }
  });

  test('clients, rooms, and orders to one of them', async () => {
    const clients = await connect('vocabulary', '/admin');
    const ids = byId(clients.map(({ id }) => ({ id })));
    assert.deepEqual(byId(await asker.rows(`SELECT id FROM socketio_clients('/admin', '{vocabulary}')`)), ids);
    assert.deepEqual(await asker.rows(
      `SELECT sockets::int FROM socketio_all_rooms('/admin') WHERE room = 'vocabulary'`), [{ sockets: 3 }]);
    for (const { id } of clients) {
      await asker.rows(`SELECT socketio_remote_join($1, 'joined', '/admin')`, [id]);
      assert.deepEqual(sorted(await asker.rows(`SELECT room FROM socketio_client_rooms($1, '/admin')`, [id])),
        sorted([{ room: id }, { room: 'vocabulary' }, { room: 'joined' }]));
    }
    await asker.rows(`SELECT socketio_remote_disconnect($1, true, '/admin')`, [clients[1].id]);
    await clients[1].until(() => clients[1].disconnected, 'the client to be disconnected');
    await assert.rejects(asker.rows(`SELECT socketio_remote_leave('nobody', 'room', '/admin')`), { code: 'P0002' });
  });

  test('many at once', async () => {
    const clients = await connect('at once');
    await withAskers(database, 12, (...askers) => Promise.all(askers.map(async (one, i) => {
      const { id, uid } = clients[i % clients.length];
      const rows = await one.rows('SELECT id, server FROM socketio_fetch_sockets(rooms => ARRAY[$1])', [id]);
      assert.deepEqual(rows, [{ id, server: uid }]);
    })));
  });

  test('beside a server of its own', async () => {
    const single = await Cluster.start(version, database, { servers: 1 });
    try {
      await single.connect({ rooms: ['mixed'] }, { rooms: ['mixed'] });
      const clients = await connect('mixed');
      const rows = await asker.rows('SELECT uid, node IS NOT NULL AS behind FROM socketio_servers()');
      assert.deepEqual(sorted(rows), sorted([
        ...uidsOf(single).map((uid) => ({ uid, behind: false })),
        ...uids(clients).map((uid) => ({ uid, behind: behindPrimary })),
      ]));
      const found = await asker.rows(`SELECT id, server FROM socketio_fetch_sockets(rooms => '{mixed}')`);
      const expected = [
        ...(await reported(single)).map(({ id, server }) => ({ id, server })),
        ...clients.map(({ id, uid }) => ({ id, server: uid })),
      ];
      assert.deepEqual(byId(found), byId(expected));
      await single.endTest();
    } finally {
      await single.close();
    }
  });
}
