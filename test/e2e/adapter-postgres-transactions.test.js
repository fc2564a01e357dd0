// Emits to servers with socket.io-adapter-postgres are part of their transaction, pieces and all: they arrive when it
// commits, once and in order, or not at all.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AdapterPostgresCluster } from './lib/adapter-postgres.js';
import { levels, makeTables, onRows, onStatements, rowChanges } from './lib/changes.js';
import { onLegacyCluster } from './lib/legacy-suite.js';

const large = (letter) => letter.repeat(20_000);

onLegacyCluster(AdapterPostgresCluster, 'transactions', {}, (stage) => {
  const { query, connect, settled } = stage;

  const emit = (event) => `SELECT socketio_emit_values(NULL, '${event}')`;
  const emitLarge = (event) => `SELECT socketio_emit_values(NULL, '${event}', repeat('${event[0]}', 20000))`;

  test('equal emits in one transaction are as many deliveries', async () => {
    const clients = await connect({ rooms: ['a'] }, { rooms: ['a'] }, { rooms: ['a'] });
    await query(`
      BEGIN;
      SELECT socketio_emit(event => 'same', args => '["text"]');
      SELECT socketio_emit(event => 'same', args => '["text"]');
      SELECT socketio_emit_values(NULL, 'same', 'text') FROM generate_series(1, 100);
      SELECT socketio_emit_values(socketio_to('a'), 'binary', '\\x01'::bytea) FROM generate_series(1, 3);
      SELECT socketio_emit_values(NULL, 'large', repeat('x', 20000)) FROM generate_series(1, 3);
      COMMIT`);
    const expected = [
      ...Array(102).fill(['same', 'text']), ...Array(3).fill(['binary', Buffer.from([1])]),
      ...Array(3).fill(['large', large('x')]),
    ];
    assert.deepEqual(await settled(...clients), clients.map(() => expected));
  });

  test('ROLLBACK, ROLLBACK TO SAVEPOINT and an error caught take back what was emitted inside', async () => {
    const clients = await connect({}, {}, {});
    await query(`BEGIN; ${emit('never')}; ${emitLarge('never')}; ROLLBACK`);
    await assert.rejects(query(`${emit('never')}; ${emitLarge('never')}; SELECT 1 / 0`), { code: '22012' });
    await query(`
      BEGIN;
      ${emit('before')};
      ${emitLarge('a')};
      SAVEPOINT one;
      ${emit('taken back')};
      ${emitLarge('taken back')};
      SAVEPOINT two;
      ${emitLarge('taken back')};
      RELEASE SAVEPOINT two;
      ROLLBACK TO SAVEPOINT one;
      ${emitLarge('b')};
      SAVEPOINT three;
      ${emitLarge('c')};
      RELEASE SAVEPOINT three;
      DO $$
      BEGIN
        PERFORM socketio_emit_values(NULL, 'taken back', repeat('x', 20000));
        PERFORM 1 / 0;
      EXCEPTION WHEN division_by_zero THEN
        PERFORM socketio_emit_values(NULL, 'in the handler');
      END $$;
      ${emit('after')};
      COMMIT`);
    const expected = [
      ['before'], ['a', large('a')], ['b', large('b')], ['c', large('c')], ['in the handler'], ['after']];
    assert.deepEqual(await settled(...clients), clients.map(() => expected));
  });

  test('nothing is heard before the commit', async () => {
    const clients = await connect({}, {}, {});
    const session = await stage.database.newSession();
    try {
      await session.query(`BEGIN; ${emit('later')}; ${emitLarge('x')}`);
      await query(`${emitLarge('y')}; ${emit('first')}`);
      const first = [['y', large('y')], ['first']];
      assert.deepEqual(await settled(...clients), clients.map(() => first));
      await session.query('COMMIT');
      assert.deepEqual(await settled(...clients), clients.map(() => [...first, ['later'], ['x', large('x')]]));
    } finally {
      await session.end();
    }
  });

  test('pieces of sessions that emit at once do not mix', async () => {
    const clients = await connect({}, {}, {});
    const sessions = await Promise.all(['a', 'b', 'c', 'd'].map(() => stage.database.newSession()));
    await Promise.all(sessions.map(async (session, who) => {
      for (let n = 0; n < 20; n++) {
        await session.query(
          `SELECT socketio_emit_values(NULL, 'large', $1::int, $2::int, repeat('abcd', 3000 + $2::int))`, [who, n]);
      }
      await session.end();
    }));
    const received = await settled(...clients);
    for (const events of received) {
      for (const who of sessions.keys()) {
        const own = events.filter(([, from]) => from === who);
        assert.deepEqual(own, Array.from({ length: 20 }, (_, n) => ['large', who, n, 'abcd'.repeat(3000 + n)]));
      }
      assert.equal(events.length, 80);
    }
  });
});

