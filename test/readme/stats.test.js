// The README's table of the view socketio_stats: the columns there are, in their order.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect, createDatabase } from './lib/database.js';
import { installation } from './lib/own-schema.js';
import { codeIn, tableWith } from './lib/readme.js';

test('the table of socketio_stats has every column', async () => {
  const session = await connect(await createDatabase('stats'));
  try {
    await session.query(installation);
    const { fields } = await session.query('SELECT * FROM socketio_stats');
    assert.notEqual(fields.length, 0);
    const documented = tableWith('column').rows.flatMap(([names]) => codeIn(names.source));
    assert.deepEqual(documented, fields.map(({ name }) => name));
  } finally {
    await session.end();
  }
});
