/**
 * What a check found, or why there is no result, as elements.
 *
 * @typedef {import('./worker.js').CheckAnswer} CheckAnswer
 * @typedef {import('./worker.js').ModelAnswer} ModelAnswer
 * @typedef {{outcome: string, reports: number[]}} Group Positions of models that cannot be told apart.
 * @typedef {import('./intake.js').Intake} Intake
 * @typedef {{id: string, name: string, manifest?: string, files?: import('./store.js').ModelFiles, note?: string,
 *   demonstration?: boolean}} ModelEntry With a `manifest`'s address or, from the store, its `files`.
 */

import { element } from './dom.js';
import { sentence } from './errors.js';
import { outcomeGlyph } from './glyph.js';
import { signalScale } from './scale.js';
import {
  claims as claimWords,
  demonstration,
  device as deviceWords,
  errors as errorHeadings,
  evidence as evidenceWords,
  failure,
  lines as lineWords,
  meanings,
  numbers,
  outcomes,
  result as words,
  search as searchWords,
  signals,
  verdicts,
} from './texts.js';

const DIGITS = new Intl.NumberFormat('en', { maximumSignificantDigits: 4 });
const format = (/** @type {number} */ value) => DIGITS.format(value);

/**
 * @typedef {{summary: Node[], details: Node[]}} View The summary stands beside the picture and begins with
 *   its heading; the details stand below both.
 */

/**
 * @param {CheckAnswer} answer
 * @param {{intake: Intake, models: ModelEntry[], onAgain: () => void, onDeeper: (() => void) | null}} context `onDeeper`
 *   is null if the check was a deep one.
 * @returns {View}
 */
export function resultView(answer, { intake, models, onAgain, onDeeper }) {
  const { answers, ranking, failures } = answer;
  const { outcome, groups, reason } = ranking;
  const members = (/** @type {Group} */ { reports }) => reports.map((index) => answers[index]);
  const leading = members(groups[0])[0];
  const { evidence, search } = leading.report;
  const several = groups.length + failures.length > 1;
  /** @type {Node[]} */
  const summary = [
    heading(outcome, outcomes[outcome].heading),
    verdict(verdicts[outcome](subjects(answer), reason?.message ?? '')),
    ...modelNotes(models.find(({ id }) => id === leading.report.model.id)),
  ];
  if (evidence) {
    const { signal, threshold } = evidence;
    const [from, to] = evidence.uncertain;
    const [signalText, thresholdText] = [format(signal), format(threshold)];
    summary.push(
      signalScale({ signal, threshold, uncertain: { from, to }, signalText, thresholdText }),
      element('p', { class: 'hint evidence' }, evidenceText(evidence)),
    );
  }
  if (search) summary.push(element('p', { class: 'hint search' }, searchWords.found(search)));
  if (several) {
    const ranked = groups.map((/** @type {Group} */ group) => groupLine(members(group).map(({ report }) => report)));
    const failed = failures.map(({ model, error }) => failureLine(models.find(({ id }) => id === model.id), error));
    summary.push(element('h3', {}, lineWords.heading), element('ol', { class: 'lines' }, ...ranked, ...failed));
  }
  summary.push(
    element('p', { class: 'device' }, deviceLine(answer)),
    buttons([
      [words.deeper, outcome === 'matches' ? null : onDeeper],
      [words.again, onAgain],
    ]),
  );
  if (outcome !== 'matches' && onDeeper) summary.push(element('p', { class: 'hint' }, words.deeperHint));
  const remarks = [...arrivalNotes(intake), ...new Set(answers.flatMap(({ report }) => report.notes))];
  const { means, meansNot } = meanings[outcome];
  const details = [
    element(
      'div',
      {},
      list('meaning', words.meansHeading, means),
      list('meaning', words.meansNotHeading, meansNot),
      ...(remarks.length > 0 ? [list('notes', words.notesHeading, remarks)] : []),
      claimsSection(answer.claims),
    ),
    numbersSection(groups.flatMap(members).map((/** @type {ModelAnswer} */ { report }) => report)),
  ];
  return { summary, details };
}

/**
 * How usual the signal is among images of both kinds.
 * @param {any} evidence
 */
function evidenceText({ belonging_share: own, belonging_count: owns, other_share: other, other_count: others, condition }) {
  // Densities go on beyond what so many images can show.
  const share = (/** @type {number} */ value, /** @type {number} */ count) =>
    value < 1 / (count + 1) ? evidenceWords.fewer(count + 1) : evidenceWords.share(value);
  return evidenceWords.line(share(own, owns), share(other, others), owns, others, condition);
}

/** The models that the verdict is about. @param {CheckAnswer} answer */
function subjects({ answers, ranking }) {
  const { outcome, groups } = ranking;
  const asked = groups.filter((/** @type {Group} */ group) => group.outcome === outcome);
  // Of those that cannot tell, the one whose reason is given.
  if (outcome === 'cannot_tell') asked.length = 1;
  return asked.flatMap((/** @type {Group} */ { reports }) => reports.map((index) => answers[index].report.model.name));
}

