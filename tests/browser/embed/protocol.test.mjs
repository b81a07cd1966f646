/** What a frame and the page around it take from each other, whatever comes. No browser is needed. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  Allowance,
  allows,
  LIMITS,
  originOf,
  problem,
  readEvent,
  readHello,
  readRequest,
} from '../../../www/embed/internal/protocol.js';
import * as english from '../../../www/texts/en.js';
import * as chinese from '../../../www/texts/zh-Hans.js';

const image = new Blob(['image'], { type: 'image/png' });
const record = { format: 'aedr-report', ranking: { outcome: 'matches', groups: [{ reports: [0] }] }, none: null };
const error = { code: 'cancelled', message: 'cancelled', advice: '' };

/** @type {[(data: unknown) => any, any][]} */
const RIGHT = [
  [readRequest, { type: 'check', id: 1, image, name: 'a.png', deep: true }],
  [readRequest, { type: 'check', id: Number.MAX_SAFE_INTEGER, image: new Blob(['x']) }],
  [readRequest, { type: 'check', id: 3, image: new Blob(['x'], { type: 'application/octet-stream' }), name: '' }],
  [readRequest, { type: 'cancel', id: 2 }],
  [readRequest, { type: 'reset' }],
  [readEvent, { type: 'ready', version: 1, release: '', loaded: false }],
  [readEvent, { type: 'progress', id: 1, stage: 'losses', fraction: 1 }],
  [readEvent, { type: 'progress', id: 1, stage: 'losses' }],
  [readEvent, { type: 'result', id: 1, record }],
  [readEvent, { type: 'error', id: 1, error }],
  [readEvent, { type: 'error', error, versions: [1, 2] }],
  [readEvent, { type: 'resize', height: 300 }],
  [readEvent, { type: 'busy', busy: true }],
];

test('what is as it should be is taken, in a copy, and what is not known is left out', () => {
  for (const [read, message] of RIGHT) {
    const { value } = read({ ...message, later: 'version' });
    assert.deepEqual(value, message);
    assert.notEqual(value, message);
  }
  const given = { type: 'result', id: 1, record: structuredClone(record) };
  const { value } = /** @type {any} */ (readEvent(given));
  given.record.ranking.outcome = 'changed';
  assert.equal(value.record.ranking.outcome, 'matches');
  assert.deepEqual(readHello({ aedr: 'frame', version: 7, more: 1 }), { version: 7 });
});

test('what breaks a rule is named with the field, and with the request where that is known', () => {
  const long = 'x'.repeat(LIMITS.nameLength + 1);
  /** @type {[(data: unknown) => any, any, RegExp][]} */
  const wrong = [
    [readRequest, { type: 'check', id: 1, image, name: long }, /^“name” is not a text of at most 255 characters$/],
    [
      readRequest,
      { type: 'check', id: 1, image: 'image' },
      /“image”.+\b64\b/,
    ],
    [readRequest, { type: 'check', id: 1, image: new Blob(['<svg>'], { type: 'text/html' }) }, /“image”/],
    [readRequest, { type: 'check', id: 1, image: new Blob([]) }, /“image”/],
    [readRequest, { type: 'check', id: 1, image, deep: 1 }, /“deep”/],
    [readEvent, { type: 'progress', id: 1, stage: 'losses', fraction: 1.01 }, /“fraction”/],
    [readEvent, { type: 'progress', id: 1, stage: 'losses', fraction: NaN }, /“fraction”/],
    [readEvent, { type: 'result', id: 1, record: { ...record, format: 'other' } }, /“record”/],
    [readEvent, { type: 'result', id: 1, record: [record] }, /“record”/],
    [readEvent, { type: 'error', id: 1, error: { ...error, message: 5 } }, /“error”/],
  ];
  for (const [read, message, why] of wrong) {
    const found = read(message);
    assert.match(found.why, why);
    assert.equal(found.id, 1);
  }
  for (const height of [0, -1, 1.5, NaN, Infinity, LIMITS.height + 1, '300']) {
    assert.ok('why' in readEvent({ type: 'resize', height }), `${height}`);
  }
  for (const id of [0, -1, 1.5, NaN, 2 ** 53, '1', null, undefined, {}, 1n]) {
    assert.deepEqual(Object.keys(readRequest({ type: 'check', id, image })), ['why'], String(id));
  }
  for (const type of [
    undefined,
    5,
    'CHECK',
    '__proto__',
    'constructor',
    'toString',
    ['check'],
    { toString: () => 'check' },
  ]) {
    assert.ok('why' in readRequest({ type, id: 1, image }), String(type));
  }
});

