/**
 * Images that wait for the page to load: shared by another program, kept by the service worker, or kept by the page
 * itself before it reloads. They stay on this device, and are removed when the page takes them.
 *
 * @typedef {{files: File[], link: string, sender: string}} PendingImages `link`: an address, or what may hold one; '' if there was
 *   none. `sender`: the origin that it comes from, "null" if that is not known.
 */

/** The page's folder, and names that `offline/service-worker.js` has as well. */
const FOLDER = new URL('../../', import.meta.url);
const CACHE = `aedr-stash ${FOLDER.pathname}`;
const KEY = new URL('stash', FOLDER).href;
/** Header that holds the sender's origin. */
const SENDER = 'Aedr-Sender';
/** In the page's address if images are waiting. */
const PARAMETER = 'shared';
/** In milliseconds: images that wait longer are abandoned, and removed. */
const FORGOTTEN_MS = 10 * 60_000;

/**
 * Keeps images for the page that is loaded next with `?shared`, in place of those that were kept.
 * @param {Blob[]} files Files have their names.
 * @returns {Promise<boolean>} Whether they were kept: some browsers keep nothing in private windows.
 */
export async function keepPending(files) {
  const form = new FormData();
  for (const file of files) form.append('files', file);
  // The body's content type holds the boundary between the files.
  const response = new Response(form);
  const type = response.headers.get('Content-Type') ?? '';
  const headers = { 'Content-Type': type, Date: new Date().toUTCString(), [SENDER]: location.origin };
  try {
    const cache = await caches.open(CACHE);
    await cache.put(KEY, new Response(await response.blob(), { headers }));
    return true;
  } catch {
    return false;
  }
}

/** The images of a visit, as files to be kept. @param {{intake: import('./types.js').Intake | null}[]} entries */
export function filesOf(entries) {
  const intakes = entries.map(({ intake }) => intake).filter((intake) => intake !== null);
  return intakes.map(({ file, name }) => new File([file], name, { type: file.type }));
}

/** Loads the page again. @param {boolean} pending Whether it then takes the images that wait. */
export function reload(pending) {
  const address = new URL(location.href);
  if (pending) address.searchParams.set(PARAMETER, '');
  // Assigning the address that the page already has would only scroll.
  if (address.href === location.href) location.reload();
  else location.replace(address);
}

/** Loads the page again, with these images. @param {Parameters<typeof filesOf>[0]} entries */
export async function reloadWithImages(entries) {
  const files = filesOf(entries);
  reload(files.length > 0 && (await keepPending(files)));
}

/** Removes images that wait and are not wanted any more. */
export async function dropPending() {
  // Pages without https have no caches.
  await globalThis.caches?.delete(CACHE).catch(() => {});
}

/**
 * What waits for this page, which is then no longer kept.
 * @returns {Promise<PendingImages | null>} Null if nothing was announced in the page's address.
 */
export async function takePending() {
  const address = new URL(location.href);
  if (!address.searchParams.has(PARAMETER)) {
    await removeForgotten().catch(() => {});
    return null;
  }
  // So that a reload does not announce it again.
  address.searchParams.delete(PARAMETER);
  history.replaceState(history.state, '', address);
  try {
    const kept = await (await caches.open(CACHE)).match(KEY);
    const sender = kept?.headers.get(SENDER) ?? 'null';
    const form = await kept?.formData();
    await caches.delete(CACHE);
    const all = form?.getAll('files') ?? [];
    const files = /** @type {File[]} */ (all.filter((value) => value instanceof File && value.size > 0));
    // Programs put an address into either field.
    const texts = ['url', 'text'].map((name) => String(form?.get(name) ?? ''));
    const link = texts.map((text) => /https?:\/\/\S+/i.exec(text)?.[0]).find(Boolean) ?? '';
    return { files, link, sender };
  } catch {
    return { files: [], link: '', sender: 'null' };
  }
}

async function removeForgotten() {
  if (!(await caches.has(CACHE))) return;
  const waiting = await (await caches.open(CACHE)).match(KEY);
  const age = Date.now() - Date.parse(waiting?.headers.get('Date') ?? '');
  if (!(age < FORGOTTEN_MS)) await caches.delete(CACHE);
}
