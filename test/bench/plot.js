// Draw the commits a second of the rows, which come as lines of JSON on standard input, over the number of clients, as SVG. The
// colours are such that they can be told from a light and from a dark background.
//
//   node plot.js

import { readFileSync } from 'node:fs';
import { formatNumber } from './lib/format.js';

const width = 760;
const height = 400;
const plot = { left: 70, right: 570, top: 50, bottom: 345 };
const ink = '#808890';
const labelHeight = 19;
const variants = [
  { name: 'silent', label: 'no emit', colour: '#8b949e', dash: '6 4' },
  { name: 'worker', label: 'emit, worker', colour: '#2f81f7', dash: 'none' },
  { name: 'notify', label: 'emit, notify', colour: '#db6d28', dash: 'none' },
  { name: 'pgNotify', label: 'pg_notify', colour: '#bf4b8a', dash: '2 4' },
];

const commits = readFileSync(0, 'utf8')
  .trim()
  .split('\n')
  .flatMap((line) => JSON.parse(line).commits ?? [])
  .filter(({ disk }) => disk === '1 ms')
  .sort((a, b) => a.clients - b.clients);

// The next of 1, 2 and 5 times a power of ten.
function roundUp(number) {
  const power = 10 ** Math.floor(Math.log10(number));
  return [1, 2, 5, 10].map((factor) => factor * power).find((round) => round >= number);
}

const largest = Math.max(...commits.flatMap((at) => variants.map(({ name }) => at[name])));
const step = roundUp(largest / 6);
const top = Math.ceil(largest / step) * step;

const firstClients = Math.log2(commits[0].clients);
const lastClients = Math.log2(commits.at(-1).clients);

function x(clients) {
  const fraction = (Math.log2(clients) - firstClients) / (lastClients - firstClients);
  return plot.left + (plot.right - plot.left) * fraction;
}

const y = (perSecond) => plot.bottom - ((plot.bottom - plot.top) * perSecond) / top;
const at = (number) => number.toFixed(1);

function text(x, y, content, attributes = '') {
  return `<text x="${at(x)}" y="${at(y)}" ${attributes}>${content}</text>`;
}

function scale() {
  const lines = [];
  for (let value = 0; value <= top; value += step) {
    const height = at(y(value));
    lines.push(`<line x1="${plot.left}" y1="${height}" x2="${plot.right}" y2="${height}" stroke="${ink}" stroke-opacity="0.35"/>`);
    lines.push(text(plot.left - 8, y(value) + 4, value.toLocaleString('en-US'), 'text-anchor="end"'));
  }
  for (const { clients } of commits) lines.push(text(x(clients), plot.bottom + 20, clients, 'text-anchor="middle"'));
  lines.push(text((plot.left + plot.right) / 2, plot.bottom + 42, 'clients', 'text-anchor="middle"'));
  return lines;
}

function curve({ name, colour, dash }) {
  const points = commits.map((row) => [at(x(row.clients)), at(y(row[name]))]);
  const line = points.map((point) => point.join(',')).join(' ');
  return [
    `<polyline points="${line}" fill="none" stroke="${colour}" stroke-width="2.5" stroke-dasharray="${dash}"/>`,
    ...points.map(([cx, cy]) => `<circle cx="${cx}" cy="${cy}" r="3.5" fill="${colour}"/>`),
  ];
}

// Beside the curves' ends, but not over one another: from the lowest up, each above the one before.
function labels() {
  const last = commits.at(-1);
  let above = Infinity;
  return [...variants]
    .sort((a, b) => last[a.name] - last[b.name])
    .map(({ name, label, colour }) => {
      above = Math.min(y(last[name]) + 4, above - labelHeight);
      return text(plot.right + 12, above, `${label}: ${formatNumber(last[name], 'perSecond')}`, `fill="${colour}" font-weight="600"`);
    });
}

const title = 'Commits a second of one-row transactions, on a disk that takes 1 ms to flush';

console.log(`\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img"
  font-family="system-ui, sans-serif" font-size="13" fill="${ink}">
<title>${title}</title>
${[text(plot.left, 24, title, 'font-size="15" font-weight="600"'), ...scale(), ...variants.flatMap(curve), ...labels()].join('\n')}
</svg>`);
