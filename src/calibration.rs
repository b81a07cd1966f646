//! What is known about a model's signal: images that belong and images that do not, as they were written, compressed,
//! and after the search of the grid. Outcomes are decided by [`crate::verdict`].

use serde::{Deserialize, Serialize};

use crate::{
    Error, Result,
    check::CheckReport,
    compression::Compression,
    density::{BELIEVABLE, Sample, threshold},
    signal::SignalKind,
    weights::sha256_hex,
};

/// The version of the calibration file's format.
pub const FORMAT_VERSION: u32 = 3;

/// The share of images that do not belong which may be attributed to a model: 1 %. Of several models that are asked,
/// each gets an equal part of it ([`crate::ranking`]).
pub const FALSE_ATTRIBUTION: f64 = 0.01;

/// Images of each kind that a calibration made of reports needs at least: fewer say nothing about rare mistakes.
pub const FEWEST_IMAGES: usize = 20;

/// A calibration from reports of images that belong to a model and of others, as they were written: for people who
/// calibrate in the page.
///
/// # Errors
/// [`Error::BadNumbers`] for fewer than [`FEWEST_IMAGES`] of a kind, images compressed with loss, reports of another
/// model, and those of [`Condition::of`].
pub fn from_reports(
    model: &str,
    belonging: &[CheckReport],
    others: &[CheckReport],
    alpha: f64,
    source: &str,
) -> Result<Calibration> {
    let bad = |detail: String| Err(Error::BadNumbers { what: "the calibration".into(), detail });
    let all = || belonging.iter().chain(others);
    for (kind, count) in [("images that belong", belonging.len()), ("other images", others.len())] {
        if count < FEWEST_IMAGES {
            return bad(format!("{count} {kind} are too few, at least {FEWEST_IMAGES} are needed"));
        }
    }
    let lossy = all().filter(|report| report.image.compression != Compression::Lossless).count();
    if lossy > 0 {
        return bad(format!(
            "{lossy} of the images are compressed with loss, which moves the signal; PNG files are not"
        ));
    }
    if let Some(report) = all().find(|report| report.model.id != model) {
        return bad(format!("a report is about {:?}, not {model:?}", report.model.id));
    }
    let side = |report: &CheckReport| report.image.checked_width.min(report.image.checked_height);
    let calibration = best(&SignalKind::CALIBRATED, |signal| {
        let signals = |reports: &[CheckReport]| -> Result<Vec<f64>> {
            reports.iter().map(|report| signal.of(report.losses.into(), report.homogeneity)).collect()
        };
        Ok(Calibration {
            format_version: FORMAT_VERSION,
            model: model.into(),
            signal,
            alpha,
            minimum_side: all().map(side).min().unwrap_or(0),
            maximum_homogeneity: all().map(|report| report.homogeneity).fold(0.0, f64::max),
            source: source.into(),
            as_written: Condition::of(&signals(belonging)?, &signals(others)?, alpha)?,
            jpeg: Vec::new(),
            searched: None,
        })
    })?;
    calibration.validate()?;
    Ok(calibration)
}

/// Of calibrations for several signals, made of the same images, the one that finds most of those that belong; of equals
/// the first.
///
/// # Errors
/// The first of `make`'s, and [`Error::BadNumbers`] without a signal.
pub fn best(signals: &[SignalKind], make: impl FnMut(SignalKind) -> Result<Calibration>) -> Result<Calibration> {
    let made = signals.iter().copied().map(make).collect::<Result<Vec<_>>>()?;
    let better = |best: Calibration, other: Calibration| if other.found() > best.found() { other } else { best };
    let none = || Error::BadNumbers { what: "the calibration".into(), detail: "no signal to choose from".into() };
    made.into_iter().reduce(better).ok_or_else(none)
}

/// A model's calibration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// Id of the model this was measured for.
    pub model: String,
    /// The signal that was measured, one of [`SignalKind::CALIBRATED`].
    pub signal: SignalKind,
    /// The share of belonging images that τ leaves out; of compressed and searched ones it may be more.
    pub alpha: f64,
    /// The shorter side, in pixels, of the smallest image measured: smaller ones get no verdict.
    pub minimum_side: u32,
    /// The most homogeneous image measured: flatter ones get no verdict.
    pub maximum_homogeneity: f64,
    /// How it was measured, in words.
    pub source: String,
    /// Signals of images as they were written, without loss.
    pub as_written: Condition,
    /// Signals of the same images after JPEG, the qualities ascending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub jpeg: Vec<JpegCondition>,
    /// Contrasts that the search of the grid ([`crate::scan`]) finds in images that were cropped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub searched: Option<Condition>,
}

