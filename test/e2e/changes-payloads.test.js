// Row changes: what a client's handler is called with, for every kind of payload, by row and by statement.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect, isDeepStrictEqual } from 'node:util';
import { versions } from './lib/adapters.js';
import { catalogue, types } from './lib/catalogue.js';
import { levels, makeTables, onRows, onStatements, onTruncate, rowChanges, SCHEMA } from './lib/changes.js';
import { onEachAdapter } from './lib/suite.js';

const bytes = (...values) => Buffer.from(values);

// What the tests of the four kinds do to their table, one statement at a time. The second UPDATE changes nothing, the
// last one only the first row.
const steps = [
  `INSERT INTO note VALUES (1, 'a', false), (2, 'b', true)`,
  `UPDATE note SET title = 'c' WHERE id = 2`,
  'UPDATE note SET title = title',
  'UPDATE note SET id = id + 10 WHERE id = 2',
  'UPDATE note SET done = true',
  'DELETE FROM note WHERE id = 0',
  'DELETE FROM note',
  'TRUNCATE note',
];
const note = (id, title, done) => ({ id, title, done });
const [a, b, c, c12, aDone] =
  [note(1, 'a', false), note(2, 'b', true), note(2, 'c', true), note(12, 'c', true), note(1, 'a', true)];

const about = (op) => ({ op, schema: SCHEMA, table: 'note' });
const truncated = ['note:truncate', about('truncate')];

// What the steps are to a client: [event, ...arguments].
const expectations = {
  'row level': {
    change: [
      ['note:insert', { ...about('insert'), record: a, old_record: null }],
      ['note:insert', { ...about('insert'), record: b, old_record: null }],
      ['note:update', { ...about('update'), record: c, old_record: b }],
      ['note:update', { ...about('update'), record: a, old_record: a }],
      ['note:update', { ...about('update'), record: c, old_record: c }],
      ['note:update', { ...about('update'), record: c12, old_record: c }],
      ['note:update', { ...about('update'), record: aDone, old_record: a }],
      ['note:update', { ...about('update'), record: c12, old_record: c12 }],
      ['note:delete', { ...about('delete'), record: null, old_record: aDone }],
      ['note:delete', { ...about('delete'), record: null, old_record: c12 }],
      truncated,
    ],
    record: [
      ['note:insert', a],
      ['note:insert', b],
      ['note:update', c],
      ['note:update', a],
      ['note:update', c],
      ['note:update', c12],
      ['note:update', aDone],
      ['note:update', c12],
      ['note:delete', aDone],
      ['note:delete', c12],
      truncated,
    ],
    diff: [
      ['note:insert', { ...about('insert'), key: { id: 1 }, record: a, old_record: null }],
      ['note:insert', { ...about('insert'), key: { id: 2 }, record: b, old_record: null }],
      ['note:update', { ...about('update'), key: { id: 2 }, record: { title: 'c' }, old_record: { title: 'b' } }],
      ['note:update', { ...about('update'), key: { id: 2 }, record: { id: 12 }, old_record: { id: 2 } }],
      ['note:update', { ...about('update'), key: { id: 1 }, record: { done: true }, old_record: { done: false } }],
      ['note:delete', { ...about('delete'), key: { id: 1 }, record: null, old_record: aDone }],
      ['note:delete', { ...about('delete'), key: { id: 12 }, record: null, old_record: c12 }],
      truncated,
    ],
    keys: [
      ['note:insert', { id: 1 }],
      ['note:insert', { id: 2 }],
      ['note:update', { id: 2 }],
      ['note:update', { id: 1 }],
      ['note:update', { id: 2 }],
      ['note:update', { id: 12 }, { id: 2 }],
      ['note:update', { id: 1 }],
      ['note:update', { id: 12 }],
      ['note:delete', { id: 1 }],
      ['note:delete', { id: 12 }],
      truncated,
    ],
  },
  'statement level': {
    change: [
      ['note:insert', { ...about('insert'), count: 2, records: [a, b], old_records: null }],
      ['note:update', { ...about('update'), count: 1, records: [c], old_records: [b] }],
      ['note:update', { ...about('update'), count: 2, records: [a, c], old_records: [a, c] }],
      ['note:update', { ...about('update'), count: 1, records: [c12], old_records: [c] }],
      ['note:update', { ...about('update'), count: 2, records: [aDone, c12], old_records: [a, c12] }],
      ['note:delete', { ...about('delete'), count: 2, records: null, old_records: [aDone, c12] }],
      truncated,
    ],
    record: [
      ['note:insert', { count: 2, records: [a, b] }],
      ['note:update', { count: 1, records: [c] }],
      ['note:update', { count: 2, records: [a, c] }],
      ['note:update', { count: 1, records: [c12] }],
      ['note:update', { count: 2, records: [aDone, c12] }],
      ['note:delete', { count: 2, records: [aDone, c12] }],
      truncated,
    ],
    diff: [
      ['note:insert', { ...about('insert'), count: 2, keys: [{ id: 1 }, { id: 2 }], records: [a, b],
        old_records: null }],
      ['note:update', { ...about('update'), count: 1, keys: [{ id: 2 }], records: [{ title: 'c' }],
        old_records: [{ title: 'b' }] }],
      ['note:update', { ...about('update'), count: 1, keys: [{ id: 2 }], records: [{ id: 12 }],
        old_records: [{ id: 2 }] }],
      ['note:update', { ...about('update'), count: 1, keys: [{ id: 1 }], records: [{ done: true }],
        old_records: [{ done: false }] }],
      ['note:delete', { ...about('delete'), count: 2, keys: [{ id: 1 }, { id: 12 }], records: null,
        old_records: [aDone, c12] }],
      truncated,
    ],
    keys: [
      ['note:insert', { count: 2, keys: [{ id: 1 }, { id: 2 }] }],
      ['note:update', { count: 1, keys: [{ id: 2 }], old_keys: [null] }],
      ['note:update', { count: 2, keys: [{ id: 1 }, { id: 2 }], old_keys: [null, null] }],
      ['note:update', { count: 1, keys: [{ id: 12 }], old_keys: [{ id: 2 }] }],
      ['note:update', { count: 2, keys: [{ id: 1 }, { id: 12 }], old_keys: [null, null] }],
      ['note:delete', { count: 2, keys: [{ id: 1 }, { id: 12 }] }],
      truncated,
    ],
  },
};

