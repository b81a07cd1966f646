/**
 * An AutoencoderKL with seeded weights, twice: as a pack for our engine and as an ONNX model for the peer.
 * Both are one reconstruction, from `[1, 3, height, width]` to the same.
 */

import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Graph } from './onnx.mjs';

/**
 * @typedef {{block_out_channels: number[], layers_per_block: number, latent_channels: number,
 *   norm_num_groups: number, use_quant_conv: boolean, use_post_quant_conv: boolean,
 *   mid_block_add_attention: boolean}} Config
 * @typedef {{map: string, channels: number, height: number, width: number}} FeatureMap `map` is its name in the graph.
 */

/** Values in [-1, 1) by xorshift32, seeded by the name alone. @param {string} name @param {number} count */
function values(name, count) {
  let x = createHash('sha256').update(name).digest().readInt32LE() || 1;
  return Float32Array.from({ length: count }, () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return x / 2 ** 31;
  });
}

class Builder {
  graph = new Graph();
  /** @type {Map<string, {shape: number[], values: Float32Array}>} */
  parameters = new Map();
  multiplyAdds = 0;

  /** @param {string} name @param {number[]} shape @param {(value: number) => number} change */
  parameter(name, shape, change) {
    const count = shape.reduce((product, side) => product * side, 1);
    const drawn = values(name, count).map(change);
    this.parameters.set(name, { shape, values: drawn });
    return drawn;
  }

  /** @param {FeatureMap} x @param {string} name @param {number} outputs @param {{kernel?: number, halve?: boolean}} [options] */
  conv(x, name, outputs, { kernel = 3, halve = false } = {}) {
    const shape = [outputs, x.channels, kernel, kernel];
    const scale = Math.sqrt(3 / (x.channels * kernel * kernel));
    const weight = this.graph.constant(shape, this.parameter(`${name}.weight`, shape, (value) => value * scale));
    const bias = this.graph.constant([outputs], this.parameter(`${name}.bias`, [outputs], (value) => value / 10));
    const pads = halve ? [0, 0, 1, 1] : Array(4).fill((kernel - 1) / 2);
    const strides = halve ? [2, 2] : [1, 1];
    const map = this.graph.node('Conv', [x.map, weight, bias], { kernel_shape: [kernel, kernel], pads, strides });
    const [height, width] = [x.height, x.width].map((side) => (halve ? side / 2 : side));
    this.multiplyAdds += outputs * height * width * x.channels * kernel * kernel;
    return { map, channels: outputs, height, width };
  }

  /** GroupNorm as PyTorch exports it. @param {FeatureMap} x @param {string} name @param {number} groups */
  norm(x, name, groups) {
    const { graph } = this;
    const grouped = graph.node('Reshape', [x.map, graph.constant([3], BigInt64Array.of(1n, BigInt(groups), -1n))]);
    const ones = graph.constant([groups], new Float32Array(groups).fill(1));
    const zeros = graph.constant([groups], new Float32Array(groups));
    const normed = graph.node('InstanceNormalization', [grouped, ones, zeros], { epsilon: 1e-6 });
    const sides = BigInt64Array.of(1n, ...[x.channels, x.height, x.width].map(BigInt));
    const back = graph.node('Reshape', [normed, graph.constant([4], sides)]);
    const affine = (/** @type {string} */ part, /** @type {(value: number) => number} */ change) =>
      graph.constant([1, x.channels, 1, 1], this.parameter(`${name}.${part}`, [x.channels], change));
    const scaled = graph.node('Mul', [back, affine('weight', (value) => 1 + value / 10)]);
    return { ...x, map: graph.node('Add', [scaled, affine('bias', (value) => value / 10)]) };
  }

  /** @param {FeatureMap} x */
  silu(x) {
    return { ...x, map: this.graph.node('Mul', [x.map, this.graph.node('Sigmoid', [x.map])]) };
  }

  /** @param {FeatureMap} a @param {FeatureMap} b */
  add(a, b) {
    return { ...a, map: this.graph.node('Add', [a.map, b.map]) };
  }

  /** @param {FeatureMap} x @param {string} name @param {number} outputs @param {number} groups */
  resnet(x, name, outputs, groups) {
    const first = this.conv(this.silu(this.norm(x, `${name}.norm1`, groups)), `${name}.conv1`, outputs);
    const second = this.conv(this.silu(this.norm(first, `${name}.norm2`, groups)), `${name}.conv2`, outputs);
    const bypass = x.channels === outputs ? x : this.conv(x, `${name}.conv_shortcut`, outputs, { kernel: 1 });
    return this.add(bypass, second);
  }

