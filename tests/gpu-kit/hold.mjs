/** Keeps the GPU open until the process is ended. */

import { provideGpu } from './dawn.mjs';

const device = await (await provideGpu().requestAdapter()).requestDevice();
setInterval(() => device.queue.submit([]), 1000);
