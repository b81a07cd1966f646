/** Input of a reader's own image: chosen as a file, or dropped on the element. */

import { conversionOf } from '../../intake/conversion.js';
import { element } from '../../ui/dom.js';

/** @typedef {import('./element-image.js').Taken} Taken */

const IMAGES = 'image/png,image/jpeg,image/webp,image/gif,image/bmp,image/tiff,image/*';

export class FileIntake {
  #box;
  #onTaken;
  /** Whether images can be dropped. */
  open = false;

  /** @param {HTMLElement} box Takes the drops. @param {(taken: Taken) => void} onTaken */
  constructor(box, onTaken) {
    this.#box = box;
    this.#onTaken = onTaken;
    // `dragenter` of a child comes before `dragleave` of its parent.
    let depth = 0;
    const show = (/** @type {number} */ newDepth) => {
      depth = Math.max(0, newDepth);
      box.classList.toggle('over', depth > 0);
    };
    this.#listen('dragenter', () => show(depth + 1));
    this.#listen('dragover', () => {});
    this.#listen('drop', (transfer) => {
      show(0);
      this.#take([...transfer.files], 'dropped');
    });
    box.addEventListener('dragleave', () => show(depth - 1));
  }

  /** Lets the reader choose a file. */
  choose() {
    const input = /** @type {HTMLInputElement} */ (element('input', { type: 'file', hidden: true, accept: IMAGES }));
    const end = () => input.remove();
    input.addEventListener('change', () => {
      end();
      this.#take([...(input.files ?? [])], 'picked');
    });
    input.addEventListener('cancel', end);
    this.#box.append(input);
    input.click();
  }

  /** @param {'dragenter' | 'dragover' | 'drop'} type @param {(transfer: DataTransfer) => void} action */
  #listen(type, action) {
    this.#box.addEventListener(type, (event) => {
      const { dataTransfer } = event;
      if (!this.open || !dataTransfer?.types.includes('Files')) return;
      event.preventDefault();
      action(dataTransfer);
    });
  }

  /** @param {File[]} files @param {import('../../intake/types.js').Arrival} arrival */
  async #take([file, ...others], arrival) {
    if (!file) return;
    const { name } = file;
    const beginning = await file.slice(0, 3).arrayBuffer().catch(() => new ArrayBuffer(0));
    const converted = conversionOf({ file, name, arrival }, beginning);
    this.#onTaken({ file, name, arrival, converted, count: 1 + others.length });
  }
}
