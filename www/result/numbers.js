/**
 * All measurements, for those who want to see them: each model's numbers, where its signal lies, and what the orientation
 * control is.
 */

import { paragraph } from '../common/errors.js';
import { control, numberRows, result as words } from '../texts/catalogue.js';
import { element } from '../ui/dom.js';
import { evidencePlot } from './plot.js';

/** @typedef {import('../engine/types.js').ModelAnswer} ModelAnswer */

/** The first model's numbers are open; its plot is beside the verdict. @param {ModelAnswer[]} answers At least one. */
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
    ...(answers.some(({ report }) => report.control) ? [explanation()] : []),
  );
}

/** What the orientation control is, once for all models. */
function explanation() {
  const text = paragraph(...control.explanation);
  return element('section', { class: 'explained' }, element('h4', {}, control.heading), element('p', { class: 'hint' }, text));
}

/** @param {any} report */
function numberList(report) {
  const rows = numberRows(report).map(({ key, symbol, name, value, explanation }) =>
    element(
      'div',
      { 'data-number': key },
      element('dt', {}, element('span', { class: 'symbol' }, symbol), ` ${name}`),
      element('dd', { class: 'value' }, value),
      element('dd', { class: 'explanation' }, explanation),
    ),
  );
  return element('dl', {}, ...rows);
}
