//! What was measured on images that went through the same processing, and what it says of one image's signal.
//!
//! Decisions rest on conformal shares: the share of the measured images whose signal is as extreme, counting the image
//! itself, (1 + k) / (n + 1). If the image is exchangeable with the measured ones, such a share is at most α with a
//! probability of at most α, whatever the distribution (Vovk, Gammerman, Shafer, "Algorithmic Learning in a Random
//! World", 2005). Densities are for drawing only.

use serde::{Deserialize, Serialize};

use crate::{
    Result,
    evidence::control::ControlPower,
    evidence::density::{BELIEVABLE, Sample, logarithm, threshold},
    image::compression::Compression,
};

/// The share of images that do not belong which may be attributed to a model: 1 %. If several models are checked, each
/// gets an equal part of it ([`crate::evidence::ranking`]).
pub const FALSE_ATTRIBUTION: f64 = 0.01;

/// Whether an image was searched for the grid on which it was decoded, and the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Search {
    /// Not searched: checked as it is.
    #[default]
    None,
    /// Searched; the reconstruction is best at the present size.
    SameSize,
    /// Searched; the reconstruction is best at another size, so the image was resized since it was decoded.
    Resized,
}

/// The processing that an image went through, as far as it shows. Calibrations look up conditions by it
/// ([`crate::evidence::calibration::Calibration::conditions`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConditionKey {
    pub compression: Compression,
    pub search: Search,
}

impl ConditionKey {
    /// As [`Evidence::condition`] names it: "as written", "JPEG 85", "searched", "searched, resized, JPEG 85".
    pub fn title(self) -> String {
        let search = match self.search {
            Search::None => None,
            Search::SameSize => Some("searched".to_owned()),
            Search::Resized => Some("searched, resized".to_owned()),
        };
        let compression = match self.compression {
            Compression::Lossless => None,
            Compression::Jpeg(quality) => Some(format!("JPEG {quality}")),
            Compression::Lossy => Some("lossy".into()),
        };
        match (search, compression) {
            (None, None) => "as written".into(),
            (search, compression) => search.into_iter().chain(compression).collect::<Vec<_>>().join(", "),
        }
    }

    /// Sorts by the search, then from the strongest compression to none.
    pub(crate) fn order(self) -> (Search, u8) {
        let quality = match self.compression {
            Compression::Lossy => 0,
            Compression::Jpeg(quality) => quality,
            Compression::Lossless => u8::MAX,
        };
        (self.search, quality)
    }
}

/// What was measured on images of one key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// [`Compression::Lossless`] or [`Compression::Jpeg`].
    pub compression: Compression,
    #[serde(default)]
    pub search: Search,
    /// α: the share of belonging images that the threshold leaves out, and that may be judged not to belong.
    pub alpha: f64,
    /// The decision limit τ: images with a smaller signal belong (reference README, step 3).
    pub threshold: f64,
    /// The 95 % confidence interval of τ, by resampling the belonging images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold_interval: Option<[f64; 2]>,
    pub belonging: Sample,
    pub others: Sample,
    /// What the orientation control shows of the belonging images, if that was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control: Option<ControlPower>,
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

/// What a signal says, by a condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Evidence {
    /// What was compared: "s", "t" or "L1/L2", or after a search "contrast".
    pub signal_name: String,
    pub signal: f64,
    /// The images that it was compared with, as [`ConditionKey::title`] names them.
    pub condition: String,
    /// α, (0, 1).
    #[serde(default = "usual_alpha")]
    pub alpha: f64,
    /// τ.
    pub threshold: f64,
    /// Signals from the first to the second of these get no verdict, if this model alone is asked: they are too near to
    /// τ, or where both kinds of images have theirs, or neither. `None` where too few images were measured: no signal is
    /// then low enough to belong, or high enough not to.
    pub uncertain: [Option<f64>; 2],
    /// The p-value under "belongs": the share of belonging images whose signal is as large or larger, the image itself
    /// counted: (1 + k) / (n + 1).
    pub belonging_share: f64,
    /// The p-value under "does not belong": the share of the others whose signal is as small or smaller, counted alike.
    pub other_share: f64,
    /// How many times likelier the signal is if the image belongs: never larger for a larger signal, and not beyond what
    /// so many images can show.
    pub likelihood_ratio: f64,
    pub belonging_count: usize,
    pub other_count: usize,
}

