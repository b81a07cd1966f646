/** Combines abort signals, using only what every supported browser has. */

/**
 * A signal that aborts as soon as one of these does, and a function that stops listening to them. `AbortSignal.any`
 * came to Chrome with 116, to Firefox with 124 and to Safari with 17.4.
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
