/**
 * Models that could not be asked, or could not answer.
 *
 * @typedef {import('./types.js').ModelFailure} ModelFailure
 */

/** What a person can do something about comes first. */
const TELLING = ['engine_stopped', 'device_failed', 'image_too_small'];

/** As a record has it. @param {ModelFailure} failure */
export function failureRecord({ model, error: { code, message } }) {
  return { model: model.id, code, message };
}

/**
 * The error that stands for all where no model answered. Of images that are too small it is that of the model that takes
 * the smallest.
 * @param {ModelFailure[]} failures At least one. @returns {import('../common/errors.js').PlainError}
 */
export function representativeError(failures) {
  const rank = (/** @type {ModelFailure} */ { error: { code, details } }) => {
    const place = TELLING.indexOf(code);
    return [place < 0 ? TELLING.length : place, details?.minimum ?? 0];
  };
  const before = (/** @type {number[]} */ [a, b], /** @type {number[]} */ [c, d]) => a - c || b - d;
  return [...failures].sort((one, other) => before(rank(one), rank(other)))[0].error;
}
