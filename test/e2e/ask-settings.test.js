// What decides where questions go and whether: channel_prefix and attachment_table, of whichever scope, enabled, and
// the right to ask.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { answerOnServers, byId, many, reported, uidsOf, useAsker } from './lib/ask.js';
import { Cluster } from './lib/cluster.js';
import { sorted } from './lib/sorted.js';
import { onEachAdapter } from './lib/suite.js';

const PREFIX = 'My App';
const TABLE = 'realtime."Odd Table"';

const attachmentTable = (name) => `CREATE TABLE ${name} (
  id bigserial UNIQUE, created_at timestamptz DEFAULT now(), payload bytea);`;

onEachAdapter('ask: settings', { prepare: `CREATE SCHEMA realtime; ${attachmentTable(TABLE)}` }, (stage) => {
  const asker = useAsker(stage);
  // Beside the stage's own, in the same database.
  let neighbour;
  before(async () => {
    neighbour = await Cluster.start(stage.version, stage.database, {
      servers: 2, adapter: { channelPrefix: PREFIX, tableName: TABLE },
    });
  });
  after(() => neighbour.close());

  const set = (scope = '') => `
    SET ${scope} socketio_emitter.channel_prefix = '${PREFIX}';
    SET ${scope} socketio_emitter.attachment_table = '${TABLE}';`;

  const fetchAll = 'SELECT * FROM socketio_fetch_sockets()';

  // Both clusters’ clients, so many on each server that it takes attachments to report them.
  async function connectBoth() {
    await stage.connect(...many(30, () => ({ rooms: ['here'] })));
    await neighbour.connect(...many(30, () => ({ rooms: ['there'] })));
  }

  async function endNeighbours() {
    await stage.query(set());
    await neighbour.endTest();
    await stage.query('RESET ALL');
  }

  async function asksHere() {
    assert.deepEqual(byId(await asker.rows(fetchAll)), await reported(stage.cluster));
    assert.equal((await asker.rows('SELECT FROM socketio_servers()')).length, 3);
  }

  async function asksThere() {
    assert.deepEqual(byId(await asker.rows(fetchAll)), await reported(neighbour));
    const uids = await asker.rows('SELECT uid FROM socketio_servers()');
    assert.deepEqual(uids.map(({ uid }) => uid).sort(), uidsOf(neighbour));
    // By attachment there as well.
    const rooms = [...many(1000, (i) => `room ${i}`), 'there'];
    assert.equal((await asker.rows('SELECT FROM socketio_clients(rooms => $1)', [rooms])).length, 30);
  }

  test('of the session', async () => {
    await connectBoth();
    const here = await stage.database.attachmentsMade();
    const there = await stage.database.attachmentsMade(TABLE);
    await asker.query(set());
    await asksThere();
    assert.ok(await stage.database.attachmentsMade(TABLE) > there);
    assert.equal(await stage.database.attachmentsMade(), here);
    await asker.query('RESET ALL');
    await asksHere();
    await endNeighbours();
  });

  test('of the transaction and the savepoint', async () => {
    await connectBoth();
    await asker.query(`BEGIN; ${set('LOCAL')}`);
    await asksThere();
    await asker.query('COMMIT');
    await asksHere();
    await asker.query(`BEGIN; SAVEPOINT one; ${set()} ROLLBACK TO SAVEPOINT one`);
    await asksHere();
    await asker.query('COMMIT');
    await endNeighbours();
  });

  test('of a function', async () => {
    await connectBoth();
    await asker.query(`
      CREATE OR REPLACE FUNCTION ask_there() RETURNS TABLE (id text) LANGUAGE sql
        SET socketio_emitter.channel_prefix = '${PREFIX}' SET socketio_emitter.attachment_table = '${TABLE}'
        AS $$ SELECT id FROM socketio_fetch_sockets() $$`);
    const expected = (await reported(neighbour)).map(({ id }) => id);
    assert.deepEqual((await asker.rows('SELECT id FROM ask_there()')).map(({ id }) => id).sort(), expected);
    await asksHere();
    await endNeighbours();
  });

  test('a role that has been granted one function, and nothing else, has its answers', async () => {
    await stage.connect(...many(60));
    await asker.query(`
      DROP ROLE IF EXISTS asker;
      CREATE ROLE asker;
      GRANT EXECUTE ON FUNCTION socketio_clients TO asker;
      SET ROLE asker`);
    const attachments = await stage.database.attachmentsMade();
    const rooms = many(1000, (i) => `room ${i}`);
    assert.equal((await asker.rows('SELECT FROM socketio_clients()')).length, 60);
    assert.equal((await asker.rows('SELECT FROM socketio_clients(rooms => $1)', [rooms])).length, 0);
    assert.equal(await stage.database.attachmentsMade(), attachments + 4);
    await assert.rejects(asker.query('SELECT FROM socketio_servers()'), { code: '42501' });
    await assert.rejects(asker.query('SELECT FROM socket_io_attachments'), { code: '42501' });
    await asker.query('RESET ROLE; REVOKE ALL ON FUNCTION socketio_clients FROM asker; DROP ROLE asker');
  });

  test('payload_threshold decides how the question goes, not whether it is answered', async () => {
    await stage.connect({}, {}, {});
    const before = await stage.database.attachmentsMade();
    await asksHere();
    assert.equal(await stage.database.attachmentsMade(), before);
    await asker.query('SET socketio_emitter.payload_threshold = 1');
    await asksHere();
    assert.ok(await stage.database.attachmentsMade() > before);
  });

  test('enabled = off: what only asks works, what acts does nothing', async () => {
    const [client, ...others] = await stage.connect({ rooms: ['a'] }, {}, {});
    for (const one of [client, ...others]) one.acknowledge('question', () => ['answer']);
    let asked = 0;
    const count = (uid) => {
      asked += 1;
      return [uid];
    };
    const stops = ['question', 'customRequest'].map((event) => answerOnServers(stage.cluster, event, count));
    await asker.query('SET socketio_emitter.enabled = off');
    for (const call of [
      `socketio_emit_with_ack(event => 'question')`, `socketio_emit_with_ack(NULL::socketio_target, 'question')`,
      `socketio_server_side_emit_with_ack(event => 'question')`, `socketio_custom_request('{}')`,
    ]) {
      assert.deepEqual(await asker.rows(`SELECT * FROM ${call}`), [], call);
    }
    for (const order of [
      `socketio_remote_join($1, 'joined')`, `socketio_remote_leave($1, 'a')`, 'socketio_remote_disconnect($1, true)',
    ]) {
      await asker.rows(`SELECT ${order}`, [client.id]);
      await asker.rows(`SELECT ${order}`, ['nobody']);
    }
    await asksHere();
    assert.deepEqual(sorted(await asker.rows('SELECT room FROM socketio_client_rooms($1)', [client.id])),
      sorted([{ room: client.id }, { room: 'a' }]));
    assert.equal((await asker.rows('SELECT FROM socketio_clients()')).length, 3);
    assert.equal((await asker.rows('SELECT FROM socketio_all_rooms()')).length, 4);
    await stage.cluster.caughtUp();
    assert.equal(asked, 0);
    assert.deepEqual(await stage.settled(client, ...others), [[], [], []]);
    stops.forEach((stop) => stop());
  });
});
