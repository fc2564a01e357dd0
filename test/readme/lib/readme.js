// README.md and the documents of docs/, taken apart for the tests. Nothing of their contents is known here, only how
// they mark what can be tested:
//
// * A ```sql block runs in psql. A ```js block is a program; the paragraph before it names its file (`server.mjs`) and
//   the packages it needs (`npm install socket.io pg`).
// * A ```js block behind the comment <!-- test: sent by the SQL above --> sends, all in all, the messages that the last
//   SQL block sends.
// * A ```js block behind <!-- test: added to server.mjs --> or <!-- test: added to client.mjs --> goes to the end of that
//   program, for what the document has psql print with two servers and a client of each: that is in the blocks behind
//   <!-- test: printed by the SQL above -->, ids and times being examples.
// * The ```sql blocks behind <!-- test: in a schema of its own --> are another way to create the extension, for a database
//   of their own.
// * In a table behind the comment <!-- test: same message --> each row has two cells of code, SQL and JavaScript, that
//   send the same message.
// * The table of the settings has the columns setting and default, that of the triggers' options option and default,
//   those of the errors message and SQLSTATE, that of socketio_stats column, those of the functions that ask the cluster
//   function and returns.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { marked } from 'marked';

export const repository = fileURLToPath(new URL('../../../', import.meta.url));

// A code block of another language would never be run: a typing error must not switch a test off.
const languages = new Set(['sql', 'js', 'sh', '']);
// What a mark stands before.
const marks = new Map([
  ['same message', 'table'],
  ['sent by the SQL above', 'code'],
  ['printed by the SQL above', 'code'],
  ['added to server.mjs', 'code'],
  ['added to client.mjs', 'code'],
  ['in a schema of its own', 'code'],
]);
// The language of a marked block, if it is not JavaScript.
const languageOf = new Map([['printed by the SQL above', ''], ['in a schema of its own', 'sql']]);

export const documents = ['README.md', ...filesIn('docs')].map(readDocument);
export const blocks = documents.flatMap((document) => document.blocks);
export const codeBlocks = blocks.filter(({ kind }) => kind === 'code');
export const tables = blocks.filter(({ kind }) => kind === 'table');
export const paragraphs = documents.flatMap((document) => document.paragraphs);

// The tables whose first columns are these, wherever they are.
export function tablesWith(...columns) {
  const found = tables.filter(({ header }) => columns.every((column, i) => header[i]?.text === column));
  assert.notEqual(found.length, 0, `there is no table with the columns ${columns.join(', ')}`);
  for (const { rows } of found) {
    assert.notEqual(rows.length, 0, `a table with the columns ${columns.join(', ')} is empty`);
  }
  return found;
}

// The one table whose first columns are these.
export function tableWith(...columns) {
  const found = tablesWith(...columns);
  assert.equal(found.length, 1, `there must be exactly one table with the columns ${columns.join(', ')}`);
  return found[0];
}

// The code spans of a piece of text.
export function codeIn(text) {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, code]) => code);
}

function filesIn(directory) {
  if (!existsSync(repository + directory)) return [];
  return readdirSync(repository + directory).filter((name) => name.endsWith('.md')).sort()
    .map((name) => path.posix.join(directory, name));
}

// `blocks` are the code blocks and tables in their order, each with the heading and the paragraph it stands under.
function readDocument(file) {
  const tokens = marked.lexer(readFileSync(repository + file, 'utf8'));
  const inlines = readInlines(tokens);
  return {
    file,
    blocks: readBlocks(tokens),
    paragraphs: [...blockTokens(tokens)].filter(isParagraph).map(oneLine),
    anchors: anchorsOf(inlines.filter(({ type }) => type === 'heading').map(plainText)),
    links: inlines.filter(({ type }) => type === 'link' || type === 'image').map(({ href }) => href),
    codeSpans: inlines.filter(({ type }) => type === 'codespan').map(({ text }) => text),
  };
}

function readBlocks(tokens) {
  const result = [];
  let heading = '';
  let intro = '';
  let mark;
  for (const token of blockTokens(tokens)) {
    if (mark) assert.equal(token.type, marks.get(mark), `<!-- test: ${mark} --> must stand before a ${marks.get(mark)}`);
    if (token.type === 'heading') heading = plainText(token);
    if (token.type === 'code') result.push({ ...readCode(token, mark), heading, intro, mark });
    if (token.type === 'table') result.push({ ...readTable(token, mark), heading, mark });
    mark = token.type === 'html' ? readMark(token.raw) : undefined;
    intro = isParagraph(token) ? oneLine(token) : '';
  }
  return result;
}

// Lists and quotations are opened: what they contain counts like the rest.
function* blockTokens(list) {
  for (const token of list) {
    if (token.type === 'list') for (const item of token.items) yield* blockTokens(item.tokens);
    else if (token.type === 'blockquote') yield* blockTokens(token.tokens);
    else if (token.type !== 'space') yield token;
  }
}

function isParagraph({ type }) {
  return type === 'paragraph' || type === 'text';
}

function oneLine({ text }) {
  return text.replace(/\s+/g, ' ');
}

function readCode({ lang = '', text }, mark) {
  assert.ok(languages.has(lang), `there is no way to test a code block of the language "${lang}"`);
  const expected = languageOf.get(mark) ?? 'js';
  assert.ok(!mark || lang === expected, `<!-- test: ${mark} --> must stand before a block of the language "${expected}"`);
  return { kind: 'code', language: lang, text };
}

function readTable({ raw, header, rows }, mark) {
  assert.ok(mark || header.at(-1).text !== 'JavaScript', 'a table with a column JavaScript has no mark');
  // A bar within code ends the cell, too, and what is too much in a row is not shown: it must be written \|.
  const [first, ...others] = raw.trimEnd().split('\n');
  for (const line of others) assert.equal(bars(line), bars(first), `a row with too many or too few cells: ${line}`);
  return { kind: 'table', header: header.map(readCell), rows: rows.map((row) => row.map(readCell)) };
}

function bars(line) {
  return line.replaceAll('\\|', '').split('|').length - 1;
}

// `source` is what was written; `code` is undefined unless the cell is code and nothing else.
function readCell(cell) {
  const [only, ...others] = cell.tokens;
  const code = only?.type === 'codespan' && others.length === 0 ? only.text : undefined;
  return { text: plainText(cell), source: cell.text, code };
}

function readMark(html) {
  const mark = /<!--\s*test:\s*(.*?)\s*-->/.exec(html)?.[1];
  assert.ok(mark === undefined || marks.has(mark), `unknown mark <!-- test: ${mark} -->`);
  return mark;
}

function plainText(token) {
  return token.tokens ? token.tokens.map(plainText).join('') : token.text ?? '';
}

function readInlines(tokens) {
  const result = [];
  marked.walkTokens(tokens, (token) => { result.push(token); });
  return result;
}

// What GitHub makes of headings.
function anchorsOf(headings) {
  const count = new Map();
  return new Set(headings.map((heading) => {
    const slug = heading.toLowerCase().replace(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, '').replaceAll(' ', '-');
    const earlier = count.get(slug) ?? 0;
    count.set(slug, earlier + 1);
    return earlier === 0 ? slug : `${slug}-${earlier}`;
  }));
}
