/**
 * How images arrive, and the entry point for those that other modules bring: files that another program shared with
 * this page, or that were opened with it.
 *
 * @typedef {import('./types.js').Arrival} Arrival
 * @typedef {import('./types.js').Intake} Intake
 * @typedef {import('./types.js').Source} Source
 */

import { AedrError } from '../common/errors.js';
import { MAX_FILE_BYTES } from '../common/limits.js';
import { failure } from '../texts/catalogue.js';

/** The most images of a visit: their results stay in memory. */
export const MAX_IMAGES = 1000;

/** @type {((sources: Source[]) => void) | null} */
let receiver = null;
/** Images that came before a receiver was set. @type {Source[]} */
let early = [];

/** @param {(sources: Source[]) => void} receive Called with every image, or several, that a module brings. */
export function receiveSources(receive) {
  receiver = receive;
  if (early.length > 0) receive(early.splice(0));
}

/** @param {Source[]} sources At least one. */
export function takeSources(sources) {
  if (receiver) receiver(sources);
  else early = [...early, ...sources];
}

/** @param {File[]} files None is nothing. @param {Arrival} arrival */
export function takeFiles(files, arrival) {
  if (files.length > 0) takeSources(files.map((file) => sourceOf({ file, name: file.name, arrival })));
}

/** An image that is here. @param {Intake} intake @returns {Source} */
export function sourceOf(intake) {
  return { name: intake.name, intake, take: async () => intake };
}

/**
 * The bytes of an intake.
 * @param {Intake} intake
 * @throws {AedrError} file_too_large before anything is read, unreadable_file
 */
export async function readBytes({ file, name }) {
  if (file.size > MAX_FILE_BYTES) {
    throw new AedrError('file_too_large', failure.fileTooLarge(file.size), failure.fileTooLargeAdvice);
  }
  try {
    return await file.arrayBuffer();
  } catch {
    throw new AedrError('unreadable_file', failure.unreadable(name), failure.unreadableAdvice);
  }
}
