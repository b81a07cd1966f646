/** What holds no image takes nothing away: results, tables and previews stay, and a notice says why. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { answerOf, WORKER_HEADERS } from '../support/answers.mjs';
import { DIST, give, launch, openPage, serve, settled } from '../support/browser.mjs';
import { busyPng } from '../support/image-files.mjs';
import { imageSite } from '../support/image-site.mjs';

const SMALL = busyPng(64);
/** A worker without the module: some names are of no image, and a closer search finds all too small. */
const WORKER = `import { answer } from './channel.js';
  const found = ${JSON.stringify(answerOf('does_not_match'))};
  const fail = (code, details) => { throw Object.assign(new Error(code), { code, details, advice: '' }); };
  answer(self, { check: async ({ name, deep }, { signal, progress }) => {
    if (name.startsWith('letter')) fail('not_an_image', { detail: 'a text' });
    if (name.startsWith('trap')) fail('engine_stopped', { detail: 'unreachable' });
    if (deep) fail('image_too_small', { width: 64, height: 64, minimum: 192 });
    progress({ stage: 'losses', fraction: 0.5 });
    if (name.startsWith('slow')) await new Promise((_, reject) =>
      signal.addEventListener('abort', () => reject(new DOMException('', 'AbortError'))));
    return { ...found, record: { ...found.record, image: { ...found.record.image, name } } };
  } });`;

/** @type {Awaited<ReturnType<typeof serve>>} */
let server;
/** @type {Awaited<ReturnType<typeof imageSite>>} */
let site;
/** @type {import('playwright-core').Browser} */
let browser;

before(async () => {
  site = await imageSite(SMALL);
  server = await serve({ directories: [DIST] });
  browser = await launch({ webgpu: false });
});

after(async () => {
  await browser?.close();
  await server?.close();
  await site?.close();
});

/** @typedef {import('playwright-core').Page} Page */

/**
 * A test with a page that has a result.
 * @param {string} name @param {(page: Page) => Promise<void>} body
 * @param {import('playwright-core').BrowserContextOptions & {clock?: boolean}} [options] `clock`: the test moves it.
 */
function refusalTest(name, body, { clock = false, ...options } = {}) {
  test(name, { timeout: 60_000 }, async () => {
    const { context, page } = await openPage(browser, 'about:blank', options);
    try {
      await context.route('**/www/engine/worker.js', (route) => route.fulfill({ headers: WORKER_HEADERS, body: WORKER }));
      if (clock) await page.clock.install();
      await page.goto(server.address);
      // Other languages come after the page.
      await page.locator('h1', { hasText: /\S/ }).waitFor();
      await give(page, 'drop', 'first.png', SMALL);
      assert.equal((await settled(page)).outcome, 'does_not_match');
      await body(page);
    } finally {
      await context.close();
    }
  });
}

/** @param {Page} page @param {string} code */
const told = (page, code) => page.locator(`#notice[data-code=${code}]`).waitFor({ timeout: 10_000 });

/** The result of the first image is there, with its picture. @param {Page} page */
async function stays(page) {
  await page.locator('#caption', { hasText: 'first.png' }).waitFor({ timeout: 10_000 });
  await page.locator('#outcome[data-outcome=does_not_match]').waitFor({ timeout: 10_000 });
  assert.equal(await page.locator('body').getAttribute('data-phase'), 'result');
  for (const part of ['#preview', '#details .numbers', '#outcome .verdict']) {
    assert.ok(await page.locator(part).first().isVisible(), part);
  }
}

/** With a real DataTransfer. @param {Page} page @param {'drop' | 'paste'} how @param {string} text */
async function bringText(page, how, text) {
  await page.evaluate(
    ({ how, text }) => {
      const data = new DataTransfer();
      data.setData('text/plain', text);
      const common = { bubbles: true, cancelable: true };
      const event =
        how === 'drop'
          ? new DragEvent('drop', { ...common, dataTransfer: data })
          : new ClipboardEvent('paste', { ...common, clipboardData: data });
      document.body.dispatchEvent(event);
    },
    { how, text },
  );
}

refusalTest('text that is pasted or dropped leaves the result, and the notice goes', async (page) => {
  for (const how of /** @type {const} */ (['paste', 'drop'])) {
    await bringText(page, how, 'Just some words.');
    await told(page, 'no_file');
    await stays(page);
    const status = page.locator('#notice [role=status]');
    assert.ok((await status.innerText()).length > 20);
    await page.locator('#notice button').last().click();
    assert.equal(await page.locator('#notice').count(), 0);
  }
  // By itself, unless somebody is at it.
  await bringText(page, 'paste', 'More words.');
  await told(page, 'no_file');
  await page.locator('#notice button').last().focus();
  await page.clock.runFor(40_000);
  assert.equal(await page.locator('#notice').count(), 1);
  await page.evaluate(() => /** @type {HTMLElement} */ (document.activeElement).blur());
  await page.mouse.move(0, 0);
  await page.clock.runFor(20_000);
  assert.equal(await page.locator('#notice').count(), 0);
  await stays(page);
}, { clock: true });

