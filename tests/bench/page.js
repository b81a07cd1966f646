/** What the benchmark runs in the browser: one engine, one network, one cold run and several warm ones. */

import { multiplyAddPeak } from '/peak.mjs';
import { picture } from '/picture.js';
import { watchBuffers } from '/watch-buffers.js';

/**
 * @typedef {{cold: number, warm: number[], loading: number, peakBytes: number, output: number[]}} Measured
 *   Milliseconds of the first run, of the others, of loading; the most bytes that GPU buffers held; some
 *   values of the result.
 */

/**
 * @param {'ours' | 'peer'} engine @param {'gpu' | 'cpu'} device @param {string} folder
 * @param {number} side @param {number} repetitions
 * @returns {Promise<Measured>}
 */
export async function measure(engine, device, folder, side, repetitions) {
  const buffers = watchBuffers();
  const started = performance.now();
  const run = await (engine === 'ours' ? ours : peer)(device, folder, side);
  const loading = performance.now() - started;
  const input = picture(side);
  const times = [];
  let output;
  for (let i = 0; i <= repetitions; i++) {
    const begun = performance.now();
    output = await run(input);
    times.push(performance.now() - begun);
  }
  const [cold, ...warm] = times;
  return { cold, warm, loading, peakBytes: buffers.peak, output: Array.from(output.subarray(0, 4096)) };
}

/** @param {'gpu' | 'cpu'} device @param {string} folder @param {number} side */
async function ours(device, folder, side) {
  const { default: init, Checker } = await import('/www/pkg/aedr.js');
  await init();
  const checker = await Checker.create(device);
  const manifest = await (await fetch(`${folder}/pack/manifest.json`)).text();
  const { shards, architecture } = JSON.parse(checker.begin_model(manifest));
  for (const [index, { file }] of shards.entries()) {
    checker.add_shard(index, new Uint8Array(await (await fetch(`${folder}/pack/${file}`)).arrayBuffer()));
  }
  checker.finish_model(undefined);
  const latent = side / 2 ** (architecture.block_out_channels.length - 1);
  return async (/** @type {Float32Array} */ input) =>
    checker.decode('bench', await checker.encode('bench', input, side, side), latent, latent);
}

/** @param {'gpu' | 'cpu'} device @param {string} folder @param {number} side */
async function peer(device, folder, side) {
  const ort = await import('/ort.all.min.mjs');
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = '/';
  ort.env.logLevel = 'error';
  const executionProviders = [device === 'gpu' ? 'webgpu' : 'wasm'];
  const session = await ort.InferenceSession.create(`${folder}/model.onnx`, { executionProviders });
  const [name] = session.outputNames;
  return async (/** @type {Float32Array} */ input) => {
    const tensor = new ort.Tensor('float32', input, [1, 3, side, side]);
    return (await session.run({ input: tensor }))[name].data;
  };
}

/** The adapter's name and its multiply-adds a second in GFLOP/s (two operations each). */
export async function adapterPeak() {
  const adapter = await navigator.gpu?.requestAdapter();
  if (!adapter) return null;
  const gflops = await multiplyAddPeak(await adapter.requestDevice(), 'f32', { invocations: 64 * 256, steps: 256 });
  const { vendor, architecture, description } = adapter.info;
  return { name: description || [vendor, architecture].filter(Boolean).join(' ') || 'unnamed', gflops };
}
