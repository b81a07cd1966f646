/**
 * The exports of a result: the record as JSON, the page on paper, a picture. Loaded with the first
 * result; the picture's renderer and fonts with the first picture.
 *
 * @typedef {import('../engine/types.js').CheckAnswer} CheckAnswer
 * @typedef {import('../intake/types.js').Intake} Intake
 * @typedef {import('../models/types.js').ModelEntry} ModelEntry
 */

import { paragraph, sentence, toPlain } from '../common/errors.js';
import { Scheduler } from '../engine/scheduler.js';
import { exports as words, locale, localizedError } from '../texts/catalogue.js';
import { element, loadStyle } from '../ui/dom.js';
import { safeName, saveFile } from '../ui/save-file.js';
import { dateText, pictureContent } from './picture-content.js';
import { repeatSection } from './repeat-section.js';
import { thumbnail } from './thumbnail.js';

const drawer = new Scheduler(new URL('./picture-worker.js', import.meta.url), { confined: true });

/** Whether the picture includes the image, as last chosen. */
let including = true;

/**
 * Fills the section.
 * @param {HTMLElement} section @param {CheckAnswer} answer @param {{intake: Intake, models: ModelEntry[]}} context
 */
export async function showExports(section, answer, context) {
  await Promise.all(['./exports.css', './print.css'].map((file) => loadStyle(new URL(file, import.meta.url))));
  const { record } = answer;
  const name = safeName(record.image.name);
  const report = `${name}.aedr.json`;
  const command = element('code', {}, `aedr check --replay ${/[^\w.-]/.test(report) ? `'${report}'` : report}`);
  datePrint(dateText(record.created_at));
  section.replaceChildren(
    element('h3', {}, words.heading),
    element('p', { class: 'hint' }, words.lead),
    element(
      'ul',
      { class: 'ways' },
      way(words.json, () => saveReport(record, context.intake.file, report), words.jsonHint, command),
      pictureWay(answer, context, `${name}.aedr.png`),
      way(words.print, () => print(), words.printHint),
    ),
    repeatSection(answer),
    element('p', { class: 'printed' }, words.printed),
  );
}

/** @param {any} record @param {Blob} file @param {string} name */
async function saveReport(record, file, name) {
  record.credentials ??= await credentialsOf(file);
  saveFile(`${JSON.stringify(record, null, 2)}\n`, 'application/json', name);
}

/** The page's summary of Content Credentials; a report is complete without. @param {Blob} file */
async function credentialsOf(file) {
  try {
    const { credentialsSummary } = await import('../origin/credentials.js');
    return await credentialsSummary(file);
  } catch {
    return null;
  }
}

/** @param {string} text @param {() => void} action @param {string} hint @param {...Node} more */
function way(text, action, hint, ...more) {
  const button = element('button', { type: 'button' }, text);
  button.addEventListener('click', action);
  return element('li', {}, button, element('p', { class: 'hint' }, hint), ...more);
}

/** @param {CheckAnswer} answer @param {{intake: Intake, models: ModelEntry[]}} context @param {string} name */
function pictureWay(answer, { intake, models }, name) {
  const include = /** @type {HTMLInputElement} */ (element('input', { type: 'checkbox' }));
  include.checked = including;
  include.addEventListener('change', () => {
    including = include.checked;
  });
  const line = element('p', { class: 'hint', role: 'status' });
  let making = false;
  const make = async () => {
    if (making) return;
    making = true;
    line.textContent = words.making;
    try {
      const wanted = include.checked;
      const { png, withImage } = await pictureOf(answer, models, wanted ? intake.file : null);
      saveFile(png, 'image/png', name);
      line.textContent = withImage || !wanted ? words.saved(name) : words.savedWithout(name);
    } catch (thrown) {
      const { message } = localizedError(toPlain(thrown));
      line.textContent = paragraph(words.failed(sentence(message)), words.failedAdvice);
    }
    making = false;
  };
  const choice = element('label', {}, include, element('span', {}, words.include));
  return way(words.picture, make, words.pictureHint, choice, line);
}

/**
 * @param {CheckAnswer} answer @param {ModelEntry[]} models @param {Blob | null} file The image, if it is to be in it.
 * @returns {Promise<{png: Uint8Array<ArrayBuffer>, withImage: boolean}>}
 */
async function pictureOf(answer, models, file) {
  const shown = file && answer.picture ? new Blob([answer.picture], { type: 'image/png' }) : file;
  const small = shown && (await thumbnail(shown, answer.answers[0].report.image));
  try {
    return { png: await draw(pictureContent(answer, models, small)), withImage: small !== null };
  } catch (thrown) {
    // A large image may be too much for the renderer; the picture without it is not.
    if (!small || toPlain(thrown).code === 'program_missing') throw thrown;
    return { png: await draw(pictureContent(answer, models, null)), withImage: false };
  }
}

/** @param {import('./picture.js').PictureContent} content @returns {Promise<Uint8Array<ArrayBuffer>>} */
function draw(content) {
  const { signal } = new AbortController();
  return drawer.ask('draw', () => ({ params: { content, locale } }), { signal, onProgress: () => {} });
}

/** The date stands at the top of the paper. @param {string} text */
function datePrint(text) {
  const head = document.querySelector('.masthead');
  const found = head?.querySelector('.print-date');
  if (found) found.textContent = text;
  else head?.append(element('p', { class: 'print-date' }, text));
}

/** Sections that are closed on the screen and opened for printing. @type {HTMLDetailsElement[]} */
let unfolded = [];
addEventListener('beforeprint', () => {
  /** @type {NodeListOf<HTMLDetailsElement>} */
  const closed = document.querySelectorAll('.meaning:not([open]), .repeat:not([open])');
  unfolded = [...closed];
  for (const details of unfolded) details.open = true;
});
addEventListener('afterprint', () => {
  for (const details of unfolded) details.open = false;
  unfolded = [];
});
