/** Adding models in the page, by a person's actions, from a site that stands in for a hub. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { after, before, test } from 'node:test';
import {
  chooseDevice,
  DIST,
  give,
  launch,
  openModels,
  openPage,
  ROOT,
  sampleBytes,
  sampleList,
  serve,
  settled,
  withCatalog,
  withoutIntegrity,
} from '../support/browser.mjs';
import { everythingBelongs } from '../support/calibrations.mjs';
import { checkpointOf } from '../support/checkpoint-file.mjs';
import { encode } from '../support/encoded-images.mjs';
import { busyPng, png } from '../support/image-files.mjs';
import { ANY, english, pattern } from '../support/messages.mjs';
import { modelSite } from '../support/model-site.mjs';

const GOLDEN = resolve(ROOT, 'tests/goldens/kl_quant');
const NAME = 'Painter';
const GIB = 2 ** 30;
/** What the line of a model without calibration says of a photograph. */
const NOTHING_FOUND = english.lines.outcomes.no_trace;
/** What the browser says of failures that a test makes. */
const FAILED_LOAD = /Failed to load resource|blocked by CORS policy|net::ERR/;

/** @type {Awaited<ReturnType<typeof serve>>} */
let server;
/** @type {Awaited<ReturnType<typeof modelSite>>} */
let site;
/** @type {import('playwright-core').Browser} */
let browser;
/** @type {Buffer} */
let weights;
/** @type {Buffer} A file whose architecture is plain from its shapes. */
let tiny;
/** A file of more than 4 GiB, which is never there as a whole, and one of some megabytes. @type {ReturnType<typeof checkpointOf>[]} */
let [huge, part] = [];
/** @type {any} */
let architecture;
/** @type {import('../../../www/intake/samples.js').Sample} */
let sample;

before(async () => {
  weights = await readFile(resolve(GOLDEN, 'model.safetensors'));
  architecture = JSON.parse(await readFile(resolve(ROOT, 'dist-test/packs/kl_quant/manifest.json'), 'utf8')).architecture;
  tiny = await readFile(resolve(ROOT, 'tests/goldens/tiny_taesd/model.safetensors'));
  const text = Buffer.from('PK\x03\x04 and so on, as PyTorch writes');
  huge = checkpointOf(weights, 5 * GIB + 3, 2 * GIB);
  part = checkpointOf(weights, 12e6, 12e6);
  site = await modelSite({
    'vae.safetensors': weights,
    'tiny.safetensors': tiny,
    'vae.pt': text,
    'short.safetensors': weights.subarray(0, 9000),
    'huge.safetensors': huge,
    // Cut behind the autoencoder, where nothing is missing but the end.
    'huge-short.safetensors': { ...huge, length: huge.length - 1 },
    'part.safetensors': part,
    'part-short.safetensors': { ...part, length: part.length - 1 },
  });
  server = await serve({ directories: [DIST], importFrom: site.origin });
  browser = await launch();
  sample = (await sampleList()).find(({ decoded }) => !decoded);
});

/** What to do at the end. @type {(() => Promise<unknown>)[]} */
const ended = [];

after(async () => {
  await browser?.close();
  await server?.close();
  await site?.close();
  for (const end of ended) await end();
});

/** @param {Buffer} bytes */
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** @param {string} how @param {Record<string, any>} [changes] */
function entry(how, changes = {}) {
  const file = { file: 'vae.safetensors', address: `${site.origin}/${how}/vae.safetensors`, bytes: weights.length };
  return {
    id: 'painter',
    name: NAME,
    architecture,
    serves: ['Painter One'],
    shares: [],
    repository: 'somebody/painter',
    files: [{ ...file, about_megabytes: 1, sha256: sha256(weights) }],
    licence: 'MIT',
    gated: false,
    recommended_sizes: [512],
    calibration: null,
    ...changes,
  };
}

/**
 * A page whose catalogue is these entries.
 * @param {any[]} entries @param {{script?: string}} [options] `script` runs first in the worker that adds models.
 */
async function open(entries, { script } = {}) {
  const opened = await openPage(browser, 'about:blank');
  const { context, page } = opened;
  await withCatalog(context, entries);
  await page.goto(script ? await addressWith(script) : server.address);
  return opened;
}

/** The page, with this before all else in the worker that adds models. @param {string} script */
async function addressWith(script) {
  const folder = await mkdtemp(resolve(tmpdir(), 'aedr-'));
  await mkdir(resolve(folder, 'www/models'), { recursive: true });
  const worker = await readFile(resolve(DIST, 'www/models/import-worker.js'), 'utf8');
  await writeFile(resolve(folder, 'www/models/import-worker.js'), `${script}\n${worker}`);
  const changed = await serve({ directories: [folder, DIST], importFrom: site.origin });
  ended.push(changed.close, () => rm(folder, { recursive: true }));
  return changed.address;
}

/** The models on this device as the dialog lists them. @param {import('playwright-core').Page} page */
const here = (page) => page.locator('#models-here > li').allInnerTexts();

