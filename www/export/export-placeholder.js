/** The place of what a person can take away, filled once its script has come: the verdict does not wait for it. */

import { element } from '../ui/dom.js';
import { exports as words } from '../texts/catalogue.js';

/**
 * @param {import('../engine/worker.js').CheckAnswer} answer
 * @param {{intake: import('../intake/arrivals.js').Intake, models: import('../result/result.js').ModelEntry[]}} context
 */
export function takeAway(answer, context) {
  const section = element('section', { class: 'exports' });
  import('./export-section.js')
    .then(({ showExports }) => showExports(section, answer, context))
    .catch(() => section.replaceChildren(element('p', { class: 'hint' }, words.missing)));
  return section;
}
