/** What is needed to repeat a check, from its record: which file, which program, which weights, and all numbers. */

import { paragraph, sentence } from '../common/errors.js';
import {
  answerText,
  control as controlWords,
  controlText,
  device as deviceWords,
  evidenceText,
  exports as words,
  format,
  lines as lineWords,
  locale,
  localizedError,
  numbers,
  result as resultWords,
  robustText,
  shareText,
  signals,
} from '../texts/catalogue.js';
import { element } from '../ui/dom.js';
import { dateText } from './picture-content.js';

const COUNT = new Intl.NumberFormat(locale);

/** The numbers in the order of the table's columns. */
const COLUMNS = /** @type {const} */ (['first', 'second', 'ratio', 'homogeneity', 't']);

/** @param {import('../engine/types.js').CheckAnswer} answer @returns {HTMLElement} A closed details element. */
export function repeatSection(answer) {
  return element(
    'details',
    { class: 'repeat' },
    element('summary', {}, words.repeatHeading),
    element('dl', {}, ...factsOf(answer.record).map(([term, text]) => fact(term, text))),
    element(
      'div',
      // Focusable, so that the keyboard can scroll it where the table is wider than the page.
      { class: 'wide', tabindex: 0, role: 'region', 'aria-label': words.tableLabel },
      table(answer),
    ),
  );
}

/** @param {any} record @returns {[string, string][]} */
function factsOf({ image, created_at: time, program, settings, checks }) {
  const { kind, adapter, maps } = checks[0].device;
  const where = kind === 'webgpu' ? deviceWords.gpu(adapter) : deviceWords.cpu(1);
  const chosen = [
    settings.deep ? words.deep : words.notDeep,
    settings.apply_orientation ? words.turned : words.notTurned,
  ];
  return [
    [words.file, image.name],
    [words.size, words.bytes(COUNT.format(image.bytes))],
    [words.hash, image.sha256],
    [words.time, dateText(time)],
    [words.program, words.version(program.version, program.platform)],
    [words.device, `${where}, ${maps}`],
    [words.settings, new Intl.ListFormat(locale, { style: 'narrow' }).format(chosen)],
  ];
}

/** @param {string} term @param {string} text */
function fact(term, text) {
  return element('div', {}, element('dt', {}, term), element('dd', {}, text));
}

/** A row of numbers for each model, and below it what they rest on. @param {import('../engine/types.js').CheckAnswer} answer */
function table({ answers, failures }) {
  const { threshold, robust, share } = numbers;
  const symbols = [...COLUMNS.map((key) => numbers[key][0]), words.signal, threshold[0], robust[0], share[0]];
  const head = [words.model, words.answer, ...symbols].map((text) => element('th', { scope: 'col' }, text));
  return element(
    'table',
    {},
    element('thead', {}, element('tr', {}, ...head)),
    ...answers.map(({ report }) => modelRows(report, head.length)),
    ...failures.map((failure) => failureRow(failure, head.length)),
  );
}

/** @param {any} report @param {number} width Columns of the table. */
function modelRows(report, width) {
  const { model, losses, homogeneity, t, signal, signal_kind: kind, threshold, evidence, control } = report;
  const comparison = controlText(report);
  /** @type {Record<string, number>} */
  const values = { ...losses, homogeneity, t };
  const cells = [
    answerText(report),
    ...COLUMNS.map((key) => format(values[key])),
    `${signals[kind][0]} ${format(signal)}`,
    threshold === null ? resultWords.noThreshold : format(threshold),
    control ? robustText(control) : '',
    control?.evidence ? shareText(control.evidence.other_share) : controlWords.unknown,
  ];
  const calibrated = model.calibration_sha256 ? words.calibration(model.calibration_sha256) : words.uncalibrated;
  const rest = [
    ...(evidence ? [evidenceText(evidence)] : []),
    ...(comparison ? [comparison] : []),
    paragraph(words.weights(model.precision), ...model.shards.map(shardText)),
    calibrated,
  ];
  return element(
    'tbody',
    {},
    element('tr', {}, element('th', { scope: 'row' }, model.name), ...cells.map((text) => element('td', {}, text))),
    element(
      'tr',
      {},
      element('td', { class: 'rest', colspan: width }, ...rest.map((text) => element('p', {}, text))),
    ),
  );
}

/** @param {{file: string, bytes: number, sha256: string}} shard */
function shardText({ file, bytes, sha256 }) {
  return words.shard(file, COUNT.format(bytes), sha256);
}

/** @param {import('../engine/types.js').ModelFailure} failure @param {number} width */
function failureRow({ model, error }, width) {
  const reason = lineWords.notAsked(sentence(localizedError(error).message));
  const row = element(
    'tr',
    {},
    element('th', { scope: 'row' }, model.name ?? model.id),
    element('td', { colspan: width - 1 }, reason),
  );
  return element('tbody', {}, row);
}
