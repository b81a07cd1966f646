/** The section of exports, filled once its script has loaded: the verdict does not wait for it. */

import { exports as words } from '../texts/catalogue.js';
import { element } from '../ui/dom.js';

/**
 * @param {import('../engine/types.js').CheckAnswer} answer
 * @param {{intake: import('../intake/types.js').Intake, models: import('../models/types.js').ModelEntry[]}} context
 */
export function exportSection(answer, context) {
  const section = element('section', { class: 'exports' });
  import('./export-section.js')
    .then(({ showExports }) => showExports(section, answer, context))
    .catch(() => section.replaceChildren(element('p', { class: 'hint' }, words.missing)));
  return section;
}
