/** Choosing the page's language. The page is loaded anew, and takes the images along: they are checked again. */

import { byId, element } from './dom.js';
import { chooseLocale, LOCALES } from '../texts/locale.js';
import { filesOf, reload, stash } from '../intake/pending-images.js';
import { locale } from '../texts/catalogue.js';

/** @param {() => import('../batch/check-queue.js').Entry[]} entries The images of this visit. */
export function offerLanguages(entries) {
  const select = /** @type {HTMLSelectElement} */ (byId('language'));
  // Each in its own words, so that whoever landed in a foreign language finds the way.
  const options = Object.entries(LOCALES).map(([value, name]) =>
    element('option', { value, lang: value, selected: value === locale }, name),
  );
  select.append(...options);
  select.addEventListener('change', async () => {
    chooseLocale(select.value);
    const files = filesOf(entries());
    reload(files.length > 0 && (await stash(files)));
  });
}
