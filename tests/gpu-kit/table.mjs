/** Gathers the results into `results.json` and prints a table of 40 lines at most, also kept as `table.md`. */

import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const RESULTS = process.env.RESULTS ?? 'results';
/** @type {Record<string, any>} */
const found = {};
const lines = (/** @type {string} */ text) => text.trim().split('\n');
for (const file of (await readdir(RESULTS)).sort()) {
  const [, name, kind] = /^(.*)\.(json|jsonl|txt)$/.exec(file) ?? [];
  if (!kind || name === 'results') continue;
  const text = await readFile(join(RESULTS, file), 'utf8');
  const read = { json: () => JSON.parse(text), jsonl: () => lines(text).map((line) => JSON.parse(line)), txt: () => lines(text) };
  found[name] = read[kind]();
}
await writeFile(join(RESULTS, 'results.json'), JSON.stringify(found));

const table = [];
const say = (/** @type {string} */ line) => table.push(line);
const fixed = (/** @type {number} */ number, digits = 1) => (number ?? NaN).toFixed(digits);
const median = (/** @type {number[]} */ numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
const gflops = (/** @type {number} */ multiplyAdds, /** @type {number} */ ms) => (2 * multiplyAdds) / ms / 1e6;

const { machine, adapter, goldens, 'native-goldens': native, peak } = found;
if (machine) say(`machine: ${machine.join('; ').replaceAll(/\s+/g, ' ')}`);
if (adapter) say(`adapter in Dawn: ${adapter.info.description || adapter.info.device}; ${adapter.features.length} features`);
const worst = (/** @type {any} */ errors) => Math.max(...Object.values(errors).flatMap((of) => Object.values(of)));
if (goldens) say(`goldens, wasm in Dawn: ${Object.keys(goldens).length} networks, largest error ${worst(goldens).toExponential(1)}`);
if (native) {
  const errors = Object.fromEntries(native.map(({ model, errors }) => [model, errors]));
  say(`goldens, native on ${native[0].device.adapter}: ${native.length} networks, largest error ${worst(errors).toExponential(1)}`);
}
if (peak) {
  const half = peak.gflopsF16 ? `${fixed(peak.gflopsF16 / 1e3, 2)} TFLOP/s in f16` : 'no f16';
  say(`multiply-adds: ${fixed(peak.gflopsF32 / 1e3, 2)} TFLOP/s in f32, ${half}; memory ${fixed(peak.gigabytesPerSecond, 0)} GB/s`);
}

const networks = Object.keys(found).filter((name) => /^(network|peer)-/.test(name));
networks.sort((a, b) => Number(/\d+/.exec(a)) - Number(/\d+/.exec(b)) || a.localeCompare(b));
if (networks.length > 0) {
  say('');
  say('| one reconstruction | engine | cold ms | warm ms | GFLOP/s | of peak | submits | dispatches | MiB | speed |');
  say('|---|---|--:|--:|--:|--:|--:|--:|--:|--:|');
}
for (const name of networks) {
  const { name: network, side, engine, cold, warm, multiplyAdds, calls, peakBytes, output } = found[name];
  const time = median(warm);
  const speed = gflops(multiplyAdds, time);
  const peer = found[name.replace('network', 'peer')];
  const ratio = peer && name.startsWith('network') ? `${fixed(median(peer.warm) / time, 2)} ×` : '';
  const off = peer ? Math.max(...output.map((value, i) => Math.abs(value - peer.output[i]))) : 0;
  // Two engines that compute the same differ by rounding alone.
  const differs = off > 1e-2 ? `, differs by ${off.toExponential(1)}` : '';
  const cells = [`${network}, ${side}²${differs}`, engine, fixed(cold, 0), fixed(time), fixed(speed, 0),
    peak ? `${fixed((100 * speed) / peak.gflopsF32, 0)} %` : '', calls.submits, calls.dispatches, fixed(peakBytes / 2 ** 20, 0), ratio];
  say(`| ${cells.join(' | ')} |`);
}

const { 'check-f32': single, 'check-f16': half } = found;
const natively = (found['native-check'] ?? []).map(({ multiply_adds: multiplyAdds, map_bytes: mapBytes, device, ...times }) => ({
  ...times, name: single?.name, multiplyAdds, mapBytes, maps: device.maps, native: true,
}));
const large = Object.keys(found).filter((name) => name.startsWith('large-')).sort((a, b) => a.length - b.length || a.localeCompare(b));
const checks = [single, half, ...large.map((name) => found[name]), ...natively].filter((check) => check && !check.without);
if (half?.without) say('\nThe adapter has no f16 in Dawn.');
if (checks.length > 0) {
  say('');
  say('| a double reconstruction | cold s | warm s | GFLOP/s | submits | dispatches | MiB | L1/L2 |');
  say('|---|--:|--:|--:|--:|--:|--:|--:|');
}
for (const { name, side, maps, native, cold, warm, milliseconds, calls, peakBytes, mapBytes, multiplyAdds, first_loss, second_loss } of checks) {
  const time = warm ? median(warm) : milliseconds;
  const memory = peakBytes ? fixed(peakBytes / 2 ** 20, 0) : `maps ${fixed(mapBytes / 2 ** 20, 0)}`;
  const ratio = first_loss / second_loss;
  const change = maps === 'f16' && single ? ` (${fixed(100 * (ratio / (single.first_loss / single.second_loss) - 1), 3)} %)` : '';
  const cells = [`${name}, ${side}²${maps === 'f16' ? ', f16 maps' : ''}${native ? ', native' : ''}`, cold ? fixed(cold / 1e3, 2) : '',
    fixed(time / 1e3, 2), fixed(gflops(multiplyAdds, time), 0), calls?.submits ?? '', calls?.dispatches ?? '', memory,
    ratio.toPrecision(6) + change];
  say(`| ${cells.join(' | ')} |`);
}

if (found.kernels) {
  const { name, side, layers, multiplyAdds, kernels } = found.kernels;
  const total = kernels.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  say('');
  say(`Kernels of one reconstruction of ${name} at ${side}²: ${fixed(total)} ms, ${fixed(gflops(multiplyAdds, total), 0)} GFLOP/s`);
  say('| kernel | dispatches | ms | of all | GFLOP/s |');
  say('|---|--:|--:|--:|--:|');
  for (const { name, dispatches, milliseconds, work } of withWork(kernels, layers).slice(0, Math.max(0, 39 - table.length))) {
    const cells = [name, dispatches, fixed(milliseconds, 2), `${fixed((100 * milliseconds) / total, 0)} %`, work ? fixed(gflops(work, milliseconds), 0) : ''];
    say(`| ${cells.join(' | ')} |`);
  }
}
await writeFile(join(RESULTS, 'table.md'), `${table.join('\n')}\n`);
console.log(table.join('\n'));

/**
 * Convolutions grouped by what a dispatch reveals: kernel, stride, width and channels of the result; with the
 * multiply-adds of the network's layers of that kind.
 */
function withWork(/** @type {any[]} */ kernels, /** @type {import('./network.mjs').Layer[]} */ layers) {
  const sums = new Map();
  for (const { name, dispatches, milliseconds } of kernels) {
    const parts = /^convolution (\d)x\d stride (\d)(.*), tile (\d+)x(\d+)x(\d+) groups (\d+) (\d+)$/.exec(name);
    const [, kernel, stride, , width, height, channels, across, deep] = parts ?? [];
    const wide = Number(width) * Number(across);
    const most = Number(channels) * Number(deep);
    const title = parts ? `convolution ${kernel}×${kernel}${stride === '2' ? ' halving' : ''}, width ≤ ${wide}, channels ≤ ${most}, tile ${width}×${height}×${channels}` : name;
    const sum = sums.get(title) ?? { name: title, dispatches: 0, milliseconds: 0, work: 0 };
    sums.set(title, sum);
    sum.dispatches += dispatches;
    sum.milliseconds += milliseconds;
    if (!parts || sum.work > 0) continue;
    const alike = layers.filter((layer) => layer.kernel === Number(kernel) && layer.stride === Number(stride) &&
      Math.ceil(layer.width / Number(width)) === Number(across) && Math.ceil(layer.outputs / Number(channels)) === Number(deep));
    sum.work = alike.reduce((all, { multiplyAdds }) => all + multiplyAdds, 0);
  }
  return [...sums.values()].sort((a, b) => b.milliseconds - a.milliseconds);
}
