//! The whole check of one image against one model: image → losses → signal → verdict.

use serde::{Deserialize, Serialize};

use crate::{
    Error, Result,
    calibration::Calibration,
    compression::Compression,
    condition::{Evidence, Search},
    device::DeviceKind,
    distance::{Distances, distances},
    engine::gpu::Gpu,
    homogeneity::homogeneity,
    image::{CROP_MULTIPLE, CroppedImage, DecodeOptions, DecodedImage, LeftOut, decode},
    local::{FLAT, LocalEvidence, MOST_PIXELS},
    reconstruction::{Losses, Progress, Reconstructions, Source, Stage, double_reconstruction, reconstructions},
    remark::Remark,
    scan::{Alignment, Found, recompressed_contrast, search},
    signal::{SignalKind, loss_ratio, signal},
    verdict::{Measured, Outcome, Verdict, decide},
    weights::{Model, Precision, Shard},
};

/// The smallest side that a reconstruction makes sense for, in latents.
const MINIMUM_LATENTS: usize = 4;

/// Everything a check found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct CheckReport {
    pub model: ModelLine,
    pub image: ImageLine,
    pub losses: LossLine,
    /// H of the whole image, (0, 1].
    pub homogeneity: f64,
    /// t = L1 / L2 · H, the paper's.
    pub t: f64,
    /// Which signal the model was calibrated for; without a calibration the paper's.
    pub signal_kind: SignalKind,
    /// That signal.
    pub signal: f64,
    /// Its τ, if the model is calibrated: the one of `evidence`, where that is about this signal, else the one for images
    /// as they are written.
    pub threshold: Option<f64>,
    pub outcome: Outcome,
    /// Why there is no verdict.
    pub reason: Option<Remark>,
    /// What the outcome rests on, if the model is calibrated for such images: of several conditions that the image falls
    /// under, the one that speaks most against the outcome.
    #[serde(default)]
    pub evidence: Option<Evidence>,
    /// The other conditions that the image was judged by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(optional, as = "Option<Vec<Evidence>>"))]
    pub further_evidence: Vec<Evidence>,
    /// What a search of the grid found, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub search: Option<Found>,
    /// Other distances of the two reconstructions than the losses, where they were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub distances: Option<[Distances; 2]>,
    /// What was done to the image that a person should know: "cropped", "orientation_ignored", "first_picture",
    /// "depth_reduced", "inks_converted", "transparency_ignored", "jpeg", "lossy" or "few_colours".
    pub notes: Vec<Remark>,
    pub device: DeviceLine,
}

impl CheckReport {
    /// Makes the verdict of what was measured: anew, if the report has one by another calibration.
    ///
    /// # Errors
    /// [`Error::BadNumbers`] for losses that no signal can be made of.
    pub fn judge(&mut self, calibration: Option<&Calibration>) -> Result<()> {
        self.signal_kind = calibration.map_or_else(SignalKind::default, |calibration| calibration.signal);
        self.signal = self.signal_kind.of(self.losses.into(), self.homogeneity)?;
        let image = &self.image;
        let measured = Measured {
            signal: self.signal,
            homogeneity: self.homogeneity,
            shorter_side: image.shorter_side(),
            compression: image.compression,
            whole_grid: [image.width, image.height].iter().all(|side| side.is_multiple_of(CROP_MULTIPLE)),
            search: self.search.as_ref().map_or(Search::None, |found| found.alignment.search()),
            contrast: self.search.as_ref().map(|found| found.contrast),
            recompressed: self.search.as_ref().and_then(|found| found.recompressed),
        };
        let Verdict { outcome, reason, evidence } = decide(&measured, calibration);
        let mut evidence = evidence.into_iter();
        (self.outcome, self.reason, self.evidence) = (outcome, reason, evidence.next());
        self.further_evidence = evidence.collect();
        let judged = self.evidence.as_ref().filter(|evidence| evidence.signal_name == self.signal_kind.symbol());
        let as_written = || calibration.and_then(Calibration::as_written).map(|condition| condition.threshold);
        self.threshold = judged.map(|evidence| evidence.threshold).or_else(as_written);
        Ok(())
    }

