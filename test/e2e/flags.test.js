// volatile and compress: what a client and the wire to it see of them.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Fetch } from 'socket.io-client';
import { onEachAdapter } from './lib/suite.js';
import { Watch } from './lib/wait.js';

onEachAdapter('flags', {}, (stage) => {
  const { query, connect, settled } = stage;

  const volatileCalls = [
    `socketio_emit('/', '{}', '{}', 'news', '["now"]', true)`,
    `socketio_emit(event => 'news', args => '"now"', volatile => true)`,
    `socketio_emit(socketio_volatile(), 'news', '["now"]')`,
    `socketio_emit_values(socketio_volatile(socketio_of('/')), 'news', 'now')`,
  ];
  for (const call of volatileCalls) {
    test(`${call} reaches a client that can take it and is dropped for one that cannot`, async () => {
      const clients = await connect({}, {}, {});
      for (const client of clients) await untilWritable(stage.cluster.socketOf(client).conn.transport);
      const release = hold(stage.cluster.socketOf(clients[1]).conn);
      await query(`SELECT ${call}`);
      await query(`SELECT socketio_emit(event => 'kept')`);
      await settled(clients[0], clients[2]);
      // The held client's server has to have handled both as well before it may send again.
      const [witness] = await connect({ server: 1 });
      await settled(witness);
      release();
      assert.deepEqual(await settled(...clients), [
        [['news', 'now'], ['kept']],
        [['kept']],
        [['news', 'now'], ['kept']],
      ]);
    });
  }

  test('without volatile nothing is dropped', async () => {
    const clients = await connect({}, {});
    const release = hold(stage.cluster.socketOf(clients[1]).conn);
    await query(`SELECT socketio_emit('/', '{}', '{}', 'news', '["now"]', false)`);
    await query(`SELECT socketio_emit(event => 'kept')`);
    const [witness] = await connect({ server: 1 });
    await settled(witness);
    release();
    assert.deepEqual(await settled(...clients), [[['news', 'now'], ['kept']], [['news', 'now'], ['kept']]]);
  });

  // Compression shows in the HTTP answers of long-polling: engine.io 6 honours the flag there.
  let answers;
  const realFetch = globalThis.fetch;
  before(() => {
    answers = new Answers();
    globalThis.fetch = async (url, options) => {
      const answer = await realFetch(url, options);
      answers.add(await answer.clone().text(), answer.headers.get('content-encoding'));
      return answer;
    };
  });
  after(() => { globalThis.fetch = realFetch; });

  const compressCalls = [
    [`socketio_emit('/', '{}', '{}', 'e', to_jsonb(repeat('x', 5000)))`, 'gzip'],
    [`socketio_emit('/', '{}', '{}', 'e', to_jsonb(repeat('x', 5000)), false, true)`, 'gzip'],
    [`socketio_emit('/', '{}', '{}', 'e', to_jsonb(repeat('x', 5000)), false, false)`, null],
    [`socketio_emit(event => 'e', args => to_jsonb(repeat('x', 5000)), compress => false)`, null],
    [`socketio_emit_values(socketio_compress(true), 'e', repeat('x', 5000))`, 'gzip'],
    [`socketio_emit_values(socketio_compress(socketio_of('/'), false), 'e', repeat('x', 5000))`, null],
    [`socketio_emit_values(socketio_compress(false), 'e', repeat('x', 50000))`, null],
    [`socketio_emit_values(socketio_compress(NULL), 'e', repeat('x', 50000))`, 'gzip'],
  ];
  for (const [call, encoding] of compressCalls) {
    test(`${call} is ${encoding ? 'compressed' : 'sent plain'}`, async () => {
      const clients = await connect({ transports: [Fetch] }, { transports: [Fetch] }, { transports: [Fetch] });
      answers.clear();
      await query(`SELECT ${call}`);
      // Before a sentinel is sent: an answer is compressed if any packet in it may be.
      await answers.until(3);
      const [[event]] = await settled(...clients);
      assert.deepEqual(event, ['e', 'x'.repeat(event[1].length)]);
      assert.deepEqual(answers.encodings, [encoding, encoding, encoding]);
    });
  }
});

// Keep a connection from sending, as a slow network does, until the function returned is called.
function hold(conn) {
  const { transport } = conn;
  Object.defineProperty(transport, 'writable', { configurable: true, get: () => false, set: () => {} });
  return () => {
    Object.defineProperty(transport, 'writable', { configurable: true, writable: true, value: true });
    conn.flush();
  };
}

// A transport still busy with the packet before would drop a volatile one by right.
async function untilWritable(transport) {
  while (!transport.writable) await new Promise((resolve) => { transport.once('ready', resolve); });
}

// The content encoding of every answer that carried a test's long text.
class Answers {
  #watch = new Watch();
  encodings = [];

  add(body, encoding) {
    if (!body.includes('xxxxxxxx')) return;
    this.encodings.push(encoding);
    this.#watch.check();
  }

  clear() {
    this.encodings = [];
  }

  until(count) {
    return this.#watch.until(() => this.encodings.length >= count, `${count} answers`);
  }
}
