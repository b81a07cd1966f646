//! What the orientation control says of an image: how often an image that this model's decoder did not make shows as much.
//!
//! No image of the generator is needed. Under "foreign" the robust S scatters around zero: by as much as the image's own
//! blocks tell (its standard error), and beyond that as photographs scatter, for some are a little easier in their own
//! orientation. L1/L2, which hardly moves with S over photographs, is the second witness: it may add as much as it does for
//! an unusual photograph, so that it never decides alone.

use serde::{Deserialize, Serialize};

use super::density::quantile;
use crate::{
    Error, Result,
    method::{orientation_control::RobustSignal, reconstruction::Losses, signal::loss_ratio},
};

/// The share of foreign images that may be called consistent by the control: one in a thousand for each model. If several are
/// asked, each gets an equal part of it ([`super::ranking`]).
pub const CONTROL_FALSE_ATTRIBUTION: f64 = 0.001;

/// Above this share, nothing speaks for the model; below it, but above [`CONTROL_FALSE_ATTRIBUTION`], something does.
pub const TRACELESS: f64 = 0.05;

/// Shares outside of this are decided; within it, a further orientation is worth its cost. An image that is once above is not
/// looked at again, so the false attributions of all looks together are those of the last, and as many as the lower end.
pub const UNDECIDED: std::ops::RangeInclusive<f64> = 1e-6..=0.1;

/// The spread over photographs at 128 pixels, beyond the standard error, that is assumed where none was measured: twice the
/// widest of five autoencoders.
const UNMEASURED_SPREAD: f64 = 0.05;
const UNMEASURED_SIDE: f64 = 128.0;

/// The root mean squares of windows' robust S that are assumed where none were measured: half as much again as the widest of
/// two autoencoders.
pub(super) const UNMEASURED_WINDOWS: [f64; 2] = [0.1, 0.06];

/// The standard deviation of a normal distribution in units of its median absolute deviation.
const DEVIATIONS: f64 = 1.4826;

/// The least deviation of ln L1/L2 that a few photographs can show.
const LEAST_DEVIATION: f64 = 0.01;

/// The least spread that a few photographs can show.
pub(super) const LEAST_SPREAD: f64 = 0.006;

/// The fewest photographs that a spread is made of.
pub const FEWEST_PHOTOGRAPHS: usize = 20;

/// The least side, in pixels, of which the blocks of an image tell their scatter.
pub const LEAST_SIDE: u32 = 64;

/// How much the ratio's score weighs beside that of S, and how far it may speak for or against a model: no further, for the images
/// of other generators are smoother than photographs, and their ratios lower (docs/measured.md).
const RATIO_WEIGHT: f64 = 0.5;
const RATIO_REACH: f64 = 1.5;

/// Degrees of freedom of Student's t, whose tails are a little heavier than those of photographs' scores (docs/measured.md).
const TAIL: u32 = 30;

/// What a control takes from one image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ControlMeasurement {
    /// Width and height that were reconstructed, in pixels.
    pub sides: [u32; 2],
    pub robust: RobustSignal,
    pub losses: Losses,
    /// The root mean squares of windows' robust S; `None` for images smaller than a window.
    pub windows: [Option<f64>; 2],
}

impl ControlMeasurement {
    /// The side of a square of as many pixels.
    fn side(&self) -> f64 {
        let [width, height] = self.sides.map(f64::from);
        (width * height).sqrt()
    }

    fn logarithm_of_ratio(&self) -> Result<f64> {
        Ok(loss_ratio(self.losses)?.ln())
    }
}

/// How a model's control scatters over photographs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ControlScatter {
    /// How many photographs were measured.
    pub photographs: usize,
    /// The root mean squares of the robust S of windows ([`super::regions::WINDOWS`]).
    pub windows: [f64; 2],
    /// By size, the smallest first.
    pub sizes: Vec<SizeScatter>,
}

/// The scatter over photographs of one size, under all compressions that they were measured with.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SizeScatter {
    /// The side of a square of as many pixels.
    pub side: f64,
    /// How many measurements there are.
    pub count: usize,
    /// The root mean square of the robust S, beyond its standard error.
    pub spread: f64,
    /// Median and standard deviation of ln L1/L2. The deviation is that of its middle half, for a few smooth photographs lie far
    /// off: [`RATIO_REACH`] bounds what such a ratio counts.
    pub log_ratio: [f64; 2],
}

