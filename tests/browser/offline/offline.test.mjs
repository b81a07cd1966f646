/** The page without a connection, its updates, what other programs give it, and how it is installed. */

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { DIST, give, launch, openPage, sampleBytes, sampleList, serve, settled } from '../support/browser.mjs';
import { busyPng } from '../support/image-files.mjs';
import { startServer } from '../support/local-server.mjs';
import { ANY, english, pattern } from '../support/messages.mjs';
import { NEXT_HEADLINE, nextRelease } from '../support/releases.mjs';
import { reverseProxy } from '../support/reverse-proxy.mjs';

/** What every update fetches, and the browser by itself. */
const UPDATE = [
  'service-worker.js',
  'index.html',
  'embed.html',
  'favicon.ico',
  'www/favicon.svg',
  'www/manifest.webmanifest',
];
const READY = english.offline.kept;

/** @type {Awaited<ReturnType<typeof serve>>} */
let server;
/** @type {import('playwright-core').Browser} */
let browser;
/** A sample that the model decoded. @type {Buffer} */
let decoded;

before(async () => {
  server = await serve({ directories: [DIST] });
  browser = await launch({ webgpu: false });
  const sample = (await sampleList()).find((/** @type {any} */ { decoded }) => decoded);
  decoded = await sampleBytes(sample.file);
});

after(async () => {
  await browser?.close();
  await server?.close();
});

/**
 * A test with a host and a page of its own, where service workers are allowed. The browser may complain only as
 * `expected` describes, and no script may end with an error.
 * @param {string} name
 * @param {(opened: Opened) => Promise<void>} body
 * @param {{expected?: RegExp, prepare?: (opened: {context: any, host: any}) => Promise<void> | void}} [options]
 *   `prepare`: before the page is opened.
 * @typedef {Awaited<ReturnType<typeof openPage>> & {host: Awaited<ReturnType<typeof reverseProxy>>}} Opened
 */
function offlineTest(name, body, { expected, prepare } = {}) {
  test(name, { timeout: 240_000 }, async () => {
    const host = await reverseProxy(server.address);
    const opened = await openPage(browser, 'about:blank', { serviceWorkers: 'allow' });
    try {
      await prepare?.({ context: opened.context, host });
      await opened.page.goto(host.address);
      await body({ ...opened, host });
      assert.deepEqual(opened.complaints.filter((text) => !expected?.test(text)), [], 'complaints of the browser');
    } finally {
      await opened.context.close();
      await host.close();
    }
  });
}

/** @param {import('playwright-core').Page} page */
const line = (page) => page.locator('#offline');
/** @param {import('playwright-core').Page} page */
const keepButton = (page) => page.getByRole('button', { name: pattern(english.offline.keep(1e6).replace('1.0', ANY)) });

/** Presses the button, and waits. @param {import('playwright-core').Page} page */
async function keepAll(page) {
  await keepButton(page).click();
  await line(page).getByText(READY).waitFor();
}

/** @param {import('playwright-core').Page} page @param {string} name */
async function checkDropped(page, name) {
  await give(page, 'drop', name, decoded);
  await page.locator('#caption', { hasText: name }).waitFor();
  const { outcome, text } = await settled(page);
  assert.equal(outcome, 'matches', text);
}

/** Files in the cache whose bytes are not what their names promise, and how many there are. @param {any} page */
async function keptFiles(page) {
  return page.evaluate(async () => {
    const wrong = [];
    let count = 0;
    for (const name of await caches.keys()) {
      const cache = await caches.open(name);
      for (const request of await cache.keys()) {
        const promised = new URL(request.url).search.slice(1);
        if (!/^[\da-f]{64}$/.test(promised)) continue;
        count += 1;
        const bytes = await (await cache.match(request))?.arrayBuffer();
        const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes ?? new ArrayBuffer(0)));
        const found = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
        if (found !== promised) wrong.push(request.url);
      }
    }
    return { wrong, count };
  });
}

