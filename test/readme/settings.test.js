// The README's table of settings: the settings there are, and their defaults. Sizes in kB are written as SHOW has them, and so
// is a default that depends on another setting.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect } from './lib/database.js';
import { tableWith } from './lib/readme.js';

test('the table of settings has every setting, with its default', async () => {
  const session = await connect();
  try {
    await session.query("LOAD 'socketio_emitter'");
    const { rows } = await session.query(String.raw`
      SELECT name, CASE WHEN unit = 'kB' OR boot_val IS NULL THEN current_setting(name) ELSE boot_val END AS default
      FROM pg_settings WHERE name LIKE 'socketio\_emitter.%' ORDER BY name`);
    assert.notEqual(rows.length, 0);
    const documented = tableWith('setting', 'default').rows
      .map(([name, value]) => ({ name: name.code, default: value.code }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    assert.deepEqual(documented, rows);
  } finally {
    await session.end();
  }
});
