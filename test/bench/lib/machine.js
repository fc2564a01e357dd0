// What the figures were measured on, and with which versions.

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import os from 'node:os';
import { promisify } from 'node:util';

const run = promisify(execFile);

async function pgConfig(option) {
  return (await run(process.env.PG_CONFIG || 'pg_config', [option])).stdout.trim();
}

async function operatingSystem() {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const name = /^PRETTY_NAME="?([^"\n]*)/m.exec(release)?.[1] ?? os.type();
  return `${name}, kernel ${os.release()}`;
}

// Compilers sign what they make; the one in PATH may be another.
async function compiler() {
  const library = await readFile(`${await pgConfig('--pkglibdir')}/socketio_emitter.so`, 'latin1').catch(() => '');
  return /(GCC: \([^)]*\) [\d.]+|[\w ]*clang version [\d.]+)/.exec(library)?.[1] ?? 'unknown';
}

function hardware() {
  const cpus = os.cpus();
  const cores = cpus.length === 1 ? '1 core' : `${cpus.length} cores`;
  return `${cpus[0]?.model.trim() ?? 'unknown processor'}, ${cores}, ${Math.round(os.totalmem() / 2 ** 30)} GB of memory`;
}

export async function describeMachine() {
  return [
    ['Machine', hardware()],
    ['System', await operatingSystem()],
    ['PostgreSQL', (await pgConfig('--version')).replace(/^PostgreSQL /, '')],
    ['Compiler', await compiler()],
    ['Node.js', process.version.slice(1)],
  ];
}
