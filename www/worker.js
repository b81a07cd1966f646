/**
 * The worker: owns the WebAssembly module, the device and the models, and checks images.
 *
 * @typedef {import('./device.js').DevicePreference} DevicePreference
 * @typedef {import('./device.js').DeviceReason} DeviceReason
 * @typedef {{id: string, manifest: string} | {id: string, files: import('./store.js').ModelFiles}} ModelAddress
 *   `manifest` is an absolute address, and the other files stand beside it.
 * @typedef {{image: ArrayBuffer, models: ModelAddress[], preference: DevicePreference, deep: boolean}} CheckRequest
 *   A `deep` check searches for the grid that the image may have been painted on.
 * @typedef {{stage: 'program' | 'weights', loaded: number, total: number | null}} DownloadProgress
 * @typedef {{model: string, number: number, count: number}} ModelProgress Which of several models it is about.
 * @typedef {{stage: string, fraction?: number} & Partial<ModelProgress>} ComputeProgress
 * @typedef {{report: any}} ModelAnswer What the module's `check` gives.
 * @typedef {{model: ModelAddress, error: import('./errors.js').PlainError}} ModelFailure
 * @typedef {object} CheckAnswer
 * @property {ModelAnswer[]} answers At least one.
 * @property {any} ranking What the module's `rank` gives for their reports.
 * @property {{meaning: string, field: string, text: string}[]} claims What the file says of its own origin.
 * @property {ModelFailure[]} failures Models that could not be asked.
 * @property {{kind: 'webgpu' | 'cpu', adapter: string, reason: DeviceReason, threads: number}} device
 * @property {number} seconds Without downloads.
 */

import { answer } from './channel.js';
import { chooseDevice } from './device.js';
import { helpers } from './crew.js';
import { modelSource } from './model-source.js';
import { AedrError, toPlain } from './errors.js';
import { yieldingProgress } from './pace.js';
import { loadProgram } from './program.js';

/** Models stay on the device for the next image while their weights take no more than this. */
const KEPT_BYTES = 768 * 2 ** 20;
/** After these the next model would fare no better. */
const ENDS_ALL = ['cancelled', 'device_failed', 'engine_stopped', 'image_too_small'];

/** `models` holds how many bytes the weights of each take. */
/** @type {{device: 'gpu' | 'cpu', checker: any, models: Map<string, number>} | null} */
let open = null;

answer(self, { check, calibrate });

/**
 * Checks an image against models, the cheapest first. A model that fails has a failure and stops no other.
 * @param {CheckRequest} params @param {import('./channel.js').CallContext} context
 * @returns {Promise<CheckAnswer>}
 */
async function check({ image: bytes, models, preference, deep }, context) {
  const { signal, progress } = context;
  const choice = await chooseDevice(preference, navigator.gpu);
  const { Image, claims: claimsOf, rank } = await loadProgram(context);
  progress({ stage: 'device' });
  const { checker } = await openDevice(choice.device, context);
  progress({ stage: 'decode' });
  const claims = JSON.parse(claimsOf(new Uint8Array(bytes)));
  const image = Image.decode(new Uint8Array(bytes), false);
  try {
    const { costed, failures } = await costs(image, models, signal);
    /** @type {ModelAnswer[]} */
    const answers = [];
    let [seconds, done] = [0, 0];
    const total = costed.reduce((sum, { work }) => sum + work, 0);
    for (const [index, { model, manifest, work, bytes }] of costed.entries()) {
      const which = { model: JSON.parse(manifest).name, number: index + 1, count: costed.length };
      const report = (/** @type {any} */ value) => progress({ ...value, ...which });
      const overall = (/** @type {{stage: string, fraction: number}} */ { stage, fraction }) =>
        report({ stage, fraction: (done + fraction * work) / total });
      try {
        await loadModel(model, manifest, bytes, { signal, progress: report });
        const started = performance.now();
        const found = await checker.check(image, model.id, deep, yieldingProgress(signal, overall));
        seconds += (performance.now() - started) / 1000;
        answers.push({ report: JSON.parse(found) });
      } catch (thrown) {
        const error = toPlain(thrown);
        if (ENDS_ALL.includes(error.code)) throw thrown;
        failures.push({ model, error });
      }
      done += work;
    }
    if (answers.length === 0) {
      const { code, message, advice } = failures[0].error;
      throw new AedrError(code, message, advice);
    }
    const ranking = JSON.parse(rank(JSON.stringify(answers.map(({ report }) => report))));
    const { kind, adapter, threads } = JSON.parse(checker.device_report());
    const named = kind === 'webgpu' && choice.adapter ? choice.adapter : adapter;
    const device = { kind, adapter: named, reason: choice.reason, threads };
    return { answers, ranking, claims, failures, device, seconds };
  } finally {
    image.free();
  }
}

