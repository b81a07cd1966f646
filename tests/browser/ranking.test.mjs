/** Several models: each has its line, those that cannot be told apart share one, one that fails stops no other. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { DIST, launch, openPage, ROOT, sampleList, serve, settled, withoutIntegrity } from './browser.mjs';
import { everythingBelongs } from './calibrations.mjs';

/** @type {Awaited<ReturnType<typeof serve>>} */
let server;
/** @type {import('playwright-core').Browser} */
let browser;
/** @type {import('../../www/samples.js').Sample[]} */
let samples;

before(async () => {
  server = await serve({ directories: [DIST, resolve(ROOT, 'dist-test')] });
  browser = await launch();
  samples = await sampleList();
});

after(async () => {
  await browser?.close();
  await server?.close();
});

/**
 * The page of a site that hosts four models: one without calibration, one that is not there, the default, and one
 * whose calibration says that everything belongs.
 * @param {Record<string, any>} [changes] To the manifest of the last.
 */
async function openSite(changes = {}) {
  const opened = await openPage(browser, 'about:blank');
  await withoutIntegrity(opened.context);
  const index = JSON.parse(await readFile(resolve(DIST, 'weights/index.json'), 'utf8'));
  const pack = (/** @type {string} */ id) => ({ id, name: `Pack ${id}`, manifest: `../packs/${id}/manifest.json` });
  index.models.unshift(pack('kl_quant'), pack('absent'));
  index.models.push(pack('tiny_taesd'));
  const packs = resolve(ROOT, 'dist-test/packs/tiny_taesd');
  const manifest = JSON.parse(await readFile(resolve(packs, 'manifest.json'), 'utf8'));
  const calibration = everythingBelongs('tiny_taesd');
  await opened.context.route('**/weights/index.json', (route) => route.fulfill({ json: index }));
  await opened.context.route('**/tiny_taesd/manifest.json', (route) =>
    route.fulfill({ json: { ...manifest, serves: ['Painter One', 'Painter Two'], ...changes } }),
  );
  await opened.context.route('**/tiny_taesd/calibration.json', (route) => route.fulfill({ json: calibration }));
  await opened.page.goto(`${server.address}index.html`);
  return opened;
}

/** @param {import('playwright-core').Page} page @param {boolean} decoded */
async function checkSample(page, decoded) {
  await page.getByRole('button', { name: samples.find((sample) => sample.decoded === decoded)?.title }).click();
  const { outcome, text } = await settled(page);
  const lines = await page.locator('#outcome .lines > li').allInnerTexts();
  return { outcome, text, lines };
}

test('every model has a line, the likeliest first', { timeout: 600_000 }, async () => {
  const { page, context } = await openSite();
  const numbers = new Set();
  await page.exposeFunction('told', (/** @type {string} */ text) => numbers.add(text));
  await page.evaluate(() => {
    const node = document.querySelector('#model-text');
    new MutationObserver(() => globalThis.told(node.textContent)).observe(node, { childList: true });
  });
  const { outcome, text, lines } = await checkSample(page, false);
  assert.equal(outcome, 'matches', text);
  assert.equal(lines.length, 4, lines.join('\n'));
  assert.match(lines[0], /tiny_taesd[\s\S]+consistent[\s\S]+Used by Painter One and Painter Two/);
  assert.match(lines[1], /demonstration model[\s\S]+not consistent/);
  assert.match(lines[2], /kl_quant[\s\S]+numbers only/);
  assert.match(lines[3], /Pack absent[\s\S]+not asked[\s\S]+404/);
  assert.match(text, /consistent with the model “tiny_taesd”/);
  assert.equal(await page.locator('.numbers details').count(), 3);
  // The cheapest first, and the one that is missing was not counted.
  const told = [...numbers].filter(Boolean);
  assert.deepEqual(told, [
    'Model 1 of 3: kl_quant',
    'Model 2 of 3: tiny_taesd',
    'Model 3 of 3: aedr’s demonstration model',
  ]);
  await context.close();
});

test('models that cannot be told apart are named together', { timeout: 600_000 }, async () => {
  const { page, context } = await openSite({ shares: ['aedr-small'] });
  const { outcome, text, lines } = await checkSample(page, true);
  assert.equal(outcome, 'matches', text);
  assert.equal(lines.length, 3, lines.join('\n'));
  assert.match(lines[0], /tiny_taesd · aedr’s demonstration model|aedr’s demonstration model · tiny_taesd/);
  assert.match(lines[0], /cannot tell which/);
  assert.match(text, /“tiny_taesd” or “aedr’s demonstration model”|“aedr’s demonstration model” or “tiny_taesd”/);
  await context.close();
});
