// socketio_fetch_sockets: the sockets of all servers, field by field as the servers themselves report them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { asAttachment, byId, many, reported, uidsOf, useAsker } from './lib/ask.js';
import { onEachAdapter } from './lib/suite.js';

onEachAdapter('ask: sockets', { cluster: { namespaces: ['/', '/admin'] } }, (stage) => {
  const { connect } = stage;
  const asker = useAsker(stage);
  const fetched = async (...question) => byId(await asker.rows(...question));
  const fetchAll = 'SELECT * FROM socketio_fetch_sockets()';

  // Whatever the server may keep of a socket in socket.data.
  function keep(clients, describe) {
    clients.forEach((client, i) => { stage.cluster.socketOf(client).data = describe(i); });
    return clients;
  }

  const fifty = many(50, (i) => ({
    rooms: ['everybody', `group ${i % 5}`, ...(i % 7 === 0 ? ['sevenths'] : [])],
    auth: { token: `token ${i}`, nested: { list: [i, null, true] } },
    query: { page: `/path?${i}&x=é😀` },
    headers: { cookie: `session=${i}`, 'x-client': 'e2e' },
  }));

  test('all of fifty, as their servers have them', async () => {
    keep(await connect(...fifty), (i) => ({
      user: `user ${i}`, n: i, half: i + 0.5, none: null, yes: true, text: '"quoted" \\ é 部 😀 \u2028\u0001',
      nested: { list: [1, 'two', null, false, { deep: [[[]]] }, {}], '': 'empty', 'with "quote"': i },
      numbers: [0, -1, 2 ** 31, 2 ** 53, -(2 ** 53), 1e21, 1e-7, 1.7976931348623157e308, 5e-324],
    }));
    const rows = await fetched(fetchAll);
    assert.equal(rows.length, 50);
    assert.deepEqual(rows, await reported(stage.cluster));
    assert.deepEqual([...new Set(rows.map(({ server }) => server))].sort(), uidsOf(stage.cluster));
  });

  test('the server of each is one of socketio_servers, and the one it is connected to', async () => {
    const clients = await connect(...fifty);
    const rows = await asker.rows(`
      SELECT sockets.id, uid FROM socketio_fetch_sockets() AS sockets JOIN socketio_servers() ON uid = server`);
    const uids = stage.cluster.servers.map((io) => io.of('/').adapter.uid);
    assert.deepEqual(byId(rows), byId(clients.map(({ id, server }) => ({ id, uid: uids[server] }))));
  });

  const choices = [
    { rooms: ['everybody'] },
    { rooms: ['group 1'] },
    { rooms: ['group 1', 'group 2', 'nobody is here'] },
    { rooms: ['everybody', 'sevenths'] },
    { rooms: ['everybody'], except: ['sevenths'] },
    { rooms: ['sevenths'], except: ['group 0', 'group 1'] },
    { except: ['group 4'] },
    { except: ['everybody'] },
    { rooms: ['nobody is here'] },
    { rooms: ['group 1'], except: ['group 1'] },
  ];

  test('by room, by several rooms, some excepted, flat, named and as a chain', async () => {
    await connect(...fifty);
    for (const { rooms = [], except = [] } of choices) {
      const expected = await reported(stage.cluster, { rooms, except });
      const flat = await fetched(`SELECT * FROM socketio_fetch_sockets('/', $1, $2, '5 s')`, [rooms, except]);
      assert.deepEqual(flat, expected, `rooms ${rooms}, except ${except}`);
      const named = await fetched(
        'SELECT * FROM socketio_fetch_sockets(rooms => $1, except_rooms => $2)', [rooms, except]);
      assert.deepEqual(named, expected, `named: rooms ${rooms}, except ${except}`);
      const chain = await fetched(`
        SELECT * FROM socketio_fetch_sockets(
          socketio_except(socketio_to(socketio_of('/'), VARIADIC $1), VARIADIC $2))`, [rooms, except]);
      assert.deepEqual(chain, expected, `chain: rooms ${rooms}, except ${except}`);
    }
  });

  test('one by its id', async () => {
    const clients = await connect(...fifty);
    const { id } = clients[31];
    assert.deepEqual(await fetched('SELECT * FROM socketio_fetch_sockets(rooms => ARRAY[$1])', [id]),
      await reported(stage.cluster, { rooms: [id] }));
  });

  test('a thousand rooms, which no notification can name', async () => {
    await connect(...fifty);
    const rooms = [...many(1000, (i) => `room of no one ${i}`), 'sevenths', 'é'.repeat(10_000)];
    const fetchThese = 'SELECT * FROM socketio_fetch_sockets(rooms => $1, except_rooms => $2)';
    const attachments = await stage.database.attachmentsMade();
    assert.deepEqual(await fetched(fetchThese, [rooms, []]), await reported(stage.cluster, { rooms }));
    // The question at least; what the servers answer may be small.
    assert.ok(await stage.database.attachmentsMade() > attachments);
    assert.deepEqual(await fetched(fetchThese, [[], rooms]), await reported(stage.cluster, { except: rooms }));
  });

  test('nobody is connected', async () => {
    assert.deepEqual(await fetched(fetchAll), []);
  });

  test('a socket that has left is gone, one that came is there', async () => {
    const [leaving, ...staying] = await connect({}, {}, {});
    assert.equal((await fetched(fetchAll)).length, 3);
    const socket = stage.cluster.socketOf(leaving);
    const left = new Promise((resolve) => { socket.on('disconnect', resolve); });
    leaving.close();
    await left;
    const coming = await connect({}, {});
    const ids = [...staying, ...coming].map(({ id }) => id).sort();
    assert.deepEqual((await fetched(fetchAll)).map(({ id }) => id), ids);
  });

  test('each namespace has its own', async () => {
    const main = await connect(...many(9, () => ({ rooms: ['shared name'] })));
    const admin = await connect(...main.slice(0, 4).map((shared) => (
      { shared, namespace: '/admin', rooms: ['shared name'] })));
    keep(admin, (i) => ({ admin: i }));
    const inMain = await reported(stage.cluster);
    const inAdmin = await reported(stage.cluster, { namespace: '/admin' });
    assert.deepEqual([inMain.length, inAdmin.length], [9, 4]);
    for (const nsp of ['/', '', null]) {
      assert.deepEqual(await fetched('SELECT * FROM socketio_fetch_sockets($1::text)', [nsp]), inMain);
    }
    for (const nsp of ['/admin', 'admin']) {
      assert.deepEqual(await fetched('SELECT * FROM socketio_fetch_sockets($1::text)', [nsp]), inAdmin);
      assert.deepEqual(await fetched(
        `SELECT * FROM socketio_fetch_sockets(socketio_to(socketio_of($1), 'shared name'))`, [nsp]), inAdmin);
    }
  });

  test('the chain without a target is everybody', async () => {
    await connect(...many(6));
    assert.deepEqual(await fetched('SELECT * FROM socketio_fetch_sockets(NULL::socketio_target)'),
      await reported(stage.cluster));
  });

  const dates = {
    date: new Date('2026-02-28T12:34:56.789Z'), epoch: new Date(0), early: new Date('1815-12-10'),
    seconds: new Date('2030-01-01'), late: new Date('2999-12-31T23:59:59.001Z'),
    later: new Date(Date.UTC(12345, 0)),
  };

  test('dates in socket.data are what JSON has for them, in small answers and in large', async () => {
    const clients = keep(await connect({}, {}, {}), () => ({ ...dates, list: [dates.date] }));
    const attachments = await stage.database.attachmentsMade();
    assert.deepEqual(await fetched(fetchAll), await reported(stage.cluster));
    assert.equal(await stage.database.attachmentsMade(), attachments);
    keep(clients, () => ({ ...dates, list: [dates.date], filler: 'x'.repeat(8000) }));
    assert.deepEqual(await fetched(fetchAll), await reported(stage.cluster));
    assert.equal(await stage.database.attachmentsMade(), attachments + 3);
  });

  test('binary is base64, at any depth, in small answers and in large', async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    const clients = await connect({}, {}, {});
    for (const [filler, made] of [['', 0], ['x'.repeat(8000), 3]]) {
      keep(clients, (i) => ({ bytes, empty: Buffer.alloc(0), list: [Buffer.from([i]), [{ bytes }]], filler }));
      const attachments = await stage.database.attachmentsMade();
      const rows = await fetched(fetchAll);
      assert.deepEqual(rows, await reported(stage.cluster, { represent: asAttachment }));
      assert.equal(rows[0].data.bytes, bytes.toString('base64'));
      assert.equal(await stage.database.attachmentsMade(), attachments + made);
    }
  });

  test('much binary, and arrays of bytes that are no Buffers', async () => {
    keep(await connect({}, {}, {}), (i) => ({
      large: Buffer.alloc(100_000, i), list: [new Uint8Array([1, 2])],
    }));
    assert.deepEqual(await fetched(fetchAll), await reported(stage.cluster, { represent: asAttachment }));
  });

  const odd = 'nul \0, high \ud800, low \udfff, swapped \udc00\ud800, pair \u{1f600}, at the end \ud83d';

  for (const [kind, filler] of [['small', ''], ['large', 'x'.repeat(8000)]]) {
    test(`characters PostgreSQL’s text cannot hold, in a ${kind} answer`, async () => {
      const clients = await connect(
        { auth: { odd, [odd]: [odd], filler }, query: { nul: 'a\0b' }, rooms: [`room ${odd}`] },
        { server: 0, rooms: ['plain'] }, { server: 1 });
      keep(clients, () => ({ [odd]: [odd, { odd }], long: odd.repeat(20) }));
      const expected = (await reported(stage.cluster)).map((row) => ({ ...row, rooms: row.rooms.map(replaced) }));
      const rows = await fetched(fetchAll);
      assert.deepEqual(rows, expected);
      const row = rows.find(({ id }) => id === clients[0].id);
      assert.equal(row.handshake.auth.odd, replaced(odd));
      assert.equal(row.handshake.query.nul, 'a\ufffdb');
      assert.ok(row.rooms.includes(`room ${replaced(odd)}`));
    });
  }

  const replaced = (text) => text.replace(/[\0\p{Surrogate}]/gu, '\ufffd');

  test('NaN and what is infinite are null, in small answers and in large', async () => {
    const data = { list: [NaN, Infinity, -Infinity, 1.5] };
    const clients = keep(await connect({}, {}, {}), () => data);
    for (const filler of ['', 'x'.repeat(8000)]) {
      keep(clients, () => ({ ...data, filler }));
      const rows = await fetched(fetchAll);
      assert.deepEqual(rows.map((row) => row.data), clients.map(() => ({ list: [null, null, null, 1.5], filler })));
    }
  });

  test('what is nested too deep is null, and the rest is there', async () => {
    const nested = (depth) => (depth === 0 ? 'bottom' : [nested(depth - 1)]);
    const clients = keep(await connect({}, {}, {}), () => ({ deep: nested(150), tooDeep: nested(1000), beside: 1 }));
    const rows = await fetched(fetchAll);
    assert.equal(rows.length, clients.length);
    for (const { data } of rows) {
      assert.deepEqual(data.deep, nested(150));
      assert.equal(data.beside, 1);
      let depth = 0;
      let inner = data.tooDeep;
      for (; Array.isArray(inner); inner = inner[0]) depth += 1;
      assert.equal(inner, null);
      assert.ok(depth >= 150 && depth <= 200, `${depth} levels are left`);
    }
  });

  test('a megabyte of each server', async () => {
    keep(await connect({}, {}, {}), (i) => ({
      text: `${i} é😀`.repeat(100_000), list: Array.from({ length: 10_000 }, (_, n) => ({ n })),
    }));
    const rows = await fetched(fetchAll);
    // Without printing megabytes of difference.
    assert.ok(isDeepStrictEqual(rows, await reported(stage.cluster)), 'what came is not what was sent');
  });
});
