// Emits are part of their transaction: they arrive when it commits, all of them, once and in order, or not at all.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onEachAdapter } from './lib/suite.js';

const schema = `
  CREATE TABLE message (id serial PRIMARY KEY, channel text NOT NULL, body text NOT NULL CHECK (body <> ''));

  CREATE FUNCTION announce_message() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    PERFORM socketio_emit(rooms => ARRAY[NEW.channel], event => 'message', args => to_jsonb(NEW) - 'id');
    RETURN NEW;
  END $$;
  CREATE TRIGGER announce AFTER INSERT ON message FOR EACH ROW EXECUTE FUNCTION announce_message();

  CREATE FUNCTION emit_and_return(event text) RETURNS text LANGUAGE plpgsql AS $$
  BEGIN
    PERFORM socketio_emit_values(NULL, event);
    RETURN event;
  END $$;

  CREATE FUNCTION emit_and_fail(event text) RETURNS void LANGUAGE plpgsql AS $$
  BEGIN
    PERFORM socketio_emit_values(NULL, event, 'small');
    PERFORM socketio_emit_values(NULL, event, repeat('x', 20000));
    RAISE EXCEPTION 'failed after %', event;
  END $$;`;

onEachAdapter('transactions', { prepare: schema }, (stage) => {
  const { query, connect, settled } = stage;

  test('from a trigger in PL/pgSQL', async () => {
    const clients = await connect({ rooms: ['general'] }, { rooms: ['random'] }, { rooms: ['general'] });
    await query(`
      BEGIN;
      INSERT INTO message (channel, body) VALUES ('general', 'one'), ('random', 'two');
      INSERT INTO message (channel, body) VALUES ('general', 'three');
      COMMIT`);
    const message = (channel, body) => ['message', { channel, body }];
    const general = [message('general', 'one'), message('general', 'three')];
    assert.deepEqual(await settled(...clients), [general, [message('random', 'two')], general]);
  });

  test('from a trigger whose statement fails, or whose transaction is rolled back', async () => {
    const clients = await connect({ rooms: ['general'] }, { rooms: ['general'] }, { rooms: ['general'] });
    const insert = 'INSERT INTO message (channel, body) VALUES';
    await assert.rejects(query(`${insert} ('general', 'one'), ('general', '')`), /message_body_check/);
    await query(`BEGIN; ${insert} ('general', 'two'); ROLLBACK`);
    await query(`${insert} ('general', 'three')`);
    assert.deepEqual(await settled(...clients),
      clients.map(() => [['message', { channel: 'general', body: 'three' }]]));
  });

  test('from a function inside a rolled-back transaction', async () => {
    const clients = await connect({}, {}, {});
    await query(`BEGIN; SELECT emit_and_return('never'); SELECT emit_and_return('neither'); ROLLBACK`);
    await assert.rejects(query(`SELECT emit_and_fail('failed')`), /failed after failed/);
    assert.deepEqual(await settled(...clients), clients.map(() => []));
  });

  test('nothing is heard before the commit', async () => {
    const clients = await connect({}, {}, {});
    const session = await stage.database.newSession();
    try {
      await session.query(`BEGIN; SELECT emit_and_return('committed late')`);
      await query(`SELECT emit_and_return('committed first')`);
      assert.deepEqual(await settled(...clients), clients.map(() => [['committed first']]));
      await session.query('COMMIT');
      assert.deepEqual(await settled(...clients), clients.map(() => [['committed first'], ['committed late']]));
    } finally {
      await session.end();
    }
  });

  test('a session that goes away takes its emits with it', async () => {
    const clients = await connect({}, {}, {});
    const session = await stage.database.newSession();
    await session.query(`BEGIN; SELECT emit_and_return('orphan')`);
    await session.end();
    assert.deepEqual(await settled(...clients), clients.map(() => []));
  });

  test('ROLLBACK TO SAVEPOINT takes back what was emitted inside', async () => {
    const clients = await connect({}, {}, {});
    await query(`
      BEGIN;
      SELECT emit_and_return('before');
      SAVEPOINT one;
      SELECT emit_and_return('taken back');
      SAVEPOINT two;
      SELECT emit_and_return('taken back with it');
      RELEASE SAVEPOINT two;
      SELECT socketio_emit_values(NULL, 'taken back', '\\x01'::bytea);
      ROLLBACK TO SAVEPOINT one;
      SELECT emit_and_return('between');
      SAVEPOINT three;
      SELECT emit_and_return('released');
      RELEASE SAVEPOINT three;
      SELECT emit_and_return('after');
      COMMIT`);
    assert.deepEqual(await settled(...clients), clients.map(() => [['before'], ['between'], ['released'], ['after']]));
  });

  test('an error caught by an EXCEPTION block takes back what was emitted inside', async () => {
    const clients = await connect({}, {}, {});
    await query(`
      DO $$
      BEGIN
        PERFORM emit_and_return('before');
        BEGIN
          PERFORM emit_and_return('taken back');
          PERFORM 1 / 0;
        EXCEPTION WHEN division_by_zero THEN
          PERFORM emit_and_return('in the handler');
        END;
        BEGIN
          PERFORM emit_and_fail('taken back as well');
        EXCEPTION WHEN OTHERS THEN NULL;
        END;
        BEGIN
          PERFORM emit_and_return('a block without an error');
        EXCEPTION WHEN OTHERS THEN NULL;
        END;
        PERFORM emit_and_return('after');
      END $$`);
    assert.deepEqual(await settled(...clients),
      clients.map(() => [['before'], ['in the handler'], ['a block without an error'], ['after']]));
  });

  test('an emit that is refused and caught leaves the rest of the transaction alone', async () => {
    const clients = await connect({}, {}, {});
    await query(`
      DO $$
      BEGIN
        PERFORM emit_and_return('before');
        BEGIN
          PERFORM emit_and_return('taken back');
          PERFORM socketio_emit(event => 'disconnect');
          RAISE 'a reserved event was taken';
        EXCEPTION WHEN raise_exception THEN RAISE;
          WHEN OTHERS THEN NULL;
        END;
        PERFORM emit_and_return('after');
      END $$`);
    assert.deepEqual(await settled(...clients), clients.map(() => [['before'], ['after']]));
  });

  test('identical emits in one transaction are as many deliveries', async () => {
    const clients = await connect({}, {}, {});
    await query(`
      BEGIN;
      SELECT socketio_emit('/', '{}', '{}', 'same', '["text"]');
      SELECT socketio_emit('/', '{}', '{}', 'same', '["text"]');
      SELECT socketio_emit_values(NULL, 'same', 'text') FROM generate_series(1, 100);
      COMMIT`);
    await query(`SELECT socketio_emit_values(NULL, 'binary', '\\x01'::bytea) FROM generate_series(1, 2)`);
    const same = Array.from({ length: 102 }, () => ['same', 'text']);
    const binary = Array.from({ length: 2 }, () => ['binary', Buffer.from([1])]);
    for (const received of await settled(...clients)) {
      assert.deepEqual(received.filter(([event]) => event === 'same'), same);
      assert.deepEqual(received.filter(([event]) => event === 'binary'), binary);
    }
  });

  test('an identical join after a leave counts', async () => {
    const clients = await connect({}, {}, {});
    await query(`
      BEGIN;
      SELECT socketio_sockets_join(join_rooms => '{a}');
      SELECT socketio_sockets_leave(leave_rooms => '{a}');
      SELECT socketio_sockets_join(join_rooms => '{a}');
      SELECT socketio_emit(rooms => '{a}', event => 'joined again');
      COMMIT`);
    assert.deepEqual(await settled(...clients), clients.map(() => [['joined again']]));
  });

  test('10,000 emits in one transaction all arrive, once, in order', async () => {
    const clients = await connect({}, {}, {});
    await query(`
      BEGIN;
      SELECT socketio_emit('/', '{}', '{}', 'n', to_jsonb(n)) FROM generate_series(1, 5000) AS n;
      SELECT socketio_emit_values(NULL, 'n', n) FROM generate_series(5001, 10000) AS n;
      COMMIT`);
    const expected = Array.from({ length: 10_000 }, (_, i) => ['n', i + 1]);
    assert.deepEqual(await settled(...clients), clients.map(() => expected));
  });

  test('1,000 attachments in one transaction all arrive, once, in order', async () => {
    const clients = await connect({}, {}, {});
    await query(`SELECT socketio_emit_values(NULL, 'n', n, '\\x00'::bytea) FROM generate_series(1, 1000) AS n`);
    const expected = Array.from({ length: 1000 }, (_, i) => ['n', i + 1, Buffer.from([0])]);
    assert.deepEqual(await settled(...clients), clients.map(() => expected));
  });
});
