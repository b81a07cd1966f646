/** The demonstrations: the element in an article, and under the strictest policy, with real answers. */

import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { serveDemos, STRICT } from '../../../scripts/demos.mjs';
import * as english from '../../../www/texts/en.js';
import { DIST, launch, openPage, ROOT } from '../support/browser.mjs';
import { startServer } from '../support/local-server.mjs';

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
 * What the browser itself reports of a policy: of pages and of workers, from their first moment. A listener in a worker
 * would come too late for what its modules do while they load.
 */
async function reports() {
  /** @type {string[]} */
  const directives = [];
  const news = new EventEmitter();
  const server = await startServer(
    createServer(async (request, response) => {
      const report = JSON.parse(await text(request))['csp-report'];
      directives.push(report['effective-directive']);
      news.emit('report');
      response.end();
    }),
  );
  return { ...server, directives, first: () => directives.length || once(news, 'report') };
}

/**
 * @param {string} file @param {{policy?: string}} options
 * @param {(page: Page, complaints: string[], reported: Awaited<ReturnType<typeof reports>>) => Promise<void>} body
 */
async function inDemo(file, { policy = STRICT }, body) {
  const reported = await reports();
  const reporting = `${policy}; report-uri ${reported.origin}/`;
  const demos = await serveDemos({ page: DIST, package: PACKAGE, policy: reporting });
  const { page, context, complaints } = await openPage(browser, 'about:blank');
  try {
    await page.goto(demos.address + file);
    await body(page, complaints, reported);
  } finally {
    await context.close();
    await Promise.all([demos.close(), reported.close()]);
  }
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
  await inDemo('strict.html', {}, async (page, complaints, reported) => {
    await ask(page);
    assert.equal(await outcome(page).innerText({ timeout: 90_000 }), english.outcomes.matches.heading);
    const saving = page.waitForEvent('download');
    await page.getByRole('button', { name: english.exports.json }).click();
    await saving;
    assert.equal(await page.locator('#violations').innerText(), '0');
    assert.ok(page.workers().length > 0);
    assert.deepEqual(reported.directives, []);
    assert.deepEqual(complaints, []);
  });
});

test('a policy without WebAssembly: the worker’s violation is seen, and the reader is told', { timeout: 60_000 }, async () => {
  const policy = STRICT.replace(" 'wasm-unsafe-eval'", '');
  await inDemo('strict.html', { policy }, async (page, _complaints, reported) => {
    await ask(page);
    await page.locator('aedr-check [part=error]').waitFor();
    await reported.first();
    assert.deepEqual([...new Set(reported.directives)], ['script-src']);
    assert.equal(await page.locator('#violations').innerText(), '0');
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
