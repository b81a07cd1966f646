/** Processors, workers and connections that fail in the middle of a check. The table is in docs/faults.md. */

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { chooseDevice, DIST, launch, ROOT, settled } from '../support/browser.mjs';
import { busyPng } from '../support/image-files.mjs';
import { english } from '../support/messages.mjs';
import { reverseProxy } from '../support/reverse-proxy.mjs';
import {
  again,
  begin,
  check,
  computing,
  openTiny,
  serveTiny,
  TINY,
  TINY_FOLDERS,
} from '../support/tiny-model-page.mjs';

/** Too small for the orientation control, by which not everything belongs. */
const SMALL = busyPng(56);
/** Takes a while on any device. */
const LARGE = busyPng(1536);
const SHARD = `packs/${TINY}/shard-00.safetensors`;

/** Devices, so that a test can lose them. */
const KNOWN_DEVICES = `const { requestDevice } = GPUAdapter.prototype;
  globalThis.devices = [];
  GPUAdapter.prototype.requestDevice = async function (...options) {
    const device = await requestDevice.apply(this, options);
    globalThis.devices.push(device);
    return device;
  };`;

/** @type {Awaited<ReturnType<typeof serveTiny>>} */
let server;
/** @type {import('playwright-core').Browser} */
let browser;

before(async () => {
  server = await serveTiny();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await server?.close();
});

/**
 * A test with a page of its own.
 * @param {string} name @param {(opened: Awaited<ReturnType<typeof openTiny>>) => Promise<void>} body
 * @param {Parameters<typeof openTiny>[2]} [first]
 */
function faultTest(name, body, first) {
  test(name, { timeout: 300_000 }, async () => {
    const opened = await openTiny(browser, server.address, first);
    try {
      await body(opened);
    } finally {
      await opened.context.close();
    }
  });
}

test('a graphics processor that is taken away is told, and the next check has it again', {
  timeout: 600_000,
}, async () => {
  // A browser of its own: from the second time on, Chromium gives pages no graphics processor.
  const own = await launch();
  try {
    const session = await own.newBrowserCDPSession();
    const takeAway = () => session.send('Browser.crashGpuProcess').catch(() => {});
    const { page } = await openTiny(own, server.address, { workers: { 'engine/worker.js': KNOWN_DEVICES } });
    await chooseDevice(page, 'webgpu');
    await begin(page, 'lost.png', SMALL);
    await computing(page);
    await takeAway();
    const lost = await settled(page);
    assert.equal(lost.code, 'device_failed', lost.text);
    assert.equal(lost.details, 'lost', lost.text);
    assert.ok(lost.text.startsWith(english.errors.device_failed), lost.text);
    const found = await again(page);
    assert.equal(found.outcome, 'matches', found.text);
    await page.locator('#outcome .device[data-device=webgpu]').waitFor();
    // While nothing is computed, nobody need know.
    const [worker] = page.workers();
    const given = new Promise((done) => worker.once('close', done));
    await worker.evaluate(() => /** @type {any} */ (globalThis).devices[0].destroy());
    await given;
    await begin(page, 'after.png', SMALL);
    await computing(page);
    await takeAway();
    assert.equal((await settled(page)).code, 'device_failed');
    assert.equal((await again(page)).code, 'no_webgpu');
    const slower = await again(page, english.failure.useCpu);
    assert.equal(slower.outcome, 'matches', slower.text);
  } finally {
    await own.close();
  }
});

faultTest(
  'a graphics processor without memory is told, and the CPU checks instead',
  async ({ page }) => {
    await chooseDevice(page, 'webgpu');
    const full = await check(page, 'full.png', SMALL);
    assert.equal(full.code, 'device_failed', full.text);
    assert.equal(full.details, 'full', full.text);
    const found = await again(page, english.failure.useCpu);
    assert.equal(found.outcome, 'matches', found.text);
    await page.locator('#outcome .device[data-device=cpu]').waitFor();
  },
  {
    // A check's first map is as large as the adapter has no room for, which it answers as it does.
    workers: {
      'engine/worker.js': `const create = GPUDevice.prototype.createBuffer;
        GPUDevice.prototype.createBuffer = function (wanted) {
          const size = wanted.size < 50_000 ? wanted.size : this.limits.maxBufferSize;
          return create.call(this, { ...wanted, size });
        };`,
    },
  },
);

faultTest('a worker that the browser ends is noticed, and the next check has another', async ({ page }) => {
  await chooseDevice(page, 'cpu');
  await begin(page, 'ended.png', LARGE);
  await computing(page);
  page.workers()[0].evaluate(() => self.close()).catch(() => {});
  const ended = await settled(page, { timeout: 30_000 });
  assert.equal(ended.code, 'engine_stopped', ended.text);
  assert.equal(ended.details, 'ended', ended.text);
  assert.ok(ended.text.includes(english.failure.stoppedAdvice), ended.text);
  assert.equal((await check(page, 'after.png', SMALL)).outcome, 'matches');
  // Ended while nothing is asked of it, nobody need know either.
  const closed = page.workers()[0].evaluate(() => {
    self.close();
    return new Promise(() => {});
  });
  await closed.catch(() => {});
  assert.equal((await check(page, 'later.png', SMALL)).outcome, 'matches');
});

faultTest(
  'where there are no locks, a check works as ever',
  async ({ page }) => {
    assert.equal((await check(page, 'plain.png', SMALL)).outcome, 'matches');
  },
  {
    workers: { 'engine/worker.js': `Object.defineProperty(WorkerNavigator.prototype, 'locks', { value: undefined });` },
    page: () => Object.defineProperty(Navigator.prototype, 'locks', { value: undefined }),
  },
);

