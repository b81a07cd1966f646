#!/usr/bin/env node
/**
 * Downloads official files of autoencoders, packs them and checks the samples with them:
 *
 *   node scripts/official.mjs [ID…] [--into official] [--precision q12] [--catalog weights/catalog.json]
 *
 * IDs are those of the catalogue; by default all. An interrupted download resumes. For files that are only for users
 * who signed in, HF_TOKEN is sent along. docs/official-weights.md has more.
 */

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs, promisify } from 'node:util';

const ROOT = resolve(import.meta.dirname, '..');
const PROGRAM = resolve(ROOT, 'target/release/aedr');
const ATTEMPTS = 5;
const run = promisify(execFile);

const { values: options, positionals: ids } = parseArgs({
  allowPositionals: true,
  options: {
    into: { type: 'string', default: 'official' },
    precision: { type: 'string', default: 'q12' },
    catalog: { type: 'string', default: resolve(ROOT, 'weights/catalog.json') },
  },
});

const { entries } = JSON.parse(await readFile(options.catalog, 'utf8'));
const unknown = ids.filter((id) => !entries.some((/** @type {any} */ entry) => entry.id === id));
if (unknown.length > 0) throw new Error(`the catalogue has no ${unknown.join(', ')}`);
if (!existsSync(PROGRAM)) throw new Error('the program is not built: cargo build --release');

let failures = 0;
for (const entry of entries.filter((/** @type {any} */ { id }) => ids.length === 0 || ids.includes(id))) {
  try {
    console.log(`\n${entry.id}: ${entry.name}`);
    await official(entry);
  } catch (error) {
    failures += 1;
    console.log(`  FAILED: ${error.stderr?.trim() || error.message}`);
  }
}
process.exitCode = failures > 0 ? 1 : 0;

/** @param {any} entry */
async function official(entry) {
  const folder = resolve(options.into, 'files', entry.id);
  await mkdir(folder, { recursive: true });
  const paths = [];
  for (const file of entry.files) paths.push(await fetchFile(entry, file, folder));
  const input = paths.length === 1 ? paths : ['--encoder', paths[0], '--decoder', paths[1]];
  const packs = resolve(options.into, 'packs');
  const how = ['--precision', options.precision, '--entry', entry.id, '--catalog', options.catalog];
  const packed = await run(PROGRAM, ['pack', ...input, ...how, '--out', resolve(packs, entry.id)]);
  console.log(`  ${packed.stdout.trim()}`);
  const samples = resolve(ROOT, 'www/samples');
  const names = (await readdir(samples)).filter((name) => /\.(png|jpg)$/.test(name));
  const images = names.map((name) => resolve(samples, name));
  const { stdout } = await run(PROGRAM, ['check', ...images, '--weights', packs, '--model', entry.id, '--json'], {
    maxBuffer: 2 ** 26,
  });
  for (const line of stdout.trim().split('\n')) {
    const { image, signal, outcome, losses } = JSON.parse(line);
    const [first, second] = [losses.first, losses.second].map((loss) => loss.toExponential(3));
    console.log(`  ${basename(image.path)}: L1 ${first}, L2 ${second}, t ${signal.toFixed(4)}, ${outcome}`);
  }
}

/** @param {any} entry @param {any} file @param {string} folder @returns {Promise<string>} */
async function fetchFile(entry, { file, address, bytes, sha256 }, folder) {
  const { gated } = entry;
  const path = resolve(folder, basename(file));
  if (!existsSync(path)) {
    const where = `https://huggingface.co/${entry.repository}`;
    if (!address) throw new Error(`no address is known: save ${file} of ${where} as ${path}`);
    for (let attempt = 1; ; attempt += 1) {
      try {
        await download(address, `${path}.part`, bytes);
        break;
      } catch (error) {
        // A site that sent a part will send the rest: a signed address has expired, or there were too many requests.
        const refused = error.status === 403 && !gated && existsSync(`${path}.part`);
        if (error.status === 401 || (error.status === 403 && (gated || error.code === 'GatedRepo'))) {
          throw new Error(`signing in is needed: set HF_TOKEN, or save ${file} of ${where} as ${path}`);
        }
        if (attempt === ATTEMPTS || (error.status >= 400 && error.status < 500 && error.status !== 429 && !refused)) throw error;
        console.log(`  ${error.message}; going on`);
        await new Promise((done) => setTimeout(done, 1000 * 2 ** attempt));
      }
    }
    await rename(`${path}.part`, path);
  }
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  const found = hash.digest('hex');
  const { size } = await stat(path);
  if (sha256 && found !== sha256) throw new Error(`${path} has the sha256 ${found}, ${sha256} is known: remove it`);
  if (bytes && size !== bytes) throw new Error(`${path} has ${size} bytes, ${bytes} are known: remove it`);
  console.log(`  ${file}: ${size} bytes, sha256 ${found} ${sha256 ? 'as known' : '(not known before)'}`);
  return path;
}

/**
 * Resumes where an earlier download ended.
 * @param {string} address @param {string} path @param {number | null} bytes The file's length, if it is known.
 */
async function download(address, path, bytes) {
  const start = existsSync(path) ? (await stat(path)).size : 0;
  /** @type {Record<string, string>} */
  const headers = start > 0 ? { Range: `bytes=${start}-` } : {};
  if (process.env.HF_TOKEN && new URL(address).host === 'huggingface.co') {
    headers.Authorization = `Bearer ${process.env.HF_TOKEN}`;
  }
  const response = await fetch(address, { headers });
  const [, first, length] = /^bytes (?:(\d+)-\d+|\*)\/(\d+|\*)$/.exec(response.headers.get('content-range') ?? '') ?? [];
  // The file was complete already.
  if (response.status === 416 && (!length || Number(length) === start)) return;
  if (response.status === 416 || (response.status === 206 && (Number(first) !== start || isAnother(length, bytes)))) {
    await response.body?.cancel();
    await rm(path);
    throw new Error(`${address} gave another part than was asked for, or is another file now`);
  }
  if (!response.ok || !response.body) {
    const code = response.headers.get('x-error-code');
    throw Object.assign(new Error(`${address} answered ${response.status}`), { status: response.status, code });
  }
  const flags = response.status === 206 ? 'a' : 'w';
  await pipeline(Readable.fromWeb(/** @type {any} */ (response.body)), createWriteStream(path, { flags }));
}

/** @param {string | undefined} length As the site says: digits, or missing. @param {number | null} bytes */
function isAnother(length, bytes) {
  return Boolean(bytes && Number(length) && Number(length) !== bytes);
}
