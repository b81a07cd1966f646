//! The double reconstruction: x1 = D(E(x)), x2 = D(E(x1)), neither clamped nor rounded between the
//! passes, and the two losses (paper, section 3; reference README, step 1). The reconstruction of a turned or mirrored image,
//! for the orientation control.

mod compute;
mod meter;

pub use meter::{Progress, Silent, Stage};

use crate::{
    Error, Result,
    autoencoder::spec::MapSize,
    engine::{autoencoder::Autoencoder, error_sums::ErrorSums, plan::Rows},
    image::orientation::Orientation,
    weights::Model,
};
use compute::{Compute, Half};
use meter::Meter;

/// The two losses, mean squared errors over values in [-1, 1].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Losses {
    /// L1 = mean (x1 − x)².
    pub first: f64,
    /// L2 = mean (x2 − x1)².
    pub second: f64,
}

/// What a double reconstruction gives.
#[derive(Debug)]
pub struct Reconstructions {
    pub losses: Losses,
    /// Of x1 and x.
    pub errors: ErrorSums,
    /// x1 = D(E(x)) and x2 = D(E(x1)), if they were to be kept: `[3, height, width]` values, about -1 to 1, not clamped.
    pub kept: Option<[Vec<f32>; 2]>,
}

/// Where the values of an image or of a latent come from, some rows at a time, so that they need never be
/// in memory all at once.
pub trait Source {
    /// `[channels, height, width]`.
    fn size(&self) -> MapSize;

    /// `[channels, rows, width]` values.
    fn rows(&self, rows: Rows) -> Vec<f32>;
}

/// Values that are in memory, channel by channel.
#[derive(Debug)]
pub struct Values {
    values: Vec<f32>,
    size: MapSize,
}

impl Values {
    /// `[channels, height, width]` values.
    ///
    /// # Errors
    /// [`Error::BadNumbers`] for a wrong length, or values that are not finite.
    pub fn new(values: Vec<f32>, size: MapSize) -> Result<Self> {
        let [channels, height, width] = size;
        if channels.checked_mul(height).and_then(|count| count.checked_mul(width)) != Some(values.len()) {
            let detail = format!("{} values are not {channels} × {height} × {width}", values.len());
            return Err(Error::BadNumbers { what: "the input".into(), detail });
        }
        if !values.iter().all(|value| value.is_finite()) {
            let detail = "some values are not numbers".into();
            return Err(Error::BadNumbers { what: "the input".into(), detail });
        }
        Ok(Values { values, size })
    }

    /// All of them, in their order.
    pub fn values(&self) -> &[f32] {
        &self.values
    }
}

impl Source for Values {
    fn size(&self) -> MapSize {
        self.size
    }

    fn rows(&self, rows: Rows) -> Vec<f32> {
        let [_, height, width] = self.size;
        let planes = self.values.chunks_exact(height.saturating_mul(width).max(1));
        let part = rows.start.saturating_mul(width)..rows.end.saturating_mul(width);
        planes.flat_map(|plane| plane.get(part.clone()).unwrap_or_default()).copied().collect()
    }
}

/// Reconstructs an image twice: `[3, height, width]` values in [-1, 1], the sides multiples of the
/// autoencoder's reduction.
///
/// # Errors
/// [`Error::ImageTooLarge`] if the device cannot hold what it takes, [`Error::BadNumbers`] for sides that do
/// not divide, [`Error::Cancelled`], [`Error::DeviceFailed`].
pub async fn double_reconstruction(model: &Model, image: &impl Source, progress: &mut impl Progress) -> Result<Losses> {
    Ok(twice(model, image, Wanted::Losses, progress).await?.0)
}

/// As [`double_reconstruction`], with the errors by parts of the image; keeps the reconstructions if it is to: 24 bytes a pixel.
///
/// # Errors
/// As [`double_reconstruction`].
pub async fn reconstructions(
    model: &Model,
    image: &impl Source,
    keep: bool,
    progress: &mut impl Progress,
) -> Result<Reconstructions> {
    let wanted = if keep { Wanted::All } else { Wanted::Errors };
    let (losses, errors, kept) = twice(model, image, wanted, progress).await?;
    // Errors that were wanted are there.
    Ok(Reconstructions { losses, errors: finite(errors.ok_or_else(not_numbers)?)?, kept })
}

/// What a double reconstruction is to give.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Losses,
    Errors,
    /// The reconstructions too.
    All,
}

/// As far as it was wanted.
type Twice = (Losses, Option<ErrorSums>, Option<[Vec<f32>; 2]>);

async fn twice(model: &Model, image: &impl Source, wanted: Wanted, progress: &mut impl Progress) -> Result<Twice> {
    check_sides(model, image.size())?;
    match &model.autoencoder {
        Autoencoder::Layers(passes) => released(passes, reconstruct(model, passes, image, wanted, progress)).await,
        Autoencoder::Gpu(passes) => released(passes, reconstruct(model, passes, image, wanted, progress)).await,
        Autoencoder::Cpu(passes) => released(passes, reconstruct(model, passes, image, wanted, progress)).await,
    }
}

