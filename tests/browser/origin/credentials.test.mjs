/** Content Credentials on the built page: files of `credentials/`, dropped by a person. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { brotliCompressSync, constants, crc32 } from 'node:zlib';
import { factsOf } from '../../../www/origin/credential-facts.js';
import { untrustedText } from '../../../www/ui/untrusted-text.js';
import { DIST, give, launch, openPage, ROOT, serve, settled } from '../support/browser.mjs';
import { ANY, english, pattern } from '../support/messages.mjs';

const words = english.credentials;

/** Compressed over the wire, the program that reads them may take no more than this. */
const PROGRAM_BYTES = 3_000_000;

/** @type {Awaited<ReturnType<typeof serve>>} */
let server;
/** @type {import('playwright-core').Browser} */
let browser;
/** The page that tests share which leave it as it was. @type {Awaited<ReturnType<typeof openPage>>} */
let common;

before(async () => {
  server = await serve({ directories: [DIST] });
  browser = await launch({ webgpu: false });
  common = await openPage(browser, server.address);
});

after(async () => {
  await browser?.close();
  await server?.close();
});

/** @param {string} name */
const fixture = (name) => readFile(resolve(ROOT, 'tests/browser/origin/credentials', name));

/**
 * A test with a page, from which nothing may leave the origin and where the browser may not complain but in ways that
 * `expected` describes.
 * @param {string} name
 * @param {(page: import('playwright-core').Page, opened: Awaited<ReturnType<typeof openPage>>) => Promise<void>} body
 * @param {{own?: boolean, expected?: RegExp, options?: import('playwright-core').BrowserContextOptions}} [how] A page
 *   of its `own` has fetched nothing yet.
 */
function pageTest(name, body, { own = false, expected, options } = {}) {
  test(name, { timeout: 120_000 }, async () => {
    const opened = own ? await openPage(browser, server.address, options) : common;
    try {
      await body(opened.page, opened);
      const { origin } = new URL(server.address);
      const foreign = opened.requests.filter((url) => !/^(blob|data):/.test(url) && new URL(url).origin !== origin);
      assert.deepEqual(foreign, [], 'requests outside the origin');
      assert.deepEqual(
        opened.complaints.filter((text) => !expected?.test(text)),
        [],
        'complaints of the browser',
      );
    } finally {
      if (own) await opened.context.close();
    }
  });
}

let drops = 0;

/**
 * Drops a file and waits for what its credentials say.
 * @param {import('playwright-core').Page} page @param {string} name @param {Uint8Array} bytes
 */
async function drop(page, name, bytes) {
  // So that no earlier one of the same name is taken for it.
  const shown = `${++drops}-${name}`;
  await give(page, 'drop', shown, bytes);
  await page.waitForFunction((name) => document.querySelector('#caption')?.textContent?.startsWith(name), shown);
  const { outcome } = await settled(page);
  const section = page.locator('.credentials');
  await page.locator('.credentials[aria-busy="false"]').waitFor({ timeout: 30_000 });
  return { outcome, section, state: await section.getAttribute('data-state'), text: await section.innerText() };
}

/** What was fetched for credentials. @param {string[]} requests */
const programs = (requests) => requests.filter((url) => url.includes('/vendor/c2pa/'));

/** @param {import('playwright-core').Locator} section @param {string} fact */
const fact = (section, fact) => section.locator(`[data-fact="${fact}"]`).innerText();

/**
 * The same picture with other credentials, or none.
 * @param {Buffer} png @param {(data: Buffer) => Buffer | null} change
 */
function recredentialed(png, change) {
  const parts = [png.subarray(0, 8)];
  for (let at = 8; at < png.length; ) {
    const end = at + 12 + png.readUInt32BE(at);
    let chunk = /** @type {Buffer | null} */ (png.subarray(at, end));
    if (chunk.subarray(4, 8).equals(Buffer.from('caBX'))) {
      chunk = change(Buffer.from(chunk));
      chunk?.writeUInt32BE(crc32(chunk.subarray(4, -4)), chunk.length - 4);
    }
    if (chunk) parts.push(chunk);
    at = end;
  }
  return Buffer.concat(parts);
}

