/**
 * What the page does in browsers that lack what others have. Each is taken away in Chromium, before the script that wants
 * it is run.
 */

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import {
  DIST,
  launch,
  openModels,
  openPage,
  ROOT,
  sampleBytes,
  sampleList,
  serve,
  settled,
} from '../support/browser.mjs';
import { imageSite } from '../support/image-site.mjs';
import { modelSite } from '../support/model-site.mjs';

/** Not this machine's own name: pages there are not trustworthy, and lack what only encrypted pages have. */
const ELSEWHERE = 'site.test';

/** @type {import('playwright-core').Browser} */
let browser;
/** @type {import('../../../www/intake/samples.js').Sample} */
let decoded;

before(async () => {
  browser = await launch({ webgpu: false, more: [`--host-resolver-rules=MAP ${ELSEWHERE} 127.0.0.1`] });
  decoded = (await sampleList()).find((sample) => sample.decoded);
});

after(() => browser?.close());

/**
 * The page's address, of a server whose copy of a script begins with this.
 * @param {import('node:test').TestContext} context @param {string} path @param {string} script
 * @param {{importFrom?: string}} [options]
 */
async function addressWithout(context, path, script, options) {
  const folder = await mkdtemp(resolve(tmpdir(), 'aedr-'));
  await mkdir(dirname(resolve(folder, path)), { recursive: true });
  await writeFile(resolve(folder, path), `${script}\n${await readFile(resolve(DIST, path), 'utf8')}`);
  const server = await serve({ directories: [folder, DIST], ...options });
  context.after(async () => {
    await server.close();
    await rm(folder, { recursive: true });
  });
  return server.address;
}

test('an isolated page without SharedArrayBuffer checks on one thread', { timeout: 120_000 }, async (context) => {
  const address = await addressWithout(context, 'www/engine/worker.js', 'delete globalThis.SharedArrayBuffer;');
  const { page, complaints, context: opened } = await openPage(browser, address);
  assert.equal(await page.evaluate(() => crossOriginIsolated), true);
  await page.getByRole('button', { name: decoded.title }).click();
  const { outcome, text } = await settled(page);
  assert.equal(outcome, 'matches', text);
  assert.equal(await page.locator('.device').getAttribute('data-threads'), '1');
  assert.deepEqual(complaints, []);
  await opened.close();
});

test('an image is fetched by its link, and given up, without AbortSignal.any', { timeout: 120_000 }, async (context) => {
  const site = await imageSite(await sampleBytes(decoded.file));
  context.after(site.close);
  const address = await addressWithout(context, 'www/intake/link-worker.js', 'delete AbortSignal.any;');
  const { page, context: opened } = await openPage(browser, address);
  const fetchLink = async (/** @type {string} */ link) => {
    if (!(await page.locator('#link').getAttribute('open'))) await page.locator('#link').evaluate((link) => (link.open = true));
    await page.locator('#link-address').fill(link);
    await page.locator('#link-address').press('Enter');
  };
  await fetchLink(`${site.origin}/stall/a.png`);
  await page.waitForFunction(() => document.body.dataset.phase === 'working');
  await page.locator('#cancel').click();
  assert.equal((await settled(page)).code, 'cancelled');
  await fetchLink(`${site.origin}/open/a.png`);
  await page.locator('#outcome[data-outcome=matches]').waitFor({ timeout: 60_000 });
  await opened.close();
});

test('a model is added without AbortSignal.any', { timeout: 120_000 }, async (context) => {
  const site = await modelSite({ 'tiny.safetensors': await readFile(resolve(ROOT, 'tests/goldens/tiny_taesd/model.safetensors')) });
  context.after(site.close);
  const options = { importFrom: site.origin };
  const address = await addressWithout(context, 'www/models/import-worker.js', 'delete AbortSignal.any;', options);
  const { page, context: opened } = await openPage(browser, address);
  await openModels(page);
  await page.locator('#model-address').fill(`${site.origin}/plain/tiny.safetensors`);
  await page.locator('#model-address').press('Enter');
  await page.locator('#models-here > li[data-state=kept]').waitFor({ timeout: 60_000 });
  await opened.close();
});

test('a page that is not encrypted adds a file of the device for the visit', { timeout: 120_000 }, async (context) => {
  const server = await serve({ directories: [DIST] });
  context.after(server.close);
  const { page, context: opened } = await openPage(browser, server.address.replace('127.0.0.1', ELSEWHERE));
  assert.equal(await page.evaluate(() => globalThis.crypto.subtle), undefined);
  await openModels(page);
  const choosing = page.waitForEvent('filechooser');
  await page.locator('.from-file button').click();
  await (await choosing).setFiles(resolve(ROOT, 'tests/goldens/tiny_taesd/model.safetensors'));
  await page.locator('#models-here > li[data-state=visit]').waitFor({ timeout: 60_000 });
  await opened.close();
});
