//! The search for the grid. An image that was cropped or resized no longer lies on the 8-pixel grid on which it was
//! decoded, and a plain check then finds nothing. The search reconstructs a square of the image once at every place of
//! the grid, that is at every offset, and at the usual sizes that the image may have had. At the original place and
//! size the reconstruction is better than anywhere else, in nearly every cell of 8 × 8 pixels: that contrast gives a few
//! candidates. The orientation control decides between them: it needs no other places to compare with, so that for the same work
//! its squares are larger, and it is comparable from size to size (docs/measured.md).
//!
//! The false attributions that the search causes are calibrated: the images that do not belong go through it as well
//! ([`crate::evidence::calibration::Calibration::searched`]). What the control says is corrected for the number of places.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "places lie within the image, whose size decoding bounds"
)]

use serde::{Deserialize, Serialize};

use crate::{
    Error, Result,
    evidence::condition::Search,
    image::{CROP_MULTIPLE, DecodedImage, jpeg_grid::block_grid, orientation::Orientation, recompressed},
    method::{
        orientation_control::{OrientationControl, RobustSignal},
        reconstruction::{self, Progress, Silent, Source, Stage, Values, oriented_errors},
    },
    weights::Model,
};

/// Side in pixels of the squares that are reconstructed at every place: fast, and enough to find a few candidates.
const COARSE: u32 = 64;

/// Side in pixels of the squares whose control decides between the candidates, if the image is as large.
const DECIDING: u32 = 160;

/// How many candidates it decides between.
const CANDIDATES: usize = 6;

/// By how many of its standard errors the control of another place must be lower than that of the image as it is.
const DOUBT: f64 = 2.0;

/// Side in pixels of the squares whose contrast is told.
const FINE: u32 = 96;

/// Side in pixels of a cell, whose errors are compared from place to place.
const CELL: usize = 8;

/// Errors of a cell below this are rounding: about the mean squared distance of two neighbouring 8-bit levels.
const SMALLEST_ERROR: f64 = 1e-5;

/// The usual factors by which images are resized.
const USUAL_RATIOS: [f64; 7] = [0.5, 2.0 / 3.0, 0.75, 0.8, 1.25, 1.5, 2.0];

/// Sizes that generators write, width and height.
const USUAL_SIZES: [[u32; 2]; 12] = [
    [512, 512],
    [768, 768],
    [1024, 1024],
    [2048, 2048],
    [512, 768],
    [768, 512],
    [832, 1216],
    [1216, 832],
    [896, 1152],
    [1152, 896],
    [1344, 768],
    [768, 1344],
];

/// The most sizes that are tried besides the image's own.
const MOST_SIZES: usize = 8;

/// The most pixels of a size that is tried: a larger one would not fit into a phone's memory beside the image.
const MOST_PIXELS: u64 = 1 << 23;

/// Places with which a place at another size is compared: odd, and so off the grid in both directions, where decoders
/// leave the weakest trace.
const ELSEWHERE: [[u32; 2]; 7] = [[1, 3], [3, 5], [5, 1], [7, 3], [3, 7], [5, 5], [1, 7]];

/// How the image lies on the grid that it may have been painted on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Alignment {
    /// The size that the image had, if it was resized since: width and height.
    pub size: Option<[u32; 2]>,
    /// Pixels left of and above the first whole cell of the grid, 0 to one less than the grid's step.
    pub left: u32,
    pub top: u32,
}

impl Alignment {
    /// The image as it is: not resized, and on the grid.
    pub const NONE: Alignment = Alignment { size: None, left: 0, top: 0 };

    /// The kind of search result that this alignment is.
    pub fn search(&self) -> Search {
        if self.size.is_some() { Search::Resized } else { Search::SameSize }
    }

