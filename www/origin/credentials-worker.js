/**
 * The worker that reads Content Credentials, with the C2PA project's own program. It is apart from the one that checks:
 * what a hostile file does to it touches no verdict, and it may ask nobody anything.
 *
 * @typedef {{store: string} | {remote: string} | {none: true} | {unreadable: string}} Found `store` is JSON.
 */

import { AedrError } from '../common/errors.js';
import { answer } from '../engine/channel.js';
import { INTEGRITY } from '../engine/integrity.js';
import { fetchModule } from '../engine/verified-fetch.js';

const PROGRAM = new URL('../vendor/c2pa/c2pa.js', import.meta.url).href;
const PROGRAM_BYTES = new URL('../vendor/c2pa/c2pa_bg.wasm', import.meta.url).href;

/** By default it would fetch credentials that a file says are elsewhere, and ask whether certificates were revoked. */
const SETTINGS = JSON.stringify({
  core: { allowed_network_hosts: [] },
  verify: {
    verify_after_reading: true,
    // There are no certificates to trust, so every signer comes out as one that nobody vouches for.
    verify_trust: true,
    verify_timestamp_trust: true,
    ocsp_fetch: false,
    remote_manifest_fetch: false,
  },
});

/** @type {Promise<{WasmReader: any}> | null} */
let program = null;

answer(self, { read });

/**
 * @param {{file: Blob, type: string}} params @param {import('../engine/channel.js').CallContext} context
 * @returns {Promise<Found>}
 */
async function read({ file, type }, context) {
  const { WasmReader } = await load(context);
  context.progress({ stage: 'read' });
  try {
    const reader = await WasmReader.fromBlob(type, file, SETTINGS);
    try {
      return { store: reader.json() };
    } finally {
      reader.free();
    }
  } catch (thrown) {
    // It throws texts; anything else is no word about the file.
    if (typeof thrown !== 'string') throw thrown;
    if (thrown.includes('JumbfNotFound')) return { none: true };
    const remote = /RemoteManifestUrl\("(.*)"\)/.exec(thrown)?.[1];
    return remote ? { remote } : { unreadable: thrown };
  }
}

/** @param {import('../engine/channel.js').CallContext} context */
function load({ signal, progress }) {
  program ??= (async () => {
    const module = await import(PROGRAM).catch(() => {
      throw new AedrError('program_missing', 'c2pa/c2pa.js could not be fetched');
    });
    const compiled = await fetchModule(PROGRAM_BYTES, {
      code: 'program_missing',
      integrity: INTEGRITY['www/vendor/c2pa/c2pa_bg.wasm'],
      signal,
      onBytes: (loaded, total) => progress({ stage: 'fetch', loaded, total }),
    });
    await module.default({ module_or_path: compiled });
    // Nothing is to be fetched any more, whatever a file asks for.
    self.fetch = () => Promise.reject(new TypeError('nothing is fetched here'));
    return module;
  })();
  program.catch(() => (program = null));
  return program;
}
