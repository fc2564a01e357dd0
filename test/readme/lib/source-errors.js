// The errors the extension's sources report: every ereport(ERROR, ...), as its SQLSTATE and its message, where ...
// stands for what is filled in.
//
// Some are reported by a function that its callers tell what to say. Such a function is followed to each of its calls
// in the same file:
//
//     void report(int sqlstate, const char* what) { ereport(ERROR, (errcode(sqlstate), errmsg("table %s", what))); }
//     report(ERRCODE_UNDEFINED_COLUMN, "has no column");        // 42703, table has no column
//
// Not so where it is a name, between quotes, that callers tell: whichever it is, that is the same message.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { repository } from './readme.js';

const LITERAL = '"(?:[^"\\\\\\n]|\\\\.)*"';
const CHARACTER = "'(?:[^'\\\\\\n]|\\\\.)'";
const COMMENT = '//[^\\n]*|/\\*[^]*?\\*/';
const CONVERSION = /%(?<flags>[-+ #0]*)(?<width>\*|\d+)?(?:\.(?<precision>\*|\d+))?[hlzjt]*(?<type>[a-zA-Z%])/g;
// In the house's style a function's definition starts its line, and what is inside functions does not.
const DEFINITION = /^[^\s#][^\n;{}()]*?\b(?<name>\w+)\((?<parameters>[^;{}]*)\)[^;{}()]*\{$/gm;

export const anything = '...';

// [{ where, sqlstate, message }] of a directory but for the files in `except`.
export function sourceErrors(directory, { except = [] } = {}) {
  const sqlstates = readSqlstates();
  const sources = readSources(directory).filter(({ path }) => !except.includes(path));
  return sources.flatMap(({ path, text }) => calls(text, 'ereport')
    .filter(({ args }) => args[0] === 'ERROR')
    .flatMap((call) => {
      const where = `${path}:${text.slice(0, call.index).split('\n').length}`;
      return resolve(text, call, where).map(({ condition, message }) => {
        assert.ok(sqlstates.has(condition), `${where}: cannot tell the SQLSTATE of ${condition}`);
        return { where, sqlstate: sqlstates.get(condition), message };
      });
    }));
}

// Every text constant of the sources: what may be filled in.
export function sourceLiterals(directory) {
  const literals = readSources(directory).flatMap(({ text }) => text.match(new RegExp(LITERAL, 'g')) ?? []);
  return new Set(literals.map((literal) => literal.slice(1, -1)));
}

function readSources(directory) {
  return readdirSync(repository + directory, { withFileTypes: true }).flatMap((entry) => {
    const path = `${directory}/${entry.name}`;
    if (entry.isDirectory()) return readSources(path);
    if (!/\.(cpp|h)$/.test(entry.name)) return [];
    return [{ path, text: withoutComments(readFileSync(repository + path, 'utf8')) }];
  });
}

// Line breaks stay, so that lines keep their numbers.
function withoutComments(text) {
  return text.replace(new RegExp(`${LITERAL}|${CHARACTER}|${COMMENT}`, 'g'),
    (found) => (found.startsWith('/') ? found.replace(/[^\n]/g, ' ') : found));
}

// The calls of a function or macro, with their arguments as text.
function calls(text, name) {
  return [...text.matchAll(new RegExp(`\\b${name}\\(`, 'g'))]
    .map(({ index, 0: head }) => ({ index, args: readArguments(text, index + head.length) }));
}

// `start` is behind the opening parenthesis.
function readArguments(text, start) {
  const parts = new RegExp(`${LITERAL}|${CHARACTER}|[^]`, 'gy');
  parts.lastIndex = start;
  const args = [''];
  for (let depth = 1, part = parts.exec(text); part; part = parts.exec(text)) {
    if ('([{'.includes(part[0])) depth += 1;
    if (')]}'.includes(part[0])) depth -= 1;
    if (depth === 0) return args.map((arg) => arg.trim());
    if (depth === 1 && part[0] === ',') args.push('');
    else args[args.length - 1] += part[0];
  }
  throw new Error(`no end of the arguments: ${text.slice(start, start + 80)}`);
}

// The error once, or once for each call of the function around it, if that function fills in what callers say.
function resolve(text, { index, args }, where) {
  const body = args.slice(1).join(',');
  const [[condition] = [], ...otherCodes] = calls(body, 'errcode').map((call) => call.args);
  const [[format, ...values] = [], ...otherMessages] = calls(body, 'errmsg').map((call) => call.args);
  assert.ok(condition && format && otherCodes.length + otherMessages.length === 0,
    `${where}: cannot find the one errcode() and the one errmsg() of ${body}`);
  const parts = readFormat(format, values, where);
  const wording = parts.filter(({ quoted }) => quoted === false).map(({ value }) => value);
  return meanings(text, index, [condition, ...wording])
    .map((meaning) => ({ condition: meaning(condition), message: fillIn(parts, meaning) }));
}

// What the expressions mean: for each call, a function from an expression to the caller's expression.
function meanings(text, index, expressions) {
  const around = [...text.matchAll(DEFINITION)].filter((definition) => definition.index < index).at(-1);
  const parameters = around ? parameterNames(around.groups.parameters) : [];
  if (!expressions.some((expression) => parameters.includes(expression))) return [(expression) => expression];
  const definitionEnd = around.index + around[0].length;
  const callers = calls(text, around.groups.name)
    .filter((call) => call.index < around.index || call.index >= definitionEnd);
  assert.notEqual(callers.length, 0, `${around.groups.name} is never called in its file`);
  return callers.map(({ args }) => (expression) => args[parameters.indexOf(expression)] ?? expression);
}

function parameterNames(parameters) {
  return readArguments(`${parameters})`, 0).map((parameter) => /(\w+)\s*(?:=.*)?$/.exec(parameter)?.[1]);
}

// A format taken apart into its plain text and its conversions, which have a value: [{ text, value, quoted }].
function readFormat(format, values, where) {
  const text = constant(format);
  assert.ok(text !== undefined, `${where}: the message ${format} is not plain text`);
  const rest = [...values];
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(CONVERSION)) {
    const { width, precision, type } = match.groups;
    if (width === '*') rest.shift();
    if (precision === '*') rest.shift();
    parts.push({ text: text.slice(end, match.index) });
    end = match.index + match[0].length;
    if (type === '%') parts.push({ text: '%' });
    else if (type === 'm') parts.push({ text: anything });
    else parts.push({ value: rest.shift(), quoted: text.slice(0, match.index).split('"').length % 2 === 0 });
  }
  return [...parts, { text: text.slice(end) }];
}

// The message with constants in their places. Between quotes, what is partly filled in is filled in.
function fillIn(parts, meaning) {
  const message = parts.map(({ text, value }) => text ?? constant(meaning(value)) ?? anything).join('');
  return message.replace(/"[^"]*"/g, (quoted) => (quoted.includes(anything) ? `"${anything}"` : quoted));
}

// The value of a string constant, which may be in several pieces; undefined for any other expression.
function constant(expression) {
  if (!new RegExp(`^(?:${LITERAL}\\s*)+$`).test(expression)) return undefined;
  return expression.match(new RegExp(LITERAL, 'g')).map((piece) => JSON.parse(piece)).join('');
}

function readSqlstates() {
  const directory = execFileSync(process.env.PG_CONFIG ?? 'pg_config', ['--includedir-server'], { encoding: 'utf8' });
  const header = readFileSync(`${directory.trim()}/utils/errcodes.h`, 'utf8');
  const definitions = header.matchAll(/^#define\s+(ERRCODE_\w+)\s+MAKE_SQLSTATE\(([^)]*)\)/gm);
  return new Map([...definitions].map(([, name, characters]) => [name, characters.replace(/[', ]/g, '')]));
}
