/**
 * Content Credentials: what a file says, with a signature, about how it was made. They are shown after the verdict and
 * apart from it, and it never uses them. The program that reads them is fetched only for a file that has some.
 *
 * @typedef {import('./credential-facts.js').Facts} Facts
 * @typedef {{state: 'none'} | {state: 'remote', host: string} | {state: 'unreadable' | 'not_checked'}
 *   | (Facts & {store: unknown})} Reading
 * @typedef {object} Summary For the record of a check.
 * @property {Exclude<Reading['state'], 'none'>} state
 * @property {string | null} signer
 * @property {string | null} signed_at As ISO 8601 has it.
 * @property {string | null} generator
 * @property {{action: string, digital_source_type: string | null}[]} actions
 * @property {number} ingredients
 */

import { gap, toPlain } from '../common/errors.js';
import { Scheduler } from '../engine/scheduler.js';
import { credentials as words, locale, progress as progressWords } from '../texts/catalogue.js';
import { element, loadStyle } from '../ui/dom.js';
import { untrustedJson, untrustedText } from '../ui/untrusted-text.js';
import { factsOf } from './credential-facts.js';
import { marksOf } from './credential-marks.js';

/** The longest time to read a file before it counts as unreadable: a hostile one could take for ever. */
const PATIENCE_MS = 30_000;
/** The most characters of the store that experts see. */
const LONGEST_STORE = 200_000;
/** The most actions and ingredients that are listed; a file may hold thousands. */
const LISTED = 20;

const reader = new Scheduler(new URL('./credentials-worker.js', import.meta.url), { confined: true });
const MOMENT = new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeStyle: 'short' });

/**
 * The readings of files, and the listeners for their progress.
 * @type {WeakMap<Blob, {reading: Promise<Reading>, tell: Tell}>}
 */
const known = new WeakMap();

/** @typedef {Set<(text: string) => void>} Tell */

/**
 * Fills a part of the page with what the file's credentials say. It never fails: what goes wrong is said there.
 * @param {HTMLElement} part With a heading and a line that says it is being looked for.
 * @param {Blob} file
 */
export async function showCredentials(part, file) {
  const [heading, line] = part.children;
  await loadStyle(new URL('./credentials.css', import.meta.url));
  const reading = await read(file, (text) => (line.textContent = text));
  part.replaceChildren(heading, ...view(reading));
  part.dataset.state = reading.state;
  part.setAttribute('aria-busy', 'false');
}

/**
 * A summary of the same, as data. Files without credentials have none.
 * @param {Blob} file
 * @returns {Promise<Summary | null>}
 */
export async function credentialsSummary(file) {
  const reading = await read(file);
  if (reading.state === 'none') return null;
  const { state } = reading;
  if (!('store' in reading)) {
    return { state, signer: null, signed_at: null, generator: null, actions: [], ingredients: 0 };
  }
  const { signer, signedAt, generators, actions, ingredients } = reading;
  return {
    state,
    signer: signer.join(', ') || null,
    signed_at: signedAt?.toISOString() ?? null,
    generator: generators.join(', ') || null,
    actions: actions.map(({ name, source }) => ({ action: name, digital_source_type: source || null })),
    ingredients: ingredients.length,
  };
}

/**
 * Reads a file once, however often it is asked for.
 * @param {Blob} file @param {(text: string) => void} [onStage]
 */
function read(file, onStage) {
  let entry = known.get(file);
  if (!entry) {
    /** @type {Tell} */
    const tell = new Set();
    const reading = readAnew(file, (text) => tell.forEach((listener) => listener(text)));
    entry = { reading, tell };
    known.set(file, entry);
    // A reading that failed for lack of a connection may work the next time.
    reading.then(({ state }) => state === 'not_checked' && known.delete(file));
  }
  if (onStage) entry.tell.add(onStage);
  return entry.reading;
}

/** @param {Blob} file @param {(text: string) => void} tell @returns {Promise<Reading>} */
async function readAnew(file, tell) {
  const controller = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let patience;
  const onProgress = (/** @type {any} */ { stage, loaded, total }) => {
    tell(stage === 'read' ? words.reading : words.fetching(progressWords.bytes(loaded, total)));
    if (stage === 'read') patience ??= setTimeout(() => controller.abort(), PATIENCE_MS);
  };
  try {
    const { type, embedded, remote } = await marksOf(file);
    if (!embedded) return remote ? elsewhere(remote.href) : { state: 'none' };
    if (!type) return { state: 'unreadable' };
    const { signal } = controller;
    /** @type {import('./credentials-worker.js').Found} */
    const found = await reader.ask('read', () => ({ params: { file, type } }), { signal, onProgress });
    if ('none' in found) return { state: 'none' };
    if ('remote' in found) return elsewhere(found.remote);
    if ('unreadable' in found) return { state: 'unreadable' };
    const store = JSON.parse(found.store);
    return { ...factsOf(store), store };
  } catch (thrown) {
    // If the program stopped or took too long, the file is the cause.
    return { state: ['engine_stopped', 'cancelled'].includes(toPlain(thrown).code) ? 'unreadable' : 'not_checked' };
  } finally {
    clearTimeout(patience);
  }
}

