/**
 * Reads an OpenType font's characters and their widths: enough to break lines and to know what cannot be drawn. The
 * renderer draws the shapes.
 *
 * @typedef {{family: string, weight: number, widths: Map<number, number>}} Face `widths`: advances by code point, in
 *   parts of the type size.
 */

/**
 * @param {ArrayBuffer} buffer A whole font file.
 * @param {{family: string, weight: number}} names As the renderer knows it.
 * @returns {Face}
 */
export function face(buffer, names) {
  const view = new DataView(buffer);
  const table = (/** @type {string} */ tag) => tableAt(view, tag);
  const unitsPerEm = view.getUint16(table('head') + 18);
  const advances = view.getUint16(table('hhea') + 34);
  const metrics = table('hmtx');
  /** @type {Map<number, number>} */
  const widths = new Map();
  for (const [code, glyph] of glyphs(view, table('cmap'))) {
    // Glyphs after the last advance share it.
    const advance = view.getUint16(metrics + 4 * Math.min(glyph, advances - 1));
    widths.set(code, advance / unitsPerEm);
  }
  return { ...names, widths };
}

/** @param {DataView} view @param {string} tag */
function tableAt(view, tag) {
  for (let at = 12; at < 12 + 16 * view.getUint16(4); at += 16) {
    const name = String.fromCharCode(...[0, 1, 2, 3].map((index) => view.getUint8(at + index)));
    if (name === tag) return view.getUint32(at + 8);
  }
  throw new Error(`the font has no table ${tag}`);
}

/** Code points with their glyphs. @param {DataView} view @param {number} cmap @returns {Iterable<[number, number]>} */
function glyphs(view, cmap) {
  const WINDOWS = 3;
  const count = view.getUint16(cmap + 2);
  const places = Array.from({ length: count }, (_, index) => cmap + 4 + 8 * index);
  const offsets = places.filter((at) => view.getUint16(at) === WINDOWS).map((at) => cmap + view.getUint32(at + 4));
  const ofFormat = (/** @type {number} */ format) => offsets.find((at) => view.getUint16(at) === format);
  const [full, basic] = [ofFormat(12), ofFormat(4)];
  if (full !== undefined) return groups(view, full);
  if (basic !== undefined) return segments(view, basic);
  throw new Error('the font has no map of characters that is known here');
}

/** Format 12. @param {DataView} view @param {number} at @returns {Generator<[number, number]>} */
function* groups(view, at) {
  for (let index = 0; index < view.getUint32(at + 12); index++) {
    const [first, last, glyph] = [0, 4, 8].map((offset) => view.getUint32(at + 16 + 12 * index + offset));
    for (let code = first; code <= last; code++) yield [code, glyph + code - first];
  }
}

/** Format 4. @param {DataView} view @param {number} at @returns {Generator<[number, number]>} */
function* segments(view, at) {
  const bytes = view.getUint16(at + 6);
  const [ends, starts] = [at + 14, at + 16 + bytes];
  const [deltas, offsets] = [starts + bytes, starts + 2 * bytes];
  for (let index = 0; index < bytes; index += 2) {
    const delta = view.getUint16(deltas + index);
    const offset = view.getUint16(offsets + index);
    const first = view.getUint16(starts + index);
    for (let code = first; code <= view.getUint16(ends + index) && code < 0xffff; code++) {
      // An offset counts from its own position.
      const found = offset === 0 ? code : view.getUint16(offsets + index + offset + 2 * (code - first));
      const glyph = found === 0 ? 0 : (found + delta) & 0xffff;
      if (glyph !== 0) yield [code, glyph];
    }
  }
}