/**
 * A model's calibration, from reports of checks. The model is loaded anew, with it, when it is next asked.
 * @param {{id: string, belonging: any[], others: any[]}} params @param {import('./channel.js').CallContext} context
 * @returns {Promise<string>}
 */
async function calibrate({ id, belonging, others }, context) {
  const program = await loadProgram(context);
  const made = program.calibrate(id, JSON.stringify(belonging), JSON.stringify(others));
  if (open?.models.delete(id)) open.checker.forget_model(id);
  return made;
}

/** @param {'gpu' | 'cpu'} device @param {import('./channel.js').CallContext} context */
async function openDevice(device, context) {
  if (open?.device === device) return open;
  const { Checker, compiled } = await loadProgram(context);
  open?.checker.free();
  open = null;
  open = { device, checker: await Checker.create(device), models: new Map() };
  if (device === 'cpu') open.checker.hire(await helpers(compiled));
  return open;
}

/**
 * Models with their manifests, the cheapest for this image first.
 * @param {any} image @param {ModelAddress[]} models @param {AbortSignal} signal
 */
async function costs(image, models, signal) {
  /** @type {ModelFailure[]} */
  const failures = [];
  const read = async (/** @type {ModelAddress} */ model) => {
    try {
      const manifest = await modelSource(model).manifest(signal);
      const { parameter_bytes: bytes, multiply_adds: work } = JSON.parse(image.cost(manifest));
      return [{ model, manifest, bytes, work }];
    } catch (thrown) {
      signal.throwIfAborted();
      failures.push({ model, error: toPlain(thrown) });
      return [];
    }
  };
  const costed = (await Promise.all(models.map(read))).flat().sort((a, b) => a.work - b.work);
  return { costed, failures };
}

/**
 * Loads a model's weights and calibration onto the open device, if they are not there. Models that were not used for
 * longest make room.
 * @param {ModelAddress} model @param {string} manifestText @param {number} parameterBytes
 * @param {import('./channel.js').CallContext} context
 */
async function loadModel(model, manifestText, parameterBytes, { signal, progress }) {
  const { checker, models } = /** @type {NonNullable<typeof open>} */ (open);
  const loaded = models.get(model.id);
  if (loaded) {
    models.delete(model.id);
    models.set(model.id, loaded);
    return;
  }
  let kept = parameterBytes;
  for (const bytes of models.values()) kept += bytes;
  for (const [id, bytes] of models) {
    if (kept <= KEPT_BYTES) break;
    checker.forget_model(id);
    models.delete(id);
    kept -= bytes;
  }
  const source = modelSource(model);
  const manifest = JSON.parse(checker.begin_model(manifestText));
  if (manifest.id !== model.id) {
    throw new AedrError('weights_wrong', `the manifest of ${model.id} describes ${manifest.id}`);
  }
  /** @type {{file: string, bytes: number}[]} */
  const shards = manifest.shards;
  const total = shards.reduce((sum, { bytes }) => sum + bytes, 0);
  let before = 0;
  for (const [index, shard] of shards.entries()) {
    const onBytes = (/** @type {number} */ loaded) => progress({ stage: 'weights', loaded: before + loaded, total });
    checker.add_shard(index, await source.shard(shard, { signal, onBytes }));
    before += shard.bytes;
  }
  checker.finish_model(await source.calibration(signal));
  models.set(model.id, parameterBytes);
}
