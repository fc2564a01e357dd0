// Row changes: which sockets hear of which row, and under which event and namespace.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { levels, makeTables, onRows, onStatements, onTruncate, rowChanges, SCHEMA } from './lib/changes.js';
import { sorted } from './lib/sorted.js';
import { onEachAdapter } from './lib/suite.js';
import { hold, untilWritable } from './lib/transport.js';

const table = 'CREATE TABLE task (id int PRIMARY KEY, owner text, helper text, title text);';
const task = (id, owner, title, helper = null) => ({ id, owner, helper, title });

onEachAdapter('changes: rooms', { cluster: { namespaces: ['/', `/${SCHEMA}/task`] } }, (stage) => {
  const { query, connect, settled } = stage;
  const tables = (sql) => makeTables(query, table + sql);
  // What each of these clients was told of single rows.
  const told = async (...clients) => (await settled(...clients)).map(rowChanges);

  // One client in the room of each owner, one in all three, and one in none of them.
  const connectOwners = () => connect({ rooms: ['user:ada'] }, { rooms: ['user:bob'] }, { rooms: ['user:carol'] },
    { rooms: ['user:ada', 'user:bob', 'user:carol'] }, { rooms: ['user:dora', 'user:', 'user:{owner}'] });

  for (const { level, triggers } of levels) {
    test(`${level}: an UPDATE that changes the room's column reaches the old and the new room, each socket once`,
      async () => {
        await tables(triggers('task', 'rooms=user:{owner}'));
        const clients = await connectOwners();
        await query(`INSERT INTO task VALUES (1, 'ada', NULL, 'write')`);
        await query(`UPDATE task SET owner = 'bob'`);
        await query(`UPDATE task SET title = 'read'`);
        await query(`UPDATE task SET owner = 'carol', title = 'rest'`);
        await query('DELETE FROM task');
        const made = ['insert', null, task(1, 'ada', 'write')];
        const given = ['update', task(1, 'ada', 'write'), task(1, 'bob', 'write')];
        const renamed = ['update', task(1, 'bob', 'write'), task(1, 'bob', 'read')];
        const passedOn = ['update', task(1, 'bob', 'read'), task(1, 'carol', 'rest')];
        const gone = ['delete', task(1, 'carol', 'rest'), null];
        assert.deepEqual(await told(...clients), [
          [made, given],
          [given, renamed, passedOn],
          [passedOn, gone],
          [made, given, renamed, passedOn, gone],
          [],
        ]);
      });

    test(`${level}: one UPDATE moves many rows, each between rooms of its own`, async () => {
      await tables(`
        INSERT INTO task VALUES (1, 'ada'), (2, 'bob'), (3, 'carol'), (4, 'ada'), (5, 'bob');
        ${triggers('task', 'rooms=user:{owner}')}`);
      const clients = await connectOwners();
      await query(`UPDATE task SET owner =
        CASE id WHEN 1 THEN 'bob' WHEN 2 THEN 'ada' WHEN 3 THEN 'dora' WHEN 4 THEN 'carol' ELSE owner END`);
      const move = (id, from, to) => ['update', task(id, from, null), task(id, to, null)];
      const moves = [move(1, 'ada', 'bob'), move(2, 'bob', 'ada'), move(3, 'carol', 'dora'), move(4, 'ada', 'carol'),
        move(5, 'bob', 'bob')];
      const only = (...ids) => moves.filter(([, { id }]) => ids.includes(id));
      assert.deepEqual((await told(...clients)).map(sorted),
        [only(1, 2, 4), only(1, 2, 5), only(3, 4), moves, only(3)]);
    });

    test(`${level}: a row whose room column is NULL is sent to nobody`, async () => {
      await tables(triggers('task', 'rooms=user:{owner}'));
      const clients = await connectOwners();
      await query(`INSERT INTO task VALUES (1, NULL, NULL, 'a')`);
      await query(`UPDATE task SET title = 'b'`);
      await query(`UPDATE task SET owner = 'ada'`);
      await query('UPDATE task SET owner = NULL');
      await query(`UPDATE task SET title = 'c'`);
      await query('DELETE FROM task');
      const changes = [
        ['update', task(1, null, 'b'), task(1, 'ada', 'b')],
        ['update', task(1, 'ada', 'b'), task(1, null, 'b')],
      ];
      assert.deepEqual(await told(...clients), [changes, [], [], changes, []]);
    });

    test(`${level}: an empty text is no NULL`, async () => {
      await tables(triggers('task', 'rooms={owner}'));
      const clients = await connect({ rooms: [''] }, { rooms: ['null'] }, {});
      await query(`INSERT INTO task (id, owner) VALUES (1, ''), (2, NULL)`);
      assert.deepEqual(await told(...clients), [[['insert', null, task(1, '', null)]], [], []]);
    });

    test(`${level}: of several rooms a NULL takes away its own`, async () => {
      await tables(triggers('task', 'rooms = user:{owner} , user:{helper}, admins '));
      const clients = await connect({ rooms: ['user:ada'] }, { rooms: ['user:bob'] }, { rooms: ['admins'] },
        { rooms: ['user:ada', 'user:bob', 'admins'] }, {});
      await query(`INSERT INTO task VALUES (1, 'ada', 'bob', 'both')`);
      await query(`INSERT INTO task VALUES (2, NULL, 'bob', 'helper')`);
      await query(`INSERT INTO task VALUES (3, 'ada', NULL, 'owner')`);
      await query(`INSERT INTO task VALUES (4, NULL, NULL, 'neither')`);
      await query(`INSERT INTO task VALUES (5, 'ada', 'ada', 'same')`);
      const made = (...rest) => ['insert', null, task(...rest)];
      const [both, helper, owner, neither, same] = [made(1, 'ada', 'both', 'bob'), made(2, null, 'helper', 'bob'),
        made(3, 'ada', 'owner'), made(4, null, 'neither'), made(5, 'ada', 'same', 'ada')];
      assert.deepEqual(await told(...clients),
        [[both, owner, same], [both, helper], [both, helper, owner, neither, same],
          [both, helper, owner, neither, same], []]);
    });

    test(`${level}: except`, async () => {
      await tables(triggers('task', 'rooms=user:{owner}', 'except=user:{helper}, muted'));
      const clients = await connect({ rooms: ['user:ada'] }, { rooms: ['user:ada', 'user:bob'] },
        { rooms: ['user:ada', 'user:carol'] }, { rooms: ['user:ada', 'muted'] }, { rooms: ['user:bob'] }, {});
      await query(`INSERT INTO task VALUES (1, 'ada', 'bob', 'x')`);
      // Of an UPDATE, the new row says who is excepted; of a DELETE, the only one there is.
      await query(`UPDATE task SET helper = 'carol'`);
      await query('DELETE FROM task');
      await query(`INSERT INTO task VALUES (2, 'ada', NULL, 'x')`);
      const made = ['insert', null, task(1, 'ada', 'x', 'bob')];
      const handed = ['update', task(1, 'ada', 'x', 'bob'), task(1, 'ada', 'x', 'carol')];
      const gone = ['delete', task(1, 'ada', 'x', 'carol'), null];
      const alone = ['insert', null, task(2, 'ada', 'x')];
      assert.deepEqual(await told(...clients),
        [[made, handed, gone, alone], [handed, gone, alone], [made, alone], [], [], []]);
    });

    test(`${level}: except without rooms is everybody else`, async () => {
      await tables(triggers('task', 'except=user:{owner}'));
      const clients = await connect({ rooms: ['user:ada'] }, { rooms: ['user:bob'] }, {});
      await query(`INSERT INTO task VALUES (1, 'ada')`);
      await query('INSERT INTO task VALUES (2, NULL)');
      const first = ['insert', null, task(1, 'ada', null)];
      const second = ['insert', null, task(2, null, null)];
      assert.deepEqual(await told(...clients), [[second], [first, second], [first, second]]);
    });

    test(`${level}: without rooms everybody`, async () => {
      await tables(triggers('task'));
      const clients = await connect({ rooms: ['user:ada'] }, {}, { namespace: `/${SCHEMA}/task` });
      await query(`INSERT INTO task VALUES (1, NULL, NULL, NULL)`);
      const made = [['insert', null, task(1, null, null)]];
      assert.deepEqual(await told(...clients), [made, made, []]);
    });

    test(`${level}: namespace and event from templates`, async () => {
      await tables(triggers('task', 'nsp=/{schema}/{table}', 'event={{{OP}}} {schema}.{table} {op} {id}'));
      const namespace = `/${SCHEMA}/task`;
      const clients = await connect({ namespace }, { namespace }, {});
      await query('INSERT INTO task VALUES (1), (2)');
      await query('UPDATE task SET id = 3 WHERE id = 2');
      const events = ['{INSERT} shop.task insert 1', '{INSERT} shop.task insert 2', '{UPDATE} shop.task update 3'];
      const received = await settled(...clients);
      assert.deepEqual(received.map((list) => list.map(([event]) => event)), [events, events, []]);
    });

    test(`${level}: a socket's own id kept in the row`, async () => {
      await tables(triggers('task', 'rooms={owner}', 'except={helper}'));
      const clients = await connect({}, {}, { rooms: ['team'] }, { rooms: ['team'] });
      await query('INSERT INTO task VALUES (1, $1)', [clients[1].id]);
      await query(`INSERT INTO task VALUES (2, 'team', $1)`, [clients[2].id]);
      const byId = (await told(...clients)).map((changes) => changes.map(([, , { id }]) => id));
      assert.deepEqual(byId, [[], [1], [], [2]]);
    });

    test(`${level}: a volatile one is dropped for a client that cannot take it, another is not`, async () => {
      await makeTables(query, `
        CREATE TABLE news (id int); CREATE TABLE kept (id int);
        ${triggers('news', 'volatile', 'compress=true')}
        ${triggers('kept', 'volatile=false', 'compress=false')}`);
      const clients = await connect({}, {}, {});
      for (const client of clients) await untilWritable(stage.cluster.socketOf(client).conn.transport);
      const release = hold(stage.cluster.socketOf(clients[1]).conn);
      await query('INSERT INTO news VALUES (1)');
      await query('INSERT INTO kept VALUES (2)');
      await settled(clients[0], clients[2]);
      // The held client's server has to have handled both as well before it may send again.
      const [witness] = await connect({ server: 1 });
      await settled(witness);
      release();
      const both = [['insert', null, { id: 1 }], ['insert', null, { id: 2 }]];
      assert.deepEqual(await told(...clients), [both, both.slice(1), both]);
    });

    test(`${level}: a room from a value of each kind`, async () => {
      // The column's type, a value, and how it stands in a room's name.
      const values = [
        ['int2', '-5', '-5'],
        ['int4', '2147483647', '2147483647'],
        ['int8', '9007199254740993', '9007199254740993'],
        ['numeric', '12.50', '12.50'],
        ['float8', '1.5', '1.5'],
        ['boolean', 'true', 'true'],
        ['text', `'a,b {id} {{"q"}} \\ é😀'`, 'a,b {id} {{"q"}} \\ é😀'],
        ['text', `''`, ''],
        ['varchar(10)', `'null'`, 'null'],
        ['uuid', `'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'`, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
        ['date', `'2026-02-28'`, '2026-02-28'],
        ['timestamp', `'2026-02-28 12:34:56.789'`, '2026-02-28T12:34:56.789'],
        ['timestamptz', `'2026-02-28 12:34:56+00'`, '2026-02-28T12:34:56+00:00'],
        ['mood', `'so-so'`, 'so-so'],
        ['positive', '7', '7'],
        ['inet', `'192.168.0.1'`, '192.168.0.1'],
        ['interval', `'1 day 02:00'`, '1 day 02:00:00'],
      ];
      const columns = values.map(([type], i) => `c${i} ${type}`);
      const rooms = values.map((_, i) => `${i}:{c${i}}`);
      await makeTables(query, `
        CREATE TYPE mood AS ENUM ('good', 'so-so');
        CREATE DOMAIN positive AS int CHECK (VALUE > 0);
        CREATE TABLE one_of_each (${columns});
        ${triggers('one_of_each', `rooms=${rooms}`, 'payload=record', 'columns=c0')}
        SET TimeZone = 'UTC'; SET DateStyle = 'SQL, DMY'`);
      const clients = await connect(...values.map(([, , text], i) => ({ rooms: [`${i}:${text}`] })),
        { rooms: values.map((_, i) => `${i}:`) });
      await query(`INSERT INTO one_of_each VALUES (${values.map(([, value]) => value)})`);
      // By statement it comes in a list; here it is only about who receives it. '' is the bystander's room as well.
      const reached = (await settled(...clients)).map((events) => events.length);
      assert.deepEqual(reached, [...values.map(() => 1), 1]);
    });
  }

  test('statement level: one event for each set of rooms, in the order of their first rows', async () => {
    await tables(onStatements('task', 'rooms=user:{owner}'));
    const clients = await connectOwners();
    await query(`INSERT INTO task VALUES (1, 'bob'), (2, 'ada'), (3, NULL), (4, 'bob'), (5, 'carol'), (6, 'ada')`);
    const made = (...rows) => ['task:insert', {
      op: 'insert',
      schema: SCHEMA,
      table: 'task',
      count: rows.length,
      records: rows.map(([id, owner]) => task(id, owner, null)),
      old_records: null,
    }];
    const ada = made([2, 'ada'], [6, 'ada']);
    const bob = made([1, 'bob'], [4, 'bob']);
    const carol = made([5, 'carol']);
    assert.deepEqual(await settled(...clients), [[ada], [bob], [carol], [bob, ada, carol], []]);
  });

  test('statement level: rows with the same rooms but other events, or other sockets excepted, are kept apart',
    async () => {
      await tables(onStatements('task', 'rooms=all', 'except=user:{helper}', 'event=task of {owner}'));
      const clients = await connect({ rooms: ['all'] }, { rooms: ['all', 'user:bob'] }, { rooms: ['user:bob'] });
      await query(`INSERT INTO task VALUES
        (1, 'ada', 'bob'), (2, 'ada', NULL), (3, 'carol', 'bob'), (4, 'ada', 'bob'), (5, 'carol', 'bob')`);
      const heard = (await settled(...clients)).map((events) => {
        return events.map(([event, { records }]) => [event, ...records.map(({ id }) => id)]);
      });
      assert.deepEqual(heard, [
        [['task of ada', 1, 4], ['task of ada', 2], ['task of carol', 3, 5]],
        [['task of ada', 2]],
        [],
      ]);
    });

  test('statement level: a thousand rooms in one statement', async () => {
    await tables(onStatements('task', 'rooms=user:{owner}'));
    const clients = await connect({ rooms: ['user:1'] }, { rooms: ['user:999', 'user:500', 'user:0'] }, {});
    await query(`INSERT INTO task SELECT n, n % 1000 FROM generate_series(1, 5000) AS n`);
    const of = (owner) => ['task:insert', owner, ...[0, 1, 2, 3, 4].map((i) => i * 1000 + (owner || 1000))];
    const heard = (await settled(...clients)).map((events) => events.map(([event, { records }]) => {
      return [event, Number(records[0].owner), ...records.map(({ id }) => id)];
    }));
    assert.deepEqual(heard, [[of(1)], [of(500), of(999), of(0)], []]);
  });

  test('TRUNCATE knows no rows: it goes to the rooms that name no column', async () => {
    await makeTables(query, `
      CREATE TABLE partly (owner text); CREATE TABLE hushed (owner text); CREATE TABLE everybody (owner text);
      CREATE TABLE excepted (owner text);
      ${onTruncate('partly', 'rooms=user:{owner},{table}-readers')}
      ${onTruncate('hushed', 'rooms=user:{owner}')}
      ${onTruncate('everybody')}
      ${onTruncate('excepted', 'rooms=all', 'except=user:{owner},{table}-muted')}
      INSERT INTO partly VALUES ('ada'); INSERT INTO hushed VALUES ('ada'); INSERT INTO excepted VALUES ('ada')`);
    const clients = await connect({ rooms: ['user:ada', 'all'] }, { rooms: ['partly-readers'] }, { rooms: ['user:'] },
      { rooms: ['all', 'excepted-muted'] });
    for (const name of ['partly', 'hushed', 'everybody', 'excepted']) await query(`TRUNCATE ${name}`);
    const truncated = (name) => [`${name}:truncate`, { op: 'truncate', schema: SCHEMA, table: name }];
    assert.deepEqual(await settled(...clients), [
      [truncated('everybody'), truncated('excepted')],
      [truncated('partly'), truncated('everybody')],
      [truncated('everybody')],
      [truncated('everybody')],
    ]);
  });

  test('two triggers on one table, each with rooms of its own', async () => {
    await tables(`
      CREATE TRIGGER a AFTER INSERT ON task FOR EACH ROW
        EXECUTE FUNCTION socketio_emit_changes('rooms=user:{owner}', 'event=yours', 'payload=keys');
      CREATE TRIGGER b AFTER INSERT ON task FOR EACH ROW
        EXECUTE FUNCTION socketio_emit_changes('rooms=user:{helper}', 'event=help', 'payload=keys');`);
    const clients = await connect({ rooms: ['user:ada'] }, { rooms: ['user:ada', 'user:bob'] }, {});
    await query(`INSERT INTO task VALUES (1, 'ada', 'bob'), (2, 'bob', 'ada')`);
    assert.deepEqual(await settled(...clients), [
      [['yours', { id: 1 }], ['help', { id: 2 }]],
      [['yours', { id: 1 }], ['help', { id: 1 }], ['yours', { id: 2 }], ['help', { id: 2 }]],
      [],
    ]);
  });

  test('a change made by hand beside it keeps its place in the order', async () => {
    await tables(onRows('task', 'event={op}', 'payload=keys'));
    const clients = await connect({}, {}, {});
    await query(`
      SELECT socketio_emit(event => 'before');
      INSERT INTO task VALUES (1);
      SELECT socketio_emit(event => 'between');
      DELETE FROM task;
      SELECT socketio_emit(event => 'after')`);
    assert.deepEqual(await settled(...clients),
      clients.map(() => [['before'], ['insert', { id: 1 }], ['between'], ['delete', { id: 1 }], ['after']]));
  });
});
