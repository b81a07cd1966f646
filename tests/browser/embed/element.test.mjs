/**
 * `<aedr-check>` in pages of other sites, by what a reader does. The worker's answers are made up; `demos.test.mjs`
 * waits for real ones.
 */

import assert from 'node:assert/strict';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { after, before, test } from 'node:test';
import axe from 'axe-core';
import * as english from '../../../www/texts/en.js';
import * as chinese from '../../../www/texts/zh-Hans.js';
import { answerAlways, answerOf, HOSTILE_NAMES } from '../support/answers.mjs';
import { DIST, launch, openPage, ROOT, serve } from '../support/browser.mjs';
import { busyPng } from '../support/image-files.mjs';
import { imageSite } from '../support/image-site.mjs';

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {import('playwright-core').BrowserContext} Context */

/** A site's own, which allows the element what it needs and images from this machine. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' blob: data: http://127.0.0.1:*",
  "worker-src 'self'",
  "connect-src 'self' http://127.0.0.1:*",
  "require-trusted-types-for 'script'",
  'trusted-types aedr',
].join('; ');

/** @type {Awaited<ReturnType<typeof serve>>} */
let server;
/** @type {Awaited<ReturnType<typeof imageSite>>} */
let site;
/** @type {import('playwright-core').Browser} */
let browser;
/** Where the other site's pages are. */
let folder = '';

before(async () => {
  folder = await mkdtemp(resolve(tmpdir(), 'aedr-'));
  const headers = (/** @type {string} */ path) => (path === '/host.html' ? { 'Content-Security-Policy': POLICY } : {});
  server = await serve({ directories: [folder, DIST], isolated: false, headers });
  site = await imageSite(busyPng(64));
  browser = await launch({ webgpu: false });
});

after(async () => {
  await browser?.close();
  await server?.close();
  await site?.close();
  await rm(folder, { recursive: true });
});

/**
 * A page of another site that holds `markup`.
 * @param {string | (() => string)} markup
 * @param {{outcome?: import('../support/answers.mjs').Outcome | null, claims?: {meaning: string, field: string, text: string}[],
 *   known?: Parameters<typeof answerOf>[1]['known'], lang?: string, css?: string} & import('playwright-core').BrowserContextOptions} options `outcome`, `claims`: of every
 *   check; an outcome of null: no check ends.
 * @param {(page: Page, context: Context) => Promise<void>} body
 */
async function inPage(markup, { outcome = 'matches', claims, known, lang = 'en', css = '', ...options }, body) {
  const { page, context, complaints } = await openPage(browser, 'about:blank', options);
  const content = typeof markup === 'string' ? markup : markup();
  const html = `<!doctype html><html lang="${lang}"><head><meta charset="utf-8"><title>Another site</title>
    <meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
    <link rel="stylesheet" href="host.css"><link rel="icon" href="www/favicon.svg">
    <script type="module" src="www/embed/public/define.js"></script></head>
    <body><main><h1>News</h1>${content}</main></body></html>`;
  await writeFile(resolve(folder, 'host.html'), html);
  await writeFile(resolve(folder, 'host.css'), css);
  await (outcome ? answerAlways(context, answerOf(outcome, { claims, known })) : answerNever(context));
  try {
    await page.goto(`${server.address}host.html`);
    await body(page, context);
    // What a site forbids is named in the console, and so is an error that nobody caught.
    assert.deepEqual(complaints.filter((text) => !/CORS policy|Failed to load resource/.test(text)), []);
  } finally {
    await context.close();
  }
}

/** The worker begins, and goes on until it is cancelled. @param {Context} context */
async function answerNever(context) {
  const body = `import { answer } from './channel.js';
    answer(self, { check: (params, { signal, progress }) => new Promise((resolve, reject) => {
      progress({ stage: 'encode_first', fraction: 0.25 });
      signal.addEventListener('abort', () => reject(signal.reason));
    }) });`;
  await context.route('**/www/engine/worker.js', (route) => route.fulfill({ contentType: 'text/javascript', body }));
}

