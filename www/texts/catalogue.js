/**
 * Every sentence that the page says, in the language of the person who reads: `texts/` has a catalogue for each.
 * Messages about a particular file come from the module, in English; a catalogue may have them by code (`remarks`,
 * `problems`).
 */

import { chosenLocale } from './locale.js';
import { messagesIn } from './messages.js';

/** The catalogue's language, as a BCP 47 tag. */
export const locale = chosenLocale();

/** @type {typeof import('./en.js')} */
const catalogue = await import(`./${locale}.js`);

export const {
  calibrating,
  card,
  claims,
  credentials,
  demonstration,
  device,
  errors,
  evidence,
  exports,
  failure,
  howSteps,
  intake,
  library,
  lines,
  meanings,
  numbers,
  offline,
  outcomes,
  page,
  plot,
  problems,
  progress,
  queue,
  remarks,
  result,
  samples,
  search,
  signals,
  stages,
  travelling,
  verdicts,
  viewer,
} = catalogue;

/** What a check found, or why it failed. */
export const {
  arrivalNotes,
  deviceLine,
  errorText,
  evidenceText,
  format,
  groupWords,
  inWords,
  linkError,
  numberRows,
  remarkText,
  verdictText,
} = messagesIn(catalogue, locale);
