#!/usr/bin/env node
/**
 * Assembles the page: the front end, the module that was built, the models that the project ships.
 *
 *   node scripts/assemble.mjs [--package target/web/package] [--out dist]
 */

import { cp, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { writeIntegrity } from './integrity.mjs';
import { writeOfflineList } from './offline-list.mjs';

const ROOT = resolve(import.meta.dirname, '..');

const { values } = parseArgs({
  options: {
    package: { type: 'string', default: 'target/web/package' },
    out: { type: 'string', default: 'dist' },
  },
});
const out = resolve(ROOT, values.out);
/** Files that only the npm package contains. */
const OF_PACKAGE = /\.(d\.ts|md)$/;
const copy = (/** @type {string} */ from, /** @type {string} */ to) =>
  cp(resolve(ROOT, from), resolve(out, to), { recursive: true, filter: (path) => !OF_PACKAGE.test(path) });

await rm(out, { recursive: true, force: true });
await mkdir(resolve(out, 'weights'), { recursive: true });
await copy('index.html', 'index.html');
await copy('embed.html', 'embed.html');
await copy('www', 'www');
await copy(values.package, 'www/pkg');
await copyVendored();
await copyModels();
// A service worker's folder determines which pages it may control.
await rename(resolve(out, 'www/offline/service-worker.js'), resolve(out, 'service-worker.js'));
await writeIntegrity(out);
await writeOfflineList(out);

/** Copies the programs of others that ship with the page, as they were published, with their licences. */
async function copyVendored() {
  const c2pa = packageFolder('@contentauth/c2pa-wasm');
  for (const file of ['pkg/c2pa.js', 'pkg/c2pa_bg.wasm', 'LICENSE']) {
    await copy(`${c2pa}/${file}`, `www/vendor/c2pa/${basename(file)}`);
  }
}

/** @param {string} name Of an npm package. */
function packageFolder(name) {
  const folder = `node_modules/${name}`;
  if (!existsSync(resolve(ROOT, folder))) throw new Error(`${folder} is missing; run npm ci first`);
  return folder;
}

/** Copies the packs and the two lists of models. */
async function copyModels() {
  for (const entry of await readdir(resolve(ROOT, 'weights'), { withFileTypes: true })) {
    const { name } = entry;
    const isPack = entry.isDirectory() && existsSync(resolve(ROOT, 'weights', name, 'manifest.json'));
    if (isPack || name.endsWith('.json')) await copy(`weights/${name}`, `weights/${name}`);
  }
}
