/**
 * The built module against the reference implementation's numbers: every golden, on the CPU and on WebGPU.
 * The packs in dist-test/packs/ are made from the goldens' weights by the build.
 */
// Takes long.

import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { DIST, launch, openPage, ROOT, serve } from '../support/browser.mjs';

const TOLERANCE = 1e-4;
const GOLDENS = resolve(ROOT, 'tests/goldens');
const names = readdirSync(GOLDENS).filter((name) => existsSync(resolve(GOLDENS, name, 'golden.safetensors')));

/** @type {Awaited<ReturnType<typeof serve>>} */
let server;
/** @type {import('playwright-core').Browser} */
let browser;
/** @type {import('playwright-core').Page} */
let page;

before(async () => {
  server = await serve({ directories: [DIST, ROOT] });
  browser = await launch();
  ({ page } = await openPage(browser, `${server.address}tests/browser/engine/engine.html`));
  await page.evaluate(() => {
    globalThis.engine = new Worker('/tests/browser/engine/engine-worker.js', { type: 'module' });
  });
});

after(async () => {
  await browser?.close();
  await server?.close();
});

test('there are goldens of both families', () => {
  assert.ok(names.some((name) => name.startsWith('kl')) && names.some((name) => /tiny|taes/.test(name)), names.join());
});

for (const device of /** @type {const} */ (['cpu', 'gpu'])) {
  for (const golden of names) {
    test(`${golden} on ${device}`, { timeout: 300_000 }, async () => {
      const { kind, ...errors } = await page.evaluate(
        (message) =>
          new Promise((resolve, reject) => {
            engine.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data.measured));
            engine.onerror = (event) => reject(new Error(event.message || 'the worker could not be loaded'));
            engine.postMessage(message);
          }),
        { golden, device },
      );
      const line = Object.entries(errors).map(([name, value]) => `${name} ${value.toExponential(1)}`);
      console.log(`${golden} on ${kind}: ${line.join(', ')}`);
      assert.equal(kind, device === 'gpu' ? 'webgpu' : 'cpu');
      for (const [name, value] of Object.entries(errors)) assert.ok(value <= TOLERANCE, `${name}: ${value}`);
    });
  }
}
