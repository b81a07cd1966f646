//! Decoding: bytes of a file → 8-bit RGB and the exact grey that homogeneity is measured on. [`crate::method::input`] makes
//! of it what an autoencoder takes.
//!
//! Decoding never goes through a browser canvas: canvases convert colours and round.

pub mod compression;
mod container;
pub mod jpeg_grid;
pub mod png;
pub(crate) mod tiff;

use std::{collections::HashSet, io::Cursor};

use ::image::{
    ColorType, DynamicImage, ExtendedColorType, GrayImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits,
    LumaA, RgbImage, Rgba,
    error::LimitErrorKind,
    imageops::{FilterType, resize},
    metadata::Orientation,
};
use libjpeg_turbo_rs::{ColorSpace, DecodeLimits, Decoder, JpegError, PixelFormat, Subsampling, compress};

use self::{
    compression::{Compression, JpegSegments, Stored},
    container::{Format, holds_several},
    tiff::Directory,
};
use crate::{Error, Result};

/// Sides are cropped to multiples of this, the pixel size of one latent of the common autoencoders.
pub const CROP_MULTIPLE: u32 = 8;

/// What a decoder may allocate for each pixel of the size that the file's header claims: four channels of 16 bits, twice.
const DECODING_BYTES_PER_PIXEL: u64 = 16;
/// And besides, for what stands beside the pixels, as colour profiles do.
const DECODING_BYTES: u64 = 16 << 20;
/// Scans of a progressive JPEG: programs write a dozen, and each goes over the whole image.
const JPEG_SCANS: usize = 100;

/// What is decoded at all. Beyond it the answer is [`Error::ImageTooLarge`]. The header's size is looked at before
/// anything is allocated; while decoding, no more than 24 bytes a pixel and 32 MiB are, whatever the file holds.
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
    /// What the file holds besides, or in another form.
    pub left_out: LeftOut,
    /// What the file's format did to the pixels.
    pub compression: Compression,
    /// What it did was to round colours to few: to a palette, or to fewer than 8 bits a channel.
    pub few_colours: bool,
}

/// What the file holds and 8-bit RGB of one picture does not.
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

/// Decodes a whole file.
///
/// # Errors
/// [`Error::NotAnImage`], [`Error::UnsupportedImage`], [`Error::ImageTooLarge`], [`Error::ImageTruncated`].
pub fn decode(bytes: &[u8], options: &DecodeOptions) -> Result<DecodedImage> {
    let format = sniff(bytes)?;
    let directory = if format == Format::Tiff { Directory::read(bytes) } else { None };
    let decoded = match directory.filter(|directory| directory.is_jpeg() && !directory.has_inks()) {
        Some(directory) => Picture::of_rgb(directory.decode(bytes, options)?, directory.orientation())?,
        None => decode_picture(bytes, format, options)?,
    };
    let Picture { rgb, grey, orientation, left_out } = decoded;
    let stored = match Stored::of(bytes, format) {
        Stored { compression: Compression::Lossless, .. } if has_few_colours(&rgb) => Stored::FEW_COLOURS,
        stored => stored,
    };
    let (mut image, mut grey) = (DynamicImage::ImageRgb8(rgb), DynamicImage::ImageLuma8(grey));
    let turned = orientation != Orientation::NoTransforms;
    if turned && options.apply_orientation {
        image.apply_orientation(orientation);
        grey.apply_orientation(orientation);
    }
    Ok(DecodedImage {
        width: image.width(),
        height: image.height(),
        format: format.name(),
        rgb: image.into_rgb8().into_raw(),
        grey: grey.into_luma8().into_raw(),
        orientation_ignored: turned && !options.apply_orientation,
        left_out: LeftOut { pictures: holds_several(bytes, format), ..left_out },
        compression: stored.compression,
        few_colours: stored.few_colours,
    })
}

/// Pixels as they are stored, of one size.
struct Picture {
    rgb: RgbImage,
    grey: GrayImage,
    orientation: Orientation,
    left_out: LeftOut,
}

impl Picture {
    /// With the grey of its colours.
    fn of_rgb(rgb: RgbImage, orientation: Orientation) -> Result<Self> {
        let (width, height) = rgb.dimensions();
        let levels = rgb.as_raw().as_chunks().0.iter().map(|&pixel| grey_from_rgb(pixel)).collect();
        let grey = GrayImage::from_raw(width, height, levels).ok_or_else(|| sizes_differ(width, height))?;
        Ok(Picture { rgb, grey, orientation, left_out: LeftOut::default() })
    }
}

