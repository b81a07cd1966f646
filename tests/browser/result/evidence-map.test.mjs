/** The plot of the evidence and the evidence map, by a person's actions. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { DIST, give, launch, openPage, sampleBytes, sampleList, serve, settled } from '../support/browser.mjs';
import { encode, smallPart } from '../support/encoded-images.mjs';
import { tiff } from '../support/image-files.mjs';
import { ANY, english, pattern } from '../support/messages.mjs';

/** @typedef {import('playwright-core').Page} Page */

/** @type {Awaited<ReturnType<typeof serve>>} */
let server;
/** @type {import('playwright-core').Browser} */
let browser;
/** @type {Buffer} */
let decoded;
/** @type {Buffer} */
let photograph;

before(async () => {
  server = await serve({ directories: [DIST] });
  browser = await launch();
  const samples = await sampleList();
  decoded = await sampleBytes(samples.find((sample) => sample.decoded).file);
  photograph = await sampleBytes(samples.find((sample) => !sample.decoded).file);
});

after(async () => {
  await browser?.close();
  await server?.close();
});

/** @param {string} name @param {(page: Page) => Promise<void>} body @param {any} [options] */
function pageTest(name, body, options) {
  test(name, { timeout: 600_000 }, async () => {
    const { page, context, complaints } = await openPage(browser, server.address, options);
    try {
      await body(page);
      assert.deepEqual(complaints, []);
    } finally {
      await context.close();
    }
  });
}

/** Whether every picture that is shown has come. @param {Page} page */
const pictures = (page) =>
  page.locator('.viewer img').evaluateAll((images) =>
    Promise.all(images.map((image) => image.decode().then(() => image.naturalWidth))),
  );

pageTest('the plot says in words where the image lies, and draws it there', async (page) => {
  await give(page, 'drop', 'photograph.jpg', photograph);
  assert.equal((await settled(page)).outcome, 'does_not_match');
  const plot = page.locator('.outcome .plot');
  const label = (await plot.getAttribute('aria-label')) ?? '';
  assert.match(label, pattern(english.plot.label(ANY, ANY, english.plot.none)));
  const [signal, threshold] = (label.match(/[\d.]+(?=[ ,])/g) ?? []).map(Number);
  assert.ok(signal > threshold, label);
  const [needle, limit] = await plot.evaluate((drawn) =>
    ['.needle', '.limit'].map((name) => {
      const { left, right } = drawn.querySelector(name).getBoundingClientRect();
      return (left + right) / 2;
    }),
  );
  assert.ok(needle > limit, `${needle} ${limit}`);
  assert.equal(await plot.locator('.curve').count(), 2);
});

/** Evidence and distributions as they may come; null: no verdict at that end. */
const EVIDENCE = [
  { signal: 0.7, threshold: 1, uncertain: [0.9, 1.2] },
  { signal: 40, threshold: 1, uncertain: [1, 1.5] },
  { signal: 0.001, threshold: 1, uncertain: [0.2, 3] },
  { signal: 1.1, threshold: 1, uncertain: [null, 1.4] },
  { signal: 1.1, threshold: 1, uncertain: [0.8, null] },
  { signal: 1.1, threshold: 1, uncertain: [null, null] },
];
const DISTRIBUTION = { signals: [0.3, 0.6, 1, 5, 20], belonging: [0, 2, 1, 0, 0], others: [0, 0, 0.1, 0.5, 0] };

