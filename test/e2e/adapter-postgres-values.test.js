// SQL values, text of all kinds and bytea at servers with socket.io-adapter-postgres: the same as to_jsonb of them, and
// Buffers.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect, isDeepStrictEqual } from 'node:util';
import { AdapterPostgresCluster } from './lib/adapter-postgres.js';
import { catalogue, types } from './lib/catalogue.js';
import { onLegacyCluster } from './lib/legacy-suite.js';

const bytes = (...values) => Buffer.from(values);

onLegacyCluster(AdapterPostgresCluster, 'values', { prepare: types }, (stage) => {
  const { query, connect, settled } = stage;

  const routes = {
    socketio_emit: (args) => `socketio_emit(event => 'value', args => jsonb_build_array(${args}))`,
    socketio_emit_values: (args) => `socketio_emit_values(NULL, 'value', ${args})`,
    'socketio_emit_values beside binary': (args) => `socketio_emit_values(NULL, 'value', ${args}, '\\x00'::bytea)`,
  };
  for (const [name, call] of Object.entries(routes)) {
    test(`${name}: every kind of value`, async (t) => {
      await query(`SET TimeZone = 'UTC'`);
      const { values, missing } = await catalogue(stage.database);
      for (const type of missing) t.diagnostic(`type ${type} is not among the values: its extension is not installed`);
      const expected = [];
      const clients = await connect({}, {}, {});
      for (const [number, value] of values.entries()) {
        const { rows: [{ json }] } = await query(`SELECT jsonb_build_array(${value})::text AS json`);
        // As socket.io's own JSON has it.
        expected.push(JSON.parse(JSON.stringify(JSON.parse(json)[0])));
        await query(`SELECT ${call(`${number}, ${value}`)}`);
      }
      for (const received of await settled(...clients)) {
        assert.equal(received.length, values.length);
        const differing = received.filter(([, number, value], i) => (
          number !== i || !isDeepStrictEqual(value, expected[i])));
        assert.deepEqual(differing.map(([, number, value]) => `${values[number]}: ${outline(value)}`), []);
      }
    });
  }

  const texts = {
    'Latin': 'Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich',
    'Hebrew and Arabic': 'דג סקרן שט בים · نص حكيم له سر قاطع',
    'Chinese and Japanese': '视野无限广 いろはにほへと',
    'emoji with joiners and modifiers': '👩‍👩‍👧‍👦 👍🏽 🏳️‍🌈 🇺🇦',
    'beyond the basic plane': '𐍈 𝄞 𠜎 𝕏 \u{10ffff}',
    'invisible': '\u200b\u200e\u200f\u2028\u2029\ufeff\u00ad',
    'the edges of UTF-8': '\u007f\u0080\u07ff\u0800\ud7ff\ue000\uffff\u{10000}',
    'quotes and backslashes': `"double" 'single' \\back\\slash\\ /slash/ \\u0041 \\n`,
    'what JSON escapes': `${Array.from({ length: 31 }, (_, i) => String.fromCharCode(i + 1)).join('')}\u007f`,
    'what the adapter writes before a piece': '_chunk_abc_0_2',
  };
  for (const [name, text] of Object.entries(texts)) {
    test(`text as event, room, key and value: ${name}`, async () => {
      const [member, other, third] = await connect({ rooms: [text] }, {}, { rooms: [text] });
      const document = { [text]: [text, { [`${text} ${text}`]: text }] };
      await query('SELECT socketio_emit(rooms => ARRAY[$1], event => $2, args => $3)',
        [text, text, JSON.stringify([text, document])]);
      await query('SELECT socketio_emit_values(socketio_to($1), $2, $3::text, $4::jsonb, ARRAY[$3::text], $5::bytea)',
        [text, text, text, JSON.stringify(document), Buffer.from(text)]);
      await query('SELECT socketio_emit_values(socketio_to($1), $2, repeat($3, 2000))', [text, text, text]);
      const all = [
        [text, text, document], [text, text, document, [text], Buffer.from(text)], [text, text.repeat(2000)]];
      assert.deepEqual(await settled(member, other, third), [all, [], all]);
    });
  }
});

