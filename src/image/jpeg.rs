//! JPEG files: their segments, and their pixels by libjpeg's arithmetic.

use ::image::{GrayImage, RgbImage};
use libjpeg_turbo_rs::{ColorSpace, DecodeLimits, Decoder, JpegError, PixelFormat};

use super::limits::{DecodeOptions, JPEG_SCANS, sizes_differ};
use crate::{Error, Result};

/// The segments of a JPEG (ISO/IEC 10918-1, annex B) up to its first scan: their kinds, and what they hold.
pub(super) struct JpegSegments<'a>(pub &'a [u8]);

impl<'a> Iterator for JpegSegments<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        const SCAN: u8 = 0xda;
        // Fillers may stand before a segment.
        while self.0.starts_with(&[0xff, 0xff]) {
            self.0 = self.0.get(1..)?;
        }
        let [0xff, kind, high, low, ..] = *self.0 else { return None };
        // The length counts its own two bytes.
        let (segment, after) = self.0.get(2..)?.split_at_checked(u16::from_be_bytes([high, low]).into())?;
        self.0 = after;
        (kind != SCAN).then_some((kind, segment.get(2..)?))
    }
}

/// The kind of a JPEG that is not decoded; `None` if it is decoded. `segments` begins after the first two bytes.
pub(super) fn unusual_jpeg(segments: &[u8]) -> Option<String> {
    let (kind, segment) =
        JpegSegments(segments).find(|(kind, _)| matches!(kind, 0xc0..=0xcf if !matches!(kind, 0xc4 | 0xc8 | 0xcc)))?;
    match (kind, segment.first()?) {
        (0xc0..=0xc2, 8) => None,
        (0xc0..=0xc2, bits) => Some(format!("a JPEG of {bits} bits a channel")),
        (0xc3 | 0xc7 | 0xcb | 0xcf, _) => Some("a JPEG of the lossless kind".into()),
        (0xc9 | 0xca, _) => Some("a JPEG with arithmetic coding".into()),
        _ => Some("a hierarchical JPEG".into()),
    }
}

/// How to get a JPEG's pixels.
pub(super) enum Jpeg {
    /// Its RGB pixels, and its Y plane before any colour conversion.
    Planes { rgb: RgbImage, luma: GrayImage },
    /// Colours that `image` must convert: inks or others.
    Converted { inks: bool },
}

/// A JPEG's pixels as libjpeg gives them. The decoder in `image` differs in the inverse transform and in how it enlarges
/// chroma: with it, H moves by 1e-5 and L1 by up to 0.4 % from the reference's values.
pub(super) fn jpeg_planes(bytes: &[u8], options: &DecodeOptions) -> Result<Jpeg> {
    let limits = DecodeLimits { max_pixels: options.max_pixels, max_scans: JPEG_SCANS, ..DecodeLimits::default() };
    let damaged = |error: JpegError| Error::ImageTruncated { detail: error.to_string() };
    let decoder = || Ok(Decoder::new(bytes).map_err(damaged)?.with_limits(limits));
    let space = decoder()?.jpeg_color_space();
    if !matches!(space, ColorSpace::YCbCr | ColorSpace::Grayscale) {
        return Ok(Jpeg::Converted { inks: matches!(space, ColorSpace::Cmyk | ColorSpace::Ycck) });
    }
    let plane = |format: PixelFormat| -> Result<Option<(u32, u32, Vec<u8>)>> {
        let mut decoder = decoder()?;
        decoder.set_output_format(format);
        match decoder.decode_image() {
            Ok(image) => Ok(Some((image.width as u32, image.height as u32, image.data))),
            Err(JpegError::Unsupported(_)) => Ok(None),
            Err(error) => Err(damaged(error)),
        }
    };
    let (Some((width, height, rgb)), Some((_, _, luma))) = (plane(PixelFormat::Rgb)?, plane(PixelFormat::Grayscale)?)
    else {
        return Ok(Jpeg::Converted { inks: false });
    };
    let planes = RgbImage::from_raw(width, height, rgb).zip(GrayImage::from_raw(width, height, luma));
    let (rgb, luma) = planes.ok_or_else(|| sizes_differ(width, height))?;
    Ok(Jpeg::Planes { rgb, luma })
}
