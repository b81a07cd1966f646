/**
 * Every sentence that the page says, in one place. `index.html` names them by `data-text`.
 * Messages about a particular file come from the module and are shown as they are.
 */

/** @param {number} bytes */
const megabytes = (bytes) => (bytes / 1e6).toFixed(1);
/** @param {number} bytes */
const amount = (bytes) => (bytes < 1e9 ? `${megabytes(bytes)} MB` : `${(bytes / 1e9).toFixed(1)} GB`);

export const MAX_FILE_BYTES = 64 * 1024 * 1024;

/** Sentences of the fixed page. */
export const page = {
  skip: 'Skip to the check',
  models: 'Models',
  settings: 'Settings',
  deviceLegend: 'Compute on',
  deviceAuto: 'Automatic',
  deviceWebgpu: 'Graphics processor (WebGPU)',
  deviceCpu: 'Main processor (CPU)',
  settingsHint: 'Applies to the next check. The result is the same; the graphics processor is faster.',
  headline: 'Which generator made this image?',
  lead:
    'The last step of many AI image generators is a decoder that paints the pixels. This page tells whether an ' +
    'image came out of a decoder it knows.',
  privacy: 'Your image stays on this device. It is checked here, in your browser, and sent nowhere.',
  stageLabel: 'Check an image',
  dropHere: 'Drop an image anywhere on this page, or paste one',
  choose: 'Choose an image',
  chooseAnother: 'Choose another image',
  formats:
    'PNG, JPEG, WebP, GIF, BMP or TIFF, up to 64 MB. Use the original file if you can: screenshots and copies ' +
    'sent through chat programs lose the traces.',
  noPreview: 'This browser has no preview of this file.',
  answersHeading: 'Three possible answers',
  demonstrationShort:
    'The page comes with one decoder: a small demonstration model that no public generator uses. Its answers show ' +
    'how the check works. The decoders of public generators can be added under “Models”.',
  working: 'Checking',
  cancel: 'Cancel',
  samplesHeading: 'No image at hand?',
  samplesLead: 'Try one of these. The label says where it comes from, so you can see whether the answer is right.',
  howHeading: 'How the check works',
  limitsHeading: 'What it cannot do yet',
  demonstrationLong:
    'The demonstration model was made for this page, and no public generator uses it. Images from Midjourney, ' +
    'DALL·E, Stable Diffusion, FLUX or any other generator will not match it, just as photographs will not.',
  limitsLong:
    'Resizing, cropping, filters and strong compression change the pixels and can hide a match. And a match says ' +
    'where pixels came from, not whether a picture is true or false.',
  footer: 'aedr · free software, MIT or Apache-2.0',
  creditsHeading: 'Where the sample images come from',
  dropNow: 'Let go to check this image',
};

export const howSteps = [
  'The image is squeezed through the model’s encoder and painted again by its decoder. Then the copy goes through ' +
    'once more.',
  'Both times we measure how much the image changed.',
  'An image that this decoder had painted before changes about as little the first time as the second. Any other ' +
    'image loses much more the first time.',
];

/** @type {Record<string, {heading: string, promise: string}>} */
export const outcomes = {
  matches: { heading: 'Consistent', promise: 'The pixels look like pixels that the model’s decoder painted.' },
  does_not_match: {
    heading: 'Not consistent',
    promise: 'Not, as it is now, out of a model that was asked. It does not mean that the image is real.',
  },
  cannot_tell: { heading: 'Cannot tell', promise: 'Too close, too small or too smooth for an honest answer.' },
};

const quoted = new Intl.ListFormat('en', { type: 'disjunction' });
/** @param {string[]} models */
const any = (models) => quoted.format(models.map((name) => `“${name}”`));

/** About one model, or several. @type {Record<string, (models: string[], reason: string) => string>} */
export const verdicts = {
  matches: (models) =>
    `These pixels are consistent with the model ${any(models)}: its decoder, or one that is shared with it, very ` +
    'likely painted them.',
  does_not_match: (models) =>
    (models.length > 1
      ? `These pixels, as they are now, are not consistent with any of the ${models.length} models that were asked`
      : `These pixels, as they are now, are not consistent with the model ${any(models)}`) +
    '. This does not mean that the image is a real photograph: other generators exist.',
  cannot_tell: (models, reason) =>
    `The check ran, but it cannot say whether these pixels came out of the model ${any(models)}: ${reason}.`,
};

