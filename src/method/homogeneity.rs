//! Homogeneity of the grey-level co-occurrence matrix: how alike horizontal neighbours are.
//!
//! Reference README, step 2: grey values integer-divided by 8, distance 1, angle 0, symmetric, normed,
//! H = Σ P(i, j) / (1 + (i − j)²). For this single offset the matrix need not be built: its entries
//! count neighbour pairs, so H is the mean over horizontal neighbours of 1 / (1 + d²).

use crate::{Error, Result};

/// Grey levels that one reduced level spans: 256 levels become 32.
const LEVEL_WIDTH: u8 = 8;
const LEVELS: usize = 32;

/// H of `height · width` grey values in 0..=255, row-major; in (0, 1], 1 where all neighbours are alike.
///
/// # Errors
/// [`Error::ImageTooSmall`] if there are no horizontal neighbours, [`Error::BadNumbers`] if `grey` does
/// not hold whole rows.
pub fn homogeneity(grey: &[u8], width: usize) -> Result<f64> {
    let height = match grey.len().checked_div(width) {
        Some(height) if grey.len().is_multiple_of(width) => height,
        _ => {
            let detail = format!("{} values are no rows of {width}", grey.len());
            return Err(Error::BadNumbers { what: "the grey image".into(), detail });
        }
    };
    if width < 2 || grey.is_empty() {
        return Err(Error::ImageTooSmall { width: width as u64, height: height as u64, minimum: 2 });
    }
    // Counting keeps the sum exact, whatever the image's size.
    let mut pairs_by_difference = [0u64; LEVELS];
    for row in grey.chunks_exact(width) {
        for (left, right) in row.iter().zip(row.iter().skip(1)) {
            let difference = (left / LEVEL_WIDTH).abs_diff(right / LEVEL_WIDTH);
            if let Some(pairs) = pairs_by_difference.get_mut(usize::from(difference)) {
                *pairs = pairs.saturating_add(1);
            }
        }
    }
    let pairs: u64 = pairs_by_difference.iter().sum();
    let weighted = pairs_by_difference
        .iter()
        .enumerate()
        .map(|(difference, &count)| count as f64 / (1.0 + (difference as f64).powi(2)));
    Ok(weighted.sum::<f64>() / pairs as f64)
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "a test that overflows has failed")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition: build the symmetric, normed matrix and sum over it.
    fn by_definition(grey: &[u8], width: usize) -> f64 {
        let mut matrix = vec![vec![0.0f64; LEVELS]; LEVELS];
        let mut total = 0.0;
        for row in grey.chunks_exact(width) {
            for pair in row.windows(2) {
                let (left, right) = (usize::from(pair[0] / 8), usize::from(pair[1] / 8));
                matrix[left][right] += 1.0;
                matrix[right][left] += 1.0;
                total += 2.0;
            }
        }
        let mut sum = 0.0;
        for (i, row) in matrix.iter().enumerate() {
            for (j, count) in row.iter().enumerate() {
                sum += count / total / (1.0 + (i as f64 - j as f64).powi(2));
            }
        }
        sum
    }

    proptest! {
        #[test]
        fn equals_the_definition(width in 2usize..20, rows in 1usize..12, seed in any::<u64>()) {
            let mut state = seed;
            let grey: Vec<u8> = (0..width * rows).map(|_| {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                (state >> 56) as u8
            }).collect();
            let value = homogeneity(&grey, width)?;
            prop_assert!((value - by_definition(&grey, width)).abs() < 1e-12);
            prop_assert!(value > 0.0 && value <= 1.0);
        }

        #[test]
        fn mirrored_images_have_the_same_homogeneity(mut grey in proptest::collection::vec(any::<u8>(), 2..64)) {
            let width = grey.len();
            let value = homogeneity(&grey, width)?;
            grey.reverse();
            prop_assert_eq!(value, homogeneity(&grey, width)?);
        }
    }

    #[test]
    fn a_flat_image_is_wholly_homogeneous() {
        assert_eq!(homogeneity(&[77; 12], 4), Ok(1.0));
    }

    #[test]
    fn needs_neighbours_and_whole_rows() {
        assert_eq!(homogeneity(&[1, 2, 3], 1).unwrap_err().code(), "image_too_small");
        assert_eq!(homogeneity(&[1, 2, 3], 2).unwrap_err().code(), "bad_numbers");
        assert_eq!(homogeneity(&[], 2).unwrap_err().code(), "image_too_small");
    }
}
