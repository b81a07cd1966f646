/** The fonts of the report's picture, which are used for nothing else: `scripts/report-font.py` makes them. */

import { face } from './opentype-font.js';

const FONTS = {
  regular: { file: 'Inter-Regular.otf', family: 'Inter', weight: 400 },
  bold: { file: 'Inter-Bold.otf', family: 'Inter', weight: 700 },
  display: { file: 'InterDisplay-ExtraBold.otf', family: 'Inter Display', weight: 800 },
  chinese: { file: 'NotoSansSC-Regular.otf', family: 'Noto Sans CJK SC', weight: 400 },
  chineseBold: { file: 'NotoSansSC-Bold.otf', family: 'Noto Sans CJK SC', weight: 700 },
};

/** @typedef {keyof typeof FONTS} FontName */

/**
 * @param {string} locale Of the sentences.
 * @param {(file: string) => Promise<ArrayBuffer>} load
 * @returns {Promise<{buffers: Uint8Array[], faces: import('./picture.js').Faces}>}
 */
export async function pictureFonts(locale, load) {
  const chinese = locale.startsWith('zh');
  /** @type {FontName[]} */
  const names = chinese ? ['regular', 'bold', 'display', 'chinese', 'chineseBold'] : ['regular', 'bold', 'display'];
  const buffers = await Promise.all(names.map((name) => load(FONTS[name].file)));
  const faces = new Map(names.map((name, index) => [name, face(buffers[index], FONTS[name])]));
  const stack = (/** @type {FontName[]} */ ...wanted) => wanted.flatMap((name) => faces.get(name) ?? []);
  return {
    buffers: buffers.map((buffer) => new Uint8Array(buffer)),
    // Chinese type first, for quotation marks of its own width; it has no Latin letters.
    faces: {
      regular: stack('chinese', 'regular'),
      bold: stack('chineseBold', 'bold', 'regular', 'chinese'),
      display: stack('chineseBold', 'display', 'bold', 'regular', 'chinese'),
    },
  };
}
