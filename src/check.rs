//! The whole check of one image against one model: image → losses → signal → verdict.

use serde::{Deserialize, Serialize};

use crate::{
    Error, Result,
    calibration::{Calibration, Evidence},
    compression::Compression,
    device::DeviceKind,
    distance::{Distances, distances},
    engine::gpu::{Gpu, Stored},
    homogeneity::homogeneity,
    image::{CROP_MULTIPLE, CroppedImage, DecodeOptions, DecodedImage, decode},
    reconstruction::{Losses, Progress, Source, Stage, double_reconstruction, reconstructions},
    scan::{Found, recompressed_contrast, search},
    signal::{SignalKind, loss_ratio, signal},
    verdict::{Measured, Outcome, Reason, Verdict, decide},
    weights::{Manifest, Model},
};

/// The smallest side that a reconstruction makes sense for, in latents.
const MINIMUM_LATENTS: usize = 4;

/// Everything a check found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    pub reason: Option<Reason>,
    /// What the outcome rests on, if the model is calibrated for such images.
    #[serde(default)]
    pub evidence: Option<Evidence>,
    /// What a search of the grid found, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<Found>,
    /// Other distances of the two reconstructions than the losses, where they were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distances: Option<[Distances; 2]>,
    /// What was done to the image that a person should know, as plain sentences.
    pub notes: Vec<String>,
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
            shorter_side: image.checked_width.min(image.checked_height),
            compression: image.compression,
            whole_grid: [image.width, image.height].iter().all(|side| side.is_multiple_of(CROP_MULTIPLE)),
            contrast: self.search.as_ref().map(|found| found.contrast),
            recompressed: self.search.as_ref().and_then(|found| found.recompressed),
        };
        let Verdict { outcome, reason, evidence } = decide(&measured, calibration);
        let judged = evidence.as_ref().filter(|evidence| evidence.signal_name == self.signal_kind.symbol());
        let threshold =
            |calibration: &Calibration| judged.map_or(calibration.as_written.threshold, |own| own.threshold);
        self.threshold = calibration.map(threshold);
        (self.outcome, self.reason, self.evidence) = (outcome, reason, evidence);
        Ok(())
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelLine {
    pub id: String,
    pub name: String,
    /// Generators whose images its decoder paints.
    #[serde(default)]
    pub serves: Vec<String>,
    /// Ids of models that a check cannot tell from this one.
    #[serde(default)]
    pub shares: Vec<String>,
}

impl ModelLine {
    fn of(manifest: &Manifest) -> Self {
        let Manifest { id, name, serves, shares, .. } = manifest.clone();
        ModelLine { id, name, serves, shares }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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

/// Of reports that were written before it was known.
fn lossless() -> Compression {
    Compression::Lossless
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
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
    report(model, image, image, None, false, progress).await
}

/// As [`check_image`], and takes the other distances as well.
///
/// # Errors
/// As [`check`].
pub async fn check_distances(model: &Model, image: &DecodedImage, progress: &mut impl Progress) -> Result<CheckReport> {
    report(model, image, image, None, true, progress).await
}

/// Searches where the image lies on the grid that it may have been painted on, and checks it there: many times the work
/// of [`check_image`].
///
/// # Errors
/// As [`check`], and those of [`search`].
pub async fn check_searched(model: &Model, image: &DecodedImage, progress: &mut impl Progress) -> Result<CheckReport> {
    let found = search(model, image, &mut Part { progress, from: 0.0, to: SEARCHING }).await?;
    let aligned = found.alignment.undo(image)?;
    let mut report =
        report(model, image, &aligned, Some(found.clone()), false, &mut Part { progress, from: SEARCHING, to: 0.97 })
            .await?;
    if report.outcome == Outcome::Matches {
        let part = &mut Part { progress, from: 0.97, to: 1.0 };
        let contrast = recompressed_contrast(model, image, &found, part).await?;
        report.search = Some(Found { recompressed: Some(contrast), ..found });
        report.judge(model.calibration.as_ref())?;
    }
    Ok(report)
}

/// The share of a searched check that the search takes, about.
const SEARCHING: f64 = 0.9;

/// Progress of one part of the work, in the share of the whole that it has.
struct Part<'a, P> {
    progress: &'a mut P,
    from: f64,
    to: f64,
}

impl<P: Progress> Progress for Part<'_, P> {
    async fn report(&mut self, fraction: f64, stage: Stage) -> bool {
        self.progress.report(self.from + fraction * (self.to - self.from), stage).await
    }
}

/// Checks `aligned`, which is the `image` as it is or as a search found it.
async fn report(
    model: &Model,
    image: &DecodedImage,
    aligned: &DecodedImage,
    found: Option<Found>,
    with_distances: bool,
    progress: &mut impl Progress,
) -> Result<CheckReport> {
    let cropped = aligned.cropped(&model.manifest.architecture);
    let minimum = MINIMUM_LATENTS * cropped.multiple;
    if cropped.width.min(cropped.height) < minimum {
        let (width, height) = (image.width.into(), image.height.into());
        return Err(Error::ImageTooSmall { width, height, minimum: minimum as u64 });
    }
    // No larger than the image's own.
    let (width, height) = (cropped.width as u32, cropped.height as u32);
    // Asked for now, so that the next answer is this check's.
    Gpu::memory();
    let (losses, distances) = if with_distances {
        let made = reconstructions(model, &cropped, progress).await?;
        let size = cropped.size();
        let image = cropped.rows(0..size[1]);
        (made.losses, Some([distances(&image, &made.first, size)?, distances(&made.first, &made.second, size)?]))
    } else {
        (double_reconstruction(model, &cropped, progress).await?, None)
    };
    let map_bytes = (model.device.kind == DeviceKind::WebGpu).then(|| Gpu::memory().1);
    let homogeneity = homogeneity(&aligned.grey, aligned.width as usize)?;
    let maps = match model.maps {
        Stored::F32 => "f32",
        Stored::F16 => "f16",
    };
    let mut report = CheckReport {
        model: ModelLine::of(&model.manifest),
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
        search: found,
        distances,
        notes: notes(aligned, &cropped),
        device: DeviceLine {
            kind: model.device.kind,
            adapter: model.device.adapter.clone(),
            maps: maps.into(),
            map_bytes,
        },
    };
    report.judge(model.calibration.as_ref())?;
    Ok(report)
}

fn notes(image: &DecodedImage, cropped: &CroppedImage<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    let CroppedImage { width, height, multiple, .. } = *cropped;
    if (width, height) != (image.width as usize, image.height as usize) {
        notes.push(format!(
            "The image's sides are not multiples of {multiple}, so its right and bottom edges were left out: \
             {width} × {height} of {} × {} pixels were checked.",
            image.width, image.height
        ));
    }
    if image.orientation_ignored {
        notes.push("The file asks to be shown turned; its pixels were checked as they are stored.".into());
    }
    match image.compression {
        Compression::Jpeg(quality) => notes.push(format!(
            "JPEG compression changes pixels and can hide a match. This file's quality is {quality} of 100."
        )),
        Compression::Lossy => {
            notes.push(format!("{} compression changes pixels and can hide a match.", image.format));
        }
        Compression::Lossless => {}
    }
    notes
}
