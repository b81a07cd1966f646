/**
 * The frame's entry point: `embed.html` in another site's page. It listens for messages from the start and loads slower
 * parts afterwards. It answers only the page around it, and only if the host allows that page.
 */

import { AedrError } from '../../common/errors.js';
import { Allowance, allows, problem, readHello, VERSIONS } from './protocol.js';

const allowance = new Allowance(performance.now());
/** The module that makes the checks, once it has loaded. */
const checks = import('./frame-checks.js').then(({ openFrameChecks }) => openFrameChecks());
/** The current connection: the newest one. @type {MessagePort | null} */
let newest = null;
/** @type {import('./frame-embedder.js').Embedder | null} */
let embedder = null;

addEventListener('message', ({ data, source, origin, ports }) => {
  if (parent === self || source !== parent || !allows(metaContent('aedr-embedders'), origin)) return;
  const hello = readHello(data);
  if (!hello || ports.length !== 1 || !allowance.spend(performance.now())) return;
  connect(hello.version, ports[0]);
});

checks.then(
  (opened) => opened.onEvent((event) => embedder?.tell(event)),
  // The texts did not load either, so the page's markup contains this message from the start.
  () => document.getElementById('unstarted')?.classList.add('now'),
);

/** @param {number} version @param {MessagePort} port */
async function connect(version, port) {
  if (!VERSIONS.includes(version)) return refuse(port, problem('unsupported_version', { versions: VERSIONS }));
  newest = port;
  try {
    const [opened, { Embedder }] = await Promise.all([checks, import('./frame-embedder.js')]);
    if (newest !== port) return refuse(port, problem('frame_replaced'));
    embedder?.leave(problem('frame_replaced'));
    embedder = new Embedder(port, opened);
    const loaded = document.readyState === 'complete';
    embedder.tell({ type: 'ready', version, release: metaContent('release'), loaded });
    opened.greet();
  } catch {
    refuse(port, new AedrError('program_missing', 'a part of the frame could not be fetched', 'Load the frame again.'));
  }
}

/** @param {MessagePort} port @param {AedrError} error */
function refuse(port, { code, message, advice, details }) {
  const versions = details?.versions;
  port.postMessage({ type: 'error', error: { code, message, advice }, ...(versions && { versions }) });
  port.close();
}

/** @param {string} name */
function metaContent(name) {
  return document.querySelector(`meta[name="${name}"]`)?.getAttribute('content') ?? '';
}
