/** The npm package in somebody else’s project: its types, in a browser, bundled, and under a strict policy. */

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { build } from 'esbuild';
import { integrityOf } from '../../../scripts/integrity.mjs';
import { DIST, launch, openPage, ROOT, sampleBytes, sampleList, serve } from '../support/browser.mjs';
import { encode, smallPart } from '../support/encoded-images.mjs';
import { busyPng } from '../support/image-files.mjs';

const OUT = resolve(ROOT, 'target/npm-test');
const STRICT = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "connect-src 'self'",
  "require-trusted-types-for 'script'",
  'trusted-types aedr',
].join('; ');

/** What a page of the project has at hand. */
const SITE = `
/** On how many threads the CPU is used, if helpers can be started. */
export const threads = Math.min(navigator.hardwareConcurrency, 8);
export const blob = (base64) => new Blob([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))]);
/** What a check, or anything else, ends with if not well. */
export async function failure(attempt) {
  try {
    await attempt();
  } catch (error) {
    const { name, code, message, advice } = error;
    return { name, code, message, advice, error };
  }
}
`;

/** A worker that answers as with two models, but never again once it was given an image of a certain name. */
const STUCK = `
let stuck = false;
addEventListener('message', ({ data: { id, params } }) => {
  stuck ||= params?.name === 'stuck';
  postMessage({ id, progress: { stage: 'device' } });
  if (stuck) return;
  postMessage({ id, progress: { stage: 'decode_second', fraction: 0.5 } });
  postMessage({ id, progress: { stage: 'weights', loaded: 1, total: 2 } });
  postMessage({ id, result: { answers: [], failures: [], ranking: { outcome: 'matches' } } });
});
`;

/** The project, outside of the repository. */
let project = '';
/** @type {import('playwright-core').Browser} */
let browser;
/** What is checked: a part that the model painted, and one that it did not. */
const images = { painted: '', photograph: '', slow: busyPng(512).toString('base64') };

before(async () => {
  // What gathers the licences of others needs the crates' sources, and has tests of its own.
  const licences = resolve(ROOT, 'LICENSE-MIT');
  const made = ['--package', resolve(DIST, 'www/pkg'), '--out', OUT, '--licences', licences];
  execFileSync('node', ['scripts/package.mjs', ...made], { cwd: ROOT });
  project = await mkdtemp(join(tmpdir(), 'aedr-project-'));
  const archive = (await readdir(OUT)).find((name) => name.endsWith('.tgz')) ?? '';
  await cp(resolve(OUT, archive), resolve(project, archive));
  await write('package.json', JSON.stringify({ name: 'site', private: true, type: 'module' }));
  await write('page.html', '<!doctype html><title>A site</title>');
  await write('favicon.ico', '');
  await write('site.js', SITE);
  await write('stuck.js', STUCK);
  await write('consumer.ts', CONSUMER);
  await write('wrong.ts', WRONG);
  await write('all.ts', "export * from 'aedr'; export * from 'aedr/frame';");
  execFileSync('npm', ['install', '--offline', '--no-audit', '--no-fund', `./${archive}`], { cwd: project });
  browser = await launch({ webgpu: false });
  const server = await serve({ directories: [project] });
  const samples = await sampleList();
  const sample = (/** @type {boolean} */ decoded) => sampleBytes(samples.find((each) => each.decoded === decoded).file);
  images.painted = (await smallPart(browser, server.address, await sample(true))).toString('base64');
  const { context, page } = await openPage(browser, `${server.address}page.html`);
  images.photograph = (await encode(page, await sample(false), 'image/png', { side: 256 })).toString('base64');
  await context.close();
  await server.close();
});

after(async () => {
  await browser?.close();
  if (project) await rm(project, { recursive: true });
});

/** A file of the project. @param {string} path @param {string} text */
async function write(path, text) {
  await mkdir(resolve(project, path, '..'), { recursive: true });
  await writeFile(resolve(project, path), text);
}

/** @param {string} path */
const installed = (path) => resolve(project, 'node_modules/aedr', path);

/** What TypeScript says of files of the project. @param {string[]} files @param {string[]} resolution */
function compiled(files, resolution) {
  const tsc = resolve(ROOT, 'node_modules/typescript/bin/tsc');
  const flags = ['--strict', '--noEmit', '--pretty', 'false', '--target', 'es2022', '--lib', 'es2022,dom,dom.iterable'];
  const { stdout } = spawnSync('node', [tsc, ...flags, ...resolution, ...files], { cwd: project, encoding: 'utf8' });
  return stdout;
}

