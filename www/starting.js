/**
 * Starts workers, also in pages whose policy wants every script's address vouched for (Trusted Types).
 *
 * @typedef {string | URL | TrustedScriptURL} ScriptAddress
 */

import { AedrError } from './errors.js';

/** What `trusted-types` in a Content-Security-Policy has to allow. */
const POLICY = 'aedr';

/**
 * Made once: a second of this name may be forbidden. Null where it cannot be made.
 * @type {{createScriptURL: (address: string) => TrustedScriptURL} | null | undefined}
 */
let policy;

/** Addresses are meant from where the page is. @param {unknown} address @returns {URL} */
export const addressOf = (address) => new URL(String(address), globalThis.document?.baseURI ?? location.href);

/**
 * @param {ScriptAddress} script A module of the page's own site.
 * @returns {Worker}
 * @throws {AedrError} program_missing
 */
export function startWorker(script) {
  const { href, pathname: file } = ownAddress(script);
  try {
    return new Worker(isTrusted(script) ? script : vouched(href), { type: 'module' });
  } catch (error) {
    const message = `this page’s policy does not let ${file} be started: ${/** @type {Error} */ (error).message}`;
    const advice = 'Allow the policy “aedr” in trusted-types, or give the worker’s address as a TrustedScriptURL.';
    throw new AedrError('program_missing', message, advice, { file, forbidden: true });
  }
}

/**
 * Browsers start workers from the page's own site alone.
 * @param {ScriptAddress} script @returns {URL}
 */
export function ownAddress(script) {
  const url = addressOf(script);
  if (url.origin === globalThis.origin) return url;
  const message = `${url.href} is not on the site of this page, and browsers start no worker from another`;
  const details = { file: url.href, elsewhere: true };
  throw new AedrError('program_missing', message, 'Serve the worker’s file from your own site.', details);
}

/** @param {unknown} script @returns {script is TrustedScriptURL} */
export function isTrusted(script) {
  return globalThis.trustedTypes?.isScriptURL(script) ?? false;
}

/** @param {string} address */
function vouched(address) {
  if (policy === undefined) policy = madePolicy();
  return policy?.createScriptURL(address) ?? address;
}

function madePolicy() {
  try {
    // What reaches it has been found to be of the page's own site; looked at once more, it is safe by itself.
    const createScriptURL = (/** @type {string} */ address) => ownAddress(address).href;
    return globalThis.trustedTypes?.createPolicy(POLICY, { createScriptURL }) ?? null;
  } catch {
    return null;
  }
}