offlineTest('after a first check the page opens and checks without a connection', async (opened) => {
  const { page, context, host } = opened;
  await keepButton(page).waitFor();
  // The samples that are in view are looked at, and come without the service worker's doing.
  const heavy = () => host.asked.filter(({ path }) => /\.wasm$|\.safetensors$/.test(path));
  assert.deepEqual(heavy(), [], 'who only looks downloads no engine');
  const ranged = await page.evaluate(async () =>
    (await fetch('www/favicon.svg', { headers: { Range: 'bytes=0-9' } })).status,
  );
  assert.equal(ranged, 206, 'requests for a part go to the host');
  await checkDropped(page, 'first.png');
  await line(page).getByText(READY).waitFor();
  const fetched = heavy().map(({ path }) => path);
  assert.ok(fetched.length >= 2);
  assert.equal(new Set(fetched).size, fetched.length, 'each was fetched once');
  const isolated = await page.evaluate(() => crossOriginIsolated);
  assert.equal(isolated, true);
  await page.close();

  await context.setOffline(true);
  await host.close();
  const fresh = await context.newPage();
  /** @type {string[]} */
  const failed = [];
  fresh.on('requestfailed', (request) => failed.push(request.url()));
  await fresh.goto(`${host.address}?locale=en&anything`);
  assert.equal(await fresh.evaluate(() => crossOriginIsolated), true);
  await line(fresh).getByText(READY).waitFor();
  await checkDropped(fresh, 'offline.png');
  const policy = await fresh.evaluate(async () =>
    (await fetch('www/models/import-worker.js')).headers.get('Content-Security-Policy'),
  );
  assert.match(policy ?? '', /connect-src 'self' https:/, 'a file keeps the policy it came with');
  assert.deepEqual(failed, []);
  const { wrong, count } = await keptFiles(fresh);
  assert.deepEqual(wrong, []);
  assert.ok(count > 40, `${count} files`);
});

offlineTest(
  'a person can keep everything without a check, and is told if it cannot be had',
  async ({ page, host }) => {
    const persisted = () => page.evaluate(() => /** @type {any} */ (globalThis).persisted);
    await keepButton(page).waitFor();
    assert.equal(await persisted(), 0);
    host.instead.set('www/pkg/aedr_bg.wasm', 0);
    await keepButton(page).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('progressbar', { name: english.offline.keeping }).waitFor();
    assert.equal(await persisted(), 1);
    await line(page).locator('.hint', { hasText: /[1-9]/ }).waitFor();
    assert.equal(await page.locator(':focus').innerText(), english.offline.stop);
    await page.keyboard.press('Enter');
    await keepButton(page).waitFor();
    host.instead.set('www/pkg/aedr_bg.wasm', 503);
    await keepButton(page).click();
    await line(page).getByText(english.offline.failed).waitFor();
    const before = host.asked.length;
    host.instead.clear();
    await keepAll(page);
    const again = host.asked.slice(before).map(({ path }) => path);
    assert.ok(again.includes('www/pkg/aedr_bg.wasm'));
    assert.ok(!again.some((path) => path.endsWith('.safetensors')), 'what had arrived is not fetched again');
    await page.reload();
    await line(page).getByText(READY).waitFor();
    assert.equal(await keepButton(page).count(), 0);
    assert.equal(await persisted(), 0);
  },
  {
    expected: /503/,
    prepare: ({ context }) =>
      context.addInitScript(() => {
        const scope = /** @type {any} */ (globalThis);
        scope.persisted = 0;
        navigator.storage.persist = async () => Boolean((scope.persisted += 1));
      }),
  },
);

offlineTest('a device without room says so, and the page checks all the same', async ({ page, context, host }) => {
  await keepButton(page).waitFor();
  const session = await context.newCDPSession(page);
  const { origin } = new URL(host.address);
  await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 2_000_000 });
  await keepButton(page).click();
  await line(page).getByText(english.offline.full).waitFor();
  await checkDropped(page, 'full.png');
  await session.send('Storage.overrideQuotaForOrigin', { origin });
});

