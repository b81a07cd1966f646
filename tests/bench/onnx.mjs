/**
 * Writes an ONNX model, as far as the benchmark needs the format: protocol buffers of onnx.proto3 with
 * float and int64 tensors. (The field numbers are those of that file.)
 */

const FLOAT = 1;
const INT64 = 7;
const ATTRIBUTE_FLOAT = 1;
const ATTRIBUTE_INT = 2;
const ATTRIBUTE_STRING = 3;
const ATTRIBUTE_INTS = 7;

/** @param {bigint} number */
function varint(number) {
  const bytes = [];
  do {
    const low = Number(number & 127n);
    number >>= 7n;
    bytes.push(number ? low | 128 : low);
  } while (number);
  return Buffer.from(bytes);
}

/** @param {number} field @param {number} number */
const integer = (field, number) => Buffer.concat([varint(BigInt(field << 3)), varint(BigInt.asUintN(64, BigInt(number)))]);
/** @param {number} field @param {Uint8Array} content */
const bytes = (field, content) =>
  Buffer.concat([varint(BigInt((field << 3) | 2)), varint(BigInt(content.length)), content]);
/** @param {number} field @param {string} content */
const text = (field, content) => bytes(field, Buffer.from(content));

/** @param {string} name @param {number[]} shape @param {Float32Array | BigInt64Array} values */
function tensor(name, shape, values) {
  const type = values instanceof Float32Array ? FLOAT : INT64;
  const raw = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return Buffer.concat([...shape.map((side) => integer(1, side)), integer(2, type), text(8, name), bytes(9, raw)]);
}

/** An integer is an int, any other number a float: `1e-6`. @param {string} name @param {number[] | number | string} value */
function attribute(name, value) {
  if (Array.isArray(value)) return [text(1, name), ...value.map((item) => integer(8, item)), integer(20, ATTRIBUTE_INTS)];
  if (typeof value === 'string') return [text(1, name), text(4, value), integer(20, ATTRIBUTE_STRING)];
  if (Number.isInteger(value)) return [text(1, name), integer(3, value), integer(20, ATTRIBUTE_INT)];
  const float = Buffer.alloc(5);
  float[0] = (2 << 3) | 5;
  float.writeFloatLE(value, 1);
  return [text(1, name), float, integer(20, ATTRIBUTE_FLOAT)];
}

/** A graph that grows node by node; each node has one result, whose name is given back. */
export class Graph {
  #nodes = [];
  #tensors = [];
  #count = 0;

  /** @param {number[]} shape @param {Float32Array | BigInt64Array} values */
  constant(shape, values) {
    const name = `c${this.#count++}`;
    this.#tensors.push(bytes(5, tensor(name, shape, values)));
    return name;
  }

  /** @param {string} operator @param {string[]} inputs @param {Record<string, number[] | number | string>} [attributes] */
  node(operator, inputs, attributes = {}) {
    const name = `n${this.#count++}`;
    const parts = [...inputs.map((input) => text(1, input)), text(2, name), text(4, operator)];
    for (const [key, value] of Object.entries(attributes)) parts.push(bytes(5, Buffer.concat(attribute(key, value))));
    this.#nodes.push(bytes(1, Buffer.concat(parts)));
    return name;
  }

  /**
   * @param {{input: number[], output: number[], result: string}} ends Shapes of `input` and of `result`.
   */
  model({ input, output, result }) {
    const end = (/** @type {string} */ name, /** @type {number[]} */ shape) => {
      const dimensions = shape.map((side) => bytes(1, integer(1, side)));
      const type = Buffer.concat([integer(1, FLOAT), bytes(2, Buffer.concat(dimensions))]);
      return Buffer.concat([text(1, name), bytes(2, bytes(1, type))]);
    };
    const graph = [
      ...this.#nodes,
      text(2, 'autoencoder'),
      ...this.#tensors,
      bytes(11, end('input', input)),
      bytes(12, end(result, output)),
    ];
    const operators = Buffer.concat([text(1, ''), integer(2, 17)]);
    return Buffer.concat([integer(1, 8), bytes(8, operators), bytes(7, Buffer.concat(graph))]);
  }
}
