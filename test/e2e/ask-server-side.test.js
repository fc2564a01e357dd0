// socketio_server_side_emit_with_ack and socketio_custom_request: a row of what every server’s own handler answers.

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { answerOnServers, SHORT, timeoutReached, uidsOf, useAsker, withAskers } from './lib/ask.js';
import { sorted } from './lib/sorted.js';
import { onEachAdapter } from './lib/suite.js';

onEachAdapter('ask: server-side', { cluster: { namespaces: ['/', '/admin'] } }, (stage) => {
  const { connect, settled } = stage;
  const asker = useAsker(stage);

  let stops = [];
  afterEach(() => stops.splice(0).forEach((stop) => stop()));
  const answer = (event, make, namespace) => stops.push(answerOnServers(stage.cluster, event, make, namespace));

  // Every server's row when each responds with this.
  const ofEach = (respond, namespace) => uidsOf(stage.cluster, namespace).map((server) => (
    { server, response: respond(server) }));
  const bySorted = async (...question) => sorted(await asker.rows(...question));

  test('every server answers for itself, clients hear nothing', async () => {
    answer('question', (uid, ...args) => [{ uid, args }]);
    const clients = await connect({}, {}, {});
    const rows = await bySorted(`
      SELECT * FROM socketio_server_side_emit_with_ack('/', 'question', '["a", 1, {"b": [null, true]}]')`);
    assert.deepEqual(rows, sorted(ofEach((uid) => ({ uid, args: ['a', 1, { b: [null, true] }] }))));
    assert.deepEqual(await settled(...clients), [[], [], []]);
  });

  test('arguments arrive as they were given', async () => {
    answer('question', (uid, ...args) => [args]);
    for (const [args, heard] of [
      ['', []],
      [', args => NULL', []],
      [`, args => '[]'`, []],
      [`, args => '{"a": 1}'`, [{ a: 1 }]],
      [`, args => '[[1, 2]]'`, [[1, 2]]],
      [`, args => '"é😀"'`, ['é😀']],
      [`, args => to_jsonb(repeat('é', 100000))`, ['é'.repeat(100_000)]],
      [`, args => to_jsonb(repeat('x', 7950))`, ['x'.repeat(7950)]],
    ]) {
      const rows = await bySorted(`
        SELECT * FROM socketio_server_side_emit_with_ack(event => 'question'${args})`);
      assert.deepEqual(rows, sorted(ofEach(() => heard)), args);
    }
  });

  test('it stays in its namespace', async () => {
    answer('question', () => ['main']);
    answer('question', () => ['admin'], '/admin');
    for (const nsp of ['/admin', 'admin']) {
      const rows = await bySorted(`SELECT * FROM socketio_server_side_emit_with_ack($1, 'question')`, [nsp]);
      assert.deepEqual(rows, sorted(ofEach(() => 'admin', '/admin')));
    }
    const rows = await bySorted(`SELECT * FROM socketio_server_side_emit_with_ack(NULL, 'question')`);
    assert.deepEqual(rows, sorted(ofEach(() => 'main')));
  });

  test('answers of every shape', async () => {
    for (const shape of [
      null, false, 0, '', 'é 部 😀 "quoted" \\ \u2028', [], [[], [1, [2]]], {}, { a: { b: [null, 1.5, 2 ** 53] } }, 1e21,
      'x'.repeat(7_000), 'x'.repeat(100_000), { large: Array.from({ length: 5_000 }, (_, n) => ({ n, 'é😀': 'é😀' })) },
    ]) {
      const stop = answerOnServers(stage.cluster, 'question', () => [shape]);
      const rows = await asker.rows(`
        SELECT server, response IS NULL AS missing, response
        FROM socketio_server_side_emit_with_ack(event => 'question')`);
      assert.deepEqual(sorted(rows),
        sorted(uidsOf(stage.cluster).map((server) => ({ server, missing: false, response: shape }))));
      stop();
    }
  });

  test('a callback without an argument is NULL; of several calls and arguments the first counts', async () => {
    answer('nothing', () => []);
    const nothing = await asker.rows(`
      SELECT server, response IS NULL AS missing FROM socketio_server_side_emit_with_ack(event => 'nothing')`);
    assert.deepEqual(sorted(nothing), sorted(uidsOf(stage.cluster).map((server) => ({ server, missing: true }))));
    for (const io of stage.cluster.servers) {
      io.on('twice', (callback) => {
        callback('first', 'second');
        callback('third');
      });
      stops.push(() => io.removeAllListeners('twice'));
    }
    assert.deepEqual(await bySorted(`SELECT * FROM socketio_server_side_emit_with_ack(event => 'twice')`),
      sorted(ofEach(() => 'first')));
  });

  test('binary is base64, at any depth, in small answers and in large', async () => {
    answer('question', () => [{ bytes: Buffer.from([0, 1, 255]), list: [[new Uint8Array([7])], Buffer.alloc(0)] }]);
    answer('large', () => [Buffer.alloc(100_000, 7)]);
    assert.deepEqual(await bySorted(`SELECT * FROM socketio_server_side_emit_with_ack(event => 'question')`),
      sorted(ofEach(() => ({ bytes: 'AAH/', list: [['Bw=='], ''] }))));
    const [{ response }] = await bySorted(`SELECT * FROM socketio_server_side_emit_with_ack(event => 'large')`);
    assert.equal(response, Buffer.alloc(100_000, 7).toString('base64'));
  });

  test('dates, and numbers that JSON has not, beside binary', async () => {
    const date = new Date('2026-02-28T12:34:56.789Z');
    answer('question', () => [{ date, list: [NaN, Infinity, date], bytes: Buffer.from([1]) }]);
    assert.deepEqual(await bySorted(`SELECT * FROM socketio_server_side_emit_with_ack(event => 'question')`),
      sorted(ofEach(() => ({ date: date.toISOString(), list: [null, null, date.toISOString()], bytes: 'AQ==' }))));
  });

  test('answers that are long in coming are waited for', async () => {
    let release;
    const released = new Promise((resolve) => { release = resolve; });
    let asked = 0;
    const all = new Promise((resolve) => {
      stage.cluster.servers.forEach((io, i) => io.on('question', async (callback) => {
        if (++asked === 3) resolve();
        // One is quick.
        if (i > 0) await released;
        callback(i);
      }));
    });
    stops.push(() => stage.cluster.servers.forEach((io) => io.removeAllListeners('question')));
    const question = asker.rows(`
      SELECT response FROM socketio_server_side_emit_with_ack(event => 'question', timeout => '1 min')`);
    await all;
    release();
    assert.deepEqual(sorted((await question).map(({ response }) => response)), [0, 1, 2]);
  });

  test('one server without a listener, and none: the others’ rows, and a warning that counts', async () => {
    answer('question', (uid) => [uid]);
    const [deaf] = stage.cluster.servers;
    deaf.removeAllListeners('question');
    await withAskers(stage.database, 2, async (one, other) => {
      const [some, none] = await Promise.all([
        one.ask(`SELECT * FROM socketio_server_side_emit_with_ack(event => 'question', timeout => $1)`, [SHORT]),
        other.ask(`SELECT * FROM socketio_custom_request('1', timeout => $1)`, [SHORT]),
      ]);
      assert.deepEqual(sorted(some.rows),
        sorted(ofEach((uid) => uid).filter(({ server }) => server !== deaf.of('/').adapter.uid)));
      assert.deepEqual(some.said, [timeoutReached(2, 3)]);
      assert.deepEqual([none.rows, none.said], [[], [timeoutReached(0, 3)]]);
    });
  });

  test('names that are reserved for clients are free between servers', async () => {
    answer('connect_error', () => ['free']);
    assert.deepEqual(await bySorted(`SELECT * FROM socketio_server_side_emit_with_ack('/', 'connect_error')`),
      sorted(ofEach(() => 'free')));
  });

  test('a custom request: data to every server, its answer back', async () => {
    answer('customRequest', (uid, data) => [{ uid, data }]);
    answer('customRequest', (uid, data) => [['admin', data]], '/admin');
    for (const data of [{ a: [1, null] }, [1, [2]], [], 'text', 1.5, true, null]) {
      assert.deepEqual(await bySorted('SELECT * FROM socketio_custom_request($1)', [JSON.stringify(data)]),
        sorted(ofEach((uid) => ({ uid, data }))));
    }
    assert.deepEqual(await bySorted(`SELECT * FROM socketio_custom_request(data => '[1]', nsp => 'admin')`),
      sorted(ofEach(() => ['admin', [1]], '/admin')));
  });

  test('a custom request of any size and answers of any kind', async () => {
    answer('customRequest', (uid, data) => [{ length: data.length, bytes: Buffer.from(data.slice(0, 3)) }]);
    assert.deepEqual(await bySorted(`SELECT * FROM socketio_custom_request(to_jsonb(repeat('abc', 100000)))`),
      sorted(ofEach(() => ({ length: 300_000, bytes: 'YWJj' }))));
  });
});
