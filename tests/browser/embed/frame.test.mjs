/** The frame in other sites’ pages, and their way to talk to it. */

import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { test } from 'node:test';
import axe from 'axe-core';
import { serveDemos } from '../../../scripts/demos.mjs';
import { DIST, give, openPage, sampleBytes, sampleList, serve, settled } from '../support/browser.mjs';
import { smallPart } from '../support/encoded-images.mjs';
import {
  answerByName,
  browser,
  choose,
  elsewhere,
  focused,
  frameTest,
  inside,
  markup,
  origin,
  outcome,
  SANDBOX,
  server,
  site,
  started,
  tools,
  within,
} from '../support/framed-page.mjs';
import { busyPng } from '../support/image-files.mjs';
import { english } from '../support/messages.mjs';

test('an image of the page around is checked as the page of aedr checks it', { timeout: 120_000 }, async () => {
  const { file } = (await sampleList()).find(({ decoded }) => decoded);
  const bytes = await smallPart(browser, server.address, await sampleBytes(file));
  const own = await openPage(browser, server.address, { acceptDownloads: true });
  await give(own.page, 'drop', 'painted.png', bytes);
  assert.equal((await settled(own.page)).outcome, 'matches');
  const [download] = await Promise.all([
    own.page.waitForEvent('download'),
    own.page.getByRole('button', { name: english.exports.json }).click(),
  ]);
  const chunks = [];
  for await (const chunk of await download.createReadStream()) chunks.push(chunk);
  const wanted = JSON.parse(Buffer.concat(chunks).toString());
  await own.context.close();

  const { context, page, requests, complaints } = await openPage(browser, elsewhere(site.page(markup())));
  await page.evaluate(tools, { origin, image: bytes.toString('base64') });
  const { record, seen, height } = await page.evaluate(async () => {
    // Nobody waits for the frame to be loaded.
    const frame = await connect();
    const heights = [];
    frame.addEventListener('resize', ({ detail }) => heights.push(detail.height));
    const seen = [];
    const record = await frame.check(image, { name: 'painted.png', onProgress: (progress) => seen.push(progress) });
    return { record, seen, height: heights.at(-1) };
  });
  const { created_at: time, ...rest } = record;
  const { created_at: before, ...others } = wanted;
  assert.ok(time && before);
  assert.deepEqual(rest, others);
  assert.equal(record.ranking.outcome, 'matches');
  const fractions = seen.map(({ fraction }) => fraction);
  assert.deepEqual(
    fractions,
    fractions.toSorted((a, b) => a - b),
  );
  assert.ok(seen.some(({ stage }) => stage === 'decode_first') && fractions.at(-1) > 0.5, JSON.stringify(seen.at(-1)));
  // What was told can be seen, and by whom it was asked.
  await outcome(page, english.outcomes.matches.heading).waitFor();
  await inside(page).getByText(english.frame.embedder).waitFor();
  await inside(page).getByText(english.demonstration.text).waitFor();
  assert.ok(height > 300, `${height}`);
  const strangers = requests.filter((url) => ![origin, elsewhere(site.origin)].includes(new URL(url).origin));
  assert.deepEqual(
    strangers.filter((url) => !url.startsWith('blob:')),
    [],
  );
  assert.deepEqual(complaints, []);
  await context.close();
});

frameTest('a check is cancelled by the page around, and the next one works', async ({ page }) => {
  const told = await page.evaluate(async () => {
    const frame = await connect();
    const controller = new AbortController();
    const slow = { name: 'slow.png', signal: controller.signal, onProgress: () => controller.abort() };
    const late = { name: 'waits.png', signal: AbortSignal.abort() };
    const cancelled = await Promise.all([slow, late].map((options) => globalThis.told(frame.check(image, options))));
    const next = await told(frame.check(image, { name: 'next.png' }));
    return { cancelled: cancelled.map(({ code }) => code), next: next.value.image.name };
  });
  assert.deepEqual(told, { cancelled: ['cancelled', 'cancelled'], next: 'next.png' });
  await outcome(page, english.outcomes.matches.heading).waitFor();
});

