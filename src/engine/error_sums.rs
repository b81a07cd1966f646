//! The error of a reconstruction in high frequencies: the difference of a reconstruction and its input, less a Gaussian blur
//! of that difference, squared and summed. In two ways: all channels in tiles of 16 pixels, with the blur of the orientation
//! control's published formula (reference `orientation-control.md`), and the luma in cells of 4 pixels with a wider blur, which
//! tells best (docs/measured.md).
//!
//! The blur reaches over tiles and, at the image's borders, takes pixels mirrored about the outermost ones. It is the same
//! for all orientations, so the difference of a turned image is read where its pixels belong, not turned back.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "sizes and places are the planner's, made of an architecture that was validated"
)]

use crate::image::orientation::{Layout, Orientation};

/// Sides of a tile and of a cell in pixels. The last tile of a row or a column may be smaller.
pub const TILE: usize = 16;
pub const CELL: usize = 4;

/// Standard deviations of the blurs in pixels: for tiles and for cells.
pub const BLURS: [f64; 2] = [0.8, 2.0];

/// Pixels that the blurs reach in each direction: three and a half standard deviations of the wider one.
pub const REACH: usize = 7;

/// Red, green and blue of the luma, as in JPEG.
pub const LUMA: [f32; 3] = [0.299, 0.587, 0.114];

/// Sums of squares of values in [-1, 1], by parts of the upright image, in rows.
#[derive(Debug, Clone, PartialEq)]
pub struct ErrorSums {
    /// `[⌈height / 16⌉, ⌈width / 16⌉]`, over all channels.
    pub tiles: Vec<f64>,
    /// `[⌈height / 4⌉, ⌈width / 4⌉]`, of the luma.
    pub cells: Vec<f64>,
}

/// How many parts of this side lie in `[rows, columns]` of an image of `[height, width]` pixels.
pub fn parts(sides: [usize; 2], side: usize) -> [usize; 2] {
    sides.map(|pixels| pixels.div_ceil(side))
}

/// A blur's weights of a pixel and of those at 1 to [`REACH`] pixels; all fifteen together are 1.
pub fn blur_weights(deviation: f64) -> [f32; REACH + 1] {
    let weights: [f64; REACH + 1] = std::array::from_fn(|distance| {
        // The published formula's blur ends at three pixels.
        let reached = distance as f64 <= 4.0 * deviation;
        f64::from(u8::from(reached)) * (-(distance as f64 / deviation).powi(2) / 2.0).exp()
    });
    let sum = 2.0 * weights.iter().sum::<f64>() - weights[0];
    weights.map(|weight| (weight / sum) as f32)
}

/// The sums of an upright image of `[height, width]` pixels. `made` and `input` are `[3, ...]` values of the oriented image.
pub fn error_sums(made: &[f32], input: &[f32], sides: [usize; 2], orientation: Orientation) -> ErrorSums {
    let mut sums = ErrorSums {
        tiles: vec![0.0; parts(sides, TILE).iter().product()],
        cells: vec![0.0; parts(sides, CELL).iter().product()],
    };
    let area = sides[0] * sides[1];
    let mut luma = vec![0.0f32; area];
    for ((made, input), weight) in made.chunks_exact(area).zip(input.chunks_exact(area)).zip(LUMA) {
        let difference = difference(made, input, sides, orientation);
        luma.iter_mut().zip(&difference).for_each(|(luma, value)| *luma += weight * value);
        add_high(&difference, sides, &blur_weights(BLURS[0]), TILE, &mut sums.tiles);
    }
    add_high(&luma, sides, &blur_weights(BLURS[1]), CELL, &mut sums.cells);
    sums
}

/// The difference of two planes of the oriented image, as a plane of the upright one.
fn difference(made: &[f32], input: &[f32], [height, width]: [usize; 2], orientation: Orientation) -> Vec<f32> {
    let Layout { origin, right, down } = orientation.layout([height, width]);
    let rows = (0..height as i32).map(|y| origin + down * y);
    let places = rows.flat_map(|start| (0..width as i32).map(move |x| (start + right * x) as usize));
    places.map(|place| made[place] - input[place]).collect()
}

/// Adds the squares of a plane less its blur to the parts in which they lie.
fn add_high(values: &[f32], [height, width]: [usize; 2], weights: &[f32; REACH + 1], side: usize, sums: &mut [f64]) {
    let columns = width.div_ceil(side);
    let blurred = |values: &[f32], at: usize, length: usize, step: usize, start: usize| -> f32 {
        let reached = (1..=REACH).map(|distance| {
            let [before, after] = [at as isize - distance as isize, (at + distance) as isize];
            let [before, after] = [before, after].map(|place| values[start + mirrored(place, length) * step]);
            weights[distance] * (before + after)
        });
        weights[0] * values[start + at * step] + reached.sum::<f32>()
    };
    let across: Vec<f32> =
        (0..values.len()).map(|at| blurred(values, at % width, width, 1, at / width * width)).collect();
    for (at, value) in values.iter().enumerate() {
        let (x, y) = (at % width, at / width);
        let high = value - blurred(&across, y, height, width, x);
        sums[y / side * columns + x / side] += f64::from(high).powi(2);
    }
}

/// A place outside 0 to `side - 1`, mirrored about the outermost pixels.
fn mirrored(place: isize, side: usize) -> usize {
    let last = side as isize - 1;
    let inside = place.abs();
    // An image of fewer pixels than the blur reaches is mirrored once.
    (if inside > last { 2 * last - inside } else { inside }).max(0) as usize
}
