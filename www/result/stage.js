/** The stage: the picture, and beside it the progress and the result, one phase at a time. */

import { progress as progressWords, samples, stages } from '../texts/catalogue.js';
import { byId, scrolling } from '../ui/dom.js';

/** @typedef {'idle' | 'working' | 'result' | 'error'} Phase */

const outcome = byId('outcome');
const status = byId('status');
const progressBar = byId('progress');

/** Object URL of the picture that is shown. */
let address = '';
/** Releases what the view on the stage holds. */
let free = () => {};

/**
 * Shows the picture that is checked, from memory. The check itself never reads these pixels.
 * @param {import('../intake/types.js').Intake} intake
 */
export function showPreview({ file, name, sample }) {
  hidePreview();
  address = URL.createObjectURL(file);
  const image = byId('preview');
  const shown = (/** @type {boolean} */ visible) => {
    image.hidden = !visible;
    byId('no-preview').hidden = visible;
  };
  image.onload = () => shown(true);
  image.onerror = () => shown(false);
  image.src = address;
  image.alt = name;
  byId('picture').hidden = false;
  const caption = byId('caption');
  caption.hidden = false;
  caption.textContent = sample
    ? `${name}. ${sample.decoded ? samples.decodedCaption : samples.photographCaption}`
    : name;
}

export function hidePreview() {
  URL.revokeObjectURL(address);
  byId('preview').removeAttribute('src');
  byId('picture').hidden = true;
  byId('caption').hidden = true;
}

/** @param {Phase} phase */
export function showPhase(phase) {
  // A button of the result that started a check disappears, and the focus with it.
  const orphaned = phase === 'working' && outcome.contains(document.activeElement);
  document.body.dataset.phase = phase;
  byId('idle').hidden = phase !== 'idle';
  byId('working').hidden = phase !== 'working';
  outcome.hidden = phase !== 'result' && phase !== 'error';
  byId('details').hidden = phase !== 'result';
  const empty = byId('picture').hidden;
  const link = byId('link');
  // Around a picture the field for links is a line that opens.
  if (byId('intake').hidden === empty) link.open = empty;
  byId('intake').hidden = !empty;
  byId('again').hidden = empty || phase === 'working';
  byId('cancel').disabled = false;
  if (orphaned) byId('cancel').focus({ preventScroll: true });
  if (phase === 'result') byId('frames').dataset.outcome = outcome.dataset.answer;
  else delete byId('frames').dataset.outcome;
}

/** Returns to the state before the first image. */
export function showIdle() {
  hidePreview();
  showPhase('idle');
}

/** Brings the stage into view if its top is not. @param {{wholly?: boolean}} [options] `wholly`: nothing above it. */
export function revealStage({ wholly = false } = {}) {
  const stage = byId('stage');
  const { top } = stage.getBoundingClientRect();
  if (!wholly && top >= 0 && top < innerHeight / 2) return;
  stage.scrollIntoView({ behavior: scrolling(), block: 'start' });
}

/** Brings the progress into view if there is no picture to see meanwhile. */
export function revealWorking() {
  byId('working').scrollIntoView({ behavior: scrolling(), block: 'nearest' });
}

/** @param {string} text */
export function announce(text) {
  status.textContent = text;
}

/**
 * How far a check is.
 * @param {{stage: string, fraction?: number, loaded?: number, total?: number | null}
 *   & Partial<import('../engine/types.js').ModelProgress>} report
 * @param {{quiet?: boolean}} [options] `quiet`: screen readers do not announce each stage.
 */
export function showProgress(report, { quiet = false } = {}) {
  const { stage, loaded, total = null, model = '', number = 1, count = 1 } = report;
  byId('working').dataset.stage = stage;
  byId('model-text').textContent = count > 1 ? progressWords.model(number, count, model) : '';
  const text = stages[stage] ?? stage;
  const stageText = byId('stage-text');
  if (stageText.textContent !== text) {
    stageText.textContent = text;
    // Once for each stage, so that a screen reader is not flooded.
    if (!quiet) announce(text);
  }
  const done = fractionOf(report);
  if (done === undefined) progressBar.removeAttribute('value');
  else progressBar.value = done;
  byId('progress-text').textContent =
    loaded !== undefined ? progressWords.bytes(loaded, total) : done !== undefined ? progressWords.percent(done) : '';
}

/** From 0 to 1, if it is known. @param {{fraction?: number, loaded?: number, total?: number | null}} report */
export function fractionOf({ fraction, loaded, total }) {
  if (loaded === undefined) return fraction;
  return total ? loaded / total : undefined;
}

/** Shows that a check is being cancelled, which takes a moment. */
export function showCancelling() {
  byId('cancel').disabled = true;
  byId('stage-text').textContent = progressWords.cancelling;
}

/**
 * What a check came to.
 * @param {'result' | 'error'} phase @param {string} kind @param {import('./result.js').View} view
 * @param {{code?: string, focus?: boolean, reveal?: boolean}} [options] `focus`: its heading takes the focus. `reveal`: a
 *   person waits for it.
 */
export function showOutcome(phase, kind, view, { code, focus = false, reveal = true } = {}) {
  // A focused button that disappears would lose the focus.
  const focused = [byId('working'), outcome].some((part) => part.contains(document.activeElement));
  free();
  free = view.free ?? (() => {});
  outcome.replaceChildren(...view.summary);
  byId('details').replaceChildren(...view.details);
  outcome.dataset.outcome = kind;
  outcome.dataset.answer = view.answer ?? kind;
  if (code) outcome.dataset.code = code;
  else delete outcome.dataset.code;
  showPhase(phase);
  const heading = outcome.querySelector('h2');
  if (focused || focus) heading.focus({ preventScroll: true });
  // On a phone the picture may fill the screen.
  if (reveal && heading.getBoundingClientRect().bottom > innerHeight) {
    outcome.scrollIntoView({ behavior: scrolling(), block: 'nearest' });
  }
}
