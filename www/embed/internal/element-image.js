/**
 * The image that an element checks: fetched when a reader asks, from the address that the page names.
 *
 * @typedef {import('./element-texts.js').Texts} Texts
 * @typedef {import('../../intake/types.js').Intake & {count?: number}} Taken `count`: so many came, and this is the first.
 * @typedef {{signal: AbortSignal, onProgress: (progress: any) => void, texts: Texts}} Taking
 */

import { nameOf } from '../../common/address.js';
import { AedrError } from '../../common/errors.js';
import { MAX_FILE_BYTES } from '../../common/limits.js';
import { endingOf, imageOfData } from '../../intake/image-address.js';
import { fetchImage } from '../../intake/image-fetch.js';

const FETCHED = ['https:', 'http:', 'blob:'];

/**
 * What the page names.
 * @param {HTMLElement} element @returns {{address: string, label: string} | null} None if it names nothing.
 */
export function namedImage(element) {
  const id = element.getAttribute('for');
  if (id === null) {
    const address = element.getAttribute('src');
    return address === null ? null : { address, label: '' };
  }
  const root = /** @type {Document | ShadowRoot} */ (element.getRootNode());
  const image = root.getElementById(id);
  if (!(image instanceof HTMLImageElement)) return { address: '', label: '' };
  return { address: image.currentSrc || image.src, label: image.alt };
}

/** Whether a request for the address tells another site about the reader. @param {string} address */
export function isElsewhere(address) {
  const url = parsed(address);
  return url !== null && /^https?:$/.test(url.protocol) && url.origin !== location.origin;
}

/**
 * @param {string} address @param {Taking} taking
 * @returns {Promise<Taken>}
 * @throws {AedrError} no_file, link_…, file_too_large
 */
export async function takeImage(address, taking) {
  const { texts } = taking;
  const { intake, embed, failure } = texts;
  if (address.trim() === '') throw new AedrError('no_file', embed.noImage, embed.noImageAdvice);
  if (address.length > 2 * MAX_FILE_BYTES) {
    throw new AedrError('file_too_large', failure.fileTooLarge(address.length), failure.fileTooLargeAdvice);
  }
  if (/^\s*data:/i.test(address)) {
    const file = imageOfData(address.trim());
    if (!file) throw new AedrError('link_address', intake.dataWrong, intake.saveAdvice);
    return { file, name: `${intake.dataName}.${endingOf(file)}`, arrival: 'link' };
  }
  const url = parsed(address);
  if (!url || !FETCHED.includes(url.protocol)) throw new AedrError('link_address', intake.linkWrong, intake.saveAdvice);
  // A user name and a password in the address would be sent along.
  url.username = url.password = url.hash = '';
  return { file: await fetched(url, taking), name: nameOf(url), arrival: 'link' };
}

/** @param {URL} url @param {Taking} taking */
async function fetched(url, { signal, onProgress, texts }) {
  onProgress({ stage: 'link' });
  // A page that asks for a login may have images that ask for it, too.
  const request = { address: url.href, limit: MAX_FILE_BYTES, credentials: /** @type {const} */ ('same-origin') };
  const answer = await fetchImage(request, { signal, progress: onProgress });
  if ('file' in answer) return answer.file;
  throw texts.linkError(answer, url.host || location.host);
}

/** @param {string} address */
function parsed(address) {
  try {
    return new URL(address, document.baseURI);
  } catch {
    return null;
  }
}
