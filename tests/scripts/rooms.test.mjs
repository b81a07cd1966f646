/**
 * The rooms of `www/`: a module imports from its own room and from lower ones alone, from those only what stands at the
 * door, and no two modules import each other. What is imported for its types counts as well.
 */

import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';
import { parse } from 'acorn';

const ROOT = resolve(import.meta.dirname, '../..');
const WWW = join(ROOT, 'www');

/** Rooms, the lowest first, each with its doors: the modules that other rooms may import. */
const ROOMS = {
  common: ['abort-signals', 'address', 'errors', 'limits'],
  texts: ['catalogue', 'en', 'locale', 'messages', 'zh-Hans'],
  ui: ['dom', 'language', 'notice', 'outcome-glyph', 'save-file', 'settings', 'untrusted-text'],
  engine: [
    'channel',
    'check-request',
    'download',
    'integrity',
    'scheduler',
    'start-worker',
    'types',
    'verified-fetch',
    'wasm-module',
    'worker',
  ],
  intake: [
    'arrivals',
    'conversion',
    'file-intake',
    'image-address',
    'image-fetch',
    'link-form',
    'pending-images',
    'samples',
    'share-target',
    'types',
  ],
  models: ['dialog', 'model-list', 'types'],
  origin: ['claim-list', 'credential-marks', 'credentials', 'origin-section'],
  result: ['plot-geometry', 'result', 'stage'],
  export: ['export-placeholder'],
  batch: ['session', 'types'],
  offline: ['offline'],
  embed: [],
};
const ORDER = Object.keys(ROOMS);
/** What wires the rooms, above all of them. */
const APP = 'app.js';
const FILES = [APP, 'favicon.svg', 'manifest.webmanifest', 'report-1.schema.json', 'report-2.schema.json'];
/** What has no modules. */
const FOLDERS = ['fonts', 'icons', 'samples', 'styles'];
/** Is there once the page is assembled. */
const ASSEMBLED = /^(pkg|vendor)\/|^\.\.\//;

/** @typedef {Map<string, string>} Sources Texts of modules by their path in `www/`. */

/** @returns {Promise<Sources>} */
async function sources() {
  const files = (await readdir(WWW, { recursive: true })).map((path) => path.replaceAll('\\', '/'));
  const modules = files.filter((path) => /\.(js|d\.ts)$/.test(path)).sort();
  return new Map(await Promise.all(modules.map(async (path) => entry(path, await readFile(join(WWW, path), 'utf8')))));
}

/** @param {string} path @param {string} text @returns {[string, string]} */
const entry = (path, text) => [path, text];

/**
 * What a module names: imports, re-exports, `import()`, `new URL(…, import.meta.url)`, and `import('…')` in its types.
 * @param {string} path @param {string} source @returns {string[]} As it names them; `*` stands for what is put in.
 */
function namesIn(path, source) {
  /** @type {string[]} */
  const names = [];
  if (path.endsWith('.d.ts')) {
    for (const [, name] of source.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)) names.push(name);
    return names;
  }
  const ofType = (/** @type {string} */ text) => {
    for (const [, name] of text.matchAll(/import\(['"]([^'"]+)['"]\)/g)) names.push(name);
  };
  const onComment = (/** @type {boolean} */ _, /** @type {string} */ text) => ofType(text);
  walk(parse(source, { ecmaVersion: 'latest', sourceType: 'module', onComment }), (node) => {
    if (/^(Import|ExportNamed|ExportAll)Declaration$|^ImportExpression$/.test(node.type) && node.source) {
      names.push(textOf(node.source));
    }
    const [address, base] = node.type === 'NewExpression' && node.callee.name === 'URL' ? node.arguments : [];
    if (address && base?.object?.type === 'MetaProperty') names.push(textOf(address));
  });
  return names;
}

/** @param {any} node @param {(node: any) => void} visit */
function walk(node, visit) {
  if (Array.isArray(node)) for (const each of node) walk(each, visit);
  if (typeof node?.type !== 'string') return;
  visit(node);
  for (const child of Object.values(node)) if (typeof child === 'object') walk(child, visit);
}

/** @param {any} node */
function textOf({ value, quasis }) {
  return quasis ? quasis.map((/** @type {any} */ { value }) => value.cooked).join('*') : String(value ?? '*');
}

/**
 * The modules that each module imports.
 * @param {Sources} modules @returns {Map<string, string[]>} @throws {Error} If one is not there.
 */
