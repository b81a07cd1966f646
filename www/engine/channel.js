/**
 * The worker's end of the one channel between page and worker. The page’s end is `scheduler.js`, which asks for one thing
 * at a time.
 *
 * To the worker: `{id, method, params}` asks, `{id, cancel: true}` asks to stop.
 * From the worker: `{lock}` once, the name of the lock that it holds while it lives; `{id, progress}` and
 * `{id, partial}` any number of times, then `{id, result}` or `{id, error}`; `{fatal}` once if the worker can do no
 * more. `partial` is what would remain if it stopped now. With `last`, a result is the worker's last: another has to take the next request.
 *
 * @typedef {import('../common/errors.js').PlainError} PlainError
 * @typedef {{id: number, method: string, params: any} | {id: number, cancel: true}} ToWorker
 * @typedef {{id: number, progress: any} | {id: number, partial: any} | {id: number, result: any, last: boolean}
 *   | {id: number, error: PlainError} | {lock: string} | {fatal: PlainError}} FromWorker
 * @typedef {{signal: AbortSignal, progress: (value: any) => void}} CallContext
 * @typedef {CallContext & {partial: (value: any) => void, retire: () => void}} AnswerContext `partial` tells what is
 *   known so far. `retire`: the worker can do no more after this answer.
 */

import { AedrError, toPlain } from '../common/errors.js';
import { holdWorkerLock } from './worker-lock.js';

/**
 * Answers requests with `methods`, one after the other in the order they came.
 * @param {any} scope The worker's global scope, which the page's types do not know.
 * @param {Record<string, (params: any, context: AnswerContext) => Promise<any>>} methods
 * @returns {(error: unknown) => void} Tells that the worker can do no more, and why.
 */
export function answer(scope, methods) {
  /** @type {Map<number, AbortController>} */
  const running = new Map();
  let previous = Promise.resolve();
  const post = (/** @type {FromWorker} */ message) => scope.postMessage(message);

  scope.addEventListener('message', (/** @type {MessageEvent} */ { data }) => {
    if (data.cancel) {
      running.get(data.id)?.abort();
      return;
    }
    const { id, method, params } = data;
    const controller = new AbortController();
    running.set(id, controller);
    previous = previous.then(async () => {
      try {
        controller.signal.throwIfAborted();
        const handler = methods[method];
        if (!handler) throw new AedrError('internal', `no method is called ${method}`);
        let last = false;
        /** @type {AnswerContext} */
        const context = {
          signal: controller.signal,
          progress: (value) => post({ id, progress: value }),
          partial: (value) => post({ id, partial: value }),
          retire: () => (last = true),
        };
        const result = await handler(params, context);
        post({ id, result, last });
      } catch (thrown) {
        post({ id, error: toPlain(thrown) });
      } finally {
        running.delete(id);
      }
    });
  });

  // A trap inside WebAssembly's own promises rejects nobody's promise: the request would never end.
  const stopped = (/** @type {unknown} */ thrown) =>
    post({ fatal: { ...toPlain(thrown), code: 'engine_stopped' } });
  scope.addEventListener('error', (/** @type {ErrorEvent} */ event) => stopped(event.error ?? event.message));
  scope.addEventListener('unhandledrejection', (/** @type {PromiseRejectionEvent} */ event) => stopped(event.reason));
  holdWorkerLock((lock) => post({ lock }));
  return (error) => post({ fatal: toPlain(error) });
}
