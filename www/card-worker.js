/** The worker that makes the report's picture: draws it as an SVG and renders that as a PNG. */

import { cardSvg } from './card.js';
import { cardFonts } from './card-fonts.js';
import { answer } from './channel.js';
import { AedrError } from './errors.js';

const RENDERER = new URL('./vendor/resvg/', import.meta.url);

/** The renderer, once it is here. @type {Promise<any> | null} */
let renderer = null;

answer(self, { draw });

/**
 * @param {{card: import('./card.js').Card, locale: string}} params
 * @returns {Promise<Uint8Array<ArrayBuffer>>} A PNG.
 */
async function draw({ card, locale }) {
  renderer ??= load();
  // The page replaces a worker whose parts did not come.
  const [Resvg, { buffers, faces }] = await Promise.all([renderer, cardFonts(locale, font)]).catch((thrown) => {
    throw new AedrError('program_missing', thrown instanceof Error ? thrown.message : String(thrown));
  });
  const drawing = new Resvg(cardSvg(card, faces), {
    font: { fontBuffers: buffers, defaultFontFamily: faces.regular[0].family },
  });
  const image = drawing.render();
  try {
    return image.asPng();
  } finally {
    image.free();
    drawing.free();
  }
}

async function load() {
  const { initWasm, Resvg } = await import(new URL('index.js', RENDERER).href);
  const module = await fetched(new URL('index_bg.wasm', RENDERER));
  // Not streamed: that depends on what type the host says it is of.
  await initWasm(module.arrayBuffer());
  return Resvg;
}

/** @param {string} file */
async function font(file) {
  return (await fetched(new URL(`./fonts/${file}`, import.meta.url))).arrayBuffer();
}

/** @param {URL} address */
async function fetched(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address.pathname}: the server answered ${response.status}`);
  return response;
}
