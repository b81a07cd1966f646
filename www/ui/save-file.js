/** Lets a person save what the page made as a file. Nothing leaves the device. */

/** Letters and digits of any script, and what no file system or command line takes for something else. */
const UNSAFE = /[^\p{L}\p{N}\p{M} ._()+-]/gu;
/** What stands for it; only so much of a name is kept. */
const INSTEAD = '_';
const LONGEST = 80;

/** @param {BlobPart} content @param {string} type @param {string} name */
export function saveFile(content, type, name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  // The browser needs it until it has begun.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/**
 * A file's name that is fit to name another after: it may come from anywhere.
 * @param {string} name
 */
export function safeName(name) {
  const letters = Array.from(name.normalize('NFC').replace(UNSAFE, INSTEAD).replace(/_+/g, INSTEAD));
  // The end tells what a file is.
  const kept = letters.length > LONGEST ? [...letters.slice(0, LONGEST - 20), INSTEAD, ...letters.slice(-19)] : letters;
  return kept.join('').replace(/^[-. _]+|[. ]+$/g, '') || 'image';
}