test('tricks with prototypes, getters, proxies and cycles are no messages, and run nothing', () => {
  const ran = () => assert.fail('a getter was run');
  const getters = Object.defineProperties(
    {},
    { type: { get: ran, enumerable: true }, aedr: { get: ran, enumerable: true } },
  );
  const hostile = new Proxy(
    {},
    {
      getOwnPropertyDescriptor() {
        throw new Error('trap');
      },
      get: ran,
    },
  );
  const inherited = Object.create({ type: 'reset', aedr: 'frame', version: 1 });
  const inText = JSON.parse('{"__proto__": {"type": "reset", "aedr": "frame", "version": 1}}');
  for (const data of [getters, hostile, inherited, inText, new Map([['type', 'reset']]), () => {}, Symbol('reset')]) {
    assert.ok('why' in readRequest(data));
    assert.ok('why' in readEvent(data));
    assert.equal(readHello(data), null);
  }
  const cyclic = { ...structuredClone(record), self: /** @type {any} */ (null) };
  cyclic.self = cyclic;
  const wide = { ...record, list: Array(5000).fill(Array(5000).fill(1)) };
  const dense = { ...record, list: /** @type {any[]} */ (Array(1000).fill(0)) };
  dense.list.fill(dense.list);
  const deep = { ...record, inner: JSON.parse(`${'['.repeat(60)}${']'.repeat(60)}`) };
  const holes = { ...record, list: Object.assign([], { length: 4e9 }) };
  const proto = JSON.parse('{"format": "aedr-report", "__proto__": {"polluted": true}}');
  const long = { ...record, text: 'x'.repeat(LIMITS.reportLength + 1) };
  const other = [image, new Date(), new Uint8Array(4), new Map(), () => {}, 1n, undefined, NaN, Infinity, Symbol('x')];
  for (const found of [
    cyclic,
    wide,
    dense,
    deep,
    holes,
    proto,
    long,
    ...other.map((inner) => ({ ...record, inner })),
  ]) {
    assert.deepEqual(readEvent({ type: 'result', id: 4, record: found }), { why: '“record” is not a report', id: 4 });
  }
  assert.equal(/** @type {any} */ ({}).polluted, undefined);
});

