/**
 * A stand-in for a hub of models: another origin, with ranges, redirects, and everything that goes wrong. The first
 * part of a path is a key of `HOWS` and chooses how the file is sent.
 */

import { createServer } from 'node:http';
import { startServer } from './local-server.mjs';

const CORS = { 'Access-Control-Allow-Origin': '*' };
/** Headers that let pages of other sites read ranges and tags. */
const OPEN = { 'Access-Control-Expose-Headers': 'Content-Range, ETag, Retry-After, X-Error-Code' };
const SLOW_PIECES = 40;
const SLOW_PAUSE_MS = 100;
/** A file that is not in memory is generated in pieces of so many bytes. */
const MADE_BYTES = 2 ** 20;

/**
 * @typedef {{method: string, path: string, range: string | null, bytes: number, when: number}} Seen `bytes` of the file
 *   were given. `when`: in milliseconds.
 * @typedef {{length: number, subarray: (start: number, end: number) => Uint8Array}} Contents Those of a file that need not
 *   be in memory.
 */

/**
 * @param {Record<string, Contents>} files By the last part of a path.
 * @returns {Promise<{origin: string, seen: Seen[], close: () => Promise<void>}>}
 */
export async function modelSite(files) {
  /** @type {Seen[]} */
  const seen = [];
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://hub');
    const [, how, name] = pathname.split('/');
    const range = request.headers.range ?? null;
    const before = seen.filter(({ path }) => path === pathname).length;
    const entry = { method: request.method ?? '', path: pathname, range, bytes: 0, when: performance.now() };
    seen.push(entry);
    const give = HOWS[how];
    if (give && files[name]) give({ response, bytes: files[name], range, before, name, entry });
    else send(response, 404, {}, 'Not found');
  });
  return { ...(await startServer(server)), seen };
}

/**
 * @typedef {{response: import('node:http').ServerResponse, bytes: Contents, range: string | null, before: number,
 *   name: string, entry: Seen}} Asked `before`: how often the path was asked for already.
 * @type {Record<string, (asked: Asked) => unknown>}
 */
const HOWS = {
  plain: (asked) => plain(asked),
  // The same from a site whose headers pages may read, as the large hubs do.
  open: (asked) => plain(asked, { ...OPEN, ETag: '"1"' }),
  // From a site without support for ranges.
  whole: (asked) => plain({ ...asked, range: null }),
  redirect: ({ response, name }) => send(response, 302, { Location: `/plain/${name}` }),
  'no-cors': ({ response, bytes }) => response.writeHead(200).end(bytes.subarray(0, bytes.length)),
  gated: ({ response }) => send(response, 401, {}, 'Sign in'),
  'gated-hub': ({ response }) => send(response, 403, { ...OPEN, 'X-Error-Code': 'GatedRepo' }, 'Agree to the terms'),
  'absent-hub': ({ response }) => send(response, 401, { ...OPEN, 'X-Error-Code': 'RepoNotFound' }, 'No such repository'),
  forbidden: ({ response }) => send(response, 403, {}, 'Not from here'),
  login: ({ response }) => send(response, 200, { 'Content-Type': 'text/html' }, '<!doctype html><title>Sign in</title>'),
  // Breaks off in the middle, once; then it works.
  cut: (asked) => (asked.before === 0 ? half(asked) : plain(asked)),
  // The same from a site without support for ranges.
  'cut-whole': (asked) => (asked.before === 0 ? half(asked) : plain({ ...asked, range: null })),
  // Never sends more than half of it.
  'cut-always': (asked) => (asked.range ? send(asked.response, 503, {}, 'Busy') : half(asked)),
  busy: (asked) => (asked.before === 0 ? half(asked) : busy(asked)),
  // Asks to wait, as seconds or as a date in whole seconds; the second waits longer than anybody would.
  limited: (asked) => (asked.before === 0 ? half(asked) : limited(asked)),
  'limited-long': ({ response }) => send(response, 429, { ...OPEN, 'Retry-After': 3600 }, 'Too many requests'),
  // After a break, sends another part than was asked for, readable by the page or not.
  'other-start': (asked) => (asked.before === 0 ? half(asked) : otherPart(asked, OPEN)),
  'other-start-hidden': (asked) => (asked.before === 0 ? half(asked) : otherPart(asked, {})),
  // After a break, sends another file, with another length or tag.
  grown: (asked) => (asked.before === 0 ? half(asked) : plain(asked, OPEN, asked.before === 1 ? 4096 : 0)),
  changed: (asked) => changed(asked),
  // Redirects to an address that expires before the whole file was sent.
  expiring: ({ response, before, name }) => send(response, 302, { Location: `/signed-${Math.min(before, 2)}/${name}` }),
  'signed-0': (asked) => half(asked),
  'signed-1': ({ response }) => send(response, 403, {}, 'Expired'),
  'signed-2': (asked) => plain(asked),
  // Sends half of it, then nothing to anybody.
  'shut-later': (asked) => (asked.before === 0 ? half(asked) : send(asked.response, 403, {}, 'No more')),
  // Sends nothing more after the middle, once, without closing the connection.
  stall: (asked) => (asked.before === 0 ? half(asked, () => {}) : plain(asked)),
  slow,
};

