//! What happens to values on their way into a convolution, several at once.

use crate::engine::operations::Activation;

/// Applies the affine transform and the activation.
pub fn change(values: &mut [f32], affine: Option<(f32, f32)>, activation: Activation) {
    if let Some((scale, shift)) = affine {
        values.iter_mut().for_each(|value| *value = *value * scale + shift);
    }
    match activation {
        Activation::None => {}
        Activation::Silu => values.iter_mut().for_each(|value| *value /= 1.0 + exponential(-*value)),
        Activation::Relu => values.iter_mut().for_each(|value| *value = value.max(0.0)),
        Activation::SoftClamp { limit } => {
            let limit = limit as f32;
            values.iter_mut().for_each(|value| *value = (*value / limit).tanh() * limit);
        }
    }
}

/// `eˣ` to about the last bit, for x from -87 to 87; beyond, x counts as the nearer of these. Unlike the standard
/// library's, it is computed for several values at once.
#[inline(always)]
fn exponential(x: f32) -> f32 {
    /// Added to a smaller number, this rounds it to an integer and leaves that in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    // Comparisons rather than `clamp`: each is one vector instruction, and NaN remains.
    let x = if x > 87.0 { 87.0 } else { x };
    let x = if x < -87.0 { -87.0 } else { x };
    let rounded = x * std::f32::consts::LOG2_E + ROUND;
    let whole = rounded - ROUND;
    // Subtracts that many times ln 2, in two parts; the first has so few bits that the product is exact.
    let rest = x - whole * (355.0 / 512.0) - whole * -2.121_944_4e-4;
    // Taylor's series: |rest| ≤ ln 2 / 2.
    let series = [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0];
    let power = series.into_iter().fold(1.0 / 5040.0, |sum, coefficient| sum * rest + coefficient);
    power * f32::from_bits((rounded.to_bits() << 23).wrapping_add(1.0_f32.to_bits()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponential_equals_the_standard_librarys() {
        for step in -8700..=8700 {
            let x = step as f32 / 100.0;
            let expected = f64::from(x).exp();
            assert!((f64::from(exponential(x)) / expected - 1.0).abs() < 2e-7, "{x}");
        }
        assert!(exponential(f32::NAN).is_nan());
        assert_eq!(exponential(1e9), exponential(87.0));
    }
}