    /// The image at the size at which it was decoded, cropped to begin at the first whole cell of the grid.
    ///
    /// # Errors
    /// Those of [`DecodedImage::resized`].
    pub fn undo(&self, image: &DecodedImage) -> Result<DecodedImage> {
        let Alignment { size, left, top } = *self;
        let resized = size.map(|[width, height]| image.resized(width, height)).transpose()?;
        let image = resized.as_ref().unwrap_or(image);
        Ok(image.part([left, top], [image.width, image.height]))
    }
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Found {
    /// Where the orientation control speaks most for the model, of the places where the image comes back best.
    pub alignment: Alignment,
    /// How well it comes back there: the geometric mean over all cells of the error there in relation to that at the
    /// other places. 1 means no better.
    pub contrast: f64,
    /// The contrast there after a mild JPEG compression, if a verdict depends on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub recompressed: Option<f64>,
    /// How many places were tried.
    pub tried: usize,
    /// Where blocks of a JPEG begin, if there are traces of them.
    pub blocks: Option<[u32; 2]>,
}

/// Finds the grid on which the image was decoded: by the contrast of every place, then by the control of the best candidates.
///
/// # Errors
/// [`Error::ImageTooSmall`], [`Error::Cancelled`], and those of reconstruction.
pub async fn search(model: &Model, image: &DecodedImage, progress: &mut impl Progress) -> Result<Found> {
    let step = model.manifest.architecture.crop_multiple(CROP_MULTIPLE as usize) as u32;
    let squares = Squares { model, step, side: square_side(FINE, step) };
    if image.width.min(image.height) < squares.region() {
        let (width, height) = (image.width.into(), image.height.into());
        return Err(Error::ImageTooSmall { width, height, minimum: squares.region().into() });
    }
    let blocks = block_grid(&image.grey, image.width as usize);
    let sizes = former_sizes(image, squares.region());
    // Eight places in each direction: every pixel where a latent spans eight, every fourth where it spans 32.
    let own = (0..64).map(|place| [place % 8, place / 8]).collect::<Vec<[u32; 2]>>();
    let coarse = Squares { side: square_side(COARSE, step), ..squares };
    let (around_each, tried) = (1 + ELSEWHERE.len(), own.len() + sizes.len());
    let coarse_work = (own.len() + sizes.len() * around_each) as f64 * coarse.work();
    let deciding = 2.0 * CANDIDATES as f64 * Squares { side: DECIDING, ..squares }.work();
    let total = coarse_work + deciding + around_each as f64 * squares.work();
    let mut work = Work { progress, done: 0.0, total };

    let mut candidates = Vec::new();
    let errors = coarse.errors(image, &own, &mut work).await?;
    for (index, &[x, y]) in own.iter().enumerate() {
        let alignment = Alignment { size: None, left: x * step / 8, top: y * step / 8 };
        candidates.push((contrast(&errors, index), alignment));
    }
    for size in sizes {
        let resized = image.resized(size[0], size[1])?;
        // An image that was resized but not cropped lies on its grid. The other places are for comparison.
        let errors = coarse.errors(&resized, &around([0, 0]), &mut work).await?;
        candidates.push((contrast(&errors, 0), Alignment { size: Some(size), left: 0, top: 0 }));
    }
    // The image as it is and where JPEG blocks begin are good candidates, whatever their coarse contrast.
    let seeded = |alignment: &Alignment| {
        let begins = [alignment.left, alignment.top];
        alignment.size.is_none() && (begins == [0, 0] || blocks == Some(begins))
    };
    candidates.sort_by(|a, b| seeded(&b.1).cmp(&seeded(&a.1)).then(a.0.total_cmp(&b.0)));
    candidates.truncate(CANDIDATES);
    let mut best = None;
    for &(_, alignment) in &candidates {
        let found = squares.control_at(image, alignment, &mut work).await?;
        // Where nothing is found anywhere, the image is judged as it is.
        let doubt = if alignment == Alignment::NONE { 0.0 } else { DOUBT * found.standard_error };
        let signal = found.signal + doubt;
        if best.is_none_or(|(lowest, _)| signal < lowest) {
            best = Some((signal, alignment));
        }
    }
    let (_, alignment) = best.unwrap_or((0.0, Alignment::NONE));
    let contrast = squares.contrast_at(image, alignment, &mut work).await?;
    Ok(Found { alignment, contrast, tried, blocks, recompressed: None })
}

/// A JPEG quality so mild that the compression should change no verdict.
pub(crate) const MILD_QUALITY: u8 = 95;

/// The contrast that remains at the alignment in `found` after a mild JPEG compression.
///
/// # Errors
/// As [`search`], and [`Error::BadNumbers`] if the image cannot be compressed.
pub async fn recompressed_contrast(
    model: &Model,
    image: &DecodedImage,
    found: &Found,
    progress: &mut impl Progress,
) -> Result<f64> {
    let step = model.manifest.architecture.crop_multiple(CROP_MULTIPLE as usize) as u32;
    let squares = Squares { model, step, side: square_side(FINE, step) };
    let mut work = Work { progress, done: 0.0, total: (1 + ELSEWHERE.len()) as f64 * squares.work() };
    squares.contrast_at(&recompressed(image, MILD_QUALITY)?, found.alignment, &mut work).await
}

/// A place and those with which it is compared, in eighths of the grid's step.
fn around([x, y]: [u32; 2]) -> Vec<[u32; 2]> {
    let others = ELSEWHERE.map(|[right, down]| [(x + right) % 8, (y + down) % 8]);
    std::iter::once([x, y]).chain(others).collect()
}

/// A side of whole steps, with room for the edges that are left out where a latent spans more pixels than usual.
fn square_side(side: u32, step: u32) -> u32 {
    side.max(5 * step).div_ceil(step) * step
}

/// Reports the progress of the search, in pixels that are reconstructed.
struct Work<'a, P> {
    progress: &'a mut P,
    done: f64,
    total: f64,
}

