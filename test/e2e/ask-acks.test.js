// socketio_emit_with_ack: a row for every client that acknowledges the event.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acknowledges } from './lib/adapters.js';
import { many, SHORT, timeoutReached, uidsOf, useAsker, withAskers } from './lib/ask.js';
import { sorted } from './lib/sorted.js';
import { onEachAdapter } from './lib/suite.js';

onEachAdapter('ask: acknowledgements', { cluster: { namespaces: ['/', '/admin'] } }, (stage) => {
  if (acknowledges(stage.version)) acknowledgements(stage);
  else noAcknowledgements(stage);
});

function acknowledgements(stage) {
  const { connect } = stage;
  const asker = useAsker(stage);
  const responses = async (...question) => sorted((await asker.rows(...question)).map(({ response }) => response));

  // Clients that acknowledge with what they were asked and who they are: their number.
  async function connectAnswering(...descriptions) {
    const clients = await connect(...descriptions);
    clients.forEach((client, i) => client.acknowledge('question', (...args) => [{ client: i, args }]));
    return clients;
  }

  const from = (numbers, ...args) => sorted(numbers.map((client) => ({ client, args })));

  test('every one of fifty clients answers, from its server', async () => {
    const clients = await connectAnswering(...many(50));
    const rows = await asker.rows(`
      SELECT * FROM socketio_emit_with_ack('/', '{}', '{}', 'question', '["a", 1, {"b": [null, true]}]')`);
    const uids = stage.cluster.servers.map((io) => io.of('/').adapter.uid);
    const expected = clients.map(({ server }, i) => (
      { server: uids[server], response: { client: i, args: ['a', 1, { b: [null, true] }] } }));
    assert.deepEqual(sorted(rows), sorted(expected));
    assert.deepEqual(clients.map(({ events }) => events),
      clients.map(() => [['question', 'a', 1, { b: [null, true] }]]));
  });

  test('by room, by several rooms, some excepted, flat, named and as a chain', async () => {
    await connectAnswering({ rooms: ['a'] }, { rooms: ['a', 'b'] }, { rooms: ['b'] }, {}, { rooms: ['a'] });
    const ask = (call) => responses(`SELECT response FROM ${call}`);
    assert.deepEqual(await ask(`socketio_emit_with_ack('/', '{a}', '{}', 'question')`), from([0, 1, 4]));
    assert.deepEqual(await ask(`socketio_emit_with_ack('/', '{a,b}', '{}', 'question', '1')`), from([0, 1, 2, 4], 1));
    assert.deepEqual(await ask(`socketio_emit_with_ack('/', '{a}', '{b}', 'question', '[[2]]')`), from([0, 4], [2]));
    assert.deepEqual(await ask(`socketio_emit_with_ack(except_rooms => '{a}', event => 'question', args => NULL)`),
      from([2, 3]));
    assert.deepEqual(await ask(`socketio_emit_with_ack(socketio_except(socketio_to('b'), 'a'), 'question', '"x"')`),
      from([2], 'x'));
    assert.deepEqual(await ask(`socketio_emit_with_ack(NULL::socketio_target, 'question')`), from([0, 1, 2, 3, 4]));
  });

  test('in a namespace, and nobody else is asked', async () => {
    const [main] = await connectAnswering({});
    const admin = await connect({ namespace: '/admin' }, { namespace: '/admin' }, { namespace: '/admin' });
    admin.forEach((client, i) => client.acknowledge('question', () => [i]));
    assert.deepEqual(await responses(`
      SELECT response FROM socketio_emit_with_ack('admin', '{}', '{}', 'question')`), [0, 1, 2]);
    assert.deepEqual(await responses(`
      SELECT response FROM socketio_emit_with_ack(socketio_of('/admin'), 'question')`), [0, 1, 2]);
    assert.deepEqual(main.events, []);
  });

  test('nobody is there to answer', async () => {
    await connectAnswering({}, {}, {});
    const { rows, said, elapsed } = await asker.ask(`
      SELECT * FROM socketio_emit_with_ack('/', '{nobody is here}', '{}', 'question')`);
    assert.deepEqual([rows, said], [[], []]);
    assert.ok(elapsed < 4_500, `it took ${elapsed} ms`);
  });

  test('a callback without an argument is NULL, one with null is not, and of several the first counts', async () => {
    const answers = [[], [null], ['first', 'second'], [['first'], 'second'], [false], [0], ['']];
    const clients = await connect(...answers.map(() => ({})));
    clients.forEach((client, i) => client.acknowledge('question', () => answers[i]));
    const rows = await asker.rows(`SELECT response::text FROM socketio_emit_with_ack(event => 'question')`);
    assert.deepEqual(sorted(rows.map(({ response }) => response)),
      sorted([null, 'null', '"first"', '["first"]', 'false', '0', '""']));
  });

  test('responses of every shape', async () => {
    const shapes = [
      'é 部 😀 "quoted" \\ \u2028', [], [[], [1, [2]]], {}, { a: { b: [null, true, 1.5, -3, 2 ** 53] } }, 1e21, 5e-324,
      'x'.repeat(7_000), 'x'.repeat(100_000), { large: Array.from({ length: 5_000 }, (_, n) => ({ n, 'é😀': 'é😀' })) },
    ];
    const clients = await connect(...shapes.map(() => ({})));
    clients.forEach((client, i) => client.acknowledge('question', () => [shapes[i]]));
    assert.deepEqual(await responses(`SELECT response FROM socketio_emit_with_ack(event => 'question')`),
      sorted(shapes));
  });

  test('characters PostgreSQL’s text cannot hold', async () => {
    const [small, large] = await connect({}, {});
    small.acknowledge('question', () => ['nul \0 and half \ud83d']);
    large.acknowledge('question', () => [['nul \0 and half \ud83d', 'x'.repeat(10_000)]]);
    assert.deepEqual(await responses(`SELECT response FROM socketio_emit_with_ack(event => 'question')`),
      sorted(['nul \ufffd and half \ufffd', ['nul \ufffd and half \ufffd', 'x'.repeat(10_000)]]));
  });

  test('binary is base64, at any depth', async () => {
    const bytes = Buffer.from([0, 1, 254, 255]);
    const answers = [bytes, { list: [bytes, [Buffer.alloc(0)]], n: 1 }, Buffer.alloc(100_000, 'é')];
    const clients = await connect({}, {}, {});
    clients.forEach((client, i) => client.acknowledge('question', () => [answers[i]]));
    assert.deepEqual(await responses(`SELECT response FROM socketio_emit_with_ack(event => 'question')`), sorted([
      'AAH+/w==', { list: ['AAH+/w==', ['']], n: 1 }, Buffer.alloc(100_000, 'é').toString('base64'),
    ]));
  });

  test('answers that are long in coming are waited for', async () => {
    const clients = await connect({}, {}, {});
    let release;
    const released = new Promise((resolve) => { release = resolve; });
    for (const client of clients) {
      client.acknowledge('quick', () => ['quick']);
      client.acknowledge('slow', async () => {
        await released;
        return ['slow'];
      });
    }
    const slow = responses(`SELECT response FROM socketio_emit_with_ack(event => 'slow', timeout => '1 min')`);
    await Promise.all(clients.map((client) => client.until(() => client.events.length > 0, 'the client to be asked')));
    // While nobody has answered the one, another session asks another.
    const { rows } = await stage.query(`SELECT response FROM socketio_emit_with_ack(event => 'quick')`);
    assert.deepEqual(rows.map(({ response }) => response), ['quick', 'quick', 'quick']);
    release();
    assert.deepEqual(await slow, ['slow', 'slow', 'slow']);
  });

  test('clients that never acknowledge, and one that goes away: the others’ rows, and a warning', async () => {
    const clients = await connect(...many(50, (i) => ({ rooms: [i < 40 ? 'staying' : 'leaving'] })));
    const never = new Promise(() => {});
    clients.forEach((client, i) => client.acknowledge('question', () => {
      if (i === 13 || i === 31) return never;
      if (i !== 44) return [i];
      client.close();
      return never;
    }));
    await withAskers(stage.database, 2, async (...askers) => {
      const answers = await Promise.all(['staying', 'leaving'].map((room, i) => askers[i].ask(
        'SELECT response FROM socketio_emit_with_ack(rooms => ARRAY[$1], event => $2, timeout => $3)',
        [room, 'question', SHORT])));
      assert.deepEqual(sorted(answers.flatMap(({ rows }) => rows.map(({ response }) => response))),
        sorted(many(50, (i) => i).filter((i) => ![13, 31, 44].includes(i))));
      // The servers have answered: how many clients they have asked.
      assert.deepEqual(answers.map(({ said }) => said), ['38 of 40', '9 of 10'].map((count) => (
        [timeoutReached(3, 3, `${count} clients acknowledged.`)])));
    });
  });

  test('a large question, and one that is larger than a notification by its rooms', async () => {
    const clients = await connectAnswering({ rooms: ['room 999'] }, {}, { rooms: ['room 1'] });
    const text = 'é😀'.repeat(100_000);
    const answers = await asker.rows(`
      SELECT response->'client' AS client, response->'args'->>0 = $1 AS same
      FROM socketio_emit_with_ack(event => 'question', args => to_jsonb($1::text))`, [text]);
    assert.deepEqual(sorted(answers), clients.map((_, client) => ({ client, same: true })));
    assert.deepEqual(await responses(`
      SELECT response->'client' AS response FROM socketio_emit_with_ack(
        rooms => (SELECT array_agg('room ' || n) FROM generate_series(1, 1000) AS n), event => 'question')`), [0, 2]);
  });

  test('reserved events are refused and nobody hears of them', async () => {
    const clients = await connectAnswering({}, {}, {});
    for (const event of ['connect', 'disconnect', 'newListener']) {
      await assert.rejects(asker.ask('SELECT * FROM socketio_emit_with_ack(event => $1)', [event]), { code: '22023' });
    }
    assert.deepEqual(await stage.settled(...clients), [[], [], []]);
  });
}

// Such servers emit the event, and do not know that they are asked.
function noAcknowledgements(stage) {
  const asker = useAsker(stage);

  test('the event arrives, nobody answers, and a warning counts', async () => {
    const clients = await stage.connect({ rooms: ['a'] }, { rooms: ['a'] }, { rooms: ['a'] }, {});
    const { rows, said } = await asker.ask(
      `SELECT * FROM socketio_emit_with_ack('/', '{a}', '{}', 'question', '["x"]', $1)`, [SHORT]);
    assert.deepEqual(rows, []);
    const [warning, ...more] = said;
    assert.deepEqual(more, []);
    assert.deepEqual({ ...warning, detail: undefined }, timeoutReached(0, 3));
    const asked = [['question', 'x']];
    assert.deepEqual(await stage.settled(...clients), [asked, asked, asked, []]);
    assert.equal((await asker.rows('SELECT FROM socketio_servers()')).length, uidsOf(stage.cluster).length);
  });
}
