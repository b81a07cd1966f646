/** The command that downloads, packs and checks official files, from a site that stands in for a hub. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { ROOT } from '../support/browser.mjs';
import { modelSite } from '../support/model-site.mjs';

test('official files are downloaded, packed and checked, and what fails is told', { timeout: 300_000 }, async () => {
  const weights = await readFile(resolve(ROOT, 'tests/goldens/kl_quant/model.safetensors'));
  const { architecture } = JSON.parse(await readFile(resolve(ROOT, 'dist-test/packs/kl_quant/manifest.json'), 'utf8'));
  const known = createHash('sha256').update(weights).digest('hex');
  const site = await modelSite({ 'vae.safetensors': weights });
  const folder = await mkdtemp(resolve(tmpdir(), 'aedr-'));
  const entry = (/** @type {string} */ id, /** @type {string} */ how, sha256 = known) => ({
    id,
    name: id,
    architecture,
    serves: [],
    shares: [],
    repository: 'somebody/painter',
    files: [{ file: 'vae.safetensors', address: `${site.origin}/${how}/vae.safetensors`, bytes: null, about_megabytes: 1, sha256 }],
    licence: 'MIT',
    gated: false,
    recommended_sizes: [],
    calibration: null,
  });
  const entries = [entry('whole', 'plain'), entry('broken', 'cut'), entry('locked', 'gated'), entry('wrong', 'plain', '0'.repeat(64)), entry('moved', 'other-start'), entry('late', 'expiring')];
  const catalog = resolve(folder, 'catalog.json');
  await writeFile(catalog, JSON.stringify({ format_version: 1, entries }));
  try {
    const { stdout } = await promisify(execFile)('node', [
      resolve(ROOT, 'scripts/official.mjs'),
      ...['--into', folder, '--catalog', catalog],
    ]).catch((error) => error);
    const [, whole, broken, locked, wrong, moved, late] = stdout.split(/\n(?=\w+: \w+\n)/);
    for (const done of [whole, broken, moved, late]) {
      assert.match(done, new RegExp(`${weights.length} bytes, sha256 ${known} as known`));
      assert.match(done, /tensors applied; \d+ bytes/);
      assert.equal(done.match(/: L1 .+ t \d.+cannot_tell/g)?.length, 6, done);
    }
    for (const taken of [broken, moved, late]) assert.match(taken, /going on/);
    assert.match(locked, /FAILED: signing in is needed: set HF_TOKEN, or save vae\.safetensors of .+ as .+locked/);
    assert.match(wrong, /FAILED: .+ 0{64} is known/);
  } finally {
    await site.close();
    await rm(folder, { recursive: true });
  }
});
