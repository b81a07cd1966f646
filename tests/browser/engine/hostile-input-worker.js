/** Gives the module what strangers may: files of the corpus, and arguments that make no sense. In a worker as on the page. */

import init, { calibrate, Checker, Image, Importer, record } from '/www/pkg/aedr.js';

const GOLDEN = '/dist-test/packs/tiny_taesd/';
/** What an export may be given in place of a size or an index. */
const NUMBERS = [0, 1, 7, -1, NaN, Infinity, 1e300, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 0.5, '', null, undefined];
const TEXTS = ['', '{}', '[]', 'null', '\0', '\ud800', '{"format_version":1e999}', '['.repeat(1e5), 'x'.repeat(1e6)];
const BYTES = [0, 1, 7, 4096].map((length) => new Uint8Array(length).fill(length));

const cancelled = () => false;

/** @type {Record<string, (bytes: Uint8Array) => any>} How files of each kind are read. */
const KINDS = {
  image: (bytes) => Image.decode(bytes, false),
  manifest: (bytes) => checker.begin_model(new TextDecoder().decode(bytes)),
  import: (bytes) => imported(bytes),
};

/** @type {any} */
let checker;
const ready = init().then(async () => (checker = await Checker.create('cpu')));

addEventListener('message', async ({ data: { kind, address } }) => {
  await ready;
  if (address) {
    const bytes = new Uint8Array(await (await fetch(address)).arrayBuffer());
    return postMessage({ code: await codeOf(() => KINDS[kind](bytes)) });
  }
  postMessage({ codes: await misuse() });
});
addEventListener('unhandledrejection', ({ reason }) => postMessage({ code: `stopped: ${reason}`, codes: {} }));

/** @param {Uint8Array} bytes */
function imported(bytes) {
  const description = { id: 'a', name: 'a', source: 'a', licence: 'MIT' };
  const importer = new Importer(JSON.stringify({ description, precision: 'q10' }));
  for (let at = 0; at < bytes.length; at += 4096) importer.push(bytes.subarray(at, at + 4096));
  importer.finish();
}

/** The code of what is thrown; '' for nothing; what no caller could tell from a crash is named. @param {() => any} call */
async function codeOf(call) {
  try {
    const made = await call();
    made?.free?.();
    return '';
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) return `stopped: ${error.message}`;
    return error?.code ?? `${error?.name}`;
  }
}

/** Every export with everything; how often each code came. */
async function misuse() {
  const manifest = await (await fetch(`${GOLDEN}manifest.json`)).text();
  const shard = new Uint8Array(await (await fetch(GOLDEN + JSON.parse(manifest).shards[0].file)).arrayBuffer());
  checker.begin_model(manifest);
  checker.add_shard(0, shard);
  checker.finish_model(undefined);
  const { id } = JSON.parse(manifest);
  const values = new Float32Array(3 * 64 * 64);
  const calls = [
    ...TEXTS.flatMap((text) => [
      () => checker.begin_model(text),
      () => checker.finish_model(text),
      () => checker.check(pixels(), text, false, false, cancelled),
      () => new Importer(text).finish(),
      () => calibrate(text, text, text),
      () => record(BYTES[1], text, text, text, text, text),
      () => record(BYTES[1], 'a', '{"deep":false,"apply_orientation":false}', text, '[]', text),
      () => pixels().cost(text),
      () => checker.forget_model(text),
    ]),
    ...NUMBERS.flatMap((number) => [
      () => (checker.begin_model(manifest), checker.add_shard(number, shard)),
      () => checker.encode(id, values, number, number),
      () => checker.encode(id, values, 64, number),
      () => checker.decode(id, values, number, 8),
      () => checker.double_reconstruction(id, values, number, 64),
      () => checker.encode(id, new Float32Array(12).fill(NaN), 2, 2),
    ]),
    ...BYTES.flatMap((bytes) => [
      () => Image.decode(bytes, true),
      () => (checker.begin_model(manifest), checker.add_shard(0, bytes)),
      () => imported(bytes),
    ]),
    () => checker.check(pixels(), id, false, true, () => {
      throw new RangeError('a callback that fails');
    }),
    () => checker.check(pixels(), id, false, true, () => Promise.reject(new RangeError('later'))),
    () => checker.check(pixels(), id, true, true, cancelled),
  ];
  /** @type {Record<string, number>} */
  const codes = {};
  for (const call of calls) {
    const code = await codeOf(call);
    codes[code] = (codes[code] ?? 0) + 1;
  }
  // Whatever was done to it, it works.
  checker.begin_model(manifest);
  checker.add_shard(0, shard);
  checker.finish_model(undefined);
  const losses = JSON.parse(await checker.double_reconstruction(id, values.fill(0.25), 64, 64));
  return { ...codes, works: losses.first_loss >= 0 && losses.second_loss >= 0 };
}

/** 64 × 64 pixels, as a BMP. */
function pixels() {
  const file = new DataView(new ArrayBuffer(54 + 64 * 64 * 3));
  [0x42, 0x4d].forEach((byte, at) => file.setUint8(at, byte));
  for (const [at, value] of [[2, file.byteLength], [10, 54], [14, 40], [18, 64], [22, 64]]) file.setUint32(at, value, true);
  for (const [at, value] of [[26, 1], [28, 24]]) file.setUint16(at, value, true);
  for (let at = 54; at < file.byteLength; at += 1) file.setUint8(at, (at * 7919) >> 4);
  return Image.decode(new Uint8Array(file.buffer), false);
}
