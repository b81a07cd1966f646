/**
 * What the frame shows besides the check itself: whose image it is and who learns what; and the height of all of it.
 *
 * @typedef {'idle' | 'reader' | 'embedder'} Owner Whose image is there.
 */

import { drawing, element } from '../../ui/dom.js';
import { LIMITS } from './protocol.js';

/**
 * The height that the frame asks for while it shows the reader's own image. It is constant, because the length of an
 * answer would reveal the outcome.
 */
const READER_HEIGHT = 720;

export class View {
  #told;
  #own;
  #main;
  #texts;
  /** @type {Owner} */
  #owner = 'idle';
  #height = 0;
  /** @type {(height: number) => void} */
  onHeight = () => {};
  /** The reader wants to check an image of their own. */
  onOwn = () => {};
  /** The reader has finished with it. */
  onRemove = () => {};

  /**
   * @param {HTMLElement} main @param {HTMLElement} check The element that checks.
   * @param {Pick<typeof import('../../texts/en.js'), 'frame' | 'page'>} texts
   */
  constructor(main, check, { frame: texts, page }) {
    this.#main = main;
    this.#texts = texts;
    this.#told = element('p', { class: 'told', role: 'status' });
    this.#own = element('button', { type: 'button', class: 'own' });
    this.#own.addEventListener('click', () => (this.#owner === 'reader' ? this.onRemove() : this.onOwn()));
    const ownPage = element('a', { href: './', target: '_blank', rel: 'noopener' }, texts.ownPage);
    const heading = element('h1', {}, page.headline);
    main.append(heading, this.#told, check, this.#own, element('footer', { class: 'foot' }, wordmark(), ownPage));
    this.show('idle');
    new ResizeObserver(() => this.#measure()).observe(main);
  }

  get owner() {
    return this.#owner;
  }

  /** @param {Owner} owner */
  show(owner) {
    this.#owner = owner;
    this.#told.textContent = this.#texts[owner];
    this.#own.hidden = owner === 'idle';
    this.#own.textContent = owner === 'reader' ? this.#texts.remove : this.#texts.own;
    this.#measure();
  }

  /** Sends the height again, to a new embedder. */
  tellHeight() {
    this.onHeight(this.#height);
  }

  #measure() {
    const own = Math.ceil(this.#main.getBoundingClientRect().height);
    const height = this.#owner === 'reader' ? READER_HEIGHT : Math.min(Math.max(own, 1), LIMITS.height);
    if (height === this.#height) return;
    this.#height = height;
    this.onHeight(height);
  }
}

function wordmark() {
  const mark = drawing('svg', { class: 'mark', viewBox: '0 0 40 40', 'aria-hidden': 'true' });
  for (const path of ['M3 3h25v25H3z', 'M12 12h25v25H12z']) mark.append(drawing('path', { d: path }));
  return element('span', { class: 'wordmark', translate: 'no' }, mark, 'aedr');
}
