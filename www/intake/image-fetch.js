/**
 * Fetches an image by its address. An answer tells what went wrong; the words are in the catalogues.
 *
 * @typedef {import('../texts/messages.js').LinkProblem} LinkProblem
 * @typedef {{file: Blob} | {problem: LinkProblem, status?: number, bytes?: number}} LinkAnswer
 */

import { either } from '../common/abort-signals.js';

/** In milliseconds: a transfer that brings nothing for so long is ended. */
const STALL_MS = 15_000;
const PROGRESS_MS = 100;
/** How an HTML page begins, whatever type its site sends. */
const PAGE = /^\uFEFF?\s*(<!--[^]*?-->\s*)*<(!doctype html|html|head|body)\b/i;

/**
 * @param {{address: string, limit: number, credentials?: RequestCredentials}} request `limit` is the most bytes that
 *   are taken. `credentials`: nothing of the visitor's goes along, unless it is asked for.
 * @param {import('../engine/channel.js').CallContext} context
 * @returns {Promise<LinkAnswer>}
 */
export async function fetchImage({ address, limit, credentials = 'omit' }, { signal, progress }) {
  const patience = new Patience();
  const both = either(signal, patience.signal);
  let reached = false;
  try {
    const response = await fetch(address, {
      signal: both.signal,
      mode: 'cors',
      credentials,
      referrerPolicy: 'no-referrer',
      // Nothing of the image is stored; and the cache may hold a copy that the site does not let this page read.
      cache: 'no-store',
    });
    reached = true;
    const refusal = refusalOf(response);
    return refusal ?? (await read(response, limit, { patience, progress }));
  } catch {
    signal.throwIfAborted();
    // A browser does not tell why: the site may be down, or may not let other pages read its images.
    return { problem: reached || patience.signal.aborted ? 'interrupted' : 'refused' };
  } finally {
    patience.end();
    both.release();
  }
}

/** @param {Response} response @returns {LinkAnswer | null} */
function refusalOf({ ok, status }) {
  if (ok) return null;
  if (status === 404 || status === 410) return { problem: 'missing', status };
  if (status === 401) return { problem: 'gated', status };
  // The site refuses this request: many sites give their images only to their own pages.
  if (status === 403) return { problem: 'denied', status };
  return { problem: 'failed', status };
}

/**
 * @param {Response} response @param {number} limit
 * @param {{patience: Patience, progress: (value: any) => void}} context
 * @returns {Promise<LinkAnswer>}
 */
async function read(response, limit, { patience, progress }) {
  const type = response.headers.get('content-type') ?? '';
  if (/^(text\/html|application\/xhtml\+xml)\b/i.test(type)) return ended(response, { problem: 'page' });
  // With a content encoding, the length is that of the compressed bytes.
  const length = response.headers.has('content-encoding') ? null : response.headers.get('content-length');
  const total = length === null ? null : Number(length);
  if (total !== null && total > limit) return ended(response, { problem: 'too_large', bytes: total });
  const reader = response.body?.getReader();
  const parts = [];
  let [loaded, told] = [0, 0];
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
    if (done || !value) break;
    patience.renew();
    loaded += value.length;
    if (loaded > limit) {
      reader?.cancel().catch(() => {});
      return { problem: 'too_large' };
    }
    parts.push(value);
    const now = performance.now();
    if (now - told < PROGRESS_MS) continue;
    told = now;
    progress({ stage: 'link', loaded, total });
  }
  const file = new Blob(parts, { type });
  const beginning = await file.slice(0, 1024).text();
  return PAGE.test(beginning) ? { problem: 'page' } : { file };
}

/** Cancels a response that is not wanted. @param {Response} response @param {LinkAnswer} found */
function ended(response, found) {
  response.body?.cancel().catch(() => {});
  return found;
}

/** Aborts when nothing has come for too long. */
class Patience {
  #controller = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  constructor() {
    this.renew();
  }

  get signal() {
    return this.#controller.signal;
  }

  renew() {
    this.end();
    this.#timer = setTimeout(() => this.#controller.abort(), STALL_MS);
  }

  end() {
    clearTimeout(this.#timer);
  }
}
