/**
 * Calibrating an added model with a person's own images, each checked as any image is: of photographs alone the module
 * measures how the orientation control scatters; with images of the model as well it finds the threshold, too. Checks that
 * a person waits for go before each of them. A file that cannot be used is left out.
 *
 * @typedef {import('./types.js').AddedModel} AddedModel
 * @typedef {import('../engine/check-request.js').Ask} Ask
 * @typedef {import('../engine/types.js').DevicePreference} DevicePreference
 */

import { AedrError, paragraph, sentence, toPlain } from '../common/errors.js';
import { requestCheck } from '../engine/check-request.js';
import { PRIORITY } from '../engine/scheduler.js';
import { readBytes } from '../intake/arrivals.js';
import { calibration as words, errors, localizedError, models } from '../texts/catalogue.js';
import { element } from '../ui/dom.js';
import { saveCalibration } from './save-calibration.js';

/** Images of each kind, as the module asks for; told before the first is measured. */
const FEWEST = 20;
/** Codes of errors that every file would meet. */
const ENDS_ALL = /^(cancelled|weights|manifest|program|integrity|no_webgpu|internal)/;
/** Types of files that may be without loss. */
const LOSSLESS = 'image/png,image/bmp,image/tiff,image/webp';
/** The most files to name of those that were left out. */
const NAMED = 10;

/**
 * The form. It can be cancelled at any time; nothing is kept before the end.
 * @param {AddedModel} model @param {{ask: Ask, preference: () => DevicePreference, onDone: () => void}} context
 */
export function calibrationForm(model, { ask, preference, onDone }) {
  const others = filesField(`calibrate-others-${model.key}`, words.others, { required: true, accept: `${LOSSLESS},image/jpeg` });
  const belonging = filesField(`calibrate-belonging-${model.key}`, words.belonging, { accept: LOSSLESS });
  const start = element('button', { type: 'submit' }, words.start);
  const cancel = element('button', { type: 'button' }, words.cancel);
  const state = element('p', { class: 'hint', role: 'status' });
  const form = element(
    'form',
    { class: 'calibration-form', 'aria-label': words.formLabel(model.name) },
    element('p', { class: 'hint' }, words.lead),
    others.field,
    element('p', { class: 'hint' }, words.leadBelonging),
    belonging.field,
    element('p', { class: 'hint' }, words.stay),
    element('p', { class: 'item-actions' }, start, cancel),
    state,
  );
  /** @type {AbortController | null} */
  let running = null;
  cancel.addEventListener('click', () => {
    running?.abort();
    if (!running) onDone();
  });
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    running = new AbortController();
    const { signal } = running;
    /** @type {HTMLButtonElement} */ (start).disabled = true;
    try {
      const sets = /** @type {const} */ ({ belonging: belonging.files(), others: others.files() });
      const photographsAlone = sets.belonging.length === 0;
      for (const { length } of photographsAlone ? [sets.others] : Object.values(sets)) requireEnough(length);
      const { found, leftOut } = await measureAll(sets, signal);
      state.textContent = words.making;
      const params = { id: model.id, ...found };
      const options = { signal, onProgress: () => {}, priority: PRIORITY.background };
      await saveCalibration(model.key, await ask('calibrate', () => ({ params }), options));
      if (leftOut.length === 0 && !photographsAlone) return onDone();
      const more = Math.max(leftOut.length - NAMED, 0);
      const omitted = leftOut.length > 0 ? words.leftOut(leftOut.slice(0, NAMED), more) : '';
      const counts = { own: found.belonging.length, other: found.others.length };
      const done = photographsAlone ? words.doneFromPhotographs(counts.other) : words.done(counts.own, counts.other);
      state.textContent = paragraph(done, omitted);
      cancel.textContent = models.close;
    } catch (thrown) {
      const { code, message, advice } = localizedError(toPlain(thrown));
      state.textContent =
        code === 'cancelled' ? words.cancelled : paragraph(words.failed(errors[code]), sentence(message), advice);
      state.dataset.code = code;
    } finally {
      running = null;
      /** @type {HTMLButtonElement} */ (start).disabled = false;
    }
  });

  /**
   * @param {{belonging: File[], others: File[]}} sets @param {AbortSignal} signal
   * @returns {Promise<{found: {belonging: any[], others: any[]}, leftOut: string[]}>} Reports, and why files have none.
   */
  async function measureAll(sets, signal) {
    const found = { belonging: /** @type {any[]} */ ([]), others: /** @type {any[]} */ ([]) };
    /** @type {string[]} */
    const leftOut = [];
    const total = sets.belonging.length + sets.others.length;
    const lossy = sets.belonging.length === 0;
    let done = 0;
    for (const kind of /** @type {const} */ (['belonging', 'others'])) {
      let left = sets[kind].length;
      for (const file of sets[kind]) {
        state.textContent = words.progress(++done, total);
        try {
          found[kind].push(await measure(file, { lossy, signal }));
        } catch (thrown) {
          const { code, message, advice } = localizedError(toPlain(thrown));
          if (ENDS_ALL.test(code)) throw new AedrError(code, `${file.name}: ${message}`, advice);
          leftOut.push(`${file.name}: ${message}`);
          requireEnough(--left, leftOut);
        }
      }
    }
    return { found, leftOut };
  }

  /** @param {File} file @param {{lossy: boolean, signal: AbortSignal}} options `lossy`: whether it may be compressed with loss. */
  async function measure(file, { lossy, signal }) {
    const models = [{ id: model.id, files: model.files }];
    const { name } = file;
    const prepare = async () => {
      const image = await readBytes({ file, name, arrival: 'picked' });
      return { image, name, models, preference: preference(), deep: false };
    };
    const options = { signal, onProgress: () => {}, priority: PRIORITY.background };
    const { answers } = await requestCheck(ask, prepare, options);
    const [{ report }] = answers;
    if (!lossy && report.image.compression !== 'lossless') throw new AedrError('bad_numbers', words.lossy);
    return report;
  }
  return form;
}

/** @param {number} count Of one kind. @param {string[]} [leftOut] Why others do not count. */
function requireEnough(count, leftOut = []) {
  if (count >= FEWEST) return;
  const last = leftOut.at(-1);
  throw new AedrError('bad_numbers', paragraph(last ? sentence(last) : '', words.tooFew(count, FEWEST)));
}

/** @param {string} id @param {string} label @param {{required?: boolean, accept: string}} options */
function filesField(id, label, { required = false, accept }) {
  const input = /** @type {HTMLInputElement} */ (element('input', { id, type: 'file', multiple: true, required, accept }));
  const field = element('p', {}, element('label', { for: id }, label), input);
  return { field, files: () => [...(input.files ?? [])] };
}
