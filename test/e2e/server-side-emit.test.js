// Server-side emits: every server's own handlers are called, clients hear nothing.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { recordServerSide } from './lib/cluster.js';
import { onEachAdapter } from './lib/suite.js';

onEachAdapter('server-side emit', { cluster: { namespaces: ['/', '/admin'] } }, (stage) => {
  const { query, connect, settled } = stage;
  const onServers = (list) => [list, list, list];

  let handlers = [];
  afterEach(() => handlers.splice(0).forEach((handler) => handler.stop()));

  function record(event, namespace) {
    const handler = recordServerSide(stage.cluster, event, namespace);
    handlers.push(handler);
    return handler.received;
  }

  test('every server gets it once, no client does', async () => {
    const received = record('sync');
    const clients = await connect({}, {}, {});
    await query(`SELECT socketio_server_side_emit('/', 'sync', '["a", 1, {"b": [null, true]}]')`);
    assert.deepEqual(await settled(...clients), [[], [], []]);
    assert.deepEqual(received, onServers([['a', 1, { b: [null, true] }]]));
  });

  test('arguments arrive as they were given', async () => {
    const received = record('sync');
    await query(`
      SELECT socketio_server_side_emit(event => 'sync');
      SELECT socketio_server_side_emit(event => 'sync', args => NULL);
      SELECT socketio_server_side_emit(event => 'sync', args => '{"a": 1}');
      SELECT socketio_server_side_emit(event => 'sync', args => '[[1, 2]]');
      SELECT socketio_server_side_emit_values('/', 'sync');
      SELECT socketio_server_side_emit_values('/', 'sync', 1, 'two', NULL, false, ARRAY[3, 4]);
      SELECT socketio_server_side_emit_values(NULL, 'sync', VARIADIC ARRAY['x', 'y'])`);
    await stage.cluster.caughtUp();
    assert.deepEqual(received, onServers([
      [], [], [{ a: 1 }], [[1, 2]], [], [1, 'two', null, false, [3, 4]], ['x', 'y'],
    ]));
  });

  test('it stays in its namespace', async () => {
    const main = record('sync', '/');
    const admin = record('sync', '/admin');
    await query(`
      SELECT socketio_server_side_emit('/admin', 'sync', '["admin"]');
      SELECT socketio_server_side_emit('admin', 'sync', '["admin, no slash"]');
      SELECT socketio_server_side_emit(socketio_of('/admin'), 'sync', '["admin, chain"]');
      SELECT socketio_server_side_emit_values(socketio_of('/admin'), 'sync', 'admin, chain', 'values');
      SELECT socketio_server_side_emit(NULL, 'sync', '["main"]');
      SELECT socketio_server_side_emit_values('', 'sync', 'main, empty')`);
    await stage.cluster.caughtUp();
    assert.deepEqual(main, onServers([['main'], ['main, empty']]));
    assert.deepEqual(admin, onServers([['admin'], ['admin, no slash'], ['admin, chain'], ['admin, chain', 'values']]));
  });

  test('large and binary arguments', async () => {
    const received = record('sync');
    await query(`SELECT socketio_server_side_emit(event => 'sync', args => to_jsonb(repeat('x', 100000)))`);
    await query(`SELECT socketio_server_side_emit_values('/', 'sync', '\\x0001ff'::bytea, ARRAY['\\x02'::bytea])`);
    await stage.cluster.caughtUp();
    assert.deepEqual(
      // In the server binary is what msgpack makes of it: a Uint8Array.
      received.map((calls) => calls.map((args) => args.map(plain))),
      onServers([['x'.repeat(100_000)], [{ bytes: [0, 1, 255] }, [{ bytes: [2] }]]]));
  });

  test('names that are reserved for clients are free between servers', async () => {
    // Not disconnect or connection: the namespace itself would act on those.
    const received = record('connect_error');
    await query(`SELECT socketio_server_side_emit('/', 'connect_error', '["free"]')`);
    await stage.cluster.caughtUp();
    assert.deepEqual(received, onServers([['free']]));
  });

  test('a rolled-back one reaches no server', async () => {
    const received = record('sync');
    await query(`BEGIN; SELECT socketio_server_side_emit('/', 'sync', '["never"]'); ROLLBACK`);
    await query(`SELECT socketio_server_side_emit('/', 'sync', '["kept"]')`);
    await stage.cluster.caughtUp();
    assert.deepEqual(received, onServers([['kept']]));
  });

  function plain(value) {
    if (value instanceof Uint8Array) return { bytes: [...value] };
    return Array.isArray(value) ? value.map(plain) : value;
  }
});
