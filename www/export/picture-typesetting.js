/**
 * Typesetting for the report's picture: SVG breaks no lines, and the fonts have few characters. Text from files and
 * models may hold anything; an ellipsis replaces each run of characters that the fonts lack, that are invisible or that
 * change the direction of writing.
 *
 * @typedef {import('./opentype-font.js').Face} Face
 * @typedef {{faces: Face[], size: number, spacing?: number}} Type `faces`: the first that has a character draws it.
 *   `spacing`: between letters, in parts of the size.
 */

/** As in the light theme of style.css. */
export const INKS = {
  paper: '#f1f4f2',
  sheet: '#ffffff',
  ink: '#10201e',
  quiet: '#4b5d59',
  rule: '#c3cec9',
  first: '#0b776f',
  second: '#c93d20',
  unsure: '#64756f',
};

/** Characters that a line may end after without a space, with what must not end it and what must not begin the next. */
const CHINESE = /[“‘（《]*[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef](?:[，。；：、！？）》”’…—％]+)?/u;
const TOKENS = new RegExp(`${CHINESE.source}| +|[^ \\u2e80-\\u9fff\\uf900-\\ufaff\\uff00-\\uffef]+`, 'gu');
const MARK = '…';

/** @param {string} text */
export const escaped = (text) =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/**
 * Only what these faces have.
 * @param {string} text @param {Face[]} faces
 */
export function drawable(text, faces) {
  const known = (/** @type {string} */ character) => faces.some((face) => face.widths.has(codeOf(character)));
  const whole = Array.from(text.normalize('NFC').replace(/\s+/g, ' '));
  const kept = whole.map((character) => (known(character) ? character : '\0'));
  return kept.join('').replace(/\0+/g, MARK).trim();
}

/** @param {string} text @param {Type} type */
export function widthOf(text, { faces, size, spacing = 0 }) {
  let width = 0;
  for (const character of text) {
    const found = faces.find((face) => face.widths.has(codeOf(character)));
    width += (found?.widths.get(codeOf(character)) ?? 0) + spacing;
  }
  return width * size;
}

/**
 * Lines that are no wider than `width`. Words that are too long for a line are broken.
 * @param {string} text @param {Type} type @param {number} width
 */
export function wrapped(text, type, width) {
  const lines = [];
  let line = '';
  const fits = (/** @type {string} */ longer) => widthOf(longer.trimEnd(), type) <= width;
  const flush = () => {
    lines.push(line.trimEnd());
    line = '';
  };
  for (const token of drawable(text, type.faces).match(TOKENS) ?? []) {
    if (fits(line + token)) {
      line += token;
      continue;
    }
    if (line) flush();
    if (token.trim() === '') continue;
    for (const character of token) {
      if (line && !fits(line + character)) flush();
      line += character;
    }
  }
  if (line.trim() !== '' || lines.length === 0) flush();
  return lines;
}

/**
 * One line. A name that is too long loses its middle, because the end often tells what a file is.
 * @param {string} text @param {Type} type @param {number} width
 */
export function shortened(text, type, width) {
  const whole = drawable(text, type.faces);
  if (widthOf(whole, type) <= width) return whole;
  const characters = Array.from(whole);
  for (let kept = characters.length - 1; kept > 1; kept--) {
    const end = characters.length - Math.floor(kept / 3);
    const start = kept - (characters.length - end);
    const tried = characters.slice(0, start).join('') + MARK + characters.slice(end).join('');
    if (widthOf(tried, type) <= width) return tried;
  }
  return MARK;
}

/**
 * @param {string} text What `drawable` gives.
 * @param {Type} type
 * @param {{x: number, y: number, fill: string, anchor?: 'start' | 'middle' | 'end'}} place
 */
export function textLine(text, { faces, size, spacing = 0 }, { x, y, fill, anchor = 'start' }) {
  const runs = /** @type {{face: Face, text: string}[]} */ ([]);
  for (const character of drawable(text, faces)) {
    const face = faces.find(({ widths }) => widths.has(codeOf(character))) ?? faces[0];
    const last = runs.at(-1);
    if (last?.face === face) last.text += character;
    else runs.push({ face, text: character });
  }
  const spans = runs.map(
    ({ face: { family, weight }, text: run }) =>
      `<tspan font-family="${family}" font-weight="${weight}">${escaped(run)}</tspan>`,
  );
  return (
    `<text xml:space="preserve" x="${round(x)}" y="${round(y)}" font-size="${size}" fill="${fill}" ` +
    `text-anchor="${anchor}" letter-spacing="${round(spacing * size)}">${spans.join('')}</text>`
  );
}

/** @param {string} character */
const codeOf = (character) => /** @type {number} */ (character.codePointAt(0));

/** To hundredths: finer differences are invisible. @param {number} value */
export const round = (value) => Math.round(value * 100) / 100;
