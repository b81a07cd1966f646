/** What neither a frame nor the page around it may do to the other, or learn of a reader. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOSTILE_NAMES } from '../support/answers.mjs';
import { openPage } from '../support/browser.mjs';
import {
  browser,
  choose,
  elsewhere,
  frameTest,
  IMAGE,
  inside,
  markup,
  origin,
  outcome,
  site,
  started,
  tools,
  within,
} from '../support/framed-page.mjs';
import { busyPng } from '../support/image-files.mjs';
import { english } from '../support/messages.mjs';

/** @typedef {import('playwright-core').Page} Page */

frameTest('an image of the reader’s own is never told', async ({ page }) => {
  await page.evaluate(async () => {
    globalThis.channel = await raw();
    await channel.next(({ type }) => type === 'resize');
  });
  const told = [];
  for (const [name, heading] of [
    ['matching secret.png', english.outcomes.matches.heading],
    ['photo secret.png', english.outcomes.does_not_match.heading],
  ]) {
    const before = await page.evaluate(() => channel.heard.length);
    await choose(page, name, busyPng(64), told.length === 0 ? english.page.choose : english.page.chooseAnother);
    await outcome(page, heading).waitFor();
    await inside(page).getByText(english.frame.reader).waitFor();
    told.push(
      await page.evaluate(async (before) => {
        await channel.next((data) => data.busy === false && channel.heard.indexOf(data) >= before);
        // A height would come with the next frames.
        for (let frames = 0; frames < 5; frames++) await new Promise(requestAnimationFrame);
        const beginning = channel.heard.findIndex(({ busy }, index) => busy && index >= before);
        return channel.heard.slice(beginning);
      }, before),
    );
  }
  const busy = [
    { type: 'busy', busy: true },
    { type: 'busy', busy: false },
  ];
  // Whatever came out: one height, before anything was known, and none again.
  assert.deepEqual(
    told.map((events) => events.filter(({ type }) => type !== 'resize')),
    [busy, busy],
  );
  assert.deepEqual(
    told.map((events) => events.filter(({ type }) => type === 'resize').length),
    [1, 0],
  );
  // Nor is it told afterwards, and the page around cannot take it away.
  const after = await page.evaluate(async () => {
    channel.port.postMessage({ type: 'reset' });
    channel.port.postMessage({ type: 'cancel', id: 1 });
    const again = await raw();
    await again.next(({ type }) => type === 'resize');
    return { first: channel.heard, again: again.heard };
  });
  assert.doesNotMatch(JSON.stringify(after), /secret|matches|consistent|record/);
  await outcome(page, english.outcomes.does_not_match.heading).waitFor();
});

const onlyFor = (/** @type {string} */ embedders) => async (/** @type {any} */ context) =>
  context.route('**/embed.html*', async (route) => {
    const response = await route.fetch();
    const body = (await response.text()).replace(
      'name="aedr-embedders" content="*"',
      `name="aedr-embedders" content="${embedders}"`,
    );
    await route.fulfill({ response, body });
  });

frameTest(
  'a page that the host did not list is not answered',
  async ({ page }) => {
    await started(page);
    const { told, heard } = await page.evaluate(async () => {
      const channel = await raw();
      return { told: await globalThis.told(connect({ patience: 1500 })), heard: channel.heard };
    });
    assert.equal(told.code, 'frame_silent');
    assert.match(told.message, /http:\/\/127\.0\.0\.1:\d+\b/);
    assert.ok(told.advice.includes('allow-same-origin'), told.advice);
    assert.deepEqual(heard, []);
  },
  { prepare: onlyFor('https://news.example http://localhost:1') },
);

test('a page that the host listed is answered', { timeout: 60_000 }, async () => {
  const { context, page } = await openPage(browser, 'about:blank');
  await onlyFor(`https://news.example ${elsewhere(site.origin)}`)(context);
  await page.goto(elsewhere(site.page(markup())));
  await page.evaluate(tools, { origin, image: IMAGE });
  assert.match(await page.evaluate(async () => (await connect()).release), /^[\da-f]{16}$/);
  await context.close();
});

