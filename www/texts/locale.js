/** Which language the page speaks: the one that was chosen, else the first of the browser's that there is. */

const KEY = 'aedr-locale';

/** @type {Record<string, string>} The languages' own names, by BCP 47 tag. */
export const LOCALES = { en: 'English', 'zh-Hans': '简体中文' };

/** @returns {string} One of `LOCALES`. */
export function chosenLocale() {
  const stored = storedLocale();
  if (stored in LOCALES) return stored;
  return navigator.languages.map(available).find(Boolean) ?? 'en';
}

/** Of the next visit on. @param {string} locale */
export function chooseLocale(locale) {
  try {
    localStorage.setItem(KEY, locale);
  } catch {
    // Where nothing is kept, the choice holds as long as the page: its address says it.
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
 * @param {string} tag A language's, which may be no tag: traditional Chinese is not written for simplified's readers.
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
