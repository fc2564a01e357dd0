// Servers that do not answer: fakes that never will, processes killed and stopped. The others' rows come all the same,
// with a word about who is missing.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acknowledges } from './lib/adapters.js';
import {
  answerOnServers, byId, LONG, many, reported, SHORT, timeoutReached, uidsOf, useAsker, withAskers,
} from './lib/ask.js';
import {
  ADAPTER_CLOSE, FakeServer, FETCH_SOCKETS, FETCH_SOCKETS_RESPONSE, HEARTBEAT, INITIAL_HEARTBEAT, mute,
} from './lib/fake-server.js';
import { ServerProcess } from './lib/server-process.js';
import { sorted } from './lib/sorted.js';
import { onEachAdapter } from './lib/suite.js';

onEachAdapter('ask: silence', {}, (stage) => {
  const { connect } = stage;
  const asker = useAsker(stage);

  async function withFake(options, use) {
    const fake = await FakeServer.start(stage.database, options);
    try {
      return await use(fake);
    } finally {
      await fake.close();
    }
  }

  async function withProcess(use) {
    const process = await ServerProcess.start(stage.version, stage.database);
    try {
      return await use(process);
    } finally {
      await process.kill();
    }
  }

  // A question of each kind that waits for all servers, with the rows that the live ones make of it. Not more at once:
  // each holds one of PostgreSQL's few background workers until it ends.
  async function questions(clients) {
    const uids = uidsOf(stage.cluster);
    const all = [
      ['* FROM socketio_fetch_sockets(timeout => $1)', await reported(stage.cluster)],
      [`* FROM socketio_server_side_emit_with_ack(event => 'question', timeout => $1)`,
        uids.map((server) => ({ server, response: server }))],
    ];
    if (acknowledges(stage.version)) {
      all.push([`response AS id FROM socketio_emit_with_ack(event => 'question', timeout => $1)`,
        clients.map(({ id }) => ({ id })), `${clients.length} of ${clients.length} clients acknowledged.`]);
    }
    return all.map(([question, rows, detail]) => ({ question, rows, detail }));
  }

  // Ask all of them, and check what each has to say beside its rows.
  async function askAll(timeout, check) {
    const clients = await connect(...many(9));
    for (const client of clients) client.acknowledge('question', () => [client.id]);
    const stop = answerOnServers(stage.cluster, 'question', (uid) => [uid]);
    const asked = await questions(clients);
    await withAskers(stage.database, asked.length, (...askers) => (
      Promise.all(asked.map(async ({ question, rows, detail }, i) => {
        const answer = await askers[i].ask(`SELECT ${question}`, [timeout]);
        assert.deepEqual(sorted(answer.rows), sorted(rows), question);
        check(answer.said, detail);
      }))));
    stop();
  }

  test('one that says it is there and no more: the others’ rows at the timeout, and a warning', async () => {
    await withFake({}, () => askAll(SHORT, (said, detail) => {
      assert.deepEqual(said, [timeoutReached(3, 4, detail)]);
    }));
  });

  test('one that listens and says nothing at all: the others’ rows without the timeout, and a notice', async () => {
    await withFake({ onMessage: mute }, () => askAll(LONG, (said) => {
      assert.deepEqual(said.map(({ severity }) => severity), ['NOTICE']);
      assert.match(said[0].message, /\b1\b/);
    }));
  });

  test('servers that say nothing are as many as listen, and are no servers', async () => {
    await withFake({ onMessage: mute }, () => withFake({ onMessage: mute }, async () => {
      const { rows, said } = await asker.ask('SELECT uid FROM socketio_servers()');
      assert.deepEqual(rows.map(({ uid }) => uid).sort(), uidsOf(stage.cluster));
      assert.deepEqual(said.map(({ severity }) => severity), ['NOTICE']);
      assert.match(said[0].message, /\b2\b/);
    }));
  });

  test('one that answers and never said it was there is one of the servers', async () => {
    const sockets = [{ id: 'by hand', rooms: ['by hand'], data: { n: 1 }, handshake: {} }];
    const onMessage = ({ type, data }, fake) => (
      type === FETCH_SOCKETS ? fake.say(FETCH_SOCKETS_RESPONSE, { requestId: data.requestId, sockets }) : undefined);
    await withFake({ onMessage }, async () => {
      await connect({}, {}, {});
      const rows = await asker.rows('SELECT * FROM socketio_fetch_sockets(timeout => $1)', [LONG]);
      assert.deepEqual(byId(rows), byId([...await reported(stage.cluster), { ...sockets[0], server: 'fake' }]));
    });
  });

  test('one that closes while it is waited for is waited for no longer', async () => {
    const onMessage = ({ type }, fake) => {
      if (type === INITIAL_HEARTBEAT) return fake.say(HEARTBEAT);
      return type === FETCH_SOCKETS ? fake.say(ADAPTER_CLOSE) : undefined;
    };
    await withFake({ onMessage }, async () => {
      await connect({}, {}, {});
      const { rows } = await asker.ask('SELECT * FROM socketio_fetch_sockets(timeout => $1)', [LONG]);
      assert.deepEqual(byId(rows), await reported(stage.cluster));
    });
  });

  test('an order to a socket that is there waits for nobody', async () => {
    await withFake({}, async () => {
      const [client] = await connect({});
      await asker.rows('SELECT socketio_remote_join($1, $2, timeout => $3)', [client.id, 'joined', LONG]);
      await asker.rows('SELECT socketio_remote_leave($1, $2, timeout => $3)', [client.id, 'joined', LONG]);
      await asker.rows('SELECT socketio_remote_disconnect($1, timeout => $2)', [client.id, LONG]);
      await client.until(() => client.disconnected, 'the client to be disconnected');
    });
  });

  test('a process that is killed with the question heard: the others’ rows, and a warning', async () => {
    await withProcess(async (fourth) => {
      const stop = answerOnServers(stage.cluster, 'die', (uid) => [uid]);
      const question = asker.ask(
        `SELECT * FROM socketio_server_side_emit_with_ack(event => 'die', timeout => $1)`, [SHORT]);
      assert.equal(await fourth.ended(), 'SIGKILL');
      const { rows, said } = await question;
      stop();
      assert.deepEqual(sorted(rows), sorted(uidsOf(stage.cluster).map((server) => ({ server, response: server }))));
      assert.deepEqual(said, [timeoutReached(3, 4)]);
      // And it is no server any more.
      assert.equal((await asker.rows('SELECT FROM socketio_servers()')).length, 3);
    });
  });

  test('a process that is stopped: the others’ rows soon, and a notice; when it goes on, all', async () => {
    await withProcess(async (fourth) => {
      const [client] = await connect({});
      const other = await fourth.connect();
      fourth.stop();
      const { rows, said } = await asker.ask('SELECT * FROM socketio_fetch_sockets(timeout => $1)', [LONG]);
      assert.deepEqual(rows, await reported(stage.cluster));
      assert.deepEqual(said.map(({ severity }) => severity), ['NOTICE']);
      fourth.goOn();
      const all = await asker.rows('SELECT id, server FROM socketio_fetch_sockets()');
      assert.deepEqual(new Set(all.map(({ id }) => id)), new Set([client.id, other.id]));
      assert.ok(all.some(({ server }) => server === fourth.uid));
      other.close();
    });
  });
});
