/**
 * The worker: owns the WebAssembly module, the device and the models, and checks images.
 *
 * @typedef {import('./types.js').CheckRequest} CheckRequest
 * @typedef {import('./types.js').CheckAnswer} CheckAnswer
 * @typedef {import('./types.js').ModelAddress} ModelAddress
 * @typedef {import('./types.js').ModelFailure} ModelFailure
 * @typedef {import('./types.js').ModelResults} ModelResults
 * @typedef {import('./types.js').EvidenceMap} EvidenceMap
 * @typedef {import('./types.js').Parts} Parts
 */

import { AedrError, fromPlain, toPlain } from '../common/errors.js';
import { answer } from './channel.js';
import { chooseDevice, watchDevices } from './device.js';
import { failureRecord, representativeError } from './model-failures.js';
import { modelSource } from './model-source.js';
import { startHelpers } from './thread-pool.js';
import { loadWasmModule } from './wasm-module.js';
import { yieldingProgress } from './yield.js';

/** Models stay on the device for the next image while their weights take no more than this. */
const KEPT_BYTES = 768 * 2 ** 20;
/** After these errors nothing more is asked: a person wants no answer, or the module cannot be trusted. */
const ENDS_ALL = ['cancelled', 'engine_stopped'];

/** Formats that browsers can show. */
const SHOWN = ['PNG', 'JPEG', 'WebP', 'GIF', 'BMP'];

/**
 * `models` holds how many bytes the weights of each take, and what it was loaded from.
 * @type {{device: 'gpu' | 'cpu', checker: any, models: Map<string, {bytes: number, origin: string}>} | null}
 */
let open = null;

const giveUp = answer(self, { check, calibrate });
// A check on the CPU is not affected.
watchDevices((error) => open?.device !== 'cpu' && giveUp(error));

/**
 * Checks an image against models, the cheapest first. A model that fails gets a failure and does not stop the
 * others. With several models, the answer so far is sent before each is asked: the page keeps it if this worker
 * stops.
 * @param {CheckRequest} params @param {import('./channel.js').AnswerContext} context
 * @returns {Promise<CheckAnswer>}
 */
async function check(params, { partial, retire, ...context }) {
  const { image: buffer, models, preference, deep, evidenceMap = false, parts = {}, before } = params;
  const { signal, progress } = context;
  const choice = await chooseDevice(preference, navigator.gpu);
  const { Image, record } = await loadWasmModule(context, parts.wasm);
  progress({ stage: 'device' });
  const { checker } = await openDevice(choice.device, parts, context);
  progress({ stage: 'decode' });
  const bytes = new Uint8Array(buffer);
  const image = Image.decode(bytes, false);
  try {
    const { costed, failures: unreadable } = await costs(image, models, signal);
    const answers = [...(before?.answers ?? [])];
    const failures = [...(before?.failures ?? []), ...unreadable];
    const asked = answers.length + (before?.failures.length ?? 0);
    let [seconds, done] = [0, 0];
    const total = costed.reduce((sum, { work }) => sum + work, 0);
    const answer = () =>
      concluded({ answers, failures, seconds }, { record, bytes, image, checker, choice, params });
    for (const [index, { model, manifest, work, bytes }] of costed.entries()) {
      const number = asked + index + 1;
      const which = { model: model.name ?? JSON.parse(manifest).name, number, count: asked + costed.length };
      const report = (/** @type {any} */ value) => progress({ ...value, ...which });
      const overall = (/** @type {{stage: string, fraction: number}} */ { stage, fraction }) =>
        report({ stage, fraction: (done + fraction * work) / total });
      if (which.count > 1) {
        const unasked = costed.slice(index).map(({ model }) => model);
        partial({ answers, failures, unasked, answer: answers.length > 0 ? answer() : null });
      }
      try {
        await loadModel(model, manifest, bytes, { signal, progress: report });
        const started = performance.now();
        const { found, evidence_map: map } = await checker.check(image, model.id, deep, evidenceMap, yieldingProgress(signal, overall));
        seconds += (performance.now() - started) / 1000;
        answers.push({ ...JSON.parse(found), evidenceMap: map && withBlobs(map) });
      } catch (thrown) {
        const error = toPlain(thrown);
        if (ENDS_ALL.includes(error.code)) throw thrown;
        // The next model may need less of the device; the next image gets a new one.
        if (error.code === 'device_failed') retire();
        failures.push({ model, error });
      }
      done += work;
    }
    if (answers.length === 0) throw fromPlain(representativeError(failures));
    return answer();
  } finally {
    image.free();
  }
}

