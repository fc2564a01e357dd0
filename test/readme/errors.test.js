// The README's tables of errors: the errors the sources report, and their SQLSTATEs.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { tablesWith } from './lib/readme.js';
import { anything, sourceErrors, sourceLiterals } from './lib/source-errors.js';

// Whatever passes through the guard is not meant to happen: a C++ exception, not an error of the user's.
const guard = 'src/backend/guard.h';

// PostgreSQL's own, of which test/tap shows when it comes.
const ofPostgres = { sqlstate: '54000', message: 'too many notifications in the NOTIFY queue' };

const rows = tablesWith('message', 'SQLSTATE').flatMap((table) => table.rows).map(([message, sqlstate]) => ({
  message: message.text,
  sqlstate: sqlstate.text,
}));
const errors = ['src/functions', 'src/backend'].flatMap((directory) => sourceErrors(directory, { except: [guard] }));
const known = [...errors, ofPostgres];
const literals = sourceLiterals('src');

describe('errors', () => {
  test('there are errors in the sources', () => {
    assert.notEqual(errors.length, 0);
  });

  for (const row of rows) {
    test(`the sources report ${row.sqlstate} ${row.message}`, () => {
      assert.ok(known.some((error) => describes(row, error)), 'no ereport() has this message and SQLSTATE');
    });
  }

  for (const error of errors) {
    test(`the README has ${error.sqlstate} ${error.message} (${error.where})`, () => {
      assert.ok(rows.some((row) => describes(row, error)), 'no table of errors has such a row');
    });
  }
});

// Where the message has something filled in, the README has `...` or an example from the sources. An example may look
// like a message of its own: then it is that one.
function describes(row, error) {
  if (row.sqlstate !== error.sqlstate) return false;
  if (row.message === error.message) return true;
  const isMessageItself = errors.some(({ sqlstate, message }) => sqlstate === row.sqlstate && message === row.message);
  const examples = pattern(error.message).exec(row.message)?.slice(1);
  return !isMessageItself && examples !== undefined
    && examples.every((example) => example === anything || literals.has(example));
}

function pattern(message) {
  const parts = message.split(anything).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('(.+)')}$`);
}