const ASK = english.page.headline;
const NAMED = '<aedr-check src="www/samples/dahlia.png"></aedr-check>';

/** @param {Page} page */
const outcomeOf = (page) => page.locator('aedr-check [part=outcome]');
/** @param {Page} page @param {string} name */
const button = (page, name) => page.getByRole('button', { name, exact: true });
/** What has the focus, in shadow trees too. @param {Page} page */
const focused = (page) =>
  page.evaluate(() => {
    let active = document.activeElement;
    while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
    return active?.textContent ?? '';
  });
/** @param {Page} page */
const checkers = (page) => page.workers().filter((worker) => worker.url().endsWith('/www/engine/worker.js'));

for (const outcome of /** @type {const} */ (['matches', 'does_not_match', 'cannot_tell'])) {
  test(`says what the page says: ${outcome}`, async () => {
    await inPage(NAMED, { outcome }, async (page) => {
      await button(page, ASK).click();
      assert.equal(await outcomeOf(page).innerText(), english.outcomes[outcome].heading);
      const box = page.locator('aedr-check [part=box]');
      const reason = outcome === 'cannot_tell' ? answerOf(outcome).ranking.reason.message : '';
      const verdict = english.verdicts[outcome]([english.demonstration.name], reason);
      assert.equal(await box.locator('[part=reason]').innerText(), verdict);
      assert.ok((await box.locator('[part=warning]').innerText()).includes(english.demonstration.text));
      await box.getByText(english.result.meaningSummary).click();
      const { meansNot } = english.embed.meanings[outcome];
      for (const sentence of meansNot) assert.ok(await box.getByText(sentence).isVisible());
      assert.ok(await box.getByText(english.embed.asked([english.demonstration.name])).isVisible());
      assert.ok(await box.getByText(english.intake.fromLink).isVisible(), 'where it comes from');
      await box.getByText(english.result.numbersHeading, { exact: true }).click();
      assert.equal(await box.locator('[part=details] dl > div').count(), 9);
      assert.equal(await button(page, english.result.deeper).isVisible(), outcome !== 'matches');
      const saving = page.waitForEvent('download');
      await button(page, english.exports.json).click();
      const saved = await saving;
      assert.equal(saved.suggestedFilename(), 'dahlia.png.aedr.json');
      assert.equal(JSON.parse(await readFile(await saved.path(), 'utf8')).ranking.outcome, outcome);
    });
  });
}

for (const [lang, texts] of /** @type {const} */ ([['en', english], ['zh-Hans', chinese]])) {
  test(`says that no trace was found, and what the orientation control is: ${lang}`, async () => {
    const known = { reason: /** @type {const} */ ('no_trace'), calibrated: false, photographs: 0 };
    await inPage(NAMED, { outcome: 'cannot_tell', known, lang }, async (page) => {
      await button(page, texts.page.headline).click();
      assert.equal(await outcomeOf(page).innerText(), texts.outcomes.no_trace.heading);
      assert.equal(await outcomeOf(page).getAttribute('data-outcome'), 'cannot_tell');
      const box = page.locator('aedr-check [part=box]');
      const verdict = texts.verdicts.no_trace([texts.demonstration.name], '');
      assert.equal(await box.locator('[part=reason]').innerText(), verdict);
      await box.getByText(texts.result.meaningSummary).click();
      for (const sentence of texts.embed.meanings.no_trace.meansNot) assert.ok(await box.getByText(sentence).isVisible());
      await box.getByText(texts.result.numbersHeading, { exact: true }).click();
      const details = await box.locator('[part=details]').innerText();
      const { basis, explanation, line, percent } = texts.control;
      for (const sentence of [line(false, percent('62'), basis(0)), ...explanation]) assert.ok(details.includes(sentence), sentence);
    });
  });
}

