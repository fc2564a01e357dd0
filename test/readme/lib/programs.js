// The programs of the README: blocks of JavaScript, each with the paragraph that names its file and its packages. What a
// program imports from its own directory is a block of the README's, too.

import assert from 'node:assert/strict';
import { codeBlocks, codeIn } from './readme.js';

// `beside` are the files it imports, as { file, code }; `packages` are theirs as well.
export function readProgram({ text, heading, intro }) {
  const named = codeIn(intro);
  const installed = named.filter((code) => code.startsWith('npm install '));
  const imported = importedBy(text).map(programNamed);
  return {
    heading,
    code: text,
    file: named.find(isFile),
    packages: [...new Set([...installed.flatMap((command) => command.split(/\s+/).slice(2)),
      ...imported.flatMap(({ packages }) => packages)])],
    beside: imported.flatMap(({ file, code, beside }) => [{ file, code }, ...beside]),
  };
}

export const programs = codeBlocks.filter(({ language, mark }) => language === 'js' && !mark).map(readProgram);

export function program(file) {
  const found = programs.find((candidate) => candidate.file === file);
  assert.ok(found, `README.md has no JavaScript block for ${file}`);
  return found;
}

function programNamed(file) {
  const block = codeBlocks.find(({ language, mark, intro }) =>
    language === 'js' && !mark && codeIn(intro).find(isFile) === file);
  assert.ok(block, `README.md has no JavaScript block for ${file}, which another imports`);
  return readProgram(block);
}

function importedBy(code) {
  return [...code.matchAll(/^import .* from "\.\/([^"]+)";$/gm)].map(([, file]) => file);
}

function isFile(code) {
  return /^[\w-]+\.m?js$/.test(code);
}
