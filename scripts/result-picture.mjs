#!/usr/bin/env node
/**
 * Makes the README's picture, `docs/result-light.webp` and `docs/result-dark.webp`: what the built page says of one of its
 * samples. `make page` first.
 */

import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { DIST, launch, openPage, ROOT, sampleList, serve, settled } from '../tests/browser/support/browser.mjs';

const VIEW = { viewport: { width: 1000, height: 760 }, deviceScaleFactor: 1.5 };
const QUALITY = 0.82;
const MARGIN = 14;

const server = await serve({ directories: [DIST] });
const browser = await launch();
const { title } = (await sampleList()).find(({ decoded }) => decoded);
try {
  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    const { page, context } = await openPage(browser, server.address, { ...VIEW, colorScheme });
    await page.getByRole('button', { name: title }).click();
    await settled(page);
    await page.locator('.viewer').waitFor();
    // The frames' animation takes half a second.
    await page.waitForTimeout(1000);
    // From the top of the result to below the plot; places count from the top of the page.
    await page.evaluate(() => scrollTo(0, 0));
    const [stage, legend] = await Promise.all(['#stage', 'figcaption.hint'].map((place) => page.locator(place).first().boundingBox()));
    if (!stage || !legend) throw new Error('the page shows no result');
    const clip = { x: 0, y: stage.y + 1, width: VIEW.viewport.width, height: legend.y + legend.height + MARGIN - stage.y };
    const png = await page.screenshot({ clip, fullPage: true });
    const webp = await page.evaluate(encoded, { png: png.toString('base64'), quality: QUALITY });
    const path = resolve(ROOT, `docs/result-${colorScheme}.webp`);
    await writeFile(path, Buffer.from(webp, 'base64'));
    console.log(`${path}: ${webp.length * 0.75} bytes`);
    await context.close();
  }
} finally {
  await browser.close();
  await server.close();
}

/** Runs in the page: converts a PNG to WebP, both in base64. @param {{png: string, quality: number}} given */
async function encoded({ png, quality }) {
  const bytes = Uint8Array.from(atob(png), (letter) => letter.charCodeAt(0));
  const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  canvas.getContext('2d')?.drawImage(bitmap, 0, 0);
  const blob = await canvas.convertToBlob({ type: 'image/webp', quality });
  const made = new Uint8Array(await blob.arrayBuffer());
  return btoa(Array.from(made, (byte) => String.fromCharCode(byte)).join(''));
}
