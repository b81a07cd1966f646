/**
 * The sizes to measure: `SIZES=full` for a GPU, `small` to see that the kit works, on any adapter, `least` for tests.
 * For scripts: `node sizes.mjs goldens` and `node sizes.mjs side` print, `node sizes.mjs write FOLDER` writes the
 * whole network as a pack.
 */

import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { klConfig, makeNetwork } from './network.mjs';

const SD1 = klConfig([128, 256, 512, 512], { layers: 2, quant: true, attention: true });
const DEFAULT = klConfig([16, 32, 64, 96], { layers: 2, groups: 2, latent: 16, quant: true, attention: true });
/** TAESD. */
const TINY = {
  family: /** @type {const} */ ('autoencoder_tiny'),
  width: 64,
  latent_channels: 4,
  encoder_blocks: [1, 3, 3, 3],
  decoder_blocks: [3, 3, 3, 1],
  pooled: false,
};

const FULL = {
  networks: [
    { name: 'kl-f8', architecture: SD1, side: 512 },
    { name: 'SD1’s 128 channels', architecture: klConfig([128]), side: 512 },
    { name: 'SD1’s 512 channels', architecture: klConfig([512, 512]), side: 128 },
    { name: 'TAESD', architecture: TINY, side: 1024 },
    { name: 'default model', architecture: DEFAULT, side: 1024 },
    { name: 'SD1’s 128 channels', architecture: klConfig([128]), side: 256 },
    { name: 'SD1’s 512 channels', architecture: klConfig([512, 512]), side: 64 },
    { name: 'kl-f8', architecture: SD1, side: 256 },
  ],
  whole: { name: 'kl-f8', architecture: SD1, side: 512 },
  large: [1024, 2048],
  repetitions: 5,
  goldens: /./,
  peak: { invocations: 1 << 20, steps: 4096, bytes: 1 << 28 },
};

const NARROW = { ...SD1, block_out_channels: [8, 8, 8, 8], norm_num_groups: 2 };
const SMALL = {
  networks: [{ name: 'kl-f8, 8 channels', architecture: NARROW, side: 32 }],
  whole: { name: 'kl-f8, 8 channels', architecture: NARROW, side: 64 },
  large: [96],
  repetitions: 2,
  goldens: /^kl_quant$/,
  peak: { invocations: 1 << 12, steps: 64, bytes: 1 << 22 },
};

// Few kernels: software adapters take seconds to compile each.
const ONE_LEVEL = klConfig([8], { groups: 2 });
const LEAST = {
  ...SMALL,
  networks: [{ name: '8 channels', architecture: ONE_LEVEL, side: 32 }],
  whole: { name: '8 channels', architecture: ONE_LEVEL, side: 64 },
  goldens: /^vq_ithq$/,
};

export const sizes = { full: FULL, small: SMALL, least: LEAST }[process.env.SIZES ?? 'full'];
if (!sizes) throw new Error(`SIZES is ${process.env.SIZES}; full, small and least are known`);

const [what, folder] = import.meta.filename === process.argv[1] ? process.argv.slice(2) : [];
if (what === 'goldens') console.log((await readdir('packs')).filter((name) => sizes.goldens.test(name)).join('\n'));
if (what === 'side') console.log(sizes.whole.side);
if (what === 'write') {
  const { manifest, shard } = makeNetwork(sizes.whole.architecture, sizes.whole.side).pack();
  await mkdir(folder);
  await writeFile(`${folder}/manifest.json`, JSON.stringify(manifest));
  await writeFile(`${folder}/shard-00.safetensors`, shard);
}
