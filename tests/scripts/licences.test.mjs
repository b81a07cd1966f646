/** The licence check and the notices, on made-up packages. */

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { problemsOf } from '../../scripts/licences.mjs';
import { notices } from '../../scripts/notices.mjs';

/** @typedef {import('../../scripts/dependencies.mjs').Dependency} Dependency */

/** @param {Partial<Dependency>} facts @returns {Dependency} */
const dependency = (facts) => ({
  name: 'made-up',
  version: '1.0.0',
  licence: 'MIT',
  part: 'module',
  folder: null,
  authors: [],
  source: null,
  ...facts,
});

/** @param {string | null} licence @param {Partial<Dependency>} [facts] */
const problems = (licence, facts) => problemsOf([dependency({ licence, ...facts })]);

test('accepted licences pass, alone and as one of a choice', () => {
  for (const licence of [
    'MIT',
    'MIT OR GPL-3.0-only',
    'MIT/Apache-2.0',
    '(MIT OR Apache-2.0) AND Unicode-3.0',
    'Apache-2.0 WITH LLVM-exception',
  ]) {
    assert.deepEqual(problems(licence), [], licence);
  }
});

test('other licences are told with their package', () => {
  for (const licence of [
    'GPL-3.0-only',
    'MIT AND GPL-3.0-only',
    'LGPL-2.1-or-later OR AGPL-3.0-only',
    'GPL-2.0-only WITH Classpath-exception-2.0',
    'MPL-2.0',
  ]) {
    assert.deepEqual(problems(licence), [`made-up 1.0.0 has the licence ${licence}`]);
  }
});

test('no licence, and what is no expression, fail', () => {
  assert.deepEqual(problems(null), ['made-up 1.0.0 names no licence']);
  assert.deepEqual(problems(''), ['made-up 1.0.0 names no licence']);
  for (const licence of ['SEE LICENSE IN FILE', 'UNLICENSED', 'MIT OR']) {
    assert.match(problems(licence).join(), /made-up 1\.0\.0 has the licence .*, which is no SPDX expression/);
  }
});

test('tests may use what is not passed on', () => {
  assert.deepEqual(problems('MPL-2.0', { part: 'tests' }), []);
  assert.equal(problems('MPL-2.0', { part: 'program' }).length, 1);
  assert.equal(problems('GPL-3.0-only', { part: 'tests' }).length, 1);
});

test('an exception is for one package and one licence', () => {
  assert.deepEqual(problems('MPL-2.0', { name: 'colored' }), []);
  assert.equal(problems('GPL-3.0-only', { name: 'colored' }).length, 1);
});

test('notices hold every text once, with all that it is for', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'aedr-notices-'));
  context.after(() => rm(folder, { recursive: true }));
  const made = async (/** @type {Partial<Dependency>} */ facts, /** @type {Record<string, string>} */ files = {}) => {
    const place = join(folder, String(facts.name));
    await mkdir(place);
    for (const [name, text] of Object.entries(files)) await writeFile(join(place, name), text);
    return dependency({ folder: place, ...facts });
  };
  const shared = 'Permission is granted to Ann\nand Bob.\n';
  const text = notices([
    await made({ name: 'first' }, { LICENSE: shared }),
    await made({ name: 'second' }, { 'LICENSE.md': shared.replace('\n', '  ') }),
    await made({ name: 'choice', licence: 'MIT OR Apache-2.0' }, { 'LICENSE-MIT': 'not needed', NOTICE: 'Noted.' }),
    await made({ name: 'without-file', authors: ['Carla'], source: 'https://example.org/source' }),
    await made({ name: 'lender', licence: 'MPL-2.0' }, { LICENSE: 'Mozilla' }),
    await made({ name: 'borrower', licence: 'MPL-2.0' }),
  ]);
  assert.equal(text.split('granted to Ann').length, 2);
  assert.match(text, /Used under:\n {2}first 1\.0\.0 \(MIT\)\n {2}second 1\.0\.0 \(MIT\)\n\nPermission/);
  assert.match(text, /Apache License 2\.0:\n {2}choice 1\.0\.0 \(MIT OR Apache-2\.0\)\n\n\s*Apache License/);
  assert.doesNotMatch(text, /not needed/);
  assert.match(text, /Its notice:\n {2}choice 1\.0\.0 .*\n\nNoted\./);
  assert.match(text, /without-file 1\.0\.0 \(MIT\), https:\/\/example\.org\/source\n\nMIT License\n/);
  assert.match(text, /\nCopyright \(c\) Carla\n/);
  assert.match(text, /borrower 1\.0\.0 \(MPL-2\.0\)\n {2}lender 1\.0\.0 \(MPL-2\.0\)\n\nMozilla/);
});

test('a package whose text is missing stops the notices', () => {
  assert.throws(() => notices([dependency({ licence: 'ISC' })]), /made-up 1\.0\.0 \(ISC\) has no licence text/);
});
