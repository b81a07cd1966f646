#!/usr/bin/env node
/**
 * Screenshots of the built page, to look at: `node tests/browser/support/screenshots.mjs [folder]`.
 * Idle, working, each outcome that the samples give, an error, the table, the models; desktop and phone, light and dark, and
 * once in Chinese.
 */

import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { DIST, give, launch, openPage, ROOT, sampleBytes, sampleList, serve, settled } from './browser.mjs';

const folder = resolve(process.argv[2] ?? resolve(ROOT, 'target/screenshots'));
const VIEWS = {
  desktop: { viewport: { width: 1280, height: 800 } },
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true },
};

await mkdir(folder, { recursive: true });
const server = await serve({ directories: [DIST] });
const browser = await launch();
const samples = await sampleList();
const shown = [samples.find(({ decoded }) => decoded), samples.find(({ decoded }) => !decoded)].filter(Boolean);
try {
  for (const [name, view] of Object.entries(VIEWS)) {
    for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
      const { page, context } = await openPage(browser, server.address, { ...view, colorScheme });
      const shot = async (state, options = { fullPage: true }) => {
        // The frames' animation takes half a second.
        await page.waitForTimeout(700);
        const path = resolve(folder, `${name}-${colorScheme}-${state}.png`);
        await page.screenshot({ path, ...options });
        console.log(path);
      };
      await page.locator('.sample img').last().scrollIntoViewIfNeeded();
      await page.evaluate(() => scrollTo(0, 0));
      await shot('idle');
      for (const { title, decoded } of shown) {
        await page.getByRole('button', { name: title }).click();
        await page.waitForFunction(() => document.body.dataset.phase === 'working');
        if (decoded) await shot('working');
        const { outcome } = await settled(page);
        await page.locator('.viewer').waitFor();
        await shot(outcome);
      }
      await give(page, 'drop', 'letter.txt', Buffer.from('Dear reader, this is no image.'));
      await settled(page);
      await page.waitForFunction(() => document.querySelector('#outcome')?.getAttribute('data-code'));
      await shot('error');
      const files = await Promise.all(
        shown.map(async ({ file }) => ({ name: file, mimeType: 'image/png', buffer: await sampleBytes(file) })),
      );
      await page.locator('#file').setInputFiles([...files, { name: 'letter.txt', mimeType: 'text/plain', buffer: Buffer.from('no') }]);
      await page.locator('#table tbody tr[data-kind="failed"]').waitFor({ timeout: 120_000 });
      await page.locator('.viewer').waitFor();
      await shot('table');
      await page.locator('#models').click();
      await page.locator('#storage-line').filter({ hasText: /\w/ }).waitFor();
      await shot('models', { fullPage: false });
      await page.getByLabel('Or from any address').fill('example.org');
      await page.getByRole('button', { name: 'Add', exact: true }).click();
      await page.getByLabel('Or from any address').fill('ftp://example.org/vae.safetensors');
      await page.getByRole('button', { name: 'Add', exact: true }).click();
      await page.locator('#import-problem').filter({ hasText: /\w/ }).waitFor();
      await shot('models-error', { fullPage: false });
      await page.locator('#model-dialog').evaluate((dialog) => dialog.scrollTo(0, dialog.scrollHeight));
      await shot('models-end', { fullPage: false });
      await context.close();
    }
  }
  const { page, context } = await openPage(browser, server.address, { ...VIEWS.phone, locale: 'zh-CN' });
  await page.locator('.sample').first().click();
  await settled(page);
  await page.locator('.viewer').waitFor();
  await page.waitForTimeout(700);
  await page.screenshot({ path: resolve(folder, 'phone-light-chinese.png'), fullPage: true });
  await context.close();
} finally {
  await browser.close();
  await server.close();
}
