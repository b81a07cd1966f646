/** What the report's picture is drawn with, without a browser: type, fonts, names that may be anything. */

import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { test } from 'node:test';
import opentype from 'opentype.js';
import { face } from '../../../www/export/opentype-font.js';
import { pictureFonts } from '../../../www/export/picture-fonts.js';
import { drawable } from '../../../www/export/picture-typesetting.js';
import { pictureSvg } from '../../../www/export/picture.js';
import { LOCALES } from '../../../www/texts/locale.js';
import { HOSTILE_NAMES } from '../support/answers.mjs';
import { ROOT } from '../support/browser.mjs';

const FONTS = resolve(ROOT, 'www/fonts');
/** Exports of the catalogues that it may show sentences of: as in scripts/report-font.py. */
const SHOWN = [
  'picture',
  'control',
  'demonstration',
  'evidence',
  'lines',
  'meanings',
  'numbers',
  'outcomes',
  'plot',
  'problems',
  'remarks',
  'result',
  'samples',
  'signals',
  'verdicts',
];

const CONTENT = {
  outcome: 'matches',
  date: 'a date',
  heading: 'Heading',
  verdict: 'A verdict.',
  name: '',
  facts: 'facts',
  picture: null,
  plot: null,
  evidence: '',
  lines: { heading: '', items: [], more: '' },
  numbers: { heading: 'Model', items: /** @type {[string, string, string][]} */ ([['L1', 'first loss', '0.1']]) },
  meansNot: { heading: 'Not', items: ['That.'] },
  note: '',
  hash: /** @type {[string, string]} */ (['hash', '0'.repeat(64)]),
  program: 'aedr',
  made: 'Made.',
};

test('in the picture, names are text of the font’s characters that fits its line', async () => {
  const { faces } = await fontsOf('en');
  for (const name of HOSTILE_NAMES) {
    const svg = pictureSvg({ ...CONTENT, name }, faces);
    assert.doesNotMatch(svg, /<script|<img|\u202E|\u200B|\0/, name);
    const lines = [...svg.matchAll(/<text[^>]*>(.*?)<\/text>/g)].map(([, line]) => line);
    const line = lines.find((text) => /font-weight="700"/.test(text)) ?? '';
    assert.ok(line.replace(/<[^>]+>|&#\d+;/g, '.').length < 110, line);
  }
  assert.equal(drawable('photo\u202Egnp.exe', faces.regular), 'photo…gnp.exe');
  assert.equal(drawable('😀照\u200B片.png', faces.regular), '….png');
  assert.equal(drawable('Übergrößen, Łódź, Ελλάδα, Москва', faces.regular), 'Übergrößen, Łódź, Ελλάδα, Москва');
});

/** @param {string} locale */
const fontsOf = (locale) =>
  pictureFonts(locale, async (file) => new Uint8Array(await readFile(resolve(FONTS, file))).buffer);

test('the fonts have every character of every sentence that the picture may show', async () => {
  const locales = Object.keys(LOCALES);
  assert.ok(locales.length >= 2, 'the languages are there');
  for (const locale of locales) {
    const { faces } = await fontsOf(locale);
    const catalogue = await import(resolve(ROOT, `www/texts/${locale}.js`));
    const lists = new Intl.ListFormat(locale, { type: 'disjunction' }).format(['1', '2', '3']);
    const date = new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeStyle: 'short', hourCycle: 'h23' });
    const texts = [...SHOWN.flatMap((name) => sentences(catalogue[name])), lists, date.format(new Date())];
    const characters = new Set(texts.join('').replace(/\s/g, ''));
    const advice = `${locale}: run scripts/report-font.py again`;
    for (const stack of Object.values(faces)) {
      assert.deepEqual([...characters].filter((character) => !has(stack, character)), [], advice);
    }
    const { lines, outcomes, plot, result } = catalogue;
    const headings = Object.values(outcomes).map(({ heading }) => heading);
    const labels = [plot.here('1'), plot.match, plot.unsure, plot.none];
    const bold = [...headings, ...labels, lines.heading, result.meansNotHeading, result.noThreshold].join('');
    const heavy = faces.display.filter(({ weight }) => weight >= 700);
    const light = [...new Set(bold.replace(/\s/g, ''))].filter((character) => !has(heavy, character));
    assert.deepEqual(light, [], advice);
  }
});

/** @param {import('../../../www/export/opentype-font.js').Face[]} faces @param {string} character */
function has(faces, character) {
  return faces.some(({ widths }) => widths.has(/** @type {number} */ (character.codePointAt(0))));
}

/** Strings, and the source of functions, within a catalogue's export. @param {any} part @returns {string[]} */
function sentences(part) {
  if (typeof part === 'string') return [part];
  if (typeof part === 'function') return [part.toString()];
  return part && typeof part === 'object' ? Object.values(part).flatMap(sentences) : [];
}

test('the fonts are small, and are read as others read them', async () => {
  let bytes = 0;
  for (const file of (await readdir(FONTS)).filter((name) => name.endsWith('.otf'))) {
    const { buffer } = new Uint8Array(await readFile(resolve(FONTS, file)));
    bytes += buffer.byteLength;
    const { widths } = face(buffer, { family: '', weight: 400 });
    const font = opentype.parse(buffer);
    assert.ok(widths.size > 5, file);
    for (const [code, width] of widths) {
      const glyph = font.charToGlyph(String.fromCodePoint(code));
      assert.ok(glyph.index > 0, `${file} has no ${code.toString(16)}`);
      assert.ok(Math.abs(glyph.advanceWidth / font.unitsPerEm - width) < 1e-6, `${file}: ${code.toString(16)}`);
    }
  }
  assert.ok(bytes > 0 && bytes < 320_000, `${bytes} bytes of fonts`);
});
