/**
 * Where a signal lies, for the report's picture: zones on a logarithmic scale, and above them how common signals are
 * among images of both kinds, if that is known.
 *
 * @typedef {import('./picture-typesetting.js').Type} Type
 * @typedef {{signals: number[], belonging: number[], others: number[]}} Distribution Densities over ln of the signal.
 * @typedef {object} Plot
 * @property {number} signal
 * @property {number} threshold
 * @property {[number | null, number | null]} uncertain
 * @property {Distribution | null} distribution
 * @property {Record<'here' | 'limit' | 'match' | 'unsure' | 'none' | 'belonging' | 'others', string>} words `here` and
 *   `limit` with their numbers.
 */

import { plotGeometry } from '../result/plot-geometry.js';
import { drawable, INKS, round, textLine, widthOf } from './picture-typesetting.js';

const CURVES = 120;
const BAR = 46;
const ZONE_INKS = { match: INKS.first, unsure: INKS.unsure, none: INKS.second };

/**
 * @param {Plot} plot @param {{x: number, y: number, width: number}} box
 * @param {{strong: Type, small: Type, zone: Type}} types
 */
export function plotDrawing(plot, { x, y, width }, types) {
  const { distribution, words } = plot;
  const geometry = plotGeometry(plot, distribution);
  const across = (/** @type {number} */ part) => x + part * width;
  const bar = y + 40 + (distribution ? CURVES : 16);
  const [here, limit] = [geometry.here, geometry.limit].map(across);
  const { curves: lines } = geometry;
  const curves = lines
    ? curveDrawing(lines.others, INKS.second, { across, bottom: bar }) +
      curveDrawing(lines.belonging, INKS.first, { across, bottom: bar })
    : '';
  const zones = geometry.zones.map(({ name, from, to }) =>
    zoneDrawing([across(from), across(to), ZONE_INKS[name], words[name]], bar, types.zone),
  );
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

/**
 * @param {import('../result/plot-geometry.js').Point[]} curve @param {string} ink
 * @param {{across: (part: number) => number, bottom: number}} place
 */
function curveDrawing(curve, ink, { across, bottom }) {
  if (curve.length < 2) return '';
  const points = curve.map(([x, y]) => [across(x), bottom - y * CURVES]);
  const outline = points.map(([x, y]) => `${round(x)} ${round(y)}`).join('L');
  const [first, last] = [points[0][0], points[points.length - 1][0]];
  return (
    `<path fill="${ink}" fill-opacity="0.2" d="M${round(first)} ${bottom}L${outline}L${round(last)} ${bottom}z"/>` +
    `<path fill="none" stroke="${ink}" stroke-width="3" stroke-linejoin="round" d="M${outline}"/>`
  );
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