/** @param {string} address @returns {Reading} */
function elsewhere(address) {
  try {
    return { state: 'remote', host: untrustedText(new URL(address).host, 100) };
  } catch {
    return { state: 'unreadable' };
  }
}

/** @param {Reading} reading @returns {Node[]} */
function view(reading) {
  if (reading.state === 'none') return [element('p', { class: 'hint' }, words.none)];
  if (reading.state === 'remote') return stateLines(words.remoteHeading, words.remote(reading.host));
  const { heading, text } = words.states[reading.state];
  if (!('store' in reading)) return stateLines(heading, text);
  const { generated, actions, ingredients } = reading;
  return [
    ...stateLines(heading, text),
    ...(generated ? [says(words.generated[generated])] : []),
    element('dl', {}, ...signing(reading)),
    ...capped(words.actionsHeading, 'ol', actions, actionItem),
    ...capped(words.ingredientsHeading, 'ul', ingredients, ingredientItem),
    element('p', { class: 'hint' }, words.checked),
    experts(reading.store),
  ];
}

/** @param {string} heading @param {string} text */
function stateLines(heading, text) {
  return [element('p', { class: 'state' }, element('strong', {}, heading), gap(heading) + text)];
}

/** @param {string} text */
function says(text) {
  const hint = element('p', { class: 'hint' }, words.generated.hint);
  return element('div', { class: 'says' }, element('p', {}, element('strong', {}, text)), hint);
}

/** Who signed, when, with which program. @param {Facts} facts */
function signing({ signer, signedAt, generators, title }) {
  return [
    fact('signer', words.signer, signer.length > 0 ? signer : [words.nobody], words.signerHint),
    fact('time', words.time, [signedAt ? MOMENT.format(signedAt) : words.noTime], signedAt ? words.timeHint : ''),
    ...(generators.length > 0 ? [fact('program', words.program, generators)] : []),
    ...(title ? [fact('title', words.title, [title])] : []),
  ];
}

/** @param {string} name @param {string} label @param {string[]} values @param {string} [hint] */
function fact(name, label, values, hint) {
  return element(
    'div',
    { 'data-fact': name },
    element('dt', {}, label),
    ...values.map((value) => element('dd', { class: 'claim', dir: 'auto' }, value)),
    ...(hint ? [element('dd', { class: 'hint' }, hint)] : []),
  );
}

/**
 * A list with a heading, or nothing.
 * @template T
 * @param {string} heading @param {'ol' | 'ul'} kind @param {T[]} items @param {(item: T) => Node} itemView
 */
function capped(heading, kind, items, itemView) {
  if (items.length === 0) return [];
  const shown = items.slice(0, LISTED).map(itemView);
  const rest = items.length - shown.length;
  if (rest > 0) shown.push(element('li', { class: 'rest' }, words.more(rest)));
  return [element('h5', {}, heading), element(kind, {}, ...shown)];
}

/** @param {import('./credential-facts.js').Action} action */
function actionItem({ name, description, source, agent, when }) {
  const remarks = [
    ...(source ? [words.sources[source] ?? words.otherSource(source)] : []),
    ...(agent ? [words.agent(agent)] : []),
    ...(when ? [MOMENT.format(when)] : []),
  ];
  return item(words.actions[name] ?? words.otherAction(name), remarks, description);
}

/** @param {import('./credential-facts.js').Ingredient} ingredient */
function ingredientItem({ title, relation, state, signer, sources }) {
  const remarks = [
    words.relations[relation] ?? words.relations.other,
    words.ingredientStates[state],
    ...(signer.length > 0 ? [words.signedBy(signer[0])] : []),
    ...sources.slice(0, 3).map((source) => words.sources[source] ?? words.otherSource(source)),
  ];
  return item(title || words.untitled, remarks, '');
}

/** @param {string} head @param {string[]} remarks @param {string} quoted */
function item(head, remarks, quoted) {
  const told = remarks.flatMap((remark, index) => [index > 0 ? ' · ' : '', element('bdi', {}, remark)]);
  return element(
    'li',
    {},
    element('p', { dir: 'auto' }, head),
    ...(quoted ? [element('p', { dir: 'auto' }, element('q', {}, quoted))] : []),
    ...(told.length > 0 ? [element('p', { class: 'hint' }, ...told)] : []),
  );
}

/** @param {unknown} store */
function experts(store) {
  const text = element('pre', { tabindex: 0, role: 'region', 'aria-label': words.expertsLabel });
  const details = element('details', {}, element('summary', {}, words.experts), text);
  // Filled when it is opened: it may be long, and few people open it.
  const fill = () => (text.textContent = untrustedJson(store, LONGEST_STORE, words.cut));
  details.addEventListener('toggle', fill, { once: true });
  return details;
}
