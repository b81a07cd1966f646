/** Made-up answers of the worker, so that tests of the page's result need not wait for a real one. */

import { createHash } from 'node:crypto';

const HASH = (/** @type {string} */ text) => createHash('sha256').update(text).digest('hex');

/** Where the signal lies for each outcome; images that belong have less than 1.4, others more than 1.9. */
const SIGNALS = { matches: 1.03, does_not_match: 4.2, cannot_tell: 1.6 };

/** @typedef {keyof typeof SIGNALS} Outcome */

/** What the module says of why there is no verdict, by code. */
export const REASONS = {
  near_threshold: 'the signal lies where both kinds of images have theirs, or neither',
  no_trace: 'no trace of this model was found; whether its images would have shown one was not measured',
  weak_trace: 'something speaks for this model, but as much is seen by chance too often',
  signals_disagree: 'the two tests disagree: one speaks for this model and the other against it',
  uncalibrated: 'this model has no calibration, so there is no threshold',
};

/** @typedef {keyof typeof REASONS} Reason */

/** The share of foreign images that show as much, by what is told. @type {Record<string, number>} */
const SHARES = { matches: 2.4e-7, weak_trace: 0.012, signals_disagree: 0.0004 };

/**
 * What the orientation control found, as the module tells it.
 * @param {string} told An outcome, or the reason for none. @param {number} photographs 0: the spread was assumed.
 */
function control(told, photographs) {
  const share = SHARES[told] ?? 0.62;
  const signal = share < 0.05 ? -0.4213 : 0.0124;
  return {
    orientations: share < 0.05 ? ['mirrored', 'flipped', 'half_turn'] : ['mirrored'],
    s: signal - 0.01,
    by_orientation: share < 0.05 ? [signal, signal - 0.02, signal - 0.01] : [signal - 0.01],
    share: share < 0.05 ? 0.71 : 0.49,
    robust: { signal, standard_error: 0.0311 },
    windows: [0.041, 0.022],
    regions: [],
    evidence: {
      spread: photographs > 0 ? 0.021 : 0.05,
      photographs,
      ratio_score: photographs > 0 ? -1.2 : null,
      score: share < 0.05 ? -11.2 : 0.3,
      other_share: share,
    },
  };
}

/** Names that test how the page shows untrusted file names. */
export const HOSTILE_NAMES = [
  '<script>document.title=1</script>.png',
  `"quotes' & $(ampersands) \`x\`; <img src=x onerror=document.title=1>.png`,
  'photo\u202Egnp.exe',
  '😀 照片 \u0000\u200B.png',
  `${'x'.repeat(300)}.png`,
  '../../../etc/passwd',
  '-rf.png',
  '.png',
];

