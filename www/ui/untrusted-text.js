/** Texts that strangers wrote, made fit to be shown as text. */

/** Not seen, or turning what follows round: controls, formatting, halves of characters, private ones, separators. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu;
/** Marks piled up until they cover the lines around. */
const PILED = /(\p{M}{3})\p{M}+/gu;

/**
 * In one line of at most `longest` characters, without any that are not seen or that turn the direction.
 * @param {unknown} value Anything but a text or a number is nothing.
 * @param {number} [longest]
 */
export function untrustedText(value, longest = 200) {
  if (typeof value !== 'string' && typeof value !== 'number') return '';
  // Far more than is kept, so that no text is too long to be looked through.
  const text = String(value).slice(0, 20 * longest);
  const seen = text.replace(/\s+/g, ' ').replace(UNSEEN, '').replace(PILED, '$1').trim();
  const letters = [...seen];
  return letters.length > longest ? `${letters.slice(0, longest).join('')}…` : seen;
}

/**
 * Data as JSON for those who want every word: characters that are not seen are written as their codes.
 * @param {unknown} data @param {number} longest @param {string} cut Stands for what is left out.
 */
export function untrustedJson(data, longest, cut) {
  const text = JSON.stringify(data, null, 2);
  const coded = text.slice(0, longest).replace(UNSEEN, (sign) => (sign === '\n' ? sign : escaped(sign)));
  return text.length > longest ? `${coded}\n${cut}` : coded;
}

/** @param {string} sign One character, of one or two units. */
function escaped(sign) {
  return sign.split('').map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
}
