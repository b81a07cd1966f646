/** What some models say of an image stays when another cannot answer. With the module, on the CPU. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { launch, openPage, withoutIntegrity } from '../support/browser.mjs';
import { everythingBelongs } from '../support/calibrations.mjs';
import { busyPng } from '../support/image-files.mjs';
import { LARGE_MINIMUM_MODEL, largeMinimumModel } from '../support/large-minimum-model.mjs';
import { check, serveTiny, TINY } from '../support/tiny-model-page.mjs';

/** Large enough for one grid, and not for the other. */
/** Too small for the orientation control, by which not everything belongs. */
const BETWEEN = busyPng(56);

/** @type {Awaited<ReturnType<typeof serveTiny>>} */
let server;
/** @type {import('playwright-core').Browser} */
let browser;

before(async () => {
  server = await serveTiny();
  browser = await launch({ webgpu: false });
});

after(async () => {
  await browser?.close();
  await server?.close();
});

/**
 * A page with models: two tiny ones whose latents span 8 pixels, one whose latents span 32.
 * @param {string[]} ids @param {{worker?: string}} [options] `worker`: a script that runs first in it.
 */
async function open(ids, { worker = '' } = {}) {
  const opened = await openPage(browser, 'about:blank');
  const { context, page } = opened;
  await withoutIntegrity(context);
  const { manifest, shard } = largeMinimumModel();
  const models = ids.map((id) => ({ id, name: id, manifest: `../packs/${id}/manifest.json` }));
  await context.route('**/weights/index.json', (route) => route.fulfill({ json: { format_version: 1, models } }));
  await context.route(`**/packs/${LARGE_MINIMUM_MODEL}/*`, (route) => {
    const [file] = route.request().url().split('/').slice(-1);
    if (file === 'manifest.json') return route.fulfill({ json: manifest });
    return file === 'calibration.json' ? route.fulfill({ status: 404 }) : route.fulfill({ body: shard });
  });
  await context.route(`**/packs/${TINY}/calibration.json`, (route) => route.fulfill({ json: everythingBelongs(TINY) }));
  if (worker) {
    await context.route('**/www/engine/worker.js', async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: `${worker}\n${await response.text()}` });
    });
  }
  await page.goto(server.address);
  return opened;
}

/** A script that does something else where a model is to check. @param {string} id @param {string} instead */
const atModel = (id, instead) => `import { Checker } from '../pkg/aedr.js';
  const plainly = Checker.prototype.check;
  Checker.prototype.check = function (image, id, ...options) {
    if (id !== ${JSON.stringify(id)}) return plainly.call(this, image, id, ...options);
    ${instead}
  };`;

/** @param {import('playwright-core').Page} page @returns {Promise<string[]>} Codes or outcomes, with names. */
const lines = (page) =>
  page
    .locator('#outcome .lines > li')
    .evaluateAll((items) =>
      items.map((item) => `${item.querySelector('strong')?.textContent}: ${item.dataset.code ?? item.dataset.outcome}`),
    );

test('an image too small for one model is checked by the others', { timeout: 120_000 }, async () => {
  const { context, page } = await open([TINY, LARGE_MINIMUM_MODEL]);
  try {
    const { outcome, text } = await check(page, 'between.png', BETWEEN);
    assert.equal(outcome, 'matches', text);
    assert.deepEqual((await lines(page)).sort(), [`${LARGE_MINIMUM_MODEL}: image_too_small`, `${TINY}: matches`]);
    const download = page.waitForEvent('download');
    await page.locator('.ways button').first().click();
    const { failures } = JSON.parse(await readFile(await (await download).path(), 'utf8'));
    assert.deepEqual(failures.map(({ model, code }) => [model, code]), [[LARGE_MINIMUM_MODEL, 'image_too_small']]);
    // For neither it is the image that is too small; the smaller of the two sizes is told.
    const { code, text: told } = await check(page, 'tiny.png', busyPng(16)).then(async () => {
      const notice = page.locator('#notice[data-code]');
      await notice.waitFor();
      return { code: await notice.getAttribute('data-code'), text: await notice.innerText() };
    });
    assert.equal(code, 'image_too_small');
    assert.match(told, /32 × 32/);
  } finally {
    await context.close();
  }
});

test('a module that stops at one model leaves what was answered, and the next is asked in another worker', {
  timeout: 120_000,
}, async () => {
  const worker = atModel('tiny_taef1', `
    setTimeout(() => { throw new WebAssembly.RuntimeError('unreachable'); });
    return new Promise(() => {});`);
  const { context, page } = await open([TINY, 'tiny_taef1', 'kl_quant'], { worker });
  try {
    const closed = [];
    page.on('worker', (made) => /www\/engine\/worker\.js$/.test(made.url()) && made.on('close', () => closed.push(made)));
    const { outcome, text } = await check(page, 'between.png', BETWEEN);
    assert.equal(outcome, 'matches', text);
    const found = await lines(page);
    assert.ok(found.includes(`${TINY}: matches`), found.join());
    assert.ok(found.includes('tiny_taef1: engine_stopped'), found.join());
    assert.ok(found.some((line) => /^kl_quant: (cannot_tell|matches|does_not_match)$/.test(line)), found.join());
    assert.equal(closed.length, 1);
  } finally {
    await context.close();
  }
});

test('a device that fails for one model is replaced before the next image', { timeout: 120_000 }, async () => {
  const worker = atModel('tiny_taef1', `throw Object.assign(new Error('a test'), { code: 'device_failed', details: {} });`);
  const { context, page } = await open([TINY, 'tiny_taef1', 'kl_quant'], { worker });
  try {
    const workers = /** @type {string[]} */ ([]);
    const isChecking = (/** @type {import('playwright-core').Worker} */ made) => /www\/engine\/worker\.js$/.test(made.url());
    page.on('worker', (made) => {
      if (!isChecking(made)) return;
      workers.push('started');
      made.on('close', () => workers.push('ended'));
    });
    assert.equal((await check(page, 'between.png', BETWEEN)).outcome, 'matches');
    const found = await lines(page);
    assert.ok(found.includes('tiny_taef1: device_failed'), found.join());
    assert.ok(found.some((line) => /^kl_quant: (cannot_tell|matches|does_not_match)$/.test(line)), found.join());
    assert.equal((await check(page, 'next.png', BETWEEN)).outcome, 'matches');
    assert.deepEqual(workers.slice(0, 3), ['started', 'ended', 'started']);
  } finally {
    await context.close();
  }
});
