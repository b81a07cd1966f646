/**
 * Detects that a worker has ended. A browser that terminates one, for lack of memory perhaps, fires no event. So a
 * worker holds a lock of its own for as long as it lives, and whoever waits for that lock learns when it ends.
 * Pages without https have no locks, and do without.
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
  // Frames to which a browser denies storage get no locks.
  navigator.locks?.request(name, forever).catch(() => {});
}

/**
 * For the page or worker that started it.
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