/**
 * A test with a page of the project. The browser may not complain but as `expected` says, nothing may be fetched from
 * elsewhere, and no worker may be left.
 * @param {string} name
 * @param {(page: import('playwright-core').Page, opened: {requests: string[], complaints: string[]}) => unknown} body
 * @param {{policy?: string, expected?: RegExp}} [options]
 */
function siteTest(name, body, { policy, expected } = {}) {
  test(name, { timeout: 180_000 }, async () => {
    const headers = policy ? () => ({ 'Content-Security-Policy': policy }) : undefined;
    const server = await serve({ directories: [project], headers });
    const { context, page, requests, complaints } = await openPage(browser, `${server.address}page.html`);
    try {
      await body(page, { requests, complaints });
      // Ended a moment ago; a busy machine takes its time.
      for (const until = Date.now() + 60_000; page.workers().length > 0; ) {
        assert.ok(Date.now() < until, `left: ${page.workers().map((worker) => worker.url())}`);
        await new Promise((done) => setTimeout(done, 50));
      }
      assert.deepEqual(complaints.filter((text) => !expected?.test(text)), [], 'complaints of the browser');
      assert.deepEqual(requests.filter((url) => !url.startsWith(server.address)), [], 'requests to elsewhere');
    } finally {
      await context.close();
      await server.close();
    }
  });
}

const CONSUMER = `
import { AedrError, createChecker, type CheckReport, type CheckResult, type ErrorCode, type Outcome } from 'aedr';
import { AedrCheck, define } from 'aedr/element';
import { connectFrame } from 'aedr/frame';

const checker = createChecker({ device: 'cpu', workerSrc: new URL('/worker.js', location.href) });
const controller = new AbortController();
export async function checked(file: File): Promise<Outcome> {
  const result: CheckResult = await checker.check(file, {
    models: ['aedr-small', { id: 'other', manifest: '/other/manifest.json', integrity: 'sha256-' }],
    signal: controller.signal,
    onProgress: ({ fraction, stage }) => console.log(stage === 'weights', fraction.toFixed(2)),
  });
  const report: CheckReport = result.reports[0];
  console.log(report.losses.ratio, result.record.image.sha256, result.ranking.groups.length, result.failures[0]?.code);
  return result.outcome;
}
export function told(error: unknown): ErrorCode | null {
  if (!(error instanceof AedrError)) return null;
  if (error.code === 'integrity_failed') console.log(error.advice, error.details?.file);
  return error.code;
}
define('my-check');
const element: AedrCheck | null = document.querySelector('aedr-check');
element?.addEventListener('aedr-result', ({ detail }) => console.log(detail.outcome));
if (element) element.checker = checker;
export const frame = connectFrame(document.createElement('iframe'), { origin: 'https://aedr.example' });
checker.close();
`;

/** Each line but the first is a mistake. */
const WRONG = `import { AedrError, connectFrame, createChecker, type CheckResult } from './all.js';
createChecker({ device: 'tpu' });
createChecker({ models: [{ manifest: '/manifest.json' }] });
createChecker().check('photograph.jpg');
export const misspelt = (result: CheckResult) => result.outcme;
export const impossible = (result: CheckResult) => result.outcome === 'fake';
export const unknown = (error: AedrError) => error.code === 'integrity_broken';
export const beside = (result: CheckResult) => result.reports[0].losses.third;
connectFrame(document.createElement('iframe'), {});
`;

