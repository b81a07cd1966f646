/** Addresses that people give. */

const LONGEST_NAME = 80;

/**
 * An address, or null if the text is none. `URL.parse` came to Chrome with 126, to Firefox with 126 and to Safari with 18.
 * @param {string} text
 */
export function parseAddress(text) {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}

/** Whether a host is this device itself, which needs no encryption. @param {string} hostname */
export const isThisDevice = (hostname) => ['127.0.0.1', 'localhost', '[::1]'].includes(hostname);

/** What to call the file at an address. @param {URL} url */
export function nameOf({ pathname, host }) {
  const last = pathname.split('/').filter(Boolean).at(-1) ?? '';
  try {
    return decodeURIComponent(last).slice(-LONGEST_NAME) || host;
  } catch {
    return last.slice(-LONGEST_NAME) || host;
  }
}
