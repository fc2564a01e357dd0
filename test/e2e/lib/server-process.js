// A Socket.IO server in a process of its own, to be closed, stopped or killed. lib/lone-server.js is what runs there.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { connectClient } from './client.js';
import { repeatUntil, within } from './wait.js';

const program = fileURLToPath(new URL('lone-server.js', import.meta.url));

export class ServerProcess {
  #child;
  #exit;

  static async start(version, database) {
    const server = new ServerProcess();
    const options = { version, database: database.name };
    server.#child = fork(program, [JSON.stringify(options)], { execArgv: [] });
    server.#exit = once(server.#child, 'exit');
    try {
      const [{ url, uid }] = await within(once(server.#child, 'message'), 'the process to serve');
      Object.assign(server, { url, uid });
      // Its LISTEN is through once it hears: see Cluster.
      const data = { packet: ['e2e:heard?'] };
      const message = JSON.stringify({ uid: 'emitter', nsp: '/', type: 9, data });
      await repeatUntil(once(server.#child, 'message'),
        () => database.query('SELECT pg_notify($1, $2)', ['socket.io#/', message]), 'the process to listen');
    } catch (error) {
      await server.kill();
      throw error;
    }
    return server;
  }

  connect(options) {
    return connectClient(this.url, { ...options, server: 'of its own' });
  }

  // As a program that ends well does.
  async close() {
    this.#child.send('close');
    await within(this.#exit, 'the process to end');
  }

  stop() {
    this.#child.kill('SIGSTOP');
  }

  goOn() {
    this.#child.kill('SIGCONT');
  }

  // That it has ended by itself: the signal that ended it.
  async ended() {
    const [, signal] = await within(this.#exit, 'the process to end');
    return signal;
  }

  // Whatever state it is in.
  async kill() {
    this.#child.kill('SIGKILL');
    await this.#exit;
  }
}
