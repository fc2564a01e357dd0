// Servers of all three protocols on one database, as while an application moves from one to the next: each gets what is
// emitted in its protocol, whatever the session spoke before.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { newest } from './lib/adapters.js';
import { AdapterPostgresCluster } from './lib/adapter-postgres.js';
import { levels, makeTables, rowChanges } from './lib/changes.js';
import { Cluster } from './lib/cluster.js';
import { createDatabase } from './lib/database.js';
import { SocketIoPostgresCluster } from './lib/socketio-postgres.js';

const starts = {
  'cluster': (database) => Cluster.start(newest[0], database, { servers: 1 }),
  'adapter-postgres': (database) => AdapterPostgresCluster.start(database, { servers: 1 }),
  'socket.io-postgres': (database) => SocketIoPostgresCluster.start(database, { servers: 1 }),
};
const protocols = Object.keys(starts);

describe('three protocols on one database', () => {
  let database;
  const clusters = {};
  const query = (text, parameters) => database.query(text, parameters);
  const speak = (protocol, scope = '') => `SET ${scope} socketio_emitter.protocol = '${protocol}';`;

  before(async () => {
    database = await createDatabase();
    for (const protocol of protocols) clusters[protocol] = await starts[protocol](database);
  });
  afterEach(async () => {
    await database.reset();
    for (const protocol of protocols) {
      await query(speak(protocol));
      await clusters[protocol].endTest();
    }
    await database.reset();
  });
  after(async () => {
    for (const cluster of Object.values(clusters)) await cluster.close();
    await database?.close();
  });

  // One client of each.
  async function connectAll(description = {}) {
    const clients = {};
    for (const protocol of protocols) [clients[protocol]] = await clusters[protocol].connect(description);
    return clients;
  }

  // What each has received.
  async function settledAll(clients) {
    const received = {};
    for (const protocol of protocols) {
      await query(speak(protocol));
      [received[protocol]] = await clusters[protocol].settled(clients[protocol]);
    }
    return received;
  }

  const each = (make) => Object.fromEntries(protocols.map((protocol) => [protocol, make(protocol)]));

  test('emits of one session, in turn', async () => {
    const clients = await connectAll({ rooms: ['a'] });
    for (let turn = 0; turn < 3; turn++) {
      for (const protocol of protocols) {
        await query(speak(protocol));
        await query('SELECT socketio_emit(event => $1, args => to_jsonb($2::int))', [protocol, turn]);
        await query('SELECT socketio_emit_values(socketio_to($1), $2, $3::int)', ['a', `${protocol} in a`, turn]);
      }
    }
    const turns = [0, 1, 2];
    assert.deepEqual(await settledAll(clients), each((protocol) => (
      turns.flatMap((turn) => [[protocol, turn], [`${protocol} in a`, turn]]))));
  });

  test('emits of one transaction, in turn', async () => {
    const clients = await connectAll();
    await query(`BEGIN; ${protocols.map((protocol) => `
      ${speak(protocol, 'LOCAL')}
      SELECT socketio_emit_values(NULL, 'one', '${protocol}');
      SAVEPOINT point;
      SELECT socketio_emit_values(NULL, 'never', '${protocol}');
      ROLLBACK TO SAVEPOINT point;
      SELECT socketio_emit_values(NULL, 'two', '${protocol}');`).join('')} COMMIT`);
    assert.deepEqual(await settledAll(clients), each((protocol) => [['one', protocol], ['two', protocol]]));
  });

  test('one prepared statement, one function', async () => {
    const clients = await connectAll();
    await query(`
      PREPARE emit AS SELECT socketio_emit_values(NULL, 'prepared', $1::text);
      CREATE OR REPLACE FUNCTION emit(what text) RETURNS void LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM socketio_emit(event => 'function', args => to_jsonb(what));
      END $$`);
    for (let turn = 0; turn < 8; turn++) {
      for (const protocol of protocols) {
        await query(`${speak(protocol)} EXECUTE emit('${protocol}'); SELECT emit('${protocol}')`);
      }
    }
    assert.deepEqual(await settledAll(clients), each((protocol) => (
      Array.from({ length: 8 }, () => [['prepared', protocol], ['function', protocol]]).flat())));
  });

  for (const { level, triggers } of levels) {
    test(`${level}: row changes of one table`, async () => {
      await makeTables(query, `CREATE TABLE task (id int PRIMARY KEY, title text); ${triggers('task', 'rooms=all')}`);
      const clients = await connectAll({ rooms: ['all'] });
      const expected = each(() => []);
      let id = 0;
      for (let turn = 0; turn < 3; turn++) {
        for (const protocol of protocols) {
          await query(speak(protocol));
          const rows = Array.from({ length: 100 }, () => ({ id: ++id, title: `${protocol} é😀` }));
          await query('INSERT INTO task SELECT id, title FROM jsonb_to_recordset($1) AS (id int, title text)',
            [JSON.stringify(rows)]);
          await query('DELETE FROM task');
          expected[protocol].push(
            ...rows.map((row) => ['insert', null, row]), ...rows.map((row) => ['delete', row, null]));
        }
      }
      const received = await settledAll(clients);
      assert.deepEqual(each((protocol) => rowChanges(received[protocol])), expected);
    });
  }

  test('questions of one session, in turn', async () => {
    const clients = await connectAll();
    for (let turn = 0; turn < 2; turn++) {
      for (const protocol of ['cluster', 'adapter-postgres']) {
        await query(speak(protocol));
        assert.deepEqual((await query('SELECT id FROM socketio_clients()')).rows, [{ id: clients[protocol].id }]);
        await query('SELECT socketio_remote_join($1, $2)', [clients[protocol].id, `room ${turn}`]);
        await query('SELECT socketio_emit(rooms => ARRAY[$1], event => $2)', [`room ${turn}`, `${protocol} ${turn}`]);
      }
      await query(speak('socket.io-postgres'));
      await assert.rejects(query('SELECT id FROM socketio_clients()'), { code: '0A000' });
    }
    assert.deepEqual(await settledAll(clients), {
      'cluster': [['cluster 0'], ['cluster 1']],
      'adapter-postgres': [['adapter-postgres 0'], ['adapter-postgres 1']],
      'socket.io-postgres': [],
    });
  });
});
