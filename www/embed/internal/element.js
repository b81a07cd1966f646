/**
 * `<aedr-check>`: asks, in any page, which generator made an image. What it says is what the page of aedr says.
 *
 * @typedef {import('../public/index.js').Checker} Checker
 * @typedef {import('../public/index.js').CheckResult} CheckResult
 * @typedef {import('./element-image.js').Taken} Taken
 * @typedef {import('./element-texts.js').Texts} Texts
 * @typedef {{phase: 'idle'} | {phase: 'working', progress: any} | {phase: 'result', result: CheckResult, taken: Taken,
 *   signed: boolean, deep: boolean, later?: Later} | {phase: 'error', error: import('../../common/errors.js').AedrError}} State
 *   `later`: the error of a deeper check, or of another file.
 * @typedef {{error: import('../../common/errors.js').AedrError, deep: boolean}} Later
 * @typedef {{controller: AbortController, done: Promise<CheckResult | null>, given: Taken | null}} Run `given`: what a
 *   reader gave before.
 */

import { AedrError, fromPlain, toPlain } from '../../common/errors.js';
import { marksOf } from '../../origin/credential-marks.js';
import { element } from '../../ui/dom.js';
import { safeName, saveFile } from '../../ui/save-file.js';
import { untrustedText } from '../../ui/untrusted-text.js';
import { isElsewhere, namedImage, takeImage } from './element-image.js';
import { FileIntake } from './element-intake.js';
import { errorNodes, laterNode, resultNodes } from './element-result.js';
import { localeAt, textsIn } from './element-texts.js';
import { previewNode, View } from './element-view.js';
import { borrowChecker, releaseChecker } from './shared-checkers.js';

/** Lets the module be imported where there is no document. */
const Base = globalThis.HTMLElement ?? /** @type {typeof HTMLElement} */ (class {});
const DEVICES = ['auto', 'webgpu', 'cpu'];
/** Codes of errors that another image file may avoid. */
const ANOTHER_HELPS = /^(link|no_file|not_an_image|unsupported|image|file|unreadable)/;

/** Does nothing where it is defined already, and where there is no document. @param {string} [name] */
export function define(name = 'aedr-check') {
  const { customElements } = globalThis;
  if (customElements && !customElements.get(name)) customElements.define(name, class extends AedrCheck {});
}

export class AedrCheck extends Base {
  static observedAttributes = ['src', 'for', 'lang'];

  // Keeps the properties that a page set before the element was defined.
  /** A checker of the page's own, which the element does not close. @type {Checker | undefined} */
  checker = this.checker;
  /** What is asked; without it, what the checker has. @type {import('../public/index.js').CheckOptions['models']} */
  models = this.models;
  /** @type {import('../public/index.js').ScriptAddress | undefined} */
  workerSrc = this.workerSrc;
  /** @type {import('../public/index.js').ScriptAddress | undefined} */
  helperSrc = this.helperSrc;
  /** @type {string | URL | undefined} */
  wasmSrc = this.wasmSrc;

  #view = new View(this.attachShadow({ mode: 'open' }));
  #fileIntake = new FileIntake(this.#view.box, (taken) => this.#start({ taken }));
  /** @type {Texts | null} */
  #texts = null;
  /** @type {State} */
  #state = { phase: 'idle' };
  /** @type {Run | null} */
  #run = null;
  /** What the page gave. @type {Blob | null} */
  #image = null;
  /** What a reader gave. @type {Taken | null} */
  #given = null;

  /** An image to check, rather than one that attributes name. @type {Blob | null} */
  get image() {
    return this.#image;
  }

  set image(image) {
    this.#image = image;
    this.#reset();
  }

  get device() {
    const device = this.getAttribute('device') ?? '';
    return /** @type {'auto' | 'webgpu' | 'cpu'} */ (DEVICES.includes(device) ? device : 'auto');
  }

  set device(device) {
    this.setAttribute('device', device);
  }

  get deep() {
    return this.hasAttribute('deep');
  }

  set deep(deep) {
    this.toggleAttribute('deep', deep);
  }

  get src() {
    return this.getAttribute('src') ?? '';
  }

  set src(address) {
    this.setAttribute('src', address);
  }

  get htmlFor() {
    return this.getAttribute('for') ?? '';
  }

  set htmlFor(id) {
    this.setAttribute('for', id);
  }

  connectedCallback() {
    for (const name of Object.keys(this)) this.#takeOver(name);
    this.#speak();
  }

  disconnectedCallback() {
    // Not if the element was only moved.
    queueMicrotask(() => {
      if (this.isConnected) return;
      this.#reset();
      releaseChecker(this);
    });
  }

  /** @param {string} name @param {string | null} before @param {string | null} now */
  attributeChangedCallback(name, before, now) {
    if (before === now || !this.isConnected) return;
    if (name === 'lang') this.#speak();
    else this.#reset();
  }

