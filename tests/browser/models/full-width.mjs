#!/usr/bin/env node
/**
 * Adds a model of full width in Chromium, end to end, checks a picture with it, and prints what that took:
 *
 *   python tests/goldens/full_width.py flux1 --keep target/full-width
 *   node tests/browser/models/full-width.mjs [target/full-width/flux1]
 *
 * The folder's name is the catalogue's id. The page must be built.
 */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, resolve } from 'node:path';
import { DIST, launchKeeping, ROOT, serve, settled, withCatalog } from '../support/browser.mjs';
import { modelSite } from '../support/model-site.mjs';

const folder = resolve(process.argv[2] ?? resolve(ROOT, 'target/full-width/flux1'));
const id = basename(folder);
const megabytes = (/** @type {number} */ bytes) => `${(bytes / 1e6).toFixed(0)} MB`;

const weights = await readFile(resolve(folder, 'model.safetensors'));
const losses = JSON.parse(await readFile(resolve(folder, 'losses.json'), 'utf8'));
const site = await modelSite({ 'model.safetensors': weights });

// The catalogue's entry, but for where the file is and what it is.
const catalog = JSON.parse(await readFile(resolve(ROOT, 'weights/catalog.json'), 'utf8'));
const entry = catalog.entries.find((/** @type {any} */ entry) => entry.id === id);
assert.ok(entry, `the catalogue has no ${id}`);
const sha256 = createHash('sha256').update(weights).digest('hex');
Object.assign(entry, { gated: false, calibration: null });
Object.assign(entry.files[0], { file: 'model.safetensors', address: `${site.origin}/plain/model.safetensors`, sha256 });
catalog.entries = [entry];

// Workers that tell how large the module's memory is. It never shrinks, so in the end it is the peak.
const watched = await mkdtemp(resolve(tmpdir(), 'aedr-'));
for (const file of ['engine/worker.js', 'models/import-worker.js']) {
  const script = `const instantiate = WebAssembly.instantiate;
WebAssembly.instantiate = async (...given) => {
  const made = await instantiate(...given);
  globalThis.moduleMemory = (made.exports ?? made.instance.exports).memory;
  return made;
};`;
  await mkdir(resolve(watched, 'www', file, '..'), { recursive: true });
  await writeFile(resolve(watched, 'www', file), `${script}\n${await readFile(resolve(DIST, 'www', file), 'utf8')}`);
}

const server = await serve({ directories: [watched, DIST], importFrom: site.origin });
const profile = await mkdtemp(resolve(tmpdir(), 'aedr-'));
const context = await launchKeeping(profile);
try {
  const page = await context.newPage();
  await withCatalog(context, catalog.entries);
  await page.goto(server.address);
  const idle = await peaks();
  await page.getByRole('button', { name: 'Models' }).click();
  const started = performance.now();
  await page.getByRole('button', { name: new RegExp(`^Add ${entry.name}`) }).click();
  const kept = page.locator(`#models-here [data-key="${id}"]`).filter({ hasNotText: 'Not finished' });
  await kept.waitFor({ timeout: 1_800_000 });
  const seconds = (performance.now() - started) / 1000;
  const stored = await page.evaluate(async () => (await navigator.storage.estimate()).usage ?? 0);
  const imported = await peaks();
  console.log(`${entry.name}: ${megabytes(weights.length)} imported in ${seconds.toFixed(0)} s, ${megabytes(stored)} kept`);
  console.log(`the module's memory while importing: ${megabytes(await moduleMemory(page, 'import-worker.js'))}`);
  const [ofPage, ofBrowser] = ['renderer', 'browser'].map((kind) => change(idle, imported, kind));
  console.log(`processes' peaks, before → after: page ${ofPage}, browser ${ofBrowser}`);

  await page.getByRole('button', { name: 'Close' }).click();
  const choosing = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Choose an image' }).click();
  await (await choosing).setFiles(resolve(folder, 'picture.png'));
  const { text } = await settled(page, { timeout: 1_800_000 });
  await page.locator('.numbers details').filter({ hasText: entry.name }).locator('summary').click();
  const numbers = page.locator('.numbers details').filter({ hasText: entry.name });
  const found = async (/** @type {string} */ name) =>
    Number(await numbers.locator(`[data-number=${name}] .value`).innerText());
  console.log(/Computed.*/.exec(text)?.[0]);
  for (const name of ['first', 'second']) {
    const expected = losses[`${name}_loss`];
    console.log(`${name} loss ${await found(name)}, PyTorch's in f32 ${expected.toPrecision(4)}`);
  }
  console.log(`the module's memory while checking: ${megabytes(await moduleMemory(page, '/worker.js'))}`);
  console.log(`the page's process in the end: ${change(idle, await peaks(), 'renderer')}`);
} finally {
  await context.close();
  await server.close();
  await site.close();
  for (const folder of [watched, profile]) await rm(folder, { recursive: true });
}

/** @param {import('playwright-core').Page} page @param {string} script */
async function moduleMemory(page, script) {
  const worker = page.workers().find((worker) => worker.url().endsWith(script));
  return worker ? worker.evaluate(() => globalThis.moduleMemory.buffer.byteLength) : NaN;
}

/** The largest resident memory that each kind of the browser's processes has had, where the system tells. */
async function peaks() {
  /** @type {Record<string, number>} */
  const peaks = { renderer: 0, browser: 0 };
  for (const pid of await readdir('/proc').catch(() => [])) {
    const [command, status] = await Promise.all(
      ['cmdline', 'status'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')),
    );
    if (!/chrom/.test(command.split('\0')[0])) continue;
    const kind = command.includes('--type=') ? (command.includes('--type=renderer') ? 'renderer' : '') : 'browser';
    const peak = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024;
    if (kind) peaks[kind] = Math.max(peaks[kind], peak);
  }
  return peaks;
}

/** @param {Record<string, number>} before @param {Record<string, number>} after @param {string} kind */
function change(before, after, kind) {
  return `${megabytes(before[kind])} → ${megabytes(after[kind])}`;
}
