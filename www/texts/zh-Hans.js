/** Simplified Chinese: see `texts.js`. A zero-width space in a heading is where its line may break. */

import { MAX_FILE_BYTES } from '../common/limits.js';

/** @param {number} bytes */
const megabytes = (bytes) => (bytes / 1e6).toFixed(1);
/** @param {number} bytes */
const amount = (bytes) => (bytes < 1e9 ? `${megabytes(bytes)} MB` : `${(bytes / 1e9).toFixed(1)} GB`);

/** Sentences of the fixed page. */
export const page = {
  title: '这张图片出自哪个AI生成器？ · aedr',
  skip: '跳到检查区',
  models: '模型',
  settings: '设置',
  deviceLegend: '用什么计算',
  deviceAuto: '自动',
  deviceWebgpu: '图形处理器（WebGPU）',
  deviceCpu: '中央处理器（CPU）',
  settingsHint: '从下一次检查起生效。结果相同，图形处理器更快。',
  headline: '这张图片\u200b出自\u200b哪个AI\u200b生成器？',
  lead: '许多AI图像生成器的最后一步，是由解码器画出像素。本页判断一张图片是否出自它所认识的解码器。',
  privacy: '您的图片不会离开这台设备。检查就在您的浏览器里进行，图片不会发送到任何地方。',
  unconfined: '不过在这个网站上，浏览器无法强制做到这一点：网页自带的安全策略管不到检查图片的那一部分。',
  stageLabel: '检查图片',
  dropHere: '把图片拖到\u200b本页任意位置，或者\u200b粘贴图片',
  several: '也可以一次放入多张：它们会逐一检查，并以表格列出。',
  choose: '选择图片',
  chooseAnother: '选择另一张图片',
  formats: '支持PNG、JPEG、WebP、GIF、BMP和TIFF，最大64\u00a0MB。请尽量使用原始文件：截图和经聊天软件转发的副本会丢失痕迹。',
  noPreview: '此浏览器无法预览这个文件。',
  answersHeading: '四种可能的结论',
  demonstrationShort:
    '本页自带一个解码器：一个小型演示模型，没有任何公开的生成器使用它。它的结论只用来演示检查的过程。公开生成器的解码器可以在“模型”中添加。',
  working: '正在检查',
  cancel: '取消',
  samplesHeading: '手边没有图片？',
  samplesLead: '请试试下面这些。标签写明了图片的来源，您可以看看结论对不对。',
  howHeading: '检查的原理',
  limitsHeading: '目前还做不到的事',
  demonstrationLong:
    '演示模型是专为本页制作的，没有任何公开的生成器使用它。来自Midjourney、DALL·E、Stable Diffusion、FLUX或其他任何生成器的图片都不会与它相符，照片也一样。',
  limitsLong:
    '缩放、裁剪、滤镜和高强度压缩会改变像素，可能掩盖本来的相符。此外，相符只说明像素从哪里来，并不说明画面内容是真是假。',
  footer: 'aedr · 自由软件，MIT或Apache-2.0许可',
  licences: '本页所用软件的许可证',
  creditsHeading: '示例图片的出处',
  dropNow: '松开即可检查这张图片',
};

export const howSteps = [
  '模型的编码器先把图片压缩，解码器再把它重新画出来。画出的副本随后再这样走一遍。',
  '每一遍，我们都测量图片改变了多少。',
  '如果图片本来就是由这个解码器画出的，第一遍的改变与第二遍差不多一样小。其他图片在第一遍的损失则要大得多。',
  '左右翻转后的图片也走一遍。解码器画出的图片，保持原来的方向时与解码器更吻合；其他图片无论哪个方向都一样。',
];

/** @type {Record<string, {heading: string, promise: string}>} */
export const outcomes = {
  matches: { heading: '相符', promise: '这些像素很像是由该模型的解码器画出的。' },
  does_not_match: {
    heading: '不相符',
    promise: '就图片现在的样子而言，不是出自所比对的模型。这并不代表图片是真实的。',
  },
  no_trace: {
    heading: '未发现痕迹',
    promise: '没有迹象指向所比对的模型。它们的图片是否会留下痕迹，没有测量过。',
  },
  cannot_tell: { heading: '无法判断', promise: '过于接近分界、尺寸太小或画面太平滑，无法如实给出结论。' },
};

const quoted = new Intl.ListFormat('zh-Hans', { type: 'disjunction' });
const listed = new Intl.ListFormat('zh-Hans');

/** What the English lists of models say of generators beside their names. @type {[RegExp, string][]} */
const GENERATORS = [
  [/^fine-tunes of (.+)$/, '$1的微调版本'],
  [/^quick previews of (.+)$/, '$1的快速预览'],
  [/^(.+) from a community mirror$/, '$1（来自社区镜像）'],
  [/, single frames$/, '（单帧）'],
  [/ to (?=\d)/, '至'],
  [/ and (?=\d)/, '与'],
];
/** @param {string[]} generators */
const serving = (generators) => {
  const inChinese = (/** @type {string} */ name) =>
    GENERATORS.reduce((said, [english, chinese]) => said.replace(english, chinese), name);
  return `使用它的有：${listed.format(generators.map(inChinese))}`;
};

/** @param {string[]} models */
const any = (models) => quoted.format(models.map((name) => `“${name}”`));
/** The most names in a sentence. */
const MOST_NAMES = 4;
/** @param {string[]} models */
const all = (models) => {
  const more = models.length - MOST_NAMES;
  const named = (more > 0 ? models.slice(0, MOST_NAMES) : models).map((name) => `“${name}”`);
  return more > 0 ? `${named.join('、')}以及另外${more}个模型` : quoted.format(named);
};

/** About one model, or several. @type {Record<string, (models: string[], reason: string) => string>} */
export const verdicts = {
  matches: (models) =>
    `这些像素与模型${any(models)}相符：它们很可能是由该模型的解码器，或与它共用的解码器画出的。`,
  does_not_match: (models) =>
    (models.length > 1
      ? `就图片现在的样子而言，这些像素与所比对的${models.length}个模型都不相符`
      : `就图片现在的样子而言，这些像素与模型${any(models)}不相符`) +
    '。这并不代表图片是真实的照片：世上还有其他生成器。',
  no_trace: (models) =>
    `在这些像素中没有发现模型${all(models)}的痕迹。这并不能排除${models.length > 1 ? '它们' : '它'}：` +
    `${models.length > 1 ? '它们' : '它'}的图片是否会留下痕迹，没有测量过。世上也还有其他生成器。`,
  /** After those that do not match: of which others no trace was found. */
  besides: (models) =>
    `同样没有发现${all(models)}的痕迹，但${models.length > 1 ? '它们' : '它'}的图片是否会留下痕迹，没有测量过。`,
  cannot_tell: (models, reason) => `检查已经完成，但无法判断这些像素是否出自模型${any(models)}：${reason}。`,
};

/** The line of each model where several were asked. */
export const lines = {
  heading: '逐个模型的结果',
  /** @type {Record<string, string>} */
  outcomes: {
    matches: '相符',
    does_not_match: '不相符',
    no_trace: '未发现痕迹',
    cannot_tell: '无法判断',
    failed: '未能比对',
  },
  notAsked: (/** @type {string} */ why) => `未能比对。${why}`,
  uncalibrated: '仅有数值',
  serves: serving,
  alike: (/** @type {string[]} */ names) => `${listed.format(names)}：它们的解码器极为相似，本检查无法区分是哪一个`,
  signal: (/** @type {string} */ symbol, /** @type {string} */ signal, /** @type {string | null} */ threshold) =>
    threshold === null ? `${symbol} ${signal}` : `${symbol} ${signal}，阈值${threshold}`,
  control: (/** @type {string} */ robust, /** @type {string} */ share) => `S ${robust}，偶然达到的比例：${share}`,
};

/** Said with every result of the model that comes with the page. */
export const demonstration = {
  name: 'aedr的演示模型',
  heading: '演示模型',
  text: '制作这个模型是为了展示检查的过程。没有任何公开的生成器使用它，所以对于其他来源的图片，这个结果既不构成指控，也不能为其澄清。',
};

const MATCHES_NOT = [
  '使用了某个特定的程序。一个解码器会被一整个系列的生成器共用。',
  '画面是伪造的。照片如果经过同一个自编码器，例如被某个工具编辑或放大，在本检查中看起来也是一样；甚至可能有人故意这样做，好让一张真实的照片受到怀疑。',
  '整张图片都是生成的。真实的照片里也可能有经过编辑的部分；“仔细看看”会显示哪些地方相符。',
];

