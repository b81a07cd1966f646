/**
 * Validates what callers pass to the checker before anything starts: a mistake is reported at once, and not by a worker
 * that fails later.
 *
 * @typedef {import('../public/index.js').Model} Model
 * @typedef {import('../../engine/types.js').ModelAddress} ModelAddress
 * @typedef {{worker: import('../../engine/types.js').ScriptAddress, parts: import('../../engine/types.js').Parts,
 *   models: ModelAddress[], device: import('../../engine/types.js').DevicePreference}} Settings
 */

import { AedrError } from '../../common/errors.js';
import { addressOf, isTrusted, ownAddress } from '../../engine/start-worker.js';
import { DEMONSTRATION, PARTS, WORKER } from './locations.js';

const DEVICES = ['auto', 'webgpu', 'cpu'];
const HASH = /^sha256-[A-Za-z0-9+/]{43}=$/;

/** @param {import('../public/index.js').CheckerOptions} options @returns {Settings} */
export function checkerOptions(options) {
  const { workerSrc = WORKER, helperSrc = PARTS.helper, wasmSrc = PARTS.wasm, models, device = 'auto' } = options;
  if (!DEVICES.includes(device)) throw badOption('device', `it is none of ${DEVICES.join(', ')}`);
  ownAddress(address('workerSrc', workerSrc));
  const helper = helperSrc && ownAddress(address('helperSrc', helperSrc)).href;
  const wasm = wasmSrc && address('wasmSrc', wasmSrc).href;
  return {
    // Keeps the very object: another one with the same address would not be trusted.
    worker: isTrusted(workerSrc) ? workerSrc : address('workerSrc', workerSrc),
    parts: { helper, wasm },
    models: models === undefined ? [DEMONSTRATION] : modelList(models),
    device,
  };
}

/**
 * The models of one check.
 * @param {(string | Model)[] | undefined} asked @param {ModelAddress[]} known @returns {ModelAddress[]}
 */
export function askedModels(asked, known) {
  return asked === undefined ? known : modelList(asked, known);
}

/** @param {unknown} models @param {ModelAddress[]} [known] Those with ids to go by. @returns {ModelAddress[]} */
function modelList(models, known = []) {
  if (!Array.isArray(models)) throw badOption('models', 'it is no list');
  if (models.length === 0) throw badOption('models', 'it is empty; leave it out for the model that comes with aedr');
  const list = models.map((model) => (typeof model === 'string' ? knownModel(model, known) : modelAddress(model)));
  const ids = list.map(({ id }) => id);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) throw badOption('models', `${twice} is there twice`);
  return list;
}

/** @param {string} id @param {ModelAddress[]} known */
function knownModel(id, known) {
  const model = known.find((model) => model.id === id);
  if (model) return model;
  const has = known.map(({ id }) => id).join(', ');
  const advice = has ? `It has: ${has}.` : 'Give each model as an object with id and manifest.';
  throw new AedrError('unknown_model', `no model of this checker is called ${id}`, advice, { id });
}

/** @param {Model} model @returns {ModelAddress} */
function modelAddress(model) {
  const { id, manifest, name, integrity, calibrationIntegrity: calibration } = model ?? {};
  if (typeof id !== 'string' || id === '') throw badOption('models', 'a model has no id');
  if (name !== undefined && typeof name !== 'string') throw badOption('models', `the name of ${id} is no text`);
  const { href, protocol } = address(`models, the manifest of ${id}`, manifest);
  if (!/^https?:$/.test(protocol)) throw badOption('models', `the manifest of ${id} is not at an http address`);
  for (const hash of [integrity, calibration]) {
    if (hash !== undefined && !HASH.test(hash)) throw badOption('models', `${id} has a hash that is not sha256-BASE64`);
  }
  return { id, ...(name && { name }), manifest: href, integrity: { manifest: integrity, calibration } };
}

/** @param {string} option @param {unknown} value */
function address(option, value) {
  try {
    if (typeof value === 'string' || value instanceof URL || isTrusted(value)) return addressOf(value);
  } catch {
    // FrameError below.
  }
  throw badOption(option, 'it is no address');
}

/** @param {string} option @param {string} detail What is wrong with it. */
export function badOption(option, detail) {
  return new AedrError('bad_options', `${option} cannot be used: ${detail}`, ADVICE[option] ?? '', { option, detail });
}

/** @type {Record<string, string>} */
const ADVICE = {
  image: 'Give the image file as a Blob: from a file input, or from (await fetch(address)).blob().',
};
