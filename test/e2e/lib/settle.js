// Knowing that nothing is under way any more, without waiting for time to pass.

import { SENTINEL } from './client.js';

let count = 0;

// What the clients have received once everything emitted so far has arrived: one list of events for each client.
//
// A notification and an attachment each follow what went the same way before them, so one sentinel of either kind
// behind the last emit of a test proves that all has come, and that what has not come never will.
export async function settle(database, clients) {
  const live = clients.filter((client) => !client.disconnected);
  count += 1;
  const notification = `notification ${count}`;
  const attachment = `attachment ${count}`;
  for (const namespace of new Set(live.map((client) => client.namespace))) {
    await database.query('SELECT socketio_emit(nsp => $1, event => $2, args => $3)',
      [namespace, SENTINEL, JSON.stringify([notification])]);
    await database.query(`SELECT socketio_emit_values(socketio_of($1), $2, $3::text, '\\x00'::bytea)`,
      [namespace, SENTINEL, attachment]);
  }
  await Promise.all(live.flatMap((client) => [client.sentinel(notification), client.sentinel(attachment)]));
  return clients.map((client) => client.events);
}