test('its types fit a strict program, and find mistakes', () => {
  execFileSync('node', ['--input-type=module', '--eval', "await import('aedr'); await import('aedr/element');"], {
    cwd: project,
  });
  for (const resolution of [
    ['--module', 'nodenext'],
    ['--module', 'esnext', '--moduleResolution', 'bundler'],
  ]) {
    const told = compiled(['consumer.ts', 'wrong.ts'], resolution);
    const places = [...told.matchAll(/^([^ (].*)\((\d+),/gm)].map(([, file, line]) => `${file} ${line}`);
    const mistakes = WRONG.trim().split('\n').map((_, index) => `wrong.ts ${index + 1}`).slice(1);
    assert.deepEqual([...new Set(places)], mistakes, told);
  }
});

siteTest('two checkers at once check different images, and leave nothing', async (page) => {
  const found = await page.evaluate(async ({ painted, photograph }) => {
    const { blob } = await import('/site.js');
    const names = () => Object.getOwnPropertyNames(globalThis);
    const before = names();
    const { createChecker } = await import('/node_modules/aedr/index.js');
    const [first, second] = [createChecker(), createChecker({ device: 'cpu' })];
    const started = performance.getEntriesByType('resource').filter(({ name }) => name.includes('worker.js')).length;
    /** @type {any[]} */
    const told = [];
    const onProgress = (/** @type {any} */ progress) => told.push(progress);
    const [one, two] = await Promise.all([
      first.check(blob(painted), { onProgress, name: 'painted.png' }),
      second.check(new File([blob(photograph)], 'photograph.png')),
    ]);
    // The worker of the one that is left goes on.
    first.close();
    const again = await second.check(blob(painted));
    second.close();
    const added = names().filter((name) => !before.includes(name));
    return { one, two, again, told, added, started };
  }, images);
  assert.equal(found.started, 0, 'nothing starts before the first check');
  const { one, two, again } = found;
  assert.deepEqual([one.outcome, two.outcome, again.outcome], ['matches', 'does_not_match', 'matches']);
  assert.deepEqual([one.record.image.name, two.record.image.name], ['painted.png', 'photograph.png']);
  assert.equal(one.reports[0].model.id, 'aedr-small');
  assert.equal(two.device.kind, 'cpu');
  assert.deepEqual(one.record.checks[0].losses, one.reports[0].losses);
  const fractions = found.told.map(({ fraction }) => fraction);
  assert.deepEqual(fractions, [...fractions].sort((a, b) => a - b));
  assert.deepEqual([fractions[0], fractions.at(-1)], [0, 1]);
  const stages = new Set(found.told.map(({ stage }) => stage));
  for (const stage of ['program', 'weights', 'decode_second', 'done']) assert.ok(stages.has(stage), stage);
  assert.deepEqual(found.added, [], 'no global was added');
});

siteTest('a check that is cancelled takes no other along, and a closed checker ends all', async (page) => {
  const found = await page.evaluate(async ({ painted, slow }) => {
    const { blob, failure } = await import('/site.js');
    const { AedrError, createChecker } = await import('/node_modules/aedr/index.js');
    const checker = createChecker();
    const controller = new AbortController();
    const onProgress = (/** @type {any} */ { stage }) => stage === 'encode_first' && controller.abort(new Error('no'));
    const cancelled = failure(() => checker.check(blob(slow), { signal: controller.signal, onProgress }));
    const waiting = checker.check(blob(painted));
    const never = await failure(() => checker.check(blob(painted), { signal: AbortSignal.abort() }));
    const first = await cancelled;
    const { outcome } = await waiting;
    /** @type {(value?: any) => void} */
    let started = () => {};
    const running = new Promise((done) => (started = done));
    const ended = [
      failure(() => checker.check(blob(slow), { onProgress: ({ stage }) => stage === 'encode_first' && started() })),
      failure(() => checker.check(blob(painted))),
    ];
    await running;
    checker.close();
    const closed = [...(await Promise.all(ended)), await failure(() => checker.check(blob(painted)))];
    const typed = [first, never, ...closed].every(({ error }) => error instanceof AedrError);

    const stuck = createChecker({ workerSrc: '/stuck.js' });
    const patience = new AbortController();
    const lose = (/** @type {any} */ { stage }) => stage === 'device' && patience.abort();
    const lost = failure(() => stuck.check(new Blob(), { name: 'stuck', signal: patience.signal, onProgress: lose }));
    /** @type {number[]} */
    const fractions = [];
    const add = (/** @type {any} */ { fraction }) => fractions.push(Number(fraction.toFixed(3)));
    const behind = await stuck.check(new Blob(), { name: 'other', onProgress: add });
    stuck.close();
    const replaced = [(await lost).code, behind.outcome];
    const codes = closed.map(({ code }) => code);
    return { first: first.code, never: never.code, outcome, closed: codes, typed, replaced, fractions };
  }, images);
  assert.deepEqual([found.first, found.never, found.outcome], ['cancelled', 'cancelled', 'matches']);
  assert.deepEqual(found.closed, ['closed', 'closed', 'closed']);
  assert.deepEqual(found.replaced, ['cancelled', 'matches'], 'a worker that had to be ended');
  assert.deepEqual(found.fractions, [0, 0, 0.1, 0.6, 0.6, 1], 'progress begins with waiting, and never goes back');
  assert.ok(found.typed, 'all are AedrErrors');
});

siteTest('what cannot work is said at once, with what to do', async (page) => {
  const found = await page.evaluate(async ({ painted }) => {
    const { blob, failure } = await import('/site.js');
    const { createChecker } = await import('/node_modules/aedr/index.js');
    const checker = createChecker();
    const model = { id: 'other', manifest: '/other/manifest.json' };
    const attempts = {
      device: () => createChecker({ device: 'tpu' }),
      none: () => createChecker({ models: [] }),
      noId: () => createChecker({ models: [{ manifest: '/manifest.json' }] }),
      twice: () => createChecker({ models: [model, model] }),
      scheme: () => createChecker({ models: [{ ...model, manifest: 'data:application/json,{}' }] }),
      hash: () => createChecker({ models: [{ ...model, integrity: 'md5-x' }] }),
      elsewhere: () => createChecker({ workerSrc: 'https://cdn.example/worker.js' }),
      address: () => checker.check('photograph.jpg'),
      element: () => checker.check(document.createElement('img')),
      unknown: () => checker.check(blob(painted), { models: ['other'] }),
      noImage: () => checker.check(new Blob(['text'])),
      absentModel: () => checker.check(blob(painted), { models: [model] }),
      absentWorker: () => createChecker({ workerSrc: '/absent.js' }).check(blob(painted)),
    };
    /** @type {Record<string, any>} */
    const failures = {};
    for (const [name, attempt] of Object.entries(attempts)) failures[name] = await failure(attempt);
    checker.close();
    return failures;
  }, images);
  const codes = Object.fromEntries(Object.entries(found).map(([name, { code }]) => [name, code]));
  assert.deepEqual(codes, {
    device: 'bad_options',
    none: 'bad_options',
    noId: 'bad_options',
    twice: 'bad_options',
    scheme: 'bad_options',
    hash: 'bad_options',
    elsewhere: 'program_missing',
    address: 'bad_options',
    element: 'bad_options',
    unknown: 'unknown_model',
    noImage: 'not_an_image',
    absentModel: 'weights_missing',
    absentWorker: 'program_missing',
  });
  for (const { advice } of [found.elsewhere, found.address]) assert.ok(advice);
  assert.match(found.unknown.advice, /aedr-small/);
  assert.ok(Object.values(found).every(({ name, message }) => name === 'AedrError' && message));
}, { expected: /404/ });

/** Bundles a page of the project as a site does. @param {string} script @param {string} outfile */
async function bundleSite(script, outfile) {
  const stdin = { contents: script, resolveDir: project };
  const options = { bundle: true, minify: true, logLevel: /** @type {const} */ ('error') };
  await build({ ...options, stdin, format: 'esm', outfile: resolve(project, outfile) });
}

siteTest('bundled, it finds its files beside the bundle', async (page, { requests }) => {
  await bundleSite(`export * from 'aedr'; export * from 'aedr/frame';`, 'built/site.js');
  for (const file of ['worker.js', 'helper.js', 'aedr.wasm', 'weights']) {
    await cp(installed(file), resolve(project, 'built', file), { recursive: true });
  }
  const found = await page.evaluate(async ({ painted }) => {
    const { blob, threads } = await import('/site.js');
    const { createChecker } = await import('/built/site.js');
    const checker = createChecker();
    const { outcome, device } = await checker.check(blob(painted));
    checker.close();
    return { outcome, helped: device.threads === threads };
  }, images);
  assert.deepEqual(found, { outcome: 'matches', helped: true });
  assert.ok(!requests.some((url) => url.includes('node_modules')));
});

siteTest('its files can be anywhere, and models are looked at as far as a site says', async (page, { requests }) => {
  await bundleSite(`export { createChecker } from 'aedr';`, 'assets/site.js');
  await cp(installed('worker.js'), resolve(project, 'static/check.1.js'));
  await cp(installed('helper.js'), resolve(project, 'static/help.2.js'));
  await cp(installed('aedr.wasm'), resolve(project, 'media/module.3.wasm'));
  await cp(installed('weights/aedr-small'), resolve(project, 'models/small'), { recursive: true });
  const integrity = await integrityOf(installed('weights/aedr-small/manifest.json'));
  const calibrationIntegrity = await integrityOf(installed('weights/aedr-small/calibration.json'));
  const found = await page.evaluate(
    async ({ painted, integrity, calibrationIntegrity }) => {
      const { blob, failure, threads } = await import('/site.js');
      const { createChecker } = await import('/assets/site.js');
      const model = { id: 'aedr-small', manifest: '/models/small/manifest.json', name: 'Ours' };
      const checker = createChecker({
        workerSrc: '/static/check.1.js',
        helperSrc: new URL('/static/help.2.js', location.href),
        wasmSrc: '/media/module.3.wasm',
        models: [{ ...model, integrity, calibrationIntegrity }],
      });
      const whole = await checker.check(blob(painted));
      // Other hashes make another model of it.
      const uncovered = await checker.check(blob(painted), { models: [{ ...model, integrity }] });
      const other = { ...model, integrity: calibrationIntegrity };
      const { code } = await failure(() => checker.check(blob(painted), { models: [other] }));
      const plain = await checker.check(blob(painted), { models: [model] });
      checker.close();
      return { whole, uncovered, code, plain: plain.outcome, helped: whole.device.threads === threads };
    },
    { ...images, integrity, calibrationIntegrity },
  );
  assert.equal(found.whole.outcome, 'matches');
  assert.equal(found.whole.reports[0].model.name, 'Ours');
  assert.ok(found.helped, 'helpers were started');
  // Found by the orientation control alone.
  const [{ threshold, evidence, control, model }] = found.uncovered.reports;
  assert.equal(model.calibration_sha256, null, 'a calibration that nothing is known of is not used');
  assert.deepEqual([found.uncovered.outcome, threshold, evidence], ['matches', null, null]);
  assert.ok(control.evidence.other_share <= 0.001 && control.evidence.photographs === 0);
  assert.equal(found.code, 'integrity_failed');
  assert.equal(found.plain, 'matches');
  const wanted = ['/static/check.1.js', '/static/help.2.js', '/media/module.3.wasm'];
  for (const path of wanted) assert.ok(requests.some((url) => url.endsWith(path)), path);
  assert.ok(!requests.some((url) => /node_modules|assets\/(worker|helper|aedr)/.test(url)));
});

/** Checks an image twice, and gives what the page violated. @param {import('playwright-core').Page} page */
function checkUnderPolicy(page) {
  return page.evaluate(async ({ painted }) => {
    /** @type {string[]} */
    const violations = [];
    addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI, sample }) => {
      violations.push([effectiveDirective, blockedURI, sample].join(' '));
    });
    const { blob, failure, threads } = await import('/site.js');
    const { createChecker } = await import('/node_modules/aedr/index.js');
    const checkers = [createChecker(), createChecker()];
    const found = [];
    for (const checker of checkers) {
      const failed = await failure(async () => found.push(await checker.check(blob(painted))));
      if (failed) found.push(failed);
      checker.close();
    }
    const outcomes = found.map(({ outcome, code, device }) => [outcome ?? code, device?.threads === threads]);
    return { violations, outcomes, advice: found[0].advice };
  }, images);
}

