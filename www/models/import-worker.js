/**
 * The worker that adds models. It may connect to other sites (its own Content-Security-Policy says so), and it
 * never sees an image: the page and the worker that checks images connect to nothing but their own site.
 *
 * @typedef {{plan: import('./types.js').ImportPlan, file: Blob | null, keep: boolean}} AddRequest
 * @typedef {{stage: 'program' | 'import' | 'import_waiting', loaded: number, total: number | null,
 *   partOf: number | null}} ImportProgress `total` bytes come; `partOf`: of a file of so many, where they are not all.
 * @typedef {{key: string, name: string, text: string}} WriteRequest The model's key in the storage, and its file.
 * @typedef {{files: import('../engine/types.js').ModelFiles | null}} AddAnswer Null if they are in the storage.
 */

import { AedrError, toPlain } from '../common/errors.js';
import { answer } from '../engine/channel.js';
import { loadWasmModule } from '../engine/wasm-module.js';
import { MemoryFiles, StoredFiles, writeFile } from './import-files.js';
import { lockName, openStorage, PARTS, storageEstimate } from './storage.js';
import { Changed, Transfer } from './transfer.js';

const PROGRESS_MS = 100;
/** A pack takes at most this share of its file's size (12-bit blocks of a 16-bit file), with some to spare. */
const PACK_SHARE = 0.85;
/** Codes of errors after which it is worth keeping what has arrived. */
const CAN_GO_ON = ['cancelled', 'import_interrupted', 'import_refused', 'import_gated', 'import_missing', 'engine_stopped'];

answer(self, { add, write: writeText });

/**
 * Adds a model from a file of another site or of this device.
 * @param {AddRequest} params @param {import('../engine/channel.js').CallContext} context
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

/** Writes a file of a model that is in the storage. @param {WriteRequest} request */
async function writeText({ key, name, text }) {
  const model = await (await openStorage())?.models.getDirectoryHandle(key);
  if (model) await writeFile(model, name, new TextEncoder().encode(text));
}

/** @param {AddRequest} params @param {import('../engine/channel.js').CallContext} context @returns {Promise<AddAnswer>} */
async function addAlone({ plan: given, file, keep }, context) {
  const { Importer } = await loadWasmModule(context);
  // Keeps nothing that arrived by a plan for other parts of the file.
  const plan = given.parts === undefined ? given : { ...given, parts: PARTS };
  const place = (keep ? await StoredFiles.open(plan) : null) ?? new MemoryFiles();
  for (let again = false; ; again = true) {
    const importer = new Importer(JSON.stringify(plan.request));
    try {
      await take(importer, plan, file, place, context);
      await writeLast(importer.finish(), plan, place);
      return { files: await place.finish() };
    } catch (thrown) {
      if (thrown instanceof Changed && !again) {
        await place.startOver();
        continue;
      }
      await (CAN_GO_ON.includes(toPlain(thrown).code) ? place.pause() : place.discard());
      throw thrown;
    } finally {
      importer.free();
    }
  }
}

/**
 * Feeds the module everything that it wants of the file: what arrived before, then the rest.
 * @param {any} importer @param {import('./types.js').ImportPlan} plan @param {Blob | null} file
 * @param {StoredFiles | MemoryFiles} place @param {import('../engine/channel.js').CallContext} context
 */
