/**
 * A worker that helps the CPU: computes parts of convolutions in a module of its own. What it is told and where it
 * writes is described in src/engine/cpu/thread_pool.rs.
 */

import init, { HelperThread } from '../pkg/aedr.js';

const DONE = 1;
const FAILED = 2;

/** @type {any} */
let thread = null;

addEventListener('message', async ({ data }) => {
  if (data.module) {
    await init({ module_or_path: data.module });
    thread = new HelperThread();
    postMessage('ready');
    return;
  }
  if (!data.flag) {
    // Nothing to compute for now.
    thread.forget_weights();
    return;
  }
  let state = FAILED;
  try {
    const [weights, exchange] = [data.weights, data.exchange].map((buffer) => new Float32Array(buffer));
    if (thread.compute(data.id, data.sizes, weights, data.limit, data.numbers, exchange)) state = DONE;
  } finally {
    Atomics.store(data.flag, 0, state);
    Atomics.notify(data.flag, 0);
  }
});
