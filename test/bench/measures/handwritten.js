// socketio_emit beside what people write by hand: pg_notify of a message put together with jsonb_build_object. Each in
// a PL/pgSQL loop, as in a trigger, and each in plain SQL.

import assert from 'node:assert/strict';
import { channel, emit } from '../lib/messages.js';
import { alternate, perCall } from '../lib/rounds.js';
import { atLeast, row } from '../lib/row.js';

const calls = 200_000;
const rounds = 5;
// Without a number of its own, NOTIFY would send one message of the 200,000.
const handwritten = `pg_notify('${channel}', jsonb_build_object(
  'uid', 'emitter',
  'nsp', '/',
  'type', 3,
  'seq', n,
  'data', jsonb_build_object(
    'packet', jsonb_build_object('type', 2, 'data', jsonb_build_array('hello', jsonb_build_object('a', 1, 'b', 'some text')), 'nsp', '/'),
    'opts', jsonb_build_object('rooms', jsonb_build_array('room1'), 'except', jsonb_build_array(), 'flags', jsonb_build_object())
  ))::text)`;

async function checkEqual(session) {
  const numbers = '(VALUES (1), (2)) AS numbers (n)';
  const sent = async (call) => (await session.notificationsOf(channel, `SELECT ${call} FROM ${numbers}`)).map(JSON.parse);
  // By hand one leaves out the mark that only the workers of a Node.js cluster look for.
  assert.deepEqual((await sent(handwritten)).map((message) => ({ ...message, source: '_sio_adapter' })), await sent(emit));
}

export async function measure(session) {
  await checkEqual(session);
  await session.query(`CREATE TEMPORARY TABLE numbers AS SELECT n FROM generate_series(1, ${calls}) AS n; ANALYZE numbers`);
  const inSql = (call) => () => session.costRolledBack(`SELECT count(${call}) FROM numbers`);
  const inLoop = (call) => () =>
    session.costRolledBack(`DO $$ BEGIN FOR n IN 1..${calls} LOOP PERFORM ${call}; END LOOP; END $$`);

  const costs = await alternate(rounds, {
    scan: inSql('n'),
    emit: inSql(emit),
    handwritten: inSql(handwritten),
    loop: inLoop('n'),
    emitInLoop: inLoop(emit),
    handwrittenInLoop: inLoop(handwritten),
  });
  const inverseRow = (fields) => row({ ...fields, unit: 'seconds', inverse: true });
  return [
    inverseRow({
      measure: '`socketio_emit` in SQL, times less than `pg_notify(…, jsonb_build_object(…)::text)` in PL/pgSQL',
      ours: perCall(calls, costs.emit, costs.scan),
      reference: perCall(calls, costs.handwrittenInLoop, costs.loop),
      goal: atLeast(12),
    }),
    inverseRow({
      measure: 'the same, both in PL/pgSQL, less the loop of `PERFORM`',
      ours: perCall(calls, costs.emitInLoop, costs.loop),
      reference: perCall(calls, costs.handwrittenInLoop, costs.loop),
    }),
    inverseRow({
      measure: 'the same, both in PL/pgSQL, the loop of `PERFORM` included',
      ours: perCall(calls, costs.emitInLoop),
      reference: perCall(calls, costs.handwrittenInLoop),
    }),
    inverseRow({
      measure: 'the same, both in SQL',
      ours: perCall(calls, costs.emit, costs.scan),
      reference: perCall(calls, costs.handwritten, costs.scan),
    }),
  ];
}
