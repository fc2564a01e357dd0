// Take one of the measures against the cluster that the environment names, and print its rows, one line of JSON each.
//
//   node measure.js name       a file of measures/, without .js

import { Session } from './lib/session.js';

const { measure } = await import(`./measures/${process.argv[2]}.js`);
const session = await Session.open();
try {
  await session.query('CREATE EXTENSION socketio_emitter');
  for (const row of await measure(session)) {
    console.log(JSON.stringify(row));
  }
} finally {
  await session.close();
}
