/** What the page does with files that are others than it was made with. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { answerAlways, answerOf } from '../support/answers.mjs';
import {
  DIST,
  give,
  launch,
  openModels,
  openPage,
  ROOT,
  sampleBytes,
  sampleList,
  serve,
  settled,
} from '../support/browser.mjs';
import { smallPart } from '../support/encoded-images.mjs';
import { ANY, english, pattern } from '../support/messages.mjs';
import { TINY } from '../support/tiny-model-page.mjs';

/** A name that is not this machine's own: pages there are not trustworthy, and have no `crypto.subtle`. */
const ELSEWHERE = 'site.test';
const WASM = '**/aedr_bg.wasm';
const MANIFEST = '**/aedr-small/manifest.json';
const CALIBRATION = '**/aedr-small/calibration.json';

/** @type {Awaited<ReturnType<typeof serve>>} */
let server;
/** @type {import('playwright-core').Browser} */
let browser;
/** A part of the decoded sample. */
let small = Buffer.alloc(0);

before(async () => {
  server = await serve({ directories: [DIST] });
  browser = await launch({ webgpu: false, more: [`--host-resolver-rules=MAP ${ELSEWHERE} 127.0.0.1`] });
  const decoded = (await sampleList()).find((sample) => sample.decoded);
  small = await smallPart(browser, server.address, await sampleBytes(decoded.file));
});

after(async () => {
  await browser?.close();
  await server?.close();
});

/** Changes that leave a file as good as before to whatever reads it. */
const alterations = {
  /** A section that says nothing. @param {Buffer} file */
  [WASM]: (file) => Buffer.concat([file, Buffer.from([0, 2, 1, 0x61])]),
  /** @param {Buffer} file */
  [MANIFEST]: (file) => Buffer.from(String(file).replace('demonstration model', 'other model')),
  /** Everything belongs. @param {Buffer} file */
  [CALIBRATION]: (file) => Buffer.from(String(file).replace(/"threshold": *[\d.]+/, '"threshold": 1000')),
  /** @param {Buffer} file */
  '**/weights/index.json': (file) => Buffer.from(String(file).replace('}', ' }')),
};

/**
 * Alters what the server gives.
 * @param {import('playwright-core').BrowserContext} context @param {string} files @param {{times?: number}} [options]
 */
async function alter(context, files, options) {
  const name = files.replace('**/', '');
  const folders = { [WASM]: 'www/pkg', [MANIFEST]: 'weights', [CALIBRATION]: 'weights' };
  const whole = await readFile(resolve(DIST, folders[files] ?? '', name));
  const body = alterations[files](whole);
  assert.notDeepEqual(body, whole);
  await context.route(files, (route) => route.fulfill({ headers: headersFor(name), body }), options);
}

/** As the server gives them. @param {string} name */
function headersFor(name) {
  const type = name.endsWith('.wasm') ? 'application/wasm' : 'application/json';
  return { 'Content-Type': type, 'Cross-Origin-Embedder-Policy': 'require-corp' };
}

/** The page's address by the other name. */
const elsewhere = () => server.address.replace('127.0.0.1', ELSEWHERE);

/** @param {string} [address] */
async function open(address = server.address) {
  const opened = await openPage(browser, address);
  const check = async () => {
    await give(opened.page, 'drop', 'small.png', small);
    return settled(opened.page, { timeout: 120_000 });
  };
  return { ...opened, check };
}

/** Checks the image once more, by the button. @param {import('playwright-core').Page} page */
async function again(page) {
  await page.getByRole('button', { name: english.failure.tryAgain }).click();
  await page.waitForFunction(() => document.body.dataset.phase !== 'error');
  return settled(page, { timeout: 120_000 });
}

for (const files of Object.keys(alterations)) {
  const name = files.replace('**/', '');
  test(`${name} that was changed is not used, the right one is once it is there`, { timeout: 300_000 }, async () => {
    const { context, page, check } = await open();
    await alter(context, files);
    const { code, text } = await check();
    assert.equal(code, 'integrity_failed', text);
    assert.ok(text.startsWith(english.errors.integrity_failed), text);
    assert.ok(text.includes(name.split('/').at(-1)), text);
    // What to do, besides trying again.
    assert.ok(await page.locator('#outcome .verdict + p:not(.actions)').innerText());
    await context.unroute(files);
    const { outcome, text: after } = await again(page);
    assert.equal(outcome, 'matches', after);
    await context.close();
  });
}

test('weights that were changed are not used', { timeout: 300_000 }, async () => {
  const { context, check } = await open();
  await context.route('**/*.safetensors', async (route) => {
    const response = await route.fetch();
    const body = await response.body();
    body[body.length - 1] ^= 1;
    await route.fulfill({ response, body });
  });
  const { code, text } = await check();
  assert.equal(code, 'weights_corrupt', text);
  await context.close();
});