/** Each list goes on from its heading, `result.meansHeading` or `result.meansNotHeading`. */
/** @type {Record<string, {means: string[], meansNot: string[]}>} */
export const meanings = {
  matches: {
    means: [
      '这些像素出自这个解码器，或者出自一个与它相似到本检查无法区分的解码器：该模型可以几乎不变地把它们重新画出来。',
    ],
    meansNot: MATCHES_NOT,
  },
  /** Where the orientation control decides. */
  matches_by_control: {
    means: [
      '这些像素出自这个解码器，或者出自一个与它相似到本检查无法区分的解码器：图片保持原来的方向时，该模型重新画出的结果明显好于左右翻转之后。对它自己画出的像素正是如此。',
    ],
    meansNot: MATCHES_NOT,
  },
  does_not_match: {
    means: ['这些像素的表现，不像是由这个解码器画出的像素。'],
    meansNot: [
      '图片是照片。来自其他任何生成器的图片，得到的结论也是一样。',
      '这个模型从此就被排除了。缩放、滤镜、截图和压缩都会掩盖相符，也可能有人故意这样做。',
    ],
  },
  no_trace: {
    means: ['没有发现指向这个解码器的迹象：图片保持原来的方向时，它重新画出的结果并不比左右翻转之后更好。'],
    meansNot: [
      '图片是照片。来自其他任何生成器的图片，得到的结论也是一样。',
      '这个模型被排除了。它的图片是否会留下痕迹，没有测量过；而缩放、裁剪、滤镜和截图都会抹去痕迹。',
    ],
  },
  cannot_tell: {
    means: ['数值是正确的，但不足以得出结论。换一个更大或压缩更少的副本，或许可以。'],
    meansNot: ['有嫌疑，或者没有问题。两者都不是。'],
  },
};

export const result = {
  meaningSummary: '这意味着什么，又不意味着什么',
  meansHeading: '这意味着',
  meansNotHeading: '这并不意味着',
  numbersHeading: '各项数值',
  checkedPart: (/** @type {any} */ { width, height, format }) => `${format}，${width} × ${height}像素`,
  notesHeading: '值得了解',
  again: '重新检查',
  deeper: '深入检查',
  deeperHint: '深入检查会寻找图片可能被裁剪或缩放过的痕迹，这些改动会掩盖相符。所需时间大约是平常的十倍。',
  noThreshold: '未校准',
  pasted: '这张图片来自剪贴板。有些程序会在途中缩放或转换图片；用原始文件得到的结论更可靠。',
};

/** How usual an image's signal is. */
export const evidence = {
  /** @param {number} own @param {number} owns @param {number} other @param {number} others @param {string} measured */
  line: (own, owns, other, others, measured) =>
    `在${owns}张已知出自该模型的图片中，有${own}张的信号与它一样高或更高；在${others}张其他图片中，` +
    `有${other}张的信号与它一样低或更低（${measured}）。`,
  /**
   * What images a signal was compared with.
   * @param {{searched: boolean, resized: boolean, compression: string | null}} condition
   */
  measured: ({ searched, resized, compression }) => {
    if (!searched) return compression ? `以同样压缩的图片测得，${compression}` : '以未经改动的图片测得';
    const through = `${resized ? '缩放' : '裁剪'}${compression ? `、压缩（${compression}）` : ''}`;
    return `以经过${through}并同样深入检查的图片测得`;
  },
};

/** What a deep scan found. */
export const search = {
  /** @param {any} found */
  found: ({ alignment: { size, left, top }, contrast, tried }) =>
    `查看了${tried}种位置。` +
    (size
      ? `假定图片原本是${size[0]} × ${size[1]}像素时，重建得最好`
      : left === 0 && top === 0
        ? '图片保持原样时，重建得最好'
        : `从距左边${left}像素、距上边${top}像素处开始，重建得最好`) +
    `：在那里，副本的差异是别处的${contrast.toFixed(2)}倍。`,
};

/** Symbol, name and plain explanation of each number. */
export const numbers = {
  first: ['L1', '第一次损失', '图片重新画出一次后，改变了多少。'],
  second: ['L2', '第二次损失', '这个副本再画出一次后，改变了多少。'],
  ratio: ['L1 ÷ L2', '比值', '图片先前若已经过这个解码器，比值接近1；否则更大。'],
  homogeneity: ['H', '同质性', '画面有多平滑：从0（细节繁多）到1（平坦）。平滑的图片容易重现，计算信号时已考虑这一点。'],
  t: ['t', '论文中的信号', '比值 × 同质性。'],
  signal: ['', '信号', '结论以它和S为依据。越小，越像是相符。'],
  threshold: ['τ', '阈值', '信号明显低于它，即为相符。以已知出自该模型的图片测得。'],
  robust: ['S', '方向对照', '两个方向一样吻合时接近0；保持原来的方向最吻合时小于0。±之后是标准误差。'],
  error: ['±', '标准误差', ''],
  share: ['p', '偶然达到的比例', ''],
};

/** The comparison of an image with itself, mirrored or turned. */
export const control = {
  /**
   * @param {boolean} found Whether anything speaks for the model. @param {string} share @param {string} basis What the
   *   share rests on.
   */
  line: (found, share, basis) =>
    `图片保持原来的方向时，该模型重新画出的结果${found ? '好于' : '并不好于'}左右翻转之后：在并非由它画出的图片中，` +
    `有${share}会达到同样的程度（${basis}）。`,
  basis: (/** @type {number} */ photographs) =>
    photographs > 0 ? `以${photographs}张照片测得` : '这是假定的，因为没有用照片测量过这个模型',
  decides: '结论以此为依据。',
  decidesAgainst: '测量过的该模型的图片，几乎都比这更明显。结论以此为依据。',
  percent: (/** @type {string} */ number) => `${number}%`,
  less: (/** @type {string} */ share) => `不到${share}`,
  unknown: '未知',
  compared: (/** @type {string[]} */ orientations) =>
    `图片与${listed.format(orientations.map((name) => turned[name] ?? name))}的自身相比较。`,
  restsOn: (/** @type {number} */ photographs) =>
    '在并非由该模型画出的图片中，有这么多会达到同样的程度。' +
    (photographs > 0 ? `这是以${photographs}张照片测得的。` : '这是假定的，因为没有用照片测量过这个模型。'),
  /**
   * @param {'present' | 'absent'} trace @param {[width: number, height: number]} size @param {[left: number, top: number]} at
   * @param {number} others
   */
  part: (trace, [width, height], [left, top], others) =>
    `距左边${left}像素、距上边${top}像素处，有一块${width} × ${height}像素的区域` +
    (trace === 'present' ? '带有该模型的痕迹，其余部分没有。' : '没有其余部分所带有的痕迹。') +
    (others === 0 ? '' : `这样的区域另外还有${others}块。`),
  tooSmall: '图片太小，无法说明有多少其他图片会达到同样的程度。',
  heading: '什么是方向对照',
  explanation: [
    '解码器画出的图片，保持原来的方向时比左右翻转后与这个解码器更吻合。',
    '照片，或者来自别处的图片，无论哪个方向都一样吻合。',
    '所以图片以自身为对照，不需要生成器的任何图片。',
    '它发现不了后来被缩放或裁剪过的图片，也分不清图片是生成的，还是因为别的原因经过了同一个自编码器。',
  ],
};

/** What was done to the image before it was compared with itself. @type {Record<string, string>} */
const turned = {
  mirrored: '左右翻转',
  flipped: '上下翻转',
  half_turn: '旋转180°',
  quarter_turn: '旋转90°',
  three_quarter_turn: '旋转270°',
};

/** What the file says of its own origin. */
export const claims = {
  heading: '文件自己的说法',
  hint: '这类附注写在文件里。任何人都可以写入、修改或删除，所以它们本身证明不了什么，上面的结论也没有用到它们。',
  none: '文件没有说明自己的来历。这很常见：大多数网站和聊天软件会删除这类附注。这不能说明任何一种可能。',
  /** @type {Record<string, string>} */
  meanings: {
    generated: '文件称自己由生成器制作',
    camera: '文件称自己由相机拍摄',
    program: '文件称自己由某个程序写成',
  },
};

/** What comes with the file and not from its pixels. */
export const origin = {
  heading: '随文件附带的信息',
  hint: '制作、修改或转发这个文件的人，都可能往里面放入信息。上面的结论只看像素，不使用这些信息。',
};

