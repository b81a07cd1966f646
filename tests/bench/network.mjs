/**
 * An autoencoder with seeded weights, twice: as a pack for our engine and as an ONNX model for the peer.
 * Both are one reconstruction, from `[1, 3, height, width]` to the same.
 */

import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Graph } from './onnx.mjs';

/**
 * @typedef {{family: 'autoencoder_kl', block_out_channels: number[], layers_per_block: number, latent_channels: number,
 *   norm_num_groups: number, use_quant_conv: boolean, use_post_quant_conv: boolean,
 *   mid_block_add_attention: boolean}} KlConfig
 * @typedef {{family: 'autoencoder_tiny', width: number, latent_channels: number, encoder_blocks: number[],
 *   decoder_blocks: number[], pooled: boolean}} TinyConfig
 * @typedef {{map: string, channels: number, height: number, width: number}} FeatureMap `map` is its name in the graph.
 * @typedef {{kernel: number, stride: number, width: number, inputs: number, outputs: number, multiplyAdds: number}} Layer
 *   A convolution: `width` is its result's.
 * @typedef {{pack: () => {manifest: any, shard: Buffer}, onnx: () => Buffer, multiplyAdds: number, layers: Layer[]}} Network
 *   Either form is made when it is asked for. Multiply-adds of convolutions and attention.
 */

/** Values in [-scale, scale) about a middle by xorshift32, seeded by the name alone. */
function values(/** @type {string} */ name, /** @type {number} */ count, scale = 1, middle = 0) {
  let x = createHash('sha256').update(name).digest().readInt32LE() || 1;
  const drawn = new Float32Array(count);
  // Networks have up to a hundred million of them.
  for (let i = 0; i < count; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    drawn[i] = middle + scale * (x / 2 ** 31);
  }
  return drawn;
}

class Builder {
  graph = new Graph();
  /** @type {Map<string, {shape: number[], values: Float32Array}>} */
  parameters = new Map();
  multiplyAdds = 0;
  /** @type {Layer[]} */
  layers = [];

  /** @param {string} name @param {number[]} shape @param {number} scale */
  parameter(name, shape, scale, middle = 0) {
    const count = shape.reduce((product, side) => product * side, 1);
    const drawn = values(name, count, scale, middle);
    this.parameters.set(name, { shape, values: drawn });
    return drawn;
  }

  /**
   * @param {FeatureMap} x @param {string} name @param {number} outputs
   * @param {{kernel?: number, pads?: number[], halve?: boolean, bias?: boolean, linear?: boolean}} [options]
   *   `linear`: the pack has it as a matrix.
   */
  conv(x, name, outputs, { kernel = 3, halve = false, pads, bias = true, linear = false } = {}) {
    const shape = [outputs, x.channels, kernel, kernel];
    const scale = Math.sqrt(3 / (x.channels * kernel * kernel));
    const given = linear ? [outputs, x.channels] : shape;
    const inputs = [x.map, this.graph.constant(shape, this.parameter(`${name}.weight`, given, scale))];
    if (bias) inputs.push(this.graph.constant([outputs], this.parameter(`${name}.bias`, [outputs], 0.1)));
    const strides = halve ? [2, 2] : [1, 1];
    pads ??= halve ? [0, 0, 1, 1] : Array(4).fill((kernel - 1) / 2);
    const map = this.graph.node('Conv', inputs, { kernel_shape: [kernel, kernel], pads, strides });
    const [height, width] = [x.height, x.width].map((side) => (halve ? side / 2 : side));
    const multiplyAdds = outputs * height * width * x.channels * kernel * kernel;
    this.multiplyAdds += multiplyAdds;
    this.layers.push({ kernel, stride: strides[0], width, inputs: x.channels, outputs, multiplyAdds });
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
    const affine = (/** @type {string} */ part, /** @type {number} */ middle) =>
      graph.constant([1, x.channels, 1, 1], this.parameter(`${name}.${part}`, [x.channels], 0.1, middle));
    const scaled = graph.node('Mul', [back, affine('weight', 1)]);
    return { ...x, map: graph.node('Add', [scaled, affine('bias', 0)]) };
  }

  /** @param {FeatureMap} x */
  silu(x) {
    return { ...x, map: this.graph.node('Mul', [x.map, this.graph.node('Sigmoid', [x.map])]) };
  }

  /** @param {FeatureMap} x */
  relu(x) {
    return { ...x, map: this.graph.node('Relu', [x.map]) };
  }

