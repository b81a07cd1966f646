/** The demonstrations: the element in an article, and under the strictest policy, with real answers. */

import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { serveDemos, STRICT } from '../../scripts/demos.mjs';
import * as english from '../../www/texts/en.js';
import { DIST, launch, openPage, ROOT } from './browser.mjs';

/** @typedef {import('playwright-core').Page} Page */

/** The package under test; without one the page's modules are served. */
const PACKAGE = resolve(ROOT, process.env.AEDR_PACKAGE ?? 'target/npm/package');

/** @type {import('playwright-core').Browser} */
let browser;

before(async () => {
  browser = await launch({ webgpu: false });
});

after(() => browser?.close());

/**
 * @param {string} file @param {{policy?: string}} options
 * @param {(page: Page, complaints: string[]) => Promise<void>} body
 */
async function inDemo(file, { policy }, body) {
  const demos = await serveDemos({ page: DIST, package: PACKAGE, policy });
  const { page, context, complaints } = await openPage(browser, 'about:blank');
  // Workers have policies of their own.
  page.on('worker', (worker) => {
    worker
      .evaluate(() => {
        globalThis.violations = [];
        addEventListener('securitypolicyviolation', (event) => globalThis.violations.push(event.effectiveDirective));
      })
      .catch(() => {});
  });
  try {
    await page.goto(demos.address + file);
    await body(page, complaints);
  } finally {
    await context.close();
    await demos.close();
  }
}

/** What policies forbade in the workers that are still there. @param {Page} page */
async function workersViolations(page) {
  const all = await Promise.all(page.workers().map((worker) => worker.evaluate(() => globalThis.violations)));
  return all.flat();
}

/** @param {Page} page */
const ask = (page, nth = 0) => page.locator('aedr-check').nth(nth).getByRole('button').first().click();
/** @param {Page} page */
const outcome = (page, nth = 0) => page.locator('aedr-check').nth(nth).locator('[part=outcome]');

test('an article: an image of the demonstration model and a photograph', { timeout: 120_000 }, async () => {
  await inDemo('article.html', {}, async (page, complaints) => {
    await ask(page, 0);
    await ask(page, 1);
    assert.equal(await outcome(page, 0).innerText({ timeout: 90_000 }), english.outcomes.matches.heading);
    assert.equal(await outcome(page, 1).innerText({ timeout: 90_000 }), english.outcomes.does_not_match.heading);
    for (const nth of [0, 1]) {
      const warning = page.locator('aedr-check').nth(nth).locator('[part=warning]');
      assert.ok((await warning.innerText()).includes(english.demonstration.text));
    }
    assert.equal(page.workers().filter((worker) => /worker\.js$/.test(worker.url())).length, 1);
    assert.deepEqual(complaints, []);
  });
});

test('the strictest policy: a whole check violates nothing', { timeout: 120_000 }, async () => {
  await inDemo('strict.html', {}, async (page, complaints) => {
    await ask(page);
    assert.equal(await outcome(page).innerText({ timeout: 90_000 }), english.outcomes.matches.heading);
    const saving = page.waitForEvent('download');
    await page.getByRole('button', { name: english.exports.json }).click();
    await saving;
    assert.equal(await page.locator('#violations').innerText(), '0');
    assert.ok(page.workers().length > 0);
    assert.deepEqual(await workersViolations(page), []);
    assert.deepEqual(complaints, []);
  });
});

test('a policy without WebAssembly: the worker’s violation is seen, and the reader is told', async () => {
  await inDemo('strict.html', { policy: STRICT.replace(" 'wasm-unsafe-eval'", '') }, async (page) => {
    await ask(page);
    await page.locator('aedr-check [part=error]').waitFor();
    assert.deepEqual([...new Set(await workersViolations(page))], ['script-src']);
  });
});

test('a policy that forbids the worker’s address: the page’s count sees it, and the reader is told', async () => {
  const policy = STRICT.replace('trusted-types aedr', "trusted-types 'none'");
  await inDemo('strict.html', { policy }, async (page) => {
    await ask(page);
    await page.locator('aedr-check [part=error]').waitFor();
    assert.notEqual(await page.locator('#violations').innerText(), '0');
    assert.match(await page.locator('#list').innerText(), /trusted-types/);
  });
});
