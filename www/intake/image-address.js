/** Images that stand in their address. */

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

/** How the name of such a file ends. @param {Blob} image */
export function endingOf({ type }) {
  return type.slice('image/'.length).replace(/\+.*/, '').replace('jpeg', 'jpg');
}

/** One letter a byte. @param {string} text */
function unescaped(text) {
  return text.replace(/%([\da-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** @param {string} letters */
function bytesOf(letters) {
  return Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
}
