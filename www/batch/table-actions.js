/** The actions on the images of the table, each offered when it becomes possible. */

import { table as words } from '../texts/catalogue.js';
import { byId, element } from '../ui/dom.js';
import { saveFile } from '../ui/save-file.js';
import { toCsv, toJson } from './table-export.js';

/**
 * @typedef {import('./types.js').Entry} Entry
 * @typedef {[name: string, text: string, act: () => void]} Action
 */

export class TableActions {
  node = element('div', { class: 'table-actions' });
  #checks;
  #order;
  #onRemoveAll;
  /** Whether the removal of all images waits for a confirmation. */
  #confirming = false;

  /**
   * @param {import('./check-queue.js').CheckQueue} checks
   * @param {{order: () => Entry[], onRemoveAll: () => void}} table `order`: its images in the order that it shows.
   */
  constructor(checks, { order, onRemoveAll }) {
    this.#checks = checks;
    this.#order = order;
    this.#onRemoveAll = onRemoveAll;
  }

  /** Offers what can be done now. */
  update() {
    this.#show(this.#confirming ? this.#confirmation() : this.#offer());
  }

  /** @returns {Action[]} */
  #offer() {
    const { entries } = this.#checks;
    const left = entries.filter(({ state }) => state === 'waiting' || state === 'checking');
    const failed = entries.filter(({ state }) => state === 'failed');
    const cancelled = entries.filter(({ state }) => state === 'cancelled');
    const again = (/** @type {Entry[]} */ which) => () => this.#checks.again(which);
    const saveCsv = () => saveFile(toCsv(this.#order()), 'text/csv;charset=utf-8', `${words.fileName}.csv`);
    const saveJson = () => saveFile(toJson(this.#order()), 'application/json', `${words.fileName}.json`);
    /** @type {[boolean, Action][]} */
    const all = [
      [left.length > 0, ['cancel-all', words.cancelAll, () => this.#checks.cancel(left)]],
      [failed.length > 0, ['failed', words.againFailed(failed.length), again(failed)]],
      [cancelled.length > 0, ['cancelled', words.againCancelled(cancelled.length), again(cancelled)]],
      [true, ['csv', words.saveCsv, saveCsv]],
      [true, ['json', words.saveJson, saveJson]],
      [true, ['remove-all', words.removeAll, () => this.#confirm(true)]],
    ];
    return all.filter(([possible]) => possible).map(([, action]) => action);
  }

  /** @returns {Action[]} */
  #confirmation() {
    const removeAll = () => {
      this.#confirming = false;
      this.#onRemoveAll();
    };
    return [
      ['remove-sure', words.removeSure(this.#checks.entries.length), removeAll],
      ['keep', words.keep, () => this.#confirm(false)],
    ];
  }

  /** @param {boolean} confirming */
  #confirm(confirming) {
    this.#confirming = confirming;
    this.update();
    this.node.querySelector('button:last-of-type')?.focus();
  }

  /** Leaves buttons that stay in place, so that they keep the focus. @param {Action[]} actions */
  #show(actions) {
    const buttons = /** @type {HTMLButtonElement[]} */ ([...this.node.children]);
    const before = new Map(buttons.map((button) => [button.dataset.action, button]));
    const next = actions.map(([name, text, act]) => {
      const made = before.get(name) ?? element('button', { type: 'button', 'data-action': name });
      const button = /** @type {HTMLButtonElement} */ (made);
      if (button.textContent !== text) button.textContent = text;
      button.onclick = act;
      return button;
    });
    if (next.length === buttons.length && next.every((button, index) => button === buttons[index])) return;
    const focused = /** @type {HTMLElement} */ (document.activeElement);
    const inside = this.node.contains(focused);
    this.node.replaceChildren(...next);
    if (inside) (this.node.contains(focused) ? focused : byId('table-heading')).focus({ preventScroll: true });
  }
}
