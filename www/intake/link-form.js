/**
 * The field for an image's link. A link that comes any other way goes there first: whether it is fetched is for a person
 * to decide.
 */

import { sentence, toPlain } from '../common/errors.js';
import { intake as words } from '../texts/catalogue.js';
import { byId, element, scrolling } from '../ui/dom.js';
import { takeSources } from './arrivals.js';
import { sourceFrom } from './link.js';

export function showLinkForm() {
  const kind = { type: 'url', autocomplete: 'off', spellcheck: 'false', placeholder: 'https://', required: true };
  const input = element('input', { id: 'link-address', ...kind, 'aria-describedby': 'link-problem link-hint' });
  const fetching = element('button', { type: 'submit', id: 'link-fetch' }, words.linkFetch);
  const form = element(
    'form',
    { novalidate: true },
    element('label', { for: 'link-address' }, words.linkLabel),
    element('p', { class: 'link-field' }, input, fetching),
    element('p', { id: 'link-problem', class: 'problem', role: 'alert' }),
    element('p', { id: 'link-hint', class: 'hint' }, words.linkHint),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    fetchGiven(/** @type {HTMLInputElement} */ (input));
  });
  input.addEventListener('input', () => showProblem(''));
  byId('link').append(element('summary', {}, words.linkLabel), form);
}

/**
 * A link that was dropped or pasted. Images that are links themselves need no other site.
 * @param {string} link
 * @throws {AedrError} link_address
 */
export function offerLink(link) {
  if (/^data:/i.test(link)) {
    takeSources([sourceFrom(link)]);
    return;
  }
  byId('link').open = true;
  byId('link-address').value = link;
  showProblem('');
  showProblem(words.linkArrived);
  byId('link-fetch').focus({ preventScroll: true });
  byId('link').scrollIntoView({ behavior: scrolling(), block: 'nearest' });
}

/** @param {HTMLInputElement} input */
function fetchGiven(input) {
  try {
    const source = sourceFrom(input.value);
    showProblem('');
    input.removeAttribute('aria-invalid');
    takeSources([source]);
  } catch (thrown) {
    const { message } = toPlain(thrown);
    input.setAttribute('aria-invalid', 'true');
    showProblem(sentence(message));
    input.focus();
  }
}

/** @param {string} text */
function showProblem(text) {
  byId('link-problem').textContent = text;
}
