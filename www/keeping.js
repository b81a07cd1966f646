/** Where an import puts what it makes: the store, or memory. Used in the import's worker alone. */

import { AedrError } from './errors.js';
import { openStorage, removeEntry } from './store.js';

const READ_BYTES = 2 ** 20;

/** The files of one model in the store, and what has come of the file that they are made of. */
export class Kept {
  #storage;
  #model;
  #key;
  /** @type {any} A sync access handle, or null where nothing is kept to go on from. */
  #part;

  /**
   * @param {NonNullable<Awaited<ReturnType<typeof openStorage>>>} storage
   * @param {FileSystemDirectoryHandle} model @param {string} key @param {any} part
   */
  constructor(storage, model, key, part) {
    [this.#storage, this.#model, this.#key, this.#part] = [storage, model, key, part];
  }

  /** Null if the browser refuses to keep anything. @param {import('./store.js').ImportPlan} plan */
  static async open(plan) {
    const storage = await openStorage();
    if (!storage) return null;
    const { key } = plan;
    await removeEntry(storage.models, key);
    const model = await storage.models.getDirectoryHandle(key, { create: true });
    const kept = new Kept(storage, model, key, null);
    if (plan.address) {
      await kept.#write(storage.imports, `${key}.json`, new TextEncoder().encode(JSON.stringify(plan)));
      kept.#part = await openForWriting(storage.imports, `${key}.part`);
    }
    return kept;
  }

  /** What has come before, in pieces. */
  *before() {
    const size = this.partBytes;
    for (let at = 0; at < size; at += READ_BYTES) {
      const piece = new Uint8Array(Math.min(READ_BYTES, size - at));
      this.#part.read(piece, { at });
      yield piece;
    }
  }

  /** How much that is. */
  get partBytes() {
    return this.#part?.getSize() ?? 0;
  }

  /** Notes what has come. If there is no room for it, a break means to begin anew. @param {Uint8Array} bytes */
  async append(bytes) {
    if (!this.#part) return;
    try {
      writeAll(this.#part, bytes, this.#part.getSize());
    } catch {
      await this.dropPart();
    }
  }

  /** Forgets what has come. */
  async dropPart() {
    this.#part?.close();
    this.#part = null;
    await removeEntry(this.#storage.imports, `${this.#key}.part`);
  }

  /** @param {string} name @param {Uint8Array} bytes */
  async write(name, bytes) {
    try {
      await this.#write(this.#model, name, bytes);
    } catch (thrown) {
      if (!this.#part) throw full(thrown);
      // The way back gives its room to the model.
      await this.dropPart();
      await this.#write(this.#model, name, bytes).catch((again) => {
        throw full(again);
      });
    }
  }

  /** The model is whole. @returns {Promise<null>} */
  async finish() {
    await this.dropPart();
    await removeEntry(this.#storage.imports, `${this.#key}.json`);
    return null;
  }

  /** Breaks off, to go on later if there is a way back. */
  async pause() {
    if (this.partBytes === 0) return this.discard();
    this.#part.flush();
    this.#part.close();
    this.#part = null;
    await removeEntry(this.#storage.models, this.#key);
  }

  /** Breaks off and leaves nothing. */
  async discard() {
    await this.finish();
    await removeEntry(this.#storage.models, this.#key);
  }

  /** @param {FileSystemDirectoryHandle} folder @param {string} name @param {Uint8Array} bytes */
  async #write(folder, name, bytes) {
    const file = await openForWriting(folder, name);
    try {
      file.truncate(0);
      writeAll(file, bytes, 0);
      file.flush();
    } finally {
      file.close();
    }
  }
}

/** The same in memory. */
export class Visiting {
  /** @type {import('./store.js').ModelFiles} */
  #files = {};

  /** @returns {Uint8Array[]} */
  before() {
    return [];
  }

  async append() {}

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
