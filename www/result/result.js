/**
 * What a check found, or why there is no result, as elements.
 *
 * @typedef {import('../engine/types.js').CheckAnswer} CheckAnswer
 * @typedef {import('../engine/types.js').ModelAnswer} ModelAnswer
 * @typedef {import('../texts/messages.js').Group} Group
 * @typedef {import('../intake/types.js').Intake} Intake
 * @typedef {import('../models/types.js').ModelEntry} ModelEntry
 */

import { gap, paragraph, sentence } from '../common/errors.js';
import { originSection } from '../origin/origin-section.js';
import {
  arrivalNotes,
  controlText,
  demonstration,
  deviceLine,
  errorText,
  evidenceText,
  failure,
  groupText,
  headingText,
  lines as lineWords,
  meanings,
  remarkText,
  result as words,
  search as searchWords,
  verdictText,
} from '../texts/catalogue.js';
import { answerKind, meaningKey } from '../texts/messages.js';
import { element } from '../ui/dom.js';
import { outcomeGlyph } from '../ui/outcome-glyph.js';
import { evidenceMapSection } from './evidence-map.js';
import { numbersSection } from './numbers.js';
import { evidencePlot } from './plot.js';

/**
 * @typedef {{summary: Node[], details: Node[], answer?: string, free?: () => void}} View The summary is beside the picture
 *   and begins with its heading; the details are below both. `answer`: its kind, where it is shown as another than its
 *   outcome. `free` releases what the view holds.
 */

/**
 * @param {CheckAnswer} answer
 * @param {{intake: Intake, models: ModelEntry[], exportSection: () => Node, onAgain: () => void, onCpu: () => void,
 *   onDeeper: (() => void) | null}} context `exportSection` makes the section of exports. `onDeeper` is null if the
 *   check was a deep one.
 * @returns {View}
 */
export function resultView(answer, { intake, models, exportSection, onAgain, onCpu, onDeeper }) {
  const { answers, ranking, failures } = answer;
  const { outcome, reason, groups } = ranking;
  const members = (/** @type {Group} */ { reports }) => reports.map((index) => answers[index]);
  const leading = members(groups[0])[0];
  const { evidence, search } = leading.report;
  const several = groups.length + failures.length > 1;
  /** @type {Node[]} */
  const summary = [
    heading(answerKind(ranking), headingText(ranking)),
    verdict(verdictText(ranking, answers.map(({ report }) => report)), reason?.code),
    meaning(meaningKey(ranking, leading.report)),
    ...modelNotes(models.find(({ id }) => id === leading.report.model.id)),
  ];
  if (evidence) {
    summary.push(evidencePlot(evidence, leading.distribution));
    summary.push(element('p', { class: 'hint evidence' }, evidenceText(evidence)));
  }
  const comparison = controlText(leading.report);
  if (comparison) summary.push(element('p', { class: 'hint control' }, comparison));
  if (search) summary.push(element('p', { class: 'hint search' }, searchWords.found(search)));
  if (several) {
    const ranked = groups.map((/** @type {Group} */ group) =>
      groupLine(members(group).map(({ report }) => report), group.outcome),
    );
    const failed = failures.map(({ model, error }) => failureLine(models.find(({ id }) => id === model.id), error));
    summary.push(element('h3', {}, lineWords.heading), element('ol', { class: 'lines' }, ...ranked, ...failed));
  }
  summary.push(
    computedOn(answer),
    buttons([
      [words.deeper, outcome === 'matches' ? null : onDeeper],
      [words.again, onAgain],
      [failure.useCpu, failures.some(({ error }) => errorText(error).cpuHelps) ? onCpu : null],
    ]),
  );
  if (outcome !== 'matches' && onDeeper) summary.push(element('p', { class: 'hint' }, words.deeperHint));
  const ordered = groups.flatMap(members);
  const notes = answers.flatMap(({ report }) => report.notes);
  const codes = new Map(notes.map((note) => [remarkText(note), note.code]));
  const remarks = [...arrivalNotes(intake), ...codes.keys()];
  const map = evidenceMapSection(answer, ordered, { intake, onAgain });
  const details = [
    map.section,
    numbersSection(ordered),
    element(
      'div',
      {},
      ...(remarks.length > 0 ? [list('notes', words.notesHeading, remarks, codes)] : []),
      originSection(answer.claims, intake.file),
    ),
    exportSection(),
  ];
  return { summary, details, answer: answerKind(ranking), free: map.free };
}

/** What the answer means and what it does not, one tap away. @param {string} key */
function meaning(key) {
  const { means, meansNot } = meanings[key];
  return element(
    'details',
    { class: 'meaning' },
    element('summary', {}, words.meaningSummary),
    list('means', words.meansHeading, means),
    list('means-not', words.meansNotHeading, meansNot),
  );
}

