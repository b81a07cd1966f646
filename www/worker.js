/**
 * The worker: owns the WebAssembly module, the device and the models, and checks images.
 *
 * @typedef {import('./device.js').DevicePreference} DevicePreference
 * @typedef {import('./device.js').DeviceReason} DeviceReason
 * @typedef {{id: string, manifest: string}} ModelAddress `manifest` is an absolute address.
 * @typedef {{image: ArrayBuffer, model: ModelAddress, preference: DevicePreference}} CheckRequest
 * @typedef {{stage: 'program' | 'weights', loaded: number, total: number | null}} DownloadProgress
 * @typedef {{stage: string, fraction?: number}} ComputeProgress
 * @typedef {{from: number, to: number}} UncertainRange
 * @typedef {object} CheckAnswer
 * @property {any} report What the module's `check` gives.
 * @property {{kind: 'webgpu' | 'cpu', adapter: string, reason: DeviceReason, threads: number}} device
 * @property {UncertainRange | null} uncertain Signals that are too near to the threshold.
 * @property {number} seconds Without downloads.
 */

import { answer } from './channel.js';
import { chooseDevice } from './device.js';
import { helpers } from './crew.js';
import { downloadBytes, request, watch } from './download.js';
import { AedrError } from './errors.js';
import { yieldingProgress } from './pace.js';

const PROGRAM = new URL('./pkg/aedr.js', import.meta.url).href;
const PROGRAM_BYTES = new URL('./pkg/aedr_bg.wasm', import.meta.url).href;

/** @type {Promise<{Checker: any, compiled: WebAssembly.Module}> | null} The module, once it is there. */
let program = null;
/** @type {{device: 'gpu' | 'cpu', checker: any, models: Map<string, UncertainRange | null>} | null} */
let open = null;

answer(self, { check });

/** @param {CheckRequest} params @param {import('./channel.js').CallContext} context */
async function check({ image, model, preference }, context) {
  const { signal, progress } = context;
  const choice = await chooseDevice(preference, navigator.gpu);
  const { Checker, compiled } = await loadProgram(context);
  progress({ stage: 'device' });
  if (open?.device !== choice.device) {
    open?.checker.free();
    open = null;
    open = { device: choice.device, checker: await Checker.create(choice.device), models: new Map() };
    if (choice.device === 'cpu') open.checker.hire(await helpers(compiled));
  }
  const { checker, models } = open;
  if (!models.has(model.id)) models.set(model.id, await loadModel(checker, model, context));
  const started = performance.now();
  const options = JSON.stringify({ model: model.id });
  const report = JSON.parse(await checker.check(new Uint8Array(image), options, yieldingProgress(signal, progress)));
  const seconds = (performance.now() - started) / 1000;
  const { kind, adapter, threads } = JSON.parse(checker.device_report());
  const named = kind === 'webgpu' && choice.adapter ? choice.adapter : adapter;
  const device = { kind, adapter: named, reason: choice.reason, threads };
  return { report, device, uncertain: models.get(model.id), seconds };
}

/** @param {import('./channel.js').CallContext} context */
function loadProgram({ signal, progress }) {
  program ??= (async () => {
    const module = await import(PROGRAM).catch(() => {
      throw new AedrError('program_missing', 'pkg/aedr.js could not be fetched');
    });
    const response = await request(PROGRAM_BYTES, { code: 'program_missing', signal });
    watch(response, (loaded, total) => progress({ stage: 'program', loaded, total }));
    const compiled = await compile(response);
    await module.default({ module_or_path: compiled });
    return { Checker: module.Checker, compiled };
  })();
  // Whatever went wrong, the next check begins anew.
  program.catch(() => (program = null));
  return program;
}

/** Compiles while it arrives, if the server says what it is. @param {Response} response */
async function compile(response) {
  const streams = response.headers.get('Content-Type')?.startsWith('application/wasm');
  return streams ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer());
}

/**
 * Loads a model's weights and calibration onto the checker's device.
 * @param {any} checker @param {ModelAddress} model @param {import('./channel.js').CallContext} context
 * @returns {Promise<UncertainRange | null>}
 */
async function loadModel(checker, model, { signal, progress }) {
  const code = 'weights_missing';
  const manifestText = await (await request(model.manifest, { code, signal })).text();
  const manifest = JSON.parse(checker.begin_model(manifestText));
  if (manifest.id !== model.id) {
    throw new AedrError('weights_wrong', `${model.manifest} describes ${manifest.id}, and ${model.id} was expected`);
  }
  /** @type {{file: string, bytes: number}[]} */
  const shards = manifest.shards;
  const total = shards.reduce((sum, { bytes }) => sum + bytes, 0);
  let before = 0;
  for (const [index, { file, bytes }] of shards.entries()) {
    const address = new URL(file, model.manifest).href;
    const onBytes = (/** @type {number} */ loaded) => progress({ stage: 'weights', loaded: before + loaded, total });
    checker.add_shard(index, await downloadBytes(address, { code, bytes, signal, onBytes }));
    before += bytes;
  }
  const calibration = await loadCalibration(new URL('calibration.json', model.manifest).href, signal);
  checker.finish_model(calibration);
  if (!calibration) return null;
  const { uncertain_from: from, uncertain_to: to } = JSON.parse(calibration);
  return { from, to };
}

/**
 * A model may have no calibration; then its checks give numbers without a verdict.
 * @param {string} address @param {AbortSignal} signal
 */
async function loadCalibration(address, signal) {
  const response = await fetch(address, { signal }).catch(() => null);
  if (response?.status === 404) return undefined;
  signal.throwIfAborted();
  if (!response?.ok) {
    const why = response ? `the server answered ${response.status}` : 'the connection failed';
    throw new AedrError('weights_missing', `calibration.json could not be fetched: ${why}`);
  }
  return response.text();
}
