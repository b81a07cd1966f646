//! Where in an image the control speaks: parts that a model's decoder made within an image that it did not make, as where
//! something was generated into a photograph, and the reverse.
//!
//! The robust S of windows of two sizes is compared with that of photographs' windows. Windows that show more than chance
//! allows for as many windows as the image has are joined to regions.

#![expect(clippy::arithmetic_side_effects, reason = "over tiles of an image, whose size decoding bounds")]

use serde::{Deserialize, Serialize};

use super::control::{ControlScatter, LEAST_SPREAD, UNMEASURED_WINDOWS, lower_tail};
use crate::{engine::error_sums::TILE, method::orientation_control::Comparison};

/// Sides of the windows in tiles: 64 and 128 pixels.
pub const WINDOWS: [usize; 2] = [4, 8];

/// The share of images that may have a window as low, if windows scattered as Student's t. A few photographs have a spot of
/// repeated structure that is far easier one way round; of 300 photographs under
/// five autoencoders one had a region by this.
const FALSE_REGION: f64 = 1e-5;

/// Degrees of freedom of Student's t for windows, whose tails are heavier than those of whole images.
const WINDOW_TAIL: u32 = 20;

/// Windows overlap: so many are about as independent as a window's area fits into the image once.
const OVERLAP: f64 = 4.0;

/// The windows of what a decoder made scatter about their mean so many times as far as photographs' about zero.
const BELONGING: f64 = 1.5;

/// The same of images that belong, for parts that lack the trace.
const FALSE_GAP: f64 = 0.01;

/// The rest of an image is at least this share of it.
const LEAST_REST: f64 = 0.2;

/// Where what lies outside of the regions scores lower than this, it shows the trace as well, though less clearly: JPEG leaves
/// little of it in smooth parts. The trace is then the image's, and a part can lack it.
const RESTS: f64 = -3.0;

/// The most regions that are told, the clearest first.
const MOST: usize = 8;

/// What a region shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Trace {
    /// The model's trace, in an image that as a whole does not show it.
    Present,
    /// None, in an image that shows it.
    Absent,
}

/// A part of an image that differs from the rest: the rectangle around windows that do.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Region {
    pub trace: Trace,
    /// In pixels: of the file, in a report.
    pub left: u32,
    pub top: u32,
    pub width: u32,
    pub height: u32,
    /// The clearest window's robust S, in root mean squares of such windows of photographs: about zero, negative where it speaks
    /// for the model. Of a part without a trace, in relation to the whole image, positive.
    pub score: f64,
}

impl Region {
    /// In another frame: at so many pixels from its left and top edges, and so many times as wide and high.
    pub fn placed(self, [left, top]: [f64; 2], [across, down]: [f64; 2]) -> Self {
        let scaled = |pixels: u32, scale: f64| f64::from(pixels) * scale;
        Region {
            left: (left + scaled(self.left, across)).round() as u32,
            top: (top + scaled(self.top, down)).round() as u32,
            width: scaled(self.width, across).round() as u32,
            height: scaled(self.height, down).round() as u32,
            ..self
        }
    }
}

/// The regions of an image of `sides`, width and height in pixels. Parts without a trace are told of images without loss only:
/// JPEG removes the trace from smooth parts.
pub fn regions(
    compared: &Comparison,
    scatter: Option<&ControlScatter>,
    sides: [u32; 2],
    lossless: bool,
) -> Vec<Region> {
    let Some(whole) = compared.robust() else { return Vec::new() };
    let spreads = scatter.map_or(UNMEASURED_WINDOWS, |known| known.windows);
    let present = clearest(compared, spreads, FALSE_REGION, |signal, spread| signal / spread);
    let (scores, trace) = if rest(compared, spreads, &present.covered) > RESTS {
        (present.scores, Trace::Present)
    } else if lossless {
        // What lacks the trace looks like a photograph, and not like the rest.
        let absent = clearest(compared, spreads, FALSE_GAP, |signal, spread| {
            if signal < -2.0 * spread { 0.0 } else { (whole.signal - signal) / (BELONGING * spread) }
        });
        (absent.scores, Trace::Absent)
    } else {
        return Vec::new();
    };
    let [_, columns] = compared.tile_counts();
    let tiles = components(&scores, columns);
    let mut found: Vec<Region> =
        tiles.into_iter().map(|tiles| around(&tiles, &scores, columns, sides, trace)).collect();
    found.sort_by(|one, other| other.score.abs().total_cmp(&one.score.abs()));
    found.truncate(MOST);
    found
}

