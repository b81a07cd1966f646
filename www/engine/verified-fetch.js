/**
 * Fetches files whose hashes the page knows. A file with another hash is neither used nor kept, whoever changed it: a
 * host, a proxy, or a browser's cache with an old copy. The page's own script does the verification, so it is as
 * trustworthy as that script: whoever can change the script can change everything.
 *
 * Without a hash, as in a page that was not assembled, nothing is verified.
 */

import { AedrError } from '../common/errors.js';
import { chunks, fileName, lost, request } from './download.js';

/** Missing on pages without https; there `fetch` verifies, and delivers nothing before it has everything. */
const digests = globalThis.crypto?.subtle;

/**
 * @typedef {{code: string, signal?: AbortSignal, integrity?: string,
 *   onBytes?: (loadedBytes: number, totalBytes: number | null) => void}} VerifiedOptions `code` of the error if the
 *   file cannot be had. `integrity`: what it must be, as `sha256-BASE64`.
 */

/** @param {string} url @param {VerifiedOptions} options @returns {Promise<string>} */
export function fetchText(url, options) {
  return verified(url, options, async (response) => {
    const bytes = await received(response, options).catch((error) => {
      throw lost(error, url, options.code);
    });
    return { bytes, value: async () => new TextDecoder().decode(bytes) };
  });
}

/** Null if it is no JSON. @param {string} url @param {VerifiedOptions} options @returns {Promise<any>} */
export async function fetchJson(url, options) {
  const text = await fetchText(url, options);
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * A WebAssembly module, compiled while it arrives if the server sends its type, and returned only after all of it was
 * verified: compiling runs none of it. The response that is compiled stays the network's own, so that browsers can keep
 * the compiled module; the verification uses a copy of the bytes.
 * @param {string} url @param {VerifiedOptions} options @returns {Promise<WebAssembly.Module>}
 */
export function fetchModule(url, options) {
  return verified(url, options, async (response) => {
    const streams = response.headers.get('Content-Type')?.startsWith('application/wasm');
    const copy = streams ? response.clone() : response;
    const compiled = streams ? WebAssembly.compileStreaming(response) : null;
    // For a file with the wrong hash, the error of compiling it does not matter.
    compiled?.catch(() => {});
    const bytes = await received(copy, options).catch((error) => {
      // The connection broke, or the service worker found that this is not the file it should be.
      if (!(error instanceof TypeError)) throw error;
      const file = fileName(url);
      throw new AedrError(options.code, `${file} did not arrive whole`, '', { file, broken: true });
    });
    return { bytes, value: () => compiled ?? WebAssembly.compile(bytes) };
  });
}

/**
 * Tries twice, because a browser's cache may hold another version.
 * @template Value
 * @param {string} url @param {VerifiedOptions} options
 * @param {(response: Response) => Promise<{bytes: ArrayBuffer, value: () => Promise<Value>}>} read
 * @returns {Promise<Value>}
 */
async function verified(url, { integrity, code, signal }, read) {
  for (const cache of /** @type {RequestCache[]} */ (['default', 'reload'])) {
    const response = await responseOf(url, { integrity, code, signal, cache });
    if (!response) continue;
    const { bytes, value } = await read(response);
    if (!integrity || !digests || (await hashOf(bytes)) === integrity) return value();
  }
  const file = fileName(url);
  const message = `the file ${file} is not the one that it should be: its contents are different`;
  const advice =
    'Reload the page. If this happens again, do not rely on what the page says, and tell the people who run it.';
  throw new AedrError('integrity_failed', message, advice, { file });
}

/**
 * Null if `fetch` found that the hash is wrong.
 * @param {string} url
 * @param {{integrity?: string, code: string, signal?: AbortSignal, cache: RequestCache}} options
 */
async function responseOf(url, { integrity, code, signal, cache }) {
  if (digests || !integrity) return request(url, { code, signal, cache });
  try {
    return await request(url, { code, signal, cache, integrity });
  } catch (error) {
    signal?.throwIfAborted();
    // `fetch` does not tell a wrong hash from a broken connection, so a request finds out whether the server answers.
    await request(url, { code, signal, method: 'HEAD' });
    return null;
  }
}

/** @param {Response} response @param {VerifiedOptions} options */
async function received(response, { onBytes }) {
  // With a content encoding, the length is that of the compressed bytes.
  const length = response.headers.has('content-encoding') ? null : response.headers.get('content-length');
  const total = length === null ? null : Number(length);
  const parts = [];
  let loaded = 0;
  for await (const chunk of chunks(response)) {
    parts.push(chunk);
    onBytes?.((loaded += chunk.length), total);
  }
  return new Blob(parts).arrayBuffer();
}

/** @param {ArrayBuffer} bytes */
async function hashOf(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return `sha256-${btoa(String.fromCharCode(...digest))}`;
}
