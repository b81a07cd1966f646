/**
 * What the table shows of one image, as data: for its cells, for sorting and for the export.
 *
 * @typedef {import('./types.js').Entry} Entry
 * @typedef {object} RowValues
 * @property {string} kind The kind of answer, or how far the check is.
 * @property {string} outcome The report's, or how far the check is.
 * @property {string} reason The code of why there is no verdict.
 * @property {string[]} models Names of the models that the image is consistent with.
 * @property {number | null} signal The signal of the model that ranks first.
 * @property {string} signalKind
 * @property {number | null} threshold
 * @property {{s: number | null, robust: number, error: number, share: number | null} | null} control The orientation control of
 *   the model that ranks first; `share`: of images that the model did not make, how many show as much.
 * @property {number | null} width
 * @property {number | null} height
 * @property {string} error In words, if there is no result.
 */

import { sentence } from '../common/errors.js';
import { localizedError } from '../texts/catalogue.js';
import { answerKind } from '../texts/messages.js';

/** @param {Entry} entry @returns {RowValues} */
export function rowValues({ state, found, error }) {
  const nothing = { models: [], reason: '', signal: null, signalKind: '', threshold: null, control: null, width: null, height: null };
  if (state !== 'done' || !found) {
    return { ...nothing, kind: state, outcome: state, error: error ? sentence(localizedError(error).message) : '' };
  }
  const { answers, ranking } = found.answer;
  const { outcome, reason, groups } = ranking;
  const reports = groups[0].reports.map((/** @type {number} */ index) => answers[index].report);
  const { signal, signal_kind: signalKind, threshold, image } = reports[0];
  const { width, height } = image;
  const models = outcome === 'matches' ? reports.map((/** @type {any} */ { model }) => model.name) : [];
  return {
    kind: answerKind(ranking),
    outcome,
    reason: reason?.code ?? '',
    models,
    signal,
    signalKind,
    threshold,
    control: controlOf(reports[0]),
    width,
    height,
    error: '',
  };
}

/** @param {any} report @returns {RowValues['control']} */
function controlOf({ control }) {
  if (!control) return null;
  const { s, robust, evidence } = control;
  return { s, robust: robust.signal, error: robust.standard_error, share: evidence?.other_share ?? null };
}
