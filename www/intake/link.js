/**
 * Images by their links: what is one, and fetching it in a worker of its own. The page and the worker that checks
 * connect to no other site.
 *
 * @typedef {import('./arrivals.js').Source} Source
 * @typedef {import('./image-fetch.js').LinkAnswer} LinkAnswer
 */

import { isThisDevice, nameOf, parseAddress } from '../common/address.js';
import { AedrError } from '../common/errors.js';
import { MAX_FILE_BYTES } from '../common/limits.js';
import { Scheduler } from '../engine/scheduler.js';
import { failure, intake as words, linkError } from '../texts/catalogue.js';
import { sourceOf } from './arrivals.js';
import { endingOf, imageOfData } from './image-address.js';

/** An address that somebody typed without its beginning. */
const BARE = /^[a-z\d-]+(\.[a-z\d-]+)+(:\d+)?\//i;

const worker = new Scheduler(new URL('./link-worker.js', import.meta.url));

/**
 * An image by the link that a person gave.
 * @param {string} text
 * @returns {Source}
 * @throws {AedrError} link_address
 */
export function sourceFrom(text) {
  const trimmed = text.trim();
  if (/^data:/i.test(trimmed)) return sourceOf(fromData(trimmed));
  const url = parseAddress(BARE.test(trimmed) ? `https://${trimmed}` : trimmed);
  const local = url?.protocol === 'http:' && isThisDevice(url.hostname);
  if (!url || !(url.protocol === 'https:' || local)) {
    const insecure = url?.protocol === 'http:';
    throw new AedrError('link_address', insecure ? words.linkInsecure : words.linkWrong, words.saveAdvice);
  }
  // A name and a password in it would be sent along.
  url.username = url.password = url.hash = '';
  const name = nameOf(url);
  return {
    name,
    intake: null,
    take: async (taking) => ({ file: await fetchFile(url, taking), name, arrival: 'link' }),
  };
}

/**
 * The link to an image that was dropped or pasted without the image.
 * @param {DataTransfer} transfer
 * @returns {string | null}
 */
export function linkIn(transfer) {
  // Of a picture that leads somewhere, the address is where it leads to; its markup has its own.
  const markup = transfer.getData('text/html');
  const picture = markup ? new DOMParser().parseFromString(markup, 'text/html').querySelector('img')?.src : null;
  const lists = [transfer.getData('text/uri-list'), transfer.getData('text/plain')];
  const lines = lists.flatMap((list) => list.split(/\r?\n/)).map((line) => line.trim());
  return [picture ?? '', ...lines].find((text) => /^(https?:\/\/\S+|data:image\/\S+)$/i.test(text)) ?? null;
}

/** @param {URL} url @param {import('./arrivals.js').Taking} taking @returns {Promise<Blob>} */
async function fetchFile(url, taking) {
  taking.onProgress({ stage: 'link' });
  const params = { address: url.href, limit: MAX_FILE_BYTES };
  /** @type {LinkAnswer} */
  const answer = await worker.ask('fetchImage', () => ({ params }), taking);
  if ('file' in answer) return answer.file;
  throw linkError(answer, url.host);
}

/** The image that a `data:` address is. @param {string} address @returns {import('./arrivals.js').Intake} */
function fromData(address) {
  if (address.length > 2 * MAX_FILE_BYTES) {
    throw new AedrError('file_too_large', failure.fileTooLarge(address.length), failure.fileTooLargeAdvice);
  }
  const file = imageOfData(address);
  if (!file) throw new AedrError('link_address', words.dataWrong, words.saveAdvice);
  return { file, name: `${words.dataName}.${endingOf(file)}`, arrival: 'link' };
}
