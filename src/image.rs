//! Decoding: bytes of a file → 8-bit RGB, the exact grey that homogeneity is measured on, and the
//! `[1, 3, height, width]` values in [-1, 1] that an autoencoder takes.
//!
//! Decoding never goes through a browser canvas: canvases convert colours and round.

use std::io::Cursor;

use ::image::{
    DynamicImage, GrayImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, Luma, RgbImage,
    error::LimitErrorKind,
    imageops::{FilterType, resize},
    metadata::Orientation,
};
use libjpeg_turbo_rs::{ColorSpace, DecodeLimits, Decoder, JpegError, PixelFormat, Subsampling, compress};

use crate::{
    Error, Result,
    autoencoder::{Architecture, spec::MapSize},
    compression::Compression,
    engine::plan::Rows,
    reconstruction::Source,
};

/// Sides are cropped to multiples of this, the pixel size of one latent of the common autoencoders.
pub const CROP_MULTIPLE: u32 = 8;

/// What a decoder may allocate: four channels of 16 bits, twice.
const MAX_DECODING_BYTES_PER_PIXEL: u64 = 16;

/// What is decoded at all. Beyond it the answer is [`Error::ImageTooLarge`].
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
        // 40 megapixels are 160 MB while decoding, what a phone's tab still gives.
        DecodeOptions { max_side: 16384, max_pixels: 40_000_000, apply_orientation: false }
    }
}

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
    /// What the file's format did to the pixels.
    pub compression: Compression,
}

/// The integer grey that the published homogeneities of PNG files follow (reference README, step 2).
pub fn grey_from_rgb([red, green, blue]: [u8; 3]) -> u8 {
    // The weights add up to 2^15, so the result fits.
    ((9797 * u32::from(red) + 19234 * u32::from(green) + 3737 * u32::from(blue)) >> 15) as u8
}

/// Decodes a whole file.
///
/// # Errors
/// [`Error::NotAnImage`], [`Error::UnsupportedImage`], [`Error::ImageTooLarge`], [`Error::ImageTruncated`].
pub fn decode(bytes: &[u8], options: &DecodeOptions) -> Result<DecodedImage> {
    let format = sniff(bytes)?;
    let name = format_name(format).ok_or_else(|| unsupported(format!("{format:?}")))?;
    // Only the header is read here, so that a size over the limits is told in its own words.
    let mut header = ImageReader::with_format(Cursor::new(bytes), format);
    header.no_limits();
    let claimed = png_size(bytes, format).unwrap_or_default();
    let (width, height) = header.into_dimensions().map_err(|error| decode_error(error, claimed, options))?;
    check_size(width, height, options)?;
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(options.max_pixels.saturating_mul(MAX_DECODING_BYTES_PER_PIXEL));
    reader.limits(limits);
    let failed = |error| decode_error(error, (width, height), options);
    let mut decoder = reader.into_decoder().map_err(failed)?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let jpeg = if format == ImageFormat::Jpeg { jpeg_planes(bytes, options)? } else { None };
    let (mut image, mut grey) = match jpeg {
        Some((rgb, luma)) => (DynamicImage::ImageRgb8(rgb), DynamicImage::ImageLuma8(luma)),
        None => {
            let decoded = DynamicImage::from_decoder(decoder).map_err(failed)?;
            let rgb = decoded.into_rgb8();
            let grey = GrayImage::from_fn(width, height, |x, y| Luma([grey_from_rgb(rgb.get_pixel(x, y).0)]));
            (DynamicImage::ImageRgb8(rgb), DynamicImage::ImageLuma8(grey))
        }
    };
    let turned = orientation != Orientation::NoTransforms;
    if turned && options.apply_orientation {
        image.apply_orientation(orientation);
        grey.apply_orientation(orientation);
    }
    Ok(DecodedImage {
        width: image.width(),
        height: image.height(),
        format: name,
        rgb: image.into_rgb8().into_raw(),
        grey: grey.into_luma8().into_raw(),
        orientation_ignored: turned && !options.apply_orientation,
        compression: Compression::of(bytes, name),
    })
}

impl DecodedImage {
    /// Of `height · width · 3` values.
    pub(crate) fn from_rgb(rgb: Vec<u8>, width: u32, height: u32, format: &'static str) -> Self {
        let grey = rgb.as_chunks().0.iter().map(|&pixel| grey_from_rgb(pixel)).collect();
        let compression = Compression::Lossless;
        DecodedImage { width, height, format, rgb, grey, orientation_ignored: false, compression }
    }