/** @param {import('playwright-core').Page} page */
async function added(page) {
  const item = page.locator('#models-here > li[data-key]:not([data-key=""])').and(page.locator(':not([data-state=unfinished])'));
  await item.waitFor({ timeout: 60_000 });
  return item.innerText();
}

/** @param {import('playwright-core').Page} page @param {number} [timeout] */
async function failed(page, timeout = 60_000) {
  const problem = page.locator('#import-problem');
  await problem.filter({ hasText: /\w/ }).waitFor({ timeout });
  return { code: await problem.getAttribute('data-code'), text: await problem.innerText() };
}

/** Checks a sample; gives the line of the model that was added, if there is one. @param {import('playwright-core').Page} page */
async function lineOf(page, name = NAME) {
  await page.getByRole('button', { name: 'Close' }).click();
  await page.getByRole('button', { name: sample.title }).click();
  const { outcome, text } = await settled(page);
  const lines = await page.locator('#outcome .lines > li').allInnerTexts();
  return { outcome, text, line: lines.find((line) => line.startsWith(name)) };
}

/** How many files the store holds. @param {import('playwright-core').Page} page */
function storedFiles(page) {
  return page.evaluate(async () => {
    const names = /** @type {string[]} */ ([]);
    const walk = async (/** @type {any} */ folder, path = '') => {
      for await (const [name, handle] of folder.entries()) {
        if (handle.kind === 'directory') await walk(handle, `${path}${name}/`);
        else names.push(path + name);
      }
    };
    await walk(await navigator.storage.getDirectory());
    return names.sort();
  });
}

/** @param {string} name @param {() => Promise<void>} body */
const importTest = (name, body) => test(name, { timeout: 300_000 }, body);

importTest('a model of the catalogue is added, stays after a reload, is asked, and is deleted', async () => {
  const { page, context, requests, complaints } = await open([entry('plain')]);
  let dialog = await openModels(page);
  await dialog.getByRole('button', { name: `Add ${NAME} (1 MB)` }).click();
  const listed = await added(page);
  const { serves, uncalibrated } = english.models;
  assert.match(listed, pattern(`${NAME} ${serves(['Painter One'])} 0.${ANY} MB · ${uncalibrated}`));
  assert.equal(await dialog.getByRole('button', { name: /^Add Painter/ }).count(), 0);
  assert.deepEqual(await storedFiles(page), ['models/painter/manifest.json', 'models/painter/shard-00.safetensors.zlib']);

  await page.reload();
  dialog = await openModels(page);
  assert.match(await added(page), /Painter/);
  const { line } = await lineOf(page);
  assert.match(line, pattern(`${NOTHING_FOUND}${ANY}${english.lines.signal('t', ANY, null)}`));

  await openModels(page);
  await dialog.getByRole('button', { name: 'Delete Painter' }).click();
  await dialog.getByRole('button', { name: 'Keep it' }).click();
  await dialog.getByRole('button', { name: 'Delete Painter' }).click();
  await dialog.getByRole('button', { name: 'Really delete' }).click();
  await dialog.getByRole('button', { name: `Add ${NAME} (1 MB)` }).waitFor();
  assert.deepEqual(await storedFiles(page), []);
  const away = requests.filter((url) => !/^(blob|data|about):/.test(url) && !url.startsWith(server.address));
  assert.deepEqual(new Set(away), new Set([`${site.origin}/plain/vae.safetensors`]));
  assert.deepEqual(complaints, []);
  await context.close();
});

importTest('an added model computes what its file computes', async () => {
  const calibration = everythingBelongs('painter');
  const { page, context } = await open([entry('redirect', { calibration })]);
  const dialog = await openModels(page);
  await dialog.getByRole('button', { name: /^Add Painter/ }).click();
  assert.match(await added(page), pattern(`0.${ANY} MB · ${english.models.calibrated}`));
  const { line } = await lineOf(page);
  // With its calibration, by which everything belongs, and against which the orientation control speaks.
  assert.match(line, pattern(`${english.lines.outcomes.cannot_tell}${ANY}${english.lines.signal('t', ANY, '1,000,000')}`));
  const found = Number(/\bt ([\d.]+)/.exec(line)?.[1]);

  // The same from the f32 pack of the same file.
  const plain = await serve({ directories: [DIST, resolve(ROOT, 'dist-test')] });
  const index = { format_version: 1, models: [{ id: 'kl_quant', name: 'Pack', manifest: '../packs/kl_quant/manifest.json' }] };
  const other = await openPage(browser, 'about:blank');
  await withoutIntegrity(other.context);
  await other.context.route('**/weights/index.json', (route) => route.fulfill({ json: index }));
  await other.page.goto(plain.address);
  await other.page.getByRole('button', { name: sample.title }).click();
  await settled(other.page);
  const expected = Number(await other.page.locator('[data-number=t] .value').innerText());
  console.log(`t by 12 bits ${found}, by f32 ${expected}`);
  assert.ok(Math.abs(found / expected - 1) < 5e-3, `${found}, ${expected}`);
  await plain.close();
  await other.context.close();
  await context.close();
});

