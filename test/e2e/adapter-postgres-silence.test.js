// Servers with socket.io-adapter-postgres that do not answer, or not as they should: the others' rows come all the
// same, with a word about who is missing.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { AdapterPostgresCluster } from './lib/adapter-postgres.js';
import { LONG, SHORT, timeoutReached, useAsker } from './lib/ask.js';
import { createDatabase } from './lib/database.js';
import { CLIENT_ROOMS, CLIENTS, CUSTOM_REQUEST, LegacyFakeServer, REMOTE_JOIN } from './lib/legacy-fake-server.js';
import { answerCustom, ids, Requests } from './lib/legacy-requests.js';
import { onLegacyCluster } from './lib/legacy-suite.js';
import { sorted } from './lib/sorted.js';

onLegacyCluster(AdapterPostgresCluster, 'silence', {}, (stage) => {
  const { connect } = stage;
  const asker = useAsker(stage);
  const requests = new Requests(asker);

  // A connection that is counted for a server, and never answers.
  async function withMute(applicationName, use) {
    const mute = await stage.database.newSession();
    try {
      await mute.query(`SELECT set_config('application_name', $1, false)`, [applicationName]);
      await use();
    } finally {
      await mute.end();
    }
  }

  test('one that counts and does not answer: the others’ rows at the timeout, and a warning', async () => {
    const clients = await connect({ rooms: ['a'] }, { rooms: ['a'] }, {}, {});
    answerCustom(stage.cluster, (number, data, callback) => callback(number));
    await withMute('socket.io-socket.io-request#/#', async () => {
      const asked = async (text) => {
        const { rows, said } = await asker.ask(text, [SHORT]);
        assert.deepEqual(said, [timeoutReached(3, 4)], text);
        return rows;
      };
      assert.deepEqual(ids(await asked('SELECT id FROM socketio_clients(timeout => $1)')), ids(clients));
      const rooms = await asked('SELECT room AS id FROM socketio_all_rooms(timeout => $1)');
      assert.deepEqual(ids(rooms), [...ids(clients), 'a'].sort());
      assert.deepEqual(sorted(await asked(`SELECT response FROM socketio_custom_request('1', timeout => $1)`)),
        [0, 1, 2].map((response) => ({ response })));
    });
  });

  test('one that counts and does not answer holds up nobody whose socket is found', async () => {
    const [client] = await connect({});
    await withMute('socket.io-socket.io-request#/#', async () => {
      assert.deepEqual(await requests.clientRooms(client.id), [client.id]);
      await requests.join(client.id, 'new');
      await requests.leave(client.id, 'new');
      await requests.disconnect(client.id);
      await client.until(() => client.disconnected, 'the client to be disconnected');
    });
  });

  test('one that counts and does not answer may have the socket that nobody else has', async () => {
    await withMute('socket.io-socket.io-request#/#', async () => {
      for (const order of ['socketio_remote_join', 'socketio_remote_leave']) {
        const question = `SELECT ${order}($1, 'room', timeout => $2)`;
        await assert.rejects(asker.ask(question, ['0'.repeat(20), SHORT]), { code: '55000' }, order);
      }
      const { rows, said } = await asker.ask('SELECT * FROM socketio_client_rooms($1, timeout => $2)',
        ['0'.repeat(20), SHORT]);
      assert.deepEqual([rows, said], [[], [timeoutReached(3, 4)]]);
    });
  });

  test('a server that does not answer a custom request', async () => {
    answerCustom(stage.cluster, (number, data, callback) => { if (number !== 1) callback(number); });
    const { rows, said } = await asker.ask(`SELECT response FROM socketio_custom_request('1', timeout => $1)`, [SHORT]);
    assert.deepEqual(sorted(rows), [{ response: 0 }, { response: 2 }]);
    assert.deepEqual(said, [timeoutReached(2, 3)]);
  });

  test('a connection that bears the name of another namespace is a server of "/" all the same', async () => {
    const clients = await connect({}, {}, {});
    await withMute('socket.io-socket.io-request#/elsewhere#', async () => {
      const { rows, said } = await asker.ask('SELECT id FROM socketio_clients(timeout => $1)', [SHORT]);
      assert.deepEqual(ids(rows), ids(clients));
      assert.deepEqual(said, [timeoutReached(3, 4)]);
    });
  });

  test('what may be a server of another namespace is not waited for until the timeout', async () => {
    const { rows, said } = await asker.ask(`SELECT id FROM socketio_clients('/elsewhere', timeout => $1)`, [LONG]);
    assert.deepEqual(rows, []);
    assert.deepEqual(said, [{
      severity: 'NOTICE',
      message: '3 connections that listen on "socketio" were not heard from',
      detail: 'If it is that of a Socket.IO server with this namespace, the server was too busy to answer, and what it ' +
        'knows is missing.',
    }]);
    await assert.rejects(asker.ask(`SELECT socketio_remote_join('x', 'room', '/elsewhere', $1)`, [LONG]), { code: '55000' });
  });

  test('a question is given up with its statement', async () => {
    const [client] = await connect({});
    await withMute('socket.io-socket.io-request#/#', async () => {
      await asker.query(`SET statement_timeout = '1s'`);
      await assert.rejects(asker.ask('SELECT * FROM socketio_clients(timeout => $1)', [LONG]), { code: '57014' });
      await asker.query('RESET statement_timeout');
    });
    assert.deepEqual(await requests.clients(), [client.id]);
  });

  test('connections of any other name are not waited for', async () => {
    const clients = await connect({}, {}, {});
    for (const name of ['psql', 'socket.io', 'socket.io-chat-request#/#', 'socket.io-socket.io-response#/#']) {
      await withMute(name, async () => assert.deepEqual(await requests.clients(), ids(clients), name));
    }
  });
});

