#!/usr/bin/env node
/**
 * Writes the list of an assembled page's files, with lengths and hashes, into its service worker. Run it again after a
 * file of the page was changed or added: the service worker keeps only listed files, and the page uses no module and no
 * model but the one whose hash it knows (`integrity.mjs`, which runs first):
 *
 *   node scripts/offline-list.mjs [dist]
 */

import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { COMPRESSED } from './compress.mjs';
import { writeIntegrity } from './integrity.mjs';

const WORKER = 'service-worker.js';
/** The page, and the one for frames in other sites. */
const PAGES = ['index.html', 'embed.html'];
/** Small files that load when a person opens the page; all others load when they are first used. */
const SHELL = /^(?!www\/vendor\/).+\.(html|js|css|json|svg|webmanifest)$|^www\/icons\//;
const RELEASE_IN_PAGE = /(<meta name="release" content=")[^"]*(">)/;
const RELEASE_IN_WORKER = /^const RELEASE = .*;$/m;

/** @param {string} folder The assembled page. */
export async function writeOfflineList(folder) {
  const script = await readFile(resolve(folder, WORKER), 'utf8');
  if (!RELEASE_IN_WORKER.test(script)) throw new Error(`${WORKER} has no line for the release`);
  /** @type {Map<string, Buffer>} */
  const files = new Map();
  for (const path of await pathsOf(folder)) files.set(path, await readFile(resolve(folder, path)));
  // Pages contain the release's name, so that name is the hash of everything else.
  for (const page of PAGES) files.set(page, stamped(files, page, ''));
  const version = hash(JSON.stringify([...files].map(([path, bytes]) => [path, hash(bytes)]))).slice(0, 16);
  for (const page of PAGES) files.set(page, stamped(files, page, version));
  const list = [...files].map(([path, bytes]) => [path, [bytes.length, hash(bytes), SHELL.test(path) ? 0 : 1]]);
  const release = JSON.stringify({ version, files: Object.fromEntries(list) });
  for (const page of PAGES) await writeFile(resolve(folder, page), files.get(page) ?? '');
  await writeFile(resolve(folder, WORKER), script.replace(RELEASE_IN_WORKER, () => `const RELEASE = ${release};`));
}

/** @param {Map<string, Buffer>} files @param {string} page @param {string} version */
function stamped(files, page, version) {
  const html = files.get(page)?.toString() ?? '';
  if (!RELEASE_IN_PAGE.test(html)) throw new Error(`${page} has no <meta name="release">`);
  return Buffer.from(html.replace(RELEASE_IN_PAGE, `$1${version}$2`));
}

/** @param {string} folder @returns {Promise<string[]>} Of all files but the service worker, with slashes, sorted. */
async function pathsOf(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, resolve(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((path) => path !== WORKER && !COMPRESSED.test(path))
    .sort();
}

/** @param {string | Buffer} content */
const hash = (content) => createHash('sha256').update(content).digest('hex');

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = resolve(process.argv[2] ?? 'dist');
  await writeIntegrity(folder);
  await writeOfflineList(folder);
}
