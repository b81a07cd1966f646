/**
 * The page's end of the channel to a worker: starts it when it is first needed, asks it, cancels, and replaces it when
 * it has stopped.
 *
 * @typedef {{resolve: (result: any) => void, reject: (error: Error) => void,
 *   onProgress: (progress: any) => void}} Waiting
 */

import { AedrError, fromPlain } from './errors.js';

/** How long a worker may take to honour a cancel before it is ended. */
const CANCEL_PATIENCE_MS = 2000;

export class Remote {
  #script;
  /** @type {Worker | null} */
  #worker = null;
  /** @type {Map<number, Waiting>} */
  #waiting = new Map();
  #lastId = 0;

  /** @param {URL} script */
  constructor(script) {
    this.#script = script;
  }

  /**
   * Asks for `method`. What `transfer` lists is handed over and empty afterwards.
   * @param {string} method @param {any} params @param {Transferable[]} transfer
   * @param {{signal: AbortSignal, onProgress: (progress: any) => void}} options
   * @returns {Promise<any>}
   */
  async ask(method, params, transfer, { signal, onProgress }) {
    signal.throwIfAborted();
    const worker = (this.#worker ??= this.#start());
    const id = ++this.#lastId;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let patience;
    const cancel = () => {
      worker.postMessage({ id, cancel: true });
      patience = setTimeout(() => this.#stop(new AedrError('cancelled', 'cancelled')), CANCEL_PATIENCE_MS);
    };
    signal.addEventListener('abort', cancel);
    try {
      return await new Promise((resolve, reject) => {
        this.#waiting.set(id, { resolve, reject, onProgress });
        worker.postMessage({ id, method, params }, transfer);
      });
    } finally {
      clearTimeout(patience);
      signal.removeEventListener('abort', cancel);
      this.#waiting.delete(id);
    }
  }

  #start() {
    const worker = new Worker(this.#script, { type: 'module' });
    worker.addEventListener('message', ({ data }) => {
      if (data.fatal) {
        this.#stop(fromPlain(data.fatal));
        return;
      }
      const waiting = this.#waiting.get(data.id);
      if (!waiting) return;
      if (data.progress) waiting.onProgress(data.progress);
      else if (data.error) this.#fail(waiting, data.error);
      else waiting.resolve(data.result);
    });
    worker.addEventListener('error', (event) => {
      // An error before the worker could listen has no message: its own files did not load.
      const { message } = event;
      const { pathname: file } = this.#script;
      this.#stop(
        message
          ? new AedrError('engine_stopped', message, '', { detail: message })
          : new AedrError('program_missing', `${file} could not be loaded`, '', { file }),
      );
    });
    return worker;
  }

  /** @param {Waiting} waiting @param {import('./errors.js').PlainError} error */
  #fail(waiting, error) {
    waiting.reject(fromPlain(error));
    // After a trap the module's memory cannot be trusted, and a failed import may be remembered.
    if (error.code === 'engine_stopped' || error.code === 'program_missing') this.#stop(fromPlain(error));
  }

  /** Ends the worker; the next check starts a new one. @param {Error} reason */
  #stop(reason) {
    this.#worker?.terminate();
    this.#worker = null;
    for (const { reject } of this.#waiting.values()) reject(reason);
    this.#waiting.clear();
  }
}
