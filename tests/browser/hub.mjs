/**
 * A site that stands in for a hub of models: another origin, with ranges, redirects, and everything that goes wrong.
 * The first part of a path says how its file is given, `HOWS` what there is.
 */

import { createServer } from 'node:http';
import { listening } from './listening.mjs';

const CORS = { 'Access-Control-Allow-Origin': '*' };
const SLOW_PIECES = 40;
const SLOW_PAUSE_MS = 100;

/** @typedef {{method: string, path: string, range: string | null}} Seen */

/**
 * @param {Record<string, Buffer>} files By the last part of a path.
 * @returns {Promise<{origin: string, seen: Seen[], close: () => Promise<void>}>}
 */
export async function hub(files) {
  /** @type {Seen[]} */
  const seen = [];
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://hub');
    const [, how, name] = pathname.split('/');
    const range = request.headers.range ?? null;
    const before = seen.filter(({ path }) => path === pathname).length;
    seen.push({ method: request.method ?? '', path: pathname, range });
    const give = HOWS[how];
    if (give && files[name]) give({ response, bytes: files[name], range, before, name });
    else send(response, 404, {}, 'Not found');
  });
  return { ...(await listening(server)), seen };
}

/**
 * @typedef {{response: import('node:http').ServerResponse, bytes: Buffer, range: string | null, before: number,
 *   name: string}} Asked `before`: how often the path was asked for already.
 * @type {Record<string, (asked: Asked) => unknown>}
 */
const HOWS = {
  plain,
  redirect: ({ response, name }) => send(response, 302, { Location: `/plain/${name}` }),
  'no-cors': ({ response, bytes }) => response.writeHead(200).end(bytes),
  gated: ({ response }) => send(response, 401, {}, 'Sign in'),
  login: ({ response }) => send(response, 200, { 'Content-Type': 'text/html' }, '<!doctype html><title>Sign in</title>'),
  // Broken in the middle, once; then all is well.
  cut: (asked) => (asked.before === 0 ? half(asked, (response) => response.destroy()) : plain(asked)),
  // The same from a site that does not know ranges.
  'cut-whole': (asked) =>
    asked.before === 0 ? half(asked, (response) => response.destroy()) : plain({ ...asked, range: null }),
  // Never more than half of it.
  'cut-always': (asked) =>
    asked.range ? send(asked.response, 503, {}, 'Busy') : half(asked, (response) => response.destroy()),
  busy: (asked) => (asked.before === 0 ? half(asked, (response) => response.destroy()) : busy(asked)),
  // Open, and silent from the middle on, once.
  stall: (asked) => (asked.before === 0 ? half(asked, () => {}) : plain(asked)),
  slow,
};

/** @param {Asked} asked */
function plain({ response, bytes, range }) {
  const start = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
  if (range === null) return send(response, 200, { 'Content-Length': bytes.length }, bytes);
  if (start >= bytes.length) return send(response, 416);
  const rest = bytes.subarray(start);
  const contentRange = `bytes ${start}-${bytes.length - 1}/${bytes.length}`;
  return send(response, 206, { 'Content-Length': rest.length, 'Content-Range': contentRange }, rest);
}

/** @param {Asked} asked */
function busy(asked) {
  return asked.before === 1 ? send(asked.response, 503, {}, 'Busy') : plain(asked);
}

/** @param {Asked} asked @param {(response: import('node:http').ServerResponse) => void} then */
function half({ response, bytes }, then) {
  response.writeHead(200, { ...CORS, 'Content-Length': bytes.length });
  response.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => setTimeout(() => then(response), 200));
}

/** @param {Asked} asked */
async function slow({ response, bytes, range }) {
  const start = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
  response.writeHead(range ? 206 : 200, { ...CORS, 'Content-Length': bytes.length - start });
  const piece = Math.ceil(bytes.length / SLOW_PIECES);
  for (let at = start; at < bytes.length && !response.destroyed; at += piece) {
    response.write(bytes.subarray(at, at + piece));
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