frameTest('a reader can end the check, and start one of their own', async ({ page }) => {
  await page.evaluate(async () => {
    globalThis.frame = await connect();
    globalThis.first = told(frame.check(image, { name: 'slow.png' }));
  });
  await inside(page).getByRole('button', { name: english.page.cancel }).click();
  assert.equal((await page.evaluate(() => globalThis.first)).code, 'cancelled');
  await page.evaluate(() => {
    globalThis.second = told(frame.check(image, { name: 'slow.png' }));
    globalThis.third = told(frame.check(image, { name: 'third.png' }));
  });
  await inside(page).getByRole('button', { name: english.page.cancel }).waitFor();
  await inside(page).getByRole('button', { name: english.frame.own }).click();
  const taken = await page.evaluate(() => globalThis.second);
  assert.equal(taken.code, 'frame_taken');
  assert.match(taken.advice, /\w/);
  // Until the reader is done the page around waits.
  assert.equal(await focused(page), english.page.choose);
  await choose(page, 'photo of mine.png', busyPng(64));
  await outcome(page, english.outcomes.does_not_match.heading).waitFor();
  assert.equal((await page.evaluate(() => globalThis.third)).value.image.name, 'third.png');
  assert.equal((await page.evaluate(() => frame.check(image, { name: 'fourth.png' }))).image.name, 'fourth.png');
  // The reader's answer stays until the reader is done with it, and the reader goes first.
  await inside(page).getByText(english.frame.reader).waitFor();
  assert.equal(await outcome(page, english.outcomes.does_not_match.heading).count(), 1);
  await page.evaluate(async () => {
    await new Promise((resolve) => {
      globalThis.fifth = told(frame.check(image, { name: 'slow.png', onProgress: resolve }));
    });
  });
  await choose(page, 'mine.png', busyPng(64), english.page.chooseAnother);
  await outcome(page, english.outcomes.matches.heading).waitFor();
  assert.equal((await page.evaluate(() => globalThis.fifth)).code, 'frame_taken');
  await inside(page).getByRole('button', { name: english.frame.remove }).click();
  await inside(page).getByText(english.frame.idle).waitFor();
  assert.equal(await focused(page), english.page.choose);
  await page.evaluate(() => frame.check(image, { name: 'photo.png' }));
  await outcome(page, english.outcomes.does_not_match.heading).waitFor();
  await inside(page).getByText(english.frame.embedder).waitFor();
});

frameTest('a reader who takes a picture away in the middle gives the frame back', async ({ page }) => {
  await page.evaluate(async () => {
    globalThis.frame = await connect();
    globalThis.busy = [];
    frame.addEventListener('busy', ({ detail }) => busy.push(detail.busy));
  });
  await choose(page, 'slow mine.png', busyPng(64));
  await inside(page).getByRole('button', { name: english.frame.remove }).click();
  assert.equal((await page.evaluate(() => frame.check(image, { name: 'next.png' }))).image.name, 'next.png');
  await outcome(page, english.outcomes.matches.heading).waitFor();
  assert.deepEqual(await page.evaluate(() => globalThis.busy), [true, false]);
});

frameTest('what a frame may do is enough to save the report and to open the page', async ({ page, context }) => {
  await choose(page, 'mine.png', busyPng(64));
  const saving = page.waitForEvent('download');
  await inside(page).getByRole('button', { name: english.exports.json }).click();
  assert.equal((await saving).suggestedFilename(), 'mine.png.aedr.json');
  const opening = context.waitForEvent('page');
  await inside(page).getByRole('link', { name: english.frame.ownPage }).click();
  const opened = await opening;
  await opened.getByRole('heading', { level: 1, name: english.page.headline }).waitFor();
  assert.equal(await opened.evaluate(() => window.opener), null);
});

frameTest('a frame that is loaded anew in the middle says so, and is asked again', async ({ page }) => {
  const told = await page.evaluate(async () => {
    const frame = await connect();
    const slow = globalThis.told(frame.check(image, { name: 'slow.png', onProgress: () => (iframe.src += '&again') }));
    const { code, message, advice } = await slow;
    const record = await frame.check(image, { name: 'after.png' });
    return { code, message, advice, name: record.image.name };
  });
  assert.deepEqual([told.code, told.name], ['frame_reloaded', 'after.png']);
  assert.ok(told.message && told.advice);
});

frameTest(
  'a frame that is loaded when a reader comes near it is connected then',
  async ({ page }) => {
    const before = await page.evaluate(() => {
      globalThis.connecting = connect();
      return iframe.contentDocument?.URL;
    });
    assert.equal(before, 'about:blank');
    await page.locator('iframe').scrollIntoViewIfNeeded();
    const record = await page.evaluate(async () => (await globalThis.connecting).check(image, { name: 'late.png' }));
    assert.equal(record.image.name, 'late.png');
  },
  { html: () => `<p style="height: 20000px">A long article</p>${markup(`${SANDBOX} loading="lazy"`)}` },
);

frameTest(
  'a frame that may not run says so, to those who look and to the page around',
  async ({ page }) => {
    await inside(page).locator('#unstarted p').first().waitFor();
    const told = await page.evaluate(() => globalThis.told(connect()));
    assert.equal(told.code, 'frame_sandboxed');
    assert.ok(told.message.includes('allow-same-origin') && !told.message.includes('allow-scripts'), told.message);
    const scriptless = await page.evaluate(() => {
      iframe.setAttribute('sandbox', '');
      return globalThis.told(connect());
    });
    for (const part of ['allow-scripts', 'allow-same-origin']) assert.ok(scriptless.message.includes(part), scriptless.message);
  },
  {
    html: () => markup('sandbox="allow-scripts"'),
    expected: /sandboxed|origin 'null'|ERR_BLOCKED|ERR_FAILED|storage/i,
  },
);

frameTest(
  'a frame of which a part does not arrive says so',
  async ({ page }) => {
    const told = await page.evaluate(() => globalThis.told(connect()));
    assert.equal(told.code, 'program_missing');
    assert.ok(told.advice);
    // At once, and not only when it has taken too long.
    const text = inside(page).locator('#unstarted p').first();
    assert.equal(await text.evaluate((node) => getComputedStyle(node).visibility), 'visible');
  },
  {
    prepare: (context) => context.route('**/www/embed/internal/element.js', (route) => route.abort()),
    expected: /ERR_FAILED/,
  },
);