test('a check whose helpers end in the middle of it ends well without them', { timeout: 300_000 }, async () => {
  const script = `let asked = 0;
    addEventListener('message', (event) => {
      asked += 1;
      if (asked < 4) return;
      event.stopImmediatePropagation();
      self.close();
    });`;
  // What a worker starts, no route of the browser's sees.
  const folder = await mkdtemp(resolve(tmpdir(), 'aedr-'));
  await mkdir(resolve(folder, 'www/engine'), { recursive: true });
  const helper = await readFile(resolve(DIST, 'www/engine/helper.js'), 'utf8');
  await writeFile(resolve(folder, 'www/engine/helper.js'), `${script}\n${helper}`);
  const changed = await serveTiny({ directories: [folder, ...TINY_FOLDERS] });
  const { page, context } = await openTiny(browser, changed.address);
  try {
    await chooseDevice(page, 'cpu');
    const found = await check(page, 'alone.png', busyPng(256));
    // The orientation control speaks against what the calibration says of every image.
    assert.deepEqual([found.code, found.outcome], [null, 'cannot_tell'], found.text);
    await page.locator('#outcome .device[data-device=cpu][data-threads="1"]').waitFor();
  } finally {
    await context.close();
    await changed.close();
    await rm(folder, { recursive: true });
  }
});

test('memory that the module cannot have is told, and a smaller image is checked', { timeout: 300_000 }, async () => {
  // At most 96 MB for a module.
  const narrow = await launch({ more: ['--js-flags=--wasm-max-mem-pages=1536'] });
  try {
    const { page } = await openTiny(narrow, server.address);
    await chooseDevice(page, 'cpu');
    const stopped = await check(page, 'large.png', busyPng(2048));
    assert.equal(stopped.code, 'engine_stopped', stopped.text);
    assert.ok(stopped.text.includes(english.failure.stoppedAdvice), stopped.text);
    assert.equal((await check(page, 'small.png', SMALL)).outcome, 'matches');
  } finally {
    await narrow.close();
  }
});

/**
 * How the weights may fail to come: what the host gives, the code, and what is named besides the file.
 * @type {[string, any, string, RegExp][]}
 */
const BROKEN = [
  ['the host fails', 500, 'weights_missing', /\b500\b/],
  ['the connection is cut', { answer: cut }, 'weights_missing', /^/],
  ['half of them come', (/** @type {Buffer} */ bytes) => bytes.subarray(0, 9000), 'weights_corrupt', /\b9000\b/],
  ['too many come', (/** @type {Buffer} */ bytes) => Buffer.concat([bytes, bytes]), 'weights_corrupt', /\d{4}/],
  ['a web page comes instead', '<!doctype html><title>Sign in</title>', 'weights_corrupt', /\b37\b/],
];

test('weights that do not come as they should are told, and trying again works', { timeout: 300_000 }, async () => {
  const host = await reverseProxy(server.address);
  try {
    for (const [how, instead, code, named] of BROKEN) {
      const { page, context } = await openTiny(browser, host.address);
      host.instead.set(SHARD, instead);
      const broken = await check(page, 'broken.png', SMALL);
      assert.equal(broken.code, code, `${how}: ${broken.text}`);
      assert.match(broken.text, /shard-00\.safetensors/i, how);
      assert.match(broken.text, named, how);
      host.instead.clear();
      assert.equal((await again(page)).outcome, 'matches', how);
      await context.close();
    }
  } finally {
    await host.close();
  }
});

faultTest('a web page in place of the list of models is told, and trying again works', async ({ page, context }) => {
  const signIn = (/** @type {import('playwright-core').Route} */ route) =>
    route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>Sign in</title>' });
  await context.route('**/weights/index.json', signIn);
  const { code, text } = await check(page, 'portal.png', SMALL);
  assert.equal(code, 'manifest_invalid', text);
  assert.match(text, /weights\/index\.json/i);
  await context.unroute('**/weights/index.json', signIn);
  assert.equal((await again(page)).outcome, 'matches');
});

test('weights that never end are cancelled at once, and the next check has them', { timeout: 300_000 }, async () => {
  const host = await reverseProxy(server.address);
  const { page, context } = await openTiny(browser, host.address);
  try {
    const whole = await readFile(resolve(ROOT, 'dist-test', SHARD));
    host.instead.set(SHARD, { answer: (/** @type {any} */ response) => drip(response, whole) });
    await begin(page, 'slow.png', SMALL);
    await page.locator('#working[data-stage=weights]').waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    assert.equal((await settled(page, { timeout: 10_000 })).code, 'cancelled');
    host.instead.clear();
    assert.equal((await check(page, 'after.png', SMALL)).outcome, 'matches');
  } finally {
    await context.close();
    await host.close();
  }
});

/** A little at a time, without end. @param {import('node:http').ServerResponse} response @param {Buffer} whole */
function drip(response, whole) {
  response.writeHead(200, { 'Content-Length': whole.length });
  let at = 0;
  const timer = setInterval(() => response.write(whole.subarray(at, ++at)), 100);
  response.on('close', () => clearInterval(timer));
}

/** The beginning of a body, and then no connection. @param {import('node:http').ServerResponse} response */
function cut(response) {
  response.writeHead(200, { 'Content-Length': 100_000 });
  response.write(Buffer.alloc(5000), () => response.destroy());
}