pageTest('the page and the saved picture draw the same evidence at the same places', async (page) => {
  const drawn = await page.evaluate(
    async ({ cases, distribution }) => {
      const at = (/** @type {string} */ file) => import(new URL(`www/${file}`, document.baseURI).href);
      const [{ evidencePlot }, { plotDrawing }, { pictureFonts }] = await Promise.all(
        ['result/plot.js', 'export/picture-plot.js', 'export/picture-fonts.js'].map(at),
      );
      const load = async (/** @type {string} */ file) => (await fetch(`www/fonts/${file}`)).arrayBuffer();
      const { faces } = await pictureFonts('en', load);
      const type = { faces: faces.regular, size: 20 };
      const words = { here: 'h', limit: 'l', match: 'm', unsure: 'u', none: 'n', belonging: 'b', others: 'o' };
      const numbers = (/** @type {string} */ text, /** @type {RegExp} */ pattern) =>
        [...text.matchAll(pattern)].map((found) => found.slice(1).map(Number));
      return cases.flatMap((evidence) =>
        [null, distribution].map((shown) => {
          const plot = evidencePlot(evidence, shown).querySelector('svg');
          const width = plot.viewBox.baseVal.width;
          const start = (/** @type {string} */ name) =>
            parseFloat(plot.querySelector(name).getAttribute('d').slice(1)) / width;
          const zones = [...plot.querySelectorAll('rect')].map((zone) => [
            zone.x.baseVal.value / width,
            (zone.x.baseVal.value + zone.width.baseVal.value) / width,
          ]);
          const inPage = { here: start('.needle'), limit: start('.limit'), zones };
          const types = { strong: type, small: type, zone: type };
          const { svg } = plotDrawing({ ...evidence, distribution: shown, words }, { x: 0, y: 0, width: 1000 }, types);
          const [[limit], [here]] = numbers(svg, /stroke-width="3" d="M([\d.]+) [\d.]+V/g);
          const bands = numbers(svg, /d="M([\d.]+) [\d.]+H([\d.]+)v46/g).map((ends) => ends.map((end) => end / 1000));
          return { evidence, inPage, saved: { here: here / 1000, limit: limit / 1000, zones: bands } };
        }),
      );
    },
    { cases: EVIDENCE, distribution: DISTRIBUTION },
  );
  assert.equal(drawn.length, 2 * EVIDENCE.length);
  for (const { evidence, inPage, saved } of drawn) {
    const near = (/** @type {number} */ a, /** @type {number} */ b) =>
      assert.ok(Math.abs(a - b) < 0.001, `${a} ${b} ${JSON.stringify(evidence)}`);
    near(inPage.here, saved.here);
    near(inPage.limit, saved.limit);
    // The picture leaves out a zone without width.
    const shown = inPage.zones.filter(([from, to]) => to - from > 0.0005);
    assert.equal(shown.length, saved.zones.length, JSON.stringify({ evidence, inPage, saved }));
    for (const [index, ends] of shown.entries()) ends.forEach((end, side) => near(end, saved.zones[index][side]));
    assert.equal(inPage.zones[0][1] > 0, evidence.uncertain[0] !== null, 'a zone of matches where there are any');
    assert.equal(inPage.zones[2][0] < 1, evidence.uncertain[1] !== null);
  }
});

pageTest('what it means and does not is one tap away', async (page) => {
  await give(page, 'drop', 'decoded.png', decoded);
  await settled(page);
  const meaning = page.locator('.outcome .meaning');
  const { means, meansNot } = english.meanings.matches;
  for (const sentence of [...means, ...meansNot]) assert.equal(await meaning.getByText(sentence).isVisible(), false, sentence);
  await meaning.locator('summary').click();
  for (const sentence of [...means, ...meansNot]) assert.ok(await meaning.getByText(sentence).isVisible(), sentence);
});

pageTest('layers are laid over the image up to a line that moves, and zoomed, with the keyboard', async (page) => {
  await give(page, 'drop', 'decoded.png', decoded);
  await settled(page);
  const viewer = page.locator('.viewer');
  await viewer.waitFor();
  const over = viewer.locator('.over');
  const scale = viewer.locator('.colour-scale');
  assert.ok(await scale.isVisible());
  for (const width of await pictures(page)) assert.ok(width > 0);
  // 384 × 256 pixels in cells of eight.
  assert.equal(await over.evaluate((/** @type {any} */ image) => image.naturalWidth), 48);
  const seen = new Set([await over.getAttribute('src')]);
  const explanation = viewer.locator('.explanation');
  await page.getByRole('radio', { name: english.evidenceMap.layers.ratio }).focus();
  for (const layer of ['control', 'first', 'second', 'first_error', 'second_error']) {
    await page.keyboard.press('ArrowDown');
    assert.ok(await page.getByRole('radio', { name: english.evidenceMap.layers[layer] }).isChecked(), layer);
    const [, width] = await pictures(page);
    const isMap = layer === 'control' || layer.includes('error');
    assert.equal(width, isMap ? 48 : 384);
    assert.equal(await scale.isVisible(), isMap);
    assert.equal(await explanation.innerText(), english.evidenceMap.explanations[layer]);
    seen.add(await over.getAttribute('src'));
  }
  assert.equal(seen.size, 6);
  const options = await viewer.getByRole('radio').evaluateAll((inputs) => inputs.map((input) => input.value));
  assert.deepEqual(options, ['ratio', 'control', 'first', 'second', 'first_error', 'second_error']);
  // The line is where the thumb is.
  const slider = page.getByRole('slider', { name: pattern(english.evidenceMap.slider(ANY)) });
  const covered = async () => {
    const clip = await over.evaluate((image) => getComputedStyle(image).clipPath);
    return 100 - Number(clip.match(/([\d.]+)%\)$/)?.[1] ?? 0);
  };
  assert.equal(await covered(), 50);
  await slider.focus();
  await page.keyboard.press('End');
  assert.equal(await slider.inputValue(), '100');
  assert.ok(Number.isNaN(await covered()) || (await covered()) === 100);
  await page.keyboard.press('Home');
  assert.equal(await covered(), 0);
  assert.equal(await slider.getAttribute('aria-valuetext'), english.evidenceMap.covered(0));
  const view = viewer.locator('.view');
  await view.focus();
  for (const zoom of [1, 2, 4]) {
    await page.keyboard.press('+');
    assert.equal(await viewer.locator('.zoom-text').innerText(), english.evidenceMap.zoomed(zoom));
  }
  assert.equal(await viewer.locator('.plane').evaluate((plane) => plane.clientWidth), 4 * 384);
  const before = await view.evaluate((node) => node.scrollLeft);
  const box = await view.boundingBox();
  await page.mouse.move(box.x + 40, box.y + 40);
  await page.mouse.down();
  await page.mouse.move(box.x + 10, box.y + 30);
  await page.mouse.up();
  assert.equal(Math.round((await view.evaluate((node) => node.scrollLeft)) - before), 30);
});

pageTest('the line follows a finger or the mouse', async (page) => {
  await give(page, 'drop', 'decoded.png', decoded);
  await settled(page);
  const plane = page.locator('.plane');
  await plane.scrollIntoViewIfNeeded();
  const { x, y, width, height } = await plane.boundingBox();
  await page.mouse.move(x + width / 2, y + height / 2);
  await page.mouse.down();
  await page.mouse.move(x + width / 4, y + height / 2, { steps: 4 });
  await page.mouse.up();
  const value = Number(await page.getByRole('slider', { name: pattern(english.evidenceMap.slider(ANY)) }).inputValue());
  assert.ok(Math.abs(value - 75) <= 1, `${value} % covered`);
});

pageTest('what was pasted in stands out from what surrounds it', async (page) => {
  const at = /** @type {[number, number, number, number]} */ ([203, 61, 101, 90]);
  const pasted = await encode(page, decoded, 'image/png', { paste: { bytes: photograph, at } });
  await give(page, 'drop', 'pasted.png', pasted);
  await settled(page);
  await page.locator('.viewer').waitFor();
  await layer(page, 'ratio').check();
  const inside = await valueAt(page, 'ratio', 285, 80);
  // Below it, left of it, and away from it.
  for (const [left, top] of [[285, 230], [60, 80], [60, 200]]) {
    const outside = await valueAt(page, 'ratio', left, top);
    assert.ok(inside > 2.5 * outside, `${inside} inside, ${outside} at ${left}, ${top}`);
  }
  assert.match(await page.locator('.told').innerText(), pattern(english.evidenceMap.told(Number.NaN, 0).replace(/\.$/, '')));
});

/** @param {Page} page @param {string} name */
const layer = (page, name) => page.getByRole('radio', { name: english.evidenceMap.layers[name] });

/**
 * What the map tells under the pointer, of an image of 384 × 256 pixels.
 * @param {Page} page @param {'ratio' | 'control'} kind @param {number} left @param {number} top In pixels of the image.
 */
async function valueAt(page, kind, left, top) {
  const over = page.locator('.over');
  await over.scrollIntoViewIfNeeded();
  const { x, y, width, height } = await over.boundingBox();
  await page.mouse.move(x + (left / 384) * width, y + (top / 256) * height);
  const text = await page.locator('.readout').innerText();
  const side = kind === 'control' ? 64 : 8;
  assert.match(text, pattern(english.evidenceMap.readout(ANY, ANY, english.evidenceMap.value[kind](ANY), side)));
  return Number(/: [^\d−]*(−?[\d.]+)/.exec(text)?.[1].replace('−', '-'));
}

pageTest('what the model painted into a photograph is told by the control, and framed', async (page) => {
  const at = /** @type {[number, number, number, number]} */ ([192, 64, 160, 160]);
  const bytes = await encode(page, photograph, 'image/png', { paste: { bytes: decoded, at } });
  await give(page, 'drop', 'painted.png', bytes);
  const { outcome, text } = await settled(page);
  assert.equal(outcome, 'cannot_tell', text);
  await page.locator('.viewer').waitFor();
  assert.ok(await layer(page, 'control').isChecked(), 'what frames are about comes first');
  const frames = page.locator('.plane .parts > div');
  assert.equal(await frames.count(), 1);
  assert.equal(await page.locator('.framed').innerText(), english.evidenceMap.framed.present);
  const [framed, plane] = [await frames.boundingBox(), await page.locator('.plane').boundingBox()];
  const middle = [framed.x + framed.width / 2 - plane.x, framed.y + framed.height / 2 - plane.y];
  const [left, top] = middle.map((side) => (side * 384) / plane.width);
  assert.ok(Math.abs(left - 272) < 48 && Math.abs(top - 144) < 48, `${left}, ${top}`);
  const inside = await valueAt(page, 'control', 272, 144);
  const outside = await valueAt(page, 'control', 60, 60);
  assert.ok(inside < -0.3 && Math.abs(outside) < 0.2, `${inside} inside, ${outside} outside`);
  const scale = page.locator('.colour-scale');
  const low = Number(/−([\d.]+)/.exec(await scale.locator('.low').innerText())?.[1]);
  assert.equal(await scale.locator('.low').innerText(), english.evidenceMap.scaleLow.control(`−${low.toFixed(2)}`));
  assert.equal(await scale.locator('.centre').innerText(), english.evidenceMap.scaleCentre('0'));
  assert.equal(await scale.locator('.high').innerText(), english.evidenceMap.scaleHigh.control(low.toFixed(2)));
  const share = Number(/\d+/.exec(await page.locator('.told').innerText())?.[0]);
  assert.equal(await page.locator('.told').innerText(), english.evidenceMap.toldTrace(share / 100));
  assert.ok(share > 10 && share < 60, `${share} %`);
});

pageTest('an image smaller than a window has no layer of the control', async (page) => {
  await give(page, 'drop', 'strip.png', await encode(page, decoded, 'image/png', { side: 56 }));
  await settled(page);
  await page.locator('.viewer').waitFor();
  const options = await page.locator('.viewer').getByRole('radio').evaluateAll((inputs) => inputs.map((input) => input.value));
  assert.deepEqual(options, ['ratio', 'first', 'second', 'first_error', 'second_error']);
  assert.ok(await layer(page, 'ratio').isChecked());
});

pageTest('a file that browsers do not show is shown from its pixels', async (page) => {
  const file = tiff(160, 160, (x, y) => [(x * 7 + y * 3) & 255, (x * y) & 255, (x ^ y) & 255]);
  await give(page, 'drop', 'scan.tiff', file);
  await settled(page);
  await page.locator('.viewer').waitFor();
  assert.deepEqual((await pictures(page)).slice(0, 2), [160, 20]);
});

pageTest('of many images only the last keep their pictures, and the others get them again', async (page) => {
  // So that a few images stand for many.
  await page.context().route('**/check-queue.js', async (route) => {
    const response = await route.fetch();
    const body = (await response.text()).replace('KEPT_BYTES = 256 * 2 ** 20', 'KEPT_BYTES = 100_000');
    await route.fulfill({ response, body });
  });
  await page.reload();
  const part = await smallPart(browser, server.address, decoded);
  const input = page.locator('#file');
  const names = [1, 2, 3, 4].map((number) => `${number}.png`);
  await input.setInputFiles(names.map((name) => ({ name, mimeType: 'image/png', buffer: part })));
  await page.locator('#table tbody tr[data-kind=matches]').nth(3).waitFor({ timeout: 300_000 });
  const name = (/** @type {string} */ text) => page.locator('#table').getByRole('button', { name: text, exact: true });
  await name('1.png').click();
  await page.getByText(english.evidenceMap.givenUp).waitFor();
  await page.getByRole('button', { name: english.evidenceMap.again }).click();
  await page.locator('.viewer').waitFor({ timeout: 60_000 });
  await name('3.png').click();
  await page.getByText(english.evidenceMap.givenUp).waitFor();
  await name('1.png').click();
  await page.locator('.viewer').waitFor();
});
