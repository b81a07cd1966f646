/** Checkpoints that hold an autoencoder among much else, generated while they are read: one may have gigabytes. */

import { open } from 'node:fs/promises';

/**
 * An autoencoder's file as a part of a checkpoint, as generators are published in one file.
 * @param {Buffer} file A safetensors file. @param {number} before Bytes of other tensors before it. @param {number} after
 * @returns {import('./model-site.mjs').Contents & {start: number, weights: number, write: (path: string) => Promise<void>}}
 *   `start`: where its tensors begin. `weights`: their bytes.
 */
export function checkpointOf(file, before, after) {
  const headerBytes = Number(file.readBigUInt64LE(0));
  const { __metadata__: _, ...tensors } = JSON.parse(file.toString('utf8', 8, 8 + headerBytes));
  const data = file.subarray(8 + headerBytes);
  const bytes = (/** @type {number} */ from, /** @type {number} */ length) => ({
    dtype: 'U8',
    shape: [length],
    data_offsets: [from, from + length],
  });
  const moved = Object.entries(tensors).map(([name, { data_offsets: [from, to], ...rest }]) => [
    `first_stage_model.${name}`,
    { ...rest, data_offsets: [before + from, before + to] },
  ]);
  const header = Buffer.from(
    JSON.stringify({
      'conditioner.embedder': bytes(0, before),
      ...Object.fromEntries(moved),
      'model.diffusion_model.out': bytes(before + data.length, after),
    }),
  );
  const head = Buffer.alloc(8 + header.length);
  head.writeBigUInt64LE(BigInt(header.length));
  header.copy(head, 8);
  const start = head.length + before;
  const length = start + data.length + after;
  return {
    length,
    start,
    weights: data.length,
    subarray(from, to) {
      const made = Buffer.alloc(Math.max(to - from, 0), 0xff);
      for (const [at, part] of /** @type {[number, Buffer][]} */ ([[0, head], [start, data]])) {
        const [first, last] = [Math.max(from, at), Math.min(to, at + part.length)];
        if (first < last) part.copy(made, first - from, first - at, last - at);
      }
      return made;
    },
    /** Writes a sparse file, which takes no room on the disk. */
    async write(path) {
      const opened = await open(path, 'w');
      await opened.write(head, 0, head.length, 0);
      await opened.write(data, 0, data.length, start);
      await opened.truncate(length);
      await opened.close();
    },
  };
}
