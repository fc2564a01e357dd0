// How long it takes to ask the cluster from SQL, the start of the worker that asks included, beside asking it from a server: both
// as this process sees it, which has a session and, now and then, a server. Of the other three each has a process of its own, and
// only they have clients. Those three answer in either case: the session asks them while the fourth is away. Beside that the
// table has what it takes if the fourth, whose process is waiting for the answer, has to answer as well.

import assert from 'node:assert/strict';
import { Cluster } from '../lib/cluster.js';
import { sleep } from '../lib/delivery.js';
import { alternate, median, quantile } from '../lib/rounds.js';
import { atMost, row } from '../lib/row.js';

const few = { clients: [3, 3, 3], rounds: 10, calls: 30, pause: 20 };
const many = { clients: [10_000, 0, 0], rounds: 15, pause: 1000 };

const count = (clients) => clients.reduce((sum, number) => sum + number, 0);

async function withCluster(clients, use) {
  const cluster = await Cluster.start(...clients);
  try {
    return await use(cluster);
  } finally {
    await cluster.close();
  }
}

// Seconds until `ask` has its answers, of which there have to be so many. What others still do with those to the question before,
// which they hear too, is over after a `pause` of milliseconds.
function timed(pause, answers, ask) {
  return async () => {
    await sleep(pause);
    const start = performance.now();
    const { length } = await ask();
    const seconds = (performance.now() - start) / 1000;
    assert.equal(length, answers);
    return seconds;
  };
}

// The questions one after the other, over and over; the first time all around warms up.
const inTurns = (questions) => alternate(few.calls, questions);

async function askInRounds(ask) {
  const rounds = [];
  while (rounds.length <= few.rounds) rounds.push(await ask());
  return rounds.slice(1);
}

async function measureFew(session, cluster) {
  const clients = count(few.clients);
  const fetch = timed(few.pause, clients, () => session.query('SELECT * FROM socketio_fetch_sockets()'));
  const rounds = await askInRounds(async () => ({
    ...(await inTurns({
      fetch,
      servers: timed(few.pause, few.clients.length, () => session.query('SELECT * FROM socketio_servers()')),
      acks: timed(few.pause, clients, () => session.query(`SELECT * FROM socketio_emit_with_ack(event => 'question')`)),
    })),
    ...(await cluster.withOwn((io) => inTurns({
      fetchOfFour: fetch,
      fetchFromNode: timed(few.pause, clients, () => io.fetchSockets()),
      acksFromNode: timed(few.pause, clients, () => io.timeout(5000).emitWithAck('question')),
    }))),
  }));
  const compare = (measure, ours, reference, statistic, goal) =>
    row({
      measure,
      ours: rounds.map((numbers) => statistic(numbers[ours])),
      reference: rounds.map((numbers) => statistic(numbers[reference])),
      unit: 'seconds',
      goal,
    });
  const worst = (numbers) => quantile(numbers, 0.9);
  return [
    compare(
      `\`socketio_fetch_sockets\` of ${clients} sockets on three servers, beside \`io.fetchSockets\` on a fourth`,
      'fetch',
      'fetchFromNode',
      median,
      atMost(3),
    ),
    compare('the same, 90th percentiles', 'fetch', 'fetchFromNode', worst),
    compare('the same, the fourth server answering too', 'fetchOfFour', 'fetchFromNode', median),
    compare('`socketio_servers`, beside `io.fetchSockets`', 'servers', 'fetchFromNode', median),
    compare(`\`socketio_emit_with_ack\` to ${clients} clients, beside \`emitWithAck\``, 'acks', 'acksFromNode', median),
  ];
}

async function measureMany(session, io) {
  const clients = count(many.clients);
  const { fetch, counting, fetchFromNode } = await alternate(many.rounds, {
    fetch: timed(many.pause, clients, () => session.query('SELECT * FROM socketio_fetch_sockets()')),
    fetchFromNode: timed(many.pause, clients, () => io.fetchSockets()),
    counting: timed(many.pause, 1, () => session.query('SELECT count(*) FROM socketio_fetch_sockets()')),
  });
  const [socket] = await io.fetchSockets();
  const size = Math.round(Buffer.byteLength(JSON.stringify(socket.handshake)) / 100) * 100;
  const compare = (measure, ours, goal) => row({ measure, ours, reference: fetchFromNode, unit: 'seconds', goal });
  return [
    compare(
      `\`socketio_fetch_sockets\` of ${clients.toLocaleString('en-US')} sockets on one of three servers, their handshakes ` +
        `${size} bytes each, beside \`io.fetchSockets\` on a fourth`,
      fetch,
      atMost(1.5),
    ),
    compare('the same, `SELECT count(*)` of them', counting),
  ];
}

export async function measure(session) {
  const rows = [
    ...(await withCluster(few.clients, (cluster) => measureFew(session, cluster))),
    ...(await withCluster(many.clients, (cluster) => cluster.withOwn((io) => measureMany(session, io)))),
  ];
  assert.deepEqual(session.said, []);
  return rows;
}
