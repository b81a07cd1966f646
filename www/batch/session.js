/**
 * The images of a visit: receives them, has them checked and shows the results. A single image replaces the one before;
 * several are kept in a table.
 *
 * @typedef {import('../intake/types.js').Source} Source
 * @typedef {import('../common/errors.js').PlainError} PlainError
 * @typedef {import('./types.js').Entry} Entry
 * @typedef {import('./table.js').Table} Table
 */

import { toPlain } from '../common/errors.js';
import { exportSection } from '../export/export-placeholder.js';
import { MAX_IMAGES } from '../intake/arrivals.js';
import { errorView, resultView } from '../result/result.js';
import {
  announce,
  hidePreview,
  revealStage,
  revealWorking,
  showCancelling,
  showIdle,
  showOutcome,
  showPhase,
  showPreview,
  showProgress,
} from '../result/stage.js';
import { errors, errorText, failure, headingText, intake as intakeWords } from '../texts/catalogue.js';
import { byId } from '../ui/dom.js';
import { showPassingNotice } from '../ui/notice.js';
import { chooseCpu, devicePreference } from '../ui/settings.js';
import { CheckQueue } from './check-queue.js';

/** Codes of errors that are about the input, not about its check. */
const NO_IMAGE = /^(link|no_file|not_an_image|unsupported|image|file|unreadable)/;

export class Session {
  #checks;
  /** The images as a table, once there are several. @type {Table | null} */
  #table = null;
  /** The image that is on the stage. @type {Entry | null} */
  #opened = null;
  /** The image that was replaced, with its result, until the next image has been decoded. @type {Entry | null} */
  #superseded = null;
  /** What the stage shows of the opened one. @type {{intake: unknown, phase: string}} */
  #shown = { intake: null, phase: '' };

  /** @param {import('../engine/check-request.js').Ask} ask Asks the worker. */
  constructor(ask) {
    const onChange = (/** @type {Entry} */ entry) => this.#change(entry);
    this.#checks = new CheckQueue({ ask, preference: devicePreference, onChange });
  }

  get entries() {
    return this.#checks.entries;
  }

