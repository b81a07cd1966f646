/**
 * For pages that embed a frame of aedr: has the frame check images and returns its results. No other code of aedr runs
 * in the page.
 *
 *   const frame = await connectFrame(document.querySelector('iframe'), { origin: 'https://aedr.example' });
 *   const record = await frame.check(blob);
 */

import { AedrError, fromPlain } from '../../common/errors.js';
import { LIMITS, originOf, problem, readEvent, VERSIONS } from '../internal/protocol.js';

/** How long a frame may take to answer. */
const PATIENCE_MS = 30_000;
/** So many invalid messages are no accident. */
const MOST_MISFITS = 100;
/** Without these the frame cannot run. */
const NEEDED = ['allow-scripts', 'allow-same-origin'];

/**
 * Connects to the frame, once it is loaded.
 * @param {HTMLIFrameElement} iframe In the document.
 * @param {import('./connect.js').FrameOptions} options
 * @returns {Promise<Frame>}
 * @throws {AedrError} bad_options, frame_sandboxed, frame_silent, unsupported_version, program_missing, cancelled
 */
export async function connectFrame(iframe, { origin, signal, patience = PATIENCE_MS } = { origin: '' }) {
  const known = knownOrigin(origin);
  if (iframe?.tagName !== 'IFRAME') throw bad('an iframe element is needed', 'Pass the iframe itself.');
  const missing = NEEDED.filter((token) => iframe.hasAttribute('sandbox') && !iframe.sandbox.contains(token));
  if (missing.length > 0) throw problem('frame_sandboxed', { missing: missing.join(', ') });
  if (signal?.aborted) throw new AedrError('cancelled', 'cancelled');
  const line = new Line(iframe, known, patience);
  const stop = () => line.close(new AedrError('cancelled', 'cancelled'));
  signal?.addEventListener('abort', stop);
  try {
    await line.connected();
    return new Frame(line);
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

/** @param {unknown} origin */
function knownOrigin(origin) {
  if (origin === '*') {
    const why = 'the origin “*” would give your images to whatever page the frame happens to show';
    throw bad(why, 'Name the origin of the frame, such as https://aedr.example.');
  }
  const known = originOf(origin);
  if (known === null)
    throw bad('the origin of the frame is missing', 'Name it as in https://aedr.example, without a path.');
  return known;
}

/** @param {string} message @param {string} advice */
const bad = (message, advice) => new AedrError('bad_options', message, advice);

/**
 * A frame that answers. Events: `resize` (`detail.height`: how high its content is, in CSS pixels), `busy`
 * (`detail.busy`: whether the reader is checking an image of their own), `close` (`detail.error`: why).
 */
export class Frame extends EventTarget {
  #line;

  /** @param {Line} line */
  constructor(line) {
    super();
    this.#line = line;
    line.onEvent = (type, detail) => this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  /** The release of aedr in the frame. */
  get release() {
    return this.#line.release;
  }

  /**
   * Checks an image and shows it in the frame.
   * @param {Blob} image
   * @param {{name?: string, deep?: boolean, signal?: AbortSignal,
   *   onProgress?: (progress: {stage: string, fraction?: number}) => void}} [options]
   * @returns {Promise<Record<string, any>>} The report.
   */
  async check(image, { name, deep, signal, onProgress } = {}) {
    if (!(image instanceof Blob)) throw bad('an image file is needed', 'Pass a Blob or a File.');
    if (image.size > LIMITS.imageBytes) {
      const advice = `Files up to ${LIMITS.imageBytes / 1024 / 1024} MiB can be checked.`;
      throw new AedrError('file_too_large', `the file has ${image.size} bytes`, advice, { bytes: image.size });
    }
    const cut = name === undefined ? undefined : String(name).slice(0, LIMITS.nameLength);
    return this.#line.ask({ image, name: cut, deep: Boolean(deep) }, { signal, onProgress });
  }

  /** Removes the page's image from the frame, and ends its checks. */
  reset() {
    this.#line.reset();
  }

  /** Closes the connection. Checks without an answer reject. */
  close() {
    this.#line.close();
  }
}

/**
 * The channel to the frame. It is opened anew when the frame reloads.
 * @typedef {{resolve: (record: any) => void, reject: (error: Error) => void,
 *   onProgress?: (progress: any) => void}} Waiting
 */
class Line {
  /** @type {(type: string, detail: any) => void} */
  onEvent = () => {};
  release = '';
  #iframe;
  #origin;
  #patience;
  /** @type {MessagePort | null} */
  #port = null;
  /** Whether the frame has answered on this port. */
  #ready = false;
  /** Whether the frame answered before its `load` event: that event then announces no other page. */
  #stillLoading = false;
  /** @type {Map<number, Waiting>} */
  #waiting = new Map();
  #lastId = 0;
  #misfits = 0;
  /** @type {Error | null} */
  #closed = null;
  /** @type {PromiseWithResolvers<void>} */
  #connecting = withResolvers();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #onLoad = () => this.#loaded();

  /** @param {HTMLIFrameElement} iframe @param {string} origin @param {number} patience */
  constructor(iframe, origin, patience) {
    this.#iframe = iframe;
    this.#origin = origin;
    this.#patience = patience;
    iframe.addEventListener('load', this.#onLoad);
    // A lazy frame loads when it comes near the viewport, which may be never.
    if (iframe.loading !== 'lazy' || !this.#isEmpty()) this.#wait();
    if (!this.#isEmpty()) this.#sayHello();
  }

  connected() {
    return this.#connecting.promise;
  }

  /**
   * @param {{image: Blob, name?: string, deep?: boolean}} params
   * @param {{signal?: AbortSignal, onProgress?: (progress: any) => void}} options
   */
  async ask(params, { signal, onProgress }) {
    if (signal?.aborted) throw new AedrError('cancelled', 'cancelled');
    if (this.#closed) throw this.#closed;
    if (this.#waiting.size >= LIMITS.unanswered) throw problem('frame_busy', { most: LIMITS.unanswered });
    const id = ++this.#lastId;
    const { promise, resolve, reject } = withResolvers();
    this.#waiting.set(id, { resolve, reject, onProgress });
    const cancel = () => {
      if (this.#ready) this.#port?.postMessage({ type: 'cancel', id });
      reject(new AedrError('cancelled', 'cancelled'));
    };
    signal?.addEventListener('abort', cancel);
    try {
      // After a reload the frame may have to be connected first.
      await Promise.race([this.connected(), promise]);
      this.#port?.postMessage({ type: 'check', id, ...params });
      return await promise;
    } finally {
      signal?.removeEventListener('abort', cancel);
      this.#waiting.delete(id);
    }
  }

  reset() {
    if (this.#ready) this.#port?.postMessage({ type: 'reset' });
  }

  /** @param {Error} [reason] */
  close(reason = new AedrError('closed', 'the connection to the frame was closed')) {
    if (this.#closed) return;
    this.#closed = reason;
    this.#iframe.removeEventListener('load', this.#onLoad);
    clearTimeout(this.#timer);
    this.#port?.close();
    this.#rejectAll(reason);
    // Prevents an unhandled rejection where nobody waits for it.
    this.#connecting.promise.catch(() => {});
    this.#connecting.reject(reason);
    this.onEvent('close', { error: reason });
  }

  /** Whether the frame's own page has not begun to load: until then it has an empty document of this site. */
  #isEmpty() {
    return this.#iframe.contentDocument?.URL === 'about:blank' || !this.#iframe.contentWindow;
  }

  #wait() {
    clearTimeout(this.#timer);
    const end = () => this.close(problem('frame_silent', { origin: this.#origin }));
    this.#timer = setTimeout(end, this.#patience);
  }

  #loaded() {
    if (this.#isEmpty()) return;
    if (this.#ready && this.#stillLoading) {
      this.#stillLoading = false;
      return;
    }
    if (this.#ready) {
      this.#connecting = withResolvers();
      this.#rejectAll(problem('frame_reloaded'));
    }
    this.#wait();
    this.#sayHello();
  }

  #sayHello() {
    this.#port?.close();
    this.#ready = false;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.onmessage = ({ data }) => port1 === this.#port && !this.#closed && this.#hear(data);
    // Not every browser fires this event.
    port1.addEventListener('close', () => port1 === this.#port && this.#hungUp());
    const hello = { aedr: 'frame', version: VERSIONS.at(-1) };
    this.#iframe.contentWindow?.postMessage(hello, this.#origin, [port2]);
  }

  /** The page in the frame is gone; another may follow. */
  #hungUp() {
    if (!this.#ready || this.#closed) return;
    this.#ready = false;
    this.#stillLoading = false;
    this.#connecting = withResolvers();
    this.#rejectAll(problem('frame_reloaded'));
    this.#wait();
  }

  /** @param {unknown} data */
  #hear(data) {
    const heard = readEvent(data);
    if (!('value' in heard)) {
      this.#misfits += 1;
      if (this.#misfits > MOST_MISFITS) this.close(problem('frame_broken'));
      return;
    }
    const event = heard.value;
    if (event.type === 'ready') this.#begin(event);
    else if (event.type === 'error' && event.id === undefined) this.#complain(event);
    else if (!this.#ready) return;
    else if (event.type === 'resize' || event.type === 'busy') {
      const { type, ...detail } = event;
      this.onEvent(type, detail);
    } else this.#answered(event);
  }

  /** @param {{release: string, loaded: boolean}} event */
  #begin({ release, loaded }) {
    clearTimeout(this.#timer);
    this.#ready = true;
    this.#stillLoading = !loaded;
    this.release = release;
    this.#connecting.resolve();
  }

  /** An error of the connection as a whole. @param {{error: import('../internal/protocol.js').FrameError}} event */
  #complain({ error }) {
    // Something else in this page talks to the frame; or one of the two is not what the other thinks.
    this.close(fromPlain(error));
  }

  /** @param {any} event */
  #answered({ type, id, stage, fraction, record, error }) {
    const waiting = this.#waiting.get(id);
    if (!waiting) return;
    if (type === 'result') waiting.resolve(record);
    else if (type === 'error') waiting.reject(fromPlain(error));
    else waiting.onProgress?.(fraction === undefined ? { stage } : { stage, fraction });
  }

  /** @param {Error} reason */
  #rejectAll(reason) {
    for (const { reject } of this.#waiting.values()) reject(reason);
    this.#waiting.clear();
  }
}

/** @returns {{promise: Promise<any>, resolve: (value?: any) => void, reject: (reason: Error) => void}} */
function withResolvers() {
  /** @type {any} */
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}
