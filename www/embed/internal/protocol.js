/**
 * The messages between a frame and the page around it, and the one place that validates them before anything uses them.
 * Nothing here uses a document.
 *
 * The page around the frame sends `hello` to the frame's window with one end of a channel; all else goes over that
 * channel. Unknown fields are dropped, so that either side may be the newer one.
 *
 * @typedef {{version: number}} Hello
 * @typedef {{type: 'check', id: number, image: Blob, name?: string, deep?: boolean}} CheckRequest
 * @typedef {CheckRequest | {type: 'cancel', id: number} | {type: 'reset'}} Request
 * @typedef {{code: string, message: string, advice: string}} FrameError An error as it crosses.
 * @typedef {{type: 'ready', version: number, release: string, loaded: boolean}
 *   | {type: 'progress', id: number, stage: string, fraction?: number}
 *   | {type: 'result', id: number, record: Record<string, any>}
 *   | {type: 'error', id?: number, error: FrameError, versions?: number[]}
 *   | {type: 'resize', height: number}
 *   | {type: 'busy', busy: boolean}} FrameEvent An error without `id` is about the whole connection.
 * @typedef {{why: string, id?: number}} Misfit Why a message is invalid, and the id of its request.
 */

import { AedrError } from '../../common/errors.js';
import { MAX_FILE_BYTES } from '../../common/limits.js';

/** Versions of the protocol that this code supports, the newest last. */
export const VERSIONS = [1];

export const LIMITS = {
  imageBytes: MAX_FILE_BYTES,
  nameLength: 255,
  /** Checks without an answer, including the one that is running. */
  unanswered: 16,
  /** Messages at once, and then per second. */
  burst: 60,
  perSecond: 20,
  /** Height of a frame, in CSS pixels. */
  height: 20_000,
  /** Of texts that are shown or told. */
  textLength: 4000,
  /** Number of values in a report. */
  values: 100_000,
  depth: 40,
  reportLength: 8 * 1024 * 1024,
};

/** Stands for an invalid value; no value in a message can equal it. */
const MISFIT = Symbol('misfit');

/** @typedef {{what: string, read: (value: unknown) => unknown}} Kind `read` gives the value that is used, or MISFIT. */

/** @param {string} what @param {(value: any) => boolean} fits @returns {Kind} */
const kind = (what, fits) => ({ what, read: (value) => (fits(value) ? value : MISFIT) });
/** @param {Kind} one @returns {Kind} */
const optional = ({ what, read: inner }) => ({
  what,
  read: (value) => (value === undefined || value === null ? undefined : inner(value)),
});
/** @param {number} longest */
const text = (longest) =>
  kind(`a text of at most ${longest} characters`, (value) => typeof value === 'string' && value.length <= longest);

const number = kind('a whole number above 0', (value) => Number.isSafeInteger(value) && value > 0);
const flag = kind('true or false', (value) => typeof value === 'boolean');
const fraction = kind('a number from 0 to 1', (value) => typeof value === 'number' && value >= 0 && value <= 1);
const height = kind('a height', (value) => Number.isSafeInteger(value) && value > 0 && value <= LIMITS.height);
/** @type {Kind} */
const versions = {
  what: 'a list of numbers',
  read: (value) => {
    const list = plainCopy(value);
    return Array.isArray(list) && list.every((one) => number.read(one) !== MISFIT) ? list : MISFIT;
  },
};
const image = kind(
  `an image file (a Blob) of at most ${LIMITS.imageBytes / 1024 / 1024} MiB`,
  (value) => value instanceof Blob && isImageType(value.type) && value.size > 0 && value.size <= LIMITS.imageBytes,
);
/** @type {Kind} */
const frameError = {
  what: 'an error',
  read: (value) => {
    const found = fields({ code: text(100), message: text(LIMITS.textLength), advice: text(LIMITS.textLength) }, value);
    return 'value' in found ? found.value : MISFIT;
  },
};
/** @type {Kind} */
const record = {
  what: 'a report',
  read: (value) => {
    const copy = plainCopy(value);
    return copy !== MISFIT && copy?.format === 'aedr-report' ? copy : MISFIT;
  },
};

