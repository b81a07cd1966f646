#!/usr/bin/env node
/**
 * Checks many images one after another in a page that no debugger records, and prints how much of the machine's memory
 * Chromium has after them, and how much of that are pictures it keeps decoded. What `soak.mjs` prints as resident is
 * more: there the debugger keeps what the page received.
 *
 *   node tests/bench/resident.mjs [--checks 1500] [--every 150] [--device cpu|webgpu]
 *
 * The page must be built, and the goldens packed (`make test` does both).
 */

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { launch, NO_INTEGRITY, serve } from '../browser/support/browser.mjs';
import { TINY_FOLDERS, tinyFiles } from '../browser/support/tiny-model-page.mjs';
import { dropMany, residentOf, slope, soakImages, throughSession } from '../browser/support/soak-run.mjs';

const { values } = parseArgs({
  options: {
    checks: { type: 'string', default: '1500' },
    every: { type: 'string', default: '150' },
    device: { type: 'string', default: 'cpu' },
  },
});

/** What Chromium calls pictures that it keeps decoded, of those that a page showed last. */
const DECODED = 'cc/image_memory';

/** The page's files as a folder, with a tiny model in place of its own. */
async function tinyFolder() {
  const folder = await mkdtemp(resolve(tmpdir(), 'aedr-resident-'));
  const json = Object.entries(tinyFiles()).map(([path, value]) => [path, JSON.stringify(value)]);
  for (const [path, content] of [['www/engine/integrity.js', NO_INTEGRITY], ...json]) {
    await mkdir(resolve(folder, path, '..'), { recursive: true });
    await writeFile(resolve(folder, path), content);
  }
  return folder;
}

/** Bytes, from Chromium's own account of its memory. @param {import('playwright-core').CDPSession} session */
async function decodedPictures(session) {
  /** @type {any[]} */
  const events = [];
  const collect = (/** @type {any} */ { value }) => events.push(...value);
  session.on('Tracing.dataCollected', collect);
  const traceConfig = { includedCategories: ['disabled-by-default-memory-infra'], memoryDumpConfig: { triggers: [] } };
  await session.send('Tracing.start', { traceConfig, transferMode: 'ReportEvents' });
  // It collects garbage first.
  await session.send('Tracing.requestMemoryDump', { deterministic: true, levelOfDetail: 'detailed' });
  const complete = new Promise((done) => session.once('Tracing.tracingComplete', done));
  await session.send('Tracing.end');
  await complete;
  session.off('Tracing.dataCollected', collect);
  const sizes = events.map(({ args }) => args?.dumps?.allocators?.[DECODED]?.attrs?.size?.value ?? '0');
  return sizes.reduce((sum, size) => sum + Number.parseInt(size, 16), 0);
}

/** Until the page is there, and its scripts have run. @param {ReturnType<typeof throughSession>} ask */
async function ready(ask) {
  const expression = "location.protocol === 'http:' && document.readyState === 'complete'";
  // While a page is left for another, there is none to ask.
  const is = () => ask('Runtime.evaluate', { expression }).then(({ result }) => result.value, () => false);
  while (!(await is())) await setTimeout(100);
}

const folder = await tinyFolder();
const server = await serve({ directories: [folder, ...TINY_FOLDERS] });
const browser = await launch();
try {
  const session = await browser.newBrowserCDPSession();
  // A context that the tests' library does not know, so that it attaches nothing to the page.
  const { browserContextId } = await session.send('Target.createBrowserContext');
  const { targetId } = await session.send('Target.createTarget', { url: server.address, browserContextId });
  const { sessionId } = await session.send('Target.attachToTarget', { targetId, flatten: false });
  const ask = throughSession(session, () => sessionId);
  const inPage = async (/** @type {(asked: any) => unknown} */ action, /** @type {unknown} */ asked) => {
    const expression = `(${action})(${JSON.stringify(asked)})`;
    const { exceptionDetails } = await ask('Runtime.evaluate', { expression, awaitPromise: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  };
  await ready(ask);
  await inPage((device) => {
    /** @type {HTMLInputElement} */ (document.querySelector(`#settings input[value="${device}"]`)).click();
  }, values.device);

  console.log('| checks | resident, MB | own, MB | shared, MB | decoded pictures, MB |\n|--:|--:|--:|--:|--:|');
  const megabytes = (/** @type {number} */ bytes) => (bytes / 1e6).toFixed(1);
  const [images, every] = [soakImages(), Number(values.every)];
  /** @type {any[]} */
  const samples = [];
  for (let checks = every; checks <= Number(values.checks); checks += every) {
    await inPage(dropMany, { images, count: every });
    const decoded = await decodedPictures(session);
    const { VmRSS: resident, RssAnon: own, RssShmem: shared } = await residentOf(session);
    samples.push({ checks, resident, own, shared, decoded });
    console.log(`| ${[checks, ...[resident, own, shared, decoded].map(megabytes)].join(' | ')} |`);
  }
  const half = Math.ceil(samples.length / 2);
  for (const [name, part] of Object.entries({ first: samples.slice(0, half), second: samples.slice(half) })) {
    const growth = ['resident', 'own', 'shared', 'decoded'].map((what) => `${what} ${slope(part, what).toFixed(0)}`);
    console.log(`\ngrowth in the ${name} half, bytes a check: ${growth.join(', ')}`);
  }
} finally {
  await browser.close();
  await server.close();
  await rm(folder, { recursive: true });
}
