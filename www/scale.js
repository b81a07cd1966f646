/** The signal on a logarithmic scale beside its threshold, as a drawing. */

import { drawing } from './dom.js';
import { result as words } from './texts.js';

const WIDTH = 360;
const HEIGHT = 86;
const BAR_TOP = 36;
const BAR_HEIGHT = 24;
const BASELINE = BAR_TOP + 16;
/** A character of a label takes about this much. */
const CHARACTER = 7.4;
/** The share of the scale that the words in the first zone need. */
const ROOM = 0.24;
/** Signals beyond this many thresholds stand at the end of the scale. */
const FARTHEST = 20;

/**
 * @param {{signal: number, threshold: number, uncertain: {from: number, to: number} | null,
 *   signalText: string, thresholdText: string}} values
 */
export function signalScale({ signal, threshold, uncertain, signalText, thresholdText }) {
  const high = Math.min(Math.max(signal * 1.3, threshold * 2.5), threshold * FARTHEST);
  const first = Math.max(uncertain?.from ?? threshold, threshold / FARTHEST);
  // So that ln(first / low) is that share of ln(high / low).
  const roomy = (first / high ** ROOM) ** (1 / (1 - ROOM));
  const low = Math.max(Math.min(signal / 1.3, roomy), roomy / FARTHEST);
  const at = (/** @type {number} */ value) =>
    Math.min(WIDTH, Math.max(0, (Math.log(value / low) / Math.log(high / low)) * WIDTH));
  const bar = (/** @type {string} */ name, /** @type {number} */ from, /** @type {number} */ to) =>
    drawing('rect', { class: name, x: from, y: BAR_TOP, width: Math.max(0, to - from), height: BAR_HEIGHT });
  const zone = (/** @type {string} */ anchor, /** @type {number} */ x, /** @type {string} */ text) =>
    drawing('text', { class: 'zone', 'text-anchor': anchor, x, y: BASELINE }, text);
  const [from, to] = [at(uncertain?.from ?? threshold), at(uncertain?.to ?? threshold)];
  const [here, limit] = [at(signal), at(threshold)];
  return drawing(
    'svg',
    {
      class: 'scale',
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      role: 'img',
      'aria-label': words.scaleLabel(signalText, thresholdText),
    },
    bar('zone-match', 0, from),
    bar('zone-unsure', from, to),
    bar('zone-none', to, WIDTH),
    ...(from >= ROOM * WIDTH - 1 ? [zone('start', 8, words.scaleMatch)] : []),
    zone('end', WIDTH - 8, words.scaleNone),
    drawing('path', { class: 'limit', d: `M${limit} ${BAR_TOP}v${BAR_HEIGHT + 6}` }),
    drawing('path', { class: 'needle', d: `M${here} ${BAR_TOP + 3}l-8 -15h16z` }),
    label('here', here, 14, `${words.scaleHere} ${signalText}`),
    label('edge', limit, HEIGHT - 6, `${words.scaleThreshold} ${thresholdText}`),
  );
}

/**
 * Centred on its mark, and kept inside.
 * @param {string} name @param {number} x @param {number} y @param {string} text
 */
function label(name, x, y, text) {
  const margin = (text.length * CHARACTER) / 2;
  return drawing('text', { class: name, x: Math.min(WIDTH - margin, Math.max(margin, x)), y }, text);
}