impl<P: Progress> Work<'_, P> {
    async fn next(&mut self, pixels: f64) -> Result<()> {
        let go_on = self.progress.report((self.done / self.total).min(1.0), Stage::Search).await;
        self.done += pixels;
        if go_on { Ok(()) } else { Err(Error::Cancelled) }
    }
}

/// Sizes that the image may have had before it was resized: the usual sizes of its aspect ratio, and whole grids at the
/// usual ratios. The nearest come first; none has a side below `least`.
fn former_sizes(image: &DecodedImage, least: u32) -> Vec<[u32; 2]> {
    let [width, height] = [image.width, image.height].map(f64::from);
    let shaped = USUAL_SIZES.into_iter().filter(|&[columns, rows]| {
        // Resizing rounds one side to whole pixels.
        (width * f64::from(rows) / f64::from(columns) - height).abs() <= 1.0
    });
    let by_ratio = USUAL_RATIOS.into_iter().filter_map(|ratio| {
        let sides = [width, height].map(|side| {
            let grids = (side / ratio / f64::from(CROP_MULTIPLE)).round();
            (grids * f64::from(CROP_MULTIPLE) * ratio - side).abs().le(&1.0).then_some(grids as u32 * CROP_MULTIPLE)
        });
        Some([sides[0]?, sides[1]?])
    });
    let distance = |[columns, _]: [u32; 2]| (f64::from(columns) / width).ln().abs();
    let mut sizes: Vec<[u32; 2]> = by_ratio.chain(shaped).collect();
    sizes.retain(|&size| size != [image.width, image.height] && size[0].min(size[1]) >= least);
    // Sizes further off would be mere guesses.
    sizes.retain(|&size| distance(size) <= 2.1f64.ln());
    sizes.retain(|&[columns, rows]| u64::from(columns) * u64::from(rows) <= MOST_PIXELS);
    sizes.sort_by(|&a, &b| distance(a).total_cmp(&distance(b)).then(a.cmp(&b)));
    sizes.dedup();
    sizes.truncate(MOST_SIZES);
    sizes
}