/** Models that cannot be told apart, as one line. @param {any[]} reports @param {string} of Their outcome. */
function groupLine(reports, of) {
  const { outcome, kind, names, outcomeText, remarks } = groupText(reports, of);
  return line({ outcome, kind, models: reports.map(({ model }) => model.id) }, names, outcomeText, remarks);
}

/** @param {ModelEntry | undefined} model @param {import('../common/errors.js').PlainError} error */
function failureLine(model, error) {
  const { text, advice } = errorText(error);
  const codes = { outcome: 'error', code: error.code, models: model ? [model.id] : [] };
  return line(codes, [model?.name ?? ''], lineWords.outcomes.failed, [paragraph(text, advice)]);
}

/**
 * @param {{outcome: string, kind?: string, code?: string, models: string[]}} codes `kind`: if it is shown as another
 *   answer than its outcome. @param {string[]} names @param {string} outcomeText
 * @param {string[]} remarks
 */
function line({ outcome, kind = outcome, code, models }, names, outcomeText, remarks) {
  return element(
    'li',
    { 'data-outcome': outcome, 'data-code': code ?? false, 'data-models': models.join(' ') },
    outcomeGlyph(kind),
    element(
      'div',
      {},
      element('p', { class: 'line-head' }, element('strong', {}, names.join(' · ')), element('span', {}, outcomeText)),
      ...remarks.map((remark) => element('p', { class: 'hint' }, remark)),
    ),
  );
}

/**
 * @param {import('../common/errors.js').PlainError} error
 * @param {{onAgain: (() => void) | null, onCpu: () => void}} actions `onAgain` is null if there is no image.
 * @returns {View}
 */
export function errorView(error, { onAgain, onCpu }) {
  const { heading: told, text, advice, cpuHelps, retryHelps } = errorText(error);
  if (error.code === 'cancelled') {
    const summary = [heading('cannot_tell', told), verdict(failure.cancelled)];
    return { summary: [...summary, buttons([[words.again, onAgain]])], details: [] };
  }
  const summary = [
    heading('error', told),
    verdict(text, null, flagsOf(error.details)),
    element('p', {}, advice),
    buttons([
      [failure.useCpu, cpuHelps && onAgain ? onCpu : null],
      [failure.tryAgain, retryHelps ? onAgain : null],
    ]),
  ];
  return { summary, details: [] };
}

/** @param {string} glyph @param {string} text */
function heading(glyph, text) {
  return element('h2', { class: 'outcome-heading', tabindex: -1 }, outcomeGlyph(glyph), element('span', {}, text));
}

/**
 * @param {string} text @param {string | null} [reason] The code of why there is none.
 * @param {string} [details] Distinguishes the causes that share a code.
 */
function verdict(text, reason, details) {
  return element('p', { class: 'verdict', 'data-reason': reason ?? false, 'data-details': details || false }, text);
}

/** Names of the details that are true. @param {Record<string, any>} [details] */
function flagsOf(details = {}) {
  return Object.keys(details).filter((name) => details[name] === true).join(' ');
}

/** @param {CheckAnswer} answer */
function computedOn(answer) {
  const { kind, reason, threads } = answer.device;
  const codes = { 'data-device': kind, 'data-reason': reason, 'data-threads': threads };
  return element('p', { class: 'device', ...codes }, deviceLine(answer));
}

/** @param {[string, (() => void) | null][]} actions Those without an action are left out. */
function buttons(actions) {
  const line = element('p', { class: 'actions' });
  for (const [text, action] of actions) {
    if (!action) continue;
    const button = element('button', { type: 'button' }, text);
    button.addEventListener('click', action);
    line.append(button);
  }
  return line;
}

/** @param {ModelEntry | undefined} model */
function modelNotes(model) {
  if (!model) return [];
  const lines = [];
  if (model.demonstration) {
    const heading = sentence(demonstration.heading);
    lines.push(element('strong', {}, heading + gap(heading)));
  }
  const text = paragraph(model.demonstration ? demonstration.text : '', model.note ?? '');
  return text ? [element('p', { class: 'model-note' }, ...lines, text)] : [];
}

/**
 * @param {string} name @param {string} headingText @param {string[]} sentences
 * @param {Map<string, string>} [codes] Of sentences that have one.
 */
function list(name, headingText, sentences, codes = new Map()) {
  const item = (/** @type {string} */ sentence) => element('li', { 'data-code': codes.get(sentence) ?? false }, sentence);
  const items = element('ul', {}, ...sentences.map(item));
  return element('section', { class: name }, element('h3', {}, headingText), items);
}
