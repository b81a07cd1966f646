/**
 * The page's sentences, from its English catalogue. Tests compare codes; where a person has to be told something, they
 * compare what is shown with the catalogue's own sentence, so that a better wording breaks no test.
 */

export * as english from '../../../www/texts/en.js';

/** Stands for anything in a sentence that is made of parts. */
export const ANY = '\u2042';

/**
 * A pattern for a sentence. Numbers that cannot be made of `ANY` become NaN, and match anything, too.
 * @param {string} sentence
 * @returns {RegExp}
 */
export function pattern(sentence) {
  const literal = (/** @type {string} */ part) => part.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&').replace(/\s+/g, '\\s+');
  const parts = sentence.split(new RegExp(`${ANY}|NaN`)).map(literal);
  return new RegExp(parts.join('.+?'), 's');
}
