/**
 * The module in a browser, where addresses have 32 bits and a panic ends everything: the files of the corpus, and calls
 * that make no sense. Each gives a result or an error with a code.
 */

import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { basename, dirname, relative, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { DIST, launch, openPage, ROOT, serve } from '../support/browser.mjs';

const CORPUS = resolve(ROOT, 'tests/corpus');

/** @type {Awaited<ReturnType<typeof serve>>} */
let server;
/** @type {import('playwright-core').Browser} */
let browser;
/** @type {import('playwright-core').Page} */
let page;

before(async () => {
  server = await serve({ directories: [DIST, ROOT] });
  browser = await launch({ webgpu: false });
  ({ page } = await openPage(browser, `${server.address}tests/browser/engine/engine.html`));
  await page.evaluate(() => {
    globalThis.module = new Worker('/tests/browser/engine/hostile-input-worker.js', { type: 'module' });
  });
});

after(async () => {
  await browser?.close();
  await server?.close();
});

/** @param {any} message @returns {Promise<any>} */
const ask = (message) =>
  page.evaluate(
    (message) =>
      new Promise((resolve, reject) => {
        module.onmessage = ({ data }) => resolve(data);
        module.onerror = (event) => reject(new Error(event.message || 'the worker stopped'));
        module.postMessage(message);
      }),
    message,
  );

for (const kind of ['image', 'manifest', 'import']) {
  test(`every ${kind} of the corpus is read or refused as it should be`, { timeout: 120_000 }, async () => {
    const entries = await readdir(resolve(CORPUS, kind), { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map((entry) => resolve(entry.parentPath, entry.name));
    // What is said of another file, by its name with .json.
    const cases = files.filter((file) => !files.includes(file.replace(/\.json$/, '')) || !file.endsWith('.json'));
    const wrong = [];
    for (const file of cases) {
      const expected = file.includes(`${kind}/good/`) ? '' : basename(dirname(file));
      const address = `/${relative(ROOT, file).split('/').map(encodeURIComponent).join('/')}`;
      const { code } = await ask({ kind, address });
      if (code !== expected) wrong.push(`${relative(CORPUS, file)}: ${code || 'read'}`);
    }
    assert.ok(cases.length > 0);
    assert.deepEqual(wrong, []);
  });
}

test('calls that make no sense are errors, and the module works after them', { timeout: 300_000 }, async () => {
  const { codes } = await ask({ kind: 'misuse' });
  const { works, ...counts } = codes;
  console.log(counts);
  const known = ['', 'bad_numbers', 'cancelled', 'image_too_small', 'image_truncated', 'manifest_invalid', 'not_an_image',
    'unknown_model', 'weights_corrupt', 'weights_foreign', 'weights_missing', 'weights_wrong', 'RangeError', 'internal'];
  assert.deepEqual(Object.keys(counts).filter((code) => !known.includes(code)), []);
  assert.equal(works, true);
});
