/**
 * The page: takes an image, has it checked, shows what was found. A newer image supersedes an older check.
 *
 * @typedef {import('./intake.js').Intake} Intake
 */

import { byId, element } from './dom.js';
import { toPlain } from './errors.js';
import { outcomeGlyph } from './glyph.js';
import { readBytes, watchIntake } from './intake.js';
import { addressOf, modelEntries } from './models.js';
import { hidePreview, showPreview } from './preview.js';
import { Remote } from './remote.js';
import { errorView, resultView } from './result.js';
import { fetchSample, showSamples } from './samples.js';
import { errors, howSteps, outcomes, page, progress as progressWords, stages } from './texts.js';

const engine = new Remote(new URL('./worker.js', import.meta.url));
const status = byId('status');
const outcome = byId('outcome');
const progressBar = byId('progress');
const settings = byId('settings');

/** The newest check. @type {{controller: AbortController, ended: Promise<void>} | null} */
let current = null;

/**
 * Starts a check of what `take` gives, and ends the one before.
 * @param {(signal: AbortSignal) => Promise<Intake>} take
 * @param {boolean} [deep] Whether it searches for the grid that the image may have been painted on.
 */
function begin(take, deep = false) {
  const before = current?.ended ?? Promise.resolve();
  current?.controller.abort();
  const controller = new AbortController();
  const isCurrent = () => current?.controller === controller;
  showProgress({ stage: 'start' });
  showPhase('working');
  const ended = checkOne(take, deep, controller.signal, isCurrent, before).catch((thrown) => showError(thrown, null));
  current = { controller, ended: Promise.all([before, ended]).then(() => {}) };
}

/**
 * @param {(signal: AbortSignal) => Promise<Intake>} take
 * @param {boolean} deep
 * @param {AbortSignal} signal
 * @param {() => boolean} isCurrent Whether no newer image has come.
 * @param {Promise<void>} before When the worker is free.
 */
async function checkOne(take, deep, signal, isCurrent, before) {
  /** @type {Intake | null} */
  let intake = null;
  const again = () => begin(async () => /** @type {Intake} */ (intake), deep);
  const deeper = () => begin(async () => /** @type {Intake} */ (intake), true);
  try {
    intake = await take(signal);
    if (!isCurrent()) return;
    showPreview(intake);
    showPhase('working');
    const image = await readBytes(intake);
    const models = await modelEntries();
    await before;
    const request = { image, models: models.map(addressOf), preference: preference(), deep };
    const onProgress = (/** @type {any} */ report) => isCurrent() && !signal.aborted && showProgress(report);
    const answer = await engine.ask('check', request, [image], { signal, onProgress });
    if (!isCurrent()) return;
    const { outcome: found, groups } = answer.ranking;
    const view = resultView(answer, { intake, models, onAgain: again, onDeeper: deep ? null : deeper });
    const standing = groups[0].reports.map((/** @type {number} */ index) => answer.answers[index].report.model.name);
    finish('result', found, view, outcomes[found].heading, found === 'matches' ? standing.join(', ') : '');
  } catch (thrown) {
    if (!isCurrent()) return;
    if (!intake) hidePreview();
    showError(thrown, intake && again);
  }
}

/** The device that was chosen. */
const preference = () => new FormData(settings.querySelector('form')).get('device');

/** @param {unknown} thrown @param {(() => void) | null} again */
function showError(thrown, again) {
  const error = toPlain(thrown);
  const onCpu = () => {
    byId('device').querySelector('[value="cpu"]').checked = true;
    again?.();
  };
  const kind = error.code === 'cancelled' ? 'cancelled' : 'error';
  finish('error', kind, errorView(error, { onAgain: again, onCpu }), errors[error.code] ?? errors.internal, '');
  outcome.dataset.code = error.code;
}

/**
 * @param {'result' | 'error'} phase @param {string} kind @param {import('./result.js').View} view
 * @param {...string} announcement
 */
function finish(phase, kind, view, ...announcement) {
  // Whoever has the focus on Cancel would lose it with the button.
  const focused = byId('working').contains(document.activeElement);
  outcome.replaceChildren(...view.summary);
  byId('details').replaceChildren(...view.details);
  outcome.dataset.outcome = kind;
  delete outcome.dataset.code;
  showPhase(phase);
  status.textContent = announcement.filter(Boolean).join(': ');
  const heading = outcome.querySelector('h2');
  if (focused) heading.focus({ preventScroll: true });
  // On a phone the picture may fill the screen.
  if (heading.getBoundingClientRect().bottom > innerHeight) {
    outcome.scrollIntoView({ behavior: scrolling(), block: 'nearest' });
  }
}

/** @param {'idle' | 'working' | 'result' | 'error'} phase */
function showPhase(phase) {
  document.body.dataset.phase = phase;
  byId('idle').hidden = phase !== 'idle';
  byId('working').hidden = phase !== 'working';
  outcome.hidden = phase !== 'result' && phase !== 'error';
  byId('details').hidden = phase !== 'result';
  const empty = byId('picture').hidden;
  byId('intake').hidden = !empty;
  byId('again').hidden = empty || phase === 'working';
  byId('cancel').disabled = false;
  if (phase === 'working') {
    delete byId('frames').dataset.outcome;
    reveal();
  }
  if (phase === 'result') byId('frames').dataset.outcome = outcome.dataset.outcome;
}

/** Brings the stage into view if its top is not. */
function reveal() {
  const stage = byId('stage');
  const { top } = stage.getBoundingClientRect();
  if (top >= 0 && top < innerHeight / 2) return;
  stage.scrollIntoView({ behavior: scrolling(), block: 'start' });
}

/** @returns {ScrollBehavior} */
function scrolling() {
  return matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth';
}

/**
 * @param {{stage: string, fraction?: number, loaded?: number, total?: number | null}
 *   & Partial<import('./worker.js').ModelProgress>} report
 */
function showProgress({ stage, fraction, loaded, total = null, model = '', number = 1, count = 1 }) {
  byId('model-text').textContent = count > 1 ? progressWords.model(number, count, model) : '';
  const text = stages[stage] ?? stage;
  const stageText = byId('stage-text');
  if (stageText.textContent !== text) {
    stageText.textContent = text;
    // Once a stage, so that a screen reader is not flooded.
    status.textContent = text;
  }
  const done = loaded === undefined ? fraction : total ? loaded / total : undefined;
  if (done === undefined) progressBar.removeAttribute('value');
  else progressBar.value = done;
  byId('progress-text').textContent =
    loaded !== undefined ? progressWords.bytes(loaded, total) : done !== undefined ? progressWords.percent(done) : '';
}

function fillTexts() {
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
watchIntake(
  (intake) => begin(async () => intake),
  (error) => begin(() => Promise.reject(error)),
);
showSamples((sample) => begin((signal) => fetchSample(sample, signal)));
byId('cancel').addEventListener('click', () => {
  byId('cancel').disabled = true;
  byId('stage-text').textContent = progressWords.cancelling;
  current?.controller.abort();
});
byId('models').addEventListener('click', async () => {
  const { openLibrary } = await import('./library.js');
  await openLibrary({ ask: engine.ask.bind(engine), preference });
});
settings.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
  if (event.key !== 'Escape') return;
  settings.open = false;
  settings.querySelector('summary').focus();
});
document.addEventListener('pointerdown', ({ target }) => {
  if (!settings.contains(/** @type {Node} */ (target))) settings.open = false;
});
