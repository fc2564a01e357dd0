// Emits to servers that listen as those with the adapter socket.io-postgres: who gets them, with which arguments, and
// what is too large.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emitChanges, levels, makeTables, onStatements, rowChanges } from './lib/changes.js';
import { LegacyPoller } from './lib/legacy-poller.js';
import { onLegacyCluster } from './lib/legacy-suite.js';
import { SocketIoPostgresCluster } from './lib/socketio-postgres.js';
import { hold, untilWritable } from './lib/transport.js';
import { Watch, within } from './lib/wait.js';

const hello = [['hello', 'world']];
const nothing = [];

onLegacyCluster(SocketIoPostgresCluster, 'emits', {}, (stage) => {
  const { query, connect, settled } = stage;

  test('an event reaches every client of every server once', async () => {
    const clients = await connect({}, {}, {}, {}, {}, {});
    await query(`SELECT socketio_emit('/', '{}', '{}', 'hello', '["world"]')`);
    assert.deepEqual(await settled(...clients), clients.map(() => hello));
  });

  // Each of these is one emit; beside it what the client's handler is called with.
  const argumentLists = [
    [`socketio_emit(event => 'e')`, []],
    [`socketio_emit(event => 'e', args => NULL)`, []],
    [`socketio_emit(event => 'e', args => '[[]]')`, [[]]],
    [`socketio_emit(event => 'e', args => '[1, "two", null, true, {"five": [6]}]')`,
      [1, 'two', null, true, { five: [6] }]],
    [`socketio_emit(event => 'e', args => '{"a": 1}')`, [{ a: 1 }]],
    [`socketio_emit(NULL::socketio_target, 'e', '[1, 2]')`, [1, 2]],
    [`socketio_emit(socketio_of('/'), 'e')`, []],
    [`socketio_emit_values(socketio_of('/'), 'e')`, []],
    [`socketio_emit_values(socketio_of('/'), 'e', 1, 1.5, 'two', NULL, true, ARRAY[1, 2], ROW(1, 'x'))`,
      [1, 1.5, 'two', null, true, [1, 2], { f1: 1, f2: 'x' }]],
    [`socketio_emit_values(NULL, 'e', '{"b": [1, {"c": null}]}'::jsonb, '2026-02-28'::date, 'NaN'::float8)`,
      [{ b: [1, { c: null }] }, '2026-02-28', 'NaN']],
  ];
  test('arguments arrive as they were given', async () => {
    const clients = await connect({}, {}, {});
    for (const [call] of argumentLists) await query(`SELECT ${call}`);
    const expected = argumentLists.map(([, args]) => ['e', ...args]);
    assert.deepEqual(await settled(...clients), clients.map(() => expected));
  });

  // Three clients on three servers: one in room1, one in room2, one in both; and a fourth in none.
  const connectFour = () => connect({ rooms: ['room1'] }, { rooms: ['room2'] }, { rooms: ['room1', 'room2'] }, {});

  // What each call delivers to these four.
  const calls = [
    [`socketio_emit('/', '{room1}', '{}', 'hello', '["world"]')`, [hello, nothing, hello, nothing]],
    [`socketio_emit(event => 'hello', rooms => '{room2}', args => '"world"')`, [nothing, hello, hello, nothing]],
    [`socketio_emit('/', '{room1,room2}', '{}', 'hello', '["world"]')`, [hello, hello, hello, nothing]],
    [`socketio_emit('/', '{room1,room1,room1}', '{}', 'hello', '["world"]')`, [hello, nothing, hello, nothing]],
    [`socketio_emit('/', '{}', '{room1}', 'hello', '["world"]')`, [nothing, hello, nothing, hello]],
    [`socketio_emit('/', '{}', '{room1,room2}', 'hello', '["world"]')`, [nothing, nothing, nothing, hello]],
    [`socketio_emit('/', '{room1}', '{room2}', 'hello', '["world"]')`, [hello, nothing, nothing, nothing]],
    [`socketio_emit('/', '{room1,room2}', '{room1}', 'hello', '["world"]')`, [nothing, hello, nothing, nothing]],
    [`socketio_emit('/', '{nobody}', '{}', 'hello', '["world"]')`, [nothing, nothing, nothing, nothing]],
    [`socketio_emit('/', '{room1,nobody}', '{}', 'hello', '["world"]')`, [hello, nothing, hello, nothing]],
    [`socketio_emit(socketio_to('room1'), 'hello', '["world"]')`, [hello, nothing, hello, nothing]],
    [`socketio_emit_values(socketio_in(socketio_to('room1'), 'room2'), 'hello', 'world')`,
      [hello, hello, hello, nothing]],
    [`socketio_emit_values(socketio_except(socketio_to('room1'), 'room2'), 'hello', 'world')`,
      [hello, nothing, nothing, nothing]],
  ];
  for (const [call, expected] of calls) {
    test(call, async () => {
      const clients = await connectFour();
      await query(`SELECT ${call}`);
      assert.deepEqual(await settled(...clients), expected);
    });
  }

  test('several rooms are one message: sockets of one server get it once each', async () => {
    const both = { rooms: ['room1', 'room2'], server: 0 };
    const clients = await connect(both, both, { rooms: ['room1'], server: 0 }, { rooms: ['room2'], server: 1 });
    await query(`SELECT socketio_emit(rooms => '{room1,room2}', event => 'both')`);
    await query(`SELECT socketio_emit(rooms => '{room1,nobody}', event => 'one')`);
    const all = [['both'], ['one']];
    assert.deepEqual(await settled(...clients), [all, all, all, [['both']]]);
  });

  test('a socket id is a room', async () => {
    const clients = await connect({}, {}, {}, {});
    await query('SELECT socketio_emit(rooms => ARRAY[$1], event => $2)', [clients[1].id, 'to you']);
    await query('SELECT socketio_emit(except_rooms => ARRAY[$1], event => $2)', [clients[1].id, 'to all but you']);
    await query('SELECT socketio_emit_values(socketio_to($1, $2), $3)', [clients[1].id, clients[2].id, 'to you two']);
    const others = [['to all but you']];
    assert.deepEqual(await settled(...clients), [
      others, [['to you'], ['to you two']], [['to all but you'], ['to you two']], others]);
  });

  // No double quote: the servers themselves cannot listen to a channel with one.
  test('a room may have almost any name', async () => {
    const names = ['', ' ', 'With Space', 'a,b', '{braces}', 'apos\'trophe', 'back\\slash', 'new\nline', 'tab\t',
      'NULL', '#', ':', '/', '%s', 'ключ', '部屋', '🚪', 'e\u0301', '\u0001\u001f\u007f'];
    const clients = await connect(...names.map((name) => ({ rooms: [name] })));
    for (const name of names) {
      await query('SELECT socketio_emit(rooms => ARRAY[$1], event => $2, args => to_jsonb($1))', [name, 'one']);
      await query('SELECT socketio_emit_values(socketio_to($1, $2), $3, $1)', [name, 'nobody', 'two']);
    }
    assert.deepEqual(await settled(...clients), names.map((name) => [['one', name], ['two', name]]));
  });

  test('rooms whose channels have names of 60 to 70 bytes, and longer ones', async () => {
    const channel = 'socket-io:/:';
    for (const character of ['x', 'é', '😀']) {
      for (const length of [60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70, 200, 7000]) {
        const bytes = length - channel.length;
        const characters = Math.floor(bytes / Buffer.byteLength(character));
        const room = character.repeat(characters) + '.'.repeat(bytes - characters * Buffer.byteLength(character));
        const clients = await connect({}, {}, {});
        // Too long for a query, some of them.
        for (const client of clients.slice(1)) stage.cluster.socketOf(client).join(room);
        await stage.cluster.listening();
        await query('SELECT socketio_emit(rooms => ARRAY[$1], event => $2)', [room, 'hello']);
        assert.deepEqual(await settled(...clients), [nothing, [['hello']], [['hello']]], `${length} ${character}`);
        for (const client of clients) client.close();
      }
    }
  });

  const texts = {
    'Latin': 'Zwölf Boxkämpfer',
    'Hebrew and Arabic': 'דג סקרן · نص حكيم',
    'Chinese and Japanese': '视野无限广 いろは',
    'emoji with joiners and modifiers': '👩‍👩‍👧‍👦 👍🏽',
    'beyond the basic plane': '𐍈 𝄞 𠜎 𝕏 \u{10ffff}',
    'invisible': '\u200b\u200e\u2028\u2029\ufeff\u00ad',
    'backslashes': `'single' \\back\\slash\\ /slash/ \\u0041 \\n`,
    'what JSON escapes': `${Array.from({ length: 31 }, (_, i) => String.fromCharCode(i + 1)).join('')}\u007f`,
  };
  for (const [name, text] of Object.entries(texts)) {
    test(`text as event, room, key and value: ${name}`, async () => {
      const [member, other, third] = await connect({ rooms: [text] }, {}, { rooms: [text] });
      const document = { [text]: [text, { [`${text} "${text}"`]: text }] };
      await query('SELECT socketio_emit(rooms => ARRAY[$1], event => $2, args => $3)',
        [text, text, JSON.stringify([text, document])]);
      await query('SELECT socketio_emit_values(socketio_to($1), $2, $3::text, $4::jsonb, ARRAY[$3::text])',
        [text, text, text, JSON.stringify(document)]);
      const all = [[text, text, document], [text, text, document, [text]]];
      assert.deepEqual(await settled(member, other, third), [all, [], all]);
    });
  }

  for (const [call, fate] of [
    [`socketio_emit('/', '{}', '{}', 'news', '["now"]', true)`, 'dropped'],
    [`socketio_emit_values(socketio_volatile(socketio_to('room1')), 'news', 'now')`, 'dropped'],
    [`socketio_emit('/', '{}', '{}', 'news', '["now"]', false)`, 'kept'],
  ]) {
    test(`${call} is ${fate} for a client that cannot take it`, async () => {
      const rooms = ['room1'];
      const clients = await connect({ rooms }, { rooms }, { rooms });
      for (const client of clients) await untilWritable(stage.cluster.socketOf(client).conn.transport);
      const release = hold(stage.cluster.socketOf(clients[1]).conn);
      await query(`SELECT ${call}`);
      await query(`SELECT socketio_emit(event => 'behind')`);
      // The held client's server has to have handled both before it may send again.
      const [witness] = await connect({ server: 1 });
      await settled(witness);
      release();
      const all = [['news', 'now'], ['behind']];
      assert.deepEqual(await settled(...clients), [all, fate === 'kept' ? all : [['behind']], all]);
    });
  }

  for (const [call, encoding] of [
    [`socketio_emit('/', '{}', '{}', 'e', to_jsonb(repeat('x', 3000)))`, 'gzip'],
    [`socketio_emit('/', '{}', '{}', 'e', to_jsonb(repeat('x', 3000)), false, false)`, null],
    [`socketio_emit_values(socketio_compress(false), 'e', repeat('x', 3000))`, null],
    [`socketio_emit_values(socketio_compress(true), 'e', repeat('x', 3000))`, 'gzip'],
  ]) {
    test(`${call} is ${encoding ? 'compressed' : 'sent plain'}`, async () => {
      const urls = [0, 1, 2].map((server) => stage.cluster.urlOf(server));
      const pollers = await Promise.all(urls.map((url) => LegacyPoller.connect(url, 4)));
      await query(`SELECT ${call}`);
      for (const poller of pollers) {
        assert.deepEqual(await within(poller.answerWith('xxxxxxxx'), 'the event'), { event: 'e', encoding });
      }
      await Promise.all(pollers.map((poller) => poller.close()));
    });
  }

  // What has been notified on the channel of '/' meanwhile.
  async function heardWhile(action) {
    const listener = await stage.database.newSession();
    const watch = new Watch();
    const payloads = [];
    listener.on('notification', ({ channel, payload }) => {
      if (channel === 'socket-io:/') payloads.push(payload);
      watch.check();
    });
    try {
      await listener.query('LISTEN "socket-io:/"');
      await action();
      await query(`SELECT socketio_emit(event => 'the end')`);
      await watch.until(() => payloads.at(-1)?.includes('"the end"'), 'the end');
    } finally {
      await listener.end();
    }
    return payloads.slice(0, -1);
  }

  for (const [kind, character] of [['ASCII', 'x'], ['three-byte', '部'], ['quoted', '"']]) {
    test(`${kind} text of every length around the limit of a notification`, async () => {
      const clients = await connect({}, {}, {});
      const size = Buffer.byteLength(JSON.stringify(character)) - 2;
      const sent = [];
      const refused = [];
      const payloads = await heardWhile(async () => {
        for (let bytes = 7750; bytes < 8000; bytes++) {
          const text = character.repeat(Math.floor(bytes / size)) + '.'.repeat(bytes % size);
          try {
            await query('SELECT socketio_emit_values(NULL, $1, $2::text)', ['text', text]);
            sent.push(['text', text]);
          } catch (error) {
            assert.equal(error.code, '54000');
            refused.push(bytes);
          }
        }
      });
      assert.ok(sent.length > 10 && refused.length > 10, `${sent.length} sent and ${refused.length} refused`);
      assert.equal(refused[0], 7750 + sent.length, 'the longest are refused');
      // The number that keeps equal emits apart may have grown by a digit just there.
      const longest = Math.max(...payloads.map((payload) => Buffer.byteLength(payload)));
      assert.ok(longest === 7999 || longest === 7998, `the longest has ${longest} bytes`);
      assert.deepEqual(await settled(...clients), clients.map(() => [...sent, ['the end']]));
    });
  }

  test('equal emits in one transaction are as many deliveries', async () => {
    const clients = await connect({ rooms: ['a'] }, { rooms: ['a'] }, { rooms: ['a'] });
    await query(`
      BEGIN;
      SELECT socketio_emit(event => 'same', args => '["text"]');
      SELECT socketio_emit(event => 'same', args => '["text"]');
      SELECT socketio_emit_values(NULL, 'same', 'text') FROM generate_series(1, 100);
      SELECT socketio_emit_values(socketio_to('a'), 'in a room') FROM generate_series(1, 3);
      COMMIT`);
    const expected = [...Array(102).fill(['same', 'text']), ...Array(3).fill(['in a room'])];
    assert.deepEqual(await settled(...clients), clients.map(() => expected));
  });

  test('ROLLBACK, ROLLBACK TO SAVEPOINT and an error caught take back what was emitted inside', async () => {
    const clients = await connect({ rooms: ['a'] }, { rooms: ['a'] }, { rooms: ['a'] });
    const emit = (event) => `
      SELECT socketio_emit(event => '${event}');
      SELECT socketio_emit_values(socketio_to('a'), '${event}', 'in a room');`;
    await query(`BEGIN; ${emit('never')} ROLLBACK`);
    await assert.rejects(query(`${emit('never')} SELECT 1 / 0`), { code: '22012' });
    await query(`
      BEGIN;
      ${emit('before')}
      SAVEPOINT one;
      ${emit('taken back')}
      ROLLBACK TO SAVEPOINT one;
      DO $$
      BEGIN
        PERFORM socketio_emit(event => 'taken back');
        PERFORM socketio_emit_values(NULL, 'too large', repeat('x', 8000));
      EXCEPTION WHEN program_limit_exceeded THEN
        PERFORM socketio_emit(event => 'in the handler');
      END $$;
      ${emit('after')}
      COMMIT`);
    const expected = [
      ['before'], ['before', 'in a room'], ['in the handler'], ['after'], ['after', 'in a room']];
    assert.deepEqual(await settled(...clients), clients.map(() => expected));
  });

  test('binary and what is too large are refused, and reach nobody', async () => {
    const clients = await connect({}, {}, {});
    await assert.rejects(query(`SELECT socketio_emit_values(NULL, 'binary', '\\x01'::bytea)`), { code: '0A000' });
    await assert.rejects(query(`SELECT socketio_emit_values(NULL, 'binary', ARRAY[NULL, '\\x01'::bytea])`),
      { code: '0A000' });
    await assert.rejects(query(`SELECT socketio_emit_values(NULL, 'large', repeat('x', 8000))`), { code: '54000' });
    await assert.rejects(query(`SELECT socketio_emit(event => 'large', args => to_jsonb(repeat('x', 100000)))`),
      { code: '54000' });
    assert.deepEqual(await settled(...clients), clients.map(() => nothing));
  });

  test('the protocol of a session and a transaction', async () => {
    const clients = await connect({}, {}, {});
    await query(`
      SELECT socketio_emit(event => 'by default');
      SET socketio_emitter.protocol = 'cluster';
      SELECT socketio_emit(event => 'to others');
      BEGIN;
      SET LOCAL socketio_emitter.protocol = 'socket.io-postgres';
      SELECT socketio_emit(event => 'in a transaction');
      COMMIT;
      SET socketio_emitter.protocol = 'adapter-postgres';
      SELECT socketio_emit(event => 'to others');
      RESET socketio_emitter.protocol`);
    assert.deepEqual(await settled(...clients), clients.map(() => [['by default'], ['in a transaction']]));
  });
});

