// Databases in other encodings: what goes out is UTF-8 all the same.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onEachAdapter } from './lib/suite.js';

// Run the same emits: in a notification and in an attachment, with the text as event, room, key and value.
function emitsText({ query, connect, settled }, text, namespace) {
  return async () => {
    const [member, other, third] = await connect(
      { namespace, rooms: [text] }, { namespace }, { namespace, rooms: [text] });
    const document = { [text]: [text] };
    for (const threshold of [8000, 1]) {
      await query(`SET socketio_emitter.payload_threshold = ${threshold}`);
      await query('SELECT socketio_emit($1, ARRAY[$2], $3, $2, $4)',
        [namespace, text, [], JSON.stringify([text, document])]);
      await query('SELECT socketio_emit_values(socketio_to(socketio_of($1), $2), $2, $2, $3::jsonb, ARRAY[$2])',
        [namespace, text, JSON.stringify(document)]);
    }
    const once = [[text, text, document], [text, text, document, [text]]];
    assert.deepEqual(await settled(member, other, third), [[...once, ...once], [], [...once, ...once]]);
  };
}

const latin1 = 'Größe: ½ Öl für 5 £ à la carte «ÿ» \u00a0\u00ad';

onEachAdapter('LATIN1', { database: { encoding: 'LATIN1' }, cluster: { namespaces: ['/', '/größe'] } }, (stage) => {
  const { query, connect, settled } = stage;

  test('ASCII', emitsText(stage, 'plain', '/'));
  test('letters outside ASCII', emitsText(stage, latin1, '/'));
  test('a namespace outside ASCII', emitsText(stage, latin1, '/größe'));

  test('text the client sent in that encoding', async () => {
    const clients = await connect({}, {}, {});
    await query(`
      SELECT socketio_emit_values(NULL, chr(233), chr(228) || chr(255));
      SELECT socketio_emit_values(NULL, chr(233), chr(228) || chr(255), '\\xe4ff'::bytea)`);
    for (const received of await settled(...clients)) {
      assert.deepEqual(received.find((event) => event.length === 2), ['é', 'äÿ']);
      assert.deepEqual(received.find((event) => event.length === 3), ['é', 'äÿ', Buffer.from([0xe4, 0xff])]);
      assert.equal(received.length, 2);
    }
  });

  test('a large text', async () => {
    const clients = await connect({}, {}, {});
    await query(`SELECT socketio_emit_values(NULL, 'large', repeat(chr(233), 100000))`);
    await query(`SELECT socketio_emit(event => 'large', args => to_jsonb(repeat(chr(233), 100000)))`);
    const once = ['large', 'é'.repeat(100_000)];
    assert.deepEqual(await settled(...clients), clients.map(() => [once, once]));
  });
});

onEachAdapter('SQL_ASCII', { database: { encoding: 'SQL_ASCII' }, cluster: { namespaces: ['/', '/größe'] } }, (stage) => {
  const { query, connect, settled } = stage;

  test('ASCII', emitsText(stage, 'plain', '/'));
  test('UTF-8 passes as it is', emitsText(stage, 'Größe € 部屋 😀', '/'));
  test('a namespace outside ASCII', emitsText(stage, 'Größe', '/größe'));

  test('what is no UTF-8 is refused, and the session goes on', async () => {
    const clients = await connect({}, {}, {});
    // 0xe4 alone is LATIN1.
    const broken = `convert_from('\\xe4'::bytea, 'SQL_ASCII')`;
    const refused = (call) => assert.rejects(query(`SELECT ${call}`), /encoding|UTF8/i);
    await refused(`socketio_emit_values(NULL, 'broken', ${broken})`);
    await refused(`socketio_emit_values(NULL, 'broken', ${broken}, '\\x00'::bytea)`);
    await refused(`socketio_emit_values(NULL, ${broken})`);
    await refused(`socketio_emit(rooms => ARRAY[${broken}], event => 'broken')`);
    await query(`SELECT socketio_emit_values(NULL, 'whole', 'text')`);
    assert.deepEqual(await settled(...clients), clients.map(() => [['whole', 'text']]));
  });
});
