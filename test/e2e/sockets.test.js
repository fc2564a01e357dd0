// Acting on sockets: join, leave and disconnect, on whichever server they are.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onEachAdapter } from './lib/suite.js';

onEachAdapter('sockets', { cluster: { namespaces: ['/', '/admin'] } }, ({ query, connect, settled }) => {
  const hello = [['hello']];
  const nothing = [];
  const helloTo = (room) => query('SELECT socketio_emit(rooms => ARRAY[$1], event => $2)', [room, 'hello']);

  test('everyone joins', async () => {
    const clients = await connect({}, {}, {});
    await query(`SELECT socketio_sockets_join(join_rooms => '{joined}')`);
    await helloTo('joined');
    assert.deepEqual(await settled(...clients), [hello, hello, hello]);
  });

  test('the members of a room join others, some excepted', async () => {
    const clients = await connect({ rooms: ['staff'] }, { rooms: ['staff', 'night'] }, {}, { rooms: ['night'] });
    await query(`SELECT socketio_sockets_join('/', '{staff}', '{night}', '{one,two}')`);
    await helloTo('one');
    await helloTo('two');
    assert.deepEqual(await settled(...clients), [[['hello'], ['hello']], nothing, nothing, nothing]);
  });

  test('join in the chain form, by socket id', async () => {
    const clients = await connect({}, {}, {});
    await query('SELECT socketio_sockets_join(socketio_to($1), ARRAY[$2])', [clients[1].id, 'joined']);
    await helloTo('joined');
    assert.deepEqual(await settled(...clients), [nothing, hello, nothing]);
  });

  test('everyone leaves', async () => {
    const clients = await connect({ rooms: ['a', 'b'] }, { rooms: ['a', 'b'] }, { rooms: ['a', 'b'] });
    await query(`SELECT socketio_sockets_leave(leave_rooms => '{a}')`);
    await query(`SELECT socketio_emit(rooms => '{a}', event => 'a')`);
    await query(`SELECT socketio_emit(rooms => '{b}', event => 'b')`);
    assert.deepEqual(await settled(...clients), [[['b']], [['b']], [['b']]]);
  });

  test('the members of a room leave others, some excepted', async () => {
    const rooms = ['staff', 'one', 'two'];
    const clients = await connect({ rooms }, { rooms: [...rooms, 'night'] }, { rooms: ['one', 'two'] });
    await query(`SELECT socketio_sockets_leave('/', '{staff}', '{night}', '{one,two}')`);
    await query(`SELECT socketio_emit(rooms => '{one,two}', event => 'hello')`);
    assert.deepEqual(await settled(...clients), [nothing, hello, hello]);
  });

  test('leave in the chain form', async () => {
    const clients = await connect({ rooms: ['one'] }, { rooms: ['one', 'staff'] }, { rooms: ['one'] });
    await query(`SELECT socketio_sockets_leave(socketio_except('staff'), '{one}')`);
    await helloTo('one');
    assert.deepEqual(await settled(...clients), [nothing, hello, nothing]);
  });

  test('joining and emitting to the room in one transaction', async () => {
    const clients = await connect({}, {}, {});
    await query(`
      BEGIN;
      SELECT socketio_sockets_join(join_rooms => '{new}');
      SELECT socketio_emit(rooms => '{new}', event => 'hello');
      SELECT socketio_sockets_leave(leave_rooms => '{new}');
      SELECT socketio_emit(rooms => '{new}', event => 'too late');
      COMMIT`);
    assert.deepEqual(await settled(...clients), [hello, hello, hello]);
  });

  test('more rooms than fit a notification', async () => {
    const clients = await connect({}, {}, {});
    const all = `(SELECT array_agg('room ' || n) FROM generate_series(1, 2000) AS n)`;
    await query(`SELECT socketio_sockets_join(join_rooms => ${all})`);
    // By attachment as well, which a notification would overtake.
    await query(`SELECT socketio_emit_values(socketio_to('room 2000'), 'hello', '\\x00'::bytea)`);
    await query(`SELECT socketio_sockets_leave(leave_rooms => ${all})`);
    await query(`SELECT socketio_emit_values(socketio_to('room 2000'), 'too late', '\\x00'::bytea)`);
    const binary = [['hello', Buffer.from([0])]];
    assert.deepEqual(await settled(...clients), [binary, binary, binary]);
  });

  // Each client has a second namespace on its connection, which tells leaving a namespace from losing the connection.
  async function connectInBoth(...descriptions) {
    const main = await connect(...descriptions);
    const admin = await connect(...main.map((shared) => ({ shared, namespace: '/admin' })));
    return { main, admin };
  }

  async function disconnectedFrom(clients, what) {
    await Promise.all(clients.map((client) => client.until(() => client.disconnected, what)));
    return clients.map((client) => client.disconnected);
  }

  test('disconnect without closing leaves the connection to the other namespaces', async () => {
    const { main, admin } = await connectInBoth({ rooms: ['out'] }, { rooms: ['out', 'vip'] }, {}, { rooms: ['out'] });
    await query(`SELECT socketio_disconnect_sockets('/', '{out}', '{vip}')`);
    const reasons = await disconnectedFrom([main[0], main[3]], 'the clients in the room to be disconnected');
    assert.deepEqual(reasons, ['io server disconnect', 'io server disconnect']);
    await query(`SELECT socketio_emit(event => 'hello')`);
    await query(`SELECT socketio_emit(nsp => '/admin', event => 'hello')`);
    assert.deepEqual(await settled(...main), [nothing, hello, hello, nothing]);
    assert.deepEqual(await settled(...admin), [hello, hello, hello, hello]);
  });

  test('disconnect with closing ends the connection', async () => {
    const { main, admin } = await connectInBoth({ rooms: ['out'] }, { rooms: ['out', 'vip'] }, {}, { rooms: ['out'] });
    await query(`SELECT socketio_disconnect_sockets('/', '{out}', '{vip}', true)`);
    const gone = [main[0], main[3], admin[0], admin[3]];
    await disconnectedFrom(gone, 'both namespaces of the clients in the room to be disconnected');
    await query(`SELECT socketio_emit(event => 'hello')`);
    await query(`SELECT socketio_emit(nsp => '/admin', event => 'hello')`);
    assert.deepEqual(await settled(...main), [nothing, hello, hello, nothing]);
    assert.deepEqual(await settled(...admin), [nothing, hello, hello, nothing]);
  });

  test('disconnect in the chain form, by socket id, named and by default', async () => {
    const { main, admin } = await connectInBoth({}, {}, {});
    await query('SELECT socketio_disconnect_sockets(socketio_to($1))', [main[0].id]);
    await query('SELECT socketio_disconnect_sockets(socketio_to($1), close => true)', [main[1].id]);
    await disconnectedFrom([main[0], main[1], admin[1]], 'the two clients to be disconnected');
    await query(`SELECT socketio_emit(event => 'hello')`);
    assert.deepEqual(await settled(...main), [nothing, nothing, hello]);
    assert.equal(admin[0].disconnected, null);
    await query('SELECT socketio_disconnect_sockets()');
    await disconnectedFrom([main[2]], 'the last client to be disconnected');
    assert.equal(admin[2].disconnected, null);
  });

  test('nothing happens to anyone when it is rolled back', async () => {
    const clients = await connect({ rooms: ['old'] }, { rooms: ['old'] }, { rooms: ['old'] });
    await query(`
      BEGIN;
      SELECT socketio_sockets_join(join_rooms => '{new}');
      SELECT socketio_sockets_leave(leave_rooms => '{old}');
      SELECT socketio_disconnect_sockets(close => true);
      ROLLBACK`);
    await query(`SELECT socketio_emit(rooms => '{new}', event => 'new')`);
    await query(`SELECT socketio_emit(rooms => '{old}', event => 'old')`);
    assert.deepEqual(await settled(...clients), [[['old']], [['old']], [['old']]]);
  });
});
