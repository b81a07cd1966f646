/** Where an import stores its files: the origin private file system, or memory. Used only in the import's worker. */

import { AedrError } from '../common/errors.js';
import { openStorage, removeEntry } from './storage.js';

const READ_BYTES = 2 ** 20;

/** The files of one model in the storage, and the part of the source file that has arrived. */
export class StoredFiles {
  /** @type {NonNullable<Awaited<ReturnType<typeof openStorage>>>} */
  #storage;
  /** @type {FileSystemDirectoryHandle} */
  #model;
  /** @type {string} */
  #key;
  /** @type {import('./types.js').ImportPlan} */
  #plan;
  /** A sync access handle, or null where nothing is kept to resume from. @type {any} */
  #part;
  /** What the site said of the file that has partly arrived. @type {import('./transfer.js').Seen | undefined} */
  seen;

  /**
   * @param {NonNullable<Awaited<ReturnType<typeof openStorage>>>} storage
   * @param {FileSystemDirectoryHandle} model @param {import('./types.js').ImportPlan} plan
   */
  constructor(storage, model, plan) {
    [this.#storage, this.#model, this.#key, this.#plan] = [storage, model, plan.key, plan];
  }

  /** Null if the browser refuses to keep anything. @param {import('./types.js').ImportPlan} plan */
  static async open(plan) {
    const storage = await openStorage();
    if (!storage) return null;
    const { key } = plan;
    await removeEntry(storage.models, key);
    const model = await storage.models.getDirectoryHandle(key, { create: true });
    const kept = new StoredFiles(storage, model, plan);
    if (plan.address) {
      const before = await planBefore(storage.imports, key);
      kept.#part = await openForWriting(storage.imports, `${key}.part`);
      if (before && isSame(before, plan)) kept.seen = before.seen;
      else kept.#part.truncate(0);
      await kept.#writePlan();
    }
    return kept;
  }

  /** Notes what a site says of the file. @param {import('./transfer.js').Seen} seen */
  async note(seen) {
    this.seen = seen;
    if (this.#part) await this.#writePlan().catch(() => this.dropPart());
  }

  /** Discards what has arrived, because it is of no use. */
  async startOver() {
    this.seen = undefined;
    this.#part?.truncate(0);
    await removeEntry(this.#storage.models, this.#key);
    this.#model = await this.#storage.models.getDirectoryHandle(this.#key, { create: true });
    if (this.#part) await this.#writePlan();
  }

  /** What has arrived before, in pieces. */
  *before() {
    const size = this.partBytes;
    for (let at = 0; at < size; at += READ_BYTES) {
      const piece = new Uint8Array(Math.min(READ_BYTES, size - at));
      this.#part.read(piece, { at });
      yield piece;
    }
  }

  /** The number of those bytes. */
  get partBytes() {
    return this.#part?.getSize() ?? 0;
  }

  /** Stores what has arrived. If there is no room, an interrupted import starts over. @param {Uint8Array} bytes */
  async append(bytes) {
    if (!this.#part) return;
    try {
      writeAll(this.#part, bytes, this.#part.getSize());
    } catch {
      await this.dropPart();
    }
  }

  /** Deletes the stored part of the source file. */
  async dropPart() {
    this.#part?.close();
    this.#part = null;
    await removeEntry(this.#storage.imports, `${this.#key}.part`);
  }

  /** @param {string} name @param {Uint8Array} bytes */
  async write(name, bytes) {
    try {
      await writeFile(this.#model, name, bytes);
    } catch (thrown) {
      if (!this.#part) throw full(thrown);
      // The part kept for resuming gives its room to the model.
      await this.dropPart();
      await writeFile(this.#model, name, bytes).catch((again) => {
        throw full(again);
      });
    }
  }

  /** Called when the model is complete. @returns {Promise<null>} */
  async finish() {
    await this.dropPart();
    await removeEntry(this.#storage.imports, `${this.#key}.json`);
    return null;
  }

  /** Stops, and keeps what is needed to resume, if there is any. */
  async pause() {
    if (this.partBytes === 0) return this.discard();
    this.#part.flush();
    this.#part.close();
    this.#part = null;
    await removeEntry(this.#storage.models, this.#key);
  }

  /** Stops and deletes everything. */
  async discard() {
    await this.finish();
    await removeEntry(this.#storage.models, this.#key);
  }

  #writePlan() {
    const text = JSON.stringify({ ...this.#plan, seen: this.seen });
    return writeFile(this.#storage.imports, `${this.#key}.json`, new TextEncoder().encode(text));
  }

}

/** The same in memory. */
export class MemoryFiles {
  /** @type {import('../engine/types.js').ModelFiles} */
  #files = {};
  /** @type {undefined} */
  seen = undefined;

  /** @returns {Uint8Array[]} */
  before() {
    return [];
  }

  async append() {}

  async note() {}

  async startOver() {
    this.#files = {};
  }

  async dropPart() {}

  /** @param {string} name @param {Uint8Array} bytes */
  async write(name, bytes) {
    this.#files[name] = new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (bytes)]);
  }

  async finish() {
    return this.#files;
  }

  async pause() {}

  async discard() {}
}

/** The plan of the stored part. @param {FileSystemDirectoryHandle} folder @param {string} key */
async function planBefore(folder, key) {
  try {
    const file = await (await folder.getFileHandle(`${key}.json`)).getFile();
    return /** @type {import('./types.js').ImportPlan} */ (JSON.parse(await file.text()));
  } catch {
    return null;
  }
}

/**
 * Whether what arrived by one plan can be used by another.
 * @param {import('./types.js').ImportPlan} a @param {import('./types.js').ImportPlan} b
 */
function isSame(a, b) {
  const [{ architecture: one }, { architecture: other }] = [a, b].map(({ request }) => request.description);
  return (
    a.address === b.address &&
    a.parts === b.parts &&
    (a.request.sha256 ?? null) === (b.request.sha256 ?? null) &&
    JSON.stringify(one ?? null) === JSON.stringify(other ?? null)
  );
}

/** @param {FileSystemDirectoryHandle} folder @param {string} name @param {Uint8Array} bytes */
export async function writeFile(folder, name, bytes) {
  const file = await openForWriting(folder, name);
  try {
    file.truncate(0);
    writeAll(file, bytes, 0);
    file.flush();
  } finally {
    file.close();
  }
}

/** @param {FileSystemDirectoryHandle} folder @param {string} name @returns {Promise<any>} */
async function openForWriting(folder, name) {
  const handle = await folder.getFileHandle(name, { create: true });
  return /** @type {any} */ (handle).createSyncAccessHandle();
}

/** @param {any} file @param {Uint8Array} bytes @param {number} at */
function writeAll(file, bytes, at) {
  const written = file.write(bytes, { at });
  if (written === bytes.length) return;
  file.truncate(at);
  throw new DOMException('only a part was written', 'QuotaExceededError');
}

/** @param {unknown} thrown */
function full(thrown) {
  if (!(thrown instanceof DOMException)) return thrown;
  return new AedrError('storage_full', 'this browser has no room left for this page to keep the model', '', {});
}