importTest('a model is added from any address, and recognised by its hash', async () => {
  const known = entry('gated', { gated: true });
  const { page, context } = await open([{ ...known, files: [{ ...known.files[0], sha256: sha256(tiny) }] }]);
  const dialog = await openModels(page);
  const address = dialog.getByLabel('Or from any address');
  await address.fill('ftp://example.org/vae.safetensors');
  await dialog.getByRole('button', { name: 'Add', exact: true }).click();
  assert.equal((await failed(page)).code, 'import_address');
  // What shapes do not tell: how many groups the norms have.
  await address.fill(`${site.origin}/plain/vae.safetensors`);
  await address.press('Enter');
  await page.locator('#import-problem[data-code=manifest_invalid]').waitFor();
  await address.fill(`${site.origin}/plain/tiny.safetensors`);
  await dialog.getByRole('button', { name: 'Add', exact: true }).click();
  assert.match(await added(page), pattern(`${NAME} ${english.models.serves(['Painter One'])}`));
  assert.ok((await lineOf(page)).line?.includes(NOTHING_FOUND));
  await context.close();
});

importTest('a gated model is explained, and added from a file', async () => {
  const { page, context } = await open([entry('gated', { gated: true })]);
  const dialog = await openModels(page);
  const item = dialog.getByRole('listitem').filter({ hasText: NAME });
  const where = `huggingface.co/somebody/painter${english.models.gatedAfter('vae.safetensors', 1)}`;
  assert.match(await item.innerText(), pattern(english.models.gatedBefore + where));
  const choose = async (/** @type {string} */ name, /** @type {Buffer} */ buffer) => {
    const choosing = page.waitForEvent('filechooser');
    await item.getByRole('button', { name: 'Choose the file of Painter' }).click();
    await (await choosing).setFiles({ name, mimeType: '', buffer });
  };
  await choose('login.html', Buffer.from('<!doctype html><title>Sign in</title>'));
  const page_ = await failed(page);
  assert.equal(page_.code, 'weights_foreign');
  await choose('vae.safetensors', weights);
  assert.match(await added(page), /Painter One/);
  assert.ok((await lineOf(page)).line?.includes(NOTHING_FOUND));
  await context.close();
});

for (const [how, ranges] of /** @type {[string, (string | null)[]][]} */ ([
  ['cut', [null, 'range']],
  ['cut-whole', [null, 'range']],
  ['busy', [null, 'range', 'range']],
  ['stall', [null, 'range']],
])) {
  importTest(`a connection that breaks is taken up again: ${how}`, async () => {
    const { page, context } = await open([entry(how)]);
    const dialog = await openModels(page);
    await dialog.getByRole('button', { name: /^Add Painter/ }).click();
    await dialog.getByText(english.models.waiting).waitFor({ timeout: 60_000 });
    assert.match(await added(page), /Painter/);
    const asked = site.seen.filter(({ path }) => path.startsWith(`/${how}/`));
    assert.deepEqual(asked.map(({ range }) => range && 'range'), ranges);
    // From where it broke off.
    assert.equal(Number(/\d+/.exec(asked[1].range ?? '')?.[0]), Math.floor(weights.length / 2));
    await context.close();
  });
}

importTest('what cannot be had is told, with a way on, and nothing is left', async () => {
  const wrong = { files: [{ ...entry('plain').files[0], sha256: '0'.repeat(64) }] };
  const from = (/** @type {string} */ path) => ({ files: [{ ...entry('plain').files[0], address: `${site.origin}/${path}` }] });
  const { chooseFile, tryAgain } = english.models;
  // `named`: what the message has to tell besides.
  for (const [changes, code, named, way] of /** @type {[any, string, RegExp, string | null]} */ ([
    [from('no-cors/vae.safetensors'), 'import_refused', /127\.0\.0\.1/, chooseFile],
    [from('gated/vae.safetensors'), 'import_gated', /127\.0\.0\.1/, chooseFile],
    [from('plain/absent.safetensors'), 'import_missing', /127\.0\.0\.1/, chooseFile],
    [from('login/vae.safetensors'), 'weights_foreign', /^/, null],
    [from('plain/vae.pt'), 'weights_foreign', /PyTorch/, null],
    [from('plain/short.safetensors'), 'weights_corrupt', /\b9000\b/, tryAgain],
    [wrong, 'weights_corrupt', /sha256/, tryAgain],
  ])) {
    const { page, context, complaints } = await open([entry('plain', changes)]);
    const dialog = await openModels(page);
    await dialog.getByRole('button', { name: /^Add Painter/ }).click();
    const found = await failed(page);
    assert.equal(found.code, code, found.text);
    assert.ok(found.text.startsWith(english.errors[code]), found.text);
    assert.match(found.text, named);
    if (way) await dialog.locator('#import-problem').getByRole('button', { name: way }).waitFor();
    assert.equal((await here(page)).length, 1);
    assert.deepEqual(await storedFiles(page), [], code);
    assert.deepEqual(complaints.filter((text) => !FAILED_LOAD.test(text)), []);
    await context.close();
  }
});

/** A file of which nobody knows the hash. @param {string} how @param {string} file */
const unknown = (how, file) =>
  entry(how, { files: [{ ...entry(how).files[0], file, address: `${site.origin}/${how}/${file}`, bytes: null, sha256: null }] });

