// Emits to servers with socket.io-adapter-postgres: who gets them, and with which arguments.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AdapterPostgresCluster } from './lib/adapter-postgres.js';
import { delivery } from './lib/delivery.js';
import { onLegacyCluster } from './lib/legacy-suite.js';

const hello = [['hello', 'world']];
const nothing = [];

onLegacyCluster(AdapterPostgresCluster, 'broadcast and rooms', {}, (stage) => {
  const { query, connect, settled } = stage;

  test('an event reaches every client of every server once', async () => {
    const clients = await connect({}, {}, {}, {}, {}, {});
    await query(`SELECT socketio_emit('/', '{}', '{}', 'hello', '["world"]')`);
    assert.deepEqual(await settled(...clients), clients.map(() => hello));
  });

  test('clients on HTTP long-polling get it too', async () => {
    const polling = { transports: ['polling'] };
    const clients = await connect(polling, polling, polling);
    await query(`SELECT socketio_emit(event => 'hello', args => '["world"]')`);
    await query(`SELECT socketio_emit_values(NULL, 'large', repeat('é😀', 5000))`);
    const expected = [['hello', 'world'], ['large', 'é😀'.repeat(5000)]];
    assert.deepEqual(await settled(...clients), clients.map(() => expected));
  });

  // Each of these is one emit; beside it what the client's handler is called with.
  const argumentLists = [
    [`socketio_emit(event => 'e')`, []],
    [`socketio_emit(event => 'e', args => NULL)`, []],
    [`socketio_emit(event => 'e', args => '[[]]')`, [[]]],
    [`socketio_emit(event => 'e', args => '[1, "two", null, true, {"five": [6]}]')`,
      [1, 'two', null, true, { five: [6] }]],
    [`socketio_emit(event => 'e', args => '{"a": 1}')`, [{ a: 1 }]],
    [`socketio_emit(event => 'e', args => 'null')`, [null]],
    [`socketio_emit(NULL::socketio_target, 'e', '[1, 2]')`, [1, 2]],
    [`socketio_emit(socketio_of('/'), 'e')`, []],
    [`socketio_emit_values(socketio_of('/'), 'e')`, []],
    [`socketio_emit_values(socketio_of('/'), 'e', 1, 'two', NULL, true)`, [1, 'two', null, true]],
    [`socketio_emit_values(NULL, 'e', VARIADIC ARRAY[1, 2, 3])`, [1, 2, 3]],
    [`socketio_emit_values(NULL, '', '')`, ['']],
  ];
  test('arguments arrive as they were given', async () => {
    const clients = await connect({}, {}, {});
    for (const [call] of argumentLists) await query(`SELECT ${call}`);
    const expected = argumentLists.map(([call, args]) => [call.includes(`, '', ''`) ? '' : 'e', ...args]);
    assert.deepEqual(await settled(...clients), clients.map(() => expected));
  });

  test('a hundred arguments less the target and the event', async () => {
    const [client] = await connect({});
    const numbers = Array.from({ length: 98 }, (_, i) => i);
    await query(`SELECT socketio_emit_values(NULL, 'many', ${numbers.join(', ')})`);
    assert.deepEqual(await settled(client), [[['many', ...numbers]]]);
  });

  // Three clients on three servers: one in room1, one in room2, one in both; and a fourth in none.
  const connectFour = () => connect({ rooms: ['room1'] }, { rooms: ['room2'] }, { rooms: ['room1', 'room2'] }, {});

  // What each call delivers to these four.
  const calls = [
    [`socketio_emit('/', '{room1}', '{}', 'hello', '["world"]')`, [hello, nothing, hello, nothing]],
    [`socketio_emit(event => 'hello', rooms => '{room2}', args => '"world"')`, [nothing, hello, hello, nothing]],
    [`socketio_emit('/', '{room1,room2}', '{}', 'hello', '["world"]')`, [hello, hello, hello, nothing]],
    [`socketio_emit('/', '{room1,room1,room1}', '{}', 'hello', '["world"]')`, [hello, nothing, hello, nothing]],
    [`socketio_emit('/', '{nobody}', '{}', 'hello', '["world"]')`, [nothing, nothing, nothing, nothing]],
    [`socketio_emit('/', '{room1,nobody}', '{}', 'hello', '["world"]')`, [hello, nothing, hello, nothing]],
    [`socketio_emit(socketio_to('room1'), 'hello', '["world"]')`, [hello, nothing, hello, nothing]],
    [`socketio_emit(socketio_in('room1', 'room2'), 'hello', '["world"]')`, [hello, hello, hello, nothing]],
    [`socketio_emit_values(socketio_in(socketio_to('room1'), 'room2'), 'hello', 'world')`,
      [hello, hello, hello, nothing]],
    [`socketio_emit_values(socketio_to('room1'), 'hello', 'world')`, [hello, nothing, hello, nothing]],
  ];
  for (const [call, expected] of calls) {
    test(call, async () => {
      const clients = await connectFour();
      await query(`SELECT ${call}`);
      assert.deepEqual(await settled(...clients), expected);
    });
  }

  test('several sockets of one server in a room get it once each', async () => {
    const both = { rooms: ['room1', 'room2'], server: 0 };
    const clients = await connect(both, both, { rooms: ['room1'], server: 0 }, { rooms: ['room2'], server: 1 });
    await query(`SELECT socketio_emit(rooms => '{room1}', event => 'one')`);
    await query(`SELECT socketio_emit(rooms => '{room1,room2}', event => 'two')`);
    const two = ['two'];
    assert.deepEqual(await settled(...clients), [[['one'], two], [['one'], two], [['one'], two], [two]]);
  });

  test('a socket id is a room, and a socket may be excepted by it', async () => {
    const clients = await connect({}, {}, {}, {});
    const [, one, two] = clients.map(({ id }) => id);
    await query('SELECT socketio_emit(rooms => ARRAY[$1], event => $2)', [one, 'to you']);
    await query('SELECT socketio_emit(except_rooms => ARRAY[$1], event => $2)', [one, 'to all but you']);
    await query('SELECT socketio_emit_values(socketio_to($1, $2), $3)', [one, two, 'to you two']);
    await query('SELECT socketio_emit_values(socketio_except($1, $2), $3)', [one, two, 'to all but you two']);
    await query('SELECT socketio_emit(rooms => ARRAY[$1, $2], except_rooms => ARRAY[$1], event => $3)',
      [one, two, 'to one of you']);
    const others = [['to all but you'], ['to all but you two']];
    assert.deepEqual(await settled(...clients), [
      others,
      [['to you'], ['to you two']],
      [['to all but you'], ['to you two'], ['to one of you']],
      others,
    ]);
  });

  test('a socket is excepted from a room', async () => {
    const rooms = ['room1'];
    const clients = await connect({ rooms }, { rooms }, { rooms }, {});
    await query('SELECT socketio_emit(rooms => ARRAY[$1], except_rooms => ARRAY[$2], event => $3)',
      ['room1', clients[2].id, 'hello']);
    assert.deepEqual(await settled(...clients), [[['hello']], [['hello']], nothing, nothing]);
  });

  test('whatever ids the servers give out, each may be excepted', async () => {
    const clients = await connect(...Array.from({ length: 60 }, () => ({})));
    for (const { id } of clients) {
      await query('SELECT socketio_emit(except_rooms => ARRAY[$1], event => $2, args => to_jsonb($1))', [id, 'not to']);
    }
    const all = clients.map(({ id }) => ['not to', id]);
    assert.deepEqual(await settled(...clients), clients.map((_, i) => all.filter((_, except) => except !== i)));
  });

  test('what the servers would not except is refused, and reaches nobody', async () => {
    const [client] = await connect({ rooms: ['room1'] });
    for (const entry of ['room1', `/admin#${client.id}`, `${client.id}x`, client.id.slice(1), '']) {
      await assert.rejects(query('SELECT socketio_emit(except_rooms => ARRAY[$1], event => $2)', [entry, 'hello']),
        (error) => ['0A000', '22023'].includes(error.code) && error.message.includes(`"${entry}"`), entry);
    }
    assert.deepEqual(await settled(client), [nothing]);
  });

  test('a room may have any name', async () => {
    const names = ['', ' ', 'with space', 'a,b', '{braces}', 'quo"te', 'apos\'trophe', 'back\\slash', 'new\nline',
      'tab\t', 'NULL', 'null', '#', 'a#', '#a#', '/', '%s', 'ключ', '部屋', '🚪', 'e\u0301', '\u0001\u001f\u007f',
      'x'.repeat(500)];
    const clients = await connect(...names.map((name) => ({ rooms: [name] })));
    for (const name of names) {
      await query('SELECT socketio_emit(rooms => ARRAY[$1], event => $2, args => to_jsonb($1))', [name, 'one']);
      await query('SELECT socketio_emit_values(socketio_to($1, $2), $3, $1)', [name, 'nobody', 'two']);
    }
    assert.deepEqual(await settled(...clients), names.map((name) => [['one', name], ['two', name]]));
  });

  // The topic of such a room would leave no space for the message, or not even for itself.
  for (const [kind, character] of [['ASCII', 'x'], ['three-byte', '部'], ['quoted', '"']]) {
    for (const length of [1500, 2600, 4000, 7900, 9000, 60_000]) {
      test(`a room with a name of ${length} ${kind} characters`, async () => {
        const room = character.repeat(length);
        const clients = await connect({}, {}, {}, {});
        // Too long for a query.
        for (const client of clients.slice(1, 3)) stage.cluster.socketOf(client).join(room);
        await query('SELECT socketio_emit(rooms => ARRAY[$1], event => $2)', [room, 'short']);
        await query('SELECT socketio_emit_values(socketio_to($1), $2, repeat($3, 10000))', [room, 'long', 'y']);
        const both = [['short'], ['long', 'y'.repeat(10_000)]];
        assert.deepEqual(await settled(...clients), [nothing, both, both, nothing]);
      });
    }
  }

  test('a thousand rooms in one emit', async () => {
    const clients = await connect({ rooms: ['room 1'] }, { rooms: ['room 500', 'room 501'] }, { rooms: ['room 1001'] });
    await query(`SELECT socketio_emit(rooms => array_agg('room ' || n), event => 'hello', args => '"world"')
      FROM generate_series(1, 1000) AS n`);
    assert.deepEqual(await settled(...clients), [hello, hello, nothing]);
  });
});