pageTest(
  'a file without credentials says so, and no program is fetched for it',
  async (page, { requests }) => {
    const { text, state } = await drop(page, 'cat.jpg', await readFile(resolve(DIST, 'www/samples/cat.jpg')));
    assert.equal(state, 'none');
    assert.ok(text.includes(words.none), text);
    assert.deepEqual(programs(requests), []);
  },
  { own: true },
);

pageTest(
  'a whole file: who, when, with what, and that an AI model made it',
  async (page, { requests }) => {
    const { section, state, text } = await drop(page, 'generated.png', await fixture('generated.png'));
    assert.equal(state, 'intact', text);
    assert.ok(text.includes(words.states.intact.heading), text);
    assert.ok((await section.locator('.says').innerText()).startsWith(words.generated.whole));
    assert.match(await fact(section, 'signer'), pattern(`Example Painter painter.example ${words.signerHint}`));
    assert.match(await fact(section, 'time'), pattern(`202${ANY}${words.timeHint}`));
    assert.match(await fact(section, 'program'), /Example Painter 3\.1/);
    const actions = await section.locator('ol > li').allInnerTexts();
    assert.equal(actions.length, 1);
    const made = [words.sources.trainedAlgorithmicMedia, words.agent('Example Painter 3.1')].join(' · ');
    assert.match(actions[0], pattern(`${words.actions['c2pa.created']} ${made}`));
    const paths = programs(requests);
    assert.deepEqual(paths.map((url) => url.split('/').pop()).sort(), ['c2pa.js', 'c2pa_bg.wasm']);
    await drop(page, 'again.png', await fixture('generated.png'));
    assert.equal(programs(requests).length, 2, 'a second file fetches nothing');
  },
  { own: true },
);

pageTest('credentials change nothing about the verdict', async (page) => {
  const signed = await fixture('generated.png');
  const bare = recredentialed(signed, () => null);
  assert.ok(!bare.includes('c2pa'));
  const shown = async () => ({
    heading: await page.locator('#outcome .outcome-heading').innerText(),
    verdict: await page.locator('#outcome .verdict').innerText(),
    numbers: await page.locator('.numbers dd.value').allInnerTexts(),
  });
  assert.equal((await drop(page, 'bare.png', bare)).state, 'none');
  const without = await shown();
  for (const name of ['generated.png', 'truncated.png']) {
    await drop(page, name, await fixture(name));
    assert.deepEqual(await shown(), without, name);
  }
  assert.equal(await page.locator('#outcome').getByText(/Credentials|signed/i).count(), 0);
});

pageTest('an edited photograph: what was done, and what it was made from', async (page) => {
  const { section, state, text } = await drop(page, 'edited.jpg', await fixture('edited.jpg'));
  assert.equal(state, 'intact', text);
  assert.ok((await section.locator('.says').innerText()).startsWith(words.generated.part));
  assert.ok((await fact(section, 'time')).includes(words.noTime));
  const actions = await section.locator('ol > li').allInnerTexts();
  const done = ['c2pa.opened', 'c2pa.cropped', 'c2pa.color_adjustments'].map((name) => words.actions[name]);
  assert.deepEqual(actions.slice(0, 3), done);
  assert.ok(actions[3].includes(words.sources.compositeWithTrainedAlgorithmicMedia), actions[3]);
  assert.match(actions[4], pattern(`${words.otherAction('com.example.sparkle')}${ANY}Sparkles`));
  const [photograph, leaf] = await section.locator('ul > li').allInnerTexts();
  const { relations, ingredientStates: states, sources } = words;
  const began = [relations.parentOf, states.intact, words.signedBy('Example Camera'), sources.digitalCapture];
  assert.match(photograph, pattern(`IMG_0042.jpg ${began.join(' · ')}`));
  assert.match(leaf, pattern(`leaf.png ${[relations.componentOf, states.none].join(' · ')}`));
});

