/** Runs goldens through the built module, in a worker as on the page; answers with the measured errors. */

import init, { Checker } from '/www/pkg/aedr.js';
import { distance } from '../support/distance.js';
import { readTensors } from '../support/safetensors.js';

const ready = init();
/** @type {Map<string, Promise<any>>} One checker a device. */
const checkers = new Map();

addEventListener('message', async ({ data: { golden, device } }) => {
  try {
    postMessage({ measured: await measure(golden, device) });
  } catch (error) {
    postMessage({ error: `${error.code ?? error.name}: ${error.message}` });
  }
});
addEventListener('unhandledrejection', ({ reason }) => postMessage({ error: `stopped: ${reason}` }));

/** @param {string} golden @param {'cpu' | 'gpu'} device */
async function measure(golden, device) {
  await ready;
  if (!checkers.has(device)) checkers.set(device, Checker.create(device));
  const checker = await checkers.get(device);
  const model = await loadPack(checker, `/dist-test/packs/${golden}/`);
  const folder = `/tests/goldens/${golden}/`;
  const { input, latent, first } = readTensors(await (await fetched(`${folder}golden.safetensors`)).arrayBuffer());
  const expected = await (await fetched(`${folder}golden.json`)).json();
  const [height, width] = input.shape.slice(-2);
  const [latentHeight, latentWidth] = latent.shape.slice(-2);
  const encoded = await checker.encode(model, input.values, height, width);
  const decoded = await checker.decode(model, latent.values, latentHeight, latentWidth);
  const losses = JSON.parse(await checker.double_reconstruction(model, input.values, height, width));
  return {
    kind: JSON.parse(checker.device_report()).kind,
    encoder: distance(encoded, latent.values),
    decoder: distance(decoded, first.values),
    first_loss: Math.abs(losses.first_loss / expected.first_loss - 1),
    second_loss: Math.abs(losses.second_loss / expected.second_loss - 1),
  };
}

/** @param {any} checker @param {string} folder */
async function loadPack(checker, folder) {
  const manifest = JSON.parse(checker.begin_model(await (await fetched(`${folder}manifest.json`)).text()));
  for (const [index, { file }] of manifest.shards.entries()) {
    checker.add_shard(index, new Uint8Array(await (await fetched(folder + file)).arrayBuffer()));
  }
  const report = JSON.parse(checker.finish_model(undefined));
  if (report.missing.length > 0 || report.wrong_shape.length > 0) throw new Error(JSON.stringify(report));
  return manifest.id;
}

/** @param {string} address */
async function fetched(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: ${response.status}`);
  return response;
}