  /** `x · scale + shift` @param {FeatureMap} x @param {number} scale @param {number} shift */
  affine(x, scale, shift) {
    const constant = (/** @type {number} */ value) => this.graph.constant([1], Float32Array.of(value));
    const scaled = this.graph.node('Mul', [x.map, constant(scale)]);
    return { ...x, map: this.graph.node('Add', [scaled, constant(shift)]) };
  }

  /** Self-attention over all positions, one head. @param {FeatureMap} x @param {string} name @param {number} groups */
  attention(x, name, groups) {
    const { graph } = this;
    const positions = x.height * x.width;
    const normed = this.norm(x, `${name}.group_norm`, groups);
    const flat = graph.constant([3], BigInt64Array.of(1n, BigInt(x.channels), BigInt(positions)));
    const [queries, keys, values] = ['to_q', 'to_k', 'to_v'].map((part) =>
      graph.node('Reshape', [this.conv(normed, `${name}.${part}`, x.channels, { kernel: 1, linear: true }).map, flat]),
    );
    const scaled = graph.node('Mul', [queries, graph.constant([1], Float32Array.of(x.channels ** -0.5))]);
    const scores = graph.node('MatMul', [graph.node('Transpose', [scaled], { perm: [0, 2, 1] }), keys]);
    const weights = graph.node('Transpose', [graph.node('Softmax', [scores], { axis: -1 })], { perm: [0, 2, 1] });
    this.multiplyAdds += 2 * positions * positions * x.channels;
    const sides = graph.constant([4], BigInt64Array.of(1n, ...[x.channels, x.height, x.width].map(BigInt)));
    const attended = { ...x, map: graph.node('Reshape', [graph.node('MatMul', [values, weights]), sides]) };
    return this.add(this.conv(attended, `${name}.to_out.0`, x.channels, { kernel: 1, linear: true }), x);
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

/** @param {Builder} builder @param {FeatureMap} x @param {KlConfig} config */
function klEncoder(builder, x, config) {
  const { block_out_channels: widths, norm_num_groups: groups, latent_channels: latent } = config;
  x = builder.conv(x, 'encoder.conv_in', widths[0]);
  for (const [level, width] of widths.entries()) {
    const block = `encoder.down_blocks.${level}`;
    for (let i = 0; i < config.layers_per_block; i++) x = builder.resnet(x, `${block}.resnets.${i}`, width, groups);
    if (level + 1 < widths.length) x = builder.conv(x, `${block}.downsamplers.0.conv`, width, { halve: true });
  }
  x = middle(builder, x, 'encoder', config);
  x = builder.conv(builder.silu(builder.norm(x, 'encoder.conv_norm_out', groups)), 'encoder.conv_out', 2 * latent);
  if (config.use_quant_conv) x = builder.conv(x, 'quant_conv', 2 * latent, { kernel: 1 });
  const ends = [0n, BigInt(latent), 1n].map((end) => builder.graph.constant([1], BigInt64Array.of(end)));
  return { ...x, map: builder.graph.node('Slice', [x.map, ...ends]), channels: latent };
}

/** @param {Builder} builder @param {FeatureMap} x @param {KlConfig} config */
function klDecoder(builder, x, config) {
  const { block_out_channels: widths, norm_num_groups: groups } = config;
  if (config.use_post_quant_conv) x = builder.conv(x, 'post_quant_conv', x.channels, { kernel: 1 });
  x = middle(builder, builder.conv(x, 'decoder.conv_in', widths.at(-1)), 'decoder', config);
  for (const [level, width] of widths.toReversed().entries()) {
    const block = `decoder.up_blocks.${level}`;
    for (let i = 0; i <= config.layers_per_block; i++) x = builder.resnet(x, `${block}.resnets.${i}`, width, groups);
    if (level + 1 < widths.length) x = builder.conv(builder.upsample(x), `${block}.upsamplers.0.conv`, width);
  }
  return builder.conv(builder.silu(builder.norm(x, 'decoder.conv_norm_out', groups)), 'decoder.conv_out', 3);
}

/** @param {Builder} builder @param {FeatureMap} x @param {string} part @param {KlConfig} config */
function middle(builder, x, part, { norm_num_groups: groups, mid_block_add_attention: attention }) {
  x = builder.resnet(x, `${part}.mid_block.resnets.0`, x.channels, groups);
  if (attention) x = builder.attention(x, `${part}.mid_block.attentions.0`, groups);
  return builder.resnet(x, `${part}.mid_block.resnets.1`, x.channels, groups);
}

/** @param {Builder} builder @param {FeatureMap} x @param {string} name @param {number} width */
function tinyBlock(builder, x, name, width) {
  const first = builder.relu(builder.conv(x, `${name}.conv.0`, width));
  const second = builder.relu(builder.conv(first, `${name}.conv.2`, width));
  return builder.relu(builder.add(builder.conv(second, `${name}.conv.4`, width), x));
}

/** Numbers are positions in the published `nn.Sequential`. @param {Builder} builder @param {FeatureMap} x @param {TinyConfig} config */
function tinyEncoder(builder, x, { width, latent_channels, encoder_blocks }) {
  x = builder.conv(builder.affine(x, 0.5, 0.5), 'encoder.0', width);
  let index = 1;
  for (const [level, blocks] of encoder_blocks.entries()) {
    const halving = { halve: true, pads: [1, 1, 1, 1], bias: false };
    if (level > 0) x = builder.conv(x, `encoder.${index++}`, width, halving);
    for (let i = 0; i < blocks; i++) x = tinyBlock(builder, x, `encoder.${index++}`, width);
  }
  return builder.conv(x, `encoder.${index}`, latent_channels);
}

/** @param {Builder} builder @param {FeatureMap} x @param {TinyConfig} config */
function tinyDecoder(builder, x, { width, decoder_blocks }) {
  const clamped = builder.graph.node('Tanh', [builder.affine(x, 1 / 3, 0).map]);
  x = builder.relu(builder.conv(builder.affine({ ...x, map: clamped }, 3, 0), 'decoder.1', width));
  let index = 3;
  for (const [level, blocks] of decoder_blocks.entries()) {
    if (level > 0) {
      x = builder.conv(builder.upsample(x), `decoder.${index + 1}`, width, { bias: false });
      index += 2;
    }
    for (let i = 0; i < blocks; i++) x = tinyBlock(builder, x, `decoder.${index++}`, width);
  }
  return builder.affine(builder.conv(x, `decoder.${index}`, 3), 2, -1);
}

/**
 * @param {KlConfig | TinyConfig} architecture As in a manifest. @param {number} side
 * @returns {Network}
 */
export function makeNetwork(architecture, side) {
  const builder = new Builder();
  const input = { map: 'input', channels: 3, height: side, width: side };
  const result =
    architecture.family === 'autoencoder_kl'
      ? klDecoder(builder, klEncoder(builder, input, architecture), architecture)
      : tinyDecoder(builder, tinyEncoder(builder, input, architecture), architecture);
  const shape = [1, 3, side, side];
  const onnx = () => builder.graph.model({ input: shape, output: shape, result: result.map });
  return { pack: () => pack(architecture, builder), onnx, multiplyAdds: builder.multiplyAdds, layers: builder.layers };
}

/** @param {KlConfig | TinyConfig} architecture @param {Builder} builder */
function pack(architecture, builder) {
  const shard = safetensors(builder.parameters);
  const manifest = {
    format_version: 1,
    id: 'bench',
    name: 'Benchmark',
    architecture,
    precision: 'f32',
    source: 'tests/bench/network.mjs',
    licence: 'MIT OR Apache-2.0',
    shards: [
      { file: 'shard-00.safetensors', bytes: shard.length, sha256: createHash('sha256').update(shard).digest('hex') },
    ],
  };
  return { manifest, shard };
}

/**
 * Writes `pack/` and `model.onnx` into a folder.
 * @param {string} folder @param {KlConfig | TinyConfig} architecture @param {number} side
 * @returns {Promise<number>} Multiply-adds of the convolutions and of attention.
 */
export async function writeNetwork(folder, architecture, side) {
  const { pack, onnx, multiplyAdds } = makeNetwork(architecture, side);
  const { manifest, shard } = pack();
  await mkdir(join(folder, 'pack'), { recursive: true });
  await writeFile(join(folder, 'model.onnx'), onnx());
  await writeFile(join(folder, 'pack', 'shard-00.safetensors'), shard);
  await writeFile(join(folder, 'pack', 'manifest.json'), JSON.stringify(manifest));
  return multiplyAdds;
}

/** Stable Diffusion's, or a part of it. @param {number[]} widths @returns {KlConfig} */
export function klConfig(widths, { layers = 1, groups = 32, latent = 4, quant = false, attention = false } = {}) {
  return {
    family: 'autoencoder_kl',
    block_out_channels: widths,
    layers_per_block: layers,
    latent_channels: latent,
    norm_num_groups: groups,
    use_quant_conv: quant,
    use_post_quant_conv: quant,
    mid_block_add_attention: attention,
  };
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
