/** Choosing the page's language. The page is loaded anew, and takes the images along: they are checked again. */

import { byId, element } from './dom.js';
import { chooseLocale, LOCALES } from './locale.js';
import { filesOf, reload, stash } from './stash.js';
import { locale } from './texts.js';

/** @param {() => import('./checks.js').Entry[]} entries The images of this visit. */
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
