/**
 * Searches a file's bytes for signs of Content Credentials, because the program that reads them is large, and few files
 * have any.
 *
 * @typedef {{type: string | null, embedded: boolean, remote: URL | null}} Marks `type` is null for files that the
 *   program does not read; `remote` is where the file says that its credentials are kept.
 */

/** Bytes that are read at a time: a file may have 64 MB. */
const STEP = 2 ** 20;
/** Bytes that neighbouring pieces share, so that a mark with the address behind it is in one piece. */
const OVERLAP = 2 ** 11;

/** The beginning of every manifest store: a description box, with a UUID whose first bytes are text. */
const STORE = codes('jumdc2pa');
/** The property of XMP that holds the address. */
const PROVENANCE = codes('dcterms:provenance');
const ADDRESS = /^dcterms:provenance\s*(?:=\s*["']|>)\s*(https?:[^"'<\s]+)/;

/** Signatures of file types; a full stop stands for any byte. @type {[RegExp, string][]} */
const TYPES = [
  [/^\xff\xd8\xff/, 'image/jpeg'],
  [/^\x89PNG/, 'image/png'],
  [/^RIFF.{4}WEBP/s, 'image/webp'],
  [/^GIF8/, 'image/gif'],
  [/^(II\*\0|MM\0\*)/, 'image/tiff'],
  [/^.{4}ftypavi[fs]/s, 'image/avif'],
  [/^.{4}ftyp(hei|hev|mif1|msf1)/s, 'image/heic'],
];

/** @param {Blob} file @returns {Promise<Marks>} */
export async function marksOf(file) {
  const start = latin(await bytesAt(file, 0, 16));
  const type = TYPES.find(([beginning]) => beginning.test(start))?.[1] ?? null;
  /** @type {URL | null} */
  let remote = null;
  for (let at = 0; at < file.size; at += STEP) {
    const bytes = await bytesAt(file, at, STEP + OVERLAP);
    if (!places(bytes, STORE).next().done) return { type, embedded: true, remote: null };
    for (const place of remote ? [] : places(bytes, PROVENANCE)) {
      remote = address(latin(bytes.subarray(place, place + OVERLAP)));
      if (remote) break;
    }
  }
  return { type, embedded: false, remote };
}

/** @param {Blob} file @param {number} start @param {number} length */
async function bytesAt(file, start, length) {
  return new Uint8Array(await file.slice(start, start + length).arrayBuffer());
}

/** The positions of `wanted`. @param {Uint8Array} bytes @param {number[]} wanted */
function* places(bytes, wanted) {
  for (let at = bytes.indexOf(wanted[0]); at >= 0; at = bytes.indexOf(wanted[0], at + 1)) {
    if (wanted.every((value, offset) => bytes[at + offset] === value)) yield at;
  }
}

/** @param {string} text */
function address(text) {
  try {
    return new URL(ADDRESS.exec(text)?.[1] ?? '');
  } catch {
    return null;
  }
}

/** @param {string} text */
function codes(text) {
  return [...text].map((letter) => letter.charCodeAt(0));
}

/** @param {Uint8Array} bytes */
function latin(bytes) {
  return String.fromCharCode(...bytes);
}
