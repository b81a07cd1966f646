/** Small helpers to build the document. Strings become text nodes only, never markup. */

const SVG = 'http://www.w3.org/2000/svg';

/**
 * @param {string} id
 * @returns {any} The element; the page has it.
 */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no #${id}`);
  return element;
}

/**
 * @param {string} tag
 * @param {Record<string, string | number | boolean>} [attributes] True sets an empty attribute, false sets none.
 * @param {...(Node | string)} children
 * @returns {HTMLElement}
 */
export function element(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/**
 * @param {string} tag
 * @param {Record<string, string | number | boolean>} [attributes]
 * @param {...(Node | string)} children
 * @returns {SVGElement}
 */
export function drawing(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/**
 * @template {Element} T
 * @param {T} node @param {Record<string, string | number | boolean>} attributes @param {(Node | string)[]} children
 */
function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false) node.setAttribute(name, value === true ? '' : String(value));
  }
  node.append(...children);
  return node;
}

/** Style sheets that were asked for, by address. @type {Record<string, Promise<void>>} */
const styles = {};

/**
 * Adds the style sheet of a part that is loaded when it is needed, once. The promise always fulfils: without the sheet
 * the part only looks plainer.
 * @param {URL} address
 */
export function loadStyle({ href }) {
  styles[href] ??= new Promise((done) => {
    const link = element('link', { rel: 'stylesheet', href });
    link.addEventListener('load', () => done());
    link.addEventListener('error', () => done());
    document.head.append(link);
  });
  return styles[href];
}

/** The scroll behaviour that a person prefers. @returns {ScrollBehavior} */
export function scrolling() {
  return matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth';
}
