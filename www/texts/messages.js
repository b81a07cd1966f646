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
  const { device: devices, errors, evidence: counts, failure, intake, lines, numbers, problems } = catalogue;
  const { remarks, result, signals, verdicts } = catalogue;
  const digits = new Intl.NumberFormat(locale, { maximumSignificantDigits: 4 });
  /** A number as a person reads it. @param {number} value */
  const format = (value) => digits.format(value);

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

  /** @param {Ranking} ranking @param {any[]} reports */
  function verdictText({ outcome, reason, groups }, reports) {
    const asked = groups.filter((group) => group.outcome === outcome);
    // Of the models that cannot tell, the one whose reason is given.
    if (outcome === 'cannot_tell') asked.length = 1;
    const names = asked.flatMap((group) => group.reports.map((index) => reports[index].model.name));
    return verdicts[outcome](names, reason ? remarkText(reason) : '');
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

  /** What the line of models that cannot be told apart says. @param {any[]} reports */
  function groupText(reports) {
    const { outcome, signal, signal_kind: kind, threshold } = reports[0];
    const names = reports.map(({ model }) => model.name);
    const serves = [...new Set(reports.flatMap(({ model }) => model.serves))];
    const outcomeText = threshold === null ? lines.uncalibrated : lines.outcomes[outcome];
    const more = [
      lines.signal(signals[kind][0], format(signal), threshold === null ? null : format(threshold)),
      ...(serves.length > 0 ? [lines.serves(serves)] : []),
      ...(names.length > 1 ? [lines.alike(names)] : []),
    ];
    return { outcome, names, outcomeText, remarks: more };
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
  function numberRows({ losses, homogeneity, t, signal, signal_kind: kind, threshold }) {
    const values = { ...losses, homogeneity, t, signal, threshold };
    const [kindSymbol, formula] = signals[kind];
    // Where the verdict rests on the paper's signal, t would be the same number twice.
    const shown = Object.entries(numbers).filter(([key]) => key !== 't' || kind !== 'paper');
    return shown.map(([key, [symbol, name, explanation]]) => ({
      key,
      symbol: symbol || kindSymbol,
      name,
      value: values[key] === null ? result.noThreshold : format(values[key]),
      explanation: key === 'signal' ? paragraph(formula, explanation) : explanation,
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
    arrivalNotes,
    deviceLine,
    errorText,
    evidenceText,
    format,
    groupText,
    localizedError,
    linkError,
    numberRows,
    remarkText,
    verdictText,
  };
}
