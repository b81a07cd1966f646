//! How a file's format compressed the pixels, which moves the signal.

use serde::{Deserialize, Serialize};
use tiff::tags::{CompressionMethod, PhotometricInterpretation};

use super::{
    container::{Format, is_lossless_webp},
    jpeg::JpegSegments,
    tiff::Directory,
};

/// What the file tells of how its pixels were compressed last. Earlier compressions leave no word in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Compression {
    /// Every value is kept: PNG, BMP, TIFF and WebP of the kinds that do so.
    Lossless,
    /// JPEG of this quality, 1 to 100 on the scale of libjpeg; the nearest, for tables of another maker. In a TIFF the
    /// lowest of its strips'.
    Jpeg(u8),
    /// With a loss that has no such number: palettes, fewer than 8 bits a channel, WebP, and all that is not known.
    Lossy,
}

/// What a file's format did to the pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stored {
    pub compression: Compression,
    /// The loss is one of colours: a palette, or fewer than 8 bits a channel. Whether the image had more colours before
    /// cannot be known: a program that makes files smaller without loss may have written it.
    pub few_colours: bool,
}

impl Stored {
    const LOSSLESS: Self = Stored { compression: Compression::Lossless, few_colours: false };
    const LOSSY: Self = Stored { compression: Compression::Lossy, few_colours: false };
    /// Colours were rounded to a few.
    pub const FEW_COLOURS: Self = Stored { compression: Compression::Lossy, few_colours: true };

    /// The compression of a file of this format. A format that is not known to keep every value counts as lossy.
    pub fn of(bytes: &[u8], format: Format) -> Self {
        match format {
            Format::Png => png(bytes).unwrap_or(Self::LOSSY),
            Format::Jpeg => jpeg(luminance_table(bytes)),
            Format::WebP if is_lossless_webp(bytes) => Self::LOSSLESS,
            Format::WebP => Self::LOSSY,
            Format::Gif => Self::FEW_COLOURS,
            Format::Bmp => bmp(bytes).unwrap_or(Self::LOSSY),
            Format::Tiff => Directory::read(bytes).map_or(Self::LOSSY, |directory| tiff(&directory, bytes)),
        }
    }
}

fn jpeg(table: Option<[u32; 64]>) -> Stored {
    let compression = table.map_or(Compression::Lossy, |table| Compression::Jpeg(quality(&table)));
    Stored { compression, ..Stored::LOSSY }
}

/// By the header's depth and colour type (PNG, third edition, 11.2.1).
fn png(bytes: &[u8]) -> Option<Stored> {
    let [depth, colour] = *bytes.get(24..)?.first_chunk()?;
    Some(match (depth, colour) {
        (1 | 2 | 4, 0) | (_, 3) => Stored::FEW_COLOURS,
        (8 | 16, 0 | 2 | 4 | 6) => Stored::LOSSLESS,
        _ => return None,
    })
}

/// By the header's depth and, where there are some, the masks of the channels.
fn bmp(bytes: &[u8]) -> Option<Stored> {
    const MASKS: [u32; 2] = [3, 6];
    let two = |at: usize| Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
    let four = |at: usize| Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
    let (depth, method) = if four(14)? < 40 { (two(24)?, 0) } else { (two(28)?, four(30)?) };
    Some(match (depth, method) {
        (1..=16, _) => Stored::FEW_COLOURS,
        (24 | 32, 0) => Stored::LOSSLESS,
        (32, method) if MASKS.contains(&method) => {
            let narrow = [four(54)?, four(58)?, four(62)?].iter().any(|mask| mask.count_ones() < 8);
            if narrow { Stored::FEW_COLOURS } else { Stored::LOSSLESS }
        }
        _ => return None,
    })
}

fn tiff(directory: &Directory, bytes: &[u8]) -> Stored {
    use CompressionMethod as Method;
    use PhotometricInterpretation as Colours;
    match (directory.method, directory.photometric) {
        // The lowest quality of all strips or tiles.
        (Method::ModernJPEG, _) => {
            let mut qualities: Vec<u8> = Vec::new();
            let mut last = None;
            for table in directory.streams(bytes).map(|stream| luminance_table(&stream)) {
                let Some(table) = table else { return Stored::LOSSY };
                // Most files have the same for all.
                if last != Some(table) {
                    qualities.push(quality(&table));
                    last = Some(table);
                }
            }
            let lowest = qualities.into_iter().min();
            Stored { compression: lowest.map_or(Compression::Lossy, Compression::Jpeg), ..Stored::LOSSY }
        }
        (_, Colours::RGBPalette) => Stored::FEW_COLOURS,
        (Method::Huffman | Method::Fax3 | Method::Fax4, _) => Stored::FEW_COLOURS,
        (
            Method::None | Method::LZW | Method::Deflate | Method::OldDeflate | Method::PackBits | Method::ZSTD,
            Colours::BlackIsZero | Colours::WhiteIsZero | Colours::RGB | Colours::CMYK,
        ) => {
            if directory.bits < 8 {
                Stored::FEW_COLOURS
            } else {
                Stored::LOSSLESS
            }
        }
        // Old JPEG, WebP, JPEG 2000 and XL; colour spaces that round, such as YCbCr and Lab.
        _ => Stored::LOSSY,
    }
}