// Rows of every value of the catalogue, in several tables because a row has its limits.
async function makeWideTables(database) {
  const { values, missing } = await catalogue(database);
  const typesOfAll = values.map((value, i) => `pg_typeof((${value}))::text AS c${i}`);
  const { rows: [typeOf] } = await database.query(`SELECT ${typesOfAll}`);
  // No column can be of a type that has no name.
  const storable = values.filter((value, i) => !typeOf[`c${i}`].startsWith('record'));
  assert.ok(storable.length > 300, `${storable.length} values`);
  await database.query(`CREATE SCHEMA wide; SET TimeZone = 'UTC'`);
  const records = [];
  for (let start = 0; start < storable.length; start += 40) {
    const name = `wide_${String.fromCharCode('a'.charCodeAt(0) + records.length)}`;
    const columns = storable.slice(start, start + 40).map((value, i) => `(${value}) AS c${i}`);
    await database.query(`CREATE TABLE wide.${name} AS SELECT ${columns}`);
    const { rows: [{ json }] } = await database.query(`SELECT to_jsonb(${name})::text AS json FROM wide.${name}`);
    // As socket.io's own JSON passes it on: no infinite number, no negative zero.
    records.push([name, JSON.parse(JSON.stringify(JSON.parse(json)))]);
  }
  return { records, missing };
}

