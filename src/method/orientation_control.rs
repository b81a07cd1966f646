//! The orientation control (reference `orientation-control.md`; the idea of comparing an image's reconstruction with that of
//! its turned self is RDD's: Choi, CVPR 2026). A decoder's output lies on the decoder's manifold in its own orientation and on
//! its own grid, and nowhere else, so an image turned or mirrored is its own control: what it shows cancels.
//!
//! Two statistics of the same errors. S is the published formula, a ratio of sums. The robust S compares cell by cell, so
//! that a few strong edges do not decide; evidence rests on it (docs/measured.md). Both scatter around zero for images that
//! this decoder did not make, and are negative for those that it did.

#![expect(clippy::arithmetic_side_effects, reason = "over sums that the engine made, and sizes that decoding bounds")]

use serde::{Deserialize, Serialize};

use crate::{
    engine::error_sums::{CELL, ErrorSums, TILE, parts},
    image::orientation::Orientation,
};

/// Added to each cell's sum: far below what rounding to 8 bits leaves, so that cells without an error say nothing.
const FLOOR: f64 = 1e-5;

/// Cells weigh as their errors to the power of this: what is textured says a little more than what is flat.
const WEIGHT: f64 = 0.3;

/// Cells on each side of a block, whose means are taken as independent for the standard error: 16 pixels.
const BLOCK: usize = 4;

/// The errors of an image in several orientations.
#[derive(Debug, Clone)]
pub struct OrientationControl {
    /// `[height, width]` in pixels.
    sides: [usize; 2],
    upright: ErrorSums,
    others: Vec<(Orientation, ErrorSums)>,
}

/// The robust S of windows of an image.
#[derive(Debug, Clone, PartialEq)]
pub struct Windows {
    /// Windows in a row: one less than tiles for each tile of their side but the first.
    pub columns: usize,
    /// In rows.
    pub signals: Vec<f64>,
}

impl Windows {
    /// The root mean square of the signals; `None` without a window.
    pub fn root_mean_square(&self) -> Option<f64> {
        let squares = self.signals.iter().map(|signal| signal * signal).sum::<f64>();
        (!self.signals.is_empty()).then(|| (squares / self.signals.len() as f64).sqrt())
    }
}

/// The robust S with its error.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct RobustSignal {
    /// -1 to 1.
    pub signal: f64,
    /// Its standard error, as the image's own blocks of 16 pixels scatter. An image can be a little easier to reconstruct in
    /// its own orientation than this tells, so a test must know how photographs scatter as well.
    pub standard_error: f64,
}

impl OrientationControl {
    /// Of an upright image of `[height, width]` pixels.
    pub fn new(sides: [usize; 2], upright: ErrorSums) -> Self {
        OrientationControl { sides, upright, others: Vec::new() }
    }

    /// Adds the errors in another orientation, by the parts of the upright image.
    pub fn add(&mut self, orientation: Orientation, errors: ErrorSums) {
        self.others.push((orientation, errors));
    }

    /// The orientations that the upright image is compared with.
    pub fn orientations(&self) -> impl Iterator<Item = Orientation> {
        self.others.iter().map(|&(orientation, _)| orientation)
    }

    /// S = ln E − mean over the other orientations of ln E, E being the sum of the high-frequency error over all channels.
    /// `None` without another orientation, or without errors.
    pub fn signal(&self) -> Option<f64> {
        let others: Vec<f64> = self.others.iter().map(|(_, errors)| logarithm(errors)).collect();
        Some(logarithm(&self.upright) - mean(&others)?).filter(|signal| signal.is_finite())
    }

    /// S in relation to one orientation alone. S180 is that of the half turn.
    pub fn signal_of(&self, orientation: Orientation) -> Option<f64> {
        let (_, errors) = self.others.iter().find(|(other, _)| *other == orientation)?;
        Some(logarithm(&self.upright) - logarithm(errors)).filter(|signal| signal.is_finite())
    }

    /// The share of the tiles of 16 pixels in which the upright image has the smallest error: by chance one in as many as
    /// there are orientations.
    pub fn share(&self) -> f64 {
        let smallest = |&(tile, own): &(usize, &f64)| {
            self.others.iter().all(|(_, errors)| errors.tiles.get(tile).is_some_and(|other| own < other))
        };
        let count = self.upright.tiles.iter().enumerate().filter(smallest).count();
        count as f64 / self.upright.tiles.len().max(1) as f64
    }