/// The α of records that were written before records stored it.
fn usual_alpha() -> f64 {
    0.05
}

/// Where a signal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Belongs,
    Between,
    Apart,
}

impl Evidence {
    /// A signal belongs if it is below τ, usual among the belonging images, and at most the share `allowed` of the
    /// others has one as low. It is apart if it is at or above τ and the reverse holds.
    pub fn standing(&self, allowed: f64) -> Standing {
        let (usual, rare) = (self.belonging_share > self.alpha, self.other_share <= allowed);
        match self.signal < self.threshold {
            true if usual && rare => Standing::Belongs,
            false if !usual && !rare => Standing::Apart,
            _ => Standing::Between,
        }
    }

    /// How many other images must have been measured. `None` unless no other image has a signal as low, and too few
    /// were measured to show that the share of those that have is at most `allowed`.
    pub fn others_wanting(&self, allowed: f64) -> Option<usize> {
        // The smallest share that so many can show is 1 / (n + 1), the next one 2 / (n + 1).
        let rarest = self.other_share <= 1.0 / self.other_count as f64;
        wanting(self.other_count, allowed).filter(|_| rarest)
    }

    /// The same for belonging images and α.
    pub fn belonging_wanting(&self) -> Option<usize> {
        wanting(self.belonging_count, self.alpha)
    }
}

/// The number of images that can show a share of at most `share`, (0, 1): 1 / (n + 1) is no more than that.
pub fn images_needed(share: f64) -> usize {
    // 1 / 0.01 may come out slightly above or below 100.
    ((1.0 / share - 1e-9).ceil() as usize).saturating_sub(1)
}

fn wanting(count: usize, share: f64) -> Option<usize> {
    Some(images_needed(share)).filter(|&needed| needed > count)
}

impl Condition {
    /// From signals of belonging images and of others. The interval of τ is not computed here but by
    /// [`crate::evidence::density::threshold_interval`].
    ///
    /// # Errors
    /// [`Error::BadNumbers`] for fewer than two belonging images, none of the others, or signals that are no positive
    /// numbers.
    pub fn of(key: ConditionKey, belonging: &[f64], others: &[f64], alpha: f64) -> Result<Self> {
        let ConditionKey { compression, search } = key;
        Ok(Condition {
            compression,
            search,
            alpha,
            threshold: threshold(belonging, alpha)?,
            threshold_interval: None,
            belonging: Sample::of(belonging)?,
            others: Sample::of(others)?,
            control: None,
        })
    }

    pub fn key(&self) -> ConditionKey {
        ConditionKey { compression: self.compression, search: self.search }
    }

    /// The JPEG quality of its images, 1 to 100; `None` for those without loss.
    pub(crate) fn quality(&self) -> Option<u8> {
        match self.compression {
            Compression::Jpeg(quality) => Some(quality),
            _ => None,
        }
    }

    /// All that the condition says of a signal.
    pub fn evidence(&self, signal: f64, signal_name: &str) -> Evidence {
        Evidence {
            signal_name: signal_name.into(),
            signal,
            condition: self.key().title(),
            alpha: self.alpha,
            threshold: self.threshold,
            uncertain: self.uncertain(),
            belonging_share: self.belonging.share_as_high(signal),
            other_share: self.others.share_as_low(signal),
            likelihood_ratio: self.likelihood_ratio(signal),
            belonging_count: self.belonging.count,
            other_count: self.others.count,
        }
    }

    /// [`Evidence::uncertain`]: the signals at which [`Evidence::standing`] changes.
    fn uncertain(&self) -> [Option<f64>; 2] {
        // The first signal that too many others reach, and the first that too few belonging images reach.
        let common = self.others.first_as_low_above(FALSE_ATTRIBUTION);
        let unusual = self.belonging.first_as_high_within(self.alpha);
        let from = common.map(|common| unusual.map_or(common, |unusual| common.min(unusual)).min(self.threshold));
        // With too few others, any signal may be one that many of them reach.
        let to = unusual.map(|unusual| unusual.max(common.unwrap_or(0.0)).max(self.threshold));
        [from, to]
    }

