/** A pack whose latents span 32 pixels, with weights of zero: images that other models accept are too small for it. */

import { createHash } from 'node:crypto';

export const LARGE_MINIMUM_MODEL = 'coarse';
/** The least length of an image's sides, in pixels. */
export const LARGE_MINIMUM = 128;

const [WIDTH, LEVELS] = [4, 6];

/** Shapes by name: the layers are numbered as `src/autoencoder/architecture/tiny.rs` does. */
function shapes() {
  /** @type {Record<string, number[]>} */
  const found = {};
  const conv = (/** @type {string} */ name, /** @type {number} */ from, /** @type {number} */ to, bias = true) => {
    found[`${name}.weight`] = [to, from, 3, 3];
    if (bias) found[`${name}.bias`] = [to];
  };
  for (const [part, first, from, to] of /** @type {const} */ ([['encoder', 0, 3, WIDTH], ['decoder', 1, WIDTH, 3]])) {
    conv(`${part}.${first}`, from, WIDTH);
    // In the decoder, activations and upsampling have numbers as well.
    let index = part === 'encoder' ? 1 : 3;
    for (let level = 0; level < LEVELS; level++) {
      if (level > 0) {
        conv(`${part}.${part === 'encoder' ? index : index + 1}`, WIDTH, WIDTH, false);
        index += part === 'encoder' ? 1 : 2;
      }
      for (const layer of [0, 2, 4]) conv(`${part}.${index}.conv.${layer}`, WIDTH, WIDTH);
      index += 1;
    }
    conv(`${part}.${index}`, WIDTH, to);
  }
  return found;
}

/** @returns {{manifest: object, shard: Buffer}} */
export function largeMinimumModel() {
  /** @type {Record<string, object>} */
  const header = {};
  let at = 0;
  for (const [name, shape] of Object.entries(shapes())) {
    const end = at + 4 * shape.reduce((product, side) => product * side, 1);
    header[name] = { dtype: 'F32', shape, data_offsets: [at, end] };
    at = end;
  }
  const text = Buffer.from(JSON.stringify(header));
  const head = Buffer.alloc(8);
  head.writeBigUInt64LE(BigInt(text.length));
  const shard = Buffer.concat([head, text, Buffer.alloc(at)]);
  const blocks = Array.from({ length: LEVELS }, () => 1);
  const manifest = {
    format_version: 1,
    id: LARGE_MINIMUM_MODEL,
    name: LARGE_MINIMUM_MODEL,
    architecture: {
      family: 'autoencoder_tiny',
      width: WIDTH,
      latent_channels: WIDTH,
      encoder_blocks: blocks,
      decoder_blocks: blocks,
      pooled: false,
    },
    precision: 'f32',
    source: 'a test',
    licence: 'MIT',
    shards: [
      { file: 'shard-00.safetensors', bytes: shard.length, sha256: createHash('sha256').update(shard).digest('hex') },
    ],
  };
  return { manifest, shard };
}
