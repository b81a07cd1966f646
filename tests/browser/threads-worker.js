/** Losses of the default model on the CPU: alone, with helpers, and after the helpers were lost. */

import init, { Checker } from '/www/pkg/aedr.js';
import { helpers } from '/www/crew.js';

const FOLDER = '/weights/aedr-small/';
const SIDE = 128;

measure().then(
  (measured) => postMessage({ measured }),
  (error) => postMessage({ error: `${error.code ?? error.name}: ${error.message}` }),
);

async function measure() {
  const compiled = await WebAssembly.compileStreaming(fetch('/www/pkg/aedr_bg.wasm'));
  await init({ module_or_path: compiled });
  const checker = await Checker.create('cpu');
  const manifest = JSON.parse(checker.begin_model(await (await fetch(`${FOLDER}manifest.json`)).text()));
  for (const [index, { file }] of manifest.shards.entries()) {
    checker.add_shard(index, new Uint8Array(await (await fetch(FOLDER + file)).arrayBuffer()));
  }
  checker.finish_model(undefined);
  const image = Float32Array.from({ length: 3 * SIDE * SIDE }, (_, i) => Math.sin(i / 7) * Math.cos(i / 131));
  // A helper that did not deliver is no longer counted afterwards.
  const losses = async () => ({
    ...JSON.parse(await checker.double_reconstruction(manifest.id, image, SIDE, SIDE)),
    threads: JSON.parse(checker.device_report()).threads,
  });
  const alone = await losses();
  const workers = await helpers(compiled);
  checker.hire(workers);
  const together = await losses();
  for (const worker of workers) worker.terminate();
  const lost = await losses();
  return { alone, together, lost };
}
