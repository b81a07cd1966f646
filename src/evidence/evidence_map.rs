//! Where in an image the evidence lies: both reconstructions, the error of each against its input, the ratio of the two
//! errors, cell by cell, and the orientation control of the window around each cell. A part that was pasted in or retouched
//! differs from its surroundings.
//!
//! The map is for viewing only, and no verdict rests on it: nobody has measured how often a small area looks like this
//! by chance. Of the control alone, [`super::regions`] tests which parts differ by more than chance.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "the reconstructions were found to have the size of the image, which decoding bounds"
)]

use super::{
    control::{ControlScatter, UNMEASURED_WINDOWS},
    regions::WINDOWS,
};
use crate::{
    Error, Result,
    engine::error_sums::TILE,
    image::level,
    method::{
        input::CroppedImage,
        orientation_control::{Comparison, Windows},
        reconstruction::Source,
        signal::SignalKind,
    },
};

/// Side of a cell in pixels: one latent, for most autoencoders.
pub const CELL: usize = 8;

/// Cells on each side whose errors are summed before the ratio is taken. A single cell says nothing; five in each
/// direction (40 pixels) distinguish a pasted-in part from its surroundings.
const REACH: usize = 2;

/// The most pixels of an image whose reconstructions are kept: both together take 24 bytes a pixel.
pub const MOST_PIXELS: usize = 1 << 22;

/// Cells as homogeneous as this say nothing: any autoencoder reproduces flat cells. A calibration's limit is for whole
/// images, which are never as flat as their flattest parts.
pub const FLAT: f64 = 0.97;

/// A mean squared error this small is only rounding.
const SMALLEST_ERROR: f64 = 1e-10;

/// The evidence of each cell of the part that was checked.
#[derive(Debug, Clone, PartialEq)]
pub struct EvidenceMap {
    /// Pixels of the part that was checked.
    pub width: usize,
    pub height: usize,
    /// `[height, width, 3]` values of x1 and x2, R G B, clamped to what can be shown.
    pub reconstructions: [Vec<u8>; 2],
    /// Cells in a row.
    pub columns: usize,
    /// `[rows, columns]` root mean squared errors of x1 against x and x2 against x1, in levels of 255.
    pub errors: [Vec<f32>; 2],
    /// `[rows, columns]` ratios of the mean squared errors, each over the cell's surroundings; NaN where they are too flat
    /// to say anything.
    pub ratios: Vec<f32>,
    /// Where the orientation control speaks; `None` of images smaller than a window, and until it is added.
    pub control: Option<ControlLayer>,
}

/// The orientation control by places.
#[derive(Debug, Clone, PartialEq)]
pub struct ControlLayer {
    /// `[rows, columns]`: the robust S of the window of 64 pixels whose middle is nearest to the cell's; near the image's edges
    /// several cells share one. Negative where it speaks for the model, about zero elsewhere.
    pub signals: Vec<f32>,
    /// The root mean square of such windows of photographs that the model did not make.
    pub spread: f32,
}

