//! The control's p-values of photographs, which the default model did not make.

use aedr::{
    image::{DecodeOptions, decode},
    method::reconstruction::Silent,
    report::check::check_image,
};
use pollster::block_on;

use crate::common::{default_candidate, samples};

const SIDE: u32 = 128;

#[test]
fn p_values_of_photographs_are_about_uniform() {
    let candidate = default_candidate(true);
    let mut shares = Vec::new();
    for file in samples("jpg") {
        let photograph = decode(&std::fs::read(file).unwrap(), &DecodeOptions::default()).unwrap();
        for place in 0..6 {
            let square = photograph.part([place % 3 * SIDE, place / 3 * SIDE], [SIDE, SIDE]);
            let report = block_on(check_image(&candidate, &square, &mut Silent)).unwrap();
            shares.push(report.control.unwrap().evidence.unwrap().other_share);
        }
    }
    shares.sort_by(f64::total_cmp);
    let count = shares.len() as f64;
    assert_eq!(count, 18.0);
    // Kolmogorov and Smirnov's largest distance of their share below a value from that value, in both directions: of so many that
    // are uniform one in a hundred exceeds sqrt(ln(1 / 0.01) / 2n).
    let limit = ((1.0f64 / 0.01).ln() / (2.0 * count)).sqrt();
    let [mut below, mut above] = [0.0f64; 2];
    for (rank, share) in shares.iter().enumerate() {
        below = below.max((rank as f64 + 1.0) / count - share);
        above = above.max(share - rank as f64 / count);
    }
    println!("{below:.3} {above:.3} of {limit:.3}: {shares:.3?}");
    assert!(below < limit && above < limit, "{below} {above} {shares:?}");
    assert!(shares[0] > 0.001, "a photograph would be called consistent: {shares:?}");
}
