// What comes in beside and instead of answers: everything on the channel is somebody else's text, and no call may trip
// over it. The servers here are made by hand.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { Asker, LONG, many, SHORT, timeoutReached } from './lib/ask.js';
import { createDatabase } from './lib/database.js';
import {
  ADAPTER_CLOSE, BROADCAST, BROADCAST_ACK, BROADCAST_CLIENT_COUNT, FakeServer, FETCH_SOCKETS, FETCH_SOCKETS_RESPONSE,
  HEARTBEAT, INITIAL_HEARTBEAT, SERVER_SIDE_EMIT, SERVER_SIDE_EMIT_RESPONSE,
} from './lib/fake-server.js';

// Hand-made servers are quick, and some calls here have to reach their timeout.
const BRIEF = '2 s';

const socket = (id, data = {}) => ({ id, rooms: [id], data, handshake: {} });

describe('ask: answers of all kinds', () => {
  let database;
  const asker = new Asker();
  before(async () => {
    database = await createDatabase();
    await asker.open(database);
  });
  afterEach(() => asker.reset());
  after(async () => {
    await asker.close();
    await database.close();
  });

  // Run `use` beside servers that answer a heartbeat, and otherwise as `answers` has it: by the type of the request,
  // functions of the server and the request's id.
  async function withServers(servers, use) {
    const fakes = await Promise.all(Object.entries(servers).map(([uid, answers]) => FakeServer.start(database, {
      uid,
      onMessage: ({ type, data }, fake) => {
        if (type === INITIAL_HEARTBEAT) return fake.say(HEARTBEAT);
        return answers[type]?.(fake, data.requestId);
      },
    })));
    try {
      return await use(...fakes);
    } finally {
      await Promise.all(fakes.map((fake) => fake.close()));
    }
  }

  const fetchIds = async () => {
    const rows = await asker.rows('SELECT id, server FROM socketio_fetch_sockets(timeout => $1)', [LONG]);
    return rows.map(({ id, server }) => `${id} of ${server}`).sort();
  };

  // A server whose answer is good.
  const good = {
    [FETCH_SOCKETS]: (fake, requestId) => fake.say(FETCH_SOCKETS_RESPONSE, { requestId, sockets: [socket('socket')] }),
  };

  test('a request names the emitter, its namespace and an id of its own', async () => {
    await withServers({ one: good }, async (fake) => {
      await fetchIds();
      await fetchIds();
      const requests = fake.heard.filter(({ type }) => type === FETCH_SOCKETS);
      assert.equal(requests.length, 2);
      for (const { uid, nsp, data } of requests) {
        assert.deepEqual([uid, nsp], ['emitter', '/']);
        assert.deepEqual([data.opts.rooms, data.opts.except], [[], []]);
        assert.equal(typeof data.requestId, 'string');
      }
      assert.notEqual(requests[0].data.requestId, requests[1].data.requestId);
    });
  });

  const noise = [
    '', ' ', 'text', '\u0001', 'é 部 😀', 'null', '1', '"text"', '[]', '[1]', '{}', '{"uid":', '{"uid":1}',
    '{"uid":null,"type":8}', '{"uid":"x","nsp":"/","type":"8","data":{}}', '{"uid":"x","nsp":"/","type":8}',
    '{"uid":"x","nsp":"/","type":8,"data":1}', '{"uid":"x","nsp":"/","type":1e400}', '{"uid":"x","nsp":"/","type":99}',
    '{"uid":"x","nsp":"/","type":-1}', '{"uid":"x","type":8,"attachmentId":"none"}',
    '{"uid":"x","type":8,"attachmentId":"9223372036854775808"}', '{"uid":"x","type":8,"attachmentId":{}}',
    `${'['.repeat(3_900)}${']'.repeat(3_900)}`, `{"a":${'{"a":'.repeat(1_000)}`,
    '{"uid":"\\ud800","nsp":"/","type":13}', '{"uid":"","nsp":"/","type":13}',
  ];

  test('what is no message of the cluster is passed over', async () => {
    const noisy = {
      [FETCH_SOCKETS]: async (fake, requestId) => {
        for (const text of noise) await fake.sayText(text);
        await good[FETCH_SOCKETS](fake, requestId);
      },
    };
    await withServers({ one: noisy }, async () => {
      const { rows } = await asker.ask('SELECT id FROM socketio_fetch_sockets(timeout => $1)', [SHORT]);
      assert.deepEqual(rows, [{ id: 'socket' }]);
    });
  });

  test('answers to other requests are not mine', async () => {
    const wrong = {
      [FETCH_SOCKETS]: async (fake, requestId) => {
        for (const other of [`${requestId}0`, requestId.slice(1), requestId.toUpperCase() + 'X', '', null, 7]) {
          await fake.say(FETCH_SOCKETS_RESPONSE, { requestId: other, sockets: [socket('not mine')] });
          await fake.sayAttached(FETCH_SOCKETS_RESPONSE, { requestId: other, sockets: [socket('not mine')] });
        }
        await fake.say(SERVER_SIDE_EMIT_RESPONSE, { requestId, packet: 'not asked for' });
        await good[FETCH_SOCKETS](fake, requestId);
      },
    };
    await withServers({ one: wrong }, async () => assert.deepEqual(await fetchIds(), ['socket of one']));
  });

  test('a second answer of one server is no answer of another', async () => {
    const twice = {
      [SERVER_SIDE_EMIT]: async (fake, requestId) => {
        await fake.say(SERVER_SIDE_EMIT_RESPONSE, { requestId, packet: 'first' });
        await fake.say(SERVER_SIDE_EMIT_RESPONSE, { requestId, packet: 'second' });
      },
    };
    const once = {
      [SERVER_SIDE_EMIT]: (fake, requestId) => (
        fake.sayAttached(SERVER_SIDE_EMIT_RESPONSE, { requestId, packet: 'once' })),
    };
    await withServers({ twice, once }, async () => {
      const rows = await asker.rows(`
        SELECT * FROM socketio_server_side_emit_with_ack(event => 'question', timeout => $1) ORDER BY server`, [LONG]);
      assert.deepEqual(rows, [{ server: 'once', response: 'once' }, { server: 'twice', response: 'first' }]);
    });
  });

  test('another emitter is no server', async () => {
    const beside = {
      [FETCH_SOCKETS]: async (fake, requestId) => {
        for (const type of [HEARTBEAT, BROADCAST, SERVER_SIDE_EMIT]) {
          await fake.sayText(JSON.stringify({ uid: 'emitter', nsp: '/', type, data: { packet: [], opts: {} } }));
        }
        await good[FETCH_SOCKETS](fake, requestId);
      },
    };
    await withServers({ one: beside }, async () => assert.deepEqual(await fetchIds(), ['socket of one']));
  });

  test('attachments that are not there, or are no msgpack, and a good answer behind them', async () => {
    const broken = {
      [FETCH_SOCKETS]: async (fake, requestId) => {
        await fake.announce(FETCH_SOCKETS_RESPONSE, '987654321');
        for (const bytes of ['', 'c1', '82', '81a3', '9fffff', 'dfffffffff', 'c6ffffffff00', 'a5']) {
          await fake.sayBytes(FETCH_SOCKETS_RESPONSE, Buffer.from(bytes, 'hex'));
        }
        // Deeper than any reader may recurse.
        await fake.sayBytes(FETCH_SOCKETS_RESPONSE, Buffer.alloc(1_000_000, 0x91));
        await good[FETCH_SOCKETS](fake, requestId);
      },
    };
    await withServers({ one: broken }, async () => {
      const { rows } = await asker.ask('SELECT id FROM socketio_fetch_sockets(timeout => $1)', [SHORT]);
      assert.deepEqual(rows, [{ id: 'socket' }]);
    });
  });

  test('an attachment’s id as a number, which it is where int8 is parsed as one', async () => {
    const numbered = {
      [FETCH_SOCKETS]: async (fake, requestId) => {
        const announce = fake.announce;
        fake.announce = (type, id) => announce.call(fake, type, Number(id));
        await fake.sayAttached(FETCH_SOCKETS_RESPONSE, { requestId, sockets: [socket('by number')] });
      },
    };
    await withServers({ one: numbered }, async () => assert.deepEqual(await fetchIds(), ['by number of one']));
  });

  test('msgpack’s own kinds of values', async () => {
    const date = new Date('2026-02-28T12:34:56.789Z');
    const answer = {
      [SERVER_SIDE_EMIT]: (fake, requestId) => fake.sayAttached(SERVER_SIDE_EMIT_RESPONSE, {
        requestId,
        packet: [
          undefined, date, new Uint8Array([1, 2, 3]), NaN, -Infinity, 2 ** 53, -1.5, 'nul \0', 'half \ud83d!',
          { '\0': 1 },
        ],
      }),
    };
    await withServers({ one: answer }, async () => {
      const [{ response }] = await asker.rows(`
        SELECT response FROM socketio_server_side_emit_with_ack(event => 'question', timeout => $1)`, [LONG]);
      assert.deepEqual(response, [
        null, date.toISOString(), 'AQID', null, null, 2 ** 53, -1.5, 'nul \ufffd', 'half \ufffd!', { '\ufffd': 1 },
      ]);
    });
  });

  test('sockets that lack what sockets have, or have it in other shapes', async () => {
    const odd = {
      [FETCH_SOCKETS]: async (fake, requestId) => {
        await fake.say(FETCH_SOCKETS_RESPONSE, { requestId, sockets: [{ id: 'bare' }, socket('whole', [1])] });
      },
    };
    await withServers({ one: odd }, async () => {
      const { rows } = await asker.ask('SELECT * FROM socketio_fetch_sockets(timeout => $1) ORDER BY id', [SHORT]);
      assert.deepEqual(rows.map(({ id }) => id), ['bare', 'whole']);
      assert.deepEqual(rows[1], { ...socket('whole', [1]), server: 'one' });
      assert.equal(rows[0].data, null);
    });
  });

  test('acknowledgements that come before the number of clients, and from two servers', async () => {
    const early = {
      [BROADCAST]: async (fake, requestId) => {
        await fake.say(BROADCAST_ACK, { requestId, packet: 'early' });
        await fake.say(BROADCAST_CLIENT_COUNT, { requestId, clientCount: 2 });
        await fake.sayAttached(BROADCAST_ACK, { requestId, packet: 'late' });
      },
    };
    const none = { [BROADCAST]: (fake, requestId) => fake.say(BROADCAST_CLIENT_COUNT, { requestId, clientCount: 0 }) };
    await withServers({ early, none }, async () => {
      const rows = await asker.rows(`
        SELECT * FROM socketio_emit_with_ack(event => 'question', timeout => $1) ORDER BY response`, [LONG]);
      assert.deepEqual(rows, [{ server: 'early', response: 'early' }, { server: 'early', response: 'late' }]);
    });
  });

  test('a server that closes with acknowledgements outstanding', async () => {
    const closing = {
      [BROADCAST]: async (fake, requestId) => {
        await fake.say(BROADCAST_CLIENT_COUNT, { requestId, clientCount: 2 });
        await fake.say(BROADCAST_ACK, { requestId, packet: 'one of two' });
        await fake.say(ADAPTER_CLOSE);
      },
    };
    await withServers({ closing }, async () => {
      const { rows } = await asker.ask(
        `SELECT response FROM socketio_emit_with_ack(event => 'question', timeout => $1)`, [LONG]);
      assert.deepEqual(rows, [{ response: 'one of two' }]);
    });
  });

  test('twenty servers', async () => {
    const uids = many(20, (i) => `server ${i}`);
    await withServers(Object.fromEntries(uids.map((uid) => [uid, good])), async () => {
      assert.deepEqual(await fetchIds(), uids.map((uid) => `socket of ${uid}`).sort());
    });
  });

  test('more than enough sockets and text in one answer', async () => {
    const sockets = many(5_000, (i) => socket(`socket ${i}`, { text: 'é'.repeat(1_000), i }));
    const large = {
      [FETCH_SOCKETS]: (fake, requestId) => fake.sayAttached(FETCH_SOCKETS_RESPONSE, { requestId, sockets }),
    };
    await withServers({ large }, async () => {
      const rows = await asker.rows(`
        SELECT count(*)::int AS count, sum((data->>'i')::int)::int AS sum, sum(length(data->>'text'))::int AS length
        FROM socketio_fetch_sockets(timeout => $1)`, [LONG]);
      assert.deepEqual(rows, [{ count: 5_000, sum: (5_000 * 4_999) / 2, length: 5_000_000 }]);
    });
  });

  test('of two, one never answers: what the one says, and a warning that counts, whatever the question', async () => {
    const one = {
      [FETCH_SOCKETS]: good[FETCH_SOCKETS],
      [SERVER_SIDE_EMIT]: (fake, requestId) => fake.say(SERVER_SIDE_EMIT_RESPONSE, { requestId, packet: 'answer' }),
    };
    const questions = [
      ['id FROM socketio_fetch_sockets(timeout => $1)', [{ id: 'socket' }]],
      ['id FROM socketio_clients(timeout => $1)', [{ id: 'socket' }]],
      [`room FROM socketio_client_rooms('nobody', timeout => $1)`, []],
      ['room, sockets::int FROM socketio_all_rooms(timeout => $1)', [{ room: 'socket', sockets: 1 }]],
      [`response FROM socketio_custom_request('{}', timeout => $1)`, [{ response: 'answer' }]],
      [`response FROM socketio_server_side_emit_with_ack(event => 'question', timeout => $1)`,
        [{ response: 'answer' }]],
    ];
    await withServers({ one, silent: {} }, async () => {
      for (const [question, expected] of questions) {
        const { rows, said } = await asker.ask(`SELECT ${question}`, [BRIEF]);
        assert.deepEqual([rows, said], [expected, [timeoutReached(1, 2)]], question);
      }
    });
  });

  test('one that is heard late, and never answers, is one of the servers', async () => {
    const late = await FakeServer.start(database, {
      uid: 'late', onMessage: ({ type }, fake) => (type === FETCH_SOCKETS ? fake.say(HEARTBEAT) : undefined),
    });
    await withServers({ one: good }, async () => {
      const { rows, said } = await asker.ask('SELECT id FROM socketio_fetch_sockets(timeout => $1)', [SHORT]);
      assert.deepEqual([rows, said], [[{ id: 'socket' }], [timeoutReached(1, 2)]]);
    });
    await late.close();
  });

  test('an answer to a call that has ended is none to the next', async () => {
    await withServers({ one: good, slow: {} }, async (_, slow) => {
      await asker.ask(`SELECT FROM socketio_fetch_sockets(timeout => '300 ms')`);
      const { data: { requestId } } = slow.heard.find(({ type }) => type === FETCH_SOCKETS);
      const next = asker.ask('SELECT id FROM socketio_fetch_sockets(timeout => $1)', [SHORT]);
      await slow.until((heard) => heard.filter(({ type }) => type === FETCH_SOCKETS).length === 2, 'the second call');
      await slow.say(FETCH_SOCKETS_RESPONSE, { requestId, sockets: [socket('late')] });
      const { rows, said } = await next;
      assert.deepEqual([rows, said], [[{ id: 'socket' }], [timeoutReached(1, 2)]]);
    });
  });
});
