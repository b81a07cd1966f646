/** The models that the page can check against: from `weights/index.json`, and those that were added. */

import { AedrError } from '../common/errors.js';
import { INTEGRITY } from '../engine/integrity.js';
import { fetchJson } from '../engine/verified-fetch.js';
import { demonstration } from '../texts/catalogue.js';
import { addedModels } from './storage.js';

/** @typedef {import('./types.js').ModelEntry} ModelEntry */

const ROOT = new URL('../../', import.meta.url).href;
const INDEX = new URL('weights/index.json', ROOT).href;
const FORMAT_VERSION = 1;
/** aedr's own model, which no generator uses: every result has to say so. */
const DEMONSTRATION = 'aedr-small';

/** @type {Promise<ModelEntry[]> | null} */
let hosted = null;

/** At least one model: those that come with the page, then those that were added. */
export async function modelEntries() {
  const [ours, added] = await Promise.all([hostedModels(), addedModels()]);
  // The same model may have been added twice, by its name and by an address.
  const byId = new Map([...added, ...ours].map((model) => [model.id, model]));
  const others = added.filter((model) => byId.get(model.id) === model);
  return [...ours, ...others.map(({ id, name, files }) => ({ id, name, files }))];
}

/** The models that come with the page, with absolute addresses. Fetched once; again after a failure. */
export function hostedModels() {
  hosted ??= fetchEntries();
  hosted.catch(() => (hosted = null));
  return hosted;
}

/** @returns {Promise<ModelEntry[]>} */
async function fetchEntries() {
  const index = await fetchJson(INDEX, { code: 'weights_missing', integrity: integrityOf(INDEX) });
  if (index?.format_version !== FORMAT_VERSION || !index.models?.length) {
    const [file, detail] = ['weights/index.json', 'no model in a form that this page knows'];
    throw new AedrError('manifest_invalid', `${file} lists ${detail}`, '', { file, detail });
  }
  return index.models.map((/** @type {any} */ entry) => {
    const ours = entry.id === DEMONSTRATION;
    const manifest = new URL(entry.manifest, INDEX).href;
    const name = ours ? demonstration.name : entry.name;
    return { ...entry, name, manifest, integrity: integrityOfModel(manifest), demonstration: ours };
  });
}

/** The expected hashes of the two files that decide a model's weights and verdicts. @param {string} manifest */
function integrityOfModel(manifest) {
  return { manifest: integrityOf(manifest), calibration: integrityOf(new URL('calibration.json', manifest).href) };
}

/** @param {string} url */
function integrityOf(url) {
  return url.startsWith(ROOT) ? INTEGRITY[url.slice(ROOT.length)] : undefined;
}

/** What a worker needs to know of a model. @param {ModelEntry} entry @returns {import('../engine/types.js').ModelAddress} */
export function modelAddress({ id, name, manifest, integrity, files, demonstration: ours }) {
  const called = ours ? { name } : {};
  return files ? { id, ...called, files } : { id, ...called, manifest: manifest ?? '', integrity };
}
