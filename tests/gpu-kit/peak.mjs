/** The device's limits: multiply-adds in registers, bytes copied through its memory. */

/**
 * GFLOP/s (two operations for each multiply-add) of eight independent chains of vectors in each invocation, without
 * memory reads. The best of some runs.
 * @param {GPUDevice} device @param {'f32' | 'f16'} type @param {{invocations: number, steps: number}} size
 */
export async function multiplyAddPeak(device, type, { invocations, steps }) {
  const CHAINS = 8;
  const chains = Array.from({ length: CHAINS }, (_, i) => i);
  const vector = `vec4<${type}>`;
  const code = `${type === 'f16' ? 'enable f16;' : ''}
    @group(0) @binding(0) var<storage, read_write> result: array<vec4f>;
    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u) {
      let a = ${vector}(${type}(0.9 + f32(id.x % 64u) * 1e-3));
      ${chains.map((i) => `var s${i} = ${vector}(${type}(id.x % 8u + ${i}u));`).join('\n')}
      for (var i = 0; i < ${steps / 4}; i++) {
        ${Array(4).fill(chains.map((i) => `s${i} = fma(s${i}, a, a);`).join('\n')).join('\n')}
      }
      result[id.x] = vec4f(${chains.map((i) => `s${i}`).join(' + ')});
    }`;
  const buffer = device.createBuffer({ size: 16 * invocations, usage: GPUBufferUsage.STORAGE });
  const milliseconds = await best(device, code, [buffer], Math.ceil(invocations / 64));
  buffer.destroy();
  return (2 * 4 * CHAINS * steps * invocations) / milliseconds / 1e6;
}

/** GB/s, bytes read and bytes written together, of copying. @param {GPUDevice} device @param {number} bytes */
export async function bandwidth(device, bytes) {
  const GROUPS = 4096;
  const code = `
    @group(0) @binding(0) var<storage, read> input: array<vec4f>;
    @group(0) @binding(1) var<storage, read_write> output: array<vec4f>;
    @compute @workgroup_size(256)
    fn main(@builtin(global_invocation_id) id: vec3u) {
      for (var i = id.x; i < arrayLength(&input); i += ${256 * GROUPS}u) { output[i] = input[i]; }
    }`;
  const buffers = [0, 1].map(() => device.createBuffer({ size: bytes, usage: GPUBufferUsage.STORAGE }));
  const milliseconds = await best(device, code, buffers, GROUPS);
  for (const buffer of buffers) buffer.destroy();
  return (2 * bytes) / milliseconds / 1e6;
}

/** Milliseconds of one dispatch, the least of ten: half the difference between three dispatches and one. */
async function best(/** @type {GPUDevice} */ device, code, /** @type {GPUBuffer[]} */ buffers, /** @type {number} */ groups) {
  const compute = { module: device.createShaderModule({ code }), entryPoint: 'main' };
  const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute });
  const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
  const group = device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  const once = async (/** @type {number} */ dispatches) => {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    for (let i = 0; i < dispatches; i++) pass.dispatchWorkgroups(groups);
    pass.end();
    const begun = performance.now();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    return performance.now() - begun;
  };
  await once(1);
  let [one, three] = [Infinity, Infinity];
  for (let i = 0; i < 10; i++) [one, three] = [Math.min(one, await once(1)), Math.min(three, await once(3))];
  return (three - one) / 2;
}
