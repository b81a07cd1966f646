//! Other distances between an image and its reconstruction than the mean squared error, as the reference's
//! `cal_loss_ratio.py` takes them (`--distance_metric l1, ssim, psnr`).
//!
//! **The reference's data range.** For SSIM and PSNR it maps values from [-1, 1] to [0, 1] and yet states a data range
//! of 2. SSIM's constants are then four times as large as they ought to be, which makes flat areas count as more
//! alike, and PSNR is 6.02 dB too high, which shrinks the ratio of two of them. That is kept here, or the numbers could
//! not be compared.
//!
//! **The reference's sign.** Its distance from PSNR is −PSNR, so that the ratio of two of them is PSNR1 / PSNR2:
//! *smaller* for images that do not belong, where its threshold expects larger. Here the ratio is inverted.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "both sides were found to have the size that is gone through"
)]

use serde::{Deserialize, Serialize};

use crate::{Error, Result, autoencoder::spec::MapSize, method::reconstruction::Losses};

/// Distances of one reconstruction from what was reconstructed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Distances {
    /// Mean |a − b| over values in [-1, 1].
    pub mean_absolute_error: f64,
    /// 1 − SSIM with the reference's data range, 0 for equal images, up to 2.
    pub dissimilarity: f64,
}

/// Gaussian window of 11 pixels, σ = 1.5 (Wang, Bovik, Sheikh and Simoncelli 2004).
const RADIUS: usize = 5;
const SIGMA: f64 = 1.5;
/// The reference's, for values in [0, 1].
const DATA_RANGE: f64 = 2.0;

/// The distances of `[channels, height, width]` values in [-1, 1].
///
/// # Errors
/// [`Error::BadNumbers`] for values of another count, or sides below 6 pixels.
pub fn distances(a: &[f32], b: &[f32], size: MapSize) -> Result<Distances> {
    let [_, height, width] = size;
    if a.is_empty() || [a, b].iter().any(|values| values.len() != size.iter().product::<usize>()) {
        let detail = format!("{} and {} values are not both {size:?}", a.len(), b.len());
        return Err(Error::BadNumbers { what: "the distances".into(), detail });
    }
    if height.min(width) <= RADIUS {
        let detail = format!("{width} × {height} pixels are too few for SSIM's window of {}", 2 * RADIUS + 1);
        return Err(Error::BadNumbers { what: "the distances".into(), detail });
    }
    let absolute: f64 = a.iter().zip(b).map(|(a, b)| f64::from((a - b).abs())).sum();
    let plane = height * width;
    let similarities = a.chunks_exact(plane).zip(b.chunks_exact(plane)).map(|(a, b)| similarity(a, b, width));
    Ok(Distances {
        mean_absolute_error: absolute / a.len() as f64,
        dissimilarity: 1.0 - similarities.sum::<f64>() / size[0] as f64,
    })
}

/// PSNR2 / PSNR1, the reference's way: larger for images that do not belong.
pub fn peak_signal_ratio(losses: Losses) -> f64 {
    // Its mean squared errors are of values in [0, 1]: a quarter of ours.
    let decibels = |loss: f64| 10.0 * (DATA_RANGE * DATA_RANGE / (loss / 4.0)).log10();
    decibels(losses.second) / decibels(losses.first)
}

/// Mean SSIM of one channel.
fn similarity(a: &[f32], b: &[f32], width: usize) -> f64 {
    let of = |map: fn(f64, f64) -> f64| {
        let scaled = |value: f32| (f64::from(value) + 1.0) / 2.0;
        blurred(&a.iter().zip(b).map(|(a, b)| map(scaled(*a), scaled(*b))).collect::<Vec<_>>(), width)
    };
    let [mean_a, mean_b] = [of(|a, _| a), of(|_, b| b)];
    let [squares_a, squares_b, products] = [of(|a, _| a * a), of(|_, b| b * b), of(|a, b| a * b)];
    let (c1, c2) = ((0.01 * DATA_RANGE).powi(2), (0.03 * DATA_RANGE).powi(2));
    let local = (0..mean_a.len()).map(|i| {
        let (a, b) = (mean_a[i], mean_b[i]);
        let variances = (squares_a[i] - a * a).max(0.0) + (squares_b[i] - b * b).max(0.0);
        let covariance = products[i] - a * b;
        (2.0 * a * b + c1) * (2.0 * covariance + c2) / ((a * a + b * b + c1) * (variances + c2))
    });
    local.sum::<f64>() / mean_a.len() as f64
}

/// Through the Gaussian window, along rows and columns; beyond an edge the image is mirrored at its last pixel.
fn blurred(values: &[f64], width: usize) -> Vec<f64> {
    let weights: [f64; 2 * RADIUS + 1] =
        std::array::from_fn(|i| (-(i as f64 - RADIUS as f64).powi(2) / (2.0 * SIGMA * SIGMA)).exp());
    let total: f64 = weights.iter().sum();
    let height = values.len() / width;
    let mirrored = |at: usize, offset: usize, count: usize| {
        let place = (at + offset).abs_diff(RADIUS);
        if place < count { place } else { 2 * (count - 1) - place }
    };
    let weighed = |values: &dyn Fn(usize) -> f64| {
        weights.iter().enumerate().map(|(i, weight)| weight * values(i)).sum::<f64>() / total
    };
    let all = || (0..values.len()).map(|i| (i / width, i % width));
    let rows: Vec<f64> = all().map(|(y, x)| weighed(&|i| values[y * width + mirrored(x, i, width)])).collect();
    all().map(|(y, x)| weighed(&|i| rows[mirrored(y, i, height) * width + x])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As in `tests/goldens/make_distances.py`.
    fn values(bend: usize) -> Vec<f32> {
        let at = |c: usize, y: usize, x: usize| ((x * 7 + y * 13 + c * 5 + x * y + x % bend) % 32) as f32 / 16.0 - 1.0;
        (0..3).flat_map(|c| (0..24).flat_map(move |y| (0..32).map(move |x| at(c, y, x)))).collect()
    }

    #[test]
    fn are_torchmetrics_own() {
        let found = distances(&values(1), &values(3), [3, 24, 32]).unwrap();
        assert!((found.dissimilarity - 0.190967744332).abs() < 1e-9, "{found:?}");
        assert!((found.mean_absolute_error - 0.122124565972).abs() < 1e-9, "{found:?}");
        // Its PSNR, in f32, of a mean squared error of 0.129380967882, over that of a tenth of it.
        let ratio = peak_signal_ratio(Losses { first: 0.129380967882, second: 0.0129380967882 });
        assert!((ratio - 30.922494936910 / 20.922494936910).abs() < 1e-7, "{ratio}");
    }

    #[test]
    fn equal_images_are_at_no_distance_and_what_cannot_be_compared_is_refused() {
        let same = distances(&values(3), &values(3), [3, 24, 32]).unwrap();
        assert!(same.mean_absolute_error == 0.0 && same.dissimilarity.abs() < 1e-12);
        for (length, size) in [(10, [3, 24, 32]), (3 * 5 * 32, [3, 5, 32]), (0, [0, 24, 32])] {
            let values = vec![0.0; length];
            assert_eq!(distances(&values, &values, size).unwrap_err().code(), "bad_numbers");
        }
    }
}
