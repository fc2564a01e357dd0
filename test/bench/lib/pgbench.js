// PostgreSQL's own load generator.

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

// Runs `script` with prepared statements for a number of `seconds` or of `transactions` of each client. `options` are PostgreSQL's,
// for the sessions. Returns the transactions that were done, those a second without the time it takes to connect.
export async function pgbench(script, { clients, seconds, transactions, variables = {}, options = {} }) {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'socketio_pgbench.'));
  try {
    const file = path.join(directory, 'script.sql');
    await writeFile(file, script);
    const { stdout } = await run(
      'pgbench',
      [
        ...['--no-vacuum', '--protocol=prepared', `--client=${clients}`, `--jobs=${Math.min(clients, 2)}`, `--file=${file}`],
        seconds ? `--time=${seconds}` : `--transactions=${transactions}`,
        ...Object.entries(variables).map(([name, value]) => `--define=${name}=${value}`),
      ],
      { env: { ...process.env, PGOPTIONS: formatOptions(options) } },
    );
    return {
      transactions: Number(/^number of transactions actually processed: (\d+)/m.exec(stdout)[1]),
      perSecond: Number(/^tps = ([\d.]+)/m.exec(stdout)[1]),
    };
  } finally {
    await rm(directory, { recursive: true });
  }
}

function formatOptions(options) {
  return Object.entries(options).map(([name, value]) => `-c ${name}=${value}`).join(' ');
}
