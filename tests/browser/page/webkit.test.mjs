/** The built page in WebKit, by a person's actions. WebKitGTK isolates pages, and yet lets no workers share memory. */
// Takes long.

import { test } from 'node:test';
import { goesWithout } from '../../../scripts/requirements.mjs';
import { webkit } from '../support/other-browsers.mjs';
import { checkSamples } from '../support/sample-check.mjs';

test('samples are checked in WebKit, on one thread, with the program’s losses', { timeout: 120_000 }, async (context) => {
  if (goesWithout(context, 'webkit')) return;
  await checkSamples(webkit, { threads: 1 });
});
