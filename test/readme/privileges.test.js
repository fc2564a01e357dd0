// What the README says of who may emit: the statement that takes it away from everyone, the one that gives it back to a role, and
// the query that shows who may.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { connect, createDatabase } from './lib/database.js';
import { installation } from './lib/own-schema.js';
import { codeBlocks } from './lib/readme.js';

// What everyone may call and nothing can be sent with: values, and what makes triggers, which takes EXECUTE on the function that
// fires.
const harmless = new Set([
  'socketio_of', 'socketio_to', 'socketio_in', 'socketio_except', 'socketio_volatile', 'socketio_compress',
  'socketio_watch', 'socketio_watch_statement', 'socketio_unwatch', 'socketio_check_trigger', 'socketio_order_changes',
  'socketio_stats',
]);

const role = 'publisher'; // roles are the cluster's, and another test runs the README's statements as they are
const roleHere = 'readme_publisher';

const statements = codeBlocks.filter(({ heading, language }) => heading === 'Who may emit' && language === 'sql')
  .flatMap(({ text }) => text.split(/;\s*/)).filter((statement) => statement !== '')
  .map((statement) => statement.replaceAll(role, roleHere));

describe('who may emit', () => {
  let session;

  before(async () => {
    session = await connect(await createDatabase('privileges'));
    await session.query(installation);
  });
  after(() => session?.end());

  test('the README has these statements', () => {
    assert.deepEqual(statements.map((statement) => statement.split(' ')[0]), ['REVOKE', 'CREATE', 'GRANT', 'SELECT']);
  });

  test('everyone, if nothing is done', async () => {
    const sending = (await callableByEveryone()).filter(({ name }) => !harmless.has(name)).map((row) => row.function);
    assert.notEqual(sending.length, 0);
    assert.deepEqual(await whoMay(), sending.map((name) => `${name} PUBLIC`));
    assert.equal(statements[0].match(/socketio_\w+\(/g).length, sending.length, 'functions that are revoked');
  });

  test('nobody, once it is revoked', async () => {
    const callable = await callableByEveryone();
    await session.query(statements[0]);
    assert.deepEqual(await whoMay(), []);
    assert.deepEqual(await callableByEveryone(), callable.filter(({ name }) => harmless.has(name)));
  });

  test('a role, once it is granted', async () => {
    await session.query(statements[1]);
    await session.query(statements[2]);
    assert.deepEqual(await whoMay(), [`socketio_emit(socketio_target,text,jsonb) ${roleHere}`]);
  });

  async function whoMay() {
    const { rows } = await session.query(statements[3]);
    return rows.map((row) => `${row.function} ${row.who}`);
  }

  async function callableByEveryone() {
    const { rows } = await session.query(`
      SELECT proc.oid::regprocedure AS function, proname AS name
      FROM pg_proc AS proc JOIN pg_depend ON classid = 'pg_proc'::regclass AND objid = proc.oid
        JOIN pg_extension AS extension ON refclassid = 'pg_extension'::regclass AND refobjid = extension.oid
      WHERE deptype = 'e' AND extname = 'socketio_emitter' AND has_function_privilege('public', proc.oid, 'EXECUTE')
      ORDER BY 1`);
    return rows;
  }
});
