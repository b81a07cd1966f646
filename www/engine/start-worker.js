/**
 * Starts workers, also in pages whose policy requires Trusted Types for the addresses of scripts.
 *
 * @typedef {import('./types.js').ScriptAddress} ScriptAddress
 */

import { AedrError } from '../common/errors.js';

/** Matches a policy that limits what a worker may connect to. */
const LIMITS = /(^|[;,\s])(connect|default)-src\s/;
/** What `trusted-types` in a Content-Security-Policy has to allow. */
const POLICY = 'aedr';

/**
 * Created once: a second policy of this name may be forbidden. Null where it cannot be created.
 * @type {{createScriptURL: (address: string) => TrustedScriptURL} | null | undefined}
 */
let policy;

/** Resolves an address against that of the page. @param {unknown} address @returns {URL} */
export const addressOf = (address) => new URL(String(address), globalThis.document?.baseURI ?? location.href);

/**
 * @param {ScriptAddress} script A module of the page's own site.
 * @param {{inheriting?: boolean}} [options] `inheriting`: under the policy of whoever starts it, and not under that of its
 *   own file.
 * @returns {Worker}
 * @throws {AedrError} program_missing
 */
export function startWorker(script, { inheriting = false } = {}) {
  const { href, pathname: file } = ownAddress(script);
  try {
    const address = inheriting ? vouched(inheritor(href)) : isTrusted(script) ? script : vouched(href);
    return new Worker(address, { type: 'module' });
  } catch (error) {
    const message = `this page’s policy does not let ${file} be started: ${/** @type {Error} */ (error).message}`;
    const advice = 'Allow the policy “aedr” in trusted-types, or give the worker’s address as a TrustedScriptURL.';
    throw new AedrError('program_missing', message, advice, { file, forbidden: true });
  }
}

/**
 * Whether a worker's own file is served with a policy that limits its connections. A worker has no other policy, so
 * hosts that send no headers leave it without one.
 * @param {ScriptAddress} script
 * @throws {AedrError} program_missing
 */
export async function hasOwnPolicy(script) {
  const response = await fetch(addressOf(script)).catch(() => null);
  if (!response?.ok) throw notLoaded(script);
  return LIMITS.test(response.headers.get('Content-Security-Policy') ?? '');
}

/** @param {ScriptAddress} script */
export function notLoaded(script) {
  const { pathname: file } = addressOf(script);
  return new AedrError('program_missing', `${file} could not be loaded`, '', { file });
}

/** `blob:` addresses of scripts, by what they import. @type {Map<string, string>} */
const inheritors = new Map();

/** A `blob:` script inherits its creator's policy, and so does what it imports. @param {string} href */
function inheritor(href) {
  const known = inheritors.get(href);
  if (known) return known;
  const made = URL.createObjectURL(new Blob([`import ${JSON.stringify(href)};`], { type: 'text/javascript' }));
  inheritors.set(href, made);
  return made;
}

/**
 * Browsers start workers only from the page's own site.
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
    // Addresses were checked before they get here; the second check makes the policy safe by itself.
    const createScriptURL = (/** @type {string} */ address) => ownAddress(address).href;
    return globalThis.trustedTypes?.createPolicy(POLICY, { createScriptURL }) ?? null;
  } catch {
    return null;
  }
}
