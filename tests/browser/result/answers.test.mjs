/**
 * What the page says of each kind of answer, in both languages, and what it tells of the orientation control. The worker's
 * answers are made up; `orientation.test.mjs` waits for real ones.
 */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { paragraph } from '../../../www/common/errors.js';
import * as english from '../../../www/texts/en.js';
import * as chinese from '../../../www/texts/zh-Hans.js';
import { answerAlways, answerOf, REASONS } from '../support/answers.mjs';
import { DIST, give, launch, openPage, serve, settled } from '../support/browser.mjs';
import { busyPng } from '../support/image-files.mjs';
import { ANY, pattern } from '../support/messages.mjs';

/** @type {Awaited<ReturnType<typeof serve>>} */
let server;
/** @type {import('playwright-core').Browser} */
let browser;

before(async () => {
  server = await serve({ directories: [DIST] });
  browser = await launch({ webgpu: false });
});

after(async () => {
  await browser?.close();
  await server?.close();
});

/**
 * The page, after a check with this answer.
 * @param {ReturnType<typeof answerOf>} answer @param {(page: import('playwright-core').Page, text: string) => Promise<void>} body
 * @param {import('playwright-core').BrowserContextOptions} [options]
 */
async function answered(answer, body, options) {
  const { context, page, complaints } = await openPage(browser, 'about:blank', options);
  try {
    await answerAlways(context, answer);
    await page.goto(server.address);
    // The sentences are fetched by the page's scripts, after which these listen.
    await page.locator('#how-steps li').first().waitFor();
    await give(page, 'drop', 'photo.png', busyPng(64));
    const { text } = await settled(page, { timeout: 60_000 });
    await body(page, text);
    assert.deepEqual(complaints, []);
  } finally {
    await context.close();
  }
}

/** A model that only photographs, or not even these, are known of. */
const UNCALIBRATED = { calibrated: false, photographs: 0 };
const NO_TRACE = { ...UNCALIBRATED, reason: /** @type {const} */ ('no_trace') };
const LANGUAGES = /** @type {const} */ ([
  ['en', english],
  ['zh-CN', chinese],
]);

for (const [locale, texts] of LANGUAGES) {
  const named = texts.demonstration.name;

  test(`that no trace was found is not “cannot tell”: ${locale}`, async () => {
    const answer = answerOf('cannot_tell', { known: NO_TRACE });
    await answered(
      answer,
      async (page, text) => {
        const { heading } = texts.outcomes.no_trace;
        assert.equal(await page.locator('.outcome-heading').innerText(), heading);
        assert.ok(!text.includes(texts.outcomes.cannot_tell.heading), text);
        const verdict = page.locator('#outcome .verdict');
        assert.equal(await verdict.innerText(), texts.verdicts.no_trace([named], ''));
        assert.equal(await verdict.getAttribute('data-reason'), 'no_trace');
        // The codes are the report's.
        assert.equal(await page.locator('#outcome').getAttribute('data-outcome'), 'cannot_tell');
        assert.ok((await page.locator('#status').innerText()).includes(heading), 'as screen readers hear it');
        await page.getByText(texts.result.meaningSummary).click();
        for (const sentence of Object.values(texts.meanings.no_trace).flat()) await page.getByText(sentence).waitFor();
        assert.equal(await page.locator('.plot').count(), 0, 'there is nothing to draw');
        const { line, basis, percent } = texts.control;
        assert.ok(text.includes(line(false, percent('62'), basis(0))), text);
      },
      { locale },
    );
  });

  for (const reason of /** @type {const} */ (['weak_trace', 'signals_disagree'])) {
    test(`why nothing can be told: ${reason}, ${locale}`, async () => {
      const answer = answerOf('cannot_tell', { known: { reason } });
      await answered(
        answer,
        async (page) => {
          assert.equal(await page.locator('.outcome-heading').innerText(), texts.outcomes.cannot_tell.heading);
          const said = texts.remarks[reason]?.({}) ?? REASONS[reason];
          assert.equal(locale === 'en', said === REASONS[reason], 'said in the page’s language');
          assert.equal(await page.locator('#outcome .verdict').innerText(), texts.verdicts.cannot_tell([named], said));
        },
        { locale },
      );
    });
  }

  test(`a match by the control alone needs no threshold: ${locale}`, async () => {
    await answered(
      answerOf('matches', { known: { calibrated: false, photographs: 120 } }),
      async (page, text) => {
        assert.equal(await page.locator('.outcome-heading').innerText(), texts.outcomes.matches.heading);
        assert.ok(text.includes(texts.verdicts.matches([named], '')), text);
        const { line, less, percent, basis, decides } = texts.control;
        assert.ok(text.includes(paragraph(line(true, less(percent('0.001')), basis(120)), decides)), text);
        assert.doesNotMatch(text, new RegExp(texts.numbers.threshold[1]));
        assert.equal(await page.locator('.plot').count(), 0);
        await page.getByText(texts.result.meaningSummary).click();
        await page.getByText(texts.meanings.matches_by_control.means[0]).waitFor();
      },
      { locale },
    );
  });

  test(`the numbers tell of the control, what it rests on, and what it is: ${locale}`, async () => {
    await answered(
      answerOf('matches'),
      async (page) => {
        const row = async (/** @type {string} */ key) =>
          (await page.locator(`.numbers [data-number=${key}]`).innerText()).replace(/\s+/g, ' ');
        assert.match(await row('robust'), pattern(`${texts.numbers.robust[1]} −0.421 ± 0.031 ${texts.control.compared(['mirrored', 'flipped', 'half_turn'])}`));
        assert.match(await row('share'), pattern(`< ${texts.control.percent('0.001')} ${texts.control.restsOn(120)}`));
        assert.match(await row('threshold'), /1\.4/);
        const explained = await page.locator('.numbers .explained').innerText();
        assert.equal(texts.control.explanation.length, 4);
        for (const sentence of [texts.control.heading, ...texts.control.explanation]) assert.ok(explained.includes(sentence), sentence);
        assert.equal(await page.locator('#outcome .plot').count(), 1, 't is drawn as before');
      },
      { locale },
    );
  });

  test(`numbers of a model without a threshold: ${locale}`, async () => {
    await answered(
      answerOf('cannot_tell', { known: NO_TRACE }),
      async (page) => {
        const keys = await page.locator('.numbers [data-number]').evaluateAll((rows) => rows.map((row) => /** @type {HTMLElement} */ (row).dataset.number));
        assert.deepEqual(keys, ['first', 'second', 'ratio', 'homogeneity', 't', 'threshold', 'robust', 'share']);
        const share = await page.locator('[data-number=share]').innerText();
        assert.ok(share.includes(texts.control.restsOn(0)), share);
        assert.ok((await page.locator('[data-number=robust]').innerText()).includes(texts.control.compared(['mirrored'])));
        assert.equal(await page.locator('[data-number=threshold] .value').innerText(), texts.result.noThreshold);
      },
      { locale },
    );
  });
}

