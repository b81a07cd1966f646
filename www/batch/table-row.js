/** One image's line in the table. */

import { fractionOf } from '../result/stage.js';
import { errors, locale, outcomes, progress as progressWords, shareText, table as words } from '../texts/catalogue.js';
import { element } from '../ui/dom.js';
import { outcomeGlyph } from '../ui/outcome-glyph.js';
import { rowValues } from './row-values.js';

/** @typedef {import('./types.js').Entry} Entry */

const DIGITS = new Intl.NumberFormat(locale, { maximumSignificantDigits: 4 });

export class Row {
  node;
  values;
  /** Shows the image on the stage. */
  opener;
  remover;
  #entry;
  #picture = element('img', { alt: '', loading: 'lazy', decoding: 'async', width: 48, height: 48 });
  #cells = {
    outcome: cell('outcome'),
    model: cell('model', words.columns.model),
    signal: cell('signal', words.columns.signal),
    threshold: cell('threshold', words.columns.threshold),
    share: cell('share', words.columns.share),
    size: cell('size', words.columns.size),
  };
  #state = '';
  #address = '';

  /** @param {Entry} entry @param {{onOpen: () => void, onRemove: () => void}} actions */
  constructor(entry, { onOpen, onRemove }) {
    this.#entry = entry;
    this.opener = element('button', { type: 'button', class: 'open' }, this.#picture, element('span', {}, entry.name));
    this.opener.addEventListener('click', onOpen);
    this.remover = element('button', { type: 'button', 'aria-label': words.removeNamed(entry.name) }, '×');
    this.remover.addEventListener('click', onRemove);
    this.#picture.addEventListener('error', () => this.#picture.removeAttribute('src'));
    // With the roles of a table, also where a narrow screen stacks the cells.
    this.node = element(
      'tr',
      { role: 'row' },
      element('th', { role: 'rowheader', scope: 'row', class: 'name' }, this.opener),
      ...Object.values(this.#cells),
      element('td', { role: 'cell', class: 'remove' }, this.remover),
    );
    this.values = rowValues(entry);
    this.update();
  }

  update() {
    const { state, intake, progress } = this.#entry;
    if (intake && !this.#address) this.#show(intake.file);
    if (state === this.#state) {
      if (state === 'checking') this.#showProgress(progress);
      return;
    }
    this.#state = state;
    this.values = rowValues(this.#entry);
    // If the browser cannot show the file, shows the picture that the module decoded.
    const { picture } = this.#entry.found?.answer ?? {};
    if (picture) this.#show(picture);
    const { kind, models, signal, threshold, control, width, height } = this.values;
    const { outcome, model, signal: signalCell, threshold: thresholdCell, share, size } = this.#cells;
    this.node.dataset.kind = kind;
    outcome.replaceChildren(...this.#outcome());
    model.textContent = models.join(', ');
    signalCell.textContent = signal === null ? '' : DIGITS.format(signal);
    thresholdCell.textContent = threshold === null ? '' : DIGITS.format(threshold);
    share.textContent = control?.share == null ? '' : shareText(control.share);
    size.textContent = width === null ? '' : `${width} × ${height}`;
    if (state === 'checking') this.#showProgress(progress);
  }

  /** @param {Blob} picture */
  #show(picture) {
    URL.revokeObjectURL(this.#address);
    this.#address = URL.createObjectURL(picture);
    this.#picture.setAttribute('src', this.#address);
  }

  /** The outcome in words, which is also the key for sorting. */
  get outcomeText() {
    const { state, error } = this.#entry;
    if (state === 'failed' && error) return errors[error.code] ?? errors.internal;
    return outcomes[this.values.kind]?.heading ?? words.states[state];
  }

  #outcome() {
    const { state } = this.#entry;
    if (state === 'checking') {
      const bar = element('progress', { max: 1, 'aria-label': words.progressNamed(this.#entry.name) });
      return [element('span', {}, this.outcomeText), bar];
    }
    const glyph = state === 'done' ? this.values.kind : state === 'failed' ? 'error' : null;
    const signs = glyph ? [outcomeGlyph(glyph)] : [];
    return [element('div', { class: 'outcome-text' }, ...signs, element('span', {}, this.outcomeText))];
  }

  /** @param {any} progress */
  #showProgress(progress) {
    const [text, bar] = this.#cells.outcome.children;
    // Downloads that serve all images do not count towards this image's progress.
    const done = progress && !['program', 'weights'].includes(progress.stage) ? fractionOf(progress) : undefined;
    if (done === undefined) bar.removeAttribute('value');
    else /** @type {HTMLProgressElement} */ (bar).value = done;
    const percent = done === undefined ? '' : ` ${progressWords.percent(done)}`;
    text.textContent = `${this.outcomeText}${percent}`;
  }

  /** @param {boolean} opened Whether it is the one on the stage. */
  mark(opened) {
    if (opened) this.opener.setAttribute('aria-current', 'true');
    else this.opener.removeAttribute('aria-current');
  }

  remove() {
    URL.revokeObjectURL(this.#address);
    this.node.remove();
  }
}

/** @param {string} name @param {string} [label] What a narrow screen says before it. */
function cell(name, label) {
  return element('td', { role: 'cell', class: name, ...(label ? { 'data-label': label } : {}) });
}
