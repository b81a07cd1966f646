/**
 * A stand-in for sites that hold images: another origin, some of whose files other pages may read. The first part of a
 * path chooses how it answers.
 */

import { createServer } from 'node:http';
import { startServer } from './local-server.mjs';

const CORS = { 'Access-Control-Allow-Origin': '*' };

/**
 * @param {Buffer} image What it gives.
 * @returns {Promise<{origin: string, seen: {path: string, headers: import('node:http').IncomingHttpHeaders}[],
 *   close: () => Promise<void>}>}
 */
export async function imageSite(image) {
  /** @type {{path: string, headers: import('node:http').IncomingHttpHeaders}[]} */
  const seen = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    seen.push({ path, headers: request.headers });
    const answer = HOWS[path.split('/')[1]];
    if (answer) answer(response, image);
    else response.writeHead(404, CORS).end('Not found');
  });
  return { ...(await startServer(server)), seen };
}

/** @type {Record<string, (response: import('node:http').ServerResponse, image: Buffer) => unknown>} */
const HOWS = {
  open: (response, image) => response.writeHead(200, { ...CORS, 'Content-Type': 'image/png' }).end(image),
  closed: (response, image) => response.writeHead(200, { 'Content-Type': 'image/png' }).end(image),
  gated: (response) => response.writeHead(401, CORS).end('Sign in'),
  denied: (response) => response.writeHead(403, CORS).end('Not from here'),
  page: (response) => response.writeHead(200, { ...CORS, 'Content-Type': 'text/html' }).end('<!doctype html><p>Hello'),
  // The type that some sites send for any file.
  'page-in-disguise': (response) =>
    response.writeHead(200, { ...CORS, 'Content-Type': 'image/png' }).end('\n<!-- Hello --> <HTML><p>Hello'),
  large: (response) =>
    response.writeHead(200, { ...CORS, 'Content-Length': 68_000_000 }).write(Buffer.alloc(1000), () => {}),
  endless,
  // Allows reading, then sends nothing more after half of the file.
  stall: (response, image) => {
    response.writeHead(200, { ...CORS, 'Content-Length': image.length });
    response.write(image.subarray(0, Math.floor(image.length / 2)));
  },
};

/** An endless response without a length. @param {import('node:http').ServerResponse} response */
async function endless(response) {
  response.writeHead(200, { ...CORS, 'Content-Type': 'image/png' });
  const piece = Buffer.alloc(2 ** 20);
  for (let sent = 0; sent < 200 && !response.destroyed; sent++) {
    if (!response.write(piece)) await new Promise((done) => setTimeout(done, 5));
  }
  response.end();
}
