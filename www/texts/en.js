/** English: see `texts.js`. `index.html` names sentences of `page` by `data-text`. */

import { MAX_FILE_BYTES } from '../common/limits.js';

/** @param {number} bytes */
const megabytes = (bytes) => (bytes / 1e6).toFixed(1);
/** @param {number} bytes */
const amount = (bytes) => (bytes < 1e9 ? `${megabytes(bytes)} MB` : `${(bytes / 1e9).toFixed(1)} GB`);

/** Sentences of the fixed page. */
export const page = {
  title: 'Which generator made this image? · aedr',
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
  unconfined:
    'On this host the browser does not enforce that: the policy that comes with the page does not reach the part that ' +
    'checks the image.',
  stageLabel: 'Check an image',
  dropHere: 'Drop an image anywhere on this page, or paste one',
  several: 'Or several at once: they are checked one after another, and shown as a table.',
  choose: 'Choose an image',
  chooseAnother: 'Choose another image',
  formats:
    'PNG, JPEG, WebP, GIF, BMP or TIFF, up to 64 MB. Use the original file if you can: screenshots and copies ' +
    'sent through chat programs lose the traces.',
  noPreview: 'This browser has no preview of this file.',
  answersHeading: 'Four possible answers',
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
  licences: 'Licences of what this page is made of',
  creditsHeading: 'Where the sample images come from',
  dropNow: 'Let go to check this image',
};

export const howSteps = [
  'The image is squeezed through the model’s encoder and painted again by its decoder. Then the copy goes through ' +
    'once more.',
  'Both times we measure how much the image changed.',
  'An image that this decoder had painted before changes about as little the first time as the second. Any other ' +
    'image loses much more the first time.',
  'The mirrored image goes through as well. What a decoder painted fits it better the right way round; any other image ' +
    'fits equally well either way.',
];

/** @type {Record<string, {heading: string, promise: string}>} */
export const outcomes = {
  matches: { heading: 'Consistent', promise: 'The pixels look like pixels that the model’s decoder painted.' },
  does_not_match: {
    heading: 'Not consistent',
    promise: 'Not, as it is now, out of a model that was asked. It does not mean that the image is real.',
  },
  no_trace: {
    heading: 'No trace found',
    promise: 'Nothing speaks for a model that was asked. Whether its images would have shown a trace was not measured.',
  },
  cannot_tell: { heading: 'Cannot tell', promise: 'Too close, too small or too smooth for an honest answer.' },
};

const quoted = new Intl.ListFormat('en', { type: 'disjunction' });
/** @param {string[]} models */
const any = (models) => quoted.format(models.map((name) => `“${name}”`));
/** The most names in a sentence. */
const MOST_NAMES = 4;
/** @param {string[]} models */
const all = (models) => {
  const more = models.length - MOST_NAMES;
  const named = (more > 0 ? models.slice(0, MOST_NAMES) : models).map((name) => `“${name}”`);
  return new Intl.ListFormat('en', { type: 'disjunction' }).format([...named, ...(more > 0 ? [`${more} others`] : [])]);
};

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
  no_trace: (models) =>
    `No trace of the model${models.length > 1 ? `s ${all(models)}` : ` ${any(models)}`} was found in these pixels. That ` +
    `does not rule ${models.length > 1 ? 'them' : 'it'} out: whether ${models.length > 1 ? 'their' : 'its'} images would ` +
    'have shown one was not measured. And other generators exist.',
  /** After those that do not match: of which others no trace was found. */
  besides: (models) =>
    `No trace of ${all(models)} was found either, but whether ${models.length > 1 ? 'their' : 'its'} images would have ` +
    'shown one was not measured.',
  cannot_tell: (models, reason) =>
    `The check ran, but it cannot say whether these pixels came out of the model ${any(models)}: ${reason}.`,
};

/** The line of each model where several were asked. */
export const lines = {
  heading: 'Model by model',
  /** @type {Record<string, string>} */
  outcomes: {
    matches: 'consistent',
    does_not_match: 'not consistent',
    no_trace: 'no trace found',
    cannot_tell: 'cannot tell',
    failed: 'not asked',
  },
  notAsked: (/** @type {string} */ why) => `not asked. ${why}`,
  uncalibrated: 'numbers only',
  serves: (/** @type {string[]} */ names) => `Used by ${new Intl.ListFormat('en').format(names)}`,
  alike: (/** @type {string[]} */ names) =>
    `${new Intl.ListFormat('en').format(names)}: their decoders are so alike that this check cannot tell which`,
  signal: (/** @type {string} */ symbol, /** @type {string} */ signal, /** @type {string | null} */ threshold) =>
    threshold === null ? `${symbol} ${signal}` : `${symbol} ${signal}, threshold ${threshold}`,
  control: (/** @type {string} */ robust, /** @type {string} */ share) => `S ${robust}, as much by chance: ${share}`,
};

/** Said with every result of the model that comes with the page. */
export const demonstration = {
  name: 'aedr’s demonstration model',
  heading: 'A demonstration model',
  text:
    'It was made to show how the check works. No public generator uses it, so this result neither accuses nor ' +
    'clears an image from anywhere else.',
};