/**
 * The part that was asked for.
 * @param {Asked} asked @param {import('node:http').OutgoingHttpHeaders} [headers] @param {number} [more] Bytes that the
 *   file is said to have besides its own.
 */
async function plain({ response, bytes, range, entry }, headers = {}, more = 0) {
  const total = bytes.length + more;
  if (range === null) {
    response.writeHead(200, { ...CORS, ...headers, 'Content-Length': bytes.length });
    return give(response, bytes, 0, bytes.length, entry);
  }
  const [start, last] = (/^bytes=(\d+)-(\d*)$/.exec(range)?.slice(1) ?? ['0', '']).map((digits) => digits && Number(digits));
  if (Number(start) >= bytes.length) return send(response, 416, { ...headers, 'Content-Range': `bytes */${total}` });
  const end = Math.min(bytes.length, last === '' ? Infinity : Number(last) + 1);
  return part({ response, bytes, entry }, Number(start), end, { ...headers, 'Content-Range': `bytes ${start}-${end - 1}/${total}` });
}

/**
 * @param {Pick<Asked, 'response' | 'bytes' | 'entry'>} asked @param {number} start @param {number} end
 * @param {import('node:http').OutgoingHttpHeaders} headers
 */
function part({ response, bytes, entry }, start, end, headers) {
  response.writeHead(206, { ...CORS, ...headers, 'Content-Length': end - start });
  return give(response, bytes, start, end, entry);
}

/** @param {import('node:http').ServerResponse} response @param {Contents} bytes @param {number} start @param {number} end @param {Seen} entry */
async function give(response, bytes, start, end, entry) {
  for (let at = start; at < end && !response.destroyed; at += MADE_BYTES) {
    const piece = bytes.subarray(at, Math.min(at + MADE_BYTES, end));
    entry.bytes += piece.length;
    if (!response.write(piece)) await drained(response);
  }
  response.end();
}

/** @param {import('node:http').ServerResponse} response @returns {Promise<void>} */
function drained(response) {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
}

/** @param {Asked} asked @param {import('node:http').OutgoingHttpHeaders} headers */
function otherPart(asked, headers) {
  if (asked.range === null) return plain(asked);
  const start = Number(/\d+/.exec(asked.range)?.[0]) + 1000;
  const { length } = asked.bytes;
  return part(asked, start, length, { ...headers, 'Content-Range': `bytes ${start}-${length - 1}/${length}` });
}

/** A file that is replaced during the download: the end of its first version is missing. @param {Asked} asked */
function changed(asked) {
  if (asked.before > 1) return plain(asked, { ...OPEN, ETag: '"2"' });
  const old = { ...asked, bytes: replaced(asked.bytes) };
  return asked.before === 0 ? plain(old, { ...OPEN, ETag: '"1"' }) : plain(asked, { ...OPEN, ETag: '"2"' });
}

/** The same header with other values. @param {Contents} bytes @returns {Contents} */
function replaced(bytes) {
  const all = Buffer.from(bytes.subarray(0, bytes.length));
  all.fill(0, 8 + Number(all.readBigUInt64LE(0)));
  return all;
}

/** @param {Asked} asked */
function busy(asked) {
  return asked.before === 1 ? send(asked.response, 503, {}, 'Busy') : plain(asked);
}

/** @param {Asked} asked */
function limited(asked) {
  if (asked.before > 2) return plain(asked);
  const after = asked.before === 1 ? 3 : new Date(Date.now() + 7000).toUTCString();
  return send(asked.response, asked.before === 1 ? 429 : 503, { ...OPEN, 'Retry-After': after }, 'Later');
}

/** @param {Asked} asked @param {(response: import('node:http').ServerResponse) => void} [then] */
function half({ response, bytes, entry }, then = (response) => response.destroy()) {
  response.writeHead(200, { ...CORS, 'Content-Length': bytes.length });
  entry.bytes = Math.floor(bytes.length / 2);
  response.write(bytes.subarray(0, entry.bytes), () => setTimeout(() => then(response), 200));
}

/** @param {Asked} asked */
async function slow({ response, bytes, range, entry }) {
  const [first = '0', last = ''] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '')?.slice(1) ?? [];
  const [start, end] = [Number(first), Math.min(bytes.length, last === '' ? Infinity : Number(last) + 1)];
  response.writeHead(range ? 206 : 200, { ...CORS, 'Content-Length': end - start });
  const piece = Math.ceil((end - start) / SLOW_PIECES);
  for (let at = start; at < end && !response.destroyed; at += piece) {
    const given = bytes.subarray(at, Math.min(at + piece, end));
    entry.bytes += given.length;
    response.write(given);
    await new Promise((done) => setTimeout(done, SLOW_PAUSE_MS));
  }
  response.end();
}

/**
 * @param {import('node:http').ServerResponse} response @param {number} status
 * @param {import('node:http').OutgoingHttpHeaders} [headers] @param {string | Buffer} [body]
 */
function send(response, status, headers = {}, body = '') {
  response.writeHead(status, { ...CORS, ...headers });
  response.end(body);
}
