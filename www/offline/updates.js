/**
 * Announces a newer release of the page, and changes to it when a person agrees. It never does so by itself, because a
 * page that reloads loses its state.
 */

import { dropPending, filesOf, keepPending, reload } from '../intake/pending-images.js';
import { offline as words } from '../texts/catalogue.js';
import { closeNotice, showNotice } from '../ui/notice.js';

const LOOK_EVERY_MS = 4 * 60 * 60_000;
/** Prefix of the lock that an import of a model holds (`models/storage.js`). */
const ADDING = 'aedr-import-';

/** The images of this visit. @type {() => import('../batch/types.js').Entry[]} */
let entries = () => [];
/** Releases that a person put off, until the page is loaded the next time. @type {Set<ServiceWorker>} */
const later = new Set();

/** @param {ServiceWorkerRegistration} registration @param {typeof entries} visit */
export function watchRenewal(registration, visit) {
  entries = visit;
  const offer = () => {
    const { waiting, active } = registration;
    // Without an active worker, this release is the first, and not an update.
    if (waiting && active && !later.has(waiting)) ask(waiting, words.renewed, words.renewedMore, words.renew);
  };
  registration.addEventListener('updatefound', () => registration.installing?.addEventListener('statechange', offer));
  registration.installing?.addEventListener('statechange', offer);
  offer();
  let looked = Date.now();
  const look = () => {
    looked = Date.now();
    // Without a connection there is nothing to find.
    if (navigator.onLine) registration.update().catch(() => {});
  };
  look();
  setInterval(look, LOOK_EVERY_MS);
  // Timers do not run while a device sleeps.
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden && Date.now() - looked > LOOK_EVERY_MS) look();
  });
}

/**
 * @param {ServiceWorker} waiting @param {string} text @param {string} more @param {string} go
 * @param {boolean} [sure] Whether a person who goes on knows what it ends.
 */
function ask(waiting, text, more, go, sure = false) {
  const putOff = () => {
    later.add(waiting);
    closeNotice();
  };
  showNotice('release', text, more, [
    { text: go, run: () => renew(waiting, sure), primary: true },
    { text: words.later, run: putOff },
  ]);
}

/** @param {ServiceWorker} waiting @param {boolean} sure */
async function renew(waiting, sure) {
  if (!sure && (await isBusy())) {
    ask(waiting, words.busy, words.busyMore, words.renewAnyway, true);
    return;
  }
  const images = filesOf(entries());
  const kept = images.length > 0 && (await keepPending(images));
  if (!sure && images.length > 0 && !kept) {
    ask(waiting, words.losing, words.losingMore, words.renewAnyway, true);
    return;
  }
  const onActivated = () => waiting.state === 'activated' && reload(kept);
  waiting.addEventListener('statechange', onActivated);
  const answer = await askWorker(waiting, { ask: 'takeOver' });
  if (answer && !answer.others) return;
  waiting.removeEventListener('statechange', onActivated);
  if (kept) await dropPending();
  ask(waiting, words.openElsewhere, words.openElsewhereMore, words.renew, sure);
}

/**
 * Asks a service worker.
 * @param {ServiceWorker} worker @param {{ask: string} & Record<string, any>} question
 * @returns {Promise<any>} Null if it failed.
 */
export function askWorker(worker, question) {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.addEventListener('message', ({ data }) => {
      port1.close();
      resolve(data);
    });
    port1.start();
    worker.postMessage(question, [port2]);
  });
}

/** Whether images are being checked or a model is being added. */
async function isBusy() {
  if (entries().some(({ state }) => state === 'waiting' || state === 'checking')) return true;
  const { held = [] } = (await navigator.locks?.query()) ?? {};
  return held.some(({ name }) => name?.startsWith(ADDING));
}