impl EvidenceMap {
    /// Makes the evidence of an image from its reconstructions. Cells more homogeneous than `flat` get no ratio.
    ///
    /// # Errors
    /// [`Error::BadNumbers`] if the reconstructions are not of this image.
    pub fn of(image: &CroppedImage<'_>, [made_first, made_second]: &[Vec<f32>; 2], flat: f64) -> Result<Self> {
        let [channels, height, width] = image.size();
        if [made_first, made_second].iter().any(|values| values.len() != channels * height * width) {
            let detail = format!("they are not of {width} × {height} pixels");
            return Err(Error::BadNumbers { what: "the reconstructions".into(), detail });
        }
        let (columns, rows) = (width / CELL, height / CELL);
        let mut cells = Cells { columns, sums: vec![Sums::default(); columns * rows] };
        for row in 0..rows {
            let first_row = row * CELL;
            let band = image.rows(first_row..first_row + CELL);
            for channel in 0..channels {
                for y in 0..CELL {
                    let original = &band[(channel * CELL + y) * width..][..width];
                    let at = (channel * height + first_row + y) * width;
                    let (first, second) = (&made_first[at..][..width], &made_second[at..][..width]);
                    for x in 0..columns * CELL {
                        let sums = &mut cells.sums[row * columns + x / CELL];
                        sums.first += f64::from(first[x] - original[x]).powi(2);
                        sums.second += f64::from(second[x] - first[x]).powi(2);
                    }
                }
            }
            for y in first_row..first_row + CELL {
                for (x, pair) in image.grey_row(y).windows(2).take(columns * CELL).enumerate() {
                    let difference = f64::from((pair[0] / 8).abs_diff(pair[1] / 8));
                    let sums = &mut cells.sums[row * columns + x / CELL];
                    sums.alike += 1.0 / (1.0 + difference * difference);
                    sums.pairs += 1.0;
                }
            }
        }
        let values = (channels * CELL * CELL) as f64;
        let levels = |error: f64| ((error / values).sqrt() * 127.5) as f32;
        Ok(EvidenceMap {
            width,
            height,
            reconstructions: [made_first, made_second].map(|planes| shown(planes, width * height)),
            columns,
            errors: [
                cells.sums.iter().map(|sums| levels(sums.first)).collect(),
                cells.sums.iter().map(|sums| levels(sums.second)).collect(),
            ],
            ratios: (0..cells.sums.len()).map(|cell| cells.around(cell).ratio(flat, values)).collect(),
            control: None,
        })
    }

    /// Adds where the control speaks, unless the image is smaller than a window. `scatter`: what was measured of the model's
    /// control, if it was.
    pub fn add_control(&mut self, compared: &Comparison, scatter: Option<&ControlScatter>) {
        let ([side, _], [spread, _]) = (WINDOWS, scatter.map_or(UNMEASURED_WINDOWS, |known| known.windows));
        // The last tile of an image may be smaller than the others.
        if self.width.min(self.height) < side * TILE {
            return;
        }
        let windows = compared.windows(side);
        let rows = self.ratios.len() / self.columns.max(1);
        let signal = |row, column| at_cell(&windows, side, row, column);
        let signals: Option<Vec<f32>> =
            (0..rows).flat_map(|row| (0..self.columns).map(move |column| signal(row, column))).collect();
        self.control = signals.map(|signals| ControlLayer { signals, spread: spread as f32 });
    }

    /// The upper end of a scale of the errors: one error in a hundred is larger. In levels of 255, at least one.
    pub fn largest_error(&self) -> f32 {
        let mut all: Vec<f32> = self.errors.concat();
        all.sort_by(f32::total_cmp);
        all.get(all.len().saturating_sub(1) * 99 / 100).copied().unwrap_or(0.0).max(1.0)
    }
}

/// The signal of the window of `side` tiles whose middle is nearest to a cell's; `None` without windows.
fn at_cell(windows: &Windows, side: usize, row: usize, column: usize) -> Option<f32> {
    let (rows, columns) = (windows.signals.len() / windows.columns.max(1), windows.columns);
    let nearest = |cell: usize, count: usize| {
        let last = count.checked_sub(1)?;
        // Half a tile more, to round to the nearest.
        Some(((cell * CELL + (CELL + TILE) / 2).saturating_sub(side * TILE / 2) / TILE).min(last))
    };
    let (top, left) = (nearest(row, rows)?, nearest(column, columns)?);
    windows.signals.get(top * columns + left).map(|&signal| signal as f32)
}

/// Twice the ratio of an image that belongs.
const GUESS: f32 = 2.0;