/// What was measured on images that all went through the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The decision limit τ: images with a smaller signal belong (reference README, step 3).
    pub threshold: f64,
    /// Where τ lies with 95 % confidence, by drawing the belonging images anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold_interval: Option<[f64; 2]>,
    pub belonging: Sample,
    pub others: Sample,
}

/// Of images after JPEG.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JpegCondition {
    /// 1 to 100.
    pub quality: u8,
    pub condition: Condition,
}

/// How the signals of both kinds of images are distributed: curves to draw.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Distribution {
    /// Where the densities are given, ascending, evenly spaced in their logarithms.
    pub signals: Vec<f64>,
    /// Densities over the logarithm of the signal.
    pub belonging: Vec<f64>,
    pub others: Vec<f64>,
}

/// Points of a curve.
const CURVE: usize = 121;

impl JpegCondition {
    /// As [`Evidence::condition`] names it.
    pub fn title(&self) -> String {
        format!("JPEG {}", self.quality)
    }
}

/// How [`Evidence::condition`] names images as they were written.
pub const AS_WRITTEN: &str = "as written";
/// How it names those that were searched for their grid.
pub const SEARCHED: &str = "searched";

/// What a signal says, by a condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Evidence {
    /// What was compared: "s", "t" or "L1/L2", or after a search "contrast".
    pub signal_name: String,
    pub signal: f64,
    /// The images that it was compared with: "as written", "JPEG 85" or "searched".
    pub condition: String,
    /// τ.
    pub threshold: f64,
    /// Signals between these are too near to τ, or where both kinds of images have theirs.
    pub uncertain: [f64; 2],
    /// The p-value under "belongs": the share of belonging images whose signal is as large or larger. Estimated by a
    /// density; below one in as many images as were measured it is a guess at a tail, and is shown as "fewer than".
    pub belonging_share: f64,
    /// The share of images that do not belong whose signal is as small or smaller, estimated alike.
    pub other_share: f64,
    /// How many times likelier the signal is if the image belongs. Not beyond what so many images can show.
    pub likelihood_ratio: f64,
    pub belonging_count: usize,
    pub other_count: usize,
}

/// Where a signal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Belongs,
    Between,
    Apart,
}

impl Condition {
    /// From signals of belonging images and of others. The interval of τ is not computed here but by
    /// [`crate::density::threshold_interval`].
    ///
    /// # Errors
    /// [`Error::BadNumbers`] for fewer than two belonging images, none of the others, or signals that are no positive
    /// numbers.
    pub fn of(belonging: &[f64], others: &[f64], alpha: f64) -> Result<Self> {
        Ok(Condition {
            threshold: threshold(belonging, alpha)?,
            threshold_interval: None,
            belonging: Sample::of(belonging)?,
            others: Sample::of(others)?,
        })
    }

    /// A signal belongs below τ, where also no more than the share [`FALSE_ATTRIBUTION`] of the others lies; it is apart
    /// from τ on, where more of them lie.
    pub fn standing(&self, signal: f64) -> Standing {
        match (signal < self.threshold, signal < self.lowest_others()) {
            (true, true) => Standing::Belongs,
            (false, false) => Standing::Apart,
            _ => Standing::Between,
        }
    }

    /// Where the lowest others end that may be attributed.
    fn lowest_others(&self) -> f64 {
        self.others.quantile(FALSE_ATTRIBUTION)
    }

    /// All that the condition says of a signal.
    pub fn evidence(&self, signal: f64, signal_name: &str, condition: String) -> Evidence {
        let (belonging_count, other_count) = (self.belonging.count, self.others.count);
        // What so many images cannot show is not claimed, however the tails of the densities run.
        let [rarest, rarest_other] = [belonging_count, other_count].map(|count| 1.0 / (count as f64 + 1.0));
        let densities = [&self.belonging, &self.others].map(|sample| sample.density(signal).max(f64::MIN_POSITIVE));
        let limit = self.lowest_others();
        Evidence {
            signal_name: signal_name.into(),
            signal,
            condition,
            threshold: self.threshold,
            uncertain: [self.threshold.min(limit), self.threshold.max(limit)],
            belonging_share: self.belonging.share_above(signal),
            other_share: self.others.share_below(signal),
            likelihood_ratio: (densities[0] / densities[1]).clamp(rarest, 1.0 / rarest_other),
            belonging_count,
            other_count,
        }
    }

