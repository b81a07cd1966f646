/** Makes texts that strangers wrote safe to show as text. */

/** Characters that are invisible or change the direction: controls, format, surrogates, private use, separators. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu;
/** Combining marks, piled up until they cover the lines around. */
const PILED = /(\p{M}{3})\p{M}+/gu;

/**
 * One line of at most `longest` characters, without any that are invisible or change the direction.
 * @param {unknown} value Anything but a string or a number gives an empty text.
 * @param {number} [longest]
 */
export function untrustedText(value, longest = 200) {
  if (typeof value !== 'string' && typeof value !== 'number') return '';
  // Far more than is kept, so that even a huge text is processed fast.
  const text = String(value).slice(0, 20 * longest);
  const seen = text.replace(/\s+/g, ' ').replace(UNSEEN, '').replace(PILED, '$1').trim();
  const letters = [...seen];
  return letters.length > longest ? `${letters.slice(0, longest).join('')}…` : seen;
}

/**
 * Data as JSON for those who want every word; invisible characters are escaped.
 * @param {unknown} data @param {number} longest @param {string} cut Replaces what is left out.
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