const long = `/${'long-'.repeat(400)}`;
const namespaces = ['/', '/admin', '/tenant-42', '/größe😀', long];

onLegacyCluster(AdapterPostgresCluster, 'namespaces', { cluster: { namespaces } }, ({ query, connect, settled }) => {
  // One client in each namespace on each server.
  const everywhere = namespaces.flatMap((namespace) => [0, 1, 2].map((server) => ({ namespace, server })));

  // Each client's events by the namespace it is in: the three of a namespace must agree.
  async function settledByNamespace(clients) {
    const received = await settled(...clients);
    return Object.fromEntries(namespaces.map((namespace) => {
      const [first, ...others] = received.filter((_, i) => clients[i].namespace === namespace);
      for (const other of others) assert.deepEqual(other, first);
      return [namespace, first];
    }));
  }

  test('an event stays in its namespace', async () => {
    const clients = await connect(...everywhere);
    for (const nsp of namespaces) {
      await query('SELECT socketio_emit(nsp => $1, event => $2, args => to_jsonb($1::text))', [nsp, 'flat']);
      await query('SELECT socketio_emit_values(socketio_of($1), $2, $1, $3::bytea)', [nsp, 'chain', Buffer.from(nsp)]);
      await query(`SELECT socketio_emit_values(socketio_of($1), $2, repeat('x', 10000))`, [nsp, 'large']);
    }
    assert.deepEqual(await settledByNamespace(clients), Object.fromEntries(namespaces.map((nsp) => (
      [nsp, [['flat', nsp], ['chain', nsp, Buffer.from(nsp)], ['large', 'x'.repeat(10_000)]]]))));
  });

  test('the main namespace and a missing slash have several spellings', async () => {
    const clients = await connect(...everywhere);
    await query(`
      SELECT socketio_emit(event => 'default');
      SELECT socketio_emit(nsp => NULL, event => 'null');
      SELECT socketio_emit(nsp => '', event => 'empty');
      SELECT socketio_emit(nsp => 'admin', event => 'no slash');
      SELECT socketio_emit(socketio_of('admin'), 'chain, no slash')`);
    assert.deepEqual(await settledByNamespace(clients), {
      '/': [['default'], ['null'], ['empty']],
      '/admin': [['no slash'], ['chain, no slash']],
      '/tenant-42': [],
      '/größe😀': [],
      [long]: [],
    });
  });

  test('a room of the same name in another namespace is another room', async () => {
    const rooms = ['room1'];
    const clients = await connect(...namespaces.map((namespace) => ({ namespace, rooms })), { namespace: '/admin' });
    for (const nsp of namespaces) await query('SELECT socketio_emit($1, $2, $3, $4)', [nsp, rooms, [], `to ${nsp}`]);
    assert.deepEqual(await settled(...clients), [...namespaces.map((nsp) => [[`to ${nsp}`]]), nothing]);
  });

  test('a socket is excepted by its id in its namespace', async () => {
    for (const namespace of namespaces) {
      const clients = await connect({ namespace }, { namespace }, { namespace });
      const id = clients[1].id;
      assert.equal(id.startsWith(`${namespace}#`), namespace !== '/');
      await query('SELECT socketio_emit(nsp => $1, except_rooms => ARRAY[$2], event => $3)', [namespace, id, 'flat']);
      await query('SELECT socketio_emit_values(socketio_except(socketio_of($1), $2), $3, repeat($4, 10000))',
        [namespace, id, 'large', 'x']);
      const both = [['flat'], ['large', 'x'.repeat(10_000)]];
      assert.deepEqual(await settled(...clients), [both, nothing, both], namespace);
    }
  });

  test('an id of another namespace is refused', async () => {
    const [main, admin] = await connect({}, { namespace: '/admin' });
    for (const [nsp, id] of [['/', admin.id], ['/admin', main.id], ['/tenant-42', admin.id]]) {
      await assert.rejects(query('SELECT socketio_emit(nsp => $1, except_rooms => ARRAY[$2], event => $3)',
        [nsp, id, 'hello']), (error) => error.message.includes(`"${id}"`), `${id} in ${nsp}`);
    }
    assert.deepEqual(await settled(main, admin), [nothing, nothing]);
  });

  test('a namespace nobody serves is no error', async () => {
    const [client] = await connect({});
    await query(`SELECT socketio_emit(nsp => '/nowhere', event => 'hello')`);
    assert.deepEqual(await settled(client), [nothing]);
  });
});

