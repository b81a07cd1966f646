/**
 * What a source file uses that the browsers of `OLDEST` do not have, or have on encrypted pages alone, by MDN's table of
 * what came when.
 *
 * Names are looked up, not types: `Interface.member` and `navigator.member` exactly; of any other `value.member` that no
 * object of our own has, whether there is any interface with such a member that those browsers have.
 *
 * @typedef {{name: string, line: number}} Found `name` as the table has it, with the versions it came with.
 */

import bcd from '@mdn/browser-compat-data' with { type: 'json' };
import { parse } from 'acorn';

/** The first Chrome with WebGPU, the long-lived Firefox before last, and the Safari of macOS 14 and iOS 17. */
export const OLDEST = { chrome: 113, firefox: 115, safari: 17 };
/** Syntax of those browsers; newer syntax is an error of its own. */
const SYNTAX = 2022;
/** Values that have an interface of the same name, but for its first letter. */
const INSTANCES = /** @type {Record<string, string>} */ ({
  caches: 'CacheStorage',
  crypto: 'Crypto',
  document: 'Document',
  history: 'History',
  location: 'Location',
  navigator: 'Navigator',
  performance: 'Performance',
  screen: 'Screen',
});
/** Ours have numbers of these names, or take parameters; bodies have methods without. */
const LENGTHS = ['bytes'];
const GLOBALS = ['globalThis', 'self', 'window', 'scope'];

const { api, css, html, javascript, webassembly } = /** @type {any} */ (bcd);
const { builtins } = javascript;

/** The versions that something came with where that is too late, '' where every page has it. @param {any} node */
function late(node) {
  const support = node?.__compat?.support;
  if (!support) return '';
  const missing = Object.entries(OLDEST).flatMap(([browser, oldest]) => {
    const since = [support[browser] ?? []]
      .flat()
      .filter(({ flags, prefix, alternative_name: other }) => !flags && !prefix && !other)
      .map(({ version_added: added }) => Number.parseFloat(String(added).replace('≤', '')))
      .filter((version) => !Number.isNaN(version));
    const first = Math.min(...since);
    return first <= oldest ? [] : [`${browser} ${first === Infinity ? '–' : first}`];
  });
  if (node.secure_context_required) missing.push('https');
  return missing.join(', ');
}

/** All members of interfaces and built-in objects, by name. @type {Map<string, {owner: string, node: any}[]>} */
const members = new Map();
const nested = [builtins.Intl, webassembly.api].flatMap(Object.entries);
for (const [owner, { __compat: _, ...all }] of [Object.entries(api), Object.entries(builtins), nested].flat()) {
  for (const [name, node] of Object.entries(/** @type {any} */ (all))) {
    if (/_(static|event|permission)$/.test(name) || name === owner) continue;
    members.set(name, [...(members.get(name) ?? []), { owner, node }]);
  }
}

/** Every node of a syntax tree, its parents first. @param {any} node @returns {Generator<any>} */
function* nodes(node) {
  if (Array.isArray(node)) for (const each of node) yield* nodes(each);
  else if (node && typeof node.type === 'string') {
    yield node;
    for (const [key, value] of Object.entries(node)) if (key !== 'loc' && typeof value === 'object') yield* nodes(value);
  }
}

/** @param {string} source */
const syntaxOf = (source) => parse(source, { ecmaVersion: SYNTAX, sourceType: 'module', locations: true });

/**
 * Names that a module's own objects and classes have, and its own variables.
 * @param {string} source
 */
export function ownNames(source) {
  const own = { members: /** @type {Set<string>} */ (new Set()), variables: /** @type {Set<string>} */ (new Set()) };
  for (const node of nodes(syntaxOf(source))) {
    if (['Property', 'MethodDefinition', 'PropertyDefinition'].includes(node.type)) own.members.add(node.key.name);
    const bound = node.type === 'Property' ? node.value : (node.id ?? node.local);
    if (bound?.type === 'Identifier') own.variables.add(bound.name);
    for (const parameter of node.params ?? []) if (parameter.name) own.variables.add(parameter.name);
  }
  return own;
}

/**
 * @param {string} source A module.
 * @param {Set<string>} [ours] Members that objects of our own have.
 * @returns {Found[]}
 */
