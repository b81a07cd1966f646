/** What the benchmark runs in the browser: one engine, one network, one cold run and several warm ones. */

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
  const input = Float32Array.from({ length: 3 * side * side }, (_, i) => Math.sin(i / 7) * Math.cos(i / 131));
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

/**
 * The adapter's name and its multiply-adds a second in GFLOP/s (two operations each): eight independent
 * chains of `vec4<f32>` an invocation, nothing read from memory.
 */
export async function adapterPeak() {
  const adapter = await navigator.gpu?.requestAdapter();
  if (!adapter) return null;
  const device = await adapter.requestDevice();
  const CHAINS = 8;
  const STEPS = 256;
  const INVOCATIONS = 64 * 256;
  const chains = Array.from({ length: CHAINS }, (_, i) => i);
  const code = `
    @group(0) @binding(0) var<storage, read_write> result: array<vec4f>;
    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u) {
      let a = vec4f(0.999 + f32(id.x) * 1e-9);
      ${chains.map((i) => `var s${i} = vec4f(f32(id.x + ${i}u));`).join('\n')}
      for (var i = 0; i < ${STEPS / 4}; i++) {
        ${Array(4).fill(chains.map((i) => `s${i} = fma(s${i}, a, a);`).join('\n')).join('\n')}
      }
      result[id.x] = ${chains.map((i) => `s${i}`).join(' + ')};
    }`;
  const compute = { module: device.createShaderModule({ code }), entryPoint: 'main' };
  const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute });
  const buffer = device.createBuffer({ size: 16 * INVOCATIONS, usage: GPUBufferUsage.STORAGE });
  const entries = [{ binding: 0, resource: { buffer } }];
  const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  let best = Infinity;
  for (let i = 0; i < 4; i++) {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(INVOCATIONS / 64);
    pass.end();
    const begun = performance.now();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    best = Math.min(best, performance.now() - begun);
  }
  const { vendor, architecture, description } = adapter.info;
  const name = description || [vendor, architecture].filter(Boolean).join(' ') || 'unnamed';
  return { name, gflops: (2 * 4 * CHAINS * STEPS * INVOCATIONS) / best / 1e6 };
}
