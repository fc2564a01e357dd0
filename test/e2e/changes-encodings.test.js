// Row changes in databases of other encodings: names of tables and columns, values and rooms go out as UTF-8.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { levels, makeTables, rowChanges, SCHEMA } from './lib/changes.js';
import { onEachAdapter } from './lib/suite.js';

// What the database's tables, columns and rows are called, and a longer text of the same letters.
function defineTests(stage, text) {
  const { query, connect, settled } = stage;
  const quoted = `"${text}"`;

  for (const { level, triggers } of levels) {
    test(`${level}: names, values and rooms`, async () => {
      await makeTables(query, `
        CREATE TABLE ${quoted} (${quoted} text PRIMARY KEY, "binary" bytea);
        ${triggers(quoted, `nsp=/{table}`, `event={table}:${text}`, `rooms=${text}:{${text}}`)}`);
      const namespace = `/${text}`;
      const rooms = [`${text}:${text}`];
      const clients = await connect({ namespace, rooms }, { namespace }, { rooms });
      const row = (value, binary) => ({ [text]: value, binary });
      const long = text.repeat(10_000);
      // In a notification, and in an attachment because of its size and because it is binary.
      await query(`INSERT INTO ${quoted} VALUES ($1)`, [text]);
      await query(`UPDATE ${quoted} SET ${quoted} = $1`, [long]);
      await query(`UPDATE ${quoted} SET ${quoted} = $1, "binary" = '\\xe4ff'`, [text]);
      const expected = [
        ['insert', null, row(text, null)],
        ['update', row(text, null), row(long, null)],
        ['update', row(long, null), row(text, Buffer.from([0xe4, 0xff]))],
      ];
      const received = await settled(...clients);
      assert.deepEqual(received.map(rowChanges), [expected, [], []]);
      for (const [event, { schema, table }] of received[0]) {
        assert.deepEqual([event, schema, table], [`${text}:${text}`, SCHEMA, text]);
      }
    });
  }
}

for (const [encoding, text] of [['LATIN1', 'Größe ½ ÿ'], ['SQL_ASCII', 'Größe 部屋 😀'], ['UTF8', 'Größe 部屋 😀']]) {
  onEachAdapter(`changes: ${encoding}`, {
    database: { encoding },
    cluster: { namespaces: ['/', `/${text}`] },
  }, (stage) => defineTests(stage, text));
}