async function take(importer, plan, file, place, { signal, progress }) {
  // Imports that began before this code fetched parts have kept everything that arrived.
  const all = plan.request.sha256 || plan.parts === undefined;
  let [at, taken, told, measured] = [0, 0, -Infinity, false];
  const tell = (/** @type {ImportProgress['stage']} */ stage) => {
    const [wanted, whole] = [importer.wanted_bytes() ?? null, importer.file_bytes() ?? null];
    const { streaming } = source;
    // A site that serves no ranges has to send everything.
    progress(
      streaming && !all
        ? { stage, loaded: streaming.at, total: whole, partOf: null }
        : { stage, loaded: taken, total: wanted, partOf: wanted === whole ? null : whole },
    );
  };
  const source = file ? new LocalFile(file) : transferOf(plan, place, signal, () => tell('import_waiting'));
  const push = async (/** @type {Uint8Array} */ bytes) => {
    for (const [name, shard] of importer.push(bytes)) await place.write(name, shard);
    at += bytes.length;
    taken += bytes.length;
    if (measured || importer.wanted_bytes() === undefined) return;
    measured = true;
    if (place instanceof StoredFiles) await makeRoom(place, importer.wanted_bytes());
  };
  const next = () => {
    const wants = importer.wants();
    if (!wants) return null;
    if (all) return Infinity;
    importer.skip();
    at = wants[0];
    return wants[1];
  };
  try {
    for (let bytes of place.before()) {
      signal.throwIfAborted();
      while (bytes.length > 0) {
        const end = next();
        // More was stored than is wanted: it belongs to another file.
        if (end === null) throw new Changed(plan.key);
        const piece = bytes.subarray(0, Math.min(bytes.length, end - at));
        await push(piece);
        bytes = bytes.subarray(piece.length);
      }
    }
    for (let end = next(); end !== null; end = next()) {
      for await (const bytes of source.read(at, end, () => importer.file_bytes() ?? Infinity)) {
        signal.throwIfAborted();
        if (bytes.length > 0) {
          if (!file) await place.append(bytes);
          await push(bytes);
        }
        if (performance.now() - told > PROGRESS_MS) {
          told = performance.now();
          tell('import');
        }
      }
      if (source.length !== null) importer.check_length(source.length);
      if (at < end) break;
    }
    await checkEnd(importer, source);
  } finally {
    source.close();
  }
}

/**
 * Whether a file that a site sends as a whole, and of which no more is needed, is as long as its header says. A site's
 * length is not always that of the file; then all of it has to be read.
 * @param {any} importer @param {LocalFile | Transfer} source
 */
async function checkEnd(importer, source) {
  const { streaming } = source;
  if (!streaming || importer.wants() || streaming.announced === importer.file_bytes()) return;
  const end = await source.end();
  if (end !== null) importer.check_length(end);
}

/**
 * @param {import('./types.js').ImportPlan} plan @param {StoredFiles | MemoryFiles} place @param {AbortSignal} signal
 * @param {() => void} onWait
 */
function transferOf({ address, request, gated }, place, signal, onWait) {
  if (!address) throw new AedrError('internal', 'there is neither a file nor an address');
  return new Transfer(address, {
    signal,
    onWait,
    onSeen: (seen) => place.note(seen),
    seen: place.seen,
    isGated: gated,
    comparesTags: !request.sha256,
  });
}

/** A file of this device, as `Transfer` has one of another site. */
class LocalFile {
  #file;
  streaming = null;

  /** @param {Blob} file */
  constructor(file) {
    this.#file = file;
  }

  get length() {
    return this.#file.size;
  }

  /** @param {number} start @param {number} end @returns {AsyncGenerator<Uint8Array>} */
  async *read(start, end) {
    const reader = this.#file.slice(start, Math.min(end, this.length)).stream().getReader();
    try {
      for (;;) {
        const { done, value } = await reader.read().catch(() => {
          throw new AedrError('unreadable_file', 'the file could not be read to its end', '', {});
        });
        if (done) return;
        yield value;
      }
    } finally {
      reader.cancel().catch(() => {});
    }
  }

  async end() {
    return this.length;
  }

  close() {}
}

/**
 * Fails early if there is no room. If there is little, gives up what would let the import resume.
 * @param {StoredFiles} place @param {number} wantedBytes What comes of the file.
 */
async function makeRoom(place, wantedBytes) {
  const estimate = await storageEstimate();
  if (!estimate) return;
  const needed = wantedBytes * PACK_SHARE;
  if (estimate.available < needed) {
    const [wanted, left] = [needed, estimate.available].map((bytes) => Math.ceil(bytes / 1e6));
    throw new AedrError(
      'storage_full',
      `the model needs about ${wanted} MB, and this browser lets the page keep ${left} MB more`,
      '',
      { needed: wanted, available: left },
    );
  }
  if (estimate.available < needed + wantedBytes - place.partBytes) await place.dropPart();
}

/**
 * The calibration of the model that the file proved to be, then the manifest, which makes the model whole.
 * @param {[string, Uint8Array][]} files The manifest at the end.
 * @param {import('./types.js').ImportPlan} plan @param {StoredFiles | MemoryFiles} place
 */
async function writeLast(files, { calibrations }, place) {
  const [name, manifest] = /** @type {[string, Uint8Array]} */ (files.pop());
  for (const [shard, bytes] of files) await place.write(shard, bytes);
  const { id } = JSON.parse(new TextDecoder().decode(manifest));
  const calibration = calibrations[id];
  if (calibration) await place.write('calibration.json', new TextEncoder().encode(JSON.stringify(calibration)));
  await place.write(name, manifest);
}
