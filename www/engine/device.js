/**
 * Which device computes. A software adapter emulates a graphics processor on the CPU and is slower than
 * computing there directly, so it is used only when a person insists on WebGPU.
 *
 * @typedef {import('./types.js').DevicePreference} DevicePreference
 * @typedef {import('./types.js').DeviceReason} DeviceReason
 * @typedef {{device: 'gpu' | 'cpu', reason: DeviceReason, adapter: string}} DeviceChoice
 *   `adapter` is the adapter's name, which may be one that was not taken; '' if there is none.
 */

import { AedrError } from '../common/errors.js';

const ADVICE = 'Try again, with a smaller image or on the CPU.';
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|software|basic render/i;

/**
 * @param {DevicePreference} preference
 * @param {GPU | undefined} gpu `navigator.gpu`
 * @returns {Promise<DeviceChoice>}
 */
export async function chooseDevice(preference, gpu) {
  if (preference === 'cpu') return { device: 'cpu', reason: 'chosen', adapter: '' };
  const adapter = gpu ? await gpu.requestAdapter({ powerPreference: 'high-performance' }).catch(() => null) : null;
  if (!adapter) {
    if (preference === 'webgpu') {
      const lacking = gpu ? 'the browser found no graphics adapter' : 'this browser has no WebGPU';
      const reason = gpu ? 'no_adapter' : 'no_webgpu';
      throw new AedrError('no_webgpu', `no WebGPU device is available: ${lacking}`, '', { reason });
    }
    return { device: 'cpu', reason: gpu ? 'no_adapter' : 'no_webgpu', adapter: '' };
  }
  const name = adapterName(adapter);
  if (preference === 'webgpu') return { device: 'gpu', reason: 'chosen', adapter: name };
  if (isSoftware(adapter)) return { device: 'cpu', reason: 'software_adapter', adapter: name };
  return { device: 'gpu', reason: 'adapter_found', adapter: name };
}

/** @param {GPUAdapter} adapter */
function isSoftware(adapter) {
  const { info } = adapter;
  // Browsers moved the flag from the adapter to its info.
  if (info?.isFallbackAdapter || /** @type {any} */ (adapter).isFallbackAdapter) return true;
  return [info?.vendor, info?.architecture, info?.device, info?.description].some((text) => SOFTWARE.test(text ?? ''));
}

/** Browsers may reveal no more than "nvidia ampere". @param {GPUAdapter} adapter */
function adapterName({ info }) {
  if (info?.description) return info.description;
  return [info?.vendor, info?.architecture].filter(Boolean).join(' ');
}

/**
 * Watches the devices that this worker opens from now on. The module learns of their failures as well, but too late or
 * never, or it traps.
 * @param {(error: AedrError) => void} onFailure Called when a device can no longer be used.
 */
export function watchDevices(onFailure) {
  const adapters = globalThis.GPUAdapter?.prototype;
  if (!adapters) return;
  const { requestDevice } = adapters;
  adapters.requestDevice = async function (descriptor) {
    const device = await requestDevice.call(this, descriptor);
    device.lost.then(({ message }) => onFailure(lost(message)));
    device.addEventListener('uncapturederror', (event) => {
      event.stopImmediatePropagation();
      onFailure(failed(/** @type {GPUUncapturedErrorEvent} */ (event).error));
    });
    return device;
  };
}

/** @param {string} detail */
function lost(detail) {
  const message = 'the graphics processor was taken away: it was reset, or went to sleep with the device';
  return new AedrError('device_failed', message, ADVICE, { lost: true, detail });
}

/** @param {GPUError} error */
function failed({ constructor, message: detail }) {
  const full = constructor.name === 'GPUOutOfMemoryError';
  const why = full ? 'has no memory left for this image' : `refused: ${detail}`;
  return new AedrError('device_failed', `the graphics processor ${why}`, ADVICE, { full, detail });
}
