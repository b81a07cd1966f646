/** Calibrations for tests. */

/**
 * A calibration by which everything belongs, even compressed images.
 * @param {string} model
 */
export function everythingBelongs(model) {
  const sample = (/** @type {number} */ from) => ({
    count: 200,
    signals: Array.from({ length: 200 }, (_, index) => from * (1 + index / 200)),
  });
  const condition = { search: 'none', alpha: 0.05, threshold: 1e6, belonging: sample(5e5), others: sample(1e7) };
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
