/** Starts the workers that help the CPU, where the browser lets workers share memory. */

import { startWorker } from './start-worker.js';

const HELPER = new URL('./helper.js', import.meta.url);

/** More would wait for memory rather than compute. */
const MOST_THREADS = 8;
/** A helper that is not ready by then is done without. */
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

/** An isolated page may, but some browsers (WebKitGTK 2.50) isolate pages and have nothing to share. */
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
    // What holds for this worker holds for its helpers.
    return startWorker(script, { inheriting: location.protocol === 'blob:' });
  } catch {
    // Where helpers may not be started, one thread does all.
    return null;
  }
}
