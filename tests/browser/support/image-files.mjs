/** Generates image files for tests. */

import { crc32, deflateSync } from 'node:zlib';

/**
 * An 8-bit RGB PNG.
 * @param {number} width @param {number} height
 * @param {(x: number, y: number) => [number, number, number]} colour
 */
export function png(width, height, colour) {
  const rows = Buffer.alloc(height * (1 + 3 * width));
  for (let y = 0, at = 0; y < height; y++) {
    rows[at++] = 0; // No filter.
    for (let x = 0; x < width; x++) for (const value of colour(x, y)) rows[at++] = value;
  }
  return pngFile(width, height, deflateSync(rows));
}

/** A PNG whose header claims a size that its data does not have. @param {number} width @param {number} height */
export function pngClaiming(width, height) {
  return pngFile(width, height, deflateSync(Buffer.alloc(64)));
}

/** The same file with a text before its pixels. @param {Buffer} file @param {string} keyword @param {string} text */
export function withText(file, keyword, text) {
  // After the signature and the header.
  const start = 8 + 25;
  const data = Buffer.concat([Buffer.from(`${keyword}\0\0\0\0\0`, 'latin1'), Buffer.from(text, 'utf8')]);
  return Buffer.concat([file.subarray(0, start), chunk('iTXt', data), file.subarray(start)]);
}

/**
 * An uncompressed 8-bit RGB TIFF, which browsers do not show.
 * @param {number} width @param {number} height
 * @param {(x: number, y: number) => [number, number, number]} colour
 */
export function tiff(width, height, colour) {
  // Tag, type (3: 16 bits, 4: 32 bits), count, value or its offset.
  const fields = [
    [256, 4, 1, width],
    [257, 4, 1, height],
    [258, 3, 3, 8],
    [259, 3, 1, 1],
    [262, 3, 1, 2],
    [273, 4, 1, 14],
    [277, 3, 1, 3],
    [278, 4, 1, height],
    [279, 4, 1, width * height * 3],
  ];
  const directory = 14 + width * height * 3;
  const file = Buffer.alloc(directory + 2 + 12 * fields.length + 4);
  file.write('II*\0', 'latin1');
  file.writeUInt32LE(directory, 4);
  // Eight bits for each of the three channels.
  for (let channel = 0; channel < 3; channel++) file.writeUInt16LE(8, 8 + 2 * channel);
  for (let y = 0, at = 14; y < height; y++) {
    for (let x = 0; x < width; x++) for (const value of colour(x, y)) file[at++] = value & 255;
  }
  file.writeUInt16LE(fields.length, directory);
  for (const [index, [tag, type, count, value]] of fields.entries()) {
    const at = directory + 2 + 12 * index;
    file.writeUInt16LE(tag, at);
    file.writeUInt16LE(type, at + 2);
    file.writeUInt32LE(count, at + 4);
    if (type === 3 && count === 1) file.writeUInt16LE(value, at + 8);
    else file.writeUInt32LE(value, at + 8);
  }
  return file;
}

/** Has enough detail that no check calls it too flat. @param {number} side */
export function busyPng(side) {
  return png(side, side, (x, y) => [(x * 7 + y * 3) & 255, (x * y) & 255, (x ^ y) & 255]);
}

/** @param {number} width @param {number} height @param {Buffer} data */
function pngFile(width, height, data) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', data), chunk('IEND', Buffer.alloc(0))]);
}

/** @param {string} type @param {Buffer} data */
function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}
