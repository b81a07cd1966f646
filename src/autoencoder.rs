//! Autoencoders: configurations as data ([`Architecture`]), layers as data ([`spec`]), and the layers
//! computed on a device.

mod architecture;
mod layers;
pub mod spec;

pub use architecture::{Architecture, AutoencoderKlConfig, AutoencoderTinyConfig};
pub use layers::{Layer, Parameters};

use burn::tensor::Tensor;
use spec::{LayerSpec, MapSize};

use crate::{
    Error, Result,
    device::{ComputeDevice, DeviceKind},
    engine::{cpu, gpu, operations::lower},
};

/// An autoencoder with its parameters on a device.
#[derive(Debug)]
pub struct Autoencoder {
    /// `[1, 3, height, width]` in [-1, 1] → latent (posterior mean).
    pub encoder: Pass,
    /// Latent → `[1, 3, height, width]`, about [-1, 1], not clamped.
    pub decoder: Pass,
}

/// An encoder or a decoder: its layers in order.
#[derive(Debug)]
pub struct Pass {
    layers: Vec<LayerSpec>,
    computation: Computation,
}

#[derive(Debug)]
enum Computation {
    /// burn's own operations.
    Layers(Vec<Layer>),
    /// Our kernels.
    Gpu(gpu::Program),
    Cpu(cpu::Program),
}

/// A pass at work on one input.
#[derive(Debug)]
pub enum Run<'a> {
    Layers { remaining: std::vec::IntoIter<(&'a Layer, u64)>, x: Tensor<4> },
    Gpu(gpu::Run<'a>),
    Cpu(cpu::Run<'a>),
}

impl Autoencoder {
    /// Takes all parameters of the architecture.
    ///
    /// # Errors
    /// [`Error::DeviceFailed`].
    pub fn load(
        architecture: &Architecture,
        parameters: &mut impl Parameters,
        compute: &ComputeDevice,
    ) -> Result<Self> {
        let encoder = Pass::load(architecture.encoder(), parameters, compute)?;
        Ok(Autoencoder { encoder, decoder: Pass::load(architecture.decoder(), parameters, compute)? })
    }
}

impl Pass {
    fn load(layers: Vec<LayerSpec>, parameters: &mut impl Parameters, compute: &ComputeDevice) -> Result<Self> {
        let device = &compute.device;
        let computation = match (lower(&layers).filter(|_| compute.kernels), compute.kind) {
            (Some(operations), DeviceKind::WebGpu) => {
                Computation::Gpu(gpu::Program::load(operations, parameters, device)?)
            }
            (Some(operations), DeviceKind::Cpu) => {
                Computation::Cpu(cpu::Program::load(operations, parameters, device)?)
            }
            (None, _) => Computation::Layers(layers.iter().map(|spec| Layer::load(spec, parameters, device)).collect()),
        };
        Ok(Pass { layers, computation })
    }

    /// Begins with an input `[1, channels, height, width]`.
    ///
    /// # Errors
    /// [`Error::DeviceFailed`].
    pub fn start(&self, x: Tensor<4>) -> Result<Run<'_>> {
        match &self.computation {
            Computation::Layers(layers) => {
                let [_, channels, height, width] = x.dims();
                let work = self.work([channels, height, width]);
                let remaining: Vec<_> = layers.iter().zip(work).collect();
                Ok(Run::Layers { remaining: remaining.into_iter(), x })
            }
            Computation::Gpu(program) => Ok(Run::Gpu(program.start(x)?)),
            Computation::Cpu(program) => Ok(Run::Cpu(program.start(x)?)),
        }
    }

    /// Multiply-adds for an input of this size.
    pub fn multiply_adds(&self, input: MapSize) -> u64 {
        match &self.computation {
            Computation::Layers(_) => self.work(input).iter().sum(),
            Computation::Gpu(program) => program.multiply_adds(input),
            Computation::Cpu(program) => program.multiply_adds(input),
        }
    }

    /// The size of the result for an input of this size.
    pub fn size(&self, input: MapSize) -> MapSize {
        self.layers.iter().fold(input, |size, layer| layer.size(size))
    }

    /// Multiply-adds of each layer.
    fn work(&self, mut size: MapSize) -> Vec<u64> {
        let measure = |layer: &LayerSpec| {
            let work = layer.multiply_adds(size);
            size = layer.size(size);
            work
        };
        self.layers.iter().map(measure).collect()
    }
}

impl Run<'_> {
    /// Computes, or queues, one step; gives its multiply-adds, or `None` after the last.
    pub fn step(&mut self) -> Option<u64> {
        match self {
            Run::Layers { remaining, x } => {
                let (layer, work) = remaining.next()?;
                *x = layer.forward(x.clone());
                Some(work)
            }
            Run::Gpu(run) => run.step(),
            Run::Cpu(run) => run.step(),
        }
    }

    /// Waits until what was queued has been computed.
    ///
    /// # Errors
    /// [`Error::DeviceFailed`].
    pub async fn wait(&self, compute: &ComputeDevice) -> Result<()> {
        match self {
            Run::Layers { x, .. } => compute.finish(x).await,
            Run::Gpu(run) => run.wait().await,
            Run::Cpu(_) => Ok(()),
        }
    }

    /// The result, `[1, channels, height, width]`.
    ///
    /// # Errors
    /// [`Error::DeviceFailed`].
    pub fn result(self) -> Result<Tensor<4>> {
        let result = match self {
            Run::Layers { x, .. } => Some(x),
            Run::Gpu(run) => run.result(),
            Run::Cpu(run) => run.result(),
        };
        result.ok_or_else(|| Error::DeviceFailed { detail: "a feature map is missing".into() })
    }
}
