//! The signal t = L1 / L2 · H (paper, section 3; reference README), and others made of the same.

use serde::{Deserialize, Serialize};

use crate::{
    Error, Result,
    method::{distance::peak_signal_ratio, reconstruction::Losses},
};

/// Below this a loss is only rounding: a mean squared error of f32 values in [-1, 1] whose steps are 6e-8.
const SMALLEST_LOSS: f64 = 1e-12;

/// L1 / L2: near 1 for an image that the autoencoder once decoded, larger for any other.
///
/// # Errors
/// [`Error::BadNumbers`] if a loss is not a number, negative, or L2 is as good as zero.
pub fn loss_ratio(losses: Losses) -> Result<f64> {
    let Losses { first, second } = losses;
    if !first.is_finite() || !second.is_finite() || first < 0.0 || second < SMALLEST_LOSS {
        let detail = format!("L1 = {first}, L2 = {second}; no ratio can be formed");
        return Err(Error::BadNumbers { what: "the losses".into(), detail });
    }
    Ok(first / second)
}

/// t = L1 / L2 · H: small for images that belong.
///
/// # Errors
/// As [`loss_ratio`].
pub fn signal(losses: Losses, homogeneity: f64) -> Result<f64> {
    Ok(loss_ratio(losses)? * homogeneity)
}

/// The ways to make one number of an image's losses and homogeneity that are compared. Smaller means "belongs".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum SignalKind {
    /// L1 alone: what methods with a single reconstruction look at.
    FirstLoss,
    /// L1 / L2.
    Ratio,
    /// t = L1 / L2 · H, the paper's: what is shown where no calibration has chosen another.
    #[default]
    Paper,
    /// (L1 / L2 − 1) · H: the ratio's distance from 1, which images that belong have, weighed alike.
    Excess,
    /// s = (L1 / L2)^H: near 1 for images that belong. It puts images in the order of ln(L1 / L2) · H, its logarithm,
    /// and is positive.
    Weighed,
    /// PSNR2 / PSNR1 · H, the reference's PSNR ([`crate::method::distance`]).
    PeakSignal,
}

impl SignalKind {
    pub const ALL: [SignalKind; 6] = [
        SignalKind::FirstLoss,
        SignalKind::Ratio,
        SignalKind::Paper,
        SignalKind::Excess,
        SignalKind::Weighed,
        SignalKind::PeakSignal,
    ];

    /// The signals that a calibration can be made for: positive for every image.
    pub const CALIBRATED: [SignalKind; 3] = [SignalKind::Paper, SignalKind::Weighed, SignalKind::Ratio];

    /// As a formula.
    pub fn formula(self) -> &'static str {
        match self {
            SignalKind::FirstLoss => "L1",
            SignalKind::Ratio => "L1/L2",
            SignalKind::Paper => "t = L1/L2·H",
            SignalKind::Excess => "(L1/L2 − 1)·H",
            SignalKind::Weighed => "s = (L1/L2)^H",
            SignalKind::PeakSignal => "PSNR2/PSNR1·H",
        }
    }

    /// The short name of what the formula defines.
    pub fn symbol(self) -> &'static str {
        self.formula().split(' ').next().unwrap_or_default()
    }

    /// # Errors
    /// As [`loss_ratio`].
    pub fn of(self, losses: Losses, homogeneity: f64) -> Result<f64> {
        let ratio = loss_ratio(losses)?;
        Ok(match self {
            SignalKind::FirstLoss => losses.first,
            SignalKind::Ratio => ratio,
            SignalKind::Paper => ratio * homogeneity,
            SignalKind::Excess => (ratio - 1.0) * homogeneity,
            SignalKind::Weighed => ratio.powf(homogeneity),
            SignalKind::PeakSignal => peak_signal_ratio(losses) * homogeneity,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_follow_their_formulas() {
        let of = |kind: SignalKind| kind.of(Losses { first: 0.02, second: 0.01 }, 0.5).unwrap();
        // 10 · log10(4 / (0.02 / 4)) = 29.03 dB, and 3.01 dB more.
        let peak = 0.5 * 1600f64.log10() / 800f64.log10();
        let expected = [0.02, 2.0, 1.0, 0.5, 2f64.sqrt(), peak];
        for (found, expected) in SignalKind::ALL.map(of).into_iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
        }
    }

    #[test]
    fn is_the_ratio_weighed_by_homogeneity() {
        assert_eq!(signal(Losses { first: 0.03, second: 0.01 }, 0.5), Ok(1.5));
    }

    #[test]
    fn no_ratio_is_made_of_nothing() {
        for (first, second) in [(0.0, 0.0), (f64::NAN, 1.0), (1.0, f64::INFINITY), (-1.0, 1.0)] {
            assert_eq!(loss_ratio(Losses { first, second }).unwrap_err().code(), "bad_numbers");
        }
    }
}
