/**
 * Where a model's files come from: beside a manifest on the page's own site, from this device, or from the package.
 *
 * @typedef {object} ModelSource
 * @property {(signal: AbortSignal) => Promise<string>} manifest
 * @property {(shard: {file: string, bytes: number}, options: {signal: AbortSignal,
 *   onBytes: import('./download.js').OnBytes}) => Promise<Uint8Array>} shard
 * @property {(signal: AbortSignal) => Promise<string | undefined>} calibration A model may have none; then its checks
 *   give numbers without a verdict.
 */

import { AedrError } from '../common/errors.js';
import { downloadBytes } from './download.js';
import { fetchText } from './verified-fetch.js';

const CODE = 'weights_missing';

/** @param {import('./types.js').ModelAddress} model @returns {ModelSource} */
export function modelSource(model) {
  if ('files' in model) return stored(model.files);
  return 'shards' in model ? packed(model) : hosted(model);
}

/** @param {import('./types.js').HostedModel} model @returns {ModelSource} */
function hosted({ manifest, integrity = {} }) {
  const beside = (/** @type {string} */ file) => new URL(file, manifest).href;
  return {
    manifest: (signal) => fetchText(manifest, { code: CODE, signal, integrity: integrity.manifest }),
    shard: ({ file, bytes }, options) => downloadBytes(beside(file), { code: CODE, bytes, ...options }),
    calibration: async (signal) => {
      // Where other files are verified, a calibration without a hash is not used: anybody may have changed it.
      if (integrity.manifest && !integrity.calibration) return undefined;
      try {
        return await fetchText(beside('calibration.json'), { code: CODE, signal, integrity: integrity.calibration });
      } catch (error) {
        if (error.details?.status === 404 && !integrity.calibration) return undefined;
        throw error;
      }
    },
  };
}

/**
 * The package's own model: everything but its shards is part of the script.
 * @param {import('./types.js').PackedModel} model @returns {ModelSource}
 */
function packed({ manifestText, calibrationText, shards }) {
  return {
    manifest: async () => manifestText,
    shard: ({ file, bytes }, options) => downloadBytes(shards[file], { code: CODE, bytes, ...options }),
    calibration: async () => calibrationText,
  };
}

/** @param {import('./types.js').ModelFiles} files @returns {ModelSource} */
function stored(files) {
  const read = async (/** @type {string} */ name) => {
    const bytes = await files[name]?.arrayBuffer().catch(() => null);
    // Another tab has removed it, or the browser to free space.
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