    /// The rectangle of `[width, height]` pixels at `[left, top]`, cut off at the image's edges, with the grey it had.
    pub fn part(&self, [left, top]: [u32; 2], [width, height]: [u32; 2]) -> DecodedImage {
        let (width, height) = (width.min(self.width.saturating_sub(left)), height.min(self.height.saturating_sub(top)));
        let cut = |values: &[u8], channels: usize| -> Vec<u8> {
            let rows = values.chunks_exact((self.width as usize * channels).max(1));
            let row = left as usize * channels..(left + width) as usize * channels;
            rows.skip(top as usize).take(height as usize).flat_map(|values| &values[row.clone()]).copied().collect()
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
        let plane = |channel: usize| part.rgb.chunks_exact(3).map(move |pixel| f32::from(pixel[channel]) / 127.5 - 1.0);
        Some((0..3).flat_map(plane).collect())
    }

    /// In another size (bicubic, Catmull and Rom's); the grey is made of the new colours.
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
        Ok(DecodedImage { orientation_ignored: self.orientation_ignored, compression: self.compression, ..image })
    }

    /// Through JPEG of `quality`, 1 to 100, with colours at half the resolution, as most programs write it.
    ///
    /// # Errors
    /// [`Error::BadNumbers`] if it cannot be written.
    pub fn compressed(&self, quality: u8) -> Result<DecodedImage> {
        let (columns, rows) = (self.width as usize, self.height as usize);
        let file = compress(&self.rgb, columns, rows, PixelFormat::Rgb, quality, Subsampling::S420);
        let unwritten = |error: JpegError| Error::BadNumbers { what: "the image".into(), detail: error.to_string() };
        decode(&file.map_err(unwritten)?, &DecodeOptions::default())
    }

    /// What a model checks: the sides cropped from the top left to multiples of what `architecture` divides by, at
    /// least of [`CROP_MULTIPLE`]. Resizing instead, as the reference does, would destroy the latent grid.
    pub fn cropped(&self, architecture: &Architecture) -> CroppedImage<'_> {
        let multiple = architecture.crop_multiple(CROP_MULTIPLE as usize);
        let side = |side: u32| side as usize / multiple * multiple;
        CroppedImage { image: self, multiple, width: side(self.width), height: side(self.height) }
    }
}

/// The part of an image that is checked.
#[derive(Debug, Clone, Copy)]
pub struct CroppedImage<'a> {
    image: &'a DecodedImage,
    /// Both sides are multiples of it.
    pub multiple: usize,
    pub width: usize,
    pub height: usize,
}

impl CroppedImage<'_> {
    /// The grey values of a row; none below the last.
    pub fn grey_row(&self, row: usize) -> &[u8] {
        let whole = self.image.grey.chunks_exact(self.image.width.max(1) as usize).nth(row);
        whole.map_or(&[], |values| &values[..self.width])
    }
}

/// `[3, height, width]` values in [-1, 1].
impl Source for CroppedImage<'_> {
    fn size(&self) -> MapSize {
        [3, self.height, self.width]
    }

    fn rows(&self, rows: Rows) -> Vec<f32> {
        let mut values = Vec::with_capacity(3 * rows.len() * self.width);
        for channel in 0..3 {
            for row in self.image.rgb.chunks_exact(3 * self.image.width as usize).skip(rows.start).take(rows.len()) {
                let row = row.chunks_exact(3).take(self.width);
                values.extend(row.map(|pixel| f32::from(pixel[channel]) / 127.5 - 1.0));
            }
        }
        values
    }
}

fn sniff(bytes: &[u8]) -> Result<ImageFormat> {
    if bytes.is_empty() {
        return Err(Error::NotAnImage { detail: "the file is empty".into() });
    }
    if let Ok(format) = ::image::guess_format(bytes)
        && format_name(format).is_some()
    {
        return Ok(format);
    }
    // Formats that people do bring, told by name so that they know what to do.
    let head = &bytes[..bytes.len().min(512)];
    if head.get(4..8) == Some(b"ftyp") {
        let brand = head.get(8..12).map(String::from_utf8_lossy).unwrap_or_default().into_owned();
        let known = match brand.as_str() {
            "avif" | "avis" => Some("an AVIF image"),
            "heic" | "heix" | "hevc" | "mif1" | "msf1" => Some("a HEIC image"),
            _ => None,
        };
        return Err(match known {
            Some(what) => unsupported(what.into()),
            None => Error::NotAnImage { detail: "it looks like a video".into() },
        });
    }
    if head.windows(4).any(|window| window == b"<svg") {
        return Err(unsupported("an SVG drawing, which has no pixels of its own".into()));
    }
    Err(Error::NotAnImage { detail: "its first bytes belong to no known image format".into() })
}

