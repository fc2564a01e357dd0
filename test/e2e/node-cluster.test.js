// A Node.js cluster of worker processes: behind the adapter's setupPrimary(), and each with an adapter of its own.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { loadAdapter, versions as allVersions } from './lib/adapters.js';
import { createDatabase } from './lib/database.js';
import { NodeCluster } from './lib/node-cluster.js';

const versions = allVersions.filter((version) => version >= '0.4.0');
const namespaces = ['/', '/admin'];

for (const version of versions) {
  describe(`adapter ${version}: workers with adapters of their own`, () => defineTests(version, false));
  // 0.5.0 brought setupPrimary().
  if ((await loadAdapter(version)).setupPrimary) {
    describe(`adapter ${version}: workers behind setupPrimary()`, () => defineTests(version, true));
  }
}

test('the newest adapter has setupPrimary()', async () => {
  assert.equal(typeof (await loadAdapter(versions.at(-1))).setupPrimary, 'function');
});

function defineTests(version, behindPrimary) {
  let database;
  let workers;

  before(async () => {
    database = await createDatabase();
    workers = await NodeCluster.start(version, database, { behindPrimary, namespaces });
    await workers.ready();
    workers.endTest();
  });
  afterEach(async () => {
    await database.reset();
    workers.endTest();
  });
  after(async () => {
    await workers?.close();
    await database?.close();
  });

  const hello = [['hello', 'world']];
  const nothing = [];

  test('an event reaches the clients of every worker once', async () => {
    const clients = await workers.connect('/');
    await database.query(`SELECT socketio_emit('/', '{}', '{}', 'hello', '["world"]')`);
    assert.deepEqual(await workers.settled(...clients), [hello, hello, hello]);
  });

  test('rooms, except and namespaces', async () => {
    const clients = await workers.connect('/admin', ['room1'], ['room1', 'room2'], []);
    const others = await workers.connect('/', ['room1'], ['room1'], ['room1']);
    await database.query(`SELECT socketio_emit('/admin', '{room1}', '{room2}', 'hello', '["world"]')`);
    await database.query('SELECT socketio_emit_values(socketio_to(socketio_of($1), $2), $3)',
      ['/admin', clients[2].id, 'to you']);
    assert.deepEqual(await workers.settled(...clients), [hello, nothing, [['to you']]]);
    assert.deepEqual(await workers.settled(...others), [nothing, nothing, nothing]);
  });

  test('large and binary messages', async () => {
    const clients = await workers.connect('/');
    await database.query(`SELECT socketio_emit_values(NULL, 'large', repeat('é', 1000000))`);
    await database.query(`SELECT socketio_emit_values(NULL, 'binary', '\\x0001ff'::bytea, ARRAY['\\x02'::bytea])`);
    const received = [['large', 'é'.repeat(1_000_000)], ['binary', Buffer.from([0, 1, 255]), [Buffer.from([2])]]];
    assert.deepEqual(await workers.settled(...clients), [received, received, received]);
  });

  test('join, leave and disconnect', async () => {
    const clients = await workers.connect('/', ['old'], ['old'], ['vip']);
    await database.query(`SELECT socketio_sockets_join('/', '{old}', '{}', '{new}')`);
    await database.query(`SELECT socketio_sockets_leave(leave_rooms => '{old}')`);
    await database.query(`SELECT socketio_emit(rooms => '{new}', event => 'hello', args => '"world"')`);
    await database.query(`SELECT socketio_emit(rooms => '{old}', event => 'too late')`);
    assert.deepEqual(await workers.settled(...clients), [hello, hello, nothing]);
    await database.query(`SELECT socketio_disconnect_sockets(socketio_except('vip'), close => true)`);
    for (const client of clients.slice(0, 2)) {
      await client.until(() => client.disconnected, 'a client to be disconnected');
    }
    assert.deepEqual(await workers.settled(...clients), [hello, hello, nothing]);
    assert.equal(clients[2].disconnected, null);
  });

  test('a server-side emit reaches every worker once', async () => {
    const clients = await workers.connect('/');
    await database.query(`SELECT socketio_server_side_emit('/', 'sync', '[1, "two"]')`);
    const heard = [['heard', 1, 'two']];
    assert.deepEqual(await workers.settled(...clients), [heard, heard, heard]);
  });

  test('a rolled-back emit arrives nowhere, a thousand committed ones once and in order', async () => {
    const clients = await workers.connect('/');
    await database.query(`BEGIN; SELECT socketio_emit(event => 'never'); ROLLBACK`);
    await database.query(`SELECT socketio_emit_values(NULL, 'n', n) FROM generate_series(1, 1000) AS n`);
    const expected = Array.from({ length: 1000 }, (_, i) => ['n', i + 1]);
    assert.deepEqual(await workers.settled(...clients), clients.map(() => expected));
  });
}