offlineTest(
  'a file that is not the one of this release is neither kept nor used',
  async ({ page, host }) => {
    await keepButton(page).waitFor();
    const wasm = 'www/pkg/aedr_bg.wasm';
    host.instead.set(wasm, (bytes) => {
      bytes[bytes.length - 1] ^= 1;
      return bytes;
    });
    await keepButton(page).click();
    await line(page).getByText(english.offline.failed).waitFor();
    await give(page, 'drop', 'changed.png', decoded);
    assert.equal((await settled(page)).code, 'program_missing');
    const { wrong, count } = await keptFiles(page);
    assert.deepEqual(wrong, []);
    assert.ok(count > 40);
    assert.equal(await page.evaluate((wasm) => caches.match(wasm, { ignoreSearch: true }), wasm), undefined);
    host.instead.clear();
    await page.getByRole('button', { name: english.failure.tryAgain }).click();
    await page.waitForFunction(() => document.body.dataset.phase === 'result');
  },
  { expected: /ERR_FAILED|net::/ },
);

offlineTest(
  'a host whose files were changed on the way is used without the service worker',
  async ({ page, host }) => {
    await checkDropped(page, 'as-before.png');
    assert.ok(host.asked.some(({ path }) => path === 'service-worker.js'));
    assert.equal(await page.evaluate(() => navigator.serviceWorker.controller), null);
    assert.ok(await line(page).isHidden());
    assert.deepEqual((await keptFiles(page)).wrong, []);
  },
  {
    prepare: ({ host }) => {
      host.instead.set('www/favicon.svg', (/** @type {Buffer} */ bytes) => Buffer.concat([bytes, Buffer.from(' ')]));
    },
  },
);

offlineTest(
  'without service workers the page works and shows nothing of them',
  async ({ page }) => {
    await checkDropped(page, 'plain.png');
    assert.ok(await line(page).isHidden());
  },
  {
    prepare: ({ context }) =>
      context.addInitScript(() => {
        Object.defineProperty(Navigator.prototype, 'serviceWorker', { get: () => undefined });
      }),
  },
);

test('a new release waits until a person wants it', { timeout: 240_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'aedr-release-'));
  const next = await nextRelease(folder);
  const host = await reverseProxy(server.address);
  const { page, context, complaints } = await openPage(browser, host.address, { serviceWorkers: 'allow' });
  const notice = page.locator('#notice');
  const useIt = notice.getByRole('button', { name: english.offline.renew });
  const headline = () => page.locator('h1').innerText();
  try {
    const old = await headline();
    await keepAll(page);
    host.behind = next.address;
    host.asked.length = 0;
    await page.reload();
    await notice.getByText(english.offline.renewed).waitFor();
    for (const file of next.changed) assert.ok(host.asked.some(({ path }) => path === file), `${file} is here already`);

    await notice.getByRole('button', { name: english.offline.later }).click();
    assert.equal(await notice.count(), 0);
    await page.reload();
    assert.equal(await headline(), old, 'the old release goes on');

    // Not under another page that is open.
    const other = await context.newPage();
    await other.goto(host.address);
    await useIt.click();
    await notice.getByText(english.offline.openElsewhere).waitFor();
    assert.equal(await headline(), old);
    await other.close();

    // Not in the middle of a check, unless a person says so.
    await give(page, 'drop', 'slow.png', busyPng(1024));
    await page.waitForFunction(() => document.body.dataset.phase === 'working');
    await useIt.click();
    await notice.getByText(english.offline.busy).waitFor();
    await page.getByRole('button', { name: english.page.cancel }).click();
    await page.waitForFunction(() => document.body.dataset.phase === 'error');
    await checkDropped(page, 'kept.png');
    await notice.getByRole('button', { name: english.offline.renewAnyway }).click();

    await page.locator('h1', { hasText: NEXT_HEADLINE }).waitFor();
    await page.locator('#caption', { hasText: 'kept.png' }).waitFor();
    assert.equal((await settled(page)).outcome, 'matches', 'the image is still here');
    assert.equal(new URL(page.url()).search, '');
    await line(page).getByText(READY).waitFor();
    await page.reload();
    await page.locator('h1', { hasText: NEXT_HEADLINE }).waitFor();
    assert.equal(await notice.count(), 0);
    const { wrong, count } = await keptFiles(page);
    assert.deepEqual(wrong, []);
    assert.equal(count, next.count, 'nothing of the old release is left');
    const fetched = host.asked.map(({ path }) => path).filter((path) => !UPDATE.includes(path));
    assert.deepEqual([...new Set(fetched)].sort(), next.changed, 'what is the same was not fetched again');
    assert.deepEqual(complaints, []);
  } finally {
    await context.close();
    await host.close();
    await next.close();
    await rm(folder, { recursive: true });
  }
});

