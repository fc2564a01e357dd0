// What the README and the documents of docs/ point to within themselves and the repository is there. Other sites are not
// visited.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { documents, repository } from './lib/readme.js';

describe('links', () => {
  for (const { file, links, codeSpans } of documents) {
    test(`there are links in ${file}`, () => {
      assert.notEqual(links.length, 0);
    });

    for (const link of new Set(links)) {
      test(`${file}: ${link}`, () => {
        if (/^[a-z]+:/.test(link)) assert.ok(URL.canParse(link));
        else checkOwnLink(file, link);
      });
    }

    for (const code of new Set(codeSpans.filter(isPath))) {
      test(`${file}: ${code}`, () => {
        assert.ok(isInRepository(code), `there is no file ${code}`);
      });
    }
  }
});

// A link to a file, seen from the document it is in, to a heading, or to a heading of another document.
function checkOwnLink(from, link) {
  const [address, anchor] = link.split('#');
  const file = address ? path.posix.join(path.posix.dirname(from), decodeURI(address)) : from;
  assert.ok(isInRepository(file), `there is no file ${file}`);
  if (anchor === undefined) return;
  const document = documents.find((candidate) => candidate.file === file);
  assert.ok(document?.anchors.has(anchor), `no heading of ${file} has the anchor #${anchor}`);
}

// A path such as `src/backend/publish.h`: it starts in a directory of the repository's.
function isPath(code) {
  return /^[\w.-]+(\/[\w.-]+)+\/?$/.test(code) && isInRepository(code.split('/')[0]);
}

function isInRepository(file) {
  const full = path.resolve(repository, file);
  return full.startsWith(repository) && existsSync(full);
}
