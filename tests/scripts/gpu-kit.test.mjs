/**
 * The kit that measures a GPU, in its smallest form: from a copy in another folder, without this shell's environment, on
 * Chromium's software adapter. What it is made of must be built.
 */
// Takes long.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { before, after, test } from 'node:test';

const ROOT = resolve(import.meta.dirname, '../..');
const DRIVER = join(dirname(process.env.CHROMIUM ?? '/usr/lib/chromium/chromium'), 'vk_swiftshader_icd.json');
const runs = process.platform === 'linux' && process.arch === 'x64' && existsSync(DRIVER);
const skip = runs ? false : 'the kit is for x86-64 Linux, and is tried on the software adapter of Debian’s Chromium';

/** @type {string} */
let folder;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'aedr-kit-'));
  if (!runs) return;
  execFileSync(process.execPath, ['scripts/gpu-kit.mjs'], { cwd: ROOT });
  await cp(resolve(ROOT, 'target/gpu-kit'), join(folder, 'kit'), { recursive: true });
});
after(() => rm(folder, { recursive: true }));

/** @param {string} results @param {Record<string, string>} environment */
function run(results, environment) {
  const env = { PATH: '/usr/bin:/bin', TMPDIR: folder, ...environment };
  const made = spawnSync(join(folder, 'kit/run.sh'), [results], { cwd: folder, env, encoding: 'utf8' });
  return { status: made.status, text: made.stdout + made.stderr };
}

test('the kit has what a bare machine lacks, in at most 60 MB', { skip }, async () => {
  let bytes = 0;
  for (const name of await readdir(join(folder, 'kit'), { recursive: true })) {
    const found = await stat(join(folder, 'kit', name));
    if (found.isFile()) bytes += found.size;
  }
  assert.ok(bytes <= 60e6, `${bytes} bytes`);
  const held = execFileSync('tar', ['-tJf', join(folder, 'kit/kit.tar.xz')], { encoding: 'utf8' });
  for (const name of ['aedr', 'node', 'dawn.node', 'libraries/libvulkan.so.1', 'page/aedr_bg.wasm']) {
    assert.ok(held.split('\n').includes(name), `${name} is missing:\n${held}`);
  }
  assert.ok(!/\.onnx$|shard-.*bench/m.test(held), 'networks are made on the spot');
});

test('every step is done, and both engines and both programs come to the same numbers', { skip }, async () => {
  const { status, text } = run('results', { SIZES: 'least', VK_DRIVER_FILES: DRIVER });
  assert.equal(status, 0, text);
  assert.doesNotMatch(text, /failed|stopped|left out/);
  const found = JSON.parse(await readFile(join(folder, 'results/results.json'), 'utf8'));

  const native = found['native-goldens'].map((/** @type {any} */ line) => line.errors);
  for (const errors of [...Object.values(found.goldens), ...native]) {
    for (const error of Object.values(errors)) assert.ok(error <= 1e-4, JSON.stringify(errors));
  }
  const { 'network-0': ours, 'peer-0': peer, 'check-f32': check, kernels, peak } = found;
  assert.equal(ours.output.length, peer.output.length);
  const largest = Math.max(...peer.output.map(Math.abs));
  ours.output.forEach((/** @type {number} */ value, /** @type {number} */ i) => {
    assert.ok(Math.abs(value - peer.output[i]) <= 1e-3 * largest, `value ${i}: ${value}, the peer's ${peer.output[i]}`);
  });
  for (const loss of ['first_loss', 'second_loss']) {
    assert.ok(Math.abs(found['native-check'][0][loss] / check[loss] - 1) <= 1e-4, loss);
  }
  for (const what of ['gflopsF32', 'gigabytesPerSecond']) assert.ok(peak[what] > 0, what);
  // Launches share submits: one for each would keep a fast GPU waiting.
  assert.ok(check.calls.submits * 4 <= check.calls.dispatches, JSON.stringify(check.calls));
  assert.ok(kernels.kernels.some((/** @type {any} */ kernel) => kernel.name.startsWith('convolution 3x3 stride 1 affine silu')));
  const timed = kernels.kernels.reduce((/** @type {number} */ sum, /** @type {any} */ { dispatches }) => sum + dispatches, 0);
  assert.equal(timed, ours.calls.dispatches, 'every dispatch of a reconstruction is timed');

  const table = (await readFile(join(folder, 'results/table.md'), 'utf8')).trimEnd();
  assert.ok(text.trimEnd().endsWith(table));
  assert.ok(table.split('\n').length <= 40);
  assert.match(table, /\| 8 channels, 32² \| aedr \|.*× \|/);
  const left = (await readdir(folder)).filter((name) => name !== 'kit' && name !== 'results');
  assert.deepEqual(left, [], 'what was unpacked is removed');
});

test('the kernels for f16 are valid, which no adapter here could run', { skip }, async () => {
  const unpacked = join(folder, 'unpacked');
  await mkdir(join(unpacked, 'results'), { recursive: true });
  execFileSync('tar', ['-xJf', join(folder, 'kit/kit.tar.xz'), '-C', unpacked]);
  // Dawn's null backend has every feature, and looks at every kernel.
  const env = { PATH: '/usr/bin:/bin', BACKEND: 'null', SIZES: 'small', RESULTS: 'results' };
  const made = spawnSync(join(unpacked, 'node'), ['step.mjs', 'check', 'f16'], { cwd: unpacked, env, encoding: 'utf8' });
  assert.equal(made.status, 0, made.stderr);
  const found = JSON.parse(await readFile(join(unpacked, 'results/check-f16.json'), 'utf8'));
  assert.equal(found.without, undefined);
  assert.ok(found.calls.dispatches > 100);
  await rm(unpacked, { recursive: true });
});

test('a machine without an adapter is told so, with what the loader says', { skip }, async () => {
  const { status, text } = run('none', { VK_DRIVER_FILES: '/nowhere.json' });
  assert.equal(status, 1);
  assert.match(text, /no Vulkan adapter was found; what the loader says is in .*none\/loader\.log/);
  assert.match(await readFile(join(folder, 'none/loader.log'), 'utf8'), /nowhere\.json/);
});

test('time that is over ends the run with what there is, and nothing is written over', { skip }, async () => {
  const { status, text } = run('short', { SIZES: 'least', LIMIT: '8', VK_DRIVER_FILES: DRIVER });
  assert.match(text, /peak: left out, the time is over/);
  assert.match(await readFile(join(folder, 'short/table.md'), 'utf8'), /adapter in Dawn/);
  assert.ok(status === 0 || status === 1);

  await mkdir(join(folder, 'used'));
  await writeFile(join(folder, 'used/mine'), '');
  const refused = run('used', { SIZES: 'least', VK_DRIVER_FILES: DRIVER });
  assert.equal(refused.status, 1);
  assert.match(refused.text, /used is not empty/);
});