    /// How many times likelier a signal is among the belonging images: pool-adjacent-violators on both samples. Each
    /// sample gets one more image at the end where the other kind lies, so that the ratio claims no more than so many
    /// images can show (Brümmer and du Preez, "The PAV algorithm optimizes binary proper scoring rules", 2013). Between
    /// measured signals the logarithm of the ratio is interpolated.
    fn likelihood_ratio(&self, signal: f64) -> f64 {
        let blocks = self.pooled();
        let prior = (self.belonging.count as f64 + 1.0) / (self.others.count as f64 + 1.0);
        let ratio = |block: &Block| (block.belonging / block.others / prior).ln();
        let at = logarithm(signal);
        let after = blocks.partition_point(|block| logarithm(block.from) <= at);
        let (below, above) = (after.checked_sub(1).and_then(|below| blocks.get(below)), blocks.get(after));
        let logarithm = match (below, above) {
            (Some(below), Some(above)) => {
                let (start, end) = (logarithm(below.to), logarithm(above.from));
                let part = ((at - start) / (end - start)).clamp(0.0, 1.0);
                // A block of a single signal has no length, and `part` may then be NaN.
                let part = if part.is_nan() { 0.0 } else { part };
                ratio(below) + (ratio(above) - ratio(below)) * part
            }
            (Some(one), None) | (None, Some(one)) => ratio(one),
            (None, None) => 0.0,
        };
        logarithm.exp()
    }

    /// Both samples in blocks, from the lowest signal up, so that the share of belonging images never rises.
    fn pooled(&self) -> Vec<Block> {
        let weighed = |sample: &Sample, belongs: bool| -> Vec<(f64, bool, f64)> {
            let weight = sample.count as f64 / sample.signals.len().max(1) as f64;
            sample.signals.iter().map(|&signal| (signal, belongs, weight)).collect()
        };
        let mut all = [weighed(&self.belonging, true), weighed(&self.others, false)].concat();
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        // One more image of the other kind at each end.
        let ends = [
            all.first().map(|&(signal, ..)| (signal, false, 1.0)),
            all.last().map(|&(signal, ..)| (signal, true, 1.0)),
        ];
        let [first, last] = ends.map(Option::into_iter);
        let mut blocks: Vec<Block> = Vec::new();
        for (signal, belongs, weight) in first.chain(all).chain(last) {
            let (belonging, others) = if belongs { (weight, 0.0) } else { (0.0, weight) };
            let mut block = Block { from: signal, to: signal, belonging, others };
            // Equal signals form one block. A block with a higher share than the block before is merged with it.
            while let Some(before) = blocks.pop_if(|before| {
                before.to >= block.from || before.belonging * block.others <= block.belonging * before.others
            }) {
                block = Block {
                    from: before.from,
                    belonging: before.belonging + block.belonging,
                    others: before.others + block.others,
                    ..block
                };
            }
            blocks.push(block);
        }
        blocks
    }

    /// Both densities, from where the first of them begins to where the last ends.
    pub fn distribution(&self) -> Distribution {
        let ends = [&self.belonging, &self.others].map(Sample::ends);
        let (low, high) = (ends[0][0].min(ends[1][0]).ln(), ends[0][1].max(ends[1][1]).ln());
        let step = (high - low) / (CURVE - 1) as f64;
        let signals: Vec<f64> = (0..CURVE).map(|index| (low + step * index as f64).exp()).collect();
        let densities = |sample: &Sample| signals.iter().map(|&signal| sample.density(signal)).collect();
        Distribution { belonging: densities(&self.belonging), others: densities(&self.others), signals }
    }

    /// The share of its own belonging images that it finds: those below τ and below all of the others except the share
    /// that may be attributed. If too few others were measured to show that share: below all of them.
    pub(crate) fn found(&self) -> f64 {
        let lowest = self.others.signals.first().copied();
        let limit = self.others.first_as_low_above(FALSE_ATTRIBUTION).or(lowest).unwrap_or(0.0).min(self.threshold);
        let own = &self.belonging.signals;
        own.iter().filter(|&&signal| signal < limit).count() as f64 / own.len().max(1) as f64
    }

