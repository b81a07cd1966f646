/** What the page keeps, when storage, tabs or the host fail under it. The table is in docs/faults.md. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
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
  withCatalog,
} from '../support/browser.mjs';
import { busyPng } from '../support/image-files.mjs';
import { ANY, english, pattern } from '../support/messages.mjs';
import { modelSite } from '../support/model-site.mjs';
import { NEXT_HEADLINE, nextRelease } from '../support/releases.mjs';
import { reverseProxy } from '../support/reverse-proxy.mjs';
import { begin, check, computing, openTiny, serveTiny } from '../support/tiny-model-page.mjs';

const SMALL = busyPng(56);
const GOLDEN = resolve(ROOT, 'tests/goldens/kl_quant/model.safetensors');

/** @type {Awaited<ReturnType<typeof serveTiny>>} */
let server;
/** @type {Awaited<ReturnType<typeof modelSite>>} */
let site;
/** @type {import('playwright-core').Browser} */
let browser;
/** @type {any[]} */
let catalog;

before(async () => {
  const weights = await readFile(GOLDEN);
  const manifest = await readFile(resolve(ROOT, 'dist-test/packs/kl_quant/manifest.json'), 'utf8');
  site = await modelSite({ 'vae.safetensors': weights });
  server = await serveTiny({ importFrom: site.origin });
  browser = await launch({ webgpu: false });
  catalog = ['plain', 'slow'].map((how) => ({
    id: how,
    name: `Painter ${how}`,
    architecture: JSON.parse(manifest).architecture,
    serves: [],
    shares: [],
    repository: `somebody/${how}`,
    files: [
      {
        file: 'vae.safetensors',
        address: `${site.origin}/${how}/vae.safetensors`,
        bytes: weights.length,
        about_megabytes: 1,
        sha256: createHash('sha256').update(weights).digest('hex'),
      },
    ],
    licence: 'MIT',
    gated: false,
    recommended_sizes: [512],
    calibration: null,
  }));
});

after(async () => {
  await browser?.close();
  await server?.close();
  await site?.close();
});

/** A page that can add two models, one of them from a slow site. */
async function openAdding() {
  const opened = await openTiny(browser, server.address);
  await withCatalog(opened.context, catalog);
  return opened;
}

/** @param {import('playwright-core').Page} page @param {string} name */
async function add(page, name) {
  await page.getByRole('button', { name: new RegExp(`^(Add|Continue adding) ${name}`) }).click();
}

/** @param {import('playwright-core').Page} page @param {string} name */
const added = (page, name) =>
  page.getByRole('button', { name: `Delete ${name}` }).waitFor({ timeout: 60_000 });

/** Waits until a good part of a model has come. @param {import('playwright-core').Page} page */
const underWay = (page) =>
  page.waitForFunction(() => document.querySelector('#import-state progress')?.value > 0.3, null, { timeout: 60_000 });

/** Checks an image; gives the line of the model that was added. @param {import('playwright-core').Page} page */
async function lineOf(page, name = 'Painter plain') {
  await page.getByRole('button', { name: 'Close' }).click();
  const { text } = await check(page, 'line.png', SMALL);
  const lines = await page.locator('#outcome .lines > li').allInnerTexts();
  return lines.find((line) => line.startsWith(name)) ?? text;
}

/** The folders of models, and what is kept of imports. @param {import('playwright-core').Page} page */
function stored(page) {
  return page.evaluate(async () => {
    const names = /** @type {Record<string, string[]>} */ ({});
    const root = /** @type {any} */ (await navigator.storage.getDirectory());
    for (const name of ['models', 'imports']) {
      names[name] = [];
      for await (const key of (await root.getDirectoryHandle(name)).keys()) names[name].push(key);
    }
    return names;
  });
}

/** @param {string} name @param {() => Promise<void>} body */
const keptTest = (name, body) => test(name, { timeout: 300_000 }, body);