frameTest(
  'only the page around is answered: no other frame of it, no page within, no window that opened it',
  async ({ page, context }) => {
    await started(page);
    const posing = page.frames().find((frame) => frame.url().startsWith('about:srcdoc'));
    await posing.evaluate(tools, { origin, image: IMAGE });
    await posing.evaluate(async () => {
      globalThis.channel = await raw({ target: parent.frames[0] });
    });
    // Of its own window, as if it came from inside.
    const self = await within(page).evaluate(async () => {
      const { port1, port2 } = new MessageChannel();
      const heard = [];
      port1.onmessage = ({ data }) => heard.push(data);
      postMessage({ aedr: 'frame', version: 1 }, '*', [port2]);
      await new Promise((resolve) => setTimeout(resolve));
      globalThis.posed = heard;
      return heard;
    });
    // One whose parent it is not, opened by the page around.
    const [popup] = await Promise.all([
      context.waitForEvent('page'),
      page.evaluate((address) => void (globalThis.opened = open(address)), `${origin}/embed.html?locale=en`),
    ]);
    await popup.locator('.told').waitFor();
    await page.evaluate(async () => {
      globalThis.toPopup = await raw({ target: globalThis.opened });
    });
    // The page around itself is answered, and by then the others would have been.
    await page.evaluate(async () => (await raw()).next(({ type }) => type === 'ready'));
    assert.deepEqual(self, []);
    assert.deepEqual(await within(page).evaluate(() => globalThis.posed), []);
    assert.deepEqual(await posing.evaluate(() => globalThis.channel.heard), []);
    assert.deepEqual(await page.evaluate(() => globalThis.toPopup.heard), []);
  },
  { html: () => `${markup()}<iframe srcdoc="<p>Another frame"></iframe>` },
);

frameTest('what makes no sense is answered with an error or not at all, and harms nothing', async ({ page }) => {
  await started(page);
  const { hellos, told, after } = await page.evaluate(async () => {
    const window = iframe.contentWindow;
    const cyclic = { aedr: 'frame' };
    cyclic.version = cyclic;
    const hellos = [];
    const channelTo = () => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = ({ data }) => hellos.push(data);
      return port2;
    };
    const noHellos = [
      null,
      1,
      'hello',
      [],
      {},
      cyclic,
      { aedr: 'other', version: 1 },
      { aedr: 'frame', version: '1' },
      { aedr: 'frame', version: -1 },
      { aedr: 'frame', version: NaN },
      new Map([['aedr', 'frame']]),
      'x'.repeat(1e6),
      JSON.parse('{"__proto__": {"aedr": "frame", "version": 1}}'),
    ];
    for (const hello of noHellos) window.postMessage(hello, '*', [channelTo()]);
    // Without a channel, with two, and with one whose other end is gone.
    window.postMessage({ aedr: 'frame', version: 1 }, '*');
    window.postMessage({ aedr: 'frame', version: 1 }, '*', [channelTo(), channelTo()]);
    const gone = new MessageChannel();
    gone.port1.close();
    window.postMessage({ aedr: 'frame', version: 1 }, '*', [gone.port2]);

    const channel = await raw();
    await channel.next(({ type }) => type === 'ready');
    const part = new Blob([new Uint8Array(1 << 20)]);
    const check = { type: 'check', id: 7, image };
    const wrong = [
      null,
      'check',
      [check],
      cyclic,
      { type: '__proto__' },
      { type: 'constructor', id: 1 },
      { type: ['check'], id: 1, image },
      JSON.parse('{"__proto__": {"type": "reset"}}'),
      { ...check, id: 0 },
      { ...check, id: '7' },
      { ...check, id: 2 ** 60 },
      { type: 'cancel', id: { id: 7 } },
      { ...check, id: 11, image: undefined },
      { ...check, id: 12, image: 'data:image/png;base64,AAAA' },
      { ...check, id: 13, image: { size: 5, type: 'image/png', arrayBuffer: 1 } },
      { ...check, id: 14, image: new Blob([]) },
      { ...check, id: 15, image: new Blob(['<p>'], { type: 'text/html' }) },
      // As large as it says, and made of one part over and over.
      { ...check, id: 16, image: new Blob(Array(2048).fill(part)) },
      { ...check, id: 17, name: 'x'.repeat(256) },
      { ...check, id: 18, name: { toString: 1 } },
      { ...check, id: 19, deep: 'yes' },
    ];
    for (const message of wrong) channel.port.postMessage(message);
    channel.port.postMessage({ type: 'cancel', id: 999 });
    channel.port.postMessage({ ...check, id: 20, later: 'version' });
    await channel.next(({ type, id }) => type === 'result' && id === 20);
    const errors = channel.heard.filter(({ type }) => type === 'error');
    const told = errors.map(({ id, error }) => [id ?? null, error.code, error.message]);
    const other = await raw({ hello: { aedr: 'frame', version: 99 } });
    const refused = await other.next(({ type }) => type === 'error');
    return { hellos, told, after: refused };
  });
  assert.deepEqual(hellos, []);
  assert.deepEqual(
    told.map(([id, code]) => [id, code]),
    [...Array(12).fill(null), 11, 12, 13, 14, 15, 16, 17, 18, 19].map((id) => [id, 'bad_message']),
  );
  assert.match(told.at(-4)[2], /“image”.+\b64\b/);
  assert.match(told.at(-3)[2], /“name”.+\b255\b/);
  assert.equal(after.error.code, 'unsupported_version');
  assert.deepEqual(after.versions, [1]);
});

