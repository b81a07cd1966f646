/**
 * Every sentence of the page, in the reader's language: `texts/` has a catalogue for each language. Messages about a
 * particular file come from the module, in English; a catalogue may translate them by their codes (`remarks`,
 * `problems`).
 */

import { chosenLocale } from './locale.js';
import { messagesIn } from './messages.js';

/** The catalogue's language, as a BCP 47 tag. */
export const locale = chosenLocale();

/** @type {typeof import('./en.js')} */
const catalogue = await import(`./${locale}.js`);

export const {
  calibration,
  claims,
  control,
  credentials,
  demonstration,
  device,
  errors,
  evidence,
  evidenceMap,
  exports,
  failure,
  howSteps,
  intake,
  lines,
  meanings,
  models,
  numbers,
  offline,
  origin,
  outcomes,
  page,
  picture,
  plot,
  problems,
  progress,
  remarks,
  result,
  samples,
  search,
  signals,
  stages,
  table,
  verdicts,
} = catalogue;

/** What a check found, or why it failed. */
export const {
  answerText,
  arrivalNotes,
  controlText,
  deviceLine,
  errorText,
  evidenceText,
  format,
  groupText,
  headingText,
  linkError,
  localizedError,
  numberRows,
  remarkText,
  robustText,
  shareText,
  signalText,
  verdictText,
} = messagesIn(catalogue, locale);
