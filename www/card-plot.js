/**
 * Where a signal lies, for the report's picture: zones on a logarithmic scale, and above them how common signals are
 * among images of both kinds, if that is known.
 *
 * @typedef {import('./card-type.js').Type} Type
 * @typedef {{signals: number[], belonging: number[], others: number[]}} Distribution Densities over ln of the signal.
 * @typedef {object} Plot
 * @property {number} signal
 * @property {number} threshold
 * @property {[number, number]} uncertain
 * @property {Distribution | null} distribution
 * @property {Record<'here' | 'limit' | 'match' | 'unsure' | 'none' | 'belonging' | 'others', string>} words `here` and
 *   `limit` with their numbers.
 */

import { drawable, INKS, round, textLine, widthOf } from './card-type.js';

const CURVES = 120;
const BAR = 46;
/** Signals beyond this many thresholds stand at the end of the scale. */
const FARTHEST = 40;
/** The share of the scale that the first zone has at least. */
const ROOM = 0.2;

/**
 * @param {Plot} plot @param {{x: number, y: number, width: number}} box
 * @param {{strong: Type, small: Type, zone: Type}} types
 */
export function plotDrawing(plot, { x, y, width }, types) {
  const { signal, threshold, uncertain, distribution, words } = plot;
  const [low, high] = extent(plot);
  const at = (/** @type {number} */ value) => {
    const part = Math.log(value / low) / Math.log(high / low);
    return x + Math.min(1, Math.max(0, part)) * width;
  };
  const bar = y + 40 + (distribution ? CURVES : 16);
  const [from, to, here, limit] = [uncertain[0], uncertain[1], signal, threshold].map(at);
  const curves = distribution ? curvesDrawing(distribution, { at, low, high, bottom: bar }) : '';
  const zones = /** @type {[number, number, string, string][]} */ ([
    [x, from, INKS.first, words.match],
    [from, to, INKS.unsure, words.unsure],
    [to, x + width, INKS.second, words.none],
  ]).map((zone) => zoneDrawing(zone, bar, types.zone));
  const below = bar + BAR;
  const hint = legend(words, distribution !== null, { x, y: below + 68 }, types.small);
  const svg = [
    curves,
    ...zones,
    `<path stroke="${INKS.ink}" stroke-width="3" d="M${round(limit)} ${bar}V${below + 10}"/>`,
    `<path stroke="${INKS.ink}" stroke-width="3" d="M${round(here)} ${y + 36}V${bar - 8}"/>`,
    `<path fill="${INKS.ink}" stroke="${INKS.sheet}" stroke-width="2" d="M${round(here)} ${bar + 2}l-12 -22h24z"/>`,
    centred(words.here, types.strong, { x, width, at: here, y: y + 24, fill: INKS.ink }),
    centred(words.limit, types.small, { x, width, at: limit, y: below + 34, fill: INKS.quiet }),
    hint.svg,
  ];
  return { svg: svg.join(''), height: below + 44 - y + hint.height };
}

/** The lowest and the highest signal on the scale. @param {Plot} plot @returns {[number, number]} */
function extent({ signal, threshold, uncertain: [from, to], distribution }) {
  const values = [signal / 1.25, signal * 1.25, from / 1.5, to * 1.8];
  if (distribution) values.push(distribution.signals[0], distribution.signals[distribution.signals.length - 1]);
  const high = Math.min(Math.max(...values), threshold * FARTHEST);
  const low = Math.max(Math.min(...values), threshold / FARTHEST);
  // So that ln(from / low) is at least that share of ln(high / low), for the word in the first zone.
  const roomy = (from / high ** ROOM) ** (1 / (1 - ROOM));
  return [Math.min(low, roomy), high];
}

/**
 * @param {Distribution} distribution
 * @param {{at: (value: number) => number, low: number, high: number, bottom: number}} scale
 */
function curvesDrawing({ signals, belonging, others }, { at, low, high, bottom }) {
  const highest = Math.max(...belonging, ...others);
  const curve = (/** @type {number[]} */ densities, /** @type {string} */ ink) => {
    const points = signals.flatMap((signal, index) =>
      // The root lets a wide distribution be seen beside a narrow one.
      signal >= low && signal <= high ? [[at(signal), bottom - Math.sqrt(densities[index] / highest) * CURVES]] : [],
    );
    if (points.length < 2) return '';
    const outline = points.map(([x, y]) => `${round(x)} ${round(y)}`).join('L');
    const [first, last] = [points[0][0], points[points.length - 1][0]];
    return (
      `<path fill="${ink}" fill-opacity="0.2" d="M${round(first)} ${bottom}L${outline}L${round(last)} ${bottom}z"/>` +
      `<path fill="none" stroke="${ink}" stroke-width="3" stroke-linejoin="round" d="M${outline}"/>`
    );
  };
  return curve(others, INKS.second) + curve(belonging, INKS.first);
}

/**
 * A zone with its word, if there is room.
 * @param {[from: number, to: number, ink: string, word: string]} zone @param {number} y @param {Type} type
 */
function zoneDrawing([from, to, ink, word], y, type) {
  if (to - from < 0.5) return '';
  const known = drawable(word, type.faces);
  const baseline = y + BAR / 2 + type.size * 0.36;
  const fits = widthOf(known, type) < to - from - 24;
  const label = { x: (from + to) / 2, y: baseline, fill: INKS.sheet, anchor: /** @type {const} */ ('middle') };
  const area = `<path fill="${ink}" d="M${round(from)} ${y}H${round(to)}v${BAR}H${round(from)}z"/>`;
  return area + (fits ? textLine(known, type, label) : '');
}

/**
 * What the curves are, in their inks.
 * @param {Plot['words']} words @param {boolean} shown @param {{x: number, y: number}} place @param {Type} type
 */
function legend(words, shown, place, type) {
  if (!shown) return { svg: '', height: 0 };
  let { x } = place;
  const parts = [];
  for (const [ink, word] of [
    [INKS.first, words.belonging],
    [INKS.second, words.others],
  ]) {
    const known = drawable(word, type.faces);
    const key = `M${round(x + 2)} ${place.y - 15}h22v14h-22z`;
    parts.push(`<path fill="${ink}" fill-opacity="0.2" stroke="${ink}" stroke-width="3" d="${key}"/>`);
    parts.push(textLine(known, type, { x: x + 36, y: place.y, fill: INKS.quiet }));
    x += 36 + widthOf(known, type) + 48;
  }
  return { svg: parts.join(''), height: 34 };
}

/**
 * Text centred on its mark, and kept inside.
 * @param {string} text @param {Type} type
 * @param {{x: number, width: number, at: number, y: number, fill: string}} place
 */
function centred(text, type, { x, width, at, y, fill }) {
  const known = drawable(text, type.faces);
  const half = widthOf(known, type) / 2;
  const centre = Math.min(x + width - half, Math.max(x + half, at));
  return textLine(known, type, { x: centre, y, fill, anchor: 'middle' });
}
