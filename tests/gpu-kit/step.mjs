#!/usr/bin/env node
/**
 * Runs one step of the kit and writes `RESULTS/STEP.json`: `node step.mjs STEP [OF]`. `run.sh` sets the order. Each is
 * a process, because one that fails or hangs must not end the others, and because drivers keep compiled kernels.
 */

import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { complaints, countCalls, provideGpu, timeDispatches } from './dawn.mjs';
import { distance } from './distance.js';
import { load, onnxruntime, ours, pageModule } from './engines.mjs';
import { bandwidth, multiplyAddPeak } from './peak.mjs';
import { picture } from './picture.js';
import { readTensors } from './safetensors.js';
import { sizes } from './sizes.mjs';

const RESULTS = process.env.RESULTS ?? 'results';
const [step, number = ''] = process.argv.slice(2);
const gpu = provideGpu();

const STEPS = { adapter, goldens, peak, network, peer, check, kernels, large };
const found = await STEPS[step](number);
if (complaints.length > 0) throw new Error(complaints[0]);
if (found) await keep([step, number].filter(Boolean).join('-'), found);
// Without this, Dawn keeps the process alive.
process.exit(0);

/** What the adapter is and can do. */
async function adapter() {
  const found = await gpu.requestAdapter();
  if (!found) throw new Error('Dawn finds no Vulkan adapter');
  const { vendor, architecture, device, description, subgroupMinSize, subgroupMaxSize } = found.info;
  const limits = Object.fromEntries(Object.keys(Object.getPrototypeOf(found.limits)).map((name) => [name, found.limits[name]]));
  return {
    info: { vendor, architecture, device, description, subgroupMinSize, subgroupMaxSize },
    features: [...found.features].sort(),
    limits,
  };
}

