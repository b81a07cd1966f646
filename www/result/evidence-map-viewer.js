/**
 * The evidence map: the image, covered up to a movable line by a layer of the model's results: the reconstructions, the
 * errors, the ratio of the two, and the orientation control. All of it is shown from PNG files that the module wrote; no canvas is read.
 *
 * @typedef {import('../engine/types.js').EvidenceMap} EvidenceMap
 * @typedef {import('../engine/types.js').LayerName} LayerName
 * @typedef {{trace: 'present' | 'absent', left: number, top: number, width: number, height: number}} Region In pixels of the file.
 * @typedef {{name: string, map: EvidenceMap, parts: Region[]}} ModelEvidence A model, what it made of the image, and the parts
 *   that differ from the rest.
 */

import { evidenceMap as words, locale } from '../texts/catalogue.js';
import { element } from '../ui/dom.js';

/** @type {LayerName[]} */
const LAYERS = ['ratio', 'control', 'first', 'second', 'first_error', 'second_error'];
/** What the colours of a map stand for. @type {Partial<Record<LayerName, 'ratio' | 'control' | 'error'>>} */
const KINDS = { ratio: 'ratio', control: 'control', first_error: 'error', second_error: 'error' };
/** Pixels of the side that a value of the control is about (`src/evidence/regions.rs`). */
const WINDOW = 64;
/** Screen pixels for each of the image's; 0 fits the image to the window. */
const ZOOMS = [0, 1, 2, 4, 8];
const DIGITS = new Intl.NumberFormat(locale, { maximumSignificantDigits: 2 });
const HUNDREDTHS = new Intl.NumberFormat(locale, { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** A value of a map in figures. @param {'ratio' | 'control' | 'error'} kind @param {number} value */
const figures = (kind, value) =>
  // What rounds to zero has no sign.
  kind === 'control' ? HUNDREDTHS.format(Math.round(100 * value) / 100 || 0).replace('-', '−') : DIGITS.format(value);

/**
 * @param {{picture: Blob, size: {width: number, height: number}, models: ModelEvidence[]}} shown `picture`: the image, which is
 *   shown as it is stored, not turned. At least one model.
 * @returns {{section: HTMLElement, free: () => void}} `free` releases the pictures' memory.
 */
export function evidenceMapViewer({ picture, size, models }) {
  /** Object URLs of pictures that were shown. @type {Map<Blob, string>} */
  const addresses = new Map();
  const address = (/** @type {Blob} */ blob) => {
    const known = addresses.get(blob) ?? URL.createObjectURL(blob);
    addresses.set(blob, known);
    return known;
  };
  // Small images have no control.
  const names = LAYERS.filter((name) => models.every(({ map }) => map.layers[name]));
  // Frames are the control's.
  const first = models[0].parts.length > 0 && names.includes('control') ? 'control' : 'ratio';
  const state = { model: 0, layer: /** @type {LayerName} */ (first), zoom: 0, covered: 50 };

  const under = /** @type {HTMLImageElement} */ (element('img', { class: 'under', alt: words.imageAlt, draggable: 'false' }));
  under.src = address(picture);
  const over = /** @type {HTMLImageElement} */ (element('img', { class: 'over', alt: '', draggable: 'false' }));
  const line = element('div', { class: 'line', 'aria-hidden': true }, element('span', { class: 'grip' }));
  const frames = element('div', { class: 'parts', 'aria-hidden': true });
  const plane = element('div', { class: 'plane' }, under, over, frames, line);
  const view = element('div', { class: 'view', tabindex: 0, role: 'group', 'aria-label': words.viewLabel }, plane);
  const slider = /** @type {HTMLInputElement} */ (element('input', { type: 'range', min: '0', max: '100', step: '1' }));
  const readout = element('p', { class: 'readout', 'aria-hidden': true });
  const scale = element('div', { class: 'colour-scale' });
  const explanation = element('p', { class: 'explanation' });
  const framed = element('p', { class: 'framed' });
  const told = element('p', { class: 'told' });
  const percent = element('output', { class: 'zoom-text' });

  const map = () => models[state.model].map;
  const layerOf = (/** @type {LayerName} */ name) => /** @type {import('../engine/types.js').Layer} */ (map().layers[name]);

  function show() {
    const { layer } = state;
    over.src = address(layerOf(layer).png);
    over.dataset.layer = layer;
    const { placement } = map();
    const [left, top, width, height] = placement;
    const share = (/** @type {number} */ value, /** @type {number} */ whole) => `${(100 * value) / whole}%`;
    set(over, { left: share(left, size.width), top: share(top, size.height) });
    set(over, { width: share(width, size.width), height: share(height, size.height) });
    const { parts } = models[state.model];
    frames.replaceChildren(
      ...parts.map((part) => {
        const frame = element('div', { 'data-trace': part.trace });
        set(frame, { left: share(part.left, size.width), top: share(part.top, size.height) });
        set(frame, { width: share(part.width, size.width), height: share(part.height, size.height) });
        return frame;
      }),
    );
    explanation.textContent = words.explanations[layer];
    // All parts of an image show the same.
    framed.hidden = parts.length === 0;
    framed.textContent = parts.length > 0 ? words.framed[parts[0].trace] : '';
    slider.setAttribute('aria-label', words.slider(words.layers[layer]));
    readout.textContent = '';
    showScale();
    showLine();
    tell();
  }

  /** Covers what lies right of the line. */
  function showLine() {
    const { placement } = map();
    const at = size.width * (1 - state.covered / 100);
    // The layer may cover only a part of the image; the line's position refers to the whole image.
    const hidden = Math.min(1, Math.max(0, (at - placement[0]) / placement[2]));
    set(over, { 'clip-path': `inset(0 0 0 ${100 * hidden}%)` });
    set(line, { left: `${100 - state.covered}%` });
    slider.value = String(state.covered);
    slider.setAttribute('aria-valuetext', words.covered(state.covered));
  }

  function showScale() {
    const kind = KINDS[state.layer];
    const found = kind && map().scales[kind];
    scale.hidden = !found;
    if (!kind || !found) return;
    const mark = (/** @type {string} */ side, /** @type {string} */ text) => element('span', { class: side }, text);
    const { low, centre, high } = found;
    scale.replaceChildren(
      element('img', { src: address(found.bar), alt: '', draggable: 'false' }),
      mark('low', words.scaleLow[kind](figures(kind, low))),
      ...(centre === undefined ? [] : [mark('centre', words.scaleCentre(DIGITS.format(centre)))]),
      mark('high', words.scaleHigh[kind](figures(kind, high))),
      ...(kind === 'ratio' ? [mark('mute', words.flat)] : []),
    );
  }

  /** @param {number} zoom @param {{x: number, y: number} | null} [around] The point of the view that stays in place. */
  function zoomTo(zoom, around = null) {
    const [x, y] = around ? [around.x, around.y] : [view.clientWidth / 2, view.clientHeight / 2];
    const before = plane.getBoundingClientRect();
    const from = view.getBoundingClientRect();
    const place = [(from.left + x - before.left) / before.width, (from.top + y - before.top) / before.height];
    state.zoom = zoom;
    view.dataset.zoom = String(zoom);
    set(plane, { width: zoom === 0 ? '' : `${size.width * zoom}px` });
    const after = plane.getBoundingClientRect();
    view.scrollLeft = place[0] * after.width - x;
    view.scrollTop = place[1] * after.height - y;
    percent.textContent = zoom === 0 ? words.fit : words.zoomed(zoom);
    less.disabled = zoom === ZOOMS[0];
    more.disabled = zoom === ZOOMS.at(-1);
  }

  const step = (/** @type {number} */ by) => {
    const index = ZOOMS.indexOf(state.zoom) + by;
    if (index in ZOOMS) zoomTo(ZOOMS[index]);
  };
  const less = button(words.zoomOut, '−', () => step(-1));
  const more = button(words.zoomIn, '+', () => step(1));

  slider.addEventListener('input', () => {
    state.covered = Number(slider.value);
    showLine();
  });
  watchLine(line, plane, (share) => {
    state.covered = Math.round(100 - 100 * share);
    showLine();
  });
  watchPan(view, line);
  view.addEventListener(
    'wheel',
    (event) => {
      // A pinch on a touchpad arrives as a wheel event with `ctrlKey`; a plain wheel scrolls the page.
      if (!event.ctrlKey) return;
      event.preventDefault();
      const { left, top } = view.getBoundingClientRect();
      const index = ZOOMS.indexOf(state.zoom) + (event.deltaY < 0 ? 1 : -1);
      if (index in ZOOMS) zoomTo(ZOOMS[index], { x: event.clientX - left, y: event.clientY - top });
    },
    { passive: false },
  );
  view.addEventListener('keydown', (event) => {
    if (event.target !== view) return;
    if (event.key === '+' || event.key === '=') step(1);
    if (event.key === '-') step(-1);
  });
  plane.addEventListener('pointermove', (event) => {
    readout.textContent = valueAt(event) ?? '';
  });
  plane.addEventListener('pointerleave', () => (readout.textContent = ''));

  /** The value of the map under the pointer. @param {PointerEvent} event */
  function valueAt({ clientX, clientY }) {
    const { cell, columns, placement } = map();
    const { values } = layerOf(state.layer);
    const kind = KINDS[state.layer];
    if (!values || !kind) return null;
    const box = over.getBoundingClientRect();
    const [across, down] = [(clientX - box.left) / box.width, (clientY - box.top) / box.height];
    if (across < 0 || across >= 1 || down < 0 || down >= 1) return null;
    const rows = values.length / columns;
    const value = values[Math.floor(down * rows) * columns + Math.floor(across * columns)];
    const [x, y] = [placement[0] + across * placement[2], placement[1] + down * placement[3]].map(Math.floor);
    const text = Number.isNaN(value) ? words.flat : words.value[kind](figures(kind, value));
    return words.readout(x, y, text, kind === 'control' ? WINDOW : cell);
  }

  const layers = choice('viewer-layer', words.layersLegend, names.map((name) => [name, words.layers[name]]), state.layer, (name) => {
    state.layer = /** @type {LayerName} */ (name);
    show();
  });
  const tools = [layers];
  if (models.length > 1) tools.push(modelChoice());

  function modelChoice() {
    const select = /** @type {HTMLSelectElement} */ (
      element('select', { id: 'viewer-model' }, ...models.map(({ name }, index) => element('option', { value: index }, name)))
    );
    select.addEventListener('change', () => {
      state.model = Number(select.value);
      show();
    });
    return element('p', {}, element('label', { for: 'viewer-model' }, words.model), ' ', select);
  }

  /** Describes the map of the control in words, or else that of ratios. */
  function tell() {
    const { layers, scales } = map();
    if (state.layer === 'control') {
      const signals = [...(layers.control?.values ?? [])];
      const clear = (scales.control?.low ?? 0) / 2;
      told.textContent = words.toldTrace(signals.filter((signal) => signal < clear).length / signals.length);
      return;
    }
    const ratios = [...(layers.ratio.values ?? [])];
    const known = ratios.filter((ratio) => !Number.isNaN(ratio));
    const below = known.filter((ratio) => ratio < (scales.ratio.centre ?? 0));
    told.textContent =
      known.length === 0 ? words.allFlat : words.told(below.length / known.length, 1 - known.length / ratios.length);
  }

  const section = element(
    'section',
    { class: 'viewer' },
    element('h3', {}, words.heading),
    element(
      'div',
      { class: 'shown' },
      view,
      element(
        'div',
        { class: 'below' },
        element('label', { class: 'wipe' }, element('span', {}, words.sliderName), slider),
        element('div', { class: 'zoom', role: 'group', 'aria-label': words.zoom }, less, percent, more),
      ),
      readout,
    ),
    element(
      'div',
      { class: 'tools' },
      element('p', { class: 'hint' }, words.lead),
      ...tools,
      explanation,
      scale,
      framed,
      told,
    ),
  );
  set(plane, { 'aspect-ratio': `${size.width} / ${size.height}` });
  // A small image is not enlarged to the whole width.
  set(plane, { 'max-width': `${Math.max(size.width, 640)}px` });
  show();
  percent.textContent = words.fit;
  /** @type {HTMLButtonElement} */ (less).disabled = true;
  const free = () => addresses.forEach((known) => URL.revokeObjectURL(known));
  return { section, free };
}

/** @param {HTMLElement} node @param {Record<string, string>} properties */
function set(node, properties) {
  for (const [name, value] of Object.entries(properties)) node.style.setProperty(name, value);
}

/** @param {string} name @param {string} sign @param {() => void} action */
function button(name, sign, action) {
  const made = /** @type {HTMLButtonElement} */ (element('button', { type: 'button', 'aria-label': name, title: name }, sign));
  made.addEventListener('click', action);
  return made;
}

/**
 * @param {string} name @param {string} legend @param {[value: string, text: string][]} options @param {string} chosen
 * @param {(value: string) => void} onChoice
 */
function choice(name, legend, options, chosen, onChoice) {
  const set = element('fieldset', { class: 'layers' }, element('legend', {}, legend));
  for (const [value, text] of options) {
    const input = element('input', { type: 'radio', name, value, checked: value === chosen });
    input.addEventListener('change', () => onChoice(value));
    set.append(element('label', {}, input, element('span', {}, text)));
  }
  return set;
}

/**
 * The line follows the pointer that took it.
 * @param {HTMLElement} line @param {HTMLElement} plane @param {(share: number) => void} onMove From the left, 0 to 1.
 */
function watchLine(line, plane, onMove) {
  line.addEventListener('pointerdown', (event) => {
    event.preventDefault();
    line.setPointerCapture(event.pointerId);
  });
  line.addEventListener('pointermove', ({ pointerId, clientX }) => {
    if (!line.hasPointerCapture(pointerId)) return;
    const { left, width } = plane.getBoundingClientRect();
    onMove(Math.min(1, Math.max(0, (clientX - left) / width)));
  });
}

/** A mouse moves what is larger than its window; fingers scroll it by themselves. @param {HTMLElement} view @param {HTMLElement} line */
function watchPan(view, line) {
  view.addEventListener('pointerdown', (event) => {
    if (event.pointerType !== 'mouse' || event.button !== 0 || line.contains(/** @type {Node} */ (event.target))) return;
    view.setPointerCapture(event.pointerId);
  });
  view.addEventListener('pointermove', (event) => {
    if (!view.hasPointerCapture(event.pointerId)) return;
    view.scrollLeft -= event.movementX;
    view.scrollTop -= event.movementY;
  });
}
