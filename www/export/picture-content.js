/** The contents of the report's picture, from a check's answer: sentences and numbers, worded as on the page. */

import { paragraph, sentence } from '../common/errors.js';
import {
  control as controlWords,
  controlText,
  demonstration,
  evidenceText,
  format,
  groupText,
  headingText,
  lines as lineWords,
  locale,
  localizedError,
  meanings,
  numbers,
  picture as words,
  plot as plotWords,
  result as resultWords,
  shareText,
  signals,
  signalText,
  verdictText,
} from '../texts/catalogue.js';
import { answerKind, meaningKey } from '../texts/messages.js';

/** At most so many models get a line; the report has all. */
const MOST_LINES = 6;

const DATE = new Intl.DateTimeFormat(locale, {
  dateStyle: 'long',
  timeStyle: 'short',
  hourCycle: 'h23',
  timeZone: 'UTC',
});

/** A time of a record, the same wherever it is read. @param {string} time */
export const dateText = (time) => `${DATE.format(new Date(time))} UTC`;

/**
 * @param {import('../engine/types.js').CheckAnswer} answer
 * @param {import('../models/types.js').ModelEntry[]} models
 * @param {import('./thumbnail.js').Thumbnail | null} picture
 * @returns {import('./picture.js').PictureContent}
 */
export function pictureContent(answer, models, picture) {
  const { answers, ranking, record } = answer;
  const { groups } = ranking;
  const leading = answers[groups[0].reports[0]];
  const { report } = leading;
  const { program, image: file, created_at: time } = record;
  return {
    outcome: answerKind(ranking),
    date: dateText(time),
    heading: headingText(ranking),
    verdict: verdictText(ranking, answers.map(({ report }) => report)),
    name: file.name,
    facts: words.facts(resultWords.checkedPart(report.image), new Intl.NumberFormat(locale).format(file.bytes)),
    picture,
    plot: plotOf(leading),
    evidence: paragraph(report.evidence ? evidenceText(report.evidence) : '', controlText(report)),
    lines: linesOf(answer, models),
    numbers: { heading: report.model.name, items: numbersOf(report) },
    meansNot: { heading: resultWords.meansNotHeading, items: meanings[meaningKey(ranking, report)].meansNot },
    note: noteOf(models.find(({ id }) => id === report.model.id)),
    hash: [words.hash, file.sha256],
    program: words.program(program.version),
    made: words.made,
  };
}

/** @param {import('../engine/types.js').ModelAnswer} answer @returns {import('./picture-plot.js').Plot | null} */
function plotOf({ report: { evidence }, distribution }) {
  if (!evidence) return null;
  const { signal, threshold, uncertain } = evidence;
  const { match, unsure, none, belonging, others } = plotWords;
  const [here, limit] = [plotWords.here(format(signal)), plotWords.threshold(format(threshold))];
  const plotTexts = { here, limit, match, unsure, none, belonging, others };
  return { signal, threshold, uncertain, distribution, words: plotTexts };
}

/** @param {import('../engine/types.js').CheckAnswer} answer @param {import('../models/types.js').ModelEntry[]} models */
function linesOf({ answers, ranking: { groups }, failures }, models) {
  const ranked = groups.map((/** @type {import('../texts/messages.js').Group} */ { outcome, reports }) => {
    const { kind, names, outcomeText, remarks } = groupText(reports.map((index) => answers[index].report), outcome);
    return { outcome: kind, name: names.join(' · '), outcomeText, remark: remarks.join(' · ') };
  });
  const failed = failures.map(({ model, error }) => ({
    outcome: 'error',
    name: models.find(({ id }) => id === model.id)?.name ?? model.id,
    outcomeText: lineWords.outcomes.failed,
    remark: sentence(localizedError(error).message),
  }));
  const all = [...ranked, ...failed];
  if (all.length < 2) return { heading: '', items: [], more: '' };
  const more = all.length > MOST_LINES ? words.more(all.length - MOST_LINES) : '';
  return { heading: lineWords.heading, items: all.slice(0, MOST_LINES), more };
}

/** @param {any} report @returns {[string, string, string][]} */
function numbersOf({ losses, homogeneity, t, signal, signal_kind: kind, threshold, control }) {
  const { first, second, ratio } = losses;
  // Without a threshold no verdict rests on a signal, and the paper's is as good as any.
  const signalled = threshold === null ? { t } : { signal };
  /** @type {Record<string, string>} */
  const texts = {
    ...Object.fromEntries(Object.entries({ first, second, ratio, homogeneity, ...signalled }).map(([key, value]) => [key, format(value)])),
    threshold: threshold === null ? resultWords.noThreshold : format(threshold),
  };
  if (control) {
    texts.robust = signalText(control.robust.signal);
    texts.error = signalText(control.robust.standard_error);
    texts.share = control.evidence ? shareText(control.evidence.other_share) : controlWords.unknown;
  }
  return Object.entries(texts).map(([key, text]) => {
    const [symbol, name] = numbers[/** @type {keyof typeof numbers} */ (key)];
    return [symbol || signals[kind][0], name, text];
  });
}

/** @param {import('../models/types.js').ModelEntry | undefined} model */
function noteOf(model) {
  const about = model?.demonstration ? [sentence(demonstration.heading), demonstration.text] : [];
  return paragraph(...about, model?.note ?? '');
}
