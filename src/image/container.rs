//! The containers of image formats, walked part by part without decoding any: how many pictures a file holds, and
//! whether a WebP file keeps every value.

/// The most parts of a file that are examined: more than any program writes.
const PARTS: usize = 1 << 16;

/// The formats that are decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Png,
    Jpeg,
    WebP,
    Gif,
    Bmp,
    Tiff,
}

impl Format {
    /// As in [`crate::image::DecodedImage::format`].
    pub fn name(self) -> &'static str {
        match self {
            Format::Png => "PNG",
            Format::Jpeg => "JPEG",
            Format::WebP => "WebP",
            Format::Gif => "GIF",
            Format::Bmp => "BMP",
            Format::Tiff => "TIFF",
        }
    }
}

/// Whether the file holds more pictures than the first: frames of an animation, pages.
pub(crate) fn holds_several(bytes: &[u8], format: Format) -> bool {
    match format {
        Format::Png => png_frames(bytes).is_some_and(|frames| frames > 1),
        Format::Gif => gif_frames(bytes) > 1,
        Format::WebP => chunks(bytes).filter(|(name, _)| *name == b"ANMF").take(2).count() > 1,
        Format::Tiff => next_directory(bytes).is_some_and(|next| next > 0),
        Format::Jpeg | Format::Bmp => false,
    }
}

/// Whether a WebP file's first picture was compressed without loss.
pub(crate) fn is_lossless_webp(bytes: &[u8]) -> bool {
    let picture = chunks(bytes).find_map(|(name, data)| match name {
        // A frame: 16 bytes of position and timing, then its own chunks, at times with an alpha chunk before the
        // picture.
        b"ANMF" => Chunks { rest: data.get(16..)?, left: PARTS }.map(|(name, _)| name).find(|name| is_picture(name)),
        name => is_picture(name).then_some(name),
    });
    picture == Some(b"VP8L")
}

fn is_picture(name: &[u8; 4]) -> bool {
    matches!(name, b"VP8L" | b"VP8 ")
}

/// A PNG's number of frames, where it says that it is animated (PNG, third edition, `acTL`).
fn png_frames(bytes: &[u8]) -> Option<u32> {
    let mut rest = bytes.get(8..)?;
    for _ in 0..PARTS {
        let (length, after) = rest.split_first_chunk()?;
        let (name, data) = after.split_first_chunk()?;
        match name {
            b"acTL" => return Some(u32::from_be_bytes(*data.first_chunk()?)),
            // `acTL` stands before the pixels.
            b"IDAT" => return None,
            _ => {}
        }
        // The data and their checksum.
        rest = data.get(usize::try_from(u32::from_be_bytes(*length)).ok()?.checked_add(4)?..)?;
    }
    None
}

/// Pictures of a GIF, two at most.
fn gif_frames(bytes: &[u8]) -> usize {
    let mut frames = 0usize;
    let mut walk = || -> Option<()> {
        // The signature, the screen descriptor, then the global colour table if there is one.
        let mut rest = skip_colours(bytes.get(13..)?, *bytes.get(10)?)?;
        for _ in 0..PARTS {
            let (kind, after) = rest.split_first()?;
            let data = match kind {
                b',' => {
                    frames = frames.saturating_add(1);
                    if frames > 1 {
                        return None;
                    }
                    // Position and size, the local colour table if there is one, the code size.
                    skip_colours(after.get(9..)?, *after.get(8)?)?.get(1..)?
                }
                b'!' => after.get(1..)?,
                _ => return None,
            };
            rest = skip_blocks(data)?;
        }
        None
    };
    let _ = walk();
    frames
}

/// What follows a colour table, whose size is in a byte of flags.
fn skip_colours(bytes: &[u8], flags: u8) -> Option<&[u8]> {
    let colours = if flags & 0x80 == 0 { 0 } else { 2usize << (flags & 7) };
    bytes.get(colours.saturating_mul(3)..)
}

