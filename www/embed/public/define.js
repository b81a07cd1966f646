/** Defines `<aedr-check>`. */

import { AedrCheck, define } from '../internal/element.js';

define();

export { AedrCheck, define };
