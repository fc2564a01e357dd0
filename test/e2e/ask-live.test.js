// A cluster that works while it is asked from SQL: whoever asks is never counted as a server, so that the servers' own
// requests to each other have all their answers, and no more.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acknowledges } from './lib/adapters.js';
import { answerOnServers, many, useAsker, withAskers } from './lib/ask.js';
import { onEachAdapter } from './lib/suite.js';
import { repeatUntil, within } from './lib/wait.js';

const HEARTBEAT = 2;
const ROUNDS = 25;

onEachAdapter('ask: a live cluster', {}, (stage) => {
  const { connect } = stage;
  const asker = useAsker(stage);
  const adapters = () => stage.cluster.servers.map((io) => io.of('/').adapter);
  // Whom each server knows of beside itself.
  const known = () => adapters().map(({ nodesMap }) => [...nodesMap.keys()].sort());
  const others = () => adapters().map(({ uid }) => (
    adapters().map((adapter) => adapter.uid).filter((other) => other !== uid).sort()));

  // Every server has heard of every other.
  async function acquainted() {
    let done;
    await repeatUntil(new Promise((resolve) => { done = resolve; }), async () => {
      if (known().every((uids) => uids.length === 2)) done();
      else for (const adapter of adapters()) adapter.publish({ type: HEARTBEAT });
    }, 'the servers to know each other');
    assert.deepEqual(known(), others());
  }

  // Questions of all kinds in so many sessions, until told to stop: how many had all answers. In a `flood` of emits a
  // server may be too busy to be heard, and is then spoken of.
  async function keepAsking(sessions, until, { flood = false } = {}) {
    const questions = [
      ['SELECT FROM socketio_fetch_sockets()', 12],
      ['SELECT FROM socketio_servers()', 3],
      [`SELECT FROM socketio_server_side_emit_with_ack(event => 'question')`, 3],
      ['SELECT FROM socketio_clients(rooms => $1)', 4, [[...many(1000, (i) => `no room ${i}`), 'third 0']]],
    ];
    if (acknowledges(stage.version)) questions.push([`SELECT FROM socketio_emit_with_ack(event => 'question')`, 12]);
    let asked = 0;
    await withAskers(stage.database, sessions, (...askers) => Promise.all(askers.map(async (one, i) => {
      for (let n = i; !until.done; n++) {
        const [text, count, parameters] = questions[n % questions.length];
        const { rows, said } = await one.ask(text, parameters);
        if (flood && said.length > 0) {
          assert.match(said[0].message, /not heard from/);
          assert.ok(rows.length <= count, text);
          continue;
        }
        assert.deepEqual([rows.length, said], [count, []], text);
        asked += 1;
      }
    })));
    return asked;
  }

  test('the servers’ own requests have exact answers while questions come from SQL', async () => {
    const clients = await connect(...many(12, (i) => ({ rooms: [`third ${i % 3}`] })));
    for (const client of clients) client.acknowledge('question', () => [client.id]);
    const stop = answerOnServers(stage.cluster, 'question', (uid) => [uid]);
    await acquainted();
    const until = { done: false };
    const asking = keepAsking(2, until).finally(() => { until.done = true; });
    // However it ends, it is waited for below.
    asking.catch(() => {});
    let rounds = 0;
    try {
      for (; rounds < ROUNDS; rounds++) {
        await within(Promise.all(stage.cluster.servers.map(async (io, i) => {
          const sockets = await io.fetchSockets();
          assert.deepEqual(sockets.map(({ id }) => id).sort(), clients.map(({ id }) => id).sort());
          const inRoom = await io.in('third 1').fetchSockets();
          assert.equal(inRoom.length, 4);
          const answers = await new Promise((resolve, reject) => {
            io.serverSideEmit('question', (error, responses) => (error ? reject(error) : resolve(responses)));
          });
          assert.deepEqual(answers.sort(), others()[i]);
        })), 'the servers’ own requests');
        assert.deepEqual(known(), others());
      }
    } finally {
      until.done = true;
    }
    assert.ok(await asking > 0);
    stop();
  });

  test('questions amid a flood of emits have exact answers, and every emit arrives', async () => {
    const clients = await connect(...many(12, (i) => ({ rooms: [`third ${i % 3}`] })));
    for (const client of clients) client.acknowledge('question', () => [client.id]);
    const stop = answerOnServers(stage.cluster, 'question', (uid) => [uid]);
    const until = { done: false };
    const asking = keepAsking(2, until, { flood: true }).finally(() => { until.done = true; });
    asking.catch(() => {});
    try {
      for (let n = 0; n < 10; n++) {
        await stage.query(`SELECT socketio_emit_values(NULL, 'n', n) FROM generate_series($1::int, $1 + 99) AS n`,
          [n * 100]);
        await stage.query(`SELECT socketio_emit_values(NULL, 'large', repeat('x', 20000)) FROM generate_series(1, 5)`);
      }
      const numbers = many(1000, (n) => n);
      for (const received of await stage.settled(...clients)) {
        assert.deepEqual(received.filter(([event]) => event === 'n').map(([, n]) => n), numbers);
        assert.equal(received.filter(([event]) => event === 'large').length, 50);
      }
    } finally {
      until.done = true;
    }
    assert.ok(await asking > 0);
    stop();
  });

  test('the number of servers is the same before and after every kind of question', async () => {
    await acquainted();
    const counts = () => Promise.all(adapters().map((adapter) => (
      adapter.serverCount ? adapter.serverCount() : 1 + adapter.nodesMap.size)));
    const before = await counts();
    const [client] = await connect({});
    client.acknowledge('question', () => [1]);
    const stop = answerOnServers(stage.cluster, 'question', () => [1]);
    await asker.rows('SELECT * FROM socketio_servers()');
    await asker.rows('SELECT * FROM socketio_fetch_sockets()');
    await asker.rows(`SELECT * FROM socketio_server_side_emit_with_ack(event => 'question')`);
    await asker.rows(`SELECT * FROM socketio_server_side_emit_with_ack('/', 'question', to_jsonb(repeat('x', 10000)))`);
    await asker.rows(`SELECT socketio_remote_join($1, 'room')`, [client.id]);
    await asker.rows('SELECT * FROM socketio_all_rooms()');
    if (acknowledges(stage.version)) await asker.rows(`SELECT * FROM socketio_emit_with_ack(event => 'question')`);
    await stage.cluster.caughtUp();
    assert.deepEqual(await counts(), before);
    assert.deepEqual(known(), others());
    stop();
  });
});
