/**
 * The licence texts that must accompany what the page ships. Packages that may be used under Apache-2.0 are, so that
 * one text serves them all; the other packages' texts are copied from them, each once.
 *
 * @typedef {import('./dependencies.mjs').Dependency} Dependency
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import satisfies from 'spdx-satisfies';
import { expressionOf } from './dependencies.mjs';

const ROOT = resolve(import.meta.dirname, '..');
const LICENCE_FILE = /^(licen[cs]e|copying|unlicense)/i;
const NOTICE_FILE = /^notice/i;
const RULE = '-'.repeat(78);

/** Licences whose texts name no holder, so that any copy will do. */
const WITHOUT_HOLDER = ['MPL-2.0', 'BSL-1.0'];

const HEAD = `What this page and this package are made of, besides aedr itself
(aedr: MIT or Apache-2.0, https://spdx.org/licenses/).

The WebAssembly modules contain the Rust standard library (The Rust Project
contributors; used under Apache-2.0, below) and the packages that follow. The
fonts for the report's picture have their licence beside them, www/fonts/OFL.txt,
and the sample images in www/samples/samples.json.
`;

/** @param {Dependency[]} shipped @returns {string} */
export function notices(shipped) {
  const sorted = [...shipped].sort((a, b) => a.name.localeCompare(b.name, 'en'));
  const apache = sorted.filter(({ licence }) => mayBe(licence, 'Apache-2.0'));
  const others = sorted.filter((dependency) => !apache.includes(dependency));
  const apacheText = readFileSync(resolve(ROOT, 'LICENSE-APACHE'), 'utf8');
  const notes = apache.flatMap((dependency) => filesOf(dependency, NOTICE_FILE).map((text) => ({ dependency, text })));
  return [
    HEAD,
    part('Used under the Apache License 2.0:', apache, apacheText),
    ...notes.map(({ dependency, text }) => part('Its notice:', [dependency], text)),
    ...alike(others, sorted).map(([text, users]) => part('Used under:', users, text)),
  ].join('\n');
}

/** @param {string | null} licence @param {string} wanted */
const mayBe = (licence, wanted) => licence !== null && satisfies(expressionOf(licence), [wanted]);

/**
 * Licence texts, each with all packages that have it.
 * @param {Dependency[]} found @param {Dependency[]} all
 * @returns {[string, Dependency[]][]}
 */
function alike(found, all) {
  /** @type {Map<string, [string, Dependency[]]>} */
  const texts = new Map();
  for (const dependency of found) {
    for (const text of textsOf(dependency, all)) {
      const same = text.replace(/\s+/g, ' ').trim();
      const [first, users] = texts.get(same) ?? [text, []];
      texts.set(same, [first, [...users, dependency]]);
    }
  }
  return [...texts.values()];
}

/** @param {Dependency} dependency @param {Dependency[]} all Other packages that may have a text that this one lacks. */
function textsOf(dependency, all) {
  const own = filesOf(dependency, LICENCE_FILE);
  if (own.length > 0) return own;
  const { name, version, licence } = dependency;
  const lender = all.find((other) => other.licence === licence && filesOf(other, LICENCE_FILE).length > 0);
  if (lender && WITHOUT_HOLDER.includes(licence ?? '')) return filesOf(lender, LICENCE_FILE);
  if (licence === 'MIT' && dependency.authors.length > 0) return [mit(dependency.authors)];
  throw new Error(`${name} ${version} (${licence}) has no licence text that could go along with the page`);
}

/** @param {string[]} authors */
function mit(authors) {
  const text = readFileSync(resolve(ROOT, 'LICENSE-MIT'), 'utf8');
  return text.replace(/^Copyright.*$/m, `Copyright (c) ${authors.join(', ')}`);
}

/** @param {Dependency} dependency @param {RegExp} kind @returns {string[]} */
function filesOf({ folder }, kind) {
  if (!folder || !existsSync(folder)) return [];
  const names = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile() && kind.test(entry.name));
  return names.map(({ name }) => readFileSync(resolve(folder, name), 'utf8'));
}

/** @param {string} heading @param {Dependency[]} users @param {string} text */
function part(heading, users, text) {
  const line = (/** @type {Dependency} */ { name, version, licence, source }) =>
    `  ${name} ${version} (${licence})${source ? `, ${source}` : ''}`;
  return [RULE, heading, ...users.map(line), '', text.trim(), ''].join('\n');
}
