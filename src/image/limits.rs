//! Limits on what is decoded, and the errors for what is not.

use crate::{Error, Result};

/// Sides are cropped to multiples of this, the pixel size of one latent of the common autoencoders.
pub const CROP_MULTIPLE: u32 = 8;

/// What a decoder may allocate for each pixel of the size that the header claims: four channels of 16 bits, twice.
pub(super) const DECODING_BYTES_PER_PIXEL: u64 = 16;

/// What it may allocate besides, for data such as colour profiles.
pub(super) const DECODING_BYTES: u64 = 16 << 20;

/// Scans of a progressive JPEG: programs write a dozen, and each goes over the whole image.
pub(super) const JPEG_SCANS: usize = 100;

/// Limits on what is decoded. Beyond them the result is [`Error::ImageTooLarge`]. The header's size is checked before
/// anything is allocated. Decoding allocates no more than 24 bytes a pixel and 32 MiB, whatever the file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecodeOptions {
    /// Longest side in pixels.
    pub max_side: u32,
    /// Pixels in all.
    pub max_pixels: u64,
    /// Turn the image as its EXIF orientation says. Off in the reference and by default here: turned
    /// pixels no longer lie as the decoder wrote them.
    pub apply_orientation: bool,
}

impl Default for DecodeOptions {
    fn default() -> Self {
        // 40 megapixels take 160 MB while decoding, which a phone's tab still allows.
        DecodeOptions { max_side: 16384, max_pixels: 40_000_000, apply_orientation: false }
    }
}

pub(super) fn check_size(width: u32, height: u32, options: &DecodeOptions) -> Result<()> {
    let pixels = u64::from(width).saturating_mul(height.into());
    if width == 0 || height == 0 {
        return Err(Error::ImageTooSmall { width: width.into(), height: height.into(), minimum: CROP_MULTIPLE.into() });
    }
    if width.max(height) > options.max_side || pixels > options.max_pixels {
        return Err(too_large((width, height), options));
    }
    Ok(())
}

pub(super) fn too_large((width, height): (u32, u32), options: &DecodeOptions) -> Error {
    let DecodeOptions { max_side, max_pixels, .. } = options;
    let limit = format!("at most {} megapixels and {max_side} pixels a side can be decoded", max_pixels / 1_000_000);
    Error::ImageTooLarge { width: width.into(), height: height.into(), limit }
}

pub(super) fn unsupported(detail: String) -> Error {
    Error::UnsupportedImage { detail }
}

pub(super) fn sizes_differ(width: u32, height: u32) -> Error {
    let detail = format!("its header tells another size than its {width} × {height} pixels");
    Error::ImageTruncated { detail }
}
