/**
 * What the page uses, every browser has that it is for, or the page looks first. `newer.mjs` names those browsers; what
 * is newer stands in `KNOWN`, with what a browser does without it.
 */

import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { newerInScript, newerInStyle, ownNames } from './newer.mjs';

const WWW = resolve(import.meta.dirname, '../../www');

/** By file: what is newer, without its versions, and how the page does without. @type {[RegExp, RegExp, string][]} */
const KNOWN = [
  [/^engine\/device\.js$/, /^GPU/, 'no WebGPU: the CPU'],
  [/^engine\/worker\.js$/, /^navigator\.gpu/, 'no WebGPU: the CPU'],
  [/^models\/imports\.js$/, /^Crypto\.subtle/, 'any number for the visit'],
  [/^engine\/verified-fetch\.js$/, /^crypto\.subtle/i, 'fetch compares by itself'],
  [/^intake\/pending-images\.js$/, /^caches/, 'caught: nothing is kept'],
  [/^offline\/service-worker\.js$/, /^(caches|crypto\.subtle)/, 'runs on encrypted pages alone'],
  [/^offline\/offline\.js$/, /^(navigator\.connection|NetworkInformation\.saveData)/, 'nothing is known of the connection'],
  [/^intake\/share-target\.js$/, /^(launchQueue|LaunchQueue\.)/, 'no other program hands files over'],
  [/^engine\/start-worker\.js$/, /^(trustedTypes|TrustedTypePolicyFactory\.)/, 'no policy asks for trusted addresses'],
  [/^models\/save-calibration\.js$/, /^FileSystemFileHandle\.createWritable/, 'a worker writes'],
  [/^export\/thumbnail\.js$/, /^(VideoFrame|AudioData\.)/, 'caught: the renderer draws the file itself'],
  // Looks, without which everything can be read and used.
  [/\.css$/, /^(text-wrap|text-autospace|forced-color-adjust|:has|:-(webkit|moz)-progress)/, 'plainer'],
  [/^export\/print\.css$/, /^(@page|break-after|orphans|widows|print-color-adjust|content-visibility|:details-content)/, 'plainer'],
  [/^result\/evidence-map-viewer\.css$/, /^user-select/, 'stands there with its prefix'],
];

/** @returns {Promise<{file: string, source: string}[]>} */
async function sources() {
  const files = (await readdir(WWW, { recursive: true })).filter((file) => /\.(js|css)$/.test(file));
  return Promise.all(files.map(async (file) => ({ file, source: await readFile(resolve(WWW, file), 'utf8') })));
}

test('the page uses nothing that its oldest browsers lack', async () => {
  const all = await sources();
  const scripts = all.filter(({ file }) => file.endsWith('.js'));
  const ours = new Set(scripts.flatMap(({ source }) => [...ownNames(source).members]));
  const met = new Set();
  const unknown = all.flatMap(({ file, source }) => {
    const found = file.endsWith('.js') ? newerInScript(source, ours) : newerInStyle(source);
    return found.flatMap(({ name, line }) => {
      const known = KNOWN.find(([where, what]) => where.test(file) && what.test(name));
      met.add(known);
      return known ? [] : [`www/${file}:${line}: ${name}`];
    });
  });
  assert.deepEqual(unknown, []);
  assert.deepEqual(KNOWN.filter((known) => !met.has(known)), [], 'no longer used');
});

test('what came later is found', () => {
  for (const [source, name] of [
    ['URL.parse?.(text)', 'URL.parse'],
    ['URL.canParse(text)', 'URL.canParse'],
    ['AbortSignal.any([a, b])', 'AbortSignal.any'],
    ['const { promise } = Promise.withResolvers()', 'Promise.withResolvers'],
    ['await Array.fromAsync(entries)', 'Array.fromAsync'],
    ['Object.groupBy(list, key)', 'Object.groupBy'],
    ['new Set(a).union(b)', '.union'],
    ['map.values().toArray()', '.toArray'],
    ['await response.bytes()', '.bytes'],
    ['Uint8Array.fromBase64(text)', 'Uint8Array.fromBase64'],
    ['bytes.toHex()', 'Uint8Array.toHex'],
    ['requestIdleCallback(task)', 'requestIdleCallback'],
    ['globalThis.requestIdleCallback(task)', 'requestIdleCallback'],
    ['navigator.connection.saveData', 'navigator.connection'],
    ['crypto.subtle.digest(name, bytes)', 'crypto.subtle'],
    ['Promise.try(task)', 'Promise.try'],
    ["element('div', { popover: '' })", '<div popover>'],
  ]) {
    const found = newerInScript(source);
    assert.ok(found.some((each) => each.name.includes(name)), `${source}: ${JSON.stringify(found)}`);
  }
  for (const source of ['{ using file = open(); }', "import list from './a.json' with { type: 'json' };", 'x = /[a--b]/v;']) {
    assert.throws(() => newerInScript(source), SyntaxError, source);
  }
  for (const [source, name] of [
    ['a { color: light-dark(red, blue); }', 'light-dark()'],
    ['a { text-wrap: pretty; }', 'text-wrap: pretty'],
    ['a:has(b) { color: red; }', ':has'],
    ['@starting-style { a { color: red; } }', '@starting-style'],
    ['a { field-sizing: content; }', 'field-sizing'],
  ]) {
    const found = newerInStyle(source);
    assert.ok(found.some((each) => each.name.startsWith(name)), `${source}: ${JSON.stringify(found)}`);
  }
});

test('what every browser has is not', () => {
  const script = `
    const own = { union: () => 1, bytes: 3 };
    structuredClone(own); signal.throwIfAborted(); list.at(-1); own.bytes; Promise.any([]); new URL(text);
    element('button', { type: 'button', title: '' });`;
  assert.deepEqual(newerInScript(`${script} own.union(2);`, ownNames(script).members), []);
  assert.deepEqual(newerInStyle('a:hover { color: red; inset: 0; } @media (min-width: 3em) { a::before { content: "has:"; } }'), []);
});
