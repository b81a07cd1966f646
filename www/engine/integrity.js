/**
 * The expected hashes of the files that the page fetches, by path from the page's folder. `scripts/integrity.mjs` fills
 * them in when it assembles a page, because the module's hash is not known before the build.
 *
 * @type {Record<string, string | undefined>}
 */
export const INTEGRITY = {};
