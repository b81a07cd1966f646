/**
 * The field for an image's link. A worker of its own fetches the image: the page and the worker that checks connect to
 * no other site. A link that arrives in any other way goes into the field first, so that a person decides whether it is
 * fetched.
 *
 * @typedef {import('./types.js').Intake} Intake
 * @typedef {import('./types.js').Source} Source
 * @typedef {import('./types.js').Taking} Taking
 */

import { isThisDevice, nameOf, parseAddress } from '../common/address.js';
import { AedrError, sentence, toPlain } from '../common/errors.js';
import { MAX_FILE_BYTES } from '../common/limits.js';
import { Scheduler } from '../engine/scheduler.js';
import { failure, intake as words, linkError } from '../texts/catalogue.js';
import { byId, element, scrolling } from '../ui/dom.js';
import { sourceOf, takeSources } from './arrivals.js';
import { endingOf, imageOfData } from './image-address.js';

/** An address that somebody typed without its scheme. */
const BARE = /^[a-z\d-]+(\.[a-z\d-]+)+(:\d+)?\//i;

const worker = new Scheduler(new URL('./link-worker.js', import.meta.url));

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

/**
 * An image by the link that a person gave.
 * @param {string} text
 * @returns {Source}
 * @throws {AedrError} link_address
 */
function sourceFrom(text) {
  const trimmed = text.trim();
  if (/^data:/i.test(trimmed)) return sourceOf(fromData(trimmed));
  const url = parseAddress(BARE.test(trimmed) ? `https://${trimmed}` : trimmed);
  const local = url?.protocol === 'http:' && isThisDevice(url.hostname);
  if (!url || !(url.protocol === 'https:' || local)) {
    const insecure = url?.protocol === 'http:';
    throw new AedrError('link_address', insecure ? words.linkInsecure : words.linkWrong, words.saveAdvice);
  }
  // A user name and a password in the address would be sent along.
  url.username = url.password = url.hash = '';
  const name = nameOf(url);
  return {
    name,
    intake: null,
    take: async (taking) => ({ file: await fetchFile(url, taking), name, arrival: 'link' }),
  };
}

/** @param {URL} url @param {Taking} taking @returns {Promise<Blob>} */
async function fetchFile(url, taking) {
  taking.onProgress({ stage: 'link' });
  const params = { address: url.href, limit: MAX_FILE_BYTES };
  /** @type {import('./image-fetch.js').LinkAnswer} */
  const answer = await worker.ask('fetchImage', () => ({ params }), taking);
  if ('file' in answer) return answer.file;
  throw linkError(answer, url.host);
}

/** The image that a `data:` address is. @param {string} address @returns {Intake} */
function fromData(address) {
  if (address.length > 2 * MAX_FILE_BYTES) {
    throw new AedrError('file_too_large', failure.fileTooLarge(address.length), failure.fileTooLargeAdvice);
  }
  const file = imageOfData(address);
  if (!file) throw new AedrError('link_address', words.dataWrong, words.saveAdvice);
  return { file, name: `${words.dataName}.${endingOf(file)}`, arrival: 'link' };
}
