/** The page for everyone: accessibility's rules, the keyboard alone, 320 pixels, forced colours, languages. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import axe from 'axe-core';
import * as english from '../../../www/texts/en.js';
import * as chinese from '../../../www/texts/zh-Hans.js';
import { DIST, give, launch, openPage, sampleBytes, sampleList, serve, settled } from '../support/browser.mjs';
import { smallPart } from '../support/encoded-images.mjs';

/** @typedef {import('playwright-core').Page} Page */

/** @type {Awaited<ReturnType<typeof serve>>} */
let server;
/** @type {import('playwright-core').Browser} */
let browser;
/** @type {Buffer} */
let small;

before(async () => {
  server = await serve({ directories: [DIST] });
  browser = await launch();
  const { file } = (await sampleList()).find(({ decoded }) => decoded);
  small = await smallPart(browser, server.address, await sampleBytes(file));
});

after(async () => {
  await browser?.close();
  await server?.close();
});

/** @param {string} name @param {(page: Page) => Promise<void>} body @param {any} [options] Of the browser's context. */
function pageTest(name, body, options) {
  test(name, { timeout: 600_000 }, async () => {
    const { page, context } = await openPage(browser, server.address, options);
    try {
      await body(page);
    } finally {
      await context.close();
    }
  });
}

/** What a person can come to see, one after the other. @param {Page} page @param {(state: string) => Promise<void>} look */
async function everyState(page, look) {
  await page.locator('.sample img').last().waitFor();
  await look('idle');
  await page.locator('#settings summary').click();
  await look('settings');
  await page.locator('#settings summary').click();
  await give(page, 'drop', 'letter.txt', Buffer.from('Dear reader, this is no image.'));
  await settled(page);
  await look('error');
  await give(page, 'drop', 'small.png', small);
  await page.waitForFunction(() => document.body.dataset.phase === 'result', null, { timeout: 120_000 });
  await page.locator('.viewer').waitFor();
  for (const summary of await page.locator('#outcome summary, #details summary').all()) await summary.click();
  await look('result');
  const files = ['a.png', 'b.png'].map((name) => ({ name, mimeType: 'image/png', buffer: small }));
  await page.locator('#file').setInputFiles(files);
  await page.waitForFunction(() => document.querySelectorAll('#table tbody tr[data-kind="matches"]').length >= 2, null, {
    timeout: 120_000,
  });
  await look('table');
  await page.locator('#models').click();
  await page.locator('#storage-line').filter({ hasText: /\S/ }).waitFor();
  await look('models');
}

for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
  pageTest(
    `axe finds nothing, ${colorScheme}`,
    async (page) => {
      await page.evaluate(axe.source);
      await everyState(page, async (state) => {
        const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
        const told = found.violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html.slice(0, 160))]);
        assert.deepEqual(told, [], state);
        assert.ok(found.passes.length > 15, `${found.passes.length} rules applied`);
      });
    },
    { colorScheme, reducedMotion: 'reduce' },
  );
}

pageTest(
  'nothing is wider than a window of 320 pixels',
  async (page) => {
    await everyState(page, async (state) => {
      // What scrolls by itself may be wider.
      const wide = await page.evaluate(() => {
        const scroller = document.querySelector('dialog[open]') ?? document.scrollingElement;
        return scroller.scrollWidth - scroller.clientWidth;
      });
      assert.equal(wide, 0, state);
    });
  },
  { viewport: { width: 320, height: 640 } },
);

pageTest(
  'nothing moves for who asked for less motion',
  async (page) => {
    await give(page, 'drop', 'small.png', small);
    await page.locator('#working').waitFor();
    assert.equal(await page.evaluate(() => document.getAnimations().length), 0);
    await settled(page);
    assert.equal(await page.evaluate(() => document.getAnimations().length), 0);
  },
  { reducedMotion: 'reduce' },
);

