//! Where in an image the evidence lies: a photograph that is pasted into what the default model painted stands out.

use aedr::{
    evidence::evidence_map::{CELL, EvidenceMap},
    image::{DecodeOptions, DecodedImage, decode},
    method::reconstruction::Silent,
    report::{
        candidate::Candidate,
        check::{check_image, check_with_map},
    },
};
use pollster::block_on;

use crate::common::{default_candidate, samples};

fn sample(kind: &str, index: usize) -> DecodedImage {
    decode(&std::fs::read(&samples(kind)[index]).unwrap(), &DecodeOptions::default()).unwrap()
}

fn evidence_map(candidate: &Candidate, image: &DecodedImage) -> EvidenceMap {
    block_on(check_with_map(candidate, image, false, &mut Silent)).unwrap().1.unwrap()
}

/// Left, top, width and height of what is pasted, in pixels; on no grid.
const PASTED: [usize; 4] = [83, 61, 90, 101];

fn pasted() -> DecodedImage {
    let (mut image, other) = (sample("png", 0), sample("jpg", 0));
    let [left, top, width, height] = PASTED;
    let (row, other_row) = (image.width as usize, other.width as usize);
    for y in top..top + height {
        for x in left..left + width {
            image.grey[y * row + x] = other.grey[y * other_row + x];
            for channel in 0..3 {
                image.rgb[3 * (y * row + x) + channel] = other.rgb[3 * (y * other_row + x) + channel];
            }
        }
    }
    image
}

#[test]
fn what_was_pasted_in_stands_out() {
    let map = evidence_map(&default_candidate(true), &pasted());
    let control = map.control.as_ref().unwrap();
    for (name, values, least) in [("ratio", &map.ratios, 0.95), ("control", &control.signals, 0.9)] {
        let area = area(&map, values);
        println!("cells of the paste have the larger {name} in {area:.4} of all pairs");
        assert!(area > least, "{name}: {area}");
    }
    // A window that lies within what the model painted, and one within the photograph.
    let at = |x: usize, y: usize| control.signals[y / CELL * map.columns + x / CELL] / control.spread;
    let (painted, photograph) = (at(300, 200), at(128, 111));
    assert!(painted < -3.0 && photograph.abs() < 3.0, "{painted} {photograph}");
}

/// The area under the curve: how often a cell of the paste has the larger value of two.
fn area(map: &EvidenceMap, values: &[f32]) -> f64 {
    let [left, top, width, height] = PASTED;
    let (mut inside, mut outside) = (Vec::new(), Vec::new());
    for (cell, &value) in values.iter().enumerate().filter(|(_, value)| !value.is_nan()) {
        let (x, y) = (cell % map.columns * CELL, cell / map.columns * CELL);
        let within = |at: usize, start: usize, side: usize, margin: usize| {
            at + margin >= start && at + CELL <= start + side + margin
        };
        if within(x, left, width, 0) && within(y, top, height, 0) {
            inside.push(value);
        } else if !(within(x, left, width, 32) && within(y, top, height, 32)) {
            outside.push(value);
        }
    }
    assert!(inside.len() > 50 && outside.len() > 200, "{} {}", inside.len(), outside.len());
    let larger = |&value: &f32| outside.iter().filter(|&&other| other < value).count();
    inside.iter().map(larger).sum::<usize>() as f64 / (inside.len() * outside.len()) as f64
}

#[test]
fn maps_and_losses_agree() {
    let (candidate, image) = (default_candidate(true), sample("png", 1));
    let (report, map) = block_on(check_with_map(&candidate, &image, false, &mut Silent)).unwrap();
    let alone = block_on(check_image(&candidate, &image, &mut Silent)).unwrap();
    assert_eq!(report, alone);
    let map = map.unwrap();
    for (errors, loss) in map.errors.iter().zip([report.losses.first, report.losses.second]) {
        let mean = errors.iter().map(|&error| (f64::from(error) / 127.5).powi(2)).sum::<f64>() / errors.len() as f64;
        assert!((mean / loss - 1.0).abs() < 1e-4, "{mean} {loss}");
    }
    let size = (image.width * image.height * 3) as usize;
    assert!(map.reconstructions.iter().all(|pixels| pixels.len() == size));
    assert_eq!(report.placement(), [0.0, 0.0, f64::from(image.width), f64::from(image.height)]);
}
