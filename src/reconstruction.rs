//! The double reconstruction: x1 = D(E(x)), x2 = D(E(x1)), neither clamped nor rounded between the
//! passes, and the two losses (paper, section 3; reference README, step 1).

use burn::tensor::{Tensor, TensorData};

use crate::{Error, Result, autoencoder::Pass, device::ComputeDevice, weights::Model};

/// Multiply-adds after which a GPU is waited for, so that progress is true and a cancel takes effect.
const WORK_BETWEEN_WAITS: u64 = 2_000_000_000;

/// What is being computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Decode,
    EncodeFirst,
    DecodeFirst,
    EncodeSecond,
    DecodeSecond,
    Losses,
}

impl Stage {
    /// A stable name.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Decode => "decode",
            Stage::EncodeFirst => "encode_first",
            Stage::DecodeFirst => "decode_first",
            Stage::EncodeSecond => "encode_second",
            Stage::DecodeSecond => "decode_second",
            Stage::Losses => "losses",
        }
    }
}

/// Told how far a computation is; decides whether it goes on.
pub trait Progress {
    /// `fraction` of the whole is done, 0 to 1. Returning false cancels with [`Error::Cancelled`].
    fn report(&mut self, fraction: f64, stage: Stage) -> impl Future<Output = bool>;
}

/// No reports, never cancelled.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    async fn report(&mut self, _: f64, _: Stage) -> bool {
        true
    }
}

/// The two losses, mean squared errors over values in [-1, 1].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Losses {
    /// L1 = mean (x1 − x)².
    pub first: f64,
    /// L2 = mean (x2 − x1)².
    pub second: f64,
}

/// Reconstructs an image twice. `values` are `[3, height, width]` in [-1, 1], the sides multiples of the
/// autoencoder's reduction.
///
/// # Errors
/// [`Error::ImageTooLarge`] if a map would not fit the device, [`Error::BadNumbers`] for a wrong length
/// or sides that do not divide, [`Error::Cancelled`], [`Error::DeviceFailed`].
pub async fn double_reconstruction(
    model: &Model,
    values: Vec<f32>,
    [height, width]: [usize; 2],
    progress: &mut impl Progress,
) -> Result<Losses> {
    check_fit(model, height, width)?;
    let autoencoder = &model.autoencoder;
    let image = [3, height, width];
    let latent = autoencoder.encoder.size(image);
    let work = autoencoder.encoder.multiply_adds(image) + autoencoder.decoder.multiply_adds(latent);
    let mut run = Run { compute: &model.device, progress, total: 2 * work, done: 0, unwaited: 0 };
    let x = upload(&model.device, values, image)?;
    let z = run.pass(&autoencoder.encoder, x.clone(), Stage::EncodeFirst).await?;
    let first = run.pass(&autoencoder.decoder, z, Stage::DecodeFirst).await?;
    let first_loss = mean_squared_error(first.clone(), x).await?;
    let z = run.pass(&autoencoder.encoder, first.clone(), Stage::EncodeSecond).await?;
    let second = run.pass(&autoencoder.decoder, z, Stage::DecodeSecond).await?;
    run.report(Stage::Losses).await?;
    let second_loss = mean_squared_error(second, first).await?;
    Ok(Losses { first: first_loss, second: second_loss })
}

/// The latent (posterior mean) of `[3, height, width]` values in [-1, 1]:
/// `[latent channels, height / reduction, width / reduction]`.
///
/// # Errors
/// As [`double_reconstruction`].
pub async fn encode(model: &Model, values: Vec<f32>, [height, width]: [usize; 2]) -> Result<Vec<f32>> {
    check_fit(model, height, width)?;
    whole_pass(model, &model.autoencoder.encoder, values, [3, height, width]).await
}

/// The reconstruction `[3, height · reduction, width · reduction]` of a latent
/// `[latent channels, height, width]`, not clamped.
///
/// # Errors
/// As [`double_reconstruction`].
pub async fn decode(model: &Model, latent: Vec<f32>, [height, width]: [usize; 2]) -> Result<Vec<f32>> {
    let architecture = &model.manifest.architecture;
    let reduction = architecture.reduction();
    check_fit(model, height.saturating_mul(reduction), width.saturating_mul(reduction))?;
    whole_pass(model, &model.autoencoder.decoder, latent, [architecture.latent_channels(), height, width]).await
}

