#!/usr/bin/env node
/**
 * Compares what a site sends with a page that was assembled here: every file by its sha256, and the headers with those
 * of `serve.mjs`.
 *
 *   node scripts/verify-deployment.mjs ADDRESS [--directory dist] [--files-only]
 *
 * Exit code 1 if something differs. This does not detect a host that sends different files to different people.
 */

import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { COMPRESSED } from './compress.mjs';
import { serve } from './serve.mjs';

/** The headers that the page's promises depend on, or that it needs to work. */
const HEADERS = [
  'content-security-policy',
  'content-type',
  'cross-origin-embedder-policy',
  'cross-origin-opener-policy',
  'cross-origin-resource-policy',
  'referrer-policy',
  'x-content-type-options',
];
/** Browsers do not run, apply or compile such a file if its type is wrong. */
const TYPED = /\.(html|js|css|svg|wasm|webmanifest)$/;
/** Requests at a time. */
const AT_ONCE = 6;

/**
 * @param {string} address Of the page's folder, or of its `index.html`.
 * @param {string} folder The assembled page.
 * @param {{filesOnly?: boolean}} [options]
 * @returns {Promise<{files: number, problems: string[]}>}
 */
export async function verify(address, folder, { filesOnly = false } = {}) {
  const paths = await pathsOf(folder);
  const local = await serve({ directories: [folder] });
  try {
    const waiting = [...paths];
    /** @type {string[]} */
    const problems = [];
    const work = async () => {
      for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
        const [theirs, ours] = await Promise.all([address, local.address].map((base) => fetched(base, path)));
        problems.push(...differences(path, theirs, ours, filesOnly));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return { files: paths.length, problems: problems.sort() };
  } finally {
    await local.close();
  }
}

/** @param {string} folder @returns {Promise<string[]>} */
async function pathsOf(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && !COMPRESSED.test(entry.name))
    .map((entry) => relative(folder, resolve(entry.parentPath, entry.name)).split(sep).join('/'));
  if (!paths.includes('service-worker.js')) throw new Error(`${folder} is no assembled page`);
  return paths.sort();
}

/** @typedef {{status: number | string, hash: string, headers: Map<string, string>}} Fetched */

/** @param {string} base @param {string} path @returns {Promise<Fetched>} */
async function fetched(base, path) {
  try {
    const response = await fetch(new URL(path, base));
    const hash = createHash('sha256').update(Buffer.from(await response.arrayBuffer())).digest('hex');
    const names = HEADERS.filter((name) => name !== 'content-type' || TYPED.test(path));
    return { status: response.status, hash, headers: new Map(names.map((name) => [name, plain(response, name)])) };
  } catch (error) {
    const { message, cause } = /** @type {Error & {cause?: Error}} */ (error);
    return { status: cause?.message ?? message, hash: '', headers: new Map() };
  }
}

/** A header's value, without differences that do not matter. @param {Response} response @param {string} name */
function plain({ headers }, name) {
  const value = (headers.get(name) ?? '').trim().replace(/;$/, '');
  // Hosts may state or omit a text's charset.
  if (name === 'content-type') return value.replace(/\s*;.*/, '').replace('application/javascript', 'text/javascript');
  return value;
}

/** @param {string} path @param {Fetched} theirs @param {Fetched} ours @param {boolean} filesOnly */
function differences(path, theirs, ours, filesOnly) {
  if (theirs.status !== 200) return [`${path}: could not be fetched (${theirs.status})`];
  if (theirs.hash !== ours.hash) return [`${path}: another file (sha256 ${theirs.hash}, here ${ours.hash})`];
  if (filesOnly) return [];
  const differing = HEADERS.filter((name) => theirs.headers.get(name) !== ours.headers.get(name));
  return differing.map((name) => {
    const [value, expected] = [theirs, ours].map(({ headers }) => headers.get(name) || 'nothing');
    return `${path}: ${name} is ${value}, expected ${expected}`;
  });
}

async function main() {
  const { values, positionals } = parseArgs({
    options: { directory: { type: 'string', default: 'dist' }, 'files-only': { type: 'boolean' } },
    allowPositionals: true,
  });
  if (positionals.length !== 1) throw new Error('which address? node scripts/verify-deployment.mjs https://…/');
  const filesOnly = values['files-only'];
  const { files, problems } = await verify(positionals[0], resolve(values.directory), { filesOnly });
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
  else console.log(`${files} files are the same${filesOnly ? '' : ', with the same headers'}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main().catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