/** What may be asked of a frame. @type {Record<string, Record<string, Kind>>} */
const REQUESTS = {
  check: { id: number, image, name: optional(text(LIMITS.nameLength)), deep: optional(flag) },
  cancel: { id: number },
  reset: {},
};

/** What a frame tells. @type {Record<string, Record<string, Kind>>} */
const EVENTS = {
  ready: { version: number, release: text(100), loaded: flag },
  progress: { id: number, stage: text(100), fraction: optional(fraction) },
  result: { id: number, record },
  error: { id: optional(number), error: frameError, versions: optional(versions) },
  resize: { height },
  busy: { busy: flag },
};

/** Servers use all kinds of types for images; those of documents and scripts are refused. @param {string} type */
function isImageType(type) {
  return type === '' || type === 'application/octet-stream' || type.startsWith('image/');
}

/**
 * The first message. It arrives at the frame's window, where any other message may arrive as well.
 * @param {unknown} data @returns {Hello | null} Null if it is no `hello`; then nobody expects an answer.
 */
export function readHello(data) {
  try {
    if (own(data, 'aedr') !== 'frame') return null;
    const version = own(data, 'version');
    return number.read(version) === MISFIT ? null : { version };
  } catch {
    return null;
  }
}

/** @param {unknown} data @returns {{value: Request} | Misfit} */
export const readRequest = (data) => read(REQUESTS, data);

/** @param {unknown} data @returns {{value: FrameEvent} | Misfit} */
export const readEvent = (data) => read(EVENTS, data);

/**
 * Never throws, whatever `data` is, and returns a copy that contains only valid fields.
 * @param {Record<string, Record<string, Kind>>} kinds @param {unknown} data @returns {{value: any} | Misfit}
 */
function read(kinds, data) {
  try {
    const type = own(data, 'type');
    if (typeof type !== 'string' || !Object.hasOwn(kinds, type)) return { why: 'its type is not known' };
    const id = own(data, 'id');
    const found = fields(kinds[type], data);
    if ('value' in found) return { value: { type, ...found.value } };
    return number.read(id) === MISFIT ? found : { ...found, id };
  } catch {
    return { why: 'it cannot be read' };
  }
}

/** @param {Record<string, Kind>} kinds @param {unknown} data @returns {{value: Record<string, any>} | Misfit} */
function fields(kinds, data) {
  /** @type {Record<string, any>} */
  const value = {};
  for (const [name, { what, read: inner }] of Object.entries(kinds)) {
    const one = inner(own(data, name));
    if (one === MISFIT) return { why: `“${name}” is not ${what}` };
    if (one !== undefined) value[name] = one;
  }
  return { value };
}

/** The value of an own data property; a getter is not called. @param {any} data */
function own(data, /** @type {string} */ name) {
  if (typeof data !== 'object' || data === null) return undefined;
  return Object.getOwnPropertyDescriptor(data, name)?.value;
}

/**
 * A copy of data that JSON can express, within the limits.
 * @param {unknown} value @returns {any} MISFIT for anything else.
 */
function plainCopy(value) {
  let [values, length] = [0, 0];
  /** @param {any} one @param {number} depth @returns {any} */
  const copy = (one, depth) => {
    values += 1;
    if (typeof one === 'string') length += one.length;
    if (values > LIMITS.values || length > LIMITS.reportLength || depth > LIMITS.depth) return MISFIT;
    if (one === null || typeof one === 'string' || typeof one === 'boolean') return one;
    if (typeof one === 'number') return Number.isFinite(one) ? one : MISFIT;
    if (typeof one !== 'object') return MISFIT;
    if (Array.isArray(one)) {
      // A sparse array may claim a length that exceeds all memory.
      if (one.length > LIMITS.values) return MISFIT;
      const parts = Array.from({ length: one.length }, (_, index) => copy(own(one, String(index)), depth + 1));
      return parts.includes(MISFIT) ? MISFIT : parts;
    }
    const prototype = Object.getPrototypeOf(one);
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null) return MISFIT;
    return copyFields(one, depth);
  };
  /** @param {any} one @param {number} depth */
  const copyFields = (one, depth) => {
    /** @type {Record<string, any>} */
    const copied = {};
    for (const name of Object.keys(one)) {
      length += name.length;
      const part = name === '__proto__' ? MISFIT : copy(own(one, name), depth + 1);
      if (part === MISFIT) return MISFIT;
      copied[name] = part;
    }
    return copied;
  };
  return copy(value, 0);
}

