/**
 * The page: takes images, has them checked, shows what was found. A single image supersedes the one before; several are
 * kept in a table.
 *
 * @typedef {import('./intake/arrivals.js').Source} Source
 * @typedef {import('./batch/check-queue.js').Entry} Entry
 */

import { MAX_IMAGES, receiveSources, takeSources } from './intake/arrivals.js';
import { Checks } from './batch/check-queue.js';
import { byId, element } from './ui/dom.js';
import { toPlain } from './common/errors.js';
import { outcomeGlyph } from './ui/outcome-glyph.js';
import { watchIntake } from './intake/file-intake.js';
import { offerLanguages } from './ui/language.js';
import { offerLink, showLinkForm } from './intake/link-form.js';
import { explain } from './ui/notice.js';
import { hidePreview, showPreview } from './result/preview.js';
import { errorView, resultView } from './result/result.js';
import { errorWords } from './texts/page-messages.js';
import { fetchSample, showSamples } from './intake/samples.js';
import { Scheduler } from './engine/scheduler.js';
import {
  announce,
  revealStage,
  revealWorking,
  showCancelling,
  showIdle,
  showOutcome,
  showPhase,
  showProgress,
} from './result/stage.js';
import { errors, failure, howSteps, intake as intakeWords, locale, outcomes, page } from './texts/catalogue.js';

const engine = new Scheduler(new URL('./engine/worker.js', import.meta.url), { confined: true, onUnconfined: tellUnconfined });
const ask = engine.ask.bind(engine);
const settings = byId('settings');
/** Errors that are about what came, and not about its check. */
const NO_IMAGE = /^(link|no_file|not_an_image|unsupported|image|file|unreadable)/;
const checks = new Checks({ ask, preference, onChange });

/** The images as a table, once there are several. @type {import('./batch/table.js').Queue | null} */
let table = null;
/** The image that is on the stage. @type {Entry | null} */
let opened = null;
/** One with a result, until the image that comes in its place has been decoded. @type {Entry | null} */
let superseded = null;
/** What the stage shows of the opened one. @type {{intake: unknown, phase: string}} */
let shown = { intake: null, phase: '' };

/** @param {Source[]} sources At least one. */
async function receive(sources) {
  if (sources.length > 1 && !table) {
    try {
      await openTable();
    } catch {
      refuse({ code: 'program_missing', message: intakeWords.noTable, advice: failure.retryAdvice });
      return;
    }
  }
  if (table) append(table, sources);
  else supersede(sources[0]);
}

/** @param {Source} source Of the one image that is to be on the stage. */
function supersede(source) {
  superseded ??= opened?.found ? opened : null;
  checks.remove(checks.entries.filter((entry) => entry !== superseded));
  open(checks.add([source])[0]);
  if (superseded) checks.cancel([superseded]);
}

/**
 * The image before goes when the next has been checked. If no image came, it comes back.
 * @param {Entry} entry The next. @returns {boolean} Whether it came back.
 */
function succeed({ source, intake, state, error }) {
  const before = superseded;
  if (!before || state === 'waiting' || state === 'checking') return false;
  superseded = null;
  const refused = error !== null && (intake === null || NO_IMAGE.test(error.code));
  checks.remove(refused ? checks.entries.filter((entry) => entry !== before) : [before]);
  if (!refused) return false;
  open(before, { reveal: false });
  if (error.code !== 'cancelled') refuse(error, () => receive([source]));
  return true;
}

async function openTable() {
  const { Queue } = await import('./batch/table.js');
  const onOpen = (/** @type {Entry} */ entry) => open(entry, { focus: true });
  const made = await Queue.open(checks, { onOpen, onTurn: (entry) => open(entry, { reveal: false }), onRemoved });
  superseded = null;
  // Samples and what came to nothing are not what a person collects.
  checks.remove(checks.entries.filter(({ intake, error }) => error || intake?.sample));
  if (opened && !checks.entries.includes(opened)) opened = null;
  table ??= made;
  if (opened) table.mark(opened);
}

/** @param {import('./batch/table.js').Queue} queue @param {Source[]} sources */
function append(queue, sources) {
  const room = MAX_IMAGES - checks.entries.length;
  const added = checks.add(sources.slice(0, room));
  queue.refresh({ full: sources.length > room });
  const [first] = added;
  if (first && sources.length === 1) return open(first);
  if (first && !opened) open(first, { reveal: false });
  queue.reveal();
}

/** Some were removed from the table. @param {Entry | null} neighbour Of the one on the stage, if it is gone. */
function onRemoved(neighbour) {
  if (opened && checks.entries.includes(opened)) return;
  if (neighbour) return open(neighbour, { reveal: false });
  opened = null;
  if (checks.entries.length > 0) return;
  table = null;
  showIdle();
  byId('intake').querySelector('button').focus();
}

/** Puts an image on the stage. @param {Entry} entry @param {{focus?: boolean, reveal?: boolean}} [options] */
function open(entry, { focus = false, reveal = true } = {}) {
  opened = entry;
  shown = { intake: null, phase: '' };
  table?.mark(entry);
  checks.prefer(entry);
  show(entry, { focus, reveal: reveal && !focus });
  if (focus) revealStage({ wholly: true });
}

/** @param {Entry} entry */
function onChange(entry) {
  table?.change(entry);
  if (entry === opened && succeed(entry)) return;
  // Another look at it failed.
  if (entry === opened && entry.found && entry.error) refuse(entry.error, () => again(entry, entry.deep));
  // Where there is a table a person may be reading elsewhere.
  if (entry === opened) show(entry, { focus: false, reveal: table === null });
}

