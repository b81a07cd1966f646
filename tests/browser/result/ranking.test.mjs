/** Several models: each has its line, those that cannot be told apart share one, one that fails stops no other. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { DIST, launch, openPage, ROOT, sampleList, serve, settled, withoutIntegrity } from '../support/browser.mjs';
import { nothingBelongs } from '../support/calibrations.mjs';
import { ANY, english, pattern } from '../support/messages.mjs';

/** @type {Awaited<ReturnType<typeof serve>>} */
let server;
/** @type {import('playwright-core').Browser} */
let browser;
/** @type {import('../../../www/intake/samples.js').Sample[]} */
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
 * whose calibration says that nothing belongs.
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
  const calibration = nothingBelongs('tiny_taesd');
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
  const lines = await page.locator('#outcome .lines > li').evaluateAll((items) =>
    items.map((item) => ({ .../** @type {HTMLElement} */ (item).dataset, text: /** @type {HTMLElement} */ (item).innerText })),
  );
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
  const { outcome, text, lines } = await checkSample(page, true);
  assert.equal(outcome, 'matches', text);
  assert.deepEqual(
    lines.map(({ models, outcome, code }) => [models, outcome, code]),
    [
      ['aedr-small', 'matches', undefined],
      ['tiny_taesd', 'does_not_match', undefined],
      ['kl_quant', 'cannot_tell', undefined],
      ['absent', 'error', 'weights_missing'],
    ],
  );
  const words = english.lines;
  for (const [index, said] of [
    [english.demonstration.name, words.outcomes.matches],
    ['tiny_taesd', words.outcomes.does_not_match, words.serves(['Painter One', 'Painter Two'])],
    ['kl_quant', words.outcomes.no_trace, words.signal('t', ANY, null)],
    ['Pack absent', words.outcomes.failed, '404'],
  ].entries()) {
    assert.match(lines[index].text, pattern(said.join(ANY)));
  }
  assert.ok(text.includes(english.verdicts.matches([english.demonstration.name], '')), text);
  assert.equal(await page.locator('.numbers details').count(), 3);
  // The cheapest first, and the one that is missing was not counted.
  const told = [...numbers].filter(Boolean);
  const order = ['kl_quant', 'tiny_taesd', english.demonstration.name];
  assert.deepEqual(told, order.map((name, index) => english.progress.model(index + 1, 3, name)));
  await context.close();
});

test('models that cannot be told apart are named together', { timeout: 600_000 }, async () => {
  const { page, context } = await openSite({ shares: ['aedr-small'] });
  const { outcome, text, lines } = await checkSample(page, true);
  assert.equal(outcome, 'matches', text);
  assert.equal(lines.length, 3);
  assert.deepEqual(lines[0].models?.split(' ').sort(), ['aedr-small', 'tiny_taesd']);
  // In either order.
  const either = ['tiny_taesd', english.demonstration.name];
  const orders = [either, either.toReversed()];
  assert.ok(orders.some((names) => lines[0].text.includes(english.lines.alike(names))), lines[0].text);
  assert.ok(orders.some((names) => text.includes(english.verdicts.matches(names, ''))), text);
  await context.close();
});
