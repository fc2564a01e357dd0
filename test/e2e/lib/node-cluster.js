// A Node.js cluster: this process is the primary, and worker processes serve the clients on one port.

import cluster from 'node:cluster';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { CLEANUP_INTERVAL, loadAdapter } from './adapters.js';
import { connectClient } from './client.js';
import { settle } from './settle.js';
import { repeatUntil, within } from './wait.js';

// The adapter's setupPrimary() looks for `default` in what require('cluster') returns, where Node.js has none: as
// published, 0.5.0 throws "Cannot read properties of undefined (reading 'isPrimary')".
cluster.default ??= cluster;

const events = { worker: 'e2e:worker', ready: 'e2e:ready', serverSide: 'sync', question: 'question' };

export class NodeCluster {
  #workers = [];
  #clients = [];
  #errors = [];
  #closing = false;
  #database;
  #namespaces;
  #pool;
  #primary;

  constructor(database, namespaces) {
    this.#database = database;
    this.#namespaces = namespaces;
  }

  // With `behindPrimary` the adapter's setupPrimary() in this process does all LISTENs, and the workers use
  // @socket.io/cluster-adapter as the adapter's README has it; without, each worker has the adapter itself.
  static async start(version, database, { behindPrimary, workers = 3, namespaces = ['/'] }) {
    const started = new NodeCluster(database, namespaces);
    if (behindPrimary) await started.#setupPrimary(version);
    await started.#fork(workers, { version, database: database.name, behindPrimary, namespaces, events });
    return started;
  }

  async #setupPrimary(version) {
    const { setupPrimary } = await loadAdapter(version);
    this.#pool = this.#database.newPool({ max: 2 });
    this.#primary = setupPrimary(this.#pool, {
      cleanupInterval: CLEANUP_INTERVAL,
      errorHandler: (error) => this.#errors.push(error),
    });
  }

  async #fork(count, options) {
    cluster.setupPrimary({
      exec: fileURLToPath(new URL('worker.js', import.meta.url)),
      args: [JSON.stringify(options)],
      execArgv: [],
      // Binary does not survive JSON, the default.
      serialization: 'advanced',
    });
    for (let i = 0; i < count; i++) {
      const worker = cluster.fork();
      worker.on('exit', (code, signal) => {
        if (!this.#closing) this.#errors.push(new Error(`a worker ended: ${signal ?? `status ${code}`}`));
      });
      this.#workers.push(worker);
    }
    const listening = Promise.all(this.#workers.map((worker) => once(worker, 'listening')));
    const [[{ port }]] = await within(listening, 'the workers to listen');
    this.url = `http://127.0.0.1:${port}`;
  }

  // One client in this namespace on each worker, with the rooms given for it. It knows its worker's process as `worker`
  // and its adapter as `uid`.
  async connect(namespace, ...rooms) {
    const clients = [];
    // Connections go to the workers in turn.
    const taken = new Set();
    for (let attempt = 0; clients.length < this.#workers.length; attempt++) {
      if (attempt === 10 * this.#workers.length) throw new Error('connections do not spread over the workers');
      const client = await connectClient(this.url, { namespace, rooms: rooms[clients.length], server: taken.size });
      await client.until(() => client.events.length > 0, 'a client to learn its worker');
      const [[, worker, uid]] = client.events.splice(0, 1);
      if (taken.has(worker)) client.close();
      else {
        taken.add(worker);
        clients.push(Object.assign(client, { worker, uid }));
      }
    }
    this.#clients.push(...clients);
    return clients;
  }

  // Ask until all workers have heard, in every namespace: see Cluster. What a worker behind setupPrimary listens to has
  // to name its source.
  async ready() {
    for (const namespace of this.#namespaces) {
      const clients = await this.connect(namespace);
      const heard = clients.map((client) => client.until(() => client.events.length > 0, 'a worker to be ready'));
      const data = { packet: [events.ready] };
      const message = JSON.stringify({ uid: 'emitter', source: '_sio_adapter', nsp: namespace, type: 9, data });
      await repeatUntil(Promise.all(heard),
        () => this.#database.query('SELECT pg_notify($1, $2)', [`socket.io#${namespace}`, message]),
        'all workers to be ready');
    }
  }

  settled(...clients) {
    return settle(this.#database, clients);
  }

  endTest() {
    for (const client of this.#clients.splice(0)) client.close();
    const errors = this.#errors.splice(0);
    if (errors.length > 0) throw new AggregateError(errors, errors.map(String).join('; '));
  }

  async close() {
    this.#closing = true;
    await Promise.all(this.#workers.map(async (worker) => {
      if (worker.isDead()) return;
      const exit = once(worker, 'exit');
      worker.process.kill('SIGKILL');
      await exit;
    }));
    this.#primary?.close();
    // setupPrimary() never takes its listener off again.
    cluster.removeAllListeners('message');
    await this.#pool?.end();
  }
}
