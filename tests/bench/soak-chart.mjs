/** The curve of `soak.mjs`, as an SVG that is read on light and on dark. */

/** @typedef {import('../browser/support/soak-run.mjs').Sample} Sample */

/** @type {Record<string, string>} */
const DEVICES = { cpu: 'CPU', webgpu: 'WebGPU' };

const [WIDTH, HEIGHT] = [760, 300];
const PLOT = { left: 60, right: 610, top: 44, bottom: 252 };
/** @type {[keyof Sample, string, string][]} */
const CURVES = [
  ['page', 'page', '#4f86c6'],
  ['worker', 'worker', '#c98a1b'],
  ['module', 'module', '#2a9d8f'],
  ['gpu', 'GPU buffers', '#b5548a'],
];
const STYLE = `text { font: 13px system-ui, sans-serif; fill: #333 } .grid { stroke: #8884 }
    path { fill: none; stroke-width: 2 }
    @media (prefers-color-scheme: dark) { text { fill: #ddd } }`;

/**
 * A panel for each device, the resident memory left out: it is a hundred times the rest.
 * @param {{device: string, samples: Sample[]}[]} runs
 */
export function chart(runs) {
  const panels = runs.map((run, index) => panel(run, index * HEIGHT));
  const height = HEIGHT * runs.length;
  const label = 'Memory over checks';
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${label}">
  <style>${STYLE}</style>
${panels.join('\n')}
</svg>
`;
}

/** @param {{device: string, samples: Sample[]}} run @param {number} top */
function panel({ device, samples }, top) {
  const last = samples[samples.length - 1];
  const most = Math.max(...samples.flatMap((sample) => CURVES.map(([what]) => sample[what]))) / 1e6;
  const step = [1, 2, 5, 10, 20, 50].find((size) => most / size <= 5) ?? 100;
  const ceiling = step * Math.ceil(most / step);
  const x = (/** @type {number} */ checks) => PLOT.left + ((PLOT.right - PLOT.left) * checks) / last.checks;
  const y = (/** @type {number} */ value) => PLOT.bottom - ((PLOT.bottom - PLOT.top) * value) / ceiling;
  const lines = Array.from({ length: ceiling / step + 1 }, (_, index) => index * step).map(
    (value) =>
      `<line class="grid" x1="${PLOT.left}" x2="${PLOT.right}" y1="${y(value)}" y2="${y(value)}"/>` +
      `<text x="${PLOT.left - 8}" y="${y(value) + 4}" text-anchor="end">${value}</text>`,
  );
  const curves = CURVES.filter(([what]) => last[what] > 0);
  const paths = curves.map(([what, , colour]) => {
    const points = samples.map((sample) => `${x(sample.checks).toFixed(1)},${y(sample[what] / 1e6).toFixed(1)}`);
    return `<path stroke="${colour}" d="M${points.join('L')}"/>`;
  });
  const names = spread(curves.map(([what, name, colour]) => ({ at: y(last[what] / 1e6), name, colour })));
  const labels = names.map(
    ({ at, name, colour }) =>
      `<circle cx="${PLOT.right + 12}" cy="${at.toFixed(1)}" r="4" fill="${colour}"/>` +
      `<text x="${PLOT.right + 22}" y="${(at + 4).toFixed(1)}">${name}</text>`,
  );
  return `  <g transform="translate(0 ${top})">
    <text x="${PLOT.left}" y="24">${DEVICES[device]}: MB after so many checks</text>
    ${[...lines, ...paths, ...labels].join('\n    ')}
    <text x="${PLOT.left}" y="${PLOT.bottom + 22}" text-anchor="middle">0</text>
    <text x="${PLOT.right}" y="${PLOT.bottom + 22}" text-anchor="middle">${last.checks}</text>
  </g>`;
}

/** Names that do not lie over each other. @param {{at: number, name: string, colour: string}[]} names */
function spread(names) {
  const sorted = names.toSorted((a, b) => a.at - b.at);
  for (const [index, one] of sorted.entries()) {
    if (index > 0) one.at = Math.max(one.at, sorted[index - 1].at + 18);
  }
  // Those at the bottom push the others up.
  for (let index = sorted.length - 1; index >= 0; index--) {
    const limit = index === sorted.length - 1 ? PLOT.bottom : sorted[index + 1].at - 18;
    sorted[index].at = Math.min(sorted[index].at, limit);
  }
  return sorted;
}
