// Questions inside transactions of every kind: they are asked at once and answered, whatever becomes of the
// transaction.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerOnServers, byId, many, reported, uidsOf, useAsker } from './lib/ask.js';
import { sorted } from './lib/sorted.js';
import { onEachAdapter } from './lib/suite.js';

const schema = `
  CREATE TABLE note (n int);

  CREATE FUNCTION ask_and_fail() RETURNS text LANGUAGE plpgsql AS $$
  DECLARE
    answers int;
    failed text := 'nothing failed';
  BEGIN
    BEGIN
      SELECT count(*) INTO answers FROM socketio_server_side_emit_with_ack(event => 'question', args => '"inside"');
      INSERT INTO note VALUES (answers);
      PERFORM 1 / 0;
    EXCEPTION WHEN division_by_zero THEN
      failed := 'division';
    END;
    BEGIN
      PERFORM socketio_remote_join('nobody', 'room');
    EXCEPTION WHEN no_data_found THEN
      failed := failed || ', nobody';
    END;
    RETURN format('%s answers, %s, %s sockets', answers, failed, (SELECT count(*) FROM socketio_fetch_sockets()));
  END $$;

  CREATE FUNCTION count_rooms() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    NEW.n := (SELECT count(*) FROM socketio_all_rooms());
    RETURN NEW;
  END $$;
  CREATE TABLE counted (n int);
  CREATE TRIGGER count_rooms BEFORE INSERT ON counted FOR EACH ROW EXECUTE FUNCTION count_rooms();`;

