/**
 * The orientation control with a real autoencoder, TAESD, of which nothing is known but its weights: of two images painted from
 * one latent, the one that it painted is found, and the one that another decoder painted is not.
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

const SIDE = 192;

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
  const browser = await launch({ webgpu: false });
  try {
    const { context, page } = await openPage(browser, 'about:blank');
    await withoutIntegrity(context);
    const models = [{ id: 'taesd', name, manifest: '../packs/taesd/manifest.json' }];
    await context.route('**/weights/index.json', (route) => route.fulfill({ json: { format_version: 1, models } }));
    await page.goto(server.address);
    await chooseDevice(page, 'cpu');
    const both = await readFile(resolve(REFERENCE, 'generated/taesd-and-sd21-same-latent.png'));
    const checked = async (/** @type {string} */ file, /** @type {[number, number]} */ cut) => {
      await give(page, 'drop', file, await encode(page, both, 'image/png', { side: SIDE, cut }));
      await page.locator('#caption', { hasText: file }).waitFor();
      const { outcome, text } = await settled(page);
      const numbers = await page.locator('.numbers').innerText();
      return { outcome, text, numbers };
    };
    const own = await checked('taesd.png', [672, 160]);
    assert.equal(own.outcome, 'matches', own.text);
    assert.ok(own.text.includes(english.verdicts.matches([name], '')), own.text);
    assert.match(own.text, pattern(`${english.control.line(true, ANY, english.control.basis(0))} ${english.control.decides}`));
    assert.match(own.numbers, /−0\.\d{3} ± 0\.\d{3}/);
    const foreign = await checked('sd21.png', [160, 160]);
    assert.notEqual(foreign.outcome, 'matches', foreign.text);
    assert.equal(await page.locator('.outcome-heading').innerText(), english.outcomes.no_trace.heading, foreign.text);
    console.log(own.text, '\n', foreign.text);
    await context.close();
  } finally {
    await browser.close();
    await server.close();
    await rm(folder, { recursive: true });
  }
});