const FORM = `<!doctype html><link rel="icon" href="data:,">
  <form method="post" enctype="multipart/form-data" action="share">
  <input name="text"><input type="file" name="files" multiple><button>Share</button></form>`;

offlineTest('what other programs share is checked, and not kept', async ({ page, host }) => {
  host.instead.set('sharer.html', FORM);
  /** @param {{name: string, mimeType: string, buffer: Buffer}[]} files @param {string} [text] */
  const share = async (files, text = '') => {
    await page.goto(`${host.address}sharer.html`);
    await page.locator('[name=text]').fill(text);
    await page.locator('[name=files]').setInputFiles(files);
    await page.getByRole('button', { name: 'Share' }).click();
    await page.locator('h1').waitFor();
  };
  const image = { name: 'holiday.png', mimeType: 'image/png', buffer: decoded };
  await keepButton(page).waitFor();
  // Also if the browser forgot the page's files.
  await page.evaluate(async () => Promise.all((await caches.keys()).map((name) => caches.delete(name))));
  await share([image]);
  await page.locator('#caption', { hasText: 'holiday.png' }).waitFor();
  assert.equal((await settled(page)).outcome, 'matches');
  assert.equal(page.url(), host.address, 'a reload does not share again');
  const stashes = () => page.evaluate(async () => (await caches.keys()).filter((name) => name.includes('stash')));
  assert.deepEqual(await stashes(), []);
  assert.ok(!host.asked.some(({ path }) => path === 'share'), 'the image was not sent to the host');

  await share([], 'Look at this: https://example.org/picture.png');
  const address = page.locator('#link-address');
  await page.waitForFunction(() => /** @type {any} */ (document.querySelector('#link-address')).value !== '');
  assert.equal(await address.inputValue(), 'https://example.org/picture.png');
  assert.ok(!host.asked.some(({ path }) => path === 'share'), 'a person decides what is fetched');
  await share([], 'Hello');
  await page.locator('#notice', { hasText: english.offline.nothingShared }).waitFor();
  await page.getByRole('button', { name: english.offline.close }).click();
  assert.equal(await page.locator('#notice').count(), 0);
});

offlineTest('what another site posts to the page is not checked unless a person wants it', async ({ page, host }) => {
  await keepButton(page).waitFor();
  const action = `${host.address}share`;
  /** Another site, which may hide that it is. @type {Awaited<ReturnType<typeof startServer>>} */
  const site = await startServer(
    createServer(({ url = '' }, response) => {
      const hidden = url === '/hidden' ? '<meta name="referrer" content="no-referrer">' : '';
      const form = FORM.replace('action="share"', `action="${action}"`);
      response.writeHead(200, { 'Content-Type': 'text/html' }).end(`<!doctype html>${hidden}${form}`);
    }),
  );
  const notice = page.locator('#notice[data-topic=shared]');
  try {
    for (const path of ['/open', '/hidden']) {
      await page.goto(site.origin + path);
      await page.locator('[name=files]').setInputFiles({ name: 'theirs.png', mimeType: 'image/png', buffer: decoded });
      await page.getByRole('button', { name: 'Share' }).click();
      await notice.waitFor();
      const text = await notice.innerText();
      assert.equal(text.includes(new URL(site.origin).host), path === '/open', text);
      assert.equal(await page.locator('body').getAttribute('data-phase'), 'idle');
      assert.equal(await page.locator('#caption').isVisible(), false);
      assert.equal(page.workers().length, 0, 'no worker was started');
      await notice.locator('button').last().click();
      assert.equal(await notice.count(), 0);
      assert.equal(await page.locator('body').getAttribute('data-phase'), 'idle');
    }
    // Whoever did share it says so.
    await page.goto(`${site.origin}/hidden`);
    await page.locator('[name=files]').setInputFiles({ name: 'mine.png', mimeType: 'image/png', buffer: decoded });
    await page.getByRole('button', { name: 'Share' }).click();
    await notice.locator('button').first().click();
    await page.locator('#caption', { hasText: 'mine.png' }).waitFor();
    assert.equal((await settled(page)).outcome, 'matches');
    assert.ok(!host.asked.some(({ path }) => path === 'share'));
  } finally {
    await site.close();
  }
});

