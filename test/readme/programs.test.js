// The README's programs: servers and clients, copied and pasted, and what it says they print.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { installation } from './lib/own-schema.js';
import { Pair } from './lib/pair.js';
import { program, programs } from './lib/programs.js';
import { codeBlocks, paragraphs, repository } from './lib/readme.js';

// What this file knows to run, by the name of the file.
const roles = [
  'io.mjs', 'server.mjs', 'client.mjs', 'todos-server.mjs', 'todos-client.mjs', 'emit.mjs', 'emit-drizzle.mjs',
];

// These are the same in examples/server, where test/e2e tries what they survive.
const examples = ['io.mjs', 'server.mjs'];

describe('JavaScript', () => {
  for (const { file, heading, code } of programs) {
    test(`${heading}: there is a way to run ${file ?? code.split('\n')[0]}`, () => {
      assert.ok(roles.includes(file), 'no way to run this block');
      assert.equal(programs.filter((program) => program.file === file).length, 1, `more than one ${file}`);
    });
  }

  for (const file of examples) {
    test(`${file} is the one of examples/server`, () => {
      assert.equal(`${program(file).code}\n`, readFileSync(`${repository}examples/server/${file}`, 'utf8'));
    });
  }

  describe('the server and the client', () => {
    const pair = new Pair();

    before(() => pair.start({
      purpose: 'programs',
      scripts: [installation],
      server: program('server.mjs'),
      client: program('client.mjs'),
    }));
    after(() => pair.stop());

    test('the client prints what the README says', async () => {
      const { sql, printed } = readPromise();
      await pair.psql(sql);
      await pair.client.lines(1);
      assert.equal(pair.client.output, `${printed}\n`);
      assert.equal(pair.server.output, '');
    });
  });

  describe('the server and the client that follow a table', () => {
    const pair = new Pair();
    const { setUp, sql, printed } = readPromiseOf('Follow a table');

    before(() => pair.start({
      purpose: 'follow',
      scripts: [installation, ...setUp],
      server: program('todos-server.mjs'),
      client: program('todos-client.mjs'),
    }));
    after(() => pair.stop());

    test('the client prints what the README says', async () => {
      await pair.client.lines(1); // the list as it was, which might otherwise be read after the first change
      await pair.psql(sql);
      await pair.client.lines(printed.length);
      assert.deepEqual(pair.client.output.trimEnd().split('\n'), printed);
      assert.equal(pair.server.output, '');
    });
  });
});

// The README's sentence about the first two programs.
function readPromise() {
  const promise = /^With both running, `([^`]+)` in psql makes the client print `([^`]+)`/;
  const [found] = paragraphs.map((paragraph) => promise.exec(paragraph)).filter(Boolean);
  assert.ok(found, 'README.md does not say "With both running, `...` in psql makes the client print `...`"');
  const [, sql, printed] = found;
  return { sql, printed };
}

// The same said in blocks: SQL that comes before, then "With both running (...), this in psql", SQL, "makes the client
// print", and the lines of its whole output.
function readPromiseOf(heading) {
  const section = codeBlocks.filter((block) => block.heading === heading);
  const start = section.findIndex(({ intro }) => /^With both running \(.*\), this in psql$/.test(intro));
  const [sql, output] = section.slice(start, start + 2);
  assert.ok(start > 0 && sql.language === 'sql' && output?.intro.startsWith('makes the client print'),
    `README.md does not say under "${heading}" what SQL makes the client print`);
  const setUp = section.slice(0, start).filter(({ language }) => language === 'sql').map(({ text }) => text);
  return { setUp, sql: sql.text, printed: output.text.split('\n') };
}
