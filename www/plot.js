/**
 * Where an image's signal lies among those of images that belong to the model and of others, as a drawing: their
 * densities, below them the bands in which a signal means something, on one logarithmic scale.
 *
 * @typedef {import('./worker.js').Distribution} Distribution
 */

import { drawing, element } from './dom.js';
import { locale, plot as words } from './texts.js';

const WIDTH = 360;
const HEIGHT = 142;
const CURVES_TOP = 24;
const CURVES_BOTTOM = 94;
const BAR_TOP = 97;
const BAR_HEIGHT = 18;
/** A character of a label takes about this much. */
const CHARACTER = 7.2;
/** Signals beyond this many thresholds stand at the end of the scale. */
const FARTHEST = 40;

const DIGITS = new Intl.NumberFormat(locale, { maximumSignificantDigits: 3 });

/**
 * @param {{signal: number, threshold: number, uncertain: [number, number]}} evidence
 * @param {Distribution | null} distribution
 * @returns {HTMLElement} A figure.
 */
export function evidencePlot({ signal, threshold, uncertain: [from, to] }, distribution) {
  const { low, high } = range(signal, threshold, distribution);
  const at = (/** @type {number} */ value) =>
    Math.min(WIDTH, Math.max(0, (Math.log(value / low) / Math.log(high / low)) * WIDTH));
  const here = at(signal);
  const [signalText, thresholdText] = [DIGITS.format(signal), DIGITS.format(threshold)];
  const drawn = drawing(
    'svg',
    {
      class: 'plot',
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      role: 'img',
      'aria-label': words.label(signalText, thresholdText, standing(signal, from, to)),
    },
    ...(distribution ? curves(distribution, at) : []),
    band('zone-match', 0, at(from)),
    band('zone-unsure', at(from), at(to)),
    band('zone-none', at(to), WIDTH),
    ...zoneText('zone', 0, at(from), words.match),
    ...zoneText('zone unsure', at(from), at(to), words.unsure),
    ...zoneText('zone', at(to), WIDTH, words.none),
    drawing('path', { class: 'limit', d: `M${at(threshold)} ${BAR_TOP - 2}v${BAR_HEIGHT + 7}` }),
    drawing('path', { class: 'needle-line', d: `M${here} ${CURVES_TOP - 4}V${BAR_TOP + BAR_HEIGHT}` }),
    drawing('path', { class: 'needle', d: `M${here} ${BAR_TOP + 2}l-7 -12h14z` }),
    label('here', here, 14, words.here(signalText)),
    label('edge', at(threshold), HEIGHT - 4, words.threshold(thresholdText)),
  );
  return element('figure', { class: 'plot-figure' }, drawn, ...(distribution ? [key()] : []));
}

/** @param {number} signal @param {number} threshold @param {Distribution | null} distribution */
function range(signal, threshold, distribution) {
  const ends = distribution ? [distribution.signals[0], distribution.signals.at(-1) ?? threshold] : [];
  const inside = (/** @type {number} */ value) => Math.min(Math.max(value, threshold / FARTHEST), threshold * FARTHEST);
  return {
    low: inside(Math.min(signal / 1.15, threshold / 2, ...ends)),
    high: inside(Math.max(signal * 1.15, threshold * 2, ...ends)),
  };
}

/** Both densities, to one height. @param {Distribution} distribution @param {(value: number) => number} at */
function curves({ signals, belonging, others }, at) {
  const highest = Math.max(...belonging, ...others);
  const curve = (/** @type {string} */ name, /** @type {number[]} */ densities) => {
    const points = densities.map((density, index) => {
      // The root lets a wide distribution be seen beside a narrow one.
      const y = CURVES_BOTTOM - Math.sqrt(density / highest) * (CURVES_BOTTOM - CURVES_TOP);
      return `${at(signals[index]).toFixed(1)} ${y.toFixed(1)}`;
    });
    const start = `M${at(signals[0]).toFixed(1)} ${CURVES_BOTTOM}`;
    return drawing('path', { class: `curve ${name}`, d: `${start}L${points.join('L')}V${CURVES_BOTTOM}z` });
  };
  return [curve('others', others), curve('belonging', belonging)];
}

function key() {
  const entry = (/** @type {string} */ name, /** @type {string} */ text) =>
    element('span', { class: `key ${name}` }, text);
  return element('figcaption', { class: 'hint' }, entry('belonging', words.belonging), ' ', entry('others', words.others));
}

/** @param {string} name @param {number} from @param {number} to */
function band(name, from, to) {
  return drawing('rect', { class: name, x: from, y: BAR_TOP, width: Math.max(0, to - from), height: BAR_HEIGHT });
}

/** The word in a band, if it fits. @param {string} name @param {number} from @param {number} to @param {string} text */
function zoneText(name, from, to, text) {
  if (to - from < width(text) + 8) return [];
  return [drawing('text', { class: name, 'text-anchor': 'middle', x: (from + to) / 2, y: BAR_TOP + 13 }, text)];
}

/** Chinese characters are as wide as high. @param {string} text */
function width(text) {
  return [...text].reduce((sum, character) => sum + (character > '\u2e80' ? 12 : CHARACTER), 0);
}

/**
 * Centred on its mark, and kept inside.
 * @param {string} name @param {number} x @param {number} y @param {string} text
 */
function label(name, x, y, text) {
  const margin = width(text) / 2;
  return drawing('text', { class: name, x: Math.min(WIDTH - margin, Math.max(margin, x)), y }, text);
}

/** @param {number} signal @param {number} from @param {number} to */
function standing(signal, from, to) {
  if (signal < from) return words.match;
  return signal >= to ? words.none : words.unsure;
}