siteTest(
  'under the strictest policy nothing is violated, in the page or in its workers',
  async (page, { complaints }) => {
    const { violations, outcomes } = await checkUnderPolicy(page);
    // With helpers, and twice: one policy of the name is allowed, once.
    assert.deepEqual(outcomes, [
      ['matches', true],
      ['matches', true],
    ]);
    assert.deepEqual(violations, []);
    assert.deepEqual(complaints, []);
  },
  { policy: STRICT },
);

siteTest(
  'where its policy is not allowed it says so, and takes an address that the site vouches for',
  async (page, { complaints }) => {
    const { violations, outcomes, advice } = await checkUnderPolicy(page);
    assert.equal(outcomes[0][0], 'program_missing');
    assert.match(advice, /“aedr”.+trusted-types/);
    assert.ok(violations.some((text) => text.startsWith('trusted-types')), violations.join());
    assert.ok(complaints.length > 0, 'the browser says it, too');
    const outcome = await page.evaluate(async ({ painted }) => {
      const { blob } = await import('/site.js');
      const { createChecker } = await import('/node_modules/aedr/index.js');
      const own = trustedTypes.createPolicy('site', { createScriptURL: (address) => address });
      const checker = createChecker({ workerSrc: own.createScriptURL('/node_modules/aedr/worker.js') });
      const { outcome } = await checker.check(blob(painted));
      checker.close();
      return outcome;
    }, images);
    assert.equal(outcome, 'matches');
  },
  { policy: STRICT.replace('trusted-types aedr', 'trusted-types site'), expected: /policy|trusted/i },
);
