/** Chooses the page's language: the chosen one, else the first of the browser's languages that is available. */

const KEY = 'aedr-locale';

/** @type {Record<string, string>} The languages' own names, by BCP 47 tag. */
export const LOCALES = { en: 'English', 'zh-Hans': '简体中文' };

/** @returns {string} One of `LOCALES`. */
export function chosenLocale() {
  const stored = storedLocale();
  if (stored in LOCALES) return stored;
  return navigator.languages.map(available).find(Boolean) ?? 'en';
}

/** Takes effect with the next visit. @param {string} locale */
export function chooseLocale(locale) {
  try {
    localStorage.setItem(KEY, locale);
  } catch {
    // Without storage, the choice lasts as long as the page, in its address.
    history.replaceState(null, '', `?locale=${locale}`);
  }
}

function storedLocale() {
  try {
    return localStorage.getItem(KEY) ?? '';
  } catch {
    return new URLSearchParams(location.search).get('locale') ?? '';
  }
}

/**
 * @param {string} tag May be no valid tag. Readers of traditional Chinese do not get the simplified catalogue.
 * @returns {string} One of `LOCALES`, or nothing.
 */
export function available(tag) {
  const { language, script } = localeOf(tag) ?? {};
  if (language === 'zh') return script === 'Hans' ? 'zh-Hans' : '';
  return language && language in LOCALES ? language : '';
}

/** @param {string} tag */
function localeOf(tag) {
  try {
    return new Intl.Locale(tag).maximize();
  } catch {
    return null;
  }
}
