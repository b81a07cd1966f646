/**
 * Yields to the event loop during a long computation, because a worker receives a cancel message only between tasks.
 */

const INTERVAL_MS = 30;

/**
 * The callback that the module calls between steps. It reports progress and, at most every 30 ms, yields so that
 * waiting messages arrive. It returns false once `signal` is aborted.
 * @param {AbortSignal} signal
 * @param {(progress: {stage: string, fraction: number}) => void} progress
 * @returns {(fraction: number, stage: string) => boolean | Promise<boolean>}
 */
export function yieldingProgress(signal, progress) {
  let last = -Infinity;
  let lastStage = '';
  return (fraction, stage) => {
    const now = performance.now();
    if (stage === lastStage && now - last < INTERVAL_MS) return !signal.aborted;
    [last, lastStage] = [now, stage];
    progress({ stage, fraction });
    return nextTask().then(() => !signal.aborted);
  };
}

/** Waits for the next task by a message to itself, which, unlike a timer, is not delayed. */
function nextTask() {
  return new Promise((done) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      done(undefined);
    };
    port2.postMessage(null);
  });
}
