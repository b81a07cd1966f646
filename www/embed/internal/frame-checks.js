/**
 * The frame's checks, made by the element that readers see. Each image belongs to the reader or to the page around the
 * frame, and a result goes only to the owner of its image. The reader has priority: their own image stays until they
 * remove it, and the page's checks run unseen meanwhile.
 *
 * @typedef {import('./protocol.js').CheckRequest} CheckRequest
 * @typedef {import('./protocol.js').FrameEvent} FrameEvent
 * @typedef {import('./frame-embedder.js').Call} Call
 * @typedef {import('../public/index.js').CheckOptions} CheckOptions
 * @typedef {{image: File, call: Call, resolve: (record: any) => void, reject: (error: unknown) => void}} Asked
 *   What the embedder waits for.
 */

import { AedrError, toPlain } from '../../common/errors.js';
import { hostedModels } from '../../models/model-list.js';
import { chosenLocale, LOCALES } from '../../texts/locale.js';
import { byId } from '../../ui/dom.js';
import { createChecker } from '../public/checker.js';
import { textsIn } from './element-texts.js';
import { define } from './element.js';
import { View } from './frame-view.js';
import { problem } from './protocol.js';

/** How long the frame waits for a reader who wants to choose an image. */
const READER_PATIENCE_MS = 120_000;

/** @returns {Promise<FrameChecks>} */
export async function openFrameChecks() {
  const texts = await textsIn(frameLocale());
  document.documentElement.lang = texts.locale;
  document.title = texts.page.title;
  byId('unstarted').remove();
  define();
  return new FrameChecks(texts);
}

/** The language that the frame's address names, else the reader's. */
function frameLocale() {
  const asked = new URLSearchParams(location.search).get('locale') ?? '';
  return Object.hasOwn(LOCALES, asked) ? asked : chosenLocale();
}

class FrameChecks {
  #element;
  #view;
  #texts;
  /** @type {ReturnType<typeof createChecker> | null} */
  #checker = null;
  /** The embedder's request that is shown. @type {Asked | null} */
  #asked = null;
  /** Cancels the embedder's check that is not shown. @type {AbortController | null} */
  #unseen = null;
  /** All images that came from embedders. @type {WeakSet<Blob>} */
  #given = new WeakSet();
  /** Set while the reader has the frame. @type {{done: Promise<void>, end: () => void} | null} */
  #reader = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #readerTimer;
  /** @type {(event: FrameEvent) => void} */
  #tell = () => {};