async fn whole_pass(model: &Model, pass: &Pass, values: Vec<f32>, size: [usize; 3]) -> Result<Vec<f32>> {
    let mut run =
        Run { compute: &model.device, progress: &mut Silent, total: pass.multiply_adds(size), done: 0, unwaited: 0 };
    let result = run.pass(pass, upload(&model.device, values, size)?, Stage::EncodeFirst).await?;
    read(result).await
}

struct Run<'a, P> {
    compute: &'a ComputeDevice,
    progress: &'a mut P,
    total: u64,
    done: u64,
    unwaited: u64,
}

impl<P: Progress> Run<'_, P> {
    async fn pass(&mut self, pass: &Pass, x: Tensor<4>, stage: Stage) -> Result<Tensor<4>> {
        self.report(stage).await?;
        let mut run = pass.start(x)?;
        while let Some(work) = run.step() {
            self.done += work;
            self.unwaited += work;
            if self.unwaited >= WORK_BETWEEN_WAITS {
                self.unwaited = 0;
                run.wait(self.compute).await?;
                self.report(stage).await?;
            }
        }
        run.result()
    }

    async fn report(&mut self, stage: Stage) -> Result<()> {
        let fraction = self.done as f64 / self.total.max(1) as f64;
        if self.progress.report(fraction, stage).await { Ok(()) } else { Err(Error::Cancelled) }
    }
}

fn upload(compute: &ComputeDevice, values: Vec<f32>, [channels, height, width]: [usize; 3]) -> Result<Tensor<4>> {
    if values.len() != channels * height * width {
        let detail = format!("{} values are not {channels} × {height} × {width}", values.len());
        return Err(Error::BadNumbers { what: "the input".into(), detail });
    }
    Ok(Tensor::from_data(TensorData::new(values, [1, channels, height, width]), &compute.device))
}

/// Refuses sizes that do not divide, and maps that the device cannot hold, before anything is allocated.
fn check_fit(model: &Model, height: usize, width: usize) -> Result<()> {
    let architecture = &model.manifest.architecture;
    let reduction = architecture.reduction();
    if height == 0 || width == 0 || !height.is_multiple_of(reduction) || !width.is_multiple_of(reduction) {
        let detail = format!("{width} × {height} pixels are not a multiple of {reduction} on both sides");
        return Err(Error::BadNumbers { what: "the image's size".into(), detail });
    }
    let largest = architecture.largest_map(height, width).saturating_mul(4);
    let available = model.device.largest_map_bytes;
    if largest > available {
        // Maps grow with the number of pixels, so the limit in pixels follows.
        let pixels = (height * width) as f64 * available as f64 / largest as f64;
        let limit =
            format!("this device can check up to {:.1} megapixels with this model", (pixels / 1e5).floor() / 10.0);
        return Err(Error::ImageTooLarge { width: width as u64, height: height as u64, limit });
    }
    Ok(())
}

/// mean (a − b)² of two `[1, 3, height, width]` images: rows on the device, their means on the host in
/// f64, since one f32 sum over millions of values would lose digits.
async fn mean_squared_error(a: Tensor<4>, b: Tensor<4>) -> Result<f64> {
    let difference = a - b;
    let rows = read((difference.clone() * difference).mean_dim(3)).await?;
    let mean = rows.iter().copied().map(f64::from).sum::<f64>() / rows.len() as f64;
    if mean.is_finite() {
        Ok(mean)
    } else {
        Err(Error::DeviceFailed { detail: "the reconstruction holds values that are not numbers".into() })
    }
}

async fn read(tensor: Tensor<4>) -> Result<Vec<f32>> {
    let failed = |detail: String| Error::DeviceFailed { detail };
    let data = tensor.into_data_async().await.map_err(|error| failed(error.to_string()))?;
    data.try_into_vec::<f32>().map_err(|error| failed(format!("{error:?}")))
}
