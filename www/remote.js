/**
 * The page's end of the channel to a worker: starts it when it is first needed, asks it, cancels, and replaces it when
 * it has stopped.
 *
 * @typedef {{resolve: (result: any) => void, reject: (error: Error) => void,
 *   onProgress: (progress: any) => void}} Waiting
 */

import { watchLife } from './alive.js';
import { AedrError, fromPlain } from './errors.js';
import { addressOf, startWorker } from './starting.js';

/** How long a worker may take to honour a cancel before it is ended. */
const CANCEL_PATIENCE_MS = 2000;
/**
 * After these a worker is of no more use: a module that trapped cannot be trusted, a failed import may be remembered,
 * and a module opens one graphics device in its life.
 */
const LAST_ERRORS = ['engine_stopped', 'program_missing', 'device_failed'];

export class Remote {
  #script;
  /** @type {Worker | null} */
  #worker = null;
  /** Stops watching whether it lives. @type {(() => void) | null} */
  #unwatch = null;
  /** @type {Map<number, Waiting>} */
  #waiting = new Map();
  #lastId = 0;

  /** @param {import('./starting.js').ScriptAddress} script */
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

  /** Ends the worker and whatever was asked of it. @param {Error} reason */
  close(reason) {
    this.#stop(reason);
  }

  #start() {
    const worker = startWorker(this.#script);
    worker.addEventListener('message', ({ data }) => {
      if (data.fatal) {
        this.#stop(fromPlain(data.fatal));
        return;
      }
      if (data.alive) {
        this.#unwatch = watchLife(data.alive, () => this.#stop(ended()));
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
      const { pathname: file } = addressOf(this.#script);
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
    if (LAST_ERRORS.includes(error.code)) this.#stop(fromPlain(error));
  }

  /** Ends the worker; the next check starts a new one. @param {Error} reason */
  #stop(reason) {
    this.#unwatch?.();
    this.#worker?.terminate();
    this.#worker = this.#unwatch = null;
    for (const { reject } of this.#waiting.values()) reject(reason);
    this.#waiting.clear();
  }
}

/** The browser ended the worker. */
function ended() {
  const message = 'the browser ended it, perhaps because this device ran short of memory';
  return new AedrError('engine_stopped', message, '', { ended: true });
}
