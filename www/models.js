/** The models that the page can check against, from `weights/index.json`. */

import { request } from './download.js';
import { AedrError } from './errors.js';

/** @typedef {import('./result.js').ModelEntry} ModelEntry */

const INDEX = new URL('../weights/index.json', import.meta.url);
const FORMAT_VERSION = 1;
/** Our own model, which no generator uses: every result has to say so. */
const DEMONSTRATION = 'aedr-small';

/** @type {Promise<ModelEntry[]> | null} */
let entries = null;

/** At least one model, with absolute manifest addresses. Fetched once; again after a failure. */
export function modelEntries() {
  entries ??= fetchEntries();
  entries.catch(() => (entries = null));
  return entries;
}

/** @returns {Promise<ModelEntry[]>} */
async function fetchEntries() {
  const response = await request(INDEX.href, { code: 'weights_missing' });
  const index = await response.json().catch(() => null);
  if (index?.format_version !== FORMAT_VERSION || !index.models?.length) {
    throw new AedrError('manifest_invalid', 'weights/index.json lists no model in a form that this page knows');
  }
  return index.models.map((/** @type {ModelEntry} */ entry) => ({
    ...entry,
    manifest: new URL(entry.manifest, INDEX).href,
    demonstration: entry.id === DEMONSTRATION,
  }));
}
