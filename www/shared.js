/** Images and links that other programs share with the page, and images that are opened with the installed page. */

import { takeFiles } from './arrivals.js';
import { offerLink } from './link-form.js';
import { closeNotice, showNotice } from './notice.js';
import { takeStashed } from './stash.js';
import { offline as words } from './texts.js';

/** Takes what has come, and what will. */
export async function takeShared() {
  // Launches that came before are handed over now.
  /** @type {any} */ (window).launchQueue?.setConsumer(takeOpened);
  const stashed = await takeStashed();
  if (!stashed) return;
  const { files, link } = stashed;
  if (files.length > 0) takeFiles(files, 'shared');
  else if (link) offerLink(link);
  else explain(words.nothingShared, words.nothingSharedAdvice);
}

/** @param {{files?: readonly FileSystemFileHandle[]}} launch */
async function takeOpened({ files: handles = [] }) {
  const files = await Promise.all(handles.map((handle) => handle.getFile().catch(() => null)));
  const readable = files.filter((file) => file !== null);
  takeFiles(readable, 'opened');
  if (readable.length < handles.length) explain(words.notOpened, words.notOpenedAdvice);
}

/** @param {string} text @param {string} advice */
function explain(text, advice) {
  showNotice(text, advice, [{ text: words.close, run: closeNotice }]);
}
