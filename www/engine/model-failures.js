/**
 * Models that could not be asked, or could not answer.
 *
 * @typedef {import('./types.js').ModelFailure} ModelFailure
 */

/** Codes that a person can act on come first. */
const TELLING = ['engine_stopped', 'device_failed', 'image_too_small'];

/** As a record has it. @param {ModelFailure} failure */
export function failureRecord({ model, error: { code, message } }) {
  return { model: model.id, code, message };
}

/**
 * The error that stands for all when no model answered. If the image is too small for all models, it is the error
 * of the one that takes the smallest images.
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
