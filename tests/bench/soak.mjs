#!/usr/bin/env node
/**
 * Checks many images one after another in the page, with a tiny model, and prints how much memory it has after them.
 *
 *   node tests/bench/soak.mjs [--checks 500] [--every 25] [--devices cpu,webgpu] [--svg target/soak.svg]
 *
 * The page must be built, and the goldens packed (`make test` does both).
 */

import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { launch, ROOT } from '../browser/support/browser.mjs';
import { openSoak, slope, soak } from '../browser/support/soak-run.mjs';
import { chart } from './soak-chart.mjs';

const { values } = parseArgs({
  options: {
    checks: { type: 'string', default: '500' },
    every: { type: 'string', default: '25' },
    devices: { type: 'string', default: 'cpu,webgpu' },
    svg: { type: 'string', default: 'target/soak.svg' },
  },
});

/** Shown in megabytes, and in the chart. @type {[keyof import('../browser/support/soak-run.mjs').Sample, string][]} */
const AMOUNTS = [
  ['page', 'page'],
  ['worker', 'worker'],
  ['module', 'module'],
  ['gpu', 'GPU buffers'],
  ['resident', 'resident'],
];
/** @type {[keyof import('../browser/support/soak-run.mjs').Sample, string][]} */
const COUNTS = [
  ['nodes', 'nodes'],
  ['addresses', 'blob addresses'],
];

const megabytes = (/** @type {number} */ bytes) => (bytes / 1e6).toFixed(2);
const row = (/** @type {(string | number)[]} */ cells) => console.log(`| ${cells.join(' | ')} |`);

/** @param {'cpu' | 'webgpu'} device */
async function run(device) {
  const browser = await launch();
  const opened = await openSoak(browser);
  console.log(`\n${device}, in MB\n`);
  const heads = ['checks', ...[...AMOUNTS, ...COUNTS].map(([, name]) => name)];
  row(heads);
  row(heads.map(() => '--:'));
  const onSample = (/** @type {import('../browser/support/soak-run.mjs').Sample} */ sample) =>
    row([sample.checks, ...AMOUNTS.map(([what]) => megabytes(sample[what])), ...COUNTS.map(([what]) => sample[what])]);
  const samples = await soak(opened, { count: Number(values.checks), every: Number(values.every), device, onSample });
  const settled = samples.slice(Math.ceil(samples.length / 5));
  const growth = AMOUNTS.map(([what, name]) => `${name} ${slope(settled, what).toFixed(0)}`);
  console.log(`\ngrowth after the first fifth, bytes a check: ${growth.join(', ')}`);
  await opened.close();
  await browser.close();
  return { device, samples };
}

const runs = [];
for (const device of /** @type {('cpu' | 'webgpu')[]} */ (values.devices.split(','))) runs.push(await run(device));
const file = resolve(ROOT, values.svg);
await mkdir(dirname(file), { recursive: true });
await writeFile(file, chart(runs));
