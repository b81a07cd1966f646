/** A release of the page that follows the one under test. */

import { appendFile, cp, readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { writeOfflineList } from '../../../scripts/offline-list.mjs';
import { DIST, NO_INTEGRITY, sampleList, serve } from './browser.mjs';

/** The headline of its page. */
export const NEXT_HEADLINE = 'The next release';
/** A custom section, which changes the file but not what it does. */
const SECTION = Buffer.from([0, 2, 1, 97]);

/**
 * The page with another headline and another sample.
 * @param {string} folder Where it is written.
 * @param {{engine?: boolean}} [options] `engine`: the module is a different file, too.
 */
export async function nextRelease(folder, { engine = false } = {}) {
  await cp(DIST, folder, { recursive: true });
  const texts = resolve(folder, 'www/texts/en.js');
  const text = await readFile(texts, 'utf8');
  await writeFile(texts, text.replace(/headline: '[^']+'/, `headline: '${NEXT_HEADLINE}'`));
  const [{ file }] = await sampleList();
  await appendFile(resolve(folder, 'www/samples', file), '\n');
  if (engine) {
    await appendFile(resolve(folder, 'www/pkg/aedr_bg.wasm'), SECTION);
    // The tests of this release are not about hashes.
    await writeFile(resolve(folder, 'www/engine/integrity.js'), NO_INTEGRITY);
  }
  await writeOfflineList(folder);
  const script = await readFile(resolve(folder, 'service-worker.js'), 'utf8');
  const { files } = JSON.parse(/^const RELEASE = (.*);$/m.exec(script)?.[1] ?? '');
  const server = await serve({ directories: [folder] });
  return { ...server, count: Object.keys(files).length, changed: [`www/samples/${file}`, 'www/texts/en.js'] };
}