function importsOf(modules) {
  const paths = [...modules.keys()];
  return new Map(
    [...modules].map(([path, source]) => {
      const found = namesIn(path, source)
        .filter((name) => /^\.{0,2}\//.test(name) && /\.js$/.test(name))
        .map((name) => relative('/', resolve('/', dirname(path), name)).replaceAll('\\', '/'))
        .filter((target) => !ASSEMBLED.test(target))
        .flatMap((target) => {
          const like = new RegExp(`^${target.replace(/[.]/g, '\\.').replaceAll('*', '[^/]+')}$`);
          const all = paths.filter((each) => like.test(each) && each !== path);
          const types = target.replace(/\.js$/, '.d.ts');
          if (target === path || types === path) return [];
          if (all.length === 0 && modules.has(types)) return [types];
          if (all.length === 0) throw new Error(`${path} imports ${target}, which is not there`);
          return all;
        });
      return [path, [...new Set(found)]];
    }),
  );
}

/** @param {string} path */
const roomOf = (path) => /** @type {keyof typeof ROOMS} */ (path.split('/')[0]);
/** @param {string} path */
const nameOf = (path) => path.slice(path.indexOf('/') + 1).replace(/\.(js|d\.ts)$/, '');

/** @param {Map<string, string[]>} imports @returns {string[]} */
function againstTheOrder(imports) {
  return edges(imports, (from, to) => from !== APP && ORDER.indexOf(roomOf(to)) > ORDER.indexOf(roomOf(from)));
}

/** @param {Map<string, string[]>} imports @returns {string[]} */
function besideTheDoor(imports) {
  return edges(imports, (from, to) => roomOf(from) !== roomOf(to) && !ROOMS[roomOf(to)]?.includes(nameOf(to)));
}

/** @param {Map<string, string[]>} imports @param {(from: string, to: string) => boolean} isWrong */
function edges(imports, isWrong) {
  return [...imports].flatMap(([from, all]) => all.filter((to) => isWrong(from, to)).map((to) => `${from} → ${to}`));
}

/** Circles, each once, from its first module in the alphabet. @param {Map<string, string[]>} imports */
function circles(imports) {
  /** @type {string[]} */
  const found = [];
  const done = new Set();
  const visit = (/** @type {string} */ path, /** @type {string[]} */ way) => {
    const at = way.indexOf(path);
    if (at >= 0) return void found.push([...way.slice(at), path].join(' → '));
    if (done.has(path)) return;
    for (const next of imports.get(path) ?? []) visit(next, [...way, path]);
    done.add(path);
  };
  for (const path of imports.keys()) visit(path, []);
  return found;
}

test('a module imports from its own room and from lower ones', async () => {
  assert.deepEqual(againstTheOrder(importsOf(await sources())), []);
});

test('a room is entered by its doors, and each door is used', async () => {
  const imports = importsOf(await sources());
  assert.deepEqual(besideTheDoor(imports), []);
  const used = new Set(edges(imports, (from, to) => roomOf(from) !== roomOf(to)).map((edge) => edge.split(' → ')[1]));
  const isUsed = (/** @type {string} */ door) => used.has(`${door}.js`) || used.has(`${door}.d.ts`);
  const doors = Object.entries(ROOMS).flatMap(([room, names]) => names.map((name) => `${room}/${name}`));
  assert.deepEqual(doors.filter((door) => !isUsed(door)), []);
});

test('no modules import each other in a circle', async () => {
  assert.deepEqual(circles(importsOf(await sources())), []);
});

test('everything stands in a room', async () => {
  const entries = await readdir(WWW, { withFileTypes: true });
  const strays = entries.filter((found) => !(found.isDirectory() ? [...ORDER, ...FOLDERS] : FILES).includes(found.name));
  assert.deepEqual(strays.map(({ name }) => name), []);
});

test('ARCHITECTURE.md lists the rooms in their order', async () => {
  const lines = (await readFile(join(ROOT, 'ARCHITECTURE.md'), 'utf8')).split('\n');
  const listed = lines.slice(lines.indexOf('www/')).map((line) => /^[|\s]*`?([\w-]+)\/`?(\s|$)/.exec(line)?.[1] ?? '');
  assert.deepEqual(listed.filter((name) => ORDER.includes(name)), ORDER);
});

test('what is wrong is found', () => {
  const wrong = (/** @type {Record<string, string>} */ modules) => {
    const imports = importsOf(new Map(Object.entries(modules)));
    return [againstTheOrder(imports), besideTheDoor(imports), circles(imports)].map((list) => list.join('; '));
  };
  const stage = { 'result/stage.js': '' };
  for (const text of [
    "import '../result/stage.js';",
    "export { show } from '../result/stage.js';",
    "const load = () => import('../result/stage.js');",
    "const worker = new Worker(new URL('../result/stage.js', import.meta.url));",
    "/** @type {import('../result/stage.js').Phase} */\nlet phase;",
    'const load = (name) => import(`../result/${name}.js`);',
  ]) {
    assert.deepEqual(wrong({ ...stage, 'ui/dom.js': text }), ['ui/dom.js → result/stage.js', '', ''], text);
    assert.deepEqual(wrong({ ...stage, 'app.js': text.replace('../', './') }), ['', '', ''], text);
  }
  assert.deepEqual(wrong({ 'result/plot.js': '', 'export/picture.js': "import '../result/plot.js';" }), [
    '',
    'export/picture.js → result/plot.js',
    '',
  ]);
  assert.deepEqual(wrong({ 'ui/a.js': "import './b.js';", 'ui/b.js': "import './c.js';", 'ui/c.js': "import './b.js';" }), [
    '',
    '',
    'ui/b.js → ui/c.js → ui/b.js',
  ]);
  assert.throws(() => wrong({ 'ui/a.js': "import './gone.js';" }), /ui\/gone\.js/);
});
