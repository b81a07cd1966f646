/** Defines `<aedr-check>`. */

import { AedrCheck, define } from './element.js';

define();

export { AedrCheck, define };