/** The line of each model where several were asked. */
export const lines = {
  heading: 'Model by model',
  /** @type {Record<string, string>} */
  outcomes: { matches: 'consistent', does_not_match: 'not consistent', cannot_tell: 'cannot tell', failed: 'not asked' },
  uncalibrated: 'numbers only',
  serves: (/** @type {string[]} */ names) => `Used by ${new Intl.ListFormat('en').format(names)}`,
  alike: (/** @type {string[]} */ names) =>
    `${new Intl.ListFormat('en').format(names)}: their decoders are so alike that this check cannot tell which`,
  signal: (/** @type {string} */ symbol, /** @type {string} */ signal, /** @type {string | null} */ threshold) =>
    threshold === null ? `${symbol} ${signal}` : `${symbol} ${signal}, threshold ${threshold}`,
};

/** Said with every result of the model that comes with the page. */
export const demonstration = {
  heading: 'A demonstration model',
  text:
    'It was made to show how the check works. No public generator uses it, so this result neither accuses nor ' +
    'clears an image from anywhere else.',
};

/** Each list goes on from its heading, `result.meansHeading` or `result.meansNotHeading`. */
/** @type {Record<string, {means: string[], meansNot: string[]}>} */
export const meanings = {
  matches: {
    means: ['The pixels behave like pixels that this decoder painted: it can paint them again almost unchanged.'],
    meansNot: [
      'That a particular program was used. One decoder can serve many generators.',
      'That the picture is a fake. A photograph that went through the same autoencoder, for example in an editing ' +
        'tool, looks the same to this check.',
    ],
  },
  does_not_match: {
    means: ['The pixels do not behave like pixels that this decoder painted.'],
    meansNot: [
      'That the image is a photograph. An image from any other generator gets the same answer.',
      'That this model is ruled out for good. Resizing, filters, screenshots and compression hide a match.',
    ],
  },
  cannot_tell: {
    means: ['The numbers are correct, but they allow no verdict. A larger or less compressed copy may give one.'],
    meansNot: ['Suspicion, or an all-clear. It is neither.'],
  },
};

export const result = {
  meansHeading: 'What this means',
  meansNotHeading: 'What it does not mean',
  numbersHeading: 'The numbers',
  checkedPart: (/** @type {any} */ { width, height, format }) => `${format}, ${width} × ${height} pixels`,
  notesHeading: 'Good to know',
  again: 'Check again',
  deeper: 'Look deeper',
  deeperHint:
    'Looking deeper tries where the image may have been cut or resized, which hides a match. It takes about ten ' +
    'times as long.',
  scaleLabel: (/** @type {string} */ signal, /** @type {string} */ threshold) =>
    `Signal ${signal} on a scale whose threshold is ${threshold}; smaller values match`,
  scaleMatch: 'consistent',
  scaleNone: 'not',
  scaleHere: 'this image',
  scaleThreshold: 'threshold',
  noThreshold: 'not calibrated',
  pasted:
    'The image came through the clipboard. Some programs resize or convert images on the way; the original file ' +
    'gives a surer answer.',
  onlyFirst: (/** @type {number} */ count) =>
    `You gave ${count} files; this is the first. Images are checked one by one.`,
};

/** How usual an image's signal is. */
export const evidence = {
  share: (/** @type {number} */ value) => `${(100 * value).toFixed(1)} %`,
  fewer: (/** @type {number} */ count) => `fewer than 1 in ${count}`,
  line: (
    /** @type {string} */ own,
    /** @type {string} */ other,
    /** @type {number} */ owns,
    /** @type {number} */ others,
    /** @type {string} */ condition,
  ) =>
    `Of ${owns} images that are known to come out of this model, ${own} have a signal as high; of ${others} other ` +
    `images, ${other} one as low (${conditions[condition] ?? `measured on images compressed like this one, ${condition}`}).`,
};

