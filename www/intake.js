/**
 * Where images come in: picked, dropped anywhere, pasted. Nothing is read here but names and sizes.
 *
 * @typedef {'picked' | 'dropped' | 'pasted' | 'sample'} Arrival
 * @typedef {object} Intake
 * @property {Blob} file
 * @property {string} name
 * @property {Arrival} arrival
 * @property {number} count How many files came; the first is taken.
 * @property {import('./samples.js').Sample} [sample]
 */

import { byId } from './dom.js';
import { AedrError } from './errors.js';
import { failure, MAX_FILE_BYTES } from './texts.js';

/**
 * @param {(intake: Intake) => void} onImage
 * @param {(error: AedrError) => void} onError
 */
export function watchIntake(onImage, onError) {
  /** @param {() => Intake} take */
  const attempt = (take) => {
    try {
      onImage(take());
    } catch (error) {
      onError(/** @type {AedrError} */ (error));
    }
  };
  watchPicker((files) => attempt(() => firstOf(files, 'picked')));
  watchDrop((transfer) => attempt(() => fromDrop(transfer)));
  document.addEventListener('paste', (event) => {
    event.preventDefault();
    attempt(() => fromClipboard(event.clipboardData));
  });
}

/** @param {(files: FileList) => void} onFiles */
function watchPicker(onFiles) {
  const input = byId('file');
  for (const button of document.querySelectorAll('[data-pick]')) {
    button.addEventListener('click', () => input.click());
  }
  input.addEventListener('change', () => {
    const { files } = input;
    if (files.length > 0) onFiles(files);
    // So that choosing the same file again is a change.
    input.value = '';
  });
}

/** The whole page takes drops; an overlay says so. @param {(transfer: DataTransfer) => void} onDrop */
function watchDrop(onDrop) {
  const overlay = byId('overlay');
  // Entering a child comes before leaving its parent, so the depth is 0 only outside the page.
  let depth = 0;
  const show = (/** @type {number} */ newDepth) => {
    depth = Math.max(0, newDepth);
    overlay.classList.toggle('shown', depth > 0);
  };
  addEventListener('dragenter', (event) => {
    event.preventDefault();
    show(depth + 1);
  });
  addEventListener('dragleave', () => show(depth - 1));
  addEventListener('dragover', (event) => event.preventDefault());
  addEventListener('drop', (event) => {
    event.preventDefault();
    show(0);
    if (event.dataTransfer) onDrop(event.dataTransfer);
  });
}

/** @param {DataTransfer} transfer */
function fromDrop(transfer) {
  const { files, items } = transfer;
  if (files.length === 0) throw new AedrError('no_file', failure.onlyLink, failure.onlyLinkAdvice);
  const entry = items[0]?.webkitGetAsEntry?.();
  if (entry?.isDirectory) {
    throw new AedrError('unreadable_file', failure.folder(entry.name), failure.unreadableAdvice);
  }
  return firstOf(files, 'dropped');
}

/** @param {DataTransfer | null} clipboard */
function fromClipboard(clipboard) {
  const files = clipboard?.files;
  if (!files?.length) throw new AedrError('no_file', failure.emptyClipboard, failure.emptyClipboardAdvice);
  return firstOf(files, 'pasted');
}

/** @param {FileList} files @param {Arrival} arrival @returns {Intake} */
function firstOf(files, arrival) {
  const [file] = files;
  return { file, name: file.name, arrival, count: files.length };
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
