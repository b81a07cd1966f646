//! The control's p-values of photographs, which the default model did not make.

use aedr::{
    evidence::{control::ControlEvidence, image_edits::Edit},
    image::{DecodeOptions, DecodedImage, decode},
    method::reconstruction::Silent,
    report::check::check_image,
};
use pollster::block_on;

use crate::common::{default_candidate, reference, samples};

const SIDE: u32 = 128;

/// Squares of the project's photographs, and the middle of every seventh of the reference's, where it is there.
fn squares() -> Vec<DecodedImage> {
    let decoded = |file| decode(&std::fs::read(file).unwrap(), &DecodeOptions::default()).unwrap();
    let mut squares = Vec::new();
    for photograph in samples("jpg").into_iter().map(decoded) {
        let places = (0..6).map(|place| [place % 3 * SIDE, place / 3 * SIDE]);
        squares.extend(places.map(|place| photograph.part(place, [SIDE, SIDE])));
    }
    if let Some(folder) = reference("photos") {
        let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "jpg"));
        files.sort();
        squares.extend(files.into_iter().step_by(7).map(|file| Edit::Middle(SIDE).apply(decoded(file)).unwrap()));
    }
    squares
}

#[test]
fn p_values_of_photographs_are_no_smaller_than_uniform_ones() {
    let candidate = default_candidate(true);
    let evidence = |square: DecodedImage| -> ControlEvidence {
        block_on(check_image(&candidate, &square, &mut Silent)).unwrap().control.unwrap().evidence.unwrap()
    };
    let found: Vec<ControlEvidence> = squares().into_iter().map(evidence).collect();
    let count = found.len() as f64;
    assert!(count >= 18.0);
    let mut shares: Vec<f64> = found.iter().map(|one| one.other_share).collect();
    shares.sort_by(f64::total_cmp);
    // Kolmogorov's and Smirnov's largest distance: how many more lie below a value than would of uniform ones. Of so many it is
    // larger in one case of a hundred. Fewer may, for a model's spread is never taken for less than a few photographs can show.
    let limit = ((1.0f64 / 0.01).ln() / (2.0 * count)).sqrt();
    let ranked = shares.iter().enumerate();
    let more = ranked.map(|(rank, share)| (rank as f64 + 1.0) / count - share).fold(0.0, f64::max);
    println!("{more:.3} more small ones, limit {limit:.3}: {shares:.3?}");
    assert!(more < limit, "{more} {shares:?}");
    assert!(shares[0] > 0.001, "a photograph would be called consistent: {shares:?}");
    // The scores scatter about zero, and no wider than they say.
    let mean = found.iter().map(|one| one.score).sum::<f64>() / count;
    let square = found.iter().map(|one| one.score.powi(2)).sum::<f64>() / count;
    assert!(mean.abs() < 0.4 && (0.4..1.25).contains(&square.sqrt()), "{mean} {}", square.sqrt());
}