    /// The comparison of each cell with the other orientations. `None` without another orientation.
    pub fn compare(&self) -> Option<Comparison> {
        let count = self.others.len();
        let cells = self.upright.cells.iter().enumerate().map(|(at, own)| {
            let own = (own + FLOOR).ln();
            let other = |(_, errors): &(Orientation, ErrorSums)| errors.cells.get(at).map(|sum| (sum + FLOOR).ln());
            let others: f64 = self.others.iter().filter_map(other).sum();
            let level = (own + others) / (count + 1) as f64;
            Compared { advantage: (own - others / count as f64).tanh(), weight: (WEIGHT * level).exp() }
        });
        let compared = count > 0 && !self.upright.cells.is_empty();
        compared.then(|| Comparison::of(self.sides, cells.collect()))
    }
}

/// The cells of an image, each compared with those of the other orientations.
#[derive(Debug)]
pub struct Comparison {
    /// `[height, width]` in pixels.
    sides: [usize; 2],
    cells: Vec<Compared>,
    /// For each tile, in rows: the sums of its cells' weights, and of their weighed advantages.
    tiles: Vec<[f64; 2]>,
}

impl Comparison {
    fn of(sides: [usize; 2], cells: Vec<Compared>) -> Self {
        let ([_, columns], [rows, tile_columns]) = (parts(sides, CELL), parts(sides, TILE));
        let mut tiles = vec![[0.0; 2]; rows * tile_columns];
        for (at, cell) in cells.iter().enumerate() {
            let tile = at / columns / (TILE / CELL) * tile_columns + at % columns / (TILE / CELL);
            if let Some([weights, advantages]) = tiles.get_mut(tile) {
                *weights += cell.weight;
                *advantages += cell.weight * cell.advantage;
            }
        }
        Comparison { sides, cells, tiles }
    }

    /// The robust S: the weighed mean over all cells of 4 pixels of tanh (ln e − mean over the other orientations of ln e),
    /// e being the luma's high-frequency error. `None` if it is no number.
    pub fn robust(&self) -> Option<RobustSignal> {
        let [_, columns] = parts(self.sides, CELL);
        let total: f64 = self.cells.iter().map(|cell| cell.weight).sum();
        let signal = self.cells.iter().map(|cell| cell.weight * cell.advantage).sum::<f64>() / total;
        // The influence of each block on the signal.
        let [rows, block_columns] = parts(self.sides, CELL * BLOCK);
        let mut blocks = vec![0.0; rows * block_columns];
        for (at, cell) in self.cells.iter().enumerate() {
            let block = at / columns / BLOCK * block_columns + at % columns / BLOCK;
            if let Some(influence) = blocks.get_mut(block) {
                *influence += cell.weight * (cell.advantage - signal) / total;
            }
        }
        let count = blocks.len() as f64;
        let squares: f64 = blocks.iter().map(|influence| influence * influence).sum();
        // One block alone says nothing of how blocks scatter.
        let standard_error = if blocks.len() > 1 { (squares * count / (count - 1.0)).sqrt() } else { 1.0 };
        Some(RobustSignal { signal, standard_error }).filter(|robust| robust.signal.is_finite())
    }

    /// The robust S of all windows of so many tiles a side, one at each tile; none in an image that is smaller.
    pub fn windows(&self, side: usize) -> Windows {
        let [rows, columns] = self.tile_counts();
        let count = |tiles: usize| (tiles + 1).saturating_sub(side.max(1));
        let mut signals = Vec::with_capacity(count(rows) * count(columns));
        for top in 0..count(rows) {
            for left in 0..count(columns) {
                let lines = self.tiles.chunks_exact(columns.max(1)).skip(top).take(side);
                let within = lines.flat_map(|line| line.iter().skip(left).take(side));
                let [weight, advantage] =
                    within.fold([0.0; 2], |[all, sum], [weight, advantage]| [all + weight, sum + advantage]);
                signals.push(advantage / weight);
            }
        }
        Windows { columns: count(columns), signals }
    }

    /// For each tile, in rows: the sums of its cells' weights, and of their weighed advantages.
    pub fn tiles(&self) -> &[[f64; 2]] {
        &self.tiles
    }

