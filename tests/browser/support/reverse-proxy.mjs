/** A host for tests of offline use: it can be shut down and changed, and records requests. */

import { createServer, request as ask } from 'node:http';
import { startServer } from './local-server.mjs';

/**
 * Stands in front of a server, at one address.
 * @param {string} address Of what is behind it; `host.behind` may be set to another.
 */
export async function reverseProxy(address) {
  const host = {
    behind: address,
    /** The requests: paths, with the responses' status. @type {{path: string, status: number}[]} */
    asked: [],
    /** Answers that differ from those behind, by path: a status (0 for none ever), a page, a change of the bytes, or
     * whatever is done with the response.
     * @type {Map<string, number | string | ((bytes: Buffer) => Buffer) | {answer: (response: any) => void}>} */
    instead: new Map(),
  };
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const instead = host.instead.get(pathname.slice(1));
    const end = (/** @type {number} */ status, /** @type {any} */ headers, /** @type {string | Buffer} */ body) => {
      host.asked.push({ path: pathname.slice(1), status });
      response.writeHead(status, headers);
      response.end(body);
    };
    if (instead === 0) return;
    if (typeof instead === 'object') return instead.answer(response);
    if (typeof instead === 'number') return end(instead, {}, '');
    if (typeof instead === 'string') return end(200, { 'Content-Type': 'text/html' }, instead);
    // A changed file must not match the tag of the original.
    const headers = instead ? { ...request.headers, 'if-none-match': '' } : request.headers;
    const whereto = new URL(request.url ?? '/', host.behind);
    const onwards = ask(whereto, { method: request.method, headers }, async (answer) => {
      const parts = [];
      for await (const part of answer) parts.push(part);
      const body = Buffer.concat(parts);
      const status = answer.statusCode ?? 500;
      if (!instead) return end(status, answer.headers, body);
      const changed = instead(body);
      end(status, { ...answer.headers, 'content-length': changed.length }, changed);
    });
    onwards.on('error', () => response.destroy());
    request.pipe(onwards);
  });
  const { origin, close } = await startServer(server);
  return Object.assign(host, { address: `${origin}/`, close });
}
