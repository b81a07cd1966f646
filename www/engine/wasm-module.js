/**
 * The WebAssembly module, fetched and started once in each worker that needs it.
 *
 * @typedef {{Checker: any, Image: any, Importer: any, record: (...parts: any[]) => string,
 *   calibrate: (model: string, belonging: string, others: string) => string, compiled: WebAssembly.Module}} WasmModule
 */

import { AedrError } from '../common/errors.js';
import { INTEGRITY } from './integrity.js';
import { fetchModule } from './verified-fetch.js';

const WASM = new URL('../pkg/aedr_bg.wasm', import.meta.url).href;

/** @type {Promise<WasmModule> | null} The module, once it is there. */
let loaded = null;

/**
 * @param {import('./channel.js').CallContext} context @param {string} [address] Of the module, the first time.
 * @returns {Promise<WasmModule>}
 */
export function loadWasmModule({ signal, progress }, address = WASM) {
  loaded ??= (async () => {
    const module = await import('../pkg/aedr.js').catch(() => {
      throw new AedrError('program_missing', 'pkg/aedr.js could not be fetched', '', { file: 'pkg/aedr.js' });
    });
    const compiled = await fetchModule(address, {
      code: 'program_missing',
      integrity: INTEGRITY['www/pkg/aedr_bg.wasm'],
      signal,
      onBytes: (bytes, total) => progress({ stage: 'program', loaded: bytes, total }),
    });
    await module.default({ module_or_path: compiled });
    const { Checker, Image, Importer, calibrate, record } = module;
    return { Checker, Image, Importer, calibrate, record, compiled };
  })();
  // After any failure, the next check tries again.
  loaded.catch(() => (loaded = null));
  return loaded;
}
