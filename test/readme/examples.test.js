// The SQL of the README and of each document of docs/, from top to bottom in one database, as by a reader who tries
// everything: the blocks in psql, and beside the JavaScript that is said to send the same what the rows of the marked
// tables send, and the blocks a marked block stands below.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { connect, createDatabase, psql } from './lib/database.js';
import { Messages } from './lib/messages.js';
import { OfficialEmitter } from './lib/official-emitter.js';
import { asInstalled, installation } from './lib/own-schema.js';
import { blocks, codeBlocks, documents } from './lib/readme.js';

const MAX_CHANNEL_NAME = 63;

// Another way to create the extension has a test of its own.
const sqlBlocks = codeBlocks.filter(({ language, mark }) => language === 'sql' && !mark);
const comparisons = blocks.filter(({ mark }) => mark === 'same message').map(readComparison);
const answers = blocks.filter(({ mark }) => mark === 'sent by the SQL above');

test('there are SQL blocks, messages of theirs, and tables to compare', () => {
  assert.notEqual(sqlBlocks.length, 0);
  assert.notEqual(answers.length, 0);
  assert.notEqual(comparisons.length, 0);
});

for (const [i, document] of documents.entries()) {
  describe(document.file, () => {
    let database;
    let session;
    let emitter;
    let messages;
    let sent; // by the last SQL block, until it is compared

    before(async () => {
      database = await createDatabase(`examples_${i}`);
      session = await connect(database);
      // Who reads on after the README has done what it says.
      if (document !== documents[0]) await session.query(installation);
      emitter = new OfficialEmitter(database);
      messages = await Messages.on(channelsNamed(), database);
    });

    after(async () => {
      await messages?.close();
      await emitter?.close();
      await session?.end();
    });

    for (const block of document.blocks) {
      if (sqlBlocks.includes(block)) {
        test(`${block.heading}: ${firstLine(block)}`, async () => {
          sent = undefined;
          sent = await messages.during(() => psql(database, asInstalled(block.text)));
        });
      }
      if (answers.includes(block)) {
        test(`${block.heading}, sent: ${firstLine(block)}`, async () => {
          assert.ok(sent, 'there is no SQL block above, or it has failed, or been compared');
          const ours = sent;
          sent = undefined;
          compareMessages(ours, await messages.during(() => emitter.run(block.text)));
        });
      }
      if (block.mark === 'same message') {
        for (const row of readComparison(block)) {
          test(`${block.heading}: ${row.sql}`, () => compare(row));
        }
      }
    }

    async function compare({ sql, javascript }) {
      const ours = await messages.during(() => session.query(sql));
      const theirs = await messages.during(() => emitter.run(javascript));
      assert.equal(ours.length, 1, `messages of ${sql}`);
      assert.equal(theirs.length, 1, `messages of ${javascript}`);
      compareMessages(ours, theirs);
    }
  });
}

test('every view of the extension and every function that can be called is shown', async () => {
  const session = await connect(await createDatabase('functions'));
  try {
    await session.query(installation);
    const { rows } = await session.query(`
      WITH members AS (
        SELECT classid, objid
        FROM pg_depend JOIN pg_extension AS extension ON refobjid = extension.oid
        WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e' AND extname = 'socketio_emitter'),
      views AS (
        SELECT relname AS name FROM members JOIN pg_class ON classid = 'pg_class'::regclass AND objid = oid
        WHERE relkind = 'v')
      SELECT 'FROM ' || name AS use FROM views
      UNION
      SELECT proname || '(' FROM members JOIN pg_proc ON classid = 'pg_proc'::regclass AND objid = oid
      WHERE prorettype <> 'event_trigger'::regtype AND proname NOT IN (SELECT name FROM views)`);
    assert.notEqual(rows.length, 0);
    const shown = [...sqlBlocks.map(({ text }) => text), ...comparisons.flat().map(({ sql }) => sql)].join('\n');
    const missing = rows.map(({ use }) => use).filter((use) => !new RegExp(`\\b${use.replace('(', '\\(')}`).test(shown));
    assert.deepEqual(missing, [], 'in no SQL block and no marked table');
  } finally {
    await session.end();
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

function firstLine({ text }) {
  return text.split('\n')[0];
}

// Any text between quotes may be the name of a namespace; listening on a channel too many does no harm, while a message
// on one too few is found missing.
function channelsNamed() {
  const texts = [...comparisons.flat().map(({ sql, javascript }) => `${sql} ${javascript}`), ...answers.map(({ text }) => text)];
  const quoted = texts.flatMap((text) => [...text.matchAll(/(['"])(.*?)\1/g)]);
  const names = ['/', ...quoted.map(([, , name]) => (name.startsWith('/') ? name : `/${name}`))];
  const channels = new Set(names.map((name) => `socket.io#${name}`));
  return [...channels].filter((channel) => Buffer.byteLength(channel) <= MAX_CHANNEL_NAME);
}

function compareMessages(ours, theirs) {
  // The official emitter lacks the top-level namespace, which adapters need from 0.4.0 on.
  for (const { channel, namespaces } of ours) {
    for (const nsp of namespaces) assert.equal(nsp, channel.slice(channel.indexOf('#') + 1));
  }
  assert.deepEqual(ours.map(contents), theirs.map(contents).map(withFlags));
}

function contents({ channel, uid, type, data }) {
  return { channel, uid, type, data };
}

// For sockets that join, leave or are disconnected, the official emitter leaves the flags out, while the adapters
// themselves always send an object, and so do we: no flags either way.
function withFlags({ data, ...rest }) {
  return { ...rest, data: data.opts ? { ...data, opts: { flags: {}, ...data.opts } } : data };
}
