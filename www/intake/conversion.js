/** Detects conversions that a device makes before a page gets an image. */

/**
 * Whether the device seems to have converted the file: iPhones give pages a JPEG of what they store as HEIC.
 * @param {import('./types.js').Intake} intake @param {ArrayBuffer} bytes The file's, or its first.
 * @returns {import('./types.js').Intake['converted']}
 */
export function conversionOf({ name, arrival }, bytes) {
  const beginning = new Uint8Array(bytes, 0, Math.min(3, bytes.byteLength));
  if (beginning.length < 3 || [0xff, 0xd8, 0xff].some((byte, index) => beginning[index] !== byte)) return '';
  if (/\.hei[cf]$/i.test(name)) return 'heic';
  return arrival === 'picked' && isApplePhone() ? 'phone' : '';
}

/** An iPhone, or an iPad, which identifies itself as a Mac. */
function isApplePhone() {
  const { userAgent, platform, maxTouchPoints } = navigator;
  return /iPhone|iPad|iPod/.test(userAgent) || (platform === 'MacIntel' && maxTouchPoints > 1);
}