/** Content Credentials: what a file says, signed, about how it was made. */
export const credentials = {
  heading: '内容凭证',
  looking: '正在查找内容凭证……',
  fetching: (/** @type {string} */ amount) => `这个文件带有内容凭证。正在下载读取凭证的程序（仅此一次）：${amount}。`,
  reading: '这个文件带有内容凭证。正在读取……',
  none:
    '这个文件没有内容凭证，也就是带有签名的制作说明。这很常见：写入凭证的程序很少，大多数网站和聊天软件也会删除它。这不能说明任何一种可能。',
  /** How they stand: a few words, and what that means. @type {Record<string, {heading: string, text: string}>} */
  states: {
    intact: { heading: '签名之后没有任何改动。', text: '文件和凭证都与签名时一样。' },
    changed: {
      heading: '文件在签名之后被改动过。',
      text: '它已不是凭证当初所说的那个文件，凭证的内容可能不再适用。许多程序在保存时就会改动文件，并没有恶意。',
    },
    altered: { heading: '凭证在签名之后被改动过。', text: '凭证所说的一切都不可信赖。' },
    history: { heading: '文件没有改动，但其中记录的历史不成立。', text: '制作它所用的某项素材与当初签名的内容不符。' },
    faulty: { heading: '签名或凭证不合规范。', text: '凭证所说的一切都不可信赖。' },
    unreadable: { heading: '无法读取凭证。', text: '文件带有凭证，但凭证已损坏，或者属于本页不认识的类型。' },
    not_checked: { heading: '没有读取凭证。', text: '读取凭证所需的程序未能下载。请检查网络连接，然后重新检查图片。' },
  },
  remoteHeading: '凭证存放在别处。',
  remote: (/** @type {string} */ host) =>
    `文件称凭证存放在${host}。本页不会向其他网站查询您的图片，所以没有取来凭证，也无法在这里查验。`,
  generated: {
    whole: '凭证称这张图片由AI模型制作。',
    part: '凭证称这张图片的一部分由AI模型制作。',
    hint: '这是签名者的说法。无论这里怎么说，上面的结论都只来自像素。',
  },
  signer: '签名者',
  nobody: '证书没有写明是谁',
  signerHint: '本页不认识签名者，也无法为其担保。任何人都可以用任何名字申请到证书。',
  time: '签名时间',
  noTime: '没有经过确认的时间',
  timeHint: '时间由一个时间戳服务确认，本页同样不认识这个服务。',
  program: '写入凭证的程序',
  title: '图片标题',
  actionsHeading: '做过什么（签名者的说法）',
  ingredientsHeading: '用什么制作（签名者的说法）',
  more: (/** @type {number} */ count) => `另有${count}项`,
  untitled: '无标题',
  agent: (/** @type {string} */ name) => `使用${name}`,
  signedBy: (/** @type {string} */ name) => `由${name}签名`,
  checked: '能查验的是：签名之后有没有改动。不能查验的是：签名者说的是不是实话。',
  experts: '凭证的全部内容（供专业人士查看）',
  expertsLabel: '凭证的JSON内容',
  cut: '……其余内容不再显示。',
  /** What was done, by the specification's names. @type {Record<string, string>} */
  actions: {
    'c2pa.addedText': '添加了文字',
    'c2pa.adjustedColor': '调整了颜色',
    'c2pa.changedSpeed': '改变了速度',
    'c2pa.color_adjustments': '调整了颜色',
    'c2pa.converted': '转换为其他格式',
    'c2pa.created': '创建',
    'c2pa.cropped': '裁剪',
    'c2pa.deleted': '删除了一些内容',
    'c2pa.drawing': '画上了一些内容',
    'c2pa.dubbed': '更换了声音',
    'c2pa.edited': '编辑',
    'c2pa.edited.metadata': '编辑了元数据',
    'c2pa.enhanced': '增强',
    'c2pa.filtered': '使用了滤镜',
    'c2pa.opened': '打开了先前的文件',
    'c2pa.orientation': '旋转或翻转',
    'c2pa.placed': '放入了另一张图片',
    'c2pa.published': '发布',
    'c2pa.redacted': '撤去了先前写下的说明',
    'c2pa.removed': '取出了先前放入的内容',
    'c2pa.repackaged': '重新打包，内容未变',
    'c2pa.resized': '缩放',
    'c2pa.resized.proportional': '缩放',
    'c2pa.transcoded': '重新压缩或编码',
    'c2pa.translated': '翻译',
    'c2pa.trimmed': '剪短',
    'c2pa.unknown': '做了程序不认识的操作',
    'c2pa.watermarked': '加入了隐形标记',
    'c2pa.watermarked.bound': '加入了隐形标记',
    'c2pa.watermarked.unbound': '加入了隐形标记',
  },
  otherAction: (/** @type {string} */ name) => `本页没有译名的操作：${name || '没有名称'}`,
  /** Where it comes from, by IPTC's names of digital source types. @type {Record<string, string>} */
  sources: {
    trainedAlgorithmicMedia: '由AI模型制作',
    compositeWithTrainedAlgorithmicMedia: '部分由AI模型制作',
    trainedAlgorithmicData: '由AI模型制作的数据',
    algorithmicMedia: '由程序制作，并非AI模型',
    algorithmicallyEnhanced: '由程序增强',
    compositeSynthetic: '由多个部分合成，其中有人造的内容',
    composite: '由多张图片合成',
    compositeCapture: '由多张照片合成',
    digitalCapture: '由相机拍摄',
    computationalCapture: '由相机拍摄多张后计算合成',
    negativeFilm: '扫描自底片',
    positiveFilm: '扫描自幻灯片',
    print: '扫描自纸张',
    minorHumanEdits: '由人略加编辑',
    humanEdits: '由人编辑',
    digitalArt: '由人用程序制作',
    digitalCreation: '由人用程序制作',
    softwareImage: '用程序制作',
    dataDrivenMedia: '由程序根据数据绘制',
    screenCapture: '屏幕截图',
    virtualRecording: '在虚拟世界中录制',
    empty: '从空白图片开始',
  },
  otherSource: (/** @type {string} */ name) => `来源：${name}`,
  /** What an ingredient is to the file. @type {Record<string, string>} */
  relations: {
    parentOf: '最初的文件',
    componentOf: '放入其中的素材',
    inputTo: '用作制作的输入，如提示词或参考图',
    other: '制作时用到',
  },
  /** @type {Record<string, string>} */
  ingredientStates: {
    intact: '它自己的凭证有效',
    faulty: '它自己的凭证无效',
    none: '它自己没有凭证',
  },
};

/** Symbol and formula of the signals that a verdict can rest on. @type {Record<string, [string, string]>} */
export const signals = {
  weighed: ['s', '比值的同质性次方。'],
  paper: ['t', '比值 × 同质性。'],
  ratio: ['L1 ÷ L2', '仅用比值。'],
};

/** What is being done, by stage. @type {Record<string, string>} */
export const stages = {
  start: '正在开始',
  waiting: '正在等待前一张图片完成',
  link: '正在从存放图片的网站取来图片',
  program: '正在下载检查程序（仅此一次）',
  weights: '正在下载模型（仅此一次）',
  device: '正在准备处理器',
  decode: '正在读取图片',
  search: '正在寻找图片可能被裁剪或缩放过的痕迹',
  encode_first: '第一遍：编码图片',
  decode_first: '第一遍：重新画出图片',
  encode_second: '第二遍：编码副本',
  decode_second: '第二遍：再次画出副本',
  losses: '正在比较三张图片',
  encode_oriented: '对照：编码翻转或旋转后的图片',
  decode_oriented: '对照：重新画出翻转或旋转后的图片',
};

export const progress = {
  model: (/** @type {number} */ number, /** @type {number} */ count, /** @type {string} */ name) =>
    `第${number}个模型，共${count}个：${name}`,
  bytes: (/** @type {number} */ loaded, /** @type {number | null} */ total) =>
    total === null ? `${megabytes(loaded)} MB` : `${megabytes(loaded)} / ${megabytes(total)} MB`,
  percent: (/** @type {number} */ fraction) => `${Math.round(fraction * 100)}%`,
  cancelling: '正在取消',
};

export const device = {
  line: (/** @type {string} */ where, /** @type {string} */ why, /** @type {string} */ seconds) =>
    `计算设备：${where}${why}；用时${seconds}。`,
  gpu: (/** @type {string} */ adapter) => `WebGPU（${adapter}）`,
  cpu: (/** @type {number} */ threads) => (threads > 1 ? `CPU（${threads}个线程）` : 'CPU'),
  seconds: (/** @type {number} */ seconds) => (seconds < 10 ? `${seconds.toFixed(1)}秒` : `${Math.round(seconds)}秒`),
  /** @type {Record<string, string>} */
  why: {
    chosen: '，按设置中的选择',
    adapter_found: '',
    no_webgpu: '，因为此浏览器不支持WebGPU',
    no_adapter: '，因为WebGPU没有找到图形处理器',
    software_adapter: '，因为WebGPU在这里只有更慢的软件适配器',
  },
};

