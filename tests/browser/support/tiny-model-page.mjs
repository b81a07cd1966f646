/** What tests of faults share: a page that checks with a tiny model, and scripts that run first in its workers. */

import { resolve } from 'node:path';
import { COMPUTING, DIST, give, openPage, ROOT, serve, settled, withoutIntegrity } from './browser.mjs';
import { everythingBelongs } from './calibrations.mjs';
import { english } from './messages.mjs';

export const TINY = 'tiny_taesd';

/** The page, and the goldens' packs. */
export const TINY_FOLDERS = [DIST, resolve(ROOT, 'dist-test')];

/** @param {Partial<Parameters<typeof serve>[0]>} [options] */
export const serveTiny = (options) => serve({ directories: TINY_FOLDERS, ...options });

/**
 * A page whose own model is a tiny one, to which everything belongs.
 * @param {import('playwright-core').Browser} browser @param {string} address
 * @param {{workers?: Record<string, string>, page?: (...values: any[]) => void}} [first] What runs first in workers, by
 *   file in `www/`, and in the page.
 */
export async function openTiny(browser, address, { workers = {}, page: script } = {}) {
  const opened = await openPage(browser, 'about:blank');
  const { context, page } = opened;
  await withTiny(context);
  for (const [file, code] of Object.entries(workers)) await runFirst(context, file, code);
  if (script) await context.addInitScript(script);
  await page.goto(address);
  return opened;
}

/** The page's files that make a tiny model its own, to which everything belongs. @returns {Record<string, object>} */
export function tinyFiles() {
  const models = [{ id: TINY, name: TINY, manifest: `../packs/${TINY}/manifest.json` }];
  return {
    'weights/index.json': { format_version: 1, models },
    [`packs/${TINY}/calibration.json`]: everythingBelongs(TINY),
  };
}

/** @param {import('playwright-core').BrowserContext} context */
async function withTiny(context) {
  await withoutIntegrity(context);
  for (const [path, json] of Object.entries(tinyFiles())) {
    await context.route(`**/${path}`, (route) => route.fulfill({ json }));
  }
}

/** @param {import('playwright-core').BrowserContext} context @param {string} file @param {string} script */
async function runFirst(context, file, script) {
  await context.route(`**/www/${file}`, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: `${script}\n${await response.text()}` });
  });
}

/**
 * Drops an image and waits for what comes of it.
 * @param {import('playwright-core').Page} page @param {string} name @param {Uint8Array} bytes
 */
export async function check(page, name, bytes) {
  await begin(page, name, bytes);
  return settled(page, { timeout: 150_000 });
}

/** Drops an image. @param {import('playwright-core').Page} page @param {string} name @param {Uint8Array} bytes */
export async function begin(page, name, bytes) {
  await give(page, 'drop', name, bytes);
  await page.locator('#caption', { hasText: name }).waitFor();
}

/** Waits until an image is being computed. @param {import('playwright-core').Page} page */
export const computing = (page) => page.locator(COMPUTING).waitFor({ timeout: 60_000 });

/**
 * With the keyboard, because while a software adapter compiles, nothing is painted and a mouse is not heard.
 * @param {import('playwright-core').Page} page @param {string} name Of the button that begins a check anew.
 */
export async function again(page, name = english.failure.tryAgain) {
  await page.getByRole('button', { name }).focus();
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.body.dataset.phase !== 'error');
  return settled(page, { timeout: 150_000 });
}
