//! Decoding: every format, what is refused, and that damage never does more than give an error.

use std::io::Cursor;

use aedr::{
    Error,
    autoencoder::{Architecture, AutoencoderDcConfig},
    image::{CROP_MULTIPLE, DecodeOptions, DecodedImage, compression::Compression, decode, grey_from_rgb},
    method::input::CroppedImage,
    method::reconstruction::Source,
    report::check::image_messages,
};
use image::{DynamicImage, ImageFormat, RgbImage, codecs::jpeg::JpegEncoder};
use libjpeg_turbo_rs::{PixelFormat, Subsampling, compress};
use proptest::prelude::*;

fn picture(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| image::Rgb([(x * 7) as u8, (y * 5) as u8, ((x * y) % 251) as u8]))
}

fn encoded(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Vec::new();
    DynamicImage::ImageRgb8(picture(width, height)).write_to(&mut Cursor::new(&mut bytes), format).unwrap();
    bytes
}

fn decode_default(bytes: &[u8]) -> Result<DecodedImage, Error> {
    decode(bytes, &DecodeOptions::default())
}

#[test]
fn every_format_is_decoded() {
    for (format, name) in [
        (ImageFormat::Png, "PNG"),
        (ImageFormat::Bmp, "BMP"),
        (ImageFormat::Tiff, "TIFF"),
        (ImageFormat::WebP, "WebP"),
        (ImageFormat::Gif, "GIF"),
        (ImageFormat::Jpeg, "JPEG"),
    ] {
        let image = decode_default(&encoded(37, 21, format)).unwrap();
        assert_eq!((image.format, image.width, image.height), (name, 37, 21));
        if !matches!(format, ImageFormat::Gif | ImageFormat::Jpeg) {
            assert_eq!(image.rgb, picture(37, 21).into_raw(), "{name} is lossless");
            let grey: Vec<u8> = picture(37, 21).pixels().map(|pixel| grey_from_rgb(pixel.0)).collect();
            assert_eq!(image.grey, grey);
        }
    }
}

#[test]
fn alpha_and_sixteen_bits_become_plain_rgb() {
    let rgba = image::RgbaImage::from_fn(16, 16, |x, _| image::Rgba([200, 100, 50, (x * 16) as u8]));
    let mut bytes = Vec::new();
    DynamicImage::ImageRgba8(rgba).write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).unwrap();
    assert_eq!(decode_default(&bytes).unwrap().rgb, [200, 100, 50].repeat(256));
    let deep = DynamicImage::ImageRgb8(picture(16, 16)).into_rgb16();
    let mut bytes = Vec::new();
    DynamicImage::ImageRgb16(deep).write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).unwrap();
    assert_eq!(decode_default(&bytes).unwrap().rgb, picture(16, 16).into_raw());
}

#[test]
fn values_are_the_cropped_image_in_minus_one_to_one() {
    let image = decode_default(&encoded(37, 21, ImageFormat::Png)).unwrap();
    let dc = |levels: usize| {
        Architecture::AutoencoderDc(AutoencoderDcConfig {
            block_out_channels: vec![32; levels],
            encoder_layers_per_block: vec![1; levels],
            decoder_layers_per_block: vec![1; levels],
            attention: vec![false; levels],
            attention_head_dim: 32,
            latent_channels: 32,
            silu_out: false,
        })
    };
    assert_eq!(CroppedImage::of(&image, &dc(5)).size(), [3, 16, 32]);
    assert_eq!(CroppedImage::of(&image, &dc(6)).size(), [3, 0, 32]);
    let cropped = CroppedImage::of(&image, &dc(2));
    assert_eq!(cropped.size(), [3, 16, 32]);
    let values = cropped.rows(0..16);
    assert_eq!(values.len(), 3 * 32 * 16);
    let original = picture(37, 21);
    for (channel, x, y) in [(0, 0, 0), (1, 31, 15), (2, 17, 9)] {
        let value = values[channel * 32 * 16 + y * 32 + x];
        let pixel = original.get_pixel(x as u32, y as u32).0[channel];
        assert!((value - (f32::from(pixel) / 255.0 * 2.0 - 1.0)).abs() < 1e-6);
    }
    assert_eq!(CROP_MULTIPLE, 8);
}

