/**
 * Errors as the page shows them: a stable code, what is wrong with which thing, and what to do.
 * Those thrown by the WebAssembly module have the same properties.
 *
 * @typedef {{code: string, message: string, advice: string, details?: Record<string, any>}} PlainError
 *   `details`: the values in the message, to phrase it differently.
 */

/** An error with a code that the catalogues have a headline for. */
export class AedrError extends Error {
  /** @param {string} code @param {string} message @param {string} [advice] @param {Record<string, any>} [details] */
  constructor(code, message, advice = '', details = undefined) {
    super(message);
    this.name = 'AedrError';
    this.code = code;
    this.advice = advice;
    this.details = details;
  }
}

/**
 * Any thrown value as a plain object that can cross to another thread.
 * @param {unknown} thrown
 * @returns {PlainError}
 */
export function toPlain(thrown) {
  if (thrown instanceof WebAssembly.RuntimeError) {
    const { message: detail } = thrown;
    return { code: 'engine_stopped', message: `it met an error of its own (${detail})`, advice: '', details: { detail } };
  }
  if (thrown instanceof DOMException && thrown.name === 'AbortError') {
    return { code: 'cancelled', message: 'cancelled', advice: '' };
  }
  if (thrown instanceof Error) {
    const { code, advice, details } = /** @type {Partial<AedrError>} */ (thrown);
    return { code: code ?? 'internal', message: thrown.message, advice: advice ?? '', ...parsed(details) };
  }
  return { code: 'internal', message: String(thrown), advice: '' };
}

/** The module's errors carry their details as JSON. @param {unknown} details */
function parsed(details) {
  if (!details) return {};
  return { details: typeof details === 'string' ? JSON.parse(details) : details };
}

/** @param {PlainError} plain */
export function fromPlain({ code, message, advice, details }) {
  return new AedrError(code, message, advice, details);
}

/** Messages start in lower case and have no full stop, so that they can be quoted. @param {string} message */
export function sentence(message) {
  const whole = message.charAt(0).toUpperCase() + message.slice(1);
  if (/[.!?。！？…]$/.test(whole)) return whole;
  return whole + (/\p{Script=Han}/u.test(whole) ? '。' : '.');
}

/** The separator between two sentences: Chinese ones have no space. @param {string} before */
export const gap = (before) => (/[。！？：]$/.test(before) ? '' : ' ');

/** Sentences one after the other. @param {string[]} sentences Empty ones are left out. */
export function paragraph(...sentences) {
  return sentences.filter(Boolean).reduce((all, next) => all + (all && gap(all)) + next, '');
}
