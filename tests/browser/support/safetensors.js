/**
 * Reads a safetensors file: an 8-byte little-endian length, that many bytes of JSON, then the data.
 * @param {ArrayBuffer} buffer
 * @returns {Record<string, {shape: number[], values: Float32Array}>} f32 tensors only.
 */
export function readTensors(buffer) {
  const headerBytes = Number(new DataView(buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, headerBytes)));
  delete header.__metadata__;
  const data = 8 + headerBytes;
  const tensors = {};
  for (const [name, { dtype, shape, data_offsets: [from, to] }] of Object.entries(header)) {
    if (dtype !== 'F32') throw new Error(`${name} is ${dtype}, F32 was expected`);
    // A copy, because the data need not be aligned.
    tensors[name] = { shape, values: new Float32Array(buffer.slice(data + from, data + to)) };
  }
  return tensors;
}
