//! How a file's format compressed the pixels, which moves the signal.

use serde::{Deserialize, Serialize};

use crate::container::is_lossless_webp;

/// What the file tells of how its pixels were compressed last. Earlier compressions leave no word in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Compression {
    /// Every value is kept: PNG, BMP, TIFF, lossless WebP.
    Lossless,
    /// JPEG of this quality, 1 to 100 on the scale of libjpeg; the nearest, for tables of another maker.
    Jpeg(u8),
    /// With a loss that has no such number: GIF's few colours, WebP.
    Lossy,
}

impl Compression {
    /// Of a file whose format is named as [`crate::image::DecodedImage::format`] does.
    pub(crate) fn of(bytes: &[u8], format: &str) -> Self {
        match format {
            "JPEG" => luminance_table(bytes).map_or(Compression::Lossy, |table| Compression::Jpeg(quality(&table))),
            "WebP" if is_lossless_webp(bytes) => Compression::Lossless,
            "WebP" | "GIF" => Compression::Lossy,
            _ => Compression::Lossless,
        }
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

/// The segments of a JPEG (ISO/IEC 10918-1, annex B) up to its first scan: their kinds, and what they hold.
pub(crate) struct JpegSegments<'a>(pub &'a [u8]);

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
            assert_eq!(Compression::of(&file, "JPEG"), Compression::Jpeg(quality));
            // Cut off before the tables are whole: no number, and no panic.
            for end in 0..60 {
                assert_eq!(Compression::of(&file[..end], "JPEG"), Compression::Lossy);
            }
        }
    }

    #[test]
    fn formats_say_what_they_lose() {
        assert_eq!(Compression::of(b"", "PNG"), Compression::Lossless);
        assert_eq!(Compression::of(b"RIFF....WEBPVP8L\0\0\0\0", "WebP"), Compression::Lossless);
        assert_eq!(Compression::of(b"RIFF....WEBPVP8 \0\0\0\0", "WebP"), Compression::Lossy);
        assert_eq!(Compression::of(b"GIF89a", "GIF"), Compression::Lossy);
    }
}
