/** Runs many checks one after another in the page, and measures its memory. */

import { readFile } from 'node:fs/promises';
import { chooseDevice, ROOT } from './browser.mjs';
import { busyPng } from './image-files.mjs';
import { openTiny, serveTiny, TINY_FOLDERS } from './tiny-model-page.mjs';

/** Several sizes, so that nothing kept for one image fits the next. */
const SIDES = [64, 72, 96];

/**
 * @typedef {object} Sample Bytes, and counts.
 * @property {number} checks Checks before this sample.
 * @property {number} page The page's objects and buffers.
 * @property {number} worker The worker's, without the module.
 * @property {number} module The module's memory.
 * @property {number} resident Memory of the machine that the renderers and the GPU process use.
 * @property {number} gpu Buffers on the GPU.
 * @property {number} nodes Nodes of the document.
 * @property {number} addresses Object URLs that the page created and did not revoke.
 */

/**
 * The page for the run.
 * @param {import('playwright-core').Browser} browser
 * @param {{leak?: string}} [options] `leak`: a script that runs first in the worker.
 */
export async function openSoak(browser, { leak = '' } = {}) {
  const server = await serveTiny({ directories: [...TINY_FOLDERS, ROOT] });
  const counting = `import { watchBuffers } from '/tests/browser/support/watch-buffers.js';
    globalThis.buffers = watchBuffers();`;
  const opened = await openTiny(browser, server.address, {
    workers: { 'engine/worker.js': `${counting}\n${leak}` },
    page: () => {
      const scope = /** @type {any} */ (globalThis);
      const { createObjectURL, revokeObjectURL } = URL;
      scope.addresses = new Set();
      URL.createObjectURL = (blob) => {
        const address = createObjectURL.call(URL, blob);
        scope.addresses.add(address);
        return address;
      };
      URL.revokeObjectURL = (address) => {
        scope.addresses.delete(address);
        revokeObjectURL.call(URL, address);
      };
    },
  });
  const session = await opened.context.newCDPSession(opened.page);
  const close = async () => {
    await opened.context.close();
    await server.close();
  };
  return { ...opened, session, inWorker: await workerSession(session), close };
}

/**
 * Sends commands to the debugger of the page's worker.
 * @param {import('playwright-core').CDPSession} session
 * @returns {Promise<(method: string) => Promise<any>>}
 */
async function workerSession(session) {
  let sessionId = '';
  session.on('Target.attachedToTarget', (attached) => {
    // The first worker is the one that checks; others help it.
    if (attached.targetInfo.url.endsWith('/worker.js')) sessionId = attached.sessionId;
  });
  await session.send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: false, flatten: false });
  return throughSession(session, () => sessionId);
}

/**
 * Sends commands to a target's debugger through another target's session.
 * @param {import('playwright-core').CDPSession} session @param {() => string} sessionOf The target's current session.
 * @returns {(method: string, params?: object) => Promise<any>}
 */
export function throughSession(session, sessionOf) {
  let last = 0;
  /** @type {Map<number, {done: (result: any) => void, failed: (error: Error) => void}>} */
  const waiting = new Map();
  session.on('Target.receivedMessageFromTarget', ({ message }) => {
    const { id, result, error } = JSON.parse(message);
    if (error) waiting.get(id)?.failed(new Error(error.message));
    else waiting.get(id)?.done(result);
    waiting.delete(id);
  });
  return async (method, params = {}) => {
    const id = ++last;
    const answer = new Promise((done, failed) => waiting.set(id, { done, failed }));
    const message = JSON.stringify({ id, method, params });
    await session.send('Target.sendMessageToTarget', { sessionId: sessionOf(), message });
    return answer;
  };
}

/** The images to drop, one after another: PNG files in base64. */
export const soakImages = () => SIDES.map((side) => busyPng(side).toString('base64'));

/**
 * Drops images, each as soon as the one before is done. Runs in the page.
 * @param {{images: string[], count: number}} asked
 */
