// Requests to servers with socket.io-adapter-postgres, from SQL, and what those servers answer.

import assert from 'node:assert/strict';
import { LONG } from './ask.js';
import { sorted } from './sorted.js';

// Let every server answer custom requests with what `answer` makes of its number and the data.
export function answerCustom(cluster, answer, namespace = '/') {
  for (const [number, io] of cluster.servers.entries()) {
    io.of(namespace).adapter.customHook = (data, callback) => answer(number, data, callback);
  }
}

// The functions that ask, with what the adapter calls them. Nobody may be missing: see Asker.rows.
export class Requests {
  #asker;

  constructor(asker) {
    this.#asker = asker;
  }

  async clients(nsp = '/', ...rooms) {
    const rows = await this.#asker.rows('SELECT id FROM socketio_clients($1, $2, $3)', [nsp, rooms, LONG]);
    return rows.map(({ id }) => id).sort();
  }

  async clientRooms(id, nsp = '/') {
    const rows = await this.#asker.rows('SELECT room FROM socketio_client_rooms($1, $2, $3)', [id, nsp, LONG]);
    return rows.map(({ room }) => room).sort();
  }

  // Each room once, and nobody counted, as the servers do not tell.
  async allRooms(nsp = '/') {
    const rows = await this.#asker.rows('SELECT room, sockets FROM socketio_all_rooms($1, $2)', [nsp, LONG]);
    assert.deepEqual(rows.filter(({ sockets }) => sockets !== null), []);
    return rows.map(({ room }) => room).sort();
  }

  async custom(data, nsp = '/') {
    const rows = await this.#asker.rows('SELECT * FROM socketio_custom_request($1, $2, $3)',
      [JSON.stringify(data), nsp, LONG]);
    assert.deepEqual(rows.filter(({ server }) => server !== null), []);
    return sorted(rows.map(({ response }) => response));
  }

  join = (id, room, nsp = '/') => (
    this.#asker.rows('SELECT socketio_remote_join($1, $2, $3, $4)', [id, room, nsp, LONG]));
  leave = (id, room, nsp = '/') => (
    this.#asker.rows('SELECT socketio_remote_leave($1, $2, $3, $4)', [id, room, nsp, LONG]));
  disconnect = (id, close = false, nsp = '/') => (
    this.#asker.rows('SELECT socketio_remote_disconnect($1, $2, $3, $4)', [id, close, nsp, LONG]));
}

export const ids = (clients) => clients.map(({ id }) => id).sort();
