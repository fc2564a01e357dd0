// Requests to servers with socket.io-adapter-postgres: clients, their rooms, orders to one socket, and what the
// servers' customHook answers.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AdapterPostgresCluster } from './lib/adapter-postgres.js';
import { LONG, many, useAsker } from './lib/ask.js';
import { answerCustom, ids, Requests } from './lib/legacy-requests.js';
import { onLegacyCluster } from './lib/legacy-suite.js';
import { sorted } from './lib/sorted.js';

onLegacyCluster(AdapterPostgresCluster, 'requests', {}, (stage) => {
  const { query, connect, settled } = stage;
  const asker = useAsker(stage);
  const requests = new Requests(asker);

  test('clients, of all servers, of rooms', async () => {
    assert.deepEqual(await requests.clients(), []);
    const clients = await connect(...many(50, (i) => ({ rooms: [`third ${i % 3}`, `half ${i % 2}`] })));
    assert.deepEqual(await requests.clients(), ids(clients));
    assert.deepEqual(await requests.clients('/', 'third 1'), ids(clients.filter((_, i) => i % 3 === 1)));
    assert.deepEqual(await requests.clients('/', 'third 1', 'half 0'),
      ids(clients.filter((_, i) => i % 3 === 1 || i % 2 === 0)));
    assert.deepEqual(await requests.clients('/', 'nobody is here'), []);
    assert.deepEqual(await requests.clients('/', clients[7].id), [clients[7].id]);
  });

  test('the rooms of a client, its own among them', async () => {
    const rooms = ['a', 'é😀', 'with "quote"', '{x,y}', '\\', ''];
    const [one, other] = await connect({ rooms }, {});
    assert.deepEqual(await requests.clientRooms(one.id), [one.id, ...rooms].sort());
    assert.deepEqual(await requests.clientRooms(other.id), [other.id]);
    assert.deepEqual(await requests.clientRooms('nobody'), []);
    assert.deepEqual(await requests.clientRooms('a'), [], 'a room is no id');
    assert.deepEqual(await requests.clientRooms('0'.repeat(20)), []);
  });

  test('all rooms, each once', async () => {
    const clients = await connect(...many(20, (i) => ({ rooms: [`third ${i % 3}`, 'everybody'] })));
    assert.deepEqual(await requests.allRooms(), [...ids(clients), 'everybody', 'third 0', 'third 1', 'third 2'].sort());
  });

  test('a join, a leave and a disconnect, one socket on whichever server', async () => {
    const clients = await connect(...many(6));
    for (const { id } of clients.slice(0, 3)) await requests.join(id, 'new');
    assert.deepEqual(await requests.clients('/', 'new'), ids(clients.slice(0, 3)));
    await requests.leave(clients[1].id, 'new');
    await requests.leave(clients[3].id, 'never joined');
    assert.deepEqual(await requests.clientRooms(clients[1].id), [clients[1].id]);
    await query(`SELECT socketio_emit(rooms => '{new}', event => 'hello')`);
    for (const { id } of clients.slice(3, 5)) await requests.disconnect(id);
    for (const client of clients.slice(3, 5)) {
      await client.until(() => client.disconnected, 'a client to be disconnected');
    }
    assert.deepEqual(await requests.clients(), ids([...clients.slice(0, 3), clients[5]]));
    assert.deepEqual(await settled(...clients), [[['hello']], [], [['hello']], [], [], []]);
  });

  test('rooms with names of any kind', async () => {
    const [client] = await connect({});
    const long = ['x', '"', '部'].map((character) => character.repeat(9000));
    for (const room of ['é😀', 'with "quote" \\', '', '#', ...long]) {
      await requests.join(client.id, room);
      assert.ok(stage.cluster.socketOf(client).rooms[room] !== undefined);
      assert.deepEqual(await requests.clients('/', room), [client.id]);
      await requests.leave(client.id, room);
      assert.deepEqual(Object.keys(stage.cluster.socketOf(client).rooms), [client.id]);
    }
  });

  test('an id no server has is an error at once, and nothing happens', async () => {
    const clients = await connect({ rooms: ['a'] }, { rooms: ['a'] }, { rooms: ['a'] });
    for (const id of ['nobody', 'a', '0'.repeat(20), `/admin#${clients[0].id}`]) {
      for (const order of [
        `socketio_remote_join($1, 'joined', timeout => $2)`, `socketio_remote_leave($1, 'a', timeout => $2)`,
        'socketio_remote_disconnect($1, timeout => $2)', 'socketio_remote_disconnect($1, true, timeout => $2)',
      ]) {
        await assert.rejects(asker.ask(`SELECT ${order}`, [id, LONG]), { code: 'P0002' }, `${order} of ${id}`);
      }
    }
    await query(`SELECT socketio_emit(rooms => '{joined}', event => 'joined')`);
    await query(`SELECT socketio_emit(rooms => '{a}', event => 'still there')`);
    assert.deepEqual(await settled(...clients), clients.map(() => [['still there']]));
  });

  test('orders are at once, whatever becomes of the transaction', async () => {
    const [client, leaving] = await connect({}, {});
    await asker.query('BEGIN');
    await requests.join(client.id, 'new');
    assert.deepEqual(await requests.clientRooms(client.id), [client.id, 'new'].sort());
    await requests.disconnect(leaving.id, true);
    await leaving.until(() => leaving.disconnected, 'the client to be disconnected');
    await asker.query('ROLLBACK');
    assert.deepEqual(await requests.clientRooms(client.id), [client.id, 'new'].sort());
  });

  test('for every row of a query', async () => {
    const clients = await connect(...many(9, (i) => ({ rooms: [i % 2 ? 'odd' : 'even'] })));
    await asker.rows(`SELECT socketio_remote_join(id, 'chosen') FROM socketio_clients(rooms => '{odd}')`);
    assert.deepEqual(await requests.clients('/', 'chosen'), ids(clients.filter((_, i) => i % 2)));
  });

  test('a custom request, which each server answers in its own way', async () => {
    answerCustom(stage.cluster, (number, data, callback) => callback({ number, data }));
    for (const data of [{ deep: [1, { er: 'é😀' }] }, null, 'text', 0, [], true]) {
      assert.deepEqual(await requests.custom(data), [0, 1, 2].map((number) => ({ number, data })));
    }
  });

  test('a custom request whose answers come late, and in no order', async () => {
    answerCustom(stage.cluster, (number, data, callback) => setTimeout(callback, 900 - 300 * number, number));
    assert.deepEqual(await requests.custom('question'), [0, 1, 2]);
  });

  test('answers of every kind to a custom request', async () => {
    const answers = ['text', 1.5, false];
    answerCustom(stage.cluster, (number, data, callback) => callback(answers[number]));
    assert.deepEqual(await requests.custom('question'), sorted(answers));
    // null is an answer, undefined is none that JSON knows of.
    answerCustom(stage.cluster, (number, data, callback) => callback(number === 0 ? undefined : null));
    const rows = await asker.rows(`SELECT response::text FROM socketio_custom_request('"question"')`);
    assert.deepEqual(sorted(rows), sorted([{ response: null }, { response: 'null' }, { response: 'null' }]));
  });

  test('a custom request and answers in many pieces', async () => {
    const answer = (number, data) => ({ number, data, more: 'x'.repeat(50_000 * number) });
    answerCustom(stage.cluster, (number, data, callback) => callback(answer(number, data)));
    for (const data of ['y'.repeat(100_000), 'two "words" \\ '.repeat(1_000), Array(5_000).fill('123456789')]) {
      assert.deepEqual(await requests.custom(data), sorted([0, 1, 2].map((number) => answer(number, data))));
    }
  });

  // A server cuts its answers at so many characters, and fails where they are too many bytes then.
  test('a question of any characters in many pieces', async () => {
    answerCustom(stage.cluster, (number, data, callback) => callback([data.length, [...new Set(data)].join('')]));
    for (const character of ['é', '部', '😀', '"', '\\', '\u0001']) {
      const data = character.repeat(10_000);
      assert.deepEqual(await requests.custom(data), Array(3).fill([data.length, character]), character);
    }
  });

  // So that some character is cut in two somewhere, and a server says its halves in two pieces.
  test('answers in pieces that end within a character', async () => {
    const text = (number) => `${'.'.repeat(number)}${'ab😀'.repeat(5_000)}`;
    answerCustom(stage.cluster, (number, data, callback) => callback(text(number)));
    assert.deepEqual(await requests.custom('question'), sorted([0, 1, 2].map(text)));
  });

  test('2,000 rooms with long names', async () => {
    const clients = await connect({}, {}, {});
    const rooms = many(2_000, (n) => `room ${n} with a name of some length é ${'x'.repeat(n % 150)}`);
    for (const client of clients) stage.cluster.socketOf(client).join(rooms);
    assert.deepEqual(await requests.allRooms(), [...ids(clients), ...rooms].sort());
    assert.deepEqual(await requests.clientRooms(clients[1].id), [clients[1].id, ...rooms].sort());
  });

  test('400 clients of one server', async () => {
    const clients = await connect(...many(400, () => ({ server: 0 })), ...many(4, () => ({ server: 1 })));
    assert.deepEqual(await requests.clients(), ids(clients));
  });

  test('sessions that ask at once get the answers to their own questions', async () => {
    answerCustom(stage.cluster, (number, data, callback) => callback([number, data]));
    const clients = await connect({}, {}, {});
    const sessions = await Promise.all(many(4, () => stage.database.newSession()));
    await Promise.all(sessions.map(async (session, who) => {
      for (let n = 0; n < 5; n++) {
        const question = `${who} ${n}`;
        const { rows } = await session.query(
          'SELECT response FROM socketio_custom_request(to_jsonb($1::text))', [question]);
        assert.deepEqual(sorted(rows), [0, 1, 2].map((number) => ({ response: [number, question] })));
        const { rows: found } = await session.query('SELECT id FROM socketio_clients()');
        assert.deepEqual(ids(found), ids(clients));
      }
      await session.end();
    }));
  });

  test('with enabled = off nobody is ordered or asked anything that may change something', async () => {
    let asked = 0;
    answerCustom(stage.cluster, (number, data, callback) => callback(asked += 1));
    const [client] = await connect({});
    await asker.query('SET socketio_emitter.enabled = off');
    await requests.join(client.id, 'new');
    assert.deepEqual(await requests.custom('question'), []);
    assert.deepEqual(await requests.clientRooms(client.id), [client.id]);
    assert.equal(asked, 0);
  });
});

