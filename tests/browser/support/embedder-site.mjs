/** Sites whose pages embed frames: their origins differ from the frame's. */

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { resolve } from 'node:path';
import { DIST } from './browser.mjs';
import { startServer } from './local-server.mjs';

const ISOLATION = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

/**
 * A site that generates its pages from their addresses: `/?body=…` is a page with that body; with `&isolated` it shows
 * only frames that allow it. Scripts of the built page are under `/www/`, as a site has them from the package.
 * @returns {Promise<{origin: string, page: (body: string) => string, close: () => Promise<void>}>}
 */
export async function embedderSite() {
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    if (!pathname.startsWith('/www/')) {
      const body = `<!doctype html><title>A site</title>${searchParams.get('body') ?? ''}`;
      const headers = { 'Content-Type': 'text/html; charset=utf-8', ...(searchParams.has('isolated') && ISOLATION) };
      return response.writeHead(200, headers).end(body);
    }
    try {
      const script = await readFile(resolve(DIST, pathname.slice(1)));
      response.writeHead(200, { 'Content-Type': 'text/javascript' }).end(script);
    } catch {
      response.writeHead(404).end();
    }
  });
  const { origin, close } = await startServer(server);
  return { origin, page: (body) => `${origin}/?body=${encodeURIComponent(body)}`, close };
}
