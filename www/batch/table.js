/**
 * Several images as a table: where each stands, in any order, and what can be done with them. Loaded when more than
 * one image comes.
 *
 * @typedef {import('./types.js').Entry} Entry
 * @typedef {'name' | 'outcome' | 'model' | 'signal' | 'threshold' | 'share' | 'size'} Column
 */

import { MAX_IMAGES } from '../intake/arrivals.js';
import { locale, table as words } from '../texts/catalogue.js';
import { byId, element, loadStyle, scrolling } from '../ui/dom.js';
import { Pager } from './pager.js';
import { TableActions } from './table-actions.js';
import { Row } from './table-row.js';

const COLUMNS = /** @type {Column[]} */ (['name', 'outcome', 'model', 'signal', 'threshold', 'share', 'size']);
/** Sorted so that the most informative come first. */
const KINDS = ['matches', 'cannot_tell', 'no_trace', 'does_not_match', 'failed', 'cancelled', 'checking', 'waiting'];
const COLLATOR = new Intl.Collator(locale, { numeric: true });

/** What a column is ordered by; null comes last either way. @type {Record<Column, (row: Row, entry: Entry) => any>} */
const KEYS = {
  name: (_, { name }) => name,
  outcome: ({ values, outcomeText }) => `${KINDS.indexOf(values.kind)} ${outcomeText}`,
  model: ({ values: { models } }) => models.join(', ') || null,
  signal: ({ values }) => values.signal,
  threshold: ({ values }) => values.threshold,
  share: ({ values: { control } }) => control?.share ?? null,
  size: ({ values: { width, height } }) => (width === null || height === null ? null : width * height),
};

export class Table {
  #checks;
  #onOpen;
  #onRemoved;
  /** @type {Map<Entry, Row>} In the order the images came. */
  #rows = new Map();
  /** @type {{column: Column, descending: boolean} | null} Null: as they came. */
  #sorting = null;
  /** @type {Entry | null} */
  #opened = null;
  /** @type {Set<Row>} */
  #changed = new Set();
  #body = element('tbody', { role: 'rowgroup' });
  #headers = new Map(COLUMNS.map((column) => [column, this.#header(column)]));
  #summary = element('p', { role: 'status' });
  #bar = element('progress', { 'aria-label': words.progress });
  #full = element('p', { class: 'problem', role: 'alert' });
  #actions;
  #pager;

  /**
   * Shows the table, empty.
   * @param {import('./check-queue.js').CheckQueue} checks
   * @param {{onOpen: (entry: Entry) => void, onTurn: (entry: Entry) => void,
   *   onRemoved: (neighbour: Entry | null) => void}} actions `onOpen`: opened from the table. `onTurn`: opened by the
   *   pager on the stage. `onRemoved` gets the neighbour of the image on the stage, if that was removed.
   */
  static async open(checks, actions) {
    await loadStyle(new URL('./table.css', import.meta.url));
    return new Table(checks, actions);
  }

