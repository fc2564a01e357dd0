// A program of the README, in a directory of its own with the packages the README tells to install and no others.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { within } from './waiting.js';

const attended = fileURLToPath(new URL('attended.cjs', import.meta.url));
const modules = fileURLToPath(new URL('../node_modules/', import.meta.url));

export class Program {
  output = '';
  #errors = '';
  #directory;
  #child;
  #closed;

  // The program runs from here on; stop() is due in any case.
  async start({ file, packages, code, beside }, environment) {
    // The cluster's directory is taken away even if this process is killed.
    this.#directory = await mkdtemp(path.join(process.env.CLUSTER_DIR ?? tmpdir(), 'readme-'));
    await installPackages(packages, this.#directory);
    for (const each of [{ file, code }, ...beside]) await writeFile(path.join(this.#directory, each.file), each.code);
    this.#child = spawn(process.execPath, ['--require', attended, file], {
      cwd: this.#directory,
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#closed = once(this.#child, 'close');
    this.#closed.catch(() => {}); // for who waits to say
    this.#child.stdout.setEncoding('utf8').on('data', (text) => { this.output += text; });
    this.#child.stderr.setEncoding('utf8').on('data', (text) => { this.#errors += text; });
  }

  async port() {
    const [{ port }] = await this.#unlessItEnds(once(this.#child, 'message'), 'the server to listen');
    return port;
  }

  // Until the output has so many whole lines.
  async lines(count) {
    while (this.output.split('\n').length <= count) {
      await this.#unlessItEnds(once(this.#child.stdout, 'data'), `${count} lines of output`);
    }
  }

  // Of a program that ends by itself, as it should: all it has printed.
  async end() {
    const [status, signal] = await within(this.#closed, () => `the program to end\n${this.transcript()}`);
    assert.equal(status ?? signal, 0, this.transcript());
    return this.output;
  }

  // All it has printed, for whoever looks for what went wrong.
  transcript() {
    return this.output + this.#errors;
  }

  async stop() {
    if (this.#child && this.#child.exitCode === null && this.#child.signalCode === null) {
      const end = once(this.#child, 'close');
      this.#child.kill('SIGKILL');
      await end;
    }
    if (this.#directory) await rm(this.#directory, { recursive: true });
  }

  async #unlessItEnds(promise, what) {
    const end = new AbortController();
    const failure = once(this.#child, 'close', { signal: end.signal }).then(([status, signal]) => {
      throw new Error(`the program ended with ${status ?? signal} instead of ${what}`);
    });
    try {
      return await within(Promise.race([promise, failure]), what);
    } catch (error) {
      error.message += `\n${this.transcript()}`;
      throw error;
    } finally {
      end.abort();
      failure.catch(() => {});
    }
  }
}

// Links do: Node.js looks for what a package itself needs where the package really is.
async function installPackages(names, directory) {
  for (const name of names) {
    assert.ok(existsSync(path.join(modules, name)), `test/readme/package.json lacks ${name}, which README.md installs`);
    const link = path.join(directory, 'node_modules', name);
    await mkdir(path.dirname(link), { recursive: true });
    await symlink(path.join(modules, name), link);
  }
}
