#!/usr/bin/env node
/**
 * Looks up known vulnerabilities of the crates and npm packages in the lock files; reports what could not be looked up.
 *
 *   node scripts/audit.mjs
 *
 * Exit code 1: there is a known vulnerability. If a source cannot be asked (no network, a registry without advisories,
 * a tool that is not installed), the report says so, without a failure: a build must not depend on it.
 *
 * @typedef {{checked: number, vulnerabilities: string[], remarks: string[]} | {unasked: string}} Answer
 *   `remarks`: packages that were yanked or deprecated, which is no vulnerability.
 */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..');
const PATIENCE_MS = 180_000;

/** @type {[string, () => Answer][]} */
const AUDITS = [
  ['npm packages, by npm audit', () => npmAudit('.')],
  ['npm packages of the bench, by npm audit', () => npmAudit('tests/bench')],
  ['crates, by cargo audit', cargoAudit],
  ['crates that were withdrawn, by the registry’s index', withdrawnCrates],
  ['npm packages that were given up, by the lock files', deprecatedPackages],
];

let found = 0;
let unasked = 0;
for (const [what, audit] of AUDITS) {
  const answer = audit();
  if ('unasked' in answer) {
    unasked += 1;
    console.log(`NOT AUDITED: ${what}: ${answer.unasked}`);
    continue;
  }
  const { checked, vulnerabilities, remarks } = answer;
  found += vulnerabilities.length;
  const count = vulnerabilities.length + remarks.length;
  console.log(`audited: ${what}: ${count > 0 ? `${count} of ${checked}` : `nothing against ${checked}`}`);
  for (const line of vulnerabilities) console.log(`  VULNERABLE ${line}`);
  for (const line of remarks) console.log(`  ${line}`);
}
if (unasked > 0) console.log(`${unasked} of ${AUDITS.length} audits could not be made; nothing is known by them.`);
if (found > 0) {
  console.error(`${found} known vulnerabilities: please update what is named above.`);
  process.exitCode = 1;
}

/** @param {string} folder Of a lock file. @returns {Answer} */
function npmAudit(folder) {
  const options = ['audit', '--json', '--package-lock-only', '--fetch-retries=0', '--fetch-timeout=30000'];
  const { output, problem } = run('npm', options, folder);
  const answer = parsed(output);
  const counted = answer?.metadata?.dependencies?.total;
  if (!answer?.vulnerabilities || counted === undefined) return { unasked: answer?.message ?? problem };
  const vulnerabilities = Object.values(answer.vulnerabilities).map(({ name, severity, range, via }) => {
    const titles = via.map((/** @type {any} */ cause) => cause.title && `${cause.title} ${cause.url}`).filter(Boolean);
    return `${name} ${range} (${severity})${titles.length > 0 ? `: ${titles.join('; ')}` : ''}`;
  });
  return { checked: counted, vulnerabilities, remarks: [] };
}

/** @returns {Answer} */
function cargoAudit() {
  const { output, errors, problem } = run('cargo', ['audit', '--json'], '.');
  if (/no such command/.test(errors)) return { unasked: 'cargo-audit is not installed (cargo install cargo-audit)' };
  const answer = parsed(output);
  if (!answer?.vulnerabilities) return { unasked: problem };
  const line = (/** @type {any} */ { package: { name, version }, advisory, kind = '' }) =>
    [name, version, kind, advisory && `${advisory.id}: ${advisory.title}`].filter(Boolean).join(' ');
  return {
    checked: answer.lockfile['dependency-count'],
    vulnerabilities: answer.vulnerabilities.list.map(line),
    remarks: Object.values(answer.warnings ?? {}).flat().map(line),
  };
}

/** Cargo reports yanked crates when it packages a crate, and only then. @returns {Answer} */
function withdrawnCrates() {
  const folder = mkdtempSync(join(tmpdir(), 'aedr-audit-'));
  try {
    const options = ['package', '--workspace', '--no-verify', '--allow-dirty', '--target-dir', folder];
    const { errors, problem, succeeded } = run('cargo', options, '.');
    if (!succeeded) return { unasked: problem };
    const named = [...errors.matchAll(/package `([^`]+)` in Cargo\.lock is yanked/g)].map(([, name]) => name);
    const crates = readFileSync(resolve(ROOT, 'Cargo.lock'), 'utf8').split('[[package]]').length - 1;
    return { checked: crates, vulnerabilities: [], remarks: [...new Set(named)].map((name) => `${name}: withdrawn`) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** npm writes an author's deprecation message into the lock file. @returns {Answer} */
function deprecatedPackages() {
  const locks = ['package-lock.json', 'tests/bench/package-lock.json'];
  const packages = locks.flatMap((lock) => {
    const { packages } = JSON.parse(readFileSync(resolve(ROOT, lock), 'utf8'));
    return Object.entries(packages).filter(([path]) => path !== '');
  });
  const given = packages.filter(([, { deprecated }]) => deprecated);
  const remarks = given.map(([path, { version, deprecated }]) => `${path} ${version}: ${deprecated}`);
  return { checked: packages.length, vulnerabilities: [], remarks };
}

/** @param {string} program @param {string[]} options @param {string} folder */
function run(program, options, folder) {
  const limits = { timeout: PATIENCE_MS, maxBuffer: 2 ** 26 };
  const made = spawnSync(program, options, { cwd: resolve(ROOT, folder), encoding: 'utf8', ...limits });
  const errors = made.stderr ?? '';
  // The error may come first or last; warnings are not the cause.
  const complaint = errors.split('\n').find((line) => /^\s*(npm )?error/.test(line))?.trim();
  const problem = made.error?.message ?? complaint ?? `${program} gave no answer that is understood`;
  return { output: made.stdout ?? '', errors, problem, succeeded: made.status === 0 };
}

/** @param {string} text @returns {any} Null if it is no JSON. */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