/// What the control says of one image.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ControlEvidence {
    /// The spread over photographs of this size, beyond the image's own standard error.
    pub spread: f64,
    /// Of how many photographs: 0 where none were measured for this model, and a wide spread was assumed.
    pub photographs: usize,
    /// L1/L2 among those of photographs, in standard deviations of its logarithm; `None` where none were measured.
    pub ratio_score: Option<f64>,
    /// S and the ratio together, in standard deviations under "foreign": negative where they speak for the model.
    pub score: f64,
    /// The p-value under "foreign": the share of foreign images that show as much.
    pub other_share: f64,
}

/// What the control shows of images that belong, of one compression: whether its absence means anything.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ControlPower {
    /// How many images were measured.
    pub count: usize,
    /// The share of them that is found by the control alone, at [`CONTROL_FALSE_ATTRIBUTION`].
    pub found: f64,
    /// A higher score than this is rare among them: at most the condition's α has one, by (1 + k) / (n + 1). `None` where
    /// too few were measured to tell.
    pub highest: Option<f64>,
}

/// How much weaker a generator's own images show than what its decoder painted from photographs' latents: the ratio of the
/// medians of S, -0.50 and -0.70 at JPEG 75, of the one generator of which both were measured (reference
/// `orientation-control.md`). Scores of painted images are multiplied by it.
pub const PAINTED_DISCOUNT: f64 = 0.7;

/// The same of t: its medians there were 1.12 and 0.95. A signal must be as much higher to be ruled out.
pub const PAINTED_EXCESS: f64 = 1.2;

impl ControlPower {
    /// From the scores of belonging images, of which at most the share `alpha` may be ruled out.
    pub fn of(scores: &[f64], alpha: f64) -> Self {
        let mut scores = scores.to_vec();
        scores.sort_by(f64::total_cmp);
        let count = scores.len();
        let found = scores.iter().filter(|&&score| lower_tail(score, TAIL) <= CONTROL_FALSE_ATTRIBUTION).count();
        // So many may lie above it: (1 + k) / (n + 1) ≤ α.
        let above = (alpha * (count as f64 + 1.0) + 1e-9).floor() as usize;
        let highest = above.checked_sub(1).and_then(|above| scores.iter().rev().nth(above));
        ControlPower { count, found: found as f64 / count.max(1) as f64, highest: highest.copied() }
    }

    pub(crate) fn is_valid(&self) -> bool {
        self.count > 0 && (0.0..=1.0).contains(&self.found) && self.highest.is_none_or(f64::is_finite)
    }
}

impl ControlScatter {
    /// From photographs that the model's decoder did not make, each perhaps measured in several sizes and compressions.
    ///
    /// # Errors
    /// [`Error::BadNumbers`] for fewer than [`FEWEST_PHOTOGRAPHS`] of any size, and those of [`loss_ratio`].
    pub fn of(photographs: usize, measured: &[ControlMeasurement]) -> Result<Self> {
        let mut sides: Vec<f64> = measured.iter().map(ControlMeasurement::side).collect();
        sides.sort_by(f64::total_cmp);
        // Sizes within a quarter of each other are one.
        let mut groups: Vec<f64> = Vec::new();
        for side in sides {
            if groups.last().is_none_or(|&first| side > 1.25 * first) {
                groups.push(side);
            }
        }
        let mut sizes = Vec::new();
        for first in groups {
            let alike: Vec<&ControlMeasurement> =
                measured.iter().filter(|one| (first..=1.25 * first).contains(&one.side())).collect();
            let count = alike.len() as f64;
            let mean =
                |value: &dyn Fn(&ControlMeasurement) -> f64| alike.iter().map(|one| value(one)).sum::<f64>() / count;
            let ratios = alike.iter().map(|one| one.logarithm_of_ratio()).collect::<Result<Vec<f64>>>()?;
            let ratio = quantile(ratios.clone(), 0.5)?;
            let deviation = DEVIATIONS * quantile(ratios.iter().map(|one| (one - ratio).abs()).collect(), 0.5)?;
            let scatter = mean(&|one| one.robust.signal.powi(2)) - mean(&|one| one.robust.standard_error.powi(2));
            sizes.push(SizeScatter {
                side: mean(&ControlMeasurement::side),
                count: alike.len(),
                spread: scatter.max(0.0).sqrt().max(LEAST_SPREAD),
                log_ratio: [ratio, deviation.max(LEAST_DEVIATION)],
            });
        }
        // A few that happen to be of another size say nothing of it.
        sizes.retain(|size| size.count >= FEWEST_PHOTOGRAPHS);
        let windows = std::array::from_fn(|size| {
            let squares = measured.iter().filter_map(|one| one.windows.get(size).copied().flatten());
            let (sum, count) = squares.fold((0.0, 0.0), |(sum, count), one| (sum + one * one, count + 1.0));
            let unmeasured = UNMEASURED_WINDOWS.get(size).copied().unwrap_or(1.0);
            if count < FEWEST_PHOTOGRAPHS as f64 { unmeasured } else { (sum / count).sqrt().max(LEAST_SPREAD) }
        });
        let scatter = ControlScatter { photographs, windows, sizes };
        if photographs < FEWEST_PHOTOGRAPHS || scatter.sizes.is_empty() {
            let detail =
                format!("{photographs} photographs are too few, at least {FEWEST_PHOTOGRAPHS} of one size are needed");
            return Err(Error::BadNumbers { what: "the control".into(), detail });
        }
        Ok(scatter)
    }

