#!/usr/bin/env node
/**
 * Serves the demonstrations of aedr in other sites' pages, with the headers that such a site could send. For the frame,
 * it also serves the page itself, from another origin.
 *
 *   node scripts/demos.mjs [--port 8090] [--page dist] [--package target/npm/package]
 *
 * Without the npm package, its entry is built from the page's own modules, which are not bundled.
 */

import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { serve } from './serve.mjs';

const ROOT = resolve(import.meta.dirname, '..');

/** The policy with the least that the element needs; everything else is forbidden. */
export const STRICT = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "connect-src 'self'",
  "img-src 'self' blob:",
  "style-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  'trusted-types aedr',
].join('; ');

/**
 * @param {{page: string, package: string, port?: number, policy?: string}} options `page` and `package` are folders.
 *   `policy`: another for the strict page.
 * @returns {Promise<{address: string, page: string, close: () => Promise<void>}>} `page`: the page's address.
 */
export async function serveDemos({ page, package: packaged, port = 0, policy = STRICT }) {
  const folder = await mkdtemp(resolve(tmpdir(), 'aedr-demos-'));
  await cp(resolve(page, 'www/samples'), resolve(folder, 'samples'), { recursive: true });
  await cp(resolve(page, 'www/favicon.svg'), resolve(folder, 'favicon.svg'));
  await (existsSync(packaged) ? copyPackage(packaged, folder) : copyModules(page, folder));
  const frame = await serve({ directories: [page] });
  const { origin } = new URL(frame.address);
  await writeFile(resolve(folder, 'page.json'), `${JSON.stringify({ origin })}\n`);
  const headers = (/** @type {string} */ path) => ({ 'Content-Security-Policy': policyOf(path, origin, policy) });
  const demos = await serve({ directories: [resolve(ROOT, 'demos'), folder], port, headers });
  const close = async () => {
    await Promise.all([demos.close(), frame.close()]);
    await rm(folder, { recursive: true });
  };
  return { address: demos.address, page: frame.address, close };
}

/** @param {string} path @param {string} page @param {string} strict */
function policyOf(path, page, strict) {
  return path === '/frame.html' ? `${STRICT}; frame-src ${page}` : strict;
}

/** @param {string} packaged @param {string} folder */
async function copyPackage(packaged, folder) {
  await cp(packaged, resolve(folder, 'aedr'), { recursive: true });
}

/** @param {string} page @param {string} folder */
async function copyModules(page, folder) {
  const modules = resolve(folder, 'aedr/modules');
  await mkdir(modules, { recursive: true });
  await cp(resolve(page, 'www'), resolve(modules, 'www'), { recursive: true });
  await cp(resolve(page, 'weights'), resolve(modules, 'weights'), { recursive: true });
  await writeFile(resolve(folder, 'aedr/element.js'), "import './modules/www/embed/public/define.js';\n");
  await writeFile(resolve(folder, 'aedr/frame.js'), "export * from './modules/www/embed/public/connect.js';\n");
}

async function main() {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '8090' },
      page: { type: 'string', default: 'dist' },
      package: { type: 'string', default: 'target/npm/package' },
    },
  });
  const [page, packaged] = [resolve(ROOT, values.page), resolve(ROOT, values.package)];
  if (!existsSync(resolve(page, 'index.html'))) throw new Error(`${page} has no index.html; build the page first`);
  const demos = await serveDemos({ page, package: packaged, port: Number(values.port) });
  console.log(`The demonstrations are at ${demos.address}, the page is at ${demos.page}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main().catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