  /**
   * Checks the image, as the button does.
   * @returns {Promise<CheckResult | null>} Null if there is no result: the element says why, and so do its events.
   */
  check() {
    return this.#start();
  }

  /** Ends the check that runs. */
  cancel() {
    this.#run?.controller.abort();
  }

  /** Moves a property that was set before the element was defined, and so hides the class's. @param {string} name */
  #takeOver(name) {
    if (!(name in AedrCheck.prototype)) return;
    const self = /** @type {any} */ (this);
    const value = self[name];
    delete self[name];
    self[name] = value;
  }

  async #speak() {
    const texts = await textsIn(localeAt(this)).catch(() => null);
    if (!texts || !this.isConnected) return;
    this.#texts = texts;
    this.#show();
  }

  /** Returns to the state before the first check. */
  #reset() {
    const run = this.#run;
    this.#run = null;
    this.#given = null;
    run?.controller.abort();
    this.#set({ phase: 'idle' });
  }

  /** @param {{taken?: Taken, deep?: boolean}} [options] `taken`: what a reader gave. */
  #start({ taken, deep = this.deep } = {}) {
    if (this.#run) return this.#run.done;
    const asked = new CustomEvent('aedr-start', { bubbles: true, composed: true, cancelable: true });
    if (!this.dispatchEvent(asked)) return Promise.resolve(null);
    const controller = new AbortController();
    /** @type {Run} */
    const run = { controller, done: Promise.resolve(null), given: this.#given };
    if (taken) this.#given = taken;
    this.#run = run;
    run.done = this.#follow(run, deep, this.#state);
    return run.done;
  }

  /** @param {Run} run @param {boolean} deep @param {State} before */
  async #follow(run, deep, before) {
    try {
      const found = await this.#check(run, deep);
      if (this.#run !== run) return null;
      this.#run = null;
      this.#set({ phase: 'result', ...found, deep });
      this.#dispatch('aedr-result', found.result);
      return found.result;
    } catch (thrown) {
      if (this.#run !== run) return null;
      this.#run = null;
      const error = thrown instanceof AedrError ? thrown : fromPlain(toPlain(thrown));
      this.#set(this.#ended(error, run, deep, before));
      this.#dispatch('aedr-error', error);
      return null;
    }
  }

  /**
   * The state after an error. If there was a result, it stays when the same image is checked again, when the check was
   * cancelled, and when the new file holds no image.
   * @param {AedrError} error @param {Run} run @param {boolean} deep @param {State} before @returns {State}
   */
  #ended(error, run, deep, before) {
    const same = this.#given === run.given;
    const cancelled = error.code === 'cancelled';
    if (before.phase !== 'result' || !(same || cancelled || ANOTHER_HELPS.test(error.code))) return { phase: 'error', error };
    this.#given = run.given;
    return cancelled ? before : { ...before, later: { error, deep } };
  }

  /** @param {Run} run @param {boolean} deep */
  async #check(run, deep) {
    const { signal } = run.controller;
    const onProgress = (/** @type {any} */ progress) => {
      if (this.#run !== run || signal.aborted) return;
      this.#setProgress(progress);
      this.#dispatch('aedr-progress', progress);
    };
    const { checker, models, device, workerSrc, helperSrc, wasmSrc } = this;
    const shared = checker ? null : borrowChecker({ device, workerSrc, helperSrc, wasmSrc }, this);
    this.#set({ phase: 'working', progress: { stage: 'start' } });
    const texts = (this.#texts ??= await textsIn(localeAt(this)));
    const taken = await this.#take({ signal, onProgress, texts });
    const asked = checker ?? /** @type {NonNullable<typeof shared>} */ (shared).checker;
    const [result, signed] = await Promise.all([
      asked.check(taken.file, { models, deep, signal, onProgress, name: taken.name }),
      isSigned(taken.file),
    ]);
    return { result, taken, signed };
  }

  /** @param {import('./element-image.js').Taking} taking @returns {Promise<Taken>} */
  async #take(taking) {
    if (this.#given) return this.#given;
    const image = this.#image;
    if (image) return { file: image, name: /** @type {File} */ (image).name ?? '', arrival: 'opened' };
    return takeImage(namedImage(this)?.address ?? '', taking);
  }

  /** @param {string} name @param {unknown} detail */
  #dispatch(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { bubbles: true, composed: true, detail }));
  }

  /** @param {State} state */
  #set(state) {
    this.#state = state;
    if (this.#texts) this.#show();
  }

  /** @param {any} progress */
  #setProgress(progress) {
    this.#state = { phase: 'working', progress };
    if (this.#texts) this.#view.showProgress(progress, this.#texts);
  }

  #show() {
    const texts = /** @type {Texts} */ (this.#texts);
    const state = this.#state;
    const view = this.#view;
    this.#fileIntake.open = this.#choosing && state.phase !== 'working';
    view.speak(texts, this.#label(texts));
    if (state.phase === 'idle') {
      const nodes = this.#idleNodes(texts);
      view.show(nodes, { focus: nodes.find((node) => node.matches('button')) });
    } else if (state.phase === 'working') {
      view.showWorking(texts, () => this.cancel());
      view.showProgress(state.progress, texts);
    } else if (state.phase === 'error') this.#showError(state.error, texts);
    else this.#showResult(state, texts);
  }

  /** Whether readers choose the image. */
  get #choosing() {
    return this.#image === null && !this.hasAttribute('for') && !this.hasAttribute('src');
  }

  /** @param {Texts} texts */
  #label({ embed, page }) {
    const name = untrustedText(this.#given?.name || namedImage(this)?.label || '');
    return name ? embed.labelled(page.stageLabel, name) : page.stageLabel;
  }

  /** @param {Texts} texts @returns {HTMLElement[]} */
  #idleNodes(texts) {
    const { embed, intake, page } = texts;
    const hint = (/** @type {string} */ text) => element('p', { class: 'hint', part: 'hint' }, text);
    const before = this.models || this.checker ? [] : [hint(embed.before)];
    if (this.#choosing) {
      const drop = element('p', { class: 'label' }, embed.dropHere);
      return [drop, this.#primary(page.choose, () => this.#fileIntake.choose()), hint(page.privacy), ...before];
    }
    const elsewhere = !this.#image && isElsewhere(namedImage(this)?.address ?? '');
    const ask = this.#primary(page.headline, () => this.#start());
    return [ask, hint(embed.privacy), ...(elsewhere ? [hint(intake.linkHint)] : []), ...before];
  }

  /** @param {string} text @param {() => void} action */
  #primary(text, action) {
    const button = element('button', { type: 'button', class: 'primary', part: 'button' }, text);
    button.addEventListener('click', action);
    return button;
  }

  /** @param {AedrError} error @param {Texts} texts */
  #showError(error, texts) {
    const { failure, page, result } = texts;
    const { heading, cpuHelps, retryHelps } = texts.errorText(error);
    const cancelled = error.code === 'cancelled';
    const again = () => this.#start();
    // The advice may be to save the image and to choose the file.
    const choosable = this.#choosing || ANOTHER_HELPS.test(error.code);
    const nodes = errorNodes(error, {
      texts,
      actions: [
        [failure.useCpu, cpuHelps ? () => this.#onCpu() : null],
        [failure.tryAgain, retryHelps ? again : null],
        [result.again, cancelled ? again : null],
        [page.choose, choosable ? () => this.#fileIntake.choose() : null],
      ],
    });
    this.#view.show(nodes, { focus: /** @type {Element} */ (nodes[0]), told: heading });
  }

  /** @param {boolean} [deep] As the check before. */
  #onCpu(deep) {
    this.device = 'cpu';
    this.#start({ deep });
  }

  /** @param {Extract<State, {phase: 'result'}>} state @param {Texts} texts */
  #showResult({ result, taken, signed, deep, later }, texts) {
    const { embed, exports, failure, page, result: resultWords } = texts;
    const { file, name, count = 1 } = taken;
    const failed = [...result.failures, ...(later ? [later.error] : [])];
    const onCpu = () => this.#onCpu(later?.deep ?? deep);
    const notes = [...texts.arrivalNotes(taken), ...(count > 1 ? [embed.onlyFirst(count)] : [])];
    const nodes = resultNodes(result, {
      texts,
      notes,
      signed,
      actions: [
        [resultWords.deeper, deep || result.outcome === 'matches' ? null : () => this.#start({ deep: true })],
        [failure.useCpu, failed.some((each) => texts.errorText(each).cpuHelps) ? onCpu : null],
        [exports.json, () => saveRecord(result.record)],
        [page.chooseAnother, this.#choosing || this.#given ? () => this.#fileIntake.choose() : null],
      ],
    });
    const [heading] = nodes;
    const shown = this.hasAttribute('for') && !this.#given ? [] : [previewNode(file, untrustedText(name))];
    const refused = later ? [laterNode(later.error, texts)] : [];
    const told = later ? texts.errorText(later.error).heading : texts.headingText(result.ranking);
    this.#view.show([...refused, ...shown, ...nodes], { focus: /** @type {Element} */ (heading), told });
  }
}

/** Whether a file has Content Credentials, or says where they are. @param {Blob} file */
async function isSigned(file) {
  const marks = await marksOf(file).catch(() => null);
  return marks !== null && (marks.embedded || marks.remote !== null);
}

/** @param {CheckResult['record']} record */
function saveRecord(record) {
  saveFile(`${JSON.stringify(record, null, 2)}\n`, 'application/json', `${safeName(record.image.name)}.aedr.json`);
}
