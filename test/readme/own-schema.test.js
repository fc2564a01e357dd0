// What the README says of a schema of its own: a server whose role has these rights alone hears and fetches what is emitted there.
// That everything else works, too, the other files show: test/readme/run runs them a second time so.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { connect, createDatabase, psql } from './lib/database.js';
import { creation, path, pathOf, use, withTable } from './lib/own-schema.js';
import { Program } from './lib/program.js';
import { program } from './lib/programs.js';
import { within } from './lib/waiting.js';

const role = 'readme_own_schema_server'; // roles are the cluster's, and another test makes the README's

describe('a schema of its own', () => {
  const server = new Program();
  const client = new Program();
  let database;
  let session;

  before(async () => {
    database = await createDatabase('own_schema');
    session = await connect(database);
    await session.query('SET search_path = "$user", public'); // whatever the run has
    await session.query(`CREATE ROLE ${role} LOGIN`);
    await session.query(creation);
  });
  after(async () => {
    await client.stop();
    await server.stop();
    await session?.end();
  });

  test('nothing is in public', async () => {
    const { rows } = await session.query(`
      SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
      UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
      UNION ALL SELECT typname FROM pg_type WHERE typnamespace = 'public'::regnamespace`);
    assert.deepEqual(rows, []);
  });

  test('a server with these rights hears and fetches', async () => {
    await session.query(use.replaceAll('web_server', role));
    await server.start(withTable(program('server.mjs')), { PGDATABASE: database, PGUSER: role, PORT: '0' });
    await client.start(program('client.mjs'), { URL: `http://127.0.0.1:${await server.port()}` });
    await arrives('small', 'x');
    await arrives('large', 'x'.repeat(9000));
    assert.equal(server.transcript(), '');
  });

  test('once the schema is on the path, names do without it', async () => {
    assert.match(path, /^ALTER DATABASE shop /);
    await psql(database, pathOf(database));
    await psql(database, `SELECT socketio_emit(event => 'hello'); SELECT * FROM socketio_watches;`);
  });

  // Until the server listens and the client is connected, nobody hears: it is emitted until it arrives.
  async function arrives(event, arg) {
    const arrived = () => client.output.split('\n').includes(`${event} ${arg}`);
    let given = false;
    const emitting = async () => {
      while (!arrived() && !given) {
        await session.query('SELECT socketio.socketio_emit(event => $1, args => to_jsonb($2::text))', [event, arg]);
        await delay(50);
      }
    };
    try {
      await within(emitting(), () => `${event} to arrive\n${server.transcript()}${client.transcript().slice(0, 1000)}`);
    } finally {
      given = true;
    }
  }
});