const MATCHES_NOT = [
  'That a particular program was used. One decoder serves a whole family of generators.',
  'That the picture is a fake. A photograph that went through the same autoencoder, for example when a tool edited ' +
    'or enlarged it, looks the same to this check; somebody may even do that on purpose, to cast doubt on a real ' +
    'photograph.',
  'That all of it was painted. Edited parts can lie in a real photograph; “Look closer” shows where it fits.',
];

/** Each list goes on from its heading, `result.meansHeading` or `result.meansNotHeading`. */
/** @type {Record<string, {means: string[], meansNot: string[]}>} */
export const meanings = {
  matches: {
    means: [
      'The pixels came out of this decoder, or of one so like it that the check cannot tell them apart: the model can ' +
        'paint them again almost unchanged.',
    ],
    meansNot: MATCHES_NOT,
  },
  /** Where the orientation control decides. */
  matches_by_control: {
    means: [
      'The pixels came out of this decoder, or of one so like it that the check cannot tell them apart: the model paints ' +
        'the image again clearly better the right way round than mirrored. That is so of what it painted itself.',
    ],
    meansNot: MATCHES_NOT,
  },
  does_not_match: {
    means: ['The pixels do not behave like pixels that this decoder painted.'],
    meansNot: [
      'That the image is a photograph. An image from any other generator gets the same answer.',
      'That this model is ruled out for good. Resizing, filters, screenshots and compression hide a match, and somebody ' +
        'may have used them on purpose.',
    ],
  },
  no_trace: {
    means: ['Nothing was found that speaks for this decoder: it paints the image again no better the right way round than mirrored.'],
    meansNot: [
      'That the image is a photograph. An image from any other generator gets the same answer.',
      'That this model is ruled out. Whether its images would have shown a trace was not measured; and resizing, cropping, ' +
        'filters and screenshots remove one.',
    ],
  },
  cannot_tell: {
    means: ['The numbers are correct, but they allow no verdict. A larger or less compressed copy may give one.'],
    meansNot: ['Suspicion, or an all-clear. It is neither.'],
  },
};

export const result = {
  meaningSummary: 'What this means, and what it does not',
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
  noThreshold: 'not calibrated',
  pasted:
    'The image came through the clipboard. Some programs resize or convert images on the way; the original file ' +
    'gives a surer answer.',
};

/** How usual an image's signal is. */
export const evidence = {
  /** @param {number} own @param {number} owns @param {number} other @param {number} others @param {string} measured */
  line: (own, owns, other, others, measured) =>
    `Of ${owns} images that are known to come out of this model, ${have(own)} a signal as high; of ${others} other ` +
    `images, ${have(other)} one as low (${measured}).`,
  /**
   * What images a signal was compared with.
   * @param {{searched: boolean, resized: boolean, compression: string | null}} condition
   */
  measured: ({ searched, resized, compression }) => {
    if (!searched) {
      return compression
        ? `measured on images compressed like this one, ${compression}`
        : 'measured on images as they were made';
    }
    const through = `${resized ? 'resized' : 'cut'}${compression ? `, compressed (${compression})` : ''}`;
    return `measured on images that were ${through} and searched in the same way`;
  },
};

const have = (/** @type {number} */ count) => (count === 0 ? 'none has' : count === 1 ? '1 has' : `${count} have`);

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
  signal: ['', 'signal', 'The verdict rests on it, and on S. The smaller, the more it looks like a match.'],
  threshold: [
    'τ',
    'threshold',
    'Signals clearly below it count as a match. Measured on images known to come out of this model.',
  ],
  robust: [
    'S',
    'orientation control',
    'Near 0 if it fits equally well either way; below 0 if it fits best the right way round. After ± stands the standard ' +
      'error.',
  ],
  error: ['±', 'its standard error', ''],
  share: ['p', 'by chance', ''],
};

/** The comparison of an image with itself, mirrored or turned. */
export const control = {
  /**
   * @param {boolean} found Whether anything speaks for the model. @param {string} share @param {string} basis What the
   *   share rests on.
   */
  line: (found, share, basis) =>
    `The model paints the image again ${found ? 'better' : 'no better'} the right way round than mirrored: of images that ` +
    `it did not make, ${share} show as much (${basis}).`,
  basis: (/** @type {number} */ photographs) =>
    photographs > 0 ? `measured on ${photographs} photographs` : 'assumed, since no photographs were measured for this model',
  decides: 'The answer rests on this.',
  decidesAgainst: 'Nearly all images of the model that were measured show more. The answer rests on this.',
  percent: (/** @type {string} */ number) => `${number} %`,
  less: (/** @type {string} */ share) => `less than ${share}`,
  unknown: 'not known',
  compared: (/** @type {string[]} */ orientations) =>
    `The image was compared with itself ${new Intl.ListFormat('en').format(orientations.map((name) => turned[name] ?? name))}.`,
  restsOn: (/** @type {number} */ photographs) =>
    'Of images that this model did not make, so many show as much. ' +
    (photographs > 0
      ? `That was measured on ${photographs} photographs.`
      : 'That is assumed, since no photographs were measured for this model.'),
  /**
   * @param {'present' | 'absent'} trace @param {[width: number, height: number]} size @param {[left: number, top: number]} at
   * @param {number} others How many parts there are besides.
   */
  part: (trace, [width, height], [left, top], others) =>
    `A part of ${width} × ${height} pixels, ${left} from the left and ${top} from the top, ` +
    (trace === 'present' ? 'shows the model’s trace, and the rest does not.' : 'lacks the trace that the rest shows.') +
    (others === 0 ? '' : others === 1 ? ' There is another such part.' : ` There are ${others} more such parts.`),
  tooSmall: 'The image is too small to say how many other images show as much.',
  heading: 'What the orientation control is',
  explanation: [
    'What a decoder paints fits that decoder better the right way round than mirrored.',
    'A photograph, or an image from elsewhere, fits it equally well either way.',
    'So each image is its own comparison, and no image of the generator is needed.',
    'It cannot find what was resized or cropped since, and it cannot tell an image that was generated from one that passed ' +
      'through the same autoencoder for another reason.',
  ],
};

