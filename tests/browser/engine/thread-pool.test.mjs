/** The CPU on several threads: where workers may share memory, with the same numbers, and whatever becomes of them. */

import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { after, before, test } from 'node:test';
import { DIST, launch, openPage, ROOT, serve } from '../support/browser.mjs';

/** @type {import('playwright-core').Browser} */
let browser;

before(async () => {
  browser = await launch();
});

after(() => browser?.close());

/** @param {boolean} isolated */
async function measure(isolated) {
  const server = await serve({ directories: [DIST, ROOT], isolated });
  try {
    const { page, context } = await openPage(browser, `${server.address}tests/browser/engine/engine.html`);
    assert.equal(await page.evaluate(() => crossOriginIsolated), isolated);
    const measured = await page.evaluate(
      () =>
        new Promise((resolve, reject) => {
          const worker = new Worker('/tests/browser/engine/thread-pool-worker.js', { type: 'module' });
          worker.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data.measured));
          worker.onerror = (event) => reject(new Error(event.message || 'the worker could not be loaded'));
        }),
    );
    await context.close();
    return measured;
  } finally {
    await server.close();
  }
}

/** @param {any} found @param {any} expected */
function assertSame(found, expected) {
  for (const loss of ['first_loss', 'second_loss']) {
    const error = Math.abs(found[loss] / expected[loss] - 1);
    assert.ok(error < 1e-5, `${loss}: ${found[loss]}, not ${expected[loss]}`);
  }
}

test('an isolated page computes on all processors, with the same losses, and goes on alone if they are lost', {
  timeout: 300_000,
}, async () => {
  const { alone, together, lost, many, before, after } = await measure(true);
  assert.equal(alone.threads, 1);
  assert.equal(together.threads, Math.min(availableParallelism(), 8));
  assertSame(together, alone);
  assertSame(lost, alone);
  assert.equal(lost.threads, 1);
  // However many models came and went, helpers do as much as for the first, and hold no more than a device may.
  const [first] = many;
  assert.ok(first.tasks > 20, JSON.stringify(many));
  for (const found of many) {
    assertSame(found, alone);
    assert.equal(found.tasks, first.tasks, JSON.stringify(many));
    assert.ok(found.shared > 0 && found.shared <= 160 * 2 ** 20, JSON.stringify(many));
  }
  // What the page forgets, they forget.
  assert.ok(before > 0);
  assert.equal(after, 0);
});

test('any other page computes on one', { timeout: 120_000 }, async () => {
  const { alone, together } = await measure(false);
  assert.equal(together.threads, 1);
  assertSame(together, alone);
});
