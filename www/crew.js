/** Starts the workers that help the CPU, where the browser lets workers share memory. */

/** More would wait for memory rather than compute. */
const MOST_THREADS = 8;
/** A helper that is not ready by then is done without. */
const PATIENCE = 10_000;

/**
 * Workers with the module in them, ready to be hired.
 * @param {WebAssembly.Module} module
 * @returns {Promise<Worker[]>}
 */
export async function helpers(module) {
  if (!globalThis.crossOriginIsolated) return [];
  const count = Math.min(navigator.hardwareConcurrency ?? 1, MOST_THREADS) - 1;
  const started = await Promise.all(Array.from({ length: Math.max(count, 0) }, () => helper(module)));
  return started.filter((worker) => worker !== null);
}

/** @param {WebAssembly.Module} module @returns {Promise<Worker | null>} */
function helper(module) {
  return new Promise((resolve) => {
    const worker = new Worker(new URL('./helper.js', import.meta.url), { type: 'module' });
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
