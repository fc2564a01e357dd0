// Large messages: around the limit of a notification, and 10 KB, 1 MB and 16 MB, they arrive byte for byte.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { onEachAdapter } from './lib/suite.js';

const sizes = [['10 KB', 10 * 1024], ['1 MB', 1024 * 1024], ['16 MB', 16 * 1024 * 1024]];

onEachAdapter('sizes', {}, (stage) => {
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

  for (const [kind, character] of [['ASCII', 'x'], ['two-byte', 'é'], ['three-byte', '部'], ['four-byte', '😀']]) {
    test(`${kind} text of every length around the limit of a notification`, async () => {
      const clients = await connect({}, {}, {});
      // So many bytes that the whole message crosses the limit somewhere, in steps of one byte.
      const lengths = Array.from({ length: 250 }, (_, i) => 7750 + i);
      const texts = lengths.map((bytes) => {
        const characters = Math.floor(bytes / Buffer.byteLength(character));
        return character.repeat(characters) + '.'.repeat(bytes - characters * Buffer.byteLength(character));
      });
      const before = await stage.database.attachmentsMade();
      await query('SELECT socketio_emit_values(NULL, $1, text) FROM unnest($2::text[]) AS text', ['values', texts]);
      await query('SELECT socketio_emit(event => $1, args => to_jsonb(text)) FROM unnest($2::text[]) AS text',
        ['jsonb', texts]);
      const made = await stage.database.attachmentsMade() - before;
      assert.ok(made > 10 && made < 490, `${made} of 500 messages were attachments`);
      for (const received of await settled(...clients)) {
        for (const event of ['values', 'jsonb']) {
          // Attachments and notifications are two queues: in each the texts get longer.
          const got = received.filter(([name]) => name === event).map(([, text]) => text);
          got.sort((a, b) => Buffer.byteLength(a) - Buffer.byteLength(b));
          assertSame(got, texts);
        }
      }
    });
  }

  async function arrives(type, value) {
    const clients = await connect({}, {}, {});
    await query(`SELECT socketio_emit_values(NULL, 'large', $1::${type}, 'behind')`, [value]);
    assertSame(await settled(...clients), clients.map(() => [['large', value, 'behind']]));
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