pageTest('an ingredient whose credentials were changed is told from one whose hold', async (page) => {
  const file = await fixture('edited.jpg');
  // Its own title, in the ingredient's manifest, which comes first.
  file.write('IMG_0043', file.indexOf('IMG_0042'));
  const { section, state, text } = await drop(page, 'edited.jpg', file);
  assert.equal(state, 'history', text);
  assert.ok(text.includes(words.states.history.heading), text);
  assert.ok((await section.locator('ul > li').first().innerText()).includes(words.ingredientStates.faulty));
});

pageTest('one pixel changed after signing, and credentials changed after signing, are two things', async (page) => {
  const changed = await drop(page, 'changed.png', await fixture('changed.png'));
  assert.equal(changed.state, 'changed', changed.text);
  assert.ok(changed.text.includes(words.states.changed.heading), changed.text);
  assert.equal(changed.outcome, 'matches');
  const swapped = recredentialed(await fixture('generated.png'), (data) => {
    data.write('Pretend', data.indexOf('Example Painter'));
    return data;
  });
  const altered = await drop(page, 'altered.png', swapped);
  assert.equal(altered.state, 'altered', altered.text);
  assert.ok(altered.text.includes(words.states.altered.text), altered.text);
});

pageTest(
  'credentials kept elsewhere are named and not fetched, by the page or by the program',
  async (page, opened) => {
    const bytes = await fixture('elsewhere.jpg');
    const { state, text } = await drop(page, 'elsewhere.jpg', bytes);
    assert.equal(state, 'remote', text);
    assert.ok(text.includes(words.remote('manifests.example')), text);
    assert.deepEqual(programs(opened.requests), [], 'there is nothing to read');
    // The program itself, as if the page had not looked first.
    const found = await page.evaluate(async (base64) => {
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      const { Scheduler } = await import(`${document.baseURI}www/engine/scheduler.js`);
      const worker = new Scheduler(new URL('www/origin/credentials-worker.js', document.baseURI));
      const options = { signal: new AbortController().signal, onProgress: () => {} };
      const params = { file: new Blob([bytes]), type: 'image/jpeg' };
      return worker.ask('read', () => ({ params }), options);
    }, bytes.toString('base64'));
    assert.deepEqual(found, { remote: 'https://manifests.example/IMG_0042.c2pa?who=reader' });
  },
  { own: true },
);

pageTest(
  'what strangers wrote stays text, short, and within a narrow page',
  async (page) => {
    const { section, state, text } = await drop(page, 'hostile.png', await fixture('hostile.png'));
    assert.equal(state, 'intact', text);
    assert.equal(await section.locator('img, b, i, script').count(), 0);
    assert.match(text, /<img src=x onerror=/);
    assert.doesNotMatch(text, /[\p{Cf}\u0000-\u0008\u000b-\u001f]/u);
    for (const line of text.split('\n')) assert.ok(line.length < 300, line);
    assert.equal(await section.locator('ol > li').count(), 21);
    assert.ok(text.includes(words.more(42)), text);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing sticks out');
    assert.doesNotMatch(await page.title(), /broken in/);
    await section.locator('summary').click();
    // It is written once it is opened, a moment later.
    await section.locator('pre').filter({ hasText: /\S/ }).waitFor();
    const json = (await section.locator('pre').textContent()) ?? '';
    assert.doesNotMatch(json, /[\p{Cf}\u0000-\u0009\u000b-\u001f]/u);
    assert.match(json, /\\u202egnp\.evil\\u202c/);
  },
  { own: true, options: { viewport: { width: 320, height: 700 } } },
);