pageTest('from the first key to the saved report without a mouse', async (page) => {
  const focused = () => page.evaluate(() => (document.activeElement?.textContent || document.activeElement?.getAttribute('aria-label')) ?? '');
  /** Presses Tab until it is there. @param {string} name How its text begins. @param {string} key */
  const go = async (name, key = 'Tab') => {
    for (let pressed = 0; pressed < 80; pressed++) {
      await page.keyboard.press(key);
      const text = await focused();
      if (text.startsWith(name)) return;
    }
    assert.fail(`${name} was not reached`);
  };
  // Long before the key is pressed: the browser has to be told that choosers are caught.
  const choosing = page.waitForEvent('filechooser', { timeout: 60_000 });
  await page.locator('.sample img').last().waitFor();
  await go(english.page.skip);
  await page.keyboard.press('Enter');
  await go(english.page.choose);
  await page.keyboard.press('Enter');
  await (await choosing).setFiles({ name: 'small.png', mimeType: 'image/png', buffer: small });
  await page.locator('#outcome[data-outcome=matches]').waitFor({ timeout: 120_000 });
  assert.ok((await page.locator('#status').textContent())?.startsWith(english.outcomes.matches.heading));
  await page.locator('.viewer').waitFor();
  await go(english.result.meaningSummary);
  await page.keyboard.press('Enter');
  for (const text of english.meanings.matches.meansNot) assert.ok(await page.getByText(text).isVisible(), text);
  await go(english.evidenceMap.viewLabel);
  await page.keyboard.press('+');
  await go(english.exports.json);
  const saving = page.waitForEvent('download');
  await page.keyboard.press('Enter');
  assert.equal((await saving).suggestedFilename(), 'small.png.aedr.json');
});

pageTest(
  'in forced colours what is chosen can be seen',
  async (page) => {
    await give(page, 'drop', 'small.png', small);
    await settled(page);
    await page.locator('.viewer').waitFor();
    const [chosen, other] = await page
      .locator('.layers span')
      .evaluateAll((spans) => spans.map((span) => getComputedStyle(span).backgroundColor));
    assert.notEqual(chosen, other);
    const [line, ground] = await page.locator('.plot').evaluate((plot) => [
      getComputedStyle(plot.querySelector('.needle-line')).stroke,
      getComputedStyle(document.body).backgroundColor,
    ]);
    assert.notEqual(line, ground);
  },
  { forcedColors: 'active', colorScheme: 'light' },
);

/** Where sentences stand in a catalogue. @param {any} value @param {string} path @returns {string[]} */
function places(value, path = '') {
  if (typeof value !== 'object' || value === null) return [`${path}: ${typeof value}`];
  if (Array.isArray(value)) return [`${path}: list`];
  return Object.entries(value).flatMap(([key, inner]) => places(inner, `${path}.${key}`));
}

test('both catalogues have every sentence', () => {
  // English ones of these are the module's own.
  const { remarks, problems, ...ours } = { ...english };
  const { remarks: said, problems: wrong, ...theirs } = { ...chinese };
  assert.deepEqual(places(theirs).sort(), places(ours).sort());
  assert.deepEqual([remarks, problems], [{}, {}]);
  assert.ok(Object.keys(said).length > 10 && Object.keys(wrong).length > 10);
});

