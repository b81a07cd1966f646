/** One worker, many requests: who goes first, what is cancelled, and what is left when the worker stops. */
// Runs alone: it measures how soon an answer comes.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { answerOf, WORKER_HEADERS } from '../support/answers.mjs';
import { DIST, give, launch, openPage, serve, settled } from '../support/browser.mjs';
import { busyPng } from '../support/image-files.mjs';

const SMALL = busyPng(64);

/**
 * A worker that answers with its own number and what it was asked. A request may say how: `takes` milliseconds, `deaf` to a
 * cancel, an `error` or `fatal` code, `last`.
 */
const WORKER = `
const number = Math.random();
const cancelled = new Set();
addEventListener('message', async ({ data: { id, cancel, params } }) => {
  if (cancel) return cancelled.add(id);
  const { name, takes = 0, deaf = false, error, fatal, last = false, buffer } = params;
  postMessage({ id, progress: { stage: name } });
  for (const end = performance.now() + takes; performance.now() < end; ) {
    await new Promise((done) => setTimeout(done, 10));
    if (cancelled.has(id) && !deaf) return postMessage({ id, error: { code: 'cancelled', message: '', advice: '' } });
  }
  const problem = { code: error ?? fatal, message: 'as asked', advice: '' };
  if (fatal) postMessage({ fatal: problem });
  else if (error) postMessage({ id, error: problem });
  else postMessage({ id, result: { name, number, bytes: buffer?.byteLength }, last });
});`;

/** @type {Awaited<ReturnType<typeof serve>>} */
let server;
/** @type {import('playwright-core').Browser} */
let browser;

before(async () => {
  server = await serve({ directories: [DIST] });
  browser = await launch({ webgpu: false });
});

after(async () => {
  await browser?.close();
  await server?.close();
});

/**
 * A page in which `scheduler` asks that worker, and `ask` gives what comes of it: `{name, number}`, or `{name, code}`.
 * @param {string} name @param {() => Promise<any>} body Runs in the page. @param {(found: any) => void} look
 */
function schedulerTest(name, body, look) {
  test(name, { timeout: 60_000 }, async () => {
    const { context, page } = await openPage(browser, 'about:blank');
    try {
      await context.route('**/www/engine/fake-worker.js', (route) => route.fulfill({ headers: WORKER_HEADERS, body: WORKER }));
      await page.goto(server.address);
      await page.evaluate(async () => {
        const { Scheduler, PRIORITY } = await import(`${document.baseURI}www/engine/scheduler.js`);
        const { AedrError } = await import(`${document.baseURI}www/common/errors.js`);
        const scheduler = new Scheduler(new URL('www/engine/fake-worker.js', document.baseURI));
        const order = /** @type {string[]} */ ([]);
        const ask = (name, params = {}, options = {}, transfer = []) => {
          const controller = new AbortController();
          const onProgress = ({ stage }) => order.push(stage);
          const prepare = () => ({ params: { name, ...params }, transfer });
          const asked = scheduler
            .ask('any', prepare, { signal: controller.signal, onProgress, ...options })
            .catch(({ code }) => ({ name, code }));
          return Object.assign(asked, { cancel: () => controller.abort() });
        };
        const begun = async (/** @type {string} */ name) => {
          while (!order.includes(name)) await new Promise((done) => setTimeout(done, 5));
        };
        Object.assign(globalThis, { scheduler, ask, order, begun, PRIORITY, AedrError });
      });
      look(await page.evaluate(body));
    } finally {
      await context.close();
    }
  });
}

schedulerTest(
  'what waits is cancelled at once, and what runs goes on in the same worker, however long it takes',
  async () => {
    const { ask, begun } = /** @type {any} */ (globalThis);
    const running = ask('running', { takes: 3000 });
    const waiting = ask('waiting');
    await begun('running');
    const cancelledAt = performance.now();
    waiting.cancel();
    const { code } = await waiting;
    const waited = performance.now() - cancelledAt;
    const first = await running;
    return { code, waited, first, next: await ask('next') };
  },
  ({ code, waited, first, next }) => {
    assert.equal(code, 'cancelled');
    assert.ok(waited < 500, `${waited} ms`);
    assert.equal(first.name, 'running', 'the patience of a cancel is not that of another request');
    assert.equal(next.number, first.number, 'the same worker');
  },
);