export function newerInScript(source, ours = new Set()) {
  const { variables } = ownNames(source);
  /** @type {Found[]} */
  const found = [];
  const look = (/** @type {any} */ node, /** @type {string} */ name, /** @type {any} */ entry) => {
    const versions = late(entry);
    if (versions) found.push({ name: `${name} (${versions})`, line: node.loc.start.line });
  };
  const global = (/** @type {any} */ node, /** @type {string} */ name) =>
    look(node, name, api[name] ?? builtins[name] ?? api.Window[name] ?? api.WorkerGlobalScope[name]);
  for (const node of nodes(syntaxOf(source))) {
    if (node.type === 'NewExpression' && node.callee.type === 'Identifier' && !variables.has(node.callee.name)) {
      global(node, node.callee.name);
    }
    if (node.type === 'CallExpression' && node.callee.type === 'Identifier' && !variables.has(node.callee.name)) {
      global(node, node.callee.name);
      if (node.callee.name === 'element') for (const each of attributes(node)) look(node, ...each);
    }
    if (node.type !== 'MemberExpression' || node.computed) continue;
    const [name, of] = [node.property.name, node.object.type === 'Identifier' ? node.object.name : ''];
    const known = variables.has(of) ? '' : of;
    if (GLOBALS.includes(known)) global(node, name);
    else if (api[known] || INSTANCES[known] || builtins[known]) {
      global(node, known);
      const instance = api[INSTANCES[known]];
      look(node, `${known}.${name}`, instance?.[name] ?? api[known]?.[`${name}_static`] ?? builtins[known]?.[name]);
    } else if (!ours.has(name) || (LENGTHS.includes(name) && isBareCall(source, node))) {
      const every = members.get(name) ?? [];
      const first = every[0];
      if (first && every.every(({ node: entry }) => late(entry))) look(node, `${first.owner}.${name}`, first.node);
    }
  }
  return found;
}

/** `value.member()`. @param {string} source @param {any} node */
const isBareCall = (source, { end }) => /^\??\.?\(\s*\)/.test(source.slice(end));

/** The attributes that `dom.js` gives an element. @param {any} call @returns {[string, any][]} */
function attributes({ arguments: [tag, given] }) {
  const keys = (given?.properties ?? []).map((/** @type {any} */ { key }) => key?.name ?? key?.value).filter(Boolean);
  const of = html.elements[tag?.value] ?? {};
  return [
    [`<${tag?.value}>`, of],
    ...keys.map((/** @type {string} */ key) => [`<${tag?.value} ${key}>`, of[key] ?? html.global_attributes[key]]),
  ];
}

/** @param {string} source A style sheet. @returns {Found[]} */
export function newerInStyle(source) {
  /** @type {Found[]} */
  const found = [];
  const blank = source.replace(/\/\*[^]*?\*\/|"[^"\n]*"|'[^'\n]*'/g, (text) => text.replace(/[^\n]/g, ' '));
  const every = (/** @type {RegExp} */ pattern, /** @type {(...parts: string[]) => [string, any][]} */ entries) => {
    for (const match of blank.matchAll(pattern)) {
      const line = blank.slice(0, match.index).split('\n').length;
      for (const [name, entry] of entries(...match.slice(1))) {
        const versions = late(entry);
        if (versions) found.push({ name: `${name} (${versions})`, line });
      }
    }
  };
  every(/@([a-z-]+)/g, (name) => [[`@${name}`, css['at-rules'][name]]]);
  // In selectors only: what follows ends in a brace.
  every(/:{1,2}([a-z-]+)(?=[^;{}]*\{)/g, (name) => [[`:${name}`, css.selectors[name]]]);
  every(/(?<=[{;}]\s*)([a-z-]+)\s*:([^;{}]*)(?=[;}])/g, (property, value) => [
    [property, css.properties[property]],
    ...[...value.matchAll(/(?<![\w-])([a-z][a-z-]*)(?![\w-])/g)].map(
      ([, word]) => /** @type {[string, any]} */ ([`${property}: ${word}`, css.properties[property]?.[word]]),
    ),
    ...[...value.matchAll(/(?<![\w-])([a-z][a-z-]*)\(/g)].map(
      ([, name]) => /** @type {[string, any]} */ ([`${name}()`, css.types[name] ?? css.types.color?.[name]]),
    ),
  ]);
  return found;
}