  /** @param {import('./check-queue.js').CheckQueue} checks @param {Parameters<typeof Table.open>[1]} actions */
  constructor(checks, { onOpen, onTurn, onRemoved }) {
    this.#checks = checks;
    this.#onOpen = onOpen;
    this.#onRemoved = onRemoved;
    this.#pager = new Pager({ onOpen: onTurn, onList: () => this.#back() });
    this.#actions = new TableActions(checks, { order: () => this.#order(), onRemoveAll: () => this.#removeAll() });
    const headers = [...this.#headers.values()];
    const corner = element('td', { role: 'cell' });
    const row = element('tr', { role: 'row' }, ...headers, corner);
    const table = element(
      'table',
      { role: 'table', 'aria-labelledby': 'table-heading' },
      element('thead', { role: 'rowgroup' }, row),
      this.#body,
    );
    const section = byId('table');
    section.replaceChildren(
      element('h2', { id: 'table-heading', tabindex: -1 }, words.heading),
      this.#summary,
      this.#bar,
      this.#full,
      element('div', { class: 'table-scroll' }, table),
      this.#actions.node,
    );
    section.hidden = false;
    this.#body.addEventListener('keydown', (event) => this.#step(event));
  }

  /** Shows all images of the checks. @param {{full?: boolean}} [options] `full`: more came than are taken. */
  refresh({ full = false } = {}) {
    const entries = new Set(this.#checks.entries);
    for (const [entry, row] of this.#rows) {
      if (entries.has(entry)) continue;
      row.remove();
      this.#rows.delete(entry);
    }
    for (const entry of entries) {
      if (this.#rows.has(entry)) continue;
      const actions = { onOpen: () => this.#onOpen(entry), onRemove: () => this.#remove(entry) };
      const row = new Row(entry, actions);
      row.mark(entry === this.#opened);
      this.#rows.set(entry, row);
    }
    this.#full.textContent = full ? words.full(MAX_IMAGES) : '';
    this.#sort();
    this.#count();
  }

  /** Updates the row of an entry that has changed. @param {Entry} entry */
  change(entry) {
    const row = this.#rows.get(entry);
    if (!row) return;
    const before = row.values.kind;
    row.update();
    if (row.values.kind === before) return;
    if (this.#changed.size === 0) queueMicrotask(() => this.#catchUp());
    this.#changed.add(row);
  }

  /** Moves all rows that changed to their places, possibly hundreds at once. */
  #catchUp() {
    const changed = [...this.#changed];
    this.#changed.clear();
    if (this.#sorting && changed.length === 1 && changed[0].node.isConnected) this.#place(changed[0]);
    else if (this.#sorting) this.#sort();
    this.#count();
  }

  /** @param {Entry | null} opened The one on the stage. */
  mark(opened) {
    if (this.#opened) this.#rows.get(this.#opened)?.mark(false);
    this.#opened = opened;
    if (opened) this.#rows.get(opened)?.mark(true);
    this.#pager.show(this.#order(), opened);
  }

  /** Brings it into view. */
  reveal() {
    byId('table').scrollIntoView({ behavior: scrolling(), block: 'start' });
  }

  /** The images in the order of the table. */
  #order() {
    const entries = new Map([...this.#rows].map(([entry, row]) => [row.node, entry]));
    return [...this.#body.children].map((node) => /** @type {Entry} */ (entries.get(/** @type {any} */ (node))));
  }

  /** @param {Column} column */
  #header(column) {
    const button = element('button', { type: 'button' }, words.columns[column]);
    button.addEventListener('click', () => {
      const { column: by, descending } = this.#sorting ?? {};
      if (by !== column) this.#sorting = { column, descending: false };
      else this.#sorting = descending ? null : { column, descending: true };
      this.#sort();
    });
    return element('th', { role: 'columnheader', scope: 'col', class: column, 'aria-sort': 'none' }, button);
  }

  #sort() {
    for (const [column, header] of this.#headers) {
      const { column: by, descending } = this.#sorting ?? {};
      header.setAttribute('aria-sort', by !== column ? 'none' : descending ? 'descending' : 'ascending');
    }
    const rows = [...this.#rows].sort((a, b) => this.#compare(a, b)).map(([, { node }]) => node);
    const focused = document.activeElement;
    this.#body.replaceChildren(...rows);
    if (focused instanceof HTMLElement && this.#body.contains(focused)) focused.focus({ preventScroll: true });
    this.#pager.show(this.#order(), this.#opened);
  }

  /** Moves one row to its place and leaves the others alone. @param {Row} row */
  #place(row) {
    const sorted = [...this.#rows].sort((a, b) => this.#compare(a, b));
    const next = sorted[sorted.findIndex(([, other]) => other === row) + 1]?.[1].node ?? null;
    if (row.node.nextElementSibling === next) return;
    const focused = /** @type {HTMLElement} */ (document.activeElement);
    this.#body.insertBefore(row.node, next);
    if (row.node.contains(focused)) focused.focus({ preventScroll: true });
    this.#pager.show(this.#order(), this.#opened);
  }

  /** @param {[Entry, Row]} a @param {[Entry, Row]} b */
  #compare([entryA, rowA], [entryB, rowB]) {
    if (!this.#sorting) return 0;
    const { column, descending } = this.#sorting;
    const [a, b] = [KEYS[column](rowA, entryA), KEYS[column](rowB, entryB)];
    if (a === null || b === null) return Number(a === null) - Number(b === null);
    const order = typeof a === 'number' ? a - b : COLLATOR.compare(a, b);
    return descending ? -order : order;
  }

  /** Says how many there are of each kind. */
  #count() {
    /** @type {Record<string, number>} */
    const counts = {};
    for (const { values } of this.#rows.values()) counts[values.kind] = (counts[values.kind] ?? 0) + 1;
    const total = this.#rows.size;
    const left = (counts.waiting ?? 0) + (counts.checking ?? 0);
    const parts = KINDS.slice(0, 6).flatMap((kind) => (counts[kind] ? [words.count(kind, counts[kind])] : []));
    const text = left > 0 ? words.checked(total - left, total) : words.summary(total, parts);
    if (this.#summary.textContent !== text) this.#summary.textContent = text;
    // While the counts rise, a screen reader does not announce every image.
    this.#summary.setAttribute('aria-live', left > 0 ? 'off' : 'polite');
    this.#bar.hidden = left === 0;
    this.#bar.setAttribute('max', String(total));
    this.#bar.setAttribute('value', String(total - left));
    this.#actions.update();
  }

  /** @param {Entry} entry */
  #remove(entry) {
    const order = this.#order();
    const at = order.indexOf(entry);
    const neighbour = order[at + 1] ?? order[at - 1] ?? null;
    this.#checks.remove([entry]);
    this.refresh();
    if (neighbour) this.#rows.get(neighbour)?.remover.focus();
    this.#removed(entry === this.#opened ? neighbour : null);
  }

  #removeAll() {
    this.#checks.remove(this.#checks.entries);
    this.refresh();
    this.#removed(null);
  }

  /** @param {Entry | null} neighbour */
  #removed(neighbour) {
    if (this.#rows.size === 0) {
      byId('table').hidden = true;
      this.#pager.remove();
    }
    this.#onRemoved(neighbour);
  }

  /** Goes back from the stage to the image's row. */
  #back() {
    this.reveal();
    const row = this.#opened && this.#rows.get(this.#opened);
    row?.opener.focus({ preventScroll: true });
    row?.node.scrollIntoView({ block: 'nearest' });
  }

  /** Moves up and down through the rows. @param {KeyboardEvent} event */
  #step(event) {
    const step = { ArrowDown: 'nextElementSibling', ArrowUp: 'previousElementSibling' }[event.key];
    const target = /** @type {HTMLElement} */ (event.target);
    if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
    const row = /** @type {any} */ (target.closest('tr'))?.[step];
    if (!row) return;
    event.preventDefault();
    row.querySelector(target.closest('.remove') ? '.remove button' : '.open').focus();
  }
}
