// join, leave and disconnect in the transaction, with socket.io-adapter-postgres: of one socket each, named by its id.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AdapterPostgresCluster } from './lib/adapter-postgres.js';
import { onLegacyCluster } from './lib/legacy-suite.js';

const nothing = [];

onLegacyCluster(AdapterPostgresCluster, 'sockets', { cluster: { namespaces: ['/', '/admin'] } }, (stage) => {
  const { query, connect, settled } = stage;

  test('a socket joins and leaves, on whichever server it is', async () => {
    const clients = await connect({}, {}, {});
    for (const { id } of clients) {
      await query('SELECT socketio_sockets_join(rooms => ARRAY[$1], join_rooms => $2)', [id, [`of ${id}`, 'a', 'b']]);
    }
    await query('SELECT socketio_sockets_leave(rooms => ARRAY[$1], leave_rooms => $2)', [clients[1].id, ['a', 'b']]);
    await query('SELECT socketio_sockets_leave(socketio_to($1), $2)', [clients[2].id, ['b', 'never joined']]);
    for (const room of ['a', 'b', `of ${clients[1].id}`]) {
      await query('SELECT socketio_emit(rooms => ARRAY[$1], event => $1)', [room]);
    }
    assert.deepEqual(await settled(...clients), [[['a'], ['b']], [[`of ${clients[1].id}`]], [['a']]]);
  });

  test('in the chain form, and in a namespace', async () => {
    const namespace = '/admin';
    const clients = await connect({ namespace }, { namespace }, {});
    const [, admin] = clients;
    await query('SELECT socketio_sockets_join(socketio_to(socketio_of($1), $2), $3)', [namespace, admin.id, ['new']]);
    await query('SELECT socketio_sockets_join(socketio_to($1), $2)', [clients[2].id, ['new']]);
    await query(`SELECT socketio_emit('/admin', '{new}', '{}', 'hello')`);
    await query('SELECT socketio_sockets_leave(nsp => $1, rooms => ARRAY[$2], leave_rooms => $3)',
      ['admin', admin.id, ['new']]);
    await query(`SELECT socketio_emit('/admin', '{new}', '{}', 'too late')`);
    assert.deepEqual(await settled(...clients), [nothing, [['hello']], nothing]);
  });

  test('joining and emitting to the room in one transaction', async () => {
    const clients = await connect({}, {}, {});
    await query('BEGIN');
    await query(`SELECT socketio_sockets_join(rooms => ARRAY[$1], join_rooms => '{new}')`, [clients[0].id]);
    await query(`SELECT socketio_emit(rooms => '{new}', event => 'hello')`);
    await query(`SELECT socketio_sockets_leave(rooms => ARRAY[$1], leave_rooms => '{new}')`, [clients[0].id]);
    await query(`SELECT socketio_emit(rooms => '{new}', event => 'too late')`);
    await query(`SELECT socketio_sockets_join(rooms => ARRAY[$1], join_rooms => '{new}')`, [clients[0].id]);
    await query(`SELECT socketio_emit(rooms => '{new}', event => 'again')`);
    await query('COMMIT');
    assert.deepEqual(await settled(...clients), [[['hello'], ['again']], nothing, nothing]);
  });

  test('rooms with names of any kind, and many of them', async () => {
    const [client, other] = await connect({}, {});
    const rooms = ['é😀', 'with "quote" \\', '#', `x${'y'.repeat(9000)}`, '部'.repeat(4000),
      ...Array.from({ length: 500 }, (_, n) => `room ${n}`)];
    await query('SELECT socketio_sockets_join(rooms => ARRAY[$1], join_rooms => $2)', [client.id, rooms]);
    for (const room of rooms) await query('SELECT socketio_emit(rooms => ARRAY[$1], event => $2)', [room, 'in']);
    await query('SELECT socketio_sockets_leave(rooms => ARRAY[$1], leave_rooms => $2)', [client.id, rooms]);
    for (const room of rooms) await query('SELECT socketio_emit(rooms => ARRAY[$1], event => $2)', [room, 'out']);
    assert.deepEqual(await settled(client, other), [rooms.map(() => ['in']), nothing]);
  });

  // Each client has a second namespace on its connection, which tells leaving a namespace from losing the connection.
  async function connectInBoth(count) {
    const main = await connect(...Array.from({ length: count }, () => ({})));
    const admin = await connect(...main.map((shared) => ({ shared, namespace: '/admin' })));
    return { main, admin };
  }

  const disconnected = (client) => client.until(() => client.disconnected, 'the client to be disconnected');

  test('disconnect without closing leaves the connection to the other namespaces', async () => {
    const { main, admin } = await connectInBoth(3);
    await query('SELECT socketio_disconnect_sockets(rooms => ARRAY[$1])', [main[1].id]);
    await query('SELECT socketio_disconnect_sockets(socketio_to(socketio_of($1), $2))', ['/admin', admin[2].id]);
    await disconnected(main[1]);
    await disconnected(admin[2]);
    await query(`SELECT socketio_emit(event => 'hello')`);
    await query(`SELECT socketio_emit(nsp => '/admin', event => 'hello')`);
    const hello = [['hello']];
    assert.deepEqual(await settled(...main), [hello, nothing, hello]);
    assert.deepEqual(await settled(...admin), [hello, hello, nothing]);
  });

  test('disconnect with closing ends the connection', async () => {
    const { main, admin } = await connectInBoth(3);
    await query('SELECT socketio_disconnect_sockets(rooms => ARRAY[$1], close => true)', [main[1].id]);
    await query('SELECT socketio_disconnect_sockets(socketio_to(socketio_of($1), $2), true)', ['/admin', admin[2].id]);
    for (const client of [main[1], admin[1], main[2], admin[2]]) await disconnected(client);
    await settled(...main, ...admin);
    assert.deepEqual(main.map((client) => client.disconnected !== null), [false, true, true]);
    assert.deepEqual(admin.map((client) => client.disconnected !== null), [false, true, true]);
  });

  test('nothing happens to anyone when it is rolled back', async () => {
    const [client] = await connect({ rooms: ['old'] });
    await query('BEGIN');
    await query(`SELECT socketio_sockets_join(rooms => ARRAY[$1], join_rooms => '{new}')`, [client.id]);
    await query(`SELECT socketio_sockets_leave(rooms => ARRAY[$1], leave_rooms => '{old}')`, [client.id]);
    await query('SELECT socketio_disconnect_sockets(rooms => ARRAY[$1], close => true)', [client.id]);
    await query('ROLLBACK');
    await query(`SELECT socketio_emit(rooms => '{new}', event => 'new')`);
    await query(`SELECT socketio_emit(rooms => '{old}', event => 'old')`);
    assert.deepEqual(await settled(client), [[['old']]]);
  });

  test('an id that nobody has is no error', async () => {
    const clients = await connect({}, {});
    const id = '0'.repeat(20);
    await query(`SELECT socketio_sockets_join(rooms => ARRAY[$1], join_rooms => '{new}')`, [id]);
    await query('SELECT socketio_disconnect_sockets(rooms => ARRAY[$1], close => true)', [id]);
    await query(`SELECT socketio_emit(rooms => '{new}', event => 'new')`);
    assert.deepEqual(await settled(...clients), [nothing, nothing]);
  });

  test('anything else is refused, and nothing happens to anyone', async () => {
    const [client, other] = await connect({ rooms: ['room1'] }, { rooms: ['room1'] });
    const ids = [client.id, other.id];
    for (const [text, parameters] of [
      [`SELECT socketio_sockets_join(join_rooms => '{new}')`],
      [`SELECT socketio_sockets_join(rooms => '{room1}', join_rooms => '{new}')`],
      [`SELECT socketio_sockets_join(rooms => $1, join_rooms => '{new}')`, [ids]],
      [`SELECT socketio_sockets_join(rooms => ARRAY[$1], except_rooms => ARRAY[$2], join_rooms => '{new}')`, ids],
      [`SELECT socketio_sockets_leave(leave_rooms => '{room1}')`],
      ['SELECT socketio_disconnect_sockets()'],
      [`SELECT socketio_disconnect_sockets(rooms => '{room1}', close => true)`],
    ]) {
      await assert.rejects(query(text, parameters), (error) => ['0A000', '22023'].includes(error.code), text);
    }
    await query(`SELECT socketio_emit(rooms => '{new}', event => 'new')`);
    await query(`SELECT socketio_emit(rooms => '{room1}', event => 'there')`);
    assert.deepEqual(await settled(client, other), [[['there']], [['there']]]);
  });
});
