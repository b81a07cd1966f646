#!/usr/bin/env node
/**
 * What some tests need and not every machine has. Such a test is skipped and says so; where `AEDR_REQUIRE` names what
 * the machine lacks, the test fails. tests/native/requirements.rs does the same for the Rust tests.
 *
 *   node scripts/requirements.mjs found      prints the names of what is there, separated by commas, for AEDR_REQUIRE
 *   node scripts/requirements.mjs missing    prints a line for each that is not: its name, and why
 *   node scripts/requirements.mjs packages   prints the Debian packages of those that a package has
 *   node scripts/requirements.mjs check      fails if AEDR_REQUIRE names what nobody knows, or what is not there
 */

import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = resolve(import.meta.dirname, '..');
const { env } = process;

export const FIREFOX = env.FIREFOX ?? '/usr/bin/firefox-esr';
export const WEBKIT_DRIVER = env.WEBKIT_DRIVER ?? '/usr/bin/WebKitWebDriver';
/** The browser that WebKitGTK's driver controls; null if there is none. */
export const WEBKIT_BROWSER = env.WEBKIT_BROWSER ?? below('/usr/lib', 'webkit2gtk-4.1/MiniBrowser');
export const REFERENCE = env.AEDR_REFERENCE ?? resolve(ROOT, '../shared/reference');

/**
 * @typedef {object} Requirement
 * @property {string} what
 * @property {string[]} packages Debian's.
 * @property {() => string | null} lack Why tests must skip it; null if it is there, or if only a test can find out.
 * @property {boolean} [told] Only a test can find out.
 */

/** By the names that AEDR_REQUIRE knows. @type {Record<string, Requirement>} */
export const REQUIREMENTS = {
  gpu: {
    what: 'a graphics adapter for native tests; a software one counts',
    packages: ['libvulkan1', 'mesa-vulkan-drivers'],
    lack: () => (hasGraphics() ? null : 'there is no driver for Vulkan, and none for EGL'),
  },
  f16: { what: 'a graphics adapter whose shaders know f16', packages: [], lack: () => null, told: true },
  reference: { what: 'the reference data', packages: [], lack: () => absent(REFERENCE) },
  firefox: { what: 'Firefox', packages: ['firefox-esr'], lack: () => absent(FIREFOX) },
  webkit: {
    what: 'WebKitGTK, its driver and a display',
    packages: ['libwebkit2gtk-4.1-0', 'webkit2gtk-driver', 'xauth', 'xvfb'],
    lack: () =>
      absent(WEBKIT_DRIVER) ??
      absent(WEBKIT_BROWSER ?? 'MiniBrowser') ??
      (env.DISPLAY || inPath('xvfb-run') ? null : 'there is no display, and no xvfb-run'),
  },
};

/** What AEDR_REQUIRE names. */
const required = () => (env.AEDR_REQUIRE ?? '').split(',').map((name) => name.trim()).filter(Boolean);

/**
 * Whether a test must stop here, because the machine lacks something. The test is then marked as skipped.
 * @param {import('node:test').TestContext} test @param {keyof typeof REQUIREMENTS} name
 * @returns {boolean}
 * @throws {Error} if AEDR_REQUIRE names it.
 */
export function goesWithout(test, name) {
  const why = REQUIREMENTS[name].lack();
  if (why === null) return false;
  if (required().includes(name)) throw new Error(`AEDR_REQUIRE names ${name}, which this test lacks: ${why}`);
  test.skip(`without ${name}: ${why}`);
  return true;
}

/** @param {string} path */
const absent = (path) => (existsSync(path) ? null : `${path} is not there`);

/** @param {string} program */
const inPath = (program) => (env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)));

/** A file below one of a folder's folders, whose name is the machine's kind. @param {string} folder @param {string} path */
function below(folder, path) {
  if (!existsSync(folder)) return null;
  const found = readdirSync(folder).map((name) => join(folder, name, path));
  return found.find((file) => existsSync(file)) ?? null;
}

/** Environment variables and folders from which loaders of graphics drivers take their drivers. */
const LOADERS = [
  { told: ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES'], folder: 'vulkan/icd.d' },
  { told: ['__EGL_VENDOR_LIBRARY_FILENAMES'], folder: 'glvnd/egl_vendor.d' },
];

/** Whether there are drivers that wgpu can use; macOS and Windows come with theirs. */
function hasGraphics() {
  if (process.platform !== 'linux') return true;
  return LOADERS.some(({ told, folder }) => {
    const named = told.map((name) => env[name]).find((value) => value !== undefined);
    if (named !== undefined) return named.split(delimiter).some((file) => file.endsWith('.json') && existsSync(file));
    const folders = ['/usr/share', '/usr/local/share', '/etc'].map((parent) => join(parent, folder));
    return folders.some((found) => existsSync(found) && readdirSync(found).some((name) => name.endsWith('.json')));
  });
}

function main() {
  const all = Object.entries(REQUIREMENTS).map(([name, found]) => ({ name, ...found, why: found.lack() }));
  const missing = all.filter(({ why }) => why !== null);
  switch (process.argv[2]) {
    case 'found':
      console.log(all.filter(({ why, told }) => why === null && !told).map(({ name }) => name).join());
      break;
    case 'missing':
      for (const { name, what, why } of missing) console.log(`${name} (${what}): ${why}`);
      break;
    case 'packages':
      console.log(missing.flatMap(({ packages }) => packages).join(' '));
      break;
    case 'check': {
      const unknown = required().filter((name) => !(name in REQUIREMENTS));
      const lacking = missing.filter(({ name }) => required().includes(name));
      for (const name of unknown) console.error(`AEDR_REQUIRE names ${name}; known are ${Object.keys(REQUIREMENTS).join()}`);
      for (const { name, why } of lacking) console.error(`AEDR_REQUIRE names ${name}: ${why}`);
      process.exitCode = unknown.length + lacking.length > 0 ? 1 : 0;
      break;
    }
    default:
      console.error('usage: requirements.mjs found | missing | packages | check');
      process.exitCode = 2;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
