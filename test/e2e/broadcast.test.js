// Events to everyone: who gets them, and with which arguments.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onEachAdapter } from './lib/suite.js';

onEachAdapter('broadcast', {}, (stage) => {
  const { query, connect, settled } = stage;

  test('an event reaches every client of every server once', async () => {
    const clients = await connect({}, {}, {}, {}, {}, {});
    await query(`SELECT socketio_emit('/', '{}', '{}', 'hello', '["world"]')`);
    assert.deepEqual(await settled(...clients), clients.map(() => [['hello', 'world']]));
  });

  test('clients on HTTP long-polling get it too', async () => {
    const polling = { transports: ['polling'] };
    const clients = await connect(polling, polling, polling);
    await query(`SELECT socketio_emit(event => 'hello', args => '["world"]')`);
    await query(`SELECT socketio_emit_values(NULL, 'binary', '\\x00ff'::bytea)`);
    assert.deepEqual(await settled(...clients),
      clients.map(() => [['hello', 'world'], ['binary', Buffer.from([0x00, 0xff])]]));
  });

  // Each of these is one emit; beside it what the client's handler is called with.
  const argumentLists = [
    [`socketio_emit(event => 'e')`, []],
    [`socketio_emit(event => 'e', args => NULL)`, []],
    [`socketio_emit(event => 'e', args => '[]')`, []],
    [`socketio_emit(event => 'e', args => '[[]]')`, [[]]],
    [`socketio_emit(event => 'e', args => '[1, "two", null, true, {"five": [6]}]')`,
      [1, 'two', null, true, { five: [6] }]],
    [`socketio_emit(event => 'e', args => '{"a": 1}')`, [{ a: 1 }]],
    [`socketio_emit(event => 'e', args => '"text"')`, ['text']],
    [`socketio_emit(event => 'e', args => '7')`, [7]],
    [`socketio_emit(event => 'e', args => 'null')`, [null]],
    [`socketio_emit(NULL::socketio_target, 'e', '[1, 2]')`, [1, 2]],
    [`socketio_emit(socketio_of('/'), 'e')`, []],
    [`socketio_emit_values(socketio_of('/'), 'e')`, []],
    [`socketio_emit_values(socketio_of('/'), 'e', 1, 'two', NULL, true)`, [1, 'two', null, true]],
    [`socketio_emit_values(NULL, 'e', VARIADIC ARRAY[1, 2, 3])`, [1, 2, 3]],
    [`socketio_emit_values(NULL, 'e', ARRAY[1, 2, 3])`, [[1, 2, 3]]],
  ];
  test('arguments arrive as they were given', async () => {
    const [client] = await connect({});
    for (const [call] of argumentLists) await query(`SELECT ${call}`);
    assert.deepEqual(await settled(client), [argumentLists.map(([, args]) => ['e', ...args])]);
  });

  test('a hundred arguments less the target and the event', async () => {
    const [client] = await connect({});
    const numbers = Array.from({ length: 98 }, (_, i) => i);
    await query(`SELECT socketio_emit_values(NULL, 'many', ${numbers.join(', ')})`);
    assert.deepEqual(await settled(client), [[['many', ...numbers]]]);
  });

  test('small emits arrive in the order of their transactions', async () => {
    const clients = await connect({}, {}, {});
    const expected = [];
    for (let i = 0; i < 50; i++) {
      await query('SELECT socketio_emit_values(NULL, $1, $2::int)', ['step', i]);
      expected.push(['step', i]);
    }
    assert.deepEqual(await settled(...clients), clients.map(() => expected));
  });

  test('an event nobody is connected for is lost without an error', async () => {
    await query(`SELECT socketio_emit('/', '{}', '{}', 'anyone', '[]')`);
    await stage.cluster.caughtUp();
    const clients = await connect({}, {}, {});
    assert.deepEqual(await settled(...clients), [[], [], []]);
  });

  test('a client gets its events in a parameterised query as well', async () => {
    const [client] = await connect({});
    await query('SELECT socketio_emit(nsp => $1, rooms => $2, except_rooms => $3, event => $4, args => $5)',
      ['/', [], ['nobody'], 'prepared', JSON.stringify([{ deep: [1, { er: 'x' }] }])]);
    assert.deepEqual(await settled(client), [[['prepared', { deep: [1, { er: 'x' }] }]]]);
  });
});
