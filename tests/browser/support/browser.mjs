/** What the browser tests share: the server, Chromium with and without WebGPU, and a person's actions. */

import { readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { chromium } from 'playwright-core';
import { serve } from '../../../scripts/serve.mjs';
import { english } from './messages.mjs';

export const ROOT = resolve(import.meta.dirname, '../../..');
/** The built page; `AEDR_DIST` names another build to test. */
export const DIST = resolve(ROOT, process.env.AEDR_DIST ?? 'dist');

/**
 * Features that are turned off. First the menus of the address bar, for each of which a new window loads a page: twice
 * the work of opening ours. Then what Playwright turns off, because this list replaces Playwright's; but not the
 * partitioning of storage by the site that embeds a frame, which people's browsers have.
 */
const WITHOUT = [
  'WebUIOmniboxPopup',
  'WebUIOmniboxAimPopup',
  'AvoidUnnecessaryBeforeUnloadCheckSync',
  'DestroyProfileOnBrowserClose',
  'HttpsUpgrades',
  'HttpsFirstBalancedModeAutoEnable',
  'LensOverlay',
  'MediaRouter',
  'PaintHolding',
  'AvoidCorsURLLoaderRestartOnRedirect',
  'OptimizationHints',
  'NetworkTimeServiceQuerying',
  'AimEnabled',
  'PreconnectToSearch',
];
const QUIET = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
/** WebGPU on a CPU: slow and exact, and available wherever Chromium is. */
const SOFTWARE_WEBGPU = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];

/** @param {...string} more */
const without = (...more) => `--disable-features=${[...WITHOUT, ...more].join(',')}`;

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** @param {{webgpu?: boolean, more?: string[]}} [options] `more`: further arguments. */
export function launch({ webgpu = true, more = [] } = {}) {
  const args = webgpu ? [...QUIET, ...SOFTWARE_WEBGPU, without()] : [...QUIET, '--disable-gpu', without('WebGPU')];
  return chromium.launch({ executablePath: CHROMIUM, args: [...args, ...more] });
}

/** A browser that stores pages' data in a folder, not in memory. @param {string} folder */
export function launchKeeping(folder) {
  const args = [...QUIET, ...SOFTWARE_WEBGPU, without()];
  return chromium.launchPersistentContext(folder, { executablePath: CHROMIUM, args, serviceWorkers: 'block' });
}

/**
 * A page with lists of its requests and complaints. A test fails on complaints that it does not expect. There is no
 * service worker unless a test wants one: it would answer requests before the test's routes see them.
 * @param {import('playwright-core').Browser} browser
 * @param {string} address
 * @param {import('playwright-core').BrowserContextOptions} [options]
 */
export async function openPage(browser, address, options) {
  const context = await browser.newContext({ serviceWorkers: 'block', ...options });
  const page = await context.newPage();
  /** @type {string[]} */
  const requests = [];
  /** @type {string[]} */
  const complaints = [];
  context.on('request', (request) => requests.push(request.url()));
  context.on('weberror', (error) => complaints.push(error.error().message));
  context.on('console', (message) => {
    if (message.type() === 'error' || /content security policy/i.test(message.text())) complaints.push(message.text());
  });
  await page.goto(address);
  return { context, page, requests, complaints };
}

/** A replacement script for a page that does not know the hashes of its files. */
export const NO_INTEGRITY = 'export const INTEGRITY = {};\n';

/**
 * Removes the hashes from a page, as before it was assembled: for tests that replace the page's files.
 * @param {import('playwright-core').BrowserContext} context
 */
export async function withoutIntegrity(context) {
  const body = NO_INTEGRITY;
  await context.route('**/www/engine/integrity.js', (route) => route.fulfill({ contentType: 'text/javascript', body }));
}

/**
 * Makes the page offer these models to be added.
 * @param {import('playwright-core').BrowserContext} context @param {any[]} entries
 */
export async function withCatalog(context, entries) {
  await withoutIntegrity(context);
  await context.route('**/weights/catalog.json', (route) => route.fulfill({ json: { format_version: 1, entries } }));
}

/** The sample list of the build under test. */
export async function sampleList() {
  return JSON.parse(await readFile(resolve(DIST, 'www/samples/samples.json'), 'utf8'));
}

/** @param {string} file */
export async function sampleBytes(file) {
  return readFile(resolve(DIST, 'www/samples', file));
}

/** The type a browser would guess from a name. @param {string} name */
function typeOf(name) {
  const types = { png: 'image/png', jpg: 'image/jpeg', jpeg: 'image/jpeg', webp: 'image/webp', txt: 'text/plain' };
  return types[basename(name).split('.').pop()] ?? '';
}

/**
 * Drops a file on the page, or pastes it, with a real DataTransfer.
 * @param {import('playwright-core').Page} page
 * @param {'drop' | 'paste'} how
 * @param {string} name
 * @param {Uint8Array} bytes
 */
export async function give(page, how, name, bytes) {
  const file = { name, type: typeOf(name), base64: Buffer.from(bytes).toString('base64') };
  await page.evaluate(
    async ({ how, name, type, base64 }) => {
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      const data = new DataTransfer();
      data.items.add(new File([bytes], name, { type }));
      const event =
        how === 'drop'
          ? (type) => new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true })
          : (type) => new ClipboardEvent(type, { clipboardData: data, bubbles: true, cancelable: true });
      for (const step of how === 'drop' ? ['dragenter', 'dragover', 'drop'] : ['paste']) {
        document.body.dispatchEvent(event(step));
      }
    },
    { how, ...file },
  );
}

/** @param {import('playwright-core').Page} page @param {'auto' | 'webgpu' | 'cpu'} device */
export async function chooseDevice(page, device) {
  await page.locator('#settings summary').click();
  await page.locator(`#device input[value=${device}]`).check();
  await page.locator('#settings summary').click();
}

/** Opens the dialog of models, and waits until it is filled. @param {import('playwright-core').Page} page */
export async function openModels(page) {
  await page.locator('#models').click();
  await page.locator('#storage-line').filter({ hasText: /\w/ }).waitFor();
  return page.getByRole('dialog', { name: english.page.models });
}

/** Matches while the page shows that an image goes through the model. */
export const COMPUTING = '#working:is([data-stage$=_first], [data-stage$=_second], [data-stage$=_oriented])';

/**
 * Waits for a result or an error and returns what the page shows.
 * @param {import('playwright-core').Page} page
 * @param {{timeout?: number}} [options]
 */
export async function settled(page, { timeout = 300_000 } = {}) {
  await page.waitForFunction(() => ['result', 'error'].includes(document.body.dataset.phase ?? ''), null, { timeout });
  const outcome = page.locator('#outcome');
  return {
    outcome: await outcome.getAttribute('data-outcome'),
    code: await outcome.getAttribute('data-code'),
    details: await outcome.locator('.verdict').getAttribute('data-details'),
    text: await outcome.innerText(),
  };
}

export { serve };