/** Headlines by error code. @type {Record<string, string>} */
export const errors = {
  not_an_image: '这不是图片',
  unsupported_image: '无法检查这种图片',
  image_truncated: '图片已损坏',
  image_too_large: '图片太大',
  image_too_small: '图片太小',
  file_too_large: '文件太大',
  unreadable_file: '无法读取文件',
  no_file: '其中没有图片',
  link_address: '这不是图片的链接',
  link_refused: '网站不向本页提供图片',
  link_interrupted: '连接中断',
  link_missing: '这个链接处没有图片',
  link_gated: '网站要求先登录',
  link_denied: '网站不向本页提供图片',
  link_failed: '网站没有正常应答',
  link_page: '这个链接是网页，不是图片',
  weights_missing: '未能取得模型',
  weights_corrupt: '收到的模型已损坏',
  weights_wrong: '模型不匹配',
  weights_foreign: '文件中没有本页认识的自编码器',
  storage_full: '空间不足',
  import_refused: '网站不向本页提供文件',
  import_interrupted: '下载中断',
  import_gated: '网站要求先登录',
  import_missing: '没有这个文件',
  import_elsewhere: '另一个标签页正在添加这个模型',
  import_busy: '一次只能添加一个模型',
  import_address: '这不是文件的网址',
  manifest_invalid: '模型的说明文件无效',
  program_missing: '未能取得检查程序',
  integrity_failed: '有一个文件与应有的不符',
  bad_options: '检查的设置有误',
  unknown_model: '这里没有这个模型',
  closed: '检查已被结束',
  no_webgpu: 'WebGPU不可用',
  device_failed: '处理器停止工作',
  engine_stopped: '检查程序意外停止',
  bad_message: '嵌入框收到了无法理解的请求',
  unsupported_version: '嵌入框与外面的网页版本不同',
  frame_busy: '嵌入框里等待的检查太多',
  frame_flooded: '嵌入框一下子收到的请求太多',
  frame_replaced: '嵌入框已有另一个连接',
  frame_taken: '读者正在使用嵌入框',
  frame_silent: '嵌入框没有应答',
  frame_sandboxed: '嵌入框不被允许运行',
  frame_reloaded: '嵌入框重新载入了',
  frame_broken: '嵌入框的应答不正常',
  cancelled: '已取消',
  internal: '出了问题',
};

export const failure = {
  cancelled: '没有保存或发送任何内容。',
  fileTooLarge: (/** @type {number} */ bytes) =>
    `文件大小为${megabytes(bytes)} MB；最大可以检查${megabytes(MAX_FILE_BYTES)} MB的文件。`,
  fileTooLargeAdvice: '请使用转换为其他格式的副本，转换时不要缩放。',
  unreadable: (/** @type {string} */ name) => `无法读取${name}。`,
  unreadableAdvice: '请选择单个图片文件。',
  emptyClipboard: '剪贴板里没有图片。',
  emptyClipboardAdvice: '请复制图片本身，或者保存图片后再选择文件。',
  sampleMissing: (/** @type {string} */ name) => `未能取得示例图片${name}。`,
  retryAdvice: '请检查网络连接，然后重试。',
  stoppedAdvice: '请重试。如果再次停止，请改用CPU或较小的图片。',
  webgpuAdvice: '请改用CPU：速度较慢，结果相同。',
  internalAdvice: '请重试，或换一张图片。',
  tryAgain: '重试',
  useCpu: '用CPU检查',
};

/** How to go on where a site does not give the image to this page. */
const SAVE_FIRST =
  '请先把图片保存到这台设备，再在这里选择文件。在电脑上：用鼠标右键点击图片，选择“图片另存为”。在手机或平板上：长按图片，选择“保存”或“下载”。';

/** How images come in. */
export const intake = {
  linkLabel: '或者粘贴图片的链接',
  linkFetch: '取来并检查',
  linkHint:
    '按下按钮后，存放图片的网站会看到有人通过本页取走图片，以及来自哪个网络地址，和平常访问网站一样。检查的结果，网站无从得知。',
  linkArrived: '收到的只是一个链接，不是图片本身。如果要让本页取来图片，请按下按钮。',
  linkWrong: '图片的链接应以https://开头',
  linkInsecure: '这个链接没有加密：它以http://开头，而不是https://',
  linkTooLarge: (/** @type {string} */ site) => `${site}发来的内容超过了本页允许的图片文件大小`,
  /** By what went wrong. @type {Record<string, {message: (site: string, status: number) => string, advice: string}>} */
  linkProblems: {
    offline: {
      message: () => '这台设备没有联网。',
      advice: '请检查网络连接后重试，或者选择这台设备上的文件。',
    },
    refused: {
      message: (site) => `无法连接${site}，或者它不允许其他网页读取图片。`,
      advice: SAVE_FIRST,
    },
    interrupted: {
      message: (site) => `${site}不再发来数据。`,
      advice: '请重试。如果再次发生，请把图片保存到这台设备，再在这里选择文件。',
    },
    missing: {
      message: (site, status) => `${site}在这个链接处没有内容（${status}）。`,
      advice: '请看看链接是否完整，或者在另一个标签页中打开它。',
    },
    gated: {
      message: (site, status) => `${site}只向登录的用户提供这张图片（${status}）。`,
      advice: SAVE_FIRST,
    },
    denied: {
      message: (site, status) => `${site}并不向所有人提供这张图片（${status}）。`,
      advice: SAVE_FIRST,
    },
    failed: {
      message: (site, status) => `${site}返回了错误（${status}）。`,
      advice: SAVE_FIRST,
    },
    page: {
      message: (site) => `${site}给出的是网页。网页上的图片有它自己的链接。`,
      advice: SAVE_FIRST,
    },
  },
  dataWrong: '这个链接本应包含图片，但无法读取',
  dataName: '链接中的图片',
  saveAdvice: SAVE_FIRST,
  nothingDropped: '您拖入的内容里既没有图片，也没有图片的链接。',
  looking: '正在文件夹中寻找图片',
  emptyFolder: (/** @type {string} */ name) => `在“${name}”中没有找到图片。`,
  emptyFolderAdvice: '文件夹中的图片是按文件名的结尾辨认的，例如“.png”或“.jpg”。您也可以直接选择文件。',
  noTable: '未能取得显示多张图片的表格。',
  asShown: '这张图片来自另一个网页，是该网页上显示的副本。网站显示的常常是较小或压缩更多的副本；用原始文件得到的结论更可靠。',
  fromLink: '这张图片是网站发来的副本。网站常常会缩小或压缩图片；用原始文件得到的结论更可靠。',
  convertedHeic: '文件名是HEIC，内容却是JPEG：您的设备或浏览器在途中转换了它。像素已不是原来的像素。',
  convertedPhone:
    'iPhone和iPad交给网页的，常常是由照片转成的JPEG，像素与原件不同。如果这张照片是以HEIC保存的，那么检查的就是这样的副本。',
};

/** The table of several images. */
export const table = {
  heading: '您的图片',
  columns: {
    name: '图片',
    outcome: '结论',
    model: '相符的模型',
    signal: '信号',
    threshold: '阈值',
    share: '偶然达到的比例',
    size: '像素',
  },
  /** @type {Record<string, string>} */
  states: { waiting: '等待中', checking: '正在检查', cancelled: '已取消' },
  progress: '图片检查的进度',
  progressNamed: (/** @type {string} */ name) => `${name}的检查进度`,
  checked: (/** @type {number} */ done, /** @type {number} */ total) => `已检查${done}张，共${total}张`,
  summary: (/** @type {number} */ total, /** @type {string[]} */ kinds) => `${total}张图片：${kinds.join('，')}`,
  count: (/** @type {string} */ kind, /** @type {number} */ count) => `${count}张${kinds[kind]}`,
  full: (/** @type {number} */ most) => `一次最多检查${most}张图片。其余的没有放入：请在这些检查完之后再检查。`,
  cancelAll: '全部取消',
  againFailed: (/** @type {number} */ count) => `重新检查失败的（${count}）`,
  againCancelled: (/** @type {number} */ count) => `检查已取消的（${count}）`,
  saveCsv: '存为电子表格（CSV）',
  saveJson: '保存全部报告（JSON）',
  fileName: 'aedr-图片',
  removeNamed: (/** @type {string} */ name) => `移除${name}`,
  removeAll: '全部移除',
  removeSure: (/** @type {number} */ count) => `确定移除${count}张图片及其检查结果`,
  keep: '保留',
  pager: '您的图片',
  back: '返回表格',
  previous: '上一张',
  next: '下一张',
  position: (/** @type {number} */ number, /** @type {number} */ total) => `第${number}张，共${total}张`,
};

/** @type {Record<string, string>} */
const kinds = {
  matches: '相符',
  does_not_match: '不相符',
  no_trace: '未发现痕迹',
  cannot_tell: '无法判断',
  failed: '失败',
  cancelled: '已取消',
};

