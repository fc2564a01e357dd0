// The README's programs: the server and the client, copied and pasted, and what it says they print.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { connect, createDatabase, psql } from './lib/database.js';
import { Program } from './lib/program.js';
import { codeBlocks, codeIn, paragraphs } from './lib/readme.js';
import { within } from './lib/waiting.js';

const FETCH_SOCKETS = 7;
const FETCH_SOCKETS_RESPONSE = 8;
const channel = 'socket.io#/';

// What this file knows to run, by the name of the file.
const roles = ['server.mjs', 'client.mjs'];

const programs = codeBlocks.filter(({ language }) => language === 'js').map(readProgram);

describe('JavaScript', () => {
  for (const { file, heading, code } of programs) {
    test(`${heading}: there is a way to run ${file ?? code.split('\n')[0]}`, () => {
      assert.ok(roles.includes(file), 'no way to run this block');
      assert.equal(programs.filter((program) => program.file === file).length, 1, `more than one ${file}`);
    });
  }

  describe('the server and the client', () => {
    const server = new Program();
    const client = new Program();
    let database;
    let observer;

    before(async () => {
      database = await createDatabase('programs');
      observer = await connect(database);
      await observer.query('CREATE EXTENSION socketio_emitter');
      await observer.query(`LISTEN "${channel}"`);
    });

    after(async () => {
      await client.stop();
      await server.stop();
      await observer?.end();
    });

    test('the client prints what the README says', async () => {
      const { sql, printed } = readPromise();
      await server.start(program('server.mjs'), { PGDATABASE: database, PORT: '0' });
      await client.start(program('client.mjs'), { URL: `http://127.0.0.1:${await server.port()}` });
      await clientInRoom(observer, () => server.transcript() + client.transcript());
      await psql(database, sql);
      await client.line();
      assert.equal(client.output, `${printed}\n`);
      assert.equal(server.output, '');
    });
  });
});

function readProgram({ text, heading, intro }) {
  const named = codeIn(intro);
  const installed = named.filter((code) => code.startsWith('npm install '));
  return {
    heading,
    code: text,
    file: named.find((code) => /^[\w-]+\.m?js$/.test(code)),
    packages: installed.flatMap((command) => command.split(/\s+/).slice(2)),
  };
}

function program(file) {
  const found = programs.find((candidate) => candidate.file === file);
  assert.ok(found, `README.md has no JavaScript block for ${file}`);
  return found;
}

// The README's sentence about the two programs.
function readPromise() {
  const promise = /^With both running, `([^`]+)` in psql makes the client print `([^`]+)`/;
  const [found] = paragraphs.map((paragraph) => promise.exec(paragraph)).filter(Boolean);
  assert.ok(found, 'README.md does not say "With both running, `...` in psql makes the client print `...`"');
  const [, sql, printed] = found;
  return { sql, printed };
}

// Until the server, asked the way servers ask each other, answers that it has a client that has joined its room. So the
// server hears what is sent from now on. It does not hear the question before it LISTENs: the question is repeated.
async function clientInRoom(observer, transcript) {
  const question = {
    uid: 'emitter',
    nsp: '/',
    type: FETCH_SOCKETS,
    data: { opts: { rooms: [], except: [], flags: {} }, requestId: 'readme' },
  };
  let joined = false;
  observer.on('notification', ({ payload }) => {
    const { type, data } = JSON.parse(payload);
    // A socket is always in one room, that of its own id.
    joined ||= type === FETCH_SOCKETS_RESPONSE && data.sockets.some(({ rooms }) => rooms.length > 1);
  });
  const asking = new AbortController();
  try {
    await within(askUntilJoined(), () => `the client to be in its room\n${transcript()}`);
  } finally {
    asking.abort();
  }

  async function askUntilJoined() {
    while (!joined && !asking.signal.aborted) {
      await observer.query('SELECT pg_notify($1, $2)', [channel, JSON.stringify(question)]);
      await delay(50);
    }
  }
}
