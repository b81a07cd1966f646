/**
 * Browsers besides Chromium, as far as their tests need: Firefox by WebDriver BiDi, WebKitGTK's MiniBrowser by WebDriver.
 *
 * @typedef {object} Browser
 * @property {string} name
 * @property {(address: string) => Promise<void>} open
 * @property {(selector: string) => Promise<void>} click With a pointer, as a person does; scrolls there first.
 * @property {<T>(body: (...args: any[]) => T | Promise<T>, ...args: any[]) => Promise<T>} evaluate In the page.
 * @property {() => Promise<Buffer>} screenshot As a PNG.
 * @property {() => Promise<void>} close
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import puppeteer from 'puppeteer-core';
import { Builder, By } from 'selenium-webdriver';
import { FIREFOX, WEBKIT_BROWSER, WEBKIT_DRIVER } from '../../../scripts/requirements.mjs';

const VIEW = { width: 1280, height: 900 };
/** A driver that does not answer by then has failed. */
const PATIENCE_MS = 15_000;

/** @returns {Promise<Browser>} */
export async function firefox() {
  const browser = await puppeteer.launch({ browser: 'firefox', executablePath: FIREFOX, defaultViewport: VIEW });
  const page = await browser.newPage();
  return {
    name: await browser.version(),
    open: async (address) => {
      await page.goto(address);
    },
    click: async (selector) => {
      // Elements move while a page is being filled.
      await page.locator(selector).click();
    },
    evaluate: (body, ...args) => page.evaluate(body, ...args),
    screenshot: async () => Buffer.from(await page.screenshot({ fullPage: true })),
    close: () => browser.close(),
  };
}

/** @returns {Promise<Browser>} */
export async function webkit() {
  const [port, home] = await Promise.all([freePort(), mkdtemp(join(tmpdir(), 'aedr-webkit-'))]);
  const driver = await startDriver(port, home);
  try {
    const session = await new Builder()
      .usingServer(`http://127.0.0.1:${port}`)
      .withCapabilities({
        browserName: 'MiniBrowser',
        'webkitgtk:browserOptions': { binary: WEBKIT_BROWSER, args: ['--automation'] },
      })
      .build();
    await session.manage().setTimeouts({ script: PATIENCE_MS });
    await session.manage().window().setRect({ x: 0, y: 0, ...VIEW });
    const capabilities = await session.getCapabilities();
    return {
      name: `WebKitGTK ${capabilities.get('browserVersion')}`,
      open: (address) => session.get(address),
      click: async (selector) => session.findElement(By.css(selector)).click(),
      evaluate: (body, ...args) => session.executeScript(`return (${body})(...arguments)`, ...args),
      screenshot: async () => Buffer.from(await session.takeScreenshot(), 'base64'),
      close: async () => {
        await session.quit().catch(() => {});
        await driver.stop();
      },
    };
  } catch (error) {
    await driver.stop();
    throw error;
  }
}

/** WebKitGTK has no headless mode: without a display it gets its own. @param {number} port @param {string} home */
async function startDriver(port, home) {
  const words = [WEBKIT_DRIVER, `--port=${port}`];
  const screen = `-screen 0 ${VIEW.width}x${VIEW.height + 200}x24`;
  const [program, ...args] = process.env.DISPLAY ? words : ['xvfb-run', '-a', '-s', screen, ...words];
  // A data folder of its own, and a language that every Debian has.
  const env = { ...process.env, HOME: home, XDG_CONFIG_HOME: home, XDG_CACHE_HOME: home, XDG_DATA_HOME: home, LANG: 'C.UTF-8' };
  // A process group of its own, so that the browser and the display end with it.
  const driver = spawn(program, args, { detached: true, stdio: 'ignore', env });
  const ended = once(driver, 'exit');
  const stop = async () => {
    if (driver.pid && driver.exitCode === null) process.kill(-driver.pid);
    await ended.catch(() => {});
    await rm(home, { recursive: true, force: true });
  };
  const began = Date.now();
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/status`).catch(() => null);
    if (answer?.ok) return { stop };
    if (driver.exitCode !== null || Date.now() - began > PATIENCE_MS) {
      await stop();
      throw new Error(`${WEBKIT_DRIVER} does not answer`);
    }
    await new Promise((done) => setTimeout(done, 50));
  }
}

/** @returns {Promise<number>} */
async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  server.close();
  await once(server, 'close');
  return port;
}
