/** What the module says, in the page's language where its catalogue has it, else in the module's own words. */

import { problems, remarks } from './texts.js';

/**
 * @typedef {{code: string, message: string, values?: Record<string, any>}} Remark
 * @typedef {import('./errors.js').PlainError} PlainError
 */

/** @param {Remark} remark */
export function remarkText({ code, message, values = {} }) {
  return remarks[code]?.(values) ?? message;
}

/** An error's message and advice. @param {PlainError} error @returns {PlainError} */
export function inWords(error) {
  const known = problems[error.code];
  if (!known || !error.details) return error;
  return { ...error, message: known.message(error.details), advice: known.advice };
}