schedulerTest(
  'a worker that does not answer a cancel is replaced, and what waits goes on with another',
  async () => {
    const { ask, begun } = /** @type {any} */ (globalThis);
    const buffer = new ArrayBuffer(1000);
    const before = await ask('before');
    const deaf = ask('deaf', { takes: 60_000, deaf: true });
    const waiting = ask('waiting', { buffer }, {}, [buffer]);
    await begun('deaf');
    deaf.cancel();
    await new Promise((done) => setTimeout(done, 500));
    const kept = buffer.byteLength;
    return { before, deaf: await deaf, waiting: await waiting, kept, left: buffer.byteLength };
  },
  ({ before, deaf, waiting, kept, left }) => {
    assert.equal(deaf.code, 'cancelled');
    assert.equal(waiting.name, 'waiting');
    assert.notEqual(waiting.number, before.number);
    assert.deepEqual([kept, waiting.bytes, left], [1000, 1000, 0], 'what is handed over is handed over in turn');
  },
);

schedulerTest(
  'a worker that stops takes nothing with it but what it was doing',
  async () => {
    const { ask } = /** @type {any} */ (globalThis);
    const first = await ask('first');
    const ends = [ask('trapped', { error: 'engine_stopped' }), ask('lost', { fatal: 'device_failed' }), ask('last', { last: true })];
    const after = [];
    for (const [index, end] of ends.entries()) after.push(await ask(`after ${index}`), await end);
    return { first, after };
  },
  ({ first, after }) => {
    // Each was waiting while those before it stopped.
    assert.deepEqual(after.map(({ name, code }) => code ?? name), [
      'after 0',
      'engine_stopped',
      'after 1',
      'device_failed',
      'after 2',
      'last',
    ]);
    const numbers = [first, after[5], after[0]].map(({ number }) => number);
    assert.equal(new Set(numbers).size, 3, 'another worker after each that stopped, and after a last answer');
  },
);

schedulerTest(
  'a check that a person waits for goes before what is done in the background',
  async () => {
    const { ask, order, PRIORITY } = /** @type {any} */ (globalThis);
    const background = { priority: PRIORITY.background };
    const waits = [];
    const onWait = () => waits.push(order.length);
    await Promise.all([
      ask('b1', { takes: 100 }, background),
      ask('b2', {}, { ...background, onWait }),
      ask('c1', {}, { onWait }),
      ask('b3', {}, background),
      ask('c2'),
    ]);
    return { order, waits };
  },
  ({ order, waits }) => {
    assert.deepEqual(order, ['b1', 'c1', 'c2', 'b2', 'b3']);
    assert.deepEqual(waits, [0, 0], 'whoever has to wait is told at once');
  },
);

schedulerTest(
  'a scheduler that is closed ends all, for good',
  async () => {
    const { ask, begun, scheduler, AedrError } = /** @type {any} */ (globalThis);
    const asked = [ask('running', { takes: 60_000 }), ask('waiting')];
    await begun('running');
    scheduler.close(new AedrError('closed', 'closed'));
    return Promise.all([...asked, ask('later')]);
  },
  (ended) => assert.deepEqual(ended.map(({ code }) => code), ['closed', 'closed', 'closed']),
);

/**
 * A worker without the module: of three models the first two have answered when it stops as `code` and `details` say. One
 * that goes on answers with what it was given.
 * @param {string} code @param {Record<string, any>} [details]
 */
