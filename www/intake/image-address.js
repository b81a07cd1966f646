/** Images that `data:` addresses contain. */

/** The image that a `data:` address holds. @param {string} address @returns {Blob | null} None if it cannot be read. */
export function imageOfData(address) {
  const [, type, parameters, data] = /^data:(image\/[\w.+-]+)((?:;[^,;]*)*),([^]*)$/i.exec(address) ?? [];
  if (!type) return null;
  try {
    const letters = unescaped(data);
    return new Blob([bytesOf(/;\s*base64\s*$/i.test(parameters) ? atob(letters) : letters)], { type });
  } catch {
    return null;
  }
}

/** The file name extension for such an image. @param {Blob} image */
export function endingOf({ type }) {
  return type.slice('image/'.length).replace(/\+.*/, '').replace('jpeg', 'jpg');
}

/** One character for each byte. @param {string} text */
function unescaped(text) {
  return text.replace(/%([\da-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** @param {string} letters */
function bytesOf(letters) {
  return Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
}
