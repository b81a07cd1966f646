/**
 * The table as a file: CSV for spreadsheets (RFC 4180), or the reports as JSON.
 *
 * @typedef {import('./types.js').Entry} Entry
 */

import { rowValues } from './row-values.js';

/** Column names for programs and people: those of the report, the same in every language. */
const COLUMNS = [
  ...['name', 'outcome', 'reason', 'models', 'signal_kind', 'signal', 'threshold'],
  ...['s', 'robust_s', 'robust_s_error', 'control_share', 'width', 'height', 'bytes', 'error'],
];
/** A spreadsheet would take a cell that begins like this for a formula. */
const FORMULA = /^[=+\-@\t\r]/;
/** Without it, some spreadsheets do not recognise UTF-8. */
const BYTE_ORDER_MARK = '\uFEFF';

/** @param {Entry[]} entries */
export function toCsv(entries) {
  const rows = entries.map((entry) => {
    const { outcome, reason, models, signalKind, signal, threshold, control, width, height, error } = rowValues(entry);
    const { s = null, robust = null, error: deviation = null, share = null } = control ?? {};
    const bytes = entry.intake?.file.size ?? null;
    const measured = [signalKind, signal, threshold, s, robust, deviation, share];
    return [entry.name, outcome, reason, models.join('; '), ...measured, width, height, bytes, error];
  });
  return BYTE_ORDER_MARK + [COLUMNS, ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}

/** @param {string | number | null} value */
function cell(value) {
  if (typeof value !== 'string') return value === null ? '' : String(value);
  const safe = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** The reports; for an image without one, its name and the reason. @param {Entry[]} entries */
export function toJson(entries) {
  const all = entries.map(({ name, state, found, error }) => {
    if (state === 'done' && found) return found.answer.record;
    return { name, error: error ?? { code: 'not_checked', message: `the check is ${state}`, advice: '' } };
  });
  return `${JSON.stringify(all, null, 2)}\n`;
}
