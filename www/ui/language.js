/** The page's language: fills in its sentences, and offers the choice of another language. */

import { howSteps, locale, outcomes, page } from '../texts/catalogue.js';
import { chooseLocale, LOCALES } from '../texts/locale.js';
import { byId, element } from './dom.js';
import { outcomeGlyph } from './outcome-glyph.js';

/** Fills the page with its sentences. */
export function showTexts() {
  document.documentElement.lang = locale;
  document.title = page.title;
  const texts = /** @type {Record<string, string>} */ (page);
  for (const node of document.querySelectorAll('[data-text]')) {
    node.textContent = texts[/** @type {HTMLElement} */ (node).dataset.text ?? ''];
  }
  for (const node of document.querySelectorAll('[data-label]')) {
    node.setAttribute('aria-label', texts[/** @type {HTMLElement} */ (node).dataset.label ?? '']);
  }
  byId('how-steps').append(...howSteps.map((step) => element('li', {}, step)));
  byId('answers').append(
    ...Object.entries(outcomes).map(([name, { heading, promise }]) =>
      element(
        'li',
        {},
        outcomeGlyph(name),
        element('div', {}, element('strong', {}, heading), element('span', {}, promise)),
      ),
    ),
  );
}

/** Warns that only the page's own scripts keep the worker that sees images from connecting elsewhere. */
export function showUnconfined() {
  byId('unconfined').textContent = page.unconfined;
  byId('unconfined').hidden = false;
}

/** @param {() => unknown} reload Loads the page again, with the images of this visit: they are checked again. */
export function offerLanguages(reload) {
  const select = /** @type {HTMLSelectElement} */ (byId('language'));
  // Each language in its own words, so that a person can find theirs on a page in a foreign one.
  const options = Object.entries(LOCALES).map(([value, name]) =>
    element('option', { value, lang: value, selected: value === locale }, name),
  );
  select.append(...options);
  select.addEventListener('change', () => {
    chooseLocale(select.value);
    reload();
  });
}