test('nothing is fetched before the reader asks, and the address goes without the page’s', async () => {
  await inPage(() => `<aedr-check src="${site.origin}/open/asked.png"></aedr-check>`, {}, async (page) => {
    await page.getByText(english.intake.linkHint).waitFor();
    const asked = () => site.seen.filter(({ path }) => path === '/open/asked.png');
    assert.deepEqual(asked(), []);
    assert.equal(checkers(page).length, 0);
    await button(page, ASK).click();
    assert.equal(await outcomeOf(page).innerText(), english.outcomes.matches.heading);
    assert.equal(asked().length, 1);
    assert.equal(asked()[0].headers.referer, undefined);
  });
});

test('cancelling keeps the focus inside and offers the check again', async () => {
  await inPage(NAMED, { outcome: null }, async (page) => {
    await button(page, ASK).click();
    await page.getByText(english.stages.encode_first).first().waitFor();
    assert.equal(await page.locator('aedr-check progress').evaluate((bar) => bar.value > 0.2), true);
    assert.equal(await focused(page), english.page.cancel);
    await button(page, english.page.cancel).click();
    assert.equal(await outcomeOf(page).innerText(), english.errors.cancelled);
    assert.equal(await focused(page), english.errors.cancelled);
    await button(page, english.result.again).click();
    await page.locator('aedr-check progress').waitFor();
  });
});

test('a site that does not give the image: what to do, and a way to do it', async () => {
  await inPage(() => `<aedr-check src="${site.origin}/closed/a.png"></aedr-check>`, {}, async (page) => {
    await button(page, ASK).click();
    assert.equal(await outcomeOf(page).innerText(), english.errors.link_refused);
    assert.ok(await page.getByText(english.intake.saveAdvice).isVisible());
    assert.ok(await button(page, english.failure.tryAgain).isVisible());
    const choosing = page.waitForEvent('filechooser');
    await button(page, english.page.choose).click();
    await (await choosing).setFiles({ name: 'saved.png', mimeType: 'image/png', buffer: busyPng(64) });
    await page.getByRole('img', { name: 'saved.png' }).waitFor();
    assert.equal(await outcomeOf(page).innerText(), english.outcomes.matches.heading);
  });
});

test('a file that is no image is refused by the module itself, and another can be chosen', async () => {
  await inPage('<aedr-check></aedr-check>', {}, async (page, context) => {
    await context.unroute('**/www/engine/worker.js');
    const choosing = page.waitForEvent('filechooser');
    await button(page, english.page.choose).click();
    const buffer = Buffer.from('Dear reader, this is no image.');
    await (await choosing).setFiles({ name: 'letter.txt', mimeType: 'text/plain', buffer });
    assert.equal(await outcomeOf(page).innerText(), english.errors.not_an_image);
    assert.match(await page.locator('aedr-check [part=advice]').innerText(), /PNG/);
    assert.ok(await button(page, english.page.choose).isVisible());
  });
});

test('a dropped image is checked, and shown small', async () => {
  await inPage('<aedr-check></aedr-check>', {}, async (page) => {
    await button(page, english.page.choose).waitFor();
    await page.locator('aedr-check').evaluate((host, base64) => {
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([bytes], 'dropped.png', { type: 'image/png' }));
      dataTransfer.items.add(new File(['x'], 'other.png', { type: 'image/png' }));
      const target = host.shadowRoot.querySelector('button');
      for (const type of ['dragenter', 'dragover', 'drop']) {
        target.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, composed: true, cancelable: true }));
      }
    }, busyPng(64).toString('base64'));
    await page.getByRole('img', { name: 'dropped.png' }).waitFor();
    assert.ok(await page.getByText(english.embed.onlyFirst(2)).isVisible());
    assert.ok(await button(page, english.page.chooseAnother).isVisible());
  });
});

