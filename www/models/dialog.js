/**
 * The dialog "Models": what is on this device, and adding more. Loaded when it is first opened.
 *
 * @typedef {import('./imports.js').CatalogEntry} CatalogEntry
 * @typedef {import('./types.js').ImportPlan} ImportPlan
 * @typedef {{plan: ImportPlan, file: Blob | null, error: import('../common/errors.js').PlainError}} Problem
 */

import { paragraph, sentence, toPlain } from '../common/errors.js';
import { errors, localizedError, models as words, progress as progressWords } from '../texts/catalogue.js';
import { byId, element, loadStyle } from '../ui/dom.js';
import { calibrationForm } from './calibration-form.js';
import {
  catalog,
  currentImport,
  fileAddress,
  isReadable,
  planFor,
  planOf,
  runImport,
  watchImports,
} from './imports.js';
import { hostedModels } from './model-list.js';
import { addedModels, remove, storageEstimate, unfinishedImports } from './storage.js';

/** What to offer, by error code. */
const RETRY_HELPS = ['import_interrupted', 'import_refused', 'import_elsewhere', 'weights_corrupt', 'engine_stopped'];
const FILE_HELPS = ['import_refused', 'import_gated', 'import_missing'];

/** @type {CatalogEntry[]} */
let entries = [];
/** Why the last import failed. @type {Problem | null} */
let problem = null;
/** The model whose removal waits for a confirmation. */
let removing = '';
/** @type {HTMLDialogElement | null} */
let dialog = null;

/** The model that is being calibrated. */
let calibrating = '';
/** @type {{ask: import('./calibration-form.js').Ask, preference: () => import('../engine/types.js').DevicePreference}} */
let engine;

/** Opens the dialog. @param {typeof engine} checking What asks the engine, and the device that was chosen. */
export async function openModelDialog(checking) {
  engine = checking;
  dialog ??= await build();
  problem = null;
  removing = calibrating = '';
  dialog.showModal();
  await refresh();
}

/** @returns {Promise<HTMLDialogElement>} */
async function build() {
  await loadStyle(new URL('./dialog.css', import.meta.url));
  const close = button(words.close, () => dialog?.close(), { class: 'close' });
  const built = /** @type {HTMLDialogElement} */ (
    element(
      'dialog',
      { id: 'model-dialog', 'aria-labelledby': 'model-dialog-heading' },
      // Keeps the progress in view, however far a person has scrolled down the list.
      element(
        'header',
        {},
        element('div', { class: 'title' }, element('h2', { id: 'model-dialog-heading', tabindex: -1 }, words.heading), close),
        element('div', { id: 'import-state', role: 'status' }),
        element('div', { id: 'import-problem', role: 'alert' }),
      ),
      element('p', {}, words.lead),
      element('section', {}, element('h3', {}, words.hereHeading), element('ul', { id: 'models-here' })),
      element('p', { id: 'storage-line', class: 'hint' }),
      element(
        'section',
        {},
        element('h3', {}, words.addHeading),
        element('p', { class: 'hint' }, words.addLead),
        element('ul', { id: 'models-known' }),
        fromAddress(),
        fromFile(),
      ),
    )
  );
  document.body.append(built);
  watchImports(showState);
  return built;
}

/** Updates the lists of what is here and what can be added. */
async function refresh() {
  const ours = await hostedModels().catch(() => []);
  const [here, unfinished] = await Promise.all([addedModels(), unfinishedImports()]);
  if (entries.length === 0) {
    entries = await catalog().catch((thrown) => {
      problem = { plan: planless, file: null, error: toPlain(thrown) };
      return [];
    });
  }
  byId('models-here').replaceChildren(
    ...ours.map(({ name }) => item(name, [words.withPage], [], { state: 'hosted' })),
    ...here.map(modelItem),
    ...unfinished.map(unfinishedItem),
  );
  const ids = new Set([...ours, ...here].map(({ id }) => id));
  const begun = new Set(unfinished.map(({ plan }) => plan.key));
  const left = entries.filter(({ id }) => !ids.has(id) && !begun.has(id));
  byId('models-known').replaceChildren(...left.map(entryItem));
  const estimate = await storageEstimate();
  byId('storage-line').textContent = estimate ? words.storage(estimate.used, estimate.available) : words.noStorage;
  showState();
}

/** A problem that is not about a plan. @type {ImportPlan} */
const planless = { key: '', address: null, request: null, calibrations: {} };

