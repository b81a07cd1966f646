/**
 * What a check found, or why it failed, in the sentences of a catalogue: for the page, whose language is chosen once,
 * and for elements in other pages, which may each speak another.
 *
 * @typedef {'refused' | 'interrupted' | 'missing' | 'gated' | 'denied' | 'failed' | 'page' | 'too_large'} LinkProblem Why
 *   an image was not fetched by its link.
 * @typedef {{code: string, message: string, values?: Record<string, any>}} Remark
 * @typedef {import('../common/errors.js').PlainError} PlainError
 * @typedef {{outcome: string, reports: number[]}} Group Positions of models that cannot be told apart.
 * @typedef {{outcome: string, reason: Remark | null, groups: Group[]}} Ranking
 * @typedef {{key: string, symbol: string, name: string, value: string, explanation: string}} NumberRow
 */

import { AedrError, paragraph, sentence } from '../common/errors.js';

/** Codes of errors after which the same check may succeed on the CPU. */
const CPU_HELPS = ['no_webgpu', 'device_failed', 'engine_stopped'];
/** Codes of errors after which the same check may succeed at another time. */
const RETRY_HELPS =
  /^(weights|manifest|program|integrity|unreadable|internal|device_|engine_|link_(refused|interrupted|failed))/;

/** Above this share of images the control shows nothing (`src/evidence/control.rs`). */
const TRACELESS = 0.05;
/** Smaller shares are not told: no measurement reaches them. */
const LEAST_SHARE = 1e-5;

/**
 * The kind of an answer, which decides how it is said: its outcome, or "no_trace" where that is why nothing can be told.
 * @param {{outcome: string, reason?: Remark | null}} answer A ranking, or a model's report.
 */
export function answerKind({ outcome, reason }) {
  return outcome === 'cannot_tell' && reason?.code === 'no_trace' ? 'no_trace' : outcome;
}

/** Whether the signal of the two losses alone would give the outcome. @param {any} report */
function restsOnSignal({ outcome, evidence }) {
  if (!evidence) return false;
  const { signal, uncertain } = evidence;
  const [from, to] = uncertain;
  if (outcome === 'matches') return from !== null && signal < from;
  return to !== null && signal >= to;
}

/**
 * The key of what an answer means and does not mean, in `meanings`.
 * @param {{outcome: string, reason?: Remark | null}} ranking @param {any} report Of the model that ranks first.
 */
export function meaningKey(ranking, report) {
  const kind = answerKind(ranking);
  return kind === 'matches' && report.control?.evidence && !restsOnSignal(report) ? 'matches_by_control' : kind;
}

/**
 * From a condition's title, for example "searched, resized, JPEG 85", what was done to its images.
 * @param {string} condition
 */
function conditionParts(condition) {
  const parts = condition.split(', ');
  return {
    searched: parts.includes('searched'),
    resized: parts.includes('resized'),
    compression: parts.find((part) => part.startsWith('JPEG')) ?? null,
  };
}

/**
 * @param {typeof import('./en.js')} catalogue
 * @param {string} locale The catalogue's language, as a BCP 47 tag.
 */