    /// Tiles in `[rows, columns]`.
    pub fn tile_counts(&self) -> [usize; 2] {
        parts(self.sides, TILE)
    }
}

/// A cell in its own orientation, compared with others.
#[derive(Debug)]
struct Compared {
    /// Negative where the image comes back better upright.
    advantage: f64,
    weight: f64,
}

/// ln E.
fn logarithm(errors: &ErrorSums) -> f64 {
    errors.tiles.iter().sum::<f64>().ln()
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 32 × 32 pixels with these sums in every tile and cell.
    fn sums(tile: f64, cell: f64) -> ErrorSums {
        ErrorSums { tiles: vec![tile; 4], cells: vec![cell; 64] }
    }

    fn control(upright: ErrorSums, others: &[(Orientation, ErrorSums)]) -> OrientationControl {
        let mut control = OrientationControl::new([32, 32], upright);
        others.iter().for_each(|(orientation, errors)| control.add(*orientation, errors.clone()));
        control
    }

    #[test]
    fn signals_are_the_differences_of_logarithms() {
        use Orientation::{HalfTurn, Mirrored};
        let made = control(sums(1.0, 1.0), &[(Mirrored, sums(2.0, 2.0)), (HalfTurn, sums(8.0, 8.0))]);
        assert!((made.signal().unwrap() + 4f64.ln()).abs() < 1e-12);
        assert!((made.signal_of(HalfTurn).unwrap() + 8f64.ln()).abs() < 1e-12);
        assert_eq!((made.signal_of(Orientation::Flipped), made.share()), (None, 1.0));
        let robust = made.compare().unwrap().robust().unwrap();
        // tanh (-ln 4) = (1 - 16) / (1 + 16).
        assert!((robust.signal + 15.0 / 17.0).abs() < 1e-4 && robust.standard_error < 1e-12, "{robust:?}");
        let alone = control(sums(1.0, 1.0), &[]);
        assert!(alone.signal().is_none() && alone.compare().is_none());
        // Without any error nothing can be said, and nothing is.
        let perfect = control(sums(0.0, 0.0), &[(Mirrored, sums(0.0, 0.0))]);
        assert_eq!((perfect.signal(), perfect.compare().unwrap().robust().unwrap().signal), (None, 0.0));
    }

    /// One cell of 64 with an enormous error moves S, and hardly the robust one.
    #[test]
    fn one_cell_does_not_decide() {
        let mut strong = sums(1.0, 1.0);
        (strong.cells[9], strong.tiles[0]) = (1e3, 1e3);
        let made = control(sums(1.0, 1.0), &[(Orientation::Mirrored, strong)]);
        assert!(made.signal().unwrap() < -5.0);
        let robust = made.compare().unwrap().robust().unwrap();
        assert!(robust.signal > -0.06 && robust.standard_error > -robust.signal / 2.0, "{robust:?}");
    }

    /// The error of a mean of independent cells is known.
    #[test]
    fn the_standard_error_is_that_of_a_mean() {
        let side = 512usize;
        let (mut upright, mut mirrored) = (Vec::new(), Vec::new());
        // Two independent draws a cell, by splitmix64.
        let mut state = 7u64;
        let mut draw = || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            ((z ^ (z >> 27)) >> 11) as f64 / (1u64 << 53) as f64
        };
        for _ in 0..(side / CELL).pow(2) {
            upright.push(0.5 + draw());
            mirrored.push(0.5 + draw());
        }
        let tiles = vec![1.0; (side / TILE).pow(2)];
        let mut control = OrientationControl::new([side, side], ErrorSums { tiles: tiles.clone(), cells: upright });
        control.add(Orientation::Mirrored, ErrorSums { tiles, cells: mirrored });
        let comparison = control.compare().unwrap();
        let (robust, compared) = (comparison.robust().unwrap(), &comparison.cells);
        let variance = compared.iter().map(|cell| cell.advantage.powi(2)).sum::<f64>() / compared.len() as f64;
        let expected = (variance / compared.len() as f64).sqrt();
        assert!((robust.standard_error / expected - 1.0).abs() < 0.1, "{} {expected}", robust.standard_error);
        assert!(robust.signal.abs() < 4.0 * expected);
    }
}