    pub(crate) fn validate(&self) -> std::result::Result<(), &'static str> {
        let interval = self.threshold_interval.is_none_or(|[low, high]| 0.0 < low && low <= high && high.is_finite());
        let samples = self.belonging.is_valid() && self.others.is_valid();
        // Written so that a NaN fails too.
        if !(0.0 < self.alpha && self.alpha < 1.0) {
            return Err("an α makes no sense");
        }
        let control = self.control.as_ref().is_none_or(ControlPower::is_valid);
        if !(interval && BELIEVABLE.contains(&self.threshold) && samples && control) {
            return Err("a threshold or signals of it make no sense");
        }
        match self.compression {
            Compression::Lossless | Compression::Jpeg(1..=100) => Ok(()),
            Compression::Jpeg(_) | Compression::Lossy => {
                Err("a compression is neither none nor a JPEG quality, 1 to 100")
            }
        }
    }
}

/// Signals from `from` to `to`, and how many images of both kinds have them.
struct Block {
    from: f64,
    to: f64,
    belonging: f64,
    others: f64,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::evidence::calibration::AS_WRITTEN;

    /// 50 belonging images from 0.5 to 0.99, `count` others from `from`, 0.1 apart.
    fn condition(count: usize, from: f64) -> Condition {
        let belonging: Vec<f64> = (0..50).map(|i| 0.5 + f64::from(i) / 100.0).collect();
        let others: Vec<f64> = (0..count).map(|i| from + i as f64 / 10.0).collect();
        Condition::of(AS_WRITTEN, &belonging, &others, 0.05).unwrap()
    }

    fn standing(condition: &Condition, signal: f64) -> Standing {
        condition.evidence(signal, "t").standing(FALSE_ATTRIBUTION)
    }

    #[test]
    fn nothing_between_the_two_kinds_gets_a_verdict_and_nothing_where_they_overlap() {
        use Standing::{Apart, Belongs, Between};
        let apart = condition(101, 3.0);
        assert_eq!([0.2, 0.7, 1.5, 5.0].map(|signal| standing(&apart, signal)), [Belongs, Belongs, Between, Apart]);
        // Two of 101 others are below 0.85: one of them may be attributed by chance, two may not.
        let mixed = condition(101, 0.75);
        assert_eq!([0.2, 0.7, 0.8, 1.2].map(|signal| standing(&mixed, signal)), [Belongs, Belongs, Between, Apart]);
        assert!(Condition::of(AS_WRITTEN, &[1.0, 2.0], &[], 0.05).is_err());
    }

    /// Fewer than 99 others cannot show that only one in a hundred is attributed, and fewer than 19 belonging images
    /// cannot show that only one in twenty is missed. The densities of the old format claimed both.
    #[test]
    fn what_so_few_images_cannot_show_gets_no_verdict() {
        assert_eq!([0.01, 0.005, 0.01 / 3.0, 0.05, 0.5].map(images_needed), [99, 199, 299, 19, 1]);
        for (count, expected) in [(98, Standing::Between), (99, Standing::Belongs)] {
            let condition = condition(count, 3.0);
            assert_eq!(standing(&condition, 0.7), expected, "{count}");
            let evidence = condition.evidence(0.7, "t");
            assert_eq!(evidence.others_wanting(FALSE_ATTRIBUTION), (count < 99).then_some(99));
            assert_eq!(evidence.others_wanting(FALSE_ATTRIBUTION / 2.0), Some(199));
            assert_eq!(evidence.uncertain[0].is_some(), count >= 99);
        }
        let few = |count: usize| {
            let belonging: Vec<f64> = (0..count).map(|i| 0.5 + i as f64 / 100.0).collect();
            Condition::of(AS_WRITTEN, &belonging, &[3.0, 4.0], 0.05).unwrap().evidence(9.0, "t")
        };
        assert_eq!((few(18).standing(0.01), few(18).belonging_wanting()), (Standing::Between, Some(19)));
        assert_eq!((few(19).standing(0.01), few(19).belonging_wanting()), (Standing::Apart, None));
    }

