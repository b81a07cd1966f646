/** All that was measured, for those who want to see it: each model's numbers and where its signal lies. */

import { element } from './dom.js';
import { paragraph } from './errors.js';
import { evidencePlot } from './plot.js';
import { locale, numbers, result as words, signals } from './texts.js';

/** @typedef {import('./worker.js').ModelAnswer} ModelAnswer */

const DIGITS = new Intl.NumberFormat(locale, { maximumSignificantDigits: 4 });
/** A number as the page writes it. @param {number} value */
export const format = (value) => DIGITS.format(value);

/** The first is open; its plot stands with the verdict. @param {ModelAnswer[]} answers At least one. */
export function numbersSection(answers) {
  const [{ report }] = answers;
  const lists =
    answers.length === 1
      ? [numberList(report)]
      : answers.map(({ report, distribution }, index) =>
          element(
            'details',
            { open: index === 0 },
            element('summary', {}, report.model.name),
            ...(index > 0 && report.evidence ? [evidencePlot(report.evidence, distribution)] : []),
            numberList(report),
          ),
        );
  return element(
    'section',
    { class: 'numbers' },
    element('h3', {}, words.numbersHeading),
    element('p', { class: 'hint' }, words.checkedPart(report.image)),
    ...lists,
  );
}

/** @param {any} report */
function numberList({ losses, homogeneity, t, signal, signal_kind: kind, threshold }) {
  const values = { ...losses, homogeneity, t, signal, threshold };
  const [kindSymbol, formula] = signals[kind];
  // Where the verdict rests on the paper's signal it has one line, not two.
  const shown = Object.entries(numbers).filter(([key]) => key !== 't' || kind !== 'paper');
  const rows = shown.map(([key, [symbol, name, explanation]]) =>
    element(
      'div',
      { 'data-number': key },
      element('dt', {}, element('span', { class: 'symbol' }, symbol || kindSymbol), ` ${name}`),
      element('dd', { class: 'value' }, values[key] === null ? words.noThreshold : format(values[key])),
      element('dd', { class: 'explanation' }, key === 'signal' ? paragraph(formula, explanation) : explanation),
    ),
  );
  return element('dl', {}, ...rows);
}