  /** @param {Source[]} sources At least one. */
  async receive(sources) {
    if (sources.length > 1 && !this.#table) {
      try {
        await this.#openTable();
      } catch {
        this.#refuse({ code: 'program_missing', message: intakeWords.noTable, advice: failure.retryAdvice });
        return;
      }
    }
    if (this.#table) this.#append(this.#table, sources);
    else this.#supersede(sources[0]);
  }

  /** No image came. @param {unknown} thrown Why. */
  refuse(thrown) {
    this.#refuse(toPlain(thrown));
  }

  /** Cancels the check that the stage shows. */
  cancel() {
    showCancelling();
    if (this.#opened) this.#checks.cancel([this.#opened]);
  }

  /** @param {Source} source Of the one image that is to be on the stage. */
  #supersede(source) {
    const checks = this.#checks;
    this.#superseded ??= this.#opened?.found ? this.#opened : null;
    checks.remove(checks.entries.filter((entry) => entry !== this.#superseded));
    this.#open(checks.add([source])[0]);
    if (this.#superseded) checks.cancel([this.#superseded]);
  }

  /**
   * Removes the previous image once the next has been checked. If the next was no image, brings the previous one back.
   * @param {Entry} entry The next. @returns {boolean} Whether the previous image came back.
   */
  #succeed({ source, intake, state, error }) {
    const checks = this.#checks;
    const before = this.#superseded;
    if (!before || state === 'waiting' || state === 'checking') return false;
    this.#superseded = null;
    const refused = error !== null && (intake === null || NO_IMAGE.test(error.code));
    checks.remove(refused ? checks.entries.filter((entry) => entry !== before) : [before]);
    if (!refused) return false;
    this.#open(before, { reveal: false });
    if (error.code !== 'cancelled') this.#refuse(error, () => this.receive([source]));
    return true;
  }

  async #openTable() {
    const checks = this.#checks;
    const { Table } = await import('./table.js');
    const made = await Table.open(checks, {
      onOpen: (entry) => this.#open(entry, { focus: true }),
      onTurn: (entry) => this.#open(entry, { reveal: false }),
      onRemoved: (neighbour) => this.#removed(neighbour),
    });
    this.#superseded = null;
    // Samples and images that failed are removed: nobody meant to collect them.
    checks.remove(checks.entries.filter(({ intake, error }) => error || intake?.sample));
    if (this.#opened && !checks.entries.includes(this.#opened)) this.#opened = null;
    this.#table ??= made;
    if (this.#opened) this.#table.mark(this.#opened);
  }

  /** @param {Table} table @param {Source[]} sources */
  #append(table, sources) {
    const left = MAX_IMAGES - this.entries.length;
    const added = this.#checks.add(sources.slice(0, left));
    table.refresh({ full: sources.length > left });
    const [first] = added;
    if (first && sources.length === 1) return this.#open(first);
    if (first && !this.#opened) this.#open(first, { reveal: false });
    table.reveal();
  }

  /** Some were removed from the table. @param {Entry | null} neighbour Of the one on the stage, if it is gone. */
  #removed(neighbour) {
    if (this.#opened && this.entries.includes(this.#opened)) return;
    if (neighbour) return this.#open(neighbour, { reveal: false });
    this.#opened = null;
    if (this.entries.length > 0) return;
    this.#table = null;
    showIdle();
    byId('intake').querySelector('button').focus();
  }

  /** Puts an image on the stage. @param {Entry} entry @param {{focus?: boolean, reveal?: boolean}} [options] */
  #open(entry, { focus = false, reveal = true } = {}) {
    this.#opened = entry;
    this.#shown = { intake: null, phase: '' };
    this.#table?.mark(entry);
    this.#checks.prefer(entry);
    this.#show(entry, { focus, reveal: reveal && !focus });
    if (focus) revealStage({ wholly: true });
  }

  /** @param {Entry} entry */
  #change(entry) {
    this.#table?.change(entry);
    if (entry !== this.#opened || this.#succeed(entry)) return;
    // A repeated check of it failed.
    if (entry.found && entry.error) this.#refuse(entry.error, () => this.#again(entry, entry.deep));
    // With a table, a person may be reading elsewhere.
    this.#show(entry, { focus: false, reveal: this.#table === null });
  }

  /** Shows where an image stands. @param {Entry} entry @param {{focus: boolean, reveal: boolean}} options */
  #show(entry, options) {
    const { state, intake, progress, found, error } = entry;
    const pending = state === 'waiting' || state === 'checking';
    const fetching = pending && progress?.stage === 'link';
    const phase = fetching ? 'fetching' : pending ? 'working' : state;
    const before = this.#shown;
    if (intake && intake !== before.intake) showPreview(intake);
    else if (!intake && (!pending || this.#table || fetching)) hidePreview();
    this.#shown = { intake, phase };
    if (pending) {
      showProgress(progress ?? { stage: this.#table ? 'waiting' : 'start' }, { quiet: this.#table !== null });
      if (before.phase === phase && before.intake === intake) return;
      showPhase('working');
      if (options.reveal) fetching ? revealWorking() : revealStage();
      if (options.focus) byId('stage').focus({ preventScroll: true });
    } else if (state === 'done' && found) this.#showResult(entry, found, options);
    else if (error) this.#showError(error, () => this.#again(entry, entry.deep), options);
  }

  /**
   * @param {Entry} entry @param {import('./types.js').Found} found @param {{focus: boolean, reveal: boolean}} options
   */
  #showResult(entry, { answer, models, deep }, options) {
    const { outcome, groups } = answer.ranking;
    const intake = /** @type {import('../intake/types.js').Intake} */ (entry.intake);
    const onDeeper = deep ? null : () => this.#again(entry, true);
    // If the browser cannot show the file, shows the picture that the module decoded.
    if (answer.picture) showPreview({ ...intake, file: answer.picture });
    const onAgain = () => this.#again(entry, deep);
    const view = resultView(answer, {
      intake,
      models,
      exportSection: () => exportSection(answer, { intake, models }),
      onAgain,
      onCpu: () => onCpu(onAgain),
      onDeeper,
    });
    showOutcome('result', outcome, view, options);
    const standing = groups[0].reports.map((/** @type {number} */ index) => answer.answers[index].report.model.name);
    announce([headingText(answer.ranking), ...(outcome === 'matches' ? [standing.join(', ')] : [])].join(': '));
  }

  /**
   * @param {PlainError} error @param {(() => void) | null} onAgain @param {{focus: boolean, reveal: boolean}} options
   */
  #showError(error, onAgain, options) {
    const kind = error.code === 'cancelled' ? 'cancelled' : 'error';
    const view = errorView(error, { onAgain, onCpu: () => onCpu(onAgain) });
    showOutcome('error', kind, view, { ...options, code: error.code });
    announce(errors[error.code] ?? errors.internal);
  }

  /**
   * Reports a failure and leaves everything else as it is.
   * @param {PlainError} error @param {(() => void) | null} [onAgain] Null if there is no image.
   */
  #refuse(error, onAgain = null) {
    const { text, advice, cpuHelps, retryHelps } = errorText(error);
    const actions = [
      ...(onAgain && cpuHelps ? [{ text: failure.useCpu, run: () => onCpu(onAgain) }] : []),
      ...(onAgain && retryHelps ? [{ text: failure.tryAgain, run: onAgain }] : []),
    ];
    showPassingNotice(text, advice, { code: error.code, actions });
  }

  /** @param {Entry} entry @param {boolean} deep */
  #again(entry, deep) {
    this.#checks.again([entry], { deep });
    this.#checks.prefer(entry);
  }
}

/** @param {(() => void) | null} onAgain */
function onCpu(onAgain) {
  chooseCpu();
  onAgain?.();
}
