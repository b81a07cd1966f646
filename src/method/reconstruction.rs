//! The double reconstruction: x1 = D(E(x)), x2 = D(E(x1)), neither clamped nor rounded between the
//! passes, and the two losses (paper, section 3; reference README, step 1).

mod compute;
mod meter;

pub use meter::{Progress, Silent, Stage};

use crate::{
    Error, Result,
    autoencoder::spec::MapSize,
    engine::{autoencoder::Autoencoder, plan::Rows},
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

/// The losses, and what they were taken from: `[3, height, width]` values each, about -1 to 1, not clamped.
#[derive(Debug)]
pub struct Reconstructions {
    pub losses: Losses,
    /// x1 = D(E(x)).
    pub first: Vec<f32>,
    /// x2 = D(E(x1)).
    pub second: Vec<f32>,
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
    Ok(twice(model, image, false, progress).await?.losses)
}

/// As [`double_reconstruction`], and keeps the reconstructions: 24 bytes a pixel.
///
/// # Errors
/// As [`double_reconstruction`].
pub async fn reconstructions(
    model: &Model,
    image: &impl Source,
    progress: &mut impl Progress,
) -> Result<Reconstructions> {
    twice(model, image, true, progress).await
}

/// Without `keep`, the result holds the losses alone.
async fn twice(
    model: &Model,
    image: &impl Source,
    keep: bool,
    progress: &mut impl Progress,
) -> Result<Reconstructions> {
    check_sides(model, image.size())?;
    match &model.autoencoder {
        Autoencoder::Layers(passes) => released(passes, reconstruct(model, passes, image, keep, progress)).await,
        Autoencoder::Gpu(passes) => released(passes, reconstruct(model, passes, image, keep, progress)).await,
        Autoencoder::Cpu(passes) => released(passes, reconstruct(model, passes, image, keep, progress)).await,
    }
}

async fn reconstruct<C: Compute>(
    model: &Model,
    compute: &C,
    image: &impl Source,
    keep: bool,
    progress: &mut impl Progress,
) -> Result<Reconstructions> {
    let size = image.size();
    let (encode, latent) = compute.prepare(Half::Encoder, size, size, model)?;
    let (decode, _) = compute.prepare(Half::Decoder, latent, size, model)?;
    let mut meter =
        Meter::new(&model.device, progress, C::work(&encode).saturating_add(C::work(&decode)).saturating_mul(2));
    let x = compute.upload(image, &model.device.device)?;
    meter.enter(Stage::EncodeFirst).await?;
    let z = compute.run(Half::Encoder, &x, &encode, &mut meter).await?;
    meter.enter(Stage::DecodeFirst).await?;
    let first = compute.run(Half::Decoder, &z, &decode, &mut meter).await?;
    let first_loss = mean_squared_error(compute, &first, &x, size).await?;
    drop((x, z));
    let kept_first = if keep { compute.read(&first).await? } else { Vec::new() };
    meter.enter(Stage::EncodeSecond).await?;
    let z = compute.run(Half::Encoder, &first, &encode, &mut meter).await?;
    meter.enter(Stage::DecodeSecond).await?;
    let second = compute.run(Half::Decoder, &z, &decode, &mut meter).await?;
    meter.enter(Stage::Losses).await?;
    let second_loss = mean_squared_error(compute, &second, &first, size).await?;
    let kept_second = if keep { compute.read(&second).await? } else { Vec::new() };
    Ok(Reconstructions {
        losses: Losses { first: first_loss, second: second_loss },
        first: kept_first,
        second: kept_second,
    })
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
    if mean.is_finite() {
        Ok(mean)
    } else {
        Err(Error::DeviceFailed { detail: "the reconstruction holds values that are not numbers".into() })
    }
}