/** Shows where an image stands. @param {Entry} entry @param {{focus: boolean, reveal: boolean}} options */
function show(entry, options) {
  const { state, intake, progress, found, error } = entry;
  const pending = state === 'waiting' || state === 'checking';
  const fetching = pending && progress?.stage === 'link';
  const phase = fetching ? 'fetching' : pending ? 'working' : state;
  if (intake && intake !== shown.intake) showPreview(intake);
  else if (!intake && (!pending || table || fetching)) hidePreview();
  const same = shown.phase === phase && shown.intake === intake;
  shown = { intake, phase };
  if (pending) {
    showProgress(progress ?? { stage: table ? 'waiting' : 'start' }, { quiet: table !== null });
    if (same) return;
    showPhase('working');
    if (options.reveal) fetching ? revealWorking() : revealStage();
    if (options.focus) byId('stage').focus({ preventScroll: true });
  } else if (state === 'done' && found) showResult(entry, found, options);
  else if (error) showError(error, () => again(entry, entry.deep), options);
}

/**
 * @param {Entry} entry @param {import('./batch/check-queue.js').Found} found @param {{focus: boolean, reveal: boolean}} options
 */
function showResult(entry, { answer, models, deep }, options) {
  const { outcome, groups } = answer.ranking;
  const intake = /** @type {import('./intake/arrivals.js').Intake} */ (entry.intake);
  const onDeeper = deep ? null : () => again(entry, true);
  // What the browser does not show is shown as it was read.
  if (answer.picture) showPreview({ ...intake, file: answer.picture });
  const onAgain = () => again(entry, deep);
  const view = resultView(answer, { intake, models, onAgain, onCpu: () => useCpu(onAgain), onDeeper });
  showOutcome('result', outcome, view, options);
  const standing = groups[0].reports.map((/** @type {number} */ index) => answer.answers[index].report.model.name);
  announce([outcomes[outcome].heading, ...(outcome === 'matches' ? [standing.join(', ')] : [])].join(': '));
}

/**
 * @param {import('./common/errors.js').PlainError} error @param {(() => void) | null} onAgain
 * @param {{focus: boolean, reveal: boolean}} options
 */
function showError(error, onAgain, options) {
  const onCpu = () => useCpu(onAgain);
  const kind = error.code === 'cancelled' ? 'cancelled' : 'error';
  showOutcome('error', kind, errorView(error, { onAgain, onCpu }), { ...options, code: error.code });
  announce(errors[error.code] ?? errors.internal);
}

/** @param {(() => void) | null} onAgain */
function useCpu(onAgain) {
  byId('device').querySelector('[value="cpu"]').checked = true;
  onAgain?.();
}

/**
 * Something came to nothing. Whatever is there stays.
 * @param {import('./common/errors.js').PlainError} error @param {(() => void) | null} [onAgain] Null if there is no image.
 */
function refuse(error, onAgain = null) {
  const { text, advice, cpuHelps, retryHelps } = errorWords(error);
  const actions = [
    ...(onAgain && cpuHelps ? [{ text: failure.useCpu, run: () => useCpu(onAgain) }] : []),
    ...(onAgain && retryHelps ? [{ text: failure.tryAgain, run: onAgain }] : []),
  ];
  explain(text, advice, { code: error.code, actions });
}

/** @param {Entry} entry @param {boolean} deep */
function again(entry, deep) {
  checks.again([entry], { deep });
  checks.prefer(entry);
}

/** The device that was chosen. @returns {import('./engine/device.js').DevicePreference} */
function preference() {
  return /** @type {any} */ (new FormData(settings.querySelector('form')).get('device'));
}

/** Nothing but the page's own scripts keeps the worker that sees images from connecting elsewhere. */
function tellUnconfined() {
  byId('unconfined').textContent = page.unconfined;
  byId('unconfined').hidden = false;
}

function fillTexts() {
  document.documentElement.lang = locale;
  document.title = page.title;
  const words = /** @type {Record<string, string>} */ (page);
  for (const node of document.querySelectorAll('[data-text]')) {
    node.textContent = words[/** @type {HTMLElement} */ (node).dataset.text ?? ''];
  }
  for (const node of document.querySelectorAll('[data-label]')) {
    node.setAttribute('aria-label', words[/** @type {HTMLElement} */ (node).dataset.label ?? '']);
  }
  byId('how-steps').append(...howSteps.map((step) => element('li', {}, step)));
  byId('answers').append(
    ...Object.entries(outcomes).map(([name, { heading, promise }]) =>
      element(
        'li',
        {},
        outcomeGlyph(name),
        element('div', {}, element('strong', {}, heading), element('span', {}, promise)),
      ),
    ),
  );
}

fillTexts();
offerLanguages(() => checks.entries);
showLinkForm();
receiveSources(receive);
watchIntake({ onLink: offerLink, onLooking: () => announce(intakeWords.looking), onError: (thrown) => refuse(toPlain(thrown)) });
showSamples((sample) => {
  const take = (/** @type {import('./intake/arrivals.js').Taking} */ { signal }) => fetchSample(sample, signal);
  takeSources([{ name: sample.title, intake: null, take }]);
});
byId('cancel').addEventListener('click', () => {
  showCancelling();
  if (opened) checks.cancel([opened]);
});
byId('models').addEventListener('click', async () => {
  const { openLibrary } = await import('./models/dialog.js');
  await openLibrary({ ask, preference });
});
settings.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
  if (event.key !== 'Escape') return;
  settings.open = false;
  settings.querySelector('summary').focus();
});
document.addEventListener('pointerdown', ({ target }) => {
  if (!settings.contains(/** @type {Node} */ (target))) settings.open = false;
});
import('./intake/share-target.js').then(({ takeShared }) => takeShared()).catch(() => {});
import('./offline/offline.js').then(({ startOffline }) => startOffline(() => checks.entries)).catch(() => {});
