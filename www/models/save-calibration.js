/** Gives an added model a calibration. */

import { AedrError } from '../common/errors.js';
import { Scheduler } from '../engine/scheduler.js';
import { filesInMemory, keepForThisVisit, openStorage } from './storage.js';

const FILE = 'calibration.json';

/**
 * Replaces the calibration that it had.
 * @param {string} key The model's. @param {string} text
 */
export async function saveCalibration(key, text) {
  const files = filesInMemory(key);
  if (files) {
    await keepForThisVisit(key, { ...files, [FILE]: new Blob([text]) });
    return;
  }
  const storage = await openStorage();
  const folder = await storage?.models.getDirectoryHandle(key).catch(() => null);
  if (!folder) {
    throw new AedrError('weights_missing', `${key} is no longer on this device`, '', { file: key, gone: true });
  }
  try {
    const file = await folder.getFileHandle(FILE, { create: true });
    if (!file.createWritable) {
      await writeInWorker({ key, name: FILE, text });
      return;
    }
    // The old file stays intact until the new one is complete.
    const writable = await file.createWritable();
    await writable.write(text);
    await writable.close();
  } catch (thrown) {
    throw new AedrError('storage_full', `the calibration could not be kept: ${thrown}`, '', { calibration: true });
  }
}

/**
 * Safari has no `createWritable` before 26; there only workers can write.
 * @param {import('./import-worker.js').WriteRequest} request
 */
async function writeInWorker(request) {
  // A worker of its own, because the one that adds models may be busy for long.
  const worker = new Scheduler(new URL('./import-worker.js', import.meta.url));
  try {
    await worker.ask('write', () => ({ params: request }), { signal: new AbortController().signal, onProgress: () => {} });
  } finally {
    worker.close(new AedrError('closed', 'it is done'));
  }
}
