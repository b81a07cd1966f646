/** How images come in, one or many, by a person's actions. On the CPU: it is the quickest here. */

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { DIST, launch, openPage, sampleBytes, sampleList, serve, settled } from '../support/browser.mjs';
import { busyPng } from '../support/image-files.mjs';
import { imageSite } from '../support/image-site.mjs';
import { english, pattern } from '../support/messages.mjs';

/** What the browser says of failures that a test makes. */
const FAILED_LOAD = /Failed to load resource|blocked by CORS policy|net::ERR|Content Security Policy/;
const IPHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 ' +
  'Mobile/15E148 Safari/604.1';

/** @type {Awaited<ReturnType<typeof serve>>} */
let server;
/** @type {Awaited<ReturnType<typeof imageSite>>} */
let site;
/** @type {import('playwright-core').Browser} */
let browser;
/** Matches. */
let decoded = Buffer.alloc(0);
/** A photograph, as a JPEG. */
let photograph = Buffer.alloc(0);
/** Checked in no time, and not decoded. */
const quick = busyPng(128);
const letter = Buffer.from('Dear reader, this is no image.');

before(async () => {
  const samples = await sampleList();
  const bytesOf = (/** @type {boolean} */ wanted) =>
    sampleBytes(samples.find((/** @type {any} */ sample) => sample.decoded === wanted).file);
  [decoded, photograph] = await Promise.all([bytesOf(true), bytesOf(false)]);
  site = await imageSite(decoded);
  server = await serve({ directories: [DIST] });
  browser = await launch({ webgpu: false });
});

/** What to do at the end. @type {(() => Promise<unknown>)[]} */
const ended = [];

after(async () => {
  await browser?.close();
  await server?.close();
  await site?.close();
  for (const end of ended) await end();
});

/** @typedef {Awaited<ReturnType<typeof openPage>>} Opened */

/**
 * @param {string} name @param {(page: import('playwright-core').Page, opened: Opened) => Promise<void>} body
 * @param {object} [how]
 * @param {RegExp} [how.expected] Complaints of the browser.
 * @param {() => Promise<string>} [how.address] @param {import('playwright-core').BrowserContextOptions} [how.options]
 */
function intakeTest(name, body, { expected, address, options } = {}) {
  test(name, { timeout: 180_000 }, async () => {
    const opened = await openPage(browser, (await address?.()) ?? server.address, options);
    try {
      await body(opened.page, opened);
      const complaints = opened.complaints.filter((text) => !expected?.test(text));
      assert.deepEqual(complaints, [], 'complaints of the browser');
    } finally {
      await opened.context.close();
    }
  });
}

/**
 * @param {string} name @param {Buffer} buffer
 * @param {string} [mimeType]
 */
const file = (name, buffer, mimeType = 'image/png') => ({ name, mimeType, buffer });

/** @param {import('playwright-core').Page} page @param {...ReturnType<typeof file>} files */
const pick = (page, ...files) => page.locator('#file').setInputFiles(files);

/**
 * Drops or pastes files, and texts by their types, with a real DataTransfer.
 * @param {import('playwright-core').Page} page @param {'drop' | 'paste'} how
 * @param {{files?: ReturnType<typeof file>[], texts?: Record<string, string>, into?: string}} given
 */
async function bring(page, how, { files = [], texts = {}, into = 'body' }) {
  const sent = files.map(({ name, mimeType, buffer }) => ({ name, mimeType, base64: buffer.toString('base64') }));
  await page.evaluate(
    ({ how, sent, texts, into }) => {
      const data = new DataTransfer();
      for (const { name, mimeType, base64 } of sent) {
        const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
        data.items.add(new File([bytes], name, { type: mimeType }));
      }
      for (const [type, text] of Object.entries(texts)) data.setData(type, text);
      const common = { bubbles: true, cancelable: true };
      const event =
        how === 'drop'
          ? new DragEvent('drop', { ...common, dataTransfer: data })
          : new ClipboardEvent('paste', { ...common, clipboardData: data });
      document.querySelector(into)?.dispatchEvent(event);
    },
    { how, sent, texts, into },
  );
}

