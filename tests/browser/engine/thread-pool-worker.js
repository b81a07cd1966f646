/**
 * Losses of the default model on the CPU: alone, with helpers, and after the helpers were lost; and what helpers still do
 * after many models.
 */

import init, { Checker } from '/www/pkg/aedr.js';
import { startHelpers } from '/www/engine/thread-pool.js';

const FOLDER = '/weights/aedr-small/';
const SIDE = 128;
/** Models that come and go; with so many threads their weights are many times what helpers may be given. */
const MODELS = 14;
const THREADS = 8;

measure().then(
  (measured) => postMessage({ measured }),
  (error) => postMessage({ error: `${error.code ?? error.name}: ${error.message}` }),
);

async function measure() {
  const compiled = await WebAssembly.compileStreaming(fetch('/www/pkg/aedr_bg.wasm'));
  await init({ module_or_path: compiled });
  const checker = await Checker.create('cpu');
  const manifest = await (await fetch(`${FOLDER}manifest.json`)).json();
  /** @type {Uint8Array[]} */
  const shards = await Promise.all(
    manifest.shards.map(async (/** @type {any} */ { file }) => (await fetch(FOLDER + file)).bytes()),
  );
  const load = (/** @type {string} */ id) => {
    checker.begin_model(JSON.stringify({ ...manifest, id }));
    for (const [index, shard] of shards.entries()) checker.add_shard(index, shard);
    checker.finish_model(undefined);
  };
  load(manifest.id);
  const image = Float32Array.from({ length: 3 * SIDE * SIDE }, (_, i) => Math.sin(i / 7) * Math.cos(i / 131));
  // A helper that did not deliver is no longer counted afterwards.
  const losses = async (id = manifest.id) => ({
    ...JSON.parse(await checker.double_reconstruction(id, image, SIDE, SIDE)),
    threads: JSON.parse(checker.device_report()).threads,
  });
  const alone = await losses();
  const workers = await startHelpers(compiled);
  checker.use_helpers(workers);
  const together = await losses();
  for (const worker of workers) worker.terminate();
  const lost = await losses();
  if (!crossOriginIsolated) return { alone, together, lost };

  Object.defineProperty(navigator, 'hardwareConcurrency', { value: THREADS });
  const others = await startHelpers(compiled);
  let tasks = 0;
  for (const worker of others) {
    const post = worker.postMessage.bind(worker);
    worker.postMessage = (/** @type {any} */ message) => {
      if (message.flag) tasks += 1;
      post(message);
    };
  }
  checker.use_helpers(others);
  const shared = () => JSON.parse(checker.device_report()).shared_bytes;
  const many = [];
  for (let number = 0; number < MODELS; number += 1) {
    const id = `model-${number}`;
    load(id);
    tasks = 0;
    many.push({ ...(await losses(id)), tasks, shared: shared() });
    // As the page does it: some stay for the next image.
    if (number >= 3) checker.forget_model(`model-${number - 3}`);
  }
  const before = shared();
  for (let number = MODELS - 3; number < MODELS; number += 1) checker.forget_model(`model-${number}`);
  checker.forget_model(manifest.id);
  const after = shared();
  checker.free();
  return { alone, together, lost, many, before, after };
}