/// A little-endian TIFF whose strips of `rows` rows are these streams, with colours as `photometric` says.
fn tiff_of_strips(width: u32, height: u32, rows: u32, photometric: u32, method: u32, strips: &[&[u8]]) -> Vec<u8> {
    let count = strips.len() as u32;
    let samples = if photometric == 1 { 1 } else { 3 };
    let entries = 11;
    let behind = 8 + 2 + 12 * entries + 4;
    // Lists of one stand in the entry itself.
    let (bits, places) = (behind, behind + 6);
    let lengths = places + 4 * count;
    let first = lengths + 4 * count;
    let mut starts = vec![first];
    strips.iter().for_each(|strip| starts.push(starts.last().unwrap() + strip.len() as u32));
    let list = |at: u32, values: Vec<u32>| if count == 1 { values[0] } else { at };
    let mut file = [&b"II*\0\x08\0\0\0"[..], &(entries as u16).to_le_bytes()].concat();
    for (tag, kind, count, value) in [
        (256u16, 4u16, 1, width),
        (257, 4, 1, height),
        (258, 3, samples, if samples == 1 { 8 } else { bits }),
        (259, 3, 1, method),
        (262, 3, 1, photometric),
        (273, 4, count, list(places, starts.clone())),
        (277, 3, 1, samples),
        (278, 4, 1, rows),
        (279, 4, count, list(lengths, strips.iter().map(|strip| strip.len() as u32).collect())),
        (284, 3, 1, 1),
        // Chroma at half the resolution.
        (530, 3, 2, 2 << 16 | 2),
    ] {
        file.extend([&tag.to_le_bytes()[..], &kind.to_le_bytes(), &count.to_le_bytes(), &value.to_le_bytes()].concat());
    }
    file.extend([&[0; 4][..], &[8, 0, 8, 0, 8, 0]].concat());
    starts[..strips.len()].iter().for_each(|start| file.extend(start.to_le_bytes()));
    strips.iter().for_each(|strip| file.extend((strip.len() as u32).to_le_bytes()));
    strips.iter().for_each(|strip| file.extend(*strip));
    file
}

/// The same pixels as those of the JPEG file, by libjpeg's arithmetic; and what the TIFF says of them is the JPEG's quality.
#[test]
fn jpeg_in_a_tiff_is_jpeg() {
    let (width, height) = (64, 48);
    let pixels = picture(width, height).into_raw();
    let jpeg = |rows: std::ops::Range<usize>, quality: u8| {
        let part = &pixels[rows.start * 3 * width as usize..rows.end * 3 * width as usize];
        compress(part, width as usize, rows.len(), PixelFormat::Rgb, quality, Subsampling::S420).unwrap()
    };
    for quality in [20, 75, 92] {
        let whole = jpeg(0..48, quality);
        let image = decode_default(&tiff_of_strips(width, height, height, 6, 7, &[&whole])).unwrap();
        assert_eq!((image.format, image.compression), ("TIFF", Compression::Jpeg(quality)));
        assert_eq!(image.rgb, decode_default(&whole).unwrap().rgb);
        // What other readers make of a TIFF's colours, not the stream's own luma.
        let grey: Vec<u8> = image.rgb.as_chunks().0.iter().map(|&pixel| grey_from_rgb(pixel)).collect();
        assert_eq!(image.grey, grey);
        let codes: Vec<String> = image_messages(&image).into_iter().map(|message| message.code).collect();
        assert_eq!(codes, ["jpeg"]);
    }
    // The worst of the strips.
    let strips = [jpeg(0..16, 90), jpeg(16..32, 60), jpeg(32..48, 90)];
    let file = tiff_of_strips(width, height, 16, 6, 7, &[&strips[0], &strips[1], &strips[2]]);
    let image = decode_default(&file).unwrap();
    assert_eq!(image.compression, Compression::Jpeg(60));
    let parts: Vec<u8> = strips.iter().flat_map(|strip| decode_default(strip).unwrap().rgb).collect();
    assert_eq!(image.rgb, parts);
    // A strip that ends early, and one that lies elsewhere.
    for end in [file.len() - 9, file.len() - strips[2].len() / 2] {
        assert_eq!(decode_default(&file[..end]).unwrap_err().code(), "image_truncated");
    }
}

/// Palettes, in every format that has them, and what comes of them when they are saved again.
#[test]
fn few_colours_are_a_loss() {
    let pixels = picture(96, 64);
    let mut colours: Vec<[u8; 3]> = pixels.pixels().map(|pixel| pixel.0.map(|level| level / 64 * 85)).collect();
    let reduced = RgbImage::from_raw(96, 64, colours.concat()).unwrap();
    colours.sort();
    colours.dedup();
    let png = |colour: png::ColorType, data: &[u8]| {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, 96, 64);
        encoder.set_color(colour);
        encoder.set_palette(colours.concat());
        encoder.write_header().unwrap().write_image_data(data).unwrap();
        file
    };
    let index: Vec<u8> =
        reduced.pixels().map(|pixel| colours.iter().position(|colour| *colour == pixel.0).unwrap() as u8).collect();
    let grey: Vec<u8> = pixels.pixels().flat_map(|pixel| [pixel.0[2]; 3]).collect();
    for (file, expected, few) in [
        (png(png::ColorType::Indexed, &index), Compression::Lossy, true),
        (png(png::ColorType::Rgb, reduced.as_raw()), Compression::Lossy, true),
        (png(png::ColorType::Rgb, pixels.as_raw()), Compression::Lossless, false),
        // Greys are no more by nature.
        (png(png::ColorType::Rgb, &grey), Compression::Lossless, false),
    ] {
        let image = decode_default(&file).unwrap();
        assert_eq!((image.compression, image.few_colours), (expected, few));
        let codes: Vec<String> = image_messages(&image).into_iter().map(|message| message.code).collect();
        assert_eq!(codes, if few { vec!["few_colours"] } else { vec![] });
    }
}

