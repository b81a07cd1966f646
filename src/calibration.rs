//! Thresholds: what the signal of images that are known to belong says about any other image.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Points of the grid that the density is evaluated on (reference README, step 3).
const GRID: usize = 10_000;

/// The version of the calibration file's format.
pub const FORMAT_VERSION: u32 = 1;

/// What is known about a model's signal. Outcomes are decided by [`crate::verdict`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// Id of the model this was measured for.
    pub model: String,
    /// The method's decision limit τ: images with t < τ belong.
    pub threshold: f64,
    /// The share of belonging images that τ leaves out.
    pub alpha: f64,
    /// Where τ lies with 95 % confidence, by drawing the belonging images anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold_interval: Option<[f64; 2]>,
    /// Signals from here on, up to `uncertain_to`, are too near to τ to say either way.
    pub uncertain_from: f64,
    pub uncertain_to: f64,
    /// Images that the threshold was measured on.
    pub belonging_count: usize,
    /// Images that do not belong, for the lower end of the uncertain range.
    pub other_count: usize,
    /// The shorter side, in pixels, of the smallest image measured: smaller ones get no verdict.
    pub minimum_side: u32,
    /// The most homogeneous image measured: flatter ones get no verdict.
    pub maximum_homogeneity: f64,
    /// How it was measured, in words.
    pub source: String,
}

impl Calibration {
    /// Reads and validates a calibration file.
    ///
    /// # Errors
    /// [`Error::ManifestInvalid`].
    pub fn parse(text: &str) -> Result<Self> {
        let calibration: Calibration = serde_json::from_str(text).map_err(|error| invalid(error.to_string()))?;
        calibration.validate()?;
        Ok(calibration)
    }

    /// # Errors
    /// [`Error::ManifestInvalid`] for another version, or limits that make no sense.
    pub(crate) fn validate(&self) -> Result<()> {
        let Calibration { format_version, threshold, alpha, uncertain_from, uncertain_to, .. } = *self;
        if format_version != FORMAT_VERSION {
            return Err(invalid(format!("its format version is {format_version}, and {FORMAT_VERSION} is understood")));
        }
        // Written so that a NaN fails too.
        let ordered = 0.0 < uncertain_from && uncertain_from <= threshold && threshold <= uncertain_to;
        if !(ordered && uncertain_to.is_finite() && 0.0 < alpha && alpha < 1.0) {
            return Err(invalid("its threshold, uncertain range or α make no sense".into()));
        }
        if self.threshold_interval.is_some_and(|[low, high]| !(low.is_finite() && low <= high && high.is_finite())) {
            return Err(invalid("its threshold_interval is no interval".into()));
        }
        Ok(())
    }

