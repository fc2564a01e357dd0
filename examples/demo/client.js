// A Socket.IO client that writes down what it receives, and when.
//
// A mark is an event that the demo sends to learn that everything sent before it has arrived: what is not there by then
// never comes. Marks are kept apart from what was received.

import { once } from 'node:events';
import { io } from 'socket.io-client';

const MARK = 'demo:mark';
const PATIENCE = 60_000;

export class Client {
  #received = []; // { event: [name, ...arguments], at: milliseconds since 1970 }
  #marks = new Set();
  #check = () => {};
  #socket;

  static async connect(name, url, rooms) {
    const client = new Client(name, rooms);
    client.#socket = io(url, { transports: ['websocket'], reconnection: false });
    client.#socket.onAny((...event) => client.#receive(event));
    await client.#connected();
    for (const room of rooms) client.#socket.emit('join', room);
    return client;
  }

  constructor(name, rooms) {
    this.name = name;
    this.rooms = rooms;
  }

  async #connected() {
    const signal = AbortSignal.timeout(PATIENCE);
    const refused = once(this.#socket, 'connect_error', { signal }).then(([error]) => { throw error; });
    await Promise.race([once(this.#socket, 'connect', { signal }), refused]);
  }

  #receive(event) {
    if (event[0] === MARK) this.#marks.add(event[1]);
    else this.#received.push({ event, at: performance.timeOrigin + performance.now() });
    this.#check();
  }

  // What has been received since it was last taken.
  takeReceived() {
    return this.#received.splice(0);
  }

  // True once `count` events are there, false if they are not in time.
  hasReceived(count) {
    return this.#until(() => this.#received.length >= count);
  }

  // True once the mark is there, false if it is not in time.
  hasMark(mark, patience = PATIENCE) {
    return this.#until(() => this.#marks.has(mark), patience);
  }

  #until(condition, patience = PATIENCE) {
    return new Promise((resolve) => {
      const finish = (result) => {
        clearTimeout(timer);
        this.#check = () => {};
        resolve(result);
      };
      const timer = setTimeout(() => finish(false), patience);
      this.#check = () => { if (condition()) finish(true); };
      this.#check();
    });
  }

  close() {
    this.#socket.close();
  }
}

// The SQL that sends a mark to the client, by the way that the demo's events go.
export function markingSql(client, mark) {
  return `SELECT socketio_emit(rooms => '{${client.rooms}}', event => '${MARK}', args => '${mark}')`;
}