frameTest('two checks cannot have one id, and no more than some wait', async ({ page }) => {
  const told = await page.evaluate(async () => {
    const channel = await raw();
    await channel.next(({ type }) => type === 'ready');
    const ask = (id, name) => channel.port.postMessage({ type: 'check', id, image, name });
    for (let id = 1; id <= 16; id++) ask(id, 'slow.png');
    ask(1, 'again.png');
    ask(17, 'too many.png');
    const full = await channel.next(({ type, id }) => type === 'error' && id === 17);
    const twice = channel.heard.find(({ type }) => type === 'error');
    channel.port.postMessage({ type: 'reset' });
    await channel.next(({ id, error }) => id === 16 && error.code === 'cancelled');
    const ended = channel.heard.filter(({ error }) => error?.code === 'cancelled').map(({ id }) => id);
    ask(1, 'next.png');
    const next = await channel.next(({ type, id }) => type === 'result' && id === 1);
    return { full: full.error.code, twice: [twice.id, twice.error.code], ended, next: next.record.image.name };
  });
  assert.equal(told.full, 'frame_busy');
  assert.deepEqual(told.twice, [undefined, 'bad_message']);
  assert.deepEqual(
    told.ended,
    Array.from({ length: 16 }, (_, index) => index + 1),
  );
  assert.equal(told.next, 'next.png');
});

frameTest('who floods the frame is hung up on, and can come again', async ({ page }) => {
  const { kinds, most, next } = await page.evaluate(async () => {
    const channel = await raw();
    await channel.next(({ type }) => type === 'ready');
    for (let id = 1; id <= 5000; id++) channel.port.postMessage({ type: 'check', id, image, name: 'slow.png' });
    await channel.next(({ error }) => error?.code === 'frame_flooded');
    const again = await connect();
    const { image: checked } = await again.check(image, { name: 'after.png' });
    const codes = channel.heard.map(({ type, error }) => error?.code ?? type);
    return { kinds: [...new Set(codes)].sort(), most: codes.length, next: checked.name };
  });
  assert.ok(kinds.includes('frame_busy') && kinds.includes('frame_flooded'), kinds.join());
  assert.ok(!kinds.includes('result'));
  assert.ok(most < 150, `${most} answers`);
  assert.equal(next, 'after.png');
});