    /// Both densities, from where the first of them begins to where the last ends.
    pub fn distribution(&self) -> Distribution {
        // Beyond these shares curves lie on the axis.
        let ends = [&self.belonging, &self.others].map(|sample| [sample.quantile(1e-3), sample.quantile(1.0 - 1e-3)]);
        let (low, high) = (ends[0][0].min(ends[1][0]).ln(), ends[0][1].max(ends[1][1]).ln());
        let step = (high - low) / (CURVE - 1) as f64;
        let signals: Vec<f64> = (0..CURVE).map(|index| (low + step * index as f64).exp()).collect();
        let densities = |sample: &Sample| signals.iter().map(|&signal| sample.density(signal)).collect();
        Distribution { belonging: densities(&self.belonging), others: densities(&self.others), signals }
    }

    fn is_valid(&self) -> bool {
        let interval = self.threshold_interval.is_none_or(|[low, high]| 0.0 < low && low <= high && high.is_finite());
        interval && BELIEVABLE.contains(&self.threshold) && self.belonging.is_valid() && self.others.is_valid()
    }
}

impl Calibration {
    /// Reads and validates a calibration file.
    ///
    /// # Errors
    /// [`Error::ManifestInvalid`].
    pub fn parse(text: &str) -> Result<Self> {
        let version: serde_json::Value = serde_json::from_str(text).map_err(|error| invalid(error.to_string()))?;
        // Told before what an older or newer format lacks.
        let version = version.get("format_version").unwrap_or(&serde_json::Value::Null);
        if version.as_u64() != Some(FORMAT_VERSION.into()) {
            return Err(invalid(format!("its format version is {version}, and {FORMAT_VERSION} is understood")));
        }
        let calibration: Calibration = serde_json::from_str(text).map_err(|error| invalid(error.to_string()))?;
        calibration.validate()?;
        Ok(calibration)
    }

    /// # Errors
    /// [`Error::ManifestInvalid`] for another version, or numbers that make no sense.
    pub(crate) fn validate(&self) -> Result<()> {
        if self.format_version != FORMAT_VERSION {
            let version = self.format_version;
            return Err(invalid(format!("its format version is {version}, and {FORMAT_VERSION} is understood")));
        }
        // Written so that a NaN fails too.
        if !(0.0 < self.alpha && self.alpha < 1.0 && self.maximum_homogeneity > 0.0) {
            return Err(invalid("its α or its highest homogeneity make no sense".into()));
        }
        if !SignalKind::CALIBRATED.contains(&self.signal) {
            return Err(invalid(format!("{} is no signal that verdicts can rest on", self.signal.formula())));
        }
        let jpeg = self.jpeg.iter().map(|jpeg| &jpeg.condition);
        if !std::iter::once(&self.as_written).chain(jpeg).chain(&self.searched).all(Condition::is_valid) {
            return Err(invalid("a threshold or signals of it make no sense".into()));
        }
        let ascending = self.jpeg.is_sorted_by(|a, b| a.quality < b.quality);
        if !ascending || self.jpeg.iter().any(|jpeg| !(1..=100).contains(&jpeg.quality)) {
            return Err(invalid("its qualities are not 1 to 100, each once, ascending".into()));
        }
        Ok(())
    }

    /// What `Evidence::condition` names.
    pub fn condition(&self, title: &str) -> Option<&Condition> {
        let jpeg = self.jpeg.iter().map(|jpeg| (jpeg.title(), &jpeg.condition));
        let searched = self.searched.iter().map(|condition| (SEARCHED.into(), condition));
        let mut all = jpeg.chain(searched).chain([(AS_WRITTEN.into(), &self.as_written)]);
        all.find(|(found, _)| found == title).map(|(_, condition)| condition)
    }

    /// Of its canonical form, however the file is written: lower-case hexadecimal.
    pub fn sha256(&self) -> String {
        sha256_hex(self.to_json().as_bytes())
    }

    /// The share of its own belonging images that it finds, over all conditions that a signal is judged by.
    fn found(&self) -> f64 {
        let conditions = || self.jpeg.iter().map(|jpeg| &jpeg.condition).chain([&self.as_written]);
        let found = |condition: &Condition| {
            let signals = &condition.belonging.signals;
            let belong = signals.iter().filter(|&&signal| condition.standing(signal) == Standing::Belongs);
            belong.count() as f64 / signals.len().max(1) as f64
        };
        conditions().map(found).sum::<f64>() / conditions().count() as f64
    }

    /// The calibration as it is stored.
    pub fn to_json(&self) -> String {
        // A struct of strings and finite numbers always has a JSON form.
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }

    /// # Errors
    /// [`Error::ManifestInvalid`] if it was measured for another model.
    pub fn check_model(&self, id: &str) -> Result<()> {
        if self.model == id {
            return Ok(());
        }
        Err(invalid(format!("it was measured for the model {:?}, not {id:?}", self.model)))
    }
}

