/** What a file says about its origin apart from its pixels, as evidence of its own: no verdict uses it. */

import { paragraph } from '../common/errors.js';
import { claims as claimWords, credentials as credentialWords, origin as words } from '../texts/catalogue.js';
import { element } from '../ui/dom.js';
import { claimList } from './claim-list.js';

/**
 * @param {import('../engine/types.js').CheckAnswer['claims']} claims @param {Blob} file
 */
export function originSection(claims, file) {
  return element(
    'section',
    { class: 'origin' },
    element('h3', {}, words.heading),
    element('p', { class: 'hint' }, words.hint),
    claimsSection(claims),
    credentialsSection(file),
  );
}

/**
 * What the file claims about its own origin, as untrusted text.
 * @param {import('../engine/types.js').CheckAnswer['claims']} claims
 */
function claimsSection(claims) {
  return element(
    'section',
    { class: 'claims' },
    element('h4', {}, claimWords.heading),
    element('p', { class: 'hint' }, claims.length > 0 ? claimWords.hint : claimWords.none),
    ...(claims.length > 0 ? [claimList(claims, claimWords.meanings)] : []),
  );
}

/** What it says with a signature, shown after it was read. @param {Blob} file */
function credentialsSection(file) {
  const line = element('p', { class: 'hint' }, credentialWords.looking);
  const heading = element('h4', {}, credentialWords.heading);
  const section = element('section', { class: 'credentials', 'aria-busy': 'true' }, heading, line);
  const failed = () => {
    const { heading, text } = credentialWords.states.not_checked;
    line.textContent = paragraph(heading, text);
    section.setAttribute('aria-busy', 'false');
  };
  import('./credentials.js').then(({ showCredentials }) => showCredentials(section, file)).catch(failed);
  return section;
}
