/**
 * What stands in the element, one phase at a time, and where the focus goes.
 *
 * @typedef {import('./element-texts.js').Texts} Texts
 */

import { element } from '../../ui/dom.js';
import { elementStyle } from './element-style.js';

/** The shortest time between two stages that a screen reader announces, in milliseconds. */
const QUIET_MS = 5000;
/** Pixels of a preview's longer side. */
const PREVIEW = 480;

export class View {
  #root;
  /** The page's own content of the element, shown where nothing else can be. */
  #fallback = element('slot');
  #body = element('div', { class: 'body' });
  #status = element('p', { class: 'unseen', role: 'status' });
  #box = element('div', { class: 'box', part: 'box', role: 'group', hidden: true }, this.#body, this.#status);
  /** @type {{bar: HTMLProgressElement, stage: HTMLElement, model: HTMLElement, done: HTMLElement,
   *   cancel: HTMLButtonElement} | null} */
  #working = null;
  #lastTold = -Infinity;

  /** @param {ShadowRoot} root */
  constructor(root) {
    this.#root = root;
    root.adoptedStyleSheets = [elementStyle()];
    root.append(this.#fallback, this.#box);
  }

  /** The whole of what is seen. */
  get box() {
    return this.#box;
  }

  /** @param {Texts} texts @param {string} label Names the whole. */
  speak({ locale }, label) {
    this.#fallback.hidden = true;
    this.#box.hidden = false;
    this.#box.lang = locale;
    this.#box.dir = 'ltr';
    this.#box.setAttribute('aria-label', label);
  }

  /**
   * @param {Node[]} nodes
   * @param {{focus?: Element | null, told?: string}} [options] `focus` takes the focus if a removed node had it. `told`
   *   is announced by screen readers.
   */
  show(nodes, { focus = null, told = '' } = {}) {
    const focused = this.#body.contains(this.#root.activeElement);
    this.#working = null;
    this.#box.removeAttribute('aria-busy');
    this.#body.replaceChildren(...nodes);
    if (focused && focus instanceof HTMLElement) focus.focus({ preventScroll: true });
    this.#status.textContent = told;
  }

  /** @param {Texts} texts @param {() => void} onCancel */
  showWorking({ page, progress }, onCancel) {
    const bar = /** @type {HTMLProgressElement} */ (
      element('progress', { part: 'progress', 'aria-label': page.working })
    );
    const stage = element('p', { part: 'stage' });
    const model = element('p', { class: 'hint' });
    const done = element('p', { class: 'hint percent' });
    const cancel = /** @type {HTMLButtonElement} */ (
      element('button', { type: 'button', part: 'button' }, page.cancel)
    );
    cancel.addEventListener('click', () => {
      cancel.disabled = true;
      stage.textContent = progress.cancelling;
      onCancel();
    });
    this.show([bar, stage, model, done, cancel], { focus: cancel });
    this.#box.setAttribute('aria-busy', 'true');
    this.#working = { bar, stage, model, done, cancel };
    this.#lastTold = -Infinity;
  }

  /** @param {any} report @param {Texts} texts */
  showProgress({ stage, fraction, loaded, total = null, model = '', number = 1, count = 1 }, { stages, progress }) {
    if (!this.#working || this.#working.cancel.disabled) return;
    const nodes = this.#working;
    if (fraction === undefined) nodes.bar.removeAttribute('value');
    else nodes.bar.value = fraction;
    nodes.model.textContent = count > 1 ? progress.model(number, count, model) : '';
    nodes.done.textContent =
      loaded !== undefined ? progress.bytes(loaded, total) : fraction ? progress.percent(fraction) : '';
    const text = stages[stage];
    if (!text || nodes.stage.textContent === text) return;
    nodes.stage.textContent = text;
    const now = performance.now();
    if (now - this.#lastTold < QUIET_MS) return;
    this.#lastTold = now;
    this.#status.textContent = text;
  }
}

/**
 * A small picture of the image. It is drawn, because a policy may forbid pages to show images from memory. Files that
 * the browser cannot show have none.
 * @param {Blob} file @param {string} label
 */
export function previewNode(file, label) {
  const canvas = /** @type {HTMLCanvasElement} */ (
    element('canvas', { class: 'image', part: 'image', role: 'img', 'aria-label': label, hidden: true })
  );
  createImageBitmap(file).then(
    (bitmap) => {
      const scale = Math.min(1, PREVIEW / Math.max(bitmap.width, bitmap.height));
      canvas.width = Math.max(1, Math.round(scale * bitmap.width));
      canvas.height = Math.max(1, Math.round(scale * bitmap.height));
      canvas.getContext('2d')?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
      bitmap.close();
      canvas.hidden = false;
    },
    () => {},
  );
  return canvas;
}
