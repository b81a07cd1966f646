/** Navigation on the stage: to the previous or next image of the table, and back to the table. */

import { table as words } from '../texts/catalogue.js';
import { byId, element } from '../ui/dom.js';

/** @typedef {import('./types.js').Entry} Entry */

export class Pager {
  #node;
  #previous = button(words.previous, () => this.#turn(-1));
  #next = button(words.next, () => this.#turn(1));
  #position = element('span', {});
  #onOpen;
  /** @type {Entry[]} */
  #order = [];
  #at = -1;

  /** @param {{onOpen: (entry: Entry) => void, onList: () => void}} actions */
  constructor({ onOpen, onList }) {
    this.#onOpen = onOpen;
    const back = button(words.back, onList);
    const parts = [back, this.#previous, this.#position, this.#next];
    this.#node = element('nav', { class: 'pager', 'aria-label': words.pager }, ...parts);
    byId('stage').prepend(this.#node);
  }

  /** @param {Entry[]} order @param {Entry | null} opened */
  show(order, opened) {
    this.#order = order;
    this.#at = opened ? order.indexOf(opened) : -1;
    this.#position.textContent = this.#at < 0 ? '' : words.position(this.#at + 1, order.length);
    // `aria-disabled` and not `disabled`, which would take the focus away.
    this.#previous.setAttribute('aria-disabled', String(this.#at <= 0));
    this.#next.setAttribute('aria-disabled', String(this.#at + 1 >= order.length));
  }

  remove() {
    this.#node.remove();
  }

  /** @param {number} step */
  #turn(step) {
    const entry = this.#order[this.#at + step];
    if (entry) this.#onOpen(entry);
  }
}

/** @param {string} text @param {() => void} action */
function button(text, action) {
  const made = element('button', { type: 'button' }, text);
  made.addEventListener('click', action);
  return made;
}
