/**
 * Adding models: what can be added, plans for it, and the one import that runs.
 *
 * @typedef {import('./types.js').ImportPlan} ImportPlan
 * @typedef {object} CatalogEntry See `src/weights/catalog.rs`.
 * @property {string} id
 * @property {string} name
 * @property {any} architecture
 * @property {string[]} serves
 * @property {string[]} shares
 * @property {string} repository
 * @property {{file: string, address: string | null, bytes: number | null, about_megabytes: number,
 *   sha256: string | null}[]} files
 * @property {string} licence
 * @property {boolean} gated
 * @property {any} calibration
 * @typedef {{plan: ImportPlan, loaded: number, total: number | null, partOf: number | null, waiting: boolean,
 *   cancel: () => void}} Running `total` bytes come, of a file that has `partOf` if they are not all of it.
 */

import { isThisDevice, nameOf, parseAddress } from '../common/address.js';
import { AedrError } from '../common/errors.js';
import { INTEGRITY } from '../engine/integrity.js';
import { Scheduler } from '../engine/scheduler.js';
import { fetchJson } from '../engine/verified-fetch.js';
import { models as words } from '../texts/catalogue.js';
import { keepForThisVisit, PARTS } from './storage.js';

const CATALOG = new URL('../../weights/catalog.json', import.meta.url);
const FORMAT_VERSION = 1;
/** A precision that hardly changes t: see docs/quantisation.md. */
const PRECISION = 'q12';
/** Names in the storage and ids of models are made of these. */
const PLAIN = /[^A-Za-z0-9_.-]+/g;

const worker = new Scheduler(new URL('./import-worker.js', import.meta.url));

/** @returns {Promise<CatalogEntry[]>} */
export async function catalog() {
  const found = await fetchJson(CATALOG.href, { code: 'weights_missing', integrity: INTEGRITY['weights/catalog.json'] });
  if (found?.format_version !== FORMAT_VERSION) {
    const [file, detail] = ['weights/catalog.json', 'in no form that this page knows'];
    throw new AedrError('manifest_invalid', `${file} is ${detail}`, '', { file, detail });
  }
  return found.entries;
}

/** Whether the page can read it: one safetensors file. @param {CatalogEntry} entry */
export const isReadable = ({ files }) => files.length === 1 && files[0].file.endsWith('.safetensors');

/**
 * @param {CatalogEntry} entry @param {{local?: boolean}} [options] `local`: from a file on this device.
 * @returns {ImportPlan}
 */
export function planOf(entry, { local = false } = {}) {
  const [{ address, sha256 }] = entry.files;
  return {
    key: entry.id,
    address: local ? null : address,
    request: { description: describe(entry), sha256, precision: PRECISION },
    calibrations: entry.calibration ? { [entry.id]: entry.calibration } : {},
    gated: entry.gated,
    parts: PARTS,
  };
}

/**
 * A plan for a file that the catalogue does not name; it may prove to be one of the catalogue's.
 * @param {{address: string} | {file: File}} source @param {CatalogEntry[]} entries
 * @returns {Promise<ImportPlan>}
 */
export async function planFor(source, entries) {
  const local = 'file' in source;
  const name = local ? source.file.name : nameOf(new URL(source.address));
  const unique = await shortHash(
    local ? `${source.file.name} ${source.file.size} ${source.file.lastModified}` : source.address,
  );
  const plain = name.replace(/\.safetensors$/, '').replace(PLAIN, '-').replace(/^[-.]+/, '').slice(0, 40) || 'model';
  const id = `${plain}-${unique}`;
  const known = entries.filter((entry) => isReadable(entry) && entry.files[0].sha256);
  return {
    key: id,
    address: local ? null : source.address,
    request: {
      description: { id, name, source: local ? words.fromDevice : source.address, licence: 'unknown' },
      known: known.map((entry) => ({ sha256: entry.files[0].sha256, description: describe(entry) })),
      precision: PRECISION,
    },
    calibrations: Object.fromEntries(known.map(({ id, calibration }) => [id, calibration]).filter(([, found]) => found)),
    parts: PARTS,
  };
}

/**
 * An address that a person gave, as that of a file.
 * @param {string} text
 */
export function fileAddress(text) {
  const url = parseAddress(text.trim());
  const secure = url?.protocol === 'https:' || (url?.protocol === 'http:' && isThisDevice(url.hostname));
  if (!url || !secure) throw new AedrError('import_address', words.addressWrong);
  // The hub's page about a file: people copy its address from the address bar.
  if (url.hostname === 'huggingface.co') url.pathname = url.pathname.replace(/^(\/[^/]+\/[^/]+)\/blob\//, '$1/resolve/');
  return url.href;
}

/** @type {Running | null} */
let running = null;
/** @type {Set<() => void>} */
const watchers = new Set();

/** The import that runs, if one does. */
export const currentImport = () => running;

/** @param {() => void} watcher Called whenever the running import changes or makes progress. */
export function watchImports(watcher) {
  watchers.add(watcher);
}

/**
 * Adds a model; one at a time.
 * @param {ImportPlan} plan @param {{file?: Blob | null, keep?: boolean}} [options] `keep`: beyond this visit.
 * @returns {Promise<{kept: boolean}>}
 */
export async function runImport(plan, { file = null, keep = true } = {}) {
  if (running) throw new AedrError('import_busy', words.busy);
  const controller = new AbortController();
  const set = (/** @type {Running | null} */ next) => {
    running = next;
    for (const watcher of watchers) watcher();
  };
  set({ plan, loaded: 0, total: null, partOf: null, waiting: false, cancel: () => controller.abort() });
  try {
    // Asked before the first byte, while the browser still sees a person's action.
    if (keep) await navigator.storage?.persist?.().catch(() => false);
    const onProgress = (/** @type {import('./import-worker.js').ImportProgress} */ { stage, ...come }) => {
      if (running && stage !== 'program') set({ ...running, ...come, waiting: stage === 'import_waiting' });
    };
    const { signal } = controller;
    const { files } = await worker.ask('add', () => ({ params: { plan, file, keep } }), { signal, onProgress });
    if (files) await keepForThisVisit(plan.key, files);
    return { kept: files === null };
  } finally {
    set(null);
  }
}

/** @param {CatalogEntry} entry */
function describe({ id, name, repository, files, licence, serves, shares, architecture }) {
  return { id, name, source: `${repository}: ${files[0].file}`, licence, serves, shares, architecture };
}

/** @param {string} text */
async function shortHash(text) {
  const bytes = new TextEncoder().encode(text);
  // Pages without https have no digests, and keep models for a visit only: there any number tells them apart.
  const digest = await globalThis.crypto?.subtle?.digest('SHA-256', bytes);
  const short = digest ? new DataView(digest).getUint32(0) : fowler(bytes);
  return short.toString(16).padStart(8, '0');
}

/** FNV-1a, 32 bits. @param {Uint8Array} bytes */
function fowler(bytes) {
  return bytes.reduce((hash, byte) => Math.imul(hash ^ byte, 0x01000193), 0x811c9dc5) >>> 0;
}
