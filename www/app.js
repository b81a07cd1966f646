/**
 * The page: takes images, has them checked, shows what was found. A single image supersedes the one before; several are
 * kept in a table.
 *
 * @typedef {import('./arrivals.js').Source} Source
 * @typedef {import('./checks.js').Entry} Entry
 */

import { MAX_IMAGES, receiveSources, takeSources } from './arrivals.js';
import { Checks } from './checks.js';
import { byId, element } from './dom.js';
import { AedrError, toPlain } from './errors.js';
import { outcomeGlyph } from './glyph.js';
import { watchIntake } from './intake.js';
import { offerLanguages } from './language.js';
import { offerLink, showLinkForm } from './link-form.js';
import { hidePreview, showPreview } from './preview.js';
import { errorView, resultView } from './result.js';
import { fetchSample, showSamples } from './samples.js';
import { Scheduler } from './scheduler.js';
import {
  announce,
  revealStage,
  revealWorking,
  showCancelling,
  showIdle,
  showOutcome,
  showPhase,
  showProgress,
} from './stage.js';
import { errors, failure, howSteps, intake as intakeWords, locale, outcomes, page } from './texts.js';

const engine = new Scheduler(new URL('./worker.js', import.meta.url));
const ask = engine.ask.bind(engine);
const settings = byId('settings');
const checks = new Checks({ ask, preference, onChange });

/** The images as a table, once there are several. @type {import('./queue.js').Queue | null} */
let table = null;
/** The image that is on the stage. @type {Entry | null} */
let opened = null;
/** What the stage shows of it. @type {{intake: unknown, phase: string}} */
let shown = { intake: null, phase: '' };

/** @param {Source[]} sources At least one. */
async function receive(sources) {
  if (sources.length > 1 && !table) {
    try {
      await openTable();
    } catch {
      refuse(new AedrError('program_missing', intakeWords.noTable, failure.retryAdvice));
      return;
    }
  }
  if (table) append(table, sources);
  else {
    checks.remove(checks.entries);
    open(checks.add(sources)[0]);
  }
}

async function openTable() {
  const { Queue } = await import('./queue.js');
  const onOpen = (/** @type {Entry} */ entry) => open(entry, { focus: true });
  const made = await Queue.open(checks, { onOpen, onTurn: (entry) => open(entry, { reveal: false }), onRemoved });
  // Samples and what came to nothing are not what a person collects.
  checks.remove(checks.entries.filter(({ intake, error }) => error || intake?.sample));
  if (opened && !checks.entries.includes(opened)) opened = null;
  table ??= made;
  if (opened) table.mark(opened);
}

/** @param {import('./queue.js').Queue} queue @param {Source[]} sources */
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
 * @param {Entry} entry @param {import('./checks.js').Found} found @param {{focus: boolean, reveal: boolean}} options
 */
function showResult(entry, { answer, models, deep }, options) {
  const { outcome, groups } = answer.ranking;
  const intake = /** @type {import('./arrivals.js').Intake} */ (entry.intake);
  const onDeeper = deep ? null : () => again(entry, true);
  // What the browser does not show is shown as it was read.
  if (answer.picture) showPreview({ ...intake, file: answer.picture });
  const view = resultView(answer, { intake, models, onAgain: () => again(entry, deep), onDeeper });
  showOutcome('result', outcome, view, options);
  const standing = groups[0].reports.map((/** @type {number} */ index) => answer.answers[index].report.model.name);
  announce([outcomes[outcome].heading, ...(outcome === 'matches' ? [standing.join(', ')] : [])].join(': '));
}

/**
 * @param {import('./errors.js').PlainError} error @param {(() => void) | null} onAgain
 * @param {{focus: boolean, reveal: boolean}} options
 */
function showError(error, onAgain, options) {
  const onCpu = () => {
    byId('device').querySelector('[value="cpu"]').checked = true;
    onAgain?.();
  };
  const kind = error.code === 'cancelled' ? 'cancelled' : 'error';
  showOutcome('error', kind, errorView(error, { onAgain, onCpu }), { ...options, code: error.code });
  announce(errors[error.code] ?? errors.internal);
}

/** Something came that holds no image. @param {unknown} thrown */
function refuse(thrown) {
  if (!table) checks.remove(checks.entries);
  opened = null;
  table?.mark(null);
  hidePreview();
  showError(toPlain(thrown), null, { focus: false, reveal: true });
}

/** @param {Entry} entry @param {boolean} deep */
function again(entry, deep) {
  checks.again([entry], { deep });
  checks.prefer(entry);
}

/** The device that was chosen. @returns {import('./device.js').DevicePreference} */
function preference() {
  return /** @type {any} */ (new FormData(settings.querySelector('form')).get('device'));
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
watchIntake({ onLink: offerLink, onLooking: () => announce(intakeWords.looking), onError: refuse });
showSamples((sample) => {
  const take = (/** @type {import('./arrivals.js').Taking} */ { signal }) => fetchSample(sample, signal);
  takeSources([{ name: sample.title, intake: null, take }]);
});
byId('cancel').addEventListener('click', () => {
  showCancelling();
  if (opened) checks.cancel([opened]);
});
byId('models').addEventListener('click', async () => {
  const { openLibrary } = await import('./library.js');
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
import('./shared.js').then(({ takeShared }) => takeShared()).catch(() => {});
import('./offline.js').then(({ startOffline }) => startOffline(() => checks.entries)).catch(() => {});
