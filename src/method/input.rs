//! The input of a model: whole cells of its grid, as values in [-1, 1].

use super::reconstruction::Source;
use crate::{
    autoencoder::{Architecture, spec::MapSize},
    engine::plan::Rows,
    image::{CROP_MULTIPLE, DecodedImage, value},
};

/// The part of an image that is checked.
#[derive(Debug, Clone, Copy)]
pub struct CroppedImage<'a> {
    image: &'a DecodedImage,
    /// Both sides are multiples of it.
    pub multiple: usize,
    pub width: usize,
    pub height: usize,
}

impl<'a> CroppedImage<'a> {
    /// The sides cropped from the top left to multiples of what `architecture` divides by, at least of
    /// [`CROP_MULTIPLE`]. Resizing instead, as the reference does, would destroy the latent grid.
    pub fn of(image: &'a DecodedImage, architecture: &Architecture) -> Self {
        let multiple = architecture.crop_multiple(CROP_MULTIPLE as usize);
        let side = |side: u32| {
            let side = side as usize;
            side.saturating_sub(side.checked_rem(multiple).unwrap_or(0))
        };
        CroppedImage { image, multiple, width: side(image.width), height: side(image.height) }
    }

    /// The grey values of a row; empty below the last row.
    pub fn grey_row(&self, row: usize) -> &[u8] {
        let whole = self.image.grey.chunks_exact(self.image.width.max(1) as usize).nth(row);
        whole.and_then(|values| values.get(..self.width)).unwrap_or_default()
    }
}

/// `[3, height, width]` values in [-1, 1].
impl Source for CroppedImage<'_> {
    fn size(&self) -> MapSize {
        [3, self.height, self.width]
    }

    fn rows(&self, rows: Rows) -> Vec<f32> {
        let mut values = Vec::with_capacity(rows.len().saturating_mul(self.width).saturating_mul(3));
        let row_values = (self.image.width as usize).saturating_mul(3).max(1);
        for channel in 0..3 {
            for row in self.image.rgb.chunks_exact(row_values).skip(rows.start).take(rows.len()) {
                values.extend(row.iter().skip(channel).step_by(3).take(self.width).map(|&level| value(level)));
            }
        }
        values
    }
}
