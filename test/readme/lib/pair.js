// A server and a client of the README's, both running, and the database they talk about, which pairs may share.

import { setTimeout as delay } from 'node:timers/promises';
import { connect, createDatabase, psql } from './database.js';
import { inOwnSchema, withTable } from './own-schema.js';
import { Program } from './program.js';
import { within } from './waiting.js';

const FETCH_SOCKETS = 7;
const FETCH_SOCKETS_RESPONSE = 8;
const channel = 'socket.io#/';

export class Pair {
  server = new Program();
  client = new Program();
  #database;
  #observer;

  // The database is `purpose`'s own; `scripts` run in it first. stop() is due in any case.
  async start({ purpose, scripts, server, client }) {
    const database = await createDatabase(purpose);
    for (const script of scripts) await psql(database, script);
    await this.join({ database, server, client });
  }

  // Resolves when the client, the `count`th in the database, hears what is sent from now on.
  async join({ database, server, client, count = 1 }) {
    this.#database = database;
    this.#observer = await connect(this.#database);
    await this.#observer.query(`LISTEN "${channel}"`);
    await this.server.start(inOwnSchema ? withTable(server) : server, { PGDATABASE: this.#database, PORT: '0' });
    await this.client.start(client, { URL: `http://127.0.0.1:${await this.server.port()}` });
    await this.#clientInRoom(count);
  }

  psql(script) {
    return psql(this.#database, script);
  }

  async stop() {
    await this.client.stop();
    await this.server.stop();
    await this.#observer?.end();
  }

  // Until the servers, asked the way servers ask each other, have answered that so many clients have joined their rooms. So
  // they hear what is sent from now on. A server does not hear the question before it LISTENs: the question is repeated.
  async #clientInRoom(count) {
    const question = {
      uid: 'emitter',
      nsp: '/',
      type: FETCH_SOCKETS,
      data: { opts: { rooms: [], except: [], flags: {} }, requestId: 'readme' },
    };
    const joined = new Set();
    this.#observer.on('notification', ({ payload }) => {
      const { type, data } = JSON.parse(payload);
      if (type !== FETCH_SOCKETS_RESPONSE) return;
      // A socket is always in one room, that of its own id.
      for (const { id, rooms } of data.sockets) if (rooms.length > 1) joined.add(id);
    });
    const asking = new AbortController();
    const askUntilJoined = async () => {
      while (joined.size < count && !asking.signal.aborted) {
        await this.#observer.query('SELECT pg_notify($1, $2)', [channel, JSON.stringify(question)]);
        await delay(50);
      }
    };
    try {
      await within(askUntilJoined(), () => {
        return `the client to be in its room\n${this.server.transcript()}${this.client.transcript()}`;
      });
    } finally {
      asking.abort();
    }
  }
}
