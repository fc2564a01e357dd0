// Emits of 100 KB per second, each in a transaction of its own, beside @socket.io/postgres-emitter sending the same
// payload. Both are driven from this process through a pool of ten connections that are kept busy. Theirs inserts into a
// table of its own database, made as the README of @socket.io/postgres-adapter says. Unlike
// the other measures, this one is about time that passes.

import emitterModule from '@socket.io/postgres-emitter';
import pg from 'pg';
import { records, text } from '../lib/payloads.js';
import { alternate } from '../lib/rounds.js';
import { atLeast, row } from '../lib/row.js';

const { Emitter } = emitterModule;
const emits = 500;
const rounds = 5;
const emit = (args) => `SELECT socketio_emit('/', '{room1}', '{}', 'hello', ${args})`;

async function openPool(database) {
  const pool = new pg.Pool({ database }); // ten connections, as it is by default
  const clients = await Promise.all(Array.from({ length: pool.options.max }, () => pool.connect()));
  clients.forEach((client) => client.release());
  return pool;
}

// Emits per second, when as many are under way at any time as there are connections.
async function throughput(pool, emitOne) {
  let left = emits;
  const worker = async () => {
    while (left-- > 0) await emitOne();
  };
  await pool.query('TRUNCATE socket_io_attachments');
  const start = performance.now();
  await Promise.all(Array.from({ length: pool.options.max }, worker));
  return emits / ((performance.now() - start) / 1000);
}

// Emitter's emit() does not tell when it is done: its pg_notify, the last thing it does, does.
function emitTheirs(pool, payload) {
  return new Promise((resolve, reject) => {
    const watchedPool = {
      async query(sql, values) {
        const result = await pool.query(sql, values).catch((error) => {
          reject(error);
          throw error;
        });
        if (sql.includes('pg_notify')) resolve();
        return result;
      },
    };
    new Emitter(watchedPool).to('room1').emit('hello', payload);
  });
}

async function prepare(session) {
  await session.query('CREATE TABLE payloads (name text, args jsonb)');
  await session.query('ALTER TABLE payloads ALTER COLUMN args SET STORAGE EXTERNAL');
  for (const [name, payload] of Object.entries({ text, records })) {
    await session.query('INSERT INTO payloads VALUES ($1, $2)', [name, JSON.stringify([payload])]);
  }
  await session.query('CREATE DATABASE theirs');
}

async function measurePayload({ ourPool, theirPool, name, payload, goal }) {
  const { ours, oursFromNode, theirs } = await alternate(rounds, {
    ours: () => throughput(ourPool, () => ourPool.query(`${emit('args')} FROM payloads WHERE name = '${name}'`)),
    oursFromNode: () => throughput(ourPool, () => ourPool.query(emit('$1'), [JSON.stringify([payload])])),
    theirs: () => throughput(theirPool, () => emitTheirs(theirPool, payload)),
  });
  return [
    row({
      measure: `Emits of 100 KB (${name}) in the database, times those of \`@socket.io/postgres-emitter\` from Node.js`,
      ours,
      reference: theirs,
      unit: 'perSecond',
      goal,
    }),
    row({
      measure: 'the same, with the payload sent from Node.js to `socketio_emit`',
      ours: oursFromNode,
      reference: theirs,
      unit: 'perSecond',
    }),
  ];
}

export async function measure(session) {
  await prepare(session);
  const ourPool = await openPool();
  const theirPool = await openPool('theirs');
  try {
    await theirPool.query(
      'CREATE TABLE socket_io_attachments (id bigserial UNIQUE, created_at timestamptz DEFAULT NOW(), payload bytea)',
    );
    return [
      ...(await measurePayload({ ourPool, theirPool, name: 'text', payload: text, goal: atLeast(6) })),
      ...(await measurePayload({ ourPool, theirPool, name: 'records', payload: records })),
    ];
  } finally {
    await Promise.all([ourPool.end(), theirPool.end()]);
  }
}
