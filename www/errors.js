/**
 * Errors as the page shows them: a stable code, what is wrong with which thing, and what to do.
 * Those thrown by the WebAssembly module have the same properties.
 *
 * @typedef {{code: string, message: string, advice: string}} PlainError
 */

/** An error with a code that `texts.js` has a headline for. */
export class AedrError extends Error {
  /** @param {string} code @param {string} message @param {string} [advice] */
  constructor(code, message, advice = '') {
    super(message);
    this.name = 'AedrError';
    this.code = code;
    this.advice = advice;
  }
}

/**
 * Any thrown value as a plain object that can cross to another thread.
 * @param {unknown} thrown
 * @returns {PlainError}
 */
export function toPlain(thrown) {
  if (thrown instanceof WebAssembly.RuntimeError) {
    return { code: 'engine_stopped', message: thrown.message, advice: '' };
  }
  if (thrown instanceof DOMException && thrown.name === 'AbortError') {
    return { code: 'cancelled', message: 'cancelled', advice: '' };
  }
  if (thrown instanceof Error) {
    const { code, advice } = /** @type {Partial<AedrError>} */ (thrown);
    return { code: code ?? 'internal', message: thrown.message, advice: advice ?? '' };
  }
  return { code: 'internal', message: String(thrown), advice: '' };
}

/** @param {PlainError} plain */
export function fromPlain({ code, message, advice }) {
  return new AedrError(code, message, advice);
}

/** Messages begin small and have no full stop, to be quoted. @param {string} message */
export function sentence(message) {
  const whole = message.charAt(0).toUpperCase() + message.slice(1);
  return /[.!?]$/.test(whole) ? whole : `${whole}.`;
}
