/** Lets a person save what the page made as a file. Nothing leaves the device. */

/** All characters but letters and digits of any script and a few that are safe in file systems and command lines. */
const UNSAFE = /[^\p{L}\p{N}\p{M} ._()+-]/gu;
/** Replaces them. `LONGEST` is the most characters of a name that are kept. */
const INSTEAD = '_';
const LONGEST = 80;

/** @param {BlobPart} content @param {string} type @param {string} name */
export function saveFile(content, type, name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  // The browser needs the address until the download has begun.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/**
 * Makes a file's name, which may come from anywhere, safe for naming another file after it.
 * @param {string} name
 */
export function safeName(name) {
  const letters = Array.from(name.normalize('NFC').replace(UNSAFE, INSTEAD).replace(/_+/g, INSTEAD));
  // Keeps the end, which tells what a file is.
  const kept = letters.length > LONGEST ? [...letters.slice(0, LONGEST - 20), INSTEAD, ...letters.slice(-19)] : letters;
  return kept.join('').replace(/^[-. _]+|[. ]+$/g, '') || 'image';
}