/** What images a signal was compared with. @type {Record<string, string>} */
const conditions = {
  'as written': 'measured on images as they were made',
  searched: 'measured on images that were cut and searched in the same way',
};

/** What a deep scan found. */
export const search = {
  /** @param {any} found */
  found: ({ alignment: { size, left, top }, contrast, tried }) =>
    `Looked at ${tried} places. ` +
    (size
      ? `The image comes back best as if it had had ${size[0]} × ${size[1]} pixels`
      : left === 0 && top === 0
        ? 'The image comes back best as it lies'
        : `The image comes back best ${left} pixels from its left edge and ${top} from its top`) +
    `: there the copy differs ${contrast.toFixed(2)} times as much as elsewhere.`,
};

/** Symbol, name and plain explanation of each number. */
export const numbers = {
  first: ['L1', 'first loss', 'How much the image changed when it was painted again.'],
  second: ['L2', 'second loss', 'How much that copy changed when it was painted once more.'],
  ratio: ['L1 ÷ L2', 'ratio', 'Near 1 if the image had been through this decoder before; larger if not.'],
  homogeneity: [
    'H',
    'homogeneity',
    'How smooth the image is, from 0 (busy) to 1 (flat). Smooth images repeat easily; the signal allows for that.',
  ],
  t: ['t', 'the paper’s signal', 'Ratio × homogeneity.'],
  signal: ['', 'signal', 'What the verdict rests on. The smaller, the more it looks like a match.'],
  threshold: [
    'τ',
    'threshold',
    'Signals clearly below it count as a match. Measured on images known to come out of this model.',
  ],
};

/** What the file says of its own origin. */
export const claims = {
  heading: 'What the file says about itself',
  hint:
    'Such notes travel inside the file. Anyone can write, change or remove them, so they prove nothing by themselves, ' +
    'and the answer above does not use them.',
  none:
    'Nothing about where it came from. That is common: most sites and messengers remove such notes. It is no sign in ' +
    'either direction.',
  /** @type {Record<string, string>} */
  meanings: {
    generated: 'It says that it was made by a generator',
    camera: 'It says that it was taken with a camera',
    program: 'It says that a program wrote it',
  },
};

/** Symbol and formula of the signals that a verdict can rest on. @type {Record<string, [string, string]>} */
export const signals = {
  weighed: ['s', 'Ratio to the power of the homogeneity.'],
  paper: ['t', 'Ratio × homogeneity.'],
  ratio: ['L1 ÷ L2', 'The ratio alone.'],
};

/** What is being done, by stage. @type {Record<string, string>} */
export const stages = {
  start: 'Starting',
  program: 'Fetching the checking program, once',
  weights: 'Fetching the model, once',
  device: 'Preparing the processor',
  decode: 'Reading the image',
  search: 'Looking for where the image may have been cut or resized',
  encode_first: 'First pass: taking the image apart',
  decode_first: 'First pass: painting it again',
  encode_second: 'Second pass: taking the copy apart',
  decode_second: 'Second pass: painting it once more',
  losses: 'Comparing the three images',
};

export const progress = {
  model: (/** @type {number} */ number, /** @type {number} */ count, /** @type {string} */ name) =>
    `Model ${number} of ${count}: ${name}`,
  bytes: (/** @type {number} */ loaded, /** @type {number | null} */ total) =>
    total === null ? `${megabytes(loaded)} MB` : `${megabytes(loaded)} of ${megabytes(total)} MB`,
  percent: (/** @type {number} */ fraction) => `${Math.round(fraction * 100)} %`,
  cancelling: 'Cancelling',
};

