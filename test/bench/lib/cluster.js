// A Socket.IO cluster: servers in processes of their own, their clients in one more, and now and then a last server without
// clients in this one, so that what its functions take is measured in the same place as what a statement takes.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { sleep } from './delivery.js';
import { startServer } from './socketio-server.js';

const patience = 120_000; // milliseconds, for all clients to connect
const programs = { server: './server-process.js', clients: './clients-process.js' };

export class Cluster {
  #children = [];
  #own;

  // So many clients on each of the other servers.
  static async start(...clients) {
    const cluster = new Cluster();
    try {
      const servers = await Promise.all(clients.map(() => cluster.#run('server')));
      await cluster.#run('clients', JSON.stringify(servers.map(({ url }, i) => [url, clients[i]])));
    } catch (error) {
      await cluster.close();
      throw error;
    }
    return cluster;
  }

  // With one server more, in this process, which all others know.
  async withOwn(use) {
    this.#own = await startServer();
    try {
      await this.#found(this.#children.length - 1);
      return await use(this.#own.io);
    } finally {
      await this.#own.close();
      this.#own = undefined;
    }
  }

  // What the process has to say.
  async #run(name, ...parameters) {
    const child = fork(fileURLToPath(new URL(programs[name], import.meta.url)), parameters, { execArgv: [] });
    this.#children.push(child);
    const waiting = new AbortController();
    child.once('exit', () => waiting.abort(new Error(`a process of ${name} has ended`)));
    const timeout = setTimeout(() => waiting.abort(new Error(`waited in vain for a process of ${name}`)), patience);
    try {
      const [message] = await once(child, 'message', { signal: waiting.signal });
      return message;
    } finally {
      clearTimeout(timeout);
    }
  }

  // Servers that started at the same time have found each other with their next heartbeat, after 5 seconds.
  async #found(others) {
    const { adapter } = this.#own.io.of('/');
    for (const giveUp = performance.now() + patience; (await adapter.serverCount()) <= others; await sleep(50)) {
      if (performance.now() > giveUp) throw new Error('the servers do not find each other');
    }
  }

  async close() {
    for (const child of this.#children.reverse()) {
      if (child.exitCode === null && child.signalCode === null) {
        const exit = once(child, 'exit');
        child.kill('SIGKILL');
        await exit;
      }
    }
    await this.#own?.close();
  }
}