  /** @param {FeatureMap} x */
  upsample(x) {
    const scales = this.graph.constant([4], Float32Array.of(1, 1, 2, 2));
    const attributes = { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' };
    const map = this.graph.node('Resize', [x.map, '', scales], attributes);
    return { ...x, map, height: 2 * x.height, width: 2 * x.width };
  }
}

/** @param {Builder} builder @param {FeatureMap} x @param {Config} config */
function encoder(builder, x, config) {
  const { block_out_channels: widths, norm_num_groups: groups } = config;
  x = builder.conv(x, 'encoder.conv_in', widths[0]);
  for (const [level, width] of widths.entries()) {
    const block = `encoder.down_blocks.${level}`;
    for (let i = 0; i < config.layers_per_block; i++) x = builder.resnet(x, `${block}.resnets.${i}`, width, groups);
    if (level + 1 < widths.length) x = builder.conv(x, `${block}.downsamplers.0.conv`, width, { halve: true });
  }
  x = middle(builder, x, 'encoder', groups);
  x = builder.conv(builder.silu(builder.norm(x, 'encoder.conv_norm_out', groups)), 'encoder.conv_out', 2 * config.latent_channels);
  const ends = [0n, BigInt(config.latent_channels), 1n].map((end) => builder.graph.constant([1], BigInt64Array.of(end)));
  return { ...x, map: builder.graph.node('Slice', [x.map, ...ends]), channels: config.latent_channels };
}

/** @param {Builder} builder @param {FeatureMap} x @param {Config} config */
function decoder(builder, x, config) {
  const { block_out_channels: widths, norm_num_groups: groups } = config;
  x = middle(builder, builder.conv(x, 'decoder.conv_in', widths.at(-1)), 'decoder', groups);
  for (const [level, width] of widths.toReversed().entries()) {
    const block = `decoder.up_blocks.${level}`;
    for (let i = 0; i <= config.layers_per_block; i++) x = builder.resnet(x, `${block}.resnets.${i}`, width, groups);
    if (level + 1 < widths.length) x = builder.conv(builder.upsample(x), `${block}.upsamplers.0.conv`, width);
  }
  return builder.conv(builder.silu(builder.norm(x, 'decoder.conv_norm_out', groups)), 'decoder.conv_out', 3);
}

/** @param {Builder} builder @param {FeatureMap} x @param {string} part @param {number} groups */
function middle(builder, x, part, groups) {
  for (const i of [0, 1]) x = builder.resnet(x, `${part}.mid_block.resnets.${i}`, x.channels, groups);
  return x;
}

/**
 * Writes `pack/` and `model.onnx` into a folder.
 * @param {string} folder
 * @param {{widths: number[], layers: number, groups: number, side: number}} network
 * @returns {Promise<number>} Multiply-adds of the convolutions.
 */
export async function writeNetwork(folder, { widths, layers, groups, side }) {
  const config = {
    block_out_channels: widths,
    layers_per_block: layers,
    latent_channels: 4,
    norm_num_groups: groups,
    use_quant_conv: false,
    use_post_quant_conv: false,
    mid_block_add_attention: false,
  };
  const builder = new Builder();
  const input = { map: 'input', channels: 3, height: side, width: side };
  const result = decoder(builder, encoder(builder, input, config), config);
  const shape = [1, 3, side, side];
  await mkdir(join(folder, 'pack'), { recursive: true });
  await writeFile(join(folder, 'model.onnx'), builder.graph.model({ input: shape, output: shape, result: result.map }));

  const shard = safetensors(builder.parameters);
  const manifest = {
    format_version: 1,
    id: 'bench',
    name: 'Benchmark',
    architecture: { family: 'autoencoder_kl', ...config },
    precision: 'f32',
    source: 'tests/bench/network.mjs',
    licence: 'MIT OR Apache-2.0',
    shards: [
      { file: 'shard-00.safetensors', bytes: shard.length, sha256: createHash('sha256').update(shard).digest('hex') },
    ],
  };
  await writeFile(join(folder, 'pack', 'shard-00.safetensors'), shard);
  await writeFile(join(folder, 'pack', 'manifest.json'), JSON.stringify(manifest));
  return builder.multiplyAdds;
}

/** @param {Map<string, {shape: number[], values: Float32Array}>} parameters */
function safetensors(parameters) {
  const header = {};
  let offset = 0;
  for (const [name, { shape, values }] of parameters) {
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, (offset += values.byteLength)] };
  }
  const text = JSON.stringify(header);
  const padded = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  const data = [...parameters.values()].map(({ values }) => Buffer.from(values.buffer, values.byteOffset, values.byteLength));
  return Buffer.concat([length, padded, ...data]);
}
