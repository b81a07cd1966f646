//! Writing PNG files: of reconstructions, of maps in colours, of files that browsers do not show. Written here rather
//! than on a browser's canvas, whose content some browsers falsify when it is read.

use crate::{Error, Result};

/// A PNG file of `height · width · 3` values, R G B.
///
/// # Errors
/// [`Error::BadNumbers`] if there are not so many.
pub fn write_png(rgb: &[u8], width: usize, height: usize) -> Result<Vec<u8>> {
    let unwritten = |detail: String| Error::BadNumbers { what: "the picture".into(), detail };
    let side = |side: usize| u32::try_from(side).map_err(|error| unwritten(error.to_string()));
    let mut bytes = Vec::new();
    let mut encoder = ::png::Encoder::new(&mut bytes, side(width)?, side(height)?);
    encoder.set_color(::png::ColorType::Rgb);
    encoder.set_compression(::png::Compression::Fast);
    encoder
        .write_header()
        .and_then(|mut writer| {
            writer.write_image_data(rgb)?;
            writer.finish()
        })
        .map_err(|error| unwritten(error.to_string()))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{DecodeOptions, decode};

    #[test]
    fn pictures_can_be_read_again() {
        let rgb: Vec<u8> = (0..5 * 4 * 3).map(|value| value * 4).collect();
        let read = decode(&write_png(&rgb, 5, 4).unwrap(), &DecodeOptions::default()).unwrap();
        assert_eq!((read.width, read.height, read.rgb), (5, 4, rgb.clone()));
        assert_eq!(write_png(&rgb, 5, 5).unwrap_err().code(), "bad_numbers");
        assert_eq!(write_png(&[], 0, 0).unwrap_err().code(), "bad_numbers");
    }
}