/** The hashes of the stored shards. @param {import('playwright-core').Page} page @returns {Promise<string[]>} */
const storedShards = (page) =>
  page.evaluate(async () => {
    const models = await (await navigator.storage.getDirectory()).getDirectoryHandle('models');
    const folder = /** @type {any} */ (await models.getDirectoryHandle('painter'));
    const manifest = await (await (await folder.getFileHandle('manifest.json')).getFile()).text();
    return JSON.parse(manifest).shards.map((/** @type {any} */ { sha256 }) => sha256);
  });

/** What was asked for of a file, since `before`. @param {string} how @param {string} file @param {number} [before] */
const askedFor = (how, file, before = 0) => site.seen.slice(before).filter(({ path }) => path === `/${how}/${file}`);

/** The shards of the file itself. */
async function plainShards() {
  const { page, context } = await open([entry('plain')]);
  const dialog = await openModels(page);
  await dialog.getByRole('button', { name: /^Add Painter/ }).click();
  await added(page);
  const shards = await storedShards(page);
  await context.close();
  return shards;
}

importTest('of a checkpoint of more than 4 GiB the autoencoder alone is fetched', async () => {
  const expected = await plainShards();
  assert.ok(huge.start > 2 ** 32 && huge.length > 7 * GIB);
  for (const how of ['open', 'plain']) {
    const { page, context, complaints } = await open([unknown(how, 'huge.safetensors')]);
    const dialog = await openModels(page);
    const before = site.seen.length;
    await dialog.getByRole('button', { name: /^Add Painter/ }).click();
    assert.match(await added(page), /Painter/);
    assert.deepEqual(await storedShards(page), expected, how);
    const asked = askedFor(how, 'huge.safetensors', before);
    assert.deepEqual(asked.map(({ range }) => range), [
      'bytes=0-65535',
      `bytes=${huge.start}-${huge.start + huge.weights - 1}`,
    ]);
    assert.equal(asked.reduce((sum, { bytes }) => sum + bytes, 0), 65536 + huge.weights);
    assert.match((await lineOf(page)).line, pattern(NOTHING_FOUND));
    assert.deepEqual(complaints, []);
    await context.close();
  }
});

importTest('a file of more than 4 GiB of this device is read where the autoencoder is', async () => {
  const folder = await mkdtemp(resolve(tmpdir(), 'aedr-'));
  ended.push(() => rm(folder, { recursive: true }));
  const path = resolve(folder, 'huge.safetensors');
  await huge.write(path);
  // Its architecture is the catalogue's, where a person chooses the file of a gated model.
  const gated = { ...unknown('gated', 'huge.safetensors'), gated: true };
  const { page, context } = await open([gated]);
  const dialog = await openModels(page);
  const choosing = page.waitForEvent('filechooser');
  await dialog.getByRole('button', { name: 'Choose the file of Painter' }).click();
  await (await choosing).setFiles(path);
  assert.match(await added(page), /Painter/);
  assert.match((await lineOf(page)).line, pattern(NOTHING_FOUND));
  await context.close();
});

importTest('what will come is foretold, and goes on after a reload where it was', async () => {
  const expected = await plainShards();
  const { page, context } = await open([unknown('slow', 'part.safetensors')]);
  let dialog = await openModels(page);
  await dialog.getByRole('button', { name: /^Add Painter/ }).click();
  await page.waitForFunction(() => document.querySelector('#import-state progress')?.value > 0.3);
  assert.match(
    await page.locator('#import-state .hint').textContent(),
    /^0\.\d of 0\.5 MB · the autoencoder alone, of a file of 24\.4 MB$/,
  );
  await page.reload();
  dialog = await openModels(page);
  const before = site.seen.length;
  await dialog.getByRole('button', { name: 'Continue adding Painter' }).click();
  assert.match(await added(page), /Painter/);
  assert.deepEqual(await storedShards(page), expected);
  const [{ range }, ...more] = askedFor('slow', 'part.safetensors', before);
  const [from, to] = (range?.match(/\d+/g) ?? []).map(Number);
  assert.ok(from > part.start && to === part.start + part.weights - 1, range ?? '');
  assert.deepEqual(more, []);
  await context.close();
});

importTest('an import that an earlier version began goes on as it began', async () => {
  const expected = await plainShards();
  const { page, context } = await open([unknown('open', 'part.safetensors')]);
  const { parts: _, ...plan } = await page.evaluate(async (entry) => {
    const { planOf } = await import(/** @type {any} */ ('./www/models/imports.js'));
    return planOf(entry);
  }, unknown('open', 'part.safetensors'));
  await page.evaluate(
    async ([plan, bytes]) => {
      const imports = await (await navigator.storage.getDirectory()).getDirectoryHandle('imports', { create: true });
      const write = async (/** @type {string} */ name, /** @type {any} */ content) => {
        const writable = await (await imports.getFileHandle(name, { create: true })).createWritable();
        await writable.write(content);
        await writable.close();
      };
      await write('painter.json', plan);
      await write('painter.part', Uint8Array.from(/** @type {any} */ (bytes)));
    },
    [JSON.stringify(plan), [...part.subarray(0, 100_000)]],
  );
  const dialog = await openModels(page);
  const before = site.seen.length;
  await dialog.getByRole('button', { name: 'Continue adding Painter' }).click();
  assert.match(await added(page), /Painter/);
  assert.deepEqual(await storedShards(page), expected);
  assert.deepEqual(askedFor('open', 'part.safetensors', before).map(({ range }) => range), ['bytes=100000-']);
  await context.close();
});