offlineTest(
  'images are opened with the installed page, which the browser may offer to install',
  async ({ page }) => {
    await page.locator('#caption', { hasText: 'opened.png' }).waitFor();
    await page.locator('#notice', { hasText: english.offline.notOpened }).waitFor();
    await keepButton(page).waitFor();
    assert.equal(await page.getByRole('button', { name: english.offline.install }).count(), 0);
    await page.evaluate(() => {
      const event = new Event('beforeinstallprompt', { cancelable: true });
      const scope = /** @type {any} */ (globalThis);
      dispatchEvent(Object.assign(event, { prompt: async () => (scope.prompted = event.defaultPrevented) }));
    });
    await page.getByRole('button', { name: english.offline.install }).click();
    await page.getByRole('button', { name: english.offline.install }).waitFor({ state: 'detached' });
    assert.equal(await page.evaluate(() => /** @type {any} */ (globalThis).prompted), true);
  },
  {
    prepare: ({ context }) =>
      context.addInitScript((base64) => {
        const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
        const file = new File([bytes], 'opened.png', { type: 'image/png' });
        const handles = [{ getFile: async () => file }, { getFile: () => Promise.reject(new Error('gone')) }];
        const launchQueue = { setConsumer: (/** @type {any} */ consume) => consume({ files: handles }) };
        Object.defineProperty(globalThis, 'launchQueue', { value: launchQueue });
      }, decoded.toString('base64')),
  },
);

test('the manifest has what browsers install by', async () => {
  const folder = resolve(DIST, 'www');
  const manifest = JSON.parse(await readFile(resolve(folder, 'manifest.webmanifest'), 'utf8'));
  for (const member of ['id', 'name', 'short_name', 'description', 'start_url', 'scope', 'display', 'lang']) {
    assert.equal(typeof manifest[member], 'string', member);
  }
  const at = (/** @type {string} */ path) => new URL(path, 'https://example.org/sub/www/manifest.webmanifest').pathname;
  assert.equal(at(manifest.start_url), '/sub/');
  assert.equal(at(manifest.scope), '/sub/');
  assert.equal(at(manifest.share_target.action), '/sub/share');
  assert.equal(manifest.share_target.params.files[0].name, 'files');
  assert.equal(at(manifest.file_handlers[0].action), '/sub/');
  const html = await readFile(resolve(DIST, 'index.html'), 'utf8');
  const touch = /rel="apple-touch-icon" href="www\/([^"]+)"/.exec(html)?.[1];
  const icons = [...manifest.icons, { src: touch, sizes: '180x180', type: 'image/png' }];
  assert.ok(icons.some(({ purpose }) => purpose === 'maskable'));
  for (const { src, sizes, type } of icons) {
    const bytes = await readFile(resolve(folder, src));
    if (type === 'image/png') assert.equal(`${bytes.readUInt32BE(16)}x${bytes.readUInt32BE(20)}`, sizes, src);
  }
  assert.match(html, /<meta name="release" content="[\da-f]{16}">/);
});