/** Waits until no image of the table is left to check. @param {import('playwright-core').Page} page */
async function allChecked(page) {
  await page.waitForFunction(() => {
    const rows = [...document.querySelectorAll('#table tbody tr')];
    const open = ['waiting', 'checking'];
    return rows.length > 0 && rows.every((row) => !open.includes(/** @type {HTMLElement} */ (row).dataset.kind ?? ''));
  });
}

/** The table as it reads. @param {import('playwright-core').Page} page @returns {Promise<any[]>} */
function table(page) {
  return page.locator('#table tbody tr').evaluateAll((rows) =>
    rows.map((row) => {
      const text = (/** @type {string} */ part) => row.querySelector(part)?.textContent ?? '';
      const size = text('.size');
      const [outcome, model, signal, threshold] = ['.outcome', '.model', '.signal', '.threshold'].map(text);
      return { kind: row.dataset.kind, name: text('.name'), outcome, model, signal, threshold, size };
    }),
  );
}

/** @param {import('playwright-core').Page} page */
const names = async (page) => (await table(page)).map(({ name }) => name);

/**
 * @param {import('playwright-core').Page} page @param {string} button
 * @returns {Promise<{name: string, text: string}>}
 */
async function saved(page, button) {
  const downloading = page.waitForEvent('download');
  await page.getByRole('button', { name: button }).click();
  const download = await downloading;
  return { name: download.suggestedFilename(), text: await readFile(await download.path(), 'utf8') };
}

/** RFC 4180, strictly. @param {string} text @returns {string[][]} */
function parseCsv(text) {
  const rows = [['']];
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const row = rows.at(-1) ?? [];
    const [letter, next] = [text[at], text[at + 1]];
    if (quoted) {
      if (letter === '"' && next === '"') row[row.length - 1] += text[at++];
      else if (letter === '"') quoted = false;
      else row[row.length - 1] += letter;
    } else if (letter === '"' && row.at(-1) === '') quoted = true;
    else if (letter === ',') row.push('');
    else if (letter === '\r' && next === '\n') at++, rows.push(['']);
    else {
      assert.ok(!'"\r\n'.includes(letter), `an unquoted ${JSON.stringify(letter)}`);
      row[row.length - 1] += letter;
    }
  }
  assert.deepEqual(rows.pop(), [''], 'each line is ended');
  return rows;
}

intakeTest('several images that are picked are checked one after another, a broken one among them', async (page) => {
  const choosing = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: 'Choose an image' }).click();
  const chooser = await choosing;
  assert.ok(chooser.isMultiple());
  const files = [file('decoded.png', decoded), file('letter.png', letter), file('photo.jpg', photograph, 'image/jpeg')];
  await chooser.setFiles(files);
  await page.getByRole('heading', { name: 'Your images' }).waitFor();
  await page.locator('tr[data-kind=checking] progress').waitFor();
  assert.equal(await page.locator('tr[data-kind=checking]').count(), 1, 'one at a time');
  await allChecked(page);
  const [first, broken, last] = await table(page);
  assert.deepEqual([first.name, first.kind, first.size], ['decoded.png', 'matches', '384 × 256']);
  assert.match(first.model, /demonstration/);
  assert.ok(Number(first.signal) < Number(first.threshold), `${first.signal}, ${first.threshold}`);
  assert.deepEqual([broken.kind, broken.outcome, broken.signal], ['failed', english.errors.not_an_image, '']);
  assert.deepEqual([last.kind, last.model], ['does_not_match', '']);
  assert.equal(
    await page.locator('#table [role=status]').innerText(),
    '3 images: 1 consistent, 1 not consistent, 1 failed',
  );
  // The stage shows the first until a person opens another.
  assert.equal((await settled(page)).outcome, 'matches');
});

