// A real socket.io-client that keeps everything it receives.

import { io } from 'socket.io-client';
import { Watch } from './wait.js';

// What a test sends last, to know that everything before it has arrived. Kept apart from the events of the test.
export const SENTINEL = 'e2e:sentinel';

export class Client {
  #socket;
  #sentinels = new Set();
  #watch = new Watch();

  // Everything received, in order: [event, ...arguments].
  events = [];
  // Why the connection ended, once it has.
  disconnected = null;

  constructor(socket, namespace, server) {
    this.#socket = socket;
    this.namespace = namespace;
    this.server = server;
    socket.onAny((event, ...args) => {
      if (event === SENTINEL) this.#sentinels.add(args[0]);
      // Whether an acknowledgement is asked for is no part of what was sent.
      else this.events.push([event, ...args.filter((arg) => typeof arg !== 'function')]);
      this.#watch.check();
    });
    socket.on('disconnect', (reason) => {
      this.disconnected = reason;
      this.#watch.check();
    });
  }

  // The id the server knows the socket by; it stays here after the connection has ended.
  async connect() {
    let failure;
    this.#socket.once('connect', () => {
      this.id = this.#socket.id;
      this.#watch.check();
    });
    this.#socket.once('connect_error', (error) => {
      failure = error;
      this.#watch.check();
    });
    this.#socket.connect();
    await this.until(() => this.id || failure, `a client to connect to ${this.namespace}`);
    if (failure) throw failure;
    return this;
  }

  // The connection, which several namespaces may share.
  get manager() {
    return this.#socket.io;
  }

  sentinel(token) {
    return this.until(() => this.#sentinels.has(token) || this.disconnected, () => `sentinel ${token} to reach the ` +
      `client in ${this.namespace} on server ${this.server}, which has received ${this.events.length} events`);
  }

  // Acknowledge this event with what `answer` makes of its arguments, at once or in time: the arguments of the
  // acknowledgement.
  acknowledge(event, answer) {
    this.#socket.on(event, async (...args) => {
      const callback = args.pop();
      callback(...await answer(...args));
    });
  }

  until(condition, what) {
    return this.#watch.until(condition, what);
  }

  close() {
    this.#socket.disconnect();
  }
}

// `shared` is another client, whose connection this one uses for a namespace of its own. What `auth`, `query` and
// `headers` hold is only to be found again in the handshake.
export function connectClient(url, options) {
  const { namespace = '/', rooms = [], transports = ['websocket'], shared, server, auth, query, headers } = options;
  const manager = {
    transports, query, extraHeaders: headers, forceNew: true, reconnection: false, autoConnect: false,
  };
  const socket = shared
    ? shared.manager.socket(namespace, { auth: { rooms, ...auth } })
    : io(url + namespace, { auth: { rooms, ...auth }, ...manager });
  return new Client(socket, namespace, server).connect();
}