/**
 * Whether a frame talks to pages of this origin.
 * @param {string} embedders Origins separated by spaces, as a host lists them. `*` allows all; an invalid one, nobody.
 * @param {string} origin As the browser reports it.
 */
export function allows(embedders, origin) {
  const listed = embedders.split(/\s+/).filter(Boolean);
  return listed.includes('*') || listed.some((entry) => originOf(entry) === origin);
}

/** @param {unknown} address @returns {string | null} Of an origin written out as one; of anything else null. */
export function originOf(address) {
  try {
    const { origin, protocol } = new URL(/** @type {string} */ (address));
    const alone = address === origin || address === `${origin}/`;
    return alone && /^https?:$/.test(protocol) ? origin : null;
  } catch {
    return null;
  }
}

/** Limits the rate of messages: some at once, then so many per second. */
export class Allowance {
  #left = LIMITS.burst;
  #then;

  /** @param {number} now In milliseconds. */
  constructor(now) {
    this.#then = now;
  }

  /** @param {number} now @returns {boolean} Whether one more may come. */
  spend(now) {
    const earned = (Math.max(0, now - this.#then) / 1000) * LIMITS.perSecond;
    this.#left = Math.min(LIMITS.burst, this.#left + earned);
    this.#then = now;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}

/** What goes wrong between the two. @type {Record<string, {message: (details: any) => string, advice: string}>} */
const PROBLEMS = {
  bad_message: {
    message: ({ why }) => `the frame does not understand a message: ${why}`,
    advice: 'Send messages as the description of the frame has them.',
  },
  unsupported_version: {
    message: ({ versions }) => `the frame speaks version ${versions.join(', ')} and was asked for another`,
    advice: 'Use the script that comes with this version of aedr.',
  },
  frame_busy: {
    message: ({ most }) => `${most} checks are waiting for the frame already`,
    advice: 'Wait until one is done.',
  },
  frame_flooded: {
    message: () => 'the frame got too many messages and hung up',
    advice: 'Connect again, and send fewer.',
  },
  frame_replaced: {
    message: () => 'the page around the frame connected once more',
    advice: 'Use the newer connection.',
  },
  frame_taken: {
    message: () => 'the reader is checking an image of their own in the frame',
    advice: 'Ask again when the frame is no longer busy.',
  },
  frame_silent: {
    message: ({ origin }) => `nothing at ${origin} answered as a frame of aedr does`,
    advice:
      'Look whether the frame shows embed.html of that origin, whether the host allows your site, and whether a ' +
      'sandbox attribute has allow-scripts and allow-same-origin.',
  },
  frame_sandboxed: {
    message: ({ missing }) => `the sandbox attribute of the frame lacks ${missing}`,
    advice: 'Add it; the host of the frame must be another origin than your page.',
  },
  frame_reloaded: {
    message: () => 'the frame was loaded anew before it had answered',
    advice: 'Ask again.',
  },
  frame_broken: {
    message: () => 'what the frame says makes no sense',
    advice: 'Look whether the frame shows what you think it does.',
  },
};

/** @param {string} code @param {Record<string, any>} [details] */
export function problem(code, details = {}) {
  const { message, advice } = PROBLEMS[code];
  return new AedrError(code, message(details), advice, details);
}
