/**
 * The WebAssembly module, fetched and started once in each worker that needs it.
 *
 * @typedef {{Checker: any, Image: any, Importer: any, record: (...parts: any[]) => string,
 *   calibrate: (model: string, belonging: string, others: string) => string, compiled: WebAssembly.Module}} Program
 */

import { request, watch } from './download.js';
import { AedrError } from './errors.js';

const PROGRAM = new URL('./pkg/aedr.js', import.meta.url).href;
const PROGRAM_BYTES = new URL('./pkg/aedr_bg.wasm', import.meta.url).href;

/** @type {Promise<Program> | null} The module, once it is there. */
let program = null;

/** @param {import('./channel.js').CallContext} context @returns {Promise<Program>} */
export function loadProgram({ signal, progress }) {
  program ??= (async () => {
    const module = await import(PROGRAM).catch(() => {
      throw new AedrError('program_missing', 'pkg/aedr.js could not be fetched', '', { file: 'pkg/aedr.js' });
    });
    const response = await request(PROGRAM_BYTES, { code: 'program_missing', signal });
    watch(response, (loaded, total) => progress({ stage: 'program', loaded, total }));
    const compiled = await compile(response);
    await module.default({ module_or_path: compiled });
    const { Checker, Image, Importer, calibrate, record } = module;
    return { Checker, Image, Importer, calibrate, record, compiled };
  })();
  // Whatever went wrong, the next check begins anew.
  program.catch(() => (program = null));
  return program;
}

/** Compiles while it arrives, if the server says what it is. @param {Response} response */
export async function compile(response) {
  const streams = response.headers.get('Content-Type')?.startsWith('application/wasm');
  try {
    return await (streams ? WebAssembly.compileStreaming(response) : WebAssembly.compile(await response.arrayBuffer()));
  } catch (error) {
    // The connection broke, or the service worker found that this is not the file it should be.
    if (!(error instanceof TypeError)) throw error;
    const file = new URL(response.url).pathname.split('/').pop();
    throw new AedrError('program_missing', `${file} did not arrive whole`, '', { file, broken: true });
  }
}
