// What a trigger that emits row changes adds to a row, beside a trigger written by hand in PL/pgSQL: to an INSERT of 100,000
// rows, and to INSERTs of one row in a loop.

import { columns, prepareOrders, useTrigger } from '../lib/orders.js';
import { alternate, perCall } from '../lib/rounds.js';
import { atLeast, costsAtMost, row } from '../lib/row.js';

const rows = 100_000;
const singleRows = 20_000;
const rounds = 7;
const users = 1_000;

// Rows of a statement travel together if they are for the same room: how many there are decides what it costs.
const fewUsers = 10;
const manyUsers = 10_000;

const insertAll = (users) => `INSERT INTO orders SELECT * FROM orders_of_${users}`;
const insertSingly = `
  DO $$ BEGIN
    FOR n IN 1..${singleRows} LOOP
      INSERT INTO orders SELECT ${columns(users)};
    END LOOP;
  END $$`;

async function prepare(session) {
  await prepareOrders(session);
  for (const count of [fewUsers, users, manyUsers]) {
    const source = `SELECT ${columns(count)} FROM generate_series(1, ${rows}) AS n`;
    await session.query(`CREATE TEMPORARY TABLE orders_of_${count} AS ${source}`);
    await session.query(`VACUUM ANALYZE orders_of_${count}`);
  }
}

// Free the space of the attachments that earlier rounds rolled back, as in a table from which servers delete them: it has no
// dead rows then, and its file need not grow for new ones.
const freeAttachments = (session) =>
  session.query('VACUUM (TRUNCATE false, INDEX_CLEANUP true) socket_io_attachments');

export async function measure(session) {
  await prepare(session);
  const cost = (trigger, statement) => async () => {
    await useTrigger(session, trigger);
    await freeAttachments(session);
    return session.costRolledBack(statement);
  };
  const costs = await alternate(rounds, {
    none: cost(undefined, insertAll(users)),
    byRow: cost('byRow', insertAll(users)),
    byHand: cost('byHand', insertAll(users)),
    byStatement: cost('byStatement', insertAll(users)),
    byStatementForFew: cost('byStatement', insertAll(fewUsers)),
    byStatementForMany: cost('byStatement', insertAll(manyUsers)),
    noneSingly: cost(undefined, insertSingly),
    byRowSingly: cost('byRow', insertSingly),
    byHandSingly: cost('byHand', insertSingly),
    byStatementSingly: cost('byStatement', insertSingly),
  });
  const added = (name) => perCall(rows, costs[name], costs.none);
  const addedSingly = (name) => perCall(singleRows, costs[`${name}Singly`], costs.noneSingly);
  const timesLess = (measure, ours, reference, goal) => row({ measure, ours, reference, unit: 'seconds', inverse: true, goal });
  return [
    row({
      measure: 'What `socketio_emit_changes` adds to a row of an `INSERT` of 100,000, row level, beside a trigger by hand',
      ours: added('byRow'),
      reference: added('byHand'),
      unit: 'seconds',
      goal: costsAtMost(3e-6),
    }),
    timesLess('the same, times less than by hand', added('byRow'), added('byHand'), atLeast(6)),
    timesLess('the same, statement level, 100 rows for each of 1,000 rooms', added('byStatement'), added('byHand'), atLeast(12)),
    timesLess('the same, statement level, 10,000 rows for each of 10 rooms', added('byStatementForFew'), added('byHand')),
    timesLess('the same, statement level, 10 rows for each of 10,000 rooms', added('byStatementForMany'), added('byHand')),
    timesLess(
      'what it adds to an `INSERT` of one row, row level, times less than by hand',
      addedSingly('byRow'),
      addedSingly('byHand'),
    ),
    timesLess('the same, statement level', addedSingly('byStatement'), addedSingly('byHand')),
  ];
}
