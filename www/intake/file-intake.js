/**
 * Input of images: picked, dropped anywhere, pasted. Only names, sizes and folders are read here.
 *
 * @typedef {import('./types.js').Arrival} Arrival
 * @typedef {import('./types.js').Intake} Intake
 * @typedef {import('./types.js').Source} Source
 */

import { AedrError } from '../common/errors.js';
import { failure, intake as words } from '../texts/catalogue.js';
import { byId } from '../ui/dom.js';
import { sourceOf, takeFiles, takeSources } from './arrivals.js';
import { droppedEntries, filesIn } from './folders.js';

/** Chromium on Android offers the camera, and unchanged files, only if the input accepts more than images. */
const BESIDES_IMAGES = ',android/allow-camera';
/** Elements that handle a paste themselves. */
const EDITABLE = 'input:not([type=file], [type=radio], [type=checkbox]), textarea, dialog *';

/**
 * Takes images to whoever receives them (`arrivals.js`).
 * @param {{onLink: (link: string) => void, onLooking: () => void, onError: (error: unknown) => void}} actions
 *   `onLink`: only a link came. `onLooking`: folders are being searched, which may take a while.
 */
export function watchIntake({ onLink, onLooking, onError }) {
  /** @param {() => unknown} take */
  const attempt = async (take) => {
    try {
      await take();
    } catch (error) {
      onError(error);
    }
  };
  watchPicker((files) => takeFiles([...files], 'picked'));
  watchDrop((transfer) => attempt(() => fromDrop(transfer, { onLink, onLooking })));
  document.addEventListener('paste', (event) => {
    const { clipboardData: clipboard, target } = event;
    const { files = [] } = clipboard ?? {};
    if (files.length === 0 && target instanceof Element && target.matches(EDITABLE)) return;
    event.preventDefault();
    attempt(() => fromClipboard(clipboard, onLink));
  });
}

/** @param {(files: FileList) => void} onFiles */
function watchPicker(onFiles) {
  const input = byId('file');
  if (/Android/.test(navigator.userAgent) && /Chrome/.test(navigator.userAgent)) input.accept += BESIDES_IMAGES;
  for (const button of document.querySelectorAll('[data-pick]')) {
    button.addEventListener('click', () => input.click());
  }
  input.addEventListener('change', () => {
    onFiles(input.files);
    // So that choosing the same file again fires `change`.
    input.value = '';
  });
}

/** The whole page takes drops; an overlay says so. @param {(transfer: DataTransfer) => void} onDrop */
function watchDrop(onDrop) {
  const overlay = byId('overlay');
  // `dragenter` of a child comes before `dragleave` of its parent, so the depth is 0 only outside the page.
  let depth = 0;
  const isOwn = watchOwnDrags();
  const show = (/** @type {number} */ newDepth) => {
    depth = Math.max(0, newDepth);
    overlay.classList.toggle('shown', depth > 0);
  };
  addEventListener('dragenter', (event) => {
    if (isOwn()) return;
    event.preventDefault();
    show(depth + 1);
  });
  addEventListener('dragleave', () => isOwn() || show(depth - 1));
  addEventListener('dragover', (event) => isOwn() || event.preventDefault());
  addEventListener('drop', (event) => {
    if (isOwn()) return;
    event.preventDefault();
    show(0);
    if (event.dataTransfer) onDrop(event.dataTransfer);
  });
}

/**
 * Whether the page's own content is being dragged: a word, a link or a picture. That is not an image for the page,
 * and a word may be on its way into a field.
 * @returns {() => boolean}
 */
function watchOwnDrags() {
  let own = false;
  const end = () => (own = false);
  addEventListener('dragstart', () => {
    own = true;
    // If the dragged element is removed, no `dragend` fires; but mouse events resume.
    addEventListener('mousemove', end, { once: true });
  });
  addEventListener('dragend', end);
  return () => own;
}

/** @param {DataTransfer} transfer @param {{onLink: (link: string) => void, onLooking: () => void}} actions */
async function fromDrop(transfer, { onLink, onLooking }) {
  const files = [...transfer.files];
  const link = linkIn(transfer);
  const entries = droppedEntries(transfer);
  if (entries) {
    onLooking();
    const found = await filesIn(entries);
    return takeSources(found.map(({ file, name }) => sourceOf({ file, name, arrival: 'dropped' })));
  }
  // An image that is dragged from a page often comes with its address; here the file itself has come.
  if (files.length > 0) {
    const asShown = link !== null;
    return takeSources(files.map((file) => sourceOf({ file, name: file.name, arrival: 'dropped', asShown })));
  }
  if (link === null) throw new AedrError('no_file', words.nothingDropped, words.saveAdvice);
  onLink(link);
}

/** @param {DataTransfer | null} clipboard @param {(link: string) => void} onLink */
function fromClipboard(clipboard, onLink) {
  const files = [...(clipboard?.files ?? [])];
  if (files.length > 0) return takeFiles(files, 'pasted');
  const link = clipboard && linkIn(clipboard);
  if (!link) throw new AedrError('no_file', failure.emptyClipboard, failure.emptyClipboardAdvice);
  onLink(link);
}

/**
 * The link to an image that was dropped or pasted without the image.
 * @param {DataTransfer} transfer
 * @returns {string | null}
 */
function linkIn(transfer) {
  // For a picture inside a link, the address is the link's target; the markup has the picture's own.
  const markup = transfer.getData('text/html');
  const picture = markup ? new DOMParser().parseFromString(markup, 'text/html').querySelector('img')?.src : null;
  const lists = [transfer.getData('text/uri-list'), transfer.getData('text/plain')];
  const lines = lists.flatMap((list) => list.split(/\r?\n/)).map((line) => line.trim());
  return [picture ?? '', ...lines].find((text) => /^(https?:\/\/\S+|data:image\/\S+)$/i.test(text)) ?? null;
}