fn invalid(detail: String) -> Error {
    Error::ManifestInvalid { file: "the calibration".into(), detail }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn condition(others_from: f64) -> Condition {
        let belonging: Vec<f64> = (0..50).map(|i| 0.5 + f64::from(i) / 100.0).collect();
        let others: Vec<f64> = (0..101).map(|i| others_from + f64::from(i) / 10.0).collect();
        Condition::of(&belonging, &others, 0.05).unwrap()
    }

    #[test]
    fn nothing_between_the_two_kinds_gets_a_verdict_and_nothing_where_they_overlap() {
        let apart = condition(3.0);
        assert_eq!(apart.standing(0.7), Standing::Belongs);
        assert_eq!(apart.standing(1.5), Standing::Between);
        assert_eq!(apart.standing(5.0), Standing::Apart);
        let mixed = condition(0.7);
        assert_eq!(
            [0.2, 0.8, 1.2].map(|signal| mixed.standing(signal)),
            [Standing::Belongs, Standing::Between, Standing::Apart]
        );
        assert!(Condition::of(&[1.0, 2.0], &[], 0.05).is_err());
    }

    #[test]
    fn the_signal_that_finds_most_is_chosen_and_of_equals_the_first() {
        let calibration = |signal, others_from: f64| Calibration {
            format_version: FORMAT_VERSION,
            model: "test".into(),
            signal,
            alpha: 0.05,
            minimum_side: 64,
            maximum_homogeneity: 1.0,
            source: String::new(),
            as_written: condition(others_from),
            jpeg: Vec::new(),
            searched: None,
        };
        // The ratio's others begin among the images that belong.
        let starts = |signal| calibration(signal, if signal == SignalKind::Ratio { 0.6 } else { 3.0 });
        let chosen = |signals: &[SignalKind]| best(signals, |signal| Ok(starts(signal))).unwrap().signal;
        assert_eq!(chosen(&[SignalKind::Ratio, SignalKind::Weighed, SignalKind::Paper]), SignalKind::Weighed);
        assert_eq!(chosen(&[SignalKind::Paper, SignalKind::Weighed]), SignalKind::Paper);
        assert_eq!(chosen(&[SignalKind::Ratio]), SignalKind::Ratio);
        assert!(best(&[], |signal| Ok(starts(signal))).is_err());
    }

    #[test]
    fn curves_are_densities_over_logarithms() {
        let Distribution { signals, belonging, others } = condition(3.0).distribution();
        for density in [&belonging, &others] {
            let step = (signals[1] / signals[0]).ln();
            let area: f64 = density.iter().sum::<f64>() * step;
            assert!((area - 1.0).abs() < 0.01, "{area}");
        }
        assert!(signals[0] < 0.5 && signals[signals.len() - 1] > 13.0 && signals.is_sorted());
        let peak =
            |density: &[f64]| signals[(0..density.len()).max_by(|&a, &b| density[a].total_cmp(&density[b])).unwrap()];
        assert!((0.5..1.0).contains(&peak(&belonging)) && (3.0..13.0).contains(&peak(&others)));
    }

    #[test]
    fn evidence_claims_no_more_than_the_images_show() {
        let condition = condition(3.0);
        let evidence = |signal| condition.evidence(signal, "t", "as written".into());
        let low = evidence(0.4);
        assert_eq!(low.likelihood_ratio, 102.0);
        let high = evidence(9.0);
        assert_eq!(high.likelihood_ratio, 1.0 / 51.0);
        assert!(high.other_share > 0.5 && low.belonging_share > 0.95);
        assert!(low.other_share < 1e-3 && high.belonging_share < 1e-3);
        assert_eq!(low.uncertain, high.uncertain);
    }

    proptest! {
        /// Signals that are said to belong hold the share that is promised, whatever the samples.
        #[test]
        fn what_belongs_has_few_others_below(
            belonging in prop::collection::vec(0.1f64..3.0, 3..20),
            others in prop::collection::vec(0.1f64..9.0, 1..40),
            signal in 0.05f64..10.0,
        ) {
            prop_assume!(belonging.iter().any(|t| (t - belonging[0]).abs() > 1e-3));
            let condition = Condition::of(&belonging, &others, 0.05)?;
            let [from, to] = condition.evidence(signal, "t", String::new()).uncertain;
            let expected = if signal < from {
                Standing::Belongs
            } else if signal >= to {
                Standing::Apart
            } else {
                Standing::Between
            };
            prop_assert_eq!(condition.standing(signal), expected);
            if condition.standing(signal) == Standing::Belongs {
                prop_assert!(condition.others.share_below(signal) <= FALSE_ATTRIBUTION + 1e-9);
            }
        }
    }
}