/// The robust S of all tiles outside of the regions, in root mean squares of a photograph's area of that size. The lowest there
/// is if nearly all of the image lies within them.
fn rest(compared: &Comparison, [_, spread]: [f64; 2], covered: &[bool]) -> f64 {
    let tiles = compared.tiles();
    let outside = tiles.iter().zip(covered).filter(|&(_, covered)| !covered);
    let [weight, advantage, count] = outside
        .fold([0.0; 3], |[weight, advantage, count], (tile, _)| [weight + tile[0], advantage + tile[1], count + 1.0]);
    if count < LEAST_REST * tiles.len() as f64 || weight <= 0.0 {
        return f64::NEG_INFINITY;
    }
    // A mean scatters less over a larger area.
    let windows = (count / (WINDOWS[1] * WINDOWS[1]) as f64).max(1.0);
    advantage / weight / (spread / windows.sqrt()).max(LEAST_SPREAD)
}

/// Significant windows, by the tiles of an image.
struct Clearest {
    /// The score of the clearest of them in whose middle the tile lies; 0 without one. A window that a part covers by half is
    /// often significant: its middle is where the part ends.
    scores: Vec<f64>,
    /// Whether one of them reaches the tile.
    covered: Vec<bool>,
}

/// The windows that so few images may have. `score` takes a window's robust S and the spread of such windows, and is negative
/// for what is looked for.
fn clearest(compared: &Comparison, spreads: [f64; 2], allowed: f64, score: impl Fn(f64, f64) -> f64) -> Clearest {
    let [rows, columns] = compared.tile_counts();
    let mut found = Clearest { scores: vec![0.0; rows * columns], covered: vec![false; rows * columns] };
    for (side, spread) in WINDOWS.into_iter().zip(spreads) {
        let windows = compared.windows(side);
        let independent = OVERLAP * WINDOWS.len() as f64 * ((rows * columns) as f64 / (side * side) as f64).max(1.0);
        for (at, &signal) in windows.signals.iter().enumerate() {
            let score = score(signal, spread);
            if lower_tail(score, WINDOW_TAIL) * independent > allowed {
                continue;
            }
            let (top, left) = (at / windows.columns.max(1), at % windows.columns.max(1));
            for y in top..(top + side).min(rows) {
                for x in left..(left + side).min(columns) {
                    let tile = y * columns + x;
                    if let Some(covered) = found.covered.get_mut(tile) {
                        *covered = true;
                    }
                    let inside = is_middle(y, top, side, rows) && is_middle(x, left, side, columns);
                    if let Some(clearest) = found.scores.get_mut(tile).filter(|_| inside) {
                        *clearest = clearest.min(score);
                    }
                }
            }
        }
    }
    found
}

/// Whether a tile lies in the middle half of a window, or between it and the image's edge that the window touches.
fn is_middle(tile: usize, start: usize, side: usize, count: usize) -> bool {
    let quarter = side / 4;
    let after = start == 0 || tile >= start + quarter;
    let before = start + side >= count || tile < start + side - quarter;
    after && before
}

/// Tiles that are significant and touch each other.
fn components(scores: &[f64], columns: usize) -> Vec<Vec<usize>> {
    let mut seen = vec![false; scores.len()];
    let is_significant = |tile: usize| scores.get(tile).is_some_and(|&score| score < 0.0);
    let mut all = Vec::new();
    for start in 0..scores.len() {
        let (mut waiting, mut found) = (vec![start], Vec::new());
        while let Some(tile) = waiting.pop() {
            let Some(seen) = seen.get_mut(tile).filter(|seen| !**seen && is_significant(tile)) else { continue };
            *seen = true;
            found.push(tile);
            let (x, below) = (tile % columns, tile + columns);
            waiting.extend([tile.checked_sub(columns), Some(below)].into_iter().flatten());
            waiting.extend((x > 0).then(|| tile - 1));
            waiting.extend((x + 1 < columns).then_some(tile + 1));
        }
        if !found.is_empty() {
            all.push(found);
        }
    }
    all
}

