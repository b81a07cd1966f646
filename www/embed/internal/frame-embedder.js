/**
 * The connection to the page around the frame, over one channel. It validates, queues and answers that page's requests;
 * every valid request gets an answer.
 *
 * @typedef {import('./protocol.js').CheckRequest} CheckRequest
 * @typedef {{signal: AbortSignal, onProgress: (progress: {stage: string, fraction?: number}) => void}} Call
 * @typedef {object} FrameChecks Where checks are made.
 * @property {(request: CheckRequest, call: Call) => Promise<Record<string, any>>} check Gives the report.
 * @property {() => void} reset Takes the embedder's image away.
 * @property {(error: unknown) => import('./protocol.js').FrameError} localizedError In the reader's language.
 */

import { AedrError } from '../../common/errors.js';
import { Allowance, LIMITS, problem, readRequest } from './protocol.js';

export class Embedder {
  #port;
  #checks;
  #allowance = new Allowance(performance.now());
  /** Checks without an answer yet. @type {Map<number, AbortController>} */
  #unanswered = new Map();
  /** Settles with the previous check. */
  #previous = Promise.resolve();
  #gone = false;

  /** @param {MessagePort} port @param {FrameChecks} checks */
  constructor(port, checks) {
    this.#port = port;
    this.#checks = checks;
    port.onmessage = ({ data }) => this.#hear(data);
    // Where browsers fire `close` on a port: nobody waits for the answers any more.
    port.addEventListener('close', () => this.leave());
  }

  /** @param {import('./protocol.js').FrameEvent} event */
  tell(event) {
    if (!this.#gone) this.#port.postMessage(event);
  }

  /** Cancels its checks and closes the channel. @param {AedrError} [why] Is sent first. */
  leave(why) {
    if (this.#gone) return;
    if (why) this.tell({ type: 'error', error: this.#checks.localizedError(why) });
    this.#gone = true;
    this.#port.close();
    this.#cancelAll();
  }

  /** @param {unknown} data */
  #hear(data) {
    if (this.#gone) return;
    if (!this.#allowance.spend(performance.now())) return this.leave(problem('frame_flooded'));
    const heard = readRequest(data);
    if (!('value' in heard)) return this.#fail(problem('bad_message', { why: heard.why }), heard.id);
    const request = heard.value;
    if (request.type === 'check') this.#take(request);
    else if (request.type === 'cancel') this.#unanswered.get(request.id)?.abort();
    else {
      this.#cancelAll();
      this.#checks.reset();
    }
  }

  /** @param {CheckRequest} request */
  #take(request) {
    const { id } = request;
    // An answer with this id would be taken for the other request's.
    if (this.#unanswered.has(id)) return this.#fail(problem('bad_message', { why: '“id” is that of another check' }));
    if (this.#unanswered.size >= LIMITS.unanswered) {
      return this.#fail(problem('frame_busy', { most: LIMITS.unanswered }), id);
    }
    const controller = new AbortController();
    const { signal } = controller;
    this.#unanswered.set(id, controller);
    const finish = (/** @type {() => void} */ tell) => {
      // A cancelled request has been answered already.
      if (this.#unanswered.get(id) !== controller) return;
      this.#unanswered.delete(id);
      tell();
    };
    signal.addEventListener('abort', () => finish(() => this.#fail(new AedrError('cancelled', 'cancelled'), id)));
    const onProgress = (/** @type {any} */ { stage, fraction }) => {
      if (this.#unanswered.get(id) === controller) this.tell({ type: 'progress', id, stage, fraction });
    };
    this.#previous = this.#previous.then(async () => {
      if (signal.aborted) return;
      try {
        const record = await this.#checks.check(request, { signal, onProgress });
        finish(() => this.tell({ type: 'result', id, record }));
      } catch (error) {
        finish(() => this.#fail(error, id));
      }
    });
  }

  /** @param {unknown} error @param {number} [id] Of the check that it ends. */
  #fail(error, id) {
    this.tell({ type: 'error', ...(id !== undefined && { id }), error: this.#checks.localizedError(error) });
  }

  #cancelAll() {
    for (const controller of [...this.#unanswered.values()]) controller.abort();
  }
}