    /// In the calibration that shipped before, at JPEG 75, a signal of 0.40 was lower than that of every belonging
    /// image. It was "consistent" with a likelihood ratio of 1 to 54, because the narrower of the two densities had
    /// ended.
    #[test]
    fn the_lowest_signal_has_the_highest_ratio() {
        let belonging: Vec<f64> = (0..53).map(|i| 0.74 + 1.52 * (f64::from(i) / 52.0).powi(3)).collect();
        let others: Vec<f64> = (0..78).map(|i| 1.14 + f64::from(i) / 4.0).collect();
        let condition = Condition::of(AS_WRITTEN, &belonging, &others, 0.05).unwrap();
        let ratio = |signal| condition.evidence(signal, "t").likelihood_ratio;
        assert!(ratio(0.40) >= ratio(0.8) && ratio(0.40) > 10.0, "{} {}", ratio(0.40), ratio(0.8));
        // The ratio can show no more than the number of images of either kind.
        assert!(ratio(0.01) <= 79.0 && ratio(1e6) >= 1.0 / 54.0, "{} {}", ratio(0.01), ratio(1e6));
    }

    /// By hand: [2 belong] [1 other, 2 belong: pooled with the one before] [2 others], one image more at each end.
    #[test]
    fn ratios_are_those_of_pooled_adjacent_violators() {
        let condition = Condition::of(AS_WRITTEN, &[1.0, 2.0, 4.0, 5.0], &[3.0, 8.0, 9.0], 0.05).unwrap();
        let ratio = |signal| condition.evidence(signal, "t").likelihood_ratio;
        let prior = 5.0 / 4.0;
        for (signal, belonging, others) in
            [(0.1, 2.0, 1.0), (1.5, 2.0, 1.0), (4.0, 2.0, 1.0), (8.0, 1.0, 2.0), (99.0, 1.0, 2.0)]
        {
            assert!((ratio(signal) - belonging / others / prior).abs() < 1e-12, "{signal}: {}", ratio(signal));
        }
        // Halfway in logarithms between 5 and 8, the geometric mean of both.
        assert!((ratio(40f64.sqrt()) - 1.0 / prior).abs() < 1e-12);
    }

    #[test]
    fn curves_are_densities_over_logarithms() {
        let Distribution { signals, belonging, others } = condition(101, 3.0).distribution();
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

    proptest! {
        /// Whatever the samples: the standing changes where the evidence says, the ratio never rises with the signal,
        /// and few others lie below a signal that belongs.
        #[test]
        fn standings_and_ratios_follow_the_signal(
            belonging in prop::collection::vec(0.1f64..3.0, 3..60),
            others in prop::collection::vec(0.1f64..9.0, 1..300),
            signals in prop::array::uniform2(0.05f64..10.0),
        ) {
            prop_assume!(belonging.iter().any(|t| (t - belonging[0]).abs() > 1e-3));
            let condition = Condition::of(AS_WRITTEN, &belonging, &others, 0.05)?;
            let evidence = condition.evidence(signals[0], "t");
            let [from, to] = evidence.uncertain;
            let expected = match (from.is_some_and(|from| signals[0] < from), to.is_some_and(|to| signals[0] >= to)) {
                (true, _) => Standing::Belongs,
                (_, true) => Standing::Apart,
                _ => Standing::Between,
            };
            let standing = evidence.standing(FALSE_ATTRIBUTION);
            prop_assert_eq!(standing, expected);
            if standing == Standing::Belongs {
                let as_low = condition.others.signals.iter().filter(|&&other| other <= signals[0]).count();
                prop_assert!((1.0 + as_low as f64) / (1.0 + others.len() as f64) <= FALSE_ATTRIBUTION);
            }
            let [low, high] = [signals[0].min(signals[1]), signals[0].max(signals[1])].map(|signal| condition.evidence(signal, "t"));
            prop_assert!(low.likelihood_ratio >= high.likelihood_ratio - 1e-9);
            prop_assert!(low.belonging_share >= high.belonging_share && low.other_share <= high.other_share);
            for Evidence { likelihood_ratio, .. } in [low, high] {
                prop_assert!(likelihood_ratio <= others.len() as f64 + 1.0);
                prop_assert!(likelihood_ratio >= 1.0 / (belonging.len() as f64 + 1.0));
            }
        }
    }
}