importTest('a site without ranges sends all up to the autoencoder’s end', async () => {
  const expected = await plainShards();
  const { page, context } = await open([unknown('whole', 'part.safetensors')]);
  const dialog = await openModels(page);
  await dialog.getByRole('button', { name: /^Add Painter/ }).click();
  assert.match(await added(page), /Painter/);
  assert.deepEqual(await storedShards(page), expected);
  assert.equal(askedFor('whole', 'part.safetensors').length, 1);
  await context.close();
});

importTest('a checkpoint that was cut short is told before it is fetched', async () => {
  for (const [file, whole] of /** @type {[string, { length: number }][]} */ ([
    ['huge-short.safetensors', huge],
    ['part-short.safetensors', part],
  ])) {
    // By the length that a site lets be read; else by the end of the file, where that has to come.
    const how = file.startsWith('huge') ? 'open' : 'whole';
    const { page, context } = await open([unknown(how, file)]);
    const dialog = await openModels(page);
    await dialog.getByRole('button', { name: /^Add Painter/ }).click();
    const { code, text } = await failed(page);
    assert.equal(code, 'weights_corrupt', text);
    assert.ok(text.includes(`${whole.length - 1} bytes, ${whole.length} by its header`), text);
    assert.deepEqual(await storedFiles(page), []);
    assert.equal(askedFor(how, file).length, 1);
    if (how === 'open') assert.equal(askedFor(how, file)[0].bytes, 65536);
    await context.close();
  }
});

for (const [how, expected] of /** @type {[string, (string | null)[]][]} */ ([
  // Then all of it, where it is plain which bytes are which.
  ['other-start', ['first', 'rest', null]],
  ['other-start-hidden', ['first', 'rest', null]],
  // Another file: from its beginning.
  ['grown', ['first', 'rest', 'first', 'rest']],
  ['changed', ['first', 'rest', 'first', 'rest']],
])) {
  importTest(`an answer that is not what was asked for does not get into the file: ${how}`, async () => {
    const shards = await plainShards();
    for (const hash of [null, sha256(weights)]) {
      const file = { ...entry(how).files[0], sha256: hash };
      // Where the hash is known, it decides in the end.
      if (hash && how === 'changed') continue;
      const { page, context } = await open([entry(how, { files: [file] })]);
      site.seen.length = 0;
      const dialog = await openModels(page);
      await dialog.getByRole('button', { name: /^Add Painter/ }).click();
      assert.match(await added(page), /Painter/);
      assert.deepEqual(await storedShards(page), shards);
      const ranges = askedFor(how, 'vae.safetensors').map(({ range }) => range);
      const kinds = ranges.map((range) => range && (range.startsWith('bytes=0-') ? 'first' : 'rest'));
      assert.deepEqual(kinds, hash ? expected.flatMap(withHash) : expected, how);
      await context.close();
    }
  });
}

/** Where the hash is known, all of the file is asked for at once. @param {string | null} kind @param {number} index @param {(string | null)[]} all */
function withHash(kind, index, all) {
  if (kind !== 'first') return index > 1 && all[2] === 'first' ? [] : [kind];
  return [null];
}