onEachAdapter('changes: payloads', { prepare: types }, (stage) => {
  const { query, connect, settled } = stage;
  let wide;
  const tables = (sql) => makeTables(query, sql);

  for (const { level, triggers } of levels) {
    const byRow = level === 'row level';

    for (const [kind, expected] of Object.entries(expectations[level])) {
      test(`${level}: payload=${kind}`, async () => {
        const options = ['note', `payload=${kind}`];
        await tables(`
          CREATE TABLE note (id int PRIMARY KEY, title text, done boolean);
          ${triggers(...options)} ${onTruncate(...options)}`);
        const clients = await connect({}, {}, {});
        for (const step of steps) await query(step);
        assert.deepEqual(await settled(...clients), clients.map(() => expected));
      });

      test(`${level}: payload=${kind} in attachments`, async () => {
        const options = ['note', `payload=${kind}`];
        await tables(`
          CREATE TABLE note (id int PRIMARY KEY, title text, done boolean);
          ${triggers(...options)} ${onTruncate(...options)}
          SET socketio_emitter.payload_threshold = 1`);
        const clients = await connect({}, {}, {});
        const made = await stage.database.attachmentsMade();
        for (const step of steps) await query(step);
        assert.equal(await stage.database.attachmentsMade(), made + expected.length);
        assert.deepEqual(await settled(...clients), clients.map(() => expected));
      });
    }

    test(`${level}: bytea arrives as a Buffer, at any depth`, async () => {
      const kinds = ['change', 'record', 'diff'];
      await tables(`
        CREATE TYPE piece AS (label text, content bytea);
        ${kinds.map((kind) => `
          CREATE TABLE file_${kind} (id int PRIMARY KEY, content bytea, pieces piece[], raw bytea[]);
          ${triggers(`file_${kind}`, 'event={op}', `payload=${kind}`)}`).join('')}`);
      const clients = await connect({}, {}, {});
      for (const kind of kinds) {
        const file = `file_${kind}`;
        await query(`INSERT INTO ${file} VALUES
          (1, '\\x00ff', ARRAY[ROW('a', '\\x01'), NULL]::piece[], ARRAY['\\x02', NULL, '']::bytea[])`);
        await query(`UPDATE ${file} SET content = ''`);
        await query(`DELETE FROM ${file}`);
      }
      const deep = { pieces: [{ label: 'a', content: bytes(1) }, null], raw: [bytes(2), null, bytes()] };
      const first = { id: 1, content: bytes(0, 255), ...deep };
      const second = { id: 1, content: bytes(), ...deep };
      const list = (value) => [value];
      const changeOf = (table, op, oldRow, row, key) => {
        const what = { op, schema: SCHEMA, table };
        if (byRow) return [op, { ...what, ...(key && { key }), record: row, old_record: oldRow }];
        return [op, { ...what, count: 1, ...(key && { keys: list(key) }), records: row && list(row),
          old_records: oldRow && list(oldRow) }];
      };
      const recordOf = (op, row) => [op, byRow ? row : { count: 1, records: list(row) }];
      const key = { id: 1 };
      const expected = [
        changeOf('file_change', 'insert', null, first),
        changeOf('file_change', 'update', first, second),
        changeOf('file_change', 'delete', second, null),
        recordOf('insert', first),
        recordOf('update', second),
        recordOf('delete', second),
        changeOf('file_diff', 'insert', null, first, key),
        changeOf('file_diff', 'update', { content: bytes(0, 255) }, { content: bytes() }, key),
        changeOf('file_diff', 'delete', second, null, key),
      ];
      assert.deepEqual(await settled(...clients), clients.map(() => expected));
    });

    test(`${level}: a key of bytea`, async () => {
      await tables(`
        CREATE TABLE blob (hash bytea PRIMARY KEY, name text);
        ${triggers('blob', 'payload=keys')}`);
      const clients = await connect({}, {}, {});
      await query(`INSERT INTO blob VALUES ('\\xab', 'x')`);
      await query(`UPDATE blob SET hash = '\\xcd'`);
      const [ab, cd] = [{ hash: bytes(0xab) }, { hash: bytes(0xcd) }];
      const expected = byRow
        ? [['blob:insert', ab], ['blob:update', cd, ab]]
        : [['blob:insert', { count: 1, keys: [ab] }], ['blob:update', { count: 1, keys: [cd], old_keys: [ab] }]];
      assert.deepEqual(await settled(...clients), clients.map(() => expected));
    });

    test(`${level}: columns left out are not there, and leave no binary behind`, async () => {
      const without = { change: 'exclude=content, Odd name', record: 'columns=id, name', diff: 'exclude=content' };
      await tables(Object.entries(without).map(([kind, option]) => `
        CREATE TABLE file_${kind} (id int PRIMARY KEY, name text, content bytea, "Odd name" int);
        ${triggers(`file_${kind}`, 'event={op}', `payload=${kind}`, option)}`).join(''));
      const clients = await connect({}, {}, {});
      const made = await stage.database.attachmentsMade();
      for (const kind of Object.keys(without)) {
        await query(`INSERT INTO file_${kind} VALUES (1, 'a', '\\xff', 5)`);
        await query(`UPDATE file_${kind} SET content = '\\xfe'`);
      }
      assert.equal(await stage.database.attachmentsMade(), made);
      const short = { id: 1, name: 'a' };
      const long = { ...short, 'Odd name': 5 };
      const what = (op, table) => ({ op, schema: SCHEMA, table });
      // payload=diff has nothing to say of an UPDATE that changes only what is left out.
      const expected = byRow
        ? [
          ['insert', { ...what('insert', 'file_change'), record: short, old_record: null }],
          ['update', { ...what('update', 'file_change'), record: short, old_record: short }],
          ['insert', short],
          ['update', short],
          ['insert', { ...what('insert', 'file_diff'), key: { id: 1 }, record: long, old_record: null }],
        ]
        : [
          ['insert', { ...what('insert', 'file_change'), count: 1, records: [short], old_records: null }],
          ['update', { ...what('update', 'file_change'), count: 1, records: [short], old_records: [short] }],
          ['insert', { count: 1, records: [short] }],
          ['update', { count: 1, records: [short] }],
          ['insert', { ...what('insert', 'file_diff'), count: 1, keys: [{ id: 1 }], records: [long],
            old_records: null }],
        ];
      assert.deepEqual(await settled(...clients), clients.map(() => expected));
    });

    // What tells rows apart: [how, the end of CREATE TABLE, what follows it, key of the row (1, 'x', 'p')].
    const identities = [
      ['a primary key of several columns', ', PRIMARY KEY (b, a)', '', { a: 1, b: 'x' }],
      ['the replica identity', '', `CREATE UNIQUE INDEX by_b ON pair_of (b);
        ALTER TABLE pair_of REPLICA IDENTITY USING INDEX by_b;`, { b: 'x' }],
    ];
    const makePairs = (constraint, after, option) => tables(`
      CREATE TABLE pair_of (a int NOT NULL, b text NOT NULL, c text NOT NULL ${constraint});
      ${after}
      ${triggers('pair_of', 'event={op}', option)}`);
    const changePairs = async () => {
      await query(`INSERT INTO pair_of VALUES (1, 'x', 'p')`);
      await query(`UPDATE pair_of SET b = 'y'`);
      await query('DELETE FROM pair_of');
    };

    for (const [identity, constraint, after, key] of identities) {
      test(`${level}: payload=keys with ${identity}`, async () => {
        await makePairs(constraint, after, 'payload=keys');
        const clients = await connect({}, {}, {});
        await changePairs();
        const changed = { ...key, b: 'y' };
        const expected = byRow
          ? [['insert', key], ['update', changed, key], ['delete', changed]]
          : [
            ['insert', { count: 1, keys: [key] }],
            ['update', { count: 1, keys: [changed], old_keys: [key] }],
            ['delete', { count: 1, keys: [changed] }],
          ];
        assert.deepEqual(await settled(...clients), clients.map(() => expected));
      });
    }

    identities.push(
      ['REPLICA IDENTITY FULL', '', 'ALTER TABLE pair_of REPLICA IDENTITY FULL;', { a: 1, b: 'x', c: 'p' }]);
    for (const [identity, constraint, after, key] of identities) {
      test(`${level}: payload=diff with ${identity}`, async () => {
        await makePairs(constraint, after, 'payload=diff');
        const clients = await connect({}, {}, {});
        await changePairs();
        const expected = [
          ['insert', key, null, { a: 1, b: 'x', c: 'p' }],
          ['update', key, { b: 'x' }, { b: 'y' }],
          ['delete', { ...key, b: 'y' }, { a: 1, b: 'y', c: 'p' }, null],
        ];
        const received = (await settled(...clients)).map((events) => events.map(([op, change]) => {
          if (byRow) return [op, change.key, change.old_record, change.record];
          assert.equal(change.count, 1);
          return [op, change.keys[0], change.old_records?.[0] ?? null, change.records?.[0] ?? null];
        }));
        assert.deepEqual(received, clients.map(() => expected));
      });
    }

    test(`${level}: a table that changes its columns between two statements of one session`, async () => {
      await tables(`CREATE TABLE item (id int, gone text, name text); ${triggers('item')}`);
      const clients = await connect({}, {}, {});
      await query(`INSERT INTO item VALUES (1, 'x', 'a')`);
      await query('ALTER TABLE item DROP COLUMN gone');
      await query(`ALTER TABLE item ADD COLUMN colour text NOT NULL DEFAULT 'red'`);
      await query('UPDATE item SET id = 2');
      await query('ALTER TABLE item ADD COLUMN twice int GENERATED ALWAYS AS (id * 2) STORED');
      await query('ALTER TABLE item RENAME COLUMN name TO title');
      await query('ALTER TABLE item RENAME TO goods');
      await query('UPDATE goods SET id = 3');
      const received = await settled(...clients);
      const events = ['item:insert', 'item:update', 'goods:update'];
      assert.deepEqual(received.map((list) => list.map(([event]) => event)), clients.map(() => events));
      const expected = [
        ['insert', null, { id: 1, gone: 'x', name: 'a' }],
        ['update', { id: 1, name: 'a', colour: 'red' }, { id: 2, name: 'a', colour: 'red' }],
        ['update', { id: 2, title: 'a', colour: 'red', twice: 4 }, { id: 3, title: 'a', colour: 'red', twice: 6 }],
      ];
      assert.deepEqual(received.map(rowChanges), clients.map(() => expected));
    });

    test(`${level}: rows of 20 KB and 1 MB, packed by TOAST and not`, async () => {
      await tables(`CREATE TABLE page (id int PRIMARY KEY, title text, body text); ${triggers('page')}`);
      const clients = await connect({}, {}, {});
      const made = await stage.database.attachmentsMade();
      const bodies = ['é😀'.repeat(3_500), randomText(20_000), randomText(1_000_000)];
      for (const [id, body] of bodies.entries()) await query('INSERT INTO page VALUES ($1, $2, $3)', [id, 'old', body]);
      await query(`UPDATE page SET title = 'new' WHERE id = 1`);
      await query('DELETE FROM page WHERE id = 2');
      assert.equal(await stage.database.attachmentsMade(), made + 5);
      const page = (id, title) => ({ id, title, body: bodies[id] });
      const expected = [
        ['insert', null, page(0, 'old')],
        ['insert', null, page(1, 'old')],
        ['insert', null, page(2, 'old')],
        ['update', page(1, 'old'), page(1, 'new')],
        ['delete', page(2, 'old'), null],
      ];
      for (const received of await settled(...clients)) assertSame(rowChanges(received), expected);
    });

    test(`${level}: of a large row diff and keys send what changed, not what stayed`, async () => {
      await tables(`
        CREATE TABLE page (id int PRIMARY KEY, title text, body text);
        INSERT INTO page SELECT 1, 'old', string_agg(md5(n::text), '') FROM generate_series(1, 1000) AS n;
        ${triggers('page', 'payload=diff', 'event=diff')}`);
      const clients = await connect({}, {}, {});
      const made = await stage.database.attachmentsMade();
      await query(`UPDATE page SET title = 'new'`);
      await query('UPDATE page SET body = body');
      assert.equal(await stage.database.attachmentsMade(), made);
      const what = { op: 'update', schema: SCHEMA, table: 'page' };
      const expected = byRow
        ? [['diff', { ...what, key: { id: 1 }, record: { title: 'new' }, old_record: { title: 'old' } }]]
        : [['diff', { ...what, count: 1, keys: [{ id: 1 }], records: [{ title: 'new' }],
          old_records: [{ title: 'old' }] }]];
      assert.deepEqual(await settled(...clients), clients.map(() => expected));
    });

    // What each adapter makes of JSON and msgpack is values.test.js's business: here the newest is enough.
    const forms = [['JSON in a notification', 8000], ['msgpack in an attachment', 1]];
    for (const [how, threshold] of stage.version === versions.at(-1) ? forms : []) {
      test(`${level}: every value as ${how}`, async (t) => {
        wide ??= await makeWideTables(stage.database);
        for (const type of wide.missing) t.diagnostic(`no values of type ${type}: its extension is not installed`);
        await tables(wide.records.map(([name]) => `
          CREATE TABLE ${name} (LIKE wide.${name});
          ${triggers(name, 'event={table}', 'payload=record')}`).join(''));
        const [client] = await connect({});
        await query(`SET TimeZone = 'UTC'; SET socketio_emitter.payload_threshold = ${threshold}`);
        for (const [name] of wide.records) await query(`INSERT INTO ${name} SELECT * FROM wide.${name}`);
        const expected = wide.records.map(([name, record]) => {
          return [name, byRow ? record : { count: 1, records: [record] }];
        });
        const [received] = await settled(client);
        assertSame([...received].sort(([one], [other]) => (one < other ? -1 : 1)), expected);
      });
    }
  }

  test('statement level: no event for a statement without rows', async () => {
    await tables(`CREATE TABLE note (id int PRIMARY KEY, title text); ${onStatements('note')}`);
    const clients = await connect({}, {}, {});
    await query('INSERT INTO note SELECT n FROM generate_series(1, 0) AS n');
    await query(`UPDATE note SET title = 'x'`);
    await query('DELETE FROM note');
    assert.deepEqual(await settled(...clients), clients.map(() => []));
  });

  test('statement level: one event as long as it is small enough, more as soon as it is not', async () => {
    await tables(`CREATE TABLE page (id int PRIMARY KEY, body text); ${onStatements('page', 'payload=record')}`);
    const insert = (first, last, length) =>
      query(`INSERT INTO page SELECT n, repeat('x', ${length}) FROM generate_series(${first}, ${last}) AS n`);
    const clients = await connect({}, {}, {});
    await insert(1, 3, 20_000);
    await query('SET socketio_emitter.max_batch_bytes = 50000');
    await insert(4, 6, 20_000);
    await query('SET socketio_emitter.max_batch_bytes = 30000');
    await insert(7, 9, 20_000);
    for (const received of await settled(...clients)) {
      const ids = received.map(([, { count, records }]) => {
        assert.equal(records.length, count);
        for (const { body } of records) assert.equal(body, 'x'.repeat(20_000));
        return records.map(({ id }) => id);
      });
      assert.deepEqual(ids, [[1, 2, 3], [4, 5], [6], [7], [8], [9]]);
    }
  });

  test('statement level: a row larger than max_batch_bytes goes alone', async () => {
    await tables(`CREATE TABLE page (id int PRIMARY KEY, body text); ${onStatements('page', 'payload=record')}`);
    const clients = await connect({}, {}, {});
    await query('SET socketio_emitter.max_batch_bytes = 10000');
    await query(`INSERT INTO page VALUES
      (1, 'small'), (2, 'small'), (3, repeat('x', 100000)), (4, 'small'), (5, repeat('x', 100000))`);
    // What is small enough for a notification does not overtake the attachments before it.
    const ids = ([, { records }]) => records.map(({ id }) => id);
    const received = (await settled(...clients)).map((events) => events.map(ids));
    assert.deepEqual(received, clients.map(() => [[1, 2], [3], [4], [5]]));
  });

  test('the same change several times in one transaction is as many events', async () => {
    await tables(`
      CREATE TABLE tick (id int PRIMARY KEY); CREATE TABLE tock (id int PRIMARY KEY);
      INSERT INTO tick VALUES (1); INSERT INTO tock VALUES (1);
      ${onRows('tick', 'event=tick', 'payload=keys')} ${onStatements('tock', 'event=tock', 'payload=record')}`);
    const clients = await connect({}, {}, {});
    await query(`
      DO $$ BEGIN FOR n IN 1..100 LOOP UPDATE tick SET id = id; UPDATE tock SET id = id; END LOOP; END $$`);
    const once = [['tick', { id: 1 }], ['tock', { count: 1, records: [{ id: 1 }] }]];
    assert.deepEqual(await settled(...clients), clients.map(() => Array.from({ length: 100 }, () => once).flat()));
  });
});

// Text that pglz cannot pack, so that TOAST keeps it as it is.
function randomText(length) {
  let state = 42;
  let text = '';
  while (text.length < length) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    text += state.toString(36);
  }
  return text.slice(0, length);
}

// deepEqual would print megabytes of difference.
function assertSame(received, expected) {
  if (isDeepStrictEqual(received, expected)) return;
  const differences = [];
  compare('', received, expected, differences);
  assert.fail(`received something else:\n  ${differences.slice(0, 20).join('\n  ')}`);
}

function compare(path, received, expected, differences) {
  if (isDeepStrictEqual(received, expected)) return;
  const inside = (value) => typeof value === 'object' && value !== null;
  if (!inside(received) || !inside(expected)) {
    differences.push(`${path}: ${outline(received)} instead of ${outline(expected)}`);
    return;
  }
  for (const key of new Set([...Object.keys(received), ...Object.keys(expected)])) {
    compare(`${path}/${key}`, received[key], expected[key], differences);
  }
}

function outline(value) {
  return inspect(value, { depth: 3, breakLength: Infinity, maxStringLength: 100, maxArrayLength: 10 }).slice(0, 200);
}