/** Numbers that are the same at every run. @param {number} seed @returns {() => number} From 0 to 1. */
function random(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

test('of 30 000 messages at random none throws, and what is taken keeps the rules', () => {
  const draw = random(7);
  /** @template T @param {T[]} list @returns {T} */
  const pick = (list) => list[Math.floor(draw() * list.length)];
  const names = [
    'aedr',
    'type',
    'id',
    'image',
    'name',
    'deep',
    'version',
    'release',
    'loaded',
    'stage',
    'fraction',
    'record',
    'error',
    'versions',
    'height',
    'busy',
    '__proto__',
    'constructor',
    'code',
    'message',
    'advice',
    'format',
  ];
  const types = [
    'check',
    'cancel',
    'reset',
    'ready',
    'progress',
    'result',
    'error',
    'resize',
    'busy',
    'frame',
    'aedr-report',
  ];
  const plainValues = [
    0,
    1,
    2,
    -1,
    0.5,
    300,
    1e9,
    NaN,
    Infinity,
    2 ** 53,
    '',
    'a.png',
    'x'.repeat(256),
    'x'.repeat(5000),
    true,
    false,
    null,
    undefined,
    1n,
    image,
    new Blob([]),
    new Blob(['x'], { type: 'text/html' }),
    record,
    error,
    [],
    [1],
    new Date(),
  ];
  /** @param {number} depth @returns {any} */
  const anything = (depth) => {
    const kind = draw();
    if (kind < 0.25) return pick(types);
    if (kind < 0.75 || depth > 3) return pick(plainValues);
    if (kind < 0.8) return Array.from({ length: Math.floor(draw() * 4) }, () => anything(depth + 1));
    return object(depth + 1);
  };
  /** @param {number} depth */
  const object = (depth) => {
    const made = draw() < 0.1 ? Object.create(null) : {};
    const count = 1 + Math.floor(draw() * 6);
    for (let index = 0; index < count; index++) {
      const value = anything(depth);
      Object.defineProperty(made, pick(names), { value, enumerable: true, configurable: true, writable: true });
    }
    return made;
  };
  /** A right one with some fields that are something else. */
  const nearly = () => {
    const made = { ...pick(RIGHT)[1] };
    for (let changes = Math.floor(draw() * 3); changes > 0; changes--) made[pick(Object.keys(made))] = anything(1);
    return made;
  };
  let [taken, refused] = [0, 0];
  for (let round = 0; round < 30_000; round++) {
    const data = draw() < 0.5 ? nearly() : anything(0);
    for (const read of [readRequest, readEvent]) {
      const found = /** @type {any} */ (read(data));
      if ('value' in found) keepsRules(found.value);
      else assert.equal(typeof found.why, 'string');
      'value' in found ? taken++ : refused++;
    }
    const hello = readHello(data);
    assert.ok(hello === null || (Object.keys(hello).length === 1 && hello.version > 0));
  }
  assert.ok(taken > 3000 && refused > 10_000, `${taken} taken, ${refused} refused`);
});

/** The rules once more, written in another way. @param {any} message */
function keepsRules(message) {
  const allowed = {
    check: ['id', 'image', 'name', 'deep'],
    cancel: ['id'],
    reset: [],
    ready: ['version', 'release', 'loaded'],
    progress: ['id', 'stage', 'fraction'],
    result: ['id', 'record'],
    error: ['id', 'error', 'versions'],
    resize: ['height'],
    busy: ['busy'],
  }[/** @type {string} */ (message.type)];
  assert.ok(allowed, message.type);
  for (const key of Object.keys(message)) assert.ok(key === 'type' || allowed.includes(key), `${message.type}.${key}`);
  const { id, image: file, name, deep, stage, fraction, height, record: report, error: said } = message;
  if (allowed.includes('id') && message.type !== 'error') assert.ok(Number.isInteger(id) && id >= 1 && id < 2 ** 53);
  if (message.type === 'check') {
    assert.ok(file instanceof Blob && file.size >= 1 && file.size <= 64 * 2 ** 20 && !file.type.startsWith('text/'));
    assert.ok(name === undefined || (typeof name === 'string' && name.length <= 255));
    assert.ok(deep === undefined || deep === true || deep === false);
  }
  if (stage !== undefined) assert.ok(typeof stage === 'string' && stage.length <= 100);
  if (fraction !== undefined) assert.ok(fraction >= 0 && fraction <= 1);
  if (height !== undefined) assert.ok(height >= 1 && height <= 20_000);
  if (report !== undefined) assert.deepEqual(JSON.parse(JSON.stringify(report)), report);
  if (said !== undefined) assert.ok([said.code, said.message, said.advice].every((text) => typeof text === 'string'));
}

test('hosts list origins, and what is no origin lets nobody in', () => {
  const listed = 'https://news.example  http://localhost:8080/\n garbage https://path.example/page *.example null';
  /** @type {[string, string, boolean][]} */
  const cases = [
    ['*', 'https://anyone.example', true],
    ['*', 'null', true],
    ['', 'https://news.example', false],
    [listed, 'https://news.example', true],
    [listed, 'http://localhost:8080', true],
    [listed, 'http://news.example', false],
    [listed, 'https://news.example:444', false],
    [listed, 'https://news.example.attacker.example', false],
    [listed, 'https://path.example', false],
    [listed, 'https://a.example', false],
    [listed, 'null', false],
    ['**', 'https://news.example', false],
    ['null', 'null', false],
  ];
  for (const [embedders, origin, wanted] of cases)
    assert.equal(allows(embedders, origin), wanted, `${embedders}: ${origin}`);
  const origins = [
    'https://a.example',
    'https://a.example/',
    'https://a.example/x',
    'file:///',
    'data:,x',
    '*',
    '',
    5,
    null,
  ];
  assert.deepEqual(origins.map(originOf), ['https://a.example', 'https://a.example', ...Array(7).fill(null)]);
});

test('a burst of messages may come, then some in a second', () => {
  const allowance = new Allowance(1000);
  const spent = (/** @type {number} */ now) => {
    let count = 0;
    while (allowance.spend(now)) count += 1;
    return count;
  };
  assert.equal(spent(1000), LIMITS.burst);
  assert.equal(spent(1020), 0);
  assert.equal(spent(2020), LIMITS.perSecond);
  // A clock that is set back earns nothing, and rest earns no more than a burst.
  assert.equal(spent(1500), 0);
  assert.equal(spent(1e9), LIMITS.burst);
});

test('every problem has a headline in both languages, and its words in Chinese', () => {
  const codes = {
    bad_message: { why: 'why' },
    unsupported_version: { versions: [1, 2] },
    frame_busy: { most: 16 },
    frame_flooded: {},
    frame_replaced: {},
    frame_taken: {},
    frame_silent: { origin: 'https://a.example' },
    frame_sandboxed: { missing: 'allow-scripts' },
    frame_reloaded: {},
    frame_broken: {},
  };
  for (const [code, details] of Object.entries(codes)) {
    const made = problem(code, details);
    assert.ok(made.message && made.advice.endsWith('.'), code);
    assert.doesNotMatch(made.message, /undefined/);
    assert.ok(english.errors[code] && /\p{Script=Han}/u.test(chinese.errors[code]), code);
    assert.match(chinese.problems[code].message(details), /\p{Script=Han}/u);
    assert.doesNotMatch(chinese.problems[code].message(details), /undefined/);
  }
});
