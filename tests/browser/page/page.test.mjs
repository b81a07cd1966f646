/** The built page in Chromium, by a person's actions. WebGPU is SwiftShader's: slow and exact. */
// Takes long.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { after, before, test } from 'node:test';
import {
  chooseDevice,
  COMPUTING,
  DIST,
  give,
  launch,
  openPage,
  sampleBytes,
  sampleList,
  serve,
  settled,
} from '../support/browser.mjs';
import { encode, smallPart } from '../support/encoded-images.mjs';
import { busyPng, png, pngClaiming, withText } from '../support/image-files.mjs';
import { ANY, english, pattern } from '../support/messages.mjs';

/** @type {Awaited<ReturnType<typeof serve>>} */
let server;
/** @type {import('playwright-core').Browser} */
let browser;
/** @type {import('../../../www/intake/samples.js').Sample} */
let decoded;
/** @type {import('../../../www/intake/samples.js').Sample} */
let photograph;
/** A part of the decoded sample, which is decoded as well. */
let small = Buffer.alloc(0);

before(async () => {
  server = await serve({ directories: [DIST] });
  browser = await launch();
  const samples = await sampleList();
  decoded = samples.find((sample) => sample.decoded);
  photograph = samples.find((sample) => !sample.decoded);
  assert.ok(decoded && photograph, 'the samples hold both kinds');
  small = await smallPart(browser, server.address, await sampleBytes(decoded.file));
});

after(async () => {
  await browser?.close();
  await server?.close();
});

/**
 * A test with a page of its own. Whatever it does, nothing may leave the origin and the browser may not
 * complain, except in ways that `expected` describes.
 * @param {string} name
 * @param {(page: import('playwright-core').Page, opened: Awaited<ReturnType<typeof openPage>>) => Promise<void>} body
 * @param {{expected?: RegExp}} [options]
 */
function pageTest(name, body, { expected } = {}) {
  test(name, { timeout: 600_000 }, async () => {
    const opened = await openPage(browser, server.address);
    try {
      await body(opened.page, opened);
      const origin = new URL(server.address).origin;
      const foreign = opened.requests.filter((url) => !/^(blob|data):/.test(url) && new URL(url).origin !== origin);
      assert.deepEqual(foreign, [], 'requests outside the origin');
      assert.deepEqual(
        opened.complaints.filter((text) => !expected?.test(text)),
        [],
        'complaints of the browser',
      );
    } finally {
      await opened.context.close();
    }
  });
}

pageTest('a photograph that is clicked does not match, on the CPU, and the page says why there', async (page) => {
  await page.getByRole('button', { name: photograph.title }).click();
  const { outcome, text } = await settled(page);
  assert.equal(outcome, 'does_not_match', text);
  assert.match(text, pattern(english.verdicts.does_not_match([ANY], '')));
  assert.deepEqual(await computedOn(page), { device: 'cpu', reason: 'software_adapter' });
  assert.ok(text.includes(english.device.why.software_adapter), text);
  assert.equal(await page.locator('#status').textContent(), english.outcomes.does_not_match.heading);
});

pageTest('an image that is pasted is checked', async (page) => {
  await give(page, 'paste', 'small.png', small);
  const { outcome, text } = await settled(page);
  assert.equal(outcome, 'matches', text);
  await page.locator('#details .notes', { hasText: english.result.pasted }).waitFor();
});

pageTest('an image that is picked is checked, with the keyboard', async (page) => {
  const choosing = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: english.page.choose }).focus();
  await page.keyboard.press('Enter');
  const file = { name: 'picked.png', mimeType: 'image/png', buffer: small };
  await (await choosing).setFiles(file);
  assert.equal((await settled(page)).outcome, 'matches');
  assert.equal(await page.locator('#caption').innerText(), 'picked.png');
});

