// The database, reached through the real psql. Which database it is comes from the PG* environment variables.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const limits = { timeout: 60_000 };

// What anybody would type.
export async function psql(sql) {
  await run('psql', ['--no-psqlrc', '-c', sql], limits);
}

// For the demo's own questions: the result as bare text.
export async function query(sql) {
  const { stdout } = await run('psql', ['--no-psqlrc', '--quiet', '--tuples-only', '--no-align', '-c', sql], limits);
  return stdout.trim();
}

// The id that the next writing transaction will get. A transaction that notifies counts as writing.
export function nextTransactionId() {
  return query('SELECT pg_snapshot_xmax(pg_current_snapshot())');
}

// When the one transaction since `firstId` committed, in milliseconds since 1970. Undefined if there was none or, for
// want of knowing which it was, if there were several: the heartbeat of a Socket.IO server is a transaction, too.
export async function commitTimeSince(firstId) {
  const times = await query(`
    SELECT extract(epoch FROM committed) * 1000
    FROM generate_series(${firstId}, pg_snapshot_xmax(pg_current_snapshot())::text::bigint - 1) AS id,
         pg_xact_commit_timestamp(id::text::xid) AS committed
    WHERE committed IS NOT NULL`);
  return /^[\d.]+$/.test(times) ? Number(times) : undefined;
}
