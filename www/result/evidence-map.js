/**
 * The section of the evidence map. Its script loads later, so that the verdict does not wait for it.
 *
 * @typedef {import('../engine/types.js').CheckAnswer} CheckAnswer
 * @typedef {import('../engine/types.js').ModelAnswer} ModelAnswer
 */

import { evidenceMap as words } from '../texts/catalogue.js';
import { element, loadStyle } from '../ui/dom.js';

/** The module keeps no pictures of larger images (`src/evidence/evidence_map.rs`). */
const MOST_PIXELS = 2 ** 22;

/**
 * @param {CheckAnswer} answer @param {ModelAnswer[]} ordered The likeliest model first.
 * @param {{intake: import('../intake/types.js').Intake, onAgain: () => void}} context `onAgain` checks again, where the
 *   pictures of an earlier check were given up.
 * @returns {{section: HTMLElement, free: () => void}}
 */
export function evidenceMapSection({ picture }, ordered, { intake, onAgain }) {
  const section = element('section', { class: 'evidence-map' });
  const models = ordered.flatMap(({ report, evidenceMap: map }) =>
    map ? [{ name: report.model.name, map, parts: report.control?.regions ?? [] }] : [],
  );
  const { width, height } = ordered[0].report.image;
  let free = () => {};
  let gone = false;
  if (models.length > 0) {
    Promise.all([import('./evidence-map-viewer.js'), loadStyle(new URL('./evidence-map-viewer.css', import.meta.url))])
      .then(([{ evidenceMapViewer }]) => {
        if (gone) return;
        const made = evidenceMapViewer({ picture: picture ?? intake.file, size: { width, height }, models });
        free = made.free;
        section.replaceChildren(made.section);
      })
      .catch(() => section.replaceChildren(element('p', { class: 'hint' }, words.missing)));
  } else if (width * height > MOST_PIXELS) {
    section.append(element('h3', {}, words.heading), element('p', { class: 'hint' }, words.tooLarge));
  } else {
    const again = element('button', { type: 'button' }, words.again);
    again.addEventListener('click', onAgain);
    section.append(element('h3', {}, words.heading), element('p', { class: 'hint' }, words.givenUp), element('p', {}, again));
  }
  return {
    section,
    free: () => {
      gone = true;
      free();
    },
  };
}