/** Models that cannot be told apart, as one line. @param {any[]} reports */
function groupLine(reports) {
  const { outcome, signal, signal_kind: kind, threshold } = reports[0];
  const names = reports.map(({ model }) => model.name);
  const serves = [...new Set(reports.flatMap(({ model }) => model.serves))];
  const said = threshold === null ? lineWords.uncalibrated : lineWords.outcomes[outcome];
  return line(outcome, names, said, [
    lineWords.signal(signals[kind][0], format(signal), threshold === null ? null : format(threshold)),
    ...(serves.length > 0 ? [lineWords.serves(serves)] : []),
    ...(names.length > 1 ? [lineWords.alike(names)] : []),
  ]);
}

/** @param {ModelEntry | undefined} model @param {import('./errors.js').PlainError} error */
function failureLine(model, { message }) {
  return line('error', [model?.name ?? ''], lineWords.outcomes.failed, [sentence(message)]);
}

/** @param {string} glyph @param {string[]} names @param {string} said @param {string[]} remarks */
function line(glyph, names, said, remarks) {
  return element(
    'li',
    { 'data-outcome': glyph },
    outcomeGlyph(glyph),
    element(
      'div',
      {},
      element('p', { class: 'line-head' }, element('strong', {}, names.join(' · ')), element('span', {}, said)),
      ...remarks.map((remark) => element('p', { class: 'hint' }, remark)),
    ),
  );
}

/**
 * @param {import('./errors.js').PlainError} error
 * @param {{onAgain: (() => void) | null, onCpu: () => void}} actions `onAgain` is null if there is no image.
 * @returns {View}
 */
export function errorView({ code, message, advice }, { onAgain, onCpu }) {
  if (code === 'cancelled') {
    const summary = [heading('cannot_tell', errorHeadings.cancelled), verdict(failure.cancelled)];
    return { summary: [...summary, buttons([[words.again, onAgain]])], details: [] };
  }
  const cpuHelps = ['no_webgpu', 'device_failed', 'engine_stopped'].includes(code);
  const retryHelps = /^(weights|manifest|program|unreadable|internal|device_failed|engine_stopped)/.test(code);
  const summary = [
    heading('error', errorHeadings[code] ?? errorHeadings.internal),
    verdict(sentence(message)),
    element('p', {}, advice || fallbackAdvice(code)),
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

/** @param {string} text */
function verdict(text) {
  return element('p', { class: 'verdict' }, text);
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

/** @param {string} code */
function fallbackAdvice(code) {
  if (code === 'no_webgpu') return failure.webgpuAdvice;
  if (code === 'engine_stopped') return failure.stoppedAdvice;
  return code === 'internal' ? failure.internalAdvice : failure.retryAdvice;
}

/** @param {ModelEntry | undefined} model */
function modelNotes(model) {
  if (!model) return [];
  const lines = [];
  if (model.demonstration) lines.push(element('strong', {}, `${demonstration.heading}. `), demonstration.text);
  if (model.note) lines.push(lines.length > 0 ? ' ' : '', model.note);
  return lines.length > 0 ? [element('p', { class: 'model-note' }, ...lines)] : [];
}

/** @param {string} name @param {string} headingText @param {string[]} sentences */
function list(name, headingText, sentences) {
  const items = element('ul', {}, ...sentences.map((sentence) => element('li', {}, sentence)));
  return element('section', { class: name }, element('h3', {}, headingText), items);
}

/**
 * What the file says of its own origin, apart from the verdict, as text that is not trusted.
 * @param {CheckAnswer['claims']} claims
 */
function claimsSection(claims) {
  const said = claims.map(({ meaning, field, text }) =>
    element(
      'div',
      { 'data-meaning': meaning },
      element('dt', {}, claimWords.meanings[meaning]),
      element('dd', { class: 'claim' }, element('span', { class: 'symbol' }, field), ` ${text}`),
    ),
  );
  return element(
    'section',
    { class: 'claims' },
    element('h3', {}, claimWords.heading),
    element('p', { class: 'hint' }, claims.length > 0 ? claimWords.hint : claimWords.none),
    ...(claims.length > 0 ? [element('dl', {}, ...said)] : []),
  );
}

/** The numbers of each model, the first open. @param {any[]} reports */
function numbersSection(reports) {
  const lists =
    reports.length === 1
      ? [numberList(reports[0])]
      : reports.map((report, index) =>
          element(
            'details',
            { open: index === 0 },
            element('summary', {}, report.model.name),
            numberList(report),
          ),
        );
  return element(
    'section',
    { class: 'numbers' },
    element('h3', {}, words.numbersHeading),
    element('p', { class: 'hint' }, words.checkedPart(reports[0].image)),
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
      element('dd', { class: 'explanation' }, key === 'signal' ? `${formula} ${explanation}` : explanation),
    ),
  );
  return element('dl', {}, ...rows);
}

/** @param {Intake} intake */
function arrivalNotes({ arrival, count }) {
  const lines = [];
  if (count > 1) lines.push(words.onlyFirst(count));
  if (arrival === 'pasted') lines.push(words.pasted);
  return lines;
}

/** @param {CheckAnswer} answer */
function deviceLine({ device, seconds }) {
  const where = device.kind === 'webgpu' ? deviceWords.gpu(device.adapter) : deviceWords.cpu(device.threads);
  return deviceWords.line(where, deviceWords.why[device.reason], deviceWords.seconds(seconds));
}
