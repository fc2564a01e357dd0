// Calls that are ended from outside end at once, and leave no worker behind.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newest } from './lib/adapters.js';
import { LONG, many, useAsker, withAskers } from './lib/ask.js';
import { FakeServer } from './lib/fake-server.js';
import { onEachAdapter } from './lib/suite.js';
import { repeatUntil } from './lib/wait.js';

// Far below the timeouts of the calls, far above what ending them takes.
const AT_ONCE = 60_000;

onEachAdapter('ask: cancel', { versions: newest, cluster: { servers: 1 } }, (stage) => {
  const asker = useAsker(stage);
  let silent;
  // Because of it no call ends by itself.
  before(async () => { silent = await FakeServer.start(stage.database); });
  after(() => silent.close());

  const questions = [
    'socketio_fetch_sockets(timeout => $1)',
    `socketio_emit_with_ack(event => 'question', timeout => $1)`,
    `socketio_server_side_emit_with_ack(event => 'question', timeout => $1)`,
    `socketio_custom_request('{}', timeout => $1)`,
    'socketio_clients(timeout => $1)',
    `socketio_client_rooms('nobody', timeout => $1)`,
    'socketio_all_rooms(timeout => $1)',
    `socketio_remote_join('nobody', 'room', timeout => $1)`,
    `socketio_remote_leave('nobody', 'room', timeout => $1)`,
    `socketio_remote_disconnect('nobody', timeout => $1)`,
  ];

  const workers = async () => {
    const { rows } = await stage.query(`
      SELECT pid FROM pg_stat_activity
      WHERE backend_type = 'socketio_emitter request' AND datname = current_database()`);
    return rows.map(({ pid }) => pid);
  };

  // Until there are so many workers, whose pids it returns.
  async function untilWorkers(count) {
    let found;
    let enough;
    await repeatUntil(new Promise((resolve) => { enough = resolve; }), async () => {
      found = await workers();
      if (found.length === count) enough();
    }, () => `${count} workers instead of ${found.length}`, 10);
    return found;
  }

  // The call fails with `error` soon after `end` has been called with its worker under way.
  async function endsAtOnce(call, end, error) {
    const failing = assert.rejects(call, error);
    const [worker] = await untilWorkers(1);
    const start = performance.now();
    await end(worker);
    await failing;
    await untilWorkers(0);
    assert.ok(performance.now() - start < AT_ONCE, `it took ${performance.now() - start} ms`);
  }

  const cancel = (pid) => stage.query('SELECT pg_cancel_backend($1)', [pid]);
  const terminate = (pid) => stage.query('SELECT pg_terminate_backend($1)', [pid]);

  for (const question of questions) {
    test(`pg_cancel_backend ends ${question}`, async () => {
      await endsAtOnce(asker.query(`SELECT * FROM ${question}`, [LONG]), () => cancel(asker.pid), { code: '57014' });
      // The session goes on.
      assert.deepEqual(await asker.rows('SELECT 1 AS one'), [{ one: 1 }]);
    });
  }

  test('a worker’s name says what it is, and whose', async () => {
    const call = asker.query(`SELECT * FROM ${questions[0]}`, [LONG]);
    const failing = assert.rejects(call);
    const [worker] = await untilWorkers(1);
    const { rows } = await stage.query('SELECT usename, datname, backend_type FROM pg_stat_activity WHERE pid = $1',
      [worker]);
    await cancel(asker.pid);
    await failing;
    assert.deepEqual(rows, [{
      usename: 'postgres', datname: stage.database.name, backend_type: 'socketio_emitter request',
    }]);
    await untilWorkers(0);
  });

  test('statement_timeout ends a call', async () => {
    await asker.query(`SET statement_timeout = '500 ms'`);
    const start = performance.now();
    await assert.rejects(asker.query(`SELECT * FROM ${questions[0]}`, [LONG]), { code: '57014' });
    await untilWorkers(0);
    assert.ok(performance.now() - start < AT_ONCE, `it took ${performance.now() - start} ms`);
  });

  test('a function that catches its cancellation goes on, and asks again', async () => {
    await asker.query(`SET statement_timeout = '500 ms'`);
    await asker.query(`
      CREATE FUNCTION pg_temp.ask() RETURNS text LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM socketio_fetch_sockets(timeout => '${LONG}');
        RETURN 'answered';
      EXCEPTION WHEN query_canceled THEN
        RETURN format('cancelled, %s servers', (SELECT count(*) FROM socketio_servers()));
      END $$`);
    assert.deepEqual((await asker.query('SELECT pg_temp.ask() AS said')).rows, [{ said: 'cancelled, 2 servers' }]);
    await untilWorkers(0);
  });

  test('a worker that waits for a lock of its own session is held up no longer than the timeout', async () => {
    const large = many(1000, (i) => `room ${i}`);
    await asker.query('BEGIN; LOCK TABLE socket_io_attachments');
    const { rows, said } = await asker.ask('SELECT * FROM socketio_clients(rooms => $1, timeout => $2)',
      [large, '300 ms']);
    assert.deepEqual([rows, said.map(({ severity }) => severity)], [[], ['WARNING']]);
    await untilWorkers(0);
    await endsAtOnce(asker.query('SELECT * FROM socketio_clients(rooms => $1, timeout => $2)', [large, LONG]),
      () => cancel(asker.pid), { code: '57014' });
    await asker.query('ROLLBACK');
  });

  test('a cancelled call fails its transaction like any other statement', async () => {
    await asker.query('BEGIN; SAVEPOINT before');
    await endsAtOnce(asker.query(`SELECT * FROM ${questions[0]}`, [LONG]), () => cancel(asker.pid), { code: '57014' });
    await assert.rejects(asker.query('SELECT 1'), { code: '25P02' });
    await asker.query('ROLLBACK TO SAVEPOINT before');
    assert.deepEqual((await asker.query('SELECT 1 AS one')).rows, [{ one: 1 }]);
  });

  test('pg_terminate_backend ends the session and its worker', async () => {
    await withAskers(stage.database, 1, async (victim) => {
      await endsAtOnce(victim.query(`SELECT * FROM ${questions[0]}`, [LONG]), () => terminate(victim.pid), Error);
      const { rows } = await stage.query('SELECT FROM pg_stat_activity WHERE pid = $1', [victim.pid]);
      assert.deepEqual(rows, []);
    });
  });

  test('a client that goes away is noticed as after any statement that waits', async () => {
    await withAskers(stage.database, 1, async (victim) => {
      await victim.query(`SET client_connection_check_interval = '100 ms'`);
      await endsAtOnce(victim.query(`SELECT * FROM ${questions[0]}`, [LONG]), () => victim.cut(), Error);
    });
  });

  test('a worker that is terminated ends its call with an error, not the session', async () => {
    await endsAtOnce(asker.query(`SELECT * FROM ${questions[0]}`, [LONG]), terminate, Error);
    assert.deepEqual(await asker.rows('SELECT 1 AS one'), [{ one: 1 }]);
  });

  test('cancelled at any moment of its life', async () => {
    for (let n = 0; n < 20; n++) {
      const call = assert.rejects(asker.query(`SELECT * FROM ${questions[0]}`, [LONG]), { code: '57014' });
      await repeatUntil(call, () => cancel(asker.pid), 'the call to be cancelled', n);
    }
    await untilWorkers(0);
    // No cancel was too late for its call.
    await asker.rows('SELECT pg_sleep(0)');
  });

  test('cancelling one call leaves the others alone', async () => {
    await withAskers(stage.database, 3, async (...askers) => {
      const calls = askers.map((other) => assert.rejects(
        other.query(`SELECT * FROM ${questions[0]}`, [LONG]), { code: '57014' }));
      await untilWorkers(3);
      for (const [i, left] of [2, 1, 0].entries()) {
        await cancel(askers[i].pid);
        await calls[i];
        await untilWorkers(left);
      }
    });
  });
});