test('from the first key to the saved report without a mouse', async () => {
  const markup = '<img id="one" src="www/samples/cat.jpg" alt="A cat"><aedr-check for="one"></aedr-check>';
  await inPage(markup, {}, async (page) => {
    await page.getByRole('group', { name: english.embed.labelled(english.page.stageLabel, 'A cat') }).waitFor();
    const go = async (/** @type {string} */ name) => {
      for (let pressed = 0; pressed < 12; pressed++) {
        await page.keyboard.press('Tab');
        if ((await focused(page)) === name) return;
      }
      assert.fail(`${name} was not reached`);
    };
    await go(ASK);
    await page.keyboard.press('Enter');
    await outcomeOf(page).waitFor();
    assert.equal(await focused(page), english.outcomes.matches.heading);
    assert.equal(await page.getByRole('status').innerText(), english.outcomes.matches.heading);
    await go(english.result.meaningSummary);
    await page.keyboard.press('Enter');
    for (const text of english.embed.meanings.matches.meansNot) assert.ok(await page.getByText(text).isVisible(), text);
    await go(english.exports.json);
    const saving = page.waitForEvent('download');
    await page.keyboard.press('Enter');
    assert.equal((await saving).suggestedFilename(), 'cat.jpg.aedr.json');
  });
});

for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
  test(`axe finds nothing and nothing is too wide for 280 pixels, ${colorScheme}`, async () => {
    const options = { colorScheme, viewport: { width: 280, height: 700 }, css: 'body { margin: 0 }' };
    const markup = `${NAMED}<aedr-check></aedr-check><aedr-check src="javascript:alert(1)"></aedr-check>
      <aedr-check src="${site.origin}/stall/a.png"></aedr-check>`;
    await inPage(markup, { ...options, outcome: 'does_not_match', reducedMotion: 'reduce' }, async (page, context) => {
      const elements = page.locator('aedr-check');
      const look = async (/** @type {string} */ state) => {
        const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
        const told = found.violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html.slice(0, 160))]);
        assert.deepEqual(told, [], state);
        const wide = await page.evaluate(() => document.scrollingElement.scrollWidth - innerWidth);
        assert.equal(wide, 0, state);
      };
      await page.evaluate(axe.source);
      await button(page, english.page.choose).waitFor();
      await look('idle');
      await elements.nth(2).getByRole('button').click();
      await elements.nth(2).locator('[part=error]').waitFor();
      await elements.nth(0).getByRole('button').click();
      await elements.nth(0).locator('[part=outcome]').waitFor();
      for (const summary of await elements.nth(0).locator('summary').all()) await summary.click();
      await look('result and error');
      await context.unroute('**/www/engine/worker.js');
      await answerNever(context);
      await page.reload();
      await page.evaluate(axe.source);
      await elements.nth(0).getByRole('button').click();
      await elements.nth(3).getByRole('button').click();
      await page.getByText(english.stages.encode_first).first().waitFor();
      const fetching = elements.nth(3).locator('progress:indeterminate');
      assert.equal(await fetching.evaluate((bar) => bar.getAnimations().length), 0);
      await look('working');
    });
  });
}

test('the language is the element’s own, else its page’s, and can change while a result is shown', async () => {
  const markup = `<aedr-check id="own" lang="zh-CN" src="www/samples/dahlia.png"></aedr-check>
    <div lang="zh"><aedr-check id="around"></aedr-check></div><aedr-check id="else" lang="fr"></aedr-check>
    <aedr-check id="none" lang="x_!"></aedr-check><aedr-check id="traditional" lang="zh-TW"></aedr-check>`;
  await inPage(markup, { outcome: 'cannot_tell' }, async (page) => {
    const element = (/** @type {string} */ id) => page.locator(`#${id}`);
    await element('around').getByRole('button', { name: chinese.page.choose }).waitFor();
    for (const id of ['else', 'none', 'traditional']) {
      await element(id).getByRole('button', { name: english.page.choose }).waitFor();
    }
    await element('own').getByRole('button').click();
    const outcome = element('own').locator('[part=outcome]');
    assert.equal(await outcome.innerText(), chinese.outcomes.cannot_tell.heading);
    const text = await element('own').locator('[part=box]').innerText();
    assert.ok(text.includes(chinese.demonstration.text));
    assert.deepEqual(text.match(/[A-Z][a-z]+( [a-z]+){4,}/g) ?? [], []);
    await element('own').evaluate((host) => host.setAttribute('lang', 'en'));
    await element('own').getByText(english.outcomes.cannot_tell.heading).first().waitFor();
    assert.equal(await element('own').getByRole('button', { name: english.exports.json }).count(), 1);
  });
});