frameTest('a channel that is closed, or another one, ends what was asked over the first', async ({ page }) => {
  const told = await page.evaluate(async () => {
    const first = await raw();
    await first.next(({ type }) => type === 'ready');
    // Those that wait are never begun.
    for (const id of [1, 2, 3]) first.port.postMessage({ type: 'check', id, image, name: 'slow.png' });
    await first.next(({ type }) => type === 'progress');
    first.port.close();
    const second = await raw();
    await second.next(({ type }) => type === 'ready');
    second.port.postMessage({ type: 'check', id: 1, image, name: 'slow.png' });
    await second.next(({ type }) => type === 'progress');
    const frame = await connect();
    const replaced = await second.next(({ type }) => type === 'error');
    const record = await frame.check(image, { name: 'third.png' });
    frame.close();
    const closed = await globalThis.told(frame.check(image));
    return { replaced: replaced.error.code, name: record.image.name, closed: closed.code };
  });
  assert.deepEqual(told, { replaced: 'frame_replaced', name: 'third.png', closed: 'closed' });
});

frameTest('a page that goes away in the middle leaves nothing behind', async ({ page }) => {
  await page.evaluate(async () => {
    const frame = await connect();
    await new Promise((resolve) => void told(frame.check(image, { name: 'slow.png', onProgress: resolve })));
  });
  const session = await browser.newBrowserCDPSession();
  const workers = async () => {
    const { targetInfos } = await session.send('Target.getTargets', { filter: [{}] });
    return targetInfos.filter(({ type }) => type === 'worker').map(({ targetId }) => targetId);
  };
  // The browser lists a worker a moment after it has begun to work.
  let listed = await workers();
  for (const until = Date.now() + 5000; listed.length === 0 && Date.now() < until; listed = await workers()) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.equal(listed.length, 1);
  const [worker] = listed;
  await session.send('Target.setDiscoverTargets', { discover: true, filter: [{}] });
  const ended = new Promise((resolve) =>
    session.on('Target.targetDestroyed', ({ targetId }) => targetId === worker && resolve(undefined)),
  );
  await page.goto(elsewhere(site.page('<p>Another page')));
  await ended;
  assert.deepEqual(await workers(), []);
});

/** A page that stands where the frame should be. @param {string} script */
const fake = (script) => `<script>
  addEventListener('message', ({ data, ports: [port] }) => {
    const ready = { type: 'ready', version: 1, release: '1', loaded: true };
    ${script}
  });
</script>`;

/** A test of embedders' script against a frame that is not what it should be. @param {string} name */
function fakeTest(name, /** @type {string} */ script, /** @type {(page: Page) => Promise<void>} */ body) {
  frameTest(
    name,
    async ({ page }) => {
      await page.evaluate((origin) => {
        const { connect } = globalThis;
        globalThis.connect = (options) => connect({ origin, ...options });
      }, site.origin);
      await body(page);
    },
    { html: () => markup('', site.page(fake(script))) },
  );
}

fakeTest(
  'a frame that answers with rubbish is given up, and nothing of it comes through',
  `if (!data) return;
   port.onmessage = ({ data: { id } }) => {
     port.postMessage({ type: 'result', id: id + 1, record: { format: 'aedr-report' } });
     port.postMessage({ type: 'result', id, record: JSON.parse('{"format": "aedr-report", "__proto__": {"bad": 1}}') });
     port.postMessage({ type: 'result', id, record: { format: 'other' } });
     port.postMessage({ type: 'result', id, record: { format: 'aedr-report', image: new Blob(['x']) } });
     port.postMessage({ type: 'progress', id, stage: 5 });
     port.postMessage({ type: 'resize', height: 1e9 });
     port.postMessage({ type: 'resize', height: -5 });
     const cyclic = {}; cyclic.self = cyclic; port.postMessage(cyclic);
     for (let count = 0; count < 3000; count++) port.postMessage({ type: 'nonsense', count });
   };
   port.postMessage(ready);`,
  async (page) => {
    const told = await page.evaluate(async () => {
      const frame = await connect();
      const events = [];
      for (const type of ['resize', 'busy', 'close'])
        frame.addEventListener(type, ({ detail }) => events.push([type, detail.error?.code]));
      const { code, message } = await globalThis.told(frame.check(image));
      const later = await globalThis.told(frame.check(image));
      return { code, message, later: later.code, events, bad: {}.bad };
    });
    assert.deepEqual([told.code, told.later], ['frame_broken', 'frame_broken']);
    assert.ok(told.message);
    assert.deepEqual(told.events, [['close', 'frame_broken']]);
    assert.equal(told.bad, undefined);
  },
);

