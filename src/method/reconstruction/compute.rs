//! Two ways to compute an autoencoder behind one interface: burn's layers, and executors of our kernels.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "sizes and places are the planner's, made of an architecture that was validated"
)]

use burn::tensor::{Device, Tensor, TensorData};

use super::Source;
use crate::{
    Error, Result,
    autoencoder::{Layer, spec::MapSize},
    engine::{
        autoencoder::Passes,
        device::DeviceKind,
        error_sums::{ErrorSums, error_sums},
        executor::{Executor, Meter},
        kernels::{Band, Kernels},
        plan::Plan,
    },
    image::orientation::Orientation,
    weights::Model,
};

/// Bytes of values uploaded at once, about.
const UPLOAD_BYTES: usize = 1 << 20;

/// Which half of the autoencoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Half {
    Encoder,
    Decoder,
}

impl Half {
    fn of<P>(self, passes: &Passes<P>) -> &P {
        match self {
            Half::Encoder => &passes.encoder,
            Half::Decoder => &passes.decoder,
        }
    }
}

/// One way to compute an autoencoder.
pub trait Compute {
    /// An image or a latent on the device.
    type Map;
    /// How a half is computed for one size.
    type Plan;

    /// Prepares a half for an input of this size, while an image of the size `image` is held as well. Also gives the
    /// result's size.
    ///
    /// # Errors
    /// [`Error::ImageTooLarge`].
    fn prepare(&self, half: Half, input: MapSize, image: MapSize, model: &Model) -> Result<(Self::Plan, MapSize)>;

    /// Multiply-adds.
    fn work(plan: &Self::Plan) -> u64;

    fn upload(&self, source: &impl Source, device: &Device) -> Result<Self::Map>;

    async fn run(&self, half: Half, input: &Self::Map, plan: &Self::Plan, meter: &mut impl Meter) -> Result<Self::Map>;

    /// Σ (a − b)².
    async fn squared_difference(&self, a: &Self::Map, b: &Self::Map) -> Result<f64>;

    /// [`error_sums`] of a reconstruction and its input.
    async fn error_sums(&self, made: &Self::Map, input: &Self::Map, orientation: Orientation) -> Result<ErrorSums>;

    async fn read(&self, map: &Self::Map) -> Result<Vec<f32>>;

    /// Releases the memory that no map uses any more.
    fn release(&self);
}

impl<K: Kernels> Compute for Passes<Executor<K>> {
    type Map = Band<K::Buffer>;
    type Plan = Plan;

    fn prepare(&self, half: Half, input: MapSize, image: MapSize, model: &Model) -> Result<(Plan, MapSize)> {
        let executor = half.of(self);
        let held = executor.kernels().limits().end_bytes(image, image[1]);
        let weights = match model.device.kind {
            DeviceKind::WebGpu => 4 * model.manifest.architecture.parameter_count(),
            DeviceKind::Cpu => 0,
        };
        let memory = model.device.memory_bytes.saturating_sub(held + weights);
        let plan = executor
            .plan(input, memory)
            .ok_or_else(|| too_large(image, executor.least_buffer(input), model.device.buffer_bytes))?;
        let size = *plan.sizes.last().unwrap_or(&input);
        Ok((plan, size))
    }

    fn work(plan: &Plan) -> u64 {
        plan.multiply_adds
    }

    fn upload(&self, source: &impl Source, _: &Device) -> Result<Self::Map> {
        let size = source.size();
        let [channels, height, width] = size;
        let kernels = self.encoder.kernels();
        let mut map = self.encoder.allocate_input(size);
        let rows = (UPLOAD_BYTES / (4 * channels * width).max(1)).max(1);
        for first in (0..height).step_by(rows) {
            let rows = first..(first + rows).min(height);
            kernels.write(&mut map, rows.clone(), &source.rows(rows))?;
        }
        Ok(map)
    }

    async fn run(&self, half: Half, input: &Self::Map, plan: &Plan, meter: &mut impl Meter) -> Result<Self::Map> {
        half.of(self).run(input, plan, meter).await
    }

