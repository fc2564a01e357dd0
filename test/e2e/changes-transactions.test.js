// Row changes and transactions: they arrive when the change is committed, in the order of the changes, or not at all.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emitChanges, levels, makeTables, onRows, rowChanges } from './lib/changes.js';
import { sorted } from './lib/sorted.js';
import { onEachAdapter } from './lib/suite.js';
import { repeatUntil } from './lib/wait.js';

const table = 'CREATE TABLE task (id int PRIMARY KEY, title text);';
const task = (id, title) => ({ id, title });

onEachAdapter('changes: transactions', {}, (stage) => {
  const { query, connect, settled } = stage;
  const tables = (sql) => makeTables(query, table + sql);
  const told = async (...clients) => (await settled(...clients)).map(rowChanges);

  for (const { level, triggers } of levels) {
    const byRow = level === 'row level';

    test(`${level}: a rolled-back savepoint, and an error caught`, async () => {
      await tables(triggers('task'));
      const clients = await connect({}, {}, {});
      await query(`
        BEGIN;
        INSERT INTO task VALUES (1, 'kept');
        SAVEPOINT one;
        INSERT INTO task VALUES (2, 'taken back');
        UPDATE task SET title = 'taken back';
        SAVEPOINT two;
        DELETE FROM task;
        RELEASE SAVEPOINT two;
        ROLLBACK TO SAVEPOINT one;
        INSERT INTO task VALUES (2, 'again');
        SAVEPOINT three;
        INSERT INTO task VALUES (3, 'released');
        RELEASE SAVEPOINT three;
        DO $$
        BEGIN
          INSERT INTO task VALUES (4, 'taken back'), (5, 'taken back');
          INSERT INTO task VALUES (1, 'there already');
        EXCEPTION WHEN unique_violation THEN
          INSERT INTO task VALUES (6, 'in the handler');
        END $$;
        COMMIT`);
      const expected = [task(1, 'kept'), task(2, 'again'), task(3, 'released'), task(6, 'in the handler')];
      assert.deepEqual(await told(...clients), clients.map(() => expected.map((row) => ['insert', null, row])));
    });

    test(`${level}: ROLLBACK, and a statement that fails halfway`, async () => {
      await tables(triggers('task'));
      const clients = await connect({}, {}, {});
      await query(`BEGIN; INSERT INTO task VALUES (1, 'a'), (2, 'b'); UPDATE task SET title = 'c'; ROLLBACK`);
      await assert.rejects(query(`INSERT INTO task VALUES (1, 'a'), (2, 'b'), (1, 'c')`), /task_pkey/);
      await query(`INSERT INTO task VALUES (3, 'd')`);
      assert.deepEqual(await told(...clients), clients.map(() => [['insert', null, task(3, 'd')]]));
    });

    test(`${level}: nothing is heard before the commit, and then the rows as they were`, async () => {
      await tables(triggers('task'));
      const clients = await connect({}, {}, {});
      const session = await stage.database.newSession();
      try {
        await session.query('BEGIN');
        await session.query(`INSERT INTO shop.task VALUES (1, 'early')`);
        await session.query(`UPDATE shop.task SET title = 'later'`);
        await query(`INSERT INTO task VALUES (2, 'meanwhile')`);
        const first = ['insert', null, task(2, 'meanwhile')];
        assert.deepEqual(await told(...clients), clients.map(() => [first]));
        await session.query('COMMIT');
        const rest = [['insert', null, task(1, 'early')], ['update', task(1, 'early'), task(1, 'later')]];
        assert.deepEqual(await told(...clients), clients.map(() => [first, ...rest]));
      } finally {
        await session.end();
      }
    });

    test(`${level}: an UPDATE that waited for another starts from that one's row`, async () => {
      await tables(`INSERT INTO task VALUES (1, 'a'), (2, 'b'), (3, 'c'); ${triggers('task')}`);
      const clients = await connect({}, {}, {});
      const session = await stage.database.newSession();
      try {
        const { rows: [{ pid }] } = await query('SELECT pg_backend_pid() AS pid');
        await session.query('BEGIN');
        await session.query(`UPDATE shop.task SET title = 'first' WHERE id = 1`);
        await session.query('DELETE FROM shop.task WHERE id = 2');
        const second = query(`UPDATE task SET title = title || '!'`);
        await repeatUntil(second, async () => {
          const { rows: [{ waits }] } = await session.query(
            'SELECT pg_backend_pid() = ANY (pg_blocking_pids($1)) AS waits', [pid]);
          if (waits) await session.query('COMMIT');
        }, 'the second UPDATE to wait and to end');
      } finally {
        await session.end();
      }
      const expected = [
        ['update', task(1, 'a'), task(1, 'first')],
        ['delete', task(2, 'b'), null],
        ['update', task(1, 'first'), task(1, 'first!')],
        ['update', task(3, 'c'), task(3, 'c!')],
      ];
      assert.deepEqual(await told(...clients), clients.map(() => expected));
    });

    test(`${level}: a role that may write the table and nothing else`, async () => {
      await tables(`
        ${triggers('task')}
        DO $$ BEGIN
          CREATE ROLE changes_writer;
        EXCEPTION WHEN duplicate_object THEN NULL;
        END $$;
        GRANT USAGE ON SCHEMA shop TO changes_writer;
        GRANT INSERT ON task TO changes_writer;
        SET ROLE changes_writer`);
      const clients = await connect({}, {}, {});
      await assert.rejects(query('SELECT FROM task'), { code: '42501' });
      const long = 'x'.repeat(20_000);
      await query(`INSERT INTO task VALUES (1, 'short'), (2, repeat('x', 20000))`);
      await query('RESET ROLE');
      const expected = [['insert', null, task(1, 'short')], ['insert', null, task(2, long)]];
      assert.deepEqual((await told(...clients)).map(sorted), clients.map(() => expected));
    });

    test(`${level}: nested triggers`, async () => {
      await makeTables(query, `
        CREATE TABLE account (owner text PRIMARY KEY, balance int);
        CREATE TABLE transfer (id int PRIMARY KEY, source text, target text, amount int);
        INSERT INTO account VALUES ('ada', 100), ('bob', 50);
        CREATE FUNCTION book() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          UPDATE account SET balance = balance - NEW.amount WHERE owner = NEW.source;
          UPDATE account SET balance = balance + NEW.amount WHERE owner = NEW.target;
          RETURN NULL;
        END $$;
        CREATE TRIGGER book AFTER INSERT ON transfer FOR EACH ROW EXECUTE FUNCTION book();
        ${triggers('account', 'rooms=user:{owner}')}
        ${triggers('transfer', 'rooms=user:{source},user:{target}')}`);
      const clients = await connect({ rooms: ['user:ada'] }, { rooms: ['user:ada', 'user:bob'] }, {});
      await query(`INSERT INTO transfer VALUES (1, 'ada', 'bob', 30), (2, 'bob', 'ada', 10)`);
      const account = (owner, from, to) => ['update', { owner, balance: from }, { owner, balance: to }];
      const transfer = (id, source, target, amount) => ['insert', null, { id, source, target, amount }];
      const [one, two] = [transfer(1, 'ada', 'bob', 30), transfer(2, 'bob', 'ada', 10)];
      const [first, second] = [
        [account('ada', 100, 70), account('bob', 50, 80)],
        [account('bob', 80, 70), account('ada', 70, 80)],
      ];
      // "book" fires before "emit", and triggers by row before those by statement.
      const all = byRow ? [...first, one, ...second, two] : [...first, ...second, one, two];
      const ada = all.filter(([, old]) => old?.owner !== 'bob');
      assert.deepEqual(await told(...clients), [ada, all, []]);
    });

    test(`${level}: a trigger that changes its own table`, async () => {
      await makeTables(query, `
        CREATE TABLE folder (id int PRIMARY KEY, parent int, size int);
        INSERT INTO folder VALUES (1, NULL, 3), (2, 1, 3), (3, 2, 3);
        CREATE FUNCTION pass_on() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          UPDATE folder SET size = size + NEW.size - OLD.size WHERE id = NEW.parent;
          RETURN NULL;
        END $$;
        CREATE TRIGGER pass_on AFTER UPDATE ON folder FOR EACH ROW EXECUTE FUNCTION pass_on();
        ${triggers('folder')}`);
      const clients = await connect({}, {}, {});
      await query('UPDATE folder SET size = 10 WHERE id = 3');
      const grown = (id, parent) => ['update', { id, parent, size: 3 }, { id, parent, size: 10 }];
      // "emit" fires before "pass_on"; by statement, only when the statements inside have ended.
      const upwards = [grown(3, 2), grown(2, 1), grown(1, null)];
      const expected = byRow ? upwards : upwards.reverse();
      assert.deepEqual(await told(...clients), clients.map(() => expected));
    });

    test(`${level}: enabled = off`, async () => {
      await tables(triggers('task'));
      const clients = await connect({}, {}, {});
      await query('SET socketio_emitter.enabled = off');
      await query(`INSERT INTO task VALUES (1, 'silent')`);
      await query(`UPDATE task SET title = 'still'`);
      await query('SET socketio_emitter.enabled = on');
      await query(`INSERT INTO task VALUES (2, 'loud')`);
      await query(`
        BEGIN;
        SET LOCAL socketio_emitter.enabled = off;
        INSERT INTO task VALUES (3, 'silent');
        COMMIT;
        BEGIN;
        INSERT INTO task VALUES (4, 'loud');
        SET LOCAL socketio_emitter.enabled = off;
        DELETE FROM task;
        COMMIT`);
      const expected = [2, 4].map((id) => ['insert', null, task(id, 'loud')]);
      assert.deepEqual(await told(...clients), clients.map(() => expected));
    });

    test(`${level}: a session's prepared statements`, async () => {
      await tables(triggers('task', 'event={op}'));
      const clients = await connect({}, {}, {});
      const insert = { name: 'insert', text: 'INSERT INTO shop.task VALUES ($1, $2)' };
      const update = { name: 'update', text: 'UPDATE shop.task SET title = $2 WHERE id = $1' };
      const expected = [];
      const session = await stage.database.newSession();
      try {
        for (let id = 1; id <= 20; id++) {
          await session.query({ ...insert, values: [id, 'a'] });
          await session.query({ ...update, values: [id, 'b'] });
          expected.push(['insert', null, task(id, 'a')], ['update', task(id, 'a'), task(id, 'b')]);
          if (id === 10) await query('DROP TABLE task').then(() => query(table + triggers('task', 'event={op}')));
        }
      } finally {
        await session.end();
      }
      assert.deepEqual(await told(...clients), clients.map(() => expected));
    });
  }

  const deferred = (operations = 'INSERT OR UPDATE OR DELETE', condition = '') => `
    CREATE CONSTRAINT TRIGGER emit AFTER ${operations} ON task DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW ${condition} ${emitChanges()};`;
  // A mark to tell what came when.
  const mark = (op) => `SELECT socketio_emit_values(NULL, 'mark', jsonb_build_object('op', '${op}'));`;
  const marked = (op) => [op, undefined, undefined];

  test('deferred constraint triggers: every change in its order, when the transaction commits', async () => {
    await tables(deferred());
    const clients = await connect({}, {}, {});
    await query(`
      BEGIN;
      INSERT INTO task VALUES (1, 'a'), (2, 'b');
      UPDATE task SET title = 'c' WHERE id = 1;
      UPDATE task SET id = 3 WHERE id = 1;
      DELETE FROM task WHERE id = 3;
      ${mark('last statement')}
      COMMIT`);
    const expected = [
      marked('last statement'),
      ['insert', null, task(1, 'a')],
      ['insert', null, task(2, 'b')],
      ['update', task(1, 'a'), task(1, 'c')],
      ['update', task(1, 'c'), task(3, 'c')],
      ['delete', task(3, 'c'), null],
    ];
    assert.deepEqual(await told(...clients), clients.map(() => expected));
  });

  test('deferred constraint triggers: SET CONSTRAINTS, savepoints and WHEN', async () => {
    await tables(deferred('INSERT', `WHEN (NEW.title <> 'ignored')`));
    const clients = await connect({}, {}, {});
    await query(`
      BEGIN;
      INSERT INTO task VALUES (1, 'a'), (5, 'ignored');
      SAVEPOINT one;
      INSERT INTO task VALUES (2, 'taken back');
      ROLLBACK TO SAVEPOINT one;
      ${mark('before')}
      SET CONSTRAINTS ALL IMMEDIATE;
      ${mark('after')}
      INSERT INTO task VALUES (3, 'at once');
      ${mark('end')}
      COMMIT`);
    await query(`BEGIN; INSERT INTO task VALUES (4, 'never'); ROLLBACK`);
    const expected = [
      marked('before'),
      ['insert', null, task(1, 'a')],
      marked('after'),
      ['insert', null, task(3, 'at once')],
      marked('end'),
    ];
    assert.deepEqual(await told(...clients), clients.map(() => expected));
  });

  test('deferred constraint triggers: large and binary rows', async () => {
    await makeTables(query, `
      CREATE TABLE file (id int, content bytea, body text);
      CREATE CONSTRAINT TRIGGER emit AFTER INSERT OR UPDATE OR DELETE ON file DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW ${emitChanges('rooms=file:{id}')};`);
    const clients = await connect({ rooms: ['file:1'] }, { rooms: ['file:2'] }, {});
    await query(`
      BEGIN;
      INSERT INTO file VALUES (1, '\\x01', repeat('é', 100000));
      UPDATE file SET id = 2, content = '\\x02';
      COMMIT`);
    const file = (id) => ({ id, content: Buffer.from([id]), body: 'é'.repeat(100_000) });
    const move = ['update', file(1), file(2)];
    assert.deepEqual(await told(...clients), [[['insert', null, file(1)], move], [move], []]);
  });

  test('deferred constraint triggers beside immediate ones', async () => {
    await tables(`${onRows('task').replace('emit ', 'now ')} ${deferred()}`);
    const clients = await connect({}, {}, {});
    await query(`BEGIN; INSERT INTO task VALUES (1, 'a'); DELETE FROM task; COMMIT`);
    const once = [['insert', null, task(1, 'a')], ['delete', task(1, 'a'), null]];
    assert.deepEqual(await told(...clients), clients.map(() => [...once, ...once]));
  });
});
