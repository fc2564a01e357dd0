// Row changes in bulk: COPY, row by row and by statement. Every row arrives exactly once and in order.
//
// On the newest adapter it is 50,000 rows. The older ones, which get the same messages the same way, are asked to carry
// fewer, so that the suite stays quick.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect, isDeepStrictEqual } from 'node:util';
import { versions } from './lib/adapters.js';
import { makeTables, onRows, onStatements } from './lib/changes.js';
import { copyIn } from './lib/copy.js';
import { onEachAdapter } from './lib/suite.js';
import { Watch } from './lib/wait.js';

const BROADCAST = 3;

onEachAdapter('changes: bulk', {}, (stage) => {
  const { query, connect, settled } = stage;
  const count = stage.version === versions.at(-1) ? 50_000 : 2_000;

  const table = 'CREATE TABLE reading (id int PRIMARY KEY, sensor text, value float8, note text);';
  const record = (id) => ({ id, sensor: id % 3 ? 'a' : 'b', value: id / 8, note: `reading ${id} é😀` });
  const ids = Array.from({ length: count }, (_, i) => i + 1);
  const load = () => copyIn(query, 'COPY reading FROM STDIN', ids.map((id) => Object.values(record(id))));

  // The waits' patience is for one thing to happen: so many events are many things.
  async function untilReceived(client, events) {
    for (let received = 1_000; received < events; received += 1_000) {
      await client.until(() => client.events.length >= received, () => `${events} events, of which ` +
        `${client.events.length} have arrived`);
    }
  }

  test(`row level: COPY of ${count} rows`, async () => {
    await makeTables(query, table + onRows('reading', 'rooms=sensor:{sensor}', 'payload=record'));
    const [all, onlyB, bystander] = await connect({ rooms: ['sensor:a', 'sensor:b'] }, { rooms: ['sensor:b'] }, {});
    await load();
    await untilReceived(all, count);
    await settled(all, onlyB, bystander);
    assertSequence(all.events.map(([, row]) => row), ids.map(record));
    assertSequence(onlyB.events.map(([, row]) => row), ids.map(record).filter(({ sensor }) => sensor === 'b'));
    assert.deepEqual(bystander.events, []);
  });

  // A client drops its connection at more (maxAttachments of socket.io-parser).
  test('statement level: no event has more than ten Buffers', async () => {
    await makeTables(query, `CREATE TABLE blob (id int PRIMARY KEY, content bytea);
      ${onStatements('blob', 'payload=record')}`);
    const [client] = await connect({});
    await query(`INSERT INTO blob SELECT i, decode(to_hex(i + 16), 'hex') FROM generate_series(1, 25) AS i`);
    await query('UPDATE blob SET content = NULL WHERE id <= 20');
    await query('DELETE FROM blob');
    await settled(client);
    const told = (op) => client.events.filter(([event]) => event === `blob:${op}`).map(([, { records }]) => records);
    const blob = (id, isThere) => ({ id, content: isThere ? Buffer.from([id + 16]) : null });
    const rows = (isThere) => Array.from({ length: 25 }, (_, i) => blob(i + 1, isThere(i + 1)));
    assert.deepEqual(told('insert').map((records) => records.length), [10, 10, 5]);
    assert.deepEqual(told('insert').flat(), rows(() => true));
    assert.deepEqual(told('update').map((records) => records.length), [20]);
    assert.deepEqual(told('delete').map((records) => records.length), [25]);
    assert.deepEqual(told('delete').flat().sort((a, b) => a.id - b.id), rows((id) => id > 20));
  });

  test(`row level: one INSERT, UPDATE and DELETE of ${count / 10} rows`, async () => {
    await makeTables(query, table + onRows('reading', 'event={op}', 'payload=keys'));
    const clients = await connect({}, {}, {});
    const some = ids.slice(0, count / 10);
    await query(`INSERT INTO reading SELECT n FROM generate_series(1, ${some.length}) AS n`);
    await query('UPDATE reading SET value = 1');
    await query('DELETE FROM reading');
    const expected = ['insert', 'update', 'delete'].flatMap((op) => some.map((id) => [op, { id }]));
    for (const client of clients) await untilReceived(client, expected.length);
    for (const events of await settled(...clients)) assertSequence(events, expected);
  });

  // By statement: in attachments with the default for max_batch_bytes, in notifications with one below their limit.
  for (const [how, limit, settings] of [
    ['the default max_batch_bytes', 1024 * 1024, 'RESET socketio_emitter.max_batch_bytes'],
    ['max_batch_bytes = 6000', 6_000, 'SET socketio_emitter.max_batch_bytes = 6000'],
  ]) {
    test(`statement level, ${how}: COPY of ${count} rows`, async () => {
      await makeTables(query, table + onStatements('reading'));
      const [client] = await connect({});
      const sizes = await sizesOf(settings, [client], load);
      assertSizes(sizes, limit);
      assertBatches(client.events, { old_records: null, records: ids.map(record) });
    });

    test(`statement level, ${how}: COPY of ${count} rows to two rooms`, async () => {
      await makeTables(query, table + onStatements('reading', 'rooms=sensor:{sensor}'));
      const [all, onlyB, bystander] = await connect({ rooms: ['sensor:a', 'sensor:b'] }, { rooms: ['sensor:b'] }, {});
      const sizes = await sizesOf(settings, [all, onlyB, bystander], load);
      assertSizes(sizes, limit);
      // The room whose row came first is through before the other's turn.
      const [a, b] = ['a', 'b'].map((name) => ids.map(record).filter(({ sensor }) => sensor === name));
      assertBatches(all.events, { old_records: null, records: [...a, ...b] });
      assertBatches(onlyB.events, { old_records: null, records: b });
      assert.deepEqual(bystander.events, []);
    });

    test(`statement level, ${how}: UPDATE and DELETE of ${count} rows`, async () => {
      await makeTables(query, table);
      await load();
      await query(onStatements('reading'));
      const [client] = await connect({});
      const before = ids.map(record);
      let after;
      const sizes = await sizesOf(settings, [client], async () => {
        await query('UPDATE reading SET value = -value');
        // The order in which DELETE will come across them.
        ({ rows: after } = await query('SELECT * FROM reading ORDER BY ctid'));
        await query('DELETE FROM reading');
      });
      assertSizes(sizes, limit);
      const updates = client.events.filter(([event]) => event === 'reading:update');
      const deletes = client.events.slice(updates.length);
      assertBatches(updates, { old_records: before, records: before.map((row) => ({ ...row, value: -row.value })) });
      assertBatches(deletes, { old_records: after, records: null });
    });
  }

  // Wide rows, of which only narrow columns are sent, so that it is the server that has much to keep.
  if (stage.version === versions.at(-1)) {
    test('statement level: more rows than memory is meant for, to rooms in turn', async () => {
      const rows = ids.slice(0, 30_000).map((id) => ({ id, sensor: 'abc'[id % 3] }));
      await makeTables(query, `${table}
        ${onStatements('reading', 'rooms=sensor:{sensor}', 'columns=id,sensor')}`);
      const clients = await connect(...['a', 'b', 'c'].map((sensor) => ({ rooms: [`sensor:${sensor}`] })), {});
      await query(`INSERT INTO reading SELECT n, ('{a,b,c}'::text[])[1 + n % 3], n, repeat('x', 1900)
        FROM generate_series(1, ${rows.length}) AS n`);
      await query(`UPDATE reading SET sensor = CASE sensor WHEN 'a' THEN 'b' ELSE sensor END, value = -value`);
      const received = await settled(...clients);
      assert.deepEqual(received.pop(), []);
      const [a, b, c] = ['a', 'b', 'c'].map((name) => rows.filter(({ sensor }) => sensor === name));
      const moved = a.map((row) => ({ ...row, sensor: 'b' }));
      // The first row was one that stays in b, so b's own come before those that move there.
      const expected = [[a, a, moved], [b, [...b, ...a], [...b, ...moved]], [c, c, c]];
      for (const [i, [inserted, before, after]] of expected.entries()) {
        const inserts = received[i].filter(([event]) => event === 'reading:insert');
        assertBatches(inserts, { old_records: null, records: inserted });
        assertBatches(received[i].slice(inserts.length), { old_records: before, records: after });
      }
    });
  }

  // How many bytes each message has that `action` sends under these settings, once the clients have received them.
  async function sizesOf(settings, clients, action) {
    const listener = await stage.database.newSession();
    const watch = new Watch();
    const messages = [];
    let ended = false;
    listener.on('notification', ({ channel, payload }) => {
      if (channel === 'ended') ended = true;
      else messages.push(JSON.parse(payload));
      watch.check();
    });
    try {
      await listener.query('LISTEN "socket.io#/"; LISTEN ended');
      await query(settings);
      await action();
      await query('NOTIFY ended');
      await watch.until(() => ended, 'the listener to hear of the end');
    } finally {
      await listener.end();
    }
    await settled(...clients);
    const broadcasts = messages.filter(({ type }) => type === BROADCAST);
    const small = broadcasts.filter(({ attachmentId }) => attachmentId === undefined);
    const attachments = broadcasts.flatMap(({ attachmentId }) => attachmentId ?? []);
    const { rows: large } = await query(
      'SELECT octet_length(payload) AS bytes FROM socket_io_attachments WHERE id = ANY ($1)', [attachments]);
    assert.equal(large.length, attachments.length);
    return [...small.map((message) => Buffer.byteLength(JSON.stringify(message))), ...large.map(({ bytes }) => bytes)];
  }
});

