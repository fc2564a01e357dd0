// A server made by hand, for what no adapter does: it listens as one, and says what the test has it say.

import { createRequire } from 'node:module';
import { Watch } from './wait.js';

// The adapter's own, so that no version of it is needed here.
const require = createRequire(import.meta.url);
const { encode } = createRequire(require.resolve('adapter-0.5.0'))('@msgpack/msgpack');

// The types of messages.
export const INITIAL_HEARTBEAT = 1;
export const HEARTBEAT = 2;
export const BROADCAST = 3;
export const FETCH_SOCKETS = 7;
export const FETCH_SOCKETS_RESPONSE = 8;
export const SERVER_SIDE_EMIT = 9;
export const SERVER_SIDE_EMIT_RESPONSE = 10;
export const BROADCAST_CLIENT_COUNT = 11;
export const BROADCAST_ACK = 12;
export const ADAPTER_CLOSE = 13;

export class FakeServer {
  #listener;
  #publisher;
  #channel;
  #watch = new Watch();
  // What it had to publish in answer to what it heard.
  #pending = new Set();

  // The emitter's messages so far.
  heard = [];

  // `onMessage` is called with each message of the emitter's and this server.
  static async start(database, { uid = 'fake', namespace = '/', onMessage = sayHello } = {}) {
    const server = new FakeServer();
    server.uid = uid;
    server.namespace = namespace;
    server.#channel = `socket.io#${namespace}`;
    server.#listener = await database.newSession();
    server.#publisher = await database.newSession();
    server.#listener.on('notification', ({ payload }) => server.#receive(payload, onMessage));
    await server.#listener.query(`LISTEN "${server.#channel}"`);
    return server;
  }

  #receive(payload, onMessage) {
    const message = parse(payload);
    if (message?.uid !== 'emitter') return;
    this.heard.push(message);
    const work = Promise.resolve(onMessage(message, this)).finally(() => this.#pending.delete(work));
    this.#pending.add(work);
    this.#watch.check();
  }

  until(condition, what) {
    return this.#watch.until(() => condition(this.heard), what);
  }

  // A message in this server's name.
  say(type, data) {
    return this.sayText(JSON.stringify({ uid: this.uid, nsp: this.namespace, type, data }));
  }

  // The same as an attachment.
  async sayAttached(type, data) {
    const { rows: [{ id }] } = await this.#publisher.query(
      'INSERT INTO socket_io_attachments (payload) VALUES ($1) RETURNING id',
      [Buffer.from(encode({ uid: this.uid, nsp: this.namespace, type, data }))]);
    return this.announce(type, id);
  }

  // Bytes of an attachment, whatever they are.
  async sayBytes(type, bytes) {
    const { rows: [{ id }] } = await this.#publisher.query(
      'INSERT INTO socket_io_attachments (payload) VALUES ($1) RETURNING id', [bytes]);
    return this.announce(type, id);
  }

  announce(type, attachmentId) {
    return this.sayText(JSON.stringify({ uid: this.uid, type, attachmentId }));
  }

  sayText(payload) {
    return this.#publisher.query('SELECT pg_notify($1, $2)', [this.#channel, payload]);
  }

  // `goodbye` tells the others, as adapters do from 0.4.0.
  async close({ goodbye = true } = {}) {
    // Nothing more is heard that would have to be answered.
    await this.#listener.end();
    await Promise.all(this.#pending);
    if (goodbye) await this.say(ADAPTER_CLOSE);
    await this.#publisher.end();
  }
}

// Says that it is there, and no more.
export function sayHello({ type }, server) {
  return type === INITIAL_HEARTBEAT ? server.say(HEARTBEAT) : undefined;
}

// Says nothing at all.
export function mute() {}

// Not everything on the channel is JSON where a test says so.
function parse(payload) {
  try {
    return JSON.parse(payload);
  } catch {
    return undefined;
  }
}
