/**
 * The picture of a result, as an SVG drawing 1200 pixels wide: to show to others, and complete enough to be checked.
 * It is drawn from sentences and numbers alone, without a document, so that a worker can do it.
 *
 * @typedef {import('./picture-typesetting.js').Type} Type
 * @typedef {import('./picture-plot.js').Plot} Plot
 * @typedef {import('./opentype-font.js').Face} Face
 * @typedef {{regular: Face[], bold: Face[], display: Face[]}} Faces
 * @typedef {{outcome: string, name: string, outcomeText: string, remark: string}} Line The answer of one model.
 * @typedef {object} PictureContent
 * @property {string} outcome One of the four answers.
 * @property {string} date
 * @property {string} heading
 * @property {string} verdict
 * @property {string} name The file's.
 * @property {string} facts Its format and size.
 * @property {{href: string, width: number, height: number} | null} picture
 * @property {Plot | null} plot
 * @property {string} evidence
 * @property {{heading: string, items: Line[], more: string}} lines None if only one model was asked.
 * @property {{heading: string, items: [string, string, string][]}} numbers Symbol, name, value.
 * @property {{heading: string, items: string[]}} meansNot
 * @property {string} note About the model, "" if there is nothing to say.
 * @property {[string, string]} hash Label and digits.
 * @property {string} program What made it, with its version.
 * @property {string} made What the picture is, and is not.
 */

import { framesOf } from '../ui/outcome-glyph.js';
import { plotDrawing } from './picture-plot.js';
import { drawable, escaped, INKS, round, shortened, textLine, widthOf, wrapped } from './picture-typesetting.js';
import { THUMBNAIL_SIZE } from './thumbnail.js';

export const WIDTH = 1200;
const MARGIN = 64;
const INNER = WIDTH - 2 * MARGIN;

/** @param {PictureContent} content @param {Faces} faces @returns {string} */
export function pictureSvg(content, faces) {
  const page = new Page(faces);
  page.header(content);
  page.hero(content);
  page.plot(content);
  page.lines(content);
  page.columns(content);
  page.footer(content);
  const height = Math.ceil(page.y);
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}">` +
    `<path fill="${INKS.sheet}" d="M0 0h${WIDTH}v${height}H0z"/>${page.parts.join('')}</svg>`
  );
}

/** What has been drawn, from top to bottom. */
class Page {
  /** @type {string[]} */
  parts = [];
  y = 0;

  /** @param {Faces} faces */
  constructor({ regular, bold, display }) {
    this.heading = { faces: display, size: 88, spacing: -0.035 };
    this.wordmark = { faces: display, size: 38, spacing: -0.03 };
    this.verdict = { faces: regular, size: 30 };
    this.body = { faces: regular, size: 23 };
    this.strong = { faces: bold, size: 23 };
    this.title = { faces: bold, size: 26, spacing: -0.01 };
    this.small = { faces: regular, size: 20 };
    this.digits = { faces: regular, size: 19.5 };
  }

  /**
   * @param {string} text @param {Type} type
   * @param {{x?: number, y: number, fill?: string, anchor?: 'start' | 'middle' | 'end'}} place
   */
  text(text, type, { x = MARGIN, y, fill = INKS.ink, anchor = 'start' }) {
    this.parts.push(textLine(text, type, { x, y, fill, anchor }));
  }

  /**
   * Lines one below the other.
   * @param {string[]} lines @param {Type} type
   * @param {{x?: number, y: number, fill?: string, leading?: number}} place `y`: of their top.
   * @returns {number} Where they end.
   */
  block(lines, type, { x = MARGIN, y, fill = INKS.ink, leading = 1.38 }) {
    const step = type.size * leading;
    for (const [index, line] of lines.entries()) {
      // The baseline of a line lies at about these parts of its height.
      this.text(line, type, { x, y: y + step * index + (step - type.size) / 2 + type.size * 0.84, fill });
    }
    return y + step * lines.length;
  }

  /** @param {number} y @param {{x?: number, width?: number, weight?: number, fill?: string}} [options] */
  rule(y, { x = MARGIN, width = INNER, weight = 3, fill = INKS.ink } = {}) {
    this.parts.push(`<path fill="${fill}" d="M${round(x)} ${round(y)}h${round(width)}v${weight}h${round(-width)}z"/>`);
  }

