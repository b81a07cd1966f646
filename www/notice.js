/** Notices at the lower edge of the window: they cover nothing for good, hold nothing up, and go when told to. */

import { element, style } from './dom.js';
import { gap } from './errors.js';

/** @typedef {{text: string, run: () => void, primary?: boolean}} Action */

/** The notice that is shown. @type {HTMLElement | null} */
let shown = null;
/** Where the focus was before it went into the notice. @type {HTMLElement | null} */
let before = null;

/**
 * Shows a notice in place of the one before.
 * @param {string} text @param {string} more @param {Action[]} actions Each one's button; `run` closes it if it should.
 */
export async function showNotice(text, more, actions) {
  await style('offline.css');
  const focused = shown?.contains(document.activeElement);
  const words = element('p', { role: 'status' });
  const buttons = actions.map(({ text: label, run, primary = false }) => {
    const button = element('button', { type: 'button', class: primary && 'primary' }, label);
    button.addEventListener('click', run);
    return button;
  });
  const row = element('p', { class: 'actions' }, ...buttons);
  const notice = element('section', { class: 'notice', id: 'notice' }, words, row);
  notice.addEventListener('focusin', ({ relatedTarget }) => {
    if (!notice.contains(/** @type {Node} */ (relatedTarget))) before = /** @type {HTMLElement} */ (relatedTarget);
  });
  if (shown) shown.replaceWith(notice);
  else document.body.append(notice);
  shown = notice;
  if (focused) buttons[0]?.focus({ preventScroll: true });
  // Screen readers tell what comes into a place that they know.
  requestAnimationFrame(() => words.append(element('strong', {}, text), gap(text), more));
}

/** Gives the focus back to where it was. */
export function closeNotice() {
  const focused = shown?.contains(document.activeElement);
  shown?.remove();
  shown = null;
  if (focused) before?.focus({ preventScroll: true });
}
