//! Edits that images commonly undergo, applied on purpose to measure their effect on a check.

#![expect(clippy::arithmetic_side_effects, reason = "runs natively, on images whose size decoding bounds")]

use std::{fmt, str::FromStr};

use crate::{
    Error, Result,
    image::{DecodedImage, middle_start, recompressed},
};

/// One thing done to an image. As text: "middle:256", "crop:3", "crop:1..7", "jpeg:85", "resize:0.75".
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Edit {
    /// The middle square with sides of this many pixels, on the grid. A smaller image stays as it is.
    Middle(u32),
    /// Removes this many pixels at the left and at the top: off the grid, unless it is a multiple of 8.
    Crop(u32),
    /// As [`Edit::Crop`], by a number in this range, both ends included. The image's pixels decide which, so that it is
    /// always the same for one image and differs between images.
    CropAmong(u32, u32),
    /// JPEG compression at this quality, 1 to 100, with chroma at half the resolution, as most programs write it.
    Jpeg(u8),
    /// Both sides times this (bicubic, Catmull and Rom's), 0.05 to 4.
    Resize(f64),
}

impl Edit {
    /// # Errors
    /// [`Error::BadNumbers`] if nothing would be left, or the image cannot be written.
    pub fn apply(self, image: DecodedImage) -> Result<DecodedImage> {
        let (width, height) = (image.width, image.height);
        match self {
            Edit::Middle(side) => {
                let [left, top] = [width, height].map(|whole| middle_start(whole, side));
                Ok(image.part([left, top], [side, side]))
            }
            Edit::Crop(pixels) if pixels < width.min(height) => Ok(image.part([pixels, pixels], [width, height])),
            Edit::Crop(_) => Err(self.impossible(format!("the image has {width} × {height} pixels"))),
            Edit::CropAmong(least, most) => {
                let sum: u64 = image.rgb.iter().map(|&value| u64::from(value)).sum();
                Edit::Crop(least + (sum % (u64::from(most - least) + 1)) as u32).apply(image)
            }
            Edit::Jpeg(quality) => recompressed(&image, quality),
            Edit::Resize(factor) => {
                let [columns, rows] = [width, height].map(|side| (f64::from(side) * factor).round().max(1.0) as u32);
                image.resized(columns, rows)
            }
        }
    }

    fn impossible(self, detail: String) -> Error {
        Error::BadNumbers { what: format!("the edit {self}"), detail }
    }
}

impl fmt::Display for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Edit::Middle(side) => write!(f, "middle:{side}"),
            Edit::Crop(pixels) => write!(f, "crop:{pixels}"),
            Edit::CropAmong(least, most) => write!(f, "crop:{least}..{most}"),
            Edit::Jpeg(quality) => write!(f, "jpeg:{quality}"),
            Edit::Resize(factor) => write!(f, "resize:{factor}"),
        }
    }
}

impl FromStr for Edit {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let number = |text: &str| text.parse::<u32>().map_err(|error| error.to_string());
        match text.split_once(':') {
            Some(("middle", side)) => match number(side)? {
                0 => Err("nothing would be left".into()),
                side => Ok(Edit::Middle(side)),
            },
            Some(("crop", pixels)) => match pixels.split_once("..") {
                None => number(pixels).map(Edit::Crop),
                Some((least, most)) => match (number(least)?, number(most)?) {
                    (least, most) if least < most => Ok(Edit::CropAmong(least, most)),
                    _ => Err("the first number is the smaller one".into()),
                },
            },
            Some(("jpeg", quality)) => match number(quality)? {
                quality @ 1..=100 => Ok(Edit::Jpeg(quality as u8)),
                _ => Err("a quality is 1 to 100".into()),
            },
            Some(("resize", factor)) => match factor.parse::<f64>() {
                Ok(factor) if (0.05..=4.0).contains(&factor) => Ok(Edit::Resize(factor)),
                _ => Err("a factor is 0.05 to 4".into()),
            },
            _ => Err("it must be middle:SIDE, crop:PIXELS, jpeg:QUALITY or resize:FACTOR".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::grey_from_rgb;

    /// Each pixel tells where it was.
    fn picture(width: u32, height: u32) -> DecodedImage {
        let pixels = (0..height).flat_map(|y| (0..width).flat_map(move |x| [x as u8, y as u8, 9]));
        DecodedImage::from_rgb(pixels.collect(), width, height, "PNG")
    }

    #[test]
    fn parts_are_where_they_were() {
        let middle = Edit::Middle(16).apply(picture(50, 40)).unwrap();
        assert_eq!((middle.width, middle.height, &middle.rgb[..3]), (16, 16, &[16, 8, 9][..]));
        let cropped = Edit::Crop(3).apply(picture(50, 40)).unwrap();
        assert_eq!((cropped.width, cropped.height, &cropped.rgb[..3]), (47, 37, &[3, 3, 9][..]));
        assert_eq!(cropped.grey[48], grey_from_rgb([4, 4, 9]));
        let whole = Edit::Middle(64).apply(picture(50, 40)).unwrap();
        assert_eq!((whole.width, whole.height), (50, 40));
        let among = [picture(50, 40), picture(51, 40), picture(50, 41), picture(60, 60)];
        for (whole, image) in [(50, 40), (51, 40), (50, 41), (60, 60)].into_iter().zip(among) {
            let sum = image.rgb.iter().map(|&value| u32::from(value)).sum::<u32>();
            let cropped = Edit::CropAmong(1, 7).apply(image).unwrap();
            assert_eq!([whole.0 - cropped.width, whole.1 - cropped.height], [1 + sum % 7; 2]);
        }
        assert_eq!(Edit::Crop(40).apply(picture(50, 40)).unwrap_err().code(), "bad_numbers");
    }

    #[test]
    fn jpeg_comes_nearer_with_quality_and_resizing_keeps_the_picture() {
        let difference = |quality| {
            let made = Edit::Jpeg(quality).apply(picture(64, 48)).unwrap();
            assert_eq!((made.width, made.height, made.format), (64, 48, "JPEG"));
            let pairs = made.rgb.iter().zip(picture(64, 48).rgb);
            pairs.map(|(a, b)| f64::from(a.abs_diff(b)).powi(2)).sum::<f64>()
        };
        assert!(difference(95) < difference(40));
        let smaller = Edit::Resize(0.5).apply(picture(64, 48)).unwrap();
        assert_eq!((smaller.width, smaller.height, smaller.rgb.len()), (32, 24, 32 * 24 * 3));
        let middle = (12 * 32 + 16) * 3;
        assert!(smaller.rgb[middle].abs_diff(32) <= 1 && smaller.rgb[middle + 1].abs_diff(24) <= 1);
    }

    #[test]
    fn texts_are_read_and_written() {
        for text in ["middle:256", "crop:3", "crop:1..7", "jpeg:85", "resize:0.75"] {
            assert_eq!(text.parse::<Edit>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "jpeg",
            "jpeg:0",
            "jpeg:101",
            "crop:-1",
            "crop:7..1",
            "crop:1..",
            "resize:nan",
            "resize:9",
            "blur:2",
            "middle:0",
        ] {
            assert!(text.parse::<Edit>().is_err(), "{text}");
        }
    }
}
