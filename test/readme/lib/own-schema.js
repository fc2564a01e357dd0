// Where the extension is: in public or, when README_SCHEMA is "own", in a schema of its own, as the README shows it.

import assert from 'node:assert/strict';
import { codeBlocks, codeIn, documents } from './readme.js';

export const inOwnSchema = process.env.README_SCHEMA === 'own';

const CREATE_EXTENSION = 'CREATE EXTENSION socketio_emitter';
const HEADING = 'In a schema of its own';

const blocks = codeBlocks.filter(({ mark }) => mark === 'in a schema of its own').map(({ text }) => text);
assert.equal(blocks.length, 3, 'blocks marked as of a schema of its own');

// The SQL that creates the extension there, that says what roles and callers do, and that puts the schema on the path.
export const [creation, use, path] = blocks;

// The SQL that creates the extension, in this run.
export const installation = inOwnSchema ? creation : CREATE_EXTENSION;

// A block of SQL as this run has it.
export function asInstalled(text) {
  return inOwnSchema && text.trim() === `${CREATE_EXTENSION};` ? creation : text;
}

export function pathOf(database) {
  return path.replace('shop', database);
}

// A program whose server finds the attachments where they are, though its role has no path to them.
export function withTable(program) {
  const [option] = documents[0].paragraphs.flatMap(codeIn).filter((code) => code.startsWith('tableName: '));
  assert.ok(option, `README.md does not say under "${HEADING}" what the tableName is`);
  const insert = (code) => code.replace('errorHandler:', `${option}, errorHandler:`);
  const changed = program.beside.map(({ file, code }) => ({ file, code: insert(code) }));
  assert.notDeepEqual(changed, program.beside, `there is no createAdapter() in what ${program.file} imports`);
  return { ...program, beside: changed };
}
