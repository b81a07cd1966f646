#!/usr/bin/env node
/**
 * Compresses the files of an assembled page, for hosts that send NAME.br or NAME.gz in place of NAME. Run it again, as
 * the last step, after each change:
 *
 *   node scripts/compress.mjs [dist]
 */

import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { brotliCompress, constants, gzip } from 'node:zlib';

/** Files that an earlier run made. */
export const COMPRESSED = /\.(br|gz)$/;
/** A file that compression shortens by less than this share is sent as it is: images and the like. */
const LEAST_SAVED = 0.05;

/** By file name extension. The slowest and best settings: a file is compressed once and sent often. */
const METHODS = {
  br: (/** @type {Buffer} */ bytes) =>
    promisify(brotliCompress)(bytes, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
        [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
        [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
      },
    }),
  gz: (/** @type {Buffer} */ bytes) => promisify(gzip)(bytes, { level: constants.Z_BEST_COMPRESSION }),
};

/**
 * @param {string} folder The assembled page.
 * @returns {Promise<{path: string, bytes: number, br: number, gz: number}[]>} Lengths as they are sent.
 */
export async function compress(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => resolve(entry.parentPath, entry.name));
  await Promise.all(paths.filter((path) => COMPRESSED.test(path)).map((path) => rm(path)));
  return Promise.all(paths.filter((path) => !COMPRESSED.test(path)).map(compressFile));
}

/** @param {string} path */
async function compressFile(path) {
  const bytes = await readFile(path);
  const lengths = { br: bytes.length, gz: bytes.length };
  for (const ending of /** @type {const} */ (['br', 'gz'])) {
    const compressed = await METHODS[ending](bytes);
    if (compressed.length > bytes.length * (1 - LEAST_SAVED)) continue;
    await writeFile(`${path}.${ending}`, compressed);
    lengths[ending] = compressed.length;
  }
  return { path, bytes: bytes.length, ...lengths };
}

async function main() {
  const folder = resolve(process.argv[2] ?? 'dist');
  const files = await compress(folder);
  const line = (/** @type {string} */ name, /** @type {{bytes: number, br: number, gz: number}[]} */ some) => {
    const sum = (/** @type {'bytes' | 'gz' | 'br'} */ key) => some.reduce((total, file) => total + file[key], 0);
    console.log(`${name}: ${sum('bytes')} bytes, ${sum('gz')} with gzip, ${sum('br')} with brotli`);
  };
  const largest = [...files].sort((a, b) => b.bytes - a.bytes).slice(0, 4);
  for (const file of largest) line(file.path.slice(folder.length + 1), [file]);
  line(`all ${files.length} files`, files);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