onLegacyCluster(AdapterPostgresCluster, 'settings', {}, (stage) => {
  const { query, connect, settled } = stage;

  const emit = (event) => `SELECT socketio_emit(event => '${event}')`;

  test('the protocol of a session, a transaction, a function', async () => {
    const clients = await connect({}, {}, {});
    await query(`
      CREATE OR REPLACE FUNCTION emit_to_others() RETURNS void LANGUAGE sql
        SET socketio_emitter.protocol = 'cluster' AS $$ ${emit('to others from a function')} $$;
      CREATE OR REPLACE FUNCTION emit_here() RETURNS void LANGUAGE sql
        SET socketio_emitter.protocol = 'adapter-postgres' AS $$ ${emit('from a function')} $$;
      ${emit('by default')};
      SELECT emit_to_others();
      SET socketio_emitter.protocol = 'socket.io-postgres';
      ${emit('to others')};
      SELECT emit_here();
      ${emit('to others once more')}`);
    await query(`
      BEGIN;
      ${emit('to others in a transaction')};
      SET LOCAL socketio_emitter.protocol = 'adapter-postgres';
      ${emit('in a transaction')};
      COMMIT;
      ${emit('to others after the transaction')};
      SET socketio_emitter.protocol = 'adapter-postgres';
      ${emit('in the session')};
      RESET socketio_emitter.protocol;
      ${emit('by default again')}`);
    const expected = ['by default', 'from a function', 'in a transaction', 'in the session', 'by default again'];
    assert.deepEqual(await settled(...clients), clients.map(() => expected.map((event) => [event])));
  });

  test('the protocol of a role', async () => {
    const clients = await connect({}, {}, {});
    await query(`
      DROP ROLE IF EXISTS others; CREATE ROLE others LOGIN;
      ALTER ROLE others IN DATABASE ${stage.database.name} SET socketio_emitter.protocol = 'cluster'`);
    const others = stage.database.newPool({ user: 'others', max: 1 });
    try {
      await others.query(emit('from others'));
      await others.query(`SET socketio_emitter.protocol = 'adapter-postgres'; ${emit('from others after all')}`);
    } finally {
      await others.end();
      await query('DROP OWNED BY others; DROP ROLE others');
    }
    assert.deepEqual(await settled(...clients), clients.map(() => [['from others after all']]));
  });

  test('channel_prefix, enabled and payload_threshold', async () => {
    const clients = await connect({}, {}, {});
    await query(`
      SET socketio_emitter.payload_threshold = 1;
      ${emit('small, and there are no attachments')};
      SET socketio_emitter.channel_prefix = 'elsewhere';
      ${emit('elsewhere')};
      SET socketio_emitter.channel_prefix = 'socket.io';
      ${emit('here')};
      SET socketio_emitter.enabled = off;
      ${emit('off')};
      SELECT socketio_emit_values(NULL, 'off', repeat('x', 10000));
      RESET ALL;
      ${emit('here again')}`);
    const expected = ['small, and there are no attachments', 'here', 'here again'];
    assert.deepEqual(await settled(...clients), clients.map(() => expected.map((event) => [event])));
  });
});