export function messagesIn(catalogue, locale) {
  const { control: controls, device: devices, errors, evidence: counts, failure, intake, lines, numbers } = catalogue;
  const { outcomes, problems, remarks, result, signals, verdicts } = catalogue;
  const digits = new Intl.NumberFormat(locale, { maximumSignificantDigits: 4 });
  /** A number as a person reads it. @param {number} value */
  const format = (value) => digits.format(value);
  const shareDigits = new Intl.NumberFormat(locale, { maximumSignificantDigits: 2 });
  const signalDigits = new Intl.NumberFormat(locale, { minimumFractionDigits: 3, maximumFractionDigits: 3 });
  /** A share of images, as a number. @param {number} share */
  const shareText = (share) => (share < LEAST_SHARE ? `< ${percent(LEAST_SHARE)}` : percent(share));
  const percent = (/** @type {number} */ share) => controls.percent(shareDigits.format(100 * share));
  /** An S, with the sign that numbers have in print. @param {number} value */
  const signalText = (value) => signalDigits.format(value).replace('-', '−');
  /** A robust S with its standard error. @param {any} control */
  const robustText = ({ robust }) => `${signalText(robust.signal)} ± ${signalText(robust.standard_error)}`;

  /** A remark of the module: in the module's words where the catalogue has none. @param {Remark} remark */
  const remarkText = ({ code, message, values = {} }) => remarks[code]?.(values) ?? message;

  /** An error's message and advice, likewise. @param {PlainError} error @returns {PlainError} */
  function localizedError(error) {
    const known = problems[error.code];
    if (!known || !error.details) return error;
    return { ...error, message: known.message(error.details), advice: known.advice };
  }

  /** What to say of an error, and what may help. @param {PlainError} error */
  function errorText(error) {
    const { code, message, advice } = localizedError(error);
    return {
      heading: errors[code] ?? errors.internal,
      text: sentence(message),
      advice: advice || fallbackAdvice(code),
      cpuHelps: CPU_HELPS.includes(code),
      retryHelps: RETRY_HELPS.test(code),
    };
  }

  /** @param {string} code */
  function fallbackAdvice(code) {
    if (code === 'no_webgpu') return failure.webgpuAdvice;
    if (code === 'engine_stopped') return failure.stoppedAdvice;
    return code === 'internal' ? failure.internalAdvice : failure.retryAdvice;
  }

  /** What an answer is called. @param {{outcome: string, reason?: Remark | null}} answer */
  const headingText = (answer) => outcomes[answerKind(answer)].heading;

  /** @param {Ranking} ranking @param {any[]} reports */
  function verdictText(ranking, reports) {
    const { outcome, reason, groups } = ranking;
    const kind = answerKind(ranking);
    const members = (/** @type {Group} */ group) => group.reports.map((index) => reports[index]);
    const names = (/** @type {Group[]} */ some) => some.flatMap(members).map(({ model }) => model.name);
    const traceless = groups.filter((group) => answerKind(members(group)[0]) === 'no_trace');
    if (kind === 'no_trace') return verdicts.no_trace(names(traceless), '');
    const asked = groups.filter((group) => group.outcome === outcome);
    // Of the models that cannot tell, the one whose reason is given.
    if (outcome === 'cannot_tell') asked.length = 1;
    const said = verdicts[outcome](names(asked), reason ? remarkText(reason) : '');
    // Those that were ruled out must not speak for those that were not.
    return outcome === 'does_not_match' && traceless.length > 0 ? paragraph(said, verdicts.besides(names(traceless), '')) : said;
  }

  /** How usual the signal is among images of both kinds. @param {any} evidence */
  function evidenceText(evidence) {
    const { belonging_share: own, belonging_count: owns, condition } = evidence;
    const { other_share: other, other_count: others } = evidence;
    // A share counts the image itself: (1 + k) / (n + 1).
    const counted = (/** @type {number} */ share, /** @type {number} */ count) => Math.round(share * (count + 1)) - 1;
    const measured = counts.measured(conditionParts(condition));
    return counts.line(counted(own, owns), owns, counted(other, others), others, measured);
  }

  /** How usual what the orientation control shows is among images that the model did not make. @param {any} report */
  function controlText(report) {
    const { control, outcome } = report;
    if (!control?.evidence) return '';
    const { other_share: share, photographs } = control.evidence;
    const text = share < LEAST_SHARE ? controls.less(percent(LEAST_SHARE)) : percent(share);
    const line = paragraph(controls.line(share <= TRACELESS, text, controls.basis(photographs)), partText(control));
    if (outcome === 'cannot_tell' || restsOnSignal(report)) return line;
    return paragraph(line, outcome === 'matches' ? controls.decides : controls.decidesAgainst);
  }

  /** The clearest part that differs from the rest of the image. @param {any} control */
  function partText({ regions: [part, ...others] }) {
    if (!part) return '';
    return controls.part(part.trace, [part.width, part.height], [part.left, part.top], others.length);
  }

  /** What a model answered, in a word or two. @param {any} report @param {string} [outcome] If not its own. */
  function answerText({ outcome: own, reason }, outcome = own) {
    if (outcome === 'cannot_tell' && reason?.code === 'uncalibrated') return lines.uncalibrated;
    return lines.outcomes[answerKind({ outcome, reason })];
  }

  /**
   * What the line of models that cannot be told apart says.
   * @param {any[]} reports @param {string} [outcome] The group's, where the model's own does not hold among so many.
   */
  function groupText(reports, outcome = reports[0].outcome) {
    const [{ signal, signal_kind: kind, threshold, control, reason }] = reports;
    const names = reports.map(({ model }) => model.name);
    const serves = [...new Set(reports.flatMap(({ model }) => model.serves))];
    const measured = [
      lines.signal(signals[kind][0], format(signal), threshold === null ? null : format(threshold)),
      ...(control?.evidence ? [lines.control(robustText(control), shareText(control.evidence.other_share))] : []),
    ];
    const more = [
      measured.join(' · '),
      ...(serves.length > 0 ? [lines.serves(serves)] : []),
      ...(names.length > 1 ? [lines.alike(names)] : []),
    ];
    const answer = answerKind({ outcome, reason });
    return { outcome, kind: answer, names, outcomeText: answerText(reports[0], outcome), remarks: more };
  }

  /**
   * Why an image was not fetched.
   * @param {{problem: LinkProblem, status?: number, bytes?: number}} answer @param {string} site
   */
  function linkError({ problem, status = 0, bytes }, site) {
    if (problem === 'too_large') {
      const message = bytes ? failure.fileTooLarge(bytes) : intake.linkTooLarge(site);
      return new AedrError('file_too_large', message, failure.fileTooLargeAdvice);
    }
    const { message, advice } = intake.linkProblems[navigator.onLine ? problem : 'offline'];
    return new AedrError(`link_${problem}`, message(site, status), advice);
  }

  /** All that was measured. @param {any} report @returns {NumberRow[]} */
  function numberRows({ losses, homogeneity, t, signal, signal_kind: kind, threshold, control }) {
    /** @type {Record<string, number>} */
    const values = { ...losses, homogeneity, t, signal };
    const [kindSymbol, formula] = signals[kind];
    /** @type {Record<string, string>} */
    const texts = { threshold: threshold === null ? result.noThreshold : format(threshold) };
    /** What is said of this image beside what is said of every number. @type {Record<string, string>} */
    const more = {};
    if (control) {
      const { orientations, evidence } = control;
      texts.robust = robustText(control);
      texts.share = evidence ? shareText(evidence.other_share) : controls.unknown;
      more.robust = controls.compared(orientations);
      more.share = evidence ? controls.restsOn(evidence.photographs) : controls.tooSmall;
    }
    // Where the verdict rests on the paper's signal, t would be the same number twice; without a threshold none rests on one.
    const left = threshold === null ? 'signal' : kind === 'paper' ? 't' : '';
    const shown = Object.entries(numbers).filter(([key]) => key !== left && (key in values || key in texts));
    return shown.map(([key, [symbol, name, explanation]]) => ({
      key,
      symbol: symbol || (key === 'signal' ? kindSymbol : ''),
      name,
      value: texts[key] ?? format(values[key]),
      explanation: paragraph(key === 'signal' ? formula : (more[key] ?? ''), explanation),
    }));
  }

  /** @param {{device: {kind: string, adapter: string, threads: number, reason: string}, seconds: number}} answer */
  function deviceLine({ device, seconds }) {
    const where = device.kind === 'webgpu' ? devices.gpu(device.adapter) : devices.cpu(device.threads);
    return devices.line(where, devices.why[device.reason], devices.seconds(seconds));
  }

  /** What may have happened to the image on its way here. @param {{arrival?: string, asShown?: boolean, converted?: string}} intake */
  function arrivalNotes({ arrival, asShown, converted }) {
    const notes = [];
    if (arrival === 'pasted') notes.push(result.pasted);
    if (arrival === 'link') notes.push(intake.fromLink);
    if (asShown) notes.push(intake.asShown);
    if (converted) notes.push(converted === 'heic' ? intake.convertedHeic : intake.convertedPhone);
    return notes;
  }

  return {
    answerText,
    arrivalNotes,
    controlText,
    deviceLine,
    errorText,
    evidenceText,
    format,
    groupText,
    headingText,
    localizedError,
    linkError,
    numberRows,
    remarkText,
    robustText,
    shareText,
    signalText,
    verdictText,
  };
}
