/**
 * Writing to the store where only workers can: Safari has no `createWritable` before 26.
 *
 * @typedef {{key: string, name: string, text: string}} WriteRequest The model's key in the store, and its file.
 */

import { AedrError } from '../common/errors.js';
import { Scheduler } from '../engine/scheduler.js';

/** @param {WriteRequest} request */
export async function writeInWorker(request) {
  // Not the one that adds models: it may be busy for long.
  const worker = new Scheduler(new URL('./import-worker.js', import.meta.url));
  try {
    await worker.ask('write', () => ({ params: request }), { signal: new AbortController().signal, onProgress: () => {} });
  } finally {
    worker.close(new AedrError('closed', 'it is done'));
  }
}
