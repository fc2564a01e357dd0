// A cluster of Socket.IO 3 servers that listen as those with the adapter socket.io-postgres do. That adapter is not on
// npm: this is one written anew after its protocol, and pg-pubsub, which is what it listens through.

import PubSub from 'pg-pubsub';
import { Server } from 'socket.io-3';
import { Adapter as InMemoryAdapter } from 'socket.io-adapter-2.2';
import { connectClient } from './client.js';
import { LegacyCluster } from './legacy-cluster.js';

const HANDLED = 'handled';

export class SocketIoPostgresCluster extends LegacyCluster {
  static protocol = 'socket.io-postgres';

  async open(http, options) {
    const { database: { name: database }, prefix } = this;
    // Called with `new`, which an arrow function cannot be.
    function Adapter(namespace) { return new ListeningAdapter(namespace, { database }, prefix); }
    const io = new Server(http, { ...options, adapter: Adapter });
    const adapters = this.namespaces.map((name) => io.of(name).adapter);
    await Promise.all(adapters.map((made) => made.listening()));
    const close = () => Promise.all(adapters.map((made) => made.end()));
    return { io, close };
  }

  connectClient = connectClient;

  // With the rooms of all listened to.
  async connect(...descriptions) {
    const clients = await super.connect(...descriptions);
    await this.listening();
    return clients;
  }

  // All servers listen to everything that they have asked for.
  async listening() {
    for (const io of this.servers) {
      await Promise.all(this.namespaces.map((name) => io.of(name).adapter.listening()));
    }
  }

  roomsOf(socket) {
    return socket.handshake.auth.rooms ?? [];
  }

  onBroadcast(adapter, listener) {
    adapter.on(HANDLED, listener);
  }
}

class ListeningAdapter extends InMemoryAdapter {
  #pubsub;
  #channel;
  // What it listens with for each socket in each of its rooms.
  #listeners = new Map();
  #pending = Promise.resolve();

  constructor(namespace, connection, prefix = 'socket-io') {
    super(namespace);
    // Its log is of attempts to connect.
    this.#pubsub = new PubSub(connection, { log: () => {} });
    this.#pubsub.on('error', (error) => this.emit('error', error));
    this.#channel = `${prefix}:${namespace.name}`;
    this.#listen(this.#channel);
  }

  // A listener for each call, whether or not the channel has one: with several sockets of a server in a room, its
  // messages are handled once for each. pg warns of queries that queue up, so it is one LISTEN after the other.
  #listen(channel) {
    const listener = (message) => this.#handle(message);
    this.#pending = this.#pending.then(() => this.#pubsub.addChannel(channel, listener));
    return listener;
  }

  listening() {
    return this.#pending;
  }

  #handle({ packet, options: { rooms, except, flags } }) {
    if ((packet.nsp || '/') !== this.nsp.name) return;
    this.broadcast(packet, { rooms: new Set(rooms), except: new Set(except), flags });
    this.emit(HANDLED, packet);
  }

  addAll(id, rooms) {
    super.addAll(id, rooms);
    if (!this.#listeners.has(id)) this.#listeners.set(id, new Map());
    for (const room of rooms) this.#listeners.get(id).set(room, this.#listen(`${this.#channel}:${room}`));
  }

  // The channels are listened to for good, as that adapter has it. Its listeners stay, too: here they go, for the next
  // test's sockets may be in rooms of the same names.
  delAll(id) {
    super.delAll(id);
    for (const [room, listener] of this.#listeners.get(id) ?? []) {
      this.#pubsub.removeListener(`${this.#channel}:${room}`, listener);
    }
    this.#listeners.delete(id);
  }

  async end() {
    await this.#pending;
    await this.#pubsub.close();
  }
}