/// What follows blocks that each begin with their length; an empty block ends them.
fn skip_blocks(mut bytes: &[u8]) -> Option<&[u8]> {
    loop {
        let (&length, rest) = bytes.split_first()?;
        bytes = rest.get(usize::from(length)..)?;
        if length == 0 {
            return Some(bytes);
        }
    }
}

/// Where a TIFF's second directory is, 0 if there is none.
fn next_directory(bytes: &[u8]) -> Option<u64> {
    let little = bytes.starts_with(b"II");
    let number = |at: u64, length: u64| -> Option<u64> {
        let from = usize::try_from(at).ok()?;
        let digits = bytes.get(from..from.checked_add(usize::try_from(length).ok()?)?)?;
        let add = |number: u64, &digit: &u8| number << 8 | u64::from(digit);
        Some(if little { digits.iter().rev().fold(0, add) } else { digits.iter().fold(0, add) })
    };
    // BigTIFF's version is 43; its counts, entries and offsets are longer.
    let (start, count, entry, place) = if number(2, 2)? == 43 { (8, 8, 20, 8) } else { (4, 2, 12, 4) };
    let directory = number(start, place)?;
    let entries = number(directory, count)?;
    number(entries.checked_mul(entry)?.checked_add(count)?.checked_add(directory)?, place)
}

/// Chunks of a RIFF file, by name.
fn chunks(bytes: &[u8]) -> Chunks<'_> {
    Chunks { rest: bytes.get(12..).unwrap_or_default(), left: PARTS }
}

struct Chunks<'a> {
    rest: &'a [u8],
    left: usize,
}

impl<'a> Iterator for Chunks<'a> {
    type Item = (&'a [u8; 4], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let (name, after) = self.rest.split_first_chunk()?;
        let (length, data) = after.split_first_chunk()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        // Padded to an even length, which the last one may lack.
        self.rest = data.get(length.checked_add(length & 1)?..).unwrap_or_default();
        Some((name, data.get(..length.min(data.len()))?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_ends_wherever_the_file_does() {
        let gif = b"GIF89a\x01\0\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0!\xfe\x01x\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";
        assert!(holds_several(gif, Format::Gif));
        let second = gif.iter().rposition(|&byte| byte == b',').unwrap();
        assert!((0..=second).all(|end| !holds_several(&gif[..end], Format::Gif)));
        let tiff = b"II*\0\x08\0\0\0\0\0\x0e\0\0\0";
        assert!(holds_several(tiff, Format::Tiff));
        assert!((0..tiff.len()).all(|end| !holds_several(&tiff[..end], Format::Tiff)));
        assert!(!holds_several(b"II*\0\xff\xff\xff\xff", Format::Tiff));
        assert!(!holds_several(b"MM\0+\0\x08\0\0\xff\xff\xff\xff\xff\xff\xff\xff", Format::Tiff));
        for length in [b"\xff\xff\xff\xff", b"\0\0\0\0"] {
            let png = [&b"\x89PNG\r\n\x1a\n"[..], length, b"IHDR"].concat();
            assert!(!holds_several(&png, Format::Png));
            assert!(!holds_several(&[&b"RIFF\0\0\0\0WEBPANMF"[..], length].concat(), Format::WebP));
        }
    }

    #[test]
    fn webp_says_whether_it_lost_anything() {
        assert!(is_lossless_webp(b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0"));
        assert!(!is_lossless_webp(b"RIFF\0\0\0\0WEBPVP8 \0\0\0\0"));
        let extended = b"RIFF\0\0\0\0WEBPVP8X\x01\0\0\0..ICCP\x02\0\0\0..VP8L\0\0\0\0";
        assert!(is_lossless_webp(extended));
        let frame = b"RIFF\0\0\0\0WEBPVP8X\0\0\0\0ANMF\x20\0\0\0................ALPH\0\0\0\0VP8 \0\0\0\0VP8L\0\0\0\0";
        assert!(!is_lossless_webp(frame));
    }
}
