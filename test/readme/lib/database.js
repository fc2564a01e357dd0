// A new database, and the ways into it: the real psql, and connections of pg.
//
// The server is found through the PG* environment variables, which scripts/with-cluster sets. Databases are not
// dropped: the whole cluster goes away at the end.

import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import pg from 'pg';
import { inOwnSchema, pathOf } from './own-schema.js';

const PSQL_TIMEOUT = 60_000;

// The cluster's maintenance database would serve as well, but for the tests that run beside this one. The path may name a
// schema that is not there yet.
export async function createDatabase(purpose) {
  const name = `readme_${purpose}`;
  const maintenance = await connect();
  try {
    await maintenance.query(`CREATE DATABASE ${name} TEMPLATE template0`);
    if (inOwnSchema) await maintenance.query(pathOf(name));
  } finally {
    await maintenance.end();
  }
  return name;
}

export async function connect(database) {
  const client = new pg.Client({ database });
  await client.connect();
  return client;
}

// Run a script as a reader of the README would; an error in it is an error here. Returns what psql prints: notices and
// warnings, then results.
export async function psql(database, script) {
  const child = spawn('psql', ['--no-psqlrc', '--set=ON_ERROR_STOP=1', '--quiet', '--file=-'],
    { env: { ...process.env, PGDATABASE: database }, timeout: PSQL_TIMEOUT });
  const exit = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status, signal) => resolve(status ?? signal));
  });
  // When psql gives up before the end of the script, its exit status and what it printed tell more.
  child.stdin.on('error', () => {});
  child.stdin.end(script);
  const [status, output, errors] = await Promise.all([exit, text(child.stdout), text(child.stderr)]);
  if (status !== 0) throw new Error(`psql ended with ${status}\n${errors}`);
  return errors + output;
}