/** @param {import('./types.js').AddedModel} model */
function modelItem(model) {
  const { key, name, serves, bytes, calibration, kept } = model;
  const sure = removing === key;
  const ask = (/** @type {string} */ next) => () => {
    removing = next;
    refresh().then(() => focusItem(key));
  };
  const gone = () => {
    removing = '';
    remove(key).then(refresh).then(() => byId('model-dialog-heading').focus());
  };
  const about = [
    ...(serves.length > 0 ? [words.serves(serves)] : []),
    [words.size(bytes), calibrationText(calibration), ...(kept ? [] : [words.thisVisit])].join(' · '),
  ];
  const actions = sure
    ? [button(words.removeSure, gone, { class: 'danger' }), button(words.keep, ask(''))]
    : [
        button(words.calibrate, calibrationOf(key), { 'aria-label': words.calibrateNamed(name) }),
        button(words.remove, ask(key), { 'aria-label': words.removeNamed(name) }),
      ];
  const made = item(name, about, actions, { key, state: kept ? 'kept' : 'visit', calibrated: calibration !== null });
  if (calibrating === key) {
    const onDone = () => calibrationOf('')().then(() => focusItem(key));
    made.append(calibrationForm(model, { ...engine, onDone }));
  }
  return made;
}

/**
 * What a model can tell with its calibration.
 * @param {{conditions?: any[], control?: {photographs: number} | null} | null} calibration
 */
function calibrationText(calibration) {
  if (!calibration) return words.uncalibrated;
  const { conditions, control } = calibration;
  return control && conditions?.length === 0 ? words.fromPhotographs(control.photographs) : words.calibrated;
}

/** Opens the form of one model, or closes it. @param {string} key */
const calibrationOf = (key) => async () => {
  calibrating = key;
  await refresh();
};

/** @param {import('./types.js').UnfinishedImport} unfinished */
function unfinishedItem({ plan, bytes }) {
  const { name } = plan.request.description;
  return item(
    name,
    [words.unfinished(bytes)],
    [
      startButton(button(words.goOn, () => start(() => plan), { 'aria-label': words.goOnNamed(name) })),
      button(words.discard, () => remove(plan.key).then(refresh), { 'aria-label': words.discardNamed(name) }),
    ],
    { key: plan.key, state: 'unfinished' },
  );
}

/** @param {CatalogEntry} entry */
function entryItem(entry) {
  const { name, serves, files, repository, gated, licence, calibration } = entry;
  const alike = entries.filter(({ shares }) => shares.includes(entry.id)).map(({ name }) => name);
  const megabytes = files.reduce((sum, file) => sum + file.about_megabytes, 0);
  /** @type {(Node | string)[]} */
  const about = [
    words.serves(serves),
    words.origin(repository, licence),
    calibrationText(calibration),
    ...(alike.length > 0 ? [words.alike(alike)] : []),
  ];
  if (!isReadable(entry)) return item(name, [...about, words.needsProgram(entry.id)], []);
  const choose = () => pick((file) => start(() => planOf(entry, { local: true }), { file }));
  if (!gated) {
    const label = { 'aria-label': words.addNamed(name, megabytes) };
    return item(name, about, [startButton(button(words.add(megabytes), () => start(() => planOf(entry)), label))]);
  }
  const page = element(
    'a',
    { href: `https://huggingface.co/${repository}`, target: '_blank', rel: 'noreferrer' },
    `huggingface.co/${repository}`,
  );
  about.push(element('span', {}, words.gatedBefore, page, words.gatedAfter(files[0].file, megabytes)));
  return item(name, about, [startButton(button(words.chooseFile, choose, { 'aria-label': words.chooseFileNamed(name) }))]);
}

/**
 * @param {string} name @param {(Node | string)[]} about @param {Node[]} actions
 * @param {{key?: string, state?: 'hosted' | 'kept' | 'visit' | 'unfinished' | 'offered', calibrated?: boolean}} [codes]
 */
function item(name, about, actions, { key = '', state = 'offered', calibrated } = {}) {
  return element(
    'li',
    { 'data-key': key, 'data-state': state, 'data-calibrated': calibrated ?? false },
    element('div', {}, element('strong', {}, name), ...about.map((line) => element('p', { class: 'hint' }, line))),
    ...(actions.length > 0 ? [element('p', { class: 'item-actions' }, ...actions)] : []),
  );
}

function fromAddress() {
  const kind = { type: 'url', autocomplete: 'off', spellcheck: 'false', required: true };
  const input = element('input', { id: 'model-address', ...kind });
  const form = element(
    'form',
    {},
    element('label', { for: 'model-address' }, words.addressLabel),
    element('div', { class: 'field' }, input, startButton(element('button', { type: 'submit' }, words.addPlain))),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const { value } = /** @type {HTMLInputElement} */ (input);
    start(() => planFor({ address: fileAddress(value) }, entries));
  });
  return form;
}

