/** Made-up answers of the worker, so that tests of the page's result need not wait for a real one. */

import { createHash } from 'node:crypto';

const HASH = (/** @type {string} */ text) => createHash('sha256').update(text).digest('hex');

/** Where the signal lies for each outcome; images that belong have less than 1.4, others more than 1.9. */
const SIGNALS = { matches: 1.03, does_not_match: 4.2, cannot_tell: 1.6 };

/** @typedef {keyof typeof SIGNALS} Outcome */

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

/** @param {string} id @param {string} name @param {Outcome} outcome */
function report(id, name, outcome) {
  const signal = SIGNALS[outcome];
  const message = 'the signal lies where both kinds of images have theirs, or neither';
  const reason = { code: 'near_threshold', message };
  return {
    model: {
      id,
      name,
      serves: id === 'second' ? ['Painter One', 'Painter Two'] : [],
      shares: [],
      precision: 'f16',
      shards: [{ file: 'shard-00.safetensors', bytes: 4_585_014, sha256: HASH(id) }],
      calibration_sha256: HASH(`calibration of ${id}`),
    },
    image: { width: 384, height: 256, format: 'PNG', compression: 'lossless', checked_width: 384, checked_height: 256 },
    losses: { first: 0.0012, second: 0.001, ratio: 1.2 },
    homogeneity: 0.43,
    t: 0.516,
    signal_kind: 'weighed',
    signal,
    threshold: 1.4,
    outcome,
    reason: outcome === 'cannot_tell' ? reason : null,
    evidence: {
      signal_name: 's',
      signal,
      condition: 'as written',
      threshold: 1.4,
      uncertain: [1.4, 1.9],
      belonging_share: 0.41,
      other_share: 0.0002,
      likelihood_ratio: 38,
      belonging_count: 400,
      other_count: 400,
    },
    notes: [{ code: 'jpeg', message: 'JPEG compression changes pixels.', values: { quality: 92 } }],
    device: { kind: 'cpu', adapter: 'CPU', maps: 'f32', map_bytes: null },
  };
}

/**
 * The worker's answer, without the file's name.
 * @param {Outcome} outcome
 * @param {{models?: [id: string, name: string, outcome: Outcome][], failures?: string[],
 *   claims?: {meaning: string, field: string, text: string}[]}} [asked] `models` and `failures`: besides the first.
 */
export function answerOf(outcome, { models = [], failures = [], claims = [PROGRAM_CLAIM] } = {}) {
  const first = /** @type {[string, string, Outcome]} */ (['aedr-small', 'aedr’s demonstration model', outcome]);
  const reports = [first, ...models].map(([id, name, found]) => report(id, name, found));
  const groups = reports.map(({ outcome }, index) => ({ outcome, reports: [index] }));
  const { reason } = reports[0];
  const ranking = { outcome, reason, groups };
  const error = { code: 'weights_missing', message: 'the file could not be fetched', advice: '' };
  const record = {
    format: 'aedr-report',
    format_version: 1,
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
    answers: reports.map((report) => ({ report, distribution: distribution(), evidenceMap: null })),
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