fakeTest(
  'answers to nobody’s questions, and more than one, change nothing',
  `port.onmessage = ({ data: { id } }) => {
     const error = { code: 'x', message: '', advice: '' };
     for (const other of [id + 1, 5e15, 1e6]) port.postMessage({ type: 'error', id: other, error });
     for (let count = 0; count < 3000; count++) port.postMessage({ type: 'progress', id: id + 7, stage: 'losses' });
     const record = { format: 'aedr-report', said: '<img src=x onerror=alert(1)>' };
     for (const count of [1, 2]) port.postMessage({ type: 'result', id, record: { ...record, count } });
     port.postMessage({ type: 'error', id, error });
   };
   port.postMessage(ready);
   port.postMessage(ready);`,
  async (page) => {
    const record = await page.evaluate(async () => (await connect()).check(image));
    assert.deepEqual(record, { format: 'aedr-report', said: '<img src=x onerror=alert(1)>', count: 1 });
  },
);

fakeTest('a page that never answers is named', '', async (page) => {
  const told = await page.evaluate(() => globalThis.told(connect({ patience: 500 })));
  assert.equal(told.code, 'frame_silent');
  assert.match(told.message, new RegExp(site.origin));
});

fakeTest(
  'a page that speaks another version is named with it',
  `const error = { code: 'unsupported_version', message: 'version 2', advice: '' };
   port.postMessage({ type: 'error', error, versions: [2] });`,
  async (page) => {
    assert.equal((await page.evaluate(() => globalThis.told(connect()))).code, 'unsupported_version');
  },
);

frameTest('mistakes of the page around are named at once', async ({ page }) => {
  const told = await page.evaluate(async () => {
    const { connectFrame } = await import('/www/embed/public/connect.js');
    const tries = [
      [iframe, { origin: '*' }],
      [iframe, {}],
      [iframe],
      [iframe, { origin: 'null' }],
      [iframe, { origin: 'https://aedr.example/embed.html' }],
      [document.body, { origin: 'https://aedr.example' }],
      [null, { origin: 'https://aedr.example' }],
    ];
    const told = await Promise.all(tries.map((given) => globalThis.told(connectFrame(...given))));
    const frame = await connect();
    const large = new Blob(Array(65).fill(new Uint8Array(1 << 20)));
    const signal = AbortSignal.abort();
    const later = [frame.check('image.png'), frame.check(large), connect({ signal })].map(globalThis.told);
    return { told, later: await Promise.all(later) };
  });
  assert.deepEqual(
    told.told.map(({ code }) => code),
    Array(7).fill('bad_options'),
  );
  for (const { advice } of told.told) assert.match(advice, /\w/);
  assert.ok(told.told[0].message.includes('“*”'), told.told[0].message);
  assert.deepEqual(
    told.later.map(({ code }) => code),
    ['bad_options', 'file_too_large', 'cancelled'],
  );
});

frameTest('names of files are shown as text, or not at all', async ({ page }) => {
  await page.evaluate(async () => (globalThis.frame = await connect()));
  for (const name of HOSTILE_NAMES) {
    const record = await page.evaluate((name) => frame.check(image, { name }), name);
    assert.equal(record.image.name, name.slice(0, 255));
    const canvas = inside(page).locator('aedr-check').locator('canvas');
    await canvas.waitFor();
    assert.doesNotMatch((await canvas.getAttribute('aria-label')) ?? '', /[\u202E\u200B\0]/);
  }
  assert.equal(await within(page).title(), english.page.title);
  assert.equal(await inside(page).locator('img, script[src=x]').count(), 0);
});