  /** @param {string} outcome @param {number} x @param {number} y @param {number} side */
  glyph(outcome, x, y, side) {
    const [first, second] = framesOf(outcome);
    const dashes = { cannot_tell: ' stroke-dasharray="7 4"', no_trace: ' stroke-dasharray="3 5"' }[outcome] ?? '';
    this.parts.push(
      `<g transform="translate(${round(x)} ${round(y)}) scale(${side / 40})" fill="none" stroke-width="4">` +
        `<path stroke="${outcome === 'error' ? INKS.second : INKS.first}" d="${first}"/>` +
        (outcome === 'error' ? '' : `<path stroke="${INKS.second}"${dashes} d="${second}"/>`) +
        '</g>',
    );
  }

  /** @param {PictureContent} content */
  header({ date }) {
    const [top, side] = [44, 46];
    this.parts.push(
      `<g transform="translate(${MARGIN} ${top}) scale(${side / 40})" fill="none" stroke-width="4">` +
        `<path stroke="${INKS.first}" d="M3 3h25v25H3z"/><path stroke="${INKS.second}" d="M12 12h25v25H12z"/>` +
        `<path fill="${INKS.ink}" d="M17 17h6v6h-6z"/></g>`,
    );
    this.text('aedr', this.wordmark, { x: MARGIN + side + 14, y: top + 36 });
    this.text(date, this.small, { x: WIDTH - MARGIN, y: top + 34, fill: INKS.quiet, anchor: 'end' });
    this.rule(top + side + 18);
    this.y = top + side + 18 + 3;
  }

  /** The outcome in words, and the picture in its two frames. @param {PictureContent} content */
  hero({ outcome, heading, verdict, name, facts, picture }) {
    const top = this.y + 52;
    const GAP = 64;
    let width = INNER;
    let bottom = top;
    if (picture) {
      const scale = Math.min(THUMBNAIL_SIZE.width / picture.width, THUMBNAIL_SIZE.height / picture.height);
      const [wide, high] = [Math.round(picture.width * scale), Math.round(picture.height * scale)];
      const x = WIDTH - MARGIN - 14 - wide;
      this.framed(outcome, picture.href, { x, y: top + 14, width: wide, height: high });
      bottom = top + 14 + high + 22;
      width = x - 14 - GAP - MARGIN;
    }
    const side = 84;
    const whole = drawable(heading, this.heading.faces);
    // A heading takes one line; beside a picture that leaves too little room, it gets smaller.
    const size = Math.min(88, (88 * (width - side - 24)) / widthOf(whole, this.heading));
    this.glyph(outcome, MARGIN - 4, top, side);
    const place = { x: MARGIN + side + 20, y: top + side / 2 + size * 0.36 };
    this.text(whole, { ...this.heading, size: round(size) }, place);
    let y = this.block(wrapped(verdict, this.verdict, width), this.verdict, { y: top + side + 30 });
    y = this.block([shortened(name, this.strong, width)], this.strong, { y: y + 26 });
    y = this.block(wrapped(facts, this.small, width), this.small, { y, fill: INKS.quiet });
    this.y = Math.max(y, bottom);
  }

  /**
   * @param {string} outcome @param {string} href
   * @param {{x: number, y: number, width: number, height: number}} box
   */
  framed(outcome, href, { x, y, width, height }) {
    const frame = (/** @type {string} */ ink, /** @type {number} */ grow, /** @type {number} */ shift, extra = '') =>
      `<rect x="${x - grow + shift}" y="${y - grow + shift}" ` +
      `width="${width + 2 * grow}" height="${height + 2 * grow}" ` +
      `fill="none" stroke="${ink}" stroke-width="5"${extra}/>`;
    const matches = outcome === 'matches';
    const dashed = { cannot_tell: ' stroke-dasharray="16 10"', no_trace: ' stroke-dasharray="6 8"' }[outcome] ?? '';
    this.parts.push(
      `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="${INKS.paper}"/>`,
      `<image x="${x}" y="${y}" width="${width}" height="${height}" href="${escaped(href)}"/>`,
      matches ? frame(INKS.first, 9.5, 0) : frame(INKS.first, 0, -9),
      matches ? frame(INKS.second, 3.5, 0) : frame(INKS.second, 0, 9, dashed),
    );
  }

