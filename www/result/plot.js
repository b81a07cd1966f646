/**
 * Where an image's signal lies among those of images that belong to the model and of others, as a drawing: their
 * densities, below them the bands in which a signal means something, on one logarithmic scale.
 *
 * @typedef {import('../engine/types.js').Distribution} Distribution
 */

import { locale, plot as words } from '../texts/catalogue.js';
import { drawing, element } from '../ui/dom.js';
import { plotGeometry } from './plot-geometry.js';

const WIDTH = 360;
const HEIGHT = 142;
const CURVES_TOP = 24;
const CURVES_BOTTOM = 94;
const BAR_TOP = 97;
const BAR_HEIGHT = 18;
/** The approximate width of a label's character. */
const CHARACTER = 7.2;

const DIGITS = new Intl.NumberFormat(locale, { maximumSignificantDigits: 3 });

/**
 * @param {{signal: number, threshold: number, uncertain: [number | null, number | null]}} evidence
 * @param {Distribution | null} distribution
 * @returns {HTMLElement} A figure.
 */
export function evidencePlot(evidence, distribution) {
  const { here, limit, zones, standing, curves } = plotGeometry(evidence, distribution);
  const [signalText, thresholdText] = [DIGITS.format(evidence.signal), DIGITS.format(evidence.threshold)];
  const [needle, edge] = [here * WIDTH, limit * WIDTH];
  const drawn = drawing(
    'svg',
    {
      class: 'plot',
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      role: 'img',
      'aria-label': words.label(signalText, thresholdText, words[standing]),
    },
    ...(curves ? [curve('others', curves.others), curve('belonging', curves.belonging)] : []),
    ...zones.map(band),
    ...zones.flatMap(zoneText),
    drawing('path', { class: 'limit', d: `M${edge} ${BAR_TOP - 2}v${BAR_HEIGHT + 7}` }),
    drawing('path', { class: 'needle-line', d: `M${needle} ${CURVES_TOP - 4}V${BAR_TOP + BAR_HEIGHT}` }),
    drawing('path', { class: 'needle', d: `M${needle} ${BAR_TOP + 2}l-7 -12h14z` }),
    label('here', needle, 14, words.here(signalText)),
    label('edge', edge, HEIGHT - 4, words.threshold(thresholdText)),
  );
  return element('figure', { class: 'plot-figure' }, drawn, ...(curves ? [key()] : []));
}

/** @param {string} name @param {import('./plot-geometry.js').Point[]} points */
function curve(name, points) {
  const place = (/** @type {import('./plot-geometry.js').Point} */ [x, y]) => `${(x * WIDTH).toFixed(1)} ${(CURVES_BOTTOM - y * (CURVES_BOTTOM - CURVES_TOP)).toFixed(1)}`;
  const [start, end] = [points[0], points[points.length - 1]].map((point) => ((point?.[0] ?? 0) * WIDTH).toFixed(1));
  const outline = points.map(place).join('L');
  const d = points.length > 1 ? `M${start} ${CURVES_BOTTOM}L${outline}L${end} ${CURVES_BOTTOM}z` : '';
  return drawing('path', { class: `curve ${name}`, d });
}

function key() {
  const entry = (/** @type {string} */ name, /** @type {string} */ text) =>
    element('span', { class: `key ${name}` }, text);
  return element('figcaption', { class: 'hint' }, entry('belonging', words.belonging), ' ', entry('others', words.others));
}

/** @typedef {import('./plot-geometry.js').Zone} Zone */

/** @param {Zone} zone */
function band({ name, from, to }) {
  return drawing('rect', { class: `zone-${name}`, x: from * WIDTH, y: BAR_TOP, width: (to - from) * WIDTH, height: BAR_HEIGHT });
}

/** The word in a zone, if it fits. @param {Zone} zone */
function zoneText({ name, from, to }) {
  const text = words[name];
  if ((to - from) * WIDTH < width(text) + 8) return [];
  const place = { x: ((from + to) / 2) * WIDTH, y: BAR_TOP + 13 };
  return [drawing('text', { class: `zone ${name}`, 'text-anchor': 'middle', ...place }, text)];
}

/** Chinese characters are as wide as they are high. @param {string} text */
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
