/** Notices at the lower edge of the window: they cover nothing for good, block nothing, and close on request. */

import { gap } from '../common/errors.js';
import { offline as words } from '../texts/catalogue.js';
import { element, loadStyle } from './dom.js';

/** @typedef {{text: string, run: () => void, primary?: boolean}} Action */

const SHEET = new URL('./notice.css', import.meta.url);
/** How long a notice without a question stays, unless somebody points at it or has the focus in it. */
const STAYS_MS = 15_000;
/** The topic of those notices. */
const PASSING = 'passing';

/** The last is shown; the others come back once it has gone. @type {HTMLElement[]} */
let notices = [];
/** Where the focus was before it went into the notice. @type {HTMLElement | null} */
let before = null;

/**
 * Shows a notice in place of the previous one of the same topic.
 * @param {string} topic @param {string} text @param {string} more
 * @param {Action[]} actions Each one's button; `run` closes it if it should.
 */
export async function showNotice(topic, text, more, actions) {
  await loadStyle(SHEET);
  place(noticeOf(topic, text, more, actions));
}

/**
 * Says something that asks for nothing: it goes by itself, or when a person closes it.
 * @param {string} text @param {string} more @param {{code?: string, actions?: Action[]}} [options] `code`: of the error that
 *   it is about. Each of the `actions` closes it.
 */
export async function showPassingNotice(text, more, { code = '', actions = [] } = {}) {
  await loadStyle(SHEET);
  const closing = actions.map(({ run, ...action }) => ({ ...action, run: () => (closeNotice(), run()) }));
  const notice = noticeOf(PASSING, text, more, [...closing, { text: words.close, run: closeNotice }]);
  if (code) notice.dataset.code = code;
  place(notice);
  const look = () => {
    if (notice.matches(':hover, :focus-within')) setTimeout(look, STAYS_MS);
    else if (notice === notices.at(-1)) closeNotice();
    else notices = notices.filter((other) => other !== notice);
  };
  setTimeout(look, STAYS_MS);
}

/** Closes the notice that is shown, and gives the focus back to where it was. */
export function closeNotice() {
  const shown = notices.at(-1);
  if (!shown) return;
  const focused = shown.contains(document.activeElement);
  notices = notices.slice(0, -1);
  const next = notices.at(-1);
  if (next) shown.replaceWith(next);
  else shown.remove();
  if (focused) before?.focus({ preventScroll: true });
}

/** @param {HTMLElement} notice */
function place(notice) {
  const shown = notices.at(-1);
  const focused = shown?.contains(document.activeElement);
  if (shown) shown.replaceWith(notice);
  else document.body.append(notice);
  notices = [...notices.filter(({ dataset: { topic } }) => topic !== notice.dataset.topic), notice];
  if (focused) notice.querySelector('button')?.focus({ preventScroll: true });
}

/** @param {string} topic @param {string} text @param {string} more @param {Action[]} actions */
function noticeOf(topic, text, more, actions) {
  const message = element('p', { role: 'status' });
  const buttons = actions.map(({ text: label, run, primary = false }) => {
    const button = element('button', { type: 'button', class: primary && 'primary' }, label);
    button.addEventListener('click', run);
    return button;
  });
  const row = element('p', { class: 'actions' }, ...buttons);
  const notice = element('section', { class: 'notice', id: 'notice', 'data-topic': topic }, message, row);
  notice.addEventListener('focusin', ({ relatedTarget }) => {
    if (!notice.contains(/** @type {Node} */ (relatedTarget))) before = /** @type {HTMLElement} */ (relatedTarget);
  });
  // Screen readers announce what is added to a live region that exists already.
  requestAnimationFrame(() => message.append(element('strong', {}, text), gap(text), more));
  return notice;
}
