// A PostgreSQL cluster of a test's own, to be restarted, and a standby of it, to be promoted: beside the cluster that
// scripts/with-cluster has started, in its directory, and run by the same user.

import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { within } from './wait.js';

const run = promisify(execFile);
const port = 5432;

export class OwnCluster {
  #directory;
  #data;

  static async start() {
    const cluster = await OwnCluster.#make();
    await cluster.#run('initdb', '--pgdata', cluster.#data, '--username', 'postgres', '--auth', 'trust',
      '--encoding', 'UTF8', '--locale', 'C', '--no-sync');
    await cluster.#begin();
    return cluster;
  }

  // A standby of this cluster, running.
  async standby() {
    const standby = await OwnCluster.#make();
    await standby.#run('pg_basebackup', '--pgdata', standby.#data, '--write-recovery-conf', '--no-sync',
      '--checkpoint', 'fast', '--host', this.#directory, '--port', port, '--username', 'postgres');
    await standby.#begin();
    return standby;
  }

  static async #make() {
    const cluster = new OwnCluster();
    cluster.#directory = await mkdtemp(path.join(process.env.CLUSTER_DIR ?? tmpdir(), 'own-'));
    cluster.#data = path.join(cluster.#directory, 'data');
    if (isRoot) await run('chown', [owner, cluster.#directory]);
    return cluster;
  }

  // Where clients find it: the environment for a process, and for a connection of pg.
  get environment() {
    return { PGHOST: this.#directory, PGPORT: String(port), PGUSER: 'postgres', PGDATABASE: 'postgres' };
  }

  get socket() {
    return path.join(this.#directory, `.s.PGSQL.${port}`);
  }

  // In a session of its own, which a restart does not break.
  async query(text, parameters) {
    const client = new pg.Client({ host: this.#directory, port, user: 'postgres', database: 'postgres' });
    await client.connect();
    try {
      return (await client.query(text, parameters)).rows;
    } finally {
      await client.end();
    }
  }

  restart() {
    return this.#control('restart', '--mode', 'fast', ...this.#log);
  }

  promote() {
    return this.#control('promote');
  }

  async stop() {
    await this.#control('stop', '--mode', 'immediate');
    await rm(this.#directory, { recursive: true });
  }

  #begin() {
    const options = `-c listen_addresses= -c fsync=off -k ${this.#directory} -p ${port}`;
    return this.#control('start', '--options', options, ...this.#log);
  }

  get #log() {
    return ['--log', path.join(this.#directory, 'log')];
  }

  #control(command, ...options) {
    return this.#run('pg_ctl', command, '--pgdata', this.#data, '--wait', '--timeout', '120', '--silent', ...options);
  }

  // pg_ctl leaves a postmaster that holds what it has inherited: a pipe for its output would never end.
  async #run(program, ...options) {
    const command = [...asOwner, program, ...options.map(String)];
    const script = '"$@" >"$0" 2>&1 </dev/null || { cat "$0"; exit 1; }';
    const finished = run('sh', ['-c', script, `${this.#directory}.out`, ...command], { cwd: '/' });
    await within(finished.catch((error) => { throw new Error(`${program}: ${error.stdout}`); }), `${program} to end`);
  }
}

// PostgreSQL refuses to run as root: see scripts/with-cluster.
const isRoot = process.getuid() === 0;
const owner = process.env.CLUSTER_USER ?? 'postgres';
const group = isRoot ? execFileSync('id', ['-g', owner], { encoding: 'utf8' }).trim() : undefined;
const asOwner = isRoot ? ['setpriv', '--reuid', owner, '--regid', group, '--init-groups'] : [];
