#!/usr/bin/env node
/**
 * From opening the page to the first verdict, on a slow connection and a slow processor:
 * `node tests/bench/first-verdict.mjs [--megabits 1.6] [--latency 150] [--slowdown 4]`.
 *
 * A host of its own sends every answer, compressed as hosts do, through one pipe of so many megabits a second, each after
 * so many milliseconds. The page's thread is slowed by Chromium; workers are not. A person opens the page, chooses a sample
 * as soon as it is there, and reads the verdict; once the page is ready to work offline, the person comes again.
 */

import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { brotliCompressSync, constants } from 'node:zlib';
import { DIST, launch, sampleList, serve, settled } from '../browser/support/browser.mjs';

const { values } = parseArgs({
  options: {
    megabits: { type: 'string', default: '1.6' },
    latency: { type: 'string', default: '150' },
    slowdown: { type: 'string', default: '4' },
  },
});
const bytesPerMs = (Number(values.megabits) * 1e6) / 8 / 1000;
const latency = Number(values.latency);
const COMPRESSED = /text|javascript|json|wasm|svg|manifest/;

const behind = await serve({ directories: [DIST] });
/** What the pipe is busy with until then. */
let free = 0;
let sent = 0;
/** Compressing is not what is measured. @type {Map<string, {headers: any, body: Buffer}>} */
const ready = new Map();

const server = createServer(async (request, response) => {
  const path = request.url ?? '/';
  if (!ready.has(path)) {
    const answer = await fetch(new URL(path, behind.address));
    const headers = Object.fromEntries([...answer.headers].filter(([name]) => !/length|connection|keep-alive|date/.test(name)));
    let body = Buffer.from(await answer.arrayBuffer());
    if (COMPRESSED.test(headers['content-type'] ?? '')) {
      body = brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } });
      headers['content-encoding'] = 'br';
    }
    ready.set(path, { headers: { ...headers, 'content-length': body.length }, body });
  }
  const { headers, body } = ready.get(path);
  await pause(latency);
  if (headers.etag && request.headers['if-none-match'] === headers.etag) return response.writeHead(304, headers).end();
  response.writeHead(200, headers);
  for (let at = 0; at < body.length; at += 4096) {
    const chunk = body.subarray(at, at + 4096);
    free = Math.max(free, performance.now()) + chunk.length / bytesPerMs;
    await pause(free - performance.now());
    response.write(chunk);
    sent += chunk.length;
  }
  response.end();
});
await new Promise((done) => server.listen(0, '127.0.0.1', () => done(null)));
const address = `http://127.0.0.1:${server.address().port}/`;

const browser = await launch();
const samples = await sampleList();
const { title } = samples.find(({ decoded }) => decoded);
// Everything is compressed before the clock starts.
const warming = await browser.newContext();
await visit(await warming.newPage());
await warming.close();

const context = await browser.newContext();
console.log(`${values.megabits} Mbit/s, ${latency} ms latency, page's thread ${values.slowdown} times slower`);
for (const name of ['first visit', 'second visit']) {
  sent = 0;
  const page = await context.newPage();
  const { painted, verdict } = await visit(page);
  console.log(`${name}: first paint ${seconds(painted)}, verdict ${seconds(verdict)}, ${(sent / 1e6).toFixed(2)} MB`);
  await page.locator('#offline[data-standing=kept]').waitFor({ timeout: 300_000 });
  await page.close();
}
await browser.close();
server.close();
server.closeAllConnections();
await behind.close();

/** @param {import('playwright-core').Page} page */
async function visit(page) {
  const session = await page.context().newCDPSession(page);
  await session.send('Emulation.setCPUThrottlingRate', { rate: Number(values.slowdown) });
  const started = performance.now();
  await page.goto(address, { waitUntil: 'commit' });
  await page.getByRole('button', { name: title }).click({ timeout: 120_000 });
  const { text, outcome } = await settled(page);
  const verdict = performance.now() - started;
  if (outcome !== 'matches') throw new Error(text);
  const painted = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN);
  return { painted, verdict };
}

/** @param {number} ms */
function pause(ms) {
  return new Promise((done) => setTimeout(done, Math.max(0, ms)));
}

/** @param {number} ms */
function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`;
}
