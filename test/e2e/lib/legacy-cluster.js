// What the clusters of the two older adapters have in common: servers in this process, each on a loopback port, their
// clients, and knowing when all is through.
//
// A client names in its handshake the rooms its server puts it into, so that no test depends on the extension to get
// its clients where it wants them.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { SENTINEL } from './client.js';
import { Watch } from './wait.js';

const PASSED = 'e2e:passed';

// Subclasses say how a server is made and what is special about its adapter:
//   open(http, options, report)    a new server as { io, close }, once it listens to everything it should
//   connectClient(url, options)    a client of it
//   roomsOf(socket)                the rooms that the client named
//   onBroadcast(adapter, listener) calls the listener with each packet that the adapter hands to its own sockets
export class LegacyCluster {
  #servers = [];
  #clients = [];
  // The servers' ends of all connections, by socket id.
  #sockets = new Map();
  #errors = [];
  #closing = false;
  // What each server has heard of PASSED in each of its namespaces.
  #passed = [];
  #marks = 0;
  #watch = new Watch();

  constructor(database, { servers = 3, namespaces = ['/'], prefix } = {}) {
    this.database = database;
    this.namespaces = namespaces;
    this.prefix = prefix;
    this.size = servers;
  }

  static async start(database, options) {
    const cluster = new this(database, options);
    try {
      for (let i = 0; i < cluster.size; i++) await cluster.#addServer();
    } catch (error) {
      await cluster.close();
      throw error;
    }
    return cluster;
  }

  async #addServer() {
    const report = (error) => { if (!this.#closing) this.#errors.push(error); };
    const http = createServer();
    // A busy machine is no reason to give a client up, and a ping under way one to drop a volatile event.
    const { io, close } = await this.open(http, { pingInterval: 600_000, maxHttpBufferSize: 1e9 }, report);
    const server = { io, close };
    this.#servers.push(server);
    for (const name of this.namespaces) this.#watchNamespace(io.of(name), report);
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    server.url = `http://127.0.0.1:${http.address().port}`;
  }

  #watchNamespace(namespace, report) {
    namespace.adapter.on('error', report);
    namespace.on('connection', (socket) => {
      const { id } = socket;
      this.#sockets.set(id, socket);
      socket.join(this.roomsOf(socket));
      socket.on('disconnect', () => {
        this.#sockets.delete(id);
        this.#watch.check();
      });
    });
    const passed = new Set();
    this.#passed.push(passed);
    this.onBroadcast(namespace.adapter, ({ data: [event, token] }) => {
      if (event !== PASSED) return;
      passed.add(token);
      this.#watch.check();
    });
  }

  get servers() {
    return this.#servers.map(({ io }) => io);
  }

  urlOf(server) {
    return this.#servers[server].url;
  }

  // Connect a client for each of the descriptions, on one server after the other unless they name one.
  async connect(...descriptions) {
    const clients = await Promise.all(descriptions.map((description, i) => {
      const server = description.shared?.server ?? description.server ?? i % this.#servers.length;
      return this.connectClient(this.#servers[server].url, { ...description, server });
    }));
    this.#clients.push(...clients);
    return clients;
  }

  // The server's end of a client's connection.
  socketOf(client) {
    return this.#sockets.get(client.id);
  }

  // What the clients have received once everything emitted so far has arrived: one list of events for each client. All
  // messages go the same way, so that one sentinel behind the last emit of a test is enough.
  async settled(...clients) {
    const live = clients.filter((client) => !client.disconnected);
    const token = this.#nextMark();
    for (const namespace of new Set(live.map((client) => client.namespace))) {
      await this.database.query('SELECT socketio_emit(nsp => $1, event => $2, args => to_jsonb($3::text))',
        [namespace, SENTINEL, token]);
    }
    await Promise.all(live.map((client) => client.sentinel(token)));
    return clients.map((client) => client.events);
  }

  // All servers have handled everything emitted so far, clients or not: the counterpart of settled() for servers.
  async caughtUp() {
    const token = this.#nextMark();
    for (const namespace of this.namespaces) {
      // To two rooms, as it is to all servers then, and yet to nobody.
      await this.database.query(
        'SELECT socketio_emit(nsp => $1, rooms => $2, event => $3, args => to_jsonb($4::text))',
        [namespace, ['e2e:nobody', 'e2e:nor here'], PASSED, token]);
    }
    await this.#watch.until(() => this.#passed.every((heard) => heard.has(token)), `all servers to hear ${token}`);
  }

  #nextMark() {
    this.#marks += 1;
    return `mark ${this.#marks}`;
  }

  // Leave nothing under way and nobody connected for the next test, and complain about any error an adapter had.
  async endTest() {
    await this.caughtUp();
    for (const client of this.#clients.splice(0)) client.close();
    await this.#watch.until(() => this.#sockets.size === 0, () => `${this.#sockets.size} sockets to be gone`);
    const errors = this.#errors.splice(0);
    if (errors.length > 0) throw new AggregateError(errors, `adapter errors: ${errors.map(String).join('; ')}`);
  }

  async close() {
    this.#closing = true;
    for (const { io, close } of this.#servers) {
      await new Promise((resolve) => { io.close(resolve); });
      await close();
    }
  }
}
