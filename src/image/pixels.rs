//! A decoded image, and the values that its levels stand for.

use ::image::{
    RgbImage,
    imageops::{FilterType, resize},
};

use super::{compression::Compression, limits::CROP_MULTIPLE};
use crate::{Error, Result};

/// A decoded image: row-major, first frame, alpha dropped (as the reference does), 8 bits a channel.
#[derive(Debug, Clone, PartialEq)]
pub struct DecodedImage {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// "PNG", "JPEG", "WebP", "GIF", "BMP" or "TIFF".
    pub format: &'static str,
    /// `height · width · 3` values, R G B.
    pub rgb: Vec<u8>,
    /// `height · width` grey values: JPEG's own Y plane, else [`grey_from_rgb`].
    pub grey: Vec<u8>,
    /// The file asks to be shown turned, and was not turned.
    pub orientation_ignored: bool,
    /// What the file holds beyond this, or in another form.
    pub left_out: LeftOut,
    /// What the file's format did to the pixels.
    pub compression: Compression,
    /// The loss was a rounding of colours: to a palette, or to fewer than 8 bits a channel.
    pub few_colours: bool,
}

/// What the file holds beyond 8-bit RGB of a single picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LeftOut {
    /// Further frames or pages.
    pub pictures: bool,
    /// More than 8 bits a channel, of which the nearest of 256 levels was taken.
    pub depth: bool,
    /// Printing inks (CMYK), of which colours were made by a plain formula, without a profile.
    pub inks: bool,
    /// Transparency: some pixels are not opaque; their colours were taken as they are stored.
    pub transparency: bool,
}

/// The integer grey that the published homogeneities of PNG files follow (reference README, step 2).
pub fn grey_from_rgb([red, green, blue]: [u8; 3]) -> u8 {
    // The weights add up to 2^15, so the result fits.
    let weighted =
        [(red, 9797), (green, 19234), (blue, 3737)].map(|(level, weight)| u32::from(level).saturating_mul(weight));
    (weighted.iter().sum::<u32>() >> 15) as u8
}

impl DecodedImage {
    /// Of `height · width · 3` values.
    pub(crate) fn from_rgb(rgb: Vec<u8>, width: u32, height: u32, format: &'static str) -> Self {
        let grey = rgb.as_chunks().0.iter().map(|&pixel| grey_from_rgb(pixel)).collect();
        let compression = Compression::Lossless;
        let (orientation_ignored, few_colours, left_out) = (false, false, LeftOut::default());
        DecodedImage { width, height, format, rgb, grey, orientation_ignored, left_out, compression, few_colours }
    }

    /// The rectangle of `[width, height]` pixels at `[left, top]`, cut off at the image's edges, with the grey it had.
    pub fn part(&self, [left, top]: [u32; 2], [width, height]: [u32; 2]) -> DecodedImage {
        let (width, height) = (width.min(self.width.saturating_sub(left)), height.min(self.height.saturating_sub(top)));
        let cut = |values: &[u8], channels: usize| -> Vec<u8> {
            let in_values = |pixels: u32| (pixels as usize).saturating_mul(channels);
            let rows = values.chunks_exact(in_values(self.width).max(1)).skip(top as usize).take(height as usize);
            let row = in_values(left)..in_values(left).saturating_add(in_values(width));
            rows.flat_map(|values| values.get(row.clone()).unwrap_or_default()).copied().collect()
        };
        DecodedImage { width, height, rgb: cut(&self.rgb, 3), grey: cut(&self.grey, 1), ..*self }
    }

    /// `[3, side, side]` values in [-1, 1] of the square at `[left, top]`; `None` if it is not within the image.
    pub fn square(&self, [left, top]: [u32; 2], side: u32) -> Option<Vec<f32>> {
        let within = |start: u32, whole: u32| start.checked_add(side).is_some_and(|end| end <= whole);
        if !within(left, self.width) || !within(top, self.height) {
            return None;
        }
        let part = self.part([left, top], [side, side]);
        let plane = |channel: usize| part.rgb.iter().skip(channel).step_by(3).map(|&level| value(level));
        Some((0..3).flat_map(plane).collect())
    }

    /// `[3, side, side]` values in [-1, 1] from the middle of the image, on the grid; `None` if it is smaller.
    pub fn middle_square(&self, side: usize) -> Option<Vec<f32>> {
        let pixels = u32::try_from(side).ok()?;
        self.square([self.width, self.height].map(|whole| middle_start(whole, pixels)), pixels)
    }

    /// The image at another size (bicubic, Catmull and Rom's); the grey is computed from the new colours.
    ///
    /// # Errors
    /// [`Error::BadNumbers`] if the pixels do not fit the size.
    pub fn resized(&self, width: u32, height: u32) -> Result<DecodedImage> {
        let whole = RgbImage::from_raw(self.width, self.height, self.rgb.clone());
        let whole = whole.ok_or_else(|| Error::BadNumbers {
            what: "the image".into(),
            detail: format!("{} values are not {} × {} pixels", self.rgb.len(), self.width, self.height),
        })?;
        let resized = resize(&whole, width.max(1), height.max(1), FilterType::CatmullRom);
        let image = DecodedImage::from_rgb(resized.into_raw(), width.max(1), height.max(1), self.format);
        let DecodedImage { orientation_ignored, left_out, compression, few_colours, .. } = *self;
        Ok(DecodedImage { orientation_ignored, left_out, compression, few_colours, ..image })
    }
}

/// A value of -1 to 1 as the nearest level of 0 to 255; what lies outside becomes the nearest end.
pub fn level(value: f32) -> u8 {
    // Clamped, so the result fits.
    ((value.clamp(-1.0, 1.0) + 1.0) * 127.5).round() as u8
}

/// Where the middle `side` pixels of `whole` begin, on the grid.
pub(crate) fn middle_start(whole: u32, side: u32) -> u32 {
    (whole.saturating_sub(side) / 2 / CROP_MULTIPLE).saturating_mul(CROP_MULTIPLE)
}

/// A level of 0 to 255 as a value of -1 to 1.
pub fn value(level: u8) -> f32 {
    f32::from(level) / 127.5 - 1.0
}
