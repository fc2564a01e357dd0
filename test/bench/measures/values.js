// socketio_emit_values with three scalar arguments, beside pg_notify of the text it sends.

import { channel, prepareTexts } from '../lib/messages.js';
import { alternate, perCall } from '../lib/rounds.js';
import { atMost, row } from '../lib/row.js';

const calls = 200_000;
const rounds = 15;
const emit = `socketio_emit_values(socketio_to('room1'), 'hello', n, 'two', true)`;

export async function measure(session) {
  await prepareTexts(session, 'texts', calls, emit, ['"hello",1,']);
  const cost = (counted) => () => session.costRolledBack(`SELECT count(${counted}) FROM texts`);
  const { scan, read, ours, notify } = await alternate(rounds, {
    scan: cost('n'),
    read: cost('text'),
    ours: cost(emit),
    notify: cost(`pg_notify('${channel}', text)`),
  });
  return [
    row({
      measure: '`socketio_emit_values` of three scalars, beside `pg_notify` of the same text',
      ours: perCall(calls, ours, scan),
      reference: perCall(calls, notify, read),
      unit: 'seconds',
      goal: atMost(1.5),
    }),
  ];
}
