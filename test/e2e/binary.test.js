// bytea: binary at any depth, in any company.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onEachAdapter } from './lib/suite.js';

const types = `
  CREATE DOMAIN avatar AS bytea;
  CREATE TYPE point3 AS (x int, y int);
  CREATE TYPE part AS (name text, content bytea, at point3);
  CREATE TYPE parcel AS (id int, parts part[], seal avatar, rest bytea[]);
  CREATE TABLE file (id int, name text, content bytea);
  INSERT INTO file VALUES (1, 'one.bin', '\\x0102'), (2, NULL, NULL), (3, 'empty', '')`;

const bytes = (...values) => Buffer.from(values);

// Each is the arguments of one emit; beside it what a client's handler is called with.
const cases = [
  [`'\\xdeadbeef'::bytea`, [bytes(0xde, 0xad, 0xbe, 0xef)]],
  [`''::bytea`, [bytes()]],
  [`NULL::bytea`, [null]],
  [`'\\x00'::bytea, 'text', '\\xff'::bytea, 3`, [bytes(0), 'text', bytes(255), 3]],
  [`decode(string_agg(lpad(to_hex(n), 2, '0'), '' ORDER BY n), 'hex') FROM generate_series(0, 255) AS n`,
    [Buffer.from(Array.from({ length: 256 }, (_, i) => i))]],
  [`ARRAY['\\x01', '\\x02']::bytea[]`, [[bytes(1), bytes(2)]]],
  [`ARRAY['\\x01', NULL, '']::bytea[]`, [[bytes(1), null, bytes()]]],
  [`ARRAY[['\\x01', '\\x02'], ['\\x03', '\\x04']]::bytea[]`, [[[bytes(1), bytes(2)], [bytes(3), bytes(4)]]]],
  [`'{}'::bytea[]`, [[]]],
  [`ROW(1, '\\xaa'::bytea)`, [{ f1: 1, f2: bytes(0xaa) }]],
  [`ROW('a', '\\xaa', ROW(1, 2))::part`, [{ name: 'a', content: bytes(0xaa), at: { x: 1, y: 2 } }]],
  [`ARRAY[ROW('a', '\\xaa', NULL)::part, NULL, ROW('b', NULL, ROW(3, 4))::part]`,
    [[{ name: 'a', content: bytes(0xaa), at: null }, null, { name: 'b', content: null, at: { x: 3, y: 4 } }]]],
  [`ROW(7, ARRAY[ROW('a', '\\xaa', ROW(1, 2)), ROW('b', '\\xbb', NULL)]::part[], '\\xcc',
      ARRAY['\\xdd', '\\xee']::bytea[])::parcel`,
    [{
      id: 7,
      parts: [{ name: 'a', content: bytes(0xaa), at: { x: 1, y: 2 } }, { name: 'b', content: bytes(0xbb), at: null }],
      seal: bytes(0xcc),
      rest: [bytes(0xdd), bytes(0xee)],
    }]],
  [`'\\x0a'::avatar`, [bytes(10)]],
  [`ARRAY['\\x0a'::avatar]`, [[bytes(10)]]],
  [`file FROM file WHERE id = 1`, [{ id: 1, name: 'one.bin', content: bytes(1, 2) }]],
  [`array_agg(file ORDER BY id) FROM file`,
    [[
      { id: 1, name: 'one.bin', content: bytes(1, 2) },
      { id: 2, name: null, content: null },
      { id: 3, name: 'empty', content: bytes() },
    ]]],
  [`VARIADIC ARRAY['\\x01', '\\x02']::bytea[]`, [bytes(1), bytes(2)]],
  // What else goes through msgpack once there is binary beside it.
  [`'\\x01'::bytea, 1.5, -1, 9007199254740993, 1e30::numeric, 'é😀', '{"a": [1, {"b": null}]}'::jsonb, true, NULL`,
    [bytes(1), 1.5, -1, 9007199254740992, 1e30, 'é😀', { a: [1, { b: null }] }, true, null]],
];

onEachAdapter('binary', { prepare: types }, ({ query, connect, settled }) => {
  for (const [args, expected] of cases) {
    test(args, async () => {
      const clients = await connect({}, {}, {});
      await query(splitFrom(args));
      assert.deepEqual(await settled(...clients), clients.map(() => [['binary', ...expected]]));
    });
  }

  test('binary in rooms and namespaces goes nowhere else', async () => {
    const clients = await connect({ rooms: ['room1'] }, {}, { rooms: ['room1'] });
    await query(`SELECT socketio_emit_values(socketio_to('room1'), 'binary', ARRAY['\\x01'::bytea])`);
    const got = [['binary', [bytes(1)]]];
    assert.deepEqual(await settled(...clients), [got, [], got]);
  });

  test('a rolled-back one arrives nowhere and leaves no attachment', async () => {
    const clients = await connect({}, {}, {});
    await query(`BEGIN; SELECT socketio_emit_values(NULL, 'binary', '\\xbad0'::bytea); ROLLBACK`);
    await query(`SELECT socketio_emit_values(NULL, 'binary', '\\x600d'::bytea)`);
    assert.deepEqual(await settled(...clients), clients.map(() => [['binary', bytes(0x60, 0x0d)]]));
    const { rows } = await query('SELECT payload FROM socket_io_attachments');
    assert.deepEqual(rows.filter(({ payload }) => payload.includes(bytes(0xba, 0xd0))), []);
  });

  // The emit with these arguments; a FROM in them belongs to the statement.
  function splitFrom(args) {
    const [values, ...rest] = args.split(' FROM ');
    return `SELECT socketio_emit_values(NULL, 'binary', ${values})${rest.length ? ` FROM ${rest.join(' FROM ')}` : ''}`;
  }
});