intakeTest('a row opens its whole result at once, and the stage leads on and back', async (page, { requests }) => {
  await pick(page, file('decoded.png', decoded), file('letter.png', letter), file('quick.png', quick));
  await allChecked(page);
  // Whatever would check again would take time and show progress.
  await page.evaluate(() => {
    const seen = /** @type {any} */ (window);
    seen.phases = [];
    new MutationObserver(() => seen.phases.push(document.body.dataset.phase)).observe(document.body, {
      attributeFilter: ['data-phase'],
    });
  });
  await page.getByRole('button', { name: 'letter.png', exact: true }).click();
  const shown = await settled(page);
  assert.equal(shown.code, 'not_an_image', shown.text);
  assert.equal(await page.locator('#caption').innerText(), 'letter.png');
  assert.equal(await page.evaluate(() => document.activeElement?.closest('#outcome') !== null), true, 'focus');
  await page.getByRole('button', { name: 'Next' }).click();
  assert.equal(await page.locator('#caption').innerText(), 'quick.png');
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Next');
  await page.getByText(english.table.position(3, 3)).waitFor();
  await page.getByRole('button', { name: 'Previous' }).press('Enter');
  await page.getByRole('button', { name: 'Previous' }).press('Enter');
  assert.equal((await settled(page)).outcome, 'matches');
  assert.match(await page.locator('#details').innerText(), /L1/);
  await page.getByRole('button', { name: 'Back to the table' }).click();
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'decoded.png');
  assert.equal(await page.evaluate(() => /** @type {any} */ (window).phases.includes('working')), false);
  const current = page.locator('#table [aria-current=true]');
  assert.deepEqual(await current.allInnerTexts(), ['decoded.png']);
  assert.ok(!requests.some((url) => url.includes('link-worker')), 'what comes as a file is not for the link worker');
});

intakeTest('the table is sorted by any column, empty cells last', async (page) => {
  const [b, c] = [file('b10.png', quick), file('B9.png', busyPng(160))];
  await pick(page, b, file('z.png', letter), c, file('a.png', decoded));
  await allChecked(page);
  const cases = /** @type {[string, string[], string[]][]} */ ([
    ['Image', ['a.png', 'B9.png', 'b10.png', 'z.png'], ['z.png', 'b10.png', 'B9.png', 'a.png']],
    ['Pixels', ['b10.png', 'B9.png', 'a.png', 'z.png'], ['a.png', 'B9.png', 'b10.png', 'z.png']],
    ['Consistent with', ['a.png', 'b10.png', 'z.png', 'B9.png'], ['a.png', 'b10.png', 'z.png', 'B9.png']],
  ]);
  for (const [column, up, down] of cases) {
    const header = page.getByRole('columnheader', { name: column });
    const button = header.getByRole('button');
    await button.click();
    assert.equal(await header.getAttribute('aria-sort'), 'ascending');
    assert.deepEqual(await names(page), up, `${column}, ascending`);
    await button.press('Enter');
    assert.equal(await header.getAttribute('aria-sort'), 'descending');
    assert.deepEqual(await names(page), down, `${column}, descending`);
  }
  for (const column of ['Signal', 'Threshold', 'Result']) {
    await page.getByRole('button', { name: column }).click();
    const sorted = await table(page);
    if (column === 'Result') assert.equal(sorted[0].kind, 'matches');
    else {
      const key = column.toLowerCase();
      const values = sorted.map((row) => row[key]).filter(Boolean).map(Number);
      assert.deepEqual(values, values.toSorted((a, b) => a - b), column);
    }
    assert.equal(sorted.at(-1).kind, 'failed', column);
  }
  // By the shares themselves, not as they are written.
  await page.getByRole('button', { name: english.table.columns.share }).click();
  assert.deepEqual([(await names(page))[0], (await names(page)).at(-1)], ['a.png', 'z.png']);
  await page.getByRole('button', { name: 'Result' }).click();
  assert.equal(await page.locator('[aria-sort=ascending], [aria-sort=descending]').count(), 1);
  // The third time it is as they came.
  for (let press = 0; press < 2; press++) await page.getByRole('button', { name: 'Result' }).click();
  assert.deepEqual(await names(page), ['b10.png', 'z.png', 'B9.png', 'a.png']);
});

