/** The audit with made-up tools: what they say, what it makes of it, and how it ends. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { test } from 'node:test';

const AUDIT = resolve(import.meta.dirname, '../../scripts/audit.mjs');

/** What a tool prints, and its exit code. @typedef {{output?: string, errors?: string, code?: number}} Saying */

const CLEAN = {
  npm: { output: JSON.stringify({ vulnerabilities: {}, metadata: { dependencies: { total: 21 } } }) },
  audit: { output: JSON.stringify({ lockfile: { 'dependency-count': 7 }, vulnerabilities: { list: [] } }) },
  package: { errors: '   Packaging made-up v0.1.0\n' },
};

/**
 * Runs the audit where `npm`, `cargo audit` and `cargo package` say what is given.
 * @param {import('node:test').TestContext} context @param {Record<string, Saying>} changed
 */
async function audit(context, changed) {
  const folder = await mkdtemp(join(tmpdir(), 'aedr-tools-'));
  context.after(() => rm(folder, { recursive: true }));
  const says = (/** @type {Saying} */ { output = '', errors = '', code = 0 }) =>
    `process.stdout.write(${JSON.stringify(output)});
     process.stderr.write(${JSON.stringify(errors)});
     process.exitCode = ${code};`;
  const { npm, ...commands } = { ...CLEAN, ...changed };
  const cargo = Object.entries(commands).map(
    ([name, saying]) => `if (process.argv[2] === '${name}') {${says(saying)}}`,
  );
  for (const [name, script] of [
    ['npm', says(npm)],
    ['cargo', cargo.join('\n')],
  ]) {
    await writeFile(join(folder, name), `#!${process.execPath}\n${script}\n`);
    await chmod(join(folder, name), 0o755);
  }
  const env = { ...process.env, PATH: folder + delimiter + process.env.PATH };
  const { status, stdout, stderr } = spawnSync(process.execPath, [AUDIT], { encoding: 'utf8', env });
  return { status, said: stdout + stderr };
}

test('nothing known against anything ends well', async (context) => {
  const { status, said } = await audit(context, {});
  assert.equal(status, 0);
  assert.match(said, /audited: npm packages, by npm audit: nothing against 21\n/);
  assert.match(said, /audited: crates, by cargo audit: nothing against 7\n/);
  assert.doesNotMatch(said, /NOT AUDITED|vulnerabilit/);
});

test('a known vulnerability of an npm package fails and is named', async (context) => {
  const via = [{ title: 'Runs what it is given', url: 'https://example.org/advisory' }, 'another-package'];
  const vulnerabilities = { 'made-up': { name: 'made-up', severity: 'high', range: '<2', via } };
  const output = JSON.stringify({ vulnerabilities, metadata: { dependencies: { total: 21 } } });
  const { status, said } = await audit(context, { npm: { output, code: 1 } });
  assert.equal(status, 1);
  assert.match(said, /VULNERABLE made-up <2 \(high\): Runs what it is given https:\/\/example\.org\/advisory\n/);
});

test('a known vulnerability of a crate fails and is named; one that was given up does not', async (context) => {
  const crate = { name: 'made-up', version: '1.2.3' };
  const warnings = { unmaintained: [{ kind: 'unmaintained', package: crate, advisory: null }] };
  const answer = (/** @type {any[]} */ list) => ({
    output: JSON.stringify({ lockfile: { 'dependency-count': 7 }, vulnerabilities: { list }, warnings }),
  });
  const kept = await audit(context, { audit: answer([]) });
  assert.equal(kept.status, 0);
  assert.match(kept.said, /by cargo audit: 1 of 7\n {2}made-up 1\.2\.3 unmaintained\n/);
  const advisory = { id: 'RUSTSEC-0000-0000', title: 'Reads too far' };
  const { status, said } = await audit(context, { audit: { ...answer([{ package: crate, advisory }]), code: 1 } });
  assert.equal(status, 1);
  assert.match(said, /VULNERABLE made-up 1\.2\.3 RUSTSEC-0000-0000: Reads too far\n/);
});

test('a crate that was withdrawn is named', async (context) => {
  const errors = 'warning: package `made-up v1.2.3` in Cargo.lock is yanked in registry `crates-io`, …\n';
  const { status, said } = await audit(context, { package: { errors } });
  assert.equal(status, 0);
  assert.match(said, /index: 1 of \d+\n {2}made-up v1\.2\.3: withdrawn\n/);
});

test('what could not be asked is said, and is no failure', async (context) => {
  const { status, said } = await audit(context, {
    npm: { output: JSON.stringify({ message: '405 Method Not Allowed', error: {} }), code: 1 },
    audit: { errors: 'error: no such command: `audit`\n', code: 101 },
    package: { errors: 'warning: slow\nerror: the index cannot be reached\n', code: 101 },
  });
  assert.equal(status, 0);
  assert.match(said, /NOT AUDITED: npm packages, by npm audit: 405 Method Not Allowed\n/);
  assert.match(said, /NOT AUDITED: crates, by cargo audit: cargo-audit is not installed/);
  assert.match(said, /NOT AUDITED: crates that were withdrawn, .*: error: the index cannot be reached\n/);
  assert.match(said, /\n4 of 5 audits could not be made; nothing is known by them\.\n/);
});

test('a tool that dies, or says what nobody understands, has audited nothing', async (context) => {
  const { status, said } = await audit(context, { npm: { output: '<html>' }, audit: { output: '{}', code: 1 } });
  assert.equal(status, 0);
  assert.match(said, /NOT AUDITED: npm packages, by npm audit: npm gave no answer that is understood\n/);
  assert.match(said, /NOT AUDITED: crates, by cargo audit: cargo gave no answer that is understood\n/);
});