  /** @param {PictureContent} content */
  plot({ plot, evidence }) {
    if (plot) {
      const types = { strong: this.strong, small: this.small, zone: { ...this.strong, size: 20 } };
      const { svg, height } = plotDrawing(plot, { x: MARGIN, y: this.y + 50, width: INNER }, types);
      this.parts.push(svg);
      this.y += 50 + height;
    }
    if (evidence) {
      const lines = wrapped(evidence, this.body, INNER);
      this.y = this.block(lines, this.body, { y: this.y + 22, fill: INKS.quiet });
    }
  }

  /** @param {PictureContent} content */
  lines({ lines: { heading, items, more } }) {
    if (items.length === 0) return;
    let y = this.block([heading], this.title, { y: this.y + 46 }) + 10;
    this.rule(y);
    y += 3;
    for (const { outcome, name, outcomeText, remark } of items) {
      const [x, side] = [MARGIN + 62, 40];
      const room = INNER - 62 - widthOf(drawable(outcomeText, this.body.faces), this.body) - 24;
      const height = remark ? 88 : 64;
      this.glyph(outcome, MARGIN, y + (height - side) / 2, side);
      this.text(shortened(name, this.strong, room), this.strong, { x, y: y + 39 });
      this.text(outcomeText, this.body, { x: WIDTH - MARGIN, y: y + 39, anchor: 'end' });
      if (remark) this.text(shortened(remark, this.small, INNER - 62), this.small, { x, y: y + 69, fill: INKS.quiet });
      y += height;
      this.rule(y, { weight: 1, fill: INKS.rule });
    }
    if (more) y = this.block([more], this.small, { y: y + 10, fill: INKS.quiet });
    this.y = y;
  }

  /** What the result does not mean, beside the numbers. @param {PictureContent} content */
  columns({ meansNot, note, numbers }) {
    const GAP = 64;
    const left = Math.round(INNER * 0.54);
    const [x, right] = [MARGIN + left + GAP, INNER - left - GAP];
    const top = this.y + 46;
    let y = this.block([meansNot.heading], this.title, { y: top }) + 6;
    for (const item of meansNot.items) {
      this.parts.push(`<path fill="${INKS.ink}" d="M${MARGIN} ${round(y + 19)}h10v10h-10z"/>`);
      y = this.block(wrapped(item, this.body, left - 28), this.body, { x: MARGIN + 28, y: y + 8 });
    }
    if (note) {
      const lines = wrapped(note, this.small, left - 28);
      const start = y + 22;
      y = this.block(lines, this.small, { x: MARGIN + 28, y: start, fill: INKS.quiet });
      this.parts.push(
        `<path fill="${INKS.second}" d="M${MARGIN} ${round(start)}h5v${round(y - start)}h-5z"/>`,
      );
    }
    let at = this.block([shortened(numbers.heading, this.title, right)], this.title, { x, y: top }) + 10;
    this.rule(at, { x, width: right });
    at += 3;
    for (const [symbol, label, value] of numbers.items) {
      this.text(symbol, this.strong, { x, y: at + 33 });
      // What the symbol's column and the value leave.
      const room = right - 110 - widthOf(drawable(value, this.strong.faces), this.strong) - 20;
      this.text(shortened(label, this.body, room), this.body, { x: x + 110, y: at + 33, fill: INKS.quiet });
      this.text(value, this.strong, { x: x + right, y: at + 33, anchor: 'end' });
      at += 48;
      this.rule(at, { x, width: right, weight: 1, fill: INKS.rule });
    }
    this.y = Math.max(y, at);
  }

  /** @param {PictureContent} content */
  footer({ hash: [label, digits], program, made }) {
    let y = this.y + 52;
    this.rule(y);
    y = this.block(wrapped(made, this.small, INNER), this.small, { y: y + 20 });
    y = this.block(wrapped(`${label} ${digits}`, this.digits, INNER), this.digits, { y: y + 12, fill: INKS.quiet });
    y = this.block(wrapped(program, this.small, INNER), this.small, { y, fill: INKS.quiet });
    this.y = y + 44;
  }
}