    /// The scatter at a size: between two that were measured, in proportion to the logarithm of the side. What is larger
    /// scatters no more, and what is smaller in proportion to its side.
    fn at(&self, side: f64) -> Option<SizeScatter> {
        let after = self.sizes.partition_point(|size| size.side <= side);
        let (below, above) = (after.checked_sub(1).and_then(|below| self.sizes.get(below)), self.sizes.get(after));
        match (below, above) {
            (Some(below), Some(above)) => {
                let part = (side / below.side).ln() / (above.side / below.side).ln();
                let between = |from: f64, to: f64| from + (to - from) * part;
                let [[mean, deviation], [next_mean, next_deviation]] = [below.log_ratio, above.log_ratio];
                Some(SizeScatter {
                    side,
                    count: below.count.min(above.count),
                    spread: between(below.spread, above.spread),
                    log_ratio: [between(mean, next_mean), between(deviation, next_deviation)],
                })
            }
            (Some(&largest), None) => Some(largest),
            (None, Some(&smallest)) => Some(SizeScatter { spread: smallest.spread * smallest.side / side, ..smallest }),
            (None, None) => None,
        }
    }

    pub(crate) fn is_valid(&self) -> bool {
        let believable = |size: &SizeScatter| {
            let [mean, deviation] = size.log_ratio;
            let positive = [size.side, size.spread, deviation].iter().all(|value| value.is_finite() && *value > 0.0);
            positive && mean.is_finite() && size.count > 0
        };
        let ascending = self.sizes.is_sorted_by(|one, other| one.side < other.side);
        let windows = self.windows.iter().all(|spread| spread.is_finite() && *spread > 0.0);
        windows && self.photographs > 0 && !self.sizes.is_empty() && ascending && self.sizes.iter().all(believable)
    }
}

/// What a measurement says, by the scatter over photographs if that was measured. `None` for an image too small to say
/// anything.
///
/// # Errors
/// Those of [`loss_ratio`].
pub fn evidence(measured: &ControlMeasurement, scatter: Option<&ControlScatter>) -> Result<Option<ControlEvidence>> {
    if measured.sides.iter().any(|&side| side < LEAST_SIDE) {
        return Ok(None);
    }
    let side = measured.side();
    let known = scatter.and_then(|scatter| Some((scatter.photographs, scatter.at(side)?)));
    let spread = match known {
        Some((_, size)) => size.spread,
        None => UNMEASURED_SPREAD * (UNMEASURED_SIDE / side).max(1.0),
    };
    let RobustSignal { signal, standard_error } = measured.robust;
    let own = signal / spread.hypot(standard_error);
    let ratio_score = match known {
        Some((_, SizeScatter { log_ratio: [mean, deviation], .. })) => {
            Some((measured.logarithm_of_ratio()? - mean) / deviation)
        }
        None => None,
    };
    let score = ratio_score
        .map_or(own, |ratio| (own + RATIO_WEIGHT * ratio.clamp(-RATIO_REACH, RATIO_REACH)) / RATIO_WEIGHT.hypot(1.0));
    let photographs = known.map_or(0, |(photographs, _)| photographs);
    Ok(Some(ControlEvidence { spread, photographs, ratio_score, score, other_share: lower_tail(score, TAIL) }))
}

