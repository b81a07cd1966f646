/** Calibrations for tests. */

/**
 * A calibration by which everything belongs, even compressed images, except that the orientation control of an image of 64
 * pixels or more may speak against it.
 * @param {string} model
 */
export const everythingBelongs = (model) => around(model, 1e6);

/** A calibration by which nothing belongs. @param {string} model */
export const nothingBelongs = (model) => around(model, 1e-6);

/** @param {string} model @param {number} threshold */
function around(model, threshold) {
  const sample = (/** @type {number} */ from) => ({
    count: 200,
    signals: Array.from({ length: 200 }, (_, index) => from * (1 + index / 200)),
  });
  const condition = { search: 'none', alpha: 0.05, threshold, belonging: sample(threshold / 2), others: sample(10 * threshold) };
  return {
    format_version: 4,
    model,
    signal: 'paper',
    minimum_side: 32,
    maximum_homogeneity: 1,
    source: 'a test',
    conditions: [
      { compression: { jpeg: 1 }, ...condition },
      { compression: 'lossless', ...condition },
    ],
  };
}
