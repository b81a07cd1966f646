/** What a check found, or why it failed, in the page's language. */

import { sayings } from './saying.js';
import * as catalogue from './texts.js';

export const {
  arrivalNotes,
  deviceLine,
  errorWords,
  evidenceText,
  format,
  groupWords,
  inWords,
  linkError,
  numberRows,
  remarkText,
  verdictText,
} = sayings(catalogue, catalogue.locale);