const binaryTypes = `
  CREATE DOMAIN avatar AS bytea;
  CREATE TYPE part AS (name text, content bytea);
  CREATE TYPE parcel AS (id int, parts part[], seal avatar, rest bytea[]);
  CREATE TABLE file (id int, name text, content bytea);
  INSERT INTO file VALUES (1, 'one.bin', '\\x0102'), (2, NULL, NULL), (3, 'empty', '')`;

// Each is the arguments of one emit; beside it what a client's handler is called with.
const binaryCases = [
  [`'\\xdeadbeef'::bytea`, [bytes(0xde, 0xad, 0xbe, 0xef)]],
  [`''::bytea`, [bytes()]],
  [`NULL::bytea`, [null]],
  [`'\\x00'::bytea, 'text', '\\xff'::bytea, 3, NULL, true`, [bytes(0), 'text', bytes(255), 3, null, true]],
  [`'text', '{"a": [1, {"b": null}]}'::jsonb, '\\x01'::bytea, 'é😀'`,
    ['text', { a: [1, { b: null }] }, bytes(1), 'é😀']],
  [`(SELECT decode(string_agg(lpad(to_hex(n), 2, '0'), '' ORDER BY n), 'hex') FROM generate_series(0, 255) AS n)`,
    [Buffer.from(Array.from({ length: 256 }, (_, i) => i))]],
  [`ARRAY['\\x01', NULL, '']::bytea[]`, [[bytes(1), null, bytes()]]],
  [`ARRAY[['\\x01', '\\x02'], ['\\x03', '\\x04']]::bytea[]`, [[[bytes(1), bytes(2)], [bytes(3), bytes(4)]]]],
  [`'{}'::bytea[]`, [[]]],
  [`ROW(1, '\\xaa'::bytea)`, [{ f1: 1, f2: bytes(0xaa) }]],
  [`ROW(7, ARRAY[ROW('a', '\\xaa'), ROW('b', NULL)]::part[], '\\xcc', ARRAY['\\xdd', '\\xee']::bytea[])::parcel`,
    [{
      id: 7,
      parts: [{ name: 'a', content: bytes(0xaa) }, { name: 'b', content: null }],
      seal: bytes(0xcc),
      rest: [bytes(0xdd), bytes(0xee)],
    }]],
  [`'\\x0a'::avatar`, [bytes(10)]],
  [`(SELECT array_agg(file ORDER BY id) FROM file)`,
    [[
      { id: 1, name: 'one.bin', content: bytes(1, 2) },
      { id: 2, name: null, content: null },
      { id: 3, name: 'empty', content: bytes() },
    ]]],
  [`VARIADIC ARRAY['\\x01', '\\x02']::bytea[]`, [bytes(1), bytes(2)]],
];

onLegacyCluster(AdapterPostgresCluster, 'binary', { prepare: binaryTypes }, ({ query, connect, settled }) => {
  for (const [args, expected] of binaryCases) {
    test(args, async () => {
      const clients = await connect({}, {}, {}, { transports: ['polling'] });
      await query(`SELECT socketio_emit_values(NULL, 'binary', ${args})`);
      assert.deepEqual(await settled(...clients), clients.map(() => [['binary', ...expected]]));
    });
  }

  test('binary to rooms, but for one socket', async () => {
    const clients = await connect({ rooms: ['a'] }, {}, { rooms: ['a', 'b'] }, { rooms: ['b'] });
    await query(`SELECT socketio_emit_values(socketio_to('a'), 'to a', '\\x01'::bytea)`);
    await query(`SELECT socketio_emit_values(socketio_to('a', 'b'), 'to both', '\\x02'::bytea)`);
    const butOneOf = 'socketio_except(socketio_to($1, $2), $3)';
    await query(`SELECT socketio_emit_values(${butOneOf}, 'but one', ARRAY['\\x03'::bytea])`,
      ['a', 'b', clients[2].id]);
    const [a, both, butOne] = [['to a', bytes(1)], ['to both', bytes(2)], ['but one', [bytes(3)]]];
    assert.deepEqual(await settled(...clients), [[a, both, butOne], [], [a, both], [both, butOne]]);
  });
});

function outline(value) {
  const text = inspect(value, { depth: null, breakLength: Infinity, maxStringLength: 100, maxArrayLength: 20 });
  return text.length > 200 ? `${text.slice(0, 200)}… (${text.length} characters)` : text;
}
