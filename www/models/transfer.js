/**
 * Fetches ranges of a large file from another site; retries, and resumes where the transfer broke off.
 *
 * @typedef {{length: number | null, tag: string | null}} Seen What a site said of the file: how many bytes it has, and a
 *   mark that changes with its contents.
 */

import { either } from '../common/abort-signals.js';
import { AedrError } from '../common/errors.js';

/** In milliseconds: a connection that brings nothing for so long is ended. */
const STALL_MS = 15_000;
/** How many times in a row it tries again, each time after twice the wait. */
const RETRIES = 4;
const FIRST_WAIT_MS = 1000;
/** If a site asks for a longer wait, the transfer ends. */
const LONGEST_WAIT_MS = 120_000;
/** What a hub says of a file that it gives after signing in, and of one that is not there or is nobody's business. */
const HUB_GATED = 'GatedRepo';
const HUB_MISSING = ['RepoNotFound', 'RevisionNotFound', 'EntryNotFound'];

/** The connection broke, or the site may answer later: another attempt may succeed. */
class Broken extends Error {
  /**
   * @param {string} message
   * @param {{status?: number, waitMs?: number, refusal?: AedrError}} [answered] If the site answered: how long it asks
   *   to wait, and the error to report if it keeps refusing.
   */
  constructor(message, { status, waitMs = 0, refusal } = {}) {
    super(message);
    this.status = status;
    this.waitMs = waitMs;
    this.refusal = refusal;
  }
}

/** The file ended earlier than expected. The receiver of the bytes reports what is wrong with them. */
class Ended extends Error {}

/** The file has changed since its first part arrived: that part is of no use. */
export class Changed extends AedrError {
  /** @param {string} site */
  constructor(site) {
    super('import_interrupted', `${site}: the file changed while it was fetched`, '', { site, changed: true });
  }
}

/** A file of another site. */
export class Transfer {
  #address;
  /** @type {AbortSignal} */
  #signal;
  #onWait;
  #onSeen;
  #isGated;
  #comparesTags;
  /** @type {Seen} */
  #seen;
  /** Whether to ask for ranges: not after the site sent another range than it was asked for. */
  #asksForParts = true;
  /** Whether bytes have come. */
  #reached = false;
  /** The response to a request for the whole file, from which the next part may come. @type {Flow | null} */
  #flow = null;
  /** What a response with the whole file says of its length, which may be that of compressed bytes. */
  #announced = /** @type {number | null} */ (null);

  /**
   * @param {string} address
   * @param {{signal: AbortSignal, onWait: () => void, onSeen?: (seen: Seen) => unknown, seen?: Seen, isGated?: boolean,
   *   comparesTags?: boolean}} options `seen` before; `onSeen` is told when more is known, and waited for. `isGated`: the
   *   publisher is known to ask to sign in. `comparesTags`: not needed where a hash tells in the end.
   */
  constructor(address, { signal, onWait, onSeen = () => {}, seen, isGated = false, comparesTags = true }) {
    this.#address = address;
    this.#signal = signal;
    this.#onWait = onWait;
    this.#onSeen = onSeen;
    this.#isGated = isGated;
    this.#comparesTags = comparesTags;
    this.#seen = seen ?? { length: null, tag: null };
  }

  /** Bytes of the whole file, if the site tells. @returns {number | null} */
  get length() {
    return this.#seen.length;
  }

  /** What came last is in a response that holds the whole file: its place there, and how long that may be. */
  get streaming() {
    return this.#flow?.isWhole ? { at: this.#flow.at, announced: this.#announced } : null;
  }

