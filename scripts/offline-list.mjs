#!/usr/bin/env node
/**
 * Tells the service worker of an assembled page which files it consists of, with lengths and hashes. To be run again
 * after a file of the page was changed or added, because the service worker keeps only what it was told of:
 *
 *   node scripts/offline-list.mjs [dist]
 */

import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const WORKER = 'service-worker.js';
const PAGE = 'index.html';
/** Files of these kinds are small and come when a person opens the page; all others when they are first used. */
const SHELL = /^(?!www\/vendor\/).+\.(html|js|css|json|svg|webmanifest)$|^www\/icons\//;
const RELEASE_IN_PAGE = /(<meta name="release" content=")[^"]*(">)/;
const RELEASE_IN_WORKER = /^const RELEASE = .*;$/m;

/** @param {string} folder The assembled page. */
export async function writeOfflineList(folder) {
  const html = await readFile(resolve(folder, PAGE), 'utf8');
  const script = await readFile(resolve(folder, WORKER), 'utf8');
  if (!RELEASE_IN_PAGE.test(html)) throw new Error(`${PAGE} has no <meta name="release">`);
  if (!RELEASE_IN_WORKER.test(script)) throw new Error(`${WORKER} has no line for the release`);
  const stamped = (/** @type {string} */ version) => Buffer.from(html.replace(RELEASE_IN_PAGE, `$1${version}$2`));
  /** @type {Map<string, Buffer>} */
  const files = new Map();
  for (const path of await pathsOf(folder)) files.set(path, await readFile(resolve(folder, path)));
  // The page says which release it is of, so the release's name comes from everything but that.
  files.set(PAGE, stamped(''));
  const version = hash(JSON.stringify([...files].map(([path, bytes]) => [path, hash(bytes)]))).slice(0, 16);
  files.set(PAGE, stamped(version));
  const list = [...files].map(([path, bytes]) => [path, [bytes.length, hash(bytes), SHELL.test(path) ? 0 : 1]]);
  const release = JSON.stringify({ version, files: Object.fromEntries(list) });
  await writeFile(resolve(folder, PAGE), files.get(PAGE) ?? '');
  await writeFile(resolve(folder, WORKER), script.replace(RELEASE_IN_WORKER, () => `const RELEASE = ${release};`));
}

/** @param {string} folder @returns {Promise<string[]>} Of all files but the service worker, with slashes, sorted. */
async function pathsOf(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, resolve(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((path) => path !== WORKER)
    .sort();
}

/** @param {string | Buffer} content */
const hash = (content) => createHash('sha256').update(content).digest('hex');

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeOfflineList(resolve(process.argv[2] ?? 'dist'));
