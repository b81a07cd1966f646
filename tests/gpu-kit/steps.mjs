/** Prints the steps, the most important first: limit in seconds, name, command. */

import { sizes } from './sizes.mjs';

const dawn = (/** @type {number} */ limit, /** @type {string} */ step, of = '') =>
  `${limit} ${of ? `${step}-${of}` : step} ./node step.mjs ${step} ${of}`;
const [first, ...others] = [...sizes.networks.keys()].map((index) => dawn(60, 'network', `${index}`));

const steps = [
  dawn(120, 'goldens'),
  '120 native-goldens ./native.sh goldens',
  dawn(30, 'peak'),
  first,
  dawn(60, 'check', 'f32'),
  dawn(60, 'kernels'),
  ...others.slice(0, 4),
  dawn(150, 'peer'),
  dawn(60, 'check', 'f16'),
  '60 native-check ./native.sh check',
  ...sizes.large.map((side) => dawn(90, 'large', `${side}`)),
  ...others.slice(4),
];
console.log(steps.join('\n'));