/** What was done to the image before it was compared with itself. @type {Record<string, string>} */
const turned = {
  mirrored: 'mirrored',
  flipped: 'upside down',
  half_turn: 'turned by 180°',
  quarter_turn: 'turned by 90°',
  three_quarter_turn: 'turned by 270°',
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

/** What comes with the file and not from its pixels. */
export const origin = {
  heading: 'What travels with the file',
  hint:
    'Whoever made the file, changed it or passed it on may have put something into it. The answer above looks at the ' +
    'pixels alone and uses none of this.',
};

/** Content Credentials: what a file says, signed, about how it was made. */
export const credentials = {
  heading: 'Content Credentials',
  looking: 'Looking for Content Credentials…',
  fetching: (/** @type {string} */ amount) =>
    `This file has Content Credentials. Fetching the program that reads them, once: ${amount}.`,
  reading: 'This file has Content Credentials. Reading them…',
  none:
    'This file has no Content Credentials, which would say, signed, how it was made. That is common: few programs ' +
    'write them, and most sites and messengers remove them. It is no sign in either direction.',
  /** How they stand: a few words, and what that means. @type {Record<string, {heading: string, text: string}>} */
  states: {
    intact: {
      heading: 'Nothing was changed after signing.',
      text: 'The file and its credentials are as they were when they were signed.',
    },
    changed: {
      heading: 'The file was changed after it was signed.',
      text:
        'It is not what the credentials were written for, so they may not hold for it. Many programs change a file ' +
        'when they save it, without any bad intent.',
    },
    altered: {
      heading: 'The credentials were changed after they were signed.',
      text: 'Nothing that they say can be relied on.',
    },
    history: {
      heading: 'The file is unchanged, but its recorded history does not hold.',
      text: 'Something that it was made from does not fit what was signed.',
    },
    faulty: {
      heading: 'The signature or the credentials break the rules.',
      text: 'Nothing that they say can be relied on.',
    },
    unreadable: {
      heading: 'The credentials cannot be read.',
      text: 'The file has some, but they are damaged, or of a kind that this page does not know.',
    },
    not_checked: {
      heading: 'The credentials were not read.',
      text: 'What reads them could not be fetched. Check your connection, then check the image again.',
    },
  },
  remoteHeading: 'The credentials are kept elsewhere.',
  remote: (/** @type {string} */ host) =>
    `The file says that they are at ${host}. This page asks no other site about your image, so they are not fetched ` +
    'and cannot be checked here.',
  generated: {
    whole: 'They say that an AI model made this image.',
    part: 'They say that an AI model made a part of this image.',
    hint: 'That is the word of whoever signed them. The answer above comes from the pixels, whatever is said here.',
  },
  signer: 'Signed by',
  nobody: 'The certificate names nobody',
  signerHint:
    'This page does not know who that is and cannot vouch for the signer. Anyone can have a certificate made in any ' +
    'name.',
  time: 'Signed on',
  noTime: 'No time was confirmed',
  timeHint: 'A time service confirmed it, which this page does not know either.',
  program: 'Written by the program',
  title: 'Title of the image',
  actionsHeading: 'What was done, as the signer tells it',
  ingredientsHeading: 'What it was made from, as the signer tells it',
  more: (/** @type {number} */ count) => `and ${count} more`,
  untitled: 'Without a title',
  agent: (/** @type {string} */ name) => `with ${name}`,
  signedBy: (/** @type {string} */ name) => `signed by ${name}`,
  checked:
    'What was checked: whether anything was changed after it was signed. What cannot be checked: whether the signer ' +
    'told the truth.',
  experts: 'Everything the credentials say, for experts',
  expertsLabel: 'The credentials as JSON',
  cut: '… and more, which is not shown.',
  /** What was done, by the specification's names. @type {Record<string, string>} */
  actions: {
    'c2pa.addedText': 'Text was added',
    'c2pa.adjustedColor': 'Colours were adjusted',
    'c2pa.changedSpeed': 'The speed was changed',
    'c2pa.color_adjustments': 'Colours were adjusted',
    'c2pa.converted': 'Converted to another format',
    'c2pa.created': 'Created',
    'c2pa.cropped': 'Cropped',
    'c2pa.deleted': 'Something was deleted',
    'c2pa.drawing': 'Something was drawn',
    'c2pa.dubbed': 'The sound was changed',
    'c2pa.edited': 'Edited',
    'c2pa.edited.metadata': 'Notes about it were edited',
    'c2pa.enhanced': 'Enhanced',
    'c2pa.filtered': 'A filter was applied',
    'c2pa.opened': 'An earlier file was opened',
    'c2pa.orientation': 'Turned or mirrored',
    'c2pa.placed': 'Another picture was put in',
    'c2pa.published': 'Published',
    'c2pa.redacted': 'Something that was said was taken out',
    'c2pa.removed': 'Something that had been put in was taken out',
    'c2pa.repackaged': 'Repacked without change',
    'c2pa.resized': 'Resized',
    'c2pa.resized.proportional': 'Resized',
    'c2pa.transcoded': 'Compressed or encoded anew',
    'c2pa.translated': 'Translated',
    'c2pa.trimmed': 'Trimmed',
    'c2pa.unknown': 'Something was done that the program does not know',
    'c2pa.watermarked': 'An invisible mark was put in',
    'c2pa.watermarked.bound': 'An invisible mark was put in',
    'c2pa.watermarked.unbound': 'An invisible mark was put in',
  },
  otherAction: (/** @type {string} */ name) => `Something that this page has no words for: ${name || 'no name'}`,
  /** Where it comes from, by IPTC's names of digital source types. @type {Record<string, string>} */
  sources: {
    trainedAlgorithmicMedia: 'made by an AI model',
    compositeWithTrainedAlgorithmicMedia: 'partly made by an AI model',
    trainedAlgorithmicData: 'data made by an AI model',
    algorithmicMedia: 'made by a program, not by an AI model',
    algorithmicallyEnhanced: 'enhanced by a program',
    compositeSynthetic: 'put together from parts, some of them artificial',
    composite: 'put together from several pictures',
    compositeCapture: 'put together from several photographs',
    digitalCapture: 'taken with a camera',
    computationalCapture: 'taken with a camera that computes a picture from several',
    negativeFilm: 'scanned from a film negative',
    positiveFilm: 'scanned from a slide',
    print: 'scanned from paper',
    minorHumanEdits: 'slightly edited by a person',
    humanEdits: 'edited by a person',
    digitalArt: 'made by a person with a program',
    digitalCreation: 'made by a person with a program',
    softwareImage: 'made with a program',
    dataDrivenMedia: 'drawn by a program from data',
    screenCapture: 'a screenshot',
    virtualRecording: 'recorded in a virtual world',
    empty: 'begun as an empty picture',
  },
  otherSource: (/** @type {string} */ name) => `source: ${name}`,
  /** What an ingredient is to the file. @type {Record<string, string>} */
  relations: {
    parentOf: 'the file it began as',
    componentOf: 'put into it',
    inputTo: 'used to make it, as a prompt or a pattern',
    other: 'used for it',
  },
  /** @type {Record<string, string>} */
  ingredientStates: {
    intact: 'its own credentials hold',
    faulty: 'its own credentials do not hold',
    none: 'without credentials of its own',
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
  waiting: 'Waiting until the image before is done',
  link: 'Fetching the image from the site that holds it',
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
  encode_oriented: 'For comparison, mirrored or turned: taking the image apart',
  decode_oriented: 'For comparison, mirrored or turned: painting it again',
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
  link_address: 'This is no link to an image',
  link_refused: 'The site does not give this page the image',
  link_interrupted: 'The connection broke off',
  link_missing: 'There is no image at this link',
  link_gated: 'The site asks to sign in first',
  link_denied: 'The site does not give this page the image',
  link_failed: 'The site does not answer as it should',
  link_page: 'This link leads to a page, not to an image',
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
  integrity_failed: 'A file is not as it should be',
  bad_options: 'The check is not set up as it should be',
  unknown_model: 'This model is not known here',
  closed: 'The check was ended',
  no_webgpu: 'WebGPU is not available',
  device_failed: 'The processor gave up',
  engine_stopped: 'The checking program stopped',
  bad_message: 'The frame was asked for something it does not know',
  unsupported_version: 'The frame and the page around it are of different versions',
  frame_busy: 'The frame has enough to do',
  frame_flooded: 'The frame was asked too much at once',
  frame_replaced: 'The frame has another connection',
  frame_taken: 'The reader uses the frame',
  frame_silent: 'The frame does not answer',
  frame_sandboxed: 'The frame is not allowed to run',
  frame_reloaded: 'The frame was loaded anew',
  frame_broken: 'The frame does not answer as it should',
  cancelled: 'Cancelled',
  internal: 'Something went wrong',
};

export const failure = {
  cancelled: 'Nothing was kept or sent.',
  fileTooLarge: (/** @type {number} */ bytes) =>
    `The file has ${megabytes(bytes)} MB; files up to ${megabytes(MAX_FILE_BYTES)} MB can be checked.`,
  fileTooLargeAdvice: 'Use a copy in another format, converted without resizing.',
  unreadable: (/** @type {string} */ name) => `${name} could not be read.`,
  unreadableAdvice: 'Choose a single image file.',
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

/** How to go on where a site does not give the image to this page. */
const SAVE_FIRST =
  'Save the image to this device, then choose the file here. On a computer: click the image with the right mouse ' +
  'button and choose “Save image as”. On a phone or tablet: hold your finger on the image and choose “Save” or ' +
  '“Download”.';

/** How images come in. */
export const intake = {
  linkLabel: 'Or paste an image’s link',
  linkFetch: 'Fetch and check',
  linkHint:
    'When you press the button, the site that holds the image sees that somebody fetches it through this page, and ' +
    'from which internet address, as with any visit. It learns nothing of what the check finds.',
  linkArrived: 'Only a link arrived, not the image itself. Press the button if this page should fetch it.',
  linkWrong: 'an image’s link begins with https://',
  linkInsecure: 'this link is not encrypted: it begins with http:// and not with https://',
  linkTooLarge: (/** @type {string} */ site) => `${site} sends more than an image file may have here`,
  /** By what went wrong. @type {Record<string, {message: (site: string, status: number) => string, advice: string}>} */
  linkProblems: {
    offline: {
      message: () => 'This device is not connected to the internet.',
      advice: 'Check your connection and try again, or choose a file of this device.',
    },
    refused: {
      message: (site) => `${site} cannot be reached, or does not let other pages read its images.`,
      advice: SAVE_FIRST,
    },
    interrupted: {
      message: (site) => `${site} sent nothing more.`,
      advice: 'Try again. If it happens again, save the image to this device and choose the file here.',
    },
    missing: {
      message: (site, status) => `${site} has nothing at this link (${status}).`,
      advice: 'Look whether the link is complete, or open it in another tab.',
    },
    gated: {
      message: (site, status) => `${site} gives this image only to people who signed in there (${status}).`,
      advice: SAVE_FIRST,
    },
    denied: {
      message: (site, status) => `${site} does not give this image to everybody who asks (${status}).`,
      advice: SAVE_FIRST,
    },
    failed: {
      message: (site, status) => `${site} answered with an error (${status}).`,
      advice: SAVE_FIRST,
    },
    page: {
      message: (site) => `${site} gave a web page. The image on it has a link of its own.`,
      advice: SAVE_FIRST,
    },
  },
  dataWrong: 'this link should hold an image itself, but it cannot be read',
  dataName: 'image-from-a-link',
  saveAdvice: SAVE_FIRST,
  nothingDropped: 'What you dropped holds neither an image nor a link to one.',
  looking: 'Looking for images in the folder',
  emptyFolder: (/** @type {string} */ name) => `No image was found in “${name}”.`,
  emptyFolderAdvice:
    'In folders images are recognised by how their names end, such as “.png” or “.jpg”. Or choose the files themselves.',
  noTable: 'The table for several images could not be fetched.',
  asShown:
    'The image came from another page: it is the copy that this page showed. Sites often show smaller or more ' +
    'compressed copies; the original file gives a surer answer.',
  fromLink:
    'The image is the copy that the site sent. Sites often make images smaller or compress them; the original file ' +
    'gives a surer answer.',
  convertedHeic:
    'The file is called HEIC, but it holds a JPEG: your device or browser converted it on the way. The pixels are no ' +
    'longer those of the original.',
  convertedPhone:
    'iPhones and iPads often hand a page a JPEG that they make from the photograph, with other pixels than the ' +
    'original. If this one was kept as HEIC, what was checked is such a copy.',
};

/** The table of several images. */
export const table = {
  heading: 'Your images',
  columns: {
    name: 'Image',
    outcome: 'Result',
    model: 'Consistent with',
    signal: 'Signal',
    threshold: 'Threshold',
    share: 'By chance',
    size: 'Pixels',
  },
  /** @type {Record<string, string>} */
  states: { waiting: 'Waiting', checking: 'Checking', cancelled: 'Cancelled' },
  progress: 'How many images are checked',
  progressNamed: (/** @type {string} */ name) => `Check of ${name}`,
  checked: (/** @type {number} */ done, /** @type {number} */ total) => `${done} of ${total} checked`,
  summary: (/** @type {number} */ total, /** @type {string[]} */ kinds) =>
    `${total === 1 ? '1 image' : `${total} images`}: ${kinds.join(', ')}`,
  count: (/** @type {string} */ kind, /** @type {number} */ count) => `${count} ${kinds[kind]}`,
  full: (/** @type {number} */ most) =>
    `At most ${most} images are checked at a time. The others were left out: check them after these.`,
  cancelAll: 'Cancel all',
  againFailed: (/** @type {number} */ count) => `Check again what failed (${count})`,
  againCancelled: (/** @type {number} */ count) => `Check what was cancelled (${count})`,
  saveCsv: 'Save as a spreadsheet (CSV)',
  saveJson: 'Save all reports (JSON)',
  fileName: 'aedr-images',
  removeNamed: (/** @type {string} */ name) => `Remove ${name}`,
  removeAll: 'Remove all',
  removeSure: (/** @type {number} */ count) =>
    `Really remove ${count === 1 ? '1 image' : `${count} images`} and what was found`,
  keep: 'Keep them',
  pager: 'Your images',
  back: 'Back to the table',
  previous: 'Previous',
  next: 'Next',
  position: (/** @type {number} */ number, /** @type {number} */ total) => `Image ${number} of ${total}`,
};

/** @type {Record<string, string>} */
const kinds = {
  matches: 'consistent',
  does_not_match: 'not consistent',
  no_trace: 'without a trace',
  cannot_tell: 'cannot tell',
  failed: 'failed',
  cancelled: 'cancelled',
};

/** The dialog of models. */
export const models = {
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
  calibrated: 'Can find a match, and rule one out',
  uncalibrated: 'Can find a match, but not rule one out',
  /** Calibrated without images of the model. */
  fromPhotographs: (/** @type {number} */ count) =>
    `Can find a match, but not rule one out: calibrated from ${count} photographs`,
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
  partOf: (/** @type {number} */ bytes) => `the autoencoder alone, of a file of ${amount(bytes)}`,
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
export const calibration = {
  formLabel: (/** @type {string} */ name) => `Calibrate ${name}`,
  lead:
    'With at least 20 photographs of about the same size the page measures how often chance shows as much as a match: ' +
    '“consistent” then rests on that, and no longer on an assumption. They may be JPEG files.',
  leadBelonging:
    'With images of the model as well, at least 20 that you know were made with it and never edited, it also finds the ' +
    'threshold by which it can rule the model out. Then all files must be PNG or others without loss. To match an image ' +
    'by the threshold, 99 other images are needed, and 100 more for each further model that is asked.',
  stay: 'All of them stay on this device.',
  belonging: 'Images made with this model, if you have some',
  others: 'Other images: photographs, other generators',
  start: 'Calibrate',
  cancel: 'Cancel',
  progress: (/** @type {number} */ number, /** @type {number} */ total) => `Checking image ${number} of ${total}`,
  making: 'Working out the calibration',
  tooFew: (/** @type {number} */ count, /** @type {number} */ fewest) =>
    `${count} images are too few, at least ${fewest} of each kind are needed`,
  lossy: 'it is compressed with loss, which moves the signal; use PNG files as the generator wrote them',
  cancelled: 'Cancelled. Nothing was changed.',
  done: (/** @type {number} */ belonging, /** @type {number} */ others) =>
    `Calibrated with ${belonging} images of this model and ${others} others.`,
  doneFromPhotographs: (/** @type {number} */ count) =>
    `Calibrated on this device, from ${count} photographs. Verdicts rest on the orientation control: the model can be ` +
    'found, but not ruled out.',
  leftOut: (/** @type {string[]} */ files, /** @type {number} */ more) =>
    `Left out: ${[...files, ...(more > 0 ? [`${more} more`] : [])].join('; ')}.`,
  failed: (/** @type {string | undefined} */ heading) => `${heading ?? 'The calibration could not be made'}.`,
};

export const samples = {
  decoded: 'Painted by the demonstration model',
  photograph: 'Photograph',
  decodedCaption: 'A sample that the demonstration model painted.',
  photographCaption: 'A sample: a photograph.',
  title: (/** @type {any} */ { title }) => title,
  credit: (/** @type {any} */ { title, credit, licence }) => [title, credit, licence].filter(Boolean).join(' · '),
};

/** Where an image's signal lies. */
export const plot = {
  label: (/** @type {string} */ signal, /** @type {string} */ threshold, /** @type {string} */ standing) =>
    `Signal ${signal} beside the threshold ${threshold}, among measured images: ${standing}`,
  match: 'consistent',
  unsure: 'unsure',
  none: 'not consistent',
  here: (/** @type {string} */ signal) => `this image: ${signal}`,
  threshold: (/** @type {string} */ threshold) => `threshold ${threshold}`,
  belonging: 'Images known to come out of this model',
  others: 'Other images',
};

/** The closer look. */
export const evidenceMap = {
  heading: 'Look closer',
  lead:
    'Lay over your image what the model made of it. Parts that were pasted in or painted over often behave otherwise ' +
    'than what surrounds them. This is for looking; the answer above does not rest on its colours.',
  imageAlt: 'The image that was checked',
  viewLabel: 'Image with a layer over it. Plus and minus zoom, arrow keys scroll.',
  layersLegend: 'Lay over the image',
  /** @type {Record<string, string>} */
  layers: {
    first: 'First copy',
    second: 'Second copy',
    first_error: 'Change, first time',
    second_error: 'Change, second time',
    ratio: 'Where it fits',
    control: 'Its trace',
  },
  /** @type {Record<string, string>} */
  explanations: {
    first: 'The image after it was taken apart and painted again once.',
    second: 'The first copy after it went through once more.',
    first_error: 'How much each part changed the first time. Bright parts changed most.',
    second_error: 'How much each part changed the second time, in the same colours as the first.',
    ratio:
      'The first change compared with the second. Teal parts changed about as much both times, as pixels that this ' +
      'model painted do. Red parts changed far more the first time. Grey parts are too flat to say anything.',
    control:
      'Teal: this part looks as this model’s decoder makes it, for it comes back better the right way round than mirrored. ' +
      'Pale and red parts say nothing. A small area alone proves nothing: of all parts, only those in a frame have ' +
      'passed a test.',
  },
  /** What the parts in frames show. @type {Record<'present' | 'absent', string>} */
  framed: {
    present: 'In the frame: the model’s trace, more of it than chance explains.',
    absent: 'In the frame: none of the trace that the rest shows.',
  },
  sliderName: 'Line',
  slider: (/** @type {string} */ layer) => `How much of the image “${layer}” covers`,
  covered: (/** @type {number} */ share) => `${share} % covered`,
  zoom: 'Zoom',
  zoomIn: 'Zoom in',
  zoomOut: 'Zoom out',
  fit: 'Fit',
  zoomed: (/** @type {number} */ factor) => `${100 * factor} %`,
  model: 'Model',
  /** @type {Record<string, (value: string) => string>} */
  scaleLow: { error: (value) => value, ratio: (value) => `${value} and less: fits`, control: (value) => `${value} and less: its trace` },
  scaleCentre: (/** @type {string} */ value) => value,
  /** @type {Record<string, (value: string) => string>} */
  scaleHigh: {
    error: (value) => `${value} of 255 levels`,
    ratio: (value) => `${value} and more: does not fit`,
    control: (value) => `${value} and more: better mirrored`,
  },
  flat: 'too flat to tell',
  /** @type {Record<string, (value: string) => string>} */
  value: {
    error: (value) => `changed by ${value} levels`,
    ratio: (value) => `ratio ${value}`,
    control: (value) => `S ${value}`,
  },
  readout: (/** @type {number} */ x, /** @type {number} */ y, /** @type {string} */ text, /** @type {number} */ cell) =>
    `${x}, ${y}: ${text} (${cell} × ${cell} pixels)`,
  told: (/** @type {number} */ below, /** @type {number} */ flat) =>
    `${Math.round(100 * below)} % of the parts that say something fit the model` +
    (flat >= 0.005 ? `; ${Math.round(100 * flat)} % of the image is too flat to say anything.` : '.'),
  toldTrace: (/** @type {number} */ share) => `${Math.round(100 * share)} % of the image is clearly teal.`,
  allFlat: 'The whole image is too flat to say anything part by part.',
  missing: 'The closer look could not be fetched. Check your connection and check the image again.',
  givenUp: 'The pictures of this check were given up, to spare memory.',
  again: 'Check again and look closer',
  tooLarge: 'Images of more than 4 megapixels are checked without this closer look, to spare memory.',
};

/**
 * What the module remarks about an image and why it gives no verdict, by code, where it is to be said in other words than
 * the module's, which are English.
 * @type {Record<string, (values: Record<string, any>) => string>}
 */
export const remarks = {};

/**
 * What the module says is wrong, and what to do, by code; likewise.
 * @type {Record<string, {message: (details: Record<string, any>) => string, advice: string}>}
 */
export const problems = {};

/** Keeping the page on this device, newer versions of it, and what other programs give it. */
export const offline = {
  keep: (/** @type {number} */ bytes) => `Keep for offline use (${amount(bytes)})`,
  keepHint: 'Then this page opens and checks images without a connection.',
  keeping: 'Keeping this page for offline use',
  keepingSoFar: (/** @type {number} */ loaded, /** @type {number} */ total) =>
    `${megabytes(loaded)} of ${megabytes(total)} MB`,
  stop: 'Stop',
  kept: 'Ready to work offline',
  failed: 'Not everything arrived. What did is kept. Please check the connection, then try again.',
  full: 'There is not enough space on this device to keep everything. The page works as before while it is connected.',
  install: 'Install as an app',
  renewed: 'A new version of this page is ready.',
  renewedMore: 'To use it, the page loads again. Images that are here are then checked once more.',
  renew: 'Use it now',
  later: 'Later',
  busy: 'Something is still under way.',
  busyMore: 'An image is being checked, or a model is being added. That would stop and have to be started again.',
  losing: 'Your images cannot be kept while the page loads again.',
  losingMore: 'The new version starts without them, and you would have to choose them again.',
  renewAnyway: 'Use it anyway',
  openElsewhere: 'This page is also open in another tab or window.',
  openElsewhereMore: 'It still uses the old version there. Please close it there, then try again.',
  sharedAsk: (/** @type {number} */ count, /** @type {string | null} */ site) => {
    const images = count === 1 ? 'an image' : `${count} images`;
    if (site !== null) return `${site} sent this page ${images}.`;
    return `${count === 1 ? 'An image was' : `${count} images were`} shared with this page.`;
  },
  sharedBySite: 'You may not have asked for that. Nothing is checked unless you want it.',
  sharedUnknown: 'If it was not you who shared it, discard it: websites can do so, too.',
  sharedCheck: 'Check',
  sharedDiscard: 'Discard',
  nothingShared: 'The image that you shared did not arrive.',
  nothingSharedAdvice: 'Please save it on this device, then choose it here.',
  notOpened: 'A file could not be opened.',
  notOpenedAdvice: 'It may have been moved or deleted. Please choose it here.',
  close: 'Close',
};

/** What a person can take away, and what it takes to repeat the check. */
export const exports = {
  missing:
    'The part of the page that saves the result could not be loaded. Please check the connection and load the page ' +
    'again.',
  heading: 'Take the report with you',
  lead: 'All of this is made on this device. Nothing is sent anywhere.',
  json: 'Save the report',
  jsonHint:
    'A JSON file with every number, and with what it takes to repeat the check. With this file and the image anybody ' +
    'can do so with the aedr program:',
  print: 'Print, or save as PDF',
  printHint: 'One or two plain pages, without buttons.',
  picture: 'Save as a picture',
  pictureHint: 'A PNG file to show to others.',
  include: 'Include the image in the picture',
  making: 'Making the picture…',
  saved: (/** @type {string} */ name) => `Made: ${name}`,
  savedWithout: (/** @type {string} */ name) => `Made: ${name}. The image itself could not be put into it.`,
  failed: (/** @type {string} */ why) => `The picture could not be made. ${why}`,
  failedAdvice: 'Please try again, or print the page instead.',
  repeatHeading: 'To repeat this check',
  file: 'File',
  size: 'Size',
  bytes: (/** @type {string} */ count) => `${count} bytes`,
  hash: 'Fingerprint of the file (sha256)',
  time: 'Checked',
  program: 'Program',
  version: (/** @type {string} */ version, /** @type {string} */ platform) => `aedr ${version} (${platform})`,
  device: 'Computed on',
  settings: 'Settings',
  deep: 'with a deeper look',
  notDeep: 'without a deeper look',
  turned: 'the image turned as its file asks',
  notTurned: 'the image as it is stored',
  tableLabel: 'All numbers, model by model',
  model: 'Model',
  answer: 'Answer',
  signal: 'signal',
  weights: (/** @type {string} */ precision) => `Weights (${precision}):`,
  shard: (/** @type {string} */ file, /** @type {string} */ bytes, /** @type {string} */ hash) =>
    `${file}, ${bytes} bytes, sha256 ${hash}`,
  calibration: (/** @type {string} */ hash) => `Calibration: sha256 ${hash}`,
  uncalibrated: 'No calibration.',
  printed: 'Made on the device of the person who checked the image. The image was sent nowhere.',
};

/** The picture of the result. */
export const picture = {
  facts: (/** @type {string} */ checked, /** @type {string} */ bytes) => `${checked}, ${bytes} bytes`,
  more: (/** @type {number} */ count) => `${count} more in the report`,
  hash: 'Fingerprint of the image file (sha256)',
  program: (/** @type {string} */ version) => `Checked with aedr ${version}`,
  made:
    'Made on the device of the person who checked the image; the image was sent nowhere. A picture like this can be ' +
    'edited: with the report and the image file anybody can repeat the check.',
};

const WHOLE_WITHOUT_MAP = 'That all of it was painted. Edited parts can lie in a real photograph.';

/** The check as a part of other sites' pages. */
export const embed = {
  privacy: 'The image is checked here, in your browser, and sent nowhere.',
  dropHere: 'Drop an image here, or choose one',
  before: 'The check asks one model: a small demonstration that no public generator uses. It shows how the check works.',
  /** The name of an image and, before it, what can be done with it. */
  labelled: (/** @type {string} */ label, /** @type {string} */ name) => `${label}: ${name}`,
  asked: (/** @type {string[]} */ names) =>
    `${names.length > 1 ? 'The models' : 'The model'} that ${names.length > 1 ? 'were' : 'was'} asked: ` +
    `${new Intl.ListFormat('en').format(names)}.`,
  onlyFirst: (/** @type {number} */ count) => `${count} files came at once. Only the first was checked.`,
  signed:
    'The file has Content Credentials, or names a place that keeps them: they say, signed, how it was made. They are ' +
    'not read here. Programs that check Content Credentials can read them in the original file.',
  noImage: 'The page names no image to check',
  noImageAdvice: 'Choose an image file of your own, or tell those who run this site.',
  /** There is no closer look here. @type {typeof meanings} */
  meanings: {
    ...meanings,
    matches: {
      ...meanings.matches,
      meansNot: [
        ...MATCHES_NOT.slice(0, -1),
        WHOLE_WITHOUT_MAP,
      ],
    },
    matches_by_control: {
      ...meanings.matches_by_control,
      meansNot: [...MATCHES_NOT.slice(0, -1), WHOLE_WITHOUT_MAP],
    },
  },
};

/** The frame in another site's page. */
export const frame = {
  idle: 'You can check an image of your own here. The page around this frame is told neither the image nor the answer.',
  reader:
    'You chose this image yourself. The page around this frame is told neither the image nor the answer, only that a ' +
    'check is running.',
  embedder: 'The page around this frame gave this image, and is told the answer.',
  own: 'Check an image of your own',
  remove: 'Take your image away',
  ownPage: 'Open aedr on a page of its own',
};
