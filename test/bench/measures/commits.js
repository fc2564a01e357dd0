// One-row inserts, each a transaction of its own, that also emit: how many commit a second, beside those that do not emit, those
// that call pg_notify, and those that emit by NOTIFY; with a disk that takes a millisecond to flush and with one that takes no
// time. The emit is in RETURNING, so that all are one statement and one round trip, and return one column. Nobody listens. What
// the worker has not sent at the end counts as time. This is about time that passes, with pgbench, server and worker on the same
// processors.

import { assertNoFallbacks, deliverBy, drain } from '../lib/delivery.js';
import { channel, emit } from '../lib/messages.js';
import { pgbench } from '../lib/pgbench.js';
import { alternate, median } from '../lib/rounds.js';
import { atLeast, row } from '../lib/row.js';
import { Session } from '../lib/session.js';

const most = 64;
const loads = [
  { clients: 1, seconds: 1, rounds: 3 },
  { clients: 4, seconds: 1, rounds: 3 },
  { clients: 16, seconds: 1, rounds: 3 },
  { clients: most, seconds: 2, rounds: 5 },
];
const disks = [
  { disk: '1 ms', fsync: 'on', goal: 0.9 },
  { disk: 'none', fsync: 'off', goal: 0.8 },
];
const insert = (returning) => `INSERT INTO items (note) VALUES ('some text') RETURNING ${returning}`;

async function variantsFor(session) {
  const [text] = await session.notificationsOf(channel, `SELECT ${emit}`);
  return {
    silent: { sql: insert('id') },
    pgNotify: { sql: insert(`pg_notify('${channel}', '${text}')`) },
    notify: { sql: insert(emit), options: deliverBy('notify') },
    worker: { sql: insert(emit), options: deliverBy('worker') },
  };
}

// The delay is in the server's fsync.
async function setFsync(session, fsync) {
  await session.query(`ALTER SYSTEM SET fsync = '${fsync}'`);
  await session.query('SELECT pg_reload_conf()');
  for (let seen; seen !== fsync; ) {
    const newcomer = await Session.open();
    seen = await newcomer.value('SHOW fsync');
    await newcomer.close();
  }
}

async function commitsPerSecond(session, { sql, options }, { clients, seconds }) {
  await session.query('TRUNCATE items');
  await session.query('CHECKPOINT');
  const { perSecond } = await pgbench(`${sql};`, { clients, seconds, options });
  const left = await drain(session);
  return (perSecond * seconds) / (seconds + left);
}

function measureLoad(session, variants, load) {
  const measurements = Object.entries(variants).map(([name, variant]) => [name, () => commitsPerSecond(session, variant, load)]);
  return alternate(load.rounds, Object.fromEntries(measurements));
}

const disksText = { '1 ms': 'a flush of 1 ms', none: 'no time to flush' };

function rowsFor({ disk, goal }, clients, { silent, pgNotify, notify, worker }) {
  const compare = (measure, ours, reference, goal) => row({ measure, ours, reference, unit: 'perSecond', goal });
  return [
    compare(
      `Commits of ${clients} clients with an emit, \`delivery = 'worker'\`, ${disksText[disk]}, beside those without`,
      worker,
      silent,
      atLeast(goal),
    ),
    compare("the same, `delivery = 'notify'`", notify, silent),
    compare('the same, bare `pg_notify`', pgNotify, silent),
  ];
}

const medians = (numbers) => Object.fromEntries(Object.entries(numbers).map(([name, values]) => [name, median(values)]));

export async function measure(session) {
  const rows = [];
  await session.query('CREATE TABLE items (id bigserial PRIMARY KEY, note text)');
  const variants = await variantsFor(session);
  for (const disk of disks) {
    await setFsync(session, disk.fsync);
    for (const load of loads) {
      const numbers = await measureLoad(session, variants, load);
      rows.push({ commits: { disk: disk.disk, clients: load.clients, ...medians(numbers) } });
      if (load.clients === most) rows.push(...rowsFor(disk, load.clients, numbers));
    }
  }
  await assertNoFallbacks(session);
  return rows;
}