/// The centre of a scale of the ratios, between belonging and not: the ratio at which a whole image of this homogeneity
/// would have its signal at the model's threshold. Without a threshold it is a guess that fits most autoencoders.
pub fn ratio_at_threshold(threshold: Option<f64>, signal: SignalKind, homogeneity: f64) -> f32 {
    let homogeneity = homogeneity.max(f64::MIN_POSITIVE);
    let ratio = threshold.map(|threshold| match signal {
        SignalKind::Weighed => threshold.powf(1.0 / homogeneity),
        SignalKind::Ratio => threshold,
        _ => threshold / homogeneity,
    });
    ratio.filter(|ratio| ratio.is_finite() && *ratio > 0.0).map_or(GUESS, |ratio| ratio as f32)
}

/// `[channels, height, width]` values in about [-1, 1] as 8-bit pixels.
fn shown(planes: &[f32], pixels: usize) -> Vec<u8> {
    let channels = planes.len() / pixels.max(1);
    (0..pixels).flat_map(|pixel| (0..channels).map(move |channel| level(planes[channel * pixels + pixel]))).collect()
}

#[derive(Clone, Copy, Default)]
struct Sums {
    first: f64,
    second: f64,
    /// Σ 1 / (1 + d²) of horizontal neighbours, and how many there are: their quotient is the homogeneity.
    alike: f64,
    pairs: f64,
}

impl Sums {
    fn ratio(&self, flat: f64, values: f64) -> f32 {
        let known = self.alike <= flat * self.pairs && self.second > SMALLEST_ERROR * values;
        if known { (self.first / self.second) as f32 } else { f32::NAN }
    }
}

struct Cells {
    columns: usize,
    sums: Vec<Sums>,
}

impl Cells {
    /// The sums over a cell and those near it, within the image.
    fn around(&self, cell: usize) -> Sums {
        let rows = self.sums.len() / self.columns.max(1);
        let near = |at: usize, count: usize| at.saturating_sub(REACH)..(at + REACH + 1).min(count);
        let mut total = Sums::default();
        for row in near(cell / self.columns, rows) {
            for sums in &self.sums[row * self.columns..][near(cell % self.columns, self.columns)] {
                total.first += sums.first;
                total.second += sums.second;
                total.alike += sums.alike;
                total.pairs += sums.pairs;
            }
        }
        total
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        autoencoder::Architecture,
        engine::error_sums::{CELL as ERROR_CELL, ErrorSums, parts},
        image::{DecodedImage, orientation::Orientation},
        method::orientation_control::OrientationControl,
        weights::Manifest,
    };

    fn architecture() -> Architecture {
        Manifest::parse(include_str!("../../weights/aedr-small/manifest.json")).unwrap().architecture
    }

    /// 48 × 32 pixels, busy but for the right third, reconstructed with errors that differ from left to right.
    fn example() -> (DecodedImage, [Vec<f32>; 2]) {
        let (width, height) = (48, 32);
        let level = |x: usize, y: usize| if x < 32 { ((x * 37 + y * 91) % 251) as u8 } else { 90 };
        let rgb = (0..width * height).flat_map(|at| [level(at % width, at / width); 3]).collect();
        let image = DecodedImage::from_rgb(rgb, width as u32, height as u32, "PNG");
        let plane = |error: fn(usize) -> f32| -> Vec<f32> {
            let value = |at: usize| f32::from(level(at % width, at / width)) / 127.5 - 1.0 + error(at % width);
            (0..3).flat_map(|_| (0..width * height).map(value)).collect()
        };
        let first = plane(|x| if x < 16 { 0.1 } else { 0.3 });
        let second = plane(|x| if x < 16 { 0.2 } else { 0.4 });
        (image, [first, second])
    }