intakeTest('the table is saved as CSV and as JSON', async (page) => {
  const awkward = 'a "quoted", and\nbroken.png';
  await bring(page, 'drop', {
    files: [file('=cmd.png', decoded), file(awkward, quick), file('-1+1.png', letter), file('@x\r.png', letter)],
  });
  await allChecked(page);
  const csv = await saved(page, 'Save as a spreadsheet (CSV)');
  assert.match(csv.name, /\.csv$/);
  assert.ok(csv.text.startsWith('\uFEFF'), 'a mark that it is UTF-8');
  const [head, ...lines] = parseCsv(csv.text.slice(1));
  const rows = lines.map((line) => Object.fromEntries(line.map((cell, index) => [head[index], cell])));
  assert.ok(lines.every(({ length }) => length === head.length));
  assert.deepEqual(rows.map(({ name }) => name), ["'=cmd.png", awkward, "'-1+1.png", "'@x\r.png"]);
  const [{ outcome, models, signal, threshold, width, bytes }] = rows;
  assert.deepEqual([outcome, width, Number(bytes)], ['matches', '384', decoded.length]);
  assert.match(models, /demonstration/);
  // As exact as they are, and no text.
  assert.ok(signal.length > 8 && Number(signal) < Number(threshold), `${signal}, ${threshold}`);
  assert.match(csv.text, /,384,256,/);
  const { control } = JSON.parse((await saved(page, 'Save all reports (JSON)')).text)[0].checks[0];
  const { s, robust, evidence } = control;
  const columns = ['s', 'robust_s', 'robust_s_error', 'control_share'].map((column) => Number(rows[0][column]));
  // A record goes through the module's JSON once more, which may round the last bit.
  [s, robust.signal, robust.standard_error, evidence.other_share].forEach((value, index) => {
    assert.ok(Math.abs(columns[index] / value - 1) < 1e-12, `${columns[index]}, ${value}`);
  });
  assert.equal(rows[0].reason, '');
  assert.ok(Number(rows[0].robust_s) < -0.2 && Number(rows[0].control_share) < 0.001, columns.join());
  assert.ok(rows[2].error);
  assert.equal(rows[2].outcome, 'failed');
  const json = await saved(page, 'Save all reports (JSON)');
  assert.match(json.name, /\.json$/);
  const all = JSON.parse(json.text);
  assert.equal(all.length, 4);
  assert.deepEqual([all[0].format, all[0].image.name, all[0].ranking.outcome], ['aedr-report', '=cmd.png', 'matches']);
  assert.equal(String(all[0].checks[0].signal), signal);
  assert.deepEqual(Object.keys(all[2]), ['name', 'error']);
  assert.deepEqual([all[2].name, all[2].error.code], ['-1+1.png', 'not_an_image']);
});

intakeTest('images are removed, one or all', async (page) => {
  await pick(page, file('one.png', letter), file('two.png', quick), file('three.png', letter));
  await allChecked(page);
  await page.getByRole('button', { name: 'Remove one.png' }).press('Enter');
  assert.deepEqual(await names(page), ['two.png', 'three.png']);
  // The next takes the place on the stage and of the focus.
  assert.equal(await page.locator('#caption').innerText(), 'two.png');
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('aria-label')), english.table.removeNamed('two.png'));
  await page.getByRole('button', { name: 'Remove all' }).click();
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), english.table.keep);
  await page.getByRole('button', { name: 'Keep them' }).click();
  assert.equal((await names(page)).length, 2);
  await page.getByRole('button', { name: 'Remove all' }).click();
  await page.getByRole('button', { name: /^Really remove 2 images/ }).click();
  assert.equal(await page.locator('#table').isVisible(), false);
  assert.equal(await page.locator('body').getAttribute('data-phase'), 'idle');
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), english.page.choose);
  // And all begins anew.
  await pick(page, file('four.png', quick));
  await settled(page);
  assert.equal(await page.locator('#table').isVisible(), false, 'a single image needs no table');
});

intakeTest('all checks are cancelled, and go on', async (page) => {
  await pick(page, file('slow.png', busyPng(768)), file('quick.png', quick), file('letter.png', letter));
  await page.locator('tr[data-kind=checking]').waitFor();
  const pressed = Date.now();
  await page.getByRole('button', { name: 'Cancel all' }).click();
  await allChecked(page);
  assert.ok(Date.now() - pressed < 4000, `${Date.now() - pressed} ms until all were cancelled`);
  assert.deepEqual((await table(page)).map(({ kind }) => kind), ['cancelled', 'cancelled', 'cancelled']);
  assert.equal((await settled(page)).code, 'cancelled');
  // What is left is checked, but for one that is no longer wanted.
  await page.getByRole('button', { name: 'Remove slow.png' }).click();
  await page.getByRole('button', { name: 'Check what was cancelled (2)' }).click();
  await allChecked(page);
  assert.deepEqual((await table(page)).map(({ kind }) => kind).includes('cancelled'), false);
});