function stopping(code, details = {}) {
  const answer = answerOf('does_not_match', { models: [['second', 'Second', 'matches']] });
  const models = ['aedr-small', 'second', 'third', 'fourth'].map((id) => ({ id, manifest: '' }));
  return `import { answer } from './channel.js';
    const found = ${JSON.stringify(answer)};
    const models = ${JSON.stringify(models)};
    const giveUp = answer(self, { check: async (params, { partial }) => {
      const { record, ranking } = found;
      if (params.before) {
        const { answers, failures } = params.before;
        const lines = failures.map(({ model, error }) => ({ model: model.id, code: error.code, message: error.message }));
        return { ...found, answers, failures, record: { ...record, failures: lines }, ranking };
      }
      partial({ answers: found.answers, failures: [], unasked: models.slice(2), answer: found });
      await new Promise((done) => setTimeout(done, 500));
      giveUp(Object.assign(new Error('as asked'), ${JSON.stringify({ code, details, advice: '' })}));
      return new Promise(() => {});
    } });`;
}

/** @param {string} script @param {(page: import('playwright-core').Page) => Promise<void>} body */
async function withWorker(script, body) {
  const { context, page } = await openPage(browser, 'about:blank');
  try {
    await context.route('**/www/engine/worker.js', (route) => route.fulfill({ headers: WORKER_HEADERS, body: script }));
    await page.goto(server.address);
    await body(page);
  } finally {
    await context.close();
  }
}

/** Codes of the models' lines. @param {import('playwright-core').Page} page */
const lines = (page) =>
  page
    .locator('#outcome .lines > li')
    .evaluateAll((items) => items.map((item) => item.dataset.code ?? item.dataset.outcome));

for (const [what, details, failed] of /** @type {const} */ ([
  ['a graphics processor that is lost', { lost: true }, ['device_failed', 'device_failed']],
  ['a graphics processor without memory for one model', { full: true }, ['device_failed']],
])) {
  test(`${what} leaves what the other models have answered`, { timeout: 60_000 }, async () => {
    await withWorker(stopping('device_failed', details), async (page) => {
      await give(page, 'drop', 'small.png', SMALL);
      const { outcome, text } = await settled(page);
      assert.equal(outcome, 'does_not_match', text);
      assert.deepEqual(await lines(page), ['does_not_match', 'matches', ...failed]);
      assert.ok(await page.getByRole('button', { name: 'Check on the CPU' }).isVisible());
      const download = page.waitForEvent('download');
      await page.locator('.ways button').first().click();
      const report = JSON.parse(await readFile(await (await download).path(), 'utf8'));
      assert.deepEqual(report.failures.map(({ code }) => code), failed, 'the report says so, too');
    });
  });
}

test('answers stay also if no other worker can be had', { timeout: 60_000 }, async () => {
  await withWorker(stopping('engine_stopped'), async (page) => {
    const first = page.waitForEvent('worker');
    await give(page, 'drop', 'small.png', SMALL);
    await first;
    await page.context().route('**/www/engine/worker.js', (route) => route.abort());
    const { outcome, text } = await settled(page);
    assert.equal(outcome, 'does_not_match', text);
    assert.deepEqual(await lines(page), ['does_not_match', 'matches', 'engine_stopped', 'program_missing']);
  });
});

test('the package gives what is known, and what failed', { timeout: 60_000 }, async () => {
  await withWorker(stopping('engine_stopped', { ended: true }), async (page) => {
    const found = await page.evaluate(async () => {
      const { createChecker } = await import(`${document.baseURI}www/embed/public/checker.js`);
      const models = ['aedr-small', 'second', 'third', 'fourth'].map((id) => ({ id, manifest: `/${id}/manifest.json` }));
      const checker = createChecker({ models, workerSrc: new URL('www/engine/worker.js', document.baseURI) });
      const { outcome, reports, failures, record } = await checker.check(new Blob(['image']));
      checker.close();
      return { outcome, reports: reports.length, failures, lines: record.failures };
    });
    assert.deepEqual([found.outcome, found.reports], ['does_not_match', 2]);
    for (const failures of [found.failures, found.lines]) {
      assert.deepEqual(failures.map(({ model, code }) => [model, code]), [
        ['third', 'engine_stopped'],
        ['fourth', 'engine_stopped'],
      ]);
    }
  });
});