/// Decodes by `image`, but JPEG files.
fn decode_picture(bytes: &[u8], format: Format, options: &DecodeOptions) -> Result<Picture> {
    if let Some(kind) = bytes.get(2..).filter(|_| format == Format::Jpeg).and_then(unusual_jpeg) {
        return Err(unsupported(kind));
    }
    let read = || ImageReader::with_format(Cursor::new(bytes), image_format(format));
    // Only the header is read here, so that a size over the limits is told in its own words.
    let mut header = read();
    header.limits(limits(0, 0));
    let claimed = claimed_size(bytes, format).unwrap_or_default();
    if claimed.0.min(claimed.1) > 0 {
        check_size(claimed.0, claimed.1, options)?;
    }
    let (width, height) = header.into_dimensions().map_err(|error| decode_error(error, claimed, options))?;
    if format == Format::WebP && width.min(height) == 0 {
        // No WebP has a side of 0: the decoder takes the longest that there can be for one.
        return Err(unsupported("a WebP image with a side of 16384 pixels".into()));
    }
    check_size(width, height, options)?;
    let mut reader = read();
    reader.limits(limits(width, height));
    let failed = |error| decode_error(error, (width, height), options);
    let mut decoder = reader.into_decoder().map_err(failed)?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let jpeg = if format == Format::Jpeg { jpeg_planes(bytes, options)? } else { Jpeg::Converted { inks: false } };
    let picture = match jpeg {
        Jpeg::Planes { rgb, luma } => Picture { rgb, grey: luma, orientation, left_out: LeftOut::default() },
        Jpeg::Converted { inks } => {
            let inks = inks || matches!(decoder.original_color_type(), ExtendedColorType::Cmyk8);
            let decoded = DynamicImage::from_decoder(decoder).map_err(failed)?;
            let (depth, transparency) = (is_deep(decoded.color()), is_transparent(&decoded));
            let left_out = LeftOut { inks, depth, transparency, ..LeftOut::default() };
            Picture { left_out, ..Picture::of_rgb(decoded.into_rgb8(), orientation)? }
        }
    };
    // What a decoder gives is no larger than what the header was let in with.
    let Picture { rgb, grey, .. } = &picture;
    if rgb.dimensions() != (width, height) || grey.dimensions() != (width, height) {
        return Err(sizes_differ(rgb.width(), rgb.height()));
    }
    Ok(picture)
}

/// The most colours of a palette, and how many times as many pixels an image must have to be judged by them.
const PALETTE: usize = 256;
const PIXELS_A_COLOUR: usize = 16;

/// Whether the pixels have no more colours than a palette, though the file could tell more apart: it was once one that
/// could not. Greys have no more by nature, and small images may.
fn has_few_colours(rgb: &RgbImage) -> bool {
    let (pixels, _) = rgb.as_raw().as_chunks::<3>();
    if pixels.len() < PALETTE.saturating_mul(PIXELS_A_COLOUR) {
        return false;
    }
    let mut colours = HashSet::with_capacity(PALETTE.saturating_add(1));
    let few = pixels.iter().all(|pixel| {
        colours.insert(*pixel);
        colours.len() <= PALETTE
    });
    few && colours.iter().any(|[red, green, blue]| red != green || green != blue)
}

/// For a file whose header claims this size.
fn limits(width: u32, height: u32) -> Limits {
    let pixels = u64::from(width).saturating_mul(height.into());
    let mut limits = Limits::default();
    limits.max_alloc = Some(pixels.saturating_mul(DECODING_BYTES_PER_PIXEL).saturating_add(DECODING_BYTES));
    limits
}

fn is_deep(color: ColorType) -> bool {
    u16::from(color.bytes_per_pixel()) > u16::from(color.channel_count())
}

/// Whether any pixel is less than opaque. What no longer differs in 8 bits does not count.
fn is_transparent(image: &DynamicImage) -> bool {
    match image {
        DynamicImage::ImageLumaA8(image) => image.pixels().any(|&LumaA([_, alpha])| alpha < u8::MAX),
        DynamicImage::ImageRgba8(image) => image.pixels().any(|&Rgba([.., alpha])| alpha < u8::MAX),
        DynamicImage::ImageLumaA16(image) => image.pixels().any(|&LumaA([_, alpha])| alpha < u16::MAX),
        DynamicImage::ImageRgba16(image) => image.pixels().any(|&Rgba([.., alpha])| alpha < u16::MAX),
        DynamicImage::ImageRgba32F(image) => image.pixels().any(|&Rgba([.., alpha])| alpha < 1.0),
        _ => false,
    }
}