/// The probability that Student's t with an even number of `degrees` of freedom is at most `score`: the closed form
/// (Abramowitz and Stegun, "Handbook of Mathematical Functions", 26.7.4).
pub(super) fn lower_tail(score: f64, degrees: u32) -> f64 {
    let terms = degrees / 2;
    let degrees = f64::from(degrees);
    let sine = score / (degrees + score * score).sqrt();
    let squared = degrees / (degrees + score * score);
    let (mut term, mut sum) = (1.0, 1.0);
    for step in 1..terms {
        let step = f64::from(step);
        term *= squared * (2.0 * step - 1.0) / (2.0 * step);
        sum += term;
    }
    // Rounding leaves no meaning below this.
    (0.5 + 0.5 * sine * sum).clamp(1e-14, 1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn measured(side: u32, signal: f64, ratio: f64) -> ControlMeasurement {
        ControlMeasurement {
            sides: [side, side],
            robust: RobustSignal { signal, standard_error: 0.015 },
            losses: Losses { first: ratio, second: 1.0 },
            windows: [Some(2.0 * signal.abs()), None],
        }
    }

    /// 40 photographs at two sizes, whose S scatters by 0.025 at the smaller and by 0.017 at the larger one.
    fn scatter() -> ControlScatter {
        let photographs: Vec<ControlMeasurement> = (0..80)
            .map(|index| {
                let (side, spread) = if index < 40 { (128, 0.025) } else { (256, 0.017) };
                let sign = if index % 2 == 0 { 1.0 } else { -1.0 };
                measured(side, sign * spread, (1.0 + sign * 0.2f64).exp())
            })
            .collect();
        ControlScatter::of(40, &photographs).unwrap()
    }

    /// scipy.stats.t.cdf(score, 30).
    const TAILS: [(f64, f64); 5] = [
        (-0.5, 0.3103615024425636),
        (-2.0, 0.027312522481491547),
        (-4.0, 0.0001909228180418782),
        (-6.0, 6.971384383602382e-07),
        (1.5, 0.927967035435677),
    ];

    #[test]
    fn tails_are_those_of_students_t() {
        for (score, expected) in TAILS {
            assert!((lower_tail(score, TAIL) / expected - 1.0).abs() < 1e-9, "{score}: {}", lower_tail(score, TAIL));
        }
        assert_eq!(lower_tail(0.0, TAIL), 0.5);
    }

    #[test]
    fn the_scatter_is_what_photographs_show_beyond_their_own_error() {
        let scatter = scatter();
        let [small, large] = [0, 1].map(|index| scatter.sizes[index]);
        assert_eq!((small.side, small.count, large.side, large.count), (128.0, 40, 256.0, 40));
        assert!((small.spread - 0.02).abs() < 1e-12 && (large.spread - 0.008).abs() < 1e-12, "{scatter:?}");
        assert!((scatter.windows[0] - 2.0 * (0.025f64.powi(2) + 0.017f64.powi(2)).midpoint(0.0).sqrt()).abs() < 1e-12);
        assert_eq!(scatter.windows[1], UNMEASURED_WINDOWS[1]);
        let [mean, deviation] = small.log_ratio;
        assert!((mean - 1.0).abs() < 1e-12 && (deviation - 0.2 * DEVIATIONS).abs() < 1e-12);
        // Halfway between the two in the logarithm of the side; no less when larger, more when smaller.
        let at = |side| scatter.at(side).unwrap().spread;
        assert!((at(128.0 * 2f64.sqrt()) - 0.014).abs() < 1e-12);
        assert_eq!([at(2048.0), at(64.0)], [large.spread, 2.0 * small.spread]);
        let few: Vec<ControlMeasurement> = (0..19).map(|_| measured(128, 0.0, 2.0)).collect();
        assert_eq!(ControlScatter::of(19, &few).unwrap_err().code(), "bad_numbers");
    }

    /// A few photographs far off, and the median and its deviation stay.
    #[test]
    fn a_few_unusual_photographs_do_not_widen_the_ratio() {
        let ratio = |index: u32| if index < 5 { -3.0 } else { 1.0 + 0.1 * f64::from(index % 3) };
        let photographs: Vec<ControlMeasurement> =
            (0..50).map(|index| measured(128, 0.03, ratio(index).exp())).collect();
        let [middle, deviation] = ControlScatter::of(50, &photographs).unwrap().sizes[0].log_ratio;
        assert!((middle - 1.1).abs() < 1e-12 && (deviation - 0.1 * DEVIATIONS).abs() < 1e-12, "{middle} {deviation}");
    }

    #[test]
    fn both_witnesses_count_and_the_ratio_never_alone() {
        let scatter = scatter();
        let share = |signal, ratio: f64| {
            evidence(&measured(128, signal, ratio.exp()), Some(&scatter)).unwrap().unwrap().other_share
        };
        assert!((share(0.0, 1.0) - 0.5).abs() < 1e-12);
        // As far below zero as S scatters, and a ratio as low as that of one photograph in six.
        let ratio = (1.0 - 0.2 * DEVIATIONS).exp();
        let both = evidence(&measured(128, -0.025, ratio), Some(&scatter)).unwrap().unwrap();
        assert!((both.score + 1.5 / 1.25f64.sqrt()).abs() < 0.01, "{both:?}");
        assert!(
            share(-0.15, 1.0) < 1e-3 && share(-0.15, 0.5) < share(-0.15, 1.0) && share(-0.15, 3.0) > share(-0.15, 1.0)
        );
        assert!(share(0.0, -20.0) > 0.05, "a ratio alone decides nothing");
        assert!(share(0.3, -20.0) > 0.99);
    }

    #[test]
    fn without_photographs_a_wide_spread_is_assumed_and_small_images_say_nothing() {
        let known = evidence(&measured(128, -0.15, 1.0f64.exp()), Some(&scatter())).unwrap().unwrap();
        let assumed = evidence(&measured(128, -0.15, 1.0f64.exp()), None).unwrap().unwrap();
        assert_eq!((assumed.photographs, assumed.ratio_score, assumed.spread), (0, None, UNMEASURED_SPREAD));
        assert!(assumed.other_share > 10.0 * known.other_share);
        assert_eq!(evidence(&measured(63, -0.5, 1.0), None).unwrap(), None);
        assert_eq!(evidence(&measured(64, -0.5, 1.0), None).unwrap().unwrap().spread, 2.0 * UNMEASURED_SPREAD);
    }

    #[test]
    fn power_is_what_all_but_a_few_belonging_images_show() {
        let scores: Vec<f64> = (0..39).map(|index| -8.0 + f64::from(index) / 10.0).collect();
        // Two of 39 may be higher at 5 %: (1 + 1) / 40.
        let power = ControlPower::of(&scores, 0.05);
        assert_eq!((power.count, power.highest), (39, Some(scores[37])));
        assert!(
            (power.found - scores.iter().filter(|&&score| lower_tail(score, TAIL) <= 1e-3).count() as f64 / 39.0).abs()
                < 1e-12
        );
        assert_eq!(ControlPower::of(&scores[..18], 0.05).highest, None);
    }

    proptest! {
        /// A lower S and a larger image never speak less for a model.
        #[test]
        fn shares_follow_the_signal(signal in -0.9f64..0.9, step in 0.0f64..0.1, ratio in 0.1f64..30.0, side in 64u32..900) {
            let scatter = scatter();
            let share = |signal: f64, side: u32| {
                evidence(&measured(side, signal, ratio), Some(&scatter)).unwrap().unwrap().other_share
            };
            // Rounding leaves 1e-15 of a small share.
            prop_assert!(share(signal - step, side) <= share(signal, side) + 1e-13);
            prop_assert!((0.0..=1.0).contains(&share(signal, side)));
            prop_assert!(scatter.at(f64::from(side) + 1.0).unwrap().spread <= scatter.at(side.into()).unwrap().spread);
        }
    }
}
