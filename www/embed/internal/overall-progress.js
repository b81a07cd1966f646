/** The progress of a whole check, computed from the worker's reports on its stages. */

/** Where each stage ends, as a share of 1. A download happens once; a stage whose files are there is skipped. */
const PARTS = { waiting: 0, start: 0, program: 0.1, device: 0.1, decode: 0.1, weights: 0.2 };
const COMPUTING = PARTS.weights;

/**
 * Wraps a listener for the worker's progress: adds the overall share, which never decreases.
 * @param {(progress: import('../public/index.js').CheckProgress) => void} onProgress
 * @returns {(progress: any) => void}
 */
export function overallProgress(onProgress) {
  let furthest = 0;
  return (progress) => {
    furthest = Math.max(furthest, fractionOf(progress));
    onProgress({ ...progress, fraction: furthest });
  };
}

/** @param {{stage: string, fraction?: number, loaded?: number, total?: number | null}} progress */
function fractionOf({ stage, fraction, loaded, total }) {
  if (stage === 'done') return 1;
  if (stage === 'program') return PARTS.program * share(loaded, total);
  if (stage === 'weights') return PARTS.decode + (PARTS.weights - PARTS.decode) * share(loaded, total);
  if (fraction === undefined) return PARTS[/** @type {keyof typeof PARTS} */ (stage)] ?? 0;
  return COMPUTING + (1 - COMPUTING) * fraction;
}

/** @param {number | undefined} loaded @param {number | null | undefined} total */
const share = (loaded = 0, total) => (total ? Math.min(loaded / total, 1) : 0);