async fn reconstruct<C: Compute>(
    model: &Model,
    compute: &C,
    image: &impl Source,
    wanted: Wanted,
    progress: &mut impl Progress,
) -> Result<Twice> {
    let size = image.size();
    let pass = Pass::prepare(model, compute, size)?;
    let mut meter = Meter::new(&model.device, progress, pass.work().saturating_mul(2));
    let x = compute.upload(image, &model.device.device)?;
    let first = pass.run(&x, [Stage::EncodeFirst, Stage::DecodeFirst], &mut meter).await?;
    let first_loss = mean_squared_error(compute, &first, &x, size).await?;
    let errors = match wanted {
        Wanted::Losses => None,
        Wanted::Errors | Wanted::All => Some(compute.error_sums(&first, &x, Orientation::Upright).await?),
    };
    drop(x);
    let kept_first = if wanted == Wanted::All { Some(compute.read(&first).await?) } else { None };
    let second = pass.run(&first, [Stage::EncodeSecond, Stage::DecodeSecond], &mut meter).await?;
    meter.enter(Stage::Losses).await?;
    let second_loss = mean_squared_error(compute, &second, &first, size).await?;
    let kept = match kept_first {
        Some(kept_first) => Some([kept_first, compute.read(&second).await?]),
        None => None,
    };
    Ok((Losses { first: first_loss, second: second_loss }, errors, kept))
}

/// One encoding and decoding, planned for images of one size.
struct Pass<'a, C: Compute> {
    compute: &'a C,
    encode: C::Plan,
    decode: C::Plan,
}

impl<'a, C: Compute> Pass<'a, C> {
    fn prepare(model: &Model, compute: &'a C, size: MapSize) -> Result<Self> {
        let (encode, latent) = compute.prepare(Half::Encoder, size, size, model)?;
        let (decode, _) = compute.prepare(Half::Decoder, latent, size, model)?;
        Ok(Pass { compute, encode, decode })
    }

    fn work(&self) -> u64 {
        C::work(&self.encode).saturating_add(C::work(&self.decode))
    }

    async fn run(
        &self,
        x: &C::Map,
        [encode, decode]: [Stage; 2],
        meter: &mut Meter<'_, impl Progress>,
    ) -> Result<C::Map> {
        meter.enter(encode).await?;
        let z = self.compute.run(Half::Encoder, x, &self.encode, meter).await?;
        meter.enter(decode).await?;
        self.compute.run(Half::Decoder, &z, &self.decode, meter).await
    }
}

/// The errors of the reconstruction of a turned or mirrored image, by parts of the upright one: half the work of a double
/// reconstruction.
///
/// # Errors
/// As [`double_reconstruction`].
pub async fn oriented_errors(
    model: &Model,
    image: &impl Source,
    orientation: Orientation,
    progress: &mut impl Progress,
) -> Result<ErrorSums> {
    check_sides(model, image.size())?;
    let oriented = &Oriented { image, orientation };
    match &model.autoencoder {
        Autoencoder::Layers(passes) => released(passes, errors_once(model, passes, oriented, progress)).await,
        Autoencoder::Gpu(passes) => released(passes, errors_once(model, passes, oriented, progress)).await,
        Autoencoder::Cpu(passes) => released(passes, errors_once(model, passes, oriented, progress)).await,
    }
}

async fn errors_once<C: Compute>(
    model: &Model,
    compute: &C,
    image: &Oriented<'_, impl Source>,
    progress: &mut impl Progress,
) -> Result<ErrorSums> {
    let pass = Pass::prepare(model, compute, image.size())?;
    let mut meter = Meter::new(&model.device, progress, pass.work());
    let x = compute.upload(image, &model.device.device)?;
    let made = pass.run(&x, [Stage::EncodeOriented, Stage::DecodeOriented], &mut meter).await?;
    finite(compute.error_sums(&made, &x, image.orientation).await?)
}

/// An image, turned or mirrored as its rows are read.
struct Oriented<'a, S> {
    image: &'a S,
    orientation: Orientation,
}

impl<S: Source> Source for Oriented<'_, S> {
    fn size(&self) -> MapSize {
        let [channels, height, width] = self.image.size();
        let [height, width] = self.orientation.sides([height, width]);
        [channels, height, width]
    }

    fn rows(&self, rows: Rows) -> Vec<f32> {
        let [_, height, width] = self.image.size();
        let area = height.saturating_mul(width).max(1);
        match self.orientation {
            Orientation::Upright => self.image.rows(rows),
            Orientation::Mirrored => {
                let mut values = self.image.rows(rows);
                values.chunks_exact_mut(width.max(1)).for_each(<[f32]>::reverse);
                values
            }
            Orientation::Flipped | Orientation::HalfTurn => {
                let count = rows.len();
                let from_end = |row: usize| height.saturating_sub(row);
                let mut values = self.image.rows(from_end(rows.end)..from_end(rows.start));
                for plane in values.chunks_exact_mut(count.saturating_mul(width).max(1)) {
                    plane.reverse();
                    if self.orientation == Orientation::Flipped {
                        plane.chunks_exact_mut(width.max(1)).for_each(<[f32]>::reverse);
                    }
                }
                values
            }
            // A row of these is a column of the image.
            Orientation::QuarterTurn | Orientation::ThreeQuarterTurn => {
                let all = self.image.rows(0..height);
                let part = rows.start.saturating_mul(height)..rows.end.saturating_mul(height);
                let turned = all.chunks_exact(area).map(|plane| self.orientation.apply(plane, [height, width]));
                turned.flat_map(|plane| plane.get(part.clone()).unwrap_or_default().to_vec()).collect()
            }
        }
    }
}

