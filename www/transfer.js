/** Fetching a large file from another site: in pieces, with patience, from where it broke off. */

import { AedrError } from './errors.js';
import { anySignal } from './signals.js';

/** A connection that gives nothing for so long is given up. */
const STALL_MS = 15_000;
/** So often in a row it is tried again, each time after twice the wait. */
const RETRIES = 4;
const FIRST_WAIT_MS = 1000;

/** The connection broke; another may do. */
class Broken extends Error {
  /** @param {string} message @param {number} [status] If the site answered. */
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/** There is no more, though more was expected. Whoever takes the bytes tells what is wrong with them. */
class Ended extends Error {}

/**
 * The file's bytes from `start` on.
 * @param {string} address
 * @param {{start: number, signal: AbortSignal, missing: (at: number) => boolean, onWait: () => void}} options
 *   `missing` tells whether more must come after so many bytes.
 * @returns {AsyncGenerator<Uint8Array>}
 */
export async function* transfer(address, { start, signal, missing, onWait }) {
  let at = start;
  let failures = 0;
  let reached = start > 0;
  for (;;) {
    try {
      for await (const bytes of attempt(address, at, signal)) {
        reached = true;
        at += bytes.length;
        failures = 0;
        yield bytes;
      }
      if (!missing(at)) return;
      throw new Broken('the connection ended early');
    } catch (thrown) {
      signal.throwIfAborted();
      if (thrown instanceof Ended) return;
      if (!(thrown instanceof Broken)) throw thrown;
      // A browser does not tell a page why: the site may be away, or not let other pages read its files.
      if (!reached && navigator.onLine) {
        throw new AedrError(
          'import_refused',
          `${siteOf(address)} cannot be reached, or does not let other pages read its files`,
          '',
          { site: siteOf(address) },
        );
      }
      failures += 1;
      if (failures > RETRIES) {
        const [site, { message, status }] = [siteOf(address), thrown];
        throw new AedrError('import_interrupted', `${site}: ${message}`, '', { site, status });
      }
      onWait();
      await pause(FIRST_WAIT_MS * 2 ** (failures - 1), signal);
    }
  }
}

/** @param {string} address @param {number} at @param {AbortSignal} signal @returns {AsyncGenerator<Uint8Array>} */
async function* attempt(address, at, signal) {
  const stalled = new AbortController();
  let timer = setTimeout(() => stalled.abort(), STALL_MS);
  const patient = () => {
    clearTimeout(timer);
    timer = setTimeout(() => stalled.abort(), STALL_MS);
  };
  const either = anySignal([signal, stalled.signal]);
  const broken = (/** @type {unknown} */ error) => {
    if (signal.aborted) return error;
    return new Broken(stalled.signal.aborted ? 'nothing more came' : 'the connection broke');
  };
  /** @type {ReadableStreamDefaultReader<Uint8Array> | undefined} */
  let reader;
  try {
    const response = await fetch(address, {
      signal: either,
      headers: at > 0 ? { Range: `bytes=${at}-` } : {},
      // Nothing of the visitor's goes along, and the file is kept once, not twice.
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
      cache: 'no-store',
    }).catch((error) => {
      throw broken(error);
    });
    checkStatus(response, address);
    reader = response.body?.getReader();
    // A site that does not know ranges sends everything again.
    let skip = response.status === 206 ? 0 : at;
    for (;;) {
      const { done, value } = (await reader?.read().catch((error) => {
        throw broken(error);
      })) ?? { done: true, value: undefined };
      if (done || !value) return;
      patient();
      const fresh = value.subarray(Math.min(skip, value.length));
      skip -= value.length - fresh.length;
      if (fresh.length > 0) yield fresh;
    }
  } finally {
    clearTimeout(timer);
    reader?.cancel().catch(() => {});
  }
}

/** @param {Response} response @param {string} address */
function checkStatus({ status, ok }, address) {
  if (ok) return;
  const site = siteOf(address);
  const failed = (/** @type {string} */ code, /** @type {string} */ message) =>
    new AedrError(code, message, '', { site, status });
  if (status === 401 || status === 403) {
    throw failed('import_gated', `${site} gives this file only to people who signed in (${status})`);
  }
  if (status === 404 || status === 410) throw failed('import_missing', `${site} has no such file (${status})`);
  if (status === 416) throw new Ended();
  if (status === 429 || status >= 500) throw new Broken(`the site answered ${status}`, status);
  throw failed('import_missing', `${site} answered ${status}`);
}

/** @param {string} address */
const siteOf = (address) => new URL(address).host;

/** @param {number} milliseconds @param {AbortSignal} signal @returns {Promise<void>} */
function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(done, milliseconds);
    function done() {
      signal.removeEventListener('abort', stop);
      resolve();
    }
    function stop() {
      clearTimeout(timer);
      reject(signal.reason);
    }
    signal.addEventListener('abort', stop, { once: true });
  });
}
