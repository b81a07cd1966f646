#!/usr/bin/env node
/**
 * Compares the licences of all crates and npm packages with the list of licences that the project accepts. With
 * --notices it writes the licence texts that must accompany the page instead:
 *
 *   node scripts/licences.mjs [--notices FILE]
 *
 * @typedef {import('./dependencies.mjs').Dependency} Dependency
 */

import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import satisfies from 'spdx-satisfies';
import { dependencies, expressionOf } from './dependencies.mjs';
import { notices } from './notices.mjs';

/** Licences that require no more than passing on their texts. */
const ACCEPTED = [
  '0BSD',
  'Apache-2.0',
  'Apache-2.0 WITH LLVM-exception',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BSL-1.0',
  'CC0-1.0',
  'ISC',
  'MIT',
  'MIT-0',
  'Unicode-3.0',
  'Unlicense',
  'Zlib',
];
/** Also accepted for packages that are not passed on. */
const ACCEPTED_IN_TESTS = ['CC-BY-3.0', 'MPL-2.0'];
/** Accepted by name in what is passed on, with the reason. @type {Record<string, {licence: string, reason: string}>} */
const EXCEPTIONS = {
  buildid: { licence: 'MPL-2.0', reason: 'unmodified, part of cubecl; the notices name its source, as the MPL asks' },
  colored: { licence: 'MPL-2.0', reason: 'unmodified, part of cubecl; the notices name its source, as the MPL asks' },
};

/**
 * Problems with the licences, in sentences.
 * @param {Pick<Dependency, 'name' | 'version' | 'licence' | 'part'>[]} found
 * @returns {string[]}
 */
export function problemsOf(found) {
  return found.flatMap(({ name, version, licence, part }) => {
    const named = `${name} ${version}`;
    if (!licence) return [`${named} names no licence`];
    const exception = part === 'tests' ? undefined : EXCEPTIONS[name]?.licence;
    const accepted = [...ACCEPTED, ...(part === 'tests' ? ACCEPTED_IN_TESTS : []), ...(exception ? [exception] : [])];
    try {
      return satisfies(expressionOf(licence), accepted) ? [] : [`${named} has the licence ${licence}`];
    } catch {
      return [`${named} has the licence ${licence}, which is no SPDX expression`];
    }
  });
}

/** @param {Dependency[]} found */
function summary(found) {
  const count = (/** @type {string} */ part) => found.filter((dependency) => dependency.part === part).length;
  const excepted = found.filter(({ name, part }) => part !== 'tests' && name in EXCEPTIONS).map(({ name }) => name);
  return (
    `${count('module')} packages in what the page ships, ${count('program')} more in the program and what builds it, ` +
    `${count('tests')} more in tests; accepted by name: ${excepted.join(', ') || 'none'}`
  );
}

async function main() {
  const { values } = parseArgs({ options: { notices: { type: 'string' } } });
  const found = dependencies();
  if (values.notices) {
    await writeFile(values.notices, notices(found.filter(({ part }) => part === 'module')));
    return;
  }
  const problems = problemsOf(found);
  if (problems.length === 0) {
    console.log(`licences: ${summary(found)}`);
    return;
  }
  console.error('These are not among the licences that scripts/licences.mjs accepts:');
  for (const problem of problems) console.error(`  ${problem}`);
  process.exitCode = 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main().catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