// None is over the limit, and they are half full at least, but for the last one of each room and event.
function assertSizes(sizes, limit) {
  const largest = Math.max(...sizes);
  assert.ok(largest <= limit, `a message of ${largest} bytes, with a limit of ${limit}`);
  const full = sizes.filter((size) => size >= limit / 2);
  assert.ok(sizes.length - full.length <= 2, `${sizes.length - full.length} of ${sizes.length} are not half full`);
}

// These events together are these rows: two lists side by side, of which one may be null.
function assertBatches(events, expected) {
  const batches = events.map(([, batch]) => batch);
  const total = batches.reduce((sum, { count }) => sum + count, 0);
  assert.equal(total, (expected.records ?? expected.old_records).length);
  for (const [key, rows] of Object.entries(expected)) {
    for (const batch of batches) assert.equal(batch[key]?.length, rows === null ? undefined : batch.count);
    if (rows !== null) assertSequence(batches.flatMap((batch) => batch[key]), rows);
  }
}

// deepEqual would print thousands of lines.
function assertSequence(received, expected) {
  for (const [i, value] of expected.entries()) {
    if (!isDeepStrictEqual(received[i], value)) {
      assert.fail(`${inspect(received[i])} instead of ${inspect(value)} at ${i}: ${received.length} received, ` +
        `${expected.length} expected`);
    }
  }
  assert.equal(received.length, expected.length);
}
