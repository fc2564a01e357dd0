// Row changes by every command that makes them: MERGE, ON CONFLICT, cascades, TRUNCATE of several tables, WITH; and the
// triggers PostgreSQL itself holds back or lets through.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  emitChanges, levels, makeTables, onRows, onStatements, onTruncate, rowChanges, rowChangesByEvent, SCHEMA,
} from './lib/changes.js';
import { sorted } from './lib/sorted.js';
import { onEachAdapter } from './lib/suite.js';

const stock = (sku, amount) => ({ sku, amount });
const author = (id, name) => ({ id, name });
const book = (id, authorId, title) => ({ id, author_id: authorId, title });
const review = (id, bookId) => ({ id, book_id: bookId });

// Rows that hang on others. `actions` is what the foreign key of book says.
const library = (actions) => `
  CREATE TABLE author (id int PRIMARY KEY, name text);
  CREATE TABLE book (id int PRIMARY KEY, author_id int REFERENCES author ${actions}, title text);
  CREATE TABLE review (id int PRIMARY KEY, book_id int REFERENCES book ON DELETE SET NULL ON UPDATE CASCADE);
  INSERT INTO author VALUES (1, 'Ada'), (2, 'Bob');
  INSERT INTO book VALUES (10, 1, 'x'), (11, 1, 'y'), (12, 2, 'z');
  INSERT INTO review VALUES (100, 10), (101, 12);`;