  /**
   * The file's bytes from `start` up to `end`; fewer if the file ends before. Empty pieces tell that bytes came which were
   * not asked for.
   * @param {number} start @param {number} end Infinity: all that there is.
   * @param {() => number} [expected] How long the file is by what has come of it; Infinity while that is not known.
   * @returns {AsyncGenerator<Uint8Array>}
   */
  async *read(start, end, expected = () => Infinity) {
    const missing = () => at < Math.min(end, expected(), this.#seen.length ?? Infinity);
    let at = start;
    let failures = 0;
    while (missing()) {
      try {
        for await (const bytes of this.#attempt(at, end, expected)) {
          this.#reached = true;
          at += bytes.length;
          if (bytes.length > 0) failures = 0;
          yield bytes;
        }
        if (!missing()) return;
        throw new Broken('the connection ended early');
      } catch (thrown) {
        this.close();
        this.#signal.throwIfAborted();
        if (thrown instanceof Ended) return;
        if (!(thrown instanceof Broken)) throw thrown;
        failures += 1;
        this.#giveUp(thrown, failures);
        this.#onWait();
        await pause(Math.max(FIRST_WAIT_MS * 2 ** (failures - 1), thrown.waitMs), this.#signal);
      }
    }
  }

  /** Where the open response with the whole file ends, by reading it; null if that cannot be told. */
  async end() {
    const flow = this.#flow;
    try {
      while (await flow?.next(Infinity));
      return flow?.at ?? null;
    } catch (thrown) {
      if (thrown instanceof Broken) return null;
      throw thrown;
    }
  }

  /** Closes the connection. */
  close() {
    this.#flow?.close();
    this.#flow = null;
  }

  /** Throws if another attempt is pointless. @param {Broken} broken @param {number} failures */
  #giveUp({ message, status, waitMs, refusal }, failures) {
    const site = siteOf(this.#address);
    // A browser does not tell a page why: the site may be down, or may not let other pages read its files.
    if (!this.#reached && status === undefined && navigator.onLine) {
      const why = 'cannot be reached, or does not let other pages read its files';
      throw new AedrError('import_refused', `${site} ${why}`, '', { site });
    }
    if (failures <= RETRIES && waitMs <= LONGEST_WAIT_MS) return;
    if (refusal) throw refusal;
    const minutes = waitMs > LONGEST_WAIT_MS ? Math.ceil(waitMs / 60_000) : undefined;
    const later = minutes ? `, and asks to wait ${minutes} minutes` : '';
    throw new AedrError('import_interrupted', `${site}: ${message}${later}`, '', { site, status, minutes });
  }

  /** @param {number} at @param {number} end @param {() => number} expected @returns {AsyncGenerator<Uint8Array>} */
  async *#attempt(at, end, expected) {
    if (!this.#flow || this.#flow.at > at) {
      this.close();
      this.#flow = await this.#request(at, end, expected);
    }
    const flow = this.#flow;
    while (flow.at < end) {
      const from = flow.at;
      const bytes = await flow.next(end);
      if (!bytes) break;
      // A site without support for ranges sends everything before the part, too.
      yield bytes.subarray(Math.min(Math.max(at - from, 0), bytes.length));
    }
    // The length tells whether the file or only the connection ended here; for compressed bytes it differs.
    if (flow.isWhole && flow.at < end && flow.at === this.#announced) throw new Ended();
    if (!flow.isWhole || flow.at < end) this.close();
  }

  /**
   * Asks for a part of the file, or for all of it where that is the same or the site gives no parts.
   * @param {number} at @param {number} end @param {() => number} expected @returns {Promise<Flow>}
   */
  async #request(at, end, expected) {
    const asks = this.#asksForParts && (at > 0 || end < Infinity);
    const range = `bytes=${at}-${end < Infinity ? end - 1 : ''}`;
    const flow = await Flow.open(this.#address, asks ? { Range: range } : {}, this.#signal).catch(async (error) => {
      // Older browsers send a preflight request for this header, and some sites refuse it.
      if (!asks || this.#reached || !(error instanceof Broken) || !navigator.onLine) throw error;
      const whole = await Flow.open(this.#address, {}, this.#signal);
      this.#asksForParts = false;
      return whole;
    });
    try {
      await this.#check(flow.response, at, end, expected());
    } catch (thrown) {
      flow.close();
      throw thrown;
    }
    flow.isWhole = flow.response.status !== 206;
    flow.at = flow.isWhole ? 0 : at;
    if (flow.isWhole) this.#announced = lengthOf(flow.response);
    return flow;
  }

  /**
   * Whether the answer is what was asked for.
   * @param {Response} response @param {number} at @param {number} end @param {number} expected
   */
  async #check(response, at, end, expected) {
    const { status, ok, headers } = response;
    if (!ok && status !== 416) throw this.#failure(response);
    // Sites choose whether other pages may read this header.
    const part = partOf(headers);
    await this.#compare({ length: part?.length ?? null, tag: ok && this.#comparesTags ? tagOf(headers) : null });
    if (status === 416) throw new Ended();
    if (status !== 206) return;
    // If the first answer told no length, the arrived bytes do.
    if (at > 0 && expected < Infinity && differs(part?.length ?? null, expected)) {
      throw new Changed(siteOf(this.#address));
    }
    const asked = Math.min(end, expected, this.#seen.length ?? Infinity) - at;
    const length = lengthOf(response) ?? asked;
    const right = part ? part.start === at && part.end > at && part.end <= end : length === asked || asked === Infinity;
    if (right) return;
    // Do not rely on ranges of this site any more; in a whole file, the place of each byte is clear.
    this.#asksForParts = false;
    throw new Broken('the site gave another part of the file than was asked for', { status });
  }

  /**
   * Sends no `If-Range`: browsers would send a preflight request for that header, and many sites refuse it.
   * @param {Seen} now
   */
  async #compare(now) {
    const { length, tag } = this.#seen;
    if (differs(length, now.length) || differs(tag, now.tag)) throw new Changed(siteOf(this.#address));
    const seen = { length: length ?? now.length, tag: tag ?? now.tag };
    if (seen.length === length && seen.tag === tag) return;
    this.#seen = seen;
    await this.#onSeen(seen);
  }

  /** @param {Response} response */
  #failure({ status, headers }) {
    const site = siteOf(this.#address);
    const failed = (/** @type {string} */ code, /** @type {string} */ message) =>
      new AedrError(code, `${site} ${message} (${status})`, '', { site, status });
    if (status === 429 || status === 408 || status >= 500) {
      return new Broken(`the site answered ${status}`, { status, waitMs: retryAfter(headers) });
    }
    if (status !== 401 && status !== 403) {
      return failed('import_missing', status === 404 || status === 410 ? 'has no such file' : 'answered with an error');
    }
    const hub = headers.get('X-Error-Code') ?? '';
    const signIn = this.#isGated || hub === HUB_GATED || status === 401;
    const refusal = HUB_MISSING.includes(hub)
      ? failed('import_missing', 'has no such file')
      : signIn
        ? failed('import_gated', 'gives this file only to people who signed in')
        : failed('import_refused', 'does not give this file to everybody');
    // It gave the file before: a signed address has expired, or there were too many requests. The next request goes to
    // the first address again, which leads to a fresh one.
    return this.#reached ? new Broken(`the site answered ${status}`, { status, refusal }) : refusal;
  }
}

/** One response, as it comes. */
class Flow {
  /** Where in the file its next byte is. */
  at = 0;
  /** Whether it holds all of the file. */
  isWhole = false;
  #reader;
  #signal;
  #stalled;
  #release;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** What has arrived and was not taken yet. @type {Uint8Array | null} */
  #rest = null;

  /** @param {Response} response @param {AbortSignal} signal @param {AbortController} stalled @param {() => void} release */
  constructor(response, signal, stalled, release) {
    this.response = response;
    /** @type {ReadableStreamDefaultReader<Uint8Array> | undefined} */
    this.#reader = response.body?.getReader();
    this.#signal = signal;
    this.#stalled = stalled;
    this.#release = release;
  }

  /** @param {string} address @param {Record<string, string>} headers @param {AbortSignal} signal @returns {Promise<Flow>} */
  static async open(address, headers, signal) {
    const stalled = new AbortController();
    const both = either(signal, stalled.signal);
    const timer = setTimeout(() => stalled.abort(), STALL_MS);
    try {
      const response = await fetch(address, {
        signal: both.signal,
        headers,
        // No credentials are sent, and the file is stored once, not twice.
        credentials: 'omit',
        referrerPolicy: 'no-referrer',
        cache: 'no-store',
      });
      return new Flow(response, signal, stalled, both.release);
    } catch (error) {
      both.release();
      throw brokenBy(error, signal, stalled);
    } finally {
      clearTimeout(timer);
    }
  }

  /** What comes next, up to `end` in the file; null if nothing does. @param {number} end @returns {Promise<Uint8Array | null>} */
  async next(end) {
    const bytes = this.#rest ?? (await this.#read());
    this.#rest = null;
    if (!bytes) return null;
    const taken = bytes.subarray(0, Math.min(bytes.length, end - this.at));
    if (taken.length < bytes.length) this.#rest = bytes.subarray(taken.length);
    this.at += taken.length;
    return taken;
  }

  close() {
    this.#release();
    this.#reader?.cancel().catch(() => {});
  }

  async #read() {
    // Without a reader there is no timeout.
    this.#timer = setTimeout(() => this.#stalled.abort(), STALL_MS);
    try {
      const { done, value } = (await this.#reader?.read()) ?? { done: true, value: undefined };
      return done || !value ? null : value;
    } catch (error) {
      throw brokenBy(error, this.#signal, this.#stalled);
    } finally {
      clearTimeout(this.#timer);
    }
  }
}

/** @param {unknown} error @param {AbortSignal} signal @param {AbortController} stalled */
function brokenBy(error, signal, stalled) {
  if (signal.aborted) return error;
  return new Broken(stalled.signal.aborted ? 'nothing more came' : 'the connection broke');
}

/**
 * The range that a response says it holds, `start` up to `end`; null if it does not say so, or hides it from this page.
 * @param {Headers} headers
 */
function partOf(headers) {
  const text = headers.get('Content-Range');
  if (text === null) return null;
  const [, first, last, length] = /^bytes (?:(\d+)-(\d+)|\*)\/(\d+|\*)$/i.exec(text.trim()) ?? [];
  // Beyond 2^53, neighbouring numbers cannot be told apart.
  const number = (/** @type {string | undefined} */ digits) => (Number.isSafeInteger(Number(digits)) ? Number(digits) : null);
  // A range that cannot be read is not the one that was asked for.
  return { start: number(first) ?? -1, end: (number(last) ?? -1) + 1, length: number(length) };
}

/** @param {Response} response */
function lengthOf({ headers }) {
  const length = Number(headers.get('Content-Length') ?? NaN);
  return Number.isSafeInteger(length) ? length : null;
}

/** A tag that changes with the file's contents. @param {Headers} headers */
function tagOf(headers) {
  const tag = headers.get('ETag');
  // A weak tag may stand for other bytes; compression adds a suffix to a strong one.
  if (tag?.startsWith('"')) return tag.replace(/[-;]+(gzip|br|zstd|deflate)"$/, '"');
  return headers.get('Last-Modified');
}

/** Whether both are known, and not the same. @param {unknown} a @param {unknown} b */
const differs = (a, b) => a !== null && b !== null && a !== b;

/** How long the site asks to wait, as seconds or as a date. @param {Headers} headers */
function retryAfter(headers) {
  const text = headers.get('Retry-After')?.trim() ?? '';
  const wait = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return wait > 0 ? wait : 0;
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