fn sizes_differ(width: u32, height: u32) -> Error {
    let detail = format!("its header tells another size than its {width} × {height} pixels");
    Error::ImageTruncated { detail }
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
        let DecodedImage { orientation_ignored, left_out, compression, few_colours, .. } = *self;
        Ok(DecodedImage { orientation_ignored, left_out, compression, few_colours, ..image })
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

fn sniff(bytes: &[u8]) -> Result<Format> {
    if bytes.is_empty() {
        return Err(Error::NotAnImage { detail: "the file is empty".into() });
    }
    if let Some(format) = ::image::guess_format(bytes).ok().and_then(known_format) {
        return Ok(format);
    }
    // Formats that people do bring, told by name so that they know what to do.
    let head = bytes.get(..512).unwrap_or(bytes);
    if head.get(4..8) == Some(b"ftyp") {
        let brand = head.get(8..12).map(String::from_utf8_lossy).unwrap_or_default().into_owned();
        let known = match brand.as_str() {
            "avif" | "avis" => Some("an AVIF image"),
            "heic" | "heix" | "hevc" | "mif1" | "msf1" => Some("a HEIC image"),
            "crx " => Some("a camera's raw image"),
            _ => None,
        };
        return Err(match known {
            Some(what) => unsupported(what.into()),
            None => Error::NotAnImage { detail: "it looks like a video".into() },
        });
    }
    let known = [
        (&b"\xff\x0a"[..], "a JPEG XL image"),
        (b"\0\0\0\x0cJXL ", "a JPEG XL image"),
        (b"\0\0\0\x0cjP  ", "a JPEG 2000 image"),
        (b"%PDF-", "a PDF document, which may hold several images"),
        (b"8BPS", "a Photoshop document"),
        (b"\0\0\x01\0", "an icon"),
    ];
    if let Some((_, what)) = known.iter().find(|(start, _)| head.starts_with(start)) {
        return Err(unsupported((*what).into()));
    }
    if head.windows(4).any(|window| window == b"<svg") {
        return Err(unsupported("an SVG drawing, which has no pixels of its own".into()));
    }
    Err(Error::NotAnImage { detail: "its first bytes belong to no known image format".into() })
}

/// What kind of JPEG it is that is not decoded, if it is one: of its segments after the first two bytes.
fn unusual_jpeg(segments: &[u8]) -> Option<String> {
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

/// The size in the header of a PNG or BMP, whose place is fixed. Where addresses have 32 bits, `image` refuses a size beyond
/// them without telling it, or for another reason.
fn claimed_size(bytes: &[u8], format: Format) -> Option<(u32, u32)> {
    let four = |at: usize| bytes.get(at..)?.first_chunk().copied();
    match format {
        Format::Png => Some((u32::from_be_bytes(four(16)?), u32::from_be_bytes(four(20)?))),
        // A negative height says that the rows go downwards. The oldest headers have 16 bits and no such sizes.
        Format::Bmp if u32::from_le_bytes(four(14)?) >= 40 => {
            let side = |at: usize| i32::from_le_bytes(four(at)?).checked_abs()?.try_into().ok();
            Some((side(18)?, side(22)?))
        }
        _ => None,
    }
}

fn known_format(format: ImageFormat) -> Option<Format> {
    Some(match format {
        ImageFormat::Png => Format::Png,
        ImageFormat::Jpeg => Format::Jpeg,
        ImageFormat::WebP => Format::WebP,
        ImageFormat::Gif => Format::Gif,
        ImageFormat::Bmp => Format::Bmp,
        ImageFormat::Tiff => Format::Tiff,
        _ => return None,
    })
}

fn image_format(format: Format) -> ImageFormat {
    match format {
        Format::Png => ImageFormat::Png,
        Format::Jpeg => ImageFormat::Jpeg,
        Format::WebP => ImageFormat::WebP,
        Format::Gif => ImageFormat::Gif,
        Format::Bmp => ImageFormat::Bmp,
        Format::Tiff => ImageFormat::Tiff,
    }
}

fn unsupported(detail: String) -> Error {
    Error::UnsupportedImage { detail }
}

fn check_size(width: u32, height: u32, options: &DecodeOptions) -> Result<()> {
    let pixels = u64::from(width).saturating_mul(height.into());
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
        ImageError::Limits(error) => match (error.kind(), check_size(size.0, size.1, options)) {
            // It was the file's size, which is told where it is known.
            (_, Err(error @ Error::ImageTooLarge { .. })) => error,
            (LimitErrorKind::DimensionError, _) => too_large(size, options),
            // Its size is one that is decoded: what claims more is within.
            _ => Error::ImageTruncated { detail: "a part of it claims more bytes than the image can have".into() },
        },
        other => Error::ImageTruncated { detail: other.to_string() },
    }
}

/// How a JPEG's pixels are to be had.
enum Jpeg {
    /// Its RGB pixels, and its Y plane before any colour conversion.
    Planes { rgb: RgbImage, luma: GrayImage },
    /// Of colours that `image` must convert, inks or others.
    Converted { inks: bool },
}

/// A JPEG's pixels as libjpeg gives them. The decoder in `image` differs in the inverse transform and in how it enlarges
/// chroma: with it, H moves by 1e-5 and L1 by up to 0.4 % from the reference's values.
fn jpeg_planes(bytes: &[u8], options: &DecodeOptions) -> Result<Jpeg> {
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
