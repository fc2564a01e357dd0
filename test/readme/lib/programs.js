// The programs of the README: blocks of JavaScript, each with the paragraph that names its file and its packages.

import { codeIn } from './readme.js';

export function readProgram({ text, heading, intro }) {
  const named = codeIn(intro);
  const installed = named.filter((code) => code.startsWith('npm install '));
  return {
    heading,
    code: text,
    file: named.find((code) => /^[\w-]+\.m?js$/.test(code)),
    packages: installed.flatMap((command) => command.split(/\s+/).slice(2)),
  };
}