onLegacyCluster(AdapterPostgresCluster, 'delivery', {}, ({ query, connect, settled }) => {
  // Without the library preloaded nothing is counted.
  const counts = async () => (await query(`
    SELECT notify_emits::int AS notify, worker_emits::int AS worker, worker_attachments::int AS attachments
    FROM socketio_stats WHERE database = current_database()`)).rows[0];

  test(`emits are delivered by ${delivery}`, async () => {
    const clients = await connect({}, {}, {});
    await query(`SELECT socketio_emit_values(socketio_to('nobody'), 'first')`); // from here on the database is counted
    const before = await counts();
    await query(`SELECT socketio_emit_values(NULL, 'small', n) FROM generate_series(1, 3) AS n`);
    await query(`SELECT socketio_emit_values(NULL, 'large', repeat('x', 10000))`);
    await query(`BEGIN; SELECT socketio_emit_values(NULL, 'never'); ROLLBACK`);
    const now = await counts();
    if (delivery === 'worker') {
      assert.equal(now.notify, before.notify);
      assert.ok(now.worker >= before.worker + 4, `${now.worker - before.worker} emits by the worker`);
      assert.equal(now.attachments, before.attachments);
    } else {
      assert.deepEqual([before, now], [undefined, undefined]);
    }
    const expected = [['small', 1], ['small', 2], ['small', 3], ['large', 'x'.repeat(10_000)]];
    assert.deepEqual(await settled(...clients), clients.map(() => expected));
  });

  test('more than the queue of the worker holds', async () => {
    const [client] = await connect({});
    await query(`SELECT socketio_emit_values(NULL, 'n', n, repeat('x', 7000)) FROM generate_series(1, 2000) AS n`);
    await query(`SELECT socketio_emit_values(NULL, 'n', 2001)`);
    const [events] = await settled(client);
    assert.deepEqual(events.map(([, n]) => n), Array.from({ length: 2001 }, (_, i) => i + 1));
  });
});