/// Refuses sums that no evidence can be made of.
fn finite(sums: ErrorSums) -> Result<ErrorSums> {
    if sums.tiles.iter().chain(&sums.cells).all(|sum| sum.is_finite()) { Ok(sums) } else { Err(not_numbers()) }
}

fn not_numbers() -> Error {
    Error::DeviceFailed { detail: "the reconstruction holds values that are not numbers".into() }
}

/// The latent (posterior mean) of `[3, height, width]` values in [-1, 1]:
/// `[latent channels, height / reduction, width / reduction]`.
///
/// # Errors
/// As [`double_reconstruction`].
pub async fn encode(model: &Model, image: &impl Source) -> Result<Vec<f32>> {
    check_sides(model, image.size())?;
    half(model, Half::Encoder, image, image.size()).await
}

/// The reconstruction `[3, height · reduction, width · reduction]` of a latent
/// `[latent channels, height, width]`, not clamped.
///
/// # Errors
/// As [`double_reconstruction`].
pub async fn decode(model: &Model, latent: &impl Source) -> Result<Vec<f32>> {
    let reduction = model.manifest.architecture.reduction();
    let [channels, height, width] = latent.size();
    let image = [3, height.saturating_mul(reduction), width.saturating_mul(reduction)];
    check_sides(model, image)?;
    let expected = model.manifest.architecture.latent_channels();
    if channels != expected {
        let detail = format!("it has {channels} channels, not {expected}");
        return Err(Error::BadNumbers { what: "the latent".into(), detail });
    }
    half(model, Half::Decoder, latent, image).await
}

/// x1 = D(E(x)) of `[3, height, width]` values in [-1, 1], not clamped.
///
/// # Errors
/// As [`double_reconstruction`].
pub async fn reconstruct_once(model: &Model, image: &impl Source) -> Result<Vec<f32>> {
    let [_, height, width] = image.size();
    let architecture = &model.manifest.architecture;
    let reduction = architecture.reduction();
    let latent = encode(model, image).await?;
    // It is a power of two.
    let side = |side: usize| side.checked_div(reduction).unwrap_or(0);
    let size = [architecture.latent_channels(), side(height), side(width)];
    decode(model, &Values::new(latent, size)?).await
}

async fn half(model: &Model, half: Half, input: &impl Source, image: MapSize) -> Result<Vec<f32>> {
    match &model.autoencoder {
        Autoencoder::Layers(passes) => released(passes, reconstruct_half(model, passes, half, input, image)).await,
        Autoencoder::Gpu(passes) => released(passes, reconstruct_half(model, passes, half, input, image)).await,
        Autoencoder::Cpu(passes) => released(passes, reconstruct_half(model, passes, half, input, image)).await,
    }
}

async fn reconstruct_half<C: Compute>(
    model: &Model,
    compute: &C,
    half: Half,
    input: &impl Source,
    image: MapSize,
) -> Result<Vec<f32>> {
    let (plan, _) = compute.prepare(half, input.size(), image, model)?;
    let mut silent = Silent;
    let mut meter = Meter::new(&model.device, &mut silent, C::work(&plan));
    let result = compute.run(half, &compute.upload(input, &model.device.device)?, &plan, &mut meter).await?;
    compute.read(&result).await
}

/// Gives memory back after some work, whether that ended well or not.
async fn released<C: Compute, T>(compute: &C, work: impl Future<Output = Result<T>>) -> Result<T> {
    let result = work.await;
    compute.release();
    result
}

/// Refuses sizes that do not divide, before anything is allocated.
fn check_sides(model: &Model, [_, height, width]: MapSize) -> Result<()> {
    let reduction = model.manifest.architecture.reduction();
    if height == 0 || width == 0 || !height.is_multiple_of(reduction) || !width.is_multiple_of(reduction) {
        let detail = format!("{width} × {height} pixels are not a multiple of {reduction} on both sides");
        return Err(Error::BadNumbers { what: "the image's size".into(), detail });
    }
    Ok(())
}

/// mean (a − b)² of two images.
async fn mean_squared_error<C: Compute>(compute: &C, a: &C::Map, b: &C::Map, size: MapSize) -> Result<f64> {
    let sum = compute.squared_difference(a, b).await?;
    let mean = sum / size.iter().map(|&side| side as f64).product::<f64>();
    if mean.is_finite() { Ok(mean) } else { Err(not_numbers()) }
}