/**
 * What a check came to.
 * @param {ModelResults & {seconds: number}} found
 * @param {{record: (...parts: any[]) => string, bytes: Uint8Array, image: any, checker: any,
 *   choice: import('./device.js').DeviceChoice, params: CheckRequest}} context
 * @returns {CheckAnswer}
 */
function concluded({ answers, failures, seconds }, { record: recordOf, bytes, image, checker, choice, params }) {
  const { name, deep, evidenceMap } = params;
  const record = JSON.parse(
    recordOf(
      bytes,
      name,
      JSON.stringify({ deep, apply_orientation: false }),
      JSON.stringify(answers.map(({ report }) => report)),
      JSON.stringify(failures.map(failureRecord)),
      new Date().toISOString(),
    ),
  );
  const hidden = evidenceMap && !SHOWN.includes(answers[0].report.image.format);
  const picture = hidden ? pngBlob(image.picture()) : null;
  const { kind, adapter, threads } = JSON.parse(checker.device_report());
  const named = kind === 'webgpu' && choice.adapter ? choice.adapter : adapter;
  const device = { kind, adapter: named, reason: choice.reason, threads };
  const { ranking, claims } = record;
  return { answers: [...answers], record, ranking, claims, picture, failures: [...failures], device, seconds };
}

/** Blobs, unlike buffers, need not stay in memory. @param {any} map @returns {EvidenceMap} */
function withBlobs({ layers, scales, ...map }) {
  const each = (/** @type {Record<string, any>} */ parts, /** @type {string} */ name) =>
    Object.fromEntries(Object.entries(parts).map(([key, part]) => [key, { ...part, [name]: pngBlob(part[name]) }]));
  return { ...map, layers: each(layers, 'png'), scales: each(scales, 'bar') };
}

/** @param {Uint8Array<ArrayBuffer>} bytes */
const pngBlob = (bytes) => new Blob([bytes], { type: 'image/png' });

/**
 * A model's calibration, from reports of checks. The model is loaded anew, with it, when it is next asked.
 * @param {{id: string, belonging: any[], others: any[]}} params @param {import('./channel.js').CallContext} context
 * @returns {Promise<string>}
 */
async function calibrate({ id, belonging, others }, context) {
  const { calibrate: calibrationOf } = await loadWasmModule(context);
  const made = calibrationOf(id, JSON.stringify(belonging), JSON.stringify(others));
  if (open?.models.delete(id)) open.checker.forget_model(id);
  return made;
}

/** @param {'gpu' | 'cpu'} device @param {Parts} parts @param {import('./channel.js').CallContext} context */
async function openDevice(device, parts, context) {
  if (open?.device === device) return open;
  const { Checker, compiled } = await loadWasmModule(context, parts.wasm);
  open?.checker.free();
  open = null;
  open = { device, checker: await Checker.create(device), models: new Map() };
  if (device === 'cpu') open.checker.use_helpers(await startHelpers(compiled, parts.helper));
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
  const origin = originOf(model, manifestText);
  if (loaded) models.delete(model.id);
  if (loaded?.origin === origin) {
    models.set(model.id, loaded);
    return;
  }
  // A different model with the same id.
  if (loaded) checker.forget_model(model.id);
  let kept = parameterBytes;
  for (const { bytes } of models.values()) kept += bytes;
  for (const [id, { bytes }] of models) {
    if (kept <= KEPT_BYTES) break;
    checker.forget_model(id);
    models.delete(id);
    kept -= bytes;
  }
  const source = modelSource(model);
  const manifest = JSON.parse(checker.begin_model(manifestText));
  if (manifest.id !== model.id) {
    const details = { model: model.id, described: manifest.id };
    throw new AedrError('weights_wrong', `the manifest of ${model.id} describes ${manifest.id}`, '', details);
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
  models.set(model.id, { bytes: parameterBytes, origin });
}

/** What tells models of the same id apart. @param {ModelAddress} model @param {string} manifestText */
function originOf(model, manifestText) {
  const { manifest, integrity } = /** @type {Partial<import('./types.js').HostedModel>} */ (model);
  return JSON.stringify([manifestText, manifest, integrity]);
}
