/**
 * Calibrating an added model with a person's own images: two sets of files, each checked as any image is, and the
 * module makes the threshold of what was found.
 *
 * @typedef {import('./store.js').AddedModel} AddedModel
 * @typedef {(method: string, params: any, transfer: Transferable[],
 *   options: {signal: AbortSignal, onProgress: (progress: any) => void}) => Promise<any>} Ask
 */

import { element } from './dom.js';
import { AedrError, paragraph, sentence, toPlain } from './errors.js';
import { inWords } from './said.js';
import { saveCalibration } from './store.js';
import { calibrating as words, errors } from './texts.js';

/** Images of each kind, as the module asks for; told before the first is measured. */
const FEWEST = 20;

/**
 * The form. It can be cancelled at any time; nothing is kept before the end.
 * @param {AddedModel} model @param {{ask: Ask, preference: () => unknown, onDone: () => void}} context
 */
export function calibrationForm(model, { ask, preference, onDone }) {
  const belonging = filesField(`calibrate-belonging-${model.key}`, words.belonging);
  const others = filesField(`calibrate-others-${model.key}`, words.others);
  const start = element('button', { type: 'submit' }, words.start);
  const cancel = element('button', { type: 'button' }, words.cancel);
  const state = element('p', { class: 'hint', role: 'status' });
  const form = element(
    'form',
    { class: 'calibrating', 'aria-label': words.formLabel(model.name) },
    element('p', { class: 'hint' }, words.lead),
    belonging.field,
    others.field,
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
      for (const { files } of [belonging, others]) {
        if (files().length < FEWEST) throw new AedrError('bad_numbers', words.tooFew(files().length, FEWEST));
      }
      const found = { belonging: /** @type {any[]} */ ([]), others: /** @type {any[]} */ ([]) };
      const total = belonging.files().length + others.files().length;
      let done = 0;
      for (const [kind, files] of /** @type {const} */ ([['belonging', belonging.files()], ['others', others.files()]])) {
        for (const file of files) {
          state.textContent = words.progress(++done, total);
          found[kind].push(await measure(file, signal));
        }
      }
      state.textContent = words.making;
      const text = await ask('calibrate', { id: model.id, ...found }, [], { signal, onProgress: () => {} });
      await saveCalibration(model.key, text);
      onDone();
    } catch (thrown) {
      const { code, message, advice } = inWords(toPlain(thrown));
      state.textContent =
        code === 'cancelled' ? words.cancelled : paragraph(words.failed(errors[code]), sentence(message), advice);
    } finally {
      running = null;
      /** @type {HTMLButtonElement} */ (start).disabled = false;
    }
  });

  /** @param {File} file @param {AbortSignal} signal */
  async function measure(file, signal) {
    const image = await file.arrayBuffer();
    const models = [{ id: model.id, files: model.files }];
    const params = { image, name: file.name, models, preference: preference(), deep: false };
    try {
      const answer = await ask('check', params, [image], { signal, onProgress: () => {} });
      const [{ report }] = answer.answers;
      if (report.image.compression !== 'lossless') throw new AedrError('bad_numbers', words.lossy);
      return report;
    } catch (thrown) {
      const { code, message, advice } = inWords(toPlain(thrown));
      throw new AedrError(code, `${file.name}: ${message}`, advice);
    }
  }
  return form;
}

/** @param {string} id @param {string} label */
function filesField(id, label) {
  const input = /** @type {HTMLInputElement} */ (
    element('input', { id, type: 'file', multiple: true, required: true, accept: 'image/png,image/bmp,image/tiff,image/webp' })
  );
  const field = element('p', {}, element('label', { for: id }, label), input);
  return { field, files: () => [...(input.files ?? [])] };
}
