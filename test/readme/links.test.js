// What the README points to within itself and the repository is there. Other sites are not visited.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { anchors, codeSpans, links, repository } from './lib/readme.js';

describe('links', () => {
  test('there are links', () => {
    assert.notEqual(links.length, 0);
  });

  for (const link of new Set(links)) {
    test(link, () => {
      if (/^[a-z]+:/.test(link)) assert.ok(URL.canParse(link));
      else if (link.startsWith('#')) assert.ok(anchors.has(link.slice(1)), `no heading has the anchor ${link}`);
      else assert.ok(isInRepository(link.replace(/#.*/, '')), `there is no file ${link}`);
    });
  }

  for (const file of new Set(codeSpans.filter(isPath))) {
    test(file, () => {
      assert.ok(isInRepository(file), `there is no file ${file}`);
    });
  }
});

// A path such as `src/backend/publish.h`: it starts in a directory of the repository's.
function isPath(code) {
  return /^[\w.-]+(\/[\w.-]+)+\/?$/.test(code) && isInRepository(code.split('/')[0]);
}

function isInRepository(file) {
  const full = path.resolve(repository, decodeURI(file));
  return full.startsWith(repository) && existsSync(full);
}