importTest('a site that refuses on the way is asked again at its first address', async () => {
  const shards = await plainShards();
  const { page, context } = await open([entry('expiring')]);
  const dialog = await openModels(page);
  await dialog.getByRole('button', { name: /^Add Painter/ }).click();
  assert.match(await added(page), /Painter/);
  assert.deepEqual(await storedShards(page), shards);
  const half = `bytes=${Math.floor(weights.length / 2)}-`;
  const asked = site.seen.filter(({ path }) => /\/(expiring|signed-\d)\//.test(path)).map(({ path, range }) => [path.split('/')[1], range]);
  for (const [how, range] of [['expiring', null], ['signed-1', 'from'], ['signed-2', 'from']]) {
    const [, found] = asked.find(([name]) => name === how) ?? [];
    assert.equal(range && found?.startsWith(half.slice(0, -1)) ? 'from' : found, range, how);
  }
  assert.equal(asked.filter(([how]) => how === 'expiring').length, 3);
  await context.close();
});

importTest('a refusal is called what it is', async () => {
  for (const [how, changes, code, told] of /** @type {[string, any, string, RegExp][]} */ ([
    ['forbidden', {}, 'import_refused', /does not give this file to everybody \(403\)/],
    ['gated-hub', {}, 'import_gated', /only to people who signed in \(403\)/],
    ['absent-hub', {}, 'import_missing', /has no such file \(401\)/],
    ['limited-long', {}, 'import_interrupted', /answered 429, and asks to wait 60 minutes/],
    // It gave half of it, so it is asked again, and what it gave is kept.
    ['shut-later', {}, 'import_refused', /does not give this file to everybody \(403\)/],
  ])) {
    const { page, context } = await open([entry(how, changes)]);
    const dialog = await openModels(page);
    const before = Date.now();
    await dialog.getByRole('button', { name: /^Add Painter/ }).click();
    const found = await failed(page, 90_000);
    assert.equal(found.code, code, found.text);
    assert.match(found.text, told);
    if (how === 'shut-later') {
      assert.equal(askedFor(how, 'vae.safetensors').length, 5);
      await dialog.getByRole('button', { name: 'Continue adding Painter' }).waitFor();
    } else {
      assert.equal(askedFor(how, 'vae.safetensors').length, 1, how);
      assert.ok(Date.now() - before < 10_000);
    }
    await context.close();
  }
});

importTest('a site that asks to wait is given the time', async () => {
  const { page, context } = await open([entry('limited')]);
  const dialog = await openModels(page);
  await dialog.getByRole('button', { name: /^Add Painter/ }).click();
  assert.match(await added(page), /Painter/);
  const asked = askedFor('limited', 'vae.safetensors').map(({ when }) => when);
  const waits = asked.slice(1).map((when, index) => when - asked[index]);
  // By itself it would be asked again after two seconds and after four. It asks for three, and for six to seven.
  assert.equal(waits.length, 3);
  assert.ok(waits[1] >= 3000 && waits[2] >= 5900, waits.join());
  await context.close();
});

importTest('after a reload an import goes on where it was, or is discarded', async () => {
  const { page, context } = await open([entry('slow')]);
  let dialog = await openModels(page);
  const begin = async () => {
    await dialog.getByRole('button', { name: /^(Add|Continue adding) Painter/ }).click();
    await page.waitForFunction(() => document.querySelector('#import-state progress')?.value > 0.3);
    await page.reload();
    dialog = await openModels(page);
    await dialog.getByRole('button', { name: 'Continue adding Painter' }).waitFor();
  };
  await begin();
  assert.match((await here(page)).at(-1), pattern(english.models.unfinished(100_000).replace('0.1', `0.${ANY}`)));
  await dialog.getByRole('button', { name: 'Discard what has come of Painter' }).click();
  await dialog.getByRole('button', { name: /^Add Painter/ }).waitFor();
  assert.deepEqual(await storedFiles(page), []);
  await begin();
  const before = site.seen.length;
  await dialog.getByRole('button', { name: 'Continue adding Painter' }).click();
  assert.ok((await added(page)).includes(english.models.serves(['Painter One'])));
  const [asked] = site.seen.slice(before);
  assert.ok(Number(/\d+/.exec(asked.range ?? '0')?.[0]) > weights.length / 4, asked.range);
  assert.ok((await lineOf(page)).line?.includes(NOTHING_FOUND));
  await context.close();
});

importTest('cancelling stops at once and keeps what has come', async () => {
  const { page, context } = await open([entry('slow')]);
  const dialog = await openModels(page);
  await dialog.getByRole('button', { name: /^Add Painter/ }).click();
  await page.waitForFunction(() => document.querySelector('#import-state progress')?.value > 0.3);
  assert.match(await page.locator('#models').textContent(), pattern(english.models.openAdding(Number.NaN)));
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await dialog.getByRole('button', { name: 'Continue adding Painter' }).waitFor({ timeout: 5000 });
  assert.equal(await page.locator('#import-problem').innerText(), '');
  await context.close();
});

importTest('a download that breaks for good keeps what has come', async () => {
  const { page, context } = await open([entry('cut-always')]);
  const dialog = await openModels(page);
  await dialog.getByRole('button', { name: /^Add Painter/ }).click();
  const { code, text } = await failed(page, 90_000);
  assert.equal(code, 'import_interrupted', text);
  await dialog.getByRole('button', { name: 'Continue adding Painter' }).waitFor();
  await context.close();
});

importTest('a second tab does not add the same model', async () => {
  const { page, context } = await open([entry('slow')]);
  const dialog = await openModels(page);
  await dialog.getByRole('button', { name: /^Add Painter/ }).click();
  await page.waitForFunction(() => document.querySelector('#import-state progress')?.value > 0.1);
  const second = await context.newPage();
  await second.goto(server.address);
  await openModels(second);
  await second.getByRole('button', { name: /^Add Painter/ }).click();
  assert.equal((await failed(second)).code, 'import_elsewhere');
  assert.match(await added(page), /Painter/);
  await second.reload();
  await openModels(second);
  assert.match(await added(second), /Painter/);
  await context.close();
});

importTest('a full disk is told before anything is fetched, and the model can be used for this visit', async () => {
  const { page, context } = await open([entry('plain')]);
  const session = await context.newCDPSession(page);
  await session.send('Storage.overrideQuotaForOrigin', { origin: new URL(server.address).origin, quotaSize: 50_000 });
  const dialog = await openModels(page);
  await dialog.getByRole('button', { name: /^Add Painter/ }).click();
  const { code, text } = await failed(page);
  assert.equal(code, 'storage_full', text);
  assert.deepEqual(await storedFiles(page), []);
  await dialog.getByRole('button', { name: 'Use it for this visit only' }).click();
  assert.ok((await added(page)).includes(english.models.thisVisit));
  assert.ok((await lineOf(page)).line?.includes(NOTHING_FOUND));
  await context.close();
});

importTest('a disk that fills up on the way leaves nothing', async () => {
  const script = `
    const write = FileSystemSyncAccessHandle.prototype.write;
    let room = 100_000;
    FileSystemSyncAccessHandle.prototype.write = function (bytes, options) {
      room -= bytes.length;
      if (room < 0) throw new DOMException('full', 'QuotaExceededError');
      return write.call(this, bytes, options);
    };`;
  const { page, context } = await open([entry('plain')], { script });
  const dialog = await openModels(page);
  await dialog.getByRole('button', { name: /^Add Painter/ }).click();
  const { code, text } = await failed(page);
  assert.equal(code, 'storage_full', text);
  assert.deepEqual(await storedFiles(page), []);
  await context.close();
});

importTest('where the browser keeps nothing, a model is there for this visit', async () => {
  const script = `StorageManager.prototype.getDirectory = () => Promise.reject(new DOMException('no', 'SecurityError'));`;
  const { page, context } = await open([entry('plain')], { script });
  await page.addInitScript(script);
  await page.reload();
  const dialog = await openModels(page);
  await dialog.getByRole('button', { name: /^Add Painter/ }).click();
  assert.ok((await added(page)).includes(english.models.thisVisit));
  assert.ok((await lineOf(page)).line?.includes(NOTHING_FOUND));
  await openModels(page);
  await dialog.getByRole('button', { name: 'Delete Painter' }).click();
  await dialog.getByRole('button', { name: 'Really delete' }).click();
  await dialog.getByRole('button', { name: /^Add Painter/ }).waitFor();
  await context.close();
});

importTest('a stored model that was damaged is told, and stops no other', async () => {
  const { page, context } = await open([entry('plain')]);
  const dialog = await openModels(page);
  await dialog.getByRole('button', { name: /^Add Painter/ }).click();
  await added(page);
  await page.evaluate(async () => {
    const models = await (await navigator.storage.getDirectory()).getDirectoryHandle('models');
    const folder = await models.getDirectoryHandle('painter');
    const file = await folder.getFileHandle('shard-00.safetensors.zlib');
    const writable = await file.createWritable({ keepExistingData: true });
    await writable.write({ type: 'write', position: 5000, data: new Uint8Array(64) });
    await writable.close();
  });
  const { outcome, text, line } = await lineOf(page);
  assert.match(line, pattern(`${english.lines.outcomes.failed}${ANY}sha256`));
  assert.equal(outcome, 'does_not_match', text);
  await context.close();
});

importTest('a person calibrates an added model with images of their own', async () => {
  const { page, context } = await open([entry('plain')]);
  const dialog = await openModels(page);
  await dialog.getByRole('button', { name: /^Add Painter/ }).click();
  assert.ok((await added(page)).includes(english.models.uncalibrated));
  // Two kinds of pictures, each of its own.
  const pictures = (/** @type {number} */ count, /** @type {(x: number, y: number, i: number) => number} */ level) =>
    Array.from({ length: count }, (_, i) => ({
      name: `${i}.png`,
      mimeType: 'image/png',
      buffer: png(32, 32, (x, y) => /** @type {[number, number, number]} */ ([0, 1, 2].map((c) => level(x + c, y, i) & 255))),
    }));
  const smooth = pictures(20, (x, y, i) => 3 * x + (2 + (i % 5)) * y + 5 * i);
  const rough = pictures(20, (x, y, i) => (x * 7919 + y * 104729 + i * 1299709) % 251);
  await dialog.getByRole('button', { name: 'Calibrate Painter' }).click();
  const form = dialog.getByRole('form', { name: 'Calibrate Painter' });
  const calibrate = async (/** @type {any[]} */ belonging, /** @type {any[]} */ others) => {
    await form.getByLabel('Images made with this model').setInputFiles(belonging);
    await form.getByLabel('Other images').setInputFiles(others);
    await form.getByRole('button', { name: 'Calibrate' }).click();
  };
  await calibrate(smooth.slice(1), rough);
  await form.getByText(english.calibration.tooFew(19, 20), { exact: false }).waitFor();
  const photograph = { name: 'photograph.jpg', mimeType: 'image/jpeg', buffer: await sampleBytes(sample.file) };
  await calibrate([photograph, ...smooth.slice(1)], rough);
  const tooFew = english.calibration.tooFew(19, 20);
  await form.getByText(pattern(`Photograph.jpg: ${english.calibration.lossy}${ANY}${tooFew}`)).waitFor();
  // Cancelled in the middle, nothing is changed.
  await form.getByLabel('Images made with this model').setInputFiles(smooth);
  await form.evaluate((/** @type {HTMLFormElement} */ form) => {
    form.requestSubmit();
    form.querySelector('button[type="button"]')?.dispatchEvent(new MouseEvent('click'));
  });
  await form.getByText(english.calibration.cancelled).waitFor();
  assert.ok((await here(page)).join().includes(english.models.uncalibrated));
  // One that cannot be used is left out, and costs none of the others.
  const note = { name: 'note.png', mimeType: 'image/png', buffer: Buffer.from('no image') };
  await calibrate([note, ...smooth], rough);
  await form.getByText(pattern(`${english.calibration.done(20, 20)}${ANY}note.png`)).waitFor();
  await form.getByRole('button', { name: 'Close' }).click();
  await form.waitFor({ state: 'detached' });
  assert.ok((await here(page)).join().includes(english.models.calibrated));
  // It is kept, and the next check goes by it.
  await page.reload();
  await openModels(page);
  const { line } = await lineOf(page);
  const symbols = Object.values(english.signals).map(([symbol]) => symbol);
  assert.ok(symbols.some((symbol) => pattern(english.lines.signal(symbol, ANY, ANY)).test(line)), line);
  await context.close();
});

importTest('a person calibrates an added model with photographs alone', async () => {
  const { page, context } = await open([entry('plain')]);
  const dialog = await openModels(page);
  await dialog.getByRole('button', { name: /^Add Painter/ }).click();
  assert.ok((await added(page)).includes(english.models.uncalibrated));
  const bytes = await sampleBytes(sample.file);
  const photographs = await Promise.all(
    Array.from({ length: 20 }, async (_, i) => ({
      name: `${i}.${i % 2 ? 'jpg' : 'png'}`,
      mimeType: i % 2 ? 'image/jpeg' : 'image/png',
      buffer: await encode(page, bytes, i % 2 ? 'image/jpeg' : 'image/png', { side: 64, cut: [12 * i, 8 * i] }),
    })),
  );
  await dialog.getByRole('button', { name: 'Calibrate Painter' }).click();
  const form = dialog.getByRole('form', { name: 'Calibrate Painter' });
  for (const told of [english.calibration.lead, english.calibration.leadBelonging]) await form.getByText(told).waitFor();
  const calibrate = async (/** @type {any[]} */ others) => {
    await form.getByLabel(english.calibration.others).setInputFiles(others);
    await form.getByRole('button', { name: 'Calibrate' }).click();
  };
  await calibrate(photographs.slice(1));
  await form.getByText(english.calibration.tooFew(19, 20), { exact: false }).waitFor();
  await calibrate(photographs);
  await form.getByText(english.calibration.doneFromPhotographs(20)).waitFor();
  await form.getByRole('button', { name: 'Close' }).click();
  await form.waitFor({ state: 'detached' });
  assert.ok((await here(page)).join().includes(english.models.fromPhotographs(20)));
  // It is kept; the next check rests on these photographs, and there is no threshold.
  await page.reload();
  await openModels(page);
  assert.ok((await here(page)).join().includes(english.models.fromPhotographs(20)));
  const { line } = await lineOf(page);
  assert.match(line, pattern(english.lines.signal('t', ANY, null)));
  assert.doesNotMatch(line, /threshold/);
  const numbers = page.locator('.numbers details').filter({ hasText: NAME });
  await numbers.locator('summary').click();
  assert.ok((await numbers.locator('[data-number=share]').innerText()).includes(english.control.restsOn(20)));
  await context.close();
});

importTest('a calibration that waits is cancelled without the check that runs, or its weights', async () => {
  const { page, context } = await open([entry('plain')]);
  const dialog = await openModels(page);
  await dialog.getByRole('button', { name: /^Add Painter/ }).click();
  await added(page);
  await page.getByRole('button', { name: 'Close' }).click();
  const ended = /** @type {string[]} */ ([]);
  page.on('worker', (worker) => worker.on('close', () => ended.push(worker.url())));
  await chooseDevice(page, 'cpu');
  await give(page, 'drop', 'large.png', busyPng(768));
  await page.locator('#progress[value]').waitFor({ timeout: 60_000 });
  await openModels(page);
  await dialog.getByRole('button', { name: 'Calibrate Painter' }).click();
  const form = dialog.getByRole('form', { name: 'Calibrate Painter' });
  const files = Array.from({ length: 20 }, (_, i) => ({ name: `${i}.png`, mimeType: 'image/png', buffer: busyPng(32 + i) }));
  for (const field of ['Images made with this model', 'Other images']) await form.getByLabel(field).setInputFiles(files);
  await form.getByRole('button', { name: 'Calibrate' }).click();
  await form.getByText('Checking image 1 of 40').waitFor();
  const cancelledAt = performance.now();
  await form.getByRole('button', { name: 'Cancel' }).click();
  await form.locator('[role=status][data-code=cancelled]').waitFor();
  assert.ok(performance.now() - cancelledAt < 1500, 'at once');
  assert.equal(await page.locator('body').getAttribute('data-phase'), 'working', 'the check goes on');
  await page.getByRole('button', { name: 'Close' }).click();
  const { code, outcome, text } = await settled(page);
  assert.equal(code, null, text);
  assert.equal(outcome, 'does_not_match', text);
  assert.deepEqual(ended.filter((url) => /www\/engine\/worker\.js$/.test(url)), [], 'in the same worker');
  await context.close();
});
