/** What a visit costs before an image is chosen. */

import assert from 'node:assert/strict';
import { extname } from 'node:path';
import { after, before, test } from 'node:test';
import { brotliCompressSync } from 'node:zlib';
import { DIST, launch, openPage, serve } from '../support/browser.mjs';

/** Bytes over the wire before the first image, from a host that compresses with brotli. */
const FIRST_LOAD = 1_500_000;
/** Script and style among them: what stands between the address and the first paint. */
const SCRIPT_AND_STYLE = 100_000;

/** These are compressed already; hosts send them as they are. */
const COMPRESSED = ['.png', '.jpg', '.webp', '.safetensors'];

/** @type {Awaited<ReturnType<typeof serve>>} */
let server;
/** @type {import('playwright-core').Browser} */
let browser;

before(async () => {
  server = await serve({ directories: [DIST] });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await server?.close();
});

test('before the first image little is loaded, and no WebAssembly', async () => {
  const { page, context, requests } = await openPage(browser, server.address);
  await page.locator('#sample-list img').last().waitFor();
  await page.waitForLoadState('networkidle');
  let all = 0;
  let code = 0;
  for (const url of new Set(requests)) {
    const body = Buffer.from(await (await fetch(url)).arrayBuffer());
    const bytes = COMPRESSED.includes(extname(new URL(url).pathname)) ? body.length : brotliCompressSync(body).length;
    all += bytes;
    if (/\.(m?js|css)$|\/$/.test(new URL(url).pathname)) code += bytes;
  }
  console.log(`before the first image: ${all} bytes, ${code} of them page, script and style`);
  assert.ok(requests.length > 5, 'the page was loaded');
  assert.ok(!requests.some((url) => /\.wasm|safetensors/.test(url)), 'the engine comes with the first image');
  assert.ok(all <= FIRST_LOAD, `${all} bytes`);
  assert.ok(code <= SCRIPT_AND_STYLE, `${code} bytes of script and style`);
  await context.close();
});
