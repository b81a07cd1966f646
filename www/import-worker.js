/**
 * The worker that adds models. It may connect to other sites (its own Content-Security-Policy says so), and it
 * never sees an image: the page and the worker that checks images connect to nothing but their own site.
 *
 * @typedef {{plan: import('./store.js').ImportPlan, file: Blob | null, keep: boolean}} AddRequest
 * @typedef {{stage: 'program' | 'import' | 'import_waiting', loaded: number, total: number | null}} ImportProgress
 * @typedef {{files: import('./store.js').ModelFiles | null}} AddAnswer Null if they are in the store.
 */

import { answer } from './channel.js';
import { AedrError, toPlain } from './errors.js';
import { Kept, Visiting } from './keeping.js';
import { loadProgram } from './program.js';
import { lockName, storageEstimate } from './store.js';
import { transfer } from './transfer.js';

const PROGRESS_MS = 100;
/** A pack takes at most so much of its file's size (12-bit blocks of a 16-bit file), and some to spare. */
const PACK_SHARE = 0.85;
/** After these, what has come is worth keeping. */
const CAN_GO_ON = ['cancelled', 'import_interrupted', 'import_refused', 'import_gated', 'import_missing', 'engine_stopped'];

answer(self, { add });

/**
 * Adds a model from a file of another site or of this device.
 * @param {AddRequest} params @param {import('./channel.js').CallContext} context
 * @returns {Promise<AddAnswer>}
 */
async function add(params, context) {
  const { key } = params.plan;
  if (!navigator.locks) return addAlone(params, context);
  return navigator.locks.request(lockName(key), { ifAvailable: true }, (lock) => {
    if (!lock) throw new AedrError('import_elsewhere', 'another tab is adding this model', '', {});
    return addAlone(params, context);
  });
}

/** @param {AddRequest} params @param {import('./channel.js').CallContext} context @returns {Promise<AddAnswer>} */
async function addAlone({ plan, file, keep }, context) {
  const { Importer } = await loadProgram(context);
  const place = (keep ? await Kept.open(plan) : null) ?? new Visiting();
  const importer = new Importer(JSON.stringify(plan.request));
  try {
    const total = () => importer.file_bytes() ?? null;
    let loaded = 0;
    let told = -Infinity;
    const tell = (/** @type {ImportProgress['stage']} */ stage) => context.progress({ stage, loaded, total: total() });
    let measured = false;
    for await (const bytes of source(plan, file, place, { ...context, total, onWait: () => tell('import_waiting') })) {
      for (const [name, shard] of importer.push(bytes)) await place.write(name, shard);
      loaded += bytes.length;
      if (!measured && total() !== null) {
        measured = true;
        if (place instanceof Kept) await makeRoom(place, /** @type {number} */ (total()));
      }
      if (performance.now() - told > PROGRESS_MS) {
        told = performance.now();
        tell('import');
      }
    }
    await writeLast(importer.finish(), plan, place);
    return { files: await place.finish() };
  } catch (thrown) {
    await (CAN_GO_ON.includes(toPlain(thrown).code) ? place.pause() : place.discard());
    throw thrown;
  } finally {
    importer.free();
  }
}

/**
 * @param {import('./store.js').ImportPlan} plan @param {Blob | null} file @param {Kept | Visiting} place
 * @param {{signal: AbortSignal, total: () => number | null, onWait: () => void}} options
 * @returns {AsyncGenerator<Uint8Array>}
 */
async function* source({ address }, file, place, { signal, total, onWait }) {
  if (file) {
    yield* pieces(file, signal);
    return;
  }
  if (!address) throw new AedrError('internal', 'there is neither a file nor an address');
  let start = 0;
  for (const bytes of place.before()) {
    signal.throwIfAborted();
    start += bytes.length;
    yield bytes;
  }
  const missing = (/** @type {number} */ at) => at < (total() ?? Infinity);
  if (start > 0 && !missing(start)) return;
  for await (const bytes of transfer(address, { start, signal, missing, onWait })) {
    await place.append(bytes);
    yield bytes;
  }
}

/** @param {Blob} file @param {AbortSignal} signal @returns {AsyncGenerator<Uint8Array>} */
async function* pieces(file, signal) {
  const reader = file.stream().getReader();
  for (;;) {
    signal.throwIfAborted();
    const { done, value } = await reader.read().catch(() => {
      throw new AedrError('unreadable_file', 'the file could not be read to its end', '', {});
    });
    if (done) return;
    yield value;
  }
}

/**
 * Tells early that there is no room, and does without a way back where there is little.
 * @param {Kept} place @param {number} fileBytes
 */
async function makeRoom(place, fileBytes) {
  const estimate = await storageEstimate();
  if (!estimate) return;
  const needed = fileBytes * PACK_SHARE;
  if (estimate.available < needed) {
    const [wanted, left] = [needed, estimate.available].map((bytes) => Math.ceil(bytes / 1e6));
    throw new AedrError(
      'storage_full',
      `the model needs about ${wanted} MB, and this browser lets the page keep ${left} MB more`,
      '',
      { needed: wanted, available: left },
    );
  }
  if (estimate.available < needed + fileBytes - place.partBytes) await place.dropPart();
}

/**
 * The calibration of the model that the file proved to be, then the manifest, which makes the model whole.
 * @param {[string, Uint8Array][]} files The manifest at the end.
 * @param {import('./store.js').ImportPlan} plan @param {Kept | Visiting} place
 */
async function writeLast(files, { calibrations }, place) {
  const [name, manifest] = /** @type {[string, Uint8Array]} */ (files.pop());
  for (const [shard, bytes] of files) await place.write(shard, bytes);
  const { id } = JSON.parse(new TextDecoder().decode(manifest));
  const calibration = calibrations[id];
  if (calibration) await place.write('calibration.json', new TextEncoder().encode(JSON.stringify(calibration)));
  await place.write(name, manifest);
}