keptTest('room that runs out while a model is added leaves the others whole, and adding goes on later', async () => {
  const { page, context } = await openAdding();
  const dialog = await openModels(page);
  await add(page, 'Painter plain');
  await added(page, 'Painter plain');
  await add(page, 'Painter slow');
  await underWay(page);
  // The browser's own limit, once it had said that there is room.
  const session = await context.newCDPSession(page);
  const { origin } = new URL(server.address);
  await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1000 });
  const problem = dialog.locator('#import-problem');
  await problem.filter({ hasText: /\w/ }).waitFor({ timeout: 60_000 });
  assert.equal(await problem.getAttribute('data-code'), 'storage_full');
  assert.ok((await problem.innerText()).includes(english.models.advice.storage_full));
  assert.deepEqual(await stored(page), { models: ['plain'], imports: [] });
  assert.ok((await lineOf(page)).includes(english.lines.uncalibrated));
  await session.send('Storage.overrideQuotaForOrigin', { origin });
  await openModels(page);
  await add(page, 'Painter slow');
  await added(page, 'Painter slow');
  await context.close();
});

keptTest('a browser that lets the page keep nothing at all checks all the same', async () => {
  const { page, context, complaints } = await openTiny(browser, server.address, {
    page: () => {
      const refuse = () => Promise.reject(new DOMException('refused', 'SecurityError'));
      const deny = () => {
        throw new DOMException('refused', 'SecurityError');
      };
      Object.defineProperty(globalThis, 'localStorage', { get: deny });
      Object.defineProperty(globalThis, 'sessionStorage', { get: deny });
      Object.defineProperty(globalThis, 'indexedDB', { get: deny });
      StorageManager.prototype.getDirectory = refuse;
      StorageManager.prototype.estimate = refuse;
      StorageManager.prototype.persist = refuse;
      for (const name of ['open', 'has', 'keys', 'match', 'delete']) CacheStorage.prototype[name] = refuse;
      LockManager.prototype.request = refuse;
      LockManager.prototype.query = refuse;
      ServiceWorkerContainer.prototype.register = refuse;
    },
  });
  assert.equal((await check(page, 'nothing-kept.png', SMALL)).outcome, 'matches');
  await openModels(page);
  await page.getByText(english.models.noStorage).waitFor();
  await page.getByRole('button', { name: 'Close' }).click();
  await page.locator('#settings summary').click();
  await page.locator('#language').selectOption('zh-Hans');
  await page.waitForFunction(() => document.documentElement.lang === 'zh-Hans');
  assert.deepEqual(complaints, []);
  await context.close();
});

keptTest('a model that another tab deletes in the middle of a check is told, and the others answer', async () => {
  const { page, context } = await openAdding();
  await openModels(page);
  await add(page, 'Painter plain');
  await added(page, 'Painter plain');
  await page.getByRole('button', { name: 'Close' }).click();
  // The check has its models, and waits for its program.
  let goOn = () => {};
  const held = new Promise((done) => (goOn = () => done(undefined)));
  await context.route('**/pkg/aedr_bg.wasm', (route) => held.then(() => route.continue()));
  const wanted = page.waitForRequest('**/pkg/aedr_bg.wasm');
  await begin(page, 'deleted.png', SMALL);
  await wanted;
  const other = await context.newPage();
  await other.goto(server.address);
  await openModels(other);
  await other.getByRole('button', { name: 'Delete Painter plain' }).click();
  await other.getByRole('button', { name: 'Really delete' }).click();
  await other.getByRole('button', { name: /^Add Painter plain/ }).waitFor();
  goOn();
  const { outcome, text } = await settled(page);
  assert.equal(outcome, 'matches', text);
  const failed = page.locator('#outcome .lines > li[data-outcome=error]');
  assert.equal(await failed.getAttribute('data-code'), 'weights_missing');
  assert.ok((await failed.innerText()).includes(english.lines.outcomes.failed));
  const later = await check(page, 'later.png', SMALL);
  assert.equal(later.outcome, 'matches', later.text);
  assert.doesNotMatch(later.text, /Painter plain/);
  await context.close();
});

