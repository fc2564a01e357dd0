// A server and a client of the README's, both running, and the database they talk about.

import { setTimeout as delay } from 'node:timers/promises';
import { connect, createDatabase, psql } from './database.js';
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

  // The database is `purpose`'s own; `scripts` run in it first. Resolves when the client hears what is sent from now on.
  // stop() is due in any case.
  async start({ purpose, scripts, server, client }) {
    this.#database = await createDatabase(purpose);
    for (const script of scripts) await psql(this.#database, script);
    this.#observer = await connect(this.#database);
    await this.#observer.query(`LISTEN "${channel}"`);
    await this.server.start(server, { PGDATABASE: this.#database, PORT: '0' });
    await this.client.start(client, { URL: `http://127.0.0.1:${await this.server.port()}` });
    await this.#clientInRoom();
  }

  async psql(script) {
    await psql(this.#database, script);
  }

  async stop() {
    await this.client.stop();
    await this.server.stop();
    await this.#observer?.end();
  }

  // Until the server, asked the way servers ask each other, answers that it has a client that has joined its room. So the
  // server hears what is sent from now on. It does not hear the question before it LISTENs: the question is repeated.
  async #clientInRoom() {
    const question = {
      uid: 'emitter',
      nsp: '/',
      type: FETCH_SOCKETS,
      data: { opts: { rooms: [], except: [], flags: {} }, requestId: 'readme' },
    };
    let joined = false;
    this.#observer.on('notification', ({ payload }) => {
      const { type, data } = JSON.parse(payload);
      // A socket is always in one room, that of its own id.
      joined ||= type === FETCH_SOCKETS_RESPONSE && data.sockets.some(({ rooms }) => rooms.length > 1);
    });
    const asking = new AbortController();
    const askUntilJoined = async () => {
      while (!joined && !asking.signal.aborted) {
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