    /// By every condition that the image was judged by.
    pub fn all_evidence(&self) -> impl Iterator<Item = &Evidence> {
        self.evidence.iter().chain(&self.further_evidence)
    }
}

impl CheckReport {
    /// `[left, top, width, height]` of the part that was reconstructed, in pixels of the file: where a search found the
    /// image resized, its grid is laid over the file's.
    pub fn placement(&self) -> [f64; 4] {
        let alignment = self.search.as_ref().map_or(Alignment::NONE, |found| found.alignment);
        let ImageLine { width, height, checked_width, checked_height, .. } = self.image;
        let [former_width, former_height] = alignment.size.unwrap_or([width, height]);
        let (across, down) =
            (f64::from(width) / f64::from(former_width.max(1)), f64::from(height) / f64::from(former_height.max(1)));
        [
            f64::from(alignment.left) * across,
            f64::from(alignment.top) * down,
            f64::from(checked_width) * across,
            f64::from(checked_height) * down,
        ]
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ModelLine {
    pub id: String,
    pub name: String,
    /// Generators whose images its decoder paints.
    #[serde(default)]
    pub serves: Vec<String>,
    /// Ids of models that a check cannot tell from this one.
    #[serde(default)]
    pub shares: Vec<String>,
    #[serde(default)]
    pub precision: Option<Precision>,
    /// The files of its weights, with their hashes: which weights these were.
    #[serde(default)]
    pub shards: Vec<Shard>,
    /// Of its calibration ([`Calibration::sha256`]), if it has one.
    #[serde(default)]
    pub calibration_sha256: Option<String>,
}

impl ModelLine {
    fn of(model: &Model) -> Self {
        let manifest = model.manifest.clone();
        ModelLine {
            id: manifest.id,
            name: manifest.name,
            serves: manifest.serves,
            shares: manifest.shares,
            precision: Some(manifest.precision),
            shards: manifest.shards,
            calibration_sha256: model.calibration.as_ref().map(Calibration::sha256),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ImageLine {
    /// Pixels of the file.
    pub width: u32,
    pub height: u32,
    pub format: String,
    #[serde(default = "lossless")]
    pub compression: Compression,
    /// Pixels that were reconstructed.
    pub checked_width: u32,
    pub checked_height: u32,
}

impl ImageLine {
    /// Pixels of the shorter side that was reconstructed.
    pub fn shorter_side(&self) -> u32 {
        self.checked_width.min(self.checked_height)
    }
}

/// Of reports that were written before it was known.
fn lossless() -> Compression {
    Compression::Lossless
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct LossLine {
    /// L1, mean squared error over values in [-1, 1].
    pub first: f64,
    /// L2.
    pub second: f64,
    /// L1 / L2.
    pub ratio: f64,
}

impl From<LossLine> for Losses {
    fn from(LossLine { first, second, .. }: LossLine) -> Self {
        Losses { first, second }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct DeviceLine {
    pub kind: DeviceKind,
    pub adapter: String,
    /// "f32", or "f16" if a GPU held maps in f16.
    pub maps: String,
    /// The most bytes that maps took on a GPU.
    pub map_bytes: Option<u64>,
}

/// Checks the bytes of an image file.
///
/// # Errors
/// Those of [`decode`] and [`double_reconstruction`], and [`Error::ImageTooSmall`].
pub async fn check(
    model: &Model,
    bytes: &[u8],
    options: &DecodeOptions,
    progress: &mut impl Progress,
) -> Result<CheckReport> {
    if !progress.report(0.0, Stage::Decode).await {
        return Err(Error::Cancelled);
    }
    check_image(model, &decode(bytes, options)?, progress).await
}

/// Checks an image that has been decoded.
///
/// # Errors
/// As [`check`].
pub async fn check_image(model: &Model, image: &DecodedImage, progress: &mut impl Progress) -> Result<CheckReport> {
    Ok(reconstruct(model, Part::of(image), Kept::Losses, progress).await?.0)
}

/// As [`check_image`], and takes the other distances as well.
///
/// # Errors
/// As [`check`].
pub async fn check_distances(model: &Model, image: &DecodedImage, progress: &mut impl Progress) -> Result<CheckReport> {
    Ok(reconstruct(model, Part::of(image), Kept::Distances, progress).await?.0)
}

/// Searches where the image lies on the grid that it may have been painted on, and checks it there: many times the work
/// of [`check_image`].
///
/// # Errors
/// As [`check`], and those of [`search`].
pub async fn check_searched(model: &Model, image: &DecodedImage, progress: &mut impl Progress) -> Result<CheckReport> {
    Ok(searched(model, image, Kept::Losses, progress).await?.0)
}

/// As [`check_image`], or [`check_searched`] if the check is to be `deep`, and tells where in the image the evidence lies,
/// unless the image has more than [`MOST_PIXELS`].
///
/// # Errors
/// As [`check_searched`].
pub async fn check_locally(
    model: &Model,
    image: &DecodedImage,
    deep: bool,
    progress: &mut impl Progress,
) -> Result<(CheckReport, Option<LocalEvidence>)> {
    let pixels = u64::from(image.width).saturating_mul(image.height.into());
    let kept = if pixels <= MOST_PIXELS as u64 { Kept::Local } else { Kept::Losses };
    if deep {
        searched(model, image, kept, progress).await
    } else {
        reconstruct(model, Part::of(image), kept, progress).await
    }
}

async fn searched(
    model: &Model,
    image: &DecodedImage,
    kept: Kept,
    progress: &mut impl Progress,
) -> Result<(CheckReport, Option<LocalEvidence>)> {
    let found = search(model, image, &mut Share { progress, from: 0.0, to: SEARCHING }).await?;
    let aligned = found.alignment.undo(image)?;
    let part = Part { image, aligned: &aligned, found: Some(found.clone()) };
    let (mut report, local) =
        reconstruct(model, part, kept, &mut Share { progress, from: SEARCHING, to: 0.97 }).await?;
    if report.outcome == Outcome::Matches {
        let share = &mut Share { progress, from: 0.97, to: 1.0 };
        let contrast = recompressed_contrast(model, image, &found, share).await?;
        report.search = Some(Found { recompressed: Some(contrast), ..found });
        report.judge(model.calibration.as_ref())?;
    }
    Ok((report, local))
}

/// The share of a searched check that the search takes, about.
const SEARCHING: f64 = 0.9;

/// Progress of one part of the work, in the share of the whole that it has.
struct Share<'a, P> {
    progress: &'a mut P,
    from: f64,
    to: f64,
}

impl<P: Progress> Progress for Share<'_, P> {
    async fn report(&mut self, fraction: f64, stage: Stage) -> bool {
        self.progress.report(self.from + fraction * (self.to - self.from), stage).await
    }
}

/// What is kept of the reconstructions besides the losses.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    Losses,
    Distances,
    Local,
}

/// What is reconstructed of an image.
struct Part<'a> {
    image: &'a DecodedImage,
    /// The image as it is, or as a search found it.
    aligned: &'a DecodedImage,
    found: Option<Found>,
}

impl<'a> Part<'a> {
    /// All of it, as it is.
    fn of(image: &'a DecodedImage) -> Self {
        Part { image, aligned: image, found: None }
    }
}

async fn reconstruct(
    model: &Model,
    Part { image, aligned, found }: Part<'_>,
    kept: Kept,
    progress: &mut impl Progress,
) -> Result<(CheckReport, Option<LocalEvidence>)> {
    let cropped = aligned.cropped(&model.manifest.architecture);
    let minimum = cropped.multiple.saturating_mul(MINIMUM_LATENTS);
    if cropped.width.min(cropped.height) < minimum {
        let (width, height) = (image.width.into(), image.height.into());
        return Err(Error::ImageTooSmall { width, height, minimum: minimum as u64 });
    }
    // No larger than the image's own.
    let (width, height) = (cropped.width as u32, cropped.height as u32);
    // Asked for now, so that the next answer is this check's.
    Gpu::memory();
    let (losses, made) = if kept == Kept::Losses {
        (double_reconstruction(model, &cropped, progress).await?, None)
    } else {
        let made = reconstructions(model, &cropped, progress).await?;
        (made.losses, Some(made))
    };
    let made_for = |wanted: Kept| made.as_ref().filter(|_| kept == wanted);
    let distances = made_for(Kept::Distances).map(|made| both_distances(&cropped, made)).transpose()?;
    let local = made_for(Kept::Local).map(|made| LocalEvidence::of(&cropped, made, FLAT)).transpose()?;
    let map_bytes = (model.device.kind == DeviceKind::WebGpu).then(|| Gpu::memory().1);
    let homogeneity = homogeneity(&aligned.grey, aligned.width as usize)?;
    let mut report = CheckReport {
        model: ModelLine::of(model),
        image: ImageLine {
            width: image.width,
            height: image.height,
            format: image.format.into(),
            compression: image.compression,
            checked_width: width,
            checked_height: height,
        },
        losses: LossLine { first: losses.first, second: losses.second, ratio: loss_ratio(losses)? },
        homogeneity,
        t: signal(losses, homogeneity)?,
        signal_kind: SignalKind::default(),
        signal: 0.0,
        threshold: None,
        outcome: Outcome::CannotTell,
        reason: None,
        evidence: None,
        further_evidence: Vec::new(),
        search: found,
        distances,
        notes: notes(aligned, &cropped),
        device: DeviceLine {
            kind: model.device.kind,
            adapter: model.device.adapter.clone(),
            maps: model.maps.name().into(),
            map_bytes,
        },
    };
    report.judge(model.calibration.as_ref())?;
    Ok((report, local))
}

/// Of x1 from x and of x2 from x1.
fn both_distances(image: &CroppedImage<'_>, made: &Reconstructions) -> Result<[Distances; 2]> {
    let size = image.size();
    let original = image.rows(0..size[1]);
    Ok([distances(&original, &made.first, size)?, distances(&made.first, &made.second, size)?])
}

fn notes(image: &DecodedImage, cropped: &CroppedImage<'_>) -> Vec<Remark> {
    let mut notes = Vec::new();
    let CroppedImage { width, height, multiple, .. } = *cropped;
    if (width, height) != (image.width as usize, image.height as usize) {
        let message = format!(
            "The image's sides are not multiples of {multiple}, so its right and bottom edges were left out: \
             {width} × {height} of {} × {} pixels were checked.",
            image.width, image.height
        );
        let (whole_width, whole_height) = (image.width, image.height);
        let sides = [("width", width as u64), ("height", height as u64), ("multiple", multiple as u64)];
        let remark = sides.into_iter().fold(Remark::new("cropped", message), |all, (name, side)| all.with(name, side));
        notes.push(remark.with("whole_width", whole_width).with("whole_height", whole_height));
    }
    notes.extend(remarks(image));
    notes
}

/// What decoding did to the image, and its format before, that a person should know.
pub fn remarks(image: &DecodedImage) -> Vec<Remark> {
    let mut notes = Vec::new();
    if image.orientation_ignored {
        let message = "The file asks to be shown turned; its pixels were checked as they are stored.";
        notes.push(Remark::new("orientation_ignored", message));
    }
    let LeftOut { pictures, depth, inks, transparency } = image.left_out;
    for (is_so, code, message) in [
        (pictures, "first_picture", "The file holds several pictures, as animations do; only the first was checked."),
        (
            depth,
            "depth_reduced",
            "The file has more than 8 bits a channel; it was checked in 8 bits, which is what generators write.",
        ),
        (
            inks,
            "inks_converted",
            "The file's colours are printing inks (CMYK); they were converted, which changes pixels and can hide a match.",
        ),
        (
            transparency,
            "transparency_ignored",
            "Parts of the image are transparent; the colours that are stored there were checked.",
        ),
    ] {
        if is_so {
            notes.push(Remark::new(code, message));
        }
    }
    match image.compression {
        Compression::Jpeg(quality) => {
            let message = format!(
                "JPEG compression changes pixels and can hide a match. This file's quality is {quality} of 100."
            );
            notes.push(Remark::new("jpeg", message).with("quality", quality));
        }
        Compression::Lossy if image.few_colours => {
            let message = "The image has a palette, or fewer than 8 bits a channel; rounding colours to those changes \
                           pixels and can hide a match.";
            notes.push(Remark::new("few_colours", message));
        }
        Compression::Lossy => {
            let message = format!("{} compression changes pixels and can hide a match.", image.format);
            notes.push(Remark::new("lossy", message));
        }
        Compression::Lossless => {}
    }
    notes
}