onEachAdapter('changes: commands', {}, (stage) => {
  const { query, connect, settled } = stage;
  const tables = (sql) => makeTables(query, sql);
  const told = async (...clients) => (await settled(...clients)).map(rowChanges);
  const toldByEvent = async (...clients) => (await settled(...clients)).map(rowChangesByEvent);

  for (const { level, triggers } of levels) {
    test(`${level}: MERGE`, async () => {
      await tables(`
        CREATE TABLE stock (sku text PRIMARY KEY, amount int);
        INSERT INTO stock VALUES ('a', 1), ('b', 2), ('c', 3), ('d', 4);
        ${triggers('stock', 'rooms=sku:{sku},all')}`);
      const clients = await connect({ rooms: ['all'] }, { rooms: ['sku:a'] },
        { rooms: ['sku:b', 'sku:d', 'sku:f'] });
      await query(`
        MERGE INTO stock USING (VALUES ('a', 10), ('b', -2), ('d', 0), ('e', 5), ('f', 0)) AS delivery (sku, amount)
          ON stock.sku = delivery.sku
        WHEN MATCHED AND delivery.amount = 0 THEN DO NOTHING
        WHEN MATCHED AND stock.amount + delivery.amount = 0 THEN DELETE
        WHEN MATCHED THEN UPDATE SET amount = stock.amount + delivery.amount
        WHEN NOT MATCHED AND delivery.amount > 0 THEN INSERT VALUES (delivery.sku, delivery.amount)`);
      const [grown, sold, come] =
        [['update', stock('a', 1), stock('a', 11)], ['delete', stock('b', 2), null], ['insert', null, stock('e', 5)]];
      assert.deepEqual((await told(...clients)).map(sorted), [sorted([grown, sold, come]), [grown], [sold]]);
    });

    test(`${level}: INSERT ... ON CONFLICT`, async () => {
      await tables(`
        CREATE TABLE stock (sku text PRIMARY KEY, amount int);
        INSERT INTO stock VALUES ('a', 1), ('b', 2), ('c', 3);
        ${triggers('stock')}`);
      const clients = await connect({}, {}, {});
      const upsert = `ON CONFLICT (sku) DO UPDATE SET amount = stock.amount + excluded.amount`;
      await query(`INSERT INTO stock VALUES ('a', 10), ('d', 4) ${upsert}`);
      await query(`INSERT INTO stock VALUES ('b', 10), ('c', 0) ${upsert} WHERE excluded.amount > 0`);
      await query(`INSERT INTO stock VALUES ('e', 5) ${upsert}`);
      await query(`INSERT INTO stock VALUES ('e', 6), ('f', 6) ON CONFLICT DO NOTHING`);
      const received = await told(...clients);
      for (const changes of received) {
        // Of the first, UPDATE and INSERT are two statements' worth of triggers.
        assert.deepEqual(sorted(changes.slice(0, 2)),
          sorted([['update', stock('a', 1), stock('a', 11)], ['insert', null, stock('d', 4)]]));
        assert.deepEqual(changes.slice(2), [
          ['update', stock('b', 2), stock('b', 12)],
          ['insert', null, stock('e', 5)],
          ['insert', null, stock('f', 6)],
        ]);
      }
    });

    test(`${level}: WITH that changes several tables, and rows from a query`, async () => {
      await tables(`
        CREATE TABLE stock (sku text PRIMARY KEY, amount int);
        CREATE TABLE archive (sku text PRIMARY KEY, amount int);
        INSERT INTO stock VALUES ('a', 1), ('b', 2), ('c', 3);
        ${triggers('stock')} ${triggers('archive')}`);
      const clients = await connect({}, {}, {});
      await query(`
        WITH gone AS (DELETE FROM stock WHERE amount < 3 RETURNING *),
          kept AS (UPDATE stock SET amount = 30 WHERE amount = 3)
        INSERT INTO archive SELECT sku, -amount FROM gone ORDER BY sku`);
      const expected = {
        'stock:delete': [['delete', stock('a', 1), null], ['delete', stock('b', 2), null]],
        'stock:update': [['update', stock('c', 3), stock('c', 30)]],
        'archive:insert': [['insert', null, stock('a', -1)], ['insert', null, stock('b', -2)]],
      };
      assert.deepEqual(await toldByEvent(...clients), clients.map(() => expected));
    });

    test(`${level}: ON DELETE CASCADE and SET NULL`, async () => {
      await tables(`
        ${library('ON DELETE CASCADE')}
        ${triggers('author')} ${triggers('book', 'rooms=author:{author_id}')}
        ${triggers('review', 'rooms=book:{book_id}')}`);
      const [ada, ten, nobody] = await connect({ rooms: ['author:1'] }, { rooms: ['book:10'] }, {});
      await query('DELETE FROM author WHERE id = 1');
      const deleted = { 'author:delete': [['delete', author(1, 'Ada'), null]] };
      assert.deepEqual(await toldByEvent(ada, ten, nobody), [
        { ...deleted, 'book:delete': [['delete', book(10, 1, 'x'), null], ['delete', book(11, 1, 'y'), null]] },
        { ...deleted, 'review:update': [['update', review(100, 10), review(100, null)]] },
        deleted,
      ]);
    });

    test(`${level}: cascades from several rows`, async () => {
      await tables(`
        ${library('ON DELETE CASCADE')}
        ${triggers('author')} ${triggers('book')} ${triggers('review')}`);
      const clients = await connect({}, {}, {});
      await query('DELETE FROM author');
      const expected = {
        'author:delete': [['delete', author(1, 'Ada'), null], ['delete', author(2, 'Bob'), null]],
        'book:delete': [10, 11, 12].map((id, i) => ['delete', book(id, id < 12 ? 1 : 2, 'xyz'[i]), null]),
        'review:update': [
          ['update', review(100, 10), review(100, null)],
          ['update', review(101, 12), review(101, null)],
        ],
      };
      assert.deepEqual(await toldByEvent(...clients), clients.map(() => expected));
    });

    test(`${level}: ON UPDATE CASCADE moves rows between rooms`, async () => {
      await tables(`
        ${library('ON UPDATE CASCADE')}
        ${triggers('author')} ${triggers('book', 'rooms=author:{author_id}')}`);
      const clients = await connect({ rooms: ['author:1'] }, { rooms: ['author:3'] }, { rooms: ['author:2'] });
      await query('UPDATE author SET id = 3 WHERE id = 1');
      const all = { 'author:update': [['update', author(1, 'Ada'), author(3, 'Ada')]] };
      const books = {
        'book:update': [
          ['update', book(10, 1, 'x'), book(10, 3, 'x')],
          ['update', book(11, 1, 'y'), book(11, 3, 'y')],
        ],
      };
      assert.deepEqual(await toldByEvent(...clients), [{ ...all, ...books }, { ...all, ...books }, all]);
    });

    test(`${level}: ON DELETE SET NULL takes a row out of its room`, async () => {
      await tables(`
        ${library('ON DELETE SET NULL')}
        ${triggers('book', 'rooms=author:{author_id}')}`);
      const clients = await connect({ rooms: ['author:2'] }, { rooms: ['author:1'] }, {});
      await query('DELETE FROM author WHERE id = 2');
      await query(`UPDATE book SET title = 'nobody hears' WHERE id = 12`);
      assert.deepEqual(await told(...clients), [[['update', book(12, 2, 'z'), book(12, null, 'z')]], [], []]);
    });

    test(`${level}: TRUNCATE of several tables, and CASCADE`, async () => {
      await tables(`
        ${library('')} CREATE TABLE other (id serial); CREATE TABLE quiet (id int);
        ${['author', 'book', 'review', 'other'].map((name) => triggers(name) + onTruncate(name)).join('')}`);
      const clients = await connect({}, {}, {});
      await query('TRUNCATE review, other, quiet RESTART IDENTITY');
      await query('TRUNCATE author CASCADE');
      // No rows, no matter.
      await query('TRUNCATE other');
      const truncated = (table) => [`${table}:truncate`, { op: 'truncate', schema: SCHEMA, table }];
      for (const events of await settled(...clients)) {
        assert.deepEqual(sorted(events.slice(0, 2)), [truncated('other'), truncated('review')]);
        assert.deepEqual(sorted(events.slice(2, 5)), [truncated('author'), truncated('book'), truncated('review')]);
        assert.deepEqual(events.slice(5), [truncated('other')]);
      }
    });

    test(`${level}: session_replication_role = replica, and triggers enabled for it`, async () => {
      const names = ['origin', 'always', 'replica', 'disabled'];
      await tables(names.map((table) => `
        CREATE TABLE ${table} (id int); ${triggers(table, 'payload=record')}`).join(''));
      const name = level === 'row level' ? 'emit' : 'emit_insert';
      await query(`
        ALTER TABLE always ENABLE ALWAYS TRIGGER ${name}; ALTER TABLE replica ENABLE REPLICA TRIGGER ${name};
        ALTER TABLE disabled DISABLE TRIGGER ${name}`);
      const clients = await connect({}, {}, {});
      const insert = async (id) => {
        for (const table of names) await query(`INSERT INTO ${table} VALUES (${id})`);
      };
      await insert(1);
      await query('SET session_replication_role = replica');
      await insert(2);
      await query('RESET session_replication_role');
      await insert(3);
      const heard = (await settled(...clients)).map((events) => {
        return events.map(([event, row]) => `${event} ${(row.records?.[0] ?? row).id}`);
      });
      const expected = ['origin:insert 1', 'always:insert 1', 'always:insert 2', 'replica:insert 2', 'origin:insert 3',
        'always:insert 3'];
      assert.deepEqual(heard, clients.map(() => expected));
    });
  }

  test('statement level: ON CONFLICT and MERGE are one event for each of their operations', async () => {
    await tables(`
      CREATE TABLE stock (sku text PRIMARY KEY, amount int);
      INSERT INTO stock VALUES ('a', 1), ('b', 2), ('c', 3);
      ${onStatements('stock', 'event={op}', 'payload=keys')}`);
    const clients = await connect({}, {}, {});
    await query(`INSERT INTO stock VALUES ('a', 10), ('x', 0), ('b', 20), ('y', 0)
      ON CONFLICT (sku) DO UPDATE SET amount = excluded.amount`);
    await query(`
      MERGE INTO stock USING (VALUES ('a', 0), ('b', 5), ('c', 0), ('z', 7), ('zz', 8)) AS delivery (sku, amount)
        ON stock.sku = delivery.sku
      WHEN MATCHED AND delivery.amount = 0 THEN DELETE
      WHEN MATCHED THEN UPDATE SET amount = delivery.amount
      WHEN NOT MATCHED THEN INSERT VALUES (delivery.sku, delivery.amount)`);
    const keys = (...skus) => skus.map((sku) => ({ sku }));
    for (const events of await settled(...clients)) {
      assert.deepEqual(sorted(events.slice(0, 2)), [
        ['insert', { count: 2, keys: keys('x', 'y') }],
        ['update', { count: 2, keys: keys('a', 'b'), old_keys: [null, null] }],
      ]);
      // What is deleted, and in which order, is up to the join.
      const merged = sorted(events.slice(2)).map(([op, { count, keys: list }]) => [op, count, sorted(list)]);
      assert.deepEqual(merged,
        [['delete', 2, keys('a', 'c')], ['insert', 2, keys('z', 'zz')], ['update', 1, keys('b')]]);
    }
  });

  test('row level: WHEN and UPDATE OF', async () => {
    await tables(`
      CREATE TABLE post (id int PRIMARY KEY, title text, body text, public boolean);
      CREATE TRIGGER made AFTER INSERT ON post FOR EACH ROW WHEN (NEW.public)
        ${emitChanges('event=made', 'payload=keys')};
      CREATE TRIGGER changed AFTER UPDATE ON post FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
        ${emitChanges('event=changed', 'payload=keys')};
      CREATE TRIGGER renamed AFTER UPDATE OF title ON post FOR EACH ROW ${emitChanges('event=renamed', 'payload=keys')};
      CREATE TRIGGER hidden AFTER UPDATE OF public OR DELETE ON post FOR EACH ROW WHEN (OLD.public)
        ${emitChanges('event=hidden', 'payload=keys')};`);
    const clients = await connect({}, {}, {});
    await query(`INSERT INTO post VALUES (1, 'a', 'x', true), (2, 'b', 'y', false)`);
    await query(`UPDATE post SET body = 'z'`);
    await query(`UPDATE post SET body = 'z'`);
    await query(`UPDATE post SET title = 'a'`);
    await query('UPDATE post SET public = false');
    await query('DELETE FROM post');
    const keys = (event, ...ids) => ids.map((id) => [event, { id }]);
    const expected = [
      ...keys('made', 1),
      ...keys('changed', 1, 2),
      // UPDATE OF asks what the statement names, not what it changes. Triggers fire row by row, in their names' order.
      ['renamed', { id: 1 }], ['changed', { id: 2 }], ['renamed', { id: 2 }],
      ['changed', { id: 1 }], ['hidden', { id: 1 }],
    ];
    assert.deepEqual(await settled(...clients), clients.map(() => expected));
  });

  test('INSTEAD OF on a view: what the view was given, and nothing is written', async () => {
    await tables(`
      CREATE TABLE post (id int PRIMARY KEY, title text, author text);
      INSERT INTO post VALUES (1, 'a', 'ada'), (2, 'b', 'bob');
      CREATE VIEW headline AS SELECT id, upper(title) AS title, author FROM post;
      CREATE TRIGGER emit INSTEAD OF INSERT OR UPDATE OR DELETE ON headline FOR EACH ROW
        ${emitChanges('rooms=author:{author}')};`);
    const clients = await connect({ rooms: ['author:ada'] }, { rooms: ['author:bob'] }, {});
    const inserted = await query(`INSERT INTO headline VALUES (3, 'C', 'ada') RETURNING id`);
    const updated = await query(`UPDATE headline SET author = 'ada' WHERE id = 2`);
    const deleted = await query('DELETE FROM headline WHERE id = 1');
    assert.deepEqual([inserted, updated, deleted].map(({ rowCount }) => rowCount), [1, 1, 1]);
    assert.deepEqual(inserted.rows, [{ id: 3 }]);
    const post = (id, title, name) => ({ id, title, author: name });
    const move = ['update', post(2, 'B', 'bob'), post(2, 'B', 'ada')];
    assert.deepEqual(await told(...clients), [
      [['insert', null, post(3, 'C', 'ada')], move, ['delete', post(1, 'A', 'ada'), null]],
      [move],
      [],
    ]);
    const { rows } = await query('SELECT * FROM post ORDER BY id');
    assert.deepEqual(rows, [post(1, 'a', 'ada'), post(2, 'b', 'bob')]);
  });

  test('row level: a foreign table', async (t) => {
    const { rows: [{ found }] } = await query(
      `SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'postgres_fdw') AS found`);
    if (!found) {
      t.skip('the extension postgres_fdw is not installed');
      return;
    }
    await tables(`
      CREATE EXTENSION IF NOT EXISTS postgres_fdw;
      DROP SERVER IF EXISTS loopback CASCADE;
      CREATE TABLE stock_there (sku text PRIMARY KEY, gone int, amount int, picture bytea);
      DO $$ BEGIN
        EXECUTE format('CREATE SERVER loopback FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host %L, port %L, dbname %L)',
          split_part(current_setting('unix_socket_directories'), ',', 1), current_setting('port'), current_database());
      END $$;
      CREATE USER MAPPING FOR CURRENT_USER SERVER loopback;
      CREATE FOREIGN TABLE stock (gone int, amount int, sku text, picture bytea) SERVER loopback
        OPTIONS (schema_name 'shop', table_name 'stock_there');
      ALTER FOREIGN TABLE stock DROP COLUMN gone;
      ${onRows('stock', 'rooms=sku:{sku}')}`);
    const clients = await connect({ rooms: ['sku:a'] }, { rooms: ['sku:b'] }, {});
    await query(`INSERT INTO stock (sku, amount, picture) VALUES ('a', 1, '\\x01'), ('c', 3, '\\x03')`);
    await query(`UPDATE stock SET sku = 'b', amount = amount + 1 WHERE sku = 'a'`);
    await query('DELETE FROM stock');
    const row = (sku, amount, byte) => ({ sku, amount, picture: Buffer.from([byte]) });
    const move = ['update', row('a', 1, 1), row('b', 2, 1)];
    assert.deepEqual(await told(...clients),
      [[['insert', null, row('a', 1, 1)], move], [move, ['delete', row('b', 2, 1), null]], []]);
  });

  test('a row that a BEFORE trigger changes or cancels', async () => {
    await tables(`
      CREATE TABLE stock (sku text PRIMARY KEY, amount int);
      CREATE FUNCTION tidy() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF NEW.amount < 0 THEN RETURN NULL; END IF;
        NEW.sku := lower(NEW.sku);
        RETURN NEW;
      END $$;
      CREATE TRIGGER tidy BEFORE INSERT OR UPDATE ON stock FOR EACH ROW EXECUTE FUNCTION tidy();
      ${onRows('stock', 'rooms=sku:{sku}')}`);
    const clients = await connect({ rooms: ['sku:a'] }, { rooms: ['sku:A', 'sku:b', 'sku:B'] }, {});
    await query(`INSERT INTO stock VALUES ('A', 1), ('B', -1)`);
    await query('UPDATE stock SET amount = -1');
    assert.deepEqual(await told(...clients), [[['insert', null, stock('a', 1)]], [], []]);
  });

  test('SELECT ... FOR UPDATE, UPDATE of no rows and a refused INSERT say nothing', async () => {
    await tables(`
      CREATE TABLE stock (sku text PRIMARY KEY, amount int); INSERT INTO stock VALUES ('a', 1);
      ${onRows('stock')} ${onTruncate('stock')}`);
    const clients = await connect({}, {}, {});
    await query('SELECT FROM stock FOR UPDATE');
    await query(`UPDATE stock SET amount = 2 WHERE sku = 'b'`);
    await assert.rejects(query(`INSERT INTO stock VALUES ('b', 1), ('a', 2)`), /stock_pkey/);
    assert.deepEqual(await settled(...clients), clients.map(() => []));
  });
});
