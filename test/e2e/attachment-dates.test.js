// An attachment whose row is old when servers can first see it: they may be about to delete it. The adapter's own clean-up
// runs here, when a test says so: on a second server, while the one that has to fetch the row is stopped.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { newest } from './lib/adapters.js';
import { Cluster } from './lib/cluster.js';
import { createDatabase } from './lib/database.js';
import { delivery } from './lib/delivery.js';
import { ServerProcess } from './lib/server-process.js';
import { repeatUntil } from './lib/wait.js';

// Milliseconds after which a clean-up deletes rows, and after which a transaction or the worker goes on here.
const LIMIT = 3000;
const LATER = 3500;
const LARGE = 'x'.repeat(9000);

describe('dates of attachments', () => {
  const [version] = newest;
  let database;
  let cleaning;
  let server;
  let client;
  let session;

  before(async () => {
    database = await createDatabase();
    cleaning = await startCleaning();
    session = await database.newSession();
    await startServer();
  });
  afterEach(() => server.goOn());
  after(async () => {
    client?.close();
    await session?.end();
    await server?.kill();
    await cleaning?.cluster.close();
    await database?.close();
  });

  async function startServer() {
    server = await ServerProcess.start(version, database);
    client = await server.connect();
  }

  // A server of its own, whose clean-up waits for cleanUp() instead of time to pass.
  async function startCleaning() {
    const { setInterval } = globalThis;
    const cleanUps = [];
    globalThis.setInterval = (callback, milliseconds, ...rest) => {
      if (milliseconds !== LIMIT) return setInterval(callback, milliseconds, ...rest);
      cleanUps.push(callback);
      return undefined;
    };
    try {
      const cluster = await Cluster.start(version, database, { servers: 1, adapter: { cleanupInterval: LIMIT } });
      return { cluster, cleanUps };
    } finally {
      globalThis.setInterval = setInterval;
    }
  }

  // It deletes what is old, and has done so when this returns.
  async function cleanUp() {
    assert.equal(cleaning.cleanUps.length, 1);
    await database.query(`INSERT INTO socket_io_attachments (created_at, payload)
      VALUES (now() - interval '${2 * LIMIT} milliseconds', 'decoy')`);
    await cleaning.cleanUps[0]();
    const { rows } = await database.query(`SELECT FROM socket_io_attachments WHERE payload = 'decoy'`);
    assert.equal(rows.length, 0);
  }

  // The commit of what `emit` has emitted, with the clean-up between it and the server. A machine that was too busy for that to
  // mean something gets another try.
  async function committedBeforeCleanUp(emit) {
    for (;;) {
      const seen = client.events.length;
      await session.query('BEGIN');
      await emit(session);
      server.stop();
      const start = performance.now();
      await session.query('COMMIT');
      await cleanUp();
      if (performance.now() - start < LIMIT / 2) {
        server.goOn();
        return seen;
      }
      await server.kill();
      await startServer();
    }
  }

  async function hears(seen, ...names) {
    await client.until(() => client.events.length >= seen + names.length, () => `${names} to arrive`);
    assert.deepEqual(client.events.slice(seen), names.map((name) => [name, LARGE]));
  }

  const emitLarge = (name) => `SELECT socketio_emit_values(NULL, '${name}', repeat('x', 9000))`;

  // That clean-ups delete all rows in the end: those that lie ahead are dated back once they are announced.
  async function allGoes() {
    let isEmpty;
    const emptied = new Promise((resolve) => { isEmpty = resolve; });
    await repeatUntil(emptied, async () => {
      await cleanUp();
      const { rows } = await database.query('SELECT FROM socket_io_attachments');
      if (rows.length === 0) isEmpty();
    }, 'all rows to be deleted');
  }

  test('a transaction that commits late', async () => {
    const seen = await committedBeforeCleanUp(async (late) => {
      await late.query(emitLarge('early'));
      await late.query(`SAVEPOINT s; ${emitLarge('in a savepoint')}; RELEASE s`);
      await late.query(`SAVEPOINT s; ${emitLarge('never')}; ROLLBACK TO s`);
      await delay(LATER);
      await late.query(emitLarge('late'));
    });
    await hears(seen, 'early', 'in a savepoint', 'late');
    await allGoes();
  });

  const stopped = 'a delivery worker that is stopped for longer than rows live';
  test(stopped, { skip: delivery === 'worker' ? false : 'there is no worker' }, async () => {
    const seen = client.events.length;
    const pid = await stopWorker();
    try {
      await session.query(emitLarge('queued'));
      await delay(LATER);
      await cleanUp();
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await hears(seen, 'queued');
    await allGoes();
  });

  // It ends when it has been idle for two seconds: what is emitted now has it run.
  async function stopWorker() {
    await session.query(`SELECT socketio_emit_values(socketio_to('nobody'), 'wake up')`);
    const { rows: [worker] } = await session.query(`SELECT pid FROM pg_stat_activity
      WHERE backend_type = 'socketio_emitter delivery' AND datname = current_database()`);
    try {
      process.kill(worker.pid, 'SIGSTOP');
      return worker.pid;
    } catch {
      return stopWorker();
    }
  }
});
