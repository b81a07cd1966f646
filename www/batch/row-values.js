/**
 * What the table shows of one image, as data: for its cells, for sorting and for the export.
 *
 * @typedef {import('./types.js').Entry} Entry
 * @typedef {object} RowValues
 * @property {string} kind One of the three outcomes, or how far the check is.
 * @property {string[]} models Names of the models that the image is consistent with.
 * @property {number | null} signal The signal of the model that ranks first.
 * @property {string} signalKind
 * @property {number | null} threshold
 * @property {number | null} width
 * @property {number | null} height
 * @property {string} error In words, if there is no result.
 */

import { sentence } from '../common/errors.js';
import { localizedError } from '../texts/catalogue.js';

/** @param {Entry} entry @returns {RowValues} */
export function rowValues({ state, found, error }) {
  const nothing = { models: [], signal: null, signalKind: '', threshold: null, width: null, height: null };
  if (state !== 'done' || !found) {
    return { ...nothing, kind: state, error: error ? sentence(localizedError(error).message) : '' };
  }
  const { answers, ranking } = found.answer;
  const { outcome, groups } = ranking;
  const reports = groups[0].reports.map((/** @type {number} */ index) => answers[index].report);
  const { signal, signal_kind: signalKind, threshold, image } = reports[0];
  const { width, height } = image;
  const models = outcome === 'matches' ? reports.map((/** @type {any} */ { model }) => model.name) : [];
  return { kind: outcome, models, signal, signalKind, threshold, width, height, error: '' };
}