/** The dialog of models. */
export const models = {
  open: '模型',
  openAdding: (/** @type {number} */ fraction) => `模型（正在添加，${Math.floor(fraction * 100)}%）`,
  heading: '模型',
  close: '关闭',
  lead: '检查就是把您的图片与这些模型的解码器相比对。这台设备上的模型越多，能指出的生成器就越多。您的图片绝不会发送给任何人。',
  hereHeading: '这台设备上的模型',
  withPage: '本页自带',
  serves: serving,
  size: amount,
  calibrated: '能判定相符，也能排除',
  uncalibrated: '能判定相符，但不能排除',
  /** Calibrated without images of the model. */
  fromPhotographs: (/** @type {number} */ count) => `能判定相符，但不能排除：以${count}张照片校准`,
  thisVisit: '保留到您关闭本页为止',
  calibrate: '校准',
  calibrateNamed: (/** @type {string} */ name) => `校准${name}`,
  remove: '删除',
  removeNamed: (/** @type {string} */ name) => `删除${name}`,
  removeSure: '确定删除',
  keep: '保留',
  unfinished: (/** @type {number} */ bytes) => `尚未完成：已收到${amount(bytes)}`,
  goOn: '继续',
  goOnNamed: (/** @type {string} */ name) => `继续添加${name}`,
  discard: '丢弃',
  discardNamed: (/** @type {string} */ name) => `丢弃${name}已收到的部分`,
  storage: (/** @type {number} */ used, /** @type {number} */ available) =>
    `本页已占用这台设备${amount(used)}的空间；浏览器还允许它使用${amount(available)}。`,
  noStorage: '此浏览器不提供剩余空间的信息。',
  addHeading: '添加模型',
  addLead:
    '模型只需下载一次：从发布它的网站取来，在这台设备上缩小，然后保存在此浏览器中。该网站只会看到有人下载了文件，除此之外一无所知。',
  alike: (/** @type {string[]} */ names) =>
    `与${listed.format(names.map((name) => `“${name}”`))}极为相似，检查无法区分`,
  origin: (/** @type {string} */ repository, /** @type {string} */ licence) =>
    `来自${repository}，许可：${licence === 'unknown' ? '未知' : licence}`,
  add: (/** @type {number} */ size) => `添加（${size} MB）`,
  addNamed: (/** @type {string} */ name, /** @type {number} */ size) => `添加${name}（${size} MB）`,
  addPlain: '添加',
  gatedBefore: '发布者要求您先登录并同意条款。请前往 ',
  gatedAfter: (/** @type {string} */ file, /** @type {number} */ size) =>
    ` 操作，保存文件${file}（${size} MB），然后在这里选择它。`,
  chooseFile: '选择文件',
  chooseFileNamed: (/** @type {string} */ name) => `选择${name}的文件`,
  needsProgram: (/** @type {string} */ id) => `它以本页无法读取的形式发布，可以用程序打包：aedr pack --entry ${id}`,
  addressLabel: '或者填写任意.safetensors文件的网址',
  addressWrong: '网址应以https://开头',
  fileLabel: '或者选择这台设备上的.safetensors文件',
  fromDevice: '这台设备上的文件',
  adding: (/** @type {string} */ name) => `正在添加${name}`,
  waiting: '连接中断，正在重试……',
  partOf: (/** @type {number} */ bytes) => `只取自编码器的部分，整个文件为${amount(bytes)}`,
  cancel: '取消',
  busy: '正在添加另一个模型',
  tryAgain: '重试',
  forThisVisit: '仅在本次访问中使用',
  /** @type {Record<string, string>} */
  advice: {
    storage_full: '请腾出一些空间，或删除一个模型，或者不保存、仅在本次使用。',
    import_refused: '请重试，或者用浏览器保存文件，再在这里选择它。',
    import_interrupted: '已收到的部分会保留：请在网络好转后重试。',
    import_gated: '请在该网站登录，用浏览器保存文件，然后在这里选择它。',
    import_missing: '请在该网站上寻找这个文件；如果您已有这个文件，可以在这里选择它。',
    import_elsewhere: '请等待那边完成，或者关闭那个标签页。',
    weights_corrupt: '没有保留任何部分。请重试；如果再次发生，说明这不是应有的那个文件。',
    weights_foreign: '请寻找自编码器单独的文件，名称中常有vae或ae。这个文件没有保留任何部分。',
  },
};

/** Calibrating a model with one's own images. */
export const calibration = {
  formLabel: (/** @type {string} */ name) => `校准${name}`,
  lead:
    '用至少20张尺寸相近的照片，本页可以测量偶然出现与“相符”同样程度的情况有多少：此后“相符”就以此为依据，不再依靠假定。照片可以是JPEG文件。',
  leadBelonging:
    '如果另外还有至少20张您确知由该模型制作、从未编辑过的图片，本页还能找出用来排除该模型的阈值。这时所有文件须为PNG或其他无损格式。要以阈值判定“相符”，需要99张其他图片；每多比对一个模型，再多100张。',
  stay: '所有图片都不会离开这台设备。',
  belonging: '由该模型制作的图片（如果有）',
  others: '其他图片：照片、其他生成器的图片',
  start: '校准',
  cancel: '取消',
  progress: (/** @type {number} */ number, /** @type {number} */ total) => `正在检查第${number}张图片，共${total}张`,
  making: '正在完成校准',
  tooFew: (/** @type {number} */ count, /** @type {number} */ fewest) => `${count}张图片太少，每一类至少需要${fewest}张`,
  lossy: '图片经过有损压缩，会使信号偏移；请使用生成器直接写出的PNG文件',
  cancelled: '已取消。没有任何改变。',
  done: (/** @type {number} */ belonging, /** @type {number} */ others) =>
    `已用该模型的${belonging}张图片和${others}张其他图片完成校准。`,
  doneFromPhotographs: (/** @type {number} */ count) =>
    `已在这台设备上用${count}张照片完成校准。结论以方向对照为依据：可以判定与该模型相符，但不能排除它。`,
  leftOut: (/** @type {string[]} */ files, /** @type {number} */ more) =>
    `未采用：${[...files, ...(more > 0 ? [`另外${more}个文件`] : [])].join('；')}。`,
  failed: (/** @type {string | undefined} */ heading) => `${heading ?? '校准未能完成'}。`,
};

export const samples = {
  decoded: '由演示模型画出',
  photograph: '照片',
  decodedCaption: '示例：由演示模型画出的图片。',
  photographCaption: '示例：照片。',
  title: (/** @type {any} */ sample) => (known.find(({ file }) => file === sample.file) ?? sample).title,
  credit: (/** @type {any} */ { title, credit, licence }) =>
    [title, credited(credit), licence].filter(Boolean).join(' · '),
};

/** The samples, whose list has English titles. */
const known = [
  { file: 'dandelion-mountain.png', title: '山下的蒲公英' },
  { file: 'pavilion-meadow.png', title: '草地上的亭子' },
  { file: 'dahlia.png', title: '大丽花' },
  { file: 'coffee.jpg', title: '咖啡杯' },
  { file: 'cat.jpg', title: '猫' },
  { file: 'paintbrushes.jpg', title: '画笔' },
];

/** @param {string | undefined} credit */
function credited(credit = '') {
  const [, people] = /^decoded from (?:a photograph|photographs) by (.+)$/.exec(credit) ?? [];
  return people ? `由${people.replaceAll(' and ', '和')}的照片经演示模型画出` : credit;
}

/** Where an image's signal lies. */
export const plot = {
  label: (/** @type {string} */ signal, /** @type {string} */ threshold, /** @type {string} */ standing) =>
    `信号${signal}与阈值${threshold}，在已测图片中的位置：${standing}`,
  match: '相符',
  unsure: '不确定',
  none: '不相符',
  here: (/** @type {string} */ signal) => `这张图片：${signal}`,
  threshold: (/** @type {string} */ threshold) => `阈值${threshold}`,
  belonging: '已知出自该模型的图片',
  others: '其他图片',
};

