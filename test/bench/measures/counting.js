// What it costs that a server which preloads the extension counts emits, with delivery = 'notify': beside a server of its own that
// does not preload it, which runs at $PLAIN_HOST.

import { emit } from '../lib/messages.js';
import { alternate, perCall } from '../lib/rounds.js';
import { atMost, row } from '../lib/row.js';
import { Session } from '../lib/session.js';

const emits = 200_000;
const commits = 100_000;
const rounds = 25;

const inOneTransaction = (counted) => `BEGIN; SELECT count(${counted}) FROM generate_series(1, ${emits}); ROLLBACK`;
const inManyTransactions = (work) =>
  `DO $$ BEGIN FOR n IN 1..${commits} LOOP ${work}; COMMIT; END LOOP; END $$`;

const costs = {
  scan: inOneTransaction('*'),
  emits: inOneTransaction(emit),
  commits: inManyTransactions(`PERFORM ${emit}`),
};

function measurementsOf(session, name) {
  return Object.entries(costs).map(([what, sql]) => [`${name}_${what}`, () => session.cost(sql)]);
}

export async function measure(preloaded) {
  const plain = await Session.open({ host: process.env.PLAIN_HOST });
  try {
    await plain.query('CREATE EXTENSION socketio_emitter');
    const numbers = await alternate(
      rounds,
      Object.fromEntries([...measurementsOf(plain, 'plain'), ...measurementsOf(preloaded, 'preloaded')]),
    );
    const compare = (measure, ours, reference) => row({ measure, ours, reference, unit: 'seconds', goal: atMost(1.02) });
    return [
      compare(
        "An emit, `delivery = 'notify'`, with the extension in `shared_preload_libraries`, beside one without",
        perCall(emits, numbers.preloaded_emits, numbers.preloaded_scan),
        perCall(emits, numbers.plain_emits, numbers.plain_scan),
      ),
      compare(
        'the same, a transaction of one emit',
        perCall(commits, numbers.preloaded_commits),
        perCall(commits, numbers.plain_commits),
      ),
    ];
  } finally {
    await plain.close();
  }
}
