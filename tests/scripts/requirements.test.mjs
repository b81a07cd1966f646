/** Tests that lack what they need are seen to be skipped, or fail where AEDR_REQUIRE says so. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { REQUIREMENTS } from '../../scripts/requirements.mjs';

const ROOT = resolve(import.meta.dirname, '../..');
const NOWHERE = '/nowhere/at-all';

/** @param {string[]} words @param {Record<string, string>} environment */
function node(words, environment) {
  // A test that runs tests: the inner ones report to this one alone.
  const { NODE_TEST_CONTEXT, AEDR_REQUIRE, ...around } = process.env;
  const made = spawnSync(process.execPath, words, { cwd: ROOT, encoding: 'utf8', env: { ...around, ...environment } });
  return { passed: made.status === 0, text: made.stdout + made.stderr };
}

for (const [name, variable] of /** @type {const} */ ([['firefox', 'FIREFOX'], ['webkit', 'WEBKIT_DRIVER']])) {
  test(`the test in a browser that is missing is skipped, or fails where it is required: ${name}`, () => {
    const words = ['--test', '--test-reporter=tap', `tests/browser/page/${name}.test.mjs`];
    for (const others of ['', 'gpu']) {
      const { passed, text } = node(words, { [variable]: NOWHERE, AEDR_REQUIRE: others });
      assert.ok(passed, text);
      assert.match(text, new RegExp(`# SKIP without ${name}: ${NOWHERE} is not there`));
    }
    const { passed, text } = node(words, { [variable]: NOWHERE, AEDR_REQUIRE: `gpu, ${name}` });
    assert.equal(passed, false, text);
    assert.match(text, new RegExp(`AEDR_REQUIRE names ${name}, .+${NOWHERE} is not there`));
  });
}

test('what is there and what is missing is told, each by its name', () => {
  const drivers = { VK_DRIVER_FILES: NOWHERE, __EGL_VENDOR_LIBRARY_FILENAMES: NOWHERE };
  const missing = { FIREFOX: NOWHERE, WEBKIT_DRIVER: NOWHERE, AEDR_REFERENCE: NOWHERE, ...drivers };
  const told = (/** @type {string} */ what, environment = missing) =>
    node(['scripts/requirements.mjs', what], environment).text;
  const lines = told('missing').trim().split('\n');
  const named = lines.map((line) => line.split(' ')[0]);
  // Drivers of graphics adapters are looked for on Linux alone.
  const gpu = process.platform === 'linux' ? ['gpu'] : [];
  assert.deepEqual(named, [...gpu, 'reference', 'firefox', 'webkit']);
  for (const name of named) assert.ok(!told('found').trim().split(',').includes(name), name);
  for (const name of ['firefox', 'webkit']) {
    for (const wanted of REQUIREMENTS[name].packages) assert.ok(told('packages').includes(wanted), wanted);
  }
  const here = { ...missing, FIREFOX: process.execPath };
  assert.ok(told('found', here).trim().split(',').includes('firefox'));
});

test('a name that nobody knows, and one that is not here, stop a run at its start', () => {
  const check = (/** @type {string} */ names) =>
    node(['scripts/requirements.mjs', 'check'], { AEDR_REQUIRE: names, FIREFOX: NOWHERE });
  assert.ok(check('').passed);
  assert.ok(check('f16').passed, 'only a test can tell');
  for (const [wrong, why] of /** @type {const} */ ([
    ['fierfox', /AEDR_REQUIRE names fierfox; known are gpu,/],
    ['firefox', /AEDR_REQUIRE names firefox: /],
  ])) {
    const { passed, text } = check(wrong);
    assert.equal(passed, false);
    assert.match(text, why);
  }
});
