/** Abort signals, by what every browser has that the page is for. */

/**
 * A signal that is aborted as soon as one of these is, and a way to let go of them. `AbortSignal.any` came to Chrome
 * with 116, to Firefox with 124 and to Safari with 17.4.
 * @param {AbortSignal[]} signals
 * @returns {{signal: AbortSignal, release: () => void}}
 */
export function either(...signals) {
  const controller = new AbortController();
  const stop = () => controller.abort(signals.find(({ aborted }) => aborted)?.reason);
  const release = () => {
    for (const signal of signals) signal.removeEventListener('abort', stop);
  };
  for (const signal of signals) signal.addEventListener('abort', stop, { once: true });
  if (signals.some(({ aborted }) => aborted)) stop();
  return { signal: controller.signal, release };
}
