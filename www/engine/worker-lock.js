/**
 * Whether a worker still lives. A browser that ends one, for want of memory perhaps, tells nobody. So a worker holds a
 * lock of its own for as long as it lives, and whoever waits for that lock learns when it ends. Pages without https
 * have no locks, and do without.
 */

/**
 * For the worker: holds the lock until the worker ends.
 * @param {(name: string) => void} onHeld Given the lock's name, which no other has.
 */
export function holdWorkerLock(onHeld) {
  const name = `aedr-worker-${globalThis.crypto.randomUUID?.()}`;
  const forever = () => {
    onHeld(name);
    return new Promise(() => {});
  };
  // Frames that a browser lets keep nothing are refused.
  navigator.locks?.request(name, forever).catch(() => {});
}

/**
 * For whoever started it.
 * @param {string} name @param {() => void} onEnd
 * @returns {() => void} Stops watching, before the worker is ended on purpose.
 */
export function watchWorkerLock(name, onEnd) {
  const watching = new AbortController();
  const { signal } = watching;
  const ended = () => signal.aborted || onEnd();
  navigator.locks.request(name, { signal }, ended).catch(() => {});
  return () => watching.abort();
}