    async fn squared_difference(&self, a: &Self::Map, b: &Self::Map) -> Result<f64> {
        self.encoder.kernels().squared_difference(a, b).await
    }

    async fn error_sums(&self, made: &Self::Map, input: &Self::Map, orientation: Orientation) -> Result<ErrorSums> {
        self.encoder.kernels().error_sums(made, input, orientation).await
    }

    async fn read(&self, map: &Self::Map) -> Result<Vec<f32>> {
        self.encoder.kernels().read(map).await
    }

    fn release(&self) {
        self.encoder.kernels().release();
    }
}

/// Every layer's work, in order.
pub type LayerWork = Vec<u64>;

impl Compute for Passes<Vec<Layer>> {
    type Map = Tensor<4>;
    type Plan = LayerWork;

    fn prepare(&self, half: Half, input: MapSize, image: MapSize, model: &Model) -> Result<(LayerWork, MapSize)> {
        let architecture = &model.manifest.architecture;
        let layers = match half {
            Half::Encoder => architecture.encoder(),
            Half::Decoder => architecture.decoder(),
        };
        let mut size = input;
        let mut work = Vec::with_capacity(layers.len());
        for layer in &layers {
            let largest = layer.largest_map(size).saturating_mul(4);
            if largest > model.device.buffer_bytes {
                return Err(too_large(image, largest, model.device.buffer_bytes));
            }
            work.push(layer.multiply_adds(size));
            size = layer.size(size);
        }
        Ok((work, size))
    }

    fn work(plan: &LayerWork) -> u64 {
        plan.iter().sum()
    }

    fn upload(&self, source: &impl Source, device: &Device) -> Result<Tensor<4>> {
        let [channels, height, width] = source.size();
        let values = TensorData::new(source.rows(0..height), [1, channels, height, width]);
        Ok(Tensor::from_data(values, device))
    }

    async fn run(&self, half: Half, input: &Tensor<4>, plan: &LayerWork, meter: &mut impl Meter) -> Result<Tensor<4>> {
        let (mut x, mut latent) = (input.clone(), None);
        for (layer, work) in half.of(self).iter().zip(plan) {
            x = layer.forward(x, &mut latent);
            meter.spent(*work).await?;
        }
        Ok(x)
    }

    async fn squared_difference(&self, a: &Tensor<4>, b: &Tensor<4>) -> Result<f64> {
        // Rows on the device, their sum in f64: one f32 sum over millions of values would lose digits.
        let difference = a.clone() - b.clone();
        let rows = values((difference.clone() * difference).sum_dim(3)).await?;
        Ok(rows.into_iter().map(f64::from).sum())
    }

    async fn error_sums(&self, made: &Tensor<4>, input: &Tensor<4>, orientation: Orientation) -> Result<ErrorSums> {
        let [_, _, height, width] = input.dims();
        let [made, input] = [values(made.clone()).await?, values(input.clone()).await?];
        Ok(error_sums(&made, &input, orientation.sides([height, width]), orientation))
    }

    async fn read(&self, map: &Tensor<4>) -> Result<Vec<f32>> {
        values(map.clone()).await
    }

    fn release(&self) {}
}

async fn values(tensor: Tensor<4>) -> Result<Vec<f32>> {
    let data = tensor.into_data_async().await.map_err(|error| failed(&error.to_string()))?;
    data.try_into_vec::<f32>().map_err(|error| failed(&format!("{error:?}")))
}

fn failed(detail: &str) -> Error {
    Error::DeviceFailed { detail: detail.into() }
}

fn too_large([_, height, width]: MapSize, needed: u64, available: u64) -> Error {
    // The memory needed grows with the number of pixels, which gives the limit in pixels.
    let pixels = (height * width) as f64 * (available as f64 / needed as f64).min(1.0);
    let limit = format!("this device can check up to {:.1} megapixels with this model", (pixels / 1e5).floor() / 10.0);
    Error::ImageTooLarge { width: width as u64, height: height as u64, limit }
}
