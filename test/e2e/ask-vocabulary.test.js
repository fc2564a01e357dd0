// The older adapters' vocabulary: clients, rooms and their members, and orders to one socket wherever it is.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { many, useAsker } from './lib/ask.js';
import { onEachAdapter } from './lib/suite.js';
import { repeatUntil } from './lib/wait.js';

onEachAdapter('ask: clients and rooms', { cluster: { namespaces: ['/', '/admin'] } }, (stage) => {
  const { connect, settled } = stage;
  const asker = useAsker(stage);
  const ids = (clients) => clients.map(({ id }) => id).sort();

  const clientIds = async (...question) => (await asker.rows(...question)).map(({ id }) => id).sort();
  const roomsOf = async (id, nsp = '/') => (
    (await asker.rows('SELECT room FROM socketio_client_rooms($1, $2)', [id, nsp])).map(({ room }) => room).sort());

  test('the clients, of all servers, of rooms, of a namespace', async () => {
    const clients = await connect(...many(50, (i) => ({ rooms: [`third ${i % 3}`, `half ${i % 2}`] })));
    const admin = await connect({ namespace: '/admin', rooms: ['third 0'] }, { namespace: '/admin' });
    const inRooms = (nsp, ...rooms) => clientIds('SELECT id FROM socketio_clients($1, $2)', [nsp, rooms]);
    assert.deepEqual(await clientIds('SELECT id FROM socketio_clients()'), ids(clients));
    assert.deepEqual(await inRooms('/'), ids(clients));
    assert.deepEqual(await inRooms('/', 'third 1'), ids(clients.filter((_, i) => i % 3 === 1)));
    assert.deepEqual(await inRooms('/', 'third 1', 'half 0'),
      ids(clients.filter((_, i) => i % 3 === 1 || i % 2 === 0)));
    assert.deepEqual(await inRooms('/', 'nobody is here'), []);
    assert.deepEqual(await inRooms('/', clients[7].id), [clients[7].id]);
    assert.deepEqual(await inRooms('admin'), ids(admin));
    assert.deepEqual(await inRooms('/admin', 'third 0'), [admin[0].id]);
  });

  test('the rooms of a client, its own among them', async () => {
    const [one, other] = await connect({ rooms: ['a', 'é😀', 'with "quote"', '{x,y}'] }, {});
    assert.deepEqual(await roomsOf(one.id), [one.id, 'a', 'é😀', 'with "quote"', '{x,y}'].sort());
    assert.deepEqual(await roomsOf(other.id), [other.id]);
    assert.deepEqual(await roomsOf('nobody'), []);
    assert.deepEqual(await roomsOf('a'), [], 'a room is no id');
    assert.deepEqual(await roomsOf(one.id, '/admin'), []);
  });

  test('all rooms, and how many are in each', async () => {
    await connect(...many(50, (i) => ({ rooms: [`third ${i % 3}`, `half ${i % 2}`, 'everybody'] })));
    await connect({ namespace: '/admin', rooms: ['everybody'] });
    for (const namespace of ['/', '/admin']) {
      const expected = {};
      for (const io of stage.cluster.servers) {
        for (const [room, members] of io.of(namespace).adapter.rooms) {
          expected[room] = (expected[room] ?? 0) + members.size;
        }
      }
      const rows = await asker.rows('SELECT room, sockets::int FROM socketio_all_rooms($1)', [namespace]);
      assert.equal(rows.length, Object.keys(expected).length);
      assert.deepEqual(Object.fromEntries(rows.map(({ room, sockets }) => [room, sockets])), expected);
    }
    const [{ sockets }] = await asker.rows(`SELECT sockets FROM socketio_all_rooms() WHERE room = 'everybody'`);
    assert.equal(sockets, '50');
  });

  test('join and leave, one socket on whichever server', async () => {
    const clients = await connect({}, {}, {}, {});
    for (const { id } of clients.slice(0, 3)) await asker.rows('SELECT socketio_remote_join($1, $2)', [id, 'new']);
    assert.deepEqual(await roomsOf(clients[2].id), [clients[2].id, 'new'].sort());
    await stage.query(`SELECT socketio_emit(rooms => '{new}', event => 'joined')`);
    await asker.rows('SELECT socketio_remote_leave($1, $2)', [clients[1].id, 'new']);
    await asker.rows('SELECT socketio_remote_leave($1, $2)', [clients[3].id, 'never joined']);
    assert.deepEqual(await roomsOf(clients[1].id), [clients[1].id]);
    await stage.query(`SELECT socketio_emit(rooms => '{new}', event => 'left')`);
    const both = [['joined'], ['left']];
    assert.deepEqual(await settled(...clients), [both, [['joined']], both, []]);
  });

  // By attachment an order may be overtaken by the question behind it.
  async function untilIn(client, ...rooms) {
    let rest;
    let done;
    await repeatUntil(new Promise((resolve) => { done = resolve; }), async () => {
      rest = await roomsOf(client.id, client.namespace);
      if (isDeepStrictEqual(rest, [client.id, ...rooms].sort())) done();
    }, () => `the client to be in ${rooms.length} rooms, not ${rest.length - 1}`);
  }

  test('join and leave in a namespace, with room names of any kind', async () => {
    const [client] = await connect({ namespace: '/admin' });
    for (const room of ['é😀', 'with "quote" \\', `x${'y'.repeat(10_000)}`]) {
      await asker.rows('SELECT socketio_remote_join(id => $1, room => $2, nsp => $3)', [client.id, room, 'admin']);
      await untilIn(client, room);
      await asker.rows('SELECT socketio_remote_leave(id => $1, room => $2, nsp => $3)', [client.id, room, '/admin']);
      await untilIn(client);
    }
  });

  // Each client has a second namespace on its connection, which tells leaving a namespace from losing the connection.
  async function connectInBoth(...descriptions) {
    const main = await connect(...descriptions);
    const admin = await connect(...main.map((shared) => ({ shared, namespace: '/admin' })));
    return { main, admin };
  }

  const disconnected = (client) => client.until(() => client.disconnected, 'the client to be disconnected');

  test('disconnect without closing leaves the connection to the other namespaces', async () => {
    const { main, admin } = await connectInBoth({}, {}, {}, {});
    await asker.rows('SELECT socketio_remote_disconnect($1)', [main[1].id]);
    await asker.rows('SELECT socketio_remote_disconnect($1, false, $2)', [admin[2].id, '/admin']);
    await disconnected(main[1]);
    await disconnected(admin[2]);
    await settled(...main, ...admin);
    assert.deepEqual(main.map((client) => client.disconnected), [null, 'io server disconnect', null, null]);
    assert.deepEqual(admin.map((client) => client.disconnected), [null, null, 'io server disconnect', null]);
    assert.deepEqual(await clientIds('SELECT id FROM socketio_clients()'), ids([main[0], main[2], main[3]]));
  });

  test('disconnect with closing ends the connection', async () => {
    const { main, admin } = await connectInBoth({}, {}, {}, {});
    await asker.rows('SELECT socketio_remote_disconnect($1, true)', [main[1].id]);
    await asker.rows('SELECT socketio_remote_disconnect(id => $1, close => true, nsp => $2)', [admin[3].id, 'admin']);
    for (const client of [main[1], admin[1], main[3], admin[3]]) await disconnected(client);
    await settled(...main, ...admin);
    assert.deepEqual(main.map((client) => client.disconnected !== null), [false, true, false, true]);
    assert.deepEqual(admin.map((client) => client.disconnected !== null), [false, true, false, true]);
  });

  test('an id no server holds is an error, and nothing happens', async () => {
    const clients = await connect({ rooms: ['a'] }, { rooms: ['a'] }, { rooms: ['a'] });
    const [admin] = await connect({ namespace: '/admin' });
    // A room is no id, nor is an id one in another namespace.
    for (const id of ['nobody', 'a', admin.id]) {
      for (const order of [
        `socketio_remote_join($1, 'joined')`, `socketio_remote_leave($1, 'a')`, 'socketio_remote_disconnect($1)',
        'socketio_remote_disconnect($1, true)',
      ]) {
        await assert.rejects(asker.ask(`SELECT ${order}`, [id]), { code: 'P0002' }, `${order} of ${id}`);
      }
    }
    await stage.query(`SELECT socketio_emit(rooms => '{joined}', event => 'joined')`);
    await stage.query(`SELECT socketio_emit(rooms => '{a}', event => 'still there')`);
    const there = [['still there']];
    assert.deepEqual(await settled(...clients, admin), [there, there, there, []]);
  });

  test('orders are at once, whatever becomes of the transaction', async () => {
    const [client, leaving] = await connect({}, {});
    await asker.query('BEGIN');
    await asker.rows(`SELECT socketio_remote_join($1, 'new')`, [client.id]);
    assert.deepEqual(await roomsOf(client.id), [client.id, 'new'].sort());
    await asker.rows('SELECT socketio_remote_disconnect($1, true)', [leaving.id]);
    await disconnected(leaving);
    await asker.query('ROLLBACK');
    assert.deepEqual(await roomsOf(client.id), [client.id, 'new'].sort());
  });

  test('for every row of a query', async () => {
    const clients = await connect(...many(12, (i) => ({ rooms: [i % 2 ? 'odd' : 'even'] })));
    await asker.rows(`SELECT socketio_remote_join(id, 'chosen') FROM socketio_clients(rooms => '{odd}')`);
    assert.deepEqual(await clientIds(`SELECT id FROM socketio_clients(rooms => '{chosen}')`),
      ids(clients.filter((_, i) => i % 2)));
    const rows = await asker.rows(`
      SELECT id, array_agg(room) AS rooms FROM socketio_clients(rooms => '{odd}') JOIN LATERAL
        socketio_client_rooms(id) ON true GROUP BY id`);
    assert.deepEqual(rows.map(({ rooms }) => rooms.length), [3, 3, 3, 3, 3, 3]);
  });
});