// Not the other adapters' either, nor one without characters that mean something.
const prefix = 'chat #é';

onLegacyCluster(AdapterPostgresCluster, 'a prefix of its own', {
  cluster: { namespaces: ['/', '/admin'], prefix },
  database: { settings: { 'socketio_emitter.channel_prefix': prefix } },
}, (stage) => {
  const { query, connect, settled } = stage;

  test('emits reach the servers of the prefix, and no others', async () => {
    const others = await AdapterPostgresCluster.start(stage.database, { servers: 1 });
    try {
      const clients = await connect({ rooms: ['room1'] }, {}, { rooms: ['room1'] }, { namespace: '/admin' });
      const [other] = await others.connect({ rooms: ['room1'] });
      await query(`
        SELECT socketio_emit(rooms => '{room1}', event => 'to a room');
        SELECT socketio_emit(event => 'to all');
        SELECT socketio_emit_values(NULL, 'large', repeat('x', 10000));
        SELECT socketio_emit_values(socketio_of('/admin'), 'binary', '\\x01'::bytea);
        SET socketio_emitter.channel_prefix = 'socket.io';
        SELECT socketio_emit(event => 'to the other');`);
      const [toOther] = await others.settled(other);
      await query('RESET socketio_emitter.channel_prefix');
      const toAll = [['to all'], ['large', 'x'.repeat(10_000)]];
      const toRoom = [['to a room'], ...toAll];
      assert.deepEqual(await settled(...clients), [toRoom, toAll, toRoom, [['binary', Buffer.from([1])]]]);
      assert.deepEqual(toOther, [['to the other']]);
      await query(`SET socketio_emitter.channel_prefix = 'socket.io'`);
      await others.endTest();
    } finally {
      await others.close();
    }
  });
});
