// Asking the cluster from SQL: sessions that keep what they are told beside the rows, and what the servers themselves
// have, to compare with.

import assert from 'node:assert/strict';
import { after, afterEach, before } from 'node:test';
import { within } from './wait.js';

// Timeouts of calls: one that is meant to strike, long after everybody who answers has done so, and one that no test
// lives to see.
export const SHORT = '3 s';
export const LONG = '10 min';

// One session for questions to the cluster.
export class Asker {
  #session;
  #said = [];

  async open(database) {
    this.#session = await database.newSession();
    this.#session.on('notice', ({ severity, message, detail }) => this.#said.push({ severity, message, detail }));
    // A test that ends the session from elsewhere sees its query fail.
    this.#session.on('error', () => {});
    const { rows: [{ pid }] } = await this.#session.query('SELECT pg_backend_pid() AS pid');
    this.pid = pid;
    return this;
  }

  // The rows, the notices and warnings in order, and the milliseconds it took.
  async ask(text, parameters) {
    this.#said = [];
    const start = performance.now();
    const { rows } = await within(this.#session.query(text, parameters), `the answer to ${text}`);
    return { rows, said: this.#said, elapsed: performance.now() - start };
  }

  // The rows only, of a question to which everybody has to answer: notices and warnings are failures.
  async rows(text, parameters) {
    const { rows, said } = await this.ask(text, parameters);
    assert.deepEqual(said, [], text);
    return rows;
  }

  // For statements that are no questions.
  query = (text, parameters) => this.#session.query(text, parameters);

  onNotification(handle) {
    this.#session.on('notification', handle);
  }

  // What is running or was left behind is undone, and the settings are back to their defaults.
  async reset() {
    await this.query('ROLLBACK');
    await this.query('DISCARD ALL');
  }

  // Break the connection off, without a word to the server.
  cut() {
    this.#session.connection.stream.destroy();
  }

  close() {
    return this.#session.end();
  }
}

// An asker for the tests about to be defined. `stage.database` is where it asks.
export function useAsker(stage) {
  const asker = new Asker();
  before(() => asker.open(stage.database));
  afterEach(() => asker.reset());
  after(() => asker.close());
  return asker;
}

// Run `use` with so many sessions of their own.
export async function withAskers(database, count, use) {
  const askers = await Promise.all(Array.from({ length: count }, () => new Asker().open(database)));
  try {
    return await use(...askers);
  } finally {
    await Promise.all(askers.map((asker) => asker.close()));
  }
}

export const timeoutReached = (answered, servers, detail) => ({
  severity: 'WARNING',
  message: `timeout reached: ${answered} of ${servers} servers answered`,
  detail,
});

// The adapters' own names for the servers of a namespace.
export function uidsOf(cluster, namespace = '/') {
  return cluster.servers.map((io) => io.of(namespace).adapter.uid).sort();
}

// Descriptions of so many clients, which `connect` spreads over the servers; `describe` makes each from its number.
export function many(count, describe = () => ({})) {
  return Array.from({ length: count }, (_, i) => describe(i));
}

// What the servers of a namespace report of their own sockets, as rows of socketio_fetch_sockets in the order of ids.
// `represent` makes a socket's data what jsonb should hold of it.
export async function reported(cluster, { namespace = '/', rooms = [], except = [], represent = asJson } = {}) {
  const rows = [];
  for (const io of cluster.servers) {
    const { adapter, local } = io.of(namespace);
    const target = except.length > 0 ? local.except(except) : local;
    for (const socket of await (rooms.length > 0 ? target.in(rooms) : target).fetchSockets()) {
      const { id, data, handshake } = socket;
      rows.push({
        id, rooms: [...socket.rooms], data: represent(data), handshake: asJson(handshake), server: adapter.uid,
      });
    }
  }
  return byId(rows);
}

export function byId(rows) {
  return [...rows].sort((a, b) => (a.id < b.id ? -1 : 1));
}

// A value as it arrives by way of JSON: what PostgreSQL's text cannot hold is U+FFFD.
export function asJson(value) {
  return wellFormed(JSON.parse(JSON.stringify(value)));
}

// The same by way of an attachment, where binary is still binary.
export function asAttachment(value) {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(asAttachment);
  if (typeof value !== 'object' || value === null) return asJson(value ?? null);
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [wellFormed(key), asAttachment(member)]));
}

function wellFormed(value) {
  if (typeof value === 'string') return value.replace(/[\0\p{Surrogate}]/gu, '\ufffd');
  if (Array.isArray(value)) return value.map(wellFormed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [wellFormed(key), wellFormed(member)]));
}

// Let every server answer a server-side event with what `answer` makes of its uid and the arguments: the arguments of
// the callback. The function returned takes the handlers off again.
export function answerOnServers(cluster, event, answer, namespace = '/') {
  for (const io of cluster.servers) {
    const { uid } = io.of(namespace).adapter;
    io.of(namespace).on(event, (...args) => {
      const callback = args.pop();
      callback(...answer(uid, ...args));
    });
  }
  return () => cluster.servers.forEach((io) => io.of(namespace).removeAllListeners(event));
}
