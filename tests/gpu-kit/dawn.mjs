/** WebGPU in Node, through Dawn: provides the adapter as `navigator.gpu`, and counts or times the calls. */

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { watchBuffers } from './watch-buffers.js';

const { create, globals } = createRequire(import.meta.url)(join(import.meta.dirname, 'dawn.node'));
Object.assign(globalThis, globals);

/** Errors of devices: an invalid WGSL kernel computes nothing, and only this list says so. @type {string[]} */
export const complaints = [];

/** Makes `navigator.gpu`; the page's module takes this for a worker. `BACKEND=null` computes nothing and knows everything. */
export function provideGpu() {
  // Whole nanoseconds, and f16 where Dawn does not trust the driver with it yet: what it is worth is to be measured.
  const toggles = ['disable-dawn-features=timestamp_quantization', 'enable-dawn-features=vulkan_enable_f16_on_nvidia'];
  const gpu = create([`backend=${process.env.BACKEND ?? 'vulkan'}`, ...toggles]);
  Object.defineProperty(globalThis, 'navigator', { value: { gpu, userAgent: 'Node' }, configurable: true });
  globalThis.WorkerGlobalScope = class {};
  globalThis.self = globalThis;
  patch(GPUAdapter.prototype, 'requestDevice', (original) => async function (descriptor) {
    const device = await original.call(this, descriptor);
    device.addEventListener('uncapturederror', ({ error }) => complaints.push(error.message));
    return device;
  });
  // Dawn for Node refuses shared memory, which browsers accept.
  patch(GPUQueue.prototype, 'writeBuffer', (original) => function (buffer, offset, data, ...range) {
    const shared = ArrayBuffer.isView(data) && data.buffer instanceof SharedArrayBuffer;
    return original.call(this, buffer, offset, shared ? data.slice() : data, ...range);
  });
  return gpu;
}

/** @param {any} prototype @param {string} method @param {(original: Function) => Function} change */
function patch(prototype, method, change) {
  prototype[method] = change(prototype[method]);
}

/** Counts calls from now on. Call it before any device is created. */
export function countCalls() {
  const counts = { submits: 0, passes: 0, dispatches: 0, writes: 0, buffers: watchBuffers() };
  const counted = (/** @type {'submits' | 'passes' | 'dispatches' | 'writes'} */ what) => (original) =>
    function (...given) {
      counts[what] += 1;
      return original.apply(this, given);
    };
  patch(GPUQueue.prototype, 'submit', counted('submits'));
  patch(GPUQueue.prototype, 'writeBuffer', counted('writes'));
  patch(GPUCommandEncoder.prototype, 'beginComputePass', counted('passes'));
  patch(GPUComputePassEncoder.prototype, 'dispatchWorkgroups', counted('dispatches'));
  return counts;
}

/** Timestamps in one query set: the most that WebGPU allows. */
const QUERIES = 4096;

/**
 * Times every dispatch from now on, each in a pass of its own; `null` where the adapter has no timestamps. Call it
 * before any device is created. `read()` returns the dispatches since the last call: the kernel's name (its first
 * comment up to the colon), its workgroups and nanoseconds.
 */
export function timeDispatches() {
  /** @type {WeakMap<any, string>} */
  const names = new WeakMap();
  /** @type {{name: string, groups: number[], set: any, query: number}[]} */
  let dispatches = [];
  let device;
  let sets = [];
  let next = 0;

  patch(GPUDevice.prototype, 'createShaderModule', (original) => function (descriptor) {
    const made = original.call(this, descriptor);
    names.set(made, /^(?:enable f16;\s*|alias .*;\s*)*\/\/ (.*?):/.exec(descriptor.code)?.[1] ?? 'another');
    return made;
  });
  for (const method of ['createComputePipeline', 'createComputePipelineAsync']) {
    patch(GPUDevice.prototype, method, (original) => function (descriptor) {
      const name = names.get(descriptor.compute.module) ?? 'another';
      const named = (/** @type {any} */ pipeline) => (names.set(pipeline, name), pipeline);
      const made = original.call(this, descriptor);
      return made instanceof Promise ? made.then(named) : named(made);
    });
  }
  patch(GPUAdapter.prototype, 'requestDevice', (original) => async function (descriptor) {
    device = await original.call(this, descriptor);
    return device;
  });
  patch(GPUCommandEncoder.prototype, 'beginComputePass', (original) => function () {
    const encoder = this;
    let pipeline;
    const groups = new Map();
    // Each dispatch becomes a pass of its own, which needs its state set again.
    return {
      label: '',
      setPipeline: (/** @type {any} */ given) => (pipeline = given),
      setBindGroup: (/** @type {number} */ index, ...given) => groups.set(index, given),
      setImmediates() {},
      dispatchWorkgroups(x, y = 1, z = 1) {
        if (next === QUERIES * sets.length) sets.push(device.createQuerySet({ type: 'timestamp', count: QUERIES }));
        const [set, query] = [sets.at(-1), next % QUERIES];
        next += 2;
        dispatches.push({ name: names.get(pipeline) ?? 'another', groups: [x, y, z], set, query });
        const timestampWrites = { querySet: set, beginningOfPassWriteIndex: query, endOfPassWriteIndex: query + 1 };
        const pass = original.call(encoder, { timestampWrites });
        pass.setPipeline(pipeline);
        for (const [index, given] of groups) pass.setBindGroup(index, ...given);
        pass.dispatchWorkgroups(x, y, z);
        pass.end();
      },
      end() {},
    };
  });

  async function read() {
    /** @type {Map<any, BigUint64Array>} */
    const times = new Map();
    for (const set of sets) {
      const size = 8 * QUERIES;
      const resolved = device.createBuffer({ size, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC });
      const mapped = device.createBuffer({ size, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
      const encoder = device.createCommandEncoder();
      encoder.resolveQuerySet(set, 0, QUERIES, resolved, 0);
      encoder.copyBufferToBuffer(resolved, 0, mapped, 0, size);
      device.queue.submit([encoder.finish()]);
      await mapped.mapAsync(GPUMapMode.READ);
      times.set(set, new BigUint64Array(mapped.getMappedRange().slice(0)));
      for (const buffer of [resolved, mapped]) buffer.destroy();
    }
    const done = dispatches.map(({ name, groups, set, query }) => {
      const [from, to] = times.get(set).subarray(query, query + 2);
      return { name, groups, nanoseconds: Number(to - from) };
    });
    for (const set of sets) set.destroy();
    [dispatches, sets, next] = [[], [], 0];
    return done;
  }
  return { read };
}
