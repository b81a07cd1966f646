/** The worker that makes the report's picture: draws it as an SVG and renders that as a PNG. */

import { AedrError } from '../common/errors.js';
import { answer } from '../engine/channel.js';
import { request } from '../engine/download.js';
import { INTEGRITY } from '../engine/integrity.js';
import { fetchModule } from '../engine/verified-fetch.js';
import { pictureFonts } from './picture-fonts.js';
import { pictureSvg } from './picture.js';

const RENDERER = new URL('../pkg/renderer.js', import.meta.url).href;
const RENDERER_BYTES = new URL('../pkg/renderer_bg.wasm', import.meta.url).href;
const CODE = 'program_missing';

/** The renderer, once it is here. @type {Promise<any> | null} */
let renderer = null;

answer(self, { draw });

/**
 * @param {{content: import('./picture.js').PictureContent, locale: string}} params
 * @returns {Promise<Uint8Array<ArrayBuffer>>} A PNG.
 */
async function draw({ content, locale }) {
  // The page replaces a worker whose parts did not load.
  renderer ??= load();
  const [Renderer, { buffers, faces }] = await Promise.all([renderer, pictureFonts(locale, font)]);
  const drawing = new Renderer();
  for (const buffer of buffers) drawing.add_font(buffer);
  return drawing.render(pictureSvg(content, faces), faces.regular[0].family);
}

async function load() {
  const module = await import(RENDERER).catch(() => {
    throw new AedrError(CODE, 'pkg/renderer.js could not be fetched', '', { file: 'pkg/renderer.js' });
  });
  const integrity = INTEGRITY['www/pkg/renderer_bg.wasm'];
  await module.default({ module_or_path: await fetchModule(RENDERER_BYTES, { code: CODE, integrity }) });
  return module.Renderer;
}

/** @param {string} file */
async function font(file) {
  const response = await request(new URL(`../fonts/${file}`, import.meta.url).href, { code: CODE });
  return response.arrayBuffer();
}