test('elements share a worker unless one has a checker of its own; it ends with the last of them', async () => {
  const markup = `<div id="both">${NAMED}${NAMED}</div><aedr-check id="other" src="www/samples/cat.jpg"></aedr-check>`;
  await inPage(markup, {}, async (page) => {
    const elements = page.locator('aedr-check');
    await page.evaluate(async () => {
      const { createChecker } = await import('/www/embed/public/checker.js');
      document.querySelector('#other').checker = globalThis.own = createChecker();
    });
    for (const index of [0, 1]) await elements.nth(index).getByRole('button', { name: ASK }).click();
    for (const index of [0, 1]) await elements.nth(index).locator('[part=outcome]').waitFor();
    assert.equal(checkers(page).length, 1);
    await elements.nth(2).getByRole('button', { name: ASK }).click();
    await elements.nth(2).locator('[part=outcome]').waitFor();
    assert.equal(checkers(page).length, 2);
    // One that stays keeps the worker.
    await elements.nth(0).evaluate((host) => host.remove());
    assert.equal(checkers(page).length, 2);
    const closing = page.workers().map((worker) => worker.waitForEvent('close'));
    await page.locator('#both').evaluate((both) => both.remove());
    await Promise.race(closing);
    assert.equal(checkers(page).length, 1, 'the page’s own checker is the page’s to close');
  });
});

test('removing the element ends its check; moving it does not', async () => {
  await inPage(`${NAMED}<section></section>`, { outcome: null }, async (page) => {
    await page.evaluate(() => {
      globalThis.told = [];
      const host = document.querySelector('aedr-check');
      for (const name of ['aedr-result', 'aedr-error']) host.addEventListener(name, () => globalThis.told.push(name));
    });
    await button(page, ASK).click();
    await page.getByText(english.stages.encode_first).first().waitFor();
    await page.evaluate(() => document.querySelector('section').append(document.querySelector('aedr-check')));
    await page.locator('section aedr-check progress').waitFor();
    assert.equal(checkers(page).length, 1);
    const closed = checkers(page)[0].waitForEvent('close');
    const done = page.evaluate(() => {
      const host = document.querySelector('aedr-check');
      const running = host.check();
      host.remove();
      return running;
    });
    assert.equal(await done, null);
    await closed;
    assert.deepEqual(await page.evaluate(() => globalThis.told), []);
  });
});

test('events tell each step, through shadow trees, and the first can be refused', async () => {
  await inPage('<div id="host"></div>', {}, async (page) => {
    await page.evaluate(() => {
      globalThis.told = [];
      globalThis.refuse = true;
      for (const name of ['start', 'progress', 'result', 'error']) {
        document.addEventListener(`aedr-${name}`, (event) => {
          globalThis.told.push([name, event.detail?.outcome ?? event.detail?.code ?? event.detail?.stage ?? null]);
          if (name === 'start' && globalThis.refuse) event.preventDefault();
        });
      }
      const root = document.querySelector('#host').attachShadow({ mode: 'open' });
      const host = document.createElement('aedr-check');
      host.src = 'www/samples/dahlia.png';
      root.append(host);
    });
    await button(page, ASK).click();
    assert.deepEqual(await page.evaluate(() => globalThis.told), [['start', null]]);
    assert.equal(checkers(page).length, 0);
    assert.ok(await button(page, ASK).isVisible());
    await page.evaluate(() => (globalThis.refuse = false));
    await button(page, ASK).click();
    await outcomeOf(page).waitFor();
    const told = await page.evaluate(() => globalThis.told);
    assert.deepEqual(told[1], ['start', null]);
    assert.deepEqual(told.at(-1), ['result', 'matches']);
    assert.ok(told.slice(2, -1).length > 0 && told.slice(2, -1).every(([name]) => name === 'progress'));
    const failed = await page.evaluate(async () => {
      const host = document.querySelector('#host').shadowRoot.querySelector('aedr-check');
      host.src = '';
      return [await host.check(), globalThis.told.at(-1)];
    });
    assert.deepEqual(failed, [null, ['error', 'no_file']]);
  });
});

