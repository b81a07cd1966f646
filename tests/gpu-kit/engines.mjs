/** Both engines on one network, in Node. A run is one reconstruction whose result is read back. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeNetwork } from './network.mjs';

const HERE = import.meta.dirname;

/** The page's module. @returns {Promise<any>} Its exports. */
export async function pageModule() {
  const module = await import('./page/aedr.js');
  await module.default({ module_or_path: await readFile(join(HERE, 'page/aedr_bg.wasm')) });
  return module;
}

/** Loads a pack. @param {any} checker @param {any} manifest @param {Uint8Array[]} shards */
export function load(checker, manifest, shards) {
  checker.begin_model(JSON.stringify(manifest));
  shards.forEach((bytes, index) => checker.add_shard(index, bytes));
  checker.finish_model(undefined);
}

/** @typedef {import('./network.mjs').KlConfig | import('./network.mjs').TinyConfig} Architecture */

/** @param {Architecture} architecture @param {number} side @param {any} [changes] Of the manifest. */
export async function ours(architecture, side, changes = {}) {
  const { Checker } = await pageModule();
  const checker = await Checker.create('gpu');
  const { pack, multiplyAdds, layers } = makeNetwork(architecture, side);
  const { manifest, shard } = pack();
  load(checker, { ...manifest, ...changes }, [shard]);
  const levels = (architecture.family === 'autoencoder_kl' ? architecture.block_out_channels : architecture.encoder_blocks).length;
  const latent = side / 2 ** (levels - 1);
  const run = async (/** @type {Float32Array} */ input) =>
    checker.decode('bench', await checker.encode('bench', input, side, side), latent, latent);
  return { run, checker, multiplyAdds, layers };
}

/** onnxruntime-web, for any number of networks. */
export async function onnxruntime() {
  const ort = await import('./onnxruntime/ort.webgpu.bundle.min.mjs');
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmBinary = await readFile(join(HERE, 'onnxruntime/ort-wasm-simd-threaded.asyncify.wasm'));
  ort.env.logLevel = 'error';
  return async (/** @type {Architecture} */ architecture, /** @type {number} */ side) => {
    const { onnx, multiplyAdds } = makeNetwork(architecture, side);
    const session = await ort.InferenceSession.create(onnx(), { executionProviders: ['webgpu'] });
    const [name] = session.outputNames;
    const run = async (/** @type {Float32Array} */ input) =>
      (await session.run({ input: new ort.Tensor('float32', input, [1, 3, side, side]) }))[name].data;
    return { run, multiplyAdds, release: () => session.release() };
  };
}
