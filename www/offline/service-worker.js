/**
 * Keeps the page on the device, so that it opens and checks without a connection. It serves the files of one release,
 * and nothing but those files: a page never gets a script or a module of another release. Images that other programs
 * share with the page arrive here, too. This file is in the page's folder; `offline.js` talks to it.
 *
 * @typedef {import('./offline.js').State} State
 */

/**
 * The files by path: how many bytes, their sha256, and 1 if they are kept only once they are used.
 * `scripts/offline-list.mjs` writes this line.
 * @type {{version: string, files: Record<string, [number, string, 0 | 1]>}}
 */
const RELEASE = { version: '', files: {} };

const worker = /** @type {any} */ (self);
const FOLDER = new URL('./', worker.location.href);
/** The name includes the folder, because other copies of the page may be in other folders of the same site. */
const FILES = `aedr-files ${FOLDER.pathname}`;
/** As in `intake/pending-images.js`. */
const PENDING = `aedr-stash ${FOLDER.pathname}`;
const PENDING_KEY = new URL('stash', FOLDER).href;
const SENDER = 'Aedr-Sender';
/** Marks that a release was kept as a whole, so that the next one will be as well. */
const WHOLE = new URL('?whole', FOLDER).href;
const SHARE = new URL('share', FOLDER).href;
const PAGE = 'index.html';
/** The page's addresses, with any query. */
const PAGES = [FOLDER.href, new URL(PAGE, FOLDER).href];

const files = new Map(Object.entries(RELEASE.files));
const paths = new Map([...files.keys()].map((path) => [addressOf(path), path]));
/** Whether even the page of this release is gone, and the server has another release. */
let lost = false;

worker.addEventListener('install', (/** @type {any} */ event) => event.waitUntil(install()));
worker.addEventListener('activate', (/** @type {any} */ event) => event.waitUntil(removeOthers()));
worker.addEventListener('fetch', (/** @type {any} */ event) => {
  const answer = answerTo(event.request);
  if (answer) event.respondWith(answer);
});
worker.addEventListener('message', (/** @type {any} */ event) => {
  const reply = replies[event.data?.ask];
  if (reply) event.waitUntil(reply(event).catch(() => null).then((value) => event.ports[0]?.postMessage(value)));
});

/** What `offline.js` asks. @type {Record<string, (event: any) => Promise<any>>} */
const replies = {
  /** @returns {Promise<State>} */
  async state() {
    const cache = await caches.open(FILES);
    const kept = new Set((await cache.keys()).map(({ url }) => url));
    const missing = [...files].filter(([path]) => !kept.has(keyOf(path))).map(([path, [bytes]]) => ({ path, bytes }));
    if (missing.length === 0) await cache.put(WHOLE, new Response());
    return { version: RELEASE.version, missing };
  },
  /** Takes control of open pages of this release: those of the first visit. */
  async serve({ data }) {
    const serves = data.version === RELEASE.version;
    if (serves) await worker.clients.claim();
    return { serves };
  },
  /** Takes over from the release before, unless that would change it under another open page. */
  async takeOver({ source }) {
    const pages = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true });
    const others = pages.some((/** @type {any} */ { id, url }) => id !== source.id && url.startsWith(FOLDER.href));
    if (!others) await worker.skipWaiting();
    return { others };
  },
};

async function install() {
  const cache = await caches.open(FILES);
  const whole = await cache.match(WHOLE);
  const group = (/** @type {number} */ late) => [...files.keys()].filter((path) => files.get(path)?.[2] === late);
  await Promise.all(group(0).map(fetchAndKeep));
  // A file that fails now is fetched when it is used; the release works without it.
  if (whole) await Promise.allSettled(group(1).map(fetchAndKeep));
}

async function removeOthers() {
  const cache = await caches.open(FILES);
  const ours = new Set([WHOLE, ...[...files.keys()].map(keyOf)]);
  for (const request of await cache.keys()) if (!ours.has(request.url)) await cache.delete(request);
}