test('another image while a check runs: the check ends and its answer is not shown', async () => {
  await inPage(NAMED, { outcome: null }, async (page) => {
    await button(page, ASK).click();
    await page.locator('aedr-check progress').waitFor();
    await page.locator('aedr-check').evaluate((host) => (host.src = 'www/samples/cat.jpg'));
    await button(page, ASK).waitFor();
    assert.equal(await outcomeOf(page).count(), 0);
    // What only the next check is about leaves the one that runs alone.
    await button(page, ASK).click();
    await page.locator('aedr-check').evaluate((host) => host.setAttribute('deep', ''));
    assert.ok(await page.locator('aedr-check progress').isVisible());
  });
});

test('custom properties and parts style it, and the page’s own rules do not reach inside', async () => {
  const css = `aedr-check { --aedr-accent: rgb(1, 2, 3); --aedr-background: rgb(4, 5, 6); --aedr-text: rgb(7, 8, 9);
      --aedr-border: rgb(10, 11, 12); --aedr-radius: 13px; --aedr-font: monospace; }
    aedr-check::part(hint) { color: rgb(14, 15, 16); } aedr-check::part(outcome) { color: rgb(17, 18, 19); }
    button { background: red !important; } p { margin: 99px; }`;
  await inPage(NAMED, { css }, async (page) => {
    const style = (/** @type {string} */ selector, /** @type {string[]} */ names) =>
      page
        .locator(`aedr-check ${selector}`)
        .first()
        .evaluate((node, names) => names.map((name) => getComputedStyle(node)[name]), names);
    await button(page, ASK).waitFor();
    const names = ['backgroundColor', 'color', 'borderTopColor', 'borderTopLeftRadius', 'fontFamily'];
    assert.deepEqual(await style('[part=box]', names), ['rgb(4, 5, 6)', 'rgb(7, 8, 9)', 'rgb(10, 11, 12)', '13px', 'monospace']);
    assert.deepEqual(await style('[part=button]', ['backgroundColor']), ['rgb(1, 2, 3)']);
    assert.deepEqual(await style('[part=hint]', ['color', 'marginBottom']), ['rgb(14, 15, 16)', '0px']);
    await button(page, ASK).click();
    await outcomeOf(page).waitFor();
    assert.deepEqual(await style('[part=outcome]', ['color']), ['rgb(17, 18, 19)']);
  });
});

test('what the file says about itself stands apart, as text', async () => {
  const text = '<img src=x onerror=document.title=1> made by ArtBot';
  const claims = [{ meaning: 'generated', field: 'iptc:DigitalSourceType', text }];
  await inPage(NAMED, { claims, viewport: { width: 280, height: 700 } }, async (page) => {
    await button(page, ASK).click();
    await outcomeOf(page).waitFor();
    const part = page.locator('aedr-check [part=claims]');
    assert.equal(await part.getByRole('definition').isVisible(), false);
    await part.getByText(english.claims.heading).click();
    assert.equal(await part.getByRole('term').innerText(), english.claims.meanings.generated);
    assert.equal(await part.getByRole('definition').innerText(), `iptc:DigitalSourceType ${text}`);
    assert.ok(await part.getByText(english.claims.hint).isVisible());
    assert.equal(await part.getByText(english.embed.signed).count(), 0);
    assert.equal(await part.locator('img').count(), 0);
  });
});

