#!/usr/bin/env node
/** Packs the goldens that are networks with the native program, for tests that load packs: `pack-goldens.mjs FOLDER`. */

import { execFileSync } from 'node:child_process';
import { readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = resolve(import.meta.dirname, '..');
const GOLDENS = resolve(ROOT, 'tests/goldens');

/** @param {string} out @returns {Promise<string[]>} The names of the packs. */
export async function packGoldens(out) {
  const names = [];
  for (const { name } of (await readdir(GOLDENS, { withFileTypes: true })).filter((entry) => entry.isDirectory())) {
    const folder = join(GOLDENS, name);
    const files = await readdir(folder);
    if (!files.includes('golden.safetensors')) continue;
    const halves = ['--encoder', join(folder, 'encoder.pth'), '--decoder', join(folder, 'decoder.pth')];
    const input = files.includes('model.safetensors') ? [join(folder, 'model.safetensors')] : halves;
    const words = ['pack', ...input, '--precision', 'f32', '--out', join(out, name)];
    execFileSync(resolve(ROOT, 'target/release/aedr'), words, { stdio: ['ignore', 'ignore', 'inherit'] });
    names.push(name);
  }
  return names;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const out = process.argv[2];
  if (!out) throw new Error('usage: pack-goldens.mjs FOLDER');
  await rm(out, { recursive: true, force: true });
  await packGoldens(out);
}