    /// The calibration as it is stored.
    pub fn to_json(&self) -> String {
        // A struct of strings and finite numbers always has a JSON form.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
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

/// What was measured on one image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// t.
    pub signal: f64,
    /// H.
    pub homogeneity: f64,
    /// Pixels of the shorter side, as it was checked.
    pub shorter_side: u32,
}

/// The share of images that do not belong which may lie below the uncertain range: falsely attributed, 1 %.
const FALSE_ATTRIBUTION: f64 = 0.01;

/// Calibrates a model from images that belong and images that do not. τ is [`threshold`]; between it and the signal
/// below which 1 % of the others lie there is no verdict, whichever of the two is smaller. The interval of τ is not
/// computed here but by [`threshold_interval`].
///
/// # Errors
/// [`Error::BadNumbers`] for fewer than two belonging images or none of the others, and those of [`threshold`].
pub fn calibrate(
    model: &str,
    belonging: &[Measured],
    others: &[Measured],
    alpha: f64,
    source: &str,
) -> Result<Calibration> {
    let signals: Vec<f64> = belonging.iter().map(|image| image.signal).collect();
    let threshold = threshold(&signals, alpha)?;
    let lowest_other = quantile(others.iter().map(|image| image.signal).collect(), FALSE_ATTRIBUTION)?;
    let all = || belonging.iter().chain(others);
    let calibration = Calibration {
        format_version: FORMAT_VERSION,
        model: model.into(),
        threshold,
        alpha,
        threshold_interval: None,
        uncertain_from: threshold.min(lowest_other),
        uncertain_to: threshold.max(lowest_other),
        belonging_count: belonging.len(),
        other_count: others.len(),
        minimum_side: all().map(|image| image.shorter_side).min().unwrap_or(0),
        maximum_homogeneity: all().map(|image| image.homogeneity).fold(0.0, f64::max),
        source: source.into(),
    };
    calibration.validate()?;
    Ok(calibration)
}

/// The value below which the share `at` of `values` lies: linear between neighbours, as NumPy's default.
///
/// # Errors
/// [`Error::BadNumbers`] for none, or values that are not finite.
pub fn quantile(mut values: Vec<f64>, at: f64) -> Result<f64> {
    if values.is_empty() || !values.iter().all(|value| value.is_finite()) {
        let detail = format!("{} signals are none, or not all of them are numbers", values.len());
        return Err(Error::BadNumbers { what: "the other images".into(), detail });
    }
    values.sort_by(f64::total_cmp);
    let position = at.clamp(0.0, 1.0) * (values.len() - 1) as f64;
    let below = values[position.floor() as usize];
    let above = values[position.ceil() as usize];
    Ok(below + (above - below) * position.fract())
}

/// Where τ lies with 95 % confidence: between the 2.5 % and 97.5 % quantiles of the thresholds of as many signals drawn
/// anew with replacement, `draws` times. `pick(n)` gives a random number below n.
///
/// # Errors
/// Those of [`threshold`].
pub fn threshold_interval(
    signals: &[f64],
    alpha: f64,
    draws: usize,
    mut pick: impl FnMut(usize) -> usize,
) -> Result<[f64; 2]> {
    // What is wrong with the signals is told here; a draw may by chance be all one signal, and is passed over.
    threshold(signals, alpha)?;
    let mut thresholds = Vec::with_capacity(draws);
    for _ in 0..draws {
        let drawn: Vec<f64> = signals.iter().filter_map(|_| signals.get(pick(signals.len()))).copied().collect();
        thresholds.extend(threshold(&drawn, alpha));
    }
    Ok([quantile(thresholds.clone(), 0.025)?, quantile(thresholds, 0.975)?])
}

/// τ: the (1 − α) quantile of a Gaussian kernel density (Scott's factor, as `scipy.stats.gaussian_kde`)
/// over the signals of belonging images. The density is taken on 10 000 points from min − σ to max + σ,
/// σ with ddof 1; its normalised cumulative sum is inverted by linear interpolation.
///
/// # Errors
/// [`Error::BadNumbers`] for fewer than two signals, signals that are all alike or not finite, or an α
/// outside (0, 1).
pub fn threshold(signals: &[f64], alpha: f64) -> Result<f64> {
    let bad = |detail: String| Err(Error::BadNumbers { what: "the calibration".into(), detail });
    if !(alpha > 0.0 && alpha < 1.0) {
        return bad(format!("α = {alpha} is not between 0 and 1"));
    }
    if signals.len() < 2 {
        return bad(format!("{} images are too few, at least 2 are needed", signals.len()));
    }
    if let Some(signal) = signals.iter().find(|signal| !signal.is_finite()) {
        return bad(format!("{signal} is no signal"));
    }
    let count = signals.len() as f64;
    let mean = signals.iter().sum::<f64>() / count;
    let deviation = (signals.iter().map(|t| (t - mean).powi(2)).sum::<f64>() / (count - 1.0)).sqrt();
    if deviation <= 0.0 {
        return bad("all signals are the same".into());
    }
    let bandwidth = deviation * count.powf(-0.2);
    let lowest = signals.iter().copied().fold(f64::INFINITY, f64::min) - deviation;
    let highest = signals.iter().copied().fold(f64::NEG_INFINITY, f64::max) + deviation;
    let step = (highest - lowest) / (GRID - 1) as f64;
    let point = |index: usize| if index + 1 == GRID { highest } else { lowest + step * index as f64 };
    // Constant factors of the density cancel when its sum is normalised.
    let density = |x: f64| signals.iter().map(|t| (-0.5 * ((x - t) / bandwidth).powi(2)).exp()).sum::<f64>();
    let mut sum = 0.0;
    let cumulative: Vec<f64> = (0..GRID)
        .map(|index| {
            sum += density(point(index));
            sum
        })
        .collect();
    let wanted = (1.0 - alpha) * sum;
    let after = cumulative.partition_point(|&value| value <= wanted);
    if after == 0 || after == GRID {
        return Ok(point(after.min(GRID - 1)));
    }
    let (below, above) = (cumulative[after - 1], cumulative[after]);
    Ok(point(after - 1) + (wanted - below) / (above - below) * step)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn measured(signal: f64) -> Measured {
        Measured { signal, homogeneity: signal / 10.0, shorter_side: 100 + signal as u32 }
    }

    #[test]
    fn nothing_between_what_belongs_and_what_does_not_gets_a_verdict() {
        let belonging: Vec<Measured> = (0..50).map(|i| measured(0.5 + f64::from(i) / 100.0)).collect();
        let others: Vec<Measured> = (0..101).map(|i| measured(3.0 + f64::from(i))).collect();
        let apart = calibrate("m", &belonging, &others, 0.05, "test").unwrap();
        assert_eq!((apart.uncertain_from, apart.uncertain_to), (apart.threshold, 4.0));
        assert_eq!((apart.belonging_count, apart.other_count, apart.minimum_side), (50, 101, 100));
        assert!((apart.maximum_homogeneity - 10.3).abs() < 1e-12);
        // Where they overlap, verdicts end where 1 % of the others would be attributed.
        let near: Vec<Measured> = (0..101).map(|i| measured(0.7 + f64::from(i))).collect();
        let mixed = calibrate("m", &belonging, &near, 0.05, "test").unwrap();
        assert!(mixed.uncertain_to > mixed.uncertain_from);
        assert!(calibrate("m", &belonging, &[], 0.05, "test").is_err());
    }

    #[test]
    fn quantiles_are_numpys() {
        // numpy.quantile([3, 1, 2, 10], q)
        for (at, expected) in [(0.0, 1.0), (0.01, 1.03), (0.5, 2.5), (0.9, 7.9), (1.0, 10.0)] {
            assert!((quantile(vec![3.0, 1.0, 2.0, 10.0], at).unwrap() - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn the_interval_surrounds_the_threshold_and_narrows() {
        let signals = |count: usize| -> Vec<f64> { (0..count).map(|i| (i as f64 * 0.618).fract() + 1.0).collect() };
        let mut state = 1u64;
        let mut pick = |below: usize| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) as usize % below
        };
        let mut width = |count: usize| {
            let signals = signals(count);
            let [low, high] = threshold_interval(&signals, 0.05, 60, &mut pick).unwrap();
            let tau = threshold(&signals, 0.05).unwrap();
            assert!(low < tau && tau < high, "{low} {tau} {high}");
            high - low
        };
        assert!(width(20) > 1.5 * width(200));
    }

    #[test]
    fn useless_input_is_refused() {
        for (signals, alpha) in [
            (vec![], 0.05),
            (vec![1.0], 0.05),
            (vec![1.0, 1.0], 0.05),
            (vec![1.0, f64::NAN], 0.05),
            (vec![1.0, 2.0], 0.0),
            (vec![1.0, 2.0], 1.0),
            (vec![1.0, 2.0], f64::NAN),
        ] {
            assert_eq!(threshold(&signals, alpha).unwrap_err().code(), "bad_numbers");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

        /// Shifting and scaling the signals shifts and scales the threshold; a smaller α raises it.
        #[test]
        fn moves_with_the_signals(
            signals in proptest::collection::vec(0.5f64..3.0, 3..30), shift in -5.0f64..5.0, scale in 0.1f64..10.0,
        ) {
            let spread = signals.iter().fold(0.0f64, |spread, t| spread.max((t - signals[0]).abs()));
            prop_assume!(spread > 1e-3);
            let plain = threshold(&signals, 0.05)?;
            let moved: Vec<f64> = signals.iter().map(|t| t * scale + shift).collect();
            prop_assert!((threshold(&moved, 0.05)? - (plain * scale + shift)).abs() < 1e-7 * (1.0 + scale));
            prop_assert!(threshold(&signals, 0.005)? > plain);
        }
    }
}
