/** The place of what a person can take away, filled once its script has come: the verdict does not wait for it. */

import { element } from './dom.js';
import { exports as words } from './texts.js';

/**
 * @param {import('./worker.js').CheckAnswer} answer
 * @param {{intake: import('./arrivals.js').Intake, models: import('./result.js').ModelEntry[]}} context
 */
export function takeAway(answer, context) {
  const section = element('section', { class: 'exports' });
  import('./exports.js')
    .then(({ showExports }) => showExports(section, answer, context))
    .catch(() => section.replaceChildren(element('p', { class: 'hint' }, words.missing)));
  return section;
}
