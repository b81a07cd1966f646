/** Image files for tests that a browser converts from other images. */

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { DIST, openPage } from './browser.mjs';

/**
 * The top left part of an image file, no larger than a verdict needs, because WebGPU in software is slow. Its grid of
 * latents is that of the whole image.
 * @param {import('playwright-core').Browser} browser @param {string} address Of any page.
 * @param {Buffer} bytes
 */
export async function smallPart(browser, address, bytes) {
  const calibration = JSON.parse(await readFile(resolve(DIST, 'weights/aedr-small/calibration.json'), 'utf8'));
  const side = Math.ceil(Math.max(128, calibration.minimum_side) / 8) * 8;
  const { page, context } = await openPage(browser, address);
  const part = await encode(page, bytes, 'image/png', { side });
  await context.close();
  return part;
}

/**
 * An image file that the browser makes of another.
 * @param {import('playwright-core').Page} page
 * @param {Buffer} bytes @param {'image/png' | 'image/jpeg'} type
 * @param {object} [options]
 * @param {number} [options.side] Of the square that is taken from the top left; all of it by default.
 * @param {[number, number]} [options.cut] Pixels that are left out at the left and at the top.
 * @param {{bytes: Buffer, at: [left: number, top: number, width: number, height: number]}} [options.paste] A part of
 *   another file, of the same place.
 * @param {number} [options.quality] Of a JPEG, 0 to 1.
 */
export async function encode(page, bytes, type, { side, cut = [0, 0], paste, quality } = {}) {
  const pasted = paste && { base64: paste.bytes.toString('base64'), at: paste.at };
  const base64 = await page.evaluate(
    async ({ base64, type, side, cut: [left, top], pasted, quality }) => {
      const open = (text) => createImageBitmap(new Blob([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))]));
      const bitmap = await open(base64);
      const canvas = new OffscreenCanvas(side ?? bitmap.width, side ?? bitmap.height);
      const context = canvas.getContext('2d');
      context.drawImage(bitmap, -left, -top);
      if (pasted) context.drawImage(await open(pasted.base64), ...pasted.at, ...pasted.at);
      const made = new Uint8Array(await (await canvas.convertToBlob({ type, quality })).arrayBuffer());
      return btoa(made.reduce((text, byte) => text + String.fromCharCode(byte), ''));
    },
    { base64: bytes.toString('base64'), type, side, cut, pasted, quality },
  );
  return Buffer.from(base64, 'base64');
}
