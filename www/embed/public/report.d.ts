/**
 * What checks give, made of the Rust types by a test of `src/report/typescript.rs`: do not edit.
 */

/**
 * How the image lies on the grid that it may have been painted on.
 */
export type Alignment = { 
/**
 * The size that the image had, if it was resized since: width and height.
 */
size: [number, number] | null, 
/**
 * Pixels left of and above the first whole cell of the grid, 0 to one less than the grid's step.
 */
left: number, top: number, };

/**
 * Everything a check found.
 */
export type CheckReport = { model: ModelLine, image: ImageLine, losses: LossLine, 
/**
 * H of the whole image, (0, 1].
 */
homogeneity: number, 
/**
 * t = L1 / L2 · H, the paper's.
 */
t: number, 
/**
 * Which signal the model was calibrated for; without a calibration the paper's.
 */
signal_kind: SignalKind, 
/**
 * That signal.
 */
signal: number, 
/**
 * Its τ, if the model is calibrated: the one of `evidence`, where that is about this signal, else the one for images
 * as they are written.
 */
threshold: number | null, outcome: Outcome, 
/**
 * Why there is no verdict.
 */
reason: Remark | null, 
/**
 * What the outcome rests on, if the model is calibrated for such images: of several conditions that the image falls
 * under, the one that speaks most against the outcome.
 */
evidence: Evidence | null, 
/**
 * The other conditions that the image was judged by.
 */
further_evidence?: Array<Evidence>, 
/**
 * What the orientation control found; `None` in records of version 1.
 */
control: ControlLine | null, 
/**
 * What a search of the grid found, if there was one.
 */
search?: Found, 
/**
 * Other distances of the two reconstructions than the losses, where they were asked for.
 */
distances?: [Distances, Distances], 
/**
 * What was done to the image that a person should know: "cropped", "orientation_ignored", "first_picture",
 * "depth_reduced", "inks_converted", "transparency_ignored", "jpeg", "lossy" or "few_colours".
 */
notes: Array<Remark>, device: DeviceLine, };

/**
 * One statement of the file.
 */
export type Claim = { meaning: Meaning, 
/**
 * The field's name in the file.
 */
field: string, 
/**
 * What it says, as plain text of at most 2000 characters, without any that are invisible.
 */
text: string, };

/**
 * What the file tells of how its pixels were compressed last. Earlier compressions leave no word in it.
 */
export type Compression = "lossless" | { "jpeg": number } | "lossy";

/**
 * What the control says of one image.
 */
export type ControlEvidence = { 
/**
 * The spread over photographs of this size, beyond the image's own standard error.
 */
spread: number, 
/**
 * Of how many photographs: 0 where none were measured for this model, and a wide spread was assumed.
 */
photographs: number, 
/**
 * L1/L2 among those of photographs, in standard deviations of its logarithm; `None` where none were measured.
 */
ratio_score: number | null, 
/**
 * S and the ratio together, in standard deviations under "foreign": negative where they speak for the model.
 */
score: number, 
/**
 * The p-value under "foreign": the share of foreign images that show as much.
 */
other_share: number, };

/**
 * The orientation control: the image's reconstruction compared with those of the same image turned or mirrored.
 */
export type ControlLine = { 
/**
 * What the image was compared with.
 */
orientations: Array<Orientation>, 
/**
 * S, the published formula: about zero for a foreign image. `None` where there was no error at all.
 */
s: number | null, 
/**
 * S in relation to each orientation alone; the half turn's is S180.
 */
by_orientation: Array<number | null>, 
/**
 * The share of the tiles of 16 pixels that come back best as they are; by chance 1 / (1 + orientations).
 */
share: number, 
/**
 * The robust S, on which the evidence rests.
 */
robust: RobustSignal, 
/**
 * The root mean squares of the robust S over windows of 64 and of 128 pixels; `None` for smaller images.
 */
windows: [number | null, number | null], 
/**
 * What it says; `None` for an image too small for it.
 */
evidence: ControlEvidence | null, 
/**
 * Parts of the image that differ from the rest.
 */
regions: Array<Region>, };

/**
 * The two kinds of device.
 */
export type DeviceKind = "webgpu" | "cpu";

export type DeviceLine = { kind: DeviceKind, adapter: string, 
/**
 * "f32", or "f16" if a GPU held maps in f16.
 */
maps: string, 
/**
 * The most bytes that maps took on a GPU.
 */
map_bytes: number | null, };

/**
 * Distances of one reconstruction from what was reconstructed.
 */
export type Distances = { 
/**
 * Mean |a − b| over values in [-1, 1].
 */
mean_absolute_error: number, 
/**
 * 1 − SSIM with the reference's data range, 0 for equal images, up to 2.
 */
dissimilarity: number, };

