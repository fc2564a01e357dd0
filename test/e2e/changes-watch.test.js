// socketio_watch, socketio_watch_statement and socketio_unwatch: the triggers they make, seen by clients.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emitChanges, makeTables, rowChanges, SCHEMA } from './lib/changes.js';
import { onEachAdapter } from './lib/suite.js';

const table = 'CREATE TABLE task (id int PRIMARY KEY, owner text, title text);';
const task = (id, owner, title) => ({ id, owner, title });
const about = (op, name = 'task', schema = SCHEMA) => ({ op, schema, table: name });
const truncated = ['task:truncate', about('truncate')];

// Every kind of change once.
const life = [
  `INSERT INTO task VALUES (1, 'ada', 'a'), (2, 'bob', 'b')`,
  `UPDATE task SET title = 'c' WHERE id = 1`,
  'DELETE FROM task',
  'TRUNCATE task',
];

onEachAdapter('changes: watch', {}, (stage) => {
  const { query, connect, settled } = stage;
  const tables = (sql = '') => makeTables(query, table + sql);
  const live = async () => {
    for (const statement of life) await query(statement);
  };

  const [a, b, c] = [task(1, 'ada', 'a'), task(2, 'bob', 'b'), task(1, 'ada', 'c')];
  const lifeByRow = [
    ['task:insert', { ...about('insert'), record: a, old_record: null }],
    ['task:insert', { ...about('insert'), record: b, old_record: null }],
    ['task:update', { ...about('update'), record: c, old_record: a }],
    ['task:delete', { ...about('delete'), record: null, old_record: b }],
    ['task:delete', { ...about('delete'), record: null, old_record: c }],
    truncated,
  ];
  const lifeByStatement = [
    ['task:insert', { ...about('insert'), count: 2, records: [a, b], old_records: null }],
    ['task:update', { ...about('update'), count: 1, records: [c], old_records: [a] }],
    ['task:delete', { ...about('delete'), count: 2, records: null, old_records: [b, c] }],
    truncated,
  ];

  test('socketio_watch: every change of every row, to everybody', async () => {
    await tables();
    const clients = await connect({}, {}, {});
    await query(`SELECT socketio_watch('task')`);
    await live();
    assert.deepEqual(await settled(...clients), clients.map(() => lifeByRow));
  });

  test('socketio_watch_statement: every statement', async () => {
    await tables();
    const clients = await connect({}, {}, {});
    await query(`SELECT socketio_watch_statement('task')`);
    await live();
    assert.deepEqual(await settled(...clients), clients.map(() => lifeByStatement));
  });

  test('options go to the triggers', async () => {
    await tables();
    const clients = await connect({ rooms: ['user:ada'] }, { rooms: ['user:bob'] }, { rooms: ['admins'] }, {});
    await query(`SELECT socketio_watch('task', 'rooms=user:{owner}, admins', 'payload=keys', 'event={op}')`);
    await live();
    await query(`SELECT socketio_watch_statement('task',
      VARIADIC ARRAY['rooms=user:{owner}', 'columns=title', 'payload=record'])`);
    await live();
    const keys = (op, id) => [op, { id }];
    const statement = (op, title) => [`task:${op}`, { count: 1, records: [{ title }] }];
    const all = [keys('insert', 1), keys('insert', 2), keys('update', 1), keys('delete', 2), keys('delete', 1)];
    assert.deepEqual(await settled(...clients), [
      [...all.filter(([, { id }]) => id === 1), statement('insert', 'a'), statement('update', 'c'),
        statement('delete', 'c')],
      [...all.filter(([, { id }]) => id === 2), statement('insert', 'b'), statement('delete', 'b')],
      [...all, ['truncate', about('truncate')]],
      [],
    ]);
  });

  test('watching again replaces the watch before, of either kind', async () => {
    await tables();
    const clients = await connect({}, {}, {});
    for (const watch of ['socketio_watch', 'socketio_watch_statement', 'socketio_watch_statement', 'socketio_watch']) {
      await query(`SELECT ${watch}('task', 'event=old {op}')`);
      await query(`SELECT ${watch}('task')`);
      await live();
    }
    const expected = [...lifeByRow, ...lifeByStatement, ...lifeByStatement, ...lifeByRow];
    assert.deepEqual(await settled(...clients), clients.map(() => expected));
  });

  test('a watch that is refused leaves the one before in place', async () => {
    await tables();
    const clients = await connect({}, {}, {});
    await query(`SELECT socketio_watch('task')`);
    await assert.rejects(query(`SELECT socketio_watch('task', 'rooms=user:{nobody}')`), /rooms/);
    await assert.rejects(query(`SELECT socketio_watch_statement('task', 'payload=everything')`), /payload/);
    await live();
    assert.deepEqual(await settled(...clients), clients.map(() => lifeByRow));
  });

  test('watching and not watching are part of their transaction', async () => {
    await tables();
    const clients = await connect({}, {}, {});
    await query(`BEGIN; SELECT socketio_watch('task'); INSERT INTO task VALUES (1, 'ada', 'a'); ROLLBACK`);
    await query(`INSERT INTO task VALUES (1, 'ada', 'a')`);
    await query(`SELECT socketio_watch_statement('task')`);
    await query(`BEGIN; SELECT socketio_unwatch('task'); DELETE FROM task; ROLLBACK`);
    await query('DELETE FROM task');
    const expected = [['task:delete', { ...about('delete'), count: 1, records: null, old_records: [a] }]];
    assert.deepEqual(await settled(...clients), clients.map(() => expected));
  });

  test('socketio_unwatch: silence, but for triggers made by hand', async () => {
    await tables(`CREATE TRIGGER mine AFTER DELETE ON task FOR EACH ROW ${emitChanges('event=mine', 'payload=keys')};`);
    const clients = await connect({}, {}, {});
    for (const watch of ['socketio_watch', 'socketio_watch_statement']) {
      await query(`SELECT ${watch}('task')`);
      await query(`SELECT socketio_unwatch('task')`);
      await live();
    }
    await assert.rejects(query(`SELECT socketio_unwatch('task')`), { code: '42704' });
    const mine = [['mine', { id: 2 }], ['mine', { id: 1 }]];
    assert.deepEqual(await settled(...clients), clients.map(() => [...mine, ...mine]));
  });

  test('a table of an awkward name, in a schema of its own', async () => {
    await makeTables(query, `
      DROP SCHEMA IF EXISTS "Odd ""Schema""" CASCADE; CREATE SCHEMA "Odd ""Schema""";
      CREATE TABLE "Odd ""Schema"""."Größe 😀, it's" ("Größe ""é""" int PRIMARY KEY)`);
    const odd = '"Odd ""Schema"""."Größe 😀, it\'s"';
    const [name, column] = ['Größe 😀, it\'s', 'Größe "é"'];
    const clients = await connect({ rooms: [`${name}:1`] }, { rooms: [`${name}:2`] }, {});
    for (const watch of ['socketio_watch', 'socketio_watch_statement']) {
      await query(`SELECT ${watch}($1::text::regclass, $2)`, [odd, `rooms={table}:{${column}}`]);
      await query(`INSERT INTO ${odd} VALUES (1)`);
      await query(`UPDATE ${odd} SET "Größe ""é""" = 2`);
      await query(`TRUNCATE ${odd}`);
      await query(`SELECT socketio_unwatch($1::text::regclass)`, [odd]);
      await query(`INSERT INTO ${odd} VALUES (1)`);
      await query(`TRUNCATE ${odd}`);
    }
    const received = await settled(...clients);
    const [one, two] = [{ [column]: 1 }, { [column]: 2 }];
    const [insert, update] = [['insert', null, one], ['update', one, two]];
    assert.deepEqual(received.map(rowChanges), [[insert, update, insert, update], [update, update], []]);
    for (const [event, { op, schema, table: from }] of received.flat()) {
      assert.deepEqual([event, schema, from], [`${name}:${op}`, 'Odd "Schema"', name]);
    }
  });

  test('a partitioned table', async () => {
    await makeTables(query, `
      CREATE TABLE reading (year int, value int) PARTITION BY LIST (year);
      CREATE TABLE reading_2025 PARTITION OF reading FOR VALUES IN (2025);
      CREATE TABLE reading_2026 PARTITION OF reading FOR VALUES IN (2026);`);
    const clients = await connect({}, {}, {});
    const [one, two] = [{ year: 2025, value: 1 }, { year: 2026, value: 1 }];
    const expected = [];
    for (const [watch, moved] of [
      ['socketio_watch', [['delete', one, null], ['insert', null, two]]],
      ['socketio_watch_statement', [['update', one, two]]],
    ]) {
      await query(`SELECT ${watch}('reading')`);
      await query('INSERT INTO reading VALUES (2025, 1)');
      await query('UPDATE reading SET year = 2026');
      await query('DELETE FROM reading');
      expected.push(['insert', null, one], ...moved, ['delete', two, null]);
    }
    await query(`SELECT socketio_unwatch('reading')`);
    await query('INSERT INTO reading VALUES (2025, 1)');
    assert.deepEqual((await settled(...clients)).map(rowChanges), clients.map(() => expected));
  });

  test('an event named after a row: of a TRUNCATE nothing is said', async () => {
    await tables();
    const clients = await connect({}, {}, {});
    for (const watch of ['socketio_watch', 'socketio_watch_statement']) {
      await query(`SELECT ${watch}('task', 'event=task {id} {op}', 'columns=id', 'payload=record')`);
      await query(`INSERT INTO task VALUES (1), (2)`);
      await query('TRUNCATE task');
    }
    const [one, two] = [{ id: 1 }, { id: 2 }];
    const expected = [
      ['task 1 insert', one],
      ['task 2 insert', two],
      ['task 1 insert', { count: 1, records: [one] }],
      ['task 2 insert', { count: 1, records: [two] }],
    ];
    assert.deepEqual(await settled(...clients), clients.map(() => expected));
  });

  test('socketio_watches lists what clients hear, and what is switched off', async () => {
    await tables(`
      CREATE TABLE other (id int);
      CREATE TRIGGER mine AFTER DELETE OR INSERT ON other FOR EACH ROW ${emitChanges('payload=record', 'event=mine')};
      CREATE TRIGGER off AFTER INSERT ON other FOR EACH ROW ${emitChanges()};
      ALTER TABLE other DISABLE TRIGGER off;
      CREATE FUNCTION another() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
      CREATE TRIGGER another AFTER INSERT ON other FOR EACH ROW EXECUTE FUNCTION another();`);
    const clients = await connect({}, {}, {});
    const watches = async (name) => (await query({
      text: `SELECT trigger::text, level, events, options, enabled FROM socketio_watches
        WHERE "table" = $1::text::regclass ORDER BY trigger::text COLLATE "C"`,
      values: [name],
      rowMode: 'array',
    })).rows;
    assert.deepEqual(await watches('task'), []);
    await query(`SELECT socketio_watch('task', 'rooms=user:{owner}', 'volatile')`);
    assert.deepEqual(await watches('task'), [
      ['socketio_watch', 'row', ['insert', 'update', 'delete'], ['rooms=user:{owner}', 'volatile'], true],
      ['socketio_watch_truncate', 'statement', ['truncate'], ['rooms=user:{owner}', 'volatile'], true],
    ]);
    await query(`SELECT socketio_watch_statement('task')`);
    assert.deepEqual(await watches('task'), ['delete', 'insert', 'truncate', 'update'].map((op) => {
      return [`socketio_watch_${op}`, 'statement', [op], [], true];
    }));
    assert.deepEqual(await watches('other'), [
      ['mine', 'row', ['insert', 'delete'], ['payload=record', 'event=mine'], true],
      ['off', 'row', ['insert'], [], false],
    ]);
    await query('INSERT INTO other VALUES (1)');
    await query(`SELECT socketio_unwatch('task')`);
    assert.deepEqual(await watches('task'), []);
    assert.deepEqual(await settled(...clients), clients.map(() => [['mine', { id: 1 }]]));
  });
});