test('the frame alone may be shown by other sites, also by those that are isolated', { timeout: 60_000 }, async () => {
  const headersOf = async (/** @type {string} */ path) => (await fetch(`${server.address}${path}`)).headers;
  const policyOf = async (/** @type {string} */ path) => (await headersOf(path)).get('Content-Security-Policy') ?? '';
  assert.match(await policyOf('embed.html'), /frame-ancestors \*$/);
  assert.equal((await headersOf('embed.html')).get('Cross-Origin-Resource-Policy'), 'cross-origin');
  for (const path of ['', 'index.html', 'www/embed/internal/frame.js', 'www/engine/worker.js']) {
    assert.match(await policyOf(path), /frame-ancestors 'none'$/, path);
    assert.equal((await headersOf(path)).get('Cross-Origin-Resource-Policy'), 'same-origin', path);
  }
  const some = await serve({ directories: [DIST], embedders: 'https://news.example' });
  const policy = (await fetch(`${some.address}embed.html?locale=en`)).headers.get('Content-Security-Policy');
  await some.close();
  assert.match(policy ?? '', /frame-ancestors https:\/\/news\.example$/);
  // A page that is isolated shows only frames that allow it.
  const html = markup(`${SANDBOX} allow="cross-origin-isolated"`);
  const { context, page } = await openPage(browser, `${elsewhere(site.page(html))}&isolated`);
  await started(page);
  for (const place of [page, within(page)]) assert.equal(await place.evaluate(() => crossOriginIsolated), true);
  await context.close();
});

test('what keeps the page for offline use answers for the frame with the frame', { timeout: 60_000 }, async () => {
  const { context, page } = await openPage(browser, server.address, { serviceWorkers: 'allow' });
  await page.evaluate(async () => {
    await navigator.serviceWorker.ready;
  });
  await page.reload();
  await page.waitForFunction(() => navigator.serviceWorker.controller);
  for (const address of ['embed.html', 'embed.html?locale=en']) {
    const response = await page.goto(`${server.address}${address}`);
    assert.equal(await page.locator('meta[name="aedr-embedders"]').getAttribute('content'), '*');
    await page.locator('.told').waitFor();
    assert.match(response?.headers()['content-security-policy'] ?? '', /frame-ancestors \*$/);
  }
  await context.close();
});

test('the demonstration shows what its page is told, and what not', { timeout: 60_000 }, async () => {
  const demos = await serveDemos({ page: DIST, package: resolve(DIST, 'no-package') });
  const { context, page, complaints } = await openPage(browser, 'about:blank');
  try {
    await answerByName(context);
    await page.goto(`${demos.address}frame.html`);
    await inside(page).getByRole('button', { name: english.page.choose }).waitFor();
    await page.getByRole('button', { name: 'Dahlia' }).click();
    await page.getByText('dahlia.png: consistent with the demonstration model').waitFor();
    await page.getByText('The whole report').click();
    assert.equal(JSON.parse(await page.locator('#record').innerText()).image.name, 'dahlia.png');
    await inside(page).getByRole('button', { name: english.frame.own }).click();
    await page.getByText('a check of the reader’s runs').waitFor();
    await choose(page, 'photo of mine.png', busyPng(64));
    await page.getByText('the reader’s check has ended').waitFor();
    assert.doesNotMatch(await page.locator('main').innerText(), /of mine/);
    assert.deepEqual(complaints, []);
  } finally {
    await context.close();
    await demos.close();
  }
});

for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
  frameTest(
    `axe finds nothing in the frame, ${colorScheme}`,
    async ({ page }) => {
      await page.evaluate(async () => (globalThis.frame = await connect()));
      await started(page);
      await within(page).evaluate(axe.source);
      const look = async (/** @type {string} */ state) => {
        const { violations, passes } = await within(page).evaluate(() => globalThis.axe.run(document));
        const told = violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html.slice(0, 160))]);
        assert.deepEqual(told, [], state);
        assert.ok(passes.length > 15, `${passes.length} rules applied`);
      };
      await look('idle');
      await page.evaluate(() => frame.check(image, { name: 'photo.png' }));
      await outcome(page, english.outcomes.does_not_match.heading).waitFor();
      await look('result');
    },
    { options: { colorScheme, viewport: { width: 400, height: 700 }, bypassCSP: true } },
  );
}

frameTest(
  'a Chinese reader is spoken to in Chinese, errors that the page around may show too',
  async ({ page }) => {
    await inside(page).getByText('外面的网页').first().waitFor();
    const told = await page.evaluate(async () => {
      const channel = await raw();
      await channel.next(({ type }) => type === 'ready');
      channel.port.postMessage({ type: 'check', id: 1 });
      return (await channel.next(({ type }) => type === 'error')).error;
    });
    assert.match(told.message, /^嵌入框无法理解/);
  },
  { options: { locale: 'zh-CN' }, html: () => markup(SANDBOX, `${origin}/embed.html`) },
);
