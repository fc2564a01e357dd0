// Namespaces: an event stays in the one it was sent to, under whichever spelling.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onEachAdapter } from './lib/suite.js';

const namespaces = ['/', '/admin', '/tenant-42', '/größe'];

onEachAdapter('namespaces', { cluster: { namespaces } }, ({ query, connect, settled }) => {
  // One client in each namespace on each server.
  const everywhere = namespaces.flatMap((namespace) => [0, 1, 2].map((server) => ({ namespace, server })));
  const connectAll = () => connect(...everywhere);

  // Each client's events by the namespace it is in: the three of a namespace must agree.
  async function settledByNamespace(clients) {
    const received = await settled(...clients);
    return Object.fromEntries(namespaces.map((namespace) => {
      const [first, ...others] = received.filter((_, i) => clients[i].namespace === namespace);
      for (const other of others) assert.deepEqual(other, first);
      return [namespace, first];
    }));
  }

  test('an event stays in its namespace', async () => {
    const clients = await connectAll();
    for (const nsp of namespaces) {
      await query('SELECT socketio_emit(nsp => $1, event => $2, args => to_jsonb($1::text))', [nsp, 'flat']);
      await query('SELECT socketio_emit_values(socketio_of($1), $2, $1)', [nsp, 'chain']);
      await query('SELECT socketio_emit_values(socketio_of($1), $2, $1, $3::bytea)', [nsp, 'binary', Buffer.from(nsp)]);
    }
    const received = await settledByNamespace(clients);
    for (const nsp of namespaces) {
      // A message with binary may be overtaken by one without.
      assert.deepEqual(received[nsp].filter(([event]) => event !== 'binary'), [['flat', nsp], ['chain', nsp]]);
      assert.deepEqual(received[nsp].filter(([event]) => event === 'binary'), [['binary', nsp, Buffer.from(nsp)]]);
    }
  });

  test('the main namespace and a missing slash have several spellings', async () => {
    const clients = await connectAll();
    await query(`
      SELECT socketio_emit(event => 'default');
      SELECT socketio_emit(nsp => NULL, event => 'null');
      SELECT socketio_emit(nsp => '', event => 'empty');
      SELECT socketio_emit_values(NULL, 'null target');
      SELECT socketio_emit(nsp => 'admin', event => 'no slash');
      SELECT socketio_emit(socketio_of('admin'), 'chain, no slash')`);
    assert.deepEqual(await settledByNamespace(clients), {
      '/': [['default'], ['null'], ['empty'], ['null target']],
      '/admin': [['no slash'], ['chain, no slash']],
      '/tenant-42': [],
      '/größe': [],
    });
  });

  test('a room of the same name in another namespace is another room', async () => {
    const clients = await connect(
      { namespace: '/', rooms: ['room1'] }, { namespace: '/admin', rooms: ['room1'] }, { namespace: '/admin' });
    await query(`SELECT socketio_emit_values(socketio_to(socketio_of('/admin'), 'room1'), 'hello', 1)`);
    await query(`SELECT socketio_emit('/', '{room1}', '{}', 'hello', '[2]')`);
    assert.deepEqual(await settled(...clients), [[['hello', 2]], [['hello', 1]], []]);
  });

  test('a namespace nobody serves is no error', async () => {
    const [client] = await connect({});
    await query(`SELECT socketio_emit(nsp => '/nowhere', event => 'hello')`);
    assert.deepEqual(await settled(client), [[]]);
  });
});