/**
 * How the signals of both kinds of images are distributed: curves to draw.
 */
export type Distribution = { 
/**
 * Where the densities are given, ascending, evenly spaced in their logarithms.
 */
signals: Array<number>, 
/**
 * Densities over the logarithm of the signal.
 */
belonging: Array<number>, others: Array<number>, };

/**
 * How a shard is compressed.
 */
export type Encoding = { 
/**
 * zlib (RFC 1950), expanding to this many bytes of safetensors.
 */
zlib: number, };

/**
 * What a signal says, by a condition.
 */
export type Evidence = { 
/**
 * What was compared: "s", "t" or "L1/L2", or after a search "contrast".
 */
signal_name: string, signal: number, 
/**
 * The images that it was compared with, as `ConditionKey::title` names them.
 */
condition: string, 
/**
 * α, (0, 1).
 */
alpha: number, 
/**
 * τ.
 */
threshold: number, 
/**
 * Signals from the first to the second of these get no verdict, if this model alone is asked: they are too near to
 * τ, or where both kinds of images have theirs, or neither. `None` where too few images were measured: no signal is
 * then low enough to belong, or high enough not to.
 */
uncertain: [number | null, number | null], 
/**
 * The p-value under "belongs": the share of belonging images whose signal is as large or larger, the image itself
 * counted: (1 + k) / (n + 1).
 */
belonging_share: number, 
/**
 * The p-value under "does not belong": the share of the others whose signal is as small or smaller, counted alike.
 */
other_share: number, 
/**
 * How many times likelier the signal is if the image belongs: never larger for a larger signal, and not beyond what
 * so many images can show.
 */
likelihood_ratio: number, belonging_count: number, other_count: number, };

/**
 * A model that could not be asked.
 */
export type FailureLine = { model: string, code: string, message: string, };

/**
 * The image file.
 */
export type FileLine = { name: string, bytes: number, 
/**
 * Lower-case hexadecimal.
 */
sha256: string, };

/**
 * What a search found.
 */
export type Found = { 
/**
 * Where the orientation control speaks most for the model, of the places where the image comes back best.
 */
alignment: Alignment, 
/**
 * How well it comes back there: the geometric mean over all cells of the error there in relation to that at the
 * other places. 1 means no better.
 */
contrast: number, 
/**
 * The contrast there after a mild JPEG compression, if a verdict depends on it.
 */
recompressed?: number, 
/**
 * How many places were tried.
 */
tried: number, 
/**
 * Where blocks of a JPEG begin, if there are traces of them.
 */
blocks: [number, number] | null, };

/**
 * Models that cannot be told apart: one line of a result.
 */
export type Group = { 
/**
 * That of the model that stands for the group, if it holds among so many.
 */
outcome: Outcome, 
/**
 * Positions in the reports, the one that stands for the group first.
 */
reports: Array<number>, };

export type ImageLine = { 
/**
 * Pixels of the file.
 */
width: number, height: number, format: string, compression: Compression, 
/**
 * Pixels that were reconstructed.
 */
checked_width: number, checked_height: number, };

/**
 * Names are listed in full in JSON; the text form shows the first of each list.
 */
export type LoadReport = { 
/**
 * How many tensors were taken.
 */
applied: number, 
/**
 * Expected by the architecture, not in the file.
 */
missing: Array<string>, 
/**
 * In the file, not known to the architecture.
 */
unused: Array<string>, 
/**
 * In the file with another shape.
 */
wrong_shape: Array<WrongShape>, };

export type LossLine = { 
/**
 * L1, mean squared error over values in [-1, 1].
 */
first: number, 
/**
 * L2.
 */
second: number, 
/**
 * L1 / L2.
 */
ratio: number, };

export type Meaning = "generated" | "camera" | "program";

export type ModelLine = { id: string, name: string, 
/**
 * Generators whose images its decoder paints.
 */
serves: Array<string>, 
/**
 * Ids of models that a check cannot tell from this one.
 */
shares: Array<string>, precision: Precision | null, 
/**
 * The files of its weights, with their hashes: which weights these were.
 */
shards: Array<Shard>, 
/**
 * Of its calibration (`Calibration::sha256`), if it has one.
 */
calibration_sha256: string | null, };

/**
 * Everything this crate reports as a failure. The message names the offending thing;
 * `Error::advice` says what to do; `Error::code` is stable across versions.
 */
