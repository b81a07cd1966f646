/** Hosts that send no headers: the policy of the page holds for the workers that see images all the same. */

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import sirv from 'sirv';
import { DIST, give, launch, openPage, sampleBytes, sampleList, serve, settled } from '../support/browser.mjs';
import { startServer } from '../support/local-server.mjs';

/** @type {import('playwright-core').Browser} */
let browser;
/** A sample that the model decoded. */
let decoded = Buffer.alloc(0);
/** Another site, and what it was asked for. @type {{origin: string, close: () => Promise<void>, asked: string[]}} */
let other;

before(async () => {
  browser = await launch({ webgpu: false });
  const samples = await sampleList();
  decoded = await sampleBytes(samples.find((/** @type {any} */ sample) => sample.decoded).file);
  /** @type {string[]} */
  const asked = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(200, { 'Access-Control-Allow-Origin': '*' }).end('here');
  });
  other = { ...(await startServer(server)), asked };
});

after(async () => {
  await browser?.close();
  await other?.close();
});

/** @param {(path: string) => Record<string, string>} [headers] */
function plainHost(headers = () => ({})) {
  const files = sirv(DIST, { dev: true });
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    for (const [name, value] of Object.entries(headers(pathname))) response.setHeader(name, value);
    files(request, response, () => response.writeHead(404).end());
  });
  return startServer(server);
}

/** What comes of a worker's asking another site. @param {import('playwright-core').Worker} worker @param {string} path */
const reach = (worker, path) =>
  worker.evaluate(
    (address) =>
      fetch(address).then(
        () => 'reached',
        () => 'blocked',
      ),
    `${other.origin}${path}`,
  );

/** @param {import('playwright-core').Page} page @param {string} name */
async function check(page, name) {
  await give(page, 'drop', name, decoded);
  await page.locator('#caption', { hasText: name }).waitFor();
  const { outcome, text } = await settled(page);
  assert.equal(outcome, 'matches', text);
}

test('without headers the worker that sees images connects to no other site, without a network too', {
  timeout: 240_000,
}, async () => {
  const host = await plainHost();
  const { context, page, complaints } = await openPage(browser, host.origin, { serviceWorkers: 'allow' });
  try {
    await check(page, 'first.png');
    const [worker] = page.workers();
    assert.equal(await reach(worker, '/from-the-worker'), 'blocked');
    assert.deepEqual(other.asked, []);
    assert.ok(await page.locator('#unconfined').isHidden());
    assert.deepEqual(complaints, []);
    // The service worker serves that worker as well.
    await page.locator('#offline[data-standing=kept]').waitFor({ timeout: 60_000 });
    await context.setOffline(true);
    await host.close();
    await page.reload();
    await check(page, 'offline.png');
  } finally {
    await context.close();
    await host.close().catch(() => {});
  }
});

test('a host whose policy forbids that is said to leave the worker without one', { timeout: 60_000 }, async () => {
  const policy = "worker-src 'self'";
  const host = await plainHost((path) => (path.endsWith('.js') ? {} : { 'Content-Security-Policy': policy }));
  const { context, page } = await openPage(browser, host.origin);
  try {
    await check(page, 'first.png');
    assert.ok(await page.locator('#unconfined').isVisible());
    // That it is true.
    assert.equal(await reach(page.workers()[0], '/without'), 'reached');
    assert.deepEqual(other.asked.splice(0), ['/without']);
  } finally {
    await context.close();
    await host.close();
  }
});

test('with headers the worker has its own policy, and the page’s allows it nothing else', { timeout: 60_000 }, async () => {
  const server = await serve({ directories: [DIST] });
  const { context, page, complaints } = await openPage(browser, server.address);
  try {
    await check(page, 'first.png');
    const worker = page.workers().find((each) => /www\/engine\/worker\.js$/.test(each.url()));
    assert.ok(worker, 'it is started by its address');
    assert.deepEqual(complaints, []);
    assert.ok(await page.locator('#unconfined').isHidden());
    assert.equal(await reach(worker, '/'), 'blocked');
    assert.deepEqual(other.asked, []);
  } finally {
    await context.close();
    await server.close();
  }
});

test('the frame’s worker, likewise', { timeout: 60_000 }, async () => {
  const host = await plainHost();
  const { context, page } = await openPage(browser, `${host.origin}/embed.html?locale=en`);
  try {
    const choosing = page.waitForEvent('filechooser');
    await page.locator('aedr-check button').first().click();
    await (await choosing).setFiles({ name: 'first.png', mimeType: 'image/png', buffer: decoded });
    await page.locator('aedr-check [part=outcome][data-outcome=matches]').waitFor();
    assert.equal(await reach(page.workers()[0], '/from-the-frame'), 'blocked');
    assert.deepEqual(other.asked, []);
  } finally {
    await context.close();
    await host.close();
  }
});
