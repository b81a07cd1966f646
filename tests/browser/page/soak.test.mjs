/** Many checks one after another leave nothing behind. `tests/bench/soak.mjs` is the long form. */
// Takes long.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { answerAlways, answerOf } from '../support/answers.mjs';
import { launch, openPage } from '../support/browser.mjs';
import { busyPng } from '../support/image-files.mjs';
import { english } from '../support/messages.mjs';
import { openSoak, slope, soak } from '../support/soak-run.mjs';
import { serveTiny } from '../support/tiny-model-page.mjs';

/** Growth that is none, in bytes a check: code is compiled for long, and the browser keeps lists of its own. */
const NOTHING = 2048;
const CHECKS = 100;
const QUEUE = 100;

/** @type {import('playwright-core').Browser} */
let browser;

before(async () => {
  browser = await launch();
});

after(() => browser?.close());

test(`memory does not grow over ${CHECKS} checks`, { timeout: 300_000 }, async (t) => {
  const opened = await openSoak(browser);
  t.after(() => opened.close());
  const samples = await soak(opened, { count: CHECKS, every: CHECKS / 5, device: 'cpu' });
  const settled = samples.slice(1);
  for (const what of /** @type {const} */ (['page', 'worker'])) {
    const growth = slope(settled, what);
    assert.ok(growth < NOTHING, `${what}: ${growth.toFixed(0)} bytes a check`);
  }
  for (const what of /** @type {const} */ (['module', 'nodes', 'addresses'])) {
    const found = settled.map((sample) => sample[what]);
    assert.deepEqual(new Set(found).size, 1, `${what}: ${found}`);
  }
  assert.deepEqual(opened.complaints, []);
});

test('a worker that keeps a little of every check is found out', { timeout: 300_000 }, async (t) => {
  const leak = `const kept = [];
    addEventListener('message', ({ data }) => data.params && kept.push(new Uint8Array(2 ** 14)));`;
  const opened = await openSoak(browser, { leak });
  t.after(() => opened.close());
  const samples = await soak(opened, { count: 40, every: 10, device: 'cpu' });
  assert.ok(slope(samples.slice(1), 'worker') > 4 * NOTHING);
});

test(`${QUEUE} images that are removed from the table leave nothing`, { timeout: 300_000 }, async () => {
  const server = await serveTiny();
  const { page, context } = await openPage(browser, 'about:blank');
  await answerAlways(context, answerOf('matches'));
  await page.goto(server.address);
  const session = await context.newCDPSession(page);
  const heaps = [];
  // The first time code is compiled.
  for (let round = 0; round < 3; round++) {
    await dropMany(page, busyPng(64), QUEUE);
    await page.getByText(english.table.summary(QUEUE, [english.table.count('matches', QUEUE)])).waitFor({ timeout: 120_000 });
    await page.getByRole('button', { name: english.table.removeAll }).click();
    await page.getByRole('button', { name: english.table.removeSure(QUEUE) }).click();
    await page.locator('#table').waitFor({ state: 'hidden' });
    for (let i = 0; i < 2; i++) await session.send('HeapProfiler.collectGarbage');
    heaps.push((await session.send('Runtime.getHeapUsage')).usedSize);
  }
  const growth = (heaps[2] - heaps[1]) / QUEUE;
  assert.ok(growth < NOTHING, `${growth.toFixed(0)} bytes an image`);
  await context.close();
  await server.close();
});

/** @param {import('playwright-core').Page} page @param {Buffer} bytes @param {number} count */
async function dropMany(page, bytes, count) {
  await page.evaluate(
    ({ base64, count }) => {
      const image = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      const data = new DataTransfer();
      for (let i = 0; i < count; i++) data.items.add(new File([image], `image-${i}.png`, { type: 'image/png' }));
      document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
    },
    { base64: bytes.toString('base64'), count },
  );
}
