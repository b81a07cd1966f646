/**
 * The worker that reads Content Credentials, with the C2PA project's own program. It is separate from the worker that
 * checks, so that a hostile file cannot affect a verdict, and it may send no requests about a file.
 *
 * @typedef {{store: string} | {remote: string} | {none: true} | {unreadable: string}} Found `store` is JSON.
 */

import { AedrError } from '../common/errors.js';
import { answer } from '../engine/channel.js';
import { INTEGRITY } from '../engine/integrity.js';
import { fetchModule } from '../engine/verified-fetch.js';

const PROGRAM = new URL('../vendor/c2pa/c2pa.js', import.meta.url).href;
const PROGRAM_BYTES = new URL('../vendor/c2pa/c2pa_bg.wasm', import.meta.url).href;

/** By default the program would fetch credentials from addresses in a file, and look up revoked certificates. */
const SETTINGS = JSON.stringify({
  core: { allowed_network_hosts: [] },
  verify: {
    verify_after_reading: true,
    // There are no trusted certificates, so every signer is reported as untrusted.
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
    // The program throws strings; any other error says nothing about the file.
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
    // From here on nothing is fetched, whatever a file asks for.
    self.fetch = () => Promise.reject(new TypeError('nothing is fetched here'));
    return module;
  })();
  program.catch(() => (program = null));
  return program;
}
