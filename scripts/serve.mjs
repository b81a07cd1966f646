#!/usr/bin/env node
/**
 * Serves a built page on this machine, with the headers that a host should send.
 *
 *   node scripts/serve.mjs [--directory dist] [--port 8080]
 *
 * If the port is taken, a free one is used; the address that is printed is the one that works.
 */

import { createServer } from 'node:http';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import sirv from 'sirv';

const HOST = '127.0.0.1';

/** The policy in index.html, repeated as a header because a worker's own policy comes from headers alone. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "connect-src 'self'",
  "worker-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The worker that adds models from other sites, and never sees an image. */
const IMPORT_WORKER = '/www/models/import-worker.js';
/** The worker that fetches an image by its link, and never sees one that came in any other way. */
const LINK_WORKER = '/www/intake/link-worker.js';
/** The one page that other sites may show in a frame. */
const FRAME = '/embed.html';
/** Sources from which images may be fetched: sites with https, and this machine. */
const LINK_SITES = 'https: http://localhost:* http://127.0.0.1:*';

/** With these two headers, workers may share memory, and the CPU computes on several threads. */
const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

const HEADERS = {
  'Content-Security-Policy': CONTENT_SECURITY_POLICY,
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

/**
 * Serves one or more folders; with several, a file comes from the first folder that has it.
 * @param {{directories: string[], port?: number, isolated?: boolean, importFrom?: string, linksFrom?: string,
 *   embedders?: string, headers?: (path: string) => Record<string, string>}} options
 *   Port 0 takes a free one. `importFrom`: where models may be fetched from. `linksFrom`: where images may.
 *   `embedders`: which sites may show the frame. `headers`: additional or different headers for a path.
 * @returns {Promise<{address: string, close: () => Promise<void>}>}
 */
export async function serve(options) {
  const { directories, port = 0, isolated = true, importFrom = 'https:', linksFrom = LINK_SITES, embedders = '*' } = options;
  const general = isolated ? { ...HEADERS, ...ISOLATION } : HEADERS;
  const policies = {
    // The two scripts that may connect to other sites.
    [IMPORT_WORKER]: policyWith('connect-src', `'self' ${importFrom}`),
    [LINK_WORKER]: policyWith('connect-src', linksFrom),
    [FRAME]: policyWith('frame-ancestors', embedders),
  };
  // `dev` reads the folder at each request, so a rebuild shows without a restart.
  const folders = directories.map((directory) => sirv(directory, { dev: true, etag: true }));
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const headers = { ...general, ...options.headers?.(pathname) };
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    const policy = policies[pathname];
    if (policy) response.setHeader('Content-Security-Policy', policy);
    // Isolated pages show no frame without this header.
    if (pathname === FRAME) response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
    const attempt = (/** @type {number} */ index) => {
      const folder = folders[index];
      if (folder) return folder(request, response, () => attempt(index + 1));
      response.writeHead(404, { 'Content-Type': 'text/plain;charset=utf-8' });
      response.end('Not found\n');
    };
    attempt(0);
  });
  try {
    await listen(server, port);
  } catch (error) {
    if (error.code !== 'EADDRINUSE') throw error;
    await listen(server, 0);
  }
  return {
    address: `http://${HOST}:${server.address().port}/`,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

/** The policy with other sources for one directive. @param {string} directive @param {string} sources */
function policyWith(directive, sources) {
  return CONTENT_SECURITY_POLICY.replace(new RegExp(`${directive} [^;]+`), () => `${directive} ${sources}`);
}

/** @param {import('node:http').Server} server @param {number} port */
function listen(server, port) {
  return new Promise((done, failed) => {
    server.once('error', failed);
    server.listen(port, HOST, () => {
      server.off('error', failed);
      done();
    });
  });
}

async function main() {
  const { values } = parseArgs({
    options: {
      directory: { type: 'string', default: 'dist' },
      port: { type: 'string', default: '8080' },
    },
  });
  const directory = resolve(values.directory);
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65535) throw new Error(`--port ${values.port} is no port`);
  if (!existsSync(resolve(directory, 'index.html'))) {
    throw new Error(`${directory} has no index.html; build the page first`);
  }
  const { address } = await serve({ directories: [directory], port });
  console.log(`aedr is at ${address}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main().catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
