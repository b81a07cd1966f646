/** Which device is taken, against adapters as browsers describe them. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseDevice } from '../../../www/engine/device.js';

/** @param {object | null} adapter */
const gpu = (adapter) => ({ requestAdapter: async () => adapter });
const real = { info: { vendor: 'nvidia', architecture: 'ampere', device: '', description: '' } };
const software = { info: { vendor: 'google', architecture: 'swiftshader', device: '', description: '' } };
const fallback = { info: { vendor: 'microsoft', architecture: '', isFallbackAdapter: true } };
const oldFallback = { isFallbackAdapter: true };

test('automatic takes a graphics processor', async () => {
  const choice = await chooseDevice('auto', gpu(real));
  assert.deepEqual(choice, { device: 'gpu', reason: 'adapter_found', adapter: 'nvidia ampere' });
});

test('automatic takes the CPU where there is no graphics processor, and says why', async () => {
  const reasons = [];
  for (const offered of [undefined, gpu(null), gpu(software), gpu(fallback), gpu(oldFallback)]) {
    const { device, reason } = await chooseDevice('auto', offered);
    assert.equal(device, 'cpu');
    reasons.push(reason);
  }
  const software3 = ['software_adapter', 'software_adapter', 'software_adapter'];
  assert.deepEqual(reasons, ['no_webgpu', 'no_adapter', ...software3]);
});

test('an adapter request that fails counts as no adapter', async () => {
  const broken = { requestAdapter: () => Promise.reject(new Error('no')) };
  assert.equal((await chooseDevice('auto', broken)).reason, 'no_adapter');
});

test('a person may insist', async () => {
  assert.equal((await chooseDevice('webgpu', gpu(software))).device, 'gpu');
  assert.equal((await chooseDevice('cpu', gpu(real))).device, 'cpu');
  for (const offered of [undefined, gpu(null)]) {
    await assert.rejects(chooseDevice('webgpu', offered), { code: 'no_webgpu' });
  }
});
