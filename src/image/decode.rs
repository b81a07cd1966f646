//! Bytes of a file → 8-bit RGB and the exact grey that homogeneity is measured on.
//!
//! Decoding never goes through a browser canvas: canvases convert colours and round.

use std::{collections::HashSet, io::Cursor};

use ::image::{
    ColorType, DynamicImage, ExtendedColorType, GrayImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits,
    LumaA, RgbImage, Rgba, error::LimitErrorKind, metadata::Orientation,
};
use libjpeg_turbo_rs::{JpegError, PixelFormat, Subsampling, compress};

use super::{
    compression::{Compression, Stored},
    container::{Format, holds_several},
    jpeg::{Jpeg, jpeg_planes, unusual_jpeg},
    limits::{
        DECODING_BYTES, DECODING_BYTES_PER_PIXEL, DecodeOptions, check_size, sizes_differ, too_large, unsupported,
    },
    pixels::{DecodedImage, LeftOut, grey_from_rgb},
    tiff::Directory,
};
use crate::{Error, Result};

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

/// The image after JPEG compression at `quality`, 1 to 100, with chroma at half the resolution, as most programs write
/// it.
///
/// # Errors
/// [`Error::BadNumbers`] if it cannot be written.
pub fn recompressed(image: &DecodedImage, quality: u8) -> Result<DecodedImage> {
    let (columns, rows) = (image.width as usize, image.height as usize);
    let file = compress(&image.rgb, columns, rows, PixelFormat::Rgb, quality, Subsampling::S420);
    let unwritten = |error: JpegError| Error::BadNumbers { what: "the image".into(), detail: error.to_string() };
    decode(&file.map_err(unwritten)?, &DecodeOptions::default())
}

/// Pixels as they are stored, of one size.
struct Picture {
    rgb: RgbImage,
    grey: GrayImage,
    orientation: Orientation,
    left_out: LeftOut,
}

impl Picture {
    /// Takes the grey from the colours.
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
    // Only the header is read here, so that a size over the limits gets its own error.
    let mut header = read();
    header.limits(limits(0, 0));
    let claimed = claimed_size(bytes, format).unwrap_or_default();
    if claimed.0.min(claimed.1) > 0 {
        check_size(claimed.0, claimed.1, options)?;
    }
    let (width, height) = header.into_dimensions().map_err(|error| decode_error(error, claimed, options))?;
    if format == Format::WebP && width.min(height) == 0 {
        // No WebP has a side of 0: the decoder reports 0 for the longest side that WebP allows.
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
    // The decoder's result is no larger than the size in the header, which was within the limits.
    let Picture { rgb, grey, .. } = &picture;
    if rgb.dimensions() != (width, height) || grey.dimensions() != (width, height) {
        return Err(sizes_differ(rgb.width(), rgb.height()));
    }
    Ok(picture)
}

/// The most colours of a palette, and how many times as many pixels an image must have for its colours to count.
const PALETTE: usize = 256;
const PIXELS_A_COLOUR: usize = 16;

/// Whether the pixels have no more colours than a palette, although the format can hold more: the image was then once
/// stored in a format that could not. Grey images have no more by nature, and small images may have no more.
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

/// The decoder's limits for a file whose header claims this size.
fn limits(width: u32, height: u32) -> Limits {
    let pixels = u64::from(width).saturating_mul(height.into());
    let mut limits = Limits::default();
    limits.max_alloc = Some(pixels.saturating_mul(DECODING_BYTES_PER_PIXEL).saturating_add(DECODING_BYTES));
    limits
}

fn is_deep(color: ColorType) -> bool {
    u16::from(color.bytes_per_pixel()) > u16::from(color.channel_count())
}

/// Whether any pixel is less than opaque. Differences that vanish in 8 bits do not count.
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

fn sniff(bytes: &[u8]) -> Result<Format> {
    if bytes.is_empty() {
        return Err(Error::NotAnImage { detail: "the file is empty".into() });
    }
    if let Some(format) = ::image::guess_format(bytes).ok().and_then(known_format) {
        return Ok(format);
    }
    // Formats that people do use, named so that they know what to do.
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

/// The size in the header of a PNG or BMP, which has a fixed position. On targets with 32-bit addresses, `image`
/// refuses larger sizes without naming them, or for another reason.
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

fn decode_error(error: ImageError, size: (u32, u32), options: &DecodeOptions) -> Error {
    match error {
        ImageError::Unsupported(error) => unsupported(error.to_string()),
        ImageError::Limits(error) => match (error.kind(), check_size(size.0, size.1, options)) {
            // The file's own size was too large; the error names it where it is known.
            (_, Err(error @ Error::ImageTooLarge { .. })) => error,
            (LimitErrorKind::DimensionError, _) => too_large(size, options),
            // The file's own size is allowed, so something within it claims more.
            _ => Error::ImageTruncated { detail: "a part of it claims more bytes than the image can have".into() },
        },
        other => Error::ImageTruncated { detail: other.to_string() },
    }
}
