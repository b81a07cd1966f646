/**
 * The worker: owns the WebAssembly module, the device and the models, and checks images.
 *
 * @typedef {import('./device.js').DevicePreference} DevicePreference
 * @typedef {import('./device.js').DeviceReason} DeviceReason
 * @typedef {{id: string, name?: string} & (HostedModel | PackedModel | {files: import('./store.js').ModelFiles})}
 *   ModelAddress
 *   `name`: if the page calls it otherwise than its manifest. `manifest` is an absolute address, and the other files
 *   stand beside it. `integrity`: what the manifest and the calibration must be.
 * @typedef {{manifest: string, integrity?: {manifest?: string, calibration?: string}}} HostedModel
 * @typedef {{manifestText: string, calibrationText: string, shards: Record<string, string>}} PackedModel `shards`: the
 *   address of each.
 * @typedef {{program?: string, helper?: string}} Parts Absolute addresses of the module and of what helpers run, where
 *   they are not beside the worker.
 * @typedef {{image: ArrayBuffer, name: string, models: ModelAddress[], preference: DevicePreference, deep: boolean,
 *   closerLook?: boolean, parts?: Parts, before?: Asked}} CheckRequest A `deep` check searches for the grid that the image
 *   may have been painted on. Pictures are made for a `closerLook` only. `before`: what another worker found of the same
 *   image, with other models.
 * @typedef {{answers: ModelAnswer[], failures: ModelFailure[]}} Asked
 * @typedef {Asked & {unasked: ModelAddress[], answer: CheckAnswer | null}} Known What remains of a check if the worker
 *   stops. The first of `unasked` is being asked. `answer`: without the others; null while no model has answered.
 * @typedef {{stage: 'program' | 'weights', loaded: number, total: number | null}} DownloadProgress
 * @typedef {{model: string, number: number, count: number}} ModelProgress Which of several models it is about.
 * @typedef {{stage: string, fraction?: number} & Partial<ModelProgress>} ComputeProgress
 * @typedef {{signals: number[], belonging: number[], others: number[]}} Distribution Densities over ln signal.
 * @typedef {'first' | 'second' | 'first_error' | 'second_error' | 'ratio'} LayerName
 * @typedef {object} LocalEvidence Where in the image the evidence lies.
 * @property {number} cell Pixels of a cell's side.
 * @property {number} columns Cells in a row.
 * @property {[left: number, top: number, width: number, height: number]} placement Of the part that was checked, in
 *   pixels of the file.
 * @property {Record<LayerName, {png: Blob, values?: Float32Array}>} layers The reconstructions, and
 *   maps with their values: errors in levels of 255, ratios of the two errors, NaN where nothing can be said.
 * @property {{error: LayerScale, ratio: LayerScale}} scales
 * @typedef {{bar: Blob, low: number, centre?: number, high: number}} LayerScale Its ends, and the
 *   bar between them as a PNG.
 * @typedef {{report: any, distribution: Distribution | null, local: LocalEvidence | null}} ModelAnswer `report`: what the
 *   module's `check` gives. `distribution`: what its signal was compared with. `local`: of images that are not too large.
 * @typedef {{model: ModelAddress, error: import('./errors.js').PlainError}} ModelFailure
 * @typedef {object} CheckAnswer
 * @property {ModelAnswer[]} answers At least one.
 * @property {any} ranking What the module's `rank` gives for their reports.
 * @property {any} record All that is needed to repeat the check, and what came of it: `report-1.schema.json`.
 * @property {{meaning: string, field: string, text: string}[]} claims What the file says of its own origin.
 * @property {Blob | null} picture The image as a PNG, if browsers do not show such files.
 * @property {ModelFailure[]} failures Models that could not be asked, or could not answer.
 * @property {{kind: 'webgpu' | 'cpu', adapter: string, reason: DeviceReason, threads: number}} device
 * @property {number} seconds Without downloads.
 */

import { answer } from './channel.js';
import { chooseDevice, watchDevices } from './device.js';
import { helpers } from './crew.js';
import { modelSource } from './model-source.js';
import { AedrError, fromPlain, toPlain } from './errors.js';
import { asLine, likeliest } from './failures.js';
import { yieldingProgress } from './pace.js';
import { loadProgram } from './program.js';

/** Models stay on the device for the next image while their weights take no more than this. */
const KEPT_BYTES = 768 * 2 ** 20;
/** After these nothing more can be asked of this worker: a person wants no answer, or the module cannot be trusted. */
const ENDS_ALL = ['cancelled', 'engine_stopped'];

