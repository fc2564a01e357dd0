// socketio_emit of a small jsonb object to one room, beside pg_notify of the text it sends.

import { channel, emit, prepareTexts } from '../lib/messages.js';
import { alternate, perCall } from '../lib/rounds.js';
import { atMost, row } from '../lib/row.js';

const calls = 200_000;
const rounds = 15;

export async function measure(session) {
  await prepareTexts(session, 'texts', calls, emit);
  const cost = (counted) => () => session.costRolledBack(`SELECT count(${counted}) FROM texts`);
  const { scan, read, ours, notify } = await alternate(rounds, {
    scan: cost('*'),
    read: cost('text'),
    ours: cost(emit),
    notify: cost(`pg_notify('${channel}', text)`),
  });
  return [
    row({
      measure: '`socketio_emit` of a small object to one room, beside `pg_notify` of the same text',
      ours: perCall(calls, ours, scan),
      reference: perCall(calls, notify, read),
      unit: 'seconds',
      goal: atMost(1.3),
    }),
  ];
}
