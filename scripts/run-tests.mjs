#!/usr/bin/env node
/**
 * Runs test files of Node, several at a time: `run-tests.mjs [--skipped FILE] FILE…`. Prints what `node --test` prints,
 * then how long each file took, and writes the tests that were skipped into a file, a line each.
 *
 * Long ones are begun first, because begun last they would be waited for alone: files with a line `// Takes long.`, then
 * by their size. Files with a line `// Runs alone` run one at a time when all others have ended: they measure time.
 *
 * AEDR_TESTS_AT_ONCE says how many run at a time: by default half of the processors and at least two, because a browser
 * keeps more than one processor busy.
 */

import { createWriteStream, readFileSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, resolve } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({ options: { skipped: { type: 'string' } }, allowPositionals: true });
const concurrency = Number(process.env.AEDR_TESTS_AT_ONCE) || Math.max(2, Math.floor(availableParallelism() / 2));

/** @param {string} file */
const nameOf = (file) => basename(file).replace('.test.mjs', '');
/** @param {string} file @param {RegExp} line */
const has = (file, line) => line.test(readFileSync(file, 'utf8'));
/** @param {string} file */
const length = (file) => (has(file, /^\/\/ Takes long\b/m) ? Infinity : statSync(file).size);

const files = positionals.map((file) => ({ file: resolve(file), length: length(file), alone: has(file, /^\/\/ Runs alone\b/m) }));
files.sort((a, b) => (a.length === b.length ? 0 : b.length - a.length));
const alone = files.filter((file) => file.alone).map(({ file }) => file);
const together = files.filter((file) => !file.alone).map(({ file }) => file);

/** @type {string[]} */
const skipped = [];
/** What each file's tests took together, in milliseconds. @type {Map<string, number>} */
const took = new Map();
let failed = false;
for (const [chosen, atOnce] of /** @type {const} */ ([[together, concurrency], [alone, 1]])) {
  if (chosen.length > 0) await runSome(chosen, atOnce);
}
console.log('seconds of each file:');
for (const [name, ms] of [...took].sort((a, b) => b[1] - a[1])) console.log(`  ${(ms / 1000).toFixed(0).padStart(4)} ${name}`);
if (values.skipped) writeFileSync(values.skipped, skipped.map((line) => `${line}\n`).join(''));
process.exitCode = failed ? 1 : 0;

/** @param {string[]} files @param {number} concurrency */
async function runSome(files, concurrency) {
  const tests = run({ files, concurrency });
  tests.on('test:fail', () => (failed = true));
  tests.on('test:pass', (test) => {
    if (test.skip !== undefined) skipped.push(`SKIPPED ${test.skip === true ? '' : test.skip}: ${test.name}`);
  });
  for (const event of /** @type {const} */ (['test:pass', 'test:fail'])) {
    tests.on(event, ({ file, nesting, details }) => {
      if (nesting === 0 && file) took.set(nameOf(file), (took.get(nameOf(file)) ?? 0) + details.duration_ms);
    });
  }
  const shown = tests.compose(spec).pipe(createWriteStream('', { fd: 1, autoClose: false }));
  await new Promise((done, broken) => shown.on('finish', done).on('error', broken));
}
