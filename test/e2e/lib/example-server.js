// The server that the README gives to paste, examples/server, unchanged, in a process of its own and with any version of
// the adapter.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { connectClient } from './client.js';
import { within } from './wait.js';

const local = (name) => fileURLToPath(new URL(name, import.meta.url));
const files = ['io.mjs', 'server.mjs'];
// Tells its port, and ends it if the test ends.
const attended = local('../../readme/lib/attended.cjs');

export class ExampleServer {
  #directory;
  #child;
  #exit;
  #said = '';

  // Resolves when it serves clients; whether it listens to the database is another matter.
  static async start(version, environment) {
    const server = new ExampleServer();
    await server.#prepare(version);
    server.#child = spawn(process.execPath, ['--require', attended, 'server.mjs'], {
      cwd: server.#directory,
      env: { ...process.env, ...environment, PORT: '0' },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [server.#child.stdout, server.#child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => { server.#said += text; });
    }
    server.#exit = once(server.#child, 'exit');
    const [{ port }] = await within(once(server.#child, 'message'), () => `the server to listen\n${server.#said}`);
    server.url = `http://127.0.0.1:${port}`;
    return server;
  }

  async #prepare(version) {
    this.#directory = await mkdtemp(path.join(process.env.CLUSTER_DIR ?? tmpdir(), 'example-'));
    for (const file of files) await copyFile(local(`../../../examples/server/${file}`), path.join(this.#directory, file));
    await mkdir(path.join(this.#directory, 'node_modules/@socket.io'), { recursive: true });
    const packages = { '@socket.io/postgres-adapter': `adapter-${version}`, pg: 'pg', 'socket.io': 'socket.io' };
    for (const [name, installed] of Object.entries(packages)) {
      await symlink(local(`../node_modules/${installed}`), path.join(this.#directory, 'node_modules', name));
    }
  }

  connect() {
    return connectClient(this.url, { server: 'example' });
  }

  assertAlive() {
    assert.equal(this.#child.exitCode ?? this.#child.signalCode, null, `the server has ended:\n${this.#said}`);
  }

  // As a supervisor ends it. Returns its exit status.
  async terminate() {
    this.#child.kill('SIGTERM');
    const [status, signal] = await within(this.#exit, () => `the server to end\n${this.#said}`);
    return status ?? signal;
  }

  async close() {
    this.#child?.kill('SIGKILL');
    await this.#exit;
    await rm(this.#directory, { recursive: true });
  }
}
