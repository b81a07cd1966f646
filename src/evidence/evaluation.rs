//! How well a signal tells images that belong from images that do not. Smaller signals mean "belongs".

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "runs natively, over the lists that it makes itself"
)]

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// How well a signal separates.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Separation {
    /// Area under the receiver operating characteristic: how probably an image that belongs has the smaller signal, a
    /// tie counting half.
    pub auc: f64,
    /// Its 95 % confidence interval (DeLong, DeLong and Clarke-Pearson 1988), cut off at 0 and 1.
    pub interval: [f64; 2],
    /// The share of belonging images that are found where 1 % of the others are falsely attributed.
    pub found_at_one_percent: f64,
    /// The largest share of all images that any one threshold puts on the right side.
    pub best_accuracy: f64,
}

/// Measures the separation.
///
/// # Errors
/// [`Error::BadNumbers`] without images of either kind, or for signals that are not numbers.
pub fn separation(belonging: &[f64], others: &[f64]) -> Result<Separation> {
    check(belonging, others)?;
    let (own, other) = (sorted(belonging), sorted(others));
    // For each image the share of those of the other kind that lie on the right side of it.
    let above: Vec<f64> = own.iter().map(|&signal| 1.0 - rank(&other, signal)).collect();
    let below: Vec<f64> = other.iter().map(|&signal| rank(&own, signal)).collect();
    let auc = mean(&above);
    let deviation = (variance(&above) / own.len() as f64 + variance(&below) / other.len() as f64).sqrt();
    /// The normal distribution's quantile for a two-sided 95 % interval.
    const QUANTILE: f64 = 1.959_963_984_540_054;
    let allowed = other.len() / 100;
    // Signals below this one attribute no more of the others than allowed.
    let limit = other[allowed];
    Ok(Separation {
        auc,
        interval: [(auc - QUANTILE * deviation).max(0.0), (auc + QUANTILE * deviation).min(1.0)],
        found_at_one_percent: own.partition_point(|&signal| signal < limit) as f64 / own.len() as f64,
        best_accuracy: best_accuracy(&own, &other),
    })
}

fn check(belonging: &[f64], others: &[f64]) -> Result<()> {
    if belonging.is_empty() || others.is_empty() {
        let detail = format!("{} images that belong and {} others", belonging.len(), others.len());
        return Err(Error::BadNumbers { what: "the evaluation".into(), detail });
    }
    match belonging.iter().chain(others).find(|signal| !signal.is_finite()) {
        Some(signal) => {
            Err(Error::BadNumbers { what: "the evaluation".into(), detail: format!("{signal} is no signal") })
        }
        None => Ok(()),
    }
}

/// Every threshold that divides the images differently, ascending, with the shares of belonging images (found) and of
/// others (falsely attributed) at or below it.
///
/// # Errors
/// As [`separation`].
pub fn sweep(belonging: &[f64], others: &[f64]) -> Result<Vec<(f64, [f64; 2])>> {
    check(belonging, others)?;
    let kinds = [sorted(belonging), sorted(others)];
    let mut thresholds = sorted(&kinds.concat());
    thresholds.dedup();
    let share = |values: &Vec<f64>, threshold: f64| {
        values.partition_point(|&value| value <= threshold) as f64 / values.len() as f64
    };
    let at = |threshold: f64| (threshold, kinds.each_ref().map(|values| share(values, threshold)));
    Ok(thresholds.into_iter().map(at).collect())
}

/// The share of `values` below `signal`, ties counting half.
fn rank(values: &[f64], signal: f64) -> f64 {
    let below = values.partition_point(|&value| value < signal);
    let not_above = values.partition_point(|&value| value <= signal);
    (below + not_above) as f64 / (2 * values.len()) as f64
}

fn best_accuracy(own: &[f64], other: &[f64]) -> f64 {
    let all = own.len() + other.len();
    // A threshold matters only where it passes an image that belongs.
    let right = own.iter().map(|&signal| {
        let found = own.partition_point(|&value| value <= signal);
        let attributed = other.partition_point(|&value| value <= signal);
        found + other.len() - attributed
    });
    right.max().unwrap_or(0).max(other.len()) as f64 / all as f64
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The sample variance (divided by n − 1); 0 for a single value.
fn variance(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    squares / (values.len().max(2) - 1) as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_cases() {
        let apart = separation(&[1.0, 2.0, 3.0], &[4.0, 5.0]).unwrap();
        assert_eq!((apart.auc, apart.interval), (1.0, [1.0, 1.0]));
        assert_eq!((apart.found_at_one_percent, apart.best_accuracy), (1.0, 1.0));
        let wrong = separation(&[4.0, 5.0], &[1.0, 2.0, 3.0]).unwrap();
        assert_eq!((wrong.auc, wrong.found_at_one_percent, wrong.best_accuracy), (0.0, 0.0, 0.6));
        assert_eq!(separation(&[1.0, 1.0], &[1.0]).unwrap().auc, 0.5);
        // Of 200 others two may be attributed: the third smallest is the limit.
        let others: Vec<f64> = (0..200).map(f64::from).collect();
        let found = separation(&[-1.0, 0.5, 1.5, 2.5, 300.0], &others).unwrap();
        assert_eq!(found.found_at_one_percent, 0.6);
        assert!(separation(&[], &[1.0]).is_err() && separation(&[f64::NAN], &[1.0]).is_err());
    }

    #[test]
    fn a_sweep_goes_from_nothing_to_everything() {
        let found = sweep(&[1.0, 2.0], &[2.0, 3.0, 4.0, 5.0]).unwrap();
        assert_eq!(
            found,
            [(1.0, [0.5, 0.0]), (2.0, [1.0, 0.25]), (3.0, [1.0, 0.5]), (4.0, [1.0, 0.75]), (5.0, [1.0, 1.0])]
        );
        assert!(sweep(&[], &[1.0]).is_err());
    }

    proptest! {
        /// The definition, pair by pair. What transforms both kinds alike changes nothing.
        #[test]
        fn is_the_share_of_pairs_in_order(
            own in prop::collection::vec(-20i8..20, 1..30), other in prop::collection::vec(-20i8..20, 1..30),
        ) {
            let [own, other] = [own, other].map(|values| values.into_iter().map(f64::from).collect::<Vec<_>>());
            let pairs = own.iter().flat_map(|a| other.iter().map(move |b| (a, b)));
            let order = pairs.map(|(a, b)| if a < b { 1.0 } else if a == b { 0.5 } else { 0.0 }).sum::<f64>();
            let found = separation(&own, &other)?;
            prop_assert!((found.auc - order / (own.len() * other.len()) as f64).abs() < 1e-12);
            prop_assert!(found.interval[0] <= found.auc && found.auc <= found.interval[1]);
            let moved = |values: &[f64]| values.iter().map(|value| 3.0 * value + 7.0).collect::<Vec<_>>();
            prop_assert_eq!(separation(&moved(&own), &moved(&other))?, found);
            let mut best = 0;
            for limit in -21..21 {
                let limit = f64::from(limit) + 0.5;
                let right = own.iter().filter(|a| **a < limit).count() + other.iter().filter(|b| **b >= limit).count();
                best = best.max(right);
            }
            prop_assert!((found.best_accuracy - best as f64 / (own.len() + other.len()) as f64).abs() < 1e-12);
        }
    }
}
