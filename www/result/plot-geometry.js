/**
 * The geometry of the plot of an image's signal among those of measured images. The page's plot and the saved picture's
 * share it; it is in shares of the drawing's width and of the curves' height.
 *
 * @typedef {import('../engine/types.js').Distribution} Distribution
 * @typedef {'match' | 'unsure' | 'none'} ZoneName
 * @typedef {{name: ZoneName, from: number, to: number}} Zone Ends from 0 to 1.
 * @typedef {object} Geometry
 * @property {number} here The image's signal, 0 to 1 from the left.
 * @property {number} limit The threshold.
 * @property {Zone[]} zones In which a signal means something, from the left.
 * @property {ZoneName} standing The zone that the signal is in.
 * @property {{others: Point[], belonging: Point[]} | null} curves
 * @typedef {[x: number, y: number]} Point `y`: 0 on the axis, 1 at the highest point of both curves.
 */

/** Signals beyond this many thresholds are drawn at the end of the scale. */
const FARTHEST = 40;
/** Space beyond the outermost mark, as a factor. */
const MARGIN = 1.25;
/** The least share of the scale for the first zone: room for its word. */
const ROOM = 0.2;

/**
 * @param {{signal: number, threshold: number, uncertain: [number | null, number | null]}} evidence `uncertain`: null
 *   where no signal is low enough to match, or high enough not to.
 * @param {Distribution | null} distribution
 * @returns {Geometry}
 */
export function plotGeometry({ signal, threshold, uncertain: [from, to] }, distribution) {
  const [low, high] = extent({ signal, threshold, from, to }, distribution);
  const at = (/** @type {number} */ value) =>
    Math.min(1, Math.max(0, Math.log(value / low) / Math.log(high / low)));
  const [match, none] = [from === null ? 0 : at(from), to === null ? 1 : at(to)];
  return {
    here: at(signal),
    limit: at(threshold),
    zones: [
      { name: 'match', from: 0, to: match },
      { name: 'unsure', from: match, to: none },
      { name: 'none', from: none, to: 1 },
    ],
    standing: standing(signal, from, to),
    curves: distribution && curves(distribution, low, high, at),
  };
}

/**
 * The lowest and the highest signal on the scale.
 * @param {{signal: number, threshold: number, from: number | null, to: number | null}} marks
 * @param {Distribution | null} distribution
 * @returns {[number, number]}
 */
function extent({ signal, threshold, from, to }, distribution) {
  const marks = [signal, threshold, from ?? threshold, to ?? threshold];
  const ends = distribution ? [distribution.signals[0], distribution.signals[distribution.signals.length - 1]] : [];
  const high = Math.min(Math.max(...marks.map((mark) => mark * MARGIN), ...ends), threshold * FARTHEST);
  const low = Math.max(Math.min(...marks.map((mark) => mark / MARGIN), ...ends), threshold / FARTHEST);
  if (from === null) return [low, high];
  // So that ln(from / low) is at least that share of ln(high / low).
  return [Math.min(low, (from / high ** ROOM) ** (1 / (1 - ROOM))), high];
}

/** @param {number} signal @param {number | null} from @param {number | null} to @returns {ZoneName} */
function standing(signal, from, to) {
  if (from !== null && signal < from) return 'match';
  return to !== null && signal >= to ? 'none' : 'unsure';
}

/**
 * Both densities, scaled to the same height.
 * @param {Distribution} distribution @param {number} low @param {number} high @param {(value: number) => number} at
 */
function curves({ signals, belonging, others }, low, high, at) {
  const highest = Math.max(...belonging, ...others);
  const curve = (/** @type {number[]} */ densities) =>
    signals.flatMap((signal, index) => {
      if (signal < low || signal > high) return [];
      // The square root keeps a wide distribution visible beside a narrow one.
      return [/** @type {Point} */ ([at(signal), Math.sqrt(densities[index] / highest)])];
    });
  return { others: curve(others), belonging: curve(belonging) };
}
