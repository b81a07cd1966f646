/**
 * Begins to check an image with the default model, stops before the first layer, and answers what it took, and what two
 * such checks left on the performance timeline.
 */

import init, { Checker, Image } from '/www/pkg/aedr.js';
import { watchBuffers } from '../support/watch-buffers.js';

const FOLDER = '/weights/aedr-small/';

addEventListener('message', async ({ data: { image, device } }) => {
  try {
    postMessage({ measured: await measure(image, device) });
  } catch (error) {
    postMessage({ error: `${error.code ?? error.name}: ${error.message}` });
  }
});

/** @param {Uint8Array} image @param {'cpu' | 'gpu'} device */
async function measure(image, device) {
  const buffers = watchBuffers();
  const { memory } = await init();
  const checker = await Checker.create(device);
  const manifest = JSON.parse(checker.begin_model(await (await fetch(`${FOLDER}manifest.json`)).text()));
  for (const [index, { file }] of manifest.shards.entries()) {
    checker.add_shard(index, new Uint8Array(await (await fetch(FOLDER + file)).arrayBuffer()));
  }
  checker.finish_model(undefined);
  const loaded = { heap: memory.buffer.byteLength, gpu: buffers.now };
  const stages = [];
  const stop = (/** @type {number} */ _, /** @type {string} */ stage) => {
    stages.push(stage);
    return false;
  };
  const decoded = Image.decode(image, false);
  const ended = await checker.check(decoded, manifest.id, false, true, stop).catch((error) => error.code);
  const taken = {
    ended,
    stages: [...stages],
    heap: memory.buffer.byteLength - loaded.heap,
    gpuPeak: buffers.peak - loaded.gpu,
    gpuAfter: buffers.now - loaded.gpu,
  };
  await checker.check(decoded, manifest.id, false, true, stop).catch(() => {});
  const entries = performance.getEntries().filter(({ name }) => name.startsWith('aedr:'));
  return { ...taken, timeline: entries.map(({ entryType, name }) => `${entryType} ${name}`) };
}