/** The server's headers for a worker. An isolated page requires them; the policy replaces that of the page. */
export const WORKER_HEADERS = {
  'Content-Type': 'text/javascript',
  'Content-Security-Policy': "default-src 'self' 'wasm-unsafe-eval'",
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

const PROGRAM_CLAIM = { meaning: 'program', field: 'Software', text: 'Painting program 7' };

/** In the form that the module makes. */
function distribution() {
  const signals = Array.from({ length: 121 }, (_, index) => 0.7 * 20 ** (index / 120));
  const bell = (/** @type {number} */ centre, /** @type {number} */ width) =>
    signals.map((signal) => Math.exp(-((Math.log(signal / centre) / width) ** 2) / 2) / width);
  return { signals, belonging: bell(1.1, 0.12), others: bell(4.4, 0.45) };
}

/**
 * @param {string} id @param {string} name @param {Outcome} outcome
 * @param {{reason?: Reason, calibrated?: boolean, photographs?: number}} [known] `reason`: why it cannot tell. `calibrated`:
 *   whether the model has a threshold. `photographs`: on how many the spread of the control was measured.
 */
function report(id, name, outcome, { reason = 'near_threshold', calibrated = true, photographs = 120 } = {}) {
  const signal = SIGNALS[outcome];
  const evidence = {
    signal_name: 's',
    signal,
    condition: 'as written',
    alpha: 0.05,
    threshold: 1.4,
    uncertain: [1.4, 1.9],
    belonging_share: 0.41,
    other_share: 0.0025,
    likelihood_ratio: 38,
    belonging_count: 400,
    other_count: 400,
  };
  return {
    model: {
      id,
      name,
      serves: id === 'second' ? ['Painter One', 'Painter Two'] : [],
      shares: [],
      precision: 'f16',
      shards: [{ file: 'shard-00.safetensors', bytes: 4_585_014, sha256: HASH(id) }],
      calibration_sha256: calibrated ? HASH(`calibration of ${id}`) : null,
    },
    image: { width: 384, height: 256, format: 'PNG', compression: 'lossless', checked_width: 384, checked_height: 256 },
    losses: { first: 0.0012, second: 0.001, ratio: 1.2 },
    homogeneity: 0.43,
    t: 0.516,
    signal_kind: calibrated ? 'weighed' : 'paper',
    signal: calibrated ? signal : 0.516,
    threshold: calibrated ? 1.4 : null,
    outcome,
    reason: outcome === 'cannot_tell' ? { code: reason, message: REASONS[reason] } : null,
    evidence: calibrated ? evidence : null,
    control: control(outcome === 'cannot_tell' ? reason : outcome, photographs),
    notes: [{ code: 'jpeg', message: 'JPEG compression changes pixels.', values: { quality: 92 } }],
    device: { kind: 'cpu', adapter: 'CPU', maps: 'f32', map_bytes: null },
  };
}

/**
 * The worker's answer, without the file's name.
 * @param {Outcome} outcome
 * @param {{models?: [id: string, name: string, outcome: Outcome, known?: Parameters<typeof report>[3]][],
 *   failures?: string[], claims?: {meaning: string, field: string, text: string}[], known?: Parameters<typeof report>[3]}} [asked]
 *   `models` and `failures`: besides the first. `known`: of the first.
 */
export function answerOf(outcome, { models = [], failures = [], claims = [PROGRAM_CLAIM], known } = {}) {
  const first = /** @type {[string, string, Outcome, typeof known]} */ (['aedr-small', 'aedr’s demonstration model', outcome, known]);
  const reports = [first, ...models].map((each) => report(...each));
  const groups = reports.map(({ outcome }, index) => ({ outcome, reports: [index] }));
  const { reason } = reports[0];
  const ranking = { outcome, reason, groups };
  const error = { code: 'weights_missing', message: 'the file could not be fetched', advice: '' };
  const record = {
    format: 'aedr-report',
    format_version: 2,
    created_at: '2026-11-24T21:30:00.000Z',
    program: { version: '0.1.0', platform: 'wasm32' },
    image: { name: '', bytes: 130_798, sha256: HASH('image') },
    settings: { deep: false, apply_orientation: false },
    ranking,
    checks: reports,
    failures: failures.map((model) => ({ model, code: error.code, message: error.message })),
    claims,
    credentials: null,
  };
  return {
    answers: reports.map((report) => ({
      report,
      distribution: report.evidence && distribution(),
      evidenceMap: null,
    })),
    ranking,
    record,
    claims,
    picture: null,
    failures: failures.map((id) => ({ model: { id, manifest: '' }, error })),
    device: { kind: 'cpu', adapter: 'CPU', reason: 'chosen', threads: 2 },
    seconds: 1.2,
  };
}

/**
 * Makes the page get this answer for every image, from a worker without the module.
 * @param {import('playwright-core').BrowserContext} context @param {ReturnType<typeof answerOf>} answer
 */
export async function answerAlways(context, answer) {
  const body = `import { answer } from './channel.js';
    const found = ${JSON.stringify(answer)};
    const { record } = found;
    const named = (name) => ({ ...found, record: { ...record, image: { ...record.image, name } } });
    answer(self, { check: async ({ name }) => named(name) });`;
  await context.route('**/www/engine/worker.js', (route) => route.fulfill({ headers: WORKER_HEADERS, body }));
}
