// How the demo looks in a terminal.

import { inspect } from 'node:util';

const coloured = process.env.FORCE_COLOR === '1' || (process.stdout.isTTY && !process.env.NO_COLOR);
const style = (code) => (text) => (coloured ? `\x1b[${code}m${text}\x1b[0m` : text);
const bold = style(1);
const dim = style(2);
const red = style(31);
const green = style(32);

export function printHeader(versions, url) {
  console.log(`${bold('socketio_emitter')}: psql on one side, Socket.IO clients on the other\n`);
  console.log(`PostgreSQL ${versions.postgresql}, socket.io ${versions.socketIo}, @socket.io/postgres-adapter ` +
    `${versions.adapter}, Node.js ${process.versions.node}`);
  console.log(`Server on ${url}; alice is in room1, bob in no room.\n`);
}

// One client's share of a step is what it received, and whether that is what it should have; `since` is what the times
// count from.
export function printStep(number, { title, sql }, shares, since) {
  console.log(bold(`${number}. ${title}`));
  console.log(`   psql     ${sql};`);
  for (const { name, received, correct } of shares) {
    const lines = received.map(({ event, at }) => `${dim(showDelay(at, since))}   ${showEvent(event)}`);
    if (lines.length === 0) lines.push(dim(correct ? 'nothing: a later emit is here, this one is not' : 'nothing'));
    for (const line of lines) console.log(`   ${name.padEnd(6)} ${correct ? green('✓') : red('✗')} ${line}`);
  }
  console.log();
}

export function printSummary(correct, total) {
  const text = `${correct} of ${total} as they should be.`;
  console.log(correct === total ? green(text) : red(text));
}

function showEvent([name, ...args]) {
  const options = { breakLength: Infinity, compact: true, maxStringLength: 40 };
  return [bold(name), args.map((argument) => inspect(argument, options)).join(', ')].join('  ');
}

function showDelay(at, { committed, started }) {
  const milliseconds = (at - (committed ?? started)).toFixed(1).padStart(5);
  return `${milliseconds} ms after ${committed === undefined ? 'psql started' : 'COMMIT'}`;
}