test('Content Credentials are told of and not read; a file that brings nothing along has no such part', async () => {
  await writeFile(resolve(folder, 'plain.png'), busyPng(64));
  for (const name of ['generated.png', 'elsewhere.jpg']) {
    await copyFile(resolve(ROOT, 'tests/browser/origin/credentials', name), resolve(folder, name));
  }
  for (const [name, told] of /** @type {const} */ ([['generated.png', 1], ['elsewhere.jpg', 1], ['plain.png', 0]])) {
    await inPage(`<aedr-check src="${name}"></aedr-check>`, { claims: [] }, async (page) => {
      await button(page, ASK).click();
      await outcomeOf(page).waitFor();
      const part = page.locator('aedr-check [part=claims]');
      assert.equal(await part.count(), told, name);
      if (!told) return;
      await part.getByText(english.claims.heading).click();
      assert.ok(await part.getByText(english.embed.signed).isVisible());
      assert.equal(await part.getByText(english.claims.hint).count(), 0);
    });
  }
});

test('addresses and names that mean harm do none', async () => {
  const addresses = [
    'javascript:document.title=1',
    'data:text/html,<script>document.title=1</script>',
    'data:image/png;base64,@@@',
    'file:///etc/passwd',
    'about:blank',
    'https://',
    `https://127.0.0.1:1/${'x'.repeat(100_000)}`,
    '" onclick="document.title=1',
  ];
  const escaped = (/** @type {string} */ text) =>
    text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
  const markup = [
    ...addresses.map((address) => `<aedr-check src="${escaped(address)}"></aedr-check>`),
    ...HOSTILE_NAMES.slice(0, 5).map(
      (name, index) =>
        `<img id="${index}" src="www/samples/cat.jpg" alt="${escaped(name)}"><aedr-check for="${index}"></aedr-check>`,
    ),
    '<aedr-check for="nobody"></aedr-check><aedr-check for="main"></aedr-check>',
  ].join('');
  await inPage(markup, {}, async (page) => {
    const elements = page.locator('aedr-check');
    await elements.last().getByRole('button', { name: ASK }).waitFor();
    const ends = await page.evaluate(async () => {
      const hosts = [...document.querySelectorAll('aedr-check')];
      const codeOf = (host) =>
        new Promise((done) => host.addEventListener('aedr-error', ({ detail }) => done(detail.code)));
      const codes = hosts.map(codeOf);
      return Promise.all(hosts.map(async (host, index) => (await host.check())?.outcome ?? codes[index]));
    });
    const [wrong, refused] = ['link_address', 'link_refused'];
    // The last address is a path on the page's own site, where there is nothing.
    assert.deepEqual(ends.slice(0, 8), [wrong, wrong, wrong, wrong, wrong, wrong, refused, 'link_missing']);
    assert.deepEqual(ends.slice(8), [...Array(5).fill('matches'), 'no_file', 'no_file']);
    assert.equal(await page.title(), 'Another site');
    const label = await elements.nth(10).locator('[part=box]').getAttribute('aria-label');
    assert.ok(!/[\u202E\u200B]/.test(label ?? ''), label ?? '');
    assert.equal(await page.locator('aedr-check script, aedr-check img').count(), 0);
  });
});

test('what a page sets before the element is defined holds', async () => {
  await inPage('<p id="here"></p>', {}, async (page) => {
    const set = await page.evaluate(async () => {
      const host = document.createElement('check-later');
      const image = new Blob(['x']);
      Object.assign(host, { models: ['aedr-small'], image, deep: true, wasmSrc: '/a.wasm' });
      document.querySelector('#here').append(host);
      const { define } = await import('/www/embed/internal/element.js');
      define('check-later');
      define('check-later');
      return [host.models, host.image === image, host.hasAttribute('deep'), host.wasmSrc];
    });
    assert.deepEqual(set, [['aedr-small'], true, true, '/a.wasm']);
    await button(page, ASK).waitFor();
  });
});

test('where there is no document it can be imported', async () => {
  const { define } = await import('../../../www/embed/internal/element.js');
  define();
});