export type ModuleError = { "code": "not_an_image", "details": { detail: string, } } | { "code": "unsupported_image", "details": { detail: string, } } | { "code": "image_truncated", "details": { detail: string, } } | { "code": "image_too_large", "details": { width: number, height: number, limit: string, } } | { "code": "image_too_small", "details": { width: number, height: number, minimum: number, } } | { "code": "weights_missing", "details": { file: string, } } | { "code": "weights_corrupt", "details": { file: string, detail: string, } } | { "code": "weights_wrong", "details": { model: string, report: LoadReport, } } | { "code": "weights_foreign", "details": { looks_like: string, missing: string, } } | { "code": "manifest_invalid", "details": { file: string, detail: string, } } | { "code": "unknown_model", "details": { id: string, } } | { "code": "no_webgpu", "details": { detail: string, } } | { "code": "device_failed", "details": { detail: string, } } | { "code": "cancelled" } | { "code": "bad_numbers", "details": { what: string, detail: string, } } | { "code": "not_the_same", "details": { what: string, detail: string, } } | { "code": "file", "details": { path: string, detail: string, } };

/**
 * How an image is turned or mirrored.
 */
export type Orientation = "upright" | "mirrored" | "flipped" | "half_turn" | "quarter_turn" | "three_quarter_turn";

/**
 * What a check says about one model.
 */
export type Outcome = "matches" | "does_not_match" | "cannot_tell";

/**
 * How tensors are stored. All are dequantised to f32 at load.
 */
export type Precision = "f32" | "f16" | "q8" | "q10" | "q12" | "mixed";

/**
 * What made the record.
 */
export type ProgramLine = { version: string, 
/**
 * "wasm32" in a page, else the processor's family.
 */
platform: string, };

/**
 * The answer over all models, and the models in the order of what speaks for them.
 */
export type Ranking = { 
/**
 * `Outcome::Matches` if one model matches; else `Outcome::CannotTell` if one cannot tell for a reason that
 * lies in the image, or if none is calibrated; else `Outcome::DoesNotMatch`.
 */
outcome: Outcome, 
/**
 * Why there is no answer: that of a model, "many_models" or "too_few_others".
 */
reason: Remark | null, 
/**
 * The likeliest first.
 */
groups: Array<Group>, };

/**
 * A whole check of one image.
 */
export type Record = { 
/**
 * `FORMAT`.
 */
format: string, 
/**
 * `FORMAT_VERSION`, or an older one.
 */
format_version: number, 
/**
 * When it was made: RFC 3339, UTC.
 */
created_at: string, program: ProgramLine, image: FileLine, settings: Settings, 
/**
 * What all checks say together.
 */
ranking: Ranking, 
/**
 * One of each model that was asked.
 */
checks: Array<CheckReport>, 
/**
 * Models that could not be asked.
 */
failures: Array<FailureLine>, 
/**
 * What the file says of its origin. No verdict rests on it.
 */
claims: Array<Claim>, 
/**
 * What was read of Content Credentials. No verdict rests on it.
 */
credentials: unknown, };

/**
 * A part of an image that differs from the rest: the rectangle around windows that do.
 */
export type Region = { trace: Trace, 
/**
 * In pixels: of the file, in a report.
 */
left: number, top: number, width: number, height: number, 
/**
 * The clearest window's robust S, in root mean squares of such windows of photographs: about zero, negative where it speaks
 * for the model. Of a part without a trace, in relation to the whole image, positive.
 */
score: number, };

/**
 * One thing that a person should know.
 */
export type Remark = { 
/**
 * Stable across versions.
 */
code: string, 
/**
 * One plain sentence, in English.
 */
message: string, 
/**
 * The numbers in it, by name.
 */
values?: { [key in string]: number }, };

/**
 * The robust S with its error.
 */
export type RobustSignal = { 
/**
 * -1 to 1.
 */
signal: number, 
/**
 * Its standard error, as the image's own blocks of 16 pixels scatter. An image can be a little easier to reconstruct in
 * its own orientation than this tells, so a test must know how photographs scatter as well.
 */
standard_error: number, };

/**
 * What a person chose.
 */
export type Settings = { 
/**
 * The grid was searched.
 */
deep: boolean, 
/**
 * The image was turned as its EXIF orientation says.
 */
apply_orientation: boolean, };

/**
 * One file of weights.
 */
export type Shard = { 
/**
 * File name beside the manifest.
 */
file: string, bytes: number, 
/**
 * Lower-case hexadecimal.
 */
sha256: string, 
/**
 * None for plain safetensors. `bytes` and `sha256` are of the file as it is.
 */
encoding?: Encoding, };

/**
 * The ways to make one number of an image's losses and homogeneity that are compared. Smaller means "belongs".
 */
export type SignalKind = "first_loss" | "ratio" | "paper" | "excess" | "weighed" | "peak_signal";

/**
 * What a region shows.
 */
export type Trace = "present" | "absent";

/**
 * A tensor whose shape does not fit.
 */
export type WrongShape = { name: string, expected: Array<number>, found: Array<number>, };
