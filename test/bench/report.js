// Print the machine and the table of all rows, which come as lines of JSON on standard input, as Markdown.
//
//   node report.js load        the machine's load average when the run began

import { readFileSync } from 'node:fs';
import { formatNumber, formatRatio } from './lib/format.js';
import { describeMachine } from './lib/machine.js';

const header = ['Measure', 'Ours', 'Reference', 'Ratio (quartiles)', 'Goal', 'Met?'];

const explanation = `\
Times are processor time of the backend per call, inside one transaction and without the scan or loop around the calls
unless it says otherwise; /s is calls per second that pass. Medians of several rounds in which ours and the reference take
turns; the ratio is the median of the rounds' ratios. \`fsync\` and autovacuum are off. What a trigger adds to a row is the
time of the \`INSERT\` with it less that without, divided by the rows; the table is unlogged, and attachments of changes go into
space that \`VACUUM\` freed, as they do where servers delete them.`;

function isMet({ ours, ratio, goal }) {
  const number = goal.forOurs ? ours : ratio;
  return goal.sign === '≤' ? number <= goal.limit : number >= goal.limit;
}

function formatGoal({ unit, goal }) {
  return `${goal.sign} ${goal.forOurs ? formatNumber(goal.limit, unit) : goal.limit}`;
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
  const widths = header.map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`;
  const [first, ...rest] = rows;
  return [line(first), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...rest.map(line)].join('\n');
}

const rows = readFileSync(0, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
const machine = [...(await describeMachine()), ['Load before the run', process.argv[2]]];

console.log(machine.map(([what, value]) => `- ${what}: ${value}`).join('\n'));
console.log();
console.log(formatTable([header, ...rows.map(cells)]));
console.log();
console.log(explanation);
