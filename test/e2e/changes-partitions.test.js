// Row changes of partitioned tables: rows come as rows of the table the trigger was made on, wherever they are kept.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { levels, makeTables, onRows, onStatements, onTruncate, rowChanges, SCHEMA } from './lib/changes.js';
import { copyIn } from './lib/copy.js';
import { sorted } from './lib/sorted.js';
import { onEachAdapter } from './lib/suite.js';

// The partitions keep the columns in other places: attached ones may, and have columns dropped as well.
const reading = `
  CREATE TABLE reading (sensor text NOT NULL, year int NOT NULL, value int, PRIMARY KEY (sensor, year))
    PARTITION BY RANGE (year);
  CREATE TABLE reading_2025 PARTITION OF reading FOR VALUES FROM (2025) TO (2026);
  CREATE TABLE reading_2026 (gone int, value int, year int NOT NULL, gone_too text, sensor text NOT NULL,
    PRIMARY KEY (sensor, year));
  ALTER TABLE reading_2026 DROP COLUMN gone, DROP COLUMN gone_too;
  ALTER TABLE reading ATTACH PARTITION reading_2026 FOR VALUES FROM (2026) TO (2027);
  CREATE TABLE reading_rest PARTITION OF reading DEFAULT PARTITION BY LIST (sensor);
  CREATE TABLE reading_rest_a PARTITION OF reading_rest FOR VALUES IN ('a');
  CREATE TABLE reading_rest_other (value int, sensor text NOT NULL, year int NOT NULL);
  ALTER TABLE reading_rest ATTACH PARTITION reading_rest_other DEFAULT;`;
const row = (sensor, year, value) => ({ sensor, year, value });