onEachAdapter('ask: transactions', { prepare: schema }, (stage) => {
  const { connect, settled } = stage;
  const asker = useAsker(stage);
  const fetchAll = 'SELECT * FROM socketio_fetch_sockets()';

  // Clients whose servers answer by notification, or with so much of them that it takes attachments.
  async function connectWith(filler) {
    const clients = await connect({ rooms: ['a'] }, { rooms: ['a'] }, { rooms: ['a'] });
    for (const client of clients) stage.cluster.socketOf(client).data = { filler };
    return clients;
  }

  const begins = [
    ['a transaction that rolls back', 'BEGIN', 'ROLLBACK'],
    ['a READ ONLY transaction', 'BEGIN READ ONLY', 'COMMIT'],
    ['a REPEATABLE READ transaction', 'BEGIN ISOLATION LEVEL REPEATABLE READ', 'COMMIT'],
    ['a SERIALIZABLE, READ ONLY, DEFERRABLE transaction', 'BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE',
      'COMMIT'],
    ['a savepoint', 'BEGIN; SAVEPOINT one', 'ROLLBACK TO SAVEPOINT one; COMMIT'],
    ['a transaction that writes', 'BEGIN; INSERT INTO note VALUES (1); LOCK TABLE note', 'ROLLBACK'],
    ['a transaction that has emitted', `BEGIN; SELECT socketio_emit(event => 'never')`, 'ROLLBACK'],
    ['a transaction that listens', 'LISTEN "socket.io#/"; BEGIN', 'COMMIT'],
  ];
  for (const [name, begin, end] of begins) {
    test(`in ${name}`, async () => {
      for (const filler of ['', 'x'.repeat(10_000)]) {
        await connectWith(filler);
        await asker.query(begin);
        // The snapshot is from before the question.
        await asker.query('SELECT count(*) FROM socket_io_attachments');
        assert.deepEqual(byId(await asker.rows(fetchAll)), await reported(stage.cluster));
        assert.equal((await asker.rows('SELECT FROM socketio_servers()')).length, 3);
        const large = many(1000, (i) => `room ${i}`);
        assert.equal((await asker.rows('SELECT FROM socketio_clients(rooms => $1)', [[...large, 'a']])).length, 3);
        assert.deepEqual(byId(await asker.rows(fetchAll)), await reported(stage.cluster));
        await asker.query(end);
        await stage.endTest();
      }
    });
  }

  test('the caller’s uncommitted emits are not seen', async () => {
    const clients = await connectWith('');
    await asker.query(`BEGIN; SELECT socketio_sockets_join(join_rooms => '{new}')`);
    const inRoom = () => asker.rows(`SELECT FROM socketio_fetch_sockets(rooms => '{new}')`);
    assert.equal((await inRoom()).length, 0);
    await asker.query('ROLLBACK');
    await settled(...clients);
    assert.equal((await inRoom()).length, 0);
    await asker.query(`BEGIN; SELECT socketio_sockets_join(join_rooms => '{new}'); COMMIT`);
    await settled(...clients);
    assert.equal((await inRoom()).length, 3);
  });

  test('what is asked with a callback has happened, rollback or not', async () => {
    let asked = 0;
    const stop = answerOnServers(stage.cluster, 'question', (uid, ...args) => {
      asked += 1;
      return [args];
    });
    await asker.query('BEGIN');
    const rows = await asker.rows(`SELECT * FROM socketio_server_side_emit_with_ack('/', 'question', '[1]')`);
    assert.deepEqual(sorted(rows), sorted(uidsOf(stage.cluster).map((server) => ({ server, response: [1] }))));
    await asker.query('ROLLBACK');
    assert.equal(asked, 3);
    stop();
  });

  test('in a function with EXCEPTION blocks', async () => {
    await connectWith('x'.repeat(10_000));
    let asked = 0;
    const stop = answerOnServers(stage.cluster, 'question', () => {
      asked += 1;
      return ['x'.repeat(10_000)];
    });
    assert.deepEqual(await asker.rows('SELECT ask_and_fail() AS said'),
      [{ said: '3 answers, division, nobody, 3 sockets' }]);
    assert.equal(asked, 3);
    assert.deepEqual(await asker.rows('SELECT count(*)::int AS rows FROM note'), [{ rows: 0 }]);
    stop();
  });

  test('in a trigger, and into a table', async () => {
    await connect(...many(6, (i) => ({ rooms: [`room ${i}`] })));
    await asker.query('BEGIN');
    assert.deepEqual(await asker.rows('INSERT INTO counted VALUES (0), (0) RETURNING n'), [{ n: 12 }, { n: 12 }]);
    await asker.query('CREATE TEMP TABLE here ON COMMIT DROP AS SELECT * FROM socketio_fetch_sockets()');
    assert.deepEqual(byId(await asker.rows('SELECT * FROM here')), await reported(stage.cluster));
    await asker.query('ROLLBACK');
  });

  test('by a cursor and by a prepared statement, again and again', async () => {
    await connectWith('');
    await asker.query(`BEGIN; DECLARE sockets SCROLL CURSOR FOR SELECT id FROM socketio_fetch_sockets() ORDER BY id`);
    const expected = (await reported(stage.cluster)).map(({ id }) => ({ id }));
    assert.deepEqual(await asker.rows('FETCH 2 FROM sockets'), expected.slice(0, 2));
    assert.deepEqual(await asker.rows('FETCH ABSOLUTE 3 FROM sockets'), expected.slice(2));
    await asker.query('COMMIT');
    await asker.query('PREPARE ask(text) AS SELECT id FROM socketio_clients(rooms => ARRAY[$1]) ORDER BY id');
    for (let n = 0; n < 10; n++) assert.deepEqual(await asker.rows(`EXECUTE ask('a')`), expected);
    assert.deepEqual(await asker.rows(`EXECUTE ask('b')`), []);
  });

  test('nothing of a call is left in the session: notifications, locks, attachments it has made', async () => {
    await connectWith('');
    const notified = [];
    asker.onNotification((notification) => notified.push(notification));
    await asker.query('BEGIN');
    await asker.rows('SELECT FROM socketio_clients(rooms => $1)', [many(1000, (i) => `room ${i}`)]);
    const { rows: locks } = await asker.query(`
      SELECT relation::regclass FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation'
        AND relation = 'socket_io_attachments'::regclass AND mode <> 'AccessShareLock'`);
    assert.deepEqual(locks, []);
    await asker.query('COMMIT');
    assert.deepEqual(notified, []);
  });
});
