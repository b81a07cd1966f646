/** Writes the hashes of the files that an assembled page fetches to check an image into that page. */

import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';

const LIST = 'www/engine/integrity.js';
const LINE = /^export const INTEGRITY = .*;$/m;
const PROGRAMS = ['www/pkg/aedr_bg.wasm', 'www/pkg/renderer_bg.wasm', 'www/vendor/c2pa/c2pa_bg.wasm'];
/** Weights are not included: a manifest has their hashes. */
const OF_MODELS = /^(index|catalog|[^/]+\/(manifest|calibration))\.json$/;

/** @param {string} folder The assembled page. */
export async function writeIntegrity(folder) {
  const weights = await readdir(resolve(folder, 'weights'), { recursive: true });
  const ofModels = weights.map((path) => path.replaceAll('\\', '/')).filter((path) => OF_MODELS.test(path));
  const paths = [...PROGRAMS, ...ofModels.map((path) => `weights/${path}`).sort()];
  const hashes = await Promise.all(paths.map(async (path) => [path, await integrityOf(resolve(folder, path))]));
  const list = resolve(folder, LIST);
  const script = await readFile(list, 'utf8');
  if (!LINE.test(script)) throw new Error(`${LIST} has no line for the hashes`);
  const stamped = `export const INTEGRITY = ${JSON.stringify(Object.fromEntries(hashes))};`;
  await writeFile(list, script.replace(LINE, () => stamped));
}

/** @param {string} file */
export async function integrityOf(file) {
  return `sha256-${createHash('sha256').update(await readFile(file)).digest('base64')}`;
}