keptTest('a tab that crashes while a model is added leaves no half model, and another goes on', async () => {
  const { page, context } = await openAdding();
  await openModels(page);
  await add(page, 'Painter slow');
  await underWay(page);
  const session = await context.newCDPSession(page);
  const crashed = page.waitForEvent('crash');
  session.send('Page.crash').catch(() => {});
  await crashed;
  const next = await context.newPage();
  await next.goto(server.address);
  const dialog = await openModels(next);
  await dialog.locator('li[data-state=unfinished]').waitFor();
  assert.equal(await dialog.getByRole('button', { name: 'Delete Painter slow' }).count(), 0);
  const before = site.seen.length;
  await add(next, 'Painter slow');
  await added(next, 'Painter slow');
  assert.match(site.seen[before].range ?? '', /^bytes=[1-9]/, 'what had come is not fetched again');
  assert.ok((await lineOf(next, 'Painter slow')).includes(english.lines.uncalibrated));
  assert.deepEqual(await stored(next), { models: ['slow'], imports: [] });
  await context.close();
});

/**
 * A page with a service worker, at a host that can have another release behind it.
 * @param {(opened: {page: any, context: any, host: any, next: any}) => Promise<void>} body
 * @param {{engine?: boolean}} [options]
 */
async function withNextRelease(body, options) {
  const folder = await mkdtemp(join(tmpdir(), 'aedr-release-'));
  const next = await nextRelease(folder, options);
  const plain = await serve({ directories: [DIST] });
  const host = await reverseProxy(plain.address);
  const { page, context } = await openPage(browser, host.address, { serviceWorkers: 'allow' });
  try {
    await page.getByRole('button', { name: pattern(english.offline.keep(1e6).replace('1.0', ANY)) }).waitFor();
    await body({ page, context, host, next });
  } finally {
    await context.close();
    await host.close();
    await plain.close();
    await next.close();
    await rm(folder, { recursive: true });
  }
}

/** @param {import('playwright-core').Page} page */
async function useNextRelease(page) {
  await page.locator('#notice').getByRole('button', { name: english.offline.renew }).click();
  await page.locator('h1', { hasText: NEXT_HEADLINE }).waitFor();
}

keptTest('a release that comes out in the middle of a check lets it end, and is offered then', async () => {
  await withNextRelease(async ({ page, context, host, next }) => {
    const old = await page.locator('h1').innerText();
    await page.getByRole('button', { name: pattern(english.offline.keep(1e6).replace('1.0', ANY)) }).click();
    await page.getByText(english.offline.kept).waitFor();
    await give(page, 'drop', 'during.png', busyPng(512));
    await computing(page);
    host.behind = next.address;
    // Whoever opens the page in another tab brings the news.
    const other = await context.newPage();
    await other.goto(host.address);
    await page.locator('#notice', { hasText: english.offline.renewed }).waitFor();
    await other.close();
    assert.equal(await page.evaluate(() => document.body.dataset.phase), 'working', 'the check is not done');
    const { outcome, text } = await settled(page);
    assert.equal(outcome, 'does_not_match', text);
    assert.equal(await page.locator('h1').innerText(), old);
    await useNextRelease(page);
    await page.locator('#caption', { hasText: 'during.png' }).waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Check again' }).waitFor();
  });
});

keptTest('a release that comes out before the first check stops it, and is offered at once', async () => {
  const sample = (await sampleList()).find((/** @type {any} */ { decoded }) => decoded);
  const decoded = await sampleBytes(sample.file);
  await withNextRelease(
    async ({ page, host, next }) => {
      host.behind = next.address;
      await begin(page, 'between.png', decoded);
      const { code, text } = await settled(page);
      assert.match(code ?? '', /^(program_missing|integrity_failed)$/, text);
      await page.locator('#notice', { hasText: english.offline.renewed }).waitFor();
      await useNextRelease(page);
      await page.locator('#caption', { hasText: 'between.png' }).waitFor();
      assert.equal((await settled(page)).outcome, 'matches');
    },
    { engine: true },
  );
});
