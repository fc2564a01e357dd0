// The server that the README gives to paste survives what production does to its database: lost connections, restarts, a
// standby that is promoted; large events keep their order; it ends when it is told to.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { versions } from './lib/adapters.js';
import { CuttingProxy } from './lib/cutting-proxy.js';
import { delivery } from './lib/delivery.js';
import { ExampleServer } from './lib/example-server.js';
import { OwnCluster } from './lib/own-cluster.js';
import { within } from './lib/wait.js';

const LISTEN = 'LISTEN "socket.io#/"';
const LISTENERS = `SELECT pid FROM pg_stat_activity WHERE query = '${LISTEN}' AND state = 'idle'`;
const LARGE = 9000;
const HUGE = 8_000_000;

// Adapters before 0.3 make a connection for LISTEN per namespace; this server is for those that come after. How the database
// delivers makes no difference to a server that is lost, so once is enough.
const served = delivery === 'notify' ? versions.filter((version) => version >= '0.3') : [];

for (const version of served) {
  describe(`the example server, adapter ${version}`, () => {
    let primary;

    before(async () => {
      primary = await OwnCluster.start();
      await primary.query('CREATE EXTENSION socketio_emitter');
    });
    after(() => primary?.stop());

    test('the connection that listens is terminated, again and again', () => serving(primary, async ({ server, client }) => {
      for (let i = 0; i < 3; i++) {
        const lost = await listener(primary);
        await primary.query('SELECT pg_terminate_backend($1)', [lost]);
        await listener(primary, { not: lost });
        await arrives(primary, server, client);
      }
    }));

    test('the database restarts, again and again', () => serving(primary, async ({ server, client }) => {
      for (let i = 0; i < 3; i++) {
        await listener(primary);
        await primary.restart();
        await listener(primary);
        await arrives(primary, server, client);
      }
    }));

    test('connections are lost as they begin to listen', async () => {
      const proxy = await CuttingProxy.start(primary.socket, LISTEN, 3);
      try {
        await serving(primary, async ({ server, client }) => {
          await listener(primary);
          // Attempts that are still under way come before the second heartbeat from now.
          await heartbeats(primary, 2);
          await listener(primary);
          await arrives(primary, server, client);
        }, proxy.environment);
      } finally {
        proxy.close();
      }
    });

    test('large events of one transaction arrive in order', () => serving(primary, async ({ server, client }) => {
      await listener(primary);
      await primary.query(`
        SELECT socketio_emit(event => 'large', args => jsonb_build_array(i, repeat('x', CASE i WHEN 0 THEN ${HUGE} ELSE ${LARGE} END)))
        FROM generate_series(0, 30) AS i`);
      await client.until(() => client.events.length === 31, () => `31 events, not ${client.events.length}`);
      assert.deepEqual(client.events.map(([, i]) => i), Array.from({ length: 31 }, (_, i) => i));
      server.assertAlive();
    }));

    test('SIGTERM ends it in peace', () => serving(primary, async ({ server, client }) => {
      await listener(primary);
      assert.equal(await server.terminate(), 0);
      await client.until(() => client.disconnected, 'the client to be disconnected');
    }));

    test('a standby is promoted under it', async () => {
      const standby = await primary.standby();
      try {
        await serving(standby, async ({ server, client }) => {
          // More often than its pool has places.
          await refused(standby, 6);
          await standby.promote();
          await listener(standby);
          await arrives(standby, server, client);
        });
      } finally {
        await standby.stop();
      }
    });

    async function serving(cluster, use, environment) {
      const server = await ExampleServer.start(version, { ...cluster.environment, ...environment });
      let client;
      try {
        client = await server.connect();
        await use({ server, client });
      } finally {
        client?.close();
        await server.close();
      }
    }
  });
}

// The process that listens, once there is one, another than `not`.
async function listener(cluster, { not } = {}) {
  return eventually(async () => {
    const rows = await cluster.query(LISTENERS);
    assert.ok(rows.length <= 1, 'more than one connection listens');
    return rows.map(({ pid }) => pid).find((pid) => pid !== not);
  }, 'the server to listen');
}

// The server has told others so many times that it is there, which it does every 5 s.
async function heartbeats(cluster, count) {
  const times = new Set();
  await eventually(async () => {
    const rows = await cluster.query(`SELECT query_start::text AS time FROM pg_stat_activity WHERE query LIKE 'SELECT pg_notify(%'`);
    for (const { time } of rows) times.add(time);
    return times.size > count;
  }, `${count} heartbeats`);
}

// The server has come so many times, and been refused.
async function refused(cluster, times) {
  const ended = async () => {
    const [{ sessions }] = await cluster.query(`SELECT sessions FROM pg_stat_database WHERE datname = 'postgres'`);
    return Number(sessions);
  };
  let asked = 0;
  const before = await ended();
  await eventually(async () => await ended() - before - ++asked >= times, `${times} refusals`);
}

async function eventually(check, what) {
  let given = false;
  const found = (async () => {
    for (;;) {
      const result = await check();
      if (result || given) return result;
      await delay(50);
    }
  })();
  try {
    return await within(found, what);
  } finally {
    given = true;
  }
}

// What is emitted now, both by notification and by attachment.
async function arrives(cluster, server, client) {
  const count = client.events.length;
  await cluster.query(`SELECT socketio_emit(event => 'small', args => to_jsonb(${count}))`);
  await cluster.query(`SELECT socketio_emit(event => 'large', args => jsonb_build_array(${count}, repeat('x', ${LARGE})))`);
  await client.until(() => client.events.length >= count + 2, () => `two events behind ${count}`);
  assert.deepEqual(client.events.slice(count).map(([event, i]) => [event, i]).sort(), [['large', count], ['small', count]]);
  server.assertAlive();
}
