/**
 * The page's end of the channel to a worker. It owns the worker: starts it when it is first needed, sends it one
 * request at a time, and replaces it when it has stopped. Requests wait on the page's side: they can be cancelled
 * without the worker, and continue with a new one.
 *
 * @typedef {{params: any, transfer?: Transferable[]}} Prepared What `transfer` lists is handed over and empty afterwards.
 * @typedef {object} AskOptions
 * @property {AbortSignal} signal
 * @property {(progress: any) => void} onProgress
 * @property {number} [priority] One of `PRIORITY`.
 * @property {() => void} [onWait] Called at once if other requests go first.
 * @property {(partial: any) => void} [onPartial] Gets what would remain if the worker stopped now.
 * @typedef {object} Request
 * @property {number} id
 * @property {string} method
 * @property {() => Prepared | Promise<Prepared>} prepare
 * @property {number} priority
 * @property {(progress: any) => void} onProgress
 * @property {(partial: any) => void} onPartial
 * @property {boolean} sent Whether the worker has it.
 * @property {ReturnType<typeof setTimeout> | undefined} patience Runs out if the worker does not answer a cancel.
 * @property {() => void} forget Stops listening to its signal.
 * @property {(result: any) => void} resolve
 * @property {(error: unknown) => void} reject
 */

import { AedrError, fromPlain } from '../common/errors.js';
import { hasOwnPolicy, notLoaded, startWorker } from './start-worker.js';
import { watchWorkerLock } from './worker-lock.js';

/** The request with the lower number goes first; among equals, the earlier one. */
export const PRIORITY = {
  /** A person waits for this one answer. */
  check: 0,
  /** One of many, in the background. */
  background: 1,
};

/** How long a worker may take to respond to a cancel before it is terminated. */
const CANCEL_PATIENCE_MS = 2000;
/**
 * After these errors a worker is of no more use: a module that trapped cannot be trusted, a browser may remember a
 * failed import, and a module opens one graphics device in its life.
 */
const LAST_ERRORS = ['engine_stopped', 'program_missing', 'device_failed'];

export class Scheduler {
  #script;
  #confined;
  #onUnconfined;
  /** Whether the worker has to inherit the page's policy; null until that is known. @type {boolean | null} */
  #inheriting = null;
  /** @type {Worker | null} */
  #worker = null;
  /** Stops watching for the worker's end. @type {(() => void) | null} */
  #unwatch = null;
  /** In the order in which they will be sent. @type {Request[]} */
  #waiting = [];
  /** The one whose turn it is. @type {Request | null} */
  #running = null;
  #lastId = 0;
  /** Why nothing more can be asked. @type {Error | null} */
  #closed = null;

  /**
   * @param {import('./types.js').ScriptAddress} script What the worker runs.
   * @param {{confined?: boolean, onUnconfined?: () => void}} [options] `confined`: where the host sends no policy with the
   *   script, the page's own holds for the worker. `onUnconfined`: none does, because a policy of the host forbids that.
   */
  constructor(script, { confined = false, onUnconfined = () => {} } = {}) {
    this.#script = script;
    this.#confined = confined;
    this.#onUnconfined = onUnconfined;
  }

  /**
   * Asks the worker for `method`.
   * @param {string} method
   * @param {Request['prepare']} prepare Gives the parameters when it is the request's turn: what waits need not be read yet.
   * @param {AskOptions} options
   * @returns {Promise<any>} Rejects with `cancelled` once its signal is aborted: at once while it waits, and else when the
   *   worker has stopped.
   */
  async ask(method, prepare, { signal, onProgress, onWait, onPartial = () => {}, priority = PRIORITY.check }) {
    if (this.#closed) throw this.#closed;
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      /** @type {Request} */
      const request = {
        id: ++this.#lastId,
        ...{ method, prepare, priority, onProgress, onPartial, resolve, reject },
        sent: false,
        patience: undefined,
        forget: () => signal.removeEventListener('abort', cancel),
      };
      const cancel = () => this.#cancel(request);
      signal.addEventListener('abort', cancel);
      const after = this.#waiting.findIndex((other) => other.priority > priority);
      this.#waiting.splice(after < 0 ? this.#waiting.length : after, 0, request);
      this.#next();
      if (request !== this.#running) onWait?.();
    });
  }

