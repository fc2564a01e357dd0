// What the README says of asking the cluster: what psql prints with two servers and a client of each running, and the
// tables of the functions.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { connect, createDatabase, psql } from './lib/database.js';
import { installation } from './lib/own-schema.js';
import { Pair } from './lib/pair.js';
import { program } from './lib/programs.js';
import { blocks, codeBlocks, tablesWith } from './lib/readme.js';

const NOTICE = 'NOTICE:';

const printed = codeBlocks.filter(({ mark }) => mark === 'printed by the SQL above');

describe('what psql prints', () => {
  const pairs = [new Pair(), new Pair()];
  let database;

  before(async () => {
    database = await createDatabase('asking');
    await psql(database, installation);
    const server = withAdditions('server.mjs');
    const client = withAdditions('client.mjs');
    for (const [i, pair] of pairs.entries()) await pair.join({ database, server, client, count: i + 1 });
  });
  after(() => Promise.all(pairs.map((pair) => pair.stop())));

  test('there are such blocks', () => {
    assert.notEqual(printed.length, 0);
  });

  for (const block of printed) {
    const { language, text } = blocks[blocks.indexOf(block) - 1];
    test(`${block.heading}: ${text.split('\n')[0]}`, async () => {
      assert.equal(language, 'sql', 'there is no SQL right above');
      assert.deepEqual(lines(await pairs[0].psql(text)), lines(block.text));
    });
  }

  test('the notice about a connection that listens and keeps silent', async () => {
    const notices = codeBlocks.filter(({ text }) => text.startsWith(NOTICE));
    assert.equal(notices.length, 1);
    const listening = await connect(database);
    try {
      await listening.query('LISTEN "socket.io#/"');
      const said = await pairs[0].psql('SELECT FROM socketio_servers()');
      assert.deepEqual(lines(said).slice(0, 2), lines(notices[0].text));
    } finally {
      await listening.end();
    }
  });
});

describe('the tables of functions', () => {
  let session;

  before(async () => {
    session = await connect(await createDatabase('functions_that_ask'));
    await session.query(installation);
  });
  after(() => session?.end());

  test('have every function that asks, with its parameters and columns', async () => {
    // What waits has a timeout, or is another form of what has one.
    const { rows } = await session.query(`
      WITH functions AS (
        SELECT proc.* FROM pg_proc AS proc JOIN pg_depend ON classid = 'pg_proc'::regclass AND objid = proc.oid
          JOIN pg_extension AS extension ON refclassid = 'pg_extension'::regclass AND refobjid = extension.oid
        WHERE deptype = 'e' AND extname = 'socketio_emitter')
      SELECT format('%s(%s)', proname, array_to_string(proargnames[1:pronargs], ', ')) AS function,
        regexp_replace(pg_get_function_result(oid), '^TABLE[(](.*)[)]$', '\\1') AS returns
      FROM functions WHERE proname IN (SELECT proname FROM functions WHERE 'timeout' = ANY (proargnames))`);
    assert.notEqual(rows.length, 0);
    const documented = tablesWith('function', 'returns').flatMap((table) => table.rows)
      .map(([name, returns]) => ({ function: name.code, returns: returns.code }));
    assert.deepEqual(documented.sort(byFunction), rows.sort(byFunction));
  });
});

function withAdditions(file) {
  const added = codeBlocks.filter(({ mark }) => mark === `added to ${file}`).map(({ text }) => text);
  assert.notEqual(added.length, 0, `nothing is added to ${file}`);
  const plain = program(file);
  return { ...plain, code: [plain.code, ...added].join('\n') };
}

// What cannot be the same twice is replaced: ids, and the time a server takes, whose last digits may be missing, which
// makes its column narrower. Where psql reads a script, it says in which line a warning is.
function lines(text) {
  return text.trim().split('\n').map((line) => line
    .replace(/^psql:<stdin>:\d+: /, '')
    .replace(/(?<![\w-])[\w-]{16}AA[\w-]{2}(?![\w-])/g, '<socket>')
    .replace(/(?<!\w)[0-9a-f]{16}(?!\w)/g, '<server>')
    .replace(/\d\d:\d\d:\d\d(\.\d+)?/g, '<time>')
    .replace(/-+/g, '-').replace(/\s+/g, ' ').trim());
}

function byFunction(a, b) {
  return a.function < b.function ? -1 : 1;
}
