// What the README says of emitting from an application: its programs, what they print and what a client hears of them, and what
// becomes of parameters.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import pg from 'pg';
import { connect, createDatabase } from './lib/database.js';
import { Messages } from './lib/messages.js';
import { installation } from './lib/own-schema.js';
import { Pair } from './lib/pair.js';
import { Program } from './lib/program.js';
import { program } from './lib/programs.js';
import { codeBlocks, paragraphs, tableWith } from './lib/readme.js';

const HEADING = 'From an application';

const blocks = codeBlocks.filter(({ heading }) => heading === HEADING);

describe('programs that emit', () => {
  const database = 'readme_applications';
  const pair = new Pair();
  let session;

  before(async () => {
    await pair.start({
      purpose: 'applications',
      scripts: [installation, ...blocks.filter(({ language }) => language === 'sql').map(({ text }) => text)],
      server: program('server.mjs'),
      client: program('client.mjs'),
    });
    session = await connect(database);
  });
  after(async () => {
    await session?.end();
    await pair.stop();
  });

  test('emit.mjs', async () => {
    assert.deepEqual(await outputOf('emit.mjs'), printedBehind(/`node emit\.mjs` prints$/));
    await clientPrints(printedBehind(/^and the client$/));
    assert.deepEqual(await items(), ['tea']);
  });

  test('emit-drizzle.mjs', async () => {
    assert.deepEqual(await outputOf('emit-drizzle.mjs'), []);
    await clientPrints([...printedBehind(/^and the client$/), ...printedBehind(/^The client prints$/)]);
    assert.deepEqual(await items(), ['tea', 'coffee']);
  });

  async function outputOf(file) {
    const running = new Program();
    try {
      await running.start(program(file), { PGDATABASE: database });
      return linesOf(await running.end());
    } finally {
      await running.stop();
    }
  }

  // In whatever order: what is binary is fetched, and may be overtaken.
  async function clientPrints(lines) {
    await pair.client.lines(lines.length);
    assert.deepEqual(linesOf(pair.client.output).sort(), [...lines].sort());
  }

  async function items() {
    const { rows } = await session.query('SELECT item FROM orders ORDER BY id');
    return rows.map(({ item }) => item);
  }
});

describe('parameters', () => {
  let pool;
  let messages;

  before(async () => {
    const database = await createDatabase('parameters');
    pool = new pg.Pool({ database });
    await pool.query(installation);
    messages = await Messages.on(['socket.io#/'], database);
  });
  after(async () => {
    await messages?.close();
    await pool?.end();
  });

  for (const [given, expected] of tableWith('given as args', "the event's arguments").rows) {
    test(`${given.code} as args`, async () => {
      const emit = () => pool.query('SELECT socketio_emit(event => $1, args => $2)', ['hello', evaluate(given.code)]);
      assert.equal(await outcome(emit), expected.text);
    });
  }

  test('rooms are an array', async () => {
    const emit = (rooms) => () => pool.query('SELECT socketio_emit(rooms => $1, event => $2)', [rooms, 'hello']);
    assert.deepEqual(await roomsOf(emit(['room1', 'a,b "c" {d}'])), ['room1', 'a,b "c" {d}']);
    assert.deepEqual(await roomsOf(emit([])), []);
  });

  test('a bare parameter of socketio_emit_values has no type', async () => {
    const emit = (parameter) => () => {
      return pool.query(`SELECT socketio_emit_values(socketio_to($1), $2, ${parameter})`, ['room1', 'hello', 'x']);
    };
    const error = await outcome(emit('$3'));
    assert.equal(error, 'could not determine data type of parameter $3');
    assert.ok(paragraphs.some((paragraph) => paragraph.includes(`"${error}"`)), 'the README does not say so');
    assert.equal(await outcome(emit('$3::text')), '["x"]');
  });

  test('drizzle makes a list of an array', async () => {
    const db = drizzle({ client: pool });
    const emit = (rooms) => () => db.execute(sql`SELECT socketio_emit(rooms => ${rooms}, event => ${'hello'})`);
    await assert.rejects(emit(['room1']), ({ cause }) => cause.code === '22P02');
    await assert.rejects(emit(['room1', 'room2']), ({ cause }) => cause.code === '42883');
    assert.deepEqual(await roomsOf(emit(sql.param(['room1', 'room2']))), ['room1', 'room2']);
  });

  // The arguments that arrive, as JSON, or the error.
  async function outcome(emit) {
    let error;
    const sent = await messages.during(() => emit().catch((reason) => { error = reason; }));
    if (error) return error.message;
    assert.equal(sent.length, 1);
    return JSON.stringify(sent[0].data.packet.data.slice(1));
  }

  async function roomsOf(emit) {
    const [{ data }] = await messages.during(emit);
    return data.opts.rooms;
  }
});

function printedBehind(intro) {
  const found = blocks.filter((block) => block.language === '' && intro.test(block.intro));
  assert.equal(found.length, 1, `not exactly one block behind ${intro}`);
  return linesOf(found[0].text);
}

function evaluate(javascript) {
  return new Function(`return (${javascript});`)();
}

function linesOf(text) {
  return text.split('\n').filter((line) => line !== '');
}