test('what a browser kept of another version is fetched anew', { timeout: 300_000 }, async () => {
  const { context, check } = await open();
  for (const files of Object.keys(alterations)) await alter(context, files, { times: 1 });
  const { outcome, text } = await check();
  assert.equal(outcome, 'matches', text);
  await context.close();
});

test('a connection that breaks is not taken for a changed file', { timeout: 300_000 }, async () => {
  for (const address of [server.address, elsewhere()]) {
    const { context, page, check } = await open(address);
    await context.route(MANIFEST, (route) => route.abort());
    const { code, text } = await check();
    assert.equal(code, 'weights_missing', text);
    await context.unroute(MANIFEST);
    await context.route(WASM, (route) => route.fulfill({ status: 503 }));
    await page.reload();
    assert.equal((await check()).code, 'program_missing');
    await context.close();
  }
});

test('where the page cannot hash, the browser looks', { timeout: 300_000 }, async () => {
  const { context, page, check } = await open(elsewhere());
  assert.equal(await page.evaluate(() => typeof crypto.subtle), 'undefined');
  for (const files of Object.keys(alterations)) {
    await page.reload();
    await alter(context, files);
    const { code, text } = await check();
    assert.equal(code, 'integrity_failed', `${files}: ${text}`);
    await context.unroute(files);
  }
  const { outcome, text } = await again(page);
  assert.equal(outcome, 'matches', text);
  await context.close();
});

test('a model that a site adds is asked once the lists are written again', { timeout: 300_000 }, async () => {
  const folder = await mkdtemp(resolve(tmpdir(), 'aedr-site-'));
  await cp(DIST, folder, { recursive: true });
  await cp(resolve(ROOT, 'dist-test/packs', TINY), resolve(folder, 'weights', TINY), { recursive: true });
  const index = resolve(folder, 'weights/index.json');
  const list = JSON.parse(await readFile(index, 'utf8'));
  list.models.push({ id: TINY, name: TINY, manifest: `${TINY}/manifest.json` });
  await writeFile(index, JSON.stringify(list));
  const site = await serve({ directories: [folder] });
  const { context, page, check } = await open(site.address);
  try {
    const before = await check();
    assert.equal(before.code, 'integrity_failed', before.text);
    await promisify(execFile)(process.execPath, [resolve(ROOT, 'scripts/offline-list.mjs'), folder]);
    await page.reload();
    const after = await check();
    assert.equal(after.outcome, 'matches', after.text);
    assert.ok(after.text.includes(TINY), after.text);
  } finally {
    await context.close();
    await site.close();
    await rm(folder, { recursive: true });
  }
});

test('a catalogue that was changed offers nothing', async () => {
  const { context, page } = await open();
  const changed = (await readFile(resolve(DIST, 'weights/catalog.json'), 'utf8')).replace('huggingface.co', 'elsewhere.example');
  await context.route('**/weights/catalog.json', (route) => route.fulfill({ contentType: 'application/json', body: changed }));
  const models = await openModels(page);
  const problem = models.locator('#import-problem[data-code=integrity_failed]');
  await problem.filter({ hasText: 'catalog.json' }).waitFor();
  assert.equal(await models.locator('#models-known > *').count(), 0);
  await context.unroute('**/weights/catalog.json');
  await page.keyboard.press('Escape');
  await openModels(page);
  await models.locator('#models-known > *').first().waitFor();
  await context.close();
});

test('what draws the report’s picture and what reads credentials is looked at as well', { timeout: 300_000 }, async () => {
  const { context, page, check } = await open();
  await answerAlways(context, answerOf('matches'));
  for (const [files, path] of [
    ['**/renderer_bg.wasm', 'www/pkg/renderer_bg.wasm'],
    ['**/c2pa_bg.wasm', 'www/vendor/c2pa/c2pa_bg.wasm'],
  ]) {
    const body = alterations[WASM](await readFile(resolve(DIST, path)));
    await context.route(files, (route) => route.fulfill({ headers: headersFor(files), body }));
  }
  await page.reload();
  await check();
  await page.getByRole('button', { name: english.exports.picture }).click();
  await page.getByText(pattern(english.exports.failed(`${ANY}renderer_bg.wasm${ANY}`))).waitFor({ timeout: 60_000 });
  const signed = await readFile(resolve(ROOT, 'tests/browser/origin/credentials/generated.png'));
  await give(page, 'drop', 'generated.png', signed);
  await page.locator('.credentials[data-state="not_checked"]').waitFor({ timeout: 60_000 });
  await context.close();
});
