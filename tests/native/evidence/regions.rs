//! Parts that the default model decoded, pasted into photographs, and real pixels pasted into what it decoded.

use aedr::{
    evidence::{
        image_edits::Edit,
        regions::{Region, Trace},
        verdict::Outcome,
    },
    image::{DecodeOptions, DecodedImage, decode, grey_from_rgb},
    method::reconstruction::Silent,
    report::{candidate::Candidate, check::check_image, check_report::CheckReport},
};
use pollster::block_on;

use crate::common::{default_candidate, samples};

fn sample(kind: &str, index: usize) -> DecodedImage {
    decode(&std::fs::read(&samples(kind)[index]).unwrap(), &DecodeOptions::default()).unwrap()
}

/// The square of `side` pixels at (left, top) of `other` in place of the same square of `image`.
fn pasted(mut image: DecodedImage, other: &DecodedImage, [left, top]: [usize; 2], side: usize) -> DecodedImage {
    let (row, other_row) = (image.width as usize, other.width as usize);
    for y in top..top + side {
        for x in left..left + side {
            let pixel: [u8; 3] = other.rgb[3 * (y * other_row + x)..][..3].try_into().unwrap();
            image.rgb[3 * (y * row + x)..][..3].copy_from_slice(&pixel);
            image.grey[y * row + x] = grey_from_rgb(pixel);
        }
    }
    DecodedImage { compression: aedr::image::compression::Compression::Lossless, format: "PNG", ..image }
}

fn checked(candidate: &Candidate, image: &DecodedImage) -> (CheckReport, Vec<Region>) {
    let report = block_on(check_image(candidate, image, &mut Silent)).unwrap();
    let regions = report.control.as_ref().unwrap().regions.clone();
    (report, regions)
}

/// Whether the middle of the paste lies within the region, and the region is not much larger.
fn fits(region: &Region, [left, top]: [usize; 2], side: usize) -> bool {
    let [left, top, side] = [left, top, side].map(|pixels| pixels as u32);
    let middle = [left + side / 2, top + side / 2];
    let within = (region.left..region.left + region.width).contains(&middle[0])
        && (region.top..region.top + region.height).contains(&middle[1]);
    within && region.width <= side + 128 && region.height <= side + 128
}

#[test]
fn a_part_that_the_model_decoded_is_found_in_a_photograph() {
    let candidate = default_candidate(true);
    let (photograph, decoded) = (sample("jpg", 0), sample("png", 0));
    // On the grid of the decoded image, as an inpainting tool leaves it.
    for (place, side, edits) in [([160, 96], 64, vec![None]), ([128, 64], 128, vec![None, Some(Edit::Jpeg(90))])] {
        let image = pasted(photograph.clone(), &decoded, place, side);
        for edit in edits {
            let image = edit.map_or_else(|| image.clone(), |edit| edit.apply(image.clone()).unwrap());
            let (mut report, regions) = checked(&candidate, &image);
            // An evaluation judges what it has read once more.
            report.judge(candidate.calibration.as_ref()).unwrap();
            assert!(regions.iter().any(|region| region.trace == Trace::Present), "{side}, {edit:?}: {regions:?}");
            assert!(fits(&regions[0], place, side), "{place:?}, {side}: {regions:?}");
            assert_eq!(report.reason.map(|reason| reason.code), Some("traced_part".into()), "{side}, {edit:?}");
        }
    }
    let (report, regions) = checked(&candidate, &pasted(photograph.clone(), &photograph, [0, 0], 16));
    assert!(regions.is_empty() && report.outcome != Outcome::Matches, "{regions:?}");
}

#[test]
fn real_pixels_are_found_in_what_the_model_decoded() {
    let candidate = default_candidate(true);
    let (photograph, decoded) = (sample("jpg", 0), sample("png", 0));
    let (place, side) = ([128, 64], 128);
    let (report, regions) = checked(&candidate, &pasted(decoded.clone(), &photograph, place, side));
    // Of the whole, the losses say that it does not belong, and the control that it does.
    assert_eq!(report.outcome, Outcome::CannotTell);
    assert!(regions.iter().any(|region| region.trace == Trace::Absent && fits(region, place, side)), "{regions:?}");
    assert_eq!(checked(&candidate, &decoded).1, []);
}
