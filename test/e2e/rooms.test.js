// Rooms: who is meant, who is not, in both forms of the call.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onEachAdapter } from './lib/suite.js';

onEachAdapter('rooms', {}, ({ query, connect, settled }) => {
  const hello = [['hello', 'world']];
  const nothing = [];

  // Three clients on three servers: one in room1, one in room2, one in both; and a fourth in none.
  const connectFour = () => connect({ rooms: ['room1'] }, { rooms: ['room2'] }, { rooms: ['room1', 'room2'] }, {});

  // What each call delivers to these four.
  const calls = [
    [`socketio_emit('/', '{room1}', '{}', 'hello', '["world"]')`, [hello, nothing, hello, nothing]],
    [`socketio_emit(event => 'hello', rooms => '{room2}', args => '"world"')`, [nothing, hello, hello, nothing]],
    [`socketio_emit('/', '{room1,room2}', '{}', 'hello', '["world"]')`, [hello, hello, hello, nothing]],
    [`socketio_emit('/', '{room1,room1,room1}', '{}', 'hello', '["world"]')`, [hello, nothing, hello, nothing]],
    [`socketio_emit('/', '{}', '{room1}', 'hello', '["world"]')`, [nothing, hello, nothing, hello]],
    [`socketio_emit('/', '{}', '{room1,room2}', 'hello', '["world"]')`, [nothing, nothing, nothing, hello]],
    [`socketio_emit('/', '{room1}', '{room2}', 'hello', '["world"]')`, [hello, nothing, nothing, nothing]],
    [`socketio_emit('/', '{room1}', '{room1}', 'hello', '["world"]')`, [nothing, nothing, nothing, nothing]],
    [`socketio_emit('/', '{nobody}', '{}', 'hello', '["world"]')`, [nothing, nothing, nothing, nothing]],
    [`socketio_emit('/', '{room1,nobody}', '{}', 'hello', '["world"]')`, [hello, nothing, hello, nothing]],
    [`socketio_emit('/', '{}', '{nobody}', 'hello', '["world"]')`, [hello, hello, hello, hello]],
    [`socketio_emit(socketio_to('room1'), 'hello', '["world"]')`, [hello, nothing, hello, nothing]],
    [`socketio_emit(socketio_in('room1', 'room2'), 'hello', '["world"]')`, [hello, hello, hello, nothing]],
    [`socketio_emit(socketio_to(socketio_of('/'), 'room2'), 'hello', '["world"]')`, [nothing, hello, hello, nothing]],
    [`socketio_emit(socketio_in(socketio_to('room1'), 'room2'), 'hello', '["world"]')`, [hello, hello, hello, nothing]],
    [`socketio_emit(socketio_except('room1'), 'hello', '["world"]')`, [nothing, hello, nothing, hello]],
    [`socketio_emit(socketio_except(socketio_to('room1'), 'room2'), 'hello', '["world"]')`,
      [hello, nothing, nothing, nothing]],
    [`socketio_emit_values(socketio_to('room1'), 'hello', 'world')`, [hello, nothing, hello, nothing]],
    [`socketio_emit_values(socketio_except(socketio_except('room1'), 'room2'), 'hello', 'world')`,
      [nothing, nothing, nothing, hello]],
  ];
  for (const [call, expected] of calls) {
    test(call, async () => {
      const clients = await connectFour();
      await query(`SELECT ${call}`);
      assert.deepEqual(await settled(...clients), expected);
    });
  }

  test('rooms count for large and for binary messages too', async () => {
    const clients = await connectFour();
    const large = 'x'.repeat(20_000);
    await query(`
      SELECT socketio_emit_values(socketio_except(socketio_to('room1'), 'room2'), 'large', repeat('x', 20000))`);
    await query(`SELECT socketio_emit_values(socketio_to('room2'), 'binary', '\\x0102'::bytea)`);
    const binary = [['binary', Buffer.from([1, 2])]];
    assert.deepEqual(await settled(...clients), [[['large', large]], binary, binary, nothing]);
  });

  test('a socket id is a room', async () => {
    const clients = await connect({}, {}, {}, {});
    await query('SELECT socketio_emit(rooms => ARRAY[$1], event => $2)', [clients[1].id, 'to you']);
    await query('SELECT socketio_emit(except_rooms => ARRAY[$1], event => $2)', [clients[1].id, 'to all but you']);
    await query('SELECT socketio_emit_values(socketio_to($1, $2), $3)', [clients[1].id, clients[2].id, 'to you two']);
    const others = [['to all but you']];
    assert.deepEqual(await settled(...clients), [
      others,
      [['to you'], ['to you two']],
      [['to all but you'], ['to you two']],
      others,
    ]);
  });

  test('a room may have any name', async () => {
    const names = ['', ' ', 'with space', 'a,b', '{braces}', 'quo"te', 'apos\'trophe', 'back\\slash', 'new\nline',
      'tab\t', 'NULL', 'null', '#', '/', '%s', 'ключ', '部屋', '🚪', 'e\u0301', '\u0001\u001f\u007f', 'x'.repeat(500)];
    const clients = await connect(...names.map((name) => ({ rooms: [name] })));
    for (const name of names) {
      await query('SELECT socketio_emit(rooms => ARRAY[$1], event => $2, args => to_jsonb($1))', [name, 'flat']);
      await query('SELECT socketio_emit_values(socketio_to($1), $2, $1)', [name, 'chain']);
    }
    assert.deepEqual(await settled(...clients), names.map((name) => [['flat', name], ['chain', name]]));
  });

  test('a thousand rooms in one emit', async () => {
    const clients = await connect({ rooms: ['room 1'] }, { rooms: ['room 500', 'room 501'] }, { rooms: ['room 1001'] });
    await query(`SELECT socketio_emit(rooms => array_agg('room ' || n), event => 'hello', args => '"world"')
      FROM generate_series(1, 1000) AS n`);
    assert.deepEqual(await settled(...clients), [hello, hello, nothing]);
  });

  test('a target can be kept in a table', async () => {
    const clients = await connectFour();
    await query(`
      CREATE TEMPORARY TABLE audience (name text, target socketio_target);
      INSERT INTO audience VALUES ('first', socketio_to('room1')), ('rest', socketio_except('room1', 'room2'));
      SELECT socketio_emit(target, name) FROM audience ORDER BY name`);
    assert.deepEqual(await settled(...clients), [[['first']], nothing, [['first']], [['rest']]]);
  });
});
