/**
 * Keeps the page on this device (`service-worker.js`) and shows how far that is. The page's own files are kept at once,
 * the engine and the models when they are first used, everything after the first check or when a person asks for it. If
 * the browser allows none of it, the page works as before.
 *
 * @typedef {{version: string, missing: {path: string, bytes: number}[]}} State The service worker's state.
 */

import { chunks, request } from '../engine/download.js';
import { offline as words } from '../texts/catalogue.js';
import { byId, element, loadStyle } from '../ui/dom.js';
import { askWorker, watchRenewal } from './updates.js';

const FOLDER = new URL('../../', import.meta.url);

/** How far it is. @typedef {'unknown' | 'partly' | 'keeping' | 'kept' | 'failed' | 'full'} Standing */
/** @type {{standing: Standing, loaded: number, total: number}} */
const line = { standing: 'unknown', loaded: 0, total: 0 };
/** The browser's `beforeinstallprompt` event, if it offers to install the page. @type {any} */
let installing = null;
/** Set while everything is fetched. @type {AbortController | null} */
let keeping = null;
/** Whether a person asked for that, and sees the progress. */
let asked = false;

/** Starts to keep the page. Nothing waits for it. @param {() => import('../batch/types.js').Entry[]} visit Its images. */
export async function startOffline(visit) {
  watchInstalling();
  const checked = firstCheck();
  const registration = await register();
  if (!registration) return;
  watchRenewal(registration, visit);
  const { active } = await navigator.serviceWorker.ready;
  if (!(await isServed(/** @type {ServiceWorker} */ (active)))) return;
  await tell();
  await checked;
  // A person who saves data decides without a proposal.
  if (!(/** @type {any} */ (navigator).connection?.saveData)) await keepEverything();
}

/** Waits until what a visitor needs has loaded. @returns {Promise<ServiceWorkerRegistration | null>} */
async function register() {
  const { serviceWorker } = navigator;
  if (!serviceWorker) return null;
  if (document.readyState !== 'complete') await new Promise((done) => addEventListener('load', done, { once: true }));
  try {
    const script = new URL('service-worker.js', FOLDER);
    return (await serviceWorker.register(script, { updateViaCache: 'none' })) ?? null;
  } catch {
    // Private windows of some browsers allow none, and a host may lack the file.
    return null;
  }
}

/**
 * Whether this page's files come from the service worker. On the first visit the page asks it to take control; it
 * refuses a page of another release, which then continues from the network.
 * @param {ServiceWorker} worker
 */
async function isServed(worker) {
  const { serviceWorker } = navigator;
  if (serviceWorker.controller) return true;
  const changed = new Promise((done) => serviceWorker.addEventListener('controllerchange', done, { once: true }));
  const version = document.querySelector('meta[name=release]')?.getAttribute('content');
  if (!(await askWorker(worker, { ask: 'serve', version }))?.serves) return false;
  // `controllerchange` fires a moment after the answer.
  await (serviceWorker.controller ?? changed);
  return true;
}

/** Resolves once a check has ended with a result. @returns {Promise<void>} */
function firstCheck() {
  return new Promise((done) => {
    const look = () => {
      if (document.body.dataset.phase !== 'result') return;
      observer.disconnect();
      done();
    };
    const observer = new MutationObserver(look);
    observer.observe(document.body, { attributeFilter: ['data-phase'] });
    look();
  });
}

/** @returns {Promise<State | null>} */
async function state() {
  const { controller } = navigator.serviceWorker;
  return controller && askWorker(controller, { ask: 'state' });
}

/** Says what is kept. */
async function tell() {
  const found = await state();
  if (!found || keeping) return;
  line.total = sum(found);
  show(found.missing.length === 0 ? 'kept' : 'partly');
}

/** @param {State} state */
const sum = ({ missing }) => missing.reduce((total, { bytes }) => total + bytes, 0);

/** Fetches what is missing; the service worker keeps it as it passes. */
async function keepEverything() {
  const before = await state();
  if (!before || keeping) return;
  const controller = (keeping = new AbortController());
  const { signal } = controller;
  line.total = sum(before);
  line.loaded = 0;
  if (asked) show('keeping');
  /** @type {Standing} */
  let standing = 'failed';
  try {
    for (const { path } of before.missing) await fetchOne(path, signal);
    const after = await state();
    // A file that arrived and is still missing had no room.
    standing = after?.missing.length === 0 ? 'kept' : 'full';
    if (after) line.total = sum(after);
  } catch {
    line.total = sum((await state()) ?? before);
    if (signal.aborted) standing = 'partly';
  }
  show(asked || standing === 'kept' ? standing : 'partly');
  keeping = null;
  asked = false;
}

/** @param {string} path @param {AbortSignal} signal */
async function fetchOne(path, signal) {
  const address = new URL(path.split('/').map(encodeURIComponent).join('/'), FOLDER).href;
  const response = await request(address, { code: 'offline', signal });
  for await (const { length } of chunks(response)) {
    line.loaded += length;
    showProgress();
  }
}

/** @param {Standing} standing */
async function show(standing) {
  await loadStyle(new URL('./offline.css', import.meta.url));
  const place = byId('offline');
  const focused = place.contains(document.activeElement);
  line.standing = standing;
  const install = installing ? [button(words.install, askToInstall)] : [];
  place.replaceChildren(...parts(standing), ...install);
  place.dataset.standing = standing;
  place.hidden = place.children.length === 0;
  showProgress();
  // Keeps the focus near the button that was pressed and is gone.
  if (focused) place.querySelector('button, [tabindex]')?.focus();
}

/** The parts of the line. @param {Standing} standing @returns {HTMLElement[]} */
function parts(standing) {
  const keep = () => button(words.keep(line.total), keepForGood);
  switch (standing) {
    case 'partly':
      return [keep(), hint(words.keepHint)];
    case 'keeping':
      return [
        element('progress', { max: 1, 'aria-label': words.keeping }),
        hint(''),
        button(words.stop, () => keeping?.abort()),
      ];
    case 'kept':
      return [stateLine(words.kept)];
    case 'failed':
      return [stateLine(words.failed), keep()];
    case 'full':
      return [stateLine(words.full), keep()];
    default:
      return [];
  }
}

/** Called when a person wants the page to stay on this device. */
function keepForGood() {
  // Asks the browser not to remove it to make room.
  navigator.storage?.persist?.().catch(() => {});
  asked = true;
  if (keeping) show('keeping');
  else keepEverything();
}

function showProgress() {
  if (line.standing !== 'keeping') return;
  const place = byId('offline');
  place.querySelector('progress').value = line.total > 0 ? line.loaded / line.total : 1;
  place.querySelector('.hint').textContent = words.keepingSoFar(line.loaded, line.total);
}

/** Some browsers offer to install the page once they know it. */
function watchInstalling() {
  const offer = (/** @type {any} */ event) => {
    installing = event;
    show(line.standing);
  };
  addEventListener('beforeinstallprompt', (event) => {
    event.preventDefault();
    offer(event);
  });
  addEventListener('appinstalled', () => offer(null));
}

async function askToInstall() {
  const event = installing;
  await event.prompt();
  // The browser's prompt works only once.
  if (installing === event) installing = null;
  show(line.standing);
}

/** @param {string} text @param {() => void} action */
function button(text, action) {
  const made = element('button', { type: 'button' }, text);
  made.addEventListener('click', action);
  return made;
}

/** @param {string} text */
const hint = (text) => element('p', { class: 'hint' }, text);

/** A sentence that screen readers announce. @param {string} text */
const stateLine = (text) => element('p', { class: 'state', role: 'status', tabindex: -1 }, text);