refusalTest('a word that is dragged inside the page is no image, and may go into a field', async (page) => {
  const word = page.locator('.lead');
  await word.scrollIntoViewIfNeeded();
  await word.dblclick({ position: { x: 12, y: 12 } });
  const selected = await page.evaluate(() => String(getSelection()).trim());
  assert.ok(selected.length > 0);
  const { x, y } = await word.boundingBox().then((box) => box ?? { x: 0, y: 0 });
  /** @param {string} selector */
  const dragTo = async (selector) => {
    const box = await page.locator(selector).boundingBox();
    await page.mouse.move(x + 12, y + 12);
    await page.mouse.down();
    await page.mouse.move(x + 30, y + 40, { steps: 4 });
    await page.mouse.move((box?.x ?? 0) + 60, (box?.y ?? 0) + 12, { steps: 8 });
    assert.equal(await page.locator('#overlay.shown').count(), 0);
    await page.mouse.up();
  };
  await page.evaluate(() => addEventListener('dragstart', () => (document.body.dataset.dragged = '')));
  await dragTo('h1');
  assert.equal(await page.locator('body[data-dragged]').count(), 1, 'it was a drag');
  await page.waitForTimeout(300);
  assert.equal(await page.locator('#notice').count(), 0);
  await stays(page);
  // What comes from elsewhere afterwards is taken.
  await give(page, 'drop', 'second.png', SMALL);
  await page.locator('#caption', { hasText: 'second.png' }).waitFor();
});

refusalTest('a link that cannot be fetched leaves the result, and can be tried again', async (page) => {
  const fetchLink = async (/** @type {string} */ path) => {
    if (!(await page.locator('#link-address').isVisible())) await page.locator('#link summary').click();
    await page.locator('#link-address').fill(`${site.origin}${path}`);
    await page.locator('#link-fetch').click();
  };
  await fetchLink('/closed/a.png');
  await told(page, 'link_refused');
  await stays(page);
  await fetchLink('/stall/a.png');
  await page.locator('#working').waitFor();
  await page.locator('#cancel').click();
  await stays(page);
  await fetchLink('/open/a.png');
  await page.locator('#caption', { hasText: 'a.png' }).waitFor();
  await settled(page);
});

refusalTest('a file that is no image leaves the result; one whose check stops does not', async (page) => {
  await give(page, 'drop', 'letter.txt', Buffer.from('Dear reader'));
  await told(page, 'not_an_image');
  await stays(page);
  await give(page, 'drop', 'trap.png', SMALL);
  await page.locator('#outcome[data-code=engine_stopped]').waitFor();
  await page.locator('#caption', { hasText: 'trap.png' }).waitFor();
});

refusalTest('a closer search that fails leaves what was found before', async (page) => {
  await page.locator('#outcome .actions button').first().click();
  await told(page, 'image_too_small');
  await stays(page);
});

refusalTest('a refusal does not end a check that runs', async (page) => {
  await give(page, 'drop', 'slow.png', SMALL);
  await page.locator('#caption', { hasText: 'slow.png' }).waitFor();
  await bringText(page, 'paste', 'Words');
  await told(page, 'no_file');
  assert.equal(await page.locator('body').getAttribute('data-phase'), 'working');
  await page.locator('#cancel').click();
  assert.equal((await settled(page)).code, 'cancelled');
});

refusalTest('a table stays as it is, with its image on the stage', async (page) => {
  await page.locator('#file').setInputFiles(['a', 'b'].map((name) => ({ name: `${name}.png`, mimeType: 'image/png', buffer: SMALL })));
  await page.waitForFunction(() => document.querySelectorAll('#table tbody tr[data-kind=does_not_match]').length === 3);
  await bringText(page, 'paste', 'Words');
  await told(page, 'no_file');
  assert.equal(await page.locator('#table tbody tr').count(), 3);
  assert.equal(await page.locator('#table [aria-current=true]').count(), 1);
  await stays(page);
});

refusalTest(
  'on a phone and in Chinese the notice is in view, and in Chinese',
  async (page) => {
    await bringText(page, 'paste', 'Words');
    await told(page, 'no_file');
    await stays(page);
    const text = page.locator('#notice [role=status]');
    assert.match(await text.innerText(), /\p{Script=Han}{4}/u);
    const { top, bottom, wide } = await page.locator('#notice').evaluate((notice) => {
      const { top, bottom } = notice.getBoundingClientRect();
      return { top, bottom, wide: document.documentElement.scrollWidth > innerWidth };
    });
    assert.ok(top >= 0 && bottom <= 640.5, `${top} to ${bottom}`);
    assert.ok(!wide);
  },
  { viewport: { width: 360, height: 640 }, hasTouch: true, isMobile: true, locale: 'zh-CN' },
);

test('in the element a file that is no image leaves the result, too', { timeout: 60_000 }, async () => {
  const { context, page } = await openPage(browser, 'about:blank');
  try {
    await context.route('**/www/engine/worker.js', (route) => route.fulfill({ headers: WORKER_HEADERS, body: WORKER }));
    const html = '<!doctype html><html lang="en"><script type="module" src="/www/embed/internal/element.js"></script><aedr-check></aedr-check>';
    const headers = { 'Content-Type': 'text/html' };
    await context.route('**/site.html', (route) => route.fulfill({ headers, body: html }));
    await page.goto(`${server.address}site.html`);
    await page.evaluate(async () => (await import('/www/embed/internal/element.js')).define());
    const element = page.locator('aedr-check');
    const choose = async (/** @type {string} */ name) => {
      const choosing = page.waitForEvent('filechooser');
      await element.locator('button').last().click();
      await (await choosing).setFiles({ name, mimeType: 'image/png', buffer: SMALL });
    };
    await choose('first.png');
    await element.locator('[part=outcome][data-outcome=does_not_match]').waitFor();
    await choose('letter.png');
    await element.locator('[part=error][data-code=not_an_image]').waitFor();
    await element.locator('[part=outcome][data-outcome=does_not_match]').waitFor();
    await element.locator('button', { hasText: 'Look deeper' }).click();
    await element.locator('[part=error][data-code=image_too_small]').waitFor();
    await element.locator('[part=outcome][data-outcome=does_not_match]').waitFor();
    await choose('second.png');
    await element.locator('[part=error]').waitFor({ state: 'detached' });
  } finally {
    await context.close();
  }
});
