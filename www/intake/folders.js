/** Finds the images in dropped folders by their file names; nothing is read here. */

import { AedrError } from '../common/errors.js';
import { intake as words } from '../texts/catalogue.js';
import { MAX_IMAGES } from './arrivals.js';

/** Includes formats that cannot be checked yet, so that each such file gets an explanation. */
const IMAGE = /\.(png|jpe?g|jfif|pjpeg|webp|gif|bmp|dib|tiff?|avif|heic|heif|jxl|svg)$/i;
/** Links can nest folders without end. */
const MAX_DEPTH = 32;

/**
 * What was dropped, if a folder is among it. To be called while the drop is handled: afterwards it is empty.
 * @param {DataTransfer} transfer
 * @returns {FileSystemEntry[] | null}
 */
export function droppedEntries({ items }) {
  const entries = [...items].map((item) => item.webkitGetAsEntry?.() ?? []).flat();
  return entries.some(({ isDirectory }) => isDirectory) ? entries : null;
}

/**
 * The files that were dropped, and the images in the folders, each folder in the order of its names.
 * @param {FileSystemEntry[]} entries
 * @returns {Promise<{file: File, name: string}[]>} No more than one beyond `MAX_IMAGES`; `name` with the folders.
 */
export async function filesIn(entries) {
  /** @type {{file: File, name: string}[]} */
  const found = [];
  for (const entry of entries) await walk(entry, 0, found);
  if (found.length === 0) {
    throw new AedrError('no_file', words.emptyFolder(entries[0].name), words.emptyFolderAdvice);
  }
  return found;
}

/** @param {FileSystemEntry} entry @param {number} depth @param {{file: File, name: string}[]} found */
async function walk(entry, depth, found) {
  if (found.length > MAX_IMAGES || depth > MAX_DEPTH) return;
  if (entry.isFile) {
    // A file that a person dropped by itself is taken whatever its name is.
    if (depth > 0 && (!IMAGE.test(entry.name) || entry.name.startsWith('.'))) return;
    const file = await fileOf(/** @type {FileSystemFileEntry} */ (entry));
    if (file) found.push({ file, name: entry.fullPath.replace(/^\//, '') });
    return;
  }
  const inside = await listOf(/** @type {FileSystemDirectoryEntry} */ (entry));
  const order = new Intl.Collator(undefined, { numeric: true });
  inside.sort((a, b) => Number(a.isDirectory) - Number(b.isDirectory) || order.compare(a.name, b.name));
  for (const one of inside) await walk(one, depth + 1, found);
}

/** Leaves out a file that is not available: it may have been deleted meanwhile. @param {FileSystemFileEntry} entry */
function fileOf(entry) {
  return new Promise((/** @type {(file: File | null) => void} */ done) => entry.file(done, () => done(null)));
}

/** @param {FileSystemDirectoryEntry} folder @returns {Promise<FileSystemEntry[]>} */
async function listOf(folder) {
  const reader = folder.createReader();
  const all = [];
  // Each call returns some of the entries, and none at the end.
  for (;;) {
    const some = await new Promise((/** @type {(entries: FileSystemEntry[]) => void} */ done) =>
      reader.readEntries(done, () => done([])),
    );
    if (some.length === 0) return all;
    all.push(...some);
  }
}
