/**
 * Downloads that report progress and whose errors name the file.
 *
 * @typedef {(loadedBytes: number) => void} OnBytes
 */

import { AedrError } from '../common/errors.js';

/**
 * Requests a file of the page's own site.
 * @param {string} url
 * @param {{code: string} & RequestInit} options `code` is the error's if the request fails.
 * @returns {Promise<Response>}
 */
export async function request(url, { code, ...init }) {
  let response;
  try {
    response = await fetch(url, init);
  } catch (error) {
    throw lost(error, url, code);
  }
  if (!response.ok) {
    const [file, { status }] = [fileName(url), response];
    throw new AedrError(code, `${file} could not be fetched: the server answered ${status}`, '', { file, status });
  }
  return response;
}

/**
 * A file's bytes.
 * @param {string} url
 * @param {{code: string, bytes: number, signal?: AbortSignal, onBytes: OnBytes}} options `bytes` is how
 *   long the file should be; what comes beyond that is not read.
 * @returns {Promise<Uint8Array>}
 */
export async function downloadBytes(url, { code, bytes, signal, onBytes }) {
  const response = await request(url, { code, signal });
  const whole = new Uint8Array(bytes);
  let loaded = 0;
  try {
    for await (const chunk of chunks(response)) {
      if (loaded + chunk.length > bytes) {
        const [file, detail] = [fileName(url), `longer than the ${bytes} bytes expected`];
        throw new AedrError('weights_corrupt', `${file} is ${detail}`, '', { file, detail });
      }
      whole.set(chunk, loaded);
      loaded += chunk.length;
      onBytes(loaded);
    }
  } catch (error) {
    throw lost(error, url, code);
  }
  return whole.subarray(0, loaded);
}

/** Safari's streams cannot be iterated. @param {Response} response */
export async function* chunks(response) {
  const reader = response.body?.getReader();
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true };
    if (done) return;
    yield value;
  }
}

/** @param {unknown} error @param {string} url @param {string} code */
export function lost(error, url, code) {
  if (error instanceof AedrError) return error;
  if (error instanceof DOMException && error.name === 'AbortError') return error;
  const [file, offline] = [fileName(url), !navigator.onLine];
  const why = offline ? '; this device is offline' : '';
  return new AedrError(code, `${file} could not be fetched${why}`, '', { file, offline });
}

/** The end of an address, as a person knows the file. @param {string} url */
export function fileName(url) {
  return new URL(url).pathname.split('/').slice(-2).join('/');
}
