// A server made by hand, for what socket.io-adapter-postgres does not do of itself, or not every time: it listens and
// is counted as one, and answers requests as the test has it.

import { Watch } from './wait.js';

// The types of requests.
export const CLIENTS = 0;
export const CLIENT_ROOMS = 1;
export const REMOTE_JOIN = 3;
export const CUSTOM_REQUEST = 5;

export class LegacyFakeServer {
  #listener;
  #publisher;
  #watch = new Watch();
  // What it had to publish in answer to what it heard.
  #pending = new Set();

  // The requests so far.
  heard = [];

  // `onRequest` is called with each request and this server.
  static async start(database, { namespace = '/', onRequest = () => {} } = {}) {
    const server = new LegacyFakeServer();
    server.topic = `socket.io-response#${namespace}#`;
    const requests = `socket.io-request#${namespace}#`;
    server.#listener = await database.newSession();
    server.#publisher = await database.newSession();
    server.#listener.on('notification', ({ payload }) => server.#receive(payload, requests, onRequest));
    await server.#listener.query(`SELECT set_config('application_name', $1, false)`, [`socket.io-${requests}`]);
    await server.#listener.query('LISTEN socketio');
    return server;
  }

  // Only requests in one piece, which is enough for a fake.
  #receive(payload, requests, onRequest) {
    if (!payload.startsWith(`["${requests}",`)) return;
    const request = JSON.parse(JSON.parse(payload)[1]);
    this.heard.push(request);
    const work = Promise.resolve(onRequest(request, this)).finally(() => this.#pending.delete(work));
    this.#pending.add(work);
    this.#watch.check();
  }

  until(condition, what) {
    return this.#watch.until(() => condition(this.heard), what);
  }

  answer(response) {
    return this.sayBody(JSON.stringify(response));
  }

  // The answer in pieces of so many characters, in the order that `arrange` makes of them.
  async answerInPieces(response, size, arrange = (pieces) => pieces) {
    const texts = JSON.stringify(response).match(new RegExp(`[^]{1,${size}}`, 'gu'));
    const id = Math.random().toString(36).slice(2, 8);
    const pieces = texts.map((text, i) => `_chunk_${id}_${i}_${texts.length}`.padEnd(50) + text);
    for (const piece of arrange(pieces)) await this.sayBody(piece);
  }

  sayBody(body, topic = this.topic) {
    return this.sayPayload(JSON.stringify([topic, body]));
  }

  sayPayload(payload) {
    return this.#publisher.query('SELECT pg_notify($1, $2)', ['socketio', payload]);
  }

  async close() {
    await this.#listener.end();
    await Promise.all(this.#pending);
    await this.#publisher.end();
  }
}