  /** Terminates the worker and rejects all requests, for good. @param {Error} reason */
  close(reason) {
    this.#closed = reason;
    this.#discard();
    for (const request of [...this.#waiting, ...(this.#running ? [this.#running] : [])]) {
      this.#end(request, () => request.reject(reason));
    }
  }

  #next() {
    if (!this.#running) this.#running = this.#waiting.shift() ?? null;
    else return;
    if (this.#running) this.#send(this.#running);
  }

  /** @param {Request} request The one whose turn it is. */
  async #send(request) {
    try {
      this.#inheriting ??= this.#confined && !(await hasOwnPolicy(this.#script));
      const { params, transfer = [] } = await request.prepare();
      // The request was cancelled meanwhile.
      if (request !== this.#running) return;
      this.#worker ??= this.#start(this.#inheriting);
      const { id, method } = request;
      this.#worker.postMessage({ id, method, params }, transfer);
      request.sent = true;
    } catch (thrown) {
      this.#end(request, () => request.reject(thrown));
    }
  }

  /** @param {Request} request */
  #cancel(request) {
    const cancelled = new AedrError('cancelled', 'cancelled');
    if (!request.sent) {
      this.#end(request, () => request.reject(cancelled));
      return;
    }
    this.#worker?.postMessage({ id: request.id, cancel: true });
    request.patience = setTimeout(() => this.#stop(cancelled), CANCEL_PATIENCE_MS);
  }

  /** Finishes a request, whatever its result. @param {Request} request @param {() => void} settle */
  #end(request, settle) {
    clearTimeout(request.patience);
    request.forget();
    if (request === this.#running) this.#running = null;
    else this.#waiting = this.#waiting.filter((other) => other !== request);
    settle();
    this.#next();
  }

  /** @param {boolean} inheriting */
  #start(inheriting) {
    const worker = startWorker(this.#script, { inheriting });
    let heard = false;
    worker.addEventListener('message', ({ data }) => {
      heard = true;
      if (worker === this.#worker) this.#hear(data);
    });
    worker.addEventListener('error', (event) => {
      if (worker !== this.#worker) return;
      // An error before the worker could listen has no message: its own files did not load, or were not allowed to.
      const { message } = event;
      if (inheriting && !message && !heard) return this.#startPlainly();
      this.#stop(
        message ? new AedrError('engine_stopped', message, '', { detail: message }) : notLoaded(this.#script),
      );
    });
    return worker;
  }

  /** Starts the worker from its own address, because a policy forbids `blob:` scripts. */
  #startPlainly() {
    this.#discard();
    this.#inheriting = false;
    this.#onUnconfined();
    if (!this.#running) return;
    this.#running.sent = false;
    this.#send(this.#running);
  }

  /** @param {any} data A message `FromWorker` (`channel.js`). */
  #hear(data) {
    if (data.fatal) return this.#stop(fromPlain(data.fatal));
    if (data.lock) {
      this.#unwatch = watchWorkerLock(data.lock, () => this.#stop(ended()));
      return;
    }
    const request = this.#running;
    if (data.id !== request?.id || !request) return;
    if (data.progress) return request.onProgress(data.progress);
    if (data.partial) return request.onPartial(data.partial);
    // The next request must not meet a worker that can do no more.
    if (data.last || LAST_ERRORS.includes(data.error?.code)) this.#discard();
    this.#end(request, () => (data.error ? request.reject(fromPlain(data.error)) : request.resolve(data.result)));
  }

  /** The worker can do no more. What it was doing ends with it; what waits goes on with another. @param {Error} reason */
  #stop(reason) {
    this.#discard();
    const request = this.#running;
    if (request?.sent) this.#end(request, () => request.reject(reason));
  }

  /** Ends the worker; the next request starts another. */
  #discard() {
    this.#unwatch?.();
    this.#worker?.terminate();
    this.#worker = this.#unwatch = null;
  }
}

/** The browser ended the worker. */
function ended() {
  const message = 'the browser ended it, perhaps because this device ran short of memory';
  return new AedrError('engine_stopped', message, '', { ended: true });
}
