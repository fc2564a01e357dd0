// Print the machine and the table of all rows, which come as lines of JSON on standard input, as Markdown.
//
//   node report.js load        the machine's load average when the run began

import { readFileSync } from 'node:fs';
import { formatNumber, formatRatio } from './lib/format.js';
import { describeMachine } from './lib/machine.js';

const header = ['Measure', 'Ours', 'Reference', 'Ratio (quartiles)', 'Goal', 'Met?'];

const commitsHeader = [
  'Flush', 'Clients', 'No emit', '`pg_notify`', "`delivery = 'notify'`", "`delivery = 'worker'`", 'Worker to no emit',
];

const explanation = `\
Times are processor time of the backend per call, inside one transaction and without the scan or loop around the calls
unless it says otherwise; from \`COMMIT\` to a client, and until the cluster has answered, it is time that passes; /s is what
passes of calls, commits or notifications. Medians of several rounds in which ours and the reference take turns; the ratio is
the median of the rounds' ratios. \`fsync\` and autovacuum are off, but for flushes of 1 ms. What a trigger adds to a row is the
time of the \`INSERT\` with it less that without, divided by the rows; the table is unlogged, and attachments of changes go into
space that \`VACUUM\` freed, as they do where servers delete them.`;

const commitsExplanation = `\
One-row \`INSERT\`s that commit, a second, by pgbench with prepared statements over a Unix-domain socket, on the same processors
as the server; with an emit the same statement calls it in \`RETURNING\`. \`fsync\` is on and takes 1 ms, whatever the disk, or is
off. Medians of several rounds in which all four take turns; the last column is the ratio of two of them. Nobody listens.`;

function isMet({ ours, reference, ratio, goal }) {
  const number = { ours, ratio, difference: ours - reference }[goal.of];
  return goal.sign === '≤' ? number <= goal.limit : number >= goal.limit;
}

function formatGoal({ unit, goal }) {
  const limit = goal.of === 'ratio' ? goal.limit : formatNumber(goal.limit, unit);
  return `${goal.sign} ${goal.of === 'difference' ? '+' : ''}${limit}`;
}

function cells(row) {
  return [
    row.measure,
    formatNumber(row.ours, row.unit),
    formatNumber(row.reference, row.unit),
    `${formatRatio(row.ratio)} (${row.range.map(formatRatio).join('–')})`,
    row.goal ? formatGoal(row) : '',
    row.goal ? (isMet(row) ? 'yes' : '**MISSED**') : '',
  ];
}

function formatTable(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`;
  const [first, ...rest] = rows;
  return [line(first), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...rest.map(line)].join('\n');
}

function commitsCells({ disk, clients, silent, pgNotify, notify, worker }) {
  const perSecond = [silent, pgNotify, notify, worker].map((number) => formatNumber(number, 'perSecond'));
  return [disk, String(clients), ...perSecond, formatRatio(worker / silent)];
}

const lines = readFileSync(0, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
const rows = lines.filter(({ measure }) => measure);
const commits = lines.flatMap(({ commits }) => commits ?? []);
const machine = [...(await describeMachine()), ['Load before the run', process.argv[2]]];

console.log(machine.map(([what, value]) => `- ${what}: ${value}`).join('\n'));
console.log();
console.log(formatTable([header, ...rows.map(cells)]));
console.log();
console.log(explanation);
if (commits.length > 0) {
  console.log();
  console.log(formatTable([commitsHeader, ...commits.map(commitsCells)]));
  console.log();
  console.log(commitsExplanation);
}
