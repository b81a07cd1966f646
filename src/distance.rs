//! Other distances between an image and its reconstruction than the mean squared error, as the reference's
//! `cal_loss_ratio.py` takes them (`--distance_metric l1, ssim, psnr`).
//!
//! **The reference's data range.** For SSIM and PSNR it maps values from [-1, 1] to [0, 1] and yet states a data range
//! of 2. SSIM's constants are then four times as large as they ought to be, which makes flat areas count as more
//! alike, and PSNR is 6.02 dB too high, which shrinks the ratio of two of them. That is kept here, or the numbers could
//! not be compared.
//!
//! **The reference's sign.** Its distance from PSNR is −PSNR, so that the ratio of two of them is PSNR1 / PSNR2:
//! *smaller* for images that do not belong, where its threshold expects larger. Here the ratio is turned round.

use serde::{Deserialize, Serialize};

use crate::{Error, Result, autoencoder::spec::MapSize, reconstruction::Losses};

/// Distances of one reconstruction from what was reconstructed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
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
/// [`Error::BadNumbers`] for values of another count, or sides below 11 pixels.
pub fn distances(a: &[f32], b: &[f32], size: MapSize) -> Result<Distances> {
    let [_, height, width] = size;
    if a.is_empty() || [a, b].iter().any(|values| values.len() != size.iter().product()) {
        let detail = format!("{} and {} values are not both {size:?}", a.len(), b.len());
        return Err(Error::BadNumbers { what: "the distances".into(), detail });
    }
    if height.min(width) <= 2 * RADIUS {
        let detail = format!("{width} × {height} pixels are less than SSIM's window of {}", 2 * RADIUS + 1);
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

/// Mean SSIM of one channel, where the window lies inside.
fn similarity(a: &[f32], b: &[f32], width: usize) -> f64 {
    let of = |map: fn(f64, f64) -> f64| {
        let scaled = |value: f32| (f64::from(value) + 1.0) / 2.0;
        blurred(a.iter().zip(b).map(|(a, b)| map(scaled(*a), scaled(*b))).collect(), width)
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

/// Through the Gaussian window, columns and rows; its radius is lost at each edge.
fn blurred(values: Vec<f64>, width: usize) -> Vec<f64> {
    let weights: [f64; 2 * RADIUS + 1] =
        std::array::from_fn(|i| (-(i as f64 - RADIUS as f64).powi(2) / (2.0 * SIGMA * SIGMA)).exp());
    let total: f64 = weights.iter().sum();
    let along = |values: &[f64], start: usize, step: usize| {
        weights.iter().enumerate().map(|(i, weight)| weight * values[start + i * step]).sum::<f64>() / total
    };
    let inner = width - 2 * RADIUS;
    let rows: Vec<f64> =
        values.chunks_exact(width).flat_map(|row| (0..inner).map(|x| along(row, x, 1)).collect::<Vec<_>>()).collect();
    (0..rows.len() - 2 * RADIUS * inner).map(|start| along(&rows, start, inner)).collect()
}
