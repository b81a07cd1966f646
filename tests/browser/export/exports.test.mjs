/** What a person takes away of a result: the report as JSON and its schema, the page on paper, the picture. */

import Ajv from 'ajv/dist/2020.js';
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { answerAlways, answerOf, HOSTILE_NAMES } from '../support/answers.mjs';
import { DIST, give, launch, openPage, ROOT, sampleBytes, sampleList, serve, settled } from '../support/browser.mjs';
import { png } from '../support/image-files.mjs';
import { ANY, english, pattern } from '../support/messages.mjs';

const run = promisify(execFile);

/** The inks of the picture, and a colour that only the image has. */
const TEAL = [11, 119, 111];
const VERMILION = [201, 61, 32];
const MAGENTA = [250, 0, 250];
const MAGENTA_FILE = png(384, 256, () => [250, 0, 250]);

/** @type {Awaited<ReturnType<typeof serve>>} */
let server;
/** @type {import('playwright-core').Browser} */
let browser;
/** @type {any} */
let schema;

before(async () => {
  server = await serve({ directories: [DIST] });
  browser = await launch({ webgpu: false });
  schema = JSON.parse(await readFile(resolve(DIST, 'www/report-2.schema.json'), 'utf8'));
});

after(async () => {
  await browser?.close();
  await server?.close();
});

/**
 * A test with a page of its own. Whatever it does, nothing may leave the origin and the browser may not complain.
 * @param {string} name
 * @param {(page: import('playwright-core').Page, opened: Awaited<ReturnType<typeof openPage>>) => Promise<void>} body
 * @param {object} [options]
 * @param {ReturnType<typeof answerOf>} [options.answer] Stands in for the module's.
 * @param {import('playwright-core').BrowserContextOptions} [options.view]
 * @param {RegExp} [options.expected] Complaints.
 */
function pageTest(name, body, { answer, view, expected } = {}) {
  test(name, { timeout: 120_000 }, async () => {
    const opened = await openPage(browser, 'about:blank', view);
    const { context, page, requests, complaints } = opened;
    page.setDefaultTimeout(20_000);
    try {
      if (answer) await answerAlways(context, answer);
      await page.goto(server.address);
      await body(page, opened);
      const { origin } = new URL(server.address);
      const foreign = requests.filter((url) => !/^(blob|data|about):/.test(url) && new URL(url).origin !== origin);
      assert.deepEqual(foreign, [], 'requests outside the origin');
      assert.deepEqual(complaints.filter((text) => !expected?.test(text)), [], 'complaints of the browser');
    } finally {
      await context.close();
    }
  });
}

/** @param {import('playwright-core').Page} page @param {string} [name] @param {Uint8Array} [bytes] */
async function checked(page, name = 'holiday.png', bytes = MAGENTA_FILE) {
  await give(page, 'drop', name, bytes);
  const shown = await settled(page);
  await page.getByRole('heading', { name: english.exports.heading }).waitFor();
  return shown;
}

/**
 * Presses a button and gives the file that comes.
 * @param {import('playwright-core').Page} page @param {string} button
 */
async function saved(page, button) {
  const coming = page.waitForEvent('download');
  await page.getByRole('button', { name: button }).click();
  const download = await coming;
  const bytes = await readFile(await download.path());
  return { name: download.suggestedFilename(), bytes };
}

/** How many pixels have each of these colours, about. @param {Buffer} bytes @param {number[][]} colours */
async function pixelsOf(bytes, colours) {
  assert.deepEqual([...bytes.subarray(0, 8)], [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a], 'a PNG');
  const page = await browser.newPage();
  try {
    return await page.evaluate(
      async ({ base64, colours }) => {
        const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
        const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
        const { width, height } = bitmap;
        const drawing = new OffscreenCanvas(width, height).getContext('2d');
        drawing.drawImage(bitmap, 0, 0);
        const { data } = drawing.getImageData(0, 0, width, height);
        const counts = colours.map((colour) => {
          let count = 0;
          for (let at = 0; at < data.length; at += 4) {
            if (colour.every((value, channel) => Math.abs(data[at + channel] - value) <= 3)) count++;
          }
          return count;
        });
        return { width, height, counts };
      },
      { base64: bytes.toString('base64'), colours },
    );
  } finally {
    await page.close();
  }
}

