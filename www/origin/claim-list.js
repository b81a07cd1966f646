/** What a file claims about its own origin, as untrusted text: for the page and for the element. */

import { element } from '../ui/dom.js';

/**
 * @param {import('../engine/types.js').CheckAnswer['claims']} claims
 * @param {Record<string, string>} meanings What each says, in words.
 */
export function claimList(claims, meanings) {
  const items = claims.map(({ meaning, field, text }) =>
    element(
      'div',
      { 'data-meaning': meaning },
      element('dt', {}, meanings[meaning]),
      element('dd', { class: 'claim' }, element('span', { class: 'symbol' }, field), ` ${text}`),
    ),
  );
  return element('dl', {}, ...items);
}
