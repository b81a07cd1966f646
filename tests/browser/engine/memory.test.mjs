/** What the largest image takes of the module's own memory, and that the GPU's and the timeline's are given back. */
// Takes long.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { DIST, launch, openPage, ROOT, serve } from '../support/browser.mjs';
import { busyPng } from '../support/image-files.mjs';

const SIDE = 4096;
const MEGABYTE = 1_000_000;

/** @type {Awaited<ReturnType<typeof serve>>} */
let server;
/** @type {import('playwright-core').Browser} */
let browser;

before(async () => {
  server = await serve({ directories: [DIST, ROOT] });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await server?.close();
});

test('an image of 4096² pixels takes less than 200 MB of the module, and a cancelled check gives the GPU back', {
  timeout: 300_000,
}, async () => {
  const image = busyPng(SIDE);
  const { page, context } = await openPage(browser, `${server.address}tests/browser/engine/engine.html`);
  await page.route('**/image.png', (route) => route.fulfill({ body: image, contentType: 'image/png' }));
  const measured = await page.evaluate(async () => {
    const bytes = new Uint8Array(await (await fetch('/image.png')).arrayBuffer());
    const worker = new Worker('/tests/browser/engine/memory-worker.js', { type: 'module' });
    return new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data.measured));
      worker.onerror = (event) => reject(new Error(event.message || 'the worker could not be loaded'));
      worker.postMessage({ image: bytes, device: 'gpu' });
    });
  });
  console.log(
    `${SIDE}²: ${(measured.heap / MEGABYTE).toFixed(0)} MB of the module, ${(measured.gpuPeak / MEGABYTE).toFixed(0)} MB of the GPU, ` +
      `${(measured.gpuAfter / MEGABYTE).toFixed(0)} MB of it afterwards`,
  );
  assert.equal(measured.ended, 'cancelled');
  assert.deepEqual(measured.stages, ['encode_first']);
  assert.deepEqual(measured.timeline, ['measure aedr:encode_first'], 'a profiler sees the stages, and none twice');
  assert.ok(measured.heap < 200 * MEGABYTE);
  assert.ok(measured.gpuPeak >= 16 * SIDE ** 2, 'the image was uploaded');
  assert.ok(measured.gpuAfter < 64 * MEGABYTE);
  await context.close();
});
