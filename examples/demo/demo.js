// The demo itself: emits from psql and checks what real Socket.IO clients receive. Exits with 1 if anything that should
// have arrived did not, or the other way round.
//
// It runs inside scripts/with-cluster. With KEEP_IN set to a directory, it stays when it has finished and leaves a file
// `connect` there that says how to use it.

import { readFileSync, writeFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { Client, markingSql } from './client.js';
import { commitTimeSince, nextTransactionId, psql, query } from './psql.js';
import { printHeader, printStep, printSummary } from './report.js';
import { startServer } from './server.js';
import { steps } from './steps.js';

const READY_WITHIN = 30_000;

let marks = 0;

// Sends the client a mark of its own and tells whether it arrived.
async function mark(client) {
  const number = ++marks;
  await query(markingSql(client, number));
  return client.hasMark(number);
}

// A server starts to listen in its own time, and what is emitted before is lost: the same mark goes out until it is seen.
async function waitUntilReached(client) {
  const number = ++marks;
  const deadline = Date.now() + READY_WITHIN;
  do {
    if (Date.now() > deadline) throw new Error(`no event reached ${client.name} within ${READY_WITHIN / 1000} s`);
    await query(markingSql(client, number));
  } while (!await client.hasMark(number, 250));
}

async function runStep({ sql, expected }, clients) {
  const firstId = await nextTransactionId();
  const started = Date.now();
  await psql(sql);
  await Promise.all(clients.map((client) => client.hasReceived(expected[client.name].length)));
  const committed = await commitTimeSince(firstId);
  let complete = true;
  for (const client of clients) complete = await mark(client) && complete;
  const shares = clients.map((client) => {
    const received = client.takeReceived();
    return { name: client.name, received, correct: complete && matches(received, expected[client.name]) };
  });
  return { shares, since: { committed, started } };
}

function matches(received, expected) {
  return received.length === expected.length && received.every(({ event }, i) => isSameEvent(event, expected[i]));
}

function isSameEvent(event, expected) {
  return event.length === expected.length && event.every((part, i) =>
    (typeof expected[i] === 'function' ? expected[i](part) : isDeepStrictEqual(part, expected[i])));
}

async function show(server) {
  const clients = [await Client.connect('alice', server.url, ['room1']), await Client.connect('bob', server.url, [])];
  try {
    for (const client of clients) await waitUntilReached(client);
    printHeader(await versions(), server.url);
    let correct = 0;
    for (const [i, step] of steps.entries()) {
      const { shares, since } = await runStep(step, clients);
      printStep(i + 1, step, shares, since);
      if (!shares.every((share) => share.correct)) break; // the rest would only wait for its turn to fail
      correct++;
    }
    printSummary(correct, steps.length);
    return correct === steps.length;
  } finally {
    for (const client of clients) client.close();
  }
}

async function versions() {
  const { dependencies } = JSON.parse(readFileSync(new URL('../server/package.json', import.meta.url)));
  return {
    postgresql: await (await query('SHOW server_version')).split(' ')[0],
    socketIo: dependencies['socket.io'],
    adapter: dependencies['@socket.io/postgres-adapter'],
  };
}

// Where the cluster belongs to another user, as it does under root, only root can reach its socket.
function howToConnect(url, directory) {
  const { CLUSTER_DIR, PGHOST, PGPORT, PGUSER, PGDATABASE, SUDO_USER } = process.env;
  const sudo = SUDO_USER ? 'sudo ' : '';
  const command = `${sudo}psql -h ${PGHOST} -p ${PGPORT} -U ${PGUSER} -d ${PGDATABASE}`;
  return `
Left running.
  Watch   ${url} in a browser (it joins room1)
  SQL     ${command}
  Try     ${command} -c "SELECT socketio_emit(event => 'hello', args => '[\\"world\\"]')"
  Logs    ${directory}/log, ${CLUSTER_DIR}/log
  Stop    ${sudo}make demo-stop
`;
}

async function main() {
  await query('CREATE DATABASE demo');
  process.env.PGDATABASE = 'demo';
  await query('CREATE EXTENSION socketio_emitter');
  const server = await startServer();
  const serverEnds = server.stopped.then(() => { throw new Error('the Socket.IO server has ended'); });
  try {
    if (!await Promise.race([show(server), serverEnds])) return 1;
    if (!process.env.KEEP_IN) return 0;
    writeFileSync(`${process.env.KEEP_IN}/connect`, howToConnect(server.url, process.env.KEEP_IN));
    return await serverEnds;
  } finally {
    await server.stop();
  }
}

// exit(), because after a failure clients and timers may be left that would keep the process going.
process.exit(await main().catch((error) => {
  console.error(error.stderr || error);
  return 1;
}));