/// A JPEG that says "turn me by 90°" is checked as stored unless asked otherwise.
#[test]
fn exif_orientation_is_off_by_default() {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 95).encode_image(&picture(40, 24)).unwrap();
    // A minimal APP1 segment: EXIF header, little-endian TIFF, one entry, orientation 6.
    let exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
    let mut with_exif = bytes[..2].to_vec();
    with_exif.extend([0xff, 0xe1]);
    with_exif.extend((exif.len() as u16 + 2).to_be_bytes());
    with_exif.extend(exif);
    with_exif.extend(&bytes[2..]);
    let stored = decode_default(&with_exif).unwrap();
    assert_eq!((stored.width, stored.height, stored.orientation_ignored), (40, 24, true));
    let turned = decode(&with_exif, &DecodeOptions { apply_orientation: true, ..DecodeOptions::default() }).unwrap();
    assert_eq!((turned.width, turned.height, turned.orientation_ignored), (24, 40, false));
    assert_eq!(turned.rgb[..3], stored.rgb[3 * 40 * 23..][..3], "the stored bottom left comes to the top left");
    assert_eq!(turned.grey[0], stored.grey[40 * 23]);
    assert!(!decode_default(&bytes).unwrap().orientation_ignored);
}

#[test]
fn what_is_no_image_is_told_by_kind() {
    for (bytes, code, named) in [
        (&b""[..], "not_an_image", "empty"),
        (b"just some text that is no image", "not_an_image", "known image format"),
        (b"\0\0\0\x20ftypheic\0\0\0\0", "unsupported_image", "HEIC"),
        (b"\0\0\0\x20ftypavif\0\0\0\0", "unsupported_image", "AVIF"),
        (b"\0\0\0\x20ftypisom\0\0\0\0", "not_an_image", "video"),
        (b"<svg xmlns=\"x\"></svg>", "unsupported_image", "SVG"),
    ] {
        let error = decode_default(bytes).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(error.to_string().contains(named), "{error}");
    }
}

#[test]
fn truncation_is_an_error_in_every_format() {
    for format in [ImageFormat::Png, ImageFormat::Bmp, ImageFormat::Tiff, ImageFormat::Jpeg, ImageFormat::WebP] {
        let bytes = encoded(64, 48, format);
        let error = decode_default(&bytes[..bytes.len() / 2]).unwrap_err();
        assert!(matches!(error, Error::ImageTruncated { .. }), "{format:?}: {error:?}");
    }
}

#[test]
fn too_large_is_told_before_decoding() {
    let options = DecodeOptions { max_side: 100, max_pixels: 5_000, apply_orientation: false };
    for (width, height) in [(101, 8), (90, 80)] {
        for format in [ImageFormat::Png, ImageFormat::Jpeg] {
            let error = decode(&encoded(width, height, format), &options).unwrap_err();
            assert_eq!(error.code(), "image_too_large", "{error}");
        }
    }
    // A header that claims 65535 × 65535 pixels in a few bytes.
    let mut bytes = encoded(8, 8, ImageFormat::Bmp);
    bytes[18..22].copy_from_slice(&65_535u32.to_le_bytes());
    bytes[22..26].copy_from_slice(&65_535u32.to_le_bytes());
    let error = decode_default(&bytes).unwrap_err();
    assert_eq!(error.code(), "image_too_large");
    assert!(error.to_string().contains("65535 × 65535 pixels; at most 40 megapixels"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Whatever is done to a file, decoding ends with an image or an error.
    #[test]
    fn damage_never_panics(
        format in prop::sample::select(vec![
            ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP, ImageFormat::Gif, ImageFormat::Bmp, ImageFormat::Tiff,
        ]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        keep in 0.2f64..1.0,
    ) {
        let mut bytes = encoded(33, 18, format);
        for (place, value) in changes {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        bytes.truncate((bytes.len() as f64 * keep) as usize);
        if let Ok(image) = decode_default(&bytes) {
            prop_assert_eq!(image.rgb.len(), 3 * image.width as usize * image.height as usize);
            prop_assert_eq!(image.grey.len(), image.width as usize * image.height as usize);
        }
    }
}
