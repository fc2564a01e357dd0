// volatile and compress with socket.io-adapter-postgres: what a client and the wire to it see of them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AdapterPostgresCluster } from './lib/adapter-postgres.js';
import { LegacyPoller } from './lib/legacy-poller.js';
import { onLegacyCluster } from './lib/legacy-suite.js';
import { hold, untilWritable } from './lib/transport.js';
import { within } from './lib/wait.js';

onLegacyCluster(AdapterPostgresCluster, 'flags', { cluster: { namespaces: ['/', '/admin'] } }, (stage) => {
  const { query, connect, settled } = stage;

  const calls = [
    [`socketio_emit('/', '{}', '{}', 'news', '["now"]', true)`, 'dropped'],
    [`socketio_emit(event => 'news', args => '"now"', volatile => true, compress => false)`, 'dropped'],
    [`socketio_emit_values(socketio_volatile(socketio_to('room1')), 'news', 'now')`, 'dropped'],
    [`socketio_emit('/', '{}', '{}', 'news', '["now"]', false)`, 'kept'],
    [`socketio_emit_values(NULL, 'news', 'now')`, 'kept'],
  ];
  for (const [call, fate] of calls) {
    test(`${call} is ${fate} for a client that cannot take it`, async () => {
      const rooms = ['room1'];
      const clients = await connect({ rooms }, { rooms }, { rooms });
      for (const client of clients) await untilWritable(stage.cluster.socketOf(client).conn.transport);
      const release = hold(stage.cluster.socketOf(clients[1]).conn);
      await query(`SELECT ${call}`);
      await query(`SELECT socketio_emit(event => 'behind')`);
      // The held client's server has to have handled both before it may send again.
      const [witness] = await connect({ server: 1 });
      await settled(witness);
      release();
      const all = [['news', 'now'], ['behind']];
      assert.deepEqual(await settled(...clients), [all, fate === 'kept' ? all : [['behind']], all]);
    });
  }

  // Compression shows in the HTTP answers of long-polling.
  const compressCalls = [
    [`socketio_emit('/', '{}', '{}', 'e', to_jsonb(repeat('x', 3000)))`, 'gzip'],
    [`socketio_emit('/', '{}', '{}', 'e', to_jsonb(repeat('x', 3000)), false, true)`, 'gzip'],
    [`socketio_emit('/', '{}', '{}', 'e', to_jsonb(repeat('x', 3000)), false, false)`, null],
    [`socketio_emit_values(socketio_compress(false), 'e', repeat('x', 3000))`, null],
    [`socketio_emit_values(socketio_compress(false), 'e', repeat('x', 50000))`, null],
    [`socketio_emit_values(socketio_compress(NULL), 'e', repeat('x', 50000))`, 'gzip'],
  ];
  for (const [call, encoding] of compressCalls) {
    test(`${call} is ${encoding ? 'compressed' : 'sent plain'}`, async () => {
      const urls = [0, 1, 2].map((server) => stage.cluster.urlOf(server));
      const pollers = await Promise.all(urls.map((url) => LegacyPoller.connect(url, 3)));
      await query(`SELECT ${call}`);
      for (const poller of pollers) {
        assert.deepEqual(await within(poller.answerWith('xxxxxxxx'), 'the event'), { event: 'e', encoding });
      }
      await Promise.all(pollers.map((poller) => poller.close()));
    });
  }
});
