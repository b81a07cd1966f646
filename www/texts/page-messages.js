/** What a check found, or why it failed, in the page's language. */

import { sayings } from './messages.js';
import * as catalogue from './catalogue.js';

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