// No adapter here: what these say would be an error to it.
describe('adapter-postgres: servers made by hand, and none', () => {
  const stage = {};
  before(async () => {
    stage.database = await createDatabase({ settings: { 'socketio_emitter.protocol': 'adapter-postgres' } });
  });
  after(() => stage.database.close());
  const asker = useAsker(stage);
  const requests = new Requests(asker);

  // Servers that answer with what each of these makes of a request.
  async function withFakes(handlers, use) {
    const fakes = await Promise.all(handlers.map((onRequest) => LegacyFakeServer.start(stage.database, { onRequest })));
    try {
      await use(...fakes);
    } finally {
      await Promise.all(fakes.map((fake) => fake.close()));
    }
  }

  test('no server at all: no rows, at once', async () => {
    assert.deepEqual(await requests.clients(), []);
    assert.deepEqual(await requests.clientRooms('0'.repeat(20)), []);
    assert.deepEqual(await requests.allRooms(), []);
    assert.deepEqual(await requests.custom('question'), []);
    await assert.rejects(requests.join('0'.repeat(20), 'room'), { code: 'P0002' });
  });

  test('pieces of two servers, mixed and in no order', async () => {
    const list = (name) => Array.from({ length: 3_000 }, (_, n) => `${name} ${n} é😀`);
    const backwards = (pieces) => [...pieces].reverse();
    const shuffled = (pieces) => [...pieces.filter((_, i) => i % 2), ...pieces.filter((_, i) => i % 2 === 0)];
    await withFakes([
      ({ requestid }, fake) => fake.answerInPieces({ requestid, clients: list('one') }, 1000, backwards),
      ({ requestid }, fake) => fake.answerInPieces({ requestid, clients: list('two') }, 700, shuffled),
    ], async () => {
      assert.deepEqual(await requests.clients(), [...list('one'), ...list('two')].sort());
    });
  });

  test('a piece that never comes', async () => {
    const clients = Array.from({ length: 100 }, (_, n) => `client ${n}`);
    const withoutFirst = (pieces) => pieces.slice(1);
    await withFakes([
      ({ requestid }, fake) => fake.answer({ requestid, clients }),
      ({ requestid }, fake) => fake.answerInPieces({ requestid, clients: ['lost', ...clients] }, 500, withoutFirst),
    ], async () => {
      const { rows, said } = await asker.ask('SELECT id FROM socketio_clients(timeout => $1)', [SHORT]);
      assert.deepEqual(rows.map(({ id }) => id).sort(), [...clients].sort());
      assert.deepEqual(said, [timeoutReached(1, 2)]);
    });
  });

  test('nonsense on the channel, and answers to questions that nobody asked', async () => {
    const chunk = (header) => header.padEnd(50);
    await withFakes([async ({ requestid }, fake) => {
      for (const payload of ['', 'no JSON', '[', '[]', '{}', 'null', '["one"]', '[1, 2]', '[null, null]', '"text"']) {
        await fake.sayPayload(payload);
      }
      for (const body of [
        '', 'no JSON', '[]', 'null', '1', '{"requestid":', '{}', '{"requestid":1,"clients":["nobody"]}',
        chunk('_chunk_'), chunk('_chunk_a'), chunk('_chunk_a_b_c'), chunk('_chunk_a_-1_2'), chunk('_chunk_a_5_2'),
        chunk('_chunk_a_0_0'), chunk('_chunk_a_0_999999999999'), `${chunk('_chunk_b_0_1')}no JSON`,
        `${chunk('_chunk_c_0_2')}${'x'.repeat(1000)}`,
      ]) await fake.sayBody(body);
      for (const response of [
        { requestid: 'other', clients: ['nobody'] }, { clients: ['nobody'] },
        { requestid: [requestid], clients: ['nobody'] },
      ]) await fake.answer(response);
      await fake.sayBody(JSON.stringify({ requestid, clients: ['nobody'] }), 'socket.io-response#/elsewhere#');
      await fake.sayBody(JSON.stringify({ requestid, clients: ['nobody'] }), 'chat-response#/#');
      await fake.sayBody(JSON.stringify({ requestid, clients: ['nobody'] }), 'socket.io-request#/#');
      await fake.answer({ requestid, clients: ['somebody'] });
    }], async () => {
      assert.deepEqual(await requests.clients(), ['somebody']);
    });
  });

  test('a client that two servers have, as while it moves, is one', async () => {
    const onRequest = ({ requestid }, fake) => fake.answer({ requestid, clients: ['moving', fake.topic] });
    await withFakes([onRequest, onRequest], async ({ topic }) => {
      assert.deepEqual(await requests.clients(), ['moving', topic].sort());
    });
  });

  test('an order is asked about, then given, then confirmed', async () => {
    const id = 'A'.repeat(20);
    const onRequest = ({ requestid, type, rooms }, fake) => {
      if (type === CLIENTS) return fake.answer({ requestid, clients: rooms.includes(id) ? [id] : [] });
      return type === REMOTE_JOIN ? fake.answer({ requestid }) : undefined;
    };
    const otherOnRequest = ({ requestid }, fake) => fake.answer({ requestid, clients: [] });
    await withFakes([onRequest, otherOnRequest], async (fake, other) => {
      await requests.join(id, 'room');
      const [, { type, sid, room }] = fake.heard;
      assert.deepEqual({ type, sid, room }, { type: REMOTE_JOIN, sid: id, room: 'room' });
      assert.deepEqual(fake.heard.map((request) => request.type), [CLIENTS, REMOTE_JOIN]);
      await assert.rejects(requests.join('B'.repeat(20), 'room'), { code: 'P0002' });
      await other.until((heard) => heard.length === 3, 'the other server to hear of everything');
    });
  });

  test('an order that is not confirmed may have been carried out or not', async () => {
    const id = 'A'.repeat(20);
    await withFakes([({ requestid, type }, fake) => (
      type === CLIENTS ? fake.answer({ requestid, clients: [id] }) : undefined)], async () => {
      await assert.rejects(asker.ask('SELECT socketio_remote_join($1, $2, timeout => $3)', [id, 'room', SHORT]),
        { code: '55P03' });
    });
  });

  test('the types of the other questions', async () => {
    const onRequest = ({ requestid, type, data }, fake) => {
      if (type === CLIENT_ROOMS) return fake.answer({ requestid, rooms: ['a', 'b'] });
      if (type === CLIENTS) return fake.answer({ requestid, clients: ['C'.repeat(20)] });
      return type === CUSTOM_REQUEST ? fake.answer({ requestid, data: [data] }) : undefined;
    };
    await withFakes([onRequest], async () => {
      assert.deepEqual(await requests.clientRooms('C'.repeat(20)), ['a', 'b']);
      assert.deepEqual(await requests.custom({ x: 1 }), [[{ x: 1 }]]);
    });
  });
});
