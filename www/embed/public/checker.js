/**
 * Checks images for other programs: each checker has its own worker, checks run one after another, nothing is global.
 *
 * @typedef {import('./index.js').CheckerOptions} CheckerOptions
 * @typedef {import('./index.js').CheckOptions} CheckOptions
 * @typedef {import('./index.js').CheckResult} CheckResult
 */

import { AedrError, fromPlain, toPlain } from '../../common/errors.js';
import { MAX_FILE_BYTES } from '../../common/limits.js';
import { requestCheck } from '../../engine/check-request.js';
import { Scheduler } from '../../engine/scheduler.js';
import { askedModels, badOption, checkerOptions } from '../internal/options.js';
import { overallProgress } from '../internal/overall-progress.js';

export { AedrError };

/**
 * Starts nothing: the worker starts with the first check.
 * @param {CheckerOptions} [options]
 * @param {ConstructorParameters<typeof Scheduler>[1]} [scheduling] For aedr's own frame: its host may send no policies.
 * @throws {AedrError} bad_options, program_missing
 */
export function createChecker(options, scheduling) {
  return new Checker(options, scheduling);
}

class Checker {
  #options;
  #scheduler;
  /** Ends each check that is not done. @type {Set<AbortController>} */
  #unfinished = new Set();
  #closed = false;

  /** @param {CheckerOptions} [options] @param {ConstructorParameters<typeof Scheduler>[1]} [scheduling] */
  constructor(options = {}, scheduling = {}) {
    this.#options = checkerOptions(options);
    this.#scheduler = new Scheduler(this.#options.worker, scheduling);
  }

  /**
   * @param {Blob} image @param {CheckOptions} [options]
   * @returns {Promise<CheckResult>} Rejects with an `AedrError` only.
   */
  async check(image, options = {}) {
    if (this.#closed) throw closed();
    if (!(image instanceof Blob)) throw badOption('image', 'it is no Blob or File');
    const { signal, onProgress = () => {} } = options;
    const models = askedModels(options.models, this.#options.models);
    const controller = new AbortController();
    const cancel = () => controller.abort(new AedrError('cancelled', 'cancelled'));
    if (signal?.aborted) cancel();
    signal?.addEventListener('abort', cancel);
    this.#unfinished.add(controller);
    const report = overallProgress(onProgress);
    try {
      const turn = this.#run(image, models, options, { signal: controller.signal, onProgress: report });
      const result = await Promise.race([turn, ended(controller.signal)]);
      report({ stage: 'done' });
      return result;
    } catch (thrown) {
      throw fromPlain(toPlain(thrown));
    } finally {
      signal?.removeEventListener('abort', cancel);
      this.#unfinished.delete(controller);
    }
  }

  /** Ends the worker. Checks that are not done reject with `closed`. */
  close() {
    this.#closed = true;
    for (const controller of this.#unfinished) controller.abort(closed());
    this.#scheduler.close(closed());
  }

  /**
   * @param {Blob} image @param {import('../../engine/types.js').ModelAddress[]} models @param {CheckOptions} options
   * @param {{signal: AbortSignal, onProgress: (progress: any) => void}} call
   */
  async #run(image, models, { deep = false, name = /** @type {File} */ (image).name ?? '' }, call) {
    const { device: preference, parts } = this.#options;
    const prepare = async () => {
      call.onProgress({ stage: 'start' });
      const bytes = await bytesOf(image);
      return { image: bytes, name: String(name), models, preference, deep: Boolean(deep), parts };
    };
    const onWait = () => call.onProgress({ stage: 'waiting' });
    const ask = this.#scheduler.ask.bind(this.#scheduler);
    return resultOf(await requestCheck(ask, prepare, { ...call, onWait }), models);
  }
}

/** @param {Blob} image */
async function bytesOf(image) {
  if (image.size > MAX_FILE_BYTES) {
    const message = `the image has ${image.size} bytes; at most ${MAX_FILE_BYTES} can be checked`;
    const advice = 'Use a copy in another format, converted without resizing.';
    throw new AedrError('file_too_large', message, advice, { bytes: image.size, limit: MAX_FILE_BYTES });
  }
  return image.arrayBuffer().catch((error) => {
    // The file was moved or changed after it was chosen.
    const message = `the image could not be read: ${error.message}`;
    throw new AedrError('unreadable_file', message, 'Choose the file again.', { detail: error.message });
  });
}

/**
 * @param {import('../../engine/types.js').CheckAnswer} answer @param {import('../../engine/types.js').ModelAddress[]} models
 * @returns {CheckResult}
 */
function resultOf({ answers, ranking, record, claims, failures, device, seconds }, models) {
  const names = new Map(models.map(({ id, name }) => [id, name]));
  const reports = answers.map(({ report }) => {
    const name = names.get(report.model.id) ?? report.model.name;
    return { ...report, model: { ...report.model, name } };
  });
  const failed = failures.map(({ model, error }) => ({ model: model.id, ...error }));
  return { outcome: ranking.outcome, ranking, reports, record, claims, failures: failed, device, seconds };
}

/** @param {AbortSignal} signal @returns {Promise<never>} */
function ended(signal) {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason));
  });
}

function closed() {
  return new AedrError('closed', 'this checker was closed', 'Make another with createChecker.', {});
}
