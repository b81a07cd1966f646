//! The report of a check: what one model said about one image, as data.

use serde::{Deserialize, Serialize};

use super::candidate::Candidate;
use crate::{
    Result,
    engine::device::DeviceKind,
    evidence::{
        calibration::{Calibration, Measurement},
        condition::{Evidence, Search},
        control::{self, ControlEvidence, ControlMeasurement},
        grid_search::{Alignment, Found},
        ranking::{self, ModelVerdict, Ranking},
        regions::{Region, Trace, WINDOWS},
        verdict::{Measured, Outcome, Verdict, decide},
    },
    image::{CROP_MULTIPLE, compression::Compression, orientation::Orientation},
    message::Message,
    method::{
        distance::Distances,
        orientation_control::{Comparison, OrientationControl, RobustSignal},
        reconstruction::Losses,
        signal::SignalKind,
    },
    weights::{Precision, Shard},
};

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
    pub reason: Option<Message>,
    /// What the outcome rests on, if the model is calibrated for such images: of several conditions that the image falls
    /// under, the one that speaks most against the outcome.
    #[serde(default)]
    pub evidence: Option<Evidence>,
    /// The other conditions that the image was judged by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(optional, as = "Option<Vec<Evidence>>"))]
    pub further_evidence: Vec<Evidence>,
    /// What the orientation control found; `None` in records of version 1.
    #[serde(default)]
    pub control: Option<ControlLine>,
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
    pub notes: Vec<Message>,
    pub device: DeviceLine,
}

impl CheckReport {
    /// Derives the verdict from what was measured: anew, if the report has one from another calibration.
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
            control: self.judge_control(calibration)?,
        };
        let Verdict { outcome, reason, evidence } = decide(&measured, calibration);
        let mut evidence = evidence.into_iter();
        (self.outcome, self.reason, self.evidence) = (outcome, reason, evidence.next());
        let regions = self.control.iter().flat_map(|control| &control.regions);
        if regions.into_iter().any(|region| region.trace == Trace::Present) {
            let message = "a part of the image shows this model's trace, and the rest does not";
            (self.outcome, self.reason) = (Outcome::CannotTell, Some(Message::new("traced_part", message)));
        }
        self.further_evidence = evidence.collect();
        let judged = self.evidence.as_ref().filter(|evidence| evidence.signal_name == self.signal_kind.symbol());
        let as_written = || calibration.and_then(Calibration::as_written).map(|condition| condition.threshold);
        self.threshold = judged.map(|evidence| evidence.threshold).or_else(as_written);
        Ok(())
    }

    /// Judges by the two losses alone, as programs did that had no orientation control.
    ///
    /// # Errors
    /// As [`CheckReport::judge`].
    pub fn judge_without_control(&mut self, calibration: Option<&Calibration>) -> Result<()> {
        self.control = None;
        self.judge(calibration)
    }

    /// What the control says by this calibration.
    pub(super) fn judge_control(&mut self, calibration: Option<&Calibration>) -> Result<Option<ControlEvidence>> {
        let Some(measured) = self.control_measurement() else { return Ok(None) };
        let mut evidence = control::evidence(&measured, calibration.and_then(|known| known.control.as_ref()))?;
        if let (Some(evidence), Some(found)) = (&mut evidence, &self.search) {
            // The place was chosen among so many.
            evidence.other_share = (evidence.other_share * found.tried as f64).min(1.0);
        }
        if let Some(line) = &mut self.control {
            line.evidence = evidence;
        }
        Ok(evidence)
    }

    /// What a calibration of the control takes.
    fn control_measurement(&self) -> Option<ControlMeasurement> {
        let ControlLine { robust, windows, .. } = *self.control.as_ref()?;
        let sides = [self.image.checked_width, self.image.checked_height];
        Some(ControlMeasurement { sides, robust, losses: self.losses.into(), windows })
    }

    /// The evidence under every condition that the image was judged by.
    pub fn all_evidence(&self) -> impl Iterator<Item = &Evidence> {
        self.evidence.iter().chain(&self.further_evidence)
    }

    /// The numbers that a calibration takes.
    pub fn measurement(&self) -> Measurement<'_> {
        Measurement {
            model: &self.model.id,
            losses: self.losses.into(),
            homogeneity: self.homogeneity,
            shorter_side: self.image.shorter_side(),
            compression: self.image.compression,
            control: self.control_measurement(),
        }
    }

    /// The verdict that a ranking takes.
    fn model_verdict(&self) -> ModelVerdict {
        ModelVerdict {
            id: self.model.id.clone(),
            shares: self.model.shares.clone(),
            weights: self.model.shards.iter().map(|shard| shard.sha256.clone()).collect(),
            signal: self.signal,
            threshold: self.threshold,
            outcome: self.outcome,
            reason: self.reason.clone(),
            evidence: self.all_evidence().cloned().collect(),
            control: self.control.as_ref().and_then(|control| control.evidence),
        }
    }

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
    pub(super) fn of(candidate: &Candidate) -> Self {
        let manifest = candidate.model.manifest.clone();
        ModelLine {
            id: manifest.id,
            name: manifest.name,
            serves: manifest.serves,
            shares: manifest.shares,
            precision: Some(manifest.precision),
            shards: manifest.shards,
            calibration_sha256: candidate.calibration.as_ref().map(Calibration::sha256),
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

/// The value for reports that were written before it was recorded.
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

/// The orientation control: the image's reconstruction compared with those of the same image turned or mirrored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ControlLine {
    /// What the image was compared with.
    pub orientations: Vec<Orientation>,
    /// S, the published formula: about zero for a foreign image. `None` where there was no error at all.
    pub s: Option<f64>,
    /// S in relation to each orientation alone; the half turn's is S180.
    pub by_orientation: Vec<Option<f64>>,
    /// The share of the tiles of 16 pixels that come back best as they are; by chance 1 / (1 + orientations).
    pub share: f64,
    /// The robust S, on which the evidence rests.
    pub robust: RobustSignal,
    /// The root mean squares of the robust S over windows of 64 and of 128 pixels; `None` for smaller images.
    pub windows: [Option<f64>; 2],
    /// What it says; `None` for an image too small for it.
    pub evidence: Option<ControlEvidence>,
    /// Parts of the image that differ from the rest.
    pub regions: Vec<Region>,
}

impl ControlLine {
    /// Without evidence and regions.
    pub(super) fn of(control: &OrientationControl, compared: &Comparison) -> Option<Self> {
        let orientations: Vec<Orientation> = control.orientations().collect();
        Some(ControlLine {
            s: control.signal(),
            by_orientation: orientations.iter().map(|&orientation| control.signal_of(orientation)).collect(),
            share: control.share(),
            robust: compared.robust()?,
            windows: WINDOWS.map(|side| compared.windows(side).root_mean_square()),
            evidence: None,
            regions: Vec::new(),
            orientations,
        })
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

/// The ranking of the models that reported on one image.
pub fn rank(reports: &[CheckReport]) -> Ranking {
    ranking::rank(&reports.iter().map(CheckReport::model_verdict).collect::<Vec<_>>())
}