/// Where the square of `side` pixels with the most texture begins, in steps of the grid: a flat square says nothing.
fn liveliest(image: &DecodedImage, side: u32, step: u32) -> [u32; 2] {
    let starts = |whole: u32| {
        let count = (whole - side) / step;
        // A few candidates in each direction are enough.
        let stride = (count / 8).max(1);
        (0..=count).step_by(stride as usize).map(move |start| start * step)
    };
    let width = image.width as usize;
    let texture = |[left, top]: [u32; 2]| -> u64 {
        let rows = image.grey.chunks_exact(width).skip(top as usize).take(side as usize);
        let row = left as usize..(left + side) as usize;
        rows.flat_map(|values| values[row.clone()].windows(2))
            .map(|pair| u64::from(pair[0].abs_diff(pair[1]).min(32)))
            .sum()
    };
    let places = starts(image.height).flat_map(|top| starts(image.width).map(move |left| [left, top]));
    places.max_by_key(|&place| texture(place)).unwrap_or([0, 0])
}

/// Squares of an image that are reconstructed once.
#[derive(Clone, Copy)]
struct Squares<'a> {
    model: &'a Model,
    /// Pixels from one cell of the grid to the next.
    step: u32,
    side: u32,
}

impl Squares<'_> {
    /// Pixels that one reconstruction takes.
    fn work(&self) -> f64 {
        f64::from(self.side).powi(2)
    }

    /// Side in pixels of the region that the squares of all places cover together.
    fn region(&self) -> u32 {
        self.side + self.step
    }

    /// For each place, in eighths of a step: the errors of its cells.
    async fn errors(
        &self,
        image: &DecodedImage,
        places: &[[u32; 2]],
        work: &mut Work<'_, impl Progress>,
    ) -> Result<Vec<Vec<f64>>> {
        let region = liveliest(image, self.region(), self.step);
        let mut errors = Vec::with_capacity(places.len());
        for place in places {
            work.next(self.work()).await?;
            errors.push(self.cell_errors(image, region, place.map(|side| side * self.step / 8)).await?);
        }
        Ok(errors)
    }

    /// The contrast of one alignment.
    async fn contrast_at(
        &self,
        image: &DecodedImage,
        Alignment { size, left, top }: Alignment,
        work: &mut Work<'_, impl Progress>,
    ) -> Result<f64> {
        let resized = size.map(|[width, height]| image.resized(width, height)).transpose()?;
        let place = [left, top].map(|side| side * 8 / self.step);
        let errors = self.errors(resized.as_ref().unwrap_or(image), &around(place), work).await?;
        Ok(contrast(&errors, 0))
    }

    /// The robust S of a square of [`DECIDING`] pixels at most, compared with the mirrored one: negative where it speaks for the
    /// model.
    async fn control_at(
        &self,
        image: &DecodedImage,
        alignment: Alignment,
        work: &mut Work<'_, impl Progress>,
    ) -> Result<RobustSignal> {
        let aligned = alignment.undo(image)?;
        let side = square_side(DECIDING, self.step).min(aligned.width.min(aligned.height) / self.step * self.step);
        let place = liveliest(&aligned, side, self.step);
        let pixels = aligned.square(place, side).ok_or_else(outside)?;
        let square = Values::new(pixels, [3, side as usize, side as usize])?;
        let of_square = Squares { side, ..*self };
        work.next(of_square.work()).await?;
        let upright = oriented_errors(self.model, &square, Orientation::Upright, &mut Silent).await?;
        work.next(of_square.work()).await?;
        let mirrored = oriented_errors(self.model, &square, Orientation::Mirrored, &mut Silent).await?;
        let mut control = OrientationControl::new([side as usize; 2], upright);
        control.add(Orientation::Mirrored, mirrored);
        let found = control.compare().and_then(|comparison| comparison.robust());
        // Without one the square is flat, and says nothing.
        Ok(found.unwrap_or(RobustSignal { signal: 0.0, standard_error: 0.0 }))
    }

    /// ln of the mean squared error of each cell that the squares of all places share. The square that is reconstructed
    /// is shifted by `[right, down]` pixels within the region at `[left, top]`.
    async fn cell_errors(
        &self,
        image: &DecodedImage,
        [left, top]: [u32; 2],
        [right, down]: [u32; 2],
    ) -> Result<Vec<f64>> {
        let square = image.square([left + right, top + down], self.side).ok_or_else(outside)?;
        let (side, step) = (self.side as usize, self.step as usize);
        let values = Values::new(square, [3, side, side])?;
        let first = reconstruction::reconstruct_once(self.model, &values).await?;
        let square = values.rows(0..side);
        // From the second step of the region to one step before its end: away from the edges, where convolutions see
        // only padding.
        let common = (side - 3 * step) / CELL * CELL;
        let [columns, rows] = [right, down].map(|shift| 2 * step - shift as usize);
        let cells = common / CELL;
        let mut sums = vec![0.0; cells * cells];
        for (a, b) in first.chunks_exact(side * side).zip(square.chunks_exact(side * side)) {
            for y in 0..common {
                let start = (rows + y) * side + columns;
                for x in 0..common {
                    sums[y / CELL * cells + x / CELL] += f64::from(a[start + x] - b[start + x]).powi(2);
                }
            }
        }
        Ok(sums.into_iter().map(|sum| (sum / (3 * CELL * CELL) as f64 + SMALLEST_ERROR).ln()).collect())
    }
}

