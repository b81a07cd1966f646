/** Signals that end what is under way. */

/**
 * Aborted as soon as one of these is: `AbortSignal.any`, which Safari has since 17.4 and Firefox since 124.
 * @param {AbortSignal[]} signals @returns {AbortSignal}
 */
export function anySignal(signals) {
  if (AbortSignal.any) return AbortSignal.any(signals);
  const either = new AbortController();
  for (const signal of signals) {
    const abort = () => either.abort(signal.reason);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true, signal: either.signal });
  }
  return either.signal;
}
