/**
 * The page's mark, two frames for the two reconstructions: they coincide for a match, are apart for no match, and one
 * is broken when nothing can be told, or only dotted where no trace was found.
 */

import { drawing } from './dom.js';

const FRAMES = {
  apart: ['M3 3h24v24H3z', 'M13 13h24v24H13z'],
  together: ['M6 6h28v28H6z', 'M12 12h16v16H12z'],
};

/** The two frames' paths. @param {string} outcome One of the four answers, or "error". */
export function framesOf(outcome) {
  return outcome === 'matches' || outcome === 'error' ? FRAMES.together : FRAMES.apart;
}

/** @param {string} outcome One of the four answers, or "error". */
export function outcomeGlyph(outcome) {
  const [first, second] = framesOf(outcome);
  return drawing(
    'svg',
    { class: 'glyph', viewBox: '0 0 40 40', 'aria-hidden': 'true', 'data-outcome': outcome },
    drawing('path', { class: 'first', d: first }),
    drawing('path', { class: 'second', d: second }),
  );
}