intakeTest(
  'what failed is checked again once it can be',
  async (page, { context }) => {
    await context.route('**/*.safetensors', (route) => route.fulfill({ status: 404 }));
    await pick(page, file('one.png', quick), file('two.png', quick));
    await allChecked(page);
    assert.deepEqual((await table(page)).map(({ kind }) => kind), ['failed', 'failed']);
    await context.unroute('**/*.safetensors');
    await page.getByRole('button', { name: 'Check again what failed (2)' }).click();
    await allChecked(page);
    assert.ok((await table(page)).every(({ kind }) => kind !== 'failed'));
    assert.equal(await page.getByRole('button', { name: /what failed/ }).count(), 0);
  },
  { expected: /404/ },
);

intakeTest('more images are added to the table, and a single one is opened', async (page) => {
  await pick(page, file('first.png', quick));
  await settled(page);
  await pick(page, file('second.png', letter), file('third.png', quick));
  await allChecked(page);
  assert.deepEqual(await names(page), ['first.png', 'second.png', 'third.png']);
  await bring(page, 'drop', { files: [file('fourth.png', quick)] });
  await page.locator('#caption', { hasText: 'fourth.png' }).waitFor();
  await allChecked(page);
  assert.deepEqual(await names(page), ['first.png', 'second.png', 'third.png', 'fourth.png']);
  await settled(page);
  assert.equal(await page.locator('#caption').innerText(), 'fourth.png');
  await bring(page, 'paste', { files: [file('image.png', quick), file('image.png', letter)] });
  await allChecked(page);
  assert.equal((await names(page)).length, 6);
  // What is no image loses nothing of the table.
  await bring(page, 'paste', { texts: { 'text/plain': 'Hello' } });
  await page.getByText(english.failure.emptyClipboard).waitFor();
  assert.equal((await names(page)).length, 6);
});

intakeTest('an image that waits is checked next when it is opened', async (page) => {
  await pick(page, file('slow.png', decoded), file('second.png', decoded), file('third.png', quick));
  await page.getByRole('button', { name: 'third.png', exact: true }).click();
  await page.locator('#working[data-stage=waiting]').waitFor();
  await page.waitForFunction(() => document.body.dataset.phase === 'result');
  assert.equal(await page.locator('#caption').innerText(), 'third.png');
  assert.match((await table(page))[1].kind, /waiting|checking/, 'the second comes after it');
});

intakeTest('a check that looks deeper and is cancelled leaves what was found before', async (page) => {
  await pick(page, file('photo.jpg', photograph, 'image/jpeg'));
  const before = await settled(page);
  await page.getByRole('button', { name: 'Look deeper' }).click();
  await page.locator('#working[data-stage=search]').waitFor();
  await page.getByRole('button', { name: 'Cancel' }).click();
  assert.equal((await settled(page)).outcome, before.outcome);
  assert.ok(await page.getByRole('button', { name: 'Look deeper' }).isVisible());
});

intakeTest('the table is used with the keyboard alone', async (page) => {
  await pick(page, file('one.png', letter), file('two.png', letter), file('three.png', quick));
  await allChecked(page);
  const focus = () =>
    page.evaluate(() => {
      const { activeElement } = document;
      return activeElement?.getAttribute('aria-label') ?? activeElement?.textContent;
    });
  await page.getByRole('button', { name: 'Pixels' }).focus();
  await page.keyboard.press('Tab');
  assert.equal(await focus(), 'one.png');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  assert.equal(await focus(), 'three.png');
  await page.keyboard.press('Enter');
  assert.equal(await page.locator('#caption').innerText(), 'three.png');
  await page.getByRole('button', { name: 'Back to the table' }).focus();
  await page.keyboard.press('Enter');
  assert.equal(await focus(), 'three.png');
  await page.keyboard.press('Tab');
  assert.equal(await focus(), english.table.removeNamed('three.png'));
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Delete');
  await page.keyboard.press('Space');
  assert.deepEqual(await names(page), ['one.png', 'three.png']);
  // While rows move to their places the focus stays.
  await page.getByRole('button', { name: 'Image', exact: true }).press('Enter');
  assert.equal(await focus(), 'Image');
});