/// The size in a PNG's header, whose place is fixed. Where addresses have 32 bits, `image` refuses a size
/// beyond them without telling it.
fn png_size(bytes: &[u8], format: ImageFormat) -> Option<(u32, u32)> {
    let number = |at: usize| Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?));
    (format == ImageFormat::Png).then_some((number(16)?, number(20)?))
}

fn format_name(format: ImageFormat) -> Option<&'static str> {
    Some(match format {
        ImageFormat::Png => "PNG",
        ImageFormat::Jpeg => "JPEG",
        ImageFormat::WebP => "WebP",
        ImageFormat::Gif => "GIF",
        ImageFormat::Bmp => "BMP",
        ImageFormat::Tiff => "TIFF",
        _ => return None,
    })
}

fn unsupported(detail: String) -> Error {
    Error::UnsupportedImage { detail }
}

fn check_size(width: u32, height: u32, options: &DecodeOptions) -> Result<()> {
    let pixels = u64::from(width) * u64::from(height);
    if width == 0 || height == 0 {
        return Err(Error::ImageTooSmall { width: width.into(), height: height.into(), minimum: CROP_MULTIPLE.into() });
    }
    if width.max(height) > options.max_side || pixels > options.max_pixels {
        return Err(too_large((width, height), options));
    }
    Ok(())
}

fn too_large((width, height): (u32, u32), options: &DecodeOptions) -> Error {
    let DecodeOptions { max_side, max_pixels, .. } = options;
    let limit = format!("at most {} megapixels and {max_side} pixels a side can be decoded", max_pixels / 1_000_000);
    Error::ImageTooLarge { width: width.into(), height: height.into(), limit }
}

fn decode_error(error: ImageError, size: (u32, u32), options: &DecodeOptions) -> Error {
    match error {
        ImageError::Unsupported(error) => unsupported(error.to_string()),
        ImageError::Limits(error)
            if matches!(error.kind(), LimitErrorKind::DimensionError | LimitErrorKind::InsufficientMemory) =>
        {
            too_large(size, options)
        }
        other => Error::ImageTruncated { detail: other.to_string() },
    }
}

/// A JPEG's RGB pixels, and its Y plane before any colour conversion, both as libjpeg gives them. The
/// decoder in `image` differs in the inverse transform and in how it enlarges chroma: with it, H moves by
/// 1e-5 and L1 by up to 0.4 % from the reference's values. `None` for colours that `image` must convert
/// (CMYK and the like).
fn jpeg_planes(bytes: &[u8], options: &DecodeOptions) -> Result<Option<(RgbImage, GrayImage)>> {
    let limits = DecodeLimits { max_pixels: options.max_pixels, ..DecodeLimits::default() };
    let damaged = |error: JpegError| Error::ImageTruncated { detail: error.to_string() };
    let plane = |format: PixelFormat| -> Result<Option<(u32, u32, Vec<u8>)>> {
        let mut decoder = Decoder::new(bytes).map_err(damaged)?.with_limits(limits);
        if !matches!(decoder.jpeg_color_space(), ColorSpace::YCbCr | ColorSpace::Grayscale) {
            return Ok(None);
        }
        decoder.set_output_format(format);
        match decoder.decode_image() {
            Ok(image) => Ok(Some((image.width as u32, image.height as u32, image.data))),
            Err(JpegError::Unsupported(_)) => Ok(None),
            Err(error) => Err(damaged(error)),
        }
    };
    let Some((width, height, rgb)) = plane(PixelFormat::Rgb)? else { return Ok(None) };
    let Some((_, _, luma)) = plane(PixelFormat::Grayscale)? else { return Ok(None) };
    Ok(RgbImage::from_raw(width, height, rgb).zip(GrayImage::from_raw(width, height, luma)))
}
