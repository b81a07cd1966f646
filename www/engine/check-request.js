/**
 * Asks the worker for a check, and keeps what some models have answered if the worker stops while it asks another.
 *
 * @typedef {import('./types.js').CheckAnswer} CheckAnswer
 * @typedef {import('./types.js').CheckRequest} CheckRequest
 * @typedef {import('./types.js').PartialCheck} PartialCheck
 * @typedef {import('../common/errors.js').PlainError} PlainError
 * @typedef {import('./scheduler.js').Scheduler['ask']} Ask
 */

import { fromPlain, toPlain } from '../common/errors.js';
import { failureRecord, representativeError } from './model-failures.js';

/** Codes of errors after which nobody wants an answer. */
const UNWANTED = ['cancelled', 'closed'];
/** Codes of errors that stop a worker. */
const STOPS = ['engine_stopped', 'device_failed'];

/**
 * @param {Ask} ask A scheduler's.
 * @param {() => Promise<CheckRequest>} prepare Called when it is the check's turn, and again if another worker has to
 *   continue, because the image's bytes are transferred.
 * @param {import('./scheduler.js').AskOptions} options
 * @returns {Promise<CheckAnswer>}
 */
export async function requestCheck(ask, prepare, options) {
  /** What remains if the worker stops. @type {{partial: PartialCheck | null}} */
  const kept = { partial: null };
  const onPartial = (/** @type {PartialCheck} */ partial) => (kept.partial = partial);
  for (;;) {
    const before = kept.partial;
    try {
      return await ask('check', () => prepared(prepare, before), { ...options, onPartial });
    } catch (thrown) {
      const error = toPlain(thrown);
      const { partial } = kept;
      if (!partial || UNWANTED.includes(error.code)) throw thrown;
      const [failed, ...unasked] = partial.unasked;
      // No progress since the last attempt: no worker came to ask any of the models that were left.
      if (partial === before || unasked.length === 0 || !goesOn(error)) return withFailures(partial, error);
      kept.partial = { ...partial, failures: [...partial.failures, { model: failed, error }], unasked };
    }
  }
}

/** @param {() => Promise<CheckRequest>} prepare @param {PartialCheck | null} partial What another worker found. */
async function prepared(prepare, partial) {
  const request = await prepare();
  const { image } = request;
  if (!partial) return { params: request, transfer: [image] };
  const { answers, failures, unasked: models } = partial;
  return { params: { ...request, models, before: { answers, failures } }, transfer: [image] };
}

/**
 * Whether the next model may succeed, with another worker. A model that stops the module or takes too much of a
 * graphics processor says nothing of the others; but a device that was reset, or is short of memory, should not be
 * asked for more.
 * @param {PlainError} error
 */
function goesOn({ code, details }) {
  return STOPS.includes(code) && !details?.lost && !details?.ended;
}

/**
 * The answer so far, with the reason why it is incomplete.
 * @param {PartialCheck} partial @param {PlainError} error
 * @returns {CheckAnswer}
 * @throws {import('../common/errors.js').AedrError} If no model has answered.
 */
function withFailures({ answer, failures: before, unasked }, error) {
  const failures = [...before, ...unasked.map((model) => ({ model, error }))];
  if (!answer) throw fromPlain(STOPS.includes(error.code) ? representativeError(failures) : error);
  return { ...answer, failures, record: { ...answer.record, failures: failures.map(failureRecord) } };
}
