/**
 * A small copy of an image, for the report's picture. It is not read from a canvas, because some browsers falsify
 * what a canvas returns. If a browser offers no other way to the pixels, the renderer draws the file itself if it
 * can.
 *
 * @typedef {{href: string, width: number, height: number}} Thumbnail With a data address.
 */

/** The space for it in the picture, beside the verdict. */
export const THUMBNAIL_SIZE = { width: 400, height: 400 };

/** What the renderer of the report's picture decodes, and of which size it should. */
const DRAWN_TYPES = { PNG: 'image/png', JPEG: 'image/jpeg', GIF: 'image/gif' };
const MOST_BYTES = 16e6;
const MOST_PIXELS = 24e6;

/**
 * @param {Blob} file @param {{width: number, height: number, format: string}} image What is known of it.
 * @returns {Promise<Thumbnail | null>} Null if it cannot be had.
 */
export async function thumbnail(file, image) {
  try {
    return await scaled(file);
  } catch {
    return whole(file, image);
  }
}

/** As the browser shows it. @param {Blob} file @returns {Promise<Thumbnail>} */
async function scaled(file) {
  const picture = new Image();
  picture.src = URL.createObjectURL(file);
  try {
    await picture.decode();
    const { naturalWidth, naturalHeight } = picture;
    const scale = Math.min(1, THUMBNAIL_SIZE.width / naturalWidth, THUMBNAIL_SIZE.height / naturalHeight);
    const [width, height] = [naturalWidth, naturalHeight].map((side) => Math.max(1, Math.round(side * scale)));
    const bitmap = await createImageBitmap(picture, {
      resizeWidth: width,
      resizeHeight: height,
      resizeQuality: 'medium',
    });
    const frame = new VideoFrame(bitmap, { timestamp: 0 });
    try {
      return { href: await dataAddress(await png(await pixelsOf(frame, width, height), width, height)), width, height };
    } finally {
      frame.close();
      bitmap.close();
    }
  } finally {
    URL.revokeObjectURL(picture.src);
  }
}

/** Red, green, blue and opacity. @param {VideoFrame} frame @param {number} width @param {number} height */
async function pixelsOf(frame, width, height) {
  const pixels = new Uint8Array(4 * width * height);
  const options = { format: 'RGBA', layout: [{ offset: 0, stride: 4 * width }] };
  if (frame.allocationSize(/** @type {any} */ (options)) !== pixels.length) throw new Error('another size');
  await frame.copyTo(pixels, /** @type {any} */ (options));
  return pixels;
}

/** The file itself. @param {Blob} file @param {{width: number, height: number, format: string}} image */
async function whole(file, { width, height, format }) {
  const type = DRAWN_TYPES[/** @type {keyof typeof DRAWN_TYPES} */ (format)];
  if (!type || file.size > MOST_BYTES || width * height > MOST_PIXELS) return null;
  return { href: await dataAddress(new Blob([file], { type })), width, height };
}

/** @param {Blob} blob @returns {Promise<string>} */
function dataAddress(blob) {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done(/** @type {string} */ (reader.result));
    reader.onerror = () => failed(reader.error);
    reader.readAsDataURL(blob);
  });
}

/** A PNG file. @param {Uint8Array} rgba @param {number} width @param {number} height */
async function png(rgba, width, height) {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  // 8 bits a value, four values a pixel.
  header.set([8, 6], 8);
  const rows = new Uint8Array(height * (1 + 4 * width));
  for (let y = 0; y < height; y++) {
    // Each row begins with its filter: none.
    rows.set(rgba.subarray(4 * width * y, 4 * width * (y + 1)), y * (1 + 4 * width) + 1);
  }
  const packed = new Response(new Blob([rows]).stream().pipeThrough(new CompressionStream('deflate')));
  const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
  const data = new Uint8Array(await packed.arrayBuffer());
  return new Blob([signature, chunk('IHDR', header), chunk('IDAT', data), chunk('IEND', new Uint8Array())], {
    type: 'image/png',
  });
}

/** @param {string} name @param {Uint8Array} data */
function chunk(name, data) {
  const bytes = new Uint8Array(12 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set(new TextEncoder().encode(name), 4);
  bytes.set(data, 8);
  view.setUint32(8 + data.length, checksum(bytes.subarray(4, 8 + data.length)));
  return bytes;
}

/** CRC-32. @param {Uint8Array} bytes */
function checksum(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return ~sum >>> 0;
}
