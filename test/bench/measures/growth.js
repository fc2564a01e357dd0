// Whether an emit costs more in a transaction of 1,000,000 emits than in one of 1,000. PostgreSQL's part, pg_notify, does:
// it remembers every notification until commit, which soon outgrows the processor's caches. So what pg_notify of the same
// texts grew by is taken off the emit, and the rest is compared. The extension's part alone, emit less pg_notify, is a small
// difference of large numbers, too uncertain to judge by; it is shown.

import { channel, emit, prepareTexts } from '../lib/messages.js';
import { alternate, perCall } from '../lib/rounds.js';
import { atMost, row } from '../lib/row.js';

const few = 1_000;
const many = 1_000_000;
const rounds = 7;
const counted = { scan: '*', read: 'text', emit, notify: `pg_notify('${channel}', text)` };

// Measures seconds per call, whole transactions long. Small ones are repeated until there is something to measure, and
// all are planned beforehand, which would weigh more on small ones.
async function measurementsOf(session, calls) {
  const repeats = Math.ceil(200_000 / calls);
  const measurements = {};
  await prepareTexts(session, `texts_${calls}`, calls, emit);
  for (const [what, expression] of Object.entries(counted)) {
    const name = `${what}_${calls}`;
    const sql = `BEGIN; EXECUTE ${name}; ROLLBACK;`.repeat(repeats);
    await session.query(`PREPARE ${name} AS SELECT count(${expression}) FROM texts_${calls}`);
    measurements[name] = async () => (await session.cost(sql)) / (calls * repeats);
  }
  return measurements;
}

const subtract = (numbers, others) => numbers.map((number, round) => number - others[round]);

export async function measure(session) {
  const costs = await alternate(rounds, { ...(await measurementsOf(session, few)), ...(await measurementsOf(session, many)) });
  const emits = (calls) => perCall(1, costs[`emit_${calls}`], costs[`scan_${calls}`]);
  const notifies = (calls) => perCall(1, costs[`notify_${calls}`], costs[`read_${calls}`]);
  const growth = subtract(notifies(many), notifies(few));
  const own = (calls) => subtract(emits(calls), notifies(calls));
  const growthRow = (measure, ours, reference, goal) => row({ measure, ours, reference, unit: 'seconds', goal });
  return [
    growthRow(
      'An emit of 1,000,000 in a transaction, less the growth of `pg_notify`, beside one of 1,000',
      subtract(emits(many), growth),
      emits(few),
      atMost(1.1),
    ),
    growthRow("the extension's part alone: emit less `pg_notify`", own(many), own(few)),
    growthRow('the whole emit', emits(many), emits(few)),
    growthRow('`pg_notify` alone', notifies(many), notifies(few)),
  ];
}
