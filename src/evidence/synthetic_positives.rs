//! Synthetic positives: images that belong to a model, made without its generator. Latents of photographs are changed,
//! decoded by the model's own decoder and rounded to 8 bits. Native only.
//!
//! A generator's latents are never exactly an encoder's, so an unchanged latent of a photograph would be too easy: a latent
//! is blended from two photographs, or has noise added, or both, by turns.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "runs natively, on images of a size that it makes itself"
)]

use pollster::block_on;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use rand_distr::StandardNormal;

use crate::{
    Error, Result,
    image::{DecodedImage, level},
    method::reconstruction::{self, Values},
    weights::Model,
};

/// Added noise, in standard deviations of each channel.
const NOISE: std::ops::Range<f32> = 0.05..0.3;

/// A model and the photographs whose latents it decodes.
#[derive(Debug)]
pub struct SyntheticPositives<'a> {
    model: &'a Model,
    random: StdRng,
    side: usize,
    /// `[latent channels, side / reduction, side / reduction]` of each photograph.
    latents: Vec<Vec<f32>>,
}

impl<'a> SyntheticPositives<'a> {
    /// Takes the middle squares of `side` pixels; smaller photographs are skipped. The same `seed` gives the same
    /// images.
    ///
    /// # Errors
    /// [`Error::BadNumbers`] for fewer than two photographs that are large enough, those of encoding.
    pub fn new(model: &'a Model, photographs: &[DecodedImage], side: usize, seed: u64) -> Result<Self> {
        let mut latents = Vec::new();
        for values in photographs.iter().filter_map(|photograph| photograph.middle_square(side)) {
            let square = Values::new(values, [3, side, side])?;
            latents.push(block_on(reconstruction::encode(model, &square))?);
        }
        if latents.len() < 2 {
            let detail = format!("{} of them are at least {side} pixels wide and high, 2 are needed", latents.len());
            return Err(Error::BadNumbers { what: "the photographs".into(), detail });
        }
        Ok(SyntheticPositives { model, random: StdRng::seed_from_u64(seed), side, latents })
    }

    /// How many photographs are used.
    pub fn photographs(&self) -> usize {
        self.latents.len()
    }

    /// The next image, from photograph `number` and perhaps another.
    ///
    /// # Errors
    /// Those of decoding.
    pub fn image(&mut self, number: usize) -> Result<DecodedImage> {
        let (index, turn) = (number % self.latents.len(), number / self.latents.len());
        let side = self.side / self.model.manifest.architecture.reduction();
        let mut latent = self.latents[index].clone();
        if turn % 3 != 1 {
            let other = (index + self.random.random_range(1..self.latents.len())) % self.latents.len();
            self.blend(&mut latent, other, side, turn % 3 == 2);
        }
        if turn % 3 != 0 {
            self.add_noise(&mut latent, side);
        }
        let size = [self.model.manifest.architecture.latent_channels(), side, side];
        let values = block_on(reconstruction::decode(self.model, &Values::new(latent, size)?))?;
        Ok(as_image(&values, self.side))
    }

    /// Blends in another latent: as a whole, or from one to the other across the picture.
    fn blend(&mut self, latent: &mut [f32], other: usize, side: usize, across: bool) {
        let share: f32 = self.random.random_range(0.25..0.75);
        for (position, (value, second)) in latent.iter_mut().zip(&self.latents[other]).enumerate() {
            let x = (position % side) as f32 / side as f32;
            let share = if across { ((x - share) * 4.0 + 0.5).clamp(0.0, 1.0) } else { share };
            *value += share * (second - *value);
        }
    }

    fn add_noise(&mut self, latent: &mut [f32], side: usize) {
        let strength: f32 = self.random.random_range(NOISE);
        for channel in latent.chunks_mut((side * side).max(1)) {
            let count = channel.len() as f32;
            let mean = channel.iter().sum::<f32>() / count;
            let deviation = (channel.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / count).sqrt();
            for value in channel {
                *value += strength * deviation * self.random.sample::<f32, _>(StandardNormal);
            }
        }
    }
}

/// `[3, side, side]` values as the image that a PNG of them holds.
fn as_image(values: &[f32], side: usize) -> DecodedImage {
    let planes: Vec<u8> = values.iter().map(|&value| level(value)).collect();
    let area = side * side;
    let rgb = (0..area).flat_map(|at| [planes[at], planes[area + at], planes[2 * area + at]]).collect();
    DecodedImage::from_rgb(rgb, side as u32, side as u32, "PNG")
}
