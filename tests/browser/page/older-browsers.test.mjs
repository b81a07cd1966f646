/** The page in a browser without what came lately: what Chromium has besides is taken away first. */

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
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
  withCatalog,
} from '../support/browser.mjs';
import { imageSite } from '../support/image-site.mjs';
import { modelSite } from '../support/model-site.mjs';

/** In the page and in its workers. */
const OLDER = `
for (const [owner, names] of [
  [globalThis, ['requestIdleCallback', 'VideoFrame', 'scheduler', 'Iterator']],
  [URL, ['parse', 'canParse']],
  [AbortSignal, ['any']],
  [Promise, ['withResolvers', 'try']],
  [Array, ['fromAsync']],
  [Object, ['groupBy']],
  [Map, ['groupBy']],
  [Set.prototype, ['union', 'intersection', 'difference', 'symmetricDifference', 'isSubsetOf', 'isSupersetOf', 'isDisjointFrom']],
  [Uint8Array, ['fromBase64', 'fromHex']],
  [Uint8Array.prototype, ['toBase64', 'toHex', 'setFromBase64', 'setFromHex']],
  [Response.prototype, ['bytes']],
  [Blob.prototype, ['bytes']],
  [globalThis.FileSystemFileHandle?.prototype, ['createWritable']],
]) {
  for (const name of names) if (owner) delete owner[name];
}
`;
const WORKERS = ['engine/worker.js', 'models/import-worker.js', 'intake/link-worker.js'];

/** @type {Awaited<ReturnType<typeof serve>>} */
let server;
/** @type {Awaited<ReturnType<typeof modelSite>>} */
let models;
/** @type {Awaited<ReturnType<typeof imageSite>>} */
let images;
/** @type {import('playwright-core').Browser} */
let browser;
let folder = '';

before(async () => {
  folder = await mkdtemp(resolve(tmpdir(), 'aedr-'));
  for (const worker of WORKERS) {
    const script = await readFile(resolve(DIST, 'www', worker), 'utf8');
    await mkdir(resolve(folder, 'www', worker, '..'), { recursive: true });
    await writeFile(resolve(folder, 'www', worker), `import '../older.js';\n${script}`);
  }
  await writeFile(resolve(folder, 'www/older.js'), OLDER);
  const tiny = await readFile(resolve(ROOT, 'tests/goldens/tiny_taesd/model.safetensors'));
  models = await modelSite({ 'tiny.safetensors': tiny });
  const { file } = (await sampleList()).find((/** @type {any} */ { decoded }) => decoded);
  images = await imageSite(await sampleBytes(file));
  server = await serve({ directories: [folder, DIST], importFrom: models.origin, linksFrom: images.origin });
  browser = await launch({ webgpu: false });
});

after(async () => {
  await browser?.close();
  for (const each of [server, models, images]) await each?.close();
  if (folder) await rm(folder, { recursive: true });
});

/** @param {string} name @param {(page: import('playwright-core').Page) => Promise<void>} body */
function olderTest(name, body) {
  test(name, { timeout: 300_000 }, async () => {
    const { context, page, complaints } = await openPage(browser, 'about:blank');
    await context.addInitScript(OLDER);
    await withCatalog(context, []);
    await page.goto(server.address);
    assert.deepEqual(await page.evaluate(() => ['parse' in URL, 'any' in AbortSignal]), [false, false]);
    await body(page);
    assert.deepEqual(complaints, []);
    await context.close();
  });
}

olderTest('an image is fetched by its link and checked', async (page) => {
  await page.locator('#link-address').waitFor();
  await page.locator('#link-address').fill(`${images.origin}/open/a.png`);
  await page.locator('#link-fetch').click();
  assert.equal(await page.locator('#link-problem').innerText(), '');
  const { outcome, text } = await settled(page);
  assert.equal(outcome, 'matches', text);
});

olderTest('a model is added from its address, and its calibration kept', async (page) => {
  const dialog = await openModels(page);
  await dialog.getByLabel('Or from any address').fill(`${models.origin}/open/tiny.safetensors`);
  await dialog.getByRole('button', { name: 'Add', exact: true }).click();
  const item = page.locator('#models-here > li[data-key]:not([data-key=""])').filter({ hasNotText: 'Not finished' });
  await item.or(page.locator('#import-problem[data-code]')).first().waitFor({ timeout: 60_000 });
  assert.equal(await page.locator('#import-problem').innerText(), '');
  const key = await item.getAttribute('data-key');
  const kept = await page.evaluate(async (key) => {
    const { addedModels } = await import(/** @type {any} */ ('./www/models/storage.js'));
    const { saveCalibration } = await import(/** @type {any} */ ('./www/models/save-calibration.js'));
    await saveCalibration(key, '{"first": true}');
    await saveCalibration(key, '{"a": 1}');
    return (await addedModels())[0].files['calibration.json'].text();
  }, key);
  assert.equal(kept, '{"a": 1}');
});