// The adapter counts its own servers by a name that PostgreSQL has shortened, or changed, and never finds one.
for (const namespace of ['/größe😀', `/${'long-'.repeat(20)}`]) {
  const topic = `requests where the last namespace is ${namespace}`;
  onLegacyCluster(AdapterPostgresCluster, topic, { cluster: { namespaces: ['/', namespace] } }, (stage) => {
    const requests = new Requests(useAsker(stage));

    test('servers that take their time are waited for', async () => {
      const answer = (number, data, callback) => setTimeout(callback, 1200 - 300 * number, number);
      answerCustom(stage.cluster, answer, namespace);
      assert.deepEqual(await requests.custom('question', namespace), [0, 1, 2]);
    });
  });
}

// A server shows only the namespace it made last: for the others nobody counts the servers.
const namespaces = ['/', '/admin', '/größe😀', '/last'];

onLegacyCluster(AdapterPostgresCluster, 'requests in namespaces', { cluster: { namespaces } }, (stage) => {
  const { connect } = stage;
  const asker = useAsker(stage);
  const requests = new Requests(asker);

  for (const namespace of namespaces) {
    test(`clients and rooms in ${namespace}`, async () => {
      const others = await connect(...namespaces.map((other) => ({ namespace: other, rooms: ['of others'] })));
      const clients = await connect(...many(4, (i) => ({ namespace, rooms: [`half ${i % 2}`] })));
      const here = [...others.filter((other) => other.namespace === namespace), ...clients];
      assert.deepEqual(await requests.clients(namespace, 'half 1'), ids([clients[1], clients[3]]));
      assert.deepEqual(await requests.clientRooms(clients[2].id, namespace), [clients[2].id, 'half 0'].sort());
      if (namespace === '/') return; // every connection has a socket there
      assert.deepEqual(await requests.clients(namespace), ids(here));
      assert.deepEqual(await requests.allRooms(namespace), [...ids(here), 'half 0', 'half 1', 'of others'].sort());
      assert.deepEqual(await requests.clients('/', clients[0].id), []);
    });

    test(`orders in ${namespace}`, async () => {
      const [client, other] = await connect({ namespace }, { namespace });
      await requests.join(client.id, 'new', namespace);
      assert.deepEqual(await requests.clients(namespace, 'new'), [client.id]);
      await requests.leave(client.id, 'new', namespace);
      assert.deepEqual(await requests.clientRooms(client.id, namespace), [client.id]);
      await requests.disconnect(other.id, false, namespace);
      await other.until(() => other.disconnected, 'the client to be disconnected');
      await assert.rejects(requests.disconnect(other.id, false, namespace), { code: 'P0002' });
      const elsewhere = namespace === '/' ? '/last' : '/';
      await assert.rejects(requests.join(client.id, 'new', elsewhere), { code: 'P0002' });
    });

    test(`a custom request in ${namespace}`, async () => {
      for (const name of namespaces) {
        answerCustom(stage.cluster, (number, data, callback) => callback(`${data} ${number} in ${name}`), name);
      }
      assert.deepEqual(await requests.custom('server', namespace), [0, 1, 2].map((n) => `server ${n} in ${namespace}`));
    });
  }

  test('disconnect with closing ends the connection, without it the others stay', async () => {
    const main = await connect({}, {}, {});
    const admin = await connect(...main.map((shared) => ({ shared, namespace: '/admin' })));
    await requests.disconnect(main[0].id);
    await requests.disconnect(admin[1].id, true, '/admin');
    for (const client of [main[0], main[1], admin[1]]) {
      await client.until(() => client.disconnected, 'the client to be disconnected');
    }
    await stage.settled(...main, ...admin);
    assert.deepEqual(main.map((client) => client.disconnected !== null), [true, true, false]);
    assert.deepEqual(admin.map((client) => client.disconnected !== null), [false, true, false]);
  });
});

const prefix = 'chat';

onLegacyCluster(AdapterPostgresCluster, 'requests with a prefix', {
  cluster: { prefix },
  database: { settings: { 'socketio_emitter.channel_prefix': prefix } },
}, (stage) => {
  const { connect } = stage;
  const asker = useAsker(stage);
  const requests = new Requests(asker);

  test('servers with another prefix are neither heard nor waited for', async () => {
    const others = await AdapterPostgresCluster.start(stage.database, { servers: 2 });
    try {
      const clients = await connect({}, {}, {}, {});
      const [other] = await others.connect({});
      answerCustom(stage.cluster, (number, data, callback) => callback(number));
      assert.deepEqual(await requests.clients(), ids(clients));
      assert.deepEqual(await requests.custom('question'), [0, 1, 2]);
      await assert.rejects(requests.join(other.id, 'new'), { code: 'P0002' });
      await asker.query(`SET socketio_emitter.channel_prefix = 'socket.io'`);
      assert.deepEqual(await requests.clients(), [other.id]);
      other.close();
    } finally {
      await others.close();
    }
  });
});
