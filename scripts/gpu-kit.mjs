#!/usr/bin/env node
/**
 * Gathers all that measures a GPU on a bare x86-64 Linux machine into `target/gpu-kit/`: `kit.tar.xz` (the native program,
 * Node with Dawn, the page's module, onnxruntime-web, goldens, the scripts of `tests/gpu-kit/`), a program that unpacks it,
 * and `run.sh`, which does. What it is made of must be built: `make gpu-kit`.
 */

import { execFileSync } from 'node:child_process';
import { chmod, copyFile, cp, mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { packGoldens } from './pack-goldens.mjs';

const ROOT = resolve(import.meta.dirname, '..');
const KIT = resolve(ROOT, 'target/gpu-kit');
const BENCH = resolve(ROOT, 'tests/bench');
const MODULES = resolve(BENCH, 'node_modules');
const PROGRAM = resolve(ROOT, 'target/release/aedr');
const MOST_BYTES = 60e6;
const LOADER = 'libvulkan.so.1';
const LIBRARIES = [
  ...[LOADER, 'libEGL.so.1', 'libGLdispatch.so.0', 'libGLX.so.0', 'libGL.so.1', 'libOpenGL.so.0', 'libGLESv2.so.2'],
  ...['libX11.so.6', 'libXext.so.6', 'libxcb.so.1', 'libXau.so.6', 'libXdmcp.so.6', 'libbsd.so.0', 'libmd.so.0'],
];
/** glibc's libraries, which every system has in its own version. */
const SYSTEM = /^(?:linux-vdso|ld-linux|libc|libm|libdl|libpthread|librt)\b/;

if (process.platform !== 'linux' || process.arch !== 'x64') throw new Error('the kit is made on x86-64 Linux, for the same');

const work = await mkdtemp(join(tmpdir(), 'aedr-kit-'));
try {
  await gather();
  await rm(KIT, { recursive: true, force: true });
  await mkdir(resolve(KIT, 'xz'), { recursive: true });
  execFileSync('tar', ['-c', '--owner=0', '--group=0', '--use-compress-program=xz -6 -T0', '-f', join(KIT, 'kit.tar.xz'), ...(await readdir(work))], {
    cwd: work,
  });
  await copyProgram(run('which', 'xz').trim(), resolve(KIT, 'xz'), resolve(KIT, 'xz'));
  await copyFile(resolve(ROOT, 'tests/gpu-kit/run.sh'), join(KIT, 'run.sh'));
} finally {
  await rm(work, { recursive: true, force: true });
}

let bytes = 0;
for (const entry of await readdir(KIT, { recursive: true, withFileTypes: true })) {
  if (entry.isFile()) bytes += (await stat(join(entry.parentPath ?? entry.path, entry.name))).size;
}
if (bytes > MOST_BYTES) throw new Error(`the kit has ${(bytes / 1e6).toFixed(1)} MB, more than ${MOST_BYTES / 1e6}`);
console.log(`target/gpu-kit/: ${(bytes / 1e6).toFixed(1)} MB; copy it to a machine with a GPU and start run.sh there`);

async function gather() {
  const scripts = await readdir(resolve(ROOT, 'tests/gpu-kit'));
  for (const script of scripts.filter((name) => name !== 'run.sh')) {
    await copyFile(resolve(ROOT, 'tests/gpu-kit', script), join(work, script));
  }
  for (const script of ['network.mjs', 'onnx.mjs', 'picture.js']) await copyFile(join(BENCH, script), join(work, script));
  for (const script of ['distance.js', 'safetensors.js', 'watch-buffers.js']) {
    await copyFile(resolve(ROOT, 'tests/browser/support', script), join(work, script));
  }

  await copyProgram(process.execPath, work, join(work, 'libraries'), 'node');
  await copyFile(PROGRAM, join(work, 'aedr'));
  await copyFile(join(MODULES, 'webgpu/dist/linux-x64/dawn.node'), join(work, 'dawn.node'));
  for (const binary of ['node', 'aedr', 'dawn.node']) stripped(join(work, binary));

  await mkdir(join(work, 'page'));
  for (const file of ['aedr.js', 'aedr_bg.wasm']) await copyFile(resolve(ROOT, 'target/web/package', file), join(work, 'page', file));
  await mkdir(join(work, 'onnxruntime'));
  for (const file of ['ort.webgpu.bundle.min.mjs', 'ort-wasm-simd-threaded.asyncify.wasm']) {
    await copyFile(join(MODULES, 'onnxruntime-web/dist', file), join(work, 'onnxruntime', file));
  }
  // Small networks with the numbers that diffusers and PyTorch give.
  for (const name of await packGoldens(join(work, 'packs'))) {
    for (const file of ['golden.safetensors', 'golden.json']) {
      await cp(resolve(ROOT, 'tests/goldens', name, file), join(work, 'goldens', name, file));
    }
  }
  await copyLoader();
}

/** Copies Vulkan's loader, and libraries that drivers load, for machines that have only a driver. */
async function copyLoader() {
  const installed = run('ldconfig', '-p');
  for (const name of LIBRARIES) {
    const file = new RegExp(`^\\s*${name.replaceAll('.', '\\.')} .*=> (.*)`, 'm').exec(installed)?.[1];
    if (file) await copyFile(file, join(work, 'libraries', name));
    else if (name === LOADER) throw new Error(`${name} is missing: run scripts/setup.sh test`);
    else console.log(`${name} is not here, so the kit goes without it`);
  }
}

/** Copies a program with the libraries that it needs besides glibc. */
async function copyProgram(/** @type {string} */ program, /** @type {string} */ folder, /** @type {string} */ libraries, name = basename(program)) {
  await mkdir(libraries, { recursive: true });
  await copyFile(program, join(folder, name));
  await chmod(join(folder, name), 0o755);
  for (const [, library] of run('ldd', program).matchAll(/=> (\/\S+)/g)) {
    if (!SYSTEM.test(basename(library))) await copyFile(library, join(libraries, basename(library)));
  }
}

/** Removes symbols, if the system has a tool for that. */
function stripped(/** @type {string} */ binary) {
  try {
    run('strip', binary);
  } catch {
    // It works with symbols, too.
  }
}

/** @returns {string} What a program prints. */
function run(/** @type {string} */ program, /** @type {string[]} */ ...words) {
  // Debian keeps `ldconfig` in a folder that only root has in its PATH.
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
  return execFileSync(program, words, { encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'pipe'] });
}