/** The closer look. */
export const evidenceMap = {
  heading: '仔细看看',
  lead:
    '把模型重新画出的结果叠放在您的图片上。拼贴或涂改过的部分，表现往往与周围不同。这里仅供观察，上面的结论并不以这些颜色为依据。',
  imageAlt: '所检查的图片',
  viewLabel: '叠放了图层的图片。加号和减号缩放，方向键滚动。',
  layersLegend: '叠放在图片上',
  /** @type {Record<string, string>} */
  layers: {
    first: '第一个副本',
    second: '第二个副本',
    first_error: '第一遍的改变',
    second_error: '第二遍的改变',
    ratio: '相符之处',
    control: '痕迹所在',
  },
  /** @type {Record<string, string>} */
  explanations: {
    first: '图片编码并重新画出一次之后的样子。',
    second: '第一个副本再走一遍之后的样子。',
    first_error: '各部分在第一遍改变了多少。越亮，改变越大。',
    second_error: '各部分在第二遍改变了多少，颜色与第一遍的含义相同。',
    ratio:
      '第一遍的改变与第二遍相比。青色部分两遍的改变差不多，就像该模型画出的像素一样。红色部分在第一遍的改变大得多。灰色部分太平坦，说明不了什么。',
    control:
      '青色：这一部分正像该模型的解码器画出的样子，因为保持原来的方向比左右翻转后重新画得更好。' +
      '浅色和红色部分说明不了什么。单独一小块证明不了什么：各部分之中，只有加框的通过了检验。',
  },
  /** What the parts in frames show. @type {Record<'present' | 'absent', string>} */
  framed: {
    present: '框内：带有该模型的痕迹，仅凭偶然无法解释。',
    absent: '框内：没有其余部分所带有的痕迹。',
  },
  sliderName: '分界线',
  slider: (/** @type {string} */ layer) => `“${layer}”覆盖图片的比例`,
  covered: (/** @type {number} */ share) => `覆盖${share}%`,
  zoom: '缩放',
  zoomIn: '放大',
  zoomOut: '缩小',
  fit: '适合窗口',
  zoomed: (/** @type {number} */ factor) => `${100 * factor}%`,
  model: '模型',
  /** @type {Record<string, (value: string) => string>} */
  scaleLow: { error: (value) => value, ratio: (value) => `${value}及以下：相符`, control: (value) => `${value}及以下：有痕迹` },
  scaleCentre: (/** @type {string} */ value) => value,
  /** @type {Record<string, (value: string) => string>} */
  scaleHigh: {
    error: (value) => `${value}级（共255级）`,
    ratio: (value) => `${value}及以上：不相符`,
    control: (value) => `${value}及以上：翻转后更好`,
  },
  flat: '太平坦，无法判断',
  /** @type {Record<string, (value: string) => string>} */
  value: { error: (value) => `改变了${value}级`, ratio: (value) => `比值${value}`, control: (value) => `S ${value}` },
  readout: (/** @type {number} */ x, /** @type {number} */ y, /** @type {string} */ text, /** @type {number} */ cell) =>
    `${x}, ${y}：${text}（${cell} × ${cell}像素）`,
  told: (/** @type {number} */ below, /** @type {number} */ flat) =>
    `在能说明问题的部分中，有${Math.round(100 * below)}%与该模型相符` +
    (flat >= 0.005 ? `；图片有${Math.round(100 * flat)}%太平坦，说明不了什么。` : '。'),
  toldTrace: (/** @type {number} */ share) => `图片有${Math.round(100 * share)}%是明显的青色。`,
  allFlat: '整张图片都太平坦，无法逐部分说明什么。',
  missing: '未能取得“仔细看看”。请检查网络连接，然后重新检查图片。',
  givenUp: '为节省内存，这次检查的图像已经释放。',
  again: '重新检查并仔细看看',
  tooLarge: '为节省内存，超过400万像素的图片检查时不提供“仔细看看”。',
};

/**
 * What the module remarks about an image and why it gives no verdict, by code: `src/report/check.rs`,
 * `src/evidence/ranking.rs` and `src/evidence/verdict.rs`. Notes are whole sentences; reasons stand at the end of one.
 * @type {Record<string, (values: Record<string, any>) => string>}
 */
export const remarks = {
  // Notes.
  cropped: ({ width, height, multiple, whole_width: wholeWidth, whole_height: wholeHeight }) =>
    `图片的边长不是${multiple}的倍数，所以没有计入最右边和最下边的一小条：在${wholeWidth} × ${wholeHeight}像素中，` +
    `检查了${width} × ${height}像素。`,
  orientation_ignored: () => '文件要求旋转后显示；检查的是文件中存储的像素，没有旋转。',
  first_picture: () => '文件里有多张图片（例如动画）；只检查了第一张。',
  depth_reduced: () => '文件的每个颜色通道超过8位；按8位检查，这也是生成器写出的位数。',
  inks_converted: () => '文件的颜色是印刷油墨（CMYK），检查前做了转换，这会改变像素，可能掩盖相符。',
  transparency_ignored: () => '图片有透明的部分；检查的是那里存储的颜色。',
  jpeg: ({ quality }) => `JPEG压缩会改变像素，可能掩盖相符。这个文件的压缩质量为${quality}（最高100）。`,
  lossy: () => '有损压缩会改变像素，可能掩盖相符。',
  few_colours: () => '图片使用调色板，或每个颜色通道不足8位；把颜色归并成这些会改变像素，可能掩盖相符。',
  // Reasons.
  many_models: ({ count }) => `同时比对${count}个模型时，偶然出现这样接近的情况并不少见`,
  too_few_others: ({ have, needed, models }) =>
    `只测量过${have}张不属于该模型的图片；${models > 1 ? `同时比对${models}个模型时，` : ''}需要${needed}张才能判定相符`,
  too_few_belonging: ({ have, needed }) => `只测量过${have}张该模型的图片；需要${needed}张才能排除它`,
  uncalibrated: () => '这个模型没有校准，因此没有阈值',
  too_small: ({ least }) => `较短的一边不足${least}像素，像素太少，无法得出结论`,
  too_flat: () => '画面的纹理太少，无法得出结论',
  unstable: () => '轻微的压缩本不应有影响，却让结论反了过来',
  cut_or_resized: () =>
    '生成器写出的图片边长是8的倍数，这张图片不是，说明它被裁剪或缩放过，这会掩盖相符；可以用“深入检查”来寻找',
  near_threshold: () => '它的信号落在两类图片都有、或者都没有的范围内',
  search_uncalibrated: () => '没有为这个模型测量过深入检查的结果',
  heavy_jpeg: ({ quality, lowest }) => `质量为${quality}的JPEG压缩掩盖得太多；测量过的最低质量是${lowest}`,
  unmeasured_compression: () => '没有用这样压缩的图片测量过这个模型',
  no_trace: () => '没有发现这个模型的痕迹；它的图片是否会留下痕迹，没有测量过',
  weak_trace: () => '有迹象指向这个模型，但偶然出现这种程度的迹象并不少见',
  traced_part: () => '图片的一部分带有这个模型的痕迹，其余部分没有',
  signals_disagree: () => '两项检验互相矛盾：一项指向这个模型，另一项不支持',
};

/** What a file holds that is no image for this page, by the module's words. @type {Record<string, string>} */
const contents = {
  'the file is empty': '文件是空的',
  'it looks like a video': '看起来是视频',
  'its first bytes belong to no known image format': '文件开头不属于任何已知的图片格式',
  'an AVIF image': 'AVIF图片',
  'a HEIC image': 'HEIC图片',
  'a JPEG XL image': 'JPEG XL图片',
  'a JPEG 2000 image': 'JPEG 2000图片',
  "a camera's raw image": '相机的RAW图片',
  'a PDF document, which may hold several images': 'PDF文档，其中可能有多张图片',
  'a Photoshop document': 'Photoshop文档',
  'an icon': '图标',
  'a JPEG of the lossless kind': '无损JPEG图片',
  'a JPEG with arithmetic coding': '使用算术编码的JPEG图片',
  'a hierarchical JPEG': '分层JPEG图片',
  'a TIFF with JPEG compression of an unusual kind': '使用不常见的JPEG压缩方式的TIFF图片',
  'a JPEG of 12 bits a channel': '每个颜色通道12位的JPEG图片',
  'a WebP image with a side of 16384 pixels': '边长为16384像素的WebP图片',
  'a part of it claims more bytes than the image can have': '其中一部分声称的数据量超过了这张图片可能有的大小',
  'an SVG drawing, which has no pixels of its own': 'SVG图形，它本身没有像素',
  'its strips or tiles are longer than the file': '其中的条带或图块合起来比文件还长',
  'a strip or tile lies beyond the end of the file': '其中一个条带或图块超出了文件末尾',
  'a strip or tile has another size than the file says': '其中一个条带或图块的尺寸与文件所说的不同',
  'a strip or tile has other colours than the file says': '其中一个条带或图块的颜色类型与文件所说的不同',
  'unexpected end of file': '文件提前结束',
};

/** What the module's limits on the size of an image say. @param {string} limit */
function sizeLimit(limit) {
  const megapixels = /([\d.]+) megapixels/.exec(limit)?.[1];
  const side = /(\d+) pixels a side/.exec(limit)?.[1];
  if (!megapixels) return limit;
  const pixels = `${Math.round(Number(megapixels) * 100)}万像素`;
  return side ? `最多能读取${pixels}、每边${side}像素的图片` : `这台设备用该模型最多能检查${pixels}的图片`;
}

/** What is wrong with a file's bytes, by the module's words. @type {[RegExp, string][]} */
const DAMAGES = [
  [/^it ends after (\d+) bytes$/, '在$1字节处中断'],
  [/^it has (\d+) bytes, (\d+) .+$/, '有$1字节，应为$2字节'],
  [/^(?:it is )?longer than the (\d+) bytes.+$/, '超过了应有的$1字节'],
  [/^its sha256 is .+$/, '内容与应有的指纹（sha256）不符'],
];
/** @param {string} detail */
const damage = (detail) => DAMAGES.reduce((said, [english, chinese]) => said.replace(english, chinese), detail);

