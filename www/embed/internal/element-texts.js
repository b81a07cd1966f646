/**
 * The element's sentences, in the language of what surrounds it. The page's own language is chosen elsewhere.
 *
 * @typedef {typeof import('../../texts/en.js') & ReturnType<typeof messagesIn> & {locale: string}} Texts
 */

import { available } from '../../texts/locale.js';
import { messagesIn } from '../../texts/messages.js';

/** @type {Record<string, () => Promise<typeof import('../../texts/en.js')>>} */
const CATALOGUES = { en: () => import('../../texts/en.js'), 'zh-Hans': () => import('../../texts/zh-Hans.js') };
const ELSE = 'en';

/** @type {Map<string, Promise<Texts>>} */
const loaded = new Map();

/** The language of an element, of its document, or English: the first that there is. @param {Element} element */
export function localeAt(element) {
  const { ownerDocument } = element;
  const tags = [languageAround(element), ownerDocument.documentElement.lang];
  return tags.map(available).find(Boolean) ?? ELSE;
}

/** Looks through all enclosing shadow trees. @param {Element} element */
function languageAround(element) {
  /** @type {Element | undefined} */
  let within = element;
  while (within) {
    const closest = within.closest('[lang]');
    if (closest) return closest.getAttribute('lang') ?? '';
    within = /** @type {ShadowRoot} */ (within.getRootNode()).host;
  }
  return '';
}

/** @param {string} locale @returns {Promise<Texts>} */
export function textsIn(locale) {
  const known = loaded.get(locale);
  if (known) return known;
  const texts = CATALOGUES[locale]().then((catalogue) => ({ ...catalogue, ...messagesIn(catalogue, locale), locale }));
  loaded.set(locale, texts);
  // Lets the next call try again: the connection may be better then.
  texts.catch(() => loaded.delete(locale));
  return texts;
}
