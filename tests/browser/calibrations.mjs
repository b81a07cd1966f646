/** Calibrations for tests. */

/**
 * One by which everything belongs, also what is compressed.
 * @param {string} model
 */
export function everythingBelongs(model) {
  const condition = {
    threshold: 1e6,
    belonging: { count: 2, signals: [1, 2] },
    others: { count: 2, signals: [1e7, 2e7] },
  };
  return {
    format_version: 3,
    model,
    signal: 'paper',
    alpha: 0.05,
    minimum_side: 32,
    maximum_homogeneity: 1,
    source: 'a test',
    as_written: condition,
    jpeg: [{ quality: 1, condition }],
  };
}