fn outside() -> Error {
    Error::BadNumbers { what: "the search".into(), detail: "a square is outside the image".into() }
}

/// The geometric mean over cells of the error at place `index`, divided by the geometric mean at the other places.
fn contrast(errors: &[Vec<f64>], index: usize) -> f64 {
    let (Some(here), others) = (errors.get(index), errors.len().saturating_sub(1)) else { return 1.0 };
    if others == 0 || here.is_empty() {
        return 1.0;
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let all: f64 = errors.iter().map(|errors| mean(errors)).sum();
    let here = mean(here);
    (here - (all - here) / others as f64).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blank(width: u32, height: u32) -> DecodedImage {
        DecodedImage::from_rgb(vec![0; (width * height * 3) as usize], width, height, "PNG")
    }

    #[test]
    fn former_sizes_are_whole_grids_of_the_same_shape() {
        // 384 is three quarters of 512, and 1.5 times 256.
        let sizes = former_sizes(&blank(384, 384), 104);
        for size in [[512, 512], [256, 256], [768, 768], [192, 192]] {
            assert!(sizes.contains(&size), "{size:?} {sizes:?}");
        }
        assert!(!sizes.contains(&[384, 384]) && sizes.len() <= MOST_SIZES);
        // 832 x 1216 at three fifths, rounded to whole pixels.
        assert!(former_sizes(&blank(499, 730), 104).contains(&[832, 1216]));
        assert!(former_sizes(&blank(2400, 2400), 104).iter().all(|size| size[0] < 2900));
        assert!(former_sizes(&blank(120, 120), 104).iter().all(|size| size[0] >= 104));
    }

    #[test]
    fn contrast_is_the_ratio_of_geometric_means() {
        let errors = [vec![0.0, 0.0], vec![2f64.ln(), 8f64.ln()], vec![4f64.ln(), 4f64.ln()]];
        assert!((contrast(&errors, 0) - 0.25).abs() < 1e-12);
        assert!((contrast(&errors, 1) - 2.0).abs() < 1e-12);
        assert_eq!(contrast(&errors[..1], 0), 1.0);
    }

    #[test]
    fn the_liveliest_square_is_where_the_texture_is() {
        let mut image = blank(256, 128);
        for y in 0..128 {
            for x in 160..256 {
                image.grey[y * 256 + x] = ((x * 7 + y * 13) % 31) as u8;
            }
        }
        let [left, _] = liveliest(&image, 64, 8);
        assert!(left >= 160, "{left}");
    }
}
