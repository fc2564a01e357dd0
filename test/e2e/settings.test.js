// Settings that decide where messages go: channel_prefix, attachment_table, payload_threshold and enabled.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Cluster } from './lib/cluster.js';
import { onEachAdapter } from './lib/suite.js';

const emitBothKinds = `
  SELECT socketio_emit('/', '{}', '{}', 'small', '[1]');
  SELECT socketio_emit_values(NULL, 'large', repeat('x', 10000))`;
const bothKinds = [['small', 1], ['large', 'x'.repeat(10_000)]];

// A notification may overtake an attachment.
const sorted = (events) => [...events].sort((a, b) => b[0].localeCompare(a[0]));

const attachmentTable = (name) => `CREATE TABLE ${name} (
  id bigserial UNIQUE, created_at timestamptz DEFAULT now(), payload bytea);`;

onEachAdapter('settings of the database', {
  database: {
    setup: `CREATE SCHEMA realtime; ${attachmentTable('realtime."Odd Table"')}`,
    settings: {
      'socketio_emitter.channel_prefix': 'My App',
      'socketio_emitter.attachment_table': 'realtime."Odd Table"',
    },
  },
  cluster: {
    namespaces: ['/', '/admin'],
    adapter: { channelPrefix: 'My App', tableName: 'realtime."Odd Table"' },
  },
}, (stage) => {
  const { query, connect, settled } = stage;
  let neighbour;
  before(async () => { neighbour = await Cluster.start(stage.version, stage.database, { servers: 1 }); });
  after(() => neighbour.close());

  test('custom channel_prefix and attachment_table, set for the database', async () => {
    const clients = await connect({}, {}, {});
    const here = await stage.database.attachmentsMade('realtime."Odd Table"');
    const elsewhere = await stage.database.attachmentsMade('public.socket_io_attachments');
    await query(emitBothKinds);
    assert.equal(await stage.database.attachmentsMade('realtime."Odd Table"'), here + 1);
    assert.equal(await stage.database.attachmentsMade('public.socket_io_attachments'), elsewhere);
    assert.deepEqual((await settled(...clients)).map(sorted), clients.map(() => bothKinds));
  });

  test('and in another namespace', async () => {
    const clients = await connect({ namespace: '/admin' }, { namespace: '/admin' }, { namespace: '/admin' }, {});
    await query(`SELECT socketio_emit_values(socketio_of('/admin'), 'binary', '\\x01'::bytea)`);
    await query(`SELECT socketio_emit_values(socketio_of('/admin'), 'small', 1)`);
    const received = (await settled(...clients)).map(sorted);
    const admin = [['small', 1], ['binary', Buffer.from([1])]];
    assert.deepEqual(received, [admin, admin, admin, []]);
  });

  test('a cluster with another prefix in the same database hears nothing', async () => {
    const [here] = await connect({});
    const [there] = await neighbour.connect({});
    await query(emitBothKinds);
    assert.deepEqual(sorted((await settled(here))[0]), bothKinds);
    // Its own sentinels go by the default settings.
    await query(`SET socketio_emitter.channel_prefix = 'socket.io'`);
    await query(`SET socketio_emitter.attachment_table = 'socket_io_attachments'`);
    await query(`SELECT socketio_emit_values(NULL, 'for the neighbour', 1)`);
    assert.deepEqual(await neighbour.settled(there), [[['for the neighbour', 1]]]);
    await neighbour.endTest();
    await query('RESET ALL');
    assert.deepEqual(sorted((await settled(here))[0]), bothKinds);
  });
});

onEachAdapter('settings of the session', { database: { setup: attachmentTable('socket_io_attachments') } }, (stage) => {
  const { query, connect, settled } = stage;

  test('an attachment table the application made first is used as it is', async () => {
    const clients = await connect({}, {}, {});
    await query(emitBothKinds);
    assert.deepEqual((await settled(...clients)).map(sorted), clients.map(() => bothKinds));
  });

  test('settings of the session, of the transaction and of a function', async () => {
    const clients = await connect({}, {}, {});
    await query(`
      CREATE OR REPLACE FUNCTION emit_elsewhere() RETURNS void LANGUAGE sql
        SET socketio_emitter.channel_prefix = 'elsewhere'
        AS $$ SELECT socketio_emit(event => 'from the function') $$;
      SELECT emit_elsewhere();
      SELECT socketio_emit(event => 'after the function')`);
    await query(`
      BEGIN;
      SET LOCAL socketio_emitter.channel_prefix = 'elsewhere';
      SELECT socketio_emit(event => 'in the transaction');
      COMMIT;
      SELECT socketio_emit(event => 'after the transaction')`);
    await query(`SET socketio_emitter.channel_prefix = 'elsewhere'`);
    await query(`SELECT socketio_emit(event => 'in the session')`);
    await query('RESET socketio_emitter.channel_prefix');
    await query(`SELECT socketio_emit(event => 'after all')`);
    assert.deepEqual(await settled(...clients),
      clients.map(() => [['after the function'], ['after the transaction'], ['after all']]));
  });

  test('enabled = off makes every emit a no-op', async () => {
    const clients = await connect({}, {}, {});
    await query(`
      SET socketio_emitter.enabled = off;
      ${emitBothKinds};
      SELECT socketio_emit(NULL::socketio_target, 'small', '[1]');
      SELECT socketio_server_side_emit('/', 'small');
      SELECT socketio_sockets_join(join_rooms => '{joined}');
      SELECT socketio_disconnect_sockets(close => true);
      SET socketio_emitter.enabled = on;
      SELECT socketio_emit(rooms => '{joined}', event => 'joined');
      SELECT socketio_emit(event => 'on again')`);
    assert.deepEqual(await settled(...clients), clients.map(() => [['on again']]));
    assert.deepEqual(clients.map((client) => client.disconnected), [null, null, null]);
  });

  test('payload_threshold decides between notification and attachment, and nothing else', async () => {
    const clients = await connect({}, {}, {});
    const emit = `SELECT socketio_emit(event => 'e', args => to_jsonb(repeat('x', 1000)))`;
    const made = await stage.database.attachmentsMade();
    await query(emit);
    assert.equal(await stage.database.attachmentsMade(), made);
    await query('SET socketio_emitter.payload_threshold = 1000');
    await query(emit);
    assert.equal(await stage.database.attachmentsMade(), made + 1);
    const once = ['e', 'x'.repeat(1000)];
    assert.deepEqual(await settled(...clients), clients.map(() => [once, once]));
  });
});
