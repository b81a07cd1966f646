/**
 * The checkers that elements share: elements with the same program share one worker. It ends when the last of them has
 * left its page.
 *
 * @typedef {import('../public/index.js').Checker} Checker
 * @typedef {Pick<import('../public/index.js').CheckerOptions, 'workerSrc' | 'helperSrc' | 'wasmSrc' | 'device'>} Options
 * @typedef {{checker: Checker, users: Set<object>}} Shared
 */

import { createChecker } from '../public/checker.js';

/** @type {Map<string, Shared>} */
const all = new Map();

/**
 * Lends a checker to this user, until the user borrows another one or `releaseChecker` is called.
 * @param {Options} options @param {object} user @returns {Shared}
 */
export function borrowChecker(options, user) {
  const { workerSrc, helperSrc, wasmSrc, device } = options;
  const key = JSON.stringify([workerSrc, helperSrc, wasmSrc, device].map((value) => String(value ?? '')));
  const found = all.get(key);
  const shared = found ?? { checker: createChecker(options), users: new Set() };
  all.set(key, shared);
  shared.users.add(user);
  releaseChecker(user, key);
  return shared;
}

/** Returns what this user borrowed. @param {object} user @param {string} [kept] Except the one with this key. */
export function releaseChecker(user, kept) {
  for (const [key, { checker, users }] of all) {
    if (key === kept || !users.delete(user) || users.size > 0) continue;
    all.delete(key);
    checker.close();
  }
}
