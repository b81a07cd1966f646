/**
 * The orientation control with a real autoencoder, TAESD, of which nothing is known but its weights: of two images painted from
 * one latent, the one that it painted is found, and the one that another decoder painted is not. S, on the CPU and on WebGPU, is
 * that of PyTorch and SciPy (tests/goldens/make_orientation.py).
 */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { goesWithout, REFERENCE } from '../../../scripts/requirements.mjs';
import { chooseDevice, DIST, give, launch, openPage, ROOT, serve, settled, withoutIntegrity } from '../support/browser.mjs';
import { encode } from '../support/encoded-images.mjs';
import { ANY, english, pattern } from '../support/messages.mjs';

/** What is checked, and where in it each image was cut; `small`: of TAESD's, for WebGPU in software is slow. */
const BOTH = 'generated/taesd-and-sd21-same-latent.png';
/** @typedef {{cut: [left: number, top: number], side: number}} Cut @type {Record<'own' | 'foreign' | 'small', Cut>} */
const CUTS = {
  own: { cut: [672, 160], side: 192 },
  foreign: { cut: [160, 160], side: 192 },
  small: { cut: [704, 192], side: 128 },
};

/** How far S may be from its reference: devices add in orders of their own. */
const NEAR = 1e-3;

/** @typedef {import('playwright-core').Page} Page */

/** The control in the record that a person saves. @param {Page} page */
async function savedControl(page) {
  const coming = page.waitForEvent('download');
  await page.getByRole('button', { name: english.exports.json }).click();
  const record = JSON.parse(await readFile(await (await coming).path(), 'utf8'));
  return record.checks[0].control;
}

/** What PyTorch and SciPy found. @param {Cut} part */
async function golden({ cut, side }) {
  const { crops } = JSON.parse(await readFile(resolve(ROOT, 'tests/goldens/orientation.json'), 'utf8'));
  const crop = [...cut, side, side].join();
  return crops.find((one) => one.autoencoder === 'taesd' && one.path === BOTH && one.crop.join() === crop);
}

/**
 * @param {Page} page Showing a result. @param {Cut} part
 * @returns {Promise<string>} What was compared.
 */
async function equalsReference(page, part) {
  const [control, expected] = await Promise.all([savedControl(page), golden(part)]);
  const { s, orientations, by_orientation: found } = control;
  const by = orientations.map((/** @type {string} */ orientation) => expected.by_orientation[orientation]);
  const mean = by.reduce((sum, one) => sum + one, 0) / by.length;
  const pairs = [[s, mean], ...found.map((one, index) => [one, by[index]])];
  const furthest = Math.max(...pairs.map(([one, other]) => Math.abs(one - other)));
  assert.ok(furthest < NEAR, JSON.stringify({ control, expected }));
  return `S ${s}, by PyTorch ${mean}; compared with ${orientations}; none further than ${furthest.toExponential(1)}`;
}

test('an image is found to be TAESD’s, and another decoder’s of the same latent is not', { timeout: 300_000 }, async (t) => {
  if (goesWithout(t, 'reference')) return;
  const folder = await mkdtemp(resolve(tmpdir(), 'aedr-'));
  const part = (/** @type {string} */ name) => resolve(REFERENCE, `tae/taesd_${name}.safetensors`);
  await promisify(execFile)(resolve(ROOT, 'target/release/aedr'), [
    ...['pack', '--encoder', part('encoder'), '--decoder', part('decoder')],
    ...['--entry', 'taesd', '--out', resolve(folder, 'packs/taesd'), '--precision', 'f16'],
  ]);
  const { name } = JSON.parse(await readFile(resolve(folder, 'packs/taesd/manifest.json'), 'utf8'));
  const server = await serve({ directories: [DIST, folder] });
  /** A page with this model, on a device. @param {import('playwright-core').Browser} browser @param {'cpu' | 'webgpu'} device */
  const open = async (browser, device) => {
    const { context, page } = await openPage(browser, 'about:blank');
    await withoutIntegrity(context);
    const models = [{ id: 'taesd', name, manifest: '../packs/taesd/manifest.json' }];
    await context.route('**/weights/index.json', (route) => route.fulfill({ json: { format_version: 1, models } }));
    await page.goto(server.address);
    await chooseDevice(page, device);
    return page;
  };
  const both = await readFile(resolve(REFERENCE, BOTH));
  const checked = async (/** @type {Page} */ page, /** @type {string} */ file, /** @type {Cut} */ part) => {
    await give(page, 'drop', file, await encode(page, both, 'image/png', part));
    await page.locator('#caption', { hasText: file }).waitFor();
    const { outcome, text } = await settled(page);
    const numbers = await page.locator('.numbers').innerText();
    console.log(await equalsReference(page, part));
    return { outcome, text, numbers };
  };
  const [browser, onGpu] = [await launch({ webgpu: false }), await launch()];
  try {
    const page = await open(browser, 'cpu');
    const own = await checked(page, 'taesd.png', CUTS.own);
    assert.equal(own.outcome, 'matches', own.text);
    assert.ok(own.text.includes(english.verdicts.matches([name], '')), own.text);
    assert.match(own.text, pattern(`${english.control.line(true, ANY, english.control.basis(0))} ${english.control.decides}`));
    assert.match(own.numbers, /−0\.\d{3} ± 0\.\d{3}/);
    const foreign = await checked(page, 'sd21.png', CUTS.foreign);
    assert.notEqual(foreign.outcome, 'matches', foreign.text);
    assert.equal(await page.locator('.outcome-heading').innerText(), english.outcomes.no_trace.heading, foreign.text);
    console.log(own.text, '\n', foreign.text);
    const painted = await checked(await open(onGpu, 'webgpu'), 'taesd.png', CUTS.small);
    assert.equal(painted.outcome, 'matches', painted.text);
    console.log(painted.text);
  } finally {
    await Promise.all([browser.close(), onGpu.close()]);
    await server.close();
    await rm(folder, { recursive: true });
  }
});