/**
 * What an unknown file with weights looks like, by the module's words.
 * @type {Record<string, string>}
 */
const looks = {
  'a PyTorch file': '这像是PyTorch文件；这里只能添加safetensors文件',
  'a web page, perhaps one that asks to sign in': '这像是网页，也许是要求登录的页面；请使用文件本身的网址',
  'something that is not known here': '本页不认识这种文件',
  'one half of a TAESD autoencoder': '这像是TAESD自编码器的一半，缺少另一半',
  'the encoder of an autoencoder': '这像是自编码器的编码器，缺少解码器',
  'the decoder of an autoencoder': '这像是自编码器的解码器，缺少编码器',
  'a LoRA, a small change to another model': '这像是LoRA，即对另一个模型的小改动，其中没有自编码器',
  'a ControlNet': '这像是ControlNet，其中没有自编码器',
  'a diffusion model without its autoencoder': '这像是不带自编码器的扩散模型',
  'a diffusion transformer, the part that FLUX and others call the transformer':
    '这像是扩散Transformer（FLUX等模型中称为transformer的部分），其中没有自编码器',
  'a text encoder': '这像是文本编码器，不是自编码器',
  'a language model': '这像是语言模型，不是自编码器',
  'an image encoder': '这像是图像编码器，不是自编码器',
  'an upscaler': '这像是放大模型，不是自编码器',
  'one half of an autoencoder, or one of another kind': '这像是自编码器的一半，或者另一种自编码器',
};

/**
 * What the module says is wrong, and what to do, by code: `src/error.rs`; and likewise what the page's own workers say,
 * without advice where the page gives the same for every message.
 * @type {Record<string, {message: (details: Record<string, any>) => string, advice: string}>}
 */
export const problems = {
  not_an_image: {
    message: ({ detail }) => `这不是本页能读取的图片（${contents[detail] ?? detail}）`,
    advice: '请使用PNG、JPEG、WebP、GIF、BMP或TIFF文件；转换格式时不要缩放图片。',
  },
  unsupported_image: {
    message: ({ detail }) => `不支持这种图片：${contents[detail] ?? detail}`,
    advice: '请使用PNG、JPEG、WebP、GIF、BMP或TIFF文件；转换格式时不要缩放图片。',
  },
  image_truncated: {
    message: ({ detail }) => `图片不完整或已损坏：${contents[detail] ?? detail}`,
    advice: '请重新下载或复制原始文件。',
  },
  image_too_large: {
    message: ({ width, height, limit }) =>
      `图片太大：${width && height ? `${width} × ${height}像素；` : ''}${sizeLimit(limit)}`,
    advice: '请截取其中一部分（不要缩放，左边和上边须位于8像素的整数倍处），或者换一台设备。',
  },
  image_too_small: {
    message: ({ width, height, minimum }) => `图片太小：${width} × ${height}像素；至少需要${minimum} × ${minimum}像素`,
    advice: '请寻找这张图片最初发布时的较大版本。',
  },
  weights_missing: {
    message: ({ gone, ...rest }) => (gone ? `${rest.file}已不在这台设备上` : notFetched(rest)),
    advice: '请检查网络连接，然后重新载入本页；如果是您添加的模型，请删除后重新添加。',
  },
  weights_corrupt: {
    message: ({ file, detail }) => `模型文件${file}已损坏：${damage(detail)}`,
    advice: '请重新下载模型。',
  },
  weights_wrong: {
    message: ({ model, described, report }) =>
      described
        ? `${model}的说明文件描述的是${described}`
        : `模型文件与自编码器${model}不匹配：缺少${report.missing.length}个张量，` +
          `${report.wrong_shape.length}个张量的形状不符`,
    advice: '请使用与这个结构对应的模型文件，或者重新打包。',
  },
  weights_foreign: {
    message: ({ looks_like: kind, missing }) => looks[kind] ?? `这像是${kind}（${missing}）`,
    advice: '请使用自编码器单独的文件，名称中常有vae或ae。',
  },
  manifest_invalid: {
    message: ({ file, detail }) => `${files[file] ?? file}无效：${detail}`,
    advice: '请用aedr pack或aedr calibrate重新生成这个文件，或者使用能读懂它的版本。',
  },
  unknown_model: {
    message: ({ id }) => `没有名为“${id}”的模型`,
    advice: '请选择列表中的模型。',
  },
  no_webgpu: {
    message: ({ reason, detail }) =>
      reason === 'no_webgpu'
        ? '此浏览器不支持WebGPU'
        : reason === 'no_adapter'
          ? '浏览器没有找到图形处理器'
          : `没有可用的WebGPU设备：${detail}`,
    advice: '请改用CPU：速度较慢，结果相同。',
  },
  device_failed: {
    message: ({ detail, lost, full }) => {
      if (lost) return '图形处理器中途不可用：它被重置，或随设备一起进入了睡眠';
      return full ? '图形处理器没有足够的内存来检查这张图片' : `处理器未能完成计算：${detail}`;
    },
    advice: '请重试，或换用较小的图片，或改用CPU。',
  },
  bad_numbers: {
    message: ({ what, detail }) => `无法使用${subjects[what] ?? what}：${wrong(detail)}`,
    advice: '请检查所提供的内容。',
  },
  engine_stopped: {
    message: ({ detail, ended }) =>
      ended ? '浏览器结束了检查程序，可能是因为设备内存不足' : `检查程序自身出错，意外停止：${detail}`,
    advice: '',
  },
  program_missing: {
    message: ({ broken, elsewhere, forbidden, ...rest }) => {
      if (elsewhere) return `${rest.file}不在本网站上，浏览器不会启动其他网站的检查程序`;
      if (forbidden) return `本网站的安全策略不允许启动${rest.file}`;
      return broken ? `${rest.file}没有完整收到` : notFetched(rest);
    },
    advice: '',
  },
  integrity_failed: {
    message: ({ file }) => `文件${file}与应有的不符：内容不一致`,
    advice: '请重新载入本页。如果再次出现，请不要相信本页给出的结果，并告诉网站的运营者。',
  },
  bad_options: {
    message: ({ option, detail }) => `设置${option}无法使用：${detail}`,
    advice: '请告诉网站的运营者。',
  },
  closed: {
    message: () => '检查程序已被本网站关闭',
    advice: '请重新载入本页，然后再检查一次。',
  },
  file_too_large: {
    message: ({ bytes }) => failure.fileTooLarge(bytes),
    advice: failure.fileTooLargeAdvice,
  },
  storage_full: {
    message: ({ needed, available, calibration }) => {
      if (calibration) return '没有空间保存校准结果';
      return needed
        ? `模型大约需要${needed} MB，而浏览器只允许本页再保存${available} MB`
        : '浏览器没有空间让本页保存这个模型了';
    },
    advice: '请腾出一些空间，然后重试。',
  },
  unreadable_file: {
    message: () => '文件没能读到结尾',
    advice: '请重新选择文件。',
  },
  import_refused: {
    message: ({ site, status }) =>
      status ? `${site}并不向所有人提供这个文件（${status}）` : `无法连接${site}，或者它不允许其他网页读取文件`,
    advice: '',
  },
  import_interrupted: {
    message: ({ site, status, minutes, changed }) => {
      if (changed) return `${site}上的文件在下载过程中改变了`;
      const error = status ? `${site}返回了错误（${status}）` : `与${site}的连接中断了`;
      return minutes ? `${error}，并要求等待${minutes}分钟` : error;
    },
    advice: '',
  },
  import_gated: {
    message: ({ site, status }) => `${site}只向登录的用户提供这个文件（${status}）`,
    advice: '',
  },
  import_missing: {
    message: ({ site, status }) => `${site}没有提供这个文件（${status}）`,
    advice: '',
  },
  import_elsewhere: {
    message: () => '另一个标签页正在添加这个模型',
    advice: '',
  },
  bad_message: {
    message: () => '嵌入框无法理解收到的消息',
    advice: '请按嵌入框的说明发送消息。',
  },
  unsupported_version: {
    message: ({ versions }) => `嵌入框使用第${versions.join('、')}版协议，而对方要求另一版`,
    advice: '请使用与这一版aedr配套的脚本。',
  },
  frame_busy: {
    message: ({ most }) => `已有${most}项检查在嵌入框里等待`,
    advice: '请等其中一项完成。',
  },
  frame_flooded: {
    message: () => '嵌入框收到的消息太多，已断开连接',
    advice: '请重新连接，并减少消息。',
  },
  frame_replaced: {
    message: () => '外面的网页重新建立了连接',
    advice: '请使用较新的连接。',
  },
  frame_taken: {
    message: () => '读者正在嵌入框里检查自己的图片',
    advice: '请等嵌入框空闲后再试。',
  },
  frame_silent: {
    message: ({ origin }) => `${origin}没有像aedr的嵌入框那样应答`,
    advice: '请确认嵌入框显示的是该网站的embed.html、该网站允许您的网站嵌入，并且sandbox属性包含allow-scripts和allow-same-origin。',
  },
  frame_sandboxed: {
    message: ({ missing }) => `嵌入框的sandbox属性缺少${missing}`,
    advice: '请加上；嵌入框所在的网站必须与您的网页不同源。',
  },
  frame_reloaded: {
    message: () => '嵌入框在应答之前重新载入了',
    advice: '请再试一次。',
  },
  frame_broken: {
    message: () => '嵌入框的应答没有意义',
    advice: '请确认嵌入框显示的确实是您要的网页。',
  },
};

