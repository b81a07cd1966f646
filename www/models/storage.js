/**
 * Models that people added: in the origin private file system or, where the browser keeps nothing, in the page's
 * memory for this visit.
 *
 *   models/KEY/…        shards, calibration.json, and last manifest.json: without it the model is not there
 *   imports/KEY.json    what is being added: an `ImportPlan`
 *   imports/KEY.part    what has come of its file, to go on from after a break
 *
 * @typedef {import('../engine/types.js').ModelFiles} ModelFiles
 * @typedef {import('./types.js').AddedModel} AddedModel
 */

/** To be raised whenever the module (`src/weights/import.rs`) wants other parts of the same file than before. */
export const PARTS = 1;

/** @type {Map<string, AddedModel>} */
const inMemory = new Map();

/**
 * The folders, or null if the browser refuses (private windows of some browsers, pages without https).
 * @returns {Promise<{models: FileSystemDirectoryHandle, imports: FileSystemDirectoryHandle} | null>}
 */
export async function openStorage() {
  try {
    const root = await navigator.storage.getDirectory();
    const folder = (/** @type {string} */ name) => root.getDirectoryHandle(name, { create: true });
    return { models: await folder('models'), imports: await folder('imports') };
  } catch {
    return null;
  }
}

/** @returns {Promise<AddedModel[]>} */
export async function addedModels() {
  const storage = await openStorage();
  const kept = [];
  for (const [key, folder] of storage ? await entries(storage.models) : []) {
    const files = await filesOf(/** @type {FileSystemDirectoryHandle} */ (folder)).catch(() => ({}));
    if (files['manifest.json']) kept.push(await describe(key, files, true));
  }
  return [...kept, ...inMemory.values()];
}

/** Keeps a model in memory, until the page is closed. @param {string} key @param {ModelFiles} files */
export async function keepForThisVisit(key, files) {
  inMemory.set(key, await describe(key, files, false));
}

/** The files of a model that is kept in memory. @param {string} key */
export const filesInMemory = (key) => inMemory.get(key)?.files;

/** Removes a model, or what has come of one. @param {string} key */
export async function remove(key) {
  inMemory.delete(key);
  const storage = await openStorage();
  if (!storage) return;
  // The manifest first: without it the model no longer counts, even if the rest cannot be removed.
  const model = await storage.models.getDirectoryHandle(key).catch(() => null);
  if (model) await removeEntry(model, 'manifest.json');
  await removeEntry(storage.models, key);
  await removeEntry(storage.imports, `${key}.part`);
  await removeEntry(storage.imports, `${key}.json`);
}

/**
 * Imports that were broken off and can go on. What cannot is removed.
 * @returns {Promise<import('./types.js').UnfinishedImport[]>}
 */
export async function unfinishedImports() {
  const storage = await openStorage();
  if (!storage) return [];
  const unfinished = [];
  const planned = new Set();
  for (const [name, handle] of await entries(storage.imports)) {
    if (!name.endsWith('.json')) continue;
    const key = name.slice(0, -'.json'.length);
    planned.add(key);
    if (await isBusy(key)) continue;
    const plan = await fileOf(handle).then(async (file) => JSON.parse(await file.text())).catch(() => null);
    if (!plan?.address) {
      await remove(key);
      continue;
    }
    const part = await storage.imports.getFileHandle(`${key}.part`).then(fileOf).catch(() => null);
    unfinished.push({ plan, bytes: part?.size ?? 0 });
  }
  for (const [key, folder] of await entries(storage.models)) {
    const files = await filesOf(/** @type {FileSystemDirectoryHandle} */ (folder)).catch(() => ({}));
    if (!files['manifest.json'] && !planned.has(key) && !(await isBusy(key))) await remove(key);
  }
  return unfinished;
}

/** Name of the lock that an import of this model holds. @param {string} key */
export const lockName = (key) => `aedr-import-${key}`;

/** @param {string} key */
async function isBusy(key) {
  const { held = [] } = (await navigator.locks?.query()) ?? {};
  return held.some(({ name }) => name === lockName(key));
}

/**
 * Bytes that this page uses and may use, as the browser estimates.
 * @returns {Promise<{used: number, available: number} | null>}
 */
export async function storageEstimate() {
  const { usage, quota } = (await navigator.storage?.estimate?.().catch(() => null)) ?? {};
  return usage === undefined || quota === undefined ? null : { used: usage, available: Math.max(quota - usage, 0) };
}

/** @param {FileSystemDirectoryHandle} folder @param {string} name */
export async function removeEntry(folder, name) {
  await folder.removeEntry(name, { recursive: true }).catch(() => {
    // It was not there; or another tab is reading it, and the next visit removes it.
  });
}

/** @param {string} key @param {ModelFiles} files @param {boolean} kept @returns {Promise<AddedModel>} */
async function describe(key, files, kept) {
  // A check reports a faulty manifest; here the model must be listed so that it can be removed.
  const manifest = await files['manifest.json'].text().then(JSON.parse).catch(() => ({}));
  const { id = key, name = key, serves = [] } = manifest;
  const bytes = Object.values(files).reduce((sum, file) => sum + file.size, 0);
  // A check reports a faulty one.
  const calibration = (await files['calibration.json']?.text().then(JSON.parse).catch(() => ({}))) ?? null;
  return { key, id, name, serves, bytes, calibration, kept, files };
}

/** @param {FileSystemDirectoryHandle} folder @returns {Promise<ModelFiles>} */
async function filesOf(folder) {
  /** @type {ModelFiles} */
  const files = {};
  for (const [name, handle] of await entries(folder)) files[name] = await fileOf(handle);
  return files;
}

/** @param {FileSystemHandle} handle */
const fileOf = (handle) => /** @type {FileSystemFileHandle} */ (handle).getFile();

/** @param {any} folder Of a type that the page's types lack an iterator for. @returns {Promise<[string, FileSystemHandle][]>} */
async function entries(folder) {
  const found = [];
  for await (const entry of folder.entries()) found.push(entry);
  return found;
}
