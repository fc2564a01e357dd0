// The README's SQL, from top to bottom in one database, as by a reader who tries everything: the blocks in psql, and
// the rows of the marked tables beside the JavaScript they are said to be equal to.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { connect, createDatabase, psql } from './lib/database.js';
import { Messages } from './lib/messages.js';
import { OfficialEmitter } from './lib/official-emitter.js';
import { blocks, codeBlocks, tables } from './lib/readme.js';

const MAX_CHANNEL_NAME = 63;

const sqlBlocks = codeBlocks.filter(({ language }) => language === 'sql');
const comparisons = tables.filter(({ mark }) => mark === 'same message').map(readComparison);

describe('SQL', () => {
  let database;
  let session;
  let emitter;
  let messages;

  before(async () => {
    database = await createDatabase('examples');
    session = await connect(database);
    emitter = new OfficialEmitter(database);
    messages = await Messages.on(channelsNamedIn(comparisons.flat()), database);
  });

  after(async () => {
    await messages?.close();
    await emitter?.close();
    await session?.end();
  });

  test('there are SQL blocks and tables to compare', () => {
    assert.notEqual(sqlBlocks.length, 0);
    assert.notEqual(comparisons.length, 0);
  });

  for (const block of blocks) {
    if (sqlBlocks.includes(block)) {
      test(`${block.heading}: ${block.text.split('\n')[0]}`, () => psql(database, block.text));
    }
    if (block.mark === 'same message') {
      for (const row of readComparison(block)) {
        test(`${block.heading}: ${row.sql}`, () => compare(row));
      }
    }
  }

  test('every function of the extension is shown', async () => {
    const shown = [...sqlBlocks.map(({ text }) => text), ...comparisons.flat().map(({ sql }) => sql)].join('\n');
    const { rows } = await session.query(`
      SELECT DISTINCT proname AS name
      FROM pg_depend JOIN pg_extension AS extension ON refobjid = extension.oid JOIN pg_proc ON objid = pg_proc.oid
      WHERE refclassid = 'pg_extension'::regclass AND classid = 'pg_proc'::regclass AND deptype = 'e'
        AND extname = 'socketio_emitter'`);
    assert.notEqual(rows.length, 0);
    const missing = rows.map(({ name }) => name).filter((name) => !new RegExp(`\\b${name}\\(`).test(shown));
    assert.deepEqual(missing, [], 'functions in no SQL block and no marked table');
  });

  async function compare({ sql, javascript }) {
    const ours = await messages.during(() => session.query(sql));
    const theirs = await messages.during(() => emitter.run(javascript));
    assert.equal(ours.length, 1, `messages of ${sql}`);
    assert.equal(theirs.length, 1, `messages of ${javascript}`);
    // The official emitter lacks the top-level namespace, which adapters need from 0.4.0 on.
    const namespace = ours[0].channel.slice(ours[0].channel.indexOf('#') + 1);
    for (const nsp of ours[0].namespaces) assert.equal(nsp, namespace);
    assert.deepEqual(contents(ours[0]), withFlags(contents(theirs[0])));
  }
});

// The rows of a marked table. A cell that is not code is an error: its row must not be left out silently.
function readComparison({ heading, header, rows }) {
  assert.deepEqual(header.map(({ text }) => text), ['SQL', 'JavaScript'], `the marked table under "${heading}"`);
  assert.notEqual(rows.length, 0, `the marked table under "${heading}" is empty`);
  return rows.map(([sql, javascript]) => {
    assert.ok(sql.code && javascript.code, `a row under "${heading}" is not code: ${sql.text} | ${javascript.text}`);
    return { sql: sql.code, javascript: javascript.code };
  });
}

// Any text between quotes may be the name of a namespace; listening on a channel too many does no harm, while a message
// on one too few is found missing.
function channelsNamedIn(rows) {
  const quoted = rows.flatMap(({ sql, javascript }) => [...`${sql} ${javascript}`.matchAll(/(['"])(.*?)\1/g)]);
  const names = ['/', ...quoted.map(([, , name]) => (name.startsWith('/') ? name : `/${name}`))];
  const channels = new Set(names.map((name) => `socket.io#${name}`));
  return [...channels].filter((channel) => Buffer.byteLength(channel) <= MAX_CHANNEL_NAME);
}

function contents({ channel, uid, type, data }) {
  return { channel, uid, type, data };
}

// For sockets that join, leave or are disconnected, the official emitter leaves the flags out, while the adapters
// themselves always send an object, and so do we: no flags either way.
function withFlags({ data, ...rest }) {
  return { ...rest, data: data.opts ? { ...data, opts: { flags: {}, ...data.opts } } : data };
}