pageTest('credentials that break off are a sentence, and the next file is read', async (page) => {
  const { state, text, outcome } = await drop(page, 'truncated.png', await fixture('truncated.png'));
  assert.equal(state, 'unreadable', text);
  assert.match(text, pattern(`${words.states.unreadable.heading} ${words.states.unreadable.text}`));
  assert.equal(outcome, 'matches');
  assert.equal((await drop(page, 'generated.png', await fixture('generated.png'))).state, 'intact');
});

pageTest('experts reach every word with the keyboard', async (page) => {
  const { section } = await drop(page, 'generated.png', await fixture('generated.png'));
  const summary = section.locator('summary');
  await summary.focus();
  await page.keyboard.press('Enter');
  const region = section.getByRole('region', { name: words.expertsLabel });
  await region.filter({ hasText: /\S/ }).waitFor();
  await page.keyboard.press('Tab');
  assert.ok(await region.evaluate((node) => node === document.activeElement), 'the keyboard can scroll the text');
  const store = JSON.parse((await region.textContent()) ?? '');
  assert.equal(store.validation_state, 'Valid');
  assert.equal(store.manifests[store.active_manifest].signature_info.issuer, 'Example Painter');
});

pageTest(
  'a program that cannot be fetched is a sentence, and checking again reads the file',
  async (page, { context }) => {
    await context.route('**/c2pa_bg.wasm', (route) => route.fulfill({ status: 503 }));
    const { state, text, outcome } = await drop(page, 'generated.png', await fixture('generated.png'));
    assert.equal(state, 'not_checked', text);
    assert.ok(text.includes(words.states.not_checked.text), text);
    assert.equal(outcome, 'matches');
    await context.unroute('**/c2pa_bg.wasm');
    await page.getByRole('button', { name: english.result.again }).click();
    await page.locator('.credentials[data-state="intact"]').waitFor({ timeout: 30_000 });
  },
  { own: true, expected: /503/ },
);

pageTest(
  'a program that a file stops, or keeps for ever, is replaced',
  async (page, { context }) => {
    const stub = (/** @type {string} */ body) => ({
      contentType: 'text/javascript',
      body: `export default async () => {}; export const WasmReader = { fromBlob: ${body} };`,
    });
    const file = await fixture('generated.png');
    const trap = "async () => { throw new WebAssembly.RuntimeError('unreachable') }";
    await context.route('**/c2pa.js', (route) => route.fulfill(stub(trap)));
    assert.equal((await drop(page, 'stops.png', file)).state, 'unreadable');
    await context.unroute('**/c2pa.js');
    await context.route('**/c2pa.js', (route) => route.fulfill(stub('() => { for (;;); }')));
    await page.clock.install();
    await give(page, 'drop', 'hangs.png', file);
    await page.locator('.credentials', { hasText: words.reading }).waitFor();
    await page.clock.fastForward(31_000);
    await page.clock.fastForward(3_000);
    await page.locator('.credentials[data-state="unreadable"]').waitFor();
    await page.clock.resume();
    await context.unroute('**/c2pa.js');
    assert.equal((await drop(page, 'reads.png', file)).state, 'intact');
  },
  { own: true, expected: /unreachable/ },
);

pageTest('the summary for the record', async (page) => {
  const summary = async (/** @type {string} */ name) =>
    page.evaluate(async (base64) => {
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      const { credentialsSummary } = await import(`${document.baseURI}www/origin/credentials.js`);
      return credentialsSummary(new Blob([bytes]));
    }, (await fixture(name)).toString('base64'));
  const { signed_at: signedAt, ...generated } = await summary('generated.png');
  assert.match(signedAt, /^202\d-\d\d-\d\dT.+Z$/);
  assert.deepEqual(generated, {
    state: 'intact',
    signer: 'Example Painter, painter.example',
    generator: 'Example Painter 3.1',
    actions: [{ action: 'c2pa.created', digital_source_type: 'trainedAlgorithmicMedia' }],
    ingredients: 0,
  });
  const edited = await summary('edited.jpg');
  assert.equal(edited.ingredients, 2);
  assert.deepEqual(edited.actions[1], { action: 'c2pa.cropped', digital_source_type: null });
  const nothing = { signer: null, signed_at: null, generator: null, actions: [], ingredients: 0 };
  assert.deepEqual(await summary('elsewhere.jpg'), { state: 'remote', ...nothing });
  assert.deepEqual(await summary('truncated.png'), { state: 'unreadable', ...nothing });
});