intakeTest('a folder that is dropped gives its images, those in folders inside it too', async (page) => {
  const folder = await mkdtemp(resolve(tmpdir(), 'aedr-'));
  ended.push(() => rm(folder, { recursive: true }));
  const holiday = resolve(folder, 'holiday');
  await mkdir(resolve(holiday, 'day 1'), { recursive: true });
  await mkdir(resolve(folder, 'empty'));
  const images = { 'IMG_10.PNG': quick, 'IMG_9.png': letter, 'day 1/x.jpg': photograph };
  const inside = { ...images, 'notes.txt': letter, '.IMG_9.png': letter };
  for (const [name, bytes] of Object.entries(inside)) await writeFile(resolve(holiday, name), bytes);
  await writeFile(resolve(folder, 'empty/notes.txt'), letter);
  await dropPaths(page, [resolve(folder, 'empty')]);
  await page.getByText(english.intake.emptyFolder('empty')).waitFor();
  await dropPaths(page, [holiday]);
  await allChecked(page);
  assert.deepEqual(await names(page), ['holiday/IMG_9.png', 'holiday/IMG_10.PNG', 'holiday/day 1/x.jpg']);
});

intakeTest('no more images are taken than the page can keep, and it says so', async (page) => {
  await page.evaluate(() => {
    const data = new DataTransfer();
    for (let number = 1; number <= 1003; number++) data.items.add(new File(['-'], `${number}.png`));
    document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
  });
  await page.getByText(english.table.full(1000)).waitFor();
  assert.equal(await page.locator('#table tbody tr').count(), 1000);
  await page.locator('#table tr[data-kind=failed]').nth(3).waitFor();
  // Hundreds of rows do not make it slow, neither to sort nor when all change at once.
  for (const control of ['thead .name button', '[data-action=cancel-all]']) {
    const took = await page.evaluate(async (control) => {
      const started = performance.now();
      /** @type {HTMLElement} */ (document.querySelector(`#table ${control}`)).click();
      await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
      return performance.now() - started;
    }, control);
    assert.ok(took < 2000, `${control} took ${took} ms`);
  }
  await allChecked(page);
  const counts = ['failed', 'cancelled'].map((kind) => english.table.count(kind, Number.NaN));
  assert.match(await page.locator('#table [role=status]').innerText(), pattern(english.table.summary(1000, counts)));
});

/** As from a file manager. @param {import('playwright-core').Page} page @param {string[]} paths */
async function dropPaths(page, paths) {
  const client = await page.context().newCDPSession(page);
  for (const type of /** @type {const} */ (['dragEnter', 'dragOver', 'drop'])) {
    const data = { items: [], files: paths, dragOperationsMask: 1 };
    await client.send('Input.dispatchDragEvent', { type, x: 200, y: 200, data });
  }
  await client.detach();
}

/** @param {import('playwright-core').Page} page */
const field = (page) => page.getByRole('textbox', { name: 'Or paste an image’s link' });
/** @param {import('playwright-core').Page} page */
const fetching = (page) => page.getByRole('button', { name: 'Fetch and check' });

/** @param {import('playwright-core').Page} page @param {string} link */
async function fetchLink(page, link) {
  if (!(await field(page).isVisible())) await page.locator('#link summary').click();
  await field(page).fill(link);
  await fetching(page).click();
}

intakeTest('an image is fetched by its link, and the site learns as little as can be', async (page, { context }) => {
  await context.addCookies([{ name: 'who', value: 'somebody', url: site.origin }]);
  await page.getByText(english.intake.linkHint).waitFor();
  const before = site.seen.length;
  await fetchLink(page, `${site.origin}/open/made%20up.png?size=1#top`);
  const { outcome, text } = await settled(page);
  assert.equal(outcome, 'matches', text);
  assert.equal(await page.locator('#caption').innerText(), 'made up.png');
  assert.ok((await page.locator('#details').innerText()).includes(english.intake.fromLink));
  const asked = site.seen.slice(before);
  assert.deepEqual(asked.map(({ path }) => path), ['/open/made%20up.png?size=1']);
  assert.deepEqual([asked[0].headers.cookie, asked[0].headers.referer], [undefined, undefined]);
  assert.ok(page.workers().some((worker) => worker.url().endsWith('/link-worker.js')));
});

