/**
 * Images and links that other programs share with the page, and images that are opened with the installed page. A site
 * could send the same without a person's doing, so such images wait for a person's consent.
 */

import { offline as words } from '../texts/catalogue.js';
import { closeNotice, showNotice, showPassingNotice } from '../ui/notice.js';
import { takeFiles } from './arrivals.js';
import { offerLink } from './link-form.js';
import { takePending } from './pending-images.js';

/** Takes what has arrived, and what will. */
export async function takeShared() {
  // Launches that came before are handed over now.
  /** @type {any} */ (window).launchQueue?.setConsumer(takeOpened);
  const pending = await takePending();
  if (!pending) return;
  const { files, link, sender } = pending;
  if (files.length > 0) sender === location.origin ? takeFiles(files, 'shared') : ask(files, sender);
  else if (link) offerLink(link);
  else showPassingNotice(words.nothingShared, words.nothingSharedAdvice);
}

/** @param {File[]} files @param {string} sender An origin, or "null". */
function ask(files, sender) {
  const site = sender === 'null' ? null : new URL(sender).host;
  const take = () => {
    closeNotice();
    takeFiles(files, 'shared');
  };
  const more = site === null ? words.sharedUnknown : words.sharedBySite;
  showNotice('shared', words.sharedAsk(files.length, site), more, [
    { text: words.sharedCheck, run: take, primary: true },
    { text: words.sharedDiscard, run: closeNotice },
  ]);
}

/** @param {{files?: readonly FileSystemFileHandle[]}} launch */
async function takeOpened({ files: handles = [] }) {
  const files = await Promise.all(handles.map((handle) => handle.getFile().catch(() => null)));
  const readable = files.filter((file) => file !== null);
  takeFiles(readable, 'opened');
  if (readable.length < handles.length) showPassingNotice(words.notOpened, words.notOpenedAdvice);
}