test('facts come of any data at all, and of manifests that lead in circles', () => {
  const strange = [null, 1, 'x', [], {}, { active_manifest: 'a', manifests: { a: null } }, { manifests: [1] }];
  for (const store of strange) assert.deepEqual(factsOf(store).actions, []);
  const actions = [1, null, { action: {}, when: 'never', softwareAgent: [], softwareAgentIndex: 'constructor' }];
  const assertions = [{ label: 'c2pa.actions', data: { actions } }, 7];
  const odd = { assertions, ingredients: [null, { title: {} }], title: ['x'] };
  const found = factsOf({ active_manifest: 'a', manifests: { a: odd } });
  assert.deepEqual(found.actions.map(({ name }) => name), ['', '', '']);
  assert.equal(found.state, 'history', 'what was not validated is not intact');
  const circle = Object.fromEntries(
    Array.from({ length: 100 }, (_, index) => {
      const ingredients = Array.from({ length: 100 }, (_, other) => ({ active_manifest: `${other}` }));
      return [`${index}`, { ingredients }];
    }),
  );
  assert.equal(factsOf({ active_manifest: '0', manifests: circle }).generated, null);
});

test('older files name programs and sources in other ways', () => {
  const ai = 'http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia';
  const made = [{ action: 'c2pa.created', digitalSourceType: ai, softwareAgent: 'Painter 1' }];
  const manifests = {
    new: {
      claim_generator: 'Some_Editor/25.1 c2pa-rs/0.28.0',
      assertions: [{ label: 'c2pa.actions', data: { actions: [{ action: 'c2pa.opened' }] } }],
      ingredients: [{ title: 'before.png', relationship: 'parentOf', active_manifest: 'old' }],
    },
    old: { assertions: [{ label: 'c2pa.actions__1', data: { actions: made } }] },
  };
  const facts = factsOf({ active_manifest: 'new', manifests, validation_state: 'Valid' });
  assert.deepEqual(facts.generators, ['Some Editor 25.1']);
  assert.equal(facts.generated, 'whole', 'what it was edited from is what it is');
  assert.deepEqual(facts.ingredients[0].sources, ['trainedAlgorithmicMedia']);
  manifests.new.ingredients[0].relationship = 'componentOf';
  assert.equal(factsOf({ active_manifest: 'new', manifests }).generated, 'part');
});

test('texts of strangers are made plain', () => {
  assert.equal(untrustedText(' a\u202eb\u0000c\n\td\u200f '), 'abc d');
  assert.equal(untrustedText('x'.repeat(999)), `${'x'.repeat(200)}…`);
  assert.equal(untrustedText(`o${'\u0301'.repeat(50)}`), `o${'\u0301'.repeat(3)}`);
  assert.equal(untrustedText({ toString: () => 'x' }), '');
});

test('the program that reads them is of a size that a page can fetch', async () => {
  const program = await readFile(resolve(DIST, 'www/vendor/c2pa/c2pa_bg.wasm'));
  const bytes = brotliCompressSync(program, { params: { [constants.BROTLI_PARAM_QUALITY]: 6 } }).length;
  console.log(`for the first file with credentials: ${program.length} bytes, ${bytes} compressed`);
  assert.ok(bytes <= PROGRAM_BYTES, `${bytes} bytes`);
  assert.match(await readFile(resolve(DIST, 'www/vendor/c2pa/LICENSE'), 'utf8'), /MIT License/i);
});
