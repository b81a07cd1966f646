/** Where the parts of the program are. The package has a module of its own in place of this one. */

import { INTEGRITY } from '../../engine/integrity.js';

export const WORKER = new URL('../../engine/worker.js', import.meta.url);

/** Empty: the worker finds the other parts by itself. @type {{wasm?: URL, helper?: URL}} */
export const PARTS = {};

/** The model that comes with the program. @type {import('../../engine/types.js').ModelAddress} */
export const DEMONSTRATION = {
  id: 'aedr-small',
  manifest: new URL('../../../weights/aedr-small/manifest.json', import.meta.url).href,
  integrity: {
    manifest: INTEGRITY['weights/aedr-small/manifest.json'],
    calibration: INTEGRITY['weights/aedr-small/calibration.json'],
  },
};
