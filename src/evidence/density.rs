//! Samples of signals: the method's threshold, quantiles, conformal shares, and densities to draw.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Points of the grid that the density is evaluated on (reference README, step 3).
const GRID: usize = 10_000;

/// The most signals that a sample keeps; of more, it keeps evenly spaced quantiles. With as many models as there are,
/// decisions rest on the rarest few of a thousand.
const KEPT: usize = 1000;

/// Signals outside this range are no measurements, and their densities would leave the range of floating-point numbers.
pub(crate) const BELIEVABLE: std::ops::RangeInclusive<f64> = 1e-12..=1e12;

/// The smallest bandwidth of a density, in natural logarithms.
const LEAST_BANDWIDTH: f64 = 0.02;

/// Positive signals of one kind of image, as a calibration keeps them, and their density: Gaussian kernels over their
/// logarithms, with Scott's factor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// Images that were measured.
    pub count: usize,
    /// Their signals, ascending; of more than 1000 the quantiles. Four significant digits.
    pub signals: Vec<f64>,
}

impl Sample {
    /// # Errors
    /// [`Error::BadNumbers`] for none, or signals that are not positive numbers.
    pub fn of(signals: &[f64]) -> Result<Self> {
        if signals.iter().any(|&signal| signal <= 0.0) {
            let detail = "a signal is not above 0".into();
            return Err(Error::BadNumbers { what: "the sample".into(), detail });
        }
        let kept = signals.len().clamp(1, KEPT);
        let at = |index: usize| if kept == 1 { 0.5 } else { index as f64 / (kept as f64 - 1.0) };
        let quantiles = (0..kept).map(|index| Ok(rounded(quantile(signals.to_vec(), at(index))?)));
        Ok(Sample { count: signals.len(), signals: quantiles.collect::<Result<_>>()? })
    }

    pub(crate) fn is_valid(&self) -> bool {
        let believable = self.signals.iter().all(|signal| BELIEVABLE.contains(signal));
        let counted = !self.signals.is_empty() && self.signals.len() <= self.count.min(KEPT);
        believable && counted && self.signals.is_sorted()
    }

    /// (1 + k) / (n + 1), where k of the n images have a signal as small as this or smaller: (0, 1]. Where only
    /// quantiles are kept, never smaller than the share over all images.
    pub fn share_as_low(&self, signal: f64) -> f64 {
        self.share(self.signals.partition_point(|&own| own <= signal))
    }

    /// The same of signals as large or larger.
    pub fn share_as_high(&self, signal: f64) -> f64 {
        self.share(self.signals.len().saturating_sub(self.signals.partition_point(|&own| own < signal)))
    }

    /// The lowest signal whose [`Sample::share_as_low`] is above `share`, (0, 1); `None` if every signal's is, because
    /// there are too few images.
    pub fn first_as_low_above(&self, share: f64) -> Option<f64> {
        if self.share(0) > share {
            return None;
        }
        let mut counted = self.signals.iter().zip(1..);
        counted.find(|&(_, found)| self.share(found) > share).map(|(&signal, _)| signal)
    }

    /// The lowest signal whose [`Sample::share_as_high`] is `share` or less; `None` if no signal's is, because there are
    /// too few images.
    pub fn first_as_high_within(&self, share: f64) -> Option<f64> {
        let within = (0..self.signals.len()).rev().find(|&found| self.share(found) <= share)?;
        // One more than so many are as high as the signal before them.
        self.signals.iter().rev().nth(within).map(|signal| signal.next_up())
    }

    /// The conformal share of a signal if `found` of the kept signals are as extreme.
    fn share(&self, found: usize) -> f64 {
        let (count, kept) = (self.count as f64, self.signals.len());
        let as_extreme = if kept == self.count {
            found as f64
        } else if found == kept {
            count
        } else {
            // Quantiles: each may stand for all signals up to the next one.
            (found as f64 * (count - 1.0) / (kept as f64 - 1.0)).ceil().min(count)
        };
        (1.0 + as_extreme) / (count + 1.0)
    }

    /// The density at `signal`, over its logarithm.
    pub fn density(&self, signal: f64) -> f64 {
        let (at, bandwidth) = (logarithm(signal), self.bandwidth());
        let height = 1.0 / (bandwidth * std::f64::consts::TAU.sqrt());
        self.mean(|kernel| height * (-0.5 * ((at - kernel) / bandwidth).powi(2)).exp())
    }

    /// Signals beyond which the density is practically 0.
    pub(crate) fn ends(&self) -> [f64; 2] {
        let reach = 3.0 * self.bandwidth();
        let [low, high] = [self.signals.first(), self.signals.last()].map(|end| end.copied().map_or(0.0, logarithm));
        [(low - reach).exp(), (high + reach).exp()]
    }

    fn mean(&self, of: impl Fn(f64) -> f64) -> f64 {
        self.signals.iter().map(|&signal| of(logarithm(signal))).sum::<f64>() / self.signals.len().max(1) as f64
    }

    fn bandwidth(&self) -> f64 {
        let count = self.signals.len() as f64;
        let mean = self.mean(|kernel| kernel);
        let squares = self.signals.iter().map(|&signal| (logarithm(signal) - mean).powi(2)).sum::<f64>();
        let deviation = (squares / (count - 1.0).max(1.0)).sqrt();
        (deviation * (self.count as f64).powf(-0.2)).max(LEAST_BANDWIDTH)
    }
}

