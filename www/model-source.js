/**
 * Where a model's files come from: beside a manifest on the page's own site, or from the store.
 *
 * @typedef {object} ModelSource
 * @property {(signal: AbortSignal) => Promise<string>} manifest
 * @property {(shard: {file: string, bytes: number}, options: {signal: AbortSignal,
 *   onBytes: import('./download.js').OnBytes}) => Promise<Uint8Array>} shard
 * @property {(signal: AbortSignal) => Promise<string | undefined>} calibration A model may have none; then its checks
 *   give numbers without a verdict.
 */

import { downloadBytes, request } from './download.js';
import { AedrError } from './errors.js';

const CODE = 'weights_missing';

/** @param {import('./worker.js').ModelAddress} model @returns {ModelSource} */
export function modelSource(model) {
  return 'files' in model ? stored(model.files) : hosted(model.manifest);
}

/** @param {string} manifest @returns {ModelSource} */
function hosted(manifest) {
  return {
    manifest: async (signal) => (await request(manifest, { code: CODE, signal })).text(),
    shard: ({ file, bytes }, options) => downloadBytes(new URL(file, manifest).href, { code: CODE, bytes, ...options }),
    calibration: async (signal) => {
      const response = await fetch(new URL('calibration.json', manifest), { signal }).catch(() => null);
      if (response?.status === 404) return undefined;
      signal.throwIfAborted();
      if (!response?.ok) {
        const why = response ? `the server answered ${response.status}` : 'the connection failed';
        const details = { file: 'calibration.json', status: response?.status };
        throw new AedrError(CODE, `calibration.json could not be fetched: ${why}`, '', details);
      }
      return response.text();
    },
  };
}

/** @param {import('./store.js').ModelFiles} files @returns {ModelSource} */
function stored(files) {
  const read = async (/** @type {string} */ name) => {
    const bytes = await files[name]?.arrayBuffer().catch(() => null);
    // Removed in another tab, or by the browser to make room.
    if (!bytes) throw new AedrError(CODE, `${name} is no longer on this device`, '', { file: name, gone: true });
    return new Uint8Array(bytes);
  };
  const text = async (/** @type {string} */ name) => new TextDecoder().decode(await read(name));
  return {
    manifest: () => text('manifest.json'),
    shard: async ({ file, bytes }, { onBytes }) => {
      const shard = await read(file);
      onBytes(bytes);
      return shard;
    },
    calibration: async () => ('calibration.json' in files ? text('calibration.json') : undefined),
  };
}
