/** What the tests of the frame share: the page, another site with the frame in it, and the actions on both. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { answerOf, WORKER_HEADERS } from './answers.mjs';
import { DIST, launch, openPage, serve } from './browser.mjs';
import { embedderSite } from './embedder-site.mjs';
import { busyPng } from './image-files.mjs';
import { english } from './messages.mjs';

/** @typedef {import('playwright-core').Page} Page */

/** As in the documentation. */
export const SANDBOX =
  'sandbox="allow-scripts allow-same-origin allow-downloads allow-popups allow-popups-to-escape-sandbox"';
export const IMAGE = busyPng(64).toString('base64');

/** @type {Awaited<ReturnType<typeof serve>>} */
export let server;
/** @type {Awaited<ReturnType<typeof embedderSite>>} */
export let site;
/** @type {import('playwright-core').Browser} */
export let browser;
/** The frame's origin. */
export let origin = '';

before(async () => {
  server = await serve({ directories: [DIST] });
  site = await embedderSite();
  browser = await launch({ webgpu: false });
  origin = new URL(server.address).origin;
});

after(async () => {
  await browser?.close();
  await server?.close();
  await site?.close();
});

/** The markup that a site has. @param {string} [attributes] @param {string} [address] */
export const markup = (attributes = SANDBOX, address = `${origin}/embed.html?locale=en`) =>
  `<iframe src="${address}" title="Check an image" ${attributes}></iframe>`;

/**
 * A worker without the module: `slow` images take until they are cancelled, `photo` ones do not match, others do.
 * @param {import('playwright-core').BrowserContext} context
 */
export async function answerByName(context) {
  const answers = { matches: answerOf('matches'), photo: answerOf('does_not_match') };
  const body = `import { answer } from './channel.js';
    const answers = ${JSON.stringify(answers)};
    answer(self, { check: async ({ name }, { signal, progress }) => {
      progress({ stage: 'decode' });
      progress({ stage: 'losses', fraction: 0.5 });
      if (name.startsWith('slow')) await new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(new DOMException('', 'AbortError')));
      });
      const found = name.startsWith('photo') ? answers.photo : answers.matches;
      return { ...found, record: { ...found.record, image: { ...found.record.image, name } } };
    } });`;
  await context.route('**/www/engine/worker.js', (route) => route.fulfill({ headers: WORKER_HEADERS, body }));
}

/**
 * A test in a page of another site, even in another process, with any content. The browser may report only errors that
 * `expected` matches.
 * @param {string} name @param {(opened: Awaited<ReturnType<typeof openPage>>) => Promise<void>} body
 * @param {{html?: () => string, expected?: RegExp, options?: any,
 *   prepare?: (context: import('playwright-core').BrowserContext) => Promise<void>}} [options]
 */
export function frameTest(name, body, { html = () => markup(), expected, options, prepare } = {}) {
  test(name, { timeout: 60_000 }, async () => {
    const opened = await openPage(browser, 'about:blank', options);
    try {
      await answerByName(opened.context);
      await prepare?.(opened.context);
      await opened.page.goto(elsewhere(site.page(html())));
      await opened.page.evaluate(tools, { origin, image: IMAGE });
      await body(opened);
      assert.deepEqual(
        opened.complaints.filter((text) => !expected?.test(text)),
        [],
        'complaints of the browser',
      );
    } finally {
      await opened.context.close();
    }
  });
}

/** The same server by its other name: another site than 127.0.0.1. @param {string} address */
export const elsewhere = (address) => address.replace('127.0.0.1', 'localhost');

/** What embedders' scripts in these tests share. Runs in the page. @param {{origin: string, image: string}} given */
export function tools({ origin, image }) {
  const bytes = Uint8Array.from(atob(image), (letter) => letter.charCodeAt(0));
  const page = /** @type {any} */ (globalThis);
  page.image = new Blob([bytes], { type: 'image/png' });
  page.iframe = document.querySelector('iframe');
  page.connect = async (options) => {
    const { connectFrame } = await import('/www/embed/public/connect.js');
    return connectFrame(page.iframe, { origin, ...options });
  };
  /** The outcome of a promise. */
  page.told = (promise) =>
    promise.then(
      (value) => ({ value }),
      ({ code, message, advice }) => ({ code, message, advice }),
    );
  /** A channel without the script for embedders: it records every message. */
  page.raw = async ({ hello = { aedr: 'frame', version: 1 }, target = page.iframe.contentWindow } = {}) => {
    const { port1, port2 } = new MessageChannel();
    const heard = [];
    const waiting = new Set();
    port1.onmessage = ({ data }) => {
      heard.push(data);
      for (const look of waiting) look(data);
    };
    const next = (wanted) =>
      new Promise((resolve) => {
        const found = heard.find(wanted);
        if (found) return resolve(found);
        const look = (data) => {
          if (!wanted(data)) return;
          waiting.delete(look);
          resolve(data);
        };
        waiting.add(look);
      });
    target.postMessage(hello, '*', [port2]);
    return { port: port1, heard, next };
  };
}

/** The frame's content. @param {Page} page */
export const inside = (page) => page.frameLocator('iframe').first();

/** The same, for running scripts in it. @param {Page} page */
export const within = (page) =>
  /** @type {import('playwright-core').Frame} */ (
    page.frames().find((frame) => frame !== page.mainFrame() && frame.url().startsWith(`${origin}/embed.html`))
  );

/** The outcome that the frame shows. @param {Page} page @param {string} heading */
export const outcome = (page, heading) => inside(page).locator('[part="outcome"]').getByText(heading, { exact: true });

/** Waits until the frame can be used. @param {Page} page */
export const started = (page) => inside(page).locator('.told').waitFor();

/** What has the focus in the frame. @param {Page} page */
export const focused = (page) =>
  within(page).evaluate(() => document.activeElement?.shadowRoot?.activeElement?.textContent);

/** Chooses a file in the frame, as a reader does. @param {Page} page @param {string} name @param {Buffer} buffer */
export async function choose(page, name, buffer, button = english.page.choose) {
  const chooser = page.waitForEvent('filechooser');
  await inside(page).getByRole('button', { name: button, exact: true }).click();
  await (await chooser).setFiles({ name, mimeType: 'image/png', buffer });
}
