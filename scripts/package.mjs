#!/usr/bin/env node
/**
 * Makes the npm package: the front end's modules for other sites, bundled, with the module that was built and the
 * demonstration model.
 *
 *   node scripts/package.mjs [--package target/web/package] [--out target/npm] [--licences FILE]
 *
 * `--licences`: the licence texts of others, if they are not with the module, where `build-page.sh` puts them. The
 * package's folder is OUT/package, and its archive OUT/aedr-VERSION.tgz.
 */

import { execFileSync } from 'node:child_process';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const ROOT = resolve(import.meta.dirname, '..');
const MODEL = 'aedr-small';

const { values } = parseArgs({
  options: {
    package: { type: 'string', default: 'target/web/package' },
    out: { type: 'string', default: 'target/npm' },
    licences: { type: 'string' },
  },
});
const out = resolve(ROOT, values.out);
/** The page as it is served: the module is in its place and every hash is known. */
const page = resolve(out, 'page');
const folder = resolve(out, 'package');

await rm(out, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
run('node', ['scripts/assemble.mjs', '--package', values.package, '--out', page], ROOT);
await bundleEntries();
await bundleWorkers();
await copyFiles();
await writeManifest();
run('npm', ['pack', '--silent', '--pack-destination', out], folder);
await rm(page, { recursive: true });
console.log(`The package is ${(await readdir(out)).find((name) => name.endsWith('.tgz'))}, in ${out}`);

/**
 * The entries that pages import. They are not minified: people who put someone else's program into a site can read what
 * it does, sites minify what they bundle, and nearly all that a visitor downloads is the module and the model.
 */
async function bundleEntries() {
  await bundle({
    entryPoints: {
      index: resolve(page, 'www/embed/public/checker.js'),
      element: resolve(page, 'www/embed/public/define.js'),
      frame: resolve(page, 'www/embed/public/connect.js'),
    },
    // Shared parts exist once: a Trusted Types policy `aedr` can be created only once, and errors share one class.
    splitting: true,
    chunkNames: '[name]-[hash]',
    plugins: [replacing({ 'www/embed/internal/locations.js': async () => locationsSource() })],
  });
}

/** Bundles each worker into one file, so that a site can put it anywhere. */
async function bundleWorkers() {
  await bundle({
    entryPoints: { worker: resolve(page, 'www/engine/worker.js'), helper: resolve(page, 'www/engine/helper.js') },
    plugins: [
      replacing({
        'www/engine/wasm-module.js': replaced("'../pkg/aedr_bg.wasm'", "'./aedr.wasm'"),
        'www/pkg/aedr.js': replaced("'aedr_bg.wasm'", "'./aedr.wasm'"),
      }),
    ],
  });
}

/** @param {import('esbuild').BuildOptions} options */
async function bundle(options) {
  await build({
    bundle: true,
    format: 'esm',
    target: 'es2022',
    charset: 'utf8',
    outdir: folder,
    logLevel: 'warning',
    ...options,
  });
}

/**
 * An esbuild plugin that replaces the text of some of the page's modules.
 * @param {Record<string, (text: string) => Promise<string>>} modules
 * @returns {import('esbuild').Plugin}
 */
function replacing(modules) {
  const paths = new Map(Object.entries(modules).map(([path, change]) => [resolve(page, path), change]));
  return {
    name: 'replacing',
    setup(bundler) {
      bundler.onLoad({ filter: /\.js$/ }, async ({ path }) => {
        const change = paths.get(path);
        return change ? { contents: await change(await readFile(path, 'utf8')), loader: 'js' } : null;
      });
    },
  };
}

/** @param {string} from @param {string} to */
function replaced(from, to) {
  return async (/** @type {string} */ text) => {
    if (text.split(from).length !== 2) throw new Error(`${from} is not there once`);
    return text.replace(from, to);
  };
}

/**
 * The locations of the parts in the package: beside the module that names them. Bundlers that know `new URL` copy such
 * files and rename them, so no file may look for another beside itself. For the same reason everything of the model but
 * its weights is in the text, where nobody can change it on the way, either.
 */
async function locationsSource() {
  const pack = resolve(page, 'weights', MODEL);
  const read = (/** @type {string} */ file) => readFile(resolve(pack, file), 'utf8');
  const [manifestText, calibrationText] = [await read('manifest.json'), await read('calibration.json')];
  const address = (/** @type {string} */ file) => `new URL('./weights/${MODEL}/${file}', import.meta.url).href`;
  const files = JSON.parse(manifestText).shards.map((/** @type {{file: string}} */ { file }) => file);
  const shards = files.map((/** @type {string} */ file) => `'${file}': ${address(file)}`);
  return `
export const WORKER = new URL('./worker.js', import.meta.url);
export const PARTS = {
  wasm: new URL('./aedr.wasm', import.meta.url),
  helper: new URL('./helper.js', import.meta.url),
};
export const DEMONSTRATION = {
  id: '${MODEL}',
  manifestText: ${JSON.stringify(manifestText)},
  calibrationText: ${JSON.stringify(calibrationText)},
  shards: { ${shards.join(', ')} },
};
`;
}

async function copyFiles() {
  const types = { index: 'index', element: 'element', connect: 'frame', report: 'report' };
  for (const [from, to] of Object.entries(types)) await copy(`www/embed/public/${from}.d.ts`, `${to}.d.ts`);
  await copy(resolve(page, 'www/pkg/aedr_bg.wasm'), 'aedr.wasm');
  await copy(resolve(page, 'weights', MODEL), `weights/${MODEL}`);
  await copy('www/report-1.schema.json', 'report-1.schema.json');
  await copy('www/report-2.schema.json', 'report-2.schema.json');
  await copy('www/embed/public/package-readme.md', 'README.md');
  for (const name of ['LICENSE-MIT', 'LICENSE-APACHE']) await copy(name, name);
  await copy(values.licences ?? resolve(page, 'www/pkg/licences.txt'), 'licences.txt');
}

/** @param {string} from @param {string} to */
function copy(from, to) {
  return cp(resolve(ROOT, from), resolve(folder, to), { recursive: true });
}

async function writeManifest() {
  const cargo = await readFile(resolve(ROOT, 'Cargo.toml'), 'utf8');
  const member = (/** @type {string} */ name) => new RegExp(`^${name} = "(.+)"$`, 'm').exec(cargo)?.[1];
  const entry = (/** @type {string} */ name) => ({ types: `./${name}.d.ts`, default: `./${name}.js` });
  const manifest = {
    name: 'aedr',
    version: member('version'),
    description: 'Tells whether an image came out of a latent diffusion model’s autoencoder, in the reader’s browser',
    keywords: ['image', 'provenance', 'latent diffusion', 'autoencoder', 'webgpu', 'webassembly'],
    license: member('license'),
    type: 'module',
    exports: {
      '.': entry('index'),
      './element': entry('element'),
      './frame': entry('frame'),
      './worker.js': './worker.js',
      './helper.js': './helper.js',
      './aedr.wasm': './aedr.wasm',
      './weights/*': './weights/*',
      './report-1.schema.json': './report-1.schema.json',
      './report-2.schema.json': './report-2.schema.json',
      './package.json': './package.json',
    },
    // Importing the element defines it; the workers start to listen.
    sideEffects: ['./element.js', './worker.js', './helper.js'],
  };
  await writeFile(resolve(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

/** @param {string} program @param {string[]} parts @param {string} cwd */
function run(program, parts, cwd) {
  execFileSync(program, parts, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
}
