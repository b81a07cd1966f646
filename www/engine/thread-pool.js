/** Starts the workers that help the CPU, where the browser lets workers share memory. */

import { startWorker } from './start-worker.js';

const HELPER = new URL('./helper.js', import.meta.url);

/** More threads would wait for memory rather than compute. */
const MOST_THREADS = 8;
/** In milliseconds. A helper that takes longer to start is left out. */
const PATIENCE = 10_000;

/**
 * Workers with the module in them, ready to compute.
 * @param {WebAssembly.Module} module
 * @param {string | URL} [script] What they run.
 * @returns {Promise<Worker[]>}
 */
export async function startHelpers(module, script = HELPER) {
  if (!sharesMemory()) return [];
  const count = Math.min(navigator.hardwareConcurrency ?? 1, MOST_THREADS) - 1;
  const started = await Promise.all(Array.from({ length: Math.max(count, 0) }, () => helper(module, script)));
  return started.filter((worker) => worker !== null);
}

/** An isolated page may share memory, but some browsers (WebKitGTK 2.50) isolate pages and offer no shared memory. */
function sharesMemory() {
  return globalThis.crossOriginIsolated && 'SharedArrayBuffer' in globalThis;
}

/** @param {WebAssembly.Module} module @param {string | URL} script @returns {Promise<Worker | null>} */
function helper(module, script) {
  return new Promise((resolve) => {
    const worker = started(script);
    if (!worker) return resolve(null);
    const failed = () => {
      worker.terminate();
      resolve(null);
    };
    const timer = setTimeout(failed, PATIENCE);
    worker.onerror = failed;
    worker.onmessage = () => {
      clearTimeout(timer);
      worker.onerror = null;
      resolve(worker);
    };
    worker.postMessage({ module });
  });
}

/** @param {string | URL} script */
function started(script) {
  try {
    // The helpers inherit the page's policy if this worker does.
    return startWorker(script, { inheriting: location.protocol === 'blob:' });
  } catch {
    // Where helpers may not start, one thread does all the work.
    return null;
  }
}
