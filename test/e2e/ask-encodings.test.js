// Questions in databases of other encodings: they go out as UTF-8, and answers come in as far as they can be written.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acknowledges } from './lib/adapters.js';
import { answerOnServers, byId, reported, uidsOf, useAsker } from './lib/ask.js';
import { sorted } from './lib/sorted.js';
import { onEachAdapter } from './lib/suite.js';

function defineTests(stage, text) {
  const { connect } = stage;
  const asker = useAsker(stage);

  for (const namespace of ['/', '/größe']) {
    test(`rooms, data and answers in the namespace ${namespace}`, async () => {
      const description = { namespace, rooms: [text], auth: { [text]: text } };
      const clients = await connect(description, description, { namespace });
      const rooms = [text];
      for (const filler of ['', text.repeat(1_000)]) {
        for (const client of clients) stage.cluster.socketOf(client).data = { [text]: [text], filler };
        assert.deepEqual(
          byId(await asker.rows('SELECT * FROM socketio_fetch_sockets($1, ARRAY[$2])', [namespace, text])),
          await reported(stage.cluster, { namespace, rooms }));
        for (const client of clients) client.acknowledge(`ask ${text}`, (arg) => [[text, arg, filler]]);
        const stop = answerOnServers(stage.cluster, text, (uid, arg) => [{ [text]: [arg, filler] }], namespace);
        assert.deepEqual(
          sorted(await asker.rows('SELECT * FROM socketio_server_side_emit_with_ack($1, $2, to_jsonb($2::text))',
            [namespace, text])),
          sorted(uidsOf(stage.cluster, namespace).map((server) => (
            { server, response: { [text]: [text, filler] } }))));
        stop();
        const members = await asker.rows(
          'SELECT room FROM socketio_client_rooms($1, $2) WHERE room <> $1', [clients[0].id, namespace]);
        assert.deepEqual(members, [{ room: text }]);
        await asker.rows('SELECT socketio_remote_join($1, $2, $3)', [clients[2].id, `${text} 2`, namespace]);
        assert.deepEqual(await asker.rows('SELECT id FROM socketio_clients($1, ARRAY[$2])', [namespace, `${text} 2`]),
          [{ id: clients[2].id }]);
      }
    });
  }

  if (acknowledges(stage.version)) {
    test('acknowledgements', async () => {
      const clients = await connect({ rooms: [text] }, { rooms: [text] }, { rooms: [text] }, {});
      for (const client of clients) client.acknowledge(text, (arg) => [[text, arg]]);
      const rows = await asker.rows(`
        SELECT response FROM socketio_emit_with_ack('/', ARRAY[$1], '{}', $1, to_jsonb($1::text))`, [text]);
      assert.deepEqual(rows.map(({ response }) => response), [[text, text], [text, text], [text, text]]);
    });
  }
}

const latin1 = 'Größe: ½ Öl für 5 £ «ÿ» \u00a0';

onEachAdapter('ask: LATIN1', {
  database: { encoding: 'LATIN1' }, cluster: { namespaces: ['/', '/größe'] },
}, (stage) => {
  defineTests(stage, latin1);
  const asker = useAsker(stage);

  // Only an attachment brings it so far: NOTIFY refuses the adapter such text.
  test('what the encoding has no equivalent for is a question mark', async () => {
    const [client] = await stage.connect({});
    stage.cluster.socketOf(client).data = { '部屋': 'é 部 😀 €', filler: 'ÿ'.repeat(10_000) };
    const [{ data }] = await asker.rows('SELECT data FROM socketio_fetch_sockets()');
    assert.deepEqual(data, { '??': 'é ? ? ?', filler: 'ÿ'.repeat(10_000) });
  });
});

onEachAdapter('ask: SQL_ASCII', {
  database: { encoding: 'SQL_ASCII' }, cluster: { namespaces: ['/', '/größe'] },
}, (stage) => defineTests(stage, 'Größe € 部屋 😀'));