/** Why a file of the page did not come. @param {Record<string, any>} details */
function notFetched({ file, status, offline }) {
  if (status) return `未能取得${file}：服务器返回了错误（${status}）`;
  return offline ? `未能取得${file}：这台设备没有联网` : `未能取得${file}`;
}

/** Files, by the module's words. @type {Record<string, string>} */
const files = {
  'the weights': '模型文件',
  'the catalogue': '模型目录',
  'the manifest': '模型的说明文件',
  'the calibration': '校准文件',
  'the import': '导入请求',
};

/** Why a calibration cannot be made, by the module's words. @param {string} detail */
function wrong(detail) {
  return detail.replace(/^(\d+) photographs are too few, at least (\d+) of one size are needed$/, '$1张照片太少，至少需要$2张尺寸相近的照片');
}

/** What holds numbers, by the module's words. @type {Record<string, string>} */
const subjects = { 'the calibration': '这些校准图片', 'the control': '这些照片', 'the report': '报告', 'the picture': '图片', 'the image': '图片' };

/** Keeping the page on this device, newer versions of it, and what other programs give it. */
export const offline = {
  keep: (/** @type {number} */ bytes) => `保存到本机以便离线使用（${amount(bytes)}）`,
  keepHint: '保存之后，没有网络也能打开本页并检查图片。',
  keeping: '正在保存本页以便离线使用',
  keepingSoFar: (/** @type {number} */ loaded, /** @type {number} */ total) =>
    `${megabytes(loaded)} / ${megabytes(total)} MB`,
  stop: '停止',
  kept: '可以离线使用',
  failed: '没有全部收到，已收到的部分会保留。请检查网络连接，然后重试。',
  full: '这台设备没有足够的空间保存全部内容。联网时，本页照常使用。',
  install: '安装为应用',
  renewed: '本页有新版本。',
  renewedMore: '使用新版本需要重新载入本页。已放入的图片随后会重新检查一遍。',
  renew: '立即使用',
  later: '以后再说',
  busy: '还有操作在进行。',
  busyMore: '正在检查图片或添加模型。现在更新会使其停止，之后需要重新开始。',
  losing: '重新载入本页时无法保留您的图片。',
  losingMore: '新版本打开时没有这些图片，您需要重新选择。',
  renewAnyway: '仍然使用',
  openElsewhere: '本页还在另一个标签页或窗口中打开着。',
  openElsewhereMore: '那里用的仍是旧版本。请先关闭它，然后重试。',
  sharedAsk: (/** @type {number} */ count, /** @type {string | null} */ site) =>
    site === null ? `有${count}张图片分享到了本页。` : `${site}向本页发来了${count}张图片。`,
  sharedBySite: '这可能并非您的意愿。您不同意，本页就不会检查。',
  sharedUnknown: '如果不是您自己分享的，请丢弃：网站也能这样做。',
  sharedCheck: '检查',
  sharedDiscard: '丢弃',
  nothingShared: '您分享的图片没有收到。',
  nothingSharedAdvice: '请把它保存到这台设备，然后在这里选择它。',
  notOpened: '有一个文件无法打开。',
  notOpenedAdvice: '它可能已被移动或删除。请在这里选择它。',
  close: '关闭',
};

/** What a person can take away, and what it takes to repeat the check. */
export const exports = {
  missing: '未能载入本页中保存结果的部分。请检查网络连接，然后重新载入本页。',
  heading: '带走报告',
  lead: '以下内容都在这台设备上生成，不会发送到任何地方。',
  json: '保存报告',
  jsonHint: 'JSON文件，包含全部数值以及重复检查所需的信息。有了这个文件和图片，任何人都可以用aedr程序重复检查：',
  print: '打印，或存为PDF',
  printHint: '一两页朴素的内容，没有按钮。',
  picture: '存为结果图',
  pictureHint: 'PNG文件，方便给别人看。',
  include: '结果图中包含所检查的图片',
  making: '正在生成结果图……',
  saved: (/** @type {string} */ name) => `已生成：${name}`,
  savedWithout: (/** @type {string} */ name) => `已生成：${name}。未能把图片本身放进去。`,
  failed: (/** @type {string} */ why) => `未能生成结果图。${why}`,
  failedAdvice: '请重试，或改为打印本页。',
  repeatHeading: '重复这次检查',
  file: '文件',
  size: '大小',
  bytes: (/** @type {string} */ count) => `${count}字节`,
  hash: '文件指纹（sha256）',
  time: '检查时间',
  program: '程序',
  version: (/** @type {string} */ version, /** @type {string} */ platform) => `aedr ${version}（${platform}）`,
  device: '计算设备',
  settings: '设置',
  deep: '深入检查',
  notDeep: '未深入检查',
  turned: '图片按文件的要求旋转',
  notTurned: '图片保持存储时的方向',
  tableLabel: '各个模型的全部数值',
  model: '模型',
  answer: '结论',
  signal: '信号',
  weights: (/** @type {string} */ precision) => `模型文件（${precision}）：`,
  shard: (/** @type {string} */ file, /** @type {string} */ bytes, /** @type {string} */ hash) =>
    `${file}，${bytes}字节，sha256 ${hash}`,
  calibration: (/** @type {string} */ hash) => `校准：sha256 ${hash}`,
  uncalibrated: '没有校准。',
  printed: '在检查者的设备上生成。图片没有发送到任何地方。',
};

/** The picture of the result. */
export const picture = {
  facts: (/** @type {string} */ checked, /** @type {string} */ bytes) => `${checked}，${bytes}字节`,
  more: (/** @type {number} */ count) => `另有${count}个，见报告`,
  hash: '图片文件指纹（sha256）',
  program: (/** @type {string} */ version) => `使用aedr ${version}检查`,
  made: '在检查者的设备上生成，图片没有发送到任何地方。这样的结果图可以被修改：有了报告和图片文件，任何人都可以重复检查。',
};

const WHOLE_WITHOUT_MAP = '整张图片都是生成的。真实的照片里也可能有经过编辑的部分。';

/** The check as a part of other sites' pages. */
export const embed = {
  privacy: '图片就在您的浏览器里检查，不会发送到任何地方。',
  dropHere: '把图片拖到这里，或者选择一张',
  before: '这里只比对一个模型：一个小型演示模型，没有任何公开的生成器使用它。它只用来演示检查的过程。',
  /** The name of an image and, before it, what can be done with it. */
  labelled: (/** @type {string} */ label, /** @type {string} */ name) => `${label}：${name}`,
  asked: (/** @type {string[]} */ names) => `所比对的模型：${listed.format(names)}。`,
  onlyFirst: (/** @type {number} */ count) => `同时放入了${count}个文件，只检查了第一个。`,
  signed:
    '这个文件带有内容凭证，或者写明了凭证存放在哪里：那是带有签名的制作说明。这里不读取它；能检查内容凭证的程序可以从原始文件中读取。',
  noImage: '网页没有指明要检查的图片',
  noImageAdvice: '请选择您自己的图片文件，或者告诉这个网站的管理者。',
  /** There is no closer look here. @type {typeof meanings} */
  meanings: {
    ...meanings,
    matches: {
      ...meanings.matches,
      meansNot: [...MATCHES_NOT.slice(0, -1), WHOLE_WITHOUT_MAP],
    },
    matches_by_control: {
      ...meanings.matches_by_control,
      meansNot: [...MATCHES_NOT.slice(0, -1), WHOLE_WITHOUT_MAP],
    },
  },
};

/** The frame in another site's page. */
export const frame = {
  idle: '您可以在这里检查自己的图片。外面的网页既看不到图片，也不会得知结果。',
  reader: '这张图片是您自己选择的。外面的网页既看不到图片，也不会得知结果，只知道有一项检查正在进行。',
  embedder: '这张图片由外面的网页提供，检查结果会告诉那个网页。',
  own: '检查您自己的图片',
  remove: '移走您的图片',
  ownPage: '在单独的页面里打开aedr',
};
