// The README's table of a trigger's options: the options there are, their defaults, and the examples.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { connect, createDatabase } from './lib/database.js';
import { Messages } from './lib/messages.js';
import { installation } from './lib/own-schema.js';
import { codeIn, tableWith } from './lib/readme.js';

const rows = tableWith('option', 'default').rows;
const options = rows.map(([option]) => option.code);
const defaults = rows.filter(([, value]) => value.code).map(([option, value]) => `${option.code}=${value.code}`);
const examples = rows.flatMap(([, , meaning]) => codeIn(meaning.source).filter(isOption));

describe('options of a trigger', () => {
  let session;
  let messages;

  before(async () => {
    const database = await createDatabase('options');
    session = await connect(database);
    await session.query(installation);
    await session.query('CREATE TABLE notes (id int PRIMARY KEY, user_id int, title text, notes text, password text)');
    messages = await Messages.on(['socket.io#/'], database);
  });

  after(async () => {
    await messages?.close();
    await session?.end();
  });

  test('the table has every option', async () => {
    const hint = await watch('no such option').then(() => assert.fail('an unknown option is taken'), (error) => error.hint);
    const [, list] = /^The options are (.*), each as /.exec(hint);
    assert.deepEqual([...options].sort(), list.split(/, | and /).sort());
  });

  test('there are defaults and examples', () => {
    assert.notEqual(defaults.length, 0);
    assert.notEqual(examples.length, 0);
  });

  for (const option of defaults) {
    test(`${option} is the default`, async () => {
      await watch();
      const withoutOption = await messages.during(change);
      await watch(option);
      assert.notEqual(withoutOption.length, 0);
      assert.deepEqual(await messages.during(change), withoutOption);
    });
  }

  for (const option of examples) {
    test(`${option} is taken`, async () => {
      await watch(option);
      assert.notEqual((await messages.during(change)).length, 0);
    });
  }

  async function watch(...given) {
    await session.query('SELECT socketio_watch($1, VARIADIC $2)', ['notes', given]);
  }

  async function change() {
    await session.query("INSERT INTO notes VALUES (1, 1, 'title', 'notes', 'password')");
    await session.query("UPDATE notes SET title = 'new'");
    await session.query('DELETE FROM notes');
    await session.query('TRUNCATE notes');
  }
});

// `columns=id,title` or, of an option that may stand alone, `volatile`.
function isOption(code) {
  return options.some((option) => code === option || code.startsWith(`${option}=`));
}