/** The module's errors against the references of diffusers and PyTorch, relative to the largest value. */
async function goldens() {
  const { Checker } = await pageModule();
  const checker = await Checker.create('gpu');
  const errors = {};
  for (const name of (await readdir('packs')).filter((name) => sizes.goldens.test(name))) {
    const manifest = JSON.parse(await readFile(`packs/${name}/manifest.json`, 'utf8'));
    const shards = await Promise.all(manifest.shards.map(({ file }) => readFile(`packs/${name}/${file}`)));
    load(checker, manifest, shards);
    const bytes = await readFile(`goldens/${name}/golden.safetensors`);
    const { input, latent, first } = readTensors(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
    const expected = JSON.parse(await readFile(`goldens/${name}/golden.json`, 'utf8'));
    const sides = (/** @type {{shape: number[]}} */ { shape }) => shape.slice(-2);
    const encoded = await checker.encode(manifest.id, input.values, ...sides(input));
    const decoded = await checker.decode(manifest.id, latent.values, ...sides(latent));
    const losses = JSON.parse(await checker.double_reconstruction(manifest.id, input.values, ...sides(input)));
    errors[name] = {
      encoder: distance(encoded, latent.values),
      decoder: distance(decoded, first.values),
      first_loss: Math.abs(losses.first_loss / expected.first_loss - 1),
      second_loss: Math.abs(losses.second_loss / expected.second_loss - 1),
    };
    checker.forget_model(manifest.id);
  }
  return errors;
}

async function peak() {
  const found = await gpu.requestAdapter();
  const half = found.features.has('shader-f16');
  const { maxBufferSize, maxStorageBufferBindingSize } = found.limits;
  const requiredLimits = { maxBufferSize, maxStorageBufferBindingSize };
  const device = await found.requestDevice({ requiredFeatures: half ? ['shader-f16'] : [], requiredLimits });
  return {
    gflopsF32: await multiplyAddPeak(device, 'f32', sizes.peak),
    gflopsF16: half ? await multiplyAddPeak(device, 'f16', sizes.peak) : null,
    gigabytesPerSecond: await bandwidth(device, sizes.peak.bytes),
  };
}

/** Measures one network on our engine. @param {string} index */
async function network(index) {
  const counts = countCalls();
  const { architecture, side } = sizes.networks[Number(index)];
  return { ...(await timed(await ours(architecture, side), Number(index), counts)), engine: 'aedr' };
}

/** Measures all networks on onnxruntime-web, in one process: Node takes half a minute to start its module. */
async function peer() {
  const counts = countCalls();
  const open = await onnxruntime();
  for (const [index, { architecture, side }] of sizes.networks.entries()) {
    const before = counts.buffers.now;
    counts.buffers.peak = before;
    const opened = await open(architecture, side);
    const found = await timed(opened, index, counts);
    found.peakBytes -= before;
    await keep(`peer-${index}`, { ...found, engine: 'onnxruntime-web' });
    await opened.release();
  }
}

/**
 * Milliseconds of the first reconstruction and of further ones, and the calls of one of them.
 * @param {{run: (input: Float32Array) => Promise<Float32Array>, multiplyAdds: number}} opened @param {number} index
 * @param {ReturnType<typeof countCalls>} counts
 */
async function timed({ run, multiplyAdds }, index, counts) {
  const { name, side } = sizes.networks[index];
  const input = picture(side);
  const times = [];
  let output = new Float32Array();
  let calls = {};
  for (let i = 0; i <= sizes.repetitions; i++) {
    const before = { ...counts };
    const begun = performance.now();
    output = await run(input);
    times.push(performance.now() - begun);
    calls = difference(counts, before);
  }
  const [cold, ...warm] = times;
  return { name, side, cold, warm, multiplyAdds, calls, peakBytes: counts.buffers.peak, output: [...output.subarray(0, 4096)] };
}

/** A double reconstruction, with maps in f32 or f16: cold, warm, losses, calls. @param {'f32' | 'f16'} maps */
async function check(maps) {
  const without = maps === 'f16' && !(await gpu.requestAdapter()).features.has('shader-f16');
  if (without) return { maps, without };
  const counts = countCalls();
  const { architecture, side, name } = sizes.whole;
  // The module uses f16 only if a manifest says that it hardly changes t.
  const { checker, multiplyAdds } = await ours(architecture, side, maps === 'f16' ? { f16_change: 0 } : {});
  const input = picture(side);
  const times = [];
  let losses;
  let calls;
  for (let i = 0; i <= sizes.repetitions; i++) {
    const before = { ...counts };
    const begun = performance.now();
    losses = JSON.parse(await checker.double_reconstruction('bench', input, side, side));
    times.push(performance.now() - begun);
    calls = difference(counts, before);
  }
  const [cold, ...warm] = times;
  return { name, side, maps, cold, warm, calls, peakBytes: counts.buffers.peak, multiplyAdds: 2 * multiplyAdds, ...losses };
}

/** Every kernel of one reconstruction: its number of dispatches and its time. */
async function kernels() {
  const timer = timeDispatches();
  const { architecture, side, name } = sizes.whole;
  const { run, multiplyAdds, layers } = await ours(architecture, side);
  const input = picture(side);
  await run(input);
  await timer.read();
  await run(input);
  const dispatches = await timer.read();
  /** @type {Map<string, {name: string, dispatches: number, milliseconds: number}>} */
  const sums = new Map();
  for (const { name, groups, nanoseconds } of dispatches) {
    // A convolution's workgroups along x and z show how wide and deep its result is.
    const key = name.startsWith('convolution') ? `${name} groups ${groups[0]} ${groups[2]}` : name;
    const sum = sums.get(key) ?? { name: key, dispatches: 0, milliseconds: 0 };
    sums.set(key, sum);
    sum.dispatches += 1;
    sum.milliseconds += nanoseconds / 1e6;
  }
  const kernels = [...sums.values()].sort((a, b) => b.milliseconds - a.milliseconds);
  return { name, side, multiplyAdds, layers, kernels };
}

/** Double reconstructions of large images, and the memory that they take. @param {string} side */
async function large(side) {
  const counts = countCalls();
  const { architecture, name } = sizes.whole;
  const { checker, multiplyAdds } = await ours(architecture, Number(side));
  const weights = counts.buffers.now;
  const begun = performance.now();
  const losses = JSON.parse(await checker.double_reconstruction('bench', picture(Number(side)), Number(side), Number(side)));
  const milliseconds = performance.now() - begun;
  return { name, side: Number(side), milliseconds, weights, peakBytes: counts.buffers.peak, multiplyAdds: 2 * multiplyAdds, ...losses };
}

/** @param {string} name @param {any} found */
async function keep(name, found) {
  await writeFile(join(RESULTS, `${name}.json`), JSON.stringify(found, null, 1));
}

/** @param {Record<string, number>} now @param {Record<string, number>} before */
function difference(now, before) {
  return Object.fromEntries(['submits', 'passes', 'dispatches', 'writes'].map((what) => [what, now[what] - before[what]]));
}
