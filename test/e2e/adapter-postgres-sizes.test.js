// Large messages to servers with socket.io-adapter-postgres, which take them in pieces: byte for byte, around every
// length where the number of pieces changes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { AdapterPostgresCluster } from './lib/adapter-postgres.js';
import { onLegacyCluster } from './lib/legacy-suite.js';

const sizes = [['20 KB', 20 * 1024], ['1 MB', 1024 * 1024]];

onLegacyCluster(AdapterPostgresCluster, 'sizes', {}, (stage) => {
  const { query, connect, settled } = stage;

  for (const [name, size] of sizes) {
    test(`${name} of text`, async () => {
      // Its length is no power of two, so that a block in the wrong place shows.
      const unit = 'sequence 0123456789 é😀 ';
      await arrives('text', unit.repeat(Math.ceil(size / Buffer.byteLength(unit))));
    });

    test(`${name} of binary`, async () => {
      await arrives('bytea', pseudoRandom(size));
    });

    test(`${name} of JSON`, async () => {
      const entry = { id: 1, tags: ['a', 'b'], nested: { deep: [null, true, 1.5], text: 'words, '.repeat(100) } };
      const length = Math.ceil(size / JSON.stringify(entry).length);
      const document = Array.from({ length }, (_, id) => ({ ...entry, id }));
      const clients = await connect({}, {}, {});
      await query('SELECT socketio_emit(event => $1, args => $2)', ['document', JSON.stringify([document])]);
      assertSame(await settled(...clients), clients.map(() => [['document', document]]));
    });
  }

  async function arrives(type, value) {
    const clients = await connect({ rooms: ['room1'] }, { rooms: ['room1', 'room2'] }, { rooms: ['room2'] });
    await query(`SELECT socketio_emit_values(NULL, 'all', $1::${type}, 'behind')`, [value]);
    await query(`SELECT socketio_emit_values(socketio_to('room1'), 'one', $1::${type})`, [value]);
    await query(`SELECT socketio_emit_values(socketio_to('room1', 'room2'), 'two', $1::${type})`, [value]);
    const [all, one, two] = [['all', value, 'behind'], ['one', value], ['two', value]];
    assertSame(await settled(...clients), [[all, one, two], [all, one, two], [all, two]]);
  }

  // A text of n bytes is a body of about 4n/3 characters: from one piece to two, and on where every piece is full.
  const ranges = [[5800, 6100], [7440, 7560], [11_190, 11_310]];
  for (const [kind, character] of [['ASCII', 'x'], ['two-byte', 'é'], ['four-byte', '😀']]) {
    for (const [from, to] of ranges) {
      test(`${kind} text of every length from ${from} to ${to} bytes`, async () => {
        const clients = await connect({ rooms: ['room1'] }, {}, { rooms: ['room1'] });
        const texts = Array.from({ length: to - from + 1 }, (_, i) => {
          const characters = Math.floor((from + i) / Buffer.byteLength(character));
          return character.repeat(characters) + '.'.repeat(from + i - characters * Buffer.byteLength(character));
        });
        const { pieces, whole } = await heardWhile(() => (
          query('SELECT socketio_emit_values(NULL, $1, text) FROM unnest($2::text[]) AS text', ['text', texts])));
        if (from === ranges[0][0]) assert.ok(whole > 10, `${whole} messages in one piece`);
        assert.ok(pieces > 10, `${pieces} pieces`);
        await query(`SELECT socketio_emit_values(socketio_to('room1'), $1, text) FROM unnest($2::text[]) AS text`,
          ['to a room', texts]);
        const all = texts.map((text) => ['text', text]);
        const inRoom = [...all, ...texts.map((text) => ['to a room', text])];
        assertSame(await settled(...clients), [inRoom, all, inRoom]);
      });
    }
  }

  // The longer the topic, the less room there is for the body.
  test('rooms with names of every length, and a body that fills what they leave', async () => {
    const lengths = Array.from({ length: 40 }, (_, i) => 100 + 197 * i);
    const [client] = await connect({});
    for (const character of ['r', '部', '\\']) {
      const rooms = lengths.map((length) => character.repeat(Math.ceil(length / Buffer.byteLength(character))));
      stage.cluster.socketOf(client).join(rooms);
      for (const text of [5000, 5900, 9000]) {
        await query(`SELECT socketio_emit_values(socketio_to(room), 'to a room', repeat('x', $1), room)
          FROM unnest($2::text[]) AS room`, [text, rooms]);
        const expected = rooms.map((room) => ['to a room', 'x'.repeat(text), room]);
        const [received] = await settled(client);
        assertSame(received.splice(0), expected);
      }
    }
  });

  // How many pieces, and how many messages in one piece, the servers are sent meanwhile.
  async function heardWhile(action) {
    const listener = await stage.database.newSession();
    const heard = { pieces: 0, whole: 0 };
    listener.on('notification', ({ payload }) => {
      if (JSON.parse(payload)[1].startsWith('_chunk_')) heard.pieces += 1;
      else heard.whole += 1;
    });
    try {
      await listener.query('LISTEN socketio');
      await action();
      await stage.cluster.caughtUp();
      // It has everything that the servers have before this is answered.
      await listener.query('SELECT 1');
    } finally {
      await listener.end();
    }
    return heard;
  }
});

// deepEqual would print megabytes of difference.
function assertSame(received, expected) {
  if (isDeepStrictEqual(received, expected)) return;
  const outline = JSON.stringify(received, (key, value) => {
    return typeof value === 'string' && value.length > 40 ? `${value.slice(0, 40)}… (${value.length})` : value;
  });
  assert.fail(`received something else: ${outline.slice(0, 500)}`);
}

function pseudoRandom(size) {
  const buffer = Buffer.alloc(size);
  let state = 42;
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    buffer[i] = state >>> 16;
  }
  return buffer;
}
