//! An autoencoder with its parameters on a device. The kernels compute it; burn's layers do where the kernels lack an
//! operation, or to compare both.

use super::{
    cpu::Cpu,
    device::ComputeDevice,
    executor::Executor,
    gpu::{Gpu, Stored},
    operations::{Operation, lower},
};
use crate::{
    Result,
    autoencoder::{Architecture, Layer, Parameters, spec::LayerSpec},
};

/// An autoencoder with its parameters on a device.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "a model has one")]
pub enum Autoencoder {
    /// burn's own operations.
    Layers(Passes<Vec<Layer>>),
    /// Our kernels.
    Gpu(Passes<Executor<Gpu>>),
    Cpu(Passes<Executor<Cpu>>),
}

/// Both halves of an autoencoder.
#[derive(Debug)]
pub struct Passes<P> {
    /// `[1, 3, height, width]` in [-1, 1] → latent (posterior mean).
    pub encoder: P,
    /// Latent → `[1, 3, height, width]`, about [-1, 1], not clamped.
    pub decoder: P,
}

impl<P> Passes<P> {
    fn load<L>(encoder: L, decoder: L, mut load: impl FnMut(L) -> Result<P>) -> Result<Self> {
        Ok(Passes { encoder: load(encoder)?, decoder: load(decoder)? })
    }
}

impl Autoencoder {
    /// Takes all parameters of the architecture. On a GPU, maps are held as `maps`.
    ///
    /// # Errors
    /// [`crate::Error::DeviceFailed`].
    pub fn load(
        architecture: &Architecture,
        parameters: &mut impl Parameters,
        compute: &ComputeDevice,
        maps: Stored,
    ) -> Result<Self> {
        let device = &compute.device;
        let (encoder, decoder) = (architecture.encoder(), architecture.decoder());
        let (Some(encoder), Some(decoder)) = (lowered(&encoder, compute), lowered(&decoder, compute)) else {
            let load =
                |layers: Vec<LayerSpec>| Ok(layers.iter().map(|spec| Layer::load(spec, parameters, device)).collect());
            return Ok(Autoencoder::Layers(Passes::load(encoder, decoder, load)?));
        };
        Ok(match &compute.wgpu {
            Some(gpu) => Autoencoder::Gpu(Passes::load(encoder, decoder, |operations| {
                Executor::load(Gpu::new(gpu, compute.buffer_bytes, maps), operations, parameters, device)
            })?),
            None => Autoencoder::Cpu(Passes::load(encoder, decoder, |operations| {
                Executor::load(Cpu::new(compute.buffer_bytes), operations, parameters, device)
            })?),
        })
    }
}

fn lowered(layers: &[LayerSpec], compute: &ComputeDevice) -> Option<Vec<Operation>> {
    if compute.kernels { lower(layers) } else { None }
}
