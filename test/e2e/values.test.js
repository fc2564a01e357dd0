// What SQL values become in JavaScript: the same as to_jsonb of them, whichever way they travel.
//
// Each value is emitted on three routes, as JSON in a notification and as msgpack in an attachment. A client sees what
// socket.io's own JSON leaves of a value (no infinite number, no negative zero), a server-side handler the exact value.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect, isDeepStrictEqual } from 'node:util';
import { catalogue, types } from './lib/catalogue.js';
import { recordServerSide } from './lib/cluster.js';
import { onEachAdapter } from './lib/suite.js';

const throughSocketIo = (value) => JSON.parse(JSON.stringify(value));

// `call` is the emit of these arguments, with event 'value'.
const routes = [
  {
    name: 'socketio_emit_values',
    call: (args) => `socketio_emit_values(NULL, 'value', ${args})`,
    atServer: false,
  },
  {
    name: 'socketio_emit',
    call: (args) => `socketio_emit(event => 'value', args => jsonb_build_array(${args}))`,
    atServer: false,
  },
  {
    name: 'socketio_server_side_emit_values',
    call: (args) => `socketio_server_side_emit_values('/', 'value', ${args})`,
    atServer: true,
  },
  {
    name: 'socketio_server_side_emit',
    call: (args) => `socketio_server_side_emit(event => 'value', args => jsonb_build_array(${args}))`,
    atServer: true,
  },
];

const kinds = [
  // Values too long for a notification are attachments under this threshold as well: the result has to be the same.
  { name: 'JSON in a notification', threshold: 8000 },
  { name: 'msgpack in an attachment', threshold: 1 },
];

const ordinarySettings = `SET TimeZone = 'UTC'`;
const unusualSettings = `
  SET TimeZone = 'Asia/Kolkata'; SET DateStyle = 'SQL, DMY'; SET IntervalStyle = 'postgres_verbose';
  SET extra_float_digits = -2; SET bytea_output = 'escape'; SET quote_all_identifiers = on`;

// What JSON.parse makes of what to_jsonb makes of each value, under these settings; the same on all adapters.
const known = new Map();
async function expectations(query, values, settings) {
  if (!known.has(settings)) {
    const expected = [];
    await query('BEGIN; SET LOCAL extra_float_digits = 1'); // digits are not lost, whatever is set
    for (const value of values) {
      const { rows: [row] } = await query(`SELECT jsonb_build_array(${value})::text AS json`);
      expected.push(JSON.parse(row.json)[0]);
    }
    await query('COMMIT');
    known.set(settings, expected);
  }
  return known.get(settings);
}

onEachAdapter('values', { prepare: types }, (stage) => {
  const { query, connect, settled } = stage;

  for (const route of routes) {
    for (const kind of kinds) {
      test(`${route.name}: every value as ${kind.name}`, async (t) => {
        await compareAll(t, route, kind, ordinarySettings);
      });
    }
  }

  for (const kind of kinds) {
    test(`unusual session settings: every value as ${kind.name}`, async (t) => {
      await compareAll(t, routes[2], kind, unusualSettings);
    });
  }

  async function compareAll(t, route, kind, settings) {
    await query(`SET socketio_emitter.payload_threshold = ${kind.threshold}; ${settings}`);
    const { values, missing } = await catalogue(stage.database);
    for (const type of missing) t.diagnostic(`type ${type} is not among the values: its extension is not installed`);
    const expected = await expectations(query, values, settings);
    const clients = await connect({}, {}, {});
    const handlers = recordServerSide(stage.cluster, 'value');
    try {
      await emitAll(route, values);
      await stage.cluster.caughtUp();
      const atClients = (await settled(...clients)).map((events) => events.map(([, ...args]) => args));
      const received = route.atServer ? handlers.received : atClients;
      assert.equal(received.length, 3);
      const seen = route.atServer ? (value) => value : throughSocketIo;
      for (const calls of received) report(compare(values, expected.map(seen), calls));
    } finally {
      handlers.stop();
    }
  }

  async function emitAll(route, values) {
    for (const [number, value] of values.entries()) {
      try {
        await query(`SELECT ${route.call(`${number}, ${value}`)}`);
      } catch (error) {
        error.message = `${value}: ${error.message}`;
        throw error;
      }
    }
  }

  // Descriptions of all that differs. Values may come out of order: large ones go another way than small ones.
  function compare(values, expected, calls) {
    const differences = [];
    const received = new Map();
    for (const [number, ...rest] of calls) {
      if (received.has(number)) differences.push(`${values[number]}: received twice`);
      received.set(number, rest);
    }
    for (const [number, value] of values.entries()) {
      const wanted = [expected[number]];
      const got = received.get(number);
      if (got === undefined) {
        differences.push(`${value}: not received`);
      } else if (!isDeepStrictEqual(got, wanted)) {
        differences.push(`${value}: received ${outline(got)} instead of ${outline(wanted)}`);
      }
    }
    return differences;
  }

  // Written out, so that it does not rest on to_jsonb alone.
  test('what JavaScript sees of numbers, spelled out', async () => {
    const numbers = [
      ['9007199254740991::int8', 9007199254740991],
      ['9007199254740993::int8', 9007199254740992],
      ['9223372036854775807::int8', 9223372036854775807],
      ['18446744073709551616::numeric', 18446744073709552000],
      ['0.1000000000000000055511151231257827::numeric', 0.1],
      ['1e400::numeric', Infinity],
      ['1e-400::numeric', 0],
      [`'NaN'::numeric`, 'NaN'],
      [`'-Infinity'::float8`, '-Infinity'],
      ['1.50::numeric', 1.5],
      ['(-32769)::int4', -32769],
    ];
    for (const threshold of [8000, 1]) {
      const handlers = recordServerSide(stage.cluster, 'numbers');
      await query(`SET socketio_emitter.payload_threshold = ${threshold}`);
      await query(`SELECT socketio_server_side_emit_values('/', 'numbers', ${numbers.map(([sql]) => sql).join(', ')})`);
      await stage.cluster.caughtUp();
      handlers.stop();
      assert.deepEqual(handlers.received, Array(3).fill([numbers.map(([, number]) => number)]));
    }
  });
});

function report(differences) {
  if (differences.length === 0) return;
  const shown = differences.slice(0, 40).join('\n  ');
  assert.fail(`${differences.length} values differ:\n  ${shown}`);
}

function outline(value) {
  const text = inspect(value, { depth: null, breakLength: Infinity, maxStringLength: 100, maxArrayLength: 20 });
  return text.length > 200 ? `${text.slice(0, 200)}… (${text.length} characters)` : text;
}
