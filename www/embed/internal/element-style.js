/**
 * What the element looks like. Its sheet is constructed, so that no Content-Security-Policy has to allow styles, and
 * all colours come from properties that the page may set.
 */

/** @type {CSSStyleSheet | undefined} */
let sheet;

/** One for all elements. */
export function elementStyle() {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(RULES);
  }
  return sheet;
}

const RULES = `
:host {
  display: block;
}

:host([hidden]),
[hidden] {
  display: none !important;
}

*,
*::before,
*::after {
  box-sizing: border-box;
}

.box {
  --accent: var(--aedr-accent, #0b776f);
  --on-accent: var(--aedr-on-accent, #ffffff);
  --second: var(--aedr-second, #c93d20);
  --background: var(--aedr-background, #ffffff);
  --text: var(--aedr-text, #10201e);
  --quiet: var(--aedr-quiet, #4b5d59);
  --border: var(--aedr-border, #c3cec9);
  --focus: var(--aedr-focus, #1d4ed8);
  --radius: var(--aedr-radius, 0px);
  --mono: ui-monospace, 'SF Mono', 'Cascadia Mono', 'Roboto Mono', 'Liberation Mono', Menlo, monospace;
  padding: clamp(1rem, 4%, 1.5rem);
  border: 1px solid var(--border);
  border-radius: var(--radius);
  background: var(--background);
  color: var(--text);
  font-family: var(--aedr-font, inherit);
  font-style: normal;
  font-weight: 400;
  letter-spacing: normal;
  line-height: 1.5;
  overflow-wrap: anywhere;
  text-align: start;
  text-indent: 0;
  text-transform: none;
}

/* The page's own scheme, and the one that a person prefers where the page has both. */

@supports (color: light-dark(red, red)) {
  .box {
    --accent: var(--aedr-accent, light-dark(#0b776f, #4fc8bb));
    --on-accent: var(--aedr-on-accent, light-dark(#ffffff, #06211e));
    --second: var(--aedr-second, light-dark(#c93d20, #ff8363));
    --background: var(--aedr-background, light-dark(#ffffff, #14201e));
    --text: var(--aedr-text, light-dark(#10201e, #e8f0ed));
    --quiet: var(--aedr-quiet, light-dark(#4b5d59, #a3b5b0));
    --border: var(--aedr-border, light-dark(#c3cec9, #33443f));
    --focus: var(--aedr-focus, light-dark(#1d4ed8, #8ab4ff));
  }
}

.box:lang(zh) {
  line-height: 1.65;
}

.over {
  outline: 3px dashed var(--accent);
  outline-offset: -6px;
}

.body > * + * {
  margin-block-start: 0.9rem;
}

p,
ul,
ol,
dl,
dd {
  margin: 0;
  padding: 0;
}

button {
  max-width: 100%;
  padding: 0.55em 1em;
  border: 2px solid currentcolor;
  border-radius: var(--radius);
  background: transparent;
  color: inherit;
  font: inherit;
  font-weight: 650;
  text-align: start;
  cursor: pointer;
}

button:hover:not(:disabled) {
  border-color: var(--text);
  background: var(--text);
  color: var(--background);
}

button:disabled {
  opacity: 0.55;
  cursor: default;
}

.primary {
  border-color: var(--accent);
  background: var(--accent);
  color: var(--on-accent);
}

:focus-visible {
  outline: 3px solid var(--focus);
  outline-offset: 3px;
}

.heading:focus {
  outline: none;
}

.hint {
  color: var(--quiet);
  font-size: 0.875em;
}

.actions {
  display: flex;
  flex-wrap: wrap;
  gap: 0.6rem;
}

.heading {
  display: flex;
  gap: 0.7rem;
  align-items: center;
  font-size: 1.5em;
  font-weight: 800;
  letter-spacing: -0.02em;
  line-height: 1.1;
}

.heading:lang(zh) {
  letter-spacing: 0;
}

.glyph {
  flex: none;
  width: 1.2em;
  height: 1.2em;
  fill: none;
  stroke-width: 4;
  forced-color-adjust: none;
}

.first {
  stroke: var(--accent);
}

.second {
  stroke: var(--second);
}

.glyph[data-outcome='cannot_tell'] .second {
  stroke-dasharray: 7 4;
}

.glyph[data-outcome='no_trace'] .second {
  stroke-dasharray: 3 5;
}

.glyph[data-outcome='error'] .first {
  stroke: var(--second);
}

.glyph[data-outcome='error'] .second {
  stroke: none;
}

.image {
  display: block;
  max-width: 100%;
  max-height: 9rem;
}

.warning {
  padding: 0.7rem 0.9rem;
  border-inline-start: 4px solid var(--second);
  background: color-mix(in srgb, var(--text) 6%, var(--background));
}

.label {
  font-weight: 700;
}

.label:not(:first-child) {
  margin-block-start: 0.6rem;
}

ul {
  padding-inline-start: 1.2rem;
}

li + li {
  margin-block-start: 0.25rem;
}

summary {
  font-weight: 650;
  text-decoration: underline;
  text-decoration-thickness: 2px;
  text-underline-offset: 0.2em;
  cursor: pointer;
}

details > * + * {
  margin-block-start: 0.6rem;
}

.lines {
  border-block-start: 2px solid currentcolor;
  list-style: none;
}

.lines li {
  display: grid;
  grid-template-columns: auto minmax(0, 1fr);
  gap: 0.8rem;
  align-items: center;
  margin: 0;
  padding-block: 0.5rem;
  border-block-end: 1px solid var(--border);
}

.lines .glyph {
  width: 1.7rem;
  height: 1.7rem;
}

.row {
  display: flex;
  flex-wrap: wrap;
  gap: 0 1rem;
  justify-content: space-between;
}

dl {
  border-block-start: 2px solid currentcolor;
}

dl > div {
  display: grid;
  grid-template-columns: minmax(0, 1fr) auto;
  gap: 0 1rem;
  padding-block: 0.45rem;
  border-block-end: 1px solid var(--border);
}

dt {
  font-weight: 600;
}

.value,
.symbol {
  font-family: var(--mono);
  font-variant-numeric: tabular-nums;
}

.symbol {
  display: inline-block;
  min-width: 5em;
}

.value {
  font-weight: 600;
}

.value + dd,
.claim {
  grid-column: 1 / -1;
}

.claim {
  white-space: pre-wrap;
}

progress {
  display: block;
  width: 100%;
  height: 14px;
  border: 2px solid var(--text);
  border-radius: var(--radius);
  appearance: none;
  background: transparent;
  color: var(--accent);
}

progress::-webkit-progress-bar {
  background: transparent;
}

progress::-webkit-progress-value {
  background: var(--accent);
}

progress::-moz-progress-bar {
  background: var(--accent);
}

progress:indeterminate {
  background: repeating-linear-gradient(90deg, var(--accent) 0 12px, transparent 12px 24px);
  animation: run 1s linear infinite;
}

progress:indeterminate::-moz-progress-bar {
  background: transparent;
}

.percent {
  min-height: 1.5em;
}

.hint:empty:not(.percent) {
  display: none;
}

.unseen {
  position: absolute;
  width: 1px;
  height: 1px;
  overflow: hidden;
  clip-path: inset(50%);
  white-space: nowrap;
}

@keyframes run {
  to {
    background-position: 24px 0;
  }
}

@media (prefers-reduced-motion: reduce) {
  * {
    animation: none !important;
  }
}

@media (forced-colors: active) {
  .box {
    --accent: Highlight;
    --on-accent: HighlightText;
    --second: CanvasText;
    --background: Canvas;
    --text: CanvasText;
    --quiet: CanvasText;
    --border: CanvasText;
    --focus: Highlight;
  }

  .primary,
  progress {
    forced-color-adjust: none;
  }
}
`;
