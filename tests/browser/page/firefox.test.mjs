/** The built page in Firefox, by a person's actions. */
// Takes long.

import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { goesWithout } from '../../../scripts/requirements.mjs';
import { firefox } from '../support/other-browsers.mjs';
import { checkSamples } from '../support/sample-check.mjs';

test('samples are checked in Firefox, on all processors, with the program’s losses', { timeout: 120_000 }, async (context) => {
  if (goesWithout(context, 'firefox')) return;
  await checkSamples(firefox, { threads: Math.min(availableParallelism(), 8) });
});
