/**
 * The sample images: thumbnails that are buttons.
 *
 * @typedef {import('./types.js').Sample} Sample
 */

import { AedrError } from '../common/errors.js';
import { failure, samples as words } from '../texts/catalogue.js';
import { byId, element } from '../ui/dom.js';

const FOLDER = new URL('../samples/', import.meta.url);

/** Shows the samples; a page without any stays as it is. @param {(sample: Sample) => void} onChoice */
export async function showSamples(onChoice) {
  const response = await fetch(new URL('samples.json', FOLDER)).catch(() => null);
  if (!response?.ok) return;
  /** @type {Sample[]} */
  const listed = await response.json();
  const samples = listed.map((sample) => ({ ...sample, title: words.title(sample) }));
  byId('sample-list').append(...samples.map((sample) => thumbnail(sample, onChoice)));
  byId('credit-list').append(...samples.map(creditLine));
  byId('samples').hidden = samples.length === 0;
  byId('credits').hidden = samples.length === 0;
}

/**
 * A sample as an image that came in.
 * @param {Sample} sample
 * @param {AbortSignal} signal
 * @returns {Promise<import('./types.js').Intake>}
 */
export async function fetchSample(sample, signal) {
  const response = await fetch(new URL(sample.file, FOLDER), { signal }).catch(() => null);
  signal.throwIfAborted();
  if (!response?.ok) throw new AedrError('unreadable_file', failure.sampleMissing(sample.file), failure.retryAdvice);
  return { file: await response.blob(), name: sample.title, arrival: 'sample', sample };
}

/** @param {Sample} sample @param {(sample: Sample) => void} onChoice */
function thumbnail(sample, onChoice) {
  const kind = sample.decoded ? 'decoded' : 'photograph';
  const button = element(
    'button',
    { type: 'button', class: 'sample', 'data-kind': kind },
    element('img', {
      src: new URL(sample.file, FOLDER).href,
      alt: '',
      width: 160,
      height: 160,
      loading: 'lazy',
      draggable: 'false',
    }),
    element('span', { class: 'sample-title' }, sample.title),
    element('span', { class: 'sample-kind' }, words[kind]),
  );
  button.addEventListener('click', () => onChoice(sample));
  return element('li', {}, button);
}

/** @param {Sample} sample */
function creditLine(sample) {
  const line = element('li', {}, words.credit(sample));
  // The list could contain addresses of any scheme.
  if (sample.source && /^https?:/.test(sample.source)) {
    line.append(' · ', element('a', { href: sample.source, rel: 'noreferrer' }, new URL(sample.source).host));
  }
  return line;
}