/// The luminance quantisation table of quality 50, in the order of a file (ISO/IEC 10918-1, annex K.1, zigzag).
const HALF_QUALITY: [u32; 64] = [
    16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58, 51, 61,
    60, 57, 51, 56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87, 95, 98, 103, 104, 103, 62, 77, 113,
    121, 112, 100, 120, 92, 101, 103, 99,
];

/// The quality whose table is the nearest.
fn quality(table: &[u32; 64]) -> u8 {
    let distance = |quality: u32| -> u32 {
        // libjpeg's scaling.
        let low = 5000u32.checked_div(quality).unwrap_or(5000);
        let percent = if quality < 50 { low } else { 200u32.saturating_sub(quality.saturating_mul(2)) };
        let scaled = |value: u32| (value.saturating_mul(percent).saturating_add(50) / 100).clamp(1, 255);
        let scaled = HALF_QUALITY.iter().map(|&value| scaled(value));
        scaled.zip(table).map(|(value, &other)| value.abs_diff(other)).sum()
    };
    // Of equals the highest: 1 to 100 fit.
    (1..=100).rev().min_by_key(|&quality| distance(quality)).unwrap_or(1) as u8
}

/// Table 0 of the file's segments: luminance, as all common programs number them.
fn luminance_table(bytes: &[u8]) -> Option<[u32; 64]> {
    const QUANTISATION: u8 = 0xdb;
    for (_, mut tables) in JpegSegments(bytes.get(2..)?).filter(|(kind, _)| *kind == QUANTISATION) {
        while let Some((&kind, values)) = tables.split_first() {
            let bytes_each: usize = if kind >> 4 == 0 { 1 } else { 2 };
            let (table, after) = values.split_at_checked(bytes_each.saturating_mul(64))?;
            if kind & 15 == 0 {
                let numbers = table.chunks_exact(bytes_each);
                let mut numbers = numbers.map(|value| value.iter().fold(0, |n, &b| n << 8 | u32::from(b)));
                return Some(std::array::from_fn(|_| numbers.next().unwrap_or(1)));
            }
            tables = after;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use libjpeg_turbo_rs::{PixelFormat, Subsampling, compress};

    use super::*;

    #[test]
    fn the_quality_that_a_file_was_written_with_is_read() {
        let pixels: Vec<u8> = (0..32 * 32 * 3).map(|i| (i * 7) as u8).collect();
        for quality in 1..=100 {
            let file = compress(&pixels, 32, 32, PixelFormat::Rgb, quality, Subsampling::S420).unwrap();
            assert_eq!(Stored::of(&file, Format::Jpeg).compression, Compression::Jpeg(quality));
            // Cut off before the tables are whole: no number, and no panic.
            for end in 0..60 {
                assert_eq!(Stored::of(&file[..end], Format::Jpeg), Stored::LOSSY);
            }
        }
    }

    /// The first bytes of a BMP with a header of `length` bytes, and three masks.
    fn bitmap(length: u32, depth: u16, method: u32, masks: [u32; 3]) -> Vec<u8> {
        let mut file = [&b"BM"[..], &[0; 12], &length.to_le_bytes(), &[0; 10], &depth.to_le_bytes()].concat();
        file.extend([&method.to_le_bytes()[..], &[0; 20]].concat());
        file.extend(masks.iter().flat_map(|mask| mask.to_le_bytes()));
        file
    }

    #[test]
    fn formats_say_what_they_lose() {
        let png = |depth: u8, colour: u8| [&[0; 24][..], &[depth, colour]].concat();
        for (depth, colour, expected) in [
            (8, 2, Stored::LOSSLESS),
            (16, 6, Stored::LOSSLESS),
            (8, 0, Stored::LOSSLESS),
            (8, 3, Stored::FEW_COLOURS),
            (1, 0, Stored::FEW_COLOURS),
            (4, 0, Stored::FEW_COLOURS),
            (3, 7, Stored::LOSSY),
        ] {
            assert_eq!(Stored::of(&png(depth, colour), Format::Png), expected, "{depth} {colour}");
        }
        let eight = [0xff_0000, 0xff00, 0xff];
        for (length, depth, method, masks, expected) in [
            (40, 24, 0, [0; 3], Stored::LOSSLESS),
            (124, 32, 3, eight, Stored::LOSSLESS),
            (40, 32, 3, [0x7c00, 0x3e0, 0x1f], Stored::FEW_COLOURS),
            (40, 16, 0, [0; 3], Stored::FEW_COLOURS),
            (40, 8, 1, [0; 3], Stored::FEW_COLOURS),
            (40, 0, 4, [0; 3], Stored::LOSSY),
        ] {
            let file = bitmap(length, depth, method, masks);
            assert_eq!(Stored::of(&file, Format::Bmp), expected, "{length} {depth} {method}");
        }
        assert_eq!(Stored::of(b"RIFF....WEBPVP8L\0\0\0\0", Format::WebP), Stored::LOSSLESS);
        assert_eq!(Stored::of(b"RIFF....WEBPVP8 \0\0\0\0", Format::WebP), Stored::LOSSY);
        assert_eq!(Stored::of(b"GIF89a", Format::Gif), Stored::FEW_COLOURS);
        // What cannot be read is not lossless.
        for format in [Format::Png, Format::Jpeg, Format::WebP, Format::Bmp, Format::Tiff] {
            assert_eq!(Stored::of(b"", format), Stored::LOSSY, "{format:?}");
        }
    }
}