test('models that were ruled out do not speak for those of which no trace was found', async () => {
  const models = /** @type {[string, string, 'cannot_tell', typeof NO_TRACE][]} */ ([['second', 'Second model', 'cannot_tell', NO_TRACE]]);
  await answered(answerOf('does_not_match', { models }), async (page, text) => {
    const { does_not_match: ruledOut, besides } = english.verdicts;
    assert.ok(text.includes(`${ruledOut([english.demonstration.name], '')} ${besides(['Second model'], '')}`), text);
    const lines = await page.locator('#outcome .lines > li').allInnerTexts();
    const { control, outcomes, signal } = english.lines;
    assert.match(lines[0], pattern(`${outcomes.does_not_match}${ANY}${control('0.012 ± 0.031', '62 %')}`));
    assert.match(lines[1], pattern(`${outcomes.no_trace}${ANY}${signal('t', '0.516', null)} · ${control('0.012 ± 0.031', '62 %')}`));
  });
});

test('no trace of several models is one answer', async () => {
  const names = ['A', 'B', 'C', 'D', 'E'];
  const models = /** @type {[string, string, 'cannot_tell', typeof NO_TRACE][]} */ (names.map((name) => [name, name, 'cannot_tell', NO_TRACE]));
  await answered(answerOf('cannot_tell', { models, known: NO_TRACE }), async (page, text) => {
    assert.ok(text.includes(english.verdicts.no_trace([english.demonstration.name, ...names], '')), text);
    assert.match(text, /“A”, “B”, “C”, or 2 others/);
  });
});

/** One of many comes as near by chance too often: what holds for it alone does not hold among so many. */
test('a model that matches alone and not among many does not stand as consistent', async () => {
  const answer = answerOf('matches', { models: [['second', 'Second model', 'does_not_match']] });
  const message = 'among 2 models one comes as near as this by chance too often';
  Object.assign(answer.ranking, { outcome: 'cannot_tell', reason: { code: 'many_models', message } });
  answer.ranking.groups[0].outcome = 'cannot_tell';
  await answered(answer, async (page) => {
    const [line] = await page.locator('#outcome .lines > li').allInnerTexts();
    assert.match(line, pattern(english.lines.outcomes.cannot_tell));
    assert.doesNotMatch(line, new RegExp(`\\b${english.lines.outcomes.matches}\\b`));
  });
});
