/** Checks the samples in browsers other than Chromium: same outcomes, same numbers, shown as they should be. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { DIST, ROOT, sampleList, serve } from './browser.mjs';
import { english } from './messages.mjs';

/** @typedef {import('./other-browsers.mjs').Browser} Browser */

/** For losses, which another compiler's arithmetic changes slightly. */
const TOLERANCE = 1e-5;
const PATIENCE_MS = 60_000;
const SCREENSHOTS = resolve(ROOT, 'target/screenshots');

/**
 * Opens the page and checks a sample that the model painted, and a photograph, on the CPU.
 * @param {() => Promise<Browser>} start @param {{threads: number}} expected How many threads compute.
 */
export async function checkSamples(start, { threads }) {
  const samples = await sampleList();
  const decoded = samples.find((/** @type {any} */ sample) => sample.decoded);
  const photograph = samples.find((/** @type {any} */ sample) => !sample.decoded);
  const known = lossesOf([decoded, photograph].map(({ file }) => resolve(DIST, 'www/samples', file)));
  const server = await serve({ directories: [DIST] });
  const browser = await start();
  try {
    await browser.open(server.address);
    await until(browser, 'the samples', () => document.querySelectorAll('.sample').length > 0);
    assert.equal(await browser.evaluate(() => globalThis.crossOriginIsolated), true);
    assert.equal(await browser.evaluate(() => document.querySelector('h1')?.textContent), english.page.headline);
    await keepWhatIsSaved(browser);
    for (const selector of ['#settings summary', '#device input[value=cpu]', '#settings summary']) await browser.click(selector);
    for (const [index, [sample, outcome]] of [[decoded, 'matches'], [photograph, 'does_not_match']].entries()) {
      const { title, file } = sample;
      await browser.click(`#sample-list > li:nth-child(${samples.indexOf(sample) + 1}) button`);
      await until(browser, `the result of ${title}`, (title) => {
        const { phase } = document.body.dataset;
        const caption = document.querySelector('#caption')?.textContent ?? '';
        return caption.startsWith(title) && (phase === 'result' || phase === 'error');
      }, title);
      const shown = await browser.evaluate(shownResult);
      await picture(browser, `${index + 1}-${outcome}`);
      assert.deepEqual([shown.outcome, shown.code], [outcome, null], `${file}: ${shown.text}`);
      assert.equal(shown.heading, english.outcomes[outcome].heading);
      assert.deepEqual(shown.computed, { device: 'cpu', reason: 'chosen', threads: String(threads) });
      const record = await savedReport(browser);
      const { losses } = record.checks[0];
      for (const name of /** @type {const} */ (['first', 'second'])) {
        const expected = (await known)[index][name];
        const error = Math.abs(losses[name] / expected - 1);
        assert.ok(error < TOLERANCE, `${file}, loss ${name}: ${losses[name]}, not ${expected}`);
      }
      assert.equal(record.ranking.outcome, outcome);
      // The numbers on the page must be those of the report.
      const digits = new Intl.NumberFormat('en', { maximumSignificantDigits: 4 });
      assert.equal(shown.numbers.first, digits.format(losses.first));
      assert.equal(shown.numbers.second, digits.format(losses.second));
    }
    await until(browser, 'the evidence map', () => {
      const images = [...document.querySelectorAll('.viewer img')];
      return images.length > 0 && images.every((image) => /** @type {HTMLImageElement} */ (image).naturalWidth > 0);
    });
    await browser.evaluate(() => document.querySelector('.evidence-map')?.scrollIntoView({ behavior: 'instant' }));
    // Painting takes a moment longer.
    await new Promise((done) => setTimeout(done, 300));
    await picture(browser, '3-evidence-map');
    assert.equal(await browser.evaluate(() => document.documentElement.scrollWidth > innerWidth), false, 'nothing sticks out');
  } finally {
    await browser.close();
    await server.close();
  }
}

/** What the page shows, by its codes. Runs in the page. */
function shownResult() {
  const outcome = /** @type {HTMLElement} */ (document.querySelector('#outcome'));
  const value = (/** @type {string} */ name) => outcome.getAttribute(`data-${name}`);
  const device = outcome.querySelector('.device');
  const number = (/** @type {string} */ name) =>
    document.querySelector(`#details [data-number=${name}] .value`)?.textContent;
  return {
    outcome: value('outcome'),
    code: value('code'),
    heading: outcome.querySelector('.outcome-heading')?.textContent,
    text: outcome.innerText,
    computed: {
      device: device?.getAttribute('data-device'),
      reason: device?.getAttribute('data-reason'),
      threads: device?.getAttribute('data-threads'),
    },
    numbers: { first: number('first'), second: number('second') },
  };
}

/** The native program's losses, with the kernels that the page uses. @param {string[]} files */
async function lossesOf(files) {
  const options = ['check', ...files, '--json', '--device', 'cpu', '--engine', 'kernels'];
  const { stdout } = await promisify(execFile)(resolve(ROOT, 'target/release/aedr'), options);
  const lines = stdout.trim().split('\n').map((line) => JSON.parse(line));
  return lines.map(({ losses }) => losses);
}

/** Records what the page saves, because not every browser can be told where to save. @param {Browser} browser */
async function keepWhatIsSaved(browser) {
  await browser.evaluate(() => {
    const create = URL.createObjectURL;
    URL.createObjectURL = (blob) => {
      if (/** @type {Blob} */ (blob).type === 'application/json') {
        /** @type {Blob} */ (blob).text().then((text) => (/** @type {any} */ (globalThis).saved = text));
      }
      return create(blob);
    };
  });
}

/** Presses the button and gives the report. @param {Browser} browser */
async function savedReport(browser) {
  await until(browser, 'the button that saves', () => document.querySelector('.ways button') !== null);
  await browser.evaluate(() => {
    /** @type {any} */ (globalThis).saved = null;
  });
  await browser.click('.ways > li:first-child button');
  await until(browser, 'the report', () => /** @type {any} */ (globalThis).saved !== null);
  return JSON.parse(await browser.evaluate(() => /** @type {any} */ (globalThis).saved));
}

/**
 * Waits until something holds in the page.
 * @param {Browser} browser @param {string} what @param {(...args: any[]) => boolean} holds @param {...any} args
 */
async function until(browser, what, holds, ...args) {
  const began = Date.now();
  while (!(await browser.evaluate(holds, ...args))) {
    if (Date.now() - began > PATIENCE_MS) {
      await picture(browser, 'waiting');
      assert.fail(`${browser.name}: ${what} did not come`);
    }
    await new Promise((done) => setTimeout(done, 100));
  }
}

/** A screenshot for a person to look at. @param {Browser} browser @param {string} name */
async function picture(browser, name) {
  await mkdir(SCREENSHOTS, { recursive: true });
  const file = `${browser.name.toLowerCase().replace(/\W+/g, '-')}-${name}.png`;
  await writeFile(resolve(SCREENSHOTS, file), await browser.screenshot());
}