function fromFile() {
  const choose = () => pick((file) => start(() => planFor({ file }, entries), { file }));
  return element(
    'div',
    { class: 'from-file' },
    element('p', {}, words.fileLabel),
    startButton(button(words.chooseFile, choose)),
  );
}

/** Lets a person choose a file of this device. @param {(file: File) => void} onFile */
function pick(onFile) {
  const input = /** @type {HTMLInputElement} */ (element('input', { type: 'file' }));
  input.addEventListener('change', () => {
    const file = input.files?.[0];
    if (file) onFile(file);
  });
  input.click();
}

/**
 * Adds a model, and tells what went wrong if something does.
 * @param {() => ImportPlan | Promise<ImportPlan>} makePlan
 * @param {{file?: Blob | null, keep?: boolean}} [options]
 */
async function start(makePlan, { file = null, keep = true } = {}) {
  problem = null;
  showState();
  let plan = planless;
  try {
    plan = await makePlan();
    await runImport(plan, { file, keep });
  } catch (thrown) {
    const error = toPlain(thrown);
    // A person who cancelled knows why; the partial import is listed among the unfinished ones.
    if (error.code !== 'cancelled') problem = { plan, file, error };
  }
  await refresh();
}

/** Shows what runs and what failed. */
function showState() {
  const running = currentImport();
  byId('models').textContent = running ? words.openAdding(fraction(running)) : words.open;
  if (!dialog) return;
  for (const control of dialog.querySelectorAll('[data-starts]')) {
    /** @type {HTMLButtonElement} */ (control).disabled = running !== null;
  }
  showRunning(running);
  showProblem();
}

/** @param {import('./imports.js').Running | null} running */
function showRunning(running) {
  const state = byId('import-state');
  if (!running) {
    state.replaceChildren();
    return;
  }
  const { plan, loaded, total, partOf, waiting, cancel } = running;
  const { name } = plan.request.description;
  if (state.dataset.key !== plan.key || !state.firstChild) {
    state.dataset.key = plan.key;
    // The changing numbers are hidden from screen readers, which would announce each one.
    state.replaceChildren(
      element('p', {}, words.adding(name)),
      element('progress', { max: 1, 'aria-label': words.adding(name) }),
      element('p', { class: 'hint', 'aria-hidden': true }),
      element('p', {}, button(words.cancel, cancel)),
    );
  }
  const bar = state.querySelector('progress');
  if (total) bar.value = loaded / total;
  else bar.removeAttribute('value');
  state.querySelector('.hint').textContent = waiting
    ? words.waiting
    : [progressWords.bytes(loaded, total), ...(partOf ? [words.partOf(partOf)] : [])].join(' · ');
}

function showProblem() {
  const place = byId('import-problem');
  if (!problem) {
    place.replaceChildren();
    return;
  }
  const { plan, file, error } = problem;
  const { message, advice } = localizedError(error);
  const actions = [];
  if (error.code === 'storage_full') actions.push(button(words.forThisVisit, () => start(() => plan, { file, keep: false })));
  if (plan.key && RETRY_HELPS.includes(error.code)) {
    actions.push(button(words.tryAgain, () => start(() => plan, { file })));
  }
  if (plan.key && FILE_HELPS.includes(error.code)) {
    const local = { ...plan, address: null };
    actions.push(button(words.chooseFile, () => pick((chosen) => start(() => local, { file: chosen }))));
  }
  place.dataset.code = error.code;
  place.replaceChildren(
    element('strong', {}, errors[error.code] ?? errors.internal),
    element('p', {}, paragraph(sentence(message), words.advice[error.code] ?? advice)),
    ...(actions.length > 0 ? [element('p', { class: 'item-actions' }, ...actions)] : []),
  );
}

/** @param {import('./imports.js').Running} running */
const fraction = ({ loaded, total }) => (total ? loaded / total : 0);

/** A button that starts an import: of use only while none runs. @param {HTMLElement} control */
function startButton(control) {
  control.dataset.starts = '';
  /** @type {HTMLButtonElement} */ (control).disabled = currentImport() !== null;
  return control;
}

/** @param {string} text @param {() => void} action @param {Record<string, string>} [attributes] */
function button(text, action, attributes = {}) {
  const made = element('button', { type: 'button', ...attributes }, text);
  made.addEventListener('click', action);
  return made;
}

/** @param {string} key */
function focusItem(key) {
  const found = [...byId('models-here').children].find((child) => child.dataset.key === key);
  found?.querySelector('button')?.focus();
}