/** @param {Request} request @returns {Promise<Response> | null} Null leaves it to the browser. */
function answerTo(request) {
  if (!request.url.startsWith(FOLDER.href)) return null;
  const { origin, pathname, search } = new URL(request.url);
  const address = origin + pathname;
  if (request.method === 'POST' && address === SHARE) return isShare(request) ? receive(request) : null;
  if (request.method !== 'GET' || request.headers.has('range') || lost) return null;
  if (request.mode === 'navigate' && PAGES.includes(address)) return files.has(PAGE) ? openPage(request) : null;
  const path = search === '' ? paths.get(address) : undefined;
  return path === undefined ? null : kept(path).then((response) => response ?? download(path));
}

/** @param {Request} request Of a navigation. */
async function openPage(request) {
  const page = await kept(PAGE);
  if (page) return page;
  const response = await fetch(request);
  const bytes = await response.clone().arrayBuffer();
  if (response.ok && !(await isOurs(PAGE, bytes))) {
    // The browser deleted what was kept here. This worker must not serve files of the server's release as its own.
    lost = true;
    await worker.registration.unregister();
  }
  return response;
}

/** Other programs share by opening the page, and not in a frame. @param {Request} request */
function isShare({ mode, destination }) {
  return mode === 'navigate' && destination === 'document';
}

/**
 * Stores what another program shares for the page, unchanged. Any site can send the same, and nothing that a service
 * worker sees tells a share from a form of a site that hides its origin; so the page asks first.
 * @param {Request} request
 */
async function receive(request) {
  try {
    const cache = await caches.open(PENDING);
    await cache.delete(PENDING_KEY);
    const headers = {
      'Content-Type': request.headers.get('Content-Type') ?? '',
      Date: new Date().toUTCString(),
      [SENDER]: request.headers.get('Origin') ?? 'null',
    };
    await cache.put(PENDING_KEY, new Response(await request.blob(), { headers }));
  } catch {
    // There may be no room. The page finds nothing and says so.
  }
  return Response.redirect(new URL('?shared', FOLDER).href, 303);
}

/** @param {string} path */
async function kept(path) {
  const cache = await caches.open(FILES).catch(() => null);
  return cache?.match(keyOf(path), { ignoreVary: true });
}

/** @param {string} path */
async function fetchAndKeep(path) {
  if (await kept(path)) return;
  const response = await download(path, true);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  await response.arrayBuffer();
}

/**
 * Fetches a file from the server. A reader gets its last part only after the whole file proved to be this release's,
 * and after it was stored.
 * @param {string} path @param {boolean} [must] Whether to fail if it cannot be kept.
 * @returns {Promise<Response>}
 */
async function download(path, must = false) {
  const response = await fetch(addressOf(path), { cache: 'no-cache' });
  if (!response.ok || !response.body) return response;
  const headers = headersOf(response, path);
  /** @type {Uint8Array[]} */
  const parts = [];
  const verified = new TransformStream({
    transform(part, controller) {
      const last = parts.at(-1);
      if (last) controller.enqueue(last);
      parts.push(part);
    },
    async flush(controller) {
      const bytes = await new Blob(parts).arrayBuffer();
      if (!(await isOurs(path, bytes))) {
        worker.registration.update().catch(() => {});
        throw new Error(`the server has another ${path}`);
      }
      const keeping = caches.open(FILES).then((cache) => cache.put(keyOf(path), new Response(bytes, { headers })));
      // A file that cannot be stored for lack of room is still of use.
      await (must ? keeping : keeping.catch(() => {}));
      const last = parts.at(-1);
      if (last) controller.enqueue(last);
    },
  });
  return new Response(response.body.pipeThrough(verified), { headers });
}

/** Keeps the server's headers, with its policies. @param {Response} response @param {string} path */
function headersOf(response, path) {
  const headers = new Headers(response.headers);
  // The bytes are no longer compressed.
  headers.delete('Content-Encoding');
  headers.set('Content-Length', String(files.get(path)?.[0]));
  return headers;
}

/** @param {string} path @param {ArrayBuffer} bytes */
async function isOurs(path, bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex === files.get(path)?.[1];
}

/** @param {string} path */
function addressOf(path) {
  return new URL(path.split('/').map(encodeURIComponent).join('/'), FOLDER).href;
}

/** The key of a file: the same content keeps its key in the next release. @param {string} path */
function keyOf(path) {
  return `${addressOf(path)}?${files.get(path)?.[1]}`;
}