    #[test]
    fn errors_and_ratios_are_those_of_each_place() {
        let (image, made) = example();
        let local = EvidenceMap::of(&CroppedImage::of(&image, &architecture()), &made, FLAT).unwrap();
        assert_eq!((local.columns, local.errors[0].len(), local.ratios.len()), (6, 24, 24));
        let close =
            |found: f32, expected: f32| assert!((found - expected).abs() < 1e-3 * expected, "{found} {expected}");
        close(local.errors[0][0], 0.1 * 127.5);
        close(local.errors[0][3], 0.3 * 127.5);
        close(local.errors[1][0], 0.1 * 127.5);
        // Around the first cell three columns: two of ratio 1, one of 9, all with the same second error.
        close(local.ratios[0], (2.0 + 9.0) / 3.0);
        assert!(local.ratios[3] > local.ratios[0]);
        assert_eq!(local.reconstructions[0].len(), 48 * 32 * 3);
    }

    /// The map of an image whose left part, `part` pixels wide, comes back `times` better than mirrored, and the rest neither
    /// better nor worse.
    fn with_control([width, height]: [usize; 2], part: usize, times: f64) -> EvidenceMap {
        let image = DecodedImage::from_rgb(vec![90; 3 * width * height], width as u32, height as u32, "PNG");
        let made = [0.0, 0.1].map(|value| vec![value; 3 * width * height]);
        let mut map = EvidenceMap::of(&CroppedImage::of(&image, &architecture()), &made, FLAT).unwrap();
        let [[rows, columns], tiles] = [ERROR_CELL, TILE].map(|side| parts([height, width], side));
        let mirrored = (0..rows * columns).map(|at| if at % columns * ERROR_CELL < part { times } else { 1.0 });
        let tiles = vec![1.0; tiles[0] * tiles[1]];
        let upright = ErrorSums { tiles: tiles.clone(), cells: vec![1.0; rows * columns] };
        let mut control = OrientationControl::new([height, width], upright);
        control.add(Orientation::Mirrored, ErrorSums { tiles, cells: mirrored.collect() });
        map.add_control(&control.compare().unwrap(), None);
        map
    }

    #[test]
    fn the_control_is_negative_on_the_side_that_the_model_made() {
        // The last tiles are half as wide and as high as the others.
        let map = with_control([200, 136], 96, 8.0);
        let ControlLayer { signals, spread } = map.control.unwrap();
        assert_eq!((map.columns, signals.len(), spread), (25, 25 * 17, UNMEASURED_WINDOWS[0] as f32));
        // tanh (-ln 8) = (1 - 64) / (1 + 64).
        let close = |found: f32, expected: f32| assert!((found - expected).abs() < 1e-3, "{found} {expected}");
        for row in [0, 8, 16] {
            let row = &signals[row * 25..][..25];
            // Middles of cells 4 px in: the window at tile 2, of pixels 32 to 96, is the last one within the part.
            row[..=8].iter().for_each(|&signal| close(signal, -63.0 / 65.0));
            assert!(row.is_sorted() && row[9] > row[8], "{row:?}");
            // At the middle of the window of pixels 96 to 160.
            row[15..].iter().for_each(|&signal| close(signal, 0.0));
            assert!((-0.9..-0.1).contains(&row[12]), "half of its window is the model's: {}", row[12]);
        }
    }

    #[test]
    fn images_smaller_than_a_window_have_no_control() {
        assert_eq!(with_control([200, 56], 96, 8.0).control, None);
        assert_eq!(with_control([56, 200], 96, 8.0).control, None);
        let map = with_control([64, 64], 64, 8.0);
        let control = map.control.unwrap();
        assert!(control.signals.len() == 64 && control.signals.iter().all(|&signal| signal < -0.9));
    }

    #[test]
    fn what_is_flat_says_nothing() {
        let (mut image, made) = example();
        image.grey.fill(90);
        let local = EvidenceMap::of(&CroppedImage::of(&image, &architecture()), &made, FLAT).unwrap();
        assert!(local.ratios.iter().all(|ratio| ratio.is_nan()));
    }

    #[test]
    fn reconstructions_of_another_size_are_refused() {
        let (image, mut made) = example();
        made[1].pop();
        let found = EvidenceMap::of(&CroppedImage::of(&image, &architecture()), &made, FLAT);
        assert_eq!(found.unwrap_err().code(), "bad_numbers");
    }
}
