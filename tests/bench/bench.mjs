#!/usr/bin/env node
/**
 * Measures our engine beside onnxruntime-web, on the same weights and inputs, in the same browser, and
 * prints a table. A time is one reconstruction with its result read back; warm is the median.
 *
 *   make bench            sizes that a software adapter can do in minutes
 *   make bench SCALE=8    sides eight times as long, for a real GPU
 */

import { availableParallelism, cpus } from 'node:os';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DIST, ROOT, launch, serve } from '../browser/support/browser.mjs';
import { distance } from '../browser/support/distance.js';
import { klConfig, writeNetwork } from './network.mjs';

const HERE = import.meta.dirname;
const FOLDER = resolve(ROOT, 'dist-bench');
const REPETITIONS = 3;
/** Two engines that compute the same differ by rounding alone. */
const AGREEMENT = 1e-3;

/** Sides are multiplied with it. */
const SCALE = Number(process.env.SCALE ?? 1);

const NETWORKS = [
  { name: 'widths of SD1, full size', architecture: klConfig([128]), side: 32 * SCALE },
  { name: 'widths of SD1, 1/4 and 1/8', architecture: klConfig([512, 512]), side: 16 * SCALE },
  { name: 'default model', architecture: klConfig([16, 32, 64, 96], { layers: 2, groups: 2 }), side: 64 * SCALE },
];

/** @param {string} address @param {(page: import('playwright-core').Page) => Promise<any>} use */
async function inFreshBrowser(address, use) {
  // Fresh, since browsers keep compiled pipelines.
  const browser = await launch();
  try {
    // The peer's loader needs more than the page's policy gives.
    const context = await browser.newContext({ bypassCSP: true });
    const page = await context.newPage();
    await page.goto(`${address}page.html`);
    return await use(page);
  } finally {
    await browser.close();
  }
}

/** @param {number[]} numbers */
const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

await mkdir(FOLDER, { recursive: true });
const peers = join(HERE, 'node_modules/onnxruntime-web/dist');
const server = await serve({ directories: [HERE, FOLDER, DIST, peers, resolve(ROOT, 'tests/browser/support'), resolve(ROOT, 'tests/gpu-kit')] });
const { address } = server;
const peak = await inFreshBrowser(address, (page) =>
  page.evaluate(async () => (await import('/page.js')).adapterPeak()),
);
console.log(`processor: ${cpus()[0].model}, ${availableParallelism()} cores; adapter: ${peak?.name ?? 'none'}`);
if (peak) console.log(`the adapter's multiply-adds, measured: ${peak.gflops.toFixed(1)} GFLOP/s`);

console.log('| network, side | device | engine | cold s | warm s | GFLOP/s | of peak | GPU MiB | speed |');
console.log('|---|---|---|---|---|---|---|---|---|');
for (const { name, architecture, side } of NETWORKS) {
  const folder = `network-${architecture.block_out_channels.join('-')}-${side}`;
  const multiplyAdds = await writeNetwork(join(FOLDER, folder), architecture, side);
  for (const device of peak ? ['gpu', 'cpu'] : ['cpu']) {
    const results = {};
    for (const engine of ['peer', 'ours']) {
      results[engine] = await inFreshBrowser(address, (page) =>
        page.evaluate(
          async ([engine, device, folder, side, repetitions]) =>
            (await import('/page.js')).measure(engine, device, folder, side, repetitions),
          [engine, device, `/${folder}`, side, REPETITIONS],
        ),
      );
    }
    const difference = distance(results.ours.output, results.peer.output);
    if (!(difference <= AGREEMENT)) throw new Error(`${name} on ${device}: the results differ by ${difference}`);
    for (const engine of ['peer', 'ours']) {
      const { cold, warm, peakBytes } = results[engine];
      const time = median(warm);
      const speed = (2 * multiplyAdds) / time / 1e6;
      const cells = [
        `${name}, ${side}`,
        device === 'gpu' ? 'WebGPU' : 'CPU, one thread',
        engine === 'ours' ? 'aedr' : 'onnxruntime-web',
        (cold / 1000).toFixed(2),
        (time / 1000).toFixed(2),
        speed.toFixed(2),
        device === 'gpu' ? `${((100 * speed) / peak.gflops).toFixed(0)} %` : '',
        device === 'gpu' ? (peakBytes / 2 ** 20).toFixed(0) : '',
        engine === 'ours' ? `${(median(results.peer.warm) / time).toFixed(2)} ×` : '1 ×',
      ];
      console.log(`| ${cells.join(' | ')} |`);
    }
  }
}
await server.close();