/// The rectangle around tiles, within the image.
fn around(tiles: &[usize], scores: &[f64], columns: usize, [width, height]: [u32; 2], trace: Trace) -> Region {
    let mut ends = [usize::MAX, usize::MAX, 0, 0];
    let mut score = 0.0f64;
    for &tile in tiles {
        let (x, y) = (tile % columns, tile / columns);
        ends = [ends[0].min(x), ends[1].min(y), ends[2].max(x + 1), ends[3].max(y + 1)];
        score = score.min(scores.get(tile).copied().unwrap_or_default());
    }
    // Tiles of an image of at most 2^14 pixels a side.
    let [left, top, right, bottom] = ends.map(|tiles| (tiles * TILE) as u32);
    let (right, bottom) = (right.min(width), bottom.min(height));
    let score = if trace == Trace::Absent { -score } else { score };
    Region { trace, left, top, width: right - left, height: bottom - top, score }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        engine::error_sums::{CELL, ErrorSums},
        image::orientation::Orientation,
        method::orientation_control::OrientationControl,
    };

    const SIDES: [u32; 2] = [320, 240];

    /// An image whose cells come back alike both ways, but for a rectangle (left, top, right, bottom in pixels), where the
    /// mirrored one's error is `elsewhere` times, and inside `inside` times the upright one's. Every other cell is a little
    /// better, or worse.
    fn comparison(rectangle: [u32; 4], inside: f64, elsewhere: f64) -> Comparison {
        let [width, height] = SIDES.map(|side| side as usize);
        let cells = (height / CELL) * (width / CELL);
        let mirrored = (0..cells).map(|at| {
            let (x, y) = (at % (width / CELL) * CELL, at / (width / CELL) * CELL);
            let [left, top, right, bottom] = rectangle.map(|side| side as usize);
            let within = (left..right).contains(&x) && (top..bottom).contains(&y);
            let noise = if (x / CELL + y / CELL).is_multiple_of(2) { 1.2 } else { 1.0 / 1.2 };
            noise * if within { inside } else { elsewhere }
        });
        let tiles = vec![1.0; (height / TILE) * (width / TILE)];
        let mut control =
            OrientationControl::new([height, width], ErrorSums { tiles: tiles.clone(), cells: vec![1.0; cells] });
        control.add(Orientation::Mirrored, ErrorSums { tiles, cells: mirrored.collect() });
        control.compare().unwrap()
    }

    fn found(compared: &Comparison) -> Vec<Region> {
        regions(compared, None, SIDES, true)
    }

    #[test]
    fn a_part_that_a_decoder_made_is_found_where_it_is() {
        let part = [128, 64, 224, 160];
        let all = found(&comparison(part, 4.0, 1.0));
        let [region] = all[..] else { panic!("{all:?}") };
        assert_eq!(region.trace, Trace::Present);
        assert!(region.score < -7.0);
        // No further off than half a window.
        for (found, expected) in [
            (region.left, part[0]),
            (region.top, part[1]),
            (region.left + region.width, part[2]),
            (region.top + region.height, part[3]),
        ] {
            assert!(found.abs_diff(expected) <= 48, "{region:?}");
        }
        assert_eq!(found(&comparison(part, 1.0, 1.0)), []);
        // A whole image that shows it is no part of itself, and lacks nothing.
        assert_eq!(found(&comparison(part, 4.0, 4.0)), []);
    }

    #[test]
    fn a_part_without_a_trace_is_found_in_an_image_that_belongs() {
        let part = [16, 96, 144, 224];
        let made = comparison(part, 1.0, 6.0);
        let all = found(&made);
        let [Region { trace: Trace::Absent, left, top, score, .. }] = all[..] else { panic!("{all:?}") };
        assert!(left <= 64 && (48..=144).contains(&top) && score > 5.0, "{all:?}");
        assert_eq!(regions(&made, None, SIDES, false), [], "JPEG removes traces");
        assert_eq!(found(&comparison(part, 6.0, 6.0)), []);
    }

    /// The first and the last tile of an image whose sides are no multiples of a tile.
    #[test]
    fn regions_stay_within_the_image() {
        let sides = [104, 72];
        let [width, height] = sides.map(|side| side as usize);
        let (tiles, cells) = (vec![1.0; 7 * 5], (height / CELL) * (width / CELL));
        let mirrored = (0..cells).map(|at| if at % (width / CELL) >= 10 { 5.0 } else { 1.0 }).collect();
        let mut control =
            OrientationControl::new([height, width], ErrorSums { tiles: tiles.clone(), cells: vec![1.0; cells] });
        control.add(Orientation::Mirrored, ErrorSums { tiles, cells: mirrored });
        let all = regions(&control.compare().unwrap(), None, sides, true);
        assert!(!all.is_empty());
        for Region { left, top, width, height, .. } in all {
            assert!(left + width <= sides[0] && top + height <= sides[1]);
        }
    }
}
