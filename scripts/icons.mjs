#!/usr/bin/env node
/**
 * Draws the icons of the installed page from the mark: `node scripts/icons.mjs`, after `www/icons/mark.svg` changed.
 */

import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { chromium } from 'playwright-core';

const FOLDER = resolve(import.meta.dirname, '../www/icons');
const PAPER = '#f1f4f2';
/**
 * Name, side, and how much of it the mark takes. Systems cut a maskable icon to their own shape, which leaves at least
 * a circle of 80 %.
 * @type {[string, number, number][]}
 */
const ICONS = [
  ['icon-192.png', 192, 0.72],
  ['icon-512.png', 512, 0.72],
  ['maskable-512.png', 512, 0.5],
  ['apple-touch-180.png', 180, 0.64],
];

const mark = (await readFile(resolve(FOLDER, 'mark.svg'))).toString('base64');
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--force-color-profile=srgb'],
});
try {
  const page = await browser.newPage();
  for (const [name, side, share] of ICONS) {
    await page.setViewportSize({ width: side, height: side });
    await page.setContent(
      `<body style="margin: 0; height: 100vh; display: grid; place-items: center; background: ${PAPER}">
        <img src="data:image/svg+xml;base64,${mark}" style="width: ${100 * share}%">`,
    );
    await page.locator('img').evaluate((image) => image.decode());
    await writeFile(resolve(FOLDER, name), await page.screenshot());
    console.log(name);
  }
} finally {
  await browser.close();
}