intakeTest(
  'only the worker for links may connect elsewhere',
  async (page) => {
    const before = site.seen.length;
    const blocked = await page.evaluate((url) => fetch(url).then(() => false, () => true), `${site.origin}/open/a.png`);
    assert.ok(blocked, 'the page itself');
    await pick(page, file('quick.png', quick));
    await settled(page);
    const checking = page.workers().find((worker) => worker.url().endsWith('/www/engine/worker.js'));
    assert.ok(checking);
    assert.ok(await checking.evaluate((url) => fetch(url).then(() => false, () => true), `${site.origin}/open/a.png`));
    // Where its header lets it reach no such site, nothing goes there.
    await fetchLink(page, `${site.origin}/open/a.png`);
    await page.locator('#notice[data-code=link_refused]').waitFor();
    assert.equal(site.seen.length, before);
  },
  {
    expected: FAILED_LOAD,
    address: async () => {
      const strict = await serve({ directories: [DIST], linksFrom: 'https://example.org' });
      ended.push(strict.close);
      return strict.address;
    },
  },
);

intakeTest(
  'a link that gives no image is explained, and how to go on',
  async (page) => {
    const { linkProblems, linkTooLarge } = english.intake;
    const { fileTooLarge, fileTooLargeAdvice } = english.failure;
    const { host } = new URL(site.origin);
    const said = (/** @type {string} */ problem, status = 0) =>
      [linkProblems[problem].message(host, status), linkProblems[problem].advice];
    const cases = /** @type {[string, string, string[]][]} */ ([
      ['closed', 'link_refused', said('refused')],
      ['nothing', 'link_missing', said('missing', 404)],
      ['gated', 'link_gated', said('gated', 401)],
      ['denied', 'link_denied', said('denied', 403)],
      ['page', 'link_page', said('page')],
      ['page-in-disguise', 'link_page', said('page')],
      ['large', 'file_too_large', [fileTooLarge(68_000_000), fileTooLargeAdvice]],
      ['endless', 'file_too_large', [linkTooLarge(host), fileTooLargeAdvice]],
    ]);
    for (const [how, code, [message, advice]] of cases) {
      await fetchLink(page, `${site.origin}/${how}/a.png`);
      await page.locator(`#outcome[data-code=${code}]`).filter({ hasText: message }).waitFor();
      const { text } = await settled(page);
      assert.ok(text.includes(advice), `${how}: ${text}`);
      // What was typed is still there.
      assert.equal(await field(page).inputValue(), `${site.origin}/${how}/a.png`);
    }
    await fetchLink(page, `${site.origin}/open/a.png`);
    await page.locator('#outcome[data-outcome=matches]').waitFor();
  },
  { expected: FAILED_LOAD },
);

intakeTest(
  'a site that falls silent is given up',
  async (page) => {
    await fetchLink(page, `${site.origin}/stall/a.png`);
    await page.locator('#outcome[data-code=link_interrupted]').waitFor();
    assert.ok(await page.getByRole('button', { name: 'Try again' }).isVisible());
  },
  { expected: FAILED_LOAD, address: impatient },
);

intakeTest('fetching is cancelled', async (page) => {
  await fetchLink(page, `${site.origin}/stall/a.png`);
  await page.locator('#stage-text', { hasText: english.stages.link }).waitFor();
  await page.getByRole('button', { name: 'Cancel' }).click();
  assert.equal((await settled(page)).code, 'cancelled');
});

/** The page, with a worker for links to which half a second is a long time. */
async function impatient() {
  const folder = await mkdtemp(resolve(tmpdir(), 'aedr-'));
  await mkdir(resolve(folder, 'www/intake'), { recursive: true });
  const script = await readFile(resolve(DIST, 'www/intake/image-fetch.js'), 'utf8');
  await writeFile(resolve(folder, 'www/intake/image-fetch.js'), script.replace('15_000', '500'));
  const changed = await serve({ directories: [folder, DIST] });
  ended.push(changed.close, () => rm(folder, { recursive: true }));
  return changed.address;
}