onEachAdapter('changes: partitions', {}, (stage) => {
  const { query, connect, settled } = stage;
  const tables = (sql) => makeTables(query, reading + sql);
  const told = async (...clients) => (await settled(...clients)).map(rowChanges);

  for (const { level, triggers } of levels) {
    const byRow = level === 'row level';

    test(`${level}: INSERT, UPDATE and DELETE through the parent`, async () => {
      await tables(triggers('reading', 'rooms=sensor:{sensor}'));
      const clients = await connect({ rooms: ['sensor:a'] }, { rooms: ['sensor:b'] }, {});
      await query(`INSERT INTO reading VALUES ('a', 2025, 1), ('b', 2025, 2), ('a', 2026, 3), ('b', 2026, 4),
        ('a', 1999, 5), ('b', 1999, 6)`);
      await query(`UPDATE reading SET value = value * 10 WHERE value > 2`);
      await query('DELETE FROM reading WHERE value < 60');
      const received = await settled(...clients);
      const changes = (sensor, [one, two, three]) => [
        ['insert', null, row(sensor, 2025, one)],
        ['insert', null, row(sensor, 2026, two)],
        ['insert', null, row(sensor, 1999, three)],
        ['update', row(sensor, 2026, two), row(sensor, 2026, two * 10)],
        ['update', row(sensor, 1999, three), row(sensor, 1999, three * 10)],
        ['delete', row(sensor, 2025, one), null],
        ['delete', row(sensor, 2026, two * 10), null],
      ];
      assert.deepEqual(received.map(rowChanges).map(sorted), [
        sorted([...changes('a', [1, 3, 5]), ['delete', row('a', 1999, 50), null]]),
        sorted(changes('b', [2, 4, 6])),
        [],
      ]);
      // Whatever the partition, the table is the one the trigger was made on.
      for (const [event, change] of received.flat()) {
        assert.deepEqual([event, change.schema, change.table], [`reading:${change.op}`, SCHEMA, 'reading']);
      }
      // Of the INSERT the order is known: the rows' own, by statement as by row.
      assert.deepEqual(rowChanges(received[0]).slice(0, 3), changes('a', [1, 3, 5]).slice(0, 3));
    });

    test(`${level}: an UPDATE moves a row between partitions`, async () => {
      await tables(`
        INSERT INTO reading VALUES ('a', 2025, 1), ('b', 2025, 2), ('c', 2026, 3);
        ${triggers('reading', 'rooms=sensor:{sensor}')}`);
      const clients = await connect({ rooms: ['sensor:a'] }, { rooms: ['sensor:z'] },
        { rooms: ['sensor:a', 'sensor:z'] }, { rooms: ['sensor:b', 'sensor:c'] });
      // To columns in other places and back, then to a partition of a partition under another sensor's name.
      await query(`UPDATE reading SET year = 2026 WHERE sensor = 'a'`);
      await query(`UPDATE reading SET year = 2025 WHERE sensor = 'a'`);
      await query(`UPDATE reading SET year = 1999, sensor = 'z' WHERE sensor = 'a'`);
      await query(`UPDATE reading SET sensor = 'a' WHERE sensor = 'z'`);
      // By row PostgreSQL makes a DELETE and an INSERT of it, each of which concerns one row and its room.
      const moved = (from, to) => (byRow ? [['delete', from, null], ['insert', null, to]] : [['update', from, to]]);
      const [first, second, far, back] = [row('a', 2025, 1), row('a', 2026, 1), row('z', 1999, 1), row('a', 1999, 1)];
      const stayed = [...moved(first, second), ...moved(second, first)];
      const all = [...stayed, ...moved(first, far), ...moved(far, back)];
      const onlyA = byRow ? all.filter(([, one, other]) => (one ?? other).sensor === 'a') : all;
      const onlyZ = byRow ? all.filter(([, one, other]) => (one ?? other).sensor === 'z') : all.slice(2);
      assert.deepEqual(await told(...clients), [onlyA, onlyZ, all, []]);
    });

    test(`${level}: one UPDATE changes rows in their places and moves others`, async () => {
      await tables(`
        INSERT INTO reading VALUES ('a', 2025, 1), ('b', 2025, 2), ('c', 2026, 3), ('d', 1999, 4);
        ${triggers('reading')}`);
      const clients = await connect({}, {}, {});
      await query(`UPDATE reading SET value = value + 10, year = CASE sensor WHEN 'b' THEN 2026 WHEN 'd' THEN 2025
        ELSE year END`);
      const moved = (from, to) => (byRow ? [['delete', from, null], ['insert', null, to]] : [['update', from, to]]);
      const expected = [
        ['update', row('a', 2025, 1), row('a', 2025, 11)],
        ...moved(row('b', 2025, 2), row('b', 2026, 12)),
        ['update', row('c', 2026, 3), row('c', 2026, 13)],
        ...moved(row('d', 1999, 4), row('d', 2025, 14)),
      ];
      assert.deepEqual((await told(...clients)).map(sorted), clients.map(() => sorted(expected)));
    });

    test(`${level}: the key of a row, whichever partition it is in`, async () => {
      await tables(`
        INSERT INTO reading VALUES ('a', 2025, 1), ('b', 2026, 2);
        ${triggers('reading', 'payload=keys', 'event=keys {op}')}
        ${triggers('reading', 'payload=diff', 'event=diff {op}').replaceAll('TRIGGER emit', 'TRIGGER emit_diff')}`);
      const clients = await connect({}, {}, {});
      await query('UPDATE reading SET value = value + 10');
      await query(`UPDATE reading SET year = 2026 WHERE sensor = 'a'`);
      const key = (sensor, year) => ({ sensor, year });
      const about = (op) => ({ op, schema: SCHEMA, table: 'reading' });
      const expected = byRow
        ? [
          ['keys update', key('a', 2025)],
          ['keys update', key('b', 2026)],
          ['diff update', { ...about('update'), key: key('a', 2025), record: { value: 11 }, old_record: { value: 1 } }],
          ['diff update', { ...about('update'), key: key('b', 2026), record: { value: 12 }, old_record: { value: 2 } }],
          ['keys delete', key('a', 2025)],
          ['keys insert', key('a', 2026)],
          ['diff delete', { ...about('delete'), key: key('a', 2025), record: null, old_record: row('a', 2025, 11) }],
          ['diff insert', { ...about('insert'), key: key('a', 2026), record: row('a', 2026, 11), old_record: null }],
        ]
        : [
          ['keys update', { count: 2, keys: [key('a', 2025), key('b', 2026)], old_keys: [null, null] }],
          ['diff update', { ...about('update'), count: 2, keys: [key('a', 2025), key('b', 2026)],
            records: [{ value: 11 }, { value: 12 }], old_records: [{ value: 1 }, { value: 2 }] }],
          ['keys update', { count: 1, keys: [key('a', 2026)], old_keys: [key('a', 2025)] }],
          ['diff update', { ...about('update'), count: 1, keys: [key('a', 2025)], records: [{ year: 2026 }],
            old_records: [{ year: 2025 }] }],
        ];
      assert.deepEqual((await settled(...clients)).map(sorted), clients.map(() => sorted(expected)));
    });

    test(`${level}: COPY through the parent`, async () => {
      await tables(triggers('reading'));
      const clients = await connect({}, {}, {});
      const rows = Array.from({ length: 1_000 }, (_, i) => [`s${i}`, 2024 + i % 4, i]);
      await copyIn(query, 'COPY reading FROM STDIN', rows);
      const expected = rows.map((values) => ['insert', null, row(...values)]);
      for (const changes of await told(...clients)) {
        // COPY hands rows over partition by partition: in order within each.
        for (const year of [2024, 2025, 2026, 2027]) {
          const ofYear = ([, , record]) => record.year === year;
          assert.deepEqual(changes.filter(ofYear), expected.filter(ofYear));
        }
        assert.equal(changes.length, expected.length);
      }
    });

    test(`${level}: plain inheritance, where only statements see the children's rows`, async () => {
      await makeTables(query, `
        CREATE TABLE base (id int, name text);
        CREATE TABLE derived (extra int) INHERITS (base);
        INSERT INTO base VALUES (1, 'a'); INSERT INTO derived VALUES (2, 'b', 20);
        ${triggers('base')}`);
      const clients = await connect({}, {}, {});
      await query(`UPDATE base SET name = upper(name)`);
      await query(`UPDATE derived SET name = 'c'`);
      // By row a trigger is its own table's; a statement on the parent collects the children's rows, as the parent's.
      const expected = [['update', { id: 1, name: 'a' }, { id: 1, name: 'A' }]];
      if (!byRow) expected.push(['update', { id: 2, name: 'b' }, { id: 2, name: 'B' }]);
      assert.deepEqual(await told(...clients), clients.map(() => expected));
    });
  }

  test('row level: changes of a partition itself are changes of the table', async () => {
    await tables(onRows('reading', 'rooms={table}:{sensor}'));
    const clients = await connect({ rooms: ['reading:a'] }, { rooms: ['reading_2026:a'] }, { rooms: ['reading:a'] });
    await query(`INSERT INTO reading_2026 (sensor, year, value) VALUES ('a', 2026, 1)`);
    await query('UPDATE reading_2026 SET value = 2');
    await query('DELETE FROM reading_2026');
    const what = (op) => ({ op, schema: SCHEMA, table: 'reading' });
    const [one, two] = [row('a', 2026, 1), row('a', 2026, 2)];
    const expected = [
      ['reading:insert', { ...what('insert'), record: one, old_record: null }],
      ['reading:update', { ...what('update'), record: two, old_record: one }],
      ['reading:delete', { ...what('delete'), record: null, old_record: two }],
    ];
    assert.deepEqual(await settled(...clients), [expected, [], expected]);
  });

  test('row level: a partition made, attached or detached later', async () => {
    await tables(onRows('reading', 'payload=record'));
    const clients = await connect({}, {}, {});
    await query(`
      CREATE TABLE reading_2030 PARTITION OF reading FOR VALUES FROM (2030) TO (2031);
      CREATE TABLE reading_2031 (value int, year int NOT NULL, sensor text NOT NULL);
      INSERT INTO reading_2031 VALUES (0, 2031, 'before');
      ALTER TABLE reading ATTACH PARTITION reading_2031 FOR VALUES FROM (2031) TO (2032)`);
    await query(`INSERT INTO reading VALUES ('a', 2030, 1), ('a', 2031, 2)`);
    await query('ALTER TABLE reading DETACH PARTITION reading_2031');
    await query(`INSERT INTO reading_2031 VALUES (3, 2031, 'after')`);
    const expected = [['reading:insert', row('a', 2030, 1)], ['reading:insert', row('a', 2031, 2)]];
    assert.deepEqual(await settled(...clients), clients.map(() => expected));
  });

  test('row level: a trigger of the partition beside that of the parent', async () => {
    await tables(`
      ${onRows('reading', 'event={table}', 'payload=keys')}
      ${onRows('reading_2026', 'event={table}', 'payload=keys').replace('TRIGGER emit', 'TRIGGER emit_own')}`);
    const clients = await connect({}, {}, {});
    await query(`INSERT INTO reading VALUES ('a', 2025, 1), ('b', 2026, 2)`);
    const expected = [
      ['reading', { sensor: 'a', year: 2025 }],
      ['reading', { sensor: 'b', year: 2026 }],
      ['reading_2026', { sensor: 'b', year: 2026 }],
    ];
    assert.deepEqual(await settled(...clients), clients.map(() => expected));
  });

  test('statement level: rows of all partitions travel in one event', async () => {
    await tables(onStatements('reading'));
    const clients = await connect({}, {}, {});
    await query(`INSERT INTO reading VALUES ('a', 2025, 1), ('b', 2026, 2), ('c', 1999, 3)`);
    await query(`UPDATE reading SET year = 2026 WHERE sensor = 'a'`);
    const what = (op) => ({ op, schema: SCHEMA, table: 'reading' });
    const [a, b, c] = [row('a', 2025, 1), row('b', 2026, 2), row('c', 1999, 3)];
    const expected = [
      ['reading:insert', { ...what('insert'), count: 3, records: [a, b, c], old_records: null }],
      ['reading:update', { ...what('update'), count: 1, records: [row('a', 2026, 1)], old_records: [a] }],
    ];
    assert.deepEqual(await settled(...clients), clients.map(() => expected));
  });

  test('statement level: a trigger of the parent is not fired by statements on a partition', async () => {
    await tables(onStatements('reading'));
    const clients = await connect({}, {}, {});
    await query(`INSERT INTO reading_2025 VALUES ('a', 2025, 1)`);
    await query(`INSERT INTO reading VALUES ('b', 2025, 2)`);
    assert.deepEqual(await told(...clients), clients.map(() => [['insert', null, row('b', 2025, 2)]]));
  });

  test('statement level: a move whose INSERT a trigger cancelled leaves rows without a counterpart', async () => {
    await tables(`
      INSERT INTO reading VALUES ('a', 2025, 1), ('b', 2025, 2), ('c', 2026, 3);
      CREATE FUNCTION cancel() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
      CREATE TRIGGER cancel BEFORE INSERT ON reading_2026 FOR EACH ROW WHEN (NEW.sensor = 'a')
        EXECUTE FUNCTION cancel();
      ${onStatements('reading', 'rooms=sensor:{sensor}')}`);
    const clients = await connect({ rooms: ['sensor:a', 'sensor:b', 'sensor:c'] }, { rooms: ['sensor:a'] }, {});
    await query('UPDATE reading SET year = 2026, value = value * 10');
    const old = (...values) => ['update', row(...values), null];
    const young = (...values) => ['update', null, row(...values)];
    const expected = [old('a', 2025, 1), old('b', 2025, 2), old('c', 2026, 3), young('b', 2026, 20),
      young('c', 2026, 30)];
    assert.deepEqual((await told(...clients)).map(sorted), [sorted(expected), [old('a', 2025, 1)], []]);
  });

  test('TRUNCATE of the parent, and of a partition', async () => {
    await tables(`
      INSERT INTO reading VALUES ('a', 2025, 1), ('b', 2026, 2);
      ${onTruncate('reading')} ${onTruncate('reading_2026')}`);
    const clients = await connect({}, {}, {});
    await query('TRUNCATE reading');
    await query('TRUNCATE reading_2026');
    await query('TRUNCATE reading_2025');
    const received = await settled(...clients);
    const truncated = (table) => [`${table}:truncate`, { op: 'truncate', schema: SCHEMA, table }];
    for (const events of received) {
      // The TRUNCATE of the parent is one of each of its partitions as well, in no particular order.
      assert.deepEqual(sorted(events.slice(0, 2)), [truncated('reading'), truncated('reading_2026')]);
      assert.deepEqual(events.slice(2), [truncated('reading_2026')]);
    }
  });
});
