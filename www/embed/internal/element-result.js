/**
 * What a check found, or why it failed, as the element's nodes. They never say more than aedr's own page does.
 *
 * @typedef {import('./element-texts.js').Texts} Texts
 * @typedef {import('../public/index.js').CheckResult} CheckResult
 * @typedef {[text: string, action: (() => void) | null]} Action Without an action there is no button.
 */

import { gap, paragraph, sentence } from '../../common/errors.js';
import { claimList } from '../../origin/claim-list.js';
import { answerKind, meaningKey } from '../../texts/messages.js';
import { element } from '../../ui/dom.js';
import { outcomeGlyph } from '../../ui/outcome-glyph.js';
import { DEMONSTRATION } from './locations.js';

/**
 * @param {CheckResult} result
 * @param {{texts: Texts, notes: string[], signed: boolean, actions: Action[]}} context `notes`: what happened to the
 *   image on its way. `signed`: whether the file has Content Credentials.
 * @returns {Node[]} The first can take the focus.
 */
export function resultNodes(result, { texts, notes, signed, actions }) {
  const { ranking, failures, claims } = result;
  const reports = result.reports.map((report) => named(report, texts));
  const members = ranking.groups.map((group) => group.reports.map((index) => reports[index]));
  const [[leading]] = members;
  const isDemonstration = reports.some(({ model }) => model.id === DEMONSTRATION.id);
  const asked = reports.map(({ model }) => model.name);
  const remarks = [...notes, ...new Set(reports.flatMap((report) => report.notes.map(texts.remarkText)))];
  return [
    headingNode(result.outcome, texts.headingText(ranking), answerKind(ranking)),
    element('p', { part: 'reason' }, texts.verdictText(ranking, reports)),
    ...(isDemonstration ? [demonstrationNode(texts)] : []),
    ...(leading.search ? [element('p', { class: 'hint' }, texts.search.found(leading.search))] : []),
    meaningNode(meaningKey(ranking, leading), texts),
    element('p', { part: 'model', class: 'hint' }, texts.embed.asked(asked)),
    ...(members.length + failures.length > 1 ? linesNodes(members, result, texts) : []),
    numbersNode(members.flat(), result, texts),
    ...(claims.length > 0 || signed ? [claimsNode(claims, signed, texts)] : []),
    ...(remarks.length > 0 ? [notesNode(remarks, texts)] : []),
    actionsNode(actions),
  ];
}

/**
 * @param {import('../../common/errors.js').PlainError} error @param {{texts: Texts, actions: Action[]}} context
 * @returns {Node[]} The first can take the focus.
 */
export function errorNodes(error, { texts, actions }) {
  const { heading, text, advice } = texts.errorText(error);
  if (error.code === 'cancelled') {
    const reason = element('p', { part: 'reason' }, texts.failure.cancelled);
    return [headingNode('cannot_tell', heading), reason, actionsNode(actions)];
  }
  return [
    headingNode('error', heading),
    element('p', { part: 'error' }, text),
    element('p', { part: 'advice' }, advice),
    actionsNode(actions),
  ];
}

/**
 * The error of a deeper check, or of another file; the earlier result stays.
 * @param {import('../../common/errors.js').PlainError} error @param {Texts} texts
 */
export function laterNode(error, texts) {
  const { heading, text, advice } = texts.errorText(error);
  const strong = element('strong', {}, sentence(heading));
  const attributes = { class: 'warning', part: 'error', 'data-code': error.code };
  return element('p', attributes, strong, gap(sentence(heading)), paragraph(text, advice));
}

/** The demonstration model gets its name in the element's language. @param {any} report @param {Texts} texts */
function named(report, { demonstration }) {
  if (report.model.id !== DEMONSTRATION.id) return report;
  return { ...report, model: { ...report.model, name: demonstration.name } };
}

/** @param {string} outcome @param {string} text @param {string} [kind] If it is shown as another answer than its outcome. */
function headingNode(outcome, text, kind = outcome) {
  const attributes = { class: 'heading', part: 'outcome', tabindex: -1, 'data-outcome': outcome };
  return element('p', attributes, outcomeGlyph(kind), element('span', {}, text));
}

/** @param {Texts} texts */
function demonstrationNode({ demonstration }) {
  const heading = sentence(demonstration.heading);
  return element(
    'p',
    { class: 'warning', part: 'warning' },
    element('strong', {}, heading + gap(heading)),
    demonstration.text,
  );
}

/** @param {string} key @param {Texts} texts */
function meaningNode(key, { embed, result }) {
  const { means, meansNot } = embed.meanings[key];
  return element(
    'details',
    { part: 'meaning' },
    element('summary', {}, result.meaningSummary),
    ...list(result.meansHeading, means),
    ...list(result.meansNotHeading, meansNot),
  );
}

