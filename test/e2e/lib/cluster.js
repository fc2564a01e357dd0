// A Socket.IO cluster in this process: servers of one adapter version, each on a loopback port, and their clients.
//
// A client names in its handshake the rooms its server puts it into, so that no test depends on the extension to get
// its clients where it wants them.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { Server } from 'socket.io';
import { CLEANUP_INTERVAL, listeningConnections, loadAdapter } from './adapters.js';
import { connectClient } from './client.js';
import { settle } from './settle.js';
import { repeatUntil, Watch } from './wait.js';

const READY = 'e2e:ready';
const PASSED = 'e2e:passed';

export class Cluster {
  #servers = [];
  #clients = [];
  #errors = [];
  #closing = false;
  // What each server has heard of PASSED in each of its namespaces.
  #passed = [];
  #passes = 0;
  #watch = new Watch();
  #database;
  #namespaces;

  constructor(database, namespaces) {
    this.#database = database;
    this.#namespaces = namespaces;
  }

  static async start(version, database, options = {}) {
    const { servers = 3, namespaces = ['/'], adapter = {} } = options;
    const { createAdapter } = await loadAdapter(version);
    const cluster = new Cluster(database, namespaces);
    for (let i = 0; i < servers; i++) {
      await cluster.#addServer(version, createAdapter, adapter);
    }
    await cluster.#listening(adapter.channelPrefix ?? 'socket.io');
    return cluster;
  }

  async #addServer(version, createAdapter, adapterOptions) {
    const report = (error) => { if (!this.#closing) this.#errors.push(error); };
    // One connection is left for fetching attachments, so that they come in the order they were sent in: over several
    // the adapter lets a small one overtake a large one.
    const pool = this.#database.newPool({ max: listeningConnections(version, this.#namespaces) + 1 });
    pool.on('error', report);
    const http = createServer();
    const io = new Server(http, {
      adapter: createAdapter(pool, { errorHandler: report, cleanupInterval: CLEANUP_INTERVAL, ...adapterOptions }),
      maxHttpBufferSize: 1e9,
      // A busy machine is no reason to give a client up, and a ping under way one to drop a volatile event.
      pingInterval: 600_000,
    });
    for (const name of this.#namespaces) {
      const namespace = io.of(name);
      // 0.1.1 has no errorHandler: it emits.
      namespace.adapter.on('error', report);
      namespace.on('connection', (socket) => {
        socket.join(socket.handshake.auth.rooms ?? []);
        socket.on('disconnect', () => this.#watch.check());
      });
      const heard = new Set();
      this.#passed.push(heard);
      namespace.on(PASSED, (token) => {
        heard.add(token);
        this.#watch.check();
      });
    }
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    this.#servers.push({ io, pool, url: `http://127.0.0.1:${http.address().port}` });
  }

  // An adapter does not tell when its LISTEN is through: ask all servers until each has answered for each namespace.
  // Written by hand, so that it takes nothing from the extension under test.
  async #listening(prefix) {
    const waiting = [];
    for (const { io } of this.#servers) {
      for (const name of this.#namespaces) waiting.push(once(io.of(name), READY));
    }
    await repeatUntil(Promise.all(waiting), async () => {
      for (const nsp of this.#namespaces) {
        const message = { uid: 'emitter', nsp, type: 9, data: { packet: [READY] } };
        await this.#database.query('SELECT pg_notify($1, $2)', [`${prefix}#${nsp}`, JSON.stringify(message)]);
      }
    }, 'all servers to listen');
  }

  get servers() {
    return this.#servers.map(({ io }) => io);
  }

  // Connect a client for each of the descriptions, on one server after the other unless they name one.
  async connect(...descriptions) {
    const clients = await Promise.all(descriptions.map((description, i) => {
      const server = description.shared?.server ?? description.server ?? i % this.#servers.length;
      return connectClient(this.#servers[server].url, { ...description, server });
    }));
    this.#clients.push(...clients);
    return clients;
  }

  // The server's end of a client's connection.
  socketOf(client) {
    return this.#servers[client.server].io.of(client.namespace).sockets.get(client.id);
  }

  settled(...clients) {
    return settle(this.#database, clients);
  }

  // All servers have handled everything emitted so far, clients or not: the counterpart of settled() for servers.
  async caughtUp() {
    this.#passes += 1;
    const tokens = [`notification ${this.#passes}`, `attachment ${this.#passes}`];
    for (const namespace of this.#namespaces) {
      await this.#database.query('SELECT socketio_server_side_emit($1, $2, $3)',
        [namespace, PASSED, JSON.stringify([tokens[0]])]);
      await this.#database.query(`SELECT socketio_server_side_emit_values($1::text, $2, $3::text, '\\x00'::bytea)`,
        [namespace, PASSED, tokens[1]]);
    }
    await this.#watch.until(() => this.#passed.every((heard) => tokens.every((token) => heard.has(token))),
      `all servers to hear the ${tokens.join(' and the ')}`);
  }

  // Leave nothing under way and nobody connected for the next test, and complain about any error an adapter had.
  async endTest() {
    await this.caughtUp();
    for (const client of this.#clients.splice(0)) client.close();
    await this.#watch.until(() => this.#connected() === 0, () => `${this.#connected()} clients to be gone`);
    const errors = this.#errors.splice(0);
    if (errors.length > 0) throw new AggregateError(errors, `adapter errors: ${errors.map(String).join('; ')}`);
  }

  #connected() {
    const sizes = this.servers.flatMap((io) => this.#namespaces.map((name) => io.of(name).sockets.size));
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  async close() {
    this.#closing = true;
    for (const { io } of this.#servers) await io.close();
    for (const { pool } of this.#servers) await pool.end();
    // Up to 0.3.1 a heartbeat that was under way sets the timer for the next one behind close()'s back, for ever.
    await setImmediate();
    for (const { io } of this.#servers) {
      for (const name of this.#namespaces) io.of(name).adapter.close();
    }
  }
}

// Everything the servers' handlers of one server-side event receive: one list of argument lists for each server.
export function recordServerSide(cluster, event, namespace = '/') {
  const received = cluster.servers.map((io) => {
    const calls = [];
    io.of(namespace).on(event, (...args) => calls.push(args));
    return calls;
  });
  const stop = () => cluster.servers.forEach((io) => io.of(namespace).removeAllListeners(event));
  return { received, stop };
}
