//! The search of the grid, on the default model and the project's sample images.

use std::fs;

use aedr::{
    evidence::{
        grid_search::{Alignment, Found, search},
        verdict::Outcome,
    },
    image::{DecodeOptions, DecodedImage, decode, jpeg_grid::block_grid, recompressed},
    method::reconstruction::{Progress, Silent, Stage},
    report::check::check_searched,
    weights::Model,
};
use pollster::block_on;

use crate::common::{cpu, default_candidate, load, repository, samples};

fn model() -> Model {
    load(&repository("weights/aedr-small"), cpu())
}

fn images(kind: &str) -> Vec<DecodedImage> {
    let read = |path| decode(&fs::read(path).unwrap(), &DecodeOptions::default()).unwrap();
    samples(kind).into_iter().map(read).collect()
}

fn found(model: &Model, image: &DecodedImage) -> Found {
    block_on(search(model, image, &mut Silent)).unwrap()
}

#[test]
fn what_was_cut_off_is_found_to_the_pixel() {
    let model = model();
    let mut contrasts = Vec::new();
    for (image, cut) in images("png").iter().zip([[3, 5], [0, 1], [6, 7]]) {
        let found = found(&model, &image.part(cut, [200, 180]));
        let [left, top] = cut.map(|pixels| (8 - pixels) % 8);
        assert_eq!(found.alignment, Alignment { size: None, left, top });
        contrasts.push(found.contrast);
    }
    // Photographs come back as well anywhere.
    let photographs = images("jpg");
    let others: Vec<f64> =
        photographs.iter().map(|image| found(&model, &image.part([3, 5], [200, 180])).contrast).collect();
    assert!(contrasts.iter().all(|own| others.iter().all(|other| own + 0.1 < *other)), "{contrasts:?} {others:?}");
}

#[test]
fn a_size_that_an_image_had_is_found() {
    let image = &images("png")[0].part([0, 0], [192, 192]);
    let found = found(&model(), &image.resized(288, 288).unwrap());
    assert_eq!(found.alignment, Alignment { size: Some([192, 192]), left: 0, top: 0 });
    let undone = found.alignment.undo(&image.resized(288, 288).unwrap()).unwrap();
    let difference = undone.rgb.iter().zip(&image.rgb).map(|(a, b)| u32::from(a.abs_diff(*b))).sum::<u32>();
    assert!(difference < undone.rgb.len() as u32 * 3, "{difference}");
}

#[test]
fn the_shipped_calibration_says_what_a_search_found() {
    let candidate = default_candidate(true);
    let check =
        |image: &DecodedImage| block_on(check_searched(&candidate, &image.part([3, 5], [200, 180]), &mut Silent));
    let own = check(&images("png")[0]).unwrap();
    assert_eq!(own.outcome, Outcome::Matches, "{own:?}");
    assert_eq!(own.evidence.unwrap().signal_name, "contrast");
    assert!(own.search.unwrap().recompressed.is_some());
    // It says nothing of compressed images, or of what a search takes for resized.
    let other = check(&images("jpg")[0]).unwrap();
    let code = other.reason.as_ref().map(|reason| reason.code.as_str());
    assert_eq!((other.outcome, &other.evidence), (Outcome::CannotTell, &None), "{other:?}");
    assert!(matches!(code, Some("search_uncalibrated" | "unmeasured_compression")), "{other:?}");
}

/// Cancels at the given report.
struct CancelAt(usize);

impl Progress for CancelAt {
    async fn report(&mut self, fraction: f64, _: Stage) -> bool {
        assert!((0.0..=1.0).contains(&fraction), "{fraction}");
        self.0 -= 1;
        self.0 > 0
    }
}

#[test]
fn a_search_can_be_cancelled_and_refuses_what_is_too_small() {
    let (model, image) = (model(), &images("png")[0]);
    assert_eq!(block_on(search(&model, image, &mut CancelAt(5))).unwrap_err().code(), "cancelled");
    assert_eq!(
        block_on(check_searched(&default_candidate(false), image, &mut CancelAt(9))).unwrap_err().code(),
        "cancelled"
    );
    let small = image.part([0, 0], [100, 200]);
    assert_eq!(block_on(search(&model, &small, &mut Silent)).unwrap_err().code(), "image_too_small");
}

#[test]
fn blocks_of_jpeg_are_seen_where_they_are() {
    for image in images("png") {
        assert_eq!(block_grid(&image.grey, image.width as usize), None);
        let cut = recompressed(&image, 50).unwrap().part([3, 6], [240, 200]);
        assert_eq!(block_grid(&cut.grey, cut.width as usize), Some([5, 2]));
    }
    assert_eq!(block_grid(&[0; 64], 8), None);
    assert_eq!(block_grid(&[7; 64 * 64], 64), None);
}
