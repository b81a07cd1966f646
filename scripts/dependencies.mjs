/**
 * The project's dependencies: crates as cargo resolves them for what is built, npm packages as the lock files list
 * them.
 *
 * @typedef {'module' | 'program' | 'tests'} Part In the modules that the page ships or its vendored programs; in the
 *   native program, or needed to build either; in tests and tools alone.
 * @typedef {object} Dependency
 * @property {string} name
 * @property {string} version
 * @property {string | null} licence An SPDX expression, as its package states it.
 * @property {Part} part The first part that contains it.
 * @property {string | null} folder Where its files are.
 * @property {string[]} authors
 * @property {string | null} source The address of its source.
 */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..');
const WASM = 'wasm32-unknown-unknown';
/** In bytes: the metadata of all crates takes a few megabytes. */
const MOST_OUTPUT = 2 ** 28;
/** The lock files, and whether their packages without `dev` ship. */
const LOCK_FILES = [
  { folder: '.', ships: true },
  { folder: 'tests/bench', ships: false },
];

/** Older crates separate their licences with a slash. @param {string} licence */
export const expressionOf = (licence) => licence.replace(/\s*\/\s*/g, ' OR ');

/** @returns {Dependency[]} */
export function dependencies() {
  return [...crates(), ...LOCK_FILES.flatMap(({ folder, ships }) => npmPackages(resolve(ROOT, folder), ships))];
}

/** @returns {Dependency[]} */
function crates() {
  const host = run('rustc', ['--print', 'host-tuple']).trim();
  const platforms = [WASM, host].flatMap((platform) => ['--filter-platform', platform]);
  const metadata = JSON.parse(cargo(['metadata', '--format-version', '1', ...platforms]));
  const known = new Map(metadata.packages.map((/** @type {any} */ found) => [keyOf(found), found]));
  // The metadata names more than is compiled: all that optional features could add. The tree is what is compiled.
  const parts = /** @type {[Part, string[]][]} */ ([
    ['module', tree('normal,no-proc-macro', WASM)],
    ['program', [...tree('normal,build', WASM), ...tree('normal,build', host)]],
    ['tests', [...tree('normal,build,dev', WASM), ...tree('normal,build,dev', host)]],
  ]);
  /** @type {Map<string, Dependency>} */
  const found = new Map();
  for (const [part, keys] of parts) {
    for (const key of keys) if (!found.has(key)) found.set(key, crate(known.get(key), key, part));
  }
  // Crates without a registry are the project's own.
  return [...found.values()].filter(({ name, version }) => known.get(`${name} ${version}`).source !== null);
}

/** @param {any} metadata @param {string} key @param {Part} part @returns {Dependency} */
function crate(metadata, key, part) {
  if (!metadata) throw new Error(`cargo metadata does not know ${key}, which cargo tree lists`);
  const { name, version, license, authors, repository, homepage, manifest_path: manifest } = metadata;
  const source = repository ?? homepage;
  return { name, version, licence: license, part, folder: dirname(manifest), authors, source };
}

/** Names and versions of what is compiled. @param {string} edges @param {string} target @returns {string[]} */
function tree(edges, target) {
  const options = ['--workspace', '--edges', edges, '--target', target, '--prefix', 'none', '--format', '{p}'];
  const lines = cargo(['tree', ...options]).split('\n').filter(Boolean);
  return [...new Set(lines.map((line) => line.replace(/^(\S+) v(\S+).*$/, '$1 $2')))];
}

/** @param {{name: string, version: string}} found */
const keyOf = ({ name, version }) => `${name} ${version}`;

/** @param {string[]} options */
const cargo = (options) => run('cargo', [...options, '--locked']);

/** @param {string} program @param {string[]} options */
function run(program, options) {
  return execFileSync(program, options, { cwd: ROOT, encoding: 'utf8', maxBuffer: MOST_OUTPUT });
}

/** @param {string} folder Of a lock file. @param {boolean} ships @returns {Dependency[]} */
function npmPackages(folder, ships) {
  const { packages } = JSON.parse(readFileSync(resolve(folder, 'package-lock.json'), 'utf8'));
  const entries = Object.entries(packages).filter(([path]) => path !== '');
  return entries.map(([path, { version, license = null, dev = false }]) => {
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    const part = ships && !dev ? 'module' : 'tests';
    return { name, version, licence: license, part, folder: resolve(folder, path), authors: [], source: null };
  });
}