pageTest('files that cannot be checked get a message that says what is wrong, and the page goes on', async (page) => {
  const sample = await sampleBytes(photograph.file);
  const jpeg = await encode(page, sample, 'image/jpeg');
  // What the message names of each: the thing that is wrong, not the words around it.
  const cases = /** @type {[string, Uint8Array, string, string[]][]} */ ([
    ['letter.txt', Buffer.from('Dear reader, this is no image.'), 'not_an_image', ['PNG', 'JPEG', 'WebP', 'GIF', 'BMP', 'TIFF']],
    ['empty.png', new Uint8Array(), 'not_an_image', []],
    ['drawing.svg', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), 'unsupported_image', ['SVG']],
    ['holiday.heic', heic(), 'unsupported_image', ['HEIC']],
    ['cut.png', busyPng(128).subarray(0, 900), 'image_truncated', []],
    ['cut.jpg', jpeg.subarray(0, Math.floor(jpeg.length / 2)), 'image_truncated', []],
    ['huge.png', pngClaiming(50_000, 50_000), 'image_too_large', ['50000 × 50000']],
    ['stamp.png', png(16, 16, () => [9, 9, 9]), 'image_too_small', ['16']],
  ]);
  const sentences = new Set();
  for (const [name, bytes, code, named] of cases) {
    await give(page, 'drop', name, bytes);
    await page.waitForFunction((name) => document.querySelector('#caption')?.textContent === name, name);
    const shown = await settled(page);
    assert.equal(shown.code, code, `${name}: ${shown.text}`);
    assert.ok(shown.text.startsWith(english.errors[code]), `${name}: ${shown.text}`);
    const said = await page.locator('#outcome .verdict').innerText();
    for (const part of named) assert.ok(shown.text.includes(part), `${name}: ${shown.text} does not name ${part}`);
    sentences.add(said);
  }
  assert.ok(sentences.size >= 6, 'each is told what is wrong with it');
  await give(page, 'drop', 'small.png', small);
  await page.waitForFunction(() => document.body.dataset.phase !== 'error');
  assert.equal((await settled(page)).outcome, 'matches');
});

pageTest('a file over 64 MB is refused before it is read', async (page) => {
  await page.evaluate(() => {
    const data = new DataTransfer();
    data.items.add(new File([new Uint8Array(65 * 1024 * 1024)], 'big.png', { type: 'image/png' }));
    document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
  });
  const { code, text } = await settled(page);
  assert.equal(code, 'file_too_large');
  assert.ok(text.includes(english.failure.fileTooLarge(65 * 1024 * 1024)), text);
});

pageTest('a dropped link and an empty clipboard are explained', async (page) => {
  await page.evaluate(() => {
    const data = new DataTransfer();
    data.setData('text/uri-list', 'https://example.org/a.png');
    document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
  });
  await page.getByText(english.intake.linkArrived).waitFor();
  await page.evaluate(() => {
    document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: new DataTransfer(), bubbles: true }));
  });
  await page.getByText(english.failure.emptyClipboard).waitFor();
});

pageTest(
  'weights that are missing are named, and trying again works once they are there',
  async (page, { context }) => {
    await context.route('**/*.safetensors', (route) => route.fulfill({ status: 404 }));
    await give(page, 'drop', 'small.png', small);
    const { code, text } = await settled(page);
    assert.equal(code, 'weights_missing');
    assert.match(text, /\.safetensors\b.*\b404\b/);
    await context.unroute('**/*.safetensors');
    await page.getByRole('button', { name: english.failure.tryAgain }).click();
    await page.waitForFunction(() => document.body.dataset.phase !== 'error');
    assert.equal((await settled(page)).outcome, 'matches');
  },
  { expected: /404/ },
);

pageTest('weights that arrive changed are refused', async (page, { context }) => {
  await context.route('**/*.safetensors', async (route) => {
    const response = await route.fetch();
    const body = await response.body();
    body[body.length - 1] ^= 1;
    await route.fulfill({ response, body });
  });
  await page.getByRole('button', { name: decoded.title }).click();
  const { code, text } = await settled(page);
  assert.equal(code, 'weights_corrupt', text);
  assert.match(text, /sha256/);
});