/// The logarithm of a value that may be 0, with a floor far below any signal.
pub(crate) fn logarithm(signal: f64) -> f64 {
    signal.max(1e-12).ln()
}

/// Rounds to four significant digits.
fn rounded(value: f64) -> f64 {
    let scale = 10f64.powf(3.0 - value.abs().log10().floor());
    (value * scale).round() / scale
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
    let position = at.clamp(0.0, 1.0) * (values.len() as f64 - 1.0);
    let near = |position: f64| values.get(position as usize).copied().unwrap_or(f64::NAN);
    let (below, above) = (near(position.floor()), near(position.ceil()));
    Ok(below + (above - below) * position.fract())
}

/// The 95 % confidence interval of τ: the 2.5 % and 97.5 % quantiles of the thresholds of `draws` samples, each of as
/// many signals drawn with replacement. `pick(n)` gives a random number below n.
///
/// # Errors
/// Those of [`threshold`].
pub fn threshold_interval(
    signals: &[f64],
    alpha: f64,
    draws: usize,
    mut pick: impl FnMut(usize) -> usize,
) -> Result<[f64; 2]> {
    // Bad signals are reported here. A draw may by chance repeat a single signal, and is then skipped.
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
    let point = |index: usize| if index == GRID - 1 { highest } else { lowest + step * index as f64 };
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
    let before = after.checked_sub(1).and_then(|index| Some((index, *cumulative.get(index)?)));
    let ((index, below), above) = match (before, cumulative.get(after)) {
        (Some(before), Some(above)) => (before, above),
        _ => return Ok(point(after.min(GRID - 1))),
    };
    Ok(point(index) + (wanted - below) / (above - below) * step)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_sample_of_many_keeps_their_quantiles() {
        let many: Vec<f64> = (1..=5000).map(|i| f64::from(i) / 10.0).collect();
        let sample = Sample::of(&many).unwrap();
        assert_eq!((sample.count, sample.signals.len(), sample.signals[0]), (5000, 1000, 0.1));
        assert!(sample.is_valid());
        for wrong in [&[][..], &[0.0], &[-1.0], &[f64::NAN]] {
            assert_eq!(Sample::of(wrong).unwrap_err().code(), "bad_numbers");
        }
        assert_eq!(rounded(0.0123456), 0.01235);
    }

    /// scipy.stats.gaussian_kde(np.log([1, 2, 4, 8])).evaluate(log(3)).
    #[test]
    fn densities_are_scipys() {
        let sample = Sample::of(&[8.0, 1.0, 4.0, 2.0]).unwrap();
        assert!((sample.density(3.0) - 0.348_680_007_763_921_1).abs() < 1e-9, "{}", sample.density(3.0));
    }

    #[test]
    fn shares_count_the_image_itself() {
        let sample = Sample::of(&[1.0, 2.0, 2.0, 4.0]).unwrap();
        let shares = |signal| [sample.share_as_low(signal), sample.share_as_high(signal)].map(|share| share * 5.0);
        for (signal, low, high) in [(0.5, 1.0, 5.0), (1.0, 2.0, 5.0), (2.0, 4.0, 4.0), (3.0, 4.0, 2.0), (9.0, 5.0, 1.0)]
        {
            assert_eq!(shares(signal), [low, high], "{signal}");
        }
        assert_eq!(
            [0.19, 0.2, 0.4, 0.8].map(|share| sample.first_as_low_above(share)),
            [None, Some(1.0), Some(2.0), Some(4.0)]
        );
        let above = |signal: f64| Some(signal.next_up());
        let expected = [None, above(4.0), above(2.0), above(1.0)];
        assert_eq!([0.19, 0.2, 0.4, 0.8].map(|share| sample.first_as_high_within(share)), expected);
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

        /// Shares equal those over all signals, or exceed them where only quantiles are kept. They cross a limit where
        /// the functions say.
        #[test]
        fn shares_are_never_too_small(count in 2usize..3000, signal in 0.5f64..9.0, share in 0.001f64..0.2) {
            let all: Vec<f64> = (0..count).map(|i| rounded(1.0 + 7.0 * (i as f64 * 0.618).fract())).collect();
            let sample = Sample::of(&all)?;
            let of = |as_extreme: usize| (1.0 + as_extreme as f64) / (1.0 + count as f64);
            let exact = [
                of(all.iter().filter(|&&own| own <= signal).count()),
                of(all.iter().filter(|&&own| own >= signal).count()),
            ];
            for (found, exact) in [sample.share_as_low(signal), sample.share_as_high(signal)].into_iter().zip(exact) {
                // By no more than a quantile's worth.
                prop_assert!(exact <= found && found <= exact + 2.5 / 1000.0, "{} {}", found, exact);
                prop_assert!(count > KEPT || found == exact);
            }
            let low = sample.first_as_low_above(share);
            prop_assert_eq!(sample.share_as_low(signal) > share, low.is_none_or(|low| signal >= low));
            let high = sample.first_as_high_within(share);
            prop_assert_eq!(sample.share_as_high(signal) <= share, high.is_some_and(|high| signal >= high));
        }
    }
}