export const device = {
  line: (/** @type {string} */ where, /** @type {string} */ why, /** @type {string} */ seconds) =>
    `Computed on ${where} in ${seconds}${why}.`,
  gpu: (/** @type {string} */ adapter) => `WebGPU (${adapter})`,
  cpu: (/** @type {number} */ threads) => (threads > 1 ? `the CPU (${threads} threads)` : 'the CPU'),
  seconds: (/** @type {number} */ seconds) => (seconds < 10 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds)} s`),
  /** @type {Record<string, string>} */
  why: {
    chosen: ', as chosen in the settings',
    adapter_found: '',
    no_webgpu: ', because this browser has no WebGPU',
    no_adapter: ', because WebGPU found no graphics processor',
    software_adapter: ', because WebGPU has only a software adapter here, which is slower',
  },
};

/** Headlines by error code. @type {Record<string, string>} */
export const errors = {
  not_an_image: 'This is not an image',
  unsupported_image: 'This kind of image cannot be checked',
  image_truncated: 'The image is damaged',
  image_too_large: 'The image is too large',
  image_too_small: 'The image is too small',
  file_too_large: 'The file is too large',
  unreadable_file: 'The file cannot be read',
  no_file: 'There is no image in that',
  weights_missing: 'The model could not be fetched',
  weights_corrupt: 'The model arrived damaged',
  weights_wrong: 'The model does not fit',
  weights_foreign: 'This file holds no autoencoder that is known here',
  storage_full: 'There is not enough space',
  import_refused: 'The site does not give this page the file',
  import_interrupted: 'The download broke off',
  import_gated: 'The site asks to sign in first',
  import_missing: 'There is no such file',
  import_elsewhere: 'Another tab is adding this model',
  import_busy: 'One model at a time',
  import_address: 'This is no address of a file',
  manifest_invalid: 'The model’s description is not valid',
  program_missing: 'The checking program could not be fetched',
  no_webgpu: 'WebGPU is not available',
  device_failed: 'The processor gave up',
  engine_stopped: 'The checking program stopped',
  cancelled: 'Cancelled',
  internal: 'Something went wrong',
};

export const failure = {
  cancelled: 'Nothing was kept or sent.',
  fileTooLarge: (/** @type {number} */ bytes) =>
    `The file has ${megabytes(bytes)} MB; files up to ${megabytes(MAX_FILE_BYTES)} MB can be checked.`,
  fileTooLargeAdvice: 'Use a copy in another format, converted without resizing.',
  unreadable: (/** @type {string} */ name) => `${name} could not be read.`,
  folder: (/** @type {string} */ name) => `${name} is a folder.`,
  unreadableAdvice: 'Choose a single image file.',
  onlyLink: 'Only a link arrived, and this page fetches nothing from elsewhere.',
  onlyLinkAdvice: 'Save the image to your device first, then choose the file.',
  emptyClipboard: 'The clipboard holds no image.',
  emptyClipboardAdvice: 'Copy the image itself, or save it and choose the file.',
  sampleMissing: (/** @type {string} */ name) => `The sample ${name} could not be fetched.`,
  retryAdvice: 'Check your connection and try again.',
  stoppedAdvice: 'Try again. If it stops again, use the CPU or a smaller image.',
  webgpuAdvice: 'Use the CPU instead: slower, with the same result.',
  internalAdvice: 'Try again, or with another image.',
  tryAgain: 'Try again',
  useCpu: 'Check on the CPU',
};

/** The dialog of models. */
export const library = {
  open: 'Models',
  openAdding: (/** @type {number} */ fraction) => `Models (adding, ${Math.floor(fraction * 100)} %)`,
  heading: 'Models',
  close: 'Close',
  lead:
    'A check compares your image with the decoders of these models. The more of them are on this device, the more ' +
    'generators it can name. Your images are never sent to anyone.',
  hereHeading: 'On this device',
  withPage: 'Comes with the page',
  serves: (/** @type {string[]} */ names) => `Used by ${new Intl.ListFormat('en').format(names)}`,
  size: amount,
  calibrated: 'Gives a verdict',
  uncalibrated: 'Gives numbers, and no verdict yet',
  thisVisit: 'Kept until you close this page',
  calibrate: 'Calibrate',
  calibrateNamed: (/** @type {string} */ name) => `Calibrate ${name}`,
  remove: 'Delete',
  removeNamed: (/** @type {string} */ name) => `Delete ${name}`,
  removeSure: 'Really delete',
  keep: 'Keep it',
  unfinished: (/** @type {number} */ bytes) => `Not finished: ${amount(bytes)} have come`,
  goOn: 'Continue',
  goOnNamed: (/** @type {string} */ name) => `Continue adding ${name}`,
  discard: 'Discard',
  discardNamed: (/** @type {string} */ name) => `Discard what has come of ${name}`,
  storage: (/** @type {number} */ used, /** @type {number} */ available) =>
    `This page uses ${amount(used)} of this device; the browser lets it use ${amount(available)} more.`,
  noStorage: 'This browser does not tell how much space there is.',
  addHeading: 'Add a model',
  addLead:
    'A model is downloaded once, from the site that publishes it, made smaller on this device and kept in this ' +
    'browser. That site sees that somebody downloads the file, and nothing else.',
  alike: (/** @type {string[]} */ names) => `So like ${any(names)} that a check cannot tell them apart`,
  origin: (/** @type {string} */ repository, /** @type {string} */ licence) => `From ${repository}, licence: ${licence}`,
  add: (/** @type {number} */ size) => `Add (${size} MB)`,
  addNamed: (/** @type {string} */ name, /** @type {number} */ size) => `Add ${name} (${size} MB)`,
  addPlain: 'Add',
  gatedBefore: 'The publisher asks you to sign in and to agree to terms. Do that at ',
  gatedAfter: (/** @type {string} */ file, /** @type {number} */ size) =>
    `, save the file ${file} (${size} MB), then choose it here.`,
  chooseFile: 'Choose the file',
  chooseFileNamed: (/** @type {string} */ name) => `Choose the file of ${name}`,
  needsProgram: (/** @type {string} */ id) =>
    `Published in a form that this page cannot read; the program packs it: aedr pack --entry ${id}`,
  addressLabel: 'Or from any address of a .safetensors file',
  addressWrong: 'an address begins with https://',
  fileLabel: 'Or from a .safetensors file on this device',
  fromDevice: 'a file of this device',
  adding: (/** @type {string} */ name) => `Adding ${name}`,
  waiting: 'The connection broke. Trying again…',
  cancel: 'Cancel',
  busy: 'another model is being added',
  tryAgain: 'Try again',
  forThisVisit: 'Use it for this visit only',
  /** @type {Record<string, string>} */
  advice: {
    storage_full: 'Free some space, delete a model, or use this one without keeping it.',
    import_refused: 'Try again, or save the file with your browser and choose it here.',
    import_interrupted: 'What has come is kept: try again when the connection is better.',
    import_gated: 'Sign in there, save the file with your browser, then choose it here.',
    import_missing: 'Look for the file on that site, or choose it here if you have it.',
    import_elsewhere: 'Wait until it is done there, or close that tab.',
    weights_corrupt: 'Nothing of it was kept. Try again; if it happens again, the file is not the one it should be.',
    weights_foreign: 'Look for the autoencoder’s own file, often called vae or ae. Nothing of this one was kept.',
  },
};

/** Calibrating a model with one's own images. */
export const calibrating = {
  formLabel: (/** @type {string} */ name) => `Calibrate ${name}`,
  lead:
    'With images of your own the page finds the threshold that this model needs for verdicts: at least 20 that you ' +
    'know were made with it and never edited, and 20 others. The more, the surer. They must be PNG files or others ' +
    'without loss, and they stay on this device.',
  belonging: 'Images made with this model',
  others: 'Other images: photographs, other generators',
  start: 'Calibrate',
  cancel: 'Cancel',
  progress: (/** @type {number} */ number, /** @type {number} */ total) => `Checking image ${number} of ${total}`,
  making: 'Finding the threshold',
  tooFew: (/** @type {number} */ count, /** @type {number} */ fewest) =>
    `${count} images are too few, at least ${fewest} of each kind are needed`,
  lossy: 'it is compressed with loss, which moves the signal; use PNG files as the generator wrote them',
  cancelled: 'Cancelled. Nothing was changed.',
  failed: (/** @type {string | undefined} */ heading) => `${heading ?? 'The calibration could not be made'}.`,
};

export const samples = {
  decoded: 'Painted by the demonstration model',
  photograph: 'Photograph',
  decodedCaption: 'A sample that the demonstration model painted.',
  photographCaption: 'A sample: a photograph.',
  credit: (/** @type {any} */ { title, credit, licence }) => [title, credit, licence].filter(Boolean).join(' · '),
};