onLegacyCluster(SocketIoPostgresCluster, 'row changes', {}, (stage) => {
  const { query, connect, settled } = stage;
  const table = 'CREATE TABLE task (id int PRIMARY KEY, team text, title text);';
  const task = (id, team, title) => ({ id, team, title });

  for (const { level, triggers } of levels) {
    test(`${level}: all changes, in order`, async () => {
      await makeTables(query, table + triggers('task'));
      const clients = await connect({}, {}, {});
      await query(`
        INSERT INTO task VALUES (1, 'a', 'one'), (2, 'b', 'two é😀');
        UPDATE task SET title = 'three' WHERE id = 2;
        DELETE FROM task WHERE id = 1`);
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

    test(`${level}: a row too large for a message is an error, and nothing is changed`, async () => {
      await makeTables(query, table + triggers('task'));
      const clients = await connect({}, {}, {});
      await assert.rejects(query(`INSERT INTO task VALUES (1, 'a', 'one'), (2, 'b', repeat('x', 8000))`),
        { code: '54000' });
      assert.deepEqual((await query('SELECT FROM task')).rows, []);
      assert.deepEqual(await settled(...clients), clients.map(() => nothing));
    });
  }

  // Statements whose rows together exceed a message by far: each is cut into messages that fit.
  const count = 2_000;
  const ids = Array.from({ length: count }, (_, i) => i + 1);
  const title = (id) => `row ${id} é😀 "${'x'.repeat(id % 400)}"`;
  const insert = `INSERT INTO task SELECT n, n % 10, 'row ' || n || ' é😀 "' || repeat('x', n % 400) || '"'
    FROM generate_series(1, ${count}) AS n`;

  test(`statement level: ${count} rows inserted, updated and deleted`, async () => {
    await makeTables(query, table + onStatements('task'));
    const clients = await connect({}, {}, {});
    await query(insert);
    // In the order in which the statement will come across them.
    const stored = async () => (await query('SELECT * FROM task ORDER BY ctid')).rows;
    const before = await stored();
    await query(`UPDATE task SET team = 'new'`);
    const after = await stored();
    await query('DELETE FROM task WHERE id % 2 = 0');
    const expected = [
      ...ids.map((id) => ['insert', null, task(id, `${id % 10}`, title(id))]),
      ...before.map((row) => ['update', row, { ...row, team: 'new' }]),
      ...after.filter(({ id }) => id % 2 === 0).map((row) => ['delete', row, null]),
    ];
    for (const events of await settled(...clients)) {
      assert.ok(events.length < expected.length / 5, `${events.length} messages for ${expected.length} rows`);
      assert.deepEqual(rowChanges(events), expected);
    }
  });

  test('statement level: many rows to many rooms', async () => {
    await makeTables(query, table + onStatements('task', 'rooms=team:{team}'));
    const clients = await connect({ rooms: ['team:0'] }, { rooms: ['team:1', 'team:2'] }, {});
    await query(insert);
    const received = (await settled(...clients)).map((events) => rowChanges(events).map(([, , { id }]) => id));
    const of = (team) => ids.filter((id) => id % 10 === team);
    assert.deepEqual(received, [of(0), [...of(1), ...of(2)], []]);
  });

  test('statement level: rows of which two hardly fit', async () => {
    await makeTables(query, `${table}
      CREATE TRIGGER emit AFTER INSERT ON task REFERENCING NEW TABLE AS new_rows
        FOR EACH STATEMENT ${emitChanges('payload=record')};`);
    const [client] = await connect({});
    await query(`INSERT INTO task SELECT n, 'a', repeat('x', 3600 + n) FROM generate_series(1, 400) AS n`);
    const [events] = await settled(client);
    const rows = events.flatMap(([, { records }]) => records);
    assert.deepEqual(rows, Array.from({ length: 400 }, (_, i) => task(i + 1, 'a', 'x'.repeat(3601 + i))));
    assert.ok(events.length > 200 && events.length < 400, `${events.length} messages`);
  });
});

const namespaces = ['/', '/admin', '/größe😀'];

onLegacyCluster(SocketIoPostgresCluster, 'namespaces', { cluster: { namespaces } }, ({ query, connect, settled }) => {
  test('an event stays in its namespace', async () => {
    const clients = await connect(...namespaces.flatMap((namespace) => (
      [0, 1, 2].map((server) => ({ namespace, server, rooms: ['a'] })))));
    for (const nsp of namespaces) {
      await query('SELECT socketio_emit(nsp => $1, event => $2, args => to_jsonb($1::text))', [nsp, 'flat']);
      await query('SELECT socketio_emit_values(socketio_to(socketio_of($1), $2), $3, $1)', [nsp, 'a', 'one room']);
      await query('SELECT socketio_emit(nsp => $1, rooms => $2, event => $3)', [nsp, ['a', 'b'], 'two rooms']);
    }
    await query(`SELECT socketio_emit(nsp => 'admin', event => 'no slash')`);
    assert.deepEqual(await settled(...clients), clients.map(({ namespace: nsp }) => [
      ['flat', nsp], ['one room', nsp], ['two rooms'], ...(nsp === '/admin' ? [['no slash']] : [])]));
  });

  test('a socket is excepted in its namespace', async () => {
    for (const namespace of namespaces) {
      const clients = await connect({ namespace }, { namespace }, { namespace });
      await query('SELECT socketio_emit(nsp => $1, except_rooms => ARRAY[$2], event => $3)',
        [namespace, clients[1].id, 'hello']);
      assert.deepEqual(await settled(...clients), [[['hello']], nothing, [['hello']]]);
    }
  });

  test('a namespace nobody serves is no error', async () => {
    const [client] = await connect({});
    await query(`SELECT socketio_emit(nsp => '/nowhere', event => 'hello')`);
    assert.deepEqual(await settled(client), [nothing]);
  });
});

for (const [encoding, text] of [['LATIN1', 'Größe: ½ für 5 £ «ÿ» \u00a0'], ['SQL_ASCII', 'Größe € 部屋 😀']]) {
  const options = { database: { encoding }, cluster: { namespaces: ['/', '/größe'] } };
  onLegacyCluster(SocketIoPostgresCluster, encoding, options, ({ query, connect, settled }) => {
    for (const namespace of ['/', '/größe']) {
      test(`text as event, room, key and value in ${namespace}`, async () => {
        const rooms = [text];
        const clients = await connect({ namespace, rooms }, { namespace }, { namespace, rooms });
        const document = { [text]: [text] };
        await query('SELECT socketio_emit($1, $2, $3, $4, $5)',
          [namespace, rooms, [], text, JSON.stringify([text, document])]);
        await query('SELECT socketio_emit_values(socketio_to(socketio_of($1), $2, $3), $2, $2, $4::jsonb)',
          [namespace, text, 'nobody', JSON.stringify(document)]);
        const all = [[text, text, document], [text, text, document]];
        assert.deepEqual(await settled(...clients), [all, [], all]);
      });
    }
  });
}

const prefix = 'Chat é';

onLegacyCluster(SocketIoPostgresCluster, 'a prefix of its own', {
  cluster: { prefix },
  database: { settings: { 'socketio_emitter.channel_prefix': prefix } },
}, (stage) => {
  const { query, connect, settled } = stage;

  test('emits reach the servers of the prefix, and no others', async () => {
    const others = await SocketIoPostgresCluster.start(stage.database, { servers: 1 });
    try {
      const clients = await connect({ rooms: ['room1'] }, {}, { rooms: ['room1'] });
      const [other] = await others.connect({ rooms: ['room1'] });
      await query(`
        SELECT socketio_emit(rooms => '{room1}', event => 'to a room');
        SELECT socketio_emit(event => 'to all');
        SET socketio_emitter.channel_prefix = 'socket.io';
        SELECT socketio_emit(event => 'to nobody');
        SET socketio_emitter.channel_prefix = 'socket-io';
        SELECT socketio_emit(event => 'to the other')`);
      const [toOther] = await others.settled(other);
      await query('RESET socketio_emitter.channel_prefix');
      const toRoom = [['to a room'], ['to all']];
      assert.deepEqual(await settled(...clients), [toRoom, [['to all']], toRoom]);
      assert.deepEqual(toOther, [['to the other']]);
      await query(`SET socketio_emitter.channel_prefix = 'socket-io'`);
      await others.endTest();
    } finally {
      await others.close();
    }
  });
});