intakeTest('what is no link is said beside the field, and asks nobody', async (page) => {
  const before = site.seen.length;
  const { dataWrong, linkInsecure, linkWrong } = english.intake;
  for (const [text, message] of [
    ['a castle', linkWrong],
    ['', linkWrong],
    ['http://example.org/a.png', linkInsecure],
    ['javascript:alert(1)', linkWrong],
    ['data:text/html,<p>', dataWrong],
    ['data:image/png;base64,###', dataWrong],
  ]) {
    await fetchLink(page, text);
    await page.locator('#link-problem').filter({ hasText: message }).waitFor();
    assert.equal(await page.evaluate(() => document.activeElement?.id), 'link-address');
  }
  assert.equal(await page.locator('body').getAttribute('data-phase'), 'idle');
  assert.equal(site.seen.length, before);
  // An image that is its own link needs no site.
  await fetchLink(page, `data:image/png;base64,${encodeURIComponent(quick.toString('base64'))}`);
  await settled(page);
  assert.equal(await page.locator('#caption').innerText(), 'image-from-a-link.png');
});

intakeTest('a link that is dropped or pasted waits for a person to fetch it', async (page) => {
  const before = site.seen.length;
  const link = `${site.origin}/open/dropped.png`;
  // A picture inside a link: the markup has the picture's own address.
  const around = 'https://example.org/page';
  const texts = { 'text/uri-list': around, 'text/html': `<a href="${around}"><img src="${link}"></a>` };
  await bring(page, 'drop', { texts });
  await page.getByText(english.intake.linkArrived).waitFor();
  assert.equal(await field(page).inputValue(), link);
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), english.intake.linkFetch);
  assert.equal(site.seen.length, before, 'nothing is fetched by itself');
  await page.keyboard.press('Enter');
  assert.equal((await settled(page)).outcome, 'matches');
  assert.equal(site.seen.length, before + 1);
  await bring(page, 'paste', { texts: { 'text/plain': `  ${site.origin}/open/pasted.png\n` } });
  await page.getByText(english.intake.linkArrived).waitFor();
  assert.equal(await field(page).inputValue(), `${site.origin}/open/pasted.png`);
  // What is pasted into the field is the field's.
  await field(page).fill('');
  await bring(page, 'paste', { texts: { 'text/plain': 'https://example.org/typed.png' }, into: '#link-address' });
  assert.equal(await field(page).inputValue(), '');
});

intakeTest('an image that is dragged from a page is the copy that the page showed', async (page) => {
  const before = site.seen.length;
  const texts = { 'text/uri-list': `${site.origin}/open/a.png` };
  await bring(page, 'drop', { files: [file('a.png', quick)], texts });
  await settled(page);
  assert.ok((await page.locator('#details').innerText()).includes(english.intake.asShown));
  assert.equal(site.seen.length, before, 'the image that is here is taken');
});

intakeTest(
  'an iPhone’s JPEG may be a copy, and a HEIC that is a JPEG is one',
  async (page) => {
    const notes = () => page.locator('#details .notes').innerText();
    await pick(page, file('image.jpg', photograph, 'image/jpeg'));
    await settled(page);
    assert.ok((await notes()).includes(english.intake.convertedPhone));
    await pick(page, file('IMG_0001.HEIC', photograph, 'image/heic'));
    await page.locator('#caption', { hasText: 'HEIC' }).waitFor();
    await settled(page);
    assert.ok((await notes()).includes(english.intake.convertedHeic));
    await pick(page, file('picture.png', quick));
    await page.locator('#caption', { hasText: 'picture.png' }).waitFor();
    await settled(page);
    const details = await page.locator('#details').innerText();
    const { convertedHeic, convertedPhone } = english.intake;
    for (const text of [convertedHeic, convertedPhone]) assert.ok(!details.includes(text), details);
  },
  { options: { userAgent: IPHONE, hasTouch: true } },
);

intakeTest('elsewhere a JPEG is as it was', async (page) => {
  await pick(page, file('image.jpg', photograph, 'image/jpeg'));
  await settled(page);
  assert.ok(!(await page.locator('#details').innerText()).includes(english.intake.convertedPhone));
});

intakeTest('what other parts of the page bring is taken', async (page) => {
  const note = await page.evaluate(
    async ({ base64, address }) => {
      const { takeFiles } = await import(address);
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      takeFiles([new File([bytes], 'shared.png', { type: 'image/png' })], 'shared');
      takeFiles([], 'shared');
      return document.body.dataset.phase;
    },
    { base64: quick.toString('base64'), address: `${server.address}www/intake/arrivals.js` },
  );
  assert.equal(note, 'working');
  await settled(page);
  assert.equal(await page.locator('#caption').innerText(), 'shared.png');
});