  /** @param {import('./element-texts.js').Texts} texts */
  constructor(texts) {
    this.#texts = texts;
    const check = /** @type {import('./element.js').AedrCheck} */ (document.createElement('aedr-check'));
    this.#element = check;
    check.checker = { check: this.#checkImage.bind(this), close() {} };
    check.addEventListener('aedr-start', () => this.#asked || this.#readerStarts());
    for (const end of ['aedr-result', 'aedr-error']) check.addEventListener(end, () => this.#takeBack());
    this.#view = new View(byId('frame'), check, texts);
    this.#view.onOwn = () => this.#makeRoom();
    this.#view.onRemove = () => this.#removeOwn();
  }

  /** @param {(event: FrameEvent) => void} tell Whoever is connected. */
  onEvent(tell) {
    this.#tell = tell;
    this.#view.onHeight = (height) => tell({ type: 'resize', height });
  }

  /** Tells a new embedder the current state. */
  greet() {
    this.#view.tellHeight();
    if (this.#reader) this.#tell({ type: 'busy', busy: true });
  }

  /** An image of the embedder's. @param {CheckRequest} request @param {Call} call */
  async check({ image: blob, name = '', deep = false }, call) {
    // Waits, because a reader who is checking something is not interrupted.
    while (this.#reader && !call.signal.aborted) await Promise.race([this.#reader.done, aborted(call.signal)]);
    call.signal.throwIfAborted();
    // A new `File`, recognised later by its identity.
    const image = new File([blob], name, { type: blob.type });
    this.#given.add(image);
    return this.#view.owner === 'reader' ? this.#checkUnseen(image, deep, call) : this.#checkShown(image, deep, call);
  }

  /** @param {File} image @param {boolean} deep @param {Call} call */
  async #checkShown(image, deep, call) {
    const { signal } = call;
    const element = this.#element;
    const cancel = () => this.#asked?.image === image && element.cancel();
    signal.addEventListener('abort', cancel);
    /** @type {Promise<unknown>} */
    let shown = Promise.resolve();
    try {
      return await new Promise((resolve, reject) => {
        element.image = image;
        element.deep = deep;
        this.#view.show('embedder');
        this.#asked = { image, call, resolve, reject };
        shown = element.check();
        // The element may end the check before it calls the checker.
        shown.then(() => reject(new AedrError('internal', 'the check could not begin')));
      });
    } finally {
      signal.removeEventListener('abort', cancel);
      if (this.#asked?.image === image) this.#asked = null;
      // The answer must be visible before the next image replaces it.
      await shown;
    }
  }

  /** @param {File} image @param {boolean} deep @param {Call} call */
  async #checkUnseen(image, deep, { signal, onProgress }) {
    const controller = new AbortController();
    const cancel = () => controller.abort();
    this.#unseen = controller;
    signal.addEventListener('abort', cancel);
    try {
      return (await this.#check(image, { deep, onProgress, signal: controller.signal })).record;
    } catch (error) {
      // A request that the embedder cancelled has been answered already.
      throw controller.signal.aborted ? problem('frame_taken') : error;
    } finally {
      signal.removeEventListener('abort', cancel);
      this.#unseen = null;
    }
  }

  /** Takes the embedder's image away; the reader's stays. */
  reset() {
    if (this.#view.owner === 'embedder') this.#clear();
  }

  /** @param {unknown} thrown */
  localizedError(thrown) {
    const { code, message, advice } = this.#texts.localizedError(toPlain(thrown));
    return { code, message, advice };
  }

  #clear() {
    this.#element.image = null;
    this.#element.deep = false;
    this.#view.show('idle');
  }

  /** Called when the reader wants to choose an image in place of the embedder's. */
  #makeRoom() {
    this.#lend();
    this.#readerTimer = setTimeout(() => this.#takeBack(), READER_PATIENCE_MS);
    this.#asked?.reject(problem('frame_taken'));
    this.#asked = null;
    this.#clear();
    this.#focus();
  }

  /** Moves the focus, because the button that was pressed is gone. */
  #focus() {
    this.#element.shadowRoot?.querySelector('button')?.focus();
  }

  /** Takes the reader's image away. */
  #removeOwn() {
    this.#clear();
    this.#takeBack();
    this.#focus();
  }

  #readerStarts() {
    this.#lend();
    this.#unseen?.abort();
    // Before anything appears that the embedder could observe.
    if (this.#view.owner === 'idle') this.#view.show('reader');
  }

  #lend() {
    clearTimeout(this.#readerTimer);
    if (this.#reader) return;
    let end = () => {};
    /** @type {Promise<void>} */
    const done = new Promise((resolve) => (end = resolve));
    this.#reader = { done, end };
    this.#tell({ type: 'busy', busy: true });
  }

  #takeBack() {
    if (!this.#reader) return;
    this.#reader.end();
    this.#reader = null;
    this.#tell({ type: 'busy', busy: false });
  }

  /** The element's way to the checker. @param {Blob} image @param {CheckOptions} [options] */
  async #checkImage(image, options = {}) {
    options.signal?.throwIfAborted();
    const asked = this.#asked;
    if (asked?.image !== image) {
      // A reader may repeat the check of the embedder's image.
      this.#view.show(this.#given.has(image) ? 'embedder' : 'reader');
      return this.#check(image, options);
    }
    const onProgress = (/** @type {any} */ progress) => {
      options.onProgress?.(progress);
      asked.call.onProgress(progress);
    };
    try {
      const result = await this.#check(image, { ...options, onProgress });
      asked.resolve(result.record);
      return result;
    } catch (error) {
      asked.reject(error);
      throw error;
    }
  }

  /** @param {Blob} image @param {CheckOptions} options */
  async #check(image, options) {
    this.#checker ??= createChecker({}, { confined: true });
    // Only the host's models: those that a reader added on this site would reveal something about the reader.
    const models = (await hostedModels()).map(({ id, manifest = '', integrity }) => ({
      id,
      manifest,
      integrity: integrity?.manifest,
      calibrationIntegrity: integrity?.calibration,
    }));
    return this.#checker.check(image, { ...options, models });
  }
}

/** @param {AbortSignal} signal @returns {Promise<void>} */
function aborted(signal) {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