pageTest('a check can be cancelled, and the next one works', async (page) => {
  await chooseDevice(page, 'cpu');
  await give(page, 'drop', 'slow.png', busyPng(1024));
  // Cancelled while it computes, not while it downloads.
  await page.locator(COMPUTING).waitFor();
  const pressed = Date.now();
  await page.getByRole('button', { name: english.page.cancel }).click();
  const { code, text } = await settled(page);
  assert.ok(Date.now() - pressed < 4000, `${Date.now() - pressed} ms until it was cancelled`);
  assert.equal(code, 'cancelled');
  assert.ok(text.includes(english.failure.cancelled), text);
  await give(page, 'drop', 'small.png', small);
  await page.waitForFunction(() => document.body.dataset.phase !== 'error');
  assert.equal((await settled(page)).outcome, 'matches');
});

pageTest('a newer image supersedes an older check', async (page) => {
  await give(page, 'drop', 'slow.png', busyPng(1024));
  await page.locator(COMPUTING).waitFor();
  await page.getByRole('button', { name: decoded.title }).click();
  await page.locator('#caption', { hasText: decoded.title }).waitFor();
  assert.equal((await settled(page)).outcome, 'matches');
  // Two at once: only the later one is heard of.
  await give(page, 'drop', 'first.txt', Buffer.from('first'));
  await give(page, 'drop', 'second.png', small);
  await page.waitForFunction(() => document.querySelector('#caption')?.textContent === 'second.png');
  assert.equal((await settled(page)).outcome, 'matches');
});

pageTest(
  'an engine that stops is replaced',
  async (page, { context }) => {
    // Stands in for a trap inside WebAssembly: the promise never settles, an error goes to the worker.
    const body = `export default async () => {};
      export class Checker {
        static async create() { queueMicrotask(() => { throw new WebAssembly.RuntimeError('unreachable'); });
          return new Promise(() => {}); } }`;
    await context.route('**/pkg/aedr.js', (route) => route.fulfill({ contentType: 'text/javascript', body }));
    await give(page, 'drop', 'small.png', small);
    const { code, text } = await settled(page);
    assert.equal(code, 'engine_stopped', text);
    await context.unroute('**/pkg/aedr.js');
    await page.getByRole('button', { name: english.failure.useCpu }).click();
    await page.waitForFunction(() => document.body.dataset.phase !== 'error');
    const after = await settled(page);
    assert.equal(after.outcome, 'matches', after.text);
    assert.deepEqual(await computedOn(page), { device: 'cpu', reason: 'chosen' });
  },
  { expected: /unreachable/ },
);

pageTest('what the file says of itself stands apart, as plain text', async (page) => {
  await give(page, 'drop', 'small.png', small);
  const plain = await settled(page);
  assert.equal(await page.locator('.claims .hint').innerText(), english.claims.none);
  const settings = 'a castle <img src=x onerror="document.title=1">\nSteps: 20, Sampler: Euler a';
  await give(page, 'drop', 'told.png', withText(small, 'parameters', settings));
  await page.locator('.claims', { hasText: 'Steps: 20' }).waitFor();
  const told = await settled(page);
  // The file's words change nothing of the verdict, and are not read as a page.
  assert.deepEqual([told.outcome, plain.outcome], ['matches', 'matches']);
  const claims = page.locator('.claims');
  assert.equal(await claims.locator('dt').innerText(), english.claims.meanings.generated);
  assert.equal(await claims.locator('dd').innerText(), `parameters ${settings}`);
  assert.equal(await claims.locator('img').count(), 0);
  assert.equal(await claims.locator('.hint').innerText(), english.claims.hint);
});

