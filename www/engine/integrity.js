/**
 * What the files that the page fetches must be: their hashes, by path from the page's folder. `scripts/integrity.mjs`
 * fills it in when a page is put together, because the module's hash is not known before it is built.
 *
 * @type {Record<string, string | undefined>}
 */
export const INTEGRITY = {};