onLegacyCluster(AdapterPostgresCluster, 'row changes', {}, (stage) => {
  const { query, connect, settled } = stage;
  const table = 'CREATE TABLE task (id int PRIMARY KEY, team text, title text);';
  const task = (id, team, title) => ({ id, team, title });

  for (const { level, triggers } of levels) {
    test(`${level}: all changes, in order`, async () => {
      await makeTables(query, table + triggers('task'));
      const clients = await connect({}, {}, {});
      await query(`
        INSERT INTO task VALUES (1, 'a', 'one'), (2, 'b', 'two é😀');
        UPDATE task SET title = 'three' WHERE id = 2`);
      await query('BEGIN; DELETE FROM task; ROLLBACK');
      await query('DELETE FROM task WHERE id = 1');
      const [one, two, three] = [task(1, 'a', 'one'), task(2, 'b', 'two é😀'), task(2, 'b', 'three')];
      const expected = [['insert', null, one], ['insert', null, two], ['update', two, three], ['delete', one, null]];
      for (const events of await settled(...clients)) assert.deepEqual(rowChanges(events), expected);
    });

    test(`${level}: to rooms named by the rows`, async () => {
      await makeTables(query, table + triggers('task', 'rooms=team:{team}'));
      const clients = await connect({ rooms: ['team:a'] }, { rooms: ['team:a', 'team:b'] }, { rooms: ['team:b'] }, {});
      await query(`INSERT INTO task VALUES (1, 'a', 'one'), (2, 'b', 'two')`);
      await query(`UPDATE task SET team = 'b' WHERE id = 1`);
      const [a, b, moved] = [task(1, 'a', 'one'), task(2, 'b', 'two'), task(1, 'b', 'one')];
      const [toA, toB, both] = [['insert', null, a], ['insert', null, b], ['update', a, moved]];
      const received = (await settled(...clients)).map(rowChanges);
      assert.deepEqual(received, [[toA, both], [toA, toB, both], [toB, both], []]);
    });

    test(`${level}: bytea in a row, and a row of 100 KB`, async () => {
      await makeTables(query, `CREATE TABLE file (id int PRIMARY KEY, content bytea, note text);
        ${triggers('file', 'payload=record')}`);
      const clients = await connect({}, {}, {});
      await query(`INSERT INTO file VALUES (1, '\\x00ff', NULL)`);
      await query(`INSERT INTO file VALUES (2, NULL, repeat('x', 100000))`);
      const rows = [
        { id: 1, content: Buffer.from([0, 255]), note: null }, { id: 2, content: null, note: 'x'.repeat(100_000) }];
      for (const events of await settled(...clients)) {
        assert.deepEqual(events.map(([, record]) => record).flatMap((record) => record.records ?? record), rows);
      }
    });
  }

  const count = 5_000;
  const ids = Array.from({ length: count }, (_, i) => i + 1);

  test(`row level: ${count} rows of one statement`, async () => {
    await makeTables(query, table + onRows('task', 'payload=record', 'rooms=team:{team}'));
    const [client] = await connect({ rooms: ['team:0', 'team:1'] });
    await query(`INSERT INTO task SELECT n, n % 3, 'row ' || n FROM generate_series(1, ${count}) AS n`);
    const [events] = await settled(client);
    assert.deepEqual(events.map(([, { id }]) => id), ids.filter((id) => id % 3 !== 2));
  });

  for (const [how, settings] of [
    ['the default max_batch_bytes', 'RESET socketio_emitter.max_batch_bytes'],
    ['max_batch_bytes = 6000', 'SET socketio_emitter.max_batch_bytes = 6000'],
  ]) {
    test(`statement level: ${count} rows of one statement, ${how}`, async () => {
      await makeTables(query, table + onStatements('task'));
      const clients = await connect({}, {}, {});
      await query(settings);
      await query(`INSERT INTO task SELECT n, n % 3, 'row ' || n FROM generate_series(1, ${count}) AS n`);
      await query(`UPDATE task SET title = 'new' WHERE id > ${count - 1000}`);
      const rows = ids.map((id) => task(id, `${id % 3}`, `row ${id}`));
      const changed = rows.slice(-1000);
      const expected = [
        ...rows.map((row) => ['insert', null, row]),
        ...changed.map((row) => ['update', row, { ...row, title: 'new' }]),
      ];
      for (const events of await settled(...clients)) {
        if (how.includes('6000')) assert.ok(events.length > 20, `${events.length} messages`);
        assert.deepEqual(rowChanges(events), expected);
      }
    });
  }

  test('statement level: many rows to many rooms', async () => {
    await makeTables(query, table + onStatements('task', 'rooms=team:{team}'));
    const clients = await connect({ rooms: ['team:0'] }, { rooms: ['team:1', 'team:2'] }, {});
    await query(`INSERT INTO task SELECT n, n % 10, 'row ' || n FROM generate_series(1, ${count}) AS n`);
    const received = (await settled(...clients)).map((events) => rowChanges(events).map(([, , { id }]) => id));
    const of = (team) => ids.filter((id) => id % 10 === team);
    assert.deepEqual(received, [of(0), [...of(1), ...of(2)], []]);
  });
});