/** @param {any[][]} members @param {CheckResult} result @param {Texts} texts */
function linesNodes(members, { ranking, failures }, texts) {
  const { lines } = texts;
  const ranked = members.map((reports, index) => {
    const { kind, names, outcomeText, remarks } = texts.groupText(reports, ranking.groups[index].outcome);
    return lineNode(kind, names.join(' · '), outcomeText, remarks);
  });
  const failed = failures.map((failure) => {
    const name = failure.model === DEMONSTRATION.id ? texts.demonstration.name : failure.model;
    const { text, advice } = texts.errorText(failure);
    const node = lineNode('error', name, lines.outcomes.failed, [paragraph(text, advice)]);
    node.dataset.code = failure.code;
    return node;
  });
  return [
    element('p', { class: 'label' }, lines.heading),
    element('ol', { class: 'lines', part: 'models' }, ...ranked, ...failed),
  ];
}

/** @param {string} outcome @param {string} name @param {string} outcomeText @param {string[]} remarks */
function lineNode(outcome, name, outcomeText, remarks) {
  const head = element('p', { class: 'row' }, element('strong', {}, name), element('span', {}, outcomeText));
  const more = remarks.map((remark) => element('p', { class: 'hint' }, remark));
  return element('li', {}, outcomeGlyph(outcome), element('div', {}, head, ...more));
}

/** @param {any[]} reports @param {CheckResult} result @param {Texts} texts */
function numbersNode(reports, { device, seconds }, texts) {
  const { result } = texts;
  const [{ evidence, image }] = reports;
  const comparison = texts.controlText(reports[0]);
  const each = reports.flatMap((report) => [
    ...(reports.length > 1 ? [element('p', { class: 'label' }, report.model.name)] : []),
    numberList(report, texts),
  ]);
  // Nobody sees here why a device was chosen.
  const reason = device.reason === 'chosen' ? 'adapter_found' : device.reason;
  return element(
    'details',
    { part: 'details' },
    element('summary', {}, result.numbersHeading),
    element('p', { class: 'hint' }, result.checkedPart(image)),
    ...(evidence ? [element('p', { class: 'hint' }, texts.evidenceText(evidence))] : []),
    ...(comparison ? [element('p', { class: 'hint' }, comparison)] : []),
    ...each,
    ...(comparison ? controlNodes(texts) : []),
    element('p', { class: 'hint' }, texts.deviceLine({ device: { ...device, reason }, seconds })),
  );
}

/** What the orientation control is. @param {Texts} texts */
function controlNodes({ control }) {
  const { heading, explanation } = control;
  return [element('p', { class: 'label' }, heading), element('p', { class: 'hint' }, paragraph(...explanation))];
}

/** @param {any} report @param {Texts} texts */
function numberList(report, { numberRows }) {
  const rows = numberRows(report).map(({ symbol, name, value, explanation }) => {
    const term = element('dt', {}, element('span', { class: 'symbol' }, symbol), ` ${name}`);
    const told = [element('dd', { class: 'value' }, value), element('dd', { class: 'hint' }, explanation)];
    return element('div', {}, term, ...told);
  });
  return element('dl', {}, ...rows);
}

/**
 * What comes with the file besides its pixels; no outcome depends on it.
 * @param {CheckResult['claims']} claims @param {boolean} signed @param {Texts} texts
 */
function claimsNode(claims, signed, { claims: texts, embed }) {
  return element(
    'details',
    { part: 'claims' },
    element('summary', {}, texts.heading),
    ...(claims.length > 0 ? [element('p', { class: 'hint' }, texts.hint), claimList(claims, texts.meanings)] : []),
    ...(signed ? [element('p', { class: 'hint' }, embed.signed)] : []),
  );
}

/** @param {string[]} remarks @param {Texts} texts */
function notesNode(remarks, { result }) {
  return element('div', { part: 'notes', class: 'hint' }, ...list(result.notesHeading, remarks));
}

/** @param {string} heading @param {string[]} sentences */
function list(heading, sentences) {
  const items = sentences.map((sentence) => element('li', {}, sentence));
  return [element('p', { class: 'label' }, heading), element('ul', {}, ...items)];
}

/** @param {Action[]} actions */
export function actionsNode(actions) {
  const line = element('div', { class: 'actions' });
  for (const [text, action] of actions) {
    if (!action) continue;
    const button = element('button', { type: 'button', part: 'button' }, text);
    button.addEventListener('click', action);
    line.append(button);
  }
  return line;
}