/** Browsers show these themselves. */
const SHOWN = ['PNG', 'JPEG', 'WebP', 'GIF', 'BMP'];

/**
 * `models` holds how many bytes the weights of each take, and what it was loaded from.
 * @type {{device: 'gpu' | 'cpu', checker: any, models: Map<string, {bytes: number, origin: string}>} | null}
 */
let open = null;

const giveUp = answer(self, { check, calibrate });
// A check on the CPU goes on.
watchDevices((error) => open?.device !== 'cpu' && giveUp(error));

/**
 * Checks an image against models, the cheapest first. A model that fails has a failure and stops no other. What is known
 * is told before each model is asked, if there are several: it stays if this worker does not.
 * @param {CheckRequest} params @param {import('./channel.js').AnswerContext} context
 * @returns {Promise<CheckAnswer>}
 */
async function check(params, { know, retire, ...context }) {
  const { image: buffer, models, preference, deep, closerLook = false, parts = {}, before } = params;
  const { signal, progress } = context;
  const choice = await chooseDevice(preference, navigator.gpu);
  const { Image, record } = await loadProgram(context, parts.program);
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
        know({ answers, failures, unasked, answer: answers.length > 0 ? answer() : null });
      }
      try {
        await loadModel(model, manifest, bytes, { signal, progress: report });
        const started = performance.now();
        const { found, local } = await checker.check(image, model.id, deep, closerLook, yieldingProgress(signal, overall));
        seconds += (performance.now() - started) / 1000;
        answers.push({ ...JSON.parse(found), local: local && withBlobs(local) });
      } catch (thrown) {
        const error = toPlain(thrown);
        if (ENDS_ALL.includes(error.code)) throw thrown;
        // The next model may need less of the device; the next image gets a new one.
        if (error.code === 'device_failed') retire();
        failures.push({ model, error });
      }
      done += work;
    }
    if (answers.length === 0) throw fromPlain(likeliest(failures));
    return answer();
  } finally {
    image.free();
  }
}

/**
 * What a check came to.
 * @param {Asked & {seconds: number}} found
 * @param {{record: (...parts: any[]) => string, bytes: Uint8Array, image: any, checker: any,
 *   choice: import('./device.js').DeviceChoice, params: CheckRequest}} context
 * @returns {CheckAnswer}
 */
function concluded({ answers, failures, seconds }, { record: recordOf, bytes, image, checker, choice, params }) {
  const { name, deep, closerLook } = params;
  const record = JSON.parse(
    recordOf(
      bytes,
      name,
      JSON.stringify({ deep, apply_orientation: false }),
      JSON.stringify(answers.map(({ report }) => report)),
      JSON.stringify(failures.map(asLine)),
      new Date().toISOString(),
    ),
  );
  const hidden = closerLook && !SHOWN.includes(answers[0].report.image.format);
  const picture = hidden ? pngBlob(image.picture()) : null;
  const { kind, adapter, threads } = JSON.parse(checker.device_report());
  const named = kind === 'webgpu' && choice.adapter ? choice.adapter : adapter;
  const device = { kind, adapter: named, reason: choice.reason, threads };
  const { ranking, claims } = record;
  return { answers: [...answers], record, ranking, claims, picture, failures: [...failures], device, seconds };
}

/** A browser need not hold blobs in memory as it does buffers. @param {any} local @returns {LocalEvidence} */
function withBlobs({ layers, scales, ...local }) {
  const each = (/** @type {Record<string, any>} */ parts, /** @type {string} */ name) =>
    Object.fromEntries(Object.entries(parts).map(([key, part]) => [key, { ...part, [name]: pngBlob(part[name]) }]));
  return { ...local, layers: each(layers, 'png'), scales: each(scales, 'bar') };
}

/** @param {Uint8Array<ArrayBuffer>} bytes */
const pngBlob = (bytes) => new Blob([bytes], { type: 'image/png' });

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

/** @param {'gpu' | 'cpu'} device @param {Parts} parts @param {import('./channel.js').CallContext} context */
async function openDevice(device, parts, context) {
  if (open?.device === device) return open;
  const { Checker, compiled } = await loadProgram(context, parts.program);
  open?.checker.free();
  open = null;
  open = { device, checker: await Checker.create(device), models: new Map() };
  if (device === 'cpu') open.checker.use_helpers(await helpers(compiled, parts.helper));
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
  // Another of the same id.
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
  const { manifest, integrity } = /** @type {Partial<import('./worker.js').HostedModel>} */ (model);
  return JSON.stringify([manifestText, manifest, integrity]);
}
