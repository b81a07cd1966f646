/** Counts the bytes of the GPU buffers that exist in this page or worker. Call it before any device is made. */
export function watchBuffers() {
  const count = { now: 0, peak: 0 };
  if (!globalThis.GPUDevice) return count;
  const create = GPUDevice.prototype.createBuffer;
  const destroy = GPUBuffer.prototype.destroy;
  const alive = new WeakSet();
  GPUDevice.prototype.createBuffer = function (descriptor) {
    const buffer = create.call(this, descriptor);
    alive.add(buffer);
    count.now += buffer.size;
    count.peak = Math.max(count.peak, count.now);
    return buffer;
  };
  GPUBuffer.prototype.destroy = function () {
    if (alive.delete(this)) count.now -= this.size;
    return destroy.call(this);
  };
  return count;
}