/** @param {Buffer} pdf */
const pagesOf = (pdf) => (pdf.toString('latin1').match(/\/Type\s*\/Page\b/g) ?? []).length;

/** @param {any} value */
function problemsOf(value) {
  const validate = new Ajv.default({ strict: true, allErrors: true }).compile(schema);
  validate(value);
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

pageTest('the report of a check is what the schema says, and of this file', async (page) => {
  const [sample] = (await sampleList()).filter(({ decoded }) => decoded);
  const bytes = await sampleBytes(sample.file);
  const { outcome } = await checked(page, 'dahlia.png', bytes);
  const { name, bytes: file } = await saved(page, english.exports.json);
  assert.equal(name, 'dahlia.png.aedr.json');
  assert.match(file.toString(), /^\{\n {2}"format": "aedr-report"/);
  const record = JSON.parse(file.toString());
  assert.deepEqual(problemsOf(record), []);
  assert.equal(record.ranking.outcome, outcome);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  assert.deepEqual(record.image, { name: 'dahlia.png', bytes: bytes.length, sha256 });
  const { shards } = JSON.parse(await readFile(resolve(DIST, 'weights/aedr-small/manifest.json'), 'utf8'));
  assert.deepEqual(record.checks[0].model.shards, shards);
  await page.getByText('aedr check --replay dahlia.png.aedr.json').waitFor();
});

/** The program, built natively: another engine, another memory, the same numbers. */
pageTest('the program repeats what the page reported, and tells what is not the same', async (page) => {
  const folder = await mkdtemp(join(tmpdir(), 'aedr-'));
  try {
    const { file } = (await sampleList()).find(({ decoded }) => decoded);
    const image = await sampleBytes(file);
    await writeFile(join(folder, file), image);
    await checked(page, file, image);
    const { name, bytes } = await saved(page, english.exports.json);
    await writeFile(join(folder, name), bytes);
    const replay = () => run(resolve(ROOT, 'target/release/aedr'), ['check', '--replay', join(folder, name), '--device', 'cpu']);
    const { stdout } = await replay();
    assert.match(stdout, /\nthe same\n$/);
    console.log(stdout);
    await writeFile(join(folder, file), image.subarray(0, -1));
    await assert.rejects(replay(), /is not what the report was made of/);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('the schema takes every kind of report, refuses all else, and explains every property', () => {
  const record = () => structuredClone({ ...answerOf('cannot_tell', { failures: ['absent'] }).record });
  assert.deepEqual(problemsOf(record()), []);
  const deep = record();
  const alignment = { size: null, left: 3, top: 5 };
  Object.assign(deep.checks[0], { search: { alignment, contrast: 0.4, tried: 64, blocks: null } });
  deep.checks[0].evidence = null;
  deep.checks[0].image.compression = /** @type {any} */ ({ jpeg: 92 });
  assert.deepEqual(problemsOf(deep), []);
  /** @type {[string, (changed: any) => void][]} */
  const changes = [
    ['another version', (changed) => (changed.format_version = 3)],
    ['an unknown property', (changed) => (changed.checks[0].extra = 1)],
    ['no hash', (changed) => delete changed.image.sha256],
    ['a hash of another kind', (changed) => (changed.image.sha256 = 'AB')],
    ['an unknown outcome', (changed) => (changed.ranking.outcome = 'maybe')],
    ['H above 1', (changed) => (changed.checks[0].homogeneity = 1.5)],
    ['a local time', (changed) => (changed.created_at = '2026-11-24T21:30:00+01:00')],
    ['no check', (changed) => (changed.checks = [])],
  ];
  for (const [what, change] of changes) {
    const changed = record();
    change(changed);
    assert.notDeepEqual(problemsOf(changed), [], what);
  }
  const explained = (/** @type {any} */ node, /** @type {string} */ path) => {
    if (node.type === 'object' && node.properties) assert.equal(node.additionalProperties, false, path);
    for (const [name, part] of Object.entries(node.properties ?? {})) {
      const { description, $ref = '' } = part;
      const named = schema.$defs[$ref.replace('#/$defs/', '')];
      const within = named?.properties && Object.keys(named.properties).length > 0;
      assert.ok(description || named?.description || within, `${path}.${name} has no description`);
      explained(part, `${path}.${name}`);
    }
  };
  explained(schema, 'report');
  for (const [name, part] of Object.entries(schema.$defs)) explained(part, name);
});

for (const outcome of /** @type {const} */ (['matches', 'does_not_match', 'cannot_tell'])) {
  const models = /** @type {[string, string, 'does_not_match'][]} */ ([['second', 'Second model', 'does_not_match']]);
  pageTest(
    `the picture of ${outcome} is complete, with the image or without`,
    async (page) => {
      await checked(page);
      const withImage = await saved(page, english.exports.picture);
      assert.equal(withImage.name, 'holiday.png.aedr.png');
      const found = await pixelsOf(withImage.bytes, [TEAL, VERMILION, MAGENTA]);
      assert.equal(found.width, 1200);
      assert.ok(found.height > 1200 && found.height < 2600, `${found.height} pixels high`);
      const [teal, vermilion, magenta] = found.counts;
      assert.ok(teal > 5000 && vermilion > 5000, `inks: ${found.counts}`);
      // 400 × 267, less what the frames cover.
      assert.ok(magenta > 90_000 && magenta < 110_000, `${magenta} pixels of the image`);
      await page.getByText(english.exports.saved('holiday.png.aedr.png')).waitFor();
      assert.equal(await page.evaluate(() => document.activeElement?.textContent), english.exports.picture);
      await page.getByLabel(english.exports.include).uncheck();
      const without = await pixelsOf((await saved(page, english.exports.picture)).bytes, [TEAL, MAGENTA]);
      assert.equal(without.width, 1200);
      assert.ok(without.counts[0] > 5000, 'the inks are there');
      assert.equal(without.counts[1], 0, 'the image is not');
    },
    { answer: answerOf(outcome, { models, failures: ['absent'] }) },
  );
}

const ALONE = { calibrated: false, photographs: 0 };
const WITHOUT_THRESHOLD = {
  no_trace: answerOf('cannot_tell', { known: { ...ALONE, reason: 'no_trace' } }),
  matches: answerOf('matches', { known: ALONE }),
};

for (const [kind, answer] of Object.entries(WITHOUT_THRESHOLD)) {
  pageTest(
    `${kind} of a model without a threshold is told on paper and in the picture`,
    async (page) => {
      assert.deepEqual(problemsOf({ ...answer.record, image: { ...answer.record.image, name: 'holiday.png' } }), []);
      await checked(page);
      const { bytes } = await saved(page, english.exports.picture);
      const { width, height } = await pixelsOf(bytes, []);
      // Without the plot of the signal.
      assert.ok(width === 1200 && height > 1000 && height < 1700, `${width} × ${height}`);
      await page.emulateMedia({ media: 'print' });
      const text = await page.locator('body').innerText();
      const { lines, outcomes, result } = english;
      assert.ok(text.includes(outcomes[kind].heading), text);
      const { robust } = answer.answers[0].report.control;
      const number = (/** @type {number} */ value) => value.toFixed(3).replace('-', '−');
      const measured = `${number(robust.signal)} ± ${number(robust.standard_error)}`;
      const row = [lines.outcomes[kind], 't 0.516', result.noThreshold, measured];
      assert.match(text, pattern(row.join(ANY)));
      assert.ok(text.includes(english.control.basis(0)), text);
    },
    { answer },
  );
}

pageTest(
  'the picture reads no canvas, and only a press of its button fetches anything',
  async (page, { requests }) => {
    await page.addInitScript(() => {
      const refuse = () => {
        globalThis.readBack = true;
        throw new Error('a canvas was read');
      };
      for (const name of ['toBlob', 'toDataURL']) HTMLCanvasElement.prototype[name] = refuse;
      for (const kind of [CanvasRenderingContext2D, OffscreenCanvasRenderingContext2D]) {
        kind.prototype.getImageData = refuse;
      }
      OffscreenCanvas.prototype.convertToBlob = refuse;
    });
    await page.reload();
    await checked(page);
    const parts = /card-worker|www\/fonts/;
    assert.deepEqual(requests.filter((url) => parts.test(url)), [], 'nothing of it was fetched before');
    const { bytes } = await saved(page, english.exports.picture);
    const { counts } = await pixelsOf(bytes, [MAGENTA]);
    assert.ok(counts[0] > 90_000, `${counts} pixels of the image`);
    assert.equal(await page.evaluate(() => globalThis.readBack), undefined);
    assert.ok(requests.some((url) => parts.test(url)), 'requests of the worker are among those seen');
    // A browser without video frames: the file itself is drawn, if the renderer knows it.
    await page.evaluate(() => delete globalThis.VideoFrame);
    const whole = await pixelsOf((await saved(page, english.exports.picture)).bytes, [MAGENTA]);
    assert.ok(whole.counts[0] > 90_000, `${whole.counts} pixels of the image`);
  },
  { answer: answerOf('matches') },
);

const WEBP = answerOf('matches');
WEBP.answers[0].report.image.format = 'WebP';

pageTest(
  'an image that the renderer does not know is in the picture as well, if the browser gives its pixels',
  async (page) => {
    const other = await browser.newPage();
    const webp = await other.evaluate(async () => {
      const canvas = new OffscreenCanvas(800, 400);
      const drawing = canvas.getContext('2d');
      drawing.fillStyle = 'rgb(250 0 250)';
      drawing.fillRect(0, 0, 800, 400);
      const blob = await canvas.convertToBlob({ type: 'image/webp', quality: 1 });
      const bytes = new Uint8Array(await blob.arrayBuffer());
      return btoa(bytes.reduce((text, byte) => text + String.fromCharCode(byte), ''));
    });
    await other.close();
    await checked(page, 'photo.webp', Buffer.from(webp, 'base64'));
    const { counts } = await pixelsOf((await saved(page, english.exports.picture)).bytes, [MAGENTA]);
    assert.ok(counts[0] > 60_000 && counts[0] < 82_000, `${counts} pixels of 400 × 200`);
    // Where it cannot be had, the page says so, and all else is there.
    await page.evaluate(() => delete globalThis.VideoFrame);
    const without = await pixelsOf((await saved(page, english.exports.picture)).bytes, [TEAL, MAGENTA]);
    assert.ok(without.counts[0] > 5000 && without.counts[1] === 0, `${without.counts}`);
    await page.getByText(pattern(english.exports.savedWithout(ANY))).waitFor();
  },
  { answer: WEBP },
);

pageTest(
  'a picture that cannot be made is explained, and trying again works',
  async (page, { context }) => {
    await checked(page);
    await context.route('**/www/fonts/*.otf', (route) => route.fulfill({ status: 404 }));
    await page.getByRole('button', { name: english.exports.picture }).click();
    await page.getByText(pattern(`${english.exports.failed(`${ANY}404${ANY}`)} ${english.exports.failedAdvice}`)).waitFor();
    await context.unroute('**/www/fonts/*.otf');
    const { bytes } = await saved(page, english.exports.picture);
    assert.equal((await pixelsOf(bytes, [])).width, 1200);
  },
  { answer: answerOf('matches'), expected: /404/ },
);

pageTest(
  'names of files may be anything',
  async (page) => {
    for (const name of HOSTILE_NAMES) {
      await give(page, 'drop', name, MAGENTA_FILE);
      await page.waitForFunction((name) => document.querySelector('.repeat dd')?.textContent === name, name);
      const report = await saved(page, english.exports.json);
      assert.match(report.name, /^[\p{L}\p{N}\p{M}_(+][\p{L}\p{N}\p{M} ._()+-]*\.aedr\.json$/u);
      assert.ok(report.name.length <= 100, report.name);
      // In the report it is as it was.
      assert.equal(JSON.parse(report.bytes.toString()).image.name, name);
      const command = await page.locator('.ways code').innerText();
      assert.match(command, /^aedr check --replay ([\w.-]+|'[^'`$\\]+')$/);
    }
    const picture = await saved(page, english.exports.picture);
    assert.equal((await pixelsOf(picture.bytes, [])).width, 1200);
    assert.equal(await page.title(), english.page.title);
    assert.equal(await page.locator('.exports img, .exports script').count(), 0);
  },
  { answer: answerOf('matches') },
);

const PRINTED = answerOf('does_not_match', {
  models: [['second', 'Second model', 'does_not_match']],
  failures: ['absent'],
});
const ONLY_ON_SCREEN = [
  english.page.chooseAnother,
  english.page.models,
  english.result.again,
  english.exports.json,
  english.page.samplesHeading,
  english.page.howHeading,
];

for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
  pageTest(
    `on paper the result is complete and nothing else, from the ${colorScheme} theme`,
    async (page) => {
      await checked(page);
      await page.emulateMedia({ media: 'print', colorScheme });
      const text = await page.locator('body').innerText();
      const { record } = PRINTED;
      const ofModels = record.checks.flatMap(({ model }) => [model.shards[0].sha256, model.calibration_sha256]);
      for (const hash of [record.image.sha256, ...ofModels]) assert.ok(text.includes(hash), hash);
      assert.match(text, /November 24, 2026 at 21:30 UTC/);
      const { meansNot } = english.meanings.does_not_match;
      const order = [english.outcomes.does_not_match.heading, english.result.meansNotHeading, ...meansNot];
      assert.match(text, pattern(order.join(ANY)));
      assert.match(text, /holiday\.png[\s\S]+aedr 0\.1\.0 \(wasm32\)/);
      assert.match(text, pattern([PRINTED.answers[0].report.notes[0].message, PRINTED.claims[0].text].join(ANY)));
      assert.match(text, pattern(['Second model', '0.0012', 'absent', english.lines.outcomes.failed].join(ANY)));
      assert.ok(text.includes(english.exports.printed));
      for (const gone of ONLY_ON_SCREEN) assert.ok(!text.includes(gone), `${gone} is on paper`);
      const controls = 'button:visible, input:visible, select:visible, summary:visible:not(.repeat *)';
      assert.equal(await page.locator(controls).count(), 0);
      const colours = await page.evaluate(() => {
        const { backgroundColor, color } = getComputedStyle(document.body);
        return [backgroundColor, getComputedStyle(document.querySelector('.stage')).backgroundColor, color];
      });
      assert.deepEqual(colours, ['rgb(255, 255, 255)', 'rgb(255, 255, 255)', 'rgb(0, 0, 0)']);
      await page.emulateMedia({ media: null, colorScheme });
      assert.equal(await page.getByText(record.image.sha256).isVisible(), false, 'folded on the screen');
      for (const format of ['A4', 'Letter']) {
        const pages = pagesOf(await page.pdf({ format }));
        assert.ok(pages >= 1 && pages <= 3, `${pages} pages of ${format}`);
      }
      assert.equal(await page.locator('.repeat').getAttribute('open'), null, 'it is folded again');
    },
    { answer: PRINTED, view: { colorScheme } },
  );
}

pageTest(
  'the button prints, and on a narrow screen nothing is wider than it',
  async (page) => {
    await page.addInitScript(() => (window.print = () => (globalThis.printed = true)));
    await page.reload();
    await checked(page);
    await page.getByRole('button', { name: english.exports.print }).click();
    assert.equal(await page.evaluate(() => globalThis.printed), true);
    await page.getByText(english.exports.repeatHeading).click();
    const table = page.getByRole('region', { name: english.exports.tableLabel });
    assert.ok(await table.evaluate((node) => node.scrollWidth > node.clientWidth), 'the table moves in its own place');
    const { whole, room } = await page.evaluate(() => {
      const { scrollWidth, clientWidth } = document.documentElement;
      return { whole: scrollWidth, room: clientWidth };
    });
    assert.ok(whole <= room, `${whole} > ${room}`);
  },
  { answer: answerOf('cannot_tell'), view: { viewport: { width: 320, height: 640 } } },
);
