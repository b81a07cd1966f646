/** Compressing a page, comparing what a site sends with it, and the examples of hosts in `deploy/`. */

import assert from 'node:assert/strict';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { compress } from '../../scripts/compress.mjs';
import { writeOfflineList } from '../../scripts/offline-list.mjs';
import { serve } from '../../scripts/serve.mjs';
import { verify } from '../../scripts/verify-deployment.mjs';

const ROOT = resolve(import.meta.dirname, '../..');
/** What `serve.mjs` has a policy of its own for, and something that has the common one. */
const FILES = ['index.html', 'embed.html', 'service-worker.js', 'www/models/import-worker.js', 'www/intake/link-worker.js'];

/** The least that is a page. @param {import('node:test').TestContext} context */
async function page(context) {
  const folder = await mkdtemp(join(tmpdir(), 'aedr-page-'));
  context.after(() => rm(folder, { recursive: true }));
  for (const file of ['index.html', 'embed.html']) await cp(join(ROOT, file), join(folder, file));
  await cp(join(ROOT, 'www/offline/service-worker.js'), join(folder, 'service-worker.js'));
  for (const file of FILES.slice(3)) await cp(join(ROOT, file), join(folder, file));
  await cp(join(ROOT, 'www/samples/cat.jpg'), join(folder, 'www/cat.jpg'));
  await writeOfflineList(folder);
  return folder;
}

/** @param {import('node:test').TestContext} context @param {Parameters<typeof serve>[0]} options */
async function served(context, options) {
  const server = await serve(options);
  context.after(() => server.close());
  return server.address;
}

test('compressed files hold what the files hold, and only where it saves something', async (context) => {
  const folder = await page(context);
  await writeFile(join(folder, 'gone.js.br'), 'of a file that is no longer there');
  const files = await compress(folder);
  const html = await readFile(join(folder, 'index.html'));
  assert.deepEqual(brotliDecompressSync(await readFile(join(folder, 'index.html.br'))), html);
  assert.deepEqual(gunzipSync(await readFile(join(folder, 'index.html.gz'))), html);
  const [found] = files.filter(({ path }) => path.endsWith('index.html'));
  assert.equal(found.br, (await readFile(join(folder, 'index.html.br'))).length);
  const names = await readdir(folder, { recursive: true });
  assert.equal(names.includes('gone.js.br'), false);
  assert.deepEqual(names.filter((name) => name.includes('cat.jpg')), ['www/cat.jpg']);
  assert.equal((await compress(folder)).length, files.length);
});

test('the release is the same with compressed files beside it', async (context) => {
  const folder = await page(context);
  const before = await readFile(join(folder, 'service-worker.js'), 'utf8');
  await compress(folder);
  await writeOfflineList(folder);
  assert.equal(await readFile(join(folder, 'service-worker.js'), 'utf8'), before);
});

test('a site that sends the page as it was assembled is found to', async (context) => {
  const folder = await page(context);
  await compress(folder);
  const { files, problems } = await verify(await served(context, { directories: [folder] }), folder);
  assert.deepEqual(problems, []);
  assert.equal(files, FILES.length + 1);
});

test('a file that was changed, and one that is missing, are named', async (context) => {
  const folder = await page(context);
  const copy = await mkdtemp(join(tmpdir(), 'aedr-copy-'));
  context.after(() => rm(copy, { recursive: true }));
  await cp(folder, copy, { recursive: true });
  await writeFile(join(copy, 'www/intake/link-worker.js'), '// another');
  await rm(join(copy, 'www/cat.jpg'));
  const { problems } = await verify(await served(context, { directories: [copy] }), folder);
  assert.equal(problems.length, 2);
  assert.match(problems[0], /^www\/cat\.jpg: could not be fetched \(404\)$/);
  assert.match(problems[1], /^www\/intake\/link-worker\.js: another file \(sha256 [0-9a-f]{64}, here [0-9a-f]{64}\)$/);
});

test('headers that differ are named, unless files alone are asked for', async (context) => {
  const folder = await page(context);
  const options = { directories: [folder], isolated: false, importFrom: 'https://example.org' };
  const address = await served(context, options);
  const { problems } = await verify(address, folder);
  for (const expected of [
    /^index\.html: cross-origin-opener-policy is nothing, expected same-origin$/,
    /^www\/models\/import-worker\.js: content-security-policy is .*example\.org/,
  ]) {
    assert.ok(problems.some((problem) => expected.test(problem)), String(expected));
  }
  assert.deepEqual((await verify(address, folder, { filesOnly: true })).problems, []);
});

test('a site that is not there, and a folder that is no page, are told', async (context) => {
  const folder = await page(context);
  const server = await serve({ directories: [folder] });
  await server.close();
  const { problems } = await verify(server.address, folder);
  assert.equal(problems.length, FILES.length + 1);
  assert.match(problems[0], /could not be fetched \(.*ECONNREFUSED/);
  await assert.rejects(verify(server.address, join(folder, 'www')), /is no assembled page/);
});

test('the examples of hosts send the policies that the server here sends', async (context) => {
  const address = await served(context, { directories: [await page(context)] });
  const examples = await readdir(join(ROOT, 'deploy'));
  assert.ok(examples.length >= 4);
  for (const name of examples) {
    const example = await readFile(join(ROOT, 'deploy', name), 'utf8');
    for (const file of FILES) {
      const { headers } = await fetch(new URL(file, address));
      for (const header of [
        'content-security-policy',
        'cross-origin-embedder-policy',
        'cross-origin-opener-policy',
        'cross-origin-resource-policy',
        'referrer-policy',
        'x-content-type-options',
      ]) {
        const value = String(headers.get(header));
        const sends = example.toLowerCase().includes(header) && example.includes(value);
        assert.ok(sends, `deploy/${name} has no ${header}: ${value} (for ${file})`);
      }
    }
  }
});