/** Every code that the module remarks or fails with has Chinese words. */
test('every code of the module has words in Chinese', async () => {
  const source = (/** @type {string} */ file) => readFile(new URL(`../../../src/${file}`, import.meta.url), 'utf8');
  const codes = async (/** @type {string} */ file, /** @type {RegExp} */ pattern) =>
    [...(await source(file)).split('#[cfg(test)]')[0].matchAll(pattern)].map(([, code]) => code);
  const remarks = [
    ...(await codes('report/check.rs', /Message::new\(\s*"(\w+)"/g)),
    ...(await codes('evidence/ranking.rs', /Message::new\(\s*"(\w+)"/g)),
    ...(await codes('evidence/verdict.rs', /(?:Message::new|cannot_tell)\(\s*"(\w+)"/g)),
  ];
  assert.ok(remarks.length > 10, remarks.join());
  for (const code of remarks) assert.ok(code in chinese.remarks, `remark ${code}`);
  const failures = await codes('error.rs', /=> "(\w+)",/g);
  assert.ok(failures.length > 10, failures.join());
  // Those that a page can never come to.
  const native = ['file', 'not_the_same', 'cancelled'];
  for (const code of failures) assert.ok(code in chinese.problems || native.includes(code), `error ${code}`);
});

pageTest(
  'a Chinese browser is spoken to in Chinese, and the choice of a language keeps the image',
  async (page) => {
    assert.equal(await page.getAttribute('html', 'lang'), 'zh-Hans');
    assert.match(await page.locator('h1').innerText(), /\p{Script=Han}/u);
    await give(page, 'drop', 'small.png', small);
    await settled(page);
    await page.locator('.viewer').waitFor();
    const text = await page.locator('main').innerText();
    assert.match(text, /\p{Script=Han}/u);
    // Whole English sentences are left in what comes from elsewhere alone.
    const sentences = text.match(/[A-Z][a-z]+( [a-z]+){4,}/g) ?? [];
    assert.deepEqual(sentences, []);
    await page.locator('#settings summary').click();
    await page.getByLabel('Language').selectOption('English');
    await page.locator('h1', { hasText: english.page.headline }).waitFor();
    assert.equal(await page.getAttribute('html', 'lang'), 'en');
    // The image came along.
    await page.locator('#caption', { hasText: 'small.png' }).waitFor();
    assert.equal((await settled(page)).outcome, 'matches');
    await page.reload();
    assert.equal(await page.getAttribute('html', 'lang'), 'en');
  },
  { locale: 'zh-CN' },
);

/** The English catalogue with every sentence in brackets and half as long again. */
const PSEUDO = `
  import * as original from './en.js?original';
  const wrapped = (value) => {
    if (typeof value === 'string') return /\\\\p{L}{2}/u.test(value) ? '⟦' + value + ' ~'.repeat(value.length / 4) + '⟧' : value;
    if (typeof value === 'function') return (...given) => wrapped(value(...given));
    if (Array.isArray(value)) return value.map(wrapped);
    if (value && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, wrapped(inner)]));
    return value;
  };
  ${Object.keys(english)
    .map((name) => `export const ${name} = wrapped(original.${name});`)
    .join('\n')}`;

pageTest('no sentence is outside the catalogue, and longer ones fit', async (page) => {
  await page.context().route(/texts\/en\.js$/, (route) =>
    route.fulfill({ contentType: 'text/javascript; charset=utf-8', body: PSEUDO.replaceAll('\\\\p', '\\p') }),
  );
  await page.reload();
  await everyState(page, async (state) => {
    const { stray, wide } = await page.evaluate(() => {
      const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      const stray = [];
      while (walker.nextNode()) {
        const { data, parentElement: parent } = walker.currentNode;
        if (!/\p{L}{3}/u.test(data) || /⟦|⟧/.test(data)) continue;
        // What is from files, models and sites, and a code.
        if (parent.closest('noscript, .wordmark, #credit-list, #models-known strong, select, .sample-title, .symbol, code, .repeat dd, [translate=no], a')) continue;
        if (!parent.checkVisibility()) continue;
        stray.push(data.trim());
      }
      const scroller = document.querySelector('dialog[open]') ?? document.scrollingElement;
      return { stray, wide: scroller.scrollWidth - scroller.clientWidth };
    });
    const known = /^(letter\.txt|This is not an image .*|Use a PNG, .*|small\.png|[ab]\.png|aedr’s demonstration model|PNG|TAE\w+|SD .*|.*\.aedr\.json)$/;
    assert.deepEqual(stray.filter((text) => !known.test(text)), [], state);
    assert.equal(wide, 0, state);
  });
});
