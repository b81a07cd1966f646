//! The signal t = L1 / L2 · H (paper, section 3; reference README).

use crate::{Error, Result, reconstruction::Losses};

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

#[cfg(test)]
mod tests {
    use super::*;

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
