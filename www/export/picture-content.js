/** The contents of the report's picture, from a check's answer: sentences and numbers, worded as on the page. */

import { paragraph, sentence } from '../common/errors.js';
import {
  demonstration,
  evidenceText,
  format,
  groupText,
  lines as lineWords,
  locale,
  localizedError,
  meanings,
  numbers,
  outcomes,
  picture as words,
  plot as plotWords,
  result as resultWords,
  signals,
  verdictText,
} from '../texts/catalogue.js';

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
  const { outcome, groups } = ranking;
  const leading = answers[groups[0].reports[0]];
  const { report } = leading;
  const { program, image: file, created_at: time } = record;
  return {
    outcome,
    date: dateText(time),
    heading: outcomes[outcome].heading,
    verdict: verdictText(ranking, answers.map(({ report }) => report)),
    name: file.name,
    facts: words.facts(resultWords.checkedPart(report.image), new Intl.NumberFormat(locale).format(file.bytes)),
    picture,
    plot: plotOf(leading),
    evidence: report.evidence ? evidenceText(report.evidence) : '',
    lines: linesOf(answer, models),
    numbers: { heading: report.model.name, items: numbersOf(report) },
    meansNot: { heading: resultWords.meansNotHeading, items: meanings[outcome].meansNot },
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
  const ranked = groups.map((/** @type {import('../texts/messages.js').Group} */ { reports }) => {
    const { outcome, names, outcomeText, remarks } = groupText(reports.map((index) => answers[index].report));
    return { outcome, name: names.join(' · '), outcomeText, remark: remarks.join(' · ') };
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
function numbersOf({ losses, homogeneity, signal, signal_kind: kind, threshold }) {
  /** @type {Record<string, number | null>} */
  const values = { ...losses, homogeneity, signal, threshold };
  return Object.entries(values).map(([key, value]) => {
    const [symbol, name] = numbers[/** @type {keyof typeof numbers} */ (key)];
    return [symbol || signals[kind][0], name, value === null ? resultWords.noThreshold : format(value)];
  });
}

/** @param {import('../models/types.js').ModelEntry | undefined} model */
function noteOf(model) {
  const about = model?.demonstration ? [sentence(demonstration.heading), demonstration.text] : [];
  return paragraph(...about, model?.note ?? '');
}