// Late, because a software adapter keeps the machine busy.
pageTest('a decoded image that is dropped matches, on WebGPU', async (page, { requests }) => {
  await chooseDevice(page, 'webgpu');
  await give(page, 'drop', 'small.png', small);
  const { outcome, text } = await settled(page);
  assert.equal(outcome, 'matches', text);
  assert.match(text, pattern(english.verdicts.matches([ANY], '')));
  assert.ok(text.includes(english.demonstration.text), text);
  assert.deepEqual(await computedOn(page), { device: 'webgpu', reason: 'chosen' });
  assert.match(text, pattern(english.device.line(english.device.gpu(ANY), english.device.why.chosen, ANY)));
  const numbers = await page.locator('.numbers dd.value').allInnerTexts();
  const [robust, share] = numbers.splice(6);
  assert.equal(numbers.length, 6);
  for (const number of numbers) assert.ok(Number(number) > 0, number);
  assert.match(robust, /^−[01]\.\d{3} ± 0\.\d{3}$/);
  assert.match(share, /^(< )?0\.0\d* %$/);
  // So that the check on foreign requests means something: the worker's requests are among those seen.
  for (const file of ['aedr_bg.wasm', 'manifest.json', '.safetensors']) {
    assert.ok(requests.some((url) => url.endsWith(file)), `${file} was requested`);
  }
});

test('without WebGPU the page says so if a person insists, and offers the CPU', { timeout: 600_000 }, async () => {
  const plain = await launch({ webgpu: false });
  try {
    const { page } = await openPage(plain, server.address);
    await chooseDevice(page, 'webgpu');
    await give(page, 'drop', 'small.png', small);
    const { code, text } = await settled(page);
    assert.equal(code, 'no_webgpu', text);
    await page.getByRole('button', { name: english.failure.useCpu }).click();
    await page.waitForFunction(() => document.body.dataset.phase !== 'error');
    assert.equal((await settled(page)).outcome, 'matches');
    await chooseDevice(page, 'auto');
    await page.getByRole('button', { name: english.result.again }).click();
    await page.waitForFunction(() => document.body.dataset.phase !== 'result');
    await settled(page);
    const { device, reason } = await computedOn(page);
    assert.ok(device === 'cpu' && ['no_webgpu', 'no_adapter'].includes(reason ?? ''), `${device}: ${reason}`);
  } finally {
    await plain.close();
  }
});

/** Where the result says that it was computed, and why there. @param {import('playwright-core').Page} page */
async function computedOn(page) {
  const line = page.locator('#outcome .device');
  return { device: await line.getAttribute('data-device'), reason: await line.getAttribute('data-reason') };
}

/** The beginning of a HEIC file. */
function heic() {
  const box = Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1');
  return Buffer.concat([box, Buffer.alloc(64)]);
}

pageTest('looking deeper into a heavily compressed image does not rule the model out', async (page) => {
  const small = await encode(page, await sampleBytes(decoded.file), 'image/jpeg', { side: 128, quality: 0.2 });
  await give(page, 'drop', 'small.jpg', small);
  const reason = () => page.locator('#outcome .verdict').getAttribute('data-reason');
  assert.equal((await settled(page)).outcome, 'cannot_tell');
  assert.equal(await reason(), 'heavy_jpeg');
  await page.getByRole('button', { name: english.result.deeper }).click();
  const { outcome, text } = await settled(page);
  assert.equal(outcome, 'cannot_tell', text);
  assert.match((await reason()) ?? '', /^(heavy_jpeg|unmeasured_compression)$/);
});

pageTest('a picture that was cut is found when a person looks deeper', async (page) => {
  // Off the grid, by 3 pixels and 5; the sides stay multiples of 8.
  const cut = await encode(page, await sampleBytes(decoded.file), 'image/png', { side: 176, cut: [3, 5] });
  await give(page, 'drop', 'cut.png', cut);
  const first = await settled(page);
  assert.notEqual(first.outcome, 'matches', first.text);
  await page.getByRole('button', { name: english.result.deeper }).click();
  const { outcome, text } = await settled(page);
  assert.equal(outcome, 'matches', text);
  const alignment = { size: null, left: 5, top: 3 };
  assert.match(text, pattern(english.search.found({ alignment, contrast: Number.NaN, tried: ANY })));
  assert.match(text, pattern(english.evidence.measured({ searched: true, resized: false, compression: null })));
  assert.equal(await page.getByRole('button', { name: english.result.deeper }).count(), 0);
});