export async function dropMany({ images, count }) {
  const files = images.map((base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)));
  const settled = () =>
    new Promise((done, failed) => {
      const observer = new MutationObserver(() => {
        const { phase } = document.body.dataset;
        if (phase !== 'result' && phase !== 'error') return;
        observer.disconnect();
        if (phase === 'result') done(undefined);
        else failed(new Error(document.querySelector('#outcome')?.textContent ?? ''));
      });
      observer.observe(document.body, { attributeFilter: ['data-phase'] });
    });
  for (let i = 0; i < count; i++) {
    const data = new DataTransfer();
    data.items.add(new File([files[i % files.length]], `image-${i}.png`, { type: 'image/png' }));
    const done = settled();
    const event = new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true });
    document.body.dispatchEvent(event);
    await done;
  }
}

/** @param {Awaited<ReturnType<typeof openSoak>>} opened @param {number} checks @returns {Promise<Sample>} */
export async function measure({ page, session, inWorker }, checks) {
  // The rest of a page's memory is mostly what the debugger keeps of its requests.
  const own = (/** @type {any} */ { usedSize, backingStorageSize }) => usedSize + backingStorageSize;
  const heap = async (/** @type {(method: any) => Promise<any>} */ ask) => {
    // The second collection frees what the first left to finalisers.
    for (let i = 0; i < 2; i++) await ask('HeapProfiler.collectGarbage');
    return own(await ask('Runtime.getHeapUsage'));
  };
  const [worker] = page.workers();
  const { module, gpu } = await worker.evaluate(async () => {
    const { default: init } = await import('/www/pkg/aedr.js');
    const { memory } = await init();
    return { module: memory.buffer.byteLength, gpu: /** @type {any} */ (globalThis).buffers.now };
  });
  const inPage = await heap((method) => session.send(method));
  const { nodes } = await session.send('Memory.getDOMCounters');
  const addresses = await page.evaluate(() => /** @type {any} */ (globalThis).addresses.size);
  const inThere = await heap(inWorker);
  return { checks, page: inPage, worker: inThere, module, resident: await resident(page), gpu, nodes, addresses };
}

/** @param {import('playwright-core').Page} page */
async function resident(page) {
  const session = await page.context().browser()?.newBrowserCDPSession();
  const { VmRSS } = await residentOf(session);
  await session.detach();
  return VmRSS;
}

/**
 * Memory of the machine that the renderers and the GPU process use, in bytes: all of it, what is private, and what they
 * share with other processes.
 * @param {import('playwright-core').CDPSession} session The browser's.
 */
export async function residentOf(session) {
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  const ids = processInfo.filter(({ type }) => /renderer|gpu/i.test(type)).map(({ id }) => id);
  const statuses = await Promise.all(ids.map((id) => readFile(`/proc/${id}/status`, 'utf8').catch(() => '')));
  const sum = (/** @type {string} */ field) => {
    const line = new RegExp(`${field}:\\s+(\\d+)`);
    return statuses.reduce((all, status) => all + 1024 * Number(line.exec(status)?.[1] ?? 0), 0);
  };
  return { VmRSS: sum('VmRSS'), RssAnon: sum('RssAnon'), RssShmem: sum('RssShmem') };
}

/**
 * Measures after every `every` checks.
 * @param {Awaited<ReturnType<typeof openSoak>>} opened
 * @param {{count: number, every: number, device: 'cpu' | 'webgpu', onSample?: (sample: Sample) => void}} options
 */
export async function soak(opened, { count, every, device, onSample = () => {} }) {
  await chooseDevice(opened.page, device);
  const images = soakImages();
  const samples = [];
  for (let checks = every; checks <= count; checks += every) {
    await opened.page.evaluate(dropMany, { images, count: every });
    const sample = await measure(opened, checks);
    onSample(sample);
    samples.push(sample);
  }
  return samples;
}

/**
 * Growth per check, by least squares.
 * @template {string} What
 * @param {({checks: number} & Record<What, number>)[]} samples @param {What} what
 */
export function slope(samples, what) {
  const mean = (/** @type {(sample: {checks: number} & Record<What, number>) => number} */ of) =>
    samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length;
  const [x, y] = [mean(({ checks }) => checks), mean((sample) => sample[what])];
  const spread = mean(({ checks }) => (checks - x) ** 2);
  return mean((sample) => (sample.checks - x) * (sample[what] - y)) / spread;
}
